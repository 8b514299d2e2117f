/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another process as a client: its memory, what could be pinned of it, its
 * capabilities, limits and files. The client is a child that waits, and does on
 * request what the test asks of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/process/internal.h"
#include "sim/process/process.h"

#define PAGE ENGINE_PAGE_SIZE

/* Memory that both processes have at the same place, made before the fork. */
struct world {
	struct process_table *table;
	char *rw;     /* 4 private pages, then a hole */
	char *ro;     /* 1 page, read only */
	char *wo;     /* 1 page, PROT_WRITE alone */
	char *none;   /* 1 page, PROT_NONE */
	char *shared; /* 2 pages of memfd, twice: shared_again is the same memory */
	char *shared_again;
	char *file; /* 2 pages mapped of a file of one page */
	int memfd, eventfd;
	int memfd_path, memfd_read; /* memfd, opened with O_PATH and O_RDONLY */
	int to_child, from_child;
	pid_t pid;
	uint32_t thread; /* a second thread of the child */
};

/* An open file that only the second thread of the child has, at this number. */
#define FD_OF_THREAD 700

static void *thread_main(void *arg)
{
	uint32_t *tid = arg;
	int fd;

	unshare(CLONE_FILES);
	fd = memfd_create("thread", 0);
	dup2(fd, FD_OF_THREAD);
	close(fd);
	__atomic_store_n(tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	pause();
	return NULL;
}

/* The child: answers each byte after having done what it says. */
static void child_main(struct world *world, int in, int out)
{
	struct rlimit limit = { .rlim_cur = 64 * PAGE, .rlim_max = RLIM_INFINITY };
	uint32_t tid = 0, answer;
	pthread_t thread;
	char order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_create(&thread, NULL, thread_main, &tid);
	while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
		sched_yield();
	while (read(in, &order, 1) == 1) {
		answer = tid;
		switch (order) {
		case 'l': /* a limit of its own */
			getrlimit(RLIMIT_MEMLOCK, &limit);
			limit.rlim_cur = 3 * PAGE;
			setrlimit(RLIMIT_MEMLOCK, &limit);
			break;
		case 'x': { /* another program in the same process; it copies in to out */
			dup2(in, 0);
			dup2(out, 1);
			execlp("cat", "cat", NULL);
			_exit(1);
		}
		case 'w': /* looks at what was written into its memory */
			answer = (uint8_t)world->rw[5];
			break;
		}
		if (write(out, &answer, sizeof(answer)) < 0)
			break;
	}
	_exit(0);
}

static uint32_t ask(struct world *world, char order)
{
	uint32_t answer = 0;

	assert_int_equal(write(world->to_child, &order, 1), 1);
	assert_int_equal(read(world->from_child, &answer, sizeof(answer)), sizeof(answer));
	return answer;
}

static char *map(size_t pages, int prot, int flags, int fd)
{
	char *memory = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	int to[2], from[2], file;
	char name[] = "/tmp/ioasis-test-XXXXXX", path[32];

	world->table = process_table_create();
	world->rw = map(5, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	strcpy(world->rw, "hello");
	world->ro = map(1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	world->wo = map(1, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	world->none = map(1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	world->memfd = memfd_create("test", 0);
	assert_int_equal(ftruncate(world->memfd, 2 * PAGE), 0);
	world->shared = map(2, PROT_READ | PROT_WRITE, MAP_SHARED, world->memfd);
	world->shared_again = map(2, PROT_READ | PROT_WRITE, MAP_SHARED, world->memfd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", world->memfd);
	world->memfd_path = open(path, O_PATH);
	world->memfd_read = open(path, O_RDONLY);
	world->eventfd = eventfd(0, 0);
	file = mkstemp(name);
	unlink(name);
	assert_int_equal(ftruncate(file, PAGE), 0);
	world->file = map(2, PROT_READ, MAP_PRIVATE, file);
	munmap(world->rw + 4 * PAGE, PAGE); /* last, so that nothing else gets the hole */
	assert_int_equal(pipe(to) | pipe(from), 0);
	world->pid = fork();
	if (!world->pid) {
		close(to[1]);
		close(from[0]);
		child_main(world, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	close(file);
	world->to_child = to[1];
	world->from_child = from[0];
	world->thread = ask(world, 't');
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	kill(world->pid, SIGKILL);
	waitpid(world->pid, NULL, 0);
	process_table_destroy(world->table);
	close(world->to_child);
	close(world->from_child);
	close(world->memfd);
	close(world->memfd_path);
	close(world->memfd_read);
	close(world->eventfd);
	free(world);
	return 0;
}

static void begin(struct world *world, struct process_client *pc)
{
	assert_int_equal(process_client_init(pc, world->table, NULL, (uint32_t)world->pid, 0), 0);
}

static uint64_t at(const void *address)
{
	return (uint64_t)(uintptr_t)address;
}

static void test_memory_is_copied_both_ways(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	char text[6];

	begin(world, &pc);
	assert_int_equal(pc.client.pid, world->pid);
	assert_int_equal(pc.client.ops->copy_in(&pc.client, text, at(world->rw), 6), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(pc.client.ops->copy_out(&pc.client, at(world->rw) + 5, "!", 1), 0);
	process_client_fini(&pc);
	assert_int_equal(ask(world, 'w'), '!');
	assert_string_equal(world->rw, "hello"); /* ours is another copy */
}

static void test_protections_are_respected(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	char byte = 0;

	begin(world, &pc);
	assert_int_equal(pc.client.ops->copy_in(&pc.client, &byte, at(world->ro), 1), 0);
	assert_int_equal(pc.client.ops->copy_out(&pc.client, at(world->ro), &byte, 1), -EFAULT);
	assert_int_equal(pc.client.ops->copy_in(&pc.client, &byte, at(world->none), 1), -EFAULT);
	assert_int_equal(pc.client.ops->copy_in(&pc.client, &byte, 0, 1), -EFAULT);
	assert_int_equal(pc.client.ops->copy_in(&pc.client, &byte, UINT64_MAX, 1), -EFAULT);
	process_client_fini(&pc);
}

static void test_a_read_ends_where_the_memory_does(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	char buffer[64];

	begin(world, &pc);
	assert_int_equal(pc.client.ops->copy_in_some(&pc.client, buffer,
						     at(world->rw) + 4 * PAGE - 10, 64), 10);
	assert_int_equal(pc.client.ops->copy_in_some(&pc.client, buffer,
						     at(world->rw) + PAGE - 10, 64), 64);
	assert_int_equal(pc.client.ops->copy_in_some(&pc.client, buffer,
						     at(world->rw) + 4 * PAGE, 64), -EFAULT);
	assert_int_equal(pc.client.ops->copy_in(&pc.client, buffer,
						at(world->rw) + 4 * PAGE - 10, 64), -EFAULT);
	process_client_fini(&pc);
}

static void test_pins_follow_presence_and_permission(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	struct engine_mm *mm;

	begin(world, &pc);
	mm = pc.client.ops->mm_get(&pc.client);
	assert_non_null(mm);
	assert_int_equal(mm->ops->pin(mm, at(world->rw), 4, true, NULL), 4);
	assert_int_equal(mm->ops->pin(mm, at(world->rw) + 2 * PAGE, 8, true, NULL), 2);
	assert_int_equal(mm->ops->pin(mm, at(world->rw) + 4 * PAGE, 1, false, NULL), -EFAULT);
	assert_int_equal(mm->ops->pin(mm, at(world->ro), 1, false, NULL), 1);
	assert_int_equal(mm->ops->pin(mm, at(world->ro), 1, true, NULL), -EFAULT);
	assert_int_equal(mm->ops->pin(mm, at(world->wo), 1, false, NULL), -EFAULT);
	assert_int_equal(mm->ops->pin(mm, at(world->wo), 1, true, NULL), 1);
	assert_int_equal(mm->ops->pin(mm, at(world->none), 1, false, NULL), -EFAULT);
	assert_int_equal(mm->ops->pin(mm, at(world->file), 2, false, NULL), 1);
	assert_int_equal(mm->ops->pin(mm, at(world->file) + PAGE, 1, false, NULL), -EFAULT);
	assert_int_equal(mm->ops->pin(mm, UINT64_MAX - PAGE + 1, 2, false, NULL), -EFAULT);
	engine_mm_put(mm);
	process_client_fini(&pc);
}

/* As on a kernel before 6.11, where mappings are read as text. */
static void test_pins_are_the_same_without_maps_query(void **state)
{
	struct world *world = *state;
	struct engine_page by_query[2], by_text[2];
	struct process_client pc;
	struct engine_mm *mm;

	begin(world, &pc);
	mm = pc.client.ops->mm_get(&pc.client);
	assert_int_equal(mm->ops->pin(mm, at(world->shared), 2, true, by_query), 2);
	((struct process *)mm)->no_maps_query = true;
	assert_true(process_alive((struct process *)mm));
	assert_int_equal(mm->ops->pin(mm, at(world->shared), 2, true, by_text), 2);
	assert_memory_equal(by_query, by_text, sizeof(by_text));
	assert_int_equal(mm->ops->pin(mm, at(world->rw) + 2 * PAGE, 8, true, NULL), 2);
	assert_int_equal(mm->ops->pin(mm, at(world->rw) + 4 * PAGE, 1, false, NULL), -EFAULT);
	assert_int_equal(mm->ops->pin(mm, at(world->ro), 1, true, NULL), -EFAULT);
	assert_int_equal(mm->ops->pin(mm, at(world->file), 2, false, NULL), 1);
	kill(world->pid, SIGKILL);
	waitpid(world->pid, NULL, 0);
	assert_false(process_alive((struct process *)mm));
	engine_mm_put(mm);
	process_client_fini(&pc);
}

static void test_identities_are_of_pages_not_of_addresses(void **state)
{
	struct world *world = *state;
	struct engine_page pages[4], again[2], of_file[2];
	struct engine_file *file;
	struct process_client pc;
	struct engine_mm *mm;
	int err;

	begin(world, &pc);
	mm = pc.client.ops->mm_get(&pc.client);
	assert_int_equal(mm->ops->pin(mm, at(world->rw), 4, true, pages), 4);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(pages[i].object, pages[0].object);
		assert_int_equal(pages[i].index, pages[0].index + (uint64_t)i);
	}
	assert_int_equal(mm->ops->pin(mm, at(world->shared), 2, true, pages), 2);
	assert_int_equal(mm->ops->pin(mm, at(world->shared_again), 2, false, again), 2);
	assert_memory_equal(pages, again, sizeof(again));
	file = pc.client.ops->file_get(&pc.client, world->memfd, &err);
	assert_non_null(file);
	assert_int_equal(file->kind, ENGINE_FILE_MEMFD);
	assert_int_equal(file->ops->pin(file, 0, 2, true, of_file), 2);
	assert_memory_equal(pages, of_file, sizeof(of_file));
	assert_int_equal(file->ops->pin(file, 1, 2, true, NULL), 1);
	assert_int_equal(file->ops->pin(file, 2, 1, true, NULL), -EINVAL);
	/* The kernel pins no page that the file ends in. */
	assert_int_equal(ftruncate(world->memfd, PAGE + 100), 0);
	assert_int_equal(file->ops->pin(file, 0, 2, true, NULL), 1);
	assert_int_equal(file->ops->pin(file, 1, 1, true, NULL), -EINVAL);
	file->ops->free(file);
	engine_mm_put(mm);
	process_client_fini(&pc);
}

static void test_pinned_memory_is_read_and_written(void **state)
{
	struct world *world = *state;
	struct engine_file *file;
	struct process_client pc;
	struct engine_mm *mm;
	char text[8] = { 0 };
	int err;

	begin(world, &pc);
	mm = pc.client.ops->mm_get(&pc.client);
	assert_int_equal(mm->ops->write(mm, at(world->shared) + PAGE - 2, "dma", 3), 0);
	file = pc.client.ops->file_get(&pc.client, world->memfd, &err);
	assert_int_equal(file->ops->read(file, PAGE - 2, text, 3), 0);
	assert_string_equal(text, "dma");
	assert_int_equal(file->ops->write(file, PAGE, "x", 1), 0);
	assert_int_equal(mm->ops->read(mm, at(world->shared) + PAGE, text, 1), 0);
	assert_int_equal(text[0], 'x');
	assert_int_equal(file->ops->write(file, 2 * PAGE, "x", 1), -EFAULT);
	file->ops->free(file);
	/* A file that the client opened for reading is written, too. */
	file = pc.client.ops->file_get(&pc.client, world->memfd_read, &err);
	assert_non_null(file);
	assert_int_equal(file->ops->write(file, 7, "y", 1), 0);
	assert_int_equal(mm->ops->read(mm, at(world->shared) + 7, text, 1), 0);
	assert_int_equal(text[0], 'y');
	assert_int_equal(mm->ops->read(mm, at(world->rw) + 4 * PAGE, text, 1), -EFAULT);
	file->ops->free(file);
	engine_mm_put(mm);
	process_client_fini(&pc);
}

static void test_files_are_told_apart(void **state)
{
	struct world *world = *state;
	struct engine_file *file;
	struct process_client pc;
	int err = 0;

	begin(world, &pc);
	file = pc.client.ops->file_get(&pc.client, world->eventfd, &err);
	assert_non_null(file);
	assert_int_equal(file->kind, ENGINE_FILE_OTHER);
	assert_int_equal(file->ops->pin(file, 0, 1, false, NULL), -EINVAL);
	file->ops->free(file);
	assert_null(pc.client.ops->file_get(&pc.client, 900, &err));
	assert_int_equal(err, -EBADF);
	assert_null(pc.client.ops->file_get(&pc.client, -1, &err));
	assert_int_equal(err, -EBADF);
	assert_null(pc.client.ops->file_get(&pc.client, world->memfd_path, &err));
	assert_int_equal(err, -EBADF);
	process_client_fini(&pc);
}

static void test_threads_have_one_address_space(void **state)
{
	struct world *world = *state;
	struct process_client leader, thread;
	struct engine_mm *a, *b;

	begin(world, &leader);
	assert_int_equal(process_client_init(&thread, world->table, NULL, world->thread, 0), 0);
	assert_int_equal(thread.client.pid, world->pid);
	assert_int_equal(thread.client.tid, world->thread);
	a = leader.client.ops->mm_get(&leader.client);
	b = thread.client.ops->mm_get(&thread.client);
	assert_ptr_equal(a, b);
	engine_mm_put(a);
	engine_mm_put(b);
	process_client_fini(&thread);
	process_client_fini(&leader);
}

static void test_a_thread_may_have_files_of_its_own(void **state)
{
	struct world *world = *state;
	struct process_client leader, thread;
	int got;

	begin(world, &leader);
	assert_int_equal(process_client_init(&thread, world->table, NULL, world->thread, 0), 0);
	assert_int_equal(process_client_fd_get(&leader.client, FD_OF_THREAD), -EBADF);
	got = process_client_fd_get(&thread.client, FD_OF_THREAD);
	if (got < 0 && syscall(SYS_pidfd_open, world->thread, O_EXCL) < 0)
		print_message("# a kernel before 6.9 does not tell threads apart\n");
	else
		assert_true(got >= 0);
	if (got >= 0)
		close(got);
	process_client_fini(&thread);
	process_client_fini(&leader);
}

static void test_processes_have_different_address_spaces(void **state)
{
	struct world *world = *state;
	struct process_client child, ours;
	struct engine_page one, other;
	struct engine_mm *a, *b;

	begin(world, &child);
	assert_int_equal(process_client_init(&ours, world->table, NULL,
					     (uint32_t)syscall(SYS_gettid), 0), 0);
	a = child.client.ops->mm_get(&child.client);
	b = ours.client.ops->mm_get(&ours.client);
	assert_ptr_not_equal(a, b);
	assert_int_equal(a->ops->pin(a, at(world->rw), 1, true, &one), 1);
	assert_int_equal(b->ops->pin(b, at(world->rw), 1, true, &other), 1);
	assert_int_equal(one.index, other.index);
	assert_int_not_equal(one.object, other.object);
	engine_mm_put(a);
	engine_mm_put(b);
	process_client_fini(&ours);
	process_client_fini(&child);
}

static void test_exec_gives_a_new_address_space(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	struct engine_mm *before, *after;
	char byte = 'x', back[1];

	begin(world, &pc);
	before = pc.client.ops->mm_get(&pc.client);
	process_client_fini(&pc);
	assert_int_equal(write(world->to_child, &byte, 1), 1);
	byte = 'y'; /* cat sends it back: the new program runs */
	assert_int_equal(write(world->to_child, &byte, 1), 1);
	assert_int_equal(read(world->from_child, back, 1), 1);
	assert_int_equal(back[0], 'y');
	begin(world, &pc);
	after = pc.client.ops->mm_get(&pc.client);
	assert_ptr_not_equal(before, after);
	assert_int_equal(before->ops->pin(before, at(world->rw), 1, true, NULL), -EFAULT);
	assert_int_equal(before->ops->read(before, at(world->rw), back, 1), -EFAULT);
	engine_mm_put(before);
	engine_mm_put(after);
	process_client_fini(&pc);
}

static void test_an_ended_process_is_no_client(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	struct engine_mm *mm;
	char byte;

	begin(world, &pc);
	mm = pc.client.ops->mm_get(&pc.client);
	process_client_fini(&pc);
	kill(world->pid, SIGKILL);
	waitpid(world->pid, NULL, 0);
	assert_int_equal(process_client_init(&pc, world->table, NULL, (uint32_t)world->pid, 0),
			 -ESRCH);
	assert_int_equal(mm->ops->read(mm, at(world->rw), &byte, 1), -EFAULT);
	engine_mm_put(mm);
}

static void test_limits_are_those_of_the_moment(void **state)
{
	struct world *world = *state;
	struct process_client pc;

	ask(world, 'l');
	begin(world, &pc);
	assert_int_equal(pc.client.ops->memlock_limit(&pc.client), 3 * PAGE);
	process_client_fini(&pc);
}

static void test_capabilities_are_the_callers(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	char path[64], line[256];
	unsigned long long effective = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", world->pid);
	status = fopen(path, "r");
	while (fgets(line, sizeof(line), status))
		sscanf(line, "CapEff: %llx", &effective);
	fclose(status);
	begin(world, &pc);
	assert_int_equal(pc.client.ops->capable(&pc.client, ENGINE_CAP_IPC_LOCK),
			 effective >> CAP_IPC_LOCK & 1);
	assert_int_equal(pc.client.ops->capable(&pc.client, ENGINE_CAP_SYS_RESOURCE),
			 effective >> CAP_SYS_RESOURCE & 1);
	process_client_fini(&pc);
}

static void test_processes_have_names(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	char name[32];

	begin(world, &pc);
	process_client_fini(&pc);
	process_table_name(world->table, (uint32_t)world->pid, name, sizeof(name));
	assert_string_equal(name, "test_process");
	process_table_name(world->table, 1, name, sizeof(name));
	assert_string_equal(name, "?");
}

static void test_device_memory_is_never_pinned(void **state)
{
	struct process_table *table = process_table_create();
	struct process_client pc;
	struct engine_mm *mm;
	unsigned long long start = 0;
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "r");

	(void)state;
	while (fgets(line, sizeof(line), maps)) {
		if (strstr(line, "[vvar]"))
			start = strtoull(line, NULL, 16);
	}
	fclose(maps);
	if (!start)
		skip();
	assert_int_equal(process_client_init(&pc, table, NULL, (uint32_t)syscall(SYS_gettid), 0),
			 0);
	mm = pc.client.ops->mm_get(&pc.client);
	assert_int_equal(mm->ops->pin(mm, start, 1, false, NULL), -EFAULT);
	engine_mm_put(mm);
	process_client_fini(&pc);
	process_table_destroy(table);
}

/* More processes than the table keeps: one with mappings is still found as the same. */
static void test_a_process_in_use_is_not_forgotten(void **state)
{
	struct world *world = *state;
	struct process_client pc;
	struct engine_mm *mm, *again;
	pid_t others[200];

	begin(world, &pc);
	mm = pc.client.ops->mm_get(&pc.client);
	process_client_fini(&pc);
	for (int i = 0; i < 200; i++) {
		others[i] = fork();
		if (!others[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
		assert_int_equal(process_client_init(&pc, world->table, NULL, (uint32_t)others[i],
						     0), 0);
		process_client_fini(&pc);
	}
	begin(world, &pc);
	again = pc.client.ops->mm_get(&pc.client);
	assert_ptr_equal(mm, again);
	engine_mm_put(again);
	process_client_fini(&pc);
	engine_mm_put(mm);
	for (int i = 0; i < 200; i++) {
		kill(others[i], SIGKILL);
		waitpid(others[i], NULL, 0);
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A child that waits calls once; what that took. *mm: its address space, a reference. */
static uint64_t call_of_a_child_ns(struct process_table *table, struct engine_mm **mm)
{
	struct process_client pc;
	uint64_t start_ns;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	start_ns = now_ns();
	assert_int_equal(process_client_init(&pc, table, NULL, (uint32_t)pid, 0), 0);
	*mm = pc.client.ops->mm_get(&pc.client);
	process_client_fini(&pc);
	start_ns = now_ns() - start_ns;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return start_ns;
}

#define CHILDREN 2000
#define CHILDREN_TIMED 200

/* What has ended and left mappings behind costs those that come after it nothing. */
static void test_a_process_costs_the_same_after_thousands(void **state)
{
	struct process_table *table = process_table_create();
	static struct engine_mm *mm[CHILDREN];
	uint64_t first_ns = 0, last_ns = 0;

	(void)state;
	process_raise_file_limit();
	for (int i = 0; i < CHILDREN; i++) {
		uint64_t ns = call_of_a_child_ns(table, &mm[i]);

		assert_non_null(mm[i]);
		first_ns += i < CHILDREN_TIMED ? ns : 0;
		last_ns += i >= CHILDREN - CHILDREN_TIMED ? ns : 0;
	}
	printf("# %d calls took %" PRIu64 " ns, the last %" PRIu64 " ns\n", CHILDREN_TIMED,
	       first_ns, last_ns);
	assert_true(last_ns < 4 * first_ns);
	for (int i = 0; i < CHILDREN; i++)
		engine_mm_put(mm[i]);
	process_table_destroy(table);
}

/* As many files as there are processes, not as there were. */
static void test_processes_that_ended_are_forgotten(void **state)
{
	struct process_table *table = process_table_create();
	int lowest = dup(0), after;
	struct engine_mm *mm;

	(void)state;
	close(lowest);
	for (int i = 0; i < 300; i++) {
		call_of_a_child_ns(table, &mm);
		engine_mm_put(mm);
	}
	after = dup(0);
	close(after);
	assert_true(after - lowest < 32);
	process_table_destroy(table);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_memory_is_copied_both_ways),
		WITH_WORLD(test_protections_are_respected),
		WITH_WORLD(test_a_read_ends_where_the_memory_does),
		WITH_WORLD(test_pins_follow_presence_and_permission),
		WITH_WORLD(test_pins_are_the_same_without_maps_query),
		WITH_WORLD(test_identities_are_of_pages_not_of_addresses),
		WITH_WORLD(test_pinned_memory_is_read_and_written),
		WITH_WORLD(test_files_are_told_apart),
		WITH_WORLD(test_threads_have_one_address_space),
		WITH_WORLD(test_a_thread_may_have_files_of_its_own),
		WITH_WORLD(test_processes_have_different_address_spaces),
		WITH_WORLD(test_exec_gives_a_new_address_space),
		WITH_WORLD(test_an_ended_process_is_no_client),
		WITH_WORLD(test_limits_are_those_of_the_moment),
		WITH_WORLD(test_capabilities_are_the_callers),
		WITH_WORLD(test_processes_have_names),
		WITH_WORLD(test_a_process_in_use_is_not_forgotten),
		cmocka_unit_test(test_device_memory_is_never_pinned),
		cmocka_unit_test(test_processes_that_ended_are_forgotten),
		cmocka_unit_test(test_a_process_costs_the_same_after_thousands),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
