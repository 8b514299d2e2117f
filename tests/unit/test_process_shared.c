/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pinned memory of a process that is gone. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/process/process.h"

#define BYTES (4 * ENGINE_PAGE_SIZE)

/* A child that waits to be killed. */
static pid_t child_start(void)
{
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void child_end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static struct engine_mm *mm_of(struct process_table *table, pid_t pid)
{
	struct process_client pc;
	struct engine_mm *mm;

	if (process_client_init(&pc, table, NULL, (uint32_t)pid, 0))
		return NULL;
	mm = pc.client.ops->mm_get(&pc.client);
	process_client_fini(&pc);
	return mm;
}

static void *memory(int flags)
{
	void *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	memset(at, 'x', BYTES);
	return at;
}

static void test_shared_memory_is_reached_through_another_process(void **state)
{
	struct process_table *table = process_table_create();
	char *shared = memory(MAP_SHARED), *own = memory(MAP_PRIVATE);
	uint64_t at = (uint64_t)(uintptr_t)shared + ENGINE_PAGE_SIZE;
	struct engine_mm *mm, *self;
	pid_t child = child_start();
	char data[8];

	(void)state;
	self = mm_of(table, getpid());
	mm = mm_of(table, child);
	assert_non_null(self);
	assert_non_null(mm);
	assert_int_equal(mm->ops->pin(mm, at, 2, true, NULL), 2);
	assert_int_equal(mm->ops->pin(mm, (uint64_t)(uintptr_t)own, 1, true, NULL), 1);
	child_end(child);

	strcpy(shared + ENGINE_PAGE_SIZE + 100, "shared");
	assert_int_equal(mm->ops->read(mm, at + 100, data, 7), 0);
	assert_string_equal(data, "shared");
	assert_int_equal(mm->ops->write(mm, at + 4090, "1234567890", 10), 0);
	assert_memory_equal(shared + ENGINE_PAGE_SIZE + 4090, "1234567890", 10);
	/* Private memory went with the process. */
	assert_int_equal(mm->ops->read(mm, (uint64_t)(uintptr_t)own, data, 4), -EFAULT);
	mm->ops->unpin(mm, at, 2);
	engine_mm_put(mm);
	engine_mm_put(self);
	process_table_destroy(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_memory_is_reached_through_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
