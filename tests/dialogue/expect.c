// SPDX-License-Identifier: MIT
#include "dht/addr.h"
#include "tests/dialogue/play.h"

#include <stdio.h>
#include <string.h>

// ---- what is expected of the engine ----

static void show_pending(const struct play *play)
{
    for (size_t i = 0; i < play->pending_count; i++) {
        const struct dht_out *out = &play->pending[i].out;
        char addr[DHT_ADDR_TEXT_MAX];
        if (out->type != DHT_OUT_DATAGRAM) {
            fprintf(stderr, "  waits: event of type %d\n", (int)out->type);
            continue;
        }
        dht_addr_to_text(&out->datagram.addr, addr);
        fprintf(stderr, "  waits: to %s ", addr);
        text_print(out->datagram.bytes);
        fputc('\n', stderr);
    }
}

// The first datagram to that address.
static size_t find_datagram(const struct play *play, const struct dht_addr *to)
{
    size_t index = 0;
    while (index < play->pending_count &&
           (play->pending[index].out.type != DHT_OUT_DATAGRAM ||
            !dht_addr_equal(&play->pending[index].out.datagram.addr, to)))
        index++;
    return index;
}

void expect_nothing(struct play *play)
{
    if (play->pending_count == 0)
        return;
    show_pending(play);
    text_fail(&play->text, "nothing was expected");
}

// expect nothing | expect TO PATTERN | expect TO size N..M PATTERN
void expect_datagram(struct play *play)
{
    char reason[160];
    if (text_take(&play->text, "nothing")) {
        expect_nothing(play);
        return;
    }
    struct dht_addr to = play_read_addr(play);
    size_t index = find_datagram(play, &to);
    if (index == play->pending_count) {
        show_pending(play);
        text_fail(&play->text, "no datagram to it");
    }
    struct dht_span bytes = play->pending[index].out.datagram.bytes;
    if (text_take(&play->text, "at_most") && bytes.len > (size_t)text_int(&play->text))
        text_fail(&play->text, "%zu bytes are too many", bytes.len);
    if (!text_match(&play->text, bytes, reason)) {
        show_pending(play);
        text_fail(&play->text, "%s", reason);
    }
    play_take_out(play, index);
}

// drop [TO]: what waits (for that address) is not looked at.
void expect_drop(struct play *play)
{
    if (text_at_end(&play->text)) {
        play->pending_count = 0;
        return;
    }
    struct dht_addr to = play_read_addr(play);
    size_t index = find_datagram(play, &to);
    if (index == play->pending_count)
        text_fail(&play->text, "no datagram to it");
    play_take_out(play, index);
}

static bool is_tally(const struct dht_tally *tally, const char *word, uint32_t *ret_value)
{
    const struct {
        const char *word;
        uint32_t value;
    } counts[] = {
        {"asked=", tally->asked},   {"answered=", tally->answered}, {"hops=", tally->hops},
        {"copies=", tally->copies}, {"others=", tally->others},     {"targets=", tally->targets},
        {"stored=", tally->stored}, {"refused=", tally->refused},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (strcmp(counts[i].word, word) != 0)
            continue;
        *ret_value = counts[i].value;
        return true;
    }
    return false;
}

static void match_done(struct play *play, const struct dht_out *out)
{
    static const char *const words[] = {
        "asked=", "answered=", "hops=", "copies=", "others=", "targets=", "stored=", "refused="};
    struct text *text = &play->text;
    if (text_take(text, "early") != out->done.ended_early)
        text_fail(text, "ended early: %d", out->done.ended_early);
    if (text_take(text, "failed") && out->done.rtt_us != -1)
        text_fail(text, "it did not fail");
    if (text_take(text, "code=") && text_int(text) != out->done.code)
        text_fail(text, "code %d", (int)out->done.code);
    while (!text_at_end(text)) {
        size_t i = 0;
        uint32_t value = 0;
        while (i < sizeof words / sizeof words[0] && !text_take(text, words[i]))
            i++;
        if (i == sizeof words / sizeof words[0] || !is_tally(&out->done.tally, words[i], &value))
            text_fail(text, "unknown count: %s", text->at);
        if (text_int(text) != value)
            text_fail(text, "%s%u", words[i], value);
    }
}

static void match_item(struct play *play, const struct dht_out *out)
{
    char reason[160];
    const struct dht_item *item = &out->found.item;
    if (text_take(&play->text, "seq") && text_int(&play->text) != item->seq)
        text_fail(&play->text, "seq %lld", (long long)item->seq);
    if (text_take(&play->text, "v") && !text_match(&play->text, item->value, reason))
        text_fail(&play->text, "%s", reason);
}

static void match_addr(struct play *play, const struct dht_addr *addr)
{
    char text[DHT_ADDR_TEXT_MAX];
    struct dht_addr wanted = play_read_addr(play);
    dht_addr_to_text(addr, text);
    if (!dht_addr_equal(&wanted, addr))
        text_fail(&play->text, "address %s", text);
}

static void match_peers(struct play *play, const struct play_output *pending)
{
    size_t count = 0;
    while (!text_at_end(&play->text) && count < pending->out.peers.count)
        match_addr(play, &pending->peers[count++]);
    if (!text_at_end(&play->text) || count != pending->out.peers.count)
        text_fail(&play->text, "%zu peers", pending->out.peers.count);
}

// who DESCRIPTION [payload STRING] [rtt N]
static void match_who(struct play *play, const struct dht_out *out)
{
    char reason[160];
    struct text_bytes payload = {0};
    if (!text_match(&play->text, out->who.description, reason))
        text_fail(&play->text, "%s", reason);
    if (text_take(&play->text, "payload"))
        text_string(&play->text, &payload);
    if (payload.len != out->who.payload.len ||
        memcmp(payload.bytes, out->who.payload.data, payload.len) != 0)
        text_fail(&play->text, "another payload, of %zu bytes", out->who.payload.len);
    if (text_take(&play->text, "rtt") && text_int(&play->text) * 1000 != out->who.rtt_us)
        text_fail(&play->text, "a round trip of %lld us", (long long)out->who.rtt_us);
}

static const char *const event_names[] = {
    [DHT_OUT_WHO] = "who",         [DHT_OUT_DATAGRAM] = "datagram",
    [DHT_OUT_ITEM] = "item",       [DHT_OUT_GONE] = "gone",
    [DHT_OUT_PEERS] = "peers",     [DHT_OUT_HOP] = "hop",
    [DHT_OUT_REFUSED] = "refused", [DHT_OUT_DONE] = "done",
    [DHT_OUT_ADDRESS] = "address", [DHT_OUT_ROLE] = "role",
    [DHT_OUT_ID] = "id",           [DHT_OUT_RETURNED] = "returned",
};

static void match_event(struct play *play, const struct play_output *pending)
{
    static const char *const hops[] = {"answered", "found", "error", "silent"};
    struct text *text = &play->text;
    const struct dht_out *out = &pending->out;
    if (out->type == DHT_OUT_DONE) {
        match_done(play, out);
    } else if (out->type == DHT_OUT_ITEM) {
        match_item(play, out);
    } else if (out->type == DHT_OUT_WHO) {
        match_who(play, out);
    } else if (out->type == DHT_OUT_PEERS) {
        match_peers(play, pending);
    } else if (out->type == DHT_OUT_ADDRESS) {
        match_addr(play, &out->addr);
    } else if (out->type == DHT_OUT_REFUSED) {
        match_addr(play, &out->refused.addr);
        if (text_int(text) != out->refused.code)
            text_fail(text, "code %d", (int)out->refused.code);
    } else if (out->type == DHT_OUT_ROLE) {
        if (!text_take(text, out->role == DHT_ROLE_SERVER ? "server" : "client"))
            text_fail(text, "another role");
    } else if (out->type == DHT_OUT_ID) {
        text_set(text, "me", out->id.bytes, sizeof out->id.bytes);
    } else if (out->type == DHT_OUT_HOP) {
        match_addr(play, &out->hop.addr);
        if (!text_take(text, hops[out->hop.result]))
            text_fail(text, "the hop was %s", hops[out->hop.result]);
    }
}

// event nothing | event KIND ...: the oldest event that waits is of that kind.
void expect_event(struct play *play)
{
    size_t index = 0;
    while (index < play->pending_count && play->pending[index].out.type == DHT_OUT_DATAGRAM)
        index++;
    if (text_take(&play->text, "nothing")) {
        if (index < play->pending_count)
            text_fail(&play->text, "%s waits", event_names[play->pending[index].out.type]);
        return;
    }
    if (index == play->pending_count)
        text_fail(&play->text, "no event waits");
    const char *name = event_names[play->pending[index].out.type];
    if (!text_take(&play->text, name))
        text_fail(&play->text, "%s came", name);
    match_event(play, &play->pending[index]);
    play_take_out(play, index);
}

// count NAME N: a counter of the engine, or `contacts`, `items`, `ops`, `queries`, `peers`,
// `watches`, `watchers`, `pushes`.
void expect_count(struct play *play)
{
    char name[64];
    struct dht_info info;
    text_word(&play->text, name);
    int64_t wanted = text_int(&play->text);
    dht_info(play_engine(play), &info);
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {
#define COUNTER_ROW(counter, meaning) {#counter, info.counters.counter},
        DHT_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
            {"contacts", info.contacts},
        {"items", info.items},
        {"ops", info.ops},
        {"queries", info.queries},
        {"peers", info.peers},
        {"registrations", info.registrations},
        {"watches", info.watches},
        {"watchers", info.watchers},
        {"pushes", info.pushes},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(values[i].name, name) != 0)
            continue;
        if (values[i].value != (uint64_t)wanted)
            text_fail(&play->text, "%s is %llu", name, (unsigned long long)values[i].value);
        return;
    }
    text_fail(&play->text, "no counter %s", name);
}

// contact NODE | no_contact NODE
static bool has_contact(struct play *play)
{
    struct dht_contact_info contacts[64];
    char name[64];
    struct text reader = play->text;
    text_word(&reader, name);
    struct dht_addr addr = play_read_addr(play);
    size_t count = dht_contacts(play_engine(play), contacts, 64);
    for (size_t i = 0; i < count; i++)
        if (dht_addr_equal(&contacts[i].addr, &addr) &&
            memcmp(contacts[i].id.bytes, play_part(play, name, "id")->bytes, DHT_ID_LEN) == 0)
            return true;
    return false;
}

void expect_contact(struct play *play)
{
    if (!has_contact(play))
        text_fail(&play->text, "not in the table");
}

void expect_no_contact(struct play *play)
{
    if (has_contact(play))
        text_fail(&play->text, "in the table");
}
