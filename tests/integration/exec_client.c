/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of /dev/iommu for tests of `ioasis exec`, built static and dynamic:
 * exec_client WHAT. Prints what it found; exit status 1 when a step failed.
 */
#include "ioasis/iommufd_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#define DEVICE "/dev/iommu"

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_result(int result)
{
	printf("%d %s\n", result, result ? strerror(errno) : "");
}

static int device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("open " DEVICE);
	return fd;
}

static uint32_t ioas_alloc(int fd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		fail("IOAS_ALLOC");
	return alloc.out_ioas_id;
}

static int destroy(int fd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return ioctl(fd, IOMMU_DESTROY, &cmd);
}

static int leak(void)
{
	static char buffer[8192] __attribute__((aligned(4096)));
	int fd = device_open();
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE,
		.ioas_id = ioas_alloc(fd),
		.user_va = (uintptr_t)buffer,
		.length = sizeof(buffer),
	};

	if (ioctl(fd, IOMMU_IOAS_MAP, &map))
		fail("IOAS_MAP");
	return 0;
}

static int ioas(void)
{
	int fd = device_open();

	if (destroy(fd, ioas_alloc(fd)))
		fail("DESTROY");
	puts("ok");
	return 0;
}

/* A fault queue: its number, flags, what read, write and poll say, and its end. */
static int queue(void)
{
	struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	int fd = device_open(), lowest = dup(0);
	char buf[sizeof(struct iommu_hwpt_pgfault)];
	struct pollfd p;

	close(lowest);
	if (ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc))
		fail("FAULT_QUEUE_ALLOC");
	printf("lowest %d\n", (int)alloc.out_fault_fd == lowest);
	printf("cloexec %d\n", fcntl((int)alloc.out_fault_fd, F_GETFD) == FD_CLOEXEC);
	printf("rdwr %d\n", (fcntl((int)alloc.out_fault_fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	printf("read %zd\n", read((int)alloc.out_fault_fd, buf, sizeof(buf)));
	p = (struct pollfd){ .fd = (int)alloc.out_fault_fd, .events = POLLIN | POLLOUT };
	poll(&p, 1, 0);
	printf("poll %#x\n", (unsigned int)p.revents);
	printf("busy %d\n", destroy(fd, alloc.out_fault_id) && errno == EBUSY);
	close((int)alloc.out_fault_fd);
	printf("destroy %d\n", destroy(fd, alloc.out_fault_id));
	return 0;
}

/* No free number: EMFILE, and the id is free again. */
static int full(void)
{
	struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	int fd = device_open();
	struct rlimit limit = { (rlim_t)fd + 1, (rlim_t)fd + 1 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		fail("setrlimit");
	print_result(ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc));
	printf("id %u\n", ioas_alloc(fd));
	return 0;
}

/* A structure that cannot be written: EFAULT, no file appears. */
static int read_only(void)
{
	static const struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	int fd = device_open(), before = dup(0), after;

	close(before);
	print_result(ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc));
	after = dup(0);
	printf("files %d\n", after - before);
	printf("id %u\n", ioas_alloc(fd));
	return 0;
}

static void *thread(void *opaque)
{
	int fd = *(int *)opaque, i;

	for (i = 0; i < 50; i++) {
		struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };

		if (ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc) || close((int)alloc.out_fault_fd) ||
		    destroy(fd, alloc.out_fault_id))
			return (void *)1;
	}
	return NULL;
}

static int threads(void)
{
	pthread_t id[8];
	int fd = device_open(), i, bad = 0;
	void *result;

	for (i = 0; i < 8; i++)
		pthread_create(&id[i], NULL, thread, &fd);
	for (i = 0; i < 8; i++) {
		pthread_join(id[i], &result);
		bad |= result != NULL;
	}
	printf("bad %d\n", bad);
	printf("id %u\n", ioas_alloc(fd));
	return bad;
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signo)
{
	(void)signo;
	alarms = 1;
}

/* A signal during a call that takes long (--delay) neither repeats nor breaks it. */
static int interrupted(void)
{
	struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { 0, 20000 } };
	int fd = device_open(), before = dup(0);

	close(before);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	printf("%d\n", ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc));
	printf("alarms %d files %d\n", (int)alarms, dup(0) - before);
	return 0;
}

/* Stays in a call for as long as --delay says. */
static int stay(void)
{
	struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	int fd = device_open();

	puts("calling");
	fflush(stdout);
	ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc);
	return 0;
}

/* Another file's ioctl of the same number is none of ours. */
static int other(void)
{
	struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	int null = open("/dev/null", O_RDWR);

	print_result(ioctl(null, IOMMU_FAULT_QUEUE_ALLOC, &alloc));
	print_result(ioctl(999, IOMMU_FAULT_QUEUE_ALLOC, &alloc));
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} rows[] = {
	{ "full", full },     { "interrupted", interrupted },
	{ "ioas", ioas },     { "leak", leak },
	{ "other", other },   { "queue", queue },
	{ "read-only", read_only }, { "stay", stay },
	{ "threads", threads },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(argv[1], rows[i].name))
			return rows[i].run();
	}
	fprintf(stderr, "usage: exec_client full|interrupted|ioas|leak|other|queue|read-only|"
			"stay|threads\n");
	return 3;
}
