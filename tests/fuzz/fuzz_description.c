// SPDX-License-Identifier: MIT
// What the publishers of an unsecured name say of themselves: read, written, and read again the
// same.
#include "node/core/description.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX 16384 // more than so many of the longest need

static void check(const struct core_description *description)
{
    FUZZ_CHECK(description->endpoint_count <= CORE_RECORD_ENDPOINTS_MAX);
    FUZZ_CHECK(description->comment_len <= CORE_RECORD_COMMENT_MAX);
    FUZZ_CHECK(description->comment_len % 2 == 0);
    FUZZ_CHECK(description->payload_len <= CORE_RECORD_PAYLOAD_MAX);
    FUZZ_CHECK((description->payload_type == CORE_RECORD_PAYLOAD_NONE) ==
               (description->payload_len == 0));
    FUZZ_CHECK(description->endpoint_count > 0 || description->payload_len > 0);
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    FUZZ_CHECK(core_description_endpoints(description, endpoints) == description->endpoint_count);
}

static size_t write(const struct core_description *descriptions, size_t count, uint8_t *ret_text)
{
    struct dht_bencode_writer writer = dht_bencode_writer(ret_text, TEXT_MAX);
    core_description_write(&writer, descriptions, count);
    FUZZ_CHECK(!writer.full);
    return dht_bencode_written(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct core_description first[CORE_DESCRIPTION_PUBLISHERS_MAX];
    static struct core_description second[CORE_DESCRIPTION_PUBLISHERS_MAX];
    static uint8_t text[TEXT_MAX];
    static uint8_t again[TEXT_MAX];
    size_t count = core_description_read((struct dht_span){data, size}, first);
    FUZZ_CHECK(count <= CORE_DESCRIPTION_PUBLISHERS_MAX);
    for (size_t i = 0; i < count; i++)
        check(&first[i]);
    if (count == 0)
        return 0;
    size_t len = write(first, count, text);
    FUZZ_CHECK(core_description_read((struct dht_span){text, len}, second) == count);
    FUZZ_CHECK(write(second, count, again) == len && memcmp(text, again, len) == 0);
    return 0;
}
