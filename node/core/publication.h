// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_PUBLICATION_H
#define PNR_CORE_PUBLICATION_H

// Publications: names that this machine keeps alive. One round of publishing:
//
//     IDLE --due--> READING    the record that stands, on as many nodes as will store it
//     READING --merged with what others put there--> SAVING    publication and sequence number,
//     durably SAVING  --durable: signed--> PARTS (where the payload is kept apart) --> STORING
//     STORING --done--> IDLE, due again before the record can expire; sooner where it failed, or
//     where many of those that stored it have lost it (node/core/pace.h)
//
// What a user asks for is his once it is durable: a request that fails, or is cancelled, before
// that changes nothing. After it, it is tried again until it succeeds or is replaced.
//
// A withdrawn name goes through the same rounds with a tombstone, and is forgotten after two hours
// of that. Where others go on with the name, it is looked after in the first minutes, too: who
// merges what nodes hold cannot tell an entry that was taken out from one that a writer did not
// know of, and puts it back. An anchor is a key's unsalted record, kept published for each key in
// use so that its 40-hex authority leads to the key: ours is a tombstone, anybody else's is renewed
// as it is and never replaced.
//
// A publication belongs to a cloud. While that is not there it sleeps: no round, no timer; what was
// asked for stays durable. Withdrawn then, or while the cloud is disabled, it is forgotten as soon
// as its row is durably gone, for nobody can be told; what nodes of that cloud hold expires.
//
// One that was registered ends with its connection. What a daemon that was killed leaves of such is
// withdrawn by the next one, after half a minute in which the client may come back.
//
// A sequence number is durable before the first datagram that carries it. Bounds: publications_max,
// and publishing_max rounds at once.

#include "node/core/lookup.h"
#include "node/core/result.h"
#include "node/core/standing.h"

enum core_publication_state {
    CORE_PUBLICATION_IDLE,
    CORE_PUBLICATION_READING,
    CORE_PUBLICATION_SAVING,
    CORE_PUBLICATION_PARTS,
    CORE_PUBLICATION_STORING,
};

#define CORE_PUBLICATION_REFUSED_MAX 32
#define CORE_PUBLICATION_ERROR_MAX   160
#define CORE_PUBLICATION_STORERS_MAX (NODE_ENGINES_MAX * DHT_NEAR_MAX)

// A change of a record that is ours goes out before all of the round is read: to the nodes that
// have stored it last, once enough of them have answered and none knows of anything newer. The
// round goes on as any other, and stores on the rest.
//
//     NONE --enough are near--> SAVING --durable: signed, put--> PUT --all is read--> NONE
enum core_publication_quick {
    CORE_PUBLICATION_QUICK_NONE,
    CORE_PUBLICATION_QUICK_SAVING,
    CORE_PUBLICATION_QUICK_PUT,
};

// What a user asked to publish.
struct core_publication_content {
    struct core_record_endpoint endpoints[CORE_RECORD_ENDPOINTS_MAX];
    uint32_t endpoint_count;
    uint8_t comment[CORE_RECORD_COMMENT_MAX];
    uint16_t comment_len;
    uint8_t *payload; // owned
    uint16_t payload_len;
    enum core_record_payload_type payload_type;
    uint32_t ttl_s;
};

// What a publication was before a change.
struct core_publication_kept {
    struct core_publication_content content;
    bool anchor;
    bool withdrawn;
    int64_t forget_wall_us;
    struct core_session *session;
};

struct core_publication {
    struct core_publication *next_round, *prev_round; // of the node's, while one is under way
    uint32_t slot;                                    // in the node's table
    struct dht_timer timer;
    struct core_cloud *cloud;
    enum core_publication_state state;
    uint8_t key[DHT_KEY_LEN];
    uint8_t classifier[CORE_NAME_CLASSIFIER_LEN_MAX];
    uint16_t classifier_len;
    uint8_t salt[DHT_SALT_LEN_MAX];
    size_t salt_len;
    struct dht_id target;
    bool anchor;
    bool withdrawn;
    int64_t forget_wall_us; // of a withdrawn one: when its tombstone need not be renewed any more
    struct core_publication_content content;
    struct core_session *session; // that registered it, and ends it; NULL: published
    uint32_t withdrawn_from;      // of a withdrawn one: the id of that session; 0: none
    bool orphaned; // of a connection of an earlier run; withdrawn unless it comes back soon
    bool unsaved;  // what was asked for last is not durable: if that comes to nothing, it goes
    struct core_publication_kept *kept; // back to this; NULL: to not being there
    bool known;                         // it was acknowledged once, by this run or an earlier one
    struct core_request *request;       // that waits for this round; NULL: none
    struct core_lookup lookup;
    enum core_publication_quick quick;
    uint32_t near_awaited; // engines that have not said that enough are near
    bool is_read;          // the lookup has ended, while it was still being saved
    struct dht_node storers[CORE_PUBLICATION_STORERS_MAX]; // of the last round
    uint32_t storer_count;
    struct core_standing *standing; // while it reads: all that was found; NULL: nothing yet
    // The round under way, and the record as last signed.
    struct core_record record;
    int64_t seq;      // last used; DHT_SEQ_NONE: none
    int64_t seen_seq; // newest seen in the DHT, DHT_SEQ_NONE: none
    bool is_signed;   // `record` is what was signed last, with `seq`;
    int64_t base_seq; // it was merged with what had this one; DHT_SEQ_NONE: there was nothing
    uint8_t sig[DHT_SIG_LEN]; // of it
    int64_t reads_us;         // when this round began
    uint64_t writes[2];       // waits for these rows; 0: for none
    bool write_failed;
    bool forgotten; // SAVING: its row is being deleted, and it goes with that
    bool fresh;     // this round brings something that the user has asked for since the last
    struct core_lookup parts;
    uint32_t part;
    uint32_t conflicts;  // rounds in a row that another writer has spoilt
    uint32_t rechecks;   // rounds in a row that he has spoilt on some nodes
    bool recheck;        // the next round comes soon, to merge with what he has written
    uint8_t checks;      // withdrawn: rounds still to come soon, to see that nobody puts it back
    bool is_check;       // the timer is that of such a round: it reads back, before the renewal
    uint32_t failures;   // rounds in a row that stored nothing
    bool foreign_anchor; // this round renews somebody else's record as it is
    bool changed;        // asked for something new while a round was under way
    bool renew;          // fell due while one was under way, which may have come too early
    // What the last round came to.
    struct dht_tally read_tally;
    uint32_t copies; // nodes that held it when it was last read; after the first round: that stored
    uint32_t haste;  // of its renewals (node/core/pace.h)
    struct dht_tally tally;
    struct {
        struct dht_addr addr;
        int32_t code;
    } refused[CORE_PUBLICATION_REFUSED_MAX];
    uint32_t refused_count;
    int64_t stored_us; // when it was last stored; 0: never
    char last_error[CORE_PUBLICATION_ERROR_MAX];
};

// Publishes a name under a key that is held in the request's cloud, or changes what it holds; the
// request is answered when the round is done. content->payload is taken over in every case.
void core_publication_publish(struct node *node, struct core_request *request,
                              const struct core_key *key, const struct core_name *name,
                              struct core_publication_content *content);
void core_publication_withdraw(struct node *node, struct core_request *request,
                               const struct core_key *key, const struct core_name *name);

// The connection is closed: what it registered is withdrawn (node/core/publication_session.c).
void core_publication_hang_up(struct node *node, const struct core_session *session);
// Why a session, NULL: none, may not publish what stands here already; NULL: it may.
const char *core_publication_is_taken(const struct core_publication *publication,
                                      const struct core_session *session);
// Whether the session has registered it. What it has withdrawn stays its own until the name is
// forgotten or published anew, for others may tell of it still.
bool core_publication_is_of(const struct core_publication *publication,
                            const struct core_session *session);
// It becomes a tombstone: its endpoints are gone, from here on. Comment and payload stay with it: a
// record of several machines does not tell whose they are, and ours have to be known to be taken
// out.
void core_publication_take_back(const struct node *node, struct core_publication *publication);
// One that was just restored: where it was a connection's, it is orphaned.
void core_publication_adopt(const struct node *node, struct core_publication *publication);
// Writes its row.
void core_publication_write(struct node *node, const struct core_publication *publication);
// What was asked for is brought by a round, now or as soon as the one under way is done.
void core_publication_begin(struct node *node, struct core_publication *publication);

// The request that waited is gone. Where what it asked for is not durable yet, nothing comes of it;
// otherwise the round goes on.
void core_publication_leave(struct node *node, struct core_publication *publication);

// What this machine publishes in the cloud under the key and name of *result, as a result of source
// `local` with its record. False where nothing.
bool core_publication_result(struct node *node, const struct core_cloud *cloud,
                             struct core_record *ret_record, struct core_result *result);

// Tells all of them to a request, as many at once as its session has room for; called again when
// the client has read some (node/core/publication_list.c).
void core_publication_list(struct node *node, struct core_request *request);
// How many that list has: names of keys, but not the anchors that go with them, and names of
// nobody's.
uint32_t core_publication_list_count(const struct node *node);

void core_publication_timer(struct node *node, struct core_publication *publication);
void core_publication_event(struct node *node, struct core_publication *publication, int engine,
                            const struct dht_out *event);
// A row is durable, or could not be made so. Whether it was one of a publication's.
bool core_publication_written(struct node *node, uint64_t write_id, bool ok);

// All of the cloud, NULL: of all clouds, are due now, a little apart.
void core_publication_renew_all(struct node *node, const struct core_cloud *cloud);

// The cloud is going: what is published in it sleeps. Nobody waits for any of it any more.
void core_publication_suspend(struct node *node, const struct core_cloud *cloud);
// It is there again.
void core_publication_resume(struct node *node, struct core_cloud *cloud);

// All of an earlier run are restored.
void core_publication_start(struct node *node);

// A row of an earlier run.
bool core_publication_restore(struct node *node, struct dht_span key, struct dht_span value);
void core_publication_free_all(struct node *node);

#endif
