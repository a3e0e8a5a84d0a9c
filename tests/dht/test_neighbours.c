// SPDX-License-Identifier: MIT
#include "dht/neighbours.h"

#include "dht/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define ID     "abcdefghij0123456789"

static struct dht_neighbours neighbours;
static struct dht_random rng;
static const struct dht_id own = {"the id of this node."};

static void begin(int64_t now_us)
{
    static const uint8_t seed[32] = {1};
    dht_random_init(&rng, seed);
    dht_neighbours_init(&neighbours, now_us);
}

// ---- the wire: the vectors of docs/clouds.md, and what is none ----

static const struct {
    const char *name;
    const char *bytes;
    int kind; // -1: malformed
} wire[] = {
    {"hello", "d2:id20:" ID "3:pnri1e1:q5:helloe", DHT_NEIGHBOURS_HELLO},
    {"who", "d2:id20:" ID "3:pnri1e1:q3:whoe", DHT_NEIGHBOURS_WHO},
    {"a key more", "d2:id20:" ID "3:pnri1e1:q5:hello1:xli1eee", DHT_NEIGHBOURS_HELLO},
    {"another version", "d2:id20:" ID "3:pnri2e1:q5:helloe", -1},
    {"no version", "d2:id20:" ID "1:q5:helloe", -1},
    {"no id", "d3:pnri1e1:q5:helloe", -1},
    {"a short id", "d2:id19:abcdefghij0123456783:pnri1e1:q5:helloe", -1},
    {"no word", "d2:id20:" ID "3:pnri1ee", -1},
    {"another word", "d2:id20:" ID "3:pnri1e1:q5:Helloe", -1},
    {"a word that is a number", "d2:id20:" ID "3:pnri1e1:qi1ee", -1},
    {"something behind it", "d2:id20:" ID "3:pnri1e1:q5:helloex", -1},
    {"cut off", "d2:id20:" ID "3:pnri1e1:q5:hello", -1},
    {"a list", "l2:id20:" ID "e", -1},
    {"nothing", "", -1},
    {"a message of the DHT", "d1:ad2:id20:" ID "e1:q4:ping1:t2:aa1:y1:qe", -1},
    {"BEP 14", "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n\r\n", -1},
};

static void test_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wire / sizeof wire[0]; i++) {
        struct dht_neighbours_message message;
        struct dht_span bytes = {(const uint8_t *)wire[i].bytes, strlen(wire[i].bytes)};
        bool good = dht_neighbours_read(bytes, &message);
        if (good != (wire[i].kind >= 0) || (good && (int)message.kind != wire[i].kind) ||
            (good && memcmp(message.id.bytes, ID, DHT_ID_LEN) != 0))
            fail_msg("%s", wire[i].name);
    }
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[DHT_NEIGHBOURS_LEN_MAX];
        struct dht_neighbours_message message = {.kind = (enum dht_neighbours_kind)wire[i].kind};
        memcpy(message.id.bytes, ID, DHT_ID_LEN);
        size_t len = dht_neighbours_write(&message, bytes);
        assert_int_equal(len, strlen(wire[i].bytes));
        assert_memory_equal(bytes, wire[i].bytes, len);
    }
    uint8_t longer[DHT_NEIGHBOURS_LEN_MAX + 1];
    struct dht_neighbours_message message;
    memset(longer, 'x', sizeof longer);
    memcpy(longer, "d2:id20:" ID "3:pnri1e1:q5:hello1:x75:", 53);
    longer[sizeof longer - 1] = 'e';
    assert_false(dht_neighbours_read((struct dht_span){longer, sizeof longer}, &message));
}

static void test_groups(void **state)
{
    char text[DHT_ADDR_TEXT_MAX];
    (void)state;
    struct dht_addr group = dht_neighbours_group(DHT_IPV4);
    dht_addr_to_text(&group, text);
    assert_string_equal(text, "239.192.112.110:3541");
    group = dht_neighbours_group(DHT_IPV6);
    dht_addr_to_text(&group, text);
    assert_string_equal(text, "[ff02::70:6e72]:3541");
}

// ---- hearing ----

static enum dht_neighbours_verdict hear(int64_t now_us, uint32_t source, const char *bytes)
{
    struct dht_id id;
    struct dht_datagram datagram = {
        .addr = {.ip = {10, (uint8_t)(source >> 16), (uint8_t)(source >> 8), (uint8_t)source},
                 .ip_len = 4,
                 .port = 3540},
        .bytes = {(const uint8_t *)bytes, strlen(bytes)}};
    return dht_neighbours_heard(&neighbours, now_us, &rng, &own, &datagram, &id);
}

#define HELLO "d2:id20:" ID "3:pnri1e1:q5:helloe"
#define WHO   "d2:id20:" ID "3:pnri1e1:q3:whoe"

static void test_verdicts(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(hear(0, 1, HELLO), DHT_NEIGHBOURS_ASK);
    assert_int_equal(hear(0, 1, HELLO), DHT_NEIGHBOURS_KNOWN);
    assert_int_equal(hear(59 * SECOND, 1, WHO), DHT_NEIGHBOURS_KNOWN);
    assert_int_equal(hear(60 * SECOND, 1, HELLO), DHT_NEIGHBOURS_ASK);
    assert_int_equal(hear(60 * SECOND, 2, HELLO), DHT_NEIGHBOURS_ASK);
    assert_int_equal(hear(60 * SECOND, 3, "d2:id20:the id of this node.3:pnri1e1:q5:helloe"),
                     DHT_NEIGHBOURS_OWN);
    assert_int_equal(hear(60 * SECOND, 3, "x"), DHT_NEIGHBOURS_MALFORMED);
}

// Whoever floods us, from one address or from thousands, has us send a few pings a second.
static void test_flood(void **state)
{
    uint32_t asked = 0;
    uint32_t limited = 0;
    (void)state;
    begin(0);
    for (uint32_t i = 0; i < 100000; i++) { // ten seconds of it
        enum dht_neighbours_verdict verdict = hear(i * 100, i, i % 2 == 0 ? HELLO : WHO);
        asked += verdict == DHT_NEIGHBOURS_ASK;
        limited += verdict == DHT_NEIGHBOURS_LIMITED;
    }
    assert_in_range(asked, DHT_NEIGHBOURS_BURST, DHT_NEIGHBOURS_BURST + 10 * DHT_NEIGHBOURS_PER_S);
    assert_int_equal(asked + limited, 100000);
    assert_int_equal(neighbours.heard_count,
                     asked < DHT_NEIGHBOURS_MAX ? asked : DHT_NEIGHBOURS_MAX);
    // The table stays as it is, and somebody real is heard once the flood is over.
    assert_int_equal(hear(12 * SECOND, 1 << 20, HELLO), DHT_NEIGHBOURS_ASK);
}

// ---- saying ----

static void test_pauses(void **state)
{
    (void)state;
    begin(7);
    assert_int_equal(neighbours.due_us, 7);
    int64_t now_us = 7;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dht_neighbours_say(&neighbours, now_us, &rng, false), DHT_NEIGHBOURS_WHO);
        now_us = neighbours.due_us;
    }
    assert_in_range(now_us, 300 * SECOND, 380 * SECOND + 5 * SECOND);
    assert_int_equal(dht_neighbours_say(&neighbours, now_us, &rng, false), DHT_NEIGHBOURS_HELLO);
    now_us = neighbours.due_us;
    assert_int_equal(dht_neighbours_say(&neighbours, now_us, &rng, true), DHT_NEIGHBOURS_WHO);
    assert_in_range(neighbours.due_us - now_us, 30 * SECOND, 38 * SECOND);
}

// Who asks is answered within half a second, but however many ask, once a second.
static void test_answers(void **state)
{
    (void)state;
    begin(0);
    for (int i = 0; i < 3; i++)
        dht_neighbours_say(&neighbours, i * SECOND, &rng, false);
    assert_int_equal(hear(20 * SECOND, 1, HELLO), DHT_NEIGHBOURS_ASK);
    assert_true(neighbours.due_us > 200 * SECOND);
    assert_int_equal(hear(20 * SECOND, 1, WHO), DHT_NEIGHBOURS_KNOWN);
    assert_in_range(neighbours.due_us, 20 * SECOND, 20 * SECOND + SECOND / 2);
    uint32_t said = 0;
    for (int64_t now_us = 20 * SECOND; now_us < 30 * SECOND; now_us += 1000) {
        hear(now_us, 1, WHO);
        if (neighbours.due_us <= now_us) {
            dht_neighbours_say(&neighbours, now_us, &rng, false);
            said++;
        }
    }
    assert_in_range(said, 6, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire),     cmocka_unit_test(test_groups),
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_flood),
        cmocka_unit_test(test_pauses),   cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
