// SPDX-License-Identifier: MIT
// A program of a user's own: it watches a name through libpnr's descriptor, in a poll loop of its
// own that waits for other things too, here for lines on stdin, which it answers.
//
//     watcher ADDRESS NAME
//
// Prints "watching", "added PORT", "changed PORT" and "gone" as they come; "pong" for each line of
// stdin; "error N" where the watch ends. Ends with stdin, or with the watch.
#define _DEFAULT_SOURCE
#include "pnr/client.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

// Says what has come. False where that was the end.
static bool print_event(const struct pnr_event *event)
{
    static const char *const words[] = {
        [PNR_CHANGE_ADDED] = "added", [PNR_CHANGE_CHANGED] = "changed", [PNR_CHANGE_GONE] = "gone"};
    struct pnr_result result;
    struct pnr_progress progress;
    enum pnr_change change;
    if (event->type == PNR_EVENT_ERROR) {
        printf("error %d\n", event->error);
        return false;
    }
    if (pnr_read_step(event, &progress) && progress.step == PNR_STEP_WATCHING)
        printf("watching\n");
    if (pnr_read_change(event, &change, &result) && change == PNR_CHANGE_GONE)
        printf("gone\n");
    else if (pnr_read_change(event, &change, &result))
        printf("%s %u\n", words[change], result.endpoints[0].port);
    return true;
}

// Answers stdin. False at its end.
static bool answer_stdin(void)
{
    char bytes[256];
    ssize_t len = read(STDIN_FILENO, bytes, sizeof bytes);
    for (ssize_t i = 0; i < len; i++)
        if (bytes[i] == '\n')
            printf("pong\n");
    return len > 0;
}

static void loop(struct pnr_client *client)
{
    bool goes_on = true;
    while (goes_on) {
        struct pnr_event event;
        unsigned wants = pnr_client_wants(client);
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = (int)pnr_client_fd(client)}};
        fds[1].events |= (wants & PNR_WANTS_READ) != 0 ? POLLIN : 0;
        fds[1].events |= (wants & PNR_WANTS_WRITE) != 0 ? POLLOUT : 0;
        poll(fds, 2, pnr_client_timeout_ms(client));
        pnr_client_process(client);
        while (goes_on && pnr_client_next(client, &event))
            goes_on = print_event(&event);
        if (goes_on && fds[0].revents != 0)
            goes_on = answer_stdin();
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct pnr_options options = {.address = argc > 1 ? argv[1] : NULL};
    struct pnr_watch watch = {.name = argc > 2 ? argv[2] : ""};
    struct pnr_client *client;
    uint32_t request;
    enum pnr_error error = pnr_client_new(&options, 5000, &client);
    if (error != PNR_OK)
        return error;
    error = pnr_watch(client, &watch, &request);
    if (error == PNR_OK)
        loop(client);
    pnr_client_close(client);
    return error;
}
