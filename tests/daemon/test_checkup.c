// SPDX-License-Identifier: MIT
#include "node/daemon/checkup.h"

#include "node/control/fields.h"
#include "node/control/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

// What was said of a thing: its state, and whether there is a remedy. -1: nothing.
static int state_of(struct dht_span findings, const char *check, bool *ret_has_remedy)
{
    struct dht_bencode_cursor walk = control_fields_list(findings, CONTROL_KEY_FINDINGS);
    struct dht_span fields, word, remedy;
    while (control_fields_next(&walk, &fields)) {
        assert_true(control_fields_string(fields, CONTROL_KEY_CHECK, &word));
        if (word.len != strlen(check) || memcmp(word.data, check, word.len) != 0)
            continue;
        *ret_has_remedy = control_fields_string(fields, CONTROL_KEY_REMEDY, &remedy);
        assert_true(control_fields_string(fields, CONTROL_KEY_TEXT, &word));
        assert_true(word.len > 0);
        assert_true(control_fields_string(fields, CONTROL_KEY_STATE, &word));
        return control_protocol_value(CONTROL_VOCABULARY_FINDING, word);
    }
    return -1;
}

static const struct daemon_error bad = {.text = "a key file is open to others"};

static const struct row {
    const char *name;
    const char *check;
    int state;
    const struct daemon_error *keys_why;
    size_t key_count;
    mode_t mode; // of the state directory; 0: it is not there
    bool nothing_on_disk;
} rows[] = {
    {"keys are good", "keys", CONTROL_FINDING_OK, NULL, 2, 0700, false},
    {"no keys are no fault", "keys", CONTROL_FINDING_OK, NULL, 0, 0700, false},
    {"keys cannot be read", "keys", CONTROL_FINDING_FAIL, &bad, 0, 0700, false},
    {"state is good", "state", CONTROL_FINDING_OK, NULL, 0, 0700, false},
    {"others may read", "state", CONTROL_FINDING_OK, NULL, 0, 0755, false},
    {"a group may write", "state", CONTROL_FINDING_FAIL, NULL, 0, 0770, false},
    {"anybody may write", "state", CONTROL_FINDING_FAIL, NULL, 0, 0777, false},
    {"state is not there", "state", CONTROL_FINDING_FAIL, NULL, 0, 0, false},
    {"nothing is kept", "state", CONTROL_FINDING_OK, NULL, 0, 0, true},
};

static void test_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        char dir[] = "/tmp/pnr-checkup-XXXXXX";
        uint8_t buf[DAEMON_CHECKUP_MAX];
        bool has_remedy = false;
        assert_non_null(mkdtemp(dir));
        if (row->mode != 0)
            assert_int_equal(chmod(dir, row->mode), 0);
        else
            rmdir(dir);
        struct daemon_checkup checkup = {
            .keys_dir = "/keys",
            .keys_why = row->keys_why,
            .key_count = row->key_count,
            .state_dir = row->nothing_on_disk ? NULL : dir,
        };
        struct dht_span findings = {buf, daemon_checkup(&checkup, buf)};
        int got = state_of(findings, row->check, &has_remedy);
        rmdir(dir);
        if (got != row->state || has_remedy != (row->state != CONTROL_FINDING_OK))
            fail_msg("%s: %d", row->name, got);
        assert_true(state_of(findings, "clock", &has_remedy) >= 0);
    }
}

// However long the names are, the findings fit.
static void test_long_names(void **state)
{
    static char name[4096];
    struct daemon_error why;
    uint8_t buf[DAEMON_CHECKUP_MAX];
    bool has_remedy;
    (void)state;
    memset(name, 'n', sizeof name - 1);
    memset(why.text, 'w', sizeof why.text - 1);
    why.text[sizeof why.text - 1] = '\0';
    struct daemon_checkup checkup = {.keys_dir = name, .keys_why = &why, .state_dir = name};
    struct dht_span findings = {buf, daemon_checkup(&checkup, buf)};
    assert_true(findings.len > 0);
    assert_int_equal(state_of(findings, "keys", &has_remedy), CONTROL_FINDING_FAIL);
    assert_int_equal(state_of(findings, "state", &has_remedy), CONTROL_FINDING_FAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
