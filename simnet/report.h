// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_REPORT_H
#define PNR_SIMNET_REPORT_H

// What is told of a run that has been finished (simnet_run_finish()): a page of text for people,
// JSON for programs (its schema is in docs/simulation.md), and a folder with both, with the data
// and the plots. The same run gives the same report, but for what it cost in real time and memory.

#include "simnet/run.h"

// What the run cost, as its caller has measured it.
struct simnet_report_cost {
    double wall_s;         // real time
    double cpu_s;          // of the process
    uint64_t memory_bytes; // that the simulation took at most, beyond the bare program
    const char *version;   // of the program
    const char *path;      // the scenario's file
};

void simnet_report_text(const struct simnet_run *run, const struct simnet_report_cost *cost,
                        FILE *out);
void simnet_report_json(const struct simnet_run *run, const struct simnet_report_cost *cost,
                        FILE *out);

#define SIMNET_REPORT_ERROR_MAX 512

// Makes the folder, or sees that it is there and can be written to: before the run. False:
// ret_error says why in one line.
bool simnet_report_make(const char *folder, char ret_error[SIMNET_REPORT_ERROR_MAX]);
// Writes report.txt, report.json, scenario.ini, and data and plots (simnet/plot.h) into a folder,
// made where it is not there. False: ret_error says why in one line. Where only the plots could not
// be drawn it is true, and ret_error says so; else that is empty.
bool simnet_report_folder(const struct simnet_run *run, const struct simnet_report_cost *cost,
                          const char *folder, char ret_error[SIMNET_REPORT_ERROR_MAX]);

// A whole number with commas: "1,234,567".
void simnet_report_number(uint64_t number, char ret_text[32]);
// Bytes with a unit: "12.3 kB".
void simnet_report_bytes(double bytes, char ret_text[32]);

// The traffic between two samples.
struct simnet_report_traffic {
    double node_minutes;
    double sent, received;             // packets
    double bytes_sent, bytes_received; // of UDP payload
};
struct simnet_report_traffic simnet_report_traffic(const struct simnet_run_sample *from,
                                                   const struct simnet_run_sample *to);

#endif
