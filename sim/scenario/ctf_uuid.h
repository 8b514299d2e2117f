/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The UUID of a written trace: pinned, so that equal runs give equal files. */
#ifndef IOASIS_SCENARIO_CTF_UUID_H
#define IOASIS_SCENARIO_CTF_UUID_H

#include <stddef.h>
#include <stdint.h>

/* The UUID (version 8 of RFC 9562: of our own making) of a name and two seeds. */
void ctf_uuid_derive(const char *name, uint64_t seed, uint64_t run_seed, uint8_t uuid[16]);

/*
 * Puts uuid in place of the one that the trace in dir has: in `metadata` and in the
 * header of every packet. 0 or -errno with one line in error.
 */
int ctf_uuid_pin(const char *dir, const uint8_t uuid[16], char *error, size_t error_size);

#endif
