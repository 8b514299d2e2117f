/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table and the way from the system call to a handler: size word,
 * number, sizes, copy-in, handler, publish or undo. The order of the checks is
 * the kernel's (iommufd_fops_ioctl() in iommufd/main.c).
 */
#include "sim/engine/command.h"

#include <string.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/anon_file.h"
#include "sim/engine/trace.h"

#define TEST_CMD_NR IOMMUFD_TEST_COMMAND
#define LAST_NR TEST_CMD_NR
/* As large as the largest structure, the test command's. */
#define CMD_MAX_BYTES 72

/* What a call names, for the trace: the ids first, in the catalogue's order, and the range. */
#define ID(member) trace_named_id(named, arg->member);
#define ID_EINVAL ID
#define OPTIONAL_ID(member, condition)                                                 \
	if (condition)                                                                 \
		trace_named_id(named, arg->member);
#define RANGE(first, bytes) trace_named_range(named, arg->first, arg->bytes);
#define NAMES(nr, NAME, text, handler, type, last, major, minor, plain, what, ...)      \
	static void names_of_##NAME(const void *cmd, struct trace_named *named)        \
	{                                                                              \
		const struct type *arg = cmd;                                          \
                                                                                       \
		(void)arg;                                                             \
		(void)named;                                                           \
		what                                                                   \
	}

IOMMUFD_COMMANDS(NAMES)

/* The arguments behind the file are what older kernels knew (command_before). */
#define ROW(nr, NAME, text, handler, type, last_member, major, minor, plain, what, errnos, \
	    file, ...)                                                                 \
	[(nr) - IOMMUFD_CMD_BASE] = {                                                  \
		.cmd = _IO(IOMMUFD_TYPE, nr),                                          \
		.size = sizeof(struct type),                                           \
		.min_size = offsetof(struct type, last_member) +                       \
			    sizeof(((struct type *)0)->last_member),                   \
		.since = ENGINE_LINUX(major, minor),                                   \
		.name = #NAME,                                                         \
		.handle = handler,                                                     \
		.names = names_of_##NAME,                                              \
		.before = { __VA_ARGS__ },                                             \
	},

#define NUMBER(nr, NAME, ...) _Static_assert((nr) == IOMMUFD_CMD_##NAME, "number of " #NAME);
IOMMUFD_COMMANDS(NUMBER)

static const struct command_row rows[] = {
	IOMMUFD_COMMANDS(ROW)
	[TEST_CMD_NR - IOMMUFD_CMD_BASE] = {
		.cmd = _IO(IOMMUFD_TYPE, TEST_CMD_NR),
		.size = CMD_MAX_BYTES,
		.min_size = CMD_MAX_BYTES - 4, /* up to `last`; its padding counts to the size */
		.since = ENGINE_LINUX(6, 2),
		.name = "TEST",
		.handle = cmd_test,
	},
};

const struct command_row *command_row(unsigned int nr)
{
	if (nr < IOMMUFD_CMD_BASE || nr > LAST_NR || !rows[nr - IOMMUFD_CMD_BASE].cmd)
		return NULL;
	return &rows[nr - IOMMUFD_CMD_BASE];
}

/* What this kernel knew of a command, if that was less than the newest does. */
static const struct command_before *command_before(const struct engine_ctx *ctx,
						   const struct command_row *row)
{
	const size_t count = sizeof(row->before) / sizeof(*row->before);

	for (size_t i = 0; i < count && row->before[i].until; i++) {
		if (!engine_has(ctx, row->before[i].until))
			return &row->before[i];
	}
	return NULL;
}

uint32_t command_flags(const struct engine_ctx *ctx, unsigned int nr)
{
	const struct command_before *before = command_before(ctx, command_row(nr));

	return before ? before->flags : UINT32_MAX;
}

int cmd_destroy(struct engine_ucmd *ucmd)
{
	const struct iommu_destroy *cmd = ucmd->cmd;

	return object_remove(ucmd->ctx, cmd->id);
}

int ucmd_respond(struct engine_ucmd *ucmd, size_t len)
{
	if (len > ucmd->size)
		len = ucmd->size;
	return ctx_copy_out(ucmd->ctx, ucmd->user_arg, ucmd->cmd,
			    len < ucmd->user_size ? len : ucmd->user_size);
}

void *ucmd_object_alloc(struct engine_ucmd *ucmd, size_t size, enum engine_object_type type,
			const struct object_ops *ops)
{
	ENGINE_BUG_ON(ucmd->new_object);
	ucmd->new_object = object_alloc(ucmd->ctx, size, type, ops);
	return ucmd->new_object;
}

/* The tail of a structure beyond what this kernel knows: 0, -E2BIG (not zero) or -EFAULT. */
static int check_zero_tail(const struct engine_client *client, uint64_t src, size_t len)
{
	uint8_t buf[ENGINE_PAGE_SIZE];

	/* Page by page: a byte that is not zero counts before a page that is not there. */
	while (len) {
		size_t part = sizeof(buf) - src % sizeof(buf);

		if (part > len)
			part = len;
		if (client->ops->copy_in(client, buf, src, part))
			return -EFAULT;
		for (size_t i = 0; i < part; i++) {
			if (buf[i])
				return -E2BIG;
		}
		src += part;
		len -= part;
	}
	return 0;
}

static int copy_struct_in(const struct engine_client *client, void *dst, size_t size,
			  uint64_t src, size_t user_size)
{
	size_t common = size < user_size ? size : user_size;

	if (user_size > size) {
		int rc = check_zero_tail(client, src + size, user_size - size);

		if (rc)
			return rc;
	}
	memset((char *)dst + common, 0, size - common);
	return common ? client->ops->copy_in(client, dst, src, common) : 0;
}

int ctx_copy_struct_in(struct engine_ctx *ctx, void *dst, size_t size, uint64_t src,
		       size_t user_size)
{
	if (!ctx->call)
		return -EFAULT;
	return copy_struct_in(ctx->call->client, dst, size, src, user_size);
}

/*
 * Reads the size word and, where the client can do it in the same read, the
 * start of the structure. Returns the bytes read, at least 4, or -EFAULT.
 */
static ssize_t read_head(const struct engine_client *client, void *buf, uint64_t src, size_t len)
{
	ssize_t got;
	int rc;

	if (client->ops->copy_in_some) {
		got = client->ops->copy_in_some(client, buf, src, len);
		return got < 4 ? -EFAULT : got;
	}
	rc = client->ops->copy_in(client, buf, src, 4);
	return rc ? rc : 4;
}

static int run_locked(const struct command_row *row, struct engine_ucmd *ucmd)
{
	int rc = row->handle(ucmd);

	if (ucmd->new_object) {
		if (rc)
			object_abort_and_destroy(ucmd->new_object);
		else
			object_publish(ucmd->new_object, ucmd->new_parent);
	}
	return rc;
}

static long run_command(struct engine_ctx *ctx, struct engine_call *call, unsigned int cmd,
			uint64_t arg)
{
	const struct command_row *row = &rows[_IOC_NR(cmd) - IOMMUFD_CMD_BASE];
	const struct command_before *before = command_before(ctx, row);
	uint64_t buf[CMD_MAX_BYTES / 8] = { 0 };
	struct engine_ucmd ucmd = {
		.ctx = ctx,
		.client = call->client,
		.user_arg = arg,
		.cmd = buf,
		.size = before ? before->size : row->size,
	};
	ssize_t have;
	long rc;

	have = read_head(call->client, buf, arg, row->size ? row->size : 4);
	if (have < 0)
		return have;
	memcpy(&ucmd.user_size, buf, 4);
	if (!row->cmd || row->cmd != cmd || row->since > ctx->engine->linux_version ||
	    (row->handle == cmd_test && !ctx->engine->config.test_ops))
		return -ENOTTY;
	if (ucmd.user_size < row->min_size)
		return -EINVAL;
	if (ucmd.user_size < (size_t)have)
		memset((char *)buf + ucmd.user_size, 0, (size_t)have - ucmd.user_size);
	if ((size_t)have < ucmd.user_size || ucmd.user_size > ucmd.size) {
		rc = copy_struct_in(call->client, buf, ucmd.size, arg, ucmd.user_size);
		if (rc)
			return rc;
	}

	pthread_mutex_lock(&ctx->lock);
	ctx->call = call;
	rc = run_locked(row, &ucmd);
	ctx_unlock(ctx);
	if (rc < 0 && row->names && trace_wants_named(ctx))
		row->names(buf, &call->named);
	return rc;
}

long engine_ctx_ioctl(struct engine_ctx *ctx, const struct engine_client *client,
		      unsigned int cmd, uint64_t arg)
{
	const struct engine_config *config = &ctx->engine->config;
	unsigned int nr = _IOC_NR(cmd);
	struct engine_call call = { .client = client };
	long rc = 0;

	call.op_id = trace_call_begin(ctx, client, cmd);
	if (config->intercept)
		rc = config->intercept(config->intercept_opaque, client, nr, arg);
	if (rc) {
		/* It failed before the kernel looked at it. */
	} else if (nr >= IOMMUFD_CMD_BASE && nr <= TEST_CMD_NR) {
		/* The table reaches to the test command, as with CONFIG_IOMMUFD_TEST. */
		rc = run_command(ctx, &call, cmd, arg);
	} else {
		pthread_mutex_lock(&ctx->lock);
		ctx->call = &call;
		rc = vfio_compat_ioctl(ctx, &call, cmd, arg);
		ctx_unlock(ctx);
	}
	if (rc < 0)
		trace_call_refused(ctx, call.op_id, &call.named);
	trace_call_end(ctx, call.op_id, cmd, rc);
	anon_files_notify(ctx);
	listeners_tell(ctx);
	return rc;
}
