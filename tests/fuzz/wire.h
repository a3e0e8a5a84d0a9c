// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_FUZZ_WIRE_H
#define PNR_TESTS_FUZZ_WIRE_H

// The rest of the network, as far as an engine under test can tell: what it was asked, and what
// comes back, decided by the input. It remembers the engine's queries and the tokens it gave, so
// that an input of few bytes gets as deep as a real node would: replies to real transaction ids,
// puts with real tokens, items that fit their targets.
//
// Its cryptography is a toy: a fast hash, and signatures that are good unless they begin with 0xff.

#include "pnr/dht.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_WIRE_ADDRS   12
#define FUZZ_WIRE_QUERIES 32
#define FUZZ_WIRE_KEYS    4

struct fuzz_wire_query {
    struct dht_addr addr;
    uint8_t tid[32];
    uint8_t tid_len;
    struct dht_id target;
};

struct fuzz_wire {
    enum dht_family family;
    bool lab;
    struct fuzz_wire_query queries[FUZZ_WIRE_QUERIES]; // a ring
    uint32_t query_count;
    uint8_t token[FUZZ_WIRE_ADDRS][40]; // given to each address
    uint8_t token_len[FUZZ_WIRE_ADDRS];
    // Of the latest watch of the engine's own.
    struct dht_addr keeper;
    struct dht_id watched;
    uint8_t nonce[16];
    // What replies to a get of that target carry, where the input wants them to fit.
    struct dht_span salt;
};

struct dht_crypto fuzz_wire_crypto(void);
struct dht_addr fuzz_wire_addr(const struct fuzz_wire *wire, uint8_t number);
// Key number n, and the target of its item under the wire's salt.
void fuzz_wire_key(uint8_t number, uint8_t ret_key[DHT_KEY_LEN]);
struct dht_id fuzz_wire_target(const struct fuzz_wire *wire, uint8_t number);

// Takes in what the engine sent. Checks that it is a sound message.
void fuzz_wire_sent(struct fuzz_wire *wire, const struct dht_datagram *datagram);

// Writes the next datagram to the engine; returns its length.
size_t fuzz_wire_write(struct fuzz_wire *wire, struct fuzz_input *input,
                       uint8_t ret_bytes[DHT_DATAGRAM_MAX], struct dht_addr *ret_from);

// Takes out the latest query and writes a plain answer to it: no nodes, a token. 0: none is open.
size_t fuzz_wire_answer(struct fuzz_wire *wire, uint8_t ret_bytes[DHT_DATAGRAM_MAX],
                        struct dht_addr *ret_from);

#endif
