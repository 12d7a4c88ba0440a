# SPDX-License-Identifier: MIT
"""What all commands have in common."""
import textwrap

import gdb

from tessera import memory, process

commands = []  # all that are registered: (name, its first line of help)

# What completes an address: what people ask about.
ADDRESS_WORDS = ["$rip", "$rsp", "$cr2", "$rax", "$rdi", "$rsi"]


class Command(gdb.Command):
    """A command. The subclass's docstring is its help, the first line what `tessera` shows.

    run(argv) does it: argv are the words, an address being one word or "quoted". completions(before,
    word) lists what the word may become, given the words before it.
    """

    name = None

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_USER)
        commands.append((self.name, self.__doc__.strip().split("\n")[0]))

    def run(self, argv):
        raise NotImplementedError

    def completions(self, before, word):
        return []

    def invoke(self, argument, _from_tty):
        self.dont_repeat()
        with memory.session():
            try:
                self.run(gdb.string_to_argv(argument))
            except memory.Unreadable as error:
                raise gdb.GdbError(f"{self.name}: {error}: damaged, or not set up yet?") from None
            except gdb.error as error:
                raise gdb.GdbError(f"{self.name}: {error}") from None
            except gdb.GdbError:
                raise
            except Exception as error:
                raise gdb.GdbError(f"{self.name}: {senseless(error)}") from None

    def complete(self, text, word):
        words = text.split()
        if word is not None and words and not text.endswith(" "):
            words.pop()
        try:
            with memory.session():
                found = self.completions(words, word or "")
        except Exception:  # there is nothing to complete with, whatever is wrong
            return []
        # gdb wants the rest of what it takes for a word, which begins after a $ or -.
        typed = "" if text.endswith(" ") or not text else text.split()[-1]
        cut = len(typed) - len(word or "")
        return [f[cut:] for f in found if f.startswith(typed)]

    def usage(self):
        """What to raise at wrong arguments: the line of help that shows how it is called."""
        lines = [line.strip() for line in self.__doc__.strip().split("\n")]
        use = next((line for line in lines if line.startswith("Usage:")), f"Usage: {self.name}")
        return gdb.GdbError(use)


def senseless(error):
    """What is said when what was read is nothing that a command can handle."""
    return f"what is there makes no sense ({type(error).__name__}: {error}): damaged?"


def plain(value):
    """A value as a number: of a structure around one number, that number. Or gdb.error."""
    while value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        value = value[value.type.strip_typedefs().fields()[0]]
    if value.type.strip_typedefs().code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_FUNC):
        if value.address is None:
            raise gdb.error("it is nowhere in memory")
        value = value.address
    return int(value) & (1 << 64) - 1


def number(text, what="number"):
    """What an expression of the user's comes to, as an unsigned 64-bit number."""
    try:
        with memory.virtually():
            value = gdb.parse_and_eval(text)
            if value.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_ARRAY,
                                                    gdb.TYPE_CODE_FUNC) \
                    and value.address is not None:
                value = value.address
            return plain(value)
    except (gdb.error, TypeError, ValueError, OverflowError) as error:
        raise gdb.GdbError(f"`{text}` is no {what}: {error}") from None


def address(text):
    """An address the user gives: a number, register, symbol or any expression of C's."""
    return number(text, "address")


def address_range(text):
    """A RANGE: START-END (END not in it), START+LENGTH, or an address for its page."""
    spans = list(_splits(text, "-"))
    good = [(low, high) for low, high in spans if low < high] \
        or [(low, low + length) for low, length in _splits(text, "+")]
    if len(good) > 1:
        raise gdb.GdbError(f"`{text}` can be read in {len(good)} ways: put what belongs together in "
                           "parentheses.")
    if good:
        return good[0]
    if spans:
        low, high = spans[0]
        raise gdb.GdbError(f"`{text}` is an empty range." if low == high else
                           f"`{text}` is a range that ends, at {high:#x}, before it begins, at "
                           f"{low:#x}: a difference is to be in parentheses.")
    page = address(text) & ~(memory.PAGE_SIZE - 1)
    return page, page + memory.PAGE_SIZE


def _splits(text, sign):
    """What is before and after each of the signs, where both are numbers."""
    for at, char in enumerate(text):
        before, after = text[:at].strip(), text[at + 1:].strip()
        if char != sign or not before or not after or after[0] == ">" or before[-1] in "-+(":
            continue
        try:
            yield number(before), number(after)
        except gdb.GdbError:
            continue


def pids():
    """For completion."""
    return [str(task.pid) for task in process.tasks()] if process.is_up() else []


WIDTH = 96  # of what is printed


def say(sentence, indent=""):
    """Prints a sentence, in lines that fit."""
    print(textwrap.fill(sentence, WIDTH, subsequent_indent=indent, break_long_words=False,
                        break_on_hyphens=False))


def plural(count, thing):
    """1 page, 2 pages."""
    return f"{count} {thing}" + ("" if count == 1 else "s")


def size_words(count):
    """Bytes, in a unit people read."""
    for unit, shift in (("EiB", 60), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)):
        size = 1 << shift
        if count >= size:
            return f"{count // size} {unit}" if count % size == 0 else f"{count / size:.1f} {unit}"
    return f"{count} bytes"
