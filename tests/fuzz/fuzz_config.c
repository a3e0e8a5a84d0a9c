// SPDX-License-Identifier: MIT
// pnrd's configuration: what is read is dumped and read again the same; what is refused is told.
#include "node/daemon/config.h"
#include "tests/fuzz/fuzz.h"

static size_t reports;

static void report(void *ctx, const char *text)
{
    (void)ctx;
    FUZZ_CHECK(text[0] != '\0');
    reports++;
}

static bool read_text(const char *text, size_t len, struct daemon_config *ret_config)
{
    FILE *stream = fmemopen((void *)(uintptr_t)text, len, "r");
    FUZZ_CHECK(stream != NULL);
    reports = 0;
    bool good = daemon_config_read_stream(stream, "fuzz", ret_config, report, NULL);
    fclose(stream);
    FUZZ_CHECK(good == (reports == 0));
    return good;
}

static size_t dump(const struct daemon_config *config, char **ret_text)
{
    size_t len;
    FILE *stream = open_memstream(ret_text, &len);
    FUZZ_CHECK(stream != NULL);
    daemon_config_dump(config, stream);
    FUZZ_CHECK(fclose(stream) == 0);
    return len;
}

static void use(const struct daemon_config *config)
{
    for (size_t i = 0; i < config->cloud_count; i++) {
        struct dht_config engine;
        struct node_config node;
        dht_config_init(&engine, DHT_IPV4);
        node_config_init(&node);
        daemon_config_cloud_apply(&config->clouds[i], &engine);
        daemon_config_node_apply(config, &node);
        (void)daemon_config_cloud_is_lab(&config->clouds[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct daemon_config config;
    static struct daemon_config again;
    char *first;
    char *second;
    if (size == 0 || !read_text((const char *)data, size, &config))
        return 0;
    use(&config);
    size_t first_len = dump(&config, &first);
    FUZZ_CHECK(read_text(first, first_len, &again));
    size_t second_len = dump(&again, &second);
    FUZZ_CHECK(first_len == second_len && memcmp(first, second, first_len) == 0);
    daemon_config_reload(&again, &config, NULL, NULL, NULL);
    free(first);
    free(second);
    return 0;
}
