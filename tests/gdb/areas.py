# SPDX-License-Identifier: MIT
"""areas, area, vmtree, vmacache, layout: see areas.t."""

import re

import gdb
from tap import *
from tessera import memory, paging, predict, process, vma as vma_of

WIDTH = 96
MANY = 10000


def narrow(command):
    """What a command prints, which is to fit into so many columns."""
    text = run(command)
    wide = [line for line in text.splitlines() if len(line) > WIDTH]
    is_(wide, [], f"{command}: no line is longer than {WIDTH}")
    return text


def rows(text):
    """The lines of `areas` that are about areas: their words."""
    return [line.split() for line in text.splitlines() if re.match(r"[0-9a-f]{12}-", line)]


# --- before there is anything to tell ---------------------------------------------------------------

for command in ("areas", "area 0x1000", "vmtree", "vmacache", "layout"):
    is_(error(command), "The kernel has no processes yet.", f"{command}, before there are processes")
like(run("layout kernel"), r"direct map: nothing mapped", "but the kernel's half can be drawn")

run("tbreak kernel_execve")
go()
for command in ("areas", "area 0x1000", "vmtree", "vmacache", "layout user"):
    is_(error(command), "init[1] is a kernel thread, without an address space: choose another with "
        "`proc PID`.", f"{command} of a kernel thread")
like(run("proc 1"), r"^Commands speak of init\[1\], the kernel's own tables \(chosen\)", "which can be chosen")
like(run("walk $rip"), r"^=> physical 0x", "then the kernel's half can be walked")
like(run("ptdump kernel"), r"^init\[1\], the kernel's own tables: top-level table at 0x", "and listed")
like(run("why $rip x kernel"), r"^=> It succeeds", "and asked about")
like(error("walk 0x1000"), r"^init\[1\] is a kernel thread, without an address space", "but no program's")
run("proc -")
ready()
# There are two processors and one process.
run(f"thread {1 + next(cpu for cpu in (0, 1) if process.running(cpu) is None)}")
for command in ("areas", "area 0x1000", "vmtree", "vmacache", "layout user"):
    like(error(command), r"^CPU \d runs no process now: choose one with `proc PID`; `ps` lists them\.$",
         f"{command} of an idle processor")
is_(error("proc 99"), "There is no process 99: `ps` lists them.", "nor has a process that isn't there")
run("proc 1")

# --- areas against /proc/1/maps -----------------------------------------------------------------------


def same_maps(pid, ask_for, name):
    run(f"proc {pid}")
    is_(run("areas -maps").splitlines(), ask(ask_for).splitlines(), f"areas -maps is /proc/{pid}/maps{name}")


same_maps(1, "maps", "")
is_(ask("mprotect 10001000 1000 1"), "0x0", "an area is cut in three")
is_(ask("mremap 10300000 4000 4000 3 10380000"), "0x10380000", "part of one is moved")
is_(ask("mmap 10a10000 3000 3 8032"), "0x10a10000", "one is new")
is_(ask("fork"), "child 1 pid 2", "the process forks")
same_maps(1, "maps", ", after changes")
same_maps(2, "1: maps", ", of a child")
is_(ask("1: munmap 10000000 700000"), "0x0", "in the child something goes")
same_maps(2, "1: maps", ", after that")
same_maps(1, "maps", ", of the parent again")

listing = narrow("areas")
mm = process.current_mm()
root = process.root_of(mm)
table = rows(listing)
is_(len(table), mm.map_count, "a line for each area")
for words in table:
    low, high = (int(word, 16) for word in words[0].split("-"))
    there = sum(paging.Walk(root, addr).physical is not None for addr in range(low, high, 4096))
    if there != int(words[4]):
        is_(int(words[4]), there, f"pages of {words[0]}")
ok(True, "PAGES is what walks of each page find")
like(listing, r"^000010700000-\S+ +rw-p +16 KiB +4 +- +\w+ +lo ac$", "a locked area")
like(listing, r"^000010a00000-\S+ +rw-p .* gd ac$", "one that grows down")
like(listing, r"^000010500000-\S+ +rw-s .* 0 +- +- +/tmp/playground$", "a shared one, of a file")
like(listing, r" \[vdso\]$", "the vdso")

# --- one area -------------------------------------------------------------------------------------------

text = narrow("area 0x10400123")
like(text, r"^0x10400123 is in an area of playground\[1\]: struct vm_area_struct at 0xffff", "area: where")
like(text, r"^  range      0x10400000-0x10406000, 24 KiB: 6 pages, \d present$", "its range")
like(text, r"^    0x00000002  WRITE +wr  may be written$", "a flag, and what it means")
like(text, r"page cache at 0x\w+: 14 KiB long, 4 of 4 pages in memory", "its file")
like(text, r"^ +pages from 0x4 on lie behind its end: SIGBUS$", "what is behind the file's end")
like(text, r"^    0x\w+ to 0x\w+: its own, a root, 1 writing$", "its anon_vma")
like(text, r"^  before     0x10380000-0x10384000 rw-s .*: 496 KiB between$", "its neighbour, and the gap")
like(text, r"^  locks      the area: not locked for writing", "its lock")
like(text, r"^             mmap_lock: free$", "and mmap_lock")
text = narrow("area 0x10900000")
like(text, r"is in no area of playground\[1\]\.$", "an address in no area")
like(text, r"^  the gap    0x10804000-0x10a00000, 2.0 MiB$", "the gap it is in")
like(text, r"grows downwards: an access here may make it longer", "and that a stack is above")
like(narrow("area 0"), r"below it   nothing$", "the lowest address")
like(narrow("area 0x7fffffffefff"), r"above it   nothing$", "the highest")
like(error("area $rip"), r"is in no process's areas: the kernel's image", "an address of the kernel")
like(error("area nonsense"), r"`nonsense` is no address", "no address at all")
is_(error("area"), "Usage: area ADDR", "no argument")
run("proc 2")
like(narrow("area 0x40000000"), r"^    0x.*: inherited, a root", "a child's anon_vmas: an inherited one")
run("proc 1")

# --- expressions that are nothing -------------------------------------------------------------------------

is_(run("walk $pte(0x10000000)"), run("walk $pte(0x10000000).v"), "a pte_t that is nowhere is its number")
like(error("walk $nowhere"), r"^`\$nowhere` is no address: ", "void is no address")
for text, words in (("$rsp-0x1000", r"is a range that ends, at 0x1000, before it begins"),
                    ("0x1000+0x3000+0x5000", r"can be read in 2 ways")):
    like(error(f"ptdump {text}"), words, f"ptdump {text}")
like(run("ptdump $vma(0x10400000)->vm_start-$vma(0x10400000)->vm_end"), r"^0{8}10400000-", "pointers in a range")

# --- Ctrl-C at the worst moment -----------------------------------------------------------------------

execute = gdb.execute


def interrupted(command, *how, **named):
    answer = execute(command, *how, **named)
    if command.endswith("Qqemu.PhyMemMode:1"):
        raise KeyboardInterrupt
    return answer


memory.forget()
gdb.execute = interrupted
try:
    execute("walk 0x1000", False, True)
    ok(False, "walk is interrupted")
except (KeyboardInterrupt, gdb.error):
    ok(True, "walk is interrupted")
finally:
    gdb.execute = execute
like(run("maintenance packet qqemu.PhyMemMode"), r'received: "0"', "and leaves the stub as gdb wants it")

# --- circles ------------------------------------------------------------------------------------------

chain = value("$vma(0x10400000)->anon_vma_chain.next")
before = value(f"*(unsigned long *){chain}")
run(f"set var *(unsigned long *){chain} = {chain}")
like(run("area 0x10400000"), r"its own, a root", "a list that never comes back to its head")
run(f"set var *(unsigned long *){chain} = {before}")
with memory.session():
    mapping = predict.mapping_of(vma_of.find(process.current_mm(), 0x10400000))
node = f"((struct radix_tree_node *){mapping.pages.node})"
first = value(f"{node}->slots[0]")
run(f"set var {node}->shift = 6")
run(f"set var {node}->slots[0] = {mapping.pages.node}")
with memory.session():
    is_(predict.cached_page(mapping, 0), None, "a tree of pages that goes round")
run(f"set var {node}->slots[0] = {first}")
run(f"set var {node}->shift = 0")
with memory.session():
    is_(predict.cached_page(mapping, 0)._address, first, "and as it was")

# --- the tree ---------------------------------------------------------------------------------------------


def as_it_is(node, depth=0):
    """What hangs below a struct rb_node *, told by gdb alone: (colour, range, depth), root first."""
    if int(node) == 0:
        return []
    vma = gdb.parse_and_eval(
        f"*(struct vm_area_struct *)({int(node)} - (long)&((struct vm_area_struct *)0)->vm_rb)")
    colour = "black" if int(node["__rb_parent_color"]) & 1 else "red"
    return [(colour, f"{int(vma['vm_start']):x}-{int(vma['vm_end']):x}", depth)] \
        + as_it_is(node["rb_left"], depth + 1) + as_it_is(node["rb_right"], depth + 1)


def drawn(text):
    found = []
    for line in text.splitlines():
        match = re.match(r"([ |`]*(?:-[LR] )?)(red|black) +(\S+) ", line)
        if match:
            found.append((match[2], match[3], (len(match[1]) - 1) // 3 if match[1] else 0))
    return found


text = narrow("vmtree all")
real = as_it_is(gdb.parse_and_eval(f"((struct mm_struct *){mm._address})->mm_rb.rb_node"))
is_(drawn(text), real, "vmtree draws the tree as it is")
like(text, r"^All is as it must be: order, parents, colours \(\d black", "in which all is well")
like(narrow("vmtree depth 2"), r"^\|  `- \d+ more below$", "down to a level")
is_(len(drawn(run("vmtree depth 2"))), 3, "two levels are three areas")
text = narrow("vmtree 0x10400000")
like(text, r"^this is it:\n(red  |black) 10400000-10406000 rw-p /tmp/playground", "the way to an address")
like(narrow("vmtree 0x10900000"), r"in no area; the first area above it is 0x10a00000", "which is in none")
for command in ("vmtree depth", "vmtree 1 2", "vmtree depth 1 2"):
    is_(error(command), "Usage: vmtree [ADDR] [depth N|all]", command)
is_(error("vmtree depth 0"), "The depth is a number of levels, from 1 on.", "vmtree depth 0")

vma = f"((struct vm_area_struct *){int(gdb.parse_and_eval('$vma(0x10500000)'))})"


def damaged(field, value, command, pattern, name):
    """Writes a field of the area of 0x10500000, looks what the command says, and writes it back."""
    before = value_of(field)
    gdb.execute(f"set var {vma}->{field} = {value}")
    like(run(command), pattern, name)
    gdb.execute(f"set var {vma}->{field} = {before}")


def value_of(field):
    return f"(unsigned long){int(gdb.parse_and_eval(f'(unsigned long){vma}->{field}'))}"


damaged("rb_subtree_gap", "0x123000", "vmtree", r"10500000-10506000 .*<-- its subtree gap should be 0x",
        "a wrong gap is marked")
damaged("vm_rb.__rb_parent_color", f"{vma}->vm_rb.__rb_parent_color ^ 1", "vmtree",
        r"black nodes on the way down left|has a red child", "a wrong colour")
damaged("vm_rb.__rb_parent_color", "8", "vmtree", r"<-- its parent pointer is 0x8, its parent 0xffff",
        "a wrong parent")
damaged("vm_rb.rb_left", f"&{vma}->vm_rb", "vmtree", r"<-- a child is 0x\w+, which hangs elsewhere",
        "a circle in the tree")
damaged("vm_rb.rb_right", "0x1234567000", "vmtree", r"where no memory is", "a link to nowhere")
damaged("vm_end", "0x10500000", "vmtree", r"<-- its range is empty", "an empty range")
damaged("vm_next", vma, "areas", r"^The list comes back to the area at 0x\w+: it is damaged",
        "a circle in the list")
damaged("vm_next", "0", "areas", r"map_count is \d+", "a list that ends too early")
damaged("vm_next", "0xdead000000", "vmtree", r"aren't those of the tree", "list and tree that disagree")
like(run("vmtree"), r"^All is as it must be", "all is repaired")

# --- the cache ----------------------------------------------------------------------------------------------

ask("r 10400000")
ask("mprotect 10600000 1000 5")
ask("echo x")
text = narrow("vmacache")
cache = process.current().mm_part.vmacache
mm = process.current_mm()
like(text, rf"sequence number is {cache.seqnum}, the mm's {mm.vmacache_seqnum}: ", "vmacache: the numbers")
is_(len(re.findall(r"^  slot \d  ", text, re.M)), 4, "four slots")
for i, entry in enumerate(cache.vmas):
    like(text, rf"^  slot {i}  " + (f"{entry:#x}  0x" if entry else "empty"), f"slot {i}")
gdb.execute(f"set var ((struct mm_struct *){mm._address})->vmacache_seqnum++")
like(run("vmacache 0x10400000"), r"nothing here counts any more;[^$]*not found here, as the numbers differ",
     "after the number has gone up nothing counts")
gdb.execute(f"set var ((struct mm_struct *){mm._address})->vmacache_seqnum--")

gdb.execute(f"set var $task(1)->mm_part.vmacache.vmas[1] = {vma}")
gdb.execute(f"set var $task(1)->mm_part.vmacache.seqnum = {mm.vmacache_seqnum}")
like(run("vmacache 0x10500000"), r"^0x10500000: the search begins at slot 2 and finds it in slot 1$",
     "a lookup that hits")
like(run("vmacache 0x10900000"), r"^0x10900000: the search begins at slot 0 and finds it in none",
     "one that doesn't")
gdb.execute("set var $task(1)->mm_part.vmacache.vmas[1] = 0")
is_(error("vmacache 1 2"), "Usage: vmacache [ADDR]", "too many arguments")

# --- the drawing --------------------------------------------------------------------------------------------

text = narrow("layout")
for words in rows(run("areas")):
    low, high = (int(word, 16) for word in words[0].split("-"))
    if f"  {low:016x}-{high - 1:016x} " not in text:
        ok(False, f"{words[0]} is in the drawing")
ends = [(int(a, 16), int(b, 16)) for a, b in re.findall(r"^  ([0-9a-f]{16})-([0-9a-f]{16}) ", text, re.M)]
ok(all(a == d + 1 for (a, _), (_, d) in zip(ends, ends[1:])), "layout leaves nothing out")
is_((ends[0][1], ends[-1][0]), ((1 << 64) - 1, 0), "from the highest address to 0")
like(text, r"^  user    0x0{16} \[#\.{62}#\]$", "the user half to scale")
like(text, r"^  kernel  0xffff800000000000 \[\.{4}Dd{31}", "the kernel's half to scale")
is_(error("layout nonsense"), "Usage: layout [user|kernel]", "a wrong argument")
like(error("layout asm"), r"TUI", "gdb's own layouts are left to gdb")

# --- many -----------------------------------------------------------------------------------------------------

is_(ask(f"many {MANY:x} 200000000"), f"0x{MANY:x}", f"{MANY} areas more")


size = int(gdb.parse_and_eval("sizeof(struct vm_area_struct)"))
text = cost("areas")
is_(len(rows(text)), MANY + mm.map_count, "all are listed")
ok(memory.counters.reads < 300, "areas: in fewer than 300 reads")
ok(memory.counters.bytes < 2 * MANY * size, "of at most twice the bytes that the areas take")
like(cost("vmtree"), r"^All is as it must be", "the tree of as many is in order")
ok(memory.counters.reads < 300, "vmtree: in fewer than 300 reads")
like(cost("layout user"), rf"{MANY:,} areas of ", "layout draws them in one row")
is_(len(run("vmtree all").splitlines()), MANY + mm.map_count + 3, "the whole tree can be drawn")

# --- help and completion ---------------------------------------------------------------------------------------

for command in ("areas", "area", "vmtree", "vmacache", "layout"):
    like(run(f"help {command}"), rf"^.+\.\n\nUsage: {command}\b", f"help {command}")
    like(run("tessera"), rf"^{command} +\w", f"{command} is listed")
like(run("complete area 0x104"), r"^area 0x10400000$", "area completes where areas begin")
like(run("complete vmtree 0 d"), r"^vmtree 0 depth$", "vmtree completes its words")
like(run("complete layout k"), r"^layout kernel$", "layout as well")
like(run("complete areas -"), r"^areas -maps$", "and areas")

# --- a kernel that panics, and one that is gone -------------------------------------------------------

run("proc -")
run("break panic")
run(f"set var $mm(1)->map_count = {mm.map_count}")
gdb.execute(f"set var {vma}->vm_rb.__rb_parent_color ^= 1")
send("munmap 10700000 1000\n")
like(go(), r"Breakpoint .* panic ", "the kernel finds the damage that was done, and panics")
like(run("areas"), r"^The list has 10,\d+ areas, but map_count is \d+\.$", "areas finds it, too")
like(run("vmtree"), r"not as it must be.*\n(.*\n)*  area 0x10\d{6}-0x10\d{6}: ", "and vmtree more")
for command in ("areas", "vmtree"):
    like(run(command), r"^But playground\[1\] changes: mmap_lock is held for writing, so this may be no damage",
         f"{command} says that a change is going on")
like(run("area 0x10700000"), r"^  locks      the area: locked for writing [^$]*mmap_lock: held for writing$",
     "who panicked holds the locks")
run("delete")
go()
for command in ("areas", "vmtree", "layout", "ptdump"):
    is_(error(command), "There is no guest to look at: use `make debug`, or `target remote`.",
        f"{command} without a guest")
