# SPDX-License-Identifier: MIT
"""The walk that the processor makes (Intel SDM volume 3A, section 4.5), over physical memory."""
import array

from tessera import memory, pte


class Step:
    """One level of a walk."""

    def __init__(self, level, table, address):
        self.level = level
        self.table = table  # physical address of the table
        self.index = pte.index(address, level)
        self.where = table + 8 * self.index  # of the entry
        self.entry = int.from_bytes(memory.read(self.where, 8), "little")

    @property
    def leaf(self):
        return bool(self.entry & pte.PRESENT) and not pte.is_table(self.entry, self.level)


class Walk:
    """Where an address leads from a top-level table on.

    steps     the levels that were looked at
    physical  the physical address at the end, or None
    shift     of the size of what maps it: 12, 21 or 30
    """

    def __init__(self, root, address):
        self.address = address
        self.steps = []
        self.physical = None
        self.shift = None
        self.rights = pte.Rights()
        if not pte.is_canonical(address):
            return
        table = root & pte.PFN_MASK
        for level in (4, 3, 2, 1):
            step = Step(level, table, address)
            self.steps.append(step)
            if not step.entry & pte.PRESENT:
                return
            self.rights.through(step.entry)
            if not pte.is_table(step.entry, level):
                self.shift = pte.SHIFT[level]
                self.physical = pte.frame(step.entry, level) | address & ((1 << self.shift) - 1)
                return
            table = step.entry & pte.PFN_MASK

    @property
    def last(self):
        return self.steps[-1] if self.steps else None

    @property
    def entry(self):
        """The last entry that was looked at: 0 for an address that isn't canonical."""
        return self.steps[-1].entry if self.steps else 0


def table(phys):
    """The 512 entries of the table at a physical address."""
    entries = array.array("Q")
    entries.frombytes(memory.page(phys >> memory.PAGE_SHIFT))
    return entries


def leaves(root, start=0, end=1 << 64):
    """Each entry of [start, end) that isn't none and no table: (address, level, entry, rights above).

    Rights above are those the upper levels leave, as a pte.Rights; which isn't to be changed.
    """
    yield from _leaves(root & pte.PFN_MASK, 4, 0, start, end, pte.Rights())


def _leaves(phys, level, base, start, end, rights):
    size = 1 << pte.SHIFT[level]
    entries = table(phys)
    present = [i for i, e in enumerate(entries) if e]
    if level > 1:
        memory.prefetch(e >> 12 & 0xFFFFFFFFFF for i in present
                        for e in (entries[i],) if pte.is_table(e, level)
                        and _inside(base, i, level, size, start, end))
    for i in present:
        address = base + i * size
        if level == 4:
            address = pte.canonical(address)
        if address + size <= start or address >= end:
            continue
        entry = entries[i]
        if pte.is_table(entry, level):
            below = pte.Rights()
            below.write, below.user, below.execute = rights.write, rights.user, rights.execute
            yield from _leaves(entry & pte.PFN_MASK, level - 1, address, start, end,
                               below.through(entry))
        else:
            yield address, level, entry, rights


def _inside(base, i, level, size, start, end):
    address = base + i * size
    if level == 4:
        address = pte.canonical(address)
    return address + size > start and address < end
