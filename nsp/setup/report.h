// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_REPORT_H
#define PNR_NSP_SETUP_REPORT_H

// What pnrnsp-setup says: data on stdout, as lines or as JSON objects of which docs/nsp.md tells,
// and talk on stderr.

#include "nsp/setup/setup.h"

#define SETUP_REPORT_SCHEMA 1 // the version of the objects

// Whether the file of a catalog's entry is there.
typedef bool (*setup_report_exists)(enum setup_view view, const WCHAR *path);

// What an install or an uninstall did to each provider.
void setup_report_changes(const struct setup_run *run, bool json);

// What each provider's entry is, and what an uninstall would restore. Returns NOT_FOUND where one
// is not ours, ERROR where one of ours is disabled or its library is not there, else DONE.
enum setup_exit setup_report_status(const struct setup_run *run, bool json,
                                    setup_report_exists exists);

// What went wrong, in what state things are, and what can be done. path: the library that it is
// about, or NULL.
void setup_report_trouble(const struct setup_trouble *trouble, const WCHAR *path);

#endif
