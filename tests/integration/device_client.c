/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of a fake device, well-behaved and not: `device_client DEVICE WHAT [ARG]`.
 * Each WHAT is a row of the table at the end. Prints what the test script compares;
 * exit status 0 when what should happen did, 77 when this system cannot do it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/engine/test_abi.h"
#include "sim/engine/vfio_abi.h"

#define CANNOT 77
#define DIE(...)                              \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr);          \
		exit(1);                      \
	} while (0)

static const char *device;

static int device_open(void)
{
	int fd = open(device, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		DIE("open %s: %s", device, strerror(errno));
	return fd;
}

static uint32_t ioas_alloc(int fd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc))
		DIE("IOAS_ALLOC: %s", strerror(errno));
	return alloc.out_ioas_id;
}

static int ioas_map(int fd, uint32_t ioas, void *memory, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = (uint64_t)(uintptr_t)memory,
		.length = length,
		.iova = iova,
	};

	return ioctl(fd, IOMMU_IOAS_MAP, &map) ? -errno : 0;
}

static int ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};

	return ioctl(fd, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

static int destroy(int fd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return ioctl(fd, IOMMU_DESTROY, &cmd) ? -errno : 0;
}

static void *some_memory(size_t length)
{
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);

	if (memory == MAP_FAILED)
		DIE("mmap: %s", strerror(errno));
	return memory;
}

static void say(const char *line)
{
	puts(line);
	fflush(stdout);
}

static const char *name_of(int err)
{
	return err ? strerrorname_np(-err) : "ok";
}

/* ---- well-behaved clients -------------------------------------------------------- */

/* What the file looks like and what it refuses. */
static int run_file(const char *arg)
{
	int fd = device_open(), err;
	struct stat st;
	char byte = 0;

	(void)arg;
	if (fstat(fd, &st))
		return 1;
	printf("mode %o\n", st.st_mode);
	printf("read %s\n", name_of(read(fd, &byte, 1) < 0 ? -errno : 0));
	printf("write %s\n", name_of(write(fd, &byte, 1) < 0 ? -errno : 0));
	printf("unknown number %s\n", name_of(ioctl(fd, _IO(';', 0x20), 1) ? -errno : 0));
	printf("null argument %s\n", name_of(ioctl(fd, IOMMU_IOAS_ALLOC, NULL) ? -errno : 0));
	err = ioctl(fd, _IOWR(';', 0x81, uint32_t), &(uint32_t[3]){ 12 }) ? -errno : 0;
	printf("with direction bits %s\n", name_of(err));
	err = ioctl(fd, FS_IOC_GETFLAGS, &(long){ 0 }) ? -errno : 0;
	printf("flags of a file %s\n", name_of(err));
	return 0;
}

/* Two descriptors by dup, one by fork, one passed over a socket: one state. */
static int run_share(const char *arg)
{
	int fd = device_open(), copy = dup(fd), sockets[2], status;
	uint32_t first = ioas_alloc(fd), second = ioas_alloc(copy);
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	pid_t pid;

	(void)arg;
	printf("ids %u %u\n", first, second);
	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		return 1;
	pid = fork();
	if (!pid) {
		int passed;

		/* The third id from the inherited file; the first freed through a passed one. */
		printf("child %u\n", ioas_alloc(fd));
		fflush(stdout);
		if (recvmsg(sockets[1], &message, 0) != 1)
			_exit(1);
		memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(passed));
		_exit(destroy(passed, first) ? 1 : 0);
	}
	CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &copy, sizeof(copy));
	if (sendmsg(sockets[0], &message, 0) != 1 || waitpid(pid, &status, 0) < 0)
		return 1;
	close(fd); /* copy keeps the state */
	printf("again %s\n", name_of(destroy(copy, first)));
	printf("other %s\n", name_of(destroy(copy, second)));
	return status;
}

/* One open file in a parent and its child: each maps memory of its own. */
static int run_fork_memory(const char *arg)
{
	int fd = device_open(), status;
	uint32_t ioas = ioas_alloc(fd);
	char *memory = some_memory(4096);
	pid_t pid;

	(void)arg;
	if (ioas_map(fd, ioas, memory, 0x1000, 4096))
		return 1;
	pid = fork();
	if (!pid)
		_exit(-ioas_map(fd, ioas, memory, 0x2000, 4096));
	if (waitpid(pid, &status, 0) < 0 || status)
		return 1;
	return ioas_unmap(fd, ioas, 0x1000, 0x2000) != 0;
}

static void *churn(void *arg)
{
	int fd = *(int *)arg;
	uint32_t ioas = ioas_alloc(fd);
	char *memory = some_memory(4096);

	for (int i = 0; i < 100; i++) {
		if (ioas_map(fd, ioas, memory, 0x10000, 4096) ||
		    ioas_unmap(fd, ioas, 0x10000, 4096))
			return arg;
	}
	munmap(memory, 4096);
	return destroy(fd, ioas) ? arg : NULL;
}

/* Many processes with many threads on one open file each. */
static int run_crowd(const char *arg)
{
	int processes = arg ? atoi(arg) : 8, failed = 0, status;

	for (int p = 0; p < processes; p++) {
		if (fork())
			continue;
		pthread_t threads[8];
		int fd = device_open();
		void *bad = NULL, *result;

		for (int t = 0; t < 8; t++)
			pthread_create(&threads[t], NULL, churn, &fd);
		for (int t = 0; t < 8; t++) {
			pthread_join(threads[t], &result);
			if (result)
				bad = result;
		}
		_exit(bad ? 1 : 0);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed ? 1 : 0;
}

/* Many open files at once, each with an address space. */
static int run_opens(const char *arg)
{
	int count = atoi(arg);

	for (int i = 0; i < count; i++) {
		int fd = open(device, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			DIE("open number %d: %s", i, strerror(errno));
		if (ioas_alloc(fd) != 1)
			return 1;
	}
	return 0;
}

/* close() and open() at once: the first file's objects are gone for the second. */
static int run_reopen(const char *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		int fd = device_open();

		if (ioas_alloc(fd) != 1)
			return 1;
		close(fd);
	}
	return 0;
}

/* 0 if no page of memory is pinned by anyone. Needs --test-ops. */
static int check_not_pinned(int fd, char *memory)
{
	struct iommu_test_cmd check = {
		.size = sizeof(check),
		.op = IOMMU_TEST_OP_MD_CHECK_REFS,
		.check_refs = { .uptr = (uint64_t)(uintptr_t)memory, .length = 4096 },
	};

	return ioctl(fd, IOMMU_TEST_CMD, &check);
}

/* Pins a page, closes, and opens again. */
static void *pin_and_reopen(void *bad)
{
	char *memory = some_memory(4096);

	for (int i = 0; i < 200; i++) {
		int fd = device_open();
		uint32_t ioas = ioas_alloc(fd);
		struct iommu_test_cmd mock = {
			.size = sizeof(mock), .op = IOMMU_TEST_OP_MOCK_DOMAIN, .id = ioas,
		};

		if (check_not_pinned(fd, memory) || ioctl(fd, IOMMU_TEST_CMD, &mock) ||
		    ioas_map(fd, ioas, memory, MOCK_APERTURE_START, 4096))
			__atomic_add_fetch((int *)bad, 1, __ATOMIC_RELAXED);
		close(fd);
	}
	return NULL;
}

static int run_reopen_pinned(const char *arg)
{
	pthread_t threads[4];
	int bad = 0;

	(void)arg;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, pin_and_reopen, &bad);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return bad != 0;
}

/* How each of ARG maps ended, for injected errors. */
static int run_maps(const char *arg)
{
	int fd = device_open(), count = atoi(arg);
	uint32_t ioas = ioas_alloc(fd);
	char *memory = some_memory(4096);

	for (int i = 0; i < count; i++)
		printf("%s%s", i ? " " : "",
		       name_of(ioas_map(fd, ioas, memory, 0x1000u * (unsigned int)(i + 1), 4096)));
	printf("\n");
	return 0;
}

/* ---- clients in trouble ---------------------------------------------------------- */

/* One call that no other client here makes, with what it ended in; the script makes it last. */
static int run_ranges(const char *arg)
{
	struct iommu_ioas_iova_ranges ranges = { .size = sizeof(ranges) };
	int fd = device_open(), err;

	(void)arg;
	ranges.ioas_id = ioas_alloc(fd);
	say("calling");
	err = ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &ranges) ? -errno : 0;
	say(name_of(err));
	return 0;
}

/* Maps something, says so, and leaves by being killed. */
static int run_hold(const char *arg)
{
	int fd = device_open();
	uint32_t ioas = ioas_alloc(fd);

	(void)arg;
	if (ioas_map(fd, ioas, some_memory(4096), 0x1000, 4096))
		return 1;
	say("holding");
	for (;;)
		pause();
}

static void on_signal(int signal)
{
	(void)signal;
}

/* Signals with a handler come while the call lasts: it must end as if they had not. */
static int run_signals(const char *arg)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerspec every = { .it_interval = { .tv_nsec = 5000000 },
				    .it_value = { .tv_nsec = 5000000 } };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int fd = device_open();
	timer_t timer;

	(void)arg;
	sigaction(SIGALRM, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, NULL, &timer) || timer_settime(timer, 0, &every, NULL))
		return CANNOT;
	say(name_of(ioctl(fd, IOMMU_IOAS_ALLOC, &alloc) ? -errno : 0));
	return 0;
}

/* Memory whose first touch waits for ever, by userfaultfd. NULL: not on this system. */
static void *endless_memory(size_t length)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *memory = some_memory(length);
	int control, fd;

	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fd < 0) {
		control = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
		fd = control < 0 ? -1 : ioctl(control, USERFAULTFD_IOC_NEW, O_CLOEXEC);
	}
	range.range.start = (uint64_t)(uintptr_t)memory;
	range.range.len = length;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		return NULL;
	return memory;
}

struct stuck_call {
	int fd;
	void *arg;
};

static void *call_stuck(void *opaque)
{
	struct stuck_call *call = opaque;

	ioctl(call->fd, IOMMU_IOAS_ALLOC, call->arg);
	return NULL;
}

/* ARG threads, each in a call whose argument is never there. */
static int run_stuck(const char *arg)
{
	int count = atoi(arg);
	struct stuck_call call = { .arg = endless_memory(4096), .fd = device_open() };
	pthread_attr_t attr;

	if (!call.arg)
		return CANNOT;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < count; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &attr, call_stuck, &call))
			return CANNOT;
	}
	say("stuck");
	for (;;)
		pause();
}

/* A call as a 32-bit program makes it (int 0x80), which the kernel's device does not know. */
static int run_compat(const char *arg)
{
#ifdef __x86_64__
	struct iommu_ioas_alloc *alloc = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long fd = device_open(), result = 54; /* ioctl of i386 */
	pid_t pid = fork();
	int status;

	(void)arg;
	if (pid) { /* a kernel without 32-bit programs kills the child */
		waitpid(pid, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT;
	}
	alloc->size = sizeof(*alloc);
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(fd), "c"((long)IOMMU_IOAS_ALLOC), "d"(alloc)
			 : "memory", "r8", "r9", "r10", "r11");
	if (result == -ENOSYS)
		_exit(CANNOT);
	say(name_of((int)result));
	_exit(0);
#else
	(void)arg;
	return CANNOT;
#endif
}

/* Mistakes that the device answers with an error. */
static int run_refused(const char *arg)
{
	int fd = device_open();
	uint32_t ioas = ioas_alloc(fd);
	char *memory = some_memory(8192);

	(void)arg;
	printf("map %s\n", name_of(ioas_map(fd, ioas, memory, 0x10000, 8192)));
	printf("half an unmap %s\n", name_of(ioas_unmap(fd, ioas, 0x10000, 4096)));
	printf("destroy %s\n", name_of(destroy(fd, ioas)));
	printf("again %s\n", name_of(destroy(fd, ioas)));
	printf("map %s\n", name_of(ioas_map(fd, ioas, memory, 0x10000, 4096)));
	close(fd);
	return 0;
}

/* VFIO's type 1 calls on the file: a part of a mapping is to go, then all. */
static int run_type1_partial(const char *arg)
{
	int fd = device_open();
	struct iommu_vfio_ioas space = {
		.size = sizeof(space), .ioas_id = ioas_alloc(fd), .op = IOMMU_VFIO_IOAS_SET,
	};
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)some_memory(8u << 20),
		.iova = 0x200000,
		.size = 8u << 20,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = 0x400000, .size = 2u << 20,
	};

	(void)arg;
	if (ioctl(fd, IOMMU_VFIO_IOAS, &space) || ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) ||
	    ioctl(fd, VFIO_IOMMU_MAP_DMA, &map))
		DIE("a mapping by type 1: %s", strerror(errno));
	printf("part %s\n", name_of(ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap)));
	unmap.flags = VFIO_DMA_UNMAP_FLAG_ALL;
	unmap.iova = unmap.size = 0;
	printf("all %s\n", name_of(ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap)));
	space.op = IOMMU_VFIO_IOAS_CLEAR;
	space.ioas_id = 0;
	if (ioctl(fd, IOMMU_VFIO_IOAS, &space))
		DIE("VFIO_IOAS: %s", strerror(errno));
	close(fd);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const char *arg);
} rows[] = {
	{ "compat", run_compat },
	{ "crowd", run_crowd },
	{ "file", run_file },
	{ "fork-memory", run_fork_memory },
	{ "hold", run_hold },
	{ "maps", run_maps },
	{ "opens", run_opens },
	{ "refused", run_refused },
	{ "ranges", run_ranges },
	{ "reopen", run_reopen },
	{ "reopen-pinned", run_reopen_pinned },
	{ "share", run_share },
	{ "signals", run_signals },
	{ "stuck", run_stuck },
	{ "type1-partial", run_type1_partial },
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return 3;
	device = argv[1];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(rows[i].name, argv[2]))
			return rows[i].run(argv[3]);
	}
	return 3;
}
