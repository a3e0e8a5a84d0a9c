// SPDX-License-Identifier: MIT
#include "nsp/name.h"

#include "node/core/name.h"
#include "nsp/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEY      u"47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy"
#define KEY_UP   u"47PJOYCNSRFMXIKM95JH13Y88E8QNHZU5KUNGJPXYEPGT7A8KRPY"
#define HASH     u"5b27aa5589179770e47575b162a1ded97b8bfc6d"
#define HASH_UP  u"5B27AA5589179770E47575B162A1DED97B8BFC6D"
#define TEN(s)   s s s s s s s s s s
#define U148     TEN(TEN(u"a")) TEN(u"aaaa") u"aaaaaaaa"
#define FACE     u"\xd83d\xde00"
#define LABEL_32 u"abcdefghijklmnopqrstuvwxyz-01234"

struct row {
    const char *name;
    const WCHAR *text;
    bool is_good;
};

static const struct row rows[] = {
    // PNRP's own, nsp-winsock 4.5.
    {"unsecured", u"0.chat", true},
    {"unsecured, dots", u"0.a.b..c.", true},
    {"unsecured, odd characters", u"0.  \x00e9\x20ac\n", true},
    {"unsecured, 149 units", u"0." U148 u"b", true},
    {"unsecured, 150 units", u"0." U148 u"bc", false},
    {"unsecured, 149 units with pairs",
     u"0." TEN(TEN(u"a")) TEN(FACE FACE) FACE FACE FACE FACE u"b", true},
    {"unsecured, 150 units with pairs",
     u"0." TEN(TEN(u"a")) TEN(FACE FACE) FACE FACE FACE FACE FACE, false},
    {"hash", HASH, true},
    {"hash with dot", HASH u".", true},
    {"hash with classifier", HASH u".chat", true},
    {"hash, upper case", HASH_UP u".chat", true},
    {"190 units", HASH u"." U148 u"b", true},
    {"191 units", HASH u"." U148 u"bc", false},
    // pnr's own.
    {"key", KEY, true},
    {"key, upper case", KEY_UP u".x", true},
    {"key, 202 units", KEY u"." U148 u"b", true},
    {"key with pk:", u"pk:" KEY u".x", true},
    {"key with PK:, 205 units", u"PK:" KEY_UP u"." U148 u"b", true},
    {"hash with pk:", u"pk:" HASH, true},
    {"label", u"home", true},
    {"label with classifier", u"home.chat", true},
    {"label of 32", LABEL_32 u".x", true},
    {"label pk", u"pk.x", true},
    {"label of a minus", u"-", true},
    {"label 00", u"00.x", true},
    // None.
    {"empty", u"", false},
    {"a dot", u".", false},
    {"no authority", u".chat", false},
    {"unsecured without classifier", u"0", false},
    {"unsecured, empty classifier", u"0.", false},
    {"unsecured with pk:", u"pk:0.x", false},
    {"label with pk:", u"pk:home.x", false},
    {"pk: alone", u"pk:.x", false},
    {"label, upper case", u"Home.x", false},
    {"label with underscore", u"ho_me.x", false},
    {"label of 33", LABEL_32 u"a.x", false},
    {"hash of 39", u"5b27aa5589179770e47575b162a1ded97b8bfc6", false},
    {"hash of 41", HASH u"d", false},
    {"hash with a g", u"5b27aa5589179770e47575b162a1ded97b8bfc6g", false},
    {"key of 51", u"47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krp", false},
    {"key of 53", KEY u"y", false},
    {"key with a 0", u"07pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy", false},
    {"key whose last carries too much", u"47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpb",
     false},
    {"digit of another script", u"\x0660.x", false},
    {"a unit whose low byte is a letter",
     u"\x0161"
     u".x",
     false},
    {"half a pair at the end", u"0.a\xd83d", false},
    {"half a pair inside",
     u"0.a\xde00"
     u"b",
     false},
    {"half a pair in the authority", u"\xd83d.b", false},
};

static size_t units_of(const WCHAR *text)
{
    size_t units = 0;
    while (text[units] != 0) {
        units++;
    }
    return units;
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (nsp_name_is_good(rows[i].text, units_of(rows[i].text)) != rows[i].is_good) {
            fail_msg("%s", rows[i].name);
        }
        if (rows[i].is_good && units_of(rows[i].text) > NSP_NAME_UNITS_MAX) {
            fail_msg("%s: longer than the longest", rows[i].name);
        }
    }
}

// What the daemon thinks of them.
static void test_the_daemon_agrees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char utf8[1024];
        struct core_name name;
        size_t len = nsp_text_to_utf8(rows[i].text, units_of(rows[i].text), utf8, sizeof utf8);
        bool is_good =
            len != NSP_TEXT_BAD && core_name_parse(utf8, len, &name, NULL) == CORE_NAME_OK;
        if (is_good != rows[i].is_good) {
            fail_msg("%s", rows[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_daemon_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
