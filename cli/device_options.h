/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of a fake device, shared by the commands that make one (serve, exec).
 *
 * The struct that such a command gives to cli_parse() as opaque begins with a
 * struct device_options, and its cli_command has device_option_table as more_options.
 */
#ifndef IOASIS_CLI_DEVICE_OPTIONS_H
#define IOASIS_CLI_DEVICE_OPTIONS_H

#include "cli/options.h"
#include "sim/fuse/device.h"
#include "sim/fuse/inject.h"
#include "sim/fuse/leak.h"
#include "sim/pci/pci_bus.h"
#include "sim/where/suppress.h"
#include "sim/where/where.h"

#define DEVICE_OPTIONS_SPECS_MAX 64
#define DEVICE_OPTIONS_SUPPRESSIONS_MAX 16

struct device_options {
	uint32_t linux_version; /* ENGINE_LINUX(); 0: the newest */
	bool test_ops;
	bool leak_check;     /* set the command's default before cli_parse() */
	bool leaks_at_close; /* say what each client left when it closes its file; likewise */
	bool leak_json;	     /* the leak report as JSON */
	bool wants_where;    /* the leak report with call stacks */
	const char *suppression_files[DEVICE_OPTIONS_SUPPRESSIONS_MAX]; /* borrowed from argv */
	unsigned int suppression_files_count;
	uint64_t error_exitcode; /* 0: none */
	uint64_t seed;
	uint64_t phys_run_bytes;
	bool seed_given;
	/* Borrowed from argv, with what they are of. */
	struct {
		const char *text;
		bool is_delay;
	} specs[DEVICE_OPTIONS_SPECS_MAX];
	unsigned int specs_count;

	const char *devices[PCI_BUS_FUNCTIONS_MAX]; /* borrowed from argv */
	unsigned int devices_count;
	bool list_devices;
	const char *count_calls; /* file for how often each command was called; NULL: none */
	struct fuse_limits limits; /* set the command's default before cli_parse() */
	const char *iommu; /* --iommu, borrowed; NULL: not given */

	/* Made by device_options_apply(), owned. */
	struct inject *inject;
	struct pci_bus *bus; /* NULL: no device was asked for */
	struct leak_report *leaks;
	struct where *where;
	struct suppressions *suppressions;
};

extern const struct cli_option device_option_table[];

/*
 * Makes what the options ask for and fills config, which points into options.
 * Chooses and prints the seed if chance is used and none was given. 0, or the exit
 * status after one line about a wrong spec.
 */
int device_options_apply(struct device_options *options, const struct cli_command *command,
			 struct fuse_device_config *config);

/*
 * After the device has stopped: prints the leak report on standard error if it is
 * wanted. Returns the exit status: status, or --error-exitcode if that is 0 and
 * something leaked.
 */
int device_options_report(struct device_options *options, int status);

/* --list-devices; the exit status. */
int device_options_list(void);

void device_options_fini(struct device_options *options);

#endif
