// SPDX-License-Identifier: MIT
#ifndef PNR_RECORDING_CRC_H
#define PNR_RECORDING_CRC_H

// The CRC-32 of gzip and PNG (RFC 1952, section 8). It tells every flipped bit, and every run of up
// to 32 wrong ones, from what was written; it is no help against somebody who means it.

#include <stddef.h>
#include <stdint.h>

uint32_t recording_crc(const void *data, size_t len);

#endif
