// SPDX-License-Identifier: MIT
#include "node/recording/config.h"

#include <assert.h>
#include <string.h>

// Where a field was added to a configuration, it has to be added below too, or replays would go
// wrong: these are here to remind of it. The format is then another one (RECORDING_HEAD).
static_assert(sizeof(void *) != 8 || sizeof(struct node_config) == 120, "see the comment above");
static_assert(sizeof(struct node_cloud_config) == 48, "see the comment above");
static_assert(sizeof(void *) != 8 || sizeof(struct dht_config) == 192, "see the comment above");

// A text in an array of its own. Fails where it has no end.
static void text_array(struct recording_coder *coder, char *text, size_t text_len)
{
    recording_coder_bytes(coder, text, text_len);
    if (coder->ok && memchr(text, '\0', text_len) == NULL)
        recording_coder_fail(coder, "a text without an end");
}

static void size(struct recording_coder *coder, size_t *value)
{
    uint64_t wide = *value;
    recording_coder_u64(coder, &wide);
    if (coder->ok && wide > SIZE_MAX)
        recording_coder_fail(coder, "a size that is too large for this machine");
    if (coder->ok)
        *value = (size_t)wide;
}

// A span of time that is no less than 0.
static void duration(struct recording_coder *coder, int64_t *value_us)
{
    recording_coder_time(coder, value_us);
    recording_coder_check(coder, *value_us >= 0, "a time below 0");
}

void recording_config_node(struct recording_coder *coder, struct node_config *config)
{
    text_array(coder, config->version, sizeof config->version);
    recording_coder_u32(coder, &config->node_index);
    recording_coder_u32(coder, &config->node_count);
    recording_coder_u32(coder, &config->sessions_max);
    recording_coder_u32(coder, &config->session_out_max);
    recording_coder_u32(coder, &config->requests_max);
    recording_coder_u32(coder, &config->resolves_max);
    recording_coder_u32(coder, &config->watches_max);
    recording_coder_u32(coder, &config->publications_max);
    recording_coder_u32(coder, &config->publishing_max);
    recording_coder_u32(coder, &config->keys_max);
    recording_coder_u32(coder, &config->cache_max);
    recording_coder_u32(coder, &config->negative_ttl_s);
    recording_coder_u32(coder, &config->ttl_s);
    duration(coder, &config->renew_us);
    duration(coder, &config->lifetime_us);
    duration(coder, &config->snapshot_us);
    recording_coder_bool(coder, &config->keep_items);
}

void recording_config_cloud(struct recording_coder *coder, struct node_cloud_config *config)
{
    int scope = (int)config->scope;
    text_array(coder, config->name, sizeof config->name);
    recording_coder_choice(coder, &scope, NODE_SCOPE_GLOBAL, NODE_SCOPE_LINK);
    config->scope = (enum node_scope)scope;
    recording_coder_u32(coder, &config->scope_id);
    recording_coder_bool(coder, &config->disabled);
}

static void family(struct recording_coder *coder, struct dht_config *config)
{
    int value = (int)config->family;
    recording_coder_choice(coder, &value, DHT_IPV4, DHT_IPV6);
    recording_coder_check(coder, value == DHT_IPV4 || value == DHT_IPV6, "no address family");
    config->family = (enum dht_family)value;
}

static void role(struct recording_coder *coder, struct dht_config *config)
{
    int value = (int)config->role;
    recording_coder_choice(coder, &value, DHT_ROLE_AUTO, DHT_ROLE_CLIENT);
    config->role = (enum dht_role)value;
}

void recording_config_dht(struct recording_coder *coder, struct dht_config *config)
{
    family(coder, config);
    role(coder, config);
    recording_coder_bool(coder, &config->lab);
    recording_coder_bool(coder, &config->unlimited);
    recording_coder_bytes(coder, config->id.bytes, sizeof config->id.bytes);
    recording_coder_addr(coder, &config->addr);
    recording_coder_bytes(coder, config->version, sizeof config->version);
    recording_coder_u32(coder, &config->bucket_size);
    recording_coder_u32(coder, &config->first_bucket_size);
    recording_coder_u32(coder, &config->replacements);
    recording_coder_u32(coder, &config->lookup_width);
    recording_coder_u32(coder, &config->store_width);
    recording_coder_u32(coder, &config->in_flight);
    recording_coder_u32(coder, &config->ops_max);
    recording_coder_u32(coder, &config->candidates_max);
    recording_coder_u32(coder, &config->queries_max);
    recording_coder_u32(coder, &config->items_max);
    size(coder, &config->items_bytes_max);
    recording_coder_u32(coder, &config->items_per_source_max);
    recording_coder_u32(coder, &config->swarms_max);
    recording_coder_u32(coder, &config->peers_max);
    recording_coder_u32(coder, &config->peers_per_swarm_max);
    recording_coder_u32(coder, &config->registrations_max);
    duration(coder, &config->item_lifetime_us);
    duration(coder, &config->peer_lifetime_us);
    recording_coder_u32(coder, &config->watches_max);
    recording_coder_u32(coder, &config->watchers_max);
    recording_coder_u32(coder, &config->watchers_per_target_max);
    recording_coder_u32(coder, &config->watchers_per_source_max);
    recording_coder_u32(coder, &config->pushes_max);
    recording_coder_u32(coder, &config->sources_max);
    recording_coder_u32(coder, &config->queries_per_source);
    recording_coder_u32(coder, &config->verifies_per_second);
    size(coder, &config->outbox_max);
    size(coder, &config->outbox_keep);
}
