/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/ring.h"

#include "sim/exec/ring_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif

#define RINGS_MAX 64u
/* System calls of a process that follow each other as quickly wake the lookout. */
#define QUICK_NS 50000u
#define QUICK_CALLS 8u
/* How long it does not look into a ring after it did in vain; doubled each time. */
#define PAUSE_NS 1000000u
#define PAUSE_NS_MAX 128000000u
#define LOOKS_A_CLOCK 32u
#define STOP_SECONDS 1

struct ring {
	struct ring_memory *memory; /* NULL: none */
	struct process_client owner; /* its reference to the process */
	uint64_t last_ns;	    /* system call of the process; with the lock */
	unsigned int quick;	    /* how many were that quick; same */
	uint64_t pause_ns, cold_until_ns; /* same */
	unsigned int answered;	    /* while hot; __atomic */
	bool warm;		    /* is to be looked into; with the lock */
};

struct rings {
	struct fuse_device *device;
	struct fail_nth_table *fail_nth;
	struct engine_client_ops ops;
	pthread_t lookout;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	uint64_t answered, refused; /* calls; the lookout's */
	int caller_cpu;	    /* of the call that woke the lookout; with the lock */
	cpu_set_t cpus;	    /* where this process may run */
	uint64_t look_ns;   /* how long it looks after a call */
	bool looking;  /* with the lock */
	bool stopping; /* __atomic */
	unsigned int count; /* of ring, used or not; grows while it looks; __atomic */
	struct ring ring[RINGS_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- one call -------------------------------------------------------------------------- */

/* A posted call, as it was when it was taken. */
struct ring_call {
	struct process_client pc; /* first */
	const struct ring *ring;
	unsigned int cmd;
	int fd;
	uint64_t arg;
	uint32_t arg_bytes;
	uint32_t out_first, out_last; /* what was written of data, [first, last); none: equal */
	char data[RING_ARG_BYTES];
};

static struct ring_call *call_of(const struct engine_client *client)
{
	return (struct ring_call *)client;
}

/* Whether [at, at + bytes) is in what the client has copied; *offset: where. */
static bool is_in_data(const struct ring_call *call, uint64_t at, size_t bytes, size_t *offset)
{
	*offset = (size_t)(at - call->arg);
	return at >= call->arg && *offset <= call->arg_bytes && bytes <= call->arg_bytes - *offset;
}

/*
 * Whether the thread that is said to call is one of the ring's process: only then its memory
 * and capabilities are looked at. Afterwards, so that its id was not another's meanwhile.
 */
static bool is_ours(const struct engine_client *client)
{
	return process_client_there((const struct process_client *)client);
}

static int ring_copy_in(const struct engine_client *client, void *dst, uint64_t src, size_t len)
{
	const struct ring_call *call = call_of(client);
	size_t offset;
	int rc;

	if (is_in_data(call, src, len, &offset)) {
		memcpy(dst, call->data + offset, len);
		return 0;
	}
	rc = process_client_ops.copy_in(client, dst, src, len);
	return !rc && is_ours(client) ? 0 : -EFAULT;
}

static ssize_t ring_copy_in_some(const struct engine_client *client, void *dst, uint64_t src,
				 size_t len)
{
	const struct ring_call *call = call_of(client);
	size_t offset;
	ssize_t n;

	if (is_in_data(call, src, len, &offset)) {
		memcpy(dst, call->data + offset, len);
		return (ssize_t)len;
	}
	n = process_client_ops.copy_in_some(client, dst, src, len);
	return is_ours(client) ? n : -EFAULT;
}

static int ring_copy_out(const struct engine_client *client, uint64_t dst, const void *src,
			 size_t len)
{
	struct ring_call *call = call_of(client);
	size_t offset;

	if (!is_in_data(call, dst, len, &offset))
		return is_ours(client) ? process_client_ops.copy_out(client, dst, src, len)
				       : -EFAULT;
	memcpy(call->data + offset, src, len);
	if (call->out_first == call->out_last) {
		call->out_first = (uint32_t)offset;
		call->out_last = (uint32_t)(offset + len);
	}
	if (call->out_first > offset)
		call->out_first = (uint32_t)offset;
	if (call->out_last < offset + len)
		call->out_last = (uint32_t)(offset + len);
	return 0;
}

static bool ring_capable(const struct engine_client *client, enum engine_cap cap)
{
	return process_client_ops.capable(client, cap) && is_ours(client);
}

static struct engine_mm *ring_mm_get(const struct engine_client *client)
{
	struct ring_call *call = call_of(client);
	struct engine_mm *mm = process_client_ops.mm_get(client);

	/* After an exec() it is another's. */
	if (!mm || process_client_serial(&call->pc) == process_client_serial(&call->ring->owner))
		return mm;
	engine_mm_put(mm);
	return NULL;
}

/* What is frequent, and neither gives nor takes a file. */
static bool is_served(unsigned int cmd)
{
	switch (cmd) {
	case IOMMU_IOAS_ALLOC:
	case IOMMU_IOAS_MAP:
	case IOMMU_IOAS_UNMAP:
	case IOMMU_IOAS_COPY:
	case IOMMU_HWPT_GET_DIRTY_BITMAP:
	case IOMMU_HWPT_INVALIDATE:
		return true;
	default:
		return false;
	}
}

/* False: refused. */
static bool call_run(struct rings *rings, struct ring_call *call, uint32_t tid, int64_t *result)
{
	struct fuse_open *open;

	if (!is_served(call->cmd))
		return false;
	process_client_again(&call->pc, &call->ring->owner, &rings->ops, tid, 0);
	if (call->cmd != IOMMU_IOAS_UNMAP)
		process_client_find_uid(&call->pc);
	open = fuse_device_open_known(rings->device, &call->pc, call->fd, NULL);
	if (open) {
		if (rings->fail_nth)
			call->pc.client.fail_nth = fail_nth_find(rings->fail_nth, tid);
		*result = fuse_device_open_ioctl(open, &call->pc.client, call->cmd, call->arg);
		fuse_device_open_put(open);
	}
	process_client_fini(&call->pc);
	return open;
}

/* Answers what is posted in slot. */
static void slot_answer(struct rings *rings, const struct ring *ring, struct ring_slot *slot)
{
	struct ring_call call = { .ring = ring };
	uint32_t state = RING_POSTED, tid;
	int64_t result = 0;

	if (!__atomic_compare_exchange_n(&slot->state, &state, RING_TAKEN, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	tid = __atomic_load_n(&slot->tid, __ATOMIC_RELAXED);
	call.cmd = __atomic_load_n(&slot->cmd, __ATOMIC_RELAXED);
	call.fd = __atomic_load_n(&slot->fd, __ATOMIC_RELAXED);
	call.arg = __atomic_load_n(&slot->arg, __ATOMIC_RELAXED);
	call.arg_bytes = __atomic_load_n(&slot->arg_bytes, __ATOMIC_RELAXED);
	if (call.arg_bytes > RING_ARG_BYTES)
		call.arg_bytes = 0;
	memcpy(call.data, slot->data, call.arg_bytes);
	state = call_run(rings, &call, tid, &result) ? RING_DONE : RING_REFUSED;
	if (state == RING_DONE)
		rings->answered++;
	else
		rings->refused++;
	slot->result = result;
	slot->out_first = call.out_first;
	slot->out_bytes = call.out_last - call.out_first;
	memcpy(slot->data + call.out_first, call.data + call.out_first,
	       call.out_last - call.out_first);
	__atomic_store_n(&slot->state, state, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&slot->asleep, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &slot->state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* ---- the lookout ------------------------------------------------------------------------ */

/* One look at all rings: how many calls there were. */
static unsigned int look(struct rings *rings)
{
	unsigned int count = __atomic_load_n(&rings->count, __ATOMIC_ACQUIRE), found = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct ring *ring = &rings->ring[i];
		struct ring_memory *memory = __atomic_load_n(&ring->memory, __ATOMIC_ACQUIRE);

		if (!memory || !__atomic_load_n(&memory->hot, __ATOMIC_RELAXED))
			continue;
		for (unsigned int k = 0; k < RING_SLOTS; k++) {
			struct ring_slot *slot = &memory->slots[k];

			if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != RING_POSTED)
				continue;
			slot_answer(rings, ring, slot);
			__atomic_add_fetch(&ring->answered, 1, __ATOMIC_RELAXED);
			found++;
		}
	}
	return found;
}

static bool is_stopping(const struct rings *rings)
{
	return __atomic_load_n(&rings->stopping, __ATOMIC_RELAXED);
}

static void look_until_silence(struct rings *rings)
{
	uint64_t last_ns = now_ns();
	unsigned int in_vain = 0;

	while (!is_stopping(rings)) {
		if (look(rings)) {
			in_vain = 0;
			last_ns = 0;
			continue;
		}
#ifdef __x86_64__
		__builtin_ia32_pause();
#endif
		if (++in_vain % LOOKS_A_CLOCK)
			continue;
		if (!last_ns)
			last_ns = now_ns();
		else if (now_ns() - last_ns > rings->look_ns)
			break;
	}
}

static void set_hot_locked(struct ring *ring)
{
	ring->warm = false;
	__atomic_store_n(&ring->answered, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->memory->hot, 1, __ATOMIC_SEQ_CST);
}

/* One whose processor is wanted by others is looked at in vain: more seldom, then. */
static void set_cold_locked(struct ring *ring)
{
	__atomic_store_n(&ring->memory->hot, 0, __ATOMIC_SEQ_CST);
	ring->quick = 0;
	if (__atomic_load_n(&ring->answered, __ATOMIC_RELAXED) > QUICK_CALLS) {
		ring->pause_ns = 0;
		return;
	}
	ring->pause_ns = ring->pause_ns ? ring->pause_ns * 2 : PAUSE_NS;
	if (ring->pause_ns > PAUSE_NS_MAX)
		ring->pause_ns = PAUSE_NS_MAX;
	ring->cold_until_ns = now_ns() + ring->pause_ns;
}

static bool any_warm_locked(const struct rings *rings)
{
	for (unsigned int i = 0; i < rings->count; i++) {
		if (rings->ring[i].memory && rings->ring[i].warm)
			return true;
	}
	return false;
}

/* Looking on the caller's processor, it would see it wait. */
static void leave_processor(const struct rings *rings, int cpu)
{
	cpu_set_t others = rings->cpus;

	if (cpu >= 0 && cpu < CPU_SETSIZE)
		CPU_CLR(cpu, &others);
	sched_setaffinity(0, sizeof(others), &others);
}

static void *lookout_main(void *opaque)
{
	struct rings *rings = opaque;
	int cpu;

	pthread_mutex_lock(&rings->lock);
	while (!is_stopping(rings)) {
		if (!any_warm_locked(rings)) {
			pthread_cond_wait(&rings->wake, &rings->lock);
			continue;
		}
		for (unsigned int i = 0; i < rings->count; i++) {
			if (rings->ring[i].memory && rings->ring[i].warm)
				set_hot_locked(&rings->ring[i]);
		}
		rings->looking = true;
		cpu = rings->caller_cpu;
		pthread_mutex_unlock(&rings->lock);
		leave_processor(rings, cpu);
		look_until_silence(rings);
		pthread_mutex_lock(&rings->lock);
		rings->looking = false;
		/* What is posted and not seen now, its thread takes back. */
		for (unsigned int i = 0; i < rings->count; i++) {
			struct ring_memory *memory = rings->ring[i].memory;

			if (memory && __atomic_load_n(&memory->hot, __ATOMIC_RELAXED))
				set_cold_locked(&rings->ring[i]);
		}
	}
	pthread_mutex_unlock(&rings->lock);
	return NULL;
}

void rings_note_call(struct rings *rings, const struct process_client *pc)
{
	uint64_t serial = process_client_serial(pc), now;
	bool quick;

	if (!__atomic_load_n(&rings->count, __ATOMIC_ACQUIRE))
		return;
	now = now_ns();
	pthread_mutex_lock(&rings->lock);
	for (unsigned int i = 0; i < rings->count; i++) {
		struct ring *ring = &rings->ring[i];

		if (!ring->memory || process_client_serial(&ring->owner) != serial)
			continue;
		quick = now - ring->last_ns < QUICK_NS;
		ring->last_ns = now;
		ring->quick = quick ? ring->quick + 1 : 0;
		if (ring->quick < QUICK_CALLS || now < ring->cold_until_ns ||
		    __atomic_load_n(&ring->memory->hot, __ATOMIC_RELAXED))
			break;
		if (rings->looking) {
			set_hot_locked(ring);
		} else if (!ring->warm) {
			ring->warm = true;
			rings->caller_cpu = sched_getcpu(); /* the supervisor runs on it */
			pthread_cond_signal(&rings->wake);
		}
		break;
	}
	pthread_mutex_unlock(&rings->lock);
}

/* ---- offers ------------------------------------------------------------------------------ */

static void ring_forget(struct ring *ring)
{
	munmap(ring->memory, RING_BYTES);
	process_client_fini(&ring->owner);
	*ring = (struct ring){ .memory = NULL };
}

/*
 * Maps what the client offers, so that nothing that it does to the file can make an access
 * here fail: no shorter file (SIGBUS), no hole. 0 or -errno.
 */
static int memory_map(int fd, struct ring_memory **memory)
{
	struct stat st;
	void *at;

	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size != RING_BYTES)
		return -EINVAL;
	at = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)) {
		munmap(at, RING_BYTES);
		return -EPERM;
	}
	/* Once more: a hole may have been made before the seal. */
	*(volatile uint32_t *)at = 0;
	*memory = at;
	return 0;
}

/* A place for the ring of pc's process; those that have ended give theirs. NULL: none. */
static struct ring *place_find_locked(struct rings *rings, const struct process_client *pc)
{
	struct ring *place = NULL;

	for (unsigned int i = 0; i < rings->count; i++) {
		struct ring *ring = &rings->ring[i];

		if (ring->memory && process_client_serial(&ring->owner) == process_client_serial(pc))
			return NULL; /* it has one */
		/* While the lookout looks, it may be looking at it. */
		if (ring->memory && !rings->looking && process_client_ended(&ring->owner))
			ring_forget(ring);
		if (!ring->memory && !place)
			place = ring;
	}
	return place ? place : rings->count < RINGS_MAX ? &rings->ring[rings->count] : NULL;
}

int rings_offer(void *opaque, struct process_client *pc, const void *data, size_t bytes)
{
	struct rings *rings = opaque;
	struct ring_memory *memory = NULL;
	struct ring_offer offer;
	struct ring *ring;
	int fd, err;

	if (bytes != sizeof(offer))
		return -EINVAL;
	memcpy(&offer, data, sizeof(offer));
	/* In another pid namespace its threads say other numbers than the kernel does here. */
	if (offer.pid != pc->client.pid || offer.tid != pc->client.tid || !process_client_owns(pc))
		return -EPERM;
	fd = process_client_fd_get(&pc->client, offer.memfd);
	if (fd < 0)
		return fd;
	err = memory_map(fd, &memory);
	close(fd);
	if (err)
		return err;
	pthread_mutex_lock(&rings->lock);
	ring = is_stopping(rings) ? NULL : place_find_locked(rings, pc);
	if (ring) {
		*ring = (struct ring){ .memory = NULL };
		process_client_again(&ring->owner, pc, &rings->ops, pc->client.tid, 0);
		__atomic_store_n(&ring->memory, memory, __ATOMIC_RELEASE);
		if (ring == &rings->ring[rings->count])
			__atomic_add_fetch(&rings->count, 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&rings->lock);
	if (ring)
		return 0;
	munmap(memory, RING_BYTES);
	return -ENOSPC;
}

/* ---- start and end ------------------------------------------------------------------------ */

int rings_start(struct fuse_device *device, struct fail_nth_table *fail_nth, unsigned int look_us,
		struct rings **out)
{
	struct rings *rings;
	cpu_set_t cpus;
	int err;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) || CPU_COUNT(&cpus) < 2)
		return -ENODEV;
	rings = calloc(1, sizeof(*rings));
	if (!rings)
		return -ENOMEM;
	rings->cpus = cpus;
	rings->look_ns = look_us * UINT64_C(1000);
	rings->device = device;
	rings->fail_nth = fail_nth;
	rings->ops = process_client_ops;
	rings->ops.copy_in = ring_copy_in;
	rings->ops.copy_in_some = ring_copy_in_some;
	rings->ops.copy_out = ring_copy_out;
	rings->ops.capable = ring_capable;
	rings->ops.mm_get = ring_mm_get;
	rings->ops.file_get = NULL; /* no command that is served takes one */
	pthread_mutex_init(&rings->lock, NULL);
	pthread_cond_init(&rings->wake, NULL);
	err = pthread_create(&rings->lookout, NULL, lookout_main, rings);
	if (err) {
		pthread_cond_destroy(&rings->wake);
		pthread_mutex_destroy(&rings->lock);
		free(rings);
		return -err;
	}
	*out = rings;
	return 0;
}

unsigned int rings_stop(struct rings *rings)
{
	struct timespec until;

	pthread_mutex_lock(&rings->lock);
	__atomic_store_n(&rings->stopping, true, __ATOMIC_RELAXED);
	pthread_cond_signal(&rings->wake);
	pthread_mutex_unlock(&rings->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	return pthread_timedjoin_np(rings->lookout, NULL, &until) ? 1 : 0;
}

uint64_t rings_answered(const struct rings *rings)
{
	return rings->answered;
}

void rings_destroy(struct rings *rings)
{
	for (unsigned int i = 0; i < rings->count; i++) {
		if (rings->ring[i].memory)
			ring_forget(&rings->ring[i]);
	}
	pthread_cond_destroy(&rings->wake);
	pthread_mutex_destroy(&rings->lock);
	free(rings);
}
