# SPDX-License-Identifier: MIT
"""See panicked.t."""

import re

from tap import *
from tessera import faults, kernel, memory, process


def told(text):
    return re.findall(r"^  ([A-Z][A-Z_0-9]+) +\S", text, re.M)


def last_path(addr):
    """The steps of the first process's last fault, if it was at that address."""
    with memory.session():
        record = faults.records(process.find(1))[0]
        return faults.steps(record.path) if record.address == addr else None


def stray(kind, addr):
    """Has the kernel make an access by an instruction that is none of copy_to_user()'s and its like."""
    if kind == "x":
        run(f"set $rip = {addr:#x}")
        return
    run(f"set ${'rdi' if kind == 'w' else 'rsi'} = {addr:#x}")
    if kind == "r":
        run("set $rdi = $rsp - 0x1800")  # somewhere below on its stack
    run(f"set $rip = {'clear_page' if kind == 'w' else 'copy_page'}")


def forget_panic():
    """Only of the first fault on the way to a panic is there a record; so this is to be the first."""
    with memory.session():
        where = kernel.variable("per_cpu_offset")[process.selected_cpu()] \
            + kernel.address_of("panic_fault_path") & (1 << 64) - 1
    run(f"set var *(unsigned long *){where:#x} = 0")


ready()
run("tbreak sys_getppid")
send("here\n")
go()
# There it would begin to panic. Instead it makes the next mistake, within the fault of the last.
run("break panic_regs")
with memory.session():
    guard = process.find(1).stack - 0x1000
for kind, addr, step in (
    ("w", 0x10000000, "NOT_UACCESS"),
    ("r", 0x10000000, "NOT_UACCESS"),
    ("x", 0x10600000, "NOT_UACCESS"),
    ("r", 0x7F0000000000, "NOT_UACCESS"),
    ("w", guard, "GUARD_PAGE"),
    ("r", guard + 0xFF8, "GUARD_PAGE"),
    ("w", 0xFFFFC90100000000, "NOT_MAPPED"),
    ("r", 0xFFFF888100000000, "NOT_MAPPED"),
    ("x", 0xFFFFFFFFFF000000, "NOT_MAPPED"),
    ("w", value("(unsigned long)&clear_page"), "MAPPED_READ_ONLY"),
    ("x", value("(unsigned long)&kernel_pgd"), "MAPPED_NO_EXEC"),
    ("x", 0xFFFF888000100000, "MAPPED_NO_EXEC"),
    ("w", 0x10000000, "NOT_UACCESS"),
):
    foretold = told(run(f"why {addr:#x} {kind} kernel"))[-2:]
    forget_panic()
    stray(kind, addr)
    like(go(), r"panic_regs", f"{kind} {addr:#x}: the kernel panics")
    is_((last_path(addr), foretold), ([step, "PANIC"],) * 2, f"{step}: foretold, and recorded")

# --- it ends --------------------------------------------------------------------------------------

run("delete")
run("tbreak end_machine")
like(go(), r"end_machine", "the kernel is about to end")
like(console(), r"^Kernel panic: ", "after its report")
like(run("ps"), r"playground", "ps, of a panicked kernel")
like(run("areas"), r"^000010000000-", "areas")
like(run("layout"), r"^  kernel  0xffff800000000000 \[", "layout")
like(run("ptdump"), r"^0000000010000000-", "ptdump")
like(run("buddy"), r"DMA32", "buddy")
like(run("trace"), r"^Nothing was noted: no kind of event was ever switched on\.$", "trace")
like(run("walk 0x10000000"), r"^=> physical 0x", "walk")
like(run("audit"), r"^Everything agrees: 1 address space", "audit")
