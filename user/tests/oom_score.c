/* SPDX-License-Identifier: MIT */
/* runs as root */
/* /proc/pid/oom_score_adj, oom_adj and oom_score: what they say, take and refuse, and who inherits them. */
#include "procs.h"

static bool root;

static const char *own(const char *name)
{
	static char text[64], path[64];

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	read_small(path, text, sizeof(text));
	return text;
}

static long put(const char *name, const char *text)
{
	char path[64];
	long fd, n;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	fd = raw(SYS_open, path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fd;
	n = raw(SYS_write, fd, text, strlen(text));
	raw(SYS_close, fd);
	return n;
}

static void takes(const char *name, const char *text, const char *want)
{
	is(put(name, text), (long)strlen(text), "%s takes \"%s\"", name, text);
	is_str(own(name), want, "... and says so");
}

static void refuses(const char *name, const char *text, long err)
{
	char before[64];

	strcpy(before, own(name));
	is(put(name, text), -err, "%s refuses \"%s\"", name, text);
	is_str(own(name), before, "... and stays");
}

static int child_has(void *arg)
{
	return strcmp(own("oom_score_adj"), arg) == 0 ? 0 : 1;
}

static int child_new(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return strcmp(own("oom_score_adj"), "500\n") == 0 ? 10 : 11;
}

static void numbers(void)
{
	is_str(own("oom_score_adj"), "0\n", "0 at first");
	is_str(own("oom_adj"), "0\n", "... on the old scale too");
	takes("oom_score_adj", "100", "100\n");
	takes("oom_score_adj", " 0x70\n", "112\n");
	takes("oom_score_adj", "+200", "200\n");
	is(put("oom_score_adj", "201                 "), 12, "of a long text 12 bytes are taken");
	is_str(own("oom_score_adj"), "201\n", "... and mean a number");
	refuses("oom_score_adj", "1001", EINVAL);
	refuses("oom_score_adj", "-1001", EINVAL);
	refuses("oom_score_adj", "", EINVAL);
	refuses("oom_score_adj", "x", EINVAL);
	refuses("oom_score_adj", "5x", EINVAL);
	refuses("oom_score_adj", "5 5", EINVAL);
	refuses("oom_score_adj", "99999999999", ERANGE);
	refuses("oom_score_adj", "-2147483649", ERANGE);
	takes("oom_score_adj", "500", "500\n");
	is(status_of(fork_child(child_has, (void *)"500\n")), 0, "a child has the same");
	is(WEXITSTATUS(run_mode("new", NULL, NULL)), 10, "a new program too");
	is_str(own("oom_adj"), "8\n", "the old scale has 15 steps");
	takes("oom_score_adj", "1000", "1000\n");
	is_str(own("oom_adj"), "15\n", "the most there");
	refuses("oom_adj", "16", EINVAL);
	refuses("oom_adj", "-18", EINVAL);
}

static int lowering(void *arg)
{
	(void)arg;
	takes("oom_score_adj", "300", "300\n");
	takes("oom_score_adj", "0", "0\n");
	if (!root) {
		refuses("oom_score_adj", "-1", EACCES);
		refuses("oom_score_adj", "-1000", EACCES);
		refuses("oom_adj", "-1", EACCES);
		/* Rounded on the way there and back. */
		takes("oom_adj", "5", "4\n");
		is_str(own("oom_score_adj"), "294\n", "... on the new scale");
		refuses("oom_adj", "4", EACCES);
		return 0;
	}
	takes("oom_score_adj", "-1000", "-1000\n");
	is_str(own("oom_score"), "0\n", "never chosen");
	is_str(own("oom_adj"), "-17\n", "the least there");
	takes("oom_score_adj", "-1", "-1\n");
	takes("oom_adj", "-17", "-17\n");
	is_str(own("oom_score_adj"), "-1000\n", "... on the new scale");
	takes("oom_score_adj", "400", "400\n");
	return 0;
}

/* root's word is the least that may be: from there on it may be lowered by all. */
static int floor_(void *arg)
{
	(void)arg;
	NEED_IS(put("oom_score_adj", "-200"), 4);
	NEED_IS(raw(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
	prctl(PR_SET_DUMPABLE, 1);
	NEED_IS(put("oom_score_adj", "100"), 3);
	NEED_IS(put("oom_score_adj", "-200"), 4);
	NEED_IS(put("oom_score_adj", "-201"), -EACCES);
	return 0;
}

/* --- who shares the memory ------------------------------------------------------------------------- */

static char sharer_stack[16384] __attribute__((aligned(16)));
static char sharer_score[64];

static int sharer(void *value)
{
	put("oom_score_adj", value);
	strcpy(sharer_score, own("oom_score"));
	return 0;
}

static void sharers(void)
{
	int flags = CLONE_VM | SIGCHLD;
	char *top = sharer_stack + sizeof(sharer_stack);

	is(status_of(clone(sharer, top, flags, (void *)"600")), 0,
	   "a child on our memory sets 600");
	is_str(own("oom_score_adj"), "600\n", "... for us as well");
	ok(strtol(sharer_score, NULL, 10) > 900, "... and its score is high");
	/* What it sets is for the program that it will execute. */
	is(status_of(clone(sharer, top, flags | CLONE_VFORK, (void *)"700")), 0,
	   "one of vfork sets 700");
	is_str(own("oom_score_adj"), "600\n", "... for itself");
	is_str(sharer_score, "0\n", "... and is never chosen as long as the memory is ours");
}

static void scores(void)
{
	long low, high;

	put("oom_score_adj", "1000");
	high = strtol(own("oom_score"), NULL, 10);
	put("oom_score_adj", "0");
	low = strtol(own("oom_score"), NULL, 10);
	ok(low >= 666 && low < 800, "a small process has a low score (%ld)", low);
	/* The value counts in whole thousandths of the machine's pages: up to 999 pages are rounded away. */
	ok(high >= 1260 && high < 1500, "with the highest value it has a high one (%ld)", high);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "new", child_new }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	root = raw(SYS_geteuid) == 0;
	numbers();
	lowering(NULL);
	if (root)
		child_ok(floor_, "what root set is the floor");
	sharers();
	scores();
	put("oom_score_adj", "0");
	return done_testing();
}
