/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Programs with rights that their files lend: set-user-ID, set-group-ID, and when they lend none. */
#include "procs.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PROGRAM "/tmp/exec_suid.program"
#define SCRIPT	"/tmp/exec_suid.script"

struct report {
	int ids[6]; /* user, then group: real, effective, saved */
	int secure, pdeath, dumpable, personality, readable;
	long stack;
	unsigned long place, caps;
};

/* capget(2) and capset(2): version 3, and oneself. */
static unsigned int cap_head[2] = { 0x20080522, 0 };

static struct report *found;
static bool stay_root; /* for the next run() */

/* What the program that was executed finds; through its standard output. */
static int child(void)
{
	struct report r = { .secure = (int)getauxval(AT_SECURE) };
	unsigned int caps[6] = { 0 };
	struct rlimit limit;

	raw(SYS_getresuid, &r.ids[0], &r.ids[1], &r.ids[2]);
	raw(SYS_getresgid, &r.ids[3], &r.ids[4], &r.ids[5]);
	prctl(PR_GET_PDEATHSIG, &r.pdeath);
	r.dumpable = prctl(PR_GET_DUMPABLE);
	r.personality = (int)raw(SYS_personality, 0xffffffffUL);
	getrlimit(RLIMIT_STACK, &limit);
	r.stack = (long)limit.rlim_cur;
	r.place = (unsigned long)&r & -(1UL << 20);
	raw(SYS_capget, cap_head, caps);
	r.caps = caps[1] | (unsigned long)caps[4] << 32;
	return write(1, &r, sizeof(r)) != sizeof(r);
}

static void (*before)(void);

/* Runs a file as user 2000 of group 3000, after `before`. */
static void run(const char *path)
{
	int fds[2], status;
	pid_t pid;

	memset(found, 0xff, sizeof(*found));
	if (pipe(fds))
		return;
	pid = fork();
	if (!pid) {
		char *argv[] = { (char *)path, "child", NULL }, *env[] = { NULL };

		dup2(fds[1], 1);
		raw(SYS_setgroups, 0, NULL);
		if (!stay_root) {
			raw(SYS_setresgid, 3000, 3000, 3000);
			raw(SYS_setresuid, 2000, 2000, 2000);
		}
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		if (before)
			before();
		execve(path, argv, env);
		_exit(99);
	}
	close(fds[1]);
	if (read(fds[0], found, sizeof(*found)) < 0)
		diag("read: %d", errno);
	close(fds[0]);
	waitpid(pid, &status, 0);
	before = NULL;
	stay_root = false;
}

static void expect(const char *what, int euid, int egid, int secure)
{
	ok(found->ids[0] == 2000 && found->ids[1] == euid && found->ids[2] == euid,
	   "%s: user %d %d %d", what, found->ids[0], found->ids[1], found->ids[2]);
	ok(found->ids[3] == 3000 && found->ids[4] == egid && found->ids[5] == egid,
	   "%s: group %d %d %d", what, found->ids[3], found->ids[4], found->ids[5]);
	is(found->secure, secure, "%s: AT_SECURE", what);
	is(found->dumpable, euid == 2000 && egid == 3000, "%s: dumpable", what);
	is(found->pdeath, secure ? 0 : SIGUSR1, "%s: the parent's death signal", what);
}

static void with(int mode)
{
	if (chown(PROGRAM, 1000, 1001) || chmod(PROGRAM, mode))
		diag("chmod: %d", errno);
	run(PROGRAM);
}

static void no_new_privs(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void be_legacy(void)
{
	raw(SYS_personality, ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT);
}

static void large_stack(void)
{
	setrlimit(RLIMIT_STACK, &(struct rlimit){ 64 << 20, 64 << 20 });
}

/* A process that only shares the working directory. */
static void share_fs(void)
{
	if (raw(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() != 1)
			pause();
		_exit(0);
	}
}

static void borrowed(void)
{
	raw(SYS_setresuid, -1, -1, 2000);
}

/* What root has given up comes back with a program, unless he wants no more than he has. */
static void powerless(void)
{
	unsigned int none[6] = { 0 };

	raw(SYS_capset, cap_head, none);
}

static void powerless_for_ever(void)
{
	no_new_privs();
	powerless();
}

static void half_root(void)
{
	raw(SYS_setresuid, 2000, 0, 0);
}

static void root_gives_up(void)
{
	before = powerless;
	stay_root = true;
	with(0755);
	ok(found->caps != 0, "root's capabilities come back");
	is(found->dumpable, 0, "... not to be looked at");
	before = powerless_for_ever;
	stay_root = true;
	with(0755);
	is((long)found->caps, 0, "but not with no new privileges");
	is(chown(PROGRAM, 2000, 3000) || chmod(PROGRAM, 04755), 0, "a program of another's");
	before = half_root;
	stay_root = true;
	run(PROGRAM);
	ok(found->ids[1] == 2000 && found->secure == 0, "with effective ids given back");
	is(found->dumpable, 0, "... isn't to be looked at");
}

/* Field 28 of /proc/pid/stat: where its stack begins, for who may know. */
static unsigned long start_stack(int fd)
{
	static char text[1024];
	unsigned long at = 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *p = n > 0 ? strrchr(text, ')') : NULL;

	for (int field = 2; p && field < 28; field++)
		p = strchr(p + 1, ' ');
	if (p)
		sscanf(p, "%lu", &at);
	return at;
}

/* User 2000 has opened a file of /proc about a program of his, which then executes another one. */
static int watcher(void)
{
	char *argv[] = { PROGRAM, "child", NULL }, path[64] = "";
	int out[2], go[2], stat;
	struct report r;
	pid_t pid;

	raw(SYS_setresuid, 2000, 2000, 2000);
	prctl(PR_SET_DUMPABLE, 1);
	if (pipe(out) || pipe(go))
		return 1;
	pid = fork();
	if (!pid) {
		/* It fills the pipe, so that what is executed waits. */
		fcntl(out[1], F_SETFL, O_NONBLOCK);
		while (write(out[1], path, 1) == 1)
			;
		fcntl(out[1], F_SETFL, 0);
		dup2(out[1], 1);
		if (read(go[0], path, 1) == 1)
			execve(PROGRAM, argv, argv + 2);
		_exit(99);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = open(path, O_RDONLY);
	if (!start_stack(stat) || write(go[1], path, 1) != 1)
		return 2;
	/* Its name changes with what it executes; and then it sleeps. */
	while (pread(stat, path, sizeof(path) - 1, 0) > 0 && !strstr(path, "(exec_suid.progr) S"))
		usleep(1000);
	go[0] = start_stack(stat) ? 3 : 0;
	while (read(out[0], &r, 1) == 1 && kill(pid, 0) == 0)
		if (waitpid(pid, NULL, WNOHANG) == pid)
			break;
	return go[0];
}

static void watched(void)
{
	int status = -1;
	pid_t pid;

	with(0755);
	pid = fork();
	if (!pid)
		_exit(watcher());
	waitpid(pid, &status, 0);
	is(status, 3 << 8, "a file of /proc that is open tells of a program that is executed");
	with(04755);
	pid = fork();
	if (!pid)
		_exit(watcher());
	waitpid(pid, &status, 0);
	is(status, 0, "but not where it lies if it lends rights");
}

/* Whoever lets a program be where it always is, has no such say when it lends rights. */
static void places(void)
{
	unsigned long usual;
	char was[8] = "0";
	int fd = open("/proc/sys/kernel/randomize_va_space", O_RDWR);

	is(read(fd, was, sizeof(was)) > 0 && pwrite(fd, "2", 1, 0) == 1, 1, "addresses are random");
	before = be_legacy;
	with(0755);
	usual = found->place;
	before = be_legacy;
	with(0755);
	is((long)found->place, (long)usual, "not if one asks for it");
	before = be_legacy;
	with(04755);
	ok(found->place != usual, "but they are in a program that lends rights");
	pwrite(fd, was, 1, 0);
	close(fd);
}

static void modes(void)
{
	with(0755);
	expect("plain", 2000, 3000, 0);
	with(04755);
	expect("set-user-ID", 1000, 3000, 1);
	with(02755);
	expect("set-group-ID", 2000, 1001, 1);
	with(06755);
	expect("both", 1000, 1001, 1);
	with(02745);
	expect("set-group-ID that the group can't execute", 2000, 3000, 0);
	with(04711);
	expect("one that can't be read", 1000, 3000, 1);
	is(chown(PROGRAM, 2000, 3000) || chmod(PROGRAM, 06755), 0, "to the caller himself");
	run(PROGRAM);
	expect("lent by oneself", 2000, 3000, 0);
	is(chown(PROGRAM, 0, 0) || chmod(PROGRAM, 04755), 0, "to root");
	run(PROGRAM);
	expect("root's", 0, 3000, 1);
}

static void refused(void)
{
	before = no_new_privs;
	with(06755);
	expect("no new privileges", 2000, 3000, 0);
	before = share_fs;
	with(06755);
	expect("a shared working directory", 2000, 3000, 1);
	before = borrowed;
	with(04755);
	expect("other ids saved", 1000, 3000, 1);
}

static void cleared(void)
{
	before = be_legacy;
	with(0755);
	is(found->personality, ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT, "personality stays");
	before = be_legacy;
	with(04755);
	is(found->personality, 0, "but not with lent rights");
	before = large_stack;
	with(0755);
	is(found->stack, 64 << 20, "a large stack stays");
	before = large_stack;
	with(04755);
	is(found->stack, 8 << 20, "but not with lent rights");
}

/* Of a script nothing is lent; of its interpreter it is. */
static void scripts(void)
{
	static const char text[] = "#!" PROGRAM " child\n";
	int fd = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (write(fd, text, sizeof(text) - 1) < 0)
		diag("write: %d", errno);
	close(fd);
	if (chown(SCRIPT, 1002, 1003) || chmod(SCRIPT, 06755) || chown(PROGRAM, 1000, 1001) ||
	    chmod(PROGRAM, 0755))
		diag("chmod: %d", errno);
	run(SCRIPT);
	expect("a script", 2000, 3000, 0);
	if (chmod(PROGRAM, 04755))
		diag("chmod: %d", errno);
	run(SCRIPT);
	expect("a script's interpreter", 1000, 3000, 1);
}

static int copy_self(void)
{
	static char buf[65536];
	int from = open("/proc/self/exe", O_RDONLY), to = open(PROGRAM, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) != n)
			return -1;
	}
	close(from);
	return close(to);
}

int main(int argc, char **argv)
{
	static struct report r;

	(void)argv;
	if (argc > 1)
		return child();
	if (raw(SYS_geteuid) != 0)
		skip_all("needs root");
	found = &r;
	unlink(PROGRAM);
	is(copy_self(), 0, "a program to lend rights to");
	modes();
	refused();
	cleared();
	scripts();
	root_gives_up();
	watched();
	places();
	unlink(PROGRAM);
	unlink(SCRIPT);
	return done_testing();
}
