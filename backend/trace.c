/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/trace.h"

#include "backend/live.h"

bool call_begin(struct backend_call *call, bool wanted)
{
	state_check();
	call->op_id = 0;
	if (wanted || call->be->live)
		call->op_id = trace_number(call->be->trace, TRACE_NUMBER_CALL);
	return call->op_id;
}

uint32_t call_tid(const struct backend_call *call)
{
	return call->be->trace->tid(call->be->trace);
}

struct backend_live *call_live_lock(const struct backend_call *call)
{
	backend_live_lock(call->be->live);
	return call->be->live;
}

struct backend_live *call_live_lock_new(const struct backend_call *call, uint32_t id, int ret)
{
	struct backend_live *live = call_live_lock(call);

	if (live && !ret)
		backend_live_add_object(live, id);
	return live;
}
