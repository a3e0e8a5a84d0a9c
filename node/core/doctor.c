// SPDX-License-Identifier: MIT
#include "node/core/doctor.h"

#include "dht/addr.h"
#include "node/core/publication.h"
#include "node/core/registration.h"
#include "node/core/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   512
#define CHECK_MAX  64
#define PINGS_MAX  (CORE_DOCTOR_PINGS_MAX * NODE_ENGINES_MAX)
#define COPIES_FEW 8                  // fewer copies of a name are soon gone: it lives on 20 nodes
#define SEQ_NEAR   (INT64_C(1) << 61) // a sequence number near its end, 2^62
#define YOUNG_US   (15 * CORE_MINUTE_US) // it takes so long to find out whether we are reachable

struct core_doctor {
    struct core_request *request;
    enum core_doctor_state state;
    uint32_t warnings;
    uint32_t failures;
    // BOOTSTRAP: of one cloud after the other.
    int cloud; // its number; -1: none yet
    struct core_doctor_ping pings[PINGS_MAX];
    uint32_t ping_count;
    uint32_t ping_running;
    uint32_t ping_answered;
    // NAMES: of one publication after the other, and then of one unsecured name.
    uint32_t names_left;         // slots of the table
    uint32_t registrations_left; // of the list
    uint32_t names_read;
    uint32_t names_good;
    struct core_lookup lookup;
    bool is_unsecured; // the name under way
    bool is_named;     // others name this node as a publisher of it
    int64_t seq;       // that we have published
    char name[CORE_NAME_TEXT_LEN_MAX + 1];
};

// ---- findings ----

struct finding {
    const char *check;
    enum control_finding state;
    char text[TEXT_MAX];
    const char *remedy; // NULL: none is needed
};

// check remedy state text
static void tell(struct node *node, struct core_doctor *doctor, const struct finding *finding)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    core_answer_begin(&answer, doctor->request, CONTROL_ANSWER_RESULT);
    dht_bencode_pair_text(writer, CONTROL_KEY_CHECK, finding->check);
    if (finding->remedy != NULL)
        dht_bencode_pair_text(writer, CONTROL_KEY_REMEDY, finding->remedy);
    dht_bencode_pair_text(writer, CONTROL_KEY_STATE,
                          control_protocol_word(CONTROL_VOCABULARY_FINDING, (int)finding->state));
    dht_bencode_pair_text(writer, CONTROL_KEY_TEXT, finding->text);
    core_answer_end(node, &answer);
    doctor->warnings += finding->state == CONTROL_FINDING_WARN;
    doctor->failures += finding->state == CONTROL_FINDING_FAIL;
}

static void end(struct node *node, struct core_doctor *doctor)
{
    struct core_answer answer;
    core_answer_begin(&answer, doctor->request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_COUNT, doctor->request->results);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_FAILURES, doctor->failures);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_WARNINGS, doctor->warnings);
    core_answer_end(node, &answer); // the doctor goes with its request
}

// ---- one engine: datagrams out and in, the external address, the NAT ----

static const char *family_text(const struct core_engine *engine)
{
    return engine->family == DHT_IPV6 ? "IPv6" : "IPv4";
}

static void check_out(struct node *node, struct core_doctor *doctor,
                      const struct core_engine *engine, const struct dht_info *info)
{
    struct finding finding = {.check = "udp-out"};
    uint64_t replies = info->counters.replies_in_time + info->counters.replies_late;
    snprintf(finding.text, TEXT_MAX, "%s in %s: %llu of %llu queries answered", family_text(engine),
             engine->cloud->config.name, (unsigned long long)replies,
             (unsigned long long)info->counters.queries_sent);
    if (replies == 0 && info->counters.queries_sent > 0) {
        finding.state = CONTROL_FINDING_FAIL;
        finding.remedy =
            "let UDP out to any port and the answers in: see the firewall, and whether "
            "this address family has a route at all";
    } else if (replies == 0) {
        finding.state = CONTROL_FINDING_WARN;
        finding.remedy = "name bootstrap nodes in the configuration";
    }
    tell(node, doctor, &finding);
}

static void check_in(struct node *node, struct core_doctor *doctor,
                     const struct core_engine *engine, const struct dht_info *info)
{
    struct finding finding = {.check = "udp-in"};
    bool is_server = info->role == DHT_ROLE_SERVER;
    bool is_young = node->now_us - engine->cloud->since_us < YOUNG_US;
    snprintf(finding.text, TEXT_MAX, "%s in %s: %s", family_text(engine),
             engine->cloud->config.name,
             is_server  ? "others reach this node"
             : is_young ? "not known yet whether others reach this node"
                        : "others do not reach this node: it is a client");
    if (!is_server) {
        finding.state = CONTROL_FINDING_WARN;
        finding.remedy = is_young
                             ? "it takes a quarter of an hour to tell"
                             : "let UDP in to the port it listens at, and forward that port on the "
                               "router; secured names work without, unsecured ones do not";
    }
    tell(node, doctor, &finding);
}

static void check_address(struct node *node, struct core_doctor *doctor,
                          const struct core_engine *engine, const struct dht_info *info)
{
    struct finding finding = {.check = "address"};
    char external[DHT_ADDR_TEXT_MAX];
    if (info->external.ip_len == 0) {
        finding.state = CONTROL_FINDING_WARN;
        snprintf(finding.text, TEXT_MAX, "%s in %s: too few others have said where they see us",
                 family_text(engine), engine->cloud->config.name);
        finding.remedy = "wait; in a network of fewer than five others it stays unknown";
    } else {
        dht_addr_to_text(&info->external, external);
        snprintf(finding.text, TEXT_MAX, "%s in %s: others see %s", family_text(engine),
                 engine->cloud->config.name, external);
    }
    tell(node, doctor, &finding);
}

static void check_nat(struct node *node, struct core_doctor *doctor,
                      const struct core_engine *engine, const struct dht_info *info)
{
    struct finding finding = {.check = "nat"};
    const char *text = "one that keeps the port";
    if (info->external.ip_len == 0)
        return;
    if (dht_addr_equal(&info->external, &engine->addr)) {
        text = "none: others see the address it listens at";
    } else if (info->external.port == 0) {
        finding.state = CONTROL_FINDING_WARN;
        finding.remedy = "forward the port on the router: this kind (symmetric) gives each "
                         "destination another port, and lets nobody in";
        text = "others see different ports";
    } else if (info->external.port != engine->addr.port) {
        text = "one that maps to one other port for all destinations";
    }
    snprintf(finding.text, TEXT_MAX, "%s in %s: %s", family_text(engine),
             engine->cloud->config.name, text);
    tell(node, doctor, &finding);
}

static void check_engine(struct node *node, struct core_doctor *doctor,
                         const struct core_engine *engine)
{
    struct dht_info info;
    bool is_link = engine->cloud->config.scope == NODE_SCOPE_LINK;
    dht_info(engine->dht, &info);
    // On a link that has nobody else there is nobody to ask.
    if (!is_link || info.counters.queries_sent > 0)
        check_out(node, doctor, engine, &info);
    // Nothing else can be told without answers; on a link nobody stands between its nodes.
    if (is_link || info.counters.replies_in_time + info.counters.replies_late == 0)
        return;
    check_in(node, doctor, engine, &info);
    check_address(node, doctor, engine, &info);
    check_nat(node, doctor, engine, &info);
}

// ---- names ----

static void read_next_name(struct node *node, struct core_doctor *doctor);

static void tell_names(struct node *node, struct core_doctor *doctor)
{
    struct finding finding = {.check = "names"};
    if (doctor->names_read == 0) {
        snprintf(finding.text, TEXT_MAX, "none is published here");
    } else {
        snprintf(finding.text, TEXT_MAX, "%u of %u read back from the network as published%s",
                 doctor->names_good, doctor->names_read,
                 doctor->names_left + doctor->registrations_left > 0
                     ? "; those past 64 were not looked at"
                     : "");
    }
    tell(node, doctor, &finding);
}

// What was found of a record. Returns what is wrong; NULL: nothing is.
static const char *judge_record(const struct core_doctor *doctor, struct finding *finding)
{
    const struct core_lookup *lookup = &doctor->lookup;
    const char *text = NULL;
    if (!lookup->found) {
        finding->state = CONTROL_FINDING_FAIL;
        text = "nobody has it";
        finding->remedy = "see pnr publications for the last error; it is tried again by itself";
    } else if (lookup->seq < doctor->seq) {
        finding->state = CONTROL_FINDING_FAIL;
        text = "only an older record is found";
        finding->remedy = "publish it again; if that does not help, see resolve --trace for nodes "
                          "packed around it";
    } else if (lookup->seq > SEQ_NEAR) {
        finding->state = CONTROL_FINDING_WARN;
        text = "its sequence number is near the end: soon nothing can be published under it";
        finding->remedy = "move to another key: somebody with this one has used such a number";
    } else if (lookup->tally.suspect) {
        finding->state = CONTROL_FINDING_WARN;
        text = "nodes are packed around it: it looks like a Sybil attack";
        finding->remedy = "see resolve --trace";
    } else if (lookup->tally.copies < COPIES_FEW && lookup->tally.answered > COPIES_FEW) {
        finding->state = CONTROL_FINDING_WARN;
        text = "few nodes have it";
        finding->remedy = "it is renewed by itself; look again in an hour";
    }
    return text;
}

// The same of an unsecured name. Each storing node tells who publishes it; that others are named
// too is their own affair.
static const char *judge_peers(const struct core_doctor *doctor, struct finding *finding)
{
    const char *text = NULL;
    if (!doctor->is_named) {
        finding->state = CONTROL_FINDING_FAIL;
        text = "nobody names this node as its publisher";
        finding->remedy = "see pnr publications for the last error; it is tried again by itself";
    } else if (doctor->lookup.tally.suspect) {
        finding->state = CONTROL_FINDING_WARN;
        text = "nodes are packed around it: it looks like a Sybil attack";
        finding->remedy = "see resolve --trace";
    }
    return text;
}

static void tell_name(struct node *node, struct core_doctor *doctor)
{
    struct finding finding = {.check = "name"};
    const struct core_lookup *lookup = &doctor->lookup;
    bool has_several = core_cloud_present(node) > 1;
    const char *text;
    if (lookup->tally.answered == 0) { // what this node holds itself is no proof
        finding.state = CONTROL_FINDING_FAIL;
        text = "nobody answered";
        finding.remedy = "see what is said of UDP above";
    } else {
        text =
            doctor->is_unsecured ? judge_peers(doctor, &finding) : judge_record(doctor, &finding);
    }
    doctor->names_good += text == NULL;
    if (text == NULL)
        return;
    int len =
        snprintf(finding.text, TEXT_MAX, "%.380s%s%s: %s", doctor->name, has_several ? " in " : "",
                 has_several ? lookup->cloud->config.name : "", text);
    if (!doctor->is_unsecured)
        snprintf(finding.text + len, TEXT_MAX - (size_t)len, ", %u cop%s", lookup->tally.copies,
                 lookup->tally.copies == 1 ? "y" : "ies");
    tell(node, doctor, &finding);
}

// Starts to read a name back. False where it is none that should be found.
static bool read_name(struct node *node, struct core_doctor *doctor,
                      const struct core_publication *publication)
{
    struct core_name name = {.kind = CORE_NAME_KEY, .classifier_len = publication->classifier_len};
    struct dht_get get = {
        .target = publication->target,
        .salt = {publication->salt, publication->salt_len},
        .seq_known = DHT_SEQ_NONE,
    };
    if (publication->anchor || publication->withdrawn || publication->stored_us == 0 ||
        !publication->cloud->present)
        return false;
    memcpy(name.key, publication->key, sizeof name.key);
    memcpy(name.classifier, publication->classifier, publication->classifier_len);
    core_name_print(&name, doctor->name);
    doctor->seq = publication->seq;
    doctor->is_unsecured = false;
    doctor->names_read++;
    doctor->lookup.cloud = publication->cloud;
    return core_lookup_get(node, &doctor->lookup, CORE_OWNER_DOCTOR, doctor, &get);
}

// Starts to look who publishes an unsecured name. As read_name().
static bool read_registration(struct node *node, struct core_doctor *doctor,
                              const struct core_registration *registration)
{
    if (registration->ending || registration->stored_us == 0 || !registration->cloud->present)
        return false;
    core_name_print(&registration->name, doctor->name);
    doctor->is_unsecured = true;
    doctor->is_named = false;
    doctor->names_read++;
    doctor->lookup.cloud = registration->cloud;
    return core_lookup_peers(node, &doctor->lookup, CORE_OWNER_DOCTOR, doctor,
                             &registration->info_hash, false);
}

// The registration that has as many behind it; NULL: it went meanwhile.
static const struct core_registration *registration_at(const struct node *node, uint32_t left)
{
    const struct core_registration *registration = node->registrations;
    for (uint32_t at = node->registration_count; registration != NULL && at > left + 1; at--)
        registration = registration->next;
    return left < node->registration_count ? registration : NULL;
}

static void read_next_name(struct node *node, struct core_doctor *doctor)
{
    const struct core_publication_table *table = &node->publications;
    if (doctor->names_left > table->count)
        doctor->names_left = table->count;
    while (doctor->names_left > 0 && doctor->names_read < CORE_DOCTOR_NAMES_MAX) {
        if (read_name(node, doctor, table->slots[--doctor->names_left]))
            return;
    }
    while (doctor->registrations_left > 0 && doctor->names_read < CORE_DOCTOR_NAMES_MAX) {
        const struct core_registration *registration =
            registration_at(node, --doctor->registrations_left);
        if (registration != NULL && read_registration(node, doctor, registration))
            return;
    }
    tell_names(node, doctor);
    end(node, doctor);
}

// ---- bootstrap ----

static void ask_cloud(struct node *node, struct core_doctor *doctor);

// A cloud that has no address, or is not to have one: nothing else can be told of it.
static void tell_idle(struct node *node, struct core_doctor *doctor, const struct core_cloud *cloud)
{
    struct finding finding = {.check = "cloud"};
    if (cloud->config.disabled) {
        snprintf(finding.text, TEXT_MAX, "%s: disabled by the configuration", cloud->config.name);
    } else {
        finding.state = CONTROL_FINDING_WARN;
        snprintf(finding.text, TEXT_MAX, "%s: there is no address to use", cloud->config.name);
        finding.remedy = cloud->config.scope == NODE_SCOPE_LINK
                             ? "see that its interface is there and up, or take the cloud out of "
                               "the configuration"
                             : "see that what it listens at is an address of this machine";
    }
    tell(node, doctor, &finding);
}

// A link has no bootstrap nodes: neighbours hear of each other.
static void tell_neighbours(struct node *node, struct core_doctor *doctor,
                            const struct core_cloud *cloud)
{
    struct finding finding = {.check = "neighbours"};
    bool any = core_cloud_has_contacts(cloud);
    snprintf(finding.text, TEXT_MAX, "%s: %s", cloud->config.name,
             any ? "others are known on this link" : "nobody else is known on this link");
    if (!any) {
        finding.state = CONTROL_FINDING_WARN;
        finding.remedy = "where there should be somebody, let multicast to UDP port 3541 in and "
                         "out: see the firewalls";
    }
    tell(node, doctor, &finding);
}

static void tell_bootstrap(struct node *node, struct core_doctor *doctor,
                           const struct core_cloud *cloud)
{
    struct finding finding = {.check = "bootstrap"};
    bool knows_others = core_cloud_has_contacts(cloud);
    if (doctor->ping_count == 0)
        snprintf(finding.text, TEXT_MAX, "%s: no bootstrap node is named that could be asked",
                 cloud->config.name);
    else
        snprintf(finding.text, TEXT_MAX, "%s: %u of %u nodes answered", cloud->config.name,
                 doctor->ping_answered, doctor->ping_count);
    if (doctor->ping_answered == 0 && !knows_others) {
        finding.state = CONTROL_FINDING_FAIL;
        finding.remedy = "name nodes that are there (bootstrap in the configuration), and see that "
                         "UDP gets out";
    } else if (doctor->ping_answered == 0 && doctor->ping_count > 0) {
        finding.state = CONTROL_FINDING_WARN;
        finding.remedy = "name others, or the next start with an empty state finds nobody";
    }
    tell(node, doctor, &finding);
}

static void ping_engine(struct node *node, struct core_doctor *doctor,
                        const struct core_engine *engine)
{
    struct dht_addr addrs[CORE_DOCTOR_PINGS_MAX];
    size_t count = dht_bootstrap_nodes(engine->dht, addrs, CORE_DOCTOR_PINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct core_doctor_ping *ping = &doctor->pings[doctor->ping_count];
        ping->engine = engine->number;
        ping->op = dht_ping(engine->dht, node->now_us, &addrs[i]);
        if (ping->op == 0)
            continue;
        if (!core_owner_set(&node->owners, engine->number, ping->op, CORE_OWNER_DOCTOR, doctor)) {
            dht_cancel(engine->dht, ping->op);
            continue;
        }
        doctor->ping_count++;
        doctor->ping_running++;
    }
}

static void cloud_asked(struct node *node, struct core_doctor *doctor)
{
    const struct core_cloud *cloud = core_cloud_numbered(node, doctor->cloud);
    if (cloud == NULL) { // it was removed meanwhile
        ask_cloud(node, doctor);
        return;
    }
    if (cloud->engines[0].dht == NULL && cloud->engines[1].dht == NULL)
        tell_idle(node, doctor, cloud);
    else if (cloud->config.scope == NODE_SCOPE_LINK)
        tell_neighbours(node, doctor, cloud);
    else
        tell_bootstrap(node, doctor, cloud);
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (cloud->engines[i].dht != NULL)
            check_engine(node, doctor, &cloud->engines[i]);
    ask_cloud(node, doctor);
}

// The present cloud that was added next after the one of that number; NULL at the end. (Places
// change when a cloud is removed.)
static const struct core_cloud *next_cloud(const struct node *node, int after)
{
    const struct core_cloud *next = NULL;
    for (uint32_t i = 0; i < node->cloud_count; i++) {
        const struct core_cloud *cloud = node->clouds[i];
        if (cloud->present && cloud->number > after &&
            (next == NULL || cloud->number < next->number))
            next = cloud;
    }
    return next;
}

static void ask_cloud(struct node *node, struct core_doctor *doctor)
{
    const struct core_cloud *cloud = next_cloud(node, doctor->cloud);
    if (cloud == NULL) {
        doctor->state = CORE_DOCTOR_NAMES;
        doctor->names_left = node->publications.count;
        doctor->registrations_left = node->registration_count;
        read_next_name(node, doctor);
        return;
    }
    doctor->cloud = cloud->number;
    doctor->ping_count = doctor->ping_running = doctor->ping_answered = 0;
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (cloud->engines[i].dht != NULL)
            ping_engine(node, doctor, &cloud->engines[i]);
    if (doctor->ping_running == 0)
        cloud_asked(node, doctor);
}

static void pinged(struct node *node, struct core_doctor *doctor, int engine,
                   const struct dht_out *event)
{
    core_owner_clear(&node->owners, engine, event->op);
    for (uint32_t i = 0; i < doctor->ping_count; i++)
        if (doctor->pings[i].engine == engine && doctor->pings[i].op == event->op)
            doctor->pings[i].op = 0;
    doctor->ping_answered += event->done.rtt_us >= 0;
    if (--doctor->ping_running == 0)
        cloud_asked(node, doctor);
}

// ---- from the start to the end ----

void core_doctor_start(struct node *node, struct core_request *request)
{
    struct core_doctor *doctor = calloc(1, sizeof *doctor);
    if (doctor == NULL) {
        core_request_fail(node, request, CONTROL_ERROR_FULL, "out of memory");
        return;
    }
    doctor->request = request;
    doctor->cloud = -1;
    request->doctor = doctor;
    struct node_out out = {.type = NODE_OUT_KEY};
    out.key.verb = NODE_KEY_CHECKUP;
    out.key.label = "";
    out.key.key_request = request->key_request = ++node->next_key_request;
    if (!core_outbox_key(&node->outbox, &out))
        core_request_fail(node, request, CONTROL_ERROR_FULL, "out of memory");
}

// Tells one finding of the driver's, or nothing where it is none.
static void pass_on(struct node *node, struct core_doctor *doctor, struct dht_span fields)
{
    static const char *const keys[] = {CONTROL_KEY_CHECK, CONTROL_KEY_REMEDY, CONTROL_KEY_STATE,
                                       CONTROL_KEY_TEXT};
    struct core_answer answer;
    struct dht_span parts[4] = {{0}};
    for (size_t i = 0; i < 4; i++)
        control_fields_string(fields, keys[i], &parts[i]);
    int state = control_protocol_value(CONTROL_VOCABULARY_FINDING, parts[2]);
    if (parts[0].data == NULL || parts[3].data == NULL || state < 0)
        return;
    core_answer_begin(&answer, doctor->request, CONTROL_ANSWER_RESULT);
    for (size_t i = 0; i < 4; i++)
        if (parts[i].data != NULL)
            dht_bencode_pair_string(&answer.writer, keys[i], parts[i].data, parts[i].len);
    core_answer_end(node, &answer);
    doctor->warnings += state == CONTROL_FINDING_WARN;
    doctor->failures += state == CONTROL_FINDING_FAIL;
}

void core_doctor_disk_checked(struct node *node, struct core_request *request,
                              const struct node_key_answer *answer)
{
    struct core_doctor *doctor = request->doctor;
    struct dht_span fields;
    struct dht_bencode_cursor findings =
        control_fields_list(answer->findings, CONTROL_KEY_FINDINGS);
    while (control_fields_next(&findings, &fields))
        pass_on(node, doctor, fields);
    doctor->state = CORE_DOCTOR_BOOTSTRAP;
    ask_cloud(node, doctor);
}

// Whether this node is among the peers. Where nobody has told where it is seen from, its port has
// to do.
static bool names_us(const struct node *node, int number, const struct dht_out *event)
{
    struct dht_info info;
    const struct core_engine *engine = core_cloud_engine(node, number);
    if (engine == NULL)
        return false;
    dht_info(engine->dht, &info);
    for (size_t i = 0; i < event->peers.count; i++) {
        const struct dht_addr *addr = &event->peers.addrs[i];
        bool is_ours = core_cloud_is_own(engine, addr);
        if (is_ours || (info.external.ip_len == 0 && addr->port == engine->addr.port))
            return true;
    }
    return false;
}

static void name_read(struct node *node, struct core_doctor *doctor, int engine,
                      const struct dht_out *event)
{
    if (event->type == DHT_OUT_PEERS)
        doctor->is_named = doctor->is_named || names_us(node, engine, event);
    if (event->type == DHT_OUT_ITEM)
        core_lookup_item(&doctor->lookup, &event->found.item);
    if (event->type != DHT_OUT_DONE ||
        !core_lookup_done(node, &doctor->lookup, engine, &event->done.tally, false))
        return;
    tell_name(node, doctor);
    read_next_name(node, doctor);
}

void core_doctor_event(struct node *node, struct core_doctor *doctor, int engine,
                       const struct dht_out *event)
{
    if (doctor->state == CORE_DOCTOR_BOOTSTRAP && event->type == DHT_OUT_DONE)
        pinged(node, doctor, engine, event);
    else if (doctor->state == CORE_DOCTOR_NAMES)
        name_read(node, doctor, engine, event);
}

void core_doctor_leave(struct node *node, struct core_doctor *doctor)
{
    for (uint32_t i = 0; i < doctor->ping_count; i++) {
        struct core_doctor_ping *ping = &doctor->pings[i];
        struct core_engine *engine = core_cloud_engine(node, ping->engine);
        if (ping->op == 0)
            continue;
        core_owner_clear(&node->owners, ping->engine, ping->op);
        if (engine != NULL)
            dht_cancel(engine->dht, ping->op);
    }
    if (doctor->state == CORE_DOCTOR_NAMES)
        core_lookup_cancel(node, &doctor->lookup);
    free(doctor);
}
