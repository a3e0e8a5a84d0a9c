// SPDX-License-Identifier: MIT
#include "node/daemon/service_account_windows.h"

#include "node/daemon/service_options.h"

#include <openssl/evp.h>
#include <stdio.h>

void daemon_service_account_name(const char *name, wchar_t ret_account[DAEMON_SERVICE_ACCOUNT_MAX])
{
    swprintf(ret_account, DAEMON_SERVICE_ACCOUNT_MAX, L"NT SERVICE\\%hs", name);
}

bool daemon_service_account_sid(const char *name, wchar_t ret_sid[DAEMON_SERVICE_ACCOUNT_MAX])
{
    uint8_t capitals[2 * DAEMON_SERVICE_OPTIONS_NAME_MAX];
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned parts[5];
    size_t len = 0;
    for (; *name != '\0' && len < sizeof capitals; name++) {
        bool is_small = *name >= 'a' && *name <= 'z';
        capitals[len++] = (uint8_t)(is_small ? *name - 'a' + 'A' : *name);
        capitals[len++] = 0;
    }
    if (EVP_Digest(capitals, len, hash, NULL, EVP_sha1(), NULL) != 1)
        return false;
    for (int i = 0; i < 5; i++)
        parts[i] = hash[4 * i] | (unsigned)hash[4 * i + 1] << 8 | (unsigned)hash[4 * i + 2] << 16 |
                   (unsigned)hash[4 * i + 3] << 24;
    swprintf(ret_sid, DAEMON_SERVICE_ACCOUNT_MAX, L"S-1-5-80-%u-%u-%u-%u-%u", parts[0], parts[1],
             parts[2], parts[3], parts[4]);
    return true;
}
