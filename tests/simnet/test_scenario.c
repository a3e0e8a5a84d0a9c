// SPDX-License-Identifier: MIT
#include "simnet/figures.h"
#include "simnet/scenario.h"
#include "simnet/scenario_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool read_text(const char *text, const char *setting, struct simnet_scenario *scenario,
                      char error[SIMNET_SCENARIO_ERROR_MAX])
{
    struct simnet_scenario_settings settings = {setting != NULL, {{setting, NULL}}};
    FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(stream);
    bool good = simnet_scenario_read(stream, "some/way.ini", &settings, scenario, error);
    fclose(stream);
    return good;
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < simnet_scenario_key_count; i++) {
        const struct simnet_scenario_key *key = &simnet_scenario_keys[i];
        if (simnet_scenario_section_find(key->section) == NULL)
            fail_msg("row %s: no section [%s]", key->name, key->section);
        if (simnet_scenario_key_find(key->section, key->name) != key)
            fail_msg("row %s.%s: twice", key->section, key->name);
        if (key->what[strlen(key->what) - 1] != '.')
            fail_msg("row %s.%s: what has no end", key->section, key->name);
        // A default reads, and writes as it stands in the table.
        union {
            struct simnet_scenario whole;
            struct simnet_scenario_event event;
        } base;
        char text[SIMNET_SCENARIO_TEXT_MAX];
        memset(&base, 0, sizeof base);
        if (!simnet_scenario_value_read(key, &base, key->standard))
            fail_msg("row %s.%s: the default does not fit", key->section, key->name);
        simnet_scenario_value_write(key, &base, text);
        if (strcmp(text, key->standard) != 0)
            fail_msg("row %s.%s: the default is %s, not %s", key->section, key->name, text,
                     key->standard);
    }
}

static const struct value_row {
    const char *section;
    const char *key;
    const char *text;
    const char *written; // NULL: does not fit
} value_rows[] = {
    {"network", "join", "90s", "90s"},
    {"network", "join", "120s", "2min"},
    {"network", "join", "1500ms", "1500ms"},
    {"network", "join", "24h", "24h"},
    {"network", "join", "24 h", "24h"},
    {"network", "join", "25h", NULL},
    {"network", "join", "0", "0s"},
    {"network", "join", "5", NULL}, // of what?
    {"network", "join", "5m", NULL},
    {"network", "join", "-5s", NULL},
    {"network", "join", "", NULL},
    {"network", "join", "99999999999999999999s", NULL},
    {"network", "nodes", "2", "2"},
    {"network", "nodes", "1", NULL},
    {"network", "nodes", "1e3", NULL},
    {"network", "nodes", "12s", NULL},
    {"network", "seed", "999999999999999999", "999999999999999999"},
    {"network", "seed", "1000000000000000000", "1000000000000000000"},
    {"network", "seed", "1000000000000000001", NULL},
    {"network", "seed", "9999999999999999999", NULL},
    {"loss", "rate", "30%", "30%"},
    {"loss", "rate", "0.1%", "0.1%"},
    {"loss", "rate", "100%", "100%"},
    {"loss", "rate", "100.1%", NULL},
    {"loss", "rate", "0", "0%"},
    {"loss", "rate", "0.3", NULL},
    {"loss", "rate", "-3%", NULL},
    {"loss", "rate", "%", NULL},
    {"loss", "rate", "3%%", NULL},
    {"loss", "rate", "nan%", NULL},
    {"latency", "sigma", "0.45", "0.45"},
    {"latency", "sigma", "3.1", NULL},
    {"latency", "sigma", "1.2.3", NULL},
    {"latency", "model", "constant", "constant"},
    {"latency", "model", "Constant", NULL},
    {"rate", "queue", "64K", "64K"},
    {"rate", "queue", "65536", "64K"},
    {"rate", "queue", "2000", "2000"},
    {"rate", "queue", "1T", NULL},
    {"rate", "up", "64K", NULL},
    {"check", "checkers", "all", "all"},
    {"check", "checkers", "none", "none"},
    {"check", "checkers", "bounds answers", "answers, bounds"},
    {"check", "checkers", "bounds,answer", NULL},
    {"check", "checkers", "", NULL},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_rows / sizeof *value_rows; i++) {
        const struct value_row *row = &value_rows[i];
        const struct simnet_scenario_key *key = simnet_scenario_key_find(row->section, row->key);
        struct simnet_scenario scenario;
        char text[SIMNET_SCENARIO_TEXT_MAX];
        simnet_scenario_init(&scenario);
        bool good = simnet_scenario_value_read(key, &scenario, row->text);
        simnet_scenario_value_write(key, &scenario, text);
        if (good != (row->written != NULL) ||
            strcmp(text, good ? row->written : key->standard) != 0)
            fail_msg("row %s = %s: %s, %s", row->key, row->text, good ? "read" : "refused", text);
    }
}

#define EIGHTY "00000000000000000000000000000000000000000000000000000000000000000000000000000000"

static const struct error_row {
    const char *name;
    const char *text;
    const char *setting;
    const char *error; // how it begins; NULL: none
} error_rows[] = {
    {"nothing", "", NULL, NULL},
    {"comments", "# one\n; two\n\n[loss] ; three\n rate = 3% ; four\n", NULL, NULL},
    {"comments of the other kind", "[loss] # three\n rate = 3% # four ; five\n\t# six\n", NULL,
     NULL},
    {"no comment without a space", "[loss]\nrate = 3%#\n", NULL,
     "some/way.ini:2: rate: \"3%#\" does not fit"},
    {"a comment in place of a value", "[loss]\nrate = # 3%\n", NULL,
     "some/way.ini:2: rate: \"\" does not fit"},
    {"something behind a section", "[loss] rate = 3%\n", NULL,
     "some/way.ini:1: neither a section nor a key"},
    {"control characters", "[loss]\nra\rte\x1b = 3%\n", NULL,
     "some/way.ini:2: unknown key ra?te? in [loss]"},
    {"lines of another system", "[loss]\r\nrate = 3%\r\n", NULL, NULL},
    {"too large a number", "[network]\nnodes = 99999999999999999999\n", NULL,
     "some/way.ini:2: nodes: \"99999999999999999999\" does not fit: expected a number from 2 to "},
    {"too large a time", "[resolve]\nat = 9223372036854775807h\n", NULL,
     "some/way.ini:2: at: \"9223372036854775807h\" does not fit"},
    {"a byte order mark", "\xEF\xBB\xBF[loss]\nrate = 3%\n", NULL, NULL},
    {"and blanks behind it", "\xEF\xBB\xBF  [loss]\nrate = 3%\n", NULL, NULL},
    {"a byte order mark later", "[loss]\n\xEF\xBB\xBF[jitter]\n", NULL,
     "some/way.ini:2: neither a section nor a key"},
    {"a partition as by default", "[partition p]\n", NULL, NULL},
    {"no end of line", "[loss]\nrate = 3%", NULL, NULL},
    {"empty section", "[loss]\n", NULL, NULL},
    {"a setting", "", "loss.rate=30%", NULL},
    {"a setting over the file", "[loss]\nrate = 3%\n", "loss.rate=30%", NULL},
    {"a setting of a new section", "", "event e.kind=move", NULL},
    {"a mistyped event", "[event storm]\nkind = lose\n[event calm]\nkind = return\n",
     "event strom.share=5%",
     "--set event strom.share=5%: there is no [event strom], only [event storm], [event calm]: a "
     "new one needs kind"},
    {"a mistyped adversary", "[adversary liars]\nkind = liar\nshare = 5%\n[event e]\n",
     "adversary liar.share=50%",
     "--set adversary liar.share=50%: there is no [adversary liar], only [adversary liars]: a new "
     "one needs kind"},
    {"an event where there is none", "", "event e.at=5s",
     "--set event e.at=5s: there is no [event e]: a new one needs kind"},
    {"a partition without a time", "", "partition p.for=1min",
     "--set partition p.for=1min: there is no [partition p]: a new one needs at and for"},
    {"a mistyped partition", "[partition halves]\nat = 0s\n", "partition halfs.at=90s",
     "--set partition halfs.at=90s: there is no [partition halfs], only [partition halves]: a new "
     "one needs at and for"},
    {"two events", "[event a]\nat = 1s\n[event b]\nat = 1s\n", NULL, NULL},
    {"unknown section", "\n[lost]\n", NULL,
     "some/way.ini:2: unknown section [lost]: expected one of [network], "},
    {"unknown key", "[loss]\nrat = 3%\n", NULL,
     "some/way.ini:2: unknown key rat in [loss]: expected one of rate, from"},
    {"bad value", "[loss]\n\nrate = 3\n", NULL,
     "some/way.ini:3: rate: \"3\" does not fit: expected a percentage such as 12.5%, from 0% to "
     "100%"},
    {"key twice", "[loss]\nrate = 3%\nrate = 3%\n", NULL,
     "some/way.ini:3: rate is given twice, in line 2 and here"},
    {"section twice", "[loss]\nrate = 3%\n[burst]\n[loss]\nfrom = join\n", NULL,
     "some/way.ini:4: [loss] stands here twice, first in line 1"},
    {"event twice", "[event a]\n[event a]\n", NULL, "some/way.ini:2: [event a] stands here twice"},
    {"key before section", "rate = 3%\n", NULL, "some/way.ini:1: a key before the first section"},
    {"neither", "[loss]\nrate 3%\n", NULL, "some/way.ini:2: neither a section nor a key"},
    {"a name too many", "[loss now]\n", NULL, "some/way.ini:1: [loss now] takes no name"},
    {"no name", "[event]\n", NULL, "some/way.ini:1: [event] has no good name"},
    {"the first counts", "[loss]\nrate = x\nfrom = x\n", NULL, "some/way.ini:2: rate"},
    {"setting without a dot", "", "loss=3", "--set loss=3: no setting: expected SECTION.KEY=VALUE"},
    {"setting of nothing", "", "loss.rat=3%", "--set loss.rat=3%: unknown key rat in [loss]"},
    {"setting of a bad value", "", "loss.rate=3", "--set loss.rate=3: rate: \"3\" does not fit"},
    {"blanks in a setting", "", " loss . rate = 30% ", NULL},
    {"blanks in a setting of an event", "[event e]\n", "event  e .kind= move", NULL},
    {"blanks alone", "", "loss.rate=  ", "--set loss.rate=  : rate: \"\" does not fit"},
    {"a value too long", "", "loss.rate=" EIGHTY EIGHTY,
     "--set loss.rate=" EIGHTY EIGHTY ": too long: expected a section"},
    {"a key too long", "", "loss." EIGHTY "=3%", "--set loss." EIGHTY "=3%: too long"},
    {"a section too long", "", "loss " EIGHTY EIGHTY ".rate=3%",
     "--set loss " EIGHTY EIGHTY ".rate=3%: too long"},
    {"lookups after the end", "[phases]\nfaults = 30s\n[resolve]\nfor = 40s\n", NULL,
     "some/way.ini:4: the lookups would go on after the faults"},
    {"the same by a setting", "[resolve]\ncount = 5\n", "resolve.for=10min",
     "--set resolve.for=10min: the lookups would go on after the faults"},
    {"the same by default", "[phases]\nfaults = 30s\n", NULL,
     "some/way.ini: the lookups would go on after the faults"},
    {"no time to publish", "[publish]\nover = 2min\n", NULL,
     "some/way.ini:2: no time to publish: expected phases.warm-up"},
    {"partition too long", "[partition p]\nat = 1min\nfor = 2min\n", NULL,
     "some/way.ini:3: the partition would go on after the faults"},
    {"partitions at once", "[partition p]\nfor = 1min\n[partition q]\nat = 30s\nfor = 1min\n", NULL,
     "some/way.ini:4: partition q overlaps p: expected one at a time"},
    {"event too late", "[event e]\nat = 3min\n", NULL,
     "some/way.ini:2: after the end of the faults"},
    {"NAT everywhere", "[nat]\nsymmetric = 50%\nfull-cone = 50%\n", NULL,
     "some/way.ini:2: hardly anybody can be reached"},
    {"NAT of IPv6", "[network]\nfamilies = both\n[nat]\nsymmetric = 50%\n", NULL,
     "some/way.ini:2: a NAT is for IPv4 alone"},
    {"share and count", "[adversary a]\nshare = 5%\ncount = 5\n", NULL,
     "some/way.ini:3: share and count of an adversary"},
    {"too many adversaries", "[adversary a]\nshare = 50%\n[adversary b]\nshare = 41%\n", NULL,
     "some/way.ini:4: all adversaries together"},
    {"around nothing", "[adversary a]\ncount = 5\nfrom = publish\nplacement = around-name\n", NULL,
     "some/way.ini:4: nobody can be around a name that is not published yet"},
    {"turned around a name", "[adversary a]\nshare = 5%\nplacement = around-name\n", NULL,
     "some/way.ini:3: nodes that turn stay where they are"},
    {"early and late", "[adversary a]\nshare = 5%\nfrom = publish\nat = 1s\n", NULL,
     "some/way.ini:4: at counts from t0"},
    {"lookups of nothing", "[publish]\nnames = 0\n", NULL,
     "some/way.ini: lookups of nothing: expected publish.names of at least 1"},
    {"withdrawn by a change that never comes", "[publish]\nwithdraw = 5%\n", NULL,
     "some/way.ini:2: nothing changes: withdraw needs a publish.change above 0s"},
    {"rude about nothing", "[publish]\nnames = 5\nrude = 5%\n", NULL,
     "some/way.ini:3: nothing changes: rude needs a publish.change above 0s"},
    {"a section that does not end", "[network\nnodes = 5\n", NULL,
     "some/way.ini:1: neither a section nor a key"},
    {"neither, and a mistake behind it", "[loss]\nrate 3%\nrat = 3%\n", NULL,
     "some/way.ini:2: neither a section nor a key"},
    {"a key behind a comment", "[loss]\nrate ; = 3%\n", NULL,
     "some/way.ini:2: neither a section nor a key"},
    {"packets of less than a header", "[mtu]\nbytes = 575\n", NULL,
     "some/way.ini:2: packets too short for IPv4: expected 0, or at least 576"},
    {"packets short enough", "[mtu]\nbytes = 576\n", NULL, NULL},
    {"IPv6 attackers of IPv4", "[adversary a]\ncount = 24\naddresses = any6\n", NULL,
     "some/way.ini:3: nobody of the network could reach them"},
    {"attackers of a /32", "[adversary a]\ncount = 24\n", "adversary a.addresses=slash32",
     "--set adversary a.addresses=slash32: nobody of the network could reach them"},
    {"IPv4 attackers of IPv6", "[network]\nfamilies = ipv6\n[adversary a]\ncount = 24\n", NULL,
     "some/way.ini:3: nobody of the network could reach them"},
    {"attackers of both", "[network]\nfamilies = both\n[adversary a]\ncount = 24\n", NULL, NULL},
    {"an adversary of nobody", "[adversary a]\nkind = liar\n", NULL,
     "some/way.ini:1: an adversary of nobody"},
    {"rate of a liar", "[adversary a]\nkind = liar\nshare = 5%\nrate = 7\n", NULL,
     "some/way.ini:4: adversary.rate would change nothing here: it is of flooders alone"},
    {"rate of flooders", "[adversary a]\nkind = flooder\nshare = 5%\nrate = 7\n", NULL, NULL},
    {"addresses of turned ones", "[adversary a]\nshare = 5%\naddresses = slash16\n", NULL,
     "some/way.ini:3: adversary.addresses would change nothing here"},
    {"addresses of flooders", "[adversary a]\nkind = flooder\ncount = 5\naddresses = slash16\n",
     NULL, "some/way.ini:4: adversary.addresses would change nothing here"},
    {"few addresses", "[adversary a]\ncount = 500\naddresses = few\nfew = 2\n", NULL, NULL},
    {"few of any", "[adversary a]\ncount = 5\nfew = 2\n", NULL,
     "some/way.ini:3: adversary.few would change nothing here: it is of addresses = few alone"},
    {"few ports", "[adversary a]\ncount = 20001\naddresses = few\nfew = 2\n", NULL,
     "some/way.ini:2: more machines than ports: expected at most 10000 to an address"},
    {"few of IPv6", "[network]\nfamilies = ipv6\n[adversary a]\ncount = 5\naddresses = few\n", NULL,
     "some/way.ini:5: nobody of the network could reach them"},
    {"few that turn", "[adversary a]\nshare = 5%\naddresses = few\n", NULL,
     "some/way.ini:3: adversary.addresses would change nothing here"},
    {"what a liar sends", "[adversary a]\nkind = liar\nshare = 5%\nsends = junk\n", NULL,
     "some/way.ini:4: adversary.sends would change nothing here: it is of flooders alone"},
    {"a flood of nothing", "[adversary a]\nkind = flooder\nshare = 5%\nsends = none\n", NULL,
     "some/way.ini:4: a flood of nothing: expected puts, gets or junk"},
    {"median of the internet", "[latency]\nmodel = internet\nmedian = 200ms\n", NULL,
     "some/way.ini:3: latency.median would change nothing here"},
    {"median of wired lines", "[latency]\nmodel = wired\nmedian = 200ms\n", NULL,
     "some/way.ini:3: latency.median would change nothing here"},
    {"the same by a setting", "[latency]\nmodel = internet\n", "latency.median=200ms",
     "--set latency.median=200ms: latency.median would change nothing here"},
    {"min of the internet", "[latency]\nmodel = internet\nmin = 2s\n", NULL,
     "some/way.ini:3: latency.min would change nothing here"},
    {"sigma of constant", "[latency]\nmodel = constant\nsigma = 0.5\n", NULL,
     "some/way.ini:3: latency.sigma would change nothing here"},
    {"median of constant", "[latency]\nmodel = constant\nmedian = 200ms\n", NULL, NULL},
    {"loss for a while", "[event e]\nkind = loss\nfor = 10s\n", NULL,
     "some/way.ini:3: event.for would change nothing here"},
    {"return for a while", "[event e]\nkind = return\nfor = 10s\n", NULL,
     "some/way.ini:3: event.for would change nothing here"},
    {"move for a while", "[event e]\nkind = move\nfor = 10s\n", NULL,
     "some/way.ini:3: event.for would change nothing here"},
    {"sleep for a while", "[event e]\nkind = sleep\nfor = 10s\n", NULL, NULL},
    {"sleep for good", "[event e]\nkind = sleep\n", NULL, NULL},
    {"a jump back", "[event e]\nkind = clock-jump\nby = -90s\n", NULL, NULL},
    {"a jump of nothing", "[event e]\nkind = clock-jump\n", NULL,
     "some/way.ini:1: a jump to where the clock is: expected by"},
    {"a jump too far", "[event e]\nkind = clock-jump\nby = -9000h\n", NULL,
     "some/way.ini:3: by: \"-9000h\" does not fit: expected a duration in us, ms, s, min or h, "
     "from "
     "-8760h to 8760h"},
    {"a time below 0", "[event e]\nat = -1s\n", NULL, "some/way.ini:2: at: \"-1s\" does not fit"},
    {"two signs", "[event e]\nby = --1s\n", NULL, "some/way.ini:2: by: \"--1s\" does not fit"},
    {"sleep by", "[event e]\nkind = sleep\nby = 1s\n", NULL,
     "some/way.ini:3: event.by would change nothing here: it is of clock-jump alone"},
    {"writes of a full disk", "[event e]\nkind = disk-fills\nwrites = 5%\n", NULL,
     "some/way.ini:3: event.writes would change nothing here: it is of disk-fails alone"},
    {"a disk that sticks", "[event e]\nkind = disk-sticks\n", NULL,
     "some/way.ini:1: a disk that sticks for no time: expected for"},
    {"a NAT of nobody", "[event e]\nat = 1s\nkind = nat-reboot\n", NULL,
     "some/way.ini:3: nobody is behind a NAT"},
    {"a NAT for a while", "[nat]\nsymmetric = 5%\n[event e]\nkind = nat-reboot\nfor = 1s\n", NULL,
     "some/way.ini:5: event.for would change nothing here"},
    {"killed by others than churn", "[churn]\nsession = 1h\n[event e]\nkind = kill\n", NULL,
     "some/way.ini:4: churn has to know who is gone: expected lose or stop"},
    {"batteries without a crash", "[machines]\nclock-forgets = 5%\n", NULL,
     "some/way.ini:2: machines.clock-forgets would change nothing here"},
    {"batteries and churn", "[churn]\nsession = 1h\n[machines]\nclock-forgets = 5%\n", NULL, NULL},
    {"batteries and a crash", "[machines]\nclock-forgets = 5%\n[event e]\n", NULL, NULL},
    {"closest of what never heals", "[check]\ncheckers = closest\n", NULL,
     "some/way.ini:2: closest in checkers would check nothing: expected phases.healing above 0s"},
    {"all of what never heals", "", "check.checkers=all",
     "--set check.checkers=all: closest in checkers would check nothing"},
    {"closest of what heals", "[phases]\nhealing = 1min\n[check]\ncheckers = closest\n", NULL,
     NULL},
    {"closest of no names",
     "[phases]\nhealing = 1min\n[check]\ncheckers = closest\n"
     "[publish]\nnames = 0\n[resolve]\ncount = 0\n",
     NULL, "some/way.ini:4: closest in checkers would check nothing: expected publish.names"},
    {"healed, and never is", "[check]\nhealed = 50%\n", NULL,
     "some/way.ini:2: healed would check nothing: expected phases.healing above 0s"},
    {"healed of no names",
     "[phases]\nhealing = 1min\n[check]\nhealed = 50%\n"
     "[publish]\nnames = 0\n[resolve]\ncount = 0\n",
     NULL, "some/way.ini:4: healed would check nothing: expected publish.names"},
    {"healed, if it were", "[phases]\nhealing = 1min\n[check]\nhealed = 50%\n", NULL, NULL},
    {"latency", "[latency]\nmin = 2s\n", NULL,
     "some/way.ini:2: latency.min is longer than latency.median"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof error_rows / sizeof *error_rows; i++) {
        const struct error_row *row = &error_rows[i];
        struct simnet_scenario scenario;
        char error[SIMNET_SCENARIO_ERROR_MAX] = "";
        bool good = read_text(row->text, row->setting, &scenario, error);
        if (good != (row->error == NULL) ||
            (!good && strncmp(error, row->error, strlen(row->error)) != 0))
            fail_msg("row %s: %s", row->name, good ? "read" : error);
        if (strchr(error, '\n') != NULL)
            fail_msg("row %s: more than a line", row->name);
    }
}

// What is written reads back as the same scenario.
static void test_write(void **state)
{
    (void)state;
    static const char text[] = "[network]\nnodes = 77\n[loss]\nrate = 12.5%\n"
                               "[event later]\nkind = move\nat = 90s\n[event now]\nshare = 1%\n"
                               "[event clock]\nkind = clock-jump\nby = -90s\n"
                               "[event disk]\nkind = disk-fails\nwrites = 5%\n"
                               "[partition half]\nfor = 1min\n[adversary bad]\ncount = 3\n";
    for (int all = 0; all < 2; all++) {
        struct simnet_scenario first, second;
        char error[SIMNET_SCENARIO_ERROR_MAX] = "";
        char *written = NULL;
        size_t len = 0;
        assert_true(read_text(text, NULL, &first, error));
        FILE *out = open_memstream(&written, &len);
        simnet_scenario_write(&first, all != 0, out);
        fclose(out);
        if (!read_text(written, NULL, &second, error))
            fail_msg("written with all = %d: %s", all, error);
        assert_memory_equal(&first, &second, sizeof first);
        free(written);
    }
}

// Long lines, and a file that is not there.
static void test_files(void **state)
{
    (void)state;
    struct simnet_scenario scenario;
    char error[SIMNET_SCENARIO_ERROR_MAX] = "";
    char text[1024];
    snprintf(text, sizeof text, "[loss]\n#%0500d\nrate = 3%%\n", 0);
    assert_false(read_text(text, NULL, &scenario, error));
    assert_non_null(strstr(error, "some/way.ini:2: the line is too long"));
    static const char nul[] = "[loss]\nrate = 3%\0\n";
    FILE *stream = fmemopen((void *)(uintptr_t)nul, sizeof nul - 1, "r");
    assert_false(simnet_scenario_read(stream, "some/way.ini", NULL, &scenario, error));
    assert_string_equal(error, "some/way.ini:2: a NUL byte: expected text");
    fclose(stream);
    assert_false(simnet_scenario_load("/", NULL, &scenario, error));
    assert_string_equal(error, "/: cannot be read: Is a directory");
    assert_false(simnet_scenario_load("/nowhere/a.ini", NULL, &scenario, error));
    assert_string_equal(error, "/nowhere/a.ini: cannot be opened: No such file or directory");
}

// An option that stands for a key is told as it was typed.
static void test_option(void **state)
{
    (void)state;
    struct simnet_scenario scenario;
    char error[SIMNET_SCENARIO_ERROR_MAX] = "";
    char nothing[] = "\n";
    struct simnet_scenario_settings settings = {
        2, {{"network.seed=5", "--seed"}, {"network.nodes=some", "--nodes"}}};
    FILE *stream = fmemopen(nothing, 1, "r");
    assert_false(simnet_scenario_read(stream, "some/way.ini", &settings, &scenario, error));
    fclose(stream);
    assert_string_equal(error, "--nodes some: nodes: \"some\" does not fit: expected a number from "
                               "2 to 16777216");
}

// Several settings make a section, in any order; what the file has, they change.
static void test_sections(void **state)
{
    (void)state;
    struct simnet_scenario scenario;
    char error[SIMNET_SCENARIO_ERROR_MAX] = "";
    char text[] = "[partition first]\nat = 5s\nfor = 1s\n";
    struct simnet_scenario_settings settings = {.list = {{"event e.at=5s", NULL},
                                                         {"partition p.for=10s", NULL},
                                                         {"event e.kind=move", NULL},
                                                         {"partition first.share=5%", NULL},
                                                         {"partition p.at=20s", NULL}}};
    for (settings.count = 5; settings.count >= 4; settings.count--) {
        FILE *stream = fmemopen(text, strlen(text), "r");
        bool good = simnet_scenario_read(stream, "some/way.ini", &settings, &scenario, error);
        fclose(stream);
        if (good != (settings.count == 5))
            fail_msg("%zu settings: %s", settings.count, good ? "read" : error);
    }
    assert_int_equal(2, scenario.partition_count);
    assert_int_equal(1, scenario.event_count);
    assert_string_equal(error, "--set partition p.for=10s: there is no [partition p], only "
                               "[partition first]: a new one needs at and for");
}

// As many as there can be of the longest names: the line has its end all the same.
static void test_many_sections(void **state)
{
    (void)state;
    struct simnet_scenario scenario;
    char error[SIMNET_SCENARIO_ERROR_MAX] = "";
    char text[32 * 80] = "";
    for (size_t i = 0, used = 0; i < SIMNET_SCENARIO_REPEATS_MAX - 1; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "[event %047zu]\n", i);
    assert_false(read_text(text, "event e.at=5s", &scenario, error));
    const char *end =
        "[event 00000000000000000000000000000000000000000000005], ...: a new one needs kind";
    assert_non_null(strstr(error, end));
}

static const struct reach_row {
    uint64_t found, counted;
    const char *share;
    bool reached;
} reach_rows[] = {
    {999, 1000, "99.9%", true},          {998, 1000, "99.9%", false},
    {9990, 10000, "99.9%", true},        {9989, 10000, "99.9%", false},
    {9989999, 10000000, "99.9%", false}, {7, 7, "100%", true},
    {9999999, 10000000, "100%", false},  {0, 0, "99.9%", false},
    {995, 1000, "99.5%", true},          {0, 5, "0.1%", false},
};

// What is wanted in percent, against what was counted.
static void test_reach(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reach_rows / sizeof *reach_rows; i++) {
        const struct reach_row *row = &reach_rows[i];
        struct simnet_scenario scenario;
        simnet_scenario_init(&scenario);
        assert_true(simnet_scenario_value_read(simnet_scenario_key_find("check", "success"),
                                               &scenario, row->share));
        if (simnet_figures_reach(row->found, row->counted, scenario.check.success) != row->reached)
            fail_msg("row %d of %d, %s", (int)row->found, (int)row->counted, row->share);
    }
}

// The healed network of partition.ini is asked 15 minutes after its halves are joined.
static void test_partition(void **state)
{
    (void)state;
    struct simnet_scenario scenario;
    char error[SIMNET_SCENARIO_ERROR_MAX] = "";
    if (!simnet_scenario_load(PNR_SOURCE_DIR "/simnet/scenarios/partition.ini", NULL, &scenario,
                              error))
        fail_msg("%s", error);
    assert_int_equal(1, scenario.partition_count);
    int64_t joined_us = scenario.partitions[0].at_us + scenario.partitions[0].for_us;
    int64_t asked_us = scenario.phases.faults_us + scenario.phases.healing_us * 4 / 5;
    assert_int_equal(INT64_C(15) * 60 * 1000000, asked_us - joined_us);
}

#define DOCS_BEGIN "<!-- scenario reference -->\n"
#define DOCS_END   "<!-- end of the scenario reference -->\n"

// docs/simulation.md has the reference that the tables make. To print it anew:
// test_simnet_scenario --docs
static void test_docs(void **state)
{
    (void)state;
    char *wanted = NULL;
    char *page = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&wanted, &len);
    simnet_scenario_print_docs(stream);
    fclose(stream);
    stream = fopen(PNR_SOURCE_DIR "/docs/simulation.md", "r");
    assert_non_null(stream);
    size_t capacity = 0;
    assert_true(getdelim(&page, &capacity, '\0', stream) > 0);
    fclose(stream);
    char *begin = strstr(page, DOCS_BEGIN);
    assert_non_null(begin);
    char *end = strstr(begin, DOCS_END);
    assert_non_null(end);
    *end = '\0';
    assert_string_equal(begin + strlen(DOCS_BEGIN), wanted);
    free(wanted);
    free(page);
}

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], "--docs") == 0) {
        simnet_scenario_print_docs(stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),    cmocka_unit_test(test_values),
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_option),
        cmocka_unit_test(test_sections), cmocka_unit_test(test_many_sections),
        cmocka_unit_test(test_write),    cmocka_unit_test(test_files),
        cmocka_unit_test(test_docs),     cmocka_unit_test(test_partition),
        cmocka_unit_test(test_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
