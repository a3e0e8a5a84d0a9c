// SPDX-License-Identifier: MIT
#include "nsp/offer.h"

#include "nsp/name.h"
#include "nsp/platform.h"
#include "nsp/query.h"
#include "nsp/text.h"

#include <string.h>

#define LABEL_UNITS_MAX 32

// ---- whose it is ----

int nsp_offer_read_name(const WSAQUERYSETW *set, struct nsp_offer *ret_offer)
{
    enum nsp_query_kind kind;
    unsigned version;
    WSAQUERYSETW copy;
    WCHAR name[NSP_NAME_UNITS_MAX + 1], cloud[PNR_WORD_MAX];
    int error = nsp_query_class(set, &kind, &version);
    if (error != 0) {
        return error;
    }
    memcpy(&copy, set, sizeof copy);
    memset(ret_offer, 0, sizeof *ret_offer);
    error = nsp_query_check_provider(&copy, kind);
    if (error == 0 && kind == NSP_QUERY_CLOUD) {
        error = WSAEOPNOTSUPP;
    }
    if (error == 0 && copy.dwSize < sizeof copy) {
        error = WSAEINVAL;
    }
    if (error == 0) {
        error = nsp_name_take(copy.lpszServiceInstanceName, name, ret_offer->name);
        ret_offer->is_secured = strncmp(ret_offer->name, "0.", 2) != 0;
    }
    return error != 0 ? error : nsp_name_take_cloud(copy.lpszContext, cloud, ret_offer->cloud);
}

// ---- addresses ----

static int read_address(const SOCKET_ADDRESS *from, struct pnr_endpoint *endpoint)
{
    union {
        SOCKADDR_IN ipv4;
        SOCKADDR_IN6 ipv6;
    } address;
    uint8_t port[2];
    if (from->lpSockaddr == NULL || from->iSockaddrLength < (INT)sizeof address.ipv4) {
        return WSAEINVAL;
    }
    if (!nsp_platform_readable(from->lpSockaddr, (size_t)from->iSockaddrLength)) {
        return WSAEFAULT;
    }
    memcpy(&address.ipv4, from->lpSockaddr, sizeof address.ipv4);
    if (address.ipv4.sin_family == AF_INET) {
        endpoint->ip_len = 4;
        memcpy(endpoint->ip, &address.ipv4.sin_addr, 4);
    } else if (address.ipv4.sin_family == AF_INET6 &&
               from->iSockaddrLength >= (INT)sizeof address.ipv6) {
        memcpy(&address.ipv6, from->lpSockaddr, sizeof address.ipv6);
        endpoint->ip_len = 16;
        memcpy(endpoint->ip, &address.ipv6.sin6_addr, 16);
    } else {
        return WSAEINVAL;
    }
    memcpy(port, &address.ipv4.sin_port, sizeof port); // at the same place of either
    endpoint->port = (uint16_t)(port[0] << 8 | port[1]);
    return 0;
}

// A socket's type stands for its protocol where that is not said; so it comes back to who resolves.
static int read_protocol(const CSADDR_INFO *from, struct pnr_endpoint *endpoint)
{
    INT protocol = from->iProtocol;
    if (protocol == 0) {
        protocol = from->iSocketType == SOCK_STREAM  ? IPPROTO_TCP
                   : from->iSocketType == SOCK_DGRAM ? IPPROTO_UDP
                                                     : 0;
    }
    endpoint->proto = (uint8_t)protocol;
    return protocol < 0 || protocol > UINT8_MAX ? WSAEINVAL : 0;
}

static int read_addresses(const WSAQUERYSETW *set, struct nsp_offer *offer)
{
    size_t count = set->dwNumberOfCsAddrs;
    if (count > PNR_ENDPOINTS_MAX || (count > 0 && set->lpcsaBuffer == NULL)) {
        return WSAEINVAL;
    }
    if (count > 0 && !nsp_platform_readable(set->lpcsaBuffer, count * sizeof(CSADDR_INFO))) {
        return WSAEFAULT;
    }
    for (size_t i = 0; i < count; i++) {
        CSADDR_INFO from;
        memcpy(&from, (const char *)set->lpcsaBuffer + i * sizeof from, sizeof from);
        int error = read_address(&from.LocalAddr, &offer->endpoints[i]);
        if (error == 0) {
            error = read_protocol(&from, &offer->endpoints[i]);
        }
        if (error != 0) {
            return error;
        }
    }
    offer->endpoint_count = count;
    return 0;
}

// ---- comment and payload ----

static void put_units(const WCHAR *units, size_t count, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < count; i++) {
        ret_bytes[2 * i] = (uint8_t)units[i];
        ret_bytes[2 * i + 1] = (uint8_t)(units[i] >> 8);
    }
}

static int read_comment(const WCHAR *text, struct nsp_offer *offer)
{
    WCHAR units[NSP_OFFER_COMMENT_UNITS_MAX + 1];
    size_t count = 0;
    int error =
        text == NULL ? 0 : nsp_text_take(text, units, NSP_OFFER_COMMENT_UNITS_MAX + 1, &count);
    if (error == 0) {
        put_units(units, count, offer->comment);
        offer->comment_len = 2 * count;
    }
    return error;
}

static int read_binary(const BLOB *blob, struct nsp_offer *offer)
{
    if (blob->cbSize > PNR_PAYLOAD_MAX || (blob->cbSize > 0 && blob->pBlobData == NULL)) {
        return WSAEINVAL;
    }
    if (blob->cbSize > 0 && !nsp_platform_readable(blob->pBlobData, blob->cbSize)) {
        return WSAEFAULT;
    }
    if (blob->cbSize > 0) {
        memcpy(offer->payload, blob->pBlobData, blob->cbSize);
    }
    offer->payload_len = blob->cbSize;
    offer->payload_type = PNR_PAYLOAD_BINARY;
    return 0;
}

static int read_string(const WCHAR *text, struct nsp_offer *offer)
{
    WCHAR units[PNR_PAYLOAD_MAX / 2 + 1];
    size_t count;
    if (text == NULL) {
        return WSAEINVAL;
    }
    int error = nsp_text_take(text, units, PNR_PAYLOAD_MAX / 2 + 1, &count);
    if (error == 0) {
        put_units(units, count, offer->payload);
        offer->payload_len = 2 * count;
        offer->payload_type = PNR_PAYLOAD_STRING;
    }
    return error;
}

static int read_payload(const PNRPINFO_V2 *info, struct nsp_offer *offer)
{
    switch ((DWORD)info->enExtendedPayloadType) {
    case PNRP_EXTENDED_PAYLOAD_TYPE_NONE:
        return 0;
    case PNRP_EXTENDED_PAYLOAD_TYPE_BINARY:
        return read_binary(&info->blobPayload, offer);
    case PNRP_EXTENDED_PAYLOAD_TYPE_STRING:
        return read_string(info->pwszPayload, offer);
    default:
        return WSAEINVAL;
    }
}

// ---- identity ----

static bool is_label(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz-") == strlen(text);
}

// One that no key can have is no identity: that matters to secured names alone.
static int read_identity(const WCHAR *text, struct nsp_offer *offer)
{
    WCHAR label[LABEL_UNITS_MAX + 1];
    size_t units;
    if (text == NULL) {
        return 0;
    }
    int error = nsp_text_take(text, label, LABEL_UNITS_MAX + 1, &units);
    if (error != 0) {
        return error == WSAEINVAL ? 0 : error;
    }
    if (nsp_text_to_utf8(label, units, offer->label, sizeof offer->label) == NSP_TEXT_BAD ||
        !is_label(offer->label)) {
        offer->label[0] = '\0';
    }
    return 0;
}

// ---- the whole ----

// A PNRPINFO of either version: the second one has the payload at its end.
static int read_info(const BLOB *blob, struct nsp_offer *offer)
{
    const void *data;
    DWORD size;
    PNRPINFO_V2 info;
    int error = nsp_query_open_blob(blob, &data, &size);
    if (error != 0 || data == NULL) {
        return error;
    }
    if (size != sizeof(PNRPINFO_V1) && size != sizeof(PNRPINFO_V2)) {
        return WSAEINVAL;
    }
    memset(&info, 0, sizeof info);
    memcpy(&info, data, size);
    if (size == sizeof(PNRPINFO_V1)) {
        info.enExtendedPayloadType = PNRP_EXTENDED_PAYLOAD_TYPE_NONE;
    }
    if ((info.dwFlags & ~(DWORD)PNRPINFO_HINT) != 0) {
        return WSAEINVAL;
    }
    error = read_identity(info.lpwszIdentity, offer);
    return error != 0 ? error : read_payload(&info, offer);
}

int nsp_offer_read(const WSAQUERYSETW *set, struct nsp_offer *ret_offer)
{
    WSAQUERYSETW copy;
    int error = nsp_offer_read_name(set, ret_offer);
    if (error != 0) {
        return error;
    }
    memcpy(&copy, set, sizeof copy);
    error = read_addresses(&copy, ret_offer);
    if (error == 0) {
        error = read_comment(copy.lpszComment, ret_offer);
    }
    if (error == 0) {
        error = read_info(copy.lpBlob, ret_offer);
    }
    if (error == 0 && ret_offer->endpoint_count == 0 && ret_offer->payload_len == 0) {
        error = WSAEINVAL;
    }
    if (error == 0 && ret_offer->is_secured && ret_offer->label[0] == '\0') {
        error = WSA_PNRP_INVALID_IDENTITY;
    }
    return error;
}

bool nsp_offer_is_of(const struct nsp_offer *a, const struct nsp_offer *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->cloud, b->cloud) == 0;
}

// Whether the text, of len bytes, is the other one, of small letters, in either case.
static bool is_alike(const char *text, size_t len, const char *small)
{
    bool alike = strlen(small) == len;
    for (size_t i = 0; i < len && alike; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
        alike = c == small[i];
    }
    return alike;
}

bool nsp_offer_is_signed_by(const struct nsp_offer *offer, const char *z32, const char *hex40,
                            const char *label)
{
    const char *authority = offer->name;
    size_t len = strcspn(authority, ".");
    bool has_prefix = len > 3 && is_alike(authority, 3, "pk:");
    authority += has_prefix ? 3 : 0;
    len -= has_prefix ? 3 : 0;
    return is_alike(authority, len, z32) || is_alike(authority, len, hex40) ||
           (!has_prefix && strlen(label) == len && memcmp(authority, label, len) == 0);
}
