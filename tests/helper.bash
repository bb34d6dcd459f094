# What the .bats files load: the programs on PATH, bats' libraries, and what
# several files need. Needs bats 1.7.

# Read once more, untraced: bats' trap takes longer than most lines here.
if [[ $- == *T* ]]; then
    set +T
    # shellcheck source=/dev/null
    . "${BASH_SOURCE[0]}"
    set -T
    return
fi
bats_require_minimum_version 1.7.0

# Loaded once a run, because bats-assert's loader starts a dozen processes; the
# tests after it, each a bash of its own, find the functions in one file.
if [[ ! -e $BATS_RUN_TMPDIR/libraries ]]; then
    before=$(compgen -A function)
    bats_load_library bats-support
    bats_load_library bats-assert
    bats_load_library bats-file
    {
        compgen -A function | grep -vxF "$before" |
            while read -r name; do declare -f "$name"; done
        echo "unbounded_$(declare -f run)" # bats' own: see run
    } >"$BATS_RUN_TMPDIR/libraries.$$"
    mv "$BATS_RUN_TMPDIR/libraries.$$" "$BATS_RUN_TMPDIR/libraries"
fi
# shellcheck source=/dev/null
. "$BATS_RUN_TMPDIR/libraries"

ROOT=${BATS_TEST_DIRNAME%/*}
BIN=${BIN:-$ROOT/bin}
[[ $BIN == /* ]] || BIN=$PWD/$BIN
PATH=$BIN:$PATH
TMPDIR=$BATS_TEST_TMPDIR/tmp # what a program leaves is found there
HUNG=$BATS_RUN_TMPDIR/hung   # which programs have hung in this run: see bounded
mkdir -p "$TMPDIR" "$HUNG"
MALLOC_PERTURB_=165 # memory that nobody has set is not 0
export ROOT BIN PATH TMPDIR MALLOC_PERTURB_

# The CPUs that we may use, and the first of them alone: for taskset -c.
mapfile -t state </proc/self/status # in one read: it changes
printf -v CORES '%s\n' "${state[@]}"
CORES=${CORES#*Cpus_allowed_list:$'\t'}
CORES=${CORES%%$'\n'*}
CORE=${CORES%%[,-]*}
export CORES CORE

[[ -t 0 ]] && exec </dev/null

# IS_PROGRAM: whatever has a source. MISSING: those that are not in BIN. OWN:
# the one that this test is about, by the first word of its name.
declare -gA IS_PROGRAM
# Looked for once in a run.
if [[ ! -e $BATS_RUN_TMPDIR/programs ]]; then
    find "$ROOT" -mindepth 2 -maxdepth 2 -name '*.c' |
        sed -nE '/\/(lanes|bench|homework|build|tests)\/[^/]*$/!s,.*/(.*)\.c$,\1,p' |
        while IFS= read -r OWN; do
            all+="[$OWN]=1 "
            [[ -f $BIN/$OWN && -x $BIN/$OWN ]] || none+="$OWN "
            echo "IS_PROGRAM=(${all-}) MISSING=(${none-})"
        done | tail -n 1 >"$BATS_RUN_TMPDIR/programs.$$"
    mv "$BATS_RUN_TMPDIR/programs.$$" "$BATS_RUN_TMPDIR/programs"
fi
# shellcheck source=/dev/null
. "$BATS_RUN_TMPDIR/programs"
OWN=${BATS_TEST_DESCRIPTION%%[^a-z0-9-]*}
[[ $OWN && ${IS_PROGRAM[$OWN]-} ]] || OWN=
BEGAN=$EPOCHSECONDS

# Nothing passes because a program is not there: neither the test of it nor
# a test of all programs (with PROGRAM=NAME in the environment, of that one).
is_there() {
    [[ -f $BIN/$1 && -x $BIN/$1 ]] || fail "there is no $1 in $BIN"
}

if [[ ${BATS_TEST_DESCRIPTION-} =~ ^(lanes|ipcbench) ]]; then
    is_there "${BASH_REMATCH[1]}"
elif [[ $OWN || ${PROGRAM-} ]]; then
    is_there "${OWN:-$PROGRAM}"
elif [[ ${MISSING[*]} ]]; then
    is_there "${MISSING[0]}"
fi || exit 1

# Fails if a command, behind strace, env or in bash -c, needs one that is not.
all_there() {
    local name
    [[ ${MISSING[*]} ]] || return 0
    for name in $(programs_in "$@"); do
        is_there "$name" || return
    done
}

# The programs of ours that stand in the words of a command.
programs_in() {
    local text word words
    for text; do
        read -r -d '' -a words <<<"${text:0:4000}" || true
        for word in "${words[@]//[^a-z0-9-]/}"; do
            [[ ! $word || ! ${IS_PROGRAM[$word]-} ]] || echo "$word"
        done
    done
}

# Sets name: the program that a command is about, also behind strace, env and
# in bash -c.
program_of() {
    name=${1##*/}
    [[ ! $name || ! ${IS_PROGRAM[$name]-} ]] || return 0
    name=$(programs_in "$@")
    name=${name%%$'\n'*}
    name=${name:-$OWN}
    name=${name:-${1##*/}}
}

# bats' own run, but bounded: a program that hangs is a failed test that says
# so. What went wrong is said with the program's name. Not traced: bats' trap
# takes longer than each of the commands here, and the test's line is enough.
run() { # [-N | !] [--separate-stderr] [--keep-empty-lines] COMMAND
    set +T
    untraced_run "$@" || {
        set -T
        return 1
    }
    set -T
}

untraced_run() {
    local flags=() expected='' what name
    while [[ $1 == -* || $1 == '!' ]]; do
        [[ $1 != -[0-9]* && $1 != '!' ]] || expected=$1
        flags+=("$1")
        shift
    done
    all_there "$@" || return
    what=$HUNG/test.$BATS_SUITE_TEST_NUMBER
    [[ ! -e $what ]] || rm "$what"
    unbounded_run "${flags[@]}" bounded "$@" || true

    if [[ -e $HUNG/test.$BATS_SUITE_TEST_NUMBER ]]; then
        what="hung, and was stopped"
    elif [[ $expected == '!' && $status == 0 ]]; then
        what='status 0, but it had to fail'
    elif [[ $expected == -* && $status != "${expected#-}" ]]; then
        what="$(in_words "$status"), not ${expected#-}"
    else
        return 0
    fi
    program_of "$@"
    fail_run "$name: $what" "$@"
}

# What a status means, in words.
in_words() {
    local signal
    if (($1 > 128)) && signal=$(kill -l $(($1 - 128)) 2>/dev/null); then
        [[ $signal != XFSZ ]] || signal+=', as it printed too much'
        echo "killed by SIG$signal (status $1)"
    else
        echo "status $1"
    fi
}

# Fails a run. Its output is there once, whether bats prints it, too, or not.
fail_run() { # WHAT COMMAND
    local what=$1 command=${*:2}
    {
        batslib_print_kv_single_or_multi 7 command "${command:0:1000}"
        if [[ ! ${BATS_PRINT_OUTPUT_ON_FAILURE-} ]]; then
            batslib_print_kv_single_or_multi 7 \
                output "$(head -n 20 <<<"$output")"
            [[ ! ${stderr-} ]] || batslib_print_kv_single_or_multi 7 \
                stderr "$(head -n 20 <<<"$stderr")"
        fi
    } | batslib_decorate "$what" | fail
}

# Sets limit, the seconds that a program may take: LIMIT of the environment; else
# USUAL of a test that knows better than 5, and 2 if it has hung before in this
# run, and half a second more for each process that wants a CPU now.
seconds_for() { # PROGRAM
    local load
    limit=${USUAL:-5}
    [[ ! $1 || ! -e $HUNG/$1 ]] || limit=2
    read -r load _ </proc/loadavg
    limit=${LIMIT:-$((limit + ${load%.*} / 2))}
}

has_hung() { # PROGRAM
    touch "$HUNG/$1" "$HUNG/test.${BATS_SUITE_TEST_NUMBER-}"
}

# timeout(1), or lanes in its place, which says what waits for what.
timed() { # SECONDS COMMAND
    local lanes
    if ! read -r lanes 2>/dev/null <"$HUNG/explained.by"; then
        lanes=$ROOT/bin/lanes
        timeout 5 "$lanes" -w -t 1 true </dev/null >/dev/null 2>&1 || lanes=no
        echo "$lanes" >"$HUNG/explained.by"
    fi
    { # where bash may say how the command was killed
        if [[ $lanes != no ]]; then
            "$lanes" -w -t "$@" 2>&9 9>&-
        else
            timeout -k 1 "$@" 2>&9 9>&-
        fi
    } 9>&2 2>/dev/null
}

# Runs a command for a limited time. Status 99: it hung; else the command's
# own. What it prints comes when it has ended, by way of files: a pipe's reader
# waits for every process that has the pipe, a forgotten child as well.
# A file has its bounds, 100 MiB (raise ulimit -S -f where a test makes larger
# ones), and 64 KiB of it are kept.
bounded() {
    local began limit name status=0 out err
    all_there "$@" || return 98
    program_of "$@"
    seconds_for "$name"
    out=$BATS_RUN_TMPDIR/out.$BASHPID
    err=$out
    [[ /dev/fd/1 -ef /dev/fd/2 ]] || err=$BATS_RUN_TMPDIR/err.$BASHPID
    : >"$out"
    : >"$err"
    began=$EPOCHREALTIME
    (
        ulimit -S -f 102400
        timed "$limit" env --default-signal "$@" >>"$out" 2>>"$err" 3>&- 4>&-
    ) || status=$?
    if ((${EPOCHREALTIME/./} - ${began/./} >= limit * 1000000)); then
        echo "$name hung: stopped after $limit seconds" >>"$err"
        has_hung "$name"
        status=99
    fi
    first_64k "$out"
    [[ $err == "$out" ]] || first_64k "$err" >&2
    : >"$out"
    : >"$err"
    return "$status"
}

# The first 64 KiB of a file, and how many there were, if more.
first_64k() {
    local LC_ALL=C text
    mapfile -d '' -n 2 text <"$1"
    if ((${#text[@]} < 2 && ${#text} <= 65536)); then # most often, no process
        printf '%s' "${text-}"
    else
        head -c 65536 "$1"
        [[ $(stat -c %s "$1") -le 65536 ]] ||
            printf '\n[... %s bytes]\n' "$(stat -c %s "$1")"
    fi
}

# Makes the array AS_NOBODY, a prefix that takes root's privilege from a
# command, and the programs named here such that nobody may run them.
# shellcheck disable=SC2034 # the .bats files use AS_NOBODY
without_privilege() {
    AS_NOBODY=()
    ((EUID == 0)) || return 0
    AS_NOBODY=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    # The tree may be root's alone, and bats' folders are: so copies.
    chmod a+x "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BATS_TEST_TMPDIR"
    mkdir -m 755 "$BATS_TEST_TMPDIR/bin"
    cp "${@/#/$BIN/}" "$BATS_TEST_TMPDIR/bin"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# traced CALLS [OPTIONS OF STRACE] COMMAND: what the kernel saw of the calls is
# in $BATS_TEST_TMPDIR/log, stdout in out. A call may be one that this machine
# does not have.
traced() {
    local calls=$1
    requires strace
    cd "$BATS_TEST_TMPDIR" || return
    shift
    if [[ ! $calls =~ [!%?] ]]; then
        calls=${calls/=/=?}
        calls=${calls//,/,?}
    fi
    run bash -c 'strace -f -qq -s 200 -o log "$@" >out' bash -e "$calls" "$@"
}

# For awk, which reads what strace -f wrote: a call that another process came
# between has two lines there; it is one again, where it returned.
# shellcheck disable=SC2034 # the .bats files use it
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

# Fails with what awk prints, which looks for faults in the log.
accept_log() {
    output=$(awk "$@" "$BATS_TEST_TMPDIR/log" 2>&1) || fail "awk: $output"
    assert_output ''
}

# Makes of the C on stdin what LD_PRELOAD puts between a program and libc.
make_preload() { # FILE.so
    requires gcc
    gcc -shared -fPIC -o "$1" -x c - -ldl
}

# bash's own wait, but bounded. Status 99: a process still runs.
wait() {
    local pids=("$@") pid limit
    (($#)) || mapfile -t pids < <(jobs -p)
    seconds_for "$OWN"
    for pid in "${pids[@]}"; do
        [[ $pid == [0-9]* ]] || continue # an option, a job
        if ! LIMIT=$limit wait_until process_ended "$pid" 2>/dev/null; then
            echo "${OWN:-process} $pid did not end within $limit seconds:" >&2
            ps -o pid=,stat=,wchan=,args= -p "$pid" >&2 || true
            has_hung "$OWN"
            return 99
        fi
    done
    builtin wait "$@"
}

process_ended() {
    ! kill -0 "$1" 2>/dev/null || grep -q '^State:.[ZX]' "/proc/$1/status"
}

# Waits for a background process, and fails if its status is another.
assert_ends() { # STATUS PID
    local status=0
    wait "$2" || status=$?
    [[ $status == "$1" ]] ||
        fail "${OWN:-the process}: $(in_words $status), not $1"
}

# Waits until a command succeeds, as long as a program may run. In a subshell,
# or the process substitution would become the caller's $!.
wait_until() (
    set +T
    seconds_for "$OWN"
    end=$((${EPOCHREALTIME/./} + limit * 1000000))
    while late=$((${EPOCHREALTIME/./} > end)) && ! "$@"; do
        if ((late)); then
            echo "${OWN:+$OWN: }waited $limit seconds in vain for: $*" >&2
            exit 1
        fi
        read -rt 0.02 <> <(:) || true
    done
)

# The pids of the processes that this test started and that still run. They
# are known by their environment, so those of other tests do not count.
survivors() {
    local found
    found=$(grep_environments -l) || true
    found=${found//\/environ/}
    echo "${found//\/proc\//}"
}

no_survivors() {
    ! grep_environments -q
}

# By a grep that is not one of them.
grep_environments() (
    export -n BATS_TEST_TMPDIR
    exec grep "$1" -zxF "BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR" \
        /proc/[0-9]*/environ 2>/dev/null
)

# What there is of names and objects that our programs make, a line each: pid,
# time, program, and the name or what ipcrm calls it. A name is PROGRAM.PID in
# /tmp, /dev/shm or /dev/mqueue, a key 0x1bc50000 | PID, of which there are 15
# bits for certain (PID+), a segment without a key has 0x1bc5 bytes. Other
# users' are not ours, but for nobody's.
ipc_names() {
    local path name pid lines=()
    for path in /tmp/*.[0-9]* /dev/shm/*.[0-9]* /dev/mqueue/*.[0-9]*; do
        name=${path##*/}
        name=${name#sem.}
        pid=${name#*.} # "." and a word may follow, where a run has two names
        pid=${pid%.[a-z]*}
        name=${name%%.*}
        [[ $pid && $pid != *[!0-9]* && ${IS_PROGRAM[$name]-} ]] || continue
        stat -c "%u $pid %Y $name %n" "$path" 2>/dev/null |
            sed -nE "s/^($EUID|65534) //p"
    done
    for path in /proc/sysvipc/{msg,sem,shm}; do
        [[ ! -e $path ]] || mapfile -t -O "${#lines[@]}" lines <"$path"
    done
    ((${#lines[@]} > 3)) || return 0 # there is nothing but the titles
    printf '%s\n' "${lines[@]}" | awk -v uid="$EUID" '
        $1 == "key" {
            kind = $2 == "shmid" ? "m" : $2 == "semid" ? "s" : "q"
            for (i = 1; i <= NF; i++) col[$i] = i
            next
        }
        $col["cuid"] != uid && $col["cuid"] != 65534 { next }
        int($1 / 65536) == 7109 || kind == "m" && $col["size"] == 7109 {
            pid = kind == "m" ? $col["cpid"] : $1 % 32768 "+"
            print pid, $col["ctime"], "sysv-", kind, $2
        }'
}

# Is there a file of this pid's name, or of one that ends in these bits?
pid_in() { # FOLDER PID
    local pid
    [[ $2 == *+ ]] || {
        [[ -e $1/$2 ]]
        return
    }
    for ((pid = ${2%+}; pid < 4194304; pid += 32768)); do
        [[ ! -e $1/$pid ]] || return 0
    done
    return 1
}

# Of those, what this test's programs have left: made since it began, by a
# process that has ended, but not by being killed in tests/leaves.bats.
left_behind() {
    local pid time program what own=${OWN:-${PROGRAM-}}
    compgen -G "$TMPDIR/*"
    # A test of no program has no names; what is there is another's, beside it.
    [[ $own || $BATS_TEST_DESCRIPTION == each\ * ]] || return 0
    ipc_names | while read -r pid time program what; do
        ((time >= BEGAN)) && [[ ! $own || $own == "$program"* ]] &&
            ! pid_in /proc "$pid" &&
            ! pid_in "$BATS_RUN_TMPDIR/killed" "$pid" && echo "$what"
    done
    return 0
}

# Says which of some things that were left are still there.
still_left() {
    sort <(left_behind) <(echo "$1") | uniq -d
}

are_gone() {
    [[ -z $(still_left "$1") ]]
}

# After each test: no process and no file may be left.
teardown() {
    set +T
    no_leftovers
}

no_leftovers() {
    local pids left
    if [[ ! ${BATS_TEST_COMPLETED-} ]]; then # it has failed; now end it all
        mapfile -t pids < <(survivors)
        [[ ! ${pids[*]} ]] || kill -KILL "${pids[@]}" 2>/dev/null
        return 0
    fi
    # The first look is without wait_until's process: mostly it is enough.
    if ! no_survivors && ! wait_until no_survivors 2>/dev/null; then
        mapfile -t pids < <(survivors)
        [[ ${pids[*]} ]] || return 0 # at the last moment
        echo "${OWN:+$OWN: }still running:"
        ps -o pid=,args= -p "${pids[*]}"
        kill -KILL "${pids[@]}"
        return 1
    fi
    left=$(left_behind)
    # Another test's, running beside this one, goes away.
    [[ $left ]] && ! wait_until are_gone "$left" 2>/dev/null || return 0
    left=$(still_left "$left")
    [[ $left ]] || return 0 # at the last moment
    remove_left "$left"
    fail "${OWN:+$OWN: }left behind: $(sed 's/^m /segment /; s/^s /set /
        s/^q /queue /' <<<"$left" | xargs -d '\n')"
}

remove_left() {
    local kind id
    while read -r kind id; do
        case $kind in
        /*) rm -rf "$kind${id:+ $id}" ;;
        *) ipcrm "-$kind" "$id" ;;
        esac
    done <<<"$1"
}

# Skips a test whose tool is missing. Under grading a skip is no pass.
requires() {
    command -v "$1" >/dev/null || skip "$1 is missing: install ${2:-$1}"
}
