// SPDX-License-Identifier: MIT
#include "node/daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const journal_prefixes[] = {"<3>", "<4>", "<6>", "<7>"}; // sd-daemon(3)

static struct {
    _Atomic int fd;
    _Atomic int level;
    _Atomic bool journal;
    _Atomic uint64_t lost;
    _Atomic daemon_log_keep_fn keep; // NULL: the stream
} the_log = {.fd = 2, .level = DAEMON_LOG_INFO};

// How many bytes the UTF-8 character at text has that may be printed; 0: none may. Refused are
// control characters (C0, DEL, C1), overlong forms, surrogates, and what turns the direction of
// text, since it can make a line read as what it is not.
static size_t printable_len(const uint8_t *text, size_t len)
{
    uint8_t first = text[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f;
    size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || len < need)
        return 0;
    uint32_t code = first & (0xffu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool refused = code < least[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
    bool control = code < 0xa0 || (code >= 0x2028 && code <= 0x202e) ||
                   (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f ||
                   code == 0x061c || code == 0xfeff;
    return refused || control ? 0 : need;
}

// Copies text to out, escaping. Where quoting, '"' and '\' are escaped too. Returns the length
// written; sets *ret_cut where not all of text went in. Writes no NUL.
static size_t escape(struct dht_span text, bool quoting, char *out, size_t out_len, bool *ret_cut)
{
    size_t used = 0;
    size_t i = 0;
    *ret_cut = false;
    while (i < text.len) {
        char hex[5];
        size_t taken = printable_len(text.data + i, text.len - i);
        const char *piece = (const char *)text.data + i;
        size_t piece_len = taken;
        if (taken == 0) {
            snprintf(hex, sizeof hex, "\\x%02x", text.data[i]);
            piece = hex;
            piece_len = 4;
            taken = 1;
        } else if (quoting && (piece[0] == '"' || piece[0] == '\\')) {
            hex[0] = '\\';
            hex[1] = piece[0];
            piece = hex;
            piece_len = 2;
        }
        if (used + piece_len > out_len) {
            *ret_cut = true;
            break;
        }
        memcpy(out + used, piece, piece_len);
        used += piece_len;
        i += taken;
    }
    return used;
}

// Whether fd is the stream that JOURNAL_STREAM ("device:inode") names: see systemd.exec(5). A
// child whose stderr was sent elsewhere inherits the variable too.
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device = 0;
    unsigned long long inode = 0;
    struct stat status;
    if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
        return false;
    return fstat(fd, &status) == 0 && (unsigned long long)status.st_dev == device &&
           (unsigned long long)status.st_ino == inode;
}

void daemon_log_open(int fd, enum daemon_log_level level)
{
    atomic_store(&the_log.fd, fd);
    atomic_store(&the_log.level, (int)level);
    atomic_store(&the_log.journal, is_journal(fd));
}

void daemon_log_keep(daemon_log_keep_fn keep)
{
    atomic_store(&the_log.keep, keep);
}

bool daemon_log_is_kept(void)
{
    return atomic_load(&the_log.keep) != NULL;
}

void daemon_log_set_level(enum daemon_log_level level)
{
    atomic_store(&the_log.level, (int)level);
}

bool daemon_log_wants(enum daemon_log_level level)
{
    return (int)level <= atomic_load_explicit(&the_log.level, memory_order_relaxed);
}

uint64_t daemon_log_lost(void)
{
    return atomic_load(&the_log.lost);
}

// Writes `<N>` or `time level ` to out and returns its length.
static size_t write_prefix(enum daemon_log_level level, char *out, size_t out_len)
{
    if (atomic_load(&the_log.journal))
        return (size_t)snprintf(out, out_len, "%s", journal_prefixes[level]);
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(out, out_len, "%Y-%m-%dT%H:%M:%S", &utc);
    return used + (size_t)snprintf(out + used, out_len - used, ".%03ldZ %s ", now.tv_nsec / 1000000,
                                   level_names[level]);
}

// A line as a whole, so that lines of several threads do not mix.
static void write_line(const char *line, size_t line_len)
{
    ssize_t written;
    do
        written = write(atomic_load(&the_log.fd), line, line_len);
    while (written < 0 && errno == EINTR);
    if (written != (ssize_t)line_len)
        atomic_fetch_add(&the_log.lost, 1);
}

void daemon_log(enum daemon_log_level level, const char *format, ...)
{
    if (!daemon_log_wants(level))
        return;
    int saved_errno = errno;
    char raw[DAEMON_LOG_LINE_MAX];
    va_list args;
    va_start(args, format);
    int raw_len = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    bool cut = raw_len >= (int)sizeof raw;
    struct dht_span text = {(const uint8_t *)raw, strlen(raw)};

    static const char cut_mark[] = " ...";
    char line[DAEMON_LOG_LINE_MAX];
    size_t room = sizeof line - sizeof cut_mark; // the mark and a newline
    size_t text_at = write_prefix(level, line, room);
    size_t used = text_at;
    bool cut_again = false;
    used += escape(text, false, line + used, room - used, &cut_again);
    if (cut || cut_again) {
        memcpy(line + used, cut_mark, sizeof cut_mark - 1);
        used += sizeof cut_mark - 1;
    }
    line[used++] = '\n';
    daemon_log_keep_fn keep = atomic_load(&the_log.keep);
    if (keep != NULL)
        keep(level, (struct dht_span){(const uint8_t *)line, used}, text_at);
    else
        write_line(line, used);
    errno = saved_errno;
}

const char *daemon_log_quote(struct dht_span untrusted, struct daemon_log_text *ret_text)
{
    static const char cut_end[] = "\"...";
    char *text = ret_text->text;
    bool cut = false;
    text[0] = '"';
    size_t room = sizeof ret_text->text - 1 - sizeof cut_end;
    size_t used = 1 + escape(untrusted, true, text + 1, room, &cut);
    memcpy(text + used, cut ? cut_end : "\"", cut ? sizeof cut_end : sizeof "\"");
    return text;
}
