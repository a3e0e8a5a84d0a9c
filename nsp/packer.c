// SPDX-License-Identifier: MIT
#include "nsp/packer.h"

#include "nsp/guid.h"
#include "nsp/platform.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

// The most that any object needs, and what a payload gets, which programs may take for a structure.
#define ALIGNMENT 8

static_assert(_Alignof(PNRPINFO_V2) <= ALIGNMENT && _Alignof(CSADDR_INFO) <= ALIGNMENT &&
                  _Alignof(SOCKADDR_IN6) <= ALIGNMENT && _Alignof(BLOB) <= ALIGNMENT,
              "nothing asks for more");

// What lies behind the query set. The same walk first measures it, with no base, and then writes.
struct packing {
    uint8_t *base; // aligned; NULL: only measure
    size_t len;    // so far
};

// Copies an object to the next place that suits it and returns where it is now; NULL while
// measuring.
static void *put(struct packing *packing, const void *object, size_t size, size_t alignment)
{
    size_t at = (packing->len + alignment - 1) / alignment * alignment;
    packing->len = at + size;
    return packing->base == NULL ? NULL : memcpy(packing->base + at, object, size);
}

static LPWSTR put_text(struct packing *packing, const WCHAR *text, size_t units)
{
    return put(packing, text, (units + 1) * sizeof(WCHAR), _Alignof(WCHAR));
}

static LPGUID put_guid(struct packing *packing, const GUID *guid)
{
    return put(packing, guid, sizeof *guid, _Alignof(GUID));
}

static LPBLOB put_blob(struct packing *packing, const void *info, size_t size, size_t alignment)
{
    BLOB blob;
    memset(&blob, 0, sizeof blob);
    blob.cbSize = (ULONG)size;
    blob.pBlobData = put(packing, info, size, alignment);
    return put(packing, &blob, sizeof blob, _Alignof(BLOB));
}

static LPCSADDR_INFO put_addresses(struct packing *packing, const struct nsp_result *result)
{
    CSADDR_INFO infos[PNR_ENDPOINTS_MAX];
    memset(infos, 0, sizeof infos);
    for (size_t i = 0; i < result->endpoint_count; i++) {
        const struct nsp_result_endpoint *endpoint = &result->endpoints[i];
        infos[i].LocalAddr.lpSockaddr =
            put(packing, &endpoint->address, (size_t)endpoint->address_len, ALIGNMENT);
        infos[i].LocalAddr.iSockaddrLength = endpoint->address_len;
        infos[i].RemoteAddr = infos[i].LocalAddr;
        infos[i].iSocketType = endpoint->type;
        infos[i].iProtocol = endpoint->protocol;
    }
    return put(packing, infos, result->endpoint_count * sizeof infos[0], _Alignof(CSADDR_INFO));
}

static LPBLOB put_payload(struct packing *packing, const struct nsp_result *result)
{
    PNRPINFO_V2 info;
    memset(&info, 0, sizeof info);
    info.dwSize = sizeof info;
    info.enNameState = PNRP_REGISTERED_ID_STATE_OK;
    info.enExtendedPayloadType = result->payload_type;
    if (result->payload_type == PNRP_EXTENDED_PAYLOAD_TYPE_STRING) {
        info.pwszPayload =
            put(packing, result->payload, result->payload_len + sizeof(WCHAR), ALIGNMENT);
    } else {
        info.blobPayload.cbSize = (ULONG)result->payload_len;
        info.blobPayload.pBlobData = put(packing, result->payload, result->payload_len, ALIGNMENT);
    }
    return put_blob(packing, &info, sizeof info, _Alignof(PNRPINFO_V2));
}

static void put_name(struct packing *packing, const struct nsp_result *result,
                     const struct nsp_query *query, DWORD mask, WSAQUERYSETW *set)
{
    set->dwNameSpace = NS_PNRPNAME;
    set->lpServiceClassId =
        put_guid(packing, query->version == 1 ? &SVCID_PNRPNAME_V1 : &SVCID_PNRPNAME_V2);
    set->lpNSProviderId = put_guid(packing, &NS_PROVIDER_PNRPNAME);
    if ((mask & LUP_RETURN_NAME) != 0) {
        set->lpszServiceInstanceName = put_text(packing, query->name, query->name_units);
        set->lpszContext = put_text(packing, result->cloud, result->cloud_units);
    }
    if ((mask & LUP_RETURN_COMMENT) != 0 && result->comment != NULL) {
        set->lpszComment = put_text(packing, result->comment, result->comment_units);
    }
    if ((mask & LUP_RETURN_ADDR) != 0 && result->endpoint_count > 0) {
        set->dwNumberOfCsAddrs = (DWORD)result->endpoint_count;
        set->lpcsaBuffer = put_addresses(packing, result);
    }
    if ((mask & LUP_RETURN_BLOB) != 0 && query->version == 2 && result->payload != NULL) {
        set->lpBlob = put_payload(packing, result);
    }
}

static void put_cloud(struct packing *packing, const struct nsp_result *result, DWORD mask,
                      WSAQUERYSETW *set)
{
    set->dwNameSpace = NS_PNRPCLOUD;
    set->lpServiceClassId = put_guid(packing, &SVCID_PNRPCLOUD);
    set->lpNSProviderId = put_guid(packing, &NS_PROVIDER_PNRPCLOUD);
    if ((mask & LUP_RETURN_NAME) != 0) {
        set->lpszServiceInstanceName = put_text(packing, result->cloud, result->cloud_units);
    }
    if ((mask & LUP_RETURN_BLOB) != 0) {
        set->lpBlob = put_blob(packing, &result->cloud_info, sizeof result->cloud_info,
                               _Alignof(PNRPCLOUDINFO));
    }
}

static WSAQUERYSETW put_all(struct packing *packing, const struct nsp_result *result,
                            const struct nsp_query *query, DWORD mask)
{
    WSAQUERYSETW set;
    memset(&set, 0, sizeof set);
    set.dwSize = sizeof set;
    set.dwOutputFlags = result->output_flags;
    if (query->kind == NSP_QUERY_NAME) {
        put_name(packing, result, query, mask, &set);
    } else {
        put_cloud(packing, result, mask, &set);
    }
    return set;
}

int nsp_packer_pack(const struct nsp_result *result, const struct nsp_query *query, DWORD mask,
                    void *buf, DWORD *len)
{
    struct packing packing = {NULL, 0};
    put_all(&packing, result, query, mask);
    DWORD needed = (DWORD)(sizeof(WSAQUERYSETW) + (ALIGNMENT - 1) + packing.len);
    if (*len < needed || !nsp_platform_writable(buf, needed)) {
        *len = needed;
        return WSAEFAULT;
    }
    uint8_t *behind = (uint8_t *)buf + sizeof(WSAQUERYSETW);
    size_t padding = (ALIGNMENT - (uintptr_t)behind % ALIGNMENT) % ALIGNMENT;
    packing = (struct packing){behind + padding, 0};
    WSAQUERYSETW set = put_all(&packing, result, query, mask);
    memcpy(buf, &set, sizeof set);
    return 0;
}
