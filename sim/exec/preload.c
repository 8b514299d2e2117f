/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libioasis-call.so, which `ioasis exec` has programs load (LD_PRELOAD): ioctl() of the
 * device without a system call, while exec looks into the memory that both share
 * (ring_abi.h). In every other case it makes the system call, so that a program cannot tell.
 *
 * It is loaded into programs of all kinds, so it needs no other library: not even a C
 * library of a certain kind. What it does on its own:
 *
 * - From the 16th ioctl with a number of iommufd on, it offers its memory, once.
 * - Signals are blocked during a call, as they are not heeded in the kernel's.
 * - A child of fork() finds its state wiped, and begins anew. One of vfork() has another
 *   thread's id, which exec refuses.
 * - It reads and writes an argument itself only if it is in the caller's part of the stack;
 *   exec does so otherwise, and knows EFAULT.
 */
#include "sim/exec/ring_abi.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifdef __x86_64__

#define OFFER_AFTER 16u
#define NEAR_BYTES 8192u /* of the stack above this function's frame */
#define POST_CYCLES 60000u
#define WORK_CYCLES 200000u
#define SKIP_MAX 1024u

/* Kernels before 6.3 do not know it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif

/* In a page that a child of fork() finds empty. */
struct own_state {
	struct ring_memory *ring; /* NULL: none */
	uint32_t offered;
	uint32_t skip, skip_next; /* calls that are not posted, since exec did not look */
};

static struct own_state *own; /* __atomic */
static uint32_t calls, setting_up; /* __atomic */
static int (*next_ioctl)(int fd, unsigned long cmd, ...);

extern int *__errno_location(void);
extern void *dlsym(void *handle, const char *name) __attribute__((weak));

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return rc;
}

static long call3(long nr, long a, long b, long c)
{
	return call6(nr, a, b, c, 0, 0, 0);
}

static uint64_t cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* No memcpy(): there is no library. The compiler must not make one of it. */
static void copy(volatile char *to, const volatile char *from, size_t bytes)
{
	for (; bytes >= 8; bytes -= 8, to += 8, from += 8)
		*(volatile uint64_t *)to = *(const volatile uint64_t *)from;
	while (bytes--)
		*to++ = *from++;
}

static bool failed(long rc)
{
	return rc < 0 && rc > -4096;
}

/* ---- the offer ----------------------------------------------------------------------- */

static struct own_state *own_create(void)
{
	long page = call6(SYS_mmap, 0, RING_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (failed(page))
		return NULL;
	if (call3(SYS_madvise, page, RING_BYTES, MADV_WIPEONFORK)) {
		call3(SYS_munmap, page, RING_BYTES, 0);
		return NULL;
	}
	return (struct own_state *)page;
}

static struct ring_memory *ring_offer(int fd)
{
	struct ring_offer offer = {
		.pid = (uint32_t)call3(SYS_getpid, 0, 0, 0),
		.tid = (uint32_t)call3(SYS_gettid, 0, 0, 0),
	};
	long memfd, page = -1, rc;

	memfd = call3(SYS_memfd_create, (long)"ioasis-call",
		      MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL, 0);
	if (memfd == -EINVAL)
		memfd = call3(SYS_memfd_create, (long)"ioasis-call",
			      MFD_CLOEXEC | MFD_ALLOW_SEALING, 0);
	if (failed(memfd))
		return NULL;
	offer.memfd = (int32_t)memfd;
	rc = call3(SYS_ftruncate, memfd, RING_BYTES, 0);
	if (!rc)
		page = call6(SYS_mmap, 0, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (!rc && !failed(page)) {
		rc = call3(SYS_madvise, page, RING_BYTES, MADV_DONTFORK);
		if (!rc)
			rc = call3(SYS_ioctl, fd, RING_OFFER, (long)&offer);
		if (rc)
			call3(SYS_munmap, page, RING_BYTES, 0);
	}
	call3(SYS_close, memfd, 0, 0);
	return rc || failed(page) ? NULL : (struct ring_memory *)page;
}

/* Makes the ring, once for each process. One thread does, the others go on as before. */
static void set_up(int fd)
{
	struct own_state *state;

	if (__atomic_exchange_n(&setting_up, 1, __ATOMIC_ACQUIRE))
		return;
	state = own ? own : own_create();
	if (state && !state->offered) {
		state->offered = 1;
		__atomic_store_n(&own, state, __ATOMIC_RELEASE);
		__atomic_store_n(&state->ring, ring_offer(fd), __ATOMIC_RELEASE);
	}
	__atomic_store_n(&setting_up, 0, __ATOMIC_RELEASE);
}

/* ---- a call ---------------------------------------------------------------------------- */

static struct ring_slot *slot_claim(struct ring_memory *ring)
{
	for (uint32_t i = 0; i < RING_SLOTS; i++) {
		uint32_t free_state = RING_FREE;

		if (__atomic_load_n(&ring->slots[i].state, __ATOMIC_RELAXED) == RING_FREE &&
		    __atomic_compare_exchange_n(&ring->slots[i].state, &free_state, RING_CLAIMED,
						false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return &ring->slots[i];
	}
	return NULL;
}

/* Until the state is another than `from`, but not for long. What it is then. */
static uint32_t slot_look(const struct ring_slot *slot, uint32_t from, uint64_t for_cycles)
{
	uint64_t begin = cycles();
	uint32_t state;

	while ((state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE)) == from &&
	       cycles() - begin < for_cycles)
		__builtin_ia32_pause();
	return state;
}

/* Until it is answered; false: nobody took it, and nobody will. */
static bool slot_await(struct ring_slot *slot)
{
	uint32_t state = slot_look(slot, RING_POSTED, POST_CYCLES);

	if (state == RING_POSTED &&
	    __atomic_compare_exchange_n(&slot->state, &state, RING_FREE, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return false;
	state = slot_look(slot, RING_TAKEN, WORK_CYCLES);
	while (state == RING_TAKEN) {
		__atomic_store_n(&slot->asleep, 1, __ATOMIC_SEQ_CST);
		call6(SYS_futex, (long)&slot->state, FUTEX_WAIT, RING_TAKEN, 0, 0, 0);
		state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
	}
	return true;
}

static void slot_fill(struct ring_slot *slot, int fd, unsigned int cmd, unsigned long arg,
		      unsigned long frame)
{
	uint32_t bytes = 0;

	/* All arguments begin with their size. */
	if (arg >= frame && arg - frame < NEAR_BYTES) {
		copy((char *)&bytes, (const char *)arg, sizeof(bytes));
		if (bytes < sizeof(bytes) || bytes > RING_ARG_BYTES)
			bytes = 0;
	}
	copy(slot->data, (const char *)arg, bytes);
	slot->arg_bytes = bytes;
	slot->arg = arg;
	slot->fd = fd;
	slot->cmd = cmd;
	slot->asleep = 0;
	slot->tid = (uint32_t)call3(SYS_gettid, 0, 0, 0);
}

/* The call by way of the ring: true with its result. */
static bool ring_call(struct own_state *state, struct ring_memory *ring, int fd, unsigned int cmd,
		      unsigned long arg, unsigned long frame, long *result)
{
	uint64_t all = ~(uint64_t)0, old;
	struct ring_slot *slot;
	bool done = false;

	if (state->skip) {
		state->skip--;
		return false;
	}
	call6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, sizeof(old), 0, 0);
	slot = slot_claim(ring);
	if (slot) {
		slot_fill(slot, fd, cmd, arg, frame);
		__atomic_store_n(&slot->state, RING_POSTED, __ATOMIC_SEQ_CST);
		if (!slot_await(slot)) {
			state->skip_next = state->skip_next ? state->skip_next * 2 : 8;
			if (state->skip_next > SKIP_MAX)
				state->skip_next = SKIP_MAX;
			state->skip = state->skip_next;
		} else {
			state->skip_next = 0;
			done = slot->state == RING_DONE;
			if (done) {
				*result = slot->result;
				if (slot->arg_bytes && slot->out_bytes)
					copy((char *)arg + slot->out_first,
					     slot->data + slot->out_first, slot->out_bytes);
			}
			__atomic_store_n(&slot->state, RING_FREE, __ATOMIC_RELEASE);
		}
	}
	call6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, sizeof(old), 0, 0);
	return done;
}

static bool by_ring(int fd, unsigned int cmd, unsigned long arg, unsigned long frame, long *result)
{
	struct own_state *state = __atomic_load_n(&own, __ATOMIC_ACQUIRE);
	struct ring_memory *ring;

	if (!state || !state->offered) {
		if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) >= OFFER_AFTER)
			set_up(fd);
		return false;
	}
	ring = __atomic_load_n(&state->ring, __ATOMIC_ACQUIRE);
	return ring && __atomic_load_n(&ring->hot, __ATOMIC_ACQUIRE) &&
	       ring_call(state, ring, fd, cmd, arg, frame, result);
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long cmd, ...);

int ioctl(int fd, unsigned long cmd, ...)
{
	unsigned long arg, frame = (unsigned long)__builtin_frame_address(0);
	va_list ap;
	long rc = 0;

	va_start(ap, cmd);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	if ((cmd & 0xffffff00u) != _IO(';', 0) ||
	    !by_ring(fd, (unsigned int)cmd, arg, frame, &rc)) {
		if (next_ioctl)
			return next_ioctl(fd, cmd, arg);
		rc = call3(SYS_ioctl, fd, (long)cmd, (long)arg);
	}
	if (!failed(rc))
		return (int)rc;
	*__errno_location() = (int)-rc;
	return -1;
}

/* Another library's ioctl(), of a sanitizer say, is to see the system calls. */
__attribute__((constructor)) static void find_next(void)
{
	if (dlsym)
		next_ioctl = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
}

#endif
