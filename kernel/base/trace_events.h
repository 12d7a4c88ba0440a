/* SPDX-License-Identifier: MIT */
/*
 * What the trace can say: the one table of it. The kernel's own text, gdb (which reads trace_kinds and
 * trace_types out of the kernel's memory) and the decoder on the host (which gets both as text with the
 * events) all go by it. To be included with the two macros defined.
 *
 * TRACE_TYPE(ID, name, style, names...): how a field is shown. A style is TRACE_HEX, TRACE_DEC, TRACE_ENUM
 * (the value is an index into the names), TRACE_BITS (names[n] is bit n's; NULL: it has none) or TRACE_PATH (each
 * byte that isn't 0 is such an index, the highest first).
 *
 * TRACE_KIND(ID, name, number of fields, "field:type ..."): a kind of event. A name's first part, up to
 * the hyphen, is its group, by which it can be switched on and off as well.
 */

TRACE_TYPE(HEX, "hex", TRACE_HEX, NULL)
TRACE_TYPE(DEC, "dec", TRACE_DEC, NULL)
/* The entry's place: of which table it is an entry. */
TRACE_TYPE(LEVEL, "level", TRACE_ENUM, NULL, "pte", "pmd", "pud", "pgd")
/* A page-table entry: <arch/pte.h>. */
TRACE_TYPE(PTE, "pte", TRACE_BITS, "P", "W", "U", "PWT", "PCD", "A", "D", "PS", "G", "SPECIAL",
	   "UFFD_WP", "SOFT_DIRTY", [63] = "NX")
/* vm_flags, by the letters of /proc/pid/smaps. */
TRACE_TYPE(VMFLAGS, "vmflags", TRACE_BITS, "rd", "wr", "ex", "sh", "mr", "mw", "me", "ms",
	   "gd", [10] = "pf", [13] = "lo", "io", "sr", "rr", "dc", "de", "lf", "ac", "nr", "ht",
	   "sf", [25] = "wf", "dd", "sd", "mm", "hg", "nh", "mg")
/* A page fault's error code (SDM volume 3A, section 4.7), its steps (mm tells), and enum fault_verdict. */
TRACE_TYPE(ERROR, "error", TRACE_BITS, "present", "write", "user", "reserved", "fetch")
TRACE_TYPE(PATH, "path", TRACE_PATH, NULL)
TRACE_TYPE(VERDICT, "verdict", TRACE_ENUM, "handled", "no-area", "not-readable", "not-writable",
	   "not-executable", "stack-limit", "bus", "out-of-memory", "none")
/* Which neighbours take a range over. */
TRACE_TYPE(SIDES, "sides", TRACE_BITS, "prev", "next")
TRACE_TYPE(FLUSH, "flush", TRACE_ENUM, "range", "all", "kernel-range", "kernel-all", "local")
TRACE_TYPE(GFP, "gfp", TRACE_BITS, "dma32", "zero", "sleep", "reclaim", "nowarn", "comp", "user")
TRACE_TYPE(STATE, "state", TRACE_ENUM, "running", "interruptible", "uninterruptible", "killable",
	   "stopped", "dead")
/* Numbered by the system-call table, which knows the names: trace_name_values(). */
TRACE_TYPE(SYSCALL, "syscall", TRACE_ENUM, NULL)

/* Made by who reads, where events were overwritten before he came: it stands before the next one. */
TRACE_KIND(LOST, "lost", 1, "events:dec")
/* entry.S knows these two by their numbers: TRACE_SYSCALLS. The sixth argument isn't there. */
TRACE_KIND(SYSCALL_IN, "syscall-in", 6, "nr:syscall a:hex b:hex c:hex d:hex e:hex")
TRACE_KIND(SYSCALL_OUT, "syscall-out", 2, "nr:syscall ret:dec")
/* At its end, behind all that it did. */
TRACE_KIND(FAULT, "fault", 5, "addr:hex ip:hex error:error path:path verdict:verdict")
/* Insert, remove and change, applied to what was there, give what is there; the others tell why, before. */
TRACE_KIND(AREA_INSERT, "area-insert", 5, "mm:hex start:hex end:hex flags:vmflags pgoff:hex")
TRACE_KIND(AREA_REMOVE, "area-remove", 4, "mm:hex start:hex end:hex flags:vmflags")
TRACE_KIND(AREA_CHANGE, "area-change", 5, "mm:hex start:hex end:hex new_start:hex new_end:hex")
TRACE_KIND(AREA_FLAGS, "area-flags", 5, "mm:hex start:hex end:hex old:vmflags new:vmflags")
TRACE_KIND(AREA_MERGE, "area-merge", 6,
	   "mm:hex start:hex end:hex with:sides new_start:hex new_end:hex")
TRACE_KIND(AREA_SPLIT, "area-split", 4, "mm:hex start:hex end:hex at:hex")
/* mm 0: the kernel's half. What the processor itself sets in an entry (A, D) makes no event. */
TRACE_KIND(PTE_SET, "pte-set", 5, "mm:hex addr:hex level:level old:pte new:pte")
TRACE_KIND(PTE_CLEAR, "pte-clear", 4, "mm:hex addr:hex level:level old:pte")
TRACE_KIND(PTE_MOVE, "pte-move", 5, "mm:hex from:hex to:hex level:level entry:pte")
/* A table was hung under, or taken out of, the entry of that level. */
TRACE_KIND(PTE_TABLE, "pte-table", 4, "mm:hex addr:hex level:level table:hex")
TRACE_KIND(PTE_UNTABLE, "pte-untable", 4, "mm:hex addr:hex level:level table:hex")
/* cpus: how many others were interrupted for it. */
TRACE_KIND(TLB_FLUSH, "tlb-flush", 4, "what:flush start:hex end:hex cpus:dec")
TRACE_KIND(PAGE_ALLOC, "page-alloc", 3, "pfn:hex order:dec gfp:gfp")
TRACE_KIND(PAGE_FREE, "page-free", 2, "pfn:hex order:dec")
/* By the one who leaves; 0: nobody, the processor idles. */
TRACE_KIND(SWITCH, "switch", 3, "from:dec state:state to:dec")
