/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioasis-vmm: the command line of the small VMM.
 *
 * A map of the sources, in the order in which things happen, in sim/vmm:
 * vmm.c (connect, boot, run, shut down), memory.c (guest memory), viommu.c (the load), nic.c (DMA),
 * faults.c (planted mistakes), naive_device.c (a device that refuses nothing).
 */
#include "sim/vmm/vmm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

#define EXIT_USAGE 3

void vmm_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	flockfile(stderr);
	fputs("ioasis-vmm: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	funlockfile(stderr);
	va_end(args);
}

struct options {
	struct vmm_config config;
	bool device_given;
	bool list_faults;
};

static bool set_device(void *opaque, const char *value)
{
	struct options *options = opaque;

	options->config.device = VMM_DEVICE_PATH;
	options->config.path = value;
	options->device_given = true;
	return *value;
}

static bool set_inproc(void *opaque, const char *value)
{
	struct options *options = opaque;

	(void)value;
	options->config.device = VMM_DEVICE_INPROC;
	options->device_given = true;
	return true;
}

static bool set_naive(void *opaque, const char *value)
{
	struct options *options = opaque;

	(void)value;
	options->config.device = VMM_DEVICE_NAIVE;
	options->device_given = true;
	return true;
}

static bool set_fault(void *opaque, const char *value)
{
	struct options *options = opaque;
	const struct vmm_fault *fault;

	for (fault = vmm_faults; fault->name; fault++) {
		if (!strcmp(fault->name, value)) {
			options->config.fault = fault;
			return true;
		}
	}
	return false;
}

static bool set_u32(const char *value, uint32_t max, uint32_t *number)
{
	uint64_t parsed;

	if (!cli_parse_u64(value, &parsed) || parsed > max)
		return false;
	*number = (uint32_t)parsed;
	return true;
}

static bool set_ops(void *opaque, const char *value)
{
	return set_u32(value, UINT32_MAX, &((struct options *)opaque)->config.ops);
}

static bool set_hotplugs(void *opaque, const char *value)
{
	return set_u32(value, 1000000, &((struct options *)opaque)->config.hotplugs);
}

static bool set_threads(void *opaque, const char *value)
{
	return set_u32(value, VMM_THREADS_MAX, &((struct options *)opaque)->config.threads);
}

static bool set_seed(void *opaque, const char *value)
{
	return cli_parse_u64(value, &((struct options *)opaque)->config.seed);
}

static bool set_ram(void *opaque, const char *value)
{
	uint64_t *bytes = &((struct options *)opaque)->config.ram_bytes;

	return cli_parse_bytes(value, bytes) && *bytes >= 2 << 20 && *bytes <= 1ull << 40 &&
	       *bytes % VMM_PAGE == 0;
}

static const struct cli_option option_table[] = {
	{ "device", 0, "PATH", "the path of a device file",
	  "the device file (default $IOASIS_DEVICE or /dev/iommu)", .set = set_device },
	{ "inproc", 0, NULL, NULL, "the fake device inside this process, with a NIC that does DMA",
	  .set = set_inproc },
	{ "naive", 0, NULL, NULL, "a device inside this process that says yes to everything",
	  .set = set_naive },
	{ "ram", 0, "SIZE", "2MiB to 1TiB in whole pages", "guest memory (default 4GiB)",
	  .set = set_ram },
	{ "threads", 0, "N", "0 to 64", "threads of the vIOMMU's load (default 4)",
	  .set = set_threads },
	{ "ops", 0, "N", "a number", "maps and unmaps of each thread (default 1000)",
	  .set = set_ops },
	{ "hotplug", 0, "N", "0 to 1000000", "memory modules plugged meanwhile (default 12)",
	  .set = set_hotplugs },
	{ "seed", 0, "N", "a number", "for what the threads do (default 1)", .set = set_seed },
	{ "memfd", 0, NULL, NULL, "guest memory is a memfd, mapped as a file",
	  CLI_FLAG(struct options, config.memfd) },
	{ "pass-fd", 0, NULL, NULL,
	  "two backends share one fd that the VMM opens and hands in",
	  CLI_FLAG(struct options, config.pass_fd) },
	{ "fault", 0, "NAME", "a name that --list-faults prints", "plants a mistake",
	  .set = set_fault },
	{ "pause", 0, NULL, NULL,
	  "after boot prints 'ready' and waits for a line on standard input",
	  CLI_FLAG(struct options, config.pause) },
	{ "list-faults", 0, NULL, NULL,
	  "prints the mistakes: name, invariant, guilty call, device, text",
	  CLI_FLAG(struct options, list_faults) },
	{ .name = NULL },
};

static const struct cli_command command = {
	.name = "ioasis-vmm",
	.synopsis = "[OPTIONS]",
	.summary = "A small VMM that does what VMMs do with /dev/iommu, right or wrong.",
	.options = option_table,
	.error_status = EXIT_USAGE,
	.standalone = true,
};

static const char *device_name(enum vmm_device device)
{
	switch (device) {
	case VMM_DEVICE_INPROC:
		return "inproc";
	case VMM_DEVICE_NAIVE:
		return "naive";
	default:
		return "any";
	}
}

static void list_faults(void)
{
	const struct vmm_fault *fault;

	for (fault = vmm_faults; fault->name; fault++)
		printf("%-20s %-20s %-10s %-6s %s\n", fault->name, fault->breaks, fault->guilty,
		       device_name(fault->needs), fault->text);
}

static void print_summary(const struct vmm *vmm)
{
	printf("ioasis-vmm: %llu maps, %llu unmaps (%llu of nothing), %llu refused",
	       (unsigned long long)vmm->maps, (unsigned long long)vmm->unmaps,
	       (unsigned long long)vmm->redundant, (unsigned long long)vmm->failures);
	if (vmm->dmas)
		printf(", %llu DMAs", (unsigned long long)vmm->dmas);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct options options = {
		.config = {
			.device = VMM_DEVICE_PATH,
			.ram_bytes = 4ull << 30,
			.threads = 4,
			.ops = 1000,
			.hotplugs = 12,
			.seed = 1,
		},
	};
	static struct vmm vmm;
	const struct vmm_fault *fault;
	int status, index = cli_parse(&command, argc, argv, &options, &status);

	if (index < 0)
		return status;
	if (index < argc)
		return cli_fail(&command, "'%s' is one argument too many", argv[index]);
	if (options.list_faults) {
		list_faults();
		return 0;
	}
	fault = options.config.fault;
	if (fault && fault->needs != VMM_DEVICE_PATH && fault->needs != options.config.device) {
		if (options.device_given)
			return cli_fail(&command, "fault %s shows on --%s only", fault->name,
					device_name(fault->needs));
		options.config.device = fault->needs;
	}
	if (fault)
		printf("ioasis-vmm: planted %s: %s\n", fault->name, fault->text);
	fflush(stdout);
	status = vmm_run(&options.config, &vmm) ? 1 : 0;
	print_summary(&vmm);
	return status;
}
