// SPDX-License-Identifier: MIT

// What config.h says of printing: the configuration as a file, and docs/config.md.

#include "node/daemon/config.h"
#include "node/daemon/config_keys.h"

#include <string.h>

#define COMMENT_WIDTH 96

// Prints text as comment lines.
static void print_comment(const char *text, FILE *out)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > 0 && column + 1 + len > COMMENT_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%s%.*s", column == 0 ? "# " : " ", (int)len, text);
        column += len + (column == 0 ? 2 : 1);
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_key(const struct daemon_config_key *key, const void *base, FILE *out)
{
    char value[DAEMON_CONFIG_VALUE_MAX];
    char expected[256];
    char text[512];
    fputc('\n', out);
    print_comment(key->what, out);
    daemon_config_value_expected(key, expected, sizeof expected);
    snprintf(text, sizeof text, "Expected: %s. Default: %s.%s", expected,
             key->standard[0] == '\0' ? "nothing" : key->standard,
             key->reloadable ? "" : " A change needs a restart.");
    print_comment(text, out);
    daemon_config_value_write(key, base, ",\n    ", value);
    fprintf(out, "%s =%s%s\n", key->name, value[0] == '\0' ? "" : " ", value);
}

static void print_section(const char *section, const void *base, FILE *out)
{
    for (size_t i = 0; i < daemon_config_key_count; i++) {
        if (strcmp(daemon_config_keys[i].section, section) == 0)
            print_key(&daemon_config_keys[i], base, out);
    }
}

void daemon_config_dump(const struct daemon_config *config, FILE *out)
{
    fputs("# The configuration of pnrd. Lines that start with # or ; are comments. A value that\n"
          "# is a list may go on in indented lines.\n",
          out);
    for (size_t i = 0; strcmp(daemon_config_sections[i], "cloud") != 0; i++) {
        const char *section = daemon_config_sections[i];
        fputc('\n', out);
        print_comment(daemon_config_section_what(section), out);
        fprintf(out, "[%s]\n", section);
        print_section(section, config, out);
    }
    for (size_t i = 0; i < config->cloud_count; i++) {
        fputc('\n', out);
        if (i == 0)
            print_comment(daemon_config_section_what("cloud"), out);
        fprintf(out, "[cloud %s]\n", config->clouds[i].name);
        print_section("cloud", &config->clouds[i], out);
    }
}

void daemon_config_print_docs(FILE *out)
{
    fputs(
        "# Configuration\n"
        "\n"
        "`pnrd` reads an INI file. `pnrd --check-config` says what is wrong with it, `pnrd\n"
        "--dump-config` prints it with every key and its meaning, as `pnrd` understands it; with\n"
        "no file, that is a commented default to start from. Lines that start with `#` or `;`\n"
        "are comments. A value that is a list is separated by commas or spaces and may go on in\n"
        "indented lines. A line has at most 197 bytes. Sizes are in bytes, K, M or G (powers of\n"
        "1024), times in s, m or h.\n"
        "\n"
        "An unknown section or key, a value that does not fit, a key given twice: all are errors,\n"
        "told with file, line and what was expected, and then nothing of the file is used. On\n"
        "SIGHUP the file is read again; keys marked *live* take effect at once, others with the\n"
        "next start.\n"
        "\n"
        "Every limit is a key, but one: an address that did not prove to be who it says is sent "
        "at\n"
        "most 1.5 times the bytes that it sent, and 4 KiB beyond that. This is a promise of pnr "
        "to\n"
        "everybody else, that nobody can use it to flood them, and not a matter of taste. Only\n"
        "`pnrd --unlimited` lifts it, for measurements, with all rates.\n"
        "\n"
        "Any key can be set on the command line too, over the file: `--set SECTION.KEY=VALUE`, as\n"
        "`--set node.log-level=debug` or `--set 'cloud lab.role=client'`; `cloud.KEY` is short "
        "for\n"
        "`cloud Global_.KEY`.\n"
        "\n"
        "This page is made from the table in `node/daemon/config_keys.c`; a test holds the two\n"
        "together.\n",
        out);
    for (size_t i = 0; daemon_config_sections[i] != NULL; i++) {
        const char *section = daemon_config_sections[i];
        fprintf(out, "\n## [%s%s]\n\n%s\n", section, strcmp(section, "cloud") == 0 ? " NAME" : "",
                daemon_config_section_what(section));
        for (size_t j = 0; j < daemon_config_key_count; j++) {
            const struct daemon_config_key *key = &daemon_config_keys[j];
            char expected[256];
            if (strcmp(key->section, section) != 0)
                continue;
            daemon_config_value_expected(key, expected, sizeof expected);
            fprintf(out, "\n**%s**%s\n\n%s\n\nExpected: %s. Default: %s%s%s.\n", key->name,
                    key->reloadable ? " (live)" : "", key->what, expected,
                    key->standard[0] == '\0' ? "nothing" : "`", key->standard,
                    key->standard[0] == '\0' ? "" : "`");
        }
    }
}
