/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program does to the memory behind a BAR of `--device ram`:
 *
 *   bar_memory_client reopen GROUP BDF   maps a BAR, closes all, and opens again, many times:
 *                                        each time the group is free
 *   bar_memory_client cut                catches the file behind a BAR and cuts it short; then
 *                                        asks the device
 *   bar_memory_client registers          reads registers of vfio0, a ram, and vfio1, an edu, while
 *                                        signals come, and while their numbers change places
 */
#include <errno.h>
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "sim/vfio/abi.h"

#define TIMES 300
#define PAGE 4096u
#define BAR_BYTES (1u << 20)
#define BAR2 ((off_t)2 << SIM_VFIO_OFFSET_SHIFT)
#define FDS_TRIED 32
/* How often a BAR is mapped until its file is caught. */
#define CATCHES_TRIED 20000

/* include/uapi/linux/vfio.h */
#define GROUP_GET_STATUS _IO(';', 103)
#define GROUP_SET_CONTAINER _IO(';', 104)
#define GROUP_GET_DEVICE_FD _IO(';', 106)
#define SET_IOMMU _IO(';', 102)
#define STATUS_VIABLE 1u
#define TYPE1V2 3

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- reopen ---------------------------------------------------------------------------- */

static void use_group(const char *path, const char *bdf)
{
	struct {
		uint32_t argsz, flags;
	} status = { .argsz = sizeof(status) };
	int container = open("/dev/vfio/vfio", O_RDWR), group = open(path, O_RDWR), device;
	void *bar;

	if (container < 0 || group < 0)
		fail("open");
	if (ioctl(group, GROUP_GET_STATUS, &status))
		fail("GET_STATUS");
	if (!(status.flags & STATUS_VIABLE)) {
		printf("the group is in use\n");
		exit(1);
	}
	if (ioctl(group, GROUP_SET_CONTAINER, &container) || ioctl(container, SET_IOMMU, TYPE1V2))
		fail("SET_IOMMU");
	device = ioctl(group, GROUP_GET_DEVICE_FD, bdf);
	if (device < 0)
		fail("GET_DEVICE_FD");
	bar = mmap(NULL, BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, device, BAR2);
	if (bar == MAP_FAILED)
		fail("mmap");
	munmap(bar, BAR_BYTES);
	close(device);
	close(group);
	close(container);
}

/* ---- cut ------------------------------------------------------------------------------- */

static bool caught; /* __atomic */

static bool is_behind_a_bar(int fd)
{
	char path[64], name[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, name, sizeof(name) - 1);
	if (length < 0)
		return false;
	name[length] = '\0';
	return strstr(name, "memfd:");
}

/* The file has a number in this process for the moment in which a BAR is mapped. */
static void *catch(void *unused)
{
	(void)unused;
	for (int fd = 3; !__atomic_load_n(&caught, __ATOMIC_ACQUIRE);
	     fd = fd < FDS_TRIED ? fd + 1 : 3) {
		int ours = dup(fd);

		if (ours >= 0 && is_behind_a_bar(ours) && !ftruncate(ours, PAGE))
			__atomic_store_n(&caught, true, __ATOMIC_RELEASE);
		if (ours >= 0)
			close(ours);
	}
	return NULL;
}

static int open_bound(void)
{
	struct sim_vfio_bind bind = { .argsz = sizeof(bind) };
	int device = open("/dev/vfio/devices/vfio0", O_RDWR);

	bind.iommufd = open("/dev/iommu", O_RDWR);
	if (device < 0 || bind.iommufd < 0 || ioctl(device, SIM_VFIO_BIND, &bind))
		fail("BIND");
	return device;
}

static void cut(void)
{
	int device = open_bound();
	uint32_t word = 7, last = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, catch, NULL))
		fail("thread");
	for (int i = 0; i < CATCHES_TRIED && !__atomic_load_n(&caught, __ATOMIC_ACQUIRE); i++) {
		void *bar = mmap(NULL, BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, device, BAR2);

		if (bar == MAP_FAILED)
			fail("mmap");
		munmap(bar, BAR_BYTES);
	}
	printf("%s\n", __atomic_load_n(&caught, __ATOMIC_ACQUIRE) ? "cut" : "not caught");
	__atomic_store_n(&caught, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	/* Where the file has no page any more. */
	if (pwrite(device, &word, sizeof(word), BAR2 + 8 * PAGE) != sizeof(word) ||
	    pread(device, &last, sizeof(last), BAR2 + 8 * PAGE) != sizeof(last))
		fail("the BAR");
	printf("the BAR has %u\n", last);
	close(device);
	close(open_bound());
	printf("the device is there\n");
}

/* ---- registers -------------------------------------------------------------------------- */

#define RAM_ID 0x016d6172u
#define EDU_ID 0x010000edu
#define CONFIG ((off_t)SIM_VFIO_CONFIG << SIM_VFIO_OFFSET_SHIFT)

static volatile unsigned int signals;

static void on_alarm(int number)
{
	(void)number;
	signals++;
}

static int open_vfio(const char *path, int oflags, int iommu)
{
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = iommu };
	int device = open(path, oflags);

	if (device < 0 || ioctl(device, SIM_VFIO_BIND, &bind))
		fail(path);
	return device;
}

static void expect(int fd, off_t offset, size_t size, ssize_t result, uint32_t value)
{
	uint32_t got = 0;
	ssize_t n = pread(fd, &got, size, offset);

	if (n < 0)
		n = -errno;
	if (n != result || (n > 0 && got != value)) {
		printf("pread of %zu at 0x%llx: %zd (%s), 0x%x\n", size,
		       (unsigned long long)offset, n, n < 0 ? strerrorname_np((int)-n) : "ok", got);
		exit(1);
	}
}

/* All that a register can answer, and numbers that come to mean other files. */
static void registers_of(int ram, int edu, int write_only)
{
	void *nothing = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int spare = dup(ram), text = memfd_create("text", 0);

	if (text < 0 || write(text, "word", 4) != 4)
		fail("memfd");
	for (int i = 0; i < 50; i++) {
		expect(ram, 0, 4, 4, RAM_ID);
		expect(ram, 2, 2, 2, UINT16_MAX); /* it has words only */
		expect(edu, 0, 4, 4, EDU_ID);
		expect(ram, CONFIG, 4, 4, 0x11e91234);
		expect(ram, CONFIG + 4096, 4, -EFAULT, 0);
		expect(ram, (off_t)1 << SIM_VFIO_OFFSET_SHIFT, 4, -EINVAL, 0);
		expect(write_only, 0, 4, -EBADF, 0);
		expect(-1, 0, 4, -EBADF, 0);
		if (pread(ram, nothing, 4, 0) >= 0 || errno != EFAULT)
			fail("a bad address");
		dup2(edu, spare);
		expect(spare, 0, 4, 4, EDU_ID);
		dup2(text, spare);
		expect(spare, 0, 4, 4, 0x64726f77);
		dup2(ram, spare);
		expect(spare, 0, 4, 4, RAM_ID);
	}
}

static void registers(void)
{
	const struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
	int iommu = open("/dev/iommu", O_RDWR), ram, edu;

	if (iommu < 0)
		fail("/dev/iommu");
	ram = open_vfio("/dev/vfio/devices/vfio0", O_RDWR, iommu);
	edu = open_vfio("/dev/vfio/devices/vfio1", O_RDWR, iommu);
	registers_of(ram, edu, open("/dev/vfio/devices/vfio0", O_WRONLY));
	printf("as expected\n");
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 100000 && (i < 20000 || signals < 200); i++)
		expect(i & 1 ? ram : edu, 0, 4, 4, i & 1 ? RAM_ID : EDU_ID);
	setitimer(ITIMER_REAL, &never, NULL);
	printf("%s\n", signals >= 200 ? "no signal ended a read" : "no signals");
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "reopen")) {
		for (int i = 0; i < TIMES; i++)
			use_group(argv[2], argv[3]);
		printf("%d times\n", TIMES);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "cut")) {
		cut();
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "registers")) {
		registers();
		return 0;
	}
	fprintf(stderr, "usage: bar_memory_client reopen GROUP BDF | cut | registers\n");
	return 2;
}
