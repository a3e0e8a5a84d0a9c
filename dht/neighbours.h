// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_NEIGHBOURS_H
#define PNR_DHT_NEIGHBOURS_H

// How nodes of one link find each other: small announcements by multicast (docs/clouds.md has the
// wire format). An announcement goes out by the engine's own socket, so its source is the address
// to ask; all that is believed of it is that it is worth one ping. Pure: told of time and bytes.
//
// Bounds: an announcement of ours a second at most, whatever is heard; DHT_NEIGHBOURS_MAX sources
// remembered, of which each leads to one ping in a minute at most; DHT_NEIGHBOURS_BURST pings at
// once and DHT_NEIGHBOURS_PER_S a second, of all sources together.

#include "dht/random.h"
#include "pnr/dht.h"

#define DHT_NEIGHBOURS_PORT    3541 // UDP, of the group
#define DHT_NEIGHBOURS_MAX     64
#define DHT_NEIGHBOURS_BURST   16
#define DHT_NEIGHBOURS_PER_S   4
#define DHT_NEIGHBOURS_LEN_MAX 128 // bytes of an announcement; longer ones are malformed
#define DHT_NEIGHBOURS_VERSION 1

enum dht_neighbours_kind {
    DHT_NEIGHBOURS_HELLO, // here I am
    DHT_NEIGHBOURS_WHO,   // likewise, and who else is here?
};

struct dht_neighbours_message {
    enum dht_neighbours_kind kind;
    struct dht_id id;
};

enum dht_neighbours_verdict {
    DHT_NEIGHBOURS_ASK,       // worth a ping
    DHT_NEIGHBOURS_KNOWN,     // was asked within the last minute
    DHT_NEIGHBOURS_OWN,       // our own words, come back
    DHT_NEIGHBOURS_LIMITED,   // too many new ones at once
    DHT_NEIGHBOURS_MALFORMED, // no announcement
};

struct dht_neighbours {
    int64_t due_us;     // of our next announcement
    int64_t said_us;    // of our last; INT64_MIN: none
    uint32_t said;      // announcements so far, up to a few
    int64_t allowed_us; // the time up to which pings are paid for
    struct {
        struct dht_addr addr;
        int64_t asked_us;
    } heard[DHT_NEIGHBOURS_MAX];
    uint32_t heard_count;
};

// The group of a family and its port: ff02::70:6e72 and 239.192.112.110.
struct dht_addr dht_neighbours_group(enum dht_family family);

// Writes an announcement. Returns its length, at most DHT_NEIGHBOURS_LEN_MAX.
size_t dht_neighbours_write(const struct dht_neighbours_message *message,
                            uint8_t ret_bytes[DHT_NEIGHBOURS_LEN_MAX]);
// False where it is none, or of another version.
bool dht_neighbours_read(struct dht_span bytes, struct dht_neighbours_message *ret_message);

// Begins: the first announcement is due at once.
void dht_neighbours_init(struct dht_neighbours *neighbours, int64_t now_us);

// A datagram came to the group. own: our id. ret_id is written where the verdict is
// DHT_NEIGHBOURS_ASK. Who asks is answered by an announcement, soon: due_us may have changed.
enum dht_neighbours_verdict dht_neighbours_heard(struct dht_neighbours *neighbours, int64_t now_us,
                                                 struct dht_random *random,
                                                 const struct dht_id *own,
                                                 const struct dht_datagram *datagram,
                                                 struct dht_id *ret_id);

// due_us has come: what to announce now. The next time is set. alone: we know nobody.
enum dht_neighbours_kind dht_neighbours_say(struct dht_neighbours *neighbours, int64_t now_us,
                                            struct dht_random *random, bool alone);

#endif
