// SPDX-License-Identifier: MIT
// What publishers of an unsecured name have told, as results.
#include "node/core/unsecured.h"

#include "dht/addr.h"
#include "node/core/registration.h"
#include "node/core/result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TTL_S CORE_RECORD_TTL_MIN_S // where a publisher names none

// ---- taking them in ----

static void make_mark(const struct node *node, const struct core_description *description,
                      struct dht_span payload, uint8_t ret_mark[CORE_MARK_LEN])
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    struct core_mark_content content = {
        .endpoints = endpoints,
        .endpoint_count = core_description_endpoints(description, endpoints),
        .comment = {description->comment, description->comment_len},
        .payload_type = description->payload_type,
        .payload = payload,
    };
    core_mark(&node->crypto, &content, ret_mark);
}

static const struct core_unsecured_result *find(const struct core_unsecured *unsecured,
                                                const uint8_t publisher[CORE_PUBLISHER_LEN])
{
    const struct core_unsecured_result *result = unsecured->results;
    while (result != NULL && memcmp(result->publisher, publisher, CORE_PUBLISHER_LEN) != 0)
        result = result->next;
    return result;
}

// Whoever tells what another has told is the same one by his other address family, or copies him to
// no effect. Whoever calls himself like another and tells something else is somebody else, and gets
// a name of his own, so that nobody is hidden. False where there is nothing new in it.
static bool settle_publisher(const struct node *node, const struct core_unsecured *unsecured,
                             struct core_unsecured_result *result, const struct dht_out *who)
{
    uint8_t digest[32];
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    memcpy(result->publisher, result->description.publisher, CORE_PUBLISHER_LEN);
    const struct core_unsecured_result *known = find(unsecured, result->publisher);
    if (known == NULL)
        return true;
    if (who == NULL || memcmp(known->mark, result->mark, CORE_MARK_LEN) == 0)
        return false;
    const struct dht_span parts[] = {{who->who.id.bytes, DHT_ID_LEN},
                                     {compact, dht_addr_to_compact(&who->who.from, compact)}};
    node->crypto.sha256(node->crypto.ctx, parts, 2, digest);
    memcpy(result->publisher, digest, CORE_PUBLISHER_LEN);
    return find(unsecured, result->publisher) == NULL;
}

static size_t bytes_of(const struct core_unsecured_result *result)
{
    return sizeof *result + result->description.payload_len;
}

static bool has_room(const struct core_unsecured *unsecured, size_t bytes)
{
    return unsecured->result_bytes + bytes <= CORE_UNSECURED_BYTES_MAX;
}

static void append(struct core_unsecured *unsecured, struct core_unsecured_result *result)
{
    *unsecured->results_end = result;
    unsecured->results_end = &result->next;
    unsecured->result_count++;
    unsecured->result_bytes += bytes_of(result);
}

// Keeps one publisher of those that were told; who NULL: of this node's own. Returns it, or NULL
// where it brings nothing new or there is no room.
static struct core_unsecured_result *keep(struct node *node, struct core_unsecured *unsecured,
                                          const struct core_description *description,
                                          struct dht_span payload, const struct dht_out *who)
{
    size_t bytes = sizeof(struct core_unsecured_result) + payload.len;
    struct core_unsecured_result *result = has_room(unsecured, bytes) ? calloc(1, bytes) : NULL;
    if (result == NULL) {
        unsecured->is_full = true;
        CORE_COUNT(node, unsecured_dropped);
        return NULL;
    }
    result->description = *description;
    result->rtt_us = who != NULL ? who->who.rtt_us : 0;
    if (who != NULL)
        result->from = who->who.from;
    if (payload.len > 0)
        memcpy(result->payload, payload.data, payload.len);
    make_mark(node, description, payload, result->mark);
    if (!settle_publisher(node, unsecured, result, who)) {
        free(result);
        return NULL;
    }
    append(unsecured, result);
    return result;
}

// Whether the payloads, laid end to end, are what the digests say.
static bool is_whole(const struct node *node, const struct core_description *publishers,
                     size_t count, struct dht_span payloads)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t digest[32];
        struct dht_span one = {payloads.data + at, publishers[i].payload_len};
        if (one.len > payloads.len - at)
            return false;
        if (one.len > 0) {
            node->crypto.sha256(node->crypto.ctx, &one, 1, digest);
            if (memcmp(digest, publishers[i].digest, sizeof digest) != 0)
                return false;
        }
        at += one.len;
    }
    return at == payloads.len;
}

bool core_unsecured_take(struct node *node, struct core_unsecured *unsecured,
                         const struct dht_out *who, uint32_t *ret_publishers)
{
    struct core_description publishers[CORE_DESCRIPTION_PUBLISHERS_MAX];
    size_t count = core_description_read(who->who.description, publishers);
    size_t at = 0;
    if (count == 0) {
        CORE_COUNT(node, unsecured_malformed);
        return true;
    }
    if (!is_whole(node, publishers, count, who->who.payload))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct dht_span payload = {who->who.payload.data + at, publishers[i].payload_len};
        keep(node, unsecured, &publishers[i], payload, who);
        at += publishers[i].payload_len;
    }
    *ret_publishers = (uint32_t)count;
    return true;
}

void core_unsecured_take_own(struct node *node, struct core_unsecured *unsecured)
{
    const struct core_registration *one = NULL;
    while ((one = core_registration_next(node, unsecured->cloud, &unsecured->info_hash, one)) !=
           NULL) {
        struct core_description description;
        struct dht_span payload = {one->content.payload, one->content.payload_len};
        if (one->ending)
            continue;
        core_registration_describe(one, &description);
        struct core_unsecured_result *result = keep(node, unsecured, &description, payload, NULL);
        if (result == NULL)
            continue;
        result->is_local = true;
        result->session = one->session != NULL ? one->session->id : 0;
    }
}

bool core_unsecured_has_result(const struct core_unsecured *unsecured,
                               const uint8_t publisher[CORE_PUBLISHER_LEN])
{
    return find(unsecured, publisher) != NULL;
}

// Whether the node has told what it publishes, or that it is nothing.
static bool is_plain(const struct core_unsecured *unsecured, const struct dht_addr *addr)
{
    for (uint32_t i = 0; i < unsecured->peer_count; i++)
        if (dht_addr_equal(&unsecured->peers[i].addr, addr))
            return unsecured->peers[i].is_plain && !unsecured->is_full;
    return false;
}

bool core_unsecured_has_news(const struct core_unsecured *unsecured,
                             const struct core_unsecured *earlier)
{
    const struct core_unsecured_result *result = unsecured->results;
    for (; result != NULL; result = result->next) {
        const struct core_unsecured_result *known =
            earlier != NULL ? find(earlier, result->publisher) : NULL;
        if (known == NULL || memcmp(known->mark, result->mark, CORE_MARK_LEN) != 0)
            return true;
    }
    for (result = earlier != NULL ? earlier->results : NULL; result != NULL; result = result->next)
        if (is_plain(unsecured, &result->from) && find(unsecured, result->publisher) == NULL)
            return true; // says that he is gone
    return false;
}

bool core_unsecured_carry(struct node *node, struct core_unsecured *unsecured,
                          struct core_unsecured *earlier, uint8_t misses_max)
{
    struct core_unsecured_result **link = earlier != NULL ? &earlier->results : NULL;
    bool any = false;
    while (link != NULL && *link != NULL) {
        struct core_unsecured_result *result = *link;
        bool is_missed = misses_max > 0 &&
                         (result->misses + 1 >= misses_max || is_plain(unsecured, &result->from));
        if (result->is_local || is_missed || find(unsecured, result->publisher) != NULL) {
            link = &result->next;
            continue;
        }
        if (!has_room(unsecured, bytes_of(result))) {
            CORE_COUNT(node, unsecured_dropped);
            link = &result->next;
            continue;
        }
        *link = result->next;
        result->next = NULL;
        result->misses += misses_max > 0;
        append(unsecured, result);
        any = true;
    }
    return any;
}

// ---- telling them ----

static void see(const struct core_request *request, const struct core_unsecured_result *result,
                struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX],
                struct core_criteria_publisher *ret_publisher)
{
    *ret_publisher = (struct core_criteria_publisher){
        .is_local = result->is_local,
        .is_current = result->session != 0 && result->session == request->session->id,
        .rtt_us = result->rtt_us,
        .endpoints = endpoints,
        .endpoint_count = core_description_endpoints(&result->description, endpoints),
    };
}

bool core_unsecured_is_wanted(const struct core_request *request,
                              const struct core_unsecured_result *result)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    struct core_criteria_publisher publisher;
    see(request, result, endpoints, &publisher);
    return core_criteria_wants(&request->criteria, &publisher);
}

// The lookup's counts, with the nodes that were asked what they publish.
static struct dht_tally tally_of(const struct core_unsecured *unsecured)
{
    struct dht_tally tally = unsecured->lookup.tally;
    tally.asked += unsecured->peer_next;
    tally.answered += unsecured->answered;
    tally.copies = unsecured->result_count;
    return tally;
}

// age_s authority classifier cloud comment copies elapsed_us endpoints event final hops mark name
// nodes_answered nodes_asked payload payload_type publisher rtt_us scope_id source ttl_s
void core_unsecured_tell(struct node *node, const struct core_unsecured *unsecured,
                         struct core_request *request, const struct core_unsecured_result *result,
                         const char *event)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    char name[CORE_NAME_TEXT_LEN_MAX + 1];
    const struct core_description *description = &result->description;
    struct dht_tally tally = tally_of(unsecured);
    enum control_source source = result->is_local ? CONTROL_SOURCE_LOCAL : CONTROL_SOURCE_DHT;
    size_t count = core_description_endpoints(description, endpoints);
    size_t name_len = core_name_print(&unsecured->name, name);
    core_answer_begin(&answer, request, CONTROL_ANSWER_RESULT);
    dht_bencode_pair_int(writer, CONTROL_KEY_AGE_S, 0);
    dht_bencode_pair_text(writer, CONTROL_KEY_AUTHORITY, "0");
    dht_bencode_pair_string(writer, CONTROL_KEY_CLASSIFIER, unsecured->name.classifier,
                            unsecured->name.classifier_len);
    core_result_put_cloud(node, writer, request);
    if (description->comment_len > 0)
        dht_bencode_pair_string(writer, CONTROL_KEY_COMMENT, description->comment,
                                description->comment_len);
    dht_bencode_pair_int(writer, CONTROL_KEY_COPIES, 1);
    dht_bencode_pair_int(writer, CONTROL_KEY_ELAPSED_US, node->now_us - request->started_us);
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, count);
    if (event != NULL)
        dht_bencode_pair_text(writer, CONTROL_KEY_EVENT, event);
    dht_bencode_pair_int(writer, CONTROL_KEY_FINAL, 1);
    dht_bencode_pair_int(writer, CONTROL_KEY_HOPS, tally.hops);
    dht_bencode_pair_string(writer, CONTROL_KEY_MARK, result->mark, CORE_MARK_LEN);
    dht_bencode_pair_string(writer, CONTROL_KEY_NAME, (const uint8_t *)name, name_len);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ANSWERED, tally.answered);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ASKED, tally.asked);
    if (description->payload_type != CORE_RECORD_PAYLOAD_NONE) {
        dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, result->payload,
                                description->payload_len);
        dht_bencode_pair_int(writer, CONTROL_KEY_PAYLOAD_TYPE, (int64_t)description->payload_type);
    }
    dht_bencode_pair_string(writer, CONTROL_KEY_PUBLISHER, result->publisher, CORE_PUBLISHER_LEN);
    if (!result->is_local)
        dht_bencode_pair_int(writer, CONTROL_KEY_RTT_US, result->rtt_us);
    core_result_put_scope(writer, request);
    dht_bencode_pair_text(writer, CONTROL_KEY_SOURCE,
                          control_protocol_word(CONTROL_VOCABULARY_SOURCE, (int)source));
    dht_bencode_pair_int(writer, CONTROL_KEY_TTL_S,
                         description->ttl_s > 0 ? description->ttl_s : TTL_S);
    core_answer_end(node, &answer);
}

// Whether a stands before b for the request.
static bool is_nearer(const struct core_request *request, const struct core_unsecured_result *a,
                      const struct core_unsecured_result *b)
{
    struct control_endpoint endpoints[2][CONTROL_ENDPOINTS_MAX];
    struct core_criteria_publisher publishers[2];
    see(request, a, endpoints[0], &publishers[0]);
    see(request, b, endpoints[1], &publishers[1]);
    return core_criteria_is_nearer(&request->criteria, &publishers[0], &publishers[1]);
}

// An insertion sort of what is wanted. It is stable: of equals the first that came stays first.
static size_t sort(const struct core_unsecured *unsecured, const struct core_request *request,
                   const struct core_unsecured_result **sorted)
{
    size_t count = 0;
    for (const struct core_unsecured_result *result = unsecured->results; result != NULL;
         result = result->next) {
        if (!core_unsecured_is_wanted(request, result))
            continue;
        size_t at = count++;
        for (; at > 0 && is_nearer(request, result, sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = result;
    }
    return count;
}

void core_unsecured_tell_sorted(struct node *node, const struct core_unsecured *unsecured,
                                struct core_request *request)
{
    const struct core_unsecured_result **sorted =
        calloc(unsecured->result_count + 1, sizeof(struct core_unsecured_result *));
    if (sorted == NULL)
        return;
    size_t count = sort(unsecured, request, sorted);
    for (size_t i = 0; i < count && !core_criteria_is_enough(&request->criteria, request->results);
         i++)
        core_unsecured_tell(node, unsecured, request, sorted[i], NULL);
    free((void *)sorted);
}

void core_unsecured_answer(struct node *node, const struct core_unsecured *unsecured,
                           struct core_request *request)
{
    struct dht_tally tally = tally_of(unsecured);
    if (request->results > 0)
        core_result_done(node, request, &tally);
    else if (unsecured->result_count > 0)
        core_result_not_found(node, request, &tally,
                              "nobody but who is excluded publishes this name");
    else if (unsecured->wait == CONTROL_WAIT_CACHE)
        core_result_not_found(node, request, &tally, "the name is not published from here");
    else
        core_result_not_found(node, request, &tally, "nobody publishes this name");
}
