/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's backends/iommufd.c and hw/vfio/iommufd.c want of the rest of QEMU, as thin as they
 * can bear it: every header that they include is this one (tests/qemu_api/build.sh). Names and
 * members are QEMU's, and only those that the two files use.
 *
 * With STUB_SCRIPTED the system calls on the device are those of tests/qemu_api/compare.c.
 */
#ifndef IOASIS_TESTS_QEMU_API_STUB_H
#define IOASIS_TESTS_QEMU_API_STUB_H

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <glib.h>

#include <ioasis/iommufd_abi.h>

#define container_of(pointer, type, member) \
	((type *)((char *)(uintptr_t)(pointer)-offsetof(type, member)))

typedef uint64_t hwaddr;
typedef uintptr_t ram_addr_t;
#define HWADDR_PRIx PRIx64
#define RAM_ADDR_FMT "%" PRIxPTR

/* ---- errors ------------------------------------------------------------------- */

typedef struct Error Error;

void stub_error_set(Error **errp, int os_errno, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
void stub_error_prepend(Error *const *errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
#define error_setg(errp, ...) stub_error_set(errp, 0, __VA_ARGS__)
#define error_setg_errno(errp, os_errno, ...) stub_error_set(errp, os_errno, __VA_ARGS__)
#define error_prepend(errp, ...) stub_error_prepend(errp, __VA_ARGS__)
#define error_append_hint(errp, ...) ((void)(errp))
/* QEMU's own names in the program: they are not the library's. */
void error_free(Error *err);
const char *error_get_pretty(const Error *err);
void error_propagate(Error **dst, Error *local_err);
void error_report_err(Error *err);
void warn_report_err(Error *err);
void error_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void warn_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* The caller's errp, or one of the function's own if that is NULL. */
#define ERRP_GUARD()                                                             \
	__attribute__((cleanup(stub_guard_end))) struct stub_guard stub_guard = { \
		.errp = errp                                                     \
	};                                                                       \
	if (!errp)                                                               \
	errp = &stub_guard.local

struct stub_guard {
	Error **errp;
	Error *local;
};

static inline void stub_guard_end(struct stub_guard *guard)
{
	error_free(guard->local);
}

/* ---- objects -------------------------------------------------------------------- */

typedef struct ObjectClass {
	const char *name;
} ObjectClass;

typedef struct Object {
	ObjectClass *class;
} Object;

typedef struct InterfaceInfo {
	const char *type;
} InterfaceInfo;

typedef struct TypeInfo {
	const char *name, *parent;
	size_t instance_size, class_size;
	void (*instance_init)(Object *obj);
	void (*instance_finalize)(Object *obj);
	void (*class_init)(ObjectClass *klass, const void *data);
	bool abstract;
	const InterfaceInfo *interfaces;
} TypeInfo;

void stub_types_add(const TypeInfo *types, size_t count);
ObjectClass *object_class_by_name(const char *name);
Object *object_new(const char *name);
void stub_object_unref(void *object);
#define object_unref(object) stub_object_unref(object)
#define TYPE_OBJECT "object"
#define OBJECT(object) ((Object *)(object))
#define DEFINE_TYPES(array)                                     \
	static void __attribute__((constructor)) add_types(void) \
	{                                                       \
		stub_types_add(array, G_N_ELEMENTS(array));     \
	}
#define OBJECT_DECLARE_TYPE(Instance, Class, NAME)                           \
	typedef struct Instance Instance;                                    \
	typedef struct Class Class;                                          \
	static inline G_GNUC_UNUSED Instance *NAME(const void *object)       \
	{                                                                    \
		return (Instance *)(uintptr_t)object;                        \
	}                                                                    \
	static inline G_GNUC_UNUSED Class *NAME##_CLASS(const void *klass)   \
	{                                                                    \
		return (Class *)(uintptr_t)klass;                            \
	}                                                                    \
	static inline G_GNUC_UNUSED Class *NAME##_GET_CLASS(const void *obj) \
	{                                                                    \
		return (Class *)((const Object *)obj)->class;                \
	}

typedef Object UserCreatable;
typedef struct UserCreatableClass {
	bool (*can_be_deleted)(UserCreatable *object);
	void (*complete)(UserCreatable *object, Error **errp);
} UserCreatableClass;
extern UserCreatableClass stub_user_creatable; /* of the type that was made last */
extern void (*stub_fd_setter)(Object *obj, const char *str, Error **errp);
#define TYPE_USER_CREATABLE "user-creatable"
#define USER_CREATABLE_CLASS(klass) (&stub_user_creatable)
#define object_class_property_add_str(klass, name, get, set) (stub_fd_setter = (set))
#define object_get_canonical_path_component(object) ((void)(object), "i0")
#define monitor_cur() NULL
int monitor_fd_param(void *monitor, const char *name, Error **errp);

/* ---- live update ------------------------------------------------------------------ */

bool cpr_is_incoming(void);
int cpr_find_fd(const char *name, int id);
void cpr_save_fd(const char *name, int id, int fd);
void cpr_delete_fd(const char *name, int id);
int cpr_open_fd(const char *path, int flags, const char *name, int id, Error **errp);
int qemu_open(const char *path, int flags, Error **errp);
struct IOMMUFDBackend;
bool vfio_iommufd_cpr_register_iommufd(struct IOMMUFDBackend *be, Error **errp);
void vfio_iommufd_cpr_unregister_iommufd(struct IOMMUFDBackend *be);

/* ---- the host's IOMMU ----------------------------------------------------------------- */

typedef struct PasidInfo {
	bool exec_perm, priv_mod;
	uint8_t max_pasid_log2;
} PasidInfo;

typedef union VendorCaps {
	uint8_t bytes[64];
} VendorCaps;

typedef struct HostIOMMUDeviceCaps {
	uint32_t type;
	uint64_t hw_caps;
	VendorCaps vendor_caps;
	uint8_t max_pasid_log2;
} HostIOMMUDeviceCaps;

#define TYPE_HOST_IOMMU_DEVICE "host-iommu-device"
OBJECT_DECLARE_TYPE(HostIOMMUDevice, HostIOMMUDeviceClass, HOST_IOMMU_DEVICE)

struct HostIOMMUDevice {
	Object parent_obj;
	char *name;
	void *agent;
	HostIOMMUDeviceCaps caps;
};

struct HostIOMMUDeviceClass {
	ObjectClass parent_class;
	bool (*realize)(HostIOMMUDevice *hiod, void *opaque, Error **errp);
	int (*get_cap)(HostIOMMUDevice *hiod, int cap, Error **errp);
	GList *(*get_iova_ranges)(HostIOMMUDevice *hiod);
	uint64_t (*get_page_size_mask)(HostIOMMUDevice *hiod);
	bool (*get_pasid_info)(HostIOMMUDevice *hiod, PasidInfo *info);
};

enum { HOST_IOMMU_DEVICE_CAP_IOMMU_TYPE, HOST_IOMMU_DEVICE_CAP_AW_BITS };
#define IOMMU_NO_PASID 0
#define vfio_device_get_aw_bits(device) ((void)(device), 48)

#ifdef STUB_SCRIPTED
int stub_ioctl(int fd, unsigned long request, void *arg);
int stub_close(int fd);
void *stub_mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset);
#define ioctl stub_ioctl
#define close stub_close
#define mmap stub_mmap
#define g_file_test(path, test) true
/* An event of QEMU and its fields, for tests/qemu_api/compare.c. */
void stub_event(const char *name);
void stub_field(const char *name, uint64_t value);
#endif

#endif
