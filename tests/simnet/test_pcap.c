// SPDX-License-Identifier: MIT
#include "simnet/pcap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
    const char *name;
    struct dht_addr from, to;
    const char *bytes;
} rows[] = {
    {"IPv4",
     {.ip = {192, 0, 2, 1}, .port = 6881, .ip_len = 4},
     {.ip = {198, 51, 100, 2}, .port = 6882, .ip_len = 4},
     "ping"},
    {"IPv4, odd",
     {.ip = {192, 0, 2, 1}, .port = 6881, .ip_len = 4},
     {.ip = {198, 51, 100, 2}, .port = 6882, .ip_len = 4},
     "hello"},
    {"IPv6",
     {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 1024, .ip_len = 16},
     {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, .port = 65535, .ip_len = 16},
     "ping"},
};

// What a receiver does: the ones' complement sum over what a checksum covers is all ones.
static uint16_t sum(uint32_t start, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        start += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (start >> 16 != 0)
        start = (start & 0xffff) + (start >> 16);
    return (uint16_t)start;
}

static void test_packets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        uint8_t packet[SIMNET_PCAP_HEADERS_MAX + 64];
        size_t len = strlen(row->bytes);
        bool is_ipv4 = row->from.ip_len == 4;
        size_t header = is_ipv4 ? 20 : 40;
        size_t all = simnet_pcap_packet(
            &row->from, &row->to, (struct dht_span){(const uint8_t *)row->bytes, len}, packet);
        uint16_t udp = sum((uint32_t)(17 + 8 + len), packet + (is_ipv4 ? 12 : 8),
                           2 * (size_t)row->from.ip_len);
        if (all != header + 8 + len)
            fail_msg("row %s: %zu bytes", row->name, all);
        if (packet[0] >> 4 != (is_ipv4 ? 4 : 6) || (is_ipv4 && sum(0, packet, 20) != 0xffff))
            fail_msg("row %s: the header", row->name);
        if (sum(udp, packet + header, 8 + len) != 0xffff)
            fail_msg("row %s: the checksum of UDP", row->name);
        if (memcmp(packet + all - len, row->bytes, len) != 0)
            fail_msg("row %s: the bytes", row->name);
        if ((packet[header] << 8 | packet[header + 1]) != row->from.port ||
            (packet[header + 2] << 8 | packet[header + 3]) != row->to.port)
            fail_msg("row %s: the ports", row->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_packets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
