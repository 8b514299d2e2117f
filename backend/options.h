/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of a user-creatable object, from either of their two spellings.
 * For backend/ only.
 */
#ifndef IOASIS_BACKEND_OPTIONS_H
#define IOASIS_BACKEND_OPTIONS_H

#include <ioasis/error.h>

/* All owned; NULL where not given, except qom_type and id, which always are. */
struct object_options {
	char *qom_type;
	char *id;
	char *fd;
};

/*
 * Parses text. 0, -EINVAL with *errp set, or -ENOMEM with *errp set. On success
 * *options wants object_options_fini(); on failure it holds nothing.
 */
int object_options_parse(struct object_options *options, const char *text, Error **errp);

void object_options_fini(struct object_options *options);

#endif
