// SPDX-License-Identifier: MIT
#include "node/daemon/checkup.h"

#include "node/control/fields.h"
#include "node/control/protocol.h"
#include "tests/daemon/unit.h"

struct said {
    int state; // -1: nothing was said of it
    char text[1024];
    char remedy[1024]; // "": none
};

static void copy(struct dht_span from, char ret_text[1024])
{
    assert_true(from.len > 0 && from.len < 1024);
    memcpy(ret_text, from.data, from.len);
    ret_text[from.len] = '\0';
}

static struct said said_of(struct dht_span findings, const char *check)
{
    struct dht_bencode_cursor walk = control_fields_list(findings, CONTROL_KEY_FINDINGS);
    struct dht_span fields, word;
    struct said said = {.state = -1};
    while (control_fields_next(&walk, &fields)) {
        assert_true(control_fields_string(fields, CONTROL_KEY_CHECK, &word));
        if (word.len != strlen(check) || memcmp(word.data, check, word.len) != 0)
            continue;
        if (control_fields_string(fields, CONTROL_KEY_REMEDY, &word))
            copy(word, said.remedy);
        assert_true(control_fields_string(fields, CONTROL_KEY_TEXT, &word));
        copy(word, said.text);
        assert_true(control_fields_string(fields, CONTROL_KEY_STATE, &word));
        said.state = control_protocol_value(CONTROL_VOCABULARY_FINDING, word);
    }
    return said;
}

static const struct daemon_error bad = {.text = "the key directory /keys cannot be read"};
static const struct daemon_error wide = {
    .text = "/keys/a.pem has mode 0644: others can get at the keys; remedy: chmod 600 /keys/a.pem"};

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
    {"keys are open to others", "keys", CONTROL_FINDING_FAIL, &wide, 0, OURS, false},
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
        struct said said = said_of(findings, row->check);
        daemon_file_remove_folder(unit_path("state"));
        if (said.state != row->state ||
            (said.remedy[0] != '\0') != (row->state != CONTROL_FINDING_OK))
            fail_msg("%s: %d", row->name, said.state);
        assert_true(said_of(findings, "clock").state >= 0);
    }
}

// One remedy for one fault: that which the error names; where it names none, the general one.
static void test_one_remedy(void **state)
{
    static const struct {
        const struct daemon_error *why;
        const char *text, *remedy;
    } wanted[] = {
        {&wide, "/keys/a.pem has mode 0644: others can get at the keys", "chmod 600 /keys/a.pem"},
        {&bad, "the key directory /keys cannot be read",
         "let the daemon's user own /keys and all in it, with chmod 700 and chmod 600"},
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(wanted); i++) {
        uint8_t buf[DAEMON_CHECKUP_MAX];
        struct daemon_checkup checkup = {.keys_dir = "/keys", .keys_why = wanted[i].why};
        struct dht_span findings = {buf, daemon_checkup(&checkup, buf)};
        struct said said = said_of(findings, "keys");
        assert_string_equal(said.text, wanted[i].text);
        assert_string_equal(said.remedy, wanted[i].remedy);
    }
}

// A clock that is years behind makes records that have expired; one that nobody keeps may go so.
static void test_clock(void **state)
{
    static const struct {
        const char *name;
        int64_t wall_s;
        bool is_kept;
        int state;
        const char *text, *remedy;
    } wanted[] = {
        {"kept", 1798761600, true, CONTROL_FINDING_OK, "kept right", ""},
        {"not kept", 1798761600, false, CONTROL_FINDING_WARN, "no time service", "run one"},
        {"a board without a battery", 0, false, CONTROL_FINDING_FAIL, "years behind", "set it"},
        {"kept wrong", 1767225599, true, CONTROL_FINDING_FAIL, "years behind", "set it"},
        {"just not", 1767225600, true, CONTROL_FINDING_OK, "kept right", ""},
        {"before all time", -5, true, CONTROL_FINDING_FAIL, "years behind", "set it"},
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(wanted); i++) {
        uint8_t buf[DAEMON_CHECKUP_MAX];
        struct daemon_checkup checkup = {.keys_dir = "/keys",
                                         .wall_us = wanted[i].wall_s * 1000000,
                                         .is_clock_kept = wanted[i].is_kept};
        struct dht_span findings = {buf, daemon_checkup(&checkup, buf)};
        struct said said = said_of(findings, "clock");
        if (said.state != wanted[i].state || strstr(said.text, wanted[i].text) == NULL ||
            strncmp(said.remedy, wanted[i].remedy, strlen(wanted[i].remedy)) != 0 ||
            (said.remedy[0] == '\0') != (wanted[i].state == CONTROL_FINDING_OK))
            fail_msg("%s: %d %s; %s", wanted[i].name, said.state, said.text, said.remedy);
    }
}

// However long the names are, the findings fit.
static void test_long_names(void **state)
{
    static char name[4096];
    struct daemon_error why;
    uint8_t buf[DAEMON_CHECKUP_MAX];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    memset(why.text, 'w', sizeof why.text - 1);
    why.text[sizeof why.text - 1] = '\0';
    struct daemon_checkup checkup = {.keys_dir = name, .keys_why = &why, .state_dir = name};
    struct dht_span findings = {buf, daemon_checkup(&checkup, buf)};
    assert_true(findings.len > 0);
    assert_int_equal(said_of(findings, "keys").state, CONTROL_FINDING_FAIL);
    assert_int_equal(said_of(findings, "state").state, CONTROL_FINDING_FAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_findings, unit_dir_make, unit_dir_remove),
        cmocka_unit_test(test_one_remedy),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_long_names),
    };
    return unit_run(tests);
}
