# SPDX-License-Identifier: MIT
"""Red-black trees of the guest: gone through and checked by their rules (kernel/lib/rbtree.h)."""
from tessera import memory

MAX_DEPTH = 100  # no tree that holds together is nearly as deep


class Check:
    """Goes through a tree in order and tells what is wrong with it.

    owner(node)            the structure that a struct rb_node is in
    links(owner)           its struct rb_node
    name(owner)            how to call it in a sentence
    augment(owner, l, r)   tells what is wrong with its summary, given its children's owners or None
    wrong(sentence)        is told

    After run(root), owners are all of them in order.
    """

    def __init__(self, owner, links, name, augment, wrong):
        self.owner = owner
        self.links = links
        self.name = name
        self.augment = augment
        self.wrong = wrong
        self.owners = []
        self.seen = set()

    def run(self, root):
        if root:
            top, _ = self.visit(root, None, 0, 0)
            if top is not None and is_red(self.links(top)):
                self.wrong(f"{self.name(top)} is the root of the tree and red")
        return self.owners

    def fetch(self, node, parent):
        """The owner of a node that a link leads to; None after telling what is wrong."""
        above = f" below {self.name(parent)}" if parent is not None else ""
        if node in self.seen:
            self.wrong(f"the tree leads to {self.name(self.owner(node))} twice{above}")
            return None
        self.seen.add(node)
        try:
            return self.owner(node)
        except memory.Unreadable:
            self.wrong(f"the tree{above} leads to {node:#x}, where no memory is")
            return None

    def visit(self, node, parent, parent_node, depth):
        """(the node's owner, black nodes on each way down from it); None where it can't be told."""
        if not node:
            return None, 1
        if depth > MAX_DEPTH:
            self.wrong(f"the tree is too deep at node {node:#x}")
            return None, None
        owner = self.fetch(node, parent)
        if owner is None:
            return None, None
        rb = self.links(owner)
        if parent_of(rb) != parent_node:
            self.wrong(f"{self.name(owner)}: its link to the parent in the tree is {parent_of(rb):#x}, "
                       f"the parent is {parent_node:#x}")
        if parent is not None and is_red(rb) and is_red(self.links(parent)):
            self.wrong(f"{self.name(owner)} and its parent {self.name(parent)} are both red")
        left, left_black = self.visit(rb.rb_left, owner, node, depth + 1)
        self.owners.append(owner)
        right, right_black = self.visit(rb.rb_right, owner, node, depth + 1)
        if None not in (left_black, right_black) and left_black != right_black:
            self.wrong(f"the tree is out of balance at {self.name(owner)}: {left_black} black nodes on "
                       f"the ways down to the left, {right_black} to the right")
            left_black = None
        self.augment(owner, left, right)
        if left_black is None or right_black is None:
            return owner, None
        return owner, left_black + (not is_red(rb))


def is_red(rb):
    return not color(rb) & 1


def parent_of(rb):
    return color(rb) & ~3


def color(rb):
    return getattr(rb, "__rb_parent_color")
