// SPDX-License-Identifier: MIT
// The command line of pnrnsp-setup and the look at a DLL's first bytes: nsp/setup/options.h,
// library.h.
#include "nsp/setup/library.h"
#include "nsp/setup/options.h"
#include "nsp/setup/system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 8

struct words {
    WCHAR text[200];
    WCHAR *argv[WORDS_MAX];
    int argc;
};

// Splits a line at its blanks.
static void split(const char *line, struct words *ret_words)
{
    size_t len = strlen(line);
    ret_words->argc = 0;
    assert_true(len < 200);
    for (size_t i = 0; i <= len; i++) {
        ret_words->text[i] = (WCHAR)(line[i] == ' ' ? 0 : line[i]);
        if (i < len && (i == 0 || line[i - 1] == ' ')) {
            assert_true(ret_words->argc < WORDS_MAX);
            ret_words->argv[ret_words->argc++] = &ret_words->text[i];
        }
    }
}

// "install json dll=a dll32=b 64 32", as far as it is so.
static void describe(const struct setup_options *options, char *text, size_t text_len)
{
    static const char *const names[] = {"none", "install", "uninstall", "status"};
    char own[50] = "", narrow[50] = "";
    if (options->paths[SETUP_VIEW_64] != NULL) {
        setup_text_utf8(options->paths[SETUP_VIEW_64], own, sizeof own);
    }
    if (options->paths[SETUP_VIEW_32] != NULL) {
        setup_text_utf8(options->paths[SETUP_VIEW_32], narrow, sizeof narrow);
    }
    snprintf(text, text_len, "%s%s%s%s%s%s%s%s%s%s", names[options->command],
             options->help ? " help" : "", options->version ? " version" : "",
             options->json ? " json" : "", own[0] != '\0' ? " 64=" : "", own,
             narrow[0] != '\0' ? " 32=" : "", narrow, options->views[SETUP_VIEW_64] ? " 64" : "",
             options->views[SETUP_VIEW_32] ? " 32" : "");
}

static void command_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool is_64;
        const char *wanted; // or, of what makes no sense, a part of the sentence after a '!'
    } rows[] = {
        {"setup install", true, "install 64 32"},
        {"setup install", false, "install 32"},
        {"setup uninstall --json", true, "uninstall json 64 32"},
        {"setup --json status", true, "status json 64 32"},
        {"setup install --dll a.dll", true, "install 64=a.dll 64 32"},
        {"setup install --dll a.dll", false, "install 32=a.dll 32"},
        {"setup install --dll=a.dll --dll32=b.dll", true, "install 64=a.dll 32=b.dll 64 32"},
        {"setup install --only 64", true, "install 64"},
        {"setup uninstall --only=32", true, "uninstall 32"},
        {"setup status --only 32", false, "status 32"},
        {"setup -h", true, "none help 64 32"},
        {"setup /?", true, "none help 64 32"},
        {"setup help install", true, "install help 64 32"},
        {"setup install --help", true, "install help 64 32"},
        {"setup -V", true, "none version 64 32"},
        {"setup", true, "!which command?"},
        {"setup --json", true, "!which command?"},
        {"setup repair", true, "!there is no command 'repair'"},
        {"setup install status", true, "!'status' is one word too many"},
        {"setup install --quick", true, "!there is no option '--quick'"},
        {"setup install --json=1", true, "!there is no option '--json=1'"},
        {"setup install --dll", true, "!'--dll' takes a value"},
        {"setup install --dll=", true, "!'--dll' takes a value"},
        {"setup install --only 16", true, "!--only takes 64 or 32, not '16'"},
        {"setup install --only 64", false, "!a 32-bit pnrnsp-setup reaches"},
        {"setup install --dll32 b.dll", false, "!it is --dll here"},
        {"setup install --dll a.dll --only 32", true, "!leaves out the catalog"},
        {"setup status --dll a.dll", true, "!only install takes '--dll'"},
        {"setup uninstall --dll32 a.dll", true, "!only install takes '--dll32'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct words words;
        struct setup_options options;
        char why[SETUP_OPTIONS_WHY_MAX] = "";
        char text[200];
        bool refuses = rows[i].wanted[0] == '!';
        split(rows[i].line, &words);
        bool good = setup_options_parse(words.argc, words.argv, rows[i].is_64, &options, why);
        describe(&options, text, sizeof text);
        if (good == refuses || (good && strcmp(text, rows[i].wanted) != 0) ||
            (refuses && strstr(why, rows[i].wanted + 1) == NULL)) {
            fail_msg("%s: \"%s\" \"%s\"", rows[i].line, text, why);
        }
    }
}

static void put_u16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static void libraries(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *begin;
        unsigned offset; // of the signature
        const char *signature;
        unsigned machine;
        unsigned characteristics;
        size_t len;
        int wide, narrow; // the answer for each catalog
    } rows[] = {
        {"64 bits", "MZ", 0x80, "PE\0", 0x8664, 0x2022, 512, 0, SETUP_CODE_WRONG_BITS},
        {"32 bits", "MZ", 0x80, "PE\0", 0x014C, 0x2102, 512, SETUP_CODE_WRONG_BITS, 0},
        {"ARM", "MZ", 0x80, "PE\0", 0xAA64, 0x2022, 512, SETUP_CODE_WRONG_BITS,
         SETUP_CODE_WRONG_BITS},
        {"a program", "MZ", 0x80, "PE\0", 0x8664, 0x0022, 512, SETUP_CODE_NOT_LIBRARY,
         SETUP_CODE_NOT_LIBRARY},
        {"an ELF file",
         "\x7f"
         "ELF",
         0x80, "PE\0", 0x8664, 0x2022, 512, SETUP_CODE_NOT_LIBRARY, SETUP_CODE_NOT_LIBRARY},
        {"of 16 bits", "MZ", 0x80, "NE\0", 0x8664, 0x2022, 512, SETUP_CODE_NOT_LIBRARY,
         SETUP_CODE_NOT_LIBRARY},
        {"a header at the end", "MZ", 512 - 24, "PE\0", 0x8664, 0x2022, 512, 0,
         SETUP_CODE_WRONG_BITS},
        {"a header over the end", "MZ", 512 - 23, "PE\0", 0x8664, 0x2022, 512,
         SETUP_CODE_NOT_LIBRARY, SETUP_CODE_NOT_LIBRARY},
        {"a header far away", "MZ", 0xFFFFFFF8, "", 0x8664, 0x2022, 512, SETUP_CODE_NOT_LIBRARY,
         SETUP_CODE_NOT_LIBRARY},
        {"cut before the offset", "MZ", 0x80, "PE\0", 0x8664, 0x2022, 0x3F, SETUP_CODE_NOT_LIBRARY,
         SETUP_CODE_NOT_LIBRARY},
        {"empty", "", 0, "", 0, 0, 0, SETUP_CODE_NOT_LIBRARY, SETUP_CODE_NOT_LIBRARY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t whole[1024] = {0};
        memcpy(whole, rows[i].begin, strlen(rows[i].begin));
        put_u16(whole + 0x3C, rows[i].offset & 0xFFFF);
        put_u16(whole + 0x3E, rows[i].offset >> 16);
        if (rows[i].offset < 512) {
            memcpy(whole + rows[i].offset, rows[i].signature, strlen(rows[i].signature));
            put_u16(whole + rows[i].offset + 4, rows[i].machine);
            put_u16(whole + rows[i].offset + 22, rows[i].characteristics);
        }
        // Of its own length, so that a read behind it is seen.
        uint8_t *head = malloc(rows[i].len + 1);
        memcpy(head, whole, rows[i].len);
        head = realloc(head, rows[i].len != 0 ? rows[i].len : 1);
        int wide = setup_library_check(head, rows[i].len, SETUP_VIEW_64);
        int narrow = setup_library_check(head, rows[i].len, SETUP_VIEW_32);
        if (wide != rows[i].wide || narrow != rows[i].narrow) {
            fail_msg("%s: %d and %d", rows[i].name, wide, narrow);
        }
        free(head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines),
        cmocka_unit_test(libraries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
