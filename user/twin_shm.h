/* SPDX-License-Identifier: MIT */
/*
 * twin_shm.h: System V shared memory, which fork's children inherit, and memory read and written
 * through process_vm_readv(2) and process_vm_writev(2), a child's too.
 *
 * Identifiers differ from run to run: the text has a segment's number among those the process knows.
 */
#ifndef USER_TWIN_SHM_H
#define USER_TWIN_SHM_H

#include "twin_file.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/uio.h>

#define SEGMENTS	  4
#define MAX_SEGMENT_PAGES 12

static struct segment {
	int id;	  /* -1: none yet */
	bool own; /* made by this process, which removes it */
} segments[SEGMENTS] = { { -1, false }, { -1, false }, { -1, false }, { -1, false } };

static pid_t live_child; /* or 0 */

/* An inode number 0 would look like none: the first segment of all is nobody's. */
static int first_segment;

static void take_first_segment(void)
{
	first_segment = shmget(IPC_PRIVATE, PAGE, 0600);
}

static void drop_first_segment(void)
{
	shmctl(first_segment, IPC_RMID, NULL);
}

static void drop_segment(struct segment *segment)
{
	if (segment->own)
		shmctl(segment->id, IPC_RMID, NULL);
	segment->own = false;
}

static void drop_segments(void)
{
	for (int i = 0; i < SEGMENTS; i++)
		drop_segment(&segments[i]);
}

/* They are the parent's. */
static void inherit_segments(void)
{
	for (int i = 0; i < SEGMENTS; i++)
		segments[i].own = false;
}

static void do_shmget(int n)
{
	unsigned long size = (1 + below(MAX_SEGMENT_PAGES)) * PAGE - (chance(30) ? below(PAGE) : 0);
	struct segment *segment = &segments[n];
	long id;

	if (chance(4))
		size = chance(50) ? 0 : -1UL;
	drop_segment(segment);
	begin_op(C_SHMGET);
	say_op(" %d of 0x%lx", n, size);
	id = kernel(SYS_shmget, IPC_PRIVATE, size, IPC_CREAT | (chance(90) ? 0600 : 0400), 0, 0, 0);
	segment->id = op.result ? -1 : id;
	segment->own = !op.result;
}

static void do_shmat(int n)
{
	unsigned long addr = page_addr(below(NEAR_PAGES - MAX_SEGMENT_PAGES)), flags = 0;
	long ret;

	if (chance(60))
		flags |= SHM_REMAP;
	if (chance(20))
		flags |= SHM_RDONLY;
	if (chance(10))
		flags |= SHM_EXEC;
	if (chance(15)) {
		addr += below(PAGE);
		flags |= chance(80) ? SHM_RND : 0;
	}
	if (chance(4))
		addr = chance(50) ? 0 : TASK_SIZE;
	/* Without an address the kernel would choose one, which is not the same everywhere. */
	if (!addr)
		flags |= SHM_REMAP;
	begin_op(C_SHMAT);
	say_op(" %d", n);
	say_addr(addr);
	say_op(" flags 0x%lx", flags);
	ret = kernel(SYS_shmat, segments[n].id, addr, flags, 0, 0, 0);
	if (!op.result)
		snprintf(op.extra, sizeof(op.extra), " at %lu", (ret - REGION) / PAGE);
}

/* Mostly where a shared area begins, which may be a segment's. */
static void do_shmdt(void)
{
	unsigned long addr = page_addr(below(NEAR_PAGES));

	for (int tries = 0; tries < 12 && state.count; tries++) {
		const struct area *area = &state.areas[below(state.count)];

		if (area->perms[3] != 's')
			continue;
		addr = page_addr(area->start -
				 (chance(85) || area->pgoff > area->start ? 0 : area->pgoff));
		break;
	}
	if (chance(4))
		addr += 1 + below(PAGE - 1);
	begin_op(C_SHMDT);
	say_addr(addr);
	kernel(SYS_shmdt, addr, 0, 0, 0, 0, 0);
}

static void do_shmctl(int n)
{
	static struct shmid_ds ds;
	static const struct {
		int command;
		const char *name;
	} commands[] = { { IPC_STAT, "stat" }, { IPC_STAT, "stat" },	 { IPC_RMID, "rmid" },
			 { SHM_LOCK, "lock" }, { SHM_UNLOCK, "unlock" }, { 99, "unknown" } };
	size_t i = below(sizeof(commands) / sizeof(commands[0]));

	begin_op(C_SHMCTL);
	say_op(" %d %s", n, commands[i].name);
	memset(&ds, 0, sizeof(ds));
	kernel(SYS_shmctl, segments[n].id, commands[i].command, (unsigned long)&ds, 0, 0, 0);
	if (op.result)
		return;
	if (commands[i].command == IPC_RMID)
		segments[n].own = false;
	if (commands[i].command == IPC_STAT)
		snprintf(op.extra, sizeof(op.extra), " size %lu, %lu attached, mode 0%o",
			 (unsigned long)ds.shm_segsz, (unsigned long)ds.shm_nattch,
			 (unsigned int)ds.shm_perm.mode);
}

static void op_shm(unsigned int number)
{
	int n = below(SEGMENTS);

	(void)number;
	if (segments[n].id < 0 || chance(15)) {
		do_shmget(n);
		return;
	}
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
	case 3:
		do_shmat(n);
		break;
	case 4:
	case 5:
		do_shmdt();
		break;
	default:
		do_shmctl(n);
	}
}

/* --- other processes' memory ---------------------------------------------------------------------- */

#define VECTORS 3

/* Pieces of the region, some of which may not be there. */
static unsigned long pick_vectors(struct iovec *vec, bool local, unsigned int number)
{
	unsigned long count = 1 + below(VECTORS);

	for (unsigned long i = 0; i < count; i++) {
		unsigned long addr = page_addr(pick_page());

		if (chance(50))
			addr += below(PAGE);
		if (local && chance(60))
			addr = own_buffer(number) + i * 64;
		if (!local && chance(2))
			addr = TASK_SIZE - 8;
		vec[i].iov_base = (void *)addr;
		vec[i].iov_len = chance(50) ? 8 : chance(60) ? PAGE : below(2 * PAGE);
		if (addr >= REGION && addr < TASK_SIZE - PAGE)
			say_addr(addr);
		else
			say_op(local ? " own" : " nowhere");
		say_op("+%lu", (unsigned long)vec[i].iov_len);
	}
	return count;
}

static void op_vm_readv(unsigned int number)
{
	static struct iovec local[VECTORS], remote[VECTORS];
	enum call call = chance(50) ? C_VMREAD : C_VMWRITE;
	bool of_child = live_child && chance(60);
	unsigned long locals, remotes;
	long ret;

	begin_op(call);
	locals = pick_vectors(local, true, number);
	say_op(call == C_VMREAD ? " from" : " to");
	remotes = pick_vectors(remote, false, number);
	if (of_child)
		say_op(" of the child");
	ret = kernel(call == C_VMREAD ? SYS_process_vm_readv : SYS_process_vm_writev,
		     of_child ? live_child : (pid_t)syscall(SYS_getpid), (unsigned long)local,
		     locals, (unsigned long)remote, remotes, chance(97) ? 0 : 1);
	if (!op.result)
		snprintf(op.extra, sizeof(op.extra), " %ld", ret);
	if (!op.result && call == C_VMREAD && (unsigned long)local[0].iov_base < REGION)
		snprintf(op.extra, sizeof(op.extra), " %ld %08x", ret,
			 (unsigned int)hash_bytes(HASH_START, local[0].iov_base,
						  ret < 64 ? ret : 64));
}

/* From here on what can be read can be executed, or not any more. */
#define READ_IMPLIES_EXEC 0x0400000UL

static void op_personality(void)
{
	unsigned long persona = syscall(SYS_personality, 0xffffffff);
	bool on = chance(40);

	begin_op(C_PERSONA);
	say_op(on ? " read implies exec" : " plain");
	kernel(SYS_personality, on ? persona | READ_IMPLIES_EXEC : persona & ~READ_IMPLIES_EXEC, 0,
	       0, 0, 0, 0);
	snprintf(op.extra, sizeof(op.extra), " %s",
		 persona & READ_IMPLIES_EXEC ? "was on" : "was off");
}

#endif
