// SPDX-License-Identifier: MIT
// Registrations between a program and a link that the test plays: what NSPSetService says to what
// the daemon says, and what stands afterwards.
#include "nsp/registration.h"
#include "pnr/clouds.h"
#include "pnr/winsock.h"
#include "tests/nsp/failing_memory.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#define Z32 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
#define HEX "00112233445566778899aabbccddeeff00112233"

// What the registration calls is the test's (LINKER:--wrap).
int __wrap_nsp_link_start(struct nsp_link *link, struct nsp_link_request *request);
void __wrap_nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request);
enum pnr_error __wrap_pnr_key_show(struct pnr_client *client, const char *label,
                                   uint32_t *ret_request);
enum pnr_error __wrap_pnr_register(struct pnr_client *client, const struct pnr_publish *publish,
                                   uint32_t *ret_request);
enum pnr_error __wrap_pnr_unregister_in(struct pnr_client *client, const char *cloud,
                                        const char *name, uint32_t *ret_request);

// ---- the link and the daemon ----

#define REQUESTS_MAX (NSP_REGISTRATIONS_MAX + 8)

// A word for each request, in their order, says what comes of it:
//
//   d  done         p  progress       pd  progress, and then done
//   eN error N      peN  progress of storing, and then error N       rpeN  of reading
//   l  lost         u  never reached  x  refused by the link: no daemon      -  silence
struct nsp_link {
    const char *script;
    char asked[64]; // one letter for each request: c check, r register, u unregister
    struct nsp_link_request *stands[REQUESTS_MAX];
    size_t count;
    struct nsp_registration_set *ends; // while a request is under way
};

static struct nsp_link *playing; // whose request is being sent

static void ask(char letter, uint32_t *ret_request)
{
    size_t len = strlen(playing->asked);
    if (len + 1 < sizeof playing->asked) {
        playing->asked[len] = letter;
    }
    *ret_request = 1;
}

enum pnr_error __wrap_pnr_key_show(struct pnr_client *client, const char *label,
                                   uint32_t *ret_request)
{
    (void)client;
    assert_string_equal(label, "own");
    ask('c', ret_request);
    return PNR_OK;
}

static struct pnr_publish published; // the last one

enum pnr_error __wrap_pnr_register(struct pnr_client *client, const struct pnr_publish *publish,
                                   uint32_t *ret_request)
{
    (void)client;
    published = *publish;
    ask('r', ret_request);
    return PNR_OK;
}

enum pnr_error __wrap_pnr_unregister_in(struct pnr_client *client, const char *cloud,
                                        const char *name, uint32_t *ret_request)
{
    (void)client;
    (void)cloud;
    assert_non_null(name);
    ask('u', ret_request);
    return PNR_OK;
}

static void forget(struct nsp_link *link, const struct nsp_link_request *request)
{
    for (size_t i = 0; i < link->count; i++) {
        if (link->stands[i] == request) {
            link->stands[i] = link->stands[--link->count];
        }
    }
}

static void release(struct nsp_link *link, struct nsp_link_request *request)
{
    forget(link, request);
    request->state = NSP_LINK_IDLE;
    request->sink->released(request);
}

static void tell(struct nsp_link *link, struct nsp_link_request *request, enum pnr_event_type type,
                 enum pnr_error error, const char *fields)
{
    struct pnr_event event = {.type = type,
                              .error = error,
                              .text = "",
                              .fields = {(const uint8_t *)fields, strlen(fields)}};
    if (type == PNR_EVENT_PROGRESS) {
        request->sink->event(request, &event);
        return;
    }
    enum nsp_link_state state =
        request->sink->settle != NULL ? request->sink->settle(request, &event) : NSP_LINK_IDLE;
    request->sink->event(request, &event);
    request->state = state;
    if (state == NSP_LINK_IDLE) {
        release(link, request);
    }
}

static void lose(struct nsp_link *link, struct nsp_link_request *request, enum nsp_link_loss loss)
{
    bool lasts = request->lasts;
    request->sink->lost(request, loss);
    request->state = NSP_LINK_WAITING;
    if (!lasts) {
        release(link, request);
    }
}

static void play(struct nsp_link *link, struct nsp_link_request *request, const char *word)
{
    static const char key[] = "d5:hex4040:" HEX "5:label3:own4:path1:p3:z3252:" Z32 "e";
    if (word[0] == 'r') {
        tell(link, request, PNR_EVENT_PROGRESS, PNR_OK, "d4:step7:readinge");
        word += 2;
    } else if (word[0] == 'p') {
        tell(link, request, PNR_EVENT_PROGRESS, PNR_OK, "d4:step7:storinge");
        word++;
    }
    switch (word[0]) {
    case 'd':
        tell(link, request, PNR_EVENT_DONE, PNR_OK, key);
        break;
    case 'e':
        tell(link, request, PNR_EVENT_ERROR, (enum pnr_error)(word[1] - '0'), "d4:codei3ee");
        break;
    case 'l':
    case 'u':
        lose(link, request, word[0] == 'l' ? NSP_LINK_LOST : NSP_LINK_UNREACHED);
        break;
    default:
        break;
    }
}

int __wrap_nsp_link_start(struct nsp_link *link, struct nsp_link_request *request)
{
    char word[8] = "d";
    int len = 0;
    uint32_t id;
    if (sscanf(link->script, "%7s%n", word, &len) == 1) {
        link->script += len;
    }
    if (word[0] == 'x') {
        return WSASYSNOTREADY;
    }
    assert_true(link->count < REQUESTS_MAX);
    link->stands[link->count++] = request;
    request->state = NSP_LINK_UNDER_WAY;
    playing = link;
    assert_int_equal(request->sink->send(request, NULL, &id), PNR_OK);
    if (link->ends != NULL) {
        nsp_registration_end_all(link->ends);
    } else {
        play(link, request, word);
    }
    return 0;
}

void __wrap_nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request)
{
    if (request->state != NSP_LINK_IDLE) {
        release(link, request);
    }
}

// ---- a program ----

struct program {
    struct nsp_link link;
    struct failing_memory memory;
    struct nsp_registration_set set;
    struct nsp_registration_options options;
    struct nsp_offer offer;
};

static void start(struct program *program, const char *script)
{
    memset(program, 0, sizeof *program);
    failing_memory_init(&program->memory, 0);
    program->set = (struct nsp_registration_set)NSP_REGISTRATION_SET_INIT;
    program->link.script = script;
    program->options = (struct nsp_registration_options){
        .set = &program->set, .link = &program->link, .memory = &program->memory.memory};
}

// At the end of a process nothing is left.
static void stop(struct program *program)
{
    nsp_registration_end_all(&program->set);
    while (program->link.count > 0) {
        release(&program->link, program->link.stands[0]);
    }
    assert_int_equal(failing_memory_live(&program->memory), 0);
}

static void offer(struct program *program, const char *name, const char *cloud)
{
    memset(&program->offer, 0, sizeof program->offer);
    snprintf(program->offer.name, sizeof program->offer.name, "%s", name);
    snprintf(program->offer.cloud, sizeof program->offer.cloud, "%s", cloud);
    program->offer.is_secured = strncmp(name, "0.", 2) != 0;
    strcpy(program->offer.label, program->offer.is_secured ? "own" : "");
    program->offer.endpoints[0] = (struct pnr_endpoint){.ip_len = 4, .port = 80, .proto = 6};
    program->offer.endpoint_count = 1;
}

static int make(struct program *program, const char *name)
{
    offer(program, name, "");
    return nsp_registration_make(&program->options, &program->offer);
}

static int withdraw(struct program *program, const char *name)
{
    offer(program, name, "");
    return nsp_registration_withdraw(&program->options, &program->offer);
}

static void check(const char *name, int told, int wanted)
{
    if (told != wanted) {
        fail_msg("%s: %d, not %d", name, told, wanted);
    }
}

// ---- what the daemon says, and what the program is told ----

static const struct row {
    const char *name;
    const char *peer_name;
    const char *cloud;
    const char *script;
    int code;
    const char *asked;
} rows[] = {
    {"stored", "0.a", "", "pd", 0, "r"},
    {"stored in silence", "0.a", "", "d", 0, "r"},
    {"it goes on when time is over", "0.a", "", "p", 0, "r"},
    {"nobody is there yet", "0.a", "", "e4", 0, "r"},
    {"nobody stored it yet", "0.a", "", "pe1", 0, "r"},
    {"not a word in time", "0.a", "", "- d", WSAENETDOWN, "ru"},
    {"the cloud is disabled", "0.a", "lab", "e1", WSA_PNRP_CLOUD_DISABLED, "ru"},
    {"it fails before it is stored", "0.a", "lab", "rpe1", WSA_PNRP_CLOUD_DISABLED, "ru"},
    {"the cloud is not there", "0.a", "lab", "e3", WSA_PNRP_CLOUD_NOT_FOUND, "ru"},
    {"there is no cloud", "0.a", "", "e3", WSA_PNRP_CLOUD_NOT_FOUND, "ru"},
    {"the daemon does not understand", "0.a", "", "e2", WSAEINVAL, "ru"},
    {"nobody reaches us", "0.a", "", "e6", WSA_PNRP_CLOUD_IS_SEARCH_ONLY, "ru"},
    {"the daemon is full", "0.a", "", "e9", WSA_PNRP_TOO_MUCH_LOAD, "ru"},
    {"the daemon ends", "0.a", "", "e7", WSAENETDOWN, "ru"},
    {"the daemon goes away", "0.a", "", "l", WSAENETDOWN, "r"},
    {"also where it has begun", "0.a", "", "pl", WSAENETDOWN, "r"},
    {"the daemon is not there", "0.a", "", "u", WSASYSNOTREADY, "r"},
    {"there is no daemon", "0.a", "", "x", WSASYSNOTREADY, ""},

    {"a key", Z32 ".a", "", "d pd", 0, "cr"},
    {"its hash", HEX ".a", "", "d pd", 0, "cr"},
    {"in large letters", "00112233445566778899AABBCCDDEEFF00112233.a", "", "d d", 0, "cr"},
    {"with a prefix", "pk:" HEX ".a", "", "d d", 0, "cr"},
    {"its label", "own.a", "", "d d", 0, "cr"},
    {"the key alone", Z32, "", "d d", 0, "cr"},
    {"another key", "b" Z32 ".a", "", "d", WSA_PNRP_INVALID_IDENTITY, "c"},
    {"another label", "other.a", "", "d", WSA_PNRP_INVALID_IDENTITY, "c"},
    {"a key that is not held", "own.a", "", "e3", WSA_PNRP_INVALID_IDENTITY, "c"},
    {"keys are not this user's to see", "own.a", "", "e6", WSAEACCES, "c"},
    {"lost meanwhile", "own.a", "", "l", WSAENETDOWN, "c"},
    {"silence about the key", "own.a", "", "-", WSAENETDOWN, "c"},
    {"nobody to ask for the key", "own.a", "", "u", WSASYSNOTREADY, "c"},
    {"somebody else publishes it here", "own.a", "", "d e8", WSA_PNRP_DUPLICATE_PEER_NAME, "cru"},
    {"too large a record", "own.a", "", "d rpe6", WSAEINVAL, "cru"},
    {"the key has gone", "own.a", "", "d e3", WSA_PNRP_INVALID_IDENTITY, "cru"},
    {"a secured one in a cloud that is not there", "own.a", "lab", "d e3", WSA_PNRP_CLOUD_NOT_FOUND,
     "cru"},
    {"lost after the key", "own.a", "", "d l", WSAENETDOWN, "cr"},
};

static void what_the_daemon_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct program program;
        print_message("%s\n", row->name);
        start(&program, row->script);
        offer(&program, row->peer_name, row->cloud);
        check(row->name, nsp_registration_make(&program.options, &program.offer), row->code);
        assert_string_equal(program.link.asked, row->asked);
        assert_int_equal(program.set.count, row->code == 0);
        // Of what stands, the link knows one request, which lasts.
        if (row->code == 0) {
            assert_int_equal(program.link.count, 1);
            assert_true(program.link.stands[0]->lasts);
        } else {
            assert_int_equal(program.link.count, 0);
        }
        check(row->name, nsp_registration_withdraw(&program.options, &program.offer),
              row->code == 0 ? 0 : WSASERVICE_NOT_FOUND);
        assert_int_equal(program.set.count, 0);
        assert_int_equal(program.link.count, 0);
        stop(&program);
    }
}

static void all_of_an_offer_is_passed_on(void **state)
{
    (void)state;
    struct program program;
    start(&program, "d");
    offer(&program, "0.a", "lab");
    program.offer.comment_len = 4;
    program.offer.payload_len = 3;
    program.offer.payload_type = PNR_PAYLOAD_BINARY;
    assert_int_equal(nsp_registration_make(&program.options, &program.offer), 0);
    assert_string_equal(published.name, "0.a");
    assert_string_equal(published.cloud, "lab");
    assert_int_equal(published.endpoint_count, 1);
    assert_int_equal(published.endpoints[0].port, 80);
    assert_int_equal(published.comment_len, 4);
    assert_int_equal(published.payload_len, 3);
    assert_int_equal(published.payload_type, PNR_PAYLOAD_BINARY);
    stop(&program);
}

// ---- after a loss ----

static void it_is_made_again(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *word; // what the restarted daemon says
        enum nsp_link_state state;
    } again[] = {
        {"stored again", "pd", NSP_LINK_KEPT},
        {"nobody is there yet", "e4", NSP_LINK_KEPT},
        {"its cloud is not there yet", "e3", NSP_LINK_WAITING},
        {"its cloud is disabled", "e1", NSP_LINK_WAITING},
        {"it is full", "e9", NSP_LINK_WAITING},
        {"it goes away again", "l", NSP_LINK_WAITING},
    };
    struct program program;
    start(&program, "pd");
    assert_int_equal(make(&program, "0.a"), 0);
    struct nsp_link_request *request = program.link.stands[0];
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        uint32_t id;
        print_message("%s\n", again[i].name);
        lose(&program.link, request, NSP_LINK_LOST);
        assert_int_equal(program.link.count, 1);
        assert_int_equal(request->sink->send(request, NULL, &id), PNR_OK);
        play(&program.link, request, again[i].word);
        assert_int_equal(request->state, again[i].state);
    }
    // It is the program's all the while.
    assert_int_equal(withdraw(&program, "0.a"), 0);
    assert_int_equal(program.link.count, 0);
    stop(&program);
}

// ---- several ----

static void the_same_again_replaces(void **state)
{
    (void)state;
    struct program program;
    start(&program, "d pd e9 d d");
    assert_int_equal(make(&program, "0.a"), 0);
    struct nsp_link_request *first = program.link.stands[0];
    assert_int_equal(make(&program, "0.a"), 0);
    assert_int_equal(program.set.count, 1);
    assert_int_equal(program.link.count, 1);
    assert_ptr_not_equal(program.link.stands[0], first);
    // One that fails leaves the other alone: nothing is unregistered.
    assert_int_equal(make(&program, "0.a"), WSA_PNRP_TOO_MUCH_LOAD);
    assert_int_equal(program.set.count, 1);
    assert_string_equal(program.link.asked, "rrr");
    // Another cloud is another registration, and so is another name.
    offer(&program, "0.a", "lab");
    assert_int_equal(nsp_registration_make(&program.options, &program.offer), 0);
    assert_int_equal(make(&program, "0.b"), 0);
    assert_int_equal(program.set.count, 3);
    assert_int_equal(withdraw(&program, "0.a"), 0);
    assert_int_equal(withdraw(&program, "0.a"), WSASERVICE_NOT_FOUND);
    assert_int_equal(program.set.count, 2);
    stop(&program);
}

static void the_table_is_bounded(void **state)
{
    (void)state;
    struct program program;
    char name[16];
    start(&program, "");
    for (int i = 0; i <= NSP_REGISTRATIONS_MAX; i++) {
        snprintf(name, sizeof name, "0.n%d", i);
        check(name, make(&program, name), i < NSP_REGISTRATIONS_MAX ? 0 : WSA_PNRP_TOO_MUCH_LOAD);
    }
    assert_int_equal(withdraw(&program, "0.n7"), 0);
    assert_int_equal(make(&program, "0.more"), 0);
    stop(&program);
}

static const struct withdraw_row {
    const char *name;
    const char *script;
} withdraw_rows[] = {
    {"withdrawn", "d d"},
    {"the daemon does not know it", "d e3"},
    {"the daemon goes away", "d l"},
    {"the daemon is gone", "d x"},
    {"the daemon is silent", "d -"},
    {"nobody answers there", "d u"},
};

// Whatever the daemon says, it is the program's no more.
static void it_is_withdrawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof withdraw_rows / sizeof withdraw_rows[0]; i++) {
        struct program program;
        print_message("%s\n", withdraw_rows[i].name);
        start(&program, withdraw_rows[i].script);
        assert_int_equal(make(&program, "0.a"), 0);
        check(withdraw_rows[i].name, withdraw(&program, "0.a"), 0);
        assert_int_equal(program.set.count, 0);
        assert_int_equal(withdraw(&program, "0.a"), WSASERVICE_NOT_FOUND);
        stop(&program);
    }
}

// ---- ends ----

static void everything_ends_meanwhile(void **state)
{
    (void)state;
    static const char *const names[] = {"0.a", "own.a"};
    for (size_t i = 0; i < 2; i++) {
        struct program program;
        start(&program, "-");
        program.link.ends = &program.set;
        program.options.wait_ms = NSP_REGISTRATION_WAIT_MS;
        assert_int_equal(make(&program, names[i]), WSA_E_CANCELLED);
        assert_int_equal(program.set.count, 0);
        // And nothing is taken in after it, until it begins anew.
        program.link.ends = NULL;
        assert_int_equal(make(&program, names[i]), WSA_E_CANCELLED);
        nsp_registration_begin_all(&program.set);
        assert_int_equal(make(&program, names[i]), 0);
        stop(&program);
    }
}

static void memory_may_be_short(void **state)
{
    (void)state;
    struct program program;
    start(&program, "");
    program.memory.fail_at = 1;
    assert_int_equal(make(&program, "0.a"), WSA_NOT_ENOUGH_MEMORY);
    assert_int_equal(make(&program, "0.a"), 0);
    stop(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_daemon_says),      cmocka_unit_test(all_of_an_offer_is_passed_on),
        cmocka_unit_test(it_is_made_again),          cmocka_unit_test(the_same_again_replaces),
        cmocka_unit_test(the_table_is_bounded),      cmocka_unit_test(it_is_withdrawn),
        cmocka_unit_test(everything_ends_meanwhile), cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
