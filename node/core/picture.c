// SPDX-License-Identifier: MIT
#include "node/core/picture.h"

#include <stdlib.h>
#include <string.h>

void core_picture_fini(struct core_picture *picture)
{
    free(picture->entries);
    *picture = (struct core_picture){0};
}

static struct core_picture_entry *find(const struct core_picture *picture,
                                       const uint8_t publisher[CORE_PUBLISHER_LEN])
{
    for (uint32_t i = 0; i < picture->count; i++)
        if (memcmp(picture->entries[i].identity.publisher, publisher, CORE_PUBLISHER_LEN) == 0)
            return &picture->entries[i];
    return NULL;
}

void core_picture_begin(struct core_picture *picture)
{
    for (uint32_t i = 0; i < picture->count; i++)
        picture->entries[i].seen = false;
}

enum core_picture_change core_picture_look(struct core_picture *picture,
                                           const struct core_mark_identity *identity)
{
    struct core_picture_entry *entry = find(picture, identity->publisher);
    if (entry == NULL)
        return CORE_PICTURE_ADDED;
    entry->seen = true;
    bool same = memcmp(entry->identity.mark, identity->mark, CORE_MARK_LEN) == 0;
    return same ? CORE_PICTURE_SAME : CORE_PICTURE_CHANGED;
}

const struct core_mark_identity *core_picture_missing(const struct core_picture *picture)
{
    for (uint32_t i = 0; i < picture->count; i++)
        if (!picture->entries[i].seen)
            return &picture->entries[i].identity;
    return NULL;
}

static bool make_room(struct core_picture *picture)
{
    if (picture->count == CORE_PICTURE_MAX)
        return false;
    if (picture->count < picture->capacity)
        return true;
    uint32_t capacity = picture->capacity == 0 ? 2 : picture->capacity * 2;
    struct core_picture_entry *entries = realloc(picture->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    picture->entries = entries;
    picture->capacity = capacity;
    return true;
}

bool core_picture_put(struct core_picture *picture, const struct core_mark_identity *identity)
{
    struct core_picture_entry *entry = find(picture, identity->publisher);
    if (entry == NULL) {
        if (!make_room(picture))
            return false;
        entry = &picture->entries[picture->count++];
    }
    *entry = (struct core_picture_entry){.identity = *identity, .seen = true};
    return true;
}

void core_picture_remove(struct core_picture *picture, const struct core_mark_identity *identity)
{
    struct core_picture_entry *entry = find(picture, identity->publisher);
    if (entry != NULL)
        *entry = picture->entries[--picture->count];
}
