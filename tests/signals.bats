# The programs of signals/, in the folder's order.
# shellcheck disable=SC2030,SC2031 # start sets $pid where it is used

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
}

# Loaded into a program, guard.so stands between the kernel and its handlers.
# While one runs there is no stdout, no stderr and no malloc: a handler that
# wants them is told off, and the program ends with 97.
make_guard() {
    export GUARD_LOG=$BATS_TEST_TMPDIR/handlers
    guard=$BATS_TEST_TMPDIR/guard.so
    make_preload "$guard" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <fcntl.h>
	#include <signal.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <unistd.h>

	typedef void function(int, siginfo_t *, void *);
	static function *handler[65];
	static volatile int inside;
	extern void *__libc_malloc(size_t);
	extern void __libc_free(void *);

	static void tell_off(int sig)
	{
	    static const char text[] = "a handler calls what signal-safety(7)"
	                               " does not list, as printf or malloc\n";

	    if (write(2, text, sizeof text - 1) && sig)
	        _exit(97);
	    _exit(97);
	}

	static void between(int sig, siginfo_t *info, void *context)
	{
	    int log = open(getenv("GUARD_LOG"), O_WRONLY | O_CREAT | O_APPEND,
	                   0600);
	    FILE *out = stdout, *error = stderr;

	    if (write(log, "a handler ran\n", 14) != 14)
	        _exit(98);
	    close(log);
	    inside = 1;
	    stdout = stderr = NULL;
	    handler[sig](sig, info, context);
	    stdout = out;
	    stderr = error;
	    inside = 0;
	}

	int sigaction(int sig, const struct sigaction *sa,
	              struct sigaction *old)
	{
	    int (*real)(int, const struct sigaction *, struct sigaction *) =
	        dlsym(RTLD_NEXT, "sigaction");
	    struct sigaction mine, segv = { .sa_handler = tell_off };

	    if (!sa || sa->sa_handler == SIG_DFL || sa->sa_handler == SIG_IGN)
	        return real(sig, sa, old);
	    real(SIGSEGV, &segv, NULL);
	    handler[sig] = sa->sa_sigaction;
	    mine = *sa;
	    mine.sa_sigaction = between;
	    mine.sa_flags |= SA_SIGINFO;
	    return real(sig, &mine, old);
	}

	void (*signal(int sig, void (*to)(int)))(int)
	{
	    struct sigaction sa = { .sa_handler = to, .sa_flags = SA_RESTART };
	    struct sigaction old;

	    return sigaction(sig, &sa, &old) ? SIG_ERR : old.sa_handler;
	}

	void *malloc(size_t n)
	{
	    if (inside)
	        tell_off(1);
	    return __libc_malloc(n);
	}

	void free(void *p)
	{
	    if (inside)
	        tell_off(1);
	    __libc_free(p);
	}
	END
}

# Starts a program beside the test: $job is to be waited for, $pid is its
# process, $out what it prints. It is stopped after 10 seconds.
start() {
    requires pgrep procps
    out=$BATS_TEST_TMPDIR/out
    timeout 10 "$@" >"$out" 2>&1 3>&- &
    job=$!
    wait_until pgrep -P $job >/dev/null
    pid=$(pgrep -P $job)
}

says() {
    grep -q "$1" "$out"
}

has_ended() {
    ! kill -0 "$1" 2>/dev/null
}

@test "sig-hello: the signal wakes the one that waits for it" {
    run -0 --separate-stderr sig-hello
    assert_line 'got signal'
    assert_equal "$stderr" ''
}

@test "sig-hello receive, send PID: two processes that share a number only" {
    start sig-hello receive
    wait_until says "$pid"
    run -0 --separate-stderr sig-hello send "$pid"
    assert_equal "$stderr" ''
    wait_until has_ended "$job"
    wait "$job"
    run -0 grep -cx 'got signal' "$out"
    assert_output 1
}

@test "sig-hello receive: SIGUSR1 is blocked before it says that it is ready" {
    requires strace
    # Its first line is out, and it is held there for a moment.
    start strace -o /dev/null -e inject=write:delay_exit=500000:when=1 \
        sig-hello receive
    wait_until says .
    pid=$(pgrep -P "$pid")
    run -0 bash -c 'sed -n "s/^SigBlk:\t/0x/p" "/proc/$1/status"' _ "$pid"
    (((output & 1 << $(kill -l USR1) - 1) != 0)) ||
        fail "the mask is $output: a signal that comes now, before the wait, is lost"
    kill -USR1 "$pid"
    wait_until has_ended "$job"
    wait "$job"
}

@test "sig-hello --pause: the signal comes before pause, which sleeps on" {
    run -124 --separate-stderr sig-hello --pause
    assert_line 'got signal'
    [[ $stderr == *stuck* ]]
}

@test "sig-hello --pause: no luck is needed: slowed down, it still sleeps on" {
    requires strace
    # Receiver is held in its second write, that to Sender.
    run -124 strace -f -o /dev/null \
        -e inject=write:delay_exit=200000:when=2 sig-hello --pause
    assert_line 'got signal'
}

@test "sig-hello --pause: nobody sleeps on when the parent is killed" {
    start sig-hello --pause
    wait_until says 'got signal'
    kill -KILL "$pid" # teardown looks for survivors
    wait "$job" 2>/dev/null || true
}

@test "sig-hello send: a PID that is none is refused by name" {
    for word in '' x 12x 0 -1 99999999999; do
        run -2 --separate-stderr sig-hello send "$word"
        [[ $stderr == *"$word" ]] || fail "'$word' is not named: $stderr"
    done
    run -2 sig-hello send
    run -2 sig-hello receive 1
    run -2 sig-hello wait
}

@test "sig-hello send: a process that has gone is named" {
    gone=$(bash -c 'echo $$')
    run -1 --separate-stderr sig-hello send "$gone"
    [[ $stderr == *"$gone: No such process"* ]]
}

@test "sig-hello: its handler calls nothing that is not async-signal-safe" {
    make_guard
    run -0 env LD_PRELOAD="$guard" sig-hello
    assert_line 'got signal'
    assert_file_exist "$GUARD_LOG"
}

# One line a signal, from the columns: number, name, action, caught or not.
in_one_column() {
    grep -oE '[0-9]+ +[A-Z0-9+()a-z]+ +(Term|Core|Ign|Stop|Cont) +(yes|no)' |
        awk '{ print $1, $2, $3, $4 }' | sort -n
}

@test "sig-table: every signal from 1 to SIGRTMAX, by the name that it has" {
    run -0 sig-table
    listed=$(in_one_column <<<"$output" | cut -d ' ' -f 1,2)
    # bash calls 29 IO, and counts the last real-time ones from the end.
    run -0 bash -c '
        for ((n = 1; n <= $(kill -l RTMAX); n++)); do
            name=$(kill -l "$n")
            ((n == 29)) && name=POLL
            ((n >= $(kill -l RTMIN))) && name=RTMIN+$((n - $(kill -l RTMIN)))
            echo "$n ${name:-(libc)}"
        done'
    assert_equal "$listed" "$output"
}

@test "sig-table: what each does by default, and which cannot be caught" {
    run -0 sig-table
    table=$(in_one_column <<<"$output")
    assert_equal "$(grep -c Term <<<"$table")" 56
    assert_equal "$(grep -v Term <<<"$table")" "$(cat <<-'END'
	17 CHLD Ign yes
	18 CONT Cont yes
	19 STOP Stop no
	20 TSTP Stop yes
	21 TTIN Stop yes
	22 TTOU Stop yes
	23 URG Ign yes
	28 WINCH Ign yes
	END
    )"
    assert_equal "$(awk '$4 == "no" { print $1 }' <<<"$table" | xargs)" \
        '9 19 32 33'
}

@test "sig-table: asks sigaction: where that fails for all, none is caught" {
    requires strace
    run -0 strace -f -o /dev/null -e inject=rt_sigaction:error=EINVAL sig-table
    table=$(in_one_column <<<"$output")
    assert_equal "$(grep -c no$ <<<"$table")" "$(kill -l RTMAX)"
}

@test "sig-table: tries each: where only KILL and STOP are sent, no other does anything" {
    make_preload "$BATS_TEST_TMPDIR/kill.so" <<-'END'
	#define _GNU_SOURCE
	#include <signal.h>
	#include <sys/syscall.h>
	#include <unistd.h>

	int kill(pid_t pid, int sig)
	{
	    return sig == SIGKILL || sig == SIGSTOP ? syscall(SYS_kill, pid, sig) : 0;
	}
	END
    run -0 env LD_PRELOAD="$BATS_TEST_TMPDIR/kill.so" sig-table
    table=$(in_one_column <<<"$output")
    assert_equal "$(grep -c ' Ign ' <<<"$table")" $(($(kill -l RTMAX) - 2))
}

@test "sig-table: what it inherits, or where it runs, makes no difference" {
    run -0 sig-table
    usual=$output
    run -0 env --ignore-signal=HUP,USR1,CONT --block-signal=TERM,TSTP sig-table
    assert_output "$usual"
    run -0 perl -e '$SIG{NUM32} = "IGNORE"; exec "sig-table"'
    assert_output "$usual"
    run -0 setsid -w sig-table # the session's leader has no terminal
    assert_output "$usual"
}

@test "sig-table: fits 80x24" {
    run -0 sig-table
    assert [ "${#lines[@]}" -le 23 ]
    run -0 awk 'length > 79' <<<"$output"
    assert_output ''
}

@test "sig-table --core: tells Core from Term, and leaves no core file" {
    cd "$TMPDIR"
    if grep -q '[|/@]' /proc/sys/kernel/core_pattern; then
        # Core files go elsewhere on this machine, and cannot be taken back.
        run -1 sig-table --core
        assert_output --partial core_pattern
    elif [[ $(ulimit -H -c) == 0 ]]; then
        run -1 sig-table --core
        assert_output --partial 'ulimit -H -c'
    else
        run -0 sig-table --core
        table=$(in_one_column <<<"$output")
        assert_equal "$(awk '$3 == "Core" { print $2 }' <<<"$table" | xargs)" \
            'QUIT ILL TRAP ABRT BUS FPE SEGV XCPU XFSZ SYS'
    fi
    assert_equal "$(ls)" ''
}

@test "sig-queue: three knocks: a standard signal comes once, the others thrice" {
    run -0 --separate-stderr sig-queue
    assert_equal "$stderr" ''
    run -0 grep '^Parent got' <<<"$output"
    assert_output - <<-'END'
	Parent got SIGUSR1
	Parent got SIGRTMIN: 10
	Parent got SIGRTMIN: 20
	Parent got SIGRTMIN: 30
	Parent got SIGRTMIN+1: 10
	Parent got SIGRTMIN+1: 20
	Parent got SIGRTMIN+1: 30
	END
}

@test "sig-queue VALUE...: each value arrives, in the order of sending" {
    values=($RANDOM 7 $RANDOM 7 -- -$RANDOM 2147483647 -2147483648)
    run -0 sig-queue -- "${values[@]:0:4}" "${values[@]:5}"
    came=$(sed -n 's/^Parent got SIGRTMIN: //p' <<<"$output" | xargs)
    assert_equal "$came" "${values[*]:0:4} ${values[*]:5}"
    assert_equal "$(grep -c '^Parent got SIGUSR1' <<<"$output")" 1
}

@test "sig-queue: a VALUE that fits no int is refused by name" {
    for word in '' x 3x 2147483648 99999999999999999999; do
        run -2 --separate-stderr sig-queue 1 "$word"
        [[ $stderr == *int:*"$word" && -z $output ]]
    done
}

@test "sig-queue: where nothing may be queued, sigqueue says so" {
    run -1 --separate-stderr bash -c 'ulimit -i 0; exec sig-queue'
    [[ $stderr == *'sigqueue: Resource temporarily unavailable'*'ulimit -i'* ]]
}

@test "sig-shutdown: SIGHUP reloads, SIGTERM ends in order, no record is half" {
    run -0 --separate-stderr sig-shutdown
    assert_line --partial 'SIGHUP, the settings say green'
    assert_line --partial 'SIGTERM, ends in order'
    assert_line --partial '3 records, all whole, the last green'
    assert_equal "$stderr" ''
}

@test "sig-shutdown --no-mask: cut off in the middle of a record" {
    run -1 --separate-stderr sig-shutdown --no-mask
    refute_output --partial 'in order'
    [[ $stderr == *'cut off'* ]]
}

@test "sig-shutdown serve: a storm of SIGHUP, one SIGTERM: all is whole" {
    start sig-shutdown serve
    wait_until bash -c '[[ -s $(echo "$TMPDIR"/*/work) ]]'
    exec 5<"$(echo "$TMPDIR"/*/work)"
    bash -c 'for ((n = 0; n < 3000; n++)); do kill -HUP "$1"; done
        kill "$1"' _ "$pid"
    wait_until has_ended "$job"
    wait "$job" || fail "status $?: $(tail -n 2 "$out")"
    run -0 cat <&5
    exec 5<&-
    records=${#lines[@]}
    refute_line --regexp '^record.*record|[^e]$'
    run -0 tail -n 2 "$out"
    assert_line --index 0 --partial 'SIGTERM, ends in order'
    assert_line --index 1 --partial "$records records, all whole"
}

@test "sig-shutdown serve: SIGHUP makes it read its settings again" {
    word=word$RANDOM
    start sig-shutdown serve
    wait_until bash -c '[[ -s $(echo "$TMPDIR"/*/work) ]]'
    echo $word >"$(echo "$TMPDIR"/*)/settings"
    kill -HUP "$pid"
    wait_until says "$word"
    wait_until grep -q "$word" "$TMPDIR"/*/work
    kill "$pid"
    wait_until has_ended "$job"
    wait "$job"
}

@test "sig-shutdown serve: ^C ends it in order, as SIGTERM does" {
    start env --default-signal=INT sig-shutdown serve
    wait_until says Daemon
    kill -INT "$pid"
    wait_until has_ended "$job"
    wait "$job"
    assert says 'all whole'
}

@test "sig-shutdown serve: its folder goes, too, if nobody reads its lines" {
    run -0 bash -c 'sig-shutdown serve | {
        read -r _ _ pid _
        exec <&-
        kill -HUP "${pid%,}"
        kill "${pid%,}"
    }'
}

@test "sig-child: the handler runs once, and reaps every child" {
    run -0 --separate-stderr sig-child
    assert_equal "$stderr" ''
    assert_line --partial 'came: 1, reaped: 5'
    assert_line --index 3 --partial 'zombies: 0'
}

@test "sig-child --children 200: all end at once, no zombie is left" {
    requires strace
    run -0 strace -o "$BATS_TEST_TMPDIR/trace" -e trace=wait4 \
        sig-child --children 200
    assert_line --index 1 --partial 'zombies: 200'
    assert_line --index 3 --partial 'zombies: 0'
    # Before that last line the handler has taken them all by itself.
    run -0 grep -c 'WNOHANG, NULL) *= [1-9]' "$BATS_TEST_TMPDIR/trace"
    assert_output 200
}

@test "sig-child --one-wait: one signal, one waitpid, the rest stay zombies" {
    run -1 --separate-stderr sig-child --one-wait --children 200
    assert_line --index 3 --partial 'zombies: 199'
    [[ $stderr == *199* ]]
}

@test "sig-child: where no more processes may be started, it says so" {
    requires strace
    run -1 strace -o /dev/null -e trace=clone \
        -e inject=clone:error=EAGAIN:when=4 sig-child --children 9
    assert_output --partial 'fork, for child 4'
    assert_output --partial 'zombies: 0'
}

@test "sig-eintr: without SA_RESTART read fails with EINTR, with it it goes on" {
    run -0 --separate-stderr sig-eintr
    assert_equal "$(grep -o 'read says.*' <<<"$output")" "$(cat <<-'END'
	read says -1, errno is EINTR
	read says 5: hello
	END
    )"
    assert_equal "$stderr" ''
}

@test "sig-eintr: both times the read was asleep; the kernel restarts one" {
    requires strace
    run -0 strace -f -o "$BATS_TEST_TMPDIR/trace" \
        -e trace=read,rt_sigreturn sig-eintr
    run -0 awk '/ERESTARTSYS/ { print "interrupted" }
        /rt_sigreturn.* = -1 EINTR/ { print "read fails" }
        /rt_sigreturn.* = 0/ { restarted = 1; print "read again" }
        restarted && /"hello"/ { print "hello" }' "$BATS_TEST_TMPDIR/trace"
    assert_output - <<-'END'
	interrupted
	read fails
	interrupted
	read again
	hello
	END
}

@test "sig-unsafe: a handler that only writes lets both threads go on" {
    run -0 --separate-stderr sig-unsafe
    assert_line --partial 'got signal'
    assert_line --partial 'diary is whole'
    assert_equal "$stderr" ''
}

@test "sig-unsafe --printf: the handler never gets to print" {
    run -124 --separate-stderr sig-unsafe --printf
    refute_output --partial 'got signal'
    [[ $stderr == *stuck* ]]
}

@test "sig-unsafe --printf: nothing stays locked up when the parent is killed" {
    start sig-unsafe --printf
    wait_until says Logger
    kill -KILL "$pid" # teardown looks for survivors
    wait "$job" 2>/dev/null || true
}

@test "the right handlers call only what is safe, sig-unsafe --printf does not" {
    make_guard
    for name in sig-child sig-eintr sig-unsafe; do
        rm -f "$GUARD_LOG"
        run -0 env LD_PRELOAD="$guard" $name
        assert_file_exist "$GUARD_LOG"
    done
    run env LD_PRELOAD="$guard" sig-unsafe --printf
    assert_output --partial 'signal-safety(7)'
}

@test "sig-fd: signals and a pipe are read in one loop, in their order" {
    run -0 --separate-stderr sig-fd
    assert_equal "$(grep -oE 'one|two|SIGUSR1, 42|SIGTERM' <<<"$output" |
        xargs)" 'one SIGUSR1, 42 two SIGTERM'
    assert_equal "$stderr" ''
}

@test "sig-fd: no signal is delivered, each is a read of one structure" {
    requires strace
    run -0 strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=read sig-fd
    run grep -E -- '--- SIG(USR1|TERM)' "$BATS_TEST_TMPDIR/trace"
    assert_output ''
    run -0 grep -c ', 128) = 128' "$BATS_TEST_TMPDIR/trace"
    assert_output 2
}
