// SPDX-License-Identifier: MIT
// The client's requests and events, against a scripted daemon.
#include "node/control/transport.h"
#include "tests/control/fake.h"

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

#define TALLY                                                                                      \
    "6:copiesi1e5:counti1e10:elapsed_usi191500e4:hopsi3e14:nodes_answeredi18e"                     \
    "11:nodes_askedi21e"

static uint32_t resolve(struct fake *fake, const char *name)
{
    struct pnr_resolve wanted = {.name = name, .wait = PNR_WAIT_FIRST, .timeout_ms = 5000};
    uint32_t request = 0;
    assert_int_equal(pnr_resolve(fake->client, &wanted, &request), PNR_OK);
    assert_int_not_equal(request, 0);
    return request;
}

// A status request, which has no deadline.
static uint32_t ask(struct fake *fake)
{
    uint32_t request = 0;
    assert_int_equal(pnr_status(fake->client, &request), PNR_OK);
    return request;
}

static struct pnr_event wait_for(struct fake *fake, uint32_t request, enum pnr_event_type type)
{
    struct pnr_event event;
    assert_int_equal(pnr_client_wait(fake->client, request, -1, &event), PNR_OK);
    assert_int_equal(event.type, type);
    assert_int_equal(event.request, request);
    return event;
}

static void results_stream(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    uint32_t request = resolve(fake, "0.printer");
    struct pnr_result result;
    struct pnr_tally tally;
    struct pnr_event event;
    assert_int_equal(pnr_client_access(fake->client), PNR_ACCESS_CONTROL);
    fake_hears(fake, "d1:ad4:name9:0.printer10:timeout_msi5000e5:tracei0e4:wait5:firste1:ii1e"
                     "1:q7:resolvee");
    assert_int_equal(pnr_client_wait(fake->client, request, 0, &event), PNR_ERROR_TIMED_OUT);
    fake_answer(fake, request, "result",
                "d5:age_si7e9:authority1:010:classifier7:printer9:endpointsld2:ip4:abcd4:porti631e"
                "5:protoi6eee5:finali1e4:name9:0.printer11:nodes_askedi21e3:seqi9e6:source3:dht"
                "5:ttl_si300ee");
    event = wait_for(fake, request, PNR_EVENT_RESULT);
    assert_true(pnr_read_result(&event, &result));
    assert_string_equal(result.name, "0.printer");
    assert_string_equal(result.classifier, "printer");
    assert_int_equal(result.endpoint_count, 1);
    assert_int_equal(result.endpoints[0].port, 631);
    assert_int_equal(result.endpoints[0].proto, 6);
    assert_memory_equal(result.endpoints[0].ip, "abcd", 4);
    assert_int_equal(result.seq, 9);
    assert_int_equal(result.age_s, 7);
    assert_int_equal(result.source, PNR_SOURCE_DHT);
    assert_true(result.final);
    assert_int_equal(result.tally.nodes_asked, 21);
    assert_int_equal(result.tally.elapsed_us, -1);
    // A result that improves an earlier one simply follows it.
    fake_answer(fake, request, "result", "d4:name9:0.printer6:source5:cachee");
    event = wait_for(fake, request, PNR_EVENT_RESULT);
    assert_true(pnr_read_result(&event, &result));
    assert_int_equal(result.seq, -1);
    assert_int_equal(result.source, PNR_SOURCE_CACHE);
    fake_answer(fake, request, "done", "d" TALLY "e");
    event = wait_for(fake, request, PNR_EVENT_DONE);
    assert_true(pnr_read_tally(&event, &tally));
    assert_int_equal(tally.count, 1);
    assert_int_equal(tally.elapsed_us, 191500);
    assert_int_equal(pnr_client_wait(fake->client, request, -1, &event), PNR_ERROR_USAGE);
    fake_stop(fake);
}

static void changes_stream(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_known known[PNR_KNOWN_MAX] = {{.publisher = "0123456789abcdef", .mark = "abcdefgh"}};
    struct pnr_watch watch = {.name = "a.web", .known = known, .known_count = 1};
    struct pnr_progress progress;
    struct pnr_result result;
    struct pnr_event event;
    enum pnr_change change;
    uint32_t request = 0;
    assert_int_equal(pnr_watch(fake->client, &watch, &request), PNR_OK);
    fake_hears(fake, "d1:ad5:knownld4:mark8:abcdefgh9:publisher16:0123456789abcdefee4:name5:a.webe"
                     "1:ii1e1:q5:watche");
    fake_answer(fake, request, "progress", "d4:step8:watchinge");
    event = wait_for(fake, request, PNR_EVENT_PROGRESS);
    assert_true(pnr_read_step(&event, &progress));
    assert_int_equal(progress.step, PNR_STEP_WATCHING);
    fake_answer(fake, request, "result",
                "d5:event4:gone4:mark8:abcdefgh4:name5:a.web9:publisher16:0123456789abcdefe");
    event = wait_for(fake, request, PNR_EVENT_RESULT);
    assert_true(pnr_read_change(&event, &change, &result));
    assert_int_equal(change, PNR_CHANGE_GONE);
    // No deadline ends it; a daemon that goes away does.
    assert_int_equal(pnr_client_timeout_ms(fake->client), -1);
    fake_hang_up(fake);
    event = wait_for(fake, request, PNR_EVENT_ERROR);
    assert_int_equal(event.error, PNR_ERROR_UNREACHABLE);
    fake_stop(fake);
}

static void watches_say_who_is_wanted(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_watch watch = {
        .name = "0.web", .cloud = "Global_", .criteria = PNR_CRITERIA_NON_CURRENT};
    uint32_t request = 0;
    assert_int_equal(pnr_watch(fake->client, &watch, &request), PNR_OK);
    fake_hears(fake, "d1:ad5:cloud7:Global_8:criteria19:non-current-process4:name5:0.webe"
                     "1:ii1e1:q5:watche");
    fake_stop(fake);
}

static void watches_are_checked(void **state)
{
    static const struct pnr_known known[PNR_KNOWN_MAX + 1];
    static const struct {
        const char *name;
        struct pnr_watch watch;
        enum pnr_error error;
    } rows[] = {
        {"least", {.name = "a"}, PNR_OK},
        {"most", {.name = "a", .known = known, .known_count = PNR_KNOWN_MAX}, PNR_OK},
        {"last of the criteria", {.name = "a", .criteria = PNR_CRITERIA_NEAREST}, PNR_OK},
        {"odd criteria", {.name = "a", .criteria = PNR_CRITERIA_NEAREST + 1}, PNR_ERROR_USAGE},
        {"no name", {.name = NULL}, PNR_ERROR_USAGE},
        {"empty cloud", {.name = "a", .cloud = ""}, PNR_ERROR_USAGE},
        {"too many", {.name = "a", .known = known, .known_count = 257}, PNR_ERROR_USAGE},
        {"none where some are", {.name = "a", .known_count = 1}, PNR_ERROR_USAGE},
    };
    (void)state;
    struct fake *fake = fake_start();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t request = 0;
        if (pnr_watch(fake->client, &rows[i].watch, &request) != rows[i].error) {
            fail_msg("%s", rows[i].name);
        }
    }
    fake_stop(fake);
}

static void errors_say_why(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    uint32_t request = resolve(fake, "0.x");
    struct pnr_event event;
    fake_answer(fake, request, "error", "d4:codei3e4:text10:nobody hase");
    event = wait_for(fake, request, PNR_EVENT_ERROR);
    assert_int_equal(event.error, PNR_ERROR_NOT_FOUND);
    assert_string_equal(event.text, "nobody has");
    // An error without a code is still one.
    request = resolve(fake, "0.x");
    fake_answer(fake, request, "error", "de");
    assert_int_equal(pnr_client_finish(fake->client, request, -1, &event), PNR_ERROR_FAILED);
    assert_int_equal(event.type, PNR_EVENT_ERROR);
    assert_string_equal(event.text, "");
    assert_int_equal(pnr_client_error(fake->client), PNR_OK);
    fake_stop(fake);
}

static void requests_run_side_by_side(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_event event;
    uint32_t first = resolve(fake, "0.a"), second = resolve(fake, "0.b");
    fake_answer(fake, first, "result", "d1:ni1ee");
    fake_answer(fake, second, "result", "d1:ni2ee");
    fake_answer(fake, first, "result", "d1:ni3ee");
    fake_answer(fake, second, "done", "d1:ni4ee");
    int64_t n = 0;
    event = wait_for(fake, second, PNR_EVENT_RESULT);
    assert_true(pnr_field_int(event.fields, "n", &n) && n == 2);
    event = wait_for(fake, second, PNR_EVENT_DONE);
    assert_true(pnr_field_int(event.fields, "n", &n) && n == 4);
    event = wait_for(fake, first, PNR_EVENT_RESULT);
    assert_true(pnr_field_int(event.fields, "n", &n) && n == 1);
    assert_true(pnr_client_next(fake->client, &event));
    assert_true(pnr_field_int(event.fields, "n", &n) && n == 3);
    assert_false(pnr_client_next(fake->client, &event));
    fake_answer(fake, first, "progress", "de");
    fake_answer(fake, first, "done", "de");
    assert_int_equal(pnr_client_finish(fake->client, first, -1, &event), PNR_OK);
    assert_int_equal(event.type, PNR_EVENT_DONE);
    assert_int_equal(pnr_client_wait(fake->client, 0, -1, &event), PNR_ERROR_USAGE);
    fake_stop(fake);
}

static void cancel_ends_at_once(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_event event;
    uint32_t first = resolve(fake, "0.a"), second = ask(fake);
    fake_hear(fake);
    fake_hear(fake);
    fake_answer(fake, first, "result", "de");
    fake_answer(fake, second, "result", "de");
    assert_int_equal(pnr_client_wait(fake->client, second, -1, &event), PNR_OK);
    pnr_client_cancel(fake->client, first);
    assert_int_equal(pnr_client_wait(fake->client, first, -1, &event), PNR_ERROR_USAGE);
    fake_hears(fake, "d1:ad2:idi1ee1:ii3e1:q6:cancele");
    // What was on its way finds nobody.
    fake_answer(fake, first, "result", "de");
    fake_answer(fake, first, "error", "d4:codei7ee");
    fake_answer(fake, 3, "done", "de");
    fake_answer(fake, second, "done", "d1:ni5ee");
    event = wait_for(fake, second, PNR_EVENT_DONE);
    assert_false(pnr_client_next(fake->client, &event));
    // Neither twice nor never is an error, and no frame.
    pnr_client_cancel(fake->client, first);
    pnr_client_cancel(fake->client, 4711);
    pnr_client_cancel(fake->client, 0);
    assert_int_equal(pnr_client_wants(fake->client), PNR_WANTS_READ);
    fake_stop(fake);
}

static void deadlines_end_requests(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_event event;
    uint32_t request = ask(fake);
    assert_int_equal(pnr_client_timeout_ms(fake->client), -1);
    pnr_client_limit(fake->client, request, 1);
    assert_true(pnr_client_timeout_ms(fake->client) >= 0);
    fake_answer(fake, request, "result", "de");
    control_transport_poll(pnr_client_fd(fake->client), CONTROL_TRANSPORT_READ, -1);
    // What came before is still told, the daemon is asked to stop, and late answers are dropped.
    (void)wait_for(fake, request, PNR_EVENT_RESULT);
    event = wait_for(fake, request, PNR_EVENT_ERROR);
    assert_int_equal(event.error, PNR_ERROR_TIMED_OUT);
    fake_hear(fake);
    fake_hears(fake, "d1:ad2:idi1ee1:ii2e1:q6:cancele");
    fake_answer(fake, request, "done", "de");
    uint32_t other = ask(fake);
    fake_answer(fake, other, "done", "de");
    assert_int_equal(pnr_client_wait(fake->client, 0, -1, &event), PNR_OK);
    assert_int_equal(event.request, other);
    fake_stop(fake);
}

// A resolve ends by itself where the daemon hangs: its own timeout, and a little grace.
static void resolves_have_a_deadline(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    (void)resolve(fake, "0.a");
    int timeout_ms = pnr_client_timeout_ms(fake->client);
    assert_true(timeout_ms > 0 && timeout_ms <= 7000);
    fake_stop(fake);
}

static void answers_come_in_drops(void **state)
{
    (void)state;
    static const char frame[] = "\0\0\0\x1b"
                                "d1:ii1e1:o4:done1:rd1:nleee";
    struct fake *fake = fake_start();
    struct pnr_event event;
    uint32_t request = ask(fake);
    fake_hears(fake, "d1:ade1:ii1e1:q6:statuse");
    for (size_t i = 0; i < sizeof frame - 1; i++) {
        assert_int_equal(pnr_client_wait(fake->client, request, 0, &event), PNR_ERROR_TIMED_OUT);
        fake_say(fake, frame + i, 1);
    }
    (void)wait_for(fake, request, PNR_EVENT_DONE);
    fake_stop(fake);
}

static const struct trouble_row {
    const char *name;
    const char *bytes;
    size_t len;
    enum pnr_error error;
} trouble_rows[] = {
    {"hangs up", "", 0, PNR_ERROR_UNREACHABLE},
    {"dies in a length", "\0\0", 2, PNR_ERROR_UNREACHABLE},
    {"dies in a frame",
     "\0\0\0\x1b"
     "d1:ii1e1:o",
     14, PNR_ERROR_UNREACHABLE},
    {"length 0", "\0\0\0\0", 4, PNR_ERROR_PROTOCOL},
    {"frame too long", "\0\0\xff\xfd", 4, PNR_ERROR_PROTOCOL},
    {"frame huge", "\xff\xff\xff\xff", 4, PNR_ERROR_PROTOCOL},
    {"speaks HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", 28, PNR_ERROR_PROTOCOL},
    {"garbage in a frame", "\0\0\0\3xyz", 7, PNR_ERROR_PROTOCOL},
    {"a list", "\0\0\0\2le", 6, PNR_ERROR_PROTOCOL},
    {"a request",
     "\0\0\0\x13"
     "d1:ii1e1:q6:statuse",
     23, PNR_ERROR_PROTOCOL},
    {"bytes behind the dict",
     "\0\0\0\x13"
     "d1:ii1e1:o4:doneexx",
     23, PNR_ERROR_PROTOCOL},
    {"its own error",
     "\0\0\0\x20"
     "d1:ii0e1:o5:error1:rd4:codei9eee",
     36, PNR_ERROR_FULL},
};

// Whatever happens to the connection, each request gets what came before and then one last event,
// and nothing raises a signal.
static void trouble_ends_all_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trouble_rows / sizeof *trouble_rows; i++) {
        const struct trouble_row *row = &trouble_rows[i];
        struct fake *fake = fake_start();
        struct pnr_event event;
        uint32_t first = ask(fake), second = ask(fake), late = 0;
        fake_hear(fake);
        fake_hear(fake);
        fake_answer(fake, first, "result", "de");
        fake_say(fake, row->bytes, row->len);
        fake_hang_up(fake);
        (void)wait_for(fake, first, PNR_EVENT_RESULT);
        event = wait_for(fake, first, PNR_EVENT_ERROR);
        if (event.error != row->error || pnr_client_error(fake->client) != row->error) {
            fail_msg("%s: %d", row->name, (int)event.error);
        }
        assert_string_equal(event.text, pnr_client_error_text(fake->client));
        assert_string_not_equal(event.text, "");
        event = wait_for(fake, second, PNR_EVENT_ERROR);
        assert_int_equal(pnr_client_wait(fake->client, 0, -1, &event), row->error);
        assert_int_equal(pnr_status(fake->client, &late), row->error);
        assert_int_equal(pnr_client_fd(fake->client), -1);
        assert_int_equal(pnr_client_wants(fake->client), 0);
        assert_int_equal(pnr_client_timeout_ms(fake->client), -1);
        fake_stop(fake);
    }
}

// The last answers of a daemon that goes away are not lost, also where we write to it meanwhile.
static void last_words_are_heard(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_event event;
    uint32_t first = ask(fake);
    fake_hear(fake);
    fake_answer(fake, first, "done", "de");
    fake_hang_up(fake);
    uint32_t second = ask(fake);
    (void)wait_for(fake, first, PNR_EVENT_DONE);
    event = wait_for(fake, second, PNR_EVENT_ERROR);
    assert_int_equal(event.error, PNR_ERROR_UNREACHABLE);
    fake_stop(fake);
}

// Nothing follows the last event of a request, whatever the daemon says behind it.
static void nothing_follows_the_last(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct pnr_event event;
    uint32_t first = ask(fake), second = ask(fake), third = ask(fake);
    fake_answer(fake, first, "done", "de");
    fake_answer(fake, first, "result", "de");
    fake_answer(fake, first, "error", "de");
    fake_answer(fake, second, "news", "de");
    fake_answer(fake, 4711, "result", "de");
    fake_answer(fake, 0, "result", "de");
    fake_answer(fake, third, "done", "de");
    (void)wait_for(fake, third, PNR_EVENT_DONE);
    (void)wait_for(fake, first, PNR_EVENT_DONE);
    assert_false(pnr_client_next(fake->client, &event));
    // A request that has timed out, but whose end was not fetched, takes no answers any more.
    pnr_client_limit(fake->client, second, 1);
    while (pnr_client_timeout_ms(fake->client) >= 0) {
        fake_idle(fake);
        assert_int_equal(pnr_client_process(fake->client), PNR_OK);
    }
    fake_answer(fake, second, "done", "de");
    uint32_t fourth = ask(fake);
    fake_answer(fake, fourth, "done", "de");
    (void)wait_for(fake, fourth, PNR_EVENT_DONE);
    event = wait_for(fake, second, PNR_EVENT_ERROR);
    assert_int_equal(event.error, PNR_ERROR_TIMED_OUT);
    assert_false(pnr_client_next(fake->client, &event));
    fake_stop(fake);
}

// A daemon that says more than anybody fetches is not read from, and nothing is lost.
static void full_queue_stops_reading(void **state)
{
    (void)state;
    static uint8_t frame[4096];
    struct fake *fake = fake_start();
    struct pnr_event event;
    uint32_t first = ask(fake), second = ask(fake);
    struct dht_bencode_writer writer =
        control_frame_begin_answer(frame, sizeof frame, first, CONTROL_ANSWER_RESULT);
    dht_bencode_put_text(&writer, "p");
    (void)dht_bencode_put_hole(&writer, 4000);
    size_t len = control_frame_end_answer(&writer);
    assert_int_not_equal(len, 0);
    size_t said = 0, got = 0;
    fake_hear(fake);
    fake_hear(fake);
    for (;;) {
        if (fake_say_if_room(fake, frame, len)) {
            said++;
        } else if ((pnr_client_wants(fake->client) & PNR_WANTS_READ) != 0) {
            assert_int_equal(pnr_client_process(fake->client), PNR_OK);
        } else {
            break;
        }
    }
    assert_true(said * len > 1 << 20 && said * len < 32 << 20); // sockets have buffers of their own
    assert_int_equal(pnr_client_wait(fake->client, second, -1, &event), PNR_ERROR_FULL);
    while (got < said) {
        fake_go_on(fake);
        (void)wait_for(fake, first, PNR_EVENT_RESULT);
        got++;
    }
    fake_answer(fake, second, "done", "de");
    (void)wait_for(fake, second, PNR_EVENT_DONE);
    fake_stop(fake);
}

static void requests_are_bounded(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    uint32_t request = 0;
    for (int i = 0; i < CONTROL_REQUESTS_MAX; i++) {
        (void)ask(fake);
    }
    assert_int_equal(pnr_status(fake->client, &request), PNR_ERROR_FULL);
    pnr_client_cancel(fake->client, 7);
    assert_int_equal(pnr_status(fake->client, &request), PNR_OK);
    fake_stop(fake);
    // And so are the bytes that wait to be sent.
    static char pem[4097];
    memset(pem, 'x', sizeof pem - 1);
    fake = fake_start();
    int count = 0;
    while (pnr_key_import(fake->client, "k", pem, &request) == PNR_OK) {
        count++;
    }
    assert_true(count > 10 && count < CONTROL_REQUESTS_MAX);
    for (int i = 1; i <= count; i++) {
        fake_hear(fake);
    }
    assert_int_equal(pnr_key_import(fake->client, "k", pem, &request), PNR_OK);
    fake_stop(fake);
}

// ---- what each request says ----

static enum pnr_error send_number(struct pnr_client *client, int which, uint32_t *ret_request)
{
    static const struct pnr_endpoint endpoint = {
        .ip = {'a', 'b', 'c', 'd'}, .ip_len = 4, .proto = 6, .port = 80};
    static const struct pnr_resolve full = {
        .name = "0.a", .wait = PNR_WAIT_ALL, .cloud = "lab", .trace = true, .cached = true};
    static const struct pnr_publish small = {
        .name = "0.a", .endpoints = &endpoint, .endpoint_count = 1};
    static const struct pnr_publish big = {.name = "0.a",
                                           .comment = (const uint8_t *)"h\0i",
                                           .comment_len = 4,
                                           .payload = (const uint8_t *)"xyz",
                                           .payload_len = 3,
                                           .payload_type = PNR_PAYLOAD_BINARY,
                                           .ttl_s = 60,
                                           .cloud = "lab"};
    static const char args[] = "d1:xi1ee";
    struct pnr_fields fields = {(const uint8_t *)args, sizeof args - 1}, none = {NULL, 0};
    switch (which) {
    case 0:
        return pnr_resolve(client, &full, ret_request);
    case 1:
        return pnr_publish(client, &small, ret_request);
    case 2:
        return pnr_register(client, &big, ret_request);
    case 3:
        return pnr_unpublish(client, "0.a", ret_request);
    case 4:
        return pnr_unregister(client, "0.a", ret_request);
    case 5:
        return pnr_publications(client, ret_request);
    case 6:
        return pnr_key_new(client, "home", ret_request);
    case 7:
        return pnr_key_import(client, "home", "PEM", ret_request);
    case 8:
        return pnr_key_show(client, "home", ret_request);
    case 9:
        return pnr_key_export(client, "home", ret_request);
    case 10:
        return pnr_key_list(client, ret_request);
    case 11:
        return pnr_peers(client, NULL, ret_request);
    case 12:
        return pnr_peers(client, "lab", ret_request);
    case 13:
        return pnr_ping(client, "192.0.2.1:6881", 0, ret_request);
    case 14:
        return pnr_request(client, "dance", fields, ret_request);
    default:
        return pnr_request(client, "dance", none, ret_request);
    }
}

static const char *const said[] = {
    "d1:ad6:cachedi1e5:cloud3:lab4:name3:0.a10:timeout_msi30000e5:tracei1e4:wait3:alle"
    "1:ii1e1:q7:resolvee",
    "d1:ad9:endpointsld2:ip4:abcd4:porti80e5:protoi6eee4:name3:0.ae1:ii1e1:q7:publishe",
    NULL, // has a NUL inside: looked at below
    "d1:ad4:name3:0.ae1:ii1e1:q9:unpublishe",
    "d1:ad4:name3:0.ae1:ii1e1:q10:unregistere",
    "d1:ade1:ii1e1:q12:publicationse",
    "d1:ad5:label4:homee1:ii1e1:q7:key_newe",
    "d1:ad5:label4:home3:pem3:PEMe1:ii1e1:q10:key_importe",
    "d1:ad5:label4:homee1:ii1e1:q8:key_showe",
    "d1:ad5:label4:homee1:ii1e1:q10:key_exporte",
    "d1:ade1:ii1e1:q8:key_liste",
    "d1:ade1:ii1e1:q5:peerse",
    "d1:ad5:cloud3:labe1:ii1e1:q5:peerse",
    "d1:ad4:addr14:192.0.2.1:688110:timeout_msi30000ee1:ii1e1:q4:pinge",
    "d1:ad1:xi1ee1:ii1e1:q5:dancee",
    "d1:ade1:ii1e1:q5:dancee",
};

static void requests_say(void **state)
{
    (void)state;
    static const char registers[] = "d1:ad5:cloud3:lab7:comment4:h\0i\0"
                                    "9:endpointsle4:name3:0.a7:payload3:xyz"
                                    "12:payload_typei1e5:ttl_si60ee1:ii1e1:q8:registere";
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct fake *fake = fake_start();
        uint32_t request = 0;
        assert_int_equal(send_number(fake->client, (int)i, &request), PNR_OK);
        if (said[i] != NULL) {
            fake_hears(fake, said[i]);
        } else {
            fake_hear(fake);
            assert_int_equal(fake->heard_len, sizeof registers - 1);
            assert_memory_equal(fake->heard, registers, fake->heard_len);
        }
        // Whatever is sent is in canonical form.
        struct dht_span body = {fake->heard, fake->heard_len};
        assert_true(dht_bencode_canonical(body));
        fake_stop(fake);
    }
}

static void bad_arguments_are_not_sent(void **state)
{
    (void)state;
    static char text[5000];
    static const struct pnr_endpoint endpoints[11] = {{.ip_len = 5}};
    static const struct pnr_endpoint good[11] = {{.ip_len = 4}};
    memset(text, 'x', sizeof text - 1);
    struct fake *fake = fake_start();
    struct pnr_client *client = fake->client;
    uint32_t request = 0;
    const struct pnr_resolve resolves[] = {{.name = NULL},
                                           {.name = ""},
                                           {.name = text},
                                           {.name = "0.a", .wait = 9},
                                           {.name = "0.a", .timeout_ms = 600001},
                                           {.name = "0.a", .cloud = ""}};
    for (size_t i = 0; i < sizeof resolves / sizeof *resolves; i++) {
        assert_int_equal(pnr_resolve(client, &resolves[i], &request), PNR_ERROR_USAGE);
    }
    const uint8_t *bytes = (const uint8_t *)text;
    const struct pnr_publish publishes[] = {
        {.name = NULL},
        {.name = "0.a", .endpoints = endpoints, .endpoint_count = 1},
        {.name = "0.a", .endpoints = good, .endpoint_count = 11},
        {.name = "0.a", .comment = bytes, .comment_len = 3},
        {.name = "0.a", .comment = bytes, .comment_len = 80},
        {.name = "0.a", .payload = bytes, .payload_len = 4097},
        {.name = "0.a", .payload_type = 3}};
    for (size_t i = 0; i < sizeof publishes / sizeof *publishes; i++) {
        assert_int_equal(pnr_publish(client, &publishes[i], &request), PNR_ERROR_USAGE);
    }
    struct pnr_fields list = {(const uint8_t *)"le", 2};
    assert_int_equal(pnr_unpublish(client, "", &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_key_new(client, text, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_key_import(client, "k", text, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_peers(client, text, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_ping(client, NULL, 1, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_ping(client, "a", 600001, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_request(client, "dance", list, &request), PNR_ERROR_USAGE);
    assert_int_equal(pnr_request(client, "", (struct pnr_fields){0}, &request), PNR_ERROR_USAGE);
    assert_int_equal(request, 0);
    assert_int_equal(pnr_client_wants(client), PNR_WANTS_READ);
    fake_stop(fake);
}

static void errors_have_texts(void **state)
{
    (void)state;
    for (int i = -1; i < 300; i++) {
        assert_string_not_equal(pnr_error_text((enum pnr_error)i), "");
    }
    assert_string_equal(pnr_error_text(PNR_ERROR_NOT_FOUND), "no such name, key or publication");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_stream),
        cmocka_unit_test(changes_stream),
        cmocka_unit_test(watches_say_who_is_wanted),
        cmocka_unit_test(watches_are_checked),
        cmocka_unit_test(errors_say_why),
        cmocka_unit_test(requests_run_side_by_side),
        cmocka_unit_test(cancel_ends_at_once),
        cmocka_unit_test(deadlines_end_requests),
        cmocka_unit_test(resolves_have_a_deadline),
        cmocka_unit_test(answers_come_in_drops),
        cmocka_unit_test(trouble_ends_all_requests),
        cmocka_unit_test(last_words_are_heard),
        cmocka_unit_test(nothing_follows_the_last),
        cmocka_unit_test(full_queue_stops_reading),
        cmocka_unit_test(requests_are_bounded),
        cmocka_unit_test(requests_say),
        cmocka_unit_test(bad_arguments_are_not_sent),
        cmocka_unit_test(errors_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
