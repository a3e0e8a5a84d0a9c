// SPDX-License-Identifier: MIT
// On Windows: what the Event Log is given. Its calls are these.
#include "tests/daemon/unit.h"

#include "node/daemon/event_log_windows.h"

static int source; // its address is the handle

static struct told {
    int count;
    WORD type;
    DWORD id;
    wchar_t text[DAEMON_LOG_LINE_MAX + 1];
} told;

static HANDLE WINAPI fake_open(const wchar_t *server, const wchar_t *name)
{
    assert_null(server);
    return wcscmp(name, L"pnrd") == 0 ? &source : NULL;
}

static BOOL WINAPI fake_report(HANDLE handle, WORD type, WORD category, DWORD id, PSID user,
                               WORD text_count, DWORD bytes, const wchar_t **texts, void *data)
{
    assert_ptr_equal(handle, &source);
    assert_int_equal(category, 0);
    assert_null(user);
    assert_int_equal(text_count, 1);
    assert_int_equal(bytes, 0);
    assert_null(data);
    told.count++;
    told.type = type;
    told.id = id;
    swprintf(told.text, DAEMON_LOG_LINE_MAX + 1, L"%ls", texts[0]);
    return TRUE;
}

// What the linker finds before the system's.
HANDLE(WINAPI *__imp_RegisterEventSourceW)(const wchar_t *, const wchar_t *) = fake_open;
BOOL(WINAPI *__imp_ReportEventW)
(HANDLE, WORD, WORD, DWORD, PSID, WORD, DWORD, const wchar_t **, void *) = fake_report;

static void test_levels(void **state)
{
    static const struct row {
        const char *name;
        enum daemon_log_level level;
        const char *text;
        int count;
        WORD type;
        DWORD id; // its upper two bits are the severity, by which Event Viewer shows it
        const wchar_t *shown;
    } rows[] = {
        {"error", DAEMON_LOG_ERROR, "no disk", 1, EVENTLOG_ERROR_TYPE, 0xC0000001, L"no disk"},
        {"warn", DAEMON_LOG_WARN, "slow", 1, EVENTLOG_WARNING_TYPE, 0x80000002, L"slow"},
        {"info", DAEMON_LOG_INFO, "ready", 1, EVENTLOG_INFORMATION_TYPE, 0x40000003, L"ready"},
        {"not ASCII", DAEMON_LOG_INFO, "\xc3\xa9", 1, EVENTLOG_INFORMATION_TYPE, 0x40000003,
         L"\u00e9"},
        {"debug", DAEMON_LOG_DEBUG, "a packet", 0, 0, 0, L""},
    };
    HANDLE handle = daemon_event_log_open("pnrd");
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct dht_span text = {(const uint8_t *)row->text, strlen(row->text)};
        told = (struct told){.count = 0};
        daemon_event_log_write(handle, row->level, text);
        if (told.count != row->count || told.type != row->type || told.id != row->id ||
            wcscmp(told.text, row->shown) != 0)
            fail_msg("row %s: %d events, type %u, id %lx, text %ls", row->name, told.count,
                     told.type, told.id, told.text);
    }
}

// The longest line there is, and no source.
static void test_bounds(void **state)
{
    uint8_t line[DAEMON_LOG_LINE_MAX];
    (void)state;
    memset(line, 'x', sizeof line);
    told = (struct told){.count = 0};
    daemon_event_log_write(daemon_event_log_open("pnrd"), DAEMON_LOG_INFO,
                           (struct dht_span){line, sizeof line});
    assert_int_equal(wcslen(told.text), sizeof line);
    daemon_event_log_write(daemon_event_log_open("other"), DAEMON_LOG_INFO,
                           (struct dht_span){line, sizeof line});
    assert_int_equal(told.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
