# SPDX-License-Identifier: MIT
"""What an audit of the whole system goes by: what there is, what may be in the middle of a change, and
what has been found. audit_*.py look at one kind of thing each.

A guest that is stopped anywhere may be in the middle of changes. Whoever changes something holds a lock,
or is at work on a processor: what is found wrong then is kept apart as not judged, with the reason.
"""
import functools

from tessera import kernel, locks, memory, process, slab
from tessera.frames import Snapshot

ALL_LIMIT = 60  # so many are kept of each kind of check


class Done(Exception):
    """The first disagreement has been found, and nobody wants to know of more."""


class Audit:
    """One audit on its way.

    wrong(sentence)           what was found
    wrong(sentence, excuse)   what was found in something that may be in the middle of a change
    checked(n, what)          so many of those were compared
    """

    def __init__(self, everything):
        self.everything = everything
        self.found = []
        self.unjudged = []
        self.reasons = {}  # why something wasn't judged: how many times
        self.counts = {}
        self.dropped = 0
        self.in_phase = 0
        self.snapshot = Snapshot()
        slab.prefetch(self.snapshot)
        self.caches = slab.caches(self.snapshot)
        self.spaces = spaces(self)
        self.reset_tables()

    def reset_tables(self):
        self.entries = {}  # frame: [(Space, address)] of the user entries that map it
        self.held_tables = []  # (Space, address of the table) of tables whose lock is held
        self.mappings = {}  # address: struct address_space that was come upon

    # --- what is found

    def wrong(self, sentence, excuse=None):
        if excuse:
            self.reasons[excuse] = self.reasons.get(excuse, 0) + 1
            self.unjudged.append((sentence, excuse))
            return
        self.in_phase += 1
        if self.in_phase > ALL_LIMIT:
            self.dropped += 1
            return
        self.found.append(sentence)
        if not self.everything:
            raise Done

    def checked(self, count, what):
        self.counts[what] = self.counts.get(what, 0) + count

    def run(self, phases):
        for phase in phases:
            self.in_phase = 0
            try:
                phase(self)
            except Done:
                return
            except memory.Unreadable as error:
                self.found.append(f"{error}: a link that {phase.__doc__.strip()} follows is damaged")
                if not self.everything:
                    return

    # --- what there is

    @functools.cached_property
    def busy(self):
        """Why something may be on its way from one place to another, or None."""
        return locks.busy_cpu()

    @functools.cached_property
    def moving(self):
        """Why some address space may be in the middle of a change, or None."""
        return next((space.moving for space in self.spaces if space.moving), None)

    @functools.lru_cache(maxsize=None)
    def in_use(self, name):
        """The addresses of all objects of a cache that are in use; None if there is no such cache."""
        cache = next((c for c in self.caches if c.name == name), None)
        return cache.in_use() if cache is not None else None

    def is_in_use(self, name, address):
        objects = self.in_use(name)
        return objects is None or address in objects

    def space_of(self, mm):
        return next((s for s in self.spaces if s.address == mm), None)

    def mapping(self, address):
        """The struct address_space at an address, remembered."""
        if address not in self.mappings:
            self.mappings[address] = kernel.struct("address_space", address)
        return self.mappings[address]


class Space:
    """An address space with what it takes to judge it."""

    def __init__(self, mm, tasks):
        self.mm = mm
        self.address = mm._address
        self.tasks = tasks
        self.areas = []  # in order, as the list has them
        first = tasks[0] if tasks else None
        self.name = f"{first.comm}[{first.tgid}]" if first else f"the mm_struct {mm._address:#x} of no task"

    @property
    def changing(self):
        """Why areas may be in the middle of a change, or None."""
        return locks.changing(self.mm, self.name)

    @functools.cached_property
    def moving(self):
        """Why entries may be on their way in or out, or None."""
        if self.changing:
            return self.changing
        if locks.rwsem_held(self.mm.mmap_lock):
            return f"{self.name} changes: mmap_lock is held for reading"
        if self.mm.tlb_flush_pending:
            return f"{self.name} changes: entries are being taken away (tlb_flush_pending)"
        if "zaps_begun" in self.mm and self.mm.zaps_begun != self.mm.zaps_done:
            return f"{self.name} changes: a file's pages are being taken out of it"
        if any(vma.vm_readers for vma in self.areas):
            return f"{self.name} changes: a fault is at work in an area (vm_readers)"
        return None

    def area_name(self, vma):
        return f"{self.name}: area {vma.vm_start:#x}-{vma.vm_end:#x}"


def spaces(audit):
    """All address spaces: those of tasks, and those on their way to or from one."""
    tasks = {}
    for task in process.tasks():
        if task.mm_part.mm:
            tasks.setdefault(task.mm_part.mm, []).append(task)
    addresses = list(tasks)
    cache = next((c for c in audit.caches if c.name == "mm_struct"), None)
    if cache is not None:
        addresses += sorted(cache.in_use() - set(tasks))
    found = []
    for address in addresses:
        mm = kernel.struct("mm_struct", address)
        # One that is just being made, or freed, has nothing to look at.
        if address in tasks or (mm.context.pgd and mm.mm_count > 0):
            found.append(Space(mm, tasks.get(address, [])))
    return found
