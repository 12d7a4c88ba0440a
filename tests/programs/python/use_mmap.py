# SPDX-License-Identifier: MIT
#
# The mmap module at work: every kind of access, of files and of memory without one. What is printed is
# the same wherever mmap(2) does what it should.
import errno
import mmap
import os
import tempfile

PAGE = mmap.PAGESIZE
folder = tempfile.mkdtemp()
path = os.path.join(folder, "file")


def content(size):
    return bytes((i * 7 + i // 251) % 256 for i in range(size))


def attempt(what, call):
    try:
        print(what, "->", call())
    except OSError as e:
        print(what, "-> OSError", errno.errorcode.get(e.errno))
    except (ValueError, TypeError, BufferError, IndexError) as e:
        print(what, "->", type(e).__name__, e)


def checksum(data):
    s = 1
    for i in range(0, len(data), 97):
        s = (s * 31 + data[i]) % 1000000007
    return s


with open(path, "wb") as f:
    f.write(content(5 * PAGE + 100))

print("--- shared, for reading and writing")
with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
    print(len(m) == 5 * PAGE + 100, checksum(m))
    m[0:5] = b"HELLO"
    m[PAGE - 2 : PAGE + 2] = b"page"
    m[-1] = 0xEE
    print("read(2) sees it:", os.pread(f.fileno(), 5, 0), os.pread(f.fileno(), 4, PAGE - 2))
    os.pwrite(f.fileno(), b"WRITTEN", 2 * PAGE)
    print("and write(2) is seen:", m[2 * PAGE : 2 * PAGE + 7])
    print("flush", m.flush(), m.flush(PAGE, PAGE))
    attempt("flush from within a page", lambda: m.flush(1, 10))
    print("find", m.find(b"WRITTEN"), m.find(b"WRITTEN", 2 * PAGE + 1), m.rfind(b"page"), m.find(b"nowhere"))
    m.seek(PAGE - 2)
    print("read", m.read(4), m.tell(), m.read_byte())
    m.seek(-3, os.SEEK_END)
    attempt("write beyond the end", lambda: m.write(b"four"))
    print("write", m.write(b"end"), m[-3:])
    m.move(100, 0, 5)
    print("move", m[100:105], "step", bytes(m[0:40:9]))
    attempt("index", lambda: m[len(m)])
    attempt("slice of another length", lambda: m.__setitem__(slice(0, 4), b"toolong"))
    view = memoryview(m)
    attempt("close with a view", m.close)
    attempt("resize with a view", lambda: m.resize(PAGE))
    view.release()
print("the file has", os.path.getsize(path), open(path, "rb").read()[:5])

print("--- two mappings of one file")
with open(path, "r+b") as f:
    a, b = mmap.mmap(f.fileno(), 0), mmap.mmap(f.fileno(), PAGE, offset=PAGE)
    a[PAGE + 10] = 77
    b[20] = 88
    print(b[10], a[PAGE + 20])
    b.close()
    a.close()
    attempt("closed", lambda: a[0])

print("--- resize")
with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
    m.resize(9 * PAGE)
    print(len(m) == 9 * PAGE, os.fstat(f.fileno()).st_size == 9 * PAGE, m[5 * PAGE + 100 :].count(0) == 4 * PAGE - 100)
    m[8 * PAGE + 5] = 9
    m.resize(PAGE + 1)
    print(len(m) == PAGE + 1, os.fstat(f.fileno()).st_size == PAGE + 1, m.size() == PAGE + 1)
    m.resize(3 * PAGE)
    print(m[PAGE + 1 :].count(0) == 2 * PAGE - 1, checksum(m))

print("--- for reading only")
with open(path, "rb") as f:
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    print(m[:5], m[-1])
    attempt("write", lambda: m.__setitem__(0, 1))
    attempt("resize", lambda: m.resize(PAGE))
    m.close()
    attempt("a writable mapping of it", lambda: mmap.mmap(f.fileno(), 0))
    attempt("ACCESS_WRITE", lambda: mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_WRITE))
    attempt("more than there is", lambda: mmap.mmap(f.fileno(), 100 * PAGE, access=mmap.ACCESS_READ))
    attempt("offset within a page", lambda: mmap.mmap(f.fileno(), 10, access=mmap.ACCESS_READ, offset=1))

print("--- copies")
with open(path, "r+b") as f:
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
    m[0:5] = b"local"
    print(m[:5], os.pread(f.fileno(), 5, 0))
    os.pwrite(f.fileno(), b"other", PAGE)
    print("an untouched page follows the file:", m[PAGE : PAGE + 5])
    os.pwrite(f.fileno(), b"THERE", 0)
    print("a touched one doesn't:", m[:5])
    m.close()
    m = mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    m[PAGE : PAGE + 3] = b"abc"
    print(m[PAGE : PAGE + 5], os.pread(f.fileno(), 5, PAGE))
    m.close()

print("--- without a file")
m = mmap.mmap(-1, 16 * PAGE)
print(m[:] == bytes(16 * PAGE))
m.write(b"from the parent")
pid = os.fork()
if pid == 0:
    m[PAGE : PAGE + 5] = b"child"
    m.seek(0)
    os._exit(0 if m.read(6) == b"from t" else 1)
print("the child:", os.waitpid(pid, 0)[1], m[PAGE : PAGE + 5])
attempt("resize", lambda: (m.resize(32 * PAGE), len(m) == 32 * PAGE)[1])
m.close()
m = mmap.mmap(-1, 4 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m[0] = 1
pid = os.fork()
if pid == 0:
    m[0] = 2
    os._exit(m[0])
print("private:", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), m[0])
print("madvise", m.madvise(mmap.MADV_DONTNEED), m[0], m.madvise(mmap.MADV_WILLNEED, 0, PAGE))
m.resize(64 * PAGE)
print(len(m) == 64 * PAGE)
m.close()

print("--- an empty file")
with open(os.path.join(folder, "empty"), "w+b") as f:
    attempt("all of it", lambda: mmap.mmap(f.fileno(), 0))
    attempt("a page", lambda: mmap.mmap(f.fileno(), PAGE))
    f.truncate(PAGE)
    with mmap.mmap(f.fileno(), 0) as m:
        os.unlink(f.name)
        m[:4] = b"gone"
        print("unlinked:", os.pread(f.fileno(), 4, 0), os.fstat(f.fileno()).st_nlink)
os.unlink(path)
os.rmdir(folder)
print("done")
