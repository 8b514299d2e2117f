/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the checker share: sessions made by hand, and what is expected of them.
 * The backend is number 1, its fd 5, its address space 1.
 */
#ifndef IOASIS_TESTS_CHECK_RIG_H
#define IOASIS_TESTS_CHECK_RIG_H

#include "tests/unit/trace_maker.h"

#define PAGE 4096u

extern const struct maker_call alloc_ioas;

struct maker_call on_range(enum event_op op, uint64_t id, uint64_t iova, uint64_t size);
struct maker_call on_id(enum event_op op, uint64_t id);

/* A backend that is connected, with its address space; and the end of both. */
void session_start(struct trace_maker *maker);
void session_end(struct trace_maker *maker);

/* The same with the device's events. seq: of the commit that destroys the address space. */
void device_start(struct trace_maker *maker);
void device_end(struct trace_maker *maker, uint64_t seq);
/* A call that reaches the device, where it is a commit of this kind (seq 0: of none). */
void device_call(struct trace_maker *maker, struct maker_call call, uint64_t kind, uint64_t object,
		 uint64_t seq, uint64_t arg, uint64_t new_id);

/*
 * Plays the trace and frees it: it breaks this rule and no other, and its guilty call is the
 * last of the witness.
 */
void expect(struct trace_maker *maker, enum check_rule rule, enum check_verdict verdict,
	    const char *guilty);
void expect_ok(struct trace_maker *maker);

#endif
