// SPDX-License-Identifier: MIT
// The test-only ws2_32.dll, asked as any Winsock program asks, with the toy providers behind it.
#include "tests/wine/check.h"
#include "tests/wine/toy.h"

#include <ws2tcpip.h>

#include <string.h>
#include <wchar.h>

// Without ws2_32/socket.c the server falls over in most runs of so many.
#define CLOSING_ROUNDS 200

static GUID ids[TOY_PROVIDERS + 1] = {TOY_ID(0), TOY_ID(1), TOY_ID(2), TOY_ID(3)};
static GUID toy_class = TOY_CLASS;
static toy_count_fn toy_count;
static WCHAR toy_path[MAX_PATH];

static LONG sum(enum toy_count what)
{
    return toy_count(1, what) + toy_count(2, what) + toy_count(3, what);
}

// 0, or the error that the calling thread was left with.
static int error_of(INT status)
{
    return status == 0 ? 0 : WSAGetLastError();
}

static WSAQUERYSETW set_of(WCHAR *name, DWORD name_space, GUID *provider)
{
    return (WSAQUERYSETW){.dwSize = sizeof(WSAQUERYSETW),
                          .lpszServiceInstanceName = name,
                          .lpServiceClassId = &toy_class,
                          .dwNameSpace = name_space,
                          .lpNSProviderId = provider};
}

static HANDLE begin(const WCHAR *name, DWORD name_space, GUID *provider)
{
    WCHAR copy[32];
    HANDLE lookup = NULL;
    WSAQUERYSETW set = set_of(wcscpy(copy, name), name_space, provider);
    CHECK_INT(error_of(WSALookupServiceBeginW(&set, 0, &lookup)), 0);
    return lookup;
}

// ---- the catalog ----

static int install(int number, DWORD name_space)
{
    WCHAR name[] = L"Toy 0";
    name[4] = (WCHAR)(L'0' + number);
    return error_of(WSCInstallNameSpace(name, toy_path, name_space, 1, &ids[number]));
}

static void uninstall_all(void)
{
    for (int i = 1; i <= TOY_PROVIDERS; i++) {
        (void)WSCUnInstallNameSpace(&ids[i]);
    }
}

// Whether a provider is listed, and as active; and by both functions alike.
static void check_listed(int number, bool listed, bool active)
{
    union {
        WSANAMESPACE_INFOW wide[64];
        WSANAMESPACE_INFOA narrow[64];
        char room[8192];
    } infos;
    DWORD len = 1;
    bool found = false;
    CHECK_INT(WSAEnumNameSpaceProvidersW(&len, NULL), SOCKET_ERROR);
    CHECK_INT(WSAGetLastError(), WSAEFAULT);
    CHECK(len <= sizeof infos);
    int count = WSAEnumNameSpaceProvidersW(&len, infos.wide);
    for (int i = 0; i < count; i++) {
        if (IsEqualGUID(&infos.wide[i].NSProviderId, &ids[number])) {
            found = true;
            CHECK_INT(infos.wide[i].fActive != 0, active);
            CHECK(wcsncmp(infos.wide[i].lpszIdentifier, L"Toy ", 4) == 0);
        }
    }
    CHECK_INT(found, listed);
    len = sizeof infos;
    CHECK_INT(WSAEnumNameSpaceProvidersA(&len, infos.narrow), count);
    for (int i = 0; i < count; i++) {
        if (IsEqualGUID(&infos.narrow[i].NSProviderId, &ids[number])) {
            CHECK(strncmp(infos.narrow[i].lpszIdentifier, "Toy ", 4) == 0);
        }
    }
}

static void test_catalog(void)
{
    check_begin("catalog");
    uninstall_all();
    check_listed(1, false, false);
    CHECK_INT(error_of(WSCUnInstallNameSpace(&ids[1])), WSAEINVAL);
    CHECK_INT(error_of(WSCUnInstallNameSpace(NULL)), WSAEFAULT);
    CHECK_INT(error_of(WSCEnableNSProvider(&ids[1], TRUE)), WSAEINVAL);
    CHECK_INT(error_of(WSCInstallNameSpace(NULL, toy_path, 1, 1, &ids[1])), WSAEINVAL);
    CHECK_INT(install(1, TOY_NAMESPACE_1), 0);
    CHECK_INT(install(1, TOY_NAMESPACE_1), WSANO_RECOVERY);
    check_listed(1, true, true);
    CHECK_INT(error_of(WSCEnableNSProvider(&ids[1], FALSE)), 0);
    check_listed(1, true, false);
    CHECK_INT(error_of(WSCEnableNSProvider(&ids[1], TRUE)), 0);
    CHECK_INT(install(2, TOY_NAMESPACE_2), 0);
    CHECK_INT(error_of(WSCInstallNameSpaceEx((WCHAR[]){L"Toy 3"}, toy_path, TOY_NAMESPACE_1, 1,
                                             &ids[3], NULL)),
              0);
    CHECK_INT(error_of(WSCUnInstallNameSpace(&ids[2])), 0);
    check_listed(1, true, true);
    check_listed(2, false, false);
    check_listed(3, true, true);
    CHECK_INT(install(2, TOY_NAMESPACE_2), 0);
}

// ---- who is asked ----

static void test_refusals(void)
{
    static const struct {
        const char *name;
        bool no_set, no_class, no_lookup;
        DWORD size;
        int error;
    } rows[] = {
        {"no set", true, false, false, sizeof(WSAQUERYSETW), WSAEFAULT},
        {"no class", false, true, false, sizeof(WSAQUERYSETW), WSAEFAULT},
        {"nowhere to put the handle", false, false, true, sizeof(WSAQUERYSETW), WSAEFAULT},
        {"a set that is too small", false, false, false, sizeof(WSAQUERYSETW) - 1, WSAEINVAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WCHAR name[] = L"name";
        HANDLE lookup;
        check_begin(rows[i].name);
        WSAQUERYSETW set = set_of(name, NS_ALL, NULL);
        set.dwSize = rows[i].size;
        set.lpServiceClassId = rows[i].no_class ? NULL : &toy_class;
        CHECK_INT(error_of(WSALookupServiceBeginW(rows[i].no_set ? NULL : &set, 0,
                                                  rows[i].no_lookup ? NULL : &lookup)),
                  rows[i].error);
    }
}

// What a query returns until it fails, as "1:one 1:two !10110".
static void read_all(HANDLE lookup, char *ret_text, size_t text_len)
{
    union {
        WSAQUERYSETW set;
        char room[512];
    } buf;
    size_t used = 0;
    int error;
    do {
        DWORD len = sizeof buf;
        error = error_of(WSALookupServiceNextW(lookup, 0, &len, &buf.set));
        if (error == 0) {
            used +=
                (size_t)snprintf(ret_text + used, text_len - used, "%u:%ls ",
                                 (unsigned)buf.set.dwOutputFlags, buf.set.lpszServiceInstanceName);
        }
    } while (error == 0);
    snprintf(ret_text + used, text_len - used, "!%d", error);
}

static void test_who_is_asked(void)
{
    static const struct {
        const char *name;
        const WCHAR *instance;
        DWORD name_space;
        int provider; // 0: none is named
        int error;    // of Begin
        const char *results;
    } rows[] = {
        {"one namespace, one provider", L"a", TOY_NAMESPACE_2, 0, 0, "2:one 2:two !10110"},
        {"one namespace, two of them", L"a", TOY_NAMESPACE_1, 0, 0,
         "1:one 1:two 3:one 3:two !10110"},
        {"all namespaces", L"a", NS_ALL, 0, 0, "1:one 1:two 3:one 3:two 2:one 2:two !10110"},
        {"a provider by its id", L"a", TOY_NAMESPACE_1, 3, 0, "3:one 3:two !10110"},
        {"by its id, of another namespace", L"a", TOY_NAMESPACE_2, 1, 0, "1:one 1:two !10110"},
        {"an id that nobody has", L"a", TOY_NAMESPACE_1, -1, WSAEINVAL, ""},
        {"a namespace that nobody has", L"a", 0x7003, 0, WSASERVICE_NOT_FOUND, ""},
        {"who refuses is left out", L"refuse1", TOY_NAMESPACE_1, 0, 0, "3:one 3:two !10110"},
        {"the last refuses, the first does not", L"refuse3", TOY_NAMESPACE_1, 0, 0,
         "1:one 1:two !10110"},
        {"all refuse: the last one's error", L"refuse13", TOY_NAMESPACE_1, 0, TOY_REFUSED(3), ""},
        {"all of all refuse", L"refuse123", NS_ALL, 0, TOY_REFUSED(2), ""},
        {"the last one's error reaches the caller", L"gone", TOY_NAMESPACE_1, 0, 0, "!10050"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WCHAR name[32];
        char text[256] = "";
        HANDLE lookup = NULL;
        check_begin(rows[i].name);
        GUID *id = rows[i].provider == 0    ? NULL
                   : rows[i].provider == -1 ? &ids[0]
                                            : &ids[rows[i].provider];
        WSAQUERYSETW set = set_of(wcscpy(name, rows[i].instance), rows[i].name_space, id);
        CHECK_INT(error_of(WSALookupServiceBeginW(&set, 0, &lookup)), rows[i].error);
        if (rows[i].error == 0) {
            read_all(lookup, text, sizeof text);
            if (!CHECK(strcmp(text, rows[i].results) == 0)) {
                printf("    it was %s\n", text);
            }
            CHECK_INT(error_of(WSALookupServiceEnd(lookup)), 0);
        }
        CHECK_INT(error_of(WSALookupServiceEnd(lookup)), WSA_INVALID_HANDLE);
    }
    check_begin("each was started once");
    CHECK_INT(sum(TOY_STARTUPS), 3);
}

// ---- Next ----

static void test_too_small(void)
{
    union {
        WSAQUERYSETW set;
        char room[512];
    } buf;
    check_begin("too small a buffer");
    HANDLE lookup = begin(L"a", TOY_NAMESPACE_1, NULL);
    DWORD len = sizeof(WSAQUERYSETW);
    for (int i = 0; i < 2; i++) {
        len = sizeof(WSAQUERYSETW);
        CHECK_INT(error_of(WSALookupServiceNextW(lookup, 0, &len, &buf.set)), WSAEFAULT);
        CHECK_INT(len, sizeof(WSAQUERYSETW) + 4 * sizeof(WCHAR));
    }
    CHECK_INT(error_of(WSALookupServiceNextW(lookup, 0, &len, &buf.set)), 0);
    CHECK_INT(buf.set.dwOutputFlags, 1);
    CHECK(wcscmp(buf.set.lpszServiceInstanceName, L"one") == 0);
    CHECK_INT(error_of(WSALookupServiceEnd(lookup)), 0);
}

static void test_after_the_end(void)
{
    char text[256];
    check_begin("after no more, with NSPIoctl");
    HANDLE lookup = begin(L"a", TOY_NAMESPACE_1, &ids[1]);
    read_all(lookup, text, sizeof text);
    read_all(lookup, text, sizeof text);
    CHECK(strcmp(text, "1:late !10110") == 0);
    CHECK_INT(error_of(WSALookupServiceEnd(lookup)), 0);

    check_begin("after no more, without NSPIoctl");
    lookup = begin(L"a", TOY_NAMESPACE_2, NULL);
    read_all(lookup, text, sizeof text);
    LONG nexts = toy_count(2, TOY_NEXTS);
    read_all(lookup, text, sizeof text);
    CHECK(strcmp(text, "!10110") == 0);
    CHECK_INT(toy_count(2, TOY_NEXTS), nexts);
    CHECK_INT(error_of(WSALookupServiceEnd(lookup)), 0);
}

struct waiting {
    HANDLE lookup;
    int error;
};

static DWORD WINAPI wait_in_next(void *context)
{
    struct waiting *waiting = context;
    union {
        WSAQUERYSETW set;
        char room[512];
    } buf;
    DWORD len = sizeof buf;
    waiting->error = error_of(WSALookupServiceNextW(waiting->lookup, 0, &len, &buf.set));
    return 0;
}

static void test_end_while_next(void)
{
    check_begin("End while Next waits in the provider");
    LONG nexts = toy_count(1, TOY_NEXTS);
    struct waiting waiting = {.lookup = begin(L"block", TOY_NAMESPACE_1, NULL)};
    HANDLE thread = CreateThread(NULL, 0, wait_in_next, &waiting, 0, NULL);
    while (toy_count(1, TOY_NEXTS) == nexts) {
        SwitchToThread();
    }
    LONG others = toy_count(3, TOY_NEXTS);
    CHECK_INT(error_of(WSALookupServiceEnd(waiting.lookup)), 0);
    CHECK_INT(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK_INT(waiting.error, WSA_E_CANCELLED);
    // The next provider is not asked on behalf of a dead query.
    CHECK_INT(toy_count(3, TOY_NEXTS), others);
    CHECK_INT(error_of(WSALookupServiceEnd(waiting.lookup)), WSA_INVALID_HANDLE);
    CloseHandle(thread);
}

static void test_narrow(void)
{
    union {
        WSAQUERYSETA set;
        char room[512];
    } buf;
    char name[] = "a";
    HANDLE lookup = NULL;
    check_begin("texts of one byte");
    WSAQUERYSETA set = {.dwSize = sizeof set,
                        .lpszServiceInstanceName = name,
                        .lpServiceClassId = &toy_class,
                        .dwNameSpace = TOY_NAMESPACE_2};
    CHECK_INT(error_of(WSALookupServiceBeginA(&set, 0, &lookup)), 0);
    DWORD len = sizeof buf;
    CHECK_INT(error_of(WSALookupServiceNextA(lookup, 0, &len, &buf.set)), 0);
    CHECK(strcmp(buf.set.lpszServiceInstanceName, "one") == 0);
    CHECK_INT(error_of(WSALookupServiceEnd(lookup)), 0);
    LONG sets = toy_count(2, TOY_SETS);
    CHECK_INT(error_of(WSASetServiceA(&set, RNRSERVICE_REGISTER, 0)), 0);
    CHECK_INT(toy_count(2, TOY_SETS), sets + 1);
}

// ---- NSPIoctl ----

static int apcs;

static void CALLBACK on_apc(DWORD error, DWORD count, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    CHECK_INT(error, 0);
    CHECK_INT(count + flags, 0);
    CHECK(overlapped != NULL);
    apcs++;
}

static void test_ioctl(void)
{
    static const struct {
        const char *name;
        DWORD name_space;
        int provider;
        DWORD code;
        int error;
    } rows[] = {
        {"one provider", TOY_NAMESPACE_1, 1, SIO_NSP_NOTIFY_CHANGE, 0},
        {"another code", TOY_NAMESPACE_1, 1, 1, WSAEOPNOTSUPP},
        {"several providers", TOY_NAMESPACE_1, 0, SIO_NSP_NOTIFY_CHANGE, WSAEINVAL},
        {"one without NSPIoctl", TOY_NAMESPACE_2, 0, SIO_NSP_NOTIFY_CHANGE, WSAEOPNOTSUPP},
    };
    DWORD len;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_begin(rows[i].name);
        len = 7;
        HANDLE lookup =
            begin(L"a", rows[i].name_space, rows[i].provider == 0 ? NULL : &ids[rows[i].provider]);
        CHECK_INT(error_of(WSANSPIoctl(lookup, rows[i].code, NULL, 0, NULL, 0, &len, NULL)),
                  rows[i].error);
        CHECK_INT(error_of(WSALookupServiceEnd(lookup)), 0);
        CHECK_INT(error_of(WSANSPIoctl(lookup, rows[i].code, NULL, 0, NULL, 0, &len, NULL)),
                  WSA_INVALID_HANDLE);
    }
    check_begin("an APC for the calling thread");
    WSAOVERLAPPED overlapped = {.hEvent = NULL};
    WSACOMPLETION completion = {.Type = NSP_NOTIFY_APC};
    completion.Parameters.Apc.lpOverlapped = &overlapped;
    completion.Parameters.Apc.lpfnCompletionProc = on_apc;
    HANDLE lookup = begin(L"a", TOY_NAMESPACE_1, &ids[1]);
    CHECK_INT(
        error_of(WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, &completion)),
        WSA_IO_PENDING);
    CHECK_INT(SleepEx(20000, TRUE), WAIT_IO_COMPLETION);
    CHECK_INT(apcs, 1);
    CHECK_INT(error_of(WSALookupServiceEnd(lookup)), 0);
}

static void test_set_service(void)
{
    static const struct {
        const char *name;
        const WCHAR *instance;
        DWORD name_space;
        int error;
        LONG told;
    } rows[] = {
        {"one", L"a", TOY_NAMESPACE_2, 0, 1},
        {"all of a namespace", L"a", TOY_NAMESPACE_1, 0, 2},
        {"one of them refuses", L"refuse3", TOY_NAMESPACE_1, 0, 2},
        {"all of them refuse", L"refuse13", TOY_NAMESPACE_1, TOY_REFUSED(3), 2},
        {"nobody is there", L"a", 0x7003, WSASERVICE_NOT_FOUND, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WCHAR name[32];
        LONG told = sum(TOY_SETS);
        check_begin(rows[i].name);
        WSAQUERYSETW set = set_of(wcscpy(name, rows[i].instance), rows[i].name_space, NULL);
        CHECK_INT(error_of(WSASetServiceW(&set, RNRSERVICE_REGISTER, 0)), rows[i].error);
        CHECK_INT(sum(TOY_SETS) - told, rows[i].told);
    }
}

// ---- from the first WSAStartup to the last WSACleanup ----

static void test_sockets(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int len = sizeof addr;
    check_begin("sockets are Wine's");
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    CHECK(fd != INVALID_SOCKET);
    CHECK_INT(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    CHECK(addr.sin_port != 0);
    CHECK_INT(closesocket(fd), 0);
}

static void test_outside(const char *when)
{
    WCHAR name[] = L"a";
    HANDLE lookup;
    DWORD len;
    check_begin(when);
    WSAQUERYSETW set = set_of(name, TOY_NAMESPACE_1, NULL);
    CHECK_INT(error_of(WSALookupServiceBeginW(&set, 0, &lookup)), WSANOTINITIALISED);
    CHECK_INT(error_of(WSALookupServiceEnd((HANDLE)4)), WSANOTINITIALISED);
    CHECK_INT(error_of(WSASetServiceW(&set, RNRSERVICE_REGISTER, 0)), WSANOTINITIALISED);
    CHECK_INT(error_of(WSANSPIoctl((HANDLE)4, 0, NULL, 0, NULL, 0, &len, NULL)), WSANOTINITIALISED);
    CHECK_INT(sum(TOY_STARTUPS), sum(TOY_CLEANUPS));
}

static void test_disabled(void)
{
    WSADATA data;
    WCHAR name[] = L"a";
    HANDLE lookup;
    check_begin("a disabled provider is not asked, from the next start on");
    WSAQUERYSETW set = set_of(name, TOY_NAMESPACE_2, NULL);
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    CHECK_INT(error_of(WSCEnableNSProvider(&ids[2], FALSE)), 0);
    CHECK_INT(error_of(WSALookupServiceEnd(begin(L"a", TOY_NAMESPACE_2, NULL))), 0);
    CHECK_INT(WSACleanup(), 0);
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    CHECK_INT(error_of(WSALookupServiceBeginW(&set, 0, &lookup)), WSASERVICE_NOT_FOUND);
    set.lpNSProviderId = &ids[2];
    CHECK_INT(error_of(WSALookupServiceBeginW(&set, 0, &lookup)), WSAEINVAL);
    CHECK_INT(WSACleanup(), 0);
    CHECK_INT(error_of(WSCEnableNSProvider(&ids[2], TRUE)), 0);
}

static void test_life(void)
{
    WSADATA data;
    check_begin("NSPStartup on first use, NSPCleanup at the last WSACleanup");
    LONG startups = sum(TOY_STARTUPS), ends = sum(TOY_ENDS);
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    CHECK_INT(sum(TOY_STARTUPS) - startups, 0);
    (void)begin(L"a", TOY_NAMESPACE_1, &ids[1]);
    (void)begin(L"a", TOY_NAMESPACE_1, &ids[1]);
    CHECK_INT(sum(TOY_STARTUPS) - startups, 1);
    CHECK_INT(WSACleanup(), 0);
    CHECK_INT(sum(TOY_STARTUPS) - sum(TOY_CLEANUPS), 1);
    CHECK_INT(WSACleanup(), 0);
    CHECK_INT(sum(TOY_STARTUPS), sum(TOY_CLEANUPS));
    // Nobody tells the provider of the queries that are left.
    CHECK_INT(sum(TOY_ENDS), ends);
}

struct talk {
    SOCKET socket;
    HANDLE under_way;
};

// As a provider's thread does, until its socket is gone.
static DWORD WINAPI talk(void *context)
{
    struct talk *talk = context;
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    char byte;
    while (WSAEventSelect(talk->socket, event, FD_READ | FD_CLOSE) == 0 &&
           (recv(talk->socket, &byte, 1, 0) >= 0 || WSAGetLastError() == WSAEWOULDBLOCK)) {
        SetEvent(talk->under_way);
    }
    CloseHandle(event);
    return 0;
}

static SOCKET listen_on_loopback(struct sockaddr_in *ret_addr)
{
    int len = sizeof *ret_addr;
    SOCKET fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    *ret_addr = (struct sockaddr_in){.sin_family = AF_INET};
    ret_addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(bind(fd, (const struct sockaddr *)ret_addr, sizeof *ret_addr), 0);
    CHECK_INT(listen(fd, 1), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)ret_addr, &len), 0);
    return fd;
}

// The last WSACleanup closes the socket of a thread that is in a call with it, and then its peer,
// which is news for the former.
static void test_closed_in_a_call(void)
{
    WSADATA data;
    struct sockaddr_in addr;
    check_begin("the last WSACleanup closes sockets that are in use");
    for (int round = 0; round < CLOSING_ROUNDS; round++) {
        u_long nonblocking = 1;
        struct talk ours = {.under_way = CreateEventW(NULL, TRUE, FALSE, NULL)};
        CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
        SOCKET listener = listen_on_loopback(&addr);
        ours.socket = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        CHECK_INT(connect(ours.socket, (const struct sockaddr *)&addr, sizeof addr), 0);
        CHECK(accept(listener, NULL, NULL) != INVALID_SOCKET);
        CHECK_INT(ioctlsocket(ours.socket, FIONBIO, &nonblocking), 0);
        HANDLE thread = CreateThread(NULL, 0, talk, &ours, 0, NULL);
        CHECK_INT(WaitForSingleObject(ours.under_way, INFINITE), WAIT_OBJECT_0);
        CHECK_INT(WSACleanup(), 0);
        CHECK_INT(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        CloseHandle(thread);
        CloseHandle(ours.under_way);
    }
}

int main(void)
{
    WSADATA data;
    GetModuleFileNameW(NULL, toy_path, MAX_PATH);
    wcscpy(wcsrchr(toy_path, L'\\') + 1, L"toy_nsp.dll");
    // A reference of our own, so that the counts outlive the last WSACleanup.
    HMODULE toy = LoadLibraryW(toy_path);
    if (toy == NULL) {
        printf("FAIL: toy_nsp.dll does not load\n");
        return 1;
    }
    toy_count = (toy_count_fn)(void (*)(void))GetProcAddress(toy, "toy_count");
    test_catalog();
    test_outside("before WSAStartup");
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    test_sockets();
    test_refusals();
    test_who_is_asked();
    test_too_small();
    test_after_the_end();
    test_end_while_next();
    test_narrow();
    test_ioctl();
    test_set_service();
    CHECK_INT(WSACleanup(), 0);
    test_outside("after the last WSACleanup");
    test_life();
    test_disabled();
    test_closed_in_a_call();
    test_outside("after all");
    uninstall_all();
    return check_end("ws2_32");
}
