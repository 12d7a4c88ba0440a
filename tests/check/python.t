#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The Python in tools/ and tests/: what older versions understand, too, and nothing in it that is used
# but not there, or there but not used. A file that imports all of tap.py can't be told for the former.
use strict;
use warnings;
use Test::More;

my @files = sort grep { -f } glob 'tools/gdb/*.py tools/gdb/tessera/*.py tests/gdb/*.py tools/trace/*';
ok(@files > 30, 'there are files');
my $parse = 'import ast, sys; [ast.parse(open(f).read(), f, feature_version=(3, 9)) for f in sys.argv[1:]]';
is(system('python3', '-c', $parse, @files), 0, 'Python 3.9 would read them');
my $found = qx{pyflakes3 @files};
ok(defined $found, 'pyflakes runs') or diag $!;
# GDB's own module and what is imported to be registered are named by a comment "noqa".
my @bad = grep { !/undefined names|star imports/ && !excused($_) } split /\n/, $found // '';
is(join("\n", @bad), '', 'pyflakes finds nothing');
done_testing;

sub excused {
	my ($file, $line) = shift =~ /^([^:]+):(\d+):/ or return 0;
	open my $fh, '<', $file or return 0;
	my @lines = <$fh>;
	return $lines[$line - 1] =~ /# noqa\b/;
}
