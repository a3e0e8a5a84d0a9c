// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // pthread_cond_clockwait
#include "nsp/platform.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int64_t nsp_platform_now_us(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t nsp_platform_now_ms(void)
{
    return nsp_platform_now_us() / 1000;
}

void nsp_lock_init(struct nsp_lock *lock)
{
    *lock = (struct nsp_lock)NSP_LOCK_INIT;
}

void nsp_lock_drop(struct nsp_lock *lock)
{
    (void)pthread_mutex_destroy(&lock->mutex);
}

void nsp_lock_take(struct nsp_lock *lock)
{
    (void)pthread_mutex_lock(&lock->mutex);
}

void nsp_lock_give(struct nsp_lock *lock)
{
    (void)pthread_mutex_unlock(&lock->mutex);
}

void nsp_condition_init(struct nsp_condition *condition)
{
    *condition = (struct nsp_condition)NSP_CONDITION_INIT;
}

void nsp_condition_drop(struct nsp_condition *condition)
{
    (void)pthread_cond_destroy(&condition->cond);
}

void nsp_condition_wait(struct nsp_condition *condition, struct nsp_lock *lock)
{
    (void)pthread_cond_wait(&condition->cond, &lock->mutex);
}

bool nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                              int64_t deadline_ms)
{
    if (deadline_ms == NSP_NEVER) {
        nsp_condition_wait(condition, lock);
        return true;
    }
    if (nsp_platform_now_ms() >= deadline_ms) {
        return false;
    }
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    // Not the clock of day, which others set.
    (void)pthread_cond_clockwait(&condition->cond, &lock->mutex, CLOCK_MONOTONIC, &until);
    return nsp_platform_now_ms() < deadline_ms;
}

void nsp_condition_wake_all(struct nsp_condition *condition)
{
    (void)pthread_cond_broadcast(&condition->cond);
}

static void *run_thread(void *arg)
{
    struct nsp_thread *thread = arg;
    thread->run(thread->ctx);
    return NULL;
}

bool nsp_thread_start(struct nsp_thread *thread, void (*run)(void *ctx), void *ctx)
{
    sigset_t all, before;
    thread->run = run;
    thread->ctx = ctx;
    // The process's signals are for threads that its program knows of.
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, run_thread, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

void nsp_thread_join(struct nsp_thread *thread)
{
    (void)pthread_join(thread->thread, NULL);
}

static atomic_uint_fast64_t thread_ids;
static _Thread_local uint64_t own_thread_id;

uint64_t nsp_platform_thread_id(void)
{
    if (own_thread_id == 0) {
        own_thread_id = atomic_fetch_add(&thread_ids, 1) + 1;
    }
    return own_thread_id;
}

// Held while `ended` runs, so that it does not outlive nsp_thread_end_drop().
static struct nsp_lock end_lock = NSP_LOCK_INIT;
static void (*end_listener)(uint64_t thread_id);
static pthread_key_t end_key;

static void thread_ends(void *mark)
{
    (void)mark;
    nsp_lock_take(&end_lock);
    if (end_listener != NULL) {
        end_listener(nsp_platform_thread_id());
    }
    nsp_lock_give(&end_lock);
}

bool nsp_thread_end_init(void (*ended)(uint64_t thread_id))
{
    if (pthread_key_create(&end_key, thread_ends) != 0) {
        return false;
    }
    nsp_lock_take(&end_lock);
    end_listener = ended;
    nsp_lock_give(&end_lock);
    return true;
}

bool nsp_thread_end_mark(void)
{
    return pthread_setspecific(end_key, &end_lock) == 0;
}

void nsp_thread_end_drop(void)
{
    nsp_lock_take(&end_lock);
    end_listener = NULL;
    nsp_lock_give(&end_lock);
    (void)pthread_key_delete(end_key);
}

bool nsp_wake_init(struct nsp_wake *wake)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    wake->fd = fd;
    return true;
}

void nsp_wake_drop(struct nsp_wake *wake)
{
    (void)close(wake->fd);
}

void nsp_wake_set(struct nsp_wake *wake)
{
    // Fails only where the count is full, and then the wait returns as well.
    (void)!eventfd_write(wake->fd, 1);
}

unsigned nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = wake->fd, .events = POLLIN}, {.fd = -1}};
    unsigned seen = 0;
    if (socket >= 0) {
        fds[1].fd = (int)socket;
        fds[1].events = (short)(((wants & NSP_WANTS_READ) != 0 ? POLLIN : 0) |
                                ((wants & NSP_WANTS_WRITE) != 0 ? POLLOUT : 0));
    }
    int ready = poll(fds, 2, timeout_ms < 0 ? -1 : timeout_ms);
    if (ready <= 0) {
        return ready < 0 && errno != EINTR ? NSP_WAIT_FAILED : 0;
    }
    if (fds[0].revents != 0) {
        eventfd_t count;
        (void)!eventfd_read(wake->fd, &count);
        seen |= NSP_WAIT_WOKEN;
    }
    if ((fds[1].revents & POLLNVAL) != 0) {
        seen |= NSP_WAIT_FAILED;
    } else if (fds[1].revents != 0) {
        seen |= NSP_WAIT_READY;
    }
    return seen;
}

bool nsp_platform_readable(const void *ptr, size_t len)
{
    (void)len;
    return ptr != NULL;
}

bool nsp_platform_writable(const void *ptr, size_t len)
{
    (void)len;
    return ptr != NULL;
}

bool nsp_platform_peekable(const void *ptr, size_t len)
{
    (void)len;
    return ptr != NULL;
}

static atomic_size_t pins;

bool nsp_platform_pin(struct nsp_pin *ret_pin)
{
    (void)atomic_fetch_add(&pins, 1);
    ret_pin->module = &pins;
    return true;
}

void nsp_platform_unpin(struct nsp_pin pin)
{
    (void)pin;
    (void)atomic_fetch_sub(&pins, 1);
}

void nsp_platform_unpin_after_apc(struct nsp_pin pin)
{
    nsp_platform_unpin(pin);
}

size_t nsp_platform_pins(void)
{
    return atomic_load(&pins);
}
