/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/ioctl_calls.h"

#include "sim/exec/filter.h"
#include "sim/exec/kvm_calls.h"
#include "sim/exec/ring.h"
#include "sim/exec/test_calls.h"
#include "tracepoints/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <unistd.h>

/* One ioctl on its way through the engine. */
struct ioctl_call {
	struct process_client pc; /* pc.opaque: this */
	const struct caller *caller;
	struct fuse_device *device;
	struct engine_anon_file *installed; /* what it got */
};

static struct ioctl_call *call_of(const struct engine_client *client)
{
	return (struct ioctl_call *)((const struct process_client *)client)->opaque;
}

/* ---- the caller's operations, which end with the notification ---------------------- */

/*
 * A caller that is killed in its call is gone at once, and its thread's id may be given to
 * another: what was found by it or read counts only if the caller still waits afterwards, and
 * that is looked at before anything is written (seccomp_unotify(2)). A call begins by reading
 * its argument, so who calls, and what file, is certain with that.
 */
static bool is_there(const struct engine_client *client)
{
	return caller_alive(call_of(client)->caller);
}

static int call_copy_in(const struct engine_client *client, void *dst, uint64_t src, size_t len)
{
	int rc = process_client_ops.copy_in(client, dst, src, len);

	return !rc && is_there(client) ? 0 : -EFAULT;
}

static ssize_t call_copy_in_some(const struct engine_client *client, void *dst, uint64_t src,
				 size_t len)
{
	ssize_t n = process_client_ops.copy_in_some(client, dst, src, len);

	return is_there(client) ? n : -EFAULT;
}

static int call_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
			 size_t len)
{
	return is_there(client) ? process_client_ops.copy_out(client, dst, src, len) : -EFAULT;
}

static bool call_capable(const struct engine_client *client, enum engine_cap cap)
{
	return process_client_ops.capable(client, cap) && is_there(client);
}

/*
 * The kernel reserves a number, writes it into the caller's structure and only
 * then installs the file: a structure that cannot be written leaves no file
 * behind. A number cannot be reserved from outside, so whether the structure can
 * be written is tried first, with the bytes that are there.
 */
static int probe_answer(const struct engine_client *client, uint64_t arg)
{
	uint32_t size, done;
	int rc = client->ops->copy_in(client, &size, arg, sizeof(size));

	for (done = 0; !rc && done < size && done < 4096; done += 8) {
		uint64_t word;
		size_t part = size - done < sizeof(word) ? size - done : sizeof(word);

		rc = client->ops->copy_in(client, &word, arg + done, part);
		if (!rc)
			rc = client->ops->copy_out(client, arg + done, &word, part);
	}
	return rc;
}

static int call_fd_install(const struct engine_client *client, struct engine_anon_file *file,
			   int oflags)
{
	struct ioctl_call *call = call_of(client);
	int fd, number;

	if (probe_answer(client, call->caller->notif->data.args[2]))
		return -EFAULT;
	fd = fuse_device_anon_open(call->device, file, oflags);
	if (fd < 0)
		return fd;
	number = caller_add_fd(call->caller, fd, oflags);
	if (number < 0) /* no number free, or the caller is gone */
		fuse_device_anon_disown(call->device, file);
	else
		call->installed = file;
	close(fd);
	/* Killed in its call: no one gets this answer, which the trace tells all the same. */
	return number == -ENOENT ? -EINTR : number;
}

/* The number stays taken (a file cannot be closed from outside), by nothing of ours. */
static void call_fd_remove(const struct engine_client *client, int fd)
{
	struct ioctl_call *call = call_of(client);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	fuse_device_anon_disown(call->device, call->installed);
	if (null < 0)
		return;
	caller_replace_fd(call->caller, null, fd);
	close(null);
}

/* The open file of a device, by its group: the number in the caller, or -errno. */
static long give_device(struct ioctl_call *call, struct fuse_open *open, uint64_t arg)
{
	int fd = fuse_device_group_device_open(open, &call->pc.client, arg), number;

	if (fd < 0)
		return fd;
	number = caller_add_fd(call->caller, fd, O_CLOEXEC);
	close(fd);
	return number == -ENOENT ? -EINTR : number;
}

/* ---- one call ------------------------------------------------------------------------ */

#define NO_FILE 0
#define GIVES_FILE 1
#define CASE_FILE(nr, NAME, text, handler, type, last, major, minor, plain, names, errnos, file, \
		  ...)                                                               \
	if (file && cmd == _IO(IOMMUFD_TYPE, nr))                                    \
		return true;

/* Whether FUSE cannot answer the call, because the caller may get a file. */
static bool may_give_file(const struct caller *caller)
{
	const unsigned int cmd = (unsigned int)caller->notif->data.args[1];

	IOMMUFD_COMMANDS(CASE_FILE)
	if (cmd == IOMMU_TEST_CMD)
		return test_cmd_gives_file(caller);
	return cmd == FILTER_VFIO_GROUP_GET_DEVICE_FD || cmd == FILTER_VFIO_DEVICE_FEATURE;
}

/* The open file that the call is for, a reference; NULL: none of ours, or not known. */
static struct fuse_open *open_of(struct ioctl_call *call)
{
	const struct caller *caller = call->caller;
	const struct seccomp_data *data = &caller->notif->data;
	struct fuse_open *open;
	int fd;

	open = fuse_device_open_known(call->device, &call->pc, (int)data->args[0], NULL);
	if (open || !may_give_file(caller))
		return open;
	fd = caller_dup_fd(caller, (int)data->args[0]);
	if (fd < 0)
		return NULL;
	open = fuse_device_open_get(call->device, fd);
	close(fd);
	return open;
}

/* Whether it matters who calls: not for what only takes away, and is as frequent. */
static bool may_be_accounted(unsigned int cmd)
{
	return cmd != IOMMU_IOAS_UNMAP && cmd != IOMMU_DESTROY;
}

static long run(struct ioctl_call *call, struct fuse_open *open)
{
	const struct seccomp_data *data = &call->caller->notif->data;
	const unsigned int cmd = (unsigned int)data->args[1];

	fuse_device_where(call->device, &call->pc, cmd);
	if (cmd == FILTER_VFIO_GROUP_GET_DEVICE_FD)
		return give_device(call, open, data->args[2]);
	return fuse_device_open_ioctl(open, &call->pc.client, cmd, data->args[2]);
}

void ioctl_call_answer(struct fuse_device *device, struct fail_nth_table *fail_nth,
		       struct rings *rings, struct ioctl_counts *counts,
		       const struct caller *caller)
{
	const struct seccomp_data *data = &caller->notif->data;
	const uint32_t tid = caller->notif->pid;
	struct engine_client_ops ops = process_client_ops;
	struct ioctl_call call = { .caller = caller, .device = device };
	struct fuse_open *open;
	long result;

	if ((unsigned int)data->args[1] == KVM_SET_DEVICE_ATTR) {
		kvm_call_answer(device, caller);
		return;
	}
	ops.copy_in = call_copy_in;
	ops.copy_in_some = call_copy_in_some;
	ops.copy_out = call_copy_out;
	ops.capable = call_capable;
	ops.fd_install = call_fd_install;
	ops.fd_remove = call_fd_remove;
	if (process_client_init(&call.pc, fuse_device_processes(device), &ops, tid, 0)) {
		caller_continue(caller); /* FUSE says why not */
		return;
	}
	if (may_be_accounted((unsigned int)data->args[1]))
		process_client_find_uid(&call.pc);
	call.pc.opaque = &call;
	if (fail_nth)
		call.pc.client.fail_nth = fail_nth_find(fail_nth, tid);
	open = open_of(&call);
	if (!open) {
		process_client_fini(&call.pc);
		__atomic_add_fetch(&counts->let_go, 1, __ATOMIC_RELAXED);
		fuse_device_open_expect(device, tid, (int)data->args[0],
					(unsigned int)data->args[1], data->args[2]);
		caller_continue(caller);
		return;
	}
	result = run(&call, open);
	__atomic_add_fetch(&counts->answered, 1, __ATOMIC_RELAXED);
	if (rings)
		rings_note_call(rings, &call.pc);
	process_client_fini(&call.pc);
	/* Before the answer: a close() by the caller after it is to be the last one. */
	fuse_device_open_put(open);
	caller_answer(caller, result);
}
