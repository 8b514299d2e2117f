/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `ioasis test --fail-each`: CMD once for each call that could fail, with that one failing; which
 * failure does it not survive?
 */
#ifndef IOASIS_CLI_FAIL_EACH_H
#define IOASIS_CLI_FAIL_EACH_H

#include <stdint.h>

#include "cli/options.h"

struct fail_each {
	const struct cli_command *command; /* for messages */
	char *self;			   /* the program ioasis */
	char *const *device_words;	   /* options of `ioasis exec`; ends with NULL */
	char *const *argv;		   /* CMD; ends with NULL */
	const char *error;		   /* name of the errno */
	const char *junit;		   /* file to write; NULL: none */
	unsigned int jobs;
	uint64_t timeout_ns; /* of one run */
};

/*
 * Runs CMD without a failure first, to count its calls. Prints a line for each failure that ends it by
 * a signal or lets it hang, and how many there were. 0: it survives all; 1: not; -1: it could not be
 * tried, after one line.
 */
int fail_each_run(const struct fail_each *each);

#endif
