# lanes -w: why processes do not go on, by /proc alone; and the timeout that
# says it.

setup_file() {
    gcc -w -g -o "$BATS_FILE_TMPDIR/waits" \
        "$BATS_TEST_DIRNAME/lanes/waits.c" -pthread
}

setup() {
    load helper
    requires gcc
    LIMIT=${LIMIT:-20} # several runs stand in one
    [[ -x $BIN/lanes ]] || skip "there is no lanes in $BIN"
    PATH=$BATS_FILE_TMPDIR:$PATH
    cd "$BATS_TEST_TMPDIR"
}

# limited SEC COMMAND: what it prints is in the files out and err, and
# $status is its status. By hand, since helper.bash's own run is a lanes -w -t.
limited() {
    status=0
    { timeout 20 lanes -w -t "$@" >out 2>err 3>&- 4>&-; } 2>/dev/null ||
        status=$?
}

# Starts waits in the background.
waits() {
    AS_USER=("${AS_NOBODY[@]}")
    "${AS_USER[@]}" "$BATS_FILE_TMPDIR/waits" "$@" 2>waits.err 3>&- &
    WAITS=$!
}

# What lanes -w says of them, without what differs from run to run.
explained() {
    "${AS_USER[@]}" env ${PRELOAD:+"LD_PRELOAD=$PRELOAD"} lanes -w "$WAITS" \
        >said 2>&1 3>&- || echo "status $?"
    sed -E 's/waits\.c:[0-9]+/waits.c:LINE/g; s/[0-9]{3,}/N/g
        s/(terminal \/dev\/pts\/)[0-9]+/\1N/; s, /(tmp|[^ ]*\.N)[^ ]*/, ,g' said | sort | uniq
}

reads_as() { # FILE
    explained | diff "$1" - >differences
}

# They all must have come so far; then they stay there.
assert_explained() { # FILE
    wait_until reads_as "$1" ||
        fail "$(head -n 40 waits.err differences)"
    kill "$WAITS"
    wait "$WAITS" || true
}

@test "lanes -w -t: output and status are the command's own" {
    limited 9 sh -c 'cat; echo words >&2; exit 7' <<<'some text'
    assert_equal "$status $(cat out err)" "7 some text
words"
    for number in 1 9 11 13 15; do
        limited 9 sh -c "kill -$number \$\$"
        assert_equal "$status $(cat err)" "$((128 + number)) "
    done
    limited 9 ./nosuch
    assert_equal "$status $(cat err)" '127 lanes: ./nosuch: No such file or directory'
    limited 9 /
    assert_equal "$status $(cat err)" '126 lanes: /: Permission denied'
}

@test "lanes -w -t: a command finds what it would find without it" {
    found() {
        sed -n '/^Sig[BI]/p; /^Shd/p' /proc/self/status
        ulimit -a
        find /proc/self/fd ! -lname '/proc/*' -printf '%f %l\n' |
            sed 's/pipe:.*/a pipe/'
        env
        ps -o pgid=,sid=,tpgid= $$
    }
    export -f found
    run -0 bash -c '
        trap "" HUP CHLD USR1
        exec 7</dev/null
        bash -c found >plain
        lanes -w -t 9 bash -c found >limited
        diff plain limited'
    assert_output ''
    run -0 grep -c '^7 /dev/null' plain
}

@test "lanes -w -t: the reader of the command's pipe does not wait for it" {
    mkfifo over
    run -0 bash -c 'lanes -w -t 9 bash -c "exec >&- 7>&-; read -r <over" 7>&1 |
        { cat; echo >over; }; echo "${PIPESTATUS[0]}"'
    assert_output 0
}

@test "lanes -w -t: after the time it says why, status 124" {
    limited 0.2 connect2 --no-close echo hi -- cat
    assert_equal "$status $(cat out)" '124 hi'
    mapfile -t said <err
    assert_equal "${said[0]}" 'lanes: not ended after 0.2 seconds: connect2 --no-close echo hi -- cat'
    assert_regex "${said[1]}" '^connect2 ([0-9]+) is in waitpid\(([0-9]+)\) at connect2.c:[0-9]+, until cat \2 ends.$'
    assert_regex "${said[2]}" '^cat [0-9]+ is in read\(0\) on a pipe: no data, and no EOF while connect2 [0-9]+ holds its write end, fd 4.$'
    assert_regex "${said[3]}" '^connect2 ([0-9]+) waits for cat ([0-9]+), which waits for connect2 \1: a circle.$'
    assert_equal "${#said[@]}" 4
}

@test "lanes -w -t: all descendants end, a daemon and one that minds no signal" {
    command='setsid -f sleep 1001; (trap "" TERM HUP INT; sleep 1002) &
        (setsid sh -c "sleep 1003 & sleep 1004" &)'
    limited 9 sh -c "$command; exit 3"
    assert_equal "$status" 3
    run -0 cat err
    assert_line 'lanes: the command has ended; still alive:'
    for seconds in 1001 1002 1003 1004; do
        assert_line --regexp "^sleep [0-9]+ is in nanosleep: it sleeps $seconds s.\$"
    done
    assert_equal "$(survivors_of 'sleep 100[1-4]')" ''

    limited 0.2 sh -c "$command; kill -STOP \$\$"
    assert_equal "$status" 124
    run -0 grep -c 'is stopped: kill -CONT' err
    assert_equal "$(survivors_of 'sleep 100[1-4]')" ''
}

survivors_of() {
    local pids
    pids=$(survivors)
    [[ $pids ]] && ps -o args= -p "${pids//[[:space:]]/,}" | grep "$1"
}

@test "lanes -w -t: ^C, SIGTERM, SIGHUP end the command and all that it started" {
    for signal in INT TERM HUP; do
        env --default-signal lanes -w -t 20 sh -c \
            'sleep 1005 & echo "$$" >started; sleep 1006' 2>err 3>&- &
        pid=$!
        wait_until test -s started
        kill -$signal $pid
        rm started
        assert_ends $((128 + $(kill -l $signal))) $pid
        assert_equal "$(survivors_of 'sleep 100[56]')" ''
    done
}

@test "lanes -w: every way to wait is named, with the object and the other side" {
    waits all
    assert_explained "$ROOT/tests/lanes/waits.txt"
    # and the source lines are those with the call
    run -0 awk -v source="$ROOT/tests/lanes/waits.c" '
        BEGIN { while ((getline line < source) > 0) text[++n] = line }
        match($0, /is in .* at waits\.c:[0-9]+/) {
            split(substr($0, RSTART, RLENGTH), word, / (at waits\.c:)?/)
            call = word[3]
            sub(/[(,].*/, "", call)
            if ($0 ~ /, called by fgets/) call = "fgets"
            if (call == "futex") call = "syscall"
            n = $0
            sub(/.* at waits\.c:/, "", n)
            if (index(text[n + 0], call) == 0) print $0 ": " text[n + 0]
        }' said
    assert_output ''
}

@test "lanes -w: an ordinary user is told as much of his own" {
    without_privilege lanes
    chmod a+rwx . "$BATS_FILE_TMPDIR"
    waits all
    assert_explained "$ROOT/tests/lanes/waits.txt"
}
