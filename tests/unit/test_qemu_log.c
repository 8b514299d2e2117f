/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's log, in the forms of its versions; lines as Debian's QEMU 10.0.2 wrote them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "analysis/text/qemu_log.h"
#include "analysis/text/text_feed.h"

static char path[] = "/tmp/ioasis-log-XXXXXX";

static void write_log(const char *text)
{
	int fd = mkstemp(strcpy(path, "/tmp/ioasis-log-XXXXXX"));

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct qemu_log *open_log(const char *text)
{
	struct qemu_log *log = NULL;

	write_log(text);
	assert_int_equal(qemu_log_open(path, &log), 0);
	unlink(path);
	return log;
}

static const struct event *next_event(struct qemu_log *log)
{
	struct event_loss loss;
	struct event *event;

	assert_int_equal(qemu_log_next(log, &event, &loss), QEMU_LOG_EVENT);
	assert_true(event->qemu);
	return event;
}

static void assert_end(struct qemu_log *log)
{
	struct event_loss loss;
	struct event *event;

	assert_int_equal(qemu_log_next(log, &event, &loss), QEMU_LOG_END);
	qemu_log_close(log);
}

#define MAP "iommufd_backend_map_dma  iommufd=3 ioas=2 iova=0xfffc0000 size=0x40000 " \
	    "addr=0x7f24aee00000 readonly=1 (0)\n"

static void assert_map(const struct event *event)
{
	assert_int_equal(event->kind, EVENT_OP_END);
	assert_int_equal(event->op, OP_MAP_DMA);
	assert_int_equal(event->fd, 3);
	assert_int_equal(event->id, 2);
	assert_int_equal(event->iova, 0xfffc0000);
	assert_int_equal(event->last, 0xffffffff);
	assert_int_equal(event->size, 0x40000);
	assert_int_equal(event->vaddr, 0x7f24aee00000);
	assert_int_equal(event->readonly, 1);
	assert_int_equal(event->ret, 0);
}

static void test_qemu_log_prefix_of_10_has_thread_and_time(void **state)
{
	struct qemu_log *log = open_log("4242@1700000000.000600:" MAP "4243@1700000001.5:" MAP);
	const struct event *event = next_event(log);

	(void)state;
	assert_true(qemu_log_has_times(log));
	assert_map(event);
	assert_int_equal(event->time_ns, 1700000000000600000);
	assert_int_equal(event->tid, 4242);
	assert_int_equal(event->pid, 4242);
	event = next_event(log);
	assert_int_equal(event->tid, 4243);
	assert_int_equal(event->pid, 4242);
	assert_end(log);
}

static void test_qemu_log_prefix_of_11_is_a_date(void **state)
{
	struct qemu_log *log = open_log("2026-11-28T13:04:30.000123Z " MAP
					"2026-11-28T13:04:31Z " MAP);
	const struct event *event = next_event(log);

	(void)state;
	assert_map(event);
	assert_int_equal(event->time_ns, 1795871070000123000);
	assert_int_equal(next_event(log)->time_ns, 1795871071000000000);
	assert_true(qemu_log_has_times(log));
	assert_end(log);
}

static void test_qemu_log_without_prefix_keeps_the_order(void **state)
{
	struct qemu_log *log = open_log("guest did something\n" MAP "\nanother line = (0)\n" MAP);
	int64_t first_ns = next_event(log)->time_ns;
	const struct event *second = next_event(log);

	(void)state;
	assert_false(qemu_log_has_times(log));
	assert_map(second);
	assert_true(second->time_ns > first_ns);
	assert_end(log);
}

static void test_qemu_log_time_never_goes_backwards(void **state)
{
	struct qemu_log *log = open_log("1@5.000002:" MAP "2@5.000001:" MAP);
	int64_t first_ns = next_event(log)->time_ns;

	(void)state;
	assert_int_equal(next_event(log)->time_ns, first_ns);
	assert_end(log);
}

static void test_qemu_log_events_have_the_fields_of_lttng(void **state)
{
	struct qemu_log *log = open_log(
		"iommu_backend_set_fd pre-opened /dev/iommu fd=22\n"
		"iommufd_backend_connect fd=22 owned=0 users=1\n"
		"iommufd_backend_alloc_ioas  iommufd=22 ioas=2\n"
		"iommufd_backend_alloc_hwpt  iommufd=22 dev_id=1 pt_id=2 flags=0x2 hwpt_type=0 len=0 "
		"data_ptr=0x0 out_hwpt=3 (0)\n"
		"iommufd_backend_set_dirty  iommufd=22 hwpt=3 enable=1 (0)\n"
		"iommufd_backend_map_file_dma  iommufd=22 ioas=2 iova=0x1000 size=0x2000 fd=9 start=0 "
		"readonly=0 (-1)\n"
		"iommufd_backend_unmap_dma_non_exist  Unmap nonexistent mapping: iommufd=22 ioas=2 "
		"iova=0x0 size=0xffffffffffffffff (-1)\n"
		"iommufd_backend_map_dma  iommufd=22 ioas=2 iova=0x0 size=0x1000 addr=(nil) "
		"readonly=0 (-1)\n"
		"iommufd_backend_free_id  iommufd=22 id=3 (0)\n"
		"iommufd_backend_disconnect fd=-1 users=0\n");
	const struct event *event = next_event(log);

	(void)state;
	assert_int_equal(event->op, OP_SET_FD);
	assert_int_equal(event->fd, 22);
	event = next_event(log);
	assert_int_equal(event->op, OP_CONNECT);
	assert_int_equal(event->users, 1);
	assert_int_equal(event->owned, 0);
	event = next_event(log);
	assert_int_equal(event->op, OP_ALLOC_IOAS);
	assert_int_equal(event->new_id, 2);
	event = next_event(log);
	assert_int_equal(event->op, OP_ALLOC_HWPT);
	assert_int_equal(event->new_id, 3);
	assert_int_equal(event->dev_id, 1);
	event = next_event(log);
	assert_int_equal(event->op, OP_SET_DIRTY);
	assert_int_equal(event->id, 3);
	assert_int_equal(event->start, 1);
	event = next_event(log);
	assert_int_equal(event->op, OP_MAP_FILE_DMA);
	assert_int_equal(event->file_fd, 9);
	assert_int_equal(event->fd, 22);
	assert_int_equal(event->ret, -1);
	event = next_event(log);
	assert_int_equal(event->op, OP_UNMAP_DMA);
	assert_true(event->non_exist);
	assert_int_equal(event->last, UINT64_MAX);
	event = next_event(log);
	assert_int_equal(event->vaddr, 0);
	assert_int_equal(event->ret, -1);
	event = next_event(log);
	assert_int_equal(event->op, OP_FREE_ID);
	assert_int_equal(event->ret, 0);
	event = next_event(log);
	assert_int_equal(event->op, OP_DISCONNECT);
	assert_int_equal(event->fd, -1);
	assert_end(log);
}

static void test_qemu_log_line_that_is_cut_is_lost(void **state)
{
	static const char *const bad[] = {
		"iommufd_backend_map_dma  iommufd=3 ioas=2 iova=0xff", /* QEMU was killed */
		"iommufd_bac",
		"",
		"iommufd_backend_map_dma  iommufd=3 ioas=2 iova=0x1000\n",   /* a part of it */
		"iommufd_backend_map_dma  iommufd=3 ioas=2 iova=iommufd_\n", /* two at once */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct event_loss loss;
		struct event *event;
		struct qemu_log *log;
		char text[512];

		snprintf(text, sizeof(text), "7@5.000002:%s7@6.000000:%s", MAP, bad[i]);
		log = open_log(text);
		next_event(log);
		assert_int_equal(qemu_log_next(log, &event, &loss), QEMU_LOG_LOSS);
		assert_int_equal(loss.events, 1);
		assert_int_equal(loss.first_ns, 5000002000);
		assert_true(loss.last_ns == 6000000000 || loss.last_ns == 5000002000);
		assert_end(log);
	}
}

static void test_qemu_log_of_something_else_is_none(void **state)
{
	struct qemu_log *log;

	(void)state;
	write_log("some text\nvfio_intx_enable  (0000:01:00.0)\n");
	assert_int_equal(qemu_log_open(path, &log), -ENODATA);
	unlink(path);
	assert_int_equal(qemu_log_open("/nonexistent", &log), -ENOENT);
}

static void test_text_feed_of_logs_without_times_is_refused(void **state)
{
	struct analysis *analysis = analysis_create();
	char *paths[] = { path, path };
	char error[512] = "";

	(void)state;
	write_log(MAP);
	assert_int_equal(text_feed(analysis, paths, 2, error, sizeof(error)), -EXDEV);
	assert_non_null(strstr(error, "-msg timestamp=on"));
	assert_int_equal(text_feed(analysis, paths, 1, error, sizeof(error)), 0);
	assert_int_equal(analysis_quality(analysis)->events_known, 1);
	unlink(path);
	analysis_destroy(analysis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qemu_log_prefix_of_10_has_thread_and_time),
		cmocka_unit_test(test_qemu_log_prefix_of_11_is_a_date),
		cmocka_unit_test(test_qemu_log_without_prefix_keeps_the_order),
		cmocka_unit_test(test_qemu_log_time_never_goes_backwards),
		cmocka_unit_test(test_qemu_log_events_have_the_fields_of_lttng),
		cmocka_unit_test(test_qemu_log_line_that_is_cut_is_lost),
		cmocka_unit_test(test_qemu_log_of_something_else_is_none),
		cmocka_unit_test(test_text_feed_of_logs_without_times_is_refused),
	};

	return cmocka_run_group_tests_name("qemu_log", tests, NULL, NULL);
}
