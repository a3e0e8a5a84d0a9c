// SPDX-License-Identifier: MIT
// Sizes and offsets of what callers hand us and we hand back, as 64-bit and 32-bit Windows have
// them; measured on Windows' own headers. The native declarations have those of 64 bits. There is
// no code here: a layout that has slipped does not compile.
#include "pnr/winsock.h"

#include <assert.h>
#include <stddef.h>

#define OF_BITS(wide, narrow)    (sizeof(void *) == 8 ? (wide) : (narrow))
#define SIZE(type, wide, narrow) static_assert(sizeof(type) == OF_BITS(wide, narrow), #type)
#define OFFSET(type, field, wide, narrow)                                                          \
    static_assert(offsetof(type, field) == OF_BITS(wide, narrow), #type "." #field)

SIZE(WCHAR, 2, 2);
SIZE(GUID, 16, 16);
SIZE(HANDLE, 8, 4);

SIZE(SOCKET_ADDRESS, 16, 8);
SIZE(CSADDR_INFO, 40, 24);
OFFSET(CSADDR_INFO, RemoteAddr, 16, 8);
OFFSET(CSADDR_INFO, iSocketType, 32, 16);
OFFSET(CSADDR_INFO, iProtocol, 36, 20);
SIZE(BLOB, 16, 8);
OFFSET(BLOB, pBlobData, 8, 4);
SIZE(SOCKADDR_IN, 16, 16);
SIZE(SOCKADDR_IN6, 28, 28);

SIZE(WSAQUERYSETW, 120, 60);
OFFSET(WSAQUERYSETW, dwSize, 0, 0);
OFFSET(WSAQUERYSETW, lpszServiceInstanceName, 8, 4);
OFFSET(WSAQUERYSETW, lpServiceClassId, 16, 8);
OFFSET(WSAQUERYSETW, lpVersion, 24, 12);
OFFSET(WSAQUERYSETW, lpszComment, 32, 16);
OFFSET(WSAQUERYSETW, dwNameSpace, 40, 20);
OFFSET(WSAQUERYSETW, lpNSProviderId, 48, 24);
OFFSET(WSAQUERYSETW, lpszContext, 56, 28);
OFFSET(WSAQUERYSETW, dwNumberOfProtocols, 64, 32);
OFFSET(WSAQUERYSETW, lpafpProtocols, 72, 36);
OFFSET(WSAQUERYSETW, lpszQueryString, 80, 40);
OFFSET(WSAQUERYSETW, dwNumberOfCsAddrs, 88, 44);
OFFSET(WSAQUERYSETW, lpcsaBuffer, 96, 48);
OFFSET(WSAQUERYSETW, dwOutputFlags, 104, 52);
OFFSET(WSAQUERYSETW, lpBlob, 112, 56);

// V1 is V2 without its last two members, so dwSize alone tells them apart.
SIZE(PNRPINFO_V1, 64, 40);
OFFSET(PNRPINFO_V1, lpwszIdentity, 8, 4);
OFFSET(PNRPINFO_V1, saHint, 40, 28);
OFFSET(PNRPINFO_V1, enNameState, 56, 36);
SIZE(PNRPINFO_V2, 80, 52);
OFFSET(PNRPINFO_V2, dwSize, 0, 0);
OFFSET(PNRPINFO_V2, lpwszIdentity, 8, 4);
OFFSET(PNRPINFO_V2, nMaxResolve, 16, 8);
OFFSET(PNRPINFO_V2, dwTimeout, 20, 12);
OFFSET(PNRPINFO_V2, dwLifetime, 24, 16);
OFFSET(PNRPINFO_V2, enResolveCriteria, 28, 20);
OFFSET(PNRPINFO_V2, dwFlags, 32, 24);
OFFSET(PNRPINFO_V2, saHint, 40, 28);
OFFSET(PNRPINFO_V2, enNameState, 56, 36);
OFFSET(PNRPINFO_V2, enExtendedPayloadType, 60, 40);
OFFSET(PNRPINFO_V2, blobPayload, 64, 44);
OFFSET(PNRPINFO_V2, pwszPayload, 64, 44);

SIZE(PNRPCLOUDINFO, 24, 24);
OFFSET(PNRPCLOUDINFO, Cloud, 4, 4);
OFFSET(PNRPCLOUDINFO, Cloud.Scope, 8, 8);
OFFSET(PNRPCLOUDINFO, Cloud.ScopeId, 12, 12);
OFFSET(PNRPCLOUDINFO, enCloudState, 16, 16);
OFFSET(PNRPCLOUDINFO, enCloudFlags, 20, 20);

SIZE(OVERLAPPED, 32, 20);
OFFSET(OVERLAPPED, hEvent, 24, 16);
SIZE(WSACOMPLETION, 32, 16);
OFFSET(WSACOMPLETION, Parameters.WindowMessage.uMsg, 16, 8);
OFFSET(WSACOMPLETION, Parameters.WindowMessage.context, 24, 12);
OFFSET(WSACOMPLETION, Parameters.Event.lpOverlapped, 8, 4);
OFFSET(WSACOMPLETION, Parameters.Apc.lpfnCompletionProc, 16, 8);
OFFSET(WSACOMPLETION, Parameters.Port.hPort, 16, 8);
OFFSET(WSACOMPLETION, Parameters.Port.Key, 24, 12);
SIZE(WSATHREADID, 16, 8);

SIZE(NSP_ROUTINE, 88, 48);
OFFSET(NSP_ROUTINE, NSPCleanup, 16, 12);
OFFSET(NSP_ROUTINE, NSPLookupServiceBegin, 24, 16);
OFFSET(NSP_ROUTINE, NSPGetServiceClassInfo, 72, 40);
OFFSET(NSP_ROUTINE, NSPIoctl, 80, 44);

static_assert(SIO_NSP_NOTIFY_CHANGE == 0x88000019u, "_WSAIOW(IOC_WS2, 25)");
static_assert(LUP_FLUSHCACHE == 0x1000 && LUP_FLUSHPREVIOUS == 0x2000, "as in the header");
static_assert(WSA_E_NO_MORE == 10110 && WSA_E_CANCELLED == 10111, "and not WSAENOMORE");
static_assert(NSP_NOTIFY_APC == 4 && RNRSERVICE_DELETE == 2 && PNRP_CLOUD_STATE_ALONE == 6,
              "enums");
