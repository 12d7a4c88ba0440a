/* SPDX-License-Identifier: MIT */
/*
 * Each file of /proc that can be read, each link and each directory, with each allocation failed in
 * turn, as they are found there; and what can be written there.
 */
#include "failing.h"
#include "files.h"
#include "vm.h"

static char path[256], buf[65536];
static unsigned int nr_found;

static long read_all(void)
{
	long fd = result(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)), n;

	if (fd < 0)
		return fd;
	while ((n = result(read((int)fd, buf, sizeof(buf)))) > 0)
		if (strstr(path, "kmsg") || strstr(path, "pagemap") || strstr(path, "/mem"))
			break;
	close((int)fd);
	return n;
}

static long list_all(void)
{
	long fd = result(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), n;

	if (fd < 0)
		return fd;
	while ((n = result(syscall(SYS_getdents64, fd, buf, sizeof(buf)))) > 0)
		;
	close((int)fd);
	return n;
}

static long read_link(void)
{
	return result(readlink(path, buf, sizeof(buf)));
}

static long look_at(void)
{
	struct stat st;

	return result(lstat(path, &st));
}

/* What it says when nothing fails is what it may say then. */
static void fail_path(long (*call)(void))
{
	struct row row = { .name = path, .call = call };
	long ret = call();

	if (is_failure(ret))
		row.want = ret;
	nr_found++;
	fail_row(&row);
}

struct entry {
	char name[32];
	unsigned char type;
};

/* These are the test's own tools, and what says of itself that it is elsewhere each time. */
static bool passed_over(const char *name)
{
	return !strcmp(name, "leakcheck") || !strcmp(name, "fail-nth") ||
	       !strcmp(name, "fail-paths");
}

static void walk(int depth)
{
	struct entry entries[80];
	size_t nr = 0, end = strlen(path);
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && nr < COUNT(entries) && (d = readdir(dir)))
		if (d->d_name[0] != '.' && !passed_over(d->d_name)) {
			snprintf(entries[nr].name, sizeof(entries[nr].name), "%.31s", d->d_name);
			entries[nr++].type = d->d_type;
		}
	if (dir)
		closedir(dir);
	fail_path(list_all);
	for (size_t i = 0; i < nr; i++) {
		bool number = entries[i].name[0] >= '0' && entries[i].name[0] <= '9';

		snprintf(path + end, sizeof(path) - end, "/%s", entries[i].name);
		if (entries[i].type == DT_DIR && !number && depth > 0)
			walk(depth - 1);
		else if (entries[i].type == DT_LNK)
			fail_path(read_link);
		else if (entries[i].type == DT_REG)
			fail_path(read_all);
		else if (i == 0)
			fail_path(look_at);
		/* Of many links of the same kind a few. */
		if (number && i > 2)
			i = nr;
	}
	path[end] = '\0';
}

static const char *text, *text_after;

static long write_text(const char *what)
{
	long fd = result(open(path, O_WRONLY | O_CLOEXEC)), n;

	if (fd < 0)
		return fd;
	n = result(write((int)fd, what, strlen(what)));
	close((int)fd);
	return n;
}

static long write_it(void)
{
	return write_text(text);
}

static void undo_write(long ret)
{
	if (text_after)
		write_text(text_after);
}

/* A file, what to write there, and what to write to have it as before. */
static const struct {
	const char *path, *text, *after;
} writes[] = {
	{ "/proc/thread-self/comm", "fail_proc", NULL },
	{ "/proc/self/clear_refs", "1", NULL },
	{ "/proc/sys/vm/max_map_count", "65530", NULL },
	{ "/proc/sys/vm/drop_caches", "3", NULL },
	{ "/proc/trace/size", "1000", "0" },
};

static void start_at(const char *where)
{
	snprintf(path, sizeof(path), "%s", where);
}

static void fail_write(size_t i)
{
	struct row row = { .name = path, .call = write_it, .undo = undo_write };

	start_at(writes[i].path);
	text = writes[i].text;
	text_after = writes[i].after;
	if (access(path, W_OK) == 0)
		fail_row(&row);
}

/* With something recorded there is more to copy. */
static void trace_some(void)
{
	start_at("/proc/trace/size");
	if (write_text("1000") <= 0)
		return;
	start_at("/proc/trace/events");
	write_text("all");
	access("/", F_OK);
	write_text("");
	start_at("/proc/trace/trace");
	fail_path(read_all);
	start_at("/proc/trace/size");
	write_text("0");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	failing_need();
	make_dir("fail_proc");
	if (chdir(test_dir))
		skip_all("no working directory");
	failing_start();
	memset(buf, 1, sizeof(buf));
	start_at("/proc");
	walk(3);
	start_at("/proc/self");
	walk(1);
	start_at("/proc/thread-self");
	walk(1);
	for (size_t i = 0; i < COUNT(writes); i++)
		fail_write(i);
	trace_some();
	ok(nr_found > 100, "there are files in /proc: %u", nr_found);
	failing_summary();
	if (chdir("/"))
		return 1;
	clean_dir((const char *const[]){ NULL });
	return done_testing();
}
