// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_TEXT_H
#define PNR_NSP_SETUP_TEXT_H

// Texts of 16-bit units as the catalog has them, with a NUL at their end: comparing, taking paths
// apart, and showing them. Pure, and nothing here allocates.

#include "pnr/winsock.h"

#include <stdbool.h>
#include <stddef.h>

size_t setup_text_len(const WCHAR *text); // units, without the NUL

// Copies text with its NUL. False, and nothing written, where room units do not hold it.
bool setup_text_copy(const WCHAR *text, WCHAR *ret_text, size_t room);

// Whether two texts are the same but for the case of ASCII letters, as file names are.
bool setup_text_same(const WCHAR *a, const WCHAR *b);

// Where the file's name begins in a path: behind its last \, / or drive's colon.
const WCHAR *setup_text_file_name(const WCHAR *path);

// Writes text as UTF-8 with a NUL, U+FFFD for each surrogate without its other half, and cut at a
// whole character where buf is too small. Returns buf. Three bytes for each unit and one are
// enough.
const char *setup_text_utf8(const WCHAR *text, char *buf, size_t buf_len);

#endif
