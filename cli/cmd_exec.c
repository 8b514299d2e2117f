/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis exec: runs a command with a private fake /dev/iommu. */
#include "cli/commands.h"
#include "cli/device_options.h"
#include "sim/exec/launch.h"
#include "sim/exec/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct cli_command exec_command = {
	.name = "exec",
	.synopsis = "[OPTIONS] -- CMD [ARG...]",
	.summary = "Runs CMD with a private fake /dev/iommu, as any user.",
	.details = "The exit status is CMD's; 128+n when signal n ended it, 127 when it was not\n"
		   "found, 126 when it cannot be run, 125 when ioasis itself failed. What CMD\n"
		   "leaves running is ended with it.",
	.more_options = device_option_table,
	.stops_at_argument = true,
	.error_status = LAUNCH_FAILED,
};

static bool look_us_choose(const char *text, unsigned int *look_us)
{
	unsigned long value = RINGS_LOOK_US;
	char *end = "";

	if (text && *text)
		value = strtoul(text, &end, 10);
	*look_us = (unsigned int)value;
	return !*end && value && value <= RINGS_LOOK_US_MAX;
}

int cmd_exec(int argc, char **argv)
{
	struct device_options options = { .leak_check = true };
	struct launch_config config = { .argv = NULL };
	struct launch_result result;
	struct fuse_device *device;
	int first, status;

	/* argv[-1] is the program's own name: what to run again to be alone. */
	launch_start_alone(argv - 1);
	first = cli_parse(&exec_command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	if (options.list_devices)
		return device_options_list();
	if (!call_way_choose(getenv("IOASIS_CALL"), &config.way))
		return cli_fail(&exec_command, "IOASIS_CALL is '%s'; " CALL_WAY_NAMES " is meant",
				getenv("IOASIS_CALL"));
	if (!look_us_choose(getenv("IOASIS_CALL_LOOK_US"), &config.look_us))
		return cli_fail(&exec_command, "IOASIS_CALL_LOOK_US is '%s'; a number from 1 to %u is "
				"meant", getenv("IOASIS_CALL_LOOK_US"), RINGS_LOOK_US_MAX);
	if (first == argc)
		return cli_fail(&exec_command, "no command given; 'ioasis exec -- CMD' runs CMD");
	status = device_options_apply(&options, &exec_command, &config.device);
	if (status)
		goto out;
	config.argv = argv + first;
	launch_run(&config, &device, &result);
	status = result.exit_status;
	if (*result.note)
		fprintf(stderr, "ioasis exec: %s\n", result.note);
	if (!result.ran)
		cli_fail(&exec_command, "%s", result.why);
	else
		status = device_options_report(&options, status);
	if (result.stuck) {
		fflush(NULL);
		_exit(status);
	}
	fuse_device_destroy(device);
out:
	device_options_fini(&options);
	return status;
}
