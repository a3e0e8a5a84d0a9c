// SPDX-License-Identifier: MIT
// What machines can suffer, as scenarios say it: it happens, every name resolves once all is well
// again, and no checker finds a fault: above all, no sequence number goes back.
#include "tests/simnet/text_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Publishers change their names all the time, so that disks and clocks are asked.
static const char base[] = "[network]\nnodes = 30\njoin = 10s\n"
                           "[publish]\nnames = 20\nover = 10s\nchange = 20s\n"
                           "[resolve]\ncount = 60\nfor = 90s\n"
                           "[phases]\nwarm-up = 1min\nfaults = 2min\nhealing = 5min\n"
                           "[check]\ncheckers = all\n";

static const struct mishap_row {
    const char *name;
    const char *text;       // behind the base
    const char *counter[2]; // of the report, that have to reach
    uint64_t least[2];
} rows[] = {
    {"nothing", "", {NULL}, {0}},
    {"crash, disks that lose",
     "[machines]\ndisk = losing\nsnapshot = 20s\n[event e]\nat = 30s\nshare = 50%\nfor = 10s\n",
     {"crashes", "disk_lost"},
     {15, 1}},
    {"crash, slow disks",
     "[machines]\ndisk = slow\nsnapshot = 20s\n[event e]\nat = 30s\nshare = 50%\nfor = 10s\n",
     {"crashes", "returns"},
     {15, 15}},
    {"crash, gone until all is well",
     "[event e]\nat = 30s\nshare = 25%\n",
     {"crashes", "returns"},
     {7, 7}},
    {"stop", "[event e]\nkind = stop\nshare = 50%\nfor = 10s\n", {"stops", "returns"}, {15, 15}},
    {"kill",
     "[machines]\ndisk = slow\n[event e]\nkind = kill\nshare = 50%\nfor = 10s\n",
     {"kills", "returns"},
     {15, 15}},
    {"sleep",
     "[event e]\nkind = sleep\nshare = 50%\nfor = 1min\n",
     {"sleeps", "returns"},
     {15, 15}},
    {"unplug", "[event e]\nkind = unplug\nshare = 50%\nfor = 1min\n", {"unplugs"}, {15}},
    {"move", "[event e]\nkind = move\nshare = 50%\n", {"moves"}, {15}},
    {"disks that fail",
     "[event e]\nkind = disk-fails\nat = 30s\nshare = 50%\nfor = 1min\n",
     {"disk_faults", "disk_failed"},
     {15, 1}},
    {"disks that fail at times",
     "[event e]\nkind = disk-fails\nat = 30s\nshare = 100%\nwrites = 30%\n",
     {"disk_faults", "disk_failed"},
     {30, 1}},
    {"full disks",
     "[machines]\nsnapshot = 20s\n[event e]\nkind = disk-fills\nat = 30s\nshare = 50%\n",
     {"disk_faults", "disk_full"},
     {15, 1}},
    {"disks that stick",
     "[event e]\nkind = disk-sticks\nat = 30s\nshare = 50%\nfor = 20s\n",
     {"disk_faults"},
     {15}},
    {"clocks set forwards",
     "[event e]\nkind = clock-jump\nat = 30s\nshare = 50%\nby = 24h\n",
     {"clock_jumps"},
     {15}},
    {"clocks set back",
     "[event e]\nkind = clock-jump\nat = 30s\nshare = 50%\nby = -24h\nfor = 1min\n",
     {"clock_jumps"},
     {15}},
    {"clocks that drift and are off",
     "[machines]\nclock-off = 24h\nclock-drift = 5%\ntimer-drift = 0.5%\n",
     {NULL},
     {0}},
    {"clocks that forget",
     "[machines]\nclock-forgets = 100%\n[event e]\nat = 30s\nshare = 50%\nfor = 10s\n",
     {"crashes"},
     {15}},
    {"NATs that forget",
     "[nat]\nport-restricted = 50%\n[event e]\nkind = nat-reboot\nshare = 100%\n",
     {"nat_reboots"},
     {7}},
    {"churn, and a stop of many",
     "[churn]\nsession = 2min\n[event e]\nkind = stop\nat = 30s\nshare = 25%\nfor = 10s\n",
     {"churn_lost", "churn_back"},
     {3, 1}},
    {"churn, and sleepers",
     "[churn]\nsession = 10min\n[event e]\nkind = sleep\nat = 30s\nshare = 25%\n",
     {"sleeps", "returns"},
     {4, 4}},
};

static void test_mishaps(struct twice *twice)
{
    uint64_t nothing = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s", base, rows[i].text);
        struct simnet_run *run = text_run_whole(rows[i].name, text);
        text_run_check(run, rows[i].name, rows[i].counter, rows[i].least, 2);
        uint64_t hash = simnet_world_hash(simnet_run_world(run));
        twice_note(twice, "hash", hash);
        if (i == 0)
            nothing = hash;
        else if (hash == nothing)
            fail_msg("row %s: nothing happened", rows[i].name);
        simnet_run_free(run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(test_mishaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
