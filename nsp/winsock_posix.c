// SPDX-License-Identifier: MIT
// Handles, events, threads and APCs of pnr/winsock.h.
#define _GNU_SOURCE // pthread_cond_clockwait
#include "nsp/winsock_posix.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

pthread_mutex_t winsock_lock = PTHREAD_MUTEX_INITIALIZER;

// ---- the last error ----

static _Thread_local DWORD last_error;

void SetLastError(DWORD error)
{
    last_error = error;
}

DWORD GetLastError(void)
{
    return last_error;
}

void WSASetLastError(int error)
{
    last_error = (DWORD)error;
}

int WSAGetLastError(void)
{
    return (int)last_error;
}

static BOOL fail(DWORD error)
{
    last_error = error;
    return FALSE;
}

// ---- queues ----

bool winsock_queue_add(struct winsock_queue *queue, const struct winsock_entry *entry, size_t max)
{
    if (queue->count >= max) {
        return false;
    }
    struct winsock_entry *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        return false;
    }
    *copy = *entry;
    copy->next = NULL;
    if (queue->count == 0) {
        queue->last = &queue->first;
    }
    *queue->last = copy;
    queue->last = &copy->next;
    queue->count++;
    return true;
}

void winsock_queue_take(struct winsock_queue *queue, struct winsock_entry **at,
                        struct winsock_entry *ret_entry)
{
    struct winsock_entry *entry = *at;
    *ret_entry = *entry;
    if (queue->last == &entry->next) {
        queue->last = at;
    }
    *at = entry->next;
    queue->count--;
    free(entry);
}

void winsock_queue_empty(struct winsock_queue *queue)
{
    struct winsock_entry entry;
    while (queue->count > 0) {
        winsock_queue_take(queue, &queue->first, &entry);
    }
}

// ---- objects and handles ----

struct winsock_object *winsock_object_new(enum winsock_kind kind)
{
    struct winsock_object *object = calloc(1, sizeof *object);
    if (object != NULL) {
        object->kind = kind;
        object->refs = 1;
    }
    return object;
}

void winsock_object_drop(struct winsock_object *object)
{
    object->refs--;
    if (object->refs == 0) {
        winsock_queue_empty(&object->queue);
        winsock_queue_empty(&object->messages);
        free(object);
    }
}

// A handle: how often its place was used, above; the place, counted from 1; two bits that are 0, as
// Windows' are.
#define PLACE_BITS 17
#define PLACE_MASK ((1u << PLACE_BITS) - 1)
#define TAG_BITS   2

_Static_assert(PNR_WINSOCK_HANDLES < 1 << PLACE_BITS, "a place fits its bits");

#define THIS_PROCESS ((HANDLE)(intptr_t)-1)
#define THIS_THREAD  ((HANDLE)(intptr_t)-2)

static struct {
    struct winsock_object *object; // NULL: free
    uint32_t uses;
    uint32_t next_free; // a place; 0: none
} slots[PNR_WINSOCK_HANDLES + 1];
static uint32_t slots_touched; // places that were ever in use
static uint32_t slots_free;    // the first place of the free ones among those
static DWORD slots_used;

HANDLE winsock_handle_new(struct winsock_object *object)
{
    uint32_t place = slots_free;
    if (place != 0) {
        slots_free = slots[place].next_free;
    } else if (slots_touched < PNR_WINSOCK_HANDLES) {
        place = ++slots_touched;
    } else {
        winsock_object_drop(object);
        last_error = ERROR_NOT_ENOUGH_MEMORY;
        return NULL;
    }
    slots_used++;
    slots[place].object = object;
    slots[place].uses++;
    uintptr_t value = (uintptr_t)slots[place].uses << PLACE_BITS | place;
    return (HANDLE)(value << TAG_BITS);
}

// The place of a handle that is open; 0: it is none.
static uint32_t place_of(HANDLE handle)
{
    uintptr_t value = (uintptr_t)handle >> TAG_BITS;
    uint32_t place = (uint32_t)value & PLACE_MASK;
    bool is_open = ((uintptr_t)handle & ((1u << TAG_BITS) - 1)) == 0 && place != 0 &&
                   place <= PNR_WINSOCK_HANDLES && slots[place].object != NULL &&
                   slots[place].uses == value >> PLACE_BITS;
    return is_open ? place : 0;
}

// Any object; NULL and the last error where there is none.
static struct winsock_object *any_object_of(HANDLE handle)
{
    if (handle == THIS_THREAD) {
        return winsock_own_thread();
    }
    uint32_t place = place_of(handle);
    if (place == 0) {
        last_error = ERROR_INVALID_HANDLE;
        return NULL;
    }
    return slots[place].object;
}

struct winsock_object *winsock_object_of(HANDLE handle, enum winsock_kind kind)
{
    struct winsock_object *object = any_object_of(handle);
    if (object != NULL && object->kind != kind) {
        last_error = ERROR_INVALID_HANDLE;
        return NULL;
    }
    return object;
}

HANDLE GetCurrentProcess(void)
{
    return THIS_PROCESS;
}

HANDLE GetCurrentThread(void)
{
    return THIS_THREAD;
}

DWORD GetCurrentProcessId(void)
{
    return (DWORD)getpid();
}

DWORD GetCurrentThreadId(void)
{
    static atomic_uint ids;
    static _Thread_local DWORD own_id;
    if (own_id == 0) {
        own_id = (atomic_fetch_add(&ids, 1) + 1) * 4;
    }
    return own_id;
}

BOOL GetProcessHandleCount(HANDLE process, LPDWORD ret_count)
{
    if (process != THIS_PROCESS) {
        return fail(ERROR_INVALID_HANDLE);
    }
    (void)pthread_mutex_lock(&winsock_lock);
    *ret_count = slots_used;
    (void)pthread_mutex_unlock(&winsock_lock);
    return TRUE;
}

BOOL DuplicateHandle(HANDLE source_process, HANDLE source, HANDLE target_process,
                     LPHANDLE ret_target, DWORD access, BOOL inherit, DWORD options)
{
    HANDLE target = NULL;
    (void)access;
    (void)inherit;
    (void)options;
    if (source_process != THIS_PROCESS || target_process != THIS_PROCESS) {
        return fail(ERROR_INVALID_HANDLE);
    }
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *object = any_object_of(source);
    if (object != NULL) {
        object->refs++;
        target = winsock_handle_new(object);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    if (target == NULL) {
        return FALSE;
    }
    *ret_target = target;
    return TRUE;
}

BOOL CloseHandle(HANDLE handle)
{
    if (handle == THIS_PROCESS || handle == THIS_THREAD) {
        return TRUE; // pseudo handles are there for ever
    }
    (void)pthread_mutex_lock(&winsock_lock);
    uint32_t place = place_of(handle);
    if (place != 0) {
        winsock_object_drop(slots[place].object);
        slots[place].object = NULL;
        slots[place].next_free = slots_free;
        slots_free = place;
        slots_used--;
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return place != 0 ? TRUE : fail(ERROR_INVALID_HANDLE);
}

// ---- waiting ----

struct waiter {
    struct winsock_object *const *objects;
    size_t count;
    pthread_cond_t woken;
    struct waiter *next;
};
static struct waiter *waiters;

struct winsock_deadline winsock_deadline_in(DWORD timeout_ms)
{
    struct winsock_deadline deadline = {.is_never = timeout_ms == INFINITE};
    (void)clock_gettime(CLOCK_MONOTONIC, &deadline.at);
    deadline.at.tv_sec += timeout_ms / 1000;
    deadline.at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.at.tv_nsec >= 1000000000) {
        deadline.at.tv_sec++;
        deadline.at.tv_nsec -= 1000000000;
    }
    return deadline;
}

bool winsock_wait(struct winsock_object *const *objects, size_t count,
                  const struct winsock_deadline *deadline)
{
    struct waiter self = {objects, count, PTHREAD_COND_INITIALIZER, waiters};
    waiters = &self;
    int error = 0;
    if (deadline->is_never) {
        (void)pthread_cond_wait(&self.woken, &winsock_lock);
    } else {
        error = pthread_cond_clockwait(&self.woken, &winsock_lock, CLOCK_MONOTONIC, &deadline->at);
    }
    struct waiter **at = &waiters;
    while (*at != &self) {
        at = &(*at)->next;
    }
    *at = self.next;
    (void)pthread_cond_destroy(&self.woken);
    return error != ETIMEDOUT;
}

void winsock_wake(struct winsock_object *object)
{
    for (struct waiter *waiter = waiters; waiter != NULL; waiter = waiter->next) {
        for (size_t i = 0; i < waiter->count; i++) {
            if (waiter->objects[i] == object) {
                (void)pthread_cond_signal(&waiter->woken);
                break;
            }
        }
    }
}

// ---- threads and APCs ----

static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static bool thread_key_made;

static void end_thread(void *object)
{
    struct winsock_object *thread = object;
    (void)pthread_mutex_lock(&winsock_lock);
    thread->is_set = true;
    winsock_queue_empty(&thread->queue);
    winsock_windows_end(thread);
    winsock_queue_empty(&thread->messages);
    winsock_wake(thread);
    winsock_object_drop(thread);
    (void)pthread_mutex_unlock(&winsock_lock);
}

static void make_thread_key(void)
{
    thread_key_made = pthread_key_create(&thread_key, end_thread) == 0;
}

struct winsock_object *winsock_own_thread(void)
{
    (void)pthread_once(&thread_once, make_thread_key);
    if (!thread_key_made) {
        last_error = ERROR_NOT_ENOUGH_MEMORY;
        return NULL;
    }
    struct winsock_object *thread = pthread_getspecific(thread_key);
    if (thread != NULL) {
        return thread;
    }
    thread = winsock_object_new(WINSOCK_THREAD);
    if (thread != NULL && pthread_setspecific(thread_key, thread) != 0) {
        winsock_object_drop(thread);
        thread = NULL;
    }
    if (thread == NULL) {
        last_error = ERROR_NOT_ENOUGH_MEMORY;
    }
    return thread;
}

DWORD QueueUserAPC(PAPCFUNC apc, HANDLE thread, ULONG_PTR data)
{
    struct winsock_entry entry = {.apc = {apc, data}};
    DWORD error = NO_ERROR;
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *object = winsock_object_of(thread, WINSOCK_THREAD);
    if (object == NULL) {
        error = last_error;
    } else if (object->is_set) {
        error = ERROR_GEN_FAILURE;
    } else if (!winsock_queue_add(&object->queue, &entry, PNR_WINSOCK_APCS)) {
        error = ERROR_NOT_ENOUGH_MEMORY;
    } else {
        winsock_wake(object);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return error == NO_ERROR ? 1 : (DWORD)fail(error);
}

// Runs what is queued, what these APCs queue themselves included. Whether there was any.
static bool run_apcs(struct winsock_object *thread)
{
    bool any = false;
    while (thread->queue.count > 0) {
        struct winsock_entry entry;
        winsock_queue_take(&thread->queue, &thread->queue.first, &entry);
        (void)pthread_mutex_unlock(&winsock_lock);
        entry.apc.function(entry.apc.data);
        (void)pthread_mutex_lock(&winsock_lock);
        any = true;
    }
    return any;
}

// ---- events, and waiting for them ----

HANDLE CreateEventW(LPVOID security, BOOL manual_reset, BOOL is_set, LPCWSTR name)
{
    HANDLE handle = NULL;
    (void)security;
    (void)name;
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *event = winsock_object_new(WINSOCK_EVENT);
    if (event != NULL) {
        event->is_manual = manual_reset != FALSE;
        event->is_set = is_set != FALSE;
        handle = winsock_handle_new(event);
    } else {
        last_error = ERROR_NOT_ENOUGH_MEMORY;
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return handle;
}

static BOOL change_event(HANDLE handle, bool is_set)
{
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *event = winsock_object_of(handle, WINSOCK_EVENT);
    if (event != NULL) {
        event->is_set = is_set;
        if (is_set) {
            winsock_wake(event);
        }
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return event != NULL;
}

BOOL SetEvent(HANDLE event)
{
    return change_event(event, true);
}

BOOL ResetEvent(HANDLE event)
{
    return change_event(event, false);
}

// Whether it is signalled; an event that resets itself is used up by that.
static bool is_signalled(struct winsock_object *object)
{
    bool is_set = object->is_set;
    if (object->kind == WINSOCK_EVENT && !object->is_manual) {
        object->is_set = false;
    }
    return is_set;
}

// The objects come first: an APC runs only in a wait that would last, as on Windows.
static DWORD wait_for(struct winsock_object *const *objects, size_t count,
                      struct winsock_object *alerted, DWORD timeout_ms)
{
    struct winsock_object *all[MAXIMUM_WAIT_OBJECTS + 1];
    struct winsock_deadline deadline = winsock_deadline_in(timeout_ms);
    size_t all_count = count;
    for (size_t i = 0; i < count; i++) {
        all[i] = objects[i];
    }
    if (alerted != NULL) {
        all[all_count++] = alerted;
    }
    bool in_time = timeout_ms != 0;
    for (;;) {
        for (size_t i = 0; i < count; i++) {
            if (is_signalled(objects[i])) {
                return WAIT_OBJECT_0 + (DWORD)i;
            }
        }
        if (alerted != NULL && run_apcs(alerted)) {
            return WAIT_IO_COMPLETION;
        }
        if (!in_time) {
            return WAIT_TIMEOUT;
        }
        in_time = winsock_wait(all, all_count, &deadline);
    }
}

DWORD WaitForMultipleObjectsEx(DWORD count, const HANDLE *handles, BOOL all, DWORD timeout_ms,
                               BOOL alertable)
{
    struct winsock_object *objects[MAXIMUM_WAIT_OBJECTS] = {NULL};
    struct winsock_object *alerted = NULL;
    if (count > MAXIMUM_WAIT_OBJECTS || all) {
        (void)fail(ERROR_INVALID_PARAMETER);
        return WAIT_FAILED;
    }
    (void)pthread_mutex_lock(&winsock_lock);
    DWORD found = 0;
    while (found < count && (objects[found] = any_object_of(handles[found])) != NULL) {
        if (objects[found]->kind == WINSOCK_PORT) {
            last_error = ERROR_INVALID_HANDLE;
            break;
        }
        objects[found]->refs++;
        found++;
    }
    if (alertable) {
        alerted = winsock_own_thread();
    }
    DWORD ended = WAIT_FAILED;
    if (found == count && (!alertable || alerted != NULL)) {
        ended = wait_for(objects, count, alerted, timeout_ms);
    }
    while (found > 0) {
        winsock_object_drop(objects[--found]);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return ended;
}

DWORD WaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all, DWORD timeout_ms)
{
    return WaitForMultipleObjectsEx(count, handles, all, timeout_ms, FALSE);
}

DWORD WaitForSingleObjectEx(HANDLE handle, DWORD timeout_ms, BOOL alertable)
{
    return WaitForMultipleObjectsEx(1, &handle, FALSE, timeout_ms, alertable);
}

DWORD WaitForSingleObject(HANDLE handle, DWORD timeout_ms)
{
    return WaitForMultipleObjectsEx(1, &handle, FALSE, timeout_ms, FALSE);
}

DWORD SleepEx(DWORD timeout_ms, BOOL alertable)
{
    DWORD ended = WaitForMultipleObjectsEx(0, NULL, FALSE, timeout_ms, alertable);
    return ended == WAIT_TIMEOUT ? 0 : ended;
}
