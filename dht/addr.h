// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ADDR_H
#define PNR_DHT_ADDR_H

// UDP addresses: comparing them, their compact form (BEP 5, BEP 32), and what kind they are.

#include "pnr/dht.h"

#define DHT_ADDR_COMPACT_MAX 18 // 6 bytes for IPv4, 18 for IPv6
#define DHT_ADDR_TEXT_MAX    56 // "[ipv6]:port" with its NUL

bool dht_addr_equal(const struct dht_addr *a, const struct dht_addr *b);    // address and port
bool dht_addr_equal_ip(const struct dht_addr *a, const struct dht_addr *b); // address alone

// The length of the compact form: ip_len + 2.
size_t dht_addr_compact_len(const struct dht_addr *addr);
// Writes the compact form, big endian; returns its length.
size_t dht_addr_to_compact(const struct dht_addr *addr, uint8_t *ret_compact);
// Reads a compact form of exactly 6 or 18 bytes.
bool dht_addr_from_compact(const uint8_t *compact, size_t len, struct dht_addr *ret_addr);

// An address that no node can have on the internet (quirk Q8): port 0; IPv4 0/8, 127/8 and from 224
// up; IPv6 ::, ::1, ff00::/8, fe80::/10, mapped IPv4; one that is not set.
bool dht_addr_is_martian(const struct dht_addr *addr);

// Loopback, private (RFC 1918, fc00::/7), link-local or shared (100.64/10): an address of a lab,
// not of the internet.
bool dht_addr_is_local(const struct dht_addr *addr);

// The prefix whose hosts count as one source, as a number that fits a hash table: /24 of IPv4, /48
// of IPv6, tagged with the family so that the two never meet. 0 for an address that is not set.
uint64_t dht_addr_prefix(const struct dht_addr *addr);
// The wider one, of a network operator: /16 of IPv4, /32 of IPv6, tagged likewise.
uint64_t dht_addr_wide_prefix(const struct dht_addr *addr);

// A hash that all hosts share that may have to be told apart or counted together: of IPv4 those of
// a /16, of IPv6 those of a /32, and, where each_port is set, only address and port themselves.
// Takes a compact form of 6 or 18 bytes. Not keyed.
uint32_t dht_addr_crowd(const uint8_t *compact, size_t len, bool each_port);

// Writes "192.0.2.1:6881" or "[2001:db8::1]:6881" (RFC 5952; mapped IPv4 ends dotted) with a NUL;
// returns the length without it. An address that is not set gives the empty text.
size_t dht_addr_to_text(const struct dht_addr *addr, char ret_text[DHT_ADDR_TEXT_MAX]);
// Reads the same forms, and all other texts of RFC 4291 within the brackets, without a zone. Port 0
// is a port here. False where the text is no address with a port, or has anything around it.
bool dht_addr_from_text(const char *text, struct dht_addr *ret_addr);

#endif
