/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/guard.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/remove.h"

#define REMOVALS 8

/* In memory that parent and child share. */
struct shared {
	char reading[PATH_MAX]; /* the trace that a library reads; empty: none */
	char removals[REMOVALS][PATH_MAX]; /* empty: free */
	bool takes_signals;
	bool finished; /* the command came to its end, with this status */
	int status;
};

static struct shared *shared;  /* NULL: no guard */
static int library_log = -1;   /* what libraries wrote; of both processes */
static int stderr_saved = -1;  /* standard error while a library runs */
static FILE *stderr_stream;
static int interrupted; /* by this signal; 0: not */

/* ---- what the child says --------------------------------------------------------- */

void guard_take_signals(void)
{
	if (shared)
		__atomic_store_n(&shared->takes_signals, true, __ATOMIC_RELAXED);
}

void guard_interrupted(int number)
{
	interrupted = number;
}

bool guard_remove(const char *path)
{
	if (!shared)
		return true;
	for (int i = 0; i < REMOVALS; i++) {
		if (shared->removals[i][0])
			continue;
		/* The first byte last: the parent may look at any time. */
		snprintf(shared->removals[i] + 1, PATH_MAX - 1, "%s", path + 1);
		__atomic_store_n(&shared->removals[i][0], path[0], __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

void guard_forget(const char *path)
{
	for (int i = 0; shared && i < REMOVALS; i++) {
		if (!strcmp(shared->removals[i], path))
			__atomic_store_n(&shared->removals[i][0], 0, __ATOMIC_RELEASE);
	}
}

char *guard_reading(size_t *size)
{
	*size = shared ? sizeof(shared->reading) : 0;
	return shared ? shared->reading : NULL;
}

FILE *guard_library_begin(const char *path)
{
	const char *debug = getenv("IOASIS_DEBUG");

	if (!shared)
		return stderr;
	snprintf(shared->reading, sizeof(shared->reading), "%s", path);
	if (library_log < 0 || (debug && *debug && strcmp(debug, "0")))
		return stderr;
	fflush(stderr);
	stderr_saved = dup(STDERR_FILENO);
	if (stderr_saved < 0)
		return stderr;
	stderr_stream = fdopen(stderr_saved, "w");
	if (!stderr_stream) {
		close(stderr_saved);
		stderr_saved = -1;
		return stderr;
	}
	setvbuf(stderr_stream, NULL, _IONBF, 0);
	dup2(library_log, STDERR_FILENO);
	return stderr_stream;
}

void guard_library_end(void)
{
	if (!shared)
		return;
	shared->reading[0] = 0;
	if (stderr_saved < 0)
		return;
	fflush(stderr);
	dup2(stderr_saved, STDERR_FILENO);
	fclose(stderr_stream); /* and stderr_saved */
	stderr_saved = -1;
	if (!ftruncate(library_log, 0)) /* a library that came back has said why itself */
		lseek(library_log, 0, SEEK_SET);
}

/* ---- the parent -------------------------------------------------------------------- */

static void remove_rest(void)
{
	struct stat st;

	for (int i = 0; i < REMOVALS; i++) {
		const char *path = shared->removals[i];

		if (!path[0] || lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			cli_remove_tree(path);
		else
			unlink(path);
	}
}

/* The line in which a library said why it ended the program; empty: none. */
static void library_reason(char *line, size_t size)
{
	char text[8192], *at, *next;
	ssize_t got = pread(library_log, text, sizeof(text) - 1, 0);

	line[0] = 0;
	text[got < 0 ? 0 : got] = 0;
	for (at = text; at && *at; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next++ = 0;
		if (strstr(at, "ssertion") || strstr(at, "ERROR:") || !line[0]) {
			const char *from = strstr(at, ".c:");

			/* Not what stands before the file's name: a drawing. */
			while (from && from > at && from[-1] != ' ')
				from--;
			snprintf(line, size, "%.*s", (int)size - 1, from ? from : at);
		}
	}
	for (at = line; *at; at++) {
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = '?';
	}
}

/* After an end that was not the command's own: 3, and one line. */
static int report_death(const char *name, int status)
{
	const char *reading = shared->reading;
	char reason[300], how[64];

	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d, %s", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof(how), "exit status %d", WEXITSTATUS(status));
	library_reason(reason, sizeof(reason));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		fprintf(stderr, "ioasis %s: %s%swas killed (is there too little memory?)\n", name,
			reading, reading[0] ? ": reading it " : "");
	else if (reading[0])
		fprintf(stderr, "ioasis %s: %s: cannot be read: the library that reads it gave up "
				"(%s)%s%s\n", name, reading, how, reason[0] ? ": " : "", reason);
	else
		fprintf(stderr, "ioasis %s: a fault of its own (%s)%s%s\n", name, how,
			reason[0] ? ": " : "", reason);
	return 3;
}

static void on_signal(int number)
{
	(void)number;
}

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define ENDING_SIGNALS (sizeof(ending_signals) / sizeof(ending_signals[0]))

static bool is_ending(int number)
{
	for (size_t i = 0; i < ENDING_SIGNALS; i++) {
		if (ending_signals[i] == number)
			return true;
	}
	return false;
}

/*
 * Blocks what ends a command, and SIGCHLD, for waiting. SIGINT counts even where it was ignored (a
 * shell does so for a job in the background), SIGHUP only where it was not (nohup).
 */
static void watch_signals(sigset_t *watched, sigset_t *old)
{
	struct sigaction action = { .sa_handler = on_signal }, before;

	sigemptyset(watched);
	sigaddset(watched, SIGCHLD);
	sigaction(SIGCHLD, &action, NULL);
	for (size_t i = 0; i < ENDING_SIGNALS; i++) {
		int number = ending_signals[i];

		sigaction(number, NULL, &before);
		if (number == SIGHUP && before.sa_handler == SIG_IGN)
			continue;
		sigaction(number, &action, NULL);
		sigaddset(watched, number);
	}
	sigprocmask(SIG_BLOCK, watched, old);
}

/* Waits for the child; *ended_by: the signal that made us end it, or 0. Returns its status. */
static int wait_for_child(pid_t pid, const sigset_t *watched, int *ended_by)
{
	siginfo_t info;
	int status;

	*ended_by = 0;
	while (waitpid(pid, &status, *ended_by ? 0 : WNOHANG) != pid) {
		int number = sigwaitinfo(watched, &info);

		if (number <= 0 || number == SIGCHLD)
			continue;
		if (!__atomic_load_n(&shared->takes_signals, __ATOMIC_RELAXED)) {
			*ended_by = number;
			kill(pid, SIGKILL);
		} else if (info.si_code <= 0) {
			kill(pid, number); /* a terminal's signals reach the child alone */
		}
	}
	return status;
}

/* In the child. Signals are the parent's, unless the command takes them. */
static void run_child(pid_t parent, const sigset_t *mask, const char *name,
		      int (*run)(int argc, char **argv), int argc, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(3);
	for (size_t i = 0; i < ENDING_SIGNALS; i++)
		signal(ending_signals[i], shared->takes_signals ? SIG_DFL : SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	shared->status = output_end(name, run(argc, argv));
	if (interrupted) {
		fprintf(stderr, "ioasis %s: interrupted (%s)\n", name, strsignal(interrupted));
		shared->status = 128 + interrupted;
	}
	shared->finished = true;
	exit(shared->status);
}

int guard_run(const char *name, bool takes_signals, int (*run)(int argc, char **argv), int argc,
	      char **argv)
{
	int status, ended_by, parent = getpid();
	sigset_t watched, mask;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED) {
		shared = NULL;
		return output_end(name, run(argc, argv));
	}
	shared->takes_signals = takes_signals;
	library_log = memfd_create("log", MFD_CLOEXEC);
	fflush(NULL);
	watch_signals(&watched, &mask);
	pid = fork();
	if (!pid)
		run_child(parent, &mask, name, run, argc, argv);
	if (pid < 0) {
		fprintf(stderr, "ioasis %s: fork: %s\n", name, strerror(errno));
		return 3;
	}
	status = wait_for_child(pid, &watched, &ended_by);
	remove_rest();
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (shared->finished)
		return shared->status;
	/* A command that takes signals itself does not do so all the time. */
	if (!ended_by && WIFSIGNALED(status) && is_ending(WTERMSIG(status)))
		ended_by = WTERMSIG(status);
	if (ended_by) {
		fprintf(stderr, "ioasis %s: interrupted (%s): there is no result\n", name,
			strsignal(ended_by));
		return 128 + ended_by;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) {
		signal(SIGPIPE, SIG_DFL); /* who reads our output has enough */
		raise(SIGPIPE);
	}
	return report_death(name, status);
}

int guard_try(int (*function)(void *opaque), void *opaque)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		shared = NULL;
		status = function(opaque);
		fflush(NULL);
		_exit(status);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
