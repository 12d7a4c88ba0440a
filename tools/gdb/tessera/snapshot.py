# SPDX-License-Identifier: MIT
"""One moment of a process: its areas, page tables, frames and counters, to compare with another."""
import struct

from tessera import areas, kernel, memory, process, pte, tables

FRAMES_MAX = 1 << 16  # so many frames' states are kept: the struct pages of 256 MiB
MM_PAGES = ("total_vm", "locked_vm", "data_vm", "exec_vm", "stack_vm", "hiwater_vm", "hiwater_rss")
MM_NUMBERS = ("map_count", "pgtables_bytes", "brk", "vmacache_seqnum", "mm_users")
PER_PAGE = memory.PAGE_SIZE >> kernel.STRUCT_PAGE_SHIFT


class Area:
    """What is kept of an area."""

    __slots__ = ("struct", "start", "end", "flags", "pgoff", "file", "anon_vma", "name")

    def __init__(self, area, names):
        self.struct = area.address
        self.start, self.end, self.flags = area.vm_start, area.vm_end, area.vm_flags
        self.pgoff, self.file, self.anon_vma = area.vm_pgoff, area.vm_file, area.anon_vma
        self.name = names.of(area)

    def __str__(self):
        return f"{self.start:#x}-{self.end:#x} {areas.perms(self.flags)}" \
            + (f" {self.name}" if self.name else "")


class Snapshot:
    """name; pid, comm, mm of the process; areas; tables {(level, first address): (where, entries)};
    frames {frame number: (flags, counts)}, of at most FRAMES_MAX; counters {name: number}."""

    def __init__(self, name, task, more_frames=()):
        mm = process.mm_of(task)
        self.name, self.pid, self.comm, self.mm = name, task.pid, task.comm, mm._address
        self.task = task._address  # another process may get the pid later
        names = areas.Names(mm)
        self.areas = [Area(area, names) for area in areas.listing(mm)]
        self.starts = [area.start for area in self.areas]
        found = tables.Tables(process.root_of(mm), 0, tables.HALF)
        self.tables = {(level, table.base): (table.phys, table.entries)
                       for level, of_level in found.by_level.items() for table in of_level}
        # The kernel's half is everybody's.
        top = self.tables.get((4, 0))
        if top:
            self.tables[4, 0] = top[0], top[1][:256]
        mapped = sorted(self._mapped())
        self.left_out = max(len(mapped) - FRAMES_MAX, 0)
        self.mapped = set(mapped[:FRAMES_MAX])
        self.frames = read_frames(sorted(self.mapped | set(more_frames)))
        self.counters = counters(task, mm)

    def _mapped(self):
        """The frames that it maps."""
        frames = set()
        for (level, _), (_, entries) in self.tables.items():
            if level == 1:
                frames.update(e >> 12 & 0xFFFFFFFFFF for e in entries
                              if e & (pte.PRESENT | pte.PROTNONE))
        return frames

    def whose(self):
        return f"{self.comm}[{self.pid}]"

    def size(self):
        """About how many bytes of gdb's memory it takes."""
        return sum(len(entries) * 8 for _, entries in self.tables.values()) \
            + len(self.frames) * 200 + len(self.areas) * 300


def read_frames(pfns):
    """{frame number: (flags, counts)} of frames in ascending order; without those that have no
    struct page."""
    places = {}
    for group in {pfn // PER_PAGE for pfn in pfns}:
        try:
            places[group] = kernel.translate(kernel.page_address(group * PER_PAGE))
        except memory.Unreadable:
            pass
    memory.prefetch(phys >> memory.PAGE_SHIFT for phys in places.values())
    frames = {}
    for pfn in pfns:
        phys = places.get(pfn // PER_PAGE)
        if phys is not None:
            data = memory.page(phys >> memory.PAGE_SHIFT)
            offset = pfn % PER_PAGE << kernel.STRUCT_PAGE_SHIFT
            frames[pfn] = struct.unpack_from("<QQ", data, offset)
    return frames


def counters(task, mm):
    """What is counted of a process, and of the system: {name: number}."""
    found = {name: getattr(mm, name) for name in MM_PAGES + MM_NUMBERS}
    for value, name in sorted(kernel.enum_names("rss_kind").items()):
        if not name.startswith("NR_"):
            found["rss " + name[3:].lower()] = mm.rss_stat[value]
    found["min_flt"], found["maj_flt"] = task.mm_part.min_flt, task.mm_part.maj_flt
    for kind, array in (("vm_event", "vm_events"), ("tlb_event", "tlb_events")):
        if not kernel.has_symbol(array):
            continue
        names = kernel.enum_names(kind)
        copies = [kernel.per_cpu(array, cpu) for cpu in process.online_cpus()]
        for value, name in sorted(names.items()):
            if value < len(copies[0]):
                found["system " + name.lower()] = sum(copy[value] for copy in copies)
    return found


def frame_flags(flags):
    """A frame's flags by name."""
    names = kernel.enum_names("pageflags")
    return {name[3:] for bit, name in names.items() if name != "NR_PAGEFLAGS" and flags >> bit & 1}
