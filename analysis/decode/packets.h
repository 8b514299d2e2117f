/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What readers of one trace do not tell: packets that are missing at a stream's beginning or
 * end, and between the traces that hold parts of one stream (the archives of a rotated session).
 *
 * The packets of a stream are numbered from 0 (packet_seq_num in CTF 1.8). So all parts of a
 * stream together say what is missing, whichever folders they lie in.
 */
#ifndef IOASIS_ANALYSIS_PACKETS_H
#define IOASIS_ANALYSIS_PACKETS_H

#include <stdbool.h>

struct analysis;
struct packets;

/* NULL: out of memory. analysis is borrowed. */
struct packets *packets_create(struct analysis *analysis);
void packets_destroy(struct packets *packets);

/*
 * Reads the heads of the packets of the trace in folder. Notes nothing where its packets have no
 * numbers, or cannot be read by our own reader.
 */
void packets_add(struct packets *packets, const char *folder);

/* After the last trace, before its first event: tells the analysis what is missing. */
void packets_tell(struct packets *packets);

/*
 * Whether the packets of folder's metadata fill its file: babeltrace2 never comes back from
 * one that is cut off. True also for metadata that is plain text, or cannot be opened.
 */
bool packets_metadata_is_whole(const char *folder);

#endif
