/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/signal_calls.h"

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

/* Whether these are the registers of an ioctl of the device that was ended by the signal. */
static bool is_ended_ioctl(const struct caller *caller, const gregset_t registers)
{
	static const unsigned char syscall_code[2] = { 0x0f, 0x05 };
	unsigned char code[2];

	return registers[REG_RAX] == -EINTR &&
	       _IOC_TYPE((unsigned long)registers[REG_RSI]) == IOMMUFD_TYPE &&
	       !((unsigned long)registers[REG_RSI] >> _IOC_SIZESHIFT) &&
	       registers[REG_RDI] >= 0 && registers[REG_RDI] < FD_MAX &&
	       !caller_read(caller, (uint64_t)registers[REG_RIP] - 2, code, sizeof(code)) &&
	       !memcmp(code, syscall_code, sizeof(code));
}

/* The frame of a signal is where the stack ends (arch/x86/kernel/signal_64.c). */
static void restart_ioctl(const struct caller *caller)
{
	uint64_t frame, at;
	gregset_t registers;
	greg_t again;

	if (stack_pointer(caller, &frame))
		return;
	at = frame + offsetof(ucontext_t, uc_mcontext.gregs);
	if (caller_read(caller, at, &registers, sizeof(registers)) ||
	    !is_ended_ioctl(caller, registers))
		return;
	again = registers[REG_RIP] - 2;
	if (caller_write(caller, at + REG_RIP * sizeof(again), &again, sizeof(again)))
		return;
	again = __NR_ioctl;
	caller_write(caller, at + REG_RAX * sizeof(again), &again, sizeof(again));
}

#endif

void signal_call_return(const struct caller *caller)
{
#ifdef __x86_64__
	restart_ioctl(caller);
#endif
	caller_continue(caller);
}
