// SPDX-License-Identifier: MIT
// A lookup of clouds between a program and a link that the test plays: those that there are, the
// code between these and what follows, and each change.
#include "pnr/clouds.h"
#include "tests/nsp/program.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

// What the lookup calls besides is the test's, too (LINKER:--wrap).
enum pnr_error __wrap_pnr_clouds(struct pnr_client *client, bool watch, uint32_t *ret_request);

enum pnr_error __wrap_pnr_clouds(struct pnr_client *client, bool watch, uint32_t *ret_request)
{
    assert_null(client);
    assert_true(watch);
    *ret_request = 5;
    return PNR_OK;
}

// ---- clouds ----

static const struct cloud {
    char letter;
    const char *name;
    const char *scope;
    PNRP_SCOPE as_scope;
    unsigned scope_id;
    const char *families;
    INT as_family;
} clouds[] = {
    {'G', "Global_", "global", PNRP_GLOBAL_SCOPE, 0, "li4ei6ee", AF_INET6},
    {'L', "lab", "site", PNRP_SITE_LOCAL_SCOPE, 0, "li4ee", AF_INET},
    {'E', "lan%eth0", "link", PNRP_LINK_LOCAL_SCOPE, 2, "li6ee", AF_INET6},
    {'W', "lan%wlan0", "link", PNRP_LINK_LOCAL_SCOPE, 3, "li6ee", AF_INET6},
    // Another cloud of the same name, as after its section was rewritten.
    {'w', "lan%wlan0", "link", PNRP_LINK_LOCAL_SCOPE, 3, "li4ei6ee", AF_INET6},
};

static const struct state {
    char letter;
    const char *name;
    PNRP_CLOUD_STATE as_state;
} states[] = {
    {'v', "virtual", PNRP_CLOUD_STATE_VIRTUAL},
    {'s', "synchronising", PNRP_CLOUD_STATE_SYNCHRONISING},
    {'a', "active", PNRP_CLOUD_STATE_ACTIVE},
    {'d', "dead", PNRP_CLOUD_STATE_DEAD},
    {'x', "disabled", PNRP_CLOUD_STATE_DISABLED},
    {'n', "no-net", PNRP_CLOUD_STATE_NO_NET},
    {'o', "alone", PNRP_CLOUD_STATE_ALONE},
};

static const struct sign {
    char letter;
    const char *event; // "": none
    DWORD flags;
} signs[] = {
    {'=', "", 0},
    {'+', "added", RESULT_IS_ADDED},
    {'~', "changed", RESULT_IS_CHANGED},
    {'-', "gone", RESULT_IS_DELETED},
};

// The row of a table that begins with a letter.
#define ROW_OF(table, wanted)                                                                      \
    (&(table)[row_of(&(table)[0].letter, sizeof(table)[0], sizeof(table) / sizeof(table)[0],       \
                     (wanted))])

static size_t row_of(const char *letters, size_t step, size_t count, char wanted)
{
    size_t i = 0;
    while (i < count && letters[i * step] != wanted) {
        i++;
    }
    assert_true(i < count);
    return i;
}

// ---- a program with one lookup ----

static void check_cloud(const struct program *program, const char *word);

static void start(struct program *program, const PNRPCLOUDINFO *filter)
{
    GUID class_id = SVCID_PNRPCLOUD;
    BLOB blob = {sizeof *filter, (BYTE *)(uintptr_t)filter};
    WSAQUERYSETW set;
    struct nsp_query query;
    memset(&set, 0, sizeof set);
    program_init(program, check_cloud);
    set.dwSize = sizeof set;
    set.lpServiceClassId = &class_id;
    set.dwNameSpace = NS_PNRPCLOUD;
    set.lpBlob = filter == NULL ? NULL : &blob;
    assert_int_equal(
        nsp_query_read(&set, LUP_RETURN_NAME | LUP_RETURN_BLOB, &program->memory.memory, &query),
        0);
    // There is no time for a search in a PNRPCLOUDINFO.
    assert_int_equal(query.timeout_s, NSP_QUERY_TIMEOUT_S_DEFAULT);
    program_begin(program, &nsp_source_cloud, &query);
}

static void tell(struct program *program, enum pnr_event_type type, const char *fields)
{
    struct pnr_event event = program_event(type, fields);
    event.error = type == PNR_EVENT_ERROR ? (enum pnr_error)(fields[8] - '0') : PNR_OK;
    program_tell(program->link.watch, &event);
}

// The word is a sign, a cloud and a state.
static void tell_cloud(struct program *program, const char *word)
{
    const struct sign *sign = ROW_OF(signs, word[0]);
    const struct cloud *cloud = ROW_OF(clouds, word[1]);
    const struct state *cloud_state = ROW_OF(states, word[2]);
    char event[32] = "", fields[256];
    if (sign->event[0] != '\0') {
        snprintf(event, sizeof event, "5:event%zu:%s", strlen(sign->event), sign->event);
    }
    snprintf(fields, sizeof fields,
             "d%s8:families%s4:name%zu:%s5:scope%zu:%s8:scope_idi%ue5:state%zu:%se", event,
             cloud->families, strlen(cloud->name), cloud->name, strlen(cloud->scope), cloud->scope,
             cloud->scope_id, strlen(cloud_state->name), cloud_state->name);
    tell(program, PNR_EVENT_RESULT, fields);
}

static bool is_text(const WCHAR *units, const char *text)
{
    size_t i = 0;
    while (text[i] != '\0' && units[i] == (WCHAR)text[i]) {
        i++;
    }
    return text[i] == '\0' && units[i] == 0;
}

// The word is as of tell_cloud().
static void check_cloud(const struct program *program, const char *word)
{
    const WSAQUERYSETW *set = &program->room.set;
    const struct cloud *cloud = ROW_OF(clouds, word[1]);
    PNRPCLOUDINFO info;
    assert_int_equal(set->dwOutputFlags, ROW_OF(signs, word[0])->flags);
    assert_true(is_text(set->lpszServiceInstanceName, cloud->name));
    assert_int_equal(set->dwNameSpace, NS_PNRPCLOUD);
    assert_null(set->lpszContext);
    assert_int_equal(set->dwNumberOfCsAddrs, 0);
    assert_int_equal(set->lpBlob->cbSize, sizeof info);
    memcpy(&info, set->lpBlob->pBlobData, sizeof info);
    assert_int_equal(info.dwSize, sizeof info);
    assert_int_equal(info.Cloud.AddressFamily, cloud->as_family);
    assert_int_equal(info.Cloud.Scope, cloud->as_scope);
    assert_int_equal(info.Cloud.ScopeId, cloud->scope_id);
    assert_int_equal(info.enCloudState, ROW_OF(states, word[2])->as_state);
    bool is_local = word[1] != 'G', takes_part = word[2] != 'x';
    assert_int_equal(info.enCloudFlags, (is_local ? PNRP_CLOUD_NAME_LOCAL : 0) |
                                            (takes_part ? PNRP_CLOUD_FULL_PARTICIPANT : 0));
}

// ---- scripts ----
//
//   =Ga   the daemon tells of Global_, which is active      +Ga added   ~Ga changed   -Ga gone
//   p     that was all at first     EN  error N     junk  what makes no sense
//   >=Ga  Next returns it so      and the words of every source: program.h
static const struct row {
    const char *name;
    const char *script;
    PNRPCLOUDINFO filter; // dwSize 0: none
} rows[] = {
    {"those that there are, and no more", "=Ga =Lo p >=Ga >=Lo >N", {0}},
    {"each as it comes", "=Ga >=Ga =Lo >=Lo p >N", {0}},
    {"none", "p >N", {0}},
    {"every state", "=Gv p >=Gv >N ~Gs >~Gs ~Ga >~Ga ~Gd >~Gd ~Gx >~Gx ~Gn >~Gn ~Go >~Go", {0}},
    {"one comes", "=Ga p >=Ga >N +Es >+Es", {0}},
    {"one goes, and says what it was last", "=Ga =Lo p >=Ga >=Lo >N -Ga >-Ga", {0}},
    {"one goes and comes again", "=Ga =Wa p >=Ga >=Wa >N -Wa >-Wa +ws >+ws", {0}},
    {"before anybody was told", "=Ga =Wa p >=Ga >=Wa >N -Wa +ws >~ws aP *-", {0}},
    {"one changes and goes", "=Ga =La p >=Ga >=La >N ~Ld -Ld >-Ld", {0}},
    {"of two changes the last", "=Ga =La p >=Ga >=La >N ~Ld ~La ~Lo >~Lo", {0}},
    {"one that gains a family", "=Wa p >=Wa >N ~wa >~wa", {0}},
    {"changes of two", "=Ga =La p >=Ga >=La >N ~Ld ~Gd >~Ld >~Gd", {0}},
    {"what comes between comes before no more", "=Ga p +Lv >=Ga >+Lv >N", {0}},
    {"what is repeated is no change", "=Ga p >=Ga >N ~Ga aP *- ~Gd *0 >~Gd", {0}},
    {"what makes no sense is skipped", "junk =Ga junk p >=Ga >N", {0}},
    {"too small a buffer keeps it", "=Ga =Lo p <F <F >=Ga >=Lo >N", {0}},
    {"and flushing drops it", "=Ga =Lo p <F |=Lo >N", {0}},

    {"all scopes", "=Ga =La =Ea p >=Ga >=La >=Ea >N", {.dwSize = sizeof(PNRPCLOUDINFO)}},
    {"of the world",
     "=Ga =La =Ea p >=Ga >N",
     {.dwSize = sizeof(PNRPCLOUDINFO), .Cloud = {0, PNRP_GLOBAL_SCOPE, 0}}},
    {"of the site",
     "=Ga =La =Ea p >=La >N",
     {.dwSize = sizeof(PNRPCLOUDINFO), .Cloud = {0, PNRP_SITE_LOCAL_SCOPE, 0}}},
    {"of links",
     "=Ga =La =Ea =Wa p >=Ea >=Wa >N",
     {.dwSize = sizeof(PNRPCLOUDINFO), .Cloud = {0, PNRP_LINK_LOCAL_SCOPE, 0}}},
    {"of one link",
     "=Ga =Ea =Wa p >=Wa >N",
     {.dwSize = sizeof(PNRPCLOUDINFO), .Cloud = {AF_INET6, PNRP_LINK_LOCAL_SCOPE, 3}}},
    {"of IPv4",
     "=Ga =La =Ea p >=Ga >=La >N",
     {.dwSize = sizeof(PNRPCLOUDINFO), .Cloud = {AF_INET, PNRP_SCOPE_ANY, 0}}},
    {"changes pass the filter, too",
     "=Ga =Ea p >=Ea >N aP ~Gd +La -Ga *- ~Ed *0 >~Ed",
     {.dwSize = sizeof(PNRPCLOUDINFO), .Cloud = {0, PNRP_LINK_LOCAL_SCOPE, 0}}},
    {"one that begins to pass it is added, and one that ends is gone",
     "=Wa p >N ~wa >+wa ~Wa >-wa ~Ws aP *-",
     {.dwSize = sizeof(PNRPCLOUDINFO), .Cloud = {AF_INET, PNRP_SCOPE_ANY, 0}}},

    {"a poll tells of the set", "=Ga p >=Ga ?W >N ?W ~Gd ?0 ?0 >~Gd ?W +La ?0 >+La ?W", {0}},
    {"and not of those there are", "=Ga =La ?W p ?W >=Ga >=La ?W", {0}},
    {"what is armed is told of each change",
     "=Ga p >=Ga >N aP *- +La *0 *- >+La aP -La *0 >-La",
     {0}},
    {"of one there is", "aP =Ga *0 >=Ga", {0}},
    {"of the end of those", "=Ga >=Ga aP p *0 >N", {0}},
    {"where something waits at once", "=Ga p a0 *0 >=Ga a0 *0 >N aP *-", {0}},

    {"a daemon that goes away", "=Ga p >=Ga >N aP l *D ?D >D >D aD", {0}},
    {"before it has told all", "=Ga l >=Ga >D >D", {0}},
    {"before it was asked", "u >S >D ?D", {0}},
    {"changes come before the loss", "=Ga p >=Ga >N ~Gd l >~Gd >D", {0}},
    {"the daemon is full", "E9 >T >D ?D", {0}},
    {"the daemon knows no clouds", "E2 >I >D", {0}},
    {"the daemon refuses", "E6 >C", {0}},
    {"an error that no cloud has", "E8 >D", {0}},
    {"the daemon ends", "=Ga p >=Ga >N aP E7 *D >D", {0}},

    {"End", "=Ga p X >X aH *-", {0}},
    {"End aborts what is armed", "=Ga p >=Ga >N aP X *A *-", {0}},
    {"nothing is told after it", "=Ga p >=Ga >N aP X *A ~Gd *- >X", {0}},
};

static void play_daemon(struct program *program, const char *word)
{
    switch (word[0]) {
    case 'p':
        tell(program, PNR_EVENT_PROGRESS, "d4:step8:watchinge");
        break;
    case 'j':
        tell(program, PNR_EVENT_RESULT, "d4:name7:Global_5:scope4:moone");
        tell(program, PNR_EVENT_PROGRESS, "d4:step3:hope");
        break;
    case 'E': {
        char fields[] = "d4:codei?ee";
        fields[8] = word[1];
        tell(program, PNR_EVENT_ERROR, fields);
        break;
    }
    default:
        tell_cloud(program, word);
        break;
    }
}

static void play(struct program *program, const char *word)
{
    if (!program_play(program, word)) {
        play_daemon(program, word);
    } else if (word[0] == 'X') {
        assert_true(program->link.watch_cancelled);
    }
}

static void scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct program program;
        print_message("%s\n", rows[i].name);
        start(&program, rows[i].filter.dwSize == 0 ? NULL : &rows[i].filter);
        program_run(&program, rows[i].script, play);
        // However often it was polled or armed.
        assert_int_equal(program.link.started, 1);
        program_stop(&program);
    }
}

static void one_request_is_search_and_watch(void **state)
{
    (void)state;
    struct program program;
    uint32_t id = 0;
    start(&program, NULL);
    struct nsp_link_request *request = program.link.watch;
    assert_true(request->stays);
    assert_false(request->lasts);
    assert_int_equal(request->sink->send(request, NULL, &id), PNR_OK);
    assert_int_equal(id, 5);
    program_stop(&program);
}

// ---- Next waits ----

struct waiter {
    struct program *program;
    struct nsp_thread thread;
    int code;
};

static void wait_in_next(void *ctx)
{
    struct waiter *waiter = ctx;
    waiter->code = program_next(waiter->program, 0, sizeof waiter->program->room);
}

static void add_one(struct program *program)
{
    tell_cloud(program, "+Es");
}

static void lose_it(struct program *program)
{
    program_lose(program, NSP_LINK_LOST);
}

static void end_it(struct program *program)
{
    nsp_lookup_end(program->lookup);
}

static const struct waiting_row {
    const char *name;
    void (*happens)(struct program *program);
    int code;
} waiting_rows[] = {
    {"until a cloud comes", add_one, 0},
    {"until the daemon goes away", lose_it, WSAENETDOWN},
    {"until End", end_it, WSA_E_CANCELLED},
};

// After the set, Next does not say again that there is no more, but waits.
static void next_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof waiting_rows / sizeof waiting_rows[0]; i++) {
        struct program program;
        struct waiter waiter = {.program = &program, .code = -1};
        print_message("%s\n", waiting_rows[i].name);
        start(&program, NULL);
        play_daemon(&program, "=Ga");
        play_daemon(&program, "p");
        program_check_next(&program, 0, "=Ga");
        program_check_next(&program, 0, "N");
        assert_true(nsp_thread_start(&waiter.thread, wait_in_next, &waiter));
        waiting_rows[i].happens(&program);
        nsp_thread_join(&waiter.thread);
        assert_int_equal(waiter.code, waiting_rows[i].code);
        if (waiter.code == 0) {
            check_cloud(&program, "+Es");
        }
        program_stop(&program);
    }
}

// A cloud for which there is no memory is lost, and Next says so.
static void memory_may_be_short(void **state)
{
    (void)state;
    struct program program;
    start(&program, NULL);
    program.memory.fail_at = atomic_load(&program.memory.requests) + 1;
    tell_cloud(&program, "=Ga");
    tell_cloud(&program, "=Lo");
    play_daemon(&program, "p");
    program_check_next(&program, 0, "=Lo");
    program_check_next(&program, 0, "M");
    program_check_next(&program, 0, "N");
    program_stop(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts),
        cmocka_unit_test(one_request_is_search_and_watch),
        cmocka_unit_test(next_waits),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
