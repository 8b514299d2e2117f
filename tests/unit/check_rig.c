/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/check_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

const struct maker_call alloc_ioas = { .op = OP_ALLOC_IOAS };

struct maker_call on_range(enum event_op op, uint64_t id, uint64_t iova, uint64_t size)
{
	return (struct maker_call){ .op = op, .id = id, .iova = iova, .size = size };
}

struct maker_call on_id(enum event_op op, uint64_t id)
{
	return (struct maker_call){ .op = op, .id = id };
}

void session_start(struct trace_maker *maker)
{
	maker_init(maker, false, 1);
	maker_connect(maker, 1, true, 5);
	maker_call(maker, alloc_ioas, 0, 1);
}

void session_end(struct trace_maker *maker)
{
	maker_call(maker, on_id(OP_FREE_ID, 1), 0, 0);
	maker_disconnect(maker, 0, -1);
}

void expect(struct trace_maker *maker, enum check_rule rule, enum check_verdict verdict,
		   const char *guilty)
{
	struct analysis *analysis;
	struct check *check = maker_play(maker, NULL, 0, &analysis);
	const struct check_finding *findings;
	size_t count;

	for (int i = 0; i < RULE_COUNT; i++)
		assert_string_equal(check_verdict_name(check_rule_verdict(check,
									  (enum check_rule)i)),
				    check_verdict_name(i == (int)rule ? verdict : VERDICT_OK));
	findings = check_findings(check, &count);
	if (verdict != VERDICT_OK) {
		assert_true(count >= 1);
		assert_true(findings[0].witness_count >= 1);
		assert_non_null(strstr(findings[0].witness[findings[0].witness_count - 1].text,
				       guilty));
	}
	assert_int_equal(check_exit_status(check), verdict == VERDICT_OK	  ? 0 :
						   verdict == VERDICT_VIOLATION ? 1 : 2);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(maker);
}

void expect_ok(struct trace_maker *maker)
{
	expect(maker, RULE_OVERLAP, VERDICT_OK, "");
}

void device_call(struct trace_maker *maker, struct maker_call call, uint64_t kind, uint64_t object,
		 uint64_t seq, uint64_t arg, uint64_t new_id)
{
	call.tid = MAKER_PID;
	maker_begin(maker, &call);
	maker_ioctl_begin(maker, &call);
	if (seq)
		maker_commit(maker, &call, kind, object, seq, arg);
	maker_ioctl_end(maker, &call, 0);
	maker_end(maker, &call, 0, new_id);
}

void device_start(struct trace_maker *maker)
{
	maker_init(maker, true, 1);
	maker_open(maker);
	maker_connect(maker, 1, true, 5);
	device_call(maker, alloc_ioas, TRACE_COMMIT_ALLOC, 1, 1, 0, 1);
}

void device_end(struct trace_maker *maker, uint64_t seq)
{
	device_call(maker, on_id(OP_FREE_ID, 1), TRACE_COMMIT_DESTROY, 1, seq, 0, 0);
	maker_disconnect(maker, 0, -1);
}
