# SPDX-License-Identifier: MIT
"""snap, ptdiff: what a system call, or a fault, changed."""
import textwrap

import gdb

from tessera import process, snapdiff, snapshot
from tessera.command import Command, size_words

WIDTH = 96
LINES = 40  # of a section, unless all are asked for

snaps = {}  # name: Snapshot


def forget(_event=None):
    """The guest has ended: what was noted is about nothing."""
    snaps.clear()


gdb.events.exited.connect(forget)


class SnapCommand(Command):
    """Note the state of the process, for `ptdiff` to compare with; or list what has been noted.

Usage: snap [NAME | -d NAME]
Noted are its areas, all entries of its page tables (the user half), the states of the frames that
it maps, its counters and the system's. A name that was used is used anew; -d forgets one. Without
an argument: all snapshots. They stay until the guest ends."""

    name = "snap"

    def run(self, argv):
        if not argv:
            self.list()
        elif len(argv) == 2 and argv[0] == "-d":
            if snaps.pop(argv[1], None) is None:
                raise no_such(argv[1])
        elif len(argv) == 1 and not argv[0].startswith("-"):
            process.current_mm()
            snap = snaps[argv[0]] = snapshot.Snapshot(argv[0], process.current())
            print(f"{argv[0]}: {describe(snap)}{left_out(snap)}")
        else:
            raise self.usage()

    @staticmethod
    def list():
        if not snaps:
            print("There are no snapshots: `snap NAME` makes one.")
        for name, snap in snaps.items():
            print(f"{name:<12} {describe(snap)}; {size_words(snap.size())} of gdb's memory")

    def completions(self, before, word):
        return ["-d"] + list(snaps) if not before else list(snaps) if before == ["-d"] else []


def no_such(name):
    known = ", ".join(snaps) or "none"
    return gdb.GdbError(f"There is no snapshot `{name}`; there are: {known}.")


def describe(snap):
    return f"{snap.whose()}, {len(snap.areas):,} areas, {len(snap.tables):,} tables, " \
        f"{len(snap.mapped) + snap.left_out:,} frames"


def left_out(snap):
    return f"\nThe states of {snap.left_out:,} of them are not kept." if snap.left_out else ""


class PtdiffCommand(Command):
    """Tell what changed between two snapshots, or between one and now.

Usage: ptdiff A [B] [-all]
Areas: + new, - gone, ~ changed, > moved. Page tables: entries of each level that aren't what they
were, side by side joined; a table that was hung elsewhere as a whole is said to be moved. Frames:
those that came or went, and of the others, what changed of flags, references and mappings.
Counters: the process's; then the whole system's. Without B it is compared with now. Each part ends
after 40 lines, unless -all."""

    name = "ptdiff"

    def run(self, argv):
        everything = "-all" in argv
        names = [word for word in argv if word != "-all"]
        if not 1 <= len(names) <= 2 or any(name.startswith("-") for name in names):
            raise self.usage()
        for name in names:
            if name not in snaps:
                raise no_such(name)
        a = snaps[names[0]]
        b = snaps[names[1]] if len(names) == 2 else now(a)
        if (a.pid, a.task) != (b.pid, b.task):
            raise gdb.GdbError(f"`{a.name}` is of {a.whose()}, `{b.name}` of {b.whose()}: only one "
                               "process can be compared with itself.")
        print(f"{a.whose()}, from `{a.name}` to {f'`{b.name}`' if len(names) == 2 else 'now'}:")
        if a.mm != b.mm:
            print("It has got another address space meanwhile (execve).")
        print("\n".join(report(a, b, everything)))

    def completions(self, before, word):
        names = [word for word in before if word != "-all"]
        return (list(snaps) if len(names) < 2 else []) + (["-all"] if "-all" not in before else [])


def now(a):
    """The process as it is."""
    task = process.find(a.pid)
    if task is None or task._address != a.task or process.mm_of(task) is None:
        raise gdb.GdbError(f"{a.whose()} is there no longer: there is nothing to compare "
                           f"`{a.name}` with.")
    return snapshot.Snapshot("now", task, a.mapped)


def report(a, b, everything):
    lines = []
    for title, found in (("Areas", snapdiff.diff_areas(a, b)),
                         ("Page tables", snapdiff.diff_tables(a, b)),
                         ("Frames", snapdiff.diff_frames(a, b)),
                         ("Counters", snapdiff.diff_counters(a, b))):
        if not found:
            continue
        lines.append(title)
        shown = found if everything else found[:LINES]
        for line in shown:
            lines += textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="      ",
                                   break_on_hyphens=False)
        if len(found) > len(shown):
            lines.append(f"  ... and {len(found) - len(shown):,} lines more: -all shows them")
    if a.left_out or b.left_out:
        lines.append(f"Of frames only the first {snapshot.FRAMES_MAX:,} were compared.")
    return lines or ["Nothing has changed."]


SnapCommand()
PtdiffCommand()
