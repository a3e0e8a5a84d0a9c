// SPDX-License-Identifier: MIT
#ifndef PNR_RECORDING_FORMAT_H
#define PNR_RECORDING_FORMAT_H

// A recording: all that one node was told, in the order in which it was told, and a digest of all
// that it said. pnrd writes it (`pnrd --record FILE`), simnet runs it again (`simnet replay FILE`).
// docs/recording.md is the reference for people.
//
//   file    = RECORDING_HEAD entry*
//   entry   = head, payload
//   head    = kind (1 byte), length of the payload (4), CRC of the payload (4), CRC of the 9 bytes
//             before it (4); both are CRC-32C, dht_id_crc32c()
//
// The head has a CRC of its own, for a wrong length could not be told from a recording that was cut
// off. Nothing may follow RECORDING_END.
//
// Integers are big endian; negative ones are two's complement. A bool is one byte, 0 or 1. Bytes
// and texts carry their length in 4 bytes before them; a text's last byte is NUL, and counts. An
// address is ip_len (0, 4 or 16), so many bytes, and, unless ip_len is 0, 2 bytes of port. What a
// payload holds is said by node/recording/entry.c, in one place for both directions.
//
// The order. An input of include/pnr/node.h comes first; then, in the order asked for, the
// signatures and verdicts that the brain asked its driver for while it worked; then what the call
// returned, where it returns something that drivers use. A drain, node_next() until it is false, is
// one RECORDING_OUTPUT for each output and a RECORDING_DRAINED.
//
// What is secret. A recording never holds secret keys: PEM texts are written as so many filler
// bytes. It does hold the seed of the brain, from which its tokens and transaction ids follow, so
// whoever has the file can forge what others would send to that node, for as long as that run
// lasts; and it holds everything that was asked of the node. So files are made with mode 0600.

#include "pnr/node.h"

#define RECORDING_HEAD                                                                             \
    "pnr recording 8\n"                                                                            \
    "Keep this file to yourself: it holds the random seed of a running node, and all it was "      \
    "asked.\n"
#define RECORDING_HEAD_LEN    (sizeof RECORDING_HEAD - 1)
#define RECORDING_HEAD_COMMON 14 // its bytes that are the same in every version

#define RECORDING_ENTRY_HEAD_LEN 13
#define RECORDING_PAYLOAD_MAX    (256 * 1024) // 64 datagrams of 2 KiB, or two frames of a client
#define RECORDING_DATAGRAMS_MAX  64           // of one input, as of pnrd's receive call
#define RECORDING_ADDRS_MAX      256          // of one input
#define RECORDING_TEXT_MAX       4096         // bytes of a text, its NUL included
#define RECORDING_SEED_LEN       32

// The filler that stands for a byte of a secret.
#define RECORDING_FILLER 'x'

// Monotonic and wall-clock times, and spans of time, are within +/- this: sums of a few of them do
// not overflow.
#define RECORDING_TIME_MAX (INT64_MAX / 8)

// The numbers are on disk. X(name, number, text)
#define RECORDING_KINDS(X)                                                                         \
    X(NEW, 1, "new")                                                                               \
    X(ADD_ENGINE, 2, "add_engine")                                                                 \
    X(RESTORE, 3, "restore")                                                                       \
    X(KEY_ADDED, 4, "key_added")                                                                   \
    X(KEY_REMOVED, 5, "key_removed")                                                               \
    X(START, 6, "start")                                                                           \
    X(WALL, 7, "wall")                                                                             \
    X(RECEIVE, 8, "receive")                                                                       \
    X(UNREACHABLE, 9, "unreachable")                                                               \
    X(BOOTSTRAP, 10, "bootstrap")                                                                  \
    X(NETWORK_CHANGED, 11, "network_changed")                                                      \
    X(TICK, 12, "tick")                                                                            \
    X(SET_PUBLISHING, 13, "set_publishing")                                                        \
    X(STOP, 14, "stop")                                                                            \
    X(WRITTEN, 15, "written")                                                                      \
    X(COUNTERS, 16, "driver_counters")                                                             \
    X(SESSION_OPEN, 17, "session_open")                                                            \
    X(SESSION_BYTES, 18, "session_bytes")                                                          \
    X(SESSION_SENT, 19, "session_sent")                                                            \
    X(SESSION_CLOSED, 20, "session_closed")                                                        \
    X(KEY_ANSWERED, 21, "key_answered")                                                            \
    X(ADD_CLOUD, 22, "add_cloud")                                                                  \
    X(REMOVE_CLOUD, 23, "remove_cloud")                                                            \
    X(REMOVE_ENGINE, 24, "remove_engine")                                                          \
    X(HEARD, 25, "heard")                                                                          \
    X(SIGN, 64, "sign")                                                                            \
    X(VERIFY, 65, "verify")                                                                        \
    X(RESULT, 66, "result")                                                                        \
    X(OUTPUT, 67, "output")                                                                        \
    X(DRAINED, 68, "drained")                                                                      \
    X(END, 96, "end")

enum recording_kind {
#define RECORDING_KIND_ENUM(name, number, text) RECORDING_##name = number,
    RECORDING_KINDS(RECORDING_KIND_ENUM)
#undef RECORDING_KIND_ENUM
};

// How a recording came to its end (RECORDING_END). One without it was cut off: the node was killed,
// the disk was full, or the node still runs.
enum recording_end {
    RECORDING_END_CLOSED = 1, // the node ended in order
    RECORDING_END_BEHIND = 2, // the disk was too slow for it; the node went on without it
};

#endif
