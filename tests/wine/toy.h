// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_TOY_H
#define PNR_TESTS_WINE_TOY_H

// toy_nsp.dll: three namespace providers that know no network, to see how ws2_32 asks them. Each
// returns two results, "one" and "two", for every name of its class, and "late" once somebody asks
// on after WSA_E_NO_MORE. dwOutputFlags of a result is the provider's number. Some names are
// orders:
//
//     refuse13    providers 1 and 3 refuse it in Begin: with TOY_REFUSED(number)
//     gone        Next fails with WSAENETDOWN
//     block       Next waits for End

// clang-format off
#include <winsock2.h>
#include <ws2spi.h>
// clang-format on

#define TOY_NAMESPACE_1 0x7001u // of providers 1 and 3
#define TOY_NAMESPACE_2 0x7002u // of 2, which is older than NSPIoctl
#define TOY_PROVIDERS   3

#define TOY_REFUSED(number) ((number) == 1 ? WSANO_DATA : (number) == 2 ? WSAEINVAL : WSAEOPNOTSUPP)

// The providers' ids differ in the last byte, which is their number.
#define TOY_ID(number)                                                                             \
    {                                                                                              \
        0x6f1d3a52, 0x9c07, 0x4d2e,                                                                \
        {                                                                                          \
            0x8b, 0x11, 0x5a, 0x70, 0x3e, 0xd4, 0x2c, (number)                                     \
        }                                                                                          \
    }
#define TOY_CLASS                                                                                  \
    {                                                                                              \
        0x0b6e7d10, 0x52aa, 0x4f6c,                                                                \
        {                                                                                          \
            0x9e, 0x33, 0x10, 0x84, 0xc9, 0x7b, 0x65, 0xf0                                         \
        }                                                                                          \
    }

enum toy_count {
    TOY_STARTUPS,
    TOY_CLEANUPS,
    TOY_BEGINS,
    TOY_NEXTS,
    TOY_ENDS,
    TOY_SETS,
    TOY_COUNTS,
};

// How often a provider was called. By GetProcAddress: "toy_count".
typedef LONG (*toy_count_fn)(int number, enum toy_count what);

#endif
