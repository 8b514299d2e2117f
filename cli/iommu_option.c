/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/iommu_option.h"
#include "cli/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASID_BITS_MAX 20u /* of PCI Express */

static bool set_width(struct engine_iommu *iommu, const char *value)
{
	uint64_t bits;

	if (!cli_parse_u64(value, &bits) || (bits != 39 && bits != 48 && bits != 57))
		return false;
	iommu->address_bits = (unsigned int)bits;
	return true;
}

static bool set_pasid(struct engine_iommu *iommu, const char *value)
{
	uint64_t bits;

	if (!cli_parse_u64(value, &bits) || bits > PASID_BITS_MAX)
		return false;
	iommu->pasid_bits = (unsigned int)bits;
	return true;
}

static bool set_dirty(struct engine_iommu *iommu, const char *value)
{
	iommu->no_dirty_tracking = !strcmp(value, "off");
	return iommu->no_dirty_tracking || !strcmp(value, "on");
}

/* Whole pages, as an IOMMU's are. */
static bool set_reserved(struct engine_iommu *iommu, const char *value)
{
	struct engine_iova_range range;
	const char *dash = strchr(value, '-');
	char first[32];

	if (!dash || (size_t)(dash - value) >= sizeof(first) ||
	    iommu->reserved_count == ENGINE_RESERVED_MAX)
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)(dash - value), value);
	if (!cli_parse_u64(first, &range.start) || !cli_parse_u64(dash + 1, &range.last) ||
	    range.last < range.start || range.start % ENGINE_PAGE_SIZE ||
	    range.last % ENGINE_PAGE_SIZE != ENGINE_PAGE_SIZE - 1)
		return false;
	iommu->reserved[iommu->reserved_count++] = range;
	return true;
}

static const struct {
	const char *name;
	bool (*set)(struct engine_iommu *iommu, const char *value);
	const char *valid;
} keys[] = {
	{ "aw", set_width, "39, 48 or 57 bits of address" },
	{ "pasid", set_pasid, "0 to 20 bits" },
	{ "dirty", set_dirty, "on or off" },
	{ "reserved", set_reserved,
	  "whole pages such as 0x8000000-0x80fffff, at most 15 such ranges" },
};

static bool set_key(struct engine_iommu *iommu, const char *text, char *pair,
		    char why[IOMMU_OPTION_WHY_BYTES])
{
	char *value = strchr(pair, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].name, pair))
			continue;
		if (value && keys[i].set(iommu, value))
			return true;
		snprintf(why, IOMMU_OPTION_WHY_BYTES, "--iommu '%.64s': %s takes %s", text, pair,
			 keys[i].valid);
		return false;
	}
	snprintf(why, IOMMU_OPTION_WHY_BYTES,
		 "--iommu '%.64s': no key '%.32s'; it has aw, pasid, dirty, reserved", text, pair);
	return false;
}

/* What is reserved lies where the IOMMU has addresses, and leaves a page of them. */
static bool check_reserved(const struct engine_iommu *iommu, const char *text,
			   char why[IOMMU_OPTION_WHY_BYTES])
{
	uint64_t last = (UINT64_C(1) << iommu->address_bits) - 1, free_at = 0;

	for (unsigned int i = 0; i < iommu->reserved_count; i++) {
		const struct engine_iova_range *range = &iommu->reserved[i];

		if (range->start > last) {
			snprintf(why, IOMMU_OPTION_WHY_BYTES,
				 "--iommu '%.64s': 0x%" PRIx64 " lies behind the last address of "
				 "%u bits", text, range->start, iommu->address_bits);
			return false;
		}
		/* Each range can move the first free page once: start over. */
		if (range->start <= free_at && range->last >= free_at) {
			free_at = range->last + 1;
			i = (unsigned int)-1;
			if (!free_at || free_at > last) {
				snprintf(why, IOMMU_OPTION_WHY_BYTES,
					 "--iommu '%.64s': nothing is left to map; leave some of the "
					 "%u bits of addresses free", text, iommu->address_bits);
				return false;
			}
		}
	}
	return true;
}

bool iommu_option_parse(const char *text, struct engine_iommu *iommu,
			char why[IOMMU_OPTION_WHY_BYTES])
{
	char *copy = strdup(text), *rest = copy, *pair;
	bool good = copy != NULL;

	if (!copy)
		snprintf(why, IOMMU_OPTION_WHY_BYTES, "out of memory");
	while (good && (pair = strsep(&rest, ",")))
		good = set_key(iommu, text, pair, why);
	if (good)
		good = check_reserved(iommu, text, why);
	free(copy);
	return good;
}
