// SPDX-License-Identifier: MIT
// What a ledger took it gives back, however often it grew and was swept.
#include "simnet/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct entry {
    uint64_t number; // 0: new
    uint64_t is_dear;
};

static bool is_dear(const void *entry)
{
    return ((const struct entry *)entry)->is_dear != 0;
}

// Hashes as they come, and such as meet in one cell.
static const struct row {
    const char *name;
    uint64_t first, step;
    uint64_t count;
    uint64_t dear; // one in so many is to be kept
} rows[] = {
    {"one", 5, 1, 1, 1},
    {"hash 0 and others", 0, 1, 40, 3},
    {"in a row", 1000, 1, 5000, 7},
    {"far from each other", 3, UINT64_C(0x9e3779b97f4a7c15), 5000, 4},
    {"all of one cell", 64, 65536, 300, 5},
    {"all dear", 1, 3, 1000, 1},
};

static uint64_t hash_of(const struct row *row, uint64_t i)
{
    return row->first + i * row->step;
}

static void fill(const struct row *row, struct simnet_ledger *ledger)
{
    for (uint64_t i = 0; i < row->count; i++) {
        struct entry *entry = simnet_ledger_take(ledger, hash_of(row, i));
        // 0 and 1 are one hash.
        if (entry->number != 0 && (i != 1 || row->first != 0))
            fail_msg("row %s: %d is not new", row->name, (int)i);
        *entry = (struct entry){i + 1, i % row->dear == 0};
    }
}

static void takes_and_finds(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const struct row *row = &rows[r];
        struct simnet_ledger ledger;
        simnet_ledger_init(&ledger, sizeof(struct entry));
        assert_null(simnet_ledger_find(&ledger, hash_of(row, 0)));
        fill(row, &ledger);
        for (uint64_t i = row->first == 0 ? 1 : 0; i < row->count; i++) {
            const struct entry *entry = simnet_ledger_find(&ledger, hash_of(row, i));
            if (entry == NULL || entry->number != i + 1 ||
                simnet_ledger_take(&ledger, hash_of(row, i)) != entry)
                fail_msg("row %s: %d is another", row->name, (int)i);
        }
        assert_null(simnet_ledger_find(&ledger, hash_of(row, row->count)));
        simnet_ledger_fini(&ledger);
    }
}

static void sweeps(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const struct row *row = &rows[r];
        struct simnet_ledger ledger;
        simnet_ledger_init(&ledger, sizeof(struct entry));
        simnet_ledger_sweep(&ledger, is_dear); // of nothing
        fill(row, &ledger);
        size_t capacity = ledger.capacity;
        size_t dear = (row->count + row->dear - 1) / row->dear;
        bool moves = 2 * dear < ledger.capacity;
        simnet_ledger_sweep(&ledger, is_dear);
        assert_int_equal(capacity, ledger.capacity);
        for (uint64_t i = row->first == 0 ? 2 : 0; i < row->count; i++) {
            const struct entry *entry = simnet_ledger_find(&ledger, hash_of(row, i));
            bool stays = i % row->dear == 0 || !moves;
            if ((entry != NULL) != stays || (stays && entry->number != i + 1))
                fail_msg("row %s: %d of %d", row->name, (int)i, (int)row->count);
        }
        simnet_ledger_fini(&ledger);
    }
}

// Swept whenever it is full, it stays small while few of its entries are dear.
static void stays_small(void **state)
{
    (void)state;
    struct simnet_ledger ledger;
    simnet_ledger_init(&ledger, sizeof(struct entry));
    for (uint64_t i = 0; i < 100000; i++) {
        if (simnet_ledger_is_full(&ledger))
            simnet_ledger_sweep(&ledger, is_dear);
        struct entry *entry = simnet_ledger_take(&ledger, simnet_ledger_hash(1, &i, sizeof i));
        assert_int_equal(0, entry->number);
        *entry = (struct entry){i + 1, i < 20};
    }
    assert_int_equal(64, ledger.capacity);
    for (uint64_t i = 0; i < 20; i++) {
        const struct entry *entry =
            simnet_ledger_find(&ledger, simnet_ledger_hash(1, &i, sizeof i));
        assert_non_null(entry);
        assert_int_equal(i + 1, entry->number);
    }
    simnet_ledger_fini(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_and_finds), cmocka_unit_test(sweeps),
                                       cmocka_unit_test(stays_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
