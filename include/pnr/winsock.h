// SPDX-License-Identifier: MIT
#ifndef PNR_WINSOCK_H
#define PNR_WINSOCK_H

// What a Winsock namespace provider is made of: the types, codes and calls of winsock2.h, ws2spi.h
// and pnrpns.h, under Windows' own names. With _WIN32 it includes those headers. Elsewhere it
// declares the same with the layout of 64-bit Windows, and just enough of Win32 for the four ways
// in which a notification completes: events, completion ports, APCs and message windows. These are
// carried out by nsp/winsock_posix*.c (library pnr_winsock_posix) and are there so that one source
// of nsp/ and of its tests has two lives.
//
// Strings are 16-bit units in both lives: write u"text", never L"text". Address families, sockaddrs
// and protocols are the system's own (AF_INET6 is 10 on Linux and 23 on Windows). Values and
// layouts are of reference/nsp-winsock.md, sections 1 and 2; nsp/layout.c checks them in both
// lives.

#ifdef _WIN32

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0600 // lists of endpoints and payloads (V2) need it
#endif
// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <ws2spi.h>
#include <windows.h>
#include <pnrpns.h>
#include <winternl.h> // NTSTATUS
// clang-format on

// The only header that has these includes half of the peer-to-peer API.
#define WSA_PNRP_CLOUD_NOT_FOUND               11501
#define WSA_PNRP_CLOUD_DISABLED                11502
#define WSA_PNRP_INVALID_IDENTITY              11503
#define WSA_PNRP_TOO_MUCH_LOAD                 11504
#define WSA_PNRP_CLOUD_IS_SEARCH_ONLY          11505
#define WSA_PNRP_CLIENT_INVALID_COMPARTMENT_ID 11506
#define WSA_PNRP_DUPLICATE_PEER_NAME           11508
#define WSA_PNRP_CLOUD_IS_DEAD                 11509

#ifndef STATUS_SUCCESS
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#endif
#ifndef STATUS_CANCELLED
#define STATUS_CANCELLED ((NTSTATUS)0xC0000120)
#endif

// Of ntdll, declared in no header of the SDK. Posts a completion that can carry a failure, which
// PostQueuedCompletionStatus() cannot.
NTSTATUS NTAPI NtSetIoCompletion(HANDLE port, PVOID key, PVOID overlapped, NTSTATUS status,
                                 ULONG_PTR bytes);

#else

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WINAPI
#define WSAAPI
#define CALLBACK
#define NTAPI

// ---- plain types ----

typedef int BOOL;
typedef int INT;
typedef unsigned int UINT;
typedef uint8_t BYTE;
typedef uint16_t WORD;
typedef int32_t LONG;
typedef uint32_t DWORD;
typedef uint32_t ULONG;
typedef int32_t NTSTATUS;
typedef uint16_t WCHAR; // and what u"" is made of
typedef uintptr_t ULONG_PTR;
typedef uintptr_t DWORD_PTR;
typedef uintptr_t UINT_PTR;
typedef intptr_t LONG_PTR;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM;
typedef LONG_PTR LRESULT;
typedef void *PVOID;
typedef void *LPVOID;
typedef const void *LPCVOID;
typedef WCHAR *PWSTR;
typedef WCHAR *LPWSTR;
typedef const WCHAR *LPCWSTR;
typedef BYTE *LPBYTE;
typedef DWORD *LPDWORD;
typedef INT *LPINT;
typedef ULONG_PTR *PULONG_PTR;
typedef void *HANDLE;
typedef HANDLE *LPHANDLE;
typedef HANDLE *PHANDLE;
typedef struct pnr_winsock_window *HWND;

#define TRUE  1
#define FALSE 0

typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID, *LPGUID;

// ---- codes ----

#define NO_ERROR                    0
#define SOCKET_ERROR                (-1)
#define ERROR_SUCCESS               0
#define ERROR_ACCESS_DENIED         5
#define ERROR_INVALID_HANDLE        6
#define ERROR_NOT_ENOUGH_MEMORY     8
#define ERROR_GEN_FAILURE           31 // as of an APC for a thread that has ended
#define ERROR_INVALID_PARAMETER     87
#define ERROR_CALL_NOT_IMPLEMENTED  120
#define ERROR_MR_MID_NOT_FOUND      317 // what a status without an error of its own becomes
#define ERROR_OPERATION_ABORTED     995
#define ERROR_IO_INCOMPLETE         996
#define ERROR_IO_PENDING            997
#define ERROR_INVALID_WINDOW_HANDLE 1400
#define ERROR_NOT_ENOUGH_QUOTA      1816

#define WSA_INVALID_HANDLE     ERROR_INVALID_HANDLE
#define WSA_NOT_ENOUGH_MEMORY  ERROR_NOT_ENOUGH_MEMORY
#define WSA_INVALID_PARAMETER  ERROR_INVALID_PARAMETER
#define WSA_OPERATION_ABORTED  ERROR_OPERATION_ABORTED
#define WSA_IO_INCOMPLETE      ERROR_IO_INCOMPLETE
#define WSA_IO_PENDING         ERROR_IO_PENDING
#define WSAEACCES              10013
#define WSAEFAULT              10014
#define WSAEINVAL              10022
#define WSAEWOULDBLOCK         10035
#define WSAEALREADY            10037
#define WSAEOPNOTSUPP          10045
#define WSAENETDOWN            10050
#define WSAENETUNREACH         10051
#define WSASYSNOTREADY         10091
#define WSANOTINITIALISED      10093
#define WSAENOMORE             10102
#define WSAECANCELLED          10103
#define WSAEINVALIDPROCTABLE   10104
#define WSAEINVALIDPROVIDER    10105
#define WSAEPROVIDERFAILEDINIT 10106
#define WSASYSCALLFAILURE      10107
#define WSASERVICE_NOT_FOUND   10108
#define WSATYPE_NOT_FOUND      10109
#define WSA_E_NO_MORE          10110
#define WSA_E_CANCELLED        10111
#define WSANO_RECOVERY         11003
#define WSANO_DATA             11004

#define WSA_PNRP_CLOUD_NOT_FOUND               11501
#define WSA_PNRP_CLOUD_DISABLED                11502
#define WSA_PNRP_INVALID_IDENTITY              11503
#define WSA_PNRP_TOO_MUCH_LOAD                 11504
#define WSA_PNRP_CLOUD_IS_SEARCH_ONLY          11505
#define WSA_PNRP_CLIENT_INVALID_COMPARTMENT_ID 11506
#define WSA_PNRP_DUPLICATE_PEER_NAME           11508
#define WSA_PNRP_CLOUD_IS_DEAD                 11509

#define STATUS_SUCCESS            ((NTSTATUS)0x00000000)
#define STATUS_PENDING            ((DWORD)0x00000103)
#define STATUS_INVALID_HANDLE     ((NTSTATUS)0xC0000008)
#define STATUS_NO_MEMORY          ((NTSTATUS)0xC0000017)
#define STATUS_CANCELLED          ((NTSTATUS)0xC0000120)
#define WSS_OPERATION_IN_PROGRESS 0x00000103L

// ---- query sets ----

#define NS_ALL       0
#define NS_DNS       12
#define NS_PNRPNAME  38
#define NS_PNRPCLOUD 39

#define LUP_DEEP                0x0001
#define LUP_CONTAINERS          0x0002
#define LUP_NOCONTAINERS        0x0004
#define LUP_NEAREST             0x0008
#define LUP_RETURN_NAME         0x0010
#define LUP_RETURN_TYPE         0x0020
#define LUP_RETURN_VERSION      0x0040
#define LUP_RETURN_COMMENT      0x0080
#define LUP_RETURN_ADDR         0x0100
#define LUP_RETURN_BLOB         0x0200
#define LUP_RETURN_ALIASES      0x0400
#define LUP_RETURN_QUERY_STRING 0x0800
#define LUP_RETURN_ALL          0x0FF0
#define LUP_FLUSHCACHE          0x1000
#define LUP_FLUSHPREVIOUS       0x2000
#define LUP_NON_AUTHORITATIVE   0x4000
#define LUP_RES_SERVICE         0x8000

#define RESULT_IS_ALIAS   0x0001
#define RESULT_IS_ADDED   0x0010
#define RESULT_IS_CHANGED 0x0020
#define RESULT_IS_DELETED 0x0040

#define SERVICE_MULTIPLE      0x00000001
#define SIO_NSP_NOTIFY_CHANGE 0x88000019

typedef struct sockaddr SOCKADDR, *PSOCKADDR, *LPSOCKADDR;
typedef struct sockaddr_in SOCKADDR_IN;
typedef struct sockaddr_in6 SOCKADDR_IN6;

typedef struct _SOCKET_ADDRESS {
    LPSOCKADDR lpSockaddr;
    INT iSockaddrLength;
} SOCKET_ADDRESS;

typedef struct _CSADDR_INFO {
    SOCKET_ADDRESS LocalAddr;
    SOCKET_ADDRESS RemoteAddr;
    INT iSocketType;
    INT iProtocol;
} CSADDR_INFO, *LPCSADDR_INFO;

typedef struct _BLOB {
    ULONG cbSize;
    BYTE *pBlobData;
} BLOB, *LPBLOB;

typedef enum _WSAEcomparator { COMP_EQUAL = 0, COMP_NOTLESS } WSAECOMPARATOR;

typedef struct _WSAVersion {
    DWORD dwVersion;
    WSAECOMPARATOR ecHow;
} WSAVERSION, *LPWSAVERSION;

typedef struct _AFPROTOCOLS {
    INT iAddressFamily;
    INT iProtocol;
} AFPROTOCOLS, *LPAFPROTOCOLS;

typedef struct _WSAQuerySetW {
    DWORD dwSize;
    LPWSTR lpszServiceInstanceName;
    LPGUID lpServiceClassId;
    LPWSAVERSION lpVersion;
    LPWSTR lpszComment;
    DWORD dwNameSpace;
    LPGUID lpNSProviderId;
    LPWSTR lpszContext;
    DWORD dwNumberOfProtocols;
    LPAFPROTOCOLS lpafpProtocols;
    LPWSTR lpszQueryString;
    DWORD dwNumberOfCsAddrs;
    LPCSADDR_INFO lpcsaBuffer;
    DWORD dwOutputFlags;
    LPBLOB lpBlob;
} WSAQUERYSETW, *LPWSAQUERYSETW;

typedef struct _WSANSClassInfoW {
    LPWSTR lpszName;
    DWORD dwNameSpace;
    DWORD dwValueType;
    DWORD dwValueSize;
    LPVOID lpValue;
} WSANSCLASSINFOW, *LPWSANSCLASSINFOW;

typedef struct _WSAServiceClassInfoW {
    LPGUID lpServiceClassId;
    LPWSTR lpszServiceClassName;
    DWORD dwCount;
    LPWSANSCLASSINFOW lpClassInfos;
} WSASERVICECLASSINFOW, *LPWSASERVICECLASSINFOW;

typedef enum _WSAESETSERVICEOP {
    RNRSERVICE_REGISTER = 0,
    RNRSERVICE_DEREGISTER,
    RNRSERVICE_DELETE
} WSAESETSERVICEOP;

// ---- PNRP ----

#define PNRPINFO_HINT                   0x1
#define PNRP_MAX_ENDPOINT_ADDRESSES     10
#define PNRP_MAX_EXTENDED_PAYLOAD_BYTES 0x1000

typedef enum _PNRP_SCOPE {
    PNRP_SCOPE_ANY = 0,
    PNRP_GLOBAL_SCOPE = 1,
    PNRP_SITE_LOCAL_SCOPE = 2,
    PNRP_LINK_LOCAL_SCOPE = 3
} PNRP_SCOPE;

typedef enum _PNRP_CLOUD_STATE {
    PNRP_CLOUD_STATE_VIRTUAL = 0,
    PNRP_CLOUD_STATE_SYNCHRONISING = 1,
    PNRP_CLOUD_STATE_ACTIVE = 2,
    PNRP_CLOUD_STATE_DEAD = 3,
    PNRP_CLOUD_STATE_DISABLED = 4,
    PNRP_CLOUD_STATE_NO_NET = 5,
    PNRP_CLOUD_STATE_ALONE = 6
} PNRP_CLOUD_STATE;

typedef enum _PNRP_CLOUD_FLAGS {
    PNRP_CLOUD_NO_FLAGS = 0,
    PNRP_CLOUD_NAME_LOCAL = 1,
    PNRP_CLOUD_RESOLVE_ONLY = 2,
    PNRP_CLOUD_FULL_PARTICIPANT = 4
} PNRP_CLOUD_FLAGS;

typedef enum _PNRP_REGISTERED_ID_STATE {
    PNRP_REGISTERED_ID_STATE_OK = 1,
    PNRP_REGISTERED_ID_STATE_PROBLEM = 2
} PNRP_REGISTERED_ID_STATE;

typedef enum _PNRP_RESOLVE_CRITERIA {
    PNRP_RESOLVE_CRITERIA_DEFAULT = 0,
    PNRP_RESOLVE_CRITERIA_REMOTE_PEER_NAME = 1,
    PNRP_RESOLVE_CRITERIA_NEAREST_REMOTE_PEER_NAME = 2,
    PNRP_RESOLVE_CRITERIA_NON_CURRENT_PROCESS_PEER_NAME = 3,
    PNRP_RESOLVE_CRITERIA_NEAREST_NON_CURRENT_PROCESS_PEER_NAME = 4,
    PNRP_RESOLVE_CRITERIA_ANY_PEER_NAME = 5,
    PNRP_RESOLVE_CRITERIA_NEAREST_PEER_NAME = 6
} PNRP_RESOLVE_CRITERIA;

typedef struct _PNRP_CLOUD_ID {
    INT AddressFamily;
    PNRP_SCOPE Scope;
    ULONG ScopeId;
} PNRP_CLOUD_ID;

typedef enum _PNRP_EXTENDED_PAYLOAD_TYPE {
    PNRP_EXTENDED_PAYLOAD_TYPE_NONE = 0,
    PNRP_EXTENDED_PAYLOAD_TYPE_BINARY,
    PNRP_EXTENDED_PAYLOAD_TYPE_STRING
} PNRP_EXTENDED_PAYLOAD_TYPE;

typedef struct _PNRPINFO_V1 {
    DWORD dwSize;
    LPWSTR lpwszIdentity;
    DWORD nMaxResolve;
    DWORD dwTimeout;
    DWORD dwLifetime;
    PNRP_RESOLVE_CRITERIA enResolveCriteria;
    DWORD dwFlags;
    SOCKET_ADDRESS saHint;
    PNRP_REGISTERED_ID_STATE enNameState;
} PNRPINFO_V1;

typedef struct _PNRPINFO_V2 {
    DWORD dwSize;
    LPWSTR lpwszIdentity;
    DWORD nMaxResolve;
    DWORD dwTimeout;
    DWORD dwLifetime;
    PNRP_RESOLVE_CRITERIA enResolveCriteria;
    DWORD dwFlags;
    SOCKET_ADDRESS saHint;
    PNRP_REGISTERED_ID_STATE enNameState;
    PNRP_EXTENDED_PAYLOAD_TYPE enExtendedPayloadType;
    union {
        BLOB blobPayload;
        PWSTR pwszPayload;
    };
} PNRPINFO_V2;
typedef PNRPINFO_V2 PNRPINFO;

typedef struct _PNRPCLOUDINFO {
    DWORD dwSize;
    PNRP_CLOUD_ID Cloud;
    PNRP_CLOUD_STATE enCloudState;
    PNRP_CLOUD_FLAGS enCloudFlags;
} PNRPCLOUDINFO;

// Defined by nsp/guid.c.
extern const GUID NS_PROVIDER_PNRPNAME;
extern const GUID NS_PROVIDER_PNRPCLOUD;
extern const GUID SVCID_PNRPCLOUD;
extern const GUID SVCID_PNRPNAME_V1;
extern const GUID SVCID_PNRPNAME_V2;
#define SVCID_PNRPNAME                  SVCID_PNRPNAME_V2

// ---- overlapped requests and completions ----

typedef struct _OVERLAPPED {
    ULONG_PTR Internal; // an NTSTATUS; STATUS_PENDING while under way
    ULONG_PTR InternalHigh;
    union {
        struct {
            DWORD Offset;
            DWORD OffsetHigh;
        };
        PVOID Pointer;
    };
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED, WSAOVERLAPPED, *LPWSAOVERLAPPED;

typedef void(CALLBACK *LPWSAOVERLAPPED_COMPLETION_ROUTINE)(DWORD error, DWORD bytes,
                                                           LPWSAOVERLAPPED overlapped, DWORD flags);

typedef enum _WSACOMPLETIONTYPE {
    NSP_NOTIFY_IMMEDIATELY = 0,
    NSP_NOTIFY_HWND,
    NSP_NOTIFY_EVENT,
    NSP_NOTIFY_PORT,
    NSP_NOTIFY_APC
} WSACOMPLETIONTYPE;

typedef struct _WSACOMPLETION {
    WSACOMPLETIONTYPE Type;
    union {
        struct {
            HWND hWnd;
            UINT uMsg;
            WPARAM context;
        } WindowMessage;
        struct {
            LPWSAOVERLAPPED lpOverlapped;
        } Event;
        struct {
            LPWSAOVERLAPPED lpOverlapped;
            LPWSAOVERLAPPED_COMPLETION_ROUTINE lpfnCompletionProc;
        } Apc;
        struct {
            LPWSAOVERLAPPED lpOverlapped;
            HANDLE hPort;
            ULONG_PTR Key;
        } Port;
    } Parameters;
} WSACOMPLETION, *LPWSACOMPLETION;

typedef struct _WSATHREADID {
    HANDLE ThreadHandle;
    DWORD_PTR Reserved;
} WSATHREADID, *LPWSATHREADID;

// ---- the provider's entries ----

typedef INT(WSAAPI *LPNSPCLEANUP)(LPGUID);
typedef INT(WSAAPI *LPNSPLOOKUPSERVICEBEGIN)(LPGUID, LPWSAQUERYSETW, LPWSASERVICECLASSINFOW, DWORD,
                                             LPHANDLE);
typedef INT(WSAAPI *LPNSPLOOKUPSERVICENEXT)(HANDLE, DWORD, LPDWORD, LPWSAQUERYSETW);
typedef INT(WSAAPI *LPNSPLOOKUPSERVICEEND)(HANDLE);
typedef INT(WSAAPI *LPNSPIOCTL)(HANDLE, DWORD, LPVOID, DWORD, LPVOID, DWORD, LPDWORD,
                                LPWSACOMPLETION, LPWSATHREADID);
typedef INT(WSAAPI *LPNSPSETSERVICE)(LPGUID, LPWSASERVICECLASSINFOW, LPWSAQUERYSETW,
                                     WSAESETSERVICEOP, DWORD);
typedef INT(WSAAPI *LPNSPINSTALLSERVICECLASS)(LPGUID, LPWSASERVICECLASSINFOW);
typedef INT(WSAAPI *LPNSPREMOVESERVICECLASS)(LPGUID, LPGUID);
typedef INT(WSAAPI *LPNSPGETSERVICECLASSINFO)(LPGUID, LPDWORD, LPWSASERVICECLASSINFOW);

typedef struct _NSP_ROUTINE {
    DWORD cbSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    LPNSPCLEANUP NSPCleanup;
    LPNSPLOOKUPSERVICEBEGIN NSPLookupServiceBegin;
    LPNSPLOOKUPSERVICENEXT NSPLookupServiceNext;
    LPNSPLOOKUPSERVICEEND NSPLookupServiceEnd;
    LPNSPSETSERVICE NSPSetService;
    LPNSPINSTALLSERVICECLASS NSPInstallServiceClass;
    LPNSPREMOVESERVICECLASS NSPRemoveServiceClass;
    LPNSPGETSERVICECLASSINFO NSPGetServiceClassInfo;
    LPNSPIOCTL NSPIoctl;
} NSP_ROUTINE, *LPNSP_ROUTINE;

INT WSAAPI NSPStartup(LPGUID provider, LPNSP_ROUTINE routines);

// ---- Win32, as far as nsp/ and its tests go ----
// What each does is Windows' documentation's; what is left out here is said. Security attributes,
// names and access rights are ignored. A handle that was closed is found out (ERROR_INVALID_HANDLE)
// and never dereferenced. Past each of these bounds a call fails with ERROR_NOT_ENOUGH_MEMORY.

#define PNR_WINSOCK_HANDLES  65536 // open at once, of every kind
#define PNR_WINSOCK_APCS     4096  // queued for one thread
#define PNR_WINSOCK_PACKETS  65536 // queued at one port
#define PNR_WINSOCK_WINDOWS  10000
#define PNR_WINSOCK_MESSAGES 10000 // of one thread; here ERROR_NOT_ENOUGH_QUOTA, as on Windows

#define INVALID_HANDLE_VALUE  ((HANDLE)(intptr_t)-1)
#define INFINITE              0xFFFFFFFFu
#define WAIT_OBJECT_0         0u
#define WAIT_IO_COMPLETION    0xC0u
#define WAIT_TIMEOUT          258u
#define WAIT_FAILED           0xFFFFFFFFu
#define MAXIMUM_WAIT_OBJECTS  64
#define DUPLICATE_SAME_ACCESS 2u

void WINAPI SetLastError(DWORD error); // one value for each thread, and the same for both pairs
DWORD WINAPI GetLastError(void);
void WINAPI WSASetLastError(int error);
int WINAPI WSAGetLastError(void);

HANDLE WINAPI GetCurrentProcess(void); // a pseudo handle
HANDLE WINAPI GetCurrentThread(void);  // a pseudo handle; duplicated it is a real one
DWORD WINAPI GetCurrentProcessId(void);
DWORD WINAPI GetCurrentThreadId(void);
BOOL WINAPI GetProcessHandleCount(HANDLE process, LPDWORD ret_count);
// Within this process only. GetCurrentThread() is the one pseudo handle that it takes.
BOOL WINAPI DuplicateHandle(HANDLE source_process, HANDLE source, HANDLE target_process,
                            LPHANDLE ret_target, DWORD access, BOOL inherit, DWORD options);
BOOL WINAPI CloseHandle(HANDLE handle);

HANDLE WINAPI CreateEventW(LPVOID security, BOOL manual_reset, BOOL is_set, LPCWSTR name);
BOOL WINAPI SetEvent(HANDLE event);
BOOL WINAPI ResetEvent(HANDLE event);

// Of events and threads; a thread is signalled once it has ended.
DWORD WINAPI WaitForSingleObject(HANDLE handle, DWORD timeout_ms);
DWORD WINAPI WaitForSingleObjectEx(HANDLE handle, DWORD timeout_ms, BOOL alertable);
DWORD WINAPI WaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all,
                                    DWORD timeout_ms); // all: only FALSE
DWORD WINAPI WaitForMultipleObjectsEx(DWORD count, const HANDLE *handles, BOOL all,
                                      DWORD timeout_ms, BOOL alertable);
DWORD WINAPI SleepEx(DWORD timeout_ms, BOOL alertable);

// Runs in the thread's next alertable wait. What a thread has not run when it ends is dropped.
typedef void(CALLBACK *PAPCFUNC)(ULONG_PTR data);
DWORD WINAPI QueueUserAPC(PAPCFUNC apc, HANDLE thread, ULONG_PTR data);

// Internal to an error as Windows does: 0 none, STATUS_CANCELLED 995, 0xC007xxxx its low 16 bits,
// all others ERROR_MR_MID_NOT_FOUND.
BOOL WINAPI GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped, LPDWORD ret_bytes, BOOL wait);

// Only new ports without a file: file is INVALID_HANDLE_VALUE and port NULL.
HANDLE WINAPI CreateIoCompletionPort(HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads);
BOOL WINAPI PostQueuedCompletionStatus(HANDLE port, DWORD bytes, ULONG_PTR key,
                                       LPOVERLAPPED overlapped);
NTSTATUS NTAPI NtSetIoCompletion(HANDLE port, PVOID key, PVOID overlapped, NTSTATUS status,
                                 ULONG_PTR bytes);
BOOL WINAPI GetQueuedCompletionStatus(HANDLE port, LPDWORD ret_bytes, PULONG_PTR ret_key,
                                      LPOVERLAPPED *ret_overlapped, DWORD timeout_ms);

#define HWND_MESSAGE ((HWND)(intptr_t)-3)
#define WM_USER      0x0400u
#define PM_NOREMOVE  0u
#define PM_REMOVE    1u

typedef struct tagMSG {
    HWND hwnd;
    UINT message;
    WPARAM wParam;
    LPARAM lParam;
    DWORD time; // always 0
    LONG pt[2]; // always 0
} MSG, *LPMSG;

// Message-only windows of any class: parent is HWND_MESSAGE. A window belongs to its thread, which
// alone fetches its messages and destroys it; it ends with the thread.
HWND WINAPI CreateWindowExW(DWORD ex_style, LPCWSTR class_name, LPCWSTR name, DWORD style, int x,
                            int y, int width, int height, HWND parent, HANDLE menu, HANDLE instance,
                            LPVOID parameter);
BOOL WINAPI DestroyWindow(HWND window);
BOOL WINAPI IsWindow(HWND window);
BOOL WINAPI PostMessageW(HWND window, UINT message, WPARAM wparam, LPARAM lparam);
// Of one window of the calling thread, or all of them (NULL). min and max 0: every message.
BOOL WINAPI GetMessageW(LPMSG ret_message, HWND window, UINT min, UINT max); // 1, or -1: no such
BOOL WINAPI PeekMessageW(LPMSG ret_message, HWND window, UINT min, UINT max, UINT options);

#endif // _WIN32

#endif
