// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

#include "node/daemon/service_account_windows.h"

// Identifiers that Windows itself gives out, as `sc showsid` prints them.
static void test_sid(void **state)
{
    static const struct row {
        const char *name;
        const wchar_t *sid;
    } rows[] = {
        {"TrustedInstaller", L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"},
        {"TRUSTEDINSTALLER", L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"},
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        wchar_t sid[DAEMON_SERVICE_ACCOUNT_MAX];
        assert_true(daemon_service_account_sid(rows[i].name, sid));
        if (wcscmp(sid, rows[i].sid) != 0)
            fail_msg("row %s: %ls", rows[i].name, sid);
    }
}

static void test_name(void **state)
{
    wchar_t account[DAEMON_SERVICE_ACCOUNT_MAX];
    (void)state;
    daemon_service_account_name("pnrd", account);
    assert_int_equal(wcscmp(account, L"NT SERVICE\\pnrd"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sid),
        cmocka_unit_test(test_name),
    };
    return unit_run(tests);
}
