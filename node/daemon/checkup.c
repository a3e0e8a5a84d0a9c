// SPDX-License-Identifier: MIT
#include "node/daemon/checkup.h"

#include "node/control/protocol.h"
#include "node/daemon/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIB           (UINT64_C(1) << 20)
#define FREE_LEAST    (16 * MIB)                // below it the state may not fit any more
#define FREE_GOOD     (256 * MIB)               // below it somebody should look
#define WALL_LEAST_US INT64_C(1767225600000000) // 2026-01-01: no clock is right before that
#define TEXT_MAX      768

struct finding {
    const char *check;
    enum control_finding state;
    char text[TEXT_MAX];
    char remedy[TEXT_MAX]; // "": none is needed
};

static void put_finding(struct dht_bencode_writer *writer, const struct finding *finding)
{
    dht_bencode_open_dict(writer);
    dht_bencode_pair_text(writer, CONTROL_KEY_CHECK, finding->check);
    if (finding->remedy[0] != '\0') {
        dht_bencode_pair_text(writer, CONTROL_KEY_REMEDY, finding->remedy);
    }
    dht_bencode_pair_text(writer, CONTROL_KEY_STATE,
                          control_protocol_word(CONTROL_VOCABULARY_FINDING, (int)finding->state));
    dht_bencode_pair_text(writer, CONTROL_KEY_TEXT, finding->text);
    dht_bencode_end(writer);
}

// ---- keys ----

// The error names the remedy for what it has found, mostly; otherwise that is the general one.
static void fail_keys(const struct daemon_checkup *checkup, struct finding *finding)
{
    const char *text = checkup->keys_why->text;
    const char *remedy = strstr(text, DAEMON_ERROR_REMEDY);
    size_t text_len = remedy != NULL ? (size_t)(remedy - text) : strlen(text);
    finding->state = CONTROL_FINDING_FAIL;
    snprintf(finding->text, TEXT_MAX, "%.*s", (int)text_len, text);
    if (remedy != NULL)
        snprintf(finding->remedy, TEXT_MAX, "%s", remedy + strlen(DAEMON_ERROR_REMEDY));
    else
        snprintf(finding->remedy, TEXT_MAX,
                 "let the daemon's user own %s and all in it, with chmod 700 and chmod 600",
                 checkup->keys_dir);
}

static void check_keys(const struct daemon_checkup *checkup, struct finding *finding)
{
    finding->check = "keys";
    if (checkup->keys_why != NULL) {
        fail_keys(checkup, finding);
    } else if (checkup->key_count == 0) {
        snprintf(finding->text, TEXT_MAX, "none is held; pnr key new makes one");
    } else {
        snprintf(finding->text, TEXT_MAX, "%zu in %s, for nobody else to read", checkup->key_count,
                 checkup->keys_dir);
    }
}

// ---- the state directory ----

static void fail(struct finding *finding, const char *text, const char *remedy)
{
    finding->state = CONTROL_FINDING_FAIL;
    snprintf(finding->text, TEXT_MAX, "%s", text);
    snprintf(finding->remedy, TEXT_MAX, "%s", remedy);
}

static void check_space(const char *dir, uint64_t free_bytes, struct finding *finding)
{
    snprintf(finding->text, TEXT_MAX, "%s, %" PRIu64 " MiB free", dir, free_bytes / MIB);
    if (free_bytes >= FREE_GOOD)
        return;
    finding->state = free_bytes < FREE_LEAST ? CONTROL_FINDING_FAIL : CONTROL_FINDING_WARN;
    snprintf(finding->remedy, TEXT_MAX,
             "make room on its file system: what cannot be written is not published");
}

static void check_state(const struct daemon_checkup *checkup, struct finding *finding)
{
    struct daemon_file_folder folder;
    struct daemon_error why;
    const char *dir = checkup->state_dir;
    char text[TEXT_MAX];
    finding->check = "state";
    if (dir == NULL) {
        snprintf(finding->text, TEXT_MAX, "kept in memory alone, as in a testnet");
        return;
    }
    if (!daemon_file_look(dir, &folder, &why)) {
        snprintf(text, sizeof text, "%s: %s", dir, why.text);
        fail(finding, text, "let the daemon's user own it; pnrd --help tells its place");
        return;
    }
    check_space(dir, folder.free_bytes, finding);
    if (!folder.others_may_write)
        return;
    snprintf(text, sizeof text, "%s lets others change it", dir);
    fail(finding, text, "give its owner alone the right to write there (chmod 700)");
}

// ---- the clock ----

static void check_clock(const struct daemon_checkup *checkup, struct finding *finding)
{
    finding->check = "clock";
    if (checkup->wall_us < WALL_LEAST_US) {
        fail(finding, "it is years behind: what it signs has expired for others",
             "set it, and run a time service");
    } else if (!checkup->is_clock_kept) {
        finding->state = CONTROL_FINDING_WARN;
        snprintf(finding->text, TEXT_MAX,
                 "no time service keeps it right, as far as the system "
                 "knows");
        snprintf(finding->remedy, TEXT_MAX,
                 "run one, such as systemd-timesyncd or chrony; some "
                 "virtual machines are kept right from outside");
    } else {
        snprintf(finding->text, TEXT_MAX, "kept right by a time service");
    }
}

size_t daemon_checkup(const struct daemon_checkup *checkup,
                      uint8_t ret_findings[DAEMON_CHECKUP_MAX])
{
    struct finding keys = {.state = CONTROL_FINDING_OK};
    struct finding state = keys;
    struct finding clock = keys;
    struct dht_bencode_writer writer = dht_bencode_writer(ret_findings, DAEMON_CHECKUP_MAX);
    check_keys(checkup, &keys);
    check_state(checkup, &state);
    check_clock(checkup, &clock);
    dht_bencode_open_dict(&writer);
    dht_bencode_put_text(&writer, CONTROL_KEY_FINDINGS);
    dht_bencode_open_list(&writer);
    put_finding(&writer, &keys);
    put_finding(&writer, &state);
    put_finding(&writer, &clock);
    dht_bencode_end(&writer);
    dht_bencode_end(&writer);
    return dht_bencode_written(&writer);
}
