# The programs of shell-pipeline/, in the folder's order.

setup() {
    load helper
    cd "$BATS_TEST_TMPDIR"
    token=$RANDOM-$RANDOM
}

@test "connect2: CMD2 reads what CMD1 writes, and sees the end of it" {
    run -0 --separate-stderr connect2 echo "$token" -- cat
    assert_output "$token"
    assert_equal "$stderr" ''
    run -0 connect2 printf '%s' "$token" -- wc -c
    assert_output "${#token}"
}

@test "connect2: a gigabyte goes through" {
    run -0 connect2 head -c 1G /dev/zero -- wc -c
    assert_output $((1 << 30))
}

@test "connect2: the status is CMD2's, as a shell has it" {
    run -7 connect2 false -- sh -c 'cat; exit 7'
    run -0 connect2 sh -c 'exit 7' -- true
    run -137 connect2 true -- sh -c 'kill -KILL $$'
    run -0 connect2 sh -c 'kill -KILL $$' -- true
    run -126 connect2 true -- /
    run -127 connect2 true -- ./nosuch
}

@test "connect2: a CMD1 that does not exist is named, and CMD2 runs, once" {
    run -0 --separate-stderr connect2 ./nosuch -- sh -c 'cat; echo once'
    assert_output once
    assert_equal "${#stderr_lines[@]}" 1
    [[ $stderr == *./nosuch* ]]
}

@test "connect2: it ends when both commands have ended, not before" {
    run -0 connect2 sh -c \
        'exec >&-; head -c 50M /dev/zero | cksum >/dev/null; echo late >late' \
        -- true
    assert_file_exist late # waitpid for CMD1, too
    run -0 connect2 true -- sh -c \
        'head -c 50M /dev/zero | cksum >/dev/null; echo late >later'
    assert_file_exist later
}

@test "connect2: its commands have no spare end of the pipe open" {
    run -0 bash -c '
        ls /proc/self/fd >plain
        connect2 ls /proc/self/fd -- cat >first
        connect2 true -- ls /proc/self/fd >second
        diff plain first && diff plain second'
    assert_output ''
}

@test "connect2: it works with any of 0, 1 and 2 closed" {
    run -0 bash -c '
        for closed in "<&-" ">&-" "2>&-" "<&- >&-" "<&- 2>&-" ">&- 2>&-" \
            "<&- >&- 2>&-"; do
            eval "connect2 echo $0 -- sh -c \"cat >got\" $closed" </dev/null
            [ "$(cat got)" = "$0" ] || echo "not with $closed"
            rm -f got
        done' "$token"
    assert_output ''
}

@test "connect2: what is closed stays closed for the commands" {
    run -0 bash -c 'connect2 true -- sh -c "readlink /proc/self/fd/1 >got" >&-'
    run -1 bash -c 'connect2 true -- sh -c "echo x" >&- 2>/dev/null'
}

@test "connect2: a CMD2 that ends first costs CMD1 a SIGPIPE, nothing more" {
    run -0 --separate-stderr connect2 yes -- head -n 1
    assert_output y
    assert_equal "$stderr" ''
}

@test "connect2: two commands that do not have -- between them are refused" {
    for words in 'echo' 'echo --' '-- cat' 'echo -- cat -- cat'; do
        # shellcheck disable=SC2086 # the words are words
        run -2 --separate-stderr connect2 $words
        assert_equal "$output" ''
        [[ $stderr == *--* ]]
    done
}

@test "connect2 --pipe-size: the pipe between the commands has that size" {
    run -0 connect2 --pipe-size 262144 perl -e \
        'print fcntl(STDOUT, 1032, 0), "\n"' -- cat # 1032 is F_GETPIPE_SZ
    assert_output 262144
}

@test "connect2 --pipe-size: more than the limit is refused" {
    without_privilege connect2
    run -1 "${AS_NOBODY[@]}" connect2 --pipe-size 2147483647 true -- true
    assert_output --partial 2147483647
    assert_output --partial /proc/sys/fs/pipe-max-size
}

@test "connect2 --no-close: CMD2 is stuck, and the holder of the end is named" {
    run -124 --separate-stderr connect2 --no-close echo "$token" -- cat
    assert_output "$token"
    [[ $stderr == *cat*EOF*Parent* ]]
}

@test "connect2 --no-close: a CMD2 that does not read to the end is not stuck" {
    run -3 connect2 --no-close echo "$token" -- sh -c 'exit 3'
}

@test "connect2 --verbose: the tables show the pipe move to 1 and to 0" {
    run -0 --separate-stderr connect2 --verbose true -- true
    assert_equal "$(grep -c 'dup2:$' <<<"$stderr")" 4
    [[ $stderr =~ Child\ 1\ after\ dup2:.*1\ \ pipe:\[[0-9]+\]\ write ]]
    [[ $stderr =~ Child\ 2\ after\ dup2:.*0\ \ pipe:\[[0-9]+\]\ read ]]
}

@test "connect2: a fork that fails ends the command that was started" {
    requires strace
    mkfifo never
    run -1 strace -o log -e trace=clone -e inject=clone:error=EAGAIN:when=2 \
        "$BIN/connect2" cat never -- cat
    assert_output --partial 'fork: Resource temporarily unavailable'
}

@test "connect2: its commands end when it is killed" {
    mkfifo never
    connect2 cat never -- cat never 3>&- &
    wait_until pgrep -P $! -x cat >/dev/null
    kill -KILL $!
    wait $! || true # teardown looks for what is left
}

@test "pipeline: every stage reads from the one before" {
    run -0 --separate-stderr pipeline echo "$token" -- rev -- rev -- cat
    assert_output "$token"
    assert_equal "$stderr" ''
    run -0 pipeline echo "$token"
    assert_output "$token"
}

@test "pipeline: 500 stages fit into 16 descriptors" {
    run -0 bash -c '
        for ((i = 1; i < 500; i++)); do stages+=(cat --); done
        ulimit -n 16
        echo "$0" | pipeline "${stages[@]}" cat' "$token"
    assert_output "$token"
}

@test "pipeline: its stages have no spare end of a pipe open" {
    run -0 bash -c '
        ls /proc/self/fd >plain
        pipeline ls /proc/self/fd -- cat -- cat >first
        pipeline true -- ls /proc/self/fd -- cat >second
        pipeline true -- true -- ls /proc/self/fd >third
        diff plain first && diff plain second && diff plain third'
    assert_output ''
}

@test "pipeline: it works with any of 0, 1 and 2 closed" {
    run -0 bash -c '
        for closed in "<&-" ">&-" "2>&-" "<&- >&-" "<&- 2>&-" ">&- 2>&-" \
            "<&- >&- 2>&-"; do
            eval "pipeline echo $0 -- cat -- cat -- sh -c \"cat >got\" $closed" \
                </dev/null
            [ "$(cat got)" = "$0" ] || echo "not with $closed"
            rm -f got
        done' "$token"
    assert_output ''
}

@test "pipeline: the status is the last stage's" {
    run -5 pipeline true -- false -- sh -c 'exit 5'
    run -0 pipeline false -- sh -c 'exit 5' -- true
    run -127 pipeline true -- ./nosuch
    run -126 pipeline true -- /
    run -143 pipeline true -- sh -c 'kill -TERM $$'
}

@test "pipeline --pipefail --status: as bash has them" {
    run -0 bash -c '
        run_both() {
            bash -o pipefail -c "$1
                echo \$? \${PIPESTATUS[@]}" >expected 2>/dev/null
            read -ra words <<<"${1//|/--}"
            pipeline --pipefail --status "${words[@]}" 2>err
            echo "$? $(sed -n "s/^PIPESTATUS: //p" err)" | diff expected -
        }
        run_both "true | true | true"
        run_both "true | false | true"
        run_both "false | ./nosuch | true"
        run_both "yes | true | /"
        run_both "false"'
    assert_output ''
}

@test "pipeline: a fork that fails names its stage and ends those before it" {
    requires strace
    mkfifo never
    run -1 strace -o log -e trace=clone -e inject=clone:error=EAGAIN:when=3 \
        "$BIN/pipeline" cat never -- cat never -- wc -- cat
    assert_output --partial 'stage 3 (wc): fork'
}

@test "pipeline: an empty stage is refused" {
    run -2 pipeline ls -- -- wc
    assert_output --partial --
    run -2 pipeline ls --
}

@test "pipeline --wait-first: stuck when a stage writes more than a pipe holds" {
    run -0 pipeline --wait-first seq 10 -- wc -l
    assert_output 10
    run -124 --separate-stderr pipeline --wait-first seq 100000 -- wc -l
    assert_output ''
    [[ $stderr == *'stage 1 (seq)'* ]]
}

@test "pipeline: its stages end when it is killed" {
    mkfifo never
    pipeline cat never -- cat -- cat never 3>&- &
    wait_until pgrep -P $! -x cat >/dev/null
    kill -KILL $!
    wait $! || true
}

@test "capture: stdout and stderr come apart, and the status is the command's" {
    run -3 --separate-stderr capture sh -c "echo $token; echo no >&2; exit 3"
    assert_line --index 0 "Parent captured $((${#token} + 1)) bytes of stdout"
    assert_line --index 1 "$token"
    assert_line --index 2 'Parent captured 3 bytes of stderr'
    assert_line --index 3 'no'
    assert_equal "$stderr" ''
    run -137 capture sh -c 'kill -KILL $$'
}

@test "capture true: two empty strings" {
    run -0 capture true
    assert_line 'Parent captured 0 bytes of stdout'
    assert_line 'Parent captured 0 bytes of stderr'
}

@test "capture: 10 MiB on both streams at once, to the byte" {
    run -0 bash -c '
        perl -e "\$_ = join q(), map { chr rand 256 } 1 .. 1 << 16;
            print \$_ x 160" >ten
        capture perl -e "open F, q(<), q(ten); binmode F;
            open R, q(>), q(reversed); binmode R;
            while (read F, \$_, 1 << 16) {
                syswrite STDOUT, \$_; \$_ = reverse;
                syswrite STDERR, \$_; print R \$_ }" >both
        size=$(stat -c %s ten)
        tail -n +2 both | head -c "$size" | cmp - ten
        grep -aobF "Parent captured $size bytes of stderr" both |
            tail -n 1 | cut -d: -f1 >at
        tail -c +$(($(cat at) + 42)) both | head -c "$size" | cmp - reversed'
    assert_output ''
}

@test "capture: NULs are kept" {
    run -0 bash -c 'capture printf "a\0b" | od -An -c | tr -d " \n"'
    assert_output --partial 'a\0b'
}

@test "capture: a command that closes its stdout goes on, and is waited for" {
    run -4 capture sh -c \
        'echo before; exec >&- 2>&-; head -c 50M /dev/zero | cksum >sum; exit 4'
    assert_line before
    assert_file_exist sum
}

@test "capture: a command that cannot be run is named by capture itself" {
    run -127 --separate-stderr capture "./$token"
    assert_output ''
    assert_equal "$stderr" "capture: ./$token: No such file or directory"
    run -126 capture /
}

@test "capture: a process left in the background does not hold it up for ever" {
    mkfifo gate
    run -0 capture sh -c "cat gate & echo $token"
    assert_line "$token"
    assert_output --partial background
    : >gate # cat ends
}

@test "capture: its command has no end of a pipe but 1 and 2" {
    run -0 bash -c '
        ls /proc/self/fd >plain
        capture ls /proc/self/fd | grep "^[0-9]*$" | diff plain -'
    assert_output ''
}

@test "capture: it works with any of 0, 1 and 2 closed" {
    run -0 bash -c '
        for closed in "<&-" ">&-" "2>&-" "<&- >&-" "<&- 2>&-" ">&- 2>&-" \
            "<&- >&- 2>&-"; do
            eval "capture sh -c \"echo out && echo error >&2 && echo $0 >got\"" \
                "$closed" </dev/null >/dev/null 2>&1
            [ "$(cat got)" = "$0" ] || echo "not with $closed"
            rm -f got
        done' "$token"
    assert_output ''
}

@test "capture --wait-first: stuck when the command writes more than a pipe holds" {
    run -0 capture --wait-first seq 10
    run -124 --separate-stderr capture --wait-first seq 100000
    assert_output ''
    [[ $stderr == *seq*room* ]]
    run -124 capture --wait-first sh -c 'seq 100000 >&2'
}

@test "capture: its command ends when it is killed" {
    mkfifo never
    capture cat never 3>&- &
    wait_until pgrep -P $! -x cat >/dev/null
    kill -KILL $!
    wait $! || true
}

@test "popen-status: output comes line by line, the status at the end" {
    run -6 --separate-stderr popen-status "echo $token; exit 6"
    assert_line "Parent read: $token"
    assert_line 'Parent: exited with status 6'
    assert_equal "$stderr" ''
}

@test "popen-status: a command that does not exist is the shell's to say: 127" {
    run -127 --separate-stderr popen-status "nosuch$RANDOM"
    assert_line 'Parent: exited with status 127'
    [[ $stderr == *nosuch* ]]
}

@test "popen-status: a command that is killed is told from one that exits" {
    run -143 popen-status 'kill -TERM $$'
    assert_output --partial 'signal 15'
    run -15 popen-status 'exit 15'
    assert_line 'Parent: exited with status 15'
}

@test "popen-status: stderr does not come through the pipe" {
    run -0 --separate-stderr popen-status "echo $token >&2"
    refute_output --partial 'Parent read'
    assert_equal "$stderr" "$token"
}

@test "coprocess: each question is answered before the next is asked" {
    run -0 --separate-stderr coprocess
    assert_equal "$stderr" ''
    run -0 awk '
        /^Parent sends:/ { sum = $3 + $4; asked++ }
        /^Parent got:/ { if ($3 == sum) right++ }
        END { print (asked > 1 && asked == right) }' <<<"$output"
    assert_output 1
}

@test "coprocess filter: adds the numbers of each line" {
    run -0 coprocess filter <<<"$RANDOM -3"$'\n''0.5 0.25'$'\nno numbers'
    assert_line 0.75
    assert_output --partial 'two numbers'
}

@test "coprocess --no-flush: both sides wait, each on the other" {
    run -124 --separate-stderr coprocess --no-flush
    assert_output --partial 'Parent sends:'
    refute_output --partial 'Parent got:'
    [[ $stderr == *buffer* ]]
}

@test "coprocess: a role that it does not have is refused by name" {
    run -2 coprocess server
    assert_output --partial server
}
