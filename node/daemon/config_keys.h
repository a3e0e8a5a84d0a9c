// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CONFIG_KEYS_H
#define PNR_DAEMON_CONFIG_KEYS_H

// The table of all configuration keys.

#include "node/daemon/config_value.h"

extern const struct daemon_config_key daemon_config_keys[];
extern const size_t daemon_config_key_count;

// NULL where there is no such key.
const struct daemon_config_key *daemon_config_key_find(const char *section, const char *name);

// The sections in the order of the file, ending in NULL; their keys stand together in the table.
extern const char *const daemon_config_sections[];

// What a section is about, for --dump-config and docs/config.md.
const char *daemon_config_section_what(const char *section);

#endif
