/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked lists that live inside the objects they link.
 *
 * list_head is a ring with the list's own head in it: no end is a special case. hlist is for hash
 * tables, where a head of one pointer halves the table; each node knows the pointer that points at
 * it, so it can leave without knowing its list.
 *
 * No locks here: the caller holds whatever protects the list. Only list_empty() may also be asked without:
 * it says how it was at some moment.
 */
#ifndef KERNEL_LIB_LIST_H
#define KERNEL_LIB_LIST_H

#include "kernel/base/compiler.h"

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)     \
	{                        \
		&(name), &(name) \
	}
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline void __list_add(struct list_head *item, struct list_head *prev,
			      struct list_head *next)
{
	next->prev = item;
	item->next = next;
	item->prev = prev;
	WRITE_ONCE(prev->next, item);
}

/* Puts `item` at the front of the list, or after `head` when that is an item itself. */
static inline void list_add(struct list_head *item, struct list_head *head)
{
	__list_add(item, head, head->next);
}

/* Puts `item` at the end of the list, or before `head` when that is an item itself. */
static inline void list_add_tail(struct list_head *item, struct list_head *head)
{
	__list_add(item, head->prev, head);
}

static inline void __list_del(struct list_head *prev, struct list_head *next)
{
	next->prev = prev;
	WRITE_ONCE(prev->next, next);
}

/* Takes `item` out; whoever follows its links afterwards faults. */
static inline void list_del(struct list_head *item)
{
	__list_del(item->prev, item->next);
	item->next = NULL;
	item->prev = NULL;
}

/* Takes `item` out and leaves it as an empty list: list_empty(item) tells that it is on none. */
static inline void list_del_init(struct list_head *item)
{
	__list_del(item->prev, item->next);
	INIT_LIST_HEAD(item);
}

static inline void list_move(struct list_head *item, struct list_head *head)
{
	__list_del(item->prev, item->next);
	list_add(item, head);
}

static inline void list_move_tail(struct list_head *item, struct list_head *head)
{
	__list_del(item->prev, item->next);
	list_add_tail(item, head);
}

/* Puts `item` in the place of `old`, which is on no list afterwards. */
static inline void list_replace(struct list_head *old, struct list_head *item)
{
	item->next = old->next;
	item->prev = old->prev;
	item->next->prev = item;
	item->prev->next = item;
	old->next = NULL;
	old->prev = NULL;
}

static inline bool list_empty(const struct list_head *head)
{
	return READ_ONCE(head->next) == head;
}

static inline bool list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline bool list_is_first(const struct list_head *item, const struct list_head *head)
{
	return item->prev == head;
}

static inline bool list_is_last(const struct list_head *item, const struct list_head *head)
{
	return item->next == head;
}

/* Puts all items of `list` between prev and next; the head `list` keeps its old links. */
static inline void __list_splice(const struct list_head *list, struct list_head *prev,
				 struct list_head *next)
{
	list->next->prev = prev;
	prev->next = list->next;
	list->prev->next = next;
	next->prev = list->prev;
}

/* Moves all items of `list` to the front of `head`. `list` must be initialised before it is used again. */
static inline void list_splice(const struct list_head *list, struct list_head *head)
{
	if (!list_empty(list))
		__list_splice(list, head, head->next);
}

static inline void list_splice_tail(const struct list_head *list, struct list_head *head)
{
	if (!list_empty(list))
		__list_splice(list, head->prev, head);
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	list_splice(list, head);
	INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
	list_splice_tail(list, head);
	INIT_LIST_HEAD(list);
}

#define list_entry(ptr, type, member)	     container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member)  list_entry((head)->prev, type, member)
#define list_next_entry(pos, member)	     list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member)	     list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))

#define list_for_each(pos, head) for (pos = (head)->next; pos != (head); pos = pos->next)

/* The `_safe` forms allow taking `pos` out, and nothing else, in the loop's body. */
#define list_for_each_safe(pos, tmp, head) \
	for (pos = (head)->next, tmp = pos->next; pos != (head); pos = tmp, tmp = pos->next)

#define list_for_each_entry(pos, head, member)                                               \
	for (pos = list_first_entry(head, __typeof__(*pos), member); &pos->member != (head); \
	     pos = list_next_entry(pos, member))

#define list_for_each_entry_reverse(pos, head, member)                                      \
	for (pos = list_last_entry(head, __typeof__(*pos), member); &pos->member != (head); \
	     pos = list_prev_entry(pos, member))

#define list_for_each_entry_safe(pos, tmp, head, member)             \
	for (pos = list_first_entry(head, __typeof__(*pos), member), \
	    tmp = list_next_entry(pos, member);                      \
	     &pos->member != (head); pos = tmp, tmp = list_next_entry(tmp, member))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define HLIST_HEAD_INIT \
	{               \
		NULL    \
	}

static inline void INIT_HLIST_HEAD(struct hlist_head *head)
{
	head->first = NULL;
}

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !head->first;
}

/* Whether an initialised node is on no list. */
static inline bool hlist_unhashed(const struct hlist_node *node)
{
	return !node->pprev;
}

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	node->next = head->first;
	if (node->next)
		node->next->pprev = &node->next;
	head->first = node;
	node->pprev = &head->first;
}

/* Takes the node out and leaves it unhashed; one that is on no list stays so. */
static inline void hlist_del_init(struct hlist_node *node)
{
	if (hlist_unhashed(node))
		return;
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	INIT_HLIST_NODE(node);
}

#define hlist_entry(ptr, type, member) container_of(ptr, type, member)

#define hlist_entry_or_null(ptr, type, member)                           \
	({                                                               \
		struct hlist_node *entry_ptr = (ptr);                    \
		entry_ptr ? hlist_entry(entry_ptr, type, member) : NULL; \
	})

#define hlist_for_each_entry(pos, head, member)                                       \
	for (pos = hlist_entry_or_null((head)->first, __typeof__(*pos), member); pos; \
	     pos = hlist_entry_or_null(pos->member.next, __typeof__(*pos), member))

/* `tmp` is a struct hlist_node pointer. */
#define hlist_for_each_entry_safe(pos, tmp, head, member)                        \
	for (pos = hlist_entry_or_null((head)->first, __typeof__(*pos), member); \
	     pos && ({                                                           \
		     tmp = pos->member.next;                                     \
		     true;                                                       \
	     });                                                                 \
	     pos = hlist_entry_or_null(tmp, __typeof__(*pos), member))

#endif
