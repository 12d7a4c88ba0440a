# SPDX-License-Identifier: MIT
"""Replays one session of docs/gdb.md; see transcripts.t.

In a transcript a line "(gdb) COMMAND" is typed at gdb's prompt, a line "[console] TEXT" at the guest's
console while the command before it runs. All other lines are what gdb prints, and compared:

- A line "..." stands for any lines, also for none.
- Line numbers of sources don't count, nor does which of its faults a process is at.
- Where things are in memory changes with every change of the kernel. So numbers in hexadecimal may be
  others than those shown, but each always by the same: the number that stands for one frame, one table,
  one structure stands for it in the whole session and for nothing else, and the last three digits of a
  long number, an offset or an entry's bits, are as shown. Addresses of areas are as shown; where code is
  in the program is the compiler's choice.
- So are counts from 100 on, of pages and of faults: they may be others, too, but each always the same.
- Where a command counts all that there is - buddy, pcp, slabs, and audit when everything agrees - decimal
  numbers don't count at all.
"""

import os
import re

from tap import *

DOCUMENT = "docs/gdb.md"
NUMBER = re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b")
COUNT = re.compile(r"(?<![\w\[(+x,-])\d{3,}(?![\w\])-])")
# The areas of /bin/playground. Other addresses of the program's are above all memory of the guest.
AREAS = ((0x10000000, 0x10B00000),)
PROGRAM = (0x400000, 0x500000)
MEMORY_END = 512 << 20
TASK_SIZE = 1 << 47


class Difference(Exception):
    """What is printed is not what is shown."""


class Block:
    """One transcript: the lines of the document from start to end, and its commands."""

    def __init__(self, start, lines):
        self.start, self.end = start, start + len(lines)
        self.commands = []  # (command, what is typed at the console, what is shown)
        for line in lines:
            line = line[4:].rstrip()
            if line.startswith("(gdb) "):
                self.commands.append((line[6:], [], []))
            elif line.startswith("[console] "):
                self.commands[-1][1].append(line[10:])
            else:
                self.commands[-1][2].append(line)


def blocks(lines, session):
    """The transcripts of the session of that number, from 1."""
    found, seen, i = [], 0, 0
    while i < len(lines):
        seen += lines[i].startswith("<!-- session:")
        if seen == session and lines[i].startswith("    (gdb) "):
            end = i
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            while not lines[end - 1].strip():
                end -= 1
            found.append(Block(i, lines[i:end]))
            i = end
        i += 1
    return found


class Names:
    """Which number in the output stands for which in the document."""

    def __init__(self):
        self.forth, self.back = {}, {}

    def bind(self, shown, printed):
        if self.forth.setdefault(shown, printed) != printed or self.back.setdefault(printed, shown) != shown:
            raise Difference(f"{shown} stands for {self.forth[shown]} and {printed} at a time")

    def number(self, shown, printed):
        """One number. Entries of tables are taken apart: bits, and what they lead to."""
        fixed = any(low <= shown < high for low, high in AREAS) or MEMORY_END <= shown < TASK_SIZE
        if PROGRAM[0] <= shown < PROGRAM[1]:
            self.bind(shown, printed)
            return
        if fixed or shown < 0x100:
            if printed != shown:
                raise Difference(f"{printed:#x} instead of {shown:#x}")
            return
        if shown >= 1 << 20 and (shown ^ printed) & 0xFFF and shown < 0xFFFF << 48:
            raise Difference(f"{printed:#x} instead of {shown:#x}: the last digits")
        if 1 << 20 <= shown < 0xFFFF << 48:
            # An entry, a physical address: the frame's number is what is bound.
            if shown >> 52 != printed >> 52:
                raise Difference(f"{printed:#x} instead of {shown:#x}: the upper bits")
            shown, printed = shown >> 12 & (1 << 40) - 1, printed >> 12 & (1 << 40) - 1
        self.bind(shown, printed)


COUNTING = re.compile(r"(buddy|pcp|slabs)\b")


def uncounted(lines, command):
    """The lines without what changes with all memory."""
    if COUNTING.match(command):
        return [re.sub(r"\|[-#+. R]+\||(?<![\w-])\d+(\.\d+)?\b", "N", l) for l in lines]
    return [re.sub(r"\b\d+\b", "N", l) if l.strip().startswith("Everything agrees:") else l for l in lines]


def words(line):
    line = re.sub(r"\b([\w/]+\.[chS]):\d+", r"\1:N", line.rstrip())
    line = re.sub(r"^\d+(?=\t| {6})|(?<=, line )\d+(?=\.$)", "N", line)
    return re.sub(r"(?<='s fault )\d+", "N", line).expandtabs()


def compare_line(shown, printed, names):
    shown, printed = words(shown), words(printed)
    if COUNT.sub("", NUMBER.sub("", shown)).split() != COUNT.sub("", NUMBER.sub("", printed)).split():
        raise Difference(f"shown:   {shown}\nprinted: {printed}")
    for a, b in zip(NUMBER.findall(shown), NUMBER.findall(printed)):
        names.number(int(a, 16), int(b, 16))
    for a, b in zip(COUNT.findall(shown), COUNT.findall(printed)):
        names.bind(("count", a), ("count", b))


def strip(lines):
    """Without empty lines."""
    return [l for l in lines if l.strip()]


def compare(shown, printed, names):
    """Returns what is printed, as far as it is shown."""
    shown, printed, fresh = strip(shown), strip(printed), []
    while shown:
        if shown[0].strip() == "...":
            fresh.append(shown[0])
            shown = shown[1:]
            if not shown:
                return fresh
            # The next line that is like the one shown ends what is left out.
            for i, line in enumerate(printed):
                try:
                    compare_line(shown[0], line, Names())
                except Difference:
                    continue
                printed = printed[i:]
                break
            else:
                raise Difference(f"not printed: {shown[0]}")
        if not printed:
            raise Difference(f"not printed: {shown[0]}")
        compare_line(shown[0], printed[0], names)
        fresh.append(printed[0])
        shown, printed = shown[1:], printed[1:]
    if printed:
        raise Difference(f"printed, and not shown: {printed[0]}")
    return fresh


def replay(command, typed):
    """What gdb prints for the command."""
    if typed or re.match(r"(c|continue|next-fault|step-fault|finish|n|next|s|step|until|advance)\b", command):
        text = go(command, True, typed)
    else:
        try:
            text = said(command, True)
        except gdb.error as e:
            text = str(e)
    # Lines about a stop are to fit into the document: broken where gdb does it on a narrow terminal.
    text = re.sub(r"^(?=.{97})(.*\)) (at \S+:\d+)$", r"\1\n    \2", text, flags=re.M)
    return [line.rstrip() for line in text.expandtabs().splitlines()]


def check_comparison():
    """What counts as the same: what is shown and what is printed, in one session."""
    for good, words, *pairs in (
        (True, "others, always by the same", ("page 0x1a345067", "page 0x1b345067"), ("0x1a345", "0x1b345")),
        (False, "one number by two", ("0x1a345067", "0x1b345067"), ("0x1a345067", "0x1c345067")),
        (False, "two by one", ("0x1a345067", "0x1c345067"), ("0x1b345067", "0x1c345067")),
        (False, "one by itself and another", ("0x1a345067", "0x1a345067"), ("0x1a345067", "0x1c345067")),
        (False, "two by one, itself one of them", ("0x1a345067", "0x1a345067"), ("0x1b345067", "0x1a345067")),
        (False, "a structure by itself and another", ("ffff888001234560",) * 2,
         ("ffff888001234560", "ffff888001234570")),
        (False, "other bits of an entry", ("0x1a345067", "0x1a345065")),
        (False, "an area elsewhere", ("0x10001000", "0x10002000")),
    ):
        names, same = Names(), True
        try:
            for shown, printed in pairs:
                compare_line(shown, printed, names)
        except Difference:
            same = False
        is_(same, good, f"numbers compared: {words}")


def check_table(lines):
    """The table of commands is that of those registered."""
    shown = sorted(m[1] for m in (re.match(r"\| `([a-z-]+)[^`]*` \|", l) for l in lines) if m)
    # Below the commands are the functions.
    registered = sorted(line.split()[0] for line in run("tessera").splitlines() if line[:1].islower())
    is_(shown, registered, "the table lists the commands that there are")


def main(session):
    with open(DOCUMENT, encoding="utf-8") as f:
        lines = f.read().split("\n")
    if session == 1:
        check_comparison()
        check_table(lines)
    run("tbreak *boot_main")
    go()
    names, new, bad = Names(), [], 0
    found = blocks(lines, session)
    ok(found, "the session has transcripts")
    for block in found:
        text = []
        for command, typed, shown in block.commands:
            printed = replay(command, typed)
            text += ["    (gdb) " + command] + ["    [console] " + t for t in typed]
            clean = "\n".join(printed).strip("\n").split("\n")
            try:
                fresh = compare(uncounted(shown, command), uncounted(printed, command), names)
                # All of a session or nothing: numbers of two builds can't stand beside each other.
                text += ["    " + l if l else "" for l in (fresh if "..." in map(str.strip, shown) else clean)]
                ok(True, f"({command})")
            except Difference as difference:
                bad += 1
                text += ["    " + l if l else "" for l in clean]
                if os.environ.get("TRANSCRIPTS") != "write":
                    ok(False, f"({command})")
                    diag(f"line {block.start + 1} and on: {difference}\nall that was printed:\n" + "\n".join(clean))
        new.append((block, text))
    if os.environ.get("TRANSCRIPTS") == "write":
        for block, text in reversed(new):
            lines[block.start:block.end] = text
        with open(DOCUMENT, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
        diag(f"{DOCUMENT}: {bad} answers differed")


main(int(os.environ["TRANSCRIPT_SESSION"]))
