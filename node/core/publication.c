// SPDX-License-Identifier: MIT
#include "node/core/publication.h"

#include "dht/addr.h"
#include "node/core/round.h"
#include "node/core/zbase32.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_FIRST_US (5 * CORE_SECOND_US)
#define RETRY_MOST_US  (10 * CORE_MINUTE_US)
#define FORGET_US      (120 * CORE_MINUTE_US) // BEP 44: after two hours nobody need hold the old record
#define SPREAD_US      (5 * CORE_SECOND_US) // over which many renewals at once are spread

// ---- life ----

static struct core_publication *find(const struct node *node, const uint8_t key[DHT_KEY_LEN],
                                     struct dht_span classifier)
{
    for (struct core_publication *publication = node->publications; publication != NULL;
         publication = publication->next)
        if (publication->classifier_len == classifier.len &&
            memcmp(publication->key, key, DHT_KEY_LEN) == 0 &&
            (classifier.len == 0 ||
             memcmp(publication->classifier, classifier.data, classifier.len) == 0))
            return publication;
    return NULL;
}

static struct core_publication *add(struct node *node, const uint8_t key[DHT_KEY_LEN],
                                    struct dht_span classifier)
{
    struct core_publication *publication = NULL;
    if (node->publication_count < node->config.publications_max &&
        dht_timer_reserve(&node->timers, 1))
        publication = calloc(1, sizeof *publication);
    if (publication == NULL)
        return NULL;
    dht_timer_init(&publication->timer, CORE_TIMER_PUBLICATION);
    memcpy(publication->key, key, DHT_KEY_LEN);
    if (classifier.len > 0)
        memcpy(publication->classifier, classifier.data, classifier.len);
    publication->classifier_len = (uint16_t)classifier.len;
    publication->salt_len = core_name_salt(&node->crypto, classifier, publication->salt);
    struct dht_span salt = {publication->salt, publication->salt_len};
    core_name_target(&node->crypto, key, salt, &publication->target);
    publication->seq = core_seqlog_last(&node->seqlog, &publication->target);
    publication->seen_seq = DHT_SEQ_NONE;
    publication->next = node->publications;
    if (publication->next != NULL)
        publication->next->prev = publication;
    node->publications = publication;
    node->publication_count++;
    return publication;
}

static void free_publication(struct node *node, struct core_publication *publication)
{
    core_round_cancel(node, publication);
    if (publication->request != NULL)
        publication->request->publication = NULL;
    if (publication->next != NULL)
        publication->next->prev = publication->prev;
    if (publication->prev != NULL)
        publication->prev->next = publication->next;
    else
        node->publications = publication->next;
    node->publication_count--;
    free(publication->content.payload);
    free(publication);
}

void core_publication_free_all(struct node *node)
{
    while (node->publications != NULL)
        free_publication(node, node->publications);
}

static void delete_row(struct node *node, const struct core_publication *publication)
{
    uint8_t key[NODE_ROW_KEY_MAX];
    struct dht_span span = {key, core_publication_row_key(publication, key)};
    core_brain_write(node, NODE_ROW_PUBLICATION, span, (struct dht_span){0}, true);
}

// ---- answers ----

static void name_of(const struct core_publication *publication, struct core_name *ret_name)
{
    *ret_name = (struct core_name){.kind = CORE_NAME_KEY};
    memcpy(ret_name->key, publication->key, DHT_KEY_LEN);
    memcpy(ret_name->classifier, publication->classifier, publication->classifier_len);
    ret_name->classifier_len = publication->classifier_len;
}

static void put_name(struct dht_bencode_writer *writer, const struct core_publication *publication)
{
    struct core_name name;
    char text[CORE_NAME_TEXT_LEN_MAX + 1];
    name_of(publication, &name);
    size_t len = core_name_print(&name, text);
    core_result_put_bytes(writer, CONTROL_KEY_NAME, (struct dht_span){(const uint8_t *)text, len});
}

static void put_refused(struct dht_bencode_writer *writer,
                        const struct core_publication *publication)
{
    dht_bencode_put_text(writer, CONTROL_KEY_REFUSED);
    dht_bencode_open_list(writer);
    for (uint32_t i = 0; i < publication->refused_count; i++) {
        char addr[DHT_ADDR_TEXT_MAX];
        dht_addr_to_text(&publication->refused[i].addr, addr);
        dht_bencode_open_dict(writer);
        core_result_put_text(writer, CONTROL_KEY_ADDR, addr);
        core_result_put_int(writer, CONTROL_KEY_CODE, publication->refused[i].code);
        dht_bencode_end(writer);
    }
    dht_bencode_end(writer);
}

static int64_t renew_s(const struct node *node, const struct core_publication *publication)
{
    if (publication->timer.position == DHT_TIMER_IDLE)
        return 0;
    return (publication->timer.due_us - node->now_us) / CORE_SECOND_US;
}

void core_publication_progress(struct node *node, struct core_publication *publication,
                               enum control_step step)
{
    struct core_answer answer;
    if (publication->request == NULL)
        return;
    core_answer_begin(&answer, publication->request, CONTROL_ANSWER_PROGRESS);
    core_result_put_text(&answer.writer, CONTROL_KEY_STEP,
                         control_protocol_word(CONTROL_VOCABULARY_STEP, (int)step));
    core_answer_end(node, &answer);
}

// authority elapsed_us hops name nodes_answered nodes_asked refused renew_s seq stored targets
static void answer_done(struct node *node, struct core_publication *publication)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    struct core_request *request = publication->request;
    char authority[CORE_ZBASE32_LEN + 1];
    if (request == NULL)
        return;
    publication->request = NULL;
    request->publication = NULL;
    core_zbase32_encode(publication->key, authority);
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    core_result_put_text(writer, CONTROL_KEY_AUTHORITY, authority);
    core_result_put_int(writer, CONTROL_KEY_ELAPSED_US, node->now_us - request->started_us);
    core_result_put_int(writer, CONTROL_KEY_HOPS, publication->tally.hops);
    put_name(writer, publication);
    core_result_put_int(writer, CONTROL_KEY_NODES_ANSWERED, publication->read_tally.answered);
    core_result_put_int(writer, CONTROL_KEY_NODES_ASKED, publication->read_tally.asked);
    put_refused(writer, publication);
    core_result_put_int(writer, CONTROL_KEY_RENEW_S, renew_s(node, publication));
    core_result_put_int(writer, CONTROL_KEY_SEQ, publication->seq);
    core_result_put_int(writer, CONTROL_KEY_STORED, publication->tally.stored);
    core_result_put_int(writer, CONTROL_KEY_TARGETS, publication->tally.targets);
    core_answer_end(node, &answer);
}

static void answer_failed(struct node *node, struct core_publication *publication,
                          enum control_error code, const char *text)
{
    struct core_request *request = publication->request;
    if (request == NULL)
        return;
    publication->request = NULL;
    request->publication = NULL;
    core_request_fail(node, request, code, text);
}

// ---- what rounds come to ----

static void set_error(struct core_publication *publication, const char *text)
{
    size_t len = strlen(text);
    if (len >= sizeof publication->last_error)
        len = sizeof publication->last_error - 1;
    memcpy(publication->last_error, text, len);
    publication->last_error[len] = '\0';
}

static void due_in(struct node *node, struct core_publication *publication, int64_t pause_us)
{
    dht_timer_set(&node->timers, &publication->timer, node->now_us + pause_us);
}

// A random tenth sooner, so that what was published together does not stay together.
static int64_t renewal_pause_us(struct node *node)
{
    uint64_t tenth_us = (uint64_t)node->config.renew_us / 10;
    return node->config.renew_us - (int64_t)dht_random_below(&node->random, tenth_us + 1);
}

void core_publication_stored(struct node *node, struct core_publication *publication)
{
    publication->failures = 0;
    publication->fresh = publication->changed; // what came meanwhile is still to be brought
    publication->stored_us = node->now_us;
    set_error(publication, "");
    core_cache_forget(&node->cache, &publication->target);
    due_in(node, publication, publication->changed ? 0 : renewal_pause_us(node));
    if (publication->changed)
        return;
    answer_done(node, publication);
    // What stays behind of a name with other publishers is theirs; a tombstone has to outlive the
    // old record.
    bool others = publication->record.entry_count > 0;
    bool forgotten = others || core_brain_wall_us(node) >= publication->forget_wall_us;
    if (!publication->withdrawn || !forgotten)
        return;
    delete_row(node, publication);
    free_publication(node, publication);
}

static int64_t retry_pause_us(const struct core_publication *publication)
{
    uint32_t doublings = publication->failures < 8 ? publication->failures : 8;
    int64_t pause_us = RETRY_FIRST_US << doublings;
    return pause_us < RETRY_MOST_US ? pause_us : RETRY_MOST_US;
}

void core_publication_failed(struct node *node, struct core_publication *publication,
                             enum control_error code, const char *text)
{
    set_error(publication, text);
    due_in(node, publication, publication->changed ? 0 : retry_pause_us(publication));
    publication->failures++;
    if (publication->changed)
        return;
    // What cannot be published at all, and never was, is not kept either: the user is told.
    bool never = publication->stored_us == 0 && publication->fresh && !publication->withdrawn;
    bool refused = never && (code == CONTROL_ERROR_REFUSED || code == CONTROL_ERROR_TIMED_OUT);
    answer_failed(node, publication, code, text);
    if (!refused)
        return;
    delete_row(node, publication);
    free_publication(node, publication);
}

void core_publication_leave(struct node *node, struct core_publication *publication)
{
    publication->request->publication = NULL;
    publication->request = NULL;
    bool begun = publication->state == CORE_PUBLICATION_STORING ||
                 publication->state == CORE_PUBLICATION_PARTS;
    if (begun || publication->stored_us != 0 || !publication->fresh || publication->withdrawn)
        return;
    delete_row(node, publication);
    free_publication(node, publication);
}

// ---- what users ask for ----

// The key's unsalted record has to stand for its 40-hex authority to lead anywhere.
static void keep_anchor(struct node *node, const uint8_t key[DHT_KEY_LEN])
{
    struct dht_span none = {0};
    if (find(node, key, none) != NULL)
        return;
    struct core_publication *anchor = add(node, key, none);
    if (anchor == NULL)
        return;
    anchor->anchor = true;
    anchor->fresh = true;
    due_in(node, anchor, 0);
}

static void wait_for_round(struct node *node, struct core_publication *publication,
                           struct core_request *request)
{
    answer_failed(node, publication, CONTROL_ERROR_CANCELLED, "replaced by a later request");
    publication->request = request;
    request->publication = publication;
    publication->fresh = true;
    publication->failures = 0;
    publication->conflicts = 0;
    if (publication->state == CORE_PUBLICATION_IDLE)
        core_round_begin(node, publication);
    else
        publication->changed = true;
}

void core_publication_publish(struct node *node, struct core_request *request,
                              const struct core_key *key, const struct core_name *name,
                              struct core_publication_content *content)
{
    struct dht_span classifier = {name->classifier, name->classifier_len};
    uint8_t public_key[DHT_KEY_LEN];
    memcpy(public_key, key->key, sizeof public_key);
    struct core_publication *publication = find(node, public_key, classifier);
    if (publication == NULL)
        publication = add(node, public_key, classifier);
    if (publication == NULL) {
        free(content->payload);
        core_request_fail(node, request, CONTROL_ERROR_FULL, "too many names are published");
        return;
    }
    free(publication->content.payload);
    publication->content = *content;
    publication->anchor = false;
    publication->withdrawn = false;
    if (classifier.len > 0)
        keep_anchor(node, public_key);
    wait_for_round(node, publication, request);
}

void core_publication_withdraw(struct node *node, struct core_request *request,
                               const struct core_key *key, const struct core_name *name)
{
    struct dht_span classifier = {name->classifier, name->classifier_len};
    struct core_publication *publication = find(node, key->key, classifier);
    if (publication == NULL || publication->anchor || publication->withdrawn) {
        core_request_fail(node, request, CONTROL_ERROR_NOT_FOUND,
                          "the name is not published from here");
        return;
    }
    publication->withdrawn = true;
    publication->forget_wall_us = core_brain_wall_us(node) + FORGET_US;
    if (publication->forget_wall_us < 0)
        publication->forget_wall_us = 0;
    wait_for_round(node, publication, request);
}

bool core_publication_result(struct node *node, const uint8_t key[DHT_KEY_LEN],
                             const struct core_name *name, struct core_record *ret_record,
                             struct core_result *ret_result)
{
    struct dht_span classifier = {name->classifier, name->classifier_len};
    const struct core_publication *publication = find(node, key, classifier);
    if (publication == NULL || publication->anchor || publication->withdrawn ||
        publication->stored_us == 0)
        return false;
    *ret_record = publication->record;
    ret_result->payload =
        (struct dht_span){publication->content.payload, publication->content.payload_len};
    ret_result->seq = publication->seq;
    ret_result->age_s = (node->now_us - publication->stored_us) / CORE_SECOND_US;
    ret_result->source = CONTROL_SOURCE_LOCAL;
    return true;
}

static enum control_state state_of(const struct core_publication *publication)
{
    if (publication->withdrawn)
        return CONTROL_STATE_WITHDRAWING;
    switch (publication->state) {
    case CORE_PUBLICATION_READING:
        return CONTROL_STATE_READING;
    case CORE_PUBLICATION_SAVING:
        return CONTROL_STATE_SAVING;
    case CORE_PUBLICATION_PARTS:
    case CORE_PUBLICATION_STORING:
        return CONTROL_STATE_STORING;
    case CORE_PUBLICATION_IDLE:
        break;
    }
    return publication->failures > 0 || publication->stored_us == 0 ? CONTROL_STATE_FAILED
                                                                    : CONTROL_STATE_KEPT;
}

// comment copies endpoints last_error name renew_s seq session state stored targets
static void list_one(struct node *node, struct core_request *request,
                     const struct core_publication *publication)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    const struct core_publication_content *content = &publication->content;
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    for (uint32_t i = 0; i < content->endpoint_count; i++) {
        endpoints[i] = (struct control_endpoint){
            .ip_len = content->endpoints[i].addr.ip_len,
            .proto = content->endpoints[i].protocol,
            .port = content->endpoints[i].addr.port,
        };
        memcpy(endpoints[i].ip, content->endpoints[i].addr.ip, sizeof endpoints[i].ip);
    }
    core_answer_begin(&answer, request, CONTROL_ANSWER_RESULT);
    if (content->comment_len > 0)
        core_result_put_bytes(writer, CONTROL_KEY_COMMENT,
                              (struct dht_span){content->comment, content->comment_len});
    core_result_put_int(writer, CONTROL_KEY_COPIES, publication->read_tally.copies);
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, content->endpoint_count);
    core_result_put_text(writer, CONTROL_KEY_LAST_ERROR, publication->last_error);
    put_name(writer, publication);
    core_result_put_int(writer, CONTROL_KEY_RENEW_S, renew_s(node, publication));
    if (publication->seq != DHT_SEQ_NONE)
        core_result_put_int(writer, CONTROL_KEY_SEQ, publication->seq);
    core_result_put_int(writer, CONTROL_KEY_SESSION, 0);
    core_result_put_text(
        writer, CONTROL_KEY_STATE,
        control_protocol_word(CONTROL_VOCABULARY_STATE, (int)state_of(publication)));
    core_result_put_int(writer, CONTROL_KEY_STORED, publication->tally.stored);
    core_result_put_int(writer, CONTROL_KEY_TARGETS, publication->tally.targets);
    core_answer_end(node, &answer);
}

void core_publication_list(struct node *node, struct core_request *request)
{
    struct core_answer answer;
    for (const struct core_publication *publication = node->publications; publication != NULL;
         publication = publication->next)
        if (!publication->anchor)
            list_one(node, request, publication);
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    core_result_put_int(&answer.writer, CONTROL_KEY_COUNT, request->results);
    core_answer_end(node, &answer);
}

// ---- events ----

void core_publication_timer(struct node *node, struct core_publication *publication)
{
    if (publication->state == CORE_PUBLICATION_IDLE)
        core_round_begin(node, publication);
}

void core_publication_event(struct node *node, struct core_publication *publication, int engine,
                            const struct dht_out *event)
{
    core_round_event(node, publication, engine, event);
}

bool core_publication_written(struct node *node, uint64_t write_id, bool ok)
{
    for (struct core_publication *publication = node->publications; publication != NULL;
         publication = publication->next) {
        for (int i = 0; i < 2; i++) {
            if (publication->writes[i] != write_id)
                continue;
            publication->writes[i] = 0;
            publication->write_failed = publication->write_failed || !ok;
            core_round_written(node, publication);
            return true;
        }
    }
    return false;
}

void core_publication_renew_all(struct node *node)
{
    for (struct core_publication *publication = node->publications; publication != NULL;
         publication = publication->next)
        if (publication->state == CORE_PUBLICATION_IDLE)
            due_in(node, publication, (int64_t)dht_random_below(&node->random, SPREAD_US));
}

bool core_publication_restore(struct node *node, struct dht_span key, struct dht_span value)
{
    if (key.len < DHT_KEY_LEN || key.len > DHT_KEY_LEN + CORE_NAME_CLASSIFIER_LEN_MAX)
        return false;
    struct dht_span classifier = {key.data + DHT_KEY_LEN, key.len - DHT_KEY_LEN};
    if (core_name_check_classifier(classifier, NULL) != CORE_NAME_OK ||
        find(node, key.data, classifier) != NULL)
        return false;
    struct core_publication *publication = add(node, key.data, classifier);
    if (publication == NULL)
        return false;
    if (!core_publication_read_row(value, publication)) {
        free_publication(node, publication);
        return false;
    }
    due_in(node, publication, 0);
    return true;
}
