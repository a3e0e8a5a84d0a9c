// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_KEYS_HELPER_H
#define PNR_TESTS_DAEMON_KEYS_HELPER_H

// Keys in the test's own folder, and one that is known.

#include "node/daemon/keys.h"
#include "tests/daemon/unit.h"

#define KEY_MAX 8

// RFC 8032 7.1, test 1, as a seed and in the forms that other programs write.
#define SEED_HEX      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define SEED_PEM_LINE "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
#define SEED_PEM      "-----BEGIN PRIVATE KEY-----\n" SEED_PEM_LINE "\n-----END PRIVATE KEY-----\n"

static inline struct daemon_keys *open_keys(void)
{
    struct daemon_error error = {.text = ""};
    struct daemon_keys *keys = daemon_keys_open(unit_path("keys"), KEY_MAX, &error);
    if (keys == NULL)
        fail_msg("%s", error.text);
    return keys;
}

// Fails the row where its error does not say what is wanted, or a secret.
static inline void check_error(const char *row, const struct daemon_error *error,
                               const char *wanted)
{
    unit_has(row, error->text, wanted);
    if (strstr(error->text, "MC4CAQ") != NULL || strstr(error->text, "9d61") != NULL)
        fail_msg("row %s: a secret in \"%s\"", row, error->text);
}

// The keys cannot be opened, as they are.
static inline void expect_refused(const char *row, const char *wanted)
{
    struct daemon_error error = {.text = ""};
    if (daemon_keys_open(unit_path("keys"), KEY_MAX, &error) != NULL)
        fail_msg("row %s: opened", row);
    check_error(row, &error, wanted);
}

#endif
