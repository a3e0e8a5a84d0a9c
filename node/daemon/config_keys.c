// SPDX-License-Identifier: MIT
#include "node/daemon/config_keys.h"

#include "node/daemon/config.h"

#include <string.h>

#define KIB       INT64_C(1024)
#define MIB       (KIB * 1024)
#define GIB       (MIB * 1024)
#define SECOND_US INT64_C(1000000)
#define HOUR_US   (3600 * SECOND_US)
#define COUNT_MAX INT64_C(100000000)

static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const no_or_yes[] = {"no", "yes", NULL};
static const char *const role_words[] = {"auto", "server", "client", NULL};
static const char *const lab_words[] = {"auto", "yes", "no", NULL};

static const char *const scope_words[] = {"global", "site", "link", NULL};
static const char *const family_words[] = {"both", "ipv4", "ipv6", NULL};

#define NODE(field_name) .section = "node", .offset = offsetof(struct daemon_config, field_name)
#define CLOUD(field_name)                                                                          \
    .section = "cloud", .offset = offsetof(struct daemon_config_cloud, field_name)
#define PUBLISH(field_name)                                                                        \
    .section = "publish", .offset = offsetof(struct daemon_config, field_name)
#define COUNT(least, most, text)                                                                   \
    .type = DAEMON_CONFIG_COUNT, .min = least, .max = most, .standard = text
#define BYTES(least, most, text)                                                                   \
    .type = DAEMON_CONFIG_BYTES, .min = least, .max = most, .standard = text
#define TIME(least, most, text)                                                                    \
    .type = DAEMON_CONFIG_TIME, .min = least, .max = most, .standard = text
#define CHOICE(words, text) .type = DAEMON_CONFIG_CHOICE, .choices = words, .standard = text

const struct daemon_config_key daemon_config_keys[] = {
    {.name = "state-dir",
     NODE(state_dir),
     .type = DAEMON_CONFIG_PATH,
     .standard = "/var/lib/pnr",
     .what = "Where publications, sequence numbers, contacts and stored items are kept. Made, for "
             "its owner alone, where it is not there. One pnrd at a time can use it."},
    {.name = "keys-dir",
     NODE(keys_dir),
     .type = DAEMON_CONFIG_PATH,
     .optional = true,
     .standard = "",
     .what = "Where the secret keys lie, one PKCS#8 file LABEL.pem each. Has to be mode 0700 and "
             "its files 0600. Nothing: the directory keys in state-dir."},
    {.name = "control",
     NODE(control),
     .type = DAEMON_CONFIG_CONTROLS,
     .standard = "unix:/run/pnr/control.sock",
     .what =
         "Where clients reach pnrd: Unix sockets (unix:PATH) and loopback TCP by way of a "
         "rendezvous file (tcp:FILE), up to four. tcp:127.0.0.1:PORT, which may be one of them, "
         "is a port that stays the same, with its rendezvous file control.rendezvous in "
         "/run/pnr, in $XDG_RUNTIME_DIR/pnr for a user's own pnrd, or in state-dir where that "
         "is another than the default one. Each address is for control, and has one for "
         "resolving, open to all local users, beside it, with .resolve at its end."},
    {.name = "control-group",
     NODE(control_group),
     .type = DAEMON_CONFIG_NAME,
     .standard = "",
     .what = "A group whose members may control pnrd, beside its owner. Nothing: the owner alone."},
    {.name = "log-level",
     NODE(log_level),
     CHOICE(log_levels, "info"),
     .reloadable = true,
     .what = "How much is logged: error, warn, info or debug, each with all before it."},
    {.name = "keys-max",
     NODE(keys_max),
     COUNT(1, 100000, "1024"),
     .what = "The most secret keys that are kept."},
    {.name = "clients-max",
     NODE(clients_max),
     COUNT(1, 10000, "256"),
     .what = "The most clients connected at once; further ones are turned away."},
    {.name = "client-bytes-max",
     NODE(client_bytes_max),
     BYTES(64 * KIB, GIB, "1M"),
     .what = "The most answers that wait for one client that does not read them."},
    {.name = "client-requests-max",
     NODE(client_requests_max),
     COUNT(1, 10000, "256"),
     .what = "The most requests under way of one client."},
    {.name = "resolves-max",
     NODE(resolves_max),
     COUNT(1, 1000000, "1024"),
     .what = "The most names being resolved at once, for all clients."},
    {.name = "watches-max",
     NODE(watches_max),
     COUNT(1, 1000000, "1024"),
     .what = "The most names being watched at once, for all clients."},
    {.name = "cache-max",
     NODE(cache_max),
     COUNT(0, COUNT_MAX, "4096"),
     .what = "The most resolved names that are remembered."},
    {.name = "negative-ttl",
     NODE(negative_ttl_us),
     TIME(0, 3600 * SECOND_US, "30s"),
     .what = "How long it is remembered that a name was not found."},
    {.name = "snapshot",
     NODE(snapshot_us),
     TIME(0, 24 * HOUR_US, "5m"),
     .what = "How often contacts, and items kept for other nodes, are written to disk, so that the "
             "next start is a quick one; 0s: never."},
    {.name = "keep-items",
     NODE(keep_items),
     CHOICE(no_or_yes, "yes"),
     .what = "Whether items kept for other nodes are written too."},

    {.name = "ttl",
     PUBLISH(publish_ttl_us),
     TIME(300 * SECOND_US, 24 * HOUR_US, "30m"),
     .reloadable = true,
     .what = "How long others may keep a name of ours without asking again, where its publisher "
             "does not say."},
    {.name = "renew",
     PUBLISH(publish_renew_us),
     TIME(300 * SECOND_US, 110 * 60 * SECOND_US, "50m"),
     .reloadable = true,
     .what = "How often a name of ours is stored again. Nodes drop what was not stored again for "
             "two hours."},
    {.name = "lifetime",
     PUBLISH(publish_lifetime_us),
     TIME(2 * HOUR_US, 24 * HOUR_US, "3h"),
     .what = "How long a name of ours holds without being renewed: what this machine has published "
             "counts no longer once it was off for that long."},
    {.name = "publications-max",
     PUBLISH(publications_max),
     COUNT(1, 1000000, "4096"),
     .what = "The most names that are published."},
    {.name = "publishing-max",
     PUBLISH(publishing_max),
     COUNT(1, 10000, "32"),
     .what = "The most names being stored at once."},

    {.name = "enabled",
     CLOUD(enabled),
     CHOICE(no_or_yes, "yes"),
     .reloadable = true,
     .what = "Whether to take part in the cloud."},
    {.name = "scope",
     CLOUD(scope),
     CHOICE(scope_words, "global"),
     .reloadable = true,
     .what = "How far the cloud reaches, as clients are told: global, site or link. A link's cloud "
             "is of one network interface, is a lab, and finds its neighbours there by itself, "
             "without bootstrap: docs/clouds.md."},
    {.name = "interface",
     CLOUD(interface),
     .type = DAEMON_CONFIG_NAME,
     .standard = "",
     .reloadable = true,
     .what = "Of a link's cloud: its network interface. Nothing: there is a cloud NAME%INTERFACE "
             "for each that can carry multicast, and comes and goes with it."},
    {.name = "families",
     CLOUD(families),
     CHOICE(family_words, "both"),
     .reloadable = true,
     .what = "The address families to use: both, ipv4 or ipv6. Others in listen are passed over."},
    {.name = "port",
     CLOUD(port),
     COUNT(0, 65535, "0"),
     .reloadable = true,
     .what = "Where listen is empty: the UDP port to use on all addresses, 0: none. Of a link's "
             "cloud: the port to use, 0: the system chooses."},
    {.name = "listen",
     CLOUD(listen),
     .type = DAEMON_CONFIG_ADDRS,
     .standard = "0.0.0.0:3540, [::]:3540",
     .reloadable = true,
     .what =
         "The UDP addresses to use, at most one of IPv4 and one of IPv6. The default port is "
         "3540, which IANA assigned to PNRP; 6881 is often taken by a BitTorrent client on the "
         "same machine, and held back by some providers. [::] stands for the one address that "
         "the machine would use towards the internet, chosen at the start: a node has to answer "
         "from the address it was asked at (BEP 32). Other clouds than Global_ have no default."},
    {.name = "bootstrap",
     CLOUD(bootstrap),
     .type = DAEMON_CONFIG_HOSTS,
     .standard = "router.bittorrent.com:6881, dht.transmissionbt.com:6881, "
                 "dht.libtorrent.org:25401, relay.pkarr.org:6881, router.utorrent.com:6881, "
                 "dht.aelitis.com:6881",
     .reloadable = true,
     .what = "Hosts that are asked for first contacts when pnrd knows none. Other clouds than "
             "Global_ have no default; a cloud with none waits for others to ask it. One that "
             "listens on loopback alone does not ask the default ones."},
    {.name = "role",
     CLOUD(role),
     CHOICE(role_words, "auto"),
     .reloadable = true,
     .what = "server: answer other nodes from the start. client: never, only ask. auto: once seen "
             "to be reachable from outside."},
    {.name = "lab",
     CLOUD(lab),
     CHOICE(lab_words, "auto"),
     .reloadable = true,
     .what = "Whether the cloud is a closed network for experiments, in which the protections "
             "against hostile nodes are off. auto: if it listens on loopback alone, and so reaches "
             "nobody else, or if all addresses in listen and bootstrap are loopback or private "
             "ones; localhost is one, other names are not."},
    {.name = "bucket-size",
     CLOUD(bucket_size),
     COUNT(1, 1024, "16"),
     .reloadable = true,
     .what = "How many contacts a bucket of the routing table holds (BEP 5's k)."},
    {.name = "first-bucket-size",
     CLOUD(first_bucket_size),
     COUNT(0, 1024, "128"),
     .reloadable = true,
     .what = "How many the first bucket holds, the next one half of that, and so on down to "
             "bucket-size: wide first buckets save steps of a lookup."},
    {.name = "replacements",
     CLOUD(replacements),
     COUNT(0, 1024, "8"),
     .reloadable = true,
     .what = "How many contacts wait beside each bucket for one of its places."},
    {.name = "lookup-width",
     CLOUD(lookup_width),
     COUNT(1, 32, "8"),
     .reloadable = true,
     .what = "How many of the nodes closest to a name have to answer before a lookup ends."},
    {.name = "store-width",
     CLOUD(store_width),
     COUNT(1, 32, "20"),
     .reloadable = true,
     .what = "On how many of the closest nodes a name is stored."},
    {.name = "queries-in-flight",
     CLOUD(queries_in_flight),
     COUNT(1, 32, "5"),
     .reloadable = true,
     .what = "How many queries a lookup keeps on the way at a time."},
    {.name = "operations-max",
     CLOUD(operations_max),
     COUNT(1, 32767, "1024"),
     .reloadable = true,
     .what = "The most lookups and stores under way at once."},
    {.name = "candidates-max",
     CLOUD(candidates_max),
     COUNT(32, 65534, "128"),
     .reloadable = true,
     .what = "The most nodes that one of them keeps in mind."},
    {.name = "queries-max",
     CLOUD(queries_max),
     COUNT(16, 1000000, "8192"),
     .reloadable = true,
     .what = "The most queries of all of them that wait for an answer."},
    {.name = "items-max",
     CLOUD(items_max),
     COUNT(0, COUNT_MAX, "100000"),
     .reloadable = true,
     .what = "The most items that are kept for other nodes."},
    {.name = "items-bytes-max",
     CLOUD(items_bytes_max),
     BYTES(0, 64 * GIB, "64M"),
     .reloadable = true,
     .what = "The most memory that these items take."},
    {.name = "items-per-source-max",
     CLOUD(items_per_source_max),
     COUNT(0, COUNT_MAX, "2000"),
     .reloadable = true,
     .what = "The most items from one network (/24 of IPv4, /48 of IPv6)."},
    {.name = "item-lifetime",
     CLOUD(item_lifetime_us),
     TIME(60 * SECOND_US, 24 * HOUR_US, "2h"),
     .reloadable = true,
     .what = "How long an item is kept that nobody stores again (BEP 44: two hours)."},
    {.name = "swarms-max",
     CLOUD(swarms_max),
     COUNT(0, COUNT_MAX, "16384"),
     .reloadable = true,
     .what = "The most infohashes for which peers are kept."},
    {.name = "peers-max",
     CLOUD(peers_max),
     COUNT(0, COUNT_MAX, "200000"),
     .reloadable = true,
     .what = "The most peers that are kept in all."},
    {.name = "peers-per-swarm-max",
     CLOUD(peers_per_swarm_max),
     COUNT(0, COUNT_MAX, "2000"),
     .reloadable = true,
     .what = "The most peers of one infohash."},
    {.name = "peer-lifetime",
     CLOUD(peer_lifetime_us),
     TIME(60 * SECOND_US, 24 * HOUR_US, "45m"),
     .reloadable = true,
     .what = "How long a peer is kept that does not announce itself again."},
    {.name = "watches-max",
     CLOUD(watches_max),
     COUNT(0, 32767, "1024"),
     .reloadable = true,
     .what = "The most names that are watched from here at once."},
    {.name = "watchers-max",
     CLOUD(watchers_max),
     COUNT(0, 65534, "4096"),
     .reloadable = true,
     .what = "The most watches that other nodes have here, to be told of changes."},
    {.name = "watchers-per-target-max",
     CLOUD(watchers_per_target_max),
     COUNT(0, 65534, "1024"),
     .reloadable = true,
     .what = "The most of them of one item or infohash."},
    {.name = "watchers-per-source-max",
     CLOUD(watchers_per_source_max),
     COUNT(1, 65534, "64"),
     .reloadable = true,
     .what = "The most of them from one network (/24 of IPv4, /48 of IPv6)."},
    {.name = "pushes-max",
     CLOUD(pushes_max),
     COUNT(1, 65534, "64"),
     .reloadable = true,
     .what = "How many of them are told something at a time; the rest wait."},
    {.name = "sources-max",
     CLOUD(sources_max),
     COUNT(16, COUNT_MAX, "8192"),
     .reloadable = true,
     .what = "How many other addresses are remembered for the limits below."},
    {.name = "queries-per-source",
     CLOUD(queries_per_source),
     COUNT(1, 1000000, "50"),
     .reloadable = true,
     .what = "How many queries a second one address may send."},
    {.name = "verifies-per-second",
     CLOUD(verifies_per_second),
     COUNT(1, 1000000, "2000"),
     .reloadable = true,
     .what = "How many signatures of items from strangers are checked a second, in all."},
    {.name = "outbox-bytes-max",
     CLOUD(outbox_bytes_max),
     BYTES(64 * KIB, GIB, "4M"),
     .reloadable = true,
     .what = "The most memory that datagrams take that wait to be sent."},
    {.name = "outbox-bytes-kept",
     CLOUD(outbox_bytes_kept),
     BYTES(0, GIB, "256K"),
     .reloadable = true,
     .what = "How much of that memory is kept while nothing waits."},
    {.name = "socket-buffer",
     CLOUD(socket_buffer_bytes),
     BYTES(64 * KIB, 256 * MIB, "2M"),
     .reloadable = true,
     .what = "How large a buffer to ask the system for, for each socket and direction."},
};

const size_t daemon_config_key_count = sizeof daemon_config_keys / sizeof daemon_config_keys[0];

const char *const daemon_config_sections[] = {"node", "publish", "cloud", NULL};

const struct daemon_config_key *daemon_config_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < daemon_config_key_count; i++) {
        const struct daemon_config_key *key = &daemon_config_keys[i];
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

const char *daemon_config_section_what(const char *section)
{
    if (strcmp(section, "node") == 0)
        return "The daemon itself.";
    if (strcmp(section, "publish") == 0)
        return "What is published here.";
    return "One section for each DHT network to take part in. The cloud Global_, the public "
           "network, is there even without one. Each is a network of its own: what is published in "
           "one is not found in another. When the file is read again, a cloud whose section has "
           "changed is left and joined anew (for another bootstrap alone it is not), and the "
           "others "
           "are not disturbed.";
}
