/* SPDX-License-Identifier: MIT */
/* System V shared memory: segments, attaching them, what becomes of them. */
#include "forks.h"
#include "signals.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

#define SIZE (4 * PAGE)

static key_t key;

static long get(key_t k, unsigned long size, int flags)
{
	return result(syscall(SYS_shmget, k, size, flags));
}

static long at(long id, const void *addr, int flags)
{
	return result(syscall(SYS_shmat, id, addr, flags));
}

static long dt(const void *addr)
{
	return result(syscall(SYS_shmdt, addr));
}

static long ctl(long id, int cmd, void *buf)
{
	return result(syscall(SYS_shmctl, id, cmd, buf));
}

static struct shmid_ds *stat_of(long id)
{
	static struct shmid_ds ds;

	memset(&ds, 0xff, sizeof(ds));
	ctl(id, IPC_STAT, &ds);
	return &ds;
}

static long nattch(long id)
{
	return stat_of(id)->shm_nattch;
}

/* --- getting one ----------------------------------------------------------------------------- */

static void getting(void)
{
	long id, other;

	fails(get(key, SIZE, 0), ENOENT, "shmget: there is none of that key");
	fails(get(key, 0, IPC_CREAT | 0600), EINVAL, "none is made of no bytes");
	fails(get(key, ~0UL, IPC_CREAT | 0600), EINVAL, "nor larger than the limit");
	fails(get(key, 1UL << 62, IPC_CREAT | 0600), ENOMEM, "nor than can be promised");
	id = get(key, SIZE - 1, IPC_CREAT | 0600);
	ok(id >= 0, "one is made");
	is(get(key, 0, 0), id, "it is found");
	is(get(key, SIZE - 1, IPC_CREAT), id, "... also by who would make it");
	fails(get(key, SIZE, 0), EINVAL, "... not larger than it is, though its pages are");
	fails(get(key, 1, IPC_CREAT | IPC_EXCL), EEXIST, "... nor by who wants a new one");
	fails(get(key, SIZE, IPC_CREAT | IPC_EXCL), EEXIST, "... which is said first");
	fails(get(key, 1, 0700), EACCES, "... nor for more than its mode gives");
	fails(get(key, 1, 0007), EACCES, "... whoever's bits are named");
	fails(get(key, SIZE, 0700), EINVAL, "the size is looked at before");
	other = get(IPC_PRIVATE, SIZE, 0);
	ok(other >= 0 && other != id, "a private one is another");
	is((other - id) % 32768, 1, "... numbered next");
	is(get(IPC_PRIVATE, 1, 0777), other + 1, "each time");
	is(ctl(other + 1, IPC_RMID, NULL), 0, "IPC_RMID");
	fails(ctl(other + 1, IPC_RMID, NULL), EINVAL, "... once");
	fails(at(other, NULL, 0), EACCES,
	      "nobody may attach it without rights, not even its owner");
	fails(at(other, NULL, SHM_RDONLY), EACCES, "... to read");
	fails(ctl(other, IPC_STAT, stat_of(id)), EACCES, "... nor look at it");
	is(ctl(other, 15 /* SHM_STAT_ANY */ + 1, NULL), -EINVAL, "an unknown command");
	is(ctl(other, IPC_RMID, NULL), 0, "... but remove it");
	fails(get(IPC_PRIVATE, SIZE, SHM_HUGETLB | 0600), EPERM, "huge pages aren't for all");
	fails(get(IPC_PRIVATE, SIZE, SHM_HUGETLB | 17 << 26 | 0600), EINVAL, "... of no such size");
	id = get(IPC_PRIVATE, 1UL << 62, SHM_NORESERVE | 0600);
	ok(id >= 0, "SHM_NORESERVE promises nothing");
	fails(at(id, NULL, 0), ENOMEM, "... but there isn't so much room");
	ctl(id, IPC_RMID, NULL);
	ctl(get(key, 0, 0), IPC_RMID, NULL);
	fails(get(key, 0, 0), ENOENT, "all gone");
}

/* Numbers go up; those of the past aren't given again for long. */
static void numbers(void)
{
	long first = get(IPC_PRIVATE, 1, 0600), id = first, last, seen_low = 0;

	for (int i = 0; i < 64; i++) {
		ctl(id, IPC_RMID, NULL);
		last = id;
		id = get(IPC_PRIVATE, 1, 0600);
		if (id % 32768 < last % 32768)
			seen_low += id / 32768 == last / 32768 + 1;
		else if (id != last + 1)
			diag("%ld follows %ld", id, last);
	}
	is(seen_low, 1, "after 64 it begins anew, with another sequence number");
	is(id, first + 32768, "the same place has another number");
	is(stat_of(id)->shm_perm.__ipc_perm_seq, id / 32768,
	   "... whose upper part is the sequence");
	fails(ctl(first, IPC_RMID, NULL), EINVAL, "the old one names nothing");
	ctl(id, IPC_RMID, NULL);
}

/* --- attaching ------------------------------------------------------------------------------- */

static void attaching(void)
{
	long id = get(IPC_PRIVATE, SIZE - 100, 0600);
	char *q = (char *)at(id, NULL, SHM_RDONLY), *h = hole(10), *p;
	struct area area = { 0 };
	char name[80];
	int got;

	fails(at(-1, NULL, 0), EINVAL, "shmat: no such number");
	fails(at(id + 32768 * 7, NULL, 0), EINVAL, "... nor that");
	fails(at(id, h + 1, 0), EINVAL, "a crooked place");
	fails(at(id, NULL, SHM_REMAP), EINVAL, "SHM_REMAP of nothing");
	fails(at(id, (void *)1, SHM_RND), EPERM, "... rounded down to 0");
	fails(at(id, (void *)1, SHM_RND | SHM_REMAP), EINVAL, "... with SHM_REMAP");
	fails(at(id, h + 7 * PAGE, 0), EINVAL, "a place that is taken in part");
	fails(at(id, (void *)TASK_SIZE, 0), ENOMEM, "beyond the end");
	fails(at(id, (void *)-PAGE, 0), EINVAL, "... of all addresses");
	p = (char *)at(id, h, 0);
	is((long)p, (long)h, "where it is wanted");
	is_str(layout(h, 10), "0-4 rw-s", "... in whole pages");
	ok(area_at((unsigned long)p, &area), "maps");
	is_str(area.name, "/SYSV00000000 (deleted)", "... its name");
	snprintf(name, sizeof(name), "%08lx-%08lx rw-s 00000000 00:01 %ld ", area.start, area.end,
		 id);
	ok(strstr(maps_text, name) != NULL, "... its number as the inode: %s", name);
	is_str(vm_flags(p, "sd"), "rd wr sh mr mw me ms", "... its flags");
	is(faults_of_read(p, &got), 1, "a read fault");
	is(got, 0, "... of zeros");
	is(faults_of_read(p + PAGE, &got), 1, "... each for itself");
	is(faults_of_write(p, 5), 0, "written then");
	is_str(vector(p, 4), "1100", "mincore");
	ok(!is_error((long)q) && q != p, "attached to read");
	is_str(vm_flags(q, "sd"), "rd mr me ms", "... which is for ever");
	fails(raw_mprotect((unsigned long)q, PAGE, RW), EACCES, "... as mprotect finds");
	is(peek(q), 5, "both are the same");
	is(faults_of_read(q + PAGE, &got), 1, "read here, too");
	is(nattch(id), 2, "two");
	is((long)at(id, h + 4 * PAGE + 123, SHM_RND | SHM_EXEC), -EACCES,
	   "SHM_EXEC wants the right");
	is((long)at(id, h + 4 * PAGE + 123, SHM_RND), (long)h + 4 * (long)PAGE, "SHM_RND rounds");
	is_str(layout(h, 10), "0-4 rw-s, 4-8 rw-s", "... and neighbours stay apart");
	is((long)at(id, h + 2 * PAGE, SHM_REMAP), (long)h + 2 * (long)PAGE, "SHM_REMAP replaces");
	is_str(layout(h, 10), "0-2 rw-s, 2-6 rw-s, 6-8 rw-s", "... what was there");
	is(nattch(id), 4, "four areas");
	is(dt(h + 2 * PAGE), 0, "shmdt");
	is_str(layout(h, 10), "0-2 rw-s, 6-8 rw-s", "... of one");
	fails(dt(h + 2 * PAGE), EINVAL, "... once");
	is(dt(h + 4 * PAGE), 0, "... of another, whose start is gone");
	is(dt(h), 0, "... of the first");
	is_str(layout(h, 10), "", "... all gone");
	fails(dt(h + 1), EINVAL, "a crooked one");
	is(nattch(id), 1, "one left");
	is(dt(q), 0, "... taken off");
	ctl(id, IPC_RMID, NULL);
	raw_munmap((unsigned long)h - PAGE, 12 * PAGE);
}

/* --- what is counted ------------------------------------------------------------------------- */

static void times_and_counts(void)
{
	long id = get(key, SIZE, IPC_CREAT | 0640), now = time(NULL);
	struct shmid_ds *ds = stat_of(id);
	char *p;

	is(ds->shm_perm.__ipc_perm_key, key, "IPC_STAT: key");
	is(ds->shm_perm.mode, 0640, "mode");
	ok(ds->shm_perm.uid == geteuid() && ds->shm_perm.cuid == geteuid(), "owner and maker");
	ok(ds->shm_perm.gid == getegid() && ds->shm_perm.cgid == getegid(), "groups");
	is((long)ds->shm_segsz, SIZE, "size");
	ok(ds->shm_nattch == 0 && ds->shm_lpid == 0, "nobody had it attached");
	ok(ds->shm_atime == 0 && ds->shm_dtime == 0, "... ever");
	is(ds->shm_cpid, getpid(), "who made it");
	ok(now - ds->shm_ctime >= 0 && now - ds->shm_ctime < 100, "and when");
	p = (char *)at(id, NULL, 0);
	ds = stat_of(id);
	ok(ds->shm_nattch == 1 && ds->shm_lpid == getpid(), "attached, by whom");
	ok(ds->shm_atime >= ds->shm_ctime && ds->shm_dtime == 0, "... when");
	raw_mprotect((unsigned long)p + PAGE, PAGE, PROT_READ);
	is(nattch(id), 3, "an area that is cut counts as often as there are pieces");
	raw_mprotect((unsigned long)p + PAGE, PAGE, RW);
	is_str(layout(p, 4), "0-1 rw-s, 1-2 rw-s, 2-4 rw-s", "... which don't grow together again");
	raw_munmap((unsigned long)p + PAGE, PAGE);
	is(nattch(id), 2, "a hole");
	fails(dt(p + PAGE), EINVAL, "shmdt in the hole");
	is(dt(p), 0, "shmdt at the start");
	is_str(layout(p, 4), "", "... takes all pieces");
	ds = stat_of(id);
	ok(ds->shm_nattch == 0 && ds->shm_dtime >= ds->shm_atime, "detached, when");

	p = (char *)at(id, NULL, 0);
	raw_munmap((unsigned long)p, PAGE);
	is(dt(p), 0, "shmdt where the first page is gone");
	is(nattch(id), 0, "... takes the rest");
	p = (char *)at(id, NULL, 0);
	p[0] = 9;
	p = (char *)raw_mremap((unsigned long)p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			       (unsigned long)hole(4));
	ok(!is_error((long)p) && peek(p) == 9, "mremap moves it");
	is(nattch(id), 1, "... as one");
	is(dt(p), 0, "... and shmdt finds it there");
	is(nattch(id), 0, "... none");
	ctl(id, IPC_RMID, NULL);
}

/* --- children -------------------------------------------------------------------------------- */

static int child_looks(void)
{
	char *p = (char *)report->n[1];

	report->n[2] = nattch(report->n[0]);
	report->n[3] = peek(p);
	p[1] = 22;
	report->n[4] = dt(p);
	report->n[5] = nattch(report->n[0]);
	at(report->n[0], NULL, 0);
	at(report->n[0], NULL, 0);
	report->n[6] = nattch(report->n[0]);
	report->n[7] = stat_of(report->n[0])->shm_lpid == getpid();
	return 0;
}

static int after_exec(int argc, char **argv)
{
	return nattch(atol(argv[2])) == 1 ? 0 : 1;
}

static void children(void)
{
	long id = get(IPC_PRIVATE, SIZE, 0600);
	char *p = (char *)at(id, NULL, 0), text[20];
	pid_t pid;

	p[0] = 11;
	report->n[0] = id;
	report->n[1] = (long)p;
	is(in_child(child_looks), 0, "a child");
	is(report->n[2], 2, "... has it attached, too");
	is(report->n[3], 11, "... with what is in it");
	is(report->n[4], 0, "... lets go of it");
	is(report->n[5], 1, "... for itself");
	is(report->n[6], 3, "... attaches it twice");
	is(report->n[7], 1, "... and is known for it");
	is(nattch(id), 1, "... and its end takes them off");
	is(peek(p + 1), 22, "what it wrote is there");
	snprintf(text, sizeof(text), "%ld", id);
	pid = vfork();
	if (pid == 0) {
		char *const args[] = { (char *)tap.path, "exec", text, NULL };

		execv(tap.path, args);
		_exit(127);
	}
	is(wait_status(pid), 0, "exec takes it off");

	is(ctl(id, IPC_RMID, NULL), 0, "IPC_RMID while it is attached");
	is(stat_of(id)->shm_perm.mode, 01600, "... marks it");
	is(p[0], 11, "... and leaves it");
	p = (char *)at(id, NULL, 0);
	is(p[0], 11, "it can be attached still");
	is(dt(p), 0, "... and detached");
	is(nattch(id), 1, "... while somebody has it");
	is(dt((char *)report->n[1]), 0, "the last one");
	fails(ctl(id, IPC_STAT, stat_of(0)), EINVAL, "... ends it");
	id = get(key, SIZE, IPC_CREAT | 0600);
	p = (char *)at(id, NULL, 0);
	ctl(id, IPC_RMID, NULL);
	fails(get(key, 0, 0), ENOENT, "its key is free at once");
	is(stat_of(id)->shm_perm.__ipc_perm_key, IPC_PRIVATE, "... as it has none any more");
	raw_munmap((unsigned long)p, SIZE);
	fails(ctl(id, IPC_RMID, NULL), EINVAL, "munmap ends it as well");
}

/* --- shmctl ---------------------------------------------------------------------------------- */

/* The line of a segment in /proc/sysvipc/shm, without its times. */
static const char *proc_line(long id)
{
	static char line[400];
	char *from, *end;

	if (!proc_read("/proc/sysvipc/shm"))
		return "no file";
	snprintf(line, sizeof(line), " %10ld  ", id);
	from = strstr(proc_text, line);
	if (!from)
		return "no line";
	end = strchr(from, '\n');
	snprintf(line, sizeof(line), "%.*s", (int)(end - from + 10), from - 10);
	/* Times are right behind the ids: three of 10 digits. */
	if (strlen(line) > 158)
		memset(line + 93, 'T', 32);
	return line;
}

static void controlling(void)
{
	long id = get(key, SIZE + 1, IPC_CREAT | 0600), index, before;
	struct shminfo limits;
	struct shm_info info;
	struct shmid_ds ds;
	char *p = (char *)at(id, NULL, 0), want[300];

	ds = *stat_of(id);
	ds.shm_perm.mode = 07666;
	ds.shm_segsz = 1;
	is(ctl(id, IPC_SET, &ds), 0, "IPC_SET");
	is(stat_of(id)->shm_perm.mode, 0666, "... the mode");
	is((long)stat_of(id)->shm_segsz, (long)SIZE + 1, "... and not the size");
	ds.shm_perm.uid = -1;
	fails(ctl(id, IPC_SET, &ds), EINVAL, "... not to nobody at all");
	fails(ctl(id, IPC_SET, NULL), EFAULT, "... not from nowhere");
	fails(ctl(id + 1, IPC_SET, NULL), EFAULT, "... which is said first");
	fails(ctl(id, IPC_STAT, NULL), EFAULT, "IPC_STAT to nowhere");
	fails(ctl(id + 1, IPC_STAT, NULL), EINVAL, "... of nothing");
	fails(ctl(-1, IPC_INFO, &limits), EINVAL, "a number below 0");
	fails(ctl(id, -1, &limits), EINVAL, "a command below 0");
	fails(ctl(id, 0x100 | IPC_STAT, &ds), EINVAL, "... and one for 32-bit programs");

	index = ctl(0, IPC_INFO, &limits);
	ok(index >= id % 32768, "IPC_INFO: the highest place");
	ok(limits.shmmax == -1UL - (1UL << 24) && limits.shmall == limits.shmmax, "limits of size");
	ok(limits.shmmni == 4096 && limits.shmseg == 4096 && limits.shmmin == 1, "... and number");
	fails(ctl(0, IPC_INFO, NULL), EFAULT, "... to nowhere");
	p[0] = p[PAGE] = 1;
	is(ctl(0, SHM_INFO, &info), index, "SHM_INFO likewise");
	is(info.used_ids, 1, "one there is");
	is(*(long *)((char *)&info + 8), 5, "... of five pages");
	is(*(long *)((char *)&info + 16), 2, "... two in memory");
	is(ctl(id % 32768, SHM_STAT, &ds), id, "SHM_STAT goes by place");
	is(ds.shm_perm.mode, 0666, "... and tells the same");
	is(ctl(id % 32768, 15 /* SHM_STAT_ANY */, &ds), id, "SHM_STAT_ANY too");
	fails(ctl(id % 32768 + 1, SHM_STAT, &ds), EINVAL, "... where there is one");

	proc_read("/proc/sysvipc/shm");
	*strchr(proc_text, '\n') = '\0';
	is_str(proc_text,
	       "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  "
	       "cuid  cgid      atime      dtime      ctime                   rss                  swap",
	       "/proc/sysvipc/shm: its head");
	snprintf(want, sizeof(want),
		 "%10d %10ld  %4o %21lu %5d %5d  %5d %5u %5u %5u %5u "
		 "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT %21lu %21d",
		 key, id, 0666, SIZE + 1, getpid(), getpid(), 1, geteuid(), getegid(), geteuid(),
		 getegid(), 2 * PAGE, 0);
	is_str(proc_line(id), want, "... its line");

	before = status("VmLck");
	is(ctl(id, SHM_LOCK, NULL), 0, "SHM_LOCK");
	is(stat_of(id)->shm_perm.mode, 02666, "... marks it");
	is(ctl(id, SHM_LOCK, NULL), 0, "... again");
	is(status("VmLck"), before, "... and is nobody's locked memory");
	is(ctl(id, SHM_UNLOCK, NULL), 0, "SHM_UNLOCK");
	is(ctl(id, SHM_UNLOCK, NULL), 0, "... again");
	is(stat_of(id)->shm_perm.mode, 0666, "... takes the mark off");
	limit(RLIMIT_MEMLOCK, 4 * PAGE);
	fails(ctl(id, SHM_LOCK, NULL), ENOMEM, "SHM_LOCK of more than RLIMIT_MEMLOCK");
	limit(RLIMIT_MEMLOCK, 5 * PAGE);
	is(ctl(id, SHM_LOCK, NULL), 0, "... of as much");
	index = get(IPC_PRIVATE, 1, 0600);
	fails(ctl(index, SHM_LOCK, NULL), ENOMEM, "... it counts for all segments");
	is(ctl(id, SHM_UNLOCK, NULL), 0, "... until it is unlocked");
	is(ctl(index, SHM_LOCK, NULL), 0, "then others may");
	ctl(index, IPC_RMID, NULL);
	is(ctl(id, SHM_LOCK, NULL), 0, "... or until it ends");
	limit(RLIMIT_MEMLOCK, 0);
	fails(ctl(id, SHM_LOCK, NULL), EPERM, "with a limit of 0 nobody may");
	fails(ctl(-1, SHM_LOCK, NULL), EINVAL, "... what isn't there");
	is(ctl(id, SHM_UNLOCK, NULL), 0, "unlocking needs no limit");
	dt(p);
	ctl(id, IPC_RMID, NULL);
}

static const struct mode modes[] = { { "exec", after_exec }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	become_nobody();
	key = 0x7e55 << 12 | (getpid() & 0xfff);
	forks_start();
	getting();
	numbers();
	attaching();
	times_and_counts();
	children();
	controlling();
	return done_testing();
}
