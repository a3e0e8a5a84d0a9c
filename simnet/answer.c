// SPDX-License-Identifier: MIT
#include "simnet/answer.h"

#include <string.h>

// An integer of the fields, or `missing`.
static int64_t number(struct dht_span fields, const char *key, int64_t missing)
{
    static const struct control_fields_range any = {INT64_MIN, INT64_MAX};
    int64_t value;
    return control_fields_int(fields, key, any, &value) ? value : missing;
}

static uint32_t count(struct dht_span fields, const char *key)
{
    static const struct control_fields_range counts = {0, UINT32_MAX};
    int64_t value;
    return control_fields_int(fields, key, counts, &value) ? (uint32_t)value : 0;
}

static struct dht_span string(struct dht_span fields, const char *key)
{
    struct dht_span value;
    return control_fields_string(fields, key, &value) ? value : (struct dht_span){NULL, 0};
}

static int word(struct dht_span fields, const char *key, enum control_vocabulary vocabulary)
{
    struct dht_span text = string(fields, key);
    return text.data == NULL ? -1 : control_protocol_value(vocabulary, text);
}

static struct simnet_answer_work work(struct dht_span fields)
{
    return (struct simnet_answer_work){
        .asked = count(fields, CONTROL_KEY_NODES_ASKED),
        .answered = count(fields, CONTROL_KEY_NODES_ANSWERED),
        .hops = count(fields, CONTROL_KEY_HOPS),
        .elapsed_us = number(fields, CONTROL_KEY_ELAPSED_US, 0),
    };
}

bool simnet_answer_result(struct dht_span fields, struct simnet_answer_result *ret_result)
{
    struct simnet_answer_result result = {.work = work(fields)};
    if (string(fields, CONTROL_KEY_NAME).data == NULL ||
        !control_fields_endpoints(fields, result.endpoints, &result.endpoint_count))
        return false;
    result.comment = string(fields, CONTROL_KEY_COMMENT);
    result.payload = string(fields, CONTROL_KEY_PAYLOAD);
    result.machine = string(fields, CONTROL_KEY_MACHINE);
    result.seq = number(fields, CONTROL_KEY_SEQ, DHT_SEQ_NONE);
    result.ttl_s = number(fields, CONTROL_KEY_TTL_S, 0);
    result.age_s = number(fields, CONTROL_KEY_AGE_S, 0);
    result.source = word(fields, CONTROL_KEY_SOURCE, CONTROL_VOCABULARY_SOURCE);
    result.copies = count(fields, CONTROL_KEY_COPIES);
    if (!control_fields_bool(fields, CONTROL_KEY_FINAL, &result.is_final))
        return false;
    *ret_result = result;
    return true;
}

int simnet_answer_event(struct dht_span fields)
{
    return word(fields, CONTROL_KEY_EVENT, CONTROL_VOCABULARY_EVENT);
}

bool simnet_answer_hop(struct dht_span fields, struct simnet_answer_hop *ret_hop)
{
    struct dht_span id = string(fields, CONTROL_KEY_NODE_ID);
    if (word(fields, CONTROL_KEY_STEP, CONTROL_VOCABULARY_STEP) != CONTROL_STEP_HOP)
        return false;
    *ret_hop = (struct simnet_answer_hop){
        .addr = string(fields, CONTROL_KEY_ADDR),
        .has_id = id.len == DHT_ID_LEN,
        .outcome = word(fields, CONTROL_KEY_OUTCOME, CONTROL_VOCABULARY_OUTCOME),
        .depth = count(fields, CONTROL_KEY_DEPTH),
        .named = count(fields, CONTROL_KEY_NAMED),
        .rtt_us = number(fields, CONTROL_KEY_RTT_US, -1),
    };
    if (ret_hop->has_id)
        memcpy(ret_hop->id.bytes, id.data, DHT_ID_LEN);
    return true;
}

bool simnet_answer_final(enum control_answer kind, struct dht_span fields,
                         struct simnet_answer_final *ret_final)
{
    int64_t code = CONTROL_ERROR_OK;
    if (kind == CONTROL_ANSWER_ERROR) {
        code = number(fields, CONTROL_KEY_CODE, CONTROL_ERROR_OK);
        if (code <= CONTROL_ERROR_OK || code > CONTROL_ERROR_MEMORY)
            return false;
    } else if (kind != CONTROL_ANSWER_DONE) {
        return false;
    }
    *ret_final = (struct simnet_answer_final){
        .work = work(fields),
        .code = (enum control_error)code,
        .text = string(fields, CONTROL_KEY_TEXT),
        .count = count(fields, CONTROL_KEY_COUNT),
        .copies = count(fields, CONTROL_KEY_COPIES),
        .stored = count(fields, CONTROL_KEY_STORED),
        .targets = count(fields, CONTROL_KEY_TARGETS),
        .renew_s = number(fields, CONTROL_KEY_RENEW_S, 0),
        .seq = number(fields, CONTROL_KEY_SEQ, DHT_SEQ_NONE),
    };
    return true;
}
