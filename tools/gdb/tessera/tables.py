# SPDX-License-Identifier: MIT
"""Whole page tables: read level by level in large blocks, and joined to runs of equal mappings."""
import bisect
import functools
import itertools
import operator

from tessera import memory, paging, pte

# What makes two mappings different: not where they lead, nor what was accessed or written.
KIND = (pte.PRESENT | pte.RW | pte.USER | pte.PWT | pte.PCD | pte.PSE | pte.GLOBAL | pte.SPECIAL
        | pte.UFFD_WP | pte.NX | 15 << pte.PKEY_SHIFT)
USED = pte.ACCESSED | pte.DIRTY | pte.SOFT_DIRTY
HALF = 1 << 47
TOP = 1 << 64


class Table:
    """One table: its level, the first address it is for, where it lies, what the way to it
    allows."""

    __slots__ = ("level", "base", "phys", "entries", "rights")

    def __init__(self, level, base, phys, entries, rights):
        self.level = level
        self.base = base
        self.phys = phys
        self.entries = entries
        self.rights = rights

    def address(self, i):
        """The first address that entry i is for."""
        address = self.base + (i << pte.SHIFT[self.level])
        return pte.canonical(address) if self.level == 4 else address

    @property
    def used(self):
        return 512 - self.entries.count(0)


class Tables:
    """All tables below a top-level one that have to do with [start, end).

    by_level  {level: its tables by address}
    damage    sentences about entries that lead nowhere
    """

    def __init__(self, root, start=0, end=TOP):
        self.start, self.end = start, end
        self.damage = []
        self.by_level = {4: self._read([(0, root & pte.PFN_MASK, pte.Rights())], 4)}
        for level in (3, 2, 1):
            self.by_level[level] = self._read(self._below(level + 1), level)

    def _below(self, level):
        """(first address, where it is, rights) of each table that those of a level lead to."""
        size, found = 1 << pte.SHIFT[level], []
        for table in self.by_level[level]:
            for i, entry in enumerate(table.entries):
                if not entry or not pte.is_table(entry, level):
                    continue
                address = table.address(i)
                if address + size > self.start and address < self.end:
                    found.append((address, entry & pte.PFN_MASK, through(table.rights, entry)))
        return found

    def _read(self, wanted, level):
        try:
            memory.prefetch(phys >> pte.PAGE_SHIFT for _, phys, _ in wanted)
        except memory.Unreadable:
            pass  # which one it is, is found out below
        found = []
        for base, phys, rights in wanted:
            try:
                entries = paging.table(phys)
            except memory.Unreadable:
                self.damage.append(f"The {pte.NAMES[level + 1]} entry for {base:#x} leads to a "
                                   f"table at {phys:#x}, where no memory is." if level < 4 else
                                   f"There is no memory at {phys:#x}, where the top-level table "
                                   "is.")
                continue
            found.append(Table(level, base, phys, entries, rights))
        return found

    def runs(self, mask=KIND):
        """Runs of equal mappings in the order of their addresses: a list of Run."""
        pieces = []
        for level, tables in self.by_level.items():
            for table in tables:
                pieces += _pieces(table, level, mask, self.start, self.end)
        pieces.sort(key=lambda run: run.start)
        return join(pieces)


def through(rights, entry):
    """The rights that are left behind an entry: a new pte.Rights."""
    new = pte.Rights()
    new.write, new.user, new.execute = rights.write, rights.user, rights.execute
    return new.through(entry)


class Run:
    """Equal mappings side by side: [start, end), in `count` leaves of a level.

    kind       the bits that are equal in all of them
    all, some  the bits set in each of them, and in one at least
    rights     what the whole way allows
    phys       the physical address of the first
    pieces     in how many pieces of physical memory they lie
    """

    __slots__ = ("start", "end", "level", "kind", "all", "some", "rights", "phys", "last", "count",
                 "pieces")

    @property
    def key(self):
        return self.level, self.kind, str(self.rights)

    def joins(self, other):
        return self.end == other.start and self.key == other.key

    def add(self, other):
        self.end = other.end
        self.all &= other.all
        self.some |= other.some
        self.count += other.count
        follows = other.phys == self.last + (1 << pte.SHIFT[self.level])
        self.pieces += other.pieces - follows
        self.last = other.last


def _pieces(table, level, mask, start, end):
    """The runs in one table."""
    entries, size, found = table.entries, 1 << pte.SHIFT[level], []
    if level > 1:
        if not any(e and not pte.is_table(e, level) for e in entries):
            return found
        kinds = [0 if not e or pte.is_table(e, level) else _kind(e, mask) for e in entries]
    else:
        kinds = [_kind(e, mask) if e else 0 for e in entries]
    i = 0
    for kind, group in itertools.groupby(kinds):
        count = sum(1 for _ in group)
        low, high = i, i + count
        i = high
        if kind and level < 4:
            low = max(low, -(-(start - table.base) // size) if start > table.base else 0)
            high = min(high, (end - table.base + size - 1) // size)
        if not kind or low >= high:
            continue
        found.append(_run(table, level, kind, low, high))
    return found


def _kind(entry, mask):
    # What is remembered where no frame is, isn't of a kind with anything but itself.
    return entry & mask if entry & (pte.PRESENT | pte.PROTNONE) else entry


def _run(table, level, kind, low, high):
    part, size = table.entries[low:high], 1 << pte.SHIFT[level]
    run = Run()
    run.start, run.end = table.address(low), table.address(high - 1) + size
    run.level, run.kind, run.count = level, kind, high - low
    run.all = functools.reduce(operator.and_, part)
    run.some = functools.reduce(operator.or_, part)
    run.rights = through(table.rights, part[0])
    clear = ~(size - 1) if level > 1 else -1
    frames = [e & pte.PFN_MASK & clear for e in part]
    run.phys, run.last = frames[0], frames[-1]
    if frames == list(range(frames[0], frames[0] + size * len(frames), size)):
        run.pieces = 1
    else:
        run.pieces = 1 + sum(b != a + size for a, b in zip(frames, frames[1:]))
    return run


def join(runs):
    """Runs that follow each other and are of a kind become one."""
    joined = []
    for run in runs:
        if joined and joined[-1].joins(run):
            joined[-1].add(run)
        else:
            joined.append(run)
    return joined


class Present:
    """How many frames are mapped in a range of the user half."""

    def __init__(self, root):
        tables = Tables(root, 0, HALF)
        self.damage = tables.damage
        self.tables = tables.by_level[1]
        self.bases = [table.base for table in self.tables]
        self.leaves = [(table.address(i), table.address(i) + (1 << pte.SHIFT[level]))
                       for level in (2, 3) for table in tables.by_level[level]
                       for i, e in enumerate(table.entries)
                       if e and not pte.is_table(e, level) and pte.has_frame(e)]

    def count(self, start, end):
        """In [start, end), in pages of 4 KiB."""
        n = sum(max(min(high, end) - max(low, start), 0) >> pte.PAGE_SHIFT
                for low, high in self.leaves)
        i = bisect.bisect_right(self.bases, start) - 1
        for table in self.tables[max(i, 0):]:
            if table.base >= end:
                break
            low = max(start - table.base, 0) >> pte.PAGE_SHIFT
            high = min((end - table.base) >> pte.PAGE_SHIFT, 512)
            n += sum(1 for e in table.entries[low:high] if e & (pte.PRESENT | pte.PROTNONE))
        return n
