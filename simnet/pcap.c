// SPDX-License-Identifier: MIT
#include "simnet/pcap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC        UINT32_C(0xa1b2c3d4) // microseconds, in this machine's byte order
#define LINKTYPE_RAW 101
#define SNAPLEN      65535
#define UDP          17
#define UDP_HEADER   8
#define IPV4_HEADER  20
#define IPV6_HEADER  40
#define HOP_LIMIT    64

struct simnet_pcap {
    struct simnet_world *world;
    uint32_t machine;
    FILE *out;
    struct simnet_tap tap;
};

// ---- packets ----

static void put16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

// RFC 1071: the ones' complement sum, not folded yet.
static uint32_t sum(uint32_t start, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        start += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (len % 2 != 0)
        start += (uint32_t)bytes[len - 1] << 8;
    return start;
}

static uint16_t fold(uint32_t value)
{
    while (value >> 16 != 0)
        value = (value & 0xffff) + (value >> 16);
    return (uint16_t)~value;
}

static void write_ipv4(uint8_t *out, size_t len)
{
    memset(out, 0, 12);
    out[0] = 0x45;
    put16(out + 2, (uint32_t)len);
    out[6] = 0x40; // do not fragment
    out[8] = HOP_LIMIT;
    out[9] = UDP;
    put16(out + 10, fold(sum(0, out, IPV4_HEADER)));
}

static void write_ipv6(uint8_t *out, size_t len)
{
    memset(out, 0, 8);
    out[0] = 0x60;
    put16(out + 4, (uint32_t)(len - IPV6_HEADER));
    out[6] = UDP;
    out[7] = HOP_LIMIT;
}

size_t simnet_pcap_packet(const struct dht_addr *from, const struct dht_addr *to,
                          struct dht_span bytes, uint8_t *ret_packet)
{
    bool is_ipv4 = from->ip_len == 4;
    size_t header = is_ipv4 ? IPV4_HEADER : IPV6_HEADER;
    uint8_t *addrs = ret_packet + (is_ipv4 ? 12 : 8);
    uint8_t *udp = ret_packet + header;
    size_t udp_len = UDP_HEADER + bytes.len;
    memcpy(addrs, from->ip, from->ip_len);
    memcpy(addrs + from->ip_len, to->ip, from->ip_len);
    if (is_ipv4)
        write_ipv4(ret_packet, header + udp_len);
    else
        write_ipv6(ret_packet, header + udp_len);
    put16(udp, from->port);
    put16(udp + 2, to->port);
    put16(udp + 4, (uint32_t)udp_len);
    put16(udp + 6, 0);
    memcpy(udp + UDP_HEADER, bytes.data, bytes.len);
    // Over the addresses, the protocol and the length as well (RFC 768, RFC 8200 8.1).
    uint32_t pseudo = sum(UDP + (uint32_t)udp_len, addrs, 2 * (size_t)from->ip_len);
    uint16_t checksum = fold(sum(pseudo, udp, udp_len));
    put16(udp + 6, checksum == 0 ? 0xffff : checksum);
    return header + udp_len;
}

// ---- the file ----

static void write_header(FILE *out)
{
    struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snaplen, linktype;
    } header = {MAGIC, 2, 4, 0, 0, SNAPLEN, LINKTYPE_RAW};
    fwrite(&header, sizeof header, 1, out);
}

static void see(void *ctx, struct simnet_world *world, enum simnet_tap_event event,
                const struct simnet_machine *machine, const struct simnet_element *element,
                const struct simnet_packet *packet)
{
    struct simnet_pcap *pcap = ctx;
    uint8_t bytes[SIMNET_PCAP_HEADERS_MAX + UINT16_MAX];
    (void)element;
    if (event == SIMNET_TAP_DROPPED || machine->number != pcap->machine ||
        packet->from.ip_len != packet->to.ip_len)
        return;
    int64_t wall_us = simnet_world_wall(world);
    size_t len = simnet_pcap_packet(&packet->from, &packet->to,
                                    (struct dht_span){packet->bytes, packet->len}, bytes);
    uint32_t record[4] = {(uint32_t)(wall_us / SIMNET_SECOND_US),
                          (uint32_t)(wall_us % SIMNET_SECOND_US), (uint32_t)len, (uint32_t)len};
    fwrite(record, sizeof record, 1, pcap->out);
    fwrite(bytes, 1, len, pcap->out);
}

struct simnet_pcap *simnet_pcap_new(struct simnet_world *world, uint32_t machine, FILE *out)
{
    struct simnet_pcap *pcap = simnet_world_need(calloc(1, sizeof *pcap));
    pcap->world = world;
    pcap->machine = machine;
    pcap->out = out;
    pcap->tap = (struct simnet_tap){see, NULL, pcap, NULL};
    write_header(out);
    simnet_world_tap(world, &pcap->tap);
    return pcap;
}

void simnet_pcap_free(struct simnet_pcap *pcap)
{
    if (pcap == NULL)
        return;
    simnet_world_untap(pcap->world, &pcap->tap);
    free(pcap);
}
