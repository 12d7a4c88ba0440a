/* SPDX-License-Identifier: MIT */
/*
 * twin_fork.h: fork as an operation. The child goes on with a random sequence of its own, and so does
 * the parent; they take turns, so that each sees what the other's writes, unmaps and end do to the
 * pages they share, and the text is the same in every run. A child's lines are numbered "N.M": its
 * Mth operation after its parent's Nth. The hash of its text goes into its parent's.
 */
#ifndef USER_TWIN_FORK_H
#define USER_TWIN_FORK_H

#include "twin_ops.h"

#define MAX_LEVEL 2  /* grandchildren have no children */
#define CHILD_OPS 24 /* what a child does before it ends */

enum turn { OF_PARENT, OF_CHILD, ENDED };

/* What parents and children tell each other, for each level of children. Shared memory. */
static struct relay {
	volatile int turn[MAX_LEVEL + 1];
	volatile uint64_t hash[MAX_LEVEL + 1];
} * relay;

static int level;	       /* 0: the first process of the seed */
static bool newly_born;	       /* it has done nothing yet */
static char number_prefix[32]; /* of the child's operations: "N." */
static unsigned int now;       /* the number of the present operation */

static void emit_line(unsigned int number)
{
	char line[512];
	int n = snprintf(line, sizeof(line),
			 "%s%u %s = %s%s; f%ld; n%d %08x; v%ld d%ld l%ld;%s; p%lu %08x %08x",
			 number_prefix, number, op.text, result_name(op.result), op.extra,
			 op.faults, state.count, (unsigned int)state.areas_hash, state.size,
			 state.data, state.locked, state.heap, state.present,
			 (unsigned int)state.pages_hash, (unsigned int)state.contents_hash);

	if (with_files && n < (int)sizeof(line))
		n += snprintf(line + n, sizeof(line) - n, "; m%08x t%08x",
			      (unsigned int)state.cached_hash, (unsigned int)state.files_hash);
	if (n >= (int)sizeof(line) - 1)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	emit(line, n);
}

/* --- the program's own pages ---------------------------------------------------------------------- */

/* The files of /proc are of the process that opened them. */
static void open_proc(void)
{
	maps_fd = open("/proc/self/maps", O_RDONLY);
	status_fd = open("/proc/self/status", O_RDONLY);
	pagemap_fd = open("/proc/self/pagemap", O_RDONLY);
	mem_fd = open("/proc/self/mem", O_RDWR);
}

static void touch_pages(unsigned long start, unsigned long end)
{
	for (unsigned long at = start; at < end; at += PAGE) {
		volatile char *c = (volatile char *)at;

		*c = *c;
	}
}

/*
 * After a fork the program's own data and stack are shared, too. Each side writes all of it, so that no
 * operation is charged with those faults.
 */
static void own_program(void)
{
	static struct {
		unsigned long start, end;
	} areas[16];
	int n = 0;

	for (const char *line = reread(maps_fd); *line && n < 16;) {
		const char *next = strchr(line, '\n'), *at;
		unsigned long start, end;

		if (!next)
			break;
		at = hex(line, &start);
		at = hex(at + 1, &end);
		/* The heap may be one area with the bss. */
		if (start < heap_base && end > heap_base)
			end = heap_base;
		if (strncmp(at + 1, "rw-p", 4) == 0 && start != heap_base &&
		    !(start >= REGION && end <= REGION + REGION_PAGES * PAGE) &&
		    !(start > heap_base && start < heap_base + (1UL << 30))) {
			areas[n].start = start;
			areas[n++].end = end;
		}
		line = next + 1;
	}
	while (n-- > 0)
		touch_pages(areas[n].start, areas[n].end);
}

/* --- turns ---------------------------------------------------------------------------------------------- */

/* Whether it is gone, though not yet taken leave of. */
static bool has_ended(pid_t child)
{
	siginfo_t info = { 0 };

	return syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT, NULL) != 0 ||
	       info.si_pid != 0;
}

static void wait_for_turn(int of_level, enum turn turn, pid_t child)
{
	for (unsigned int i = 1; relay->turn[of_level] != (int)turn; i++) {
		if (child && relay->turn[of_level] == ENDED)
			return;
		/* A child that was killed hands nothing over. */
		if (child && i % 4096 == 0 && has_ended(child))
			return;
		syscall(SYS_sched_yield);
	}
}

/* Lets the child go on until it hands back, or has ended. */
static void let_child_run(void)
{
	int of_level = level + 1, status;
	char line[64];

	relay->turn[of_level] = OF_CHILD;
	wait_for_turn(of_level, OF_PARENT, live_child);
	if (relay->turn[of_level] == OF_PARENT)
		return;
	status = wait_for(live_child);
	live_child = 0;
	close(child_mem_fd);
	child_mem_fd = -1;
	text_hash = hash_number(text_hash, relay->hash[of_level]);
	if (status != 0)
		emit(line, snprintf(line, sizeof(line), "a child ended with 0x%x\n", status));
}

/* After each operation: now and then it is the other one's turn, and at first the child's. */
static void take_turns(void)
{
	if (live_child && (newly_born || chance(40)))
		let_child_run();
	newly_born = false;
	if (level > 0 && chance(40)) {
		relay->turn[level] = OF_PARENT;
		wait_for_turn(level, OF_CHILD, 0);
	}
}

/* --- a process's sequence ---------------------------------------------------------------------------- */

static bool full_dump;

static void run_ops(unsigned int ops)
{
	for (unsigned int i = 1; i <= ops; i++) {
		now = i;
		step(i);
		counts[op.call][op.result]++;
		read_state();
		emit_line(i);
		take_turns();
	}
	while (live_child)
		let_child_run();
	if (limit_ops)
		lift_limit();
	/*
	 * What isn't looked at after each operation is looked at once. Others may have cut a file
	 * meanwhile.
	 */
	print_text &= full_dump;
	read_state();
	dump_areas();
	dump_pages();
	dump_smaps();
	if (with_files)
		dump_files();
}

/* The counts go into a file, where they are added to those of the processes before. */
static void add_counts(void)
{
	static uint32_t sums[CALLS][RESULTS];

	if (pread(common_fd, sums, sizeof(sums), 0) != sizeof(sums))
		memset(sums, 0, sizeof(sums));
	for (int i = 0; i < CALLS; i++)
		for (int k = 0; k < RESULTS; k++)
			sums[i][k] += counts[i][k];
	if (pwrite(common_fd, sums, sizeof(sums), 0) != sizeof(sums))
		say("cannot write the counts: %s\n", strerror(errno));
}

/* The first pages that a process of its own needs, in this very program. */
static void settle(void)
{
	own_program();
	begin_op(C_READ);
	kernel(SYS_getppid, 0, 0, 0, 0, 0, 0);
	touch((volatile uint64_t *)file_text, true, 0);
	touch((volatile uint64_t *)file_text, false, 0);
}

__attribute__((noreturn)) static void run_child(uint64_t seed)
{
	snprintf(number_prefix + strlen(number_prefix),
		 sizeof(number_prefix) - strlen(number_prefix), "%u.", now);
	level++;
	live_child = 0;
	newly_born = false;
	random_state = seed;
	text_hash = HASH_START;
	memset(counts, 0, sizeof(counts));
	close(maps_fd);
	close(status_fd);
	close(pagemap_fd);
	close(mem_fd);
	if (child_mem_fd >= 0)
		close(child_mem_fd);
	child_mem_fd = -1;
	open_proc();
	inherit_files();
	inherit_segments();
	/* No lock is inherited, also none of the program's own. */
	own_locked = 0;
	if (!limit_ops || narrowed != RLIMIT_MEMLOCK)
		open_memlock();
	settle();
	read_state();
	wait_for_turn(level, OF_CHILD, 0);
	run_ops(CHILD_OPS);
	add_counts();
	relay->hash[level] = text_hash;
	relay->turn[level] = ENDED;
	_exit(0);
}

static void op_fork(unsigned int number)
{
	uint64_t seed = random64();
	long pid;

	if (level == MAX_LEVEL || live_child) {
		op_touch(number);
		return;
	}
	relay->turn[level + 1] = OF_PARENT;
	begin_op(C_FORK);
	pid = kernel(SYS_fork, 0, 0, 0, 0, 0, 0);
	if (pid == 0)
		run_child(seed);
	settle();
	begin_op(C_FORK);
	op.result = pid < 0 ? -pid : 0;
	live_child = pid > 0 ? pid : 0;
	newly_born = live_child;
	if (live_child && with_files) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d/mem", (int)live_child);
		child_mem_fd = open(path, O_RDWR);
	}
}

static bool make_relay(void)
{
	relay = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return relay != MAP_FAILED;
}

#endif
