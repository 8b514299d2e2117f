/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events by name: of ours and of QEMU's own tracing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/event_names.h"
#include "tests/unit/check_rig.h"

static void test_event_class_of_names(void **state)
{
	struct event_class class = event_class_find("iommufd_backend:unmap_dma_non_exist");

	(void)state;
	assert_int_equal(class.kind, EVENT_OP_END);
	assert_int_equal(class.op, OP_UNMAP_DMA);
	assert_true(class.non_exist);
	class = event_class_find("iommufd_backend:map_file_dma_begin");
	assert_int_equal(class.kind, EVENT_OP_BEGIN);
	assert_int_equal(event_field_offset(&class, "fd"), offsetof(struct event, file_fd));
	class = event_class_find("qemu:iommufd_backend_map_dma");
	assert_int_equal(class.kind, EVENT_OP_END);
	assert_true(class.qemu);
	assert_int_equal(event_field_offset(&class, "iommufd"), offsetof(struct event, fd));
	class = event_class_find("qemu:iommu_backend_set_fd");
	assert_int_equal(class.op, OP_SET_FD);
	assert_int_equal(event_class_find("qemu:something").kind, EVENT_OTHER);
	assert_int_equal(event_class_find("").kind, EVENT_OTHER);
	assert_string_equal(event_op_name(event_op_of_cmd(0x3b85)), "IOAS_MAP");
	assert_string_equal(event_op_name(event_op_of_cmd(0x3ba0)), "TEST_CMD");
	assert_string_equal(event_op_name(event_op_of_cmd(0x3b71)), "VFIO_IOMMU_MAP_DMA");
	assert_string_equal(event_op_name(event_op_of_cmd(0x1234)), "other ioctl");
}

/* ---- QEMU's own events ---------------------------------------------------------- */

/* It names no backend and no call, and ends calls only. */
static void qemu_event(struct trace_maker *maker, enum event_op op, int64_t fd, uint64_t id,
		       uint64_t iova, uint64_t size, int64_t ret)
{
	struct maker_call call = { .op = op, .tid = 300, .id = id, .iova = iova, .size = size };
	struct event *event;

	maker_end(maker, &call, ret, op == OP_ALLOC_IOAS ? id : 0);
	event = maker_last(maker);
	event->qemu = true;
	event->op_id = 0;
	event->be = 0;
	event->fd = fd;
	event->owned = 1;
	event->users = op == OP_CONNECT;
}

static void qemu_session(struct trace_maker *maker, bool twice)
{
	maker_init(maker, false, 1);
	qemu_event(maker, OP_CONNECT, 9, 0, 0, 0, 0);
	qemu_event(maker, OP_ALLOC_IOAS, 9, 2, 0, 0, 0);
	qemu_event(maker, OP_MAP_DMA, 9, 2, 0, PAGE, 0);
	if (twice)
		qemu_event(maker, OP_MAP_DMA, 9, 2, 0, PAGE, 0);
	qemu_event(maker, OP_UNMAP_DMA, 9, 2, 0, PAGE, 0);
	qemu_event(maker, OP_UNMAP_DMA, 9, 2, 0, PAGE, -1);
	maker_last(maker)->non_exist = true;
	qemu_event(maker, OP_FREE_ID, 9, 2, 0, 0, 0);
	qemu_event(maker, OP_DISCONNECT, -1, 0, 0, 0, 0);
}

static void test_check_qemu_clean_session_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	qemu_session(&maker, false);
	expect_ok(&maker);
}

static void test_check_qemu_double_map_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	qemu_session(&maker, true);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma");
}

/* What a session with one address space leaves undone, or does twice. */
enum mistake {
	NONE,
	LEFT,	     /* the address space with a mapping, at the last disconnect */
	FREED_TWICE, /* the address space */
};

/* ret: of the second free. */
static void qemu_mistake(struct trace_maker *maker, bool passed_in, enum mistake mistake,
			 int64_t ret)
{
	maker_init(maker, false, 1);
	if (passed_in)
		qemu_event(maker, OP_SET_FD, 9, 0, 0, 0, 0);
	qemu_event(maker, OP_CONNECT, 9, 0, 0, 0, 0);
	maker_last(maker)->owned = !passed_in;
	qemu_event(maker, OP_ALLOC_IOAS, 9, 2, 0, 0, 0);
	qemu_event(maker, OP_MAP_DMA, 9, 2, 0, PAGE, 0);
	if (mistake != LEFT) {
		qemu_event(maker, OP_UNMAP_DMA, 9, 2, 0, PAGE, 0);
		qemu_event(maker, OP_FREE_ID, 9, 2, 0, 0, 0);
	}
	if (mistake == FREED_TWICE)
		qemu_event(maker, OP_FREE_ID, 9, 2, 0, 0, ret);
	qemu_event(maker, OP_DISCONNECT, passed_in ? 9 : -1, 0, 0, 0, 0);
	maker_last(maker)->owned = !passed_in;
}

static void test_check_qemu_mistake_with_an_owned_fd_is_violation(void **state)
{
	struct trace_maker maker;

	(void)state;
	qemu_mistake(&maker, false, LEFT, 0);
	expect(&maker, RULE_LEAK, VERDICT_VIOLATION, "disconnect");
	for (int64_t ret = 0; ret >= -1; ret--) {
		qemu_mistake(&maker, false, FREED_TWICE, ret);
		expect(&maker, RULE_DOUBLE_FREE, VERDICT_VIOLATION, "free_id");
	}
}

/* Others who have the fd may have freed what was left, or made it again. */
static void test_check_qemu_mistake_with_a_passed_in_fd_is_unknown(void **state)
{
	struct trace_maker maker;

	(void)state;
	qemu_mistake(&maker, true, NONE, 0);
	expect_ok(&maker);
	qemu_mistake(&maker, true, LEFT, 0);
	expect(&maker, RULE_LEAK, VERDICT_UNKNOWN, "disconnect");
	for (int64_t ret = 0; ret >= -1; ret--) {
		qemu_mistake(&maker, true, FREED_TWICE, ret);
		expect(&maker, RULE_DOUBLE_FREE, VERDICT_UNKNOWN, "free_id");
	}
}

/* Two backends of one passed-in fd: each counts its own users. */
static void test_check_qemu_users_of_a_shared_fd_are_unknown(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	qemu_event(&maker, OP_SET_FD, 9, 0, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		qemu_event(&maker, OP_CONNECT, 9, 0, 0, 0, 0);
		maker_last(&maker)->owned = false;
	}
	qemu_event(&maker, OP_DISCONNECT, 9, 0, 0, 0, 0);
	expect(&maker, RULE_USERS, VERDICT_UNKNOWN, "connect");
}

/* What a newer QEMU calls otherwise, and what it did not have before. */
static void test_event_class_of_newer_qemu(void **state)
{
	static const struct {
		const char *name;
		enum event_op op;
	} rows[] = {
		{ "qemu:iommufd_change_process", OP_CHANGE_PROCESS },
		{ "qemu:iommufd_viommu_alloc_eventq", OP_ALLOC_VEVENTQ },
		{ "qemu:iommufd_backend_alloc_veventq", OP_ALLOC_VEVENTQ },
		{ "qemu:iommufd_backend_alloc_hw_queue", OP_ALLOC_HW_QUEUE },
		{ "qemu:iommufd_viommu_alloc_hw_queue", OP_ALLOC_HW_QUEUE },
		{ "qemu:iommufd_cdev_connect_and_bind", OP_BIND },
		{ "qemu:iommufd_cdev_attach_ioas_hwpt", OP_ATTACH },
		{ "qemu:iommufd_cdev_detach_ioas_hwpt", OP_DETACH },
	};
	struct event_class class;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		class = event_class_find(rows[i].name);
		assert_int_equal(class.kind, EVENT_OP_END);
		assert_int_equal(class.op, rows[i].op);
		assert_true(class.qemu);
		assert_int_equal(event_field_offset(&class, "iommufd"), offsetof(struct event, fd));
	}
	class = event_class_find("qemu:iommufd_viommu_alloc_eventq");
	assert_int_equal(event_field_offset(&class, "veventq_id"), offsetof(struct event, new_id));
	assert_int_equal(event_field_offset(&class, "viommu_id"), offsetof(struct event, id));
	class = event_class_find("qemu:iommufd_cdev_connect_and_bind");
	assert_int_equal(event_field_offset(&class, "devid"), offsetof(struct event, new_id));
	/* It repeats what the backend says. */
	assert_int_equal(event_class_find("qemu:iommufd_cdev_alloc_ioas").kind, EVENT_OTHER);
}

static void qemu_makes(struct trace_maker *maker, enum event_op op, uint64_t parent, uint64_t id)
{
	qemu_event(maker, op, 9, parent, 0, 0, 0);
	maker_last(maker)->new_id = id;
}

/* The nested session of a vIOMMU: each id that is freed was given out by a call of its own. */
static void test_check_qemu_nested_session_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	qemu_event(&maker, OP_CONNECT, 9, 0, 0, 0, 0);
	qemu_makes(&maker, OP_BIND, 0, 1);
	qemu_event(&maker, OP_ALLOC_IOAS, 9, 2, 0, 0, 0);
	qemu_makes(&maker, OP_ALLOC_HWPT, 2, 3);
	qemu_event(&maker, OP_ATTACH, 9, 3, 0, 0, 0);
	qemu_makes(&maker, OP_ALLOC_VIOMMU, 3, 4);
	qemu_makes(&maker, OP_ALLOC_VDEV, 4, 5);
	qemu_makes(&maker, OP_ALLOC_VEVENTQ, 4, 6);
	qemu_makes(&maker, OP_ALLOC_HW_QUEUE, 4, 7);
	for (uint64_t id = 7; id >= 2; id--)
		qemu_event(&maker, OP_FREE_ID, 9, id, 0, 0, 0);
	qemu_event(&maker, OP_DISCONNECT, -1, 0, 0, 0, 0);
	expect_ok(&maker);
}

/* A call of which this program knows nothing gave the id out: that it works proves it. */
static void test_check_qemu_id_of_a_call_not_known_is_unknown(void **state)
{
	struct trace_maker maker;

	(void)state;
	maker_init(&maker, false, 1);
	qemu_event(&maker, OP_CONNECT, 9, 0, 0, 0, 0);
	qemu_event(&maker, OP_FREE_ID, 9, 8, 0, 0, 0);
	qemu_event(&maker, OP_DISCONNECT, -1, 0, 0, 0, 0);
	expect(&maker, RULE_UNKNOWN_ID, VERDICT_UNKNOWN, "free_id");
}

static void qemu_quits(struct trace_maker *maker)
{
	maker_init(maker, false, 1);
	qemu_event(maker, OP_CONNECT, 9, 0, 0, 0, 0);
	qemu_event(maker, OP_ALLOC_IOAS, 9, 2, 0, 0, 0);
	qemu_event(maker, OP_MAP_DMA, 9, 2, 0, PAGE, 0);
}

/* QEMU leaves it to the kernel to free what it has. */
static void test_check_qemu_that_quits_with_mappings_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	qemu_quits(&maker);
	expect_ok(&maker);
}

/* ---- live update ------------------------------------------------------------------ */

#define OLD_PID 501u
#define NEW_PID 502u

/* Gives the events from index first on to process pid. */
static void of_process(struct trace_maker *maker, size_t first, uint32_t pid)
{
	for (size_t i = first; i < maker->count; i++)
		maker->events[i].pid = pid;
}

/* A new QEMU goes on with the file, the address space and the mappings of the old one. */
static void live_update(struct trace_maker *maker, bool tells)
{
	size_t first;

	qemu_quits(maker);
	of_process(maker, 0, OLD_PID);
	first = maker->count;
	qemu_event(maker, OP_CONNECT, 9, 0, 0, 0, 0);
	qemu_event(maker, OP_ATTACH, 9, 2, 0, 0, 0);
	if (tells)
		qemu_event(maker, OP_CHANGE_PROCESS, 9, 0, 0, 0, 0);
	qemu_event(maker, OP_MAP_DMA, 9, 2, PAGE, PAGE, 0);
	qemu_event(maker, OP_UNMAP_DMA, 9, 2, 0, PAGE, 0);
	qemu_event(maker, OP_UNMAP_DMA, 9, 2, PAGE, PAGE, 0);
	qemu_event(maker, OP_FREE_ID, 9, 2, 0, 0, 0);
	qemu_event(maker, OP_DISCONNECT, -1, 0, 0, 0, 0);
	of_process(maker, first, NEW_PID);
}

static void test_check_qemu_live_update_is_ok(void **state)
{
	struct trace_maker maker;

	(void)state;
	live_update(&maker, true);
	expect_ok(&maker);
}

/* The new process is judged by what it took over. */
static void test_check_qemu_mistake_after_live_update_is_violation(void **state)
{
	struct trace_maker maker;
	size_t first;

	(void)state;
	qemu_quits(&maker);
	of_process(&maker, 0, OLD_PID);
	first = maker.count;
	qemu_event(&maker, OP_CONNECT, 9, 0, 0, 0, 0);
	qemu_event(&maker, OP_CHANGE_PROCESS, 9, 0, 0, 0, 0);
	qemu_event(&maker, OP_ATTACH, 9, 2, 0, 0, 0);
	qemu_event(&maker, OP_MAP_DMA, 9, 2, 0, PAGE, 0);
	of_process(&maker, first, NEW_PID);
	expect(&maker, RULE_OVERLAP, VERDICT_VIOLATION, "map_dma");
}

/* Two strangers are not one VMM, whatever numbers they use. */
static void test_check_qemu_of_another_process_explains_nothing(void **state)
{
	struct trace_maker maker;
	struct analysis *analysis;
	struct check *check;

	(void)state;
	live_update(&maker, false);
	check = maker_play(&maker, NULL, 0, &analysis);
	assert_int_equal(check_verdict(check), VERDICT_UNKNOWN);
	check_destroy(check);
	analysis_destroy(analysis);
	maker_fini(&maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_class_of_names),
		cmocka_unit_test(test_check_qemu_clean_session_is_ok),
		cmocka_unit_test(test_check_qemu_double_map_is_violation),
		cmocka_unit_test(test_check_qemu_mistake_with_an_owned_fd_is_violation),
		cmocka_unit_test(test_check_qemu_mistake_with_a_passed_in_fd_is_unknown),
		cmocka_unit_test(test_check_qemu_users_of_a_shared_fd_are_unknown),
		cmocka_unit_test(test_event_class_of_newer_qemu),
		cmocka_unit_test(test_check_qemu_nested_session_is_ok),
		cmocka_unit_test(test_check_qemu_id_of_a_call_not_known_is_unknown),
		cmocka_unit_test(test_check_qemu_that_quits_with_mappings_is_ok),
		cmocka_unit_test(test_check_qemu_live_update_is_ok),
		cmocka_unit_test(test_check_qemu_mistake_after_live_update_is_violation),
		cmocka_unit_test(test_check_qemu_of_another_process_explains_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
