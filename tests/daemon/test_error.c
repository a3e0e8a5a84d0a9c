// SPDX-License-Identifier: MIT
#include "node/daemon/error.h"
#include "tests/daemon/unit.h"

// That there is no such file has the number 2 on every system.
static void test_reason(void **state)
{
    char missing[DAEMON_ERROR_REASON_MAX];
    char other[DAEMON_ERROR_REASON_MAX];
    (void)state;
    unit_has("no file", daemon_error_reason(2, missing), "ile");
    assert_null(strchr(missing, '\n'));
    assert_string_not_equal(daemon_error_reason(5, other), missing);
}

// Cut where it does not fit, and always of a kind.
static void test_set(void **state)
{
    static char long_text[1000];
    struct daemon_error error;
    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    daemon_error_set_kind(&error, DAEMON_ERROR_FULL, "%s", long_text);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    assert_int_equal(error.kind, DAEMON_ERROR_FULL);
    daemon_error_set(&error, "%d", 7);
    assert_string_equal(error.text, "7");
    assert_int_equal(error.kind, DAEMON_ERROR_FAILED);
    daemon_error_set(NULL, "nobody wants to know");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_set),
    };
    return unit_run(tests);
}
