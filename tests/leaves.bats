# The contract, its third part: what every program leaves, however it is ended.
# Nearly all of it is waiting, as in ends.bats.
# shellcheck disable=SC2086 # STRACE and some options are words, or none

setup() {
    load helper
    load contract
}

# Everything that is left is found by teardown, and named there.
loses_its_reader() {
    local sigpipe
    mkdir {gone-before,goes}.{default,ignore}
    for sigpipe in default ignore; do
        tells_nobody gone-before $sigpipe \
            'exec {pipe}> >(:); wait $!; exec "$@" >&$pipe {pipe}>&-' &
        tells_nobody goes $sigpipe '"$@" | head -c 1' &
    done
    builtin wait
}

tells_nobody() { # NAME, WHAT IT DOES AT SIGPIPE, COMMAND
    # shellcheck disable=SC2034 # try sees it
    local USUAL=12 # seconds: one may wait for another
    cd "$1.$2" || return
    try bash -c "$3" "$1" env --$2-signal=PIPE "$name"
}

@test "each program leaves nothing when nobody reads what it says" {
    each_program loses_its_reader 100
    USUAL=12 wait_until no_survivors
}

# The roles for a second terminal that make a name, and wait.
removes_its_name() {
    local role at signal
    case $name in
    fifo-server | sock-server | fd-server) role=serve at=$PWD/name ;;
    shm-settings) role=serve at=/$name.$BASHPID ;;
    shm-sem) role=read at=/$name.$BASHPID ;;
    *) return ;;
    esac
    for signal in INT TERM; do
        env --default-signal "$name" $role "$at" >out 2>err </dev/null 3>&- &
        status=0
        if wait_until is_named_and_waits "$at" $!; then
            kill -$signal $!
            wait $! || status=$?
            ((status != 99)) || kill -KILL $!
            ! is_named "$at" ||
                echo "$name $role, ended by SIG$signal: leaves $at"
        else
            echo "$name $role: makes no $at"
            kill -KILL $!
        fi
        rm -f "$at" /dev/shm/*"$name.$BASHPID"
    done
}

# Made, and its maker goes on: it knows now what it has made.
is_named_and_waits() { # NAME PID
    is_named "$1" && [[ $(<"/proc/$2/stat") == *') S '* ]]
}

is_named() {
    [[ -e $1 ]] || compgen -G "/dev/shm/*${1#/}" >/dev/null
}

@test "each role for a second terminal removes its name on SIGINT and SIGTERM" {
    each_program removes_its_name
}

# Kills one process of a run: 0 the program, 1 its first child, ... The first
# call of each kind in each process is held up, so that the kill comes before
# most of what others wait for. strace ends when all processes have ended.
kill_one() { # WHICH
    local pid call log main='' n=0 victim='' died='' pids='' status=0 end run limit
    mkfifo "log.$1"
    env --default-signal ${STRACE/-qq/-q} -a 1 -s 0 -o "log.$1" \
        -e "trace=execve,$FORKS,$HELD" -e "inject=$HELD:delay_enter=100000:when=1" \
        "$name" >/dev/null 2>"err.$1" </dev/null 3>&- &
    run=$!
    # Only what is looked at, since bash reads a pipe byte by byte.
    exec {log}< <(exec grep --line-buffered -E \
        'execve\(|(fork|clone).* = [0-9]+$|killed by SIGKILL' "log.$1")
    end=$((SECONDS + 60))
    while ((end > SECONDS)) &&
        read -r -t $((end - SECONDS)) -u "$log" pid call; do
        if [[ ! $main ]]; then
            main=$pid
            : >"$BATS_RUN_TMPDIR/killed/$pid" # no teardown minds its names
        fi
        [[ $pid != "$victim" || $call != '+++ killed by SIGKILL'* ]] || died=1
        [[ $pid == "$main" ]] || continue
        [[ $call =~ (fork|vfork|clone3?)[^a-z].*\ =\ ([0-9]+)$ ]] || continue
        pids+=" ${BASH_REMATCH[2]}"
        : >"$BATS_RUN_TMPDIR/killed/${BASH_REMATCH[2]}"
        ((++n == $1 || $1 == 0 && n == CHILDREN)) || continue
        victim=$(($1 ? BASH_REMATCH[2] : main))
        kill -KILL "$victim"
        USUAL=12 seconds_for "" # alarm ends it after 10
        end=$((SECONDS + limit + 8))
    done
    if ((end <= SECONDS)); then
        echo "$(which_one "$1") is killed, and long after its alarm there still is:"
        ps -o stat=,wchan=,args= -p "$main${pids// /,}"
        kill -KILL $main $pids
    fi
    exec {log}<&-
    builtin wait $run || status=$?
    case $name in
    connect2 | pipeline | popen-status) ;; # it may be
    shm-mutex | sig-child | sig-table | sysv-sem) ;;
    *) [[ ! $died || $1 == 0 || $status != 0 ]] ||
        echo "$(which_one "$1") is killed, and nobody minds: status 0" ;;
    esac
    # A name is left where the process that would remove it was killed. That of
    # a queue is not seen where /dev/mqueue is not mounted.
    remove_left "$(left_by "$main" $pids)"
    [[ $name != mq-name ]] || mq-name remove "/mq-name.$main" 2>/dev/null
}

which_one() {
    (($1)) && echo "its child $1" || echo it
}

left_by() { # PID...
    local pid of what
    compgen -G "$TMPDIR/$name.*"
    ipc_names | while read -r of _ _ what; do
        for pid; do # a key holds 15 bits of it
            [[ $of != "$pid" && $of != "$((pid % 32768))+" ]] || echo "$what"
        done
    done
}

outlives_nobody() {
    local which
    observe || return
    CHILDREN=$(awk '
        NR == 1 { main = $1 }
        $1 == main && /(fork|vfork|clone3?)[ (].* = [0-9]+$/ { n++ }
        END { print n + 0 }' log)
    ((CHILDREN)) || return 0
    set -- 0 1
    ((CHILDREN == 1)) || set -- 0 1 "$CHILDREN"
    for which; do
        kill_one "$which" 2>/dev/null &
    done
    builtin wait
}

@test "each program: kill any of its processes, and soon all are gone" {
    requires strace
    mkdir -p "$BATS_RUN_TMPDIR/killed"
    export FORKS='?fork,?vfork,clone,?clone3'
    export HELD='read,write,?poll,ppoll,?select,pselect6,?futex,wait4,waitid'
    HELD+=',?open,openat,?semop,?semtimedop,?msgrcv,?msgsnd,?mq_timedreceive'
    HELD+=',?mq_timedsend,?mq_notify,?accept,accept4,connect,recvfrom,recvmsg'
    HELD+=',sendto,sendmsg,rt_sigsuspend,rt_sigtimedwait,?pause,kill,?alarm'
    each_program observe # few at a time: under strace some need a while
    each_program outlives_nobody 100
}
