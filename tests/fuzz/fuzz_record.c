// SPDX-License-Identifier: MIT
// Records: read, changed by every function that changes one, written, and read again the same. The
// first byte says what is changed.
#include "node/core/record.h"
#include "tests/core/crypto_helper.h"
#include "tests/fuzz/fuzz.h"

// The public key of RFC 8032's first test, whose records docs/record.md shows.
static const uint8_t key[DHT_KEY_LEN] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

static void check(const struct core_record *record)
{
    FUZZ_CHECK(record->entry_count <= CORE_RECORD_ENTRIES_MAX);
    FUZZ_CHECK(record->endpoint_count <= CORE_RECORD_ENDPOINTS_MAX);
    FUZZ_CHECK(record->comment_len <= CORE_RECORD_COMMENT_MAX && record->comment_len % 2 == 0);
    FUZZ_CHECK(record->payload.len <= CORE_RECORD_PAYLOAD_MAX);
    for (uint32_t i = 0; i < record->endpoint_count; i++)
        FUZZ_CHECK(record->endpoints[i].entry == CORE_RECORD_NO_MACHINE ||
                   record->endpoints[i].entry < record->entry_count);
    FUZZ_CHECK(core_record_ttl_s(record) >= CORE_RECORD_TTL_MIN_S);
    FUZZ_CHECK(core_record_ttl_s(record) <= CORE_RECORD_TTL_MAX_S);
}

// Written and read again, it says the same; written once more, it is the same bytes.
static void round_trip(const struct core_record *record)
{
    uint8_t first[CORE_RECORD_LEN_MAX];
    uint8_t second[CORE_RECORD_LEN_MAX];
    size_t first_len;
    size_t second_len;
    struct core_record again;
    check(record);
    if (core_record_encode(record, key, first, &first_len) != CORE_RECORD_OK)
        return;
    FUZZ_CHECK(first_len <= CORE_RECORD_LEN_MAX);
    FUZZ_CHECK(core_record_decode(key, (struct dht_span){first, first_len}, &again) ==
               CORE_RECORD_OK);
    check(&again);
    FUZZ_CHECK(core_record_same_content(record, &again));
    FUZZ_CHECK(core_record_is_tombstone(record) == core_record_is_tombstone(&again));
    FUZZ_CHECK(core_record_encode(&again, key, second, &second_len) == CORE_RECORD_OK);
    FUZZ_CHECK(first_len == second_len && memcmp(first, second, first_len) == 0);
}

static void change(struct core_record *record, uint8_t what)
{
    struct dht_crypto crypto = helper_crypto(NULL);
    struct core_record_entry entry = {.signed_until_s = 1700007200, .lifetime_s = 3600};
    struct core_record_endpoint endpoints[2] = {{.protocol = 6}, {.protocol = 17}};
    uint8_t bytes[600];
    memset(entry.machine, what & 3, sizeof entry.machine);
    endpoints[0].addr = (struct dht_addr){{192, 0, 2, what & 7}, 80, 4};
    endpoints[1].addr = (struct dht_addr){{0x20, 0x01, 0x0d, 0xb8, [15] = what & 7}, 0, 16};
    memset(bytes, what, sizeof bytes);
    if ((what & 8) != 0)
        core_record_prune(record, 1700000000);
    if ((what & 16) != 0)
        (void)core_record_replace(record, &entry, endpoints, 2);
    if ((what & 32) != 0)
        (void)core_record_set_comment(record, (struct dht_span){bytes, 2 * (what & 7)});
    if ((what & 64) != 0)
        (void)core_record_set_payload(record, &crypto, CORE_RECORD_PAYLOAD_BINARY,
                                      (struct dht_span){bytes, 75 * (what & 7)}, (what & 1) != 0);
    if ((what & 128) != 0)
        (void)core_record_remove(record, entry.machine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct core_record record;
    if (size < 1 ||
        core_record_decode(key, (struct dht_span){data + 1, size - 1}, &record) != CORE_RECORD_OK)
        return 0;
    round_trip(&record);
    change(&record, data[0]);
    round_trip(&record);
    return 0;
}
