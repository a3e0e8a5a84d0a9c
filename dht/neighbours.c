// SPDX-License-Identifier: MIT
#include "dht/neighbours.h"

#include "dht/addr.h"
#include "dht/bencode.h"
#include "dht/id.h"

#include <assert.h>
#include <string.h>

#define SECOND_US      INT64_C(1000000)
#define FIRST_SAID     3                // announcements in a row at the start
#define FIRST_PAUSE_US (1 * SECOND_US)  // between the first two, and twice that before the third
#define ALONE_PAUSE_US (30 * SECOND_US) // while nobody is known
#define PAUSE_US       (5 * 60 * SECOND_US)
#define LEAST_PAUSE_US (1 * SECOND_US)
#define ANSWER_US      (SECOND_US / 2) // within which who asks is answered: not all at once
#define ASK_AGAIN_US   (60 * SECOND_US)

// ---- the wire: {"id": 20 bytes, "pnr": version, "q": "hello" or "who"} ----

struct dht_addr dht_neighbours_group(enum dht_family family)
{
    static const struct dht_addr v4 = {
        .ip = {239, 192, 112, 110}, .port = DHT_NEIGHBOURS_PORT, .ip_len = 4};
    static const struct dht_addr v6 = {.ip = {0xff, 0x02, [13] = 'p', [14] = 'n', [15] = 'r'},
                                       .port = DHT_NEIGHBOURS_PORT,
                                       .ip_len = 16};
    return family == DHT_IPV4 ? v4 : v6;
}

static const char *word_of(enum dht_neighbours_kind kind)
{
    return kind == DHT_NEIGHBOURS_WHO ? "who" : "hello";
}

size_t dht_neighbours_write(const struct dht_neighbours_message *message,
                            uint8_t ret_bytes[DHT_NEIGHBOURS_LEN_MAX])
{
    struct dht_bencode_writer writer = dht_bencode_writer(ret_bytes, DHT_NEIGHBOURS_LEN_MAX);
    dht_bencode_open_dict(&writer);
    dht_bencode_pair_string(&writer, "id", message->id.bytes, DHT_ID_LEN);
    dht_bencode_pair_int(&writer, "pnr", DHT_NEIGHBOURS_VERSION);
    dht_bencode_pair_text(&writer, "q", word_of(message->kind));
    dht_bencode_end(&writer);
    assert(!writer.full);
    return dht_bencode_written(&writer);
}

static bool is_text(struct dht_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.data, text, span.len) == 0;
}

// What has been found of a message.
struct parts {
    struct dht_span id;
    struct dht_span word;
    int64_t version;
};

static bool read_value(struct dht_bencode_cursor *cursor, struct dht_span key, struct parts *parts)
{
    struct dht_span skipped;
    if (is_text(key, "id"))
        return dht_bencode_string(cursor, &parts->id);
    if (is_text(key, "pnr"))
        return dht_bencode_int(cursor, &parts->version);
    if (is_text(key, "q"))
        return dht_bencode_string(cursor, &parts->word);
    return dht_bencode_skip(cursor, &skipped);
}

bool dht_neighbours_read(struct dht_span bytes, struct dht_neighbours_message *ret_message)
{
    struct parts parts = {.version = 0};
    struct dht_bencode_cursor cursor = dht_bencode_cursor(bytes);
    if (bytes.len > DHT_NEIGHBOURS_LEN_MAX || !dht_bencode_dict(&cursor))
        return false;
    while (!dht_bencode_close(&cursor)) {
        struct dht_span key;
        if (!dht_bencode_string(&cursor, &key) || !read_value(&cursor, key, &parts))
            return false;
    }
    bool who = is_text(parts.word, "who");
    if (cursor.at != cursor.end || parts.version != DHT_NEIGHBOURS_VERSION ||
        parts.id.len != DHT_ID_LEN || (!who && !is_text(parts.word, "hello")))
        return false;
    ret_message->kind = who ? DHT_NEIGHBOURS_WHO : DHT_NEIGHBOURS_HELLO;
    memcpy(ret_message->id.bytes, parts.id.data, DHT_ID_LEN);
    return true;
}

// ---- hearing ----

void dht_neighbours_init(struct dht_neighbours *neighbours, int64_t now_us)
{
    *neighbours =
        (struct dht_neighbours){.due_us = now_us, .said_us = INT64_MIN, .allowed_us = INT64_MIN};
}

// Whether one more ping may be sent now; it is paid for then.
static bool pay(struct dht_neighbours *neighbours, int64_t now_us)
{
    const int64_t cost_us = SECOND_US / DHT_NEIGHBOURS_PER_S;
    int64_t earliest_us = now_us - DHT_NEIGHBOURS_BURST * cost_us;
    if (neighbours->allowed_us < earliest_us)
        neighbours->allowed_us = earliest_us;
    if (neighbours->allowed_us + cost_us > now_us)
        return false;
    neighbours->allowed_us += cost_us;
    return true;
}

// Remembers that the address is asked now, in the place of the one asked longest ago where there
// is no room.
static void remember(struct dht_neighbours *neighbours, int64_t now_us, const struct dht_addr *addr)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < neighbours->heard_count; i++)
        if (neighbours->heard[i].asked_us < neighbours->heard[place].asked_us)
            place = i;
    if (neighbours->heard_count < DHT_NEIGHBOURS_MAX)
        place = neighbours->heard_count++;
    neighbours->heard[place].addr = *addr;
    neighbours->heard[place].asked_us = now_us;
}

// Whether the address was asked within the last minute. One that was asked before that is
// forgotten.
static bool is_known(struct dht_neighbours *neighbours, int64_t now_us, const struct dht_addr *addr)
{
    for (uint32_t i = 0; i < neighbours->heard_count; i++) {
        if (!dht_addr_equal(&neighbours->heard[i].addr, addr))
            continue;
        if (now_us - neighbours->heard[i].asked_us < ASK_AGAIN_US)
            return true;
        neighbours->heard[i] = neighbours->heard[--neighbours->heard_count];
        return false;
    }
    return false;
}

static void answer_soon(struct dht_neighbours *neighbours, int64_t now_us,
                        struct dht_random *random)
{
    int64_t due_us = now_us + (int64_t)dht_random_below(random, ANSWER_US);
    if (neighbours->said_us != INT64_MIN && due_us < neighbours->said_us + LEAST_PAUSE_US)
        due_us = neighbours->said_us + LEAST_PAUSE_US;
    if (due_us < neighbours->due_us)
        neighbours->due_us = due_us;
}

enum dht_neighbours_verdict dht_neighbours_heard(struct dht_neighbours *neighbours, int64_t now_us,
                                                 struct dht_random *random,
                                                 const struct dht_id *own,
                                                 const struct dht_datagram *datagram,
                                                 struct dht_id *ret_id)
{
    struct dht_neighbours_message message;
    if (datagram->addr.port == 0 || !dht_neighbours_read(datagram->bytes, &message))
        return DHT_NEIGHBOURS_MALFORMED;
    if (dht_id_equal(&message.id, own))
        return DHT_NEIGHBOURS_OWN;
    if (message.kind == DHT_NEIGHBOURS_WHO)
        answer_soon(neighbours, now_us, random);
    if (is_known(neighbours, now_us, &datagram->addr))
        return DHT_NEIGHBOURS_KNOWN;
    if (!pay(neighbours, now_us))
        return DHT_NEIGHBOURS_LIMITED;
    remember(neighbours, now_us, &datagram->addr);
    *ret_id = message.id;
    return DHT_NEIGHBOURS_ASK;
}

// ---- saying ----

enum dht_neighbours_kind dht_neighbours_say(struct dht_neighbours *neighbours, int64_t now_us,
                                            struct dht_random *random, bool alone)
{
    bool first = neighbours->said < FIRST_SAID;
    neighbours->said += first;
    int64_t pause_us = alone ? ALONE_PAUSE_US : PAUSE_US;
    if (neighbours->said < FIRST_SAID)
        pause_us = FIRST_PAUSE_US << (neighbours->said - 1);
    pause_us += (int64_t)dht_random_below(random, (uint64_t)pause_us / 4);
    neighbours->said_us = now_us;
    neighbours->due_us = now_us + pause_us;
    return first || alone ? DHT_NEIGHBOURS_WHO : DHT_NEIGHBOURS_HELLO;
}
