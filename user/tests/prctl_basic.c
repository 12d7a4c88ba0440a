/* SPDX-License-Identifier: MIT */
/* prctl(2): names, the signal at a parent's death, dumpability, subreapers, no new privileges. */
#include "procs.h"

#ifndef PR_SET_TIMERSLACK
#define PR_SET_TIMERSLACK 29
#define PR_GET_TIMERSLACK 30
#endif
#define PR_GET_TID_ADDRESS_ 40

static volatile int *words;

static long prctl_(int option, unsigned long arg2)
{
	return raw(SYS_prctl, option, arg2, 0, 0, 0);
}

/* --- names ------------------------------------------------------------------------------------- */

static const char *name_now(void)
{
	static char name[17];

	memset(name, 'x', sizeof(name));
	name[16] = '\0';
	prctl_(PR_GET_NAME, (long)name);
	return name;
}

static const char *comm_of(const char *path)
{
	static char text[64];
	char *end;

	read_small(path, text, sizeof(text));
	end = strchr(text, '\n');
	if (end)
		*end = '\0';
	return text;
}

static int thread_name(void *arg)
{
	char path[64];

	prctl_(PR_SET_NAME, (long)"of a thread");
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", my_tid());
	words[0] = strcmp(comm_of(path), "of a thread") == 0;
	(void)arg;
	return 0;
}

static int child_name(void *arg)
{
	(void)arg;
	NEED(strcmp(name_now(), "short") == 0);
	prctl_(PR_SET_NAME, (long)"child");
	NEED(strcmp(name_now(), "child") == 0);
	return 0;
}

static void names(void)
{
	struct thread thread;
	char *page = island(1, RW);

	is_str(name_now(), "prctl_basic", "the name is the program's file's");
	is(prctl_(PR_SET_NAME, (long)"a name of more than fifteen"), 0, "PR_SET_NAME");
	is_str(name_now(), "a name of more ", "fifteen bytes are kept");
	is_str(comm_of("/proc/self/comm"), "a name of more ", "/proc/self/comm");
	ok(read_small("/proc/self/stat", maps_text, 512) > 0 &&
		   strstr(maps_text, " (a name of more ) "),
	   "/proc/self/stat");
	ok(read_small("/proc/self/status", maps_text, 4096) > 0 &&
		   strncmp(maps_text, "Name:\ta name of more \n", 22) == 0,
	   "/proc/self/status");
	is(prctl_(PR_SET_NAME, (long)"short"), 0, "a short one");
	is_str(name_now(), "short", "is read back");
	strcpy(page + PAGE - 4, "end");
	is(prctl_(PR_SET_NAME, (long)page + PAGE - 4), 0, "one at the end of a page");
	is_str(name_now(), "end", "is read to its end only");
	memset(page + PAGE - 15, 'z', 15);
	is(prctl_(PR_SET_NAME, (long)page + PAGE - 15), 0, "fifteen bytes at the end of a page");
	is_str(name_now(), "zzzzzzzzzzzzzzz", "need no zero behind");
	is(prctl_(PR_SET_NAME, (long)page + PAGE - 4), -EFAULT, "fewer do: EFAULT");
	is(prctl_(PR_SET_NAME, 8), -EFAULT, "from nowhere: EFAULT");
	is(prctl_(PR_GET_NAME, 8), -EFAULT, "to nowhere: EFAULT");
	is_str(name_now(), "zzzzzzzzzzzzzzz", "the name is what it was");
	prctl_(PR_SET_NAME, (long)"short");
	thread_start(&thread, thread_name, NULL);
	thread_join(&thread);
	is(words[0], 1, "a thread's name is in its own comm");
	is_str(name_now(), "short", "and no other thread's");
	child_ok(child_name, "a child has the name, and changes its own");
	is_str(name_now(), "short", "only");
}

/* --- the parent's death -------------------------------------------------------------------------- */

static int with_death_signal(void *arg)
{
	int sig = -1;

	prctl_(PR_GET_PDEATHSIG, (long)&sig);
	words[1] = sig;
	prctl_(PR_SET_PDEATHSIG, (long)arg);
	words[2] = 1;
	if (!await(&words[3], 1))
		return 1;
	words[4] = 1;
	return 0;
}

static int parent_that_dies(void *arg)
{
	prctl_(PR_SET_PDEATHSIG, SIGUSR2);
	words[5] = fork_child(with_death_signal, arg);
	await(&words[2], 1);
	return 0;
}

static int thread_that_dies(void *arg)
{
	words[5] = fork_child(with_death_signal, arg);
	await(&words[2], 1);
	return 0;
}

static int death_mode(int argc, char **argv)
{
	int sig = -1;

	prctl_(PR_GET_PDEATHSIG, (long)&sig);
	return sig;
}

static int execute(void *arg)
{
	char *argv[] = { (char *)tap.path, "death", NULL }, *none[] = { NULL };

	prctl_(PR_SET_PDEATHSIG, (long)arg);
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

static void deaths(void)
{
	struct thread thread;
	int sig = -1;

	is(prctl_(PR_GET_PDEATHSIG, (long)&sig), 0, "PR_GET_PDEATHSIG");
	is(sig, 0, "none at first");
	is(prctl_(PR_SET_PDEATHSIG, 65), -EINVAL, "signal 65: EINVAL");
	is(prctl_(PR_SET_PDEATHSIG, -1), -EINVAL, "signal -1: EINVAL");
	is(prctl_(PR_GET_PDEATHSIG, 8), -EFAULT, "to nowhere: EFAULT");
	is(prctl_(PR_SET_PDEATHSIG, SIGTERM), 0, "PR_SET_PDEATHSIG");
	prctl_(PR_GET_PDEATHSIG, (long)&sig);
	is(sig, SIGTERM, "is read back");
	is(prctl_(PR_SET_PDEATHSIG, 0), 0, "0 is none");

	words[2] = words[3] = words[4] = 0;
	is(status_of(fork_child(parent_that_dies, (void *)(long)SIGTERM)), 0, "a parent ends");
	is(words[1], 0, "whose own signal wasn't its child's");
	ok(UNTIL(state_of(words[5]) == 0), "the child gets its signal");
	is(words[4], 0, "and dies of it");
	words[2] = words[3] = words[4] = 0;
	is(status_of(fork_child(parent_that_dies, NULL)), 0, "a parent ends");
	words[3] = 1;
	ok(await(&words[4], 1), "a child without such a signal lives on");
	words[2] = words[3] = words[4] = 0;
	thread_start(&thread, thread_that_dies, (void *)(long)SIGTERM);
	thread_join(&thread);
	is(status_of(words[5]), SIGTERM, "the parent is the thread that forked");
	is(status_of(fork_child(execute, (void *)9L)), 9 << 8, "exec keeps it");
}

/* --- subreapers ------------------------------------------------------------------------------------ */

static int orphan(void *arg)
{
	pid_t parent = (int)(long)arg;

	words[6] = 1;
	if (!UNTIL(raw(SYS_getppid) != parent))
		return 1;
	words[7] = raw(SYS_getppid);
	return 44;
}

static int leave_orphan(void *arg)
{
	int reaper = -1;

	(void)arg;
	prctl_(PR_GET_CHILD_SUBREAPER, (long)&reaper);
	words[8] = fork_child(orphan, (void *)(long)my_pid());
	await(&words[6], 1);
	return reaper;
}

static void subreapers(void)
{
	int reaper = -1;

	is(prctl_(PR_GET_CHILD_SUBREAPER, (long)&reaper), 0, "PR_GET_CHILD_SUBREAPER");
	is(reaper, 0, "it isn't one");
	is(prctl_(PR_SET_CHILD_SUBREAPER, 7), 0, "PR_SET_CHILD_SUBREAPER");
	prctl_(PR_GET_CHILD_SUBREAPER, (long)&reaper);
	is(reaper, 1, "it is one");
	words[6] = words[7] = 0;
	is(status_of(fork_child(leave_orphan, NULL)), 0, "its child isn't");
	is(status_of(words[8]), 44 << 8, "the child's orphan is this process's to wait for");
	is(words[7], getpid(), "as its getppid says");
	is(prctl_(PR_SET_CHILD_SUBREAPER, 0), 0, "no longer");
	is(prctl_(PR_GET_CHILD_SUBREAPER, 8), -EFAULT, "to nowhere: EFAULT");
}

/* --- others ------------------------------------------------------------------------------------------ */

static int privileges_mode(int argc, char **argv)
{
	NEED_IS(prctl_(PR_GET_NO_NEW_PRIVS, 0), 1);
	NEED_IS(status_field(my_pid(), "NoNewPrivs", 10), 1);
	return 42;
}

static int no_privileges(void *arg)
{
	char *argv[] = { (char *)tap.path, "privileges", NULL }, *none[] = { NULL };

	(void)arg;
	NEED_IS(prctl_(PR_GET_NO_NEW_PRIVS, 0), 0);
	NEED_IS(prctl_(PR_SET_NO_NEW_PRIVS, 0), -EINVAL);
	NEED_IS(prctl_(PR_SET_NO_NEW_PRIVS, 2), -EINVAL);
	NEED_IS(raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), -EINVAL);
	NEED_IS(raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1), -EINVAL);
	NEED_IS(prctl_(PR_GET_NO_NEW_PRIVS, 1), -EINVAL);
	NEED_IS(prctl_(PR_SET_NO_NEW_PRIVS, 1), 0);
	NEED_IS(prctl_(PR_GET_NO_NEW_PRIVS, 0), 1);
	NEED_IS(prctl_(PR_SET_NO_NEW_PRIVS, 0), -EINVAL);
	NEED_IS(prctl_(PR_GET_NO_NEW_PRIVS, 0), 1);
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

static int dumpable(void *arg)
{
	(void)arg;
	NEED_IS(prctl_(PR_GET_DUMPABLE, 0), 1);
	NEED_IS(prctl_(PR_SET_DUMPABLE, 2), -EINVAL);
	NEED_IS(prctl_(PR_SET_DUMPABLE, -1), -EINVAL);
	NEED_IS(prctl_(PR_SET_DUMPABLE, 0), 0);
	NEED_IS(prctl_(PR_GET_DUMPABLE, 0), 0);
	NEED_IS(prctl_(PR_SET_DUMPABLE, 1), 0);
	NEED_IS(prctl_(PR_GET_DUMPABLE, 0), 1);
	return 0;
}

/* A child's default is what its parent had. */
static int slack_child(void *arg)
{
	NEED_IS(prctl_(PR_GET_TIMERSLACK, 0), (long)arg);
	NEED_IS(prctl_(PR_SET_TIMERSLACK, 5), 0);
	NEED_IS(prctl_(PR_GET_TIMERSLACK, 0), 5);
	NEED_IS(prctl_(PR_SET_TIMERSLACK, 0), 0);
	NEED_IS(prctl_(PR_GET_TIMERSLACK, 0), (long)arg);
	return 0;
}

static void timer_slack(void)
{
	is(prctl_(PR_GET_TIMERSLACK, 0), 50000, "PR_GET_TIMERSLACK: 50 us at first");
	is(prctl_(PR_SET_TIMERSLACK, 123456), 0, "PR_SET_TIMERSLACK");
	is(prctl_(PR_GET_TIMERSLACK, 0), 123456, "is read back");
	is(status_of(fork_child(slack_child, (void *)123456L)), 0, "a child has it by default");
	is(prctl_(PR_GET_TIMERSLACK, 0), 123456, "and changes its own");
	is(prctl_(PR_SET_TIMERSLACK, 1UL << 63), 0, "any number may be set");
	is(prctl_(PR_GET_TIMERSLACK, 0), (long)(1UL << 63), "and is kept");
	is(prctl_(PR_SET_TIMERSLACK, 0), 0, "0 is the default");
	is(prctl_(PR_GET_TIMERSLACK, 0), 50000, "which is as it was");
}

static void tid_address(void)
{
	unsigned long old = 1, now = 1;
	int word;

	is(prctl_(PR_GET_TID_ADDRESS_, (long)&old), 0, "PR_GET_TID_ADDRESS");
	raw(SYS_set_tid_address, &word);
	is(prctl_(PR_GET_TID_ADDRESS_, (long)&now), 0, "after set_tid_address");
	is(now, (unsigned long)&word, "tells what was set");
	is(prctl_(PR_GET_TID_ADDRESS_, 8), -EFAULT, "to nowhere: EFAULT");
	raw(SYS_set_tid_address, old);
}

static void others(void)
{
	is(status_of(fork_child(no_privileges, NULL)), 42 << 8,
	   "PR_SET_NO_NEW_PRIVS: for good, and beyond exec");
	is(prctl_(PR_GET_NO_NEW_PRIVS, 0), 0, "not for the parent");
	child_ok(dumpable, "PR_SET_DUMPABLE");
	is(prctl_(0, 0), -EINVAL, "option 0: EINVAL");
	is(prctl_(-1, 0), -EINVAL, "option -1: EINVAL");
	is(prctl_(9999, 0), -EINVAL, "option 9999: EINVAL");
	is(prctl_(PR_GET_TIMING, 0), PR_TIMING_STATISTICAL, "PR_GET_TIMING");
	is(prctl_(PR_SET_TIMING, PR_TIMING_STATISTICAL), 0, "PR_SET_TIMING");
	is(prctl_(PR_SET_TIMING, PR_TIMING_TIMESTAMP), -EINVAL, "the other kind: EINVAL");
	is(prctl_(PR_GET_KEEPCAPS, 0), 0, "PR_GET_KEEPCAPS");
	is(prctl_(PR_SET_KEEPCAPS, 2), -EINVAL, "PR_SET_KEEPCAPS, 2: EINVAL");
	is(prctl_(PR_SET_KEEPCAPS, 1), 0, "PR_SET_KEEPCAPS");
	is(prctl_(PR_GET_KEEPCAPS, 0), 1, "is read back");
	is(prctl_(PR_SET_KEEPCAPS, 0), 0, "and taken back");
}

static int child_slack(void *arg)
{
	(void)arg;
	NEED_IS(prctl_(PR_GET_TIMERSLACK, 0), 1234);
	NEED_IS(prctl_(PR_SET_TIMERSLACK, 5), 0);
	NEED_IS(prctl_(PR_GET_TIMERSLACK, 0), 5);
	NEED_IS(prctl_(PR_SET_TIMERSLACK, 0), 0); /* as it was at first */
	NEED_IS(prctl_(PR_GET_TIMERSLACK, 0), 1234);
	return 0;
}

static void slack(void)
{
	is(prctl_(PR_GET_TIMERSLACK, 0), 50000, "PR_GET_TIMERSLACK: 50 us at first");
	is(prctl_(PR_SET_TIMERSLACK, 1234), 0, "PR_SET_TIMERSLACK");
	child_ok(child_slack, "a child has its parent's, and keeps it as its own default");
	is(prctl_(PR_GET_TIMERSLACK, 0), 1234, "the parent's is as before");
	is(prctl_(PR_SET_TIMERSLACK, -1UL), 0, "the largest there is");
	is(prctl_(PR_GET_TIMERSLACK, 0), -1, "is no error");
	is(prctl_(PR_SET_TIMERSLACK, 0), 0, "0");
	is(prctl_(PR_GET_TIMERSLACK, 0), 50000, "means the first");
}

static const struct mode modes[] = { { "death", death_mode },
				     { "privileges", privileges_mode },
				     { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	names();
	deaths();
	subreapers();
	timer_slack();
	tid_address();
	others();
	slack();
	return done_testing();
}
