/* SPDX-License-Identifier: MIT */
/* /proc/PID/map_files: a link to the file behind each area that has one. */
#include "procs.h"
#include <dirent.h>
#include <sys/stat.h>

static char link_path[128];

static const char *path_of(unsigned long start, unsigned long end)
{
	snprintf(link_path, sizeof(link_path), "/proc/self/map_files/%lx-%lx", start, end);
	return link_path;
}

static const char *target_of(const char *path)
{
	static char to[256];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n < 0)
		snprintf(to, sizeof(to), "error %d", errno);
	else
		to[n] = '\0';
	return to;
}

/* Every line of maps with a file must be there, and no other. */
static void listing(void)
{
	const char *line = maps_text;
	DIR *dir = opendir("/proc/self/map_files");
	int listed = 0, files = 0, right = 0;
	struct area area;

	ok(dir, "the directory");
	while (dir && readdir(dir))
		listed++;
	if (dir)
		closedir(dir);
	maps_read();
	while (*line && (line = maps_line(line, &area))) {
		if (area.name[0] != '/')
			continue;
		files++;
		right += strcmp(target_of(path_of(area.start, area.end)), area.name) == 0;
	}
	ok(files > 0, "there are areas with files: %d", files);
	is(right, files, "each link leads where maps says");
	is(listed, files + 2, "... and the directory lists these, and itself");
}

static void links(int fd, const char *name)
{
	char *p = island(2, RW), deleted[160];
	unsigned long a = (unsigned long)p;
	struct stat st;
	char path[128];

	raw_mmap(a, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
	raw_mmap(a + PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	is_str(target_of(path_of(a, a + PAGE)), name, "a file");
	is(lstat(path_of(a, a + PAGE), &st), 0, "lstat");
	is(st.st_mode, S_IFLNK | 0600, "... how the file is open");
	is(st.st_uid, geteuid(), "... whose");
	is_str(target_of(path_of(a + PAGE, a + 2 * PAGE)), "/dev/zero (deleted)", "shared memory");
	unlink(name);
	snprintf(deleted, sizeof(deleted), "%s (deleted)", name);
	is_str(target_of(path_of(a, a + PAGE)), deleted, "a file without a name");
	if (am_root()) {
		is(stat(path_of(a, a + PAGE), &st), 0, "stat goes there");
		is(st.st_size, 5, "... to the file itself");
		fd = open(path_of(a, a + PAGE), O_RDWR);
		ok(fd >= 0, "it can be opened");
		close(fd);
		return;
	}
	fails(stat(path_of(a, a + PAGE), &st), EPERM, "only root can go there: EPERM");
	fails(open(path_of(a, a + PAGE), O_RDONLY), EPERM, "... nor open it");
	fails(readlink(path_of(a, a + 2 * PAGE), path, 8), ENOENT, "what is no area: ENOENT");
	fails(readlink(path_of(a + PAGE, a + PAGE), path, 8), ENOENT, "... or none at all");
	snprintf(path, sizeof(path), "/proc/self/map_files/0%lx-%lx", a, a + PAGE);
	fails(readlink(path, deleted, 8), ENOENT, "zeros in front: ENOENT");
	snprintf(path, sizeof(path), "/proc/self/map_files/%lX-%lX", a | 0xa, a + PAGE);
	fails(readlink(path, deleted, 8), ENOENT, "other letters: ENOENT");
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lxx", a, a + PAGE);
	fails(readlink(path, deleted, 8), ENOENT, "something behind: ENOENT");
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx", a);
	fails(readlink(path, deleted, 8), ENOENT, "one number: ENOENT");
	p = fresh(1, RW);
	a = (unsigned long)p;
	fails(readlink(path_of(a, a + PAGE), deleted, 8), ENOENT, "an area without a file: ENOENT");
	raw_munmap(a, PAGE);
}

static void others(void)
{
	struct stat st;
	char path[64];

	is(stat("/proc/self/map_files", &st), 0, "the directory");
	is(st.st_mode, S_IFDIR | 0500, "... its mode");
	snprintf(path, sizeof(path), "/proc/%d/map_files", getppid());
	if (!am_root())
		fails(open(path, O_RDONLY), EACCES, "root's: EACCES");
	snprintf(path, sizeof(path), "/proc/self/task/%d/map_files", getpid());
	fails(stat(path, &st), ENOENT, "a thread's directory has none");
}

int main(int argc, char **argv)
{
	char name[64];
	int fd;

	tap_start(argc, argv, NULL);
	snprintf(name, sizeof(name), "/tmp/map_files.%d", (int)getpid());
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	is(write(fd, "12345", 5), 5, "a file");
	listing();
	links(fd, name);
	others();
	return done_testing();
}
