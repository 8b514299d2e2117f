/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client that would notice if a call reached another open file than the kernel would take,
 * or gave another answer. Each open file has address spaces of its own, numbered from 1: the
 * next number tells which open file a call was for.
 *
 *   ways_client walk SEED STEPS THREADS   threads open, dup, dup2, close, fork, call at random
 *   ways_client pass                      descriptors by fork, vfork, exec, SCM_RIGHTS
 *   ways_client answers                   bad arguments, descriptors, numbers
 *   ways_client alarms MS                 calls under a storm of signals
 *   ways_client child FD EXPECTED         what `pass` runs by exec
 *   ways_client wait                      calls without end (to be killed)
 *   ways_client quiet                     starts a shell that does nothing
 *   ways_client once                      one call: the number of its address space
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"

#define FILES_MAX 8

static _Noreturn void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static int device_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/iommu");
	return fd;
}

/* The number of a new address space; 0: refused. */
static uint32_t ioas_alloc(int fd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	return ioctl(fd, IOMMU_IOAS_ALLOC, &alloc) ? 0 : alloc.out_ioas_id;
}

static void expect(const char *what, long got, long wanted)
{
	if (got == wanted)
		return;
	printf("%s: %ld, not %ld\n", what, got, wanted);
	exit(1);
}

/* ---- walk ------------------------------------------------------------------------ */

struct walk {
	uint64_t random;
	unsigned int steps;
	int fds[FILES_MAX];	     /* -1: none */
	unsigned int file[FILES_MAX]; /* which open file each is of */
	uint32_t spaces[FILES_MAX];  /* of each open file */
	unsigned int calls;
};

static unsigned int draw(struct walk *walk, unsigned int n)
{
	walk->random ^= walk->random << 13;
	walk->random ^= walk->random >> 7;
	walk->random ^= walk->random << 17;
	return (unsigned int)(walk->random % n);
}

static bool is_used(const struct walk *walk, unsigned int file)
{
	for (unsigned int i = 0; i < FILES_MAX; i++) {
		if (walk->fds[i] >= 0 && walk->file[i] == file)
			return true;
	}
	return false;
}

static void walk_open(struct walk *walk, unsigned int at)
{
	unsigned int file = 0;

	if (walk->fds[at] >= 0)
		return;
	while (is_used(walk, file))
		file++;
	walk->fds[at] = device_open();
	walk->file[at] = file;
	walk->spaces[file] = 0;
}

static void walk_call(struct walk *walk, unsigned int at)
{
	if (walk->fds[at] < 0)
		return;
	expect("address space", ioas_alloc(walk->fds[at]), ++walk->spaces[walk->file[at]]);
	walk->calls++;
}

/* A child calls, closes what it has, and calls again; the parent's files stay. */
static void walk_fork(struct walk *walk, unsigned int at)
{
	int status;
	pid_t pid;

	if (walk->fds[at] < 0)
		return;
	pid = fork();
	if (!pid) {
		bool good = ioas_alloc(walk->fds[at]) == walk->spaces[walk->file[at]] + 1;
		int fresh;

		close(walk->fds[at]);
		good &= !ioas_alloc(walk->fds[at]) && errno == EBADF;
		fresh = open("/dev/iommu", O_RDWR);
		good &= ioas_alloc(fresh) == 1;
		_exit(!good);
	}
	walk->spaces[walk->file[at]]++;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("fork");
	expect("child", status, 0);
}

static void *walk_thread(void *opaque)
{
	struct walk *walk = opaque;

	for (unsigned int i = 0; i < walk->steps; i++) {
		unsigned int at = draw(walk, FILES_MAX), from = draw(walk, FILES_MAX);

		switch (draw(walk, 16)) {
		case 0 ... 2:
			walk_open(walk, at);
			break;
		case 3:
			if (walk->fds[at] >= 0)
				close(walk->fds[at]);
			walk->fds[at] = -1;
			break;
		case 4: /* past the C library */
			if (walk->fds[at] >= 0)
				syscall(SYS_close_range, walk->fds[at], walk->fds[at], 0);
			walk->fds[at] = -1;
			break;
		case 5:
			if (walk->fds[at] >= 0 || walk->fds[from] < 0)
				break;
			walk->fds[at] = fcntl(walk->fds[from], F_DUPFD_CLOEXEC, 0);
			walk->file[at] = walk->file[from];
			break;
		case 6 ... 7:
			if (at == from || walk->fds[at] < 0 || walk->fds[from] < 0)
				break;
			dup2(walk->fds[from], walk->fds[at]);
			walk->file[at] = walk->file[from];
			break;
		case 8:
			if (!draw(walk, 8))
				walk_fork(walk, at);
			break;
		default:
			walk_call(walk, at);
		}
	}
	return NULL;
}

static int walk_all(uint64_t seed, unsigned int steps, unsigned int count)
{
	struct walk walks[16] = { 0 };
	pthread_t threads[16];

	for (unsigned int i = 0; i < count; i++) {
		walks[i].random = (seed + 1) * 0x9e3779b97f4a7c15u + i;
		walks[i].steps = steps;
		for (unsigned int k = 0; k < FILES_MAX; k++)
			walks[i].fds[k] = -1;
		if (pthread_create(&threads[i], NULL, walk_thread, &walks[i]))
			fail("pthread_create");
	}
	for (unsigned int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	puts("ok");
	return 0;
}

/* ---- pass ------------------------------------------------------------------------ */

static void await(pid_t pid, const char *how)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail(how);
	expect(how, status, 0);
}

/* Calls often enough for any way to be taken. */
static void calls(int fd, uint32_t *spaces, unsigned int count)
{
	while (count--)
		expect("address space", ioas_alloc(fd), ++*spaces);
}

static void send_fd(int socket, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { "", 1 };
	struct msghdr message = { NULL, 0, &iov, 1, control.bytes, sizeof(control.bytes), 0 };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(socket, &message, 0) != 1)
		fail("sendmsg");
}

static int receive_fd(int socket)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { NULL, 0, &iov, 1, control.bytes, sizeof(control.bytes), 0 };
	int fd;

	if (recvmsg(socket, &message, 0) != 1)
		fail("recvmsg");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* A child of vfork() becomes program, which calls on. */
static void run_child(const char *program, int fd, uint32_t spaces)
{
	char number[16], next[16];
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	snprintf(next, sizeof(next), "%u", spaces);
	pid = vfork();
	if (!pid) {
		execl(program, program, "child", number, next, NULL);
		_exit(1);
	}
	await(pid, "exec");
}

static int pass(const char *program)
{
	int fd = device_open(), other = device_open(), sockets[2];
	uint32_t spaces = 0, others = 0;
	pid_t pid;

	calls(fd, &spaces, 100);
	calls(other, &others, 7);
	pid = fork();
	if (!pid) {
		calls(fd, &spaces, 50);
		dup2(other, fd);
		calls(fd, &others, 50);
		_exit(0);
	}
	await(pid, "fork");
	spaces += 50;
	others += 50;
	calls(fd, &spaces, 10);

	fcntl(fd, F_SETFD, 0);
	run_child(program, fd, spaces);
	spaces += 100;
	calls(fd, &spaces, 10);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		fail("socketpair");
	pid = fork();
	if (!pid) {
		close(fd);
		fd = receive_fd(sockets[1]);
		calls(fd, &spaces, 100);
		_exit(0);
	}
	send_fd(sockets[0], fd);
	close(fd); /* on its way, the descriptor is in nobody's table */
	await(pid, "SCM_RIGHTS");
	/* Ended with the last descriptor: a new one begins anew at that number. */
	expect("number", device_open(), fd);
	spaces = 0;
	calls(fd, &spaces, 10);
	calls(other, &others, 10);
	puts("ok");
	return 0;
}

/* ---- answers --------------------------------------------------------------------- */

static void show(const char *what, int fd, unsigned long cmd, void *arg)
{
	int rc = ioctl(fd, cmd, arg);

	printf("%s %d %s\n", what, rc, rc ? strerror(errno) : "");
}

static int answers(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 3 * (size_t)page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) }, *at;
	int fd = device_open(), null = open("/dev/null", O_RDWR), path = open("/dev/iommu", O_PATH);

	mprotect(pages + page, (size_t)page, PROT_NONE);
	mprotect(pages + 2 * page, (size_t)page, PROT_READ);
	for (int i = 0; i < 3; i++) { /* by whatever way it is then */
		show("good", fd, IOMMU_IOAS_ALLOC, &alloc);
		show("no argument", fd, IOMMU_IOAS_ALLOC, NULL);
		show("kernel address", fd, IOMMU_IOAS_ALLOC, (void *)-4096l);
		at = (void *)(pages + page - 4);
		memcpy(at, &alloc.size, 4);
		show("half there", fd, IOMMU_IOAS_ALLOC, at);
		show("read-only", fd, IOMMU_IOAS_ALLOC, pages + 2 * page);
		alloc.size = 4;
		show("short", fd, IOMMU_IOAS_ALLOC, &alloc);
		alloc.size = sizeof(alloc);
		alloc.flags = 1;
		show("flags", fd, IOMMU_IOAS_ALLOC, &alloc);
		alloc.flags = 0;
		show("no such command", fd, _IO(';', 0x7f), &alloc);
		show("another type", fd, _IO('<', 0x81), &alloc);
		show("with a direction", fd, _IOWR(';', 0x81, int), &alloc);
		show("high bits", fd, IOMMU_IOAS_ALLOC | 1ul << 40, &alloc);
		show("another file", null, IOMMU_IOAS_ALLOC, &alloc);
		show("a path", path, IOMMU_IOAS_ALLOC, &alloc);
		show("no file", 999, IOMMU_IOAS_ALLOC, &alloc);
		show("minus one", -1, IOMMU_IOAS_ALLOC, &alloc);
#ifdef __x86_64__
		{
			/* ioctl(2) of a 32-bit program, whose memory has low addresses. */
			struct iommu_ioas_alloc *low = mmap((void *)0x10000000, 4096,
							    PROT_READ | PROT_WRITE,
							    MAP_PRIVATE | MAP_ANONYMOUS |
								    MAP_FIXED,
							    -1, 0);
			long rc;

			*low = alloc;
			__asm__ volatile("int $0x80"
					 : "=a"(rc)
					 : "a"(54), "b"((long)fd), "c"(0x3b81l),
					   "d"((long)(uintptr_t)low)
					 : "memory", "r8", "r9", "r10", "r11");
			printf("compat %ld\n", (long)(int)rc);
		}
#endif
	}
	return 0;
}

/* ---- alarms ------------------------------------------------------------------------ */

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int under_alarms(int flags, double ms)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { 0 };
	int fd = device_open();
	uint32_t spaces = 0, interrupted = 0;
	double end = now_ms() + ms;

	alarms = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	while (now_ms() < end) {
		uint32_t id = ioas_alloc(fd);

		if (!id && errno == EINTR)
			interrupted++; /* and nothing was done */
		else
			expect("address space", id, ++spaces);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	expect("some alarms", alarms > 0, 1);
	printf("%s: interrupted %u\n", flags ? "restarted" : "not restarted", interrupted);
	fprintf(stderr, "# %u calls, %d alarms\n", spaces, (int)alarms);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "walk") && argc == 5)
		return walk_all(strtoull(argv[2], NULL, 0), (unsigned int)atoi(argv[3]),
				(unsigned int)atoi(argv[4]));
	if (!strcmp(what, "pass"))
		return pass(argv[0]);
	if (!strcmp(what, "answers"))
		return answers();
	if (!strcmp(what, "alarms") && argc == 3)
		return under_alarms(SA_RESTART, atoi(argv[2])) || under_alarms(0, atoi(argv[2]));
	if (!strcmp(what, "child") && argc == 4) {
		uint32_t spaces = (uint32_t)atoi(argv[3]);

		calls(atoi(argv[2]), &spaces, 100);
		return 0;
	}
	if (!strcmp(what, "quiet"))
		return system(":") != 0;
	if (!strcmp(what, "once")) {
		printf("%u\n", ioas_alloc(device_open()));
		return 0;
	}
	if (!strcmp(what, "wait")) {
		int fd = device_open();

		puts("ready");
		for (;;)
			ioas_alloc(fd);
	}
	return 1;
}
