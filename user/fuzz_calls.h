/* SPDX-License-Identifier: MIT */
/*
 * fuzz_calls.h: which calls are made how often and with which kinds of arguments, and what may not be
 * asked of the kernel: to end the machine, or those who run the test.
 */
#ifndef USER_FUZZ_CALLS_H
#define USER_FUZZ_CALLS_H

#include "fuzz_args.h"

/* All calls that this kernel has, with the kinds that its tracer knows. */
struct call {
	int nr;
	const char *name, *kinds;
};

static const struct call all_calls[] = {
#define SYSCALL(number, name, kinds) { number, #name, kinds },
#include "kernel/syscall/table.h"
#undef SYSCALL
};

/* Those that are made most, with kinds that say more; all others come up as often as `other_share`. */
static const struct chosen {
	int nr, share;
	const char *kinds;
} chosen[] = {
	{ SYS_mmap, 120, "alPMfo" },
	{ SYS_munmap, 40, "al" },
	{ SYS_mprotect, 60, "alP" },
	{ SYS_mremap, 70, "allRa" },
	{ SYS_madvise, 60, "alA" },
	{ SYS_mlock, 15, "al" },
	{ SYS_mlock2, 8, "alR" },
	{ SYS_munlock, 12, "al" },
	{ SYS_mlockall, 2, "R" },
	{ SYS_munlockall, 2, "" },
	{ SYS_msync, 10, "alR" },
	{ SYS_mincore, 10, "alp" },
	{ SYS_brk, 6, "a" },
	{ SYS_remap_file_pages, 10, "alnon" },
	{ SYS_read, 14, "fal" },
	{ SYS_write, 14, "fal" },
	{ SYS_pread64, 14, "falo" },
	{ SYS_pwrite64, 14, "falo" },
	{ SYS_readv, 6, "fvn" },
	{ SYS_writev, 6, "fvn" },
	{ SYS_preadv, 4, "fvno" },
	{ SYS_pwritev, 4, "fvno" },
	{ 327 /* preadv2 */, 2, "fvnonx" },
	{ 328 /* pwritev2 */, 2, "fvnonx" },
	{ SYS_process_vm_readv, 12, "ivnvnR" },
	{ SYS_process_vm_writev, 12, "ivnvnR" },
	{ SYS_ftruncate, 16, "fo" },
	{ SYS_truncate, 4, "so" },
	{ SYS_fallocate, 14, "fWoo" },
	{ SYS_lseek, 4, "fon" },
	{ SYS_open, 10, "EOm" },
	{ SYS_openat, 10, "DEOm" },
	{ SYS_close, 4, "f" },
	{ SYS_dup2, 4, "ff" },
	{ SYS_pipe2, 3, "pO" },
	{ SYS_memfd_create, 6, "sR" },
	{ SYS_fcntl, 8, "fCx" },
	{ SYS_sendfile, 4, "ffpl" },
	{ 326 /* copy_file_range */, 4, "fpfplx" },
	{ SYS_shmget, 6, "nlx" },
	{ SYS_shmat, 10, "hax" },
	{ SYS_shmdt, 5, "a" },
	{ SYS_shmctl, 5, "hnp" },
	{ SYS_futex, 12, "wFntwn" },
	{ SYS_fork, 5, "" },
	{ SYS_vfork, 3, "" },
	{ SYS_clone, 8, "ckppp" },
	{ SYS_execve, 2, "spp" },
	{ SYS_wait4, 10, "ipRp" },
	{ SYS_waitid, 4, "nippp" },
	{ SYS_kill, 5, "ig" },
	{ SYS_tgkill, 5, "iig" },
	{ SYS_rt_sigaction, 4, "gppn" },
	{ SYS_rt_sigprocmask, 4, "nppn" },
	{ SYS_rt_sigtimedwait, 3, "pptn" },
	{ SYS_rt_sigreturn, 1, "" },
	{ SYS_sigaltstack, 3, "pp" },
	{ SYS_nanosleep, 3, "tt" },
	{ SYS_clock_nanosleep, 2, "nntp" },
	{ SYS_poll, 3, "pnn" },
	{ SYS_select, 3, "npppt" },
	{ SYS_ppoll, 2, "pntpn" },
	{ SYS_rename, 4, "ss" },
	{ SYS_link, 3, "ss" },
	{ SYS_symlink, 3, "ss" },
	{ SYS_unlink, 5, "s" },
	{ SYS_mkdir, 3, "sm" },
	{ SYS_rmdir, 3, "s" },
	{ SYS_mknod, 2, "smx" },
	{ SYS_setitimer, 2, "ntp" },
	{ SYS_timer_create, 3, "npp" },
	{ SYS_timer_settime, 3, "nntp" },
	{ SYS_prlimit64, 3, "inpp" },
	{ SYS_personality, 1, "x" },
	{ SYS_sched_setaffinity, 4, "inp" },
	{ SYS_prctl, 3, "nnnnn" },
	{ SYS_getrandom, 3, "alR" },
	{ SYS_socketpair, 2, "nnnp" },
	{ SYS_sendmsg, 4, "fpx" },
	{ SYS_recvmsg, 4, "fpx" },
	{ SYS_sendto, 2, "falxpn" },
	{ SYS_recvfrom, 2, "falxpp" },
	{ SYS_mount, 2, "sssxp" },
	{ SYS_umount2, 2, "sR" },
	{ 434 /* pidfd_open */, 3, "ix" },
	{ 424 /* pidfd_send_signal */, 2, "fgpx" },
	{ 448 /* process_mrelease */, 3, "fx" },
	{ 440 /* process_madvise */, 3, "fvnAx" },
	{ 324 /* membarrier */, 2, "xxn" },
};
static const int other_share = 160, nonsense_share = 30;

static const char *kinds_of(int nr)
{
	for (size_t i = 0; i < COUNT(all_calls); i++)
		if (all_calls[i].nr == nr)
			return all_calls[i].kinds;
	return "xxxxxx";
}

static const char *name_of(int nr)
{
	for (size_t i = 0; i < COUNT(all_calls); i++)
		if (all_calls[i].nr == nr)
			return all_calls[i].name;
	return "?";
}

static bool makes_child(long nr)
{
	return nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone || nr == SYS_clone3;
}

/* Whether this argument means the test's own processes: by number, by group, or as everybody. */
static bool is_protected(long arg)
{
	int pid = (int)arg;

	if (pid == -1 || pid == 1)
		return true;
	for (size_t i = 0; i < COUNT(shared->protected); i++)
		if (shared->protected[i] &&
		    (pid == shared->protected[i] || pid == -shared->protected[i]))
			return true;
	return false;
}

/* Whether the call would end the machine, reach the test's own processes, or say something on its console. */
static bool forbidden(struct fuzzer *f, long nr, long *args)
{
	switch (nr) {
	case SYS_reboot:
	case 139: /* sysfs, for nothing */
		return true;
	case SYS_exit:
	case SYS_exit_group:
		return !chance(f, 3);
	case SYS_pause:
	case SYS_rt_sigsuspend:
		return !chance(f, 10);
	case SYS_setsid:
	case SYS_kill:
	case SYS_tkill:
	case SYS_rt_sigqueueinfo:
	case SYS_prlimit64:
	case SYS_process_vm_readv:
	case SYS_process_vm_writev:
	case SYS_setpgid:
	case SYS_sched_setparam:
	case SYS_sched_setscheduler:
	case SYS_sched_setaffinity:
	case 434: /* pidfd_open */
		return is_protected(args[0]);
	case SYS_tgkill:
	case SYS_rt_tgsigqueueinfo:
		return is_protected(args[0]) || is_protected(args[1]);
	case SYS_setpriority:
		return args[0] != 0 || is_protected(args[1]);
	case SYS_mknod:
		return (args[1] & 0170000) != 0010000 && (args[1] & 0170000) != 0100000;
	case SYS_mknodat:
		return (args[2] & 0170000) != 0010000 && (args[2] & 0170000) != 0100000;
	}
	/* Deep or endless recursion is not what is looked for. */
	return makes_child(nr) && f->depth >= MAX_DEPTH;
}

static const char *choose(struct fuzzer *f, long *nr)
{
	static int sum;
	int at;

	if (!sum) {
		int all = other_share + nonsense_share;

		for (size_t i = 0; i < COUNT(chosen); i++)
			all += chosen[i].share;
		sum = all;
	}
	at = below(f, sum);
	if (at < other_share) {
		const struct call *call = &all_calls[below(f, COUNT(all_calls))];

		*nr = call->nr;
		return call->kinds;
	}
	at -= other_share;
	if (at < nonsense_share) {
		*nr = chance(f, 90) ? below(f, 460) : random64(f);
		return chance(f, 50) ? kinds_of(*nr) : "xpxpxp";
	}
	at -= nonsense_share;
	for (size_t i = 0;; i++) {
		if (at < chosen[i].share) {
			*nr = chosen[i].nr;
			return chosen[i].kinds;
		}
		at -= chosen[i].share;
	}
}

#endif
