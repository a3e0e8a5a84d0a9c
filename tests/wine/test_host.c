// SPDX-License-Identifier: MIT
// pnrnsp.dll as ws2_32 uses it, by its table of entries: test_host.exe NAME, with the daemon that
// PNR_CONTROL tells and NAME published there. What it needs done outside it asks of test_host.py:
// it writes a line, and goes on when a line comes back. "test_host.exe absent": there is no daemon;
// "bad CODE": there is one of which Next has to say this; "hung NAME": it stops, and goes on.
#include "pnr/winsock.h"
#include "tests/wine/check.h"

#include <stdlib.h>
#include <string.h>
#include <tlhelp32.h>
#include <wchar.h>

#define WAIT_MS 30000

static GUID name_provider = {
    0x03fe89cd, 0x766d, 0x4976, {0xb9, 0xc1, 0xbb, 0x9b, 0xc4, 0x2c, 0x7b, 0x4d}};
static GUID cloud_provider = {
    0x03fe89ce, 0x766d, 0x4976, {0xb9, 0xc1, 0xbb, 0x9b, 0xc4, 0x2c, 0x7b, 0x4d}};
static GUID name_class = {
    0xc2239ce7, 0x00c0, 0x4fbf, {0xba, 0xd6, 0x18, 0x13, 0x93, 0x85, 0xa4, 0x9a}};
static GUID foreign_class = {
    0x0b6e7d10, 0x52aa, 0x4f6c, {0x9e, 0x33, 0x10, 0x84, 0xc9, 0x7b, 0x65, 0xf0}};

static LPNSPSTARTUP startup;
static NSP_ROUTINE nsp;
static WCHAR name[256];
static int port = 1000; // that NAME is published with

union buffer {
    WSAQUERYSETW set;
    char room[8192];
};

static int error_of(INT status)
{
    return status == 0 ? 0 : WSAGetLastError();
}

// Has the other side do something.
static void ask(const char *what, int number)
{
    char answer[64] = "";
    printf("%s %d\n", what, number);
    fflush(stdout);
    CHECK(fgets(answer, sizeof answer, stdin) != NULL);
    CHECK(strncmp(answer, "ok", 2) == 0);
}

static void republish(void)
{
    ask("publish", ++port);
}

static WSAQUERYSETW set_of(WCHAR *instance, GUID *class_id)
{
    return (WSAQUERYSETW){.dwSize = sizeof(WSAQUERYSETW),
                          .lpszServiceInstanceName = instance,
                          .lpServiceClassId = class_id,
                          .dwNameSpace = NS_PNRPNAME};
}

static HANDLE begin_of(BLOB *blob)
{
    HANDLE lookup = NULL;
    WSAQUERYSETW set = set_of(name, &name_class);
    set.lpBlob = blob;
    CHECK_INT(
        error_of(nsp.NSPLookupServiceBegin(&name_provider, &set, NULL, LUP_RETURN_ALL, &lookup)),
        0);
    // What was handed in is the caller's again.
    memset(&set, 0xdd, sizeof set);
    return lookup;
}

static HANDLE begin(void)
{
    return begin_of(NULL);
}

// That it may take a second.
static HANDLE begin_briefly(void)
{
    PNRPINFO info = {.dwSize = sizeof info, .nMaxResolve = 1, .dwTimeout = 1};
    BLOB blob = {sizeof info, (BYTE *)&info};
    return begin_of(&blob);
}

static int next(HANDLE lookup, union buffer *buf)
{
    DWORD len = sizeof *buf;
    return error_of(nsp.NSPLookupServiceNext(lookup, 0, &len, &buf->set));
}

static int end(HANDLE lookup)
{
    return error_of(nsp.NSPLookupServiceEnd(lookup));
}

static int port_of(const union buffer *buf)
{
    const SOCKADDR_IN *addr = (const SOCKADDR_IN *)buf->set.lpcsaBuffer[0].RemoteAddr.lpSockaddr;
    return ntohs(addr->sin_port);
}

// The result, and then the end of the results.
static HANDLE begin_and_read(void)
{
    union buffer buf;
    HANDLE lookup = begin();
    if (CHECK_INT(next(lookup, &buf), 0)) {
        CHECK_INT(port_of(&buf), port);
    }
    CHECK_INT(next(lookup, &buf), WSA_E_NO_MORE);
    return lookup;
}

// ---- NSPStartup and the table ----

static void test_startup(void)
{
    GUID other = foreign_class;
    NSP_ROUTINE table = {.cbSize = sizeof table};
    check_begin("startup");
    CHECK_INT(error_of(startup(&other, &table)), WSAEINVAL);
    CHECK_INT(error_of(startup(NULL, &table)), WSAEINVAL);
    CHECK_INT(error_of(startup(&name_provider, NULL)), WSAEINVAL);
    CHECK_INT(error_of(startup(&name_provider, &nsp)), 0);
    CHECK_INT(error_of(startup(&cloud_provider, &table)), 0);
    CHECK(memcmp(&table, &nsp, sizeof nsp) == 0);
    CHECK_INT(nsp.cbSize, sizeof nsp);
    CHECK_INT(nsp.dwMajorVersion, 4);
    CHECK_INT(nsp.dwMinorVersion, 4);
    CHECK(nsp.NSPCleanup != NULL && nsp.NSPLookupServiceBegin != NULL &&
          nsp.NSPLookupServiceNext != NULL && nsp.NSPLookupServiceEnd != NULL &&
          nsp.NSPSetService != NULL && nsp.NSPInstallServiceClass != NULL &&
          nsp.NSPRemoveServiceClass != NULL && nsp.NSPGetServiceClassInfo != NULL &&
          nsp.NSPIoctl != NULL);
    CHECK_INT(error_of(nsp.NSPCleanup(&other)), WSAEINVAL);
}

static void test_foreign(void)
{
    HANDLE lookup = NULL;
    check_begin("a foreign class");
    WSAQUERYSETW set = set_of(name, &foreign_class);
    CHECK_INT(error_of(nsp.NSPLookupServiceBegin(&name_provider, &set, NULL, 0, &lookup)),
              WSASERVICE_NOT_FOUND);
    CHECK(lookup == NULL);
}

// ---- a name ----

static bool inside(const void *what, size_t len, const void *buf, size_t buf_len)
{
    uintptr_t from = (uintptr_t)buf, at = (uintptr_t)what;
    return at >= from && at + len <= from + buf_len;
}

static void check_result(const union buffer *buf, DWORD len)
{
    const WSAQUERYSETW *set = &buf->set;
    CHECK_INT(set->dwSize, sizeof *set);
    CHECK_INT(set->dwNameSpace, NS_PNRPNAME);
    CHECK_INT(set->dwOutputFlags, 0);
    CHECK(inside(set->lpszServiceInstanceName, sizeof(WCHAR), buf, len));
    CHECK(wcscmp(set->lpszServiceInstanceName, name) == 0);
    CHECK(inside(set->lpServiceClassId, sizeof(GUID), buf, len));
    CHECK(IsEqualGUID(set->lpServiceClassId, &name_class));
    CHECK(inside(set->lpNSProviderId, sizeof(GUID), buf, len));
    CHECK(IsEqualGUID(set->lpNSProviderId, &name_provider));
    CHECK(inside(set->lpszContext, sizeof(WCHAR), buf, len));
    CHECK(wcscmp(set->lpszContext, L"Global_") == 0);
    CHECK(inside(set->lpszComment, sizeof(WCHAR), buf, len));
    CHECK(wcscmp(set->lpszComment, L"h\u00e9llo") == 0);
    CHECK_INT(set->dwNumberOfCsAddrs, 1);
    const CSADDR_INFO *address = set->lpcsaBuffer;
    CHECK(inside(address, sizeof *address, buf, len));
    CHECK_INT(address->iProtocol, IPPROTO_TCP);
    CHECK_INT(address->iSocketType, SOCK_STREAM);
    CHECK_INT(address->RemoteAddr.iSockaddrLength, sizeof(SOCKADDR_IN));
    CHECK_INT(address->LocalAddr.iSockaddrLength, sizeof(SOCKADDR_IN));
    CHECK(inside(address->RemoteAddr.lpSockaddr, sizeof(SOCKADDR_IN), buf, len));
    CHECK(inside(address->LocalAddr.lpSockaddr, sizeof(SOCKADDR_IN), buf, len));
    CHECK_INT(address->RemoteAddr.lpSockaddr->sa_family, AF_INET);
    CHECK_INT((uintptr_t)address % _Alignof(CSADDR_INFO), 0);
    CHECK_INT(port_of(buf), port);
    CHECK(set->lpVersion == NULL && set->lpszQueryString == NULL && set->dwNumberOfProtocols == 0);
}

static void test_name(void)
{
    union buffer buf;
    check_begin("a name");
    HANDLE lookup = begin();
    DWORD needed = 0, len = 0;
    CHECK_INT(error_of(nsp.NSPLookupServiceNext(lookup, 0, &needed, NULL)), WSAEFAULT);
    CHECK(needed > sizeof(WSAQUERYSETW) && needed < sizeof buf);
    len = needed - 1;
    CHECK_INT(error_of(nsp.NSPLookupServiceNext(lookup, 0, &len, &buf.set)), WSAEFAULT);
    CHECK_INT(len, needed);
    memset(&buf, 0xdd, sizeof buf);
    CHECK_INT(error_of(nsp.NSPLookupServiceNext(lookup, 0, &len, &buf.set)), 0);
    check_result(&buf, len);
    CHECK_INT((unsigned char)buf.room[needed], 0xdd);
    CHECK_INT(next(lookup, &buf), WSA_E_NO_MORE);
    CHECK_INT(next(lookup, &buf), WSA_E_NO_MORE);
    CHECK_INT(end(lookup), 0);
    CHECK_INT(next(lookup, &buf), WSA_INVALID_HANDLE);
    CHECK_INT(end(lookup), WSA_INVALID_HANDLE);
}

static void test_bad_pointers(void)
{
    union buffer buf;
    DWORD len = sizeof buf;
    HANDLE lookup = begin();
    LPWSACOMPLETION nowhere = (LPWSACOMPLETION)(uintptr_t)0x10;
    check_begin("pointers that lead nowhere");
    CHECK_INT(error_of(nsp.NSPLookupServiceNext(lookup, 0, &len, (LPWSAQUERYSETW)nowhere)),
              WSAEFAULT);
    CHECK_INT(error_of(nsp.NSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, nowhere,
                                    NULL)),
              WSAEFAULT);
    CHECK_INT(error_of(nsp.NSPIoctl(lookup, 1, NULL, 0, NULL, 0, &len, NULL, NULL)), WSAEOPNOTSUPP);
    CHECK_INT(next(lookup, &buf), 0);
    CHECK_INT(end(lookup), 0);
}

// ---- notifications ----

struct armed {
    WSACOMPLETION how;
    OVERLAPPED overlapped;
    HANDLE event, port;
    HWND window;
    DWORD apcs;
    DWORD apc_error;
};

static struct armed *apc_of; // whose APC comes next

static void CALLBACK on_apc(DWORD error, DWORD len, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    CHECK_INT(len + flags, 0);
    CHECK(overlapped == &apc_of->overlapped);
    apc_of->apcs++;
    apc_of->apc_error = error;
}

static void prepare(struct armed *armed, WSACOMPLETIONTYPE type)
{
    memset(armed, 0, sizeof *armed);
    armed->how.Type = type;
    switch (type) {
    case NSP_NOTIFY_EVENT:
        armed->event = CreateEventW(NULL, TRUE, FALSE, NULL);
        armed->overlapped.hEvent = armed->event;
        armed->how.Parameters.Event.lpOverlapped = &armed->overlapped;
        break;
    case NSP_NOTIFY_PORT:
        armed->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        armed->how.Parameters.Port.lpOverlapped = &armed->overlapped;
        armed->how.Parameters.Port.hPort = armed->port;
        armed->how.Parameters.Port.Key = 77;
        break;
    case NSP_NOTIFY_APC:
        apc_of = armed;
        armed->how.Parameters.Apc.lpOverlapped = &armed->overlapped;
        armed->how.Parameters.Apc.lpfnCompletionProc = on_apc;
        break;
    case NSP_NOTIFY_HWND:
        armed->window =
            CreateWindowExW(0, L"Message", NULL, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
        CHECK(armed->window != NULL);
        armed->how.Parameters.WindowMessage.hWnd = armed->window;
        armed->how.Parameters.WindowMessage.uMsg = WM_APP + 1;
        armed->how.Parameters.WindowMessage.context = 78;
        break;
    default:
        break;
    }
}

static void dispose(struct armed *armed)
{
    if (armed->event != NULL) {
        CloseHandle(armed->event);
    }
    if (armed->port != NULL) {
        CloseHandle(armed->port);
    }
    if (armed->window != NULL) {
        DestroyWindow(armed->window);
    }
}

// NSPIoctl, with structures that are gone as soon as it is back.
static int arm(HANDLE lookup, const struct armed *armed)
{
    WSACOMPLETION how = armed->how;
    WSATHREADID thread = {.Reserved = 0};
    DWORD len = 7;
    CHECK(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                          &thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS));
    HANDLE handle = thread.ThreadHandle;
    int error = error_of(
        nsp.NSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, &how, &thread));
    CHECK_INT(len, 0);
    memset(&how, 0xdd, sizeof how);
    memset(&thread, 0xdd, sizeof thread);
    CloseHandle(handle);
    return error;
}

static int poll(HANDLE lookup)
{
    DWORD len = 7;
    int error =
        error_of(nsp.NSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, NULL, NULL));
    CHECK_INT(len, 0);
    return error;
}

// Waits for the message-only window's message. False: none in time.
static bool take_message(HWND window, DWORD wait_ms, MSG *ret_message)
{
    if (PeekMessageW(ret_message, window, 0, 0, PM_REMOVE)) {
        return true;
    }
    return MsgWaitForMultipleObjects(0, NULL, FALSE, wait_ms, QS_ALLPOSTMESSAGE) == WAIT_OBJECT_0 &&
           PeekMessageW(ret_message, window, 0, 0, PM_REMOVE);
}

// The completion has come, with this error, and only once.
static void check_told(struct armed *armed, DWORD error, DWORD wait_ms)
{
    DWORD len;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    MSG message;
    switch (armed->how.Type) {
    case NSP_NOTIFY_EVENT:
        CHECK_INT(WaitForSingleObject(armed->event, wait_ms), WAIT_OBJECT_0);
        CHECK_INT(GetOverlappedResult(NULL, &armed->overlapped, &len, FALSE), error == 0);
        CHECK(error == 0 || GetLastError() == error);
        break;
    case NSP_NOTIFY_PORT:
        CHECK_INT(GetQueuedCompletionStatus(armed->port, &len, &key, &overlapped, wait_ms),
                  error == 0);
        CHECK(error == 0 || GetLastError() == error);
        CHECK_INT(key, 77);
        CHECK(overlapped == &armed->overlapped);
        CHECK(!GetQueuedCompletionStatus(armed->port, &len, &key, &overlapped, 0));
        break;
    case NSP_NOTIFY_APC:
        CHECK_INT(SleepEx(wait_ms, TRUE), WAIT_IO_COMPLETION);
        CHECK_INT(SleepEx(0, TRUE), 0);
        CHECK_INT(armed->apcs, 1);
        CHECK_INT(armed->apc_error, error);
        break;
    case NSP_NOTIFY_HWND:
        if (CHECK(take_message(armed->window, wait_ms, &message))) {
            CHECK_INT(message.message, WM_APP + 1);
            CHECK_INT(message.wParam, 78);
        }
        CHECK(!take_message(armed->window, 0, &message));
        break;
    default:
        break;
    }
}

static const struct {
    const char *name;
    WSACOMPLETIONTYPE type;
} kinds[] = {
    {"event", NSP_NOTIFY_EVENT},
    {"port", NSP_NOTIFY_PORT},
    {"APC", NSP_NOTIFY_APC},
    {"window", NSP_NOTIFY_HWND},
};
#define KINDS (sizeof kinds / sizeof *kinds)

// A change that waits to be fetched.
static void check_change(HANDLE lookup, DWORD flags)
{
    union buffer buf;
    if (CHECK_INT(next(lookup, &buf), 0)) {
        CHECK_INT(buf.set.dwOutputFlags, flags);
        CHECK_INT(port_of(&buf), port);
    }
}

static void test_poll(void)
{
    WSACOMPLETION how = {.Type = NSP_NOTIFY_IMMEDIATELY};
    DWORD len;
    check_begin("poll");
    HANDLE lookup = begin_and_read();
    CHECK_INT(poll(lookup), WSAEWOULDBLOCK);
    republish();
    DWORD until = GetTickCount() + WAIT_MS;
    int error = WSAEWOULDBLOCK;
    while (error == WSAEWOULDBLOCK && (LONG)(until - GetTickCount()) > 0) {
        SwitchToThread();
        error = poll(lookup);
    }
    CHECK_INT(error, 0);
    CHECK_INT(poll(lookup), 0);
    CHECK_INT(
        error_of(nsp.NSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, &how, NULL)),
        0);
    check_change(lookup, RESULT_IS_CHANGED);
    CHECK_INT(poll(lookup), WSAEWOULDBLOCK);
    CHECK_INT(
        error_of(nsp.NSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, &how, NULL)),
        WSAEWOULDBLOCK);
    CHECK_INT(end(lookup), 0);
}

static void test_notified(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct armed armed;
        check_begin(kinds[i].name);
        HANDLE lookup = begin_and_read();
        // Twice, since each notification is armed anew.
        for (int round = 0; round < 2; round++) {
            prepare(&armed, kinds[i].type);
            CHECK_INT(arm(lookup, &armed), WSA_IO_PENDING);
            republish();
            check_told(&armed, 0, WAIT_MS);
            check_change(lookup, RESULT_IS_CHANGED);
            dispose(&armed);
        }
        // Where there is something already, it is told at once.
        union buffer buf;
        HANDLE fresh = begin();
        DWORD len = 0;
        CHECK_INT(error_of(nsp.NSPLookupServiceNext(fresh, 0, &len, NULL)), WSAEFAULT);
        prepare(&armed, kinds[i].type);
        CHECK_INT(arm(fresh, &armed), 0);
        check_told(&armed, 0, 0);
        dispose(&armed);
        CHECK_INT(next(fresh, &buf), 0);
        CHECK_INT(end(fresh), 0);
        CHECK_INT(end(lookup), 0);
    }
}

static void test_aborted(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct armed armed;
        MSG message;
        check_begin(kinds[i].name);
        HANDLE lookup = begin_and_read();
        prepare(&armed, kinds[i].type);
        CHECK_INT(arm(lookup, &armed), WSA_IO_PENDING);
        CHECK_INT(end(lookup), 0);
        if (kinds[i].type == NSP_NOTIFY_HWND) {
            CHECK(!take_message(armed.window, 0, &message));
        } else {
            check_told(&armed, WSA_OPERATION_ABORTED, 0);
        }
        dispose(&armed);
    }
}

struct arming {
    HANDLE lookup;
    struct armed *armed;
};

static DWORD WINAPI arm_and_leave(void *context)
{
    struct arming *arming = context;
    CHECK_INT(arm(arming->lookup, arming->armed), WSA_IO_PENDING);
    return 0;
}

// What was armed in a thread that has ended. A routine cannot run any more, so its OVERLAPPED
// tells.
static void check_left(struct armed *armed)
{
    MSG message;
    if (armed->how.Type == NSP_NOTIFY_HWND) {
        CHECK(!take_message(armed->window, 0, &message));
    } else if (armed->how.Type == NSP_NOTIFY_APC) {
        CHECK_INT((DWORD)armed->overlapped.Internal, (DWORD)STATUS_CANCELLED);
        CHECK_INT(armed->apcs, 0);
    } else {
        check_told(armed, WSA_OPERATION_ABORTED, 0);
    }
}

static void test_thread_exit(void)
{
    HANDLE lookup = begin_and_read();
    for (size_t i = 0; i < KINDS; i++) {
        struct armed armed;
        check_begin(kinds[i].name);
        prepare(&armed, kinds[i].type);
        struct arming arming = {lookup, &armed};
        HANDLE thread = CreateThread(NULL, 0, arm_and_leave, &arming, 0, NULL);
        CHECK_INT(WaitForSingleObject(thread, WAIT_MS), WAIT_OBJECT_0);
        check_left(&armed);
        CloseHandle(thread);
        dispose(&armed);
    }
    CHECK_INT(end(lookup), 0);
}

// ---- End and Cleanup while others wait ----

struct waiting {
    HANDLE lookup;
    HANDLE waits; // an event: about to call Next
    int error;
};

static DWORD WINAPI wait_in_next(void *context)
{
    struct waiting *waiting = context;
    union buffer buf;
    SetEvent(waiting->waits);
    do {
        waiting->error = next(waiting->lookup, &buf);
    } while (waiting->error == 0);
    return 0;
}

// A name that nobody publishes: its search takes its time.
static HANDLE begin_absent(void)
{
    WCHAR absent[] = L"0000000000000000000000000000000000000000.absent";
    HANDLE lookup = NULL;
    WSAQUERYSETW set = set_of(absent, &name_class);
    CHECK_INT(error_of(nsp.NSPLookupServiceBegin(&name_provider, &set, NULL, 0, &lookup)), 0);
    return lookup;
}

static void test_end_while_next(void)
{
    check_begin("End while Next waits");
    for (int round = 0; round < 50; round++) {
        struct waiting waiting = {.lookup = begin_absent(),
                                  .waits = CreateEventW(NULL, TRUE, FALSE, NULL)};
        HANDLE thread = CreateThread(NULL, 0, wait_in_next, &waiting, 0, NULL);
        CHECK_INT(WaitForSingleObject(waiting.waits, WAIT_MS), WAIT_OBJECT_0);
        CHECK_INT(end(waiting.lookup), 0);
        CHECK_INT(WaitForSingleObject(thread, WAIT_MS), WAIT_OBJECT_0);
        // End may come before Next, in it, or after the search has ended.
        CHECK(waiting.error == WSA_E_CANCELLED || waiting.error == WSA_INVALID_HANDLE ||
              waiting.error == WSA_E_NO_MORE);
        CloseHandle(thread);
        CloseHandle(waiting.waits);
    }
}

static void test_lost(void)
{
    struct armed armed;
    check_begin("a lost daemon");
    HANDLE lookup = begin_and_read();
    prepare(&armed, NSP_NOTIFY_EVENT);
    CHECK_INT(arm(lookup, &armed), WSA_IO_PENDING);
    ask("kill", 0);
    check_told(&armed, WSAENETDOWN, WAIT_MS);
    CHECK_INT(poll(lookup), WSAENETDOWN);
    CHECK_INT(end(lookup), 0);
    dispose(&armed);
}

static int threads(void)
{
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    int count = 0;
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    }
    CloseHandle(all);
    return count;
}

// No thread before the first request, one from then on, and nothing after the last NSPCleanup.
static void test_nothing_left(void)
{
    DWORD before = 0, after = 0;
    check_begin("nothing is left");
    for (int round = 0; round < 3; round++) {
        nsp = (NSP_ROUTINE){.cbSize = sizeof nsp};
        CHECK_INT(error_of(startup(&name_provider, &nsp)), 0);
        int alone = threads();
        HANDLE lookup = begin_and_read();
        CHECK_INT(threads(), alone + 1);
        CHECK_INT(poll(lookup), WSAEWOULDBLOCK);
        HANDLE second = begin_and_read();
        CHECK_INT(threads(), alone + 1);
        CHECK_INT(end(second), 0);
        CHECK_INT(error_of(nsp.NSPCleanup(&name_provider)), 0);
        CHECK_INT(threads(), alone);
        CHECK_INT(end(lookup), WSA_INVALID_HANDLE);
        CHECK(GetProcessHandleCount(GetCurrentProcess(), &after));
        // What Windows' own libraries keep they have after the first round.
        CHECK(round < 2 || after == before);
        before = after;
    }
}

// The program's last WSACleanup is the last one also while lookups are under way: the provider
// holds no WSAStartup of its own, which would keep NSPCleanup from ever coming.
static void test_winsock_is_the_programs(void)
{
    WSADATA data;
    check_begin("the program's own Winsock");
    HANDLE lookup = begin_and_read();
    CHECK_INT(poll(lookup), WSAEWOULDBLOCK);
    CHECK_INT(WSACleanup(), 0);
    CHECK_INT(error_of(WSACleanup()), WSANOTINITIALISED);
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    CHECK_INT(end(lookup), 0);
}

static void test_cleanup(HMODULE dll)
{
    check_begin("cleanup with all that is open");
    HANDLE open = begin(), read = begin_and_read();
    struct armed armed, routine;
    struct waiting waiting = {.lookup = begin_absent(),
                              .waits = CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE thread = CreateThread(NULL, 0, wait_in_next, &waiting, 0, NULL);
    CHECK_INT(WaitForSingleObject(waiting.waits, WAIT_MS), WAIT_OBJECT_0);
    prepare(&armed, NSP_NOTIFY_EVENT);
    int error = arm(open, &armed);
    CHECK(error == WSA_IO_PENDING || error == 0);
    prepare(&routine, NSP_NOTIFY_APC);
    CHECK_INT(arm(read, &routine), WSA_IO_PENDING);
    CHECK_INT(error_of(nsp.NSPCleanup(&cloud_provider)), 0);
    CHECK_INT(error_of(nsp.NSPCleanup(&name_provider)), 0);
    CHECK_INT(WaitForSingleObject(armed.event, 0), WAIT_OBJECT_0);
    CHECK_INT(WaitForSingleObject(thread, WAIT_MS), WAIT_OBJECT_0);
    CHECK(waiting.error == WSA_E_CANCELLED || waiting.error == WSA_INVALID_HANDLE ||
          waiting.error == WSA_E_NO_MORE);
    CHECK_INT(end(open), WSA_INVALID_HANDLE);
    CloseHandle(thread);
    CloseHandle(waiting.waits);
    dispose(&armed);
    // The APC that is queued leads into the DLL, which stays until it has run.
    FreeLibrary(dll);
    CHECK(GetModuleHandleW(L"pnrnsp.dll") != NULL);
    CHECK_INT(routine.apcs, 0);
    CHECK_INT(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_INT(routine.apcs, 1);
    CHECK_INT(routine.apc_error, WSA_OPERATION_ABORTED);
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION) {
    }
    CHECK(GetModuleHandleW(L"pnrnsp.dll") == NULL);
}

static void test_absent(void)
{
    HANDLE lookup = NULL;
    check_begin("no daemon");
    WSAQUERYSETW set = set_of(name, &name_class);
    CHECK_INT(error_of(nsp.NSPLookupServiceBegin(&name_provider, &set, NULL, 0, &lookup)),
              WSASYSNOTREADY);
    CHECK(lookup == NULL);
}

// A daemon that hangs before it has greeted, goes, or talks nonsense.
static void test_bad(int code)
{
    union buffer buf;
    check_begin("a bad daemon");
    HANDLE lookup = begin_briefly();
    CHECK_INT(next(lookup, &buf), code);
    CHECK_INT(next(lookup, &buf), code);
    CHECK_INT(end(lookup), 0);
}

// One that hangs later costs the time that was asked for, and no lookup after that.
static void test_hung(void)
{
    union buffer buf;
    check_begin("a daemon that hangs");
    republish();
    CHECK_INT(end(begin_and_read()), 0);
    ask("stop", 0);
    HANDLE lookup = begin_briefly();
    CHECK_INT(poll(lookup), WSAEWOULDBLOCK);
    CHECK_INT(next(lookup, &buf), WSA_E_NO_MORE);
    CHECK_INT(next(lookup, &buf), WSA_E_NO_MORE);
    CHECK_INT(end(lookup), 0);
    ask("go", 0);
    CHECK_INT(end(begin_and_read()), 0);
}

// What a first argument other than a name stands for. False: it is a name.
static bool run_alone(int argc, char **argv)
{
    bool is_bad = argc > 2 && strcmp(argv[1], "bad") == 0;
    bool is_hung = argc > 2 && strcmp(argv[1], "hung") == 0;
    if (!is_bad && !is_hung) {
        return false;
    }
    CHECK_INT(error_of(startup(&name_provider, &nsp)), 0);
    MultiByteToWideChar(CP_UTF8, 0, is_hung ? argv[2] : "0.name", -1, name, 256);
    if (is_bad) {
        test_bad(atoi(argv[2]));
    } else {
        test_hung();
    }
    CHECK_INT(error_of(nsp.NSPCleanup(&name_provider)), 0);
    return true;
}

int main(int argc, char **argv)
{
    WSADATA data;
    HMODULE dll = LoadLibraryW(L"pnrnsp.dll");
    if (argc < 2 || dll == NULL || WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        printf("FAIL: pnrnsp.dll does not load: %lu\n", GetLastError());
        return 1;
    }
    startup = (LPNSPSTARTUP)(void (*)(void))GetProcAddress(dll, "NSPStartup");
    if (run_alone(argc, argv)) {
        return check_end("host");
    }
    MultiByteToWideChar(CP_UTF8, 0, argv[1], -1, name, 256);
    bool absent = strcmp(argv[1], "absent") == 0;
    if (!absent) {
        republish();
        test_nothing_left();
    }
    test_startup();
    test_foreign();
    if (absent) {
        test_absent();
        return check_end("host");
    }
    test_name();
    test_bad_pointers();
    test_poll();
    test_notified();
    test_aborted();
    test_thread_exit();
    test_end_while_next();
    test_winsock_is_the_programs();
    if (argc > 2) {
        test_lost();
    } else {
        test_cleanup(dll);
    }
    WSACleanup();
    return check_end("host");
}
