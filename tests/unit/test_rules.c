/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules over a trace: each shipped rule is held and broken; overlapping calls and
 * lost events never make a violation of what may have been right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/rules/rules.h"
#include "tests/model/seed.h"
#include "tests/unit/trace_feed.h"

static struct feed feed;
static struct rules *rules;

/* path: below the top of the tree. */
static void begin(const char *path)
{
	const char *top = getenv("TOP");
	struct rules_error error;
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", top ? top : ".", path);
	feed_init(&feed);
	rules = rules_create();
	if (rules_add(rules, full, &error))
		fail_msg("%s", error.text);
	assert_int_equal(rules_observe(rules, feed.analysis), 0);
}

/* An automaton written for one test. */
static void begin_text(const char *text)
{
	char path[] = "/tmp/ioasis-rule-XXXXXX";
	int fd = mkstemp(path);
	struct rules_error error;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	feed_init(&feed);
	rules = rules_create();
	if (rules_add(rules, path, &error))
		fail_msg("%s", error.text);
	unlink(path);
	assert_int_equal(rules_observe(rules, feed.analysis), 0);
}

static void end_as(enum check_verdict verdict)
{
	const struct check_finding *finding;
	const char *name;

	analysis_finish(feed.analysis, false);
	finding = rules_finding(rules, 0, &name);
	if (rules_verdict(rules) != verdict)
		fail_msg("verdict %d, not %d: %s", rules_verdict(rules), verdict,
			 finding ? finding->cause : "nothing found");
	rules_destroy(rules);
	feed_fini(&feed);
}

/* Ends with a violation whose guilty event is at time_ns, and says why. */
static void end_violated(int64_t time_ns, const char *cause)
{
	const struct check_finding *finding;
	const char *name;

	analysis_finish(feed.analysis, false);
	finding = rules_finding(rules, 0, &name);
	assert_non_null(finding);
	assert_int_equal(finding->verdict, VERDICT_VIOLATION);
	assert_int_equal(finding->witness[finding->witness_count - 1].time_ns, time_ns);
	assert_non_null(strstr(finding->cause, cause));
	rules_destroy(rules);
	feed_fini(&feed);
}

#define CALL(time_ns, call) \
	do { \
		struct event event_ = call; \
		feed_call(&feed, time_ns, &event_); \
	} while (0)

/* A backend that is connected and has address space 1. */
static void backend_with_ioas(void)
{
	CALL(10, feed_connect(1));
	CALL(30, feed_alloc_ioas(1, 0));
}

static void backend_with_two_mappings(void)
{
	backend_with_ioas();
	CALL(50, feed_map(1, 0x1000, 0x1000, 0));
	CALL(70, feed_map(1, 0x4000, 0x1000, 0));
}

/* ---- shipped rules ----------------------------------------------------------------- */

static void device_with_ioas(void)
{
	feed_commit(&feed, 10, TRACE_COMMIT_ALLOC, 1, 0, 0, TRACE_OBJ_IOAS, 0);
	feed_commit(&feed, 20, TRACE_COMMIT_ALLOC, 2, 0, 0, TRACE_OBJ_HWPT_PAGING, 1);
}

/* Its address space is mapped, and was attached to two devices, of which one is left. */
static void device_in_use(void)
{
	device_with_ioas();
	feed_commit(&feed, 30, TRACE_COMMIT_MAP, 1, 0x1000, 0x1fff, 3, 0);
	feed_commit(&feed, 40, TRACE_COMMIT_ATTACH, 2, 0, 0, 0, 9);
	feed_commit(&feed, 50, TRACE_COMMIT_ATTACH, 2, 0, 0, 0, 10);
	feed_commit(&feed, 60, TRACE_COMMIT_DETACH, 2, 0, 0, 0, 9);
}

static void test_map_before_attach(void **state)
{
	(void)state;
	begin("analysis/rules/map_before_attach.dot");
	device_with_ioas();
	feed_commit(&feed, 30, TRACE_COMMIT_MAP, 1, 0x1000, 0x1fff, 3, 0);
	feed_commit(&feed, 40, TRACE_COMMIT_ATTACH, 2, 0, 0, 0, 9);
	end_as(VERDICT_OK);
	begin("analysis/rules/map_before_attach.dot");
	device_with_ioas();
	feed_commit(&feed, 40, TRACE_COMMIT_ATTACH, 2, 0, 0, 0, 9);
	end_violated(40, "attach of ioas 1 in state empty; the rule allows map");
}

static void test_no_unmap_in_use(void **state)
{
	(void)state;
	begin("analysis/rules/no_unmap_in_use.dot");
	device_in_use();
	feed_commit(&feed, 70, TRACE_COMMIT_DETACH, 2, 0, 0, 0, 10);
	feed_commit(&feed, 80, TRACE_COMMIT_UNMAP, 1, 0x1000, 0x1fff, 0, 0x1000);
	end_as(VERDICT_OK);
	begin("analysis/rules/no_unmap_in_use.dot");
	device_in_use();
	feed_commit(&feed, 80, TRACE_COMMIT_UNMAP, 1, 0x1000, 0x1fff, 0, 0x1000);
	end_violated(80, "unmap of ioas 1 in state in_use");
}

static void test_connect_before_alloc(void **state)
{
	(void)state;
	begin("analysis/rules/connect_before_alloc.dot");
	backend_with_ioas();
	CALL(50, feed_connect(2));
	CALL(70, feed_disconnect(1));
	CALL(90, feed_alloc_ioas(2, 0));
	CALL(110, feed_disconnect(0));
	end_as(VERDICT_OK);
	begin("analysis/rules/connect_before_alloc.dot");
	CALL(10, feed_connect(1));
	CALL(30, feed_disconnect(0));
	CALL(50, feed_alloc_ioas(0, -9));
	end_violated(60, "alloc of the backend of process 100 in state closed");
	/* Never connected at all: the trace has the whole life of the backend. */
	begin("analysis/rules/connect_before_alloc.dot");
	CALL(50, feed_alloc_ioas(0, -9));
	end_violated(60, "in state closed; the rule allows connect");
}

static void test_dirty_on_before_read(void **state)
{
	(void)state;
	begin("analysis/rules/dirty_on_before_read.dot");
	device_with_ioas();
	feed_commit(&feed, 30, TRACE_COMMIT_DIRTY_SET, 2, 0, 0, 0, 1);
	feed_commit(&feed, 40, TRACE_COMMIT_DIRTY_READ, 2, 0, 0xfff, 0, 0);
	feed_commit(&feed, 50, TRACE_COMMIT_DIRTY_SET, 2, 0, 0, 0, 0);
	end_as(VERDICT_OK);
	begin("analysis/rules/dirty_on_before_read.dot");
	device_with_ioas();
	feed_commit(&feed, 30, TRACE_COMMIT_DIRTY_SET, 2, 0, 0, 0, 1);
	feed_commit(&feed, 50, TRACE_COMMIT_DIRTY_SET, 2, 0, 0, 0, 0);
	feed_commit(&feed, 60, TRACE_COMMIT_DIRTY_READ, 2, 0, 0xfff, 0, 0);
	end_violated(60, "dirty_read of hwpt 2 in state off");
}

static void test_free_after_unmap(void **state)
{
	(void)state;
	begin("analysis/rules/free_after_unmap.dot");
	backend_with_two_mappings();
	CALL(90, feed_unmap(1, 0x1000, 0x4000));
	CALL(110, feed_free(1));
	end_as(VERDICT_OK);
	begin("analysis/rules/free_after_unmap.dot");
	backend_with_two_mappings();
	CALL(90, feed_unmap(1, 0x1000, 0x1000));
	CALL(110, feed_free(1));
	end_violated(120, "free of a mapping of ioas 1 in state mapped; the rule allows unmap");
}

/* ---- overlapping calls ----------------------------------------------------------------- */

static const char map_then_unmap[] =
	"digraph x { object=ioas __init_a -> a a -> b [label=map] b -> c [label=unmap_none] }";

/* map and unmap_none of other addresses overlap: one order breaks the rule, one does not. */
static void test_rules_overlapping_calls_in_a_right_order_are_possible(void **state)
{
	struct event map = feed_map(1, 0x1000, 0x1000, 0);
	struct event unmap = feed_unmap(1, 0x9000, 0x1000);
	uint64_t map_op, unmap_op;

	(void)state;
	unmap.non_exist = true;
	begin_text(map_then_unmap);
	backend_with_ioas();
	map_op = feed_begin(&feed, 50, &map);
	unmap_op = feed_begin(&feed, 51, &unmap);
	feed_end(&feed, 60, unmap_op, &unmap);
	feed_end(&feed, 61, map_op, &map);
	end_as(VERDICT_POSSIBLE);
}

/* The map that would make it right never came back: it may have happened. */
static void test_rules_call_that_never_came_back_may_explain(void **state)
{
	struct event map = feed_map(1, 0x1000, 0x1000, 0);
	struct event unmap = feed_unmap(1, 0x9000, 0x1000);

	(void)state;
	unmap.non_exist = true;
	begin_text(map_then_unmap);
	backend_with_ioas();
	feed_begin(&feed, 50, &map);
	CALL(60, unmap);
	end_as(VERDICT_POSSIBLE);
}

/* The same one after the other: the order is certain. */
static void test_rules_calls_in_a_wrong_order_are_a_violation(void **state)
{
	struct event unmap = feed_unmap(1, 0x9000, 0x1000);

	(void)state;
	unmap.non_exist = true;
	begin_text(map_then_unmap);
	backend_with_ioas();
	CALL(50, unmap);
	CALL(70, feed_map(1, 0x1000, 0x1000, 0));
	end_violated(60, "unmap_none of ioas 1 in state a; the rule allows map");
}

/* No order of two overlapping calls is right: a violation, for all their overlapping. */
static void test_rules_overlapping_calls_in_no_right_order_are_a_violation(void **state)
{
	struct event a = feed_map(1, 0x1000, 0x1000, 0), b = feed_map(1, 0x4000, 0x1000, 0);
	uint64_t op_a, op_b;

	(void)state;
	begin_text(map_then_unmap);
	backend_with_ioas();
	op_a = feed_begin(&feed, 50, &a);
	op_b = feed_begin(&feed, 51, &b);
	feed_end(&feed, 60, op_b, &b);
	feed_end(&feed, 61, op_a, &a);
	end_as(VERDICT_VIOLATION);
}

/* ---- lost events -------------------------------------------------------------------------- */

static void test_rules_loss_that_may_hide_the_right_event_is_unknown(void **state)
{
	(void)state;
	begin("analysis/rules/connect_before_alloc.dot");
	CALL(10, feed_connect(1));
	CALL(30, feed_disconnect(0));
	feed_loss(&feed, 45, 48); /* a connect may have been there */
	CALL(50, feed_alloc_ioas(1, 0));
	end_as(VERDICT_UNKNOWN);
}

static void test_rules_gap_in_commits_is_unknown_and_none_is_a_violation(void **state)
{
	(void)state;
	begin("analysis/rules/dirty_on_before_read.dot");
	device_with_ioas();
	feed_commit_lost(&feed, 2);
	feed_commit(&feed, 40, TRACE_COMMIT_DIRTY_READ, 2, 0, 0xfff, 0, 0);
	end_as(VERDICT_UNKNOWN);
	/* Events were lost, but the numbers of this object have no gap. */
	begin("analysis/rules/dirty_on_before_read.dot");
	device_with_ioas();
	feed_loss(&feed, 21, 22);
	feed_commit(&feed, 40, TRACE_COMMIT_DIRTY_READ, 2, 0, 0xfff, 0, 0);
	end_as(VERDICT_VIOLATION);
}

static void not_violated(uint64_t round)
{
	const struct check_finding *finding;
	const char *name;

	for (size_t i = 0; (finding = rules_finding(rules, i, &name)); i++) {
		if (finding->verdict == VERDICT_VIOLATION)
			fail_msg("round %d: at %d: %s", (int)round, (int)finding->time_ns,
				 finding->cause);
	}
}

/* A right client, and events of it lost at random: never a violation. */
static void test_rules_right_client_with_events_lost_is_never_violated(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= 300; round++) {
		struct seed seed = { round };
		bool on = false;

		begin("analysis/rules/dirty_on_before_read.dot");
		device_with_ioas();
		for (int i = 0; i < 40; i++) {
			unsigned int kind = TRACE_COMMIT_DIRTY_READ;

			if (!on || seed_below(&seed, 3) == 0) {
				on = !on;
				kind = TRACE_COMMIT_DIRTY_SET;
			}
			if (seed_below(&seed, 4) == 0)
				feed_commit_lost(&feed, 2);
			else
				feed_commit(&feed, 100 + i, kind, 2, 0, 0xfff, 0, on);
		}
		analysis_finish(feed.analysis, false);
		not_violated(round);
		rules_destroy(rules);
		feed_fini(&feed);
	}
	for (uint64_t round = 1; round <= 300; round++) {
		struct seed seed = { round };
		uint64_t users = 0;

		begin("analysis/rules/connect_before_alloc.dot");
		for (int i = 0; i < 40; i++) {
			uint64_t what = users ? seed_below(&seed, 3) : 0;
			struct event call = what == 0 ? feed_connect(users + 1)
					  : what == 1 ? feed_disconnect(users - 1)
						      : feed_alloc_ioas(1, -12);

			users += what == 0;
			users -= what == 1;
			if (seed_below(&seed, 4) == 0)
				feed_loss(&feed, 100 + i * 20 - 5, 100 + i * 20 + 15);
			else
				feed_call(&feed, 100 + i * 20, &call);
		}
		analysis_finish(feed.analysis, false);
		not_violated(round);
		rules_destroy(rules);
		feed_fini(&feed);
	}
}

static void test_rules_loss_elsewhere_leaves_the_violation(void **state)
{
	(void)state;
	begin("analysis/rules/free_after_unmap.dot");
	feed_loss(&feed, 1, 5);
	backend_with_ioas();
	CALL(50, feed_map(1, 0x1000, 0x1000, 0));
	CALL(110, feed_free(1));
	end_as(VERDICT_VIOLATION);
}

static void test_rules_late_start_is_unknown(void **state)
{
	struct event dump = { .kind = EVENT_BE_STATE, .be = 1, .pid = FEED_PID, .fd = 5,
			      .users = 1, .time_ns = 70, .name = "state_begin" };

	(void)state;
	begin("analysis/rules/connect_before_alloc.dot");
	CALL(50, feed_alloc_ioas(1, 0)); /* before the dump tells that it is connected */
	analysis_event(feed.analysis, &dump);
	end_as(VERDICT_UNKNOWN);
}

/* ---- marked states --------------------------------------------------------------------------- */

static void test_rules_object_that_ends_unmarked_is_found(void **state)
{
	static const char text[] =
		"digraph x { object=ioas at_end=marked __init_a -> a a [shape=doublecircle]\n"
		"a -> b [label=map] b -> a [label=unmap] }";

	(void)state;
	begin_text(text);
	backend_with_ioas();
	CALL(50, feed_map(1, 0x1000, 0x1000, 0));
	CALL(70, feed_unmap(1, 0x1000, 0x1000));
	CALL(90, feed_free(1));
	end_as(VERDICT_OK);
	begin_text(text);
	backend_with_ioas();
	CALL(50, feed_map(1, 0x1000, 0x1000, 0));
	end_as(VERDICT_VIOLATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_before_attach),
		cmocka_unit_test(test_no_unmap_in_use),
		cmocka_unit_test(test_connect_before_alloc),
		cmocka_unit_test(test_dirty_on_before_read),
		cmocka_unit_test(test_free_after_unmap),
		cmocka_unit_test(test_rules_overlapping_calls_in_a_right_order_are_possible),
		cmocka_unit_test(test_rules_call_that_never_came_back_may_explain),
		cmocka_unit_test(test_rules_calls_in_a_wrong_order_are_a_violation),
		cmocka_unit_test(test_rules_overlapping_calls_in_no_right_order_are_a_violation),
		cmocka_unit_test(test_rules_loss_that_may_hide_the_right_event_is_unknown),
		cmocka_unit_test(test_rules_gap_in_commits_is_unknown_and_none_is_a_violation),
		cmocka_unit_test(test_rules_right_client_with_events_lost_is_never_violated),
		cmocka_unit_test(test_rules_loss_elsewhere_leaves_the_violation),
		cmocka_unit_test(test_rules_late_start_is_unknown),
		cmocka_unit_test(test_rules_object_that_ends_unmarked_is_found),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
