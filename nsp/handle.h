// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_HANDLE_H
#define PNR_NSP_HANDLE_H

// The handles that programs hold of our lookups. A handle is a place in a table and how often that
// place was used, never an address: one that is stale, closed or made up is found out and nothing
// of it is dereferenced. It is never NULL and never -1, and a place gives the same value again only
// after NSP_HANDLE_USES uses.
//
// An object lives as long as anybody refers to it. The table itself refers to it from open to
// close; every nsp_handle_take() refers to it until its nsp_handle_drop(). The last one to drop
// destroys it. So one thread may close what another is waiting in.
//
// Any thread may call any of these at any time. Taking and dropping use no lock and no system call.
// A table is set up by NSP_HANDLE_TABLE_INIT alone and takes no memory; objects are the caller's.

#include "nsp/platform.h"
#include "pnr/winsock.h"
#include <stdatomic.h>
#include <stddef.h>

#define NSP_HANDLES     4096      // open at once in a process
#define NSP_HANDLE_USES 0xFFFFEu  // 2^20 less the two that would make NULL and -1
#define NSP_HANDLE_REFS 0x3FFFFFF // to one object at once

struct nsp_handle_slot {
    _Atomic uint64_t word; // how often it was used, whether it is open, and who refers to it
    void *object;
    void (*destroy)(void *object);
    uint32_t next_free;
};

struct nsp_handle_table {
    struct nsp_lock lock;           // of all below; never held while destroy() runs
    struct nsp_condition empty;     // no place is in use any more
    uint32_t used;                  // places in use, closed ones with references among them
    uint32_t touched;               // places that were ever in use
    uint32_t free_first, free_last; // the others of those: the longest unused one comes first
    uint32_t free_count;
    atomic_uint_fast64_t turned_away; // because the table was full
    struct nsp_handle_slot slots[NSP_HANDLES];
};

#define NSP_HANDLE_TABLE_INIT                                                                      \
    {                                                                                              \
        .lock = NSP_LOCK_INIT, .empty = NSP_CONDITION_INIT                                         \
    }

// A handle for an object, which the table refers to from now on; destroy() is called once nobody
// does any more, by whoever drops it, with no lock held. WSA_NOT_ENOUGH_MEMORY: the table is full.
int nsp_handle_open(struct nsp_handle_table *table, void *object, void (*destroy)(void *object),
                    HANDLE *ret_handle);

// Refers to a handle's object until nsp_handle_drop(). WSA_INVALID_HANDLE: it was closed, or is
// none of this table; also where NSP_HANDLE_REFS refer to it already.
int nsp_handle_take(struct nsp_handle_table *table, HANDLE handle, void **ret_object);

// Undoes one nsp_handle_take() or nsp_handle_close() of this handle.
void nsp_handle_drop(struct nsp_handle_table *table, HANDLE handle);

// Closes a handle: nobody can take it any more. To exactly one caller it gives the object and with
// it the table's reference, for nsp_handle_drop() once he has ended what is under way. To all
// others, and for what is no handle, WSA_INVALID_HANDLE.
int nsp_handle_close(struct nsp_handle_table *table, HANDLE handle, void **ret_object);

// Closes all that are open, one after the other: closing(object) ends what is under way and is
// called with no lock held. Handles that are opened meanwhile may be left open.
void nsp_handle_close_all(struct nsp_handle_table *table, void (*closing)(void *object));

// Waits until every object is destroyed, or until nsp_platform_now_ms() has reached deadline_ms
// (NSP_NEVER). False: some are left.
bool nsp_handle_wait_empty(struct nsp_handle_table *table, int64_t deadline_ms);

size_t nsp_handle_count(struct nsp_handle_table *table); // objects that are not destroyed

#endif
