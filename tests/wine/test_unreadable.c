// SPDX-License-Identifier: MIT
// What a program hands the provider's entries and cannot be read, or not be written: told as an
// error, and never an exception in the program. Natively only NULL can be told, so this is of
// Windows alone. The rendezvous file that it is given leads nowhere: nothing here needs an answer.
#include "pnr/winsock.h"
#include "tests/wine/check.h"

#include <stdlib.h>
#include <string.h>

INT WSAAPI NSPStartup(LPGUID provider, LPNSP_ROUTINE ret_routines);

static NSP_ROUTINE nsp;
static HANDLE handle; // of a lookup
static char *nowhere; // a page that cannot be touched
static char *fixed;   // a page that can be read, and not be written
static char *edge;    // eight bytes before the end of what can be touched
static GUID name_id = {
    0x03fe89cd, 0x766d, 0x4976, {0xb9, 0xc1, 0xbb, 0x9b, 0xc4, 0x2c, 0x7b, 0x4d}};
static GUID class_id = {
    0xc2239ce7, 0x00c0, 0x4fbf, {0xba, 0xd6, 0x18, 0x13, 0x93, 0x85, 0xa4, 0x9a}};
static WCHAR name[] = u"0.name";

static int code_of(INT status)
{
    return status == 0 ? 0 : WSAGetLastError();
}

static void make_pages(void)
{
    SYSTEM_INFO info;
    DWORD before;
    GetSystemInfo(&info);
    size_t page = info.dwPageSize;
    char *pages = VirtualAlloc(NULL, 4 * page, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    CHECK(pages != NULL);
    memset(pages, 0x41, 4 * page);
    CHECK(VirtualProtect(pages + page, page, PAGE_NOACCESS, &before));
    CHECK(VirtualProtect(pages + 3 * page, page, PAGE_READONLY, &before));
    nowhere = pages + page;
    edge = nowhere - 8;
    fixed = pages + 3 * page;
}

// ---- Begin: a query set, one of whose pointers is bad ----

enum part {
    PART_SET,
    PART_CLASS,
    PART_PROVIDER,
    PART_NAME,
    PART_CONTEXT,
    PART_QUERY_STRING,
    PART_BLOB,
    PART_INFO,
    PART_HINT,
    PART_HANDLE,
};

static int begin(enum part part, void *bad)
{
    SOCKADDR_IN6 hint = {.sin6_family = AF_INET6};
    PNRPINFO_V1 info = {.dwSize = sizeof info, .dwFlags = PNRPINFO_HINT};
    info.saHint.iSockaddrLength = sizeof hint;
    info.saHint.lpSockaddr = part == PART_HINT ? bad : (void *)&hint;
    BLOB blob = {sizeof info, part == PART_INFO ? bad : (void *)&info};
    WSAQUERYSETW set = {.dwSize = sizeof set, .dwNameSpace = NS_PNRPNAME};
    set.lpServiceClassId = part == PART_CLASS ? bad : &class_id;
    set.lpNSProviderId = part == PART_PROVIDER ? bad : &name_id;
    set.lpszServiceInstanceName = part == PART_NAME ? bad : name;
    set.lpszContext = part == PART_CONTEXT ? bad : NULL;
    set.lpszQueryString = part == PART_QUERY_STRING ? bad : NULL;
    set.lpBlob = part == PART_BLOB ? bad : &blob;
    HANDLE further = NULL;
    int code = code_of(nsp.NSPLookupServiceBegin(&name_id, part == PART_SET ? bad : &set, NULL, 0,
                                                 part == PART_HANDLE ? bad : &further));
    CHECK(further == NULL);
    return code;
}

static void check_begin_all(void)
{
    static const struct {
        const char *name;
        enum part part;
    } rows[] = {
        {"Begin: set", PART_SET},           {"Begin: class", PART_CLASS},
        {"Begin: provider", PART_PROVIDER}, {"Begin: name", PART_NAME},
        {"Begin: context", PART_CONTEXT},   {"Begin: query string", PART_QUERY_STRING},
        {"Begin: blob", PART_BLOB},         {"Begin: info", PART_INFO},
        {"Begin: hint", PART_HINT},         {"Begin: handle", PART_HANDLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_begin(rows[i].name);
        CHECK_INT(begin(rows[i].part, nowhere), WSAEFAULT);
        // It begins where it can be read, and ends where it cannot. A handle fits there, and of a
        // query string the first unit is enough to refuse it.
        if (rows[i].part != PART_HANDLE && rows[i].part != PART_QUERY_STRING) {
            CHECK_INT(begin(rows[i].part, edge), WSAEFAULT);
        }
    }
    check_begin("Begin: handle, in what cannot be written");
    CHECK_INT(begin(PART_HANDLE, fixed), WSAEFAULT);
}

// ---- SetService: likewise ----

enum service_part {
    SERVICE_SET,
    SERVICE_CLASS,
    SERVICE_PROVIDER,
    SERVICE_NAME,
    SERVICE_CONTEXT,
    SERVICE_COMMENT,
    SERVICE_ADDRESSES,
    SERVICE_ADDRESS,
    SERVICE_BLOB,
    SERVICE_INFO,
    SERVICE_IDENTITY,
    SERVICE_BINARY,
    SERVICE_STRING,
    SERVICE_NOTHING,
};

static int set_service(enum service_part part, void *bad, WSAESETSERVICEOP operation)
{
    SOCKADDR_IN addr = {.sin_family = AF_INET};
    CSADDR_INFO address = {.iProtocol = IPPROTO_TCP};
    address.LocalAddr.lpSockaddr = part == SERVICE_ADDRESS ? bad : (void *)&addr;
    address.LocalAddr.iSockaddrLength = sizeof addr;
    PNRPINFO_V2 info = {.dwSize = sizeof info};
    info.lpwszIdentity = part == SERVICE_IDENTITY ? bad : NULL;
    if (part == SERVICE_BINARY) {
        info.enExtendedPayloadType = PNRP_EXTENDED_PAYLOAD_TYPE_BINARY;
        info.blobPayload = (BLOB){100, bad};
    } else if (part == SERVICE_STRING) {
        info.enExtendedPayloadType = PNRP_EXTENDED_PAYLOAD_TYPE_STRING;
        info.pwszPayload = bad;
    }
    BLOB blob = {sizeof info, part == SERVICE_INFO ? bad : (void *)&info};
    WSAQUERYSETW set = {.dwSize = sizeof set, .dwNameSpace = NS_PNRPNAME};
    set.lpServiceClassId = part == SERVICE_CLASS ? bad : &class_id;
    set.lpNSProviderId = part == SERVICE_PROVIDER ? bad : &name_id;
    set.lpszServiceInstanceName = part == SERVICE_NAME ? bad : name;
    set.lpszContext = part == SERVICE_CONTEXT ? bad : NULL;
    set.lpszComment = part == SERVICE_COMMENT ? bad : NULL;
    set.dwNumberOfCsAddrs = 1;
    set.lpcsaBuffer = part == SERVICE_ADDRESSES ? bad : &address;
    set.lpBlob = part == SERVICE_BLOB ? bad : &blob;
    return code_of(
        nsp.NSPSetService(&name_id, NULL, part == SERVICE_SET ? bad : &set, operation, 0));
}

static void check_set_service_all(void)
{
    static const struct {
        const char *name;
        enum service_part part;
        bool names; // looked at to withdraw, too
    } rows[] = {
        {"SetService: set", SERVICE_SET, true},
        {"SetService: class", SERVICE_CLASS, true},
        {"SetService: provider", SERVICE_PROVIDER, true},
        {"SetService: name", SERVICE_NAME, true},
        {"SetService: context", SERVICE_CONTEXT, true},
        {"SetService: comment", SERVICE_COMMENT, false},
        {"SetService: addresses", SERVICE_ADDRESSES, false},
        {"SetService: address", SERVICE_ADDRESS, false},
        {"SetService: blob", SERVICE_BLOB, false},
        {"SetService: info", SERVICE_INFO, false},
        {"SetService: identity", SERVICE_IDENTITY, false},
        {"SetService: binary payload", SERVICE_BINARY, false},
        {"SetService: string payload", SERVICE_STRING, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int deleted = rows[i].names ? WSAEFAULT : WSASERVICE_NOT_FOUND;
        check_begin(rows[i].name);
        CHECK_INT(set_service(rows[i].part, nowhere, RNRSERVICE_REGISTER), WSAEFAULT);
        CHECK_INT(set_service(rows[i].part, edge, RNRSERVICE_REGISTER), WSAEFAULT);
        CHECK_INT(set_service(rows[i].part, nowhere, RNRSERVICE_DELETE), deleted);
    }
    check_begin("SetService: all of it can be read");
    CHECK_INT(set_service(SERVICE_NOTHING, NULL, RNRSERVICE_REGISTER), WSASYSNOTREADY);
}

// ---- NSPIoctl ----

struct ioctl {
    DWORD *bytes;
    WSACOMPLETION *how;
    WSATHREADID *thread;
};

static int ioctl_with(struct ioctl call)
{
    return code_of(nsp.NSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, call.bytes,
                                call.how, call.thread));
}

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
}

static int arm(WSACOMPLETIONTYPE type, void *overlapped, WSATHREADID *thread)
{
    DWORD bytes = 99;
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = type;
    if (type == NSP_NOTIFY_APC) {
        how.Parameters.Apc.lpOverlapped = overlapped;
        how.Parameters.Apc.lpfnCompletionProc = routine;
    } else if (type == NSP_NOTIFY_PORT) {
        how.Parameters.Port.lpOverlapped = overlapped;
        how.Parameters.Port.hPort = GetCurrentProcess();
    } else {
        how.Parameters.Event.lpOverlapped = overlapped;
    }
    return ioctl_with((struct ioctl){&bytes, &how, thread});
}

static void check_ioctl_all(void)
{
    DWORD bytes = 99;
    WSATHREADID thread = {GetCurrentThread(), 0};
    check_begin("NSPIoctl: completion");
    CHECK_INT(ioctl_with((struct ioctl){&bytes, (void *)nowhere, NULL}), WSAEFAULT);
    CHECK_INT(ioctl_with((struct ioctl){&bytes, (void *)edge, NULL}), WSAEFAULT);
    check_begin("NSPIoctl: bytes returned");
    CHECK_INT(ioctl_with((struct ioctl){(void *)nowhere, NULL, NULL}), WSAEFAULT);
    check_begin("NSPIoctl: OVERLAPPED");
    static const WSACOMPLETIONTYPE types[] = {NSP_NOTIFY_EVENT, NSP_NOTIFY_PORT, NSP_NOTIFY_APC};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        CHECK_INT(arm(types[i], nowhere, &thread), WSAEFAULT);
        CHECK_INT(arm(types[i], edge, &thread), WSAEFAULT);
        CHECK_INT(arm(types[i], fixed, &thread), WSAEFAULT);
    }
    check_begin("NSPIoctl: thread");
    OVERLAPPED overlapped = {0};
    CHECK_INT(arm(NSP_NOTIFY_APC, &overlapped, (void *)nowhere), WSAEFAULT);
}

// ---- the others ----

static void check_others(void)
{
    NSP_ROUTINE table = {.cbSize = sizeof table};
    check_begin("NSPStartup: table");
    CHECK_INT(code_of(NSPStartup(&name_id, (void *)nowhere)), WSAEINVAL);
    CHECK_INT(code_of(NSPStartup(&name_id, (void *)edge)), WSAEINVAL);
    CHECK_INT(code_of(NSPStartup(&name_id, (void *)fixed)), WSAEINVAL);
    check_begin("NSPStartup: provider");
    CHECK_INT(code_of(NSPStartup((void *)nowhere, &table)), WSAEINVAL);
    CHECK_INT(code_of(NSPStartup((void *)edge, &table)), WSAEINVAL);
    check_begin("NSPCleanup: provider");
    CHECK_INT(code_of(nsp.NSPCleanup((void *)nowhere)), WSAEINVAL);
    check_begin("Next: length");
    CHECK_INT(code_of(nsp.NSPLookupServiceNext(handle, 0, (void *)nowhere, NULL)), WSAEFAULT);
    CHECK_INT(code_of(nsp.NSPLookupServiceNext(handle, 0, (void *)fixed, NULL)), WSAEFAULT);
}

int main(void)
{
    WSADATA data;
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    make_pages();
    nsp.cbSize = sizeof nsp;
    CHECK_INT(code_of(NSPStartup(&name_id, &nsp)), 0);
    WSAQUERYSETW set = {.dwSize = sizeof set,
                        .lpServiceClassId = &class_id,
                        .lpszServiceInstanceName = name,
                        .dwNameSpace = NS_PNRPNAME};
    check_begin("a lookup");
    CHECK_INT(code_of(nsp.NSPLookupServiceBegin(&name_id, &set, NULL, 0, &handle)), 0);
    check_begin_all();
    check_set_service_all();
    check_ioctl_all();
    check_others();
    check_begin("the end");
    CHECK_INT(code_of(nsp.NSPLookupServiceEnd(handle)), 0);
    CHECK_INT(code_of(nsp.NSPCleanup(&name_id)), 0);
    WSACleanup();
    return check_end("test_unreadable");
}
