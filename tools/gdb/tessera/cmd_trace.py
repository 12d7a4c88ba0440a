# SPDX-License-Identifier: MIT
"""trace: the last events that the kernel noted."""
from tessera import kernel, trace
from tessera.command import Command, number

SHOWN = 40
HEADING = "#          time cpu thread event"  # as in /proc/trace


class TraceCommand(Command):
    """Show the last events of the kernel's trace, of all processors by time.

Usage: trace [N|all]
In the words of /proc/trace: faults, areas, entries, flushes, pages, switches, calls, whichever kinds are
switched on. Without N the last 40.
gdb's own command trace, which sets tracepoints, gives way to it: QEMU's stub knows none."""

    name = "trace"

    def run(self, argv):
        if len(argv) > 1:
            raise self.usage()
        limit = SHOWN if not argv else None if argv[0] == "all" else number(argv[0], "number of events")
        if limit == 0:
            return
        rings = trace.rings()
        found = trace.events(limit)
        if not found:
            mask = kernel.variable("trace_mask")
            print("Nothing was noted: " + ("no kind of event is switched on." if not mask else
                                           "no event of a kind that is switched on has happened.")
                  if rings else "Nothing was noted: no kind of event was ever switched on.")
            return
        text = trace.table()
        print(HEADING)
        for tsc, cpu, who, args in found:
            print(text.line(cpu, who & trace.TID_MASK, who >> trace.KIND_SHIFT, tsc, args))

    def completions(self, before, word):
        return ["all"] if not before else []


TraceCommand()
