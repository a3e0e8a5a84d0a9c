// SPDX-License-Identifier: MIT
// What a NAT remembers is compared, step by step, with the plainest table there is: a list.
#include "simnet/nat_table.h"
#include "simnet/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define STEPS     40000
#define LIMIT_MAX 300

struct row {
    const char *name;
    uint32_t limit;
    bool has_ports;
    uint64_t keys; // of so many is one drawn
    uint32_t hosts;
    uint64_t step_us, life_us; // at most
};

static const struct row rows[] = {
    {"room for all", LIMIT_MAX, true, 100, 5, 10, 1000},
    {"often full", 20, true, 100, 5, 10, 2000},
    {"full for ever", 10, true, 40, 3, 1, 100000000},
    {"short lives", LIMIT_MAX, true, 250, 50, 100, 300},
    {"without ports", 50, false, 120, 5, 10, 3000},
    {"one entry", 1, true, 4, 1, 10, 30},
};

struct plain {
    struct simnet_nat_entry entries[LIMIT_MAX];
    uint32_t count;
};

static void remove_over(struct plain *plain, int64_t now_us)
{
    for (uint32_t i = 0; i < plain->count;)
        if (plain->entries[i].due_us <= now_us)
            plain->entries[i] = plain->entries[--plain->count];
        else
            i++;
}

static struct simnet_nat_entry *find_plain(struct plain *plain, uint64_t inside)
{
    for (uint32_t i = 0; i < plain->count; i++)
        if (plain->entries[i].inside == inside)
            return &plain->entries[i];
    return NULL;
}

static uint32_t of_host_plain(const struct plain *plain, uint32_t host)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plain->count; i++)
        count += plain->entries[i].host == host;
    return count;
}

// Everything that a key has follows from it.
static struct simnet_nat_entry entry_of(const struct row *row, uint64_t key, int64_t due_us)
{
    return (struct simnet_nat_entry){.inside = key,
                                     .remote = key * 77,
                                     .due_us = due_us,
                                     .host = (uint32_t)(key % row->hosts),
                                     .port = (uint16_t)(key * 3)};
}

static void forget_plain(struct plain *plain, uint32_t host)
{
    for (uint32_t i = 0; i < plain->count;)
        if (plain->entries[i].host == host)
            plain->entries[i] = plain->entries[--plain->count];
        else
            i++;
}

// Looks a key up in both, by itself and by its port; refreshes it, or puts it in.
static bool step(const struct row *row, struct simnet_nat_table *table, struct plain *plain,
                 struct simnet_stream *stream, int64_t now_us)
{
    uint64_t key = 1 + simnet_stream_below(stream, row->keys);
    int64_t due_us = now_us + 1 + (int64_t)simnet_stream_below(stream, row->life_us);
    struct simnet_nat_entry wanted = entry_of(row, key, due_us);
    struct simnet_nat_entry *expected = find_plain(plain, key);
    struct simnet_nat_entry *found = simnet_nat_table_find(table, now_us, key, wanted.remote);
    if ((found != NULL) != (expected != NULL) ||
        simnet_nat_table_find(table, now_us, key, wanted.remote + 1) != NULL)
        return false;
    if (row->has_ports && simnet_nat_table_at_port(table, now_us, wanted.port) != found)
        return false;
    if (found != NULL) {
        if (found->due_us != expected->due_us || found->host != expected->host)
            return false;
        if (due_us > found->due_us) // as a NAT does: never sooner
            found->due_us = expected->due_us = due_us;
        return true;
    }
    bool has_room = plain->count < row->limit;
    if (has_room)
        plain->entries[plain->count++] = wanted;
    return (simnet_nat_table_add(table, now_us, &wanted) != NULL) == has_room;
}

static void is_as_a_list(void **state)
{
    (void)state;
    static struct plain plain;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const struct row *row = &rows[r];
        struct simnet_nat_table table;
        struct simnet_stream stream;
        int64_t now_us = 1;
        plain.count = 0;
        simnet_nat_table_init(&table, row->limit, row->has_ports);
        simnet_stream_init(&stream, 1, "test", r);
        for (int n = 0; n < STEPS; n++) {
            now_us += (int64_t)simnet_stream_below(&stream, row->step_us + 1);
            remove_over(&plain, now_us);
            uint32_t host = (uint32_t)simnet_stream_below(&stream, row->hosts);
            uint64_t what = simnet_stream_below(&stream, 2000);
            if (what == 0) {
                simnet_nat_table_clear(&table);
                plain.count = 0;
            } else if (what < 10) {
                simnet_nat_table_forget(&table, host);
                forget_plain(&plain, host);
            }
            if (!step(row, &table, &plain, &stream, now_us) ||
                simnet_nat_table_of_host(&table, now_us, host, 0) != of_host_plain(&plain, host))
                fail_msg("%s: step %d", row->name, n);
        }
        simnet_nat_table_fini(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_as_a_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
