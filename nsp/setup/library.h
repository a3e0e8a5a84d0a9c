// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_LIBRARY_H
#define PNR_NSP_SETUP_LIBRARY_H

// For which programs a DLL is, by the first bytes of its file. Winsock would take any path, and
// programs would find out one by one. Pure.

#include "nsp/setup/catalog.h"

#define SETUP_LIBRARY_HEAD 4096 // bytes of the file that are looked at

// Checks the head of a file, in the format of Microsoft's PE specification. 0, or
// SETUP_CODE_NOT_LIBRARY, or SETUP_CODE_WRONG_BITS (for another kind of programs than view has).
int setup_library_check(const uint8_t *head, size_t head_len, enum setup_view view);

#endif
