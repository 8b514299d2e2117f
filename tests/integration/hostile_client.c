/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that mean no good: hostile_client WHAT IOMMU [VFIO] [N]. Prints what it got.
 *
 *   keep IOMMU N       opens the device N times and maps each open file into itself
 *   keep-device IOMMU VFIO  the same with a bound VFIO device in its own iommufd
 *   own-page IOMMU VFIO  hands in a mapping of the VFIO file as an argument
 *   stuck IOMMU VFIO   hands in memory that never answers, and waits to be killed
 *   fill IOMMU WHAT    takes files, objects or mappings until it gets no more; prints how many,
 *                      and why there is an end
 *   crowd IOMMU N E    N calls at once whose memory never answers, of which E end: prints how many, why
 *   again IOMMU WHAT   fills, frees all, and fills again, until it is killed
 *   bind IOMMU VFIO    no harm: binds the device
 *   time IOMMU VFIO    no harm: opens, binds, asks and closes 200 times; prints the slowest
 *                      call in microseconds
 */
#include "ioasis/iommufd_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define VFIO_DEVICE_GET_INFO _IO(';', 107)
#define VFIO_DEVICE_BIND_IOMMUFD _IO(';', 118)

struct bind {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
};

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		printf("open %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static void map_file(int iommu, int file)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE,
		.fd = file,
		.length = PAGE,
	};

	if (ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc)) {
		printf("IOAS_ALLOC: %s\n", strerror(errno));
		exit(1);
	}
	map.ioas_id = alloc.out_ioas_id;
	if (ioctl(iommu, IOMMU_IOAS_MAP_FILE, &map)) {
		printf("MAP_FILE: %s\n", strerror(errno));
		exit(1);
	}
}

static void bind_device(int iommu, int vfio)
{
	struct bind bind = { .argsz = sizeof(bind), .iommufd = iommu };

	if (ioctl(vfio, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
		printf("BIND: %s\n", strerror(errno));
		exit(1);
	}
}

static int keep(const char *iommu, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = open_file(iommu);

		map_file(fd, fd);
		close(fd);
	}
	printf("done\n");
	return 0;
}

static int keep_device(const char *iommu_path, const char *vfio_path)
{
	int iommu = open_file(iommu_path), vfio = open_file(vfio_path);

	bind_device(iommu, vfio);
	map_file(iommu, vfio);
	printf("done\n");
	return 0;
}

static int own_page(const char *iommu_path, const char *vfio_path)
{
	int iommu = open_file(iommu_path), vfio = open_file(vfio_path);
	void *page;

	bind_device(iommu, vfio);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, vfio, 0);
	if (page == MAP_FAILED) {
		printf("mmap: refused\n");
		return 0;
	}
	printf("GET_INFO: %s\n", ioctl(vfio, VFIO_DEVICE_GET_INFO, page) ? strerror(errno) : "ok");
	printf("IOAS_ALLOC: %s\n", ioctl(iommu, IOMMU_IOAS_ALLOC, page) ? strerror(errno) : "ok");
	return 0;
}

struct stuck_call {
	int fd;
	unsigned int cmd;
	void *memory;
};

static void *stuck_main(void *opaque)
{
	const struct stuck_call *call = opaque;

	ioctl(call->fd, call->cmd, call->memory);
	return NULL;
}

/* A page that faults for ever; NULL: not for this user. */
static void *dead_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { .len = PAGE },
					 .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC), control;
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0) { /* /dev/userfaultfd, Linux 6.1, for those who may open it */
		control = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
		fd = control < 0 ? -1 : ioctl(control, USERFAULTFD_IOC_NEW, O_CLOEXEC);
	}
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return NULL;
	range.range.start = (uintptr_t)page;
	return ioctl(fd, UFFDIO_REGISTER, &range) ? NULL : page;
}

static int stuck(const char *iommu_path, const char *vfio_path)
{
	static struct stuck_call calls[20];
	int iommu = open_file(iommu_path), vfio = open_file(vfio_path);
	void *page = dead_page();
	pthread_t thread;

	if (!page)
		return 77;
	/* Every command of the two that reads an argument. */
	for (unsigned int i = 0; i < 20; i++) {
		calls[i] = (struct stuck_call){
			.fd = i % 2 ? iommu : vfio,
			.cmd = i % 2 ? _IO(';', 0x80 + i / 2) : _IO(';', 107 + i / 2),
			.memory = page,
		};
		pthread_create(&thread, NULL, stuck_main, &calls[i]);
	}
	printf("stuck\n");
	fflush(stdout);
	for (;;)
		pause();
}

/* One more of what; false with errno: no more. The first begins anew. */
static bool take(const char *path, const char *what, uint64_t n, int *fd)
{
	static struct iommu_ioas_alloc space;
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA,
		.user_va = (uintptr_t)page,
		.length = PAGE,
		.iova = (n + 1) * PAGE,
	};

	if (!n || !strcmp(what, "files"))
		*fd = open(path, O_RDWR | O_CLOEXEC);
	if (*fd < 0 || !strcmp(what, "files"))
		return *fd >= 0;
	if (!strcmp(what, "objects"))
		return !ioctl(*fd, IOMMU_IOAS_ALLOC, &alloc);
	if (!n) {
		space = alloc;
		if (ioctl(*fd, IOMMU_IOAS_ALLOC, &space))
			return false;
	}
	map.ioas_id = space.out_ioas_id;
	return !ioctl(*fd, IOMMU_IOAS_MAP, &map);
}

static int fill(const char *path, const char *what)
{
	uint64_t n = 0;
	int fd = -1;

	while (n < 10000000 && take(path, what, n, &fd))
		n++;
	printf("%" PRIu64 " %s\n", n, strerror(errno));
	return 0;
}

static _Noreturn void again(const char *path, const char *what)
{
	printf("filling\n");
	fflush(stdout);
	for (;;) {
		uint64_t n = 0;
		int fd = -1;

		while (take(path, what, n, &fd))
			n++;
		close(fd);
	}
}

struct crowd {
	int fd;
	void *memory;
	unsigned int ended[2]; /* with ENOMEM, with something else; __atomic */
};

static void *crowd_main(void *opaque)
{
	struct crowd *crowd = opaque;

	ioctl(crowd->fd, IOMMU_IOAS_ALLOC, crowd->memory);
	__atomic_add_fetch(&crowd->ended[errno != ENOMEM], 1, __ATOMIC_RELAXED);
	return NULL;
}

/* count calls on dead memory at once, of which `ended` end: prints how many did, and how. */
static int crowd_all(const char *path, int count, unsigned int ended)
{
	struct crowd crowd = { .fd = open_file(path), .memory = dead_page() };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct pollfd nothing = { .fd = -1 };
	pthread_t thread;

	if (!crowd.memory)
		return 77;
	for (int i = 0; i < count; i++)
		pthread_create(&thread, NULL, crowd_main, &crowd);
	for (int i = 0; i < 20000 && __atomic_load_n(&crowd.ended[0], __ATOMIC_RELAXED) < ended; i++)
		poll(&nothing, 1, 1);
	/* Whoever else would be refused would be by now: these are, one behind the other. */
	for (int i = 0; i < 1000; i++)
		ioctl(crowd.fd, IOMMU_IOAS_ALLOC, &alloc);
	printf("%u %u\n", crowd.ended[0], crowd.ended[1]);
	fflush(stdout);
	_exit(0);
}

static int bind_only(const char *iommu_path, const char *vfio_path)
{
	bind_device(open_file(iommu_path), open_file(vfio_path));
	printf("bound\n");
	return 0;
}

static uint64_t slowest_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Notes how long it has been since the last one. */
static void step(uint64_t *last_ns)
{
	uint64_t at_ns = now_ns();

	if (at_ns - *last_ns > slowest_ns)
		slowest_ns = at_ns - *last_ns;
	*last_ns = at_ns;
}

static int time_calls(const char *iommu_path, const char *vfio_path)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	uint32_t info[6] = { sizeof(info) };

	for (int i = 0; i < 200; i++) {
		uint64_t at_ns = now_ns();
		int iommu = open_file(iommu_path), vfio = open_file(vfio_path);

		step(&at_ns);
		bind_device(iommu, vfio);
		step(&at_ns);
		ioctl(vfio, VFIO_DEVICE_GET_INFO, info);
		step(&at_ns);
		ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc);
		step(&at_ns);
		close(vfio);
		close(iommu);
	}
	printf("%" PRIu64 "\n", slowest_ns / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 4 || (argc != 4) != !strcmp(argv[1], "crowd"))
		return 3;
	if (!strcmp(argv[1], "keep"))
		return keep(argv[2], atoi(argv[3]));
	if (!strcmp(argv[1], "keep-device"))
		return keep_device(argv[2], argv[3]);
	if (!strcmp(argv[1], "own-page"))
		return own_page(argv[2], argv[3]);
	if (!strcmp(argv[1], "stuck"))
		return stuck(argv[2], argv[3]);
	if (!strcmp(argv[1], "time"))
		return time_calls(argv[2], argv[3]);
	if (!strcmp(argv[1], "fill"))
		return fill(argv[2], argv[3]);
	if (!strcmp(argv[1], "again"))
		again(argv[2], argv[3]);
	if (!strcmp(argv[1], "crowd"))
		return crowd_all(argv[2], atoi(argv[3]), (unsigned int)atoi(argv[4]));
	if (!strcmp(argv[1], "bind"))
		return bind_only(argv[2], argv[3]);
	return 3;
}
