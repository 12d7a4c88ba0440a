# SPDX-License-Identifier: MIT
"""The red-black tree of areas, read whole, and everything that must hold in it."""
from tessera import areas, memory

RED, BLACK = 0, 1


class Node:
    """An area in the tree.

    own_gap   free bytes below it, from what lies before it in the tree
    wrong     sentences about what doesn't hold here
    """

    def __init__(self, area, parent, depth):
        self.area = area
        self.parent = parent
        self.depth = depth
        self.left = self.right = None
        self.own_gap = 0
        self.black = 0  # black nodes on a way down from here, the missing child included
        self.size = 1
        self.wrong = []

    @property
    def red(self):
        return self.area.rb_parent_color & 1 == RED

    @property
    def children(self):
        return [child for child in (self.left, self.right) if child]


class Tree:
    """The whole tree of an mm: root (a Node or None), nodes in the order of addresses, and what is
    wrong that belongs to no node."""

    def __init__(self, mm):
        self.mm = mm
        self.wrong = []
        self.offset = areas.node_offset()
        self.root = self._read(mm.mm_rb)
        self.nodes = self._in_order()
        self._check()

    # --- reading --------------------------------------------------------------------------------

    def _read(self, top):
        read, seen = areas.reader(), set()
        found = None
        todo = [(top, None, False)]
        while todo:
            link, parent, is_left = todo.pop()
            if not link:
                continue
            node = self._node(read, link, parent, seen)
            if node is None:
                continue
            if parent is None:
                found = node
            elif is_left:
                parent.left = node
            else:
                parent.right = node
            todo.append((node.area.rb_left, node, True))
            todo.append((node.area.rb_right, node, False))
        return found

    def _node(self, read, link, parent, seen):
        if link in seen:
            self._say(parent, f"a child is {link - self.offset:#x}, which hangs elsewhere in the "
                              "tree, too")
            return None
        seen.add(link)
        try:
            area = read.at(link - self.offset)
        except memory.Unreadable:
            self._say(parent, f"a child is at {link:#x}, where no memory is")
            return None
        node = Node(area, parent, parent.depth + 1 if parent else 0)
        above = area.rb_parent_color & ~1
        right = parent.area.address + self.offset if parent else 0
        if above != right:
            node.wrong.append(f"its parent pointer is {above:#x}, its parent {right:#x}")
        return node

    def _say(self, node, text):
        (node.wrong if node else self.wrong).append(text)

    def _in_order(self):
        order, stack, node = [], [], self.root
        while stack or node:
            while node:
                stack.append(node)
                node = node.left
            node = stack.pop()
            order.append(node)
            node = node.right
        return order

    # --- what must hold ---------------------------------------------------------------------------

    def _check(self):
        end, before = 0, None
        for node in self.nodes:
            area = node.area
            if before is not None and area.vm_start < before.area.vm_end:
                node.wrong.append(f"begins below the end of the area before it, {end:#x}")
            if area.vm_start >= area.vm_end:
                node.wrong.append("its range is empty")
            node.own_gap = areas.gap_below(area, end)
            end, before = area.vm_end, node
        if self.root and self.root.red:
            self.root.wrong.append("the root is red")
        for node in self._children_first():
            self._check_node(node)

    def _children_first(self):
        order, todo = [], [self.root] if self.root else []
        while todo:
            node = todo.pop()
            order.append(node)
            todo += node.children
        return reversed(order)

    @staticmethod
    def _check_node(node):
        node.size = 1 + sum(child.size for child in node.children)
        gap = max([node.own_gap] + [child.area.rb_subtree_gap for child in node.children])
        if node.area.rb_subtree_gap != gap:
            node.wrong.append(f"its subtree gap should be {gap:#x}")
        if node.red and any(child.red for child in node.children):
            node.wrong.append("is red and has a red child")
        left = node.left.black if node.left else 1
        right = node.right.black if node.right else 1
        if left != right:
            node.wrong.append(f"{left} black nodes on the way down left, {right} right")
        node.black = max(left, right) + (not node.red)

    @property
    def height(self):
        return 1 + max((node.depth for node in self.nodes), default=-1)

    def disagreements(self):
        """All that is wrong: (node or None, sentence)."""
        return [(None, text) for text in self.wrong] + \
            [(node, text) for node in self.nodes for text in node.wrong]
