// SPDX-License-Identifier: MIT
// Registrations of unsecured names as clients are told of them.
#include "node/core/registration.h"

#include <string.h>

// Seconds until the next renewal, left out where there is nobody to ask in its cloud.
static void put_renew_s(const struct node *node, struct dht_bencode_writer *writer,
                        const struct core_registration *registration)
{
    int64_t renew_s = 0;
    if (core_cloud_is_hopeless(node, registration->cloud))
        return;
    if (registration->timer.position != DHT_TIMER_IDLE)
        renew_s = (registration->timer.due_us - node->now_us) / CORE_SECOND_US;
    dht_bencode_pair_int(writer, CONTROL_KEY_RENEW_S, renew_s);
}

static void put_name(struct dht_bencode_writer *writer, const struct core_name *name)
{
    char text[CORE_NAME_TEXT_LEN_MAX + 1];
    size_t len = core_name_print(name, text);
    dht_bencode_pair_string(writer, CONTROL_KEY_NAME, text, len);
}

// authority elapsed_us hops name nodes_answered nodes_asked refused renew_s stored suspect targets
void core_registration_answer(struct node *node, const struct core_registration *registration,
                              struct core_request *request)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    const struct dht_tally *tally = &registration->tally;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_text(writer, CONTROL_KEY_AUTHORITY, "0");
    dht_bencode_pair_int(writer, CONTROL_KEY_ELAPSED_US, node->now_us - request->started_us);
    dht_bencode_pair_int(writer, CONTROL_KEY_HOPS, tally->hops);
    put_name(writer, &registration->name);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ANSWERED, tally->answered);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ASKED, tally->asked);
    dht_bencode_put_text(writer, CONTROL_KEY_REFUSED);
    dht_bencode_open_list(writer);
    dht_bencode_end(writer);
    put_renew_s(node, writer, registration);
    dht_bencode_pair_int(writer, CONTROL_KEY_STORED, tally->stored);
    if (tally->suspect)
        dht_bencode_pair_int(writer, CONTROL_KEY_SUSPECT, 1);
    dht_bencode_pair_int(writer, CONTROL_KEY_TARGETS, tally->targets);
    core_answer_end(node, &answer);
}

static enum control_state state_of(const struct core_registration *registration)
{
    if (registration->state == CORE_REGISTRATION_SAVING)
        return CONTROL_STATE_SAVING;
    if (registration->state == CORE_REGISTRATION_ANNOUNCING)
        return CONTROL_STATE_STORING;
    return registration->failures > 0 || registration->stored_us == 0 ? CONTROL_STATE_FAILED
                                                                      : CONTROL_STATE_KEPT;
}

// cloud comment copies endpoints last_error name renew_s session state stored targets
static void list_one(struct node *node, struct core_request *request,
                     const struct core_registration *registration)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    const struct core_publication_content *content = &registration->content;
    const struct dht_tally *tally = &registration->tally;
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    struct core_description description;
    char why[CORE_CLOUD_TEXT_MAX];
    core_registration_describe(registration, &description);
    size_t count = core_description_endpoints(&description, endpoints);
    core_answer_begin(&answer, request, CONTROL_ANSWER_RESULT);
    dht_bencode_pair_text(writer, CONTROL_KEY_CLOUD, registration->cloud->config.name);
    if (content->comment_len > 0)
        dht_bencode_pair_string(writer, CONTROL_KEY_COMMENT, content->comment,
                                content->comment_len);
    dht_bencode_pair_int(writer, CONTROL_KEY_COPIES, tally->stored);
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, count);
    bool is_stuck = registration->cloud->present && registration->last_error[0] != '\0' &&
                    core_cloud_is_hopeless(node, registration->cloud);
    if (is_stuck)
        core_cloud_why_nobody(node, registration->cloud, "", why);
    dht_bencode_pair_text(writer, CONTROL_KEY_LAST_ERROR,
                          is_stuck ? why : registration->last_error);
    put_name(writer, &registration->name);
    put_renew_s(node, writer, registration);
    dht_bencode_pair_int(writer, CONTROL_KEY_SESSION, registration->session != NULL);
    dht_bencode_pair_text(
        writer, CONTROL_KEY_STATE,
        control_protocol_word(CONTROL_VOCABULARY_STATE, (int)state_of(registration)));
    dht_bencode_pair_int(writer, CONTROL_KEY_STORED, tally->stored);
    dht_bencode_pair_int(writer, CONTROL_KEY_TARGETS, tally->targets);
    core_answer_end(node, &answer);
}

bool core_registration_list(struct node *node, struct core_request *request)
{
    uint32_t at = 0;
    for (struct core_registration *one = node->registrations; one != NULL; one = one->next) {
        if (at++ < request->list_at)
            continue;
        if (!core_session_has_room(node, request->session))
            return false;
        list_one(node, request, one);
        request->list_at = at;
    }
    return true;
}
