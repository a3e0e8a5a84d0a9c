// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CONFIG_H
#define PNR_DAEMON_CONFIG_H

// pnrd's configuration: an INI file (read by inih) with the sections [node], [publish] and one
// [cloud NAME] for each DHT network to take part in. The cloud Global_ is always there, and is the
// public network unless the file says otherwise.
//
// One table, node/daemon/config_keys.c, says for each key its type, default, bounds and meaning; it
// is the source of the parser, of `pnrd --dump-config`, of docs/config.md and of the reload.
//
// A file is taken whole or not at all: an unknown section or key, a malformed value, a key given
// twice, a line that is neither, a line too long, all are errors, reported with file, line and what
// was expected. A value that is a list may go on in indented lines.
//
// Bounds: DAEMON_CONFIG_CLOUDS_MAX clouds, 32 bootstrap hosts each, lines of at most 197 bytes.

#include "node/daemon/config_value.h"
#include "node/daemon/error.h"
#include "pnr/dht.h"
#include "pnr/node.h"

#include <stdio.h>

#define DAEMON_CONFIG_CLOUDS_MAX     NODE_CLOUDS_MAX
#define DAEMON_CONFIG_CLOUD_NAME_MAX NODE_CLOUD_NAME_MAX
#define DAEMON_CONFIG_ERRORS_MAX     20 // reported at one reading
#define DAEMON_CONFIG_SETTINGS_MAX   64

enum daemon_config_lab {
    DAEMON_CONFIG_LAB_AUTO,
    DAEMON_CONFIG_LAB_YES,
    DAEMON_CONFIG_LAB_NO,
};

enum daemon_config_scope {
    DAEMON_CONFIG_SCOPE_GLOBAL,
    DAEMON_CONFIG_SCOPE_SITE,
    DAEMON_CONFIG_SCOPE_LINK,
};

enum daemon_config_families {
    DAEMON_CONFIG_FAMILIES_BOTH,
    DAEMON_CONFIG_FAMILIES_IPV4,
    DAEMON_CONFIG_FAMILIES_IPV6,
};

// The meaning of each field is told in config_keys.c.
struct daemon_config_cloud {
    char name[DAEMON_CONFIG_CLOUD_NAME_MAX + 1];
    int enabled;                         // 0 or 1
    int scope;                           // enum daemon_config_scope
    struct daemon_config_text interface; // of a link; empty: a cloud for each
    int families;                        // enum daemon_config_families
    int64_t port;
    struct daemon_config_addrs listen;
    struct daemon_config_hosts bootstrap;
    int role; // enum dht_role
    int lab;  // enum daemon_config_lab
    int64_t bucket_size;
    int64_t first_bucket_size;
    int64_t replacements;
    int64_t lookup_width;
    int64_t store_width;
    int64_t queries_in_flight;
    int64_t operations_max;
    int64_t candidates_max;
    int64_t queries_max;
    int64_t items_max;
    int64_t items_bytes_max;
    int64_t items_per_source_max;
    int64_t item_lifetime_us;
    int64_t swarms_max;
    int64_t peers_max;
    int64_t peers_per_swarm_max;
    int64_t peer_lifetime_us;
    int64_t watches_max;
    int64_t watchers_max;
    int64_t watchers_per_target_max;
    int64_t watchers_per_source_max;
    int64_t pushes_max;
    int64_t sources_max;
    int64_t queries_per_source;
    int64_t verifies_per_second;
    int64_t outbox_bytes_max;
    int64_t outbox_bytes_kept;
    int64_t socket_buffer_bytes;
};

struct daemon_config {
    struct daemon_config_text state_dir;
    struct daemon_config_text keys_dir; // empty: state_dir/keys
    struct daemon_config_texts control;
    struct daemon_config_text control_group; // empty: none
    int log_level;                           // enum daemon_log_level
    int64_t keys_max;
    int64_t clients_max;
    int64_t client_bytes_max;
    int64_t client_requests_max;
    int64_t resolves_max;
    int64_t watches_max;
    int64_t cache_max;
    int64_t negative_ttl_us;
    int64_t snapshot_us;
    int keep_items; // 0 or 1
    int64_t publish_ttl_us;
    int64_t publish_renew_us;
    int64_t publish_lifetime_us;
    int64_t publications_max;
    int64_t publishing_max;
    size_t cloud_count;
    struct daemon_config_cloud clouds[DAEMON_CONFIG_CLOUDS_MAX]; // [0] is Global_
};

// Fills in the defaults.
void daemon_config_init(struct daemon_config *config);

// Is told each error: text is "FILE:LINE: what is wrong, expected ...".
typedef void (*daemon_config_error_fn)(void *ctx, const char *text);

// Reads the file at path over the defaults. False, after at least one report, where it cannot be
// read or has errors; ret_config is written on success only.
bool daemon_config_read(const char *path, struct daemon_config *ret_config,
                        daemon_config_error_fn report, void *ctx);

// Settings from the command line, each SECTION.KEY=VALUE; the strings are borrowed. SECTION is
// node, publish, "cloud NAME", or cloud, which is Global_.
struct daemon_config_settings {
    size_t count;
    const char *list[DAEMON_CONFIG_SETTINGS_MAX];
};

// Like daemon_config_read(), with settings over the file; path is NULL where there is none. They
// are read by the same table, with the same reports, "--set TEXT: what is wrong, expected ...". The
// last of several settings of a key counts, and a setting of a list replaces the list.
bool daemon_config_load(const char *path, const struct daemon_config_settings *settings,
                        struct daemon_config *ret_config, daemon_config_error_fn report, void *ctx);

// Reads from a stream; name stands for the file's in reports.
bool daemon_config_read_stream(FILE *stream, const char *name, struct daemon_config *ret_config,
                               daemon_config_error_fn report, void *ctx);

// Prints config as a file with every key, its meaning and its default; reading it back gives config
// again. `pnrd --dump-config`.
void daemon_config_dump(const struct daemon_config *config, FILE *out);

// Prints docs/config.md.
void daemon_config_print_docs(FILE *out);

// Is told the full name of a key, such as "cloud Global_: listen".
typedef void (*daemon_config_key_fn)(void *ctx, const char *name);

// Takes over from fresh what can change in a running pnrd, all clouds among it, and reports each
// key, and each cloud, that differs. Either function may be NULL.
void daemon_config_reload(struct daemon_config *config, const struct daemon_config *fresh,
                          daemon_config_key_fn changed, daemon_config_key_fn needs_restart,
                          void *ctx);

// Whether the two are the same but for their bootstrap hosts, which can change without leaving it.
bool daemon_config_cloud_equal(const struct daemon_config_cloud *a,
                               const struct daemon_config_cloud *b);

// The cloud of that name; NULL where there is none.
const struct daemon_config_cloud *daemon_config_cloud_named(const struct daemon_config *config,
                                                            const char *name);

// The addresses to listen at: `listen`, or where that is empty all at `port`, of `families`. Of a
// link none: they are those of its interface.
void daemon_config_cloud_listen(const struct daemon_config_cloud *cloud,
                                struct daemon_config_addrs *ret_addrs);

// Whether the cloud is a lab (struct dht_config): as `lab` says, and where that says auto, if it
// listens on loopback alone, whence nobody else is reached, or if all its addresses are local ones,
// loopback or private: those it listens on and its bootstrap hosts. A link's cloud always is one. A
// name but localhost, or a wildcard to listen on, is not local.
bool daemon_config_cloud_is_lab(const struct daemon_config_cloud *cloud);

// Whom the cloud asks for first contacts: its bootstrap hosts, or nobody where these are the
// default ones, which are on the internet, and it listens on loopback alone.
void daemon_config_cloud_hosts(const struct daemon_config_cloud *cloud,
                               struct daemon_config_hosts *ret_hosts);

// Copies what the brain has to know, all of [node] and [publish] that is its own, into ret_config,
// which node_config_init() has filled in.
void daemon_config_node_apply(const struct daemon_config *config, struct node_config *ret_config);

// Copies what the engine has to know, all but the address family, into ret_config, which
// dht_config_init() has filled in.
void daemon_config_cloud_apply(const struct daemon_config_cloud *cloud,
                               struct dht_config *ret_config);

#endif
