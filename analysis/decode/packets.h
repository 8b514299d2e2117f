/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What babeltrace2 does not tell: packets missing at a stream's beginning or
 * end, seen in the packet headers of LTTng's stream files.
 */
#ifndef IOASIS_ANALYSIS_PACKETS_H
#define IOASIS_ANALYSIS_PACKETS_H

#include <stdbool.h>

struct analysis;

/*
 * Reads the packet headers of the stream files in folder (a CTF trace) and tells
 * the analysis of windows in which packets are missing. Does nothing where the
 * files are not LTTng-UST's.
 */
void packets_scan(struct analysis *analysis, const char *folder);

/*
 * Whether the packets of folder's metadata fill its file: babeltrace2 never comes back from
 * one that is cut off. True also for metadata that is plain text, or cannot be opened.
 */
bool packets_metadata_is_whole(const char *folder);

#endif
