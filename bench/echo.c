// SPDX-License-Identifier: MIT

// The yardstick: a server that does nothing but receive and send. The first two bytes of a datagram
// say, low byte first, how many bytes are to come back.
//
//   bench_echo one|batch PORT   one: recvfrom() and sendto(); batch: recvmmsg() and sendmmsg(), 64
//                               datagrams at a time

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH        64
#define DATAGRAM_MAX 2048

static size_t reply_len(const uint8_t *bytes, size_t len)
{
    size_t wanted = len < 2 ? 0 : bytes[0] | (size_t)bytes[1] << 8;
    return wanted < DATAGRAM_MAX ? wanted : DATAGRAM_MAX;
}

static _Noreturn void echo_one(int fd)
{
    static uint8_t bytes[DATAGRAM_MAX];
    for (;;) {
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        struct sockaddr *name = (struct sockaddr *)&from;
        ssize_t len = recvfrom(fd, bytes, sizeof bytes, 0, name, &from_len);
        if (len >= 0)
            sendto(fd, bytes, reply_len(bytes, (size_t)len), 0, name, from_len);
    }
}

static _Noreturn void echo_batch(int fd)
{
    static uint8_t bytes[BATCH][DATAGRAM_MAX];
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    static struct sockaddr_in names[BATCH];
    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr =
            (struct msghdr){.msg_name = &names[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            messages[i].msg_hdr.msg_namelen = sizeof names[i];
            parts[i] = (struct iovec){bytes[i], sizeof bytes[i]};
        }
        int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count; i++)
            parts[i].iov_len = reply_len(bytes[i], messages[i].msg_len);
        if (count > 0)
            sendmmsg(fd, messages, (unsigned)count, 0);
    }
}

int main(int argc, char **argv)
{
    int buffer_bytes = 4 << 20;
    if (argc != 3 || (strcmp(argv[1], "one") != 0 && strcmp(argv[1], "batch") != 0)) {
        fprintf(stderr, "usage: bench_echo one|batch PORT\n");
        return 2;
    }
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)atoi(argv[2])),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0) {
        perror("bench_echo");
        return 1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
    if (strcmp(argv[1], "one") == 0)
        echo_one(fd);
    echo_batch(fd);
}
