/* SPDX-License-Identifier: MIT */
/* runs as root */
/* System V shared memory: who may do what, and the limits of all. */
#include "forks.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#define SIZE   (4 * PAGE)
#define SHMMAX "/proc/sys/kernel/shmmax"
#define SHMALL "/proc/sys/kernel/shmall"
#define SHMMNI "/proc/sys/kernel/shmmni"
#define FORCED "/proc/sys/kernel/shm_rmid_forced"

static long get(key_t k, unsigned long size, int flags)
{
	return result(syscall(SYS_shmget, k, size, flags));
}

static long at(long id, int flags)
{
	return result(syscall(SYS_shmat, id, NULL, flags));
}

static long ctl(long id, int cmd, void *buf)
{
	return result(syscall(SYS_shmctl, id, cmd, buf));
}

static bool exists(long id)
{
	struct shmid_ds ds;

	return ctl(id, IPC_STAT, &ds) == 0;
}

static long set(long id, unsigned int uid, unsigned int gid, unsigned int mode)
{
	struct shmid_ds ds;

	ctl(id, IPC_STAT, &ds);
	ds.shm_perm.uid = uid;
	ds.shm_perm.gid = gid;
	ds.shm_perm.mode = mode;
	return ctl(id, IPC_SET, &ds);
}

/* --- rights ---------------------------------------------------------------------------------- */

/* What an ordinary user may do with a segment: letters. */
static int as_nobody(void)
{
	const long id = report->n[0];
	struct shmid_ds ds;
	char *out = report->text;
	long p;

	syscall(SYS_setgroups, 0, NULL);
	become_nobody();
	p = at(id, SHM_RDONLY);
	*out++ = !is_error(p) ? 'r' : p == -EACCES ? '-' : '?';
	p = at(id, 0);
	*out++ = !is_error(p) ? 'w' : p == -EACCES ? '-' : '?';
	p = at(id, SHM_EXEC | SHM_RDONLY);
	*out++ = !is_error(p) ? 'x' : p == -EACCES ? '-' : '?';
	p = ctl(id, IPC_STAT, &ds);
	*out++ = !p ? 's' : p == -EACCES ? '-' : '?';
	p = ctl(id % 32768, SHM_STAT, &ds);
	*out++ = p == id ? 'S' : p == -EACCES ? '-' : '?';
	p = ctl(id % 32768, 15 /* SHM_STAT_ANY */, &ds);
	*out++ = p == id ? 'a' : '?';
	p = ctl(id, SHM_LOCK, NULL);
	*out++ = !p ? 'l' : p == -EPERM ? '-' : '?';
	p = ctl(id, SHM_UNLOCK, NULL);
	*out++ = !p ? 'u' : p == -EPERM ? '-' : '?';
	p = ctl(id, IPC_SET, &ds);
	*out++ = !p ? 'c' : p == -EPERM ? '-' : '?';
	*out = '\0';
	return 0;
}

static const char *rights(long id)
{
	report->n[0] = id;
	in_child(as_nobody);
	return report->text;
}

static int nobody_removes(void)
{
	become_nobody();
	return ctl(report->n[0], IPC_RMID, NULL) == report->n[1] ? 0 : 1;
}

static void permissions(void)
{
	long id = get(IPC_PRIVATE, SIZE, 0600);
	struct shmid_ds ds;

	is_str(rights(id), "-----a---", "root's own is nobody else's");
	set(id, 0, 0, 0644);
	is_str(rights(id), "r--sSa---", "mode 0644");
	set(id, 0, 0, 0666);
	is_str(rights(id), "rw-sSa---", "mode 0666");
	set(id, 0, 0, 0606);
	is_str(rights(id), "rw-sSa---", "mode 0606");
	set(id, 0, NOBODY, 0606);
	is_str(rights(id), "-----a---", "... for others than the group");
	set(id, 0, NOBODY, 0040);
	is_str(rights(id), "r--sSa---", "the group's");
	set(id, 0, 0, 0007);
	is_str(rights(id), "rwxsSa---", "SHM_EXEC, too");
	is(set(id, NOBODY, 0, 0600), 0, "given away");
	is_str(rights(id), "rw-sSaluc", "... it is the other's, to lock and change as well");
	set(id, NOBODY, 0, 0);
	is_str(rights(id), "-----aluc", "... whatever the mode");
	ok(!is_error(at(id, 0)), "root may all the same");
	is(ctl(id, IPC_STAT, &ds), 0, "... look");
	ok(ds.shm_perm.cuid == 0 && ds.shm_perm.uid == NOBODY, "... who made it, and whose it is");
	report->n[0] = id;
	report->n[1] = 0;
	is(in_child(nobody_removes), 0, "its owner removes it");
	report->n[0] = get(IPC_PRIVATE, SIZE, 0666);
	report->n[1] = -EPERM;
	is(in_child(nobody_removes), 0, "... and nobody else");
	ctl(report->n[0], IPC_RMID, NULL);
	fails(get(IPC_PRIVATE, SIZE, SHM_HUGETLB | 0600), ENOMEM, "huge pages: there are none");
	fails(get(IPC_PRIVATE, SIZE, SHM_HUGETLB | 17 << 26 | 0600), EINVAL, "... of no such size");
}

/* --- limits ---------------------------------------------------------------------------------- */

static void limits(void)
{
	const unsigned long all = -1UL - (1UL << 24);
	long ids[3], mni = number_in(SHMMNI);
	struct shm_info info;
	long used = ctl(0, SHM_INFO, &info) < 0 ? -1 : info.used_ids;

	is(mni, 4096, "shmmni");
	is(number_in(FORCED), 0, "shm_rmid_forced");
	ok(proc_read(SHMMAX) && strtoul(proc_text, NULL, 10) == all, "shmmax");
	ok(proc_read(SHMALL) && strtoul(proc_text, NULL, 10) == all, "shmall");
	is(write_number(SHMMNI, used + 2), 0, "two more");
	for (int i = 0; i < 3; i++)
		ids[i] = get(IPC_PRIVATE, PAGE + 1, 0600);
	ok(ids[0] >= 0 && ids[1] >= 0, "... are made");
	is(ids[2], -ENOSPC, "... and no third");
	is(write_number(SHMMNI, mni), 0, "as before");
	is(write_number(SHMMAX, PAGE), 0, "none larger than a page");
	fails(get(IPC_PRIVATE, PAGE + 1, 0600), EINVAL, "... is made");
	fails(get(IPC_PRIVATE, 0, 0600), EINVAL, "... nor of nothing");
	write_number(SHMMAX, 1L << 62);
	is(ctl(0, SHM_INFO, &info), ids[1] % 32768, "the highest place");
	used = *(long *)((char *)&info + 8);
	is(write_number(SHMALL, used + 2), 0, "two pages more in all");
	fails(get(IPC_PRIVATE, 2 * PAGE + 1, 0600), ENOSPC, "three aren't given");
	ids[2] = get(IPC_PRIVATE, 2 * PAGE, 0600);
	ok(ids[2] >= 0, "two are");
	write_number(SHMALL, 1L << 62);
	for (int i = 0; i < 3; i++)
		ctl(ids[i], IPC_RMID, NULL);
	is(write_number(SHMMNI, 32769), -EINVAL, "shmmni has a limit of its own");
	is(write_number(SHMMNI, 32768), 0, "... which is this");
	is(write_number(SHMMNI, -1), -EINVAL, "... and isn't negative");
	write_number(SHMMNI, mni);
	is(write_number(FORCED, 2), -EINVAL, "shm_rmid_forced is 0 or 1");
}

/* --- shm_rmid_forced ------------------------------------------------------------------------- */

static int makes_one(void)
{
	report->n[0] = get(IPC_PRIVATE, SIZE, 0600);
	if (report->n[1]) {
		let_go(PARENT);
		await(CHILD);
	}
	return 0;
}

/* The number of a segment whose maker has ended. */
static long orphan(void)
{
	report->n[1] = 0;
	in_child(makes_one);
	return report->n[0];
}

static void forced(void)
{
	long id = orphan(), other = orphan(), own = get(IPC_PRIVATE, SIZE, 0600), pid, p;

	ok(exists(id), "a segment outlives its maker");
	p = at(other, 0);
	is(write_number(FORCED, 1), 0, "shm_rmid_forced");
	ok(!exists(id), "... ends what nobody has attached");
	ok(exists(other), "... and not what somebody has");
	ok(exists(own), "... or whose maker is there");
	syscall(SYS_shmdt, p);
	ok(!exists(other), "the last one takes it off, and it ends");
	p = at(own, 0);
	syscall(SYS_shmdt, p);
	ok(!exists(own), "... also its maker");
	ok(!exists(orphan()), "a maker's end is that of what it made");
	report->n[1] = 1;
	pid = raw_fork();
	if (pid == 0)
		raw_exit(makes_one());
	await(PARENT);
	id = report->n[0];
	p = at(id, 0);
	let_go(CHILD);
	reap(pid);
	ok(exists(id), "... if nobody else has it");
	syscall(SYS_shmdt, p);
	ok(!exists(id), "... any more");
	write_number(FORCED, 0);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	if (!am_root())
		skip_all("this is about what root may do");
	forks_start();
	permissions();
	limits();
	forced();
	return done_testing();
}
