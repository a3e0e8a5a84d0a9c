// SPDX-License-Identifier: MIT
// Publications and their rounds, by whole brains: what a request that fails leaves, what a key's
// unsalted record goes through, and what other writers do.
#include "node/core/publication.h"

#include "node/core/seq.h"
#include "tests/core/brains_helper.h"

static struct brains brains;
static uint8_t key[32];

static void begin(size_t count, uint64_t seed)
{
    brains_init(&brains, count, seed);
    brains_add_key(&brains, 3, "restored0", 7, key);
}

static void restart(size_t node)
{
    brains_kill(&brains, node);
    brains_start(&brains, node);
    brains_run(&brains, 10 * SECOND);
}

// The rows of a kind on a node's disk.
static size_t rows_of(size_t node, enum node_row_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < brains.disks[node]->row_count; i++)
        count += brains.disks[node]->rows[i].kind == kind;
    return count;
}

static void write_id(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_pair_int(writer, CONTROL_KEY_CANCEL_ID, *(const uint32_t *)ctx);
}

static void cancel(size_t node, uint32_t id)
{
    brains_ask(&brains, node, "cancel", write_id, &id);
}

// ---- changes that come to nothing ----

enum trouble { BROKEN_DISK, CANCELLED, HUNG_UP };

static void publish_in_trouble(enum trouble trouble, const char *name, uint16_t port)
{
    struct brains_disk *disk = brains.disks[3];
    disk->broken = trouble == BROKEN_DISK;
    disk->stuck = trouble != BROKEN_DISK;
    uint32_t id = brains_publish(&brains, 3, name, port, NULL);
    brains_run(&brains, 5 * SECOND);
    if (trouble == BROKEN_DISK)
        assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_FAILED);
    if (trouble == CANCELLED)
        cancel(3, id);
    if (trouble == HUNG_UP)
        node_session_closed(brains.nodes[3], brains.now_us, brains.sessions[3]);
    disk->broken = false;
    brains_unstick(&brains, 3);
}

static void test_failed_change_changes_nothing(void **state)
{
    static const struct {
        const char *name;
        enum trouble trouble;
        bool restarted; // between the first publication and the change
    } rows[] = {
        {"broken disk", BROKEN_DISK, false}, {"broken disk after restart", BROKEN_DISK, true},
        {"cancelled", CANCELLED, false},     {"cancelled after restart", CANCELLED, true},
        {"hung up", HUNG_UP, false},         {"hung up after restart", HUNG_UP, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(12, 41 + i);
        const char *name = helper_name(key, ".web");
        assert_int_equal(helper_publish(&brains, 3, "restored0.web", 1000), 0);
        if (rows[i].restarted)
            brains_kill(&brains, 3), brains_start(&brains, 3);
        publish_in_trouble(rows[i].trouble, "restored0.web", 2000);
        brains_run(&brains, 20 * SECOND);
        if (helper_resolve(&brains, 8, name, "all") != 1000)
            fail_msg("%s: changed", rows[i].name);
        restart(3);
        if (helper_resolve(&brains, 8, name, "all") != 1000)
            fail_msg("%s: changed after a restart", rows[i].name);
        brains_run(&brains, 5 * HOUR);
        if (helper_resolve(&brains, 8, name, "all") != 1000)
            fail_msg("%s: not renewed", rows[i].name);
        brains_fini(&brains);
    }
}

static void test_failed_publication_leaves_nothing(void **state)
{
    static const struct {
        const char *name;
        enum trouble trouble;
    } rows[] = {{"broken disk", BROKEN_DISK}, {"cancelled", CANCELLED}, {"hung up", HUNG_UP}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin(12, 51 + i);
        publish_in_trouble(rows[i].trouble, "restored0.web", 2000);
        brains_run(&brains, 2 * HOUR); // the anchor finds that it is not needed
        struct node_info info = helper_info(&brains, 3);
        if (info.publications != 0 || info.requests != 0 || helper_ops(&brains, 3) != 0 ||
            rows_of(3, NODE_ROW_PUBLICATION) != 0)
            fail_msg("%s: %u publications, %zu rows", rows[i].name, info.publications,
                     rows_of(3, NODE_ROW_PUBLICATION));
        assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"),
                         -CONTROL_ERROR_NOT_FOUND);
        brains_fini(&brains);
    }
}

static void test_failed_withdrawal_can_be_repeated(void **state)
{
    (void)state;
    begin(12, 61);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 1000), 0);
    brains.disks[3]->broken = true;
    assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), CONTROL_ERROR_FAILED);
    brains.disks[3]->broken = false;
    brains_run(&brains, 2 * HOUR);
    assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"), 1000);
    assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), 0);
    assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"),
                     -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

// Cancelled after so many milliseconds: there is a publication, which is kept, or there is none.
static void test_cancelled_at_every_moment(void **state)
{
    (void)state;
    for (int64_t after_ms = 0; after_ms < 400; after_ms += 9) {
        begin(8, 70);
        uint32_t id = brains_publish(&brains, 3, "restored0.web", 443, NULL);
        brains_run(&brains, after_ms * 1000);
        cancel(3, id);
        brains_run(&brains, 30 * SECOND);
        int port = helper_resolve(&brains, 6, helper_name(key, ".web"), "all");
        bool kept = false;
        struct node *node = brains.nodes[3];
        for (uint32_t i = 0; i < node->publications.count; i++)
            kept = kept || !node->publications.slots[i]->anchor;
        if (port != (kept ? 443 : -CONTROL_ERROR_NOT_FOUND) || helper_ops(&brains, 3) != 0 ||
            helper_info(&brains, 3).requests != 0)
            fail_msg("after %d ms: %d, %s", (int)after_ms, port, kept ? "kept" : "not kept");
        brains_fini(&brains);
    }
}

static void test_replaced_while_under_way(void **state)
{
    (void)state;
    for (int64_t after_ms = 0; after_ms < 400; after_ms += 23) {
        begin(8, 71);
        uint32_t first = brains_publish(&brains, 3, "restored0.web", 1000, NULL);
        brains_run(&brains, after_ms * 1000);
        int second = helper_publish(&brains, 3, "restored0.web", 2000);
        int port = helper_resolve(&brains, 6, helper_name(key, ".web"), "all");
        int code = helper_end(&brains, 3, first);
        if (second != 0 || port != 2000 || (code != 0 && code != CONTROL_ERROR_CANCELLED))
            fail_msg("after %d ms: %d, %d, %d", (int)after_ms, second, port, code);
        brains_fini(&brains);
    }
}

// Renewals that end together find room for their timers, whatever else has taken some meanwhile.
static void test_many_timers_at_once(void **state)
{
    char label[32];
    (void)state;
    begin(8, 72);
    for (int i = 0; i < 8; i++) {
        snprintf(label, sizeof label, "restored0.a%d", i);
        assert_int_equal(helper_publish(&brains, 3, label, 1), 0);
    }
    brains.disks[3]->stuck = true;
    node_network_changed(brains.nodes[3], brains.now_us);
    brains_run(&brains, 10 * SECOND);
    assert_int_equal(brains.nodes[3]->publishing_count, 8);
    for (int i = 0; i < 10; i++) {
        snprintf(label, sizeof label, "restored0.b%d", i);
        brains_publish(&brains, 3, label, 1, NULL);
    }
    brains_run(&brains, 3 * SECOND);
    assert_int_equal(brains.nodes[3]->publishing_count, 18);
    brains_unstick(&brains, 3);
    brains_run(&brains, 10 * SECOND);
    assert_int_equal(brains.nodes[3]->publishing_count, 0);
    brains_fini(&brains);
}

// ---- the unsalted record ----

static const char *hash_name(const char *classifier)
{
    static char name[64];
    uint8_t hash[20];
    struct dht_span part = {key, 32};
    helper_sha1(NULL, &part, 1, hash);
    helper_hex(hash, 20, name);
    return strcat(name, classifier);
}

static void test_anchor_stays_while_it_is_needed(void **state)
{
    (void)state;
    begin(12, 81);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    assert_int_equal(helper_publish(&brains, 3, "restored0", 444), 0);
    assert_int_equal(helper_resolve(&brains, 8, hash_name(""), "all"), 444);
    assert_int_equal(helper_unpublish(&brains, 3, "restored0"), 0);
    brains_run(&brains, 6 * HOUR);
    assert_int_equal(helper_resolve(&brains, 8, hash_name(".web"), "all"), 443);
    restart(3);
    brains_run(&brains, 6 * HOUR);
    assert_int_equal(helper_resolve(&brains, 8, hash_name(".web"), "all"), 443);
    assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), 0);
    brains_run(&brains, 6 * HOUR);
    assert_int_equal(helper_info(&brains, 3).publications, 0);
    assert_int_equal(rows_of(3, NODE_ROW_PUBLICATION), 0);
    brains_fini(&brains);
}

static void test_foreign_record_is_renewed_and_carried_over(void **state)
{
    uint8_t value[1000];
    (void)state;
    begin(12, 82);
    size_t len = helper_pkarr(key, value);
    helper_put_item(&brains, 7, "", 1234567, (struct dht_span){value, len});
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_run(&brains, 3 * HOUR);
    restart(3);
    brains_run(&brains, 3 * HOUR); // long after nodes would have dropped it
    uint32_t id = brains_resolve(&brains, 8, helper_name(key, ""), "all");
    assert_int_equal(helper_end(&brains, 8, id), 0);
    const struct brains_answer *result = brains_answer(&brains, 8, id, CONTROL_ANSWER_RESULT, 0);
    assert_int_equal(helper_number(result, CONTROL_KEY_SEQ), 1234567);
    assert_int_equal(helper_port(result), 0);
    // The key's own name takes its place, and carries it along.
    assert_int_equal(helper_publish(&brains, 3, "restored0", 444), 0);
    id = brains_resolve(&brains, 8, helper_name(key, ""), "all");
    assert_int_equal(helper_end(&brains, 8, id), 0);
    assert_int_equal(helper_port(brains_answer(&brains, 8, id, CONTROL_ANSWER_RESULT, 0)), 444);
    const struct core_publication *own = core_publication_table_find(
        &brains.nodes[3]->publications, brains.nodes[3]->clouds[0], key, (struct dht_span){0});
    assert_int_equal(own->record.foreign_endpoint_count, 1);
    assert_true(own->seq > 1234567);
    brains_fini(&brains);
}

// ---- renewals ----

static uint32_t puts_sent;

static void count_puts(struct brains *all, size_t node, const struct dht_krpc *msg)
{
    (void)all;
    (void)msg;
    puts_sent += node == 3;
}

// What other software has put in the place of a key's own record is refused each time, and never
// replaced.
static void test_what_is_no_record_is_left_alone(void **state)
{
    (void)state;
    begin(12, 93);
    assert_int_equal(helper_publish(&brains, 3, "restored0", 443), 0);
    const struct core_publication *own = core_publication_table_find(
        &brains.nodes[3]->publications, brains.nodes[3]->clouds[0], key, (struct dht_span){0});
    helper_put_item(&brains, 7, "", own->seq + 1000, (struct dht_span){(const uint8_t *)"i5e", 3});
    puts_sent = 0;
    brains.on_put = count_puts;
    for (int i = 0; i < 5; i++) {
        node_network_changed(brains.nodes[3], brains.now_us);
        brains_run(&brains, MINUTE);
    }
    assert_int_equal(puts_sent, 0);
    assert_string_equal(own->last_error, "other software keeps something under this key that is no "
                                         "record of names");
    brains_fini(&brains);
}

// What brings a renewal forward costs no puts while all copies are there and fresh; the renewal
// itself does.
static void test_renewal_is_skipped_while_copies_are_fresh(void **state)
{
    (void)state;
    begin(32, 85);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_run(&brains, 60 * SECOND);
    puts_sent = 0;
    uint64_t skipped = helper_info(&brains, 3).counters.publish_skipped; // when they were read back
    brains.on_put = count_puts;
    node_network_changed(brains.nodes[3], brains.now_us);
    brains_run(&brains, 60 * SECOND);
    assert_int_equal(helper_info(&brains, 3).counters.publish_skipped, skipped + 2);
    assert_int_equal(puts_sent, 0);
    brains_run(&brains, HOUR);
    assert_true(puts_sent >= 40);
    brains_fini(&brains);
}

// For as long, the node hears nothing, and is not called.
static void sleep_for(size_t node, int64_t span_us)
{
    struct node *asleep = brains.nodes[node];
    brains.nodes[node] = NULL;
    brains_run(&brains, span_us);
    brains.nodes[node] = asleep;
}

// Who has slept looks at once whether all that it publishes is still there, and stores what is not
// as fresh as it should be.
static void test_sleep_is_followed_by_renewal(void **state)
{
    static const struct {
        const char *name;
        int64_t asleep_us;
        uint64_t rounds; // of the name and of its anchor
        bool puts;
    } rows[] = {
        {"a minute and a half", 90 * SECOND, 0, false},
        {"ten minutes", 10 * MINUTE, 2, false},
        {"half an hour", 30 * MINUTE, 2, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(32, 110 + i);
        assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
        brains_run(&brains, MINUTE);
        uint64_t before = helper_info(&brains, 3).counters.publish_rounds;
        sleep_for(3, rows[i].asleep_us);
        puts_sent = 0;
        brains.on_put = count_puts;
        brains_run(&brains, 10 * SECOND);
        uint64_t rounds = helper_info(&brains, 3).counters.publish_rounds - before;
        if (rounds != rows[i].rounds || (puts_sent >= 10) != rows[i].puts)
            fail_msg("%s: %u rounds, %u puts", rows[i].name, (unsigned)rounds, (unsigned)puts_sent);
        brains_fini(&brains);
    }
}

// What a clock that is behind has signed is signed anew as soon as the clock is right, whether
// something else brings a renewal forward or not.
static void test_renewal_mends_what_a_wrong_clock_signed(void **state)
{
    static const struct {
        const char *name;
        int64_t behind_us;
        bool restarts;
        bool network_changes;
    } rows[] = {
        {"a year", 365 * 24 * HOUR, false, false},
        {"a year, then a start", 365 * 24 * HOUR, true, false},
        {"a year, then another network", 365 * 24 * HOUR, false, true},
        {"an hour less than it was signed for", 2 * HOUR, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(32, 88 + i);
        brains_set_clock(&brains, -rows[i].behind_us);
        assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
        brains_run(&brains, 10 * SECOND);
        puts_sent = 0;
        brains.on_put = count_puts;
        brains_set_clock(&brains, rows[i].behind_us);
        if (rows[i].network_changes)
            node_network_changed(brains.nodes[3], brains.now_us);
        if (rows[i].restarts)
            restart(3);
        brains_run(&brains, 20 * SECOND);
        int found = helper_resolve(&brains, 20, helper_name(key, ".web"), "all");
        if (found != 443 || puts_sent < 10)
            fail_msg("%s: found %d, %u puts", rows[i].name, found, (unsigned)puts_sent);
        brains_fini(&brains);
    }
}

// A round that is under way at such a moment has read, or been given tokens, before it: another
// follows.
static void test_renewal_follows_a_round_under_way(void **state)
{
    (void)state;
    begin(32, 96);
    brains_run(&brains, 20 * SECOND);
    brains.disks[3]->stuck = true;
    uint32_t id = brains_publish(&brains, 3, "restored0", 443, NULL);
    brains_run(&brains, 5 * SECOND);
    assert_int_equal(helper_info(&brains, 3).counters.publish_rounds, 1);
    node_network_changed(brains.nodes[3], brains.now_us);
    brains_unstick(&brains, 3);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    brains_run(&brains, 20 * SECOND);
    assert_int_equal(helper_info(&brains, 3).counters.publish_rounds, 2);
    assert_int_equal(helper_info(&brains, 3).counters.publish_skipped, 1); // all was well
    brains_fini(&brains);
}

// A clock that is set back says nothing against what was signed before: others find it as ever.
static void test_clock_set_back_renews_nothing(void **state)
{
    (void)state;
    begin(32, 95);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_run(&brains, 60 * SECOND);
    puts_sent = 0;
    brains.on_put = count_puts;
    brains_set_clock(&brains, -365 * 24 * HOUR);
    node_network_changed(brains.nodes[3], brains.now_us);
    brains_run(&brains, 20 * SECOND);
    assert_int_equal(puts_sent, 0);
    brains_set_clock(&brains, 365 * 24 * HOUR);
    brains_run(&brains, 20 * SECOND);
    assert_int_equal(puts_sent, 0);
    assert_int_equal(helper_resolve(&brains, 20, helper_name(key, ".web"), "all"), 443);
    brains_fini(&brains);
}

// Who is alone is told so, and what he wants is not forgotten.
static void test_offline_wish_is_kept(void **state)
{
    uint8_t lone_key[32];
    (void)state;
    brains_init(&brains, 1, 86);
    brains_add_key(&brains, 0, "restored0", 7, lone_key);
    assert_int_equal(helper_publish(&brains, 0, "restored0", 443), CONTROL_ERROR_TIMED_OUT);
    assert_int_equal(rows_of(0, NODE_ROW_PUBLICATION), 1);
    restart(0);
    assert_int_equal(helper_info(&brains, 0).publications, 1);
    brains_fini(&brains);
}

// ---- sequence numbers and other writers ----

static void test_sequence_numbers_seen(void **state)
{
    static const struct {
        const char *name;
        int64_t seen;
        int code;
    } rows[] = {
        {"far above ours", INT64_C(2000000000000000), 0},
        {"last but one", CORE_SEQ_MAX - 2, 0},
        {"near its end", CORE_SEQ_MAX - 1, CONTROL_ERROR_REFUSED},
        {"beyond", CORE_SEQ_MAX, CONTROL_ERROR_REFUSED},
        {"at the very end", INT64_MAX, CONTROL_ERROR_REFUSED},
    };
    uint8_t value[1000];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(12, 90);
        size_t len = helper_pkarr(key, value);
        helper_put_item(&brains, 7, "web", rows[i].seen, (struct dht_span){value, len});
        uint32_t id = brains_publish(&brains, 3, "restored0.web", 443, NULL);
        int code = helper_end(&brains, 3, id);
        if (code != rows[i].code)
            fail_msg("%s: %d", rows[i].name, code);
        if (code == 0)
            assert_int_equal(helper_number(brains_wait(&brains, 3, id), CONTROL_KEY_SEQ),
                             rows[i].seen + 1);
        else
            assert_int_equal(helper_info(&brains, 3).counters.seq_refused, 1);
        brains_fini(&brains);
    }
}

static void test_two_machines_with_one_key(void **state)
{
    uint8_t same[32];
    (void)state;
    begin(16, 91);
    brains_add_key(&brains, 5, "restored0", 7, same);
    uint32_t first = brains_publish(&brains, 3, "restored0.web", 1000, NULL);
    uint32_t second = brains_publish(&brains, 5, "restored0.web", 2000, NULL);
    assert_int_equal(helper_end(&brains, 3, first), 0);
    assert_int_equal(helper_end(&brains, 5, second), 0);
    brains_run(&brains, 2 * HOUR); // both have renewed
    uint32_t id = brains_resolve(&brains, 8, helper_name(key, ".web"), "all");
    assert_int_equal(helper_end(&brains, 8, id), 0);
    assert_int_equal(brains_count(&brains, 8, id, CONTROL_ANSWER_RESULT), 2);
    // One of them is withdrawn: the other stays.
    assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), 0);
    assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"), 2000);
    brains_fini(&brains);
}

static void test_list_waits_for_a_slow_reader(void **state)
{
    char label[32];
    (void)state;
    begin(8, 92);
    for (int i = 0; i < 30; i++) {
        snprintf(label, sizeof label, "restored0.a%d", i);
        assert_int_equal(helper_publish(&brains, 3, label, 1), 0);
    }
    brains.nodes[3]->config.session_out_max = 4096;
    uint32_t id = brains_ask(&brains, 3, "publications", NULL, NULL);
    const struct brains_answer *end = brains_wait(&brains, 3, id);
    assert_int_equal(end->kind, CONTROL_ANSWER_DONE);
    assert_int_equal(helper_number(end, CONTROL_KEY_COUNT), 30);
    assert_int_equal(brains_count(&brains, 3, id, CONTROL_ANSWER_RESULT), 30);
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_change_changes_nothing),
        cmocka_unit_test(test_failed_publication_leaves_nothing),
        cmocka_unit_test(test_failed_withdrawal_can_be_repeated),
        cmocka_unit_test(test_cancelled_at_every_moment),
        cmocka_unit_test(test_replaced_while_under_way),
        cmocka_unit_test(test_many_timers_at_once),
        cmocka_unit_test(test_anchor_stays_while_it_is_needed),
        cmocka_unit_test(test_foreign_record_is_renewed_and_carried_over),
        cmocka_unit_test(test_what_is_no_record_is_left_alone),
        cmocka_unit_test(test_renewal_is_skipped_while_copies_are_fresh),
        cmocka_unit_test(test_sleep_is_followed_by_renewal),
        cmocka_unit_test(test_renewal_mends_what_a_wrong_clock_signed),
        cmocka_unit_test(test_renewal_follows_a_round_under_way),
        cmocka_unit_test(test_clock_set_back_renews_nothing),
        cmocka_unit_test(test_offline_wish_is_kept),
        cmocka_unit_test(test_sequence_numbers_seen),
        cmocka_unit_test(test_two_machines_with_one_key),
        cmocka_unit_test(test_list_waits_for_a_slow_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
