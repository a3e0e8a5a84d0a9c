// SPDX-License-Identifier: MIT
// pnr_read_*() and pnr_field_*(): what they take, and what they refuse.
#include "node/control/fields.h"
#include "tests/control/readers_helper.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Bytes with NULs inside, as a span.
#define FIELDS(text)                                                                               \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static struct pnr_event event_of(enum pnr_event_type type, struct pnr_fields fields)
{
    return (struct pnr_event){.type = type, .request = 1, .text = "", .fields = fields};
}

#define ID "20:abcdefghijklmnopqrst"

static const struct pnr_fields result_fields = FIELDS(
    "d5:age_si1e9:authority1:010:classifier1:x5:cloud3:lab7:comment4:h\0i\0"
    "6:copiesi4e10:elapsed_usi5e9:endpointsld2:ip4:abcd4:porti80e5:protoi6eed2:ip16:0123456789"
    "abcdef4:porti0eee5:finali1e4:hopsi3e7:machine2:mm4:name3:0.x14:nodes_answeredi2e"
    "11:nodes_askedi6e7:payload3:xyz12:payload_typei2e3:seqi99e6:source5:local5:ttl_si7ee");

static void reads_a_whole_result(void **state)
{
    (void)state;
    struct pnr_event event = event_of(PNR_EVENT_RESULT, result_fields);
    struct pnr_result result;
    assert_true(pnr_read_result(&event, &result));
    assert_string_equal(result.name, "0.x");
    assert_string_equal(result.authority, "0");
    assert_string_equal(result.classifier, "x");
    assert_string_equal(result.cloud, "lab");
    assert_int_equal(result.endpoint_count, 2);
    assert_int_equal(result.endpoints[1].ip_len, 16);
    assert_int_equal(result.endpoints[1].proto, 0);
    assert_int_equal(result.comment_len, 4);
    assert_memory_equal(result.comment, "h\0i\0", 4);
    assert_int_equal(result.payload_len, 3);
    assert_memory_equal(result.payload, "xyz", 3);
    assert_int_equal(result.payload_type, PNR_PAYLOAD_STRING);
    assert_int_equal(result.machine_len, 2);
    assert_int_equal(result.seq, 99);
    assert_int_equal(result.source, PNR_SOURCE_LOCAL);
    assert_int_equal(result.tally.copies, 4);
    assert_int_equal(result.tally.hops, 3);
}

static const struct result_row {
    const char *name;
    struct pnr_fields fields;
    bool ok;
} result_rows[] = {
    {"least", FIELDS("d4:name3:0.x6:source3:dhte"), true},
    {"unknown keys", FIELDS("d4:name3:0.x3:newld1:xleee6:source3:dhte"), true},
    {"no name", FIELDS("d6:source3:dhte"), false},
    {"no source", FIELDS("d4:name3:0.xe"), false},
    {"unknown source", FIELDS("d4:name3:0.x6:source3:moone"), false},
    {"name an int", FIELDS("d4:namei1e6:source3:dhte"), false},
    {"NUL in the name", FIELDS("d4:name3:0\0x6:source3:dhte"), false},
    {"negative seq", FIELDS("d4:name3:0.x3:seqi-1e6:source3:dhte"), false},
    {"final 2", FIELDS("d5:finali2e4:name3:0.x6:source3:dhte"), false},
    {"hops too many", FIELDS("d4:hopsi4294967296e4:name3:0.x6:source3:dhte"), false},
    {"bad endpoint", FIELDS("d9:endpointsld2:ip3:abc4:porti1eee4:name3:0.x6:source3:dhte"), false},
    {"bad payload type", FIELDS("d4:name3:0.x12:payload_typei3e6:source3:dhte"), false},
    {"payload an int", FIELDS("d4:name3:0.x7:payloadi3e6:source3:dhte"), false},
    {"machine too long",
     FIELDS("d7:machine33:0123456789abcdef0123456789abcdefX4:name3:0.x6:source3:dhte"), false},
};

static void checks_results(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof result_rows / sizeof *result_rows; i++) {
        struct pnr_event event = event_of(PNR_EVENT_RESULT, result_rows[i].fields);
        struct pnr_result result;
        if (pnr_read_result(&event, &result) != result_rows[i].ok) {
            fail_msg("%s: not %s", result_rows[i].name, result_rows[i].ok ? "read" : "refused");
        }
        event.type = PNR_EVENT_DONE;
        assert_false(pnr_read_result(&event, &result));
    }
}

#define WHO "9:publisher16:0123456789abcdef"

static const struct change_row {
    const char *name;
    struct pnr_fields fields;
    int change; // -1: refused
} change_rows[] = {
    {"added", FIELDS("d5:event5:added4:mark8:abcdefgh4:name3:0.x" WHO "6:source3:dhte"),
     PNR_CHANGE_ADDED},
    {"changed", FIELDS("d5:event7:changed4:name3:0.x" WHO "6:source5:locale"), PNR_CHANGE_CHANGED},
    {"gone", FIELDS("d5:event4:gone4:mark8:abcdefgh4:name3:0.x" WHO "e"), PNR_CHANGE_GONE},
    {"added without a source", FIELDS("d5:event5:added4:name3:0.x" WHO "e"), -1},
    {"gone without a publisher", FIELDS("d5:event4:gone4:mark8:abcdefgh4:name3:0.xe"), -1},
    {"gone with half a publisher", FIELDS("d5:event4:gone4:name3:0.x9:publisher8:01234567e"), -1},
    {"mark too long", FIELDS("d5:event4:gone4:mark9:abcdefghi4:name3:0.x" WHO "e"), -1},
    {"unknown event", FIELDS("d5:event4:lost4:name3:0.x" WHO "6:source3:dhte"), -1},
    {"gone in a cloud", FIELDS("d5:cloud3:lab5:event4:gone4:name3:0.x" WHO "e"), PNR_CHANGE_GONE},
    {"cloud an int", FIELDS("d5:cloudi1e5:event4:gone4:name3:0.x" WHO "e"), -1},
    {"no event", FIELDS("d4:name3:0.x" WHO "6:source3:dhte"), -1},
};

static void checks_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof change_rows / sizeof *change_rows; i++) {
        const struct change_row *row = &change_rows[i];
        struct pnr_event event = event_of(PNR_EVENT_RESULT, row->fields);
        struct pnr_result result;
        enum pnr_change change;
        bool ok = pnr_read_change(&event, &change, &result);
        if (ok != (row->change >= 0) || (ok && (int)change != row->change)) {
            fail_msg("%s", row->name);
        }
        if (ok) {
            assert_int_equal(result.publisher_len, PNR_PUBLISHER_LEN);
            assert_memory_equal(result.publisher, "0123456789abcdef", PNR_PUBLISHER_LEN);
            assert_string_equal(result.name, "0.x");
        }
        event.type = PNR_EVENT_PROGRESS;
        assert_false(pnr_read_change(&event, &change, &result));
    }
}

static void checks_lengths_of_results(void **state)
{
    (void)state;
    char fields[8192];
    struct pnr_result result;
    for (int len = 4090; len <= 4100; len++) {
        int whole = snprintf(fields, sizeof fields, "d4:name3:0.x7:payload%d:%0*d6:source3:dhte",
                             len, len, 0);
        struct pnr_event event =
            event_of(PNR_EVENT_RESULT, (struct pnr_fields){(uint8_t *)fields, (size_t)whole});
        assert_int_equal(pnr_read_result(&event, &result), len <= PNR_PAYLOAD_MAX);
    }
    for (int len = 635; len <= 645; len++) {
        int whole = snprintf(fields, sizeof fields, "d4:name%d:%0*d6:source3:dhte", len, len, 0);
        struct pnr_event event =
            event_of(PNR_EVENT_RESULT, (struct pnr_fields){(uint8_t *)fields, (size_t)whole});
        assert_int_equal(pnr_read_result(&event, &result), len < PNR_NAME_MAX);
    }
}

static void reads_progress(void **state)
{
    (void)state;
    struct pnr_fields step = FIELDS("d4:step7:storing6:storedi3e7:targetsi20ee");
    struct pnr_fields hop =
        FIELDS("d4:addr14:192.0.2.1:68815:depthi2e2:id" ID
               "5:namedi8e7:outcome5:found6:rtt_usi42000e4:step3:hop6:target" ID "e");
    struct pnr_fields silent = FIELDS("d4:addr14:192.0.2.1:68817:outcome6:silent4:step3:hope");
    struct pnr_event event = event_of(PNR_EVENT_PROGRESS, step);
    struct pnr_progress progress;
    struct pnr_hop got;
    assert_true(pnr_read_step(&event, &progress));
    assert_int_equal(progress.step, PNR_STEP_STORING);
    assert_int_equal(progress.stored, 3);
    assert_int_equal(progress.targets, 20);
    assert_false(pnr_read_hop(&event, &got));
    event.fields = hop;
    assert_false(pnr_read_step(&event, &progress));
    assert_true(pnr_read_hop(&event, &got));
    assert_string_equal(got.addr, "192.0.2.1:6881");
    assert_int_equal(got.outcome, PNR_OUTCOME_FOUND);
    assert_int_equal(got.id_len, 20);
    assert_int_equal(got.rtt_us, 42000);
    assert_int_equal(got.target_len, 20);
    event.fields = silent;
    assert_true(pnr_read_hop(&event, &got));
    assert_int_equal(got.id_len, 0);
    assert_int_equal(got.rtt_us, -1);
}

// What "not found" is worth is in the same fields as of a name that was found.
static void reads_tally_of_errors(void **state)
{
    (void)state;
    struct pnr_fields fields =
        FIELDS("d4:codei3e7:densityi900e11:nodes_askedi40e7:suspecti1e4:text2:noe");
    struct pnr_event event = event_of(PNR_EVENT_ERROR, fields);
    struct pnr_tally tally;
    assert_true(pnr_read_tally(&event, &tally));
    assert_int_equal(tally.nodes_asked, 40);
    assert_int_equal(tally.density, 900);
    assert_true(tally.suspect);
}

static void reads_reports(void **state)
{
    (void)state;
    struct pnr_fields fields = FIELDS(
        "d9:authority1:010:elapsed_usi9e4:name3:0.x7:refusedld4:addr5:1.1:14:codei302eed4:addr"
        "5:2.2:24:codei0eee7:renew_si3000e3:seqi5e6:storedi18e7:targetsi20ee");
    struct pnr_event event = event_of(PNR_EVENT_DONE, fields);
    struct pnr_report report;
    struct pnr_refusal refusal;
    assert_true(pnr_read_report(&event, &report));
    assert_int_equal(report.stored, 18);
    assert_int_equal(report.targets, 20);
    assert_int_equal(report.refused_count, 2);
    assert_int_equal(report.renew_s, 3000);
    assert_int_equal(report.tally.elapsed_us, 9);
    assert_true(pnr_read_refusal(&event, 0, &refusal));
    assert_string_equal(refusal.addr, "1.1:1");
    assert_int_equal(refusal.code, 302);
    assert_true(pnr_read_refusal(&event, 1, &refusal));
    assert_false(pnr_read_refusal(&event, 2, &refusal));
}

static void reads_publications_and_keys(void **state)
{
    (void)state;
    struct pnr_fields fields = FIELDS("d5:cloud3:lab6:copiesi7e9:endpointsle10:last_error4:oops4:"
                                      "name3:0.x7:renew_si9e7:sessioni1e"
                                      "5:state4:kept6:storedi1e7:targetsi2ee");
    struct pnr_fields key = FIELDS("d5:hex404:abcd5:label4:home4:path2:/k3:z324:yyyye");
    struct pnr_event event = event_of(PNR_EVENT_RESULT, fields);
    struct pnr_publication publication;
    struct pnr_key got;
    assert_true(pnr_read_publication(&event, &publication));
    assert_int_equal(publication.state, PNR_STATE_KEPT);
    assert_string_equal(publication.last_error, "oops");
    assert_true(publication.session);
    assert_int_equal(publication.copies, 7);
    assert_string_equal(publication.cloud, "lab");
    event.fields = key;
    assert_false(pnr_read_publication(&event, &publication));
    assert_true(pnr_read_key(&event, &got));
    assert_string_equal(got.label, "home");
    assert_string_equal(got.z32, "yyyy");
}

static void reads_status(void **state)
{
    (void)state;
    struct pnr_fields fields = FIELDS(
        "d6:cloudsld8:contactsi30e8:countersd8:bytes_ini5ee8:external9:1.2.3.4:56:familyi4e2:id" ID
        "5:itemsi2e11:items_bytesi900e6:joinedi1e6:listen9:0.0.0.0:54:name7:Global_"
        "14:nodes_estimatei10000000e3:opsi1e4:role6:serveree8:countersd1:ai1e1:bi2ee4:keysi1e"
        "4:nodei3e5:nodesi50e12:publicationsi2e8:requestsi1e8:sessionsi4e8:uptime_si77e"
        "7:version5:0.1.0e");
    struct pnr_event event = event_of(PNR_EVENT_DONE, fields);
    struct pnr_status status;
    struct pnr_cloud cloud;
    struct pnr_counter counter;
    assert_true(pnr_read_status(&event, &status));
    assert_string_equal(status.version, "0.1.0");
    assert_int_equal(status.node, 3);
    assert_int_equal(status.nodes, 50);
    assert_int_equal(status.cloud_count, 1);
    assert_int_equal(status.sessions, 4);
    assert_true(pnr_read_counter(status.counters, 1, &counter));
    assert_string_equal(counter.name, "b");
    assert_int_equal(counter.value, 2);
    assert_false(pnr_read_counter(status.counters, 2, &counter));
    assert_true(pnr_read_cloud(&event, 0, &cloud));
    assert_string_equal(cloud.name, "Global_");
    assert_string_equal(cloud.external, "1.2.3.4:5");
    assert_int_equal(cloud.role, PNR_ROLE_SERVER);
    assert_true(cloud.joined);
    assert_int_equal(cloud.nodes_estimate, 10000000);
    assert_true(pnr_read_counter(cloud.counters, 0, &counter));
    assert_false(pnr_read_cloud(&event, 1, &cloud));
}

static void reads_peers(void **state)
{
    (void)state;
    struct pnr_fields peer = FIELDS("d4:addr9:1.2.3.4:55:cloud7:Global_6:familyi4e4:goodi1e2:id" ID
                                    "6:rtt_usi31000e6:securei0ee");
    struct pnr_fields pong = FIELDS("d6:rtt_usi31000ee");
    struct pnr_event event = event_of(PNR_EVENT_RESULT, peer);
    struct pnr_peer got;
    assert_true(pnr_read_peer(&event, &got));
    assert_true(got.good);
    assert_false(got.secure);
    assert_int_equal(got.rtt_us, 31000);
    event = event_of(PNR_EVENT_DONE, pong);
    assert_true(pnr_read_peer(&event, &got));
    assert_string_equal(got.addr, "");
}

static void reads_any_field(void **state)
{
    (void)state;
    struct pnr_fields fields = FIELDS("d1:ai-5e1:b3:xyz1:cd1:ki1eee"), inner;
    const uint8_t *data;
    size_t len;
    int64_t value;
    char text[4];
    assert_true(pnr_field_int(fields, "a", &value));
    assert_int_equal(value, -5);
    assert_true(pnr_field_bytes(fields, "b", &data, &len));
    assert_int_equal(len, 3);
    assert_true(pnr_field_text(fields, "b", text, sizeof text));
    assert_string_equal(text, "xyz");
    assert_false(pnr_field_text(fields, "b", text, 3));
    assert_false(pnr_field_text(fields, "b", text, 0));
    assert_true(pnr_field_dict(fields, "c", &inner));
    assert_true(pnr_field_int(inner, "k", &value));
    assert_false(pnr_field_dict(fields, "b", &inner));
    assert_false(pnr_field_int(fields, "z", &value));
    assert_false(pnr_field_bytes(fields, "a", &data, &len));
}

// Every prefix, and every byte changed to each value, from blocks of their own size: also what
// control_fields_check() would not have let through.
static void survives_damage(void **state)
{
    (void)state;
    for (int type = PNR_EVENT_RESULT; type <= PNR_EVENT_DONE; type++) {
        for (size_t len = 0; len <= result_fields.len; len++) {
            uint8_t *copy = malloc(len + 1);
            memcpy(copy + 1, result_fields.data, len);
            struct pnr_event event =
                event_of((enum pnr_event_type)type, (struct pnr_fields){copy + 1, len});
            read_everything(&event);
            free(copy);
        }
    }
    for (size_t at = 0; at < result_fields.len; at++) {
        for (int byte = 0; byte < 256; byte += 3) {
            uint8_t *copy = malloc(result_fields.len);
            memcpy(copy, result_fields.data, result_fields.len);
            copy[at] = (uint8_t)byte;
            struct pnr_event event =
                event_of(PNR_EVENT_RESULT, (struct pnr_fields){copy, result_fields.len});
            read_everything(&event);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_result), cmocka_unit_test(checks_results),
        cmocka_unit_test(checks_changes),       cmocka_unit_test(checks_lengths_of_results),
        cmocka_unit_test(reads_progress),       cmocka_unit_test(reads_tally_of_errors),
        cmocka_unit_test(reads_reports),        cmocka_unit_test(reads_publications_and_keys),
        cmocka_unit_test(reads_status),         cmocka_unit_test(reads_peers),
        cmocka_unit_test(reads_any_field),      cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
