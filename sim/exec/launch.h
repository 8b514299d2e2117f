/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running CMD with a private /dev/iommu: what `ioasis exec` does, in order.
 *
 *   launch_start_alone()  one thread only, tracing put off
 *   namespace.h           namespaces, /dev/iommu
 *   guard.h               a process that cleans up if this one is killed
 *   client.h              fork the process for CMD, with its filter (filter.h)
 *   device.h              mount the fake device; from here on there are threads
 *   supervisor.h          answer the calls that the filter stops
 *   client.h              open the gate, wait for the end
 *
 * Nothing is left behind whatever dies: what CMD leaves running is ended with it,
 * namespaces and mounts go with the last process inside, the device with its
 * connection.
 */
#ifndef IOASIS_SIM_EXEC_LAUNCH_H
#define IOASIS_SIM_EXEC_LAUNCH_H

#include "sim/exec/way.h"
#include "sim/fuse/device.h"

/* Exit status when ioasis itself fails. */
#define LAUNCH_FAILED 125

#define LAUNCH_WHY_BYTES 512

struct launch_config {
	struct fuse_device_config device; /* fail_nth and opaque are the launcher's */
	enum call_way way;		  /* of ioctls; with --delay: by FUSE */
	unsigned int look_us;		  /* RINGS_LOOK_US, see ring.h */
	char *const *argv;		  /* CMD and its arguments, NULL at the end; borrowed */
};

struct launch_result {
	int exit_status;	/* what ioasis exits with */
	bool ran;		/* CMD ran */
	unsigned int stuck;	/* threads that did not end: leave with _exit() */
	char why[LAUNCH_WHY_BYTES]; /* one line, when it did not run, else empty */
	char note[LAUNCH_WHY_BYTES]; /* one line of what CMD had to do without, or empty */
};

/*
 * First of all, in main's thread: makes sure that no other thread runs, by running
 * this program (argv as main's, NULL at the end) once more when libraries started
 * some, which LTTng's does. Then it does not return.
 */
void launch_start_alone(char *const argv[]);

/*
 * Runs CMD and waits for its end. Must be the only thread. *device is the device
 * after its stop, for a leak report, to be destroyed by the caller; NULL if none
 * came to be. result->exit_status is CMD's, 128 + its signal, or 125, 126, 127.
 */
void launch_run(const struct launch_config *config, struct fuse_device **device,
		struct launch_result *result);

#endif
