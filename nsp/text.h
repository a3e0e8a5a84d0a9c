// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_TEXT_H
#define PNR_NSP_TEXT_H

// Texts on their way between Winsock, which speaks UTF-16, and the daemon, which speaks UTF-8.
// Names of peers and clouds pass through here and are valid text in both. Comments never do: they
// are raw 16-bit units from one end to the other, since programs keep binary data in them.

#include "pnr/winsock.h"

#include <stdbool.h>
#include <stddef.h>

// What a conversion returns that cannot be done.
#define NSP_TEXT_BAD ((size_t)-1)

// Copies a caller's string of at most buf_units - 1 units and its NUL. text may be unaligned; its
// memory is looked at page by page before it is read. Returns 0 and writes how many units it has
// without the NUL. WSAEFAULT: it cannot be read as far as its NUL; WSAEINVAL: it is longer. text is
// not NULL. On errors the content of buf is undefined.
int nsp_text_take(const WCHAR *text, WCHAR *buf, size_t buf_units, size_t *ret_units);

// Writes units as UTF-8 with a NUL behind it and returns its bytes without the NUL. NSP_TEXT_BAD: a
// surrogate without its other half, a NUL among them, or it does not fit into buf_len bytes.
size_t nsp_text_to_utf8(const WCHAR *units, size_t count, char *buf, size_t buf_len);

// Writes len bytes of UTF-8 as UTF-16 with a NUL behind it and returns its units without the NUL.
// NSP_TEXT_BAD: it is not UTF-8 (RFC 3629), has a NUL, or does not fit into buf_units units.
size_t nsp_text_to_utf16(const char *text, size_t len, WCHAR *buf, size_t buf_units);

#endif
