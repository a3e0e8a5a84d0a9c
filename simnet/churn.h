// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CHURN_H
#define PNR_SIMNET_CHURN_H

// Machines that come and go. Each stays for a session, is gone for a while, and comes back with its
// old disk, or as somebody new at another address. Sessions are Weibull distributed with a shape
// below 1: who has stayed long stays longer. That is what was measured in KAD, a Kademlia of
// millions, over months (Steiner, En-Najjary, Biersack, "Long Term Study of Peer Behavior in the
// KAD DHT", IEEE/ACM Transactions on Networking 17(5), 2009), and in Gnutella, BitTorrent and Kad
// (Stutzbach, Rejaie, "Understanding Churn in Peer-to-Peer Networks", IMC 2006: sessions are not
// exponential, most of those present at a time are stable while the rest turns over fast).
//
// It begins in the steady state: those that are up are within their sessions, which are longer than
// average, and not at their beginning. The number of machines that are up stays: as many machines
// are added, and are away at first, as will be away at any time.
//
// One task for each machine waits, and nothing is scanned. Owned by its maker; to be freed after
// the world has run for the last time.

#include "simnet/population.h"

struct simnet_churn_config {
    double session_median_us; // 0: nobody leaves on its own
    double session_shape;
    double gap_median_us; // how long a machine is away
    double gap_shape;
    double crash_share; // of the ends: power is cut; the others stop in order
    double fresh_share; // of the returns: with an empty disk and another address
    double moved_share; // with the old disk and another address: an ISP that renumbers
    double dead_share;  // of the addresses that a returning machine is told: nobody is there
    bool keeps_size;    // add machines that are away, so that as many are up as before
};

// Sessions of a median of 60 minutes, away for a median of 10, half of the ends are crashes.
void simnet_churn_config_init(struct simnet_churn_config *config);

// Everything countable. X-macro: name, meaning.
#define SIMNET_CHURN_COUNTERS(X)                                                                   \
    X(stopped, "machines that left in order")                                                      \
    X(crashed, "machines that crashed")                                                            \
    X(returned, "machines that came back as they were")                                            \
    X(moved, "machines that came back at another address")                                         \
    X(fresh, "machines that came as somebody new")                                                 \
    X(lost, "machines taken by a loss of many at once")                                            \
    X(back, "machines that came back from it")

struct simnet_churn_counters {
#define SIMNET_CHURN_COUNTER_FIELD(name, meaning) uint64_t name;
    SIMNET_CHURN_COUNTERS(SIMNET_CHURN_COUNTER_FIELD)
#undef SIMNET_CHURN_COUNTER_FIELD
};

struct simnet_churn;

// Begins now, for the machines [first, first + count); those that are adversaries never leave.
// config is copied.
struct simnet_churn *simnet_churn_new(struct simnet_world *world,
                                      const struct simnet_churn_config *config, uint32_t first,
                                      uint32_t count);
void simnet_churn_free(struct simnet_churn *churn);

// That machine stays as it is, and is started or stopped by others alone.
void simnet_churn_exempt(struct simnet_churn *churn, uint32_t number);
// Nobody leaves any more; who is away comes back when it is time.
void simnet_churn_calm(struct simnet_churn *churn);

// Others have ended the machine, or never want it started: it is lost, until simnet_churn_recover()
// or simnet_churn_give(). Of those that were added, too.
void simnet_churn_take(struct simnet_churn *churn, uint32_t number);
// Others have started a machine, lost or not: it comes and goes again.
void simnet_churn_give(struct simnet_churn *churn, uint32_t number);
// Whoever is lost, by simnet_churn_lose() or simnet_churn_take(), is so no more: who would be up is
// up now, the others come when it is time.
void simnet_churn_recover(struct simnet_churn *churn);

// Many at once.
struct simnet_churn_loss {
    double share;         // of the machines that are up then
    int64_t at_us;        // when the first go
    int64_t over_us;      // by when the last have gone; 0: all at one instant
    bool in_order;        // they stop; else power is cut
    int64_t back_us;      // so long after at_us the first come back; 0: by simnet_churn_recover()
    int64_t back_over_us; // and the last, later than these
};

void simnet_churn_lose(struct simnet_churn *churn, const struct simnet_churn_loss *loss);

// ---- looking in ----

const struct simnet_churn_counters *simnet_churn_counters(const struct simnet_churn *churn);
// The machines that were added, [*ret_first, *ret_first + result).
uint32_t simnet_churn_added(const struct simnet_churn *churn, uint32_t *ret_first);
// Looks at every machine.
uint32_t simnet_churn_up(const struct simnet_churn *churn);

// What is left, at some moment, of a Weibull distributed time that is under way then: the
// equilibrium distribution of renewal theory. A part, drawn evenly, of a time drawn by its length.
double simnet_churn_residual(struct simnet_stream *stream, double shape, double scale);
// The scale of the Weibull distribution with that median.
double simnet_churn_scale(double shape, double median);

#endif
