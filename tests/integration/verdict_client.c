/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Correct programs, and a few that are not, on the backend library or without it: what the
 * verdict must say of them is in tests/integration/verdict.sh.
 *
 *	verdict_client WHAT
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ioasis/iommufd_backend.h>

#define MAP_BYTES (2u << 20)
#define MAP_IOVA 0x200000u

static int expect(int ret, int wanted, const char *what)
{
	if (ret == wanted)
		return 0;
	fprintf(stderr, "verdict_client: %s gave %d instead of %d\n", what, ret, wanted);
	return 1;
}

/* Maps, unmaps everything twice, frees: as QEMU does. */
static int unmap_all(void)
{
	IOMMUFDBackend *be = iommufd_backend_new("verdict");
	void *memory = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t ioas;
	int failed;

	if (!be || memory == MAP_FAILED || iommufd_backend_connect(be, NULL) ||
	    iommufd_backend_alloc_ioas(be, &ioas, NULL))
		return 1;
	failed = expect(iommufd_backend_map_dma(be, ioas, MAP_IOVA, MAP_BYTES, memory, false), 0,
			"map") |
		 expect(iommufd_backend_unmap_dma(be, ioas, 0, UINT64_MAX), 0, "unmap") |
		 expect(iommufd_backend_unmap_dma(be, ioas, 0, UINT64_MAX), 0, "second unmap");
	iommufd_backend_free_id(be, ioas);
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
	return failed;
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "unmap-all"))
		return unmap_all();
	if (!strcmp(what, "exec-twice")) {
		if (unmap_all())
			return 1;
		execl("/proc/self/exe", argv[0], "unmap-all", NULL);
		return 1;
	}
	fprintf(stderr, "usage: verdict_client unmap-all|exec-twice\n");
	return 2;
}
