// SPDX-License-Identifier: MIT
#include "node/daemon/acl_windows.h"

#include <aclapi.h>
#include <assert.h>
#include <sddl.h>

#define READ_RIGHTS                                                                                \
    (FILE_READ_DATA | FILE_READ_ATTRIBUTES | FILE_READ_EA | READ_CONTROL | SYNCHRONIZE |           \
     FILE_EXECUTE | GENERIC_READ | GENERIC_EXECUTE)
#define HARMLESS_RIGHTS (FILE_READ_ATTRIBUTES | FILE_READ_EA | READ_CONTROL | SYNCHRONIZE)

#define SID_TEXT_MAX 128

// Of the account that was admitted; "": none was.
static wchar_t admitted[SID_TEXT_MAX];
static wchar_t trusted[DAEMON_ACL_TRUSTED_MAX][SID_TEXT_MAX];
static size_t trusted_count;

union token_user {
    TOKEN_USER user;
    uint8_t room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static bool read_user(union token_user *ret_user)
{
    HANDLE token;
    DWORD len;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    bool ok = GetTokenInformation(token, TokenUser, ret_user, sizeof *ret_user, &len);
    CloseHandle(token);
    return ok;
}

void daemon_acl_admit(const wchar_t *sid)
{
    swprintf(admitted, SID_TEXT_MAX, L"%ls", sid);
    daemon_acl_trust(sid);
}

void daemon_acl_trust(const wchar_t *sid)
{
    assert(trusted_count < DAEMON_ACL_TRUSTED_MAX);
    swprintf(trusted[trusted_count++], SID_TEXT_MAX, L"%ls", sid);
}

// Whom lists are for. "" where the system does not tell who we are.
static void read_name(wchar_t ret_name[SID_TEXT_MAX])
{
    union token_user user;
    wchar_t *name = NULL;
    ret_name[0] = L'\0';
    if (admitted[0] != L'\0')
        swprintf(ret_name, SID_TEXT_MAX, L"%ls", admitted);
    else if (read_user(&user) && ConvertSidToStringSidW(user.user.User.Sid, &name))
        swprintf(ret_name, SID_TEXT_MAX, L"%ls", name);
    LocalFree(name);
}

bool daemon_acl_make(const char *path, enum daemon_file_readers readers,
                     wchar_t ret_wide[DAEMON_WIDE_PATH_MAX], SECURITY_ATTRIBUTES *ret_attributes,
                     struct daemon_error *ret_why)
{
    wchar_t name[SID_TEXT_MAX];
    wchar_t text[256];
    PSECURITY_DESCRIPTOR descriptor = NULL;
    if (!daemon_wide_path(path, ret_wide))
        return daemon_wide_fail(ret_why);
    read_name(name);
    if (name[0] == L'\0')
        return daemon_wide_fail(ret_why);
    // Full access of the user, the system (SY) and the administrators (BA); everyone (WD)
    // may read. What is made for somebody else belongs to the administrators.
    swprintf(text, sizeof text / sizeof text[0],
             L"%lsD:P(A;OICI;FA;;;%ls)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)%ls",
             admitted[0] != L'\0' ? L"O:BA" : L"", name,
             readers == DAEMON_FILE_EVERYONE ? L"(A;OICI;FRFX;;;WD)" : L"");
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor,
                                                              NULL))
        return daemon_wide_fail(ret_why);
    *ret_attributes = (SECURITY_ATTRIBUTES){.nLength = sizeof *ret_attributes,
                                            .lpSecurityDescriptor = descriptor};
    return true;
}

void daemon_acl_free(SECURITY_ATTRIBUTES *attributes)
{
    LocalFree(attributes->lpSecurityDescriptor);
}

bool daemon_acl_put(const char *path, enum daemon_file_readers readers,
                    struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    SECURITY_ATTRIBUTES attributes;
    if (!daemon_acl_make(path, readers, wide, &attributes, ret_why))
        return false;
    BOOL ok = SetFileSecurityW(wide,
                               DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION |
                                   (admitted[0] != L'\0' ? OWNER_SECURITY_INFORMATION : 0),
                               attributes.lpSecurityDescriptor);
    if (!ok)
        daemon_wide_fail(ret_why);
    daemon_acl_free(&attributes);
    return ok;
}

static bool is_told(PSID sid)
{
    wchar_t *name = NULL;
    bool is = false;
    if (trusted_count == 0 || !ConvertSidToStringSidW(sid, &name))
        return false;
    for (size_t i = 0; i < trusted_count; i++)
        is = is || wcscmp(name, trusted[i]) == 0;
    LocalFree(name);
    return is;
}

// Whether somebody may do anything: us, or those that may anyway.
static bool is_trusted(PSID sid)
{
    union token_user user;
    return IsWellKnownSid(sid, WinLocalSystemSid) ||
           IsWellKnownSid(sid, WinBuiltinAdministratorsSid) ||
           IsWellKnownSid(sid, WinCreatorOwnerSid) ||
           IsWellKnownSid(sid, WinCreatorOwnerRightsSid) || is_told(sid) ||
           (read_user(&user) && EqualSid(sid, user.user.User.Sid));
}

// What one entry of a list gives to others.
static enum daemon_acl_others others_of(ACL *list, DWORD index)
{
    void *entry;
    if (!GetAce(list, index, &entry))
        return DAEMON_ACL_CHANGE;
    ACCESS_ALLOWED_ACE *allowed = entry;
    if (allowed->Header.AceType == ACCESS_DENIED_ACE_TYPE)
        return DAEMON_ACL_NOTHING;
    if (allowed->Header.AceType != ACCESS_ALLOWED_ACE_TYPE)
        return DAEMON_ACL_CHANGE;
    if (is_trusted(&allowed->SidStart) || (allowed->Mask & ~(DWORD)HARMLESS_RIGHTS) == 0)
        return DAEMON_ACL_NOTHING;
    return (allowed->Mask & ~(DWORD)READ_RIGHTS) == 0 ? DAEMON_ACL_READ : DAEMON_ACL_CHANGE;
}

enum daemon_acl_others daemon_acl_others(HANDLE handle)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    ACL *list = NULL;
    enum daemon_acl_others most = DAEMON_ACL_NOTHING;
    if (GetSecurityInfo(handle, SE_FILE_OBJECT,
                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner, NULL, &list,
                        NULL, &descriptor) != ERROR_SUCCESS)
        return DAEMON_ACL_CHANGE;
    // No list at all lets everybody do everything.
    if (list == NULL || owner == NULL || !is_trusted(owner))
        most = DAEMON_ACL_CHANGE;
    for (DWORD i = 0; list != NULL && i < list->AceCount; i++) {
        enum daemon_acl_others one = others_of(list, i);
        most = one > most ? one : most;
    }
    LocalFree(descriptor);
    return most;
}
