#!/usr/bin/perl
# lanes-fuzz.pl SEED SECONDS LANES LOG... - damages recorded logs in a way
# that SEED decides, draws each, and stops at the first that crashes lanes.
use strict;
use warnings;
use Time::HiRes 'time';

my ($seed, $seconds, $lanes, @logs) = @ARGV;
my $end = time + $seconds;
my @pool; # the lines of all logs
for my $log (@logs) {
    open my $in, '<', $log or die "$log: $!\n";
    push @pool, [<$in>];
}
my @odd = ('<', '>', '[', ']', '{', '}', '(', ')', '"', ', ', ' = ', '...',
    '<unfinished ...>', ' resumed>', '-1', '0', '99999999999999999999', "\\",
    '?', '->', '0x', "\xff", '=', ' ', "\n", '-1 EINTR', 'NULL', '+++ ');
my $runs = 0;

while (time < $end) {
    srand $seed;
    my @lines = @{ $pool[rand @pool] };
    for (0 .. rand 12) {
        my $at = int rand @lines;
        my $other = $pool[rand @pool];
        my $pos = int rand length $lines[$at];
        my $way = int rand 7;
        if ($way == 0) { splice @lines, $at, 1 + rand 3 }
        elsif ($way == 1) { splice @lines, $at, 0, $other->[rand @$other] }
        elsif ($way == 2) { substr $lines[$at], $pos, 1 + rand 8, '' }
        elsif ($way == 3) { substr $lines[$at], $pos, 0, $odd[rand @odd] }
        elsif ($way == 4) { $lines[$at] =~ s/(\d+)/int rand 2 ? $1 + 1 : -$1/e }
        elsif ($way == 5) { splice @lines, $at }
        else { @lines[$at, -1] = @lines[-1, $at] }
        @lines = ("1 pause()\n") if !@lines;
    }
    my $file = "damaged.$seed.log";
    open my $out, '>', $file or die "$file: $!\n";
    print $out @lines;
    close $out;
    my @options = ([], ['-a'], ['-f'], ['-n', 2], ['-W', 30], ['-l'],
        ['-o', 'x.svg'], ['-n', 3, '-o', 'x.html'])[$seed % 8]->@*;
    my $lanes_pid = open(my $from, '-|') // die "fork: $!\n";
    if (!$lanes_pid) {
        alarm 20; # it outlives the exec
        open STDERR, '>&', \*STDOUT;
        exec $lanes, @options, '-r', $file;
    }
    my $said = join '', <$from>;
    close $from;
    die "seed $seed: status ", $? >> 8, ", signal ", $? & 127, ": $file\n$said"
        if $? & 127 || $said =~ /Sanitizer|runtime error/;
    unlink $file;
    $seed++;
    $runs++;
}
print "$runs logs\n";
