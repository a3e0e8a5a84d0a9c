// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_PROGRAM_H
#define PNR_BENCH_PROGRAM_H

// A Winsock program: it calls the namespace provider's entries as ws2_32 does. Codes that it cannot
// go on with end the benchmark with a message.

#include "pnr/winsock.h"

#include <stdbool.h>

extern NSP_ROUTINE bench_program_entries; // once started

// The daemon's address. To be called again after bench_program_stop() alone.
void bench_program_start(const char *address);
void bench_program_stop(void);

// What Begin is called with: a name, of which one result is wanted. It points into itself.
struct bench_program_query {
    WSAQUERYSETW set;
    DWORD flags; // LUP_RETURN_ALL
    WCHAR name[128];
    GUID class_id;
    PNRPINFO info;
    BLOB blob;
};
void bench_program_ask(struct bench_program_query *query, const char *name, const GUID *class_id);

// Begin; returns its code.
int bench_program_begin(struct bench_program_query *query, HANDLE *ret_handle);
// The same of a name; anything but 0 ends the benchmark. The second asks the network, whatever the
// daemon has in its cache (LUP_FLUSHCACHE).
HANDLE bench_program_must_begin(const char *name);
HANDLE bench_program_must_begin_anew(const char *name);
// Next; returns its code.
int bench_program_next(HANDLE handle);
void bench_program_end(HANDLE handle);
// SIO_NSP_NOTIFY_CHANGE; how NULL: a poll. Returns its code.
int bench_program_notify(HANDLE handle, WSACOMPLETION *how, WSATHREADID *thread);

#endif
