// SPDX-License-Identifier: MIT
#include "bench/verify.h"

#include "bench/process.h"
#include "dht/krpc.h"
#include "node/daemon/ed25519.h"

#include <time.h>
#ifdef PNR_HAVE_SODIUM
#include <sodium.h>
#endif

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double rate_of(daemon_ed25519_fn verify, const struct dht_item *items, size_t count)
{
    double start_s = cpu_s();
    for (size_t i = 0; i < count; i++) {
        uint8_t text[DHT_KRPC_SIGNED_MAX];
        size_t len = dht_krpc_signed_text(items[i].salt, items[i].seq, items[i].value, text);
        if (!verify(items[i].key, items[i].sig, (struct dht_span){text, len}))
            bench_die("verify", "a good signature was refused");
    }
    return (double)count / (cpu_s() - start_s);
}

void bench_verify_rates(const struct dht_item *items, size_t count, double ret_rates[2])
{
    ret_rates[0] = rate_of(daemon_ed25519_openssl, items, count);
    ret_rates[1] = 0;
#ifdef PNR_HAVE_SODIUM
    if (sodium_init() >= 0)
        ret_rates[1] = rate_of(daemon_ed25519_sodium, items, count);
#endif
}
