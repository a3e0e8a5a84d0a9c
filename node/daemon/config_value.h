// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CONFIG_VALUE_H
#define PNR_DAEMON_CONFIG_VALUE_H

// The values of configuration keys: their types, how they are read and how they are written. What
// daemon_config_value_write() writes, daemon_config_value_add() reads back as the same value.

#include "node/daemon/error.h"
#include "pnr/dht.h"

#define DAEMON_CONFIG_TEXT_MAX  160 // bytes of a text, its NUL included
#define DAEMON_CONFIG_TEXTS_MAX 4
#define DAEMON_CONFIG_ADDRS_MAX 2 // one of each family
#define DAEMON_CONFIG_HOSTS_MAX 32
#define DAEMON_CONFIG_VALUE_MAX 8192 // bytes that any value takes when written, with its NUL

struct daemon_config_text {
    char text[DAEMON_CONFIG_TEXT_MAX];
};

struct daemon_config_texts {
    size_t count;
    struct daemon_config_text list[DAEMON_CONFIG_TEXTS_MAX];
};

struct daemon_config_addrs {
    size_t count;
    struct dht_addr list[DAEMON_CONFIG_ADDRS_MAX];
};

struct daemon_config_host {
    char host[DAEMON_CONFIG_TEXT_MAX]; // a name, or an address without brackets
    uint16_t port;
};

struct daemon_config_hosts {
    size_t count;
    struct daemon_config_host list[DAEMON_CONFIG_HOSTS_MAX];
};

// The type of a key's value, and of the field that holds it.
enum daemon_config_type {
    DAEMON_CONFIG_PATH,     // daemon_config_text: an absolute path
    DAEMON_CONFIG_NAME,     // daemon_config_text: a word, or empty
    DAEMON_CONFIG_CONTROLS, // daemon_config_texts: unix:PATH, tcp:FILE or tcp:HOST:PORT
    DAEMON_CONFIG_ADDRS,    // daemon_config_addrs: address:port
    DAEMON_CONFIG_HOSTS,    // daemon_config_hosts: host:port
    DAEMON_CONFIG_CHOICE,   // int: the index of one of the words of choices
    DAEMON_CONFIG_COUNT,    // int64_t
    DAEMON_CONFIG_BYTES,    // int64_t; K, M and G are powers of 1024
    DAEMON_CONFIG_TIME,     // int64_t microseconds; written in s, m or h
};

struct daemon_config_key {
    const char *section; // "node", "cloud" or "publish"
    const char *name;
    enum daemon_config_type type;
    size_t offset;        // of the field in struct daemon_config, or in struct daemon_config_cloud
    const char *standard; // the default, as it would stand in the file
    const char *const *choices; // of a CHOICE; ends in NULL
    int64_t min;                // of a COUNT, BYTES or TIME
    int64_t max;
    bool optional;   // a PATH may be empty
    bool reloadable; // can change in a running pnrd
    const char *what;
};

bool daemon_config_value_is_list(const struct daemon_config_key *key);

// Empties a list; does nothing to other values.
void daemon_config_value_clear(const struct daemon_config_key *key, void *base);

// Reads text into key's field of *base: sets the value, or appends to a list, of which text may be
// several, separated by commas or spaces. False, with the field unchanged but for the list's
// earlier elements, where text is malformed; the error says what was expected.
bool daemon_config_value_add(const struct daemon_config_key *key, void *base, const char *text,
                             struct daemon_error *ret_error);

// Writes key's field of *base; the elements of a list are joined by separator, which begins with a
// comma.
void daemon_config_value_write(const struct daemon_config_key *key, const void *base,
                               const char *separator, char ret_text[DAEMON_CONFIG_VALUE_MAX]);

// Copies key's field from one base to another.
void daemon_config_value_copy(const struct daemon_config_key *key, void *to, const void *from);

// Says what is expected, for errors and docs: "a size such as 64M, from 1M to 64G".
void daemon_config_value_expected(const struct daemon_config_key *key, char *ret_text,
                                  size_t text_len);

#endif
