# SPDX-License-Identifier: MIT
"""What the gdb commands are made of.

    memory.py    reads the guest's memory, physically and in blocks
    kernel.py    the kernel's symbols, structures and addresses over that
    pte.py       the format of page-table entries, in bits and in words
    paging.py    the walk that the processor makes, and iterating over tables
    process.py   processors, processes, and the one that commands speak of
    faults.py    the kernel's table of reasons, and its records of faults
    predict.py   what an access would do, by the processor's rules and the fault handler's
    stops.py     breakpoints that look before they stop
    command.py   what all commands have in common
    commands.py  brings in the commands themselves: cmd_*.py, a family each

Commands only read memory and registers. They call nothing in the kernel and ask nothing of QEMU's
monitor, so they work in a kernel that has panicked, too.
"""
