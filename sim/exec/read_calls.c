/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/read_calls.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define BYTES_MAX 8u

/* What the device reads, and the caller's memory gets; -ENOTTY: FUSE is to answer. */
static ssize_t move(const struct caller *caller, const struct process_client *pc,
		    struct fuse_open *open)
{
	const __u64 *args = caller->notif->data.args;
	uint8_t bytes[BYTES_MAX];
	ssize_t n = fuse_device_open_read(open, bytes, (size_t)args[2], args[3]);

	if (n <= 0)
		return n;
	/* Killed in its call it is gone at once: the memory of another must not be written to. */
	if (!caller_alive(caller) ||
	    process_client_ops.copy_out(&pc->client, args[1], bytes, (size_t)n))
		return -EFAULT;
	return n;
}

void read_call_answer(struct fuse_device *device, const struct caller *caller)
{
	const struct seccomp_data *data = &caller->notif->data;
	const uint32_t tid = caller->notif->pid;
	struct process_client pc;
	struct fuse_open *open;
	ssize_t result = -ENOTTY;

	if (!data->args[2] || data->args[2] > BYTES_MAX || data->args[3] > INT64_MAX ||
	    process_client_init(&pc, fuse_device_processes(device), &process_client_ops, tid, 0)) {
		caller_continue(caller);
		return;
	}
	open = fuse_device_open_known(device, &pc, (int)data->args[0], NULL);
	if (open)
		result = move(caller, &pc, open);
	process_client_fini(&pc);
	/* Before the answer: a close() by the caller after it is to be the last one. */
	if (open)
		fuse_device_open_put(open);
	else
		fuse_device_open_expect_read(device, tid, (int)data->args[0], data->args[3]);
	if (result == -ENOTTY)
		caller_continue(caller);
	else
		caller_answer(caller, result);
}

bool read_call_is_for(struct fuse_device *device, const struct caller *caller, int fd)
{
	int ours = caller_dup_fd(caller, fd);
	struct fuse_open *open;
	bool is_for;

	if (ours < 0)
		return false;
	open = fuse_device_open_get(device, ours);
	close(ours);
	if (!open)
		return false;
	is_for = fuse_device_open_reads(open);
	fuse_device_open_put(open);
	return is_for;
}
