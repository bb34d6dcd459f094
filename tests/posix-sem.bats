# The programs of posix-sem/, in the folder's order.

setup() {
    load helper
    cd "$BATS_TEST_TMPDIR"
}

# Most calls of a semaphore are no system calls. So a spy stands between the
# program and the C library, and tells strace of each of them in a write to
# /dev/null: CALL ADDRESS begins, and CALL ADDRESS RESULT ERRNO MORE.
setup_file() {
    command -v gcc >/dev/null || return 0 # the tests say so
    gcc -shared -fPIC -o "$BATS_FILE_TMPDIR/spy.so" -x c - -ldl <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <errno.h>
	#include <fcntl.h>
	#include <semaphore.h>
	#include <stdarg.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <time.h>
	#include <unistd.h>

	static void tell(const char *format, ...)
	{
	    static int null = -1;
	    int error = errno, low;
	    char line[200];
	    va_list more;

	    if (null == -1) {
	        low = open("/dev/null", O_WRONLY);
	        null = fcntl(low, F_DUPFD_CLOEXEC, 200);
	        close(low);
	    }
	    va_start(more, format);
	    vsnprintf(line, sizeof line, format, more);
	    va_end(more);
	    if (write(null, line, strlen(line)) == -1)
	        abort();
	    errno = error;
	}

	#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
	#define TOLD(name, sem, ...) \
	    int result; \
	    tell(#name " %p begins", (void *)sem); \
	    result = REAL(name)(__VA_ARGS__); \
	    tell(#name " %p %d %d", (void *)sem, result, result ? errno : 0); \
	    return result

	int sem_wait(sem_t *sem) { TOLD(sem_wait, sem, sem); }
	int sem_trywait(sem_t *sem) { TOLD(sem_trywait, sem, sem); }
	int sem_post(sem_t *sem) { TOLD(sem_post, sem, sem); }
	int sem_timedwait(sem_t *sem, const struct timespec *end)
	{
	    TOLD(sem_timedwait, sem, sem, end);
	}
	int sem_getvalue(sem_t *sem, int *value)
	{
	    int result = REAL(sem_getvalue)(sem, value);

	    tell("sem_getvalue %p %d 0 %d", (void *)sem, result, *value);
	    return result;
	}
	int sem_init(sem_t *sem, int shared, unsigned value)
	{
	    int result = REAL(sem_init)(sem, shared, value);

	    tell("sem_init %p %d 0 %d %u", (void *)sem, result, shared, value);
	    return result;
	}
	sem_t *sem_open(const char *name, int flags, ...)
	{
	    unsigned mode, value;
	    va_list more;
	    sem_t *sem;

	    va_start(more, flags);
	    mode = flags & O_CREAT ? va_arg(more, unsigned) : 0;
	    value = flags & O_CREAT ? va_arg(more, unsigned) : 0;
	    va_end(more);
	    sem = REAL(sem_open)(name, flags, mode, value);
	    tell("sem_open %p %d 0 %s %s %#o %u", (void *)sem, sem ? 0 : -1, name,
	         flags & O_CREAT ? flags & O_EXCL ? "new" : "old-or-new" : "old",
	         mode, value);
	    return sem;
	}
	int sem_unlink(const char *name)
	{
	    int result = REAL(sem_unlink)(name);

	    tell("sem_unlink - %d 0 %s", result, name);
	    return result;
	}
	int clock_gettime(clockid_t id, struct timespec *now)
	{
	    int result = REAL(clock_gettime)(id, now);

	    /* LATE: it is always the last tenth of a second. */
	    if (getenv("LATE") && now->tv_nsec < 900000000) {
	        now->tv_sec--;
	        now->tv_nsec = 950000000;
	    }
	    return result;
	}
	END
}

# Runs a program under strace and the spy. The log has a line a call.
spied() { # COMMAND
    requires gcc
    traced trace=write,nanosleep,clock_nanosleep,fork,vfork,clone,clone3 -ttt \
        -E LD_PRELOAD="$BATS_FILE_TMPDIR/spy.so" "$@"
}

# For awk: what the spy tells, in call, sem, result, error, more[1]…; printed
# is what a process prints on stdout; nobody may sleep, or try over and over.
SPIED='
    { pid = $1; time = $2; call = printed = ""; if (!parent) parent = pid }
    / write\(1, "/ { printed = $0; sub(/.* write\(1, "/, "", printed) }
    / (clock_)?nanosleep\(/ { print "it sleeps: " $0 }
    / (clone3?|v?fork)[( ].* = [0-9]+$/ { children[$NF] = 1 }
    / write\([0-9]+, "sem_/ {
        line = $0
        sub(/.* write\([0-9]+, "/, "", line)
        sub(/".*/, "", line)
        split(line, more, " ")
        call = more[1]
        sem = more[2]
        result = more[3]
        error = more[4]
        for (i = 1; i <= 4; i++) more[i] = more[i + 4]
    }
    call == "sem_trywait" && result != "begins" && ++tries[pid, sem] == 3 {
        print "it tries over and over, and does not wait" }
    call == "sem_init" && more[1] == 0 {
        print "a semaphore for one process only: pshared is 0" }
'

# For awk: who is inside, between a wait and the post, and how many at most.
INSIDE='
    call ~ /^sem_(wait|trywait)$/ && result == "0" {
        if (++inside > most) most = inside
    }
    call == "sem_post" && result == "begins" { inside--; posts[pid]++ }
'

@test "sem-signal: Parent goes on when Child has signaled, and not before" {
    run -0 --separate-stderr sem-signal
    assert_output - <<-'END'
	Parent: waiting for signal...
	Child: doing work...
	Child: signaling parent
	Parent: received signal!
	END
    assert_equal "$stderr" ''
    # And the semaphore makes it so.
    spied sem-signal
    assert_success
    accept_log "$SPIED"'
        call == "sem_open" && more[4] != 0 { print "it starts at " more[4] }
        call == "sem_post" && result == "begins" && pid != parent { posted = 1 }
        call ~ /^sem_(timed)?wait$/ && pid == parent && result == "0" {
            waited = 1
            if (!posted) print "Parent has waited, and nobody has posted"
        }
        printed ~ /signaling/ && posted {
            print "Child posts before its work is done" }
        printed ~ /received/ && !waited {
            print "Parent goes on without a wait" }
        END { if (!posted) print "Child posts nothing" }'
}

@test "sem-signal: the name is new, for its user, and gone before the fork" {
    spied sem-signal
    accept_log "$SPIED"'
        call == "sem_open" {
            opened = more[1]
            if (more[2] != "new") print "without O_EXCL: " more[1]
            if (more[3] != "0600") print "mode " more[3]
            if (opened != "/sem-signal." pid)
                print "not /sem-signal.PID: " opened
        }
        call == "sem_unlink" && more[1] == opened { gone = 1 }
        / (clone3?|v?fork)\(/ && !gone {
            print "the name is there at the fork" }'
}

@test "sem-signal --init-1: Parent does not wait, in each run" {
    run -0 sem-signal
    usual=$(sort <<<"$output")
    run -1 --separate-stderr sem-signal --init-1
    assert_equal "$(sort <<<"$output")" "$usual"
    assert_equal "$stderr" \
        "sem-signal: Parent did not wait: Child's post is left over"
    requires taskset util-linux
    USUAL=20 run -0 bash -c 'for i in {1..5}; do
        sem-signal --init-1; taskset -c $CORE sem-signal --init-1; done 2>&1 |
        grep -c "did not wait"'
    assert_output 10
}

# Does a process sleep, with a handler for SIGALRM?
waits_with_a_limit() { # PID
    awk '/^State:.S/ { asleep = 1 }
        /^SigCgt:/ && $2 ~ /[2367abef]...$/ { handler = 1 }
        END { exit !(asleep && handler) }' "/proc/$1/status"
}

@test "sem-signal: when Child is killed, Parent says what it is stuck on" {
    requires strace
    # Child is killed as it prints its second line; the limit comes at once.
    strace -f -qq -o log -P "$PWD/out" -e trace=write \
        -e inject=write:signal=KILL:when=2 sem-signal >out 2>err 3>&- &
    wait_until grep -q 'killed by SIGKILL' log
    parent=$(awk '{ print $1; exit }' log)
    wait_until waits_with_a_limit "$parent"
    kill -ALRM "$parent"
    assert_ends 124 $!
    assert_equal "$(<err)" \
        'sem-signal: stuck: Parent waits in sem_wait, and nobody posts'
    traced trace=alarm,setitimer sem-signal
    run -0 grep -E ' (alarm\(10\)|setitimer\(ITIMER_REAL, .*tv_sec=10,)' log
}

@test "sem-counter: two processes count to 2000, one at a time" {
    run -0 --separate-stderr sem-counter
    assert_output 'Total count: 2000, Expected: 2000'
    assert_equal "$stderr" ''
    # And the semaphore makes it so.
    spied sem-counter 100
    assert_success
    accept_log "$SPIED$INSIDE"'
        call == "sem_init" && more[2] != 1 {
            print "the lock starts at " more[2] }
        END {
            for (pid in posts)
                if (posts[pid] == 100) right++
            if (right != 2)
                print right + 0 " processes have posted 100 times, not 2"
            if (most != 1) print most + 0 " were inside at once, not 1"
        }'
}

@test "sem-counter LOOPS: no addition is lost, on all cores or on one" {
    loops=$((900000 + RANDOM))
    run -0 sem-counter $loops
    assert_output "Total count: $((2 * loops)), Expected: $((2 * loops))"
    requires taskset util-linux
    run -0 taskset -c "$CORE" sem-counter $loops
    assert_output "Total count: $((2 * loops)), Expected: $((2 * loops))"
}

@test "sem-counter --no-lock: additions are lost, in each run" {
    run -1 --separate-stderr sem-counter --no-lock 1
    assert_output 'Total count: 1, Expected: 2'
    requires taskset util-linux
    USUAL=20 run -0 bash -c '
        for i in {1..10}; do
            sem-counter --no-lock
            taskset -c $CORE sem-counter --no-lock
        done | awk -F "[ ,]+" "\$3 < \$5 && \$5 == 2000" | wc -l'
    assert_output 20
}

@test "sem-turns: ping, pong, ping, pong, and each has a semaphore" {
    run -0 --separate-stderr sem-turns
    assert_output - <<-'END'
	Child 1: ping 1
	Child 2: pong 2
	Child 1: ping 3
	Child 2: pong 4
	Child 1: ping 5
	Child 2: pong 6
	END
    assert_equal "$stderr" ''
    # And the semaphores make it so.
    spied sem-turns
    assert_success
    accept_log "$SPIED"'
        call == "sem_init" { starts[more[2]]++ }
        call == "sem_wait" && result == "0" { waited[pid] = sem }
        printed {
            if (!waited[pid]) print "printed without a wait: " printed
            if (pid == last) print "twice in a row: " printed
            last = pid
            lines++
        }
        call == "sem_post" && result == "begins" {
            if (sem == waited[pid]) print "posts the one it has waited for"
            if (pid != last) print "posts before it has printed"
            waited[pid] = ""
        }
        END {
            if (starts[1] != 1 || starts[0] != 1)
                print "not one semaphore starts at 1, and one at 0"
            if (lines != 6) print lines + 0 " lines, not 6"
        }'
}

@test "sem-turns: a child that is slow is waited for" {
    # The child that prints is held up; the other's line still comes after it.
    run -0 sem-turns
    usual=$output
    for slow in 1 2; do
        traced trace=write \
            -e inject=write:delay_enter=100000:when=$slow sem-turns
        assert_success
        assert_equal "$(<out)" "$usual"
    done
}

@test "sem-turns --one-sem: a child goes twice in a row, in each run" {
    run -1 --separate-stderr sem-turns --one-sem
    assert_output --partial $'Child 1: ping 1\nChild 1: ping 2'
    assert_equal "$stderr" \
        'sem-turns: a child went twice: it took back its own post'
    requires taskset util-linux
    USUAL=20 run -0 bash -c 'for i in {1..10}; do
        sem-turns --one-sem; taskset -c $CORE sem-turns --one-sem; done 2>&1 |
        grep -c "went twice"'
    assert_output 20
}

@test "sem-pool: three may be inside, three are, and never a fourth" {
    run -0 --separate-stderr sem-pool
    assert_output 'Parent: at most 3 inside, permits: 3'
    assert_equal "$stderr" ''
    # And the semaphore makes it so.
    spied sem-pool
    assert_success
    accept_log "$SPIED$INSIDE"'
        call == "sem_init" && more[2] != 3 { print "it starts at " more[2] }
        END {
            for (pid in posts)
                if (posts[pid] == 1 && children[pid]) right++
            if (right != 6) print right + 0 " Workers give a permit back, not 6"
            if (most != 3) print most + 0 " were inside at once, not 3"
        }'
}

@test "sem-pool --permits N --workers N: the smaller of both is inside" {
    USUAL=20 run -0 bash -c '
        for permits in 1 2 7 200; do
            for workers in 1 2 5 30; do
                sem-pool --permits $permits --workers $workers >out ||
                    echo "status $?"
                most=$((permits < workers ? permits : workers))
                grep -qx "Parent: at most $most inside, permits: $permits" out ||
                    echo "--permits $permits --workers $workers: $(cat out)"
            done
        done'
    assert_output ''
}

@test "sem-pool --no-sem: all are inside, in each run" {
    run -1 sem-pool --no-sem
    assert_output 'Parent: at most 6 inside, permits: 3'
    run -1 sem-pool --no-sem --permits 5
    assert_output 'Parent: at most 6 inside, permits: 5'
    requires taskset util-linux
    USUAL=20 run -0 bash -c '
        for i in {1..10}; do
            sem-pool --no-sem --permits 2 --workers 9
            taskset -c $CORE sem-pool --no-sem --permits 2 --workers 9
        done | grep -c "at most 9 inside"'
    assert_output 20
}

@test "sem-pool: nobody waits for a Worker that was killed" {
    make_preload third.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <signal.h>
	#include <unistd.h>

	pid_t fork(void) /* the third child is killed at once */
	{
	    static int n;
	    pid_t (*next)(void) = dlsym(RTLD_NEXT, "fork");
	    pid_t child = next();

	    if (++n == 3 && child == 0)
	        raise(SIGKILL);
	    return child;
	}
	END
    run -1 env LD_PRELOAD="$PWD/third.so" sem-pool --workers 3
    assert_output --regexp '^Parent: at most [12] inside, permits: 3$'
}

@test "sem-pool: a Worker that is killed inside keeps its permit" {
    make_preload killed.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <semaphore.h>
	#include <signal.h>
	#include <unistd.h>

	int sem_post(sem_t *sem)
	{
	    (void)sem;
	    return raise(SIGKILL);
	}

	unsigned alarm(unsigned seconds) /* sooner */
	{
	    unsigned (*next)(unsigned) = dlsym(RTLD_NEXT, "alarm");

	    return next(seconds > 0);
	}
	END
    run -124 env LD_PRELOAD="$PWD/killed.so" sem-pool --permits 1 --workers 2
    assert_output 'sem-pool: stuck: a Worker waits, inside or at the door'
}

@test "sem-try: EAGAIN at once, ETIMEDOUT when the time has passed" {
    run -0 --separate-stderr sem-try
    assert_output - <<-'END'
	Child: the value is 0
	Child: sem_trywait fails with EAGAIN (Resource temporarily unavailable)
	Child: sem_timedwait fails with ETIMEDOUT (Connection timed out)
	Parent posts: the value is 1
	END
    assert_equal "$stderr" ''
    # And the semaphore says so, too.
    spied sem-try
    assert_success
    accept_log -v eagain=11 -v etimedout=110 "$SPIED"'
        pid != parent && call == "sem_getvalue" { held = more[1] == 0 }
        pid != parent && call == "sem_trywait" && error == eagain {
            tried = time }
        pid != parent && call == "sem_timedwait" && error == etimedout {
            passed = time - tried
            timed = 1
        }
        pid == parent && result == "0" {
            if (call ~ /^sem_(try)?wait$/) taken = 1
            if (call == "sem_post" && taken) given = 1
            if (call == "sem_getvalue" && given) free = more[1] == 1
        }
        END {
            if (!taken) print "Parent does not take the lock"
            if (!held) print "Child does not find that the value is 0"
            if (!tried) print "no sem_trywait of Child fails with EAGAIN"
            if (!timed) print "no sem_timedwait of Child fails with ETIMEDOUT"
            if (passed < 0.1 || passed > 5)
                print passed + 0 " s passed, not 0.1"
            if (!free) print "Parent does not give it back, and finds 1"
        }'
}

@test "sem-try: Child opens the lock by its name, which is new, and then gone" {
    spied sem-try
    accept_log "$SPIED"'
        call == "sem_open" && pid == parent {
            name = more[1]
            if (more[2] != "new") print "without O_EXCL: " name
            if (more[3] != "0600") print "mode " more[3]
            if (more[4] != 1) print "it starts at " more[4]
            if (name != "/sem-try." pid) print "not /sem-try.PID: " name
        }
        call == "sem_open" && pid != parent && more[1] == name { found = 1 }
        call == "sem_unlink" && more[1] == name { gone = 1 }
        printed && pid == parent && !gone { print "still there: " printed }
        END {
            if (!found) print "Child does not open " name
            if (!gone) print "not removed: " name
        }'
}

@test "sem-try: 100 ms that reach into the next second are no error" {
    requires gcc
    USUAL=12 run -0 \
        env LATE=1 LD_PRELOAD="$BATS_FILE_TMPDIR/spy.so" sem-try
    assert_line --partial ETIMEDOUT
}

@test "sem-try --init-0: nobody has the lock, and nobody gets it" {
    run -124 --separate-stderr sem-try --init-0
    assert_line --partial ETIMEDOUT
    refute_line --partial Parent
    assert_equal "$stderr" \
        'sem-try: stuck: nobody has the lock, and nobody gets it'
}
