/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The UUID of a written trace: pinned, so that equal runs give equal files. */
#ifndef IOASIS_SCENARIO_CTF_UUID_H
#define IOASIS_SCENARIO_CTF_UUID_H

#include <stdint.h>

/* The UUID (version 8 of RFC 9562: of our own making) of a name and two seeds. */
void ctf_uuid_derive(const char *name, uint64_t seed, uint64_t run_seed, uint8_t uuid[16]);

#define CTF_UUID_TEXT_BYTES 37u

/* As 8-4-4-4-12 hexadecimal digits. */
void ctf_uuid_print(const uint8_t uuid[16], char text[CTF_UUID_TEXT_BYTES]);

#endif
