/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/vfio/migration.h"
#include "sim/pci/pci_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* What precedes each whole state in a stream. */
struct chunk_head {
	uint64_t magic;
	uint64_t bytes;
};
#define CHUNK_MAGIC 0x3173697361316f69ull
#define STREAM_BYTES_MAX (1ull << 40)

/* One data_fd. */
struct stream {
	struct vfio_migration *migration;
	bool resuming;
	bool pre_copy; /* more will follow */
	bool disabled; /* its time is over: ENODEV */
	struct pci_state data; /* what the client reads (taken: so far), or has written */
};

struct vfio_migration {
	struct vfio_device *device;
	pthread_mutex_t lock;
	uint32_t refs; /* the device's, each stream's; __atomic */
	enum sim_vfio_state state;
	struct stream *stream; /* the present one; NULL: none */
	bool stopped;	       /* the function is */
	bool precopy_info_v2;  /* GET_PRECOPY_INFO says its flags */
};

/* ---- the next step ----------------------------------------------------------------- */

/*
 * From a state towards another, the next one: vfio_mig_get_next_state(), with everything
 * supported. A letter a state: Error, Stop, Running, Copy (STOP_COPY), reSuming is M,
 * P (RUNNING_P2P), pre-copy L, Q (PRE_COPY_P2P).
 */
static const char state_letters[SIM_VFIO_STATES + 1] = "ESRCMPLQ";
static const char *const next_steps[SIM_VFIO_STATES] = {
	/*			     to E S R C M P L Q */
	[SIM_VFIO_STATE_ERROR] = "EEEEEEEE",
	[SIM_VFIO_STATE_STOP] = "ESPCMPPP",
	[SIM_VFIO_STATE_RUNNING] = "EPRPPPLP",
	[SIM_VFIO_STATE_STOP_COPY] = "ESSCSSEE",
	[SIM_VFIO_STATE_RESUMING] = "ESSSMSSS",
	[SIM_VFIO_STATE_RUNNING_P2P] = "ESRSSPRQ",
	[SIM_VFIO_STATE_PRE_COPY] = "ERRQRRLQ",
	[SIM_VFIO_STATE_PRE_COPY_P2P] = "EPPCPPLQ",
};

static enum sim_vfio_state next_state(enum sim_vfio_state from, uint32_t to)
{
	const char *letter = strchr(state_letters, next_steps[from][to]);

	return (enum sim_vfio_state)(letter - state_letters);
}

/* ---- streams --------------------------------------------------------------------- */

static void migration_put(struct vfio_migration *migration)
{
	if (__atomic_sub_fetch(&migration->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_destroy(&migration->lock);
	free(migration);
}

static ssize_t stream_read(void *opaque, void *buf, size_t length)
{
	struct stream *stream = opaque;
	size_t left;
	ssize_t n;

	pthread_mutex_lock(&stream->migration->lock);
	left = stream->data.length - stream->data.taken;
	if (stream->resuming)
		n = -EINVAL;
	else if (stream->disabled)
		n = -ENODEV;
	else if (!left && stream->pre_copy)
		n = -ENOMSG;
	else
		n = (ssize_t)(left < length ? left : length);
	if (n > 0)
		pci_state_get(&stream->data, buf, (size_t)n);
	pthread_mutex_unlock(&stream->migration->lock);
	return n;
}

static ssize_t stream_write(void *opaque, const void *buf, size_t length)
{
	struct stream *stream = opaque;
	ssize_t n = (ssize_t)length;

	pthread_mutex_lock(&stream->migration->lock);
	if (!stream->resuming)
		n = -EINVAL;
	else if (stream->disabled)
		n = -ENODEV;
	else if (length > STREAM_BYTES_MAX - stream->data.length)
		n = -ENOMEM;
	else
		pci_state_put(&stream->data, buf, length);
	if (stream->data.failed)
		n = -ENOMEM;
	pthread_mutex_unlock(&stream->migration->lock);
	return n;
}

static long stream_ioctl(void *opaque, const struct engine_client *client, unsigned int cmd,
			 uint64_t arg)
{
	struct sim_vfio_precopy_info info;
	struct stream *stream = opaque;
	long rc = 0;

	if (cmd != SIM_VFIO_GET_PRECOPY_INFO || stream->resuming)
		return -ENOTTY;
	if (client->ops->copy_in(client, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info))
		return -EINVAL;
	pthread_mutex_lock(&stream->migration->lock);
	if (stream->disabled || !stream->pre_copy)
		rc = stream->disabled ? -ENODEV : -EINVAL;
	/* As the caller gave them, unless it knows that they are an output. */
	if (stream->migration->precopy_info_v2)
		info.flags = 0;
	info.initial_bytes = stream->data.length - stream->data.taken;
	info.dirty_bytes = 0;
	pthread_mutex_unlock(&stream->migration->lock);
	return rc ? rc : client->ops->copy_out(client, arg, &info, sizeof(info));
}

static void stream_release(void *opaque)
{
	struct stream *stream = opaque;
	struct vfio_migration *migration = stream->migration;

	pthread_mutex_lock(&migration->lock);
	if (migration->stream == stream)
		migration->stream = NULL;
	pthread_mutex_unlock(&migration->lock);
	pci_state_fini(&stream->data);
	free(stream);
	migration_put(migration);
}

static const struct engine_stream_ops stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.ioctl = stream_ioctl,
	.release = stream_release,
};

/* ---- arcs, with the lock held -------------------------------------------------------- */

/* A new stream; *file is what the client is to get. */
static int stream_open(struct vfio_migration *migration, bool resuming,
		       struct engine_anon_file **file)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	*file = engine_stream_create(&stream_ops, stream);
	if (!*file) {
		free(stream);
		return -ENOMEM;
	}
	stream->migration = migration;
	stream->resuming = resuming;
	__atomic_add_fetch(&migration->refs, 1, __ATOMIC_RELAXED);
	migration->stream = stream;
	return 0;
}

static void stream_disable(struct vfio_migration *migration)
{
	if (migration->stream)
		migration->stream->disabled = true;
	migration->stream = NULL;
}

/* Puts a whole state into the stream, of which there need not be one any more. */
static int stream_save(struct vfio_migration *migration)
{
	struct pci_state state = { .bytes = NULL };
	int err = pci_function_save(migration->device->function, &state);
	struct chunk_head head = { .magic = CHUNK_MAGIC, .bytes = state.length };

	if (!err && migration->stream) {
		pci_state_put(&migration->stream->data, &head, sizeof(head));
		pci_state_put(&migration->stream->data, state.bytes, state.length);
		if (migration->stream->data.failed)
			err = -ENOMEM;
	}
	pci_state_fini(&state);
	return err;
}

/* The last whole state of what was written. */
static int stream_load(struct vfio_migration *migration)
{
	struct pci_state *data = &migration->stream->data, state;
	struct chunk_head head;
	size_t at = 0;

	while (data->taken < data->length) {
		if (!pci_state_get(data, &head, sizeof(head)) || head.magic != CHUNK_MAGIC ||
		    head.bytes > data->length - data->taken)
			return -EINVAL;
		at = data->taken;
		data->taken += (size_t)head.bytes;
	}
	if (!at)
		return data->length ? -EINVAL : 0; /* nothing written: it is as after a reset */
	state = (struct pci_state){ .bytes = data->bytes + at, .length = data->length - at };
	return pci_function_load(migration->device->function, &state);
}

static int set_stopped(struct vfio_migration *migration, bool stopped)
{
	int err = 0;

	if (stopped && !migration->stopped)
		err = pci_function_stop(migration->device->function);
	else if (!stopped && migration->stopped)
		pci_function_start(migration->device->function);
	if (!err)
		migration->stopped = stopped;
	return err;
}

/* One step; *file becomes a new one when there is a stream to give. */
static int step(struct vfio_migration *migration, enum sim_vfio_state to,
		struct engine_anon_file **file)
{
	enum sim_vfio_state from = migration->state;
	bool runs = to == SIM_VFIO_STATE_RUNNING || to == SIM_VFIO_STATE_PRE_COPY;
	bool pre_copy = to == SIM_VFIO_STATE_PRE_COPY || to == SIM_VFIO_STATE_PRE_COPY_P2P;
	bool was_pre_copy = from == SIM_VFIO_STATE_PRE_COPY ||
			    from == SIM_VFIO_STATE_PRE_COPY_P2P;
	int err = set_stopped(migration, !runs);

	if (err)
		return err;
	if (from == SIM_VFIO_STATE_RESUMING) {
		err = migration->stream ? stream_load(migration) : 0;
		if (err) {
			migration->state = SIM_VFIO_STATE_ERROR;
			stream_disable(migration);
			return err;
		}
	}
	if (to == SIM_VFIO_STATE_STOP_COPY && was_pre_copy) {
		if (migration->stream)
			migration->stream->pre_copy = false;
		return stream_save(migration); /* the same file goes on */
	}
	if (pre_copy && was_pre_copy)
		return 0;
	stream_disable(migration);
	if (to == SIM_VFIO_STATE_RESUMING)
		return stream_open(migration, true, file);
	if (pre_copy || to == SIM_VFIO_STATE_STOP_COPY) {
		err = stream_open(migration, false, file);
		if (err)
			return err;
		migration->stream->pre_copy = pre_copy;
		return stream_save(migration);
	}
	return 0;
}

static int set_state(struct vfio_migration *migration, uint32_t to,
		     struct engine_anon_file **file)
{
	int err = 0;

	*file = NULL;
	if (to >= SIM_VFIO_STATES)
		return -EINVAL;
	pthread_mutex_lock(&migration->lock);
	while (!err && migration->state != to) {
		enum sim_vfio_state next = next_state(migration->state, to);

		if (next == SIM_VFIO_STATE_ERROR) {
			err = -EINVAL;
			break;
		}
		err = step(migration, next, file);
		if (!err)
			migration->state = next;
	}
	pthread_mutex_unlock(&migration->lock);
	if (err && *file) {
		engine_anon_file_release(*file);
		*file = NULL;
	}
	return err;
}

/* ---- the features ------------------------------------------------------------------ */

static long feature_state(const struct vfio_feature_call *call)
{
	struct vfio_migration *migration = call->device->migration;
	const struct engine_client *client = call->client;
	struct engine_anon_file *file = NULL;
	struct sim_vfio_mig_state state;
	int rc = vfio_feature_check(call, SIM_VFIO_FEATURE_GET | SIM_VFIO_FEATURE_SET,
				    sizeof(state));

	if (rc != 1)
		return rc;
	if (client->ops->copy_in(client, &state, call->arg, sizeof(state)))
		return -EFAULT;
	rc = 0;
	if (call->flags & SIM_VFIO_FEATURE_GET) {
		pthread_mutex_lock(&migration->lock);
		state.device_state = migration->state;
		pthread_mutex_unlock(&migration->lock);
	} else {
		rc = set_state(migration, state.device_state, &file);
	}
	state.data_fd = -1;
	if (file) {
		state.data_fd = client->ops->fd_install ?
					client->ops->fd_install(client, file, O_RDWR | O_CLOEXEC) :
					-EMFILE;
		if (state.data_fd < 0) {
			engine_anon_file_release(file);
			return state.data_fd;
		}
	}
	if (!client->ops->copy_out(client, call->arg, &state, sizeof(state)))
		return rc;
	if (state.data_fd >= 0) {
		client->ops->fd_remove(client, state.data_fd);
		engine_anon_file_release(file);
	}
	return -EFAULT;
}

static long feature_flags(const struct vfio_feature_call *call)
{
	const uint64_t flags = SIM_VFIO_MIGRATION_STOP_COPY | SIM_VFIO_MIGRATION_P2P |
			       SIM_VFIO_MIGRATION_PRE_COPY;
	int rc = vfio_feature_check(call, SIM_VFIO_FEATURE_GET, sizeof(flags));

	if (rc != 1)
		return rc;
	return call->client->ops->copy_out(call->client, call->arg, &flags, sizeof(flags));
}

/* How much a stop-copy would be: what it is now. */
static long feature_size(const struct vfio_feature_call *call)
{
	struct pci_state state = { .bytes = NULL };
	uint64_t bytes;
	int rc = vfio_feature_check(call, SIM_VFIO_FEATURE_GET, sizeof(bytes));

	if (rc != 1)
		return rc;
	rc = pci_function_save(call->device->function, &state);
	bytes = sizeof(struct chunk_head) + state.length;
	pci_state_fini(&state);
	if (rc)
		return rc;
	return call->client->ops->copy_out(call->client, call->arg, &bytes, sizeof(bytes));
}

long vfio_feature_migration(const struct vfio_feature_call *call)
{
	if (!call->device->migration)
		return -ENOTTY;
	switch (call->flags & SIM_VFIO_FEATURE_MASK) {
	case SIM_VFIO_FEATURE_MIGRATION:
		return feature_flags(call);
	case SIM_VFIO_FEATURE_MIG_STATE:
		return feature_state(call);
	default:
		return feature_size(call);
	}
}

long vfio_feature_precopy_info(const struct vfio_feature_call *call)
{
	struct vfio_migration *migration = call->device->migration;
	int rc;

	if (!migration)
		return -EINVAL;
	rc = vfio_feature_check(call, SIM_VFIO_FEATURE_SET, 0);
	if (rc != 1)
		return rc;
	/* No new initial data ever comes. */
	pthread_mutex_lock(&migration->lock);
	migration->precopy_info_v2 = true;
	pthread_mutex_unlock(&migration->lock);
	return 0;
}

/* ---- with the device --------------------------------------------------------------- */

struct vfio_migration *vfio_migration_create(struct vfio_device *device)
{
	struct vfio_migration *migration = calloc(1, sizeof(*migration));

	if (!migration)
		return NULL;
	migration->device = device;
	migration->refs = 1;
	migration->state = SIM_VFIO_STATE_RUNNING;
	pthread_mutex_init(&migration->lock, NULL);
	return migration;
}

void vfio_migration_destroy(struct vfio_migration *migration)
{
	if (migration)
		migration_put(migration);
}

void vfio_migration_reset(struct vfio_device *device)
{
	struct vfio_migration *migration = device->migration;

	if (!migration)
		return;
	pthread_mutex_lock(&migration->lock);
	stream_disable(migration);
	set_stopped(migration, false);
	migration->state = SIM_VFIO_STATE_RUNNING;
	pthread_mutex_unlock(&migration->lock);
}

void vfio_migration_close(struct vfio_device *device)
{
	struct vfio_migration *migration = device->migration;

	vfio_migration_reset(device);
	if (!migration)
		return;
	pthread_mutex_lock(&migration->lock);
	migration->precopy_info_v2 = false;
	pthread_mutex_unlock(&migration->lock);
}
