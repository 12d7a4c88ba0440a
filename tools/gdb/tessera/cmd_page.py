# SPDX-License-Identifier: MIT
"""page, rmap: what one page is, and who maps it."""
import gdb

from tessera import frames, kernel, pages, process, pte
from tessera.command import ADDRESS_WORDS, Command, number, plural, say


class PageCommand(Command):
    """Say what a page is: its flags, counts, and whose it is.

Usage: page ADDR | page frame PFN | page phys ADDR
ADDR is a user address that the process maps, a kernel address, the address of a struct page, the number
of a frame, or a physical address: the first of these that fits, and the answer says which."""

    name = "page"

    def run(self, argv):
        meant = which(self, argv)
        frame = frames.frame(meant.pfn)
        print(f"{meant.how}:")
        where = f"frame {meant.pfn:#x}, physical {meant.physical:#x}"
        if frame is None:
            print(where)
        else:
            show_struct(frame, where)
        for sentence in pages.describe(meant):
            say(sentence)

    def completions(self, before, word):
        return ["frame", "phys"] + ADDRESS_WORDS if not before else []


def which(command, argv):
    """The page that the words of a command mean."""
    if not process.is_up():
        raise gdb.GdbError("The kernel has no page allocator yet: there is nothing to tell.")
    if len(argv) == 2 and argv[0] in ("frame", "phys"):
        return pages.meant_by(number(argv[1], argv[0]), argv[0])
    if len(argv) != 1:
        raise command.usage()
    return pages.meant_by(number(argv[0], "frame or address"))


def show_struct(frame, where):
    print(f"{where}, struct page {frame.address:#x}")
    names = frame.flag_names()
    print(f"flags {frame.flags:#x}" + ("" if names else ": none"))
    for name in names:
        print(f"  {name:<15} {pages.FLAGS.get(name, '')}")
    pins = frame.refs // 1024 if frame.mapping & frames.MAPPING_ANON else 0
    print(f"{plural(frame.refs, 'reference')}, {plural(frame.maps, 'mapping')}"
          + (f"; pinned {plural(pins, 'time')}" if pins else ""))


class RmapCommand(Command):
    """List all entries that map a page, as found from the page.

Usage: rmap ADDR | rmap frame PFN | rmap phys ADDR
Goes the way that the kernel goes to unmap a page everywhere: page->mapping leads to an anon_vma or a
file, its interval tree to the areas that show page->index, each to the address where the page would be.
Then looks into all page tables for the same page, and says whether that finds the same entries.
How the page may be named is told by `help page`."""

    name = "rmap"

    def run(self, argv):
        meant = which(self, argv)
        frame = frames.frame(meant.pfn)
        if frame is None or not pages.is_mapped_page(frame) or not (frame.mapping or frame.maps):
            print(f"{meant.how}: frame {meant.pfn:#x}. No program's page:")
            for sentence in pages.describe(meant):
                say(sentence)
            return
        print(f"{meant.how}: frame {meant.pfn:#x}, {plural(frame.refs, 'reference')}, "
              f"{plural(frame.maps, 'mapping')}")
        names = pages.owner_names()
        found = {}
        if frame.mapping:
            found = self.by_reverse_map(frame, names)
        else:
            print("It belongs to no file and no anon_vma: nobody looks for who maps it.")
        self.compare(frame, found, pages.by_all_tables(meant.pfn), names)

    def by_reverse_map(self, frame, names):
        """Prints the areas that the page may be in; those that have it, as {(mm, address): entry}."""
        if frame.mapping & frames.MAPPING_ANON:
            av = kernel.struct("anon_vma", frame.mapping & ~frames.MAPPING_FLAGS)
            family = "a root" if av.root == av._address else f"of the family of {av.root:#x}"
            print(f"anon_vma {av._address:#x}, {family}: areas that may have its page {frame.index:#x}")
        else:
            say(f"{pages.files.name_of(frame.mapping)}, address_space {frame.mapping:#x}: areas that show "
                f"its page {frame.index:#x}")
        found = {}
        for candidate in pages.candidates(frame):
            vma = candidate.vma
            owner = names.get(vma.vm_mm, f"mm_struct {vma.vm_mm:#x}")
            if candidate.maps:
                found[vma.vm_mm, candidate.address] = candidate.entry
                what = f"maps it: {pte.bits(candidate.entry, 1)}"
            elif candidate.level > 1:
                what = f"has no table there ({pte.INTEL_NAMES[candidate.level]} entry is none)"
            else:
                what = "has nothing there" if not candidate.entry else \
                    f"maps another: frame {pte.frame(candidate.entry) >> pte.PAGE_SHIFT:#x}"
            print(f"  {candidate.address:#x} of {owner}, area {vma.vm_start:#x}-{vma.vm_end:#x}: {what}")
        return found

    def compare(self, frame, found, tables, names):
        """What all page tables say to it."""
        missed = sorted(set(tables) - set(found))
        count = f"{len(tables)} {'entry' if len(tables) == 1 else 'entries'}"
        if not frame.mapping:
            for mm, address in missed:
                print(f"  {address:#x} of {names[mm]}")
            print(f"A look into all page tables finds {count}.")
            return
        if not missed and len(tables) == len(found) == frame.maps:
            say(f"{count}: as many as the page counts, and a look into all page tables finds the same.")
            return
        say(f"The page counts {plural(frame.maps, 'mapping')}, the way back finds {len(found)}, a look into "
            f"all page tables {len(tables)}:")
        for mm, address in missed:
            print(f"  {address:#x} of {names[mm]} is not found from the page")
        for mm, address in sorted(set(found) - set(tables)):
            print(f"  {address:#x} of {names.get(mm, hex(mm))} is in no process's tables")
        print("In the middle of a change, or damaged: `audit` tells.")

    def completions(self, before, word):
        return ["frame", "phys"] + ADDRESS_WORDS if not before else []


PageCommand()
RmapCommand()
