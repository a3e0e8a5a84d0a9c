// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_NSP_FAKE_SYSTEM_H
#define PNR_TESTS_NSP_FAKE_SYSTEM_H

// What a daemon that a test plays, and a program that it plays, need of the operating system beside
// node/control/transport.h: fake_system_posix.c and fake_system_windows.c each carry it out.
// Whatever fails fails the test. Sockets are closed by control_transport_close().

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_SYSTEM_PATH_MAX 512 // bytes of a path, the NUL included

// Before any socket; again as often as one likes.
void fake_system_begin(void);

// ---- sockets ----

// Listens at a port of 127.0.0.1 that the system chooses, with a queue of that length.
intptr_t fake_system_listen(int queue_len, uint16_t *ret_port);
// Waits for a caller. What is said to him goes out at once.
intptr_t fake_system_accept(intptr_t listener);
// Whether a caller waits.
bool fake_system_is_called(intptr_t listener);

// ---- files ----

// Makes a folder of its own below that for temporary files.
void fake_system_make_folder(char ret_path[FAKE_SYSTEM_PATH_MAX]);
// There may be nothing at the path; a folder is empty.
void fake_system_remove_folder(const char *path);
void fake_system_remove_file(const char *path);
// Makes or replaces a file that only its owner may read and write. Who reads it meanwhile finds the
// old one or the new one whole or, on Windows, none; he has to share its deletion there.
void fake_system_write_file(const char *path, const void *data, size_t len);

// ---- the process ----

void fake_system_set_environment(const char *name, const char *value);
unsigned fake_system_count_threads(void);
void fake_system_yield(void); // lets other threads run

#endif
