# What a file of graded tests loads: load "$GRADE/scenes". A test plays one
# scene in a box, then says what must have come of it.
#
#   demo [OPTION...] NAME [ARG...]        one program
#   scene [OPTION...] 'BASH' [ARG...]     several; the functions are judge's
#
#   --late child|parent    that side of each fork naps for 250 ms
#   --doomed N             the Nth child is killed as it starts
#   --held child           each child is stopped as it starts: judge's settle
#   --after-post MS        who has posted a semaphore, or given a lock back, naps
#                          before the next line: who waited for it comes first
#   --short-reads          read gives at most 3 bytes of a pipe or a socket
#   --starve CALL=ERROR    the kernel refuses that call, in strace's words
#   --inject CALL=WHAT     signal=CHLD, delay_exit=1000, error=EIO:when=2 and so
#                          on, in strace's words; may be given several times
#   --trace CALLS          strace's log of these calls is the file $trace
#   --handlers calls|errno stderr says that a signal handler runs, and if it
#                          calls what it may not or changes errno
#   --stop 'CALLS PATH'    the first such call on PATH stops the program, as
#                          soon as it is done: see judge's stopped and go_on
#   --room N               from its first recvmsg on it may have N descriptors
#   --nap MS               as long a nap before each store to shared memory,
#                          after a fork; --perturbed is 0.5
#   --closed FD            without that descriptor: 0, 1 or 2
#   --ignore SIGNAL        with that signal ignored, as some launchers have it
#   --seconds N            may take longer than 3
#
# Then there are $output and $errors, the first 64 KiB of what was printed,
# without NULs (all of it is in the files $notes/out and $notes/err);
# $status; $hung, if it did not end; ${noted[KEY]}, for each note; $cpu, in ms;
# and the array left.

# shellcheck source=homework/grade/walls.bash
. "$GRADE/walls.bash"
# shellcheck source=homework/grade/build.bash
. "$GRADE/build.bash"

demo() {
    local options=()
    while [[ $1 == --* ]]; do
        options+=("$1")
        if [[ $1 != --short-reads && $1 != --perturbed ]]; then
            options+=("$2")
            shift
        fi
        shift
    done
    scene "${options[@]}" 'play "$@"' "$@"
}

# Untraced: bats' trap takes longer than each of the commands here.
scene() {
    set +T
    box_scene "$@" || broken 'the scene could not be played'
    set -T
}

box_scene() {
    local limit=${GRADE_SECONDS:-3} programs=$INSIDE_BIN closed=()
    local tracer=() traced=execve only=() injected=() nudges=()
    local clean=(env -i --default-signal "${ENVIRONMENT[@]}") clock prefix
    while [[ $1 == --* ]]; do
        case $1 in
        --short-reads) nudge short ;;
        --perturbed)
            perturbed
            programs+=/perturbed
            ;;
        --nap)
            perturbed
            programs+=/perturbed
            clean+=("NAP=$2")
            ;;
        --late) nudge forks "LATE_${2^^}=250" ;;
        --doomed) nudge forks "DOOMED=$2" ;;
        --held) nudge forks "HELD_${2^^}=1" ;;
        --after-post) nudge posts "AFTER_POST=$2" ;;
        --starve) traced "${2%=*}" "${2%=*}:error=${2#*=}" ;;
        --inject) traced "${2%%=*}" "${2/=/:}" ;;
        --trace) traced "$2" ;;
        --handlers) nudge handlers "HANDLERS=$2" ;;
        --stop)
            only=(-D -P "${2##* }")
            traced "${2% *}" "${2% *}:signal=STOP:when=1"
            ;;
        --room) nudge room "ROOM=$2" ;;
        --closed) closed=(sh -c "exec \"\$@\" $2>&-" sh) ;;
        --ignore) clean=("${clean[@]:0:3}" "--ignore-signal=$2" "${clean[@]:3}") ;;
        --seconds) limit=$((limit - 3 + $2)) ;;
        *) broken "scene has no option $1" ;;
        esac
        [[ $1 == --short-reads || $1 == --perturbed ]] || shift
        shift
    done
    [[ ! ${nudges[*]} ]] || clean+=("LD_PRELOAD=${nudges[*]}")
    prefix=("${tracer[@]}" "${closed[@]}" "${DROP[@]}" "${clean[@]}")

    # One hang is told at its length. Others of the same program are cut short,
    # but a scene that takes its time has it.
    [[ ! -e $WORK/hung ]] || limit=$((limit > ${GRADE_SECONDS:-3} ? limit - 2 : 1))
    clock=(timeout --foreground -s USR1 -k 2 "$limit")
    [[ ! -x $WORK/grade/lanes ]] || clock=("$INSIDE/lanes" -w -t "$limit")

    notes=$(mktemp -d "$BATS_TEST_TMPDIR/notes.XXXXXX")
    trace=$notes/trace
    touch "$notes"/{out,err,why,notes,trace,complaints}
    chmod 600 "$notes"/*
    ((EUID)) || chown "$BOX_UID" "$notes"/*
    local exit=0
    (
        cd "$notes"
        exec </dev/null >out 2>why 3>notes 4>trace 5>err 6>complaints
        box "$limit" env "PROGRAMS=$programs" \
            "ONLY_UID=$([[ $BOX != uid ]] || echo "$BOX_UID")" "${clock[@]}" \
            "$INSIDE/judge" "${#prefix[@]}" "${prefix[@]}" "$@"
    ) || exit=$?
    read_notes "$exit"
}

# For options of scene: what is preloaded, and with which variable.
nudge() { # NAME [VARIABLE=VALUE]
    nudges+=("$INSIDE/$1.so")
    clean+=("${@:2}")
}

# For options of scene: what strace does, in all.
traced() { # CALLS [WHAT_TO_INJECT]
    requires strace
    traced+=,$1
    [[ ! ${2-} ]] || injected+=(-e "inject=$2")
    tracer=(strace -f -qq -A -s 200 -o '/proc/@judge@/fd/4'
        "${only[@]}" -e "trace=$traced" "${injected[@]}")
}

# For an option of scene: the program, compiled to be perturbed.
# shellcheck disable=SC2153 # NAME is that of the assignment
perturbed() {
    [[ -e $WORK/bin/perturbed/$NAME ]] || build "$NAME" perturbed ||
        because 'with -fsanitize=thread'
}

read_notes() { # THE_BOX'S_STATUS
    local key value user system
    declare -gA noted=()
    left=()
    while read -r key value; do
        if [[ $key == left ]]; then
            left+=("$value")
        else
            noted[$key]=$value
        fi
    done <"$notes/notes"
    status=${noted[status]-}
    output=$(head -c 65536 "$notes/out" | tr -d '\0')
    errors=$(head -c 65536 "$notes/err" | tr -d '\0')
    hung=
    [[ $1 != 124 ]] || hung=$limit
    ended_early=
    [[ $hung || -v noted[end] ]] || ended_early=1
    [[ ! $hung && ! $ended_early ]] || touch "$WORK/hung"
    # What strace saw before the program itself began is of no interest.
    sed -i "1,/execve(\"${programs//\//\\/}/d" "$trace"
    read -r user system <<<"${noted[cpu]-0m0.0s 0m0.0s}"
    cpu=$(($(in_ms "$user") + $(in_ms "$system")))
}

in_ms() { # 1m2.345s
    local m=${1%%m*} s=${1#*m}
    s=${s%s}
    echo $((m * 60000 + ${s%.*} * 1000 + 10#${s#*.}))
}

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
        cut -c 1-100 | sed "s/^/    /; ${2:-8}{s/.*/    .../;q}"
}

hint() {
    [[ ! ${1-} ]] || echo "hint: $1"
}

# ends [STATUS | any] [HINT]   it ended by itself, with that status (0)
ends() {
    local expected=0 lines=()
    if [[ ${1-} =~ ^([0-9]+|any)$ ]]; then
        expected=$1
        shift
    fi
    if [[ $hung ]]; then
        lines=("it hung, and was stopped after $hung s:")
        ((hung >= ${GRADE_SECONDS:-3})) ||
            lines[0]="it hung, and was stopped after $hung s, as it has hung before:"
        mapfile -tO 1 lines < <(excerpt "$(<"$notes/why")" 12)
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

# says TEXT [HINT]   exactly that is on stdout
says() {
    local lines
    [[ $output != "$1" ]] || return 0
    mapfile -t lines < <(echo 'it printed:' && excerpt "$output" &&
        echo 'and not:' && excerpt "$1" && hint "${2-}")
    because "${lines[@]}"
}

# complains [WORD] [HINT]   there is a message on stderr, with that word in it
complains() {
    local lines
    [[ $errors && $errors == *"${1-}"* ]] && return
    mapfile -t lines < <(
        echo "stderr has no message${1:+ with the word $1}; it has:" &&
            excerpt "$errors" && hint "${2-}"
    )
    because "${lines[@]}"
}

# leaves_nothing [HINT]   no process, file or IPC object
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

# Fails with what awk prints, which looks into strace's log for faults.
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
    !program++ { ours[$1] } # and its threads
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
            print forgotten " of " children " children are not waited for"
    }'
