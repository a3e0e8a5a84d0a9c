// SPDX-License-Identifier: MIT
#include "dht/peer_store.h"

#include "dht/addr.h"
#include "tests/dht/failing_malloc.h"

#include <assert.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define LIFE_US   (2700 * SECOND_US)

static const struct dht_siphash_key key = {1, 2};
static const struct dht_peer_store_limits roomy = {1000, 100000, 5000, LIFE_US};
static struct dht_random dice;

static struct dht_id make_hash(uint32_t number)
{
    struct dht_id info_hash = {{0}};
    memcpy(info_hash.bytes, &number, sizeof(number));
    return info_hash;
}

static struct dht_addr make_addr(uint32_t number, uint8_t ip_len)
{
    struct dht_addr addr = {.ip = {0x20, 1}, .port = (uint16_t)(number % 7 + 1), .ip_len = ip_len};
    addr.ip[ip_len - 2] = (uint8_t)(number >> 8);
    addr.ip[ip_len - 1] = (uint8_t)number;
    return addr;
}

static enum dht_peer_store_result put(struct dht_peer_store *store, int64_t now_us, uint32_t swarm,
                                      uint32_t peer, bool is_seed)
{
    struct dht_id info_hash = make_hash(swarm);
    struct dht_addr addr = make_addr(peer, 4);
    return dht_peer_store_put(store, now_us, &info_hash, &addr, is_seed);
}

static size_t sample(struct dht_peer_store *store, uint32_t swarm, bool noseed, size_t max,
                     uint8_t *ret_compact)
{
    struct dht_id info_hash = make_hash(swarm);
    return dht_peer_store_sample(store, &info_hash, noseed, max, ret_compact);
}

static void test_limits(void **state)
{
    (void)state;
    struct dht_peer_store_limits limits = {2, 5, 3, LIFE_US};
    struct dht_peer_store *store = dht_peer_store_new(&limits, &key, &dice);
    static const struct {
        const char *name;
        uint32_t swarm;
        uint32_t peer;
        bool has_room; // before
        enum dht_peer_store_result result;
    } rows[] = {
        {"first swarm", 1, 1, true, DHT_PEER_STORE_ADDED},
        {"again", 1, 1, true, DHT_PEER_STORE_REFRESHED},
        {"second peer", 1, 2, true, DHT_PEER_STORE_ADDED},
        {"third peer", 1, 3, true, DHT_PEER_STORE_ADDED},
        {"swarm full", 1, 4, false, DHT_PEER_STORE_FULL},
        {"a full swarm refreshes", 1, 2, false, DHT_PEER_STORE_REFRESHED},
        {"second swarm", 2, 1, true, DHT_PEER_STORE_ADDED},
        {"no third swarm", 3, 1, false, DHT_PEER_STORE_FULL},
        {"fifth peer in all", 2, 2, true, DHT_PEER_STORE_ADDED},
        {"no sixth", 2, 3, false, DHT_PEER_STORE_FULL},
        {"a full store refreshes", 2, 1, false, DHT_PEER_STORE_REFRESHED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dht_id info_hash = make_hash(rows[i].swarm);
        if (dht_peer_store_has_room(store, &info_hash) != rows[i].has_room ||
            put(store, 0, rows[i].swarm, rows[i].peer, false) != rows[i].result) {
            fail_msg("%s", rows[i].name);
        }
        dht_peer_store_check(store);
    }
    assert_int_equal(dht_peer_store_swarms(store), 2);
    assert_int_equal(dht_peer_store_peers(store), 5);
    dht_peer_store_free(store);
}

static void test_no_peers_allowed(void **state)
{
    (void)state;
    struct dht_peer_store_limits limits = {2, 5, 0, LIFE_US};
    struct dht_peer_store *store = dht_peer_store_new(&limits, &key, &dice);
    struct dht_id info_hash = make_hash(1);
    assert_false(dht_peer_store_has_room(store, &info_hash));
    assert_int_equal(put(store, 0, 1, 1, false), DHT_PEER_STORE_FULL);
    dht_peer_store_free(store);
}

static void test_expiry(void **state)
{
    (void)state;
    struct dht_peer_store *store = dht_peer_store_new(&roomy, &key, &dice);
    assert_true(dht_peer_store_next_expiry(store) == INT64_MAX);
    assert_int_equal(dht_peer_store_expire(store, INT64_MAX, 9), 0);
    put(store, 0, 1, 1, false);
    put(store, 10, 1, 2, false);
    put(store, 5, 2, 1, false);
    put(store, 20, 1, 1, false);
    assert_true(dht_peer_store_next_expiry(store) <= LIFE_US + 5);
    assert_int_equal(dht_peer_store_expire(store, LIFE_US + 4, 9), 0);
    assert_true(dht_peer_store_next_expiry(store) == LIFE_US + 5);
    assert_int_equal(dht_peer_store_expire(store, LIFE_US + 5, 9), 1);
    assert_int_equal(dht_peer_store_swarms(store), 1);
    assert_int_equal(dht_peer_store_expire(store, LIFE_US + 20, 1), 1); // at most
    assert_int_equal(dht_peer_store_peers(store), 1);
    assert_int_equal(dht_peer_store_expire(store, LIFE_US + 20, 1), 1);
    assert_int_equal(dht_peer_store_swarms(store), 0);
    assert_true(dht_peer_store_next_expiry(store) == INT64_MAX);
    dht_peer_store_check(store);
    dht_peer_store_free(store);
}

// Of 300 peers, every third a seed, samples of 20 come to show all.
static void test_samples_show_all(void **state)
{
    (void)state;
    for (int noseed = 0; noseed < 2; noseed++) {
        struct dht_peer_store *store = dht_peer_store_new(&roomy, &key, &dice);
        bool shown[300] = {false};
        size_t shown_count = 0;
        for (uint32_t i = 0; i < 300; i++) {
            put(store, 0, 1, i, i % 3 == 0);
        }
        for (int call = 0; call < 400; call++) {
            uint8_t compact[20 * 6];
            assert_int_equal(sample(store, 1, noseed, 20, compact), 20);
            for (size_t at = 0; at < 20; at++) {
                uint32_t number = (uint32_t)compact[at * 6 + 2] << 8 | compact[at * 6 + 3];
                struct dht_addr addr;
                assert_true(dht_addr_from_compact(compact + at * 6, 6, &addr));
                struct dht_addr expected = make_addr(number, 4);
                assert_true(number < 300 && dht_addr_equal(&addr, &expected));
                assert_false(noseed && number % 3 == 0);
                shown_count += !shown[number];
                shown[number] = true;
            }
        }
        assert_int_equal(shown_count, noseed ? 200 : 300);
        uint8_t all[400 * 6];
        assert_int_equal(sample(store, 1, noseed, 400, all), noseed ? 200 : 300);
        assert_int_equal(sample(store, 1, noseed, 0, all), 0);
        assert_int_equal(sample(store, 2, noseed, 400, all), 0);
        dht_peer_store_free(store);
    }
}

static void test_infohashes(void **state)
{
    (void)state;
    struct dht_peer_store *store = dht_peer_store_new(&roomy, &key, &dice);
    struct dht_id hashes[200];
    assert_int_equal(dht_peer_store_infohashes(store, 200, hashes), 0);
    for (uint32_t count = 1; count <= 120; count++) {
        put(store, 0, count, 1, false);
        uint64_t max = dht_random_below(&dice, 200);
        size_t got = dht_peer_store_infohashes(store, max, hashes);
        assert_int_equal(got, max < count ? max : count);
        bool shown[121] = {false};
        for (size_t i = 0; i < got; i++) {
            uint32_t number;
            memcpy(&number, hashes[i].bytes, sizeof(number));
            assert_true(number >= 1 && number <= count && !shown[number]);
            shown[number] = true;
        }
    }
    // Every one is picked, given time.
    bool picked[121] = {false};
    size_t picked_count = 0;
    for (int call = 0; call < 2000; call++) {
        assert_int_equal(dht_peer_store_infohashes(store, 1, hashes), 1);
        picked_count += !picked[hashes[0].bytes[0]];
        picked[hashes[0].bytes[0]] = true;
    }
    assert_int_equal(picked_count, 120);
    dht_peer_store_free(store);
}

// ---- BEP 33 ----

static void sha1(void *ctx, const struct dht_span *parts, size_t part_count, uint8_t ret_digest[20])
{
    (void)ctx;
    assert(part_count == 1);
    assert(EVP_Digest(parts[0].data, parts[0].len, ret_digest, NULL, EVP_sha1(), NULL) == 1);
}

static const struct dht_crypto crypto = {.sha1 = sha1};

// BEP 33's test vector: 192.0.2.0 to .255 and 2001:db8::0 to ::3e7.
static const uint8_t bep33_filter[256] = {
    0xf6, 0xc3, 0xf5, 0xea, 0xa0, 0x7f, 0xfd, 0x91, 0xbd, 0xe8, 0x9f, 0x77, 0x7f, 0x26, 0xfb, 0x2b,
    0xff, 0x37, 0xbd, 0xb8, 0xfb, 0x2b, 0xba, 0xa2, 0xfd, 0x3d, 0xdd, 0xe7, 0xba, 0xcf, 0xff, 0x75,
    0xee, 0x7c, 0xcb, 0xae, 0xfe, 0x5e, 0xed, 0xb1, 0xfb, 0xfa, 0xff, 0x67, 0xf6, 0xab, 0xff, 0x5e,
    0x43, 0xdd, 0xbc, 0xa3, 0xfd, 0x9b, 0x9f, 0xfd, 0xf4, 0xff, 0xd3, 0xe9, 0xdf, 0xf1, 0x2d, 0x1b,
    0xdf, 0x59, 0xdb, 0x53, 0xdb, 0xe9, 0xfa, 0x5b, 0x7f, 0xf3, 0xb8, 0xfd, 0xfc, 0xde, 0x1a, 0xfb,
    0x8b, 0xed, 0xd7, 0xbe, 0x2f, 0x3e, 0xe7, 0x1e, 0xbb, 0xbf, 0xe9, 0x3b, 0xcd, 0xee, 0xfe, 0x14,
    0x82, 0x46, 0xc2, 0xbc, 0x5d, 0xbf, 0xf7, 0xe7, 0xef, 0xdc, 0xf2, 0x4f, 0xd8, 0xdc, 0x7a, 0xdf,
    0xfd, 0x8f, 0xff, 0xdf, 0xdd, 0xff, 0xf7, 0xa4, 0xbb, 0xee, 0xdf, 0x5c, 0xb9, 0x5c, 0xe8, 0x1f,
    0xc7, 0xfc, 0xff, 0x1f, 0xf4, 0xff, 0xff, 0xdf, 0xe5, 0xf7, 0xfd, 0xcb, 0xb7, 0xfd, 0x79, 0xb3,
    0xfa, 0x1f, 0xc7, 0x7b, 0xfe, 0x07, 0xff, 0xf9, 0x05, 0xb7, 0xb7, 0xff, 0xc7, 0xfe, 0xfe, 0xff,
    0xe0, 0xb8, 0x37, 0x0b, 0xb0, 0xcd, 0x3f, 0x5b, 0x7f, 0x2b, 0xd9, 0x3f, 0xeb, 0x43, 0x86, 0xcf,
    0xdd, 0x6f, 0x7f, 0xd5, 0xbf, 0xaf, 0x2e, 0x9e, 0xbf, 0xff, 0xfe, 0xec, 0xd6, 0x7a, 0xdb, 0xf7,
    0xc6, 0x7f, 0x17, 0xef, 0xd5, 0xd7, 0x5e, 0xba, 0x6f, 0xfe, 0xba, 0x7f, 0xff, 0x47, 0xa9, 0x1e,
    0xb1, 0xbf, 0xbb, 0x53, 0xe8, 0xab, 0xfb, 0x57, 0x62, 0xab, 0xe8, 0xff, 0x23, 0x72, 0x79, 0xbf,
    0xef, 0xbf, 0xee, 0xf5, 0xff, 0xc5, 0xfe, 0xbf, 0xdf, 0xe5, 0xad, 0xff, 0xad, 0xfe, 0xe1, 0xfb,
    0x73, 0x7f, 0xff, 0xfb, 0xfd, 0x9f, 0x6a, 0xef, 0xfe, 0xee, 0x76, 0xb6, 0xfd, 0x8f, 0x72, 0xef,
};

static void test_scrape_vector(void **state)
{
    (void)state;
    static const uint8_t zeros[256];
    static const struct {
        uint8_t ip_len;
        uint8_t ip[16];
        uint32_t count;
    } rows[] = {{4, {192, 0, 2}, 256}, {16, {0x20, 0x01, 0x0d, 0xb8}, 1000}};
    for (int seeds = 0; seeds < 2; seeds++) {
        uint8_t both[256] = {0};
        for (size_t row = 0; row < 2; row++) {
            struct dht_peer_store *store = dht_peer_store_new(&roomy, &key, &dice);
            struct dht_id info_hash = make_hash(1);
            for (uint32_t i = 0; i < rows[row].count; i++) {
                struct dht_addr addr = {.port = (uint16_t)(i + 1), .ip_len = rows[row].ip_len};
                memcpy(addr.ip, rows[row].ip, sizeof(addr.ip));
                addr.ip[addr.ip_len - 1] = (uint8_t)i;
                addr.ip[addr.ip_len - 2] |= (uint8_t)(i >> 8);
                dht_peer_store_put(store, 0, &info_hash, &addr, seeds);
            }
            uint8_t filters[2][256];
            memset(filters, 0xff, sizeof(filters));
            assert_true(dht_peer_store_scrape(store, &info_hash, &crypto, filters[1], filters[0]));
            assert_memory_equal(filters[!seeds], zeros, 256);
            for (size_t i = 0; i < 256; i++) {
                both[i] |= filters[seeds][i];
            }
            dht_peer_store_free(store);
        }
        assert_memory_equal(both, bep33_filter, 256);
    }
}

static void test_scrape_unknown(void **state)
{
    (void)state;
    struct dht_peer_store *store = dht_peer_store_new(&roomy, &key, &dice);
    struct dht_id info_hash = make_hash(1);
    uint8_t filter[256] = {42};
    assert_false(dht_peer_store_scrape(store, &info_hash, &crypto, filter, filter));
    assert_int_equal(filter[0], 42);
    dht_peer_store_free(store);
}

static void test_memory_short(void **state)
{
    (void)state;
    failing_malloc_left = 0;
    assert_null(dht_peer_store_new(&roomy, &key, &dice));
    failing_malloc_left = -1;
    struct dht_peer_store *store = dht_peer_store_new(&roomy, &key, &dice);
    for (uint32_t i = 0; i < 200; i++) {
        bool added = false;
        for (long left = 0; !added; left++) {
            failing_malloc_left = left;
            added = put(store, i, i % 3 ? i : 0, i, false) == DHT_PEER_STORE_ADDED;
            failing_malloc_left = -1;
            assert_int_equal(dht_peer_store_peers(store), i + added);
            dht_peer_store_check(store);
        }
    }
    failing_malloc_left = 0;
    assert_int_equal(dht_peer_store_expire(store, INT64_MAX, 1000), 200);
    failing_malloc_left = -1;
    dht_peer_store_check(store);
    dht_peer_store_free(store);
}

// ---- random operations against an array ----

#define SWARMS 40
#define PEERS  60

struct model {
    int64_t announced_us[SWARMS][PEERS]; // -1: absent
    bool is_seed[SWARMS][PEERS];
    uint32_t of_swarm[SWARMS];
    int64_t news_us[SWARMS]; // -1: none
    uint32_t swarms;
    uint32_t peers;
};

static const struct dht_peer_store_limits model_limits = {30, 500, 40, 1000};

static void model_put(struct dht_peer_store *store, struct model *model, int64_t now_us,
                      uint8_t ip_len)
{
    uint32_t swarm = (uint32_t)dht_random_below(&dice, 1 + dht_random_below(&dice, SWARMS));
    uint32_t peer = (uint32_t)dht_random_below(&dice, PEERS);
    bool is_seed = dht_random_below(&dice, 2);
    struct dht_id info_hash = make_hash(swarm);
    struct dht_addr addr = make_addr(peer, ip_len);
    bool known = model->announced_us[swarm][peer] >= 0;
    bool has_room = model->peers < model_limits.peers_max &&
                    model->of_swarm[swarm] < model_limits.peers_per_swarm_max &&
                    (model->of_swarm[swarm] > 0 || model->swarms < model_limits.swarms_max);
    assert_int_equal(dht_peer_store_has_room(store, &info_hash), has_room);
    assert_int_equal(dht_peer_store_put(store, now_us, &info_hash, &addr, is_seed),
                     known      ? DHT_PEER_STORE_REFRESHED
                     : has_room ? DHT_PEER_STORE_ADDED
                                : DHT_PEER_STORE_FULL);
    if (!known && has_room) {
        model->swarms += model->of_swarm[swarm]++ == 0;
        model->peers++;
    }
    if (known || has_room) {
        model->announced_us[swarm][peer] = now_us;
        model->is_seed[swarm][peer] = is_seed;
    }
}

static void model_expire(struct dht_peer_store *store, struct model *model, int64_t now_us)
{
    uint32_t dropped = 0;
    int64_t next_us = INT64_MAX;
    for (uint32_t swarm = 0; swarm < SWARMS; swarm++) {
        for (uint32_t peer = 0; peer < PEERS; peer++) {
            int64_t *announced_us = &model->announced_us[swarm][peer];
            if (*announced_us < 0) {
                continue;
            }
            int64_t due_us = *announced_us + model_limits.lifetime_us;
            if (due_us <= now_us) {
                *announced_us = -1;
                if (--model->of_swarm[swarm] == 0) {
                    model->swarms--;
                    model->news_us[swarm] = -1;
                }
                model->peers--;
                dropped++;
            } else if (due_us < next_us) {
                next_us = due_us;
            }
        }
    }
    assert_int_equal(dht_peer_store_expire(store, now_us, UINT32_MAX), dropped);
    int64_t told_us = dht_peer_store_next_expiry(store);
    assert_true(told_us > now_us && told_us <= next_us);
}

static void model_news(struct dht_peer_store *store, struct model *model, int64_t now_us)
{
    uint32_t swarm = (uint32_t)dht_random_below(&dice, SWARMS);
    struct dht_id info_hash = make_hash(swarm);
    int64_t news_us = -1;
    assert_int_equal(dht_peer_store_news(store, &info_hash, &news_us), model->news_us[swarm] >= 0);
    assert_true(news_us == model->news_us[swarm]);
    dht_peer_store_note_news(store, now_us, &info_hash);
    if (model->of_swarm[swarm] > 0) {
        model->news_us[swarm] = now_us;
    }
}

static void model_sample(struct dht_peer_store *store, const struct model *model, uint8_t ip_len)
{
    uint32_t swarm = (uint32_t)dht_random_below(&dice, SWARMS);
    bool noseed = dht_random_below(&dice, 2);
    size_t max = dht_random_below(&dice, PEERS + 5);
    struct dht_id info_hash = make_hash(swarm);
    uint8_t compact[(PEERS + 5) * DHT_ADDR_COMPACT_MAX];
    size_t got = dht_peer_store_sample(store, &info_hash, noseed, max, compact);
    size_t fitting = 0;
    for (uint32_t peer = 0; peer < PEERS; peer++) {
        fitting +=
            model->announced_us[swarm][peer] >= 0 && !(noseed && model->is_seed[swarm][peer]);
    }
    assert_int_equal(got, max < fitting ? max : fitting);
    bool shown[PEERS] = {false};
    for (size_t i = 0; i < got; i++) {
        uint32_t peer = compact[i * (ip_len + 2u) + ip_len - 1];
        assert_true(peer < PEERS && !shown[peer] && model->announced_us[swarm][peer] >= 0);
        shown[peer] = true;
    }
}

static void test_random_operations(void **state)
{
    (void)state;
    for (uint8_t ip_len = 4; ip_len <= 16; ip_len += 12) {
        struct model *model = calloc(1, sizeof(*model));
        assert_non_null(model);
        memset(model->announced_us, 0xff, sizeof(model->announced_us));
        memset(model->news_us, 0xff, sizeof(model->news_us));
        struct dht_peer_store *store = dht_peer_store_new(&model_limits, &key, &dice);
        int64_t now_us = 0;
        for (int i = 0; i < 20000; i++) {
            now_us += (int64_t)dht_random_below(&dice, i / 2000 % 2 ? 30 : 3);
            uint64_t what = dht_random_below(&dice, 10);
            if (what < 7) {
                model_put(store, model, now_us, ip_len);
            } else if (what < 9) {
                model_sample(store, model, ip_len);
                model_news(store, model, now_us);
            } else {
                model_expire(store, model, now_us);
            }
            assert_int_equal(dht_peer_store_peers(store), model->peers);
            assert_int_equal(dht_peer_store_swarms(store), model->swarms);
            if (i % 20 == 0) {
                dht_peer_store_check(store);
            }
        }
        dht_peer_store_free(store);
        free(model);
    }
}

int main(void)
{
    static const uint8_t seed[32] = "dice of the peer store test";
    dht_random_init(&dice, seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_peers_allowed),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_samples_show_all),
        cmocka_unit_test(test_infohashes),
        cmocka_unit_test(test_scrape_vector),
        cmocka_unit_test(test_scrape_unknown),
        cmocka_unit_test(test_memory_short),
        cmocka_unit_test(test_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
