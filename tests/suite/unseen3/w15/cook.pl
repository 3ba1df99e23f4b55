#!/usr/bin/perl
use strict;
use warnings;
use File::Basename qw(basename);
use Getopt::Long;
use JSON;
use Recipe::Scale;
use Template;

my $cards = $ENV{CARDS} || '/usr/local/lib/cards';
GetOptions('persons=i' => \my $persons, 'json' => \my $json, 'list' => \my $list) or exit 64;

if ($list || !@ARGV) {
    print map { basename($_, '.json') . "\n" } sort glob("$cards/*.json");
    exit;
}

open my $in, '<:raw', "$cards/$ARGV[0].json" or die "cook: no card $ARGV[0]: $!\n";
my $card = decode_json(do { local $/; <$in> });
my @needs = Recipe::Scale->new($card)->persons($persons || $card->{persons});

if ($json) {
    print JSON->new->canonical->utf8->encode(\@needs), "\n";
    exit;
}
my $template = Template->new({INCLUDE_PATH => $cards, ENCODING => 'utf8'});
binmode STDOUT, ':utf8';
$template->process('card.tt', {title => $card->{title}, persons => $persons || $card->{persons}, needs => \@needs})
    or die $template->error, "\n";
