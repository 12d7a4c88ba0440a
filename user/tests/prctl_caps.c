/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * prctl: what it says of capabilities (bounding set, securebits, ambient ones), and the options that
 * are kept only: machine checks, huge pages, the time stamp counter, seccomp.
 */
#include "procs.h"

#define CAP_SETPCAP_ 8
#define CAP_CHOWN_   0

static bool root;

static long prctl5(long option, long a, long b, long c, long d)
{
	return raw(SYS_prctl, option, a, b, c, d);
}

static long prctl1(long option, long a)
{
	return prctl5(option, a, 0, 0, 0);
}

/* --- the bounding set --------------------------------------------------------------------------- */

static int child_says_caps(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return status_field(my_pid(), "CapPrm", 16) & 1 ? 10 : 11;
}

static int drops(void *arg)
{
	(void)arg;
	NEED_IS(prctl1(PR_CAPBSET_DROP, 41), -EINVAL);
	NEED_IS(prctl1(PR_CAPBSET_DROP, CAP_CHOWN_), 0);
	NEED_IS(prctl1(PR_CAPBSET_READ, CAP_CHOWN_), 0);
	NEED_IS(prctl1(PR_CAPBSET_READ, 1), 1);
	NEED_IS(status_field(my_pid(), "CapBnd", 16) & 1, 0);
	/* What it has it keeps; a new program doesn't get it. */
	NEED_IS(status_field(my_pid(), "CapPrm", 16) & 1, 1);
	NEED_IS(WEXITSTATUS(run_mode("caps", NULL, NULL)), 11);
	return 0;
}

static int drops_not(void *arg)
{
	(void)arg;
	NEED_IS(prctl1(PR_CAPBSET_DROP, CAP_CHOWN_), -EPERM);
	NEED_IS(prctl1(PR_CAPBSET_DROP, 99), -EPERM);
	NEED_IS(prctl1(PR_CAPBSET_READ, CAP_CHOWN_), 1);
	return 0;
}

/* --- securebits ---------------------------------------------------------------------------------- */

enum { NOROOT = 1, NOROOT_LOCKED = 2, NO_FIXUP = 4, KEEP = 16, KEEP_LOCKED = 32 };

static int bits_root(void *arg)
{
	(void)arg;
	NEED_IS(prctl1(PR_SET_KEEPCAPS, 1), 0);
	NEED_IS(prctl1(PR_GET_SECUREBITS, 0), KEEP);
	NEED_IS(prctl1(PR_SET_SECUREBITS, 0x100), -EPERM);
	NEED_IS(prctl1(PR_SET_SECUREBITS, KEEP_LOCKED), 0);
	NEED_IS(prctl1(PR_GET_KEEPCAPS, 0), 0);
	NEED_IS(prctl1(PR_SET_KEEPCAPS, 1), -EPERM);
	NEED_IS(prctl1(PR_SET_SECUREBITS, 0), -EPERM);
	NEED_IS(prctl1(PR_SET_SECUREBITS, KEEP | KEEP_LOCKED), -EPERM);
	NEED_IS(prctl1(PR_GET_SECUREBITS, 0), KEEP_LOCKED);
	return 0;
}

static int bits_noroot(void *arg)
{
	(void)arg;
	NEED_IS(WEXITSTATUS(run_mode("caps", NULL, NULL)), 10);
	NEED_IS(prctl1(PR_SET_SECUREBITS, NOROOT), 0);
	NEED_IS(WEXITSTATUS(run_mode("caps", NULL, NULL)), 11);
	return 0;
}

static int bits_nofixup(void *arg)
{
	(void)arg;
	NEED_IS(prctl1(PR_SET_SECUREBITS, NO_FIXUP), 0);
	NEED_IS(raw(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
	NEED_IS(status_field(my_pid(), "CapEff", 16) & 1, 1);
	return 0;
}

static int bits_keep(void *arg)
{
	(void)arg;
	NEED_IS(prctl1(PR_SET_SECUREBITS, KEEP), 0);
	NEED_IS(raw(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
	NEED_IS(status_field(my_pid(), "CapEff", 16) & 1, 0);
	NEED_IS(status_field(my_pid(), "CapPrm", 16) & 1, 1);
	return 0;
}

static int bits_not(void *arg)
{
	(void)arg;
	NEED_IS(prctl1(PR_GET_SECUREBITS, 0), 0);
	NEED_IS(prctl1(PR_SET_SECUREBITS, 0), -EPERM);
	NEED_IS(prctl1(PR_SET_SECUREBITS, NOROOT), -EPERM);
	return 0;
}

/* --- ambient capabilities ------------------------------------------------------------------------- */

static void ambient(void)
{
	is(prctl5(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 0, 0), 0, "none is ambient");
	is(prctl5(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 99, 0, 0), -EINVAL, "no such capability");
	is(prctl5(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 1, 0), -EINVAL, "an argument too many");
	is(prctl5(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0), -EPERM, "what isn't inheritable");
	is(prctl5(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, 0, 0, 0), 0, "lowered, which it was");
	is(prctl5(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0, "all cleared");
	is(prctl5(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0), -EINVAL, "... takes nothing");
	is(prctl5(PR_CAP_AMBIENT, 9, 0, 0, 0), -EINVAL, "another operation");
}

/* --- what is kept ----------------------------------------------------------------------------------- */

static int inherits_mce(void *arg)
{
	(void)arg;
	return prctl5(PR_MCE_KILL_GET, 0, 0, 0, 0) == 1 ? 0 : 1;
}

static void machine_checks(void)
{
	is(prctl5(PR_MCE_KILL_GET, 0, 0, 0, 0), 2, "machine checks: as the system has it");
	is(prctl5(PR_MCE_KILL_GET, 1, 0, 0, 0), -EINVAL, "an argument too many");
	is(prctl5(PR_MCE_KILL, 1, 1, 0, 0), 0, "early");
	is(prctl5(PR_MCE_KILL_GET, 0, 0, 0, 0), 1, "... is kept");
	child_ok(inherits_mce, "... and inherited");
	is(prctl5(PR_MCE_KILL, 1, 0, 0, 0), 0, "late");
	is(prctl5(PR_MCE_KILL_GET, 0, 0, 0, 0), 0, "... is kept");
	is(prctl5(PR_MCE_KILL, 1, 3, 0, 0), -EINVAL, "no such policy");
	is(prctl5(PR_MCE_KILL, 2, 0, 0, 0), -EINVAL, "no such operation");
	is(prctl5(PR_MCE_KILL, 0, 1, 0, 0), -EINVAL, "clear takes nothing");
	is(prctl5(PR_MCE_KILL, 0, 0, 1, 0), -EINVAL, "an argument too many");
	is(prctl5(PR_MCE_KILL, 0, 0, 0, 0), 0, "cleared");
	is(prctl5(PR_MCE_KILL_GET, 0, 0, 0, 0), 2, "as at first");
}

static int child_thp(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return prctl1(PR_GET_THP_DISABLE, 0) == 1 ? 10 : 11;
}

static int inherits_thp(void *arg)
{
	(void)arg;
	return prctl1(PR_GET_THP_DISABLE, 0) == 1 ? 0 : 1;
}

static void huge_pages(void)
{
	is(prctl1(PR_GET_THP_DISABLE, 0), 0, "huge pages aren't off");
	is(prctl1(PR_GET_THP_DISABLE, 1), -EINVAL, "an argument too many");
	is(prctl5(PR_SET_THP_DISABLE, 1, 1, 0, 0), -EINVAL, "... here too");
	is(prctl1(PR_SET_THP_DISABLE, 5), 0, "off");
	is(prctl1(PR_GET_THP_DISABLE, 0), 1, "... which is said");
	child_ok(inherits_thp, "... and inherited");
	is(WEXITSTATUS(run_mode("thp", NULL, NULL)), 10, "... by a new program too");
	is(prctl1(PR_SET_THP_DISABLE, 0), 0, "on again");
	is(prctl1(PR_GET_THP_DISABLE, 0), 0, "... which is said");
}

static void others(void)
{
	int tsc = 0;

	is(prctl1(PR_GET_SECCOMP, 0), 0, "no seccomp");
	is(prctl1(PR_SET_SECCOMP, 77), -EINVAL, "no such mode of it");
	is(prctl1(PR_GET_TSC, (long)&tsc), 0, "the time stamp counter");
	is(tsc, 1, "... may be read");
	is(prctl1(PR_GET_TSC, 8), -EFAULT, "nowhere to say so");
	is(prctl1(PR_SET_TSC, 1), 0, "it may stay so");
	is(prctl1(PR_SET_TSC, 9), -EINVAL, "no such mode");
	is(prctl5(PR_SET_MM, 1, 0x400000, 0, 1), -EINVAL, "PR_SET_MM: an argument too many");
	is(prctl5(PR_SET_MM, 1, 0x400000, 1, 0), -EINVAL, "... and a size that isn't asked for");
	is(prctl5(PR_SET_MM, 1, 0, 0, 0), root ? -EINVAL : -EPERM, "an address that can't be");
	is(prctl5(PR_SET_MM, 77, 0x400000, 0, 0), root ? -EINVAL : -EPERM, "an unknown field");
	is(prctl1(PR_GET_FPEMU, (long)&tsc), -EINVAL, "another processor's option");
	is(prctl1(PR_GET_ENDIAN, (long)&tsc), -EINVAL, "and another");
	is(prctl1(PR_GET_UNALIGN, (long)&tsc), -EINVAL, "and another");
	is(prctl1(43, 0), -EINVAL, "one that there was");
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "caps", child_says_caps },
					     { "thp", child_thp },
					     { NULL, NULL } };

	tap_start(argc, argv, modes);
	root = raw(SYS_geteuid) == 0;
	is(prctl1(PR_CAPBSET_READ, 40), 1, "all is in the bounding set");
	is(prctl1(PR_CAPBSET_READ, 41), -EINVAL, "but what doesn't exist");
	if (root) {
		child_ok(drops, "the bounding set shrinks");
		child_ok(bits_root, "securebits and their locks");
		child_ok(bits_noroot, "SECBIT_NOROOT");
		child_ok(bits_nofixup, "SECBIT_NO_SETUID_FIXUP");
		child_ok(bits_keep, "SECBIT_KEEP_CAPS");
	} else {
		child_ok(drops_not, "the bounding set is not for all to change");
		child_ok(bits_not, "securebits neither");
	}
	ambient();
	machine_checks();
	huge_pages();
	others();
	return done_testing();
}
