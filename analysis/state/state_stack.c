/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Call stacks, as the event iommufd_dev:where tells them (tracepoints/iommufd_dev.def): each
 * different one is kept once, under a number.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/state/state_internal.h"

/* More are not kept: later ones have no number. */
#define STACKS_MAX UINT16_MAX
/* Longer texts are none that the device writes. */
#define TEXT_MAX (64u << 10)

static uint64_t hash_of(const char *text, size_t bytes)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
	return hash;
}

/* Ends the field at *rest with a zero and returns it; "" behind the last one. */
static const char *take_field(char **rest, char end)
{
	char *field = *rest, *at = strchr(field, end);

	if (at) {
		*at = 0;
		*rest = at + 1;
	} else {
		*rest = field + strlen(field);
	}
	return field;
}

/* Finds the frames in text, which they then point into. */
static void parse(struct state_stack *stack, char *text)
{
	while (*text && stack->frames_count < STATE_FRAMES_MAX) {
		struct state_frame *frame = &stack->frames[stack->frames_count++];
		char *line = text;

		take_field(&text, '\n');
		frame->function = take_field(&line, '\t');
		frame->file = take_field(&line, '\t');
		frame->line = strtoull(take_field(&line, '\t'), NULL, 10);
		frame->object = take_field(&line, '\t');
		frame->address = strtoull(take_field(&line, '\t'), NULL, 16);
	}
}

/* NULL: out of memory. */
static struct state_stack *stack_make(const char *text, size_t bytes)
{
	struct state_stack *stack = calloc(1, sizeof(*stack) + 2 * bytes + 1);
	char *own;

	if (!stack)
		return NULL;
	memcpy(stack->text, text, bytes);
	stack->bytes = bytes;
	own = stack->text + bytes;
	memcpy(own, text, bytes);
	/* A program chooses its names, which end on the terminal of who reads the trace. */
	for (size_t i = 0; i < bytes; i++) {
		if (((uint8_t)own[i] < ' ' && own[i] != '\t' && own[i] != '\n') || own[i] == 127)
			own[i] = '?';
	}
	parse(stack, own);
	return stack;
}

/* The number of the stack that is told; 0: there are too many, or it is none. */
static uint16_t stack_number(struct state *state, const char *text, size_t bytes)
{
	uint64_t hash = hash_of(text, bytes);
	struct state_stack *first = table_get(&state->stacks, hash, 0), *stack, **more;

	if (!bytes || bytes > TEXT_MAX)
		return 0;
	for (stack = first; stack; stack = stack->next) {
		if (stack->bytes == bytes && !memcmp(stack->text, text, bytes))
			return stack->number;
	}
	if (state->stacks_count == STACKS_MAX)
		return 0;
	if (state->stacks_count == state->stacks_room) {
		uint32_t room = 2 * state->stacks_room + 16;

		more = realloc(state->stack_of, room * sizeof(struct state_stack *));
		if (!more)
			goto failed;
		state->stack_of = more;
		state->stacks_room = room;
	}
	stack = stack_make(text, bytes);
	if (!stack)
		goto failed;
	stack->next = first;
	if (table_set(&state->stacks, hash, 0, stack)) {
		free(stack);
		goto failed;
	}
	state->stack_of[state->stacks_count++] = stack;
	stack->number = (uint16_t)state->stacks_count;
	return stack->number;
failed:
	state->failed = true;
	return 0;
}

void state_ioctl_where(struct state *state, const struct event *event)
{
	struct state_op *op = table_get(&state->ops, event->op_id,
					state_scope(event->machine, event->here_ns));

	if (!op || !event->text)
		return;
	op->stack = stack_number(state, event->text, event->text_bytes);
	if (op->outer)
		op->outer->stack = op->stack;
}

size_t state_stack(const struct state *state, uint16_t stack,
		   struct state_frame frames[STATE_FRAMES_MAX])
{
	const struct state_stack *found;

	if (!stack || stack > state->stacks_count)
		return 0;
	found = state->stack_of[stack - 1];
	memcpy(frames, found->frames, found->frames_count * sizeof(*frames));
	return found->frames_count;
}

void state_stacks_fini(struct state *state)
{
	for (uint32_t i = 0; i < state->stacks_count; i++)
		free(state->stack_of[i]);
	free(state->stack_of);
	table_fini(&state->stacks);
}
