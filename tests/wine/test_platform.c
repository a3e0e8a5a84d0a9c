// SPDX-License-Identifier: MIT
// What of the platform is of Windows alone: sockets, pages, and the DLL that stays while its code
// may still run. What both lives have is in tests/nsp/test_platform.c.
#include "nsp/platform.h"
#include "pnr/winsock.h"
#include "tests/wine/platform_dll.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

// ---- sockets ----

// Two ends of a connection on loopback, the first one non-blocking.
static void make_pair(SOCKET *ret_ours, SOCKET *ret_theirs)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int addr_len = sizeof addr;
    u_long nonblocking = 1;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    *ret_ours = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &addr_len), 0);
    assert_int_equal(connect(*ret_ours, (struct sockaddr *)&addr, sizeof addr), 0);
    *ret_theirs = accept(listener, NULL, NULL);
    assert_true(*ret_theirs != INVALID_SOCKET);
    assert_int_equal(ioctlsocket(*ret_ours, FIONBIO, &nonblocking), 0);
    closesocket(listener);
}

static void test_socket(void **state)
{
    (void)state;
    struct nsp_wake wake;
    SOCKET ours, theirs;
    char buf[8];
    assert_true(nsp_wake_init(&wake));
    make_pair(&ours, &theirs);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, 0), 0);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_WRITE, &wake, -1), NSP_WAIT_READY);
    // What is there stays told until it is read, however often one waits.
    assert_int_equal(send(theirs, "ab", 2, 0), 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, -1),
                         NSP_WAIT_READY);
    }
    assert_int_equal(recv(ours, buf, 1, 0), 1);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, -1), NSP_WAIT_READY);
    assert_int_equal(recv(ours, buf, 1, 0), 1);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, 0), 0);
    nsp_wake_set(&wake);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, -1), NSP_WAIT_WOKEN);
    closesocket(theirs);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, -1), NSP_WAIT_READY);
    // As WSACleanup() does with every socket: the wait fails, and the wake still works.
    closesocket(ours);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, 0), NSP_WAIT_FAILED);
    nsp_wake_set(&wake);
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, 0),
                     NSP_WAIT_FAILED | NSP_WAIT_WOKEN);
    nsp_wake_drop(&wake);
}

struct talker {
    SOCKET socket;
    HANDLE go;
};

static void talk(void *ctx)
{
    struct talker *talker = ctx;
    for (int i = 0; i < 200; i++) {
        WaitForSingleObject(talker->go, INFINITE);
        (void)send(talker->socket, "x", 1, 0);
    }
}

// Each byte comes while the other thread waits for it, or just before.
static void test_socket_of_another_thread(void **state)
{
    (void)state;
    struct talker talker = {.go = CreateEventW(NULL, FALSE, FALSE, NULL)};
    struct nsp_thread thread;
    struct nsp_wake wake;
    SOCKET ours;
    char buf[8];
    assert_true(nsp_wake_init(&wake));
    make_pair(&ours, &talker.socket);
    assert_true(nsp_thread_start(&thread, talk, &talker));
    for (int i = 0; i < 200; i++) {
        SetEvent(talker.go);
        unsigned seen = 0;
        while (seen == 0) {
            seen = nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, -1);
        }
        assert_int_equal(seen, NSP_WAIT_READY);
        assert_int_equal(recv(ours, buf, sizeof buf, 0), 1);
    }
    nsp_thread_join(&thread);
    closesocket(ours);
    closesocket(talker.socket);
    CloseHandle(talker.go);
    nsp_wake_drop(&wake);
}

// Where nothing happens, a wait lasts as long as it was to, though the connection was made just now
// and bytes have come and gone: whoever waits in a loop would take a whole processor.
static void test_idle_socket(void **state)
{
    (void)state;
    SOCKET ours, theirs;
    struct nsp_wake wake;
    char buf[8];
    assert_true(nsp_wake_init(&wake));
    make_pair(&ours, &theirs);
    for (int i = 0; i < 3; i++) {
        int64_t start_ms = nsp_platform_now_ms();
        assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, 100), 0);
        // Clocks of 16 ms.
        assert_true(nsp_platform_now_ms() - start_ms >= 80);
        assert_int_equal(send(theirs, "ab", 2, 0), 2);
        assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_READ, &wake, -1),
                         NSP_WAIT_READY);
        assert_int_equal(recv(ours, buf, sizeof buf, 0), 2);
        assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_WRITE, &wake, -1),
                         NSP_WAIT_READY);
    }
    closesocket(ours);
    closesocket(theirs);
    nsp_wake_drop(&wake);
}

// A socket that could take no more is told when it can again.
static void test_socket_writes_again(void **state)
{
    (void)state;
    static char block[65536];
    struct nsp_wake wake;
    SOCKET ours, theirs;
    assert_true(nsp_wake_init(&wake));
    make_pair(&ours, &theirs);
    size_t sent = 0, received = 0;
    int len = send(ours, block, sizeof block, 0);
    while (len > 0) {
        sent += (size_t)len;
        len = send(ours, block, sizeof block, 0);
    }
    assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
    while (received < sent) {
        len = recv(theirs, block, sizeof block, 0);
        assert_true(len > 0);
        received += (size_t)len;
    }
    assert_int_equal(nsp_platform_wait((intptr_t)ours, NSP_WANTS_WRITE, &wake, -1), NSP_WAIT_READY);
    closesocket(ours);
    closesocket(theirs);
    nsp_wake_drop(&wake);
}

static void test_refused_connection(void **state)
{
    (void)state;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int addr_len = sizeof addr;
    u_long nonblocking = 1;
    struct nsp_wake wake;
    // A port that somebody holds, but where nobody listens.
    SOCKET holder = socket(AF_INET, SOCK_STREAM, 0);
    SOCKET ours = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(nsp_wake_init(&wake));
    assert_int_equal(bind(holder, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(getsockname(holder, (struct sockaddr *)&addr, &addr_len), 0);
    assert_int_equal(ioctlsocket(ours, FIONBIO, &nonblocking), 0);
    assert_true(connect(ours, (struct sockaddr *)&addr, sizeof addr) != 0);
    unsigned seen = 0;
    while (seen == 0) {
        seen = nsp_platform_wait((intptr_t)ours, NSP_WANTS_WRITE, &wake, -1);
    }
    assert_int_equal(seen, NSP_WAIT_READY);
    closesocket(ours);
    closesocket(holder);
    nsp_wake_drop(&wake);
}

// ---- pages ----

#define PAGE 4096

static void test_pages(void **state)
{
    (void)state;
    const struct {
        const char *name;
        DWORD protection; // of the second page of two; 0: it is not there
        bool readable, writable;
    } rows[] = {
        {"read and write", PAGE_READWRITE, true, true},
        {"read", PAGE_READONLY, true, false},
        {"execute", PAGE_EXECUTE, false, false},
        {"execute and read", PAGE_EXECUTE_READ, true, false},
        {"execute and write", PAGE_EXECUTE_READWRITE, true, true},
        {"nothing", PAGE_NOACCESS, false, false},
        {"guard", PAGE_READWRITE | PAGE_GUARD, false, false},
        {"not there", 0, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        DWORD before;
        char *pages = VirtualAlloc(NULL, 2 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
        assert_non_null(pages);
        assert_non_null(VirtualAlloc(pages, PAGE, MEM_COMMIT, PAGE_READWRITE));
        if (rows[i].protection != 0) {
            assert_non_null(VirtualAlloc(pages + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE));
            assert_true(VirtualProtect(pages + PAGE, PAGE, rows[i].protection, &before));
        }
        // Up to the last byte of the first page, and one byte more.
        bool is_right = nsp_platform_readable(pages, PAGE) && nsp_platform_writable(pages, PAGE) &&
                        nsp_platform_readable(pages, PAGE + 1) == rows[i].readable &&
                        nsp_platform_writable(pages, PAGE + 1) == rows[i].writable &&
                        nsp_platform_readable(pages + PAGE - 2, 4) == rows[i].readable &&
                        nsp_platform_readable(pages + PAGE, PAGE) == rows[i].readable;
        // A guard was not touched: it is still one.
        MEMORY_BASIC_INFORMATION region;
        assert_true(VirtualQuery(pages + PAGE, &region, sizeof region) != 0);
        if (!is_right || (rows[i].protection != 0 && region.Protect != rows[i].protection)) {
            fail_msg("%s", rows[i].name);
        }
        assert_true(VirtualFree(pages, 0, MEM_RELEASE));
    }
    assert_false(nsp_platform_readable((void *)(uintptr_t)16, 4));
    assert_false(nsp_platform_readable((void *)(UINTPTR_MAX - 4), 16)); // wraps around
    assert_true(nsp_platform_readable("text", 5));
    assert_false(nsp_platform_writable((const void *)&test_pages, 1));
}

// ---- the DLL ----

struct dll {
    HMODULE module;
    bool (*watch_threads)(uint64_t *ret_ended);
    bool (*mark)(void);
    void (*unwatch_threads)(void);
    bool (*queue_apc)(unsigned *ret_runs);
    bool (*run_thread)(void *event);
};

static void *symbol_of(HMODULE module, const char *name)
{
    void *symbol = (void *)(uintptr_t)GetProcAddress(module, name);
    assert_non_null(symbol);
    return symbol;
}

static struct dll load_dll(void)
{
    struct dll dll = {.module = LoadLibraryW((const wchar_t *)u"platform_dll.dll")};
    assert_non_null(dll.module);
    dll.watch_threads = symbol_of(dll.module, "dll_watch_threads");
    dll.mark = symbol_of(dll.module, "dll_mark");
    dll.unwatch_threads = symbol_of(dll.module, "dll_unwatch_threads");
    dll.queue_apc = symbol_of(dll.module, "dll_queue_apc");
    dll.run_thread = symbol_of(dll.module, "dll_run_thread");
    return dll;
}

static bool is_loaded(void)
{
    return GetModuleHandleW((const wchar_t *)u"platform_dll.dll") != NULL;
}

static void test_pinned_by_apc(void **state)
{
    (void)state;
    struct dll dll = load_dll();
    unsigned runs = 0;
    assert_true(dll.queue_apc(&runs));
    assert_true(FreeLibrary(dll.module));
    assert_true(is_loaded());
    assert_int_equal(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    assert_int_equal(runs, 1);
    while (is_loaded() && SleepEx(0, TRUE) == WAIT_IO_COMPLETION) {
    }
    assert_false(is_loaded());
}

static void test_thread_of_dll(void **state)
{
    (void)state;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    for (int i = 0; i < 20; i++) {
        struct dll dll = load_dll();
        assert_true(ResetEvent(event));
        assert_true(dll.run_thread(event));
        assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        assert_true(FreeLibrary(dll.module));
        assert_false(is_loaded());
    }
    CloseHandle(event);
}

static DWORD WINAPI live(LPVOID mark)
{
    bool (*marker)(void) = *(bool (**)(void))mark;
    return marker == NULL || marker() ? GetCurrentThreadId() : 0;
}

static DWORD live_and_die(bool (*mark)(void))
{
    DWORD id = 0;
    HANDLE thread = CreateThread(NULL, 0, live, &mark, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &id));
    assert_true(id != 0);
    CloseHandle(thread);
    return id;
}

static void test_thread_ends_in_dll(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct dll dll = load_dll();
        uint64_t ended = 0;
        assert_true(dll.watch_threads(&ended));
        (void)live_and_die(NULL);
        assert_int_equal(ended, 0);
        DWORD id = live_and_die(dll.mark);
        assert_int_equal(ended, id);
        dll.unwatch_threads();
        assert_true(FreeLibrary(dll.module));
        assert_false(is_loaded());
    }
}

int main(void)
{
    WSADATA data;
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_socket),
        cmocka_unit_test(test_socket_of_another_thread),
        cmocka_unit_test(test_idle_socket),
        cmocka_unit_test(test_socket_writes_again),
        cmocka_unit_test(test_refused_connection),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_pinned_by_apc),
        cmocka_unit_test(test_thread_of_dll),
        cmocka_unit_test(test_thread_ends_in_dll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
