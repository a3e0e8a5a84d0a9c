// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_PROVIDER_H
#define PNR_NSP_PROVIDER_H

// The provider in its process: who has started it, and with that its one link and its handles. The
// DLL has one, in nsp/entry.c; tests may have others.
//
// Winsock starts it once for each of its two GUIDs, and perhaps again and again; the last stop ends
// everything: all lookups, whoever waits in them, what they have armed, the connection and its
// thread. A start after that begins anew.
//
// Any function may be called on any thread at any time, except that nsp_provider_stop() waits for
// all others and is thus not called within one.

#include "nsp/guid.h"
#include "nsp/handle.h"
#include "nsp/link.h"
#include "nsp/lookup.h"
#include "nsp/memory.h"
#include "nsp/platform.h"
#include "nsp/registration.h"
#include "pnr/winsock.h"

#define NSP_PROVIDER_STOP_MS 5000 // for calls under way to come back, once they are told to

struct nsp_provider_state {
    const struct nsp_memory *memory;
    const char *address;                     // of the daemon; NULL: the default
    void (*ended)(uint64_t thread_id);       // calls nsp_provider_thread_left()
    struct nsp_lock life;                    // start and stop, one after the other
    unsigned starts[NSP_PROVIDER_CLOUD + 1]; // by enum nsp_provider
    struct nsp_lock lock;                    // of what follows
    struct nsp_condition idle;
    struct nsp_link *link; // NULL: not started
    uint32_t inside;       // calls that use the link
    struct nsp_lookup_set lookups;
    struct nsp_handle_table handles;
    struct nsp_registration_set registrations;
};
#define NSP_PROVIDER_INIT(memory_used, address_used, ended_used)                                   \
    {                                                                                              \
        .memory = (memory_used), .address = (address_used), .ended = (ended_used),                 \
        .life = NSP_LOCK_INIT, .lock = NSP_LOCK_INIT, .idle = NSP_CONDITION_INIT,                  \
        .lookups = NSP_LOOKUP_SET_INIT, .handles = NSP_HANDLE_TABLE_INIT,                          \
        .registrations = NSP_REGISTRATION_SET_INIT                                                 \
    }

// Each of these returns 0 or a WSA code.

// Opens neither connection nor thread. WSAEINVAL: a foreign GUID; WSA_NOT_ENOUGH_MEMORY.
int nsp_provider_start(struct nsp_provider_state *provider, const GUID *guid);

// Undoes one start. WSAEINVAL: a foreign GUID, or one that was not started.
int nsp_provider_stop(struct nsp_provider_state *provider, const GUID *guid);

// NSPLookupServiceBegin. A class that is not that of the provider's GUID (NULL: either) is
// WSASERVICE_NOT_FOUND, before anything else; then as nsp_query_read(). WSASYSNOTREADY: there is no
// daemon, or the provider is not started.
int nsp_provider_begin(struct nsp_provider_state *provider, const GUID *guid,
                       const WSAQUERYSETW *set, DWORD flags, HANDLE *ret_handle);

// NSPLookupServiceNext: WSA_INVALID_HANDLE; WSAEFAULT where len cannot be written; else as
// nsp_lookup_next().
int nsp_provider_next(struct nsp_provider_state *provider, HANDLE handle, DWORD flags, DWORD *len,
                      void *buf);

// NSPLookupServiceEnd: WSA_INVALID_HANDLE.
int nsp_provider_end(struct nsp_provider_state *provider, HANDLE handle);

// NSPIoctl: WSA_INVALID_HANDLE; WSAEOPNOTSUPP: a code other than SIO_NSP_NOTIFY_CHANGE; WSAEFAULT:
// ret_bytes (which may be NULL, and becomes 0), how or thread cannot be read or written; else as
// nsp_lookup_poll() where how is NULL or NSP_NOTIFY_IMMEDIATELY, or nsp_lookup_arm().
struct nsp_provider_ioctl {
    DWORD code;
    DWORD *ret_bytes;
    const WSACOMPLETION *how;
    const WSATHREADID *thread;
};
int nsp_provider_ioctl(struct nsp_provider_state *provider, HANDLE handle,
                       const struct nsp_provider_ioctl *ioctl);

// NSPSetService. A class that is not ours, or not that of the provider's GUID, is
// WSASERVICE_NOT_FOUND, before anything else; WSAEOPNOTSUPP: an operation that is neither
// RNRSERVICE_REGISTER nor RNRSERVICE_DELETE, or clouds; WSAEINVAL: any flag. Then as
// nsp_offer_read(), and as nsp_registration_make() or nsp_registration_withdraw();
// WSASYSNOTREADY: the provider is not started.
int nsp_provider_set_service(struct nsp_provider_state *provider, const GUID *guid,
                             const WSAQUERYSETW *set, WSAESETSERVICEOP operation, DWORD flags);

// A thread of the process ends.
void nsp_provider_thread_left(struct nsp_provider_state *provider, uint64_t thread_id);

// The link, for as long as it takes to use it: it stays until nsp_provider_leave(). NULL: the
// provider is not started, and there is nothing to leave.
struct nsp_link *nsp_provider_enter(struct nsp_provider_state *provider);
void nsp_provider_leave(struct nsp_provider_state *provider);

#endif
