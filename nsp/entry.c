// SPDX-License-Identifier: MIT
// The entries of the provider, as Winsock calls them (NSP_ROUTINE): each says SOCKET_ERROR and sets
// its code as the last thing that it does. NSPStartup alone is exported; it hands out the others.
#include "nsp/provider.h"

#include <stddef.h>
#include <string.h>

#define VERSION 4 // of the table, major and minor

static void thread_ended(uint64_t thread_id);

static struct nsp_provider_state provider =
    NSP_PROVIDER_INIT(&nsp_memory_default, NULL, thread_ended);

static void thread_ended(uint64_t thread_id)
{
    nsp_provider_thread_left(&provider, thread_id);
}

static INT finish(int code)
{
    if (code == 0) {
        return NO_ERROR;
    }
    WSASetLastError(code);
    return SOCKET_ERROR;
}

static const GUID *readable_guid(const GUID *guid)
{
    return nsp_platform_peekable(guid, sizeof *guid) ? guid : NULL;
}

static INT WSAAPI cleanup(LPGUID guid)
{
    return finish(nsp_provider_stop(&provider, readable_guid(guid)));
}

static INT WSAAPI lookup_begin(LPGUID guid, LPWSAQUERYSETW set, LPWSASERVICECLASSINFOW class_info,
                               DWORD flags, LPHANDLE ret_handle)
{
    // Winsock's store of classes may have anything in it; ours are fixed.
    (void)class_info;
    return finish(nsp_provider_begin(&provider, readable_guid(guid), set, flags, ret_handle));
}

static INT WSAAPI lookup_next(HANDLE handle, DWORD flags, LPDWORD len, LPWSAQUERYSETW ret_set)
{
    return finish(nsp_provider_next(&provider, handle, flags, len, ret_set));
}

static INT WSAAPI lookup_end(HANDLE handle)
{
    return finish(nsp_provider_end(&provider, handle));
}

static INT WSAAPI set_service(LPGUID guid, LPWSASERVICECLASSINFOW class_info, LPWSAQUERYSETW set,
                              WSAESETSERVICEOP operation, DWORD flags)
{
    (void)class_info; // as of Begin
    return finish(nsp_provider_set_service(&provider, readable_guid(guid), set, operation, flags));
}

// PNRP's classes are fixed: none can be installed, removed or asked for.
static INT WSAAPI install_class(LPGUID guid, LPWSASERVICECLASSINFOW class_info)
{
    (void)guid;
    (void)class_info;
    return finish(WSAEOPNOTSUPP);
}

static INT WSAAPI remove_class(LPGUID guid, LPGUID class_id)
{
    (void)guid;
    (void)class_id;
    return finish(WSAEOPNOTSUPP);
}

static INT WSAAPI get_class_info(LPGUID guid, LPDWORD len, LPWSASERVICECLASSINFOW class_info)
{
    (void)guid;
    (void)len;
    (void)class_info;
    return finish(WSAEOPNOTSUPP);
}

// The buffers are not looked at: SIO_NSP_NOTIFY_CHANGE has none.
static INT WSAAPI lookup_ioctl(HANDLE handle, DWORD code, LPVOID in, DWORD in_len, LPVOID out,
                               DWORD out_len, LPDWORD ret_bytes, LPWSACOMPLETION how,
                               LPWSATHREADID thread)
{
    struct nsp_provider_ioctl call = {code, ret_bytes, how, thread};
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return finish(nsp_provider_ioctl(&provider, handle, &call));
}

static const NSP_ROUTINE routines = {
    .cbSize = sizeof(NSP_ROUTINE),
    .dwMajorVersion = VERSION,
    .dwMinorVersion = VERSION,
    .NSPCleanup = cleanup,
    .NSPLookupServiceBegin = lookup_begin,
    .NSPLookupServiceNext = lookup_next,
    .NSPLookupServiceEnd = lookup_end,
    .NSPSetService = set_service,
    .NSPInstallServiceClass = install_class,
    .NSPRemoveServiceClass = remove_class,
    .NSPGetServiceClassInfo = get_class_info,
    .NSPIoctl = lookup_ioctl,
};

// How much of the table the caller has room for; 0: too little. Callers that leave its size unset
// have all of it; those from before NSPIoctl all but that.
static size_t room_of(const NSP_ROUTINE *table)
{
    if (table->cbSize == 0 || table->cbSize >= sizeof *table) {
        return sizeof *table;
    }
    return table->cbSize >= offsetof(NSP_ROUTINE, NSPIoctl) ? offsetof(NSP_ROUTINE, NSPIoctl) : 0;
}

INT WSAAPI NSPStartup(LPGUID guid, LPNSP_ROUTINE ret_routines)
{
    size_t least = offsetof(NSP_ROUTINE, NSPIoctl);
    if (!nsp_platform_writable(ret_routines, least)) {
        return finish(WSAEINVAL);
    }
    size_t room = room_of(ret_routines);
    if (room == 0) {
        return finish(WSAEINVALIDPROCTABLE);
    }
    int error = nsp_provider_start(&provider, readable_guid(guid));
    if (error == 0) {
        memcpy(ret_routines, &routines, room);
        ret_routines->cbSize = (DWORD)room;
    }
    return finish(error);
}
