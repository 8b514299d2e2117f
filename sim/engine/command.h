/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table: one row a command says all about it.
 *
 * A handler runs with the context's lock held and its argument copied in. An
 * object that it leaves in new_object is published when it returns 0 and undone
 * otherwise (object_abort_and_destroy()). Source: iommufd/main.c.
 */
#ifndef IOASIS_ENGINE_COMMAND_H
#define IOASIS_ENGINE_COMMAND_H

#include <stdint.h>

#include "sim/engine/core.h"
#include "tracepoints/commands.h"

struct engine_ucmd {
	struct engine_ctx *ctx;
	const struct engine_client *client;
	uint64_t user_arg;  /* where the caller's structure is */
	uint32_t user_size; /* its size as the caller knows it */
	void *cmd;	    /* our copy, row->size bytes, zero beyond user_size */
	struct engine_object *new_object;
	uint64_t new_parent; /* what new_object hangs on, for its ALLOC event */
	size_t size;	     /* of the structure in this kernel; it answers no more */
};

/* What kernels before `until` knew of a command that grew. */
struct command_before {
	uint32_t until; /* ENGINE_LINUX(); 0: no such entry */
	uint16_t size;	/* of the structure then */
	uint32_t flags; /* known then */
};

struct command_row {
	uint32_t cmd;	   /* the whole number, 0 in an empty row */
	uint16_t size;	   /* of the structure, in bytes */
	uint16_t min_size; /* up to its last mandatory member */
	uint32_t since;	   /* ENGINE_LINUX() of the first kernel with it */
	const char *name;
	int (*handle)(struct engine_ucmd *ucmd);
	/* Adds what the structure names: ids and a range. NULL: the test command. */
	void (*names)(const void *cmd, struct trace_named *named);
	struct command_before before[3]; /* oldest first; see docs/VERSIONS.md */
};

/* The row of a command number; NULL outside of the table (VFIO's numbers are). */
const struct command_row *command_row(unsigned int nr);

/* The flags of the command that this kernel knows, of those that the newest knows. */
uint32_t command_flags(const struct engine_ctx *ctx, unsigned int nr);

/* Copies min(user_size, len) bytes of ucmd->cmd back to the caller. 0 or -EFAULT. */
int ucmd_respond(struct engine_ucmd *ucmd, size_t len);

/*
 * copy_struct_from_user(): reads a structure of user_size bytes at src into
 * size bytes at dst, zero-filled. -EFAULT, or -E2BIG for a tail that is not zero.
 */
int ctx_copy_struct_in(struct engine_ctx *ctx, void *dst, size_t size, uint64_t src,
		       size_t user_size);

/* Makes an object and leaves it in ucmd->new_object; NULL: out of memory. */
void *ucmd_object_alloc(struct engine_ucmd *ucmd, size_t size, enum engine_object_type type,
			const struct object_ops *ops);

/* The handlers, each in the file of what it is about. */
#define HANDLER(nr, NAME, text, handler, ...) int handler(struct engine_ucmd *ucmd);
IOMMUFD_COMMANDS(HANDLER)
#undef HANDLER
int cmd_test(struct engine_ucmd *ucmd);

/*
 * VFIO type 1 on the same file: every number outside of the table. call, the context's, is
 * told what the structure names.
 */
long vfio_compat_ioctl(struct engine_ctx *ctx, struct engine_call *call, unsigned int cmd,
		       uint64_t arg);

#endif
