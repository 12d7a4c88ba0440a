# SPDX-License-Identifier: MIT
"""ps, proc: who is there, and of whom the other commands speak."""
import gdb

from tessera import command, kernel, process
from tessera.command import Command


def where(task, on_cpu):
    return f"CPU {on_cpu[task._address]}" if task._address in on_cpu else ""


def rss(mm):
    return sum(mm.rss_stat)


class PsCommand(Command):
    """List processes and their threads.

Usage: ps
PID, TID, state as in ps(1), where it runs, the physical address of its top-level table, areas, pages that
are present, name. The one that commands speak of is marked by *."""

    name = "ps"

    def run(self, argv):
        if argv:
            raise self.usage()
        if not process.is_up():
            raise gdb.GdbError("The kernel has no processes yet.")
        on_cpu = {kernel.per_cpu("current_se", cpu): cpu for cpu in process.online_cpus()}
        chosen, gone = None, None
        try:
            chosen = process.current()
        except gdb.GdbError as error:
            gone = error
        print("    PID   TID S ON    CR3          AREAS  PAGES  NAME")
        for task in process.tasks():
            mm = process.mm_of(task)
            if mm is None:
                space = f"{'-':<12} {'-':>5} {'-':>6}"
            else:
                space = f"{process.root_of(mm):<#12x} {mm.map_count:>5} {rss(mm):>6}"
            mark = "*" if chosen is not None and task == chosen else " "
            print(f"{mark} {task.tgid:>5} {task.pid:>5} {process.state(task)} "
                  f"{where(task, on_cpu):<5} {space}  {task.comm}")
        if gone:
            print(gone)


class ProcCommand(Command):
    """Choose the process that commands speak of, or say which it is.

Usage: proc [PID|-]
PID may be a thread's. Nothing in the guest changes, CR3 neither: commands read that process's tables as
they are in memory. `proc -` goes back to whatever the selected CPU runs."""

    name = "proc"

    def run(self, argv):
        if len(argv) > 1:
            raise self.usage()
        if argv and argv[0] == "-":
            process.choose(None)
        elif argv:
            tid = command.number(argv[0], "process id")
            if not process.is_up():
                raise gdb.GdbError("The kernel has no processes yet.")
            task = process.find(tid)
            if task is None:
                raise gdb.GdbError(f"There is no process {tid}: `ps` lists them.")
            process.choose(task)
        self.say()

    def say(self):
        root, whose = process.current_root()
        how = "chosen" if process.chosen is not None else "as it runs"
        print(f"Commands speak of {whose} ({how}): top-level table at {root:#x}")

    def completions(self, before, word):
        return ["-"] + command.pids() if not before else []


PsCommand()
ProcCommand()
