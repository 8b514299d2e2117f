/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes QEMU's own backends/iommufd.c and the library through the same calls on the same device,
 * for every errno that the device can give, and compares what they ask of it, what they return
 * and store, and what they trace. Both are in this one program. Prints TAP: a line for each call.
 */
#include "tests/qemu_api/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <ioasis/iommufd_abi.h>
#include <ioasis/iommufd_backend.h>

#include "backend/trace_to.h"
#include "tracepoints/trace.h"

#define DEVICE_FD 1000
#define LINES_MAX 32
#define LINE_SIZE 400

/* ---- the device, and what was said to it ---------------------------------------- */

struct side {
	char asked[LINES_MAX][LINE_SIZE]; /* system calls */
	int asked_count;
	struct {
		char name[64];
		int count;
		struct {
			char name[32];
			uint64_t value;
		} fields[16];
	} events[LINES_MAX];
	int events_count;
};

static struct side sides[2], *side; /* QEMU's, ours; who is at it */
static int device_errno;

static char *ask(void)
{
	if (side->asked_count == LINES_MAX)
		abort();
	return side->asked[side->asked_count++];
}

static int device_open(const char *path, int flags)
{
	snprintf(ask(), LINE_SIZE, "open %s 0x%x", path, (unsigned int)flags);
	errno = device_errno;
	return device_errno ? -1 : DEVICE_FD;
}

/* Where commands answer: words of their argument. */
#define ANSWER(NAME, structure, member) { IOMMU_##NAME, offsetof(struct structure, member) }
static const struct {
	unsigned long request;
	size_t offset;
} answers[] = {
	ANSWER(IOAS_ALLOC, iommu_ioas_alloc, out_ioas_id),
	ANSWER(IOAS_UNMAP, iommu_ioas_unmap, length),
	ANSWER(HWPT_ALLOC, iommu_hwpt_alloc, out_hwpt_id),
	ANSWER(GET_HW_INFO, iommu_hw_info, out_data_type),
	ANSWER(GET_HW_INFO, iommu_hw_info, out_capabilities),
	ANSWER(GET_HW_INFO, iommu_hw_info, out_max_pasid_log2),
	ANSWER(VIOMMU_ALLOC, iommu_viommu_alloc, out_viommu_id),
	ANSWER(VDEVICE_ALLOC, iommu_vdevice_alloc, out_vdevice_id),
	ANSWER(VEVENTQ_ALLOC, iommu_veventq_alloc, out_veventq_id),
	ANSWER(VEVENTQ_ALLOC, iommu_veventq_alloc, out_veventq_fd),
	ANSWER(HW_QUEUE_ALLOC, iommu_hw_queue_alloc, out_hw_queue_id),
};

int stub_ioctl(int fd, unsigned long request, void *arg);
int stub_ioctl(int fd, unsigned long request, void *arg)
{
	unsigned char *bytes = arg;
	char *line = ask();
	uint32_t size;
	int len;

	memcpy(&size, arg, sizeof(size));
	len = snprintf(line, LINE_SIZE, "ioctl %d 0x%lx ", fd, request);
	for (uint32_t i = 0; i < size && len < LINE_SIZE - 2; i++)
		len += snprintf(line + len, (size_t)(LINE_SIZE - len), "%02x", bytes[i]);
	errno = device_errno;
	if (device_errno)
		return -1;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		if (answers[i].request == request)
			bytes[answers[i].offset] = 7;
	}
	return 0;
}

int stub_close(int fd);
int stub_close(int fd)
{
	snprintf(ask(), LINE_SIZE, "close %d", fd);
	return 0;
}

void *stub_mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset);
void *stub_mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset)
{
	snprintf(ask(), LINE_SIZE, "mmap %p 0x%zx %d %d %d 0x%llx", address, size, prot, flags, fd,
		 (unsigned long long)offset);
	errno = device_errno;
	return device_errno ? MAP_FAILED : (void *)0xabc000;
}

int qemu_open(const char *path, int flags, void *errp);
void stub_error_set(void *errp, int os_errno, const char *fmt, ...);
int qemu_open(const char *path, int flags, void *errp)
{
	int fd = device_open(path, flags | O_CLOEXEC);

	if (fd < 0)
		stub_error_set(errp, errno, "Could not open '%s'", path);
	return fd;
}

static int ours_open(void *opaque, const char *path, int flags)
{
	(void)opaque;
	return device_open(path, flags);
}

static int ours_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	(void)opaque;
	return stub_ioctl(fd, request, arg);
}

static int ours_close(void *opaque, int fd)
{
	(void)opaque;
	return stub_close(fd);
}

static void *ours_mmap(void *opaque, int fd, uint64_t size, uint64_t offset)
{
	(void)opaque;
	return stub_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
}

static const IOMMUFDDeviceOps ours_ops = { ours_open, ours_ioctl, ours_close, ours_mmap };

/* ---- events ------------------------------------------------------------------------ */

void stub_event(const char *name);
void stub_event(const char *name)
{
	if (side->events_count == LINES_MAX)
		abort();
	snprintf(side->events[side->events_count].name, 64, "%s", name);
	side->events[side->events_count++].count = 0;
}

void stub_field(const char *name, uint64_t value);
void stub_field(const char *name, uint64_t value)
{
	int event = side->events_count - 1;
	int field = side->events[event].count++;

	snprintf(side->events[event].fields[field].name, 32, "%s", name);
	side->events[event].fields[field].value = value;
}

static void ours_emit(struct trace *trace, enum trace_event event, const void *fields)
{
	const struct trace_description *about = &trace_descriptions[event];
	const uint64_t *values = fields;

	(void)trace;
	stub_event(strchr(about->name, ':') + 1);
	for (size_t i = 0; i < about->fields_count; i++)
		stub_field(about->fields[i].name, values[i]);
}

static uint64_t ours_number(struct trace *trace, enum trace_numbered what)
{
	static uint64_t last;

	(void)trace;
	(void)what;
	return ++last;
}

static uint32_t ours_tid(struct trace *trace)
{
	(void)trace;
	return 1;
}

static const int on = 1;
static const int *wanted[TRACE_EVENTS_COUNT];
static struct trace ours_trace = { wanted, ours_emit, ours_number, ours_tid };

/* ---- the script on the library -------------------------------------------------------- */

static IOMMUFDBackend *be;

static int ours(enum compare_step step, struct compare_out *out, Error **errp)
{
	uint8_t pasid = 0;
	int ret;

	switch (step) {
	case STEP_complete:
		return iommufd_backend_complete(be, errp);
	case STEP_connect:
	case STEP_connect_again:
		return iommufd_backend_connect(be, errp);
	case STEP_alloc_ioas:
		return iommufd_backend_alloc_ioas(be, &out->id, errp);
	case STEP_map_dma:
	case STEP_map_dma_readonly:
		return iommufd_backend_map_dma(be, ARG_IOAS, ARG_IOVA, ARG_SIZE, ARG_VADDR,
					       step == STEP_map_dma_readonly);
	case STEP_map_file_dma:
		return iommufd_backend_map_file_dma(be, ARG_IOAS, ARG_IOVA, ARG_SIZE, ARG_MFD,
						    0x2000, false);
	case STEP_unmap_dma:
		return iommufd_backend_unmap_dma(be, ARG_IOAS, ARG_IOVA, ARG_SIZE);
	case STEP_unmap_all:
		return iommufd_backend_unmap_dma(be, ARG_IOAS, 0, UINT64_MAX);
	case STEP_get_device_info:
	case STEP_get_device_info_of:
		out->type = step == STEP_get_device_info ? 0 : 3;
		ret = iommufd_backend_get_device_info(be, ARG_DEV, &out->type, ARG_VADDR, 24,
						      &out->caps, &pasid, errp);
		out->max_pasid = pasid;
		if (ret)
			out->type = 0;
		return ret;
	case STEP_alloc_hwpt:
		return iommufd_backend_alloc_hwpt(be, ARG_DEV, ARG_IOAS, 1, 1, 24, ARG_VADDR,
						  &out->id, errp);
	case STEP_set_dirty:
	case STEP_unset_dirty:
		return iommufd_backend_set_dirty_tracking(be, ARG_HWPT, step == STEP_set_dirty,
							  errp);
	case STEP_get_dirty_bitmap:
		return iommufd_backend_get_dirty_bitmap(be, ARG_HWPT, ARG_IOVA, ARG_SIZE, 0x1000,
							ARG_VADDR, qemu_has("flags"), errp);
	case STEP_invalidate_cache:
		out->entries = 4;
		return iommufd_backend_invalidate_cache(be, ARG_HWPT, 1, 16, &out->entries,
							ARG_VADDR, errp);
	case STEP_alloc_viommu:
		return iommufd_backend_alloc_viommu(be, ARG_DEV, 2, ARG_HWPT, ARG_VADDR, 16,
						    &out->id, errp);
	case STEP_alloc_vdev:
		return iommufd_backend_alloc_vdev(be, ARG_DEV, ARG_VIOMMU, 0x99, &out->id, errp);
	case STEP_alloc_veventq:
		return iommufd_backend_alloc_veventq(be, ARG_VIOMMU, 2, 8, &out->id, &out->fd,
						     errp);
	case STEP_alloc_hw_queue:
		return iommufd_backend_alloc_hw_queue(be, ARG_VIOMMU, 1, 6, ARG_IOVA, ARG_SIZE,
						      &out->id, errp);
	case STEP_viommu_mmap: {
		void *memory = NULL;

		ret = iommufd_backend_viommu_mmap(be, ARG_VIOMMU, ARG_SIZE, 0x4000, &memory, errp);
		out->mapped = (uintptr_t)memory;
		return ret;
	}
	case STEP_change_capable:
		return iommufd_change_process_capable(be);
	case STEP_change_process:
		return iommufd_change_process(be, errp);
	case STEP_free_id:
		iommufd_backend_free_id(be, 5);
		return 0;
	case STEP_disconnect:
	case STEP_disconnect_last:
	case STEP_disconnect_nothing:
		iommufd_backend_disconnect(be);
		return 0;
	case STEP_COUNT:
		break;
	}
	abort();
}

static int ours_step(enum compare_step step, struct compare_out *out)
{
	Error *err = NULL;
	int ret = ours(step, out, &err);

	out->has_error = err != NULL;
	error_free(err);
	out->object_fd = iommufd_backend_get_fd(be);
	out->owned = iommufd_backend_is_owned(be);
	out->users = iommufd_backend_get_users(be);
	return ret;
}

/* ---- the comparison ---------------------------------------------------------------------- */

/* QEMU's events that the library calls by the call's own name. */
static const char *event_name(const char *qemu)
{
	static const char prefix[] = "iommufd_backend_";

	if (!strcmp(qemu, "iommu_backend_set_fd"))
		return "set_fd";
	if (!strcmp(qemu, "iommufd_change_process"))
		return "change_process";
	if (!strcmp(qemu, "iommufd_viommu_alloc_eventq"))
		return "alloc_veventq";
	return strncmp(qemu, prefix, sizeof(prefix) - 1) ? qemu : qemu + sizeof(prefix) - 1;
}

/* Ours are in an event of their own, which is off by default. */
static const char *event_of_address(const char *field)
{
	return !strcmp(field, "vaddr") ? "map_dma_vaddr" : !strcmp(field, "data_ptr") ? "data_ptr" :
											NULL;
}

static const uint64_t *ours_field(const char *event, const char *field)
{
	const struct side *we = &sides[1];

	if (!strcmp(event, "change_process") && !strcmp(field, "fd"))
		field = "iommufd"; /* as in every other call */

	for (int i = 0; i < we->events_count; i++) {
		if (strcmp(we->events[i].name, event))
			continue;
		for (int j = 0; j < we->events[i].count; j++) {
			if (!strcmp(we->events[i].fields[j].name, field))
				return &we->events[i].fields[j].value;
		}
	}
	return NULL;
}

/*
 * QEMU says -1, 0, an errno, or whether it succeeded; ours is 0 or -errno. Of a field of 32 bits,
 * which QEMU's ids are, the sign is no difference.
 */
static bool same_value(const char *event, const char *field, uint64_t qemu, uint64_t own)
{
	if (!strcmp(event, "change_process") && !strcmp(field, "ret"))
		return qemu == !own;
	if (!strcmp(field, "ret"))
		return !qemu == !own;
	return qemu == own;
}

static int failures;

static void differ(const char *step, int error, const char *what, const char *qemu,
		   const char *own)
{
	printf("# %s, errno %d: %s: QEMU %s, the library %s\n", step, error, what, qemu, own);
	failures++;
}

static void compare_asked(const char *step, int error)
{
	for (int i = 0; i < sides[0].asked_count || i < sides[1].asked_count; i++) {
		const char *qemu = i < sides[0].asked_count ? sides[0].asked[i] : "nothing";
		const char *own = i < sides[1].asked_count ? sides[1].asked[i] : "nothing";

		if (strcmp(qemu, own))
			differ(step, error, "asks", qemu, own);
	}
}

static void compare_events(const char *step, int error)
{
	for (int i = 0; i < sides[0].events_count; i++) {
		const char *event = event_name(sides[0].events[i].name);

		for (int j = 0; j < sides[0].events[i].count; j++) {
			const char *field = sides[0].events[i].fields[j].name;
			const char *apart = event_of_address(field);
			uint64_t qemu = sides[0].events[i].fields[j].value;
			const uint64_t *own = ours_field(apart ? apart : event, field);
			char texts[2][64];

			if (own && same_value(event, field, qemu, *own))
				continue;
			snprintf(texts[0], 64, "%s=0x%llx", field, (unsigned long long)qemu);
			snprintf(texts[1], 64, own ? "0x%llx" : "nothing",
				 own ? (unsigned long long)*own : 0);
			differ(step, error, event, texts[0], texts[1]);
		}
	}
}

static void compare_results(const char *step, int error, bool number, const int ret[2],
			    const struct compare_out out[2])
{
	char texts[2][160];

	for (int i = 0; i < 2; i++) {
		const struct compare_out *o = &out[i];

		snprintf(texts[i], sizeof(texts[i]),
			 "%d id %u fd %u type %u entries %u caps %llu mapped 0x%llx pasid %u "
			 "error %d; fd %d owned %d users %u",
			 number ? ret[i] : ret[i] ? -1 : 0, o->id, o->fd, o->type, o->entries,
			 (unsigned long long)o->caps, (unsigned long long)o->mapped,
			 out[0].max_pasid ? o->max_pasid : 0, o->has_error, o->object_fd, o->owned,
			 o->users);
	}
	if (strcmp(texts[0], texts[1]))
		differ(step, error, "result", texts[0], texts[1]);
}

/* One step with one answer of the device, on both. False: this QEMU has no such call. */
static bool compare(enum compare_step step, const char *name, bool number, int error)
{
	struct compare_out out[2];
	int ret[2];

	memset(sides, 0, sizeof(sides));
	memset(out, 0, sizeof(out));
	for (int i = 0; i < 2; i++) {
		side = &sides[i];
		device_errno = error;
		ret[i] = i ? ours_step(step, &out[i]) : qemu_step(step, &out[i]);
		if (ret[i] == STEP_MISSING)
			return false;
	}
	compare_asked(name, error);
	compare_results(name, error, number, ret, out);
	compare_events(name, error);
	return true;
}

static const int errnos[] = { EPERM,  ENOENT, EINTR,  EIO,    EBADF,  ENOMEM,	  EACCES,
			      EFAULT, EBUSY,  EEXIST, ENODEV, EINVAL, EOPNOTSUPP, ENOTTY };

int main(void)
{
	static const struct {
		const char *name;
		bool number;
	} steps[] = {
#define STEP_ROW(name, number) { #name, number },
		COMPARE_STEPS(STEP_ROW)
#undef STEP_ROW
	};
	int bad = 0;

	for (int i = 0; i < TRACE_EVENTS_COUNT; i++)
		wanted[i] = &on;
	be = iommufd_backend_new("i0");
	iommufd_backend_set_device(be, NULL, &ours_ops, NULL);
	backend_trace_to(be, &ours_trace);
	printf("1..%d\n", STEP_COUNT);
	for (int step = 0; step < STEP_COUNT; step++) {
		bool there = true;

		failures = 0;
		/* Failures first: what comes later wants the steps' success. */
		for (size_t i = 0; there && i < sizeof(errnos) / sizeof(*errnos); i++) {
			if (step < STEP_disconnect)
				there = compare(step, steps[step].name, steps[step].number,
						step == STEP_connect_again || step == STEP_complete ?
							0 :
							errnos[i]);
			if (step == STEP_connect_again || step == STEP_complete)
				break;
		}
		if (there && step != STEP_connect_again && step != STEP_complete)
			there = compare(step, steps[step].name, steps[step].number, 0);
		printf("%sok %d - %s%s\n", failures ? "not " : "", step + 1, steps[step].name,
		       there ? "" : " # SKIP this QEMU does not have it");
		bad += failures != 0;
	}
	iommufd_backend_delete(be, NULL);
	return bad != 0;
}
