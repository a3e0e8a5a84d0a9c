// SPDX-License-Identifier: MIT
#include "node/cli/wait.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

static volatile sig_atomic_t caught; // the signal that came; 0: none

static void catch_signal(int number)
{
    caught = number;
}

void cli_wait_hold(void)
{
    struct sigaction action = {.sa_handler = catch_signal};
    sigset_t set;
    sigemptyset(&action.sa_mask);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void cli_wait_release(void)
{
    sigset_t set;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (caught != 0) {
        fflush(stdout);
        raise(caught);
    }
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool cli_wait_is_stopped(void)
{
    return caught != 0;
}

// Signals come in here and nowhere else.
void cli_wait(struct pnr_client *client, int wait_ms)
{
    unsigned wants = pnr_client_wants(client);
    struct pollfd poll_fd = {.fd = (int)pnr_client_fd(client)};
    struct timespec timeout = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L};
    sigset_t none;
    poll_fd.events |= (wants & PNR_WANTS_READ) != 0 ? POLLIN : 0;
    poll_fd.events |= (wants & PNR_WANTS_WRITE) != 0 ? POLLOUT : 0;
    sigemptyset(&none);
    ppoll(&poll_fd, 1, wait_ms < 0 ? NULL : &timeout, &none);
}

int64_t cli_wait_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
