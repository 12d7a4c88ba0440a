/* SPDX-License-Identifier: MIT */
/* runs as root */
/* As many supplementary groups as there may be: who may set them, who has them, what they open. */
#include "procs.h"
#include <sys/stat.h>

#define MOST  65536
#define FIRST 100000 /* gids are FIRST, FIRST + 2, FIRST + 4... */

static unsigned int given[MOST + 1], got[MOST + 1];
static volatile int *words;
static bool root;
static char file[64];

#define set_groups(nr, list) raw(SYS_setgroups, nr, list)
#define get_groups(nr, list) raw(SYS_getgroups, nr, list)

/* In no order: an odd number of steps goes through all of a power of two. */
static void fill(void)
{
	for (unsigned int i = 0; i <= MOST; i++)
		given[i] = FIRST + 2 * (i * 40503U % MOST);
}

static bool in_order(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (got[i] != FIRST + 2 * i)
			return false;
	return true;
}

/* --- refusals ------------------------------------------------------------------------------------- */

static void not_allowed(void)
{
	is(set_groups(0, NULL), -EPERM, "without the capability: EPERM");
	is(set_groups(MOST + 1, given), -EPERM, "... before the number is looked at");
	is(set_groups(3, 8), -EPERM, "... or the list");
	is(get_groups(-1, got), -EINVAL, "getgroups of -1: EINVAL");
	is(get_groups(0, 8), get_groups(0, NULL), "of 0 doesn't need a place");
}

static void refusals(void)
{
	char *area = fresh(2, RW);
	unsigned int *edge = (unsigned int *)(area + PAGE) - 4;

	raw_munmap((unsigned long)area + PAGE, PAGE);
	for (int i = 0; i < 4; i++)
		edge[i] = 7 + i;
	is(set_groups(4, edge), 0, "four groups at the end of memory");
	is(set_groups(5, edge), -EFAULT, "five: EFAULT");
	is(get_groups(0, NULL), 4, "the four stay");
	edge[3] = -1;
	is(set_groups(5, edge), -EINVAL, "a group -1 before that: EINVAL");
	is(get_groups(0, NULL), 4, "the four stay");
	is(set_groups(MOST + 1, given), -EINVAL, "65537: EINVAL");
	is(set_groups(-1, given), -EINVAL, "-1: EINVAL");
	is(set_groups(MOST + 1, 8), -EINVAL, "whatever the list is");
	is(set_groups(MOST, 8), -EFAULT, "65536 from nowhere: EFAULT");
	is(get_groups(4, edge + 1), -EFAULT, "getgroups to three at the end: EFAULT");
	is(get_groups(3, got), -EINVAL, "with room for three: EINVAL");
	is(get_groups(5, got), 4, "for five: four");
	is(set_groups(0, 8), 0, "none, from anywhere");
	is(get_groups(4, 8), 0, "go anywhere");
	raw_munmap((unsigned long)area, PAGE);
}

/* --- the list ------------------------------------------------------------------------------------- */

static void lists(void)
{
	static const unsigned int sizes[] = { 1, 2, 3, 31, 32, 33, 1000, 1022, 1023, 4096 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		unsigned int nr = sizes[i];

		for (unsigned int k = 0; k < nr; k++)
			given[k] = FIRST + 2 * (nr - 1 - k);
		set_groups(nr, given);
		memset(got, 0, sizeof(got));
		ok(get_groups(nr, got) == nr && in_order(nr), "%u groups come back in order", nr);
	}
	fill();
	is(set_groups(MOST, given), 0, "65536 groups");
	is(get_groups(0, NULL), MOST, "are there");
	is(get_groups(MOST - 1, got), -EINVAL, "room for one less: EINVAL");
	is(get_groups(MOST + 1, got), MOST, "for one more");
	ok(in_order(MOST), "in order");
	given[0] = given[1] = given[2] = 5;
	is(set_groups(3, given), 0, "the same three times");
	is(get_groups(3, got), 3, "stays so");
	fill();
	set_groups(MOST, given);
}

/* The line of /proc/self/status: all of them, in order, with a space behind. */
static void shown(void)
{
	static char text[8192];
	long fd = raw(SYS_open, "/proc/self/status", O_RDONLY), n;
	unsigned int words_seen = 0, wrong = 0, number = 0;
	int state =
		0; /* characters of "\nGroups:\t" that have come; then 9: in the list; 10: behind it */

	while ((n = raw(SYS_read, fd, text, sizeof(text))) > 0)
		for (long i = 0; i < n && state < 10; i++) {
			if (state < 9) {
				state = text[i] == "\nGroups:\t"[state] ? state + 1 :
									  text[i] == '\n';
			} else if (text[i] == ' ') {
				wrong += number != FIRST + 2 * words_seen++;
				number = 0;
			} else if (text[i] == '\n') {
				state = 10;
			} else {
				number = number * 10 + text[i] - '0';
			}
		}
	raw(SYS_close, fd);
	ok(state == 10 && words_seen == MOST && wrong == 0, "all are in the process's status");
}

/* --- what they are good for ----------------------------------------------------------------------- */

static long open_as_member(unsigned int gid, int mode)
{
	long fd;

	chown(file, 0, gid);
	chmod(file, mode);
	raw(SYS_setfsuid, 1000);
	fd = raw(SYS_open, file, O_RDONLY);
	raw(SYS_setfsuid, 0);
	if (fd >= 0)
		raw(SYS_close, fd);
	return fd < 0 ? fd : 0;
}

static void rights(void)
{
	unsigned int wrong = 0;

	is(open_as_member(FIRST, 0040), 0, "a file of the lowest group");
	is(open_as_member(FIRST + 2 * (MOST - 1), 0040), 0, "of the highest");
	is(open_as_member(FIRST + 2, 0404), -EACCES, "what others may doesn't matter: EACCES");
	is(open_as_member(FIRST - 1, 0040), -EACCES, "of the one before the lowest: EACCES");
	is(open_as_member(FIRST + 2 * MOST, 0040), -EACCES, "of the one behind the highest");
	is(open_as_member(FIRST - 1, 0004), 0, "others may");
	for (unsigned int i = 1; i < MOST; i += 1021) {
		wrong += open_as_member(FIRST + 2 * i, 0040) != 0;
		wrong += open_as_member(FIRST + 2 * i + 1, 0040) != -EACCES;
	}
	is(wrong, 0, "those between: what is in the list, and nothing else");
}

/* --- who has them --------------------------------------------------------------------------------- */

static int sets_own(void *arg)
{
	NEED_IS(get_groups(0, NULL), MOST);
	NEED_IS(set_groups(2, given), 0);
	NEED_IS(get_groups(0, NULL), 2);
	words[0] = 1;
	return await(&words[1], 1) ? (int)(long)arg : 1;
}

static int thread_sets(void *arg)
{
	words[2] = get_groups(0, NULL);
	set_groups(1, given);
	words[3] = get_groups(0, NULL);
	return (int)(long)arg;
}

static int mode_count(int argc, char **argv)
{
	return get_groups(0, NULL) == MOST ? 7 : 1;
}

static int sets_and_ends(void *arg)
{
	for (long i = 0; i < 3; i++)
		if (set_groups(MOST - i, given) || get_groups(0, NULL) != MOST - i)
			return 1;
	return (int)(long)arg;
}

static void owners(void)
{
	struct thread thread;
	unsigned int wrong = 0;
	pid_t pid;

	words[0] = words[1] = 0;
	pid = fork_child(sets_own, NULL);
	ok(await(&words[0], 1), "a child has them, and sets others");
	is(get_groups(MOST, got), MOST, "the parent's are still");
	ok(in_order(MOST), "what they were");
	words[1] = 1;
	is(status_of(pid), 0, "the child ends");
	thread_start(&thread, thread_sets, NULL);
	thread_join(&thread);
	is(words[2], MOST, "a thread has them, too");
	is(words[3], 1, "and sets others");
	is(get_groups(0, NULL), MOST, "which are its own");
	is(run_mode("count", NULL, NULL), 7 << 8, "a new program has them");
	for (int i = 0; i < 10; i++)
		wrong += status_of(fork_child(sets_and_ends, NULL)) != 0;
	is(wrong, 0, "ten children set theirs several times");
}

static int loses_right(void *arg)
{
	raw(SYS_setresuid, 1000, 1000, 1000);
	NEED_IS(set_groups(0, NULL), -EPERM);
	NEED_IS(get_groups(MOST, got), MOST);
	return in_order(MOST) ? (int)(long)arg : 1;
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "count", mode_count }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	words = shared_words();
	fill();
	root = raw(SYS_geteuid) == 0;
	if (!root) {
		not_allowed();
		return done_testing();
	}
	snprintf(file, sizeof(file), "/tmp/groups_many.%d", (int)my_pid());
	close(open(file, O_CREAT | O_WRONLY, 0644));
	refusals();
	lists();
	shown();
	rights();
	owners();
	child_ok(loses_right, "who ceases to be root keeps them and can't set them any more");
	is(set_groups(0, NULL), 0, "none any more");
	is(open_as_member(FIRST, 0040), -EACCES, "nothing is opened by them any more");
	unlink(file);
	return done_testing();
}
