/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ids_client DEVICE FIRST LAST: names a freed id in every way that the catalogue knows, with raw
 * ioctls of the numbers FIRST to LAST, and prints a line `NAME MEMBER ID` for each. A new command
 * is tried at once.
 */
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tracepoints/commands.h"

static int device;

static unsigned int alloc_ioas(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	return ioctl(device, IOMMU_IOAS_ALLOC, &alloc) ? 0 : alloc.out_ioas_id;
}

static unsigned int freed_ioas(void)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = alloc_ioas() };

	return ioctl(device, IOMMU_DESTROY, &destroy) ? 0 : destroy.id;
}

/* A way: the member is a freed id, all that comes with it as the condition wants. */
#define TRY(member, prepare)                                                           \
	{                                                                              \
		unsigned int freed = freed_ioas();                                     \
                                                                                       \
		memset(arg, 0, sizeof(*arg));                                          \
		arg->size = sizeof(*arg);                                              \
		prepare;                                                               \
		arg->member = freed;                                                   \
		if (ioctl(device, cmd, arg) != -1)                                     \
			return 1;                                                      \
		printf("%s %s %u\n", name, #member, freed);                            \
	}
#define ID(member) TRY(member, (void)0)
#define ID_EINVAL(member) TRY(member, (void)0)
#define OPTIONAL_ID(member, condition) TRY(member, prepare_##member(arg))
#define RANGE(iova, length)

/* What makes the kernel look at an id that it needs only sometimes. */
static void prepare_object_id(struct iommu_option *arg)
{
	arg->option_id = IOMMU_OPTION_HUGE_PAGES;
}

static void prepare_ioas_id(struct iommu_vfio_ioas *arg)
{
	arg->op = IOMMU_VFIO_IOAS_SET;
}

static void prepare_fault_id(struct iommu_hwpt_alloc *arg)
{
	arg->flags = IOMMU_HWPT_FAULT_ID_VALID;
}

#define WAYS(nr, NAME, text, handler, type, last, major, minor, plain, what, ...)       \
	static int try_##NAME(void)                                                    \
	{                                                                              \
		const unsigned int cmd = _IO(IOMMUFD_TYPE, nr);                        \
		const char *name = #NAME;                                              \
		struct type value, *arg = &value;                                      \
                                                                                       \
		(void)arg;                                                             \
		(void)name;                                                            \
		(void)cmd;                                                             \
		what return 0;                                                         \
	}
IOMMUFD_COMMANDS(WAYS)

#define CALL(nr, NAME, ...)                                                            \
	if ((nr) >= first && (nr) <= last)                                             \
		failed |= try_##NAME();

int main(int argc, char **argv)
{
	long first, last;
	int failed = 0;

	if (argc != 4) {
		fputs("usage: ids_client DEVICE FIRST LAST\n", stderr);
		return 1;
	}
	first = strtol(argv[2], NULL, 0);
	last = strtol(argv[3], NULL, 0);
	device = open(argv[1], O_RDWR | O_CLOEXEC);
	if (device < 0) {
		perror("ids_client: cannot open the device");
		return 1;
	}
	IOMMUFD_COMMANDS(CALL)
	close(device);
	return failed;
}
