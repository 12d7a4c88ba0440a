/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Who may send signals to whom: by user, by CAP_KILL, and SIGCONT within a session. */
#include "procs.h"

static volatile int *words;

struct ids {
	int real, effective, saved;
};

/* A process of these ids that lives until words[1], without capabilities unless it is root's. */
static int live_as(void *arg)
{
	const struct ids *ids = arg;

	if (raw(SYS_setresuid, ids->real, ids->effective, ids->saved) != 0)
		return 1;
	words[0] = 1;
	return await(&words[1], 1) ? 0 : 2;
}

static pid_t target(int real, int effective, int saved)
{
	struct ids ids = { real, effective, saved };
	pid_t pid;

	words[0] = words[1] = 0;
	pid = fork_child(live_as, &ids);
	await(&words[0], 1);
	return pid;
}

static void end(pid_t pid)
{
	words[1] = 1;
	is(status_of(pid), 0, "it ends");
}

struct attempt {
	struct ids ids;
	pid_t pid;
	int sig;
	bool own_session;
};

static int try_as(void *arg)
{
	const struct attempt *a = arg;

	if (a->own_session)
		raw(SYS_setsid);
	if (raw(SYS_setresuid, a->ids.real, a->ids.effective, a->ids.saved) != 0)
		return 1;
	return -raw(SYS_kill, a->pid, a->sig);
}

/* 0 or the errno of that kill. */
static int kill_as(int real, int effective, pid_t pid, int sig, bool own_session)
{
	struct attempt a = { { real, effective, effective }, pid, sig, own_session };
	int status = status_of(fork_child(try_as, &a));

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void users(void)
{
	pid_t pid = target(1000, 1001, 1002);

	is(kill_as(1000, 1000, pid, 0, false), 0, "a sender whose user is the target's real one");
	is(kill_as(1002, 1002, pid, 0, false), 0, "or its saved one");
	is(kill_as(1001, 1001, pid, 0, false), EPERM, "but not its effective one");
	is(kill_as(1000, 7, pid, 0, false), 0, "the sender's real one counts");
	is(kill_as(7, 1000, pid, 0, false), 0, "as does its effective one");
	is(kill_as(7, 7, pid, 0, false), EPERM, "another has none");
	is(kill_as(7, 7, pid, SIGCONT, false), 0, "except to continue one of the same session");
	is(kill_as(7, 7, pid, SIGCONT, true), EPERM, "of another session not");
	is(kill_as(7, 7, pid, SIGSTOP, false), EPERM, "nor to stop it");
	is(kill_as(0, 0, pid, 0, true), 0, "root may");
	is(kill_as(0, 7, pid, 0, false), EPERM, "root's real number alone isn't enough");
	end(pid);
	pid = target(0, 0, 0);
	is(kill_as(7, 7, pid, SIGTERM, false), EPERM, "root's process");
	is(kill_as(7, 0, pid, 0, false), 0, "for one that is root in effect");
	end(pid);
}

/* A group of one that may and one that may not: one is enough for success. */
static void groups(void)
{
	pid_t mine = target(1000, 1000, 1000), other;

	raw(SYS_setpgid, mine, mine);
	other = target(1001, 1001, 1001);
	is(raw(SYS_setpgid, other, mine), 0, "a group of two users");
	is(kill_as(1000, 1000, -mine, 0, false), 0, "who may reach one of them has success");
	is(kill_as(7, 7, -mine, 0, false), EPERM, "who may reach none hasn't");
	end(mine);
	end(other);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	if (!am_root())
		skip_all("needs root");
	words = shared_words();
	users();
	groups();
	return done_testing();
}
