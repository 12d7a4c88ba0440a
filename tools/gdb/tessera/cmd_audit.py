# SPDX-License-Identifier: MIT
"""audit: does everything in memory agree with everything else?"""
import gdb

from tessera import audit_areas, audit_pages, audit_rmap, audit_slab, audit_tables, audit_tasks, \
    process
from tessera.audit import Audit
from tessera.command import Command, say

# What later ones go by is checked by earlier ones.
PHASES = [audit_slab.slabs, audit_tasks.tasks, audit_areas.areas, audit_rmap.anonymous,
          audit_rmap.files, audit_pages.free, audit_tables.tables, audit_pages.page_cache,
          audit_pages.used]

# What is counted in the one line; the rest by `audit all`.
SHOWN = ["address spaces", "areas", "entries", "pages in use", "free"]


class AuditCommand(Command):
    """Cross-check the whole of memory management, and name what disagrees.

Usage: audit [all]
Compares, of the whole system: areas in list and tree, their order, gaps, colours and totals; what the
processor finds by the page tables with what the areas allow and the pages say; the ways back from pages to
their areas; counts of references and mappings; rss, page tables, page cache, free lists, slabs, run queues.
Names the first disagreement; `audit all` lists all of them.
In a running system something may be in the middle of a change where the guest was stopped: what is
locked, or in the hands of a processor at work in the kernel, isn't judged. `audit all` shows that, too."""

    name = "audit"

    def run(self, argv):
        if argv not in ([], ["all"]):
            raise self.usage()
        if not process.is_up():
            raise gdb.GdbError("The kernel has no processes yet: there is nothing to compare.")
        everything = argv == ["all"]
        audit = Audit(everything)
        audit.run(PHASES)
        for sentence in audit.found:
            say(sentence, "  ")
        if audit.dropped:
            print(f"... and {audit.dropped} more of a kind")
        if not audit.found:
            say(f"Everything agrees: {summary(audit.counts, SHOWN)}.")
            if everything:
                rest = [name for name in audit.counts if name not in SHOWN]
                say(f"Also {summary(audit.counts, rest)}.")
        self.say_unjudged(audit, everything)

    def say_unjudged(self, audit, everything):
        if everything:
            for sentence, excuse in audit.unjudged[:50]:
                say(f"Not judged: {sentence} ({excuse})", "  ")
            return
        for reason, count in sorted(audit.reasons.items()):
            say(f"Not judged: {reason}; {count} thing{'s' if count > 1 else ''} would disagree.", "  ")

    def completions(self, before, word):
        return ["all"] if not before else []


def summary(counts, names):
    return ", ".join(f"{counts[name]} {name}" for name in names if name in counts)


AuditCommand()
