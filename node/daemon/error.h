// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_ERROR_H
#define PNR_DAEMON_ERROR_H

// Why an operation of the shell failed: one sentence for a person, naming the thing at fault and,
// where there is one, the remedy. A function that can fail takes a struct daemon_error last and
// writes it on failure only. It never holds a secret.

struct daemon_error {
    char text[512]; // cut where longer; always ends in NUL
};

// Writes error's text. error may be NULL: the caller does not want to know.
void daemon_error_set(struct daemon_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
