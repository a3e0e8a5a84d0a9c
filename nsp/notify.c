// SPDX-License-Identifier: MIT
#include "nsp/notify.h"

bool nsp_notify_add(struct nsp_notify *notify, struct nsp_completion *completion)
{
    struct nsp_completion **end = &notify->first;
    if (notify->count == NSP_NOTIFY_MAX) {
        notify->refused++;
        return false;
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    nsp_completion_begin(completion);
    completion->next = NULL;
    *end = completion;
    notify->count++;
    return true;
}

struct nsp_completion *nsp_notify_take(struct nsp_notify *notify)
{
    struct nsp_completion *chain = notify->first;
    notify->first = NULL;
    notify->count = 0;
    return chain;
}

struct nsp_completion *nsp_notify_take_of(struct nsp_notify *notify, uint64_t thread_id)
{
    struct nsp_completion *chain = NULL;
    struct nsp_completion **end = &chain;
    struct nsp_completion **link = &notify->first;
    while (*link != NULL) {
        struct nsp_completion *completion = *link;
        if (completion->thread_id == thread_id) {
            *link = completion->next;
            completion->next = NULL;
            *end = completion;
            end = &completion->next;
            notify->count--;
        } else {
            link = &completion->next;
        }
    }
    return chain;
}

void nsp_notify_deliver(struct nsp_completion *chain, DWORD error)
{
    while (chain != NULL) {
        struct nsp_completion *completion = chain;
        chain = completion->next;
        nsp_completion_deliver(completion, error);
    }
}

void nsp_notify_abandon(struct nsp_completion *chain)
{
    while (chain != NULL) {
        struct nsp_completion *completion = chain;
        chain = completion->next;
        nsp_completion_abandon(completion);
    }
}
