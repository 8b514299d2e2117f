/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is what --device names an iommufd device at all? */
#ifndef IOASIS_SCENARIO_DEVICE_PROBE_H
#define IOASIS_SCENARIO_DEVICE_PROBE_H

#include <stddef.h>

/*
 * Opens path, asks it for an option that every iommufd device tells and that changes
 * nothing, and closes it. 0, or -errno with one line in error: the errno of opening it,
 * -ENOTTY when it takes no iommufd call.
 */
int device_probe(const char *path, char *error, size_t error_size);

#endif
