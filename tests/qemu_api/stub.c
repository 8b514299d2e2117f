/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stub's functions that both programs share. */
#include "tests/qemu_api/stub.h"

struct Error {
	char *text;
};

void stub_error_set(Error **errp, int os_errno, const char *fmt, ...)
{
	int saved = errno;
	char *text;
	va_list args;

	if (errp) {
		va_start(args, fmt);
		text = g_strdup_vprintf(fmt, args);
		va_end(args);
		*errp = g_new0(Error, 1);
		(*errp)->text = os_errno ? g_strconcat(text, ": ", strerror(os_errno), NULL) :
					   g_strdup(text);
		g_free(text);
	}
	errno = saved;
}

void stub_error_prepend(Error *const *errp, const char *fmt, ...)
{
	char *before, *after;
	va_list args;

	if (!errp || !*errp)
		return;
	va_start(args, fmt);
	before = g_strdup_vprintf(fmt, args);
	va_end(args);
	after = (*errp)->text;
	(*errp)->text = g_strconcat(before, after, NULL);
	g_free(before);
	g_free(after);
}

void error_free(Error *err)
{
	if (err)
		g_free(err->text);
	g_free(err);
}

const char *error_get_pretty(const Error *err)
{
	return err->text;
}

void error_report_err(Error *err)
{
	fprintf(stderr, "qemu: %s\n", err->text);
	error_free(err);
}

void warn_report_err(Error *err)
{
	fprintf(stderr, "qemu: warning: %s\n", err->text);
	error_free(err);
}

static void report(const char *level, const char *fmt, va_list args)
{
	fprintf(stderr, "qemu: %s", level);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void error_report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report("", fmt, args);
	va_end(args);
}

void warn_report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report("warning: ", fmt, args);
	va_end(args);
}

/* ---- objects ---------------------------------------------------------------------- */

#define TYPES_MAX 16

static struct {
	const TypeInfo *info;
	ObjectClass *class; /* made when first asked for */
} types[TYPES_MAX];

static size_t type_count;

UserCreatableClass stub_user_creatable;
void (*stub_fd_setter)(Object *obj, const char *str, Error **errp);

void stub_types_add(const TypeInfo *infos, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		g_assert(type_count < TYPES_MAX);
		types[type_count++].info = &infos[i];
	}
}

/* -1: a type that nobody registered, such as the root. */
static int type_find(const char *name)
{
	for (size_t i = 0; name && i < type_count; i++) {
		if (!strcmp(types[i].info->name, name))
			return (int)i;
	}
	return -1;
}

/* The greatest size that the type or one above it asks for. */
static size_t size_of(const char *name, size_t offset)
{
	int type = type_find(name);
	size_t above, own;

	if (type < 0)
		return 512; /* the roots' own members, and some more */
	above = size_of(types[type].info->parent, offset);
	own = *(const size_t *)((const char *)types[type].info + offset);
	return own > above ? own : above;
}

static void class_init(const char *name, ObjectClass *class)
{
	int type = type_find(name);

	if (type < 0)
		return;
	class_init(types[type].info->parent, class);
	class->name = types[type].info->name;
	if (types[type].info->class_init)
		types[type].info->class_init(class, NULL);
}

ObjectClass *object_class_by_name(const char *name)
{
	int type = type_find(name);

	g_assert(type >= 0);
	if (!types[type].class) {
		types[type].class = g_malloc0(size_of(name, offsetof(TypeInfo, class_size)));
		class_init(name, types[type].class);
	}
	return types[type].class;
}

Object *object_new(const char *name)
{
	Object *object = g_malloc0(size_of(name, offsetof(TypeInfo, instance_size)));
	int type = type_find(name);

	object->class = object_class_by_name(name);
	if (types[type].info->instance_init)
		types[type].info->instance_init(object);
	return object;
}

void stub_object_unref(void *object)
{
	const TypeInfo *info;

	if (!object)
		return;
	info = types[type_find(((Object *)object)->class->name)].info;
	if (info->instance_finalize)
		info->instance_finalize(object);
	g_free(object);
}

int monitor_fd_param(void *monitor, const char *name, Error **errp)
{
	(void)monitor;
	(void)errp;
	return atoi(name);
}

/* ---- live update: one descriptor is kept ---------------------------------------------- */

static int kept = -1;

bool cpr_is_incoming(void)
{
	return false;
}

int cpr_find_fd(const char *name, int id)
{
	(void)name;
	(void)id;
	return kept;
}

void cpr_save_fd(const char *name, int id, int fd)
{
	(void)name;
	(void)id;
	kept = fd;
}

void cpr_delete_fd(const char *name, int id)
{
	(void)name;
	(void)id;
	kept = -1;
}

int cpr_open_fd(const char *path, int flags, const char *name, int id, Error **errp)
{
	int fd = cpr_find_fd(name, id);

	if (fd < 0) {
		fd = qemu_open(path, flags, errp);
		if (fd >= 0)
			cpr_save_fd(name, id, fd);
	}
	return fd;
}

bool vfio_iommufd_cpr_register_iommufd(struct IOMMUFDBackend *be, Error **errp)
{
	(void)be;
	(void)errp;
	return true;
}

void vfio_iommufd_cpr_unregister_iommufd(struct IOMMUFDBackend *be)
{
	(void)be;
}
