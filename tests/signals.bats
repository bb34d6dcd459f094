# The programs of signals/, in the folder's order.

setup() {
    load helper
}

# For awk, which reads what strace -f wrote, from the parent's execve on: pid;
# call, its name; handles[pid], the signal whose handler a process is in. A call
# that another process came between has two lines: the first without what it
# returned, the second, which is resumed, with the whole call.
LOG='
    !parent { parent = $1 }
    / <unfinished \.\.\.>$/ {
        begun[$1] = $0
        sub(/ *<unfinished \.\.\.>$/, "", begun[$1])
    }
    { resumed = match($0, /<\.\.\. [a-z0-9_]+ resumed>/) }
    resumed { $0 = begun[$1] substr($0, RSTART + RLENGTH) }
    {
        pid = $1
        child = pid != parent
        call = $2
        sub(/\(.*/, "", call)
    }
    $2 == "---" { handles[pid] = $3 }
    call == "rt_sigreturn" { handles[pid] = "" }
'

# Runs a program slowed down, in each way by itself, and expects the usual.
assert_same_when() { # PROGRAM WHAT-TO-INJECT...
    local slow usual
    requires strace
    run -0 "$1"
    usual=$output
    for slow in "${@:2}"; do
        USUAL=12 run -0 strace -f -qq -o /dev/null -e "inject=$slow" "$1"
        assert_output "$usual"
    done
}

# Makes guard.so, which stands between the kernel and a program's handlers.
# While one runs there is no stdout, no stderr, no malloc and no free: a
# handler that wants them is told off, and so is one that changes errno.
make_guard() {
    export GUARD_LOG=$BATS_TEST_TMPDIR/handlers
    GUARD=$BATS_FILE_TMPDIR/guard.so
    [[ ! -e $GUARD ]] || return 0
    make_preload "$BATS_TEST_TMPDIR/guard.so" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <errno.h>
	#include <fcntl.h>
	#include <signal.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <unistd.h>

	static void (*handler[65])(int, siginfo_t *, void *);
	static volatile int inside;
	extern void *__libc_malloc(size_t);
	extern void __libc_free(void *);

	static void tell_off(const char *why)
	{
	    if (write(2, why, strlen(why)))
	        _exit(97);
	    _exit(97);
	}

	static void has_crashed(int sig)
	{
	    (void)sig;
	    tell_off("a handler calls what signal-safety(7) does not list\n");
	}

	static void between(int sig, siginfo_t *info, void *context)
	{
	    FILE *out = stdout, *error = stderr;
	    int log = open(getenv("GUARD_LOG"), O_WRONLY | O_CREAT, 0600);

	    close(log);
	    inside = 1;
	    stdout = stderr = NULL;
	    errno = 77;
	    handler[sig](sig, info, context);
	    if (errno != 77)
	        tell_off("a handler changes errno\n");
	    stdout = out;
	    stderr = error;
	    inside = 0;
	}

	int sigaction(int sig, const struct sigaction *sa, struct sigaction *old)
	{
	    int (*real)(int, const struct sigaction *, struct sigaction *) =
	        dlsym(RTLD_NEXT, "sigaction");
	    struct sigaction mine, segv = { .sa_handler = has_crashed };

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
	        tell_off("a handler calls malloc\n");
	    return __libc_malloc(n);
	}

	void free(void *p)
	{
	    if (inside)
	        tell_off("a handler calls free\n");
	    __libc_free(p);
	}
	END
    mv "$BATS_TEST_TMPDIR/guard.so" "$GUARD"
}

# A handler has run, and called nothing that it may not.
assert_safe_handler() { # COMMAND
    make_guard
    run -0 env LD_PRELOAD="$GUARD" "$@"
    assert_file_exist "$GUARD_LOG"
}

@test "sig-hello: the signal comes before Child sleeps, and wakes it" {
    run -0 --separate-stderr sig-hello
    assert_output - <<-'END'
	Parent sends SIGUSR1
	got signal
	Child is awake
	END
    assert_equal "$stderr" ''
    # And the kernel says so, too.
    traced trace=execve,kill,rt_sigsuspend,write,rt_sigreturn sig-hello
    accept_log "$LOG"'
        call == "kill" && !child && /SIGUSR1/ { sent = 1 }
        call == "rt_sigsuspend" && child && !asleep { asleep = 1; early = sent }
        /--- SIGUSR1 / && child { came = asleep ? "asleep" : "awake" }
        call == "write" && handles[pid] && /"got signal/ { says = 1 }
        END {
            if (!sent) print "Parent sent no SIGUSR1"
            else if (!came) print "SIGUSR1 never came to Child"
            else if (came != "asleep") print "SIGUSR1 came before Child slept"
            if (!early) print "SIGUSR1 was not sent before Child slept"
            if (!says) print "the handler did not write: got signal"
        }'
}

@test "sig-hello: the signal is not lost, whoever is slow" {
    assert_same_when sig-hello kill:delay_enter=200000 \
        rt_sigsuspend:delay_enter=200000 rt_sigprocmask:delay_exit=50000
}

@test "sig-hello: its handler calls only what is signal-safe" {
    assert_safe_handler sig-hello
}

@test "sig-hello --pause: the signal comes first, and is slept through" {
    # Parent is slow: without a gate Child would already sleep.
    traced trace=execve,kill,pause,ppoll -e inject=kill:delay_enter=200000 \
        sig-hello --pause
    assert_failure 124
    assert_output --partial stuck
    run -0 cat out
    assert_line 'got signal'
    refute_line --partial awake
    accept_log "$LOG"'
        /--- SIGUSR1 / && child { came = 1 }
        call ~ /^(pause|ppoll)$/ && child { pauses = 1; if (!came) early = 1 }
        END {
            if (!came) print "SIGUSR1 never came to Child"
            if (!pauses) print "Child did not pause"
            if (early) print "Child paused before SIGUSR1 came"
        }'
}

@test "sig-receive: says which signals came, and SIGINT ends it" {
    run -0 --separate-stderr sig-receive
    assert_output - <<-'END'
	Receiver got signal 1: Hangup
	Receiver got signal 10: User defined signal 1
	Receiver got signal 12: User defined signal 2
	Receiver got signal 15: Terminated
	Receiver got signal 2: Interrupt
	END
    assert_equal "$stderr" ''
    traced trace=execve,kill,rt_sigsuspend sig-receive
    accept_log "$LOG"'
        call == "kill" && / = 0$/ { sent++ }
        $2 == "---" { came = came " " $3; if (!asleep) awake = $3 }
        { asleep = call == "rt_sigsuspend" || $2 == "---" && asleep }
        END {
            if (sent != 5) print sent + 0 " signals were sent, not 5"
            if (came != " SIGHUP SIGUSR1 SIGUSR2 SIGTERM SIGINT")
                print "what came:" came
            if (awake) print awake " came when Receiver did not sleep"
        }'
}

has_said() {
    grep -qx "$1" out
}

@test "sig-receive wait: says its process ID, and what another process sends" {
    cd "$BATS_TEST_TMPDIR"
    env --ignore-signal=INT sig-receive wait >out 3>&- &
    wait_until has_said "Receiver is process $!"
    for signal in USR1 USR2 TERM HUP USR1; do
        : >out
        kill -$signal $!
        wait_until has_said "Receiver got signal $(kill -l $signal): .*"
    done
    kill -INT $!
    assert_ends 0 $!
}

@test "sig-receive wait: of signals that come together none is missed" {
    cd "$BATS_TEST_TMPDIR"
    sig-receive wait >out 3>&- &
    wait_until has_said "Receiver is process $!"
    kill -STOP $!
    for signal in HUP USR1 USR2 TERM CONT; do
        kill -$signal $!
    done
    wait_until has_said "Receiver got signal 15: .*"
    kill -INT $!
    assert_ends 0 $!
    run -0 sed -n 's/.*got signal \([0-9]*\):.*/\1/p' out
    assert_equal "$(xargs <<<"$output")" '1 10 12 15 2'
}

@test "sig-receive: its handler calls only what is signal-safe" {
    assert_safe_handler sig-receive
}

# One line a signal, from the columns: number, name, action, caught or not.
in_one_column() {
    grep -oE '[0-9]+ +[A-Z0-9+()a-z]+ +(Term|Core|Ign|Stop|Cont) +(yes|no)' |
        awk '{ print $1, $2, $3, $4 }' | sort -n
}

@test "sig-table: every signal, what it does by default, can it be caught" {
    run -0 --separate-stderr sig-table
    assert_equal "$stderr" ''
    table=$(in_one_column <<<"$output")
    # bash calls 29 IO, and counts the last real-time ones from the end.
    run -0 bash -c '
        min=$(kill -l RTMIN) max=$(kill -l RTMAX)
        {
            kill -l {1..31} | sed s/^IO$/POLL/
            for ((n = 32; n < min; n++)); do echo "(libc)"; done
            for ((n = min; n <= max; n++)); do echo "RTMIN+$((n - min))"; done
        } | awk "{ print NR, \$0 }"'
    assert_equal "$(cut -d ' ' -f 1,2 <<<"$table")" "$output"
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

@test "sig-table: any other error of sigaction than EINVAL is an error" {
    requires strace
    run -1 strace -f -o /dev/null -e inject=rt_sigaction:error=EFAULT sig-table
    assert_output --partial 'sig-table: sigaction: Bad address'
}

@test "sig-table: tries each: if only KILL and STOP are sent, no other acts" {
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

@test "sig-table: what it inherits, and where it runs, makes no difference" {
    run -0 sig-table
    usual=$output
    run -0 env --ignore-signal=HUP,USR1,CONT --block-signal=TERM,TSTP sig-table
    assert_output "$usual"
    run -0 setsid -w sig-table # the session's leader has no terminal
    assert_output "$usual"
}

@test "sig-table: no core is dumped, and the table fits 80x24" {
    requires strace
    traced trace=none bash -c 'ulimit -S -c "$(ulimit -H -c)"; exec sig-table'
    assert_success
    run -0 grep -c '+++ killed by SIGQUIT +++' log
    run -1 grep 'core dumped' log
    run -0 awk 'length > 79; END { if (NR > 23) print NR " lines" }' out
    assert_output ''
}

@test "sig-table: a child that has stopped does not outlive its parent" {
    make_preload "$BATS_TEST_TMPDIR/orphan.so" <<-'END'
	#define _GNU_SOURCE
	#include <signal.h>
	#include <sys/syscall.h>
	#include <unistd.h>

	int kill(pid_t pid, int sig)
	{
	    pid_t parent = getppid();

	    if (pid == getpid() && sig == SIGSTOP) {
	        syscall(SYS_kill, parent, SIGKILL);
	        while (getppid() == parent)
	            ;
	    }
	    return syscall(SYS_kill, pid, sig);
	}
	END
    LD_PRELOAD=$BATS_TEST_TMPDIR/orphan.so sig-table >/dev/null 3>&- &
    assert_ends 137 $!
    wait_until no_survivors
}

@test "sig-queue: three knocks: a standard signal comes once, others thrice" {
    run -0 --separate-stderr sig-queue
    assert_output - <<-'END'
	Child sends SIGUSR1
	Child sends SIGUSR1
	Child sends SIGUSR1
	Child sends SIGRTMIN+2: 10
	Child sends SIGRTMIN+2: 20
	Child sends SIGRTMIN+2: 30
	Child sends SIGRTMIN+1: 10
	Child sends SIGRTMIN+1: 20
	Child sends SIGRTMIN+1: 30
	Parent: Child has gone, its signals are still here
	Parent got SIGUSR1
	Parent got SIGRTMIN+1: 10
	Parent got SIGRTMIN+1: 20
	Parent got SIGRTMIN+1: 30
	Parent got SIGRTMIN+2: 10
	Parent got SIGRTMIN+2: 20
	Parent got SIGRTMIN+2: 30
	END
    assert_equal "$stderr" ''
    traced trace=execve,kill,rt_sigqueueinfo,rt_sigtimedwait sig-queue
    accept_log "$LOG"'
        child && / = 0$/ { sent[call]++ }
        call == "rt_sigtimedwait" && / = [0-9]+ \(/ { came[$NF]++ }
        END {
            if (sent["kill"] != 3)
                print sent["kill"] + 0 " signals were sent with kill, not 3"
            if (sent["rt_sigqueueinfo"] != 6)
                print sent["rt_sigqueueinfo"] + 0 " with sigqueue, not 6"
            if (came["(SIGUSR1)"] != 1)
                print "SIGUSR1 was taken " came["(SIGUSR1)"] + 0 " times, not 1"
            if (came["(SIGRT_3)"] != 3 || came["(SIGRT_4)"] != 3)
                print "a real-time signal was not taken 3 times"
        }'
}

@test "sig-queue: each value is the one that was sent" {
    make_preload "$BATS_TEST_TMPDIR/add.so" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <signal.h>
	#include <stdlib.h>

	int sigqueue(pid_t pid, int sig, const union sigval value)
	{
	    int (*real)(pid_t, int, union sigval) = dlsym(RTLD_NEXT, "sigqueue");
	    union sigval more = { .sival_int = value.sival_int + atoi(getenv("ADD")) };

	    return real(pid, sig, more);
	}
	END
    add=$((RANDOM + 1000000))
    run -0 env ADD=$add LD_PRELOAD="$BATS_TEST_TMPDIR/add.so" sig-queue
    for i in 1 2; do
        assert_equal "$(sed -n "s/Parent got SIGRTMIN+$i: //p" <<<"$output" |
            xargs)" "$((add + 10)) $((add + 20)) $((add + 30))"
    done
}

@test "sig-queue: Parent takes nothing before Child has gone" {
    assert_same_when sig-queue kill,rt_sigqueueinfo:delay_enter=50000
}

@test "sig-queue: where nothing may be queued, sigqueue says so" {
    run -1 --separate-stderr bash -c 'ulimit -i 0; exec sig-queue'
    [[ $stderr == *'sigqueue: Resource temporarily unavailable'*'ulimit -i'* ]]
    refute_output --partial 'Parent got'
}

# What the kernel saw of the handler: how often it ran, how many it took.
assert_reaped() { # COUNT STATUS COMMAND
    traced trace=execve,wait4,waitid,rt_sigreturn "${@:3}"
    assert_equal "status $status" "status $2"
    said=$output
    accept_log -v count="$1" "$LOG"'
        child { next }
        $2 == "---" { runs++ }
        call == "wait4" && handles[pid] && / = / {
            if (!/wait4\(-1, NULL, WNOHANG/) print "a wait that may sleep: " $0
            if (/ = [1-9][0-9]*$/) reaped++
            else if (/ECHILD/) all = 1
        }
        END {
            if (runs != 1) print "SIGCHLD came " runs + 0 " times, not once"
            if (reaped != count)
                print "the handler reaped " reaped + 0 " children, not " count
            if (count > 1 && !all) print "the handler left off before the last"
        }'
}

@test "sig-child: SIGCHLD comes once, and the handler reaps every child" {
    run -0 --separate-stderr sig-child
    assert_output - <<-'END'
	Parent: zombies: 5
	Parent: SIGCHLD came: 1, reaped: 5
	Parent: zombies: 0
	END
    assert_equal "$stderr" ''
    assert_reaped 5 0 sig-child
}

@test "sig-child CHILDREN: all end at once, no zombie is left" {
    for children in 1 100; do
        assert_reaped $children 0 sig-child $children
        run -0 cat out
        assert_line --index 0 "Parent: zombies: $children"
        assert_line --index 1 "Parent: SIGCHLD came: 1, reaped: $children"
        assert_line --index 2 'Parent: zombies: 0'
    done
}

@test "sig-child: children that end slowly are zombies in the end, and counted" {
    assert_same_when sig-child exit_group:delay_enter=30000
}

@test "sig-child --one-wait: one signal, one waitpid, the rest stay zombies" {
    assert_reaped 1 1 sig-child --one-wait 20
    assert_equal "$said" \
        'sig-child: SIGCHLD came once for all: one waitpid is not enough'
    run -0 cat out
    assert_line --index 2 'Parent: zombies: 19'
    run -0 sig-child --one-wait 1 # nothing merges
}

@test "sig-child: its handler calls only what is signal-safe, and keeps errno" {
    assert_safe_handler sig-child
}

@test "sig-eintr: read fails with EINTR, and with SA_RESTART it goes on" {
    run -0 --separate-stderr sig-eintr
    assert_output - <<-'END'
	Parent starts Child 1, without SA_RESTART
	Parent sends SIGUSR1 to Child 1, asleep in read
	Handler: got signal
	Child 1: read fails with EINTR
	Parent starts Child 2, with SA_RESTART
	Parent sends SIGUSR1 to Child 2, asleep in read
	Handler: got signal
	Parent writes hello to Child 2, asleep in read again
	Child 2: read returns 5: hello
	END
    assert_equal "$stderr" ''
    traced trace=execve,read,rt_sigreturn sig-eintr
    run -0 awk "$LOG"'
        !child { next }
        /ERESTARTSYS/ { print "interrupted" }
        call == "rt_sigreturn" && / = -1 EINTR/ { print "read fails" }
        call == "rt_sigreturn" && / = 0$/ { print "read again" }
        call == "read" && /"hello".* = 5$/ { print "hello" }' log
    assert_output - <<-'END'
	interrupted
	read fails
	interrupted
	read again
	hello
	END
}

@test "sig-eintr: no signal is sent before read sleeps, however slow it is" {
    assert_same_when sig-eintr rt_sigaction,rt_sigreturn:delay_exit=50000
}

@test "sig-eintr: its handler calls only what is signal-safe" {
    assert_safe_handler sig-eintr
}

@test "sig-unsafe: a handler that only writes lets both threads go on" {
    run -0 --separate-stderr sig-unsafe
    assert_output - <<-'END'
	Main changes the total
	Logger prints, and wants the total
	Main's handler: got signal
	Logger: the total is 42
	Main: Logger has ended
	END
    assert_equal "$stderr" ''
    traced trace=execve,write,rt_sigreturn,futex sig-unsafe
    accept_log "$LOG"'
        call == "write" && handles[pid] && /got signal/ { writes = 1 }
        END { if (!writes) print "no handler of SIGUSR1 wrote: got signal" }'
    assert_safe_handler sig-unsafe
}

@test "sig-unsafe --printf: the handler waits for a lock, and never returns" {
    traced trace=execve,write,rt_sigreturn,futex sig-unsafe --printf
    assert_failure 124
    assert_output --partial stuck
    run -0 cat out
    assert_line 'Logger prints, and wants the total'
    refute_line --partial 'got signal'
    accept_log "$LOG"'
        $3 == "SIGUSR1" { came = 1 }
        call == "futex" && /WAIT/ && handles[pid] == "SIGUSR1" { waits = 1 }
        call == "rt_sigreturn" { print "the handler returned" }
        END {
            if (!came) print "no SIGUSR1 came"
            if (!waits) print "no handler of SIGUSR1 waits for a lock"
        }'
    make_guard
    run -1 env LD_PRELOAD="$GUARD" sig-unsafe --printf
    assert_output --partial 'signal-safety(7)'
}

@test "sig-shutdown: SIGHUP reloads, SIGTERM ends in order, no record is half" {
    run -0 --separate-stderr sig-shutdown
    assert_output - <<-'END'
	Parent sends SIGHUP in the middle of record 2
	Daemon: SIGHUP, the settings say fast
	Parent sends SIGTERM in the middle of record 3
	Daemon: SIGTERM, ends in order
	Parent: 3 records, all whole, the last: fast
	END
    assert_equal "$stderr" ''
    traced trace=execve,kill,write,rt_sigtimedwait,pread64 sig-shutdown
    accept_log "$LOG"'
        $2 == "---" && $3 != "SIGCHLD" { print "a signal was delivered: " $0 }
        call == "write" && child && /"record [0-9]: "/ { half = 1 }
        call == "write" && child && /"(slow|fast)\\n"/ {
            half = 0
        }
        call == "kill" && !half { print "not in the middle: " $0 }
        call == "rt_sigtimedwait" && / = [0-9]+ \(/ {
            took[$NF] = 1
            if (half) print "taken in the middle of a record: " $0
        }
        call == "pread64" && /, 4, 0\)/ && !took["(SIGHUP)"] {
            print "Daemon read its settings before SIGHUP came"
        }
        END {
            for (i = split("(SIGHUP) (SIGTERM)", name, " "); i; i--)
                if (!took[name[i]]) print "Daemon did not take " name[i]
        }'
}

@test "sig-shutdown: the settings are read again" {
    make_preload "$BATS_TEST_TMPDIR/word.so" <<-'END'
	#include <stdlib.h>
	#include <sys/syscall.h>
	#include <unistd.h>

	ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
	{
	    (void)bytes;
	    return syscall(SYS_pwrite64, fd, getenv("WORD"), n, offset);
	}
	END
    word=$((RANDOM % 9000 + 1000))
    run -0 env WORD=$word LD_PRELOAD="$BATS_TEST_TMPDIR/word.so" sig-shutdown
    assert_line "Daemon: SIGHUP, the settings say $word"
    assert_line "Parent: 3 records, all whole, the last: $word"
}

@test "sig-shutdown: a record that takes long is whole, too" {
    assert_same_when sig-shutdown kill,write:delay_exit=50000
}

@test "sig-shutdown --no-mask: SIGHUP kills Daemon in the middle of a record" {
    traced trace=execve,kill,write sig-shutdown --no-mask
    assert_failure 1
    assert_output --partial 'record 2 is cut off'
    run -1 grep -E 'in order|whole' out
    accept_log "$LOG"'
        call == "kill" { sent = 1 }
        call == "write" && child && sent && !resumed {
            print "Daemon wrote on: " $0
        }
        child && /killed by SIGHUP/ { killed = 1 }
        END { if (!killed) print "SIGHUP did not kill Daemon" }'
}

@test "sig-fd: signals and a pipe are read in one loop, in their order" {
    run -0 --separate-stderr sig-fd
    assert_output - <<-'END'
	Server: the pipe is readable: one
	Server: the signalfd is readable: SIGUSR1
	Server: the pipe is readable: two
	Server: the signalfd is readable: SIGTERM
	END
    assert_equal "$stderr" ''
    traced trace=execve,read,poll,ppoll,kill -y sig-fd
    accept_log "$LOG"'
        $2 == "---" && $3 != "SIGCHLD" { print "a signal was delivered: " $0 }
        !child { next }
        call ~ /^p?poll$/ && /signalfd/ && /pipe/ { both = 1 }
        call == "read" && /signalfd/ && / = 128$/ { came = came " signal" }
        call == "read" && /pipe/ && / = 3$/ { came = came " word" }
        END {
            if (!both) print "no poll waits for both, the pipe and the signalfd"
            if (came != " word signal word signal") print "Server read:" came
        }'
}

@test "sig-fd: the order holds, whoever is slow" {
    assert_same_when sig-fd '?poll,?ppoll:delay_enter=50000' \
        write,kill:delay_exit=50000
}

@test "sig-fd: Server sees when Client has gone without a SIGTERM" {
    cd "$BATS_TEST_TMPDIR"
    make_preload die.so <<-'END'
	#include <signal.h>
	#include <sys/types.h>

	int kill(pid_t pid, int sig)
	{
	    (void)pid;
	    (void)sig;
	    return raise(SIGKILL);
	}
	END
    LD_PRELOAD=$PWD/die.so sig-fd >out 2>err 3>&- &
    assert_ends 137 $!
    wait_until no_survivors
    run -0 cat err
    assert_output --partial 'Client has gone'
}
