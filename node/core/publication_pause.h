// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_PUBLICATION_PAUSE_H
#define PNR_CORE_PUBLICATION_PAUSE_H

// How long a publication rests until its next round, in microseconds; drawn anew each time, so that
// those who have met do not meet again.

#include "node/core/publication.h"

#define CORE_PUBLICATION_PAUSE_CHECKS 3 // after a withdrawal from what others go on with

// After a round that has done what it had to: a few seconds where another writer has spoilt it,
// until the next check where it has withdrawn what others go on with, and else until the renewal.
// publication->is_check says whether it is one of the first two.
int64_t core_publication_pause_next(struct node *node, struct core_publication *publication);

// After a round that came to nothing: longer each time.
int64_t core_publication_pause_retry(const struct core_publication *publication);

#endif
