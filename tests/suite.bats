# The contract: what must hold for every program of every mechanism. A check
# is a function that sees $name and $source, works in an empty folder of its
# own, and prints what it has to say against the program.

setup() {
    load helper
}

# Runs a check for each program, as many side by side as there are cores.
each_program() {
    export -f visit wrong_flags "${1?}"
    export BATS_TEST_TMPDIR
    LIMIT=120 run -0 bash -c '
        printf "%s\0" "$ROOT"/*/*.c |
            grep -zEv "/(lanes|bench|homework|build)/[^/]*$" |
            xargs -0 -n 1 -P "$(nproc)" bash -c "visit $0 \"\$1\"" visit' "$1"
    assert_output ''
}

visit() {
    local check=$1 source=$2 name accusation
    name=$(basename "$source" .c)
    mkdir "$BATS_TEST_TMPDIR/$name" && cd "$BATS_TEST_TMPDIR/$name" || return
    accusation=$("$check" 2>&1) || accusation+=" (status $?)"
    [[ -z $accusation ]] || printf '%s: %s\n' "$name" "$accusation"
}

# The flags of the wrong versions: --help marks them.
wrong_flags() {
    "$name" --help | sed -n 's/^  \(--[a-z-]*\)\( [a-z0-9]*\)\?  *wrong: .*/\1\2/p'
}

stands_alone() {
    cp "$source" .
    for cc in gcc clang; do
        $cc "$name.c" &&
            $cc -std=gnu11 -Wall -Wextra -Wpedantic -O2 \
                -D_FORTIFY_SOURCE=2 -o /dev/null "$name.c"
    done
}

@test "each program compiles alone, without a flag and without a warning" {
    requires gcc
    requires clang
    each_program stands_alone
}

is_small() {
    local most=230
    [[ $source != */fdpass.c ]] || most=260 # a server, a client, a run of both
    awk -v most=$most 'length > 78 { print "line " NR " is wider than 78 columns" }
         / \*\/$/ && !header { header = NR }
         END { if (NR - header > most) print NR " lines: two programs?" }' \
        "$source"
}

@test "each program is small enough for a projector" {
    each_program is_small
}

runs_alone() {
    timeout 10 "$name" <&- >out 2>err || return
    [[ -s out ]] || echo "nothing on stdout"
}

@test "each program shows its point with no argument and no stdin" {
    each_program runs_alone
}

is_repeatable() {
    timeout 10 "$name" >first 2>&1 </dev/null
    for _ in 1 2 3 4 5; do
        timeout 10 "$name" 2>&1 </dev/null | diff first -
    done
    script -qec "timeout --foreground 10 $name 2>&1" /dev/null </dev/null |
        tr -d '\r' | diff first -
    for _ in 1 2 3 4 5 6 7 8; do
        timeout 10 "$name" 2>&1 </dev/null | diff first - &
    done
    wait
}

@test "each program says the same thing every time: pipe, terminal, 8 at once" {
    each_program is_repeatable
}

ends_wrong() {
    wrong_flags | while read -ra flag; do
        timeout 10 "$name" "${flag[@]}" >out 2>&1 </dev/null
        status=$?
        [[ $status == 1 || ($status == 124 && -s out) ]] ||
            echo "${flag[*]}: status $status, neither 1 nor 124"
    done
}

@test "each wrong version ends by itself, with status 1 or 124" {
    each_program ends_wrong
}

is_clean() {
    gcc -g -pthread -fsanitize=address,undefined -fno-sanitize-recover \
        -o "$name" "$source" || return
    { echo; wrong_flags; } | while read -ra flag; do
        timeout 20 "./$name" "${flag[@]}" </dev/null 2>&1 |
            grep -E 'Sanitizer|runtime error'
    done
    return 0
}

@test "each program is clean under the address and UB sanitizers" {
    requires gcc
    each_program is_clean
}

closes_all() {
    timeout 60 valgrind --error-exitcode=99 --leak-check=full \
        --track-fds=yes --log-file=log.%p "$BIN/$name" </dev/null >out 2>&1 ||
        return
    # Who is killed in write has the end open, and cannot help it.
    grep -L 'terminating with default action of signal' log.* | xargs cat | awk '
        sub(/^==[0-9]+== */, "") {}
        open && !/inherited/ { print open }
        { open = /^Open .*(descriptor|socket) [0-9]+:/ ? $0 : "" }
        /definitely lost: [1-9]/ || /ERROR SUMMARY: [1-9]/'
}

@test "each program closes its descriptors and frees its memory" {
    requires valgrind
    each_program closes_all
}

starves() {
    # A program that needs a descriptor must say that it got none.
    (
        ulimit -n 4
        exec "$name"
    ) </dev/null >out 2>err && return
    grep -q "^$name: " err || cat err
}

@test "each program names the call that finds no descriptor" {
    each_program starves
}

cannot_write() {
    timeout 10 "$name" </dev/null >/dev/full 2>err &&
        echo "a full disk goes unnoticed"
    [[ -s err ]] || echo "a full disk is not complained of"
}

@test "each program notices that its output cannot be written" {
    each_program cannot_write
}

is_usable() {
    "$name" --help >out 2>err </dev/null || echo "--help: status $?"
    grep -q "^usage: $name" out || echo "--help does not begin with usage"
    [[ ! -s err ]] || echo "--help writes to stderr"
    "$name" --no-such-option >out 2>err </dev/null
    [[ $? == 2 && ! -s out ]] || echo "an unknown option is not status 2"
    grep -q -e --no-such-option err || echo "the unknown option is not named"
    grep -q "usage: $name" err || echo "the usage is not shown"

    # Options that take a number refuse what is none, and what is too large.
    "$name" --help | sed -n 's/^  \(--[a-z-]*\) N .*/\1/p' |
        while read -r option; do
            for word in x 3x '' -1 0 99999999999999999999; do
                timeout 10 "$name" "$option" "$word" >out 2>err </dev/null
                [[ $? == 2 ]] || echo "$option '$word' is not status 2"
                grep -qF -e "$option" err || echo "$option '$word': not named"
            done
        done
}

@test "each program has --help, and names what is wrong in its arguments" {
    each_program is_usable
}

dies_clean() {
    # A terminal's ^C goes to the whole group, SIGTERM to one process; each
    # comes at some moment of the program's short life.
    { echo; wrong_flags; } | while read -ra flag; do
        for moment in 0.001 0.002 0.005 0.01 0.02 0.05; do
            timeout -s INT $moment "$name" "${flag[@]}" >/dev/null 2>&1 </dev/null
            timeout --foreground -s TERM $moment "$name" "${flag[@]}" \
                >/dev/null 2>&1 </dev/null
        done
    done
    return 0 # what is left is found by teardown
}

@test "each program leaves nothing behind when it is interrupted" {
    each_program dies_clean
}

@test "each folder's README has a heading for each program, and no other" {
    for readme in "$ROOT"/*/README.md; do
        folder=$(dirname "$readme")
        [[ $folder =~ /(lanes|bench|homework)$ ]] && continue
        assert_equal "$(sed -n 's/^### //p' "$readme" | sort)" \
            "$(basename -s .c -a "$folder"/*.c | sort)"
    done
}
