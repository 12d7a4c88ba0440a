/* SPDX-License-Identifier: MIT */
/*
 * twin: random sequences of the memory calls, the same in every kernel for the same seed. After
 * each operation it notes the result and what the kernel says of the areas, the pages and their
 * contents. Two kernels that do the same print the same.
 *
 *	twin [-t] [-d] [-k] FIRST COUNT OPS
 *
 * runs the seeds FIRST … FIRST + COUNT - 1, each in a process of its own, and prints for each
 * "seed N HASH": the hash of its text, then how often each call gave each result.
 *
 *	-t	prints the text itself: a line for each operation
 *	-d	prints the areas and pages in full after the last operation
 *	-k	lets the kernel touch memory in place of the program: needs no signals
 *
 * A line of the text: number, call, arguments = result; then f minor faults in the call, n areas
 * and their hash, pages of VmSize, VmData and VmLck, present pages of the near part, the hash of
 * their pagemap bits and the hash of their contents. Three seeds of four have files (twin_file.h);
 * there follow m, the hash of what mincore says of areas with something behind them, and t, that of
 * the files' sizes, blocks and some of their contents.
 */
#include "twin_fork.h"

static bool catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	return sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0;
}

/* Everything that will be touched later has been touched, so that it doesn't count. */
static void warm_up(void)
{
	heap_break = syscall(SYS_brk, 0);
	heap_base = (heap_break + PAGE - 1) & -PAGE;
	heap_break = syscall(SYS_brk, heap_base);
	open_proc();
	memset(file_text, 1, sizeof(file_text));
	read_state();
	own_size = state.size;
	own_data = state.data;
	own_locked = 0;
	open_memlock();
	settle();
}

static void run_seed(unsigned long seed, unsigned int ops)
{
	random_state = seed * 0x2545f4914f6cdd1d;
	with_files = seed % 4 != 0;
	if (with_files && !make_files()) {
		say("twin: no files: %s\n", strerror(errno));
		_exit(1);
	}
	warm_up();
	run_ops(ops);
	remove_files();
	drop_segments();
}

static void print_counts(void)
{
	char line[512];

	for (int i = 0; i < CALLS; i++) {
		int used = snprintf(line, sizeof(line), "count %s", call_names[i]);

		for (int k = 0; k < RESULTS; k++)
			if (counts[i][k] && used < (int)sizeof(line) - 32)
				used += snprintf(line + used, sizeof(line) - used, " %s:%u",
						 result_name(k), counts[i][k]);
		say("%s\n", line);
	}
}

static int child(unsigned long seed, unsigned int ops)
{
	if (!probe_only && !catch_faults()) {
		say("twin: no signals here: %s (try -k)\n", strerror(errno));
		return 1;
	}
	if (!make_relay()) {
		say("twin: no shared memory: %s\n", strerror(errno));
		return 1;
	}
	run_seed(seed, ops);
	say("seed %lu %016lx\n", seed, (unsigned long)text_hash);
	add_counts();
	return 0;
}

static bool make_common_file(void)
{
	static uint64_t tags[TAGS];
	char path[64];

	for (int i = 0; i < TAGS; i++)
		tags[i] = tag(i >> 4, i & 15) | 0x20202020;
	snprintf(path, sizeof(path), "/tmp/twin.%d", (int)getpid());
	common_fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (common_fd < 0 || pwrite(common_fd, tags, sizeof(tags), TAGS_AT) != sizeof(tags)) {
		say("twin: %s: %s\n", path, strerror(errno));
		return false;
	}
	unlink(path);
	return true;
}

/* One seed in a program of its own. noinline: see vfork(2), nothing else may live in this frame. */
__attribute__((noinline)) static int spawn_seed(char **argv)
{
	static char *env[] = { NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execve("/proc/self/exe", argv, env);
		execve(argv[0], argv, env);
		_exit(127);
	}
	return pid < 0 ? -1 : wait_for(pid);
}

int main(int argc, char **argv)
{
	static char flags[8] = "-", seed_text[24], ops_text[24], fd_text[16];
	static char *child_argv[] = { NULL, flags, seed_text, ops_text, fd_text, "child", NULL };
	unsigned long first, count, failed = 0;
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		strncat(flags, argv[at] + 1, sizeof(flags) - 1 - strlen(flags));
		print_text |= strchr(argv[at], 't') != NULL;
		full_dump |= strchr(argv[at], 'd') != NULL;
		probe_only |= strchr(argv[at], 'k') != NULL;
	}
	if (full_dump && !print_text) {
		say("twin: -d goes with -t\n");
		return 2;
	}
	if (argc - at == 4 && strcmp(argv[argc - 1], "child") == 0) {
		common_fd = strtol(argv[at + 2], NULL, 10);
		return child(strtoul(argv[at], NULL, 10), strtoul(argv[at + 1], NULL, 10));
	}
	if (argc - at != 3) {
		say("usage: twin [-t] [-d] [-k] FIRST COUNT OPS\n");
		return 2;
	}
	first = strtoul(argv[at], NULL, 10);
	count = strtoul(argv[at + 1], NULL, 10);
	snprintf(ops_text, sizeof(ops_text), "%lu", strtoul(argv[at + 2], NULL, 10));
	if (!make_common_file())
		return 2;
	take_first_segment();
	snprintf(fd_text, sizeof(fd_text), "%d", common_fd);
	child_argv[0] = argv[0];
	for (unsigned long seed = first; seed < first + count; seed++) {
		int status;

		snprintf(seed_text, sizeof(seed_text), "%lu", seed);
		status = spawn_seed(child_argv);
		if (status != 0) {
			say("seed %lu ended with status 0x%x\n", seed, status);
			failed++;
		}
	}
	drop_first_segment();
	if (pread(common_fd, counts, sizeof(counts), 0) == sizeof(counts))
		print_counts();
	return failed ? 1 : 0;
}
