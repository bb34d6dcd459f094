# ipcbench: what it moves, what it notices, what it leaves. Never a figure.

# shellcheck disable=SC2034 # the helper looks for what OWN leaves
setup() {
    load helper
    IS_PROGRAM[ipcbench]=1
    OWN=ipcbench
    cd "$BATS_TEST_TMPDIR"
    # Two processes on one core are hardly disturbed by others.
    ON_ONE_CORE=(taskset -c "$CORE")
}

# The mechanisms that --help lists.
names() {
    ipcbench --help | sed '1,/^mechanisms:/d' | awk '{ print $1 }'
}

# Of CSV on stdin the columns with these names, without the covariates.
columns() {
    awk -F , -v wanted="$*" '
        NR == 1 {
            for (i = 1; i <= NF; i++) at[$i] = i
            n = split(wanted, want, " ")
            next
        }
        $at["kind"] != "covariate" {
            for (i = 1; i <= n; i++)
                printf "%s%s", $at[want[i]], i < n ? " " : "\n"
        }'
}

# Starts a measurement that lasts, in a session of its own, and waits until its
# two processes, and one to clean up behind them, talk by a set of semaphores.
start_sysv_sem() {
    env --default-signal=INT setsid ipcbench latency sysv-sem --pin same \
        --ms 30000 --rounds 1 >out 2>err 3>&- &
    wait_until is_there_with_set $!
    key=$((0x1bc50000 | ($(pgrep -P $!) & 0xffff)))
}

is_there_with_set() { # PID
    local stage
    stage=$(pgrep -P "$1") && [[ $(pgrep -cP "$stage") == 3 ]] &&
        ! has_gone $((0x1bc50000 | (stage & 0xffff)))
}

has_gone() { # KEY
    ! grep -qE "^ *$1 " /proc/sysvipc/sem
}

@test "ipcbench: each mechanism moves its messages, whole" {
    LIMIT=30 run -0 --separate-stderr ipcbench --csv --messages 6 --rounds 2 \
        --pin same --pin split
    assert_equal "$stderr" ''
    columns kind pin name rounds status messages <<<"$output" >rows
    assert_equal "$(awk '$4 != 2 || $5 != "ok" || $6 != 6' rows)" ''
    # Those that spin need two cores; a few are for one kind alone.
    spins='^(spin|cache-line)$'
    latency='^(signal|sigqueue|eventfd|cache-line)$'
    throughput='^(pipe-1m|vmsplice)$'
    assert_equal "$(awk '/^latency same/ { print $3 }' rows)" \
        "$(names | grep -vE "$throughput|$spins")"
    [[ $CORES == *[,-]* ]] || return 0
    assert_equal "$(awk '/^latency split/ { print $3 }' rows)" \
        "$(names | grep -vE "$throughput")"
    assert_equal "$(awk '/^throughput split/ { print $3 }' rows | sort -u)" \
        "$(names | grep -vE "$latency" | sort)"
}

# In the log, how often a call, or either of two, returned a number.
returned() { # CALL NUMBER
    awk "$WHOLE_CALLS"'
        $2 ~ "^(" call ")\\(" && $NF == number { n++ }
        END { print n + 0 }' call="$1" number="$2" log
}

@test "ipcbench latency: the kernel sees two messages for each round trip" {
    # 5 round trips are timed, and the last says that there are no more.
    calls=write,read,sendto,recvfrom,mq_timedsend,mq_timedreceive,msgsnd,msgrcv
    traced trace=$calls "${ON_ONE_CORE[@]}" ipcbench latency --messages 5 \
        --rounds 1 --size 47 pipe sock-dgram mq sysv-msg
    for call in write read sendto recvfrom mq_timedreceive msgrcv; do
        assert_equal "$call: $(returned $call 47)" "$call: 12"
    done
    for call in mq_timedsend msgsnd; do
        assert_equal "$call: $(returned $call 0)" "$call: 12"
    done
}

@test "ipcbench throughput: each message once, and one acknowledgement" {
    traced trace=write,read,vmsplice,semop,semtimedop "${ON_ONE_CORE[@]}" \
        ipcbench throughput --messages 5 --rounds 1 --size 47 \
        pipe vmsplice sysv-sem
    assert_equal "write: $(returned write 47)" 'write: 6'
    assert_equal "vmsplice: $(returned vmsplice 47)" 'vmsplice: 6'
    assert_equal "read: $(returned read 47)" 'read: 12'
    assert_equal "semop: $(returned 'semop|semtimedop' 0)" 'semop: 24'
}

# Prints what is wrong, if a byte that is wrong has no consequences.
spoil() { # MODE NAME
    local status=0 prefix=("${ON_ONE_CORE[@]}")
    [[ ! $2 =~ ^(spin|cache-line)$ ]] || prefix=()
    IPCBENCH_SPOIL=$2 "${prefix[@]}" ipcbench "$1" "$2" \
        --messages 4 --rounds 1 --size 8 2>err >out || status=$?
    if ((status != 1)) ||
        ! grep -qx "ipcbench: $2: byte 1 of message 3 is wrong" err; then
        echo "$1 $2: status $status, $(head -n 3 err)"
    fi
}

@test "ipcbench: each mechanism notices a byte that changes on the way" {
    for name in $(names); do
        [[ $name =~ ^(pipe-1m|vmsplice)$ ]] || spoil latency "$name"
        [[ $name =~ ^(signal|sigqueue|eventfd|cache-line)$ ]] ||
            spoil throughput "$name"
    done >found
    assert_equal "$(cat found)" ''
    IPCBENCH_SPOIL=pipe run -1 "${ON_ONE_CORE[@]}" \
        ipcbench throughput pipe --messages 4 --rounds 1 --size 4096
    assert_line 'ipcbench: pipe: byte 17 of message 3 is wrong'
    assert_line --regexp '^pipe +failed$'
}

@test "ipcbench: what hangs is ended and named, and the rest is measured" {
    requires strace
    LIMIT=20 run -124 "${ON_ONE_CORE[@]}" strace -f -qq -o log \
        -e trace=msgrcv -e inject=msgrcv:signal=STOP:when=3 \
        ipcbench latency --messages 4 --rounds 2 --limit 1 pipe sysv-msg mq
    assert_line --regexp '^ipcbench: sysv-msg: stuck, .* 1 s: .*is stopped'
    assert_line --regexp '^sysv-msg +stuck$'
    assert_line --regexp '^pipe +[0-9]'
    assert_line --regexp '^mq +[0-9]'
    assert_equal "$(grep -c 'stuck, or' <<<"$output")" 1 # not tried again
}

@test "ipcbench: what a machine lacks is named, and the rest is measured" {
    requires strace
    run -1 "${ON_ONE_CORE[@]}" strace -f -qq -o log \
        -e trace=mq_open -e inject=mq_open:error=ENOSYS \
        ipcbench latency --messages 3 --rounds 1 mq pipe
    assert_line --regexp '^ipcbench: mq: mq_open .*: Function not implemented$'
    assert_line --regexp '^mq +failed$'
    assert_line --regexp '^pipe +[0-9]'
}

@test "ipcbench: a process that is killed is named, and the other is ended" {
    requires strace
    run -1 "${ON_ONE_CORE[@]}" strace -f -qq -o log -e trace=mq_timedreceive \
        -e inject=mq_timedreceive:signal=KILL:when=3 \
        ipcbench latency --messages 9 --rounds 1 mq
    assert_line --regexp '^ipcbench: mq: (Sender|Receiver) was killed by signal'
}

@test "ipcbench: ^C ends it, and nothing is left" {
    start_sysv_sem
    kill -INT -- -$!
    assert_ends 130 $!
    wait_until has_gone "$key"
}

@test "ipcbench: SIGTERM ends it, and nothing is left" {
    start_sysv_sem
    kill $!
    assert_ends 143 $!
    wait_until has_gone "$key"
}

@test "ipcbench: SIGKILL ends it, and nothing is left" {
    for whom in '' -; do
        start_sysv_sem
        kill -KILL -- "$whom$!" # the second time what it has forked, too
        assert_ends 137 $!
        wait_until has_gone "$key"
    done
}

@test "ipcbench: what nobody could remove is known to make clean-ipc" {
    run -0 make -s -n -C "$ROOT" clean-ipc
    assert_output --regexp ' ipcbench$'
}

@test "ipcbench --rate: a late message makes those behind it late" {
    requires strace
    [[ $CORES == *[,-]* ]] || skip 'an open loop needs two cores'
    # The first one is the warm-up, and is held up for a fifth of a second.
    # Those behind it had to leave one after the other, a millisecond apart.
    LIMIT=20 run -0 strace -f -qq -o log -e trace=msgsnd \
        -e inject=msgsnd:delay_enter=200000:when=1 \
        ipcbench latency --csv --rate 1000 --messages 10 --rounds 1 sysv-msg
    columns kind name messages min <<<"$output" >row
    read -r kind name messages min <row
    assert_equal "$kind $name $messages" 'open sysv-msg 10.000'
    ((${min%.*} > 150000000)) || fail "the fastest took $min ns"
}

@test "ipcbench ladder: five rungs, and nothing is lost on four" {
    LIMIT=20 run -0 ipcbench ladder --csv --ms 20 --rounds 1
    mapfile -t lines < <(columns kind name status lost <<<"$output")
    assert_line --index 0 --regexp '^ladder no lock ok [01]\.[0-9]+$'
    assert_line --index 1 'ladder atomic ok 0.000000'
    assert_line --index 2 'ladder mutex ok 0.000000'
    assert_line --index 3 'ladder semaphore ok 0.000000'
    assert_line --index 4 'ladder sysv-sem ok 0.000000'
    LIMIT=20 run -0 ipcbench ladder --ms 1 --rounds 1
    assert_line --regexp '^no lock +[0-9.]+ +[0-9.]+ %'
}

@test "ipcbench: CSV has as many fields in each line, JSON is JSON" {
    command=("${ON_ONE_CORE[@]}" ipcbench --messages 3 --rounds 1)
    run -0 "${command[@]}" --csv pipe signal memcpy
    assert_equal "$(awk -F , '{ print NF }' <<<"$output" | uniq | wc -l)" 1
    run -0 "${command[@]}" --json pipe signal memcpy
    run -0 perl -MJSON::PP -0777 -e '
        $rows = decode_json(<STDIN>)->{rows};
        print join " ", map { "$_->{kind}:$_->{name}" } @$rows' <<<"$output"
    assert_output --partial 'latency:pipe latency:signal latency:memcpy'
    assert_output --partial 'throughput:pipe throughput:memcpy'
}

@test "ipcbench: its table fits 80 columns" {
    for full in '' --full; do
        LIMIT=20 run -0 ipcbench --messages 3 --rounds 1 --size 48 $full \
            sock-seqpacket cache-line memcpy
        assert_equal "$(LC_ALL=C.UTF-8 awk 'length > 80' <<<"$output")" ''
    done
}

@test "ipcbench: on one core it leaves out what needs two, and says so" {
    run -0 "${ON_ONE_CORE[@]}" ipcbench --messages 3 --rounds 1 pipe memcpy
    assert_line --partial 'what needs two is left out'
    refute_output --partial 'on two cores'
    run -2 "${ON_ONE_CORE[@]}" ipcbench --messages 3 spin
    assert_line --index 0 'ipcbench: spin: nothing to measure that way'
    run -2 "${ON_ONE_CORE[@]}" ipcbench --pin split pipe
}

@test "ipcbench: what it does not understand gets the usage, and status 2" {
    while read -r -a words; do
        run -2 ipcbench "${words[@]}"
        assert_output --partial 'usage: ipcbench '
    done <<-'END'
	--never
	pipes
	latency pipe throughput
	ladder pipe
	latency vmsplice
	--size 0
	--size 65537
	--pin both
	--rounds 100
	--messages many
	throughput --rate 10
	throughput mq --size 8193
	END
}

@test "ipcbench: make bench-plot names gnuplot's package, if it is missing" {
    mkdir tools
    ln -s "$(type -P make)" "$(type -P uname)" tools
    run -2 env PATH="$PWD/tools" make -s -C "$ROOT" BIN="$BIN" bench-plot
    assert_output --partial 'sudo apt-get install -y gnuplot-nox'
}

@test "ipcbench: started with SIGCHLD ignored, it still sees how it ended" {
    run -0 "${ON_ONE_CORE[@]}" env --ignore-signal=CHLD \
        ipcbench latency pipe --messages 3 --rounds 1
}
