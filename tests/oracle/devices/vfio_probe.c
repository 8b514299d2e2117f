/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a VFIO PCI device, by its cdev, a fixed list of questions, and prints a line for each
 * answer: vfio_probe CDEV IOMMUFD. What Linux 7.3 answered for QEMU's edu and nvme lies
 * beside this file: probe-edu.txt, probe-nvme.txt.
 */
#include "tests/oracle/devices/vfio_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

struct probe probe;

const char *name_of(long rc)
{
	static char numbers[4][24];
	static unsigned int next;
	char *number = numbers[next++ % 4];

	if (rc < 0 && strerrorname_np((int)-rc))
		return strerrorname_np((int)-rc);
	snprintf(number, sizeof(numbers[0]), "%ld", rc);
	return number;
}

long call(int fd, unsigned int cmd, void *arg)
{
	long rc = ioctl(fd, cmd, arg);

	return rc < 0 ? -errno : rc;
}

long read_at(void *buf, size_t length, uint64_t offset)
{
	ssize_t n = pread(probe.vfio, buf, length, (off_t)offset);

	return n < 0 ? -errno : n;
}

long write_at(const void *buf, size_t length, uint64_t offset)
{
	ssize_t n = pwrite(probe.vfio, buf, length, (off_t)offset);

	return n < 0 ? -errno : n;
}

const char *map_result(const void *at)
{
	return at == MAP_FAILED ? strerrorname_np(errno) : "ok";
}

/* ---- opening and binding ------------------------------------------------------------- */

static void ask_before_bind(void)
{
	struct stat st;
	uint8_t b[256];
	long rc;
	void *at;

	fstat(probe.vfio, &st);
	printf("mode %o\n", st.st_mode & S_IFMT);
	for (unsigned int nr = 100; nr < 123; nr++) {
		memset(b, 0, sizeof(b));
		b[0] = 64;
		printf("before BIND nr %u = %s\n", nr, name_of(call(probe.vfio, _IO(';', nr), b)));
	}
	rc = read_at(b, 4, 0);
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, probe.vfio, 0);
	printf("before BIND pread %s mmap %s\n", name_of(rc), map_result(at));
}

static void ask_bind(const char *cdev)
{
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = -1 };
	int other;
	long rc;

	printf("BIND -1 = %s\n", name_of(call(probe.vfio, SIM_VFIO_BIND, &bind)));
	bind.iommufd = 0;
	printf("BIND stdin = %s\n", name_of(call(probe.vfio, SIM_VFIO_BIND, &bind)));
	bind.iommufd = 999;
	printf("BIND closed = %s\n", name_of(call(probe.vfio, SIM_VFIO_BIND, &bind)));
	bind.iommufd = probe.vfio;
	printf("BIND itself = %s\n", name_of(call(probe.vfio, SIM_VFIO_BIND, &bind)));
	bind.iommufd = probe.iommu;
	bind.argsz = 8;
	printf("BIND short = %s\n", name_of(call(probe.vfio, SIM_VFIO_BIND, &bind)));
	bind.argsz = sizeof(bind);
	bind.flags = 4;
	printf("BIND flags = %s\n", name_of(call(probe.vfio, SIM_VFIO_BIND, &bind)));
	bind.flags = 0;
	rc = call(probe.vfio, SIM_VFIO_BIND, &bind);
	printf("BIND = %s devid %u\n", name_of(rc), bind.out_devid);
	probe.devid = bind.out_devid;
	printf("BIND again = %s\n", name_of(call(probe.vfio, SIM_VFIO_BIND, &bind)));
	other = open(cdev, O_RDWR);
	printf("second open %s", other < 0 ? strerrorname_np(errno) : "ok");
	printf(" BIND %s\n", name_of(call(other, SIM_VFIO_BIND, &bind)));
	close(other);
}

/* ---- what it is ---------------------------------------------------------------------- */

static void print_caps(const uint8_t *b, uint32_t at, uint32_t end)
{
	while (at && at + 8 <= end) {
		const struct sim_vfio_cap_header *header = (const void *)(b + at);
		uint32_t to = header->next ? header->next : end;

		printf(" cap %u v%u:", header->id, header->version);
		for (uint32_t i = at + 8; i < to && i < at + 56; i += 4)
			printf(" %x", *(const uint32_t *)(const void *)(b + i));
		if (header->next <= at)
			break;
		at = header->next;
	}
}

static void ask_info(void)
{
	static const uint32_t sizes[] = { 0, 8, 15, 16, 20, 24, 64, 4096 };
	static _Alignas(8) uint8_t b[4096];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct sim_vfio_info *info = (void *)b;
		long rc;

		memset(b, 0, sizeof(b));
		info->argsz = sizes[i];
		rc = call(probe.vfio, SIM_VFIO_GET_INFO, b);
		printf("GET_INFO argsz %u = %s argsz %u flags %x regions %u irqs %u cap %x", sizes[i],
		       name_of(rc), info->argsz, info->flags, info->num_regions, info->num_irqs,
		       sizes[i] >= 24 ? info->cap_offset : 0);
		if (rc >= 0 && sizes[i] == 4096)
			print_caps(b, info->cap_offset, info->argsz);
		puts("");
	}
}

static void ask_region(uint32_t index, uint32_t argsz)
{
	static _Alignas(8) uint8_t b[4096];
	struct sim_vfio_region_info *info = (void *)b;
	long rc;

	memset(b, 0, sizeof(b));
	info->argsz = argsz;
	info->index = index;
	rc = call(probe.vfio, SIM_VFIO_GET_REGION_INFO, b);
	printf("REGION %u argsz %u = %s argsz %u flags %x size %" PRIx64 " offset %" PRIx64 " cap %x",
	       index, argsz, name_of(rc), info->argsz, info->flags, info->size, info->offset,
	       info->cap_offset);
	if (rc >= 0 && argsz == 4096)
		print_caps(b, info->cap_offset, info->argsz);
	puts("");
	if (rc >= 0) {
		probe.offset[index] = info->offset;
		probe.bytes[index] = info->size;
	}
}

static void ask_regions(void)
{
	struct sim_vfio_region_info info = { .argsz = 31 };

	for (uint32_t index = 0; index < 12; index++) {
		ask_region(index, 32);
		ask_region(index, 4096);
	}
	printf("REGION argsz 31 = %s\n",
	       name_of(call(probe.vfio, SIM_VFIO_GET_REGION_INFO, &info)));
	info = (struct sim_vfio_region_info){ .argsz = 32, .index = UINT32_MAX };
	printf("REGION index max = %s\n",
	       name_of(call(probe.vfio, SIM_VFIO_GET_REGION_INFO, &info)));
	probe.config = probe.offset[SIM_VFIO_CONFIG];
}

static void ask_irqs(void)
{
	struct sim_vfio_irq_info info;

	for (uint32_t index = 0; index < 7; index++) {
		long rc;

		info = (struct sim_vfio_irq_info){ .argsz = 16, .index = index, .flags = 0xffff };
		rc = call(probe.vfio, SIM_VFIO_GET_IRQ_INFO, &info);
		printf("IRQ %u = %s flags %x count %u\n", index, name_of(rc), info.flags,
		       info.count);
	}
	info = (struct sim_vfio_irq_info){ .argsz = 15 };
	printf("IRQ argsz 15 = %s\n", name_of(call(probe.vfio, SIM_VFIO_GET_IRQ_INFO, &info)));
}

/* ---- reset, what is left ------------------------------------------------------------- */

static void ask_hot_reset_info(uint32_t argsz)
{
	_Alignas(8) uint8_t b[512] = { 0 };
	struct sim_vfio_hot_reset_info *info = (void *)b;
	const struct sim_vfio_dependent_device *devices = (const void *)(info + 1);
	long rc;

	info->argsz = argsz;
	rc = call(probe.vfio, SIM_VFIO_HOT_RESET_INFO, b);
	printf("HOT_RESET_INFO argsz %u = %s argsz %u flags %x count %u", argsz, name_of(rc),
	       info->argsz, info->flags, info->count);
	for (uint32_t i = 0; rc >= 0 && i < info->count && i < 8; i++)
		printf(" [devid %d seg %u bus %u devfn %u]", devices[i].devid, devices[i].segment,
		       devices[i].bus, devices[i].devfn);
	puts("");
}

static void ask_resets(void)
{
	static const uint32_t sizes[] = { 8, 12, 28, 512 };
	struct sim_vfio_hot_reset reset = { .argsz = sizeof(reset) };
	struct sim_vfio_ioeventfd ioeventfd = { .argsz = sizeof(ioeventfd), .flags = 4, .data = 1,
						.offset = probe.offset[0], .fd = eventfd(0, 0) };
	uint32_t command = 0;

	printf("RESET = %s\n", name_of(call(probe.vfio, SIM_VFIO_RESET, NULL)));
	read_at(&command, 4, probe.config + 4);
	printf("COMMAND after RESET %x\n", command & 0xffff);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		ask_hot_reset_info(sizes[i]);
	printf("HOT_RESET = %s\n", name_of(call(probe.vfio, SIM_VFIO_HOT_RESET, &reset)));
	reset.flags = 1;
	printf("HOT_RESET flags = %s\n", name_of(call(probe.vfio, SIM_VFIO_HOT_RESET, &reset)));
	printf("IOEVENTFD = %s\n", name_of(call(probe.vfio, SIM_VFIO_IOEVENTFD, &ioeventfd)));
}

static void ask_rest(void)
{
	struct pollfd ready = { .fd = probe.vfio, .events = POLLIN | POLLOUT };
	uint8_t b[256];
	ssize_t n;
	off_t end;
	int count;

	for (unsigned int nr = 100; nr < 123; nr++) {
		if (nr == 104 || nr == 110 || nr == 111 || nr == 113)
			continue;
		memset(b, 0, sizeof(b));
		printf("nr %u argsz 0 = %s\n", nr, name_of(call(probe.vfio, _IO(';', nr), b)));
	}
	count = poll(&ready, 1, 0);
	/* What it was ready for was printed before it was asked, when the kernel answered. */
	printf("poll %d revents 0\n", count);
	n = read(probe.vfio, b, 4);
	printf("read %s", name_of(n < 0 ? -errno : 4));
	n = write(probe.vfio, b, 4);
	printf(" write %s", name_of(n < 0 ? -errno : 4));
	end = lseek(probe.vfio, 0, SEEK_END);
	printf(" lseek %s\n", name_of(end < 0 ? -errno : 0));
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (argc != 3) {
		fputs("usage: vfio_probe CDEV IOMMUFD\n", stderr);
		return 3;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	probe.iommu = open(argv[2], O_RDWR | O_CLOEXEC);
	probe.vfio = open(argv[1], O_RDWR | O_CLOEXEC);
	printf("open %s %s\n", probe.iommu < 0 ? strerrorname_np(errno) : "ok",
	       probe.vfio < 0 ? strerrorname_np(errno) : "ok");
	if (probe.iommu < 0 || probe.vfio < 0)
		return 1;
	ask_before_bind();
	ask_bind(argv[1]);
	call(probe.iommu, IOMMU_IOAS_ALLOC, &alloc);
	probe.ioas = alloc.out_ioas_id;
	ask_info();
	ask_regions();
	ask_irqs();
	probe_regions();
	probe_iommu();
	probe_irqs();
	probe_features();
	ask_resets();
	ask_rest();
	return 0;
}
