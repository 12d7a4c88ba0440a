/* SPDX-License-Identifier: MIT */
/* Robust futexes: what a thread held when it ended is marked, and one that waits for it is woken. */
#include "futexes.h"

#define OWNER_DIED 0x40000000
#define WAITERS	   0x80000000

struct lock {
	struct lock *next;
	volatile int word;
};

struct head {
	struct lock *first;
	long offset;
	struct lock *pending;
};

static volatile int *words;
static struct lock *locks; /* shared with children */
static struct head *heads;

static long set_list(struct head *head)
{
	return raw(SYS_set_robust_list, head, sizeof(*head));
}

/* --- the two calls ---------------------------------------------------------------------------- */

static int live(void *arg)
{
	set_list(&heads[1]);
	words[0] = 1;
	return await(arg, 1) ? 0 : 1;
}

static void calls(void)
{
	static struct head head = { NULL, 8, NULL };
	struct thread thread;
	unsigned long got = 1, len = 1;
	pid_t pid;

	is(raw(SYS_get_robust_list, 0, &got, &len), 0, "get_robust_list");
	is(got, 0, "nothing at first");
	is(len, 24, "its length");
	is(raw(SYS_set_robust_list, &head, 23), -EINVAL, "23 bytes: EINVAL");
	is(raw(SYS_set_robust_list, &head, 25), -EINVAL, "25 bytes: EINVAL");
	is(raw(SYS_set_robust_list, 0, 0), -EINVAL, "no bytes: EINVAL");
	is(set_list(&head), 0, "24 bytes");
	is(raw(SYS_get_robust_list, 0, &got, &len), 0, "get_robust_list");
	is(got, (long)&head, "that list");
	is(raw(SYS_get_robust_list, getpid(), &got, &len), 0, "by number");
	is(raw(SYS_get_robust_list, 0x3fffffff, &got, &len), -ESRCH, "nobody: ESRCH");
	is(raw(SYS_get_robust_list, 0, 8, &len), -EFAULT, "to nowhere: EFAULT");
	is(raw(SYS_get_robust_list, 0, &got, 8), -EFAULT, "the length to nowhere: EFAULT");
	is(set_list((void *)8), 0, "any address can be set");
	is(set_list(NULL), 0, "none too");
	words[0] = words[1] = 0;
	thread_start(&thread, live, (void *)&words[1]);
	await(&words[0], 1);
	is(raw(SYS_get_robust_list, thread.tid, &got, &len), 0, "another thread's");
	is(got, (long)&heads[1], "is its own");
	is(raw(SYS_get_robust_list, 0, &got, &len), 0, "this one's");
	is(got, 0, "isn't changed");
	words[1] = 1;
	thread_join(&thread);
	words[0] = words[2] = 0;
	pid = fork_child(live, (void *)&words[2]);
	await(&words[0], 1);
	is(raw(SYS_get_robust_list, pid, &got, &len), 0, "a child's");
	is(got, (long)&heads[1], "is its own");
	words[2] = 1;
	is(status_of(pid), 0, "it ends");
}

/* --- what an end does ------------------------------------------------------------------------- */

/* Builds a list of count locks; the last one leads back to the head. */
static void link_locks(struct head *head, int count)
{
	head->offset = offsetof(struct lock, word);
	head->pending = NULL;
	head->first = &locks[0];
	for (int i = 0; i < count; i++)
		locks[i].next = i + 1 < count ? &locks[i + 1] : (struct lock *)head;
}

enum { BY_EXIT, BY_GROUP, BY_SIGNAL, BY_EXEC };

static int exec_mode(int argc, char **argv)
{
	return 42;
}

/* Holds the first and third of four locks, the third with someone waiting. */
static int hold_and_end(void *arg)
{
	char *argv[] = { (char *)tap.path, "exec", NULL }, *none[] = { NULL };
	int me = my_tid();

	link_locks(&heads[0], 4);
	locks[0].word = me;
	locks[1].word = me + 1;
	locks[2].word = me | WAITERS;
	locks[3].word = 0;
	locks[4].word = me;
	set_list(&heads[0]);
	words[3] = me;
	words[4] = 1;
	await(&words[5], 1);
	switch ((int)(long)arg) {
	case BY_EXIT:
		raw(SYS_exit, 42);
		break;
	case BY_GROUP:
		raw(SYS_exit_group, 42);
		break;
	case BY_SIGNAL:
		raw(SYS_kill, my_pid(), SIGKILL);
		break;
	default:
		raw(SYS_execve, "/proc/self/exe", argv, none);
	}
	return 1;
}

static void check_locks(const char *how)
{
	int owner = words[3];

	is(locks[0].word, OWNER_DIED, "%s: a lock it held says that its owner died", how);
	is(locks[1].word, owner + 1, "%s: one that another holds doesn't", how);
	is((unsigned)locks[2].word, WAITERS | OWNER_DIED, "%s: who waits stays noted", how);
	is(locks[3].word, 0, "%s: one that nobody holds stays free", how);
	is(locks[4].word, owner, "%s: one that isn't in the list stays as it was", how);
}

static void ends(void)
{
	static const char *const names[] = { "exit", "exit_group", "SIGKILL", "exec" };
	struct waiter w[2];

	for (long how = BY_EXIT; how <= BY_EXEC; how++) {
		pid_t pid;

		words[4] = words[5] = 0;
		pid = fork_child(hold_and_end, (void *)how);
		await(&words[4], 1);
		wait_on(&w[0], &locks[2].word, F_ANY, 0);
		wait_on(&w[1], &locks[2].word, F_ANY, 0);
		words[5] = 1;
		is(status_of(pid), how == BY_SIGNAL ? SIGKILL : 42 << 8, "a child ends by %s",
		   names[how]);
		check_locks(names[how]);
		is(woken(w, 2, 1), 10, "%s: one that waits is woken, the first", names[how]);
		is(w[0].result, 0, "%s: as by a wake", names[how]);
		join_all(w, 2, &locks[2].word, NULL);
	}
}

static int hold_in_thread(void *arg)
{
	(void)arg;
	return hold_and_end((void *)(long)BY_EXIT);
}

static void thread_ends(void)
{
	struct waiter w;
	struct thread thread;

	words[4] = words[5] = 0;
	thread_start(&thread, hold_in_thread, NULL);
	await(&words[4], 1);
	wait_on(&w, &locks[2].word, F_ANY, 0);
	words[5] = 1;
	thread_join(&thread);
	check_locks("a thread's exit");
	is(woken(&w, 1, 1), 1, "who waits is woken");
	join_all(&w, 1, &locks[2].word, NULL);
}

/* --- pending, and damaged lists --------------------------------------------------------------- */

static int end_with_pending(void *arg)
{
	int me = my_tid();

	link_locks(&heads[0], 1);
	locks[0].word = me;
	locks[1].word = arg ? 0 : (int)(me | WAITERS);
	locks[1].next = NULL;
	heads[0].pending = &locks[1];
	set_list(&heads[0]);
	words[4] = 1;
	await(&words[5], 1);
	return 0;
}

static void pending(void)
{
	struct waiter w;
	pid_t pid;

	words[4] = words[5] = 0;
	pid = fork_child(end_with_pending, NULL);
	await(&words[4], 1);
	wait_on(&w, &locks[1].word, F_ANY, 0);
	words[5] = 1;
	is(status_of(pid), 0, "a child ends while it takes a lock");
	is((unsigned)locks[1].word, WAITERS | OWNER_DIED, "which is marked");
	is(locks[0].word, OWNER_DIED, "as are those in the list");
	is(woken(&w, 1, 1), 1, "who waits is woken");
	join_all(&w, 1, &locks[1].word, NULL);
	words[4] = words[5] = 0;
	pid = fork_child(end_with_pending, (void *)1L);
	await(&words[4], 1);
	wait_on(&w, &locks[1].word, F_ANY, 0);
	words[5] = 1;
	is(status_of(pid), 0, "one ends while it lets go of a lock");
	is(locks[1].word, 0, "which stays free");
	is(woken(&w, 1, 1), 1, "who waits is woken, for it may not have been");
	join_all(&w, 1, &locks[1].word, NULL);
}

static int end_damaged(void *arg)
{
	int me = my_tid();

	link_locks(&heads[0], 3);
	for (int i = 0; i < 3; i++)
		locks[i].word = me;
	switch ((int)(long)arg) {
	case 0: /* in a circle without the head */
		locks[2].next = &locks[0];
		break;
	case 1: /* to nowhere */
		locks[1].next = (struct lock *)0x1000;
		break;
	case 2: /* to the kernel */
		locks[1].next = (struct lock *)0xffff888000000000UL;
		break;
	case 3: /* a word that isn't aligned */
		heads[0].offset += 2;
		break;
	case 4: /* no head */
		set_list((void *)0x1000);
		return 0;
	case 5: /* the kernel's head */
		set_list((void *)0xffff888000000000UL);
		return 0;
	case 6: /* nothing in the list */
		heads[0].first = (struct lock *)&heads[0];
	}
	set_list(&heads[0]);
	return 0;
}

static void damaged(void)
{
	for (long how = 0; how < 7; how++)
		is(status_of(fork_child(end_damaged, (void *)how)), 0, "damaged list %ld: it ends",
		   how);
	is(status_of(fork_child(end_damaged, (void *)1L)), 0, "one that leads to nowhere");
	is(locks[0].word, OWNER_DIED, "the locks before that");
	is(locks[1].word, OWNER_DIED, "are marked");
	is(status_of(fork_child(end_damaged, (void *)0L)), 0, "one in a circle");
	is(locks[2].word, OWNER_DIED, "all are marked");
}

/* More than 2048 are not looked at. */
static int end_with_many(void *arg)
{
	int me = my_tid();

	link_locks(&heads[0], 2100);
	for (int i = 0; i < 2100; i++)
		locks[i].word = me;
	set_list(&heads[0]);
	return arg ? 1 : 0;
}

static void many(void)
{
	int marked = 0;

	is(status_of(fork_child(end_with_many, NULL)), 0, "a child holds 2100 locks");
	for (int i = 0; i < 2100; i++)
		marked += locks[i].word == OWNER_DIED;
	is(marked, 2048, "2048 of them are marked");
	ok(locks[2047].word == OWNER_DIED && locks[2048].word != OWNER_DIED, "the first ones");
}

static const struct mode modes[] = { { "exec", exec_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	locks = (void *)raw_mmap(0, 10 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	heads = (void *)(locks + 2200);
	calls();
	ends();
	thread_ends();
	pending();
	damaged();
	many();
	return done_testing();
}
