# SPDX-License-Identifier: MIT
"""See release.t."""

import re

import stops
from tap import *
from tessera import faults, memory, process


def last_path(pid, addr):
    """The steps of a task's last fault at an address."""
    with memory.session():
        return next((faults.steps(r.path) for r in faults.records(process.find(pid))
                     if r.address == addr), None)


def told(text):
    return re.findall(r"^  ([A-Z][A-Z_0-9]+) +\S", text, re.M)


# --- a system at work -----------------------------------------------------------------------------

ready()
like(run("ps"), r"playground", "ps finds the process")
is_(ask("fork"), "child 1 pid 2", "it has a child")
run("proc 1")
like(run("audit"), r"^Everything agrees: 2 address spaces", "audit: all agrees")
is_(run("areas -maps").splitlines(), ask("maps").splitlines(), "areas -maps is /proc/1/maps")
like(run("area 0x10400123"), r"^0x10400123 is in an area of playground\[1\]", "area")
like(run("vmtree"), r"^All is as it must be", "vmtree")
like(run("slabs"), r"^vm_area_struct +\S", "slabs")
like(run("page 0x10000000"), r"playground\[1\]", "page")
like(run("rmap 0x10000000"), r"playground\[2\]", "rmap finds the child's entry")

stops.visit(0)
view = stops.View()
wrong = []
for address in sorted(view.entries)[::7]:
    match = re.search(r"^=> physical (0x[0-9a-f]+)", run(f"walk {address:#x}"), re.M)
    if not match or int(match[1], 16) != view.find(address):
        wrong.append(f"{address:#x}: {match and match[1]}, info tlb {view.find(address):#x}")
is_(wrong, [], "walk is of QEMU's opinion")
like(run("ptdump 0x10000000"), r"^0000000010000000-0000000010001000 .* 1 x 4K +ur--", "ptdump: a page")
stops.leave()

for line, addr, words in (("w 10000000", 0x10000000, "w"), ("w 10003000", 0x10003000, "w"),
                          ("r 10004000", 0x10004000, "r"), ("w 10200000", 0x10200000, "w")):
    steps = told(run(f"why {addr:#x} {words} user"))
    ask(line)
    is_(last_path(1, addr), steps, f"why {addr:#x} foretells: " + " ".join(steps))
    ok(steps, "and there is something to foretell")

run("on-fault 0x10005000")
send("w 10005123\n")
text = go()
like(text, r"page fault: playground\[1\], .* tries to write 0x10005123", "on-fault stops")
run("delete")
until(READY)
is_(last_path(1, 0x10005123), told(text), "and says what the kernel then did")

run("on-map 0x50000000-0x50100000")
for line, words in (("mmap 50000000 8000 3 32", r"^mmap\(.*\), by playground\[1\] on CPU \d:\n"
                     r"  inserts 0x50000000-0x50008000 rw-p anonymous"),
                    ("munmap 50000000 8000", r"^munmap\(.*\), by playground\[1\] on CPU \d:\n"
                     r"  removes 0x50000000-0x50008000")):
    send(line + "\n")
    like(go(), words, f"on-map: {line}")
    until(READY)
