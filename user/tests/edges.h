/* SPDX-License-Identifier: MIT */
/*
 * edges.h: every structure and string that a system call reads or writes, placed so that only its last
 * byte, or only its first, is where nothing is mapped: EFAULT, and nothing is left behind of what the call
 * had made by then (descriptors, segments, timers, processes) but what Linux leaves. Placed whole at the
 * end of the page, the same call works: so nothing else is wrong with it, and no byte more is looked at.
 */
#ifndef USER_TESTS_EDGES_H
#define USER_TESTS_EDGES_H

#include "failing.h"
#include "files.h"
#include "vm.h"

struct edge {
	const char *name;
	long nr;
	long args[6];
	int arg;	  /* the one that is a pointer */
	size_t size;	  /* of what it points to; 0: a string, `data` */
	const void *data; /* what is there; NULL: zeros */
	void (*setup)(void);
	void (*undo)(long ret); /* after success */
	int flags;
	long want; /* success, if it is not a plain one */
	long (*call)(
		char *at); /* instead of `nr` and `args`: makes the call, with a pointer there */
};

#define EDGE_KEEPS 1 /* what the call has done stays done, in Linux, too */
#define EDGE_WORKS 2 /* Linux doesn't say that it couldn't write there */
#define EDGE_NEVER 4 /* not tried whole: it would wait for ever */
#define EDGE_UNDO  8 /* `undo` is called after a failure, too */

#define S(s) ((long)(s))

static char *page; /* between two that can't be reached */
static bool can_leak_check;

#define OUT(what, call, number, size, ...)                            \
	{                                                             \
		what, SYS_##call, { __VA_ARGS__ }, number, size, NULL \
	}
#define IN(what, call, number, data, ...)                                        \
	{                                                                        \
		what, SYS_##call, { __VA_ARGS__ }, number, sizeof(data), &(data) \
	}

/* --- one row -------------------------------------------------------------------------------------- */

TAP_FN size_t size_of(const struct edge *e)
{
	return e->size ? e->size : strlen(e->data) + 1;
}

TAP_FN long call_at(const struct edge *e, char *at)
{
	long args[6];
	char all[512] = "";
	size_t size = size_of(e);

	if (e->setup)
		e->setup();
	if (e->data)
		memcpy(all, e->data, size);
	/* Only what is mapped can be filled. */
	for (size_t i = 0; i < size; i++)
		if (at + i >= page && at + i < page + PAGE)
			at[i] = all[i];
	if (e->call)
		return e->call(at);
	memcpy(args, e->args, sizeof(args));
	args[e->arg] = (long)at;
	return result(syscall(e->nr, args[0], args[1], args[2], args[3], args[4], args[5]));
}

TAP_FN void try_edge(const struct edge *e, bool last)
{
	char *at = last ? page + PAGE - size_of(e) + 1 : page - 1;
	const char *where = last ? "last" : "first";
	long ret;

	if (e->setup)
		e->setup();
	take_state(state_then);
	ret = call_at(e, at);
	if (e->flags & EDGE_WORKS) {
		if (e->undo && !is_failure(ret))
			e->undo(ret);
		ok(!is_failure(ret), "%s, %s byte: not noticed", e->name, where);
		return;
	}
	is(ret, -EFAULT, "%s, %s byte", e->name, where);
	if (!(e->flags & EDGE_KEEPS) && strcmp(state_then, take_state(state_now))) {
		ok(false, "%s, %s byte: nothing changed", e->name, where);
		show_difference(state_then, state_now);
	}
	if (e->flags & EDGE_UNDO)
		e->undo(ret);
}

TAP_FN void try_row_edges(const struct edge *e)
{
	long ret;

	if (!(e->flags & EDGE_NEVER)) {
		ret = call_at(e, page + PAGE - size_of(e));
		if (e->undo && !is_failure(ret))
			e->undo(ret);
		if (e->want)
			is(ret, e->want, "%s: whole", e->name);
		else
			ok(!is_failure(ret), "%s: whole: %ld", e->name, ret);
	}
	if (e->setup)
		e->setup();
	if (can_leak_check)
		take_usage(usage_then);
	try_edge(e, true);
	try_edge(e, false);
	if (e->setup)
		e->setup();
	if (can_leak_check && !all_is_back(usage_then, usage_now)) {
		ok(false, "%s: nothing is left", e->name);
		show_difference(usage_then, usage_now);
	}
}

/* With everything that the rows use in place. */
TAP_FN void edges_start(void)
{
	leak_fd = open("/proc/leakcheck", O_RDONLY);
	can_leak_check = leak_fd >= 0;
	page = fresh(3, PROT_NONE) + PAGE;
	fix(page, 1, RW);
}

TAP_FN void try_edges(const struct edge *rows, size_t nr)
{
	touch_stack();
	take_state(state_then), take_state(state_now);
	if (can_leak_check)
		take_usage(usage_then), take_usage(usage_now);
	for (size_t i = 0; i < nr; i++)
		try_row_edges(&rows[i]);
}

#endif
