// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_NSP_PROGRAM_H
#define PNR_TESTS_NSP_PROGRAM_H

// A program with one lookup, of whatever source, and the link below it, which the test plays: what
// nsp_link_start() and nsp_link_cancel() do is here (LINKER:--wrap). What happens is a script of
// words, and most of these are the same for every source:
//
//   >..   Next returns this, as `check` has it; >N says a code, a letter of program_letter()
//   |..   Next with LUP_FLUSHPREVIOUS       <F  Next with too small a buffer
//   ?W    a poll says    aP arming says     *0 a completion has come with this; *- none has
//   l u m the daemon is lost; was never reached; memory was short           X   End

#include "nsp/lookup.h"
#include "tests/nsp/failing_memory.h"

struct nsp_link {
    int refuses;                     // what starting says
    unsigned started;                // requests
    struct nsp_link_request *search; // the last one that has an end of its own
    struct nsp_link_request *watch;  // the last one that stays
    bool search_cancelled;
    bool watch_cancelled;
};

struct program {
    struct nsp_link link;
    struct failing_memory memory;
    struct nsp_lookup_set set;
    struct nsp_lookup *lookup;
    HANDLE port; // of completions
    unsigned armed;
    union {
        WSAQUERYSETW set;
        uint8_t bytes[2048];
    } room; // that Next fills
    // Fails the test where what is in the room is not what a word says, without its sign.
    void (*check)(const struct program *program, const char *wanted);
};

// A program without a lookup; then one that is made, or made and begun, which both take the query.
void program_init(struct program *program,
                  void (*check)(const struct program *program, const char *wanted));
int program_make(struct program *program, const struct nsp_source *source, struct nsp_query *query);
void program_begin(struct program *program, const struct nsp_source *source,
                   struct nsp_query *query);
// Ends the lookup, whoever has ended it already, and checks that nothing of it is left.
void program_stop(struct program *program);

// What the program calls.
int program_next(struct program *program, DWORD flags, DWORD len);
int program_arm(struct program *program);
// What the next completion says: a letter; '-': there is none.
char program_completion(struct program *program);

// The letter of a code; '?': it has none.
char program_letter(int code);
void program_check_code(const char *what, int code, char wanted);
// Next returns what a word says, without its sign: one letter is a code.
void program_check_next(struct program *program, DWORD flags, const char *wanted);

// What the daemon says, to a request that has not ended.
struct pnr_event program_event(enum pnr_event_type type, const char *fields);
void program_tell(struct nsp_link_request *request, const struct pnr_event *event);
void program_lose(struct program *program, enum nsp_link_loss loss);

// Plays a word of those above. False for any other.
bool program_play(struct program *program, const char *word);
// Has each word of a script, separated by spaces, played.
void program_run(struct program *program, const char *script,
                 void (*play)(struct program *program, const char *word));

#endif
