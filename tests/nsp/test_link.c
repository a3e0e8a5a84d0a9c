// SPDX-License-Identifier: MIT
// The one connection of a process: requests over a real socket to a daemon that a test plays.
#include "nsp/link.h"
#include "tests/nsp/failing_memory.h"
#include "tests/nsp/fake_daemon.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "node/control/transport.h"
#include "pnr/winsock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define REQUESTS 256

// ---- how long the link waits, which the test sees (LINKER:--wrap) ----

unsigned __real_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms);
unsigned __wrap_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms);

static atomic_int longest_wait_ms;
static atomic_bool has_waited_in_vain;

unsigned __wrap_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms)
{
    if (timeout_ms > longest_wait_ms) {
        longest_wait_ms = timeout_ms;
    }
    unsigned seen = __real_nsp_platform_wait(socket, wants, wake, timeout_ms);
    has_waited_in_vain = has_waited_in_vain || seen == 0;
    return seen;
}

// ---- owners of requests ----

// What an owner has heard, one letter each: r result, p progress, d done, e error, U unreached,
// L lost, M memory, x released.
struct owner {
    struct nsp_link_request request;
    struct desk *desk;
    char heard[64];
    enum pnr_error error;
    int sent;
    bool knows_unreached;             // does not note it
    struct nsp_link_request *cancels; // at the first result
    struct nsp_link_request *starts;  // likewise
};

struct desk {
    struct nsp_lock lock;
    struct nsp_condition changed;
    struct failing_memory memory;
    struct fake_daemon *daemon;
    struct nsp_link *link;
    struct owner owners[REQUESTS];
};

static struct owner *owner_of(struct nsp_link_request *request)
{
    return (struct owner *)request; // its first member
}

static void note(struct owner *owner, char letter)
{
    nsp_lock_take(&owner->desk->lock);
    size_t len = strlen(owner->heard);
    owner->heard[len] = letter;
    nsp_condition_wake_all(&owner->desk->changed);
    nsp_lock_give(&owner->desk->lock);
}

static enum pnr_error send_resolve(struct nsp_link_request *request, struct pnr_client *client,
                                   uint32_t *ret_id)
{
    struct pnr_resolve resolve = {.name = "0.name"};
    owner_of(request)->sent++;
    return pnr_resolve(client, &resolve, ret_id);
}

static enum pnr_error send_nonsense(struct nsp_link_request *request, struct pnr_client *client,
                                    uint32_t *ret_id)
{
    struct pnr_resolve resolve = {.name = ""};
    (void)request;
    return pnr_resolve(client, &resolve, ret_id);
}

static void take_event(struct nsp_link_request *request, const struct pnr_event *event)
{
    struct owner *owner = owner_of(request);
    owner->error = event->error;
    if (event->type == PNR_EVENT_RESULT && owner->cancels != NULL) {
        nsp_link_cancel(owner->desk->link, owner->cancels);
    }
    if (event->type == PNR_EVENT_RESULT && owner->starts != NULL) {
        (void)nsp_link_start(owner->desk->link, owner->starts);
        owner->starts = NULL;
    }
    note(owner, "rpde"[event->type]);
}

static void take_loss(struct nsp_link_request *request, enum nsp_link_loss loss)
{
    if (loss != NSP_LINK_UNREACHED || !owner_of(request)->knows_unreached) {
        note(owner_of(request), "ULM"[loss]);
    }
}

static void take_release(struct nsp_link_request *request)
{
    note(owner_of(request), 'x');
}

static const struct nsp_link_sink sink = {send_resolve, take_event, take_loss, take_release, NULL};
static const struct nsp_link_sink nonsense = {send_nonsense, take_event, take_loss, take_release,
                                              NULL};

static struct desk *start(struct fake_daemon *daemon)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    nsp_lock_init(&desk->lock);
    nsp_condition_init(&desk->changed);
    failing_memory_init(&desk->memory, 0);
    desk->daemon = daemon;
    struct nsp_link_options options = {&desk->memory.memory, daemon->address};
    assert_int_equal(nsp_link_new(&options, &desk->link), 0);
    for (size_t i = 0; i < REQUESTS; i++) {
        desk->owners[i].desk = desk;
        desk->owners[i].request.sink = &sink;
    }
    return desk;
}

static void stop(struct desk *desk)
{
    nsp_link_close(desk->link);
    assert_int_equal(failing_memory_live(&desk->memory), 0);
    fake_daemon_stop(desk->daemon);
    nsp_condition_drop(&desk->changed);
    nsp_lock_drop(&desk->lock);
    free(desk);
}

static void begin(struct desk *desk, size_t index)
{
    assert_int_equal(nsp_link_start(desk->link, &desk->owners[index].request), 0);
}

// Waits until an owner has heard this; fails once it has heard something else.
static void expect(struct desk *desk, size_t index, const char *heard)
{
    struct owner *owner = &desk->owners[index];
    nsp_lock_take(&desk->lock);
    while (strlen(owner->heard) < strlen(heard)) {
        nsp_condition_wait(&desk->changed, &desk->lock);
    }
    bool same = strcmp(owner->heard, heard) == 0;
    nsp_lock_give(&desk->lock);
    if (!same) {
        fail_msg("%zu heard %s, not %s", index, owner->heard, heard);
    }
}

static struct desk *start_greeted(void)
{
    struct desk *desk = start(fake_daemon_start());
    begin(desk, 0);
    fake_daemon_accept(desk->daemon);
    fake_daemon_greet(desk->daemon);
    return desk;
}

// ---- tests ----

static void a_link_opens_nothing(void **state)
{
    (void)state;
    struct desk *desk = start(fake_daemon_start());
    struct nsp_link_info info = nsp_link_info(desk->link);
    assert_false(info.has_thread || info.connected);
    assert_int_equal(info.connections, 0);
    stop(desk);
}

static void an_absent_daemon_is_told_at_once(void **state)
{
    (void)state;
    struct desk *desk = start(fake_daemon_absent());
    assert_int_equal(nsp_link_start(desk->link, &desk->owners[0].request), WSASYSNOTREADY);
    struct nsp_link_info info = nsp_link_info(desk->link);
    assert_false(info.has_thread);
    assert_int_equal(info.connections, 0);
    assert_string_equal(desk->owners[0].heard, "");
    stop(desk);
}

static const struct answer_row {
    const char *name;
    const char *kinds; // what the daemon says
    const char *heard;
} answer_rows[] = {
    {"a result and the end", "rd", "rdx"},
    {"nothing found", "e", "ex"},
    {"progress", "ppd", "ppdx"},
    {"an error after results", "rre", "rrex"},
    {"what comes after the end", "drd", "dx"},
};

static void say(struct fake_daemon *daemon, uint32_t id, char kind)
{
    switch (kind) {
    case 'r':
        fake_daemon_answer(daemon, id, "result", fake_daemon_result('A', '1', 80, NULL));
        break;
    case 'p':
        fake_daemon_answer(daemon, id, "progress", "d4:step7:storinge");
        break;
    case 'd':
        fake_daemon_answer(daemon, id, "done", "d5:counti1ee");
        break;
    case 'f':
        fake_daemon_answer(daemon, id, "error", "d4:codei9e4:text4:fulle");
        break;
    default:
        fake_daemon_answer(daemon, id, "error", "d4:codei3e4:text6:nobodye");
        break;
    }
}

static void answers_come_in_their_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answer_rows / sizeof answer_rows[0]; i++) {
        const struct answer_row *row = &answer_rows[i];
        struct desk *desk = start_greeted();
        uint32_t id = fake_daemon_expect(desk->daemon, "resolve");
        for (const char *kind = row->kinds; *kind != '\0'; kind++) {
            say(desk->daemon, id, *kind);
        }
        // Another request says that all of it came in.
        begin(desk, 1);
        say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
        expect(desk, 1, "dx");
        if (strcmp(desk->owners[0].heard, row->heard) != 0) {
            fail_msg("%s: %s", row->name, desk->owners[0].heard);
        }
        assert_int_equal(desk->owners[0].request.state, NSP_LINK_IDLE);
        stop(desk);
    }
}

static void a_request_that_makes_no_sense_is_an_error(void **state)
{
    (void)state;
    struct desk *desk = start_greeted();
    desk->owners[1].request.sink = &nonsense;
    begin(desk, 1);
    expect(desk, 1, "ex");
    assert_int_equal(desk->owners[1].error, PNR_ERROR_USAGE);
    stop(desk);
}

static void cancels_reach_the_daemon(void **state)
{
    (void)state;
    char wanted[32];
    struct desk *desk = start_greeted();
    uint32_t id = fake_daemon_expect(desk->daemon, "resolve");
    nsp_link_cancel(desk->link, &desk->owners[0].request);
    expect(desk, 0, "x");
    (void)fake_daemon_expect(desk->daemon, "cancel");
    snprintf(wanted, sizeof wanted, "2:idi%ue", (unsigned)id);
    assert_non_null(strstr(desk->daemon->heard, wanted));
    // What comes after it finds nobody.
    say(desk->daemon, id, 'r');
    nsp_link_cancel(desk->link, &desk->owners[0].request);
    nsp_link_cancel(desk->link, &desk->owners[1].request); // never started
    stop(desk);
}

static void owners_may_start_and_cancel_where_they_hear(void **state)
{
    (void)state;
    struct desk *desk = start_greeted();
    desk->owners[0].cancels = &desk->owners[0].request;
    desk->owners[0].starts = &desk->owners[1].request;
    uint32_t id = fake_daemon_expect(desk->daemon, "resolve");
    say(desk->daemon, id, 'r');
    (void)fake_daemon_expect(desk->daemon, "cancel");
    (void)fake_daemon_expect(desk->daemon, "resolve");
    expect(desk, 0, "rx");
    stop(desk);
    // The second is released by the end of the link.
}

static const struct loss_row {
    const char *name;
    const char *bytes; // said before it hangs up; NULL: not even greeted
    size_t len;
    const char *heard;
} loss_rows[] = {
    {"hangs up", "", 0, "Lx"},
    {"hangs up in a frame", "\0\0\0\x20hal", 7, "Lx"},
    {"sends garbage", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "Lx"},
    {"sends no dictionary",
     "\0\0\0\x04"
     "4:ab",
     8, "Lx"},
    {"breaks the connection off",
     "\0\0\0\x1e"
     "d1:ii0e1:o5:error1:rd4:codei9ee",
     35, "Lx"},
    {"is gone before it greets", NULL, 0, "Ux"},
};

static void a_lost_daemon_is_told_to_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof loss_rows / sizeof loss_rows[0]; i++) {
        const struct loss_row *row = &loss_rows[i];
        struct desk *desk = start(fake_daemon_start());
        print_message("%s\n", row->name);
        begin(desk, 0);
        begin(desk, 1);
        fake_daemon_accept(desk->daemon);
        if (row->bytes != NULL) {
            fake_daemon_greet(desk->daemon);
            (void)fake_daemon_expect(desk->daemon, "resolve");
            (void)fake_daemon_expect(desk->daemon, "resolve");
            fake_daemon_say(desk->daemon, row->bytes, row->len);
        }
        fake_daemon_hang_up(desk->daemon);
        expect(desk, 0, row->heard);
        expect(desk, 1, row->heard);
        // The next request connects again.
        begin(desk, 2);
        fake_daemon_accept(desk->daemon);
        fake_daemon_greet(desk->daemon);
        say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
        expect(desk, 2, "dx");
        stop(desk);
    }
}

static void results_before_the_loss_are_told(void **state)
{
    (void)state;
    struct desk *desk = start_greeted();
    uint32_t id = fake_daemon_expect(desk->daemon, "resolve");
    say(desk->daemon, id, 'r');
    say(desk->daemon, id, 'r');
    fake_daemon_hang_up(desk->daemon);
    expect(desk, 0, "rrLx");
    stop(desk);
}

static void a_dead_socket_is_unreached(void **state)
{
    (void)state;
    struct desk *desk = start(fake_daemon_start());
    fake_daemon_crash(desk->daemon);
    begin(desk, 0);
    expect(desk, 0, "Ux");
    begin(desk, 1);
    expect(desk, 1, "Ux");
    // It is back.
    fake_daemon_listen(desk->daemon);
    begin(desk, 2);
    fake_daemon_accept(desk->daemon);
    fake_daemon_greet(desk->daemon);
    (void)fake_daemon_expect(desk->daemon, "resolve");
    stop(desk);
}

// A daemon that takes the connection and says nothing more.
static void a_hung_daemon_is_given_up(void **state)
{
    (void)state;
    struct desk *desk = start(fake_daemon_start());
    begin(desk, 0);
    fake_daemon_accept(desk->daemon);
    expect(desk, 0, "Ux");
    stop(desk);
}

#define CALLERS 8

// Opens a listener on loopback whose queue is full, so that nobody can connect to it.
static intptr_t listen_deaf(uint16_t *ret_port, intptr_t ret_callers[CALLERS])
{
    intptr_t listener = fake_system_listen(0, ret_port);
    for (int i = 0; i < CALLERS; i++) {
        ret_callers[i] = CONTROL_TRANSPORT_NONE;
        (void)control_transport_connect_tcp(*ret_port, &ret_callers[i]);
    }
    return listener;
}

static void a_stale_rendezvous_file_is_given_up(void **state)
{
    (void)state;
    uint16_t port;
    intptr_t callers[CALLERS];
    struct fake_daemon *daemon = fake_daemon_absent();
    intptr_t listener = listen_deaf(&port, callers);
    fake_daemon_write_rendezvous(daemon, port);
    struct desk *desk = start(daemon);
    longest_wait_ms = 0;
    has_waited_in_vain = false;
    begin(desk, 0);
    expect(desk, 0, "Ux");
    assert_int_equal(nsp_link_info(desk->link).connections, 1);
    // It was neither refused nor waited for longer than that.
    assert_true(has_waited_in_vain);
    assert_true(longest_wait_ms <= 250);
    stop(desk);
    for (int i = 0; i < CALLERS; i++) {
        control_transport_close(callers[i]);
    }
    control_transport_close(listener);
}

static void a_full_daemon_is_asked_again(void **state)
{
    (void)state;
    struct desk *desk = start_greeted();
    uint32_t first = fake_daemon_expect(desk->daemon, "resolve");
    begin(desk, 1);
    uint32_t second = fake_daemon_expect(desk->daemon, "resolve");
    say(desk->daemon, second, 'f');
    say(desk->daemon, first, 'r');
    expect(desk, 0, "r");
    say(desk->daemon, first, 'r');
    expect(desk, 0, "rr");
    // It waits for the end of the other.
    assert_int_equal(nsp_link_info(desk->link).refused, 1);
    assert_int_equal(nsp_link_info(desk->link).requests, 2);
    say(desk->daemon, first, 'd');
    second = fake_daemon_expect(desk->daemon, "resolve");
    say(desk->daemon, second, 'd');
    expect(desk, 1, "dx");
    // Alone it is told that the daemon is full.
    begin(desk, 2);
    say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'f');
    expect(desk, 2, "ex");
    assert_int_equal(desk->owners[2].error, PNR_ERROR_FULL);
    stop(desk);
}

// Whether it waits for its turn or is to be sent: what is too late is told so.
static void what_is_too_late_is_not_sent(void **state)
{
    (void)state;
    struct desk *desk = start_greeted();
    uint32_t first = fake_daemon_expect(desk->daemon, "resolve");
    desk->owners[1].request.until_ms = nsp_platform_now_ms();
    begin(desk, 1);
    expect(desk, 1, "ex");
    assert_int_equal(desk->owners[1].error, PNR_ERROR_TIMED_OUT);
    assert_int_equal(desk->owners[1].sent, 0);
    // The daemon is full, and stays so.
    begin(desk, 2);
    say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'f');
    say(desk->daemon, first, 'r');
    expect(desk, 0, "r");
    desk->owners[3].request.until_ms = nsp_platform_now_ms() + 50;
    begin(desk, 3);
    expect(desk, 3, "ex");
    assert_int_equal(desk->owners[3].error, PNR_ERROR_TIMED_OUT);
    assert_int_equal(desk->owners[3].sent, 0);
    assert_int_equal(desk->owners[2].sent, 1);
    assert_int_equal(nsp_link_info(desk->link).requests, 2);
    say(desk->daemon, first, 'd');
    say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
    expect(desk, 2, "dx");
    stop(desk);
}

static void requests_that_stay_leave_room(void **state)
{
    (void)state;
    struct desk *desk = start_greeted();
    const size_t stays = NSP_LINK_UNDER_WAY_MAX * 3 / 4;
    (void)fake_daemon_expect(desk->daemon, "resolve");
    for (size_t i = 1; i <= stays + 1; i++) {
        desk->owners[i].request.stays = true;
        begin(desk, i);
    }
    for (size_t i = 1; i <= stays; i++) {
        (void)fake_daemon_expect(desk->daemon, "resolve");
    }
    // One that does not stay overtakes the one that waits.
    begin(desk, stays + 2);
    uint32_t last = fake_daemon_expect(desk->daemon, "resolve");
    say(desk->daemon, last, 'd');
    expect(desk, stays + 2, "dx");
    assert_int_equal(desk->owners[stays + 1].sent, 0);
    nsp_link_cancel(desk->link, &desk->owners[1].request);
    (void)fake_daemon_expect(desk->daemon, "cancel");
    say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
    expect(desk, stays + 1, "dx");
    stop(desk);
}

static enum nsp_link_state settle_later(struct nsp_link_request *request,
                                        const struct pnr_event *event)
{
    (void)request;
    return event->type == PNR_EVENT_DONE ? NSP_LINK_KEPT : NSP_LINK_WAITING;
}

static const struct nsp_link_sink patient = {send_resolve, take_event, take_loss, take_release,
                                             settle_later};

static void what_fails_may_be_sent_again(void **state)
{
    (void)state;
    struct desk *desk = start(fake_daemon_start());
    desk->owners[0].request.sink = &patient;
    begin(desk, 0);
    fake_daemon_accept(desk->daemon);
    fake_daemon_greet(desk->daemon);
    say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'e');
    expect(desk, 0, "e");
    // Others are not held up by it.
    begin(desk, 1);
    say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
    expect(desk, 1, "dx");
    say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
    expect(desk, 0, "ed");
    nsp_link_cancel(desk->link, &desk->owners[0].request);
    expect(desk, 0, "edx");
    stop(desk);
}

static const struct gone_row {
    const char *name;
    bool fails_at_once; // an attempt to connect
} gone_rows[] = {
    {"a file that makes no sense", true},
    {"a port where nobody listens", false},
};

// A daemon that went away, while two requests last: the first is kept, the second under way.
static void go_away(struct desk *desk, const struct gone_row *row)
{
    if (row->fails_at_once) {
        fake_system_write_file(desk->daemon->path, "", 0);
    } else {
        // An attempt takes requests along, which may then hear how it went.
        desk->owners[0].knows_unreached = desk->owners[1].knows_unreached = true;
    }
    fake_daemon_crash(desk->daemon);
    expect(desk, 0, "dL");
    expect(desk, 1, "L");
    // They have heard of the loss; that there is nobody still is no news.
    while (nsp_link_info(desk->link).connections < 2) {
        fake_system_yield();
    }
    begin(desk, 2);
    expect(desk, 2, "Ux");
    expect(desk, 0, "dL");
    expect(desk, 1, "L");
}

static void what_lasts_is_made_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gone_rows / sizeof gone_rows[0]; i++) {
        struct desk *desk = start(fake_daemon_start());
        print_message("%s\n", gone_rows[i].name);
        desk->owners[0].request.lasts = true;
        desk->owners[1].request.lasts = true;
        begin(desk, 0);
        begin(desk, 1);
        fake_daemon_accept(desk->daemon);
        fake_daemon_greet(desk->daemon);
        say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
        (void)fake_daemon_expect(desk->daemon, "resolve");
        expect(desk, 0, "d");
        go_away(desk, &gone_rows[i]);
        fake_daemon_listen(desk->daemon);
        fake_daemon_accept(desk->daemon);
        fake_daemon_greet(desk->daemon);
        // What was under way comes before what was done.
        say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'e');
        say(desk->daemon, fake_daemon_expect(desk->daemon, "resolve"), 'd');
        expect(desk, 0, "dLd");
        expect(desk, 1, "Lex");
        nsp_link_cancel(desk->link, &desk->owners[0].request);
        expect(desk, 0, "dLdx");
        stop(desk);
    }
}

static void closing_releases_everything(void **state)
{
    (void)state;
    struct desk *desk = start_greeted();
    (void)fake_daemon_expect(desk->daemon, "resolve");
    for (size_t i = 1; i < REQUESTS; i++) {
        desk->owners[i].request.lasts = i % 3 == 0;
        begin(desk, i);
    }
    nsp_link_close(desk->link);
    desk->link = NULL;
    for (size_t i = 0; i < REQUESTS; i++) {
        assert_string_equal(desk->owners[i].heard, "x");
    }
    fake_daemon_expect_end(desk->daemon);
    stop(desk);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    struct failing_memory memory;
    struct nsp_link *link = NULL;
    struct nsp_link_options options = {&memory.memory, NULL};
    failing_memory_init(&memory, 1);
    assert_int_equal(nsp_link_new(&options, &link), WSA_NOT_ENOUGH_MEMORY);
    assert_null(link);
    assert_int_equal(failing_memory_live(&memory), 0);
}

// ---- many threads ----

#define THREADS 8
#define ROUNDS  200

struct worker {
    struct desk *desk;
    struct nsp_thread thread;
    size_t first; // of its owners
};

static void await_release(struct owner *owner)
{
    nsp_lock_take(&owner->desk->lock);
    while (strchr(owner->heard, 'x') == NULL) {
        nsp_condition_wait(&owner->desk->changed, &owner->desk->lock);
    }
    memset(owner->heard, 0, sizeof owner->heard);
    nsp_lock_give(&owner->desk->lock);
}

static void start_and_cancel(void *ctx)
{
    struct worker *worker = ctx;
    struct owner *owners = &worker->desk->owners[worker->first];
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < 4; i++) {
            (void)nsp_link_start(worker->desk->link, &owners[i].request);
        }
        nsp_link_cancel(worker->desk->link, &owners[0].request);
        nsp_link_cancel(worker->desk->link, &owners[2].request);
        for (size_t i = 0; i < 4; i++) {
            await_release(&owners[i]);
        }
    }
}

static void answer_all(void *ctx)
{
    struct fake_daemon *daemon = ctx;
    uint32_t id;
    while (fake_daemon_hear_or_end(daemon, &id)) {
        say(daemon, id, 'd');
    }
}

static void many_threads_share_a_link(void **state)
{
    (void)state;
    struct desk *desk = start(fake_daemon_start());
    struct worker workers[THREADS];
    struct nsp_thread answering;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.desk = desk, .first = i * 4};
        assert_true(nsp_thread_start(&workers[i].thread, start_and_cancel, &workers[i]));
    }
    fake_daemon_accept(desk->daemon);
    fake_daemon_greet(desk->daemon);
    assert_true(nsp_thread_start(&answering, answer_all, desk->daemon));
    for (size_t i = 0; i < THREADS; i++) {
        nsp_thread_join(&workers[i].thread);
    }
    // Those that were cancelled are answered as well: the last request of all says that they were.
    begin(desk, REQUESTS - 1);
    expect(desk, REQUESTS - 1, "dx");
    assert_int_equal(nsp_link_info(desk->link).connections, 1);
    nsp_link_close(desk->link);
    desk->link = NULL;
    nsp_thread_join(&answering);
    stop(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_opens_nothing),
        cmocka_unit_test(an_absent_daemon_is_told_at_once),
        cmocka_unit_test(answers_come_in_their_order),
        cmocka_unit_test(a_request_that_makes_no_sense_is_an_error),
        cmocka_unit_test(cancels_reach_the_daemon),
        cmocka_unit_test(owners_may_start_and_cancel_where_they_hear),
        cmocka_unit_test(a_lost_daemon_is_told_to_all),
        cmocka_unit_test(results_before_the_loss_are_told),
        cmocka_unit_test(a_dead_socket_is_unreached),
        cmocka_unit_test(a_hung_daemon_is_given_up),
        cmocka_unit_test(a_stale_rendezvous_file_is_given_up),
        cmocka_unit_test(a_full_daemon_is_asked_again),
        cmocka_unit_test(what_is_too_late_is_not_sent),
        cmocka_unit_test(requests_that_stay_leave_room),
        cmocka_unit_test(what_fails_may_be_sent_again),
        cmocka_unit_test(what_lasts_is_made_again),
        cmocka_unit_test(closing_releases_everything),
        cmocka_unit_test(memory_may_be_short),
        cmocka_unit_test(many_threads_share_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
