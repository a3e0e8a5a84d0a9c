// SPDX-License-Identifier: MIT
#include "node/daemon/process.h"

#include "node/daemon/limits.h"
#include "node/daemon/log.h"
#include "node/daemon/random.h"

#include <stdlib.h>
#include <string.h>

static void stop_nodes(struct daemon_process *process)
{
    for (uint32_t i = 0; !process->is_ending && process->nodes != NULL && i < process->node_count;
         i++)
        if (process->nodes[i] != NULL)
            daemon_node_stop(process->nodes[i]);
    process->is_ending = true;
}

static bool is_parting(const struct daemon_process *process)
{
    for (uint32_t i = 0; i < process->node_count; i++)
        if (process->nodes[i] != NULL && node_is_parting(daemon_node_brain(process->nodes[i])))
            return true;
    return false;
}

static void on_end(void *ctx, const char *name)
{
    struct daemon_process *process = ctx;
    bool is_again = process->is_ending;
    daemon_log(DAEMON_LOG_INFO, "ending signal=%s", name);
    stop_nodes(process);
    bool waits = !is_again && is_parting(process) &&
                 daemon_loop_set(process->loop, &process->parted,
                                 daemon_loop_now_us(process->loop) + NODE_PARTING_US);
    if (waits)
        daemon_log(DAEMON_LOG_INFO, "tells those who watch; another signal ends it at once");
    else
        daemon_loop_stop(process->loop);
}

static void on_parted(struct daemon_loop_alarm *alarm)
{
    struct daemon_process *process = alarm->ctx;
    daemon_loop_stop(process->loop);
}

static void on_reload(void *ctx)
{
    struct daemon_process *process = ctx;
    if (process->reload != NULL)
        process->reload(process->ctx);
}

static void on_resumed(void *ctx)
{
    struct daemon_process *process = ctx;
    if (process->resumed != NULL)
        process->resumed(process->ctx);
}

static bool handle_signals(struct daemon_process *process)
{
    struct daemon_signals_calls calls = {
        .end = on_end, .reload = on_reload, .resumed = on_resumed, .ctx = process};
    daemon_loop_on_gap(process->loop, on_resumed, process);
    process->signals = daemon_signals_new(daemon_loop_base(process->loop), &calls);
    return process->signals != NULL;
}

static struct daemon_node *find_node(void *ctx, uint32_t index)
{
    struct daemon_process *process = ctx;
    return index < process->node_count ? process->nodes[index] : NULL;
}

static bool open_parts(struct daemon_process *process, const struct daemon_process_options *options,
                       struct daemon_error *ret_error)
{
    struct daemon_session_options sessions = {
        .clients_max = options->clients_max, .node = find_node, .ctx = process};
    process->loop = daemon_loop_new(ret_error);
    if (process->loop == NULL)
        return false;
    daemon_loop_shift_wall(process->loop, options->wall_offset_us);
    process->crypto = daemon_crypto_open(NULL, ret_error);
    if (process->crypto == NULL)
        return false;
    process->worker = daemon_secrets_worker_new(daemon_loop_base(process->loop), ret_error);
    if (process->worker == NULL)
        return false;
    process->nodes = calloc(options->node_count, sizeof(*process->nodes));
    process->sessions = daemon_session_set_new(process->loop, &sessions);
    if (process->nodes == NULL || process->sessions == NULL || !handle_signals(process)) {
        daemon_error_set(ret_error, "no memory for the daemon");
        return false;
    }
    return true;
}

bool daemon_process_open(struct daemon_process *process,
                         const struct daemon_process_options *options,
                         struct daemon_error *ret_error)
{
    memset(process, 0, sizeof *process);
    process->node_count = options->node_count;
    process->parted = (struct daemon_loop_alarm){.ring = on_parted, .ctx = process};
    if (!open_parts(process, options, ret_error)) {
        daemon_process_close(process);
        return false;
    }
    process->shared = (struct daemon_node_shared){
        .loop = process->loop,
        .crypto = daemon_crypto_table(process->crypto),
        .worker = process->worker,
        .ctx = process->sessions,
        .bytes = daemon_session_bytes,
        .hangup = daemon_session_hangup,
        .flush = daemon_session_flush,
    };
    return true;
}

bool daemon_process_listen(struct daemon_process *process, const struct control_address *addresses,
                           size_t count, const char *group, struct daemon_error *ret_error)
{
    struct daemon_listener_options options = {.group = DAEMON_FILE_NO_GROUP,
                                              .node_count = process->node_count};
    if (group[0] != '\0' && !daemon_limits_find_group(group, &options.group)) {
        daemon_error_set(ret_error, "there is no group %s (control-group)", group);
        return false;
    }
    process->listener = daemon_listener_new(process->loop, process->sessions, &options);
    if (process->listener == NULL) {
        daemon_error_set(ret_error, "no memory for the control addresses");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!daemon_listener_add(process->listener, &addresses[i], ret_error))
            return false;
    }
    return true;
}

void daemon_process_stop_node(struct daemon_process *process, uint32_t index)
{
    struct daemon_node *node = process->nodes[index];
    if (node == NULL)
        return;
    daemon_session_drop_node(process->sessions, node);
    process->nodes[index] = NULL;
    daemon_node_close(node);
}

void daemon_process_close(struct daemon_process *process)
{
    daemon_listener_free(process->listener);
    stop_nodes(process);
    if (process->loop != NULL)
        daemon_loop_set(process->loop, &process->parted, INT64_MAX);
    for (uint32_t i = 0; process->nodes != NULL && i < process->node_count; i++)
        daemon_process_stop_node(process, i);
    daemon_session_set_free(process->sessions);
    daemon_secrets_worker_free(process->worker);
    daemon_crypto_close(process->crypto);
    daemon_signals_free(process->signals);
    daemon_loop_free(process->loop);
    free(process->nodes);
    memset(process, 0, sizeof *process);
}

bool daemon_process_raise_descriptors(size_t count, struct daemon_error *ret_error)
{
    if (daemon_limits_raise_descriptors(count))
        return true;
    daemon_error_set(ret_error, "%zu open files are needed and not allowed; remedy: ulimit -Hn %zu",
                     count, count);
    return false;
}

bool daemon_process_seed(struct daemon_process *process, const struct daemon_options *options,
                         const uint32_t index_and_start[2], uint8_t ret_seed[32])
{
    if (!options->has_seed)
        return daemon_random(ret_seed, 32);
    uint8_t numbers[8];
    for (size_t i = 0; i < 8; i++)
        numbers[i] = (uint8_t)(index_and_start[i / 4] >> 8 * (i % 4));
    struct dht_span parts[] = {{options->seed, 32}, {numbers, sizeof numbers}};
    process->shared.crypto.sha256(process->shared.crypto.ctx, parts, 2, ret_seed);
    return true;
}
