// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_VERIFY_H
#define PNR_BENCH_VERIFY_H

// How many Ed25519 signatures of the length of an item OpenSSL and libsodium verify in a second of
// processor time, each by itself: 0 where it is not built in.
void bench_verify_rates(double ret_rates[2]);

#endif
