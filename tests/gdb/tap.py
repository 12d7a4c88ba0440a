# SPDX-License-Identifier: MIT
"""What a test that runs inside gdb has at hand: `from tap import *`.

tests/gdb/Gdb.pm starts gdb and has main() run the test's own script and end gdb. When the
script begins, the commands are loaded and gdb is connected to a guest that has not run an
instruction yet.

Points:         ok, is_, like, unlike, skip, diag, note; the plan prints itself at the end
gdb:            run(command) gives its output, error(command) what it complains of
the guest:      until(pattern) lets it run until its console prints that, go() until a breakpoint;
                send(text) types, ask(line) has /bin/playground do something, console() is all that
                was printed
QEMU:           monitor(command), to compare with; only here, never in the commands themselves
"""

import contextlib
import os
import re
import signal
import socket
import threading
import time
import traceback

import gdb

# How long the guest may run between two stops. It stands for "never", so it is generous.
LIMIT = 60


class Stuck(Exception):
    """The guest didn't do in time what was waited for."""


# --- points ---------------------------------------------------------------------------------------

_out = None
_count = 0
_failed = 0


def _line(text):
    # Descriptor 3 is Gdb.pm's.
    global _out
    if _out is None:
        _out = os.fdopen(3, "w", encoding="utf-8", errors="backslashreplace")
    _out.write(text + "\n")
    _out.flush()


def ok(good, name):
    """A point. Returns whether it is good."""
    global _count, _failed
    _count += 1
    _failed += not good
    _line(f"{'' if good else 'not '}ok {_count} - {name.replace('#', '').strip()}")
    return bool(good)


def is_(got, want, name):
    """A point: got is what is wanted. Shows both when not."""
    good = ok(got == want, name)
    if not good:
        diag(f"got:    {got!r}\nwanted: {want!r}")
    return good


def like(text, pattern, name):
    """A point: the pattern (multi-line mode) is found in the text."""
    good = ok(isinstance(text, str) and re.search(pattern, text, re.M), name)
    if not good:
        diag(f"got:\n{text}\nwanted: {pattern}")
    return good


def unlike(text, pattern, name):
    """A point: the pattern (multi-line mode) isn't found in the text."""
    good = ok(isinstance(text, str) and not re.search(pattern, text, re.M), name)
    if not good:
        diag(f"got:\n{text}\nnot wanted: {pattern}")
    return good


def skip(name, reason):
    """A point that can't be tried here, and why."""
    global _count
    _count += 1
    _line(f"ok {_count} - {name.replace('#', '').strip()} # SKIP {reason}")


def diag(text):
    """Shown with a failure."""
    for line in str(text).splitlines():
        _line("# " + line)


def note(text):
    """Shown by prove -v only."""
    for line in str(text).splitlines():
        _line("## " + line)


# --- gdb ------------------------------------------------------------------------------------------

def run(command):
    """What the command prints. Fails as the command fails."""
    return gdb.execute(command, False, True)


def cost(command):
    """Like run(), from a cold cache; notes what it took. memory.counters hold it afterwards."""
    from tessera import memory
    memory.forget()
    memory.counters.reset()
    start = time.monotonic()
    text = run(command)
    note(f"{command}: {time.monotonic() - start:.2f} s, {memory.counters.reads} reads, "
         f"{memory.counters.bytes} bytes")
    return text


def error(command):
    """The message that the command fails with; None if it doesn't fail."""
    try:
        gdb.execute(command, False, True)
    except gdb.error as e:
        return str(e)
    return None


def said(command, by_hand=False):
    """All that gdb says while the command runs, its words about a stop and what is printed from a
    breakpoint included, which run() doesn't give. "the guest has ended" when it has.
    By hand, gdb also says what it says to somebody who types."""
    out = _dir + "/gdb.out"
    gdb.flush()
    start = os.path.getsize(out)
    gone = ""
    try:
        gdb.execute(command, by_hand)
    except gdb.error as e:
        if not re.search(r"connection closed|disconnected", str(e)):
            raise
        gone = f"the guest has ended: {e}\n"
    gdb.flush()
    with open(out, encoding="utf-8", errors="replace") as f:
        f.seek(start)
        text = f.read()
    if "[Inferior 1 (process 1) exited" in text:
        gone = "the guest has ended\n"
    return text + gone


def value(expression):
    """The expression's value, as a Python number."""
    return int(gdb.parse_and_eval(expression))


# --- the guest's console --------------------------------------------------------------------------

_dir = os.environ["TESSERA_TEST_DIR"]


@contextlib.contextmanager
def _no_signals():
    """Threads started inside leave all signals to gdb."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


class _Console:
    def __init__(self):
        self.text = ""
        self.seen = 0
        self.more = threading.Condition()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(_dir + "/console")
        with _no_signals():
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self.more:
                self.text += data.decode("utf-8", "replace").replace("\r", "")
                self.more.notify_all()

    def wait(self, pattern, until):
        """Waits for what wasn't waited for before. Returns the match; None when it is too late."""
        with self.more:
            while True:
                match = pattern.search(self.text, self.seen)
                left = until() - time.monotonic()
                if match or left <= 0:
                    return match
                self.more.wait(min(left, 0.2))


_console = None


def _the_console():
    global _console
    if _console is None:
        _console = _Console()
    return _console


def console():
    """All that the guest printed up to now."""
    return _the_console().text


def send(text):
    """Types at the guest's console. It is read when the guest runs."""
    _the_console().socket.sendall(text.encode())


# --- letting it run -------------------------------------------------------------------------------

def _continue(watch, command="continue", by_hand=False):
    """Continues; watch(until) runs beside it and, when it returns, stops the guest. Returns what gdb
    says at the stop, and what watch returned."""
    ended = threading.Event()
    until = time.monotonic() + LIMIT
    result = []

    def beside():
        # A limit that has become zero ends the wait.
        result.append(watch(lambda: 0 if ended.is_set() else until))
        while not ended.wait(0.05):
            # Without effect before the guest runs and after it has stopped.
            monitor("stop")

    _monitor_socket()
    with _no_signals():
        thread = threading.Thread(target=beside, daemon=True)
        thread.start()
    try:
        text = said(command, by_hand)
    finally:
        ended.set()
        thread.join()
    return text, result[0]


def until(pattern):
    """Lets the guest run until its console prints what matches, and stops it there. Returns what was
    printed up to there since the last time. A breakpoint met before is an error."""
    con = _the_console()
    compiled = re.compile(pattern, re.M)
    stop, match = _continue(lambda limit: con.wait(compiled, limit))
    if match is None:
        match = con.wait(compiled, lambda: 0)
    if match is None:
        tail = "\n".join(con.text.splitlines()[-20:])
        raise Stuck(f"the guest didn't print {pattern!r}\ngdb: {stop}\nconsole:\n{tail}")
    text = con.text[con.seen : match.end()]
    con.seen = match.end()
    return text


def go(command="continue", by_hand=False, typed=()):
    """Lets the guest run, by that command, until it stops by itself: at a breakpoint, or at its end.
    Meanwhile types these lines, each when the playground is ready for it. Returns what gdb says."""
    con = _the_console()
    ready_for_one = re.compile(READY, re.M)

    def watch(limit):
        for line in typed:
            match = con.wait(ready_for_one, limit)
            if match is None:
                return
            con.seen = match.end()
            send(line + "\n")
        while limit() > time.monotonic():
            time.sleep(0.02)

    start = time.monotonic()
    stop, _ = _continue(watch, command, by_hand)
    if time.monotonic() - start >= LIMIT:
        tail = "\n".join(con.text.splitlines()[-20:])
        raise Stuck(f"no breakpoint was met\ngdb: {stop}\nconsole:\n{tail}")
    return stop


READY = r"^ready$"


def ready():
    """Lets the guest run until /bin/playground is ready."""
    until(READY)


def ask(line):
    """Has /bin/playground do what the line says; returns what it printed."""
    send(line + "\n")
    text = until(READY)
    # The terminal shows what is typed.
    lines = text.splitlines()[:-1]
    return "\n".join(l for l in lines if l and l != line)


# --- QEMU's monitor -------------------------------------------------------------------------------

_monitor = None
_monitor_lock = threading.Lock()


def _monitor_answer():
    answer = ""
    while not answer.endswith("(qemu) "):
        data = _monitor.recv(65536)
        if not data:
            raise Stuck("QEMU's monitor is gone")
        answer += re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]", "", data.decode("utf-8", "replace")).replace("\r", "")
    return answer[: -len("(qemu) ")]


def _monitor_socket():
    global _monitor
    if _monitor is None:
        _monitor = socket.socket(socket.AF_UNIX)
        _monitor.settimeout(LIMIT)
        _monitor.connect(_dir + "/monitor")
        _monitor_answer()
    return _monitor


def monitor(command):
    """QEMU's own answer. It is about the processor chosen by monitor("cpu N")."""
    with _monitor_lock:
        try:
            _monitor_socket().sendall(command.encode() + b"\n")
            # It shows the command as it is typed, key by key.
            return _monitor_answer().partition("\n")[2]
        except OSError as e:
            if command == "stop":
                return ""
            raise Stuck(f"QEMU's monitor: {e}") from e


# --- the test -------------------------------------------------------------------------------------

def main():
    """Runs the script and ends gdb."""
    script = os.environ["TESSERA_TEST_SCRIPT"]
    try:
        _the_console()
        with open(script, encoding="utf-8") as f:
            code = compile(f.read(), script, "exec")
        exec(code, {"__name__": "__main__", "__file__": script})
    except BaseException:  # gdb goes on after SystemExit and KeyboardInterrupt
        ok(False, "the script comes to its end")
        diag(traceback.format_exc())
    _line(f"1..{_count}")
    with contextlib.suppress(gdb.error):
        gdb.execute("kill", False, True)
    gdb.execute(f"quit {1 if _failed else 0}")
