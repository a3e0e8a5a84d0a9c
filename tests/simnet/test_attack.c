// SPDX-License-Identifier: MIT
// Adversaries as scenarios say them: each attack really happens, which counters show, and names are
// found all the same.
#include "tests/simnet/text_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE                                                                                       \
    "[network]\nnodes = 80\njoin = 30s\n[publish]\nnames = 20\nover = 90s\nchange = 30s\n"         \
    "[phases]\nwarm-up = 2min\nfaults = 40s\n[resolve]\ncount = 100\nfor = 30s\nwait = all\n"      \
    "[check]\nsuccess = 99%\n[adversary a]\n"
// Those that join around a name need minutes to be known.
#define AROUND                                                                                     \
    "[network]\nnodes = 80\njoin = 30s\nfamilies = both\n[publish]\nnames = 1\nover = 10s\n"       \
    "[phases]\nwarm-up = 1min\nfaults = 4min\n"                                                    \
    "[resolve]\ncount = 100\nat = 3min\nfor = 30s\nwait = all\n"                                   \
    "[check]\nsuccess = 97%\n[adversary a]\nkind = denier\nplacement = around-name\n"
#define MANY                                                                                       \
    "[network]\nnodes = 500\njoin = 30s\n[publish]\nnames = 50\nover = 2min\n"                     \
    "[phases]\nwarm-up = 150s\nfaults = 40s\n[resolve]\ncount = 300\nfor = 30s\nwait = all\n"      \
    "[check]\nsuccess = 99%\n[adversary a]\nkind = denier\nfrom = publish\ncount = 500\n"

static const struct attack_row {
    const char *name;
    const char *text;
    const char *counter[3]; // of the report, that have to reach
    uint64_t least[3];
} rows[] = {
    {"silent",
     BASE "kind = silent\nshare = 20%\nfrom = publish\n",
     {"adversaries_asked", "timeouts"},
     {500, 500}},
    {"returning only each other",
     BASE "kind = denier\nshare = 20%\nfrom = publish\n",
     {"adversaries_denied", "adversaries_swallowed"},
     {200, 50}},
    {"lying about closer nodes",
     BASE "kind = liar\nshare = 20%\nfrom = publish\n",
     {"adversaries_denied", "timeouts"},
     {200, 5000}},
    {"stale items",
     BASE "kind = stale\nshare = 20%\nfrom = publish\n",
     {"adversaries_handed", "adversaries_swallowed"},
     {200, 50}},
    {"forged items",
     BASE "kind = forger\nshare = 20%\nfrom = publish\n",
     {"adversaries_handed", "found_invalid"},
     {200, 50}},
    {"ids that change",
     BASE "kind = changeling\nshare = 20%\nfrom = publish\n",
     {"drop_wrong_id"},
     {100}},
    {"24 Sybils around a name", AROUND "count = 24\n", {"adversaries_denied"}, {500}},
    {"64 Sybils around a name", AROUND "count = 64\n", {"adversaries_denied"}, {1000}},
    {"Sybils of one /16",
     AROUND "count = 64\naddresses = slash16\n",
     {"adversaries_denied"},
     {100}},
    {"Sybils of one /32",
     AROUND "count = 64\naddresses = slash32\n",
     {"adversaries_denied"},
     {500}},
    {"Sybils at few addresses",
     AROUND "count = 64\naddresses = few\n",
     {"adversaries_asked", "candidates_refused"},
     {10, 1000}},
    {"a flood of puts",
     BASE "kind = flooder\nshare = 10%\nsends = puts\n",
     {"flooded_proven", "reject_signature", "reject_token"},
     {1000, 500, 1000}},
    {"a flood of gets", BASE "kind = flooder\nshare = 10%\nsends = gets\n", {"flooded"}, {10000}},
    {"a flood of junk",
     BASE "kind = flooder\nshare = 10%\nsends = junk\n",
     {"drop_malformed"},
     {10000}},
    {"many ids at 4 addresses",
     MANY "addresses = few\n",
     {"candidates_refused", "adversaries_asked"},
     {20000, 1000}},
};

static void test_attacks(struct twice *twice)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct attack_row *row = &rows[i];
        struct simnet_figures figures;
        struct simnet_run *run = text_run_whole(row->name, row->text);
        text_run_check(run, row->name, row->counter, row->least, 3);
        simnet_figures_init(&figures, simnet_run_application(run), SIMNET_RUN_MEASURED);
        if (figures.stale > 0)
            fail_msg("row %s: %d lookups believed something old", row->name, (int)figures.stale);
        simnet_figures_fini(&figures);
        twice_note(twice, "hash", simnet_world_hash(simnet_run_world(run)));
        simnet_run_free(run);
    }
}

// One contact an address: at few addresses the same crowd is asked a fraction of what it is asked
// with an address each.
static void test_few(struct twice *twice)
{
    static const char text[] = BASE "kind = denier\nfrom = publish\ncount = 240\n";
    char few[sizeof text + 64];
    snprintf(few, sizeof few, "%saddresses = few\n", text);
    struct simnet_run *spread_run = text_run_whole("spread", text);
    struct simnet_run *few_run = text_run_whole("few", few);
    uint64_t spread_denied = text_run_counter(spread_run, "adversaries_denied");
    uint64_t few_denied = text_run_counter(few_run, "adversaries_denied");
    if (few_denied * 4 > spread_denied)
        fail_msg("%d gets denied at few addresses, %d at many", (int)few_denied,
                 (int)spread_denied);
    twice_note(twice, "denied, spread", spread_denied);
    twice_note(twice, "denied, few", few_denied);
    simnet_run_free(spread_run);
    simnet_run_free(few_run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(test_attacks),
        twice_scenario(test_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
