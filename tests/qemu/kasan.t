#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Each of many bugs made on purpose is reported by the address sanitizer, once, in the right words; and
# a report ends the machine.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

plan skip_all => 'only the kernel of `make KASAN=1` has the sanitizer' if $Guest::debug ne 'kasan';

# What was done, and what the report has to say beside that.
my $allocated = qr/^Allocated by:\r?\n(?:  .*\n)*?  \w+ slab_\w+\+/m;
my $freed = qr/^Freed by:\r?\n(?:  .*\n)*?  \w+ (?:slab_|double_)\w+\+/m;
my $object = qr/^Object of cache/m;
my %words = (
	'slab-right' => [ 'slab-out-of-bounds in read_byte', qr/^Read of 1 bytes/m, $allocated,
		qr/cache kmalloc-128, 100 bytes at \w+; the address is 0 bytes to its right/ ],
	'slab-left' => [ 'slab-out-of-bounds in read_byte', qr/cache kmalloc-128, .*1 bytes to its left/ ],
	'slab-word' => [ 'slab-out-of-bounds in read_word', qr/^Read of 8 bytes/m, qr/0 bytes to its right/ ],
	'slab-cache' => [ 'slab-out-of-bounds in read_byte', qr/cache kasan_test, 20 bytes/, $allocated ],
	'slab-free' => [ 'slab-use-after-free in read_byte', qr/its byte 50/, $allocated, $freed ],
	'slab-free-write' => [ 'slab-use-after-free in slab_free_write', qr/^Write of 100 bytes/m, $freed ],
	'slab-free-later' => [ 'slab-use-after-free in read_byte', qr/cache kasan_test.*its byte 0/, $freed ],
	'double-free' => [ 'double-free in double_free', $object, $freed ],
	'double-free-cache' => [ 'double-free in double_free_cache', $object, $freed ],
	'invalid-free' => [ 'invalid-free in invalid_free', qr/its byte 8/ ],
	'page-right' => [ 'page-out-of-bounds in read_byte' ],
	'page-free' => [ 'use-after-free in read_byte' ],
	'page-free-large' => [ 'use-after-free in read_byte' ],
	'page-invalid-free' => [ 'invalid-free in page_invalid_free' ],
	'global-right' => [ 'global-out-of-bounds in read_byte',
		qr/0 bytes to the right of the variable global of kernel\/init\/selftest_kasan\.c, which has 13/ ],
	'global-constant' => [ 'global-out-of-bounds in read_byte', qr/right of the variable constant of/ ],
	'stack-right' => [ 'stack-out-of-bounds in read_byte', qr/frame is that of stack_right, .*\n  \[32, 52\) local/,
		qr/^The address is at 52\./m ],
	'stack-left' => [ 'stack-out-of-bounds in read_byte', qr/frame is that of stack_left/, qr/at 31\./ ],
	'stack-scope' => [ 'stack-use-after-scope in read_byte', qr/frame is that of stack_scope/, qr/\) inner$/m ],
	'percpu-right' => [ 'percpu-out-of-bounds in read_byte' ],
	'percpu-left' => [ 'percpu-out-of-bounds in read_byte' ],
	'vmalloc-right' => [ 'vmalloc-out-of-bounds in read_byte' ],
	'vmalloc-left' => [ 'vmalloc-out-of-bounds in vmalloc_left' ],
	'vmalloc-guard' => [ 'vmalloc-out-of-bounds in vmalloc_guard' ],
	'vmalloc-free' => [ 'vmalloc-out-of-bounds in vmalloc_free' ],
	'stack-of-nobody' => [ 'vmalloc-out-of-bounds in stack_of_nobody' ],
	'memset-right' => [ 'slab-out-of-bounds in memset_right', qr/^Write of 101 bytes/m ],
	'memset-negative' => [ 'negative-size in memset_negative' ],
	'memcpy-from' => [ 'slab-out-of-bounds in memcpy_from', qr/^Read of 128 bytes/m, qr/0 bytes to its right/ ],
	'memcpy-to' => [ 'slab-out-of-bounds in memcpy_to', qr/^Write of 128 bytes/m ],
	'string-right' => [ 'slab-out-of-bounds in strnlen', qr/^By:\r?\n(?:  .*\n)*?  \w+ string_right\+/m ],
	'atomic-right' => [ 'slab-out-of-bounds in atomic_right', qr/^Write of 4 bytes/m ],
	'user-to' => [ 'slab-out-of-bounds in copy_to_user', qr/^Read of 101 bytes/m, qr/  \w+ user_to\+/ ],
	'user-from' => [ 'slab-out-of-bounds in copy_from_user', qr/^Write of 101 bytes/m, qr/  \w+ user_from\+/ ],
	'user-string' => [ 'slab-out-of-bounds in strncpy_from_user', qr/^Write of 101 bytes/m ],
);

my $run = Guest::boot(cmdline => 'selftest=kasan', smp => 2, limit => 60);
my %said = map { $_->{name} => $_ } Guest::sections($run);
is(join(' ', sort keys %said), join(' ', sort keys(%words), 'sound'), 'all bugs were made');
for my $name (sort keys %words) {
	my ($what, @also) = @{ $words{$name} };
	my $text = join "\n", @{ $said{$name}{lines} // [] };
	my $good = is(join(', ', $text =~ /^KASAN: (\S+ in \w+)\+0x/mg), $what, "$name: is reported, once");
	$good &= like($text, $_, "$name: ... as what it is") for @also;
	my ($marked) = $text =~ /^> [0-9a-f]{16}:.*>([0-9a-f]{2})/m;
	# Else it isn't the memory that is wrong.
	$good &= isnt($marked // '00', '00', "$name: ... and shadow says so") if $what !~ /^(?:invalid|negative)/;
	diag $text if !$good;
}
is("@{ $said{sound}{lines} }", '', 'what is right is not reported');
like($run->{console}, qr/^kasan: 0 of \d+ are not as they should be/m, 'the kernel has counted the same');
Guest::ends_well($run, 'all bugs');

# One for each kind of memory: the machine ends there and then.
for my $name (qw(slab-right page-free vmalloc-free stack-right double-free user-to)) {
	my $what = $words{$name}[0];
	$run = Guest::boot(cmdline => "selftest=kasan-$name", smp => 2, limit => 60);
	Guest::ends_well($run, "$name: a panic", Guest::PANIC_STATUS);
	like($run->{console}, qr/^Kernel panic: KASAN: \Q$what\E\+/m, "$name: its words");
	like($run->{console}, qr/^Shadow around it.*^Backtrace:.*^End of the panic report/ms, "$name: all is told");
}

done_testing;
