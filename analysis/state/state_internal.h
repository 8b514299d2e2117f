/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the state tracker: state.c (contexts, objects, mappings),
 * state_op.c (calls), state_commit.c (the device's commits), state_dump.c (late start).
 */
#ifndef IOASIS_ANALYSIS_STATE_INTERNAL_H
#define IOASIS_ANALYSIS_STATE_INTERNAL_H

#include "analysis/analysis_internal.h"
#include "analysis/linearize/linearize.h"
#include "analysis/state/state.h"
#include "analysis/table.h"

/* A thread and the calls it is in: an ioctl inside a call of the backend. */
struct state_thread {
	struct state_op *backend;
	struct state_op *ioctl;
};

/* A text that lives as long as the state. */
struct state_text {
	char *text; /* owned */
	struct state_text *next;
};

/* A call stack, as its event told it. */
struct state_stack {
	struct state_stack *next; /* of its hash */
	uint16_t number;
	size_t frames_count;
	struct state_frame frames[STATE_FRAMES_MAX];
	size_t bytes;
	char text[]; /* as it was told; then again, the frames' texts */
};

struct state_pending {
	struct event event;
	struct state_pending *next;
};

struct state {
	struct analysis *analysis;
	struct table contexts; /* (key, machine and layer) */
	struct table objects;  /* (context serial, id) */
	struct table ops;      /* (op_id, machine and namespace) */
	struct table threads;  /* (tid, process) */
	struct table processes; /* (namespace, start and id, machine) -> struct state_process */
	struct table names;    /* (namespace and id, machine) -> struct process_name */
	struct state_process *last_process; /* a look instead of a search */
	struct state_text *texts;
	struct table stacks;   /* (hash, 0) -> the first struct state_stack of it */
	struct state_stack **stack_of; /* by number - 1 */
	uint32_t stacks_count, stacks_room;
	struct state_context *first_context, **last_context;
	struct state_op *free_ops;
	uint64_t contexts_count, objects_count;
	uint32_t processes_count;
	bool failed;
	bool finishing;
};

#define state_tell(state, what, ...) analysis_tell((state)->analysis, what, ##__VA_ARGS__)

/*
 * Something is missing in the trace of machine at time_ns that was there at since_ns or
 * later. When nothing that was told to be lost can be it, a whole stream may be.
 */
void state_missing(struct state *state, uint32_t machine, int64_t since_ns);

/* state.c */
struct state_context *state_context_find(struct state *state, const struct event *event,
					 enum state_layer layer);
/* The same, made if need be; NULL: out of memory. */
struct state_context *state_context_get(struct state *state, const struct event *event,
					enum state_layer layer);
void state_context_end(struct state *state, struct state_context *context, int64_t time_ns);
struct state_object *state_object_begin(struct state *state, struct state_context *context,
					uint64_t id, const struct state_object *like);
void state_object_end(struct state *state, struct state_object *object, int64_t time_ns,
		      uint64_t op_id);
void state_map(struct state *state, struct state_object *object,
	       const struct state_mapping *mapping);
/* Removes all mappings inside [iova, last]; returns their bytes. */
uint64_t state_unmap(struct state *state, struct state_object *object, uint64_t iova,
		     uint64_t last, int64_t time_ns, uint64_t op_id);
void state_link(struct state *state, struct state_context *backend,
		struct state_context *device, int64_t time_ns);

/* Where an event was emitted: its op_id and ctx are unique there. */
static inline uint64_t state_scope(uint32_t machine, uint32_t here_ns)
{
	return (uint64_t)here_ns << 32 | machine;
}

/* state_process.c: never NULL. */
struct state_process *state_process_get(struct state *state, uint32_t machine, uint32_t pid_ns,
					uint32_t start, uint32_t pid);
struct state_process *state_process_of(struct state *state, const struct event *event);
/* The process that gave out an op_id or ctx, which event carries. */
struct state_process *state_process_of_number(struct state *state, const struct event *event,
					      uint64_t number);
/* Counts the number of a call that is seen for the first time; begins: it is its begin. */
void state_number_seen(struct state *state, const struct event *event, bool begins);
void state_processes_finish(struct state *state);
void state_processes_fini(struct state *state);

/* state_op.c */
void state_op_begin(struct state *state, const struct event *event);
void state_process_end(struct state *state, const struct event *event);
void state_op_end(struct state *state, const struct event *event);
void state_ioctl_begin(struct state *state, const struct event *event);
void state_ioctl_refused(struct state *state, const struct event *event);
void state_ioctl_end(struct state *state, const struct event *event);
void state_ops_finish(struct state *state);
void state_op_free(struct state *state, struct state_op *op);
void state_op_list_add(struct state_op **list, struct state_op *op);
void state_op_list_remove(struct state_op *op);

/* state_stack.c */
void state_ioctl_where(struct state *state, const struct event *event);
void state_stacks_fini(struct state *state);

/* state_move.c: the process of context is charged for all mappings of its file from now on. */
void state_take_over(struct state *state, struct state_context *context, int64_t time_ns);

/* state_commit.c */
void state_commit(struct state *state, const struct event *event);
/* Lets the commits of object that wait take effect, as if those missing were lost. */
void state_commits_flush(struct state *state, struct state_object *object);


/* state_dump.c */
void state_dump_event(struct state *state, const struct event *event);

#endif
