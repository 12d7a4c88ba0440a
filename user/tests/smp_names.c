/* SPDX-License-Identifier: MIT */
/* Names that threads on different processors make, move and follow; and a directory that they share. */
#include "smp_dir.h"

/* --- names ------------------------------------------------------------------------------------------ */

static int replace_target(struct member *m)
{
	char fresh[128], target[128];

	in_dir(fresh, "fresh");
	in_dir(target, "target");
	for (int i = 0; i < 150 * (int)times; i++) {
		fill_file("fresh", 'a' + i % 26);
		if (raw(SYS_rename, fresh, target))
			complain("rename");
		breathe(i);
	}
	stop_now = 1;
	return 0;
}

static int read_target(struct member *m)
{
	char block[PAGE];

	while (!stop_now) {
		int fd = open_in_dir("target", O_RDONLY);
		long n = fd < 0 ? fd : raw(SYS_read, fd, block, sizeof(block));

		if (n != sizeof(block) || block[0] != block[PAGE - 1])
			complain("the name isn't always there, or not all of the file: %ld", n);
		raw(SYS_close, fd);
		breathe(m->count++);
	}
	return 0;
}

static volatile int made, arrived[3];

/* Waits until all three are so far in round i. */
static void meet(int place, int i)
{
	__atomic_add_fetch(&arrived[place], 1, __ATOMIC_SEQ_CST);
	while (arrived[place] < 3 * (i + 1))
		raw(SYS_sched_yield);
}

static void count_made(int n)
{
	__atomic_add_fetch(&made, n, __ATOMIC_SEQ_CST);
}

/* In each round one of them makes the directory, one the file in it, and one takes each away again. */
static int be_first(struct member *m)
{
	char path[128], inner[160];

	for (int i = 0; i < 60 * (int)times; i++) {
		long ret;

		snprintf(path, sizeof(path), "%s/round%d", dir, i);
		snprintf(inner, sizeof(inner), "%s/file", path);
		ret = raw(SYS_mkdir, path, 0755);
		if (ret == 0)
			count_made(1);
		else if (ret != -EEXIST)
			complain("mkdir: %ld", ret);
		ret = raw(SYS_open, inner, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (ret >= 0) {
			count_made(1000);
			raw(SYS_close, ret);
		} else if (ret != -EEXIST) {
			complain("open: %ld", ret);
		}
		meet(0, i);
		if (made != 1001)
			complain("round %d: %d made", i, made);
		meet(1, i);
		if (raw(SYS_unlink, inner) == 0)
			count_made(-1000);
		if (raw(SYS_rmdir, path) == 0)
			count_made(-1);
		meet(2, i);
	}
	return 0;
}

static void names(void)
{
	int size = 0;

	fill_file("target", 'z');
	team_add(&size, 1, replace_target);
	team_add(&size, 2, read_target);
	team_begin(size);
	team_join(0, size);
	stop_now = 0;
	nobody_complained("a name that is renamed over always leads to a whole file");
	size = 0;
	team_add(&size, 3, be_first);
	team_begin(size);
	team_join(0, size);
	nobody_complained("of three that make or remove a name, one does");
}

/* --- where one is ------------------------------------------------------------------------------------ */

static int move_about(struct member *m)
{
	char one[128], two[128];

	in_dir(one, "one");
	in_dir(two, "two");
	for (int i = 0; i < 400 * (int)times; i++) {
		if (raw(SYS_chdir, i & 1 ? one : two))
			complain("chdir");
		breathe(i);
	}
	stop_now = 1;
	return 0;
}

static int look_about(struct member *m)
{
	char cwd[128];

	while (!stop_now) {
		int fd;

		if (raw(SYS_getcwd, cwd, sizeof(cwd)) < 0 ||
		    (strcmp(strrchr(cwd, '/'), "/one") && strcmp(strrchr(cwd, '/'), "/two")))
			complain("getcwd: %s", cwd);
		fd = raw(SYS_open, "here", O_RDONLY);
		if (fd < 0)
			complain("a file that is in both: %d", fd);
		raw(SYS_close, fd);
		breathe(m->count++);
	}
	return 0;
}

static void places(void)
{
	char path[128];
	int size = 0;

	raw(SYS_mkdir, in_dir(path, "one"), 0755);
	raw(SYS_mkdir, in_dir(path, "two"), 0755);
	fill_file("one/here", 1);
	fill_file("two/here", 2);
	raw(SYS_chdir, path);
	team_add(&size, 1, move_about);
	team_add(&size, 2, look_about);
	team_begin(size);
	team_join(0, size);
	stop_now = 0;
	raw(SYS_chdir, "/");
	nobody_complained("a working directory that others change is one or the other");
}

int main(int argc, char **argv)
{
	static const char *const files[] = { "target", "one/here", "two/here", NULL };
	char path[128];

	smp_start(argc, argv, NULL);
	dir_make("smp_names");
	names();
	places();
	for (int i = 0; files[i]; i++)
		raw(SYS_unlink, in_dir(path, files[i]));
	raw(SYS_rmdir, in_dir(path, "one"));
	raw(SYS_rmdir, in_dir(path, "two"));
	dir_remove((const char *const[]){ NULL });
	return done_testing();
}
