# The programs of posix-sem/, in the folder's order.

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
}

# Who waits for another process must tell futex(2) so.
SHARED_FUTEX='
    /FUTEX_WAIT[A-Z_]*_PRIVATE/ { print "a wait within one process: " $0; exit }'

# Starts a command, kills one of its children, and returns its status.
kill_a_child() {
    local parent child=
    "$@" 3>&- &
    parent=$!
    while [[ -z $child && -d /proc/$parent ]]; do
        read -r child _ <"/proc/$parent/task/$parent/children"
    done 2>/dev/null
    kill -KILL "$child" && wait $parent
}

# The named semaphores there are, of the program that is named.
named_semaphores() {
    find /dev/shm -name "sem.$1*" | sort
}

# Those of now that were not there before are gone, at most a moment later.
nothing_new() {
    [[ -z $(named_semaphores "$1" | comm -13 "$BATS_TEST_TMPDIR/before" -) ]]
}

@test "sem-counter: two processes count to 2000 together" {
    run -0 --separate-stderr sem-counter
    assert_output 'Total count: 2000, Expected: 2000'
    assert_equal "$stderr" ''
}

@test "sem-counter --processes N --loops N: no update is lost, on one core neither" {
    loops=$((5000 + RANDOM % 1000))
    total="Total count: $((4 * loops)), Expected: $((4 * loops))"
    run -0 sem-counter --processes 4 --loops $loops
    assert_output "$total"
    requires taskset util-linux
    run -0 taskset -c "$CORE" sem-counter --processes 4 --loops $loops
    assert_output "$total"
}

@test "sem-counter: who finds the lock taken sleeps in the kernel, who finds it free does not call it" {
    traced trace=futex sem-counter --processes 3 --loops 2000
    assert_success
    accept_log "$SHARED_FUTEX"'
        /futex\(.*FUTEX_WAIT/ { n++ }
        END { if (!n) print "nobody ever waited" }'
    traced trace=futex sem-counter --processes 1
    assert_success
    accept_log '/futex/ && !/_PRIVATE/ { print "nobody else is there, what is this: " $0 }'
}

@test "sem-counter --no-lock: updates are lost in 50 of 50 runs, on one core too" {
    run -1 --separate-stderr sem-counter --no-lock
    assert_output --regexp '^Total count: [0-9]+, Expected: 2000$'
    assert [ -n "$stderr" ]
    requires taskset util-linux
    run -0 bash -c '
        for i in {1..25}; do
            sem-counter --no-lock
            taskset -c $CORE sem-counter --no-lock
        done 2>/dev/null | awk -F "[ ,]+" "\$3 < \$5" | wc -l'
    assert_output 50
}

@test "sem-counter --no-lock: two who count once each lose an update; one alone loses none" {
    run -1 sem-counter --no-lock --loops 1
    assert_output --partial 'Total count: 1, Expected: 2'
    run -0 sem-counter --no-lock --processes 1
    assert_output 'Total count: 1000, Expected: 1000'
}

@test "sem-counter: a process that is killed is noticed, and nobody waits for its post" {
    export -f kill_a_child
    run -1 bash -c 'kill_a_child sem-counter --processes 200 --loops 1000000'
    assert_output --regexp 'died|killed'
    refute_output --partial 'Total count:'
}

@test "sem-counter, sem-pool: a fork that fails is named, and the others end" {
    without_privilege sem-counter sem-pool
    run -1 "${AS_NOBODY[@]}" bash -c 'ulimit -u 20; exec sem-counter --processes 100 --loops 50000'
    assert_output --regexp 'fork of Process [0-9]+: Resource temporarily'
    run -1 "${AS_NOBODY[@]}" bash -c 'ulimit -u 20; exec sem-pool --workers 100'
    assert_output --regexp 'fork of Worker [0-9]+: Resource temporarily'
}

@test "sem-signal: Parent goes on when Child has signaled, and not before" {
    run -0 --separate-stderr sem-signal
    assert_output - <<-'END'
	Parent: waiting for signal...
	Child: doing work...
	Child: signaling parent
	Parent: received signal!
	END
    assert_equal "$stderr" ''
}

@test "sem-signal: the same four lines in each of 40 runs, on one core too" {
    requires taskset util-linux
    bounded sem-signal >"$BATS_TEST_TMPDIR/usual"
    run -0 bash -c 'for i in {1..20}; do
        sem-signal | cmp - "$1" || exit
        taskset -c $CORE sem-signal | cmp - "$1" || exit
    done' bash "$BATS_TEST_TMPDIR/usual"
}

@test "sem-signal: Parent sleeps until Child wakes it" {
    traced trace=futex,write,fork,vfork,clone,clone3 sem-signal
    assert_success
    accept_log "$SHARED_FUTEX"'
        / (clone|clone3|fork|vfork)\(/ && !parent { parent = $1 }
        $1 == parent && /futex\(.*FUTEX_WAIT/ { asleep = 1 }
        asleep && $1 != parent && /futex\(.*FUTEX_WAKE,/ { woken = 1 }
        $1 == parent && /write\(.*received/ && woken { told = 1 }
        END { if (!told) print "Parent did not wait, or nobody woke it" }'
}

@test "sem-signal: the name holds the uid, is new in each run, and is gone at the end" {
    named_semaphores sem-signal >"$BATS_TEST_TMPDIR/before"
    traced trace=open,openat,link,linkat,unlink,unlinkat sem-signal
    assert_success
    run -0 grep -oE "/dev/shm/sem\.sem-signal\.$UID\.[^\"]+" log
    first=${lines[0]}
    assert_not_exists "$first"
    traced trace=open,openat,link,linkat,unlink,unlinkat sem-signal
    run -0 grep -oE "/dev/shm/sem\.sem-signal\.$UID\.[^\"]+" log
    assert_output --partial /dev/shm/
    refute_line "$first"
    wait_until nothing_new sem-signal
}

@test "sem-signal: the semaphore is private, and is made, never found" {
    traced trace=open,openat sem-signal
    assert_success
    accept_log '
        /\/dev\/shm\/sem\./ && !/O_EXCL/ { print "not exclusive: " $0 }
        /\/dev\/shm\/sem\..*O_CREAT/ && !/, 0600/ { print "not private: " $0 }'
}

@test "sem-signal: a name that is there stops nobody, and what is there is not touched" {
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c '
        name=/dev/shm/sem.sem-signal.$UID.$$
        for end in "" .0 .1 .2; do
            echo "not yours" >"$name$end"
            echo "$name$end" >>made
        done
        exec sem-signal'
    mapfile -t made <made
    run -0 cat "${made[@]}"
    rm "${made[@]}"
    assert_equal "${#lines[@]}" 4
    assert_output --regexp '^(not yours.?){4}$'
}

@test "sem-signal: ^C and SIGTERM leave no name behind, at the worst moment neither" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    named_semaphores sem-signal >before
    # Neither is noticed before the name, which link(2) makes, is gone.
    run -143 strace -o log -e inject=/^link:signal=TERM sem-signal
    run -130 env --default-signal=INT \
        strace -o log -e inject=/^link:signal=INT sem-signal
    run -0 grep -E '^(link|SIG|.*SIGINT)' log
    wait_until nothing_new sem-signal
}

@test "sem-signal --init 1: Parent has its signal before Child has worked, in each run" {
    run -1 --separate-stderr sem-signal --init 1
    assert_output - <<-'END'
	Parent: waiting for signal...
	Parent: received signal!
	Child: doing work...
	Child: signaling parent
	END
    assert [ -n "$stderr" ]
    printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/usual"
    requires taskset util-linux
    run -0 bash -c 'for i in {1..20}; do
        sem-signal --init 1 2>/dev/null | cmp - "$1" || exit
        taskset -c $CORE sem-signal --init 1 2>/dev/null | cmp - "$1" || exit
    done' bash "$BATS_TEST_TMPDIR/usual"
}

@test "sem-signal: a Child that is killed before its post is noticed" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -124 bash -c 'exec strace -f -qq -o log -P "$PWD/out" -e trace=write \
        -e inject=write:signal=KILL:when=2 sem-signal >out'
    assert_output --partial 'stuck'
    refute_output --partial 'killed'
    run -0 cat out
    assert_line 'Child: doing work...'
    refute_line 'Parent: received signal!'
}

@test "sem-signal --init: what is no number is refused, and named" {
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c 'for word in x 3x "" -1 99999999999999999999; do
        sem-signal --init "$word" >out 2>err
        [[ $? == 2 ]] && grep -qF -e "--init" err && [[ ! -s out ]] ||
            echo "--init $word"
    done'
    assert_output ''
}

@test "sem-pool: three may be inside, three are, and never a fourth" {
    run -0 --separate-stderr sem-pool
    assert_line --regexp '\b3 inside.* 3 at the door'
    assert_line --regexp 'most.* 3$'
    refute_output --regexp '\b[4-9] inside'
    assert_equal "$stderr" ''
}

@test "sem-pool --permits N --workers N: as many as may, or as many as there are" {
    run -0 bash -c '
        for permits in 1 2 7 20; do
            for workers in 1 2 5 30; do
                most=$((permits < workers ? permits : workers))
                text=$(sem-pool --permits $permits --workers $workers) ||
                    echo "status $?"
                grep -q "most.*[^0-9]$most\$" <<<"$text" ||
                    echo "--permits $permits --workers $workers: $text"
            done
        done'
    assert_output ''
}

@test "sem-pool: Workers without a permit sleep in the kernel, one wakes for each that goes" {
    traced trace=futex,fork,vfork,clone,clone3 sem-pool --permits 4 --workers 9
    assert_success
    accept_log "$SHARED_FUTEX"'
        / (clone|clone3|fork|vfork)\(/ { workers++ }
        /futex\(.*FUTEX_WAIT/ && !seen[$1]++ { slept++ }
        /futex\(.*FUTEX_WAKE,/ { woken++ }
        END {
            if (workers != 9) print workers + 0 " Workers, not 9"
            if (slept < 5) print slept + 0 " have slept, not 5 or more"
            if (woken < 5) print woken + 0 " times one was woken, not 5 or more"
        }'
}

@test "sem-pool --no-sem: all are inside at once, in each run" {
    run -1 --separate-stderr sem-pool --no-sem
    assert_line --regexp 'most.* 6$'
    assert [ -n "$stderr" ]
    requires taskset util-linux
    run -0 bash -c '
        for i in {1..10}; do
            sem-pool --no-sem --permits 2 --workers 9
            taskset -c $CORE sem-pool --no-sem --permits 2 --workers 9
        done 2>/dev/null | grep -c "most.* 9\$"'
    assert_output 20
}

@test "sem-pool --no-sem: with a permit for each nothing is wrong" {
    run -0 sem-pool --no-sem --permits 6
}

@test "sem-pool: a Worker that is killed is noticed, its permit is lost" {
    # As it gives it back: the first time that it waits is for the word to go.
    traced inject=futex:signal=KILL:when=2 sem-pool --workers 9 --permits 2
    assert_equal "$status" 1
    assert_output --regexp 'died|killed'
}

@test "sem-turns: ping, pong, ping, pong, one number for both" {
    run -0 --separate-stderr sem-turns
    assert_output --regexp '^.*ping 1.*pong 2.*ping 3.*pong 4.*ping 5.*pong 6$'
    assert_equal "$stderr" ''
}

@test "sem-turns --rounds N: nobody goes twice, on one core neither" {
    requires taskset util-linux
    run -0 bash -c '
        for prefix in "" "taskset -c $CORE" ""; do
            $prefix sem-turns --rounds 3000 | awk -v want=ping "
                !index(\$0, want \" \" NR) { print \"line \" NR \": \" \$0; exit }
                { want = want == \"ping\" ? \"pong\" : \"ping\" }
                END { if (NR != 6000) print NR \" lines, not 6000\" }"
        done'
    assert_output ''
}

@test "sem-turns: the lines come from two processes, by turns" {
    traced trace=futex,write sem-turns --rounds 50
    assert_success
    accept_log "$SHARED_FUTEX"'
        /write\(1,.*p[io]ng/ && $1 == last { print "twice: " $0 }
        /write\(1,.*p[io]ng/ { last = $1; n++ }
        /futex\(.*FUTEX_WAKE,/ { woken++ }
        END {
            if (n != 100) print n + 0 " lines, not 100"
            if (!woken) print "nobody was ever woken"
        }'
}

@test "sem-turns --one-sem: somebody goes twice, in each run" {
    run -1 --separate-stderr sem-turns --one-sem
    assert_output --regexp 'ping [0-9]+'$'\n''[^'$'\n'']*ping'
    assert [ -n "$stderr" ]
    printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/usual"
    requires taskset util-linux
    run -0 bash -c 'for i in {1..20}; do
        sem-turns --one-sem 2>/dev/null | cmp - "$1" || exit
        taskset -c $CORE sem-turns --one-sem 2>/dev/null | cmp - "$1" || exit
    done' bash "$BATS_TEST_TMPDIR/usual"
}

@test "sem-turns: a child that is killed is noticed, and the other is ended" {
    export -f kill_a_child
    run -1 --separate-stderr bash -c 'kill_a_child sem-turns --rounds 1000000 >/dev/null'
    [[ $stderr =~ died|killed ]]
}

@test "sem-try: EAGAIN at once, ETIMEDOUT after a while, a lock from 0 is a deadlock" {
    run -0 --separate-stderr sem-try
    assert_output --regexp 'Child.*EAGAIN.*Child.*ETIMEDOUT.*Parent.*ETIMEDOUT'
    assert_output --partial 'deadlock'
    assert_equal "$stderr" ''
}

@test "sem-try: the value is 1, 0 when it is held, and 2 after a post too many" {
    run -0 sem-try
    assert_output --regexp 'starts at 1.* 0.* 1.* 2.*starts at 0'
}

@test "sem-try: the kernel ends two waits, one of each process, at a set time" {
    traced trace=futex sem-try
    assert_success
    accept_log "$SHARED_FUTEX"'
        /ETIMEDOUT/ { n++; pid[$1] = 1 }
        END { if (n != 2 || length(pid) != 2) print n + 0 " waits timed out" }'
}

@test "sem-*: a wait that a signal interrupts is taken up again" {
    cd "$BATS_TEST_TMPDIR"
    make_preload interrupt.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <errno.h>
	#include <semaphore.h>

	/* Every second wait says EINTR, as it does after a handler has run. */
	static int interrupted(void)
	{
	    static int calls;

	    errno = EINTR;
	    return ++calls % 2;
	}

	int sem_wait(sem_t *sem)
	{
	    int (*next)(sem_t *) = dlsym(RTLD_NEXT, "sem_wait");

	    return interrupted() ? -1 : next(sem);
	}

	int sem_timedwait(sem_t *sem, const struct timespec *until)
	{
	    int (*next)(sem_t *, const struct timespec *) =
	        dlsym(RTLD_NEXT, "sem_timedwait");

	    return interrupted() ? -1 : next(sem, until);
	}
	END
    run -0 bash -c 'for name in sem-counter sem-signal sem-pool sem-turns sem-try; do
        $name >usual
        LD_PRELOAD=$PWD/interrupt.so $name 2>&1 | diff --label $name usual -
    done'
    assert_output ''
}

@test "sem-*: no child outlives a Parent that is killed" {
    run -0 bash -c '
        for moment in 0.001 0.002 0.004 0.008 0.02; do
            timeout --foreground -s KILL $moment sem-counter --loops 1000000
            timeout --foreground -s KILL $moment sem-counter --no-lock --loops 1000000
            timeout --foreground -s KILL $moment sem-pool --workers 100
            timeout --foreground -s KILL $moment sem-turns --rounds 1000000
            timeout --foreground -s KILL $moment sem-try
        done >/dev/null 2>&1; true'
    wait_until no_survivors
}

@test "sem-*: who needs sem_init says so where there is none" {
    requires gcc
    run -0 bash -c '
        for source in $(grep -l "sem_init(" "$ROOT"/posix-sem/*.c); do
            text=$(gcc -U__linux__ -D__APPLE__ -fsyntax-only $source 2>&1) &&
                echo "$source compiles on macOS"
            grep -q "#error.*$(basename $source .c).*macOS" <<<"$text" ||
                echo "$source: $text"
        done'
    assert_output ''
}
