# SPDX-License-Identifier: MIT
#
# ctypes: functions of the C library by name, structures, and callbacks, for which libffi makes machine
# code while the program runs.
import ctypes
import ctypes.util
import os

libc = ctypes.CDLL("libc.so.6", use_errno=True)
libm = ctypes.CDLL("libm.so.6")

print("strlen", libc.strlen(b"seven..") , "abs", libc.abs(-12), "toupper", chr(libc.toupper(ord("q"))))
libm.pow.restype = libm.sqrt.restype = ctypes.c_double
libm.pow.argtypes = [ctypes.c_double, ctypes.c_double]
libm.sqrt.argtypes = [ctypes.c_double]
print("pow", libm.pow(2, 0.5) == libm.sqrt(2), libm.pow(3, 4))
buffer = ctypes.create_string_buffer(64)
print("snprintf", libc.snprintf(buffer, 64, b"%d %s %5.2f", 42, b"and", ctypes.c_double(1.5)), buffer.value)
print("getpid", libc.getpid() == os.getpid())

print("close(-1)", libc.close(-1), os.strerror(ctypes.get_errno()))


class Div(ctypes.Structure):
    _fields_ = [("quot", ctypes.c_int), ("rem", ctypes.c_int)]


libc.div.restype = Div
d = libc.div(-17, 5)
print("div", d.quot, d.rem, ctypes.sizeof(Div))

# A callback: C calls Python.
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
calls = 0


def compare(a, b):
    global calls
    calls += 1
    return a[0] - b[0]


numbers = (ctypes.c_int * 50)(*[(i * 37) % 101 - 50 for i in range(50)])
libc.qsort(numbers, len(numbers), ctypes.sizeof(ctypes.c_int), COMPARE(compare))
print("qsort", list(numbers) == sorted(numbers), numbers[0], numbers[49], calls > 49)

# Many of them: more than fit one page of code.
ADD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
adders = [ADD(lambda x, n=n: x + n) for n in range(300)]
print("callbacks", sum(f(1000) for f in adders) == 300 * 1000 + sum(range(300)))

# Machine code of our own: mov eax, edi; imul eax, edi; ret.
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
ctypes.memmove(page, b"\x89\xf8\x0f\xaf\xc7\xc3", 6)
print("mprotect", libc.mprotect(page, 4096, 5))
print("square", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(page)(12))
print("munmap", libc.munmap(page, 4096))

print("a library that isn't there:", end=" ")
try:
    ctypes.CDLL("libnothing.so.1")
except OSError as e:
    print(e)
print("done")
