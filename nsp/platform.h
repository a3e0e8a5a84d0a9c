// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_PLATFORM_H
#define PNR_NSP_PLATFORM_H

// What the provider needs of the operating system besides winsock.h: threads, locks, conditions, a
// clock, a wait for the daemon's socket, a look at the caller's memory, and the pin that keeps the
// DLL in its process. platform_posix.c and platform_windows.c each carry it out. Nothing here
// asserts, prints or aborts: whatever can fail says so.
//
// Locks and conditions may stand in static memory, set up by NSP_LOCK_INIT and NSP_CONDITION_INIT
// alone, and never fail. Locks are not recursive.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32

struct nsp_lock {
    void *srw; // an SRWLOCK
};
struct nsp_condition {
    void *variable; // a CONDITION_VARIABLE
};
#define NSP_LOCK_INIT                                                                              \
    {                                                                                              \
        NULL                                                                                       \
    }
#define NSP_CONDITION_INIT                                                                         \
    {                                                                                              \
        NULL                                                                                       \
    }

struct nsp_wake {
    void *told;    // an event: somebody has called nsp_wake_set()
    void *network; // an event: something has happened at the socket
};

struct nsp_thread {
    void (*run)(void *ctx);
    void *ctx;
    void *handle;
    void *ended;  // an event: `run` has returned
    void *module; // this DLL, held by the thread until its last instruction
};

#else

#include <pthread.h>

struct nsp_lock {
    pthread_mutex_t mutex;
};
struct nsp_condition {
    pthread_cond_t cond;
};
#define NSP_LOCK_INIT                                                                              \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER                                                                  \
    }
#define NSP_CONDITION_INIT                                                                         \
    {                                                                                              \
        PTHREAD_COND_INITIALIZER                                                                   \
    }

struct nsp_wake {
    int fd; // an eventfd
};

struct nsp_thread {
    void (*run)(void *ctx);
    void *ctx;
    pthread_t thread;
};

#endif

// ---- time ----

int64_t nsp_platform_now_us(void); // monotonic; never goes back, means nothing in itself
int64_t nsp_platform_now_ms(void); // the same clock

#define NSP_NEVER INT64_MAX // a deadline that does not come

// ---- locks and conditions ----

void nsp_lock_init(struct nsp_lock *lock); // the same as NSP_LOCK_INIT
void nsp_lock_drop(struct nsp_lock *lock); // nobody holds it or waits for it
void nsp_lock_take(struct nsp_lock *lock);
void nsp_lock_give(struct nsp_lock *lock);

void nsp_condition_init(struct nsp_condition *condition); // the same as NSP_CONDITION_INIT
void nsp_condition_drop(struct nsp_condition *condition); // nobody waits for it

// Gives the lock, waits until the condition is woken, takes the lock again. May return for no
// reason: look at what you wait for, in a loop. Not an alertable wait: no APC runs in it.
void nsp_condition_wait(struct nsp_condition *condition, struct nsp_lock *lock);
// The same until nsp_platform_now_ms() has reached deadline_ms at the latest; a deadline that has
// passed already does not wait. False once the deadline has passed.
bool nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                              int64_t deadline_ms);
void nsp_condition_wake_all(struct nsp_condition *condition); // with or without the lock

// ---- threads ----

// Starts run(ctx) in a thread of its own, which gets none of the process's signals. `thread` stays
// where it is until it was joined. False where the system has no room for it: nothing was started.
bool nsp_thread_start(struct nsp_thread *thread, void (*run)(void *ctx), void *ctx);

// Waits until `run` has returned, and forgets the thread; on Windows also for the thread's end,
// unless the caller is in a DllMain, whose lock that end needs. The thread holds the DLL itself, so
// the DLL may be let go of in either case. A thread that the process's exit has killed has ended.
void nsp_thread_join(struct nsp_thread *thread);

uint64_t nsp_platform_thread_id(void); // of the caller; never 0; may be given again to a later one

// Tells of threads that end, to one listener for the process: in each thread that has called
// nsp_thread_end_mark() since the last nsp_thread_end_init(), ended() is called with that thread's
// nsp_platform_thread_id() when it ends. On Windows the loader's lock is held there: ended() may
// take locks and deliver completions, but must not wait for other threads nor call
// nsp_platform_pin().
bool nsp_thread_end_init(void (*ended)(uint64_t thread_id)); // false: no room in the system
bool nsp_thread_end_mark(void); // false likewise; marking again does nothing
// Once it has returned, ended() is not running and will not. The caller holds no lock of those that
// ended() takes, and no thread is marking.
void nsp_thread_end_drop(void);

// ---- the wait of the I/O thread ----

#define NSP_WANTS_READ  1u // as PNR_WANTS_*
#define NSP_WANTS_WRITE 2u

#define NSP_WAIT_WOKEN  1u // nsp_wake_set() was called; the call is used up
#define NSP_WAIT_READY  2u // the socket can be read or written, as wanted, or is broken
#define NSP_WAIT_FAILED 4u // the wait itself fails, as with a socket that was closed by others

bool nsp_wake_init(struct nsp_wake *wake); // false: no descriptors or handles left
void nsp_wake_drop(struct nsp_wake *wake); // nobody waits and nobody sets it
// Makes the present wait, or the next one where none is under way, return. Any thread, any time.
void nsp_wake_set(struct nsp_wake *wake);

// Waits until the socket is as wanted, `wake` is set, or timeout_ms are over (-1: never). Returns
// NSP_WAIT_*, of which several may be set; 0: the time is over, or for no reason. socket -1: none.
// Only one thread waits with one wake.
unsigned nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake, int timeout_ms);

// ---- the caller's memory ----

// Whether len bytes can be read or written now. On Windows the pages are looked at (VirtualQuery);
// natively only NULL is told. len 0: whether ptr is not NULL.
bool nsp_platform_readable(const void *ptr, size_t len);
bool nsp_platform_writable(const void *ptr, size_t len);

// As nsp_platform_readable(), without a system call where they are; for what every host lookup of a
// program runs through. len is less than a page.
bool nsp_platform_peekable(const void *ptr, size_t len);

// ---- the pin ----

// Keeps this DLL in the process until the pin is undone. Natively it is only counted.
struct nsp_pin {
    void *module;
};

// False: the system refuses. It takes the loader's lock, so the caller holds none that ended() of
// nsp_thread_end_init() takes; neither does he who unpins.
bool nsp_platform_pin(struct nsp_pin *ret_pin);
// From code whose caller keeps the DLL by other means: inside one of its entries.
void nsp_platform_unpin(struct nsp_pin pin);
// From an APC of the DLL, whose own code may be what the pin keeps: the pin is undone by another
// APC of the calling thread, which runs right after and lies outside of the DLL.
void nsp_platform_unpin_after_apc(struct nsp_pin pin);
size_t nsp_platform_pins(void); // not yet undone, for tests

#endif
