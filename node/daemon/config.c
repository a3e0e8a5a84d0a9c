// SPDX-License-Identifier: MIT
#include "node/daemon/config.h"

#include "dht/addr.h"
#include "node/daemon/config_keys.h"
#include "node/daemon/file.h"
#include "node/daemon/paths.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GLOBAL_CLOUD "Global_"
#define CLOUD_PREFIX "cloud "
#define SECOND_US    1000000
#define KEYS_MAX     64   // a bit of struct reading's seen for each
#define SETTING_MAX  4096 // bytes of a setting, its NUL included

static bool is_section(const struct daemon_config_key *key, const char *section)
{
    return strcmp(key->section, section) == 0;
}

// Sets the keys of a section to their defaults.
static void set_defaults(const char *section, void *base)
{
    assert(daemon_config_key_count <= KEYS_MAX);
    for (size_t i = 0; i < daemon_config_key_count; i++) {
        const struct daemon_config_key *key = &daemon_config_keys[i];
        if (!is_section(key, section))
            continue;
        char buf[DAEMON_PATHS_MAX];
        const char *standard = daemon_paths_standard(key->standard, buf);
        bool good = daemon_config_value_add(key, base, standard, NULL);
        assert(good);
        (void)good;
    }
}

// A cloud of any name; those that are not Global_ know nobody and listen nowhere yet.
static void init_cloud(struct daemon_config_cloud *cloud, const char *name)
{
    memset(cloud, 0, sizeof *cloud);
    set_defaults("cloud", cloud);
    snprintf(cloud->name, sizeof cloud->name, "%s", name);
    if (strcmp(name, GLOBAL_CLOUD) != 0) {
        cloud->listen.count = 0;
        cloud->bootstrap.count = 0;
    }
}

void daemon_config_init(struct daemon_config *config)
{
    memset(config, 0, sizeof *config);
    set_defaults("node", config);
    set_defaults("publish", config);
    init_cloud(&config->clouds[0], GLOBAL_CLOUD);
    config->cloud_count = 1;
}

// ---- reading ----

// Sections are counted for `seen`: 0 is [node], 1 is [publish], 2 + i is cloud i.
#define SECTION_COUNT (2 + DAEMON_CONFIG_CLOUDS_MAX)

struct reading {
    FILE *stream; // NULL: there is no file
    const char *name;
    daemon_config_error_fn report;
    void *ctx;
    struct daemon_config *config;
    const char *setting;          // of the command line, that is being read; NULL: the file is
    unsigned line;                // the line read last; inih calls us before it reads the next
    unsigned errors;              // found so far
    bool indented;                // the line starts with a space
    uint64_t seen[SECTION_COUNT]; // a bit for each key of the table
    unsigned cloud_lines[DAEMON_CONFIG_CLOUDS_MAX]; // where each was first named
    const struct daemon_config_key *last_key;
    size_t last_section;
};

__attribute__((format(printf, 3, 4))) static void complain(struct reading *reading, unsigned line,
                                                           const char *format, ...)
{
    char text[1200];
    char whole[1600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reading->errors++;
    if (reading->errors > DAEMON_CONFIG_ERRORS_MAX)
        return;
    if (reading->setting != NULL)
        snprintf(whole, sizeof whole, "--set %.250s: %s", reading->setting, text);
    else if (line == 0) // of the whole
        snprintf(whole, sizeof whole, "%.250s: %s", reading->name, text);
    else
        snprintf(whole, sizeof whole, "%.250s:%u: %s", reading->name, line, text);
    reading->report(reading->ctx, whole);
}

// Whether the line has a control character in it other than a tab and its end.
static bool has_control(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)line[i];
        if ((byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\n') || byte == 0x7f)
            return true;
    }
    return false;
}

// inih's fgets. It tells its callback no line number, but asks for one line at a time, so counting
// here gives it. A line that does not fit would come in two parts, the second looking like a line
// of its own, so it is swallowed here.
static char *read_line(char *out, int out_len, void *stream)
{
    struct reading *reading = stream;
    size_t used = 0;
    bool fits = true;
    int next;
    while ((next = getc(reading->stream)) != EOF) {
        fits = fits && used + 1 < (size_t)out_len;
        if (fits)
            out[used++] = (char)next;
        if (next == '\n')
            break;
    }
    if (used == 0)
        return NULL;
    out[used] = '\0';
    reading->line++;
    reading->indented = out[0] == ' ' || out[0] == '\t';
    if (!fits)
        complain(reading, reading->line,
                 "the line is too long: expected at most %d bytes (a list may go on in an indented "
                 "line)",
                 out_len - 3);
    else if (has_control(out, used))
        complain(reading, reading->line, "a control character: expected text");
    else
        return out;
    snprintf(out, (size_t)out_len, "#\n"); // in its place
    return out;
}

static bool is_cloud_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return len >= 1 && len <= DAEMON_CONFIG_CLOUD_NAME_MAX && name[len] == '\0';
}

// The index of the cloud called name, made where it is new; -1 after a report.
static int find_cloud(struct reading *reading, const char *name)
{
    struct daemon_config *config = reading->config;
    for (size_t i = 0; i < config->cloud_count; i++) {
        if (strcmp(config->clouds[i].name, name) == 0) {
            if (reading->cloud_lines[i] == 0)
                reading->cloud_lines[i] = reading->line;
            return (int)i;
        }
    }
    if (!is_cloud_name(name)) {
        complain(reading, reading->line,
                 "\"%.60s\" is no name of a cloud: expected 1 to %d letters, digits, '_', '.' or "
                 "'-'",
                 name, DAEMON_CONFIG_CLOUD_NAME_MAX);
        return -1;
    }
    if (config->cloud_count == DAEMON_CONFIG_CLOUDS_MAX) {
        complain(reading, reading->line, "too many clouds: expected at most %d",
                 DAEMON_CONFIG_CLOUDS_MAX);
        return -1;
    }
    init_cloud(&config->clouds[config->cloud_count], name);
    reading->cloud_lines[config->cloud_count] = reading->line;
    return (int)config->cloud_count++;
}

// Finds what a section's keys belong to: its number for `seen`, the name of its part of the table
// and the struct. False after a report.
static bool find_section(struct reading *reading, const char *section, size_t *ret_number,
                         const char **ret_table, void **ret_base)
{
    *ret_base = reading->config;
    *ret_table = section;
    if (strcmp(section, "node") == 0 || strcmp(section, "publish") == 0) {
        *ret_number = section[0] == 'p';
        return true;
    }
    if (strncmp(section, CLOUD_PREFIX, strlen(CLOUD_PREFIX)) != 0) {
        complain(reading, reading->line,
                 "unknown section [%.60s]: expected [node], [publish] or [cloud NAME]", section);
        return false;
    }
    int cloud = find_cloud(reading, section + strlen(CLOUD_PREFIX));
    if (cloud < 0)
        return false;
    *ret_number = 2 + (size_t)cloud;
    *ret_table = "cloud";
    *ret_base = &reading->config->clouds[cloud];
    return true;
}

// The keys that a section knows, for an error's text.
static void list_keys(const char *table, char *out, size_t out_len)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < daemon_config_key_count && used < out_len; i++) {
        if (is_section(&daemon_config_keys[i], table))
            used += (size_t)snprintf(out + used, out_len - used, "%s%s", used > 0 ? ", " : "",
                                     daemon_config_keys[i].name);
    }
}

// Whether key may be given here: once, and on indented lines only if it is a list.
static bool may_be_given(struct reading *reading, const struct daemon_config_key *key,
                         size_t section, void *base)
{
    uint64_t bit = UINT64_C(1) << (key - daemon_config_keys);
    bool goes_on =
        reading->indented && reading->last_key == key && reading->last_section == section;
    if (goes_on && !daemon_config_value_is_list(key)) {
        complain(reading, reading->line,
                 "an indented line goes on with %s, which is no list: expected a key at the "
                 "start of the line",
                 key->name);
        return false;
    }
    if (!goes_on && (reading->seen[section] & bit) != 0) {
        complain(reading, reading->line, "%s is given twice: expected each key once in a section",
                 key->name);
        return false;
    }
    if (!goes_on)
        daemon_config_value_clear(key, base);
    reading->seen[section] |= bit;
    reading->last_key = key;
    reading->last_section = section;
    return true;
}

// inih's callback, for each key and each indented line. Errors are reported here, so that it always
// goes on.
static int take_value(void *user, const char *section_name, const char *name, const char *value)
{
    struct reading *reading = user;
    size_t section = 0;
    const char *table = NULL;
    void *base = NULL;
    if (!find_section(reading, section_name, &section, &table, &base))
        return 1;
    const struct daemon_config_key *key = daemon_config_key_find(table, name);
    if (key == NULL) {
        char known[1024];
        list_keys(table, known, sizeof known);
        complain(reading, reading->line, "unknown key %.60s: expected one of %s", name, known);
        return 1;
    }
    struct daemon_error error;
    if (reading->setting != NULL) // the last one counts
        daemon_config_value_clear(key, base);
    else if (!may_be_given(reading, key, section, base))
        return 1;
    if (!daemon_config_value_add(key, base, value, &error))
        complain(reading, reading->line, "%s", error.text);
    return 1;
}

// Takes SECTION.KEY=VALUE apart. Names of clouds may have dots in them, those of keys have none.
static void take_setting(struct reading *reading, const char *text)
{
    char section[SETTING_MAX];
    const char *equals = strchr(text, '=');
    const char *dot = equals;
    while (dot != NULL && dot > text && *dot != '.')
        dot--;
    reading->setting = text;
    if (dot == NULL || dot == text || strlen(text) >= sizeof section ||
        has_control(text, strlen(text))) {
        complain(reading, 0,
                 "no setting: expected SECTION.KEY=VALUE in at most %zu bytes, such as "
                 "node.log-level=debug or cloud.role=client",
                 sizeof section - 1);
        return;
    }
    char key[sizeof section];
    snprintf(section, sizeof section, "%.*s", (int)(dot - text), text);
    snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
    bool is_global = strcmp(section, "cloud") == 0;
    take_value(reading, is_global ? CLOUD_PREFIX GLOBAL_CLOUD : section, key, equals + 1);
}

static void take_settings(struct reading *reading, const struct daemon_config_settings *settings)
{
    reading->line = 0; // a cloud that is first named here has none
    for (size_t i = 0; settings != NULL && i < settings->count; i++)
        take_setting(reading, settings->list[i]);
    reading->setting = NULL;
}

// Whether two clouds want the same address.
static bool collide(const struct daemon_config_cloud *a, const struct daemon_config_cloud *b)
{
    struct daemon_config_addrs of_a;
    struct daemon_config_addrs of_b;
    daemon_config_cloud_listen(a, &of_a);
    daemon_config_cloud_listen(b, &of_b);
    for (size_t i = 0; a->enabled && b->enabled && i < of_a.count; i++) {
        for (size_t j = 0; j < of_b.count; j++) {
            if (of_a.list[i].port != 0 && dht_addr_equal(&of_a.list[i], &of_b.list[j]))
                return true;
        }
    }
    return false;
}

// What can only be said of the whole file.
static void check_clouds(struct reading *reading)
{
    const struct daemon_config *config = reading->config;
    for (size_t i = 0; i < config->cloud_count; i++) {
        const struct daemon_config_cloud *cloud = &config->clouds[i];
        bool is_link = cloud->scope == DAEMON_CONFIG_SCOPE_LINK;
        struct daemon_config_addrs addrs;
        daemon_config_cloud_listen(cloud, &addrs);
        if (cloud->enabled && !is_link && addrs.count == 0)
            complain(reading, reading->cloud_lines[i],
                     "cloud %s listens nowhere: expected listen = ADDRESS:PORT", cloud->name);
        if (is_link && (cloud->listen.count > 0 || cloud->bootstrap.count > 0))
            complain(reading, reading->cloud_lines[i],
                     "cloud %s is of a link: expected neither listen nor bootstrap, but interface "
                     "or nothing",
                     cloud->name);
        for (size_t j = 0; j < i; j++) {
            if (collide(cloud, &config->clouds[j]))
                complain(reading, reading->cloud_lines[i],
                         "clouds %s and %s listen at the same address: expected different ports",
                         config->clouds[j].name, cloud->name);
        }
    }
}

static void read_file(struct reading *reading)
{
    int line = ini_parse_stream(read_line, reading, take_value, reading);
    if (line != 0 && reading->errors == 0)
        complain(reading, line > 0 ? (unsigned)line : 0,
                 "neither a section nor a key: expected [SECTION], KEY = VALUE or # COMMENT");
    if (ferror(reading->stream))
        complain(reading, reading->line, "cannot be read: %s", strerror(errno));
}

// Does all the reading: the file, what the command line sets, the whole.
static bool read_all(struct reading *reading, const struct daemon_config_settings *settings,
                     struct daemon_config *ret_config)
{
    struct daemon_config *config = malloc(sizeof *config);
    if (config == NULL) {
        reading->report(reading->ctx, "no memory for the configuration");
        return false;
    }
    reading->config = config;
    daemon_config_init(config);
    if (reading->stream != NULL)
        read_file(reading);
    take_settings(reading, settings);
    // What is wrong with the whole may only follow from what is wrong with a line.
    if (reading->errors == 0)
        check_clouds(reading);
    bool ok = reading->errors == 0;
    if (ok)
        *ret_config = *config;
    free(config);
    return ok;
}

bool daemon_config_read_stream(FILE *stream, const char *name, struct daemon_config *ret_config,
                               daemon_config_error_fn report, void *ctx)
{
    struct reading reading = {.stream = stream, .name = name, .report = report, .ctx = ctx};
    return read_all(&reading, NULL, ret_config);
}

bool daemon_config_load(const char *path, const struct daemon_config_settings *settings,
                        struct daemon_config *ret_config, daemon_config_error_fn report, void *ctx)
{
    struct reading reading = {
        .name = path == NULL ? "the options" : path, .report = report, .ctx = ctx};
    struct daemon_error why;
    if (path != NULL)
        reading.stream = daemon_file_open(path, &why);
    if (path != NULL && reading.stream == NULL) {
        complain(&reading, 0, "cannot be opened: %s", why.text);
        return false;
    }
    bool ok = read_all(&reading, settings, ret_config);
    if (reading.stream != NULL)
        fclose(reading.stream);
    return ok;
}

bool daemon_config_read(const char *path, struct daemon_config *ret_config,
                        daemon_config_error_fn report, void *ctx)
{
    return daemon_config_load(path, NULL, ret_config, report, ctx);
}

// ---- use ----

void daemon_config_cloud_listen(const struct daemon_config_cloud *cloud,
                                struct daemon_config_addrs *ret_addrs)
{
    struct daemon_config_addrs all = cloud->listen;
    struct daemon_config_addrs wanted = {.count = 0};
    if (all.count == 0 && cloud->port != 0) {
        all.count = 2;
        all.list[0] = (struct dht_addr){.port = (uint16_t)cloud->port, .ip_len = 4};
        all.list[1] = (struct dht_addr){.port = (uint16_t)cloud->port, .ip_len = 16};
    }
    for (size_t i = 0; i < all.count && cloud->scope != DAEMON_CONFIG_SCOPE_LINK; i++) {
        int family =
            all.list[i].ip_len == 4 ? DAEMON_CONFIG_FAMILIES_IPV4 : DAEMON_CONFIG_FAMILIES_IPV6;
        if (cloud->families == DAEMON_CONFIG_FAMILIES_BOTH || cloud->families == family)
            wanted.list[wanted.count++] = all.list[i];
    }
    *ret_addrs = wanted;
}

static bool host_is_local(const struct daemon_config_host *host)
{
    bool is_ipv6 = strchr(host->host, ':') != NULL;
    char text[DAEMON_CONFIG_TEXT_MAX + 16];
    struct dht_addr addr;
    snprintf(text, sizeof text, is_ipv6 ? "[%s]:%u" : "%s:%u", host->host, host->port);
    return strcmp(host->host, "localhost") == 0 ||
           (dht_addr_from_text(text, &addr) && dht_addr_is_local(&addr));
}

static bool listens_on_loopback(const struct daemon_config_cloud *cloud)
{
    static const uint8_t loopback[16] = {[15] = 1};
    bool is_loopback = cloud->listen.count > 0;
    for (size_t i = 0; i < cloud->listen.count; i++) {
        const struct dht_addr *addr = &cloud->listen.list[i];
        is_loopback &= addr->ip_len == 4 ? addr->ip[0] == 127 : memcmp(addr->ip, loopback, 16) == 0;
    }
    return is_loopback;
}

bool daemon_config_cloud_is_lab(const struct daemon_config_cloud *cloud)
{
    if (cloud->scope == DAEMON_CONFIG_SCOPE_LINK)
        return true;
    if (cloud->lab != DAEMON_CONFIG_LAB_AUTO || listens_on_loopback(cloud))
        return cloud->lab != DAEMON_CONFIG_LAB_NO;
    bool local = true;
    for (size_t i = 0; i < cloud->listen.count; i++)
        local = local && dht_addr_is_local(&cloud->listen.list[i]);
    for (size_t i = 0; i < cloud->bootstrap.count; i++)
        local = local && host_is_local(&cloud->bootstrap.list[i]);
    return local;
}

void daemon_config_cloud_hosts(const struct daemon_config_cloud *cloud,
                               struct daemon_config_hosts *ret_hosts)
{
    const struct daemon_config_key *key = daemon_config_key_find("cloud", "bootstrap");
    char own[DAEMON_CONFIG_VALUE_MAX];
    daemon_config_value_write(key, cloud, ", ", own);
    *ret_hosts = cloud->bootstrap;
    if (listens_on_loopback(cloud) && strcmp(own, key->standard) == 0)
        ret_hosts->count = 0;
}

void daemon_config_node_apply(const struct daemon_config *config, struct node_config *ret_config)
{
    ret_config->sessions_max = (uint32_t)config->clients_max;
    ret_config->session_out_max = (uint32_t)config->client_bytes_max;
    ret_config->requests_max = (uint32_t)config->client_requests_max;
    ret_config->resolves_max = (uint32_t)config->resolves_max;
    ret_config->watches_max = (uint32_t)config->watches_max;
    ret_config->publications_max = (uint32_t)config->publications_max;
    ret_config->publishing_max = (uint32_t)config->publishing_max;
    ret_config->keys_max = (uint32_t)config->keys_max;
    ret_config->cache_max = (uint32_t)config->cache_max;
    ret_config->negative_ttl_s = (uint32_t)(config->negative_ttl_us / SECOND_US);
    ret_config->ttl_s = (uint32_t)(config->publish_ttl_us / SECOND_US);
    ret_config->renew_us = config->publish_renew_us;
    ret_config->lifetime_us = config->publish_lifetime_us;
    ret_config->snapshot_us = config->snapshot_us;
    ret_config->keep_items = config->keep_items != 0;
}

void daemon_config_cloud_apply(const struct daemon_config_cloud *cloud,
                               struct dht_config *ret_config)
{
    ret_config->role = (enum dht_role)cloud->role;
    ret_config->lab = daemon_config_cloud_is_lab(cloud);
    ret_config->bucket_size = (uint32_t)cloud->bucket_size;
    ret_config->first_bucket_size = (uint32_t)cloud->first_bucket_size;
    ret_config->replacements = (uint32_t)cloud->replacements;
    ret_config->candidates_max = (uint32_t)cloud->candidates_max;
    ret_config->queries_max = (uint32_t)cloud->queries_max;
    ret_config->outbox_keep = (size_t)cloud->outbox_bytes_kept;
    ret_config->lookup_width = (uint32_t)cloud->lookup_width;
    ret_config->store_width = (uint32_t)cloud->store_width;
    ret_config->in_flight = (uint32_t)cloud->queries_in_flight;
    ret_config->ops_max = (uint32_t)cloud->operations_max;
    ret_config->items_max = (uint32_t)cloud->items_max;
    ret_config->items_bytes_max = (size_t)cloud->items_bytes_max;
    ret_config->items_per_source_max = (uint32_t)cloud->items_per_source_max;
    ret_config->item_lifetime_us = cloud->item_lifetime_us;
    ret_config->swarms_max = (uint32_t)cloud->swarms_max;
    ret_config->peers_max = (uint32_t)cloud->peers_max;
    ret_config->peers_per_swarm_max = (uint32_t)cloud->peers_per_swarm_max;
    ret_config->peer_lifetime_us = cloud->peer_lifetime_us;
    ret_config->watches_max = (uint32_t)cloud->watches_max;
    ret_config->watchers_max = (uint32_t)cloud->watchers_max;
    ret_config->watchers_per_target_max = (uint32_t)cloud->watchers_per_target_max;
    ret_config->watchers_per_source_max = (uint32_t)cloud->watchers_per_source_max;
    ret_config->pushes_max = (uint32_t)cloud->pushes_max;
    ret_config->sources_max = (uint32_t)cloud->sources_max;
    ret_config->queries_per_source = (uint32_t)cloud->queries_per_source;
    ret_config->verifies_per_second = (uint32_t)cloud->verifies_per_second;
    ret_config->outbox_max = (size_t)cloud->outbox_bytes_max;
}
