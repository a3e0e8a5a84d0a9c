// SPDX-License-Identifier: MIT
// On Windows: what the service manager is told. Its call is this one.
#include "tests/daemon/unit.h"

#include "node/daemon/notify.h"
#include "node/daemon/service_status_windows.h"

static char told[256]; // the letters of the states, in their order, with their checkpoints
static SERVICE_STATUS last;

static BOOL WINAPI fake_set_status(SERVICE_STATUS_HANDLE handle, SERVICE_STATUS *status)
{
    const char *letter = status->dwCurrentState == SERVICE_START_PENDING  ? "s"
                         : status->dwCurrentState == SERVICE_RUNNING      ? "R"
                         : status->dwCurrentState == SERVICE_STOP_PENDING ? "e"
                                                                          : "E";
    assert_non_null(handle);
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s%lu ", letter,
             status->dwCheckPoint);
    last = *status;
    return TRUE;
}

// What the linker finds before the system's.
BOOL(WINAPI *__imp_SetServiceStatus)(SERVICE_STATUS_HANDLE, SERVICE_STATUS *) = fake_set_status;

// In one process there is one life: a program in a console tells nobody, and a service goes one
// way.
static void test_life(void **state)
{
    struct daemon_notify notify;
    int handle;
    (void)state;
    assert_true(daemon_notify_open(&notify, NULL));
    daemon_notify_ready(&notify);
    daemon_notify_stopping(&notify);
    daemon_service_status_end(true);
    assert_false(daemon_service_status_runs());
    assert_string_equal(told, "");

    daemon_service_status_begin((SERVICE_STATUS_HANDLE)&handle);
    assert_true(daemon_service_status_runs());
    assert_true((last.dwControlsAccepted & SERVICE_ACCEPT_STOP) != 0);
    daemon_notify_status(&notify, "a step");
    daemon_notify_ready(&notify);
    daemon_notify_status(&notify, "it runs: no step");
    assert_int_equal(last.dwWaitHint, 0);
    // Again after a reload.
    daemon_notify_reloading(&notify);
    daemon_notify_ready(&notify);
    assert_string_equal(told, "s1 s2 R0 ");

    // The manager's own thread tells first, the loop later; a reload that ends now is too late.
    daemon_service_status_tell(DAEMON_SERVICE_STATE_STOPPING);
    assert_int_equal(last.dwControlsAccepted, 0);
    assert_true(last.dwWaitHint <= 5000);
    daemon_notify_ready(&notify);
    daemon_notify_stopping(&notify);
    daemon_notify_status(&notify, "a step");
    daemon_service_status_end(true);
    daemon_service_status_end(false);
    daemon_notify_stopping(&notify);
    assert_string_equal(told, "s1 s2 R0 e1 e2 E0 ");
    assert_int_equal(last.dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
    daemon_notify_close(&notify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
