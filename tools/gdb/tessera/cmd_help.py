# SPDX-License-Identifier: MIT
"""tessera: what there is."""
from tessera import cmd_functions, command
from tessera.command import Command


class TesseraCommand(Command):
    """List the commands that explain this kernel.

Usage: tessera
`help NAME` tells more of each. Where a command takes an address, any expression will do; one with
blanks in it goes in quotes."""

    name = "tessera"

    def run(self, argv):
        if argv:
            raise self.usage()
        for name, line in sorted(command.commands):
            print(f"{name:<12} {line}")
        print("In expressions, such as print $pte(0x400000); `help function NAME` tells more:")
        for call, line in sorted(cmd_functions.functions):
            print(f"{call:<22} {line}")


TesseraCommand()
