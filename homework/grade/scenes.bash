# What a file of graded tests loads: load "$GRADE/scenes". A test plays one
# scene in a box, then says what must have come of it.
#
#   demo [OPTION...] NAME [ARG...]        one program
#   scene [OPTION...] 'BASH' [ARG...]     several; the functions are judge's
#
#   --late child|parent    that side of each fork naps for 250 ms
#   --in-turn              a parent goes on when its child has ended, or in 250 ms
#   --late pause           so does the program before each pause()
#   --handlers             "unsafe in a handler: printf" is on stderr if a
#                          handler calls that, or another of its kind; and
#                          "changed in a handler: errno" if it does that
#   --doomed N             the Nth child is killed as it starts
#   --held child           each child is stopped as it starts: judge's settle
#   --after-post MS        a process naps when it has posted a semaphore or given
#                          a lock back: one that waited for it comes first
#   --short-reads          read gives at most 3 bytes of a pipe or a socket
#   --starve CALL=ERROR    the kernel refuses that call, in strace's words
#   --inject CALL=WHAT     signal=CHLD, delay_exit=1000, error=EIO:when=2 and so
#                          on, in strace's words; may be given several times
#   --trace CALLS          strace's log of these calls is the file $trace
#   --stop 'CALLS PATH'    the first such call on PATH stops the program, as
#                          soon as it is done: see judge's stopped and go_on
#   --room N               from its first recvmsg on it may have N descriptors
#   --nap MS               as long a nap before each store to shared memory,
#                          after a fork; --perturbed is 0.5
#   --closed FD            without that descriptor: 0, 1 or 2
#   --ignore SIGNAL        with that signal ignored, as some launchers have it
#   --seconds N            may take longer than 3
#
# Then verdicts.bash has what to ask for, and there are $output and $errors, the
# first 64 KiB of what was printed, without NULs (all of it is in the files
# $notes/out and $notes/err);
# $status; $hung, if it did not end; ${noted[KEY]}, for each note; $cpu, in ms;
# and the array left.

# Untraced: bats' trap takes longer than each of the commands here.
set +T

# shellcheck source=homework/grade/walls.bash
. "$GRADE/walls.bash"
# shellcheck source=homework/grade/build.bash
. "$GRADE/build.bash"
# shellcheck source=homework/grade/verdicts.bash
. "$GRADE/verdicts.bash"

demo() {
    local options=()
    while [[ $1 == --* ]]; do
        options+=("$1")
        stands_alone "$1" || {
            options+=("$2")
            shift
        }
        shift
    done
    scene "${options[@]}" 'play "$@"' "$@"
}

stands_alone() { # OPTION
    [[ $1 == --@(short-reads|handlers|perturbed|in-turn) ]]
}

# Untraced as well.
scene() {
    set +T
    box_scene "$@" || broken 'the scene could not be played'
    set -T
}

box_scene() {
    local seconds limit programs=$INSIDE_BIN closed=()
    local tracer=() traced=execve only=() injected=() nudges=()
    local clean=(env -i --default-signal "${ENVIRONMENT[@]}") clock prefix
    how_long
    limit=$seconds
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
        --late)
            nudge forks "LATE_${2^^}=250"
            [[ $2 != pause ]] || nudge signals
            ;;
        --in-turn) nudge forks IN_TURN=250 ;;
        --doomed) nudge forks "DOOMED=$2" ;;
        --held) nudge forks "HELD_${2^^}=1" ;;
        --after-post) nudge posts "AFTER_POST=$2" ;;
        --starve) traced "${2%=*}" "${2%=*}:error=${2#*=}" ;;
        --inject) traced "${2%%=*}" "${2/=/:}" ;;
        --trace) traced "$2" ;;
        --handlers) nudge signals ;;
        --stop)
            only=(-D -P "${2##* }")
            traced "${2% *}" "${2% *}:signal=STOP:when=1"
            ;;
        --room) nudge room "ROOM=$2" ;;
        --closed) closed=(sh -c "exec \"\$@\" $2>&-" sh) ;;
        --ignore) clean=("${clean[@]:0:3}" "--ignore-signal=$2" "${clean[@]:3}") ;;
        --seconds) limit=$((seconds * $2 / 3)) ;;
        *) broken "scene has no option $1" ;;
        esac
        stands_alone "$1" || shift
        shift
    done
    [[ ! ${nudges[*]} ]] || clean+=("LD_PRELOAD=${nudges[*]}")
    prefix=("${tracer[@]}" "${closed[@]}" "${DROP[@]}" "${clean[@]}")

    # One hang is told at its length. Others of the same program are cut short.
    again=
    # shellcheck disable=SC2153 # NAME is that of the assignment
    if [[ -e $WORK/hung.$NAME ]]; then
        again=', as it has hung before'
        limit=$(((limit + 2) / 3))
    fi
    clock=(timeout --foreground -s USR1 -k 2 "$limit")
    [[ ! -x $WORK/grade/lanes ]] || clock=("$INSIDE/lanes" -w -t "$limit")

    notes=$(mktemp -d "$BATS_TEST_TMPDIR/notes.XXXXXX")
    trace=$notes/trace
    local exit=0
    (
        cd "$notes"
        exec </dev/null >out 2>why 3>notes 4>trace 5>err 6>complaints
        ((EUID)) || chown "$BOX_UID" ./*
        box "$limit" env "PROGRAMS=$programs" \
            "ONLY_UID=$([[ $BOX != uid ]] || echo "$BOX_UID")" \
            "SCENES=$([[ $BOX != uid ]] && echo /tmp || echo "$WORK/tmp")" "${clock[@]}" \
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
    local said
    [[ ! -e $WORK/bin/perturbed/$NAME ]] || return 0
    said=$(build "$NAME" perturbed) || {
        because "$said" || exit 1
    }
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
    read_file output "$notes/out"
    read_file errors "$notes/err"
    hung=
    [[ $1 != 124 ]] || hung=$limit
    ended_early=
    [[ $hung || -v noted[end] ]] || ended_early=1
    [[ ! $hung && ! $ended_early ]] || touch "$WORK/hung.$NAME"
    # From now on most of the time goes by in sleep: see await_place.
    [[ ! $hung ]] || grep -q ' computes' "$notes/why" || touch "$RESTS"
    # What strace saw before the program itself began is of no interest.
    [[ ! -s $trace ]] || sed -i "1,/execve(\"${programs//\//\\/}/d" "$trace"
    read -r user system <<<"${noted[cpu]-0m0.0s 0m0.0s}"
    cpu=$(($(in_ms "$user") + $(in_ms "$system")))
}

# What $(<FILE) is, but of 64 KiB at most, and without a warning of NULs.
read_file() { # VARIABLE FILE
    local LC_ALL=C
    IFS= read -rN 65536 "$1" <"$2" || true
    printf -v "$1" %s "$(printf %s "${!1}")"
}

in_ms() { # 1m2.345s
    local m=${1%%m*} s=${1#*m}
    s=${s%s}
    echo $((m * 60000 + ${s%.*} * 1000 + 10#${s#*.}))
}

set -T
