# SPDX-License-Identifier: MIT
"""ptdump, ptcost, snap, ptdiff, functions and printers: see tables.t."""

import re

import gdb
from tap import *
from tessera import memory, paging, process, snapshot, tables

WIDTH = 96
GIB = 1 << 30


def narrow(command):
    """What a command prints, which is to fit into so many columns."""
    text = run(command)
    wide = [line for line in text.splitlines() if len(line) > WIDTH]
    is_(wide, [], f"{command}: no line is longer than {WIDTH}")
    return text


# --- before there is anything to tell ---------------------------------------------------------------

for command in ("ptdump", "print $walk(0x1000)", "print $pte(0x1000)"):
    is_(error(command), "Paging is off on CPU 0: there are no tables yet.", f"{command}, before paging")
for command in ("ptcost", "snap a", "print $vma(0)", "print $mm(1)"):
    is_(error(command), "The kernel has no processes yet.", f"{command}, before there are processes")
is_(run("snap"), "There are no snapshots: `snap NAME` makes one.\n", "there are no snapshots")

run("break sys_getppid")


def here():
    """The playground's getppid(), so that its address space is the one loaded."""
    send("here\n")
    go()


ready()
here()

# --- ptdump against QEMU and against the walk ------------------------------------------------------------


def dumped(command):
    """What `ptdump` says: (start, end, pages, rights) of each line."""
    return [(int(a, 16), int(b, 16), int(count.replace(",", "")), may) for a, b, count, may in re.findall(
        r"^([0-9a-f]{16})-([0-9a-f]{16}) .*? ([0-9,]+) x \w+ +([-urwx]{4}) ", run(command), re.M)]


def qemu_mem():
    """`info mem`: (start, end, rights without x), joined where they are equal."""
    found = []
    for a, b, rights in re.findall(r"^([0-9a-f]{16})-([0-9a-f]{16}) [0-9a-f]+ ([-urw]{3})",
                                   monitor("info mem"), re.M):
        start, end = int(a, 16), int(b, 16)
        if end <= start:
            end = 1 << 64
        if found and found[-1][1] == start and found[-1][2] == rights:
            found[-1] = (found[-1][0], end, rights)
        else:
            found.append((start, end, rights))
    return found


def joined(lines):
    """The same of our lines."""
    found = []
    for start, end, _, may in lines:
        if found and found[-1][1] == start and found[-1][2] == may[:3]:
            found[-1] = (found[-1][0], end, may[:3])
        else:
            found.append((start, end, may[:3]))
    return found


is_(joined(dumped("ptdump")), qemu_mem(), "ptdump maps what QEMU's info mem lists, with the same rights")

root = process.loaded_root()
lines, wrong, pages = dumped("ptdump user"), [], 0
for start, end, count, may in lines:
    pages += count
    for address in range(start, end, 4096):
        walk = paging.Walk(root, address)
        if walk.physical is None or str(walk.rights) != may:
            wrong.append(f"{address:#x}")
is_(wrong, [], "each page's walk allows what ptdump says")
for area in run("areas").splitlines()[2:]:
    pages -= int(area.split()[4])
is_(pages, 0, "and the pages are those that areas counts")

narrow("ptdump")
narrow("ptdump -used")
like(run("ptdump 0x10002000"), r"^0{8}10002000-0{8}10003000 +4 KiB  1 x 4K  ur--  A--  special ", "one page")
like(run("ptdump 0x10000000+0x2000"), r"^0{8}10000000-0{8}10002000 +8 KiB  2 x 4K  urw-  ADS  - ",
     "START+LENGTH")
is_([l[:2] for l in dumped("ptdump 0x40001000-0x40003000")], [(0x40001000, 0x40003000)], "part of a run")
like(run("ptdump 0x10200000-0x10204000"), r"^Nothing is mapped there\.$", "a range without pages")
is_(len(dumped("ptdump 0x10300000-0x10302000")), 1, "pages that were only read join those written")
is_(len(dumped("ptdump -used 0x10300000-0x10302000")), 2, "but not with -used")
is_([l for l in dumped("ptdump kernel") if l[0] < 1 << 63], [], "the kernel's half alone")
is_([l for l in dumped("ptdump user") if l[0] >= 1 << 63], [], "the user half alone")
is_(error("ptdump 5-3"), "`5-3` is a range that ends, at 0x3, before it begins, at 0x5: a difference "
    "is to be in parentheses.", "a range the wrong way round")
is_(error("ptdump a b"), "Usage: ptdump [-used] [user|kernel|RANGE]", "too many arguments")
like(error("ptdump nonsense"), r"`nonsense` is no address", "no range at all")

# --- calls, and what they change ----------------------------------------------------------------------------


def change(command, *patterns, answer=None):
    """Has the playground do something; what ptdiff says of it, which is to match all patterns."""
    run("snap a")
    said_by_guest = ask(command)
    if answer is not None:
        is_(said_by_guest, answer, command)
    text = narrow("ptdiff a -all")
    for pattern in patterns:
        like(text, pattern, f"{command}: {pattern}")
    return text


run("delete")
until(READY)
run("proc 1")
run("snap a")
is_(run("ptdiff a").splitlines()[1:], ["Nothing has changed."], "nothing changed when nothing ran")

text = change("mmap 20000000 4000 3 32", r"^  \+ 0x20000000-0x20004000 rw-p, 16 KiB$",
              r"^  total_vm .* \(\+4\)$", r"^  map_count .* \(\+1\)$", answer="0x20000000")
unlike(text, r"^Page tables|^Frames", "mmap maps no page")
change("w 20000000", r"^  ~ 0x20000000-0x20004000 rw-p: got an anon_vma$",
       r"^  PMD 0x20000000-0x20200000: none -> table 0x\w+000$",
       r"^  PTE 0x20000000-0x20001000: none -> frame 0x\w+, NX softdirty D A U W P$",
       r"^  frame 0x\w+: mapped now; anon_exclusive swapbacked; 1 reference, mapped 1x$",
       r"^  pgtables_bytes .* \(\+4,096\)$", r"^  rss anonpages .* \(\+1\)$", r"^  min_flt .* \(\+1\)$")
change("r 20002000", r"^  PTE 0x20002000-0x20003000: none -> frame 0x\w+, NX special A U P$")
change("w 20002000", r"^  PTE 0x20002000-0x20003000: frame \w+ -> frame \w+: \+softdirty \+D \+W -special$")
change("mprotect 20000000 1000 1", r"^  PTE 0x20000000-0x20001000: the same frame: -W$",
       r"^  ~ .*0x20000000.*-WRITE", r"^  \+ 0x20001000-0x20004000 rw-p.*was part of 0x20000000-0x20004000$"
       r"|^  ~ 0x20000000-0x20004000 rw-p: begins at 0x20001000", answer="0x0")
change("mprotect 20000000 1000 0",
       r"^  PTE 0x20000000-0x20001000: the same frame: NX softdirty D A U P -> protnone dirty softdirty$",
       r"^  ~ 0x20000000-0x20001000 r--p: -READ$", answer="0x0")
change("mremap 20002000 1000 1000 3 30000000", 
       r"^  \+ 0x30000000-0x30001000 rw-p, 4 KiB; moved here from 0x20002000-0x20003000$",
       r"^  PTE 0x20002000-0x20003000: frame (0x\w+), .* -> none\n  PTE 0x30000000-0x30001000: none -> frame \1,",
       answer="0x30000000")
change("munmap 20000000 4000", r"^  - 0x20000000-0x20001000 ---p, 4 KiB$",
       r"^  PMD 0x20000000-0x20200000: table 0x\w+ -> none$", r"^  frame 0x\w+: no longer mapped; free",
       r"^  pgtables_bytes .* \(-4,096\)$", answer="0x0")
ask("mmap 60000000 400000 3 32")
ask("fill 60000000 400000")
text = change("mremap 60000000 400000 400000 3 68000000",
              r"^  > 0x60000000-0x60400000 rw-p moved to 0x68000000-0x68400000$",
              r"^  table 0x\w+ \(PTEs, 512 in use\) moved: it was for 0x60200000-0x60400000, is for\n"
              r" +0x68200000-0x68400000$", r"^  system mremap_moved_pmd .* \(\+2\)$", answer="0x68000000")
unlike(text, r"^  PTE |^Frames", "a page table that is moved takes its entries along")
change("fork", r"^  PTE 0x40000000-0x40200000 \(512 entries\): the same frames: -W$",
       r"references 1 -> 2, mapped 1 -> 2$", r"-anon_exclusive, references", answer="child 1 pid 2")
change("w 10000000", r"^  PTE 0x10000000-0x10001000: frame \w+ -> frame \w+: \+W$",
       r"^  frame \w+: no longer mapped; swapbacked; 1 reference, mapped 1x$")

run("snap b")
like(run("snap"), r"^a +playground\[1\], \d+ areas, \d+ tables, \d+,?\d* frames; .* of gdb's memory$",
     "snap lists them")
like(run("ptdiff a b"), r"^playground\[1\], from `a` to `b`:\nPage tables$", "two snapshots are compared")
like(run("ptdiff b a"), r"PTE 0x10000000-0x10001000: .*: -W$", "in any order")
run("proc 2")
run("snap child")
run("proc 1")
is_(error("ptdiff a child"), "`a` is of playground[1], `child` of playground[2]: only one process can be "
    "compared with itself.", "but not two processes")
is_(error("ptdiff none"), "There is no snapshot `none`; there are: a, b, child.", "nor what isn't there")
is_(error("ptdiff"), "Usage: ptdiff A [B] [-all]", "nothing is too little")
is_(error("snap a b"), "Usage: snap [NAME | -d NAME]", "snap with too much")
run("snap -d b")
is_(error("snap -d b"), "There is no snapshot `b`; there are: a, child.", "a snapshot is forgotten")
ask("1: quit")
like(error("ptdiff child"), r"^playground\[2\] is there no longer: there is nothing to compare", "it has ended")

# --- functions and printers ----------------------------------------------------------------------------------

walk = paging.Walk(process.current_root()[0], 0x10001234)
is_(value("$walk(0x10001234)"), walk.physical, "$walk")
is_(value("$pfn(0x10001234)"), walk.physical >> 12, "$pfn")
is_(value("$pte(0x10001234).v"), walk.entry, "$pte")
like(run("print $pte(0x10001234)"), rf"= {walk.entry:#x} \(NX softdirty D A U( W)? P, frame 0x\w+\)$",
     "a pte_t is printed in words")
is_(error("print $walk(0x10009000)"), "0x10009000 leads nowhere: its PTE entry is 0x0, none.", "$walk to nowhere")
is_(error("print $pte(1UL << 55)"), "0x80000000000000 is not canonical.", "$pte of no address")
is_(error("print $walk()"), "Usage: $walk(ADDR)", "$walk without an argument")
page = value("(unsigned long)$page($pfn(0x10001234))")
is_(page, 0xFFFFEA0000000000 + 64 * (walk.physical >> 12), "$page of a frame's number")
is_(value(f"(unsigned long)$page($virt({walk.physical}))"), page, "of an address in the kernel's half")
like(run("print *$page($pfn(0x40000000))"), r"= frame 0x\w+: (anon_exclusive )?swapbacked; 1 reference, mapped 1x;"
     r" anon_vma 0xffff\w+, index 0x40000$", "a struct page is printed in words")
like(run("print *$vma(0x10700000)"), r"= 0x10700000-0x10704000 rw-p locked,account$", "an area")
like(run("print *$vma(0x10400000)"), r"rw-p account /tmp/playground$", "an area of a file")
is_(value("(unsigned long)$vma(0x10900000)"), 0, "$vma of no area is 0")
like(run("print *$mm()"), r"= mm of playground\[1\]: \d+ areas, [\d,]+ pages, top-level table at 0x\w+$",
     "an mm_struct")
is_(value("$mm(1) == $task(1)->mm_part.mm"), 1, "$mm and $task")
is_(error("print $task(99)"), "There is no process 99: `ps` lists them.", "$task of nobody")
like(run("print $vma(0x10400000)->vm_page_prot"), r"= 0x8000000000000025 \(NX A U P\)$", "a pgprot_t")
like(run("print $vmflags(0x102073)"), r'"READ WRITE MAYREAD MAYWRITE MAYEXEC LOCKED ACCOUNT"$', "$vmflags")
like(run("print $vmflags($vma(0x10a00000))"), r'"READ WRITE MAYREAD MAYWRITE MAYEXEC GROWSDOWN ACCOUNT',
     "$vmflags of an area")
like(run("print $pteflags(0x8000000000000067)"), r'"NX D A U W P"$', "$pteflags")
like(run("print $pteflags(0xe7, 2)"), r'"PS D A U W P"$', "$pteflags of a PMD entry")
like(run("print $pageflags($page($pfn(0x40000000)))"), r'"swapbacked', "$pageflags")
like(run("x/s $virt($walk(0x10001000))"), r'"B"$', "memory through $virt($walk())")
like(run("print kernel_pgd"), r"= \{0 \(none\) <repeats 273 times>, 0x\w+ \(A W P, table 0x\w+\),", "a table")
like(run("print all_processes"), r"= list with \d+ other links?: 0xffff", "a list")
like(run("walk $vma(0x10400000)->vm_start"), r"^0x0000000010400000: user half$", "a function in an argument")
like(run("print/r *$vma(0x10400000)"), r"vm_start = 0x10400000|vm_start = 272629760", "print/r shows the structure")

# --- a GiB ---------------------------------------------------------------------------------------------------


# Of the page of zeros, which takes no memory but the tables.
is_(ask(f"mmap 80000000 {GIB:x} 1 8022"), "0x80000000", "a GiB, populated")
like(cost("ptdump"), r"^0{8}80000000-0{8}c0000000 +1 GiB  262,144 x 4K  ur--  A--  special ",
     "a GiB is one line")
ok(memory.counters.bytes < 3 << 20, "read are its tables, 2 MiB, and little else")
ok(memory.counters.reads < 1000, "in fewer than 1,000 reads")
text = cost("ptcost")
used = len(tables.Tables(process.current_root()[0], 0, tables.HALF).by_level[1])
like(text, rf"^PTE +2 MiB +{used} ", "ptcost counts the tables")
like(text, r"; the mm counts the same \(pgtables_bytes\)$", "as the mm does")
narrow("ptcost")
snapshot.FRAMES_MAX = 100
like(cost("snap big"), r"^The states of [\d,]+ of them are not kept\.$", "too many frames' states aren't kept")
mm = process.current_mm()
gdb.execute(f"set var ((struct mm_struct *){mm._address})->pgtables_bytes.v -= 4096")
like(run("ptcost"), r"WHICH DIFFERS by -4,096", "a count that is wrong is seen")
gdb.execute(f"set var ((struct mm_struct *){mm._address})->pgtables_bytes.v += 4096")

# --- help and completion ---------------------------------------------------------------------------------------

for command in ("ptdump", "ptcost", "snap", "ptdiff"):
    like(run(f"help {command}"), rf"^.+\.\n\nUsage: {command}\b", f"help {command}")
    like(run("tessera"), rf"^{command} +\w", f"{command} is listed")
for name in ("walk", "pfn", "pte", "page", "vma", "task", "mm", "vmflags", "pteflags", "pageflags", "virt"):
    like(run(f"help function {name}"), rf"\.\n\n\${name}\(", f"help function {name}")
    like(run("tessera"), rf"^\${name}\(.*\) +\w", f"${name} is listed")
like(run("complete ptdump k"), r"^ptdump kernel$", "ptdump completes")
like(run("complete ptdiff b"), r"^ptdiff big$", "ptdiff completes names")
