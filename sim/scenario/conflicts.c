/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/conflicts.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static bool is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

static bool bad_sets(const struct scenario *s)
{
	return s->iommu.iotlb_ways > s->iommu.iotlb_entries ||
	       s->iommu.iotlb_entries % s->iommu.iotlb_ways ||
	       !is_power_of_two(s->iommu.iotlb_entries / s->iommu.iotlb_ways);
}

static bool bad_page(const struct scenario *s)
{
	return s->guest.page_bytes != 4096 && s->guest.page_bytes != 2 * MIB &&
	       s->guest.page_bytes != GIB;
}

static bool bad_memory(const struct scenario *s)
{
	return s->guest.memory_bytes % MIB;
}

static bool bad_dimm(const struct scenario *s)
{
	return s->memory_hotplug.dimm_bytes % (2 * MIB);
}

static bool bad_block(const struct scenario *s)
{
	return !is_power_of_two(s->balloon.block_bytes) ||
	       s->balloon.region_bytes % s->balloon.block_bytes;
}

static bool migrates_blindly(const struct scenario *s)
{
	return s->has[SECTION_MIGRATION] && !s->iommu.dirty_tracking;
}

static bool migrates_nothing(const struct scenario *s)
{
	return s->has[SECTION_MIGRATION] && s->guest.layout == LAYOUT_NONE;
}

static bool nic_without_memory(const struct scenario *s)
{
	return s->has[SECTION_NIC] && s->nic.mode == MODE_PASSTHROUGH &&
	       s->guest.layout == LAYOUT_NONE;
}

static bool nvme_without_memory(const struct scenario *s)
{
	return s->has[SECTION_NVME] && s->nvme.mode == MODE_PASSTHROUGH &&
	       s->guest.layout == LAYOUT_NONE;
}

static bool nvme_partial_pages(const struct scenario *s)
{
	return s->nvme.block_bytes % 4096;
}

static bool nvme_large_block(const struct scenario *s)
{
	return s->has[SECTION_NVME] && s->nvme.block_bytes + 2 * MIB > s->guest.memory_bytes;
}

static bool nic_large_packet(const struct scenario *s)
{
	return s->nic.packet_bytes > s->nic.bytes_per_map * s->nic.buffers;
}

static bool nic_bad_pool(const struct scenario *s)
{
	return s->has[SECTION_NIC] && (s->nic.pool_bytes < s->nic.bytes_per_map ||
				       s->nic.pool_bytes + 4 * MIB > s->guest.memory_bytes ||
				       s->nic.pool_bytes > GIB);
}

static bool nic_partial_pages(const struct scenario *s)
{
	return s->nic.bytes_per_map % 4096;
}

static bool fault_without_driver(const struct scenario *s)
{
	return s->has[SECTION_FAULTS] && s->faults.kind != FAULT_NONE && !s->has[SECTION_NIC];
}

static bool fault_without_maps(const struct scenario *s)
{
	return s->has[SECTION_FAULTS] && s->faults.kind != FAULT_NONE &&
	       s->nic.mode == MODE_PASSTHROUGH;
}

static bool small_aperture(const struct scenario *s)
{
	return (s->has[SECTION_NIC] &&
		s->dma.aperture_bytes / s->nic.bytes_per_map < 4 * s->nic.ring * s->nic.buffers) ||
	       (s->has[SECTION_NVME] &&
		s->dma.aperture_bytes / s->nvme.block_bytes < 4 * s->nvme.depth);
}

static bool nic_of_nobody(const struct scenario *s)
{
	return s->has[SECTION_NIC] && s->nic.first_guest >= s->guest.count;
}

static bool nvme_of_nobody(const struct scenario *s)
{
	return s->has[SECTION_NVME] && s->nvme.first_guest >= s->guest.count;
}

static const struct conflict {
	size_t offset;
	bool (*is_there)(const struct scenario *scenario);
	const char *text;
} conflicts[] = {
#define BLAMES(member) offsetof(struct scenario, member)
	{ BLAMES(iommu.iotlb_ways), bad_sets,
	  "entries / ways is not a power of two; write ways that give 1, 2, 4 ... sets" },
	{ BLAMES(guest.page_bytes), bad_page, "is no page size; write 4KiB, 2MiB or 1GiB" },
	{ BLAMES(guest.memory_bytes), bad_memory,
	  "is no whole number of MiB; write one like 512MiB" },
	{ BLAMES(memory_hotplug.dimm_bytes), bad_dimm,
	  "is no multiple of 2MiB; write one like 1GiB" },
	{ BLAMES(balloon.block_bytes), bad_block,
	  "is no power of two that divides balloon.region; write one like 2MiB" },
	{ BLAMES(iommu.dirty_tracking), migrates_blindly,
	  "migration needs dirty bits; write yes, or remove the migration" },
	{ BLAMES(guest.layout), migrates_nothing,
	  "migration needs memory that is mapped; write q35 or flat" },
	{ BLAMES(nic.mode), nic_without_memory,
	  "passthrough needs memory that is mapped; write strict or deferred, or guest.layout: "
	  "q35" },
	{ BLAMES(nvme.mode), nvme_without_memory,
	  "passthrough needs memory that is mapped; write strict or deferred, or guest.layout: "
	  "q35" },
	{ BLAMES(nvme.block_bytes), nvme_partial_pages,
	  "is no whole number of pages; write one like 4KiB" },
	{ BLAMES(nvme.block_bytes), nvme_large_block,
	  "does not fit into the guest; write at most 2MiB less than guest.memory" },
	{ BLAMES(nic.packet_bytes), nic_large_packet,
	  "is larger than its buffers; write at most nic.map_bytes * nic.buffers" },
	{ BLAMES(nic.pool_bytes), nic_bad_pool,
	  "does not fit; write at least nic.map_bytes, at most 1GiB and 4MiB less than "
	  "guest.memory" },
	{ BLAMES(nic.bytes_per_map), nic_partial_pages,
	  "is no whole number of pages; write one like 4KiB" },
	{ BLAMES(nic.first_guest), nic_of_nobody,
	  "there is no such guest; they count from 0, write less than guest.count" },
	{ BLAMES(nvme.first_guest), nvme_of_nobody,
	  "there is no such guest; they count from 0, write less than guest.count" },
	{ BLAMES(faults.kind), fault_without_driver,
	  "there is no driver to do it; add a nic section" },
	{ BLAMES(nic.mode), fault_without_maps,
	  "a faulty driver must map buffers; write strict or deferred" },
	{ BLAMES(dma.aperture_bytes), small_aperture,
	  "has no room for a ring; write at least four times nic.ring * nic.buffers * "
	  "nic.map_bytes, and nvme.depth * nvme.block" },
};

const char *scenario_conflict(const struct scenario *scenario, size_t *offset)
{
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(*conflicts); i++) {
		if (conflicts[i].is_there(scenario)) {
			*offset = conflicts[i].offset;
			return conflicts[i].text;
		}
	}
	return NULL;
}
