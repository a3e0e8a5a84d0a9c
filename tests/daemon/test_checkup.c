// SPDX-License-Identifier: MIT
#include "node/daemon/checkup.h"

#include "node/control/fields.h"
#include "node/control/protocol.h"
#include "tests/daemon/unit.h"

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
    enum { NOT_THERE, OURS, READABLE } dir; // of state
    bool nothing_on_disk;
} rows[] = {
    {"keys are good", "keys", CONTROL_FINDING_OK, NULL, 2, OURS, false},
    {"no keys are no fault", "keys", CONTROL_FINDING_OK, NULL, 0, OURS, false},
    {"keys cannot be read", "keys", CONTROL_FINDING_FAIL, &bad, 0, OURS, false},
    {"state is good", "state", CONTROL_FINDING_OK, NULL, 0, OURS, false},
    {"others may read", "state", CONTROL_FINDING_OK, NULL, 0, READABLE, false},
    {"state is not there", "state", CONTROL_FINDING_FAIL, NULL, 0, NOT_THERE, false},
    {"nothing is kept", "state", CONTROL_FINDING_OK, NULL, 0, NOT_THERE, true},
};

static void test_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct daemon_error why;
        uint8_t buf[DAEMON_CHECKUP_MAX];
        bool has_remedy = false;
        if (row->dir != NOT_THERE)
            assert_true(daemon_file_make_folder(
                unit_path("state"), row->dir == OURS ? DAEMON_FILE_OWNER : DAEMON_FILE_EVERYONE,
                &why));
        struct daemon_checkup checkup = {
            .keys_dir = "/keys",
            .keys_why = row->keys_why,
            .key_count = row->key_count,
            .state_dir = row->nothing_on_disk ? NULL : unit_path("state"),
        };
        struct dht_span findings = {buf, daemon_checkup(&checkup, buf)};
        int got = state_of(findings, row->check, &has_remedy);
        daemon_file_remove_folder(unit_path("state"));
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
        cmocka_unit_test_setup_teardown(test_findings, unit_dir_make, unit_dir_remove),
        cmocka_unit_test(test_long_names),
    };
    return unit_run(tests);
}
