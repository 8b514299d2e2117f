/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/supervisor.h"

#include "sim/exec/caller.h"
#include "sim/exec/fail_nth.h"
#include "sim/exec/filter.h"
#include "sim/exec/kvm_calls.h"
#include "sim/exec/map_calls.h"
#include "sim/exec/proc_files.h"
#include "sim/exec/stat_calls.h"
#include "sim/exec/test_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Threads without a call at most; more end when their call has. */
#define WAITING_MAX 2
/* How long supervisor_stop() lets calls finish that are being answered. */
#define STOP_NS 200000000l

struct supervisor {
	struct supervisor_config config;
	int stop; /* eventfd: readable once it shall end */

	pthread_mutex_t lock;
	pthread_cond_t idle;
	pthread_cond_t turn;
	unsigned int waiting; /* threads without a call */
	unsigned int busy;    /* threads that answer one */
	/*
	 * One of the waiting threads looks at the listener: two that see the same
	 * call would both go to take it, and the loser could not be stopped.
	 */
	bool watched;
	bool stopping;
};

/* ---- a file for the caller ------------------------------------------------- */

/* One ioctl on its way through the engine. */
struct ioctl_call {
	struct process_client pc; /* pc.opaque: this */
	struct caller *caller;
	struct fuse_device *device;
	struct engine_anon_file *installed; /* what it got */
};

static struct ioctl_call *call_of(const struct engine_client *client)
{
	return (struct ioctl_call *)((const struct process_client *)client)->opaque;
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

static long run_ioctl(struct supervisor *supervisor, struct caller *caller,
		      struct fuse_open *open)
{
	const struct seccomp_data *data = &caller->notif->data;
	struct engine_client_ops ops = process_client_ops;
	struct ioctl_call call = { .caller = caller, .device = supervisor->config.device };
	uint32_t uid;
	long rc;

	ops.fd_install = call_fd_install;
	ops.fd_remove = call_fd_remove;
	rc = caller_fsuid(caller, &uid);
	if (!rc)
		rc = process_client_init(&call.pc, fuse_device_processes(call.device), &ops,
					 caller->notif->pid, uid);
	if (rc)
		return rc;
	call.pc.opaque = &call;
	if (supervisor->config.fail_nth)
		call.pc.client.fail_nth = fail_nth_find(supervisor->config.fail_nth,
							caller->notif->pid);
	fuse_device_where(call.device, &call.pc, (unsigned int)data->args[1]);
	if ((unsigned int)data->args[1] == FILTER_VFIO_GROUP_GET_DEVICE_FD)
		rc = give_device(&call, open, data->args[2]);
	else
		rc = fuse_device_open_ioctl(open, &call.pc.client, (unsigned int)data->args[1],
					    data->args[2]);
	process_client_fini(&call.pc);
	return rc;
}

/* Runs an ioctl here if its file is one of ours and its answer may be a file. */
static void handle_ioctl(struct supervisor *supervisor, struct caller *caller)
{
	const struct seccomp_data *data = &caller->notif->data;
	struct fuse_open *open = NULL;
	long result;
	int fd;

	if ((unsigned int)data->args[1] == KVM_SET_DEVICE_ATTR) {
		kvm_call_answer(supervisor->config.device, caller);
		return;
	}
	if ((unsigned int)data->args[1] == IOMMU_TEST_CMD && !test_cmd_gives_file(caller)) {
		caller_continue(caller);
		return;
	}
	fd = caller_dup_fd(caller, (int)data->args[0]);
	if (fd >= 0) {
		open = fuse_device_open_get(supervisor->config.device, fd);
		close(fd);
	}
	if (!open) {
		caller_continue(caller);
		return;
	}
	result = run_ioctl(supervisor, caller, open);
	/* Before the answer: a close() by the caller after it is to be the last one. */
	fuse_device_open_put(open);
	caller_answer(caller, result);
}

static void handle(struct supervisor *supervisor, const struct seccomp_notif *notif)
{
	struct caller caller = { .listener = supervisor->config.listener, .notif = notif };

	switch (notif->data.nr) {
	case __NR_ioctl:
		handle_ioctl(supervisor, &caller);
		break;
	case __NR_read:
	case __NR_write:
		test_move_nothing(supervisor->config.device, &caller);
		break;
	case __NR_fstat:
	case __NR_newfstatat:
	case __NR_statx:
#ifdef __NR_stat
	case __NR_stat:
	case __NR_lstat:
#endif
		stat_call_answer(supervisor->config.device, &caller);
		break;
	case __NR_mmap:
		map_call_answer(supervisor->config.device, &caller);
		break;
	default: /* one of the open family */
		proc_files_open(supervisor->config.fail_nth, supervisor->config.device, &caller);
		break;
	}
}

/* ---- threads --------------------------------------------------------------- */

static void *worker(void *opaque);

/* Starts a waiting thread; false: not now, the busy ones come back to it. Locked. */
static bool worker_add(struct supervisor *supervisor)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, worker, supervisor);
	pthread_attr_destroy(&attr);
	if (!rc)
		supervisor->waiting++;
	return !rc;
}

/* The next notification. 0; -EAGAIN: try again; -ESHUTDOWN: no more will come. */
static int receive(struct supervisor *supervisor, struct seccomp_notif *notif, size_t size)
{
	struct pollfd fds[] = {
		{ .fd = supervisor->config.listener, .events = POLLIN },
		{ .fd = supervisor->stop, .events = POLLIN },
	};

	if (poll(fds, 2, -1) < 0)
		return -EAGAIN;
	if (fds[1].revents)
		return -ESHUTDOWN;
	if (!(fds[0].revents & POLLIN))
		return fds[0].revents ? -ESHUTDOWN : -EAGAIN;
	memset(notif, 0, size); /* the kernel insists */
	/* ENOENT: the caller died since poll() saw it. */
	if (ioctl(supervisor->config.listener, SECCOMP_IOCTL_NOTIF_RECV, notif))
		return -EAGAIN;
	return 0;
}

static void *worker(void *opaque)
{
	struct supervisor *supervisor = opaque;
	struct seccomp_notif_sizes sizes = { 0 };
	struct seccomp_notif *notif;
	size_t size;
	bool stay = true;
	int rc = 0;

	syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
	size = sizes.seccomp_notif > sizeof(*notif) ? sizes.seccomp_notif : sizeof(*notif);
	notif = malloc(size);
	pthread_mutex_lock(&supervisor->lock);
	while (notif && stay && !supervisor->stopping) {
		if (supervisor->watched) {
			pthread_cond_wait(&supervisor->turn, &supervisor->lock);
			continue;
		}
		supervisor->watched = true;
		pthread_mutex_unlock(&supervisor->lock);
		rc = receive(supervisor, notif, size);
		pthread_mutex_lock(&supervisor->lock);
		supervisor->watched = false;
		if (rc == -ESHUTDOWN)
			supervisor->stopping = true;
		if (rc)
			continue;
		supervisor->waiting--;
		supervisor->busy++;
		if (supervisor->waiting)
			pthread_cond_signal(&supervisor->turn);
		else
			worker_add(supervisor);
		pthread_mutex_unlock(&supervisor->lock);
		handle(supervisor, notif);
		pthread_mutex_lock(&supervisor->lock);
		supervisor->busy--;
		supervisor->waiting++;
		stay = supervisor->waiting <= WAITING_MAX;
	}
	supervisor->waiting--;
	pthread_cond_broadcast(&supervisor->idle);
	pthread_cond_broadcast(&supervisor->turn);
	pthread_mutex_unlock(&supervisor->lock);
	free(notif);
	return NULL;
}

int supervisor_start(const struct supervisor_config *config, struct supervisor **out)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	pthread_condattr_t attr;
	int rc = 0;

	if (!supervisor)
		return -ENOMEM;
	supervisor->config = *config;
	supervisor->stop = eventfd(0, EFD_CLOEXEC);
	if (supervisor->stop < 0) {
		rc = -errno;
		free(supervisor);
		return rc;
	}
	pthread_mutex_init(&supervisor->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&supervisor->idle, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&supervisor->turn, NULL);
	pthread_mutex_lock(&supervisor->lock);
	if (!worker_add(supervisor))
		rc = -EAGAIN;
	pthread_mutex_unlock(&supervisor->lock);
	if (rc) {
		close(supervisor->stop);
		free(supervisor);
		return rc;
	}
	*out = supervisor;
	return 0;
}

unsigned int supervisor_stop(struct supervisor *supervisor)
{
	struct timespec until;
	unsigned int left;
	uint64_t one = 1;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += STOP_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&supervisor->lock);
	supervisor->stopping = true;
	if (write(supervisor->stop, &one, sizeof(one)) != sizeof(one))
		abort();
	pthread_cond_broadcast(&supervisor->turn);
	while (supervisor->busy + supervisor->waiting) {
		if (pthread_cond_timedwait(&supervisor->idle, &supervisor->lock, &until))
			break;
	}
	left = supervisor->busy + supervisor->waiting;
	pthread_mutex_unlock(&supervisor->lock);
	if (left)
		return left;
	close(supervisor->config.listener);
	close(supervisor->stop);
	pthread_mutex_destroy(&supervisor->lock);
	pthread_cond_destroy(&supervisor->idle);
	pthread_cond_destroy(&supervisor->turn);
	free(supervisor);
	return 0;
}
