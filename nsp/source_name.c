// SPDX-License-Identifier: MIT
#include "nsp/source.h"

#include "nsp/code.h"

#include <string.h>

// The daemon gets a little less time than we have, so that what it says at the end of it still
// comes in time.
#define MARGIN_MS 200

static enum pnr_error search(const struct nsp_query *query, struct pnr_client *client,
                             uint32_t timeout_ms, uint32_t *ret_id)
{
    struct pnr_resolve resolve = {
        .name = query->name_utf8,
        .wait = query->flush_cache ? PNR_WAIT_ALL : PNR_WAIT_SETTLED,
        .timeout_ms = timeout_ms > 2 * MARGIN_MS ? timeout_ms - MARGIN_MS : timeout_ms,
        .cloud = query->cloud_utf8,
        .criteria = query->criteria,
        .max = query->max_resolve,
        .cached = !query->flush_cache,
    };
    if (query->has_hint) {
        memcpy(resolve.hint, query->hint, sizeof query->hint);
        resolve.hint_len = sizeof query->hint;
    }
    enum pnr_error error = pnr_resolve(client, &resolve, ret_id);
    if (error == PNR_OK) {
        pnr_client_limit(client, *ret_id, timeout_ms);
    }
    return error;
}

static enum pnr_error watch(const struct nsp_query *query, struct pnr_client *client,
                            const struct pnr_known *known, size_t known_count, uint32_t *ret_id)
{
    struct pnr_watch watch = {.name = query->name_utf8,
                              .known = known,
                              .known_count = known_count,
                              .cloud = query->cloud_utf8,
                              .criteria = query->criteria};
    return pnr_watch(client, &watch, ret_id);
}

static int read_event(const struct pnr_event *event, const struct nsp_query *query,
                      const struct nsp_memory *memory, struct nsp_source_news *ret_news)
{
    static const enum nsp_inbox_what whats[] = {
        [PNR_CHANGE_ADDED] = NSP_INBOX_ADDED,
        [PNR_CHANGE_CHANGED] = NSP_INBOX_CHANGED,
        [PNR_CHANGE_GONE] = NSP_INBOX_GONE,
    };
    struct nsp_source_news news = {.what = NSP_INBOX_FOUND};
    struct pnr_result result;
    enum pnr_change change;
    if (pnr_read_change(event, &change, &result)) {
        news.what = whats[change];
    } else if (!pnr_read_result(event, &result)) {
        return WSANO_RECOVERY;
    }
    if (news.what == NSP_INBOX_GONE) {
        memcpy(news.key, result.publisher, sizeof news.key);
    } else {
        int error = nsp_result_copy(&result, query, memory, &news.result);
        if (error != 0) {
            return error;
        }
    }
    *ret_news = news;
    return 0;
}

// The daemon says "not found" of a search without results as well as of a cloud, or a key, that it
// does not have; only a search has a tally.
static int read_not_found(const struct pnr_event *event, const struct nsp_query *query)
{
    int64_t elapsed_us;
    if (pnr_field_int(event->fields, "elapsed_us", &elapsed_us)) {
        return WSA_E_NO_MORE;
    }
    return query->cloud_utf8 != NULL ? WSA_PNRP_CLOUD_NOT_FOUND : WSANO_DATA;
}

static int read_error(const struct pnr_event *event, const struct nsp_query *query)
{
    switch (event->error) {
    case PNR_ERROR_NOT_FOUND:
        return read_not_found(event, query);
    case PNR_OK:
    case PNR_ERROR_TIMED_OUT:
        return WSA_E_NO_MORE;
    case PNR_ERROR_FAILED:
        return WSA_PNRP_CLOUD_DISABLED; // or gone; a search fails for no other reason
    default:
        return nsp_code_of_error(event->error);
    }
}

const struct nsp_source nsp_source_name = {
    .search = search,
    .watch = watch,
    .read = read_event,
    .error = read_error,
};
