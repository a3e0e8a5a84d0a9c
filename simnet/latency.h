// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_LATENCY_H
#define PNR_SIMNET_LATENCY_H

// The latency element: how long a packet takes from one place to another. A pair of places has one
// round trip, the same at all times and both ways; half of it is the way of one packet. Nothing is
// remembered about places: what is needed is computed from the seed and their numbers, by hashing
// and looking up, so that a million places cost no memory. Nobody's place (SIMNET_PACKET_NOBODY) is
// as far as any other, and a place is the least round trip away from itself.
//
// simnet_latency_internet() is the internet as it is measured. It puts places at coordinates:
//
// - Seventeen regions lie in a space of three dimensions, in milliseconds, fitted by least squares
//   to the medians over a year of the round trips between data centres of Amazon's in those regions
//   (cloudping.co, percentile 50 over one year, as of 29 May 2025; 122 pairs). The fit is off by
//   4.5 % in the median and by 11.5 % at the 90th percentile. Distances obey the triangle
//   inequality, as most round trips on the internet do. A region at the end of long cables (South
//   America, southern Africa, Scandinavia) has a height of its own, which whatever enters it pays.
// - A place lies some milliseconds beside the middle of its region, and has a height: the delay of
//   its access line, which it pays towards everybody. That coordinates with a height fit the
//   internet best is Dabek et al., Vivaldi, SIGCOMM 2004. The height is lognormal with a long tail,
//   for round trips to homes of one country differ from tens of milliseconds to over a second
//   (Steiner and Biersack, Where is my peer?, Networking 2009).
// - Each pair has a detour, 10 % in deviation, so that a few triangles are broken, as they are on
//   the internet (Ledlie, Gardner and Seltzer, Network coordinates in the wild, NSDI 2007), and
//   nothing can be tuned to a geometry that is too good.
//
// The regions' shares of places, two thirds in Europe and a quarter in North America, and the
// heights are chosen so that the median of all pairs is near 100 ms, between the 76 ms of 192 hosts
// of PlanetLab and the 159 ms of 1740 name servers measured by the King method (both in Dabek et
// al. 2004; King: Gummadi, Saroiu and Gribble, IMW 2002). Over all pairs of places it gives, in ms:
//
//     p1 12   p10 27   p25 47   p50 106   p75 174   p90 234   p95 273   p99 429   p99.9 1442
//
// An element costs at most 22 KiB, and a packet about 15 ns.

#include "simnet/element.h"

#include <stddef.h>

#define SIMNET_LATENCY_REGIONS_MAX 64

// Always the same, one way, also from a place to itself.
struct simnet_element *simnet_latency_constant(int64_t one_way_us);

// A round trip of its own for each pair of places: lognormal, with that median and deviation of its
// logarithm, and at least min_us. Without any structure: the neighbours of a neighbour are
// anywhere.
struct simnet_element *simnet_latency_lognormal(uint64_t seed, int64_t median_rtt_us, double sigma,
                                                int64_t min_us);

// The internet, as told above.
struct simnet_element *simnet_latency_internet(uint64_t seed);
// The same internet, whose places all have wired access lines: what the last mile to homes takes
// was found to be steady, day and night (Bajpai, Eravuchira and Schoenwaelder, Dissecting last-mile
// latency characteristics, CCR 2017), and without radio, satellites and full queues nobody is a
// second away from everybody. The height is lognormal, 10 ms in the median and 57 at the 99th
// percentile: figures that are chosen, not fitted. Over all pairs, in ms:
//
//     p1 19   p10 34   p25 50   p50 101   p75 163   p90 219   p95 244   p99 292   p99.9 360
struct simnet_element *simnet_latency_wired(uint64_t seed);

// A round trip for each pair of regions, and the delay of each place's access line: lognormal, in
// its contribution to the round trip. Places fall into regions by their shares.
struct simnet_latency_matrix {
    uint32_t region_count;   // at most SIMNET_LATENCY_REGIONS_MAX
    const double *rtt_ms;    // region_count rows of as many; of the two ways the upper right counts
    const double *weights;   // the regions' shares of places, in any unit
    double access_median_ms; // 0: none
    double access_sigma;
};
// Copies what it needs.
struct simnet_element *simnet_latency_matrix(uint64_t seed,
                                             const struct simnet_latency_matrix *matrix);

// ---- for tests, checkers and plots ----
// The element is one of the above.

// The round trip between two places.
int64_t simnet_latency_rtt(const struct simnet_element *element, uint32_t a, uint32_t b);
// The region of a place, in its latency matrix or on the internet; 0 where there are none.
uint32_t simnet_latency_region(const struct simnet_element *element, uint32_t place);
// The round trips below which the given shares (0 to 1) of pairs of places lie, from so many pairs
// drawn of the places from 0 up to, not including, places.
void simnet_latency_quantiles(const struct simnet_element *element, uint32_t places,
                              uint32_t samples, const double *shares, size_t share_count,
                              int64_t *ret_rtts_us);

#endif
