# SPDX-License-Identifier: MIT
"""vmtree, vmacache: how an area is found."""
import gdb

from tessera import areas, areatree, kernel, locks, process, pte
from tessera.cmd_areas import owner, short
from tessera.command import ADDRESS_WORDS, Command, address, number, size_words

DRAW_ALL = 64  # trees up to this size are drawn whole
DEEP = 4  # of larger ones, so many levels


class VmtreeCommand(Command):
    """Draw the red-black tree of areas, as find_vma() goes down it.

Usage: vmtree [ADDR] [depth N|all]
Each node: its colour; its range and rights; GAP, the free bytes below it; MAX, the largest gap
below any area of its subtree, which the search for free addresses goes by. L hangs on the left
(lower addresses), R on the right. Values that can't be right are marked by <-- with what they
should be; the last line says whether all is as it must be.
Large trees are drawn down to a level, the rest counted; `depth N` or `all` says how far. With
ADDR: the way down to the area of that address, and what hangs below it."""

    name = "vmtree"

    def run(self, argv):
        addr, depth = self.parse(list(argv))
        mm = process.current_mm()
        tree = areatree.Tree(mm)
        names = areas.Names(mm)
        print(f"{owner()}: {len(tree.nodes):,} areas in the tree, {tree.height} levels")
        if tree.root is None:
            print("The tree is empty.")
        elif addr is None:
            limit = depth or (1000 if len(tree.nodes) <= DRAW_ALL else DEEP)
            print("\n".join(draw(tree.root, names, limit)))
        else:
            print("\n".join(way_down(tree, names, addr, depth or DEEP)))
        print("\n".join(verdict(tree, mm)))

    def parse(self, argv):
        depth = None
        if argv and argv[-1] == "all":
            depth, argv = 1000, argv[:-1]
        elif len(argv) >= 2 and argv[-2] == "depth":
            depth, argv = number(argv[-1], "depth"), argv[:-2]
            if not 0 < depth <= 1000:
                raise gdb.GdbError("The depth is a number of levels, from 1 on.")
        if len(argv) > 1 or "depth" in argv:
            raise self.usage()
        return (address(argv[0]) if argv else None), depth

    def completions(self, before, word):
        if before and before[-1] in ("depth", "all"):
            return []
        return ["depth", "all"] + (ADDRESS_WORDS if not before else [])


def node_words(node, names):
    area = node.area
    name = names.of(area)
    words = f"{'red  ' if node.red else 'black'} {area.vm_start:x}-{area.vm_end:x} " \
        f"{areas.perms(area.vm_flags)} {name}{'  ' if name else ' '}" \
        f"gap {size_words(node.own_gap)}, max {size_words(area.rb_subtree_gap)}"
    return words + "".join(f"  <-- {text}" for text in node.wrong)


def draw(root, names, limit, indent="", head=""):
    """Lines for a subtree, down to so many levels."""
    lines = [indent + head + node_words(root, names)]
    # Not by calling itself: a damaged tree may be a list of thousands.
    todo = [(child, indent, 1, child is root.children[-1])
            for child in reversed(root.children)]
    if limit <= 1 and root.size > 1:
        return lines + [f"{indent}`- {root.size - 1:,} more below"]
    while todo:
        node, lead, depth, last = todo.pop()
        side = "L" if node.parent.left is node else "R"
        lines.append(f"{lead}{'`' if last else '|'}-{side} {node_words(node, names)}")
        lead += "   " if last else "|  "
        if depth + 1 >= limit and node.size > 1:
            lines.append(f"{lead}`- {node.size - 1:,} more below")
            continue
        todo += [(child, lead, depth + 1, child is node.children[-1])
                 for child in reversed(node.children)]
    return lines


def way_down(tree, names, addr, limit):
    """As find_vma(): each step with the question it answers, then what hangs below."""
    lines, node, found = [], tree.root, None
    while node:
        area = node.area
        if addr >= area.vm_end:
            turn, following = f"{addr:#x} is not below its end: right", node.right
        elif addr < area.vm_start:
            turn, following, found = f"{addr:#x} is below it: left", node.left, node
        else:
            lines.append("this is it:")
            return lines + draw(node, names, limit)
        lines.append(f"{node_words(node, names)}")
        lines.append(f"  {turn}" + ("" if following else ", where nothing is"))
        node = following
    where = f"the first area above it is {short(found.area, names)}" if found \
        else "no area lies above it"
    return lines + [f"{addr:#x} is in no area; {where}."]


def verdict(tree, mm):
    wrong = tree.disagreements()
    lines = [f"  {text}" for node, text in wrong if node is None]
    order = [node.area.address for node in tree.nodes]
    found = areas.Listing(mm)
    if order != [area.address for area in found.areas]:
        lines.append(f"  the list has {len(found.areas):,} areas, and they aren't those of the "
                     "tree in its order")
    if found.damage:
        lines.append("  " + found.damage)
    if len(order) != mm.map_count:
        lines.append(f"  map_count is {mm.map_count:,}")
    count = len(lines) + sum(1 for node, _ in wrong if node)
    if count:
        return [f"{count} thing{'s are' if count > 1 else ' is'} not as it must be"
                + (":" if lines else ", marked above if drawn:")] + lines + first_of(wrong) \
            + locks.excuse(mm, owner())
    black = tree.root.black - 1 if tree.root else 0
    return [f"All is as it must be: order, parents, colours ({black} black on every way down), "
            "gaps;", "and the list is the same."]


def first_of(wrong):
    return [f"  area {node.area.vm_start:#x}-{node.area.vm_end:#x}: {text}"
            for node, text in wrong if node][:10]


# --- the cache in front of the tree ---------------------------------------------------------------

class VmacacheCommand(Command):
    """Show the areas that the thread has found last, and whether they still count.

Usage: vmacache [ADDR]
Each thread keeps four, in the slots that bits 21-22 of the address choose. They count as long as
the thread's sequence number is the mm's, which goes up when an area goes or shrinks. With ADDR:
what a lookup of that address would find there."""

    name = "vmacache"

    def run(self, argv):
        if len(argv) > 1:
            raise self.usage()
        mm, task = process.current_mm(), process.current()
        cache = task.mm_part.vmacache
        slots = [slot(entry, mm) for entry in cache.vmas]
        valid = cache.seqnum == mm.vmacache_seqnum
        print(f"{owner()}: the thread's sequence number is {cache.seqnum}, the mm's "
              f"{mm.vmacache_seqnum}: "
              + ("what is cached counts" if valid else "nothing here counts any more; the next "
                                                       "lookup empties all slots"))
        for i, (words, _) in enumerate(slots):
            print(f"  slot {i}  {words}")
        if argv:
            self.lookup(address(argv[0]), slots, valid)

    @staticmethod
    def lookup(addr, slots, valid):
        first = addr >> pte.SHIFT[2] & len(slots) - 1
        if not valid:
            print(f"{addr:#x}: not found here, as the numbers differ; on to the tree")
            return
        for i in range(len(slots)):
            number_of = (first + i) % len(slots)
            if areas.covers(slots[number_of][1], addr):
                print(f"{addr:#x}: the search begins at slot {first} and finds it in slot "
                      f"{number_of}")
                return
        print(f"{addr:#x}: the search begins at slot {first} and finds it in none; what the tree "
              f"tells goes to slot {first}")

    def completions(self, before, word):
        return ADDRESS_WORDS if not before else []


def slot(entry, mm):
    """(in words, the area or None)."""
    if not entry:
        return "empty", None
    if not kernel.kernel_half(entry):
        return f"{entry:#x}: no area can be there: damaged", None
    area = areas.at(entry)
    if area.vm_mm != mm._address or not area.attached:
        return f"{entry:#x}: no area of this address space now", area
    return f"{entry:#x}  {short(area, areas.Names(mm))}", area


VmtreeCommand()
VmacacheCommand()
