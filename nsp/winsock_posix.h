// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_WINSOCK_POSIX_H
#define PNR_NSP_WINSOCK_POSIX_H

// Inside of pnr_winsock_posix, which carries out the Win32 of pnr/winsock.h natively: objects
// behind handles, and threads that wait for them. Everything lies under one lock; each waiting
// thread has its own condition, so that a change wakes those alone whom it concerns.

#include "pnr/winsock.h"
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

enum winsock_kind {
    WINSOCK_EVENT,
    WINSOCK_THREAD,
    WINSOCK_PORT,
};

// An APC, a packet of a port, or a message: whatever queues up.
struct winsock_entry {
    struct winsock_entry *next;
    union {
        struct {
            PAPCFUNC function;
            ULONG_PTR data;
        } apc;
        struct {
            ULONG_PTR key;
            LPOVERLAPPED overlapped;
            NTSTATUS status;
            DWORD bytes;
        } packet;
        MSG message;
    };
};

struct winsock_queue {
    struct winsock_entry *first, **last; // last is NULL where nothing was ever in it
    size_t count;
};

struct winsock_object {
    enum winsock_kind kind;
    size_t refs;                   // handles, waits under way, and a thread's own
    bool is_manual;                // of an event
    bool is_set;                   // of an event; of a thread: it has ended
    struct winsock_queue queue;    // a thread's APCs, a port's packets
    struct winsock_queue messages; // of a thread
};

extern pthread_mutex_t winsock_lock; // of all below

// ---- objects; the lock is held ----

struct winsock_object *winsock_object_new(enum winsock_kind kind); // one reference; NULL: no memory
void winsock_object_drop(struct winsock_object *object);

// A handle that takes over the caller's reference. NULL: the table is full; the reference is gone.
HANDLE winsock_handle_new(struct winsock_object *object);
// The object of a handle, with no reference of its own; NULL and the last error where it is none,
// or not of that kind.
struct winsock_object *winsock_object_of(HANDLE handle, enum winsock_kind kind);

// The calling thread, made at its first use; NULL: no memory.
struct winsock_object *winsock_own_thread(void);
// What of a thread's is elsewhere: its windows (winsock_posix_window.c).
void winsock_windows_end(struct winsock_object *thread);

// ---- queues; the lock is held ----

// Appends a copy. False: it holds max already, or there is no memory.
bool winsock_queue_add(struct winsock_queue *queue, const struct winsock_entry *entry, size_t max);
// Takes out the entry that *at points to, a link of this queue.
void winsock_queue_take(struct winsock_queue *queue, struct winsock_entry **at,
                        struct winsock_entry *ret_entry);
void winsock_queue_empty(struct winsock_queue *queue);

// ---- waiting; the lock is held ----

struct winsock_deadline {
    bool is_never;
    struct timespec at; // CLOCK_MONOTONIC
};

struct winsock_deadline winsock_deadline_in(DWORD timeout_ms); // INFINITE: never
// Waits until winsock_wake() of one of the objects, or the deadline: then false. May return for no
// reason. The caller has references to the objects.
bool winsock_wait(struct winsock_object *const *objects, size_t count,
                  const struct winsock_deadline *deadline);
void winsock_wake(struct winsock_object *object);

#endif
