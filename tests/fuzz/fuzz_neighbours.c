// SPDX-License-Identifier: MIT
// Announcements on a link: what is read is the same when written and read again, and whatever
// comes, pings and announcements stay within their bounds.
#include "dht/neighbours.h"
#include "tests/fuzz/fuzz.h"

static void check_round_trip(struct dht_span bytes)
{
    struct dht_neighbours_message message;
    struct dht_neighbours_message again;
    uint8_t written[DHT_NEIGHBOURS_LEN_MAX];
    if (!dht_neighbours_read(bytes, &message))
        return;
    struct dht_span span = {written, dht_neighbours_write(&message, written)};
    FUZZ_CHECK(dht_neighbours_read(span, &again) && again.kind == message.kind);
    FUZZ_CHECK(memcmp(again.id.bytes, message.id.bytes, DHT_ID_LEN) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = {1};
    static const struct dht_id own = {{0}};
    struct dht_neighbours neighbours;
    struct dht_random random;
    struct dht_id id;
    uint32_t asked = 0;
    dht_random_init(&random, seed);
    dht_neighbours_init(&neighbours, 0);
    check_round_trip((struct dht_span){data, size});
    for (uint32_t i = 0; i < 1000; i++) {
        struct dht_datagram datagram = {
            .addr = {.ip = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}, .ip_len = 4, .port = 1},
            .bytes = {data, size}};
        asked += dht_neighbours_heard(&neighbours, 1000000 + i, &random, &own, &datagram, &id) ==
                 DHT_NEIGHBOURS_ASK;
    }
    FUZZ_CHECK(asked <= DHT_NEIGHBOURS_BURST + 1);
    FUZZ_CHECK(neighbours.heard_count <= DHT_NEIGHBOURS_MAX);
    return 0;
}
