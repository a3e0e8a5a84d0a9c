// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_REGISTRATION_H
#define PNR_NSP_REGISTRATION_H

// The names that this process has registered (NSPSetService), each from RNRSERVICE_REGISTER until
// RNRSERVICE_DELETE, or until the process or its last NSPCleanup ends it: the daemon withdraws what
// was registered on a connection when that closes.
//
//   CHECKING     of a secured name: whether the identity's key is the name's
//   REGISTERING  the daemon stores it
//   STANDING     it does, or goes on by itself; after a loss of the daemon it is made again
//   OVER         it came to nothing, was replaced or withdrawn
//
// NSPSetService waits for the daemon, since what goes wrong has to be said: at most
// NSP_REGISTRATION_WAIT_MS in all. By then the daemon has done it, or has begun to, as in a big
// network or while it joins one, and goes on by itself; one that has not even said that it begins
// is taken for gone. Where there is nobody in the cloud, a name is registered all the same, and
// told as soon as somebody is there.
//
// A name that is registered again by the same process, in the same cloud, is replaced where that
// succeeds, and stays as it was where not.
//
// Bound: NSP_REGISTRATIONS_MAX in a process.
//
// Locking: the set's lock is taken before a registration's own, and the link's after both; nobody
// is called with any of them held but the link.

#include "nsp/link.h"
#include "nsp/memory.h"
#include "nsp/offer.h"
#include "nsp/platform.h"

#define NSP_REGISTRATIONS_MAX    256
#define NSP_REGISTRATION_WAIT_MS 10000

struct nsp_registration;

// All the registrations of a process. Set up by NSP_REGISTRATION_SET_INIT alone.
struct nsp_registration_set {
    struct nsp_lock lock;
    struct nsp_registration *first; // the newest
    uint32_t count;
    bool ends; // nothing more is taken in
};
#define NSP_REGISTRATION_SET_INIT                                                                  \
    {                                                                                              \
        .lock = NSP_LOCK_INIT                                                                      \
    }

struct nsp_registration_options {
    struct nsp_registration_set *set;
    struct nsp_link *link;
    const struct nsp_memory *memory;
    uint32_t wait_ms; // NSP_REGISTRATION_WAIT_MS, but for tests
};

// Registers what was offered, and waits as said above. 0, or
//
// WSASYSNOTREADY             there is no daemon
// WSAENETDOWN                it went away meanwhile, or did not answer in time
// WSA_PNRP_INVALID_IDENTITY  the daemon has no key of that label, or it is not the name's
// WSAEACCES                  the daemon does not let this user see its keys
// WSA_PNRP_CLOUD_NOT_FOUND, WSA_PNRP_CLOUD_DISABLED
// WSA_PNRP_CLOUD_IS_SEARCH_ONLY  an unsecured name, and nobody outside can reach the daemon's node
// WSA_PNRP_DUPLICATE_PEER_NAME   a secured name that is published on this machine already, and not
//                            by this process
// WSA_PNRP_TOO_MUCH_LOAD     the daemon, or the set, has as many as it takes
// WSAEINVAL                  the daemon does not take it: a secured record would be too large
// WSA_E_CANCELLED            nsp_registration_end_all() was called
// WSA_NOT_ENOUGH_MEMORY
int nsp_registration_make(const struct nsp_registration_options *options,
                          const struct nsp_offer *offer);

// Withdraws what this process has registered under the offer's name and cloud, and waits until the
// daemon has, likewise. 0, also where the daemon is gone, and with it all that was registered;
// WSASERVICE_NOT_FOUND: this process has not registered it.
int nsp_registration_withdraw(const struct nsp_registration_options *options,
                              const struct nsp_offer *offer);

// Everything is over: who waits returns, and nothing is taken in until
// nsp_registration_begin_all(). The link, whose connection keeps the names, is closed after it.
void nsp_registration_end_all(struct nsp_registration_set *set);
void nsp_registration_begin_all(struct nsp_registration_set *set);

#endif
