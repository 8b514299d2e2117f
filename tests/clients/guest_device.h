/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs in a guest do with a PCI device before anything else. */
#ifndef IOASIS_TESTS_CLIENTS_GUEST_DEVICE_H
#define IOASIS_TESTS_CLIENTS_GUEST_DEVICE_H

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Memory decoding on: the registers answer. */
static inline void guest_device_enable(const char *bdf)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", bdf);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		perror(path);
	close(fd);
}

#endif
