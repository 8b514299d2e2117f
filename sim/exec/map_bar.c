/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/map_bar.h"

#include <errno.h>

#ifdef __x86_64__

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* include/linux/errno.h: the call begins anew, with the registers as they are then. */
#define ERESTARTNOINTR	  513
#define SYSCALL_BYTES	  2 /* of the instruction that made the call */
#define STOP_OF_CALL	  (SIGTRAP | 0x80)
#define STATUS_NOT_TRACED 1

/* Why the thread stopped. */
enum stop {
	STOP_EVENT,  /* PTRACE_INTERRUPT */
	STOP_CALL,   /* a system call begins or ends */
	STOP_SIGNAL, /* a signal is about to be delivered */
	STOP_GONE,   /* it ended, or has another name since an exec */
};

static enum stop await_stop(pid_t tid, int *signal)
{
	int status;
	pid_t n;

	do {
		n = waitpid(tid, &status, __WALL);
	} while (n < 0 && errno == EINTR);
	if (n != tid || !WIFSTOPPED(status))
		return STOP_GONE;
	*signal = WSTOPSIG(status);
	if (*signal == STOP_OF_CALL)
		return STOP_CALL;
	return status >> 16 == PTRACE_EVENT_STOP ? STOP_EVENT : STOP_SIGNAL;
}

/* Lets it run up to the beginning or end of a call. Its signals wait. */
static bool run_to_call(pid_t tid)
{
	enum stop stop;
	int signal;

	do {
		if (ptrace(PTRACE_SYSCALL, tid, NULL, NULL))
			return false;
		stop = await_stop(tid, &signal);
	} while (stop == STOP_EVENT || stop == STOP_SIGNAL);
	return stop == STOP_CALL;
}

/*
 * Stops the thread on the way back from its call, and has its signals wait from then on.
 * One that came first is kept in *signal, 0: none.
 */
static bool stop_before_restart(const struct caller *caller, pid_t tid, uint64_t *mask, int *signal)
{
	const uint64_t all = UINT64_MAX;
	enum stop stop;
	int first = 0;

	*signal = 0;
	caller_answer(caller, -ERESTARTNOINTR);
	stop = await_stop(tid, &first);
	if (stop == STOP_GONE || ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof(*mask), mask) ||
	    ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(all), &all))
		return false;
	if (stop == STOP_SIGNAL) {
		*signal = first;
		if (ptrace(PTRACE_CONT, tid, NULL, NULL))
			return false;
		stop = await_stop(tid, &first);
	}
	return stop == STOP_EVENT;
}

/* Has the thread, at the end of a call, close number n. */
static void close_there(pid_t tid, const struct user_regs_struct *regs, int n)
{
	struct user_regs_struct call = *regs;

	call.rip -= SYSCALL_BYTES;
	call.rax = __NR_close;
	call.rdi = (unsigned long long)n;
	if (!ptrace(PTRACE_SETREGS, tid, NULL, &call) && run_to_call(tid))
		run_to_call(tid);
}

/* The process that traces: its exit status is STATUS_NOT_TRACED or 0. */
static int trace(const struct caller *caller, int memfd, uint64_t offset)
{
	struct user_regs_struct before, regs;
	pid_t tid = (pid_t)caller->notif->pid;
	uint64_t mask;
	int signal, n;

	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)PTRACE_O_TRACESYSGOOD))
		return STATUS_NOT_TRACED;
	n = caller_add_fd(caller, memfd, O_CLOEXEC);
	if (n < 0 || ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return STATUS_NOT_TRACED;
	/* When anything fails, the thread is on its way to its end. */
	if (!stop_before_restart(caller, tid, &mask, &signal) ||
	    ptrace(PTRACE_GETREGS, tid, NULL, &before))
		return 0;
	regs = before;
	regs.r8 = (unsigned long long)n;
	regs.r9 = offset;
	if (ptrace(PTRACE_SETREGS, tid, NULL, &regs) || !run_to_call(tid) || !run_to_call(tid) ||
	    ptrace(PTRACE_GETREGS, tid, NULL, &regs))
		return 0;
	/* As the program had them: a call keeps them. */
	regs.r8 = before.r8;
	regs.r9 = before.r9;
	close_there(tid, &regs, n);
	ptrace(PTRACE_SETREGS, tid, NULL, &regs);
	ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(mask), &mask);
	ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)signal);
	return 0;
}

/*
 * As fork(), but with the same table of open files: a copy of it would hold what other
 * threads have duplicated of their callers, and a close() there would not be the last.
 */
static pid_t fork_sharing_files(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
}

int map_bar(const struct caller *caller, int memfd, uint64_t offset)
{
	pid_t tracer = fork_sharing_files();
	int status = 0;

	if (!tracer)
		_exit(trace(caller, memfd, offset));
	if (tracer < 0)
		return -ENODEV;
	while (waitpid(tracer, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NOT_TRACED ? -ENODEV : 0;
}

#else

int map_bar(const struct caller *caller, int memfd, uint64_t offset)
{
	(void)caller, (void)memfd, (void)offset;
	return -ENODEV;
}

#endif
