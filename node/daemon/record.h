// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_RECORD_H
#define PNR_DAEMON_RECORD_H

// The calls of include/pnr/node.h as the shell makes them: each is handed on to the brain, and,
// where the node is recorded (`pnrd --record`), written down first. Without a recording each costs
// one branch. Everything that the shell tells a brain goes through here, or a replay would go
// wrong; what only looks in (node_deadline(), node_engine(), node_info()) does not.
//
// No secret key gets into a recording: see node/daemon/record_frame.h for what clients send, and
// daemon_record_key_answered() and node/recording/output.h for the rest.

#include "node/daemon/record_file.h"
#include "node/daemon/record_frame.h"
#include "pnr/node.h"

struct daemon_record {
    struct node *brain;
    struct daemon_record_file *file; // owned; NULL: not recorded
    struct daemon_record_stream *streams;
    struct daemon_record_bytes bytes; // of the input that is written down
    uint32_t drained;                 // outputs since the last drain
};

// Makes the brain. path: of the recording to be made; NULL: none. False where there is no memory,
// or the recording cannot be made.
struct daemon_record_birth {
    const char *path;
    const struct node_config *config;
    const struct dht_crypto *crypto;
    const uint8_t *seed;
    int64_t now_us;
    int64_t wall_us;
};
bool daemon_record_open(struct daemon_record *record, const struct daemon_record_birth *birth,
                        struct daemon_error *ret_error);
// Frees the brain and ends the recording, which may take as long as the disk does.
void daemon_record_close(struct daemon_record *record);

// What the brain was answered by its crypto table. sig: NULL where the key is not held.
void daemon_record_signed(struct daemon_record *record, const uint8_t key[DHT_KEY_LEN],
                          struct dht_span msg, const uint8_t *sig);
void daemon_record_verified(struct daemon_record *record, const uint8_t key[DHT_KEY_LEN],
                            const uint8_t sig[DHT_SIG_LEN], struct dht_span msg, bool good);

// ---- the calls ----

int daemon_record_add_cloud(struct daemon_record *record, int64_t now_us,
                            const struct node_cloud_config *config);
void daemon_record_remove_cloud(struct daemon_record *record, int64_t now_us, int cloud);
int daemon_record_add_engine(struct daemon_record *record, int64_t now_us, int cloud,
                             const struct dht_config *config);
void daemon_record_remove_engine(struct daemon_record *record, int64_t now_us, int engine);
bool daemon_record_restore(struct daemon_record *record, enum node_row_kind kind,
                           struct dht_span key, struct dht_span value);
bool daemon_record_key_added(struct daemon_record *record, const char *label,
                             const uint8_t key[DHT_KEY_LEN], const char *path);
void daemon_record_key_removed(struct daemon_record *record, const char *label);
void daemon_record_start(struct daemon_record *record, int64_t now_us);
void daemon_record_wall(struct daemon_record *record, int64_t now_us, int64_t wall_us);
void daemon_record_receive(struct daemon_record *record, int64_t now_us, int engine,
                           const struct dht_datagram *datagrams, size_t count);
void daemon_record_heard(struct daemon_record *record, int64_t now_us, int engine,
                         const struct dht_datagram *datagrams, size_t count);
void daemon_record_unreachable(struct daemon_record *record, int64_t now_us, int engine,
                               const struct dht_addr *addr);
void daemon_record_bootstrap(struct daemon_record *record, int64_t now_us, int engine,
                             const struct dht_addr *addrs, size_t count);
void daemon_record_network_changed(struct daemon_record *record, int64_t now_us);
void daemon_record_tick(struct daemon_record *record, int64_t now_us);
void daemon_record_set_publishing(struct daemon_record *record, uint32_t ttl_s, int64_t renew_us);
void daemon_record_stop(struct daemon_record *record, int64_t now_us);
void daemon_record_written(struct daemon_record *record, int64_t now_us, uint64_t write_id,
                           bool ok);
void daemon_record_counters(struct daemon_record *record,
                            const struct node_driver_counter *counters, size_t count);
uint32_t daemon_record_session_open(struct daemon_record *record, int64_t now_us,
                                    enum node_access access);
void daemon_record_session_bytes(struct daemon_record *record, int64_t now_us, uint32_t session,
                                 struct dht_span bytes);
void daemon_record_session_sent(struct daemon_record *record, int64_t now_us, uint32_t session,
                                size_t len);
void daemon_record_session_closed(struct daemon_record *record, int64_t now_us, uint32_t session);
// Of an answer that is ok the text may be a PEM text: filler of its length is written.
void daemon_record_key_answered(struct daemon_record *record, int64_t now_us,
                                const struct node_key_answer *answer);
bool daemon_record_next(struct daemon_record *record, struct node_out *ret_out);

#endif
