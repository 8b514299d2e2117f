/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before every source of the page's engine: what emscripten's headers lack. */
#ifndef IOASIS_LEARN_HOST_H
#define IOASIS_LEARN_HOST_H

#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#ifndef _IOC_NR
#define _IOC_NR(request) ((request)&0xff) /* include/uapi/asm-generic/ioctl.h */
#endif

/* The sources mean GNU's, which returns the text. */
#define strerror_r(number, buf, size) host_strerror_r(number, buf, size)
char *host_strerror_r(int number, char *buf, size_t size);

/* Memory is never a part of a mapping that could be given back. Of sim/engine/slab.c. */
#define SLAB_IS_MALLOC 1

int memfd_create(const char *name, unsigned int flags);
char *secure_getenv(const char *name);

/* "EINVAL"; NULL for a number that no call gives. The numbers are emscripten's own. */
const char *strerrorname_np(int number);

#endif
