// SPDX-License-Identifier: MIT
#include "node/core/criteria.h"

#include <string.h>

#define MAX_MOST 1000000

const char *core_criteria_read_which(struct dht_span arguments, enum control_criteria *ret_which)
{
    struct dht_span text, raw;
    int which = CONTROL_CRITERIA_ANY;
    if (control_fields_find(arguments, CONTROL_KEY_CRITERIA, &raw))
        which = control_fields_string(arguments, CONTROL_KEY_CRITERIA, &text)
                    ? control_protocol_value(CONTROL_VOCABULARY_CRITERIA, text)
                    : -1;
    if (which < 0)
        return "unknown criteria";
    *ret_which = (enum control_criteria)which;
    return NULL;
}

const char *core_criteria_read(struct dht_span arguments, struct core_criteria *ret_criteria)
{
    struct control_fields_range most = {1, MAX_MOST};
    struct dht_span text, raw;
    int64_t max = 0;
    struct core_criteria criteria = {.which = CONTROL_CRITERIA_ANY};
    const char *wrong = core_criteria_read_which(arguments, &criteria.which);
    if (wrong != NULL)
        return wrong;
    if (control_fields_find(arguments, CONTROL_KEY_HINT, &raw)) {
        if (!control_fields_string(arguments, CONTROL_KEY_HINT, &text) ||
            (text.len != 4 && text.len != 16))
            return "a hint is an IPv4 or IPv6 address, of 4 or 16 bytes";
        memcpy(criteria.hint, text.data, text.len);
        criteria.hint_len = (uint8_t)text.len;
    }
    if (control_fields_find(arguments, CONTROL_KEY_MAX, &raw) &&
        !control_fields_int(arguments, CONTROL_KEY_MAX, most, &max))
        return "max is 1 or more";
    criteria.max = (uint32_t)max;
    *ret_criteria = criteria;
    return NULL;
}

bool core_criteria_wants(const struct core_criteria *criteria,
                         const struct core_criteria_publisher *publisher)
{
    switch (criteria->which) {
    case CONTROL_CRITERIA_REMOTE:
    case CONTROL_CRITERIA_NEAREST_REMOTE:
        return !publisher->is_local;
    case CONTROL_CRITERIA_DEFAULT:
    case CONTROL_CRITERIA_NON_CURRENT:
    case CONTROL_CRITERIA_NEAREST_NON_CURRENT:
        return !publisher->is_current;
    default:
        return true;
    }
}

bool core_criteria_sorts(const struct core_criteria *criteria)
{
    return criteria->which == CONTROL_CRITERIA_NEAREST ||
           criteria->which == CONTROL_CRITERIA_NEAREST_REMOTE ||
           criteria->which == CONTROL_CRITERIA_NEAREST_NON_CURRENT;
}

// How many leading bits both have in common.
static uint32_t common_bits(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint32_t bits = 0;
    while (bits < len * 8 && ((a[bits / 8] ^ b[bits / 8]) & 0x80 >> bits % 8) == 0)
        bits++;
    return bits;
}

// Of the publisher's address that is closest to the hint.
static uint32_t prefix_bits(const struct core_criteria *criteria,
                            const struct core_criteria_publisher *publisher)
{
    uint32_t best = 0;
    for (size_t i = 0; i < publisher->endpoint_count; i++) {
        const struct control_endpoint *endpoint = &publisher->endpoints[i];
        if (endpoint->ip_len != criteria->hint_len)
            continue;
        uint32_t bits = common_bits(criteria->hint, endpoint->ip, endpoint->ip_len);
        best = bits > best ? bits : best;
    }
    return best;
}

bool core_criteria_is_nearer(const struct core_criteria *criteria,
                             const struct core_criteria_publisher *a,
                             const struct core_criteria_publisher *b)
{
    uint32_t bits_a = criteria->hint_len > 0 ? prefix_bits(criteria, a) : 0;
    uint32_t bits_b = criteria->hint_len > 0 ? prefix_bits(criteria, b) : 0;
    if (bits_a != bits_b)
        return bits_a > bits_b;
    // As unsigned numbers, so that an unknown one is the farthest.
    return (uint64_t)a->rtt_us < (uint64_t)b->rtt_us;
}

bool core_criteria_is_enough(const struct core_criteria *criteria, uint32_t results)
{
    return criteria->max > 0 && results >= criteria->max;
}
