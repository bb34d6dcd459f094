# What must have come of a scene. Each of these fails the test unless it is so,
# and says why; a HINT for the student comes last.
#
#   ends [STATUS | any] [HINT]   it ended by itself, with that status [0]: ask
#                                for it first, since it explains a hang
#   says TEXT [HINT]             exactly that is on stdout
#   complains [WORD] [HINT]      there is a message on stderr, with that in it
#   leaves_nothing [HINT]        no process, file or IPC object is left
#   accept_trace AWK [HINT]      awk finds no fault in strace's log, and so
#                                prints nothing; "$WAITED" for children
#   because LINE...              it is wrong for another reason
#   requires COMMAND             skips the test if that is not there

# The test itself is wrong.
broken() {
    printf '| this test is broken: %s\n' "$1"
    exit 1
}

# Says why the test fails, each line with a bar that report looks for, and the
# hint, if there is one.
because() { # LINE... [hint: TEXT]
    printf '| %s\n' "$@"
    return 1
}

# The first lines of what a program printed, such that they can be shown.
excerpt() { # TEXT [LINES]
    local LC_ALL=C
    head -c 4096 <<<"${1:-(nothing)}" | tr -c '[:print:]\n\t' '?' |
        cut -c 1-120 | sed "s/^/    /; ${2:-8}{s/.*/    .../;q}"
}

hint() {
    [[ ! ${1-} ]] || echo "hint: $1"
}

ends() {
    local expected=0 lines=()
    if [[ ${1-} =~ ^([0-9]+|any)$ ]]; then
        expected=$1
        shift
    fi
    if [[ $hung ]]; then
        lines=("it hung, and was stopped after $hung s$again:")
        mapfile -tO 1 lines < <(excerpt "$(grep -vE \
            '^(lanes: not ended|judge|strace) ' "$notes/why")" 12)
    elif [[ $ended_early ]]; then
        lines=('it stopped, killed or starved the processes that watch it')
        mapfile -tO 1 lines < <(head -n 3 "$notes/complaints")
    elif [[ $expected != any && $status != "$expected" ]]; then
        lines=("it ended with $(in_words "$status"), not with $expected; stderr:")
        mapfile -tO 1 lines < <(excerpt "$errors")
    else
        return 0
    fi
    mapfile -tO "${#lines[@]}" lines < <(hint "${1-}")
    because "${lines[@]}"
}

# What a status means, in words.
in_words() {
    if (($1 == 153)); then
        echo 'SIGXFSZ: it printed too much'
    elif (($1 > 128)) && kill -l $(($1 - 128)) >/dev/null 2>&1; then
        echo "status $1 (128 + SIG$(kill -l $(($1 - 128))))"
    else
        echo "status $1"
    fi
}

says() {
    local lines
    [[ $output != "$1" ]] || return 0
    mapfile -t lines < <(echo 'it printed:' && excerpt "$output" &&
        echo 'it should print:' && excerpt "$1" && difference "$output" "$1" &&
        hint "${2-}")
    because "${lines[@]}"
}

# Where two texts differ whose first lines look the same.
difference() { # TEXT TEXT
    local LC_ALL=C byte
    [[ $(excerpt "$1" | tr -d ' \t') == "$(excerpt "$2" | tr -d ' \t')" ]] || return 0
    byte=$(cmp <(printf %s "$1") <(printf %s "$2") 2>&1 | grep -o 'byte [0-9]*')
    echo "These are ${#1} and ${#2} bytes; they differ at or after ${byte:-byte 0}."
}

complains() {
    local lines
    [[ $errors && $errors == *"${1-}"* ]] && return
    mapfile -t lines < <(
        echo "stderr has no message${1:+ with the word $1}; it has:" &&
            excerpt "$errors" && hint "${2-}"
    )
    because "${lines[@]}"
}

leaves_nothing() {
    local lines
    ((${#left[@]})) || return 0
    mapfile -t lines < <(echo 'it left in the system:' &&
        excerpt "$(printf '%s\n' "${left[@]}" | in_full_words)" && hint "${1-}")
    because "${lines[@]}"
}

in_full_words() {
    sed 's/^f \/dev\/shm\//shared memory or semaphore \//; s/^f \/dev\/mqueue\//message queue \//
        s/^f /file /; s/^p /FIFO /; s/^s /socket /; s/^d /folder /'
}

accept_trace() { # AWK [HINT]
    local lines
    mapfile -t lines < <(awk "$WHOLE_CALLS $1" "$trace" | head -n 5)
    ((${#lines[@]})) || return 0
    mapfile -tO "${#lines[@]}" lines < <(hint "${2-}")
    because "${lines[@]}"
}

# For awk: a call that another process came between has two lines in the log;
# it is one again, where it returned.
WHOLE_CALLS='
    !first { first = $1 } # the program
    / <unfinished \.\.\.>$/ {
        sub(/ <unfinished \.\.\.>$/, "")
        begun[$1] = $0
        next
    }
    match($0, /<\.\.\. [a-z0-9_]+ resumed>/) {
        $0 = begun[$1] substr($0, RSTART + RLENGTH)
        begun[$1] = ""
    }
'

# A test whose tool is missing is skipped, and a skip is no pass.
requires() {
    command -v "$1" >/dev/null || skip "$1 is missing: install ${2:-$1}"
}

# For accept_trace with --trace of fork, clone and wait: each child that the
# program has started was waited for by it.
# shellcheck disable=SC2034 # the .bats files use it
WAITED='
    { ours[first] } # and its threads
    / (v?fork|clone3?)\(/ && $1 in ours && $NF + 0 > 0 {
        if (/CLONE_THREAD/) ours[$NF]
        else started[$NF]
    }
    / wait4\(/ && $NF + 0 > 0 { ended[$NF] }
    / waitid\(/ && match($0, /si_pid=[0-9]+/) {
        ended[substr($0, RSTART + 7, RLENGTH - 7)]
    }
    END {
        for (pid in started) {
            children++
            if (!(pid in ended)) forgotten++
        }
        if (!children) print "it has started no child"
        if (forgotten)
            print "children that are not waited for: " forgotten " of " children
    }'
