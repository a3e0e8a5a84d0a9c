// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_SITE_H
#define PNR_SIMNET_SITE_H

// A site: what is at the end of one line to the internet. A home with its NAT, or an office whose
// machines have public addresses; with the rates of the line up and down, and what it loses.
//
//     machine --> [NAT] --> rate up --> loss up --> internet, or the carrier's NAT
//     internet, or the carrier's NAT --> loss down --> rate down --> [NAT] --> machine
//
// Owned by its world. Bounds: SIMNET_SITE_MACHINES_MAX machines without a NAT; with one, what the
// NAT takes.

#include "simnet/nat.h"
#include "simnet/rate.h"

#define SIMNET_SITE_MACHINES_MAX 8

struct simnet_site_config {
    struct simnet_rate_config up, down;  // bits_per_s 0: without limit, and no such element
    double loss_up, loss_down;           // 0: no such element
    const struct simnet_nat_config *nat; // NULL: none; read at once
    struct simnet_nat *carrier;          // that the NAT is behind; NULL: the internet
};

struct simnet_site;

// number: tells its chances from those of other sites. addr: of its NAT, where it has one and no
// carrier; else it may be NULL.
struct simnet_site *simnet_site_new(struct simnet_world *world,
                                    const struct simnet_site_config *config, uint64_t number,
                                    const struct dht_addr *addr, uint32_t place);
// The machine is there from now on. Without a NAT it keeps its addresses, which have to be its
// alone. False where the site is full: it stays where it was.
bool simnet_site_add(struct simnet_site *site, struct simnet_machine *machine);
// The site's NAT has another address from now on, about which nobody inside hears; without a NAT,
// the machine has, which does hear. Not behind a carrier (asserted).
void simnet_site_move(struct simnet_site *site, struct simnet_machine *machine,
                      const struct dht_addr *addr);
// From now on; only where the site was made with such an element (asserted).
void simnet_site_set_rate(struct simnet_site *site, const struct simnet_rate_config *up,
                          const struct simnet_rate_config *down);
void simnet_site_set_loss(struct simnet_site *site, double up, double down);

struct simnet_nat *simnet_site_nat(const struct simnet_site *site); // NULL: it has none

#endif
