/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * Who may look into whom: the files of /proc/PID and process_vm_readv, asked by processes of several
 * users about processes of several users. And what makes a process one that others may not look into.
 */
#include "procs.h"
#include <dirent.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define CAP_DAC_OVERRIDE 1
#define CAP_SYS_PTRACE	 19
#define CAP(n)		 (1UL << (n))
#define ALL		 (~0UL)

static volatile int *words;

struct identity {
	const char *name;
	int uid, gid;
	unsigned long caps;
	int dumpable;
};

/* From root to somebody else, with what is left of all capabilities. */
static int become(const struct identity *who)
{
	struct {
		unsigned int version;
		int pid;
	} head = { 0x20080522, 0 };
	unsigned int data[6] = { 0 };
	unsigned long caps = who->caps & ((1UL << 41) - 1);

	/* What the kernel has not, nobody can keep. */
	if (raw(SYS_capget, &head, data) != 0)
		return -1;
	caps &= data[1] | (unsigned long)data[4] << 32;
	raw(SYS_prctl, PR_SET_KEEPCAPS, 1);
	raw(SYS_setgroups, 0, NULL);
	raw(SYS_setresgid, who->gid, who->gid, who->gid);
	raw(SYS_setresuid, who->uid, who->uid, who->uid);
	data[0] = data[1] = caps;
	data[3] = data[4] = caps >> 32;
	data[2] = data[5] = 0;
	if (raw(SYS_capset, &head, data) != 0)
		return -1;
	raw(SYS_prctl, PR_SET_DUMPABLE, who->dumpable);
	return 0;
}

/* --- one looks at another --------------------------------------------------------------------- */

static long open_as(pid_t pid, const char *name, int flags)
{
	char path[64];
	long fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = raw(SYS_open, path, flags);
	if (fd >= 0)
		raw(SYS_close, fd);
	return fd < 0 ? fd : 0;
}

static long follow(pid_t pid, const char *name)
{
	char path[64], to[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return raw(SYS_readlink, path, to, sizeof(to));
}

static long list(pid_t pid, const char *name)
{
	char path[64], entries[512];
	long fd, n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = raw(SYS_open, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	n = raw(SYS_getdents64, fd, entries, sizeof(entries));
	raw(SYS_close, fd);
	return n;
}

static long read_memory(pid_t pid)
{
	static char there = 1;
	char here;
	struct iovec l = { &here, 1 }, r = { &there, 1 };

	return raw(SYS_process_vm_readv, pid, &l, 1, &r, 1, 0);
}

static char letter(long n)
{
	return n >= 0 ? '.' : n == -EACCES ? 'a' : n == -EPERM ? 'p' : n == -ESRCH ? 's' : '?';
}

/*
 * One letter for each way to look: '.' it is allowed, 'a' EACCES, 'p' EPERM. In this order: maps smaps
 * smaps_rollup pagemap auxv environ mem, mem to write, clear_refs to write, comm to write, the links
 * exe, cwd, root, fd/0; what is in fd, fdinfo, task, map_files; fdinfo/0; stat status cmdline;
 * process_vm_readv and get_robust_list.
 */
static void look(pid_t pid, char *to)
{
	static const char *const reads[] = { "maps", "smaps",	"smaps_rollup", "pagemap",
					     "auxv", "environ", "mem" };
	static const char *const writes[] = { "mem", "clear_refs", "comm" };
	static const char *const links[] = { "exe", "cwd", "root", "fd/0" };
	static const char *const dirs[] = { "fd", "fdinfo", "task", "map_files" };
	static const char *const others[] = { "fdinfo/0", "stat", "status", "cmdline" };
	unsigned long head, len;

	for (size_t i = 0; i < COUNT(reads); i++)
		*to++ = letter(open_as(pid, reads[i], O_RDONLY));
	*to++ = ' ';
	for (size_t i = 0; i < COUNT(writes); i++)
		*to++ = letter(open_as(pid, writes[i], O_WRONLY));
	*to++ = ' ';
	for (size_t i = 0; i < COUNT(links); i++)
		*to++ = letter(follow(pid, links[i]));
	*to++ = ' ';
	for (size_t i = 0; i < COUNT(dirs); i++)
		*to++ = letter(list(pid, dirs[i]));
	*to++ = ' ';
	for (size_t i = 0; i < COUNT(others); i++)
		*to++ = letter(open_as(pid, others[i], O_RDONLY));
	*to++ = ' ';
	*to++ = letter(read_memory(pid));
	*to++ = letter(raw(SYS_get_robust_list, pid, &head, &len));
	*to = '\0';
}

static char *text; /* shared: what was seen */

/* Becomes the one and looks at the process; 0: at itself. */
static void look_as(const struct identity *who, pid_t subject)
{
	pid_t pid = raw(SYS_fork);

	if (pid == 0) {
		strcpy(text, "can't become it");
		if (become(who) == 0)
			look(subject ? subject : my_pid(), text);
		raw(SYS_exit_group, 0);
	}
	status_of(pid);
}

static pid_t start_subject(const struct identity *who)
{
	pid_t pid;

	words[0] = words[1] = 0;
	pid = raw(SYS_fork);
	if (pid == 0) {
		if (become(who) == 0)
			words[0] = 1;
		raw(SYS_exit_group, await(&words[1], 1) ? 0 : 1);
	}
	await(&words[0], 1);
	return pid;
}

static const struct identity subjects[] = {
	{ "a user", 1000, 1000, 0, 1 },
	{ "one not dumpable", 1000, 1000, 0, 0 },
	{ "one of another group", 1000, 1001, 0, 1 },
	{ "another user", 1001, 1000, 0, 1 },
	{ "one with a capability", 1000, 1000, CAP(CAP_DAC_OVERRIDE), 1 },
	{ "root", 0, 0, ALL, 1 },
};

static const struct identity lookers[] = {
	{ "a user", 1000, 1000, 0, 1 },
	{ "one not dumpable", 1000, 1000, 0, 0 },
	{ "one who may override files", 1000, 1000, CAP(CAP_DAC_OVERRIDE), 1 },
	{ "one who may trace", 1000, 1000, CAP(CAP_SYS_PTRACE), 1 },
	{ "root without that", 0, 0, ALL & ~CAP(CAP_SYS_PTRACE), 1 },
	{ "root", 0, 0, ALL, 1 },
};

/* Of each subject, what each looker may see: as look() says it. */
static const char *const visible[COUNT(subjects)][COUNT(lookers)] = {
	{
		"....... ... .... .... .... ..",
		"....... ... .... .... .... ..",
		"....... ... .... .... .... ..",
		"....... ... .... .... .... ..",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
	},
	{
		"aaaaaaa aaa aaaa aa.a a... pp",
		"aaaaaaa aaa aaaa aa.a a... pp",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"...aaaa aaa ...a a..a .... ..",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
	},
	{
		"aaaaaaa a.. aaaa .a.. a... pp",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
	},
	{
		"aaaaaaa aaa aaaa aa.a a... pp",
		"aaaaaaa aaa aaaa aa.a a... pp",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"...aaaa aaa ...a a..a .... ..",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
	},
	{
		"aaaaaaa a.. aaaa .a.. a... pp",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
		"....... ... .... .... .... ..",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
	},
	{
		"aaaaaaa aaa aaaa aa.a a... pp",
		"aaaaaaa aaa aaaa aa.a a... pp",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"...aaaa aaa ...a a..a .... ..",
		"aaaaaaa a.. aaaa .a.. a... pp",
		"....... ... .... .... .... ..",
	},
};

static const char *const visible_self[COUNT(lookers)] = {
	"....... ... .... .... .... ..", "...aaaa aaa .... .... .... ..",
	"....... ... .... .... .... ..", "....... ... .... .... .... ..",
	"....... ... .... .... .... ..", "....... ... .... .... .... ..",
};

static void everyone(void)
{
	for (size_t i = 0; i < COUNT(subjects); i++) {
		pid_t pid = start_subject(&subjects[i]);

		for (size_t j = 0; j < COUNT(lookers); j++) {
			look_as(&lookers[j], pid);
			is_str(text, visible[i][j], "%s, seen by %s", subjects[i].name,
			       lookers[j].name);
		}
		words[1] = 1;
		is(status_of(pid), 0, "%s is gone", subjects[i].name);
	}
	for (size_t j = 0; j < COUNT(lookers); j++) {
		look_as(&lookers[j], 0);
		is_str(text, visible_self[j], "%s, seen by itself", lookers[j].name);
	}
}

/* --- whose the files are ----------------------------------------------------------------------- */

static long owner(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return lstat(path, &st) == 0 ? (long)st.st_uid * 10000 + st.st_gid : -errno;
}

static void owners(const struct identity *who, long want)
{
	static const char *const names[] = { "maps", "mem", "stat", "fd", "fd/0", "exe" };
	static const char *const dirs[] = { "", "task", "fdinfo" };
	pid_t pid = start_subject(who);

	for (size_t i = 0; i < COUNT(names); i++)
		is(owner(pid, names[i]), want, "%s: owner of %s", who->name, names[i]);
	for (size_t i = 0; i < COUNT(dirs); i++)
		is(owner(pid, dirs[i]), 10001000, "... of the directory %s", dirs[i]);
	words[1] = 1;
	ok(UNTIL(state_of(pid) == 'Z'), "... it ends");
	is(owner(pid, "stat"), 0, "of a zombie it is root");
	is(owner(pid, ""), 10001000, "... but of the directory");
	status_of(pid);
}

/* --- what makes one not dumpable ---------------------------------------------------------------- */

static long is_dumpable(void)
{
	return raw(SYS_prctl, PR_GET_DUMPABLE);
}

/* Its exit status tells. */
static int tell(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 40 + is_dumpable();
}

static int changes(void *arg)
{
	(void)arg;
	NEED_IS(is_dumpable(), 1);
	NEED_IS(raw(SYS_setresuid, 0, 0, 0), 0);
	NEED_IS(is_dumpable(), 1);
	NEED_IS(raw(SYS_setgroups, 0, NULL), 0);
	NEED_IS(is_dumpable(), 1);
	NEED_IS(raw(SYS_setfsgid, 5), 0);
	NEED_IS(is_dumpable(), 0);
	raw(SYS_prctl, PR_SET_DUMPABLE, 1);
	NEED_IS(raw(SYS_setfsuid, 5), 0);
	NEED_IS(is_dumpable(), 0);
	raw(SYS_setfsuid, 0);
	raw(SYS_prctl, PR_SET_DUMPABLE, 1);
	NEED_IS(raw(SYS_setresgid, 5, -1, 5), 0);
	NEED_IS(is_dumpable(), 0);
	raw(SYS_prctl, PR_SET_DUMPABLE, 1);
	NEED_IS(raw(SYS_setresuid, 5, -1, 5), 0);
	NEED_IS(is_dumpable(), 1);
	NEED_IS(raw(SYS_setresuid, -1, 5, -1), 0);
	NEED_IS(is_dumpable(), 0);
	return 0;
}

static int inherited(void *arg)
{
	(void)arg;
	raw(SYS_prctl, PR_SET_DUMPABLE, 0);
	if (raw(SYS_fork) == 0)
		raw(SYS_exit_group, is_dumpable() == 0 ? 0 : 1);
	return status_of(-1) == -ECHILD ? 1 : 0;
}

/* Memory that is shared has one answer. */
static int by_vfork(void *arg)
{
	(void)arg;
	if (vfork() == 0) {
		raw(SYS_prctl, PR_SET_DUMPABLE, 0);
		raw(SYS_exit_group, 0);
	}
	NEED_IS(is_dumpable(), 0);
	return 0;
}

/* The program that tells, as the path says, by a user. arg: with another effective one. */
static int execute(const char *path, bool lent)
{
	char *argv[] = { (char *)tap.path, "tell", NULL }, *none[] = { NULL };
	pid_t pid = raw(SYS_fork);

	if (pid == 0) {
		raw(SYS_setresgid, 1000, 1000, 1000);
		raw(SYS_setresuid, 1000, lent ? 1001 : 1000, 1000);
		raw(SYS_execve, path, argv, none);
		raw(SYS_exit_group, 1);
	}
	return status_of(pid) >> 8;
}

/* A copy of this program that can be run and not read. */
static bool copy_self(const char *to)
{
	static char buf[16 * PAGE];
	int from = open("/proc/self/exe", O_RDONLY);
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, n) != n)
			return false;
	close(from);
	return n == 0 && fchmod(fd, 0711) == 0 && close(fd) == 0;
}

static void by_exec(void)
{
	is(execute(tap.path, false), 41, "exec makes it dumpable again");
	is(execute(tap.path, true), 40, "... not with the rights of somebody else");
	ok(copy_self("/tmp/gup_root.x"), "a program that can't be read");
	is(execute("/tmp/gup_root.x", false), 40, "... isn't dumpable");
	unlink("/tmp/gup_root.x");
}

static const struct mode modes[] = { { "tell", tell }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	if (!am_root())
		skip_all("needs to be root");
	words = shared_words();
	text = (char *)(words + 16);
	everyone();
	owners(&subjects[0], 10001000);
	owners(&subjects[1], 0);
	child_ok(changes, "another id makes it not dumpable");
	child_ok(inherited, "a child inherits it");
	child_ok(by_vfork, "who shares the memory shares it");
	by_exec();
	return done_testing();
}
