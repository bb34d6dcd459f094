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

# --- shm-hello

@test "shm-hello: Parent reads what Child has stored" {
    run -0 --separate-stderr shm-hello
    assert_output 'Parent read: Hello from child process!'
    assert_equal "$stderr" ''
}

@test "shm-hello: Child makes and sizes the object, Parent finds it by name" {
    traced trace=open,openat,ftruncate,fallocate,mmap,unlink,unlinkat -y \
        shm-hello
    assert_success
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
    run -0 --separate-stderr shm-sem
    assert_output 'Reader read: Hello from Writer!'
    assert_equal "$stderr" ''
    # Object and semaphore are two, with two names, each for one user.
    traced trace=open,openat,link,linkat shm-sem
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
    run grep -c 'futex(.*FUTEX_WAIT[^,]*PRIVATE' "$log"
    assert_output 0
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
    run -0 grep -ac "^$token" "$object"
    mapfile -t files < <(files_of "$name")
    run -0 stat -c %a "${files[@]}"
    assert_output $'600\n600'
    run -0 shm-sem read "$name"
    assert_output "Reader read: $token"
    assert none_of "$name"
}

@test "shm-sem: 30 messages in a row, whichever role is first" {
    new_name
    # shellcheck disable=SC2016
    LIMIT=${LIMIT:-20} run -0 bash -c 'for i in {1..15}; do
            shm-sem write "$1" "message $i" &
            shm-sem read "$1"
            wait
            shm-sem read "$1" &
            shm-sem write "$1" "message $i"
            wait
        done | sort | uniq -c | grep -c "2 Reader read: message"' bash "$name"
    assert_output 15
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
    run -0 --separate-stderr mmap-file
    assert_line --regexp '\b22 bytes, 3 lines'
    assert_line --partial '.drawer.devil.desserts'
    assert_line --partial 'stressed.lived.reward.'
    assert_equal "$stderr" ''
    traced trace=mmap mmap-file
    run -0 grep -cE 'mmap\(NULL, 22, .*PROT_WRITE, MAP_PRIVATE, [0-9]' log
    assert_output 1
}

@test "mmap-file FILE: as many bytes and lines as wc counts" {
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016
    run -0 bash -c '
        for size in 0 1 59 60 4094 4095 4096 100000; do
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
        for size in 1 2 59 60 61 4096 10000; do
            tr -dc a-z </dev/urandom | head -c $size >file
            cp file copy
            mmap-file file >out || echo "$size: status $?"
            for text in "$(perl -ne "print scalar reverse" file)" "$(<file)"; do
                more=
                ((size <= 60)) || more=" ..."
                grep -qF " ${text:0:60}$more" out ||
                    echo "$size: no ${text:0:60}"
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
    for what in . fifo /dev/zero empty large; do
        run -1 mmap-file $what
        assert_output --partial "$what is not a regular file of 1 to 67108864 "
    done
    run -1 mmap-file nosuch
    assert_output --partial 'nosuch: No such file'
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

@test "shm-mutex --no-robust: Child 2 waits for a dead owner, which is said" {
    began=$EPOCHREALTIME
    traced trace=futex,exit_group shm-mutex --no-robust
    assert_failure 124
    assert_output --regexp 'stuck: Child 2 .*owner'
    assert [ $((${EPOCHREALTIME/./} - ${began/./})) -ge 900000 ]
    run -0 cat out
    assert_output - <<-'END'
	Child 1 is half done: free 9 + taken 0 = 9
	Parent: Child 1 was killed inside
	END
    # PTHREAD_PROCESS_SHARED: or the lock is not one lock for the two.
    accept_log '
        / futex\(.*FUTEX_WAIT/ { asleep[$1] = 1 }
        / futex\(.*FUTEX_[A-Z_]*PRIVATE/ { print "for one process alone: " $0 }
        /killed by SIGALRM/ { if (asleep[$1]) n++ }
        END { if (n != 1) print n + 0 " sleep in the lock until SIGALRM, not 1" }'
}

# The two rings: one Producer, many Consumers.

# What a Producer and a Consumer are called in ps: the rings set it.
roles() {
    pgrep -P "$parent" -x "$1"
}

# Starts a ring that runs for long; sets $parent, $producer and $consumers.
start_ring() {
    "$@" >/dev/null 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
    parent=$!
    wait_until roles producer
    wait_until roles consumer
    producer=$(roles producer)
    mapfile -t consumers < <(roles consumer)
}

# All have ended, and the ring with a status.
ends() {
    local status=0
    wait_until no_survivors
    wait "$parent" 2>/dev/null || status=$?
    assert_equal "$status" "$1"
}

# The time that the Consumers have spent on a CPU, in ticks.
cpu_time() {
    for pid in "${consumers[@]}"; do
        cat "/proc/$pid/stat"
    done | awk '{ sub(/.*\) /, ""); sum += $12 + $13 } END { print sum }'
}

all_asleep() {
    for pid in "${consumers[@]}"; do
        grep -q '^State:.S' "/proc/$pid/status" || return
    done
}

# How often the Consumers have left a CPU: a tick is long, this is exact.
switches() {
    for pid in "${consumers[@]}"; do
        cat "/proc/$pid/status"
    done | awk '/ctxt_switches/ { sum += $2 } END { print sum }'
}

more_switches_than() {
    (($(switches) > $1))
}

# Runs a ring with many numbers of Consumers, slots and items; prints what it
# says when it is not exact, and stops.
is_exact() {
    for consumers in 1 2 3 4 8; do
        for slots in 1 2 3 7 8 64 100 1000 1024; do
            for items in 1 2 100 1023; do
                said=$("${@:2}" "$1" --consumers $consumers --slots $slots \
                    --items $items 2>&1)
                [[ $said == *"$items items, each taken once, in order" ]] && continue
                echo "$consumers Consumers, $slots slots, $items items: $said"
                return
            done
        done
    done
}

@test "ringbuffer: each item is taken once, in order" {
    run -0 --separate-stderr ringbuffer
    assert_line --partial '1000 items, each taken once, in order'
    assert_equal "$stderr" ''
}

@test "ringbuffer: exact for 1 to 8 Consumers and 1 to 1024 slots, odd ones too" {
    export -f is_exact
    LIMIT=60 run -0 bash -c 'is_exact ringbuffer'
    assert_output ''
}

@test "ringbuffer: exact on one core, too" {
    requires taskset util-linux
    export -f is_exact
    LIMIT=60 run -0 bash -c 'is_exact ringbuffer taskset -c $CORE'
    assert_output ''
}

@test "ringbuffer --items 1000000: not one of a million is lost" {
    LIMIT=60 run -0 ringbuffer --items 1000000 --consumers 4 --slots 100
    assert_line --partial '1000000 items, each taken once, in order'
}

@test "ringbuffer --no-lock: items are taken twice, or never, 20 times of 20" {
    run -1 ringbuffer --no-lock
    assert_line --regexp '[1-9][0-9]* .*twice.* [1-9][0-9]* never'
    refute_output --partial 'each taken once'
    LIMIT=60 run -0 bash -c '
        for i in {1..10}; do
            for cores in $CORE $CORES; do
                taskset -c $cores ringbuffer --no-lock
                (($? == 1)) || echo "run $i on $cores went well"
            done
        done 2>/dev/null'
    assert_output ''
}

@test "ringbuffer --no-lock --slots 1: where only one fits, no lock is needed" {
    run -0 ringbuffer --no-lock --slots 1
}

@test "ringbuffer: idle Consumers use no CPU, and wake up when there is more" {
    start_ring ringbuffer --items 100000000 --consumers 4
    kill -STOP "$producer"
    wait_until all_asleep
    before=$(cpu_time)
    switches=$(switches)
    read -rt 1 <> <(:) || true
    assert_equal "$(cpu_time)" "$before"
    kill -CONT "$producer"
    wait_until more_switches_than "$switches"
    kill -KILL "$parent"
    ends 137
}

@test "ringbuffer: a Consumer is killed at any moment: the others end" {
    # shellcheck disable=SC2016
    run -0 bash -c '
        for i in {1..20}; do
            ringbuffer --items 100000000 --consumers 4 2>&1 &
            until pid=$(pgrep -n -P $! -x consumer); do
                kill -0 $! || exit
            done
            for ((j = 0; j < 50 * i; j++)); do
                : # another moment each time
            done
            kill -KILL $pid
            wait $!
            echo "status $?"
        done'
    assert_line --partial 'Consumer has died'
    refute_line --regexp '^status [^1]'
}

@test "ringbuffer: a Consumer is killed with an item: it is named as lost" {
    cd "$BATS_TEST_TMPDIR"
    # A Consumer posts when it has just taken an item.
    make_preload kill.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <semaphore.h>
	#include <signal.h>
	#include <stdlib.h>
	#include <string.h>
	#include <sys/prctl.h>

	int sem_post(sem_t *sem)
	{
	    static int calls;
	    char name[16] = "";
	    int (*next)(sem_t *) = dlsym(RTLD_NEXT, "sem_post");

	    prctl(PR_GET_NAME, name);
	    if (!strcmp(name, "consumer") && ++calls == atoi(getenv("LAST")))
	        raise(SIGKILL);
	    return next(sem);
	}
	END
    for last in 1 2 3 4 5 6; do
        run -1 env LAST=$last LD_PRELOAD="$PWD/kill.so" ringbuffer --consumers 1
        assert_output --regexp 'item [1-9][0-9]* is lost'
    done
}

@test "ringbuffer: Producer is killed: the Consumers do not wait for ever" {
    start_ring ringbuffer --items 100000000
    kill -KILL "$producer"
    ends 1
    run -0 cat "$BATS_TEST_TMPDIR/stderr"
    assert_output --partial 'Producer has died'
}

@test "ringbuffer: Parent is killed: nobody is left" {
    start_ring ringbuffer --items 100000000
    kill -KILL "$parent"
    ends 137
}

@test "ringbuffer-lockfree: each item is taken once, in order" {
    run -0 --separate-stderr ringbuffer-lockfree
    assert_line --partial '1000 items, each taken once, in order'
    assert_equal "$stderr" ''
}

@test "ringbuffer-lockfree: exact for 1 to 8 Consumers and 1 to 1024 slots" {
    export -f is_exact
    LIMIT=60 run -0 bash -c 'is_exact ringbuffer-lockfree'
    assert_output ''
}

@test "ringbuffer-lockfree: exact on one core, too" {
    requires taskset util-linux
    export -f is_exact
    LIMIT=60 run -0 bash -c 'is_exact ringbuffer-lockfree taskset -c $CORE'
    assert_output ''
}

@test "ringbuffer-lockfree --items 1000000: not one of a million is lost" {
    run -0 ringbuffer-lockfree --items 1000000 --consumers 8 --slots 1024
    assert_line --partial '1000000 items, each taken once, in order'
    LIMIT=60 run -0 ringbuffer-lockfree --items 1000000 --consumers 3 --slots 96
    assert_line --partial '1000000 items, each taken once, in order'
}

@test "ringbuffer-lockfree: exact without membarrier, with a fence an item" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -0 strace -f -qq -o log -e trace=membarrier \
        -e inject=membarrier:error=ENOSYS \
        ringbuffer-lockfree --items 1000000 --consumers 4 --slots 1024
    assert_line --partial '1000000 items, each taken once, in order'
}

@test "ringbuffer-lockfree: the kernel is asked for far less than every item" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -0 strace -f -qq -o log -e trace=futex,membarrier \
        ringbuffer-lockfree --items 1000000 --consumers 4 --slots 1024
    run -0 wc -l <log
    calls=${output%% *}
    ((calls < 100000)) || fail "$calls calls for 1000000 items"
}

@test "ringbuffer-lockfree: idle Consumers use no CPU, and wake up again" {
    start_ring ringbuffer-lockfree --items 1000000000 --consumers 4
    kill -STOP "$producer"
    wait_until all_asleep
    before=$(cpu_time)
    switches=$(switches)
    read -rt 1 <> <(:) || true
    assert_equal "$(cpu_time)" "$before"
    kill -CONT "$producer"
    wait_until more_switches_than "$switches"
    kill -KILL "$parent"
    ends 137
}

@test "ringbuffer-lockfree: whoever is killed, the others end, with status 1" {
    for victim in producer consumers; do
        start_ring ringbuffer-lockfree --items 1000000000
        kill -KILL "${!victim}"
        ends 1
        run -0 cat "$BATS_TEST_TMPDIR/stderr"
        assert_output --partial 'has died'
    done
}

@test "ringbuffer-lockfree: Parent is killed: nobody is left" {
    start_ring ringbuffer-lockfree --items 1000000000
    kill -KILL "$parent"
    ends 137
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
    traced trace=mmap,exit_group shm-offsets --pointers
    assert_failure 1
    assert_output --regexp 'Child .*SIGSEGV.*Parent'
    run -0 cat out
    refute_output --partial 'Child reads: offsets'
    run -0 grep -c 'killed by SIGSEGV' log
    assert_output 1
}

# Runs a command under strace; prints what is left of the files that it made
# in /dev/shm. What the kernel saw is in $BATS_TEST_TMPDIR/log.
leftovers_of() {
    requires strace
    run strace -f -qq -y -o "$BATS_TEST_TMPDIR/log" \
        -e trace=openat,open,link,linkat,unlink,unlinkat "$@"
    # shellcheck disable=SC2016
    run -0 bash -c 'grep -o "\"/dev/shm/[^\"]*\"" "$1" | tr -d \" | sort -u |
        while read -r file; do [[ ! -e $file ]] || echo "left: $file"; done' \
        bash "$BATS_TEST_TMPDIR/log"
}

# Starts a server under a name of its own.
config_server() {
    new_name
    start_server
}

# Starts a server, and waits for the workers' first lines.
start_server() {
    log=$BATS_TEST_TMPDIR/log
    shm-config serve "$name" >"$log" 2>&1 3>&- &
    server=$!
    wait_until said 3 '^Worker.*version'
    workers=$(<"/proc/$server/task/$server/children")
    first=${workers%% *}
}

# Whether the server's log has so many lines that match.
said() {
    [[ $(grep -cE "$2" "$log") == "$1" ]]
}

is_asleep() {
    [[ $(</proc/"$1"/stat) == *') S '* ]]
}

# Whether a process has ended; its new parent may not have reaped it yet.
has_gone() {
    ! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null
}

# Fails unless a command says so many times that something was torn, and as
# many times on one core.
assert_always_torn() { # TIMES COMMAND
    requires taskset util-linux
    # shellcheck disable=SC2016
    run -0 bash -c '
        for ((i = 0; i < $0; i++)); do
            "$@"
            taskset -c $CORE "$@"
        done 2>/dev/null | grep -c "\b[1-9][0-9]* torn"' "$@"
    assert_output $((2 * $1))
}

end_server() {
    kill -TERM "$server"
    assert_ends 0 "$server"
    assert_not_exists "$object"
}

@test "shm-config: no Worker sees half an update in 100000, on one core neither" {
    run -0 --separate-stderr shm-config
    assert_output --regexp '\b0 torn'
    assert_equal "$stderr" ''
    requires taskset util-linux
    run -0 taskset -c "$CORE" shm-config
    assert_output --regexp '\b0 torn'
}

@test "shm-config --no-lock: torn updates are counted, in each run" {
    run -1 --separate-stderr shm-config --no-lock
    assert_line --regexp '\b[1-9][0-9]* torn'
    assert [ -n "$stderr" ]
    assert_always_torn 5 shm-config --no-lock
}

@test "shm-config set: each Worker sees each version once" {
    config_server
    token=$((RANDOM % 9000 + 1000))
    for setting in "timeout $token" 'verbosity 7' "limit $((token + 1))"; do
        # shellcheck disable=SC2086 # two words
        run -0 --separate-stderr shm-config set "$name" $setting
        assert_equal "$stderr" ''
    done
    for version in 1 2 3 4; do
        for worker in 1 2 3; do
            assert said 1 "Worker $worker\\b.*version $version\\b"
        done
    done
    assert said 3 "version 4\\b.*\\b7 $token $((token + 1))\$"
    end_server
}

@test "shm-config set: two at once take turns, and no version is skipped" {
    config_server
    kill -STOP "$first"
    shm-config set "$name" timeout 11 3>&- &
    one=$!
    wait_until said 2 'version 2\b'
    shm-config set "$name" limit 22 3>&- &
    two=$!
    wait_until is_asleep $two
    kill -CONT "$first"
    assert_ends 0 $one
    assert_ends 0 $two
    assert said 3 'version 2\b'
    assert said 3 'version 3\b.* 11 22$'
    end_server
}

@test "shm-config set: killed with the lock, it holds up nobody" {
    config_server
    kill -STOP "$first"
    shm-config set "$name" timeout 11 3>&- &
    one=$!
    wait_until said 2 'version 2\b'
    kill -KILL $one
    assert_ends 137 $one
    kill -CONT "$first"
    run -0 shm-config set "$name" timeout 12
    assert said 3 'version 3\b.* 12 [0-9]*$'
    end_server
}

@test "shm-config serve: Workers sleep as long as nothing changes" {
    config_server
    for worker in $workers; do
        wait_until is_asleep "$worker"
    done
    look() {
        local worker
        for worker in $workers; do
            cut -d ' ' -f 14,15 "/proc/$worker/stat"
            grep ctxt "/proc/$worker/status"
        done
    }
    before=$(look)
    read -rt 0.5 <> <(:) || true # there is nothing to wait for but time
    assert_equal "$(look)" "$before"
    end_server
}

@test "shm-config set: an unknown KEY, and a bad VALUE, are named: status 2" {
    run -2 shm-config set /x colour 3
    assert_output --partial colour
    assert_output --partial verbosity
    for word in x 3x '' -1 100000000 99999999999999999999; do
        run -2 shm-config set /x verbosity "$word"
        assert_output --regexp "VALUE.*: $word\$"
    done
    run -2 shm-config set /x verbosity
    run -2 shm-config serve
    assert_output --partial serve
    run -2 shm-config serve nothing
    assert_output --partial nothing
    run -2 shm-config serve /a/b
    assert_output --partial /a/b
}

@test "shm-config set: no server, or one that was killed, is said: status 1" {
    run -1 shm-config set "/none.$RANDOM" timeout 3
    assert_output --regexp 'serve.*No such file'
    config_server
    kill -KILL "$server"
    assert_ends 137 "$server"
    run -1 shm-config set "$name" timeout 3
    assert_output --partial "$name"
    rm "$object"
}

@test "shm-config serve: Workers do not outlive a killed server, the next takes over" {
    config_server
    kill -KILL "$server"
    assert_ends 137 "$server"
    for worker in $workers; do
        wait_until has_gone "$worker"
    done
    assert_exists "$object"
    start_server
    run -0 shm-config set "$name" timeout 77
    assert said 3 ' 77 [0-9]*$'
    end_server
}

@test "shm-config serve: a name that is served is refused, and goes on" {
    config_server
    run -1 shm-config serve "$name"
    assert_output --partial "$name"
    run -0 shm-config set "$name" timeout 5
    end_server
}

@test "shm-config serve: what is no object of ours is refused, and left alone" {
    new_name
    (umask 077 && echo mine >"$object")
    run -1 shm-config serve "$name"
    assert_output --partial "$name"
    run -1 shm-config set "$name" timeout 5
    assert_equal "$(<"$object")" mine
    : >"$object"
    chmod 666 "$object"
    run -1 shm-config serve "$name"
    if ((EUID == 0)); then
        chmod 600 "$object"
        chown 65534 "$object"
        run -1 shm-config serve "$name"
        assert_exists "$object"
    fi
    rm "$object"
}

@test "shm-config serve: the object is private" {
    config_server
    run -0 stat -c '%a %u' "$object"
    assert_output "600 $EUID"
    end_server
}

@test "shm-config serve: when a Worker is killed, all end and say so" {
    config_server
    kill -KILL "$first"
    assert_ends 1 "$server"
    for worker in $workers; do
        assert has_gone "$worker"
    done
    assert said 1 'Worker.*died|killed'
    assert_not_exists "$object"
}

@test "shm-config serve: ^C ends it, and removes the object" {
    new_name
    log=$BATS_TEST_TMPDIR/log
    env --default-signal=INT setsid shm-config serve "$name" >"$log" 2>&1 3>&- &
    server=$!
    wait_until said 3 'version 1\b'
    kill -INT -- "-$server"
    assert_ends 0 "$server"
    assert_not_exists "$object"
}

@test "shm-config: killed at any moment, nobody survives and the next run works" {
    run -0 bash -c '
        for moment in 0.002 0.01 0.02 0.03 0.04; do
            shm-config >/dev/null 2>&1 &
            pid=$!
            read -rt $moment <> <(:) # any moment will do
            kill -KILL $pid
            wait $pid
            rm -f "/dev/shm/shm-config.$EUID.$pid"
        done 2>/dev/null'
    wait_until no_survivors
    run -0 shm-config
}

# Fails unless the command makes its object new and private, and removes it.
makes_and_removes() {
    leftovers_of "$1"
    assert_output ''
    run -0 awk '/"\/dev\/shm\// && /O_CREAT/ {
            n++
            if (!/O_EXCL/ || !/ 0600\)/) print
        }
        END { if (!n) print "nothing is made" }' "$BATS_TEST_TMPDIR/log"
    assert_output ''
}

@test "shm-config: its object is new and private, and removed at the end" {
    makes_and_removes shm-config
}

@test "shm-cache: what one Worker missed, the next one hits" {
    run -0 --separate-stderr shm-cache
    assert_equal "$stderr" ''
    run -0 awk '
        /: get .*miss/ { missed[$4] = $2 }
        /: get .*hit/ && missed[$4] && missed[$4] != $2 { n++ }
        END { print n + 0 }' <<<"$output"
    assert_output --regexp '^[1-9]'
}

@test "shm-cache: hits and misses are counted as they are said" {
    run -0 shm-cache
    hits=$(grep -c '^Worker.*hit' <<<"$output")
    misses=$(grep -c '^Worker.*miss' <<<"$output")
    assert_output --regexp "Parent: $hits hits, [0-9]+ misses"
    # The worker that was killed had missed, too.
    assert_output --partial "$((misses + 1)) misses"
}

@test "shm-cache: it is bounded: a new key evicts another one, which is missed again" {
    run -0 shm-cache
    run -0 awk '
        /: get .*miss/ && missed[$4]++ && !set[$4] && !n++ { print "evicted" }
        /: set / { set[$6] = 1 }' <<<"$output"
    assert_output evicted
}

@test "shm-cache: what a Worker sets, another one gets" {
    run -0 shm-cache
    run -0 awk '
        /: set and get a = / { who = $2; value = $8 }
        /: get a = / && who && who != $2 { print value == $6 ? "new" : "old" }' \
        <<<"$output"
    assert_output new
}

@test "shm-cache: at once, none of the answers is torn or stale" {
    run -0 bash -c 'for n in 1 2 4 16; do shm-cache --workers $n; done |
        grep -c "\b0 torn"'
    assert_output 4
    requires taskset util-linux
    run -0 taskset -c "$CORE" shm-cache
    assert_output --regexp '\b0 torn'
}

@test "shm-cache --no-lock: answers are wrong, in each run" {
    run -1 --separate-stderr shm-cache --no-lock
    assert_line --regexp '\b[1-9][0-9]* torn'
    assert [ -n "$stderr" ]
    assert_always_torn 20 shm-cache --no-lock
}

@test "shm-cache: a Worker is really killed, and the next one repairs the slot" {
    requires strace
    run -0 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=none shm-cache
    assert_line --regexp 'EOWNERDEAD'
    run -0 grep -c 'killed by SIGKILL' "$BATS_TEST_TMPDIR/trace"
    assert_output 1
}

@test "shm-cache: the half written slot is not believed" {
    run -0 shm-cache
    run -0 awk '/EOWNERDEAD/ { dead = 1; next } dead && /^Worker/ { print; exit }' <<<"$output"
    assert_output --partial miss
}

@test "shm-cache: killed with the lock, again and again, nothing is torn or stuck" {
    requires strace
    LIMIT=60 run -0 bash -c '
        for n in {61..120}; do
            strace -f -qq -o /dev/null -e trace=sched_yield \
                -e inject=sched_yield:signal=KILL:when=$n shm-cache
            [[ $? == 1 ]] || echo "status $?, not 1"
        done 2>/dev/null | grep -c "\b0 torn"'
    assert_output 60
}

@test "shm-cache: its object is new and private, and removed at once" {
    makes_and_removes shm-cache
}

@test "shm-config, shm-cache: a full /dev/shm is said, not SIGBUS" {
    requires unshare util-linux
    full='mount -t tmpfs -o size=4k none /dev/shm && echo full >/dev/shm/full || exit 77'
    unshare -rm sh -c "$full" || skip "no mount namespace here"
    for name in shm-config shm-cache; do
        run -1 unshare -rm sh -c "$full; exec $name"
        assert_output --partial 'No space left on device'
    done
}
