// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_ERROR_H
#define PNR_DAEMON_ERROR_H

// Why an operation of the shell failed: one sentence for a person, naming the thing at fault and,
// where there is one, the remedy behind DAEMON_ERROR_REMEDY; and its kind, for a client's error
// code. A function that can fail
// takes a struct daemon_error last and writes it on failure only. It never holds a secret.

enum daemon_error_kind {
    DAEMON_ERROR_FAILED,    // the system said no: a disk, a socket, memory
    DAEMON_ERROR_INVALID,   // what was given makes no sense
    DAEMON_ERROR_TAKEN,     // it is there already
    DAEMON_ERROR_NOT_FOUND, // it is not there
    DAEMON_ERROR_FULL,      // a bound is reached
};

#define DAEMON_ERROR_REMEDY "; remedy: "

struct daemon_error {
    char text[512]; // cut where longer; always ends in NUL
    enum daemon_error_kind kind;
};

// Writes error's text, and its kind: DAEMON_ERROR_FAILED for the first. error may be NULL: the
// caller does not want to know.
void daemon_error_set(struct daemon_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void daemon_error_set_kind(struct daemon_error *error, enum daemon_error_kind kind,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

#define DAEMON_ERROR_REASON_MAX 256

// What the system says of one of its own codes: errno's, on Windows GetLastError()'s. Returns
// ret_reason.
const char *daemon_error_reason(int code, char ret_reason[DAEMON_ERROR_REASON_MAX]);

#endif
