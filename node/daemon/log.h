// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_LOG_H
#define PNR_DAEMON_LOG_H

// The log of pnrd: lines on stderr, `time level what key=value ...`, for example
//
//   2026-03-01T12:00:00.123Z info listening addr=192.0.2.1:3540
//
// The time is UTC with milliseconds. Where stderr is the journal (systemd's JOURNAL_STREAM), the
// time is left out, since the journal keeps its own, and the level is told as `<N>` in front.
//
// A line is one write(2), so that lines of several threads do not mix; all functions may be called
// from any thread. A line is at most DAEMON_LOG_LINE_MAX bytes and ends in " ..." where it was cut.
// A line that stderr does not take is lost and counted; logging never blocks on a retry and never
// fails.
//
// Nothing that came over the network reaches the terminal raw: whatever is not printable UTF-8 is
// written as \xNN, in every line. Text of strangers goes through daemon_log_quote() as well, so
// that it cannot pass for a further key=value. Secrets have no place in a log.

#include "pnr/dht.h"

#define DAEMON_LOG_LINE_MAX 1024

enum daemon_log_level {
    DAEMON_LOG_ERROR, // pnrd cannot do its work, or stops
    DAEMON_LOG_WARN,  // something the operator should look at
    DAEMON_LOG_INFO,  // what happened: few lines an hour
    DAEMON_LOG_DEBUG, // whatever helps to find a fault
};

// Opens the log on fd (2 in pnrd). Before it, the log goes to stderr with level info and times.
void daemon_log_open(int fd, enum daemon_log_level level);

// Changes the level, from now on, for all threads.
void daemon_log_set_level(enum daemon_log_level level);

// Whether a line of this level would be written; to save the cost of preparing one.
bool daemon_log_wants(enum daemon_log_level level);

// Where a log is kept that is no stream: is given each line, which ends in a newline; its text
// begins at text_at, behind the time and the level. Any thread may call it.
typedef void (*daemon_log_keep_fn)(enum daemon_log_level level, struct dht_span line,
                                   size_t text_at);

// From now on lines go to keep and not to the stream; NULL: to the stream again.
void daemon_log_keep(daemon_log_keep_fn keep);
bool daemon_log_is_kept(void);

// Writes one line: format is the `what key=value ...` part, without a newline.
void daemon_log(enum daemon_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// How many lines stderr did not take.
uint64_t daemon_log_lost(void);

struct daemon_log_text {
    char text[256];
};

// Quotes untrusted bytes for use as a value: "...", with \" and \\ escaped and everything else that
// is not printable UTF-8 as \xNN; cut with "..." where longer than ret_text holds. Returns
// ret_text->text, so that it can stand in daemon_log()'s arguments.
const char *daemon_log_quote(struct dht_span untrusted, struct daemon_log_text *ret_text);

#endif
