// SPDX-License-Identifier: MIT
#include "simnet/churn.h"

#include "simnet/host.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAP_MAX 64
#define DEAD_DRAWS    16 // tries to find a machine that is off

enum flag {
    PRESENT = 1, // would be up, if it were not lost
    LOST = 2,
    EXEMPT = 4,
};

// What a task is for, above the place of the machine in the table of flags.
enum verb { LEAVE, RETURN, LOSE, LOSE_IN_ORDER, BRING_BACK };
#define VERB_SHIFT 32

struct simnet_churn {
    struct simnet_world *world;
    struct simnet_churn_config config;
    struct simnet_churn_counters counters;
    struct simnet_stream stream;
    struct simnet_stream loss_stream;
    uint32_t first, count; // of the machines there were
    uint32_t added_first, added_count;
    struct simnet_churn_loss *losses;
    uint32_t loss_count;
    uint8_t *flags; // of the machines there were, then of those added
    bool is_calm;
};

void simnet_churn_config_init(struct simnet_churn_config *config)
{
    *config = (struct simnet_churn_config){
        .session_median_us = 60.0 * (double)SIMNET_MINUTE_US,
        .session_shape = 0.5,
        .gap_median_us = 10.0 * (double)SIMNET_MINUTE_US,
        .gap_shape = 0.5,
        .crash_share = 0.5,
        .keeps_size = true,
    };
}

// ---- distributions ----

double simnet_churn_scale(double shape, double median)
{
    return median / pow(log(2), 1 / shape);
}

static double mean_of(double shape, double median)
{
    return simnet_churn_scale(shape, median) * tgamma(1 + 1 / shape);
}

// The gamma distribution with that shape, at least 1, and scale 1: Marsaglia and Tsang 2000.
static double draw_gamma(struct simnet_stream *stream, double shape)
{
    double d = shape - 1.0 / 3;
    double c = 1 / sqrt(9 * d);
    for (;;) {
        double x = simnet_stream_normal(stream);
        double v = 1 + c * x;
        double u = 1 - simnet_stream_unit(stream); // never 0
        v = v * v * v;
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double simnet_churn_residual(struct simnet_stream *stream, double shape, double scale)
{
    // Of a Weibull distributed time drawn by its length, its power of shape is gamma distributed.
    double whole = scale * pow(draw_gamma(stream, 1 + 1 / shape), 1 / shape);
    return whole * simnet_stream_unit(stream);
}

static int64_t draw_time(struct simnet_churn *churn, bool session)
{
    const struct simnet_churn_config *config = &churn->config;
    double shape = session ? config->session_shape : config->gap_shape;
    double median = session ? config->session_median_us : config->gap_median_us;
    double drawn = simnet_stream_weibull(&churn->stream, shape, simnet_churn_scale(shape, median));
    return (int64_t)fmin(drawn, 1e15); // 30 years
}

static int64_t draw_rest(struct simnet_churn *churn, bool session)
{
    const struct simnet_churn_config *config = &churn->config;
    double shape = session ? config->session_shape : config->gap_shape;
    double median = session ? config->session_median_us : config->gap_median_us;
    double drawn = simnet_churn_residual(&churn->stream, shape, simnet_churn_scale(shape, median));
    return (int64_t)fmin(drawn, 1e15);
}

// ---- machines ----

static struct simnet_machine *machine_at(const struct simnet_churn *churn, uint32_t at)
{
    uint32_t number =
        at < churn->count ? churn->first + at : churn->added_first + at - churn->count;
    return simnet_world_machine(churn->world, number);
}

static uint32_t total(const struct simnet_churn *churn)
{
    return churn->count + churn->added_count;
}

static struct simnet_machine *draw_off(struct simnet_churn *churn)
{
    for (int i = 0; i < DEAD_DRAWS; i++) {
        struct simnet_machine *machine =
            machine_at(churn, (uint32_t)simnet_stream_below(&churn->stream, total(churn)));
        if (machine->state == SIMNET_MACHINE_OFF)
            return machine;
    }
    return NULL;
}

static struct simnet_machine *draw_up(struct simnet_churn *churn)
{
    struct simnet_machine *machine =
        simnet_population_draw(churn->world, &churn->stream, churn->first, churn->count);
    if (machine == NULL && churn->added_count > 0)
        machine = simnet_population_draw(churn->world, &churn->stream, churn->added_first,
                                         churn->added_count);
    return machine;
}

static void start(struct simnet_churn *churn, struct simnet_machine *machine)
{
    uint32_t known[BOOTSTRAP_MAX];
    size_t count = 0;
    if (machine->state != SIMNET_MACHINE_OFF)
        return;
    for (uint32_t i = 0; i < machine->profile->bootstrap_count && i < BOOTSTRAP_MAX; i++) {
        struct simnet_machine *other = NULL;
        if (simnet_stream_chance(&churn->stream, churn->config.dead_share))
            other = draw_off(churn);
        if (other == NULL)
            other = draw_up(churn);
        if (other != NULL && other != machine)
            known[count++] = other->number;
    }
    simnet_machine_start(machine, known, count);
}

static void give_address(struct simnet_churn *churn, struct simnet_machine *machine)
{
    if (machine->way_out != NULL)
        return; // what finds it knows it by its address
    for (uint8_t i = 0; i < machine->address_count; i++) {
        struct dht_addr addr =
            simnet_population_near(churn->world, &churn->stream, &machine->addrs[i]);
        simnet_machine_move(machine, i, &addr);
    }
}

static void come_back(struct simnet_churn *churn, struct simnet_machine *machine)
{
    const struct simnet_churn_config *config = &churn->config;
    double kind = simnet_stream_unit(&churn->stream);
    uint64_t *counter = &churn->counters.returned;
    if (kind < config->fresh_share) {
        simnet_disk_wipe(simnet_host_disk(machine));
        counter = &churn->counters.fresh;
    } else if (kind < config->fresh_share + config->moved_share) {
        counter = &churn->counters.moved;
    }
    if (counter != &churn->counters.returned)
        give_address(churn, machine);
    *counter += 1;
    start(churn, machine);
}

static void leave(struct simnet_churn *churn, struct simnet_machine *machine)
{
    bool crashes = simnet_stream_chance(&churn->stream, churn->config.crash_share);
    *(crashes ? &churn->counters.crashed : &churn->counters.stopped) += 1;
    if (crashes)
        simnet_machine_crash(machine);
    else
        simnet_machine_stop(machine);
}

// ---- tasks ----

static void act(struct simnet_world *world, void *ctx, uint64_t number);

static void plan(struct simnet_churn *churn, enum verb verb, uint32_t at, int64_t ahead_us)
{
    simnet_world_at(churn->world, simnet_world_now(churn->world) + ahead_us, act, churn,
                    (uint64_t)verb << VERB_SHIFT | at);
}

static void do_leave(struct simnet_churn *churn, uint32_t at)
{
    if (churn->is_calm || (churn->flags[at] & EXEMPT))
        return;
    churn->flags[at] &= (uint8_t)~PRESENT;
    if (!(churn->flags[at] & LOST) && machine_at(churn, at)->state != SIMNET_MACHINE_OFF)
        leave(churn, machine_at(churn, at));
    plan(churn, RETURN, at, draw_time(churn, false));
}

static void do_return(struct simnet_churn *churn, uint32_t at)
{
    if (churn->flags[at] & EXEMPT)
        return;
    churn->flags[at] |= PRESENT;
    if (!(churn->flags[at] & LOST) && machine_at(churn, at)->state == SIMNET_MACHINE_OFF)
        come_back(churn, machine_at(churn, at));
    plan(churn, LEAVE, at, draw_time(churn, true));
}

static void do_lose(struct simnet_churn *churn, uint32_t at, bool in_order)
{
    struct simnet_machine *machine = machine_at(churn, at);
    if (machine->state == SIMNET_MACHINE_OFF)
        return; // it left before
    churn->flags[at] |= LOST;
    churn->counters.lost++;
    if (in_order)
        simnet_machine_stop(machine);
    else
        simnet_machine_crash(machine);
}

static void do_bring_back(struct simnet_churn *churn, uint32_t at)
{
    bool was_lost = (churn->flags[at] & LOST) != 0;
    churn->flags[at] &= (uint8_t)~LOST;
    if (!was_lost || !(churn->flags[at] & PRESENT))
        return; // it would have left meanwhile
    churn->counters.back++;
    start(churn, machine_at(churn, at));
}

static void act(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_churn *churn = ctx;
    uint32_t at = (uint32_t)number;
    (void)world;
    switch ((enum verb)(number >> VERB_SHIFT)) {
    case LEAVE:
        do_leave(churn, at);
        return;
    case RETURN:
        do_return(churn, at);
        return;
    case LOSE:
        do_lose(churn, at, false);
        return;
    case LOSE_IN_ORDER:
        do_lose(churn, at, true);
        return;
    case BRING_BACK:
        do_bring_back(churn, at);
        return;
    }
}

// ---- the beginning ----

static uint32_t spares_of(const struct simnet_churn_config *config, uint32_t count)
{
    if (config->session_median_us <= 0 || !config->keeps_size)
        return 0;
    double share = mean_of(config->gap_shape, config->gap_median_us) /
                   mean_of(config->session_shape, config->session_median_us);
    return (uint32_t)llround(share * count);
}

// Machines like those there are, which are away.
static void add_spares(struct simnet_churn *churn)
{
    uint32_t count = spares_of(&churn->config, churn->count);
    churn->added_first = simnet_world_machines(churn->world);
    for (uint32_t i = 0; i < count; i++) {
        const struct simnet_machine *like = simnet_world_machine(
            churn->world,
            churn->first + (uint32_t)simnet_stream_below(&churn->stream, churn->count));
        simnet_population_add_like(churn->world, &churn->stream, like);
    }
    churn->added_count = count;
}

struct simnet_churn *simnet_churn_new(struct simnet_world *world,
                                      const struct simnet_churn_config *config, uint32_t first,
                                      uint32_t count)
{
    struct simnet_churn *churn = simnet_world_need(calloc(1, sizeof *churn));
    churn->world = world;
    churn->config = *config;
    churn->first = first;
    churn->count = count;
    simnet_stream_init(&churn->stream, simnet_world_seed(world), "churn", first);
    simnet_stream_init(&churn->loss_stream, simnet_world_seed(world), "loss of many", first);
    if (count > 0)
        add_spares(churn);
    churn->flags = simnet_world_need(calloc(total(churn) + 1, sizeof *churn->flags));
    for (uint32_t at = 0; at < total(churn); at++) {
        const struct simnet_machine *machine = machine_at(churn, at);
        bool is_up = machine->state != SIMNET_MACHINE_OFF;
        churn->flags[at] = is_up ? PRESENT : 0;
        if (!machine->is_honest)
            churn->flags[at] |= EXEMPT;
        if (config->session_median_us <= 0 || !machine->is_honest)
            continue;
        plan(churn, is_up ? LEAVE : RETURN, at, draw_rest(churn, is_up));
    }
    return churn;
}

void simnet_churn_free(struct simnet_churn *churn)
{
    if (churn == NULL)
        return;
    free(churn->flags);
    free(churn->losses);
    free(churn);
}

// NULL: it is none of them.
static uint8_t *flags_of(struct simnet_churn *churn, uint32_t number)
{
    if (number >= churn->first && number - churn->first < churn->count)
        return &churn->flags[number - churn->first];
    if (number >= churn->added_first && number - churn->added_first < churn->added_count)
        return &churn->flags[churn->count + number - churn->added_first];
    return NULL;
}

static void set_flag(struct simnet_churn *churn, uint32_t number, enum flag flag, bool is_on)
{
    uint8_t *flags = flags_of(churn, number);
    if (flags != NULL)
        *flags = (uint8_t)(is_on ? *flags | flag : *flags & ~flag);
}

void simnet_churn_exempt(struct simnet_churn *churn, uint32_t number)
{
    set_flag(churn, number, EXEMPT, true);
}

void simnet_churn_take(struct simnet_churn *churn, uint32_t number)
{
    set_flag(churn, number, LOST, true);
}

void simnet_churn_give(struct simnet_churn *churn, uint32_t number)
{
    set_flag(churn, number, LOST, false);
}

void simnet_churn_recover(struct simnet_churn *churn)
{
    for (uint32_t at = 0; at < total(churn); at++)
        if (churn->flags[at] & LOST)
            do_bring_back(churn, at);
}

void simnet_churn_calm(struct simnet_churn *churn)
{
    churn->is_calm = true;
}

// ---- many at once ----

static void lose(struct simnet_churn *churn, const struct simnet_churn_loss *loss, uint32_t at)
{
    struct simnet_stream *stream = &churn->loss_stream;
    if (loss->over_us == 0)
        do_lose(churn, at, loss->in_order);
    else
        plan(churn, loss->in_order ? LOSE_IN_ORDER : LOSE, at,
             (int64_t)simnet_stream_below(stream, (uint64_t)loss->over_us));
    if (loss->back_us > 0)
        plan(churn, BRING_BACK, at,
             loss->back_us + (int64_t)simnet_stream_below(stream, (uint64_t)loss->back_over_us));
}

// Draws who is lost, at the time when it happens.
static void begin_loss(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_churn *churn = ctx;
    struct simnet_churn_loss loss = churn->losses[number];
    (void)world;
    for (uint32_t at = 0; at < total(churn); at++)
        if (machine_at(churn, at)->state != SIMNET_MACHINE_OFF && !(churn->flags[at] & EXEMPT) &&
            simnet_stream_chance(&churn->loss_stream, loss.share))
            lose(churn, &loss, at);
}

void simnet_churn_lose(struct simnet_churn *churn, const struct simnet_churn_loss *loss)
{
    assert(loss->over_us >= 0 && loss->back_us >= 0 && loss->back_over_us >= 0);
    churn->losses =
        simnet_world_need(realloc(churn->losses, (churn->loss_count + 1) * sizeof *churn->losses));
    churn->losses[churn->loss_count] = *loss;
    simnet_world_at(churn->world, loss->at_us, begin_loss, churn, churn->loss_count++);
}

// ---- looking in ----

const struct simnet_churn_counters *simnet_churn_counters(const struct simnet_churn *churn)
{
    return &churn->counters;
}

uint32_t simnet_churn_added(const struct simnet_churn *churn, uint32_t *ret_first)
{
    *ret_first = churn->added_first;
    return churn->added_count;
}

uint32_t simnet_churn_up(const struct simnet_churn *churn)
{
    uint32_t up = 0;
    for (uint32_t at = 0; at < total(churn); at++)
        up += machine_at(churn, at)->state != SIMNET_MACHINE_OFF;
    return up;
}
