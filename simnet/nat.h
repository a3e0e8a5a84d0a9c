// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_NAT_H
#define PNR_SIMNET_NAT_H

// A NAT: a box with one address outside, and any number of machines, or of other NATs, inside, who
// have private addresses from it. What goes out gets the address of the box and a port of it, its
// mapping; what comes in to that port goes where the mapping says, if the box lets it in.
//
//     kind              a mapping is for        and lets in
//     full cone         an address inside       everybody
//     restricted        an address inside       addresses that it has been used towards
//     port restricted   an address inside       addresses and ports that it has been used towards
//     symmetric         a pair of addresses     the one it was made towards
//
// (RFC 3489 section 5; in the words of RFC 4787: endpoint-independent mapping with three kinds of
// filtering, and address and port-dependent mapping.) A mapping is over when it was not used for
// its time; and so is the leave to send in. A carrier's NAT (CGNAT, RFC 6888) is one whose inside
// are other NATs, with a quota of ports for each.
//
//     machine --> NAT --> [its line, up] --> gate --> internet, or the carrier's NAT
//     internet, or the carrier's NAT --> [its line, down] --> NAT --> machine
//
// IPv6 passes unchanged and unfiltered: a machine's IPv6 address leads to it directly.
//
// Owned by its world. Bounds: config.mappings_max mappings, config.permits_max leaves,
// config.hosts_max hosts; what finds no room is dropped and counted.

#include "simnet/world.h"

enum simnet_nat_kind {
    SIMNET_NAT_FULL_CONE,
    SIMNET_NAT_RESTRICTED,
    SIMNET_NAT_PORT_RESTRICTED,
    SIMNET_NAT_SYMMETRIC,
};

// Which port a mapping gets.
enum simnet_nat_ports {
    SIMNET_NAT_PORTS_PRESERVED, // the one inside, where it is free; else the next
    SIMNET_NAT_PORTS_SEQUENTIAL,
    SIMNET_NAT_PORTS_RANDOM,
};

struct simnet_nat_config {
    enum simnet_nat_kind kind;
    enum simnet_nat_ports ports;
    int64_t timeout_us;     // of a mapping that is not used
    bool inbound_refreshes; // what comes in counts as use, too (RFC 4787 REQ-6 allows it)
    bool hairpins;          // machines inside reach each other by their mappings (REQ-9)
    uint16_t port_first, port_last;
    uint32_t mappings_max, permits_max, hosts_max;
    uint32_t ports_per_host; // the quota; 0: none
    uint8_t inside[4];       // the first address that is given out; of a private range
};

struct simnet_nat_counters {
    uint64_t out, in;       // packets let through
    uint64_t hairpinned;    // of those out, that went to the box's own address
    uint64_t no_hairpin;    // dropped, for it does not hairpin
    uint64_t unmapped;      // dropped, for nobody has that port
    uint64_t filtered;      // dropped, for their sender may not come in
    uint64_t mappings_full; // dropped, for there was no room for a mapping, or no port
    uint64_t permits_full;  // let out, but the answer will not get in
    uint64_t over_quota;    // dropped, for the host had all the mappings that it may have
    uint64_t stray;         // dropped, for they came from an address that nobody inside has
    uint64_t mappings_made;
};

struct simnet_nat;

// What is usual: two minutes, the least that RFC 4787 REQ-5 allows; ports preserved, by the
// symmetric kind drawn at random; 4,096 mappings, 16,384 leaves, 250 hosts from 192.168.1.2 on.
// Only the full cone hairpins: REQ-9 asks all to, but a quarter do (Ford, Srisuresh and Kegel,
// Peer-to- peer communication across NATs, 2005).
void simnet_nat_config_init(struct simnet_nat_config *config, enum simnet_nat_kind kind);
// A carrier's: of any kind, 64,512 mappings, 65,536 leaves, 16,384 hosts from 100.64.0.2 on (RFC
// 6598), a quota of 1,024 ports for each.
void simnet_nat_config_carrier(struct simnet_nat_config *config, enum simnet_nat_kind kind);

// A NAT that is not connected yet. number: tells its chances from those of other NATs; place: where
// on the internet it is.
struct simnet_nat *simnet_nat_new(struct simnet_world *world,
                                  const struct simnet_nat_config *config, uint64_t number,
                                  uint32_t place);
// Puts chains of elements (linked by next, ending with NULL; or NULL) between it and the outside.
// The world owns them from now on. Once, before it is connected.
void simnet_nat_line(struct simnet_nat *nat, struct simnet_element *up,
                     struct simnet_element *down);
// Connects it to the internet with that IPv4 address, whose port does not count. Again: it has
// another address from now on, and no mappings.
void simnet_nat_connect(struct simnet_nat *nat, const struct dht_addr *addr);
// Connects it behind another NAT, which gives it an address, and its place.
void simnet_nat_connect_behind(struct simnet_nat *nat, struct simnet_nat *carrier);
// It is switched off and on: its mappings are gone, its hosts keep their addresses.
void simnet_nat_reboot(struct simnet_nat *nat);
// From now on; mappings keep the times that they have. What is inside, and the maxima, stay.
void simnet_nat_set(struct simnet_nat *nat, const struct simnet_nat_config *config);

// The machine is inside from now on, wherever it was before: it has a private IPv4 address, with
// the port that it had, the NAT's place, and its brain, if it runs, hears of a change of network.
// False where the NAT has hosts_max hosts: the machine stays where it was.
bool simnet_nat_attach(struct simnet_nat *nat, struct simnet_machine *machine);
// The machine is behind no NAT any more, but at this address.
void simnet_nat_detach(struct simnet_machine *machine, const struct dht_addr *addr);
// The NAT that the machine is right behind; NULL where it is behind none.
struct simnet_nat *simnet_nat_of(const struct simnet_machine *machine);

// Its address outside, with port 0.
struct dht_addr simnet_nat_addr(const struct simnet_nat *nat);
const struct simnet_nat_counters *simnet_nat_counters(const struct simnet_nat *nat);
// Mappings now, those among them whose time is over and that nobody has come upon.
uint32_t simnet_nat_mappings(const struct simnet_nat *nat);

#endif
