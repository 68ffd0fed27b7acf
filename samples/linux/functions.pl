# Functions for driver.pl.
package Functions;
use strict;
use warnings;

sub add {
	my ($a, $b) = @_;
	return $a + $b;
}

sub titles {
	return [map { join ' ', map { ucfirst lc } split } @_];
}

sub fail {
	die "as asked\n";
}

1;
