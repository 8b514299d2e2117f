/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before every source of the page's engine: what emscripten's headers lack. */
#ifndef IOASIS_LEARN_HOST_H
#define IOASIS_LEARN_HOST_H

#include <sys/ioctl.h>

#ifndef _IOC_NR
#define _IOC_NR(request) ((request)&0xff) /* include/uapi/asm-generic/ioctl.h */
#endif

int memfd_create(const char *name, unsigned int flags);
char *secure_getenv(const char *name);

/* "EINVAL"; NULL for a number that no call gives. The numbers are emscripten's own. */
const char *strerrorname_np(int number);

#endif
