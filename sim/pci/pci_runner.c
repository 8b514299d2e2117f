/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/pci_runner.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define NS_PER_S 1000000000ull
#define LINGER_NS 20000u /* that a unit looks by itself after work */
#define WATCH_SHARE 16u	 /* of the time since something happened, between two looks */
#define END_PATIENCE_S 1

struct runner_unit {
	struct pci_runner *runner;
	unsigned int number;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started;
	bool woken;   /* also read without the lock */
	bool working; /* looks by itself; read without the lock */
};

struct pci_runner {
	struct pci_function *function;
	bool stopping; /* __atomic */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool in_use, watching;
	uint64_t watch_least_ns, watch_most_ns;
	pthread_t watcher;
	uint64_t last_ns; /* when a unit was woken last; __atomic */

	unsigned int units_count;
	struct runner_unit units[];
};

uint64_t pci_runner_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S),
				  .tv_nsec = (long)(ns % NS_PER_S) };
}

static void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

static uint64_t or_default(uint64_t ns, uint64_t otherwise)
{
	return ns ? ns : otherwise;
}

struct pci_runner *pci_runner_create(struct pci_function *function)
{
	const struct pci_description *description = pci_function_description(function);
	unsigned int count = pci_function_units(function);
	struct pci_runner *runner =
		calloc(1, sizeof(*runner) + count * sizeof(struct runner_unit));

	if (!runner)
		return NULL;
	runner->function = function;
	runner->units_count = count;
	runner->watch_least_ns = or_default(description->watch_least_ns, PCI_WATCH_LEAST_NS);
	runner->watch_most_ns = or_default(description->watch_most_ns, PCI_WATCH_MOST_NS);
	pthread_mutex_init(&runner->lock, NULL);
	cond_init(&runner->changed);
	for (unsigned int i = 0; i < count; i++) {
		struct runner_unit *unit = &runner->units[i];

		unit->runner = runner;
		unit->number = i;
		pthread_mutex_init(&unit->lock, NULL);
		cond_init(&unit->changed);
	}
	return runner;
}

static bool is_stopping(const struct pci_runner *runner)
{
	return __atomic_load_n(&runner->stopping, __ATOMIC_ACQUIRE);
}

/* A thread that takes no signals: they are for the threads of the program. */
static int start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

/* ---- units ----------------------------------------------------------------------- */

/* Looks for work for a while without sleeping; true: there is some. */
static bool unit_linger(struct runner_unit *unit)
{
	struct pci_runner *runner = unit->runner;
	uint64_t until = pci_runner_now() + LINGER_NS;

	do {
		if (__atomic_load_n(&unit->woken, __ATOMIC_ACQUIRE) ||
		    pci_function_poll(runner->function, unit->number))
			return true;
		sched_yield();
	} while (pci_runner_now() < until && !is_stopping(runner));
	return false;
}

static void *unit_run(void *argument)
{
	struct runner_unit *unit = argument;
	struct pci_runner *runner = unit->runner;
	uint64_t due = PCI_NEVER;

	prctl(PR_SET_NAME, "pci-unit");
	while (!is_stopping(runner)) {
		pthread_mutex_lock(&unit->lock);
		while (!__atomic_load_n(&unit->woken, __ATOMIC_ACQUIRE) && !is_stopping(runner) &&
		       pci_runner_now() < due) {
			struct timespec until = to_timespec(due);

			if (due == PCI_NEVER)
				pthread_cond_wait(&unit->changed, &unit->lock);
			else
				pthread_cond_timedwait(&unit->changed, &unit->lock, &until);
		}
		pthread_mutex_unlock(&unit->lock);
		__atomic_store_n(&unit->working, true, __ATOMIC_RELEASE);
		while (!is_stopping(runner)) {
			__atomic_store_n(&unit->woken, false, __ATOMIC_RELEASE);
			due = pci_function_step(runner->function, unit->number,
						pci_runner_now());
			if (due > pci_runner_now() && !unit_linger(unit))
				break;
		}
		__atomic_store_n(&runner->last_ns, pci_runner_now(), __ATOMIC_RELAXED);
		__atomic_store_n(&unit->working, false, __ATOMIC_RELEASE);
	}
	return NULL;
}

void pci_runner_wake(struct pci_runner *runner, unsigned int number)
{
	struct runner_unit *unit = &runner->units[number];

	if (number >= runner->units_count || is_stopping(runner))
		return;
	pthread_mutex_lock(&unit->lock);
	__atomic_store_n(&unit->woken, true, __ATOMIC_RELEASE);
	if (!unit->started)
		unit->started = !start_thread(&unit->thread, unit_run, unit);
	pthread_cond_signal(&unit->changed);
	pthread_mutex_unlock(&unit->lock);
}

/* ---- watching -------------------------------------------------------------------- */

static void *watch_run(void *argument)
{
	struct pci_runner *runner = argument;

	prctl(PR_SET_NAME, "pci-watch");
	prctl(PR_SET_TIMERSLACK, 1ul);
	while (!is_stopping(runner)) {
		uint64_t idle;
		struct timespec pause;

		pthread_mutex_lock(&runner->lock);
		while (!runner->in_use && !is_stopping(runner))
			pthread_cond_wait(&runner->changed, &runner->lock);
		pthread_mutex_unlock(&runner->lock);
		for (unsigned int i = 0; i < runner->units_count; i++) {
			struct runner_unit *unit = &runner->units[i];

			/* Mostly nothing is new, and no more than that is looked at. */
			if (!pci_function_poll(runner->function, i) ||
			    __atomic_load_n(&unit->working, __ATOMIC_ACQUIRE))
				continue;
			__atomic_store_n(&runner->last_ns, pci_runner_now(), __ATOMIC_RELAXED);
			pci_runner_wake(runner, i);
		}
		idle = (pci_runner_now() - __atomic_load_n(&runner->last_ns, __ATOMIC_RELAXED)) /
		       WATCH_SHARE;
		if (idle < runner->watch_least_ns)
			idle = runner->watch_least_ns;
		if (idle > runner->watch_most_ns)
			idle = runner->watch_most_ns;
		pause = to_timespec(idle);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return NULL;
}

void pci_runner_use(struct pci_runner *runner, bool in_use)
{
	if (!pci_function_model(runner->function)->poll)
		return;
	pthread_mutex_lock(&runner->lock);
	runner->in_use = in_use;
	__atomic_store_n(&runner->last_ns, pci_runner_now(), __ATOMIC_RELAXED);
	if (in_use && !runner->watching)
		runner->watching = !start_thread(&runner->watcher, watch_run, runner);
	pthread_cond_signal(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
}

/* ---- the end --------------------------------------------------------------------- */

/* Joins a unit's thread if it ends in time. */
static bool unit_end(struct runner_unit *unit, const struct timespec *until)
{
	if (unit->started && pthread_timedjoin_np(unit->thread, NULL, until)) {
		pthread_detach(unit->thread);
		return false;
	}
	return true;
}

bool pci_runner_destroy(struct pci_runner *runner)
{
	struct timespec until;
	bool ended = true;

	if (!runner)
		return true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_PATIENCE_S;
	pthread_mutex_lock(&runner->lock);
	__atomic_store_n(&runner->stopping, true, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
	if (runner->watching)
		pthread_join(runner->watcher, NULL);
	for (unsigned int i = 0; i < runner->units_count; i++) {
		struct runner_unit *unit = &runner->units[i];

		pthread_mutex_lock(&unit->lock);
		pthread_cond_broadcast(&unit->changed);
		pthread_mutex_unlock(&unit->lock);
	}
	for (unsigned int i = 0; i < runner->units_count; i++)
		ended = unit_end(&runner->units[i], &until) && ended;
	if (!ended)
		return false;
	for (unsigned int i = 0; i < runner->units_count; i++) {
		pthread_cond_destroy(&runner->units[i].changed);
		pthread_mutex_destroy(&runner->units[i].lock);
	}
	pthread_cond_destroy(&runner->changed);
	pthread_mutex_destroy(&runner->lock);
	free(runner);
	return true;
}
