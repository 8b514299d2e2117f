/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/mip.h"

#include <stddef.h>

#define UUID_BYTES 16u

static const char *uuid_text(bt_uuid uuid, char id[MIP_ID_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	if (!uuid)
		return NULL;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		id[2 * i] = digits[uuid[i] >> 4];
		id[2 * i + 1] = digits[uuid[i] & 15];
	}
	id[2 * UUID_BYTES] = 0;
	return id;
}

#ifdef IOASIS_BABELTRACE_2_1

static const char *uid_text(const char *uid, char id[MIP_ID_BYTES])
{
	if (!uid)
		return NULL;
	uid_plain(uid, id);
	return id;
}

uint64_t mip_of_our_graphs(void)
{
	uint64_t library = bt_get_maximal_mip_version();

	return library < MIP_NEWEST ? library : MIP_NEWEST;
}

const char *mip_trace_id(const bt_trace *trace, char id[MIP_ID_BYTES])
{
	if (bt_trace_class_get_graph_mip_version(bt_trace_borrow_class_const(trace)))
		return uid_text(bt_trace_get_uid(trace), id);
	return uuid_text(bt_trace_get_uuid(trace), id);
}

const char *mip_clock_id(const bt_clock_class *clock, char id[MIP_ID_BYTES])
{
	if (bt_clock_class_get_graph_mip_version(clock))
		return uid_text(bt_clock_class_get_uid(clock), id);
	return uuid_text(bt_clock_class_get_uuid(clock), id);
}

static void imitate_identity(bt_clock_class *clock, const bt_clock_class *like)
{
	const char *uid = bt_clock_class_get_uid(like), *name = bt_clock_class_get_name(like);
	const char *space = bt_clock_class_get_namespace(like);

	if (space)
		bt_clock_class_set_namespace(clock, space);
	if (name)
		bt_clock_class_set_name(clock, name);
	if (uid)
		bt_clock_class_set_uid(clock, uid);
	if (bt_clock_class_origin_is_unix_epoch(like))
		bt_clock_class_set_origin_unix_epoch(clock);
	else if (bt_clock_class_origin_is_known(like))
		bt_clock_class_set_origin(clock, bt_clock_class_get_origin_namespace(like),
					  bt_clock_class_get_origin_name(like),
					  bt_clock_class_get_origin_uid(like));
	else
		bt_clock_class_set_origin_unknown(clock);
}

#else

uint64_t mip_of_our_graphs(void)
{
	return MIP_NEWEST;
}

const char *mip_trace_id(const bt_trace *trace, char id[MIP_ID_BYTES])
{
	return uuid_text(bt_trace_get_uuid(trace), id);
}

const char *mip_clock_id(const bt_clock_class *clock, char id[MIP_ID_BYTES])
{
	return uuid_text(bt_clock_class_get_uuid(clock), id);
}

#endif

void mip_clock_imitate(bt_clock_class *clock, const bt_clock_class *like)
{
#ifdef IOASIS_BABELTRACE_2_1
	if (bt_clock_class_get_graph_mip_version(like)) {
		imitate_identity(clock, like);
		return;
	}
#endif
	bt_clock_class_set_origin_is_unix_epoch(clock, bt_clock_class_origin_is_unix_epoch(like));
	if (bt_clock_class_get_uuid(like))
		bt_clock_class_set_uuid(clock, bt_clock_class_get_uuid(like));
}
