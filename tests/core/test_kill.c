// SPDX-License-Identifier: MIT
// A publisher that is killed at every point: after its first output, after its second, and so on,
// each time started again from what its disk holds. No acknowledged publication is lost, and no
// sequence number goes back or is used for two records, whatever the clock does.
#include "tests/core/brains_helper.h"

#include <stdio.h>

#define NODES     12
#define PUBLISHER 3
#define READER    8
#define TARGETS   64
#define A_YEAR    (INT64_C(366) * 24 * HOUR)

static struct brains brains;

// ---- what went out: every put of the publisher, over all its lives ----

static struct {
    // One key: the salt tells the target.
    uint8_t salt[64];
    size_t salt_len;
    int64_t seq;
    uint8_t value[1000];
    size_t value_len;
} last[TARGETS];
static size_t target_count;
static uint64_t puts_seen;
static uint64_t seqs_seen;

static bool is_same_salt(size_t i, struct dht_span salt)
{
    return last[i].salt_len == salt.len &&
           (salt.len == 0 || memcmp(last[i].salt, salt.data, salt.len) == 0);
}

static void on_put(struct brains *all, size_t node, const struct dht_krpc *put)
{
    size_t i = 0;
    (void)all;
    if (node != PUBLISHER)
        return;
    puts_seen++;
    while (i < target_count && !is_same_salt(i, put->salt))
        i++;
    if (i == target_count) {
        assert_true(target_count < TARGETS);
        last[target_count++].seq = -1;
        last[i].salt_len = put->salt.len;
        if (put->salt.len > 0)
            memcpy(last[i].salt, put->salt.data, put->salt.len);
    }
    assert_true(put->seq >= last[i].seq);
    if (put->seq == last[i].seq) {
        assert_int_equal(put->value.len, last[i].value_len);
        assert_memory_equal(put->value.data, last[i].value, put->value.len);
        return;
    }
    seqs_seen++;
    last[i].seq = put->seq;
    last[i].value_len = put->value.len;
    memcpy(last[i].value, put->value.data, put->value.len);
}

// ---- killing ----

static long outputs_left; // until the publisher is killed; -1: not at all

static bool on_out(struct brains *all, size_t node, const struct node_out *out)
{
    (void)all;
    (void)out;
    if (node != PUBLISHER || outputs_left < 0)
        return true;
    if (outputs_left == 0)
        return false; // nothing leaves any more: not this one either
    outputs_left--;
    return true;
}

static void restart(void)
{
    brains_kill(&brains, PUBLISHER);
    outputs_left = -1;
    brains_start(&brains, PUBLISHER);
}

// Every other node forgets all that it stored: what the publisher's own disk says is all there is.
static void forget_everything(void)
{
    for (size_t i = 0; i < NODES; i++) {
        if (i == PUBLISHER)
            continue;
        brains_kill(&brains, i);
        brains.disks[i]->row_count = 0;
        brains_start(&brains, i);
    }
    brains_run(&brains, 20 * SECOND);
}

static bool is_published(const char *name, int port)
{
    for (int i = 0; i < 8; i++) {
        if (helper_resolve(&brains, READER, name, "all") == port)
            return true;
        brains_run(&brains, 2 * SECOND);
    }
    return false;
}

static void begin(uint64_t seed, uint8_t key[32])
{
    brains.on_put = on_put;
    brains.on_out = on_out;
    outputs_left = -1;
    target_count = 0;
    memset(last, 0, sizeof last);
    brains_init(&brains, NODES, seed);
    brains_add_key(&brains, PUBLISHER, "restored0", 7, key);
}

// Killed `after` outputs after it began to change the name. The change was acknowledged or not; the
// one before it was.
static void test_killed_while_publishing(void **state)
{
    uint8_t key[32];
    int kills = 0;
    int before_ack = 0;
    (void)state;
    begin(31, key);
    const char *name = helper_name(key, ".web");
    int acknowledged = 1000;
    assert_int_equal(helper_publish(&brains, PUBLISHER, "restored0.web", 1000), 0);
    for (long after = 0; after < 400; after++) {
        int next = 1001 + (int)after;
        if (after % 57 == 56) {
            brains_kill(&brains, PUBLISHER);
            brains_set_clock(&brains, after % 2 == 0 ? -A_YEAR : A_YEAR);
            forget_everything();
            brains_start(&brains, PUBLISHER);
            brains_run(&brains, 8 * SECOND);
        }
        outputs_left = after % 80;
        uint32_t id = brains_publish(&brains, PUBLISHER, "restored0.web", (uint16_t)next, NULL);
        brains_run(&brains, 1500 * 1000);
        bool done = brains_answer(&brains, PUBLISHER, id, CONTROL_ANSWER_DONE, 0) != NULL;
        restart();
        kills++;
        before_ack += !done;
        brains_run(&brains, 8 * SECOND);
        int port = helper_resolve(&brains, READER, name, "all");
        if (port != next && (done || port != acknowledged)) {
            brains_run(&brains, 20 * SECOND); // it may be trying again
            port = helper_resolve(&brains, READER, name, "all");
        }
        if (port != next && (done || port != acknowledged))
            fail_msg("killed after %ld outputs: resolves to %d, not %d%s", after, port, next,
                     done ? "" : " or the one before");
        acknowledged = port;
    }
    printf("killed %d times while publishing, %d before the answer; %llu puts, %llu sequence "
           "numbers\n",
           kills, before_ack, (unsigned long long)puts_seen, (unsigned long long)seqs_seen);
    brains_fini(&brains);
}

// Killed while it renews, after a restart and when the time for it has come.
static void test_killed_while_renewing(void **state)
{
    uint8_t key[32];
    int kills = 0;
    (void)state;
    begin(32, key);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "restored0.web", 443), 0);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "restored0", 444), 0);
    const char *name = helper_name(key, ".web");
    const char *own_name = helper_name(key, "");
    for (long after = 0; after < 600; after++) {
        outputs_left = after % 300;
        brains_run(&brains, after % 3 == 0 ? 40 * MINUTE : 4 * SECOND);
        if (after % 101 == 100)
            brains_set_clock(&brains, after % 2 == 0 ? -A_YEAR : A_YEAR);
        restart();
        kills++;
        if (after % 5 != 0)
            continue; // killed again before it is through with its first round
        brains_run(&brains, 8 * SECOND);
        if (!is_published(name, 443) || !is_published(own_name, 444))
            fail_msg("lost after %ld", after);
    }
    printf("killed %d times while renewing; %llu puts, %llu sequence numbers in all\n", kills,
           (unsigned long long)puts_seen, (unsigned long long)seqs_seen);
    brains_fini(&brains);
}

// A withdrawn name does not come back.
static void test_killed_while_withdrawing(void **state)
{
    uint8_t key[32];
    (void)state;
    begin(33, key);
    for (long after = 0; after < 60; after++) {
        char label[32];
        char classifier[16];
        snprintf(classifier, sizeof classifier, ".w%ld", after);
        snprintf(label, sizeof label, "restored0%s", classifier);
        assert_int_equal(helper_publish(&brains, PUBLISHER, label, 443), 0);
        outputs_left = after * 2;
        uint32_t id = brains_unpublish(&brains, PUBLISHER, label);
        brains_run(&brains, 1500 * 1000);
        bool done = brains_answer(&brains, PUBLISHER, id, CONTROL_ANSWER_DONE, 0) != NULL;
        restart();
        brains_run(&brains, 8 * SECOND);
        int port = helper_resolve(&brains, READER, helper_name(key, classifier), "all");
        if (port != -CONTROL_ERROR_NOT_FOUND && (done || port != 443))
            fail_msg("killed after %ld outputs: %d", after * 2, port);
        if (port == 443)
            assert_int_equal(helper_unpublish(&brains, PUBLISHER, label), 0);
    }
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_while_publishing),
        cmocka_unit_test(test_killed_while_renewing),
        cmocka_unit_test(test_killed_while_withdrawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
