/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown (arch/x86_64/low/tlb.c) as a model for Spin, which goes through every order in which its
 * steps can happen. Processors switch to a program of the one address space and away from it, keep it
 * lazily, and take its pages and page tables away, several at once; its end comes when nobody uses it.
 * Beside each processor its page walker fills TLB and paging-structure caches whenever the tables
 * allow it. Stores of entries wait in a store buffer, as x86 allows.
 *
 * What is proved: a page, a page table, and the top-level table are free only when no processor can get to
 * them any more; and everybody comes to an end: nobody waits for ever for an answer.
 *
 * MISTAKE=n builds one mistake in, which the check must find:
 *
 *	1  the mask is read before the entries' stores are out of the buffer
 *	2  who comes loads CR3 first and sets its bit in the mask afterwards
 *	3  who leaves clears its bit first and loads another CR3 afterwards
 *	4  a processor that keeps the address space lazily answers and does nothing
 *	5  what was taken away is freed before the answers are there
 *	6  who waits for answers has interrupts off
 *	7  the page is forgotten, but not the way to it
 *	8  the end frees the top-level table without making the lazy ones leave
 */
#ifndef MISTAKE
#define MISTAKE 0
#endif

#define CPUS  2
#define PAGES 2 /* each in a page table of its own */
#define THE_END PAGES /* the number of the last flush, of everything */
#define BIT(c) (1 << (c))

/* Memory. */
bool pte[PAGES] = true, table[PAGES] = true; /* the entry of the page; and of its table, in the one above */
bool page_freed[PAGES], table_freed[PAGES], top_freed;
byte mask; /* mm_context.cpus */

/* Both entries have been cleared, and memory doesn't have it yet. */
bool stored[PAGES];

/* What each processor has. */
bool cr3[CPUS];	   /* the address space's top-level table is loaded */
bool loaded[CPUS]; /* what the kernel says of that */
bool lazy[CPUS];
bool user[CPUS];   /* a program of it runs, or is being switched to */

typedef Caches {
	bool way[PAGES], page[PAGES]
};
Caches cached[CPUS];

/* Interrupts on their way: from whom (a bit each), and what each one flushes. */
byte asked[CPUS], subject[CPUS];

bool begun[PAGES + 1]; /* each flush happens once */
bool dead;	       /* nobody can come any more */

#define nobody_uses_it (!user[0] && !user[1])

/* --- steps of the processor ---------------------------------------------------------------------- */

inline load_cr3(c, which)
{
	d_step {
		cr3[c] = which;
		cached[c].way[0] = false;
		cached[c].way[1] = false;
		cached[c].page[0] = false;
		cached[c].page[1] = false
	}
}

inline invlpg(c, p)
{
	d_step {
		cached[c].page[p] = false;
		cached[c].way[p] = (MISTAKE == 7 -> cached[c].way[p] : false)
	}
}

/*
 * Walks at any time, also while interrupts are off; the way that is cached is used as it is. Only steps
 * that change something: so that a deadlock of the others is one.
 */
active [CPUS] proctype walker()
{
end:	do
	:: d_step { cr3[_pid] && top_freed -> assert(false) }
	:: d_step { cr3[_pid] && !cached[_pid].way[0] && table[0] -> cached[_pid].way[0] = true }
	:: d_step { cr3[_pid] && !cached[_pid].way[1] && table[1] -> cached[_pid].way[1] = true }
	:: d_step { cr3[_pid] && cached[_pid].way[0] && !cached[_pid].page[0] && (pte[0] || table_freed[0]) ->
			assert(!table_freed[0]);
			cached[_pid].page[0] = true }
	:: d_step { cr3[_pid] && cached[_pid].way[1] && !cached[_pid].page[1] && (pte[1] || table_freed[1]) ->
			assert(!table_freed[1]);
			cached[_pid].page[1] = true }
	od
}

/* The store buffer. */
active proctype buffer()
{
end:	do
	:: d_step { stored[0] -> stored[0] = false; pte[0] = false; table[0] = false }
	:: d_step { stored[1] -> stored[1] = false; pte[1] = false; table[1] = false }
	od
}

/* --- steps of the kernel ------------------------------------------------------------------------- */

/* load(): interrupts are off */
inline come(c)
{
	if
	:: MISTAKE != 2 -> mask = mask | BIT(c)
	:: else
	fi;
	loaded[c] = true;
	load_cr3(c, true);
	if
	:: MISTAKE == 2 -> mask = mask | BIT(c)
	:: else
	fi
}

inline leave(c)
{
	if
	:: MISTAKE == 3 -> mask = mask & ~BIT(c)
	:: else
	fi;
	loaded[c] = false;
	load_cr3(c, false);
	mask = mask & ~BIT(c)
}

/* flush_here() */
inline forget(c, what)
{
	if
	:: loaded[c] && lazy[c] && MISTAKE != 4 && !(MISTAKE == 8 && what == THE_END) -> leave(c)
	:: loaded[c] && !lazy[c] && what != THE_END -> invlpg(c, what)
	:: loaded[c] && !lazy[c] && what == THE_END -> assert(false) /* there is no user */
	:: else
	fi
}

/* One request's interrupt; nothing else happens on this processor meanwhile. */
inline interrupt(c, from)
{
	asked[c] & BIT(from);
	forget(c, subject[from]);
	asked[c] = asked[c] & ~BIT(from)
}

/* flush_on() for the others: interrupts them, and answers them while it waits. */
inline flush_others(c, other, what)
{
	if
	:: mask & BIT(other) ->
		subject[c] = what;
		asked[other] = asked[other] | BIT(c);
		do
		:: !(asked[other] & BIT(c)) || MISTAKE == 5 -> break
		:: MISTAKE != 6 && asked[c] -> interrupt(c, other)
		od
	:: else
	fi
}

/* What an unmap does, on any processor: a page and its table go. */
inline unmap(c, other, what)
{
	stored[what] = true;
	MISTAKE == 1 || !stored[what]; /* the full barrier */
	forget(c, what);
	flush_others(c, other, what);
	assert(!cached[0].page[what] && !cached[1].page[what]);
	page_freed[what] = true;
	assert(!cached[0].way[what] && !cached[1].way[what]);
	table_freed[what] = true
}

/* exit_mmap() and mmdrop(): the last user is gone. */
inline end_of_all(c, other)
{
	forget(c, THE_END);
	flush_others(c, other, THE_END);
	assert(mask == 0 || MISTAKE == 8);
	top_freed = true;
	assert(!cr3[0] && !cr3[1])
}

/* What a processor does, in any order, until all is done. Between the steps interrupts are on. */
active [CPUS] proctype cpu()
{
	byte c = _pid - CPUS - 1, other;

	other = 1 - c;

	do
	/* A program comes: interrupts are off from here on. */
	:: atomic { !dead && !user[c] -> user[c] = true };
		lazy[c] = false;
		if
		:: !loaded[c] -> come(c)
		:: else
		fi
	/* A kernel thread, or nobody, comes after it. */
	:: user[c] ->
		lazy[c] = true;
		user[c] = false
	/* A program of another address space. */
	:: loaded[c] ->
		lazy[c] = false;
		leave(c);
		user[c] = false
	/* Somebody here takes a page away: of his own program, or of a file that is mapped there. */
	:: atomic { !begun[0] && !dead -> begun[0] = true }; unmap(c, other, 0)
	:: atomic { !begun[1] && !dead -> begun[1] = true }; unmap(c, other, 1)
	/* The last one to use it has gone, from wherever. */
	:: atomic { nobody_uses_it && table_freed[0] && table_freed[1] && !dead ->
			dead = true; begun[THE_END] = true };
		end_of_all(c, other)
	:: asked[c] -> interrupt(c, other)
	:: top_freed && !asked[c] -> break
	od
}
