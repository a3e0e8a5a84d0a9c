// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SERVICE_OPTIONS_H
#define PNR_DAEMON_SERVICE_OPTIONS_H

// The command line of `pnrd service VERB [--name NAME | --pnrp-name] [options of pnrd]`.
//
// Options of pnrd go with `install` alone: they are kept in the service's command line, behind
// `pnrd service run --name NAME`, which is what the service manager starts.

#include "node/daemon/options.h"

#define DAEMON_SERVICE_OPTIONS_NAME "pnrd" // where none is told
// What programs of WCF's PeerResolver look for before they use peer names: a running service of
// this name, that of Windows' own PNRP.
#define DAEMON_SERVICE_OPTIONS_PNRP_NAME "pnrpsvc"
#define DAEMON_SERVICE_OPTIONS_NAME_MAX  64 // bytes
#define DAEMON_SERVICE_OPTIONS_WORDS_MAX 64 // of pnrd's own options

enum daemon_service_verb {
    DAEMON_SERVICE_INSTALL,
    DAEMON_SERVICE_UNINSTALL,
    DAEMON_SERVICE_START,
    DAEMON_SERVICE_STOP,
    DAEMON_SERVICE_STATUS,
    DAEMON_SERVICE_RELOAD,
    DAEMON_SERVICE_RUN, // by the service manager
    DAEMON_SERVICE_HELP,
};

// Texts are those of the command line.
struct daemon_service_options {
    enum daemon_service_verb verb;
    const char *name;
    bool purge; // uninstall: what the service has written goes too
    // pnrd's own options, as main() has them: words[0] is pnrd's name, words[word_count] NULL.
    char *words[DAEMON_SERVICE_OPTIONS_WORDS_MAX + 2];
    int word_count;
};

// Whether main()'s arguments are such a command line.
bool daemon_service_options_are(int argc, char **argv);

// False where the command line makes no sense, or one for a service could not be run as it stands:
// relative paths, what does not run a node. The error says why.
bool daemon_service_options_parse(int argc, char **argv, struct daemon_service_options *ret_options,
                                  struct daemon_error *ret_error);

void daemon_service_options_print_help(FILE *out);

#endif
