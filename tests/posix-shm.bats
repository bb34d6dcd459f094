# The programs of posix-shm/, in the folder's order.

setup() {
    load helper
}

# A name for an object that nobody else has.
new_name() {
    name=/test.$BATS_ROOT_PID.$BATS_TEST_NUMBER.$RANDOM$RANDOM
    object=/dev/shm$name
}

teardown_file() { # names that a program has left where a test has failed
    rm -f /dev/shm/*test."$BATS_ROOT_PID".*
}

# The files of a name in /dev/shm: the object, and its semaphore.
files_of() {
    compgen -G "/dev/shm/*${1#/}*"
}

none_of() {
    ! files_of "$1"
}

# As traced, but expects a status. Then $output is what the program said on
# stdout, and $stderr the rest.
logged() { # STATUS CALLS [OPTIONS OF STRACE] COMMAND
    traced "trace=$2" "${@:3}"
    stderr=$output
    output=$(<"$BATS_TEST_TMPDIR/out")
    [[ $status == "$1" ]] ||
        fail_run "$OWN: $(in_words "$status"), not $1" "${@:3}"
}

# --- shm-hello

@test "shm-hello: Parent finds by its name what Child has made, and reads it" {
    logged 0 open,openat,ftruncate,fallocate,mmap,unlink,unlinkat -y shm-hello
    assert_output 'Parent read: Hello from child process!'
    assert_equal "$stderr" ''
    accept_log '
        NR == 1 { parent = $1 }
        /"\/dev\/shm\// && / open(at)?\(/ && !/ = -1 / {
            match($0, /"[^"]*"/)
            name[$1] = substr($0, RSTART, RLENGTH)
            if ($1 == parent) next
            if (!/O_CREAT/ || !/O_EXCL/) print "Child may open an old one: " $0
            if (!/ 0600\)/) print "the mode is not 0600: " $0
        }
        / (ftruncate|fallocate)\(.*<\/dev\/shm\/.* = 0/ { sized[$1] = 1 }
        / mmap\(.*MAP_SHARED.*<\/dev\/shm\/.* = 0x/ {
            if (++mapped[$1] && $1 != parent) {
                child = $1
                if (!sized[$1]) print "Child maps it before it has a size"
            }
        }
        / unlink(at)?\(.*"\/dev\/shm\/.* = 0/ { gone = 1 }
        END {
            if (!mapped[child]) print "Child does not map it MAP_SHARED"
            if (!mapped[parent]) print "Parent does not map it MAP_SHARED"
            if (!name[child] || name[child] != name[parent])
                print "Child opened " name[child] ", Parent " name[parent]
            if (!gone) print "the name is not removed"
        }'
}

@test "shm-hello --no-truncate: Child's SIGBUS is reported by Parent" {
    traced trace=ftruncate,fallocate,exit_group shm-hello --no-truncate
    assert_failure 1
    assert_output --regexp 'Child .*SIGBUS.* 0 bytes'
    accept_log '
        / (ftruncate|fallocate)\(/ { print "the object gets a size: " $0 }
        /killed by SIGBUS/ { n++ }
        END { if (n != 1) print n + 0 " killed by SIGBUS, not 1" }'
    assert_equal "$(<out)" ''
}

@test "shm-hello: where no memory is left, SIGBUS is not blamed on the size" {
    requires strace
    run -1 strace -f -qq -o /dev/null -e trace=ftruncate \
        -e inject=ftruncate:retval=0 shm-hello # it gets none, as if full
    assert_output --regexp 'SIGBUS.*/dev/shm'
    refute_output --partial '0 bytes'
}

# --- shm-sem

# Starts a Reader under strace; it waits when this returns.
start_reader() {
    requires strace
    log=$BATS_TEST_TMPDIR/log
    strace -qq -o "$log" -e trace=?open,openat,futex shm-sem read "$name" \
        >"$BATS_TEST_TMPDIR/out" 3>&- &
    reader=$!
    wait_until grep -q 'futex(.*FUTEX_WAIT' "$log"
}

@test "shm-sem: Reader reads what Writer has stored" {
    logged 0 open,openat,link,linkat shm-sem
    assert_output 'Reader read: Hello from Writer!'
    assert_equal "$stderr" ''
    # Object and semaphore are two, with two names, each for one user.
    accept_log '
        / = -1 / || !/"\/dev\/shm\// { next }
        / open(at)?\(/ && /O_CREAT/ {
            split($0, part, "\"")
            made[part[2]] = 1
            if (!/ 0600\)/) print "the mode is not 0600: " $0
        }
        / link(at)?\(/ { # a semaphore of glibc
            split($0, part, "\"")
            delete made[part[2]]
            sub(/\/sem\./, "/", part[4])
            if (made[part[4]]) print "the two share a name: " part[4]
            made[part[4]] = 1
        }
        END {
            for (name in made) n++
            if (n != 2) print n + 0 " are made, not 2"
        }'
}

@test "shm-sem read: waits in the semaphore until somebody writes" {
    new_name
    token="$RANDOM two  words $RANDOM"
    start_reader
    assert_equal "$(<"$BATS_TEST_TMPDIR/out")" ''
    refute grep 'futex(.*FUTEX_WAIT[^,]*PRIVATE' "$log"
    run -0 shm-sem write "$name" "$token"
    assert_ends 0 "$reader"
    assert_equal "$(<"$BATS_TEST_TMPDIR/out")" "Reader read: $token"
    assert none_of "$name"
}

@test "shm-sem write: the message waits, for its user alone, until it is read" {
    new_name
    token=$RANDOM$RANDOM
    umask 0
    run -0 shm-sem write "$name" "$token"
    assert_equal "$output" ''
    assert grep -qa "^$token" "$object"
    mapfile -t files < <(files_of "$name")
    assert_equal "$(stat -c %a "${files[@]}")" $'600\n600'
    run -0 shm-sem read "$name"
    assert_output "Reader read: $token"
    assert none_of "$name"
}

@test "shm-sem: 16 messages in a row, whichever role is first" {
    new_name
    # shellcheck disable=SC2016
    USUAL=20 run -0 bash -c 'for i in {1..8}; do
            shm-sem write "$1" "message $i" &
            shm-sem read "$1"
            wait
            shm-sem read "$1" &
            shm-sem write "$1" "message $i"
            wait
        done | sort | uniq -c | grep -c "2 Reader read: message"' bash "$name"
    assert_output 8
}

@test "shm-sem write: 4095 bytes arrive whole, one more is refused" {
    new_name
    token=$(printf '%04095d' $RANDOM)
    run -2 shm-sem write "$name" "${token}0"
    assert none_of "$name"
    run -0 shm-sem write "$name" "$token"
    run -0 shm-sem read "$name"
    assert_output "Reader read: $token"
}

@test "shm-sem read: what somebody has stored cannot change the terminal" {
    new_name
    run -0 shm-sem write "$name" $'a\e]0;b\ac'
    run -0 shm-sem read "$name"
    assert_output 'Reader read: a?]0;b?c'
}

@test "shm-sem --init-1: Reader does not wait, and finds nothing" {
    traced trace=open,openat,futex shm-sem --init-1
    assert_failure 1
    assert_output --partial 'no message'
    assert_equal "$(<out)" ''
    accept_log '
        /"\/dev\/shm\/.*O_CREAT.* = [0-9]/ { n++ }
        /FUTEX_WAIT[^V]/ { print "somebody waits: " $0 }
        END { if (n < 2) print n + 0 " are made, not 2" }'
}

# --- mmap-modes

@test "mmap-modes: only MAP_SHARED shows the write, and changes the file" {
    run -0 --separate-stderr mmap-modes
    assert_line --regexp 'MAP_SHARED, +anonymous +yes +-$'
    assert_line --regexp 'MAP_PRIVATE, +anonymous +no +-$'
    assert_line --regexp 'MAP_SHARED, +of a file +yes +yes$'
    assert_line --regexp 'MAP_PRIVATE, +of a file +no +no$'
    assert_equal "$stderr" ''
}

@test "mmap-modes: Child writes to each of four mappings, the file is asked" {
    traced trace=mmap,pread64,read,pwrite64,write,fork,vfork,clone,clone3 \
        mmap-modes
    assert_success
    accept_log '
        NR == 1 { parent = $1 }
        / mmap\(NULL, [0-9]+, PROT_READ\|PROT_WRITE, / {
            mode = /MAP_PRIVATE/ ? 2 : 1
            if (!/MAP_ANONYMOUS/) mode += 2
        }
        / (clone3?|v?fork)\(/ { forked[mode] = 1 }
        $1 != parent && / p?write(64)?\([^1]/ { print "Child calls write: " $0 }
        / p?read(64)?\(.*"after!/ { found[mode] = 1 }
        END {
            for (mode = 1; mode <= 4; mode++)
                if (!forked[mode]) print "no fork after mapping " mode
            if (!found[3]) print "MAP_SHARED: the word is not in the file"
            if (found[4]) print "MAP_PRIVATE: the word is in the file"
        }'
}

@test "mmap-modes: Parent looks when Child has ended, and not before" {
    traced trace=wait4,waitid,exit_group,pread64,read mmap-modes
    assert_success
    accept_log '
        NR == 1 { parent = $1 }
        $1 != parent && / exit_group\(/ { ended++ }
        $1 == parent && /wait(4|id).* = [0-9]/ { waited++ }
        $1 == parent && / p?read(64)?\([0-9]+, "(before|after!)/ {
            if (waited < ended || waited == last)
                print "before Child has ended: " $0
            last = waited
        }
        END { if (waited != 4) print waited + 0 " children waited for, not 4" }'
}

# --- mmap-file

@test "mmap-file: its own file is mapped, counted and reversed" {
    logged 0 mmap mmap-file
    assert_output --regexp '\b22 bytes, 3 lines'
    assert_output --partial '.drawer.devil.desserts'
    assert_output --partial 'stressed.lived.reward.'
    assert_equal "$stderr" ''
    assert grep -qE 'mmap\(NULL, 22, .*PROT_WRITE, MAP_PRIVATE, [0-9]' log
}

@test "mmap-file FILE: as many bytes and lines as wc counts" {
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016
    run -0 bash -c '
        for size in 0 1 48 49 4094 4095 4096 100000; do
            { echo; head -c "$size" /dev/urandom; } >file
            read -r lines bytes < <(wc -lc <file)
            mmap-file file | grep -q "\b$bytes bytes, $lines lines" ||
                echo "$size: $lines lines"
        done'
    assert_output ''
}

@test "mmap-file FILE: is reversed in memory, and the file stays as it is" {
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016
    run -0 bash -c '
        for size in 1 2 47 48 49 4096 10000; do
            tr -dc a-z </dev/urandom | head -c $size >file
            cp file copy
            mmap-file file >out || echo "$size: status $?"
            for text in "$(perl -ne "print scalar reverse" file)" "$(<file)"; do
                more=
                ((size <= 48)) || more=" ..."
                grep -qF " ${text:0:48}$more" out ||
                    echo "$size: no ${text:0:48}"
            done
            cmp file copy
        done'
    assert_output ''
}

@test "mmap-file FILE: it is not read, but mapped" {
    cd "$BATS_TEST_TMPDIR"
    seq 1000 >file
    requires strace
    run -0 strace -qq -o log -P file mmap-file file
    accept_log '
        / ?(read|readv|preadv|lseek)\(/ { print }
        /mmap\(NULL, 3893, PROT_READ\|PROT_WRITE, MAP_PRIVATE, / { mapped = 1 }
        END { if (!mapped) print "it is never mapped" }'
}

@test "mmap-file: what cannot be an array is refused at once, and named" {
    cd "$BATS_TEST_TMPDIR"
    mkfifo fifo
    : >empty
    truncate -s $(((1 << 26) + 1)) large
    # shellcheck disable=SC2016
    run -0 bash -c '
        why="is not a regular file of 1 to 67108864 bytes"
        for what in . fifo /dev/zero empty large nosuch; do
            [[ $what != nosuch ]] || why="No such file"
            said=$(timeout 2 mmap-file $what 2>&1)
            status=$?
            [[ $status == 1 && $said == *"$what"*"$why"* ]] ||
                echo "$what: status $status: $said"
        done'
    assert_output ''
    truncate -s $((1 << 26)) large
    run -0 mmap-file large
    assert_line --partial "$((1 << 26)) bytes, 0 lines"
}

# --- shm-mutex

@test "shm-mutex: Child 2 is told that the owner is dead, and repairs all" {
    run -0 --separate-stderr shm-mutex
    assert_output - <<-'END'
	Child 1 is half done: free 9 + taken 0 = 9
	Parent: Child 1 was killed inside
	Child 2 gets EOWNERDEAD: free 9 + taken 0 = 9
	Child 2 has repaired it: free 10 + taken 0 = 10
	Child 2 takes a seat: free 9 + taken 1 = 10
	Child 3 takes a seat: free 8 + taken 2 = 10
	END
    assert_equal "$stderr" ''
}

@test "shm-mutex: Child 1 is really killed, and the memory is really shared" {
    traced trace=mmap,exit_group shm-mutex
    assert_success
    accept_log '
        / mmap\(.*PROT_READ\|PROT_WRITE, MAP_SHARED(\||, [0-9])/ { shared = 1 }
        / exit_group\(/ { ended++ }
        /killed by SIGKILL/ {
            killed++
            if (ended) print "Child 1 is not the first to end"
        }
        END {
            if (!shared) print "no memory is shared"
            if (killed != 1) print killed + 0 " killed by SIGKILL, not 1"
            if (ended != 3) print ended + 0 " end by themselves, not 3"
        }'
}

@test "shm-mutex --no-robust: Child 2 waits for a dead owner, and Parent says so" {
    began=$EPOCHREALTIME
    logged 124 futex,exit_group shm-mutex --no-robust
    assert_regex "$stderr" 'stuck: Child 2 .*owner'
    assert [ $((${EPOCHREALTIME/./} - ${began/./})) -ge 900000 ]
    assert_output - <<-'END'
	Child 1 is half done: free 9 + taken 0 = 9
	Parent: Child 1 was killed inside
	END
    # PTHREAD_PROCESS_SHARED: or the lock is not one lock for the two.
    accept_log '
        / futex\(.*FUTEX_WAIT/ { asleep[$1] = 1 }
        / futex\(.*FUTEX_[A-Z_]*PRIVATE/ { print "for one process alone: " $0 }
        /killed by SIGALRM/ { if (asleep[$1]) n++ }
        END { if (n != 1) print n + 0 " sleep there until SIGALRM, not 1" }'
}

# The two rings: one Producer, many Consumers.

# Runs a ring with many numbers of Consumers, slots and items, on all cores and
# on one; prints what is not exact.
# shellcheck disable=SC2153 # CORES is exported
is_exact() {
    local consumers slots items cores said
    while read -r consumers slots items; do
        for cores in "$CORES" "$CORE"; do
            said=$(taskset -c "$cores" "$1" --consumers "$consumers" \
                --slots "$slots" --items "$items" 2>&1)
            [[ $said == *" $items items, 0 twice, 0 never" ]] ||
                echo "$consumers Consumers, $slots slots: $said"
        done
    done <<-'END'
	1 1 1
	1 7 1023
	3 1 1023
	3 2 1023
	3 1024 1
	8 2 1
	8 7 1023
	8 1024 1023
	END
}

# Starts a ring, and stops its Producer, which is the last or the first of the
# processes, in the middle: of a few items if that is quick enough, else of the
# most that it takes. Sets $parent, $producer and $consumers.
start_ring() { # FIRST-OR-LAST ITEMS MOST COMMAND
    local which=$1 items=$2 most=$3 children
    shift 3
    for _ in {1..10}; do
        # On a busy machine it may take longer than its alarm allows.
        env --ignore-signal=ALRM "$@" --items "$items" \
            >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
        parent=$!
        children=()
        while ((${#children[@]} < 5)) && kill -0 $parent 2>/dev/null; do
            read -ra children <"/proc/$parent/task/$parent/children" || true
        done 2>/dev/null
        producer=${children[4]-}
        consumers=("${children[@]:0:4}")
        if [[ $which == first ]]; then
            producer=${children[0]-}
            consumers=("${children[@]:1}")
        fi
        kill -STOP "$producer" 2>/dev/null && wait_until is_stopped_or_gone &&
            grep -qs '^State:.T' "/proc/$producer/status" && return
        wait $parent || true # it was quicker
        items=$most
    done
    fail "could not stop a Producer in the middle"
}

is_stopped_or_gone() {
    ! grep -qs '^State:.[^TZX]' "/proc/$producer/status"
}

all_asleep() {
    local pids=("${@/#//proc/}")
    ! grep -L '^State:.S' "${pids[@]/%//status}" 2>&1 | grep -q .
}

# What processes have used of a CPU, and how often they have left it.
busy() {
    local pids=("${@/#//proc/}")
    cut -d ' ' -f 14,15 "${pids[@]/%//stat}"
    grep -h ctxt "${pids[@]/%//status}"
}

# Whether processes sleep, and have done nothing for a moment.
are_idle() {
    local before
    before=$(busy "$@")
    read -rt 0.05 <> <(:) || true
    all_asleep "$@" && [[ $(busy "$@") == "$before" ]]
}

# A process that finds nothing to do sleeps, and goes on when there is more.
assert_idle() { # FIRST-OR-LAST ITEMS MOST COMMAND
    local before
    start_ring "$@"
    wait_until are_idle "${consumers[@]}"
    before=$(busy "${consumers[@]}")
    read -rt 0.3 <> <(:) || true # there is nothing to wait for but time
    assert_equal "$(busy "${consumers[@]}")" "$before"
    kill -CONT "$producer"
    USUAL=20 assert_ends 0 "$parent"
    run -0 cat "$BATS_TEST_TMPDIR/out"
    assert_output --partial ' 0 twice, 0 never'
}

# Producer fills the ring, while the Consumers are stopped, and sleeps then.
assert_full() { # FIRST-OR-LAST ITEMS MOST COMMAND
    start_ring "$@"
    kill -STOP "${consumers[@]}"
    kill -CONT "$producer"
    wait_until are_idle "$producer" 2>/dev/null ||
        fail "$OWN: the ring is full, and Producer does not sleep"
    kill -CONT "${consumers[@]}"
    USUAL=20 assert_ends 0 "$parent"
    run -0 cat "$BATS_TEST_TMPDIR/out"
    assert_output --partial ' 0 twice, 0 never'
}

# --- ringbuffer

@test "ringbuffer: three processes share a ring, and sleep in its semaphores" {
    logged 0 mmap,futex,exit_group ringbuffer --slots 1
    assert_output 'Parent: 1000 items, 0 twice, 0 never'
    assert_equal "$stderr" ''
    accept_log '
        / mmap\(.*PROT_READ\|PROT_WRITE, MAP_SHARED(\||, [0-9])/ { shared = 1 }
        / futex\(.*FUTEX_[A-Z_]*PRIVATE/ { print "for one process alone: " $0 }
        / futex\(.*FUTEX_WAIT/ { asleep++ }
        / exit_group\(/ { ended++ }
        END {
            if (!shared) print "no memory is shared"
            if (!asleep) print "nobody ever sleeps"
            if (ended != 4) print ended + 0 " processes, not 4"
        }'
}

@test "ringbuffer: exact for 1 to 8 Consumers and 1 to 1024 slots" {
    requires taskset util-linux
    export -f is_exact
    USUAL=12 run -0 bash -c 'is_exact ringbuffer'
    assert_output ''
}

@test "ringbuffer: exact, whichever process runs first after a post" {
    requires taskset util-linux
    cd "$BATS_TEST_TMPDIR"
    make_preload yield.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <sched.h>
	#include <semaphore.h>
	#include <unistd.h>

	int sem_post(sem_t *sem) /* one is soon done, another one late */
	{
	    static unsigned n;
	    int (*next)(sem_t *) = dlsym(RTLD_NEXT, "sem_post");
	    int result = next(sem);

	    n = n * 5 + (unsigned)getpid();
	    for (unsigned i = n % 16; i > 0; i--)
	        sched_yield();
	    return result;
	}
	END
    for slots in 1 2; do
        # On a busy machine it may take longer than its alarm allows.
        USUAL=15 run -0 env --ignore-signal=ALRM LD_PRELOAD="$PWD/yield.so" \
            taskset -c "$CORE" ringbuffer --slots $slots --items 300
        assert_output 'Parent: 300 items, 0 twice, 0 never'
    done
}

# A lock that starts at 2 may go well for a long time.
@test "ringbuffer: at first no slot is filled, and one Consumer has the lock" {
    cd "$BATS_TEST_TMPDIR"
    make_preload init.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <semaphore.h>
	#include <stdio.h>

	int sem_init(sem_t *sem, int shared, unsigned value)
	{
	    int (*next)(sem_t *, int, unsigned) = dlsym(RTLD_NEXT, "sem_init");

	    dprintf(2, "starts at %u%s\n", value, shared ? "" : ", for itself alone");
	    return next(sem, shared, value);
	}
	END
    run -0 env LD_PRELOAD="$PWD/init.so" ringbuffer --slots 5 --consumers 3
    assert_equal "$(grep starts <<<"$output" | sort)" 'starts at 0
starts at 1
starts at 5'
}

@test "ringbuffer --items 50000: not one of them is lost" {
    USUAL=12 run -0 ringbuffer --items 50000 --consumers 4
    assert_output 'Parent: 50000 items, 0 twice, 0 never'
}

@test "ringbuffer --no-lock: items are taken twice, or never, in each run" {
    requires taskset util-linux
    # shellcheck disable=SC2016
    USUAL=20 run -0 bash -c '
        for i in {1..4}; do
            for cores in $CORE $CORES; do
                said=$(taskset -c $cores ringbuffer --no-lock 2>&1)
                (($? == 1)) &&
                    grep -q " [1-9].* twice, [1-9].* never$" <<<"$said" ||
                    echo "run $i on $cores: $said"
            done
        done'
    assert_output ''
}

@test "ringbuffer --no-lock: where only one Consumer fits in, all goes well" {
    run -0 ringbuffer --no-lock --slots 1
}

@test "ringbuffer: idle Consumers use no CPU, and wake up when there is more" {
    assert_idle last 20000 100000 ringbuffer --consumers 4
}

@test "ringbuffer: Producer sleeps while the ring is full, and then goes on" {
    assert_full last 20000 100000 ringbuffer --consumers 4
}

# --- ringbuffer-lockfree

@test "ringbuffer-lockfree: it is shared, and asks for membarriers" {
    # Few items: on a busy machine each waits for its turn of a core.
    USUAL=20 logged 0 mmap,futex,membarrier,exit_group \
        ringbuffer-lockfree --slots 1 --items 100
    assert_output 'Parent: 100 items, 0 twice, 0 never'
    assert_equal "$stderr" ''
    accept_log '
        / mmap\(.*PROT_READ\|PROT_WRITE, MAP_SHARED(\||, [0-9])/ { shared = 1 }
        / futex\(.*FUTEX_[A-Z_]*PRIVATE/ { print "for one process alone: " $0 }
        / membarrier\(MEMBARRIER_CMD_REGISTER/ { registered = 1 }
        / exit_group\(/ { ended++ }
        END {
            if (!shared) print "no memory is shared"
            if (!registered) print "Producer does not ask for membarriers"
            if (ended != 4) print ended + 0 " processes, not 4"
        }'
}

@test "ringbuffer-lockfree: exact for 1 to 8 Consumers and 1 to 1024 slots" {
    requires taskset util-linux
    export -f is_exact
    USUAL=12 run -0 bash -c 'is_exact ringbuffer-lockfree'
    assert_output ''
}

@test "ringbuffer-lockfree --items 1000000: not one of a million is lost" {
    # On a busy machine they may take longer than the alarm allows.
    cd "$BATS_TEST_TMPDIR"
    make_preload no-alarm.so <<<'unsigned alarm(unsigned s) { return s * 0; }'
    for slots in 96 1024; do
        USUAL=60 run -0 env LD_PRELOAD="$PWD/no-alarm.so" ringbuffer-lockfree \
            --items 1000000 --consumers 4 --slots $slots
        assert_output 'Parent: 1000000 items, 0 twice, 0 never'
    done
}

@test "ringbuffer-lockfree: exact without membarrier, with a fence an item" {
    requires strace
    USUAL=12 run -0 strace -f -qq -o /dev/null -e trace=membarrier \
        -e inject=membarrier:error=ENOSYS \
        ringbuffer-lockfree --items 100000 --consumers 4 --slots 1024
    assert_output 'Parent: 100000 items, 0 twice, 0 never'
}

@test "ringbuffer-lockfree: the kernel is asked once for many items" {
    USUAL=30 traced trace=futex,membarrier \
        ringbuffer-lockfree --items 100000 --consumers 4 --slots 1024
    assert_success
    accept_log 'END { if (NR >= 10000) print NR " calls for 100000 items" }'
}

@test "ringbuffer-lockfree: where all Consumers sleep, each item wakes one" {
    cd "$BATS_TEST_TMPDIR"
    mkfifo gate.0 gate.1
    make_preload gate.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <errno.h>
	#include <fcntl.h>
	#include <linux/futex.h>
	#include <stdarg.h>
	#include <stdio.h>
	#include <sys/syscall.h>
	#include <unistd.h>

	static int forks, waits, wakes, producer;
	static long last;

	static void wait_at(const char *gate)
	{
	    alarm(10);
	    close(open(gate, O_RDONLY));
	}

	pid_t fork(void) /* the first child is Producer */
	{
	    pid_t (*next)(void) = dlsym(RTLD_NEXT, "fork");
	    pid_t child = next();

	    producer = forks++ == 0 && child == 0;
	    if (producer)
	        wait_at("gate.0");
	    return child;
	}

	/* Producer goes on after its first wake-up when Consumer sleeps again.
	 * Where Consumer would sleep for the first time, it is told that there is
	 * more: then it must not count as one that sleeps. */
	long syscall(long call, ...)
	{
	    long (*next)(long, ...) = dlsym(RTLD_NEXT, "syscall");
	    va_list list;
	    long arg[4], result;

	    va_start(list, call);
	    for (int i = 0; i < 4; i++)
	        arg[i] = va_arg(list, long);
	    va_end(list);
	    if (!producer && call == SYS_futex && (int)arg[1] == FUTEX_WAIT) {
	        if (last != SYS_membarrier)
	            dprintf(2, "a Consumer sleeps, and has made no membarrier\n");
	        if (waits++ == 0) {
	            errno = EAGAIN;
	            return -1;
	        }
	    }
	    last = call;
	    result = next(call, arg[0], arg[1], arg[2], arg[3]);
	    if (producer && call == SYS_futex && (int)arg[1] == FUTEX_WAKE) {
	        dprintf(2, "Producer wakes %ld\n", result);
	        if (wakes++ == 0)
	            wait_at("gate.1");
	    }
	    return result;
	}
	END
    LD_PRELOAD="$PWD/gate.so" \
        ringbuffer-lockfree --consumers 1 --items 2 >out 2>err 3>&- &
    parent=$!
    children=()
    while ((${#children[@]} < 2)) && kill -0 $parent; do
        read -ra children <"/proc/$parent/task/$parent/children" || true
    done
    wait_until sleeps_or_has_ended "${children[1]}"
    run -0 sh -c ': >gate.0' # for item 0
    wait_until grep -q 'Producer wakes' err
    wait_until sleeps_or_has_ended "${children[1]}"
    run -0 sh -c ': >gate.1' # for item 1
    assert_ends 0 $parent
    run -0 cat out err
    # The last one is for a Consumer that must see the end.
    assert_output --regexp "^Parent: 2 items, 0 twice, 0 never
Producer wakes 1
Producer wakes 1
Producer wakes [01]\$"
}

sleeps_or_has_ended() {
    process_ended "$1" || are_idle "$1" 2>/dev/null
}

@test "ringbuffer-lockfree: idle Consumers use no CPU, and wake up again" {
    assert_idle first 100000 1000000 \
        ringbuffer-lockfree --consumers 4 --slots 64
}

@test "ringbuffer-lockfree: Producer sleeps while the ring is full" {
    assert_full first 100000 1000000 \
        ringbuffer-lockfree --consumers 4 --slots 64
}

# --- shm-offsets

@test "shm-offsets: Child reads Parent's list, and adds a word to it" {
    run -0 --separate-stderr shm-offsets
    assert_output - <<-'END'
	Parent reads: offsets hold
	Child has mapped the list at another address
	Child reads: offsets hold
	Parent reads: everywhere offsets hold
	END
    assert_equal "$stderr" ''
}

@test "shm-offsets: the two map one object, at two addresses" {
    traced trace=mmap,munmap,mprotect,mremap -y shm-offsets
    assert_success
    accept_log '
        NR == 1 { parent = $1 }
        / mmap\(.*MAP_SHARED, [0-9]+<\/dev\/shm\/.* = 0x/ {
            who = $1 == parent ? "Parent" : "Child"
            address[who] = $NF
            match($0, /<[^>]*>/)
            object[who] = substr($0, RSTART, RLENGTH)
            sub(/ \(deleted\)/, "", object[who])
        }
        END {
            if (!address["Parent"]) print "Parent maps no object"
            if (!address["Child"]) print "Child maps no object"
            if (object["Parent"] != object["Child"])
                print "they map two objects"
            if (address["Parent"] == address["Child"])
                print "both at " address["Parent"]
        }'
}

@test "shm-offsets: the object is new, private, and nameless before the fork" {
    traced trace=open,openat,unlink,unlinkat,fork,vfork,clone,clone3 shm-offsets
    assert_success
    accept_log '
        /"\/dev\/shm\// && / open(at)?\(/ && /O_CREAT/ {
            made++
            if (!/O_EXCL/) print "what is there is taken: " $0
            if (!/ 0600\)/) print "the mode is not 0600: " $0
        }
        / unlink(at)?\(.*"\/dev\/shm\/.* = 0/ { gone++ }
        / (clone3?|v?fork)\(/ && gone < made { print "Child is made too early" }
        END {
            if (made != 1 || gone != 1)
                print made + 0 " made, " gone + 0 " removed"
        }'
}

@test "shm-offsets --pointers: Child's SIGSEGV is reported by Parent" {
    logged 1 mmap,exit_group shm-offsets --pointers
    assert_regex "$stderr" 'Child .*SIGSEGV.*Parent'
    refute_output --partial 'Child reads: offsets'
    assert_equal "$(grep -c 'killed by SIGSEGV' log)" 1
}

# --- shm-config

@test "shm-config: of 10000 changes no Worker sees half of one" {
    logged 0 mmap,exit_group shm-config
    assert_output 'Parent: 10000 changes, 0 torn reads'
    assert_equal "$stderr" ''
    accept_log '
        / mmap\(.*PROT_READ\|PROT_WRITE, MAP_SHARED(\||, [0-9])/ { shared = 1 }
        / exit_group\(0/ { ended++ }
        END {
            if (!shared) print "no memory is shared"
            if (ended != 4) print ended + 0 " processes, not 4"
        }'
}

@test "shm-config: nobody looks while Parent is in the middle of a change" {
    requires taskset util-linux
    cd "$BATS_TEST_TMPDIR"
    # Every 100th change takes long.
    make_preload slow.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <pthread.h>
	#include <sched.h>
	#include <stdarg.h>
	#include <stdio.h>

	static int slow(char *s, size_t size, const char *format, va_list args)
	{
	    static int calls;

	    for (int i = 0; calls % 100 == 0 && i < 10; i++)
	        sched_yield();
	    calls++;
	    return vsnprintf(s, size, format, args);
	}

	int snprintf(char *s, size_t size, const char *format, ...)
	{
	    va_list args;

	    va_start(args, format);
	    return slow(s, size, format, args);
	}

	int __snprintf_chk(char *s, size_t size, int flag, size_t room,
	                   const char *format, ...)
	{
	    va_list args;

	    va_start(args, format);
	    return slow(s, size, format, args);
	}
	END
    # Made slow, it may take longer than its alarm allows on a busy machine.
    for cores in "$CORES" "$CORE"; do
        USUAL=15 run -0 taskset -c "$cores" env --ignore-signal=ALRM \
            LD_PRELOAD="$PWD/slow.so" shm-config
        assert_output 'Parent: 10000 changes, 0 torn reads'
    done
}

# Fails unless a command ends with a status and such a line, in each of 12 runs.
assert_each_run() { # STATUS PATTERN COMMAND
    requires taskset util-linux
    # shellcheck disable=SC2016
    USUAL=20 run -0 bash -c '
        for i in {1..6}; do
            for cores in $CORE $CORES; do
                said=$(taskset -c $cores "${@:3}" 2>/dev/null)
                [[ $? == "$1" ]] && grep -qE "$2" <<<"$said" ||
                    echo "run $i on $cores: $said"
            done
        done' each "$@"
    assert_output ''
}

@test "shm-config --no-lock: torn reads are counted, in each run" {
    assert_each_run 1 '^Parent: 10000 changes, [1-9][0-9]* torn reads$' \
        shm-config --no-lock
}

# --- shm-settings

# Starts a server with a name of its own, and waits until it serves.
start_server() {
    new_name
    log=$BATS_TEST_TMPDIR/log
    env --default-signal shm-settings serve "$name" >"$log" 2>&1 3>&- &
    server=$!
    wait_until serves
    read -ra workers <"/proc/$server/task/$server/children" || true
}

serves() {
    local children=()
    read -ra children <"/proc/$server/task/$server/children" || true
    ((${#children[@]} == 3)) && are_idle "${children[@]}"
} 2>/dev/null

# Whether that many lines of the server's Workers match.
said() { # TIMES REGULAR EXPRESSION
    [[ $(grep -cE "$2" "$log") == "$1" ]]
}

is_asleep() {
    all_asleep "$1" 2>/dev/null
}

end_server() {
    kill -TERM "$server"
    assert_ends 143 "$server"
    assert_not_exists "$object"
}

@test "shm-settings: the Workers see what is set, one after the other" {
    run -0 --separate-stderr shm-settings
    assert_output - <<-'END'
	Worker 1: verbosity 3, timeout 30, limit 100
	Worker 2: verbosity 3, timeout 30, limit 100
	Worker 3: verbosity 3, timeout 30, limit 100
	Set: verbosity is 3, and each Worker has seen it
	Worker 1: verbosity 3, timeout 60, limit 100
	Worker 2: verbosity 3, timeout 60, limit 100
	Worker 3: verbosity 3, timeout 60, limit 100
	Set: timeout is 60, and each Worker has seen it
	END
    assert_equal "$stderr" ''
}

@test "shm-settings: four processes speak, and their object has no name" {
    calls=open,openat,unlink,unlinkat,fork,vfork,clone,clone3,mmap,write,fcntl
    traced trace=$calls -y shm-settings
    assert_success
    accept_log '
        /"\/dev\/shm\// && / open(at)?\(/ && /O_CREAT/ {
            made++
            if (!/O_EXCL/) print "what is there is taken: " $0
            if (!/ 0600\)/) print "the mode is not 0600: " $0
        }
        / mmap\(.*MAP_SHARED, [0-9]+<\/dev\/shm\// { mapped = 1 }
        / fcntl\(.*F_SETLKW, .*F_WRLCK/ { locked = 1 }
        / unlink(at)?\(.*"\/dev\/shm\/.* = 0/ { gone++ }
        / (clone3?|v?fork)\(/ && !gone { print "a Worker is made too early" }
        / write\(1.*"(Worker .|Set)/ {
            split($0, part, "\"")
            who = substr(part[2], 1, index(part[2], ":") - 1)
            if (by[who] && by[who] != $1 || is[$1] && is[$1] != who)
                print "another process says: " part[2]
            by[who] = $1
            is[$1] = who
        }
        END {
            if (made != 1 || !mapped) print "no object is made and mapped"
            if (!locked) print "Set does not lock the object"
            for (who in by) n++
            if (n != 4) print n + 0 " processes speak, not 4"
        }'
}

@test "shm-settings set: each Worker of a running server sees it once" {
    umask 0
    start_server
    token=$RANDOM$RANDOM
    # shellcheck disable=SC2016
    run -0 --separate-stderr bash -c '
        shm-settings set "$1" timeout "$2"
        shm-settings set "$1" verbosity loud
        shm-settings set "$1" limit "0$2"' each "$name" "$token"
    assert_output - <<-END
	Set: timeout is $token, and each Worker has seen it
	Set: verbosity is loud, and each Worker has seen it
	Set: limit is 0$token, and each Worker has seen it
	END
    assert_equal "$stderr" ''
    for n in 1 2 3; do
        echo "Worker $n: verbosity 1, timeout $token, limit 100"
        echo "Worker $n: verbosity loud, timeout $token, limit 100"
        echo "Worker $n: verbosity loud, timeout $token, limit 0$token"
    done | diff - <(sort -s -k 2,2 "$log")
    assert grep -qa "$token" "$object"
    assert_equal "$(stat -c '%a %u' "$object")" "600 $EUID"
    end_server
}

@test "shm-settings serve: Workers sleep as long as nothing changes" {
    start_server
    before=$(busy "${workers[@]}")
    read -rt 0.3 <> <(:) || true # there is nothing to wait for but time
    assert_equal "$(busy "${workers[@]}")" "$before"
    end_server
}

@test "shm-settings set: two at once take turns, and each is seen by all" {
    start_server
    kill -STOP "${workers[0]}"
    shm-settings set "$name" timeout 11 3>&- &
    one=$!
    wait_until is_asleep $one
    shm-settings set "$name" limit 22 3>&- &
    two=$!
    wait_until is_asleep $two
    kill -CONT "${workers[0]}"
    assert_ends 0 $one
    assert_ends 0 $two
    assert said 6 '^Worker'
    assert said 3 'timeout 11, limit 22$'
    end_server
}

@test "shm-settings set: killed while it has the lock, it holds up nobody" {
    start_server
    kill -STOP "${workers[1]}"
    shm-settings set "$name" timeout 11 3>&- &
    one=$!
    wait_until said 1 '^Worker 1: verbosity 1, timeout 11'
    kill -KILL $one
    assert_ends 137 $one
    shm-settings set "$name" timeout 12 3>&- &
    two=$!
    wait_until is_asleep $two
    kill -CONT "${workers[1]}"
    assert_ends 0 $two
    assert said 3 'timeout 11, limit 100$'
    assert said 3 'timeout 12, limit 100$'
    end_server
}

@test "shm-settings set: an unknown KEY, and more than 15 bytes, are usage" {
    start_server
    # shellcheck disable=SC2016
    run -0 bash -c '
        shm-settings set "$1" colour 3 2>&1 | grep "verbosity, timeout or limit"
        echo ${PIPESTATUS[0]}
        shm-settings set "$1" limit 1234567890123456 2>/dev/null
        echo $?
        shm-settings set "$1" limit 123456789012345' each "$name"
    assert_output --regexp $'limit, .*\n2\n2\nSet: limit is 123456789012345,'
    assert said 3 'limit 123456789012345$'
    assert said 3 '^Worker'
    end_server
}

@test "shm-settings: what is no object of these settings is left alone" {
    new_name
    # shellcheck disable=SC2016
    run -0 bash -c '
        shm-settings set "$1" limit 3
        echo $?
        (umask 077 && echo mine >"$2")
        shm-settings serve "$1"
        echo $?
        shm-settings set "$1" limit 3
        echo $?
        cat "$2"' each "$name" "$object"
    rm -f "$object"
    assert_line --index 0 --partial "$name: No such file"
    assert_line --index 2 --partial "$name: File exists"
    assert_line --index 4 --partial "$name does not hold these settings"
    assert_output --regexp $'\n1\n.*\n1\n.*\n1\nmine$'
    start_server
    run -1 shm-settings serve "$name" # it is served
    run -0 shm-settings set "$name" limit 3
    assert said 3 'limit 3$'
    end_server
}

@test "shm-settings serve: none outlives Server, which ends with a Worker" {
    start_server
    kill -KILL "${workers[2]}"
    assert_ends 1 "$server"
    wait_until no_survivors
    assert said 1 'a Worker has died'
    assert_not_exists "$object"
    start_server
    kill -KILL "$server"
    assert_ends 137 "$server"
    wait_until no_survivors
    rm "$object"
}

@test "shm-settings: a full /dev/shm is reported, and the name removed" {
    requires unshare util-linux
    full='mount -t tmpfs -o size=4k none /dev/shm && echo full >/dev/shm/full'
    as=()
    ((EUID == 0)) || as=(--map-root-user)
    unshare "${as[@]}" --mount sh -c "$full" || skip "no mount namespace here"
    run -0 unshare "${as[@]}" --mount sh -c "$full
        shm-settings serve /x
        echo \$?
        ls /dev/shm"
    assert_output --regexp $'No space left on device\n1\nfull$'
}

# --- shm-cache

@test "shm-cache: what Worker 1 has missed, Worker 2 hits, if still there" {
    run -0 --separate-stderr shm-cache
    assert_output - <<-'END'
	Worker 1: get 1 = 100, a miss
	Worker 1: get 2 = 200, a miss
	Worker 1: get 5 = 500, a miss
	Worker 1: get 1 = 100, a miss
	Worker 2: get 1 = 100, a hit
	Worker 2: get 2 = 200, a hit
	Worker 2: get 5 = 500, a miss
	Worker 2: get 7 = 700, a miss
	Parent: 0 stale answers
	END
    assert_equal "$stderr" ''
}

@test "shm-cache: six Workers share it, each get and set takes the lock" {
    traced trace=mmap,write,exit_group shm-cache
    assert_success
    accept_log '
        NR == 1 { parent = $1 }
        / mmap\(.*PROT_READ\|PROT_WRITE, MAP_SHARED(\||, [0-9])/ { shared = 1 }
        / write\(1, "Worker/ { said[$1] = 1 }
        / exit_group\(0/ { ended++ }
        END {
            if (!shared) print "no memory is shared"
            for (pid in said) n++
            if (n != 2 || said[parent]) print n + 0 " Workers speak, not 2"
            if (ended != 7) print ended + 0 " processes, not 7"
        }'
    # Worker 3 ends the work when its 100th set is done. Until each of the six
    # has taken the lock, it waits before that.
    make_preload count.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <semaphore.h>
	#include <stdio.h>
	#include <sys/mman.h>
	#include <unistd.h>

	static int taken, given;
	static _Atomic int *workers;

	__attribute__((constructor)) static void share(void)
	{
	    workers = mmap(NULL, sizeof *workers, PROT_READ | PROT_WRITE,
	                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}

	int sem_wait(sem_t *sem)
	{
	    int (*next)(sem_t *) = dlsym(RTLD_NEXT, "sem_wait");

	    taken++;
	    if (taken == 1)
	        ++*workers;
	    for (int i = 0; taken == 199 && *workers < 6 && i < 3000; i++)
	        usleep(1000);
	    return next(sem);
	}

	int sem_post(sem_t *sem)
	{
	    int (*next)(sem_t *) = dlsym(RTLD_NEXT, "sem_post");

	    given++;
	    return next(sem);
	}

	__attribute__((destructor)) static void say(void)
	{
	    if (taken || given)
	        fprintf(stderr, "%d %d\n", taken, given);
	}
	END
    run -0 --separate-stderr env LD_PRELOAD="$PWD/count.so" shm-cache
    run -0 awk '$1 == 4 && $2 == 4 { quiet++ } # Workers 1 and 2
        $1 == 200 && $2 == 200 { sets++ }      # 100 gets, 100 sets
        $1 != $2 { print "taken and given back: " $0 }
        END { if (quiet < 2 || !sets || NR != 6) print "a lock is missing" }' \
        <<<"$stderr"
    assert_output ''
}

@test "shm-cache: at once, none of the answers is stale, in each run" {
    assert_each_run 0 '^Parent: 0 stale' shm-cache
}

@test "shm-cache --no-lock: stale answers are counted, in each run" {
    assert_each_run 1 '^Parent: [1-9][0-9]* stale' shm-cache --no-lock
}
