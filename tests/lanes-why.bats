# lanes -w: why processes do not go on, by /proc alone; and the timeout that
# says it.

setup_file() {
    gcc -w -g -o "$BATS_FILE_TMPDIR/waits" \
        "$BATS_TEST_DIRNAME/lanes/waits.c" -pthread
}

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
    PATH=$BATS_FILE_TMPDIR:$PATH
    cd "$BATS_TEST_TMPDIR"
}

# limited SEC COMMAND: its status and output, without what helper.bash does.
limited() {
    unbounded_run --separate-stderr timeout 15 lanes -w -t "$@"
}

@test "lanes -w -t: output and status are the command's own" {
    limited 9 sh -c 'cat; echo words >&2; exit 7' <<<'some text'
    assert_equal "$status $output $stderr" '7 some text words'
    for number in 1 9 11 13 15; do
        limited 9 sh -c "kill -$number \$\$"
        assert_equal "$status" $((128 + number))
        assert_equal "$stderr" ''
    done
    limited 9 ./nosuch
    assert_equal "$status $stderr" '127 lanes: ./nosuch: No such file or directory'
    limited 9 /
    assert_equal "$status $stderr" '126 lanes: /: Permission denied'
}

@test "lanes -w -t: a command finds what it would find without it" {
    found() {
        bash -c 'sed -n "/^Sig[BI]/p;/^Shd/p" /proc/self/status; ulimit -a
            ls -l /proc/self/fd | sed "s/.*[0-9] \([0-9]* ->\)/\1/"; env
            ps -o pgid=,sid=,tpgid= $$' | sed 's,/proc/[0-9]*/,,'
    }
    export -f found
    run -0 bash -c '
        trap "" HUP CHLD USR1
        exec 7</dev/null
        bash -c found >plain
        lanes -w -t 9 bash -c found >limited
        diff plain limited'
    assert_output ''
    run -0 grep -c '^7 -> /dev/null' plain
}

@test "lanes -w -t: a pipe's reader does not wait for it" {
    run -0 bash -c 'lanes -w -t 20 bash -c "exec >&- 7>&-; sleep 9; true" 7>&1 |
        { cat; pkill -P $(pgrep -n lanes); }; echo "${PIPESTATUS[0]}"'
    assert_output 0
}

@test "lanes -w -t: after the time it says why, status 124" {
    limited 0.2 connect2 --no-close echo hi -- cat
    assert_equal "$status $output" '124 hi'
    assert_equal "${#stderr_lines[@]}" 4
    assert_regex "${stderr_lines[1]}" '^connect2 ([0-9]+) is in waitpid\(([0-9]+)\) at connect2.c:[0-9]+, until cat \2 ends.$'
    assert_regex "${stderr_lines[2]}" '^cat [0-9]+ is in read\(0\) on a pipe: no data, and no EOF while connect2 [0-9]+ holds its write end, fd 4.$'
    assert_regex "${stderr_lines[3]}" '^connect2 ([0-9]+) waits for cat ([0-9]+), which waits for connect2 \1: a circle.$'
}
