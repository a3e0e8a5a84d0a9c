// SPDX-License-Identifier: MIT
#include "node/core/result.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "node/core/cloud.h"
#include "node/core/publication.h"
#include "node/core/zbase32.h"

#include <string.h>

void core_result_put_cloud(const struct node *node, struct dht_bencode_writer *writer,
                           const struct core_request *request)
{
    const struct core_cloud *cloud = request->cloud;
    if (cloud != NULL &&
        (core_cloud_present(node) > 1 || strcmp(cloud->config.name, NODE_CLOUD_GLOBAL) != 0))
        dht_bencode_pair_text(writer, CONTROL_KEY_CLOUD, cloud->config.name);
}

void core_result_put_scope(struct dht_bencode_writer *writer, const struct core_request *request)
{
    if (request->cloud != NULL && request->cloud->config.scope_id != 0)
        dht_bencode_pair_int(writer, CONTROL_KEY_SCOPE_ID, request->cloud->config.scope_id);
}

bool core_result_is_found(const struct core_record *record)
{
    return record->entry_count > 0 || record->endpoint_count > 0;
}

// The endpoints of one machine, or with CORE_RECORD_NO_MACHINE those of nobody.
static size_t endpoints_of(const struct core_record *record, uint8_t entry,
                           struct control_endpoint *ret_endpoints)
{
    size_t count = 0;
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        const struct core_record_endpoint *endpoint = &record->endpoints[i];
        if (endpoint->entry != entry || count == CONTROL_ENDPOINTS_MAX)
            continue;
        struct control_endpoint *out = &ret_endpoints[count++];
        *out = (struct control_endpoint){
            .ip_len = endpoint->addr.ip_len,
            .proto = endpoint->protocol,
            .port = endpoint->addr.port,
        };
        memcpy(out->ip, endpoint->addr.ip, endpoint->addr.ip_len);
    }
    return count;
}

static void put_name(struct dht_bencode_writer *writer, const struct core_name *name)
{
    char text[CORE_NAME_TEXT_LEN_MAX + 1];
    size_t len = core_name_print(name, text);
    dht_bencode_pair_string(writer, CONTROL_KEY_NAME, text, len);
}

static void put_payload(struct dht_bencode_writer *writer, const struct core_result *result)
{
    if (result->payload.len == 0)
        return;
    dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, result->payload.data, result->payload.len);
    dht_bencode_pair_int(writer, CONTROL_KEY_PAYLOAD_TYPE, (int64_t)result->record->payload.type);
}

// How crowded it is around the name.
static void put_density(struct dht_bencode_writer *writer, const struct dht_tally *tally)
{
    if (tally->density > 0)
        dht_bencode_pair_int(writer, CONTROL_KEY_DENSITY, tally->density);
}

// density elapsed_us hops nodes_answered nodes_asked suspect
static void put_tally(const struct node *node, struct dht_bencode_writer *writer,
                      const struct core_request *request, const struct dht_tally *tally)
{
    put_density(writer, tally);
    dht_bencode_pair_int(writer, CONTROL_KEY_ELAPSED_US, node->now_us - request->started_us);
    dht_bencode_pair_int(writer, CONTROL_KEY_HOPS, tally->hops);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ANSWERED, tally->answered);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ASKED, tally->asked);
    if (tally->suspect)
        dht_bencode_pair_int(writer, CONTROL_KEY_SUSPECT, 1);
}

void core_result_identity(const struct node *node, const struct core_record *record, uint8_t entry,
                          struct core_mark_identity *ret_identity)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    const struct core_record_payload *payload = &record->payload;
    struct core_mark_content content = {
        .endpoints = endpoints,
        .endpoint_count = endpoints_of(record, entry, endpoints),
        .comment = {record->comment, record->comment_len},
        .payload_type = payload->type,
    };
    if (payload->type != CORE_RECORD_PAYLOAD_NONE && payload->by_reference) {
        content.parts = payload->parts;
        content.part_count = core_record_part_count(payload->len);
    } else if (payload->type != CORE_RECORD_PAYLOAD_NONE) {
        content.payload = (struct dht_span){payload->bytes, payload->len};
    }
    *ret_identity = (struct core_mark_identity){.mark = {0}};
    if (entry != CORE_RECORD_NO_MACHINE)
        memcpy(ret_identity->publisher, record->entries[entry].machine, CORE_RECORD_MACHINE_LEN);
    core_mark(&node->crypto, &content, ret_identity->mark);
}

// age_s authority classifier cloud comment copies density elapsed_us endpoints event final hops
// machine mark name nodes_answered nodes_asked payload payload_type publisher scope_id seq source
// suspect ttl_s
void core_result_tell(struct node *node, struct core_request *request,
                      const struct core_result *result, uint8_t entry)
{
    struct core_mark_identity identity;
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    const struct core_record *record = result->record;
    char authority[CORE_ZBASE32_LEN + 1];
    core_zbase32_encode(result->key, authority);
    size_t count = endpoints_of(record, entry, endpoints);
    core_result_identity(node, record, entry, &identity);
    core_answer_begin(&answer, request, CONTROL_ANSWER_RESULT);
    dht_bencode_pair_int(writer, CONTROL_KEY_AGE_S, result->age_s);
    dht_bencode_pair_text(writer, CONTROL_KEY_AUTHORITY, authority);
    dht_bencode_pair_string(writer, CONTROL_KEY_CLASSIFIER, result->name->classifier,
                            result->name->classifier_len);
    core_result_put_cloud(node, writer, request);
    if (record->comment_len > 0)
        dht_bencode_pair_string(writer, CONTROL_KEY_COMMENT, record->comment, record->comment_len);
    dht_bencode_pair_int(writer, CONTROL_KEY_COPIES, result->tally.copies);
    put_density(writer, &result->tally);
    dht_bencode_pair_int(writer, CONTROL_KEY_ELAPSED_US, node->now_us - request->started_us);
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, count);
    if (result->event != NULL)
        dht_bencode_pair_text(writer, CONTROL_KEY_EVENT, result->event);
    dht_bencode_pair_int(writer, CONTROL_KEY_FINAL, !result->is_first);
    dht_bencode_pair_int(writer, CONTROL_KEY_HOPS, result->tally.hops);
    if (entry != CORE_RECORD_NO_MACHINE)
        dht_bencode_pair_string(writer, CONTROL_KEY_MACHINE, record->entries[entry].machine,
                                CORE_RECORD_MACHINE_LEN);
    dht_bencode_pair_string(writer, CONTROL_KEY_MARK, identity.mark, CORE_MARK_LEN);
    put_name(writer, result->name);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ANSWERED, result->tally.answered);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ASKED, result->tally.asked);
    put_payload(writer, result);
    dht_bencode_pair_string(writer, CONTROL_KEY_PUBLISHER, identity.publisher, CORE_PUBLISHER_LEN);
    core_result_put_scope(writer, request);
    dht_bencode_pair_int(writer, CONTROL_KEY_SEQ, result->seq);
    dht_bencode_pair_text(writer, CONTROL_KEY_SOURCE,
                          control_protocol_word(CONTROL_VOCABULARY_SOURCE, (int)result->source));
    if (result->tally.suspect)
        dht_bencode_pair_int(writer, CONTROL_KEY_SUSPECT, 1);
    dht_bencode_pair_int(writer, CONTROL_KEY_TTL_S, core_record_ttl_s(record));
    core_answer_end(node, &answer);
}

// cloud event mark name publisher
void core_result_tell_gone(struct node *node, struct core_request *request,
                           const struct core_name *name, const struct core_mark_identity *identity)
{
    struct core_answer answer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_RESULT);
    core_result_put_cloud(node, &answer.writer, request);
    dht_bencode_pair_text(&answer.writer, CONTROL_KEY_EVENT,
                          control_protocol_word(CONTROL_VOCABULARY_EVENT, CONTROL_EVENT_GONE));
    dht_bencode_pair_string(&answer.writer, CONTROL_KEY_MARK, identity->mark, CORE_MARK_LEN);
    put_name(&answer.writer, name);
    dht_bencode_pair_string(&answer.writer, CONTROL_KEY_PUBLISHER, identity->publisher,
                            CORE_PUBLISHER_LEN);
    core_answer_end(node, &answer);
}

bool core_result_next(const struct core_record *record, uint32_t *inout_at, uint8_t *ret_entry)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    uint32_t at = (*inout_at)++;
    if (at < record->entry_count) {
        *ret_entry = (uint8_t)at;
        return true;
    }
    // The addresses of a foreign record, and those beside ours under an imported key.
    *ret_entry = CORE_RECORD_NO_MACHINE;
    return at == record->entry_count && endpoints_of(record, CORE_RECORD_NO_MACHINE, endpoints) > 0;
}

void core_result_done(struct node *node, struct core_request *request,
                      const struct dht_tally *tally)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_int(writer, CONTROL_KEY_COPIES, tally->copies);
    dht_bencode_pair_int(writer, CONTROL_KEY_COUNT, request->results);
    put_tally(node, writer, request, tally);
    core_answer_end(node, &answer);
}

// The publishers of a record, as a request's criteria see them.
struct crowd {
    struct core_criteria_publisher publishers[CORE_RECORD_ENTRIES_MAX + 1];
    struct control_endpoint endpoints[CORE_RECORD_ENTRIES_MAX + 1][CONTROL_ENDPOINTS_MAX];
    uint8_t entries[CORE_RECORD_ENTRIES_MAX + 1];
    size_t count;
};

// Whether this machine says it.
static bool is_own(const struct node *node, const struct core_record *record, uint8_t entry)
{
    return entry != CORE_RECORD_NO_MACHINE &&
           memcmp(record->entries[entry].machine, node->machine, sizeof node->machine) == 0;
}

// Whether the name is this machine's by the connection that asks.
static bool is_registrant(const struct node *node, const struct core_request *request,
                          const struct core_result *result)
{
    const struct core_name *name = result->name;
    struct dht_span classifier = {name->classifier, name->classifier_len};
    const struct core_publication *publication =
        core_publication_table_find(&node->publications, request->cloud, result->key, classifier);
    return publication != NULL && core_publication_is_of(publication, request->session);
}

bool core_result_is_wanted(const struct node *node, const struct core_request *request,
                           const struct core_result *result, uint8_t entry)
{
    bool is_local = is_own(node, result->record, entry);
    struct core_criteria_publisher publisher = {
        .is_local = is_local,
        .is_current = is_local && is_registrant(node, request, result),
    };
    return core_criteria_wants(&request->criteria, &publisher);
}

// None of a secured name's machines is asked: the round trip to one is that to a contact at its
// address, as far as the routing table has it.
static void see(const struct node *node, const struct core_request *request,
                const struct core_result *result, struct crowd *ret_crowd)
{
    const struct core_record *record = result->record;
    bool sorts = core_criteria_sorts(&request->criteria);
    bool is_current = is_registrant(node, request, result);
    uint32_t at = 0;
    uint8_t entry;
    ret_crowd->count = 0;
    while (core_result_next(record, &at, &entry)) {
        size_t place = ret_crowd->count++;
        struct control_endpoint *endpoints = ret_crowd->endpoints[place];
        size_t count = endpoints_of(record, entry, endpoints);
        bool is_local = is_own(node, record, entry);
        int64_t rtt_us = sorts ? core_cloud_rtt_us(request->cloud, endpoints, count) : -1;
        ret_crowd->entries[place] = entry;
        ret_crowd->publishers[place] = (struct core_criteria_publisher){
            .is_local = is_local,
            .is_current = is_local && is_current,
            .rtt_us = is_local ? 0 : rtt_us,
            .endpoints = endpoints,
            .endpoint_count = count,
        };
    }
}

// What of the record the request wants, in the order in which it wants it. Returns how many.
static size_t choose(const struct node *node, const struct core_request *request,
                     const struct core_result *result,
                     uint8_t ret_entries[CORE_RECORD_ENTRIES_MAX + 1])
{
    const struct core_criteria *criteria = &request->criteria;
    struct crowd crowd;
    size_t order[CORE_RECORD_ENTRIES_MAX + 1];
    size_t count = 0;
    see(node, request, result, &crowd);
    for (size_t i = 0; i < crowd.count; i++) {
        const struct core_criteria_publisher *publisher = &crowd.publishers[i];
        if (!core_criteria_wants(criteria, publisher))
            continue;
        size_t place = count++;
        for (; core_criteria_sorts(criteria) && place > 0; place--) {
            if (!core_criteria_is_nearer(criteria, publisher, &crowd.publishers[order[place - 1]]))
                break;
            order[place] = order[place - 1];
        }
        order[place] = i;
    }
    for (size_t i = 0; i < count; i++)
        ret_entries[i] = crowd.entries[order[i]];
    return count;
}

// ---- answers ----

// Says of whom was told, and is not among the entries, that he is gone.
static void tell_gone(struct node *node, struct core_request *request,
                      const struct core_result *result, const uint8_t *entries, size_t count)
{
    struct core_mark_identity identity;
    const struct core_mark_identity *missing;
    core_picture_begin(&request->told);
    for (size_t i = 0; i < count; i++) {
        core_result_identity(node, result->record, entries[i], &identity);
        core_picture_look(&request->told, &identity);
    }
    while ((missing = core_picture_missing(&request->told)) != NULL) {
        identity = *missing;
        core_result_tell_gone(node, request, result->name, &identity);
        core_picture_remove(&request->told, &identity);
    }
}

// Sends what the client was not told yet, or was told otherwise, of the record's entries.
static void tell_news(struct node *node, struct core_request *request,
                      const struct core_result *result, const uint8_t *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct core_mark_identity identity;
        core_result_identity(node, result->record, entries[i], &identity);
        enum core_picture_change change = core_picture_look(&request->told, &identity);
        bool is_added = change == CORE_PICTURE_ADDED;
        if (change == CORE_PICTURE_SAME ||
            (is_added && core_criteria_is_enough(&request->criteria, request->told.count)))
            continue;
        core_result_tell(node, request, result, entries[i]);
        core_picture_put(&request->told, &identity);
    }
    request->told_seq = result->seq;
}

void core_result_answer(struct node *node, struct core_request *request,
                        const struct core_result *result)
{
    uint8_t entries[CORE_RECORD_ENTRIES_MAX + 1];
    if (request->told.count == 0 || result->seq >= request->told_seq) {
        size_t count = choose(node, request, result, entries);
        tell_gone(node, request, result, entries, count);
        tell_news(node, request, result, entries, count);
    }
    if (request->results == 0)
        core_result_not_found(node, request, &result->tally,
                              "nobody but who is excluded publishes this name");
    else
        core_result_done(node, request, &result->tally);
}

bool core_result_answer_first(struct node *node, struct core_request *request,
                              const struct core_result *result)
{
    uint8_t entries[CORE_RECORD_ENTRIES_MAX + 1];
    struct core_result first = *result;
    size_t count = choose(node, request, result, entries);
    bool is_enough = core_criteria_is_enough(&request->criteria, (uint32_t)count);
    first.is_first = !is_enough;
    if (is_enough || !core_criteria_sorts(&request->criteria))
        tell_news(node, request, &first, entries, count);
    if (is_enough)
        core_result_done(node, request, &first.tally);
    return is_enough;
}

void core_result_answer_none(struct node *node, struct core_request *request,
                             const struct core_result *result, const char *text)
{
    if (request->told.count == 0) {
        core_result_not_found(node, request, &result->tally, text);
        return;
    }
    if (result->seq >= request->told_seq)
        tell_gone(node, request, result, NULL, 0);
    core_result_done(node, request, &result->tally);
}

// code density elapsed_us hops nodes_answered nodes_asked suspect text
void core_result_not_found(struct node *node, struct core_request *request,
                           const struct dht_tally *tally, const char *text)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_ERROR);
    dht_bencode_pair_int(writer, CONTROL_KEY_CODE, CONTROL_ERROR_NOT_FOUND);
    put_tally(node, writer, request, tally);
    dht_bencode_pair_text(writer, CONTROL_KEY_TEXT, text);
    core_answer_end(node, &answer);
}

static enum control_outcome outcome_of(enum dht_hop_result result)
{
    switch (result) {
    case DHT_HOP_ANSWERED:
        return CONTROL_OUTCOME_ANSWERED;
    case DHT_HOP_FOUND:
        return CONTROL_OUTCOME_FOUND;
    case DHT_HOP_ERROR:
        return CONTROL_OUTCOME_ERROR;
    case DHT_HOP_SILENT:
        break;
    }
    return CONTROL_OUTCOME_SILENT;
}

// addr depth id named outcome rtt_us step target
void core_result_hop(struct node *node, struct core_request *request, const struct dht_id *target,
                     const struct dht_out *hop, enum control_step step)
{
    static const struct dht_id unknown;
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    char addr[DHT_ADDR_TEXT_MAX];
    dht_addr_to_text(&hop->hop.addr, addr);
    core_answer_begin(&answer, request, CONTROL_ANSWER_PROGRESS);
    dht_bencode_pair_text(writer, CONTROL_KEY_ADDR, addr);
    dht_bencode_pair_int(writer, CONTROL_KEY_DEPTH, hop->hop.depth);
    if (!dht_id_equal(&hop->hop.id, &unknown))
        dht_bencode_pair_string(writer, CONTROL_KEY_NODE_ID, hop->hop.id.bytes, DHT_ID_LEN);
    dht_bencode_pair_int(writer, CONTROL_KEY_NAMED, hop->hop.named);
    dht_bencode_pair_text(
        writer, CONTROL_KEY_OUTCOME,
        control_protocol_word(CONTROL_VOCABULARY_OUTCOME, (int)outcome_of(hop->hop.result)));
    if (hop->hop.rtt_us >= 0)
        dht_bencode_pair_int(writer, CONTROL_KEY_RTT_US, hop->hop.rtt_us);
    dht_bencode_pair_text(writer, CONTROL_KEY_STEP,
                          control_protocol_word(CONTROL_VOCABULARY_STEP, (int)step));
    dht_bencode_pair_string(writer, CONTROL_KEY_TARGET, target->bytes, DHT_ID_LEN);
    core_answer_end(node, &answer);
}
