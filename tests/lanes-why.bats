# lanes -w: why processes do not go on, by /proc alone; and the timeout that
# says it.

setup_file() {
    gcc -w -g -o "$BATS_FILE_TMPDIR/waits" \
        "$BATS_TEST_DIRNAME/lanes/waits.c" -pthread
}

setup() {
    load helper
    requires gcc
    LIMIT=${LIMIT:-20} # several runs stand in one
    [[ -x $BIN/lanes ]] || skip "there is no lanes in $BIN"
    PATH=$BATS_FILE_TMPDIR:$PATH
    cd "$BATS_TEST_TMPDIR"
}

# limited SEC COMMAND: what it prints is in the files out and err, and
# $status is its status. By hand, since helper.bash's own run is a lanes -w -t.
limited() {
    status=0
    { timeout 20 lanes -w -t "$@" >out 2>err 3>&- 4>&-; } 2>/dev/null ||
        status=$?
}

# Starts waits in the background.
waits() {
    AS_USER=("${AS_NOBODY[@]}")
    "${AS_USER[@]}" "$BATS_FILE_TMPDIR/waits" "$@" 2>waits.err 3>&- &
    WAITS=$!
}

# What lanes -w says of them, without what differs from run to run.
explained() {
    "${AS_USER[@]}" env ${PRELOAD:+"LD_PRELOAD=$PRELOAD"} lanes -w "$WAITS" \
        >said 2>&1 3>&- || echo "status $?"
    sed -E 's/waits\.c:[0-9]+/waits.c:LINE/g; s/[0-9]{3,}/N/g
        s/(terminal \/dev\/pts\/)[0-9]+/\1N/; s, /(tmp|[^ ]*\.N)[^ ]*/, ,g' said | sort | uniq
}

reads_as() { # FILE
    explained | diff "$1" - >differences
}

# They all must have come so far; then they stay there.
assert_explained() { # FILE
    wait_until reads_as "$1" ||
        fail "$(head -n 40 waits.err differences)"
    kill "$WAITS"
    wait "$WAITS" || true
}

@test "lanes -w -t: output and status are the command's own" {
    limited 9 sh -c 'cat; echo words >&2; exit 7' <<<'some text'
    assert_equal "$status $(cat out err)" "7 some text
words"
    for number in 1 9 11 13 15; do
        limited 9 sh -c "kill -$number \$\$"
        assert_equal "$status $(cat err)" "$((128 + number)) "
    done
    run -0 perl -e 'system qw(lanes -w -t 9 sh -c), "kill -PIPE \$\$";
        print $? & 127' # it dies of the signal, and does not only say so
    assert_output 13
    limited 9 ./nosuch
    assert_equal "$status $(cat err)" '127 lanes: ./nosuch: No such file or directory'
    limited 9 /
    assert_equal "$status $(cat err)" '126 lanes: /: Permission denied'
}

@test "lanes -w -t: a command finds what it would find without it" {
    found() {
        sed -n '/^Sig[BI]/p; /^Shd/p' /proc/self/status
        ulimit -a
        find /proc/self/fd ! -lname '/proc/*' -printf '%f %l\n' |
            sed 's/pipe:.*/a pipe/'
        env
        ps -o pgid=,sid=,tpgid= $$
    }
    export -f found
    run -0 bash -c '
        trap "" HUP CHLD USR1
        exec 7</dev/null
        bash -c found >plain
        lanes -w -t 9 bash -c found >limited
        diff plain limited'
    assert_output ''
    run -0 grep -c '^7 /dev/null' plain
}

@test "lanes -w -t: the reader of the command's pipe does not wait for it" {
    mkfifo over
    run -0 bash -c 'lanes -w -t 9 bash -c "exec >&- 7>&-; read -r <over" 7>&1 |
        { cat; echo >over; }; echo "${PIPESTATUS[0]}"'
    assert_output 0
}

@test "lanes -w -t: after the time it says why, status 124" {
    # The program's own alarm would end it, on a busy machine before we do.
    make_preload alarm.so <<<'unsigned alarm(unsigned s) { return 0; }'
    limited 1 env LD_PRELOAD="$PWD/alarm.so" connect2 --no-close echo hi -- cat
    assert_equal "$status $(cat out)" '124 hi'
    mapfile -t said <err
    assert_equal "${said[0]}" "lanes: not ended after 1 second: env LD_PRELOAD=$PWD/alarm.so connect2 --no-close echo hi -- cat"
    assert_regex "${said[1]}" '^connect2 ([0-9]+) is in waitpid\(([0-9]+)\) at connect2.c:[0-9]+, until cat \2 ends.$'
    assert_regex "${said[2]}" '^cat [0-9]+ is in read\(0\) on a pipe: no data, and no EOF while connect2 [0-9]+ holds its write end, fd 4.$'
    assert_regex "${said[3]}" '^connect2 ([0-9]+) waits for cat ([0-9]+), which waits for connect2 \1: a circle.$'
    assert_equal "${#said[@]}" 4
}

@test "lanes -w -t: all descendants end, a daemon and one that minds no signal" {
    command='setsid -f sleep 1001; (trap "" TERM HUP INT; sleep 1002) &
        (setsid sh -c "sleep 1003 & sleep 1004" &)'
    lanes -w -t 9 sh -c "$command; exit 3" >out 2>ended 3>&- 4>&- &
    limited 1 sh -c "$command; kill -STOP \$\$"
    assert_equal "$status" 124
    run -0 grep -c 'is stopped: kill -CONT' err
    assert_ends 3 $!
    run -0 cat ended
    assert_line 'lanes: the command has ended; still alive:'
    for seconds in 1001 1002 1003 1004; do
        assert_line --regexp "^sleep [0-9]+ is in nanosleep: it sleeps $seconds s.\$"
    done
    assert_equal "$(survivors_of 'sleep 100[1-4]')" ''
}

@test "lanes -w -t: a signal that is sent to it reaches the command" {
    mkfifo gate
    lanes -w -t 9 bash -c 'trap "echo got it >said" USR1; echo >ready
        until [[ -s said ]]; do read -r <gate; done; exit 5' 3>&- &
    pid=$!
    wait_until test -s ready
    kill -USR1 $pid
    exec {gate}<>gate
    # lanes passes it on in its own time; until then bash reads on
    wait_until eval 'echo >&$gate; test -s said'
    echo >&$gate
    assert_ends 5 $pid
}

@test "lanes -w -t: ^C on a terminal reaches the command, and once" {
    requires strace
    command='trap "echo interrupted" INT; echo >ready; read -r; read -r'
    mkfifo input
    script -qfec "strace -qq -e trace=kill -e signal=none -o log \
        lanes -w -t 9 bash -c '$command'" typescript <input >out 3>&- &
    {
        wait_until test -s ready
        printf '\003'
        wait_until grep -q interrupted out
    } >input
    wait || true
    run -0 grep -c interrupted out
    assert_output 1
    run -1 grep SIGINT log # the terminal has sent it, to both
}

survivors_of() {
    local pids
    pids=$(survivors)
    [[ $pids ]] && ps -o args= -p "${pids//[[:space:]]/,}" | grep "$1"
}

@test "lanes -w -t: ^C, SIGTERM, SIGHUP end the command and all that it started" {
    for signal in INT TERM HUP; do
        env --default-signal lanes -w -t 20 sh -c \
            'sleep 1005 & echo "$$" >"$0"; sleep 1006' $signal 2>err 3>&- &
        pids+=($!)
        wait_until test -s $signal
        kill -$signal $!
    done
    for signal in INT TERM HUP; do
        assert_ends $((128 + $(kill -l $signal))) "${pids[0]}"
        pids=("${pids[@]:1}")
    done
    assert_equal "$(survivors_of 'sleep 100[56]')" ''
}

@test "lanes -w: every way to wait is named, with the object and the other side" {
    waits all
    assert_explained "$ROOT/tests/lanes/waits.txt"
    # and the source lines are those with the call
    run -0 awk -v source="$ROOT/tests/lanes/waits.c" '
        BEGIN { while ((getline line < source) > 0) text[++n] = line }
        match($0, /is in .* at waits\.c:[0-9]+/) {
            split(substr($0, RSTART, RLENGTH), word, / (at waits\.c:)?/)
            call = word[3]
            sub(/[(,].*/, "", call)
            if ($0 ~ /, called by fgets/) call = "fgets"
            if (call == "futex") call = "syscall"
            n = $0
            sub(/.* at waits\.c:/, "", n)
            if (index(text[n + 0], call) == 0) print $0 ": " text[n + 0]
        }' said
    assert_output ''
}

@test "lanes -w: an ordinary user is told as much of his own" {
    without_privilege lanes
    chmod a+rwx . "$BATS_FILE_TMPDIR"
    waits all
    assert_explained "$ROOT/tests/lanes/waits.txt"
}

# As for an ordinary user where kernel.yama.ptrace_scope is 1: no syscall file
# of another process, no memory.
@test "lanes -w: where calls may not be read it concludes what it can, and says so" {
    make_preload yama.so <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    size_t n = strlen(path);
    errno = EPERM;
    return n > 8 && strcmp(path + n - 8, "/syscall") == 0
               ? -1 : real(path, flags, 0600);
}
ssize_t process_vm_readv(pid_t p, const struct iovec *l, unsigned long ln,
                         const struct iovec *r, unsigned long rn,
                         unsigned long f)
{
    errno = EPERM;
    return -1;
}
C
    PRELOAD=$PWD/yama.so
    cat >expected <<-'END'
	flock N is in flock(3) on file-flock.N: locked by flock-b N (fd 4).
	flock-b N is in pause: it has no handler, so only a signal that ends it will do.
	Of N of them more may not be read
	pipe-self N is in read(3) on a pipe: no data, and no EOF while it holds the write end itself, fd 4.
	pipe-self N waits for itself.
	sem-anon N is in futex (a semaphore, a mutex, a condition or a join), of which more may not be read.
	sem-anon-b N is in pause: it has no handler, so only a signal that ends it will do.
	stopped N is stopped: kill -CONT N lets it go on.
	vfork N is in vfork, until vfork-b N calls exec or ends.
	vfork-b N is in pause: it has no handler, so only a signal that ends it will do.
	wait-any N is in wait, until wait-any-b N ends.
	wait-any-b N is in pause: it has no handler, so only a signal that ends it will do.
	END
    sort -o expected expected
    waits pipe-self flock sem-anon stopped vfork wait-any
    as_expected() {
        explained | sed '/^waits/d
            s/Of [0-9]* \(.* more may not be read\) *[:(].*/Of N \1/' | sort | diff expected - >differences
    }
    wait_until as_expected || fail "$(cat waits.err differences)"
    kill "$WAITS"
    wait "$WAITS" || true
}

@test "lanes -w: of another user's processes it says that only root may look" {
    ((EUID == 0)) || skip 'needs root, to be two users'
    waits pipe-self # root's
    without_privilege lanes
    run -1 "${AS_NOBODY[@]}" lanes -w "$WAITS"
    assert_output --regexp '^[12] waits? in calls that may not be read.*: ask as root'
    kill "$WAITS"
    wait "$WAITS" || true

    HIDDEN=1 waits pipe-self # its own, but as one with privileges would be
    waits_for_itself() {
        pid=$(pgrep -P "$WAITS" -x pipe-self) &&
            lanes -w "$pid" 3>&- | grep -q 'waits for itself'
    }
    wait_until waits_for_itself
    pid=$(pgrep -P "$WAITS")
    run -1 "${AS_NOBODY[@]}" lanes -w "$pid"
    assert_output '1 waits in calls that may not be read: ask as root.'
    kill "$WAITS"
    wait "$WAITS" || true
}

@test "lanes -w: one that spins is told from one that computes" {
    # Several looks: on a busy machine one may not get the CPU to spin with.
    reads() {
        lanes -w "$WAITS" 3>&- | grep "^$1 " >said
        grep -qE "$2" said
    }
    spins() {
        waits "$1"
        wait_until reads "$1" "^$1 [0-9]+ $2" || fail "$(cat said)"
        kill "$WAITS"
        wait "$WAITS" || true
    }
    spins spin-eof 'spins: fd 3, a pipe, is at its end of file: no process is known to hold the other end, and it made [0-9]+ reads in [0-9]+ ms'
    spins spin-socket 'spins: fd 3, a UNIX socket, is at its end of file.* [0-9]+ reads'
    spins spin-nonblock 'spins: fd 3, a pipe, has O_NONBLOCK, so a read does not wait,.* [0-9]+ reads'
    spins spin-user 'computes: [0-9]+ ms of CPU'
    spins spin-usleep 'goes on: it has waited [0-9]+ times'
}

@test "lanes -w: two FIFOs opened in opposite order are a circle" {
    limited 1 waits fifo-cross
    run -0 grep -c 'fifo-cross ([0-9]*) waits for fifo-cross-b [0-9]*, which waits for fifo-cross \1: a circle, unless others come from outside' -E err
}

# A lock says which process has it by the number that it has there.
@test "lanes -w: in a pid namespace of their own they have our numbers, too" {
    ((EUID == 0)) || skip 'needs root, to make a namespace'
    unshare --pid --fork --kill-child "$BATS_FILE_TMPDIR/waits" fifo-cross pmutex \
        2>err 3>&- &
    are_known() {
        lanes -w "$1" >said 2>&1 3>&-
        grep -qE '^fifo-cross ([0-9]{2,}) waits for fifo-cross-b [0-9]{2,}, which waits for fifo-cross \1: a circle' said &&
            grep -qE '^pmutex [0-9]{2,} is in pthread_mutex_lock.* held by pmutex-b [0-9]{2,}\.$' said
    }
    wait_until are_known $! || fail "$(<said)"
    kill "$(pgrep -P $!)" # which removes the objects that it has made
    wait $! || true
}

# /proc has 15 letters of it, and no more of one that has ended.
@test "lanes -w: a child that has ended has its parent's name, in full" {
    cc -w -o no-more-than-15-letters -x c - <<-'END'
	#include <unistd.h>
	int main(int argc, char *argv[])
	{
	    if (fork() == 0) {
	        if (argc > 1)
	            execl(argv[1], argv[1], NULL);
	        _exit(0);
	    }
	    pause();
	}
	END
    ln -s "$(type -P true)" no-more-than-this
    is_said() { # PID NAME
        lanes -w "$1" >said 2>&1 3>&-
        grep -E "^$2 [0-9]+ has ended, and no-more-than-15-letters $1 has not waited" said
    }
    ./no-more-than-15-letters 3>&- &
    PARENT=$!
    wait_until is_said "$PARENT" no-more-than-15-letters || fail "$(<said)"
    kill "$PARENT"
    ./no-more-than-15-letters ./no-more-than-this 3>&- & # its name is lost
    PARENT=$!
    wait_until is_said "$PARENT" no-more-than-th || fail "$(<said)"
    kill "$PARENT"
}

@test "lanes -w: nobody stuck is status 1, a wrong word 2" {
    sleep 1007 3>&- &
    run -1 lanes -w $!
    assert_output --regexp '^sleep [0-9]+ (is in nanosleep: it sleeps 1007 s|goes on|computes|runs)'
    kill $!
    wait $! || true
    run -1 lanes -w 4194303
    assert_output --partial 'there is no such process'
    run -2 lanes -w connect2
    run -2 lanes -w
    run -2 lanes -w -t 0 true
}

@test "lanes -w: nothing changes in the program" {
    requires strace
    strace -f -qq -o log waits pipe-read semop epoll sigwait sleep 2>err 3>&- &
    tracer=$!
    all_wait() { # each of the seven is in the last call that it makes
        (($(grep -cE '(read\(3,|semop\(|epoll_wait\(|sigtimedwait\(|=3600|pause\()' log) == 7))
    }
    wait_until all_wait
    cp log before
    pid=$(pgrep -P $tracer -x waits)
    for _ in 1 2 3; do
        run -0 lanes -w "$pid"
    done
    assert_line --regexp '^epoll [0-9]+ is in epoll_wait'
    run -0 cmp before log
    kill "$pid"
    wait $tracer || true
}

@test "lanes -w: processes that come and go do not disturb it" {
    bash -c 'while :; do
            (sleep 0.002 | cat) & true | cat >/dev/null
            perl -e "fork; fork; select undef, undef, undef, 0.001"
        done' 2>err 3>&- &
    pid=$!
    for _ in {1..15}; do
        lanes -w $pid >out 2>&1 3>&- || (($? == 1)) || fail "$(cat out)"
    done
    kill $pid
    wait $pid || true
}

@test "lanes -w -t: in a failed test stands who waits for whom" {
    LIMIT=1 unbounded_run bounded connect2 true -- sleep 9
    rm -f "$HUNG/test.$BATS_SUITE_TEST_NUMBER"
    assert_equal "$status" 99
    assert_line --regexp '^connect2 [0-9]+ is in waitpid\([0-9]+\).*, until sleep [0-9]+ ends'
    assert_line --partial 'hung: stopped after 1 seconds'
}
