# What the .bats files load: the programs on PATH, bats' libraries, and what
# several files need. Needs bats 1.7.

bats_require_minimum_version 1.7.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
BIN=${BIN:-$ROOT/bin}
PATH=$BIN:$PATH
TMPDIR=$BATS_TEST_TMPDIR/tmp # what a program leaves is found there
mkdir -p "$TMPDIR"
export ROOT BIN PATH TMPDIR

# The CPUs that we may use, and the first of them alone: for taskset -c.
CORES=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
CORE=${CORES%%[,-]*}
export CORES CORE

LIMIT=20 # seconds that a program may take before it counts as hung

[[ -t 0 ]] && exec </dev/null

# bats' own run, but bounded and from BIN: a program that hangs is a failed
# test that says so. BATS_TEST_TIMEOUT does not stop what `run` started.
eval "unbounded_$(declare -f run)"
run() {
    local flags=()
    while [[ $1 == -* || $1 == '!' ]]; do
        flags+=("$1")
        shift
    done
    unbounded_run "${flags[@]}" bounded "$@"
}

# Runs a command for LIMIT seconds at most. Status 99: it hung; else its own.
# What it prints comes when it has ended, by way of files: who reads a pipe
# waits for everybody who has it, so for a child that was forgotten, too.
bounded() {
    local began=$SECONDS status=0 out err
    if compgen -G "$ROOT/*/$1.c" >/dev/null && [[ ! -x $BIN/$1 ]]; then
        echo "there is no $1 in $BIN" >&2
        return 98
    fi
    out=$(mktemp "$BATS_RUN_TMPDIR/out.XXXXXX")
    err=$out
    [[ /dev/fd/1 -ef /dev/fd/2 ]] || err=$(mktemp "$BATS_RUN_TMPDIR/out.XXXXXX")
    timeout -k 1 "$LIMIT" "$@" >>"$out" 2>>"$err" 3>&- 4>&- || status=$?
    if ((SECONDS - began >= LIMIT)); then
        echo "$1 hung: stopped after $LIMIT seconds" >>"$err"
        status=99
    fi
    cat "$out"
    [[ $err == "$out" ]] || cat "$err" >&2
    rm -f "$out" "$err"
    return "$status"
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
# in $BATS_TEST_TMPDIR/log, stdout in out.
traced() {
    requires strace
    cd "$BATS_TEST_TMPDIR" || return
    run bash -c 'strace -f -qq -s 200 -o log "$@" >out' bash -e "$@"
}

# Fails with what awk prints, which looks for faults in the log.
accept_log() {
    run -0 awk "$@" "$BATS_TEST_TMPDIR/log"
    assert_output ''
}

# Makes of the C on stdin what LD_PRELOAD puts between a program and libc.
make_preload() { # FILE.so
    requires gcc
    gcc -shared -fPIC -o "$1" -x c - -ldl
}

# Waits for a background process, and fails if its status is another.
assert_ends() { # STATUS PID
    local status=0
    wait "$2" || status=$?
    assert_equal "$status" "$1"
}

# Waits until a command succeeds, 10 seconds at most. In a subshell, for the
# process substitution would become the caller's $!.
wait_until() (
    end=$((SECONDS + 10))
    until "$@"; do
        if ((SECONDS > end)); then
            echo "waited 10 seconds in vain for: $*" >&2
            exit 1
        fi
        read -rt 0.02 <> <(:) || true
    done
)

# The pids of the processes that this test started and that still run. They
# are known by their environment, so those of other tests do not count.
survivors() {
    local found # by a grep that is not one of them
    found=$(env -u BATS_TEST_TMPDIR grep -lzxF \
        "BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ 2>/dev/null) || true
    found=${found//\/environ/}
    echo "${found//\/proc\//}"
}

no_survivors() {
    [[ -z $(survivors) ]]
}

# After each test: no process and no file may be left.
teardown() {
    local pids
    if ! wait_until no_survivors; then
        mapfile -t pids < <(survivors)
        [[ ${pids[*]} ]] || return 0 # at the last moment
        echo "still running:"
        ps -o pid=,args= -p "${pids[*]}"
        kill -KILL "${pids[@]}"
        return 1
    fi
    assert_equal "$(ls -A "$TMPDIR")" ''
}

# Skips a test whose tool is missing. Under grading a skip is no pass.
requires() {
    command -v "$1" >/dev/null || skip "$1 is missing: install ${2:-$1}"
}
