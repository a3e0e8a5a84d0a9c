// SPDX-License-Identifier: MIT
// Whole installs and uninstalls over two catalogs in memory that fail where they are told to:
// nsp/setup/setup.h, apply.h, trouble.h.
#include "nsp/setup/setup.h"
#include "tests/nsp/setup_entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// A machine.
struct fake {
    struct setup_state states[SETUP_VIEWS];
    unsigned changes;     // that were asked for, those that failed among them
    unsigned fails_from;  // the first of them that fails; 0: none
    unsigned fails_count; // and how many
    int code;             // how they fail
    int access;
    int read;
    bool forgets_blobs;
};

static bool fails(struct fake *fake)
{
    fake->changes++;
    return fake->fails_from != 0 && fake->changes >= fake->fails_from &&
           fake->changes - fake->fails_from < fake->fails_count;
}

static int fake_access(void *ctx)
{
    struct fake *fake = ctx;
    return fake->access;
}

static int fake_read(void *ctx, enum setup_view view, struct setup_state *ret_state)
{
    struct fake *fake = ctx;
    *ret_state = fake->states[view];
    return view == SETUP_VIEW_32 ? fake->read : 0;
}

static int fake_install(void *ctx, enum setup_view view, const struct setup_entry *entry)
{
    struct fake *fake = ctx;
    struct setup_catalog *catalog = &fake->states[view].catalog;
    if (fails(fake)) {
        return fake->code;
    }
    if (setup_catalog_find(catalog, &entry->id) != NULL) {
        return WSANO_RECOVERY;
    }
    struct setup_entry *there = &catalog->entries[catalog->count++];
    *there = *entry;
    there->blob_len = fake->forgets_blobs ? 0 : there->blob_len;
    return 0;
}

static int fake_uninstall(void *ctx, enum setup_view view, const GUID *id)
{
    struct fake *fake = ctx;
    struct setup_catalog *catalog = &fake->states[view].catalog;
    if (fails(fake)) {
        return fake->code;
    }
    size_t at = 0;
    while (at < catalog->count && memcmp(&catalog->entries[at].id, id, sizeof *id) != 0) {
        at++;
    }
    if (at == catalog->count) {
        return WSAEINVAL;
    }
    catalog->count--;
    memmove(&catalog->entries[at], &catalog->entries[at + 1],
            (catalog->count - at) * sizeof catalog->entries[0]);
    return 0;
}

static int fake_arrange(void *ctx, enum setup_view view, const struct setup_order *order)
{
    struct fake *fake = ctx;
    struct setup_catalog *catalog = &fake->states[view].catalog;
    if (fails(fake)) {
        return fake->code;
    }
    if (order->count != catalog->count) {
        return WSAEINVAL;
    }
    struct setup_catalog *sorted = calloc(1, sizeof *sorted);
    for (size_t i = 0; i < order->count; i++) {
        const struct setup_entry *entry = setup_catalog_find(catalog, &order->ids[i]);
        assert_non_null(entry);
        sorted->entries[sorted->count++] = *entry;
    }
    *catalog = *sorted;
    free(sorted);
    return 0;
}

static int fake_remember(void *ctx, enum setup_view view, size_t provider,
                         const struct setup_kept *kept)
{
    struct fake *fake = ctx;
    if (fails(fake)) {
        return fake->code;
    }
    struct setup_memory *memory = &fake->states[view].memory;
    memory->has[provider] = true;
    memory->kept[provider] = *kept;
    return 0;
}

static int fake_forget(void *ctx, enum setup_view view, size_t provider)
{
    struct fake *fake = ctx;
    if (fails(fake)) {
        return fake->code;
    }
    fake->states[view].memory.has[provider] = false;
    return 0;
}

static struct setup_system system_of(struct fake *fake)
{
    return (struct setup_system){fake,           fake_access,  fake_read,     fake_install,
                                 fake_uninstall, fake_arrange, fake_remember, fake_forget};
}

// A machine whose 64-bit catalog is `wide` and whose 32-bit catalog is `narrow`.
static struct fake *make(const char *wide, const char *narrow)
{
    struct fake *fake = calloc(1, sizeof *fake);
    setup_entries_catalog(wide, &fake->states[SETUP_VIEW_64].catalog);
    setup_entries_catalog(narrow, &fake->states[SETUP_VIEW_32].catalog);
    fake->code = WSANO_RECOVERY;
    return fake;
}

static struct setup_run *make_run(void)
{
    struct setup_run *run = calloc(1, sizeof *run);
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        run->views[view] = true;
        assert_true(setup_text_copy(SETUP_TEST_PATH, run->paths[view], SETUP_PATH_MAX));
    }
    return run;
}

// i installs, u uninstalls, 4 installs into the 64-bit catalog alone and 3 takes it out of the
// 32-bit one alone.
static enum setup_exit do_command(struct fake *fake, char command, struct setup_run *run)
{
    struct setup_system system = system_of(fake);
    run->views[SETUP_VIEW_32] = command != '4';
    run->views[SETUP_VIEW_64] = command != '3';
    return command == 'i' || command == '4' ? setup_install(run, &system)
                                            : setup_uninstall(run, &system);
}

static enum setup_exit do_commands(struct fake *fake, const char *commands)
{
    enum setup_exit code = SETUP_EXIT_DONE;
    for (; *commands != '\0'; commands++) {
        struct setup_run *run = make_run();
        code = do_command(fake, *commands, run);
        free(run);
    }
    return code;
}

// Both catalogs and what is remembered of each: "dnc:NC|dnc:NC".
static const char *show(const struct fake *fake, char *ret_text)
{
    char *at = ret_text;
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        const struct setup_state *state = &fake->states[view];
        setup_entries_letters(&state->catalog, at);
        at += strlen(at);
        *at++ = ':';
        for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
            if (state->memory.has[i]) {
                *at++ = setup_entries_letter(&state->memory.kept[i].entry);
            }
        }
        *at++ = view == 0 ? '|' : '\0';
    }
    return ret_text;
}

static void check_machine(const char *row, const struct fake *fake, const char *wanted)
{
    char text[300];
    if (strcmp(show(fake, text), wanted) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", row, text, wanted);
    }
}

static void commands(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *wide;
        const char *narrow;
        const char *commands;
        const char *wanted;
    } rows[] = {
        {"install where nothing is", "db", "d", "i", "dbnc:|dnc:"},
        {"and uninstall", "db", "d", "iu", "db:|d:"},
        {"install over Microsoft's", "dNCb", "dCN", "i", "dncb:NC|dcn:NC"},
        {"twice", "dNCb", "dCN", "ii", "dncb:NC|dcn:NC"},
        {"and uninstall", "dNCb", "dCN", "iiu", "dNCb:|dCN:"},
        {"uninstall twice", "dNCb", "dCN", "iuu", "dNCb:|dCN:"},
        {"all over again", "dNCb", "dCN", "iuiuiu", "dNCb:|dCN:"},
        {"disabled, with a blob", "NdD", "Db", "iu", "NdD:|Db:"},
        {"somebody else's", "OCd", "dO", "iu", "OCd:|dO:"},
        {"one catalog", "dNC", "dNC", "4", "dnc:NC|dNC:"},
        {"one after the other", "dNC", "dNC", "4i", "dnc:NC|dnc:NC"},
        {"one of them back", "dNC", "dNC", "i3", "dnc:NC|dNC:"},
        {"never installed", "dNC", "dNC", "u", "dNC:|dNC:"},
        {"another library", "dmeb", "dNe", "i", "dncb:|dnc:N"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake *fake = make(rows[i].wide, rows[i].narrow);
        assert_int_equal(do_commands(fake, rows[i].commands), SETUP_EXIT_DONE);
        check_machine(rows[i].name, fake, rows[i].wanted);
        free(fake);
    }
}

// What is as wanted is not touched, and needs no right.
static void nothing_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *before;
        const char *commands;
    } rows[] = {
        {"installed already", "i", "i"},
        {"uninstalled already", "iu", "u"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake *fake = make("dNCb", "dN");
        do_commands(fake, rows[i].before);
        fake->changes = 0;
        fake->access = 5;
        if (do_commands(fake, rows[i].commands) != SETUP_EXIT_DONE || fake->changes != 0) {
            fail_msg("%s", rows[i].name);
        }
        free(fake);
    }
}

static const struct fault_row {
    const char *name;
    const char *wide;
    const char *narrow;
    const char *before; // commands that go well
    char command;       // one of whose changes fails
} fault_rows[] = {
    {"install over Microsoft's", "dNCb", "dCN", "", 'i'},
    {"install where nothing is", "db", "d", "", 'i'},
    {"install over one of them", "dbD", "dOb", "", 'i'},
    {"install with another library", "dmeb", "dNe", "", 'i'},
    {"uninstall with Microsoft's", "dNCb", "dCN", "i", 'u'},
    {"uninstall with nothing", "db", "d", "i", 'u'},
    {"uninstall with one of them", "dbD", "dOb", "i", 'u'},
};
#define FAULT_ROWS (sizeof fault_rows / sizeof fault_rows[0])

static struct fake *make_fault(const struct fault_row *row, unsigned from, unsigned count)
{
    struct fake *fake = make(row->wide, row->narrow);
    do_commands(fake, row->before);
    fake->changes = 0;
    fake->fails_from = from;
    fake->fails_count = count;
    return fake;
}

// Each change of a command fails in turn: all is as before, in its order, and the user is told.
static void one_failure_is_taken_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAULT_ROWS; i++) {
        const struct fault_row *row = &fault_rows[i];
        char before[300], name[100];
        bool went_well = false;
        for (unsigned from = 1; !went_well; from++) {
            struct fake *fake = make_fault(row, from, 1);
            struct setup_run *run = make_run();
            show(fake, before);
            snprintf(name, sizeof name, "%s, change %u", row->name, from);
            went_well = do_command(fake, row->command, run) == SETUP_EXIT_DONE;
            assert_int_equal(went_well, fake->changes < from);
            if (!went_well) {
                check_machine(name, fake, before);
                assert_int_equal(run->trouble.stage, SETUP_STAGE_STEP);
                assert_int_equal(run->trouble.stuck.code, 0);
            }
            assert_true(from < 100);
            free(run);
            free(fake);
        }
    }
}

// From one change on all fail, those among them that would take back what was done, as they do
// when the machine goes out: the next uninstall brings back what was there at the very first, and
// the next install what there should be.
static void what_is_stuck_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAULT_ROWS * 2; i++) {
        const struct fault_row *row = &fault_rows[i / 2];
        const char *next = i % 2 == 0 ? "u" : "iu";
        // Ours is nothing that would ever be brought back.
        if (strpbrk(row->wide, "me") != NULL) {
            continue;
        }
        char wanted[300], name[100];
        struct fake *untouched = make(row->wide, row->narrow);
        show(untouched, wanted);
        bool went_well = false;
        for (unsigned from = 1; !went_well; from++) {
            struct fake *fake = make_fault(row, from, 1000);
            went_well = do_commands(fake, (char[]){row->command, 0}) == SETUP_EXIT_DONE;
            fake->fails_from = 0;
            assert_int_equal(do_commands(fake, next), SETUP_EXIT_DONE);
            snprintf(name, sizeof name, "%s, from change %u, then %s", row->name, from, next);
            check_machine(name, fake, wanted);
            assert_true(from < 100);
            free(fake);
        }
        free(untouched);
    }
}

// One more failure while taking back: told, and what could not be put back stays remembered.
static void two_failures_are_told(void **state)
{
    (void)state;
    struct fake *fake = make("dNC", "");
    struct setup_run *run = make_run();
    char text[SETUP_TROUBLE_MAX];
    // R R -N +n, which fails, and then +N, which fails too.
    fake->fails_from = 4;
    fake->fails_count = 2;
    assert_int_equal(do_command(fake, 'i', run), SETUP_EXIT_ERROR);
    check_machine("what is remembered", fake, "dC:N|:");
    assert_int_equal(run->trouble.failure.action, SETUP_INSTALL);
    assert_int_equal(run->trouble.stuck.action, SETUP_UNINSTALL);
    assert_non_null(strstr(setup_trouble_state(&run->trouble, text), "could not be taken back"));
    free(run);
    free(fake);
}

static void a_windows_without_order(void **state)
{
    (void)state;
    struct fake *fake = make("dNCb", "dNCb");
    struct setup_run *run = make_run();
    struct setup_system system = system_of(fake);
    system.arrange = NULL;
    assert_int_equal(setup_install(run, &system), SETUP_EXIT_DONE);
    check_machine("installed", fake, "dbnc:NC|dbnc:NC");
    free(run);
    free(fake);
}

static void what_comes_back_otherwise_is_told(void **state)
{
    (void)state;
    struct fake *fake = make("dND", "dNC");
    struct setup_run *run = make_run();
    do_commands(fake, "i");
    fake->forgets_blobs = true;
    assert_int_equal(do_command(fake, 'u', run), SETUP_EXIT_DONE);
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
            assert_int_equal(run->differs[view][i], view == SETUP_VIEW_64 && i == 1);
        }
    }
    free(run);
    free(fake);
}

static void before_any_change(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *wide;
        int access;
        int read;
        enum setup_exit exit;
        enum setup_stage stage;
        const char *part;
    } rows[] = {
        {"not elevated", "dNC", 5, 0, SETUP_EXIT_REFUSED, SETUP_STAGE_ACCESS,
         "nothing was changed: access is denied"},
        {"a catalog that cannot be read", "dNC", 0, SETUP_CODE_UNREADABLE, SETUP_EXIT_ERROR,
         SETUP_STAGE_READ, "32-bit catalog"},
        {"too many entries", "dNC", 0, SETUP_CODE_FULL, SETUP_EXIT_ERROR, SETUP_STAGE_READ,
         "more than 64"},
        {"an entry too large", "dLC", 0, 0, SETUP_EXIT_ERROR, SETUP_STAGE_PLAN,
         "64-bit catalog, NS_PNRPNAME: the entry in the way is larger"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake *fake = make(rows[i].wide, "d");
        struct setup_run *run = make_run();
        char text[SETUP_TROUBLE_MAX];
        fake->access = rows[i].access;
        fake->read = rows[i].read;
        enum setup_exit code = do_command(fake, 'i', run);
        if (code != rows[i].exit || run->trouble.stage != rows[i].stage || fake->changes != 0) {
            fail_msg("%s: exit code %d, stage %d, %u changes", rows[i].name, code,
                     run->trouble.stage, fake->changes);
        }
        if (strstr(setup_trouble_text(&run->trouble, text), rows[i].part) == NULL ||
            setup_trouble_remedy(&run->trouble) == NULL) {
            fail_msg("%s: \"%s\"", rows[i].name, text);
        }
        free(run);
        free(fake);
    }
}

// Each error that Winsock documents has words of its own and a remedy.
static void words(void **state)
{
    (void)state;
    static const struct {
        int code;
        enum setup_exit exit;
        const char *part;
        const char *remedy;
    } rows[] = {
        {5, SETUP_EXIT_REFUSED, "access is denied (ERROR_ACCESS_DENIED, 5)", "Run as admin"},
        {WSAEACCES, SETUP_EXIT_REFUSED, "access is denied (WSAEACCES, 10013)", "Run as admin"},
        {WSANO_RECOVERY, SETUP_EXIT_ERROR, "(WSANO_RECOVERY, 11003)", "security product"},
        {WSAEINVAL, SETUP_EXIT_ERROR, "(WSAEINVAL, 10022)", "status"},
        {WSAEFAULT, SETUP_EXIT_ERROR, "(WSAEFAULT, 10014)", "report"},
        {WSASYSCALLFAILURE, SETUP_EXIT_ERROR, "(WSASYSCALLFAILURE, 10107)", "netsh winsock"},
        {WSA_NOT_ENOUGH_MEMORY, SETUP_EXIT_ERROR, "(WSA_NOT_ENOUGH_MEMORY, 8)", "close some"},
        {11002, SETUP_EXIT_ERROR, "(WSATRY_AGAIN, 11002)", "try again"},
        {WSANOTINITIALISED, SETUP_EXIT_ERROR, "(WSANOTINITIALISED, 10093)", "restart"},
        {SETUP_CODE_NOT_KEPT, SETUP_EXIT_ERROR, "its catalog tells otherwise", "guard"},
        {SETUP_CODE_MISSING, SETUP_EXIT_ERROR, "no function", "Vista"},
        {SETUP_CODE_NO_LIBRARY, SETUP_EXIT_NOT_FOUND, "no such file", "--dll32"},
        {SETUP_CODE_NOT_LIBRARY, SETUP_EXIT_USAGE, "no DLL", "--dll"},
        {SETUP_CODE_WRONG_BITS, SETUP_EXIT_USAGE, "other programs", "--dll32"},
        {SETUP_CODE_LONG_PATH, SETUP_EXIT_USAGE, "259", "shorter"},
        {4711, SETUP_EXIT_ERROR, "error 4711", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct setup_trouble trouble = {
            .stage = SETUP_STAGE_STEP,
            .failure = {rows[i].code, SETUP_INSTALL, SETUP_VIEW_32, 1},
        };
        char text[SETUP_TROUBLE_MAX];
        const char *remedy = setup_trouble_remedy(&trouble);
        setup_trouble_text(&trouble, text);
        if (strstr(text, "32-bit catalog, NS_PNRPCLOUD: putting the entry in: ") != text ||
            strstr(text, rows[i].part) == NULL || setup_trouble_exit(&trouble) != rows[i].exit ||
            (remedy == NULL) != (rows[i].remedy == NULL) ||
            (remedy != NULL && strstr(remedy, rows[i].remedy) == NULL)) {
            fail_msg("%d: \"%s\": \"%s\"", rows[i].code, text, remedy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),
        cmocka_unit_test(nothing_to_do),
        cmocka_unit_test(one_failure_is_taken_back),
        cmocka_unit_test(what_is_stuck_comes_back),
        cmocka_unit_test(two_failures_are_told),
        cmocka_unit_test(a_windows_without_order),
        cmocka_unit_test(what_comes_back_otherwise_is_told),
        cmocka_unit_test(before_any_change),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
