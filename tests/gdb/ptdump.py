# SPDX-License-Identifier: MIT
"""See ptdump.t."""

import re

import stops
from tap import *

ROW = re.compile(r"^([0-9a-f]{16})-([0-9a-f]{16}) +\S+ \S+ +([\d,]+) x (4K|2M|1G) +(\S{4}) +([AaDdSs-]{3})"
                 r" +.*? (-|0x[0-9a-f]+)(?: \(([\d,]+) parts\))?$")
SIZE = {"4K": 1 << 12, "2M": 1 << 21, "1G": 1 << 30}


def number(text):
    return int(text.replace(",", ""))


class Run:
    """A line of ptdump's."""

    def __init__(self, match):
        self.start, self.end = int(match[1], 16), int(match[2], 16) or 1 << 64
        self.count, self.size, self.rights, self.used = number(match[3]), SIZE[match[4]], match[5], match[6]
        self.phys = None if match[7] == "-" else int(match[7], 16)
        self.pieces = number(match[8] or "1")


def by_ptdump(words=""):
    """The runs of what is present."""
    lines = run(f"ptdump {words}").splitlines()[2:]
    found = []
    for line in lines:
        match = ROW.match(line)
        if match:
            found.append(Run(match))
        elif not line.startswith("---"):
            raise ValueError(f"no line of ptdump's: {line}")
    return [r for r in found if r.rights != "----"]


def joined(runs):
    """Ranges as info mem has them: (start, end, rights without x)."""
    ranges = []
    for r in runs:
        rights = r.rights[:3]
        if ranges and ranges[-1][1] == r.start and ranges[-1][2] == rights:
            ranges[-1] = ranges[-1][0], r.end, rights
        else:
            ranges.append((r.start, r.end, rights))
    return ranges


def by_info_mem(text):
    found = []
    for line in text.splitlines():
        start, end, length, rights = re.fullmatch(r"([0-9a-f]+)-([0-9a-f]+) ([0-9a-f]+) (\S+)", line).groups()
        found.append((int(start, 16), int(start, 16) + int(length, 16), rights))
    return found


def letters(view, pages):
    """ptdump's letters for accessed and dirty."""
    text = ""
    for letter in "AD":
        there = sum(letter in view.entries[page][1] for page in pages)
        text += letter if there == len(pages) else letter.lower() if there else "-"
    return text


def objections(runs, view):
    """What info tlb says otherwise, run by run."""
    rest = set(view.entries)
    for r in runs:
        pages = [r.start + i * r.size for i in range(r.count)]
        if pages[-1] + r.size != r.end:
            yield f"{r.start:#x}-{r.end:#x} isn't {r.count} pages of {r.size:#x}"
        missing = [p for p in pages if p not in view.entries or (p in view.large) != (r.size > 4096)]
        if missing:
            yield f"not in info tlb, or of another size: {missing[0]:#x}"
            continue
        rest -= set(pages)
        where = [view.entries[p][0] for p in pages]
        if where[0] != r.phys:
            yield f"{r.start:#x} is at {where[0]:#x}, not {r.phys:#x}"
        if 1 + sum(b != a + r.size for a, b in zip(where, where[1:])) != r.pieces:
            yield f"{r.start:#x}-{r.end:#x} isn't in {r.pieces} pieces"
        if {"X" in view.entries[p][1] for p in pages} != {r.rights[3] == "-"}:
            yield f"{r.start:#x}-{r.end:#x} {r.rights}: info tlb says {view.entries[pages[0]][1]}"
        if letters(view, pages) != r.used[:2]:
            yield f"{r.start:#x}-{r.end:#x}: used {r.used}, not {letters(view, pages)}"
    if rest:
        yield f"missing: {min(rest):#x} and {len(rest) - 1} more"


ready()
pids = stops.make()
outside = {}
for child, pid in enumerate(pids):
    stops.visit(child)
    view = stops.View()
    runs = by_ptdump()
    note(f"process {pid}: {len(view.entries)} pages in {len(runs)} runs")
    is_(joined(runs), by_info_mem(view.mem), f"process {pid}: the rights are those of info mem")
    is_(list(objections(runs, view)), [], "each page, NX, and where it is, are those of info tlb")
    split = by_ptdump("-used")
    ok(len(split) >= len(runs), "-used splits")
    is_(list(objections(split, view)), [], "and doesn't change what is said")
    both = by_ptdump("user") + by_ptdump("kernel")
    is_([vars(r) for r in both], [vars(r) for r in runs], "the halves make the whole")
    outside[pid] = joined(by_ptdump("user"))
    stops.leave()

part = by_ptdump("0x10000000-0x10200000")
ok(part and all(0x10000000 <= r.start < r.end <= 0x10200000 for r in part), "a range shows what is in it")
for pid, want in outside.items():
    run(f"proc {pid}")
    is_(joined(by_ptdump("user")), want, f"process {pid} seen from outside")
