# SPDX-License-Identifier: MIT
"""walk: from CR3 to the byte, level by level."""
from tessera import kernel, paging, process, pte
from tessera.command import ADDRESS_WORDS, Command, address


def times(count, thing):
    return f"{count} {thing}{'' if count == 1 else 's'}"


def describe_page(phys):
    """The frame at the end of a walk, in two lines."""
    pfn = phys >> pte.PAGE_SHIFT
    page = kernel.page_of(pfn) if process.is_up() else None
    if page is None:
        return f"frame {pfn:#x}: no struct page (not memory, or not yet)"
    flags = " ".join(kernel.page_flags(page)) or "no flags"
    return f"frame {pfn:#x}: struct page {page._address:#x}, {flags};\n" \
        f"   {times(page.counts & 0xFFFFFFFF, 'reference')}, mapped {times(page.counts >> 32, 'time')}"


def explain_entry(step, limits):
    """What one entry means, as a list of sentences."""
    entry, level = step.entry, step.level
    bad = pte.reserved(entry, level, **limits)
    if bad:
        return [f"reserved bits {bad:#x} are set: any access faults (RSVD)"]
    return [pte.describe(entry, level)]


def show(walk, root, whose):
    print(f"{walk.address:#018x}: {kernel.region(walk.address)}")
    if not pte.is_canonical(walk.address):
        print("Not canonical: the processor refuses it before any table is looked at, by a general "
              "protection fault.")
        return
    print(f"CR3  {root:#x} ({whose})")
    limits = process.cpu_limits()
    for step in walk.steps:
        low = pte.SHIFT[step.level]
        print(f"{pte.INTEL_NAMES[step.level]:<4} {step.table:#x}[{step.index}]  "
              f"bits {low + 8}-{low}  {step.entry:#018x}  {pte.bits(step.entry, step.level)}")
        for sentence in explain_entry(step, limits):
            print(f"       {sentence}" + (f" at {step.entry & pte.PFN_MASK:#x}"
                                          if pte.is_table(step.entry, step.level) else ""))
        if pte.reserved(step.entry, step.level, **limits):
            return
    end(walk)


def end(walk):
    last = walk.last
    if walk.physical is not None:
        size = pte.SIZE_WORDS[last.level]
        offset = walk.address & (1 << walk.shift) - 1
        print(f"=> physical {walk.physical:#x}: page of {size} at {walk.physical - offset:#x}, offset "
              f"{offset:#x}; {walk.rights.words()}")
        print(f"   {describe_page(walk.physical)}")
    elif pte.is_protnone(last.entry):
        print(f"=> not present: an access faults. The frame is kept: {pte.frame(last.entry, last.level):#x}")
        print(f"   {describe_page(pte.frame(last.entry, last.level))}")
    elif last.level > 1:
        low = walk.address & ~((1 << pte.SHIFT[last.level]) - 1)
        high = low + (1 << pte.SHIFT[last.level])
        print(f"=> no {pte.INTEL_NAMES[last.level - 1]} here: nothing of {low:#x}-"
              f"{min(high, (1 << 64) - 1):#x} is mapped")
    else:
        print("=> no page here: an access faults")


class WalkCommand(Command):
    """Walk the page tables for an address, as the processor does.

Usage: walk ADDR
From CR3 down: of each level the table's address, the index and which bits of the address it is, the
entry as it is and its bits by name (P W U PWT PCD A D PS G NX; soft-dirty and special are software's),
and what it leads to; at the end the physical address, the size of the page, what the whole way allows,
and the struct page.
The tables are those the selected CPU has loaded, or those of the process that `proc` chose."""

    name = "walk"

    def run(self, argv):
        if len(argv) != 1:
            raise self.usage()
        addr = address(argv[0])
        if process.chosen is None and not process.paging_is_on():
            print(f"Paging is off on CPU {process.selected_cpu()}: the linear address {addr:#x} "
                  "is the physical one.")
            return
        root, whose = process.current_root(addr)
        show(paging.Walk(root, addr), root, whose)

    def completions(self, before, word):
        return ADDRESS_WORDS if not before else []


WalkCommand()
