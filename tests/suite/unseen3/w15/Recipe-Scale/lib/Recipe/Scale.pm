package Recipe::Scale;

use strict;
use warnings;
use List::MoreUtils qw(pairwise);
use XSLoader;

our $VERSION = '0.04';
XSLoader::load('Recipe::Scale', $VERSION);

my %step = (g => 5, ml => 10, pcs => 1);

sub new {
    my ($class, $card) = @_;
    return bless {card => $card}, $class;
}

sub persons {
    my ($self, $persons) = @_;
    my $factor = $persons / $self->{card}{persons};
    my @amounts = map { nearest($_->{amount} * $factor, $step{$_->{unit}} // 1) } @{$self->{card}{needs}};
    my @needs = @{$self->{card}{needs}};
    return pairwise { +{%$a, amount => $b} } @needs, @amounts;
}

1;
