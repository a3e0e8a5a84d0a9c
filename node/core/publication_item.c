// SPDX-License-Identifier: MIT
#include "node/core/publication_item.h"

#include "dht/bencode.h"
#include "dht/krpc.h"

#include <assert.h>
#include <string.h>

static enum core_record_error encode(const struct core_publication *publication,
                                     uint8_t ret_msg[CORE_RECORD_LEN_MAX], size_t *ret_len)
{
    return core_record_encode(&publication->record, publication->key, ret_msg, ret_len);
}

static enum core_record_error check(const struct core_publication *publication)
{
    uint8_t msg[CORE_RECORD_LEN_MAX];
    size_t msg_len;
    return encode(publication, msg, &msg_len);
}

struct dht_item core_publication_item_own(const struct core_publication *publication,
                                          uint8_t value[DHT_VALUE_LEN_MAX])
{
    uint8_t msg[CORE_RECORD_LEN_MAX];
    size_t msg_len;
    struct dht_bencode_writer writer = dht_bencode_writer(value, DHT_VALUE_LEN_MAX);
    if (encode(publication, msg, &msg_len) != CORE_RECORD_OK)
        assert(!"a record that was encoded before can be encoded again");
    dht_bencode_put_string(&writer, msg, msg_len);
    struct dht_item item = {
        .is_mutable = true,
        .target = publication->target,
        .seq = publication->seq,
        .salt = {publication->salt, publication->salt_len},
        .value = {value, dht_bencode_written(&writer)},
    };
    memcpy(item.key, publication->key, sizeof item.key);
    memcpy(item.sig, publication->sig, sizeof item.sig);
    return item;
}

struct dht_item core_publication_item_foreign(const struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    struct dht_item item = {
        .is_mutable = true,
        .target = publication->target,
        .seq = lookup->seq,
        .salt = {publication->salt, publication->salt_len},
        .value = {lookup->value, lookup->value_len},
    };
    memcpy(item.key, publication->key, sizeof item.key);
    memcpy(item.sig, lookup->sig, sizeof item.sig);
    return item;
}

bool core_publication_item_others_stand(const struct core_publication *publication)
{
    return !publication->is_signed ||
           (publication->lookup.found && publication->lookup.seq > publication->base_seq);
}

bool core_publication_item_read_standing(struct node *node, struct core_publication *publication)
{
    const struct core_lookup *lookup = &publication->lookup;
    struct dht_span value = core_lookup_string(lookup);
    int64_t wall_s = core_brain_wall_us(node) / CORE_SECOND_US;
    if (!core_publication_item_others_stand(publication)) {
        publication->seen_seq = publication->seq;
        core_record_prune(&publication->record, wall_s);
        return true;
    }
    // What is read takes the place of what we signed: were this round to come to nothing, the next
    // would take it for ours.
    publication->is_signed = false;
    bool readable =
        lookup->found && lookup->is_mutable &&
        core_record_decode(publication->key, value, &publication->record) == CORE_RECORD_OK;
    if (!readable)
        core_record_init(&publication->record);
    else if (publication->standing != NULL)
        core_standing_merge(publication->standing, publication->key, publication->base_seq,
                            &publication->record);
    core_record_prune(&publication->record, wall_s);
    // Our own that it takes the place of may be left behind on some nodes, too.
    bool ours_is_newer = publication->seq > publication->seen_seq;
    publication->base_seq = ours_is_newer ? publication->seq : publication->seen_seq;
    // A key's unsalted record that is no record of ours nor of pkarr's is somebody's all the same.
    return readable || !lookup->found || publication->classifier_len > 0;
}

static struct dht_span comment_of(const struct core_publication_content *content)
{
    return (struct dht_span){content->comment, content->comment_len};
}

static struct dht_span payload_of(const struct core_publication_content *content)
{
    return (struct dht_span){content->payload, content->payload_len};
}

static enum core_record_error set_content(struct node *node, struct core_publication *publication,
                                          bool by_reference)
{
    const struct core_publication_content *content = &publication->content;
    struct core_record *record = &publication->record;
    int64_t until_us = core_brain_wall_us(node) + node->config.lifetime_us;
    struct core_record_entry entry = {
        .signed_until_s = until_us > 0 ? until_us / CORE_SECOND_US : 0,
        .lifetime_s = (uint32_t)(node->config.lifetime_us / CORE_SECOND_US),
    };
    memcpy(entry.machine, node->machine, sizeof entry.machine);
    enum core_record_error error =
        core_record_replace(record, &entry, content->endpoints, content->endpoint_count);
    // One comment and one payload a name: what we have goes in, and what the user has taken back
    // comes out, but a mere renewal leaves what another machine has put there, while there is one.
    bool is_ours = publication->fresh || record->entry_count == 1;
    if (error == CORE_RECORD_OK && (content->comment_len > 0 || is_ours))
        error = core_record_set_comment(record, comment_of(content));
    if (error == CORE_RECORD_OK && (content->payload_len > 0 || is_ours))
        error = core_record_set_payload(record, &node->crypto, content->payload_type,
                                        payload_of(content), by_reference);
    if (error == CORE_RECORD_OK)
        record->ttl_s = content->ttl_s != 0 ? content->ttl_s : node->config.ttl_s;
    return error;
}

// Nobody can tell whose comment and payload are. Where they are what we have put in, they go: of a
// payload kept apart nobody would renew the parts. Who has put in the same does so again.
static void take_out(struct node *node, struct core_publication *publication)
{
    const struct core_publication_content *content = &publication->content;
    struct core_record *record = &publication->record;
    core_record_remove(record, node->machine);
    if (content->comment_len > 0)
        core_record_clear_comment(record, comment_of(content));
    if (content->payload_len > 0)
        core_record_clear_payload(record, &node->crypto, content->payload_type,
                                  payload_of(content));
}

enum core_record_error core_publication_item_merge(struct node *node,
                                                   struct core_publication *publication)
{
    if (publication->anchor)
        return check(publication);
    if (publication->withdrawn) {
        take_out(node, publication);
        return check(publication);
    }
    struct core_record standing = publication->record;
    enum core_record_error error = set_content(node, publication, false);
    if (error == CORE_RECORD_OK)
        error = check(publication);
    if (error != CORE_RECORD_TOO_LARGE || publication->content.payload_len == 0)
        return error;
    // A payload that does not fit is kept apart.
    publication->record = standing;
    error = set_content(node, publication, true);
    return error == CORE_RECORD_OK ? check(publication) : error;
}

const char *core_publication_item_refusal_text(enum core_record_error error)
{
    switch (error) {
    case CORE_RECORD_ENDPOINTS:
        return "the name would have more than 10 endpoints, with those of other machines that "
               "publish it";
    case CORE_RECORD_ENTRIES:
        return "10 other machines publish the name already, and there can be no more";
    case CORE_RECORD_TOO_LARGE:
        return "the name's record would not fit into 996 bytes, with what other machines publish";
    default:
        return core_record_error_text(error);
    }
}

bool core_publication_item_sign(struct node *node, struct core_publication *publication,
                                struct dht_item *item)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    size_t text_len = dht_krpc_signed_text(item->salt, item->seq, item->value, text);
    if (!node->crypto.sign(node->crypto.ctx, item->key, (struct dht_span){text, text_len},
                           item->sig))
        return false;
    memcpy(publication->sig, item->sig, sizeof publication->sig);
    publication->is_signed = !publication->anchor;
    return true;
}
