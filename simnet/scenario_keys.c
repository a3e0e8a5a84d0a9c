// SPDX-License-Identifier: MIT
#include "simnet/scenario_keys.h"

#include "simnet/scenario.h"

#include <assert.h>
#include <string.h>

#define DAY_S (24 * 3600.0)

static const char *const latency_words[] = {"constant", "lognormal", "internet", "wired", NULL};
static const char *const schedule_words[] = {"even", "growing", NULL};
static const char *const family_words[] = {"ipv4", "ipv6", "both", NULL};
static const char *const signature_words[] = {"cheap", "ed25519", NULL};
static const char *const no_or_yes[] = {"no", "yes", NULL};
static const char *const from_words[] = {"faults", "join", NULL};
static const char *const direction_words[] = {"both", "one-way", NULL};
static const char *const event_words[] = {
    "lose",   "return",     "loss",       "move",        "sleep",      "stop",       "kill",
    "unplug", "disk-fails", "disk-fills", "disk-sticks", "clock-jump", "nat-reboot", NULL};
static const char *const disk_words[] = {"honest", "slow", "losing", NULL};
static const char *const wait_words[] = {"cache", "first", "settled", "all", NULL};
static const char *const kind_words[] = {"silent", "denier",     "liar",    "stale",
                                         "forger", "changeling", "flooder", NULL};
static const char *const since_words[] = {"faults", "publish", NULL};
static const char *const range_words[] = {"any", "slash16", "any6", "slash32", "few", NULL};
static const char *const flood_words[] = {"puts", "gets", "junk", NULL};
static const char *const placement_words[] = {"random", "around-name", NULL};
static const char *const checker_words[] = {"answers", "bounds", "sequence", "closest", NULL};

#define ONCE(path, field_name)                                                                     \
    .section = #path, .offset = offsetof(struct simnet_scenario, path.field_name)
#define EACH(struct_name, field_name)                                                              \
    .section = #struct_name, .offset = offsetof(struct simnet_scenario_##struct_name, field_name)
#define NUMBER(kind, least, most, text)                                                            \
    .type = SIMNET_SCENARIO_##kind, .min = least, .max = most, .standard = text
#define WORDS(kind, list, text) .type = SIMNET_SCENARIO_##kind, .words = list, .standard = text

const struct simnet_scenario_key simnet_scenario_keys[] = {
    {.name = "nodes",
     ONCE(network, nodes),
     NUMBER(COUNT, 2, 16777216, "1000"),
     .what = "How many nodes there are."},
    {.name = "seed",
     ONCE(network, seed),
     NUMBER(COUNT, 0, 1e18, "1"),
     .what = "What every chance is drawn from. The same scenario and seed give the same run, "
             "packet for packet."},
    {.name = "join",
     ONCE(network, join_us),
     NUMBER(TIME, 0, DAY_S, "1min"),
     .what = "How long it takes until all nodes have been started."},
    {.name = "schedule",
     ONCE(network, schedule),
     WORDS(CHOICE, schedule_words, "even"),
     .what = "How starts are spread over that time: evenly, or growing, so that the network "
             "doubles in equal times."},
    {.name = "bootstrap",
     ONCE(network, bootstrap),
     NUMBER(COUNT, 1, 32, "3"),
     .what = "How many nodes that run already a new one is told of. All else it learns by the "
             "protocol."},
    {.name = "families",
     ONCE(network, families),
     WORDS(CHOICE, family_words, "ipv4"),
     .what = "What addresses nodes have."},
    {.name = "signature",
     ONCE(network, signature),
     WORDS(CHOICE, signature_words, "cheap"),
     .what =
         "Real Ed25519, or a keyed hash in its place that costs next to nothing and is as strict."},
    {.name = "bucket-size",
     ONCE(network, bucket_size),
     NUMBER(COUNT, 1, 128, "16"),
     .what = "Contacts in a bucket of the routing table."},
    {.name = "first-bucket-size",
     ONCE(network, first_bucket_size),
     NUMBER(COUNT, 1, 1024, "128"),
     .what = "Contacts in the bucket of the farther half of the network; the next ones halve it "
             "down to bucket-size."},
    {.name = "replacements",
     ONCE(network, replacements),
     NUMBER(COUNT, 0, 128, "8"),
     .what = "Spare contacts of a bucket."},
    {.name = "lookup-width",
     ONCE(network, lookup_width),
     NUMBER(COUNT, 1, 32, "8"),
     .what = "How many of the closest nodes have to answer before a lookup ends."},
    {.name = "store-width",
     ONCE(network, store_width),
     NUMBER(COUNT, 1, 32, "20"),
     .what = "On how many of the closest nodes a record is stored."},
    {.name = "queries-in-flight",
     ONCE(network, queries_in_flight),
     NUMBER(COUNT, 1, 64, "5"),
     .what = "Queries that a lookup keeps under way."},
    {.name = "sources-max",
     ONCE(network, sources_max),
     NUMBER(COUNT, 16, 1e6, "64"),
     .what = "Addresses whose rates and proofs a node remembers. pnrd has 8192, with which a node "
             "would weigh more than a megabyte. It changes the run: who is forgotten gets replies "
             "that are made smaller, until it proves itself again."},
    {.name = "items-max",
     ONCE(network, items_max),
     NUMBER(COUNT, 1, 1e7, "100000"),
     .what = "Records that a node stores for others."},
    {.name = "cache-max",
     ONCE(network, cache_max),
     NUMBER(COUNT, 0, 1e7, "4096"),
     .what = "Resolved names that a node remembers. 0 makes every lookup go to the network."},

    {.name = "model",
     ONCE(latency, model),
     WORDS(CHOICE, latency_words, "lognormal"),
     .what = "How round trips are spread over pairs of machines."},
    {.name = "median",
     ONCE(latency, median_us),
     NUMBER(TIME, 0, 60, "100ms"),
     .what = "The median round trip; of the constant model, every round trip."},
    {.name = "sigma",
     ONCE(latency, sigma),
     NUMBER(REAL, 0, 3, "0.6"),
     .what =
         "Of the lognormal model alone: the deviation of the round trip's logarithm. 0.6 puts the "
         "90th percentile at 2.2 medians."},
    {.name = "min",
     ONCE(latency, min_us),
     NUMBER(TIME, 0, 60, "1ms"),
     .what = "Of the lognormal model alone: the shortest round trip."},

    {.name = "mean",
     ONCE(jitter, mean_us),
     NUMBER(TIME, 0, 60, "0s"),
     .what = "The mean of a random delay, exponential, added to each packet. 0s: none."},

    {.name = "overtaking",
     ONCE(jitter, overtaking),
     WORDS(CHOICE, no_or_yes, "no"),
     .what = "Whether a packet may overtake those sent before it on its way."},

    {.name = "rate",
     ONCE(loss, rate),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many packets are lost, each by itself."},
    {.name = "from",
     ONCE(loss, from),
     WORDS(CHOICE, from_words, "faults"),
     .what = "When it begins: with the faults, or before anybody joins. It ends with the faults."},

    {.name = "bad",
     ONCE(burst, bad_us),
     NUMBER(TIME, 0, 3600, "0s"),
     .what = "How long a way from one machine to another is bad, in the mean. 0s: no bursts."},
    {.name = "good",
     ONCE(burst, good_us),
     NUMBER(TIME, 0.001, DAY_S, "1min"),
     .what = "How long it is good in between."},
    {.name = "loss-good",
     ONCE(burst, loss_good),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "Packets lost while a way is good."},
    {.name = "loss-bad",
     ONCE(burst, loss_bad),
     NUMBER(SHARE, 0, 100, "100%"),
     .what = "Packets lost while it is bad."},

    {.name = "rate",
     ONCE(duplicate, rate),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many packets come twice."},

    {.name = "rate",
     ONCE(reorder, rate),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many packets are held back, so that later ones overtake them."},
    {.name = "delay",
     ONCE(reorder, delay_us),
     NUMBER(TIME, 0, 60, "50ms"),
     .what = "For how long at most."},

    {.name = "up",
     ONCE(rate, up),
     NUMBER(COUNT, 0, 1e12, "0"),
     .what = "Bits a second that a machine can send. 0: without limit."},
    {.name = "down",
     ONCE(rate, down),
     NUMBER(COUNT, 0, 1e12, "0"),
     .what = "Bits a second that it can receive. 0: without limit."},
    {.name = "queue",
     ONCE(rate, queue),
     NUMBER(BYTES, 1500, 1e9, "64K"),
     .what = "Bytes that wait for their turn; what is more is dropped."},

    {.name = "bytes",
     ONCE(mtu, bytes),
     NUMBER(COUNT, 0, 65535, "0"),
     .what = "The longest packet, with its IP and UDP headers, that gets through whole; at least "
             "576. 0: "
             "all do."},
    {.name = "fragment-loss",
     ONCE(mtu, fragments),
     NUMBER(SHARE, 0, 100, "100%"),
     .what =
         "How many of the fragments of longer ones are lost; 100%: no long packet gets through."},

    {.name = "full-cone",
     ONCE(nat, full_cone),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "Machines behind a NAT that lets everybody in who knows the mapped address."},
    {.name = "restricted",
     ONCE(nat, restricted),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "Behind one that lets in whom the machine has written to."},
    {.name = "port-restricted",
     ONCE(nat, port_restricted),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "Behind one that looks at the port as well."},
    {.name = "symmetric",
     ONCE(nat, symmetric),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "Behind one with another mapping for each peer."},
    {.name = "cgnat",
     ONCE(nat, cgnat),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "Behind a carrier's NAT, where many machines share one address."},
    {.name = "sharing",
     ONCE(nat, sharing),
     NUMBER(COUNT, 1, 10000, "64"),
     .what = "How many machines share an address there."},
    {.name = "mapping",
     ONCE(nat, mapping_us),
     NUMBER(TIME, 1, DAY_S, "2min"),
     .what = "How long a NAT remembers a mapping that is not used."},

    {.name = "session",
     ONCE(churn, session_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "0s"),
     .what = "The median time that a node stays. 0s: no churn. It runs during the faults."},
    {.name = "shape",
     ONCE(churn, shape),
     NUMBER(REAL, 0.1, 10, "0.5"),
     .what = "The shape of the Weibull distribution of session times; below 1 who has stayed long "
             "stays longer."},
    {.name = "gap",
     ONCE(churn, gap_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "10min"),
     .what = "The median time after which it comes back."},
    {.name = "crash",
     ONCE(churn, crash),
     NUMBER(SHARE, 0, 100, "50%"),
     .what = "How many of the ends are crashes; the others take their leave."},
    {.name = "moved",
     ONCE(churn, moved),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many of the returns are at another address, with the old disk."},
    {.name = "fresh",
     ONCE(churn, fresh),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many of them are somebody new, with an empty disk and another address."},
    {.name = "publishers",
     ONCE(churn, publishers),
     WORDS(CHOICE, no_or_yes, "no"),
     .what = "Whether those who publish come and go too. A name whose publisher is away for two "
             "hours is no longer kept by anybody."},

    {.name = "unreachable",
     ONCE(machines, unreachable),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many of the machines behind no NAT are behind a firewall that lets in only what "
             "answers them."},
    {.name = "dead",
     ONCE(machines, dead),
     NUMBER(SHARE, 0, 90, "0%"),
     .what = "Machines that are gone when the faults begin, though tables still name them."},
    {.name = "clock-off",
     ONCE(machines, clock_off_us),
     NUMBER(TIME, 0, 365 * DAY_S, "0s"),
     .what = "How far wall clocks are off at most, either way."},
    {.name = "clock-drift",
     ONCE(machines, clock_drift),
     NUMBER(SHARE, 0, 10, "0%"),
     .what = "How much too fast or too slow wall clocks run at most."},
    {.name = "clock-forgets",
     ONCE(machines, clock_forgets),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many have no battery: after a crash their wall clock shows 2020, until it is set "
             "right a minute later."},
    {.name = "timer-drift",
     ONCE(machines, timer_drift),
     NUMBER(SHARE, 0, 0.5, "0%"),
     .what = "How much too fast or too slow the clocks run at most that timers go by."},
    {.name = "disk",
     ONCE(machines, disk),
     WORDS(CHOICE, disk_words, "honest"),
     .what = "Disks that keep what they say, that take a while, or that lose in a crash what was "
             "not made durable."},
    {.name = "snapshot",
     ONCE(machines, snapshot_us),
     NUMBER(TIME, 0, DAY_S, "0s"),
     .what = "How often contacts and records are written to disk. 0s: never."},

    {.name = "names",
     ONCE(publish, names),
     NUMBER(COUNT, 0, 1e6, "100"),
     .what = "How many names are published, each by a machine and with a key of its own."},
    {.name = "over",
     ONCE(publish, over_us),
     NUMBER(TIME, 0, DAY_S, "30s"),
     .what = "The time over which this happens. It ends 20 s before the end of the warm-up."},
    {.name = "renew",
     ONCE(publish, renew_us),
     NUMBER(TIME, 300, 110 * 60, "50min"),
     .what = "How often a publisher stores its names again."},
    {.name = "change",
     ONCE(publish, change_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "0s"),
     .what = "The mean time after which a publisher publishes something new under its name. 0s: "
             "never."},
    {.name = "withdraw",
     ONCE(publish, withdraw),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many of these changes withdraw the name instead; the next one publishes it "
             "again."},
    {.name = "rude",
     ONCE(publish, rude),
     NUMBER(SHARE, 0, 100, "0%"),
     .what =
         "How many of the requests for them the publisher cancels or hangs up on, within 4 s if "
         "they are not done yet, to make them again."},

    {.name = "count",
     ONCE(resolve, count),
     NUMBER(COUNT, 0, 1e7, "1000"),
     .what = "How many lookups are made, of names drawn by chance, by machines drawn by chance."},
    {.name = "at",
     ONCE(resolve, at_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "0s"),
     .what = "When they begin, after t0."},
    {.name = "for",
     ONCE(resolve, for_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "1min"),
     .what = "The time over which they are spread evenly."},
    {.name = "wait",
     ONCE(resolve, wait),
     WORDS(CHOICE, wait_words, "first"),
     .what = "When the asker is content, as of pnr resolve --wait."},
    {.name = "timeout",
     ONCE(resolve, timeout_us),
     NUMBER(TIME, 0.001, 600, "30s"),
     .what = "When it gives up."},
    {.name = "rude",
     ONCE(resolve, rude),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many of the askers have bad manners, each one of four: they cancel, hang up or "
             "stop reading, within half a second if there is no answer yet, or ask twice at once."},

    {.name = "at",
     EACH(partition, at_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "0s"),
     .what = "When the network comes apart."},
    {.name = "for",
     EACH(partition, for_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "1min"),
     .what = "When, after that, it is joined again."},
    {.name = "share",
     EACH(partition, share),
     NUMBER(SHARE, 0, 100, "50%"),
     .what = "How many of the machines are on the smaller side."},
    {.name = "direction",
     EACH(partition, direction),
     WORDS(CHOICE, direction_words, "both"),
     .what = "Whether nothing passes, or nothing from the smaller side to the larger."},

    {.name = "kind",
     EACH(adversary, kind),
     WORDS(CHOICE, kind_words, "silent"),
     .what = "What they do: answer nothing; name only each other, and keep nothing (denier); name "
             "nodes that are not there; "
             "hand out the oldest record; hand out forged ones; show another id in each reply; "
             "flood with puts and junk."},
    {.name = "share",
     EACH(adversary, share),
     NUMBER(SHARE, 0, 90, "0%"),
     .what = "How many of the nodes turn into them, with the ids and the places in tables that "
             "they have."},
    {.name = "count",
     EACH(adversary, count),
     NUMBER(COUNT, 0, 1e6, "0"),
     .what = "How many join as new machines, where share is 0%; of flooders, how many nodes turn."},
    {.name = "from",
     EACH(adversary, from),
     WORDS(CHOICE, since_words, "faults"),
     .what = "When they begin: at t0, or just before the first name is published, so that "
             "publishing is under attack as well."},
    {.name = "at",
     EACH(adversary, at_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "0s"),
     .what = "How long after t0, where from is faults."},
    {.name = "placement",
     EACH(adversary, placement),
     WORDS(CHOICE, placement_words, "random"),
     .what = "The ids of new machines: random ones, or packed around the first published name."},
    {.name = "addresses",
     EACH(adversary, addresses),
     WORDS(CHOICE, range_words, "any"),
     .what = "The addresses of new machines, on which BEP 42 makes their ids depend: any of IPv4, "
             "those of one /16, any of IPv6, those of one /32; or a few of IPv4, with all their "
             "ports."},
    {.name = "few",
     EACH(adversary, few),
     NUMBER(COUNT, 1, SIMNET_SCENARIO_FEW_MAX, "4"),
     .what =
         "How many addresses are few, where `addresses` is few. The first ones are the same for "
         "all adversaries of a scenario."},
    {.name = "rate",
     EACH(adversary, rate),
     NUMBER(COUNT, 1, 1e6, "100"),
     .what = "Of flooders: packets a second from each."},
    {.name = "sends",
     EACH(adversary, sends),
     WORDS(SET, flood_words, "all"),
     .what = "Of flooders, what they send by turns: puts, most with a token got for them, of items "
             "of their own and of forged ones; gets of random targets; bytes that are nothing."},

    {.name = "at", EACH(event, at_us), NUMBER(TIME, 0, 1000 * DAY_S, "0s"), .what = "When."},
    {.name = "kind",
     EACH(event, kind),
     WORDS(CHOICE, event_words, "lose"),
     .what =
         "What happens to machines: they crash, and lose what their disks had not made durable "
         "(lose); start again if they are off (return); have another address (move); are "
         "suspended (sleep); leave in order (stop); their process is killed, and what was "
         "written stays (kill); their cable is out, and nobody tells them (unplug); their disk "
         "writes nothing (disk-fails), nothing more than there is (disk-fills), or ends no "
         "write until it is over (disk-sticks); their wall clock is set wrong (clock-jump); the "
         "NAT they are behind forgets its mappings (nat-reboot). And of loss: the share of "
         "packets lost is `share` from now on."},
    {.name = "share",
     EACH(event, share),
     NUMBER(SHARE, 0, 100, "33%"),
     .what = "Of how many machines, drawn by chance; of loss, how many packets."},
    {.name = "for",
     EACH(event, for_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "0s"),
     .what = "For how long, of lose, sleep, stop, kill, unplug, clock-jump and those of disks. 0s: "
             "until the network heals."},
    {.name = "by",
     EACH(event, by_us),
     NUMBER(TIME, -365 * DAY_S, 365 * DAY_S, "0s"),
     .what = "Of clock-jump: how far wall clocks are set forwards, or back (-1h)."},
    {.name = "writes",
     EACH(event, writes),
     NUMBER(SHARE, 0, 100, "100%"),
     .what = "Of disk-fails: how many of the transactions fail."},

    {.name = "warm-up",
     ONCE(phases, warm_up_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "2min"),
     .what =
         "From the last join to t0: tables settle, names are published. Nothing goes wrong yet."},
    {.name = "faults",
     ONCE(phases, faults_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "2min"),
     .what = "From t0: all that goes wrong, and the lookups."},
    {.name = "healing",
     ONCE(phases, healing_us),
     NUMBER(TIME, 0, 1000 * DAY_S, "0s"),
     .what = "After the faults all is well again, and wall clocks are right; in its last fifth "
             "each name is looked up once "
             "more. 0s: none."},

    {.name = "checkers",
     ONCE(check, checkers),
     WORDS(SET, checker_words, "answers, bounds, sequence"),
     .what = "What is watched: that each request is answered once and in time, nothing after a "
             "cancel, and nothing that was never published; that no configured bound is exceeded; "
             "that no sequence number goes back; that the closest live nodes, and the newest of "
             "each name, are found once healed."},
    {.name = "success",
     ONCE(check, success),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many of the lookups have to find their name; who cancelled does not count."},
    {.name = "worst",
     ONCE(check, worst),
     NUMBER(SHARE, 0, 100, "0%"),
     .what = "How many of them in the worst part of the run. 0%: not checked."},
    {.name = "interval",
     ONCE(check, interval_us),
     NUMBER(TIME, 1, 1000 * DAY_S, "1h"),
     .what = "How long such a part is; a run that asks for less time is one part."},
    {.name = "healed",
     ONCE(check, healed),
     NUMBER(SHARE, 0, 100, "100%"),
     .what = "How many of the names have to be found in the healed network."},
    {.name = "p50",
     ONCE(check, p50_us),
     NUMBER(TIME, 0, 600, "0s"),
     .what = "The longest median time to the first verified answer. 0s: not checked."},
    {.name = "p99",
     ONCE(check, p99_us),
     NUMBER(TIME, 0, 600, "0s"),
     .what = "The longest 99th percentile of it. 0s: not checked."},
};
const size_t simnet_scenario_key_count = sizeof simnet_scenario_keys / sizeof *simnet_scenario_keys;

#define REPEATED(name, plural)                                                                     \
    offsetof(struct simnet_scenario, plural), offsetof(struct simnet_scenario, name##_count),      \
        sizeof(struct simnet_scenario_##name)

const struct simnet_scenario_section simnet_scenario_sections[] = {
    {"network",
     "The nodes, and how each is configured. The keys that pnrd has too mean the same, see "
     "[config.md](config.md).",
     0, 0, 0},
    {"latency",
     "How long packets are under way. Each pair of machines has a round trip of its own, the same "
     "at all times.",
     0, 0, 0},
    {"jitter", "A delay of each packet's own.", 0, 0, 0},
    {"loss", "Packets lost.", 0, 0, 0},
    {"burst", "Packets lost many at a time, during the faults (Gilbert and Elliott).", 0, 0, 0},
    {"duplicate", "Packets that come twice, during the faults.", 0, 0, 0},
    {"reorder", "Packets that others overtake, during the faults.", 0, 0, 0},
    {"rate", "How much a machine's line carries.", 0, 0, 0},
    {"mtu", "How long packets may be.", 0, 0, 0},
    {"nat", "What share of machines is behind which NAT. The others have public addresses.", 0, 0,
     0},
    {"churn", "Machines that come and go.", 0, 0, 0},
    {"machines", "What is wrong with machines.", 0, 0, 0},
    {"publish", "The names that are published, while the network warms up.", 0, 0, 0},
    {"resolve", "The lookups that are measured.", 0, 0, 0},
    {"partition", "The network in two, and joined again. Several may follow each other.",
     REPEATED(partition, partitions)},
    {"adversary", "Machines with another brain. All of one scenario collude.",
     REPEATED(adversary, adversaries)},
    {"event", "Something that happens at one time.", REPEATED(event, events)},
    {"phases", "How long it all takes. First `join`, then these.", 0, 0, 0},
    {"check", "What has to hold. `simnet run` ends with 1 where it does not.", 0, 0, 0},
};
const size_t simnet_scenario_section_count =
    sizeof simnet_scenario_sections / sizeof *simnet_scenario_sections;

const struct simnet_scenario_key *simnet_scenario_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < simnet_scenario_key_count; i++)
        if (strcmp(simnet_scenario_keys[i].section, section) == 0 &&
            strcmp(simnet_scenario_keys[i].name, name) == 0)
            return &simnet_scenario_keys[i];
    return NULL;
}

const struct simnet_scenario_section *simnet_scenario_section_find(const char *name)
{
    for (size_t i = 0; i < simnet_scenario_section_count; i++)
        if (strcmp(simnet_scenario_sections[i].name, name) == 0)
            return &simnet_scenario_sections[i];
    return NULL;
}

void simnet_scenario_keys_default(const char *section, void *base)
{
    for (size_t i = 0; i < simnet_scenario_key_count; i++) {
        const struct simnet_scenario_key *key = &simnet_scenario_keys[i];
        if (strcmp(key->section, section) != 0)
            continue;
        bool good = simnet_scenario_value_read(key, base, key->standard);
        assert(good);
        (void)good;
    }
}
