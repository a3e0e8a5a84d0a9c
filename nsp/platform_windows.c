// SPDX-License-Identifier: MIT
#include "nsp/platform.h"
#include "pnr/winsock.h"

#include <stdatomic.h>

_Static_assert(sizeof(SRWLOCK) == sizeof(struct nsp_lock), "a lock is an SRWLOCK");
_Static_assert(sizeof(CONDITION_VARIABLE) == sizeof(struct nsp_condition), "likewise");

int64_t nsp_platform_now_us(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    // In two steps: the product of both would overflow after some days.
    int64_t whole_s = count.QuadPart / frequency.QuadPart;
    int64_t rest = count.QuadPart % frequency.QuadPart;
    return whole_s * 1000000 + rest * 1000000 / frequency.QuadPart;
}

int64_t nsp_platform_now_ms(void)
{
    return nsp_platform_now_us() / 1000;
}

static SRWLOCK *srw_of(struct nsp_lock *lock)
{
    return (SRWLOCK *)(void *)&lock->srw;
}

static CONDITION_VARIABLE *variable_of(struct nsp_condition *condition)
{
    return (CONDITION_VARIABLE *)(void *)&condition->variable;
}

void nsp_lock_init(struct nsp_lock *lock)
{
    InitializeSRWLock(srw_of(lock));
}

void nsp_lock_drop(struct nsp_lock *lock)
{
    (void)lock;
}

void nsp_lock_take(struct nsp_lock *lock)
{
    AcquireSRWLockExclusive(srw_of(lock));
}

void nsp_lock_give(struct nsp_lock *lock)
{
    ReleaseSRWLockExclusive(srw_of(lock));
}

void nsp_condition_init(struct nsp_condition *condition)
{
    InitializeConditionVariable(variable_of(condition));
}

void nsp_condition_drop(struct nsp_condition *condition)
{
    (void)condition;
}

void nsp_condition_wait(struct nsp_condition *condition, struct nsp_lock *lock)
{
    SleepConditionVariableSRW(variable_of(condition), srw_of(lock), INFINITE, 0);
}

bool nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                              int64_t deadline_ms)
{
    if (deadline_ms == NSP_NEVER) {
        nsp_condition_wait(condition, lock);
        return true;
    }
    int64_t left_ms = deadline_ms - nsp_platform_now_ms();
    if (left_ms <= 0) {
        return false;
    }
    DWORD wait_ms = left_ms < (int64_t)(INFINITE - 1) ? (DWORD)left_ms : INFINITE - 1;
    SleepConditionVariableSRW(variable_of(condition), srw_of(lock), wait_ms, 0);
    return nsp_platform_now_ms() < deadline_ms;
}

void nsp_condition_wake_all(struct nsp_condition *condition)
{
    WakeAllConditionVariable(variable_of(condition));
}

// A reference to the module that this code is in.
static HMODULE hold_module(void)
{
    HMODULE module;
    BOOL held = GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                                   (LPCWSTR)(const void *)&nsp_platform_now_us, &module);
    return held ? module : NULL;
}

static DWORD WINAPI run_thread(LPVOID arg)
{
    struct nsp_thread *thread = arg;
    HMODULE module = thread->module;
    thread->run(thread->ctx);
    // From here on `thread` may be gone.
    SetEvent(thread->ended);
    FreeLibraryAndExitThread(module, 0);
}

bool nsp_thread_start(struct nsp_thread *thread, void (*run)(void *ctx), void *ctx)
{
    thread->run = run;
    thread->ctx = ctx;
    thread->module = hold_module();
    thread->ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (thread->module != NULL && thread->ended != NULL) {
        thread->handle = CreateThread(NULL, 0, run_thread, thread, 0, NULL);
        if (thread->handle != NULL) {
            return true;
        }
    }
    if (thread->ended != NULL) {
        CloseHandle(thread->ended);
    }
    if (thread->module != NULL) {
        FreeLibrary(thread->module);
    }
    return false;
}

// How long the thread's end is waited for after `run` has returned. It takes longer only where the
// caller holds the loader's lock, and then for as long as he waits.
#define THREAD_END_MS 200

void nsp_thread_join(struct nsp_thread *thread)
{
    HANDLE either[] = {thread->ended, thread->handle};
    WaitForMultipleObjects(2, either, FALSE, INFINITE);
    WaitForSingleObject(thread->handle, THREAD_END_MS);
    CloseHandle(thread->handle);
    CloseHandle(thread->ended);
}

uint64_t nsp_platform_thread_id(void)
{
    return GetCurrentThreadId();
}

// Held while `ended` runs, so that it does not outlive nsp_thread_end_drop().
static SRWLOCK end_lock = SRWLOCK_INIT;
static void (*end_listener)(uint64_t thread_id);
static DWORD end_index; // of thread-local storage: not NULL where the thread is marked

bool nsp_thread_end_init(void (*ended)(uint64_t thread_id))
{
    DWORD index = TlsAlloc();
    if (index == TLS_OUT_OF_INDEXES) {
        return false;
    }
    AcquireSRWLockExclusive(&end_lock);
    end_index = index;
    end_listener = ended;
    ReleaseSRWLockExclusive(&end_lock);
    return true;
}

bool nsp_thread_end_mark(void)
{
    return TlsSetValue(end_index, &end_lock) != 0;
}

void nsp_thread_end_drop(void)
{
    AcquireSRWLockExclusive(&end_lock);
    end_listener = NULL;
    ReleaseSRWLockExclusive(&end_lock);
    TlsFree(end_index);
}

static void thread_ends(void)
{
    AcquireSRWLockExclusive(&end_lock);
    if (end_listener != NULL && TlsGetValue(end_index) != NULL) {
        end_listener(nsp_platform_thread_id());
    }
    ReleaseSRWLockExclusive(&end_lock);
}

// The loader calls this as it calls DllMain(), in programs too, and under the same lock.
static void NTAPI on_loader(PVOID module, DWORD reason, PVOID reserved)
{
    (void)module;
    (void)reserved;
    if (reason == DLL_THREAD_DETACH) {
        thread_ends();
    }
}

static const PIMAGE_TLS_CALLBACK loader_callback __attribute__((section(".CRT$XLE"), used)) =
    on_loader;

bool nsp_wake_init(struct nsp_wake *wake)
{
    HANDLE told = CreateEventW(NULL, FALSE, FALSE, NULL);
    HANDLE network = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (told != NULL && network != NULL) {
        wake->told = told;
        wake->network = network;
        return true;
    }
    if (told != NULL) {
        CloseHandle(told);
    }
    if (network != NULL) {
        CloseHandle(network);
    }
    return false;
}

void nsp_wake_drop(struct nsp_wake *wake)
{
    CloseHandle(wake->told);
    CloseHandle(wake->network);
}

void nsp_wake_set(struct nsp_wake *wake)
{
    SetEvent(wake->told);
}

// What the socket is ready for now, without waiting. WSAEventSelect() alone tells of changes only.
static unsigned look_at_socket(SOCKET socket, unsigned wants)
{
    fd_set reads, writes, excepts;
    struct timeval at_once = {0, 0};
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&excepts);
    if ((wants & NSP_WANTS_READ) != 0) {
        FD_SET(socket, &reads);
    }
    if ((wants & NSP_WANTS_WRITE) != 0) {
        FD_SET(socket, &writes);
    }
    FD_SET(socket, &excepts); // a connection that failed
    int ready = select(0, &reads, &writes, &excepts, &at_once);
    if (ready == SOCKET_ERROR) {
        return NSP_WAIT_FAILED;
    }
    return ready > 0 ? NSP_WAIT_READY : 0;
}

static unsigned wait_with_socket(SOCKET socket, unsigned wants, struct nsp_wake *wake,
                                 DWORD timeout_ms)
{
    HANDLE either[] = {wake->told, wake->network};
    long events = FD_CLOSE | FD_CONNECT | ((wants & NSP_WANTS_READ) != 0 ? FD_READ : 0) |
                  ((wants & NSP_WANTS_WRITE) != 0 ? FD_WRITE : 0);
    // Each call arms it anew. What has happened before it shows when the socket is looked at, and
    // is forgotten here: the event of a connection that was made would be set at each call for
    // ever.
    WSANETWORKEVENTS happened;
    if (WSAEventSelect(socket, wake->network, events) == SOCKET_ERROR ||
        WSAEnumNetworkEvents(socket, wake->network, &happened) == SOCKET_ERROR) {
        return NSP_WAIT_FAILED |
               (WaitForSingleObject(wake->told, 0) == WAIT_OBJECT_0 ? NSP_WAIT_WOKEN : 0);
    }
    unsigned seen = look_at_socket(socket, wants);
    DWORD ended = WaitForMultipleObjects(2, either, FALSE, seen != 0 ? 0 : timeout_ms);
    if (ended == WAIT_OBJECT_0) {
        seen |= NSP_WAIT_WOKEN;
    }
    if (ended == WAIT_FAILED) {
        seen |= NSP_WAIT_FAILED;
    }
    return seen | look_at_socket(socket, wants);
}

unsigned nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake, int timeout_ms)
{
    DWORD wait_ms = timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms;
    if (socket != -1) {
        return wait_with_socket((SOCKET)socket, wants, wake, wait_ms);
    }
    DWORD ended = WaitForSingleObject(wake->told, wait_ms);
    if (ended == WAIT_FAILED) {
        return NSP_WAIT_FAILED;
    }
    return ended == WAIT_OBJECT_0 ? NSP_WAIT_WOKEN : 0;
}

#define PAGES_TO_WRITE                                                                             \
    (PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)
#define PAGES_TO_READ (PAGES_TO_WRITE | PAGE_READONLY | PAGE_EXECUTE_READ)

// Whether each page from ptr on has one of the protections. Guard pages are not touched: they are
// the growing end of somebody's stack.
static bool pages_are(const void *ptr, size_t len, DWORD protections)
{
    uintptr_t at = (uintptr_t)ptr;
    uintptr_t end = at + len;
    if (at == 0 || end < at) {
        return false;
    }
    while (at < end) {
        MEMORY_BASIC_INFORMATION region;
        if (VirtualQuery((LPCVOID)at, &region, sizeof region) == 0 || region.State != MEM_COMMIT ||
            (region.Protect & PAGE_GUARD) != 0 || (region.Protect & protections) == 0) {
            return false;
        }
        at = (uintptr_t)region.BaseAddress + region.RegionSize;
    }
    return true;
}

bool nsp_platform_readable(const void *ptr, size_t len)
{
    return pages_are(ptr, len, PAGES_TO_READ);
}

bool nsp_platform_writable(const void *ptr, size_t len)
{
    return pages_are(ptr, len, PAGES_TO_WRITE);
}

// IsBadReadPtr() tries, and catches the fault. It may eat the guard page of another thread's stack,
// where a caller hands us garbage that points there; nobody's good pointers do.
bool nsp_platform_peekable(const void *ptr, size_t len)
{
    return ptr != NULL && !IsBadReadPtr(ptr, len);
}

static atomic_size_t pins;

bool nsp_platform_pin(struct nsp_pin *ret_pin)
{
    HMODULE module = hold_module();
    if (module == NULL) {
        return false;
    }
    (void)atomic_fetch_add(&pins, 1);
    ret_pin->module = module;
    return true;
}

void nsp_platform_unpin(struct nsp_pin pin)
{
    (void)atomic_fetch_sub(&pins, 1);
    FreeLibrary(pin.module);
}

// FreeLibrary() itself as an APC: it takes one argument of a pointer's size, and what it returns is
// left in a register that nobody reads.
void nsp_platform_unpin_after_apc(struct nsp_pin pin)
{
    PAPCFUNC release = (PAPCFUNC)(void (*)(void))FreeLibrary;
    (void)atomic_fetch_sub(&pins, 1);
    // Where it cannot be queued the DLL stays, which is the harmless side to err on.
    QueueUserAPC(release, GetCurrentThread(), (ULONG_PTR)pin.module);
}

size_t nsp_platform_pins(void)
{
    return atomic_load(&pins);
}
