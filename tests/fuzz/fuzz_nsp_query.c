// SPDX-License-Identifier: MIT
// Query sets: whatever a program hands to Begin, within memory that it may have, is read without
// reading past any of it; and what is taken is in bounds, has a name that is one, and is the same
// when it is read again.
#include "nsp/name.h"
#include "nsp/query.h"
#include "nsp/text.h"
#include "tests/fuzz/fuzz.h"

// Memory of its own for each thing that is pointed to, so that reading past it is found out.
struct blocks {
    void *at[8];
    size_t count;
};

static void *keep(struct blocks *blocks, const void *data, size_t len)
{
    void *copy = malloc(len > 0 ? len : 1);
    FUZZ_CHECK(copy != NULL && blocks->count < 8);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    blocks->at[blocks->count++] = copy;
    return copy;
}

// A string of a program's: always with a NUL, or Windows itself would not get far with it.
static LPWSTR make_text(struct fuzz_input *input, struct blocks *blocks, const char *begin)
{
    static WCHAR units[64 + 255 + 1]; // the longest beginning, and what is added
    size_t count = 0, more = fuzz_u8(input);
    for (; begin[count] != '\0'; count++) {
        units[count] = (WCHAR)begin[count];
    }
    while (more-- > 0 && fuzz_left(input) > 0) {
        uint8_t byte = fuzz_u8(input);
        // Mostly ASCII; 0x80 to 0x9f begins a whole unit, surrogates among them.
        units[count++] = (byte & 0xe0) == 0x80 ? fuzz_u16(input) : byte;
    }
    units[count++] = 0;
    return keep(blocks, units, count * sizeof units[0]);
}

static LPWSTR make_name(struct fuzz_input *input, struct blocks *blocks)
{
    static const char *const begins[] = {
        "", "0.", "5b27aa5589179770e47575b162a1ded97b8bfc6d.",
        "pk:47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy."};
    return make_text(input, blocks, begins[fuzz_u8(input) % 4]);
}

static LPGUID make_guid(struct fuzz_input *input, struct blocks *blocks)
{
    const GUID *const guids[] = {&SVCID_PNRPNAME_V1, &SVCID_PNRPNAME_V2, &SVCID_PNRPCLOUD,
                                 &NS_PROVIDER_PNRPNAME, &NS_PROVIDER_PNRPCLOUD};
    GUID guid = *guids[fuzz_u8(input) % 5];
    if (fuzz_u8(input) % 16 == 15) {
        guid.Data1 ^= fuzz_u8(input);
    }
    return keep(blocks, &guid, sizeof guid);
}

// A blob of any size with anything in it; now and then with a size and a hint that fit.
static LPBLOB make_blob(struct fuzz_input *input, struct blocks *blocks)
{
    static const DWORD sizes[] = {sizeof(PNRPINFO_V1), sizeof(PNRPINFO_V2), sizeof(PNRPCLOUDINFO)};
    uint8_t how = fuzz_u8(input);
    union {
        uint8_t bytes[256];
        DWORD size;
        PNRPINFO_V1 info;
    } content;
    memset(&content, 0, sizeof content);
    size_t len = how % 4 == 3 ? fuzz_u8(input) : sizes[how % 4];
    for (size_t i = 0; i < len; i++) {
        content.bytes[i] = fuzz_u8(input);
    }
    if (how & 4) {
        content.size = sizes[how % 4 % 3];
    }
    content.info.saHint.lpSockaddr = NULL;
    if (how & 8) {
        SOCKADDR_IN6 hint = {.sin6_family = AF_INET6};
        content.info.saHint.lpSockaddr = keep(blocks, &hint, sizeof hint);
        content.info.saHint.iSockaddrLength = fuzz_u8(input) % 32;
        if (content.info.saHint.iSockaddrLength > (INT)sizeof hint) {
            content.info.saHint.iSockaddrLength = sizeof hint;
        }
    }
    BLOB blob = {.cbSize = (ULONG)len, .pBlobData = keep(blocks, &content, len)};
    if (how & 16) {
        blob.pBlobData = NULL;
    }
    return keep(blocks, &blob, sizeof blob);
}

static void check(const struct nsp_query *query)
{
    FUZZ_CHECK((query->mask & LUP_RETURN_ALL) == query->mask && query->mask != 0);
    if (query->kind == NSP_QUERY_CLOUD) {
        FUZZ_CHECK(query->block == NULL && query->name == NULL && query->version == 1);
        FUZZ_CHECK(query->filter.scope <= PNRP_LINK_LOCAL_SCOPE);
        return;
    }
    char utf8[PNR_NAME_MAX];
    FUZZ_CHECK(query->version == 1 || query->version == 2);
    FUZZ_CHECK(query->timeout_s >= 1 && query->timeout_s <= NSP_QUERY_TIMEOUT_S_MAX);
    FUZZ_CHECK(query->max_resolve >= 1 && query->max_resolve <= NSP_QUERY_RESULTS_MAX);
    FUZZ_CHECK(query->criteria <= PNR_CRITERIA_NEAREST);
    FUZZ_CHECK(nsp_name_is_good(query->name, query->name_units));
    FUZZ_CHECK(query->name[query->name_units] == 0);
    size_t len = nsp_text_to_utf8(query->name, query->name_units, utf8, sizeof utf8);
    FUZZ_CHECK(len != NSP_TEXT_BAD && strcmp(utf8, query->name_utf8) == 0);
    FUZZ_CHECK((query->cloud == NULL) == (query->cloud_utf8 == NULL));
    FUZZ_CHECK(query->cloud == NULL ||
               (strlen(query->cloud_utf8) < PNR_WORD_MAX && query->cloud[query->cloud_units] == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    struct blocks blocks = {.count = 0};
    struct nsp_query query, again;
    WSAQUERYSETW set;
    memset(&set, 0, sizeof set);
    uint8_t has = fuzz_u8(&input);
    DWORD flags = fuzz_u16(&input);
    set.dwSize = (DWORD)(sizeof set - 1 + (fuzz_u8(&input) % 16 != 15));
    set.dwNameSpace = (const DWORD[]){NS_PNRPNAME, NS_PNRPCLOUD, NS_ALL, NS_DNS}[has % 4];
    set.lpServiceClassId = make_guid(&input, &blocks);
    set.lpNSProviderId = has & 4 ? make_guid(&input, &blocks) : NULL;
    set.lpszServiceInstanceName = has & 8 ? make_name(&input, &blocks) : NULL;
    set.lpszContext = has & 16 ? make_text(&input, &blocks, "") : NULL;
    set.lpszQueryString = has & 32 ? make_text(&input, &blocks, "") : NULL;
    set.lpBlob = has & 64 ? make_blob(&input, &blocks) : NULL;
    if (nsp_query_read(&set, flags, &nsp_memory_default, &query) == 0) {
        FUZZ_CHECK(nsp_query_read(&set, flags, &nsp_memory_default, &again) == 0);
        for (size_t i = 0; i < blocks.count; i++) {
            free(blocks.at[i]);
        }
        blocks.count = 0;
        check(&query);
        FUZZ_CHECK(query.kind == again.kind && query.name_units == again.name_units);
        nsp_query_drop(&again, &nsp_memory_default);
        nsp_query_drop(&query, &nsp_memory_default);
    }
    for (size_t i = 0; i < blocks.count; i++) {
        free(blocks.at[i]);
    }
    return 0;
}
