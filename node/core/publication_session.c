// SPDX-License-Identifier: MIT
// Publications that were registered, and end with their connections.
#include "node/core/publication.h"
#include "node/core/round.h"

#define FORGET_US (120 * CORE_MINUTE_US) // BEP 44: after that nobody need hold the old record

const char *core_publication_is_taken(const struct core_publication *publication,
                                      const struct core_session *session)
{
    if (session == NULL || publication == NULL || publication->anchor || publication->withdrawn)
        return NULL;
    return publication->session == session ? NULL : "the name is published here, by somebody else";
}

bool core_publication_is_of(const struct core_publication *publication,
                            const struct core_session *session)
{
    return publication->withdrawn ? publication->withdrawn_from == session->id
                                  : publication->session == session;
}

// What has stood in the record is kept until the tombstone is forgotten: it is taken out there.
static void empty(struct core_publication_content *content)
{
    content->endpoint_count = 0;
    content->ttl_s = 0;
}

void core_publication_take_back(const struct node *node, struct core_publication *publication)
{
    empty(&publication->content);
    publication->withdrawn = true;
    publication->withdrawn_from = publication->session != NULL ? publication->session->id : 0;
    publication->session = NULL;
    publication->forget_wall_us = core_brain_wall_us(node) + FORGET_US;
    if (publication->forget_wall_us < 0)
        publication->forget_wall_us = 0;
}

void core_publication_adopt(const struct node *node, struct core_publication *publication)
{
    if (publication->orphaned)
        core_publication_take_back(node, publication);
}

// Somebody publishes the name for good, which is not durable yet: should that come to nothing, what
// it goes back to is withdrawn.
static void take_back_kept(const struct node *node, struct core_publication_kept *kept)
{
    empty(&kept->content);
    kept->withdrawn = true;
    kept->session = NULL;
    kept->forget_wall_us = core_brain_wall_us(node) + FORGET_US;
}

void core_publication_hang_up(struct node *node, const struct core_session *session)
{
    for (uint32_t i = 0; i < node->publications.count; i++) {
        struct core_publication *publication = node->publications.slots[i];
        if (publication->kept != NULL && publication->kept->session == session)
            take_back_kept(node, publication->kept);
        if (publication->session != session)
            continue;
        core_publication_take_back(node, publication);
        core_publication_write(node, publication);
        if (publication->cloud->present)
            core_publication_begin(node, publication);
    }
}
