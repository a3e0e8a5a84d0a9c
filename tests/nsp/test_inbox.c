// SPDX-License-Identifier: MIT
// What a lookup was told against what Next has returned: flags, order, repetition, changes.
#include "nsp/inbox.h"
#include "tests/nsp/failing_memory.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

static struct failing_memory memory;

static struct nsp_result *result_of(char who, char mark)
{
    struct nsp_result *result = nsp_memory_take(&memory.memory, sizeof *result);
    assert_non_null(result);
    memset(result->known.publisher, who, sizeof result->known.publisher);
    memset(result->known.mark, mark, sizeof result->known.mark);
    return result;
}

// A script: what happens, word by word.
//
//   fA1 found  aA1 added  cA1 changed  gA gone  (publisher A, mark 1)
//   S   the search has ended     H  Next measured the first one     F  flush
//   >A1 Next returns it without flags; >+A1 added; >~A1 changed; >-A1 deleted
//   =   nothing waits     !  something changed     .  nothing did     kN  N are known
static const struct row {
    const char *name;
    const char *script;
    uint32_t max;
} rows[] = {
    {"one by one, in their order", "fA1 fB1 >A1 >B1 =", 0},
    {"repetition is no news", "fA1 fA1 >A1 fA1 = S aA1 = cA1 = .", 0},
    {"a newer record of the search", "fA1 >A1 . fA2 ! >~A2 . =", 0},
    {"a newer one before the first was fetched", "fA1 fA2 . >A1 ! >~A2 . =", 0},
    {"the newest change stands for all", "fA1 >A1 S cA2 cA3 cA4 ! >~A4 . =", 0},
    {"and keeps its place", "fA1 fB1 >A1 >B1 S cA2 cB2 cA3 >~A3 ! >~B2 . =", 0},
    {"what is found keeps its place as well", "fA1 fA2 fB1 fA3 >A1 >~A3 >B1 =", 0},
    {"back to what it was stays a change", "fA1 >A1 S cA2 cA1 ! >~A1 . =", 0},
    {"added after the end", "fA1 >A1 S aB1 . >+B1 . =", 0},
    {"an added one changes", "S aB1 >+B1 cB2 ! >~B2 .", 0},
    {"an added one changes before it was fetched", "S aB1 cB2 . >+B1 ! >~B2 .", 0},
    {"gone", "fA1 >A1 S gA ! >-A1 . =", 0},
    {"gone with a change that waits", "fA1 >A1 S cA2 gA ! >-A2 . =", 0},
    {"gone before it was fetched", "fA1 S gA . >A1 ! >-A1 . =", 0},
    {"gone twice", "fA1 >A1 S gA gA >-A1 = gA = .", 0},
    {"gone that never was", "S gA = .", 0},
    {"back before anybody knew", "fA1 S gA aA1 >A1 = .", 0},
    {"back, and nobody knew that it was gone", "fA1 >A1 S gA aA1 ! >~A1 . =", 0},
    {"back with something else", "fA1 >A1 S gA aA2 ! >~A2 . =", 0},
    {"back and gone again", "fA1 >A1 S gA aA2 gA ! >-A2 . =", 0},
    {"gone, told and back", "fA1 >A1 S gA >-A1 . aA1 . >+A1 . =", 0},
    {"what the watch adds waits for the end of the search", "aB1 = fA1 >A1 = S >+B1 =", 0},
    {"where the search tells it too", "aA1 fA1 >A1 S = .", 0},
    {"where the search tells less", "aA2 fA1 >A1 S ! >~A2 .", 0},
    {"where it is gone by then", "aA1 gA S = .", 0},
    {"where the watch tells what the search has told", "aA1 fA2 cA2 >A2 S = .", 0},
    {"the last word of what was set aside", "aB1 cB2 S >+B2 =", 0},
    {"a change of what was fetched does not wait", "fA1 >A1 cA2 ! >~A2 .", 0},
    {"no more publishers than were asked for", "fA1 fB1 >A1 = S aC1 = cC2 = .", 1},
    {"but changes of those", "fA1 fB1 >A1 fA2 >~A2 =", 1},
    {"one that goes leaves a place", "fA1 >A1 S gA aB1 >-A1 = aC1 >+C1 =", 1},
    {"what was measured stays", "fA1 >A1 S cA2 H cA3 ! >~A2 ! >~A3 . =", 0},
    {"also where it goes", "fA1 >A1 S cA2 H gA >~A2 ! >-A1 . =", 0},
    {"also a farewell", "fA1 >A1 S gA H aA2 ! >-A1 . >+A2 . =", 0},
    {"a farewell that was measured, back, and gone", "fA1 >A1 S gA H aA2 gA >-A1 >+A2 >-A2 . =", 0},
    {"what comes back while it waits, measured", "fA1 >A1 S gA aA2 H gA >~A2 >-A2 . =", 0},
    {"a first one that was measured", "fA1 H fA2 fA3 >A1 >~A3 =", 0},
    {"flush drops what was measured", "fA1 fB1 H F >B1 =", 0},
    {"and nothing else", "fA1 F >A1 F =", 0},
    {"a change that is flushed is none any more", "fA1 >A1 S cA2 ! H F . =", 0},
    {"what is flushed counts as returned", "fA1 H F S cA2 ! >~A2 .", 0},
    {"who is known", "k0 fA1 k1 fB1 >A1 k2 S gB k1 aC1 k2 gA k1", 0},
    {"nothing", "= . S = . F =", 0},
};

static void check_next(struct nsp_inbox *inbox, const char *wanted)
{
    char told[8] = "nothing";
    const struct nsp_result *first = nsp_inbox_first(inbox);
    if (first != NULL) {
        DWORD flags = first->output_flags;
        const char *sign = flags == RESULT_IS_ADDED     ? "+"
                           : flags == RESULT_IS_CHANGED ? "~"
                           : flags == RESULT_IS_DELETED ? "-"
                                                        : "";
        snprintf(told, sizeof told, "%s%c%c", sign, first->known.publisher[0],
                 first->known.mark[0]);
    }
    if (strcmp(told, wanted) != 0) {
        fail_msg("%s, not %s", told, wanted);
    }
    nsp_inbox_take(inbox);
}

static void play(struct nsp_inbox *inbox, const char *word)
{
    uint8_t key[PNR_PUBLISHER_LEN];
    struct pnr_known known[PNR_KNOWN_MAX];
    static const char kinds[] = "fac";
    switch (word[0]) {
    case 'f':
    case 'a':
    case 'c':
        assert_int_equal(nsp_inbox_hear(inbox,
                                        (enum nsp_inbox_what)(strchr(kinds, word[0]) - kinds),
                                        result_of(word[1], word[2])),
                         0);
        break;
    case 'g':
        memset(key, word[1], sizeof key);
        nsp_inbox_forget(inbox, key);
        break;
    case 'S':
        assert_int_equal(nsp_inbox_settle(inbox), 0);
        break;
    case 'H':
        nsp_inbox_hold(inbox);
        break;
    case 'F':
        nsp_inbox_flush(inbox);
        break;
    case '>':
        check_next(inbox, word + 1);
        break;
    case '=':
        assert_null(nsp_inbox_first(inbox));
        break;
    case '!':
    case '.':
        assert_int_equal(nsp_inbox_changed(inbox), word[0] == '!');
        break;
    default:
        assert_int_equal(nsp_inbox_known(inbox, known, PNR_KNOWN_MAX), word[1] - '0');
        break;
    }
}

static void scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nsp_inbox inbox;
        char script[128];
        print_message("%s\n", rows[i].name);
        failing_memory_init(&memory, 0);
        nsp_inbox_init(&inbox, &memory.memory, rows[i].max == 0 ? 1000000 : rows[i].max);
        snprintf(script, sizeof script, "%s", rows[i].script);
        for (char *word = strtok(script, " "); word != NULL; word = strtok(NULL, " ")) {
            play(&inbox, word);
        }
        nsp_inbox_drop(&inbox);
        assert_int_equal(failing_memory_live(&memory), 0);
    }
}

// ---- a program that believes the flags ----

#define PUBLISHERS 5

struct world {
    uint64_t random;
    struct nsp_inbox inbox;
    char truth[PUBLISHERS];    // marks; 0: not there
    char believed[PUBLISHERS]; // by the program
};

static unsigned draw(struct world *world, unsigned below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (unsigned)(world->random >> 33) % below;
}

// Something happens in the world, and the daemon says so.
static void happen(struct world *world)
{
    unsigned who = draw(world, PUBLISHERS);
    char mark = (char)('1' + draw(world, 3));
    uint8_t key[PNR_PUBLISHER_LEN];
    memset(key, (int)('A' + who), sizeof key);
    if (world->truth[who] != 0 && draw(world, 3) == 0) {
        world->truth[who] = 0;
        nsp_inbox_forget(&world->inbox, key);
        return;
    }
    enum nsp_inbox_what what = world->truth[who] == 0 ? NSP_INBOX_ADDED : NSP_INBOX_CHANGED;
    world->truth[who] = mark;
    if (!world->inbox.settled && draw(world, 2) == 0) {
        // The search may tell it before the watch.
        struct nsp_result *found = result_of((char)('A' + who), mark);
        assert_int_equal(nsp_inbox_hear(&world->inbox, NSP_INBOX_FOUND, found), 0);
    }
    assert_int_equal(nsp_inbox_hear(&world->inbox, what, result_of((char)('A' + who), mark)), 0);
}

static void fetch(struct world *world)
{
    const struct nsp_result *first = nsp_inbox_first(&world->inbox);
    if (first == NULL) {
        return;
    }
    unsigned who = (unsigned)(first->known.publisher[0] - 'A');
    bool is_new = first->output_flags == 0 || first->output_flags == RESULT_IS_ADDED;
    assert_int_equal(world->believed[who] == 0, is_new);
    world->believed[who] =
        first->output_flags == RESULT_IS_DELETED ? 0 : (char)first->known.mark[0];
    nsp_inbox_take(&world->inbox);
}

// Whether something that the program believes is not so.
static bool is_deceived(const struct world *world)
{
    for (unsigned who = 0; who < PUBLISHERS; who++) {
        if (world->believed[who] != 0 && world->believed[who] != world->truth[who]) {
            return true;
        }
    }
    return false;
}

static void flags_are_to_be_believed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct world world = {.random = seed * 0x9E3779B97F4A7C15u};
        failing_memory_init(&memory, 0);
        nsp_inbox_init(&world.inbox, &memory.memory, 1000);
        for (unsigned step = 0, steps = 1 + draw(&world, 60); step < steps; step++) {
            unsigned choice = draw(&world, 12);
            if (choice < 5) {
                happen(&world);
            } else if (choice < 10) {
                fetch(&world);
            } else if (choice == 10) {
                nsp_inbox_hold(&world.inbox);
            } else {
                assert_int_equal(nsp_inbox_settle(&world.inbox), 0);
            }
            if (is_deceived(&world) && !nsp_inbox_changed(&world.inbox)) {
                fail_msg("seed %u: a change that nobody tells", (unsigned)seed);
            }
        }
        assert_int_equal(nsp_inbox_settle(&world.inbox), 0);
        while (nsp_inbox_first(&world.inbox) != NULL) {
            fetch(&world);
        }
        if (memcmp(world.truth, world.believed, sizeof world.truth) != 0) {
            fail_msg("seed %u: the program believes something else", (unsigned)seed);
        }
        assert_false(nsp_inbox_changed(&world.inbox));
        nsp_inbox_drop(&world.inbox);
        assert_int_equal(failing_memory_live(&memory), 0);
    }
}

// ---- bounds ----

static void publishers_are_bounded(void **state)
{
    (void)state;
    struct nsp_inbox inbox;
    failing_memory_init(&memory, 0);
    nsp_inbox_init(&inbox, &memory.memory, 1000000);
    for (uint32_t i = 0; i < NSP_INBOX_PUBLISHERS_MAX + 10; i++) {
        struct nsp_result *result = result_of('A', '1');
        memcpy(result->known.publisher, &i, sizeof i);
        assert_int_equal(nsp_inbox_hear(&inbox, NSP_INBOX_FOUND, result), 0);
        result = result_of('B', '1');
        memcpy(result->known.publisher, &i, sizeof i);
        assert_int_equal(nsp_inbox_hear(&inbox, NSP_INBOX_ADDED, result), 0);
    }
    assert_int_equal(inbox.publisher_count, NSP_INBOX_PUBLISHERS_MAX);
    assert_int_equal(inbox.aside_count, NSP_INBOX_PUBLISHERS_MAX);
    assert_int_equal(inbox.turned_away, 20);
    nsp_inbox_drop(&inbox);
    assert_int_equal(failing_memory_live(&memory), 0);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    struct nsp_inbox inbox;
    failing_memory_init(&memory, 2); // the first is the result's
    nsp_inbox_init(&inbox, &memory.memory, 10);
    assert_int_equal(nsp_inbox_hear(&inbox, NSP_INBOX_FOUND, result_of('A', '1')),
                     WSA_NOT_ENOUGH_MEMORY);
    assert_null(nsp_inbox_first(&inbox));
    assert_int_equal(nsp_inbox_hear(&inbox, NSP_INBOX_FOUND, result_of('A', '1')), 0);
    assert_int_equal(nsp_inbox_hear(&inbox, NSP_INBOX_ADDED, result_of('B', '1')), 0);
    memory.fail_at = atomic_load(&memory.requests) + 1;
    assert_int_equal(nsp_inbox_settle(&inbox), WSA_NOT_ENOUGH_MEMORY);
    nsp_inbox_drop(&inbox);
    assert_int_equal(failing_memory_live(&memory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts),
        cmocka_unit_test(flags_are_to_be_believed),
        cmocka_unit_test(publishers_are_bounded),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
