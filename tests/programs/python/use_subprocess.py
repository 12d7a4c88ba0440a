# SPDX-License-Identifier: MIT
#
# subprocess: programs, their output, pipes between them, signals.
import os
import signal
import subprocess
import sys

print(subprocess.run(["/bin/busybox", "echo", "one", "two"], capture_output=True))
print(subprocess.run("exit 3", shell=True).returncode)
print(subprocess.check_output(["/bin/busybox", "tr", "a-z", "A-Z"], input="through a pipe\n", text=True), end="")
first = subprocess.Popen(["/bin/busybox", "seq", "2000"], stdout=subprocess.PIPE)
second = subprocess.Popen(["/bin/busybox", "wc", "-l"], stdin=first.stdout, stdout=subprocess.PIPE)
first.stdout.close()
print(second.communicate()[0].split(), first.wait())
sleeper = subprocess.Popen(["/bin/busybox", "sleep", "1000"])
sleeper.send_signal(signal.SIGTERM)
print(sleeper.wait())
try:
    subprocess.run(["/bin/busybox", "sleep", "1000"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("timeout")
try:
    subprocess.run(["/nowhere/nothing"])
except FileNotFoundError as e:
    print(e.filename)
try:
    subprocess.run(["/bin/busybox", "false"], check=True)
except subprocess.CalledProcessError as e:
    print(e)
print(subprocess.run([sys.executable, "-S", "-E", "-c", "import sys; print(sys.argv, 6 * 7)", "arg"], capture_output=True, text=True).stdout, end="")
print(subprocess.run(["/bin/busybox", "env"], env={"ONLY": "this"}, capture_output=True, text=True, cwd="/tmp").stdout, end="")
big = subprocess.run(["/bin/busybox", "cat"], input=b"x" * 300000, capture_output=True)
print(len(big.stdout), big.returncode)
print("done")
