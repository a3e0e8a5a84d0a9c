// SPDX-License-Identifier: MIT

// What config.h says of a configuration that is read again.

#include "node/daemon/config.h"
#include "node/daemon/config_keys.h"

#include <string.h>

#define CLOUD_PREFIX "cloud "

static bool is_section(const struct daemon_config_key *key, const char *section)
{
    return strcmp(key->section, section) == 0;
}

struct reload {
    daemon_config_key_fn changed;
    daemon_config_key_fn needs_restart;
    void *ctx;
};

static void tell(const struct reload *reload, bool is_changed, const char *section,
                 const char *name)
{
    char text[160];
    daemon_config_key_fn fn = is_changed ? reload->changed : reload->needs_restart;
    snprintf(text, sizeof text, "%s%s%s", section, name[0] == '\0' ? "" : ": ", name);
    if (fn != NULL)
        fn(reload->ctx, text);
}

// Takes over what may change of one section; full_name is how it is told.
static void reload_section(const struct reload *reload, const char *section, void *base,
                           const void *fresh, const char *full_name)
{
    char before[DAEMON_CONFIG_VALUE_MAX];
    char after[DAEMON_CONFIG_VALUE_MAX];
    for (size_t i = 0; i < daemon_config_key_count; i++) {
        const struct daemon_config_key *key = &daemon_config_keys[i];
        if (!is_section(key, section))
            continue;
        daemon_config_value_write(key, base, ",", before);
        daemon_config_value_write(key, fresh, ",", after);
        if (strcmp(before, after) == 0)
            continue;
        if (key->reloadable)
            daemon_config_value_copy(key, base, fresh);
        tell(reload, key->reloadable, full_name, key->name);
    }
}

const struct daemon_config_cloud *daemon_config_cloud_named(const struct daemon_config *config,
                                                            const char *name)
{
    for (size_t i = 0; i < config->cloud_count; i++) {
        if (strcmp(config->clouds[i].name, name) == 0)
            return &config->clouds[i];
    }
    return NULL;
}

bool daemon_config_cloud_equal(const struct daemon_config_cloud *a,
                               const struct daemon_config_cloud *b)
{
    char of_a[DAEMON_CONFIG_VALUE_MAX];
    char of_b[DAEMON_CONFIG_VALUE_MAX];
    for (size_t i = 0; i < daemon_config_key_count; i++) {
        const struct daemon_config_key *key = &daemon_config_keys[i];
        if (!is_section(key, "cloud") || strcmp(key->name, "bootstrap") == 0)
            continue;
        daemon_config_value_write(key, a, ",", of_a);
        daemon_config_value_write(key, b, ",", of_b);
        if (strcmp(of_a, of_b) != 0)
            return false;
    }
    return true;
}

void daemon_config_reload(struct daemon_config *config, const struct daemon_config *fresh,
                          daemon_config_key_fn changed, daemon_config_key_fn needs_restart,
                          void *ctx)
{
    const struct reload reload = {changed, needs_restart, ctx};
    char name[sizeof CLOUD_PREFIX + DAEMON_CONFIG_CLOUD_NAME_MAX];
    reload_section(&reload, "node", config, fresh, "node");
    reload_section(&reload, "publish", config, fresh, "publish");
    for (size_t i = 0; i < config->cloud_count; i++) {
        struct daemon_config_cloud *cloud = &config->clouds[i];
        const struct daemon_config_cloud *other = daemon_config_cloud_named(fresh, cloud->name);
        snprintf(name, sizeof name, CLOUD_PREFIX "%s", cloud->name);
        if (other == NULL)
            tell(&reload, true, name, "");
        else
            reload_section(&reload, "cloud", cloud, other, name);
    }
    for (size_t i = 0; i < fresh->cloud_count; i++) {
        snprintf(name, sizeof name, CLOUD_PREFIX "%s", fresh->clouds[i].name);
        if (daemon_config_cloud_named(config, fresh->clouds[i].name) == NULL)
            tell(&reload, true, name, "");
    }
    memmove(config->clouds, fresh->clouds, sizeof config->clouds);
    config->cloud_count = fresh->cloud_count;
}
