# The programs of posix-shm/, in the folder's order.

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
}

# A name for an object that nobody else has.
new_name() {
    name=/test.$BATS_ROOT_PID.$BATS_TEST_NUMBER.$RANDOM$RANDOM
    object=/dev/shm$name
    semaphore=/dev/shm/sem.${name#/}
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

@test "shm-hello: Parent reads what Child wrote" {
    run -0 shm-hello
    assert_output 'Parent read: Hello from child process!'
}

@test "shm-hello: Child makes the object new, for its owner alone, and sizes it" {
    requires strace
    run -0 strace -f -qq -o "$BATS_TEST_TMPDIR/log" \
        -e trace=open,openat,ftruncate,fallocate,mmap shm-hello
    run -0 grep -E '/dev/shm/[^"]*".*O_CREAT.*O_EXCL.* 0600\)' \
        "$BATS_TEST_TMPDIR/log"
    refute_output --partial 0666
    run -0 grep -E '(ftruncate|fallocate)\(.* = 0' "$BATS_TEST_TMPDIR/log"
    run -0 grep -c 'MAP_SHARED, [0-9]' "$BATS_TEST_TMPDIR/log"
    assert [ "$output" -ge 2 ]
}

@test "shm-hello: neither object nor semaphore is left, right or wrong" {
    leftovers_of shm-hello
    assert_output ''
    run -0 grep -c unlink "$BATS_TEST_TMPDIR/log"
    leftovers_of shm-hello --no-truncate
    assert_output ''
}

@test "shm-hello --no-truncate: Child's SIGBUS is reported by Parent" {
    run -1 --separate-stderr shm-hello --no-truncate
    refute_output --partial 'Parent read'
    [[ $stderr == *Child*Bus\ error* || $stderr == *Child*SIGBUS* ]]
    requires strace
    run strace -f -qq -o "$BATS_TEST_TMPDIR/log" -e trace=exit_group \
        shm-hello --no-truncate
    run -0 grep -c 'killed by SIGBUS' "$BATS_TEST_TMPDIR/log"
    assert_output 1
}

@test "shm-hello write, then read: the message is there, the names are gone" {
    new_name
    token="$RANDOM two  words $RANDOM"
    timeout 10 shm-hello write "$name" "$token" 3>&- &
    wait_until test -e "$semaphore"
    run -0 shm-hello read "$name"
    assert_output --partial "$token"
    wait $!
    assert_not_exist "$object"
    assert_not_exist "$semaphore"
}

@test "shm-hello read, then write: the reader waits for the writer" {
    new_name
    token=$RANDOM$RANDOM
    timeout 10 shm-hello read "$name" >"$BATS_TEST_TMPDIR/out" 3>&- &
    wait_until test -e "$semaphore"
    assert_equal "$(<"$BATS_TEST_TMPDIR/out")" ''
    run -0 shm-hello write "$name" "$token"
    wait $!
    assert_file_contains "$BATS_TEST_TMPDIR/out" "$token"
    assert_not_exist "$object"
    assert_not_exist "$semaphore"
}

@test "shm-hello: 50 messages in a row, whoever is first" {
    new_name
    # shellcheck disable=SC2016
    run -0 bash -c 'for i in {1..50}; do
            shm-hello write "$1" "message $i" &
            shm-hello read "$1" || exit
            wait $! || exit
        done | grep -c "message"' bash "$name"
    assert_output 50
}

@test "shm-hello: ^C, SIGTERM and SIGHUP remove what a waiting one has made" {
    new_name
    for signal in INT TERM HUP; do
        env --default-signal=INT,TERM,HUP shm-hello write "$name" x 3>&- &
        wait_until test -e "$object" -a -e "$semaphore"
        kill -s $signal $!
        assert_ends $((128 + $(kill -l $signal))) $!
        assert_not_exist "$object"
        assert_not_exist "$semaphore"
    done
    env --default-signal=INT shm-hello read "$name" 3>&- &
    wait_until test -e "$semaphore"
    kill -s INT $!
    assert_ends 130 $!
    assert_not_exist "$semaphore"
}

@test "shm-hello write: an object that is there is refused and left alone" {
    new_name
    echo "somebody's" >"$object"
    run -1 shm-hello write "$name" hello
    assert_output --partial 'File exists'
    assert_equal "$(<"$object")" "somebody's"
    assert_not_exist "$semaphore"
    rm "$object"
}

@test "shm-hello: a NAME without a slash, or with two, is refused by name" {
    run -2 shm-hello write plain hello
    assert_output --partial plain
    run -2 shm-hello read /one/two
    assert_output --partial /one/two
    run -2 shm-hello read /
    run -2 shm-hello read ''
    run -2 shm-hello listen /name
    assert_output --partial listen
    run -2 shm-hello read
}

@test "shm-hello: a MESSAGE arrives whole, or is refused as too long" {
    new_name
    run -2 shm-hello write "$name" "$(printf '%05000d' 7)"
    assert_not_exist "$object"
    token=$(printf '%03999d' $RANDOM)
    timeout 10 shm-hello write "$name" "$token" 3>&- &
    run -0 shm-hello read "$name"
    assert_output --partial "$token"
    wait $!
}

@test "shm-hello: on a full /dev/shm it says so, before it touches the page" {
    unshare -m true 2>/dev/null || skip "a file system of its own needs root"
    # shellcheck disable=SC2016
    run -1 unshare -m bash -c 'mount -t tmpfs -o size=16k none /dev/shm
        head -c 12k /dev/zero >/dev/shm/full; exec shm-hello'
    assert_output --partial 'No space left on device'
    refute_output --partial 'Bus error'
}

# Kills, one after another, a process of each run at some moment of its life,
# Child or Parent. Prints what hung, or did not work afterwards.
kill_at_random() {
    requires pgrep procps
    # shellcheck disable=SC2016
    run -0 bash -c '
        for i in {1..30}; do
            "$@" >/dev/null 2>&1 &
            for ((spin = 0; spin < i * 20; spin++)); do :; done
            child=$(pgrep -P $! | tail -n 1)
            ((i % 2)) || child=$!
            kill -s KILL ${child:-$!} 2>/dev/null
            began=$EPOCHREALTIME
            wait $! 2>/dev/null
            ((${EPOCHREALTIME/./} - ${began/./} < 2000000)) || echo "run $i: 2 s"
            rm -f /dev/shm/{,sem.}"$1.$UID.$!"* # both may have been killed
        done
        "$@" >/dev/null' bash "$@"
    assert_output ''
}

@test "shm-hello: whoever is killed, the other ends, and the next run works" {
    kill_at_random shm-hello
}

@test "shm-hello: Parent ends in 2 seconds when Child is killed as it waits" {
    requires strace
    run -1 timeout 5 strace -f -qq -o /dev/null -e trace=mmap,fallocate \
        -e inject=fallocate:signal=KILL shm-hello
    assert_output --partial 'killed'
}

@test "mmap-modes: only MAP_SHARED shows the write, and changes the file" {
    run -0 mmap-modes
    refute_line --regexp '^mmap-modes: '
    assert_line --regexp 'MAP_SHARED,? +anonymous +yes +-'
    assert_line --regexp 'MAP_PRIVATE,? +anonymous +no +-'
    assert_line --regexp 'MAP_SHARED,? +of a file +yes +yes'
    assert_line --regexp 'MAP_PRIVATE,? +of a file +no +no'
}

@test "mmap-modes: four mappings, and the file is asked with read or pread" {
    requires strace
    run -0 strace -f -qq -y -o "$BATS_TEST_TMPDIR/log" \
        -e trace=mmap,pread64,read mmap-modes
    run -0 awk '
        /PROT_READ\|PROT_WRITE, MAP_SHARED\|MAP_ANON.*, -1,/ { n["shared"] = 1 }
        /PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANON.*, -1,/ { n["private"] = 1 }
        /PROT_READ\|PROT_WRITE, MAP_SHARED, [0-9]/ { n["shared file"] = 1 }
        /PROT_READ\|PROT_WRITE, MAP_PRIVATE, [0-9]/ { n["private file"] = 1 }
        / (pread64|read)\([0-9]+<[^>]*mmap-modes/ {
            match($0, /"[^"]*"/)
            words[substr($0, RSTART, RLENGTH)] = 1
        }
        END {
            for (i in n) count++
            for (i in words) different++
            print count + 0, different + 0
        }' "$BATS_TEST_TMPDIR/log"
    assert_output '4 2'
}

@test "mmap-file FILE: as many bytes and lines as wc counts" {
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016
    run -0 bash -c '
        for size in 1 2 59 60 61 4095 4096 4097 100000; do
            head -c "$size" /dev/urandom >file
            read -r lines bytes < <(wc -lc <file)
            mmap-file file | grep -q "\b$bytes bytes, $lines lines" ||
                echo "$size: $lines lines"
        done'
    assert_output ''
}

@test "mmap-file FILE: turned round in memory, and the file stays as it is" {
    cd "$BATS_TEST_TMPDIR"
    token=$RANDOM-$RANDOM-$RANDOM
    printf '%s' "$token" >file
    run -0 mmap-file file
    assert_line --partial "$(rev <<<"$token")"
    assert_line --partial "$token"
    assert_equal "$(<file)" "$token"
}

@test "mmap-file: without FILE it makes one, and leaves nothing" {
    run -0 mmap-file
    assert_line --partial '3 lines'
    refute_line --regexp '^mmap-file: '
    assert_equal "$(ls -A "$TMPDIR")" ''
}

@test "mmap-file: an empty file has no byte to map" {
    cd "$BATS_TEST_TMPDIR"
    : >empty
    run -0 mmap-file empty
    assert_output --partial '0 bytes, 0 lines'
}

@test "mmap-file: a directory, a FIFO and a device are refused at once" {
    cd "$BATS_TEST_TMPDIR"
    mkfifo fifo
    for what in . fifo /dev/zero; do
        run -1 mmap-file $what
        assert_output --partial "$what"
    done
    run -1 mmap-file nosuch
    assert_output --partial 'nosuch: No such file'
    run -2 mmap-file fifo two
    assert_output --partial two
}

@test "mmap-file: 5 GiB, nearly all of it a hole" {
    cd "$BATS_TEST_TMPDIR"
    printf 'one\ntwo\n' >sparse
    truncate -s 5G sparse
    echo three >>sparse
    run -0 mmap-file sparse
    assert_output --partial '5368709126 bytes, 3 lines'
}

@test "mmap-file: a file that becomes shorter meanwhile is SIGBUS, and said" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    head -c 100000 /dev/zero >file
    strace -qq -o log -P file -e trace=mmap,lseek \
        -e inject=lseek:delay_enter=1000000:when=2 \
        mmap-file file >out 2>err 3>&- &
    wait_until grep -q 'lseek.*SEEK_DATA' log
    : >file
    assert_ends 1 $!
    run -0 cat err
    assert_output --regexp 'SIGBUS|shorter'
}

@test "shm-mutex: Child 2 is told that the owner is dead, repairs, goes on" {
    run -0 shm-mutex
    refute_line --regexp '^shm-mutex: '
    assert_line --regexp 'Child 2 .*EOWNERDEAD.* = 9$'
    assert_line --regexp 'Child 2 repairs.* = 10$'
    assert_equal "$(grep -c ' = 10$' <<<"$output")" 3
    assert_line --regexp 'Parent .* free 8 \+ taken 2'
}

@test "shm-mutex: Child 1 really dies by SIGKILL, inside" {
    requires strace
    run -0 strace -f -qq -o "$BATS_TEST_TMPDIR/log" \
        -e trace=kill,tgkill,exit_group,write shm-mutex
    run -0 grep -cE 'killed by SIGKILL' "$BATS_TEST_TMPDIR/log"
    assert_output 1
}

@test "shm-mutex --no-robust: nobody gets the lock of a dead owner" {
    run -124 shm-mutex --no-robust
    assert_output --regexp 'Child 2 .*owner'
    refute_output --partial EOWNERDEAD
    refute_output --partial 'takes a seat'
}

@test "shm-mutex: whoever is killed, nobody hangs, and the next run works" {
    kill_at_random shm-mutex
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

@test "shm-offsets: Child reads the list at another address, and appends" {
    run -0 shm-offsets
    refute_line --regexp '^shm-offsets: '
    words=$(sed -n 's/^Child reads: //p' <<<"$output")
    assert [ -n "$words" ]
    assert_line "Parent reads: $words"
    assert_line --regexp "^Parent reads: $words [a-z]+"
}

@test "shm-offsets: the two mappings are in two places" {
    requires strace
    run -0 strace -f -qq -y -o "$BATS_TEST_TMPDIR/log" -e trace=mmap shm-offsets
    run -0 awk '
        /MAP_SHARED, [0-9]+<\/dev\/shm/ { if (!seen[$NF]++) n++ }
        END { print n + 0 }' "$BATS_TEST_TMPDIR/log"
    assert_output 2
}

@test "shm-offsets --pointers: Child's SIGSEGV is reported by Parent" {
    run -1 --separate-stderr shm-offsets --pointers
    [[ $stderr == *Child*SIGSEGV* ]]
    refute_output --partial 'Child reads: offsets'
    requires strace
    run strace -f -qq -o "$BATS_TEST_TMPDIR/log" -e trace=exit_group \
        shm-offsets --pointers
    run -0 grep -c 'killed by SIGSEGV' "$BATS_TEST_TMPDIR/log"
    assert_output 1
}

@test "shm-offsets: the object's name is gone, right or wrong" {
    leftovers_of shm-offsets
    assert_output ''
    leftovers_of shm-offsets --pointers
    assert_output ''
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
