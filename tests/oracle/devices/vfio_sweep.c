/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a VFIO PCI device, by its cdev, every call with all sizes of its structure and flags,
 * each time of files just opened, and prints a line for each answer: vfio_sweep CDEV IOMMUFD
 * [irqs]. A line says which words of the structure the call changed. With irqs, SET_IRQS and
 * IOEVENTFD are asked, otherwise all the rest. What kernels answered for QEMU's edu behind
 * VT-d lies beside this file: sweep-VERSION.xz, irqs-VERSION.xz.
 */
#include "ioasis/iommufd_abi.h"
#include "sim/vfio/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS 64u
#define CALL(nr) _IO(';', nr)
enum { /* of VFIO's calls */
	FIRST = 100, INFO = 107, REGION_INFO = 108, IRQ_INFO = 109, SET_IRQS = 110,
	IOEVENTFD = 116, FEATURE = 117, BIND = 118, ATTACH = 119, DETACH = 120, END = 125,
};

static const char *vfio_path, *iommu_path;
static int vfio = -1, iommu = -1;
static uint32_t ioas, devid;

static int call(int fd, unsigned int nr, void *arg)
{
	int rc = ioctl(fd, CALL(nr), arg);

	return rc < 0 ? -errno : rc;
}

static const char *name_of(int rc)
{
	return rc < 0 ? strerrorname_np(-rc) : "ok";
}

/* Files just opened, with an address space; bound: the device to it. */
static void fresh(bool bound)
{
	uint32_t alloc[3] = { sizeof(alloc) };

	if (vfio >= 0)
		close(vfio);
	if (iommu >= 0)
		close(iommu);
	iommu = open(iommu_path, O_RDWR);
	vfio = open(vfio_path, O_RDWR);
	if (vfio < 0 || iommu < 0) {
		printf("open %s\n", strerrorname_np(errno));
		exit(1);
	}
	call(iommu, 0x81, alloc);
	ioas = alloc[2];
	if (bound) {
		uint32_t bind[4] = { sizeof(bind), 0, (uint32_t)iommu, 0 };
		int rc = call(vfio, BIND, bind);

		if (rc)
			printf("bind %s\n", name_of(rc));
		devid = bind[3];
	}
}

/* One call with a structure of count words; values: what the changed words are now. */
static void ask(const char *what, unsigned int nr, uint32_t *words, unsigned int count, bool values)
{
	uint32_t before[WORDS];
	int rc;

	memcpy(before, words, sizeof(before));
	rc = call(vfio, nr, words);
	printf("%s = %d %s", what, rc < 0 ? -1 : rc, name_of(rc));
	for (unsigned int i = 0; i < count; i++) {
		if (words[i] != before[i] && values)
			printf(" [%u]=%x", i, words[i]);
		else if (words[i] != before[i])
			printf(" [%u]", i);
	}
	puts("");
}

static const uint32_t flags_tried[] = { 0, 1, 2, 3, 0x10000 };
#define FLAGS_TRIED 5

static void sweep_bind(void)
{
	char what[96];

	for (uint32_t size = 0; size <= 48; size += 4) {
		for (int f = 0; f < FLAGS_TRIED; f++) {
			for (int extra = 0; extra < 2; extra++) {
				uint32_t words[WORDS] = { size, flags_tried[f] };

				fresh(false);
				words[2] = (uint32_t)iommu;
				words[4] = extra ? 0x1000 : 0;
				words[8] = extra ? 1 : 0;
				snprintf(what, sizeof(what), "bind argsz %u flags %x extra %d", size,
					 flags_tried[f], extra);
				ask(what, BIND, words, 16, false);
			}
		}
	}
}

static void ask_bind_files(void)
{
	uint32_t bind[4] = { sizeof(bind), 0, UINT32_MAX };

	fresh(false);
	printf("bind fd -1 %s\n", name_of(call(vfio, BIND, bind)));
	bind[2] = 999;
	printf("bind fd 999 %s\n", name_of(call(vfio, BIND, bind)));
	bind[2] = (uint32_t)vfio;
	printf("bind fd self %s\n", name_of(call(vfio, BIND, bind)));
	printf("bind ptr %s\n", name_of(call(vfio, BIND, (void *)8)));
}

static void ask_unbound(void)
{
	char what[96];
	uint32_t bind[4] = { sizeof(bind) };

	for (unsigned int nr = FIRST; nr < END; nr++) {
		uint32_t words[WORDS] = { 64 };

		fresh(false);
		if (nr == BIND)
			continue;
		snprintf(what, sizeof(what), "unbound nr %u", nr);
		ask(what, nr, words, 32, false);
	}
	fresh(true);
	bind[2] = (uint32_t)iommu;
	printf("bind twice %s\n", name_of(call(vfio, BIND, bind)));
}

static void attach(void)
{
	uint32_t words[3] = { sizeof(words), 0, ioas };
	int rc = call(vfio, ATTACH, words);

	if (rc)
		printf("attach %s\n", name_of(rc));
}

static void sweep_attach(unsigned int nr)
{
	char what[96];

	for (uint32_t size = 0; size <= 32; size += 4) {
		for (int f = 0; f < FLAGS_TRIED; f++) {
			for (int attached = 0; attached < 2; attached++) {
				uint32_t words[WORDS] = { size, flags_tried[f], 5, 5 };

				fresh(true);
				if (attached)
					attach();
				if (nr == ATTACH)
					words[2] = ioas;
				snprintf(what, sizeof(what), "nr %u argsz %u flags %x attached %d", nr,
					 size, flags_tried[f], attached);
				ask(what, nr, words, 16, false);
			}
		}
	}
}

static void sweep_features(void)
{
	char what[96];

	for (uint32_t feature = 0; feature < 18; feature++) {
		for (uint32_t op = 0; op < 8; op++) {
			for (uint32_t size = 0; size <= 64; size += 8) {
				/* op: GET, SET, PROBE */
				uint32_t words[WORDS] = { size, op << 16 | feature };

				if (size == 56)
					continue;
				fresh(true);
				snprintf(what, sizeof(what), "feature %u op %u argsz %u", feature, op,
					 size);
				ask(what, FEATURE, words, WORDS, false);
			}
		}
	}
}

/* A call whose third word is an index; of 0 there is no index. */
static void sweep_info(const char *name, unsigned int nr, uint32_t indexes, uint32_t size_last,
		       uint32_t step, bool values)
{
	char what[96];

	for (uint32_t index = 0; index < (indexes ? indexes : 1); index++) {
		for (uint32_t size = 0; size <= size_last; size += step) {
			uint32_t words[WORDS] = { size, 0, index };

			fresh(true);
			if (indexes)
				snprintf(what, sizeof(what), "%s %u argsz %u", name, index, size);
			else
				snprintf(what, sizeof(what), "%s argsz %u", name, size);
			ask(what, nr, words, WORDS, values);
		}
	}
}

static void ask_bound(void)
{
	char what[96];

	for (unsigned int nr = 111; nr < END; nr++) {
		uint32_t words[WORDS] = { 200 };

		if (nr >= FEATURE && nr <= DETACH)
			continue;
		fresh(true);
		snprintf(what, sizeof(what), "bound nr %u", nr);
		ask(what, nr, words, WORDS, false);
	}
}

/* ---- iommufd's calls with the device -------------------------------------------------- */

static void sweep_page_tables(void)
{
	for (uint32_t flags = 0; flags < 16; flags++) {
		struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc), .flags = flags };
		struct iommu_fault_alloc queue = { .size = sizeof(queue) };
		int rc;

		fresh(true);
		alloc.dev_id = devid;
		alloc.pt_id = ioas;
		printf("hwpt flags %x %s\n", flags, name_of(call(iommu, 0x89, &alloc)));
		rc = call(iommu, 0x8e, &queue);
		alloc.flags = flags | 4;
		alloc.fault_id = queue.out_fault_id;
		printf("  with fault %x %s %s\n", flags, name_of(rc),
		       name_of(call(iommu, 0x89, &alloc)));
	}
	fresh(true);
	for (uint32_t flags = 0; flags < 4; flags++) {
		for (uint32_t length = 0; length < 64; length += 16) {
			char data[128];
			struct iommu_hw_info info = { .size = sizeof(info), .flags = flags,
						      .dev_id = devid, .data_len = length,
						      .data_uptr = (uintptr_t)data };

			printf("hwinfo flags %x len %u %s\n", flags, length,
			       name_of(call(iommu, 0x8a, &info)));
		}
	}
}

static void ask_destroy(const char *what, uint32_t id)
{
	uint32_t destroy[2] = { sizeof(destroy), id };

	printf("destroy %s %s\n", what, name_of(call(iommu, 0x80, destroy)));
}

static void ask_attached(void)
{
	uint32_t hwpt[3] = { sizeof(hwpt) }, detach[3] = { 8 };
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char out[256];
	struct iommu_ioas_map map = { .size = sizeof(map), .flags = 7, .length = 8192,
				      .user_va = (uintptr_t)memory, .iova = 0x100000 };
	struct iommu_ioas_iova_ranges ranges = { .size = sizeof(ranges), .num_iovas = 8,
						 .allowed_iovas = (uintptr_t)out };
	struct iommu_hwpt_get_dirty_bitmap dirty = { .size = sizeof(dirty), .iova = 0x100000,
						     .length = 8192, .page_size = 4096,
						     .data = (uintptr_t)out };
	uint32_t tracking[4] = { sizeof(tracking), 1 };
	int rc;

	fresh(true);
	hwpt[2] = ioas;
	call(vfio, ATTACH, hwpt);
	memset(memory, 1, 8192);
	map.ioas_id = ranges.ioas_id = ioas;
	printf("map %s\n", name_of(call(iommu, 0x85, &map)));
	map.iova = 0xfee00000;
	printf("map msi %s\n", name_of(call(iommu, 0x85, &map)));
	rc = call(iommu, 0x84, &ranges);
	printf("ranges %s n %u align %x\n", name_of(rc), ranges.num_iovas,
	       (uint32_t)ranges.out_iova_alignment);
	dirty.hwpt_id = tracking[2] = hwpt[2];
	printf("getdirty untracked %s\n", name_of(call(iommu, 0x8c, &dirty)));
	printf("setdirty untracked %s\n", name_of(call(iommu, 0x8b, tracking)));
	ask_destroy("devid", devid);
	ask_destroy("ioas", ioas);
	ask_destroy("hwpt", hwpt[2]);
	printf("detach %s\n", name_of(call(vfio, DETACH, detach)));
	printf("detach again %s\n", name_of(call(vfio, DETACH, detach)));
	ask_destroy("hwpt", hwpt[2]);
	munmap(memory, 8192);
}

static void ask_second_file(void)
{
	int second = open(vfio_path, O_RDWR);
	uint32_t bind[4] = { sizeof(bind), 0, (uint32_t)iommu };
	char line[256];
	FILE *fdinfo;

	printf("second open %s\n", second < 0 ? strerrorname_np(errno) : "ok");
	if (second >= 0)
		printf("second bind %s\n", name_of(call(second, BIND, bind)));
	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", vfio);
	fdinfo = fopen(line, "r");
	while (fdinfo && fgets(line, sizeof(line), fdinfo)) {
		if (!strncmp(line, "vfio", 4))
			puts("fdinfo has vfio-device-syspath");
	}
	if (fdinfo)
		fclose(fdinfo);
}

static void ask_rest(void)
{
	uint32_t words[3] = { sizeof(words), 0, 999 };

	sweep_bind();
	ask_bind_files();
	ask_unbound();
	sweep_attach(ATTACH);
	sweep_attach(DETACH);
	fresh(true);
	printf("attach bad id %s\n", name_of(call(vfio, ATTACH, words)));
	words[2] = devid;
	printf("attach devid %s\n", name_of(call(vfio, ATTACH, words)));
	sweep_features();
	sweep_info("info", INFO, 0, 64, 4, true);
	sweep_info("region", REGION_INFO, 12, 80, 16, false);
	sweep_info("irq", IRQ_INFO, 8, 24, 8, true);
	ask_bound();
	sweep_page_tables();
	ask_attached();
	ask_second_file();
}

/* ---- SET_IRQS, IOEVENTFD ------------------------------------------------------------ */

/* SET_IRQS with eventfds, or bytes of 1, whichever the flags say; a negative count: no data. */
static int set_irqs(uint32_t index, uint32_t flags, uint32_t start, uint32_t count, int fd)
{
	uint32_t words[5 + 8] = { 20, flags, index, start, count };

	if (flags & SIM_VFIO_DATA_EVENTFD) {
		words[0] += 4 * count;
		for (uint32_t i = 0; i < count; i++)
			words[5 + i] = (uint32_t)fd;
	} else if (flags & SIM_VFIO_DATA_BOOL) {
		words[0] += count;
		memset(words + 5, 1, count);
	}
	return call(vfio, SET_IRQS, words);
}

/* Every kind of data and action, by itself and while the interrupt at index on is in use. */
static void sweep_irqs(int on, int fd)
{
	for (uint32_t index = 0; index < 6; index++) {
		for (uint32_t flags = 0; flags < 64; flags++) {
			for (uint32_t start = 0; start < 2; start++) {
				for (uint32_t count = 0; count < 4; count++) {
					/* More than one of data and action is one answer. */
					if (__builtin_popcount(flags & 7) > 1 && flags > 16)
						continue;
					fresh(true);
					if (on >= 0)
						set_irqs((uint32_t)on, 36, 0, 1, fd);
					printf("irqs on %d index %u flags %x start %u count %u %s\n", on,
					       index, flags, start, count,
					       name_of(set_irqs(index, flags, start, count, fd)));
				}
			}
		}
	}
}

static void sweep_ioeventfd(int fd)
{
	static const uint64_t offsets[] = { 0, 1, 2, 4, 6, 8, 0xffffc, 0xffffd, 0xfffff, 0x100000,
					    1ull << 40, 6ull << 40, 7ull << 40, 1ull << 63 };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		for (uint32_t flags = 0; flags <= 16; flags++) {
			struct sim_vfio_ioeventfd one = {
				.argsz = sizeof(one), .flags = flags, .offset = offsets[i],
				.data = 1, .fd = fd,
			};
			int first, again, off;

			fresh(true);
			first = call(vfio, IOEVENTFD, &one);
			again = call(vfio, IOEVENTFD, &one);
			one.fd = -1;
			off = call(vfio, IOEVENTFD, &one);
			printf("ioeventfd offset %" PRIx64 " flags %u %s %s %s\n", offsets[i], flags,
			       name_of(first), name_of(again), name_of(off));
		}
	}
	for (uint32_t size = 0; size <= 48; size += 4) {
		struct sim_vfio_ioeventfd one = { .argsz = size, .flags = 4, .fd = fd };

		fresh(true);
		printf("ioeventfd argsz %u %s\n", size, name_of(call(vfio, IOEVENTFD, &one)));
	}
	for (int bad = -3; bad < 3; bad++) {
		struct sim_vfio_ioeventfd one = { .argsz = sizeof(one), .flags = 4, .fd = bad };

		fresh(true);
		if (bad > 0)
			one.fd = bad == 1 ? 999 : vfio;
		printf("ioeventfd fd %d %s\n", bad, name_of(call(vfio, IOEVENTFD, &one)));
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 3;
	vfio_path = argv[1];
	iommu_path = argv[2];
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc == 3) {
		ask_rest();
	} else {
		int fd = eventfd(0, EFD_NONBLOCK);

		for (int on = -1; on < 5; on++)
			sweep_irqs(on, fd);
		sweep_ioeventfd(fd);
	}
	return 0;
}
