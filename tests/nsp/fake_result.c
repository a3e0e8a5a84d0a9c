// SPDX-License-Identifier: MIT
// What a daemon's result looks like: apart from the daemon, for those who play the link.
#include "tests/nsp/fake_daemon.h"

#include <stdio.h>
#include <string.h>

const char *fake_daemon_result(char who, char mark, unsigned port, const char *event)
{
    static char fields[512];
    char publisher[17], marks[9], told[32] = "", endpoints[64] = "", source[32] = "";
    memset(publisher, who, 16);
    memset(marks, mark, 8);
    publisher[16] = marks[8] = '\0';
    if (event != NULL) {
        snprintf(told, sizeof told, "5:event%zu:%s", strlen(event), event);
    }
    if (event == NULL || strcmp(event, "gone") != 0) {
        snprintf(endpoints, sizeof endpoints, "9:endpointsld2:ip4:abcd4:porti%ue5:protoi6eee",
                 port);
        snprintf(source, sizeof source, "6:source3:dht");
    }
    snprintf(fields, sizeof fields, "d%s%s4:mark8:%s4:name6:0.name9:publisher16:%s%se", endpoints,
             told, marks, publisher, source);
    return fields;
}
