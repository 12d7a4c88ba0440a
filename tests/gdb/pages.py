# SPDX-License-Identifier: MIT
"""page, rmap, buddy, pcp, slabs, trace; see pages.t."""

from tap import *
from tessera import frames, kernel, memory, paging, process, slab

PROMPT = r"tessera:\S+# (?:\x1b\[6n|\x05)"  # and what the shell asks the terminal


def looked_up(function):
    """What a function finds out about the guest."""
    with memory.session():
        return function()


def shell(line):
    """What a command prints in the guest."""
    send(line + "\n")
    text = until(PROMPT)
    return "\n".join(text.splitlines()[1:-1])


until(PROMPT)

# --- what /proc says too -------------------------------------------------------------------------------------

run("tbreak zone_buddy_info")
send("cat /proc/buddyinfo\n")
go()
said_by_gdb = run("buddy info")
counts = looked_up(lambda: [(z.object.free, z.object.managed) for z in frames.zones()][0])
waiting = looked_up(lambda: sum(p.count for p in frames.pcp_lists()))
long = run("buddy")
lists = run("pcp")
until(PROMPT)
run("delete")
shown = [line for line in console().splitlines() if line.startswith("Node 0, zone")]
is_(said_by_gdb.splitlines(), shown, "`buddy info` is what /proc/buddyinfo says at that moment")
like(long, fr"\AZone DMA32: {counts[0] + waiting} of {counts[1]} pages are free .*, {waiting} of them on CPUs'",
     "`buddy` counts the pages on CPUs' lists, too")
orders = re.findall(r"^ +(\d+|fresh) +\d+ [KM]iB +(\d+) +(\d+)", long, re.M)
is_(len(orders), 12, "it shows each order, and fresh blocks")
is_(sum(int(pages) for _, _, pages in orders), counts[0], "and their pages add up to what is free")
numbers = [int(n, 16) for n in re.findall(r"\b0x[0-9a-f]+\b", lists)]
is_(len(numbers), waiting, "`pcp` shows each waiting page")
is_(len(set(numbers)), waiting, "and none twice")

caches = looked_up(slab.caches)
rows = {}
run("break slab_cache_info")
send("cat /proc/slabinfo\n")
go()
n = value("n")
while n < len(caches):
    line = next((l for l in run("slabs").splitlines() if l.split()[0] == caches[n].name), "")
    rows[caches[n].name] = line.split()
    go()
    n = value("n")
run("delete")
until(PROMPT)
shown = [line.split() for line in console().splitlines() if re.match(r"[\w-]+ +\d+ +\d+ +\d+ +\d+ +\d+ :", line)]
is_(len(shown), len(caches), "/proc/slabinfo has a line for each cache")
differ = [(line[0], line[1:4], rows[line[0]]) for line in shown
          if line[1:3] + [line[3]] != [rows[line[0]][1], rows[line[0]][2], rows[line[0]][4]]]
is_(differ, [], "`slabs` counts the same objects, of the same sizes")
like(run("slabs task_struct"), r"\Atask_struct: kmem_cache 0x[0-9a-f]+, objects of \d+ bytes",
     "one cache slab by slab")
is_(error("slabs nothing"), "There is no cache `nothing`: `slabs` lists them.", "a cache that isn't there")

if kernel.has_symbol("trace_rings"):
    shell("echo none > /proc/trace/events")
    events = run("trace all").splitlines()
    shown = shell("cat /proc/trace/trace").splitlines()
    ok(len(shown) > 100, "there is a trace")
    is_(events, [line for line in shown if line], "`trace all` is what /proc/trace says")
    is_(run("trace 7").splitlines(), events[-7:], "`trace 7` is the last seven")
    is_(len(run("trace").splitlines()), min(40, len(events)), "without a number the last 40")
else:
    skip("trace", "this kernel has none")
    is_(error("trace"), "This kernel has no trace.", "no trace")

# --- pages ----------------------------------------------------------------------------------------------------

send("/bin/playground\n")
ready()
ask("fork")
ask("fork")
tasks = looked_up(lambda: [t for t in process.tasks() if t.comm == "playground"])
parent = min(t.pid for t in tasks)
run(f"proc {parent}")
mm = looked_up(lambda: process.current_mm())


def frame_at(address):
    return looked_up(lambda: paging.Walk(process.root_of(mm), address).physical >> 12)


def owners(text):
    """The (address, pid) of the entries that rmap finds."""
    return sorted((int(a, 16), int(p)) for a, p in re.findall(
        r"^  (0x[0-9a-f]+) of playground\[(\d+)\], area \S+: maps it", text, re.M))


pids = sorted(t.pid for t in tasks)
text = run("rmap 0x10000000")
is_(owners(text), [(0x10000000, pid) for pid in pids], "`rmap` finds a page of all three after fork")
like(text, r"^3 entries: as many as the page counts, and a look into all page tables finds the same\.$",
     "as many as it counts, and as all page tables have")
is_(owners(run(f"rmap frame {frame_at(0x10000000):#x}")), owners(text), "the same by the frame's number")
is_(owners(run(f"rmap phys {frame_at(0x10000000) << 12:#x}")), owners(text), "and by its physical address")
ask("1: w 10000000")
is_(len(owners(run("rmap 0x10000000"))), 2, "one less when a child has written, and has its copy")
is_(owners(run("rmap 0x10400000"))[:2], [(0x10400000, pid) for pid in pids][:2], "a file's page")
like(run("rmap 0x10400000"), r"^/tmp/playground, address_space 0x[0-9a-f]+: areas that show its page 0x0$",
     "by the name of the file")
like(run("rmap $rip"), r"No program's page:", "a page of the kernel's")

like(run("page 0x10000000"), fr"""(?x)\A user\ address\ 0x10000000\ of\ playground\[{parent}\]:\n
     frame\ {frame_at(0x10000000):#x},.*\n flags\ 0x.*\n \ \ swapbacked\ .*\n 2\ references,\ 2\ mappings\n
     Anonymous\ memory\ of\ anon_vma\ 0x[0-9a-f]+,\ page\ 0x10000\ there;\ 2\ entries\ map\ it""",
     "an anonymous page: flags, counts, whose")
like(run("page 0x10002000"), r"^The page of zeros", "the page of zeros")
like(run("page 0x10400000"), r"^Page 0x0 of /tmp/playground, in its page cache", "a file's page")
like(run("page 0x10600000"), r"^(Anonymous|Page)", "a program's code")
like(error("page 0x10200000"), r"^0x10200000 lies in an area of playground\[\d+\], but no page is there yet",
     "an area without a page there")
like(run("page kernel_pgd"), r"^Of the kernel's image: kernel_pgd\.$", "a page of the image")
like(run("page frame 0"), r"^Of the first MiB", "firmware's")
vma = looked_up(lambda: mm.mmap)
like(run(f"page {vma + 8:#x}"), fr"""(?sx)^A\ slab\ of\ cache\ vm_area_struct:.*
     ^The\ address\ is\ byte\ 8\ of\ the\ object\ at\ {vma:#x},\ which\ is\ in\ use\.$""", "an object in a slab")
like(run(f"page {mm.context.pgd:#x}"), fr"^A page table of playground\[{parent}\]: PML4, the top of all;",
     "a top-level table")
table = looked_up(lambda: paging.Walk(process.root_of(mm), 0x10000000).last.table)
like(run(f"page phys {table:#x}"), fr"^A page table of playground\[{parent}\]: PT, for 2 MiB from 0x10000000;",
     "a last-level table: of which addresses")
snapshot = looked_up(frames.Snapshot)
block = looked_up(lambda: next(snapshot.get(p) for p in snapshot.with_flag("PG_buddy") if snapshot.get(p).order))
like(run(f"page frame {block.pfn + 1:#x}"),
     fr"^Free: page 1 of the block of order {block.order} \(\d+ pages\) at frame {block.pfn:#x}", "a free block")
pcp = looked_up(lambda: next(p for p in frames.pcp_lists() if p.count))
like(run(f"page {pcp.pages[-1]:#x}"), fr"^Free: in CPU {pcp.cpu}'s list of zone DMA32, the next to go out\.$",
     "a free page on a CPU's list, by its struct page")
fresh = looked_up(lambda: frames.zones()[0].fresh[0][0])
like(run(f"page frame {fresh:#x}"), r"^Free, and was never in use", "a fresh block")
stack = looked_up(lambda: process.find(parent).stack)
like(" ".join(run(f"page {stack + 0x2000:#x}").split()), fr"the kernel stack of playground\[{parent}\]\.",
     "a kernel stack")
like(error("page 0x7000000000"), r"is no frame, no physical address of memory, and nothing is mapped there",
     "an address of nothing")
is_(error("page"), "Usage: page ADDR | page frame PFN | page phys ADDR", "wrong arguments")

text = "".join(run(c) for c in ("buddy", "pcp", "slabs", "page 0x10400000", "rmap 0x10400000", "audit all"))
is_([line for line in text.splitlines() if len(line) > 96], [], "no line is longer than 96 columns")
