// SPDX-License-Identifier: MIT
#include "nsp/inbox.h"

#include <string.h>

void nsp_inbox_init(struct nsp_inbox *inbox, const struct nsp_memory *memory, uint32_t max)
{
    memset(inbox, 0, sizeof *inbox);
    inbox->memory = memory;
    inbox->max = max < NSP_INBOX_PUBLISHERS_MAX ? max : NSP_INBOX_PUBLISHERS_MAX;
    inbox->end = &inbox->first;
}

static void drop_chain(struct nsp_inbox *inbox, struct nsp_result *chain)
{
    while (chain != NULL) {
        struct nsp_result *result = chain;
        chain = result->next;
        nsp_result_drop(result, inbox->memory);
    }
}

void nsp_inbox_drop(struct nsp_inbox *inbox)
{
    while (inbox->publishers != NULL) {
        struct nsp_inbox_publisher *publisher = inbox->publishers;
        inbox->publishers = publisher->next;
        nsp_result_drop(publisher->returned, inbox->memory);
        nsp_memory_give(inbox->memory, publisher);
    }
    drop_chain(inbox, inbox->first);
    drop_chain(inbox, inbox->aside);
    nsp_inbox_init(inbox, inbox->memory, inbox->max);
}

// ---- publishers ----

static bool is_key(const struct pnr_known *known, const uint8_t key[PNR_PUBLISHER_LEN])
{
    return memcmp(known->publisher, key, PNR_PUBLISHER_LEN) == 0;
}

static struct nsp_inbox_publisher *find(const struct nsp_inbox *inbox,
                                        const uint8_t key[PNR_PUBLISHER_LEN])
{
    struct nsp_inbox_publisher *publisher = inbox->publishers;
    while (publisher != NULL && !is_key(&publisher->heard, key)) {
        publisher = publisher->next;
    }
    return publisher;
}

static struct nsp_inbox_publisher *add(struct nsp_inbox *inbox, const struct pnr_known *known)
{
    struct nsp_inbox_publisher *publisher = nsp_memory_take(inbox->memory, sizeof *publisher);
    if (publisher != NULL) {
        publisher->heard = *known;
        publisher->next = inbox->publishers;
        inbox->publishers = publisher;
        inbox->publisher_count++;
    }
    return publisher;
}

static void remove_publisher(struct nsp_inbox *inbox, struct nsp_inbox_publisher *publisher)
{
    struct nsp_inbox_publisher **link = &inbox->publishers;
    while (*link != publisher) {
        link = &(*link)->next;
    }
    *link = publisher->next;
    inbox->publisher_count--;
    nsp_result_drop(publisher->returned, inbox->memory);
    nsp_memory_give(inbox->memory, publisher);
}

// ---- the queue ----

static void append(struct nsp_inbox *inbox, struct nsp_result *result, DWORD output_flags)
{
    result->output_flags = output_flags;
    result->next = NULL;
    *inbox->end = result;
    inbox->end = &result->next;
}

// Puts one result in the place of another.
static void replace(struct nsp_inbox *inbox, struct nsp_result *old, struct nsp_result *result,
                    DWORD output_flags)
{
    struct nsp_result **link = &inbox->first;
    while (*link != old) {
        link = &(*link)->next;
    }
    result->output_flags = output_flags;
    result->next = old->next;
    *link = result;
    if (inbox->end == &old->next) {
        inbox->end = &result->next;
    }
    nsp_result_drop(old, inbox->memory);
}

// Queues a change of a publisher of whom something was returned or waits.
static void change(struct nsp_inbox *inbox, struct nsp_inbox_publisher *publisher,
                   struct nsp_result *result, DWORD output_flags)
{
    if (publisher->change != NULL) {
        replace(inbox, publisher->change, result, output_flags);
    } else {
        append(inbox, result, output_flags);
        publisher->changes++;
        inbox->changed += publisher->is_returned;
    }
    publisher->change = result;
}

// ---- hearing ----

// Whether a result says what is known; also that somebody is back who was not yet told to be gone.
static bool is_repeated(struct nsp_inbox_publisher *publisher, const struct nsp_result *result)
{
    bool same = memcmp(publisher->heard.mark, result->known.mark, sizeof result->known.mark) == 0;
    if (same && publisher->is_gone && publisher->changes == 0) {
        publisher->is_gone = false;
    }
    return same && !publisher->is_gone;
}

static int hear_of_new(struct nsp_inbox *inbox, enum nsp_inbox_what what, struct nsp_result *result)
{
    if (inbox->publisher_count >= inbox->max) {
        inbox->turned_away++;
        nsp_result_drop(result, inbox->memory);
        return 0;
    }
    if (add(inbox, &result->known) == NULL) {
        nsp_result_drop(result, inbox->memory);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    append(inbox, result, what == NSP_INBOX_FOUND ? 0 : RESULT_IS_ADDED);
    return 0;
}

// Takes what was set aside of a publisher out; NULL: nothing.
static struct nsp_result *take_aside(struct nsp_inbox *inbox, const uint8_t key[PNR_PUBLISHER_LEN])
{
    struct nsp_result **link = &inbox->aside;
    while (*link != NULL && !is_key(&(*link)->known, key)) {
        link = &(*link)->next;
    }
    struct nsp_result *result = *link;
    if (result != NULL) {
        *link = result->next;
        result->next = NULL;
        inbox->aside_count--;
    }
    return result;
}

static void set_aside(struct nsp_inbox *inbox, struct nsp_result *result)
{
    struct nsp_result **end = &inbox->aside;
    nsp_result_drop(take_aside(inbox, result->known.publisher), inbox->memory);
    if (inbox->aside_count == NSP_INBOX_PUBLISHERS_MAX) {
        inbox->turned_away++;
        nsp_result_drop(result, inbox->memory);
        return;
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    result->next = NULL;
    *end = result;
    inbox->aside_count++;
}

int nsp_inbox_hear(struct nsp_inbox *inbox, enum nsp_inbox_what what, struct nsp_result *result)
{
    struct nsp_inbox_publisher *publisher = find(inbox, result->known.publisher);
    if (publisher == NULL && what != NSP_INBOX_FOUND && !inbox->settled) {
        set_aside(inbox, result);
        return 0;
    }
    if (publisher == NULL) {
        return hear_of_new(inbox, what, result);
    }
    if (what != NSP_INBOX_FOUND) {
        // What the watch says now goes before what it said.
        nsp_result_drop(take_aside(inbox, result->known.publisher), inbox->memory);
    }
    if (is_repeated(publisher, result)) {
        inbox->repeated++;
        nsp_result_drop(result, inbox->memory);
        return 0;
    }
    publisher->heard = result->known;
    publisher->is_gone = false;
    change(inbox, publisher, result, RESULT_IS_CHANGED);
    return 0;
}

void nsp_inbox_forget(struct nsp_inbox *inbox, const uint8_t key[PNR_PUBLISHER_LEN])
{
    struct nsp_inbox_publisher *publisher = find(inbox, key);
    nsp_result_drop(take_aside(inbox, key), inbox->memory);
    if (publisher == NULL || publisher->is_gone) {
        return;
    }
    publisher->is_gone = true;
    if (publisher->change != NULL) {
        // It says what he said last.
        publisher->change->output_flags = RESULT_IS_DELETED;
    } else if (publisher->returned != NULL) {
        struct nsp_result *result = publisher->returned;
        publisher->returned = NULL;
        change(inbox, publisher, result, RESULT_IS_DELETED);
    }
    // Else what waits of him comes first, and then that he is gone.
}

int nsp_inbox_settle(struct nsp_inbox *inbox)
{
    int error = 0;
    inbox->settled = true;
    while (inbox->aside != NULL) {
        struct nsp_result *result = inbox->aside;
        inbox->aside = result->next;
        inbox->aside_count--;
        int status = nsp_inbox_hear(inbox, NSP_INBOX_ADDED, result);
        error = status != 0 ? status : error;
    }
    return error;
}

// ---- fetching ----

const struct nsp_result *nsp_inbox_first(const struct nsp_inbox *inbox)
{
    return inbox->first;
}

void nsp_inbox_hold(struct nsp_inbox *inbox)
{
    struct nsp_result *result = inbox->first;
    struct nsp_inbox_publisher *publisher =
        result == NULL ? NULL : find(inbox, result->known.publisher);
    inbox->is_held = result != NULL;
    if (publisher != NULL && publisher->change == result) {
        publisher->change = NULL;
    }
}

static struct nsp_result *unhook(struct nsp_inbox *inbox)
{
    struct nsp_result *result = inbox->first;
    inbox->first = result->next;
    if (inbox->first == NULL) {
        inbox->end = &inbox->first;
    }
    result->next = NULL;
    inbox->is_held = false;
    return result;
}

// The program knows now what a result says.
static void note(struct nsp_inbox *inbox, struct nsp_inbox_publisher *publisher,
                 struct nsp_result *result)
{
    bool was_change = (result->output_flags & (RESULT_IS_CHANGED | RESULT_IS_DELETED)) != 0;
    if (publisher->change == result) {
        publisher->change = NULL;
    }
    if (was_change) {
        publisher->changes--;
        inbox->changed -= publisher->is_returned;
    } else if (!publisher->is_returned) {
        inbox->changed += publisher->changes;
    }
    publisher->is_returned = true;
    nsp_result_drop(publisher->returned, inbox->memory);
    publisher->returned = result;
}

// The program knows that a publisher is gone. What waits of him still is that he is back.
static void note_gone(struct nsp_inbox *inbox, struct nsp_inbox_publisher *publisher)
{
    if (publisher->is_gone && publisher->changes == 0) {
        remove_publisher(inbox, publisher);
        return;
    }
    nsp_result_drop(publisher->returned, inbox->memory);
    publisher->returned = NULL;
    publisher->is_returned = false;
    inbox->changed -= publisher->changes;
    if (publisher->change != NULL) {
        publisher->change->output_flags = RESULT_IS_ADDED;
        publisher->change = NULL;
        publisher->changes--;
    }
}

void nsp_inbox_take(struct nsp_inbox *inbox)
{
    if (inbox->first == NULL) {
        return;
    }
    struct nsp_result *result = unhook(inbox);
    struct nsp_inbox_publisher *publisher = find(inbox, result->known.publisher);
    if (publisher == NULL) {
        nsp_result_drop(result, inbox->memory);
        return;
    }
    note(inbox, publisher, result);
    if ((result->output_flags & RESULT_IS_DELETED) != 0) {
        note_gone(inbox, publisher);
    } else if (publisher->is_gone && publisher->changes == 0) {
        publisher->returned = NULL;
        change(inbox, publisher, result, RESULT_IS_DELETED);
    }
}

void nsp_inbox_flush(struct nsp_inbox *inbox)
{
    if (inbox->is_held) {
        nsp_inbox_take(inbox);
    }
}

bool nsp_inbox_changed(const struct nsp_inbox *inbox)
{
    return inbox->changed > 0;
}

size_t nsp_inbox_known(const struct nsp_inbox *inbox, struct pnr_known *ret_known, size_t max)
{
    size_t count = 0;
    for (const struct nsp_inbox_publisher *publisher = inbox->publishers;
         publisher != NULL && count < max; publisher = publisher->next) {
        if (!publisher->is_gone) {
            ret_known[count++] = publisher->heard;
        }
    }
    return count;
}
