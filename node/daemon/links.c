// SPDX-License-Identifier: MIT
#include "node/daemon/links.h"

#include "node/daemon/socket_addr.h"

void daemon_links_note(struct daemon_links_one *one, const void *sockaddr)
{
    struct dht_addr addr;
    if (!daemon_socket_addr_get(sockaddr, &addr))
        return;
    bool is_link_local = addr.ip_len == 16 && addr.ip[0] == 0xfe && (addr.ip[1] & 0xc0) == 0x80;
    addr.port = 0;
    if (addr.ip_len == 4 && one->addr4.ip_len == 0)
        one->addr4 = addr;
    else if (is_link_local && one->addr6.ip_len == 0)
        one->addr6 = addr;
}
