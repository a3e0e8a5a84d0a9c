// SPDX-License-Identifier: MIT
#include "nsp/setup/library.h"

#include "nsp/setup/system.h"

#include <string.h>

#define PE_OFFSET_AT    0x3C // where the offset of the signature stands
#define PE_HEADER_LEN   24   // signature, machine, ..., characteristics
#define MACHINE_X86     0x014C
#define MACHINE_X86_64  0x8664
#define IS_A_DLL        0x2000 // of the characteristics
#define MACHINE_AT      4
#define CHARACTERISTICS 22

static uint32_t read_u16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

int setup_library_check(const uint8_t *head, size_t head_len, enum setup_view view)
{
    if (head_len < PE_OFFSET_AT + 4 || memcmp(head, "MZ", 2) != 0) {
        return SETUP_CODE_NOT_LIBRARY;
    }
    size_t offset = read_u16(head + PE_OFFSET_AT) | read_u16(head + PE_OFFSET_AT + 2) << 16;
    if (offset > head_len || head_len - offset < PE_HEADER_LEN ||
        memcmp(head + offset, "PE\0\0", 4) != 0) {
        return SETUP_CODE_NOT_LIBRARY;
    }
    if ((read_u16(head + offset + CHARACTERISTICS) & IS_A_DLL) == 0) {
        return SETUP_CODE_NOT_LIBRARY;
    }
    uint32_t wanted = view == SETUP_VIEW_64 ? MACHINE_X86_64 : MACHINE_X86;
    return read_u16(head + offset + MACHINE_AT) == wanted ? 0 : SETUP_CODE_WRONG_BITS;
}
