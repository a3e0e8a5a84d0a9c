// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE // mkdtemp
#include "tests/nsp/fake_system.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void fake_system_begin(void)
{
}

// ---- sockets ----

intptr_t fake_system_listen(int queue_len, uint16_t *ret_port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t addr_len = sizeof addr;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fd, queue_len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &addr_len), 0);
    *ret_port = ntohs(addr.sin_port);
    return fd;
}

intptr_t fake_system_accept(intptr_t listener)
{
    int one = 1;
    int fd = accept((int)listener, NULL, NULL);
    assert_true(fd >= 0);
    // A Unix socket has nothing of the kind.
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

bool fake_system_is_called(intptr_t listener)
{
    struct pollfd caller = {.fd = (int)listener, .events = POLLIN};
    return poll(&caller, 1, 0) != 0;
}

// ---- files ----

void fake_system_make_folder(char ret_path[FAKE_SYSTEM_PATH_MAX])
{
    strcpy(ret_path, "/tmp/pnr-nsp-XXXXXX");
    assert_non_null(mkdtemp(ret_path));
}

void fake_system_remove_folder(const char *path)
{
    assert_int_equal(rmdir(path), 0);
}

void fake_system_remove_file(const char *path)
{
    (void)unlink(path);
}

void fake_system_write_file(const char *path, const void *data, size_t len)
{
    char new_path[FAKE_SYSTEM_PATH_MAX + 8];
    snprintf(new_path, sizeof new_path, "%s.new", path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
    assert_int_equal(rename(new_path, path), 0);
}

// ---- the process ----

void fake_system_set_environment(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

unsigned fake_system_count_threads(void)
{
    unsigned count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks)) {
        count += entry->d_name[0] != '.';
    }
    closedir(tasks);
    return count;
}

void fake_system_yield(void)
{
    (void)sched_yield();
}
