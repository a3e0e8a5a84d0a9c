// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_STREAM_H
#define PNR_SIMNET_STREAM_H

// Random numbers. The one seed of a simulation is expanded into streams, one for each purpose
// ("loss", "churn", ...), so that drawing more for one thing changes nothing about another. A
// stream is xoshiro256** (Blackman and Vigna 2018), for chance only: nothing secret comes from it.

#include <stdbool.h>
#include <stdint.h>

struct simnet_stream {
    uint64_t state[4];
};

// number tells apart streams of one purpose, such as those of two elements of a kind.
void simnet_stream_init(struct simnet_stream *stream, uint64_t seed, const char *purpose,
                        uint64_t number);

uint64_t simnet_stream_next(struct simnet_stream *stream);
// From 0 up to, not including, bound. bound 0: 0.
uint64_t simnet_stream_below(struct simnet_stream *stream, uint64_t bound);
// From 0 up to, not including, 1.
double simnet_stream_unit(struct simnet_stream *stream);
// True with this probability. Draws nothing where it is 0 or below.
bool simnet_stream_chance(struct simnet_stream *stream, double probability);
void simnet_stream_bytes(struct simnet_stream *stream, uint8_t *ret_bytes, uint32_t len);

// Distributions.
double simnet_stream_normal(struct simnet_stream *stream); // mean 0, deviation 1
double simnet_stream_exponential(struct simnet_stream *stream, double mean);
double simnet_stream_lognormal(struct simnet_stream *stream, double median, double sigma);
double simnet_stream_weibull(struct simnet_stream *stream, double shape, double scale);

// A number made of two others and a seed, the same each time: for what has to be remembered about
// many pairs without memory.
uint64_t simnet_stream_pair(uint64_t seed, uint64_t a, uint64_t b);
// The normal distribution's value (mean 0, deviation 1) that such a number stands for.
double simnet_stream_normal_of(uint64_t number);

#endif
