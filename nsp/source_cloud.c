// SPDX-License-Identifier: MIT
#include "nsp/source.h"

#include "nsp/code.h"
#include "pnr/clouds.h"

#include <string.h>

// One request is search and watch. Whatever the program has asked for, the daemon tells all clouds:
// the filter is ours.
static enum pnr_error search(const struct nsp_query *query, struct pnr_client *client,
                             uint32_t timeout_ms, uint32_t *ret_id)
{
    (void)query;
    (void)timeout_ms;
    return pnr_clouds(client, true, ret_id);
}

// FNV-1a. Names of clouds are the machine's own, so nobody has a reason to make two of them meet;
// each half of the key has a start of its own.
static uint64_t hash_of(const char *name, uint64_t start)
{
    uint64_t hash = start;
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
    }
    return hash;
}

// Clouds are known by their names, as publishers are by their keys.
static void make_key(const char *name, uint8_t ret_key[PNR_PUBLISHER_LEN])
{
    uint64_t halves[2] = {hash_of(name, UINT64_C(14695981039346656037)),
                          hash_of(name, UINT64_C(0x706e722d636c6f75))};
    memcpy(ret_key, halves, PNR_PUBLISHER_LEN);
}

// All of a cloud that programs see and that may change while its name stays.
static void make_mark(const struct pnr_cloud_info *cloud, uint8_t ret_mark[PNR_MARK_LEN])
{
    uint8_t mark[PNR_MARK_LEN] = {
        (uint8_t)cloud->state,
        (uint8_t)cloud->scope,
        (uint8_t)cloud->has_ipv4,
        (uint8_t)cloud->has_ipv6,
        (uint8_t)cloud->scope_id,
        (uint8_t)(cloud->scope_id >> 8),
        (uint8_t)(cloud->scope_id >> 16),
        (uint8_t)(cloud->scope_id >> 24),
    };
    memcpy(ret_mark, mark, sizeof mark);
}

static int read_event(const struct pnr_event *event, const struct nsp_query *query,
                      const struct nsp_memory *memory, struct nsp_source_news *ret_news)
{
    static const enum nsp_inbox_what whats[] = {
        [PNR_CLOUD_EVENT_NONE] = NSP_INBOX_FOUND,
        [PNR_CLOUD_EVENT_ADDED] = NSP_INBOX_ADDED,
        [PNR_CLOUD_EVENT_CHANGED] = NSP_INBOX_CHANGED,
        [PNR_CLOUD_EVENT_GONE] = NSP_INBOX_GONE,
    };
    struct nsp_source_news news = {.what = NSP_INBOX_FOUND};
    struct pnr_cloud_info cloud;
    if (!pnr_read_cloud_info(event, &cloud)) {
        return WSANO_RECOVERY;
    }
    news.what = whats[cloud.event];
    make_key(cloud.name, news.key);
    if (!nsp_query_wants_cloud(query, &cloud)) {
        // One that has changed so that it does not pass the filter any more is gone, to whom it
        // was told.
        news.what = NSP_INBOX_GONE;
    }
    if (news.what != NSP_INBOX_GONE) {
        int error = nsp_result_copy_cloud(&cloud, memory, &news.result);
        if (error != 0) {
            return error;
        }
        memcpy(news.result->known.publisher, news.key, sizeof news.key);
        make_mark(&cloud, news.result->known.mark);
    }
    *ret_news = news;
    return 0;
}

static int read_error(const struct pnr_event *event, const struct nsp_query *query)
{
    (void)query;
    return nsp_code_of_error(event->error);
}

const struct nsp_source nsp_source_cloud = {
    .is_watch = true,
    .search = search,
    .read = read_event,
    .error = read_error,
};
