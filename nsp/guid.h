// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_GUID_H
#define PNR_NSP_GUID_H

// Which of the GUIDs that programs hand us are ours: two providers and three service classes. The
// GUIDs themselves (NS_PROVIDER_PNRPNAME, SVCID_PNRPNAME_V1, ...) are declared in pnr/winsock.h and
// defined in guid.c. A GUID may lie at any address. With NS_ALL every host lookup of a program asks
// us, so that telling a foreign class is the first thing done and costs a comparison or two.

#include "pnr/winsock.h"
#include <stdbool.h>

enum nsp_provider {
    NSP_PROVIDER_FOREIGN,
    NSP_PROVIDER_NAME,  // NS_PROVIDER_PNRPNAME, of namespace NS_PNRPNAME
    NSP_PROVIDER_CLOUD, // NS_PROVIDER_PNRPCLOUD, of namespace NS_PNRPCLOUD
};

enum nsp_class {
    NSP_CLASS_FOREIGN,
    NSP_CLASS_NAME_V1, // SVCID_PNRPNAME_V1: names without payload
    NSP_CLASS_NAME_V2, // SVCID_PNRPNAME_V2: names that may have one
    NSP_CLASS_CLOUD,   // SVCID_PNRPCLOUD
};

bool nsp_guid_equal(const GUID *a, const GUID *b); // neither is NULL

// guid may be NULL, which is nobody's.
enum nsp_provider nsp_guid_provider(const GUID *guid);
enum nsp_class nsp_guid_class(const GUID *guid);

#endif
