/* SPDX-License-Identifier: MIT */
/* sendfile(2): what may be sent, and what is no source. */
#include "files.h"
#include <sys/socket.h>

static int to;

/* So many bytes of at most ten, or -errno; both by the file's position and from one that is given. */
static void sends(int fd, long want, const char *what)
{
	loff_t at = 0;

	is(result(syscall(SYS_sendfile, to, fd, NULL, 10)), want, "%s", what);
	if (want >= 0)
		is(result(syscall(SYS_sendfile, to, fd, &at, 10)), want, "... from its start");
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		long want;
	} files[] = {
		{ "/dev/null", -EINVAL },
		{ "/dev/zero", -EINVAL },
		{ "/dev/full", -EINVAL },
		{ "/dev/random", 10 },
		{ "/dev/urandom", 10 },
		{ "/proc/version", 10 },
		{ "/proc/meminfo", 10 },
		{ "/proc/stat", 10 },
		{ "/proc/cpuinfo", 10 },
		{ "/proc/vmstat", 10 },
		{ "/proc/buddyinfo", 10 },
		{ "/proc/loadavg", 10 },
		{ "/proc/filesystems", 10 },
		{ "/proc/interrupts", 10 },
		{ "/proc/mounts", 10 },
		{ "/proc/sysvipc/shm", -EINVAL },
		{ "/proc/sys/vm/overcommit_memory", 2 },
		{ "/proc/self/maps", -EINVAL },
		{ "/proc/self/stat", -EINVAL },
		{ "/proc/self/environ", -EINVAL },
		{ "/proc/self/mem", -EINVAL },
		{ "/proc/self/exe", 10 },
		{ "/proc", -EINVAL },
		{ "/tmp", -EINVAL },
	};
	int fd, sv[2];

	tap_start(argc, argv, NULL);
	make_dir("sendfile");
	to = open(in_dir("to"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	unlink(in_dir("to"));
	for (size_t i = 0; i < COUNT(files); i++)
		sends(open(files[i].path, O_RDONLY), files[i].want, files[i].path);
	fd = syscall(SYS_memfd_create, "source", 0);
	is(write(fd, "0123456789", 10), 10, "a memfd");
	lseek(fd, 0, SEEK_SET);
	sends(fd, 10, "is sent");
	mkfifo(in_dir("fifo"), 0600);
	sends(open(in_dir("fifo"), O_RDWR), -EINVAL, "a named pipe");
	unlink(in_dir("fifo"));
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	is(write(sv[1], "0123456789", 10), 10, "a socket");
	sends(sv[0], -EINVAL, "isn't");
	close(sv[1]);
	close(to);
	is(rmdir(test_dir), 0, "nothing is left");
	return done_testing();
}
