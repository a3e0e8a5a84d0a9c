// SPDX-License-Identifier: MIT
// Publications as clients are told of them.
#include "dht/addr.h"
#include "node/core/pace.h"
#include "node/core/registration.h"
#include "node/core/round.h"
#include "node/core/zbase32.h"

#include <string.h>

static void name_of(const struct core_publication *publication, struct core_name *ret_name)
{
    *ret_name = (struct core_name){.kind = CORE_NAME_KEY};
    memcpy(ret_name->key, publication->key, DHT_KEY_LEN);
    memcpy(ret_name->classifier, publication->classifier, publication->classifier_len);
    ret_name->classifier_len = publication->classifier_len;
}

void core_publication_put_name(struct dht_bencode_writer *writer,
                               const struct core_publication *publication)
{
    struct core_name name;
    char text[CORE_NAME_TEXT_LEN_MAX + 1];
    name_of(publication, &name);
    size_t len = core_name_print(&name, text);
    dht_bencode_pair_string(writer, CONTROL_KEY_NAME, text, len);
}

void core_publication_progress(struct node *node, struct core_publication *publication,
                               enum control_step step)
{
    struct core_answer answer;
    if (publication->request == NULL)
        return;
    core_answer_begin(&answer, publication->request, CONTROL_ANSWER_PROGRESS);
    dht_bencode_pair_text(&answer.writer, CONTROL_KEY_STEP,
                          control_protocol_word(CONTROL_VOCABULARY_STEP, (int)step));
    core_answer_end(node, &answer);
}

// Whether what comes next only reads back what is stored.
static bool is_checked_next(const struct core_publication *publication)
{
    return publication->is_check && publication->failures == 0 && publication->stored_us != 0 &&
           publication->timer.position != DHT_TIMER_IDLE;
}

int64_t core_publication_renew_s(const struct node *node,
                                 const struct core_publication *publication)
{
    if (core_cloud_is_hopeless(node, publication->cloud))
        return -1;
    if (publication->timer.position == DHT_TIMER_IDLE)
        return 0;
    int64_t due_us = publication->timer.due_us;
    if (is_checked_next(publication))
        due_us = publication->stored_us + core_pace_longest_us(node, publication);
    return due_us > node->now_us ? (due_us - node->now_us) / CORE_SECOND_US : 0;
}

// seconds until the next renewal, left out where there is nobody to ask in its cloud
static void put_renew_s(const struct node *node, struct dht_bencode_writer *writer,
                        const struct core_publication *publication)
{
    int64_t renew_s = core_publication_renew_s(node, publication);
    if (renew_s >= 0)
        dht_bencode_pair_int(writer, CONTROL_KEY_RENEW_S, renew_s);
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
        dht_bencode_pair_text(writer, CONTROL_KEY_ADDR, addr);
        dht_bencode_pair_int(writer, CONTROL_KEY_CODE, publication->refused[i].code);
        dht_bencode_end(writer);
    }
    dht_bencode_end(writer);
}

// authority elapsed_us hops name nodes_answered nodes_asked refused renew_s seq stored suspect
// targets
void core_publication_answer(struct node *node, const struct core_publication *publication,
                             struct core_request *request)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    char authority[CORE_ZBASE32_LEN + 1];
    core_zbase32_encode(publication->key, authority);
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_text(writer, CONTROL_KEY_AUTHORITY, authority);
    dht_bencode_pair_int(writer, CONTROL_KEY_ELAPSED_US, node->now_us - request->started_us);
    dht_bencode_pair_int(writer, CONTROL_KEY_HOPS, publication->tally.hops);
    core_publication_put_name(writer, publication);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ANSWERED, publication->read_tally.answered);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ASKED, publication->read_tally.asked);
    put_refused(writer, publication);
    put_renew_s(node, writer, publication);
    if (publication->seq != DHT_SEQ_NONE)
        dht_bencode_pair_int(writer, CONTROL_KEY_SEQ, publication->seq);
    dht_bencode_pair_int(writer, CONTROL_KEY_STORED, publication->tally.stored);
    if (publication->read_tally.suspect)
        dht_bencode_pair_int(writer, CONTROL_KEY_SUSPECT, 1);
    dht_bencode_pair_int(writer, CONTROL_KEY_TARGETS, publication->tally.targets);
    core_answer_end(node, &answer);
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
    if (publication->failures > 0 || publication->stored_us == 0)
        return CONTROL_STATE_FAILED;
    return is_checked_next(publication) ? CONTROL_STATE_CHECKING : CONTROL_STATE_KEPT;
}

// cloud comment copies endpoints last_error name renew_s seq session state stored targets
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
    dht_bencode_pair_text(writer, CONTROL_KEY_CLOUD, publication->cloud->config.name);
    if (content->comment_len > 0 && !publication->withdrawn)
        dht_bencode_pair_string(writer, CONTROL_KEY_COMMENT, content->comment,
                                content->comment_len);
    dht_bencode_pair_int(writer, CONTROL_KEY_COPIES, publication->copies);
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, content->endpoint_count);
    dht_bencode_pair_text(writer, CONTROL_KEY_LAST_ERROR, publication->last_error);
    core_publication_put_name(writer, publication);
    put_renew_s(node, writer, publication);
    if (publication->seq != DHT_SEQ_NONE)
        dht_bencode_pair_int(writer, CONTROL_KEY_SEQ, publication->seq);
    dht_bencode_pair_int(writer, CONTROL_KEY_SESSION, publication->session != NULL);
    dht_bencode_pair_text(
        writer, CONTROL_KEY_STATE,
        control_protocol_word(CONTROL_VOCABULARY_STATE, (int)state_of(publication)));
    dht_bencode_pair_int(writer, CONTROL_KEY_STORED, publication->tally.stored);
    dht_bencode_pair_int(writer, CONTROL_KEY_TARGETS, publication->tally.targets);
    core_answer_end(node, &answer);
}

uint32_t core_publication_list_count(const struct node *node)
{
    uint32_t count = node->registration_count;
    for (uint32_t i = 0; i < node->publications.count; i++)
        count += !node->publications.slots[i]->anchor;
    return count;
}

void core_publication_list(struct node *node, struct core_request *request)
{
    if (!request->listing) {
        request->listing = true;
        request->list_left = node->publications.count;
    }
    // From the last to the first: where one goes meanwhile, the last takes its place, and none is
    // left out.
    while (request->list_left > 0 && core_session_has_room(node, request->session)) {
        uint32_t slot = --request->list_left;
        if (slot < node->publications.count && !node->publications.slots[slot]->anchor)
            list_one(node, request, node->publications.slots[slot]);
    }
    if (request->list_left > 0 || !core_registration_list(node, request))
        return; // goes on when the client has read some of it
    struct core_answer answer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_COUNT, request->results);
    core_answer_end(node, &answer);
}
