// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_CLOUD_H
#define PNR_CORE_CLOUD_H

// The clouds of a node: for each a name, at most two engines, one of each family, and a state that
// follows from these. A cloud that the driver has removed, or that only rows of an earlier run
// name, stays here, absent, for as long as something is published in it.
//
//     absent --node_add_cloud()--> present --node_remove_cloud()--> absent, or gone
//
// Bounds: NODE_CLOUDS_MAX present ones; absent ones by publications_max.

#include "node/core/brain.h"
#include "node/core/session.h"

struct core_link; // node/core/link.h

struct core_engine {
    struct dht *dht; // NULL: none in this place
    struct core_cloud *cloud;
    struct core_link *link; // of a link's cloud; NULL: none
    int number;             // as the driver knows it
    // Of its configuration.
    enum dht_family family;
    uint32_t store_width;
    struct dht_addr addr;
    bool lab;
};

struct core_cloud {
    struct core_engine engines[NODE_ENGINES_MAX];
    int number; // as the driver knows it; another one each time it is added
    bool present;
    struct node_cloud_config config;
    uint32_t publications; // in it
    int64_t since_us;      // it has had an engine since; INT64_MAX: it has none
    bool is_told;          // watchers know of it, in this state
    enum node_cloud_state told;
    uint32_t told_families; // a bit for each
};

// NULL where there is none: present or absent, and present.
struct core_cloud *core_cloud_named(const struct node *node, struct dht_span name);
struct core_cloud *core_cloud_numbered(const struct node *node, int number);

// The one that is meant where none is named: Global_; where that is not there, or disabled, the
// first that is enabled; otherwise the first. NULL where there is none.
struct core_cloud *core_cloud_default(const struct node *node);

// The cloud of that name, made as an absent one where there is none. NULL where memory is short, or
// the name is none.
struct core_cloud *core_cloud_keep(struct node *node, struct dht_span name);
// Publications came or went: an absent cloud without any is gone.
void core_cloud_hold(struct core_cloud *cloud);
void core_cloud_drop(struct node *node, struct core_cloud *cloud);

void core_cloud_free_all(struct node *node);

// The engine of that number; NULL where there is none any more.
struct core_engine *core_cloud_engine(const struct node *node, int number);
// The engine of that family, NULL where the cloud has none.
struct core_engine *core_cloud_of_family(struct core_cloud *cloud, enum dht_family family);

// Whether any engine of the cloud knows anybody to ask.
bool core_cloud_has_contacts(const struct core_cloud *cloud);
// Whether others can reach the node by that engine: it is no read-only one, or in a lab.
bool core_cloud_is_reached(const struct core_engine *engine);
// Whether the address is the node's own, as far as the engine knows: where it listens, or where
// others see it.
bool core_cloud_is_own(const struct core_engine *engine, const struct dht_addr *addr);
// The shortest round trip that the cloud's engines have measured to a contact that has the IP
// address of any of the endpoints; -1: none of them is a contact.
int64_t core_cloud_rtt_us(struct core_cloud *cloud, const struct control_endpoint *endpoints,
                          size_t count);
// How many clouds are present.
uint32_t core_cloud_present(const struct node *node);
// The store_width of its engines.
uint32_t core_cloud_store_width(const struct core_cloud *cloud);

enum node_cloud_state core_cloud_state(const struct node *node, const struct core_cloud *cloud);

#define CORE_CLOUD_TEXT_MAX (NODE_CLOUD_NAME_MAX + 144)

// "the cloud NAME is gone", with such an ending.
void core_cloud_text(const struct core_cloud *cloud, const char *ending,
                     char ret_text[CORE_CLOUD_TEXT_MAX]);
// An ending for what is kept, to be tried again.
#define CORE_CLOUD_LATER "; what is asked for is kept, and done as soon as that changes"

// Whether there is no use in waiting for somebody to ask in it: it is absent, disabled, has no
// network, or nobody else has answered for long.
bool core_cloud_is_hopeless(const struct node *node, const struct core_cloud *cloud);
// Why there is nobody to ask in it, as a sentence with the cloud's name and what to do, and such an
// ending of at most 66 bytes. For one without contacts.
void core_cloud_why_nobody(const struct node *node, const struct core_cloud *cloud,
                           const char *ending, char ret_text[CORE_CLOUD_TEXT_MAX]);

#endif
