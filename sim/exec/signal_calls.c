/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/signal_calls.h"
#include "sim/exec/read_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

bool signal_calls_restart(void)
{
#ifdef __x86_64__
	return true;
#else
	return false;
#endif
}

#ifdef __x86_64__

/* Descriptors are below this (fs.nr_open), and addresses above. */
#define FD_MAX 1048576

/* Where the caller's stack ends; -EFAULT: the kernel does not say. */
static int stack_pointer(const struct caller *caller, uint64_t *sp)
{
	char path[40], text[256];
	unsigned long long value;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/syscall", caller->notif->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -EFAULT;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%*d %*x %*x %*x %*x %*x %*x %llx", &value) != 1)
		return -EFAULT;
	*sp = value;
	return 0;
}

/* Whether these are the registers after a system call on a descriptor that the signal ended. */
static bool is_ended(const struct caller *caller, const gregset_t registers)
{
	static const unsigned char syscall_code[2] = { 0x0f, 0x05 };
	unsigned char code[2];

	return registers[REG_RAX] == -EINTR && registers[REG_RDI] >= 0 &&
	       registers[REG_RDI] < FD_MAX &&
	       !caller_read(caller, (uint64_t)registers[REG_RIP] - 2, code, sizeof(code)) &&
	       !memcmp(code, syscall_code, sizeof(code));
}

/*
 * Which call of the device it was; -1: none. What is no ioctl and ends so, on the file of a
 * device, is a read of a register: all others go by FUSE, which answers them.
 */
static greg_t ended_call(struct fuse_device *device, const struct caller *caller,
			 const gregset_t registers)
{
	const greg_t bytes = registers[REG_RDX];

	if (!is_ended(caller, registers))
		return -1;
	if (_IOC_TYPE((unsigned long)registers[REG_RSI]) == IOMMUFD_TYPE &&
	    !((unsigned long)registers[REG_RSI] >> _IOC_SIZESHIFT))
		return __NR_ioctl;
	if ((bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) &&
	    read_call_is_for(device, caller, (int)registers[REG_RDI]))
		return __NR_pread64;
	return -1;
}

/* The frame of a signal is where the stack ends (arch/x86/kernel/signal_64.c). */
static void restart(struct fuse_device *device, const struct caller *caller)
{
	uint64_t frame, at;
	gregset_t registers;
	greg_t again, call;

	if (stack_pointer(caller, &frame))
		return;
	at = frame + offsetof(ucontext_t, uc_mcontext.gregs);
	if (caller_read(caller, at, &registers, sizeof(registers)))
		return;
	call = ended_call(device, caller, registers);
	if (call < 0)
		return;
	again = registers[REG_RIP] - 2;
	if (caller_write(caller, at + REG_RIP * sizeof(again), &again, sizeof(again)))
		return;
	caller_write(caller, at + REG_RAX * sizeof(call), &call, sizeof(call));
}

#endif

void signal_call_return(struct fuse_device *device, const struct caller *caller)
{
#ifdef __x86_64__
	restart(device, caller);
#else
	(void)device;
#endif
	caller_continue(caller);
}
