#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What docs/gdb.md shows of sessions in gdb is what gdb prints. A comment <!-- session: WORDS --> begins
# a session, a guest with these words on its command line; its transcripts are the indented blocks that
# begin with "(gdb) ", and transcripts.py says how they are compared. Once the commands have changed,
#
#	TRANSCRIPTS=write prove tests/gdb/transcripts.t
#
# writes what they print now into the document.
#
# The table of commands there is held against those that are registered, too.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, 'tests/qemu';
use Gdb;
use Guest;
use Test::More;

my @sessions = Guest::slurp('docs/gdb.md') =~ /^<!-- session:\s*(.*?)\s*-->$/mg;
ok(scalar @sessions, 'there are sessions in docs/gdb.md');
for my $n (1 .. @sessions) {
	local $ENV{TRANSCRIPT_SESSION} = $n;
	# As tools/debug starts it.
	Gdb::test(cmdline => "norandmaps $sessions[$n - 1]", limit => 100);
}
done_testing;
