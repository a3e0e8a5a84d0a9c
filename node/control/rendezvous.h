// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_RENDEZVOUS_H
#define PNR_CONTROL_RENDEZVOUS_H

// The rendezvous file: where a daemon on loopback TCP is to be found, and the secret that both
// sides prove to each other (node/control/handshake.h). The daemon writes one for each level of
// access, new at each start; docs/control.md has the format. Here is only its text; files are read
// and written by others.

#include "node/control/protocol.h"

#define CONTROL_SECRET_LEN         32
#define CONTROL_RENDEZVOUS_LEN_MAX 1024 // bytes of the file

struct control_rendezvous {
    uint16_t port; // on loopback; not 0
    enum control_access access;
    uint8_t secret[CONTROL_SECRET_LEN];
};

// Writes the file's text, without a NUL, and returns its length; 0 where it does not fit, or where
// rendezvous has no port or no level. 160 bytes are enough.
size_t control_rendezvous_format(const struct control_rendezvous *rendezvous, char *buf,
                                 size_t buf_len);

// Reads the file's text. False where it is too long, is of another version, or lacks a line or has
// one twice or one that makes no sense; the caller wipes the text, and ret_rendezvous when done.
bool control_rendezvous_parse(struct dht_span text, struct control_rendezvous *ret_rendezvous);

// Whether a client may trust a file of this level with these permission bits (Unix): nobody but the
// owner may write it, for whoever can could pose as the daemon, and others may not read the one for
// control, whose secret would then be none.
bool control_rendezvous_trusted(enum control_access access, unsigned mode);

#endif
