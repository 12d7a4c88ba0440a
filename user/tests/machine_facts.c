/* SPDX-License-Identifier: MIT */
/* runs as root */
/* What programs ask of the machine: sysinfo(2), getcwd(2), files of /proc/sys/kernel, /etc/passwd. */
#include "procs.h"
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static volatile int *words;
static bool root;

#define MANY 4000UL /* pages */

static struct sysinfo info_now(void)
{
	struct sysinfo info;

	memset(&info, 0xee, sizeof(info));
	if (raw(SYS_sysinfo, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

/* A line "NAME: N kB" of /proc/meminfo, in bytes. */
static unsigned long meminfo(const char *name)
{
	static char text[4096];
	char key[32], *at;

	snprintf(key, sizeof(key), "\n%s:", name);
	text[0] = '\n';
	read_small("/proc/meminfo", text + 1, sizeof(text) - 1);
	at = strstr(text, key);
	return at ? strtoul(at + strlen(key), NULL, 10) * 1024 : 1;
}

static const char *word_of(const char *path)
{
	static char text[256];

	read_small(path, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* --- sysinfo -------------------------------------------------------------------------------------- */

static int live(void *arg)
{
	return await((volatile int *)arg, 1) ? 0 : 1;
}

static void sizes(void)
{
	struct sysinfo info = info_now(), more;
	char *shared;

	is(raw(SYS_sysinfo, 8), -EFAULT, "sysinfo to nowhere: EFAULT");
	is(raw(SYS_sysinfo, NULL), -EFAULT, "to NULL: EFAULT");
	is(info.mem_unit, 1, "it counts bytes");
	is(info.totalram, meminfo("MemTotal"), "all memory is what meminfo says");
	ok(info.freeram > 0 && info.freeram < info.totalram, "some of it is free");
	is(info.totalswap, meminfo("SwapTotal"), "swap too");
	is(info.freeswap, meminfo("SwapFree"), "and what is free of it");
	is(info.totalhigh | info.freehigh, 0, "there is no high memory");
	/* Linux's counts are late by some pages for each processor. */
	shared = (char *)raw(SYS_mmap, 0, MANY * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	touch(shared, MANY);
	more = info_now();
	ok(more.sharedram - info.sharedram > MANY * PAGE / 2 &&
		   more.sharedram - info.sharedram < MANY * PAGE * 2,
	   "shared memory counts");
	ok(info.freeram > more.freeram, "and takes what was free");
	raw(SYS_munmap, shared, MANY * PAGE);
	ok(info_now().sharedram < info.sharedram + MANY * PAGE / 2, "until it is gone");
}

static void times(void)
{
	struct timespec before, after;
	struct sysinfo info;
	unsigned long whole, part;

	raw(SYS_clock_gettime, CLOCK_BOOTTIME, &before);
	info = info_now();
	raw(SYS_clock_gettime, CLOCK_BOOTTIME, &after);
	ok(info.uptime >= before.tv_sec && info.uptime <= after.tv_sec + 1, "the time since boot");
	for (int i = 0; i < 3; i++)
		ok(info.loads[i] < 1000UL << 16, "load %d is a load", i);
	sscanf(word_of("/proc/loadavg"), "%lu.%lu", &whole, &part);
	info = info_now();
	ok(labs((long)(info.loads[0] * 100 >> 16) - (long)(whole * 100 + part)) < 50,
	   "and about that of /proc/loadavg");
}

static void processes(void)
{
	unsigned int before = info_now().procs;
	pid_t pids[10];

	words[0] = 0;
	for (int i = 0; i < 10; i++)
		pids[i] = fork_child(live, (void *)&words[0]);
	/* Threads of a kernel's own may come and go. */
	ok(info_now().procs >= before + 7, "ten children count");
	words[0] = 1;
	for (int i = 0; i < 10; i++)
		status_of(pids[i]);
	ok(before >= 1 && info_now().procs < before + 7, "and then no more");
}

/* --- getcwd --------------------------------------------------------------------------------------- */

static long cwd(void *buf, unsigned long size)
{
	return raw(SYS_getcwd, buf, size);
}

static void directories(void)
{
	char buf[300], name[64], deep[260];
	long len;

	snprintf(name, sizeof(name), "/tmp/facts.%d", (int)my_pid());
	len = (long)strlen(name);
	mkdir(name, 0755);
	is(raw(SYS_chdir, name), 0, "a directory");
	is(cwd(buf, sizeof(buf)), len + 1, "getcwd: the length with a zero");
	is_str(buf, name, "its name");
	is(cwd(buf, len + 1), len + 1, "that room is enough");
	is(cwd(buf, len), -ERANGE, "one byte less isn't: ERANGE");
	is(cwd(buf, 1), -ERANGE, "nor is one byte");
	is(cwd(buf, 0), -ERANGE, "nor none");
	is(cwd(NULL, 0), -ERANGE, "to NULL as well");
	is(cwd(NULL, 1), -ERANGE, "whatever is too short");
	is(cwd(NULL, sizeof(buf)), -EFAULT, "NULL with room: EFAULT");
	is(cwd((void *)8, -1), -EFAULT, "8 with all the room there is: EFAULT");
	is(cwd(buf, -1), len + 1, "a buffer of that size");
	memset(deep, 'd', 255);
	deep[255] = '\0';
	mkdir(deep, 0755);
	raw(SYS_chdir, deep);
	is(cwd(buf, sizeof(buf)), len + 257, "a directory with a long name");
	ok(strcmp(buf + len + 1, deep) == 0, "all of it");
	raw(SYS_chdir, "..");
	rmdir(deep);
	is(raw(SYS_rmdir, name), 0, "the directory goes");
	is(cwd(buf, sizeof(buf)), -ENOENT, "it has no name: ENOENT");
	is(cwd(buf, 1), -ENOENT, "also without room");
	raw(SYS_chdir, "/");
	is(cwd(buf, 2), 2, "the root needs two bytes");
	is_str(buf, "/", "is /");
}

/* --- /proc/sys/kernel ----------------------------------------------------------------------------- */

#define SYS_KERNEL "/proc/sys/kernel/"

static long put(const char *path, const char *text)
{
	long fd = raw(SYS_open, path, O_WRONLY), n;

	if (fd < 0)
		return fd;
	n = raw(SYS_write, fd, text, strlen(text));
	raw(SYS_close, fd);
	return n;
}

static int modes_of(const char *path)
{
	struct stat st = { 0 };

	stat(path, &st);
	return st.st_mode & 07777;
}

static void settings(void)
{
	static const char *const rw[] = { "pid_max", "shmmax", "shmmni", "shmall" };
	static const char *const ro[] = { "osrelease", "ostype", "version", "ngroups_max",
					  "cap_last_cap" };
	struct utsname name;
	char path[64];

	uname(&name);
	is_str(word_of(SYS_KERNEL "osrelease"), name.release, "osrelease is uname's");
	is_str(word_of(SYS_KERNEL "ostype"), name.sysname, "so is ostype");
	is_str(word_of(SYS_KERNEL "version"), name.version, "and version");
	is_str(word_of(SYS_KERNEL "hostname"), name.nodename, "and hostname");
	is_str(word_of(SYS_KERNEL "tainted"), "0", "tainted by nothing");
	is_str(word_of(SYS_KERNEL "ngroups_max"), "65536", "ngroups_max");
	ok(atol(word_of(SYS_KERNEL "pid_max")) > my_pid(), "pid_max is larger than this id");
	ok(strtoul(word_of(SYS_KERNEL "shmmax"), NULL, 10) > 1UL << 40, "shmmax is large");
	is(atol(word_of(SYS_KERNEL "shmmni")), 4096, "shmmni");
	ok(strtoul(word_of(SYS_KERNEL "shmall"), NULL, 10) > 1UL << 40, "shmall is large");
	for (size_t i = 0; i < COUNT(rw); i++) {
		snprintf(path, sizeof(path), SYS_KERNEL "%s", rw[i]);
		is(modes_of(path), 0644, "%s is root's to write", rw[i]);
		if (!root)
			is(put(path, "1000"), -EACCES, "... and nobody else's: EACCES");
	}
	for (size_t i = 0; i < COUNT(ro); i++) {
		snprintf(path, sizeof(path), SYS_KERNEL "%s", ro[i]);
		is(modes_of(path), 0444, "%s is nobody's", ro[i]);
		is(put(path, "1"), -EACCES, "... to write: EACCES");
	}
}

static int nobody(void *arg)
{
	return (int)(long)arg;
}

/* Ids come round below the limit. */
static void pid_limit(void)
{
	char before[32];
	int wrong = 0, round = 0, last = 0;

	snprintf(before, sizeof(before), "%s", word_of(SYS_KERNEL "pid_max"));
	is(put(SYS_KERNEL "pid_max", "300"), -EINVAL, "pid_max of 300: EINVAL");
	is(put(SYS_KERNEL "pid_max", "-1"), -EINVAL, "of -1: EINVAL");
	is(put(SYS_KERNEL "pid_max", "4194305"), -EINVAL, "of 4194305: EINVAL");
	is(put(SYS_KERNEL "pid_max", "x"), -EINVAL, "of x: EINVAL");
	is_str(word_of(SYS_KERNEL "pid_max"), before, "nothing has changed it");
	is(put(SYS_KERNEL "pid_max", "400\n"), 4, "of 400");
	for (int i = 0; i < 500 && round < 2; i++) {
		pid_t pid = fork_child(nobody, NULL);

		wrong += pid < 1 || pid >= 400 || status_of(pid) != 0;
		round += pid < last;
		wrong += round && pid < 300;
		last = pid;
	}
	is(wrong, 0, "children have ids below that");
	is(round, 2, "which come round twice, and begin at 300");
	is(put(SYS_KERNEL "pid_max", before), strlen(before), "as it was");
}

/* --- /etc ----------------------------------------------------------------------------------------- */

static void users(void)
{
	struct passwd *user = getpwnam("root");
	struct group *group;

	ok(user && user->pw_uid == 0 && user->pw_gid == 0 && user->pw_dir[0] == '/',
	   "/etc/passwd knows root");
	user = getpwuid(65534);
	ok(user && strcmp(user->pw_name, "nobody") == 0, "and nobody");
	ok(!getpwnam("somebody"), "not somebody");
	group = getgrgid(0);
	ok(group && strcmp(group->gr_name, "root") == 0, "/etc/group knows root's");
	ok(getgrgid(65534) != NULL, "and nobody's");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	root = raw(SYS_geteuid) == 0;
	sizes();
	times();
	processes();
	directories();
	settings();
	if (root)
		pid_limit();
	users();
	return done_testing();
}
