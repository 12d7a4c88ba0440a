/* SPDX-License-Identifier: MIT */
/*
 * The lock of one area (mm/vma_lock.c) as a model for Spin, which goes through every order in which its
 * steps can happen. Faults look the area up without a lock and work in it; one thread changes it, as
 * mprotect does, another unmaps it, both under mmap_lock. The structure is freed one grace period after
 * it left the tree.
 *
 * What is proved: a fault works only in an area that is attached, that nobody is changing, and whose tables
 * are there; nobody reads the structure after it is freed; and nobody waits for ever.
 *
 * MISTAKE=n builds one mistake in, which the check must find:
 *
 *	1  who changes looks for readers first and says afterwards that it is locked
 *	2  who faults looks first whether it is locked and says afterwards that he is there
 *	3  who faults doesn't look whether the area is still attached
 *	4  the structure is freed at once, without a grace period
 *	5  who changes says that it is over before it is
 *	6  who waits for readers joins the queue after he has looked for them
 *	7  who unmaps doesn't lock the area
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif

#define FAULTS 2
#define BIT(i) (1 << (i))

bool mmap_lock; /* held for writing, or still for reading by who unmaps */
byte mm_lock_seq = 1;

/* The area. */
byte vm_lock_seq, vm_readers;
bool attached = true, in_tree = true;
bit low, high;	    /* two fields that belong together: they differ while somebody changes them */
bool tables = true; /* pages can be mapped in it */
bool freed;	    /* its structure is somebody else's memory */

/* The queue of who waits for readers: one at a time, since he holds mmap_lock. */
bool queued, woken;

byte in_rcu; /* which faults are between rcu_read_lock() and rcu_read_unlock() */
byte waited_for; /* by the grace period */

/* --- who changes areas ------------------------------------------------------------------------ */

inline join_queue()
{
	atomic { queued = true; woken = false }
}

inline wait_for_readers()
{
	do
	::
#if MISTAKE != 6
		join_queue();
#endif
		if
		:: vm_readers == 0 -> break
		:: else
		fi;
#if MISTAKE == 6
		join_queue();
#endif
		woken
	od;
	queued = false
}

inline vma_start_write()
{
#if MISTAKE == 1
	seen = vm_readers;
	vm_lock_seq = mm_lock_seq;
#else
	vm_lock_seq = mm_lock_seq;
	seen = vm_readers;
#endif
	if
	:: seen == 0
	:: else -> wait_for_readers()
	fi
}

proctype Change()
{
	byte seen;

	atomic { !mmap_lock -> mmap_lock = true }
	if
	:: attached ->
		vma_start_write();
#if MISTAKE == 5
		mm_lock_seq++;
#endif
		low = 1 - low;
		high = 1 - high;
#if MISTAKE != 5
		mm_lock_seq++;
#endif
	:: else -> mm_lock_seq++
	fi;
	mmap_lock = false
}

proctype Unmap()
{
	byte seen;

	atomic { !mmap_lock -> mmap_lock = true }
#if MISTAKE != 7
	vma_start_write();
#endif
	attached = false;
	in_tree = false;
	/* The downgrade: from here on others of the mm fault, in other areas. */
	mm_lock_seq++;
	tables = false;
	mmap_lock = false;
#if MISTAKE != 4
	waited_for = in_rcu; /* call_rcu() */
	waited_for == 0;
#endif
	freed = true
}

/* --- who faults ----------------------------------------------------------------------------------- */

/* A look at a field of the area. */
inline look(what, field)
{
	atomic { assert(!freed); what = field }
}

inline vma_end_read()
{
	atomic { assert(!freed); vm_readers--; last = (vm_readers == 0) }
	if
	:: last && queued -> woken = true
	:: else
	fi
}

inline rcu_read_unlock()
{
	atomic { in_rcu = in_rcu & ~BIT(me); waited_for = waited_for & ~BIT(me) }
}

inline is_write_locked()
{
	look(seq, vm_lock_seq);
	changing = (seq == mm_lock_seq)
}

proctype Fault(byte me)
{
	byte seq;
	bool changing, there, last;
	bit a;

	in_rcu = in_rcu | BIT(me);
	if
	:: !in_tree -> goto out
	:: else
	fi;
	is_write_locked();
	if
	:: changing -> goto out
	:: else
	fi;
#if MISTAKE == 2
	is_write_locked();
	atomic { assert(!freed); vm_readers++ }
#else
	atomic { assert(!freed); vm_readers++ }
	is_write_locked();
#endif
	look(there, attached);
#if MISTAKE == 3
	there = true;
#endif
	if
	:: changing || !there -> vma_end_read(); goto out
	:: else
	fi;
	rcu_read_unlock();

	/* handle_mm_fault() */
	look(a, low);
	assert(a == high);
	assert(tables);
	assert(a == low && a == high && attached);

	vma_end_read();
	goto done;
out:
	rcu_read_unlock(); /* and then under mmap_lock */
done:
	skip
}

init
{
	atomic { run Change(); run Unmap(); run Fault(0); run Fault(1) }
}
