// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_NOTIFY_H
#define PNR_DAEMON_NOTIFY_H

// Tells the service manager how pnrd is doing, by sd_notify's protocol (see sd_notify(3)): one
// datagram per message to the Unix socket that NOTIFY_SOCKET names, a path or, where it starts with
// '@', an abstract name. Written by hand: the protocol is a send, libsystemd would be a dependency.
//
// On Windows it is the manager of services that is told, where pnrd is one.
//
// Where there is neither, all of this does nothing. Sending never blocks; a message that
// the manager does not take is lost, and the functions say so.

#include "node/daemon/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAEMON_NOTIFY_ADDR_MAX 128

struct daemon_notify {
    int fd;                               // -1: nobody to tell
    uint8_t addr[DAEMON_NOTIFY_ADDR_MAX]; // the system's form
    unsigned addr_len;
    // How often daemon_notify_watchdog() has to be called, half of what the manager allows; 0: not
    // at all.
    int64_t watchdog_us;
};

// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment and removes them from
// it, so that no child speaks in pnrd's name. False, with the notify set to do nothing, where
// NOTIFY_SOCKET is malformed or no socket can be made.
bool daemon_notify_open(struct daemon_notify *ret_notify, struct daemon_error *ret_error);

// Each sends one message and returns whether it went out; true where there is nobody to tell.
bool daemon_notify_ready(const struct daemon_notify *notify);
bool daemon_notify_reloading(const struct daemon_notify *notify); // then ready again
bool daemon_notify_stopping(const struct daemon_notify *notify);
bool daemon_notify_watchdog(const struct daemon_notify *notify);
// One line for people, as `systemctl status` shows it; newlines in text become spaces. To the
// service manager of Windows it is that a step of the start or the end is done.
bool daemon_notify_status(const struct daemon_notify *notify, const char *text);

void daemon_notify_close(struct daemon_notify *notify);

#endif
