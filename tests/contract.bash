# What suite.bats and tools.bats share: a check of every program. It is a
# function that sees $name, $folder and $source, works in an empty folder of its
# own, and prints what it has to say against the program, a line a fault.
# PROGRAM=NAME in the environment leaves the other programs out.

# Runs a check for each program. Most of a run is waiting, so that there are
# more than cores; a check that only reads does many programs in one bash.
each_program() { # CHECK [HOW MANY SIDE BY SIDE [PROGRAMS IN A ROW]]
    local functions=$BATS_TEST_TMPDIR/functions
    compgen -A function |
        grep -Ev '^(bats|unbounded|assert|refute|test|run$)' |
        while read -r name; do declare -f "$name"; done >"$functions"
    export BATS_TEST_TMPDIR BATS_FILE_TMPDIR BATS_RUN_TMPDIR HUNG BEGAN CALLS
    export PATIENCE=${LIMIT-}
    sources >"$BATS_TEST_TMPDIR/sources"
    LIMIT=600 run -0 xargs -a "$BATS_TEST_TMPDIR/sources" -d '\n' \
        -n "${3:-1}" -P "${2:-$((2 * $(nproc)))}" \
        bash -c '. "$0"; for source in "${@:2}"; do (visit "$1"); done' \
        "$functions" "$1"
    assert_output ''
}

# The programs, or the one that is asked for.
sources() {
    find "$ROOT" -mindepth 2 -maxdepth 2 -name "${PROGRAM:-*}.c" |
        grep -Ev '/(lanes|bench|homework|build|tests)/[^/]*$'
}

visit() { # CHECK, and source
    local check=$1 folder=${source%/*} name=${source##*/} found
    name=${name%.c}
    folder=${folder##*/}
    mkdir "$BATS_TEST_TMPDIR/$check.$name" &&
        cd "$BATS_TEST_TMPDIR/$check.$name" || return
    ulimit -S -f 20480
    # shellcheck disable=SC2034 # ipc_names looks for this program alone
    declare -A IS_PROGRAM=(["$name"]=1)
    unset BATS_SUITE_TEST_NUMBER # it is a program that hangs, and not the test
    found=$("$check" 2>&1)
    [[ ! $found ]] ||
        head -n 10 <<<"$found" | cut -c 1-400 | sed "s/^/$name: /"
}

# Runs a command, bounded: by LIMIT of the environment; else USUAL, where a
# check knows better than 5, or 2 seconds if the program has hung before. What
# came is in status, out and err. False, and said, if it hung.
try() {
    local limit=${PATIENCE:-${USUAL:-5}} began=$EPOCHREALTIME command=$*
    [[ $PATIENCE || ! -e $HUNG/$name ]] || limit=2
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

# The flags of the wrong versions: the usage marks them.
wrong_flags() {
    "$name" --help 2>&1 </dev/null |
        sed -n 's/^  \(--[a-z0-9-]*\)\( [a-z0-9]*\)\?  *wrong: .*/\1\2/p'
}
