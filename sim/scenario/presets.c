/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named sets of costs. Where each number is from stands in docs/COSTS.md. */
#include <stddef.h>
#include <string.h>

#include "sim/scenario/schema.h"

/* A Sandy Bridge server with VT-d and Linux 3.4; inside a kernel, so nothing is pinned. */
#define SANDY_BRIDGE \
	"host.clock=3.1GHz", "cost.call=0ns", "cost.pin=0ns", "cost.unpin=0ns", "cost.lock=0ns", \
		"cost.map_more=1ns", "cost.unmap_more=1ns", "iommu.huge_pages=no"

/* Strict: an address is looked for among all that are taken. */
static const char *const sandy_bridge_strict[] = {
	SANDY_BRIDGE,
	"cost.iova_alloc=3986cycles",
	"cost.map=588cycles",
	"cost.iova_find=249cycles",
	"cost.iova_free=159cycles",
	"cost.unmap=438cycles",
	"iommu.invalidate=2127cycles",
	"iommu.invalidate_all=2127cycles",
	NULL,
};

/* Deferred: freed together, addresses are found sooner. */
static const char *const sandy_bridge_deferred[] = {
	SANDY_BRIDGE,
	"cost.iova_alloc=1674cycles",
	"cost.map=533cycles",
	"cost.iova_find=263cycles",
	"cost.iova_free=189cycles",
	"cost.unmap=471cycles",
	"cost.defer=205cycles",
	"iommu.invalidate=2127cycles",
	"iommu.invalidate_all=2127cycles",
	NULL,
};

/*
 * Linux before 4.7, whose search for a free address is modelled (iova_search.h): cost.iova_alloc is
 * what an allocator without a search took on the same machine (92 cycles strict, 108 deferred), and
 * a range that is passed costs what docs/COSTS.md derives.
 */
#define LINUX_SEARCH "dma.allocator=search", "cost.iova_visit=19cycles", "dma.flush_batch=250"

static const char *const linux_2_6_strict[] = {
	SANDY_BRIDGE,
	LINUX_SEARCH,
	"cost.iova_alloc=92cycles",
	"cost.map=632cycles",
	"cost.iova_find=249cycles",
	"cost.iova_free=159cycles",
	"cost.unmap=464cycles",
	"iommu.invalidate=2127cycles",
	"iommu.invalidate_all=2127cycles",
	NULL,
};

static const char *const linux_2_6_deferred[] = {
	SANDY_BRIDGE,
	LINUX_SEARCH,
	"cost.iova_alloc=108cycles",
	"cost.map=577cycles",
	"cost.iova_find=263cycles",
	"cost.iova_free=189cycles",
	"cost.unmap=471cycles",
	"cost.defer=205cycles",
	"iommu.invalidate=2127cycles",
	"iommu.invalidate_all=2127cycles",
	NULL,
};

static const char *const haswell_pcie_bench[] = {
	"host.clock=2.6GHz",
	"iommu.iotlb_entries=64",
	"iommu.iotlb_ways=64",
	"iommu.walk_cache_entries=0",
	"iommu.walk_levels=4",
	"iommu.walk_step=82ns",
	"iommu.huge_pages=no",
	NULL,
};

static const struct preset {
	const char *name;
	const char *about;
	const char *const *lines;
} presets[] = {
	{ "sandy-bridge-strict", "Xeon E3, VT-d, Linux 3.4, strict (rIOMMU, ASPLOS 2015)",
	  sandy_bridge_strict },
	{ "sandy-bridge-deferred", "the same, deferred", sandy_bridge_deferred },
	{ "linux-2.6-strict", "the same machine, with Linux's old search for a free address",
	  linux_2_6_strict },
	{ "linux-2.6-deferred", "the same, deferred", linux_2_6_deferred },
	{ "haswell-pcie-bench", "Xeon E5, 64-entry IOTLB (pcie-bench, SIGCOMM 2018)",
	  haswell_pcie_bench },
};

#define PRESETS_COUNT (sizeof(presets) / sizeof(*presets))

const char *const *schema_preset(const char *name)
{
	for (size_t i = 0; i < PRESETS_COUNT; i++) {
		if (!strcmp(presets[i].name, name))
			return presets[i].lines;
	}
	return NULL;
}

const char *const *schema_preset_names(void)
{
	static const char *const names[] = {
		"sandy-bridge-strict",
		"sandy-bridge-deferred",
		"linux-2.6-strict",
		"linux-2.6-deferred",
		"haswell-pcie-bench",
		NULL,
	};

	return names;
}

const char *schema_preset_about(const char *name)
{
	for (size_t i = 0; i < PRESETS_COUNT; i++) {
		if (!strcmp(presets[i].name, name))
			return presets[i].about;
	}
	return NULL;
}
