# SPDX-License-Identifier: MIT
"""What is different between two snapshots, in lines."""
import array
import bisect
import itertools

from tessera import areas, pte, snapshot
from tessera.command import size_words

NOTHING = array.array("Q", bytes(8 * 512))


# --- areas ----------------------------------------------------------------------------------------

def diff_areas(a, b):
    """Lines: + new, - gone, ~ changed, > moved."""
    old, new = list(a.areas), list(b.areas)
    pairs = []
    # First what is surely the same, then what may be.
    for key, sure in ((lambda x: (x.start, x.end), None), (lambda x: x.struct, _overlap),
                      (lambda x: x.start, None), (lambda x: x.end, None)):
        found, old, new = _pair(old, new, key, sure)
        pairs += found
    moved, old, new = _pair(old, new, _contents, lambda x, y: x.file or x.anon_vma)
    lines = [(y.start, f"~ {x}: {_changes(x, y)}") for x, y in pairs if _changes(x, y)]
    for x, y in moved:
        changes = _changes(x, y, moved=True)
        lines.append((y.start, f"> {x} moved to {y.start:#x}-{y.end:#x}"
                      + (f": {changes}" if changes else "")))
    for x in old:
        lines.append((x.start, f"- {x}, {size_words(x.end - x.start)}"
                      + _within(x, b, "now part of")))
    for y in new:
        lines.append((y.start, f"+ {y}, {size_words(y.end - y.start)}"
                      + (_within(y, a, "was part of") or _from_elsewhere(y, a, b))))
    return [line for _, line in sorted(lines, key=lambda item: item[0])]


def _overlap(x, y):
    return x.start < y.end and y.start < x.end


def _contents(x):
    """What an area takes along when it is moved."""
    return x.pgoff, x.file, x.anon_vma


def _pair(old, new, key, sure):
    """Those of both lists that have the same key, and what is left of the two."""
    by_key = {}
    for y in new:
        by_key.setdefault(key(y), y)
    found, left, taken = [], [], set()
    for x in old:
        y = by_key.get(key(x))
        if y is not None and y not in taken and (sure is None or sure(x, y)):
            found.append((x, y))
            taken.add(y)
        else:
            left.append(x)
    return found, left, [y for y in new if y not in taken]


def _within(area, other, words):
    """Which area of the other snapshot it lies in."""
    i = bisect.bisect_right(other.starts, area.start) - 1
    there = other.areas[i] if i >= 0 else None
    if there and area.end <= there.end:
        return f"; {words} {there.start:#x}-{there.end:#x}"
    return ""


def _from_elsewhere(area, a, b):
    """Of what part of an area it has the pages, which aren't there any more."""
    if not area.file and not area.anon_vma:
        return ""
    pages = area.end - area.start >> pte.PAGE_SHIFT
    for x in a.areas:
        first = area.pgoff - x.pgoff
        low = x.start + (first << pte.PAGE_SHIFT)
        if (x.file, x.anon_vma) != (area.file, area.anon_vma) or low == area.start or first < 0 \
                or first + pages > x.end - x.start >> pte.PAGE_SHIFT:
            continue
        if not any(y.start <= low < y.end for y in b.areas):
            return f"; moved here from {low:#x}-{low + area.end - area.start:#x}"
    return ""


def _changes(x, y, moved=False):
    words = []
    if not moved:
        if x.start != y.start:
            words.append(f"begins at {y.start:#x}, was {x.start:#x}")
        if x.end != y.end:
            words.append(f"ends at {y.end:#x}, was {x.end:#x}")
        if x.pgoff != y.pgoff and x.pgoff - (x.start >> 12) != y.pgoff - (y.start >> 12):
            words.append(f"page offset {x.pgoff:#x} -> {y.pgoff:#x}")
    elif x.end - x.start != y.end - y.start:
        words.append(f"{size_words(x.end - x.start)} -> {size_words(y.end - y.start)}")
    plus, minus = areas.flag_names(y.flags & ~x.flags), areas.flag_names(x.flags & ~y.flags)
    words += ["+" + name for name in plus] + ["-" + name for name in minus]
    if x.anon_vma != y.anon_vma:
        words.append("got an anon_vma" if not x.anon_vma else "lost its anon_vma" if not y.anon_vma
                     else f"anon_vma {x.anon_vma:#x} -> {y.anon_vma:#x}")
    if x.name != y.name or x.file != y.file:
        words.append(f"{x.name or 'anonymous'} -> {y.name or 'anonymous'}")
    return ", ".join(words)


# --- entries at each level ------------------------------------------------------------------------

def diff_tables(a, b):
    """Lines about entries that aren't what they were, upper levels first, runs joined."""
    moved = _moved(a, b)
    lines = [f"table {where:#x} ({pte.NAMES[level]}s, {used:,} in use) moved: it was for {old:#x}-"
             f"{old + size_of(level):#x}, is for {new:#x}-{new + size_of(level):#x}"
             for level, where, old, new, used in moved]
    from_old = {(level, old) for level, _, old, _, _ in moved}
    to_new = {(level, new): old for level, _, old, new, _ in moved}
    for level in (4, 3, 2, 1):
        changes = []
        for base in sorted({base for n, base in a.tables.keys() | b.tables.keys() if n == level}):
            before = a.tables.get((level, base), (0, NOTHING))[1]
            after = b.tables.get((level, base), (0, NOTHING))[1]
            if (level, base) in to_new:
                before = a.tables[level, to_new[level, base]][1]
            elif (level, base) in from_old:
                before = NOTHING  # its entries went elsewhere, with it
            if before != after:
                changes += _entries(level, base, before, after)
        lines += _join(level, changes)
    return lines


def size_of(level):
    """What a whole table of a level covers."""
    return 512 << pte.SHIFT[level]


def _moved(a, b):
    """Tables that hang elsewhere now: (level, where it is, first address then, now, entries)."""
    found = []
    at = {(level, phys): base for (level, base), (phys, _) in b.tables.items() if level < 4}
    for (level, base), (phys, entries) in sorted(a.tables.items()):
        now = at.get((level, phys))
        if now is None or now == base or level == 4:
            continue
        if _above_moved(a, b, level, base, now):
            continue
        found.append((level, phys, base, now, 512 - entries.count(0)))
    return found


def _above_moved(a, b, level, old, new):
    """Whether the table it hangs in moved as a whole, and it with that."""
    for upper in range(level + 1, 4):
        size = size_of(upper)
        was, now = a.tables.get((upper, old & -size)), b.tables.get((upper, new & -size))
        if was and now and was[0] == now[0] and old & -size != new & -size:
            return True
    return False


def _entries(level, base, before, after):
    """(address, entry before, after) of each that differs."""
    shift = pte.SHIFT[level]
    return [(base + (i << shift), x, y) for i, (x, y) in enumerate(zip(before, after)) if x != y]


def _kind(level, x, y):
    """What makes changes alike. Frames aren't compared where they are new."""
    same = pte.frame(x, level) == pte.frame(y, level) and pte.has_frame(x) and pte.has_frame(y)
    table = pte.is_table(x, level) or pte.is_table(y, level)
    if table:
        return x, y
    return x & ~pte.PFN_MASK, y & ~pte.PFN_MASK, same


def _join(level, changes):
    lines, size = [], 1 << pte.SHIFT[level]
    runs = []
    for address, x, y in changes:
        kind = _kind(level, x, y)
        if runs and runs[-1][0] == kind and runs[-1][1][-1][0] + size == address:
            runs[-1][1].append((address, x, y))
        else:
            runs.append((kind, [(address, x, y)]))
    for _, run in runs:
        low, high, count = run[0][0], run[-1][0] + size, len(run)
        many = f" ({count:,} entries)" if count > 1 else ""
        lines.append(f"{pte.NAMES[level]} {low:#x}-{high:#x}{many}: {_words(level, run)}")
    return lines


def _words(level, run):
    _, x, y = run[0]
    if x and y and pte.has_frame(x) and pte.has_frame(y) and not pte.is_table(x, level) \
            and not pte.is_table(y, level):
        bits = _bits(x, y, level)
        if pte.frame(x, level) == pte.frame(y, level):
            return f"the same frame{'s' if len(run) > 1 else ''}: {bits}"
        return f"{_frames(level, [x for _, x, _ in run])} -> " \
            f"{_frames(level, [y for _, _, y in run])}" + (f": {bits}" if bits else "")
    return f"{_entry(level, [x for _, x, _ in run])} -> {_entry(level, [y for _, _, y in run])}"


def _bits(x, y, level):
    old, new = pte.bits(x, level).split(), pte.bits(y, level).split()
    if pte.is_protnone(x) != pte.is_protnone(y):
        return f"{' '.join(old)} -> {' '.join(new)}"
    return " ".join(["+" + word for word in new if word not in old]
                    + ["-" + word for word in old if word not in new])


def _entry(level, entries):
    first = entries[0]
    if not first:
        return "none"
    if pte.is_table(first, level):
        return f"table {first & pte.PFN_MASK:#x}"
    if not pte.has_frame(first):
        return pte.bits(first, level)
    return f"{_frames(level, entries)}, {pte.bits(first, level)}"


def _frames(level, entries):
    frames = [pte.frame(e, level) >> pte.PAGE_SHIFT for e in entries]
    step = 1 << pte.SHIFT[level] - pte.PAGE_SHIFT
    pieces = 1 + sum(y != x + step for x, y in zip(frames, frames[1:]))
    if len(frames) == 1:
        return f"frame {frames[0]:#x}"
    if len(set(frames)) == 1:
        return f"frame {frames[0]:#x} each"
    if pieces == 1:
        return f"frames {frames[0]:#x}-{frames[-1]:#x}"
    return f"frames {frames[0]:#x}... in {pieces:,} pieces"


# --- frames ---------------------------------------------------------------------------------------

def diff_frames(a, b):
    """Lines about frames that either maps and whose state changed."""
    changes = []
    for pfn in sorted(a.mapped | b.mapped):
        x, y = a.frames.get(pfn), b.frames.get(pfn)
        here = (pfn in a.mapped, pfn in b.mapped)
        if here[0] and here[1] and x == y:
            continue
        changes.append((pfn, (here, x, y)))
    lines = []
    for _, group in itertools.groupby(enumerate(changes), lambda item: (
            item[1][0] - item[0], item[1][1])):
        run = [change for _, change in group]
        low, high, (here, x, y) = run[0][0], run[-1][0], run[0][1]
        what = f"frames {low:#x}-{high:#x} ({len(run):,})" if len(run) > 1 else f"frame {low:#x}"
        lines.append(f"{what}: {_frame_words(here, x, y)}")
    return lines


def _frame_words(here, x, y):
    if here == (True, True):
        return _state_change(x, y) if x and y else "has a struct page in one of them only"
    if here[1]:
        return "mapped now; " + (_state(y) if y else "no struct page")
    state = _state(y) if y else f"it was {_state(x)}" if x else "no struct page"
    return "no longer mapped; " + state


def _state(state):
    flags, counts = state
    names = " ".join(sorted(snapshot.frame_flags(flags))) or "no flags"
    refs = counts & 0xFFFFFFFF
    if "buddy" in snapshot.frame_flags(flags) or not refs:
        return f"free ({names})"
    return f"{names}; {refs} reference{'' if refs == 1 else 's'}, mapped {counts >> 32}x"


def _state_change(x, y):
    words = []
    old, new = snapshot.frame_flags(x[0]), snapshot.frame_flags(y[0])
    words += ["+" + name for name in sorted(new - old)] + ["-" + name for name in sorted(old - new)]
    for what, shift in (("references", 0), ("mapped", 32)):
        before, after = x[1] >> shift & 0xFFFFFFFF, y[1] >> shift & 0xFFFFFFFF
        if before != after:
            words.append(f"{what} {before} -> {after}")
    return ", ".join(words) or "other bits of its flags"


# --- counters -------------------------------------------------------------------------------------

def diff_counters(a, b):
    lines = []
    for name, now in b.counters.items():
        before = a.counters.get(name, 0)
        if now != before:
            words = f"{before:#x} -> {now:#x}" if name == "brk" else f"{before:,} -> {now:,}"
            lines.append(f"{name:<28} {words} ({now - before:+,})")
    return lines
