/* SPDX-License-Identifier: MIT */
/*
 * twin_ops.h: the other operations: locking, advice, questions, the heap, touching, limits; and the
 * step that chooses one of all.
 */
#ifndef USER_TWIN_OPS_H
#define USER_TWIN_OPS_H

#include "twin_shm.h"

static bool probe_only; /* the kernel touches memory for us: nothing can end in a signal */

/* --- locking ---------------------------------------------------------------------------------- */

static void op_mlock(void)
{
	unsigned long addr, len, flags = 0;
	enum call call = below(3) == 0 ? C_MLOCK2 : below(2) ? C_MLOCK : C_MUNLOCK;

	pick_range(64, &addr, &len);
	if (chance(6))
		spoil(&addr, &len, false);
	if (call == C_MLOCK2)
		flags = chance(70) ? LOCK_ONFAULT : chance(80) ? 0 : 2;
	begin_op(call);
	say_range(addr, len);
	if (call == C_MLOCK2)
		say_op(" flags %lu", flags);
	kernel(call == C_MLOCK	? SYS_mlock :
	       call == C_MLOCK2 ? SYS_mlock2 :
				  SYS_munlock,
	       addr, len, flags, 0, 0, 0);
}

static void set_limit(int resource, unsigned long value)
{
	struct rlimit limit;

	syscall(SYS_prlimit64, 0, resource, NULL, &limit);
	limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
	syscall(SYS_prlimit64, 0, resource, &limit, NULL);
}

static void open_memlock(void)
{
	set_limit(RLIMIT_MEMLOCK, (MEMLOCK_PAGES + own_locked) * PAGE);
}

/* What mlockall has locked of the program itself, so that VmLck can be told without it. */
static void measure_own_locked(void)
{
	long region = 0, heap = 0;
	const char *at;

	own_locked = 0;
	read_areas();
	read_status();
	for (int i = 0; i < state.count; i++)
		region += state.areas[i].end - state.areas[i].start;
	for (at = state.heap; (at = strchr(at, ' ')) != NULL; at++) {
		char *dash;
		unsigned long from = strtoul(at + 1, &dash, 10);

		heap += strtoul(dash + 1, NULL, 10) - from;
	}
	own_locked = state.locked - region - heap;
}

static void op_mlockall(void)
{
	unsigned long flags = chance(85) ? 1 + below(7) : below(32);
	long room = chance(70) ? 200 : (long)below(3) - 1;

	if (flags == 4)
		flags = chance(50) ? 2 : 4;
	/* Near the hard limit the program's own size would decide. */
	if (state.size > MEMLOCK_PAGES - 100)
		room = -1;
	begin_op(C_MLOCKALL);
	say_op(" flags %lu", flags);
	if (flags & 1) {
		say_op(" room %ld", room);
		set_limit(RLIMIT_MEMLOCK, (state.size + own_size + room) * PAGE);
	}
	kernel(SYS_mlockall, flags, 0, 0, 0, 0, 0);
	/* The program's own pages come in as well; how many says nothing. */
	op.faults = 0;
	if (!op.result && flags & 1)
		measure_own_locked();
	open_memlock();
}

static void op_munlockall(void)
{
	begin_op(C_MUNLOCKALL);
	kernel(SYS_munlockall, 0, 0, 0, 0, 0, 0);
	own_locked = 0;
	open_memlock();
}

/* --- madvise, mincore, msync ------------------------------------------------------------------ */

static void op_madvise(void)
{
	static const struct {
		int advice;
		const char *name;
	} advices[] = {
		{ 4, "dontneed" },
		{ 4, "dontneed" },
		{ 4, "dontneed" },
		{ 4, "dontneed" },
		{ 8, "free" },
		{ 8, "free" },
		{ 22, "populate-read" },
		{ 22, "populate-read" },
		{ 23, "populate-write" },
		{ 23, "populate-write" },
		{ 24, "dontneed-locked" },
		{ 0, "normal" },
		{ 1, "random" },
		{ 2, "sequential" },
		{ 3, "willneed" },
		{ 10, "dontfork" },
		{ 11, "dofork" },
		{ 16, "dontdump" },
		{ 17, "dodump" },
		{ 18, "wipeonfork" },
		{ 19, "keeponfork" },
		{ 20, "cold" },
		{ 9, "remove" },
		{ 99, "unknown" },
	};
	size_t count = sizeof(advices) / sizeof(advices[0]), i = below(count);
	unsigned long addr, len;

	pick_range(64, &addr, &len);
	if (with_files && chance(15))
		i = count - 2; /* remove */
	if (chance(5))
		spoil(&addr, &len, false);
	begin_op(C_MADVISE);
	say_range(addr, len);
	say_op(" %s", advices[i].name);
	kernel(SYS_madvise, addr, len, advices[i].advice, 0, 0, 0);
}

static void op_mincore(void)
{
	static unsigned char vec[1024];
	unsigned long addr, len, to = (unsigned long)vec;

	pick_range(512, &addr, &len);
	if (chance(8))
		spoil(&addr, &len, true);
	begin_op(C_MINCORE);
	say_range(addr, len);
	if (chance(4)) {
		to = TASK_SIZE;
		say_op(" into nowhere");
	}
	memset(vec, 0x55, sizeof(vec));
	kernel(SYS_mincore, addr, len, to, 0, 0, 0);
	snprintf(op.extra, sizeof(op.extra), " vec %08x",
		 (unsigned int)hash_bytes(HASH_START, vec, sizeof(vec)));
}

static void op_msync(void)
{
	static const unsigned char flags[] = { 4, 4, 1, 1, 2, 2, 6, 0, 3, 5, 8 };
	unsigned long addr, len, flag = flags[below(sizeof(flags))];

	pick_range(REGION_PAGES, &addr, &len);
	if (chance(6))
		spoil(&addr, &len, true);
	begin_op(C_MSYNC);
	say_range(addr, len);
	say_op(" flags %lu", flag);
	kernel(SYS_msync, addr, len, flag, 0, 0, 0);
}

/* --- brk -------------------------------------------------------------------------------------- */

static unsigned long heap_break;

static void op_brk(void)
{
	unsigned long want = heap_base + below(48) * PAGE, got;

	if (chance(15))
		want += below(PAGE);
	if (chance(4))
		want = TASK_SIZE - PAGE * below(2);
	if (chance(4))
		want = PAGE;
	begin_op(C_BRK);
	if (want >= heap_base && want < heap_base + 64 * PAGE)
		say_op(" %lu.%lu", (want - heap_base) / PAGE, want % PAGE);
	else
		say_op(" 0x%lx", want);
	got = kernel(SYS_brk, want, 0, 0, 0, 0, 0);
	op.result = got == want ? 0 : R_KEPT;
	if (got != want && got != heap_break)
		snprintf(op.extra, sizeof(op.extra), " moved to something else");
	heap_break = got;
}

/* --- touching --------------------------------------------------------------------------------- */

static sigjmp_buf after_fault;
static volatile bool may_fault;
static volatile int fault_code;
static volatile unsigned long fault_addr;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	/* What is looked at is there: a fault is the kernel's error, or twin's. */
	if (!may_fault)
		_exit(3);
	fault_code = info->si_code | signal << 8;
	fault_addr = (unsigned long)info->si_addr;
	siglongjmp(after_fault, 1);
}

/*
 * The file that the processes of a run share: the counts at its start, then tags, for the kernel to
 * read from there into a page.
 */
#define TAGS_AT 32768
#define TAGS	4096

static int common_fd = -1;

__attribute__((noinline)) static long touch(volatile uint64_t *at, bool writing, uint64_t value)
{
	long before = minor_faults();

	if (writing)
		*at = value;
	else
		value = *at;
	op.faults = minor_faults() - before;
	return value;
}

/* The kernel reads a file's name at the page's start, or writes what it reads from a file there. */
static void kernel_touch(unsigned long page, bool writing, unsigned int number)
{
	begin_op(writing ? C_KWRITE : C_KREAD);
	say_addr(page_addr(page));
	if (writing)
		kernel(SYS_pread64, common_fd, page_addr(page), 8,
		       TAGS_AT + (page * 16 + number) % TAGS * 8, 0, 0);
	else
		kernel(SYS_access, page_addr(page), 0, 0, 0, 0, 0);
	if (op.result == ENOENT)
		op.result = 0;
}

static void user_touch(unsigned long page, bool writing, unsigned int number)
{
	volatile uint64_t *at = (uint64_t *)page_addr(page);

	begin_op(writing ? C_WRITE : C_READ);
	say_addr(page_addr(page));
	if (sigsetjmp(after_fault, 0) == 0) {
		may_fault = true;
		snprintf(op.extra, sizeof(op.extra), " %lx",
			 (unsigned long)touch(at, writing, tag(page, number)));
		may_fault = false;
		return;
	}
	may_fault = false;
	op.result = fault_code >> 8 == SIGBUS ? R_BUS : R_FAULT;
	snprintf(op.extra, sizeof(op.extra), " signal %d code %d at %ld", fault_code >> 8,
		 fault_code & 0xff, ((long)fault_addr - (long)REGION) / (long)PAGE);
}

static void op_touch(unsigned int number)
{
	unsigned long page = pick_page();
	bool writing = chance(65);

	if (probe_only || chance(15))
		kernel_touch(page, writing, number);
	else
		user_touch(page, writing, number);
}

/* --- files ------------------------------------------------------------------------------------ */

static void op_file(unsigned int number)
{
	static const struct {
		unsigned int weight;
		void (*run)(unsigned int number);
	} ops[] = {
		{ 22, op_mmap_file }, { 7, op_ftruncate }, { 6, op_fallocate },
		{ 7, op_pwrite },     { 6, op_pread },	   { 2, op_replace_file },
		{ 1, op_fsync },      { 4, op_mem },	   { 3, op_remap_file_pages },
		{ 2, op_seal },	      { 2, op_copy },	   { 9, op_shm },
		{ 5, op_vm_readv },
	};
	unsigned int sum = 0, at;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		sum += ops[i].weight;
	at = below(sum);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (at < ops[i].weight) {
			ops[i].run(number);
			return;
		}
		at -= ops[i].weight;
	}
}

/* --- limits ----------------------------------------------------------------------------------- */

static int limit_ops; /* so many operations until a narrowed limit is lifted */
static int narrowed;

static void lift_limit(void)
{
	if (narrowed == RLIMIT_MEMLOCK)
		open_memlock();
	else
		set_limit(narrowed, -1UL);
	limit_ops = 0;
}

static void op_limit(void)
{
	long room = below(6), base = 0;

	if (limit_ops)
		lift_limit();
	limit_ops = 3 + below(8);
	begin_op(C_SETLIMIT);
	switch (below(5)) {
	case 0:
		narrowed = RLIMIT_AS;
		base = state.size + own_size;
		say_op(" as +%ld", room);
		break;
	case 1:
		narrowed = RLIMIT_DATA;
		base = state.data + own_data;
		say_op(" data +%ld", room);
		break;
	case 2:
		narrowed = RLIMIT_MEMLOCK;
		base = state.locked + own_locked;
		say_op(" memlock +%ld", room);
		break;
	case 3:
		narrowed = RLIMIT_MEMLOCK;
		base = room = 0;
		say_op(" memlock 0");
		break;
	case 4: /* of the areas that grow: the program's own stack has less */
		narrowed = RLIMIT_STACK;
		base = 64;
		room *= 40;
		say_op(" stack %ld", base + room);
		break;
	}
	set_limit(narrowed, (base + room) * PAGE);
}

/* In twin_fork.h. */
static void op_fork(unsigned int number);

/* --- one step --------------------------------------------------------------------------------- */

static void step(unsigned int number)
{
	static const struct {
		unsigned int weight;
		void (*run)(void);
	} ops[] = {
		{ 16, op_mmap },       { 3, op_mmap_stack }, { 2, op_mmap_big },
		{ 9, op_munmap },      { 12, op_mprotect },  { 14, op_mremap },
		{ 3, op_mremap_big },  { 9, op_mlock },	     { 1, op_mlockall },
		{ 1, op_munlockall },  { 10, op_madvise },   { 3, op_mincore },
		{ 3, op_msync },       { 4, op_brk },	     { 2, op_limit },
		{ 1, op_personality },
	};
	const unsigned int touching = 24, forking = 2;
	unsigned int sum = touching + forking, at;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		sum += ops[i].weight;
	if (limit_ops && --limit_ops == 0)
		lift_limit();
	if (with_files && chance(30)) {
		op_file(number);
		return;
	}
	at = below(sum);
	if (at < touching) {
		op_touch(number);
		return;
	}
	at -= touching;
	if (at < forking) {
		op_fork(number);
		return;
	}
	at -= forking;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (at < ops[i].weight) {
			ops[i].run();
			return;
		}
		at -= ops[i].weight;
	}
}

#endif
