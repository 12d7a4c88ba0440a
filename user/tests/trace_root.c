/* SPDX-License-Identifier: MIT */
/* runs as root */
/* /proc/trace: who may, what its files take, and what is told of calls that change memory. */
#include "forks.h"
#include "vm.h"
#include <dirent.h>
#include <sys/stat.h>

#define DIR_ "/proc/trace"
#define BASE 0x600000000000UL

/* --- its files ------------------------------------------------------------------------------------ */

static char text[1 << 20];

static long put(const char *file, const char *what)
{
	char path[64];
	long ret;
	int fd;

	snprintf(path, sizeof(path), DIR_ "/%s", file);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = result(write(fd, what, strlen(what)));
	close(fd);
	return ret;
}

static const char *get(const char *path)
{
	int fd = open(path, O_RDONLY);
	long n, len = 0;

	while (fd >= 0 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = '\0';
	return text;
}

/* --- what was told ---------------------------------------------------------------------------------- */

/* The kinds of the events of this process, in order, but for system calls'. */
static const char *kinds(void)
{
	static char words[8192];
	char *line = text, *end, kind[32];
	int len = 0;

	get(DIR_ "/trace");
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (sscanf(line, "%*s cpu%*d %*d %31s", kind) == 1)
			len += snprintf(words + len, sizeof(words) - len, "%s%s", len ? " " : "",
					kind);
		*end = '\n';
	}
	return words;
}

static void begin(const char *events)
{
	put("clear", "1");
	put("events", events);
}

static const char *end(void)
{
	put("events", "none");
	return kinds();
}

#define told(want, ...)                                                               \
	do {                                                                          \
		if (!is_str(end(), want, __VA_ARGS__))                                \
			for (char *l = strtok(text, "\n"); l; l = strtok(NULL, "\n")) \
				diag("%s", l);                                        \
	} while (0)

static void calls(void)
{
	char *p = (char *)BASE;

	begin("area,pte,fault");
	raw_mmap(BASE, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	told("area-insert", "mmap: an area");
	ok(strstr(text,
		  "start=0x600000000000 end=0x600000004000 flags=0x8100073(rd|wr|mr|mw|me|ac|sd)"),
	   "... with its range and flags");

	begin("area,pte,fault");
	*(volatile char *)p = 1;
	told("pte-table pte-table pte-table pte-set fault", "a first touch: three tables, a page");
	ok(strstr(text, "level=pgd ") && strstr(text, "level=pud ") && strstr(text, "level=pmd "),
	   "... one of each level");
	ok(strstr(text, "fault addr=0x600000000000 ip=") &&
		   strstr(text, "ENTRY_NONE>FRESH_PAGE verdict=handled"),
	   "... the fault's way and end");
	begin("area,pte,fault");
	*(volatile char *)(p + PAGE) = 1;
	*(volatile char *)p = 2;
	told("pte-set fault", "the page beside it: no table; one that is there: nothing");

	begin("area,pte");
	raw_mprotect(BASE, PAGE, PROT_READ);
	told("area-split area-change area-insert area-flags pte-set",
	     "mprotect of a part: split, then its entry");
	ok(strstr(text, "old=0x8100073(rd|wr|mr|mw|me|ac|sd) new=0x8100071(rd|mr|mw|me|ac|sd)"),
	   "... flags before and after");
	begin("area,pte");
	raw_mprotect(BASE, PAGE, RW);
	told("area-merge area-remove area-change pte-set", "and back: merged");
	ok(strstr(text, "with=0x2(next) new_start=0x600000000000 new_end=0x600000004000"),
	   "... with the next one");

	begin("area,pte");
	syscall(SYS_mremap, BASE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		BASE + 2 * PAGE + (1UL << 21));
	told("area-insert pte-table pte-move pte-move area-flags area-remove pte-untable",
	     "mremap: two pages move, the old table goes");
	ok(strstr(text, "pte-move mm=0x") &&
		   strstr(text, "from=0x600000000000 to=0x600000202000 level=pte"),
	   "... from there to there");
	begin("area,pte");
	raw_munmap(BASE + 2 * PAGE + (1UL << 21), 4 * PAGE);
	told("area-remove pte-clear pte-clear pte-untable pte-untable pte-untable",
	     "munmap: pages, then the tables");

	begin("syscall,fault");
	syscall(SYS_getppid);
	end();
	ok(strstr(text, "syscall-in nr=getppid ") && strstr(text, "syscall-out nr=getppid ret="),
	   "a call and its result");
	ok(!strstr(text, " pte-") && !strstr(text, " area-"), "nothing else than was asked for");
}

static void fork_and_write(void)
{
	raw_mmap(BASE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	*(volatile char *)BASE = 1;
	begin("pte");
	if (!fork())
		_exit(0);
	wait(NULL);
	put("events", "none");
	get(DIR_ "/trace");
	ok(strstr(text, "pte-set mm=0x") && strstr(text, "addr=0x600000000000 level=pte old=0x8"),
	   "fork: an entry of the parent's changes");
	begin("fault,pte,page");
	*(volatile char *)BASE = 2;
	end();
	ok(strstr(text, "ENTRY_READ_ONLY>REUSE_LAST"),
	   "the first write after it: nobody else is left");
	raw_munmap(BASE, PAGE);
}

/* --- who may ----------------------------------------------------------------------------------------- */

static void as_nobody(void)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(99);
	if (open(DIR_, O_RDONLY) != -1 || errno != EACCES)
		_exit(1);
	if (open(DIR_ "/events", O_WRONLY) != -1 || errno != EACCES)
		_exit(2);
	if (open(DIR_ "/trace", O_RDONLY) != -1 || errno != EACCES)
		_exit(3);
	_exit(0);
}

static void permissions(void)
{
	int status = -1, fd = open(DIR_ "/events", O_WRONLY);

	if (!fork())
		as_nobody();
	wait(&status);
	is(status, 0, "who isn't root may neither read nor write, by EACCES");
	fails(read(fd, text, 1), EBADF, "a descriptor for writing isn't for reading");
	close(fd);
	fd = open(DIR_ "/clear", O_RDONLY);
	ok(fd == -1 && errno == EACCES, "clear can only be written");
}

static void bad_words(void)
{
	char before[1024];

	put("events", "none");
	put("events", "+page-free");
	snprintf(before, sizeof(before), "%s", get(DIR_ "/events"));
	is(put("events", "fault,nonsense"), -EINVAL, "a kind that there isn't");
	is_str(get(DIR_ "/events"), before, "... changes nothing");
	ok(strstr(text, "+page-free\n") && strstr(text, "-fault\n"), "what is on and off");
	is(put("events", text), (long)strlen(text), "what was read can be written");
	is_str(get(DIR_ "/events"), before, "... and means the same");
	put("events", "none");
	is(put("size", "x"), -EINVAL, "a size that is no number");
	is(put("size", "65537"), -EINVAL, "... that is too large");
	is(put("size", "100"), 3, "... that is none of the powers of two");
	is_str(get(DIR_ "/size"), "128\n", "... becomes the next");
	is(put("pid", "-1"), -EINVAL, "a process that can't be");
	is(put("export", "nowhere"), -EINVAL, "no such way out");
}

/* --- reading ------------------------------------------------------------------------------------------ */

static void reading(void)
{
	static char again[sizeof(text)];
	struct stat st;
	DIR *dir = opendir(DIR_);
	int fd, names = 0;
	long n, all;

	while (dir && readdir(dir))
		names++;
	is(names, 8, "the directory is one");
	closedir(dir);
	ok(!stat(DIR_, &st) && st.st_mode == (S_IFDIR | 0500), "... for root");
	begin("syscall");
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
	end();
	all = (long)strlen(text);
	memcpy(again, text, sizeof(text));
	is_str(get(DIR_), again, "read as a file, it is its file `trace`");
	fd = open(DIR_, O_RDONLY);
	is(result(lseek(fd, 100, SEEK_SET)), 100, "one can seek");
	n = result(read(fd, text, 50));
	ok(n == 50 && !memcmp(text, again + 100, 50), "... and reads from there");
	n = result(read(fd, text, 50));
	ok(n == 50 && !memcmp(text, again + 150, 50), "... and on");
	is(result(lseek(fd, all, SEEK_SET)), all, "at the end");
	is(result(read(fd, text, 50)), 0, "... there is nothing");
	close(fd);
}

static void overwriting(void)
{
	const unsigned long first = 1;
	unsigned long all[16] = { 0 };
	long lost = 0, there = 0, n;

	/* On one processor, with one ring: in several more would fit. */
	syscall(SYS_sched_getaffinity, 0, sizeof(all), all);
	is(result(syscall(SYS_sched_setaffinity, 0, sizeof(first), &first)), 0, "on one processor");
	put("size", "64");
	begin("syscall");
	for (int i = 0; i < 200; i++)
		syscall(SYS_getppid);
	end();
	ok(strstr(text, "nr=getppid"), "of many events the newest are there");
	for (char *l = strtok(text, "\n"); l; l = strtok(NULL, "\n")) {
		if (sscanf(l, "%*s cpu%*d %*d lost events=%ld", &n) == 1)
			lost += n;
		else
			there += *l != '#';
	}
	ok(there >= 64 && lost >= 200, "... %ld, and %ld older ones were overwritten", there, lost);
	/* In and out; and close(2) after the write that began it, openat(2) and half a write before its end. */
	is(there + lost, 2 * 200 + 2 + 3, "... together all");
	syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
}

int main(void)
{
	char pid[16];

	if (access(DIR_, F_OK))
		skip_all("there is no /proc/trace: it is Tessera's own");
	if (geteuid())
		skip_all("only root may trace");
	memset(text, 1, sizeof(text));
	end();
	is_str(get(DIR_), "#          time cpu thread event\n",
	       "while it is off, nothing is recorded");
	snprintf(pid, sizeof(pid), "%d", getpid());
	put("pid", pid);
	put("size", "4096");
	permissions();
	calls();
	fork_and_write();
	reading();
	overwriting();
	bad_words();
	put("pid", "0");
	is(put("size", "0"), 1, "its memory is given back");
	return done_testing();
}
