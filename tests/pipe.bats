# The programs of pipe/, in the folder's order.

setup() {
    load helper
}

@test "pipe-hello: Child receives what Parent wrote, then the end of file" {
    run -0 --separate-stderr pipe-hello
    assert_output - <<-'END'
	Child received: Hello from parent!
	Child: read says 0, the end of file
	END
    assert_equal "$stderr" ''
}

@test "pipe-hello MESSAGE: any words go through" {
    token="$RANDOM spaces  and	a tab $RANDOM"
    run -0 pipe-hello "$token"
    assert_line "Child received: $token"
    run -0 pipe-hello ''
    assert_line 'Child received: '
}

@test "pipe-hello: a MESSAGE of PIPE_BUF bytes arrives whole, one more is refused" {
    message=$(printf '%04096d' 7)
    run -0 pipe-hello "$message"
    assert_line "Child received: $message"
    run -2 pipe-hello "${message}8"
    assert_output --partial '4096 bytes'
}

@test "pipe-hello --same-process: the writer reads its own words back" {
    token=$RANDOM$RANDOM
    run -1 pipe-hello --same-process $token
    assert_line "Parent received: $token"
    refute_output --partial 'Child'
    assert_output --partial 'a pipe has one direction'
}

@test "pipe-hello: two arguments are one too many" {
    run -2 pipe-hello one two
    assert_output --partial two
}

@test "pipe-eof: first data, then nothing, then POLLHUP and a read that says 0" {
    run -0 --separate-stderr pipe-eof
    assert_output --regexp 'POLLIN.*POLLHUP.*read says 0'
    assert_equal "$stderr" ''
}

@test "pipe-eof: the counts show Parent's write end closed and Child's still open" {
    run -0 pipe-eof
    assert_line --regexp 'Parent[^0-9]* 1.*Child[^0-9]* 1'
    assert_line --regexp 'Parent[^0-9]* 0.*Child[^0-9]* 1'
}

@test "pipe-eof: the end of file comes when Child, the last writer, has gone" {
    traced trace=poll,ppoll,read,exit_group -y pipe-eof
    assert_success
    accept_log '
        / (p?poll)\(.*revents=POLLHUP/ { hangup = NR }
        / exit_group\(0\)/ && !child { child = NR }
        / read\(.*<pipe:.*"", [0-9]+\) += 0/ { end = NR }
        END {
            if (!hangup) print "poll never reported POLLHUP"
            if (end < hangup || end < child)
                print "no read said 0 after POLLHUP, and after Child had gone"
        }'
}

@test "pipe-eof --no-close: Parent waits for itself, says so and gives up" {
    run -124 pipe-eof --no-close
    assert_output --partial 'POLLIN'
    refute_output --partial 'POLLHUP'
    refute_output --partial 'read says 0'
    assert_output --regexp 'stuck.*Parent.* 1 write end'
}

@test "pipe-sigpipe: one child is killed, status 141, the other gets EPIPE" {
    run -0 --separate-stderr pipe-sigpipe
    assert_output --partial 'SIGPIPE'
    assert_output --partial 'EPIPE'
    assert_output --partial "$(env --default-signal=PIPE bash -c \
        'yes 2>&1 | :; echo ${PIPESTATUS[0]}')"
    assert_equal "$stderr" ''
}

@test "pipe-sigpipe: the kernel kills exactly one of the two" {
    traced trace=write,exit_group -y pipe-sigpipe
    assert_success
    accept_log '
        / write\(.*<pipe:.* = -1 EPIPE/ { failed++ }
        /[+] killed by SIGPIPE/ { killed++ }
        END {
            if (failed != 2) print failed + 0 " writes found no reader, not 2"
            if (killed != 1) print killed + 0 " were killed by SIGPIPE, not 1"
        }'
}

@test "pipe-sigpipe: a caller that ignores or blocks SIGPIPE changes nothing" {
    bounded pipe-sigpipe >"$BATS_TEST_TMPDIR/usual"
    run -0 env --ignore-signal=PIPE pipe-sigpipe
    assert_output - <"$BATS_TEST_TMPDIR/usual"
    run -0 env --block-signal=PIPE pipe-sigpipe
    assert_output - <"$BATS_TEST_TMPDIR/usual"
}

# Says what a pipe holds: perl fills one. After the chunk the size, if any.
held() {
    perl -MFcntl -e '
        my ($chunk, $size) = @ARGV;
        pipe(R, W) or die "pipe: $!";
        !$size or fcntl(W, 1031, $size + 0) or die "F_SETPIPE_SZ: $!";
        fcntl(W, F_SETFL, O_NONBLOCK) or die "F_SETFL: $!";
        my ($sum, $n, $bytes) = (0, 0, "x" x $chunk);
        $sum += $n while defined($n = syswrite(W, $bytes));
        my $capacity = fcntl(W, 1032, 0);
        print "$sum $capacity\n"' "$@"
}

@test "pipebuffer: counts what a pipe holds, and names PIPE_BUF" {
    requires perl perl-base
    read -r sum capacity < <(held 4096)
    run -0 --separate-stderr pipebuffer
    assert_output --regexp "\b$sum bytes"
    assert_output --regexp "\b$capacity\b"
    assert_output --regexp "PIPE_BUF.* $(getconf PIPE_BUF /)\b"
    assert_equal "$stderr" ''
}

@test "pipebuffer --chunk 3000: holds less, and says how much stays empty" {
    requires perl perl-base
    read -r sum capacity < <(held 3000)
    run -0 pipebuffer --chunk 3000
    assert_output --regexp "\b$sum bytes"
    assert_output --regexp "\b$((capacity - sum)) bytes stay empty"
}

@test "pipebuffer --chunk N --size N: for any of them, what perl finds" {
    requires perl perl-base
    export -f held
    run -0 bash -c '
        for size in 4096 5000 65536 1048576; do
            for chunk in 1 3000 4095 4096 4097 65536; do
                ((size / chunk < 100000)) || continue # too long a run
                read -r sum capacity < <(held $chunk $size)
                text=$(pipebuffer --chunk $chunk --size $size) ||
                    echo "--chunk $chunk --size $size: status $?"
                for find in "\\b$sum bytes" "\\b$capacity\\b" "byte $((sum + 1))\\b"; do
                    grep -q "$find" <<<"$text" ||
                        echo "--chunk $chunk --size $size: no $find in: $text"
                done
                ((sum < capacity)) || ! grep empty <<<"$text"
            done
        done'
    assert_output ''
}

@test "pipebuffer --size 5000: asked and got are two numbers" {
    run -0 pipebuffer --size 5000
    assert_line --regexp '5000\b.*\b8192\b'
}

@test "pipebuffer: Child sleeps in write until Parent reads" {
    traced trace=read,write,fork,vfork,clone,clone3 -y pipebuffer
    assert_success
    accept_log '
        / (clone|clone3|fork|vfork)\(/ && !parent { parent = $1 }
        $1 != parent && / write\(.*<pipe:.*unfinished/ { asleep = $1 }
        asleep && $1 == parent && / read\(.*<pipe:.* = [1-9]/ { room = 1 }
        room && $1 == asleep && /write resumed.* = [1-9]/ { done = 1 }
        END { if (!done) print "no write of Child was freed by a read of Parent" }'
}

@test "pipebuffer --size: above a user's limit it is refused, and the limit named" {
    without_privilege pipebuffer
    limit=$(</proc/sys/fs/pipe-max-size)
    run -1 "${AS_NOBODY[@]}" pipebuffer --size $((limit * 2))
    assert_output --partial $((limit * 2))
    assert_output --partial 'Operation not permitted'
    assert_output --regexp "pipe-max-size.* $limit\b"
}

@test "pipe-atomic: records of PIPE_BUF bytes are never torn" {
    run -0 --separate-stderr pipe-atomic
    assert_output --regexp '\b0 torn'
    assert_equal "$stderr" ''
}

@test "pipe-atomic: up to PIPE_BUF nothing is torn, whatever the size" {
    run -0 bash -c '
        for size in 1 100 3000 4095 4096; do
            for writers in 1 2 7 30; do
                pipe-atomic --size $size --writers $writers |
                    grep -q "\b0 torn" || echo "--size $size --writers $writers"
            done
        done'
    assert_output ''
}

@test "pipe-atomic: 4 Writers write 200 times PIPE_BUF bytes each" {
    traced trace=write -y pipe-atomic
    assert_success
    accept_log -v size="$(getconf PIPE_BUF /)" '
        / write\(.*<pipe:/ && $0 ~ ", " size "( <unfinished| *\\))" { n[$1]++ }
        END {
            for (pid in n)
                if (n[pid] == 200) right++
            if (right != 4) print right + 0 " Writers sent 200 records, not 4"
        }'
}

@test "pipe-atomic --size 8192: above PIPE_BUF records are torn, in each run" {
    run -1 --separate-stderr pipe-atomic --size 8192
    assert_line --regexp '\b[1-9][0-9]* torn'
    assert [ -n "$stderr" ]
    requires taskset util-linux
    run -0 bash -c '
        for i in {1..10}; do
            pipe-atomic --size 8192
            pipe-atomic --size 8192 --writers 2
            taskset -c $CORE pipe-atomic --size 8192 --writers 2
        done 2>&1 | grep -c "\b[1-9][0-9]* torn"'
    assert_output 30
}

@test "pipe-atomic --writers 1: nobody tears, whatever the size" {
    run -0 pipe-atomic --writers 1 --size 65536
    assert_output --regexp '\b0 torn'
}

@test "pipe-atomic: 200 Writers, and 0 torn" {
    run -0 pipe-atomic --writers 200
    assert_output --regexp '\b0 torn'
}

@test "pipe-atomic: a Writer that is killed is noticed" {
    requires strace
    run -1 strace -f -qq -o /dev/null -e trace=write \
        -e inject=write:signal=KILL:when=100 pipe-atomic
    refute_output --partial '4 of 4'
}

@test "pipe-atomic: a fork that fails is named, and the Writers end" {
    without_privilege pipe-atomic
    run -1 "${AS_NOBODY[@]}" bash -c 'ulimit -u 20; exec pipe-atomic --writers 200'
    assert_output --regexp 'fork of Writer [0-9]+: Resource temporarily'
}

@test "pipe-duplex: each answer is the question in capitals" {
    run -0 --separate-stderr pipe-duplex
    assert_equal "$stderr" ''
    run -0 awk '
        sub(/^Parent asks: /, "") { asked = $0 }
        sub(/^Parent got: /, "") && $0 != asked && $0 == toupper(asked) { n++ }
        END { print n + 0 }' <<<"$output"
    assert_output 3
}

@test "pipe-duplex: Parent and Child write into a pipe each" {
    traced trace=write -y pipe-duplex
    assert_success
    accept_log '
        match($0, / write\([0-9]+<pipe:\[[0-9]+\]>/) {
            split(substr($0, RSTART, RLENGTH), part, /[][]/)
            if (writer[part[2]] && writer[part[2]] != $1)
                print "two processes write into one pipe"
            if (!writer[part[2]]) n++
            writer[part[2]] = $1
        }
        END { if (n != 2) print n + 0 " pipes are written to, not 2" }'
}

@test "pipe-duplex: the answers are Child's in 50 of 50 runs" {
    bounded pipe-duplex >"$BATS_TEST_TMPDIR/usual"
    run -0 bash -c 'for i in {1..50}; do
        pipe-duplex | cmp - "$1" || exit; done' bash "$BATS_TEST_TMPDIR/usual"
}

@test "pipe-duplex --one-pipe: Parent reads its own question, in each run" {
    run -1 pipe-duplex --one-pipe
    asked=$(sed -n 's/^Parent asks: //p' <<<"$output")
    assert_line "Parent got: $asked"
    bounded pipe-duplex --one-pipe >"$BATS_TEST_TMPDIR/usual" 2>&1 || true
    run -0 bash -c 'for i in {1..50}; do
        pipe-duplex --one-pipe 2>&1 | cmp - "$1" || exit; done' \
        bash "$BATS_TEST_TMPDIR/usual"
}

@test "pipe-barrier: Parent goes on when all are ready, and not before" {
    run -0 --separate-stderr pipe-barrier
    assert_output --partial '5 of 5'
    assert_equal "$stderr" ''
    run -0 pipe-barrier --children 1
    assert_output --partial '1 of 1'
    run -0 bash -c 'for i in {1..10}; do pipe-barrier --children 9 || exit; done |
        grep -c "9 of 9.* ready"'
    assert_output 10
}

@test "pipe-barrier: no byte is sent, and nobody ends before all are ready" {
    traced trace=read,write,fork,vfork,clone,clone3,exit_group -y \
        pipe-barrier --children 20
    assert_success
    accept_log '
        / (clone|clone3|fork|vfork)\(/ && !parent { parent = $1 }
        / write\(.*<pipe:/ { print "a byte: " $0 }
        $1 == parent && (/ read\(.*<pipe:.*"", [0-9]+\) += 0/ ||
                         /read resumed.* = 0/) { fallen = 1 }
        / exit_group\(0/ && !fallen { print "too early: " $0 }
        END { if (!fallen) print "no read of Parent said 0" }'
}

@test "pipe-barrier: a fork that fails is named, and the other children end" {
    without_privilege pipe-barrier
    run -1 "${AS_NOBODY[@]}" bash -c 'ulimit -u 20; exec pipe-barrier --children 200'
    assert_output --regexp 'fork of Child [0-9]+: Resource temporarily'
}
