/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * capset's inheritable set, and ambient capabilities: who may raise them, what a change of user ids and exec
 * make of them, and how /proc/self/status shows them.
 */
#include "procs.h"

enum { CHOWN = 1 << 0, KILL = 1 << 5, SETPCAP = 1 << 8, NICE = 1 << 23 };

static bool root;

static long ambient(long op, long cap)
{
	return raw(SYS_prctl, PR_CAP_AMBIENT, op, cap, 0, 0);
}

/* Sets of capabilities 0 to 31; none has a larger number here. */
static long capset3(unsigned eff, unsigned perm, unsigned inh)
{
	struct {
		unsigned version;
		int pid;
	} head = { 0x20080522, 0 };
	unsigned data[6] = { eff, perm, inh };

	return raw(SYS_capset, &head, data);
}

static unsigned inheritable(void)
{
	struct {
		unsigned version;
		int pid;
	} head = { 0x20080522, 0 };
	unsigned data[6] = { 0 };

	return raw(SYS_capget, &head, data) ? ~0U : data[2];
}

static long field(const char *name)
{
	return status_field(my_pid(), name, 16);
}

/* What a new program has: its sets, each a digit of the status by what is in it of CHOWN and KILL. */
static int says(int argc, char **argv)
{
	static const char *const names[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };
	int digits = 0;

	(void)argc;
	(void)argv;
	for (int i = 0; i < 4; i++) {
		long caps = field(names[i]);

		digits = digits * 4 + (caps & CHOWN ? 2 : 0) + (caps & KILL ? 1 : 0);
	}
	return digits;
}

#define HAS(inh, prm, eff, amb) ((((inh)*4 + (prm)) * 4 + (eff)) * 4 + (amb))

static int new_program(void)
{
	return WEXITSTATUS(run_mode("says", NULL, NULL));
}

static int by_root(void *arg)
{
	(void)arg;
	NEED_IS(inheritable(), 0);
	NEED_IS(capset3(CHOWN | KILL | SETPCAP, CHOWN | KILL | SETPCAP, CHOWN), 0);
	NEED_IS(inheritable(), CHOWN);
	NEED_IS(field("CapInh"), CHOWN);
	/* With CAP_SETPCAP more can be inherited than one has. */
	NEED_IS(capset3(CHOWN | KILL | SETPCAP, CHOWN | KILL | SETPCAP, CHOWN | NICE), 0);
	NEED_IS(inheritable(), CHOWN | NICE);
	NEED_IS(capset3(CHOWN | KILL, CHOWN | KILL, NICE), 0);
	NEED_IS(inheritable(), NICE);
	/* Without it what was inheritable may stay, and what is permitted be added. */
	NEED_IS(capset3(CHOWN | KILL, CHOWN | KILL, NICE | KILL | SETPCAP), -EPERM);
	NEED_IS(capset3(CHOWN | KILL, CHOWN | KILL, NICE | KILL), 0);
	NEED_IS(inheritable(), NICE | KILL);
	/* What else is wrong changes nothing. */
	NEED_IS(capset3(CHOWN | SETPCAP, CHOWN | SETPCAP, 0), -EPERM);
	NEED_IS(inheritable(), NICE | KILL);
	/* Root's new programs have all, and inherit the set. */
	NEED_IS(new_program(), HAS(1, 3, 3, 0));
	return 0;
}

static int beyond_bounds(void *arg)
{
	(void)arg;
	NEED_IS(raw(SYS_prctl, PR_CAPBSET_DROP, 0), 0);
	NEED_IS(raw(SYS_prctl, PR_CAPBSET_DROP, 5), 0);
	NEED_IS(capset3(CHOWN | KILL | SETPCAP, CHOWN | KILL | SETPCAP, CHOWN), -EPERM);
	NEED_IS(new_program(), HAS(0, 0, 0, 0));
	return 0;
}

/* What was inheritable before it left the bounding set still comes back to root. */
static int inherited_beyond_bounds(void *arg)
{
	(void)arg;
	NEED_IS(capset3(CHOWN | KILL | SETPCAP, CHOWN | KILL | SETPCAP, CHOWN), 0);
	NEED_IS(raw(SYS_prctl, PR_CAPBSET_DROP, 0), 0);
	NEED_IS(raw(SYS_prctl, PR_CAPBSET_DROP, 5), 0);
	NEED_IS(new_program(), HAS(2, 2, 2, 0));
	return 0;
}

static int raised(void *arg)
{
	(void)arg;
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 0), -EPERM);
	NEED_IS(capset3(CHOWN | KILL | SETPCAP, CHOWN | KILL | SETPCAP, CHOWN | KILL), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 0), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 5), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 23), -EPERM);
	NEED_IS(ambient(PR_CAP_AMBIENT_IS_SET, 0), 1);
	NEED_IS(ambient(PR_CAP_AMBIENT_IS_SET, 23), 0);
	NEED_IS(field("CapAmb"), CHOWN | KILL);
	NEED_IS(ambient(PR_CAP_AMBIENT_LOWER, 0), 0);
	NEED_IS(field("CapAmb"), KILL);
	/* They can't be more than what is permitted and inheritable. */
	NEED_IS(capset3(CHOWN, CHOWN | KILL, CHOWN), 0);
	NEED_IS(field("CapAmb"), 0);
	NEED_IS(capset3(CHOWN, CHOWN | KILL, CHOWN | KILL), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 5), 0);
	NEED_IS(capset3(CHOWN, CHOWN, CHOWN | KILL), 0);
	NEED_IS(field("CapAmb"), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 0), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_CLEAR_ALL, 0), 0);
	NEED_IS(field("CapAmb"), 0);
	return 0;
}

static int not_to_be_raised(void *arg)
{
	(void)arg;
	NEED_IS(raw(SYS_prctl, PR_SET_SECUREBITS, 0x40), 0);
	NEED_IS(capset3(CHOWN | SETPCAP, CHOWN | SETPCAP, CHOWN), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 0), -EPERM);
	return 0;
}

/* Who gives up being root keeps nothing ambient, whatever else he keeps. */
static int lost_with_root(void *arg)
{
	(void)arg;
	NEED_IS(capset3(CHOWN | KILL | 1 << 7, CHOWN | KILL | 1 << 7, CHOWN | KILL), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 0), 0);
	NEED_IS(raw(SYS_prctl, PR_SET_KEEPCAPS, 1), 0);
	NEED_IS(raw(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
	NEED_IS(field("CapAmb"), 0);
	NEED_IS(field("CapInh"), CHOWN | KILL);
	NEED_IS(field("CapPrm"), CHOWN | KILL | 1 << 7);
	return 0;
}

/* The way to let a program of somebody else's have a right. */
static int handed_on(void *arg)
{
	NEED_IS(lost_with_root(NULL), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 0), 0);
	if (arg)
		NEED_IS(raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	NEED_IS(new_program(), HAS(3, 2, 2, 2));
	return 0;
}

static int handed_on_no_more(void *arg)
{
	(void)arg;
	return handed_on("");
}

/* Inheritable alone doesn't do. */
static int not_handed_on(void *arg)
{
	(void)arg;
	NEED_IS(lost_with_root(NULL), 0);
	NEED_IS(new_program(), HAS(3, 0, 0, 0));
	return 0;
}

/* Root's programs without root's privilege have what is ambient. */
static int noroot(void *arg)
{
	(void)arg;
	NEED_IS(capset3(CHOWN | KILL | SETPCAP, CHOWN | KILL | SETPCAP, CHOWN | KILL), 0);
	NEED_IS(raw(SYS_prctl, PR_SET_SECUREBITS, 1), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 5), 0);
	NEED_IS(new_program(), HAS(3, 1, 1, 1));
	return 0;
}

static int by_others(void *arg)
{
	(void)arg;
	NEED_IS(capset3(0, 0, CHOWN), -EPERM);
	NEED_IS(capset3(0, 0, 0), 0);
	NEED_IS(inheritable(), 0);
	NEED_IS(ambient(PR_CAP_AMBIENT_RAISE, 0), -EPERM);
	NEED_IS(new_program(), HAS(0, 0, 0, 0));
	return 0;
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "says", says }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	root = raw(SYS_geteuid) == 0;
	if (!root) {
		child_ok(by_others, "nothing, for who has nothing");
	} else {
		child_ok(by_root, "what can be made inheritable");
		child_ok(beyond_bounds, "not what is outside the bounding set");
		child_ok(inherited_beyond_bounds, "unless it was already");
		child_ok(raised, "ambient ones, raised and lowered");
		child_ok(not_to_be_raised, "SECBIT_NO_CAP_AMBIENT_RAISE");
		child_ok(lost_with_root, "lost with the user ids of root");
		child_ok(handed_on, "handed on to a new program of another user");
		child_ok(handed_on_no_more, "... with no new privileges, too");
		child_ok(not_handed_on, "inheritable alone doesn't do");
		child_ok(noroot, "SECBIT_NOROOT and ambient ones");
	}
	return done_testing();
}
