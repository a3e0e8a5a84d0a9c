// SPDX-License-Identifier: MIT
// The list of a lookup's candidates: each transition, whom to ask next, when it is over, and the
// bounds.
#include "dht/lookup.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/table.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

static const struct dht_id target = {{0}};

static void start(struct dht_lookup *lookup, bool lab, uint32_t width, uint32_t in_flight)
{
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    config.lab = lab;
    config.in_flight = in_flight;
    config.candidates_max = 40;
    dht_lookup_init(lookup, &config, &target, width);
}

// The candidate whose distance is `rank`, at a host of its own.
static struct dht_candidate candidate(uint32_t rank)
{
    struct dht_candidate made = {.depth = 1};
    made.id.bytes[18] = (uint8_t)(rank >> 8);
    made.id.bytes[19] = (uint8_t)rank;
    made.addr = (struct dht_addr){
        .ip = {20, (uint8_t)rank, (uint8_t)(rank >> 8), 1}, .ip_len = 4, .port = 1};
    return made;
}

static uint16_t offer(struct dht_lookup *lookup, uint32_t rank)
{
    uint16_t index = DHT_LOOKUP_NONE;
    struct dht_candidate newcomer = candidate(rank);
    dht_lookup_offer(lookup, &newcomer, &index);
    return index;
}

// The same at a distance that dht_id_distance64() can see.
static void offer_at(struct dht_lookup *lookup, uint32_t distance)
{
    uint16_t index;
    struct dht_candidate newcomer = candidate(distance);
    newcomer.id.bytes[7] = (uint8_t)distance;
    dht_lookup_offer(lookup, &newcomer, &index);
}

static uint16_t ask_next(struct dht_lookup *lookup)
{
    uint16_t index = dht_lookup_next(lookup);
    if (index != DHT_LOOKUP_NONE)
        dht_lookup_enter(lookup, index, DHT_CANDIDATE_ASKED);
    return index;
}

// ---- a candidate's life ----

// What happens to the one candidate, a letter each: q asked, s soft timeout, a answers, w answers
// the wrong half (RETRY, and it has spoken), d dead.
static const struct life {
    const char *name;
    const char *events;
    enum dht_candidate_state state;
    uint16_t in_flight;
    uint8_t tries;
    bool done;
} lives[] = {
    {"new", "", DHT_CANDIDATE_NEW, 0, 0, false},
    {"asked", "q", DHT_CANDIDATE_ASKED, 1, 1, false},
    {"answered", "qa", DHT_CANDIDATE_ANSWERED, 0, 1, true},
    {"silent once", "qs", DHT_CANDIDATE_RETRY, 0, 1, false},
    {"a late answer", "qsa", DHT_CANDIDATE_ANSWERED, 0, 1, true},
    {"asked again", "qsq", DHT_CANDIDATE_ASKED, 1, 2, false},
    {"silent three times", "qsqsqs", DHT_CANDIDATE_SILENT, 0, 3, true},
    {"late, when it was given up", "qsqsqsa", DHT_CANDIDATE_ANSWERED, 0, 3, true},
    {"the wrong half", "qw", DHT_CANDIDATE_RETRY, 0, 1, false},
    {"the wrong half, then silent", "qsqwqs", DHT_CANDIDATE_ANSWERED, 0, 3, true},
    {"a soft timeout after the answer", "qas", DHT_CANDIDATE_ANSWERED, 0, 1, true},
    {"a soft timeout while it waits", "qss", DHT_CANDIDATE_RETRY, 0, 1, false},
    {"dead", "qd", DHT_CANDIDATE_DEAD, 0, 1, true},
    {"dead after it answered", "qad", DHT_CANDIDATE_DEAD, 0, 1, true},
    {"a soft timeout of the dead", "qds", DHT_CANDIDATE_DEAD, 0, 1, true},
};

static void live(struct dht_lookup *lookup, char event)
{
    switch (event) {
    case 'q':
        assert_int_equal(dht_lookup_next(lookup), 0);
        dht_lookup_enter(lookup, 0, DHT_CANDIDATE_ASKED);
        break;
    case 's':
        dht_lookup_soft_timeout(lookup, 0);
        break;
    case 'w':
        lookup->candidates[0].spoke = 1;
        dht_lookup_enter(lookup, 0, DHT_CANDIDATE_RETRY);
        break;
    case 'a':
        dht_lookup_enter(lookup, 0, DHT_CANDIDATE_ANSWERED);
        break;
    default:
        dht_lookup_enter(lookup, 0, DHT_CANDIDATE_DEAD);
    }
}

static void test_lives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        struct dht_lookup lookup;
        start(&lookup, false, 8, 5);
        offer(&lookup, 1);
        for (const char *event = lives[i].events; *event != '\0'; event++)
            live(&lookup, *event);
        const struct dht_candidate *one = &lookup.candidates[0];
        if (one->state != lives[i].state || lookup.in_flight != lives[i].in_flight ||
            one->tries != lives[i].tries || dht_lookup_is_done(&lookup) != lives[i].done)
            fail_msg("%s: state %d, %d in flight", lives[i].name, one->state, lookup.in_flight);
        dht_lookup_fini(&lookup);
    }
}

// ---- whom to ask ----

static void test_closest_first(void **state)
{
    struct dht_lookup lookup;
    (void)state;
    start(&lookup, false, 3, 2);
    assert_int_equal(dht_lookup_next(&lookup), DHT_LOOKUP_NONE);
    assert_true(dht_lookup_is_done(&lookup));
    uint16_t far = offer(&lookup, 90);
    uint16_t near = offer(&lookup, 10);
    uint16_t middle = offer(&lookup, 50);
    uint16_t farthest = offer(&lookup, 200);
    assert_int_equal(ask_next(&lookup), near);
    assert_int_equal(ask_next(&lookup), middle);
    // Two are in flight, no more.
    assert_int_equal(ask_next(&lookup), DHT_LOOKUP_NONE);
    // A soft timeout frees the place; the slow one is asked again, being closer.
    dht_lookup_soft_timeout(&lookup, near);
    assert_int_equal(ask_next(&lookup), near);
    dht_lookup_enter(&lookup, middle, DHT_CANDIDATE_ANSWERED);
    assert_int_equal(ask_next(&lookup), far);
    dht_lookup_enter(&lookup, far, DHT_CANDIDATE_ANSWERED);
    // The three closest are enough: the farthest is asked only once one of them is out.
    assert_int_equal(ask_next(&lookup), DHT_LOOKUP_NONE);
    assert_false(dht_lookup_is_done(&lookup));
    dht_lookup_enter(&lookup, near, DHT_CANDIDATE_DEAD);
    assert_false(dht_lookup_is_done(&lookup));
    assert_int_equal(ask_next(&lookup), farthest);
    dht_lookup_enter(&lookup, farthest, DHT_CANDIDATE_ANSWERED);
    assert_true(dht_lookup_is_done(&lookup));
    dht_lookup_fini(&lookup);
}

static void test_settled(void **state)
{
    struct dht_lookup lookup;
    (void)state;
    start(&lookup, false, 8, 5);
    for (uint32_t i = 0; i < 6; i++)
        offer(&lookup, i);
    for (int i = 0; i < 5; i++)
        ask_next(&lookup);
    dht_lookup_enter(&lookup, 1, DHT_CANDIDATE_ANSWERED);
    assert_false(dht_lookup_is_settled(&lookup, 1));
    // One that was late is not waited for, though the whole lookup does wait.
    dht_lookup_soft_timeout(&lookup, 0);
    assert_true(dht_lookup_is_settled(&lookup, 1));
    assert_false(dht_lookup_is_settled(&lookup, 2));
    dht_lookup_enter(&lookup, 2, DHT_CANDIDATE_ANSWERED);
    assert_true(dht_lookup_is_settled(&lookup, 2));
    assert_false(dht_lookup_is_done(&lookup));
    dht_lookup_fini(&lookup);
}

static void test_front(void **state)
{
    struct dht_lookup lookup;
    uint16_t indices[8];
    (void)state;
    start(&lookup, false, 8, 5);
    for (uint32_t i = 0; i < 6; i++)
        offer(&lookup, i);
    for (int i = 0; i < 4; i++)
        ask_next(&lookup);
    dht_lookup_soft_timeout(&lookup, 0);                  // late
    dht_lookup_enter(&lookup, 1, DHT_CANDIDATE_DEAD);     // out
    dht_lookup_enter(&lookup, 3, DHT_CANDIDATE_ANSWERED); // behind one that has not
    assert_int_equal(dht_lookup_front(&lookup, 3, indices), 3);
    for (uint16_t i = 0; i < 3; i++)
        assert_int_equal(indices[i], i + 2);
    assert_int_equal(dht_lookup_front(&lookup, 8, indices), 4);
    dht_lookup_fini(&lookup);
}

static void test_answered(void **state)
{
    struct dht_lookup lookup;
    uint16_t indices[8];
    (void)state;
    start(&lookup, false, 8, 8);
    for (uint32_t i = 5; i > 0; i--)
        offer(&lookup, i * 10);
    for (uint16_t i = 0; i < 4; i++) {
        dht_lookup_enter(&lookup, i, DHT_CANDIDATE_ASKED);
        dht_lookup_enter(&lookup, i, DHT_CANDIDATE_ANSWERED);
    }
    lookup.candidates[1].token_len = 4;
    lookup.candidates[3].token_len = 4;
    lookup.candidates[4].token_len = 4; // never answered
    assert_int_equal(dht_lookup_answered(&lookup, 8, false, indices), 4);
    assert_int_equal(indices[0], 3);
    assert_int_equal(indices[3], 0);
    assert_int_equal(dht_lookup_answered(&lookup, 2, false, indices), 2);
    assert_int_equal(dht_lookup_answered(&lookup, 8, true, indices), 2);
    assert_int_equal(indices[0], 3);
    assert_int_equal(indices[1], 1);
    dht_lookup_fini(&lookup);
}

// Which candidates, in order of distance, are secure (s, and t with a token) or not (i, and j with
// a token), all of them having answered but those in upper case; width 2, secure_width 2.
static const struct secure_row {
    const char *name;
    const char *candidates;
    bool done;
    const char *storers; // ranks
} secure_rows[] = {
    {"two secure ones", "tti", true, "01"},
    {"none secure", "jjj", true, "01"},
    {"the secure are farther", "jjjtjt", true, "0135"},
    {"one of them has not answered", "jjjtjT", false, "013"},
    {"nor has one that does not matter", "jjjtJt", true, "0135"},
    {"one of the closest has not", "Jjtt", false, "123"},
    {"one more secure one than needed", "tjtt", true, "012"},
    {"secure ones without tokens", "jjsst", true, "014"},
};

static void test_secure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof secure_rows / sizeof secure_rows[0]; i++) {
        const struct secure_row *row = &secure_rows[i];
        struct dht_lookup lookup;
        uint16_t indices[DHT_STORERS_MAX];
        start(&lookup, false, 2, 8);
        lookup.secure_width = 2;
        for (uint16_t j = 0; row->candidates[j] != '\0'; j++) {
            char kind = (char)(row->candidates[j] | 0x20);
            offer(&lookup, j);
            lookup.candidates[j].is_secure = kind == 's' || kind == 't';
            lookup.candidates[j].token_len = kind == 't' || kind == 'j' ? 4 : 0;
            dht_lookup_enter(&lookup, j, DHT_CANDIDATE_ASKED);
            if (row->candidates[j] == kind)
                dht_lookup_enter(&lookup, j, DHT_CANDIDATE_ANSWERED);
        }
        size_t count = dht_lookup_storers(&lookup, 2, indices);
        bool same = count == strlen(row->storers);
        for (size_t j = 0; j < count && same; j++)
            same = indices[j] == row->storers[j] - '0';
        if (!same || dht_lookup_is_done(&lookup) != row->done)
            fail_msg("%s: %zu storers", row->name, count);
        dht_lookup_fini(&lookup);
    }
}

// ---- the region ----

// A letter for each candidate, closest first; the first four lie in the region. a answered with a
// token, x silent, n not asked yet. width 1, fringe 2.
static const struct region_row {
    const char *name;
    const char *candidates;
    bool done;
    char next;           // rank, or - for nobody
    const char *storers; // ranks
} region_rows[] = {
    {"all have answered", "aaaaaaa", true, '-', "0123"},
    {"one of the region has not", "aaanaaa", false, '3', "012"},
    {"one of the fringe has not", "aaaaanaa", false, '5', "0123"},
    {"nor has one beyond it", "aaaaaana", true, '-', "0123"},
    {"the silent do not count", "axaaxana", false, '6', "023"},
    {"an empty region", "xxxxaana", true, '-', "4"},
};

static void test_region(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof region_rows / sizeof region_rows[0]; i++) {
        const struct region_row *row = &region_rows[i];
        struct dht_lookup lookup;
        uint16_t indices[DHT_STORERS_MAX];
        start(&lookup, false, 1, 8);
        dht_lookup_widen(&lookup, 3, 1, 2);
        for (uint16_t j = 0; row->candidates[j] != '\0'; j++) {
            offer_at(&lookup, j);
            if (row->candidates[j] == 'n')
                continue;
            lookup.candidates[j].token_len = 4;
            dht_lookup_enter(&lookup, j, DHT_CANDIDATE_ASKED);
            dht_lookup_enter(&lookup, j,
                             row->candidates[j] == 'a' ? DHT_CANDIDATE_ANSWERED
                                                       : DHT_CANDIDATE_SILENT);
        }
        size_t count = dht_lookup_storers(&lookup, 1, indices);
        uint16_t next = row->next == '-' ? DHT_LOOKUP_NONE : (uint16_t)(row->next - '0');
        bool same = count == strlen(row->storers);
        for (size_t j = 0; j < count && same; j++)
            same = indices[j] == row->storers[j] - '0';
        if (!same || dht_lookup_is_done(&lookup) != row->done || dht_lookup_next(&lookup) != next)
            fail_msg("%s: %zu storers, next %u", row->name, count, dht_lookup_next(&lookup));
        dht_lookup_fini(&lookup);
    }
}

// ---- who named whom ----

// The first candidate has named the others: so many have answered, so many were silent, and one was
// not asked yet, whom another may have named too.
static const struct naming_row {
    const char *name;
    uint8_t kept, broken;
    bool named_again, asked;
} naming_rows[] = {
    {"nobody silent", 0, 0, false, true},       {"three of three silent", 0, 3, false, true},
    {"four of four", 0, 4, false, false},       {"four of four, named again", 0, 4, true, true},
    {"three of five there", 3, 5, false, true}, {"nine of twelve silent", 3, 9, false, true},
    {"ten of thirteen", 3, 10, false, false},
};

static void test_naming(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof naming_rows / sizeof naming_rows[0]; i++) {
        const struct naming_row *row = &naming_rows[i];
        struct dht_lookup lookup;
        uint16_t index;
        start(&lookup, false, 30, 8);
        offer(&lookup, 200);
        dht_lookup_enter(&lookup, 0, DHT_CANDIDATE_ASKED);
        dht_lookup_enter(&lookup, 0, DHT_CANDIDATE_ANSWERED);
        for (uint32_t j = 0; j <= (uint32_t)row->kept + row->broken; j++) {
            struct dht_candidate named = candidate(100 + j);
            named.namer = 1;
            dht_lookup_offer(&lookup, &named, &index);
            if (j == (uint32_t)row->kept + row->broken)
                break;
            dht_lookup_enter(&lookup, index, DHT_CANDIDATE_ASKED);
            dht_lookup_enter(&lookup, index,
                             j < row->kept ? DHT_CANDIDATE_ANSWERED : DHT_CANDIDATE_SILENT);
        }
        struct dht_candidate again = lookup.candidates[index];
        again.namer = 0;
        if (row->named_again)
            assert_int_equal(dht_lookup_offer(&lookup, &again, &index), DHT_LOOKUP_KNOWN);
        bool asked = dht_lookup_next(&lookup) != DHT_LOOKUP_NONE;
        if (asked != row->asked || dht_lookup_is_done(&lookup) == row->asked)
            fail_msg("%s", row->name);
        dht_lookup_fini(&lookup);
    }
}

// ---- who is let in ----

// Offered to a list that has rank 5 at 20.5.0.1:1.
static const struct newcomer {
    const char *name;
    bool lab, dead;
    uint8_t id, ip[4];
    uint16_t port;
    enum dht_lookup_offer verdict;
} newcomers[] = {
    {"the same again", false, false, 5, {20, 5, 0, 1}, 1, DHT_LOOKUP_KNOWN},
    {"the same, dead", false, true, 5, {20, 5, 0, 1}, 1, DHT_LOOKUP_KNOWN},
    {"its id elsewhere", false, false, 5, {20, 9, 0, 1}, 1, DHT_LOOKUP_KNOWN},
    {"its id elsewhere, it being dead", false, true, 5, {20, 9, 0, 1}, 1, DHT_LOOKUP_ADDED},
    {"another id there", false, false, 6, {20, 5, 0, 1}, 1, DHT_LOOKUP_KNOWN},
    {"another id there, nearer", false, false, 4, {20, 5, 0, 1}, 1, DHT_LOOKUP_ADDED},
    {"another id there, it being dead", false, true, 6, {20, 5, 0, 1}, 1, DHT_LOOKUP_ADDED},
    {"another port", false, false, 6, {20, 5, 0, 1}, 2, DHT_LOOKUP_REFUSED},
    {"another port in a lab", true, false, 6, {20, 5, 0, 1}, 2, DHT_LOOKUP_ADDED},
    {"a neighbour", false, false, 6, {20, 5, 0, 2}, 1, DHT_LOOKUP_ADDED},
    {"somebody else", false, false, 6, {20, 6, 0, 1}, 1, DHT_LOOKUP_ADDED},
};

static void test_newcomers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof newcomers / sizeof newcomers[0]; i++) {
        const struct newcomer *row = &newcomers[i];
        struct dht_lookup lookup;
        uint16_t index;
        start(&lookup, row->lab, 8, 5);
        offer(&lookup, 5);
        if (row->dead)
            dht_lookup_enter(&lookup, 0, DHT_CANDIDATE_DEAD);
        struct dht_candidate newcomer = candidate(row->id);
        memcpy(newcomer.addr.ip, row->ip, 4);
        newcomer.addr.port = row->port;
        if (dht_lookup_offer(&lookup, &newcomer, &index) != row->verdict)
            fail_msg("%s", row->name);
        dht_lookup_fini(&lookup);
    }
}

// Rank 100 at an address, in that state and named by a node that has made up so many names; then
// that address is named by another rank. Which of them is listed.
static const struct two_names_row {
    const char *name;
    enum dht_candidate_state state;
    uint8_t broken, broken_then; // of who named the first, and the second
    uint32_t rank;
    bool gives_way;
} two_names_rows[] = {
    {"nearer", DHT_CANDIDATE_NEW, 0, 0, 50, true},
    {"farther", DHT_CANDIDATE_NEW, 0, 0, 150, false},
    {"farther, the first being doubtful", DHT_CANDIDATE_NEW, 4, 0, 150, true},
    {"nearer, but doubtful", DHT_CANDIDATE_NEW, 0, 4, 50, false},
    {"asked", DHT_CANDIDATE_ASKED, 0, 0, 50, false},
    {"to be asked again", DHT_CANDIDATE_RETRY, 0, 0, 50, false},
    {"answered", DHT_CANDIDATE_ANSWERED, 0, 0, 50, false},
    {"silent", DHT_CANDIDATE_SILENT, 0, 0, 50, false},
};

static void test_two_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof two_names_rows / sizeof two_names_rows[0]; i++) {
        const struct two_names_row *row = &two_names_rows[i];
        struct dht_lookup lookup;
        uint16_t index;
        start(&lookup, false, 8, 5);
        offer(&lookup, 200);
        offer(&lookup, 201);
        offer(&lookup, 60);
        offer(&lookup, 140);
        lookup.candidates[0].broken = row->broken;
        lookup.candidates[1].broken = row->broken_then;
        struct dht_candidate first = candidate(100);
        first.namer = 1;
        dht_lookup_offer(&lookup, &first, &index);
        if (row->state != DHT_CANDIDATE_NEW)
            dht_lookup_enter(&lookup, index, DHT_CANDIDATE_ASKED);
        if (row->state > DHT_CANDIDATE_ASKED)
            dht_lookup_enter(&lookup, index, row->state);
        struct dht_candidate second = candidate(row->rank);
        second.addr = first.addr;
        second.namer = 2;
        enum dht_lookup_offer verdict = dht_lookup_offer(&lookup, &second, &index);
        const struct dht_candidate *listed = &lookup.candidates[4];
        if (verdict != (row->gives_way ? DHT_LOOKUP_ADDED : DHT_LOOKUP_KNOWN) || index != 4 ||
            !dht_id_equal(&listed->id, row->gives_way ? &second.id : &first.id) ||
            !listed->disputed || lookup.count != 5)
            fail_msg("%s", row->name);
        for (uint16_t rank = 1; rank < lookup.count; rank++)
            assert_true(dht_id_compare(&target, &lookup.candidates[lookup.order[rank - 1]].id,
                                       &lookup.candidates[lookup.order[rank]].id) < 0);
        dht_lookup_fini(&lookup);
    }
}

static void test_prefix_caps(void **state)
{
    struct dht_lookup lookup;
    uint16_t index;
    (void)state;
    start(&lookup, false, 8, 5);
    for (uint32_t i = 0; i < 5; i++) {
        struct dht_candidate newcomer = candidate(i);
        newcomer.addr = (struct dht_addr){.ip = {20, 0, 0, (uint8_t)i}, .ip_len = 4, .port = 1};
        assert_int_equal(dht_lookup_offer(&lookup, &newcomer, &index),
                         i < DHT_LOOKUP_PREFIX_MAX ? DHT_LOOKUP_ADDED : DHT_LOOKUP_REFUSED);
    }
    for (uint32_t i = 30; i < 42; i++) {
        struct dht_candidate newcomer = candidate(i);
        newcomer.addr = (struct dht_addr){.ip = {30, 0, (uint8_t)i, 1}, .ip_len = 4, .port = 1};
        assert_int_equal(dht_lookup_offer(&lookup, &newcomer, &index),
                         i < 30 + DHT_LOOKUP_WIDE_MAX ? DHT_LOOKUP_ADDED : DHT_LOOKUP_REFUSED);
    }
    for (uint32_t i = 10; i < 22; i++) {
        struct dht_candidate newcomer = candidate(i);
        newcomer.addr =
            (struct dht_addr){.ip = {0x2a, 0, 0, 1, 0, (uint8_t)i}, .ip_len = 16, .port = 1};
        assert_int_equal(dht_lookup_offer(&lookup, &newcomer, &index),
                         i < 10 + DHT_LOOKUP_WIDE_MAX ? DHT_LOOKUP_ADDED : DHT_LOOKUP_REFUSED);
    }
    dht_lookup_fini(&lookup);
}

// A full list drops its farthest, if nobody has asked it yet.
static void test_full(void **state)
{
    struct dht_lookup lookup;
    struct dht_candidate newcomer;
    uint16_t index;
    (void)state;
    start(&lookup, false, 8, 5);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(offer(&lookup, 100 + i), i);
    newcomer = candidate(200);
    assert_int_equal(dht_lookup_offer(&lookup, &newcomer, &index), DHT_LOOKUP_DROPPED);
    newcomer = candidate(50);
    assert_int_equal(dht_lookup_offer(&lookup, &newcomer, &index), DHT_LOOKUP_ADDED);
    assert_int_equal(index, 39);
    assert_int_equal(lookup.order[0], 39);
    assert_int_equal(lookup.count, 40);
    // The farthest is 138 now, and the next one gives way for it.
    dht_lookup_enter(&lookup, 38, DHT_CANDIDATE_ASKED);
    newcomer = candidate(51);
    assert_int_equal(dht_lookup_offer(&lookup, &newcomer, &index), DHT_LOOKUP_ADDED);
    assert_int_equal(index, 37);
    for (uint16_t i = 0; i < 40; i++)
        if (lookup.candidates[i].state == DHT_CANDIDATE_NEW)
            dht_lookup_enter(&lookup, i, DHT_CANDIDATE_ASKED);
    newcomer = candidate(52);
    assert_int_equal(dht_lookup_offer(&lookup, &newcomer, &index), DHT_LOOKUP_DROPPED);
    dht_lookup_fini(&lookup);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (long failing = 0; failing < 4; failing++) {
        struct dht_lookup lookup;
        struct dht_candidate newcomer;
        uint16_t index;
        start(&lookup, false, 8, 5);
        failing_malloc_left = failing;
        uint16_t added = 0;
        for (uint32_t i = 0; i < 40; i++) {
            newcomer = candidate(i);
            added += dht_lookup_offer(&lookup, &newcomer, &index) == DHT_LOOKUP_ADDED;
        }
        failing_malloc_left = -1;
        assert_int_equal(lookup.count, added);
        for (uint32_t i = 40; i < 100 && lookup.count < 40; i++)
            offer(&lookup, i);
        assert_int_equal(lookup.count, 40);
        dht_lookup_fini(&lookup);
    }
}

// ---- at random ----

static void check(const struct dht_lookup *lookup)
{
    uint16_t in_flight = 0;
    uint8_t seen[40] = {0};
    for (uint16_t rank = 0; rank < lookup->count; rank++) {
        const struct dht_candidate *one = &lookup->candidates[lookup->order[rank]];
        assert_int_equal(seen[lookup->order[rank]]++, 0);
        in_flight = (uint16_t)(in_flight + (one->state == DHT_CANDIDATE_ASKED));
        if (rank > 0)
            assert_true(dht_id_compare(&target, &lookup->candidates[lookup->order[rank - 1]].id,
                                       &one->id) <= 0);
    }
    assert_int_equal(in_flight, lookup->in_flight);
    assert_true(in_flight <= lookup->in_flight_max);
    // Over, or somebody is in flight or to be asked: a lookup never hangs.
    assert_true(dht_lookup_is_done(lookup) || in_flight > 0 ||
                dht_lookup_next(lookup) != DHT_LOOKUP_NONE);
}

// Somebody names a candidate's address by another id.
static void rename_one(struct dht_lookup *lookup, uint16_t index, uint32_t rank)
{
    struct dht_candidate newcomer = candidate(rank);
    newcomer.addr = lookup->candidates[index].addr;
    dht_lookup_offer(lookup, &newcomer, &index);
}

static void test_at_random(void **state)
{
    uint64_t random = 4;
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct dht_lookup lookup;
        start(&lookup, false, 1 + helper_below(&random, 20), 1 + helper_below(&random, 6));
        for (int step = 0; step < 300; step++) {
            uint16_t index =
                lookup.count > 0 ? (uint16_t)helper_below(&random, lookup.count) : DHT_LOOKUP_NONE;
            uint32_t what = helper_below(&random, 8);
            if (what < 2)
                offer(&lookup, helper_below(&random, 5000));
            else if (what == 2 && index != DHT_LOOKUP_NONE)
                rename_one(&lookup, index, helper_below(&random, 5000));
            else if (what < 5)
                ask_next(&lookup);
            else if (index == DHT_LOOKUP_NONE || lookup.candidates[index].tries == 0)
                continue;
            else if (what == 5)
                dht_lookup_soft_timeout(&lookup, index);
            else
                dht_lookup_enter(&lookup, index,
                                 helper_below(&random, 4) > 0 ? DHT_CANDIDATE_ANSWERED
                                                              : DHT_CANDIDATE_DEAD);
            check(&lookup);
        }
        dht_lookup_fini(&lookup);
    }
}

// ---- in a hurry ----

// Two candidates, how far each is, in bits beyond `near` (0: near), its round trip and how often it
// was late; who is asked first: '=' where it is the closer one, '>' the farther one.
static const struct race {
    const char *name;
    uint32_t bits[2]; // the closer one first
    uint32_t rtt_us[2];
    uint8_t late[2];
    char first;
} races[] = {
    {"both near, the closer one faster", {0, 0}, {20000, 90000}, {0, 0}, '='},
    {"both near, the farther one faster", {0, 0}, {90000, 20000}, {0, 0}, '>'},
    {"both near, nothing known", {0, 0}, {0, 0}, {0, 0}, '='},
    {"both near, one slower than most", {0, 0}, {150000, 0}, {0, 0}, '>'},
    {"a fast one a bit beyond", {0, 1}, {140000, 20000}, {0, 0}, '>'},
    {"a fast one far beyond", {0, 8}, {140000, 20000}, {0, 0}, '='},
    {"both beyond, as fast", {3, 5}, {50000, 50000}, {0, 0}, '='},
    {"both beyond, four bits for a round trip", {3, 8}, {110000, 5000}, {0, 0}, '='},
    {"both beyond, two bits for a round trip", {3, 5}, {110000, 5000}, {0, 0}, '>'},
    {"the closer one was late", {0, 4}, {0, 0}, {1, 0}, '>'},
    {"both were late", {0, 4}, {0, 0}, {1, 1}, '='},
};

#define NEAR (UINT64_C(1) << 40)

static uint16_t offer_racer(struct dht_lookup *lookup, const struct race *race, uint32_t which)
{
    uint16_t index = DHT_LOOKUP_NONE;
    uint64_t distance = race->bits[which] == 0 ? NEAR / 4 + which : NEAR << race->bits[which];
    struct dht_candidate newcomer = candidate(which + 1);
    for (int i = 0; i < 8; i++)
        newcomer.id.bytes[i] = (uint8_t)(distance >> (56 - 8 * i));
    newcomer.rtt_us = race->rtt_us[which];
    dht_lookup_offer(lookup, &newcomer, &index);
    for (uint8_t i = 0; i < race->late[which]; i++) {
        dht_lookup_enter(lookup, index, DHT_CANDIDATE_ASKED);
        dht_lookup_soft_timeout(lookup, index);
    }
    return index;
}

static void test_races(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof races / sizeof races[0]; i++) {
        struct dht_lookup lookup;
        start(&lookup, false, 8, 5);
        uint16_t closer = offer_racer(&lookup, &races[i], 0);
        uint16_t farther = offer_racer(&lookup, &races[i], 1);
        dht_lookup_hurry(&lookup, NEAR, 100000);
        if (dht_lookup_next(&lookup) != (races[i].first == '=' ? closer : farther))
            fail_msg("%s: the other one was asked", races[i].name);
        dht_lookup_calm(&lookup);
        if (dht_lookup_next(&lookup) != closer)
            fail_msg("%s: calm, the closer one was not asked", races[i].name);
        dht_lookup_fini(&lookup);
    }
}

// In a hurry more are asked at once, most where they have to answer in any case.
static void test_hurried_flight(void **state)
{
    (void)state;
    struct dht_lookup lookup;
    uint32_t asked = 0;
    start(&lookup, false, 20, 5);
    for (uint32_t rank = 1; rank <= 20; rank++)
        offer(&lookup, rank); // near, all of them
    while (ask_next(&lookup) != DHT_LOOKUP_NONE)
        asked++;
    assert_int_equal(asked, 5);
    dht_lookup_hurry(&lookup, NEAR, 100000);
    while (ask_next(&lookup) != DHT_LOOKUP_NONE)
        asked++;
    assert_int_equal(asked, 5 + 3 + 3);
    dht_lookup_fini(&lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_races),       cmocka_unit_test(test_hurried_flight),
        cmocka_unit_test(test_lives),       cmocka_unit_test(test_closest_first),
        cmocka_unit_test(test_settled),     cmocka_unit_test(test_front),
        cmocka_unit_test(test_answered),    cmocka_unit_test(test_secure),
        cmocka_unit_test(test_newcomers),   cmocka_unit_test(test_two_names),
        cmocka_unit_test(test_region),      cmocka_unit_test(test_naming),
        cmocka_unit_test(test_prefix_caps), cmocka_unit_test(test_full),
        cmocka_unit_test(test_no_memory),   cmocka_unit_test(test_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
