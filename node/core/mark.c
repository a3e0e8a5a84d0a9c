// SPDX-License-Identifier: MIT
#include "node/core/mark.h"

#include <assert.h>
#include <string.h>

// Ten endpoints of at most 40 bytes, a comment, five targets, and what holds them together.
#define TEXT_MAX 1024

static void put_parts(struct dht_bencode_writer *writer, const struct dht_crypto *crypto,
                      const struct core_mark_content *content)
{
    dht_bencode_open_list(writer);
    uint32_t own = content->parts == NULL ? core_record_part_count(content->payload.len) : 0;
    for (uint32_t i = 0; i < own; i++) {
        struct dht_id target;
        core_record_part_target(crypto, core_record_part(content->payload, i), &target);
        dht_bencode_put_string(writer, target.bytes, DHT_ID_LEN);
    }
    for (size_t i = 0; content->parts != NULL && i < content->part_count; i++)
        dht_bencode_put_string(writer, content->parts[i].bytes, DHT_ID_LEN);
    dht_bencode_end(writer);
}

void core_mark(const struct dht_crypto *crypto, const struct core_mark_content *content,
               uint8_t ret_mark[CORE_MARK_LEN])
{
    uint8_t text[TEXT_MAX];
    uint8_t digest[32];
    struct dht_bencode_writer writer = dht_bencode_writer(text, sizeof text);
    dht_bencode_open_list(&writer);
    dht_bencode_put_string(&writer, content->comment.data, content->comment.len);
    control_fields_put_endpoints(&writer, content->endpoints, content->endpoint_count);
    dht_bencode_put_int(&writer, (int64_t)content->payload_type);
    put_parts(&writer, crypto, content);
    dht_bencode_end(&writer);
    assert(!writer.full);
    struct dht_span span = {text, dht_bencode_written(&writer)};
    crypto->sha256(crypto->ctx, &span, 1, digest);
    memcpy(ret_mark, digest, CORE_MARK_LEN);
}
