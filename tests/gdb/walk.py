# SPDX-License-Identifier: MIT
"""See walk.t."""

import collections
import random
import re
import sys
import time

import stops
from tap import *

EACH = 200
KINDS = ("mapped", "beside", "user", "kernel", "kernel mapped", "large", "direct", "not canonical")
chance = random.Random(7)
sizes = collections.Counter()  # of the pages that were found


def pick(kind, view):
    """A random address of that kind."""
    user = [a for a in view.entries if a < 1 << 47]
    kernel = [a for a in view.entries if a >= 1 << 47]
    if kind == "mapped":
        return chance.choice(user) + chance.randrange(4096)
    if kind == "beside":
        return max(0, chance.choice(user) + chance.choice((-4096, 4096, -1 << 21, 1 << 21, 1 << 30)))
    if kind == "user":
        return chance.randrange(1 << 47)
    if kind == "kernel":
        return chance.choice((0xFFFF888000000000, 0xFFFFC90000000000, 0xFFFFEA0000000000,
                              0xFFFFFFFF80000000, 0xFFFF800000000000)) + chance.randrange(1 << 31)
    if kind == "kernel mapped":
        return chance.choice(kernel) + chance.randrange(4096)
    if kind == "large":
        return chance.choice(sorted(view.large)) + chance.randrange(1 << 21)
    if kind == "direct":
        return 0xFFFF888000000000 + chance.randrange(512 << 20)
    return chance.randrange(1 << 47, 0xFFFF800000000000)


def by_walk(address):
    """The physical address that `walk` comes to, or None."""
    text = run(f"walk {address:#x}")
    match = re.search(r"^=> physical (0x[0-9a-f]+): page of (\d+ \S+) at (0x[0-9a-f]+), offset (\d+|0x[0-9a-f]+);",
                      text, re.M)
    if not match:
        if re.search(r"^=> (?:no .* here|no page here|not present): ?|^Not canonical", text, re.M):
            return None
        return f"neither a page nor none:\n{text}"
    physical, size = int(match[1], 16), stops.SIZE[match[2]]
    sizes[match[2]] += 1
    if physical & -size != int(match[3], 16) or physical & size - 1 != int(match[4], 0):
        return f"of two minds:\n{text}"
    return physical


def by_monitor(address):
    text = monitor(f"gva2gpa {address:#x}").strip()
    if text == "Unmapped":
        return None
    return int(re.fullmatch(r"gpa: (0x[0-9a-f]+)", text)[1], 16)


ready()
pids = stops.make()
is_(len(set(pids)), 5, "five processes")
views, tried, counts = {}, {}, {kind: [0, 0] for kind in KINDS}
seconds, reads = 0, 0
memory = sys.modules["tessera.memory"]
for child, pid in enumerate(pids):
    stops.visit(child)
    views[child] = view = stops.View()
    addresses = [(kind, pick(kind, view)) for kind in KINDS for _ in range(EACH // len(KINDS) + 1)][:EACH]
    tried[child] = addresses
    wrong = []
    for kind, address in addresses:
        want = by_monitor(address)
        memory.counters.reset()
        start = time.monotonic()
        got = by_walk(address)
        seconds, reads = max(seconds, time.monotonic() - start), max(reads, memory.counters.reads)
        counts[kind][want is not None] += 1
        if got != want or got != view.find(address):
            wrong.append(f"{kind} {address:#x}: walk {got}, gva2gpa {want}, info tlb {view.find(address)}")
    is_(wrong, [], f"walk in process {pid} is of QEMU's opinion about {len(addresses)} addresses")
    stops.leave()

note("found and not found, by kind: " + ", ".join(f"{k} {v[1]}/{v[0]}" for k, v in counts.items()))
ok(all(counts[kind][1] for kind in ("mapped", "kernel mapped", "large", "direct")), "some of these were mapped")
ok(all(counts[kind][0] for kind in ("beside", "user", "kernel", "not canonical")), "and some of those not")

note("pages found: " + ", ".join(f"{n} of {size}" for size, n in sizes.items()))
ok(sizes["4 KiB"] and sizes["2 MiB"], "pages of both sizes were among them")

# From the outside: no process runs, or another.
for child, pid in enumerate(pids):
    like(run(f"proc {pid}"), rf"playground\[{pid}\] \(chosen\)", f"process {pid} is chosen")
    wrong = [f"{address:#x}" for _, address in tried[child] if by_walk(address) != views[child].find(address)]
    is_(wrong, [], "and walk says the same")
run("proc -")

# Four tables, the struct page, and what tells whose tables these are.
ok(reads <= 30, f"no walk reads memory more often than 30 times ({reads})")
note(f"the slowest walk took {seconds * 1000:.1f} ms")
