# What suite.bats, ends.bats, leaves.bats and tools.bats share: a check of every
# program. It is a function that sees $name, $folder and $source, works in an
# empty folder of its own, and prints what it has to say against the program, a
# line a fault.
# PROGRAM=NAME in the environment leaves the other programs out.

# Runs a check for each program, in a bash that bats does not trace. Most of a
# run is waiting, so that there are more side by side than there are cores.
each_program() { # CHECK [HOW MANY SIDE BY SIDE]
    local functions=$BATS_TEST_TMPDIR/functions
    compgen -A function |
        grep -Ev '^(bats|unbounded|assert|refute|test|run$)' |
        while read -r name; do declare -f "$name"; done >"$functions"
    export BATS_TEST_TMPDIR BATS_FILE_TMPDIR BATS_RUN_TMPDIR HUNG BEGAN CALLS
    export PATIENCE=${LIMIT-}
    sources >"$BATS_TEST_TMPDIR/sources"
    # Their folders, all at once: a mkdir for each program takes seconds.
    (cd "$BATS_TEST_TMPDIR" && sed "s,.*/,$1.,; s,\.c\$,," sources | xargs mkdir)
    # shellcheck disable=SC2016 # the inner shell's
    LIMIT=600 run -0 bash -c '. "$0"; side_by_side "$@"' \
        "$functions" "${2:-$((2 * $(nproc)))}" visit "$1"
    assert_output ''
}

side_by_side() { # HOW MANY, COMMAND to which a source is added
    local most=$1 running=0 source
    LIMIT=$PATIENCE # a program's, again
    cd "$BATS_TEST_TMPDIR" || return
    : >visited
    shift
    while IFS= read -r source; do
        ((running++ < most)) || builtin wait -n
        "$@" "$source" &
    done <sources
    builtin wait
    sort visited | comm -13 - <(sort sources) | sed 's/$/: the check was killed/'
}

# The programs, or the one that is asked for.
sources() {
    find "$ROOT" -mindepth 2 -maxdepth 2 -name "${PROGRAM:-*}.c" |
        grep -Ev '/(lanes|bench|homework|build|tests)/[^/]*$'
}

visit() { # CHECK SOURCE
    local check=$1 source=$2 folder=${2%/*} name=${2##*/} found
    name=${name%.c}
    folder=${folder##*/}
    found=$BATS_TEST_TMPDIR/$check.$name.found
    cd "${found%.found}" || return
    ulimit -S -f 20480
    # shellcheck disable=SC2034 # ipc_names looks for this program alone
    declare -A IS_PROGRAM=(["$name"]=1)
    unset BATS_SUITE_TEST_NUMBER # it is a program that hangs, and not the test
    "$check" >"$found" 2>&1
    [[ ! -s $found ]] ||
        head -n 10 "$found" | cut -c 1-400 | sed "s/^/$name: /"
    echo "$source" >>"$BATS_TEST_TMPDIR/visited"
}

# Runs a command, bounded: see seconds_for. What came is in status, out and err.
# False, and said, if it hung.
try() {
    local limit began=$EPOCHREALTIME command=$*
    seconds_for "$name"
    status=0
    (
        ulimit -S -f 10240
        timed "$limit" "$@" >out 2>err </dev/null 3>&- 4>&-
    ) || status=$?
    ((${EPOCHREALTIME/./} - ${began/./} >= limit * 1000000)) || return 0
    has_hung "$name"
    command=$(tr -s ' \n' ' ' <<<"$command" | sed 's/-e trace=[^ ]*/.../')
    echo "$command: hung, stopped after $limit seconds;" \
        "stderr: $(tail -n 3 err | tr '\n' '|')"
    return 1
}

# An accusation: the command, what came, what was expected.
came() { # COMMAND EXPECTED
    echo "$1: $(in_words "$status")${2:+, expected $2};" \
        "stderr: $(head -c 200 err | tr '\n' '|')"
}

# Drops from some files the lines that may vary: those with a word that the
# header puts in quotes, in a sentence that says "vary" or "varies".
drop_varying() { # FILE...
    local words
    grep -qwE 'vary|varies' "$source" || return 0
    words=$(sed -n '/\*\/$/q;s/^ \* \?//p' "$source" | tr '\n' ' ' |
        grep -oE '[^.:;]*\bvar(y|ies)\b[^.:;]*' | grep -oE '"[^"]+"' |
        tr -d '"' | sed 's/[]\/.*[^$]/\\&/g; s/.*/\/&\/d/') || true
    [[ ! $words ]] || sed -i "$words" "$@"
}

# The flags of the wrong versions: the usage marks them.
wrong_flags() {
    "$name" --help 2>&1 </dev/null |
        sed -n 's/^  \(--[a-z0-9-]*\)\( [a-z0-9]*\)\?  *wrong: .*/\1\2/p'
}

# With a filter in the kernel strace slows down only what it looks at.
STRACE='strace -f -qq'
! strace -f --seccomp-bpf true 2>/dev/null || STRACE+=' --seccomp-bpf'
export STRACE

CALLS='?pipe,?pipe2,?mknod,?mknodat,?open,openat,?link,?linkat,?bind,?socket'
CALLS+=',?socketpair,?mq_open,?shmget,?semget,?msgget,mmap,rt_sigaction,?fork'
CALLS+=',?vfork,clone,?clone3,wait4,waitid'

# The calls of a run alone, in log, the same for all that look at them.
# shellcheck disable=SC2086 # STRACE is words
observe() {
    local all=$BATS_RUN_TMPDIR/$name.log
    if [[ ! -e $all ]]; then
        try "$name" || return # so that a hang is soon known
        USUAL=20 try $STRACE -s 200 -o log -e "trace=$CALLS" "$name" || return
        [[ $status == 0 ]] || came "strace -f $name" 'status 0'
        mv log "$all"
    fi
    ln -sf "$all" log
}
