// SPDX-License-Identifier: MIT
#include "tests/wine/ws2_32/query.h"

// A provider that took the query, and its handle for it.
struct part {
    struct shim_provider *provider;
    HANDLE handle;
};

struct query {
    LONG refs;
    CRITICAL_SECTION lock; // of what follows it; never held while a provider is called for Next
    bool ended;
    size_t active; // who is asked next; count: the last has said that there is no more
    size_t count;
    struct part parts[SHIM_CATALOG_MAX];
};

static CRITICAL_SECTION lock; // of the table
static struct {
    struct query *query;
    unsigned generation;
} table[SHIM_QUERIES_MAX];
static DWORD thread_slot = TLS_OUT_OF_INDEXES;

void shim_query_setup(void)
{
    InitializeCriticalSection(&lock);
    thread_slot = TlsAlloc();
}

static int fail(int error)
{
    SetLastError((DWORD)error);
    return SOCKET_ERROR;
}

static void release(struct query *query)
{
    if (InterlockedDecrement(&query->refs) == 0) {
        for (size_t i = 0; i < query->count; i++) {
            shim_provider_release(query->parts[i].provider);
        }
        DeleteCriticalSection(&query->lock);
        free(query);
    }
}

// ---- handles ----

static HANDLE keep(struct query *query)
{
    HANDLE handle = NULL;
    EnterCriticalSection(&lock);
    for (size_t i = 0; i < SHIM_QUERIES_MAX && handle == NULL; i++) {
        if (table[i].query == NULL) {
            table[i].query = query;
            table[i].generation = (table[i].generation + 1) & 0xffff;
            handle = (HANDLE)(uintptr_t)((table[i].generation << 14) | (i << 2) | 0x40000000);
        }
    }
    LeaveCriticalSection(&lock);
    return handle;
}

// A reference of the caller's own; NULL where the handle is none. taken: the handle's goes, too.
static struct query *find(HANDLE handle, bool taken)
{
    uintptr_t value = (uintptr_t)handle;
    size_t index = (value >> 2) % SHIM_QUERIES_MAX;
    struct query *query = NULL;
    EnterCriticalSection(&lock);
    if (table[index].query != NULL &&
        value == ((uintptr_t)(table[index].generation << 14) | (index << 2) | 0x40000000)) {
        query = table[index].query;
        if (taken) {
            table[index].query = NULL;
        } else {
            InterlockedIncrement(&query->refs);
        }
    }
    LeaveCriticalSection(&lock);
    return query;
}

void shim_query_forget_all(void)
{
    for (size_t i = 0; i < SHIM_QUERIES_MAX; i++) {
        EnterCriticalSection(&lock);
        struct query *query = table[i].query;
        table[i].query = NULL;
        LeaveCriticalSection(&lock);
        if (query != NULL) {
            EnterCriticalSection(&query->lock);
            query->ended = true;
            LeaveCriticalSection(&query->lock);
            release(query);
        }
    }
}

// ---- Begin ----

// Asks each of them; those that refuse are dropped. 0 where one took it, else the last one's error.
static int begin_all(struct query *query, LPWSAQUERYSETW set, DWORD flags,
                     const struct shim_providers *providers)
{
    WSASERVICECLASSINFOW class_info = {.lpServiceClassId = set->lpServiceClassId};
    int error = WSASERVICE_NOT_FOUND;
    for (size_t i = 0; i < providers->count; i++) {
        struct shim_provider *provider = providers->list[i];
        GUID id = provider->entry.id;
        HANDLE handle = NULL;
        if (provider->routine.NSPLookupServiceBegin(&id, set, &class_info, flags, &handle) == 0) {
            query->parts[query->count++] = (struct part){provider, handle};
        } else {
            error = (int)GetLastError();
            shim_provider_release(provider);
        }
    }
    return query->count > 0 ? 0 : error;
}

INT WSAAPI WSALookupServiceBeginW(LPWSAQUERYSETW restrictions, DWORD flags, LPHANDLE ret_lookup)
{
    struct shim_providers providers;
    if (!shim_provider_is_open()) {
        return fail(WSANOTINITIALISED);
    }
    if (restrictions == NULL || ret_lookup == NULL || restrictions->lpServiceClassId == NULL) {
        return fail(WSAEFAULT);
    }
    if (restrictions->dwSize < sizeof *restrictions) {
        return fail(WSAEINVAL);
    }
    int error = shim_provider_select(restrictions, &providers);
    if (error != 0) {
        return fail(error);
    }
    struct query *query = calloc(1, sizeof *query);
    if (query == NULL) {
        for (size_t i = 0; i < providers.count; i++) {
            shim_provider_release(providers.list[i]);
        }
        return fail(WSA_NOT_ENOUGH_MEMORY);
    }
    query->refs = 1;
    InitializeCriticalSection(&query->lock);
    error = begin_all(query, restrictions, flags, &providers);
    HANDLE handle = error == 0 ? keep(query) : NULL;
    if (handle == NULL) {
        release(query);
        return fail(error != 0 ? error : WSA_NOT_ENOUGH_MEMORY);
    }
    *ret_lookup = handle;
    return 0;
}

// ---- Next ----

// Who is asked now. After the last one's "no more" that is he again, where he is of those that have
// an NSPIoctl: his set may have changed. 0, or an error code.
static int choose(struct query *query, size_t *ret_index)
{
    int error = 0;
    EnterCriticalSection(&query->lock);
    if (query->ended) {
        error = WSA_E_CANCELLED;
    } else if (query->active == query->count) {
        if (shim_provider_has_ioctl(query->parts[query->count - 1].provider)) {
            query->active--;
        } else {
            error = WSA_E_NO_MORE;
        }
    }
    *ret_index = query->active;
    LeaveCriticalSection(&query->lock);
    return error;
}

// The one asked has failed. True where another is to be asked.
static bool pass_on(struct query *query, size_t index)
{
    EnterCriticalSection(&query->lock);
    if (query->active == index) {
        query->active++;
    }
    bool more = query->active < query->count;
    LeaveCriticalSection(&query->lock);
    return more;
}

INT WSAAPI WSALookupServiceNextW(HANDLE lookup, DWORD flags, LPDWORD len, LPWSAQUERYSETW results)
{
    if (!shim_provider_is_open()) {
        return fail(WSANOTINITIALISED);
    }
    struct query *query = find(lookup, false);
    if (query == NULL) {
        return fail(WSA_INVALID_HANDLE);
    }
    size_t index;
    int error = choose(query, &index);
    bool again = error == 0;
    while (again) {
        const struct part *part = &query->parts[index];
        error = 0;
        if (part->provider->routine.NSPLookupServiceNext(part->handle, flags, len, results) != 0) {
            error = (int)GetLastError();
        }
        // Too small a buffer is asked again, of the same one.
        again =
            error != 0 && error != WSAEFAULT && pass_on(query, index) && choose(query, &index) == 0;
    }
    release(query);
    return error == 0 ? 0 : fail(error);
}

// ---- End ----

INT WSAAPI WSALookupServiceEnd(HANDLE lookup)
{
    if (!shim_provider_is_open()) {
        return fail(WSANOTINITIALISED);
    }
    struct query *query = find(lookup, true);
    if (query == NULL) {
        return fail(WSA_INVALID_HANDLE);
    }
    EnterCriticalSection(&query->lock);
    query->ended = true;
    LeaveCriticalSection(&query->lock);
    int error = 0;
    for (size_t i = 0; i < query->count; i++) {
        const struct part *part = &query->parts[i];
        if (part->provider->routine.NSPLookupServiceEnd(part->handle) != 0) {
            error = (int)GetLastError();
        }
    }
    release(query);
    return error == 0 ? 0 : fail(error);
}

// ---- ioctl ----

// A handle to the calling thread, which lasts as long as the thread. NULL: none can be had.
static HANDLE own_thread(void)
{
    HANDLE thread = TlsGetValue(thread_slot);
    if (thread == NULL &&
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &thread, 0,
                        FALSE, DUPLICATE_SAME_ACCESS)) {
        TlsSetValue(thread_slot, thread);
    }
    return thread;
}

void shim_query_thread_exit(void)
{
    HANDLE thread = TlsGetValue(thread_slot);
    if (thread != NULL) {
        CloseHandle(thread);
    }
}

INT WSAAPI WSANSPIoctl(HANDLE lookup, DWORD code, LPVOID in, DWORD in_len, LPVOID out,
                       DWORD out_len, LPDWORD ret_len, LPWSACOMPLETION completion)
{
    if (!shim_provider_is_open()) {
        return fail(WSANOTINITIALISED);
    }
    struct query *query = find(lookup, false);
    if (query == NULL) {
        return fail(WSA_INVALID_HANDLE);
    }
    const struct part *part = &query->parts[0];
    int error = 0;
    if (query->count > 1) {
        error = WSAEINVAL;
    } else if (!shim_provider_has_ioctl(part->provider)) {
        error = WSAEOPNOTSUPP;
    } else {
        WSATHREADID thread = {.ThreadHandle = own_thread()};
        if (part->provider->routine.NSPIoctl(part->handle, code, in, in_len, out, out_len, ret_len,
                                             completion, &thread) != 0) {
            error = (int)GetLastError();
        }
        // A provider may keep what stands in it, never where it stands.
        memset(&thread, 0xdd, sizeof thread);
    }
    release(query);
    return error == 0 ? 0 : fail(error);
}
