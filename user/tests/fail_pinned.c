/* SPDX-License-Identifier: MIT */
/*
 * fork while another process holds pages of the parent for process_vm_readv: a child may not share
 * them, so each is copied, and for that there may be no memory. Where the other is just then differs
 * from try to try: it is tried until it has happened.
 */
#include "failing.h"
#include "files.h"
#include "vm.h"
#include <sys/uio.h>

#define PAGES 64
#define TRIES 20000

static char *shared;

/* Reads its parent's pages until it is killed. */
static void read_always(void)
{
	static char buf[PAGES * PAGE];
	struct iovec local = { buf, sizeof(buf) }, far = { shared, sizeof(buf) };

	for (;;)
		if (syscall(SYS_process_vm_readv, getppid(), &local, 1, &far, 1, 0) < 0)
			_exit(1);
}

/* How often the place was made to fail at which fork gets a page for such a copy. */
static long failed_copies(void)
{
	static char text[65536];
	unsigned long reached, failed;
	char *line;

	slurp("/proc/fail-sites", text, sizeof(text));
	line = strstr(text, " copy_pte_range\n");
	while (line && line > text && line[-1] != '\n')
		line--;
	return line && sscanf(line, "%lu %lu", &reached, &failed) == 2 ? (long)failed : -1;
}

int main(int argc, char **argv)
{
	long before, after, tries, damage = 0;
	pid_t reader, pid;

	tap_start(argc, argv, NULL);
	failing_need();
	make_dir("fail_pinned");
	if (chdir(test_dir))
		skip_all("no working directory");
	failing_start();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_all("nobody holds a page while one processor forks");
	shared = mmap(NULL, PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(shared, 's', PAGES * PAGE);
	before = after = failed_copies();
	ok(before >= 0, "fork has a place where it gets a page for a copy");
	take_usage(usage_then);
	reader = fork();
	if (reader == 0)
		read_always();
	for (tries = 0; after == before && tries < TRIES; tries++) {
		/* It comes after what fork allocates first, and before the last tables. */
		fail_at(20 + tries % 60);
		pid = (pid_t)syscall(SYS_fork);
		if (pid == 0)
			_exit(shared[0] == 's' ? 7 : 1);
		failed_now();
		if (pid > 0)
			damage += wait_status(pid) != 7 << 8;
		else
			damage += errno != ENOMEM && errno != EAGAIN;
		damage += shared[PAGES * PAGE - 1] != 's';
		if (tries % 16 == 15)
			after = failed_copies();
	}
	kill(reader, SIGKILL);
	wait_status(reader);
	ok(after > before, "there was no memory for one");
	is(damage, 0, "every fork worked, or said so");
	ok(all_is_back(usage_then, usage_now), "all memory is back");
	if (chdir("/"))
		return 1;
	clean_dir((const char *const[]){ NULL });
	return done_testing();
}
