// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_PACKER_H
#define PNR_NSP_PACKER_H

// A result, written into the buffer that a program hands to Next: a WSAQUERYSETW at its beginning,
// and behind it all that it points to. Layouts are the compiler's, so a DLL of 32 bits packs what
// programs of 32 bits read.
//
// The program may have any buffer. Where it is not aligned the query set at its beginning is not
// either, but everything that it points to is: to 8 bytes, or less where the type needs less. The
// length that a result needs depends on the result and the mask alone, not on where the buffer
// lies, so a program that allocates what it was told once too few bytes does not fail again: room
// for the worst address is counted in.
//
// What a result has of what was asked for (LUP_RETURN_*):
//
//   always    dwSize, class, namespace, provider, output flags: a few bytes, and who reads what
//             NS_ALL finds needs to know whose it is
//   NAME      the name; of names also the cloud it was found in, as context
//   COMMENT   the comment, unit for unit; NULL where the publisher gives none
//   ADDR      each address twice over, as LocalAddr and RemoteAddr, of which some programs read
//             the one and some the other. Both point to one SOCKADDR
//   BLOB      of clouds a PNRPCLOUDINFO; of a name a PNRPINFO_V2, where the query was of the second
//             version of the class and the publisher has a payload; programs of the first version
//             take no blob

#include "nsp/query.h"
#include "nsp/result.h"

// Writes the result to buf. mask is that of nsp_query_mask(). Returns 0, and *len is as it was.
// WSAEFAULT: buf has less than is needed, *len bytes, or cannot be written to; then *len is what is
// needed, and nothing else was written.
int nsp_packer_pack(const struct nsp_result *result, const struct nsp_query *query, DWORD mask,
                    void *buf, DWORD *len);

#endif
