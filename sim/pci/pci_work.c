/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs in a model, when it is stopped, reset, saved and loaded.
 *
 * A call of the model may last for ever: its DMA can wait for memory that never answers.
 * So nobody waits for it without a bound but those who asked for the stop of this very
 * function; a reset that cannot wait is left to the call that keeps it waiting.
 */
#include "sim/pci/internal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define PATIENCE_NS 500000000l

void pci_gate_init(struct pci_gate *gate)
{
	pthread_condattr_t attributes;

	*gate = (struct pci_gate){ .running = 0 };
	pthread_mutex_init(&gate->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&gate->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void pci_gate_fini(struct pci_gate *gate)
{
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

static void gate_wait(struct pci_gate *gate)
{
	gate->waiting++;
	pthread_cond_wait(&gate->changed, &gate->lock);
	gate->waiting--;
}

/* With the gate's lock held. */
static bool gate_is_shut(const struct pci_function *function)
{
	const struct pci_gate *gate = &function->gate;

	return gate->alone || gate->reset_wanted ||
	       (!function->model->parallel && gate->running);
}

void pci_gate_enter(struct pci_function *function)
{
	struct pci_gate *gate = &function->gate;

	pthread_mutex_lock(&gate->lock);
	while (gate_is_shut(function))
		gate_wait(gate);
	gate->running++;
	pthread_mutex_unlock(&gate->lock);
}

static void model_reset(struct pci_function *function)
{
	pci_irq_reset(function);
	for (unsigned int i = 0; i < PCI_BARS; i++)
		pci_memory_clear(&function->bars[i]);
	function->model->reset(function->state);
}

/* Runs work with nobody else in the model. The gate's lock is held before and after. */
static void gate_run_alone(struct pci_function *function,
			   void (*work)(struct pci_function *function))
{
	struct pci_gate *gate = &function->gate;

	gate->alone = true;
	pthread_mutex_unlock(&gate->lock);
	work(function);
	pthread_mutex_lock(&gate->lock);
	gate->alone = false;
	if (gate->waiting)
		pthread_cond_broadcast(&gate->changed);
}

void pci_gate_leave(struct pci_function *function)
{
	struct pci_gate *gate = &function->gate;

	pthread_mutex_lock(&gate->lock);
	gate->running--;
	if (!gate->running && gate->reset_wanted && !gate->alone) {
		gate->reset_wanted = false;
		gate_run_alone(function, model_reset);
	}
	if (gate->waiting)
		pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

static struct timespec patience_end(void)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PATIENCE_NS;
	until.tv_sec += until.tv_nsec / 1000000000l;
	until.tv_nsec %= 1000000000l;
	return until;
}

void pci_function_reset(struct pci_function *function)
{
	struct pci_gate *gate = &function->gate;
	struct timespec until = patience_end();

	pthread_mutex_lock(&gate->lock);
	gate->reset_wanted = true; /* nobody comes in from here on */
	gate->waiting++;
	while (gate->reset_wanted && (gate->running || gate->alone) &&
	       !pthread_cond_timedwait(&gate->changed, &gate->lock, &until))
		;
	gate->waiting--;
	if (gate->reset_wanted && !gate->running && !gate->alone) {
		gate->reset_wanted = false;
		gate_run_alone(function, model_reset);
	}
	pthread_mutex_unlock(&gate->lock);
}

int pci_function_stop(struct pci_function *function)
{
	struct pci_gate *gate = &function->gate;
	struct timespec until = patience_end();
	int err = 0;

	pthread_mutex_lock(&gate->lock);
	gate->stopped = true;
	gate->waiting++;
	while ((gate->running || gate->alone) && !err)
		err = pthread_cond_timedwait(&gate->changed, &gate->lock, &until);
	gate->waiting--;
	if (err)
		gate->stopped = false;
	pthread_mutex_unlock(&gate->lock);
	return err ? -ETIMEDOUT : 0;
}

void pci_function_start(struct pci_function *function)
{
	pthread_mutex_lock(&function->gate.lock);
	function->gate.stopped = false;
	pthread_mutex_unlock(&function->gate.lock);
	for (unsigned int i = 0; i < pci_function_units(function); i++)
		pci_wake(function, i);
}

unsigned int pci_function_units(const struct pci_function *function)
{
	return function->model->step ? function->description.units : 0;
}

uint64_t pci_function_step(struct pci_function *function, unsigned int unit, uint64_t now_ns)
{
	struct pci_gate *gate = &function->gate;
	uint64_t next;

	pthread_mutex_lock(&gate->lock);
	while (!gate->stopped && gate_is_shut(function))
		gate_wait(gate);
	if (gate->stopped) {
		pthread_mutex_unlock(&gate->lock);
		return PCI_NEVER;
	}
	gate->running++;
	pthread_mutex_unlock(&gate->lock);
	next = function->model->step(function->state, unit, now_ns);
	pci_gate_leave(function);
	return next;
}

bool pci_function_poll(struct pci_function *function, unsigned int unit)
{
	return function->model->poll && function->model->poll(function->state, unit);
}

/* ---- DMA that happens elsewhere --------------------------------------------------- */

bool pci_function_listens(const struct pci_function *function)
{
	return function->model->mapped;
}

/* Not through the gate: a reset may wait for the other program, and that for this. */
void pci_function_mapped(struct pci_function *function, const struct pci_mapping *mapping)
{
	function->model->mapped(function->state, mapping);
}

void pci_function_unmapped(struct pci_function *function, uint64_t iova, uint64_t bytes)
{
	function->model->unmapped(function->state, iova, bytes);
}

/* ---- state ----------------------------------------------------------------------- */

/*
 * What precedes the model's own bytes: nothing else is taken for them. The configuration
 * space is no part: who moves a device, such as QEMU, writes it anew.
 */
struct state_head {
	char magic[8];
	char kind[24];
	uint32_t version;
	uint32_t pin; /* it is raised: differs between two of a kind */
};

static const char state_magic[8] = "ioasisP";

bool pci_function_can_migrate(const struct pci_function *function)
{
	return function->model->save && function->model->load;
}

static void head_init(const struct pci_function *function, struct state_head *head)
{
	*head = (struct state_head){
		.version = function->model->state_version,
	};
	memcpy(head->magic, state_magic, sizeof(state_magic));
	strncpy(head->kind, function->model->kind, sizeof(head->kind) - 1);
}

/* The memory of BARs, page by page that is not zeros: bar and page, then its bytes. */
#define STATE_PAGE 4096u
#define STATE_PAGES_END UINT64_MAX

static void save_memory(const struct pci_function *function, struct pci_state *state)
{
	static const uint8_t zeros[STATE_PAGE];
	uint64_t end = STATE_PAGES_END;

	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_memory *memory = &function->bars[i];

		for (size_t at = 0; memory->fd >= 0 && at < memory->bytes; at += STATE_PAGE) {
			uint64_t where = (uint64_t)i << 56 | at;

			if (!memcmp(memory->base + at, zeros, STATE_PAGE))
				continue;
			pci_state_put(state, &where, sizeof(where));
			pci_state_put(state, memory->base + at, STATE_PAGE);
		}
	}
	pci_state_put(state, &end, sizeof(end));
}

static bool load_memory(struct pci_function *function, struct pci_state *state)
{
	uint8_t page[STATE_PAGE];
	uint64_t where;

	for (;;) {
		struct pci_memory *memory;
		uint64_t at;

		if (!pci_state_get(state, &where, sizeof(where)))
			return false;
		if (where == STATE_PAGES_END)
			return true;
		at = where & ((1ull << 56) - 1);
		if (where >> 56 >= PCI_BARS || at % STATE_PAGE)
			return false;
		memory = &function->bars[where >> 56];
		if (memory->fd < 0 || at >= memory->bytes ||
		    !pci_state_get(state, page, sizeof(page)))
			return false;
		memcpy(memory->base + at, page, sizeof(page));
	}
}

int pci_function_save(struct pci_function *function, struct pci_state *state)
{
	struct state_head head;

	head_init(function, &head);
	head.pin = pci_function_pin(function);
	pci_state_put(state, &head, sizeof(head));
	save_memory(function, state);
	pci_gate_enter(function);
	function->model->save(function->state, state);
	pci_gate_leave(function);
	return state->failed ? -ENOMEM : 0;
}

int pci_function_load(struct pci_function *function, struct pci_state *state)
{
	struct state_head head, ours;
	bool good;

	pci_function_reset(function);
	head_init(function, &ours);
	good = pci_state_get(state, &head, sizeof(head));
	ours.pin = head.pin;
	good = good && !memcmp(&head, &ours, sizeof(head)) && load_memory(function, state);
	if (good) {
		pci_gate_enter(function);
		good = function->model->load(function->state, state);
		pci_gate_leave(function);
	}
	if (!good || state->failed || state->taken != state->length) {
		pci_function_reset(function);
		return -EINVAL;
	}
	if (head.pin)
		pci_irq_raise(function, 0);
	return 0;
}
