// SPDX-License-Identifier: MIT
// The entries as Winsock calls them, from NSPStartup to NSPCleanup, with a daemon that the test
// plays.
#include "nsp/provider.h"
#include "tests/nsp/failing_memory.h"
#include "tests/nsp/fake_daemon.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static const GUID foreign = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0, 0xaa, 0, 0xa7, 0x11, 0x2b}};
static GUID name_guid, cloud_guid, foreign_guid; // what programs pass is not const
static NSP_ROUTINE nsp;
static struct fake_daemon *server;

// ---- a program ----

static int startup(GUID *guid)
{
    memset(&nsp, 0, sizeof nsp);
    nsp.cbSize = sizeof nsp;
    return NSPStartup(guid, &nsp);
}

// A daemon that listens, and the provider started; or no daemon.
static void start(bool has_daemon)
{
    name_guid = NS_PROVIDER_PNRPNAME;
    cloud_guid = NS_PROVIDER_PNRPCLOUD;
    foreign_guid = foreign;
    server = has_daemon ? fake_daemon_start() : fake_daemon_absent();
    fake_system_set_environment("PNR_CONTROL", server->address);
    assert_int_equal(startup(&name_guid), 0);
}

// A thread that was joined may be seen a moment longer.
static void await_threads(unsigned count)
{
    while (fake_system_count_threads() != count) {
        fake_system_yield();
    }
}

static void stop(void)
{
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    fake_daemon_stop(server);
    assert_int_equal(nsp_platform_pins(), 0);
}

static WCHAR peer_name[] = {'0', '.', 'n', 'a', 'm', 'e', 0};

static WSAQUERYSETW query_of(GUID *class_id)
{
    WSAQUERYSETW set;
    memset(&set, 0, sizeof set);
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = peer_name;
    set.lpServiceClassId = class_id;
    set.dwNameSpace = NS_PNRPNAME;
    return set;
}

static int begin(HANDLE *ret_handle)
{
    GUID class_id = SVCID_PNRPNAME_V1;
    WSAQUERYSETW set = query_of(&class_id);
    int status = nsp.NSPLookupServiceBegin(&name_guid, &set, NULL, LUP_RETURN_ALL, ret_handle);
    memset(&set, 0xee, sizeof set);
    memset(&class_id, 0xee, sizeof class_id);
    return status;
}

// A lookup that the daemon has heard of; returns its request's id there.
static uint32_t begin_heard(HANDLE *ret_handle)
{
    assert_int_equal(begin(ret_handle), 0);
    fake_daemon_accept(server);
    fake_daemon_greet(server);
    return fake_daemon_expect(server, "resolve");
}

static union {
    WSAQUERYSETW set;
    uint8_t bytes[4096];
} room;

static int next(HANDLE handle)
{
    DWORD len = sizeof room;
    return nsp.NSPLookupServiceNext(handle, 0, &len, &room.set) == 0 ? 0 : WSAGetLastError();
}

static int ioctl_with(HANDLE handle, WSACOMPLETION *how, WSATHREADID *thread)
{
    DWORD bytes = 99;
    char junk[3];
    int status = nsp.NSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, junk, 3, junk, 3, &bytes, how, thread);
    int error = status == 0 ? 0 : WSAGetLastError();
    assert_true(status == 0 || status == SOCKET_ERROR);
    assert_int_equal(bytes, error == WSA_INVALID_HANDLE ? 99 : 0);
    return error;
}

static int poll_it(HANDLE handle)
{
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_IMMEDIATELY;
    int error = ioctl_with(handle, NULL, NULL);
    assert_int_equal(ioctl_with(handle, &how, NULL), error);
    return error;
}

// Arms an event; what is passed is scribbled over at once.
static int arm_event(HANDLE handle, OVERLAPPED *overlapped)
{
    WSACOMPLETION how;
    WSATHREADID thread = {NULL, 0};
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_EVENT;
    how.Parameters.Event.lpOverlapped = overlapped;
    int error = ioctl_with(handle, &how, &thread);
    memset(&how, 0xee, sizeof how);
    memset(&thread, 0xee, sizeof thread);
    return error;
}

static void await_event(OVERLAPPED *overlapped, DWORD error)
{
    DWORD bytes;
    assert_int_equal(WaitForSingleObject(overlapped->hEvent, INFINITE), WAIT_OBJECT_0);
    BOOL good = GetOverlappedResult(NULL, overlapped, &bytes, FALSE);
    assert_int_equal(good ? 0 : GetLastError(), error);
}

// ---- starting ----

static const struct startup_row {
    const char *name;
    GUID *guid;
    DWORD size; // cbSize
    bool has_table;
    int error;
} startup_rows[] = {
    {"the names' provider", &name_guid, sizeof(NSP_ROUTINE), true, 0},
    {"the clouds' provider", &cloud_guid, sizeof(NSP_ROUTINE), true, 0},
    {"a larger table", &name_guid, sizeof(NSP_ROUTINE) + 8, true, 0},
    {"a table without its size", &name_guid, 0, true, 0},
    {"a table from before NSPIoctl", &name_guid, offsetof(NSP_ROUTINE, NSPIoctl), true, 0},
    {"too small a table", &name_guid, 8, true, WSAEINVALIDPROCTABLE},
    {"no table", &name_guid, 0, false, WSAEINVAL},
    {"a foreign provider", &foreign_guid, sizeof(NSP_ROUTINE), true, WSAEINVAL},
    {"no provider", NULL, sizeof(NSP_ROUTINE), true, WSAEINVAL},
};

static void startup_fills_the_table(void **state)
{
    (void)state;
    start(true);
    for (size_t i = 0; i < COUNT_OF(startup_rows); i++) {
        const struct startup_row *row = &startup_rows[i];
        NSP_ROUTINE table;
        print_message("%s\n", row->name);
        memset(&table, 0, sizeof table);
        table.cbSize = row->size;
        int status = NSPStartup(row->guid, row->has_table ? &table : NULL);
        assert_int_equal(status == 0 ? 0 : WSAGetLastError(), row->error);
        if (status != 0) {
            assert_null(table.NSPCleanup);
            continue;
        }
        bool is_old = row->size == offsetof(NSP_ROUTINE, NSPIoctl);
        assert_int_equal(table.cbSize, is_old ? row->size : sizeof table);
        assert_int_equal(table.dwMajorVersion, 4);
        assert_int_equal(table.dwMinorVersion, 4);
        assert_int_equal(table.NSPIoctl == NULL, is_old);
        // The same as at the first time.
        size_t first = offsetof(NSP_ROUTINE, NSPCleanup);
        assert_memory_equal((char *)&table + first, (char *)&nsp + first,
                            offsetof(NSP_ROUTINE, NSPIoctl) - first);
        assert_int_equal(table.NSPCleanup(row->guid), 0);
    }
    stop();
}

static void cleanups_balance_startups(void **state)
{
    (void)state;
    HANDLE handle;
    start(true);
    assert_int_equal(startup(&cloud_guid), 0);
    assert_int_equal(startup(&name_guid), 0);
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    assert_int_equal(nsp.NSPCleanup(&name_guid), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEINVAL);
    assert_int_equal(nsp.NSPCleanup(&foreign_guid), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEINVAL);
    assert_int_equal(nsp.NSPCleanup(NULL), SOCKET_ERROR);
    assert_int_equal(begin(&handle), 0);
    assert_int_equal(nsp.NSPCleanup(&cloud_guid), 0);
    assert_int_equal(begin(&handle), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSASYSNOTREADY);
    assert_int_equal(next(handle), WSA_INVALID_HANDLE);
    // And anew.
    assert_int_equal(startup(&name_guid), 0);
    assert_int_equal(begin(&handle), 0);
    stop();
}

static void classes_are_fixed(void **state)
{
    (void)state;
    DWORD len = 0;
    start(true);
    assert_int_equal(nsp.NSPInstallServiceClass(&name_guid, NULL), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEOPNOTSUPP);
    WSASetLastError(0);
    assert_int_equal(nsp.NSPRemoveServiceClass(&name_guid, &name_guid), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEOPNOTSUPP);
    WSASetLastError(0);
    assert_int_equal(nsp.NSPGetServiceClassInfo(&name_guid, &len, NULL), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEOPNOTSUPP);
    stop();
}

// ---- Begin ----

static const struct begin_row {
    const char *name;
    const GUID *provider;
    const GUID *class_id;
    bool has_handle;
    int error;
} begin_rows[] = {
    {"a foreign class", &NS_PROVIDER_PNRPNAME, &foreign, true, WSASERVICE_NOT_FOUND},
    {"a foreign class, without a handle", &NS_PROVIDER_PNRPNAME, &foreign, false,
     WSASERVICE_NOT_FOUND},
    {"a name of the clouds' provider", &NS_PROVIDER_PNRPCLOUD, &SVCID_PNRPNAME_V2, true,
     WSASERVICE_NOT_FOUND},
    {"clouds of the names' provider", &NS_PROVIDER_PNRPNAME, &SVCID_PNRPCLOUD, true,
     WSASERVICE_NOT_FOUND},
    {"a name of a foreign provider", &foreign, &SVCID_PNRPNAME_V1, true, WSASERVICE_NOT_FOUND},
    {"no class", &NS_PROVIDER_PNRPNAME, NULL, true, WSAEINVAL},
    {"nowhere to put the handle", &NS_PROVIDER_PNRPNAME, &SVCID_PNRPNAME_V1, false, WSAEINVAL},
};

static void begin_refuses_what_is_not_ours(void **state)
{
    (void)state;
    start(true);
    unsigned threads = fake_system_count_threads();
    for (size_t i = 0; i < COUNT_OF(begin_rows); i++) {
        const struct begin_row *row = &begin_rows[i];
        GUID guid = *row->provider, class_id = row->class_id != NULL ? *row->class_id : foreign;
        WSAQUERYSETW set = query_of(row->class_id != NULL ? &class_id : NULL);
        HANDLE handle = &set;
        int status =
            nsp.NSPLookupServiceBegin(&guid, &set, NULL, 0, row->has_handle ? &handle : NULL);
        if (status != SOCKET_ERROR || WSAGetLastError() != row->error || handle != &set) {
            fail_msg("%s: %d", row->name, WSAGetLastError());
        }
    }
    // Neither a thread nor a connection came of it.
    assert_int_equal(fake_system_count_threads(), threads);
    assert_false(fake_system_is_called(server->listener));
    stop();
}

static void an_absent_daemon_costs_nothing(void **state)
{
    (void)state;
    HANDLE handle = NULL;
    start(false);
    unsigned threads = fake_system_count_threads();
    assert_int_equal(begin(&handle), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSASYSNOTREADY);
    assert_null(handle);
    assert_int_equal(fake_system_count_threads(), threads);
    stop();
}

static void a_dead_daemon_is_told_by_next(void **state)
{
    (void)state;
    HANDLE handle;
    start(true);
    fake_daemon_crash(server);
    assert_int_equal(begin(&handle), 0);
    assert_int_equal(next(handle), WSASYSNOTREADY);
    assert_int_equal(poll_it(handle), WSAENETDOWN);
    assert_int_equal(nsp.NSPLookupServiceEnd(handle), 0);
    stop();
}

static void handles_are_bounded(void **state)
{
    (void)state;
    static HANDLE handles[NSP_HANDLES];
    HANDLE further = NULL;
    start(true);
    for (size_t i = 0; i < NSP_HANDLES; i++) {
        assert_int_equal(begin(&handles[i]), 0);
    }
    assert_int_equal(begin(&further), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSA_NOT_ENOUGH_MEMORY);
    assert_null(further);
    assert_int_equal(nsp.NSPLookupServiceEnd(handles[7]), 0);
    assert_int_equal(begin(&further), 0);
    assert_int_equal(nsp.NSPLookupServiceEnd(handles[7]), SOCKET_ERROR);
    stop();
}

// ---- a lookup ----

static void a_lookup_from_begin_to_end(void **state)
{
    (void)state;
    HANDLE handle;
    DWORD len = 8;
    start(true);
    uint32_t id = begin_heard(&handle);
    fake_daemon_answer(server, id, "result", fake_daemon_result('A', '1', 631, NULL));
    assert_int_equal(nsp.NSPLookupServiceNext(handle, 0, &len, &room.set), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
    assert_true(len > sizeof(WSAQUERYSETW) && len <= sizeof room);
    assert_int_equal(nsp.NSPLookupServiceNext(handle, 0, NULL, &room.set), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
    assert_int_equal(next(handle), 0);
    assert_memory_equal(room.set.lpszServiceInstanceName, peer_name, sizeof peer_name);
    assert_int_equal(room.set.dwNumberOfCsAddrs, 1);
    assert_int_equal(room.set.dwOutputFlags, 0);
    fake_daemon_answer(server, id, "done", "d5:counti1ee");
    assert_int_equal(next(handle), WSA_E_NO_MORE);
    assert_int_equal(nsp.NSPLookupServiceEnd(handle), 0);
    assert_int_equal(nsp.NSPLookupServiceEnd(handle), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSA_INVALID_HANDLE);
    assert_int_equal(next(handle), WSA_INVALID_HANDLE);
    assert_int_equal(ioctl_with(handle, NULL, NULL), WSA_INVALID_HANDLE);
    assert_int_equal(nsp.NSPLookupServiceEnd(NULL), SOCKET_ERROR);
    assert_int_equal(next(INVALID_HANDLE_VALUE), WSA_INVALID_HANDLE);
    stop();
}

static void changes_are_polled_and_told(void **state)
{
    (void)state;
    HANDLE handle;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    start(true);
    uint32_t id = begin_heard(&handle);
    assert_int_equal(arm_event(handle, &overlapped), WSA_IO_PENDING);
    uint32_t watch = fake_daemon_expect(server, "watch");
    fake_daemon_answer(server, id, "result", fake_daemon_result('A', '1', 631, NULL));
    await_event(&overlapped, 0);
    assert_int_equal(next(handle), 0);
    fake_daemon_answer(server, id, "done", "d5:counti1ee");
    assert_int_equal(next(handle), WSA_E_NO_MORE);
    assert_int_equal(poll_it(handle), WSAEWOULDBLOCK);
    assert_int_equal(arm_event(handle, &overlapped), WSA_IO_PENDING);
    fake_daemon_answer(server, watch, "result", fake_daemon_result('A', '2', 632, "changed"));
    await_event(&overlapped, 0);
    assert_int_equal(poll_it(handle), 0);
    assert_int_equal(next(handle), 0);
    assert_int_equal(room.set.dwOutputFlags, RESULT_IS_CHANGED);
    assert_int_equal(poll_it(handle), WSAEWOULDBLOCK);
    // A lost daemon.
    assert_int_equal(arm_event(handle, &overlapped), WSA_IO_PENDING);
    fake_daemon_hang_up(server);
    await_event(&overlapped, WSAENETDOWN);
    assert_int_equal(poll_it(handle), WSAENETDOWN);
    assert_int_equal(arm_event(handle, &overlapped), WSAENETDOWN);
    assert_int_equal(next(handle), WSA_E_NO_MORE);
    CloseHandle(overlapped.hEvent);
    stop();
}

static void other_codes_are_not_supported(void **state)
{
    (void)state;
    HANDLE handle;
    DWORD bytes = 5;
    start(true);
    assert_int_equal(begin(&handle), 0);
    assert_int_equal(nsp.NSPIoctl(handle, 0x88000018, NULL, 0, NULL, 0, &bytes, NULL, NULL),
                     SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEOPNOTSUPP);
    assert_int_equal(
        nsp.NSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, NULL, NULL, NULL),
        SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
    stop();
}

// ---- threads ----

struct waiter {
    HANDLE handle;
    struct nsp_thread thread;
    int error;
};

static void wait_in_next(void *ctx)
{
    struct waiter *waiter = ctx;
    uint64_t buf[512];
    DWORD len = sizeof buf;
    int status = nsp.NSPLookupServiceNext(waiter->handle, 0, &len, (LPWSAQUERYSETW)(void *)buf);
    waiter->error = status == 0 ? 0 : WSAGetLastError();
}

static void end_returns_a_waiting_next(void **state)
{
    (void)state;
    struct waiter waiter;
    start(true);
    uint32_t id = begin_heard(&waiter.handle);
    assert_true(nsp_thread_start(&waiter.thread, wait_in_next, &waiter));
    assert_int_equal(nsp.NSPLookupServiceEnd(waiter.handle), 0);
    nsp_thread_join(&waiter.thread);
    // Where End was first, there was no handle any more.
    assert_true(waiter.error == WSA_E_CANCELLED || waiter.error == WSA_INVALID_HANDLE);
    char wanted[32];
    (void)fake_daemon_expect(server, "cancel");
    snprintf(wanted, sizeof wanted, "2:idi%ue", (unsigned)id);
    assert_non_null(strstr(server->heard, wanted));
    stop();
}

static int routine_runs;
static DWORD routine_error;

static void CALLBACK run_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)bytes;
    (void)overlapped;
    (void)flags;
    routine_runs++;
    routine_error = error;
}

static int arm_apc(HANDLE handle)
{
    WSACOMPLETION how;
    WSATHREADID thread = {NULL, 0};
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_APC;
    how.Parameters.Apc.lpfnCompletionProc = run_routine;
    assert_true(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                                &thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS));
    int error = ioctl_with(handle, &how, &thread);
    CloseHandle(thread.ThreadHandle);
    return error;
}

static void cleanup_ends_everything(void **state)
{
    (void)state;
    struct waiter waiters[3];
    HANDLE others[10];
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    start(true);
    unsigned threads = fake_system_count_threads();
    routine_runs = 0;
    (void)begin_heard(&waiters[0].handle);
    waiters[1].handle = waiters[2].handle = waiters[0].handle;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(begin(&others[i]), 0);
    }
    assert_int_equal(arm_event(others[0], &overlapped), WSA_IO_PENDING);
    assert_int_equal(arm_apc(others[1]), WSA_IO_PENDING);
    assert_int_equal(nsp.NSPLookupServiceEnd(others[2]), 0);
    for (size_t i = 0; i < COUNT_OF(waiters); i++) {
        assert_true(nsp_thread_start(&waiters[i].thread, wait_in_next, &waiters[i]));
    }
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    for (size_t i = 0; i < COUNT_OF(waiters); i++) {
        nsp_thread_join(&waiters[i].thread);
        assert_true(waiters[i].error == WSA_E_CANCELLED || waiters[i].error == WSA_INVALID_HANDLE);
    }
    await_threads(threads);
    fake_daemon_expect_end(server);
    await_event(&overlapped, WSA_OPERATION_ABORTED);
    // The routine is in this DLL, which stays until it has run.
    assert_int_equal(nsp_platform_pins(), 1);
    assert_int_equal(routine_runs, 0);
    while (routine_runs == 0) {
        (void)SleepEx(0, TRUE);
    }
    (void)SleepEx(0, TRUE);
    assert_int_equal(routine_runs, 1);
    assert_int_equal(routine_error, WSA_OPERATION_ABORTED);
    assert_int_equal(nsp_platform_pins(), 0);
    assert_int_equal(startup(&name_guid), 0);
    CloseHandle(overlapped.hEvent);
    stop();
}

struct armer {
    HANDLE handle;
    OVERLAPPED overlapped;
    int error;
    int apc_error;
};

static void arm_and_go(void *ctx)
{
    struct armer *armer = ctx;
    armer->error = arm_event(armer->handle, &armer->overlapped);
    armer->apc_error = arm_apc(armer->handle);
}

static void a_thread_that_ends_aborts_what_it_armed(void **state)
{
    (void)state;
    struct armer armer = {.overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)}};
    OVERLAPPED own = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct nsp_thread thread;
    start(true);
    routine_runs = 0;
    uint32_t id = begin_heard(&armer.handle);
    assert_int_equal(arm_event(armer.handle, &own), WSA_IO_PENDING);
    assert_true(nsp_thread_start(&thread, arm_and_go, &armer));
    nsp_thread_join(&thread);
    assert_int_equal(armer.error, WSA_IO_PENDING);
    assert_int_equal(armer.apc_error, WSA_IO_PENDING);
    await_event(&armer.overlapped, WSA_OPERATION_ABORTED);
    assert_int_equal(WaitForSingleObject(own.hEvent, 0), WAIT_TIMEOUT);
    (void)fake_daemon_expect(server, "watch");
    fake_daemon_answer(server, id, "result", fake_daemon_result('A', '1', 631, NULL));
    await_event(&own, 0);
    assert_int_equal(nsp_platform_pins(), 0);
    CloseHandle(armer.overlapped.hEvent);
    CloseHandle(own.hEvent);
    stop();
}

// ---- memory ----

static void thread_ended(uint64_t thread_id)
{
    (void)thread_id;
}

static struct nsp_provider_state *make_provider(struct failing_memory *memory)
{
    struct nsp_provider_state *provider = malloc(sizeof *provider);
    assert_non_null(provider);
    *provider = (struct nsp_provider_state)NSP_PROVIDER_INIT(&memory->memory, server->address,
                                                             thread_ended);
    return provider;
}

struct stopper {
    struct nsp_thread thread;
    struct nsp_provider_state *provider;
    atomic_bool has_stopped;
};

static void stop_it(void *ctx)
{
    struct stopper *stopper = ctx;
    assert_int_equal(nsp_provider_stop(stopper->provider, &NS_PROVIDER_PNRPNAME), 0);
    stopper->has_stopped = true;
}

static bool is_stopping(struct nsp_provider_state *provider)
{
    nsp_lock_take(&provider->lock);
    bool is_stopping = provider->link == NULL;
    nsp_lock_give(&provider->lock);
    return is_stopping;
}

// A call is in the middle of Begin.
static void *enter_link(struct nsp_provider_state *provider, HANDLE handle)
{
    (void)handle;
    return nsp_provider_enter(provider);
}

static void leave_link(struct nsp_provider_state *provider, HANDLE handle)
{
    (void)handle;
    assert_null(nsp_provider_enter(provider));
    nsp_provider_leave(provider);
}

// A call is in the middle of what it does with a handle.
static void *take_handle(struct nsp_provider_state *provider, HANDLE handle)
{
    void *lookup = NULL;
    assert_int_equal(nsp_handle_take(&provider->handles, handle, &lookup), 0);
    return lookup;
}

static void drop_handle(struct nsp_provider_state *provider, HANDLE handle)
{
    void *lookup;
    assert_int_equal(nsp_handle_take(&provider->handles, handle, &lookup), WSA_INVALID_HANDLE);
    nsp_handle_drop(&provider->handles, handle);
}

static const struct inside_row {
    const char *name;
    void *(*enter)(struct nsp_provider_state *provider, HANDLE handle);
    void (*leave)(struct nsp_provider_state *provider, HANDLE handle);
} inside_rows[] = {
    {"in Begin", enter_link, leave_link},
    {"with a handle", take_handle, drop_handle},
};

static void stop_under(const struct inside_row *row)
{
    struct failing_memory memory;
    GUID class_id = SVCID_PNRPNAME_V2;
    WSAQUERYSETW set = query_of(&class_id);
    HANDLE handle;
    failing_memory_init(&memory, 0);
    struct stopper stopper = {.provider = make_provider(&memory)};
    assert_int_equal(nsp_provider_start(stopper.provider, &NS_PROVIDER_PNRPNAME), 0);
    assert_int_equal(nsp_provider_begin(stopper.provider, NULL, &set, 0, &handle), 0);
    assert_non_null(row->enter(stopper.provider, handle));
    assert_true(nsp_thread_start(&stopper.thread, stop_it, &stopper));
    while (!is_stopping(stopper.provider)) {
        fake_system_yield();
    }
    // Time enough for who does not wait.
    for (int i = 0; i < 1000; i++) {
        fake_system_yield();
        if (stopper.has_stopped) {
            fail_msg("%s", row->name);
        }
    }
    row->leave(stopper.provider, handle);
    nsp_thread_join(&stopper.thread);
    assert_int_equal(failing_memory_live(&memory), 0);
    free(stopper.provider);
}

// The last stop ends nothing under a call that is still inside.
static void stopping_waits_for_who_is_inside(void **state)
{
    (void)state;
    start(true);
    for (size_t i = 0; i < COUNT_OF(inside_rows); i++) {
        stop_under(&inside_rows[i]);
    }
    // One listener for the process: the entries' own has to be set up again.
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    assert_int_equal(startup(&name_guid), 0);
    stop();
}

// ---- SetService ----

static const struct set_row {
    const char *name;
    const GUID *class_id;
    const GUID *provider;
    WSAESETSERVICEOP operation;
    DWORD flags;
    int code;
} set_rows[] = {
    {"registering nothing", &SVCID_PNRPNAME_V2, &NS_PROVIDER_PNRPNAME, RNRSERVICE_REGISTER, 0,
     WSAEINVAL},
    {"registering several", &SVCID_PNRPNAME_V2, &NS_PROVIDER_PNRPNAME, RNRSERVICE_REGISTER,
     SERVICE_MULTIPLE, WSAEINVAL},
    {"deregistering", &SVCID_PNRPNAME_V2, &NS_PROVIDER_PNRPNAME, RNRSERVICE_DEREGISTER, 0,
     WSAEOPNOTSUPP},
    {"an operation that is none", &SVCID_PNRPNAME_V2, &NS_PROVIDER_PNRPNAME, (WSAESETSERVICEOP)3, 0,
     WSAEOPNOTSUPP},
    {"deleting what is not there", &SVCID_PNRPNAME_V1, &NS_PROVIDER_PNRPNAME, RNRSERVICE_DELETE, 0,
     WSASERVICE_NOT_FOUND},
    {"deleting, with a flag", &SVCID_PNRPNAME_V2, &NS_PROVIDER_PNRPNAME, RNRSERVICE_DELETE,
     SERVICE_MULTIPLE, WSAEINVAL},
    {"a foreign class, before all", &foreign, &NS_PROVIDER_PNRPNAME, RNRSERVICE_DEREGISTER, 1,
     WSASERVICE_NOT_FOUND},
    {"of the clouds' provider", &SVCID_PNRPNAME_V2, &NS_PROVIDER_PNRPCLOUD, RNRSERVICE_REGISTER, 0,
     WSASERVICE_NOT_FOUND},
};

static int set_service(GUID *provider, WSAQUERYSETW *set, WSAESETSERVICEOP operation, DWORD flags)
{
    return nsp.NSPSetService(provider, NULL, set, operation, flags) == 0 ? 0 : WSAGetLastError();
}

// An address for what is to be registered.
struct address {
    CSADDR_INFO info;
    SOCKADDR_IN ipv4;
};

static void add_address(WSAQUERYSETW *set, struct address *address)
{
    memset(address, 0, sizeof *address);
    address->ipv4.sin_family = AF_INET;
    address->info.LocalAddr.lpSockaddr = (SOCKADDR *)(void *)&address->ipv4;
    address->info.LocalAddr.iSockaddrLength = sizeof address->ipv4;
    set->dwNumberOfCsAddrs = 1;
    set->lpcsaBuffer = &address->info;
}

// None of it is asked of the daemon. What has flags could be registered without them.
static void what_cannot_be_set(void **state)
{
    (void)state;
    start(true);
    for (size_t i = 0; i < COUNT_OF(set_rows); i++) {
        GUID class_id = *set_rows[i].class_id, provider = *set_rows[i].provider;
        WSAQUERYSETW set = query_of(&class_id);
        struct address address;
        if (set_rows[i].flags != 0) {
            add_address(&set, &address);
        }
        int code = set_service(&provider, &set, set_rows[i].operation, set_rows[i].flags);
        if (code != set_rows[i].code) {
            fail_msg("%s: %d, not %d", set_rows[i].name, code, set_rows[i].code);
        }
    }
    assert_int_equal(set_service(&name_guid, NULL, RNRSERVICE_REGISTER, 0), WSAEINVAL);
    stop();
}

struct setter {
    struct nsp_thread thread;
    WSAESETSERVICEOP operation;
    int code;
};

static void set_name(void *ctx)
{
    struct setter *setter = ctx;
    GUID class_id = SVCID_PNRPNAME_V2;
    WSAQUERYSETW set = query_of(&class_id);
    struct address address;
    add_address(&set, &address);
    setter->code = set_service(&name_guid, &set, setter->operation, 0);
}

static struct setter begin_set(WSAESETSERVICEOP operation)
{
    return (struct setter){.operation = operation, .code = -1};
}

// Neither without a daemon, which opens and starts nothing, nor outside of startup and cleanup.
static void nothing_is_set_where_nobody_is(void **state)
{
    (void)state;
    start(false);
    unsigned threads = fake_system_count_threads();
    struct setter setter = begin_set(RNRSERVICE_REGISTER);
    set_name(&setter);
    assert_int_equal(setter.code, WSASYSNOTREADY);
    assert_int_equal(fake_system_count_threads(), threads);
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    set_name(&setter);
    assert_int_equal(setter.code, WSASYSNOTREADY);
    setter = begin_set(RNRSERVICE_DELETE);
    set_name(&setter);
    assert_int_equal(setter.code, WSASYSNOTREADY);
    assert_int_equal(startup(&name_guid), 0);
    set_name(&setter);
    assert_int_equal(setter.code, WSASERVICE_NOT_FOUND);
    stop();
}

static void a_name_is_registered_and_withdrawn(void **state)
{
    (void)state;
    start(true);
    struct setter setter = begin_set(RNRSERVICE_REGISTER);
    assert_true(nsp_thread_start(&setter.thread, set_name, &setter));
    fake_daemon_accept(server);
    fake_daemon_greet(server);
    fake_daemon_answer(server, fake_daemon_expect(server, "register"), "done", "de");
    nsp_thread_join(&setter.thread);
    assert_int_equal(setter.code, 0);
    // The daemon is started anew: it is told again.
    fake_daemon_hang_up(server);
    fake_daemon_accept(server);
    fake_daemon_greet(server);
    fake_daemon_answer(server, fake_daemon_expect(server, "register"), "done", "de");
    setter = begin_set(RNRSERVICE_DELETE);
    assert_true(nsp_thread_start(&setter.thread, set_name, &setter));
    uint32_t id = fake_daemon_hear(server);
    if (strstr(server->heard, "cancel") != NULL) {
        // The answer had not come to it yet.
        id = fake_daemon_hear(server);
    }
    assert_non_null(strstr(server->heard, "unregister"));
    fake_daemon_answer(server, id, "done", "de");
    nsp_thread_join(&setter.thread);
    assert_int_equal(setter.code, 0);
    setter.code = -1;
    set_name(&setter);
    assert_int_equal(setter.code, WSASERVICE_NOT_FOUND);
    stop();
}

// Who waits for the daemon returns at once where the provider is stopped.
static void cleanup_ends_registering(void **state)
{
    (void)state;
    start(true);
    struct setter setter = begin_set(RNRSERVICE_REGISTER);
    assert_true(nsp_thread_start(&setter.thread, set_name, &setter));
    fake_daemon_accept(server);
    fake_daemon_greet(server);
    (void)fake_daemon_expect(server, "register");
    stop();
    nsp_thread_join(&setter.thread);
    assert_int_equal(setter.code, WSA_E_CANCELLED);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    bool failed = true;
    start(true);
    for (size_t nth = 1; failed; nth++) {
        struct failing_memory memory;
        failing_memory_init(&memory, nth);
        struct nsp_provider_state *provider = make_provider(&memory);
        GUID class_id = SVCID_PNRPNAME_V2;
        WSAQUERYSETW set = query_of(&class_id);
        HANDLE handle;
        int error = nsp_provider_start(provider, &NS_PROVIDER_PNRPNAME);
        bool started = error == 0;
        if (started) {
            error = nsp_provider_begin(provider, NULL, &set, 0, &handle);
        }
        failed = failing_memory_failed(&memory);
        assert_int_equal(error, failed ? WSA_NOT_ENOUGH_MEMORY : 0);
        if (started) {
            assert_int_equal(nsp_provider_stop(provider, &NS_PROVIDER_PNRPNAME), 0);
        }
        assert_int_equal(failing_memory_live(&memory), 0);
        free(provider);
    }
    // One listener for the process: the entries' own has to be set up again.
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    assert_int_equal(startup(&name_guid), 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_fills_the_table),
        cmocka_unit_test(cleanups_balance_startups),
        cmocka_unit_test(classes_are_fixed),
        cmocka_unit_test(begin_refuses_what_is_not_ours),
        cmocka_unit_test(an_absent_daemon_costs_nothing),
        cmocka_unit_test(a_dead_daemon_is_told_by_next),
        cmocka_unit_test(handles_are_bounded),
        cmocka_unit_test(a_lookup_from_begin_to_end),
        cmocka_unit_test(changes_are_polled_and_told),
        cmocka_unit_test(other_codes_are_not_supported),
        cmocka_unit_test(end_returns_a_waiting_next),
        cmocka_unit_test(cleanup_ends_everything),
        cmocka_unit_test(a_thread_that_ends_aborts_what_it_armed),
        cmocka_unit_test(stopping_waits_for_who_is_inside),
        cmocka_unit_test(what_cannot_be_set),
        cmocka_unit_test(nothing_is_set_where_nobody_is),
        cmocka_unit_test(a_name_is_registered_and_withdrawn),
        cmocka_unit_test(cleanup_ends_registering),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
