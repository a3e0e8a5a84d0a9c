// SPDX-License-Identifier: MIT
#include "node/daemon/secrets.h"

#include "node/control/protocol.h"
#include "node/daemon/checkup.h"
#include "node/daemon/clock.h"
#include "node/daemon/file.h"
#include "node/daemon/thread.h"
#include "node/daemon/wake.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX (CONTROL_LABEL_LEN_MAX + 1)

enum job_type {
    JOB_NEW,
    JOB_IMPORT,
    JOB_EXPORT,
    JOB_RELOAD,
    JOB_CHECKUP,
};

// Belongs to the thread that has it: the loop's, the worker's, the loop's again.
struct job {
    struct job *next;
    struct daemon_secrets *secrets; // a reference; the loop's alone
    bool counted;                   // in worker->count
    enum job_type type;
    uint32_t key_request;
    char *dir;
    char *state_dir; // of CHECKUP; may be NULL
    int64_t wall_offset_us;
    size_t key_max;
    char label[LABEL_MAX];
    uint8_t *pem; // of IMPORT
    size_t pem_len;
    // What came of it.
    int code; // enum control_error
    struct daemon_error why;
    struct daemon_keys *fresh; // the directory as it is now; NULL where it could not be read
    char exported[DAEMON_KEY_PEM_MAX]; // of EXPORT
    uint8_t *findings;                 // of CHECKUP
    size_t findings_len;
};

struct job_list {
    struct job *first;
    struct job **last;
};

struct daemon_secrets_worker {
    struct event *event;
    int wake_fds[2]; // rung by the thread, polled by the loop
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex; // of what follows
    pthread_cond_t wake;
    struct job_list waiting;
    struct job_list done;
    bool stopping;
    struct daemon_secrets *all; // that are open; the loop's alone
    size_t count;               // of jobs that the thread has or will have; the loop's alone
};

struct daemon_secrets {
    struct daemon_secrets_worker *worker;
    struct daemon_secrets_calls calls;
    char *dir;
    char *state_dir; // NULL: none
    int64_t wall_offset_us;
    size_t key_max;
    struct daemon_keys *keys; // NULL: the directory was not looked at yet
    uint32_t references;      // the owner's and one of each job
    bool closed;
    struct daemon_secrets *prev, *next; // in worker->all
};

// ---- jobs ----

static void list_init(struct job_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void list_put(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->last = job;
    list->last = &job->next;
}

static struct job *list_take(struct job_list *list)
{
    struct job *job = list->first;
    if (job == NULL)
        return NULL;
    list->first = job->next;
    if (list->first == NULL)
        list->last = &list->first;
    return job;
}

static void release(struct daemon_secrets *secrets)
{
    if (--secrets->references > 0)
        return;
    daemon_keys_close(secrets->keys);
    free(secrets->dir);
    free(secrets->state_dir);
    free(secrets);
}

static void job_free(struct job *job)
{
    release(job->secrets);
    if (job->pem != NULL)
        OPENSSL_cleanse(job->pem, job->pem_len);
    OPENSSL_cleanse(job->exported, sizeof job->exported);
    daemon_keys_close(job->fresh);
    free(job->pem);
    free(job->dir);
    free(job->state_dir);
    free(job->findings);
    free(job);
}

// ---- the thread ----

// The codes that docs/control.md tells for the requests about keys.
static int code_of(enum daemon_error_kind kind)
{
    static const enum control_error codes[] = {
        [DAEMON_ERROR_FAILED] = CONTROL_ERROR_FAILED,
        [DAEMON_ERROR_INVALID] = CONTROL_ERROR_USAGE,
        [DAEMON_ERROR_TAKEN] = CONTROL_ERROR_CONFLICT,
        [DAEMON_ERROR_NOT_FOUND] = CONTROL_ERROR_NOT_FOUND,
        [DAEMON_ERROR_FULL] = CONTROL_ERROR_FULL,
    };
    return codes[kind];
}

static bool make_key(struct job *job)
{
    uint8_t key[DHT_KEY_LEN];
    struct dht_span pem = {job->pem, job->pem_len};
    if (job->type == JOB_NEW)
        return daemon_keys_create(job->fresh, job->label, key, &job->why);
    return daemon_keys_import_pem(job->fresh, job->label, pem, key, &job->why);
}

// Never fails for what it finds: that is its answer.
static bool check_up(struct job *job, bool keys_good)
{
    struct daemon_checkup checkup = {
        .keys_dir = job->dir,
        .keys_why = keys_good ? NULL : &job->why,
        .key_count = keys_good ? daemon_keys_count(job->fresh) : 0,
        .state_dir = job->state_dir,
        .wall_us = daemon_clock_wall_us() + job->wall_offset_us,
        .is_clock_kept = daemon_clock_is_kept(),
    };
    job->findings = malloc(DAEMON_CHECKUP_MAX);
    if (job->findings == NULL)
        return false;
    job->findings_len = daemon_checkup(&checkup, job->findings);
    return true;
}

// Everything that waits for the disk.
static void run_job(struct job *job)
{
    bool ok = true;
    job->fresh = daemon_keys_open(job->dir, job->key_max, &job->why);
    if (job->type == JOB_CHECKUP)
        ok = check_up(job, job->fresh != NULL);
    else if (job->fresh == NULL)
        ok = false;
    else if (job->type == JOB_NEW || job->type == JOB_IMPORT)
        ok = make_key(job);
    else if (job->type == JOB_EXPORT)
        ok = daemon_keys_export_pem(job->fresh, job->label, job->exported, &job->why);
    if (!ok)
        job->code = code_of(job->why.kind);
}

static void *thread_main(void *ctx)
{
    struct daemon_secrets_worker *worker = ctx;
    pthread_mutex_lock(&worker->mutex);
    while (!worker->stopping) {
        struct job *job = list_take(&worker->waiting);
        if (job == NULL) {
            pthread_cond_wait(&worker->wake, &worker->mutex);
            continue;
        }
        pthread_mutex_unlock(&worker->mutex);
        run_job(job);
        pthread_mutex_lock(&worker->mutex);
        list_put(&worker->done, job);
        daemon_wake_ring(worker->wake_fds[1]);
    }
    pthread_mutex_unlock(&worker->mutex);
    return NULL;
}

static bool start_thread(struct daemon_secrets_worker *worker)
{
    worker->running = worker->running || daemon_thread_start(&worker->thread, thread_main, worker);
    return worker->running;
}

// ---- back in the loop ----

static const char *path_of(const struct daemon_secrets *secrets, const char *label, char *ret_path,
                           size_t path_len)
{
    snprintf(ret_path, path_len, "%s/%s.pem", secrets->dir, label);
    return ret_path;
}

// Puts fresh in the place of the set in use, and tells the difference.
static void take_over(struct daemon_secrets *secrets, struct daemon_keys *fresh)
{
    struct daemon_keys *old = secrets->keys;
    char path[CONTROL_TEXT_LEN_MAX];
    secrets->keys = fresh;
    for (size_t i = 0; old != NULL && i < daemon_keys_count(old); i++) {
        const struct daemon_keys_entry *was = daemon_keys_at(old, i);
        const struct daemon_keys_entry *is = daemon_keys_find(fresh, was->label);
        if (is == NULL || memcmp(is->key, was->key, DHT_KEY_LEN) != 0)
            secrets->calls.removed(secrets->calls.ctx, was->label);
    }
    for (size_t i = 0; i < daemon_keys_count(fresh); i++) {
        const struct daemon_keys_entry *is = daemon_keys_at(fresh, i);
        const struct daemon_keys_entry *was = old == NULL ? NULL : daemon_keys_find(old, is->label);
        if (was == NULL || memcmp(is->key, was->key, DHT_KEY_LEN) != 0) {
            secrets->calls.added(secrets->calls.ctx, is,
                                 path_of(secrets, is->label, path, sizeof path));
        }
    }
    daemon_keys_close(old);
}

static void answer(struct daemon_secrets *secrets, struct job *job)
{
    char path[CONTROL_TEXT_LEN_MAX];
    struct node_key_answer said = {.key_request = job->key_request, .code = job->code};
    const char *text = job->code == 0 ? job->exported : job->why.text;
    said.text = (struct dht_span){(const uint8_t *)text, strlen(text)};
    said.findings = (struct dht_span){job->findings, job->findings_len};
    if (job->type == JOB_CHECKUP)
        said.label = "";
    const struct daemon_keys_entry *entry =
        secrets->keys == NULL ? NULL : daemon_keys_find(secrets->keys, job->label);
    if (job->code == 0 && entry != NULL) {
        said.label = entry->label;
        said.key = entry->key;
        said.path = path_of(secrets, entry->label, path, sizeof path);
    }
    secrets->calls.answered(secrets->calls.ctx, &said);
}

// A key was made: other nodes that have the same directory (those of other clouds) look again.
static void tell_others(struct daemon_secrets *secrets)
{
    for (struct daemon_secrets *other = secrets->worker->all; other != NULL; other = other->next) {
        if (other != secrets && strcmp(other->dir, secrets->dir) == 0)
            daemon_secrets_reload(other);
    }
}

static void finish(struct job *job)
{
    struct daemon_secrets *secrets = job->secrets;
    bool is_made = job->code == 0 && (job->type == JOB_NEW || job->type == JOB_IMPORT);
    if (!secrets->closed) {
        if (job->fresh != NULL)
            take_over(secrets, job->fresh);
        job->fresh = NULL;
        if (job->type == JOB_RELOAD)
            secrets->calls.reloaded(secrets->calls.ctx, job->code == 0 ? NULL : &job->why);
        else
            answer(secrets, job);
        if (is_made)
            tell_others(secrets);
    }
    job_free(job);
}

static void on_done(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_secrets_worker *worker = ctx;
    (void)what;
    daemon_wake_hush((int)fd);
    for (;;) {
        pthread_mutex_lock(&worker->mutex);
        struct job *job = list_take(&worker->done);
        pthread_mutex_unlock(&worker->mutex);
        if (job == NULL)
            return;
        worker->count -= job->counted;
        finish(job);
    }
}

struct daemon_secrets_worker *daemon_secrets_worker_new(struct event_base *base,
                                                        struct daemon_error *ret_error)
{
    struct daemon_secrets_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL || !daemon_wake_open(worker->wake_fds)) {
        daemon_error_set(ret_error, "no memory or no descriptor for the keys' worker");
        free(worker);
        return NULL;
    }
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->wake, NULL);
    list_init(&worker->waiting);
    list_init(&worker->done);
    worker->event = event_new(base, worker->wake_fds[0], EV_READ | EV_PERSIST, on_done, worker);
    if (worker->event == NULL || event_add(worker->event, NULL) != 0) {
        daemon_error_set(ret_error, "no memory for the keys' worker");
        daemon_secrets_worker_free(worker);
        return NULL;
    }
    return worker;
}

void daemon_secrets_worker_free(struct daemon_secrets_worker *worker)
{
    if (worker == NULL)
        return;
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
    if (worker->running)
        pthread_join(worker->thread, NULL);
    for (struct job *job; (job = list_take(&worker->waiting)) != NULL;)
        job_free(job);
    for (struct job *job; (job = list_take(&worker->done)) != NULL;)
        job_free(job);
    if (worker->event != NULL)
        event_free(worker->event);
    daemon_wake_close(worker->wake_fds[0]);
    daemon_wake_close(worker->wake_fds[1]);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
}

// ---- the secrets ----

struct daemon_secrets *daemon_secrets_open(struct daemon_secrets_worker *worker,
                                           const struct daemon_secrets_options *options,
                                           const struct daemon_secrets_calls *calls,
                                           struct daemon_error *ret_error)
{
    struct daemon_secrets *secrets = calloc(1, sizeof *secrets);
    char *dir = strdup(options->dir);
    char *state_dir = options->state_dir == NULL ? NULL : strdup(options->state_dir);
    if (secrets == NULL || dir == NULL || (options->state_dir != NULL && state_dir == NULL)) {
        daemon_error_set(ret_error, "no memory for keys");
        free(secrets);
        free(dir);
        free(state_dir);
        return NULL;
    }
    *secrets = (struct daemon_secrets){.worker = worker,
                                       .calls = *calls,
                                       .dir = dir,
                                       .state_dir = state_dir,
                                       .wall_offset_us = options->wall_offset_us,
                                       .key_max = options->key_max,
                                       .references = 1};
    bool look = !options->lazy || daemon_file_exists(dir);
    if (look) {
        secrets->keys = daemon_keys_open(dir, options->key_max, ret_error);
        if (secrets->keys == NULL) {
            release(secrets);
            return NULL;
        }
    }
    secrets->next = worker->all;
    if (worker->all != NULL)
        worker->all->prev = secrets;
    worker->all = secrets;
    return secrets;
}

void daemon_secrets_close(struct daemon_secrets *secrets)
{
    if (secrets == NULL)
        return;
    secrets->closed = true;
    if (secrets->prev != NULL)
        secrets->prev->next = secrets->next;
    else
        secrets->worker->all = secrets->next;
    if (secrets->next != NULL)
        secrets->next->prev = secrets->prev;
    release(secrets);
}

void daemon_secrets_tell(struct daemon_secrets *secrets)
{
    char path[CONTROL_TEXT_LEN_MAX];
    for (size_t i = 0; secrets->keys != NULL && i < daemon_keys_count(secrets->keys); i++) {
        const struct daemon_keys_entry *entry = daemon_keys_at(secrets->keys, i);
        secrets->calls.added(secrets->calls.ctx, entry,
                             path_of(secrets, entry->label, path, sizeof path));
    }
}

bool daemon_secrets_sign(const struct daemon_secrets *secrets, const uint8_t key[DHT_KEY_LEN],
                         struct dht_span msg, uint8_t ret_sig[DHT_SIG_LEN])
{
    return secrets->keys != NULL && daemon_keys_sign(secrets->keys, key, msg, ret_sig);
}

static struct job *job_new(struct daemon_secrets *secrets, enum job_type type)
{
    struct job *job = calloc(1, sizeof *job);
    char *dir = strdup(secrets->dir);
    char *state_dir = secrets->state_dir == NULL ? NULL : strdup(secrets->state_dir);
    if (job == NULL || dir == NULL || (secrets->state_dir != NULL && state_dir == NULL)) {
        free(job);
        free(dir);
        free(state_dir);
        return NULL;
    }
    secrets->references++;
    job->secrets = secrets;
    job->type = type;
    job->dir = dir;
    job->state_dir = state_dir;
    job->wall_offset_us = secrets->wall_offset_us;
    job->key_max = secrets->key_max;
    return job;
}

// Hands the job to the thread; or, where that cannot be, straight back to the loop, refused.
static void submit(struct daemon_secrets_worker *worker, struct job *job)
{
    bool full = worker->count >= DAEMON_SECRETS_JOBS_MAX;
    if (job->code == 0 && (full || !start_thread(worker))) {
        job->code = full ? CONTROL_ERROR_FULL : CONTROL_ERROR_FAILED;
        daemon_error_set(&job->why, "too much is being done with keys; try again later");
    }
    job->counted = job->code == 0;
    worker->count += job->counted;
    pthread_mutex_lock(&worker->mutex);
    list_put(job->counted ? &worker->waiting : &worker->done, job);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
    if (!job->counted)
        event_active(worker->event, EV_READ, 0);
}

// Copies what the job needs of out. A label or text that does not fit is refused.
static void fill(struct job *job, const struct node_out *out)
{
    struct dht_span pem = out->key.pem;
    job->key_request = out->key.key_request;
    if (strlen(out->key.label) >= sizeof job->label || pem.len > CONTROL_PEM_LEN_MAX) {
        job->code = CONTROL_ERROR_USAGE;
        daemon_error_set(&job->why, "the label or the PEM text is too long");
        return;
    }
    snprintf(job->label, sizeof job->label, "%s", out->key.label);
    if (job->type != JOB_IMPORT || pem.len == 0)
        return;
    job->pem = malloc(pem.len);
    if (job->pem == NULL) {
        job->code = CONTROL_ERROR_FAILED;
        daemon_error_set(&job->why, "no memory for the key");
        return;
    }
    memcpy(job->pem, pem.data, pem.len);
    job->pem_len = pem.len;
}

void daemon_secrets_do(struct daemon_secrets *secrets, const struct node_out *out)
{
    static const enum job_type types[] = {
        [NODE_KEY_NEW] = JOB_NEW,
        [NODE_KEY_IMPORT] = JOB_IMPORT,
        [NODE_KEY_EXPORT] = JOB_EXPORT,
        [NODE_KEY_CHECKUP] = JOB_CHECKUP,
    };
    assert(out->type == NODE_OUT_KEY);
    struct job *job = job_new(secrets, types[out->key.verb]);
    if (job == NULL)
        return; // the client's time runs out
    fill(job, out);
    submit(secrets->worker, job);
}

void daemon_secrets_reload(struct daemon_secrets *secrets)
{
    struct job *job = job_new(secrets, JOB_RELOAD);
    if (job != NULL)
        submit(secrets->worker, job);
}
