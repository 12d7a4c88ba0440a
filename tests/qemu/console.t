#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Somebody at the machine: types at the tour's prompt, on the serial line and on the keyboard, and
# reads the answers there and on the screen, in VGA's text mode and in a UEFI framebuffer.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $prompt = qr/^tessera> \z/m;

# Text between a line that was entered and the next prompt; the line itself, as echoed, is dropped.
sub answer {
	my ($guest) = @_;
	my $text = $guest->wait_for($prompt) // die "no prompt\n";
	return $text =~ s/\A[^\n]*\n//r =~ s/tessera> \z//r;
}

sub ask {
	my ($guest, $line) = @_;
	$guest->send("$line\n");
	return answer($guest);
}

sub ask_by_keyboard {
	my ($guest, $line) = @_;
	$guest->type("$line\n");
	return answer($guest);
}

# --- what the prompt offers ---------------------------------------------------------------------

# 64-bit addresses.
no warnings 'portable';

# Areas as [start, end, rights, rest].
sub areas {
	return map { /^([0-9a-f]+)-([0-9a-f]+) ([-r][-w][-x][ps]) (.*)/ ? [ hex $1, hex $2, $3, $4 ] : () }
		split /\n/, $_[0];
}

sub try_maps {
	my ($guest) = @_;
	my $maps = ask($guest, 'maps');
	my @areas = areas($maps);
	is(scalar @areas, scalar(split /\n/, $maps), 'maps: each line is an area');
	my $end = 0;
	my @bad = grep { my $bad = $_->[0] < $end || $_->[1] <= $_->[0]; $end = $_->[1]; $bad } @areas;
	is(scalar @bad, 0, 'maps: in order, none over another');
	my ($text) = grep { $_->[2] eq 'r-xp' && $_->[3] =~ m{/init$} } @areas;
	my ($stack) = grep { $_->[2] eq 'rw-p' && $_->[3] =~ /\[stack\]$/ } @areas;
	ok($text, 'maps: the program\'s text') and ok($stack, 'maps: the stack') or die "no areas: $maps\n";
	is(scalar(grep { $_->[2] =~ /wx/ } @areas), 0, 'maps: nothing is writable and executable');
	is(ask($guest, 'maps'), $maps, 'maps: the same again');
	return ($maps, $text, $stack);
}

sub try_walk {
	my ($guest, $text, $stack) = @_;
	my ($inside) = ask($guest, 'walk') =~ /^walk needs an address.*: walk ([0-9a-f]+)$/m;
	$inside //= 0;
	cmp_ok(hex $inside, '>=', $text->[0], 'walk: proposes an address');
	cmp_ok(hex $inside, '<', $text->[1], 'walk: in the text');
	for ([ hex $inside, '-', 'the text' ], [ $stack->[1] - 8, 'W', 'the stack' ]) {
		my ($addr, $write, $where) = @$_;
		my $walk = ask($guest, sprintf 'walk %x', $addr);
		is(join(' ', $walk =~ /^(P[GUM]D|PTE)\[/mg), 'PGD PUD PMD PTE', "walk: four levels, of $where");
		like($walk, qr/^PTE.* P $write U /m, "walk: rights of $where");
		my ($physical) = $walk =~ /^=> physical 0x([0-9a-f]+), in a page of 4 KiB/m;
		is(hex($physical // 0) & 4095, $addr & 4095, "walk: the physical address of $where");
		isnt(hex($physical // 0), 0, "walk: is one");
	}
	my $indices = join ' ', map { hex($inside) >> $_ & 511 } 39, 30, 21, 12;
	is(join(' ', ask($guest, "walk 0x$inside") =~ /^P..\[ *(\d+)\]/mg), $indices, 'walk: the indices of the address');
	like(ask($guest, 'walk 1000'), qr/^=> nothing /m, 'walk: where nothing is');
	for (qw(zzz 12x -1 0x 1ffffffffffffffff)) {
		like(ask($guest, "walk $_"), qr/^\Q$_\E is not an address in hexadecimal$/m, "walk: $_");
	}
	for (qw(ffffffff80000000 8000000000000000)) {
		like(ask($guest, "walk $_"), qr/^0x$_ is not an address of a program's half/m, "walk: $_");
	}
	like(ask($guest, 'walk 7fffffffefff'), qr/^=> nothing /m, 'walk: the last address a program can have');
	is(ask($guest, "walk $_"), "walk of 0x$_: Invalid argument\n", 'walk: behind it')
		for qw(7ffffffff000 800000000000);
}

sub try_memory {
	my ($guest) = @_;
	my ($free) = ask($guest, 'meminfo') =~ /^MemTotal:\s+\d+ kB\nMemFree:\s+(\d+) kB$/m;
	my ($blocks) = ask($guest, 'buddyinfo') =~ /^Node 0, zone +DMA32((?: +\d+){11}) *$/m;
	my ($pages, $order) = (0, 0);
	$pages += $_ << $order++ for split ' ', $blocks // '';
	cmp_ok($free // 0, '>', 400 * 1024, 'meminfo: most of 512 MiB is free');
	cmp_ok(abs($pages * 4 - ($free // 0)), '<', 1024, 'buddyinfo: and that is its blocks');
}

sub try_run {
	my ($guest) = @_;
	like(ask($guest, 'run /bin/hello-musl'), qr{\AHello from /bin/hello-musl\n}, 'run: a path');
	like(ask($guest, 'run hello-pie'), qr{\AHello from /bin/hello-pie\n}, 'run: a name');
	is(ask($guest, 'run /bin/busybox echo hi'), "hi\n", 'run: with arguments');
	like(ask($guest, 'run /init crash'), qr/^.*\[\d+\]: cannot write 0x[0-9a-f]+: .*\n.*ended by signal 11, /m,
		'run: a program that crashes');
	like(ask($guest, 'run /bin/busybox cat /nothere'), qr/^ +wait status 0x0100: ended with exit status 1$/m,
		'run: one that fails');
	like(ask($guest, 'run nothere'), qr/\Acannot run nothere: No such file or directory\n\z/, 'run: what isn\'t there');
	like(ask($guest, 'run /etc/motd'), qr{\Acannot run /etc/motd: }, 'run: what is no program');
	like(ask($guest, 'run'), qr/\Arun needs a program's name/, 'run: nothing');
	is(ask($guest, 'frobnicate 1'), "frobnicate is not a command here; help lists those there are\n",
		'an unknown command');
	is(ask($guest, ''), '', 'an empty line');
	is(ask($guest, 'run echo ' . join ' ', 1 .. 20), "more than 16 words are too many\n", 'too many words');
	is(ask($guest, 'x' x 300), "a line has at most 255 characters\n", 'too long a line');
	my $help = ask($guest, 'help');
	like($help, qr/^ +\Q$_\E\b/m, "help: $_") for qw(maps walk buddyinfo meminfo run tour poweroff);
}

sub try_editing {
	my ($guest, $maps) = @_;
	is(ask($guest, "mzz\x7f\x7faps"), $maps, 'backspace takes a character back');
	is(ask($guest, "run /bin/busybox\x15maps"), $maps, 'Ctrl-U takes the line back');
	is(ask($guest, "run /bin/busybox echo one two\x17three"), "one three\n", 'Ctrl-W takes a word back');
	is(ask($guest, "\x7f\x7f\x15maps"), $maps, 'on an empty line they do nothing');
	is(ask($guest, "run echo a\tb  c "), "a b c\n", 'spaces and tabs separate words');
	$guest->send("maps\r");
	is(answer($guest), $maps, 'a carriage return ends a line');

	# What is typed while nobody reads isn't lost; where its echo appears is a matter of time.
	$guest->send("a1\na2\na3\n");
	my @answers = map { qr/$_ is not a command here; .*/ } qw(a1 a2 a3);
	my $text = $guest->wait_for(qr/$answers[0].*$answers[1].*$answers[2]\n.*tessera> \z/s);
	ok(defined $text, 'lines typed ahead are read, in order');

	# A program run from the prompt reads the lines that follow it.
	$guest->send("run /bin/cat\n");
	$guest->send("to the program\n");
	ok(defined $guest->wait_for(qr/to the program\n.*^to the program\n\z/ms), 'a program reads from the console');
	$guest->send("\x04");
	ok(defined $guest->wait_for($prompt), 'Ctrl-D ends its input');
	is(ask($guest, 'maps'), $maps, 'and not the prompt\'s');
}

# --- keyboard and screen ------------------------------------------------------------------------

sub try_keyboard {
	my ($guest, $name) = @_;
	is(ask_by_keyboard($guest, 'run echo keys'), "keys\n", "$name: keyboard");
	is(ask_by_keyboard($guest, 'run /bin/echo By-Shift: 0+9=9_?>;'), "By-Shift: 0+9=9_?>;\n", "$name: shift");
	is(ask_by_keyboard($guest, "run echo {caps_lock}capsX{caps_lock}x"), "CAPSxx\n", "$name: caps lock");
	is(ask_by_keyboard($guest, "garbage\x15run echoo\x7f right {up}{f1}{home}{kp_5}"), "right 5\n",
		"$name: editing, and keys that mean nothing");
}

# The 80 by 25 characters of VGA's text mode, out of the guest's memory.
sub vga_text {
	my ($guest) = @_;
	my @cells = $guest->monitor('xp /2000hx 0xb8000') =~ /\b0x([0-9a-f]{4})\b/g;
	my $text = join '', map { chr(hex($_) & 0xff) } @cells;
	return join '', map { s/ +\z//r . "\n" } unpack '(A80)25', $text;
}

# A picture of the screen: width, height, and a list of its lines of 3 bytes a pixel.
sub screenshot {
	my ($guest) = @_;
	my $file = File::Temp->new(SUFFIX => '.ppm');
	$guest->monitor("screendump $file");
	my ($w, $h, $pixels) = Guest::slurp("$file") =~ /\AP6\n(\d+) (\d+)\n255\n(.*)\z/s;
	return ($w // 0, $h // 0, [ unpack '(a' . 3 * ($w // 0) . ')*', $pixels // '' ]);
}

# How many pixels have another colour than the most frequent one.
sub drawn_pixels {
	my (undef, undef, $lines) = @_;
	my %count;
	my $all = 0;
	for (@$lines) {
		$count{$_}++ for unpack '(a3)*';
		$all += length($_) / 3;
	}
	my ($most) = sort { $b <=> $a } values %count;
	return $all - ($most // 0);
}

# Each printable character by its picture, eight bits a line, in the font that the kernel has.
sub glyphs {
	my $font = Guest::slurp("$Guest::build/gen/font.psf");
	my ($magic, $height) = unpack 'n x C', $font;
	return if ($magic // 0) != 0x3604;
	return ($height, { map { substr($font, 4 + $_ * $height, $height) => chr } 32 .. 126 });
}

# Reads a picture of text: a cell that is no character is given as \0.
sub read_picture {
	my ($w, $h, $lines) = @_;
	my ($height, $glyphs) = glyphs() or return;
	my $cols = int $w / 8;
	my $text = '';
	for my $row (0 .. int($h / $height) - 1) {
		my @cells = ('') x $cols;
		for my $line (@$lines[$row * $height .. ($row + 1) * $height - 1]) {
			my $bits = $line =~ s/(...)/$1 eq "\0\0\0" ? 0 : 1/ger;
			my @bytes = unpack "(B8)$cols", pack 'B*', $bits;
			$cells[$_] .= pack 'B8', $bytes[$_] for 0 .. $cols - 1;
		}
		# The cursor is a character in exchanged colours.
		my @read = map { $glyphs->{$_} // $glyphs->{ ~$_ } // "\0" } @cells;
		$text .= join('', @read) =~ s/ +\z//r . "\n";
	}
	return $text;
}

# The last lines of the console are what the screen shows, wherever it has scrolled to.
sub try_screen {
	my ($guest, $mode) = @_;
	is(ask($guest, 'run echo on the screen'), "on the screen\n", 'a last line');
	my @picture = screenshot($guest);
	my $text_mode = "@picture[0, 1]" eq '720 400';
	note "a picture of @picture[0, 1]";
	ok($text_mode, 'the screen is in text mode') if $mode eq 'text';
	ok(!$text_mode, 'the screen is in a graphical mode') if $mode eq 'graphics';
	cmp_ok(drawn_pixels(@picture), '>', 1000, 'the picture isn\'t blank');

	my $screen = $text_mode ? vga_text($guest) : read_picture(@picture);
	SKIP: {
		skip 'the kernel was built without a font', 1 if !defined $screen;
		like($screen, qr/^tessera> run echo on the screen\non the screen\ntessera>\n+\z/m, 'and shows the console')
			or diag $screen =~ s/^/  | /mgr;
	}
}

# --- the machines -------------------------------------------------------------------------------

# A guest that stops answering ends its subtest, not the others.
sub machine {
	my ($name, $code, @options) = @_;
	subtest $name => sub {
		my $guest = Guest->start(@options);
		my $done = eval {
			defined $guest->wait_for($prompt) or die "no prompt\n";
			$code->($guest);
			1;
		};
		if (!$done) {
			fail("the guest answers: $@");
			$guest->stop;
		}
	};
}

machine('PVH', sub {
	my ($guest) = @_;
	my ($maps, $text, $stack) = try_maps($guest);
	try_walk($guest, $text, $stack);
	try_memory($guest);
	try_run($guest);
	try_editing($guest, $maps);
	try_keyboard($guest, 'PVH');
	try_screen($guest, 'text');
	$guest->send("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff');
}, limit => 60);

machine('an input that ends', sub {
	my ($guest) = @_;
	$guest->send("\x04");
	Guest::ends_well($guest->finish, 'Ctrl-D');
}, limit => 20);

machine('ISO under BIOS', sub {
	my ($guest) = @_;
	try_keyboard($guest, 'BIOS');
	try_screen($guest, 'any');
	$guest->type("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff by keyboard');
}, via => 'bios', limit => 60);

machine('ISO under UEFI', sub {
	my ($guest) = @_;
	try_keyboard($guest, 'UEFI');
	try_screen($guest, 'graphics');
	$guest->type("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff by keyboard');
}, via => 'uefi', limit => 120);

done_testing;
