# The part of the contract that needs more tools: clang, musl, the sanitizers,
# valgrind, spin. make check-tools runs it.

setup() {
    load helper
    load contract
}

compiles_everywhere() {
    local cc std
    cp "$source" .
    for cc in gcc clang; do
        for std in gnu11 c11; do
            $cc -std=$std -Wall -Wextra -Wpedantic -O2 -D_FORTIFY_SOURCE=2 \
                "$name.c" || echo "$cc -std=$std: fails"
        done
    done
    cc "$name.c" || echo "cc $name.c: fails"
}

@test "each program compiles alone: gcc and clang, gnu11 and c11, no warning" {
    requires gcc
    requires clang
    each_program compiles_everywhere
}

# The C library's own words differ, so that lines are counted; sig-table asks
# glibc for names.
runs_with_musl() {
    [[ $name != sig-table ]] || return 0
    musl-gcc -O2 -o "$name" "$source" -idirafter /usr/include \
        -idirafter "/usr/include/$(gcc -print-multiarch)" || return
    try "$BIN/$name"
    wc -l <out >lines
    try "./$name" || return
    [[ $status == 0 ]] || came "$name, built with musl" 'status 0'
    [[ $(wc -l <out) == $(<lines) ]] ||
        echo "built with musl: $(wc -l <out) lines, with glibc: $(<lines)"
    fails_when_wrong "./$name"
}

# Runs the wrong versions of one build.
fails_when_wrong() { # PATH OF PROGRAM
    local flag
    wrong_flags | while read -ra flag; do
        try "$1" "${flag[@]}" || return
        [[ $status == 1 || $status == 124 ]] ||
            came "$1 ${flag[*]}" 'status 1 or 124'
        grep -E 'Sanitizer|runtime error' err
    done
}

@test "each program builds and runs with musl" {
    requires musl-gcc musl-tools
    each_program runs_with_musl
}

# Where a wrong version is killed, it is no finding.
is_clean() {
    gcc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover \
        -o "$name" "$source" || return
    export ASAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_abort=0
    USUAL=20 try "./$name" || return
    [[ $status == 0 ]] || came "$name, with sanitizers" 'status 0'
    grep -E 'Sanitizer|runtime error' err
    fails_when_wrong "./$name"
}

@test "each program is clean under the address and UB sanitizers" {
    requires gcc
    each_program is_clean
}

# Without shared libraries; without names; with the sanitizers' code about it.
@test "a stuck program's call, line and lock are found, however it is built" {
    requires gcc
    requires strace
    cd "$BATS_TEST_TMPDIR"
    local lanes=$ROOT/bin/lanes source=$ROOT/tests/lanes/stuck.c build line
    line=$(sed -n '/^static void mutex_(/,/^}/{/lock(/=}' "$source" | tail -n 1)
    line=stuck.c:$line
    for build in -static -fsanitize=address,undefined -s; do
        gcc -w -g $build -o stuck "$source" -pthread -lrt
        [[ $build != -s ]] || line=
        USUAL=30 run -124 "$lanes" -w -t 2 ./stuck mutex
        assert_line --regexp "is in pthread_mutex_lock${line:+ at $line}: held by itself"
        USUAL=30 run -124 "$lanes" -l -t 3 ./stuck mutex
        assert_line --regexp "is in pthread_mutex_lock \[[0-9a-f]*\] *$line\$"
        assert_line --partial 'held by itself'
    done
}

# valgrind itself does not survive each of the signals of sig-table.
has_no_memory_errors() {
    [[ $name != sig-table ]] || return 0
    USUAL=60 try valgrind --vgdb=no --leak-check=full --log-file=log.%p \
        --error-exitcode=99 "$BIN/$name" || return
    [[ $status == 0 ]] || came "valgrind $name" 'status 0'
    sed 's/^==[0-9]*== *//' log.* |
        grep -E 'definitely lost: [1-9]|ERROR SUMMARY: [1-9]'
}

@test "each program frees its memory and touches no other: valgrind" {
    requires valgrind
    each_program has_no_memory_errors
}

# The values of ring.pml's macros, as ringbuffer-lockfree.c has them.
model_flags() {
    tr -s '[:space:]' ' ' <"$ROOT/posix-shm/ringbuffer-lockfree.c" | awk '
        function order(call,    rest) {
            if (!match($0, call))
                return "missing"
            rest = substr($0, RSTART + RLENGTH)
            sub(/[;{].*/, "", rest)
            if (!match(rest, /memory_order_[a-z_]+/))
                return "seq_cst"
            return substr(rest, RSTART + 13, RLENGTH - 13)
        }
        { print "-DPUT_STORE=" order("atomic_store[a-z_]*\\(&ring->put")
          print "-DPUT_LOAD=" order("atomic_load[a-z_]*\\(&ring->put")
          print "-DLEFT_LOAD=" order("atomic_load[a-z_]*\\(left")
          # One that comes before the items are read is as good as relaxed.
          print "-DLEFT_SUB=" (/ring->slot\[from.*fetch_sub[a-z_]*\(left/ ? \
              order("atomic_fetch_sub[a-z_]*\\(left") : "relaxed")
          print "-DPUT_FIRST=" (index($0, "slot++ = i; atomic_store") ? 0 : 1)
          print "-DLOOK=" (index($0, "asleep) == consumers) wake_one") ? 1 : 0)
          print "-DMEMBARRIER=" (index($0, "asleep, 1); syscall(SYS_membar") ? 1 : 0)
        }'
}

# Tries every order of events; prints what spin found.
model() {
    mkdir "$BATS_TEST_TMPDIR/$*" && cd "$BATS_TEST_TMPDIR/$*" || return
    spin "$@" -search "$ROOT/tests/ring.pml" 2>&1 |
        grep -Eo '^pan:1: .*|errors: .*|.*Error.*'
    rm -f pan*
}

@test "ring.pml: as ringbuffer-lockfree is written, nothing is lost, in any order" {
    requires spin
    requires gcc
    export -f model
    mapfile -t flags < <(model_flags)
    # shellcheck disable=SC2016
    LIMIT=300 run -0 bash -c 'model "$@"' model "${flags[@]}"
    assert_output 'errors: 0' || fail "with ${flags[*]}"
}

@test "ring.pml: without a membarrier a fence after each item will do" {
    requires spin
    requires gcc
    tr -s '[:space:]' ' ' <"$ROOT/posix-shm/ringbuffer-lockfree.c" |
        grep -q '(!has_membarrier) atomic_thread_fence(memory_order_seq_cst);' ||
        fail "without a membarrier, Producer executes no fence"
    export -f model
    LIMIT=300 run -0 bash -c 'model -DMEMBARRIER=0 -DFENCE=1'
    assert_output 'errors: 0'
}

@test "ring.pml: every order that is weaker than the program's is noticed" {
    requires spin
    requires gcc
    export -f model
    LIMIT=300 run -0 bash -c '
        printf "%s\n" PUT_STORE=relaxed PUT_LOAD=relaxed LEFT_LOAD=relaxed \
            LEFT_SUB=relaxed PUT_FIRST=1 MEMBARRIER=0 LOOK=0 |
            xargs -P 2 -I % bash -c "model -D% | grep -q violated || echo %"'
    assert_output ''
}
