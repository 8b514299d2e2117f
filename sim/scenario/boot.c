/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's memory as QEMU 10's q35 machine maps it (hw/i386/pc_q35.c: memory up
 * to 2 GiB below the hole of PCI, the rest from 4 GiB; hw/i386/x86-common.c: the
 * BIOS under 4 GiB and its last 128 KiB under 1 MiB; hw/pci-host/pam.c: the areas
 * from 0xc0000 whose writes the firmware turns on to copy itself, and off again).
 */
#include "sim/scenario/boot.h"

#include <ioasis/iommufd_abi.h>

#include "sim/engine/engine.h"
#include "sim/scenario/actors.h"
#include "sim/scenario/call.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define LOW_MEMORY_MAX	  GIB(2)
#define LOW_MEMORY_SPLIT  0xb0000000ull /* more than this: 2 GiB stay low */
#define HIGH_MEMORY_FIRST GIB(4)
#define BIOS_BYTES	  KIB(256)
#define BIOS_FIRST	  (GIB(4) - BIOS_BYTES)
#define PAM_FIRST	  0xc0000ull
#define PAM_BYTES	  KIB(256)

#define THREADS_MAX 16u

uint32_t guest_tid(const struct guest *guest, unsigned int thread)
{
	return guest->index * THREADS_MAX + thread + 1;
}

uint32_t guest_of_tid(uint32_t tid)
{
	return (tid - 1) / THREADS_MAX;
}

static uint64_t low_bytes(const struct scenario *s)
{
	if (s->guest.memory_bytes > LOW_MEMORY_SPLIT)
		return LOW_MEMORY_MAX;
	return s->guest.memory_bytes;
}

uint64_t guest_memory_end(const struct scenario *scenario)
{
	uint64_t bytes = scenario->guest.memory_bytes, end = bytes;

	if (scenario->guest.layout == LAYOUT_Q35)
		end = HIGH_MEMORY_FIRST + bytes - low_bytes(scenario);
	return (end + GIB(1) - 1) & ~(GIB(1) - 1);
}

unsigned int guest_memory_ranges(const struct scenario *scenario,
				 struct guest_range ranges[GUEST_RANGES_MAX])
{
	uint64_t low = low_bytes(scenario), bytes = scenario->guest.memory_bytes;

	if (scenario->guest.layout == LAYOUT_NONE)
		return 0;
	if (scenario->guest.layout == LAYOUT_FLAT) {
		ranges[0] = (struct guest_range){ 0, bytes };
		return 1;
	}
	ranges[0] = (struct guest_range){ 0, KIB(640) };
	ranges[1] = (struct guest_range){ MIB(1), low - MIB(1) };
	ranges[2] = (struct guest_range){ HIGH_MEMORY_FIRST, bytes - low };
	return bytes > low ? 3 : 2;
}

unsigned int guest_leaf_shift(const struct scenario *scenario)
{
	if (!scenario->iommu.huge_pages || scenario->guest.page_bytes < MIB(2))
		return LEAF_4K_SHIFT;
	return LEAF_2M_SHIFT;
}

/* In the arena, memory lies where the guest sees it. */
static uint64_t map_same(struct guest *guest, uint64_t now_ns, uint64_t address, uint64_t size,
			 bool readonly, int *ret)
{
	int map_ret;

	now_ns =
		call_map(guest, now_ns, guest->ioas_id, address, size, address, readonly, &map_ret);
	if (map_ret)
		*ret = map_ret;
	return now_ns;
}

static uint64_t boot_q35(struct guest *guest, uint64_t now_ns, int *ret)
{
	const struct scenario *s = guest->world->scenario;
	uint64_t low = low_bytes(s);

	now_ns = map_same(guest, now_ns, 0, KIB(640), false, ret);
	/* The BIOS's end is seen here, read only, until the firmware makes it memory. */
	now_ns = map_same(guest, now_ns, PAM_FIRST, PAM_BYTES, true, ret);
	now_ns = map_same(guest, now_ns, MIB(1), low - MIB(1), false, ret);
	now_ns = map_same(guest, now_ns, BIOS_FIRST, BIOS_BYTES, true, ret);
	if (s->guest.memory_bytes > low)
		now_ns = map_same(guest, now_ns, HIGH_MEMORY_FIRST, s->guest.memory_bytes - low,
				  false, ret);

	/* The firmware copies itself into memory, then locks the copy. */
	now_ns = call_unmap(guest, now_ns, guest->ioas_id, PAM_FIRST, PAM_BYTES, NULL);
	now_ns = map_same(guest, now_ns, PAM_FIRST, PAM_BYTES, false, ret);
	now_ns = call_unmap(guest, now_ns, guest->ioas_id, PAM_FIRST, PAM_BYTES, NULL);
	now_ns = map_same(guest, now_ns, PAM_FIRST, KIB(32), false, ret);
	now_ns = map_same(guest, now_ns, PAM_FIRST + KIB(32), KIB(128), true, ret);
	now_ns = map_same(guest, now_ns, PAM_FIRST + KIB(160), KIB(96), true, ret);
	return now_ns;
}

uint64_t guest_boot(struct guest *guest, uint64_t now_ns)
{
	const struct scenario *s = guest->world->scenario;
	int ret = 0;

	guest->tid = guest_tid(guest, 0);
	now_ns = call_connect(guest, now_ns, &ret);
	if (ret)
		return now_ns;
	now_ns = call_alloc_ioas(guest, now_ns, &guest->ioas_id, &ret);
	if (!ret && s->guest.layout == LAYOUT_Q35)
		now_ns = boot_q35(guest, now_ns, &ret);
	else if (!ret && s->guest.layout == LAYOUT_FLAT)
		now_ns = map_same(guest, now_ns, 0, s->guest.memory_bytes, false, &ret);
	guest->booted = true;
	world_emit(guest->world, now_ns, boot, guest->index, guest->index + 1, guest->ioas_id,
		   s->guest.memory_bytes);
	return now_ns;
}

/* Unmaps each range of the layout as it was mapped last: nothing is cut. */
static uint64_t unmap_layout(struct guest *guest, uint64_t now_ns)
{
	const struct scenario *s = guest->world->scenario;
	uint64_t low = low_bytes(s);
	uint32_t ioas_id = guest->ioas_id;

	if (s->guest.layout == LAYOUT_FLAT)
		return call_unmap(guest, now_ns, ioas_id, 0, s->guest.memory_bytes, NULL);
	if (s->guest.layout != LAYOUT_Q35)
		return now_ns;
	now_ns = call_unmap(guest, now_ns, ioas_id, 0, KIB(640), NULL);
	now_ns = call_unmap(guest, now_ns, ioas_id, PAM_FIRST, KIB(32), NULL);
	now_ns = call_unmap(guest, now_ns, ioas_id, PAM_FIRST + KIB(32), KIB(128), NULL);
	now_ns = call_unmap(guest, now_ns, ioas_id, PAM_FIRST + KIB(160), KIB(96), NULL);
	now_ns = call_unmap(guest, now_ns, ioas_id, MIB(1), low - MIB(1), NULL);
	now_ns = call_unmap(guest, now_ns, ioas_id, BIOS_FIRST, BIOS_BYTES, NULL);
	if (s->guest.memory_bytes > low)
		now_ns = call_unmap(guest, now_ns, ioas_id, HIGH_MEMORY_FIRST,
				    s->guest.memory_bytes - low, NULL);
	return now_ns;
}

uint64_t guest_shut_down(struct guest *guest, uint64_t now_ns)
{
	guest->tid = guest_tid(guest, 0);
	now_ns = unmap_layout(guest, now_ns);
	now_ns = call_free_id(guest, now_ns, guest->ioas_id);
	now_ns = call_disconnect(guest, now_ns);
	guest->booted = false;
	return now_ns;
}

uint64_t guest_device_make(struct guest *guest, struct sim_device *device, enum scenario_mode mode,
			   uint64_t now_ns, int *ret)
{
	const struct scenario *s = guest->world->scenario;
	uint32_t ioas_id = guest->ioas_id;
	uint32_t flags = s->iommu.dirty_tracking ? IOMMU_HWPT_ALLOC_DIRTY_TRACKING : 0;

	now_ns = call_device_bind(device, guest, now_ns, ret);
	if (*ret)
		return now_ns;
	if (mode != MODE_PASSTHROUGH) {
		now_ns = call_alloc_ioas(guest, now_ns, &ioas_id, ret);
		if (*ret)
			return now_ns;
	}
	now_ns = call_device_attach(device, now_ns, ioas_id, flags, ret);
	device->leaf_shift = mode == MODE_PASSTHROUGH ? guest_leaf_shift(s) : LEAF_4K_SHIFT;
	return now_ns;
}

uint64_t guest_device_end(struct sim_device *device, enum scenario_mode mode, uint64_t now_ns)
{
	struct guest *guest = device->guest;
	uint32_t ioas_id = device->ioas_id;

	if (!device->bound)
		return now_ns;
	if (device->hwpt_id)
		now_ns = call_device_detach(device, now_ns);
	if (mode != MODE_PASSTHROUGH && ioas_id)
		now_ns = call_free_id(guest, now_ns, ioas_id);
	return call_device_unbind(device, now_ns);
}
