#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# wire-count.pl CAPTURE ADDRESSES... - what two machines said, by IPv4
#
# ADDRESSES is the beginning of those of a network, "10.1.0.". For each there is
# a line: ADDRESSES PACKETS LINES PSP TCP: packets; lines of eight digits that can
# be read in them; packets of PSP; segments of TCP with data.

use strict;
use warnings;

my ($capture, @nets) = @ARGV;
my %name = map { pack("C3", split /\./) => $_ } @nets;
my %count = map { $_ => [0, 0, 0, 0] } @nets;

sub look {
	my ($packet, $count) = @_;
	my ($head, $size, $proto) = unpack("C x n x5 C", $packet);

	$head = ($head & 15) * 4;
	$count->[0]++;
	$count->[1]++ while $packet =~ /^[0-9]{8}$/mg;
	if ($proto == 17) {
		$count->[2]++ if unpack("n", substr($packet, $head + 2)) == 1000;
	} elsif ($proto == 6) {
		$head += (unpack("C", substr($packet, $head + 12)) >> 4) * 4;
		$count->[3]++ if $size > $head;
	}
}

my $head;

open(my $file, '<:raw', $capture) or die "$capture: $!\n";
read($file, $head, 24) == 24 && unpack("L", $head) == 0xa1b2c3d4 or
	die "$capture: no capture\n";
while (read($file, $head, 16) == 16) {
	my $len = unpack("x8 L", $head);

	read($file, my $frame, $len) == $len or die "$capture: not whole\n";
	next if $len < 34 || unpack("x12 n", $frame) != 0x800;
	my $net = $name{substr($frame, 26, 3)};
	look(substr($frame, 14), $count{$net}) if defined $net;
}
print "$_ @{$count{$_}}\n" for @nets;
