/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program in the style of QEMU's, which knows the library only as QEMU's system/iommufd.h. */
#include "tests/qemu_api/stub_vfio.h"

#include "system/iommufd.h"

#define RAM_BYTES (2ul << 20)

static bool mistakes; /* of a VMM, so that the calls fail */

int qemu_open(const char *path, int flags, Error **errp)
{
	(void)path;
	(void)flags;
	(void)errp;
	abort(); /* the library opens the device */
}

/* Says why a call failed, as QEMU's callers do. */
static void tell(const char *what, Error *err)
{
	printf("%s: %s (errno %d)\n", what, err ? error_get_pretty(err) : "no error", errno);
	error_free(err);
}

static void map_and_unmap(IOMMUFDBackend *be, uint32_t ioas, int memfd, void *ram)
{
	if (iommufd_backend_map_dma(be, ioas, 0, RAM_BYTES, ram, false))
		printf("map_dma failed: %d\n", errno);
	if (iommufd_backend_map_file_dma(be, ioas, RAM_BYTES, RAM_BYTES, memfd, 0, false))
		printf("map_file_dma failed: %d\n", errno);
	if (mistakes)
		printf("mapping again gives %d\n",
		       iommufd_backend_map_dma(be, ioas, 0, RAM_BYTES, ram, false));
	printf("unmapping everything gives %d\n",
	       iommufd_backend_unmap_dma(be, ioas, 0, UINT64_MAX));
	printf("unmapping nothing gives %d\n",
	       iommufd_backend_unmap_dma(be, ioas, 0, RAM_BYTES));
}

static void make_mistakes(IOMMUFDBackend *be, uint32_t ioas)
{
	Error *err = NULL;
	uint32_t hwpt;

	if (!iommufd_backend_alloc_hwpt(be, ioas, ioas, 0, IOMMU_HWPT_DATA_NONE, 0, NULL, &hwpt,
					&err))
		tell("alloc_hwpt for what is no device", err);
	if (!iommufd_backend_alloc_hwpt(be, ioas, ioas, 0, IOMMU_HWPT_DATA_NONE, 0, NULL, &hwpt,
					NULL))
		printf("who does not want the error gets none\n");
}

static void use(IOMMUFDBackend *be, int memfd, void *ram)
{
	Error *err = NULL;
	uint32_t ioas;

	printf("fd is open: %d, owned: %d, users: %u\n", be->fd >= 0, be->owned, be->users);
	if (!iommufd_backend_alloc_ioas(be, &ioas, &err)) {
		tell("alloc_ioas", err);
		return;
	}
	map_and_unmap(be, ioas, memfd, ram);
	if (mistakes)
		make_mistakes(be, ioas);
	printf("the kernel changes the process: %d\n", iommufd_change_process_capable(be));
	iommufd_backend_free_id(be, ioas);
}

int main(int argc, char **argv)
{
	int memfd = memfd_create("ram", 0);
	void *ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	IOMMUFDBackend be = { .fd = -1 };
	Error *err = NULL;

	if (memfd < 0 || ftruncate(memfd, RAM_BYTES) || ram == MAP_FAILED)
		return 1;
	mistakes = argc > 1 && !strcmp(argv[1], "wrong");
	ioasis_qemu_init(&be, "i0");
	if (!ioasis_qemu_set_fd(&be, "x", &err)) {
		tell("set_fd", err);
		err = NULL;
	}
	if (!ioasis_qemu_complete(&be, &err) || !iommufd_backend_connect(&be, &err)) {
		tell("connect", err);
		return 1;
	}
	use(&be, memfd, ram);
	iommufd_backend_disconnect(&be);
	printf("fd is open: %d, users: %u\n", be.fd >= 0, be.users);
	ioasis_qemu_finalize(&be);
	return 0;
}
