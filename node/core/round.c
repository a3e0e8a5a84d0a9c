// SPDX-License-Identifier: MIT
#include "node/core/round.h"

#include "dht/bencode.h"
#include "dht/krpc.h"
#include "node/core/pace.h"
#include "node/core/publication_item.h"
#include "node/core/publication_pause.h"
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
        publication->quick = CORE_PUBLICATION_QUICK_NONE;
        free(publication->standing);
        publication->standing = NULL;
    }
}

void core_round_cancel(struct node *node, struct core_publication *publication)
{
    core_lookup_cancel(node, &publication->lookup);
    core_lookup_cancel(node, &publication->parts);
    publication->writes[0] = publication->writes[1] = 0;
    publication->forgotten = false;
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

// ---- reading ----

// How many rounds there may be for this one to begin too: a quarter of the places is kept for what
// clients wait for, or a great many renewals would keep them waiting.
static uint32_t places_for(const struct node *node, const struct core_publication *publication)
{
    uint32_t places = node->config.publishing_max;
    return publication->request != NULL ? places : places - places / 4;
}

// How many engines have enough of the last storers for a quick change. 0: the round brings none.
static uint32_t count_near(const struct core_publication *publication)
{
    uint32_t engines = 0;
    bool may = publication->fresh && publication->is_signed && !publication->anchor &&
               !publication->record.payload.by_reference;
    for (int i = 0; may && i < NODE_ENGINES_MAX; i++) {
        const struct core_engine *engine = &publication->cloud->engines[i];
        uint8_t ip_len = engine->family == DHT_IPV4 ? 4 : 16;
        uint32_t count = 0;
        for (uint32_t j = 0; j < publication->storer_count; j++)
            count += publication->storers[j].addr.ip_len == ip_len;
        engines += engine->dht != NULL && count >= DHT_NEAR_ENOUGH;
    }
    return engines;
}

void core_round_begin(struct node *node, struct core_publication *publication)
{
    assert(publication->state == CORE_PUBLICATION_IDLE && publication->cloud->present);
    bool busy = node->publishing_count >= places_for(node, publication);
    bool offline = !core_cloud_has_contacts(publication->cloud);
    const struct core_request *request = publication->request;
    bool waited = request != NULL && (node->now_us - request->started_us > OFFLINE_MOST_US ||
                                      core_cloud_is_hopeless(node, publication->cloud));
    if (offline && waited) {
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
        own = core_publication_item_own(publication, value);
        get.own = &own;
    }
    publication->is_read = false;
    publication->near_awaited = count_near(publication);
    if (publication->near_awaited > 0) {
        get.storers = publication->storers;
        get.storer_count = publication->storer_count;
    }
    enter(node, publication, CORE_PUBLICATION_READING);
    core_publication_progress(node, publication, CONTROL_STEP_READING);
    if (!core_lookup_get(node, &publication->lookup, CORE_OWNER_PUBLICATION, publication, &get))
        fail(node, publication, CONTROL_ERROR_FULL, "too many lookups are under way");
}

// ---- saving ----

static void save(struct node *node, struct core_publication *publication)
{
    uint8_t key[NODE_ROW_KEY_MAX];
    uint8_t row[NODE_ROW_VALUE_MAX];
    uint8_t seq[8];
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

void core_round_forget(struct node *node, struct core_publication *publication)
{
    core_round_cancel(node, publication);
    enter(node, publication, CORE_PUBLICATION_SAVING);
    publication->forgotten = true;
    publication->writes[0] = core_publication_delete_row(node, publication);
    publication->write_failed = publication->writes[0] == 0;
    if (publication->write_failed)
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
           others == 0 && copies > 8 && core_pace_is_kept(publication);
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

// Merges and takes the next sequence number. False where the round is over instead.
static bool prepare(struct node *node, struct core_publication *publication)
{
    if (!core_publication_item_read_standing(node, publication)) {
        fail(node, publication, CONTROL_ERROR_REFUSED,
             "other software keeps something under this key that is no record of names");
        return false;
    }
    if (is_gone_already(node, publication)) {
        core_round_cancel(node, publication);
        core_publication_skipped(node, publication);
        return false;
    }
    publication->is_signed = false; // until it is signed again
    enum core_record_error error = core_publication_item_merge(node, publication);
    if (error != CORE_RECORD_OK) {
        fail(node, publication, CONTROL_ERROR_REFUSED, core_publication_item_refusal_text(error));
        return false;
    }
    if (core_keyring_by_key(&node->keyring, publication->key) == NULL) {
        fail(node, publication, CONTROL_ERROR_REFUSED, "the key is not held any more");
        return false;
    }
    int64_t last = core_seqlog_last(&node->seqlog, &publication->target);
    // An anchor's is as low as can be: if somebody else's record was overlooked, nodes that hold
    // it refuse ours.
    int64_t wall_us = publication->anchor ? 1 : core_brain_wall_us(node);
    if (!core_seq_next(wall_us, last, publication->seen_seq, &publication->seq)) {
        CORE_COUNT(node, seq_refused);
        fail(node, publication, CONTROL_ERROR_REFUSED,
             "the name's sequence number is near its end: it would be locked for good");
        return false;
    }
    if (!core_seqlog_note(&node->seqlog, &publication->target, publication->seq)) {
        fail(node, publication, CONTROL_ERROR_FULL, "too many names were published from here");
        return false;
    }
    return true;
}

static void write_anew(struct node *node, struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    publication->seen_seq = lookup->found && lookup->is_mutable ? lookup->seq : DHT_SEQ_NONE;
    bool alone = !core_publication_item_others_stand(publication);
    int64_t last_seq = publication->seq;
    if (!prepare(node, publication))
        return;
    // All was read, and nobody has written since: what is older was left behind.
    if (alone)
        publication->base_seq = last_seq;
    enter(node, publication, CORE_PUBLICATION_SAVING);
    save(node, publication);
}

// A quick change has gone out, and all is read. Where others turn out to have written, theirs is
// merged, and written once more.
static void quick_ended(struct node *node, struct core_publication *publication)
{
    if (core_publication_item_others_stand(publication)) {
        write_anew(node, publication);
        return;
    }
    publication->base_seq = publication->seen_seq;
    core_round_written(node, publication);
}

static void read_ended(struct node *node, struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    publication->read_tally = lookup->tally;
    publication->is_read = true;
    if (publication->quick == CORE_PUBLICATION_QUICK_SAVING)
        return; // goes on once it is durable
    // What was read while a change went out is the change, or what it takes the place of.
    if (publication->quick == CORE_PUBLICATION_QUICK_NONE)
        core_pace_read(node, publication);
    if (lookup->tally.answered == 0) {
        fail(node, publication, CONTROL_ERROR_FAILED, "no node of the network has answered");
    } else if (publication->quick == CORE_PUBLICATION_QUICK_PUT) {
        quick_ended(node, publication);
    } else if (is_fresh_enough(node, publication)) {
        CORE_COUNT(node, publish_skipped);
        core_round_cancel(node, publication);
        core_publication_skipped(node, publication);
    } else if (publication->anchor && lookup->found) {
        publication->foreign_anchor = true; // renewed as it is, whoever signed it
        core_round_written(node, publication);
    } else {
        write_anew(node, publication);
    }
}

// ---- quick changes ----

// On one engine, enough of the nodes that have stored it last have answered.
static void near_answered(struct node *node, struct core_publication *publication)
{
    if (publication->state != CORE_PUBLICATION_READING || publication->near_awaited == 0 ||
        --publication->near_awaited > 0 || core_publication_item_others_stand(publication))
        return;
    if (!prepare(node, publication))
        return;
    publication->quick = CORE_PUBLICATION_QUICK_SAVING;
    save(node, publication);
}

static uint32_t parts_to_store(const struct core_publication *publication);

// It is durable: goes out to those that are near.
static void quick_saved(struct node *node, struct core_publication *publication)
{
    uint8_t value[DHT_VALUE_LEN_MAX];
    struct dht_item item = core_publication_item_own(publication, value);
    if (!core_publication_item_sign(node, publication, &item)) {
        fail(node, publication, CONTROL_ERROR_REFUSED, "the key is not held any more");
        return;
    }
    publication->quick = CORE_PUBLICATION_QUICK_PUT;
    // What has parts is of no use before these are stored.
    if (parts_to_store(publication) == 0)
        core_lookup_put_early(node, &publication->lookup, &item, publication->seen_seq);
    if (publication->is_read)
        read_ended(node, publication);
}

// ---- storing ----

static void store(struct node *node, struct core_publication *publication)
{
    uint8_t value[DHT_VALUE_LEN_MAX];
    bool foreign = publication->foreign_anchor;
    struct dht_item item = foreign ? core_publication_item_foreign(publication)
                                   : core_publication_item_own(publication, value);
    if (!foreign && !core_publication_item_sign(node, publication, &item)) {
        fail(node, publication, CONTROL_ERROR_REFUSED, "the key is not held any more");
        return;
    }
    enter(node, publication, CORE_PUBLICATION_STORING);
    publication->storer_count = 0;
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
             publication->forgotten
                 ? "the state directory cannot be written, so the name stays published"
                 : "the state directory cannot be written, so nothing was published");
        return;
    }
    if (publication->forgotten) {
        core_publication_forgotten(node, publication);
        return;
    }
    if (!publication->foreign_anchor && publication->quick != CORE_PUBLICATION_QUICK_PUT)
        core_publication_saved(publication);
    if (publication->quick == CORE_PUBLICATION_QUICK_SAVING) {
        quick_saved(node, publication);
        return;
    }
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
    // writer, it is read back.
    bool doubtful = spoilt > 0 || was_unguarded(publication);
    publication->recheck = doubtful && publication->rechecks < RECHECKS_MAX;
    publication->rechecks = publication->recheck ? publication->rechecks + 1 : 0;
    // Others go on with what was withdrawn.
    bool shared = publication->withdrawn && publication->record.entry_count > 0;
    if (publication->fresh)
        publication->checks = shared ? CORE_PUBLICATION_PAUSE_CHECKS : 0;
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
    if (event->type == DHT_OUT_NEAR)
        near_answered(node, publication);
    if (event->type == DHT_OUT_STORED && publication->state == CORE_PUBLICATION_STORING &&
        publication->storer_count < CORE_PUBLICATION_STORERS_MAX)
        publication->storers[publication->storer_count++] = event->stored;
    if (event->type == DHT_OUT_REFUSED)
        note_refusal(publication, event);
    if (event->type == DHT_OUT_DONE)
        done(node, publication, engine, event);
}
