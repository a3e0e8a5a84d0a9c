// SPDX-License-Identifier: MIT
#include "tests/core/brains.h"

#include "dht/addr.h"
#include "node/core/cloud.h"
#include "tests/core/crypto_helper.h"

#include <stdlib.h>

struct brains_datagram {
    struct brains_datagram *next;
    int64_t due_us;
    size_t from, to;
    int engine;
    size_t len;
    uint8_t bytes[DHT_DATAGRAM_MAX];
};

static uint64_t next_random(struct brains *brains)
{
    uint64_t z = brains->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// ---- keys ----

struct signer {
    struct brains *brains;
    size_t node;
};
static struct signer signers[BRAINS_MAX];

static void public_half(const uint8_t secret[32], uint8_t ret_key[32])
{
    size_t len = 32;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    assert(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, ret_key, &len) == 1);
    EVP_PKEY_free(pkey);
}

static bool sign(void *ctx, const uint8_t key[32], struct dht_span msg, uint8_t ret_sig[64])
{
    const struct signer *signer = ctx;
    struct brains *brains = signer->brains;
    for (uint32_t i = 0; i < brains->key_counts[signer->node]; i++) {
        uint8_t held[32];
        public_half(brains->secrets[signer->node][i], held);
        if (memcmp(held, key, 32) == 0)
            return helper_sign(brains->secrets[signer->node][i], key, msg, ret_sig);
    }
    return false;
}

void brains_add_key(struct brains *brains, size_t node, const char *label, uint8_t number,
                    uint8_t ret_key[32])
{
    uint8_t *secret = brains->secrets[node][brains->key_counts[node]++];
    memset(secret, number, 32);
    public_half(secret, ret_key);
    assert(node_key_added(brains->nodes[node], label, ret_key, "/keys/key.pem"));
}

// ---- life ----

static struct dht_addr addr_of(const struct brains *brains, size_t node, int engine)
{
    struct dht_addr addr = brains->addrs[node];
    if (engine == 1 && brains->lab)
        addr.ip[3] = 2;
    else if (engine == 1)
        addr = (struct dht_addr){.ip = {[15] = 1}, .ip_len = 16, .port = addr.port};
    return addr;
}

void brains_join_lab(struct brains *brains, size_t node)
{
    struct node_cloud_config cloud;
    struct dht_config engine;
    struct dht_addr first = addr_of(brains, 0, 1);
    node_cloud_config_init(&cloud, "lab");
    dht_config_init(&engine, DHT_IPV4);
    engine.lab = true;
    engine.addr = addr_of(brains, node, 1);
    int number = node_add_cloud(brains->nodes[node], brains->now_us, &cloud);
    assert(number > 0);
    brains->labs[node] = node_add_engine(brains->nodes[node], brains->now_us, number, &engine);
    assert(brains->labs[node] > 0);
    if (node > 0)
        node_bootstrap(brains->nodes[node], brains->now_us, brains->labs[node], &first, 1);
}

void brains_start(struct brains *brains, size_t node)
{
    uint8_t seed[32];
    struct node_config config;
    struct dht_config engine;
    struct node_cloud_config cloud;
    signers[node] = (struct signer){brains, node};
    struct dht_crypto crypto = {&signers[node], helper_sha1, helper_sha256, helper_verify, sign};
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)next_random(brains);
    node_config_init(&config);
    dht_config_init(&engine, DHT_IPV4);
    engine.lab = true;
    engine.addr = brains->addrs[node];
    if (brains->configure != NULL)
        brains->configure(node, &config, &engine);
    brains->nodes[node] =
        node_new(&config, &crypto, seed, brains->now_us, brains->now_us + brains->wall_offset_us);
    assert(brains->nodes[node] != NULL);
    node_cloud_config_init(&cloud, NODE_CLOUD_GLOBAL);
    assert(node_add_cloud(brains->nodes[node], brains->now_us, &cloud) == 0);
    assert(node_add_engine(brains->nodes[node], brains->now_us, 0, &engine) == 0);
    if (brains->dual) {
        engine.family = DHT_IPV6;
        engine.addr = addr_of(brains, node, 1);
        assert(node_add_engine(brains->nodes[node], brains->now_us, 0, &engine) == 1);
    }
    brains->labs[node] = -1;
    if (brains->lab)
        brains_join_lab(brains, node);
    static const enum node_row_kind order[] = {
        NODE_ROW_META, NODE_ROW_SEQUENCE, NODE_ROW_PUBLICATION, NODE_ROW_CONTACT, NODE_ROW_ITEM};
    struct brains_disk *disk = brains->disks[node];
    for (size_t kind = 0; kind < 5; kind++)
        for (size_t i = 0; i < disk->row_count; i++)
            if (disk->rows[i].kind == order[kind])
                node_restore(brains->nodes[node], order[kind],
                             (struct dht_span){disk->rows[i].key, disk->rows[i].key_len},
                             (struct dht_span){disk->rows[i].value, disk->rows[i].value_len});
    for (uint32_t i = 0; i < brains->key_counts[node]; i++) {
        uint8_t key[32];
        char label[] = "restored0";
        label[8] = (char)('0' + i);
        public_half(brains->secrets[node][i], key);
        assert(node_key_added(brains->nodes[node], label, key, "/keys/key.pem"));
    }
    node_start(brains->nodes[node], brains->now_us);
    for (int i = 0; i < (brains->dual ? 2 : 1) && node > 0; i++) {
        struct dht_addr first = addr_of(brains, 0, i);
        node_bootstrap(brains->nodes[node], brains->now_us, i, &first, 1);
    }
    brains->sessions[node] =
        node_session_open(brains->nodes[node], brains->now_us, NODE_ACCESS_CONTROL);
    control_frame_reader_init(&brains->readers[node], CONTROL_FRAME_MAX);
}

void brains_set_clock(struct brains *brains, int64_t change_us)
{
    brains->wall_offset_us += change_us;
    for (size_t i = 0; i < brains->count; i++)
        if (brains->nodes[i] != NULL)
            node_wall(brains->nodes[i], brains->now_us, brains->now_us + brains->wall_offset_us);
}

void brains_kill(struct brains *brains, size_t node)
{
    node_free(brains->nodes[node]);
    brains->nodes[node] = NULL;
    control_frame_reader_free(&brains->readers[node]);
    brains->disks[node]->waiting_count = 0;
}

void brains_init(struct brains *brains, size_t count, uint64_t seed)
{
    brains->count = count;
    brains->random = seed;
    brains->now_us = 5000000;
    brains->wall_offset_us = INT64_C(1790000000000000);
    for (size_t i = 0; i < count; i++) {
        brains->addrs[i] =
            (struct dht_addr){.ip = {127, 0, 0, 1}, .ip_len = 4, .port = (uint16_t)(20001 + i)};
        brains->disks[i] = calloc(1, sizeof *brains->disks[i]);
        brains_start(brains, i);
    }
    brains_run(brains, 20 * INT64_C(1000000));
}

void brains_fini(struct brains *brains)
{
    for (size_t i = 0; i < brains->count; i++) {
        if (brains->nodes[i] != NULL)
            brains_kill(brains, i);
        free(brains->disks[i]);
        free(brains->answers[i]);
    }
    while (brains->queue != NULL) {
        struct brains_datagram *next = brains->queue->next;
        free(brains->queue);
        brains->queue = next;
    }
    memset(brains, 0, sizeof *brains);
}

// ---- outputs ----

static void send_datagram(struct brains *brains, size_t node, int engine,
                          const struct dht_datagram *out)
{
    struct dht_krpc msg;
    size_t to = (size_t)(out->addr.port - 20001);
    if (brains->lab)
        engine = engine == brains->labs[node];
    brains->sent++;
    if (dht_krpc_parse(out->bytes, &msg) && msg.type == DHT_KRPC_QUERY &&
        msg.method == DHT_KRPC_PUT && msg.has_seq && brains->on_put != NULL)
        brains->on_put(brains, node, &msg);
    if (to >= brains->count || next_random(brains) % 100 < brains->loss_percent)
        return;
    struct brains_datagram *datagram = malloc(sizeof *datagram);
    datagram->from = node;
    datagram->to = to;
    datagram->engine = engine;
    datagram->len = out->bytes.len;
    datagram->due_us = brains->now_us + 5000 + (int64_t)(next_random(brains) % 20000);
    memcpy(datagram->bytes, out->bytes.data, out->bytes.len);
    struct brains_datagram **link = &brains->queue;
    while (*link != NULL && (*link)->due_us <= datagram->due_us)
        link = &(*link)->next;
    datagram->next = *link;
    *link = datagram;
}

static void write_row(struct brains_disk *disk, const struct node_out *out)
{
    size_t at = 0;
    while (at < disk->row_count &&
           (disk->rows[at].kind != out->write.kind ||
            disk->rows[at].key_len != out->write.key.len ||
            memcmp(disk->rows[at].key, out->write.key.data, out->write.key.len) != 0))
        at++;
    if (out->write.value.len == 0) {
        if (at < disk->row_count)
            disk->rows[at] = disk->rows[--disk->row_count];
        return;
    }
    if (at == disk->row_count) {
        assert(disk->row_count < BRAINS_ROWS_MAX);
        disk->row_count++;
    }
    struct brains_row *row = &disk->rows[at];
    row->kind = out->write.kind;
    row->key_len = out->write.key.len;
    memcpy(row->key, out->write.key.data, row->key_len);
    row->value_len = out->write.value.len;
    memcpy(row->value, out->write.value.data, row->value_len);
}

static void take_answer(struct brains *brains, size_t node, struct dht_span body)
{
    struct control_frame_answer frame;
    assert(control_frame_open_answer(body, &frame));
    brains->answers[node] = realloc(brains->answers[node], (brains->answer_counts[node] + 1) *
                                                               sizeof *brains->answers[node]);
    struct brains_answer *answer = &brains->answers[node][brains->answer_counts[node]++];
    answer->id = frame.id;
    answer->kind = frame.answer;
    answer->fields_len = frame.fields.len;
    assert(frame.fields.len <= sizeof answer->fields);
    memcpy(answer->fields, frame.fields.data, frame.fields.len);
}

static void drain(struct brains *brains, size_t node)
{
    struct node_out out;
    uint64_t written[64];
    size_t written_count = 0;
    size_t sent = 0;
    struct brains_disk *disk = brains->disks[node];
    while (node_next(brains->nodes[node], &out)) {
        if (brains->on_out != NULL && !brains->on_out(brains, node, &out))
            return;
        if (out.type == NODE_OUT_DATAGRAM)
            send_datagram(brains, node, out.engine, &out.datagram);
        if (out.type == NODE_OUT_BYTES && out.session == brains->sessions[node]) {
            struct dht_span bytes = out.bytes;
            struct dht_span body;
            sent += bytes.len;
            while (control_frame_read(&brains->readers[node], &bytes, &body) == CONTROL_FRAME_WHOLE)
                take_answer(brains, node, body);
        }
        if (out.type != NODE_OUT_WRITE)
            continue;
        if (!disk->broken)
            write_row(disk, &out);
        if (out.write.write_id != 0 && disk->stuck && disk->waiting_count < 64)
            disk->waiting[disk->waiting_count++] = out.write.write_id;
        else if (out.write.write_id != 0 && written_count < 64)
            written[written_count++] = out.write.write_id;
    }
    if (sent > 0)
        node_session_sent(brains->nodes[node], brains->now_us, brains->sessions[node], sent);
    for (size_t i = 0; i < written_count; i++)
        node_written(brains->nodes[node], brains->now_us, written[i], !disk->broken);
    if (written_count > 0 || sent > 0)
        drain(brains, node);
}

void brains_leave_lab(struct brains *brains, size_t node)
{
    struct node *brain = brains->nodes[node];
    const struct core_engine *engine = core_cloud_engine(brain, brains->labs[node]);
    brains->labs[node] = -1;
    node_remove_cloud(brain, brains->now_us, engine->cloud->number);
    drain(brains, node);
}

void brains_unstick(struct brains *brains, size_t node)
{
    struct brains_disk *disk = brains->disks[node];
    disk->stuck = false;
    for (size_t i = 0; i < disk->waiting_count; i++)
        node_written(brains->nodes[node], brains->now_us, disk->waiting[i], !disk->broken);
    disk->waiting_count = 0;
    drain(brains, node);
}

// ---- time ----

static int64_t next_moment(const struct brains *brains)
{
    int64_t next_us = brains->queue != NULL ? brains->queue->due_us : INT64_MAX;
    for (size_t i = 0; i < brains->count; i++) {
        int64_t deadline_us =
            brains->nodes[i] != NULL ? node_deadline(brains->nodes[i]) : INT64_MAX;
        next_us = deadline_us < next_us ? deadline_us : next_us;
    }
    return next_us;
}

static void step(struct brains *brains)
{
    while (brains->queue != NULL && brains->queue->due_us <= brains->now_us) {
        struct brains_datagram *datagram = brains->queue;
        brains->queue = datagram->next;
        if (brains->nodes[datagram->to] != NULL) {
            struct dht_datagram in = {addr_of(brains, datagram->from, datagram->engine),
                                      {datagram->bytes, datagram->len}};
            bool lab = brains->lab && datagram->engine == 1;
            int engine = lab ? brains->labs[datagram->to] : datagram->engine;
            if (engine >= 0)
                node_receive(brains->nodes[datagram->to], brains->now_us, engine, &in, 1);
            drain(brains, datagram->to);
        }
        free(datagram);
    }
    for (size_t i = 0; i < brains->count; i++) {
        if (brains->nodes[i] == NULL || node_deadline(brains->nodes[i]) > brains->now_us)
            continue;
        node_tick(brains->nodes[i], brains->now_us);
        node_wall(brains->nodes[i], brains->now_us, brains->now_us + brains->wall_offset_us);
        drain(brains, i);
    }
}

void brains_run(struct brains *brains, int64_t duration_us)
{
    int64_t end_us = brains->now_us + duration_us;
    for (int64_t next_us; (next_us = next_moment(brains)) <= end_us;) {
        brains->now_us = next_us > brains->now_us ? next_us : brains->now_us;
        step(brains);
    }
    brains->now_us = end_us;
}

// ---- clients ----

const struct brains_answer *brains_answer(const struct brains *brains, size_t node, uint32_t id,
                                          enum control_answer kind, size_t number)
{
    for (size_t i = 0; i < brains->answer_counts[node]; i++) {
        const struct brains_answer *answer = &brains->answers[node][i];
        if (answer->id == id && answer->kind == kind && number-- == 0)
            return answer;
    }
    return NULL;
}

size_t brains_count(const struct brains *brains, size_t node, uint32_t id, enum control_answer kind)
{
    size_t count = 0;
    while (brains_answer(brains, node, id, kind, count) != NULL)
        count++;
    return count;
}

const struct brains_answer *brains_wait(struct brains *brains, size_t node, uint32_t id)
{
    for (int i = 0; i < 600; i++) {
        const struct brains_answer *done = brains_answer(brains, node, id, CONTROL_ANSWER_DONE, 0);
        const struct brains_answer *error =
            brains_answer(brains, node, id, CONTROL_ANSWER_ERROR, 0);
        if (done != NULL || error != NULL)
            return done != NULL ? done : error;
        brains_run(brains, 100000);
    }
    return NULL;
}

uint32_t brains_ask(struct brains *brains, size_t node, const char *word,
                    void (*write)(struct dht_bencode_writer *writer, const void *ctx),
                    const void *ctx)
{
    static uint32_t ids;
    static uint8_t buf[CONTROL_FRAME_MAX];
    struct dht_bencode_writer writer = control_frame_begin_request(buf, sizeof buf);
    if (brains->cloud != NULL) { // sorts before all that is asked together with it
        dht_bencode_put_text(&writer, CONTROL_KEY_CLOUD);
        dht_bencode_put_text(&writer, brains->cloud);
    }
    if (write != NULL)
        write(&writer, ctx);
    size_t len = control_frame_end_request(&writer, ++ids, word);
    assert(len > 0);
    node_session_bytes(brains->nodes[node], brains->now_us, brains->sessions[node],
                       (struct dht_span){buf, len});
    drain(brains, node);
    return ids;
}

struct resolve_arguments {
    const char *name;
    const char *wait;
};

static void write_resolve(struct dht_bencode_writer *writer, const void *ctx)
{
    const struct resolve_arguments *arguments = ctx;
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, arguments->name);
    dht_bencode_put_text(writer, CONTROL_KEY_WAIT);
    dht_bencode_put_text(writer, arguments->wait);
}

uint32_t brains_resolve(struct brains *brains, size_t node, const char *name, const char *wait)
{
    struct resolve_arguments arguments = {name, wait};
    return brains_ask(brains, node, "resolve", write_resolve, &arguments);
}

struct publish_arguments {
    const char *name;
    uint16_t port;
    const char *comment;
};

static void write_publish(struct dht_bencode_writer *writer, const void *ctx)
{
    const struct publish_arguments *arguments = ctx;
    struct control_endpoint endpoint = {
        .ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6, .port = arguments->port};
    if (arguments->comment != NULL) {
        uint8_t units[CONTROL_COMMENT_MAX];
        size_t len = strlen(arguments->comment);
        for (size_t i = 0; i < len; i++) {
            units[2 * i] = (uint8_t)arguments->comment[i];
            units[2 * i + 1] = 0;
        }
        dht_bencode_pair_string(writer, CONTROL_KEY_COMMENT, units, 2 * len);
    }
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, &endpoint, 1);
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, arguments->name);
}

uint32_t brains_publish(struct brains *brains, size_t node, const char *name, uint16_t port,
                        const char *comment)
{
    struct publish_arguments arguments = {name, port, comment};
    return brains_ask(brains, node, "publish", write_publish, &arguments);
}

static void write_name(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, ctx);
}

uint32_t brains_unpublish(struct brains *brains, size_t node, const char *name)
{
    return brains_ask(brains, node, "unpublish", write_name, name);
}

int brains_error(const struct brains_answer *answer)
{
    int64_t code;
    struct control_fields_range any = {0, 1000};
    struct dht_span fields = {answer->fields, answer->fields_len};
    if (answer->kind != CONTROL_ANSWER_ERROR ||
        !control_fields_int(fields, CONTROL_KEY_CODE, any, &code))
        return -1;
    return (int)code;
}
