// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_COMPLETION_H
#define PNR_NSP_COMPLETION_H

// One notification that a program has asked for by NSPIoctl, from arming until it is told: by an
// event, a completion port, an APC or a window message (reference/nsp-winsock.md, section 5).
//
// Of the program it keeps copies: of the WSACOMPLETION, and handles of its own to the event, the
// port and the thread, so that a program that closes its own is told nothing in somebody else's
// name. Only the OVERLAPPED is the program's, as with any overlapped request: it stays where it is
// until the completion has come.
//
// Each completion is used up exactly once, by _deliver(), _abandon() or _discard(). No user code
// runs in any of them: a routine (APC) runs in the arming thread's alertable wait, and keeps the
// DLL in the process until it has returned.

#include "nsp/memory.h"
#include "nsp/platform.h"
#include "pnr/winsock.h"

struct nsp_completion {
    struct nsp_completion *next; // of the list that it is in
    const struct nsp_memory *memory;
    WSACOMPLETION how;
    HANDLE target;      // our own: the event, the port or the thread; NULL of a window
    uint64_t thread_id; // who has armed it (nsp_platform_thread_id())
    struct nsp_pin pin; // of an APC
};

// Prepares a completion of the calling thread. Nothing of the program is touched before
// nsp_completion_begin(). how is readable. WSAEINVAL: not one of the four types, no or a wrong
// handle or window, no OVERLAPPED where it needs one (event), no thread or routine (APC);
// WSAEFAULT: the OVERLAPPED cannot be written, or thread not read; WSA_NOT_ENOUGH_MEMORY.
int nsp_completion_new(const WSACOMPLETION *how, const WSATHREADID *thread,
                       const struct nsp_memory *memory, struct nsp_completion **ret_completion);

// The request is under way from here on: the OVERLAPPED is pending, the event is reset.
void nsp_completion_begin(struct nsp_completion *completion);

// Tells the program: error is 0, WSA_OPERATION_ABORTED (of which a window hears nothing) or
// another code.
void nsp_completion_deliver(struct nsp_completion *completion, DWORD error);

// Tells WSA_OPERATION_ABORTED where the thread that has armed it ends: an APC finds nobody who
// would run it any more, and is told by the OVERLAPPED alone.
void nsp_completion_abandon(struct nsp_completion *completion);

// Frees it without a word.
void nsp_completion_discard(struct nsp_completion *completion);

#endif
