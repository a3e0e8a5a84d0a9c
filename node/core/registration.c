// SPDX-License-Identifier: MIT
#include "node/core/registration.h"
#include "node/core/swarm.h"

#include "dht/id.h"
#include "node/core/round.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RENEW_US         (20 * CORE_MINUTE_US) // some nodes forget a peer after 30 minutes
#define RETRY_FIRST_US   (5 * CORE_SECOND_US)
#define RETRY_MOST_US    (10 * CORE_MINUTE_US)
#define JOINING_PAUSE_US (1 * CORE_SECOND_US)
#define JOINING_MOST_US  (30 * CORE_SECOND_US) // that a request waits for contact with the network
#define SPREAD_US        (5 * CORE_SECOND_US)

static const char not_reached[] =
    "this node cannot be reached from outside, so nobody could ask it for an unsecured name";

// ---- what the node tells ----

const struct core_registration *core_registration_next(const struct node *node,
                                                       const struct core_cloud *cloud,
                                                       const struct dht_id *info_hash,
                                                       const struct core_registration *after)
{
    const struct core_registration *next = after == NULL ? node->registrations : after->next;
    while (next != NULL && (next->cloud != cloud || !dht_id_equal(&next->info_hash, info_hash)))
        next = next->next;
    return next;
}

void core_registration_describe(const struct core_registration *registration,
                                struct core_description *ret_description)
{
    const struct core_publication_content *content = &registration->content;
    *ret_description = (struct core_description){
        .endpoint_count = content->endpoint_count,
        .comment_len = content->comment_len,
        .payload_type = content->payload_type,
        .payload_len = content->payload_len,
        .ttl_s = content->ttl_s,
    };
    memcpy(ret_description->endpoints, content->endpoints, sizeof content->endpoints);
    memcpy(ret_description->comment, content->comment, sizeof content->comment);
    memcpy(ret_description->publisher, registration->publisher, sizeof registration->publisher);
    memcpy(ret_description->digest, registration->digest, sizeof registration->digest);
}

// Lays all that is registered under the infohash together. False where it does not fit.
static bool compose(const struct node *node, const struct core_registration *any,
                    struct dht_bencode_writer *description, struct dht_bencode_writer *payload)
{
    struct core_description publishers[CORE_DESCRIPTION_PUBLISHERS_MAX];
    size_t count = 0;
    const struct core_registration *one = NULL;
    while ((one = core_registration_next(node, any->cloud, &any->info_hash, one)) != NULL) {
        if (count == CORE_DESCRIPTION_PUBLISHERS_MAX)
            return false;
        core_registration_describe(one, &publishers[count++]);
        dht_bencode_put_raw(payload, one->content.payload, one->content.payload_len);
    }
    core_description_write(description, publishers, count);
    return !description->full && !payload->full;
}

// Tells the cloud's engines what is registered under the infohash now. False where that is more
// than they take; they go on with what they had.
static bool tell_engines(struct node *node, struct core_cloud *cloud,
                         const struct dht_id *info_hash)
{
    uint8_t description[DHT_DESCRIPTION_LEN_MAX];
    uint8_t payload[DHT_PAYLOAD_LEN_MAX];
    struct dht_bencode_writer head = dht_bencode_writer(description, sizeof description);
    struct dht_bencode_writer body = dht_bencode_writer(payload, sizeof payload);
    const struct core_registration *any = core_registration_next(node, cloud, info_hash, NULL);
    if (any != NULL && !compose(node, any, &head, &body))
        return false;
    struct dht_registration registration = {
        .info_hash = *info_hash,
        .description = {description, dht_bencode_written(&head)},
        .payload = {payload, dht_bencode_written(&body)},
    };
    bool taken = true;
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht *dht = cloud->engines[i].dht;
        if (dht != NULL && any != NULL)
            taken = dht_register(dht, &registration) && taken;
        else if (dht != NULL)
            dht_unregister(dht, info_hash);
    }
    core_swarm_changed(node, cloud, info_hash);
    return taken;
}

// ---- life ----

static void due_in(struct node *node, struct core_registration *registration, int64_t pause_us)
{
    dht_timer_set(&node->timers, &registration->timer, node->now_us + pause_us);
}

static struct core_registration *find(const struct node *node, const struct core_cloud *cloud,
                                      const struct core_name *name,
                                      const struct core_session *session)
{
    struct core_registration *one = node->registrations;
    while (one != NULL &&
           (one->cloud != cloud || one->session != session || !core_name_equal(&one->name, name)))
        one = one->next;
    return one;
}

// The same for every run of this machine where it is published, for it is the same publisher then.
static void make_publisher(struct node *node, struct core_registration *registration)
{
    uint8_t digest[32];
    const struct dht_span parts[] = {{node->machine, sizeof node->machine},
                                     {registration->info_hash.bytes, DHT_ID_LEN}};
    if (registration->session != NULL) {
        dht_random_bytes(&node->random, registration->publisher, sizeof registration->publisher);
        return;
    }
    node->crypto.sha256(node->crypto.ctx, parts, 2, digest);
    memcpy(registration->publisher, digest, sizeof registration->publisher);
}

static struct core_registration *add(struct node *node, struct core_cloud *cloud,
                                     const struct core_name *name, struct core_session *session)
{
    struct core_registration *registration = NULL;
    if (core_brain_timer_room(node))
        registration = calloc(1, sizeof *registration);
    if (registration == NULL)
        return NULL;
    dht_timer_init(&registration->timer, CORE_TIMER_REGISTRATION);
    registration->cloud = registration->lookup.cloud = cloud;
    core_cloud_hold(cloud);
    registration->name = *name;
    registration->session = session;
    registration->last_error = "";
    core_name_infohash(&node->crypto, name, &registration->info_hash);
    make_publisher(node, registration);
    registration->next = node->registrations;
    if (registration->next != NULL)
        registration->next->prev = registration;
    node->registrations = registration;
    node->registration_count++;
    return registration;
}

static void unlink_registration(struct node *node, struct core_registration *registration)
{
    if (registration->next != NULL)
        registration->next->prev = registration->prev;
    if (registration->prev != NULL)
        registration->prev->next = registration->next;
    else
        node->registrations = registration->next;
    node->registration_count--;
}

static void free_registration(struct node *node, struct core_registration *registration)
{
    struct core_cloud *cloud = registration->cloud;
    core_lookup_cancel(node, &registration->lookup);
    dht_timer_clear(&node->timers, &registration->timer);
    if (registration->request != NULL)
        registration->request->registration = NULL;
    unlink_registration(node, registration);
    free(registration->content.payload);
    free(registration);
    core_cloud_drop(node, cloud);
}

// It is over: the engines tell it no more, and those who watch are told to ask again.
static void end_registration(struct node *node, struct core_registration *registration)
{
    struct core_cloud *cloud = registration->cloud;
    struct dht_id info_hash = registration->info_hash;
    bool was_announced = registration->stored_us != 0;
    core_cloud_hold(cloud); // or it might be gone with this
    free_registration(node, registration);
    tell_engines(node, cloud, &info_hash); // less than before
    if (was_announced)
        core_lookup_announce_changed(node, cloud, &info_hash);
    core_cloud_drop(node, cloud);
}

void core_registration_free_all(struct node *node)
{
    while (node->registrations != NULL)
        free_registration(node, node->registrations);
}

// Takes over content. False where the engines do not take it; nothing is changed then.
static bool set_content(struct node *node, struct core_registration *registration,
                        const struct core_publication_content *content)
{
    struct core_publication_content before = registration->content;
    uint8_t digest[CORE_DESCRIPTION_DIGEST_LEN];
    struct dht_span payload = {content->payload, content->payload_len};
    memcpy(digest, registration->digest, sizeof digest);
    registration->content = *content;
    node->crypto.sha256(node->crypto.ctx, &payload, 1, registration->digest);
    if (tell_engines(node, registration->cloud, &registration->info_hash)) {
        free(before.payload);
        return true;
    }
    registration->content = before;
    memcpy(registration->digest, digest, sizeof digest);
    return false;
}

static bool restore(struct node *node, struct core_cloud *cloud, struct dht_span classifier,
                    struct dht_span value)
{
    struct core_name name = {.kind = CORE_NAME_UNSECURED};
    struct core_publication_content content;
    memcpy(name.classifier, classifier.data, classifier.len);
    name.classifier_len = (uint16_t)classifier.len;
    if (find(node, cloud, &name, NULL) != NULL || !core_registration_read(value, &content))
        return false;
    struct core_registration *registration = add(node, cloud, &name, NULL);
    if (registration == NULL || !set_content(node, registration, &content)) {
        free(content.payload);
        if (registration != NULL)
            free_registration(node, registration);
        return false;
    }
    registration->saved = true;
    due_in(node, registration, 0);
    return true;
}

bool core_registration_restore(struct node *node, struct dht_span key, struct dht_span value)
{
    struct dht_span classifier;
    struct dht_span cloud_name;
    if (!core_publication_open_row_key(key, &classifier, &cloud_name) || classifier.len == 0 ||
        core_name_check_classifier(classifier, NULL) != CORE_NAME_OK)
        return false;
    struct core_cloud *cloud = core_cloud_keep(node, cloud_name);
    if (cloud == NULL)
        return false;
    core_cloud_hold(cloud); // or it might be gone again before it is used
    bool restored = restore(node, cloud, classifier, value);
    core_cloud_drop(node, cloud);
    return restored;
}

// Takes the request that waits off; NULL where none does.
static struct core_request *take_request(struct core_registration *registration)
{
    struct core_request *request = registration->request;
    if (request != NULL)
        request->registration = NULL;
    registration->request = NULL;
    return request;
}

static void answer_failed(struct node *node, struct core_registration *registration,
                          enum control_error code, const char *text)
{
    struct core_request *request = take_request(registration);
    if (request != NULL)
        core_request_fail(node, request, code, text);
}

static void tell_step(struct node *node, struct core_registration *registration,
                      enum control_step step)
{
    struct core_answer answer;
    if (registration->request == NULL)
        return;
    core_answer_begin(&answer, registration->request, CONTROL_ANSWER_PROGRESS);
    dht_bencode_pair_text(&answer.writer, CONTROL_KEY_STEP,
                          control_protocol_word(CONTROL_VOCABULARY_STEP, (int)step));
    core_answer_end(node, &answer);
}

// ---- rounds ----

static bool is_reached(const struct core_cloud *cloud)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (core_cloud_is_reached(&cloud->engines[i]))
            return true;
    return false;
}

static void failed(struct node *node, struct core_registration *registration, const char *text)
{
    uint32_t doublings = registration->failures < 8 ? registration->failures : 8;
    int64_t pause_us = RETRY_FIRST_US << doublings;
    registration->state = CORE_REGISTRATION_IDLE;
    registration->failures++;
    registration->last_error = text;
    CORE_COUNT(node, announce_failed);
    pause_us = pause_us < RETRY_MOST_US ? pause_us : RETRY_MOST_US;
    due_in(node, registration, registration->renew ? 0 : pause_us);
    answer_failed(node, registration, CONTROL_ERROR_FAILED, text);
}

// There is nobody to announce it to yet.
static void wait_for_contact(struct node *node, struct core_registration *registration)
{
    char why[CORE_CLOUD_TEXT_MAX];
    registration->last_error = "no contact with the network";
    due_in(node, registration, JOINING_PAUSE_US);
    if (node->now_us - registration->asked_us < JOINING_MOST_US &&
        !core_cloud_is_hopeless(node, registration->cloud))
        return;
    core_cloud_why_nobody(node, registration->cloud, CORE_CLOUD_LATER, why);
    answer_failed(node, registration, CONTROL_ERROR_TIMED_OUT, why);
}

static void announce(struct node *node, struct core_registration *registration)
{
    registration->renew = false;
    registration->state = CORE_REGISTRATION_IDLE;
    if (!registration->cloud->present)
        return; // goes on when it is there again
    if (!core_cloud_has_contacts(registration->cloud)) {
        wait_for_contact(node, registration);
        return;
    }
    CORE_COUNT(node, announce_rounds);
    if (!is_reached(registration->cloud)) {
        failed(node, registration, not_reached);
        return;
    }
    registration->state = CORE_REGISTRATION_ANNOUNCING;
    tell_step(node, registration, CONTROL_STEP_STORING);
    if (!core_lookup_announce(node, &registration->lookup, CORE_OWNER_REGISTRATION, registration,
                              &registration->info_hash))
        failed(node, registration, "too many operations are under way");
}

static void announced(struct node *node, struct core_registration *registration)
{
    int64_t tenth_us = (int64_t)dht_random_below(&node->random, RENEW_US / 10);
    registration->tally = registration->lookup.tally;
    if (registration->tally.stored == 0) {
        failed(node, registration, "no node stored it; it is tried again");
        return;
    }
    registration->state = CORE_REGISTRATION_IDLE;
    registration->lookup.has_changed = false;
    registration->failures = 0;
    registration->last_error = "";
    registration->stored_us = node->now_us;
    due_in(node, registration, registration->renew ? 0 : RENEW_US - tenth_us);
    struct core_request *request = take_request(registration);
    if (request != NULL)
        core_registration_answer(node, registration, request);
}

void core_registration_timer(struct node *node, struct core_registration *registration)
{
    if (registration->state == CORE_REGISTRATION_IDLE)
        announce(node, registration);
}

void core_registration_event(struct node *node, struct core_registration *registration, int engine,
                             const struct dht_out *event)
{
    if (event->type == DHT_OUT_DONE &&
        core_lookup_done(node, &registration->lookup, engine, &event->done.tally, false))
        announced(node, registration);
}

void core_registration_renew_all(struct node *node, const struct core_cloud *cloud)
{
    for (struct core_registration *one = node->registrations; one != NULL; one = one->next) {
        if (cloud != NULL && one->cloud != cloud)
            continue;
        one->failures = one->failures > 0; // they may have had the same cause
        if (one->state == CORE_REGISTRATION_IDLE)
            due_in(node, one, (int64_t)dht_random_below(&node->random, SPREAD_US));
        else
            one->renew = true;
    }
}

void core_registration_suspend(struct node *node, const struct core_cloud *cloud)
{
    for (struct core_registration *one = node->registrations; one != NULL; one = one->next) {
        if (one->cloud != cloud)
            continue;
        core_lookup_cancel(node, &one->lookup);
        dht_timer_clear(&node->timers, &one->timer);
        if (one->state == CORE_REGISTRATION_ANNOUNCING)
            one->state = CORE_REGISTRATION_IDLE;
        one->failures++;
        one->last_error = "the cloud is gone";
    }
}

void core_registration_resume(struct node *node, struct core_cloud *cloud)
{
    for (struct core_registration *one = node->registrations; one != NULL; one = one->next)
        if (one->cloud == cloud)
            tell_engines(node, cloud, &one->info_hash);
    core_registration_renew_all(node, cloud);
}

bool core_registration_written(struct node *node, uint64_t write_id, bool ok)
{
    struct core_registration *one = node->registrations;
    while (one != NULL && (one->state != CORE_REGISTRATION_SAVING || one->write != write_id))
        one = one->next;
    if (one == NULL)
        return false;
    one->write = 0;
    if (one->ending && ok) {
        struct core_request *request = take_request(one);
        one->tally = (struct dht_tally){0};
        if (request != NULL)
            core_registration_answer(node, one, request);
        end_registration(node, one);
        return true;
    }
    one->ending = false;
    if (ok) {
        one->saved = true;
        announce(node, one);
        return true;
    }
    one->state = CORE_REGISTRATION_IDLE;
    answer_failed(node, one, CONTROL_ERROR_FAILED, "it could not be written to the disk");
    if (one->saved)
        due_in(node, one, RETRY_FIRST_US);
    else
        end_registration(node, one);
    return true;
}

// ---- what users ask for ----

// Whether the node has announced the name before, be it for another registration.
static bool is_announced(const struct node *node, const struct core_registration *registration)
{
    const struct core_registration *one = NULL;
    while ((one = core_registration_next(node, registration->cloud, &registration->info_hash,
                                         one)) != NULL)
        if (one->stored_us != 0)
            return true;
    return false;
}

static void begin(struct node *node, struct core_registration *registration,
                  struct core_request *request)
{
    answer_failed(node, registration, CONTROL_ERROR_CANCELLED, "replaced by a later request");
    core_lookup_cancel(node, &registration->lookup);
    dht_timer_clear(&node->timers, &registration->timer);
    registration->request = request;
    request->registration = registration;
    registration->asked_us = node->now_us;
    registration->failures = 0;
    registration->ending = false;
    registration->lookup.has_changed = is_announced(node, registration);
    tell_step(node, registration, CONTROL_STEP_SAVING); // taken on, before there is a contact
    if (registration->session != NULL) {
        announce(node, registration);
        return;
    }
    registration->state = CORE_REGISTRATION_SAVING;
    registration->write = core_registration_write(node, registration, false);
    if (registration->write == 0)
        core_registration_written(node, 0, false);
}

void core_registration_publish(struct node *node, struct core_request *request,
                               const struct core_name *name,
                               struct core_publication_content *content, bool is_session)
{
    struct core_session *session = is_session ? request->session : NULL;
    struct core_registration *registration = find(node, request->cloud, name, session);
    bool is_new = registration == NULL;
    bool may_be = core_cloud_state(node, request->cloud) == NODE_CLOUD_NO_NET;
    const char *wrong = may_be || is_reached(request->cloud) ? NULL : not_reached;
    if (wrong == NULL && is_new)
        registration = add(node, request->cloud, name, session);
    if (wrong == NULL && registration != NULL && set_content(node, registration, content)) {
        begin(node, registration, request);
        return;
    }
    free(content->payload);
    if (is_new && registration != NULL)
        end_registration(node, registration);
    else if (registration != NULL) // one engine of two may have taken it
        tell_engines(node, registration->cloud, &registration->info_hash);
    CORE_COUNT(node, registrations_refused);
    core_request_fail(node, request, wrong != NULL ? CONTROL_ERROR_REFUSED : CONTROL_ERROR_FULL,
                      wrong != NULL ? wrong
                                    : "this node publishes too many unsecured names, or too much "
                                      "under this one");
}

void core_registration_withdraw(struct node *node, struct core_request *request,
                                const struct core_name *name, bool is_session)
{
    struct core_registration *registration =
        find(node, request->cloud, name, is_session ? request->session : NULL);
    if (registration == NULL) {
        core_request_fail(node, request, CONTROL_ERROR_NOT_FOUND,
                          is_session ? "the name is not registered by this connection"
                                     : "the name is not published from here");
        return;
    }
    answer_failed(node, registration, CONTROL_ERROR_CANCELLED, "replaced by a later request");
    core_lookup_cancel(node, &registration->lookup);
    dht_timer_clear(&node->timers, &registration->timer);
    registration->request = request;
    request->registration = registration;
    registration->ending = true;
    registration->state = CORE_REGISTRATION_SAVING;
    registration->write = is_session ? 0 : core_registration_write(node, registration, true);
    if (registration->write == 0)
        core_registration_written(node, 0, is_session);
}

void core_registration_leave(struct node *node, struct core_registration *registration)
{
    take_request(registration);
    bool unsaved = registration->state == CORE_REGISTRATION_SAVING && !registration->saved;
    if (!unsaved || registration->ending)
        return;
    core_registration_write(node, registration, true); // the change may be on its way to the disk
    end_registration(node, registration);
}

void core_registration_hang_up(struct node *node, const struct core_session *session)
{
    struct core_registration *one = node->registrations;
    while (one != NULL) {
        struct core_registration *next = one->next;
        if (one->session == session)
            end_registration(node, one);
        one = next;
    }
}

bool core_registration_part(struct node *node)
{
    bool is_told = false;
    while (node->registrations != NULL) {
        const struct core_registration *one = node->registrations;
        is_told = is_told || (one->stored_us != 0 && core_cloud_has_contacts(one->cloud));
        end_registration(node, node->registrations);
    }
    return is_told;
}
