// SPDX-License-Identifier: MIT
#include "nsp/provider.h"

#include "nsp/query.h"

// ---- starting and stopping ----

static int open_all(struct nsp_provider_state *provider)
{
    struct nsp_link *link;
    struct nsp_link_options options = {.memory = provider->memory, .address = provider->address};
    int error = nsp_link_new(&options, &link);
    if (error != 0) {
        return error;
    }
    if (!nsp_thread_end_init(provider->ended)) {
        nsp_link_close(link);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    nsp_lock_take(&provider->lock);
    provider->link = link;
    nsp_lock_give(&provider->lock);
    nsp_registration_begin_all(&provider->registrations);
    return 0;
}

static void end_lookup(void *lookup)
{
    nsp_lookup_end(lookup);
}

static void destroy_lookup(void *lookup)
{
    nsp_lookup_release(lookup);
}

static void close_all(struct nsp_provider_state *provider)
{
    nsp_lock_take(&provider->lock);
    struct nsp_link *link = provider->link;
    provider->link = NULL;
    nsp_lock_give(&provider->lock);
    nsp_registration_end_all(&provider->registrations);
    nsp_lock_take(&provider->lock);
    while (provider->inside > 0) {
        nsp_condition_wait(&provider->idle, &provider->lock);
    }
    nsp_lock_give(&provider->lock);
    nsp_handle_close_all(&provider->handles, end_lookup);
    int64_t deadline_ms = nsp_platform_now_ms() + NSP_PROVIDER_STOP_MS;
    if (!nsp_handle_wait_empty(&provider->handles, deadline_ms)) {
        // A call does not come back: its thread was suspended or killed. It may go on one day, so
        // the DLL stays for good; the pin is never undone.
        struct nsp_pin pin;
        (void)nsp_platform_pin(&pin);
    }
    nsp_link_close(link);
    nsp_thread_end_drop();
}

static unsigned count_starts(const struct nsp_provider_state *provider)
{
    return provider->starts[NSP_PROVIDER_NAME] + provider->starts[NSP_PROVIDER_CLOUD];
}

int nsp_provider_start(struct nsp_provider_state *provider, const GUID *guid)
{
    enum nsp_provider which = nsp_guid_provider(guid);
    int error = 0;
    if (which == NSP_PROVIDER_FOREIGN) {
        return WSAEINVAL;
    }
    nsp_lock_take(&provider->life);
    if (count_starts(provider) == 0) {
        error = open_all(provider);
    }
    provider->starts[which] += error == 0;
    nsp_lock_give(&provider->life);
    return error;
}

int nsp_provider_stop(struct nsp_provider_state *provider, const GUID *guid)
{
    enum nsp_provider which = nsp_guid_provider(guid);
    int error = 0;
    nsp_lock_take(&provider->life);
    if (which == NSP_PROVIDER_FOREIGN || provider->starts[which] == 0) {
        error = WSAEINVAL;
    } else {
        provider->starts[which]--;
        if (count_starts(provider) == 0) {
            close_all(provider);
        }
    }
    nsp_lock_give(&provider->life);
    return error;
}

struct nsp_link *nsp_provider_enter(struct nsp_provider_state *provider)
{
    nsp_lock_take(&provider->lock);
    struct nsp_link *link = provider->link;
    provider->inside += link != NULL;
    nsp_lock_give(&provider->lock);
    return link;
}

void nsp_provider_leave(struct nsp_provider_state *provider)
{
    nsp_lock_take(&provider->lock);
    provider->inside--;
    if (provider->inside == 0) {
        nsp_condition_wake_all(&provider->idle);
    }
    nsp_lock_give(&provider->lock);
}

void nsp_provider_thread_left(struct nsp_provider_state *provider, uint64_t thread_id)
{
    nsp_lookup_thread_left(&provider->lookups, thread_id);
}

// ---- lookups ----

// Where results of this kind come from.
static const struct nsp_source *source_of(enum nsp_query_kind kind)
{
    return kind == NSP_QUERY_NAME ? &nsp_source_name : &nsp_source_cloud;
}

// With NS_ALL both providers are asked, and each answers for its own class alone.
static bool is_for(const GUID *guid, enum nsp_query_kind kind)
{
    enum nsp_provider which = nsp_guid_provider(guid);
    return guid == NULL ||
           which == (kind == NSP_QUERY_NAME ? NSP_PROVIDER_NAME : NSP_PROVIDER_CLOUD);
}

// Makes a lookup of the query, which is dropped or taken over, begins it and gives it a handle.
static int begin_lookup(struct nsp_provider_state *provider, struct nsp_link *link,
                        struct nsp_query *query, HANDLE *ret_handle)
{
    struct nsp_lookup *lookup;
    struct nsp_lookup_options options = {
        .source = source_of(query->kind),
        .link = link,
        .set = &provider->lookups,
        .memory = provider->memory,
    };
    int error = nsp_lookup_new(&options, query, &lookup);
    if (error != 0) {
        nsp_query_drop(query, provider->memory);
        return error;
    }
    error = nsp_lookup_begin(lookup);
    if (error == 0) {
        error = nsp_handle_open(&provider->handles, lookup, destroy_lookup, ret_handle);
    }
    if (error != 0) {
        nsp_lookup_end(lookup);
        nsp_lookup_release(lookup);
    }
    return error;
}

int nsp_provider_begin(struct nsp_provider_state *provider, const GUID *guid,
                       const WSAQUERYSETW *set, DWORD flags, HANDLE *ret_handle)
{
    enum nsp_query_kind kind;
    unsigned version;
    struct nsp_query query;
    int error = nsp_query_class(set, &kind, &version);
    if (error == 0 && !is_for(guid, kind)) {
        error = WSASERVICE_NOT_FOUND;
    }
    if (error == 0 && (ret_handle == NULL || !nsp_platform_writable(ret_handle, sizeof(HANDLE)))) {
        error = ret_handle == NULL ? WSAEINVAL : WSAEFAULT;
    }
    if (error == 0) {
        error = nsp_query_read(set, flags, provider->memory, &query);
    }
    if (error != 0) {
        return error;
    }
    struct nsp_link *link = nsp_provider_enter(provider);
    if (link == NULL) {
        nsp_query_drop(&query, provider->memory);
        return WSASYSNOTREADY;
    }
    error = begin_lookup(provider, link, &query, ret_handle);
    nsp_provider_leave(provider);
    return error;
}

int nsp_provider_next(struct nsp_provider_state *provider, HANDLE handle, DWORD flags, DWORD *len,
                      void *buf)
{
    void *lookup;
    int error = nsp_handle_take(&provider->handles, handle, &lookup);
    if (error != 0) {
        return error;
    }
    error = nsp_platform_writable(len, sizeof *len) ? nsp_lookup_next(lookup, flags, len, buf)
                                                    : WSAEFAULT;
    nsp_handle_drop(&provider->handles, handle);
    return error;
}

int nsp_provider_end(struct nsp_provider_state *provider, HANDLE handle)
{
    void *lookup;
    int error = nsp_handle_close(&provider->handles, handle, &lookup);
    if (error == 0) {
        nsp_lookup_end(lookup);
        nsp_handle_drop(&provider->handles, handle);
    }
    return error;
}

static int notify(struct nsp_lookup *lookup, const struct nsp_provider_ioctl *ioctl)
{
    if (ioctl->how == NULL) {
        return nsp_lookup_poll(lookup);
    }
    if (!nsp_platform_readable(ioctl->how, sizeof *ioctl->how)) {
        return WSAEFAULT;
    }
    if (ioctl->how->Type == NSP_NOTIFY_IMMEDIATELY) {
        return nsp_lookup_poll(lookup);
    }
    if (!nsp_thread_end_mark()) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    return nsp_lookup_arm(lookup, ioctl->how, ioctl->thread);
}

int nsp_provider_ioctl(struct nsp_provider_state *provider, HANDLE handle,
                       const struct nsp_provider_ioctl *ioctl)
{
    void *lookup;
    int error = nsp_handle_take(&provider->handles, handle, &lookup);
    if (error != 0) {
        return error;
    }
    if (ioctl->code != SIO_NSP_NOTIFY_CHANGE) {
        error = WSAEOPNOTSUPP;
    } else if (ioctl->ret_bytes != NULL &&
               !nsp_platform_peekable(ioctl->ret_bytes, sizeof *ioctl->ret_bytes)) {
        error = WSAEFAULT;
    } else {
        if (ioctl->ret_bytes != NULL) {
            *ioctl->ret_bytes = 0;
        }
        error = notify(lookup, ioctl);
    }
    nsp_handle_drop(&provider->handles, handle);
    return error;
}

// ---- registrations ----

static int serve(struct nsp_provider_state *provider, struct nsp_link *link,
                 WSAESETSERVICEOP operation, const struct nsp_offer *offer)
{
    struct nsp_registration_options options = {
        .set = &provider->registrations,
        .link = link,
        .memory = provider->memory,
        .wait_ms = NSP_REGISTRATION_WAIT_MS,
    };
    return operation == RNRSERVICE_REGISTER ? nsp_registration_make(&options, offer)
                                            : nsp_registration_withdraw(&options, offer);
}

int nsp_provider_set_service(struct nsp_provider_state *provider, const GUID *guid,
                             const WSAQUERYSETW *set, WSAESETSERVICEOP operation, DWORD flags)
{
    enum nsp_query_kind kind;
    unsigned version;
    struct nsp_offer offer;
    int error = nsp_query_class(set, &kind, &version);
    if (error == 0 && !is_for(guid, kind)) {
        error = WSASERVICE_NOT_FOUND;
    }
    if (error == 0 && operation != RNRSERVICE_REGISTER && operation != RNRSERVICE_DELETE) {
        error = WSAEOPNOTSUPP;
    }
    if (error == 0 && flags != 0) {
        error = WSAEINVAL;
    }
    if (error == 0) {
        error = operation == RNRSERVICE_REGISTER ? nsp_offer_read(set, &offer)
                                                 : nsp_offer_read_name(set, &offer);
    }
    if (error != 0) {
        return error;
    }
    struct nsp_link *link = nsp_provider_enter(provider);
    if (link == NULL) {
        return WSASYSNOTREADY;
    }
    error = serve(provider, link, operation, &offer);
    nsp_provider_leave(provider);
    return error;
}
