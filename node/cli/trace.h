// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_TRACE_H
#define PNR_CLI_TRACE_H

// `pnr resolve --trace`: the lookup hop by hop, a line for each query that ended, in the order in
// which they did, and for each node that was asked what it publishes; and at the end how dense the
// network is around the name. On stdout, as what was asked for, before the results.

#include "node/cli/session.h"

struct cli_trace {
    size_t count;                    // hops told
    uint8_t target[PNR_NODE_ID_LEN]; // of the last
    size_t target_len;
};

// Tells one hop. False where the event is none.
bool cli_trace_hop(struct cli_context *context, struct cli_trace *trace,
                   const struct pnr_event *event);

// Tells how dense it is around the name. Asks the daemon for the size of the
// cloud.
void cli_trace_end(struct cli_context *context, const struct pnr_tally *tally);

// Warns, on stderr, where nodes are packed around the name.
void cli_trace_warn(struct cli_context *context, const struct pnr_tally *tally);

#endif
