// SPDX-License-Identifier: MIT
#include "node/core/apart.h"

#include <stdlib.h>
#include <string.h>

void core_apart_drop(struct core_apart *apart)
{
    free(apart->bytes);
    *apart = (struct core_apart){.len = 0};
}

void core_apart_begin(struct core_apart *apart, const struct core_record_payload *of)
{
    core_apart_drop(apart);
    apart->len = of->len;
    memcpy(apart->parts, of->parts, sizeof apart->parts);
    apart->bytes = malloc(of->len);
    apart->is_missed = apart->bytes == NULL;
}

void core_apart_take(struct core_apart *apart, struct dht_span part)
{
    size_t at = (size_t)apart->part * CORE_RECORD_PART_LEN;
    size_t left = apart->len - at;
    size_t wanted = left < CORE_RECORD_PART_LEN ? left : CORE_RECORD_PART_LEN;
    apart->is_missed = part.len != wanted;
    if (apart->is_missed)
        return;
    memcpy(apart->bytes + at, part.data, wanted);
    apart->part++;
    apart->is_whole = apart->part == core_record_part_count(apart->len);
}

void core_apart_fill(struct core_apart *apart, const uint8_t *bytes)
{
    if (apart->is_missed)
        return;
    memcpy(apart->bytes, bytes, apart->len);
    apart->is_whole = true;
}

bool core_apart_is_of(const struct core_apart *apart, const struct core_record_payload *of)
{
    return apart->len == of->len &&
           memcmp(apart->parts, of->parts, core_record_part_count(of->len) * sizeof of->parts[0]) ==
               0;
}

bool core_apart_is_ended(const struct core_apart *apart)
{
    return apart->is_whole || apart->is_missed;
}

struct dht_span core_apart_payload(const struct core_apart *apart,
                                   const struct core_record_payload *payload)
{
    if (payload->type == CORE_RECORD_PAYLOAD_NONE)
        return (struct dht_span){0};
    if (!payload->by_reference)
        return (struct dht_span){payload->bytes, payload->len};
    bool is_here = apart->is_whole && core_apart_is_of(apart, payload);
    return is_here ? (struct dht_span){apart->bytes, payload->len} : (struct dht_span){0};
}
