// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PCAP_H
#define PNR_SIMNET_PCAP_H

// A capture of what one machine saw: each datagram that it sent, as it sent it, and each that
// reached it. A pcap file (version 2.4, LINKTYPE_RAW) of IPv4 or IPv6 packets with UDP headers and
// their checksums, stamped with the virtual wall clock, for Wireshark and its like.
//
// Owned by its maker; it is a tap of its world, which may not run on once the capture is closed.

#include "simnet/world.h"

#include <stdio.h>

struct simnet_pcap;

// Begins a capture into out, which stays the caller's.
struct simnet_pcap *simnet_pcap_new(struct simnet_world *world, uint32_t machine, FILE *out);
void simnet_pcap_free(struct simnet_pcap *pcap);

// Writes the IP packet that carries a datagram; returns its length. For tests.
#define SIMNET_PCAP_HEADERS_MAX 48 // bytes of IPv6 and UDP
size_t simnet_pcap_packet(const struct dht_addr *from, const struct dht_addr *to,
                          struct dht_span bytes, uint8_t *ret_packet);

#endif
