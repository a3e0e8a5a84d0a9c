// SPDX-License-Identifier: MIT
#include "simnet/stream.h"

#include <math.h>
#include <string.h>

// Steele, Lea and Flood's splitmix64: spreads a seed over the bits of a state.
static uint64_t split(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void simnet_stream_init(struct simnet_stream *stream, uint64_t seed, const char *purpose,
                        uint64_t number)
{
    uint64_t state = seed;
    for (const char *c = purpose; *c != '\0'; c++)
        state = split(&state) ^ (uint8_t)*c;
    state = split(&state) ^ number;
    for (int i = 0; i < 4; i++)
        stream->state[i] = split(&state);
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t simnet_stream_next(struct simnet_stream *stream)
{
    uint64_t *s = stream->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t simnet_stream_below(struct simnet_stream *stream, uint64_t bound)
{
    if (bound == 0)
        return 0;
    // What lies past the last whole multiple of bound is drawn again, so that none is favoured.
    uint64_t past = UINT64_MAX - UINT64_MAX % bound;
    uint64_t drawn;
    do
        drawn = simnet_stream_next(stream);
    while (drawn >= past);
    return drawn % bound;
}

static double unit_of(uint64_t number)
{
    return (double)(number >> 11) * 0x1p-53;
}

double simnet_stream_unit(struct simnet_stream *stream)
{
    return unit_of(simnet_stream_next(stream));
}

bool simnet_stream_chance(struct simnet_stream *stream, double probability)
{
    return probability > 0 && simnet_stream_unit(stream) < probability;
}

void simnet_stream_bytes(struct simnet_stream *stream, uint8_t *ret_bytes, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += 8) {
        uint64_t drawn = simnet_stream_next(stream);
        uint32_t part = len - at < 8 ? len - at : 8;
        memcpy(ret_bytes + at, &drawn, part);
    }
}

// Acklam's rational approximation of the inverse of the normal distribution, exact to 1e-9: one
// draw a value, and no rejection, so that streams stay in step whatever the values.
static double normal_at(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                               -2.759285104469687e+02, 1.383577518672690e+02,
                               -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                               -1.556989798598866e+02, 6.680131188771972e+01,
                               -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                               -2.400758277161838e+00, -2.549732539343734e+00,
                               4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    const double low = 0.02425;
    if (p < low || p > 1 - low) {
        double q = sqrt(-2 * log(p < low ? p : 1 - p));
        double value = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
                       ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
        return p < low ? value : -value;
    }
    double q = p - 0.5;
    double r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

double simnet_stream_normal_of(uint64_t number)
{
    return normal_at(unit_of(number) + 0x1p-54); // never 0
}

double simnet_stream_normal(struct simnet_stream *stream)
{
    return simnet_stream_normal_of(simnet_stream_next(stream));
}

double simnet_stream_exponential(struct simnet_stream *stream, double mean)
{
    return -mean * log(1 - simnet_stream_unit(stream));
}

double simnet_stream_lognormal(struct simnet_stream *stream, double median, double sigma)
{
    return median * exp(sigma * simnet_stream_normal(stream));
}

double simnet_stream_weibull(struct simnet_stream *stream, double shape, double scale)
{
    return scale * pow(-log(1 - simnet_stream_unit(stream)), 1 / shape);
}

uint64_t simnet_stream_pair(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t state = seed ^ (a * UINT64_C(0xff51afd7ed558ccd)) ^ rotate(b, 32);
    return split(&state);
}
