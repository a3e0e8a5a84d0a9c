// SPDX-License-Identifier: MIT
// What is read of the query set of NSPSetService, and what is refused.
#include "nsp/offer.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <string.h>
#include <uchar.h>

#define HEX u"00112233445566778899aabbccddeeff00112233"

// A good registration, of which each row spoils something.
struct form {
    WSAQUERYSETW set;
    GUID class_id;
    GUID provider;
    WCHAR name[300];
    WCHAR context[100];
    WCHAR comment[60];
    WCHAR identity[60];
    CSADDR_INFO addresses[PNR_ENDPOINTS_MAX + 1];
    union {
        SOCKADDR_IN ipv4;
        SOCKADDR_IN6 ipv6;
    } sockets[PNR_ENDPOINTS_MAX + 1];
    BLOB blob;
    union {
        PNRPINFO_V1 v1;
        PNRPINFO_V2 v2;
    } info;
    uint8_t payload[PNR_PAYLOAD_MAX + 8];
};

static struct form form;
static struct nsp_offer offer;

static void put(WCHAR *buf, const char16_t *text)
{
    size_t i = 0;
    do {
        buf[i] = (WCHAR)text[i];
    } while (text[i++] != 0);
}

static void set_address(size_t i, int family, uint16_t port)
{
    uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    memset(&form.sockets[i], 0x11, sizeof form.sockets[i]);
    form.sockets[i].ipv4.sin_family = (uint16_t)family;
    memcpy(&form.sockets[i].ipv4.sin_port, bytes, 2);
    form.addresses[i].LocalAddr.lpSockaddr = (SOCKADDR *)(void *)&form.sockets[i];
    form.addresses[i].LocalAddr.iSockaddrLength =
        family == AF_INET ? (INT)sizeof(SOCKADDR_IN) : (INT)sizeof(SOCKADDR_IN6);
    form.addresses[i].iProtocol = IPPROTO_TCP;
    form.addresses[i].iSocketType = SOCK_STREAM;
}

static void fill(void)
{
    memset(&form, 0, sizeof form);
    form.class_id = SVCID_PNRPNAME_V2;
    form.provider = NS_PROVIDER_PNRPNAME;
    put(form.name, u"0.name");
    form.set.dwSize = sizeof form.set;
    form.set.lpServiceClassId = &form.class_id;
    form.set.dwNameSpace = NS_PNRPNAME;
    form.set.lpszServiceInstanceName = form.name;
    form.set.dwNumberOfCsAddrs = 1;
    form.set.lpcsaBuffer = form.addresses;
    for (size_t i = 0; i <= PNR_ENDPOINTS_MAX; i++) {
        set_address(i, i % 2 == 0 ? AF_INET6 : AF_INET, (uint16_t)(1000 + i));
    }
    form.info.v2.dwSize = sizeof form.info.v2;
    form.blob.cbSize = sizeof form.info.v2;
    form.blob.pBlobData = (BYTE *)&form.info;
    form.set.lpBlob = &form.blob;
}

// ---- rows ----

static void no_change(void)
{
}
static void no_name(void)
{
    form.set.lpszServiceInstanceName = NULL;
}
static void bad_name(void)
{
    put(form.name, u"0");
}
static void no_class(void)
{
    form.set.lpServiceClassId = NULL;
}
static void foreign_class(void)
{
    form.class_id.Data1++;
}
static void first_class(void)
{
    form.class_id = SVCID_PNRPNAME_V1;
}
static void cloud_class(void)
{
    form.class_id = SVCID_PNRPCLOUD;
    form.set.dwNameSpace = NS_PNRPCLOUD;
}
static void own_provider(void)
{
    form.set.lpNSProviderId = &form.provider;
    form.set.dwNameSpace = 0;
}
static void cloud_provider(void)
{
    form.provider = NS_PROVIDER_PNRPCLOUD;
    form.set.lpNSProviderId = &form.provider;
}
static void of_dns(void)
{
    form.set.dwNameSpace = NS_DNS;
}
static void small_set(void)
{
    form.set.dwSize--;
}
static void long_context(void)
{
    for (size_t i = 0; i < 64; i++) {
        form.context[i] = 'a';
    }
    form.set.lpszContext = form.context;
}
static void half_context(void)
{
    form.context[0] = 0xd800;
    form.set.lpszContext = form.context;
}
static void ten(void)
{
    form.set.dwNumberOfCsAddrs = 10;
}
static void eleven(void)
{
    form.set.dwNumberOfCsAddrs = 11;
}
static void no_array(void)
{
    form.set.lpcsaBuffer = NULL;
}
static void none(void)
{
    form.set.dwNumberOfCsAddrs = 0;
}
static void no_address(void)
{
    form.addresses[0].LocalAddr.lpSockaddr = NULL;
}
static void short_address(void)
{
    form.addresses[0].LocalAddr.iSockaddrLength--;
}
static void short_ipv4(void)
{
    set_address(0, AF_INET, 1);
    form.addresses[0].LocalAddr.iSockaddrLength--;
}
static void unix_address(void)
{
    form.sockets[0].ipv4.sin_family = 1;
}
static void big_protocol(void)
{
    form.addresses[0].iProtocol = 256;
}
static void negative_protocol(void)
{
    form.addresses[0].iProtocol = -1;
}
static void comment_of(size_t units)
{
    for (size_t i = 0; i < units; i++) {
        form.comment[i] = (WCHAR)(0xd800 + i);
    }
    form.set.lpszComment = form.comment;
}
static void long_comment(void)
{
    comment_of(40);
}
static void longest_comment(void)
{
    comment_of(39);
}
static void no_blob(void)
{
    form.set.lpBlob = NULL;
}
static void small_blob(void)
{
    form.blob.cbSize--;
}
static void odd_info(void)
{
    form.info.v2.dwSize--;
}
static void first_info(void)
{
    // What would be a payload of the second version is none of the first.
    form.info.v2.enExtendedPayloadType = (PNRP_EXTENDED_PAYLOAD_TYPE)7;
    form.info.v1.dwSize = sizeof form.info.v1;
    form.blob.cbSize = sizeof form.info.v1;
}
static void unknown_flags(void)
{
    form.info.v2.dwFlags = 2;
}
static void hint(void)
{
    form.info.v2.dwFlags = PNRPINFO_HINT;
}
static void odd_lifetime(void)
{
    form.info.v2.dwLifetime = 3;
}
static void binary(DWORD len)
{
    memset(form.payload, 7, sizeof form.payload);
    form.info.v2.enExtendedPayloadType = PNRP_EXTENDED_PAYLOAD_TYPE_BINARY;
    form.info.v2.blobPayload.cbSize = len;
    form.info.v2.blobPayload.pBlobData = form.payload;
}
static void payload_alone(void)
{
    binary(1);
    none();
}
static void largest_payload(void)
{
    binary(PNR_PAYLOAD_MAX);
}
static void large_payload(void)
{
    binary(PNR_PAYLOAD_MAX + 1);
}
static void empty_payload(void)
{
    binary(0);
    none();
}
static void no_payload(void)
{
    binary(1);
    form.info.v2.blobPayload.pBlobData = NULL;
}
static void unknown_payload(void)
{
    form.info.v2.enExtendedPayloadType = (PNRP_EXTENDED_PAYLOAD_TYPE)3;
}
static void string(size_t units)
{
    for (size_t i = 0; i < units; i++) {
        form.payload[2 * i] = 'x';
    }
    form.info.v2.enExtendedPayloadType = PNRP_EXTENDED_PAYLOAD_TYPE_STRING;
    form.info.v2.pwszPayload = (PWSTR)(void *)form.payload;
}
static void longest_string(void)
{
    string(PNR_PAYLOAD_MAX / 2);
}
static void long_string(void)
{
    string(PNR_PAYLOAD_MAX / 2 + 1);
}
static void no_string(void)
{
    string(1);
    form.info.v2.pwszPayload = NULL;
}
static void identify(const char16_t *text)
{
    put(form.identity, text);
    form.info.v2.lpwszIdentity = form.identity;
}
static void secured(void)
{
    put(form.name, HEX u".web");
}
static void secured_by(const char16_t *text)
{
    secured();
    identify(text);
}
static void good_identity(void)
{
    secured_by(u"own-1");
}
static void odd_identity(void)
{
    secured_by(u"My Identity");
}
static void empty_identity(void)
{
    secured_by(u"");
}
static void long_identity(void)
{
    secured_by(u"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}
static void machine_identity(void)
{
    identify(u"{0}.#Machine$");
}
static void secured_without_blob(void)
{
    secured();
    no_blob();
}

static const struct row {
    const char *name;
    void (*spoil)(void);
    int code;
} rows[] = {
    {"as it should be", no_change, 0},
    {"no name", no_name, WSAEINVAL},
    {"a name that is none", bad_name, WSAEINVAL},
    {"no class", no_class, WSAEINVAL},
    {"a foreign class", foreign_class, WSASERVICE_NOT_FOUND},
    {"the first version", first_class, 0},
    {"a cloud", cloud_class, WSAEOPNOTSUPP},
    {"the provider named", own_provider, 0},
    {"the provider of clouds", cloud_provider, WSASERVICE_NOT_FOUND},
    {"the namespace of DNS", of_dns, WSASERVICE_NOT_FOUND},
    {"set one byte too small", small_set, WSAEINVAL},
    {"a context of 64 units", long_context, WSA_PNRP_CLOUD_NOT_FOUND},
    {"half a surrogate as context", half_context, WSA_PNRP_CLOUD_NOT_FOUND},
    {"ten addresses", ten, 0},
    {"eleven addresses", eleven, WSAEINVAL},
    {"addresses that are nowhere", no_array, WSAEINVAL},
    {"neither address nor payload", none, WSAEINVAL},
    {"an address that is missing", no_address, WSAEINVAL},
    {"IPv6 one byte too short", short_address, WSAEINVAL},
    {"IPv4 one byte too short", short_ipv4, WSAEINVAL},
    {"an address of another family", unix_address, WSAEINVAL},
    {"protocol 256", big_protocol, WSAEINVAL},
    {"protocol -1", negative_protocol, WSAEINVAL},
    {"a comment of 39 units", longest_comment, 0},
    {"a comment of 40 units", long_comment, WSAEINVAL},
    {"no blob", no_blob, 0},
    {"a blob one byte too small", small_blob, WSAEINVAL},
    {"a PNRPINFO of neither version", odd_info, WSAEINVAL},
    {"a PNRPINFO of the first version", first_info, 0},
    {"unknown flags", unknown_flags, WSAEINVAL},
    {"a hint", hint, 0},
    {"any lifetime", odd_lifetime, 0},
    {"a payload alone", payload_alone, 0},
    {"4096 bytes of payload", largest_payload, 0},
    {"4097 bytes of payload", large_payload, WSAEINVAL},
    {"an empty payload alone", empty_payload, WSAEINVAL},
    {"a payload that is missing", no_payload, WSAEINVAL},
    {"a payload of type 3", unknown_payload, WSAEINVAL},
    {"2048 units of payload", longest_string, 0},
    {"2049 units of payload", long_string, WSAEINVAL},
    {"a string that is missing", no_string, WSAEINVAL},
    {"a secured name", good_identity, 0},
    {"no identity", secured, WSA_PNRP_INVALID_IDENTITY},
    {"no identity and no blob", secured_without_blob, WSA_PNRP_INVALID_IDENTITY},
    {"an identity that is no label", odd_identity, WSA_PNRP_INVALID_IDENTITY},
    {"an empty identity", empty_identity, WSA_PNRP_INVALID_IDENTITY},
    {"an identity of 33 units", long_identity, WSA_PNRP_INVALID_IDENTITY},
    {"any identity for an unsecured name", machine_identity, 0},
};

static void what_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fill();
        rows[i].spoil();
        int code = nsp_offer_read(&form.set, &offer);
        if (code != rows[i].code) {
            fail_msg("%s: %d, not %d", rows[i].name, code, rows[i].code);
        }
    }
    assert_int_equal(nsp_offer_read(NULL, &offer), WSAEINVAL);
}

// WCF asks whether there is PNRP by a registration of nothing.
static void the_probe_of_wcf(void **state)
{
    (void)state;
    fill();
    form.class_id = SVCID_PNRPNAME_V1;
    own_provider();
    no_name();
    no_blob();
    none();
    assert_int_equal(nsp_offer_read(&form.set, &offer), WSAEINVAL);
}

static void to_delete_the_name_is_enough(void **state)
{
    (void)state;
    fill();
    put(form.name, HEX u".web");
    put(form.context, u"lab");
    form.set.lpszContext = form.context;
    no_blob();
    none();
    assert_int_equal(nsp_offer_read_name(&form.set, &offer), 0);
    assert_string_equal(offer.name, "00112233445566778899aabbccddeeff00112233.web");
    assert_string_equal(offer.cloud, "lab");
    no_name();
    assert_int_equal(nsp_offer_read_name(&form.set, &offer), WSAEINVAL);
}

static void what_is_read(void **state)
{
    (void)state;
    fill();
    longest_comment();
    largest_payload();
    identify(u"own");
    ten();
    form.addresses[1].iProtocol = 0;
    form.addresses[1].iSocketType = SOCK_DGRAM;
    form.addresses[2].iProtocol = 0;
    form.addresses[2].iSocketType = 0;
    assert_int_equal(nsp_offer_read(&form.set, &offer), 0);
    memset(&form, 0xee, sizeof form); // nothing of it is kept
    assert_string_equal(offer.name, "0.name");
    assert_string_equal(offer.cloud, "");
    assert_string_equal(offer.label, "own");
    assert_false(offer.is_secured);
    assert_int_equal(offer.endpoint_count, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(offer.endpoints[i].port, 1000 + i);
        assert_int_equal(offer.endpoints[i].ip_len, i % 2 == 0 ? 16 : 4);
        assert_int_equal(offer.endpoints[i].ip[i % 2 == 0 ? 15 : 3], 0x11);
        assert_int_equal(offer.endpoints[i].proto, i == 1 ? 17 : i == 2 ? 0 : 6);
    }
    // Halves of surrogates, as they are.
    assert_int_equal(offer.comment_len, 78);
    assert_int_equal(offer.comment[76], 38);
    assert_int_equal(offer.comment[77], 0xd8);
    assert_int_equal(offer.payload_len, PNR_PAYLOAD_MAX);
    assert_int_equal(offer.payload_type, PNR_PAYLOAD_BINARY);
    assert_int_equal(offer.payload[PNR_PAYLOAD_MAX - 1], 7);
    fill();
    string(3);
    assert_int_equal(nsp_offer_read(&form.set, &offer), 0);
    assert_int_equal(offer.payload_len, 6);
    assert_int_equal(offer.payload_type, PNR_PAYLOAD_STRING);
    assert_memory_equal(offer.payload, "x\0x\0x\0", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(the_probe_of_wcf),
        cmocka_unit_test(to_delete_the_name_is_enough),
        cmocka_unit_test(what_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
