// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_CONFIG_HELPER_H
#define PNR_TESTS_DAEMON_CONFIG_HELPER_H

// Configurations that are read from text, and their values as text.

#include "node/daemon/config.h"
#include "node/daemon/config_keys.h"
#include "tests/daemon/unit.h"

// All reports of a reading, each on a line.
static inline void append_text(void *ctx, const char *text)
{
    char *all = ctx;
    size_t used = strlen(all);
    snprintf(all + used, 8192 - used, "%s\n", text);
}

static inline bool read_bytes(const char *bytes, size_t len, struct daemon_config *config,
                              char *errors)
{
    struct daemon_error why = {.text = ""};
    struct dht_span text = {(const uint8_t *)bytes, len};
    assert_true(daemon_file_replace(unit_path("conf"), text, DAEMON_FILE_OWNER,
                                    DAEMON_FILE_NO_GROUP, &why));
    FILE *stream = daemon_file_open(unit_path("conf"), &why);
    assert_non_null(stream);
    errors[0] = '\0';
    bool ok = daemon_config_read_stream(stream, "pnr.conf", config, append_text, errors);
    fclose(stream);
    return ok;
}

static inline bool read_text(const char *text, struct daemon_config *config, char *errors)
{
    return read_bytes(text, strlen(text), config, errors);
}

// The value of a key as it is written; cloud counts for [cloud] keys.
static inline const char *value_of(const struct daemon_config *config, const char *section,
                                   const char *name, size_t cloud)
{
    static char text[DAEMON_CONFIG_VALUE_MAX];
    const struct daemon_config_key *key = daemon_config_key_find(section, name);
    assert_non_null(key);
    bool is_cloud = strcmp(section, "cloud") == 0;
    daemon_config_value_write(
        key, is_cloud ? (const void *)&config->clouds[cloud] : (const void *)config, ", ", text);
    return text;
}

#endif
