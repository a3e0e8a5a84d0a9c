// SPDX-License-Identifier: MIT
#ifndef PNR_RECORDING_ENTRY_H
#define PNR_RECORDING_ENTRY_H

// One entry of a recording, as a struct and as bytes.

#include "node/recording/output.h"

// What an entry says. Which members count follows from kind; the rest are not set.
struct recording_entry {
    enum recording_kind kind;
    int64_t now_us; // of each input that takes one, of NEW too
    union {
        struct {
            int64_t wall_us;
            const uint8_t *seed; // RECORDING_SEED_LEN bytes
            struct node_config config;
        } birth;                        // NEW
        struct node_cloud_config cloud; // ADD_CLOUD
        struct {
            uint32_t cloud;
            struct dht_config config;
        } engine;        // ADD_ENGINE
        uint32_t number; // REMOVE_CLOUD, REMOVE_ENGINE
        struct {
            enum node_row_kind kind;
            struct dht_span key;
            struct dht_span value;
        } row; // RESTORE
        struct {
            const char *label;
            const uint8_t *key; // DHT_KEY_LEN bytes; not of KEY_REMOVED
            const char *path;   // may be NULL; not of KEY_REMOVED
        } key;                  // KEY_ADDED, KEY_REMOVED
        int64_t wall_us;        // WALL
        struct {
            uint32_t engine;
            const struct dht_datagram *datagrams;
            size_t count; // 0 to RECORDING_DATAGRAMS_MAX
        } receive;        // RECEIVE, HEARD
        struct {
            uint32_t engine;
            const struct dht_addr *addrs;
            size_t count; // 0 to RECORDING_ADDRS_MAX; of UNREACHABLE 1
        } addrs;          // UNREACHABLE, BOOTSTRAP
        struct {
            uint32_t ttl_s;
            int64_t renew_us;
        } publishing; // SET_PUBLISHING
        struct {
            uint64_t id;
            bool ok;
        } written;
        struct {
            const struct node_driver_counter *list;
            size_t count; // 0 to NODE_DRIVER_COUNTERS_MAX
        } counters;
        struct {
            uint32_t number;         // not of SESSION_OPEN
            enum node_access access; // of SESSION_OPEN
            struct dht_span bytes;   // of SESSION_BYTES, without secrets
            uint64_t sent;           // of SESSION_SENT
        } session;
        struct {
            struct node_key_answer answer; // of a text that is a secret, the filler
        } key_answered;
        struct {
            uint64_t digest; // of what is signed
            bool ok;         // SIGN: the driver holds the key; VERIFY: the signature is good
            uint8_t sig[DHT_SIG_LEN]; // of a SIGN that is ok
        } crypto;                     // SIGN, VERIFY
        int64_t result;               // what the input before it returned
        struct recording_output output;
        uint32_t drained; // how many outputs there were
        enum recording_end end;
    };
};

// Writes an entry, its head included. Returns its bytes, or 0 where they are more than buf_len or
// more than an entry may have.
size_t recording_entry_write(const struct recording_entry *entry, uint8_t *buf, size_t buf_len);

// The head of an entry, as bytes.
struct recording_entry_head {
    uint8_t kind;
    uint32_t payload_len;
    uint32_t payload_crc;
};

void recording_entry_head_write(const struct recording_entry_head *head,
                                uint8_t ret_bytes[RECORDING_ENTRY_HEAD_LEN]);
// False where its CRC is another than that of its bytes.
bool recording_entry_head_read(const uint8_t bytes[RECORDING_ENTRY_HEAD_LEN],
                               struct recording_entry_head *ret_head);

// Room for what an entry's lists are read into.
struct recording_entry_room {
    struct dht_datagram datagrams[RECORDING_DATAGRAMS_MAX];
    struct dht_addr addrs[RECORDING_ADDRS_MAX];
    struct node_driver_counter counters[NODE_DRIVER_COUNTERS_MAX];
};

// Reads the payload of an entry of that kind. What ret_entry points to is in payload or in room.
// False where it makes no sense: *ret_why then says what does not, without a stop at its end.
bool recording_entry_read(uint8_t kind, struct dht_span payload, struct recording_entry_room *room,
                          struct recording_entry *ret_entry, const char **ret_why);

// "receive"; "?" where there is no such kind.
const char *recording_entry_kind_text(int kind);
// Whether it is something that the node was told: a call of include/pnr/node.h.
bool recording_entry_is_input(enum recording_kind kind);
// Whether it is an input that takes the time.
bool recording_entry_has_time(enum recording_kind kind);

#endif
