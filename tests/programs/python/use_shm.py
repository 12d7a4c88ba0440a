# SPDX-License-Identifier: MIT
#
# multiprocessing.shared_memory: objects of /dev/shm that processes know by name, and processes that
# work on them, with locks that are futexes in shared memory.
import multiprocessing as mp
from multiprocessing import shared_memory


def fill(name, first, step):
    shm = shared_memory.SharedMemory(name=name)
    for i in range(first, shm.size, step):
        shm.buf[i] = (i // step) % 251
    shm.close()


def count(lock, name, times):
    shm = shared_memory.SharedMemory(name=name)
    for _ in range(times):
        with lock:
            n = int.from_bytes(shm.buf[:8], "little")
            shm.buf[:8] = (n + 1).to_bytes(8, "little")
    shm.close()


def square(x):
    return x * x


def answer(inlet, outlet, queue):
    outlet.send([x * 2 for x in inlet.recv()])
    queue.put("from the child")


if __name__ == "__main__":
    ctx = mp.get_context("fork")
    shm = shared_memory.SharedMemory(create=True, size=40000)
    print("size", shm.size >= 40000, "name of", len(shm.name) > 3)
    children = [ctx.Process(target=fill, args=(shm.name, k, 4)) for k in range(4)]
    for c in children:
        c.start()
    for c in children:
        c.join()
    print("children", [c.exitcode for c in children])
    print("filled", all(shm.buf[i] == (i // 4) % 251 for i in range(40000)))

    print("the same, opened twice:", end=" ")
    again = shared_memory.SharedMemory(name=shm.name)
    again.buf[5] = 200
    print(shm.buf[5])
    again.close()

    lock = ctx.Lock()
    shm.buf[:8] = bytes(8)
    children = [ctx.Process(target=count, args=(lock, shm.name, 100)) for _ in range(3)]
    for c in children:
        c.start()
    for c in children:
        c.join()
    print("counted", int.from_bytes(shm.buf[:8], "little"))
    name = shm.name
    shm.close()
    shm.unlink()
    try:
        shared_memory.SharedMemory(name=name)
    except FileNotFoundError:
        print("unlinked: not found")
    try:
        shared_memory.SharedMemory(create=True, size=0)
    except ValueError as e:
        print("size 0:", e)

    values = shared_memory.ShareableList([1, 2.5, "three", None, True, b"six"])
    print("list", list(values), len(values))
    values[0], values[2] = 10, "3"
    print("changed", values[0], values[2])
    values.shm.close()
    values.shm.unlink()

    number = ctx.Value("i", 7)
    array = ctx.Array("d", [0.5, 1.5, 2.5])
    number.value += 1
    print("value", number.value, "array", sum(array))

    there, back = ctx.Pipe(False), ctx.Pipe(False)
    queue = ctx.SimpleQueue()
    child = ctx.Process(target=answer, args=(there[0], back[1], queue))
    child.start()
    there[1].send([1, 2, 3])
    print("pipe", back[0].recv(), "queue", queue.get())
    child.join()
    with ctx.Pool(2) as pool:
        print("pool", pool.map(square, range(10)))
    print("done")
