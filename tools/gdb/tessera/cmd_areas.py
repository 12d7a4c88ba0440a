# SPDX-License-Identifier: MIT
"""areas, area: what is mapped where, and everything about one area."""
import gdb

from tessera import areas, kernel, locks, process, pte, tables
from tessera.command import ADDRESS_WORDS, Command, address, size_words


def pages(count):
    return f"{count:,} page{'' if count == 1 else 's'}"


def owner():
    """The chosen task in words."""
    task = process.current()
    return f"{task.comm}[{task.pid}]"


def unusual(flags):
    """Flags that the four letters don't say and that not every area has."""
    return " ".join(areas.flag_letters(flags & ~areas.USUAL)) or "-"


class AreasCommand(Command):
    """List the areas of the process: what /proc/PID/maps shows, and more.

Usage: areas [-maps]
A line for each area, by address: its range; rights as in /proc/PID/maps (p private, s shared);
size; PAGES that the page tables have a frame for; OFF, the offset of its first page in its file, in
pages; ANON_VMA, the owner of its anonymous pages, if it has had any; flags that are out of the
ordinary, in the letters of /proc/PID/smaps (`area ADDR` tells all, and what they mean); its file,
or what it is for.
With -maps: in exactly the form of /proc/PID/maps."""

    name = "areas"

    def run(self, argv):
        if argv not in ([], ["-maps"]):
            raise self.usage()
        mm = process.current_mm()
        found = areas.Listing(mm)
        names = areas.Names(mm)
        if argv:
            lines = [maps_line(area, names) for area in found.areas]
        else:
            lines = table(mm, found.areas, names)
        if found.damage:
            lines.append(found.damage)
        print("\n".join(lines))

    def completions(self, before, word):
        return ["-maps"] if not before else []


def maps_line(area, names):
    """A line of /proc/PID/maps."""
    file = kernel.struct("vm_file", area.vm_file) if area.vm_file else None
    offset = area.vm_pgoff << pte.PAGE_SHIFT if file else 0
    line = f"{area.vm_start:08x}-{area.vm_end:08x} {areas.perms(area.vm_flags)} {offset:08x} " + \
        (f"{file.dev_major:02x}:{file.dev_minor:02x} {file.ino} " if file else "00:00 0 ")
    name = names.of(area)
    return f"{line:<73}{name}" if name or file else line


def table(mm, found, names):
    present = tables.Present(process.root_of(mm))
    high = {area.anon_vma >> 32 for area in found if area.anon_vma}
    digits = 8 if len(high) == 1 else 16
    rows, total = [], 0
    for area in found:
        count = present.count(area.vm_start, area.vm_end)
        total += count
        rows.append((
            f"{area.vm_start:012x}-{area.vm_end:012x}", areas.perms(area.vm_flags),
            size_words(area.vm_end - area.vm_start), str(count),
            f"{area.vm_pgoff:x}" if area.vm_file else "-",
            f"{area.anon_vma:016x}"[-digits:] if area.anon_vma else "-", unusual(area.vm_flags),
            names.of(area)))
    lines = [f"{owner()}: {len(rows):,} area{'' if len(rows) == 1 else 's'}, "
             f"{size_words(sum(a.vm_end - a.vm_start for a in found))} in all, "
             f"{pages(total)} present"
             + (f"; ANON_VMA is {high.pop():08x}..." if digits == 8 else "")]
    lines += present.damage
    if len(rows) != mm.map_count:
        lines.append(f"The list has {len(rows):,} areas, but map_count is {mm.map_count:,}.")
    if present.damage or len(rows) != mm.map_count:
        lines += locks.excuse(mm, owner())
    return lines + aligned(("RANGE", "PERM", "SIZE", "PAGES", "OFF", "ANON_VMA", "FLAGS", "NAME"),
                           rows, "<<>>><<<")


def aligned(heads, rows, how):
    """Lines of a table whose columns are as wide as they must be; how: < or > for each."""
    if not rows:
        return []
    rows = [heads] + rows
    width = [max(map(len, column)) for column in zip(*rows)]
    form = "  ".join(f"{{:{side}{size}}}" for side, size in zip(how, width))
    return [form.format(*row).rstrip() for row in rows]


# --- one area in full -----------------------------------------------------------------------------

class AreaCommand(Command):
    """Tell everything about the area that an address is in.

Usage: area ADDR
Its range, size and pages; every flag by name and what it means; what its pages are mapped with;
its file; its anon_vmas; who lies before and behind it, with the gaps; whether anybody has it
locked. For an address that is in no area: between which areas it lies."""

    name = "area"

    def run(self, argv):
        if len(argv) != 1:
            raise self.usage()
        addr = address(argv[0])
        mm = process.current_mm()
        if addr >= pte.TASK_SIZE:
            raise gdb.GdbError(f"{addr:#x} is in no process's areas: {kernel.region(addr)}. `walk` "
                               "and `ptdump` show what is mapped there.")
        area = areas.find(mm, addr)
        if areas.covers(area, addr):
            print("\n".join(describe(mm, area, addr)))
        else:
            print("\n".join(no_area(mm, area, addr)))

    def completions(self, before, word):
        if before:
            return []
        try:
            starts = [f"{a.vm_start:#x}" for a in areas.listing(process.current_mm())[:200]]
        except gdb.GdbError:
            starts = []
        return ADDRESS_WORDS + starts


def short(area, names):
    """An area in half a line."""
    name = names.of(area)
    return f"{area.vm_start:#x}-{area.vm_end:#x} {areas.perms(area.vm_flags)}" \
        + (f" {name}" if name else "")


def no_area(mm, area, addr):
    names = areas.Names(mm)
    lines = [f"{addr:#x} is in no area of {owner()}."]
    before = areas.at(area.vm_prev) if area is not None and area.vm_prev else None
    if area is None:
        found = areas.listing(mm)
        before = found[-1] if found else None
    low, high = before.vm_end if before else 0, area.vm_start if area else pte.TASK_SIZE
    lines.append(f"  below it   {short(before, names)}" if before else "  below it   nothing")
    lines.append(f"  above it   {short(area, names)}" if area else "  above it   nothing")
    lines.append(f"  the gap    {low:#x}-{high:#x}, {size_words(high - low)}")
    if area and area.vm_flags & areas.FLAG["GROWSDOWN"]:
        lines.append("             the area above grows downwards: an access here may make it "
                     "longer")
    return lines


def describe(mm, area, addr):
    names = areas.Names(mm)
    flags = area.vm_flags
    present = tables.Present(process.root_of(mm)).count(area.vm_start, area.vm_end)
    size = area.vm_end - area.vm_start
    name = names.of(area)
    lines = [
        f"{addr:#x} is in an area of {owner()}: struct vm_area_struct at {area.address:#x}",
        f"  range      {area.vm_start:#x}-{area.vm_end:#x}, {size_words(size)}: "
        f"{pages(size >> pte.PAGE_SHIFT)}, {present:,} present",
        f"  name       {name or 'none: anonymous memory'}",
        f"  rights     {areas.perms(flags)}",
    ]
    lines += flag_lines(flags)
    lines.append(f"  page prot  {area.vm_page_prot:#x}: {pte.bits(area.vm_page_prot, 1)}")
    lines += behind(area)
    lines += anon_lines(area)
    lines += neighbours(area, names)
    lines += lock_lines(mm, area)
    return lines


def flag_lines(flags):
    lines = []
    for bit, name, letters, meaning in areas.FLAGS:
        if flags & bit:
            head = f"  flags      {flags:#x}" if not lines else ""
            if head:
                lines.append(head)
            lines.append(f"    {bit:#010x}  {name:<12} {letters}  {meaning}")
    return lines or ["  flags      0: no access is allowed, and none can be given"]


def behind(area):
    """What stands behind the area."""
    if not area.vm_file:
        what = kernel.function_at(area.vm_ops) if area.vm_ops else None
        return [f"  file       none; operations {what}" if what else
                f"  file       none; its pages are numbered from {area.vm_pgoff:#x}"]
    file = kernel.struct("vm_file", area.vm_file)
    first = area.vm_pgoff
    last = first + (area.vm_end - area.vm_start >> pte.PAGE_SHIFT) - 1
    lines = [f"  file       struct file at {area.vm_file:#x}: inode {file.ino} of device "
             f"{file.dev_major:02x}:{file.dev_minor:02x}",
             f"             the area shows pages {first:#x} to {last:#x} of it"]
    if area.vm_ops:
        lines.append(f"             operations {kernel.function_at(area.vm_ops)}")
    if file.mapping:
        mapping = kernel.struct("address_space", file.mapping)
        count = mapping.size + pte.PAGE_SIZE - 1 >> pte.PAGE_SHIFT
        lines.append(f"             page cache at {file.mapping:#x}: {size_words(mapping.size)} "
                     f"long, {mapping.nrpages:,} of {pages(count)} in memory")
        if last >= count:
            lines.append(f"             pages from {max(first, count):#x} on lie behind its end: "
                         "SIGBUS")
    return lines


def anon_lines(area):
    if not area.anon_vma:
        return ["  anon_vma   none: no page of it was ever written privately"]
    lines = [f"  anon_vma   {area.anon_vma:#x}, where its new anonymous pages belong"]
    head = area.address + kernel.struct_layout("vm_area_struct").fields["anon_vma_chain"][0]
    for chain in kernel.list_of("anon_vma_chain", "same_vma", head):
        family = kernel.struct("anon_vma", chain.anon_vma)
        words = ["its own" if chain.anon_vma == area.anon_vma else "inherited",
                 "a root" if family.root == chain.anon_vma else f"root {family.root:#x}",
                 f"{family.num_active_vmas} writing"]
        lines.append(f"    {chain._address:#x} to {chain.anon_vma:#x}: {', '.join(words)}")
    return lines


def neighbours(area, names):
    prev = areas.at(area.vm_prev) if area.vm_prev else None
    following = areas.at(area.vm_next) if area.vm_next else None
    low, high = prev.vm_end if prev else 0, following.vm_start if following else pte.TASK_SIZE
    lines = []
    for title, other, gap in (("before", prev, area.vm_start - low),
                              ("behind", following, high - area.vm_end)):
        there = short(other, names) if other else "the end of user space" if title == "behind" \
            else "address 0"
        how = f"{size_words(gap)} between" if gap > 0 else "no gap" if gap == 0 else "THEY OVERLAP"
        lines.append(f"  {title}     {there}: {how}")
    gap = areas.gap_below(area, low)
    lines.append(f"  gaps       {size_words(gap)} below it"
                 + (", its guard gap taken off" if areas.start_gap(area) != area.vm_start else "")
                 + f"; {size_words(area.rb_subtree_gap)} at most in its part of the tree")
    return lines


def lock_lines(mm, area):
    locked = area.vm_lock_seq == mm.mm_lock_seq
    readers = area.vm_readers
    lines = [f"  locks      the area: {'' if locked else 'not '}locked for writing (its number is "
             f"{area.vm_lock_seq}, the mm's {mm.mm_lock_seq})",
             f"             faults at work in it: {readers or 'none'}",
             f"             mmap_lock: {areas.rwsem_words(mm.mmap_lock.count)}"]
    if not area.attached:
        lines.append("             It is not attached: it has been taken out of the tree.")
    return lines


AreasCommand()
AreaCommand()
