# SPDX-License-Identifier: MIT
"""layout: the address space, drawn."""
import gdb

from tessera import areas, kernel, process, pte, tables
from tessera.cmd_areas import owner
from tessera.command import Command, size_words

CELLS = 64  # of a half, drawn to scale: 2 TiB each
ROWS = 40  # areas are drawn together when there are more of them
USER_END = tables.HALF
KERNEL_START = tables.TOP - tables.HALF
# Of kernel.REGIONS, in their order.
SHORT = ("direct map", "vmalloc", "vmemmap", "image", "fixmap")
LETTERS = "dvmif"
# What gdb's own command of this name, which arranges its windows, is called with.
WINDOWS = ("src", "asm", "split", "regs", "next", "prev")


class LayoutCommand(Command):
    """Draw the address space: the user half with its areas, the kernel's half with its ranges.

Usage: layout [user|kernel]
First both halves to scale, a sign for 2 TiB: # where areas are; in the kernel's half a small
letter for what a range is for, a capital one where something is mapped (d direct map, v vmalloc,
m vmemmap, i image, with the fixmap).
Then all of it from the top down, on a scale that shows small things, too: a bar of one sign is
up to 4 KiB, and each sign more is four times as much. Areas are #, free room is dots.
With a word of gdb's own command layout - src, asm, split, regs, next, prev - it is that command."""

    name = "layout"

    def run(self, argv):
        if len(argv) == 1 and argv[0] in WINDOWS:
            gdb.execute(f"tui layout {argv[0]}")
            return
        if argv not in ([], ["user"], ["kernel"]):
            raise self.usage()
        lines = []
        if argv != ["kernel"]:
            mm = process.current_mm()
            user = groups(areas.Listing(mm).areas)
            names = areas.Names(mm)
        if argv != ["user"]:
            mapped = tables.Tables(kernel.kernel_root(), KERNEL_START, tables.TOP).runs()
        lines.append("To scale, a sign for 2 TiB:")
        if argv != ["kernel"]:
            lines.append(f"  user    {0:#018x} [{user_strip(user)}]")
        if argv != ["user"]:
            lines.append(f"  kernel  {KERNEL_START:#x} [{kernel_strip(mapped)}]")
        lines += ["", "From the top down; one sign is up to 4 KiB, each more is four times as much:"]
        if argv != ["user"]:
            lines += kernel_rows(mapped)
        if not argv:
            lines.append(row(USER_END, KERNEL_START, "", "no addresses (not canonical)"))
        if argv != ["kernel"]:
            lines += user_rows(user, names)
            lines.append(f"That is the user half of {owner()}.")
        print("\n".join(lines))

    def completions(self, before, word):
        return ["user", "kernel", *WINDOWS] if not before else []


def bar(size, sign):
    """A sign for 4 KiB or less, one more for each four times as much."""
    return sign * (((size - 1 >> pte.PAGE_SHIFT).bit_length() + 1) // 2 + 1)


def row(start, end, sign, what):
    return f"  {start:016x}-{end - 1:016x} {size_words(end - start):>10}  " \
        f"{bar(end - start, sign):<19} {what}".rstrip()


# --- the user half --------------------------------------------------------------------------------

def groups(found):
    """Areas, those with the least room between them put together until there are few: lists."""
    if len(found) <= ROWS:
        return [[area] for area in found]
    gaps = [b.vm_start - a.vm_end for a, b in zip(found, found[1:])]
    # Of gaps of a size all are cut at, or none.
    limit = sorted(gaps, reverse=True)[ROWS - 1]
    cuts = [i + 1 for i, gap in enumerate(gaps) if gap > limit]
    return [found[low:high] for low, high in zip([0] + cuts, cuts + [len(found)])]


def user_strip(user):
    cells = ["."] * CELLS
    for group in user:
        for cell in range(group[0].vm_start >> 41, (group[-1].vm_end - 1 >> 41) + 1):
            if any(a.vm_start >> 41 <= cell <= a.vm_end - 1 >> 41 for a in group):
                cells[cell] = "#"
    return "".join(cells)


def user_rows(user, names):
    lines, high = [], USER_END
    for group in reversed(user):
        start, end = group[0].vm_start, group[-1].vm_end
        if end < high:
            lines.append(row(end, high, ".", "" if high < USER_END else
                             "free (never the last page)"))
        if len(group) == 1:
            what = f"{areas.perms(group[0].vm_flags)} {names.of(group[0])}"
        else:
            size = size_words(sum(a.vm_end - a.vm_start for a in group))
            what = f"{len(group):,} areas of {size}"
        lines.append(row(start, end, "#", what))
        high = start
    if high:
        lines.append(row(0, high, ".", ""))
    return lines


# --- the kernel's half ----------------------------------------------------------------------------

def inside(runs, low, high):
    """Bytes of a range that are mapped."""
    return sum(max(min(run.end, high) - max(run.start, low), 0) for run in runs)


def kernel_strip(runs):
    cells = ["."] * CELLS
    for (low, high, _), letter in zip(kernel.REGIONS, LETTERS):
        for cell in range(low - KERNEL_START >> 41, (high - 1 - KERNEL_START >> 41) + 1):
            if cells[cell] == ".":
                cells[cell] = letter
    for run in runs:
        letter = next((letter for (low, high, _), letter in zip(kernel.REGIONS, LETTERS)
                       if low <= run.start < high), "?")
        for cell in range(run.start - KERNEL_START >> 41, (run.end - 1 - KERNEL_START >> 41) + 1):
            cells[cell] = letter.upper()
    return "".join(cells)


def kernel_rows(runs):
    lines, high = [], tables.TOP
    for (low, end, _), words in zip(reversed(kernel.REGIONS), reversed(SHORT)):
        if end < high:
            lines.append(row(end, high, ".", "not used"))
        size = inside(runs, low, end)
        lines.append(row(low, end, "#" if size else ".",
                         f"{words}: {size_words(size) if size else 'nothing'} mapped"))
        high = low
    lines.append(row(KERNEL_START, high, ".", "not used"))
    return lines


LayoutCommand()
