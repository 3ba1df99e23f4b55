use strict;
use warnings;
use Test::More tests => 2;
use Recipe::Scale;

my $scale = Recipe::Scale->new({persons => 2, needs => [{name => 'rice', amount => 150, unit => 'g'}]});
my ($rice) = $scale->persons(3);
is($rice->{amount}, 225);
is(Recipe::Scale::nearest(0.2, 1), 1);
