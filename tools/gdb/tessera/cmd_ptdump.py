# SPDX-License-Identifier: MIT
"""ptdump, ptcost: all that the page tables map, and what the tables themselves take."""
import gdb

from tessera import kernel, locks, process, pte, tables
from tessera.cmd_areas import aligned
from tessera.command import ADDRESS_WORDS, Command, address_range, size_words

HALVES = {"user": (0, tables.HALF), "kernel": (tables.TOP - tables.HALF, tables.TOP)}
# What is of its own kind only with -used.
USED_WORDS = ((pte.ACCESSED, "A"), (pte.DIRTY, "D"), (pte.SOFT_DIRTY, "softdirty"))


def no_paging_yet():
    """Raises gdb.GdbError if there are no tables to look at."""
    cpu = process.selected_cpu()
    if process.chosen is None and not process.paging_is_on():
        raise gdb.GdbError(f"Paging is off on CPU {cpu}: there are no tables "
                           "yet.")


def the_tables(start=0, end=tables.TOP):
    """The tables that commands speak of, and whose they are in words."""
    no_paging_yet()
    root, whose = process.current_root()
    return tables.Tables(root, start, end), root, whose


class PtdumpCommand(Command):
    """List what the page tables map, equal mappings joined.

Usage: ptdump [-used] [user|kernel|RANGE]
RANGE is START-END (END not in it), START+LENGTH or one address, for its page; nothing means
everything.
A line for each run of mappings side by side that are alike: its range and size; how
many pages of what size; MAY, what all levels together allow: u for user mode, else the kernel
alone, then r w x; BITS of the entries; where it begins in physical memory, and in how many parts
it lies there if it isn't one.
A and D are no matter of kind: a capital A means all pages of the run have been accessed, a small a
some of them, and so for D or d (dirty) and S or s (soft-dirty). With -used they are, and split
runs.
The tables are those the selected CPU has loaded, or those of the process that `proc` chose."""

    name = "ptdump"

    def run(self, argv):
        argv = list(argv)
        used = "-used" in argv
        if used:
            argv.remove("-used")
        if len(argv) > 1:
            raise self.usage()
        start, end = 0, tables.TOP
        if argv:
            start, end = HALVES[argv[0]] if argv[0] in HALVES else address_range(argv[0])
        if start >= end:
            raise gdb.GdbError(f"{start:#x}-{end:#x} is empty: a range ends above its start.")
        found, root, whose = the_tables(start, end)
        print(f"{whose}: top-level table at {root:#x}")
        print("\n".join(dump(found, used) + found.damage))

    def completions(self, before, word):
        words = ["user", "kernel"] + ADDRESS_WORDS
        if "-used" not in before:
            words.append("-used")
        return words if len([w for w in before if w != "-used"]) == 0 else []


def dump(found, used=False):
    runs = found.runs(tables.KIND | tables.USED if used else tables.KIND)
    if not runs:
        return ["Nothing is mapped there."]
    rows = [row_of(run) for run in runs]
    lines = aligned(("RANGE", "SIZE", "PAGES", "MAY", "ADS", "BITS", "PHYSICAL"), rows, "<>><<<<")
    low = sum(1 for run in runs if run.start < tables.HALF)
    if 0 < low < len(runs):
        lines.insert(1 + low, "--- the kernel's half, the same in every process ---")
    return lines


def row_of(run):
    size = {1: "4K", 2: "2M", 3: "1G"}[run.level]
    there = run.kind & (pte.PRESENT | pte.PROTNONE)
    pieces = f" ({run.pieces:,} parts)" if run.pieces > 1 else ""
    return (f"{run.start:016x}-{run.end:016x}", size_words(run.end - run.start),
            f"{run.count:,} x {size}", str(run.rights) if run.kind & pte.PRESENT else "----",
            used_letters(run), other_bits(run), f"{run.phys:#x}{pieces}" if there else "-")


def used_letters(run):
    """A D S: all; a d s: some; - none."""
    letters = (pte.ACCESSED, "A"), (pte.DIRTY, "D"), (pte.SOFT_DIRTY, "S")
    return "".join(letter if run.all & bit else letter.lower() if run.some & bit else "-"
                   for bit, letter in letters)


def other_bits(run):
    """Bits that neither the rights nor the size tell."""
    kind = run.kind & ~(tables.USED | pte.RW | pte.USER | pte.NX)
    if kind & pte.PRESENT:
        kind &= ~(pte.PSE if run.level > 1 else 0)
        words = pte.bits(kind, 1).split()
        return " ".join(word for word in words if word != "P") or "-"
    return pte.bits(kind, run.level)


# --- what tables cost -----------------------------------------------------------------------------

class PtcostCommand(Command):
    """Tell what the page tables of the process take: tables at each level, and how full they are.

Usage: ptcost
Of the user half: how many tables there are at each level, how many of their 512 entries are in
use, on average and in the emptiest; the memory they take together, which is compared with the mm's
own count, and with what they map. The kernel's half belongs to all processes and is shown
apart."""

    name = "ptcost"

    def run(self, argv):
        if argv:
            raise self.usage()
        mm = process.current_mm()
        root, whose = process.root_of(mm), process.current()
        print(f"{whose.comm}[{whose.pid}]: top-level table at {root:#x}")
        found = tables.Tables(root, *HALVES["user"])
        lines = cost(found, mm) + found.damage
        if found.damage or any("WHICH DIFFERS" in line for line in lines):
            lines += locks.excuse(mm, f"{whose.comm}[{whose.pid}]")
        print("\n".join(lines))
        common = tables.Tables(kernel.kernel_root(), *HALVES["kernel"])
        counts = ", ".join(f"{len(common.by_level[n]):,} {pte.NAMES[n]}" for n in (3, 2, 1))
        total = sum(len(common.by_level[n]) for n in (3, 2, 1)) * pte.PAGE_SIZE
        print(f"The kernel's half, the same tables in every process: {counts}: {size_words(total)}")


def cost(found, mm):
    lines = ["LEVEL  EACH COVERS  TABLES      MEMORY  ENTRIES IN USE           FULL  EMPTIEST"]
    below, mapped = 0, 0
    for level in (4, 3, 2, 1):
        level_tables = found.by_level[level]
        used = [use_of(table) for table in level_tables]
        if level < 4:
            below += len(level_tables)
        total = len(level_tables) * 512 if level < 4 else 256
        share = f"{100 * sum(used) / total:.1f}%" if total else "-"
        covers = size_words(1 << pte.SHIFT[level] + 9) if level < 4 else "256 TiB"
        lines.append(
            f"{pte.NAMES[level]:<5}  {covers:>11}  {len(level_tables):>6,}  "
            f"{size_words(len(level_tables) * pte.PAGE_SIZE):>10}  "
            f"{f'{sum(used):,} of {total:,}':<20}  {share:>7}  "
            + (f"{min(used)} of 512" if used and level < 4 else "-"))
        mapped += sum(1 << pte.SHIFT[level] for table in level_tables for e in table.entries
                      if pte.has_frame(e) and not pte.is_table(e, level)) if level < 4 else 0
    size = below * pte.PAGE_SIZE
    said = mm.pgtables_bytes
    lines.append(f"Tables below the top one: {size_words(size)}; the mm counts "
                 + ("the same" if said == size else f"{said:,} bytes, WHICH DIFFERS by "
                    f"{said - size:+,}") + " (pgtables_bytes)")
    if mapped:
        lines.append(f"They map {size_words(mapped)}: {100 * size / mapped:.2f} bytes of tables "
                     "for 100 bytes of memory")
    else:
        lines.append("They map nothing.")
    return lines


def use_of(table):
    """Entries in use: of the top-level table, in the user half only."""
    entries = table.entries[:256] if table.level == 4 else table.entries
    return len(entries) - entries.count(0)


PtdumpCommand()
PtcostCommand()
