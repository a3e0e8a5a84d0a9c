// SPDX-License-Identifier: MIT
#include "node/core/round.h"

#include "dht/bencode.h"
#include "dht/krpc.h"
#include "node/core/seq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_PAUSE_US     (CORE_SECOND_US / 4)
#define OFFLINE_PAUSE_US  (CORE_SECOND_US)
#define OFFLINE_MOST_US   (30 * CORE_SECOND_US) // that a client is kept waiting
#define CONFLICTS_MAX     5
#define RECHECKS_MAX      3
#define CONFLICT_PAUSE_US (CORE_SECOND_US)

static void link_round(struct node *node, struct core_publication *publication)
{
    publication->prev_round = NULL;
    publication->next_round = node->rounds;
    if (node->rounds != NULL)
        node->rounds->prev_round = publication;
    node->rounds = publication;
    node->publishing_count++;
}

static void unlink_round(struct node *node, struct core_publication *publication)
{
    if (publication->next_round != NULL)
        publication->next_round->prev_round = publication->prev_round;
    if (publication->prev_round != NULL)
        publication->prev_round->next_round = publication->next_round;
    else
        node->rounds = publication->next_round;
    node->publishing_count--;
}

static void enter(struct node *node, struct core_publication *publication,
                  enum core_publication_state state)
{
    bool was_idle = publication->state == CORE_PUBLICATION_IDLE;
    bool is_idle = state == CORE_PUBLICATION_IDLE;
    if (was_idle && !is_idle)
        link_round(node, publication);
    if (!was_idle && is_idle)
        unlink_round(node, publication);
    publication->state = state;
    if (state != CORE_PUBLICATION_READING) {
        free(publication->standing);
        publication->standing = NULL;
    }
}

void core_round_cancel(struct node *node, struct core_publication *publication)
{
    core_lookup_cancel(node, &publication->lookup);
    core_lookup_cancel(node, &publication->parts);
    publication->writes[0] = publication->writes[1] = 0;
    dht_timer_clear(&node->timers, &publication->timer);
    enter(node, publication, CORE_PUBLICATION_IDLE);
}

static void fail(struct node *node, struct core_publication *publication, enum control_error code,
                 const char *text)
{
    core_round_cancel(node, publication);
    CORE_COUNT(node, publish_failed);
    core_publication_failed(node, publication, code, text);
}

static enum core_record_error encode(const struct core_publication *publication,
                                     uint8_t msg[CORE_RECORD_LEN_MAX], size_t *ret_len)
{
    return core_record_encode(&publication->record, publication->key, msg, ret_len);
}

// The record as an item, with the last signature.
static struct dht_item own_item(const struct core_publication *publication,
                                uint8_t value[DHT_VALUE_LEN_MAX])
{
    uint8_t msg[CORE_RECORD_LEN_MAX];
    size_t msg_len;
    struct dht_bencode_writer writer = dht_bencode_writer(value, DHT_VALUE_LEN_MAX);
    if (encode(publication, msg, &msg_len) != CORE_RECORD_OK)
        assert(!"a record that was encoded before can be encoded again");
    dht_bencode_put_string(&writer, msg, msg_len);
    struct dht_item item = {
        .is_mutable = true,
        .target = publication->target,
        .seq = publication->seq,
        .salt = {publication->salt, publication->salt_len},
        .value = {value, dht_bencode_written(&writer)},
    };
    memcpy(item.key, publication->key, sizeof item.key);
    memcpy(item.sig, publication->sig, sizeof item.sig);
    return item;
}

// What was read of somebody else's record, as it was.
static struct dht_item foreign_item(const struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    struct dht_item item = {
        .is_mutable = true,
        .target = publication->target,
        .seq = lookup->seq,
        .salt = {publication->salt, publication->salt_len},
        .value = {lookup->value, lookup->value_len},
    };
    memcpy(item.key, publication->key, sizeof item.key);
    memcpy(item.sig, lookup->sig, sizeof item.sig);
    return item;
}

// ---- reading ----

// How many rounds there may be for this one to begin too: a quarter of the places is kept for what
// clients wait for, or a great many renewals would keep them waiting.
static uint32_t places_for(const struct node *node, const struct core_publication *publication)
{
    uint32_t places = node->config.publishing_max;
    return publication->request != NULL ? places : places - places / 4;
}

void core_round_begin(struct node *node, struct core_publication *publication)
{
    assert(publication->state == CORE_PUBLICATION_IDLE && publication->cloud->present);
    bool busy = node->publishing_count >= places_for(node, publication);
    bool offline = !core_cloud_has_contacts(publication->cloud);
    const struct core_request *request = publication->request;
    if (offline && request != NULL && node->now_us - request->started_us > OFFLINE_MOST_US) {
        core_publication_offline(node, publication);
        return;
    }
    if (busy || offline) {
        dht_timer_set(&node->timers, &publication->timer,
                      node->now_us + (busy ? BUSY_PAUSE_US : OFFLINE_PAUSE_US));
        return;
    }
    CORE_COUNT(node, publish_rounds);
    publication->changed = false;
    publication->renew = false;
    publication->foreign_anchor = false;
    publication->refused_count = 0;
    publication->reads_us = node->now_us;
    publication->write_failed = false;
    struct dht_get get = {
        .target = publication->target,
        .salt = {publication->salt, publication->salt_len},
        .seq_known = DHT_SEQ_NONE,
        .width = core_cloud_store_width(publication->cloud),
        .hold = true,
        .each = true,
    };
    uint8_t value[DHT_VALUE_LEN_MAX];
    struct dht_item own;
    if (publication->is_signed) {
        own = own_item(publication, value);
        get.own = &own;
    }
    enter(node, publication, CORE_PUBLICATION_READING);
    core_publication_progress(node, publication, CONTROL_STEP_READING);
    if (!core_lookup_get(node, &publication->lookup, CORE_OWNER_PUBLICATION, publication, &get))
        fail(node, publication, CONTROL_ERROR_FULL, "too many lookups are under way");
}

// ---- merging ----

// Whether what others have written is no older than what ours was merged with already. Then it is
// what stands, be ours the newer one: its writer did not know ours, or it would not be there, and
// nor did ours know it. What is older was left behind.
static bool others_stand(const struct core_publication *publication)
{
    return !publication->is_signed ||
           (publication->lookup.found && publication->lookup.seq > publication->base_seq);
}

// The record that stands, without what has expired; a fresh one where there is none that can be
// read. False where what stands there is not ours to replace.
static bool read_standing(struct node *node, struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    struct dht_span value = core_lookup_string(lookup);
    int64_t wall_s = core_brain_wall_us(node) / CORE_SECOND_US;
    if (!others_stand(publication)) {
        publication->seen_seq = publication->seq;
        core_record_prune(&publication->record, wall_s);
        return true;
    }
    // What is read takes the place of what we signed: were this round to come to nothing, the next
    // would take it for ours.
    publication->is_signed = false;
    bool readable =
        lookup->found && lookup->is_mutable &&
        core_record_decode(publication->key, value, &publication->record) == CORE_RECORD_OK;
    if (!readable)
        core_record_init(&publication->record);
    else if (publication->standing != NULL)
        core_standing_merge(publication->standing, publication->key, publication->base_seq,
                            &publication->record);
    core_record_prune(&publication->record, wall_s);
    // Our own that it takes the place of may be left behind on some nodes, too.
    bool ours_is_newer = publication->seq > publication->seen_seq;
    publication->base_seq = ours_is_newer ? publication->seq : publication->seen_seq;
    // A key's unsalted record that is no record of ours nor of pkarr's is somebody's all the same.
    return readable || !lookup->found || publication->classifier_len > 0;
}

static enum core_record_error set_content(struct node *node, struct core_publication *publication,
                                          bool by_reference)
{
    const struct core_publication_content *content = &publication->content;
    struct core_record *record = &publication->record;
    int64_t until_us = core_brain_wall_us(node) + node->config.lifetime_us;
    struct core_record_entry entry = {
        .signed_until_s = until_us > 0 ? until_us / CORE_SECOND_US : 0,
        .lifetime_s = (uint32_t)(node->config.lifetime_us / CORE_SECOND_US),
    };
    memcpy(entry.machine, node->machine, sizeof entry.machine);
    enum core_record_error error =
        core_record_replace(record, &entry, content->endpoints, content->endpoint_count);
    // One comment and one payload a name: what we have goes in, and what the user has taken back
    // comes out, but a mere renewal leaves what another machine has put there.
    if (error == CORE_RECORD_OK && (content->comment_len > 0 || publication->fresh))
        error = core_record_set_comment(record,
                                        (struct dht_span){content->comment, content->comment_len});
    if (error == CORE_RECORD_OK && (content->payload_len > 0 || publication->fresh))
        error = core_record_set_payload(record, &node->crypto, content->payload_type,
                                        (struct dht_span){content->payload, content->payload_len},
                                        by_reference);
    if (error == CORE_RECORD_OK)
        record->ttl_s = content->ttl_s != 0 ? content->ttl_s : node->config.ttl_s;
    return error;
}

// Puts our own part into the record, or takes it out; ret_msg is then what will be signed.
static enum core_record_error merge(struct node *node, struct core_publication *publication,
                                    uint8_t msg[CORE_RECORD_LEN_MAX], size_t *ret_len)
{
    if (publication->anchor)
        return encode(publication, msg, ret_len);
    if (publication->withdrawn) {
        core_record_remove(&publication->record, node->machine);
        return encode(publication, msg, ret_len);
    }
    struct core_record standing = publication->record;
    enum core_record_error error = set_content(node, publication, false);
    if (error == CORE_RECORD_OK)
        error = encode(publication, msg, ret_len);
    if (error != CORE_RECORD_TOO_LARGE || publication->content.payload_len == 0)
        return error;
    // A payload that does not fit is kept apart.
    publication->record = standing;
    error = set_content(node, publication, true);
    return error == CORE_RECORD_OK ? encode(publication, msg, ret_len) : error;
}

// ---- saving ----

static void save(struct node *node, struct core_publication *publication)
{
    uint8_t key[NODE_ROW_KEY_MAX];
    uint8_t row[NODE_ROW_VALUE_MAX];
    uint8_t seq[8];
    enter(node, publication, CORE_PUBLICATION_SAVING);
    core_publication_progress(node, publication, CONTROL_STEP_SAVING);
    if (publication->fresh) {
        struct dht_span key_span = {key, core_publication_row_key(publication, key)};
        struct dht_span row_span = {row, core_publication_row(publication, row)};
        publication->writes[0] =
            core_brain_write(node, NODE_ROW_PUBLICATION, key_span, row_span, true);
        publication->write_failed = publication->writes[0] == 0;
    }
    core_seq_write(publication->seq, seq);
    publication->writes[1] = core_brain_write(
        node, NODE_ROW_SEQUENCE, (struct dht_span){publication->target.bytes, DHT_ID_LEN},
        (struct dht_span){seq, sizeof seq}, true);
    if (publication->writes[1] == 0 || publication->write_failed)
        fail(node, publication, CONTROL_ERROR_FAILED, "out of memory");
}

bool core_round_is_overdue(const struct node *node, const struct core_publication *publication)
{
    const struct core_record *record = &publication->record;
    int64_t wall_s = core_brain_wall_us(node) / CORE_SECOND_US;
    int64_t age_max_s = node->config.renew_us / 2 / CORE_SECOND_US + CORE_RECORD_GRACE_S;
    int64_t least_s = wall_s + node->config.lifetime_us / CORE_SECOND_US - age_max_s;
    for (uint32_t i = 0; i < record->entry_count; i++) {
        const struct core_record_entry *entry = &record->entries[i];
        if (memcmp(entry->machine, node->machine, sizeof entry->machine) == 0)
            return entry->signed_until_s < least_s;
    }
    return false;
}

// BEP 44's rule for saving puts: more than 8 copies of the newest item, and all of the closest hold
// it. That says nothing of when they will drop it, so it counts only for a while after we stored it
// ourselves: what brings a renewal forward, a change of address say, then costs one lookup and no
// puts. By then the wall clock may have been put right: an entry that it says was signed long ago,
// or has expired, is no use to anybody.
static bool is_fresh_enough(const struct node *node, const struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    bool bidden = publication->fresh || publication->withdrawn || publication->request != NULL;
    bool stored_lately = publication->stored_us != 0 &&
                         node->now_us - publication->stored_us < node->config.renew_us / 2;
    uint32_t copies = publication->is_signed ? lookup->tally.own : lookup->tally.copies;
    uint32_t others = lookup->tally.others + (publication->is_signed ? lookup->tally.copies : 0);
    bool ours = publication->is_signed || publication->anchor || lookup->seq == publication->seq;
    return !bidden && stored_lately && !core_round_is_overdue(node, publication) && ours &&
           others == 0 && copies > 8;
}

// Why the record cannot be written, for the user.
static const char *refusal_text(enum core_record_error error)
{
    switch (error) {
    case CORE_RECORD_ENDPOINTS:
        return "the name would have more than 10 endpoints, with those of other machines that "
               "publish it";
    case CORE_RECORD_ENTRIES:
        return "10 other machines publish the name already, and there can be no more";
    case CORE_RECORD_TOO_LARGE:
        return "the name's record would not fit into 996 bytes, with what other machines publish";
    default:
        return core_record_error_text(error);
    }
}

// Whether what we have withdrawn is not in what others publish, as it should be: they go on with
// it. Writers who did not know could have put it back.
static bool is_gone_already(const struct node *node, const struct core_publication *publication)
{
    const struct core_record *record = &publication->record;
    if (!publication->withdrawn || publication->fresh || record->entry_count == 0)
        return false;
    for (uint32_t i = 0; i < record->entry_count; i++)
        if (memcmp(record->entries[i].machine, node->machine, CORE_RECORD_MACHINE_LEN) == 0)
            return false;
    return true;
}

static void read_ended(struct node *node, struct core_publication *publication)
{
    uint8_t msg[CORE_RECORD_LEN_MAX];
    size_t msg_len;
    const struct core_lookup *lookup = &publication->lookup;
    publication->read_tally = lookup->tally;
    publication->seen_seq = lookup->found && lookup->is_mutable ? lookup->seq : DHT_SEQ_NONE;
    if (lookup->tally.answered == 0) {
        fail(node, publication, CONTROL_ERROR_FAILED, "no node of the network has answered");
        return;
    }
    if (is_fresh_enough(node, publication)) {
        CORE_COUNT(node, publish_skipped);
        core_round_cancel(node, publication);
        core_publication_skipped(node, publication);
        return;
    }
    if (publication->anchor && lookup->found) {
        publication->foreign_anchor = true; // renewed as it is, whoever signed it
        core_round_written(node, publication);
        return;
    }
    if (!read_standing(node, publication)) {
        fail(node, publication, CONTROL_ERROR_REFUSED,
             "other software keeps something under this key that is no record of names");
        return;
    }
    if (is_gone_already(node, publication)) {
        core_round_cancel(node, publication);
        core_publication_skipped(node, publication);
        return;
    }
    publication->is_signed = false; // until it is signed again
    enum core_record_error error = merge(node, publication, msg, &msg_len);
    if (error != CORE_RECORD_OK) {
        fail(node, publication, CONTROL_ERROR_REFUSED, refusal_text(error));
        return;
    }
    if (core_keyring_by_key(&node->keyring, publication->key) == NULL) {
        fail(node, publication, CONTROL_ERROR_REFUSED, "the key is not held any more");
        return;
    }
    int64_t last = core_seqlog_last(&node->seqlog, &publication->target);
    // An anchor's is as low as can be: if somebody else's record was overlooked, nodes that hold
    // it refuse ours.
    int64_t wall_us = publication->anchor ? 1 : core_brain_wall_us(node);
    if (!core_seq_next(wall_us, last, publication->seen_seq, &publication->seq)) {
        CORE_COUNT(node, seq_refused);
        fail(node, publication, CONTROL_ERROR_REFUSED,
             "the name's sequence number is near its end: it would be locked for good");
        return;
    }
    if (!core_seqlog_note(&node->seqlog, &publication->target, publication->seq)) {
        fail(node, publication, CONTROL_ERROR_FULL, "too many names were published from here");
        return;
    }
    save(node, publication);
}

// ---- storing ----

// Signs item, which is own_item().
static bool sign(struct node *node, struct core_publication *publication, struct dht_item *item)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    size_t text_len = dht_krpc_signed_text(item->salt, item->seq, item->value, text);
    if (!node->crypto.sign(node->crypto.ctx, item->key, (struct dht_span){text, text_len},
                           item->sig))
        return false;
    memcpy(publication->sig, item->sig, sizeof publication->sig);
    publication->is_signed = !publication->anchor;
    return true;
}

static void store(struct node *node, struct core_publication *publication)
{
    uint8_t value[DHT_VALUE_LEN_MAX];
    bool foreign = publication->foreign_anchor;
    struct dht_item item = foreign ? foreign_item(publication) : own_item(publication, value);
    if (!foreign && !sign(node, publication, &item)) {
        fail(node, publication, CONTROL_ERROR_REFUSED, "the key is not held any more");
        return;
    }
    enter(node, publication, CORE_PUBLICATION_STORING);
    core_publication_progress(node, publication, CONTROL_STEP_STORING);
    if (!core_lookup_put(node, &publication->lookup, CORE_OWNER_PUBLICATION, publication, &item,
                         publication->foreign_anchor ? DHT_SEQ_NONE : publication->seen_seq))
        fail(node, publication, CONTROL_ERROR_FULL, "too many operations are under way");
}

// Stores the next part of a payload that is kept apart.
static void store_part(struct node *node, struct core_publication *publication)
{
    const struct core_publication_content *content = &publication->content;
    uint8_t value[DHT_VALUE_LEN_MAX];
    struct dht_span payload = {content->payload, content->payload_len};
    struct dht_span part = core_record_part(payload, publication->part);
    struct dht_bencode_writer writer = dht_bencode_writer(value, sizeof value);
    dht_bencode_put_string(&writer, part.data, part.len);
    struct dht_item item = {.value = {value, dht_bencode_written(&writer)}};
    core_record_part_target(&node->crypto, part, &item.target);
    enter(node, publication, CORE_PUBLICATION_PARTS);
    publication->parts = (struct core_lookup){.cloud = publication->cloud};
    if (!core_lookup_put(node, &publication->parts, CORE_OWNER_PUBLICATION, publication, &item,
                         DHT_SEQ_NONE))
        fail(node, publication, CONTROL_ERROR_FULL, "too many operations are under way");
}

// The payload's parts that are ours to store; 0 where it lies within the record or is another
// machine's.
static uint32_t parts_to_store(const struct core_publication *publication)
{
    bool apart = publication->record.payload.by_reference && publication->content.payload_len > 0;
    if (publication->withdrawn || publication->anchor || !apart)
        return 0;
    return core_record_part_count(publication->content.payload_len);
}

void core_round_written(struct node *node, struct core_publication *publication)
{
    if (publication->writes[0] != 0 || publication->writes[1] != 0)
        return;
    if (publication->write_failed) {
        fail(node, publication, CONTROL_ERROR_FAILED,
             "the state directory cannot be written, so nothing was published");
        return;
    }
    if (!publication->foreign_anchor)
        core_publication_saved(publication);
    publication->part = 0;
    if (publication->foreign_anchor || parts_to_store(publication) == 0)
        store(node, publication);
    else
        store_part(node, publication);
}

static void part_ended(struct node *node, struct core_publication *publication)
{
    if (publication->parts.tally.stored == 0) {
        fail(node, publication, CONTROL_ERROR_FAILED, "no node has stored the payload");
        return;
    }
    publication->part++;
    if (publication->part < parts_to_store(publication))
        store_part(node, publication);
    else
        store(node, publication);
}

// ---- the end ----

// On how many nodes somebody else has written the name since we read it.
static uint32_t count_spoilt(const struct core_publication *publication)
{
    uint32_t conflicts = 0;
    for (uint32_t i = 0; i < publication->refused_count; i++)
        conflicts += publication->refused[i].code == DHT_KRPC_ERROR_CAS ||
                     publication->refused[i].code == DHT_KRPC_ERROR_SEQ;
    return publication->foreign_anchor ? 0 : conflicts;
}

// Whether most nodes had nothing that a writer is held to replace (cas): then another one may have
// written at the same moment, over what we wrote or under it, and nobody has refused anything.
static bool was_unguarded(const struct core_publication *publication)
{
    const struct dht_tally *read = &publication->read_tally;
    uint32_t held = read->copies + read->others + read->own;
    return !publication->anchor && held * 2 < publication->tally.targets;
}

static void store_ended(struct node *node, struct core_publication *publication)
{
    publication->tally = publication->lookup.tally;
    uint32_t spoilt = count_spoilt(publication);
    bool mostly = spoilt * 2 > publication->tally.targets;
    if (mostly && ++publication->conflicts <= CONFLICTS_MAX) {
        core_round_cancel(node, publication);
        uint64_t pause_us = dht_random_below(&node->random, CONFLICT_PAUSE_US);
        dht_timer_set(&node->timers, &publication->timer, node->now_us + (int64_t)pause_us);
        return;
    }
    if (publication->conflicts > CONFLICTS_MAX) {
        publication->conflicts = 0;
        fail(node, publication, CONTROL_ERROR_CONFLICT,
             "others keep writing this name at the same moment");
        return;
    }
    publication->conflicts = 0;
    if (publication->tally.stored == 0) {
        fail(node, publication, CONTROL_ERROR_FAILED,
             "no node has stored it; it stands, and is tried again");
        return;
    }
    // Where it is only some nodes, it is stored; but readers may take the other record, which is
    // the newer one, so it is merged with that soon. And where nothing would have told of another
    // writer, or others go on with what was withdrawn, it is read back.
    bool shared = publication->withdrawn && publication->record.entry_count > 0;
    bool doubtful = spoilt > 0 || was_unguarded(publication) || (publication->fresh && shared);
    publication->recheck = doubtful && publication->rechecks < RECHECKS_MAX;
    publication->rechecks = publication->recheck ? publication->rechecks + 1 : 0;
    core_round_cancel(node, publication);
    core_publication_stored(node, publication);
}

static void note_refusal(struct core_publication *publication, const struct dht_out *event)
{
    if (publication->state != CORE_PUBLICATION_STORING ||
        publication->refused_count == CORE_PUBLICATION_REFUSED_MAX)
        return;
    uint32_t at = publication->refused_count++;
    publication->refused[at].addr = event->refused.addr;
    publication->refused[at].code = event->refused.code;
}

static void note_item(struct core_publication *publication, const struct dht_item *item)
{
    core_lookup_item(&publication->lookup, item);
    if (publication->state != CORE_PUBLICATION_READING)
        return;
    if (publication->standing == NULL)
        publication->standing = calloc(1, sizeof *publication->standing);
    if (publication->standing != NULL)
        core_standing_note(publication->standing, item);
}

static void done(struct node *node, struct core_publication *publication, int engine,
                 const struct dht_out *event)
{
    bool reading = publication->state == CORE_PUBLICATION_READING;
    bool in_parts = publication->state == CORE_PUBLICATION_PARTS;
    struct core_lookup *lookup = in_parts ? &publication->parts : &publication->lookup;
    if (!core_lookup_done(node, lookup, engine, &event->done.tally, reading))
        return;
    if (reading)
        read_ended(node, publication);
    else if (in_parts)
        part_ended(node, publication);
    else
        store_ended(node, publication);
}

void core_round_event(struct node *node, struct core_publication *publication, int engine,
                      const struct dht_out *event)
{
    if (event->type == DHT_OUT_ITEM)
        note_item(publication, &event->found.item);
    if (event->type == DHT_OUT_REFUSED)
        note_refusal(publication, event);
    if (event->type == DHT_OUT_DONE)
        done(node, publication, engine, event);
}
