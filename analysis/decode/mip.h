/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two versions of babeltrace2's Message Interchange Protocol (MIP), behind one set of names.
 *
 * babeltrace2 2.0 speaks version 0, where traces and clocks have UUIDs. 2.1 adds version 1, where
 * they have UIDs, which are texts; live sessions in CTF 2 need it. A function of one version
 * aborts on objects of the other, so nothing else may ask for a UUID or a UID.
 */
#ifndef IOASIS_ANALYSIS_MIP_H
#define IOASIS_ANALYSIS_MIP_H

#include <babeltrace2/babeltrace.h>
#include <stdint.h>

#include "analysis/decode/uid.h"

/* The newest version that this program is built for. */
#ifdef IOASIS_BABELTRACE_2_1
#define MIP_NEWEST UINT64_C(1)
#else
#define MIP_NEWEST UINT64_C(0)
#endif

/* Room for an id as text. */
#define MIP_ID_BYTES UID_BYTES

/* The version for graphs of our own: the newest that both sides know. */
uint64_t mip_of_our_graphs(void);

/*
 * The UUID (32 hexadecimal digits) or UID (without its dashes, if it is a UUID as text) of a
 * trace or clock, written to id. NULL: it has none.
 */
const char *mip_trace_id(const bt_trace *trace, char id[MIP_ID_BYTES]);
const char *mip_clock_id(const bt_clock_class *clock, char id[MIP_ID_BYTES]);

/* Gives clock the origin and the identity of like, so that their times may be compared. */
void mip_clock_imitate(bt_clock_class *clock, const bt_clock_class *like);

#endif
