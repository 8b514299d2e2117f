/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A doubly linked ring: a head and links embedded in the members.
 *
 * A link that was initialised or removed points at itself, so removing it
 * again is harmless.
 */
#ifndef IOASIS_ENGINE_LIST_H
#define IOASIS_ENGINE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
	struct list_link *prev;
	struct list_link *next;
};

/* The structure around a member. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

static inline void list_init(struct list_link *link)
{
	link->prev = link;
	link->next = link;
}

static inline bool list_empty(const struct list_link *head)
{
	return head->next == head;
}

static inline void list_append(struct list_link *head, struct list_link *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void list_remove(struct list_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Visits each link; the body may remove the one it is at. */
#define list_for_each(link, head)                                                      \
	for (struct list_link *link = (head)->next, *link##_next = link->next;         \
	     link != (head); link = link##_next, link##_next = link->next)

#endif
