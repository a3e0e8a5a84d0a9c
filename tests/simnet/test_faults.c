// SPDX-License-Identifier: MIT
// Who is up while faults befall a network, and when it has healed: of events that overlap, of
// churn, and of both at once.
#include "simnet/host.h"
#include "tests/simnet/text_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// Nothing is asked of the machines, and t0 is after 40 s.
#define T0_US (40 * SIMNET_SECOND_US)
static const char base[] = "[network]\nnodes = 60\njoin = 10s\n"
                           "[publish]\nnames = 0\n[resolve]\ncount = 0\n"
                           "[check]\ncheckers = none\n[phases]\nwarm-up = 30s\n";

static const struct fault_row {
    const char *name;
    const char *text;  // behind the base
    int64_t at_s;      // when to look, from t0 on
    uint32_t up, most; // as many, or up to `most`, are up; 0: not more
} rows[] = {
    {"an end leaves alone whom another event has taken",
     "faults = 1min\n[event a]\nkind = sleep\nshare = 100%\nat = 5s\nfor = 30s\n"
     "[event b]\nkind = return\nshare = 100%\nat = 10s\n"
     "[event c]\nkind = lose\nshare = 50%\nat = 15s\n",
     50, 30, 0},
    {"and wakes whom its own event has",
     "faults = 1min\n[event a]\nkind = sleep\nshare = 100%\nat = 5s\nfor = 30s\n"
     "[event b]\nkind = lose\nshare = 50%\nat = 15s\n",
     50, 60, 0},
    {"lost for good, without churn",
     "faults = 5min\nhealing = 5min\n[event k]\nkind = lose\nshare = 50%\nat = 30s\n", 299, 30, 0},
    {"and back, when all is well",
     "faults = 5min\nhealing = 5min\n[event k]\nkind = lose\nshare = 50%\nat = 30s\n", 301, 60, 0},
    {"lost for good, under churn",
     "faults = 5min\nhealing = 5min\n[churn]\nsession = 20h\ngap = 1min\n"
     "[event k]\nkind = lose\nshare = 50%\nat = 30s\n",
     299, 20, 40},
    {"and back, under churn",
     "faults = 5min\nhealing = 5min\n[churn]\nsession = 20h\ngap = 1min\n"
     "[event k]\nkind = lose\nshare = 50%\nat = 30s\n",
     301, 59, 61},
    {"stopped, and back, under churn",
     "faults = 5min\nhealing = 5min\n[churn]\nsession = 20h\ngap = 1min\n"
     "[event k]\nkind = stop\nshare = 50%\nat = 30s\n",
     301, 59, 61},
    {"back before its end, under churn",
     "faults = 5min\nhealing = 5min\n[churn]\nsession = 20h\ngap = 1min\n"
     "[event k]\nkind = stop\nshare = 50%\nat = 30s\n[event r]\nkind = return\nshare = 100%\nat = "
     "1min\n",
     70, 59, 61},
    {"dead", "faults = 30min\nhealing = 1min\n[machines]\ndead = 50%\n", 1799, 30, 0},
    {"dead, under churn",
     "faults = 30min\nhealing = 1min\n[machines]\ndead = 50%\n[churn]\nsession = 24h\ngap = 2min\n",
     1799, 28, 31},
    {"dead, under much churn",
     "faults = 5h\nhealing = 1min\n[machines]\ndead = 50%\n[churn]\nsession = 20min\ngap = 10min\n",
     5 * 3600 - 1, 22, 38},
    {"no more dead, under churn",
     "faults = 30min\nhealing = 1min\n[machines]\ndead = 50%\n[churn]\nsession = 24h\ngap = 2min\n",
     1801, 58, 61},
};

static struct simnet_run *make(const struct fault_row *row)
{
    char text[1024];
    snprintf(text, sizeof text, "%s%s", base, row->text);
    return text_run_new(row->name, text);
}

static void test_up(struct twice *twice)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct fault_row *row = &rows[i];
        struct simnet_run *run = make(row);
        while (simnet_run_now(run) < T0_US + row->at_s * SIMNET_SECOND_US)
            assert_true(simnet_run_step(run));
        uint32_t up = simnet_network_up(simnet_run_network(run));
        uint32_t most = row->most > 0 ? row->most : row->up;
        if (up < row->up || up > most)
            fail_msg("row %s: %u are up, not %u to %u", row->name, up, row->up, most);
        twice_note(twice, "hash", simnet_world_hash(simnet_run_world(run)));
        simnet_run_free(run);
    }
}

// Two events that befall the same part of every machine: it is well again when both have ended.
struct overlap_row {
    const char *name;
    const char *text;
    int64_t at_s; // when to look, from t0 on
    bool is_well;
};

static const struct overlap_row overlap_rows[] = {
    {"cable, one has ended",
     "[event a]\nkind = unplug\nshare = 100%\nat = 1s\nfor = 40s\n"
     "[event b]\nkind = unplug\nshare = 100%\nat = 2s\nfor = 10s\n",
     20, false},
    {"cable, the other one has",
     "[event a]\nkind = unplug\nshare = 100%\nat = 1s\nfor = 10s\n"
     "[event b]\nkind = unplug\nshare = 100%\nat = 2s\nfor = 40s\n",
     20, false},
    {"cable, both have",
     "[event a]\nkind = unplug\nshare = 100%\nat = 1s\nfor = 40s\n"
     "[event b]\nkind = unplug\nshare = 100%\nat = 2s\nfor = 10s\n",
     43, true},
    {"disk, another part of it",
     "[event a]\nkind = disk-fails\nshare = 100%\nat = 1s\nfor = 40s\n"
     "[event b]\nkind = disk-fills\nshare = 100%\nat = 2s\nfor = 10s\n",
     20, false},
    {"disk, some still fail",
     "[event a]\nkind = disk-fails\nshare = 100%\nat = 1s\nfor = 40s\nwrites = 20%\n"
     "[event b]\nkind = disk-fails\nshare = 100%\nat = 2s\nfor = 10s\n",
     20, false},
    {"disk, all of it",
     "[event a]\nkind = disk-fails\nshare = 100%\nat = 1s\nfor = 10s\n"
     "[event b]\nkind = disk-fills\nshare = 100%\nat = 2s\nfor = 40s\n",
     43, true},
};

static bool is_well(struct simnet_machine *machine)
{
    if (machine->is_unplugged)
        return false;
    if (!simnet_host_has_disk(machine))
        return true;
    struct simnet_disk_config config = simnet_disk_config(simnet_host_disk(machine));
    return config.fail_share <= 0 && config.capacity == 0;
}

static void test_overlaps(struct twice *twice)
{
    for (size_t i = 0; i < sizeof overlap_rows / sizeof *overlap_rows; i++) {
        const struct overlap_row *row = &overlap_rows[i];
        char text[512];
        snprintf(text, sizeof text, "faults = 1min\n%s", row->text);
        struct fault_row both = {.name = row->name, .text = text};
        struct simnet_run *run = make(&both);
        while (simnet_run_now(run) < T0_US + row->at_s * SIMNET_SECOND_US)
            assert_true(simnet_run_step(run));
        for (uint32_t each = 0; each < 60; each++)
            if (is_well(simnet_world_machine(simnet_run_world(run), each)) != row->is_well)
                fail_msg("row %s: machine %u", row->name, each);
        twice_note(twice, "hash", simnet_world_hash(simnet_run_world(run)));
        simnet_run_free(run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(test_up),
        twice_scenario(test_overlaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
