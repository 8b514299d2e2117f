/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes that a VMM can make, each planted into a run that is right otherwise.
 *
 * A row says which invariant the mistake breaks and which call is to blame; the
 * tests hold the checker to it. Where the kernel would refuse the call, the row
 * wants the device that says yes to everything.
 */
#include "sim/vmm/vmm.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

/* Addresses that nothing else in the VMM uses, in either address space. */
#define SCRATCH (1ull << 36)
#define SCRATCH_BYTES 65536u
#define NO_SUCH_ID 4711u

static int scratch_map(struct vmm *vmm, uint32_t ioas, uint64_t iova, uint64_t size, bool readonly)
{
	return vmm_map(vmm, ioas, iova, size, vmm->buffers_offset, readonly);
}

static int ioas_alloc(struct vmm *vmm, uint32_t *ioas)
{
	return iommufd_backend_alloc_ioas(vmm->be, ioas, NULL);
}

/* ---- mappings -------------------------------------------------------------- */

static int double_map(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES, false);
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES, false);
	return vmm_unmap(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES);
}

static int overlap_by_one_byte(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, 2 * VMM_PAGE, false);
	scratch_map(vmm, vmm->ioas_memory, SCRATCH + 2 * VMM_PAGE - 1, VMM_PAGE, false);
	return vmm_unmap(vmm, vmm->ioas_memory, SCRATCH, 4 * VMM_PAGE);
}

static int unmap_twice(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES, false);
	vmm_unmap(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES);
	return vmm_unmap(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES);
}

/* Of what was mapped at boot: the first half of conventional memory. */
static int partial_unmap(struct vmm *vmm)
{
	const struct vmm_section *section = &vmm->sections[0];

	return vmm_unmap(vmm, vmm->ioas_memory, section->iova, section->size / 2);
}

static int off_by_one_length(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES, false);
	return vmm_unmap(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES - 1);
}

static int wrong_address_space(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES, false);
	vmm_unmap(vmm, vmm->ioas_viommu, SCRATCH, SCRATCH_BYTES);
	return vmm_unmap(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES);
}

/* ---- ids ---------------------------------------------------------------------- */

static int unknown_id(struct vmm *vmm)
{
	scratch_map(vmm, NO_SUCH_ID, SCRATCH, SCRATCH_BYTES, false);
	return 0;
}

/* An address space that was freed, with a mapping in it if so wished. */
static int ioas_freed(struct vmm *vmm, bool mapped, uint32_t *ioas)
{
	int ret = ioas_alloc(vmm, ioas);

	if (ret)
		return ret;
	if (mapped)
		scratch_map(vmm, *ioas, SCRATCH, SCRATCH_BYTES, false);
	iommufd_backend_free_id(vmm->be, *ioas);
	return 0;
}

static int use_after_free(struct vmm *vmm)
{
	uint32_t ioas;
	int ret = ioas_freed(vmm, false, &ioas);

	if (!ret)
		scratch_map(vmm, ioas, SCRATCH, SCRATCH_BYTES, false);
	return ret;
}

static int double_free(struct vmm *vmm)
{
	uint32_t ioas;
	int ret = ioas_freed(vmm, false, &ioas);

	if (!ret)
		iommufd_backend_free_id(vmm->be, ioas);
	return ret;
}

/* One part of the VMM frees an address space; another still has a mapping there. */
static int freed_while_in_use(struct vmm *vmm)
{
	uint32_t ioas;
	int ret = ioas_freed(vmm, true, &ioas);

	if (!ret)
		vmm_unmap(vmm, ioas, SCRATCH, SCRATCH_BYTES);
	return ret;
}

struct race {
	struct vmm *vmm;
	uint32_t ioas;
	uint32_t rounds; /* done; __atomic */
	uint32_t limit;	 /* how many may be done; __atomic */
	bool stop;	 /* __atomic */
};

static uint32_t race_rounds(const struct race *race)
{
	return __atomic_load_n(&race->rounds, __ATOMIC_ACQUIRE);
}

static void race_round_done(struct race *race)
{
	__atomic_add_fetch(&race->rounds, 1, __ATOMIC_RELEASE);
	sched_yield();
}

static void race_wait(const struct race *race, uint32_t rounds)
{
	while (race_rounds(race) < rounds)
		sched_yield();
}

static void *race_map(void *opaque)
{
	struct race *race = opaque;

	while (!__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		if (race_rounds(race) < __atomic_load_n(&race->limit, __ATOMIC_ACQUIRE)) {
			scratch_map(race->vmm, race->ioas, SCRATCH, SCRATCH_BYTES, false);
			vmm_unmap(race->vmm, race->ioas, SCRATCH, SCRATCH_BYTES);
		}
		race_round_done(race);
	}
	return NULL;
}

/* A thread maps and unmaps; this one frees the address space without telling it. */
static int free_races_map(struct vmm *vmm)
{
	struct race race = { .vmm = vmm, .limit = 20 };
	pthread_t thread;
	int ret = ioas_alloc(vmm, &race.ioas);

	if (ret)
		return ret;
	iommufd_backend_set_report_hook(vmm->be, NULL, NULL);
	ret = -pthread_create(&thread, NULL, race_map, &race);
	if (ret)
		return ret;
	race_wait(&race, 2);
	iommufd_backend_free_id(vmm->be, race.ioas);
	/* At least one more round begins now that the space is gone. */
	__atomic_store_n(&race.limit, race_rounds(&race) + 3, __ATOMIC_RELEASE);
	race_wait(&race, race.limit);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	return 0;
}

/* ---- order: rules of analysis/rules ---------------------------------------------- */

static int alloc_before_connect(struct vmm *vmm)
{
	uint32_t ioas;

	ioas_alloc(vmm, &ioas);
	return 0;
}

/* Works, and leaves nothing: but who forgot the mapping is not seen any more. */
static int free_before_unmap(struct vmm *vmm)
{
	uint32_t ioas;

	return ioas_freed(vmm, true, &ioas);
}

static int dirty_read_before_on(struct vmm *vmm)
{
	uint32_t hwpt;
	uint64_t bits;
	int ret = iommufd_backend_alloc_hwpt(vmm->be_viommu, 1, vmm->ioas_viommu,
					     IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
					     IOMMU_HWPT_DATA_NONE, 0, NULL, &hwpt, NULL);

	if (ret)
		return ret;
	iommufd_backend_get_dirty_bitmap(vmm->be_viommu, hwpt, SCRATCH, SCRATCH_BYTES, VMM_PAGE,
					 &bits, 0, NULL);
	iommufd_backend_free_id(vmm->be_viommu, hwpt);
	return 0;
}

/* ---- connections and what is left ------------------------------------------------ */

static int refcount_underflow(struct vmm *vmm)
{
	vmm->extra_disconnect = true;
	return 0;
}

static int lost_disconnect(struct vmm *vmm)
{
	vmm->keep_users = true;
	return 0;
}

static int leak(struct vmm *vmm)
{
	uint32_t ioas;
	int ret = ioas_alloc(vmm, &ioas);

	return ret ? ret : scratch_map(vmm, ioas, SCRATCH, SCRATCH_BYTES, false);
}

/* All is given back already, so nothing else goes wrong; then another part wants a space. */
static int close_passed_fd(struct vmm *vmm)
{
	uint32_t ioas;

	vmm_nic_destroy(vmm);
	vmm_memory_unmap(vmm);
	vmm_free_ioas(vmm);
	vmm->ops.close(vmm->ops_opaque, vmm->passed_fd);
	vmm->passed_fd = -1;
	ioas_alloc(vmm, &ioas);
	return 0;
}

/* ---- DMA ----------------------------------------------------------------------------- */

static int write_readonly(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_viommu, SCRATCH, SCRATCH_BYTES, true);
	vmm_nic_dma(vmm, SCRATCH, VMM_PAGE, true);
	return vmm_unmap(vmm, vmm->ioas_viommu, SCRATCH, SCRATCH_BYTES);
}

static int dma_too_long(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_viommu, SCRATCH, VMM_PAGE, false);
	vmm_nic_dma(vmm, SCRATCH, VMM_PAGE + 1, false);
	return vmm_unmap(vmm, vmm->ioas_viommu, SCRATCH, VMM_PAGE);
}

static void *dma_until_fault(void *opaque)
{
	struct race *race = opaque;

	while (!vmm_nic_dma(race->vmm, SCRATCH, SCRATCH_BYTES, true))
		race_round_done(race);
	return NULL;
}

/* The driver unmaps its buffer and never told the device to stop. */
static int unmap_under_dma(struct vmm *vmm)
{
	struct race race = { .vmm = vmm };
	pthread_t thread;
	int ret = scratch_map(vmm, vmm->ioas_viommu, SCRATCH, SCRATCH_BYTES, false);

	if (!ret)
		ret = -pthread_create(&thread, NULL, dma_until_fault, &race);
	if (ret)
		return ret;
	race_wait(&race, 2);
	ret = vmm_unmap(vmm, vmm->ioas_viommu, SCRATCH, SCRATCH_BYTES);
	pthread_join(thread, NULL);
	return ret;
}

/* ---- a device that lies once --------------------------------------------------------- */

struct liar {
	IOMMUFDDeviceOps ops;
	void *opaque;
	unsigned long request; /* the next of these is lied about */
	int lie;	       /* 0: "done" without doing it; an errno: refused with it */
	bool armed;
	pthread_t thread; /* whose call it is */
};

static struct liar liar;

static int liar_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	(void)opaque;
	if (__atomic_load_n(&liar.armed, __ATOMIC_ACQUIRE) && request == liar.request &&
	    pthread_equal(liar.thread, pthread_self())) {
		__atomic_store_n(&liar.armed, false, __ATOMIC_RELEASE);
		errno = liar.lie;
		return liar.lie ? -1 : 0;
	}
	return liar.ops.ioctl(liar.opaque, fd, request, arg);
}

/* The ioctl is replaced in the table that the backend already uses. */
static void liar_install(struct vmm *vmm, unsigned long request, int lie)
{
	if (vmm->ops.ioctl != liar_ioctl) {
		liar.ops = vmm->ops;
		liar.opaque = vmm->ops_opaque;
	}
	liar.request = request;
	liar.lie = lie;
	liar.thread = pthread_self();
	__atomic_store_n(&liar.armed, true, __ATOMIC_RELEASE);
	vmm->ops.ioctl = liar_ioctl;
}

static int lost_unmap(struct vmm *vmm)
{
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES, false);
	liar_install(vmm, IOMMU_IOAS_UNMAP, 0);
	return vmm_unmap(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES);
}

static int strange_errno(struct vmm *vmm)
{
	liar_install(vmm, IOMMU_IOAS_MAP, EPIPE);
	scratch_map(vmm, vmm->ioas_memory, SCRATCH, SCRATCH_BYTES, false);
	return 0;
}

#define ANY VMM_DEVICE_PATH
#define NAIVE VMM_DEVICE_NAIVE
#define INPROC VMM_DEVICE_INPROC

const struct vmm_fault vmm_faults[] = {
	{ "alloc-before-connect", "connect_before_alloc", "alloc",
	  "wants an address space before it is connected", ANY, .before = alloc_before_connect },
	{ "close-passed-fd", "fd-ownership", "alloc_ioas",
	  "closes the fd that it handed to the backend, which still uses it", ANY, true,
	  .after = close_passed_fd },
	{ "dma-too-long", "dma-outside", "device", "a device reads one byte more than is mapped",
	  INPROC, .during = dma_too_long },
	{ "dirty-read-before-on", "dirty_on_before_read", "dirty",
	  "reads dirty bits before it turns tracking on", NAIVE,
	  .during = dirty_read_before_on },
	{ "double-free", "double-free", "free_id", "frees an address space twice", ANY,
	  .during = double_free },
	{ "double-map", "overlap", "map_dma", "maps the same addresses twice", ANY,
	  .during = double_map },
	{ "free-before-unmap", "free_after_unmap", "free",
	  "frees an address space that still has a mapping", ANY, .during = free_before_unmap },
	{ "free-races-map", "use-after-free", "map_dma",
	  "a thread frees an address space in which another still maps", ANY,
	  .during = free_races_map },
	{ "freed-in-use", "use-after-free", "unmap_dma",
	  "frees an address space that has mappings, then unmaps them", ANY,
	  .during = freed_while_in_use },
	{ "leak", "leak", "ioas", "never frees an address space and its mapping", ANY,
	  .during = leak },
	{ "lost-disconnect", "leak", "connect", "never gives back its last connection", ANY,
	  .after = lost_disconnect },
	{ "lost-unmap", "layers-agree", "unmap_dma",
	  "a device answers that it unmapped, and did not", INPROC, .after = lost_unmap },
	{ "off-by-one-length", "partial-unmap", "unmap_dma", "unmaps one byte less than it mapped",
	  ANY, .during = off_by_one_length },
	{ "overlap-by-one-byte", "overlap", "map_dma",
	  "maps a page that shares one byte with a mapping", NAIVE,
	  .during = overlap_by_one_byte },
	{ "partial-unmap", "partial-unmap", "unmap_dma",
	  "unmaps half of a piece of guest memory", ANY,
	  .during = partial_unmap },
	{ "refcount-underflow", "users", "disconnect", "disconnects once more than it connected",
	  ANY, .after = refcount_underflow },
	{ "strange-errno", "errno", "map_dma", "a device refuses a map with EPIPE", ANY,
	  .after = strange_errno },
	{ "unknown-id", "unknown-id", "map_dma", "maps in an address space that never was", ANY,
	  .during = unknown_id },
	{ "unmap-twice", "unmap-unmapped", "unmap_dma", "unmaps the same addresses twice", NAIVE,
	  .during = unmap_twice },
	{ "unmap-under-dma", "dma-outside", "unmap", "unmaps a buffer while a device writes to it",
	  INPROC, .during = unmap_under_dma },
	{ "use-after-free", "use-after-free", "map_dma", "maps in an address space that it freed",
	  ANY, .during = use_after_free },
	{ "write-readonly", "dma-outside", "device", "a device writes to a readonly mapping",
	  INPROC, .during = write_readonly },
	{ "wrong-address-space", "unmap-unmapped", "unmap_dma",
	  "unmaps in another address space than it mapped in", NAIVE,
	  .during = wrong_address_space },
	{ .name = NULL },
};
