// SPDX-License-Identifier: MIT
#include "node/daemon/service.h"

// systemd does all of this, by the unit that was installed with pnrd.
int daemon_service_act(const struct daemon_service_options *options, daemon_service_fn run)
{
    static const char *const remedies[] = {
        [DAEMON_SERVICE_INSTALL] = "systemctl enable --now pnrd",
        [DAEMON_SERVICE_UNINSTALL] = "systemctl disable --now pnrd",
        [DAEMON_SERVICE_START] = "systemctl start pnrd",
        [DAEMON_SERVICE_STOP] = "systemctl stop pnrd",
        [DAEMON_SERVICE_STATUS] = "systemctl status pnrd",
        [DAEMON_SERVICE_RELOAD] = "systemctl reload pnrd",
        [DAEMON_SERVICE_RUN] = "systemctl start pnrd",
        [DAEMON_SERVICE_HELP] = "systemctl --help",
    };
    (void)run;
    fprintf(stderr, "pnrd: services are systemd's here; remedy: %s\n", remedies[options->verb]);
    return DAEMON_EXIT_FAILED;
}
