// SPDX-License-Identifier: MIT
#include "dht/lookup.h"

#include "dht/addr.h"
#include "dht/id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct dht_candidate) == 64, "a candidate takes one cache line");

#define CAPACITY_FIRST 32
#define BROKEN_MIN     4 // fewer than that may be bad luck
#define BROKEN_SHARE   3 // times as many as were there: half of a network may die at once

void dht_lookup_init(struct dht_lookup *lookup, const struct dht_config *config,
                     const struct dht_id *target, uint32_t width)
{
    *lookup = (struct dht_lookup){
        .target = *target,
        .capacity_max = (uint16_t)config->candidates_max,
        .in_flight_max = (uint16_t)config->in_flight,
        .width = (uint16_t)width,
        .lab = config->lab,
    };
    memset(lookup->id_chains, 0xff, sizeof lookup->id_chains); // DHT_LOOKUP_NONE everywhere
    memset(lookup->crowd_chains, 0xff, sizeof lookup->crowd_chains);
}

void dht_lookup_fini(struct dht_lookup *lookup)
{
    free(lookup->candidates);
    free(lookup->replies);
    free(lookup->order);
    free(lookup->tags);
    lookup->candidates = NULL;
    lookup->replies = NULL;
    lookup->tags = NULL;
    lookup->order = NULL;
    lookup->count = lookup->capacity = 0;
}

static bool is_out(const struct dht_candidate *candidate)
{
    return candidate->state == DHT_CANDIDATE_SILENT || candidate->state == DHT_CANDIDATE_DEAD;
}

// Whether it was named by nobody but one who has named too many that are not there.
static bool is_doubtful(const struct dht_lookup *lookup, const struct dht_candidate *candidate)
{
    if (candidate->namer == 0 || candidate->tries > 0)
        return false;
    const struct dht_candidate *namer = &lookup->candidates[candidate->namer - 1];
    return namer->broken >= BROKEN_MIN && namer->broken > BROKEN_SHARE * namer->kept;
}

static bool grow(struct dht_lookup *lookup)
{
    if (lookup->count < lookup->capacity)
        return true;
    if (lookup->capacity == lookup->capacity_max)
        return false;
    uint32_t capacity = lookup->capacity == 0 ? CAPACITY_FIRST : 2u * lookup->capacity;
    if (capacity > lookup->capacity_max)
        capacity = lookup->capacity_max;
    struct dht_candidate *candidates = realloc(lookup->candidates, capacity * sizeof *candidates);
    if (candidates == NULL)
        return false;
    lookup->candidates = candidates;
    if (lookup->replies != NULL) {
        struct dht_candidate_reply *replies = realloc(lookup->replies, capacity * sizeof *replies);
        if (replies == NULL)
            return false;
        lookup->replies = replies;
    }
    uint16_t *order = realloc(lookup->order, capacity * sizeof *order);
    if (order == NULL)
        return false;
    lookup->order = order;
    struct dht_lookup_tag *tags = realloc(lookup->tags, capacity * sizeof *tags);
    if (tags == NULL)
        return false;
    lookup->tags = tags;
    lookup->capacity = (uint16_t)capacity;
    return true;
}

static struct dht_lookup_tag tag_of(const struct dht_lookup *lookup,
                                    const struct dht_candidate *candidate)
{
    struct dht_lookup_tag tag = {0};
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    size_t len = dht_addr_to_compact(&candidate->addr, compact);
    memcpy(&tag.id, candidate->id.bytes + DHT_ID_LEN - sizeof tag.id, sizeof tag.id);
    tag.crowd = dht_addr_crowd(compact, len, lookup->lab);
    return tag;
}

static uint16_t *id_chain(struct dht_lookup *lookup, uint32_t id)
{
    return &lookup->id_chains[id % DHT_LOOKUP_CHAINS];
}

static uint16_t *crowd_chain(struct dht_lookup *lookup, uint32_t crowd)
{
    return &lookup->crowd_chains[crowd % DHT_LOOKUP_CHAINS];
}

static void link_tag(struct dht_lookup *lookup, uint16_t index, struct dht_lookup_tag tag)
{
    tag.next_id = *id_chain(lookup, tag.id);
    tag.next_crowd = *crowd_chain(lookup, tag.crowd);
    *id_chain(lookup, tag.id) = index;
    *crowd_chain(lookup, tag.crowd) = index;
    lookup->tags[index] = tag;
}

static void unlink_tag(struct dht_lookup *lookup, uint16_t index)
{
    const struct dht_lookup_tag *tag = &lookup->tags[index];
    uint16_t *link = id_chain(lookup, tag->id);
    while (*link != index)
        link = &lookup->tags[*link].next_id;
    *link = tag->next_id;
    link = crowd_chain(lookup, tag->crowd);
    while (*link != index)
        link = &lookup->tags[*link].next_crowd;
    *link = tag->next_crowd;
}

// A name that has turned out false must not keep out the true one (quirk Q10).
static bool in_the_way(const struct dht_candidate *candidate)
{
    return candidate->state != DHT_CANDIDATE_DEAD;
}

// Whether a candidate has the newcomer's id, and is in its way or the very same.
static bool is_listed(struct dht_lookup *lookup, const struct dht_candidate *newcomer, uint32_t tag)
{
    for (uint16_t i = *id_chain(lookup, tag); i != DHT_LOOKUP_NONE; i = lookup->tags[i].next_id) {
        struct dht_candidate *candidate = &lookup->candidates[i];
        if (lookup->tags[i].id != tag || !dht_id_equal(&candidate->id, &newcomer->id))
            continue;
        bool same_addr = dht_addr_equal(&candidate->addr, &newcomer->addr);
        if (same_addr && is_doubtful(lookup, candidate))
            candidate->namer = newcomer->namer;
        if (same_addr || in_the_way(candidate))
            return true;
    }
    return false;
}

// Whether a candidate that was named by another id than the newcomer, at the same address, is to
// give way to it.
static bool gives_way(const struct dht_lookup *lookup, const struct dht_candidate *candidate,
                      const struct dht_candidate *newcomer)
{
    if (candidate->state != DHT_CANDIDATE_NEW || is_doubtful(lookup, newcomer))
        return false;
    return is_doubtful(lookup, candidate) ||
           dht_id_compare(&lookup->target, &newcomer->id, &candidate->id) < 0;
}

// Whether the newcomer is one that is listed already, or one too many of its kind. ret_place: the
// candidate whose place it is to take; left as it is where it takes nobody's.
static enum dht_lookup_offer judge(struct dht_lookup *lookup, const struct dht_candidate *newcomer,
                                   struct dht_lookup_tag tag, uint16_t *ret_place)
{
    uint32_t same_prefix = 0;
    uint32_t same_wide = 0;
    if (is_listed(lookup, newcomer, tag.id))
        return DHT_LOOKUP_KNOWN;
    for (uint16_t i = *crowd_chain(lookup, tag.crowd); i != DHT_LOOKUP_NONE;
         i = lookup->tags[i].next_crowd) {
        struct dht_candidate *candidate = &lookup->candidates[i];
        if (lookup->tags[i].crowd != tag.crowd)
            continue;
        if (in_the_way(candidate) && dht_addr_equal(&candidate->addr, &newcomer->addr)) {
            candidate->disputed = 1;
            if (!gives_way(lookup, candidate, newcomer))
                return DHT_LOOKUP_KNOWN;
            *ret_place = i;
            return DHT_LOOKUP_ADDED;
        }
        if (lookup->lab)
            continue;
        if (in_the_way(candidate) && dht_addr_equal_ip(&candidate->addr, &newcomer->addr))
            return DHT_LOOKUP_REFUSED;
        same_prefix += dht_addr_prefix(&candidate->addr) == dht_addr_prefix(&newcomer->addr);
        same_wide +=
            dht_addr_wide_prefix(&candidate->addr) == dht_addr_wide_prefix(&newcomer->addr);
    }
    bool crowded = same_prefix >= DHT_LOOKUP_PREFIX_MAX || same_wide >= DHT_LOOKUP_WIDE_MAX;
    return crowded ? DHT_LOOKUP_REFUSED : DHT_LOOKUP_ADDED;
}

// Where in the order of the first `listed` an id goes.
static uint16_t rank_of(const struct dht_lookup *lookup, const struct dht_id *id, uint16_t listed)
{
    uint16_t low = 0;
    uint16_t high = listed;
    while (low < high) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        const struct dht_id *other = &lookup->candidates[lookup->order[middle]].id;
        if (dht_id_compare(&lookup->target, other, id) < 0)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return low;
}

static void insert_in_order(struct dht_lookup *lookup, uint16_t index, const struct dht_id *id,
                            uint16_t listed)
{
    uint16_t rank = rank_of(lookup, id, listed);
    memmove(lookup->order + rank + 1, lookup->order + rank,
            (size_t)(listed - rank) * sizeof *lookup->order);
    lookup->order[rank] = index;
}

static void remove_from_order(struct dht_lookup *lookup, uint16_t index)
{
    uint16_t rank = rank_of(lookup, &lookup->candidates[index].id, lookup->count);
    while (lookup->order[rank] != index) // others may have its id
        rank++;
    memmove(lookup->order + rank, lookup->order + rank + 1,
            (size_t)(lookup->count - rank - 1) * sizeof *lookup->order);
}

// Who gives way in a full list: the farthest that was not asked, if it is behind id, or
// DHT_LOOKUP_NONE.
static uint16_t farthest_new(const struct dht_lookup *lookup, const struct dht_id *id)
{
    uint16_t rank = rank_of(lookup, id, lookup->count);
    for (uint16_t last = lookup->count; last-- > rank;)
        if (lookup->candidates[lookup->order[last]].state == DHT_CANDIDATE_NEW)
            return lookup->order[last];
    return DHT_LOOKUP_NONE;
}

enum dht_lookup_offer dht_lookup_offer(struct dht_lookup *lookup,
                                       const struct dht_candidate *newcomer, uint16_t *ret_index)
{
    struct dht_lookup_tag tag = tag_of(lookup, newcomer);
    uint16_t index = DHT_LOOKUP_NONE;
    enum dht_lookup_offer verdict = judge(lookup, newcomer, tag, &index);
    if (verdict != DHT_LOOKUP_ADDED)
        return verdict;
    bool disputed = index != DHT_LOOKUP_NONE;
    if (!disputed && grow(lookup)) {
        index = lookup->count;
        insert_in_order(lookup, index, &newcomer->id, lookup->count);
        lookup->count++;
    } else {
        if (!disputed)
            index = farthest_new(lookup, &newcomer->id);
        if (index == DHT_LOOKUP_NONE)
            return DHT_LOOKUP_DROPPED;
        unlink_tag(lookup, index);
        remove_from_order(lookup, index);
        insert_in_order(lookup, index, &newcomer->id, (uint16_t)(lookup->count - 1));
    }
    link_tag(lookup, index, tag);
    lookup->candidates[index] = *newcomer;
    lookup->candidates[index].state = DHT_CANDIDATE_NEW;
    lookup->candidates[index].disputed = disputed;
    *ret_index = index;
    return DHT_LOOKUP_ADDED;
}

// A walk over the candidates that have to answer, closest first: all of the region, as many beyond
// it as make `width` in all and `fringe` beyond it, and then secure ones until `secure` were seen.
struct walk {
    uint16_t rank;
    uint32_t width, fringe, secure; // still to be seen
};

static struct walk walk_all(const struct dht_lookup *lookup)
{
    return (struct walk){
        .width = lookup->width, .fringe = lookup->fringe, .secure = lookup->secure_width};
}

static bool is_in_region(const struct dht_lookup *lookup, const struct dht_candidate *candidate)
{
    return lookup->fringe > 0 &&
           dht_id_distance64(&candidate->id, &lookup->target) <= lookup->region;
}

// The next one's index, or DHT_LOOKUP_NONE.
static uint16_t walk_next(const struct dht_lookup *lookup, struct walk *walk)
{
    while (walk->rank < lookup->count &&
           (walk->width > 0 || walk->fringe > 0 || walk->secure > 0)) {
        uint16_t index = lookup->order[walk->rank++];
        const struct dht_candidate *candidate = &lookup->candidates[index];
        if (is_out(candidate) || is_doubtful(lookup, candidate))
            continue;
        if (walk->width > 0 || walk->fringe > 0 || candidate->is_secure)
            return index;
    }
    return DHT_LOOKUP_NONE;
}

// The one just shown counts.
static void walk_count(const struct dht_lookup *lookup, struct walk *walk,
                       const struct dht_candidate *candidate)
{
    walk->width -= walk->width > 0;
    walk->secure -= walk->secure > 0 && candidate->is_secure;
    walk->fringe -= walk->fringe > 0 && !is_in_region(lookup, candidate);
}

uint32_t dht_lookup_own_beyond(const struct dht_lookup *lookup)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < lookup->count; i++)
        count += lookup->candidates[i].namer == 0 && !is_in_region(lookup, &lookup->candidates[i]);
    return count;
}

void dht_lookup_widen(struct dht_lookup *lookup, uint64_t region, uint32_t width, uint32_t fringe)
{
    lookup->region = region;
    lookup->fringe = (uint16_t)fringe;
    if (width > lookup->width)
        lookup->width = (uint16_t)width;
}

// ---- in a hurry ----

#define HURRY_FLIGHT      3 // more in flight than else
#define HURRY_NEAR_FLIGHT 3 // and of those who would have to be asked in any case

void dht_lookup_hurry(struct dht_lookup *lookup, uint64_t near, uint32_t typical_us)
{
    lookup->near = near;
    lookup->typical_us = near > 0 ? typical_us : 0;
}

void dht_lookup_calm(struct dht_lookup *lookup)
{
    lookup->typical_us = 0;
}

static bool is_near(const struct dht_lookup *lookup, const struct dht_candidate *candidate)
{
    return dht_id_distance64(&candidate->id, &lookup->target) <= lookup->near;
}

// The binary logarithm, in sixteenths; number is not 0.
static uint32_t log2_16(uint64_t number)
{
    uint32_t whole = 63 - (uint32_t)__builtin_clzll(number);
    uint64_t rest = whole >= 4 ? number >> (whole - 4) : number << (4 - whole);
    return whole * 16 + (uint32_t)(rest & 15);
}

// When the thing sought may be here by way of the candidate: from one that is near, after its round
// trip. One farther away names others, which takes half a typical round trip more (several are
// asked at once, and the first counts), and a quarter for each bit of distance. Who was late once
// is likely dead.
static uint64_t expected_us(const struct dht_lookup *lookup, const struct dht_candidate *candidate)
{
    uint64_t typical_us = lookup->typical_us;
    uint64_t distance = dht_id_distance64(&candidate->id, &lookup->target);
    uint64_t time_us = candidate->rtt_us > 0 ? candidate->rtt_us : typical_us;
    if (distance > lookup->near)
        time_us += typical_us / 2 + typical_us * (log2_16(distance) - log2_16(lookup->near)) / 64;
    return time_us + 2 * candidate->tries * typical_us;
}

static bool can_be_asked(const struct dht_candidate *candidate)
{
    return candidate->state == DHT_CANDIDATE_NEW || candidate->state == DHT_CANDIDATE_RETRY;
}

struct soonest {
    uint16_t index;
    uint64_t time_us;
};

static void consider(const struct dht_lookup *lookup, struct soonest *soonest, uint16_t index)
{
    uint64_t time_us = expected_us(lookup, &lookup->candidates[index]);
    if (time_us < soonest->time_us)
        *soonest = (struct soonest){index, time_us};
}

// Whom to ask where time counts: of those who have to answer anyway, or of all as long as there is
// one of those, the one who is likely to lead there first.
static uint16_t next_soonest(const struct dht_lookup *lookup)
{
    struct walk walk = walk_all(lookup);
    struct soonest soonest = {DHT_LOOKUP_NONE, UINT64_MAX};
    uint32_t in_flight_max = lookup->in_flight_max + HURRY_FLIGHT;
    bool only_near = lookup->in_flight >= in_flight_max;
    bool open = false;
    uint16_t index;
    if (lookup->in_flight >= in_flight_max + HURRY_NEAR_FLIGHT)
        return DHT_LOOKUP_NONE;
    while ((index = walk_next(lookup, &walk)) != DHT_LOOKUP_NONE) {
        const struct dht_candidate *candidate = &lookup->candidates[index];
        walk_count(lookup, &walk, candidate);
        open = open || can_be_asked(candidate);
        if (can_be_asked(candidate) && (!only_near || is_near(lookup, candidate)))
            consider(lookup, &soonest, index);
    }
    for (uint16_t i = 0; i < lookup->count && open && !only_near; i++)
        if (can_be_asked(&lookup->candidates[i]) && !is_doubtful(lookup, &lookup->candidates[i]))
            consider(lookup, &soonest, i);
    return soonest.index;
}

uint16_t dht_lookup_next(const struct dht_lookup *lookup)
{
    if (lookup->typical_us > 0)
        return next_soonest(lookup);
    struct walk walk = walk_all(lookup);
    uint16_t index = DHT_LOOKUP_NONE;
    if (lookup->in_flight >= lookup->in_flight_max)
        return DHT_LOOKUP_NONE;
    while ((index = walk_next(lookup, &walk)) != DHT_LOOKUP_NONE) {
        const struct dht_candidate *candidate = &lookup->candidates[index];
        if (candidate->state == DHT_CANDIDATE_NEW || candidate->state == DHT_CANDIDATE_RETRY)
            return index;
        walk_count(lookup, &walk, candidate);
    }
    return DHT_LOOKUP_NONE;
}

// Who named a node answers for whether it is there.
static void note_namer(struct dht_lookup *lookup, const struct dht_candidate *candidate,
                       enum dht_candidate_state state)
{
    if (candidate->namer == 0 || candidate->state != DHT_CANDIDATE_ASKED)
        return;
    struct dht_candidate *namer = &lookup->candidates[candidate->namer - 1];
    bool is_gone = state == DHT_CANDIDATE_SILENT || state == DHT_CANDIDATE_DEAD;
    if (state == DHT_CANDIDATE_ANSWERED && namer->kept < UINT8_MAX)
        namer->kept++;
    else if (is_gone && !candidate->spoke && namer->broken < UINT8_MAX)
        namer->broken++;
}

void dht_lookup_enter(struct dht_lookup *lookup, uint16_t index, enum dht_candidate_state state)
{
    assert(index < lookup->count);
    struct dht_candidate *candidate = &lookup->candidates[index];
    note_namer(lookup, candidate, state);
    if (candidate->state == DHT_CANDIDATE_ASKED) {
        assert(lookup->in_flight > 0);
        lookup->in_flight--;
    }
    candidate->state = (uint8_t)state;
    if (state == DHT_CANDIDATE_ASKED) {
        candidate->tries++;
        lookup->in_flight++;
    } else {
        candidate->owes = 0;
    }
}

void dht_lookup_soft_timeout(struct dht_lookup *lookup, uint16_t index)
{
    assert(index < lookup->count);
    const struct dht_candidate *candidate = &lookup->candidates[index];
    if (candidate->state != DHT_CANDIDATE_ASKED)
        return;
    enum dht_candidate_state last =
        candidate->spoke ? DHT_CANDIDATE_ANSWERED : DHT_CANDIDATE_SILENT;
    bool again = candidate->tries < DHT_LOOKUP_TRIES_MAX;
    dht_lookup_enter(lookup, index, again ? DHT_CANDIDATE_RETRY : last);
}

static bool was_late(const struct dht_candidate *candidate)
{
    return candidate->state != DHT_CANDIDATE_ANSWERED &&
           (candidate->state == DHT_CANDIDATE_RETRY || candidate->tries > 1);
}

// Whether those of the walk have all answered, not counting, where not patient, those that were
// late.
static bool all_answered(const struct dht_lookup *lookup, struct walk walk, bool patient)
{
    uint16_t index;
    while ((index = walk_next(lookup, &walk)) != DHT_LOOKUP_NONE) {
        const struct dht_candidate *candidate = &lookup->candidates[index];
        if (candidate->state == DHT_CANDIDATE_ANSWERED)
            walk_count(lookup, &walk, candidate);
        else if (patient || !was_late(candidate))
            return false;
    }
    return true;
}

bool dht_lookup_is_settled(const struct dht_lookup *lookup, uint32_t count)
{
    return all_answered(lookup, (struct walk){.width = count}, false);
}

bool dht_lookup_is_owed(const struct dht_lookup *lookup, int64_t seq)
{
    struct walk walk = walk_all(lookup);
    uint16_t index;
    while ((index = walk_next(lookup, &walk)) != DHT_LOOKUP_NONE) {
        const struct dht_candidate *candidate = &lookup->candidates[index];
        if (candidate->owes && lookup->replies[index].seq_owed != seq)
            return true;
        if (candidate->state == DHT_CANDIDATE_ANSWERED)
            walk_count(lookup, &walk, candidate);
    }
    return false;
}

bool dht_lookup_is_done(const struct dht_lookup *lookup)
{
    return all_answered(lookup, walk_all(lookup), true);
}

size_t dht_lookup_front(const struct dht_lookup *lookup, size_t max, uint16_t *ret_indices)
{
    struct walk walk = {.width = (uint32_t)max};
    size_t count = 0;
    uint16_t index;
    while ((index = walk_next(lookup, &walk)) != DHT_LOOKUP_NONE) {
        if (was_late(&lookup->candidates[index]))
            continue;
        walk_count(lookup, &walk, &lookup->candidates[index]);
        ret_indices[count++] = index;
    }
    return count;
}

size_t dht_lookup_answered(const struct dht_lookup *lookup, size_t max, bool with_token,
                           uint16_t *ret_indices)
{
    size_t count = 0;
    for (uint16_t rank = 0; rank < lookup->count && count < max; rank++) {
        uint16_t index = lookup->order[rank];
        const struct dht_candidate *candidate = &lookup->candidates[index];
        if (candidate->state != DHT_CANDIDATE_ANSWERED)
            continue;
        if (with_token && candidate->token_len == 0)
            continue;
        ret_indices[count++] = index;
    }
    return count;
}

// A walk that the fringe keeps going shows more than are stored on.
static bool is_storer(const struct dht_lookup *lookup, const struct walk *walk,
                      const struct dht_candidate *candidate)
{
    if (candidate->state != DHT_CANDIDATE_ANSWERED || candidate->token_len == 0)
        return false;
    return walk->width > 0 || is_in_region(lookup, candidate) ||
           (walk->secure > 0 && candidate->is_secure);
}

size_t dht_lookup_storers(const struct dht_lookup *lookup, size_t width,
                          uint16_t ret_indices[DHT_STORERS_MAX])
{
    struct walk walk = walk_all(lookup);
    size_t count = 0;
    uint16_t index;
    walk.width = (uint32_t)width;
    while (count < DHT_STORERS_MAX && (index = walk_next(lookup, &walk)) != DHT_LOOKUP_NONE) {
        const struct dht_candidate *candidate = &lookup->candidates[index];
        if (is_storer(lookup, &walk, candidate))
            ret_indices[count++] = index;
        if (candidate->state == DHT_CANDIDATE_ANSWERED && candidate->token_len > 0)
            walk_count(lookup, &walk, candidate);
    }
    return count;
}
