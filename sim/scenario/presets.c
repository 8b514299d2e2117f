/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named sets of costs. Where each number is from stands in docs/COSTS.md. */
#include <stddef.h>
#include <string.h>

#include "sim/scenario/schema.h"

/* Intel Sandy Bridge server with VT-d, Linux 3.4: the machine of rIOMMU (ASPLOS 2015). */
static const char *const sandy_bridge_linux_3_4[] = {
	"host.clock=3.1GHz",
	"cost.call=0ns",
	"cost.pin=0ns",
	"cost.unpin=0ns",
	"cost.lock=0ns",
	"cost.iova_alloc=3986cycles",
	"cost.iova_find=249cycles",
	"cost.iova_free=159cycles",
	"cost.map=588cycles",
	"cost.map_more=1ns",
	"cost.unmap=438cycles",
	"cost.unmap_more=1ns",
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
	{ "sandy-bridge-linux-3.4", "Xeon E3-1220, VT-d, Linux 3.4 (rIOMMU, ASPLOS 2015)",
	  sandy_bridge_linux_3_4 },
	{ "haswell-pcie-bench", "Xeon E5-2600 v3 or v4, 64-entry IOTLB (pcie-bench, SIGCOMM 2018)",
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
		"sandy-bridge-linux-3.4",
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
