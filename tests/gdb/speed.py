# SPDX-License-Identifier: MIT
"""See speed.t."""

import re
import statistics
import sys
import time

from tap import *

# QEMU answers a read with no more than this, so a larger one is several packets.
PACKET = 2048

memory = sys.modules["tessera.memory"]


def measure(command):
    """What the command prints; how often it reads, how many bytes, and how many seconds it takes, with
    nothing known from before."""
    memory.forget()
    memory.counters.reset()
    start = time.monotonic()
    text = run(command)
    return text, memory.counters.reads, memory.counters.bytes, time.monotonic() - start


def modest(command, reads, size, seconds, repeat=1):
    """A point: the command reads at most so often and so many bytes. Returns what it prints."""
    results = [measure(command) for _ in range(repeat)]
    text, got_reads, got_size, _ = results[0]
    took = statistics.median(r[3] for r in results)
    ok(got_reads <= reads and got_size <= size,
       f"{command}: {got_reads} reads of {got_size // 1024} KiB, at most {reads} of {size // 1024}")
    note(f"{command}: {took * 1000:.0f} ms (the aim, on a machine with nothing else to do: {seconds * 1000:.0f}); "
         f"{got_size // PACKET + got_reads} packets or so")
    return text


ready()
run("proc 1")
modest("walk 0x10000000", 40, 40 * 4096, 0.1, 9)
modest("walk 0x7fffff000000", 40, 40 * 4096, 0.1, 9)
modest("walk $rip", 40, 40 * 4096, 0.1, 9)
for words in ("0x10000000 w", "0x10003000 w", "0x10404000", "0x109ff000 w"):
    modest(f"why {words}", 60, 120 * 4096, 0.1, 9)

# 1 GiB that reads as zeros: 2^18 entries, in 512 tables, 2 MiB of these.
is_(ask("mmap 80000000 40000000 1 4022"), "0x80000000", "1 GiB is mapped")
is_(ask("madvise 80000000 40000000 16"), "0x0", "and all of it present")
text = modest("ptdump", 100, 3 << 20, 1)
like(text, r"^0000000080000000-00000000c0000000 +1 GiB +262,144 x 4K ", "ptdump tells of it in a line")
text = modest("ptdump user", 100, 3 << 20, 1)

is_(ask("munmap 80000000 40000000"), "0x0", "it is unmapped")
is_(ask("many 2710"), "0x2710", "10,000 areas are mapped")
text = modest("areas", 300, 4 << 20, 3)
is_(len(re.findall(r"^\s*0*2[0-9a-f]{8}\b", text, re.M)), 10000, "areas lists them")
modest("area 0x200000000", 60, 120 * 4096, 0.1, 9)
