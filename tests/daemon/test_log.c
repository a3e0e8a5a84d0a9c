// SPDX-License-Identifier: MIT
#include "node/daemon/log.h"

#include "tests/daemon/unit.h"

#include <pthread.h>

static FILE *out;   // what the log writes to
static size_t seen; // bytes of it that the test has read

static void open_log(enum daemon_log_level level)
{
    struct daemon_error why;
    out = daemon_file_create(unit_path("log"), &why);
    assert_non_null(out);
    seen = 0;
    daemon_log_open(fileno(out), level);
}

static void close_log(void)
{
    daemon_log_open(2, DAEMON_LOG_INFO);
    fclose(out);
    daemon_file_remove(unit_path("log"));
}

// What the log wrote since the last call.
static size_t read_new(char *text, size_t text_len)
{
    struct daemon_error why;
    FILE *file = daemon_file_open(unit_path("log"), &why);
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)seen, SEEK_SET), 0);
    size_t len = fread(text, 1, text_len - 1, file);
    fclose(file);
    text[len] = '\0';
    seen += len;
    return len;
}

static void test_line_shape(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        enum daemon_log_level level;
        const char *ends_in;
    } rows[] = {
        {"error", DAEMON_LOG_ERROR, "Z error stopped code=3\n"},
        {"warn", DAEMON_LOG_WARN, "Z warn stopped code=3\n"},
        {"info", DAEMON_LOG_INFO, "Z info stopped code=3\n"},
        {"debug", DAEMON_LOG_DEBUG, "Z debug stopped code=3\n"},
    };
    open_log(DAEMON_LOG_DEBUG);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[2048];
        daemon_log(rows[i].level, "%s code=%d", "stopped", 3);
        size_t len = read_new(line, sizeof line);
        print_message("row %s: %s", rows[i].name, line);
        assert_int_equal(len, strlen("2026-03-01T12:00:00.123") + strlen(rows[i].ends_in));
        assert_string_equal(line + 23, rows[i].ends_in);
        assert_int_equal(line[10], 'T');
        assert_int_equal(line[19], '.');
    }
    close_log();
}

static void test_levels(void **state)
{
    (void)state;
    char text[4096];
    open_log(DAEMON_LOG_WARN);
    daemon_log(DAEMON_LOG_INFO, "not wanted");
    daemon_log(DAEMON_LOG_WARN, "wanted");
    daemon_log_set_level(DAEMON_LOG_ERROR);
    daemon_log(DAEMON_LOG_WARN, "not wanted");
    read_new(text, sizeof text);
    assert_null(strstr(text, "not wanted"));
    assert_non_null(strstr(text, "warn wanted\n"));
    assert_true(daemon_log_wants(DAEMON_LOG_ERROR));
    assert_false(daemon_log_wants(DAEMON_LOG_WARN));
    close_log();
}

static void test_untrusted(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        const char *raw;
        const char *line;   // in a line
        const char *quoted; // as a value
    } rows[] = {
        {"plain", "abc", "abc", "\"abc\""},
        {"newline", "a\nb", "a\\x0ab", "\"a\\x0ab\""},
        {"terminal escape", "\033[2J", "\\x1b[2J", "\"\\x1b[2J\""},
        {"delete", "\x7f", "\\x7f", "\"\\x7f\""},
        {"quote", "a\" b=c", "a\" b=c", "\"a\\\" b=c\""},
        {"backslash", "\\x", "\\x", "\"\\\\x\""},
        {"two bytes", "\xc3\xa4", "\xc3\xa4", "\"\xc3\xa4\""},
        {"four bytes", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"lone continuation", "\x80", "\\x80", "\"\\x80\""},
        {"cut short", "\xe2\x82", "\\xe2\\x82", "\"\\xe2\\x82\""},
        {"overlong", "\xc0\xaf", "\\xc0\\xaf", "\"\\xc0\\xaf\""},
        {"overlong of three", "\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\"\\xe0\\x80\\xaf\""},
        {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\xed\\xa0\\x80\""},
        {"above the last", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\"\\xf4\\x90\\x80\\x80\""},
        {"C1 control", "\xc2\x9b", "\\xc2\\x9b", "\"\\xc2\\x9b\""},
        {"turned text", "\xe2\x80\xae", "\\xe2\\x80\\xae", "\"\\xe2\\x80\\xae\""},
        {"empty", "", "", "\"\""},
    };
    open_log(DAEMON_LOG_INFO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        char wanted[512];
        struct daemon_log_text quoted;
        struct dht_span raw = {(const uint8_t *)rows[i].raw, strlen(rows[i].raw)};
        print_message("row %s\n", rows[i].name);
        assert_string_equal(daemon_log_quote(raw, &quoted), rows[i].quoted);
        daemon_log(DAEMON_LOG_INFO, "x=%s", rows[i].raw);
        read_new(text, sizeof text);
        snprintf(wanted, sizeof wanted, " info x=%s\n", rows[i].line);
        assert_string_equal(text + 24, wanted);
    }
    close_log();
}

static void test_cut(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        size_t len;
        int byte;
        bool cut;
    } rows[] = {
        {"fits", 900, 'a', false},
        {"too long", 1023, 'a', true},
        {"far too long", 3000, 'a', true},
        {"too long once escaped", 400, 1, true},
    };
    open_log(DAEMON_LOG_INFO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char raw[4096] = "";
        char text[4096];
        struct daemon_log_text quoted;
        memset(raw, rows[i].byte, rows[i].len);
        daemon_log(DAEMON_LOG_INFO, "%s", raw);
        size_t len = read_new(text, sizeof text);
        print_message("row %s: %zu\n", rows[i].name, len);
        assert_true(len <= DAEMON_LOG_LINE_MAX);
        assert_int_equal(text[len - 1], '\n');
        assert_int_equal(strstr(text, " ...\n") != NULL, rows[i].cut);
        struct dht_span span = {(const uint8_t *)raw, rows[i].len};
        const char *value = daemon_log_quote(span, &quoted);
        assert_true(strlen(value) < sizeof quoted.text);
        assert_string_equal(value + strlen(value) - 4, "\"...");
    }
    close_log();
}

#define THREADS 4
#define LINES   200

static void *log_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        daemon_log(DAEMON_LOG_INFO, "thread=%d line=%d", *(int *)arg, i);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    struct daemon_error why;
    open_log(DAEMON_LOG_INFO);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < 100; i++)
        daemon_log_set_level(i % 2 ? DAEMON_LOG_INFO : DAEMON_LOG_DEBUG);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    FILE *file = daemon_file_open(unit_path("log"), &why);
    assert_non_null(file);
    int next[THREADS] = {0};
    char line[256];
    int thread;
    int number;
    while (fgets(line, sizeof line, file) != NULL) {
        assert_int_equal(sscanf(line + 24, " info thread=%d line=%d", &thread, &number), 2);
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(number, next[thread]++);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(next[i], LINES);
    fclose(file);
    close_log();
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_line_shape), IN_DIR(test_levels),  IN_DIR(test_untrusted),
        IN_DIR(test_cut),        IN_DIR(test_threads),
    };
    return unit_run(tests);
}
