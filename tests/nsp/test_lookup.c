// SPDX-License-Identifier: MIT
// A lookup between a program and a link that the test plays: what Next, a poll and a notification
// say in each state.
#include "tests/nsp/fake_daemon.h"
#include "tests/nsp/program.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

// What the lookup calls besides is the test's, too (LINKER:--wrap).
enum pnr_error __wrap_pnr_resolve(struct pnr_client *client, const struct pnr_resolve *resolve,
                                  uint32_t *ret_request);
enum pnr_error __wrap_pnr_watch(struct pnr_client *client, const struct pnr_watch *watch,
                                uint32_t *ret_request);
void __wrap_pnr_client_limit(struct pnr_client *client, uint32_t request, uint32_t timeout_ms);

// ---- the daemon's client ----

static struct pnr_resolve resolved; // the last one
static struct pnr_watch watched;
static char known_marks[PNR_KNOWN_MAX + 1]; // one letter for each that the watch knows
static uint32_t limit_ms;

enum pnr_error __wrap_pnr_resolve(struct pnr_client *client, const struct pnr_resolve *resolve,
                                  uint32_t *ret_request)
{
    (void)client;
    resolved = *resolve;
    *ret_request = 1;
    return PNR_OK;
}

enum pnr_error __wrap_pnr_watch(struct pnr_client *client, const struct pnr_watch *watch,
                                uint32_t *ret_request)
{
    (void)client;
    watched = *watch;
    memset(known_marks, 0, sizeof known_marks);
    for (size_t i = 0; i < watch->known_count; i++) {
        known_marks[i] = (char)watch->known[i].mark[0];
    }
    *ret_request = 2;
    return PNR_OK;
}

void __wrap_pnr_client_limit(struct pnr_client *client, uint32_t request, uint32_t timeout_ms)
{
    (void)client;
    (void)request;
    limit_ms = timeout_ms;
}

// ---- a program with one lookup ----

static WCHAR name[] = {'0', '.', 'n', 'a', 'm', 'e', 0};

static struct nsp_query query_of(uint32_t timeout_s, uint32_t max_resolve)
{
    return (struct nsp_query){.kind = NSP_QUERY_NAME,
                              .version = 2,
                              .mask = LUP_RETURN_NAME | LUP_RETURN_ADDR,
                              .name = name,
                              .name_utf8 = "0.name",
                              .name_units = 6,
                              .max_resolve = max_resolve,
                              .timeout_s = timeout_s};
}

static void check_publisher(const struct program *program, const char *wanted);

static void start(struct program *program, struct nsp_query query)
{
    program_init(program, check_publisher);
    program_begin(program, &nsp_source_name, &query);
}

// ---- events ----

static unsigned port_of(char who, char mark)
{
    return 1000 + (unsigned)(who - 'A') * 10 + (unsigned)(mark - '0');
}

static void tell_result(struct nsp_link_request *request, char who, char mark, const char *change)
{
    struct pnr_event event =
        program_event(PNR_EVENT_RESULT, fake_daemon_result(who, mark, port_of(who, mark), change));
    program_tell(request, &event);
}

static void tell_error(struct nsp_link_request *request, enum pnr_error error, bool has_tally)
{
    struct pnr_event event =
        program_event(PNR_EVENT_ERROR, has_tally ? "d4:codei3e10:elapsed_usi7ee" : "d4:codei3ee");
    event.error = error;
    program_tell(request, &event);
}

// ---- scripts ----
//
//   rA1   the search finds publisher A with mark 1, rA1- that he is gone   d done
//   eN    error N, with a tally
//   EN    error N without one        junk  a result that makes no sense       p progress
//   wA1+  the watch: A is added with mark 1; wA2~ changed; wA1- gone; wE error 9; wp watching
//   >A1   Next returns A1 without flags; >A1+ added; >A1~ changed; >A1- deleted
//   K12   the watch was started and knows marks 1 and 2       K- no watch was started
//   cs cw search and watch were cancelled; c- nothing was
//   ='S'  the state is SEARCHING; E W L C       and those of every source: program.h
static const struct row {
    const char *name;
    const char *script;
    uint32_t timeout_s; // 0: the time for the search is over from the start
    uint32_t max;
} rows[] = {
    {"each result is one Next", "rA1 rB1 rC1 >A1 >B1 >C1 d >N >N", 30, 9},
    {"a result comes before the end", "rA1 >A1 =S d =E >N", 30, 9},
    {"nothing found", "e3 >N >N K-", 30, 9},
    {"time is over at the daemon", "e4 >N", 30, 9},
    {"results, then time is over", "rA1 e4 >A1 >N", 30, 9},
    {"time is over here", ">N cs =E", 0, 9},
    {"but not for what came in", "rA1 >A1 >N cs", 0, 9},
    {"results that come too late", ">N rA1 >N", 0, 9},
    {"no such cloud, or key", "E3 >O >O", 30, 9},
    {"the cloud is disabled or gone", "E1 >B", 30, 9},
    {"the daemon is full", "E9 >T", 30, 9},
    {"the daemon does not understand", "E2 >I", 30, 9},
    {"the daemon refuses", "E6 >C", 30, 9},
    {"the daemon says that it ends", "rA1 E7 =L >A1 >D >D ?D", 30, 9},
    {"results after an error are fetched first", "rA1 E9 >A1 >T", 30, 9},
    {"what makes no sense is skipped", "junk rA1 >A1 d >N", 30, 9},
    {"no more than were asked for", "rA1 rB1 rC1 d >A1 >B1 >N", 30, 2},
    {"an exchange of letters without a watch", "p rA1 p >A1 d >N K-", 30, 9},

    {"too small a buffer keeps the result", "rA1 rB1 <F <F >A1 >B1 d >N", 30, 9},
    {"and flushing drops it", "rA1 rB1 <F |B1 d >N", 30, 9},
    {"flushing drops nothing else", "rA1 rB1 |A1 |B1 d |N", 30, 9},
    {"a flushed change", "rA1 >A1 d ?W wA2~ ?0 <F |N ?W", 30, 9},
    {"a change does not replace what was measured", "rA1 d >A1 ?W wA2~ <F wA3~ >A2~ ?0 >A3~ ?W", 30,
     9},

    {"a newer record of the same search", "rA1 >A1 rA2 ?0 >A2~ d ?W >N", 30, 9},
    {"and its repetition", "rA1 rA1 >A1 d >N", 30, 9},
    {"what the cache had is gone", "rA1 >A1 rA1- ?0 rB1 >A1- d >B1 ?W >N", 30, 9},
    {"and is back with the watch", "rA1 >A1 rA1- d >A1- ?W wA1+ >A1+ ?W >N", 30, 9},

    {"a poll starts the watch, once", "rA1 rB2 >A1 K- ?W K12 ?W d ?W =W", 30, 9},
    {"after the end as well", "rA1 d >A1 >N =E ?W K1 =W >N", 30, 9},
    {"a change is sticky until it is fetched", "rA1 >A1 d ?W wA2~ ?0 ?0 >A2~ ?W >N", 30, 9},
    {"two changes", "rA1 rB1 >A1 >B1 d ?W wA2~ wB2~ ?0 >A2~ ?0 >B2~ ?W", 30, 9},
    {"withdrawn", "rA1 >A1 d ?W wA1- ?0 >A1- ?W >N", 30, 9},
    {"changed and withdrawn", "rA1 >A1 d ?W wA2~ wA2- >A2- ?W >N", 30, 9},
    {"an added one is no change", "rA1 >A1 d ?W wB1+ ?W >B1+ ?W wB2~ ?0 >B2~ ?W", 30, 9},
    {"what was not fetched cannot have changed", "rA1 d ?W wA2~ ?W >A1 ?0 >A2~ ?W", 30, 9},
    {"what the watch repeats", "rA1 >A1 d ?W wA1+ wA1~ ?W >N", 30, 9},
    {"what the watch adds while the search goes on", "?W wA1+ wB1+ rA1 >A1 wp d >B1+ >N", 30, 9},
    {"changes while the search goes on", "rA1 >A1 ?W wA2~ ?0 >A2~ ?W d >N", 30, 9},
    {"a change after Next has said all", "rA1 >A1 d >N ?W wA2~ >A2~ >N", 30, 9},
    {"the daemon does not watch", "rA1 >A1 ?W wE ?D =S rB1 >B1 d =E >N ?D", 30, 9},
    {"or not any more", "rA1 d >A1 ?W =W wE =E ?D >N", 30, 9},

    {"a result fires", "aP *- rA1 *0 *- >A1", 30, 9},
    {"once", "aP rA1 rB1 *0 *- d *- >A1 >B1 >N", 30, 9},
    {"and again when armed again", "aP rA1 *0 >A1 aP *- rB1 *0 >B1", 30, 9},
    {"a result that waits has fired", "rA1 a0 *0 *- >A1 d >N", 30, 9},
    {"the end fires", "aP d *0 *- >N", 30, 9},
    {"the end of the time here fires", "aP aP >N *0 *0 *- >N aP", 0, 9},
    {"an error fires", "aP e3 *0 >N", 30, 9},
    {"an end that nobody was told has fired", "d a0 *0 >N aP *-", 30, 9},
    {"after the end, a change fires", "rA1 >A1 d >N aP *- wA2~ *0 >A2~ aP *-", 30, 9},
    {"one that is withdrawn", "rA1 >A1 d >N aP wA1- *0 >A1-", 30, 9},
    {"one that is added", "rA1 >A1 d >N aP wB1+ *0 >B1+ >N", 30, 9},
    {"repetition fires nothing", "rA1 >A1 d >N aP wA1+ wp *-", 30, 9},
    {"what is set aside fires at the end", "aP wB1+ *- d *0 >B1+", 30, 9},
    {"several", "aP aP aP rA1 *0 *0 *0 *-", 30, 9},
    {"arming starts the watch, once", "rA1 >A1 aP K1 aP K1 ?W", 30, 9},
    {"a poll after a notification", "rA1 >A1 d >N aP wA2~ *0 ?0 >A2~ ?W", 30, 9},

    {"lost while it searches", "rA1 l =L >A1 >D >D ?D aD *-", 30, 9},
    {"never reached", "u >S >S ?D aD", 30, 9},
    {"memory was short", "m >M", 30, 9},
    {"lost while it watches", "rA1 >A1 d >N ?W l =L ?D >N aD *-", 30, 9},
    {"what is armed hears of the loss", "rA1 >A1 d >N aP aP l *D *D *- >N", 30, 9},
    {"also while it searches", "aP l *D *- >D", 30, 9},
    {"a change is fetched before the loss", "rA1 >A1 d >N ?W wA2~ l ?0 >A2~ ?D >N", 30, 9},
    {"arming after a loss, with something to fetch", "rA1 l a0 *0 >A1 aD *-", 30, 9},
    {"what is armed hears that nobody watches", "aP wE *D *- rA1 >A1 aD", 30, 9},

    {"End", "X cs >X ?H", 30, 9},
    {"End with results that wait", "rA1 rB1 X >X", 30, 9},
    {"End cancels the watch", "rA1 ?W d X cw", 30, 9},
    {"End of what has ended", "rA1 d X c- >X", 30, 9},
    {"End aborts what is armed", "aP aP X *A *A *-", 30, 9},
    {"nothing is armed after it", "X aH *-", 30, 9},
    {"nor told", "aP X *A rA1 d l *- >X", 30, 9},
    {"twice", "aP X X *A *-", 30, 9},
};

// A publisher is two letters and perhaps a sign.
static void check_publisher(const struct program *program, const char *wanted)
{
    const WSAQUERYSETW *set = &program->room.set;
    assert_int_equal(set->dwNumberOfCsAddrs, 1);
    const SOCKADDR_IN *addr = (const SOCKADDR_IN *)(void *)set->lpcsaBuffer[0].LocalAddr.lpSockaddr;
    assert_int_equal(ntohs(addr->sin_port), port_of(wanted[0], wanted[1]));
    static const struct {
        char sign;
        DWORD flags;
    } signs[] = {
        {'\0', 0}, {'+', RESULT_IS_ADDED}, {'~', RESULT_IS_CHANGED}, {'-', RESULT_IS_DELETED}};
    for (size_t i = 0; i < 4; i++) {
        if (signs[i].sign == wanted[2]) {
            assert_int_equal(set->dwOutputFlags, signs[i].flags);
        }
    }
}

static void check_watch(struct program *program, const char *wanted)
{
    struct nsp_link_request *watch = program->link.watch;
    uint32_t id;
    if (wanted[0] == '-') {
        assert_null(watch);
        return;
    }
    assert_non_null(watch);
    assert_int_equal(watch->sink->send(watch, NULL, &id), PNR_OK);
    assert_int_equal(id, 2);
    // In whatever order.
    assert_int_equal(strlen(known_marks), strlen(wanted));
    assert_int_equal(strspn(known_marks, wanted), strlen(wanted));
}

static void play_watch(struct program *program, const char *word)
{
    struct nsp_link_request *watch = program->link.watch;
    if (word[0] == 'E') {
        tell_error(watch, PNR_ERROR_FULL, false);
    } else if (word[0] == 'p') {
        struct pnr_event event = program_event(PNR_EVENT_PROGRESS, "d4:step8:watchinge");
        program_tell(watch, &event);
    } else {
        tell_result(watch, word[0], word[1],
                    word[2] == '+'   ? "added"
                    : word[2] == '~' ? "changed"
                                     : "gone");
    }
}

static void play_search(struct program *program, const char *word)
{
    struct nsp_link_request *search = program->link.search;
    struct pnr_event event = program_event(PNR_EVENT_DONE, "d5:counti1ee");
    switch (word[0]) {
    case 'r':
        tell_result(search, word[1], word[2], word[3] == '-' ? "gone" : NULL);
        return;
    case 'e':
    case 'E':
        tell_error(search, (enum pnr_error)(word[1] - '0'), word[0] == 'e');
        return;
    case 'j':
        event = program_event(PNR_EVENT_RESULT, "d4:name6:0.namee");
        break;
    case 'p':
        event = program_event(PNR_EVENT_PROGRESS, "d4:step3:hope");
        break;
    default:
        break;
    }
    program_tell(search, &event);
}

static void check_cancelled(struct program *program, char which)
{
    assert_int_equal(program->link.search_cancelled, which == 's');
    assert_int_equal(program->link.watch_cancelled, which == 'w');
}

static void play(struct program *program, const char *word)
{
    static const char states[] = "SEWLC";
    switch (word[0]) {
    case '=':
        assert_int_equal(states[nsp_lookup_state(program->lookup)], word[1]);
        break;
    case 'K':
        check_watch(program, word + 1);
        break;
    case 'c':
        check_cancelled(program, word[1]);
        break;
    case 'w':
        play_watch(program, word + 1);
        break;
    default:
        if (!program_play(program, word)) {
            play_search(program, word);
        }
        break;
    }
}

static void scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct program program;
        print_message("%s\n", rows[i].name);
        start(&program, query_of(rows[i].timeout_s, rows[i].max));
        program_run(&program, rows[i].script, play);
        program_stop(&program);
    }
}

// ---- what is asked of the daemon ----

static void the_query_reaches_the_daemon(void **state)
{
    (void)state;
    struct program program;
    struct nsp_query query = query_of(20, 7);
    uint32_t id = 0;
    query.cloud_utf8 = "Global_";
    query.criteria = PNR_CRITERIA_NEAREST;
    query.has_hint = true;
    query.hint[3] = 5;
    start(&program, query);
    struct nsp_link_request *search = program.link.search;
    assert_false(search->stays || search->lasts);
    assert_true(search->until_ms > 0);
    assert_int_equal(search->sink->send(search, NULL, &id), PNR_OK);
    assert_int_equal(id, 1);
    assert_string_equal(resolved.name, "0.name");
    assert_string_equal(resolved.cloud, "Global_");
    assert_int_equal(resolved.wait, PNR_WAIT_SETTLED);
    assert_true(resolved.cached);
    assert_int_equal(resolved.criteria, PNR_CRITERIA_NEAREST);
    assert_int_equal(resolved.max, 7);
    assert_int_equal(resolved.hint_len, 16);
    assert_int_equal(resolved.hint[3], 5);
    // The daemon's time ends before ours, which has begun already.
    assert_true(limit_ms <= 20000 && resolved.timeout_ms < limit_ms && resolved.timeout_ms > 0);
    // The end of the list of a search without results has no code of its own.
    assert_int_equal(nsp_lookup_poll(program.lookup), WSAEWOULDBLOCK);
    limit_ms = 0;
    assert_int_equal(program.link.watch->sink->send(program.link.watch, NULL, &id), PNR_OK);
    assert_int_equal(limit_ms, 0); // the watch lives until End
    assert_int_equal(program.link.watch->until_ms, 0);
    assert_string_equal(watched.name, "0.name");
    assert_string_equal(watched.cloud, "Global_");
    assert_true(program.link.watch->stays);
    program_stop(&program);
    query = query_of(20, 1);
    query.flush_cache = true;
    start(&program, query);
    assert_int_equal(program.link.search->sink->send(program.link.search, NULL, &id), PNR_OK);
    assert_int_equal(resolved.wait, PNR_WAIT_ALL);
    assert_false(resolved.cached);
    assert_int_equal(resolved.hint_len, 0);
    assert_null(resolved.cloud);
    tell_error(program.link.search, PNR_ERROR_NOT_FOUND, false);
    program_stop(&program);
}

static void a_cloud_that_is_not_there(void **state)
{
    (void)state;
    struct program program;
    struct nsp_query query = query_of(20, 7);
    query.cloud_utf8 = "Nowhere_";
    start(&program, query);
    tell_error(program.link.search, PNR_ERROR_NOT_FOUND, false);
    assert_int_equal(program_next(&program, 0, sizeof program.room), WSA_PNRP_CLOUD_NOT_FOUND);
    program_stop(&program);
}

static void the_daemon_chooses_what_is_watched(void **state)
{
    static const struct {
        const char *name;
        enum pnr_criteria which;
    } criteria[] = {
        {"any", PNR_CRITERIA_ANY},
        {"non-current", PNR_CRITERIA_NON_CURRENT},
        {"remote", PNR_CRITERIA_REMOTE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof criteria / sizeof *criteria; i++) {
        struct program program;
        struct nsp_query query = query_of(20, 7);
        uint32_t id = 0;
        query.criteria = criteria[i].which;
        start(&program, query);
        assert_int_equal(nsp_lookup_poll(program.lookup), WSAEWOULDBLOCK);
        assert_int_equal(program.link.watch->sink->send(program.link.watch, NULL, &id), PNR_OK);
        if (watched.criteria != criteria[i].which) {
            fail_msg("%s: %d", criteria[i].name, (int)watched.criteria);
        }
        program_stop(&program);
    }
}

static void an_absent_daemon_refuses(void **state)
{
    (void)state;
    struct program program;
    struct nsp_query query = query_of(30, 1);
    program_init(&program, check_publisher);
    program.link.refuses = WSASYSNOTREADY;
    assert_int_equal(program_make(&program, &nsp_source_name, &query), 0);
    assert_int_equal(nsp_lookup_begin(program.lookup), WSASYSNOTREADY);
    program_stop(&program);
    // It goes while a lookup is there, and comes back.
    start(&program, query_of(30, 1));
    tell_error(program.link.search, PNR_ERROR_NOT_FOUND, true);
    assert_int_equal(program_next(&program, 0, sizeof program.room), WSA_E_NO_MORE);
    program.link.refuses = WSASYSNOTREADY;
    assert_int_equal(nsp_lookup_poll(program.lookup), WSAENETDOWN);
    assert_int_equal(program_arm(&program), WSAENETDOWN);
    program.link.refuses = 0;
    assert_int_equal(nsp_lookup_poll(program.lookup), WSAEWOULDBLOCK);
    assert_int_equal(program_completion(&program), '-');
    program_stop(&program);
}

static void a_thread_that_ends_takes_along_what_it_armed(void **state)
{
    (void)state;
    struct program program;
    start(&program, query_of(30, 1));
    assert_int_equal(program_arm(&program), WSA_IO_PENDING);
    nsp_lookup_thread_left(&program.set, nsp_platform_thread_id() + 1);
    assert_int_equal(program_completion(&program), '-');
    nsp_lookup_thread_left(&program.set, nsp_platform_thread_id());
    assert_int_equal(program_completion(&program), 'A');
    tell_result(program.link.search, 'A', '1', NULL);
    assert_int_equal(program_completion(&program), '-');
    program_stop(&program);
}

static void arming_is_bounded(void **state)
{
    (void)state;
    struct program program;
    start(&program, query_of(30, 1));
    for (int i = 0; i < NSP_NOTIFY_MAX; i++) {
        assert_int_equal(program_arm(&program), WSA_IO_PENDING);
    }
    assert_int_equal(program_arm(&program), WSA_NOT_ENOUGH_MEMORY);
    tell_result(program.link.search, 'A', '1', NULL);
    for (int i = 0; i < NSP_NOTIFY_MAX; i++) {
        assert_int_equal(program_completion(&program), '0');
    }
    assert_int_equal(program_completion(&program), '-');
    program_stop(&program);
}

// ---- memory ----

// A life with everything in it. Codes other than "no memory" are as they should be.
static void live(struct program *program)
{
    tell_result(program->link.search, 'A', '1', NULL);
    int code = program_next(program, 0, sizeof program->room);
    assert_true(code == 0 || code == WSA_NOT_ENOUGH_MEMORY);
    code = program_arm(program);
    assert_true(code == WSA_IO_PENDING || code == WSA_NOT_ENOUGH_MEMORY);
    if (program->link.watch == NULL) {
        return;
    }
    tell_result(program->link.watch, 'B', '1', "added");
    tell_error(program->link.search, PNR_ERROR_TIMED_OUT, false);
    tell_result(program->link.watch, 'A', '2', "changed");
    tell_result(program->link.watch, 'A', '2', "gone");
    do {
        code = program_next(program, 0, sizeof program->room);
    } while (code == 0);
    assert_true(code == WSA_E_NO_MORE || code == WSA_NOT_ENOUGH_MEMORY);
    if (code == WSA_NOT_ENOUGH_MEMORY) {
        // It is said once, and the lookup goes on.
        do {
            code = program_next(program, 0, sizeof program->room);
        } while (code == 0);
        assert_int_equal(code, WSA_E_NO_MORE);
        // Where it was news of the watch that was lost, nobody knows what has changed.
        code = nsp_lookup_poll(program->lookup);
        assert_true(code == WSAENETDOWN || code == WSAEWOULDBLOCK);
    }
}

static void memory_may_be_short(void **state)
{
    (void)state;
    bool failed = true;
    for (size_t nth = 2; failed; nth++) {
        struct program program;
        start(&program, query_of(30, 9));
        program.memory.fail_at = nth;
        live(&program);
        failed = failing_memory_failed(&program.memory);
        program_stop(&program);
    }
    struct program program;
    struct nsp_query query = query_of(30, 9);
    program_init(&program, check_publisher);
    program.memory.fail_at = 1;
    assert_int_equal(program_make(&program, &nsp_source_name, &query), WSA_NOT_ENOUGH_MEMORY);
    CloseHandle(program.port);
    assert_string_equal(query.name_utf8, "0.name"); // still the caller's
}

static void a_change_that_memory_was_short_for(void **state)
{
    (void)state;
    struct program program;
    start(&program, query_of(30, 9));
    tell_error(program.link.search, PNR_ERROR_NOT_FOUND, true);
    assert_int_equal(program_next(&program, 0, sizeof program.room), WSA_E_NO_MORE);
    assert_int_equal(program_arm(&program), WSA_IO_PENDING);
    program.memory.fail_at = atomic_load(&program.memory.requests) + 1;
    tell_result(program.link.watch, 'A', '1', "added");
    assert_int_equal(program_completion(&program), 'D');
    assert_int_equal(nsp_lookup_poll(program.lookup), WSAENETDOWN);
    assert_int_equal(program_next(&program, 0, sizeof program.room), WSA_NOT_ENOUGH_MEMORY);
    assert_int_equal(program_next(&program, 0, sizeof program.room), WSA_E_NO_MORE);
    program_stop(&program);
}

// ---- threads ----

struct waiter {
    struct program *program;
    struct nsp_thread thread;
    uint8_t buf[2048];
    int results;
    int code; // the last
};

static void wait_for_all(void *ctx)
{
    struct waiter *waiter = ctx;
    do {
        DWORD len = sizeof waiter->buf;
        waiter->code = nsp_lookup_next(waiter->program->lookup, 0, &len, waiter->buf);
        waiter->results += waiter->code == 0;
    } while (waiter->code == 0);
}

static void start_waiter(struct waiter *waiter, struct program *program)
{
    waiter->program = program;
    waiter->results = 0;
    assert_true(nsp_thread_start(&waiter->thread, wait_for_all, waiter));
}

static void end_it(struct program *program)
{
    nsp_lookup_end(program->lookup);
}

static void finish_it(struct program *program)
{
    tell_error(program->link.search, PNR_ERROR_NOT_FOUND, true);
}

static void lose_it(struct program *program)
{
    program_lose(program, NSP_LINK_LOST);
}

static const struct waking_row {
    const char *name;
    void (*happens)(struct program *program);
    int code;
} waking_rows[] = {
    {"End", end_it, WSA_E_CANCELLED},
    {"the end of the search", finish_it, WSA_E_NO_MORE},
    {"the loss of the daemon", lose_it, WSAENETDOWN},
};

static void everybody_in_next_is_woken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof waking_rows / sizeof waking_rows[0]; i++) {
        struct program program;
        struct waiter waiters[3];
        start(&program, query_of(600, 9));
        for (int j = 0; j < 3; j++) {
            start_waiter(&waiters[j], &program);
        }
        tell_result(program.link.search, 'A', '1', NULL);
        tell_result(program.link.search, 'B', '1', NULL);
        waking_rows[i].happens(&program);
        int results = 0;
        for (int j = 0; j < 3; j++) {
            nsp_thread_join(&waiters[j].thread);
            assert_int_equal(waiters[j].code, waking_rows[i].code);
            results += waiters[j].results;
        }
        // Each result went to one of them, unless End came first.
        assert_true(results == 2 || waking_rows[i].happens == end_it);
        program_stop(&program);
    }
}

static void poll_for_ever(void *ctx)
{
    struct program *program = ctx;
    int code;
    do {
        code = nsp_lookup_poll(program->lookup);
        assert_true(code == 0 || code == WSAEWOULDBLOCK || code == WSA_INVALID_HANDLE);
    } while (nsp_lookup_state(program->lookup) != NSP_LOOKUP_CLOSED);
}

struct armer {
    struct program *program;
    struct nsp_thread thread;
    HANDLE port;
    int pending;   // that will be told
    int completed; // that were
    int refused;
};

static void arm_for_ever(void *ctx)
{
    struct armer *armer = ctx;
    WSACOMPLETION how;
    int code;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_PORT;
    how.Parameters.Port.hPort = armer->port;
    how.Parameters.Port.Key = 1;
    do {
        code = nsp_lookup_arm(armer->program->lookup, &how, NULL);
        armer->pending += code == 0 || code == WSA_IO_PENDING;
        armer->refused += code == WSA_NOT_ENOUGH_MEMORY;
    } while (code != WSA_INVALID_HANDLE);
}

static void count_completions(struct armer *armer)
{
    DWORD bytes;
    ULONG_PTR key = 1;
    while (key == 1) {
        LPOVERLAPPED overlapped;
        key = 0;
        (void)GetQueuedCompletionStatus(armer->port, &bytes, &key, &overlapped, 0);
        armer->completed += key == 1;
    }
}

static void everything_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        struct program program;
        struct waiter waiters[2];
        struct armer armers[2];
        struct nsp_thread polling;
        start(&program, query_of(600, 9));
        assert_int_equal(nsp_lookup_poll(program.lookup), WSAEWOULDBLOCK);
        assert_true(nsp_thread_start(&polling, poll_for_ever, &program));
        for (int i = 0; i < 2; i++) {
            start_waiter(&waiters[i], &program);
            armers[i] = (struct armer){.program = &program};
            armers[i].port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
            assert_true(nsp_thread_start(&armers[i].thread, arm_for_ever, &armers[i]));
        }
        for (int i = 0; i < 20; i++) {
            tell_result(program.link.search, (char)('A' + i % 3), (char)('1' + i % 7), NULL);
            tell_result(program.link.watch, (char)('A' + i % 5), (char)('1' + i % 6),
                        i % 3 == 0 ? "gone" : "changed");
        }
        nsp_lookup_end(program.lookup);
        nsp_thread_join(&polling);
        for (int i = 0; i < 2; i++) {
            nsp_thread_join(&waiters[i].thread);
            assert_int_equal(waiters[i].code, WSA_E_CANCELLED);
            nsp_thread_join(&armers[i].thread);
            count_completions(&armers[i]);
            assert_int_equal(armers[i].completed, armers[i].pending);
            CloseHandle(armers[i].port);
        }
        program_stop(&program);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts),
        cmocka_unit_test(the_query_reaches_the_daemon),
        cmocka_unit_test(a_cloud_that_is_not_there),
        cmocka_unit_test(the_daemon_chooses_what_is_watched),
        cmocka_unit_test(an_absent_daemon_refuses),
        cmocka_unit_test(a_thread_that_ends_takes_along_what_it_armed),
        cmocka_unit_test(arming_is_bounded),
        cmocka_unit_test(memory_may_be_short),
        cmocka_unit_test(a_change_that_memory_was_short_for),
        cmocka_unit_test(everybody_in_next_is_woken),
        cmocka_unit_test(everything_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
