// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_NAMES_H
#define PNR_CLI_NAMES_H

// Addresses as text, and hosts as the system looks them up.

#include <stddef.h>
#include <stdint.h>

#define CLI_NAMES_IP_TEXT_MAX 46 // bytes of an address as text, with its NUL

// Reads an IPv4 or IPv6 address. Returns its length in bytes, 4 or 16; 0 where text is none.
size_t cli_names_read_ip(const char *text, uint8_t ret_ip[16]);

// Writes an address of 4 or 16 bytes.
void cli_names_write_ip(const uint8_t *ip, size_t ip_len, char ret_text[CLI_NAMES_IP_TEXT_MAX]);

// Looks a host up. Returns NULL, with the first of its addresses, or why there is none.
const char *cli_names_find(const char *host, uint8_t ret_ip[16], size_t *ret_ip_len);

#endif
