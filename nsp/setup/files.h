// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_FILES_H
#define PNR_NSP_SETUP_FILES_H

// The libraries as files of this Windows.

#include "nsp/setup/setup.h"

// Which library a catalog is to get, as an absolute path: `named`, or, where that is NULL, the
// pnrnsp.dll that lies beside this program, and for 32-bit programs on a 64-bit Windows the one in
// its folder x86. 0, or SETUP_CODE_LONG_PATH, _NO_LIBRARY, _NOT_LIBRARY or _WRONG_BITS; ret_path is
// written anyhow, as far as it is known.
int setup_files_find(enum setup_view view, const WCHAR *named, WCHAR ret_path[SETUP_PATH_MAX]);

// Whether the file of a catalog's entry is there, as a program of that catalog would find it.
bool setup_files_exists(enum setup_view view, const WCHAR *path);

// Whether a library lies where Windows lets only administrators write, as a rule. Every program
// that resolves names loads it.
bool setup_files_is_guarded(const WCHAR *path);

#endif
