/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as QEMU's PC lays it out, and as its memory listener maps it:
 * one mapping for each flat section that is RAM or ROM.
 *
 *	0		conventional memory
 *	a0000		(VGA: not memory)
 *	c0000		option ROMs, readonly
 *	e0000		the last 128 KiB of the firmware again (an alias), readonly
 *	100000		RAM, up to 3 GiB
 *	c0000000	(PCI: not memory)
 *	fffc0000	firmware, readonly
 *	100000000	the rest of RAM
 *	above that	memory modules that are plugged in later
 *
 * Host memory is one mapping, anonymous or of a memfd, that is never touched here:
 * only the IOMMU sees the addresses.
 */
#include "sim/vmm/vmm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB 1024ull
#define GIB (1ull << 30)
#define LOW_RAM_MAX (3 * GIB)
#define HIGH_RAM (4 * GIB)
#define OPTION_ROM_BYTES (128 * KIB)
#define FIRMWARE_BYTES (256 * KIB)
#define ALIAS_BYTES (128 * KIB)
#define MODULES_MAX 4u

static void section_add(struct vmm *vmm, const char *name, uint64_t iova, uint64_t size,
			uint64_t offset, bool readonly)
{
	struct vmm_section *section = &vmm->sections[vmm->section_count++];

	*section = (struct vmm_section){ name, iova, size, offset, readonly, false };
}

/* Where the modules' addresses begin: at the next GiB above RAM. */
static uint64_t modules_iova(const struct vmm *vmm)
{
	uint64_t ram = vmm->config->ram_bytes;
	uint64_t end = ram > LOW_RAM_MAX ? HIGH_RAM + ram - LOW_RAM_MAX : HIGH_RAM;

	return (end + GIB - 1) / GIB * GIB;
}

static int host_memory_map(struct vmm *vmm)
{
	int flags = vmm->config->memfd ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;

	if (vmm->config->memfd) {
		vmm->memfd = memfd_create("guest memory", MFD_CLOEXEC);
		if (vmm->memfd < 0 || ftruncate(vmm->memfd, (off_t)vmm->host_bytes))
			return -errno;
	}
	vmm->host = mmap(NULL, vmm->host_bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE,
			 vmm->memfd, 0);
	if (vmm->host == MAP_FAILED) {
		vmm->host = NULL;
		return -errno;
	}
	return 0;
}

int vmm_memory_init(struct vmm *vmm)
{
	uint64_t ram = vmm->config->ram_bytes;
	uint64_t low = ram < LOW_RAM_MAX ? ram : LOW_RAM_MAX;
	int ret;

	vmm->rom_offset = ram;
	vmm->module_offset = vmm->rom_offset + OPTION_ROM_BYTES + FIRMWARE_BYTES;
	vmm->buffers_offset = vmm->module_offset + MODULES_MAX * VMM_MODULE_BYTES;
	vmm->host_bytes = vmm->buffers_offset + VMM_BUFFERS_BYTES;
	ret = host_memory_map(vmm);
	if (ret) {
		vmm_say("no address space for %llu MiB of guest memory: %s",
			(unsigned long long)(vmm->host_bytes >> 20), strerror(-ret));
		return ret;
	}
	section_add(vmm, "conventional memory", 0, 640 * KIB, 0, false);
	section_add(vmm, "option ROMs", 0xc0000, OPTION_ROM_BYTES, vmm->rom_offset, true);
	section_add(vmm, "firmware alias", 0xe0000, ALIAS_BYTES,
		    vmm->module_offset - ALIAS_BYTES, true);
	section_add(vmm, "low RAM", 0x100000, low - 0x100000, 0x100000, false);
	section_add(vmm, "firmware", HIGH_RAM - FIRMWARE_BYTES, FIRMWARE_BYTES,
		    vmm->rom_offset + OPTION_ROM_BYTES, true);
	if (ram > low)
		section_add(vmm, "high RAM", HIGH_RAM, ram - low, low, false);
	return 0;
}

static int section_map(struct vmm *vmm, struct vmm_section *section)
{
	int ret = vmm_map(vmm, vmm->ioas_memory, section->iova, section->size, section->offset,
			  section->readonly);

	section->mapped = !ret;
	if (ret)
		vmm_say("mapping %s failed: %s", section->name, strerror(-ret));
	return ret;
}

/* What cannot be unmapped is tried once more. */
static void section_unmap(struct vmm *vmm, struct vmm_section *section)
{
	for (int i = 0; section->mapped && i < 2; i++)
		section->mapped = vmm_unmap(vmm, vmm->ioas_memory, section->iova,
					    section->size) != 0;
}

int vmm_memory_map(struct vmm *vmm)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < vmm->section_count; i++)
		ret = section_map(vmm, &vmm->sections[i]);
	return ret;
}

void vmm_memory_unmap(struct vmm *vmm)
{
	for (uint32_t i = vmm->section_count; i-- > 0;)
		section_unmap(vmm, &vmm->sections[i]);
}

/*
 * Modules go into one slot after the other; the one that was there leaves first.
 * A module that cannot be mapped is not plugged: the guest goes on without it.
 */
void vmm_memory_hotplug(struct vmm *vmm)
{
	struct vmm_section modules[MODULES_MAX] = { 0 };
	uint64_t base = modules_iova(vmm);
	uint32_t hotplugs = vmm->config->hotplugs;

	for (uint32_t i = 0; i < hotplugs + MODULES_MAX; i++) {
		uint32_t slot = i % MODULES_MAX;
		struct vmm_section *module = &modules[slot];

		section_unmap(vmm, module);
		if (module->mapped || i >= hotplugs)
			continue;
		*module = (struct vmm_section){
			.name = "a memory module",
			.iova = base + slot * VMM_MODULE_BYTES,
			.size = VMM_MODULE_BYTES,
			.offset = vmm->module_offset + slot * VMM_MODULE_BYTES,
		};
		section_map(vmm, module);
	}
}

void vmm_memory_fini(struct vmm *vmm)
{
	if (vmm->host)
		munmap(vmm->host, vmm->host_bytes);
	vmm->host = NULL;
	if (vmm->memfd >= 0)
		close(vmm->memfd);
	vmm->memfd = -1;
}
