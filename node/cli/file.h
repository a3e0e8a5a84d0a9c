// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_FILE_H
#define PNR_CLI_FILE_H

// Small files, whole: payloads and keys. "-" is stdin or stdout. Nothing is buffered on the way, so
// that no copy of a key stays behind.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_FILE_WHY_MAX 512 // bytes of a sentence that says what is wrong, with its NUL

// Reads a file of at most max bytes. False where it cannot be read or is longer; ret_why then says
// so, and buf may hold some of it.
bool cli_file_read(const char *path, uint8_t *buf, size_t max, size_t *ret_len,
                   char ret_why[CLI_FILE_WHY_MAX]);

// Creates a file that only its owner may read (0600), writes it and waits until it is on the disk.
// An existing file is not touched. False: ret_why, and nothing is left behind.
bool cli_file_create_secret(const char *path, const char *data, size_t len,
                            char ret_why[CLI_FILE_WHY_MAX]);

// Writes to stdout, past stdio.
bool cli_file_write_stdout(const char *data, size_t len, char ret_why[CLI_FILE_WHY_MAX]);

// Overwrites a secret with zero, which the compiler may not leave out.
void cli_file_wipe(void *secret, size_t len);

#endif
