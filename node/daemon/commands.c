// SPDX-License-Identifier: MIT
#include "node/daemon/commands.h"

#include "node/daemon/input.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct daemon_commands {
    struct event *event;
    int fd;
    daemon_command_fn fn;
    void *ctx;
    size_t len;
    bool is_skipping; // the rest of a line that was too long
    char line[DAEMON_COMMANDS_LINE_MAX];
    uint32_t nodes[DAEMON_COMMANDS_NODES_MAX];
};

static void complain(const char *text)
{
    printf("error %s\n", text);
    fflush(stdout);
}

// Reads the numbers. False where one of the words is none, or there are too many.
static bool read_nodes(struct daemon_commands *commands, char *words, size_t *ret_count)
{
    size_t count = 0;
    char *rest = words;
    for (char *word; (word = strtok_r(rest, " \t\r", &rest)) != NULL; count++) {
        char *end;
        unsigned long number = strtoul(word, &end, 10);
        bool is_number = word[0] >= '0' && word[0] <= '9' && *end == '\0' && number <= INT32_MAX;
        if (!is_number || count == DAEMON_COMMANDS_NODES_MAX)
            return false;
        commands->nodes[count] = (uint32_t)number;
    }
    *ret_count = count;
    return true;
}

static void take_line(struct daemon_commands *commands, char *line)
{
    struct daemon_command command = {.nodes = commands->nodes};
    char *rest = line;
    const char *verb = strtok_r(rest, " \t\r", &rest);
    if (verb == NULL)
        return;
    bool is_stop = strcmp(verb, "stop") == 0;
    if (!is_stop && strcmp(verb, "start") != 0) {
        complain("commands are stop and start");
        return;
    }
    command.type = is_stop ? DAEMON_COMMAND_STOP : DAEMON_COMMAND_START;
    if (!read_nodes(commands, rest, &command.count))
        complain("numbers of nodes are expected");
    else
        commands->fn(commands->ctx, &command);
}

// Takes all whole lines out of the buffer.
static void take_lines(struct daemon_commands *commands)
{
    char *line = commands->line;
    char *end = commands->line + commands->len;
    for (char *newline; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL;
         line = newline + 1) {
        *newline = '\0';
        if (!commands->is_skipping)
            take_line(commands, line);
        commands->is_skipping = false;
    }
    commands->len = (size_t)(end - line);
    memmove(commands->line, line, commands->len);
    if (commands->len < sizeof commands->line)
        return;
    if (!commands->is_skipping)
        complain("the line is too long");
    commands->is_skipping = true;
    commands->len = 0;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_commands *commands = ctx;
    (void)what;
    ptrdiff_t len = daemon_input_read((int)fd, commands->line + commands->len,
                                      sizeof commands->line - commands->len);
    if (len == 0)
        return;
    if (len < 0) {
        event_del(commands->event);
        return;
    }
    commands->len += (size_t)len;
    take_lines(commands);
}

struct daemon_commands *daemon_commands_new(struct event_base *base, int fd, daemon_command_fn fn,
                                            void *ctx)
{
    struct daemon_commands *commands = calloc(1, sizeof *commands);
    int polled_fd = commands == NULL ? -1 : daemon_input_open(fd);
    if (polled_fd < 0) {
        free(commands);
        return NULL;
    }
    commands->fd = polled_fd;
    commands->fn = fn;
    commands->ctx = ctx;
    commands->event = event_new(base, polled_fd, EV_READ | EV_PERSIST, on_readable, commands);
    if (commands->event == NULL || event_add(commands->event, NULL) != 0) {
        daemon_commands_free(commands);
        return NULL;
    }
    return commands;
}

void daemon_commands_free(struct daemon_commands *commands)
{
    if (commands == NULL)
        return;
    if (commands->event != NULL)
        event_free(commands->event);
    daemon_input_close(commands->fd);
    free(commands);
}
