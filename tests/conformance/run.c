/* SPDX-License-Identifier: MIT */
/*
 * run: process 1 of a boot that runs foreign tests. It follows /conformance/list, line by line:
 *
 *	mount TYPE DIR OPTIONS	mounts a file system there; '-' for no options
 *	write FILE TEXT		writes into a file that is there
 *	remove FILE		removes a file, which need not be there
 *	link TARGET PATH		makes PATH a symbolic link to TARGET, if that is there
 *	run SECONDS USER ITEM	runs ITEM, "folder/program+argument+...", with /conformance/folder as
 *				its current folder; after SECONDS its process group is killed
 *
 * The kernel's command line may say from=N: the first N programs are left out, because an earlier
 * boot has run them; and slow=N, which multiplies the limits. Prints what /bin/runner prints around
 * each program, and "##note ITEM late" for one that was killed.
 */
#include "common.h"
#include <grp.h>
#include <signal.h>
#include <time.h>

#define MAX_ARGS 32
#define TICK_MS	 20

static char cmdline[4096], list[65536];
static char *env[] = { "PATH=/bin:/usr/bin:.", "HOME=/", "TERM=dumb", NULL };

static void child(char *dir, char **argv, long user)
{
	setpgid(0, 0);
	if (chdir(dir) != 0)
		say("##note %s: %s\n", dir, strerror(errno));
	if (user && (setgroups(0, NULL) != 0 || setgid(user) != 0 || setuid(user) != 0))
		say("##note cannot become user %ld: %s\n", user, strerror(errno));
	execve(argv[0], argv, env);
	say("##note cannot run %s/%s: %s\n", dir, argv[0], strerror(errno));
	_exit(127);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* As process 1, meanwhile takes leave of orphans that end. Returns false when the time is over. */
static bool wait_limited(pid_t pid, long seconds, int *status)
{
	struct timespec tick = { 0, TICK_MS * 1000000L };
	long start = now_ms();

	for (;;) {
		pid_t got = waitpid(-1, status, WNOHANG);

		if (got == pid)
			return true;
		if (got > 0)
			continue;
		if (now_ms() - start >= seconds * 1000)
			return false;
		nanosleep(&tick, NULL);
	}
}

static void run_item(char *item, long seconds, long user)
{
	char dir[256], program[256], name[1024], *argv[MAX_ARGS + 1];
	int argc = 0, status = 0;
	long start = now_ms();
	char *slash;
	pid_t pid;

	snprintf(name, sizeof(name), "%s", item);
	for (char *part = strtok(item, "+"); part && argc < MAX_ARGS; part = strtok(NULL, "+"))
		argv[argc++] = part;
	argv[argc] = NULL;
	slash = strrchr(argv[0], '/');
	snprintf(dir, sizeof(dir), "/conformance/%.*s", (int)(slash - argv[0]), argv[0]);
	snprintf(program, sizeof(program), ".%s", slash);
	argv[0] = program;
	say("##begin %s\n", name);
	pid = fork();
	if (pid == 0)
		child(dir, argv, user);
	if (!wait_limited(pid, seconds, &status)) {
		say("\n##note %s late\n", name);
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		wait_for(pid);
		status = SIGALRM;
	}
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status))
		say("\n##end %s signal=%d", name, WTERMSIG(status));
	else
		say("\n##end %s exit=%d", name, WEXITSTATUS(status));
	say(" after %ld ms\n", now_ms() - start);
}

static void mount_at(const char *type, const char *dir, const char *options)
{
	mkdir(dir, 0755);
	if (mount("none", dir, type, 0, options[0] == '-' ? "" : options) != 0)
		say("##note mount %s %s: %s\n", type, dir, strerror(errno));
}

static void write_to(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say("##note write %s: %s\n", file, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void link_to(const char *target, const char *path)
{
	unlink(path);
	if (symlink(target, path) != 0)
		say("##note link %s: %s\n", path, strerror(errno));
}

int main(int argc, char **argv)
{
	char number[32] = "0", factor[32] = "1", *rest = list;
	long from, slow, seen = 0;

	prepare_linux();
	/* Where a script's interpreter finds a descriptor. */
	symlink("/proc/self/fd", "/dev/fd");
	read_file("/proc/cmdline", cmdline, sizeof(cmdline));
	option(cmdline, "from=", number, sizeof(number));
	option(cmdline, "slow=", factor, sizeof(factor));
	from = strtol(number, NULL, 10);
	slow = strtol(factor, NULL, 10);
	if (read_file("/conformance/list", list, sizeof(list)) < 0)
		say("##note no list\n");
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char word[4][512] = { "" };
		int n = sscanf(line, "%511s %511s %511s %511s", word[0], word[1], word[2], word[3]);

		if (n == 4 && !strcmp(word[0], "mount"))
			mount_at(word[1], word[2], word[3]);
		else if (n == 3 && !strcmp(word[0], "write"))
			write_to(word[1], word[2]);
		else if (n == 3 && !strcmp(word[0], "link") && access(word[1], F_OK) == 0)
			link_to(word[1], word[2]);
		else if (n == 2 && !strcmp(word[0], "remove"))
			unlink(word[1]);
		else if (n == 4 && !strcmp(word[0], "run") && seen++ >= from)
			run_item(word[3], atol(word[1]) * slow, atol(word[2]));
	}
	say("##done\n");
	power_off();
	return 1;
}
