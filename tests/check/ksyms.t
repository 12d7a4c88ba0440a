#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# tools/mkksyms: which symbols the table holds, in which order, and that a moved text is noticed.
use strict;
use warnings;
use File::Temp qw(tempfile);
use Test::More;

my $nm = <<'END';
0000000000200018 T _start
ffffffff80206000 T __text_start
ffffffff80206000 T entry_syscall
ffffffff80206100 t helper
ffffffff80206100 T known_as
ffffffff80206080 t first
ffffffff80206100 t .Llabel
ffffffff80207000 T __text_end
ffffffff80207000 R table
ffffffff80208000 D variable
0000000000000040 d percpu_thing
                 w nowhere
END

sub file_with {
	my ($text) = @_;
	my ($fh, $path) = tempfile(UNLINK => 1);
	print $fh $text;
	close $fh;
	return $path;
}

# The table as [[offset, name], ...], read back from the assembly text.
sub table {
	my ($asm) = @_;
	my ($count) = $asm =~ /ksyms_count:\s+\.long (\d+)/;
	my ($offsets) = $asm =~ /ksyms_offsets:\n((?:\s+\.long \d+\n)*)/;
	my ($places) = $asm =~ /ksyms_name_offsets:\n((?:\s+\.long \d+\n)*)/;
	my @offsets = $offsets =~ /(\d+)/g;
	my @places = $places =~ /(\d+)/g;
	my $names = join '', map { "$_\0" } $asm =~ /\.asciz "([^"]*)"/g;
	is(scalar @offsets, $count, "$count offsets");
	is(scalar @places, $count, "and $count places of names");
	return [ map { [ $offsets[$_], substr($names, $places[$_]) =~ s/\0.*//sr ] } 0 .. $#offsets ];
}

my $path = file_with($nm);
is_deeply(table(scalar `tools/mkksyms <$path`),
	[ [ 0, 'entry_syscall' ], [ 0x80, 'first' ], [ 0x100, 'known_as' ] ],
	'functions only, sorted, one name for each address, the global one first');
is_deeply(table(scalar `tools/mkksyms --empty`), [], 'an empty table for the first link');

my $data_moved = file_with($nm =~ s/80208000 D/80209000 D/r);
my $text_moved = file_with($nm =~ s/80206080 t/80206090 t/r);
is(system("tools/mkksyms --compare $path $data_moved"), 0, 'data may move between the two links');
isnt(system("tools/mkksyms --compare $path $text_moved 2>/dev/null"), 0, 'text may not');
my $headless = file_with($nm =~ s/.*__text_start\n//r);
isnt(system("tools/mkksyms <$headless >/dev/null 2>&1"), 0, 'no text, no table');

done_testing;
