# SPDX-License-Identifier: MIT
"""The tools of tap.py themselves; see harness.t."""

from tap import *

# Stopped at reset, gdb has one thread per processor.
is_(run("info threads").count("CPU#"), 2, "each processor is a thread")

run("tbreak boot_main")
like(go(), r"boot_main", "the guest runs until a breakpoint")
ready()
like(console(), r"^ready$", "the guest runs until its console prints what is waited for")

is_(ask("r 10000000"), "ok 0x41", "the playground answers")
is_(ask("r 0"), "signal 11 code 1 addr 0x0", "and reports a signal")
is_(ask("fork"), "child 1 pid 2", "it makes a child")
is_(ask("1: r 10001000"), "ok 0x42", "which answers as well")

run("break sys_getppid")
send("1: here\n")
like(go(), r"Breakpoint .*sys_getppid", "a breakpoint in the kernel")
cpu = int(run("info threads").split("* ")[1].split()[0]) - 1
monitor(f"cpu {cpu}")
like(monitor("gva2gpa 0x10000000"), r"^gpa: 0x[0-9a-f]+$", "the monitor knows this process's page")
like(monitor("info tlb"), r"^0000000010000000: ", "and all its mappings")
run("delete")
until(READY)
is_(error("print no_such_variable"), 'No symbol "no_such_variable" in current context.', "what a command complains of")

send("quit\n")
like(go(), r"the guest has ended", "the guest powers off")
