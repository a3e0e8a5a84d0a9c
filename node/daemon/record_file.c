// SPDX-License-Identifier: MIT
#include "node/daemon/record_file.h"

#include "node/daemon/crash.h"
#include "node/daemon/file.h"
#include "node/daemon/log.h"
#include "node/daemon/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_LEN       32 // room that is kept for the entry that tells the end
#define CRASH_WAITS   200
#define CRASH_WAIT_MS 10

struct buffer {
    uint8_t *bytes;
    size_t len;
};

struct daemon_record_file {
    pthread_mutex_t mutex; // guards all but stream and path
    pthread_cond_t wake;   // there is something to write, or stop
    pthread_t thread;
    bool has_thread;
    bool stop;
    bool has_ended;         // nothing more is put
    struct buffer *filling; // by the loop
    struct buffer *writing; // by the thread, without the mutex
    struct buffer buffers[2];
    size_t capacity;
    FILE *stream;
    char *path;
    struct daemon_record_file *next; // of open_files
};

// ---- crashes ----
// A bug that ends pnrd is what a recording is wanted for most, and the input that met it is among
// the last that were put. So the thread gets some time to write them.

static struct daemon_record_file *open_files; // for on_crash(); changed by the loop's thread alone

static bool is_written(struct daemon_record_file *file)
{
    if (pthread_mutex_trylock(&file->mutex) != 0)
        return false;
    bool written = file->filling->len == 0 && file->writing->len == 0;
    pthread_mutex_unlock(&file->mutex);
    return written;
}

// Runs in the thread that crashed.
static void on_crash(void)
{
    for (struct daemon_record_file *file = open_files; file != NULL; file = file->next) {
        for (int i = 0; i < CRASH_WAITS && !is_written(file); i++)
            daemon_crash_wait_ms(CRASH_WAIT_MS);
    }
}

static void add_open(struct daemon_record_file *file)
{
    file->next = open_files;
    open_files = file;
    daemon_crash_watch(true, on_crash);
}

static void remove_open(struct daemon_record_file *file)
{
    struct daemon_record_file **link = &open_files;
    while (*link != file)
        link = &(*link)->next;
    *link = file->next;
    if (open_files == NULL)
        daemon_crash_watch(false, on_crash);
}

// ---- the thread ----

// Writes all of a buffer. False where the disk fails.
static bool write_out(FILE *stream, const struct buffer *buffer)
{
    return fwrite(buffer->bytes, 1, buffer->len, stream) == buffer->len && fflush(stream) == 0;
}

// Writes what was put until now. Called and returns with the mutex held, which it lets go
// meanwhile.
static void work(struct daemon_record_file *file)
{
    struct buffer *full = file->filling;
    file->filling = file->writing;
    file->writing = full;
    pthread_mutex_unlock(&file->mutex);
    bool ok = write_out(file->stream, full);
    if (!ok)
        daemon_log(DAEMON_LOG_WARN, "the recording ends here: %s path=%s", strerror(errno),
                   file->path);
    pthread_mutex_lock(&file->mutex);
    full->len = 0;
    if (!ok) {
        file->has_ended = true;
        file->filling->len = 0; // what is behind a gap is of no use
    }
}

static void *writer(void *arg)
{
    struct daemon_record_file *file = arg;
    pthread_mutex_lock(&file->mutex);
    while (!file->stop || file->filling->len > 0) {
        if (file->filling->len > 0)
            work(file);
        else
            pthread_cond_wait(&file->wake, &file->mutex);
    }
    pthread_mutex_unlock(&file->mutex);
    return NULL;
}

static bool start_writer(struct daemon_record_file *file)
{
    file->has_thread = daemon_thread_start(&file->thread, writer, file);
    return file->has_thread;
}

// ---- the loop ----

// Puts the last entry, for which there is always room. Called with the mutex held.
static void put_end(struct daemon_record_file *file, enum recording_end end)
{
    struct recording_entry entry = {.kind = RECORDING_END, .end = end};
    struct buffer *buffer = file->filling;
    if (file->has_ended)
        return;
    file->has_ended = true;
    size_t len = recording_entry_write(&entry, buffer->bytes + buffer->len,
                                       file->capacity + END_LEN - buffer->len);
    assert(len > 0);
    buffer->len += len;
    pthread_cond_signal(&file->wake);
}

void daemon_record_file_give_up(struct daemon_record_file *file, const char *why)
{
    pthread_mutex_lock(&file->mutex);
    if (!file->has_ended)
        daemon_log(DAEMON_LOG_WARN, "the recording ends here: %s path=%s", why, file->path);
    put_end(file, RECORDING_END_BEHIND);
    pthread_mutex_unlock(&file->mutex);
}

void daemon_record_file_put(struct daemon_record_file *file, const struct recording_entry *entry)
{
    pthread_mutex_lock(&file->mutex);
    struct buffer *buffer = file->filling;
    bool ended = file->has_ended;
    size_t len = 0;
    if (!ended)
        len =
            recording_entry_write(entry, buffer->bytes + buffer->len, file->capacity - buffer->len);
    if (len > 0 && buffer->len == 0)
        pthread_cond_signal(&file->wake);
    buffer->len += len;
    pthread_mutex_unlock(&file->mutex);
    if (!ended && len == 0)
        daemon_record_file_give_up(file, "the disk is too slow for it");
}

// ---- life ----

static void release(struct daemon_record_file *file)
{
    if (file->stream != NULL)
        fclose(file->stream);
    for (int i = 0; i < 2; i++)
        free(file->buffers[i].bytes);
    pthread_mutex_destroy(&file->mutex);
    pthread_cond_destroy(&file->wake);
    free(file->path);
    free(file);
}

static struct daemon_record_file *make(const char *path, size_t buffer_bytes)
{
    struct daemon_record_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    pthread_mutex_init(&file->mutex, NULL);
    pthread_cond_init(&file->wake, NULL);
    file->filling = &file->buffers[0];
    file->writing = &file->buffers[1];
    file->capacity = buffer_bytes == 0 ? DAEMON_RECORD_FILE_BUFFER : buffer_bytes;
    file->path = strdup(path);
    for (int i = 0; i < 2; i++)
        file->buffers[i].bytes = malloc(file->capacity + END_LEN);
    if (file->path != NULL && file->buffers[0].bytes != NULL && file->buffers[1].bytes != NULL)
        return file;
    release(file);
    return NULL;
}

struct daemon_record_file *daemon_record_file_open(const char *path, size_t buffer_bytes,
                                                   struct daemon_error *ret_error)
{
    struct daemon_record_file *file = make(path, buffer_bytes);
    if (file == NULL) {
        daemon_error_set(ret_error, "no memory for a recording");
        return NULL;
    }
    struct daemon_error why;
    file->stream = daemon_file_create(path, &why);
    if (file->stream == NULL) {
        daemon_error_set(ret_error, "cannot make the recording %.300s: %.100s", path, why.text);
        release(file);
        return NULL;
    }
    assert(file->capacity >= RECORDING_HEAD_LEN);
    memcpy(file->filling->bytes, RECORDING_HEAD, RECORDING_HEAD_LEN);
    file->filling->len = RECORDING_HEAD_LEN;
    if (!start_writer(file)) {
        daemon_error_set(ret_error, "cannot start a thread that writes the recording");
        release(file);
        daemon_file_remove(path);
        return NULL;
    }
    add_open(file);
    return file;
}

void daemon_record_file_close(struct daemon_record_file *file)
{
    if (file == NULL)
        return;
    pthread_mutex_lock(&file->mutex);
    put_end(file, RECORDING_END_CLOSED);
    file->stop = true;
    pthread_cond_signal(&file->wake);
    pthread_mutex_unlock(&file->mutex);
    pthread_join(file->thread, NULL);
    remove_open(file);
    release(file);
}
