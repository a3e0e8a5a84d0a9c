// SPDX-License-Identifier: MIT
// What a setup reads out of a catalog, and which steps it takes: nsp/setup/text.h, catalog.h,
// plan.h.
#include "tests/nsp/setup_entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_text(const char *row, const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", row, got, wanted);
    }
}

static void texts_as_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const WCHAR *text;
        size_t room;
        const char *wanted;
    } rows[] = {
        {"ascii", u"C:\\pnr", 100, "C:\\pnr"},
        {"two bytes", u"\u00e9", 100, "\xc3\xa9"},
        {"three bytes", u"\u20ac", 100, "\xe2\x82\xac"},
        {"a pair", u"\U0001F600", 100, "\xf0\x9f\x98\x80"},
        {"the last character", u"\U0010FFFF", 100, "\xf4\x8f\xbf\xbf"},
        {"a high one alone", u"\xD83Dx", 100, "\xef\xbf\xbdx"},
        {"a high one at the end", u"\xD83D", 100, "\xef\xbf\xbd"},
        {"a low one alone", u"\xDE00", 100, "\xef\xbf\xbd"},
        {"exact room", u"abc", 4, "abc"},
        {"cut", u"abcd", 4, "abc"},
        {"cut before a character", u"ab\u20ac", 5, "ab"},
        {"empty", u"", 1, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[100];
        check_text(rows[i].name, setup_text_utf8(rows[i].text, buf, rows[i].room), rows[i].wanted);
    }
}

static void file_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const WCHAR *path;
        const char *wanted;
    } rows[] = {
        {"absolute", u"C:\\a\\b.dll", "b.dll"},
        {"variables", u"%SystemRoot%\\x.dll", "x.dll"},
        {"slashes", u"C:/a/b.dll", "b.dll"},
        {"only a name", u"b.dll", "b.dll"},
        {"a drive's own folder", u"C:b.dll", "b.dll"},
        {"a folder", u"C:\\a\\", ""},
        {"nothing", u"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[100];
        const WCHAR *name = setup_text_file_name(rows[i].path);
        check_text(rows[i].name, setup_text_utf8(name, buf, sizeof buf), rows[i].wanted);
    }
}

static void owners(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        char letter;
        const char *wanted;
    } rows[] = {
        {"DNS", 'd', "other"},
        {"Microsoft's names", 'N', "microsoft"},
        {"Microsoft's in capitals", 'C', "microsoft"},
        {"Microsoft's disabled", 'D', "microsoft"},
        {"somebody else's", 'O', "other"},
        {"ours", 'n', "pnr"},
        {"ours by its library", 'm', "pnr"},
        {"ours by its display string", 'e', "pnr"},
        {"ours disabled", 'x', "pnr"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct setup_entry entry = setup_entries_make(rows[i].letter);
        check_text(rows[i].name, setup_catalog_owner_name(setup_catalog_owner(&entry)),
                   rows[i].wanted);
    }
}

// Each field of an entry tells two of them apart.
static void entries_differ(void **state)
{
    (void)state;
    static const char *const rows[] = {"id",   "namespace",         "version", "enabled",
                                       "cut",  "display",           "path",    "case of the path",
                                       "blob", "length of the blob"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct setup_entry a = setup_entries_make('D');
        struct setup_entry b = a;
        assert_true(setup_catalog_same(&a, &b));
        b.id.Data1 += i == 0;
        b.name_space += i == 1;
        b.version += i == 2;
        b.enabled ^= i == 3;
        b.cut = i == 4;
        b.display[0] = (WCHAR)(b.display[0] + (i == 5));
        b.path[3] = (WCHAR)(b.path[3] + (i == 6));
        b.path[1] = (WCHAR)(i == 7 ? b.path[1] ^ 0x20 : b.path[1]);
        b.blob[4] = (uint8_t)(b.blob[4] + (i == 8));
        b.blob_len -= i == 9;
        if (setup_catalog_same(&a, &b)) {
            fail_msg("%s: not seen", rows[i]);
        }
    }
}

static void paths_that_are_too_long(void **state)
{
    (void)state;
    WCHAR path[SETUP_PATH_MAX + 1];
    struct setup_entry entry;
    for (size_t len = SETUP_PATH_MAX - 1; len <= SETUP_PATH_MAX; len++) {
        for (size_t i = 0; i < len; i++) {
            path[i] = 'p';
        }
        path[len] = 0;
        assert_int_equal(setup_catalog_own(0, path, &entry), len < SETUP_PATH_MAX);
    }
}

// ---- orders: each id is a letter in its first byte ----

static void make_order(const char *letters, struct setup_order *ret_order)
{
    memset(ret_order, 0, sizeof *ret_order);
    for (; *letters != '\0'; letters++) {
        GUID id = {.Data1 = (uint8_t)*letters};
        setup_order_append(ret_order, &id);
    }
}

static void orders(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *order;
        const char *id;
        const char *before;
        const char *wanted;
    } rows[] = {
        {"where it was", "abd", "c", "ab", "abcd"},
        {"it was the first", "abd", "c", "", "cabd"},
        {"its neighbour has gone", "ad", "c", "ab", "acd"},
        {"all before it have gone", "d", "c", "ab", "cd"},
        {"its neighbour has moved", "bda", "c", "ab", "bcda"},
        {"something new stands behind", "abxd", "c", "ab", "abcxd"},
        {"it is there already", "cabd", "c", "ab", "abcd"},
        {"there is nothing", "", "c", "ab", "c"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct setup_order order, before, id, wanted;
        make_order(rows[i].order, &order);
        make_order(rows[i].before, &before);
        make_order(rows[i].id, &id);
        make_order(rows[i].wanted, &wanted);
        setup_order_place(&order, &id.ids[0], &before);
        if (!setup_order_same(&order, &wanted)) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void an_order_is_bounded(void **state)
{
    (void)state;
    struct setup_order order = {.count = 0}, none = {.count = 0};
    GUID id = {.Data1 = 0};
    for (; id.Data1 < SETUP_ENTRIES_MAX; id.Data1++) {
        setup_order_append(&order, &id);
    }
    setup_order_append(&order, &id);
    setup_order_place(&order, &id, &none);
    assert_int_equal(order.count, SETUP_ENTRIES_MAX);
    assert_int_equal(setup_order_find(&order, &id), SETUP_ENTRIES_MAX);
}

// ---- plans ----

// Memory is written as what was replaced with what stood before it, one or two: "N:d" or "N:dC
// C:d".
static void make_memory(const char *text, struct setup_memory *ret_memory)
{
    memset(ret_memory, 0, sizeof *ret_memory);
    while (*text != '\0') {
        struct setup_entry entry = setup_entries_make(*text);
        size_t provider = entry.name_space == NS_PNRPCLOUD;
        ret_memory->has[provider] = true;
        ret_memory->kept[provider].entry = entry;
        for (text += 2; *text != '\0' && *text != ' '; text++) {
            struct setup_entry before = setup_entries_make(*text);
            setup_order_append(&ret_memory->kept[provider].before, &before.id);
        }
        text += *text == ' ';
    }
}

// The steps as a word: + and - install and uninstall an entry, R and F remember and forget a
// provider (n or c), = puts the catalog into order.
static void describe(const struct setup_plan *plan, char *ret_text)
{
    static const char actions[] = "R-+=F";
    for (size_t i = 0; i < plan->count; i++) {
        const struct setup_step *step = &plan->steps[i];
        *ret_text++ = actions[step->action];
        if (step->action == SETUP_REMEMBER) {
            *ret_text++ = setup_entries_letter(&step->kept->entry);
        } else if (step->action == SETUP_FORGET) {
            *ret_text++ = setup_entries_letter(&step->former->entry);
        } else if (step->action != SETUP_ARRANGE) {
            *ret_text++ = setup_entries_letter(step->entry);
        }
    }
    *ret_text = '\0';
}

struct plan_row {
    const char *name;
    const char *catalog;
    const char *memory;
    const char *steps;
    const char *changes; // of names and of clouds
};

static void check_plan(const struct plan_row *row, const struct setup_plan *plan)
{
    char text[200];
    describe(plan, text);
    check_text(row->name, text, row->steps);
    snprintf(text, sizeof text, "%s %s", setup_plan_change_name(plan->changes[SETUP_VIEW_64][0]),
             setup_plan_change_name(plan->changes[SETUP_VIEW_64][1]));
    check_text(row->name, text, row->changes);
}

static void run_plans(const struct plan_row *rows, size_t count, bool installs)
{
    struct setup_state *state = calloc(1, sizeof *state);
    struct setup_plan *plan = calloc(1, sizeof *plan);
    for (size_t i = 0; i < count; i++) {
        size_t provider;
        setup_entries_catalog(rows[i].catalog, &state->catalog);
        make_memory(rows[i].memory, &state->memory);
        setup_plan_init(plan);
        if (!installs) {
            setup_plan_uninstall(plan, SETUP_VIEW_64, state);
        } else if (!setup_plan_install(plan, SETUP_VIEW_64, state, SETUP_TEST_PATH, &provider)) {
            fail_msg("%s: refused", rows[i].name);
        }
        check_plan(&rows[i], plan);
    }
    free(plan);
    free(state);
}

static void installing(void **state)
{
    (void)state;
    static const struct plan_row rows[] = {
        {"nothing there", "", "", "+n+c", "installed installed"},
        {"others there", "db", "", "+n+c", "installed installed"},
        {"Microsoft's, last", "dbNC", "", "RNRC-N+n-C+c", "replaced replaced"},
        {"Microsoft's, in the middle", "dNCb", "", "RNRC-N+n-C+c=", "replaced replaced"},
        {"Microsoft's, clouds first", "dCN", "", "RNRC-N+n-C+c=", "replaced replaced"},
        {"Microsoft's, of names alone", "dN", "", "RN-N+n+c", "replaced installed"},
        {"Microsoft's, of clouds alone", "dC", "", "RC+n-C+c=", "installed replaced"},
        {"Microsoft's, disabled", "dND", "", "RNRD-N+n-D+c", "replaced replaced"},
        {"somebody else's", "dOC", "", "RORC-O+n-C+c", "replaced replaced"},
        {"again", "dnc", "", "", "none none"},
        {"again, with something remembered", "dnc", "N:d C:dN", "", "none none"},
        {"ours with another library", "dmc", "N:d C:dN", "-m+n=", "updated none"},
        {"ours both with another library", "dme", "", "-m+n-e+c", "updated updated"},
        {"ours disabled", "dxc", "", "-x+n=", "updated none"},
        {"Microsoft's came back", "dNc", "O:d", "RN-N+n=", "replaced none"},
        {"ended half-way, all remembered", "dC", "N:d C:dN", "+n-C+c=", "installed replaced"},
        {"an uninstall ended half-way", "dbNC", "N:d C:dN", "-N+n-C+c", "replaced replaced"},
        {"ended half-way, ours half there", "dn", "N:d C:dN", "+c", "none installed"},
    };
    run_plans(rows, sizeof rows / sizeof rows[0], true);
}

static void uninstalling(void **state)
{
    (void)state;
    static const struct plan_row rows[] = {
        {"nothing there", "", "", "", "none none"},
        {"never installed", "dNC", "", "", "left left"},
        {"others there", "db", "", "", "none none"},
        {"nothing was replaced", "dnc", "", "-n-c", "removed removed"},
        {"Microsoft's, last", "dbnc", "N:db C:dbN", "-n-c+N+CFNFC", "restored restored"},
        {"Microsoft's, in the middle", "dncb", "N:d C:dN", "-n-c+N+C=FNFC", "restored restored"},
        {"Microsoft's, clouds first", "dcn", "C:d N:dC", "-n-c+N+C=FNFC", "restored restored"},
        {"Microsoft's, at the front", "ncd", "N: C:N", "-n-c+N+C=FNFC", "restored restored"},
        {"of names alone", "dnc", "N:d", "-n-c+NFN", "restored removed"},
        {"of clouds alone", "dnc", "C:d", "-n-c+CFC", "removed restored"},
        {"disabled", "dnc", "N:d D:dN", "-n-c+N+DFNFD", "restored restored"},
        {"ours with another library", "dme", "N:d C:dN", "-m-e+N+CFNFC", "restored restored"},
        {"ours taken out by somebody", "d", "N:d C:dN", "+N+CFNFC", "restored restored"},
        {"Microsoft's came back", "dNC", "N:d C:dN", "FNFC", "left left"},
        {"somebody else's came", "dOc", "N:d C:dN", "-c+CFNFC", "left restored"},
        {"ended half-way", "dnC", "N:d C:dN", "-n+N=FNFC", "restored left"},
        {"ended with all at the end", "dbNC", "N:d C:dN", "=FNFC", "left left"},
    };
    run_plans(rows, sizeof rows / sizeof rows[0], false);
}

// The order that an install and then an uninstall lead to.
static void places(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *catalog;
        const char *memory;
        bool installs;
        const char *wanted;
    } rows[] = {
        {"ours takes the place", "dNCb", "", true, "dNCb"},
        {"ours takes both places", "NdCb", "", true, "NdCb"},
        {"ours is added", "dCb", "", true, "dCbN"},
        {"back where they were", "dncb", "N:d C:dN", false, "dNCb"},
        {"back where they were, apart", "ndcb", "N: C:Nd", false, "NdCb"},
        {"clouds before names", "dbnc", "C:d N:dC", false, "dCNb"},
        {"others have moved", "bncd", "N:d C:dN", false, "bdNC"},
        {"taken out by somebody", "db", "N:d C:dN", false, "dNCb"},
    };
    struct setup_state *found = calloc(1, sizeof *found);
    struct setup_plan *plan = calloc(1, sizeof *plan);
    struct setup_catalog *wanted = calloc(1, sizeof *wanted);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t provider;
        struct setup_order order;
        setup_entries_catalog(rows[i].catalog, &found->catalog);
        setup_entries_catalog(rows[i].wanted, wanted);
        make_memory(rows[i].memory, &found->memory);
        setup_plan_init(plan);
        if (rows[i].installs) {
            assert_true(setup_plan_install(plan, SETUP_VIEW_32, found, SETUP_TEST_PATH, &provider));
        } else {
            setup_plan_uninstall(plan, SETUP_VIEW_32, found);
        }
        setup_catalog_order(wanted, wanted->count, &order);
        if (!setup_order_same(&order, &plan->after[SETUP_VIEW_32])) {
            fail_msg("%s", rows[i].name);
        }
    }
    free(wanted);
    free(plan);
    free(found);
}

static void what_cannot_be_remembered_stays(void **state)
{
    (void)state;
    struct setup_state *found = calloc(1, sizeof *found);
    struct setup_plan *plan = calloc(1, sizeof *plan);
    size_t provider = 9;
    setup_entries_catalog("dLC", &found->catalog);
    assert_false(setup_plan_install(plan, SETUP_VIEW_64, found, SETUP_TEST_PATH, &provider));
    assert_int_equal(provider, 0);
    assert_int_equal(plan->count, 0);
    free(plan);
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_as_utf8),
        cmocka_unit_test(file_names),
        cmocka_unit_test(owners),
        cmocka_unit_test(entries_differ),
        cmocka_unit_test(paths_that_are_too_long),
        cmocka_unit_test(orders),
        cmocka_unit_test(an_order_is_bounded),
        cmocka_unit_test(installing),
        cmocka_unit_test(uninstalling),
        cmocka_unit_test(places),
        cmocka_unit_test(what_cannot_be_remembered_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
