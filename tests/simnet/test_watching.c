// SPDX-License-Identifier: MIT
// Watching in networks of a few hundred machines: what is put again reaches everybody who watches
// it, though keepers crash and datagrams are lost, and whoever stops watching, or vanishes, leaves
// nothing behind: of engines alone, and of whole nodes, from the session of who changes a name to
// the sessions of those who watch it.
#include "dht/engine.h"
#include "dht/krpc.h"
#include "dht/watch.h"
#include "simnet/audience.h"
#include "simnet/checker.h"
#include "simnet/crypto.h"
#include "simnet/latency.h"
#include "simnet/loss.h"
#include "simnet/population.h"
#include "simnet/truth.h"
#include "tests/dht/strict.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MACHINES 300
#define WATCHERS 60
#define STEP_US  (SIMNET_SECOND_US / 50)

// What a user may have to wait for: a lookup of the name; a put by a whole lookup, and its pushes;
// a change of a name that its node stored before, told by pushes, the median and the last of all;
// two polls.
#define LOOKUP_MOST_US (3 * SIMNET_SECOND_US)
#define PUT_MOST_US    (6 * SIMNET_SECOND_US)
#define HALF_US        (SIMNET_SECOND_US / 2)
#define MOST_US        (4 * SIMNET_SECOND_US)
#define POLLS_US       (60 * SIMNET_SECOND_US)

static const uint8_t secret[32] = "the secret of a watched name";

struct scene {
    struct simnet_world *world;
    struct simnet_checker *checker;
    uint32_t first; // machine
    uint32_t ops[WATCHERS];
    int64_t reached_us[WATCHERS]; // after the put; -1: not yet
    struct dht_id target;
    bool poll_only;
};

static struct dht *engine_of(const struct scene *scene, uint32_t number)
{
    return node_engine(simnet_world_machine(scene->world, scene->first + number)->node, 0);
}

// Watchers are the machines from 100 on.
static struct simnet_machine *watcher_of(const struct scene *scene, uint32_t number)
{
    return simnet_world_machine(scene->world, scene->first + 100 + number);
}

static void put(struct scene *scene, uint32_t number, int64_t seq)
{
    static const uint8_t value[] = "12:a new record";
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    struct dht_item item = {.is_mutable = true, .seq = seq, .value = {value, sizeof value - 1}};
    simnet_crypto_public(SIMNET_SIGNATURE_CHEAP, secret, item.key);
    struct dht_span key = {item.key, sizeof item.key};
    simnet_crypto_sha1(NULL, &key, 1, item.target.bytes);
    size_t len = dht_krpc_signed_text(item.salt, seq, item.value, text);
    simnet_crypto_sign(SIMNET_SIGNATURE_CHEAP, secret, item.key, (struct dht_span){text, len},
                       item.sig);
    struct simnet_machine *machine = simnet_world_machine(scene->world, scene->first + number);
    int64_t now_us = simnet_machine_enter(machine);
    assert_true(dht_put(node_engine(machine->node, 0), now_us, &item, DHT_SEQ_NONE, 0) != 0);
    simnet_machine_settle(machine);
    scene->target = item.target;
}

static void watch_all(struct scene *scene)
{
    for (uint32_t i = 0; i < WATCHERS; i++) {
        struct simnet_machine *machine = watcher_of(scene, i);
        struct dht_watch watch = {
            .target = scene->target, .seq_known = DHT_SEQ_NONE, .poll_only = scene->poll_only};
        int64_t now_us = simnet_machine_enter(machine);
        scene->ops[i] = dht_watch(node_engine(machine->node, 0), now_us, &watch);
        assert_true(scene->ops[i] != 0);
        // The brain knows of no such operation; what it hears while it works it passes over.
        struct dht_out out;
        while (dht_next_event(node_engine(machine->node, 0), &out))
            continue;
        simnet_machine_settle(machine);
    }
}

static void run(struct scene *scene, int64_t duration_us)
{
    simnet_world_run(scene->world, simnet_world_now(scene->world) + duration_us);
}

// Runs until all watchers know the item, or for so long; returns how many do.
static uint32_t run_until_told(struct scene *scene, int64_t seq, int64_t most_us)
{
    int64_t begun_us = simnet_world_now(scene->world);
    uint32_t told = 0;
    for (uint32_t i = 0; i < WATCHERS; i++)
        scene->reached_us[i] = -1;
    while (told < WATCHERS && simnet_world_now(scene->world) - begun_us < most_us) {
        run(scene, STEP_US);
        for (uint32_t i = 0; i < WATCHERS; i++) {
            const struct simnet_machine *machine = watcher_of(scene, i);
            const struct dht_watching *watching =
                dht_watch_find(node_engine(machine->node, 0), scene->ops[i]);
            if (scene->reached_us[i] >= 0 || watching->seq_known < seq)
                continue;
            scene->reached_us[i] = simnet_world_now(scene->world) - begun_us;
            told++;
        }
    }
    return told;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// So many percent of the watchers were told within this.
static int64_t quantile_us(const struct scene *scene, uint32_t percent)
{
    int64_t sorted[WATCHERS];
    memcpy(sorted, scene->reached_us, sizeof sorted);
    qsort(sorted, WATCHERS, sizeof sorted[0], compare);
    return sorted[(WATCHERS - 1) * percent / 100];
}

static const char *judge(struct dht_span datagram, enum dht_family family)
{
    return strict_check(datagram, &(struct strict_rules){.family = family});
}

static struct scene begin(uint64_t seed, double loss)
{
    static struct simnet_profile profile; // has to outlive the machines
    struct scene scene = {.world = simnet_world_new(seed)};
    simnet_world_internet(scene.world, simnet_latency_internet(seed));
    if (loss > 0)
        simnet_world_internet(scene.world, simnet_loss_new(seed, loss));
    struct simnet_checker_config checks;
    simnet_checker_config_init(&checks);
    checks.parts = SIMNET_CHECKER_BOUNDS | SIMNET_CHECKER_DATAGRAMS;
    checks.judge = judge;
    scene.checker = simnet_checker_new(scene.world, &checks);
    simnet_profile_init(&profile);
    scene.first = simnet_population_join(scene.world, &profile, MACHINES, SIMNET_MINUTE_US);
    run(&scene, 3 * SIMNET_MINUTE_US);
    put(&scene, 3, 1);
    run(&scene, 20 * SIMNET_SECOND_US);
    return scene;
}

// No node has held or sent more than it may, and all that was sent was sound.
static void end(struct twice *twice, struct scene *scene)
{
    simnet_checker_finish(scene->checker);
    uint64_t failures = simnet_checker_failures(scene->checker);
    if (failures > 0)
        fail_msg("%u failures: %s", (unsigned)failures, simnet_checker_line(scene->checker, 0));
    twice_end(twice, scene->world);
    simnet_checker_free(scene->checker);
}

// All that machines keep for watchers, but for one machine's.
static uint32_t watchers_left(const struct scene *scene)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < MACHINES; i++) {
        const struct simnet_machine *machine = simnet_world_machine(scene->world, scene->first + i);
        struct dht_info info;
        if (machine->node == NULL)
            continue;
        dht_info(node_engine(machine->node, 0), &info);
        left += info.watchers + info.pushes;
        assert_in_range(info.watchers, 0, WATCHERS);
        const struct dht *dht = engine_of(scene, i);
        if (dht->watchers != NULL)
            dht_watcher_check(dht->watchers);
    }
    return left;
}

// Of the nodes closest to the target, so many crash, but for the watchers themselves.
static void crash_keepers(const struct scene *scene, uint32_t count)
{
    struct simnet_truth_node closest[DHT_CLOSEST_MAX];
    struct simnet_truth *truth = simnet_truth_new(scene->world, DHT_IPV4);
    simnet_truth_take(truth);
    size_t found =
        simnet_truth_closest(truth, &scene->target, SIMNET_TRUTH_NOBODY, DHT_CLOSEST_MAX, closest);
    for (size_t i = 0; i < found && count > 0; i++) {
        uint32_t number = closest[i].machine - scene->first;
        if (number < 10 || (number >= 100 && number < 100 + WATCHERS))
            continue;
        simnet_machine_crash(simnet_world_machine(scene->world, closest[i].machine));
        count--;
    }
    simnet_truth_free(truth);
}

static void check_told(struct twice *twice, struct scene *scene, int64_t seq, int64_t most_us)
{
    uint32_t told = run_until_told(scene, seq, most_us);
    if (told != WATCHERS)
        fail_msg("item %d reached %u of %u", (int)seq, told, WATCHERS);
    twice_note(twice, "p50", (uint64_t)quantile_us(scene, 50));
    twice_note(twice, "p99", (uint64_t)quantile_us(scene, 99));
    print_message("item %d: p50 %lld ms, p99 %lld ms\n", (int)seq,
                  (long long)quantile_us(scene, 50) / 1000,
                  (long long)quantile_us(scene, 99) / 1000);
}

static void test_pushed(struct twice *twice)
{
    struct scene scene = begin(11, 0.05);
    watch_all(&scene);
    check_told(twice, &scene, 1, LOOKUP_MOST_US);
    run(&scene, SIMNET_MINUTE_US);
    put(&scene, 3, 2);
    check_told(twice, &scene, 2, PUT_MOST_US);
    // Five of those that push crash; the others tell all the same.
    crash_keepers(&scene, 5);
    put(&scene, 4, 3);
    check_told(twice, &scene, 3, PUT_MOST_US);
    // Half an hour later the places of those that crashed are taken.
    run(&scene, 30 * SIMNET_MINUTE_US);
    put(&scene, 5, 4);
    check_told(twice, &scene, 4, PUT_MOST_US);
    end(twice, &scene);
}

// Whoever vanishes is forgotten when his lease is over, at the latest; whoever ends his watch, at
// once.
static void test_nothing_left(struct twice *twice)
{
    struct scene scene = begin(12, 0.02);
    watch_all(&scene);
    check_told(twice, &scene, 1, LOOKUP_MOST_US);
    run(&scene, SIMNET_MINUTE_US);
    assert_in_range(watchers_left(&scene), 6 * WATCHERS, 9 * WATCHERS);
    for (uint32_t i = 0; i < WATCHERS; i += 2)
        simnet_machine_crash(watcher_of(&scene, i));
    for (uint32_t i = 1; i < WATCHERS; i += 2) {
        struct simnet_machine *machine = watcher_of(&scene, i);
        simnet_machine_enter(machine);
        dht_cancel(node_engine(machine->node, 0), scene.ops[i]);
        simnet_machine_settle(machine);
    }
    // Those who vanished are pushed three times in vain.
    put(&scene, 3, 2);
    run(&scene, SIMNET_MINUTE_US);
    assert_in_range(watchers_left(&scene), 0, WATCHERS);
    run(&scene, 1080 * SIMNET_SECOND_US);
    assert_int_equal(watchers_left(&scene), 0);
    end(twice, &scene);
}

// Where nobody pushes, polling finds what is new within its interval.
static void test_polled(struct twice *twice)
{
    struct scene scene = begin(13, 0.02);
    scene.poll_only = true;
    watch_all(&scene);
    check_told(twice, &scene, 1, LOOKUP_MOST_US);
    assert_int_equal(watchers_left(&scene), 0);
    run(&scene, 5 * SIMNET_MINUTE_US);
    put(&scene, 3, 2);
    check_told(twice, &scene, 2, POLLS_US + PUT_MOST_US);
    assert_int_equal(watchers_left(&scene), 0);
    end(twice, &scene);
}

// ---- whole nodes ----

struct show {
    struct simnet_profile profile;
    struct simnet_world *world;
    struct simnet_checker *checker;
    struct simnet_audience *audience;
};

static void pass(struct show *show, int64_t duration_us)
{
    simnet_world_run(show->world, simnet_world_now(show->world) + duration_us);
}

// A network in which names are published and watched; its profile was made. 5 % are lost.
static void open_show(struct show *show, uint64_t seed, const struct simnet_audience_config *config)
{
    struct simnet_audience_config audience = *config;
    struct simnet_checker_config checks;
    show->world = simnet_world_new(seed);
    simnet_world_internet(show->world, simnet_latency_internet(seed));
    simnet_world_internet(show->world, simnet_loss_new(seed, 0.05));
    simnet_checker_config_init(&checks);
    checks.parts = SIMNET_CHECKER_BOUNDS;
    checks.sample_us = SIMNET_SECOND_US;
    checks.sample = 100;
    show->checker = simnet_checker_new(show->world, &checks);
    audience.count = MACHINES;
    audience.first =
        simnet_population_join(show->world, &show->profile, MACHINES, SIMNET_MINUTE_US);
    pass(show, 3 * SIMNET_MINUTE_US);
    show->audience = simnet_audience_new(show->world, &audience, 20 * SIMNET_SECOND_US);
    pass(show, SIMNET_MINUTE_US);
    simnet_audience_follow(show->audience, 20 * SIMNET_SECOND_US);
    pass(show, SIMNET_MINUTE_US);
}

// Each name changes: all who are there are told within most_us, the median within half_us.
static void check_show(struct twice *twice, struct show *show, int64_t half_us, int64_t most_us)
{
    struct simnet_audience_told told;
    simnet_audience_change(show->audience, SIMNET_SECOND_US / 20);
    pass(show, most_us + SIMNET_MINUTE_US);
    simnet_audience_told(show->audience, &told);
    uint64_t p50_us = simnet_tally_percentile(&told.us, 0.5);
    uint64_t p99_us = simnet_tally_percentile(&told.us, 0.99);
    print_message("%u of %u told, p50 %u ms, p99 %u ms, most %u ms\n", told.told, told.watches,
                  (unsigned)(p50_us / 1000), (unsigned)(p99_us / 1000),
                  (unsigned)(told.us.max / 1000));
    assert_true(told.watches > 0);
    assert_int_equal(told.told, told.watches);
    assert_in_range(p50_us, 1, half_us);
    assert_in_range(told.us.max, 1, most_us);
    twice_note(twice, "told", told.told);
    twice_note(twice, "p50", p50_us);
    twice_note(twice, "p99", p99_us);
    simnet_tally_free(&told.us);
}

static void close_show(struct twice *twice, struct show *show)
{
    simnet_checker_finish(show->checker);
    uint64_t failures = simnet_checker_failures(show->checker);
    if (failures > 0)
        fail_msg("%u failures: %s", (unsigned)failures, simnet_checker_line(show->checker, 0));
    twice_end(twice, show->world);
    simnet_audience_free(show->audience);
    simnet_checker_free(show->checker);
}

static struct simnet_audience_left left_of(const struct show *show)
{
    struct simnet_audience_left left;
    simnet_audience_left(show->audience, &left);
    return left;
}

static void test_told_by_sessions(struct twice *twice)
{
    struct show show = {0};
    simnet_profile_init(&show.profile);
    open_show(&show, 21, &(struct simnet_audience_config){.names = 20, .watchers = 8});
    check_show(twice, &show, HALF_US, MOST_US);
    close_show(twice, &show);
}

// More than can be pushed to at a time: the others wait for their turn.
static void test_crowd(struct twice *twice)
{
    struct show show = {0};
    simnet_profile_init(&show.profile);
    show.profile.engine.pushes_max = 16;
    open_show(&show, 22, &(struct simnet_audience_config){.names = 1, .watchers = 200});
    assert_int_equal(left_of(&show).watches, 200);
    check_show(twice, &show, HALF_US, MOST_US);
    close_show(twice, &show);
}

static void test_one_watches_many(struct twice *twice)
{
    struct show show = {0};
    simnet_profile_init(&show.profile);
    open_show(&show, 23, &(struct simnet_audience_config){.names = 150, .is_one = true});
    assert_int_equal(left_of(&show).watches, 150);
    check_show(twice, &show, HALF_US, MOST_US);
    close_show(twice, &show);
}

// A network of nodes that refuse every watch.
static void test_refused(struct twice *twice)
{
    struct show show = {0};
    simnet_profile_init(&show.profile);
    show.profile.engine.watchers_max = 0;
    open_show(&show, 24, &(struct simnet_audience_config){.names = 10, .watchers = 8});
    assert_int_equal(left_of(&show).watchers, 0);
    check_show(twice, &show, POLLS_US / 3, POLLS_US);
    close_show(twice, &show);
}

// Whoever crashes, moves or vanishes, of those who watch and of those who keep their watches,
// leaves nothing behind, and the others are told of what changes.
static void test_nothing_left_of_nodes(struct twice *twice)
{
    struct show show = {0};
    const int64_t lease_us = 31 * SIMNET_MINUTE_US;
    simnet_profile_init(&show.profile);
    open_show(&show, 25, &(struct simnet_audience_config){.names = 4, .watchers = 18});
    assert_in_range(left_of(&show).watchers, 6 * 72, 8 * 72);
    assert_int_equal(left_of(&show).ghosts, 0);
    simnet_audience_strike_watchers(show.audience);
    assert_true(left_of(&show).ghosts > 0);
    pass(&show, 2 * SIMNET_MINUTE_US);
    check_show(twice, &show, HALF_US, MOST_US);
    assert_true(simnet_audience_strike_keepers(show.audience, 4) > 0);
    // Some have lost all of their keepers, and hear of it when they renew.
    check_show(twice, &show, HALF_US, 10 * SIMNET_MINUTE_US);
    pass(&show, lease_us);
    assert_int_equal(left_of(&show).ghosts, 0);
    check_show(twice, &show, HALF_US, MOST_US);
    simnet_audience_leave(show.audience);
    pass(&show, lease_us);
    struct simnet_audience_left left = left_of(&show);
    assert_int_equal(left.watches, 0);
    assert_int_equal(left.watchers, 0);
    assert_int_equal(left.pushes, 0);
    close_show(twice, &show);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(test_pushed),  twice_scenario(test_nothing_left),
        twice_scenario(test_polled),  twice_scenario(test_told_by_sessions),
        twice_scenario(test_crowd),   twice_scenario(test_one_watches_many),
        twice_scenario(test_refused), twice_scenario(test_nothing_left_of_nodes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
