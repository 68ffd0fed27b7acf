#!/usr/bin/perl
# driver.pl FILE.pl - answers calls of the functions of the package Functions.
use strict;
use warnings;
use JSON::PP;

do $ARGV[0] or die "$ARGV[0]: ", $@ || $!, "\n";
my $json = JSON::PP->new->canonical->allow_nonref;

sub answer {
	my ($call) = @_;
	my ($name, $args) = ($call->{function}, $call->{args} // []);
	my $function = Functions->can($name) or die "no such function: $name\n";
	return $function->(ref $args eq 'HASH' ? %$args : @$args);
}

open my $requests, '<', '/dev/thaw' or die "/dev/thaw: $!\n";
open my $replies, '>', '/dev/thaw' or die "/dev/thaw: $!\n";
$replies->autoflush;
while (my $line = <$requests>) {
	my $result = eval { answer($json->decode($line)) };
	my $reply = {result => $result};
	if (my $error = $@) {
		chomp $error;
		$reply = {error => {type => ref $error || 'Error', message => "$error"}};
	}
	print $replies $json->encode($reply), "\n";
}
