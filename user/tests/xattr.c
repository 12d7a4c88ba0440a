/* SPDX-License-Identifier: MIT */
/* Extended attributes: what is asked wrongly, by whom one may be asked for, and that there are none. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tap.h"

#define FILE_NAME "/tmp/xattr.file"
#define LINK_NAME "/tmp/xattr.link"
#define FIFO_NAME "/tmp/xattr.fifo"

static char value[70000], long_name[300];

static void arguments(void)
{
	fails(getxattr("/tmp/nothing", "user.a", value, 10), ENOENT, "no such file");
	fails(getxattr("", "user.a", value, 10), ENOENT, "the empty path");
	fails(getxattr((char *)8, "user.a", value, 10), EFAULT, "a bad path");
	fails(getxattr(FILE_NAME "/x", "user.a", value, 10), ENOTDIR, "through a file");
	fails(getxattr(FILE_NAME, "", value, 10), ERANGE, "the empty name");
	fails(getxattr(FILE_NAME, (char *)8, value, 10), EFAULT, "a bad name");
	fails(getxattr(FILE_NAME, long_name, value, 10), ERANGE, "a name of 299 bytes");
	fails(fgetxattr(-1, "", value, 10), EBADF, "no descriptor, before the name is looked at");
	fails(setxattr(FILE_NAME, "", value, 10, 4), EINVAL, "flags before the name");
	fails(setxattr(FILE_NAME, "", value, 1 << 20, 0), ERANGE, "the name before the size");
	fails(setxattr(FILE_NAME, "user.a", value, 65537, 0), E2BIG, "a value of 65,537 bytes");
	fails(setxattr(FILE_NAME, "user.a", (void *)8, 10, 0), EFAULT, "a bad value");
	fails(setxattr("/tmp/nothing", "user.a", value, 10, 4), ENOENT, "the path before flags");
	fails(fremovexattr(-1, "user.a"), EBADF, "remove: no descriptor");
	fails(removexattr(FILE_NAME, ""), ERANGE, "remove: the empty name");
	fails(llistxattr("/tmp/nothing", value, 10), ENOENT, "list: no such file");
	fails(flistxattr(-1, value, 10), EBADF, "list: no descriptor");
}

static void names(int fd)
{
	fails(getxattr(FILE_NAME, "user.a", value, 10), EOPNOTSUPP, "user: not here");
	fails(fsetxattr(fd, "user.a", "x", 1, XATTR_CREATE), EOPNOTSUPP, "user: can't be set");
	fails(fremovexattr(fd, "user.a"), EOPNOTSUPP, "user: can't be removed");
	fails(getxattr(FILE_NAME, "nothing.a", value, 10), EOPNOTSUPP, "a kind that isn't known");
	fails(getxattr(FILE_NAME, "nothing", value, 10), EOPNOTSUPP, "no kind at all");
	fails(getxattr(FILE_NAME, "system.nothing", value, 10), EOPNOTSUPP, "system: not known");
	fails(getxattr(FILE_NAME, "trusted.a", value, 10), ENODATA, "trusted: not for us");
	fails(setxattr(FILE_NAME, "trusted.a", "x", 1, 0), EPERM, "trusted: nor to set");
	fails(removexattr(FILE_NAME, "trusted.a"), EPERM, "trusted: nor to remove");
	fails(getxattr(FIFO_NAME, "user.a", value, 10), ENODATA, "user: not of a FIFO");
	fails(setxattr(FIFO_NAME, "user.a", "x", 1, 0), EPERM, "user: nor to set");
	fails(lgetxattr(LINK_NAME, "user.a", value, 10), ENODATA, "user: not of a link");
	fails(getxattr(LINK_NAME, "user.a", value, 10), EOPNOTSUPP, "but of what it means");
	fails(setxattr("/tmp", "user.a", "x", 1, 0), EPERM, "user: a sticky folder of another's");
	fails(setxattr("/", "trusted.a", "x", 1, 0), EPERM, "trusted: a folder");
}

static void permissions(void)
{
	chmod(FILE_NAME, 0200);
	fails(getxattr(FILE_NAME, "user.a", value, 10), EACCES, "a file that can't be read");
	fails(setxattr(FILE_NAME, "user.a", "x", 1, 0), EOPNOTSUPP, "but written");
	chmod(FILE_NAME, 0400);
	fails(setxattr(FILE_NAME, "user.a", "x", 1, 0), EACCES, "a file that can't be written");
	is(listxattr(FILE_NAME, value, sizeof(value)), 0, "there are none");
	chmod(FILE_NAME, 0);
	is(listxattr(FILE_NAME, NULL, 0), 0, "which anybody may know");
	is(llistxattr(LINK_NAME, NULL, 0), 0, "nor does the link have any");
}

int main(void)
{
	int fd;

	memset(long_name, 'n', sizeof(long_name) - 1);
	unlink(FILE_NAME);
	unlink(LINK_NAME);
	unlink(FIFO_NAME);
	fd = open(FILE_NAME, O_RDWR | O_CREAT, 0644);
	if (fd < 0 || symlink(FILE_NAME, LINK_NAME) || mkfifo(FIFO_NAME, 0666))
		return 1;
	arguments();
	names(fd);
	is(flistxattr(fd, value, 10), 0, "by descriptor: there are none");
	permissions();
	unlink(FILE_NAME);
	unlink(LINK_NAME);
	unlink(FIFO_NAME);
	return done_testing();
}
