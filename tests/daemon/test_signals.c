// SPDX-License-Identifier: MIT
// On Windows: what the system's threads tell reaches the loop.
#include "tests/daemon/unit.h"

#include "node/daemon/signals.h"
#include "node/daemon/signals_windows.h"
#include "node/daemon/thread.h"

#include <event2/event.h>

struct heard {
    int ends;
    int reloads;
    int resumes;
    const char *name;
};

static void on_end(void *ctx, const char *name)
{
    struct heard *heard = ctx;
    heard->ends++;
    heard->name = name;
}

static void on_reload(void *ctx)
{
    ((struct heard *)ctx)->reloads++;
}

static void on_resumed(void *ctx)
{
    ((struct heard *)ctx)->resumes++;
}

static const struct row {
    const char *name;
    void (*tell)(void);
    struct heard heard;
} * running;

static void tell_stop(void)
{
    daemon_signals_tell(DAEMON_SIGNALS_END, "STOP");
}

static void tell_reload(void)
{
    daemon_signals_tell(DAEMON_SIGNALS_RELOAD, NULL);
}

static void tell_resume(void)
{
    daemon_signals_tell_power(PBT_APMRESUMEAUTOMATIC);
    daemon_signals_tell_power(PBT_APMRESUMESUSPEND);
}

static void tell_resume_alone(void)
{
    daemon_signals_tell_power(PBT_APMRESUMESUSPEND);
}

static void tell_other_power(void)
{
    daemon_signals_tell_power(PBT_APMSUSPEND);
    daemon_signals_tell_power(PBT_APMPOWERSTATUSCHANGE);
    tell_reload(); // for the loop to have something
}

static void tell_all(void)
{
    tell_resume();
    tell_reload();
    tell_stop();
}

static const struct row rows[] = {
    {"stop", tell_stop, {.ends = 1, .name = "STOP"}},
    {"reload", tell_reload, {.reloads = 1}},
    {"both words of one wake are one", tell_resume, {.resumes = 1}},
    {"woken by hand", tell_resume_alone, {.resumes = 1}},
    {"other power events are none", tell_other_power, {.reloads = 1}},
    {"all at once", tell_all, {1, 1, 1, "STOP"}},
};

static void *run_row(void *ctx)
{
    running->tell();
    return ctx;
}

// late: the row is told before there is a set.
static void check_row(const struct row *row, bool late)
{
    struct heard heard = {.ends = 0};
    struct daemon_signals_calls calls = {on_end, on_reload, on_resumed, &heard};
    struct event_base *base = event_base_new();
    struct daemon_signals *signals = NULL;
    pthread_t thread;
    if (!late)
        signals = daemon_signals_new(base, &calls);
    running = row;
    assert_int_equal(pthread_create(&thread, NULL, run_row, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (late)
        signals = daemon_signals_new(base, &calls);
    assert_non_null(signals);
    event_base_loop(base, EVLOOP_ONCE);
    if (heard.ends != row->heard.ends || heard.reloads != row->heard.reloads ||
        heard.resumes != row->heard.resumes ||
        (row->heard.name != NULL && strcmp(heard.name, row->heard.name) != 0))
        fail_msg("row %s, late %d: %d ends, %d reloads, %d resumes", row->name, late, heard.ends,
                 heard.reloads, heard.resumes);
    daemon_signals_free(signals);
    event_base_free(base);
}

static void test_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        check_row(&rows[i], false);
        check_row(&rows[i], true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),
    };
    return unit_run(tests);
}
