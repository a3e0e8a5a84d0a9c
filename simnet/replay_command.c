// SPDX-License-Identifier: MIT
#include "simnet/replay_command.h"

#include "simnet/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    EXIT_SAME = 0,
    EXIT_DIFFERS = 1,
    EXIT_USAGE = 2,
};

#define HINT " ('simnet replay --help' tells more)\n"

static const char usage[] =
    "usage: simnet replay FILE [--json] [-q]\n"
    "\n"
    "Runs a recording that pnrd --record made, and says whether the node says the same again.\n"
    "\n"
    "  --json       the result as JSON\n"
    "  -q, --quiet  nothing where it could be run: the exit code says it\n"
    "\n"
    "Exit codes: 0 it does, 1 it differs, 2 the command or the recording makes no sense.\n";

// NULL: said why.
static FILE *open_recording(const char *path)
{
    struct stat status;
    // Which could be opened, and that it cannot be read would be told of its first entry.
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        fprintf(stderr, "simnet: %s: is a directory\n", path);
        return NULL;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fprintf(stderr, "simnet: %s: cannot be opened: %s\n", path, strerror(errno));
    return file;
}

static int64_t read_file(void *ctx, uint8_t *buf, size_t len)
{
    FILE *file = ctx;
    size_t got = fread(buf, 1, len, file);
    return got == 0 && ferror(file) ? -1 : (int64_t)got;
}

static const char *end_text(const struct simnet_replay_result *result)
{
    switch (result->end) {
    case RECORDING_END_CLOSED:
        return "closed";
    case RECORDING_END_BEHIND:
        return "behind";
    }
    return result->is_cut ? "cut" : "open";
}

// A text as JSON has it; the texts here are ASCII.
static void print_json_text(const char *key, const char *text)
{
    printf(",\"%s\":\"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            printf("\\u%04x", (unsigned)(unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_json(const struct simnet_replay_result *result)
{
    bool differs = result->verdict == SIMNET_REPLAY_DIFFERS;
    printf("{\"same\":%s", differs ? "false" : "true");
    printf(",\"entries\":%" PRIu64 ",\"inputs\":%" PRIu64 ",\"outputs\":%" PRIu64
           ",\"span_us\":%" PRId64,
           result->entries, result->inputs, result->outputs, result->span_us);
    print_json_text("version", result->version);
    if (differs) {
        printf(",\"entry\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"input_entry\":%" PRIu64
               ",\"at_us\":%" PRId64 ",\"output\":%" PRIu64,
               result->entry, result->offset, result->input_entry, result->input_at_us,
               result->output);
        print_json_text("input", recording_entry_kind_text((int)result->input));
        print_json_text("text", result->text);
    } else {
        print_json_text("end", end_text(result));
    }
    printf("}\n");
}

static void print_same(const char *path, const struct simnet_replay_result *result)
{
    static const char cut[] = "; the recording was cut off";
    const char *remark = cut;
    if (result->end == RECORDING_END_CLOSED)
        remark = "";
    else if (result->end == RECORDING_END_BEHIND)
        remark = "; the recording ends where the disk was too slow for it";
    printf("%s: the same: %" PRIu64 " inputs, %" PRIu64 " outputs, %.6f s%s\n", path,
           result->inputs, result->outputs, (double)result->span_us / 1e6, remark);
}

static void print_differs(const char *path, const struct simnet_replay_result *result)
{
    printf("%s: entry %" PRIu64 " at byte %" PRIu64 " differs: after input %" PRIu64
           " (%s, at %.6f s), ",
           path, result->entry, result->offset, result->input_entry,
           recording_entry_kind_text((int)result->input), (double)result->input_at_us / 1e6);
    if (result->output > 0)
        printf("output %" PRIu64 ": ", result->output);
    printf("%s\n", result->text);
}

static int report(const char *path, bool json, const struct simnet_replay_result *result)
{
    if (result->verdict == SIMNET_REPLAY_BROKEN) {
        fprintf(stderr, "simnet: %s: entry %" PRIu64 " at byte %" PRIu64 ": %s\n", path,
                result->entry, result->offset, result->text);
        return EXIT_USAGE;
    }
    if (json)
        print_json(result);
    else if (result->verdict == SIMNET_REPLAY_SAME)
        print_same(path, result);
    else
        print_differs(path, result);
    return result->verdict == SIMNET_REPLAY_SAME ? EXIT_SAME : EXIT_DIFFERS;
}

static bool is_word(const char *text, const char *word, const char *other)
{
    return strcmp(text, word) == 0 || strcmp(text, other) == 0;
}

int simnet_replay_command(int argc, char **argv)
{
    const char *path = NULL;
    bool json = false;
    bool quiet = false;
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        if (!ended && is_word(argv[i], "--help", "-h")) {
            fputs(usage, stdout);
            return EXIT_SAME;
        }
        if (!ended && is_word(argv[i], "--json", "--json")) {
            json = true;
        } else if (!ended && is_word(argv[i], "--quiet", "-q")) {
            quiet = true;
        } else if (!ended && is_word(argv[i], "--", "--")) {
            ended = true;
        } else if (path == NULL && (ended || argv[i][0] != '-')) {
            path = argv[i];
        } else {
            bool is_option = !ended && argv[i][0] == '-';
            fprintf(stderr,
                    is_option ? "simnet: replay has no option %s" HINT
                              : "simnet: one recording at a time: what is %s?" HINT,
                    argv[i]);
            return EXIT_USAGE;
        }
    }
    if (path == NULL || path[0] == '\0') {
        fprintf(stderr, "simnet: which recording? %s" HINT,
                path == NULL ? "expected a file" : "its name is empty");
        return EXIT_USAGE;
    }
    FILE *file = open_recording(path);
    if (file == NULL)
        return EXIT_USAGE;
    struct simnet_replay_result result;
    simnet_replay(read_file, file, &result);
    fclose(file);
    if (quiet && !json && result.verdict != SIMNET_REPLAY_BROKEN)
        return result.verdict == SIMNET_REPLAY_SAME ? EXIT_SAME : EXIT_DIFFERS;
    return report(path, json, &result);
}
