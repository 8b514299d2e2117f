/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CTF 2 has UIDs, which are texts, where CTF 1.8 has UUIDs: one form of both. */
#ifndef IOASIS_ANALYSIS_UID_H
#define IOASIS_ANALYSIS_UID_H

#include <stddef.h>

/* Room for an id; a longer UID is cut. */
#define UID_BYTES 65u

/* Copies uid to id without the dashes that it has when it is the text of a UUID. */
static inline void uid_plain(const char *uid, char id[UID_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; uid[i] && n + 1 < UID_BYTES; i++) {
		if (uid[i] != '-' || (i != 8 && i != 13 && i != 18 && i != 23))
			id[n++] = uid[i];
	}
	id[n] = 0;
}

#endif
