# SPDX-License-Identifier: MIT
"""Audit: processes and run queues. Lists lead both ways, and count what is in them."""
from tessera import kernel, locks, process

NODES = 1 << 16


def check_list(audit, head, name, excuse):
    """The nodes of a list, after its links have been found to lead both ways."""
    nodes, before, node = [], head, kernel.u64(head)
    seen = set()
    while node != head:
        if node in seen or len(nodes) > NODES:
            audit.wrong(f"{name}: the list leads to {node:#x} twice", excuse)
            return nodes
        seen.add(node)
        prev = kernel.u64(node + 8)
        if prev != before:
            audit.wrong(f"{name}: the list comes from {before:#x} to {node:#x}, which has {prev:#x} before "
                        "it", excuse)
        nodes.append(node)
        before, node = node, kernel.u64(node)
    prev = kernel.u64(head + 8)
    if prev != before:
        audit.wrong(f"{name}: its last node is {before:#x}, its head says {prev:#x}", excuse)
    return nodes


def tasklist_changes():
    if locks.spin_held(kernel.variable("tasklist_lock")):
        return "processes come or go: tasklist_lock is held"
    return None


def tasks(audit):
    """the processes' check"""
    excuse = tasklist_changes()
    offset = kernel.struct_layout("task_struct").fields["thread_link"][0]
    check_list(audit, kernel.address_of("all_processes"), "the list of processes", excuse)
    states = {}
    for proc in process.processes():
        leader = kernel.struct("task_struct", proc.leader) if proc.leader else None
        name = f"process {leader.comm}[{leader.pid}]" if leader else f"process {proc._address:#x}"
        nodes = check_list(audit, proc.address_of("threads"), f"the threads of {name}", excuse)
        if len(nodes) != proc.nr_threads:
            audit.wrong(f"{name}: nr_threads is {proc.nr_threads}, {len(nodes)} are in its list", excuse)
        for node in nodes:
            task = kernel.struct("task_struct", node - offset)
            states[task._address] = task
            if task.signal != proc._address:
                audit.wrong(f"thread {task.comm}[{task.pid}] is in the list of {name}, but says that it is "
                            f"another's: {task.signal:#x}", excuse)
    audit.checked(len(states), "threads")
    for cpu in process.online_cpus():
        run_queue(audit, kernel.variable("run_queues")[cpu], cpu)


def run_queue(audit, rq, cpu):
    name = f"CPU {cpu}'s run queue"
    excuse = f"{name} changes: its lock is held" if locks.spin_held(rq.lock) else None
    offset = kernel.struct_layout("sched_entity").fields["run_link"][0]
    nodes = check_list(audit, rq.address_of("queue"), name, excuse)
    if len(nodes) != rq.ready:
        audit.wrong(f"{name} counts {rq.ready} that wait, it has {len(nodes)}", excuse)
    for node in nodes:
        entity = kernel.struct("sched_entity", node - offset)
        if not entity.on_rq or entity.cpu != cpu:
            audit.wrong(f"{name}: {entity._address:#x} is in it, but says that it is "
                        + ("in no queue" if not entity.on_rq else f"of CPU {entity.cpu}"), excuse)
    audit.waiting = getattr(audit, "waiting", None)
    if nodes and not audit.waiting:
        audit.waiting = f"{len(nodes)} tasks wait to run on CPU {cpu}"
