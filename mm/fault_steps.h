/* SPDX-License-Identifier: MIT */
/*
 * Every reason a fault can meet on its way, in words: the one table that the fault handler's record, the
 * line about a signal, the panic, /proc/pid/fault and the debugger speak with. A fault's path is the list
 * of its steps, from what was found to what was done:
 *
 *	path     := program | kernel
 *
 *	program  := KERNEL_HALF end                     by the program, or by the kernel for it
 *	          | NO_AREA end                           with an instruction that may fault
 *	          | BELOW_STACK no_room end
 *	          | where NOT_READABLE end              a fetch from an entry that isn't present
 *	          | where NOT_WRITABLE end                counts as a read, and so does its step
 *	          | where NOT_EXECUTABLE end
 *	          | where may tables entry
 *	          | PROCESSOR_ACCESS SEGV_KERNEL        user mode, but no access of the program's
 *	          | RESERVED_BITS PANIC
 *	where    := AREA | BELOW_STACK STACK_GROWS
 *	no_room  := STACK_MIN_ADDR | STACK_GAP | STACK_PGOFF | STACK_AS | STACK_RLIMIT
 *	          | STACK_MEMLOCK | STACK_OVERCOMMIT | NO_MEMORY     the first of them that holds
 *	may      := MAY_READ | MAY_WRITE | MAY_EXEC
 *	tables   := (none) | TABLES_3 | TABLES_2 | TABLES_1
 *	entry    := ENTRY_NONE anon                     the area has no vm_ops
 *	          | ENTRY_NONE driver | ENTRY_NONE page use
 *	          | ENTRY_READ_ONLY write               a write
 *	          | ENTRY_FITS
 *	          | ENTRY_UNKNOWN end
 *	anon     := ZERO_PAGE | FRESH_PAGE              a read | a write
 *	driver   := MAP_DEVICE | NO_PAGE_BEHIND end     a driver maps frames, not pages
 *	page     := PAGE_CACHED | PAGE_READ | PAGE_ZEROS             of a file
 *	          | KERNEL_PAGE                                      of a special mapping, as the vdso
 *	          | BEYOND_EOF end | NO_PAGE_BEHIND end
 *	          | PAGE_READ READ_FAILED end | PAGE_ZEROS NO_ROOM end
 *	use      := MAP_AROUND | MAP_PAGE               a read, with and without vm_ops->map_pages
 *	          | COPY_FILE_PAGE                      a write, private
 *	          | SHARED_WRITE | MKWRITE SHARED_WRITE a write, shared; with vm_ops->page_mkwrite
 *	write    := SHARED_WRITABLE | MKWRITE SHARED_WRITABLE        the area is VM_SHARED; likewise
 *	          | REUSE_EXCLUSIVE | REUSE_LAST                     an anonymous page, private
 *	          | COPY_ON_WRITE | COPY_ZERO | COPY_FROM_FILE | COPY_DEVICE
 *	end      := SEGV_MAPERR | SEGV_ACCERR | BUS_ADRERR | KILLED  by the program
 *	          | EFAULT                                           by the kernel for it
 *
 *	kernel   := why EFAULT | why PANIC              anything else in kernel mode; EFAULT: with a fixup
 *	why      := RESERVED_BITS
 *	          | NO_PROGRAM | NOT_UACCESS | NO_WAIT               the address is the program's
 *	          | GUARD_PAGE | NOT_MAPPED | MAPPED_READ_ONLY | MAPPED_NO_EXEC | MAPPED_WELL
 *
 * Where memory runs out, NO_MEMORY and an end follow the step that needed it: tables, anon, page, use, or
 * write; or ENTRY_NONE, where memory for a copy is taken before the page is looked for. Where another
 * thread changed the entry between look and change, or the file lost the page, ENTRY_CHANGED comes last:
 * nothing was done, and the access is tried again. These two and READ_FAILED can't be told beforehand; every
 * other step can, by looking at memory before the access. What depends on who came first, such as which
 * lock was taken, or how often something was tried, is no step.
 *
 * NOT_CANONICAL is a path by itself, and of no page fault: the processor raises general protection.
 *
 * A path has at most FAULT_PATH_MAX steps and is kept in 64 bits, a step in each byte: the last in the
 * lowest, 0 for none. Sentences have no full stop; that of a refusal completes "cannot write 0x1234: ...".
 */
#ifndef MM_FAULT_STEPS_H
#define MM_FAULT_STEPS_H

#define FAULT_PATH_MAX 8

/* clang-format off */
#define FAULT_STEPS \
	/* Which area? */ \
	FAULT_STEP(AREA, "an area holds the address") \
	FAULT_STEP(NO_AREA, "no area holds the address") \
	FAULT_STEP(BELOW_STACK, "no area holds the address, but the next one above grows down: a stack") \
	FAULT_STEP(STACK_GROWS, "the stack grows: its area begins at this page from now on") \
	FAULT_STEP(STACK_MIN_ADDR, "the stack above may not grow so far (vm.mmap_min_addr)") \
	FAULT_STEP(STACK_GAP, "the stack above may not grow so far (its guard gap to the area below)") \
	FAULT_STEP(STACK_PGOFF, "the stack above may not grow so far (it was moved; its pages' numbers end at 0)") \
	FAULT_STEP(STACK_AS, "the stack above may not grow so far (RLIMIT_AS)") \
	FAULT_STEP(STACK_RLIMIT, "the stack above may not grow so far (RLIMIT_STACK)") \
	FAULT_STEP(STACK_MEMLOCK, "the stack above may not grow so far (it is locked, and RLIMIT_MEMLOCK)") \
	FAULT_STEP(STACK_OVERCOMMIT, "the stack above may not grow so far (so much memory can't be promised)") \
	FAULT_STEP(KERNEL_HALF, "the address lies above all that programs may have") \
	FAULT_STEP(NOT_CANONICAL, "the address is not canonical: bits 48-63 must equal bit 47") \
	/* May it be done there? */ \
	FAULT_STEP(MAY_READ, "the area allows the read") \
	FAULT_STEP(MAY_WRITE, "the area allows the write") \
	FAULT_STEP(MAY_EXEC, "the area allows to execute") \
	FAULT_STEP(NOT_READABLE, "the area there is not readable") \
	FAULT_STEP(NOT_WRITABLE, "the area there is not writable") \
	FAULT_STEP(NOT_EXECUTABLE, "the area there is not executable") \
	/* Down the tables. */ \
	FAULT_STEP(TABLES_3, "the PGD entry is empty: tables are made for PUD, PMD, and PTE") \
	FAULT_STEP(TABLES_2, "the PUD entry is empty: tables are made for PMD and PTE") \
	FAULT_STEP(TABLES_1, "the PMD entry is empty: a table is made for the PTE") \
	/* What is in the entry? */ \
	FAULT_STEP(ENTRY_NONE, "the PTE is empty: the page was not mapped yet, or not any more") \
	FAULT_STEP(ENTRY_READ_ONLY, "the PTE maps a page, but for reading only, and this is a write") \
	FAULT_STEP(ENTRY_FITS, "the PTE allows the access already: the TLB did not know, or a thread was faster") \
	FAULT_STEP(ENTRY_UNKNOWN, "the PTE maps nothing and isn't empty either: nothing here makes such") \
	FAULT_STEP(ENTRY_CHANGED, "the page or its PTE changed meanwhile: the access is tried again") \
	/* Anonymous memory. */ \
	FAULT_STEP(ZERO_PAGE, "anonymous memory is read for the first time: the shared page of zeros is mapped") \
	FAULT_STEP(FRESH_PAGE, "anonymous memory is written for the first time: a fresh page of zeros is mapped") \
	/* What stands behind the area? */ \
	FAULT_STEP(PAGE_CACHED, "the file's page is in memory, in the page cache") \
	FAULT_STEP(PAGE_READ, "the file's page is not in memory: it is read into the page cache") \
	FAULT_STEP(PAGE_ZEROS, "the file has no page there yet: one of zeros is added to it") \
	FAULT_STEP(BEYOND_EOF, "the page lies beyond the end of the file") \
	FAULT_STEP(READ_FAILED, "the file's page could not be read") \
	FAULT_STEP(NO_ROOM, "no room for another page of the file: its file system is full, or memory promised") \
	FAULT_STEP(KERNEL_PAGE, "the kernel itself made the page behind the area") \
	FAULT_STEP(NO_PAGE_BEHIND, "there is nothing to map behind this page of the area") \
	FAULT_STEP(MAP_DEVICE, "the driver maps a frame that it chooses") \
	FAULT_STEP(MAP_PAGE, "that page is mapped") \
	FAULT_STEP(MAP_AROUND, "that page is mapped, and with it those beside it that are in memory") \
	FAULT_STEP(COPY_FILE_PAGE, "the area is private and this a write: a copy of that page is mapped") \
	FAULT_STEP(MKWRITE, "the file learns that it is about to be changed") \
	FAULT_STEP(SHARED_WRITE, "the area is shared: that very page is mapped, for writing") \
	/* A write to what is mapped for reading. */ \
	FAULT_STEP(SHARED_WRITABLE, "the area is shared: the page stays, and its PTE becomes writable") \
	FAULT_STEP(REUSE_EXCLUSIVE, "the page is known as this area's alone: it stays, its PTE becomes writable") \
	FAULT_STEP(REUSE_LAST, "nobody else has the page any more: it stays, its PTE becomes writable") \
	FAULT_STEP(COPY_ON_WRITE, "others may have the page, too, as after fork: it is copied for this area") \
	FAULT_STEP(COPY_ZERO, "it is the shared page of zeros: a fresh page takes its place") \
	FAULT_STEP(COPY_FROM_FILE, "the page is not the program's but the file's: it is copied for this area") \
	FAULT_STEP(COPY_DEVICE, "the frame is a device's: it is copied for this area") \
	FAULT_STEP(NO_MEMORY, "out of memory") \
	/* What is no business of areas. */ \
	FAULT_STEP(PROCESSOR_ACCESS, "the processor itself cannot read there for the program, as it must") \
	FAULT_STEP(RESERVED_BITS, "an entry on the way has a bit set that is reserved: the tables are damaged") \
	FAULT_STEP(NO_PROGRAM, "the address is a program's, and no program is running") \
	FAULT_STEP(NOT_UACCESS, "the address is the program's, and this instruction is none that may go there") \
	FAULT_STEP(NO_WAIT, "the address is the program's, and this instruction must not wait for a page of it") \
	FAULT_STEP(GUARD_PAGE, "it is the guard page of a kernel stack: the stack has overflowed") \
	FAULT_STEP(NOT_MAPPED, "the kernel has mapped nothing there") \
	FAULT_STEP(MAPPED_READ_ONLY, "the kernel has mapped that for reading only") \
	FAULT_STEP(MAPPED_NO_EXEC, "the kernel has mapped that, but not for execution") \
	FAULT_STEP(MAPPED_WELL, "the kernel has mapped that, and the access should have succeeded") \
	/* How it ends, when it can't be resolved. */ \
	FAULT_STEP(SEGV_MAPERR, "the program gets SIGSEGV with SEGV_MAPERR") \
	FAULT_STEP(SEGV_ACCERR, "the program gets SIGSEGV with SEGV_ACCERR") \
	FAULT_STEP(SEGV_KERNEL, "the program gets SIGSEGV with SI_KERNEL, and no address") \
	FAULT_STEP(BUS_ADRERR, "the program gets SIGBUS with BUS_ADRERR") \
	FAULT_STEP(KILLED, "the program is killed, by SIGKILL") \
	FAULT_STEP(EFAULT, "the kernel's access ends here: the system call returns less, or EFAULT") \
	FAULT_STEP(PANIC, "the kernel panics")
/* clang-format on */

enum fault_step {
	STEP_NONE,
#define FAULT_STEP(name, text) STEP_##name,
	FAULT_STEPS
#undef FAULT_STEP
		NR_FAULT_STEPS,
};

/* By enum fault_step: the sentences, and the names without STEP_. Those of STEP_NONE are empty. */
extern const char *const fault_step_text[NR_FAULT_STEPS];
extern const char *const fault_step_name[NR_FAULT_STEPS];

#endif
