# The programs of sysv/, in the folder's order.

setup() {
    load helper
    # That an object is removed stands in a test's own logs. In /proc/sysvipc
    # it could not be told from one of another test run.
    eval "all_$(declare -f ipc_names)"
    # shellcheck disable=SC2317 # teardown calls it
    ipc_names() {
        all_ipc_names | grep -v ' sysv- ' || true
    }
}

FORKS=fork,vfork,clone,clone3
IPC=shmget,shmat,shmctl,shmdt,semget,semctl,semop,semtimedop
IPC+=,msgget,msgsnd,msgrcv,msgctl

# For awk, which reads what strace -f wrote: pid; child[pid], which child it
# is; call, its name; n, what it returned, "" as long as it has not. A call that
# another process came between has two lines; the second one, which is resumed,
# is the whole call.
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
        call = $2
        sub(/\(.*/, "", call)
        n = $0
        if (!sub(/.*\) += /, "", n))
            n = ""
        else if (n ~ /^-?[0-9]/)
            n += 0
        id = $2
        sub(/.*\(/, "", id)
        sub(/,.*/, "", id)
    }
    pid != parent && !(pid in child) { child[pid] = ++children }
'

# What is wrong with how the objects are made and removed. While there is one,
# its maker says nothing on stdout: it could wait there, or be killed.
TIDY='
    call ~ /^(shm|sem|msg)get$/ && n != "" && n >= 0 && /IPC_(CREAT|PRIVATE)/ {
        made[n] = $0
        maker = pid
        if (!/IPC_EXCL|IPC_PRIVATE/)
            print "without IPC_EXCL it may be somebody else'\''s: " $0
        if (!/[ |]0600\)/ && $0 !~ "\\|" mode "\\)")
            print "not for its user alone: " $0
    }
    call ~ /^(shm|sem|msg)ctl$/ && /IPC_RMID/ && n == "0" { delete made[id] }
    call == "write" && id == 1 && pid == maker && !resumed {
        for (id in made)
            print "its maker prints while there is an object: " $0
    }
    END {
        if (!maker)
            print "no object is made"
        for (id in made)
            print "is not removed: " made[id]
    }
'

# Runs a program under strace, and expects a status. Then $output is what it
# said on stdout, $stderr the rest, and its log is there for accept_log.
logged() { # STATUS COMMAND
    traced "trace=$IPC,$FORKS,wait4,waitid,write" "${@:2}"
    stderr=$output
    output=$(<"$BATS_TEST_TMPDIR/out")
    [[ $status == "$1" ]] ||
        fail_run "$OWN: $(in_words "$status"), not $1" "${@:2}"
}

# Looks at that log for what a test looks for, and at what is left behind.
accept_tidy() { # PROGRAM OF AWK
    accept_log -v mode="${MODE:-0600}" "$LOG$TIDY$1"
}

# Lets calls fail, the Nth in each process, and looks at what is left.
assert_tidy_without() { # "CALL NTH ERROR"... -- COMMAND
    requires strace
    cd "$BATS_TEST_TMPDIR" || return
    export CALLS="?${IPC//,/,?},?write" LOOK=$LOG$TIDY MODE=${MODE:-0600}
    # shellcheck disable=SC2016
    USUAL=20 run -0 bash -c '
        until [[ $1 == -- ]]; do
            faults+=("$1")
            shift
        done
        for fault in "${faults[@]}"; do
            read -r call nth error <<<"$fault"
            timeout -k 1 5 strace -f -qq -s 200 -o log -e "trace=$CALLS" \
                -e "inject=${call//,/,?}:error=$error:when=$nth" "${@:2}" \
                >/dev/null 2>&1
            status=$?
            ((status == 1)) ||
                echo "$call $nth fails with $error: status $status, not 1"
            awk -v mode="$MODE" "$LOOK" log |
                sed "s/^/$call $nth fails with $error: /"
        done' each "$@"
    [[ ! $output ]] || fail "$OWN: $output"
}

@test "sysv-shm: Parent reads what Child has stored, and the segment is gone" {
    logged 0 sysv-shm
    assert_output - <<-'END'
	Parent read: Hello from child (System V)!
	Parent has detached the segment, and it is gone
	END
    assert_equal "$stderr" ''
    # And the kernel says so, too.
    accept_tidy '
        call == "shmget" && n >= 0 { segment = n }
        call == "shmdt" && pid == parent && n == "0" { detached = 1 }
        call == "shmctl" && /IPC_STAT.*EINVAL/ && id == segment && detached {
            gone = 1
        }
        call == "shmat" && n >= 0 { attached = 1 }
        /IPC_RMID/ && n == "0" {
            marked = 1
            if (!attached) print "marked before it is attached"
        }
        call ~ /^(clone3?|v?fork)$/ && !marked && !early++ {
            print "a fork before IPC_RMID: a kill in between leaves the segment"
        }
        call ~ /^wait/ && n > 0 { waited = 1 }
        call == "shmdt" && pid == parent && !waited {
            print "detached before Child has ended"
        }
        END { if (!gone) print "nobody has asked whether it is gone" }'
}

@test "sysv-shm: a Child that stores nothing leaves nothing to read" {
    requires gcc
    make_preload "$BATS_TEST_TMPDIR/childless.so" <<-'END'
	#include <sys/syscall.h>
	#include <unistd.h>
	pid_t fork(void)
	{
	    pid_t pid = syscall(SYS_fork);

	    if (pid == 0)
	        _exit(0);
	    return pid;
	}
	END
    run -0 env LD_PRELOAD="$BATS_TEST_TMPDIR/childless.so" sysv-shm
    assert_line --regexp '^Parent read: ?$'
}

@test "sysv-shm --no-rmid: both have detached it, and it is still there" {
    logged 1 sysv-shm --no-rmid
    refute_output --partial 'gone'
    assert_regex "$stderr" '\b0 processes'
    accept_tidy '
        call == "shmdt" && pid == parent { detached = 1 }
        /IPC_RMID/ && !seen && n == "0" { print "removed before it was seen" }
        /IPC_STAT.*shm_nattch=0/ && n == "0" && detached { seen = 1 }
        END { if (!seen) print "no IPC_STAT finds it" }'
}

@test "sysv-shm: a call that fails leaves no segment" {
    assert_tidy_without 'shmat 1 ENOMEM' 'shmctl 1 EPERM' 'shmdt 1 EINVAL' \
        -- sysv-shm
    assert_tidy_without 'shmat 1 ENOMEM' 'shmctl 1 EACCES' 'shmdt 1 EINVAL' \
        -- sysv-shm --no-rmid
}

# What ftok makes of a file and a number.
key_of() { # FILE [ID]
    local device inode
    read -r device inode < <(stat -c '%d %i' "$1")
    printf '0x%08x' $((${2:-65} << 24 | (device & 0xff) << 16 | inode & 0xffff))
}

@test "sysv-key: Child makes the same key, and finds the same id" {
    logged 0 sysv-key
    mapfile -t lines <<<"$output"
    assert_line --index 0 --regexp '^Child.*the same id'
    assert_line --index 1 --regexp '^Child.*IPC_EXCL.*File exists'
    assert_line --index 2 --regexp '^Child.* 0600$'
    assert_line --index 3 --regexp '^Child.* 0400$'
    assert_line --index 4 --regexp '^Parent.*IPC_PRIVATE.*another id'
    assert_equal "$stderr" ''
    accept_tidy '
        call == "shmget" { key = id }
        call == "shmget" && /IPC_CREAT/ && pid == parent && n >= 0 {
            asked = key
            segment = n
        }
        call == "shmget" && pid in child && key == asked {
            if (!/IPC_CREAT/ && n == segment) found = 1
            if (/IPC_CREAT\|IPC_EXCL/ && /EEXIST/) refused = 1
        }
        call == "shmget" && /IPC_PRIVATE/ && n >= 0 && n != segment { new = 1 }
        call == "shmctl" && id == segment && /IPC_SET.*mode=0400/ && n == "0" {
            set = 1
        }
        call == "shmctl" && id == segment && set && /IPC_STAT.*mode=0400/ {
            seen = 1
        }
        END {
            if (!found) print "Child has not found it by its key"
            if (!refused) print "IPC_EXCL has refused no process"
            if (!set || !seen) print "IPC_SET 0400, then IPC_STAT: not done"
            if (!new) print "IPC_PRIVATE has not made another"
        }'
}

@test "sysv-key PATH ID: the key is of inode number, device and ID" {
    cd "$BATS_TEST_TMPDIR"
    echo >one
    ln one linked
    number=$((RANDOM % 240 + 16))
    export -f key_of
    # shellcheck disable=SC2016
    run -0 bash -c 'for words; do
            key=$(key_of $words)
            said=$(sysv-key $words 2>&1)
            grep -q "^Parent.* $key$" <<<"$said" &&
                grep -q "^Child.*the same id" <<<"$said" ||
                echo "sysv-key $words: its key is $key: $said"
        done' each "one $number" "linked $number" 'one 255' 'one 1' one
    assert_output ''
    traced trace=shmget sysv-key one $number
    run -0 grep -c "shmget($(key_of one $number), .*IPC_CREAT.* = [0-9]" log
}

@test "sysv-key PATH: what is not there is named, and -1 becomes no key" {
    missing=$BATS_TEST_TMPDIR/no-such-file
    traced trace=shmget sysv-key "$missing"
    assert_failure 1
    assert_output --partial "$missing: No such file"
    accept_log '/shmget/'
}

@test "sysv-key PATH: somebody has the key, and what is there stays" {
    requires perl perl-base
    touch "$BATS_TEST_TMPDIR/taken"
    key=$(key_of "$BATS_TEST_TMPDIR/taken" 65)
    id=$(perl -e 'print shmget(hex shift, 100, 03600) // die "shmget: $!"' \
        "$key")
    run sysv-key "$BATS_TEST_TMPDIR/taken"
    perl -e 'shmctl(shift, 0, 0) or die "it is gone: $!"' "$id"
    assert_failure 1
    assert_output --partial 'File exists'
}

@test "sysv-key: an ID is a number from 1 to 255" {
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016
    run -0 bash -c 'for n; do
            said=$(sysv-key . "$n" 2>&1 >out)
            [[ $? == 2 && ! -s out && $said == *"from 1 to 255: $n
"* ]] || echo "ID $n: $(<out)$said"
        done' each 0 256 x '' 3x -1
    assert_output ''
}

@test "sysv-key: a call that fails leaves no segment and no folder" {
    assert_tidy_without 'shmctl 1 EPERM' 'shmctl 3 EPERM' 'shmget 2 ENOSPC' \
        -- sysv-key
}

@test "sysv-msg: type 2 is taken first, then the lowest ones, then the first" {
    logged 0 sysv-msg
    assert_output - <<-'END'
	Sender: type 5: five
	Sender: type 3: three
	Sender: type 2: two
	Sender: type 1: one
	Sender: type 4: four
	Receiver asks for 2 and gets 2: two
	Receiver asks for -3 and gets 1: one
	Receiver asks for -3 and gets 3: three
	Receiver asks for -3 and gets none: ENOMSG
	Receiver asks for 0 and gets 5: five
	Parent: messages in the queue: 5, then 1
	END
    assert_equal "$stderr" ''
    accept_tidy '
        call == "msgsnd" && n == "0" { sent++; sender[pid] = 1 }
        call == "msgrcv" && n != "" {
            if (pid in sender) print "one process sends and receives"
            asks = asks " " part[split($0, part, ", ") - 1]
            if (n >= 0) got++
        }
        call == "msgctl" && /IPC_STAT/ {
            sub(/.*msg_qnum=/, "")
            held = held " " $0 + 0
        }
        END {
            if (sent != 5) print sent + 0 " messages were sent, not 5"
            if (asks != " 2 -3 -3 -3 0") print "asked for" asks
            if (got != 4) print got + 0 " messages were received, not 4"
            if (held !~ / 5.* 1$/) print "IPC_STAT has counted" held
        }'
}

@test "sysv-msg TYPE TEXT: the type decides, and equal types keep their order" {
    words=(a$RANDOM b$RANDOM c$RANDOM d$RANDOM e$RANDOM)
    run -0 sysv-msg 3 "${words[0]}" 9 "${words[1]}" 2 "${words[2]}" \
        3 "${words[3]}" 1 "${words[4]}"
    assert_line --index 5 --regexp "^Receiver.* 2 .*2: ${words[2]}$"
    assert_line --index 6 --regexp "^Receiver.* -3 .*1: ${words[4]}$"
    assert_line --index 7 --regexp "^Receiver.* -3 .*3: ${words[0]}$"
    assert_line --index 8 --regexp "^Receiver.* -3 .*3: ${words[3]}$"
    assert_line --index 9 --regexp "^Receiver.* 0 .*9: ${words[1]}$"
    assert_line --index 10 --regexp '^Parent.*\b5\b.*\b0\b'
    run -0 sysv-msg 7 "${words[0]}" 6 "${words[1]}"
    assert_line --regexp "^Receiver.* 0 .*7: ${words[0]}$"
    refute_line --regexp "^Receiver.*${words[1]}"
    assert_line --regexp '^Parent.*\b2\b.*\b1\b'
}

@test "sysv-msg: a message is as long as its text: the type does not count" {
    text=$(printf 'x%.0s' $(seq $((RANDOM % 90 + 1))))
    traced trace=msgsnd,msgrcv sysv-msg 2 "$text" 1 '' 3 'two  words'
    assert_success
    accept_log -v size=${#text} "$LOG"'
        call == "msgsnd" && /mtype=2,/ && $0 !~ ", " size ", [^,]*\\)" {
            print "not " size ": " $0
        }
        call == "msgrcv" && /mtype=2,/ && n != size {
            print "not " size ": " $0
        }
        call == "msgrcv" && n >= 0 { got++ }
        END { if (got != 3) print got + 0 " were received" }'
    mapfile -t lines <"$BATS_TEST_TMPDIR/out"
    assert_line --regexp "^Receiver.*2: $text$"
    assert_line --regexp '^Receiver.*1: $'
    assert_line --regexp '^Receiver.*3: two  words$'
}

@test "sysv-msg: a TYPE is a number of 1 or more, and each has a TEXT" {
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016
    run -0 bash -c 'for words; do
            said=$(sysv-msg $words 2>&1 >out)
            [[ $? == 2 && ! -s out && $said == *"usage: sysv-msg"* ]] ||
                echo "$words: $(<out)$said"
        done' each 'x text' '0 text' '-1 text' '3x text' '1 text 2' '1 a 0 b'
    assert_output ''
}

@test "sysv-msg: a full queue ends it, and nobody waits for room" {
    read -r room </proc/sys/kernel/msgmnb
    ((room <= 1000000)) || skip "a queue holds too much to fill it: $room"
    text=$(printf '%0900d' 7)
    words=()
    for ((i = 0; i < room / 900 + 1; i++)); do
        words+=(3 "$text")
    done
    run -1 sysv-msg "${words[@]}"
    assert_output --partial 'msgsnd: Resource temporarily unavailable'
    refute_output --partial 'Parent'
}

@test "sysv-msg: a call that fails leaves no queue" {
    assert_tidy_without 'msgsnd 2 EACCES' 'msgrcv 1 EACCES' 'msgctl 1 EACCES' \
        'msgctl 2 EACCES' -- sysv-msg
}

@test "sysv-sem: a killed Child held the lock, and the kernel gives it back" {
    logged 0 sysv-sem
    assert_output - <<-'END'
	Child 1 has the lock
	Child 2 has the lock
	Parent: Child 1 was killed while it held the lock
	END
    assert_equal "$stderr" ''
    accept_tidy '
        call == "semctl" && /SETVAL/ && pid == parent && n == "0" {
            if (children) print "set while a Child is there: " $0
            if (!/SETVAL, (0x)?1\)/) print "not set to 1: " $0
            set++
        }
        call ~ /^sem(timed)?op$/ && /sem_op=1/ { print "somebody adds 1: " $0 }
        call ~ /^sem(timed)?op$/ && /sem_op=-1, sem_flg=[^}]*SEM_UNDO/ &&
            n == "0" {
            if (child[pid] == 2 && !killed) print "Child 2 had it too early"
            held[child[pid]] = 1
        }
        /[+] killed by SIGKILL/ { killed = held[1] && child[pid] == 1 }
        END {
            if (set != 1) print set + 0 " times SETVAL, not once"
            if (!killed) print "Child 1 was not killed as it held the lock"
            if (!held[2]) print "Child 2 never had the lock"
        }'
}

@test "sysv-sem --no-undo: Child 2 waits for a dead holder, for a second" {
    logged 124 sysv-sem --no-undo
    assert_output 'Child 1 has the lock'
    assert_regex "$stderr" 'stuck: Child 2 waits in semop'
    accept_tidy '
        /SEM_UNDO/ { print "given back after all: " $0 }
        call ~ /^sem(timed)?op$/ { waits = child[pid] == 2 && n != "0" }
        /[+] killed by SIGALRM/ { ended = waits && child[pid] == 2 }
        END { if (!ended) print "it was not in semop that Child 2 waited" }'
}

@test "sysv-sem: a Child 1 that dies before it has the lock is noticed" {
    traced inject=semop,semtimedop:signal=KILL:when=1 sysv-sem
    assert_equal "$status" 1
    assert_output --partial 'Child 1 was not killed while it held the lock'
}

@test "sysv-sem: a call that fails leaves no set" {
    assert_tidy_without 'semctl 1 EPERM' '?semop,semtimedop 1 ENOSPC' \
        -- sysv-sem
}

# Which process holds which fork, for awk. A fork is given back when the call
# begins, and taken when it has ended.
TABLE='
    call ~ /^sem(timed)?op$/ {
        m = 0
        rest = $0
        while (match(rest, /sem_num=[0-9]+, sem_op=-?[0-9]+/)) {
            split(substr(rest, RSTART, RLENGTH), part, /[=,]/)
            rest = substr(rest, RSTART + RLENGTH)
            fork[++m] = part[2]
            change[m] = part[4]
        }
        for (i = 1; i <= m; i++) {
            if (change[i] > 0 && !resumed) {
                if (holder[fork[i]] != pid) print "not its own: " $0
                delete holder[fork[i]]
            }
            if (change[i] < 0 && n == "0") {
                if (fork[i] in holder) print "two have this fork: " $0
                holder[fork[i]] = pid
            }
        }
    }
'

@test "sysv-philosophers: each takes both forks in one semop, and all eat" {
    logged 0 sysv-philosophers
    assert_output 'Parent: 3 of 3 philosophers have eaten 100 times'
    assert_equal "$stderr" ''
    accept_tidy "$TABLE"'
        call ~ /^sem(timed)?op$/ && change[1] < 0 && n == "0" {
            if (m != 2 || change[2] >= 0 || fork[1] == fork[2])
                print "not both at once: " $0
            meals[pid]++
            seat = fork[1] < fork[2] ? fork[1] fork[2] : fork[2] fork[1]
            if (seats[seat] && seats[seat] != pid)
                print "two sit between the same forks: " $0
            seats[seat] = pid
        }
        END {
            for (pid in meals)
                if (meals[pid] == 100) full++
            if (full != 3) print full + 0 " have eaten 100 times, not 3"
            for (i in holder) print "fork " i " is never given back"
        }'
}

@test "sysv-philosophers --one-by-one: each holds one fork, and waits" {
    logged 124 sysv-philosophers --one-by-one
    assert_output ''
    assert_regex "$stderr" 'stuck: a philosopher waits for a fork'
    accept_tidy "$TABLE"'
        call ~ /^sem(timed)?op$/ {
            wants[pid] = change[1] < 0 && n != "0" ? fork[1] : ""
        }
        /[+] killed by SIGALRM/ { stuck[pid] = 1 }
        END {
            for (i in holder) {
                held++
                has[holder[i]] = 1
            }
            for (pid in stuck)
                if (has[pid] && wants[pid] != "" && wants[pid] in holder)
                    waiting++
            if (held != 3 || waiting != 3)
                print held + 0 " hold one, " waiting + 0 " of them want another"
        }'
}

@test "sysv-philosophers: a call that fails leaves no set" {
    assert_tidy_without 'semctl 1 EPERM' '?semop,semtimedop 3 ENOSPC' \
        -- sysv-philosophers
}

@test "sysv-snoop: reading takes no key, and Reader comes too late" {
    logged 0 sysv-snoop
    mapfile -t lines <<<"$output"
    assert_line --index 0 --regexp '^Snoop.* 0604$'
    assert_line --index 1 --regexp '^Snoop takes: for Reader only$'
    assert_line --index 2 --regexp '^Reader.*No message'
    assert_line --index 3 --regexp '^Snoop.* 0600$'
    assert_equal "$stderr" ''
    MODE=0604 accept_tidy '
        call == "msgget" && (pid != parent || asked++) {
            print "asks for a key: " $0
        }
        call == "msgget" && n >= 0 { queue = n }
        call ~ /^msg(rcv|snd|ctl)$/ && id != queue {
            print "another queue: " $0
        }
        call == "msgctl" && /IPC_SET.*mode=0600/ && n == "0" { set = 1 }
        call == "msgrcv" && n != "" { visits++ }
        call == "msgrcv" && visits == 1 && !set && n > 0 { taken = 1 }
        call == "msgrcv" && visits == 2 && /ENOMSG/ { late = 1 }
        END {
            if (!taken) print "the first visitor did not take the message"
            if (!late) print "the second visitor did not find an empty queue"
            if (!set) print "the mode was not set to 0600"
            if (visits != 4) print visits + 0 " calls of msgrcv, not 4"
        }'
}

@test "sysv-snoop: as root, Snoop is nobody, and 0600 stops it" {
    ((EUID == 0)) || skip "this is for root: sudo make check T=sysv"
    traced trace=msgrcv,setgroups,setgid,setuid,setresgid,setresuid,openat \
        sysv-snoop
    assert_success
    mapfile -t lines <out
    assert_line --index 4 --regexp '^Snoop.*Permission denied'
    assert_line --index 5 'Reader takes: for Reader only'
    accept_log "$LOG"'
        call == "openat" && /"\/proc\/sysvipc\/msg"/ && n >= 0 {
            looked[pid] = 1
        }
        call == "setgroups" && n == "0" { groups[pid] = 1 }
        call ~ /^set(res)?gid$/ && n == "0" { group[pid] = groups[pid] }
        call ~ /^set(res)?uid$/ && n == "0" { user[pid] = group[pid] }
        call == "msgrcv" && /EACCES/ {
            refused++
            denied = looked[pid] && user[pid]
        }
        call == "msgrcv" && user[pid] && looked[pid] && n > 0 { took++ }
        END {
            if (took != 1) print "user nobody took it " took + 0 " times, not once"
            if (refused != 1 || !denied)
                print "user nobody was refused " refused + 0 " times, not once"
        }'
}

@test "sysv-snoop: to an ordinary user it says what only root can show" {
    without_privilege sysv-snoop
    run -0 --separate-stderr "${AS_NOBODY[@]}" sysv-snoop
    assert_line --index 1 --regexp '^Snoop takes'
    assert_line --index 4 --regexp '^Snoop takes'
    assert_line --index 6 --regexp '^Owner.*only root'
    assert_equal "$stderr" ''
}

# Its number has been given again to Owner.
@test "sysv-snoop: what a process that is gone has left is not taken" {
    requires perl
    requires unshare util-linux
    ((EUID == 0)) || skip 'needs root, to give a number again'
    cd "$BATS_TEST_TMPDIR"
    run -0 unshare --ipc --pid --fork --mount-proc bash -c '
        perl -e "
            \$queue = msgget 0, 0600;
            msgsnd \$queue, pack(q(l! a100), 1, q()), 0 for 1, 2;
            print \$\$" >pid
        echo $(($(<pid) - 1)) >/proc/sys/kernel/ns_last_pid
        sysv-snoop >said
        awk "\$1 == 0 && \$6 == $(<pid) { print \$5, \"messages\" }" /proc/sysvipc/msg
        cat said'
    assert_output --partial '2 messages
Snoop finds a queue of mode 0604
Snoop takes: for Reader only'
}

@test "sysv-snoop: a call that fails leaves no queue" {
    MODE=0604 assert_tidy_without 'msgsnd 1 EACCES' 'msgsnd 2 EACCES' \
        'msgctl 1 EACCES' 'msgctl 2 EPERM' 'msgrcv 1 EIDRM' -- sysv-snoop
}

# The object, kind and id as ipcrm has them, that a process has made.
object_of() { # PID
    awk -v pid="$1" -v key=$((0x1bc50000 | $1 & 0xffff)) '
        $1 == "key" {
            kind = $2 == "shmid" ? "-m" : $2 == "semid" ? "-s" : "-q"
            for (i = 1; i <= NF; i++) col[$i] = i
            next
        }
        kind == "-m" ? $col["cpid"] == pid : $1 == key { print kind, $2 }
    ' /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg
}

# Types commands in where there are no objects but their own.
with_no_others() { # COMMANDS
    requires unshare util-linux
    unshare --ipc true 2>/dev/null || skip 'unshare --ipc is for root'
    export -f object_of
    cd "$BATS_TEST_TMPDIR" || return
    LIMIT=${LIMIT:-20} # many runs stand in one
    run -0 unshare --ipc bash -c '
        # What it has removed is not asked, and queues of POSIX are not here.
        clean_ipc() {
            "$ROOT/tools/clean-ipc" sysv-shm sysv-key sysv-msg sysv-sem \
                sysv-philosophers sysv-snoop 2>&1 >removed |
                grep -v "^to find queues, too"
        }
        '"$1"
}

@test "sysv-key and others, killed: make clean-ipc removes what they leave" {
    requires strace
    requires ipcmk util-linux
    with_no_others '
        other=$(ipcmk -Q | grep -o "[0-9]*$")
        for command in "sysv-shm --no-rmid" sysv-msg sysv-sem \
            sysv-philosophers sysv-snoop sysv-key; do
            # Killed where it waits for its first child.
            bash -c "echo \$\$ >>pids
                exec strace -D -qq -o /dev/null -e trace=wait4,waitid \
                    -e inject=wait4,waitid:signal=KILL:when=1 $command"
            [[ $? == 137 ]] || echo "$command was not killed"
        done >out 2>&1
        grep "not killed" out
        for pid in $(<pids); do
            [[ $(object_of "$pid") ]] || echo "nothing was left of $pid"
        done
        clean_ipc
        for pid in $(<pids); do
            object_of "$pid"
            [[ ! -e /tmp/sysv-key.$pid ]] || echo "/tmp/sysv-key.$pid is left"
        done
        ipcrm -q "$other"'
    assert_output ''
}

@test "sysv-key and sysv-msg, running: make clean-ipc does not disturb them" {
    with_no_others '
        for program in sysv-key sysv-msg; do
            # A full pipe keeps the first child from ending.
            mkfifo $program.pipe
            exec {pipe}<>$program.pipe
            dd if=/dev/zero bs=65536 count=1 status=none >&"$pipe"
            $program >&"$pipe" {pipe}>&- &
            pid=$! # the substitution in the loop has another
            until [[ $(object_of $pid) ]]; do
                read -rt 0.02 <> <(:)
            done
            clean_ipc
            [[ $(object_of $pid) ]] || echo "$program: it has been removed"
            head -c 65536 <&"$pipe" >/dev/null
            wait $pid || echo "$program: status $?"
            exec {pipe}<&-
        done'
    assert_output ''
}
