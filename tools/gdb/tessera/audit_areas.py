# SPDX-License-Identifier: MIT
"""Audit: the areas of an address space. List, tree and gaps agree; so do the totals, and the caches of
areas that each thread keeps."""
from tessera import kernel, pte, rbtree
from tessera.command import plural

VM_READ, VM_WRITE, VM_EXEC, VM_SHARED = 1, 2, 4, 8
VM_ACCESS = VM_READ | VM_WRITE | VM_EXEC
VM_GROWSDOWN = 0x100
VM_PFNMAP = 0x400
VM_LOCKED = 0x2000
VM_SPECIAL = 0x4000 | 0x40000 | VM_PFNMAP | 0x10000000  # IO, DONTEXPAND, MIXEDMAP

GUARD_GAP = 256 << 12  # STACK_GUARD_GAP_PAGES
MAX_AREAS = 1 << 20


def pages(vma):
    return (vma.vm_end - vma.vm_start) >> pte.PAGE_SHIFT


def start_gap(vma):
    """Where an area begins for who looks for a gap: a stack's guard gap belongs to it."""
    if not vma.vm_flags & VM_GROWSDOWN:
        return vma.vm_start
    return max(0, vma.vm_start - GUARD_GAP)


def collect(audit, space):
    """Fills space.areas from the list, as far as it can be followed."""
    address, before = space.mm.mmap, 0
    seen = set()
    while address and len(seen) < MAX_AREAS:
        where = f"{space.name}: the list of areas " + \
            (f"leads from {space.areas[-1].vm_start:#x}" if space.areas else "begins")
        if address in seen:
            audit.wrong(f"{where} back to {address:#x}: it goes in a circle", space.changing)
            return
        seen.add(address)
        if not audit.is_in_use("vm_area_struct", address):
            audit.wrong(f"{where} {'to' if space.areas else 'with'} {address:#x}, which is no area in use",
                        space.changing)
            return
        vma = kernel.struct("vm_area_struct", address)
        if vma.vm_prev != before:
            audit.wrong(f"{space.area_name(vma)}: vm_prev is {vma.vm_prev:#x}, but the list comes from "
                        f"{before:#x}", space.changing)
        space.areas.append(vma)
        before, address = address, vma.vm_next


def check_order(audit, space):
    previous = None
    for vma in space.areas:
        name = space.area_name(vma)
        if vma.vm_mm != space.address:
            audit.wrong(f"{name} says that it belongs to another address space: {vma.vm_mm:#x}",
                        space.changing)
        if vma.vm_start >= vma.vm_end or (vma.vm_start | vma.vm_end) & 0xFFF:
            audit.wrong(f"{name} is empty or not page-aligned", space.changing)
        if vma.vm_end > pte.TASK_SIZE:
            audit.wrong(f"{name} reaches beyond user space", space.changing)
        if previous is not None and previous.vm_end > vma.vm_start:
            audit.wrong(f"{name} overlaps the one before, which ends at {previous.vm_end:#x}, or is out "
                        "of order", space.changing)
        previous = vma
    highest = previous.vm_end if previous is not None else 0
    if space.mm.highest_vm_end != highest:
        audit.wrong(f"{space.name}: highest_vm_end is {space.mm.highest_vm_end:#x}, the last area ends at "
                    f"{highest:#x}", space.changing)
    if space.mm.map_count != len(space.areas):
        audit.wrong(f"{space.name}: map_count is {space.mm.map_count}, there are {len(space.areas)} areas",
                    space.changing)


def check_tree(audit, space):
    before = {}
    for previous, vma in zip([None] + space.areas, space.areas):
        before[vma._address] = previous.vm_end if previous is not None else 0

    def augment(vma, left, right):
        gap = max(0, start_gap(vma) - before.get(vma._address, start_gap(vma)))
        for child in (left, right):
            if child is not None:
                gap = max(gap, child.rb_subtree_gap)
        if vma._address in before and vma.rb_subtree_gap != gap:
            audit.wrong(f"{space.area_name(vma)}: rb_subtree_gap is {vma.rb_subtree_gap:#x}, but the "
                        f"largest gap in its subtree is {gap:#x}", space.changing)

    check = rbtree.Check(
        owner=lambda node: kernel.container("vm_area_struct", "vm_rb", node),
        links=lambda vma: vma.vm_rb,
        name=lambda vma: f"area {vma.vm_start:#x}",
        augment=augment,
        wrong=lambda sentence: audit.wrong(f"{space.name}: {sentence}", space.changing))
    in_tree = check.run(space.mm.mm_rb)
    for listed, treed in zip(space.areas, in_tree):
        if listed != treed:
            audit.wrong(f"{space.name}: list and tree differ: the list has area {listed.vm_start:#x} where "
                        f"the tree has {treed.vm_start:#x}", space.changing)
            return
    if len(in_tree) != len(space.areas):
        audit.wrong(f"{space.name}: the list has {len(space.areas)} areas, the tree {len(in_tree)}",
                    space.changing)


def check_rights(audit, space):
    """Each area's page protection is what its flags say."""
    for vma in space.areas:
        prot, flags = vma.vm_page_prot, vma.vm_flags
        wrong = None
        if bool(prot & pte.PRESENT) != bool(flags & VM_ACCESS):
            wrong = "makes entries present" if prot & pte.PRESENT else "keeps entries from being present"
        elif prot & pte.RW and flags & (VM_WRITE | VM_SHARED) != VM_WRITE | VM_SHARED:
            wrong = "lets all pages be written"
        elif prot & pte.PRESENT and not prot & pte.NX and not flags & VM_EXEC:
            wrong = "lets pages be executed"
        if wrong:
            audit.wrong(f"{space.area_name(vma)}: its page protection {prot:#x} {wrong}, its flags "
                        f"{flags:#x} don't", space.changing)
        if flags & VM_LOCKED and flags & VM_SPECIAL:
            audit.wrong(f"{space.area_name(vma)} is locked but can't be: flags {flags:#x}", space.changing)


TOTALS = {
    "total_vm": lambda f: True,
    "exec_vm": lambda f: f & (VM_EXEC | VM_WRITE | VM_GROWSDOWN) == VM_EXEC,
    "stack_vm": lambda f: bool(f & VM_GROWSDOWN),
    "data_vm": lambda f: f & (VM_WRITE | VM_SHARED | VM_GROWSDOWN) == VM_WRITE,
    "locked_vm": lambda f: bool(f & VM_LOCKED),
}


def check_totals(audit, space):
    sizes = [(vma.vm_flags, pages(vma)) for vma in space.areas]
    for name, counts in TOTALS.items():
        total = sum(n for flags, n in sizes if counts(flags))
        if getattr(space.mm, name) != total:
            audit.wrong(f"{space.name}: {name} is {getattr(space.mm, name)} pages, the areas add up to "
                        f"{total}", space.changing)


def check_caches(audit, space):
    areas = {vma._address for vma in space.areas}
    for task in space.tasks:
        cache = task.mm_part.vmacache
        if cache.seqnum != space.mm.vmacache_seqnum:
            continue
        for slot, entry in enumerate(cache.vmas):
            if entry:
                audit.checked(1, "vmacache entries")
            if entry and entry not in areas:
                audit.wrong(f"the vmacache of {task.comm}[{task.pid}] is valid and holds {entry:#x} in "
                            f"slot {slot}, which is no area of its address space", space.changing)


def check_users(audit, space):
    """At least its tasks count as users."""
    mm = space.mm
    if mm.mm_users < len(space.tasks) or mm.mm_count < (mm.mm_users > 0):
        audit.wrong(f"{space.name}: mm_users is {mm.mm_users} and mm_count {mm.mm_count}, with "
                    f"{plural(len(space.tasks), 'thread')} in it")


def areas(audit):
    """the areas' check"""
    for space in audit.spaces:
        collect(audit, space)
        check_order(audit, space)
        check_tree(audit, space)
        check_rights(audit, space)
        check_totals(audit, space)
        check_caches(audit, space)
        check_users(audit, space)
        audit.checked(len(space.areas), "areas")
    audit.checked(len(audit.spaces), "address spaces")
