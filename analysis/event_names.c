/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/event_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tracepoints/commands.h"
#include "tracepoints/identity.h"

#define OP_NAME(NAME, name, OBJECT) [OP_##NAME] = name,

static const char *const op_names[OP_IOCTL] = {
	[OP_NONE] = "none",
	IOMMUFD_BACKEND_CALLS(OP_NAME)
};

/* The ioctls by number from 0x80, and VFIO's calls of type 1 from VFIO_BASE (100). */
#define IOCTL_NAME(nr, NAME, ...) [(nr) - 0x80] = #NAME,
#define TYPE1_NAME(nr, NAME, ...) [nr] = #NAME,

static const char *const ioctl_names[] = { IOMMUFD_COMMANDS(IOCTL_NAME) };
static const char *const vfio_names[] = { VFIO_TYPE1_COMMANDS(TYPE1_NAME) };
#define IOCTL_NAMES (sizeof(ioctl_names) / sizeof(ioctl_names[0]))
#define VFIO_NAMES (sizeof(vfio_names) / sizeof(vfio_names[0]))

_Static_assert(IOCTL_NAMES <= OP_IOCTL_LAST - OP_IOCTL, "an operation for each ioctl");
_Static_assert(VFIO_NAMES <= OP_VFIO_IOCTL_LAST - OP_VFIO_IOCTL + 1, "and for VFIO's");

const char *event_op_name(enum event_op op)
{
	if (op < OP_IOCTL)
		return op_names[op];
	if (op == OP_IOCTL_LAST)
		return "TEST_CMD";
	if (op < OP_IOCTL + IOCTL_NAMES && ioctl_names[op - OP_IOCTL])
		return ioctl_names[op - OP_IOCTL];
	if (op >= OP_VFIO_IOCTL && op < OP_VFIO_IOCTL + VFIO_NAMES &&
	    vfio_names[op - OP_VFIO_IOCTL])
		return vfio_names[op - OP_VFIO_IOCTL];
	return "other ioctl";
}

const char *event_op_id_text(uint64_t op_id, char text[32])
{
	if (op_id)
		snprintf(text, 32, "%" PRIu32 ":%" PRIu32, TRACE_WORD_PID(op_id >> 32),
			 (uint32_t)op_id);
	else
		text[0] = 0;
	return text;
}

enum event_op event_op_of_cmd(uint32_t cmd)
{
	uint32_t nr = cmd & 0xff; /* _IOC_NR */

	if (nr >= 0x80 && nr < 0x80 + IOCTL_NAMES && ioctl_names[nr - 0x80])
		return (enum event_op)(OP_IOCTL + (nr - 0x80));
	if (nr == IOMMUFD_TEST_COMMAND)
		return OP_IOCTL_LAST;
	if (nr >= 100 && nr < 100 + VFIO_NAMES && vfio_names[nr - 100])
		return (enum event_op)(OP_VFIO_IOCTL + (nr - 100));
	return OP_IOCTL_OTHER;
}

#define PLAIN_OF(nr, NAME, text, handler, type, last, major, minor, plain, ...) \
	[(nr) - 0x80] = OP_##plain,
#define TYPE1_PLAIN_OF(nr, NAME, text, plain) [nr] = OP_##plain,

static const enum event_op plain_ops[] = { IOMMUFD_COMMANDS(PLAIN_OF) };

static const enum event_op type1_plain_ops[] = { VFIO_TYPE1_COMMANDS(TYPE1_PLAIN_OF) };

enum event_op event_op_plain(enum event_op op)
{
	enum event_op plain = OP_NONE;

	if (op >= OP_IOCTL && op < OP_IOCTL + IOCTL_NAMES)
		plain = plain_ops[op - OP_IOCTL];
	else if (op >= OP_VFIO_IOCTL && op < OP_VFIO_IOCTL + VFIO_NAMES)
		plain = type1_plain_ops[op - OP_VFIO_IOCTL];
	return plain ? plain : op;
}

uint32_t event_op_nr(enum event_op op)
{
	if (op >= OP_IOCTL && op < OP_IOCTL + IOCTL_NAMES && ioctl_names[op - OP_IOCTL])
		return 0x80 + (uint32_t)(op - OP_IOCTL);
	for (size_t i = 0; op && i < IOCTL_NAMES; i++) {
		if (plain_ops[i] == op)
			return 0x80 + (uint32_t)i;
	}
	return 0;
}

/* Whether a call of the ioctl names ids, and whether it says EINVAL when one is not there. */
#define NAMES_ID 1u
#define SAYS_EINVAL 2u
#define ID(member) | NAMES_ID
#define ID_EINVAL(member) | NAMES_ID | SAYS_EINVAL
#define OPTIONAL_ID(member, condition) | NAMES_ID
#define RANGE(iova, length)
#define IDS_OF(nr, NAME, text, handler, type, last, major, minor, plain, names, ...) \
	[(nr) - 0x80] = 0u names,

static const uint8_t ids[] = { IOMMUFD_COMMANDS(IDS_OF) };

bool event_op_names_ids(enum event_op op)
{
	uint32_t nr = event_op_nr(op);

	return nr && ids[nr - 0x80] & NAMES_ID;
}

bool event_op_says_einval(enum event_op op)
{
	uint32_t nr = event_op_nr(op);

	return nr && ids[nr - 0x80] & SAYS_EINVAL;
}

enum trace_object_type event_op_makes(enum event_op op)
{
#define OP_MAKES(NAME, name, OBJECT) [OP_##NAME] = TRACE_OBJ_##OBJECT,
	static const uint8_t made[OP_IOCTL] = { IOMMUFD_BACKEND_CALLS(OP_MAKES) };

	return op < OP_IOCTL ? (enum trace_object_type)made[op] : TRACE_OBJ_NONE;
}

static enum event_op backend_op(const char *name, size_t len)
{
	for (int op = OP_NONE + 1; op < OP_IOCTL; op++) {
		if (strlen(op_names[op]) == len && !memcmp(op_names[op], name, len))
			return (enum event_op)op;
	}
	return OP_NONE;
}

struct named_kind {
	const char *name;
	enum event_kind kind;
};

static const struct named_kind backend_kinds[] = {
	{ "map_dma_vaddr", EVENT_VADDR },	 { "state_begin", EVENT_BE_STATE },
	{ "state_object", EVENT_BE_OBJECT },	 { "state_mapping", EVENT_BE_MAPPING },
	{ "state_end", EVENT_BE_STATE_END },	 { "process_end", EVENT_BE_PROCESS_END },
	{ NULL, EVENT_OTHER },
};

static const struct named_kind dev_kinds[] = {
	{ "open", EVENT_DEV_OPEN },
	{ "release", EVENT_DEV_RELEASE },
	{ "ioctl_begin", EVENT_IOCTL_BEGIN },
	{ "ioctl_end", EVENT_IOCTL_END },
	{ "refused", EVENT_REFUSED },
	{ "where", EVENT_WHERE },
	{ "commit", EVENT_COMMIT },
	{ "dma", EVENT_DMA },
	{ "fault", EVENT_FAULT },
	{ "user_va", EVENT_VADDR },
	{ "vfio_bind", EVENT_VFIO_BIND },
	{ "vfio_unbind", EVENT_VFIO_UNBIND },
	{ "vfio_call", EVENT_VFIO_CALL },
	{ "vfio_irq", EVENT_VFIO_IRQ },
	{ "state_begin", EVENT_DEV_STATE },
	{ "state_object", EVENT_DEV_OBJECT },
	{ "state_mapping", EVENT_DEV_MAPPING },
	{ "state_end", EVENT_DEV_STATE_END },
	{ NULL, EVENT_OTHER },
};

static enum event_kind kind_named(const struct named_kind *row, const char *name)
{
	while (row->name && strcmp(row->name, name))
		row++;
	return row->kind;
}

/* What follows prefix in name, or NULL. */
static const char *after(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) ? NULL : name + len;
}

/* The event of this name that the catalogue has; NULL: none. */
static const struct trace_description *described_as(const char *provider, const char *rest)
{
	for (size_t i = 0; i < TRACE_EVENTS_COUNT; i++) {
		const char *event = after(trace_descriptions[i].name, provider);

		if (event && !strcmp(event, rest))
			return &trace_descriptions[i];
	}
	return NULL;
}

static struct event_class backend_class(const char *name, bool qemu)
{
	static const char begin[] = "_begin", non_exist[] = "_non_exist";
	struct event_class class = { .qemu = qemu };
	size_t len = strlen(name);

	class.described = described_as("iommufd_backend:", name);
	class.kind = kind_named(backend_kinds, name);
	if (class.kind != EVENT_OTHER)
		return class;
	class.kind = EVENT_OP_END;
	if (len > sizeof(begin) - 1 && !strcmp(name + len - (sizeof(begin) - 1), begin)) {
		class.kind = EVENT_OP_BEGIN;
		len -= sizeof(begin) - 1;
	} else if (len > sizeof(non_exist) - 1 &&
		   !strcmp(name + len - (sizeof(non_exist) - 1), non_exist)) {
		class.non_exist = true;
		len -= sizeof(non_exist) - 1;
	}
	class.op = backend_op(name, len);
	if (class.op == OP_NONE)
		class.kind = EVENT_OTHER;
	return class;
}

/*
 * QEMU's events whose names are not iommufd_backend_ and the operation. Sources: backends/
 * trace-events and hw/vfio/trace-events. iommufd_cdev_alloc_ioas repeats what the backend says.
 */
static const struct {
	const char *name;
	enum event_op op;
} qemu_names[] = {
	{ "iommu_backend_set_fd", OP_SET_FD },
	{ "iommufd_change_process", OP_CHANGE_PROCESS },
	{ "iommufd_viommu_alloc_eventq", OP_ALLOC_VEVENTQ },
	{ "iommufd_viommu_alloc_veventq", OP_ALLOC_VEVENTQ },
	{ "iommufd_viommu_alloc_hw_queue", OP_ALLOC_HW_QUEUE },
	{ "iommufd_viommu_alloc_vdev", OP_ALLOC_VDEV },
	{ "iommufd_cdev_connect_and_bind", OP_BIND },
	{ "iommufd_cdev_attach_ioas_hwpt", OP_ATTACH },
	{ "iommufd_cdev_detach_ioas_hwpt", OP_DETACH },
	{ "iommufd_cdev_pasid_attach_ioas_hwpt", OP_ATTACH },
	{ "iommufd_cdev_pasid_detach_ioas_hwpt", OP_DETACH },
};

static struct event_class qemu_class(const char *name)
{
	struct event_class class = { .kind = EVENT_OTHER };
	const char *rest = after(name, "iommufd_backend_");

	for (size_t i = 0; i < sizeof(qemu_names) / sizeof(*qemu_names); i++) {
		if (!strcmp(name, qemu_names[i].name))
			return (struct event_class){
				.kind = EVENT_OP_END, .op = qemu_names[i].op, .qemu = true,
			};
	}
	return rest ? backend_class(rest, true) : class;
}

struct event_class event_class_find(const char *name)
{
	struct event_class class = { .kind = EVENT_OTHER };
	const char *rest;

	if ((rest = after(name, "iommufd_backend:")))
		return backend_class(rest, false);
	if ((rest = after(name, "iommufd_dev:"))) {
		class.described = described_as("iommufd_dev:", rest);
		class.kind = kind_named(dev_kinds, rest);
		return class;
	}
	if (after(name, "ioasis_sim:")) {
		class.kind = EVENT_SIM;
		return class;
	}
	if ((rest = after(name, "qemu:")))
		return qemu_class(rest);
	return class;
}

struct field_row {
	const char *name;
	int kind; /* enum event_kind, or ANY */
	int op;	  /* enum event_op, or ANY */
	size_t offset;
};

#define ANY (-1)
#define AT(member) offsetof(struct event, member)

/*
 * The first row that fits counts: special cases stand before the rule. Of ids only those that
 * have a place of their own are here.
 */
static const struct field_row fields[] = {
	{ "hw_queue_id", EVENT_OP_END, OP_ALLOC_HW_QUEUE, AT(new_id) },
	{ "queue_id", EVENT_OP_END, OP_ALLOC_HW_QUEUE, AT(new_id) },
	{ "out_hw_queue_id", EVENT_OP_END, OP_ALLOC_HW_QUEUE, AT(new_id) },
	{ "viommu_id", ANY, OP_ALLOC_HW_QUEUE, AT(id) },
	{ "iova", ANY, OP_ALLOC_HW_QUEUE, 0 },
	{ "size", ANY, OP_ALLOC_HW_QUEUE, 0 },
	{ "size", ANY, OP_VIOMMU_MMAP, 0 },
	{ "devid", EVENT_OP_END, OP_BIND, AT(new_id) },
	{ "id", ANY, OP_ATTACH, AT(id) },
	{ "start", ANY, OP_SET_DIRTY, AT(start) },
	{ "fd", ANY, OP_MAP_FILE_DMA, AT(file_fd) },
	{ "mfd", ANY, OP_MAP_FILE_DMA, AT(file_fd) },
	{ "type", EVENT_OP_BEGIN, ANY, 0 },
	{ "type", EVENT_OP_END, ANY, 0 },
	{ "kind", EVENT_COMMIT, ANY, AT(commit_kind) },
	{ "length", EVENT_DMA, ANY, AT(size) },
	{ "pid", ANY, ANY, 0 }, /* 32 bits wide: see decode.c */
	{ "op_id", ANY, ANY, AT(op_id) },
	{ "be", ANY, ANY, AT(be) },
	{ "tid", ANY, ANY, AT(tid) },
	{ "iommufd", ANY, ANY, AT(fd) },
	{ "fd", ANY, ANY, AT(fd) },
	{ "owned", ANY, ANY, AT(owned) },
	{ "users", ANY, ANY, AT(users) },
	{ "dev_id", ANY, ANY, AT(dev_id) },
	{ "dev", ANY, ANY, AT(dev_id) },
	{ "pt", ANY, ANY, AT(pt_id) },
	{ "iova", ANY, ANY, AT(iova) },
	{ "last", ANY, ANY, AT(last) },
	{ "size", ANY, ANY, AT(size) },
	{ "readonly", ANY, ANY, AT(readonly) },
	{ "vaddr", ANY, ANY, AT(vaddr) },
	{ "user_va", ANY, ANY, AT(vaddr) },
	{ "ret", ANY, ANY, AT(ret) },
	{ "ctx", ANY, ANY, AT(ctx) },
	{ "cmd", ANY, ANY, AT(cmd) },
	{ "seq", ANY, ANY, AT(seq) },
	{ "type", ANY, ANY, AT(type) },
	{ "flags", ANY, ANY, AT(flags) },
	{ "arg", ANY, ANY, AT(arg) },
	{ "write", ANY, ANY, AT(write) },
	{ "by_exit", EVENT_DEV_RELEASE, ANY, AT(by_exit) },
	{ "by_exit", EVENT_VFIO_UNBIND, ANY, AT(by_exit) },
	{ "bdf", ANY, ANY, AT(bdf) },
	{ "group", EVENT_VFIO_BIND, ANY, AT(group) },
	{ "by_group", EVENT_VFIO_BIND, ANY, AT(by_group) },
	{ "what", EVENT_VFIO_CALL, ANY, AT(arg) },
	{ "duration_ns", EVENT_VFIO_CALL, ANY, AT(duration_ns) },
	{ "virt_ns", ANY, ANY, AT(virt_ns) },
	{ NULL, 0, 0, 0 },
};

/* What the catalogue says; text for a field that it does not have. */
static enum trace_type field_type(const struct trace_description *described, const char *name)
{
	for (size_t i = 0; described && i < described->fields_count; i++) {
		if (!strcmp(described->fields[i].name, name))
			return described->fields[i].type;
	}
	return TRACE_TYPE_str;
}

size_t event_field_offset(const struct event_class *class, const char *name)
{
	const struct trace_description *described = class->described;

	/* Only QEMU's events need it to tell backends apart. */
	if (!class->qemu && !strcmp(name, "iommufd"))
		return 0;
	for (const struct field_row *row = fields; row->name; row++) {
		if (!strcmp(row->name, name) &&
		    (row->kind == ANY || row->kind == (int)class->kind) &&
		    (row->op == ANY || row->op == (int)class->op))
			return row->offset;
	}
	if (!described && class->op) /* an event of QEMU's that has another name */
		described = described_as("iommufd_backend:", op_names[class->op]);
	switch (field_type(described, name)) {
	case TRACE_TYPE_new_id:
		return AT(new_id);
	case TRACE_TYPE_id:
		return AT(id);
	default:
		return 0;
	}
}
