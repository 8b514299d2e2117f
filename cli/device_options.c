/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/device_options.h"

#include "cli/output.h"
#include "cli/iommu_option.h"

#include "sim/vfio/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tracepoints/load.h"

#define PHYS_RUN_MAX (1ull << 30)

static bool set_linux(void *opaque, const char *value)
{
	struct device_options *options = opaque;
	unsigned int major, minor;
	int end = 0;

	if (sscanf(value, "%1u.%2u%n", &major, &minor, &end) != 2 || value[end])
		return false;
	/* 6.19 was followed by 7.0. */
	if (!(major == 6 && minor <= 19) && major != 7)
		return false;
	options->linux_version = ENGINE_LINUX(major, minor);
	return options->linux_version >= ENGINE_LINUX_OLDEST &&
	       options->linux_version <= ENGINE_LINUX_NEWEST;
}

static bool add_spec(struct device_options *options, const char *text, bool is_delay)
{
	if (options->specs_count == DEVICE_OPTIONS_SPECS_MAX)
		return false;
	options->specs[options->specs_count].text = text;
	options->specs[options->specs_count++].is_delay = is_delay;
	return true;
}

static bool set_fail(void *opaque, const char *value)
{
	return add_spec(opaque, value, false);
}

static bool set_delay(void *opaque, const char *value)
{
	return add_spec(opaque, value, true);
}

static bool set_device(void *opaque, const char *value)
{
	struct device_options *options = opaque;

	if (options->devices_count == PCI_BUS_FUNCTIONS_MAX)
		return false;
	options->devices[options->devices_count++] = value;
	return true;
}

static bool set_phys_run(void *opaque, const char *value)
{
	struct device_options *options = opaque;
	uint64_t bytes;

	if (!cli_parse_bytes(value, &bytes) || bytes & (bytes - 1) || bytes < ENGINE_PAGE_SIZE ||
	    bytes > PHYS_RUN_MAX)
		return false;
	options->phys_run_bytes = bytes;
	return true;
}

static bool set_limit(void *opaque, const char *value)
{
	struct fuse_limits *limits = &((struct device_options *)opaque)->limits;
	const struct {
		const char *name;
		uint64_t *limit;
	} kinds[] = {
		{ "files=", &limits->files },
		{ "objects=", &limits->objects },
		{ "mappings=", &limits->mappings },
		{ "calls=", &limits->calls },
	};
	char copy[128], *rest = copy, *word;

	if (snprintf(copy, sizeof(copy), "%s", value) >= (int)sizeof(copy))
		return false;
	while ((word = strsep(&rest, ","))) {
		size_t i = 0;

		while (i < sizeof(kinds) / sizeof(kinds[0]) &&
		       strncmp(word, kinds[i].name, strlen(kinds[i].name)))
			i++;
		if (i == sizeof(kinds) / sizeof(kinds[0]) ||
		    !cli_parse_u64(word + strlen(kinds[i].name), kinds[i].limit))
			return false;
	}
	return true;
}

static bool set_seed(void *opaque, const char *value)
{
	struct device_options *options = opaque;

	options->seed_given = true;
	return cli_parse_u64(value, &options->seed);
}

static bool set_leak_check(void *opaque, const char *value)
{
	struct device_options *options = opaque;

	if (!cli_parse_bool(value, &options->leak_check))
		return false;
	options->leaks_at_close &= options->leak_check;
	return true;
}

static bool set_suppressions(void *opaque, const char *value)
{
	struct device_options *options = opaque;

	if (options->suppression_files_count == DEVICE_OPTIONS_SUPPRESSIONS_MAX)
		return false;
	options->suppression_files[options->suppression_files_count++] = value;
	return true;
}

static bool set_error_exitcode(void *opaque, const char *value)
{
	struct device_options *options = opaque;

	return cli_parse_u64(value, &options->error_exitcode) && options->error_exitcode <= 255;
}

const struct cli_option device_option_table[] = {
	{ "linux", 0, "VERSION", "a kernel from 6.2 to 7.3, such as 6.12",
	  "answer as that kernel (default 7.3)", .set = set_linux },
	{ "test-ops", 0, NULL, NULL, "also answer the kernel's test command",
	  CLI_FLAG(struct device_options, test_ops) },
	{ "fail", 0, "SPEC", "at most 64 specs such as map:ENOMEM@100",
	  "make calls fail: map:ENOMEM@100, unmap,map:EIO%0.5, *:EINTR*3, map[size=2M..]:ENOSPC@2..5", .set = set_fail },
	{ "delay", 0, "SPEC", "at most 64 specs such as map:50us",
	  "make calls slow: map:50us, unmap:0.1ms..1ms%10", .set = set_delay },
	{ "count-calls", 0, "FILE", "the file to write",
	  "at the end, write how often each command was called",
	  CLI_TEXT(struct device_options, count_calls) },
	{ "seed", 0, "N", "a number", "for everything random (printed when not given)",
	  .set = set_seed },
	{ "device", 0, "KIND[,k=v]", "at most 64 devices such as edu,addr=0000:00:05.0",
	  "add a simulated PCI device, vfio/devices/vfioN", .set = set_device },
	{ "iommu", 0, "KEY=VALUE,...", NULL,
	  "their IOMMU: aw=39|48|57, pasid=BITS, dirty=on|off, reserved=FIRST-LAST",
	  CLI_TEXT(struct device_options, iommu) },
	{ "phys-run", 0, "BYTES", "a power of two from 4K to 1G",
	  "how much memory is contiguous, for --device KIND,iommu=none (default 4K)",
	  .set = set_phys_run },
	{ "limit", 0, "WHAT=N,...", "files, objects, mappings and calls, such as files=64,calls=8",
	  "how many of these a user may have (0: no limit)", .set = set_limit },
	{ "list-devices", 0, NULL, NULL, "list the kinds of --device and their keys, and end",
	  CLI_FLAG(struct device_options, list_devices) },
	{ "leak-check", 0, "yes|no", "yes or no", "at the end, list what was left",
	  .set = set_leak_check },
	{ "where", 0, NULL, NULL, "with the call stacks that made it: function, file and line",
	  CLI_FLAG(struct device_options, wants_where) },
	{ "suppressions", 0, "FILE", "at most 16 files of suppressions",
	  "leave out stacks as FILE says, in valgrind's form (implies --where)",
	  .set = set_suppressions },
	{ "json", 0, NULL, NULL, "the list of what was left as JSON",
	  CLI_FLAG(struct device_options, leak_json) },
	{ "error-exitcode", 0, "N", "a number from 0 to 255",
	  "exit with N if something was left and all else went well", .set = set_error_exitcode },
	{ 0 },
};

/* A seed from the system, short enough to type. */
static uint64_t choose_seed(void)
{
	uint32_t seed = 1;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = 1;
	return seed;
}

/* 0, or -errno with one line in why. */
static int make_bus(struct device_options *options, char why[PCI_WHY_BYTES])
{
	int err = 0;

	if (!options->devices_count)
		return 0;
	options->bus = pci_bus_create(options->seed);
	if (!options->bus) {
		snprintf(why, PCI_WHY_BYTES, "out of memory");
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < options->devices_count && !err; i++)
		err = pci_bus_add(options->bus, options->devices[i], why);
	return err ? err : pci_bus_settle(options->bus, why);
}

/* What --where and --suppressions want. 0, or the exit status after one line. */
static int make_where(struct device_options *options, const struct cli_command *command)
{
	char line[SUPPRESS_WHY_BYTES];
	const char *why, *recorded = getenv("IOASIS_WHERE");

	/* record --where; what cannot be read here is not there, which record has said. */
	if (recorded && *recorded && where_is_supported(&why))
		options->wants_where = true;
	if (!options->wants_where && !options->suppression_files_count)
		return 0;
	if (!where_is_supported(&why))
		return cli_fail(command, "--where: %s", why);
	options->where = where_create();
	options->suppressions = suppressions_create();
	if (!options->where || !options->suppressions)
		return cli_fail(command, "out of memory");
	for (unsigned int i = 0; i < options->suppression_files_count; i++) {
		if (suppressions_read(options->suppressions, options->suppression_files[i], line))
			return cli_fail(command, "%s", line);
	}
	return 0;
}

static bool has_device(struct pci_bus *bus, const char *kind)
{
	for (unsigned int i = 0; bus && i < pci_bus_count(bus); i++) {
		if (!strcmp(pci_function_model(pci_bus_at(bus, i)->function)->kind, kind))
			return true;
	}
	return false;
}

int device_options_apply(struct device_options *options, const struct cli_command *command,
			 struct fuse_device_config *config)
{
	char why[INJECT_WHY_BYTES], bus_why[PCI_WHY_BYTES], iommu_why[IOMMU_OPTION_WHY_BYTES];
	int err;

	options->inject = inject_create(options->seed);
	if (!options->inject)
		return cli_fail(command, "out of memory");
	for (unsigned int i = 0; i < options->specs_count; i++) {
		const char *text = options->specs[i].text;

		if (options->specs[i].is_delay ? inject_add_delay(options->inject, text, why)
					       : inject_add_fail(options->inject, text, why))
			return cli_fail(command, "%s", why);
	}
	if (options->count_calls)
		inject_count_calls(options->inject);
	if (inject_uses_chance(options->inject) && !options->seed_given) {
		options->seed = choose_seed();
		inject_set_seed(options->inject, options->seed);
		fprintf(stderr, "ioasis %s: --seed %" PRIu64 "\n", command->name, options->seed);
	}
	err = make_where(options, command);
	if (err)
		return err;
	if (options->leak_check || options->error_exitcode || options->leaks_at_close) {
		options->leaks = leak_report_create(options->where, options->suppressions);
		if (!options->leaks)
			return cli_fail(command, "out of memory");
	}
	if (make_bus(options, bus_why))
		return cli_fail(command, "%s", bus_why);
	config->bus = options->bus;
	if (inject_has_nvme(options->inject) && !has_device(options->bus, "nvme"))
		return cli_fail(command, "--fail and --delay of nvme commands are of a simulated "
				"disk: they need --device nvme");
	engine_iommu_init(&config->iommu);
	if (options->iommu && !options->bus)
		return cli_fail(command, "--iommu is of simulated devices: it needs --device");
	if (options->iommu && !iommu_option_parse(options->iommu, &config->iommu, iommu_why))
		return cli_fail(command, "%s", iommu_why);
	config->engine.linux_version = options->linux_version;
	config->engine.test_ops = options->test_ops;
	config->engine.phys_run_bytes = options->phys_run_bytes;
	for (unsigned int i = 0; options->bus && i < pci_bus_count(options->bus); i++)
		config->engine.noiommu |= pci_bus_at(options->bus, i)->no_iommu;
	if (config->engine.noiommu &&
	    !vfio_change_in(VFIO_CHANGE_NOIOMMU_GROUP, engine_config_linux(&config->engine)))
		return cli_fail(command, "--device KIND,iommu=none needs --linux 6.3 or newer: before, "
				"VFIO did not know such devices beside iommufd");
	if (options->phys_run_bytes && !config->engine.noiommu)
		return cli_fail(command, "--phys-run is of devices without an IOMMU: it needs --device "
				"KIND,iommu=none");
	config->engine.trace = trace_of_process();
	config->inject = inject_is_empty(options->inject) ? NULL : options->inject;
	config->limits = options->limits;
	config->leaks = options->leaks;
	config->leaks_at_close = options->leaks_at_close && !options->leak_json;
	config->where = options->where;
	return 0;
}

static void write_counts(const struct device_options *options)
{
	struct output output;
	int err = output_begin(&output, options->count_calls);

	if (!err) {
		inject_write_counts(options->inject, output.file);
		err = output_commit(&output);
	}
	if (err)
		fprintf(stderr, "ioasis: --count-calls %s: %s\n", options->count_calls,
			strerror(-err));
}

int device_options_report(struct device_options *options, int status)
{
	if (options->count_calls)
		write_counts(options);
	if (!options->leaks)
		return status;
	if (options->leak_check) {
		if (options->leak_json)
			leak_report_print_json(options->leaks, stderr);
		else
			leak_report_print(options->leaks, stderr);
	}
	if (!status && options->error_exitcode && leak_report_count(options->leaks))
		return (int)options->error_exitcode;
	return status;
}

int device_options_list(void)
{
	pci_models_print(stdout);
	return 0;
}

void device_options_fini(struct device_options *options)
{
	inject_destroy(options->inject);
	leak_report_destroy(options->leaks);
	where_destroy(options->where);
	suppressions_destroy(options->suppressions);
	options->inject = NULL;
	options->leaks = NULL;
	options->where = NULL;
	options->suppressions = NULL;
	pci_bus_destroy(options->bus);
	options->bus = NULL;
}
