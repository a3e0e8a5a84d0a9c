// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PLOT_H
#define PNR_SIMNET_PLOT_H

// The plots of a run: for each a data file NAME.dat, which is text in columns, and from it NAME.png
// and NAME.svg, drawn by gnuplot from plots.gp, which is left there for whoever wants them
// otherwise. The plots: latency, hops, messages, success, bytes, nodes. Those that have nothing to
// show are left out.

#include "simnet/report.h"

// Writes all into a folder that is there. False: ret_error says why in one line. Without gnuplot,
// or where that fails, the data is written, it is true, and ret_error says what is missing.
bool simnet_plot_write(const struct simnet_run *run, const char *folder,
                       char ret_error[SIMNET_REPORT_ERROR_MAX]);

#endif
