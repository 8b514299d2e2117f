/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/filter.h"

#include <errno.h>
#include <ioasis/iommufd_abi.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracepoints/commands.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#else
#error "name this machine's AUDIT_ARCH here"
#endif

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

/* Where the lower half of system call argument n is; int arguments have no other. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARG(n) ((uint32_t)(offsetof(struct seccomp_data, args) + 8 * (n)))
#else
#define ARG(n) ((uint32_t)(offsetof(struct seccomp_data, args) + 8 * (n) + 4))
#endif
/* And where the upper half is. */
#define ARG_HIGH(n) (ARG(n) ^ 4u)

static void emit(struct filter *filter, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (filter->count == FILTER_INSNS_MAX)
		abort();
	filter->insns[filter->count++] = (struct sock_filter){ code, jt, jf, k };
}

static void load(struct filter *filter, uint32_t offset)
{
	emit(filter, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

static void ret(struct filter *filter, uint32_t action)
{
	emit(filter, BPF_RET | BPF_K, 0, 0, action);
}

/* Unless the word loaded is value, leaves with an allowed call. */
static void require(struct filter *filter, uint32_t value)
{
	emit(filter, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
	ret(filter, SECCOMP_RET_ALLOW);
}

/* Reports the call if the word loaded is value. */
static void report_if(struct filter *filter, uint32_t value)
{
	emit(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
	ret(filter, SECCOMP_RET_USER_NOTIF);
}

/* Allows the call if the word loaded, after mask, is value. */
static void allow_if_masked(struct filter *filter, uint32_t mask, uint32_t value)
{
	emit(filter, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
	emit(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
	ret(filter, SECCOMP_RET_ALLOW);
}

/* What follows until call_end() is for system call nr. Returns where the jump is. */
static unsigned short call_begin(struct filter *filter, uint32_t nr)
{
	load(filter, offsetof(struct seccomp_data, nr));
	emit(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, nr);
	return (unsigned short)(filter->count - 1);
}

static void call_end(struct filter *filter, unsigned short jump, uint32_t action)
{
	ret(filter, action);
	filter->insns[jump].jf = (uint8_t)(filter->count - jump - 1);
}

static void report_all(struct filter *filter, uint32_t nr)
{
	unsigned short jump = call_begin(filter, nr);

	call_end(filter, jump, SECCOMP_RET_USER_NOTIF);
}

/*
 * A mapping of a file, but for what the dynamic linker maps: the kernel ignores
 * MAP_DENYWRITE, and nobody but the linker still passes it.
 */
static void mmap_of_file(struct filter *filter)
{
	unsigned short jump = call_begin(filter, __NR_mmap);

	load(filter, ARG(3));
	allow_if_masked(filter, MAP_ANONYMOUS, MAP_ANONYMOUS);
	load(filter, ARG(3));
	allow_if_masked(filter, MAP_DENYWRITE, MAP_DENYWRITE);
	call_end(filter, jump, SECCOMP_RET_USER_NOTIF);
}

/* Reads and writes of no bytes, which FUSE answers without asking anyone. */
static void move_nothing(struct filter *filter, uint32_t nr)
{
	unsigned short jump = call_begin(filter, nr);

	load(filter, ARG(2));
	require(filter, 0);
	load(filter, ARG_HIGH(2));
	require(filter, 0);
	call_end(filter, jump, SECCOMP_RET_USER_NOTIF);
}

/* Reads that may be of a register (read_calls.h). */
static void read_register(struct filter *filter)
{
	unsigned short jump = call_begin(filter, __NR_pread64);

	load(filter, ARG_HIGH(2));
	require(filter, 0);
	load(filter, ARG(2));
	for (uint32_t bytes = 1; bytes <= 8; bytes *= 2)
		report_if(filter, bytes);
	call_end(filter, jump, SECCOMP_RET_ALLOW);
}

static void look_at_files(struct filter *filter)
{
	report_all(filter, __NR_fstat);
	report_all(filter, __NR_newfstatat);
	report_all(filter, __NR_statx);
#ifdef __NR_stat
	report_all(filter, __NR_stat);
	report_all(filter, __NR_lstat);
#endif
}

/* Commands that return an open file, which only the supervisor can put into the caller. */
#define NO_FILE 0
#define GIVES_FILE 1
#define REPORT_FILE(nr, NAME, text, handler, type, last, major, minor, plain, names, errnos, file, \
		    ...)                                                               \
	if (file)                                                                      \
		report_if(filter, _IO(IOMMUFD_TYPE, nr));

void filter_build(struct filter *filter, bool test_ops, bool devices, bool all_ioctls)
{
	unsigned short jump;

	filter->count = 0;
	load(filter, offsetof(struct seccomp_data, arch));
	require(filter, NATIVE_ARCH);

	jump = call_begin(filter, __NR_ioctl);
	if (all_ioctls) {
		load(filter, ARG(1));
		emit(filter, BPF_ALU | BPF_AND | BPF_K, 0, 0, ~0u << _IOC_TYPESHIFT);
		report_if(filter, _IO(IOMMUFD_TYPE, 0));
	}
	load(filter, ARG(1));
	IOMMUFD_COMMANDS(REPORT_FILE)
	if (test_ops)
		report_if(filter, IOMMU_TEST_CMD);
	if (devices) {
		report_if(filter, FILTER_VFIO_GROUP_GET_DEVICE_FD);
		report_if(filter, FILTER_VFIO_DEVICE_FEATURE);
		report_if(filter, (uint32_t)KVM_SET_DEVICE_ATTR);
	}
	call_end(filter, jump, SECCOMP_RET_ALLOW);

	mmap_of_file(filter);
	if (all_ioctls)
		report_all(filter, __NR_rt_sigreturn); /* see signal_calls.h */
	if (all_ioctls && devices)
		read_register(filter);
	if (test_ops) {
		move_nothing(filter, __NR_read);
		move_nothing(filter, __NR_write);
		report_all(filter, __NR_openat);
#ifdef __NR_open
		report_all(filter, __NR_open);
#endif
	}
	if (devices)
		look_at_files(filter);
	ret(filter, SECCOMP_RET_ALLOW);
}

int filter_install(const struct filter *filter)
{
	/* Read only: the kernel's structure knows no const. */
	struct sock_fprog program = { filter->count, (struct sock_filter *)filter->insns };
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd;

	/* Without it a signal that CMD handles makes it ask a second time. */
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return fd < 0 ? -errno : (int)fd;
}
