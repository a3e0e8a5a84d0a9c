// SPDX-License-Identifier: MIT
#include "nsp/guid.h"

#include <stddef.h>
#include <string.h>

const GUID NS_PROVIDER_PNRPNAME = {
    0x03fe89cd, 0x766d, 0x4976, {0xb9, 0xc1, 0xbb, 0x9b, 0xc4, 0x2c, 0x7b, 0x4d}};
const GUID NS_PROVIDER_PNRPCLOUD = {
    0x03fe89ce, 0x766d, 0x4976, {0xb9, 0xc1, 0xbb, 0x9b, 0xc4, 0x2c, 0x7b, 0x4d}};
const GUID SVCID_PNRPNAME_V1 = {
    0xc2239ce5, 0x00c0, 0x4fbf, {0xba, 0xd6, 0x18, 0x13, 0x93, 0x85, 0xa4, 0x9a}};
const GUID SVCID_PNRPCLOUD = {
    0xc2239ce6, 0x00c0, 0x4fbf, {0xba, 0xd6, 0x18, 0x13, 0x93, 0x85, 0xa4, 0x9a}};
const GUID SVCID_PNRPNAME_V2 = {
    0xc2239ce7, 0x00c0, 0x4fbf, {0xba, 0xd6, 0x18, 0x13, 0x93, 0x85, 0xa4, 0x9a}};

bool nsp_guid_equal(const GUID *a, const GUID *b)
{
    // A GUID has no padding. By memcmp(), since a caller's may lie unaligned.
    return memcmp(a, b, sizeof *a) == 0;
}

enum nsp_provider nsp_guid_provider(const GUID *guid)
{
    if (guid == NULL) {
        return NSP_PROVIDER_FOREIGN;
    }
    if (nsp_guid_equal(guid, &NS_PROVIDER_PNRPNAME)) {
        return NSP_PROVIDER_NAME;
    }
    return nsp_guid_equal(guid, &NS_PROVIDER_PNRPCLOUD) ? NSP_PROVIDER_CLOUD : NSP_PROVIDER_FOREIGN;
}

enum nsp_class nsp_guid_class(const GUID *guid)
{
    if (guid == NULL) {
        return NSP_CLASS_FOREIGN;
    }
    if (nsp_guid_equal(guid, &SVCID_PNRPNAME_V1)) {
        return NSP_CLASS_NAME_V1;
    }
    if (nsp_guid_equal(guid, &SVCID_PNRPNAME_V2)) {
        return NSP_CLASS_NAME_V2;
    }
    return nsp_guid_equal(guid, &SVCID_PNRPCLOUD) ? NSP_CLASS_CLOUD : NSP_CLASS_FOREIGN;
}
