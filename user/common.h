/* SPDX-License-Identifier: MIT */
/*
 * common.h: what init and runner share. Both can be process 1, in Tessera or in Linux. Output goes
 * out by write(2) at once: a child's lines and the kernel's must not overtake it.
 */
#ifndef USER_COMMON_H
#define USER_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER_FN __attribute__((unused)) static

USER_FN void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(1, text, len);

		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

/* printf to the console, at most 1023 bytes. */
__attribute__((format(printf, 1, 2))) USER_FN void say(const char *fmt, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	write_all(line, n < (int)sizeof(line) ? n : (int)sizeof(line) - 1);
}

/*
 * Reads a file from its start into buf and ends it with a zero byte. Returns the length, cut to
 * size - 1, or -errno. Files of /proc come in pieces, so it reads until there is no more.
 */
USER_FN long read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (used < size - 1) {
		n = read(fd, buf + used, size - 1 - used);
		if (n < 0) {
			n = -errno;
			close(fd);
			return n;
		}
		if (n == 0)
			break;
		used += n;
	}
	close(fd);
	buf[used] = '\0';
	return used;
}

/*
 * Finds "key" among the words of a kernel command line. Returns what follows it up to the word's
 * end, in buf, or NULL. The key of an option that has a value includes its "=".
 */
USER_FN const char *option(const char *cmdline, const char *key, char *buf, size_t size)
{
	size_t len = strlen(key), n;

	while (*cmdline) {
		n = strcspn(cmdline, " \t\n");
		if (n >= len && strncmp(cmdline, key, len) == 0) {
			snprintf(buf, size, "%.*s", (int)(n - len), cmdline + len);
			return buf;
		}
		cmdline += n;
		cmdline += strspn(cmdline, " \t\n");
	}
	return NULL;
}

/*
 * What Linux leaves to its first process: the file systems, and sometimes the console. Tessera
 * has mounted them itself and doesn't know mount; nothing is wrong when it says so.
 */
USER_FN void prepare_linux(void)
{
	int fd;

	if (getpid() != 1)
		return;
	if (access("/proc/self", F_OK) != 0) {
		mkdir("/proc", 0755);
		mount("proc", "/proc", "proc", 0, NULL);
	}
	if (access("/dev/null", F_OK) != 0) {
		mkdir("/dev", 0755);
		mount("dev", "/dev", "devtmpfs", 0, NULL);
	}
	if (fcntl(1, F_GETFD) >= 0)
		return;
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; fd >= 0 && i < 3; i++)
		if (i != fd)
			dup2(fd, i);
}

/* Waits for that child; as process 1, meanwhile takes leave of orphans that end. */
USER_FN int wait_for(pid_t pid)
{
	int status = 0;
	pid_t got;

	do {
		got = waitpid(-1, &status, 0);
	} while (got != pid && !(got < 0 && errno != EINTR));
	return got == pid ? status : -errno;
}

/* Switches the machine off. Returns only when that fails. A visitor's process 2 just ends. */
USER_FN void power_off(void)
{
	if (getpid() != 1)
		exit(0);
	sync();
	syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, NULL);
	say("power off: %s\n", strerror(errno));
}

#endif
