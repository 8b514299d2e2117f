/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What babeltrace2 does not tell: packets missing at a stream's beginning or
 * end, seen in the packet headers of LTTng's stream files.
 */
#ifndef IOASIS_ANALYSIS_PACKETS_H
#define IOASIS_ANALYSIS_PACKETS_H

struct analysis;

/*
 * Reads the packet headers of the stream files in folder (a CTF trace) and tells
 * the analysis of windows in which packets are missing. Does nothing where the
 * files are not LTTng-UST's.
 */
void packets_scan(struct analysis *analysis, const char *folder);

#endif
