/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simulated VFIO devices: binding, regions, configuration space, resets, features. */
#include "sim/pci/pci_memory.h"
#include "tests/unit/vfio_rig.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"

#define BAR0 0u
#define BAR2 2u
#define BAR4 4u
#define CONFIG ((unsigned int)SIM_VFIO_CONFIG)

static const char *const edu_and_ram[] = { "edu,group=7", "ram,group=7,size=64K", "edu", NULL };

static int setup(void **state)
{
	*state = vfio_rig_create(edu_and_ram);
	return 0;
}

static int teardown(void **state)
{
	vfio_rig_destroy(*state);
	return 0;
}

/* ---- binding --------------------------------------------------------------------- */

static void test_bind_gives_the_device_to_one_file(void **state)
{
	struct vfio_rig *rig = *state;
	int err;
	struct vfio_file *second = vfio_file_open(rig->devices[0], &rig->base.fake.client, &err);
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = VFIO_RIG_IOMMUFD };

	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_RESET, NULL), -EINVAL);
	assert_int_equal(vfio_rig_try_read(rig, 0, CONFIG, 0, 4), -EINVAL);
	assert_int_equal(vfio_rig_bind(rig, 0, -1), -EINVAL);
	assert_int_equal(vfio_rig_bind(rig, 0, 0), -EBADFD);
	assert_int_equal(vfio_rig_bind(rig, 0, 99), -EBADF);
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), -EINVAL);
	assert_int_equal(vfio_file_ioctl(second, &rig->base.fake.client, SIM_VFIO_BIND,
					 (uint64_t)(uintptr_t)&bind), -EINVAL);
	vfio_file_release(second);
	assert_int_equal(vfio_device_opens(rig->devices[0]), 1);
	vfio_rig_reopen(rig, 0);
	assert_int_equal(vfio_device_opens(rig->devices[0]), 0);
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_OTHER), 0);
}

static int no_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
		       size_t len)
{
	(void)client, (void)dst, (void)src, (void)len;
	return -EFAULT;
}

static void test_bind_that_cannot_answer_is_undone(void **state)
{
	struct vfio_rig *rig = *state;
	const struct engine_client_ops *usual = rig->base.fake.client.ops;
	struct engine_client_ops ops = *usual;

	ops.copy_out = no_copy_out;
	rig->base.fake.client.ops = &ops;
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), -EFAULT);
	assert_int_equal(vfio_device_opens(rig->devices[0]), 0);
	rig->base.fake.client.ops = usual;
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_OTHER), 0);
}

static void test_group_has_one_owner(void **state)
{
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_OTHER), -EPERM);
	assert_int_equal(vfio_rig_bind(rig, 2, VFIO_RIG_OTHER), 0); /* a group of its own */
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	vfio_rig_reopen(rig, 0);
	vfio_rig_reopen(rig, 1);
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_OTHER), 0);
}

static void test_group_file_needs_no_bind(void **state)
{
	struct vfio_rig *rig = *state;
	const struct engine_client *client = &rig->base.fake.client;
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = VFIO_RIG_IOMMUFD };
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN };
	struct vfio_file *first, *second;
	int err;

	rig->ctx_refs += 4;
	assert_null(vfio_file_open_group(rig->devices[0], client, rig->base.ctx, &err));
	assert_int_equal(err, -ENODEV); /* no address space to attach to */
	assert_int_equal(vfio_device_opens(rig->devices[0]), 0);
	assert_int_equal(engine_vfio_ioas_ensure(rig->base.ctx, client), 0);
	first = vfio_file_open_group(rig->devices[0], client, rig->base.ctx, &err);
	assert_non_null(first);
	second = vfio_file_open_group(rig->devices[0], client, rig->base.ctx, &err);
	assert_non_null(second);
	assert_int_equal(vfio_file_ioctl(second, client, SIM_VFIO_BIND,
					 (uint64_t)(uintptr_t)&bind), -EINVAL);
	assert_int_equal(vfio_file_ioctl(second, client, SIM_VFIO_ATTACH,
					 (uint64_t)(uintptr_t)&attach), -ENOTTY);
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), -EINVAL);
	vfio_file_release(first);
	assert_int_equal(vfio_device_opens(rig->devices[0]), 1);
	vfio_file_release(second);
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	assert_null(vfio_file_open_group(rig->devices[0], client, rig->base.ctx, &err));
	assert_int_equal(err, -EINVAL);
}

static long attach_to(struct vfio_rig *rig, unsigned int device, uint32_t *pt_id)
{
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN, .pt_id = *pt_id };
	long rc = vfio_rig_ioctl(rig, device, SIM_VFIO_ATTACH, &attach);

	*pt_id = attach.pt_id;
	return rc;
}

/* iommufd_hw_pagetable_attach(), iommufd_device_do_replace(): edu and ram are in group 7. */
static void test_group_has_one_page_table(void **state)
{
	struct vfio_rig *rig = *state;
	struct sim_vfio_detach detach = { .argsz = SIM_VFIO_DETACH_MIN };
	uint32_t first = rig_ioas(&rig->base), second = rig_ioas(&rig->base);
	uint32_t pt = first, same = first, other = second;

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(vfio_rig_bind(rig, i, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(attach_to(rig, 0, &pt), 0);
	assert_int_equal(attach_to(rig, 1, &other), -EINVAL);
	assert_int_equal(attach_to(rig, 1, &same), 0);
	assert_int_equal(same, pt);
	other = second;
	assert_int_equal(attach_to(rig, 2, &other), 0); /* another group */
	engine_ctx_verify(rig->base.ctx);
	/* It may be replaced, for both. */
	other = second;
	assert_int_equal(attach_to(rig, 0, &other), 0);
	engine_ctx_verify(rig->base.ctx);
	assert_int_equal(rig_destroy(&rig->base, first), 0); /* nothing uses it */
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_DETACH, &detach), 0);
	first = rig_ioas(&rig->base);
	same = first;
	assert_int_equal(attach_to(rig, 1, &same), -EINVAL);
	same = second;
	assert_int_equal(attach_to(rig, 1, &same), 0);
	/* Whoever is left keeps it; when nobody is, the group is free. */
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_DETACH, &detach), 0);
	pt = first;
	assert_int_equal(attach_to(rig, 0, &pt), -EINVAL);
	vfio_rig_reopen(rig, 1);
	pt = first;
	assert_int_equal(attach_to(rig, 0, &pt), 0);
	engine_ctx_verify(rig->base.ctx);
}

static void test_pasids_are_attached_one_by_one(void **state)
{
	struct vfio_rig *rig = *state;
	struct sim_vfio_attach attach = { .argsz = sizeof(attach), .flags = SIM_VFIO_FLAG_PASID,
					  .pasid = 5 };
	struct sim_vfio_detach detach = { .argsz = sizeof(detach), .flags = SIM_VFIO_FLAG_PASID,
					  .pasid = 5 };
	struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc), .flags = IOMMU_HWPT_ALLOC_PASID };
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = VFIO_RIG_IOMMUFD };

	rig->iommu.pasid_bits = 4;
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_BIND, &bind), 0);
	alloc.dev_id = bind.out_devid;
	alloc.pt_id = rig_ioas(&rig->base);
	assert_int_equal(rig_call(&rig->base, IOMMU_HWPT_ALLOC, &alloc), 0);
	attach.pt_id = alloc.out_hwpt_id;
	attach.argsz = SIM_VFIO_ATTACH_MIN;
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_ATTACH, &attach), -EINVAL);
	attach.argsz = sizeof(attach);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_ATTACH, &attach), 0);
	assert_int_equal(rig_destroy(&rig->base, alloc.out_hwpt_id), -EBUSY);
	attach.pasid = 16; /* the first that 4 bits cannot say */
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_ATTACH, &attach), -EINVAL);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_DETACH, &detach), 0);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_DETACH, &detach), 0);
	assert_int_equal(rig_destroy(&rig->base, alloc.out_hwpt_id), 0);
}

/* ---- regions --------------------------------------------------------------------- */

static void test_regions_say_what_can_be_mapped(void **state)
{
	struct vfio_rig *rig = *state;
	struct sim_vfio_region_info info = { .argsz = sizeof(info), .index = BAR0 };
	struct {
		struct sim_vfio_region_info info;
		uint8_t caps[128];
	} call = { .info = { .argsz = sizeof(call), .index = BAR4 } };
	struct sim_vfio_cap_header *msix = (void *)call.caps;

	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	/* Registers that do something when touched: none of it. */
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_GET_REGION_INFO, &info), 0);
	assert_int_equal(info.flags, 3);
	/* All of it is memory: no capability is needed. */
	info.index = BAR2;
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_GET_REGION_INFO, &info), 0);
	assert_int_equal(info.flags, 7);
	assert_int_equal(info.size, 65536);
	/* The place that a BAR of 64 bits takes. */
	info.index = 3;
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_GET_REGION_INFO, &info), 0);
	assert_int_equal(info.size, 0);
	/* Doorbell, MSI-X and a page of nothing: all of it, too. */
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_GET_REGION_INFO, &call), 0);
	assert_int_equal(call.info.flags, 15);
	assert_int_equal(msix->id, SIM_VFIO_CAP_MSIX_MAPPABLE);
	assert_int_equal(msix->next, 0);
}

/* A card whose last page of BAR 4 is trapped. */
static void test_region_names_the_parts_that_can_be_mapped(void **state)
{
	struct vfio_rig *rig = *state;
	struct pci_function *card = pci_bus_slot(rig->bus, 1)->function;
	struct pci_description *of_card = (void *)(uintptr_t)pci_function_description(card);
	struct {
		struct sim_vfio_region_info info;
		uint8_t caps[128];
	} call = { .info = { .argsz = sizeof(call.info), .index = BAR4 } };
	struct sim_vfio_sparse_mmap *sparse = (void *)call.caps;
	const uint64_t bar = (uint64_t)BAR4 << SIM_VFIO_OFFSET_SHIFT;
	struct sim_vfio_cap_header *msix;
	uint64_t in_fd;
	int fd;

	of_card->bars[BAR4].areas[1].kind = PCI_AREA_TRAPPED;
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	/* Too little room: how much there must be. */
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_GET_REGION_INFO, &call), 0);
	assert_int_equal(call.info.flags, 15);
	assert_int_equal(call.info.cap_offset, 0);
	assert_true(call.info.argsz > sizeof(call.info) && call.info.argsz <= sizeof(call));
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_GET_REGION_INFO, &call), 0);
	assert_int_equal(call.info.cap_offset, sizeof(call.info));
	assert_int_equal(sparse->header.id, SIM_VFIO_CAP_SPARSE_MMAP);
	assert_int_equal(sparse->nr_areas, 1); /* doorbell and MSI-X are one part */
	assert_int_equal(sparse->areas[0].offset, 0);
	assert_int_equal(sparse->areas[0].size, 0x3000);
	msix = (void *)((uint8_t *)&call + sparse->header.next);
	assert_int_equal(msix->id, SIM_VFIO_CAP_MSIX_MAPPABLE);
	assert_int_equal(msix->next, 0);
	assert_int_equal(vfio_file_mmap(rig->files[1], bar, 0x3000, true, &fd, &in_fd), 0);
	assert_int_equal(vfio_file_mmap(rig->files[1], bar, 0x4000, true, &fd, &in_fd), -EINVAL);
}

static void *map_bar(struct vfio_rig *rig, unsigned int device, unsigned int bar, uint64_t length)
{
	uint64_t offset;
	void *at;
	int fd;

	assert_int_equal(vfio_file_mmap(rig->files[device],
					(uint64_t)bar << SIM_VFIO_OFFSET_SHIFT, length, true,
					&fd, &offset), 0);
	at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	assert_true(at != MAP_FAILED);
	return at;
}

static void test_mapped_memory_is_the_region(void **state)
{
	struct vfio_rig *rig = *state;
	uint64_t offset = (uint64_t)BAR2 << SIM_VFIO_OFFSET_SHIFT;
	volatile uint32_t *at;
	uint64_t in_fd;
	int fd;

	assert_int_equal(vfio_file_mmap(rig->files[1], offset, 4096, true, &fd, &in_fd), -EINVAL);
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_file_mmap(rig->files[1], offset, 4096, false, &fd, &in_fd), -EINVAL);
	assert_int_equal(vfio_file_mmap(rig->files[1], offset, 65536 + 4096, true, &fd, &in_fd),
			 -EINVAL);
	assert_int_equal(vfio_file_mmap(rig->files[1], offset + 65536, 4096, true, &fd, &in_fd),
			 -EINVAL);
	assert_int_equal(vfio_file_mmap(rig->files[1], 0, 4096, true, &fd, &in_fd), -EINVAL);
	assert_int_equal(vfio_file_mmap(rig->files[1], (uint64_t)CONFIG << SIM_VFIO_OFFSET_SHIFT,
					4096, true, &fd, &in_fd), -EINVAL);
	at = map_bar(rig, 1, BAR2, 65536);
	vfio_rig_write(rig, 1, BAR2, 8, 0xabcd, 4);
	assert_int_equal(at[2], 0xabcd);
	at[3] = 77;
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 12, 4), 77);
	munmap((void *)(uintptr_t)at, 65536);
}

static void test_memory_off_keeps_what_is_in_it(void **state)
{
	struct vfio_rig *rig = *state;
	volatile uint32_t *at;
	unsigned char there;

	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	at = map_bar(rig, 1, BAR2, 65536);
	at[100] = 5;
	vfio_rig_write(rig, 1, CONFIG, PCI_COMMAND, 0, 2);
	assert_int_equal(vfio_rig_try_read(rig, 1, BAR2, 400, 4), -EIO);
	/* Touching it would be SIGBUS: read() into it says so without. */
	assert_int_equal(mincore((void *)(uintptr_t)at, 4096, &there), 0);
	assert_int_equal(write(eventfd(0, 0), (void *)(uintptr_t)at, 8), -1);
	assert_int_equal(errno, EFAULT);
	vfio_rig_write(rig, 1, CONFIG, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(at[100], 5);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 400, 4), 5);
	/* D3hot is the same. */
	vfio_rig_write(rig, 1, CONFIG, 0x60 + PCI_PM_CTRL, 3, 2);
	assert_int_equal(vfio_rig_try_read(rig, 1, BAR2, 400, 4), -EIO);
	vfio_rig_write(rig, 1, CONFIG, 0x60 + PCI_PM_CTRL, 0, 2);
	assert_int_equal(at[100], 5);
	munmap((void *)(uintptr_t)at, 65536);
}

static void test_client_that_cuts_the_file_short_hurts_nobody(void **state)
{
	struct vfio_rig *rig = *state;
	uint64_t offset;
	int fd;

	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_file_mmap(rig->files[1], (uint64_t)BAR2 << SIM_VFIO_OFFSET_SHIFT,
					65536, true, &fd, &offset), 0);
	vfio_rig_write(rig, 1, BAR2, 0x8000, 7, 4);
	vfio_rig_write(rig, 1, BAR2, 0x100, 9, 4);
	pci_memory_guard(); /* cmocka has a handler of its own */
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 0x8000, 4), 0);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 0x100, 4), 9);
	vfio_rig_write(rig, 1, BAR2, 0x8000, 8, 4);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 0x8000, 4), 8);
	vfio_rig_write(rig, 1, CONFIG, PCI_COMMAND, 0, 2);
	vfio_rig_write(rig, 1, CONFIG, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_RESET, NULL), 0);
	vfio_rig_write(rig, 1, BAR2, 0x8000, 8, 4);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 0x8000, 4), 8);
}

static void test_msix_table_is_hidden_from_reads(void **state)
{
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	vfio_rig_write(rig, 1, BAR4, 0x1000, 0x1234, 4);
	assert_true(vfio_rig_read(rig, 1, BAR4, 0x1000, 4) == UINT32_MAX);
	assert_true(vfio_rig_read(rig, 1, BAR4, 0x103c, 4) == UINT32_MAX); /* of 4 vectors */
	assert_int_equal(vfio_rig_read(rig, 1, BAR4, 0x1040, 4), 0);
}

static void test_odd_accesses_go_in_aligned_pieces(void **state)
{
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_try_read(rig, 0, BAR0, (1u << 20) - 4, 8), 4); /* cut at the end */
	assert_int_equal(vfio_rig_try_read(rig, 0, BAR0, 1u << 20, 4), -EINVAL);
	assert_int_equal(vfio_rig_try_read(rig, 0, BAR0, 0, 0), 0);
	assert_int_equal(vfio_rig_read(rig, 0, BAR0, 2, 4) & 0xffff, 0); /* two halves: zeros */
	assert_int_equal(vfio_rig_try_read(rig, 0, CONFIG, 255, 2), -EFAULT);
	assert_int_equal(vfio_rig_try_read(rig, 0, SIM_VFIO_ROM, 0, 4), -EINVAL);
	assert_int_equal(vfio_rig_try_read(rig, 0, 9, 0, 4), -EINVAL);
}

/* ---- configuration space --------------------------------------------------------- */

static void test_config_bits_are_vfios_or_the_functions(void **state)
{
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_COMMAND, 2), 0x103);
	vfio_rig_write(rig, 1, CONFIG, PCI_COMMAND, 0xffff, 2);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_COMMAND, 2), 0x507);
	/* BARs tell their sizes; the function's own stay as they are. */
	vfio_rig_write(rig, 1, CONFIG, PCI_BASE_ADDRESS_2, UINT32_MAX, 4);
	vfio_rig_write(rig, 1, CONFIG, PCI_BASE_ADDRESS_3, UINT32_MAX, 4);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_BASE_ADDRESS_2, 4), 0xffff000c);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_BASE_ADDRESS_3, 4), 0xffffffff);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_ROM_ADDRESS, 4), 0);
	assert_true(pci_config_get32(pci_function_config(pci_bus_at(rig->bus, 1)->function),
				     PCI_BASE_ADDRESS_2) != 0xffff000c);
	/* MSI-X's enable bit is the kernel's. */
	vfio_rig_write(rig, 1, CONFIG, 0x40 + PCI_MSIX_FLAGS, 0x8000, 2);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, 0x40 + PCI_MSIX_FLAGS, 2), 3);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_INTERRUPT_LINE, 1), 11);
	vfio_rig_write(rig, 1, CONFIG, PCI_INTERRUPT_LINE, 0x55, 1);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_INTERRUPT_LINE, 1), 0x55);
	/* The next client finds it as it was. */
	vfio_rig_reopen(rig, 1);
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_INTERRUPT_LINE, 1), 11);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, PCI_COMMAND, 2), 0x103);
}

static void test_flr_bit_resets_and_reads_as_zero(void **state)
{
	const unsigned int control = 0x80 + PCI_EXP_DEVCTL;
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	vfio_rig_write(rig, 1, BAR2, 0, 1, 4);
	vfio_rig_write(rig, 1, BAR0, 0x30, 9, 4);
	vfio_rig_write(rig, 1, CONFIG, control, PCI_EXP_DEVCTL_BCR_FLR, 2);
	assert_int_equal(vfio_rig_read(rig, 1, CONFIG, control, 2) & PCI_EXP_DEVCTL_BCR_FLR, 0);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 0, 4), 0);
	assert_int_equal(vfio_rig_read(rig, 1, BAR0, 0x30, 4), 0);
}

/* ---- resets ---------------------------------------------------------------------- */

static void test_reset_is_for_who_has_flr(void **state)
{
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_RESET, NULL), -EINVAL);
	vfio_rig_write(rig, 1, BAR2, 0, 1, 4);
	assert_int_equal(vfio_rig_ioctl(rig, 1, SIM_VFIO_RESET, NULL), 0);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 0, 4), 0);
}

struct hot_reset_call {
	struct sim_vfio_hot_reset_info info;
	struct sim_vfio_dependent_device devices[4];
};

static void test_hot_reset_takes_all_on_the_bus(void **state)
{
	static const char *const behind_a_bridge[] = { "edu,addr=01:00.0", "ram,addr=01:00.1",
						       "edu,addr=02:00.0", NULL };
	struct hot_reset_call call = { .info = { .argsz = sizeof(call) } };
	struct sim_vfio_hot_reset reset = { .argsz = sizeof(reset) };
	struct vfio_rig *rig = *state;

	/* Neither slot nor bus can be reset on bus 0. */
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_HOT_RESET_INFO, &call), -ENODEV);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_HOT_RESET, &reset), -ENODEV);

	rig = vfio_rig_create(behind_a_bridge);
	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	call.info.argsz = sizeof(call.info);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_HOT_RESET_INFO, &call), -ENOSPC);
	assert_int_equal(call.info.count, 2);
	call.info.argsz = sizeof(call);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_HOT_RESET_INFO, &call), 0);
	assert_int_equal(call.info.flags, SIM_VFIO_HOT_RESET_DEV_ID);
	assert_true(call.devices[0].devid > 0);
	assert_int_equal(call.devices[1].devid, SIM_VFIO_DEVID_NOT_OWNED);
	assert_int_equal(call.devices[1].devfn, 1);
	assert_int_equal(call.devices[1].bus, 1);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_HOT_RESET, &reset), -EINVAL);
	/* Once both are its, both are reset. */
	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_HOT_RESET_INFO, &call), 0);
	assert_int_equal(call.info.flags,
			 SIM_VFIO_HOT_RESET_DEV_ID | SIM_VFIO_HOT_RESET_DEV_ID_OWNED);
	vfio_rig_write(rig, 1, BAR2, 0, 1, 4);
	vfio_rig_write(rig, 0, BAR0, 4, 0, 4);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_HOT_RESET, &reset), 0);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 0, 4), 0);
	assert_int_equal(vfio_rig_read(rig, 0, BAR0, 4, 4), 0);
	/* Alone on its bus: a reset of the bus is one of the function. */
	assert_int_equal(vfio_rig_bind(rig, 2, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(vfio_rig_ioctl(rig, 2, SIM_VFIO_RESET, NULL), 0);
	assert_int_equal(vfio_rig_ioctl(rig, 0, SIM_VFIO_RESET, NULL), -EINVAL);
	vfio_rig_destroy(rig);
}

/* ---- features -------------------------------------------------------------------- */

static void test_features_are_checked_as_the_core_does(void **state)
{
	static const struct {
		uint32_t flags;
		long rc;
	} rows[] = {
		{ SIM_VFIO_FEATURE_VF_TOKEN | SIM_VFIO_FEATURE_SET, -ENOTTY },
		{ SIM_VFIO_FEATURE_MIGRATION | SIM_VFIO_FEATURE_GET, -ENOTTY },
		{ SIM_VFIO_FEATURE_LOW_POWER_ENTRY, -EINVAL },
		{ SIM_VFIO_FEATURE_LOW_POWER_ENTRY | SIM_VFIO_FEATURE_GET, -EINVAL },
		{ SIM_VFIO_FEATURE_LOW_POWER_ENTRY | SIM_VFIO_FEATURE_PROBE, 0 },
		{ SIM_VFIO_FEATURE_LOW_POWER_WAKEUP | SIM_VFIO_FEATURE_SET, -EINVAL },
		{ SIM_VFIO_FEATURE_LOG_START | SIM_VFIO_FEATURE_SET, -ENOTTY },
		{ SIM_VFIO_FEATURE_BUS_MASTER | SIM_VFIO_FEATURE_SET, -ENOTTY },
		{ SIM_VFIO_FEATURE_DMA_BUF | SIM_VFIO_FEATURE_SET | SIM_VFIO_FEATURE_PROBE, -EINVAL },
		{ SIM_VFIO_FEATURE_DMA_BUF | SIM_VFIO_FEATURE_GET | SIM_VFIO_FEATURE_PROBE, 0 },
		{ SIM_VFIO_FEATURE_PRECOPY_INFO_V2 | SIM_VFIO_FEATURE_PROBE, -EINVAL },
		{ 77, -ENOTTY },
		{ SIM_VFIO_FEATURE_GET | SIM_VFIO_FEATURE_SET, -EINVAL },
		{ 1u << 20, -EINVAL },
	};
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_bind(rig, 0, VFIO_RIG_IOMMUFD), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(vfio_rig_feature(rig, 0, rows[i].flags, NULL, 0), rows[i].rc);
}

static void test_low_power_wakes_up_with_the_next_call(void **state)
{
	struct sim_vfio_low_power_wakeup wakeup = { .eventfd = eventfd(0, EFD_NONBLOCK) };
	const uint32_t enter = SIM_VFIO_FEATURE_LOW_POWER_ENTRY | SIM_VFIO_FEATURE_SET;
	struct vfio_rig *rig = *state;
	volatile uint32_t *at;

	assert_int_equal(vfio_rig_bind(rig, 1, VFIO_RIG_IOMMUFD), 0);
	at = map_bar(rig, 1, BAR2, 4096);
	at[1] = 3;
	assert_int_equal(vfio_rig_feature(rig, 1, enter, NULL, 0), 0);
	assert_int_equal(vfio_rig_feature(rig, 1, enter, NULL, 0), -EINVAL);
	/* What is mapped cannot be touched, what is read wakes it for that moment. */
	assert_int_equal(write(wakeup.eventfd, (void *)(uintptr_t)at, 8), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(vfio_rig_read(rig, 1, BAR2, 4, 4), 3);
	assert_int_equal(vfio_rig_feature(rig, 1, SIM_VFIO_FEATURE_LOW_POWER_EXIT |
					  SIM_VFIO_FEATURE_SET, NULL, 0), 0);
	assert_int_equal(at[1], 3);
	assert_int_equal(vfio_rig_feature(rig, 1, SIM_VFIO_FEATURE_LOW_POWER_WAKEUP |
					  SIM_VFIO_FEATURE_SET, &wakeup, sizeof(wakeup)), 0);
	assert_int_equal(vfio_rig_count(wakeup.eventfd, false), 0);
	vfio_rig_read(rig, 1, BAR2, 4, 4);
	assert_int_equal(vfio_rig_count(wakeup.eventfd, false), 1);
	assert_int_equal(at[1], 3);
	munmap((void *)(uintptr_t)at, 4096);
	close(wakeup.eventfd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bind_gives_the_device_to_one_file),
		TEST(test_bind_that_cannot_answer_is_undone),
		TEST(test_group_has_one_owner),
		TEST(test_group_file_needs_no_bind),
		TEST(test_group_has_one_page_table),
		TEST(test_pasids_are_attached_one_by_one),
		TEST(test_regions_say_what_can_be_mapped),
		TEST(test_region_names_the_parts_that_can_be_mapped),
		TEST(test_mapped_memory_is_the_region),
		TEST(test_memory_off_keeps_what_is_in_it),
		TEST(test_client_that_cuts_the_file_short_hurts_nobody),
		TEST(test_msix_table_is_hidden_from_reads),
		TEST(test_odd_accesses_go_in_aligned_pieces),
		TEST(test_config_bits_are_vfios_or_the_functions),
		TEST(test_flr_bit_resets_and_reads_as_zero),
		TEST(test_reset_is_for_who_has_flr),
		TEST(test_hot_reset_takes_all_on_the_bus),
		TEST(test_features_are_checked_as_the_core_does),
		TEST(test_low_power_wakes_up_with_the_next_call),
	};

	return cmocka_run_group_tests_name("vfio", tests, NULL, NULL);
}
