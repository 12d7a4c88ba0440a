# SPDX-License-Identifier: MIT
"""Five processes of one kind but of different memory, and QEMU's view of each: for tests that compare
with that."""

import re

import tap

# What each does before it is looked at: 0 is the first process, the others are its children.
DIFFERENCES = {
    0: ["w 10003000", "kw 10005000"],
    1: ["w 10000000", "mprotect 10100000 1000 0", "r 10300000"],
    2: ["munmap 10000000 2000", "mremap 40000000 400000 400000 3 50000000", "x 10600000"],
    3: ["mprotect 10000000 3000 0", "w 10500000", "mmap 20000000 1000 7 32", "w 20000000"],
    4: ["madvise 40000000 800000 4", "mmap 7fffff000000 2000 1 32", "r 7fffff001000", "w 10803000"],
}

SIZE = {"4 KiB": 1 << 12, "2 MiB": 1 << 21, "1 GiB": 1 << 30}


class View:
    """QEMU's of one address space: entries maps the start of each page to (physical, size, flags).
    Flags are those of info tlb, by letter."""

    def __init__(self):
        self.entries = {}
        for line in tap.monitor("info tlb").splitlines():
            start, physical, flags = re.fullmatch(r"([0-9a-f]+): ([0-9a-f]+) ([-XGPDACTUW]+)", line).groups()
            self.entries[int(start, 16)] = int(physical, 16), flags
        # What info tlb doesn't tell: how large a page is whose bit 7 is set.
        self.large = {a for a, (_, flags) in self.entries.items() if "P" in flags}
        self.mem = tap.monitor("info mem")

    def find(self, address):
        """The physical address, or None."""
        for size in SIZE.values():
            start = address & -size
            if start in self.entries and (size == 1 << 12 or start in self.large):
                return self.entries[start][0] + address - start
        return None


def make():
    """Has the playground make them all; returns the numbers of the processes."""
    for child in range(1, 5):
        tap.ask("fork")
    pids = []
    for child, lines in DIFFERENCES.items():
        for line in lines + ["pid"]:
            answer = tap.ask(f"{child}: {line}" if child else line)
        pids.append(int(answer))
    return pids


def visit(child):
    """Stops in that process, in the kernel; the monitor speaks of its processor."""
    tap.run("tbreak sys_getppid")
    tap.send(f"{child}: here\n" if child else "here\n")
    said = tap.go()
    if "sys_getppid" not in said:
        raise tap.Stuck(said)
    tap.monitor(f"cpu {tap.gdb.selected_thread().num - 1}")


def leave():
    tap.until(tap.READY)
