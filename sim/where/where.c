/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/where/where.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/where/symbols.h"
#include "sim/where/unwind.h"

/* Processes whose program is at hand at one time; the one used longest ago goes. */
#define SPACES_MAX 16u
/* Different stacks that are told apart; later ones have no number. */
#define STACKS_MAX 65536u
#define BUCKETS 4096u

/*
 * A process. Its memory and files are read with its own lock alone: a program whose stack or
 * binary never answers holds up its own calls.
 */
struct space {
	uint64_t serial;
	uint64_t used; /* when, counted */
	uint32_t refs; /* captures under way */
	pthread_mutex_t lock;
	struct unwinder *unwinder; /* NULL: not looked at yet, or it cannot be read */
	bool was_looked_at;
};

/* The addresses of a stack in one process, and which stack that is. */
struct path {
	struct path *next; /* of its bucket */
	uint64_t serial;
	uint32_t stack;
	uint32_t count;
	uint64_t pcs[];
};

/* A stack, told in words. */
struct stack {
	struct stack *next; /* of its bucket */
	uint32_t number;
	uint32_t count;
	char *text; /* owned; see where_text() */
	struct where_frame frames[];
};

/* A text that stacks share. */
struct word {
	struct word *next;
	char text[];
};

struct where {
	pthread_mutex_t lock;
	struct space *spaces[SPACES_MAX];
	uint64_t uses;
	struct path *paths[BUCKETS];
	struct stack *by_words[BUCKETS];
	struct stack **stacks; /* by number - 1 */
	uint32_t stacks_count, paths_count;
	struct word *words[BUCKETS];
};

bool where_is_supported(const char **why)
{
#ifdef __x86_64__
	*why = NULL;
	return true;
#else
	*why = "call stacks can be read on x86-64 only";
	return false;
#endif
}

struct where *where_create(void)
{
	struct where *where;
	const char *why;

	if (!where_is_supported(&why))
		return NULL;
	where = calloc(1, sizeof(*where));
	if (where)
		pthread_mutex_init(&where->lock, NULL);
	return where;
}

static void space_destroy(struct space *space)
{
	if (!space)
		return;
	unwinder_destroy(space->unwinder);
	pthread_mutex_destroy(&space->lock);
	free(space);
}

void where_destroy(struct where *where)
{
	if (!where)
		return;
	for (size_t i = 0; i < SPACES_MAX; i++)
		space_destroy(where->spaces[i]);
	for (size_t i = 0; i < BUCKETS; i++) {
		while (where->paths[i]) {
			struct path *path = where->paths[i];

			where->paths[i] = path->next;
			free(path);
		}
		while (where->words[i]) {
			struct word *word = where->words[i];

			where->words[i] = word->next;
			free(word);
		}
	}
	for (uint32_t i = 0; i < where->stacks_count; i++) {
		free(where->stacks[i]->text);
		free(where->stacks[i]);
	}
	free(where->stacks);
	pthread_mutex_destroy(&where->lock);
	free(where);
}

static uint64_t hash(uint64_t seed, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		seed = (seed ^ at[i]) * 0x100000001b3u;
	return seed;
}

/* ---- processes ------------------------------------------------------------------- */

/*
 * The process, with a reference; another that nobody uses makes room for it. NULL: out of
 * memory, or all are in use.
 */
static struct space *space_get(struct where *where, uint64_t serial)
{
	struct space **place = NULL;

	for (size_t i = 0; i < SPACES_MAX; i++) {
		struct space *space = where->spaces[i];

		if (space && space->serial == serial) {
			place = &where->spaces[i];
			goto out;
		}
		if (!space)
			place = &where->spaces[i];
		else if (!space->refs && (!place || (*place && space->used < (*place)->used)))
			place = &where->spaces[i];
	}
	if (!place)
		return NULL;
	space_destroy(*place);
	*place = calloc(1, sizeof(**place));
	if (!*place)
		return NULL;
	(*place)->serial = serial;
	pthread_mutex_init(&(*place)->lock, NULL);
out:
	(*place)->used = ++where->uses;
	(*place)->refs++;
	return *place;
}

/* ---- stacks in words -------------------------------------------------------------- */

/* A copy of text that lives as long as where, the same for equal texts; NULL: out of memory. */
static const char *keep(struct where *where, const char *text)
{
	size_t length = strlen(text);
	struct word **bucket = &where->words[hash(1, text, length) % BUCKETS], *word;

	for (word = *bucket; word; word = word->next) {
		if (!strcmp(word->text, text))
			return word->text;
	}
	word = malloc(sizeof(*word) + length + 1);
	if (!word)
		return NULL;
	memcpy(word->text, text, length + 1);
	word->next = *bucket;
	*bucket = word;
	return word->text;
}

static bool same_place(const struct where_frame *a, const struct where_frame *b)
{
	/* The texts are kept: equal ones are the same. An address differs from process to process. */
	return a->function == b->function && a->file == b->file && a->line == b->line &&
	       a->object == b->object &&
	       (a->file || a->address == b->address);
}

/* Appends a name of at most max letters; what would end a field or a line is a '?'. */
static char *put_name(char *to, const char *name, size_t max)
{
	size_t length = strlen(name);

	if (length > max)
		name += length - max; /* of a path the end tells more */
	for (; *name; name++)
		*to++ = (unsigned char)*name < ' ' || *name == 127 ? '?' : *name;
	return to;
}

#define NAME_MAX_BYTES 250u
#define FRAME_MAX_BYTES (3 * NAME_MAX_BYTES + 48)

/* NULL: out of memory. */
static char *text_of(const struct where_frame *frames, uint32_t count)
{
	char text[WHERE_TEXT_MAX], *at = text;

	for (uint32_t i = 0; i < count && at + FRAME_MAX_BYTES < text + sizeof(text); i++) {
		if (i)
			*at++ = '\n';
		at = put_name(at, frames[i].function, NAME_MAX_BYTES);
		*at++ = '\t';
		at = put_name(at, frames[i].file ? frames[i].file : "", NAME_MAX_BYTES);
		at += sprintf(at, "\t%u\t", frames[i].line);
		at = put_name(at, frames[i].object, NAME_MAX_BYTES);
		at += sprintf(at, "\t%" PRIx64, frames[i].address);
	}
	*at = 0;
	return strdup(text);
}

/* The stack of these frames, whose texts are kept; makes it. 0: no more room. */
static uint32_t stack_of(struct where *where, const struct where_frame *frames, uint32_t count)
{
	uint64_t key = count;
	struct stack **bucket, *stack, **stacks;

	for (uint32_t i = 0; i < count; i++) {
		key = hash(key, &frames[i].function, sizeof(frames[i].function));
		key = hash(key, &frames[i].line, sizeof(frames[i].line));
	}
	bucket = &where->by_words[key % BUCKETS];
	for (stack = *bucket; stack; stack = stack->next) {
		uint32_t i = 0;

		while (stack->count == count && i < count &&
		       same_place(&stack->frames[i], &frames[i]))
			i++;
		if (stack->count == count && i == count)
			return stack->number;
	}
	if (where->stacks_count == STACKS_MAX)
		return 0;
	stacks = realloc(where->stacks, (where->stacks_count + 1) * sizeof(*stacks));
	if (!stacks)
		return 0;
	where->stacks = stacks;
	stack = malloc(sizeof(*stack) + count * sizeof(*frames));
	if (!stack)
		return 0;
	memcpy(stack->frames, frames, count * sizeof(*frames));
	stack->count = count;
	stack->text = text_of(frames, count);
	if (!stack->text) {
		free(stack);
		return 0;
	}
	stack->number = where->stacks_count + 1;
	stack->next = *bucket;
	*bucket = stack;
	stacks[where->stacks_count++] = stack;
	return stack->number;
}

/* ---- captures --------------------------------------------------------------------- */

static struct path *find_path(struct where *where, uint64_t serial, const uint64_t *pcs,
			      size_t count)
{
	size_t bytes = count * sizeof(*pcs);
	struct path *path = where->paths[hash(serial, pcs, bytes) % BUCKETS];

	while (path && (path->serial != serial || path->count != count ||
			memcmp(path->pcs, pcs, bytes)))
		path = path->next;
	return path;
}

/* Notes which stack the addresses are. Without memory they are named again next time. */
static void add_path(struct where *where, uint64_t serial, const uint64_t *pcs, size_t count,
		     uint32_t stack)
{
	size_t bytes = count * sizeof(*pcs);
	struct path **bucket = &where->paths[hash(serial, pcs, bytes) % BUCKETS], *path;

	if (where->paths_count == STACKS_MAX)
		return;
	path = malloc(sizeof(*path) + bytes);
	if (!path)
		return;
	path->serial = serial;
	path->count = (uint32_t)count;
	memcpy(path->pcs, pcs, bytes);
	path->stack = stack;
	path->next = *bucket;
	*bucket = path;
	where->paths_count++;
}

/* The number of the frames, whose texts are borrowed. 0: out of memory or room. */
static uint32_t keep_stack(struct where *where, struct where_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		frames[i].function = keep(where, frames[i].function);
		frames[i].object = keep(where, frames[i].object);
		if (frames[i].file)
			frames[i].file = keep(where, frames[i].file);
		if (!frames[i].function || !frames[i].object)
			return 0;
	}
	return stack_of(where, frames, (uint32_t)count);
}

/* With the space's lock, which its memory and its programs' files are read under. */
static uint32_t capture(struct where *where, struct space *space, uint32_t pid, uint32_t tid)
{
	struct where_frame frames[WHERE_FRAMES_MAX];
	uint64_t pcs[WHERE_FRAMES_MAX];
	size_t count, found = 0;
	struct path *path;
	uint32_t stack;

	if (!space->was_looked_at)
		space->unwinder = unwinder_create(pid);
	space->was_looked_at = true;
	count = space->unwinder ? unwinder_walk(space->unwinder, tid, pcs, WHERE_FRAMES_MAX) : 0;
	if (!count)
		return 0;
	pthread_mutex_lock(&where->lock);
	path = find_path(where, space->serial, pcs, count);
	pthread_mutex_unlock(&where->lock);
	if (path)
		return path->stack;
	for (size_t i = 0; i < count && found < WHERE_FRAMES_MAX; i++)
		found += symbols_find(unwinder_dwfl(space->unwinder), pcs[i], frames + found,
				      WHERE_FRAMES_MAX - found);
	pthread_mutex_lock(&where->lock);
	stack = keep_stack(where, frames, found);
	add_path(where, space->serial, pcs, count, stack);
	pthread_mutex_unlock(&where->lock);
	return stack;
}

uint32_t where_capture(struct where *where, uint64_t serial, uint32_t pid, uint32_t tid)
{
	struct space *space;
	uint32_t stack;

	pthread_mutex_lock(&where->lock);
	space = space_get(where, serial);
	pthread_mutex_unlock(&where->lock);
	if (!space)
		return 0;
	pthread_mutex_lock(&space->lock);
	stack = capture(where, space, pid, tid);
	pthread_mutex_unlock(&space->lock);
	pthread_mutex_lock(&where->lock);
	space->refs--;
	pthread_mutex_unlock(&where->lock);
	return stack;
}

size_t where_frames(struct where *where, uint32_t stack,
		    struct where_frame frames[WHERE_FRAMES_MAX])
{
	size_t count = 0;

	pthread_mutex_lock(&where->lock);
	if (stack && stack <= where->stacks_count) {
		count = where->stacks[stack - 1]->count;
		memcpy(frames, where->stacks[stack - 1]->frames, count * sizeof(*frames));
	}
	pthread_mutex_unlock(&where->lock);
	return count;
}

const char *where_text(struct where *where, uint32_t stack)
{
	const char *text = NULL;

	pthread_mutex_lock(&where->lock);
	if (stack && stack <= where->stacks_count)
		text = where->stacks[stack - 1]->text;
	pthread_mutex_unlock(&where->lock);
	return text;
}
