# SPDX-License-Identifier: MIT
"""The kernel's trace (kernel/base/trace.h): the rings of all processors, as they are in memory."""
import os
import sys

import gdb

from tessera import kernel, memory

TID_MASK = 0xFFFFFF
KIND_SHIFT = 24
SEQ_MASK = 0xFFFFFFFF

_tools = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "trace")


class Ring:
    """One processor's ring."""

    def __init__(self, cpu, object_):
        self.cpu = cpu
        self.events = object_.events
        self.size = object_.size
        self.head = object_.head
        self.first = object_.first

    @property
    def oldest(self):
        """The number of the oldest event that is still there."""
        return max(self.first, self.head - self.size)

    def read(self, start):
        """[(number, tsc, who, args)] of the events from number `start` on; not those half written."""
        layout = kernel.struct_layout("trace_event")
        found = []
        for low, high in self.stretches(start):
            self.prefetch(low, high)
            data = kernel.read(self.address(low), (high - low) * layout.size)
            for i in range(high - low):
                event = kernel.Object(self.address(low + i), layout,
                                      data[i * layout.size:(i + 1) * layout.size])
                if event.seq == (low + i + 1) & SEQ_MASK:
                    found.append((low + i, event.tsc, event.who, list(event.arg)))
        return found

    def address(self, number):
        return self.events + number % self.size * kernel.struct_layout("trace_event").size

    def stretches(self, start):
        """The events from `start` on as stretches that lie together in memory."""
        while start < self.head:
            end = min(self.head, start - start % self.size + self.size)
            yield start, end
            start = end

    def prefetch(self, low, high):
        first, last = self.address(low), self.address(high - 1)
        memory.prefetch(kernel.translate(page) >> memory.PAGE_SHIFT
                        for page in range(first & ~(memory.PAGE_SIZE - 1), last + 1, memory.PAGE_SIZE))


def rings():
    """Those of all processors that have one."""
    if not kernel.has_symbol("trace_rings"):
        raise gdb.GdbError("This kernel has no trace.")
    return [Ring(cpu, ring) for cpu, ring in enumerate(kernel.variable("trace_rings"))
            if ring.events and ring.size]


def table():
    """What makes lines of events: the table that the host's decoder uses, filled from the kernel's."""
    if _tools not in sys.path:
        sys.path.insert(0, _tools)
    import tracetext
    text = tracetext.Table(kernel.variable("trace_khz"))
    for t in kernel.variable("trace_types"):
        names = [kernel.string(kernel.u64(t.names + 8 * i)) if kernel.u64(t.names + 8 * i) else None
                 for i in range(t.nr)] if t.names else []
        text.add_type(kernel.string(t.name), tracetext.Table.STYLES[t.style], names)
    for number, kind in enumerate(kernel.variable("trace_kinds")):
        if kind.name:
            text.add_kind(number, kernel.string(kind.name), kernel.string(kind.fields))
    return text


def events(limit=None):
    """The last `limit` events of all processors, by time: [(tsc, cpu, who, args)]. Where older ones of a
    processor were overwritten, or one is half written, an event of kind 0 says how many are lost."""
    found = []
    for ring in rings():
        start = ring.oldest if limit is None else max(ring.oldest, ring.head - limit)
        expected = ring.first if start == ring.oldest else start
        for number, tsc, who, args in ring.read(start):
            if number > expected:
                found.append((tsc, ring.cpu, 0, [number - expected] + [0] * (len(args) - 1)))
            found.append((tsc, ring.cpu, who, args))
            expected = number + 1
    found.sort(key=lambda event: event[:2])
    return found if limit is None else found[-limit:]
