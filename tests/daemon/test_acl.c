// SPDX-License-Identifier: MIT
// On Windows: the access lists that files and folders are made with, as text. What a list gives to
// others is seen in test_key_dir.c.
#include "tests/daemon/unit.h"

#include "node/daemon/acl_windows.h"

#include <sddl.h>

#define SERVICE L"S-1-5-80-1-2-3-4-5"

static wchar_t *list_of(enum daemon_file_readers readers)
{
    SECURITY_ATTRIBUTES attributes;
    struct daemon_error why;
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    wchar_t *text = NULL;
    assert_true(daemon_acl_make("\xc3\xa4", readers, wide, &attributes, &why));
    assert_int_equal(wcscmp(wide, L"\u00e4"), 0);
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorW(
        attributes.lpSecurityDescriptor, SDDL_REVISION_1,
        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &text, NULL));
    daemon_acl_free(&attributes);
    return text;
}

static void check(enum daemon_file_readers readers, const wchar_t *begins, const wchar_t *ends)
{
    wchar_t *text = list_of(readers);
    size_t len = wcslen(text);
    if (wcsncmp(text, begins, wcslen(begins)) != 0 || len < wcslen(ends) ||
        wcscmp(text + len - wcslen(ends), ends) != 0)
        fail_msg("\"%ls\" does not begin with \"%ls\" and end in \"%ls\"", text, begins, ends);
    LocalFree(text);
}

// Of this process first, then, once it was admitted, of a service's account.
static void test_lists(void **state)
{
    static const wchar_t few[] = L"(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
    // Reading and passing through, FRFX, which Windows writes as a number.
    static const wchar_t all[] = L"(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;WD)";
    (void)state;
    check(DAEMON_FILE_OWNER, L"D:P(A;OICI;FA;;;", few);
    check(DAEMON_FILE_EVERYONE, L"D:P(A;OICI;FA;;;", all);
    daemon_acl_admit(SERVICE);
    check(DAEMON_FILE_OWNER, L"O:BAD:P(A;OICI;FA;;;" SERVICE L")", few);
    check(DAEMON_FILE_EVERYONE, L"O:BAD:P(A;OICI;FA;;;" SERVICE L")", all);
}

// Not UTF-8; a text that is too long is in test_file.c.
static void test_paths(void **state)
{
    SECURITY_ATTRIBUTES attributes;
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    struct daemon_error why = {.text = ""};
    (void)state;
    assert_false(daemon_acl_make("\xff", DAEMON_FILE_OWNER, wide, &attributes, &why));
    assert_int_equal(GetLastError(), ERROR_INVALID_NAME);
    assert_true(why.text[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
