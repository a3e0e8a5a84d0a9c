// SPDX-License-Identifier: MIT
#include "node/core/publication.h"

#include "node/core/pace.h"
#include "node/core/publication_pause.h"
#include "node/core/round.h"
#include "node/core/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ANCHOR_PAUSE_US  (5 * CORE_SECOND_US)
#define OFFLINE_PAUSE_US (1 * CORE_SECOND_US)
#define ORPHAN_PAUSE_US  (30 * CORE_SECOND_US)
#define SPREAD_US        (5 * CORE_SECOND_US) // over which many renewals at once are spread

// ---- life ----

static struct core_publication *add(struct node *node, struct core_cloud *cloud,
                                    const uint8_t key[DHT_KEY_LEN], struct dht_span classifier)
{
    struct core_publication *publication = NULL;
    if (node->publications.count < node->config.publications_max && core_brain_timer_room(node))
        publication = calloc(1, sizeof *publication);
    if (publication == NULL)
        return NULL;
    dht_timer_init(&publication->timer, CORE_TIMER_PUBLICATION);
    publication->cloud = publication->lookup.cloud = publication->parts.cloud = cloud;
    memcpy(publication->key, key, DHT_KEY_LEN);
    if (classifier.len > 0)
        memcpy(publication->classifier, classifier.data, classifier.len);
    publication->classifier_len = (uint16_t)classifier.len;
    publication->salt_len = core_name_salt(&node->crypto, classifier, publication->salt);
    struct dht_span salt = {publication->salt, publication->salt_len};
    core_name_target(&node->crypto, key, salt, &publication->target);
    publication->seq = core_seqlog_last(&node->seqlog, &publication->target);
    publication->seen_seq = DHT_SEQ_NONE;
    publication->base_seq = DHT_SEQ_NONE;
    if (core_publication_table_add(&node->publications, publication)) {
        core_cloud_hold(cloud);
        return publication;
    }
    free(publication);
    return NULL;
}

static void free_kept(struct core_publication *publication)
{
    if (publication->kept != NULL)
        free(publication->kept->content.payload);
    free(publication->kept);
    publication->kept = NULL;
}

static void free_publication(struct node *node, struct core_publication *publication)
{
    core_round_cancel(node, publication);
    if (publication->request != NULL)
        publication->request->publication = NULL;
    core_publication_table_remove(&node->publications, publication);
    core_cloud_drop(node, publication->cloud);
    free_kept(publication);
    free(publication->content.payload);
    free(publication);
}

void core_publication_free_all(struct node *node)
{
    while (node->publications.count > 0)
        free_publication(node, node->publications.slots[0]);
    core_publication_table_fini(&node->publications);
}

static struct core_publication *find(const struct node *node, const struct core_cloud *cloud,
                                     const uint8_t key[DHT_KEY_LEN], struct dht_span classifier)
{
    return core_publication_table_find(&node->publications, cloud, key, classifier);
}

// ---- anchors ----

static void due_in(struct node *node, struct core_publication *publication, int64_t pause_us)
{
    if (!publication->cloud->present)
        return; // core_publication_resume() wakes it
    dht_timer_set(&node->timers, &publication->timer, node->now_us + pause_us);
}

// The key's unsalted record has to stand for its 40-hex authority to lead anywhere.
static void keep_anchor(struct node *node, struct core_cloud *cloud, const uint8_t key[DHT_KEY_LEN])
{
    struct dht_span none = {0};
    if (find(node, cloud, key, none) != NULL)
        return;
    struct core_publication *anchor = add(node, cloud, key, none);
    if (anchor == NULL)
        return;
    anchor->anchor = true;
    anchor->fresh = true;
    due_in(node, anchor, 0);
}

// Whether names are published under the key of this one, besides the key's own, in the same cloud.
static bool needs_anchor(const struct node *node, const struct core_publication *publication)
{
    for (uint32_t i = 0; i < node->publications.count; i++) {
        const struct core_publication *other = node->publications.slots[i];
        if (other->classifier_len > 0 && other->cloud == publication->cloud &&
            memcmp(other->key, publication->key, DHT_KEY_LEN) == 0)
            return true;
    }
    return false;
}

// The publication is over. Where other names of its key need the unsalted record, it stays as
// their anchor.
static void end_publication(struct node *node, struct core_publication *publication)
{
    bool stays = publication->classifier_len == 0 && needs_anchor(node, publication);
    if (!stays) {
        core_publication_delete_row(node, publication);
        free_publication(node, publication);
        return;
    }
    core_round_cancel(node, publication);
    free_kept(publication);
    free(publication->content.payload);
    publication->content = (struct core_publication_content){.ttl_s = 0};
    publication->anchor = true;
    publication->session = NULL;
    publication->is_signed = false;
    publication->withdrawn = false;
    publication->unsaved = false;
    publication->fresh = false;
    publication->changed = false;
    publication->checks = 0;
    core_publication_write(node, publication);
    due_in(node, publication, ANCHOR_PAUSE_US);
}

// ---- changes that come to nothing ----

// What is asked for now takes the place of what stands, which is kept until the change is durable.
// False where memory is short; nothing is changed then.
static bool begin_change(struct core_publication *publication, bool is_new)
{
    if (publication->unsaved) { // of a change that is not durable itself, nothing is kept
        free(publication->content.payload);
        publication->content = (struct core_publication_content){.ttl_s = 0};
        return true;
    }
    if (!is_new) {
        publication->kept = malloc(sizeof *publication->kept);
        if (publication->kept == NULL)
            return false;
        *publication->kept = (struct core_publication_kept){
            .content = publication->content,
            .anchor = publication->anchor,
            .withdrawn = publication->withdrawn,
            .forget_wall_us = publication->forget_wall_us,
            .session = publication->session,
        };
        publication->content = (struct core_publication_content){.ttl_s = 0};
    }
    publication->unsaved = true;
    return true;
}

void core_publication_saved(struct core_publication *publication)
{
    free_kept(publication);
    publication->unsaved = false;
}

// Goes back to what was before a change that is not durable; a name that was not there before is
// gone. pause_us: until the next round.
static void go_back(struct node *node, struct core_publication *publication, int64_t pause_us)
{
    struct core_publication_kept *kept = publication->kept;
    bool storing = publication->state == CORE_PUBLICATION_STORING; // of what was before
    if (kept == NULL) {
        end_publication(node, publication);
        return;
    }
    free(publication->content.payload);
    publication->content = kept->content;
    publication->anchor = kept->anchor;
    publication->withdrawn = kept->withdrawn;
    publication->forget_wall_us = kept->forget_wall_us;
    publication->session = kept->session;
    free(kept);
    publication->kept = NULL;
    publication->unsaved = false;
    publication->fresh = false;
    publication->changed = false;
    core_publication_write(node, publication); // the change may be on its way to the disk
    if (storing)
        return;
    core_round_cancel(node, publication);
    due_in(node, publication, pause_us);
}

// ---- answers ----

// Takes the request that waits off; NULL where none does.
static struct core_request *take_request(struct core_publication *publication)
{
    struct core_request *request = publication->request;
    if (request != NULL)
        request->publication = NULL;
    publication->request = NULL;
    return request;
}

static void answer_done(struct node *node, struct core_publication *publication)
{
    struct core_request *request = take_request(publication);
    if (request != NULL)
        core_publication_answer(node, publication, request);
}

static void answer_failed(struct node *node, struct core_publication *publication,
                          enum control_error code, const char *text)
{
    struct core_request *request = take_request(publication);
    if (request != NULL)
        core_request_fail(node, request, code, text);
}

// ---- what rounds come to ----

static void set_error(struct core_publication *publication, const char *text)
{
    size_t len = strlen(text);
    if (len >= sizeof publication->last_error)
        len = sizeof publication->last_error - 1;
    memcpy(publication->last_error, text, len);
    publication->last_error[len] = '\0';
}

// A tombstone has to outlive the old record; and where others go on with the name, those of them
// who did not know may put our entry back for as long.
static void end_withdrawn(struct node *node, struct core_publication *publication)
{
    if (publication->withdrawn && core_brain_wall_us(node) >= publication->forget_wall_us)
        end_publication(node, publication);
}

void core_publication_stored(struct node *node, struct core_publication *publication)
{
    publication->failures = 0;
    publication->fresh = publication->changed; // what came meanwhile is still to be brought
    publication->stored_us = node->now_us;
    if (publication->copies == 0 && !publication->known)
        publication->copies = publication->tally.stored; // who said so holds it
    publication->known = true;
    set_error(publication, "");
    core_cache_forget(&node->cache, publication->cloud->number, &publication->target);
    core_watch_published(node, publication);
    int64_t pause_us = core_publication_pause_next(node, publication);
    bool again =
        publication->changed || publication->renew || core_round_is_overdue(node, publication);
    due_in(node, publication, again ? 0 : pause_us);
    if (publication->changed)
        return;
    answer_done(node, publication);
    if (publication->classifier_len > 0)
        keep_anchor(node, publication->cloud, publication->key);
    end_withdrawn(node, publication);
}

void core_publication_skipped(struct node *node, struct core_publication *publication)
{
    // A check is counted from now, a renewal from when it was last stored.
    int64_t age_us = publication->checks > 0 ? 0 : node->now_us - publication->stored_us;
    publication->recheck = false;
    publication->rechecks = 0;
    publication->failures = 0;
    set_error(publication, "");
    int64_t pause_us = core_publication_pause_next(node, publication);
    pause_us -= age_us < pause_us ? age_us : 0;
    due_in(node, publication, publication->renew ? 0 : pause_us);
    end_withdrawn(node, publication);
}

void core_publication_failed(struct node *node, struct core_publication *publication,
                             enum control_error code, const char *text)
{
    bool again = publication->changed || publication->renew;
    int64_t pause_us = again ? 0 : core_publication_pause_retry(publication);
    set_error(publication, text);
    due_in(node, publication, pause_us);
    publication->failures++;
    if (publication->changed)
        return;
    answer_failed(node, publication, code, text);
    // What cannot be published at all, and never was, is not kept either: the user is told.
    if (publication->unsaved)
        go_back(node, publication, pause_us);
    else if (code == CONTROL_ERROR_REFUSED && !publication->known && !publication->anchor)
        end_publication(node, publication);
}

void core_publication_offline(struct node *node, struct core_publication *publication)
{
    core_publication_write(node, publication);
    core_publication_saved(publication);
    publication->known = true;
    char why[CORE_CLOUD_TEXT_MAX];
    core_cloud_why_nobody(node, publication->cloud, "", why);
    set_error(publication, why);
    due_in(node, publication, OFFLINE_PAUSE_US);
    core_cloud_why_nobody(node, publication->cloud, CORE_CLOUD_LATER, why);
    answer_failed(node, publication, CONTROL_ERROR_TIMED_OUT, why);
}

void core_publication_leave(struct node *node, struct core_publication *publication)
{
    take_request(publication);
    if (publication->unsaved)
        go_back(node, publication, 0);
}

// Nothing of it is left here, nor of its anchor where that was for this name alone.
void core_publication_forgotten(struct node *node, struct core_publication *publication)
{
    struct core_cloud *cloud = publication->cloud;
    uint8_t key[DHT_KEY_LEN];
    memcpy(key, publication->key, sizeof key);
    core_cloud_hold(cloud); // or it might be gone before the anchor is looked for
    publication->tally = publication->read_tally = (struct dht_tally){0};
    publication->refused_count = 0;
    answer_done(node, publication);
    end_publication(node, publication);
    struct core_publication *anchor = find(node, cloud, key, (struct dht_span){0});
    if (anchor != NULL && anchor->anchor && !needs_anchor(node, anchor))
        end_publication(node, anchor);
    core_cloud_drop(node, cloud);
}

// ---- what users ask for ----

static void wait_for(struct node *node, struct core_publication *publication,
                     struct core_request *request)
{
    answer_failed(node, publication, CONTROL_ERROR_CANCELLED, "replaced by a later request");
    publication->request = request;
    request->publication = publication;
}

static void wait_for_round(struct node *node, struct core_publication *publication,
                           struct core_request *request)
{
    wait_for(node, publication, request);
    publication->orphaned = false;
    if (!publication->withdrawn && !core_cloud_has_contacts(publication->cloud))
        core_publication_progress(node, publication, CONTROL_STEP_READING); // taken on all the same
    core_publication_begin(node, publication);
}

void core_publication_begin(struct node *node, struct core_publication *publication)
{
    publication->fresh = true;
    publication->failures = 0;
    publication->conflicts = 0;
    switch (publication->state) {
    case CORE_PUBLICATION_STORING:
        publication->changed = true;
        break;
    case CORE_PUBLICATION_READING: // what is merged is what stands here when it was read
        if (publication->quick == CORE_PUBLICATION_QUICK_NONE)
            break;
        core_round_cancel(node, publication);
        core_round_begin(node, publication);
        break;
    case CORE_PUBLICATION_SAVING:
    case CORE_PUBLICATION_PARTS:
        core_round_cancel(node, publication);
        core_round_begin(node, publication);
        break;
    case CORE_PUBLICATION_IDLE:
        core_round_begin(node, publication);
        break;
    }
}

void core_publication_publish(struct node *node, struct core_request *request,
                              const struct core_key *key, const struct core_name *name,
                              struct core_publication_content *content)
{
    struct dht_span classifier = {name->classifier, name->classifier_len};
    uint8_t public_key[DHT_KEY_LEN];
    memcpy(public_key, key->key, sizeof public_key);
    struct core_publication *publication = find(node, request->cloud, public_key, classifier);
    struct core_session *session =
        request->kind == CONTROL_REQUEST_REGISTER ? request->session : NULL;
    const char *taken = core_publication_is_taken(publication, session);
    if (taken != NULL) {
        free(content->payload);
        core_request_fail(node, request, CONTROL_ERROR_CONFLICT, taken);
        return;
    }
    bool is_new = publication == NULL;
    if (is_new)
        publication = add(node, request->cloud, public_key, classifier);
    if (publication == NULL || !begin_change(publication, is_new)) {
        free(content->payload);
        core_request_fail(node, request, CONTROL_ERROR_FULL, "too many names are published");
        return;
    }
    publication->content = *content;
    publication->session = session;
    publication->anchor = false;
    publication->withdrawn = false;
    if (classifier.len > 0)
        keep_anchor(node, request->cloud, public_key);
    wait_for_round(node, publication, request);
}

// What of it stands in the record: the last that became durable. False where memory is short.
static bool copy_standing(const struct core_publication *publication,
                          struct core_publication_content *ret_content)
{
    struct core_publication_content content = publication->content;
    if (publication->unsaved && publication->kept == NULL)
        content = (struct core_publication_content){.ttl_s = 0};
    else if (publication->unsaved)
        content = publication->kept->content;
    if (content.payload_len > 0) {
        const uint8_t *payload = content.payload;
        content.payload = malloc(content.payload_len);
        if (content.payload == NULL)
            return false;
        memcpy(content.payload, payload, content.payload_len);
    }
    *ret_content = content;
    return true;
}

void core_publication_withdraw(struct node *node, struct core_request *request,
                               const struct core_key *key, const struct core_name *name)
{
    struct dht_span classifier = {name->classifier, name->classifier_len};
    struct core_publication *publication = find(node, request->cloud, key->key, classifier);
    bool is_session = request->kind == CONTROL_REQUEST_UNREGISTER;
    bool is_gone = !request->cloud->present || request->cloud->config.disabled;
    if (publication == NULL || publication->anchor || (publication->withdrawn && !is_gone) ||
        (is_session && publication->session != request->session)) {
        core_request_fail(node, request, CONTROL_ERROR_NOT_FOUND,
                          "the name is not published from here");
        return;
    }
    if (is_gone) {
        wait_for(node, publication, request);
        core_round_forget(node, publication);
        return;
    }
    struct core_publication_content content = {.payload = NULL};
    if (!copy_standing(publication, &content) || !begin_change(publication, false)) {
        free(content.payload);
        core_request_fail(node, request, CONTROL_ERROR_FULL, "out of memory");
        return;
    }
    publication->content = content;
    core_publication_take_back(node, publication);
    wait_for_round(node, publication, request);
}

bool core_publication_result(struct node *node, const struct core_cloud *cloud,
                             struct core_record *ret_record, struct core_result *result)
{
    struct dht_span classifier = {result->name->classifier, result->name->classifier_len};
    const struct core_publication *publication = find(node, cloud, result->key, classifier);
    if (publication == NULL || publication->anchor || publication->withdrawn ||
        publication->stored_us == 0)
        return false;
    *ret_record = publication->record;
    core_record_prune(ret_record, core_brain_wall_us(node) / CORE_SECOND_US);
    if (!core_result_is_found(ret_record)) // not renewed for long, or about to be changed
        return false;
    result->payload =
        (struct dht_span){publication->content.payload, publication->content.payload_len};
    result->seq = publication->seq;
    result->age_s = (node->now_us - publication->stored_us) / CORE_SECOND_US;
    result->source = CONTROL_SOURCE_LOCAL;
    return true;
}

// ---- events ----

void core_publication_timer(struct node *node, struct core_publication *publication)
{
    if (publication->state != CORE_PUBLICATION_IDLE)
        return;
    publication->orphaned = false;
    if (publication->anchor && !needs_anchor(node, publication)) {
        core_publication_delete_row(node, publication);
        free_publication(node, publication);
        return;
    }
    core_round_begin(node, publication);
}

void core_publication_event(struct node *node, struct core_publication *publication, int engine,
                            const struct dht_out *event)
{
    core_round_event(node, publication, engine, event);
}

bool core_publication_written(struct node *node, uint64_t write_id, bool ok)
{
    for (struct core_publication *publication = node->rounds; publication != NULL;
         publication = publication->next_round) {
        for (int i = 0; i < 2; i++) {
            if (publication->writes[i] != write_id)
                continue;
            publication->writes[i] = 0;
            publication->write_failed = publication->write_failed || !ok;
            core_round_written(node, publication);
            return true;
        }
    }
    return false;
}

void core_publication_renew_all(struct node *node, const struct core_cloud *cloud)
{
    for (uint32_t i = 0; i < node->publications.count; i++) {
        struct core_publication *publication = node->publications.slots[i];
        if (cloud != NULL && publication->cloud != cloud)
            continue;
        publication->failures = publication->failures > 0; // they may have had the same cause
        if (publication->state == CORE_PUBLICATION_IDLE)
            due_in(node, publication,
                   publication->orphaned ? ORPHAN_PAUSE_US
                                         : (int64_t)dht_random_below(&node->random, SPREAD_US));
        else
            publication->renew = true;
    }
}

void core_publication_suspend(struct node *node, const struct core_cloud *cloud)
{
    char text[CORE_CLOUD_TEXT_MAX];
    core_cloud_text(cloud, " is gone", text);
    for (uint32_t i = 0; i < node->publications.count; i++) {
        struct core_publication *publication = node->publications.slots[i];
        if (publication->cloud != cloud || publication->forgotten)
            continue;
        core_round_cancel(node, publication);
        publication->failures++;
        set_error(publication, text);
    }
}

void core_publication_resume(struct node *node, struct core_cloud *cloud)
{
    uint32_t count = node->publications.count; // anchors are added behind them
    for (uint32_t i = 0; i < count; i++) {
        const struct core_publication *publication = node->publications.slots[i];
        if (publication->cloud == cloud && publication->classifier_len > 0)
            keep_anchor(node, cloud, publication->key);
    }
    core_publication_renew_all(node, cloud);
}

void core_publication_start(struct node *node)
{
    for (uint32_t i = 0; i < node->cloud_count; i++)
        if (node->clouds[i]->present)
            core_publication_resume(node, node->clouds[i]);
}

bool core_publication_restore(struct node *node, struct dht_span key, struct dht_span value)
{
    struct dht_span classifier;
    struct dht_span name;
    if (!core_publication_open_row_key(key, &classifier, &name) ||
        core_name_check_classifier(classifier, NULL) != CORE_NAME_OK)
        return false;
    struct core_cloud *cloud = core_cloud_keep(node, name);
    if (cloud == NULL || find(node, cloud, key.data, classifier) != NULL)
        return false;
    core_cloud_hold(cloud); // or it might be gone again before it is used
    struct core_publication *publication = add(node, cloud, key.data, classifier);
    core_cloud_drop(node, cloud);
    if (publication == NULL)
        return false;
    if (!core_publication_read_row(value, publication)) {
        free_publication(node, publication);
        return false;
    }
    publication->known = true;
    core_publication_adopt(node, publication);
    due_in(node, publication, publication->orphaned ? ORPHAN_PAUSE_US : 0);
    return true;
}
