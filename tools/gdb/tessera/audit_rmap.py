# SPDX-License-Identifier: MIT
"""Audit: the ways from a page back to the areas that may map it. Each area is in the interval trees where
its pages look for it, and by the pages that it shows: so whoever looks for a page's entries finds all."""
from tessera import kernel, locks, memory, pte, rbtree
from tessera.command import plural


def family_changes(anon_vma):
    """Why an anon_vma's tree may be in the middle of a change, or None."""
    try:
        root = kernel.struct("anon_vma", anon_vma.root)
    except memory.Unreadable:
        return None
    if locks.rwsem_writer(root.rwsem):
        return f"the anon_vma family of {root._address:#x} changes: its rwsem is held for writing"
    return None


def file_changes(mapping):
    """Why a file's tree of areas may be, or None."""
    if locks.rwsem_writer(mapping.i_mmap_rwsem):
        return f"the areas of address_space {mapping._address:#x} change: i_mmap_rwsem is held for writing"
    return None


def check_interval_tree(root, name, node_name, wrong):
    """The struct interval_tree_nodes of a tree, in order."""

    def augment(node, left, right):
        last = max([node.last] + [getattr(c, "__subtree_last") for c in (left, right) if c is not None])
        if getattr(node, "__subtree_last") != last:
            wrong(f"{name}: {node_name(node)}: __subtree_last is {getattr(node, '__subtree_last'):#x}, the "
                  f"last page in its subtree is {last:#x}")

    nodes = rbtree.Check(
        owner=lambda rb: kernel.container("interval_tree_node", "rb", rb),
        links=lambda node: node.rb, name=node_name, augment=augment,
        wrong=lambda sentence: wrong(f"{name}: {sentence}")).run(root)
    for before, node in zip(nodes, nodes[1:]):
        if before.start > node.start:
            wrong(f"{name}: {node_name(node)} is out of order: it begins with page {node.start:#x}, the one "
                  f"before it with {before.start:#x}")
    return nodes


def spans(node, vma):
    """Whether an interval is that of the pages that an area shows."""
    count = vma.vm_end - vma.vm_start >> pte.PAGE_SHIFT
    return node.start == vma.vm_pgoff and node.last == vma.vm_pgoff + count - 1


# --- anonymous memory ------------------------------------------------------------------------------------

def chain_of(audit, space, vma, known):
    """The struct anon_vma_chains of an area, checked as a list."""
    head = vma.address_of("anon_vma_chain")
    before, node = head, vma.anon_vma_chain.next
    excuse = chain_changes(space, vma)
    found = []
    while node != head:
        avc_address = node - kernel.struct_layout("anon_vma_chain").fields["same_vma"][0]
        if not audit.is_in_use("anon_vma_chain", avc_address) or len(found) > 4096:
            audit.wrong(f"{space.area_name(vma)}: its list anon_vma_chain leads to {avc_address:#x}, which "
                        "is no anon_vma_chain in use", excuse)
            return found
        avc = kernel.struct("anon_vma_chain", avc_address)
        name = f"{space.area_name(vma)}: anon_vma_chain {avc_address:#x}"
        if avc.same_vma.prev != before:
            audit.wrong(f"{name}: same_vma.prev is {avc.same_vma.prev:#x}, the list comes from {before:#x}",
                        excuse)
        if avc.vma != vma._address:
            audit.wrong(f"{name} says that it is area {avc.vma:#x}'s", excuse)
        elif not spans(avc.node, vma):
            audit.wrong(f"{name} spans pages {avc.node.start:#x}-{avc.node.last:#x}, the area shows "
                        f"{vma.vm_pgoff:#x} and on", excuse)
        found.append(avc)
        known[avc_address] = (space, vma)
        before, node = node, avc.same_vma.next
    return found


def chain_changes(space, vma):
    if space.changing:
        return space.changing
    if locks.mutex_held(space.mm.anon_vma_lock):
        return f"{space.name} changes: anon_vma_lock is held"
    return None


def check_anon_vma(audit, av, chained, counts):
    """One anon_vma: its tree holds what areas' chains say, and its counts are right."""
    name = f"anon_vma {av._address:#x}"
    # An area that is being made, or has been taken out, is in the trees and in no list.
    excuse = family_changes(av) or audit.moving
    offset = kernel.struct_layout("anon_vma_chain").fields["node"][0]

    def wrong(sentence):
        audit.wrong(sentence, excuse)

    nodes = check_interval_tree(av.chains, name,
                                lambda node: f"anon_vma_chain {node._address - offset:#x}", wrong)
    in_tree = {node._address - offset for node in nodes}
    for avc in sorted(chained - in_tree):
        wrong(f"{name}: anon_vma_chain {avc:#x} is in its area's list but not in this tree: pages of that "
              "area are not found from here")
    for avc in sorted(in_tree - chained):
        wrong(f"{name}: its tree holds anon_vma_chain {avc:#x}, which no area's list has")
    if av.num_active_vmas != counts["active"]:
        wrong(f"{name}: num_active_vmas is {av.num_active_vmas}, but {plural(counts['active'], 'area')} "
              "put new pages there")
    if av.num_children != counts["children"]:
        wrong(f"{name}: num_children is {av.num_children}, but it is the parent of "
              f"{plural(counts['children'], 'anon_vma')}")


def anonymous(audit):
    """the anon_vmas' check"""
    known, chains, active = {}, {}, {}
    for space in audit.spaces:
        for vma in space.areas:
            listed = not vma.anon_vma
            for avc in chain_of(audit, space, vma, known):
                chains.setdefault(avc.anon_vma, set()).add(avc._address)
                listed |= avc.anon_vma == vma.anon_vma
            if vma.anon_vma:
                active[vma.anon_vma] = active.get(vma.anon_vma, 0) + 1
            if not listed:
                audit.wrong(f"{space.area_name(vma)}: its anon_vma {vma.anon_vma:#x} is not in its chain",
                            chain_changes(space, vma))
    audit.chains = {}  # for the pages' check: an area's anon_vmas
    for address, avcs in chains.items():
        for avc in avcs:
            space, vma = known[avc]
            audit.chains.setdefault(vma._address, set()).add(address)
    objects = {}
    for address in sorted(set(chains) | set(active)):
        if not audit.is_in_use("anon_vma", address):
            audit.wrong(f"an area's anon_vma_chain leads to {address:#x}, which is no anon_vma in use")
            continue
        objects[address] = kernel.struct("anon_vma", address)
    children = {}
    for av in objects.values():
        children[av.parent] = children.get(av.parent, 0) + 1
    for address, av in objects.items():
        check_anon_vma(audit, av, chains.get(address, set()),
                       {"active": active.get(address, 0), "children": children.get(address, 0)})
    audit.checked(len(objects), "anon_vmas")


# --- files -------------------------------------------------------------------------------------------------

def mapping_of(vma):
    """The address of the struct address_space behind an area; 0 if it has none."""
    return kernel.struct("vm_file", vma.vm_file).mapping if vma.vm_file else 0


def files(audit):
    """the file areas' check"""
    showing = {}
    offset = kernel.struct_layout("vm_area_struct").fields["i_mmap_node"][0]
    names = {}
    for space in audit.spaces:
        for vma in space.areas:
            address = mapping_of(vma)
            if not address:
                continue
            excuse = space.changing or file_changes(audit.mapping(address))
            if not spans(vma.i_mmap_node, vma):
                audit.wrong(f"{space.area_name(vma)}: its file knows it by pages {vma.i_mmap_node.start:#x}-"
                            f"{vma.i_mmap_node.last:#x}, it shows {vma.vm_pgoff:#x} and on", excuse)
            showing.setdefault(address, set()).add(vma._address)
            names[vma._address] = (space.area_name(vma), excuse)
    for address in add_inodes(audit, showing):
        check_file(audit, audit.mapping(address), showing.get(address, set()), names, offset)
    audit.checked(len(audit.mappings), "files")


def add_inodes(audit, showing):
    """All struct address_space there are: of areas' files, and of inodes."""
    found = set(showing)
    layout = kernel.struct_layout("inode").fields["i_data"][0]
    for inode in audit.in_use("inode_cache") or ():
        # One that is just being made has no host yet.
        if audit.mapping(inode + layout).host == inode:
            found.add(inode + layout)
    return sorted(found)


def check_file(audit, mapping, showing, names, offset):
    name = f"address_space {mapping._address:#x}"
    excuse = file_changes(mapping)

    def wrong(sentence):
        audit.wrong(sentence, excuse)

    def node_name(node):
        known = names.get(node._address - offset)
        return known[0] if known else f"area {node._address - offset:#x}"

    nodes = check_interval_tree(mapping.i_mmap, f"{name}: i_mmap", node_name, wrong)
    in_tree = {node._address - offset for node in nodes}
    for vma in sorted(showing - in_tree):
        # Between the file's tree and the mm's an area is in one of them only, under mmap_lock.
        audit.wrong(f"{names[vma][0]} is not in its file's tree i_mmap: the file's pages are not found there",
                    names[vma][1])
    for vma in sorted(in_tree - showing):
        audit.wrong(f"{name}: its tree i_mmap holds {vma:#x}, which is no area of that file",
                    excuse or audit.moving)
