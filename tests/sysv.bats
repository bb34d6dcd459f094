# The programs of sysv/, in the folder's order.

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
    objects >"$BATS_TEST_TMPDIR/before"
    eval "usual_$(declare -f teardown)"
    # shellcheck disable=SC2317 # bats calls it
    teardown() {
        usual_teardown && nothing_left
    }
}

# What there is of System V, a kind and an id a line.
objects() {
    awk '$1 == "key" { kind = $2; next } { print kind, $2 }' \
        /proc/sysvipc/{shm,sem,msg} | sort
}

# Prints those objects of a list that are there.
still_there() {
    objects | comm -12 "$1" -
}

none_there() {
    [[ -z $(still_there "$1") ]]
}

# What this test has made is gone. Other tests' objects come and go: of those
# that are new now, none may stay.
nothing_left() {
    objects | comm -13 "$BATS_TEST_TMPDIR/before" - >"$BATS_TEST_TMPDIR/new"
    wait_until none_there "$BATS_TEST_TMPDIR/new" && return
    echo "an object of System V is left (ipcs shows it, ipcrm removes it):"
    still_there "$BATS_TEST_TMPDIR/new"
    return 1
}

# orphaned [--at CALL NTH] COMMAND: kills the command's first process at a
# call, or where it waits for a child. What that has left is in left.
orphaned() {
    local call=wait4,waitid nth=1
    [[ $1 == --at ]] && call=$2 nth=$3 && shift 3
    requires strace
    run -137 bash -c '
        strace -qq -o "$0/log" -e "trace=shmget,semget,msgget,$1" \
            -e "inject=$1:signal=KILL:when=$2" "${@:3}" >"$0/out" 2>&1
        exit' "$BATS_TEST_TMPDIR" "$call" "$nth" "$@"
    wait_until no_survivors
    awk '/IPC_(CREAT|PRIVATE).*= [0-9]+$/ { print substr($0, 1, 3) "id", $NF }' \
        "$BATS_TEST_TMPDIR/log" | sed 's/^msg/msq/' >>"$BATS_TEST_TMPDIR/all"
    sort "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/made"
    still_there "$BATS_TEST_TMPDIR/made" >"$BATS_TEST_TMPDIR/left"
}

# Runs make clean-ipc, for the files of this test alone; the objects are
# looked for everywhere.
clean_ipc() {
    requires make
    run -0 make -s -C "$ROOT" clean-ipc LEFT_IN="$TMPDIR"
}

@test "sysv-shm: Parent reads what Child has written" {
    run -0 --separate-stderr sysv-shm
    assert_line 'Parent read: Hello from child (System V)!'
    assert_equal "$stderr" ''
}

@test "sysv-shm: nattch goes from 1 to 2, and then the segment is gone" {
    run -0 sysv-shm
    assert_output --regexp 'Parent.*\b1\b.*Child.*\b2\b.*Parent.*EINVAL'
}

@test "sysv-shm: private, and removed before there is a Child: no death leaves it" {
    traced trace=shmget,shmctl,shmdt,fork,vfork,clone,clone3 sysv-shm
    assert_success
    accept_log '
        /shmget/ && !/0600\)/ { print "not private: " $0 }
        /IPC_RMID/ { removed++ }
        / (clone|clone3|fork|vfork)\(/ && !removed { print "a fork before IPC_RMID" }
        END { if (removed != 1) print removed + 0 " times IPC_RMID" }'
    orphaned sysv-shm
    nothing_left
}

@test "sysv-shm --no-rmid: what ipcs lists is there when both have ended" {
    run -1 --separate-stderr sysv-shm --no-rmid
    assert_line 'Parent read: Hello from child (System V)!'
    assert_line --regexp '600.*nattch 0$'
    assert [ -n "$stderr" ]
    nothing_left
}

@test "sysv-shm --no-rmid: ipcs lists the same, and clean-ipc removes it" {
    requires strace
    requires ipcs util-linux
    run -1 --separate-stderr sysv-shm --no-rmid
    said=${lines[-1]}
    orphaned --at shmctl 1 sysv-shm --no-rmid # the one that would remove it
    read -r _ id <"$BATS_TEST_TMPDIR/left"
    run -0 bash -c 'ipcs -m | awk -v id="$1" "\$2 == id" ' bash "$id"
    read -r _ _ _ perms bytes nattch <<<"$output"
    assert_regex "$said" "\b$perms\b.*\b$bytes\b.*\b$nattch$"
    clean_ipc
    assert_output --partial "$id"
    nothing_left
}

@test "sysv-key: found by key, EEXIST, IPC_STAT, IPC_SET, and in the end ENOENT" {
    run -0 --separate-stderr sysv-key
    assert_output --regexp 'EEXIST.*Child.*0600.*0400.*IPC_PRIVATE.*ENOENT'
    assert_equal "$stderr" ''
}

@test "sysv-key --verbose PATH ID: the key is of the inode number, the device and the ID" {
    cd "$BATS_TEST_TMPDIR"
    echo >one
    ln one linked
    id=$((RANDOM % 255 + 1))
    read -r device inode < <(stat -c '%d %i' one)
    key=$(printf '0x%08x' $((id << 24 | (device & 0xff) << 16 | (inode & 0xffff))))
    run -0 sysv-key --verbose one $id
    assert_output --partial "$key"
    run -0 sysv-key --verbose linked $id
    assert_output --partial "$key"
}

@test "sysv-key PATH ID: A and 65 are the same ID" {
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c 'sysv-key --verbose . A >A && sysv-key --verbose . 65 >65 &&
        grep -ho "0x[0-9a-f]*" A 65 | uniq | wc -l'
    assert_output 1
}

@test "sysv-key: a file that is not there is named, and ftok's -1 is taken for no key" {
    run -1 --separate-stderr sysv-key "$BATS_TEST_TMPDIR/no-such-file"
    assert_regex "$stderr" "$BATS_TEST_TMPDIR/no-such-file"
    traced trace=shmget,semget,msgget sysv-key "$BATS_TEST_TMPDIR/no-such-file"
    accept_log '/0xffffffff|\(-1/'
}

@test "sysv-key: an ID is one character, or a number from 1 to 255" {
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c 'for id in "" 0 256 AB 3x 99999999999999999999; do
        sysv-key . "$id" >out 2>err
        [[ $? == 2 && ! -s out ]] && grep -qF -e "$id" err || echo "ID $id"
    done'
    assert_output ''
}

@test "sysv-key PATH: somebody has the key: File exists, and what is there is not touched" {
    orphaned sysv-key "$TMPDIR" # leaves a segment with this key
    run -1 --separate-stderr sysv-key "$TMPDIR"
    assert_regex "$stderr" 'File exists'
    none_there "$BATS_TEST_TMPDIR/left" && fail 'it has been removed'
    clean_ipc
    run -0 sysv-key "$TMPDIR"
}

@test "sysv-key: IPC_PRIVATE is called twice, and makes two" {
    traced trace=shmget,semget,msgget sysv-key
    assert_success
    accept_log '
        /IPC_PRIVATE/ && !seen[$NF]++ { n++ }
        END { if (n != 2) print n + 0 " objects, not 2" }'
}

@test "sysv-msg: by type and not in order; EINVAL, ENOMSG, E2BIG where they belong" {
    run -0 --separate-stderr sysv-msg
    assert_line --regexp '^Sender.*EINVAL'
    assert_line --regexp '^Receiver.*E2BIG'
    assert_line --regexp '^Receiver.*ENOMSG'
    assert_equal "$stderr" ''
}

@test "sysv-msg: the kernel is asked for all kinds of types, and refuses mtype 0" {
    traced trace=msgsnd,msgrcv sysv-msg
    assert_success
    accept_log '
        /msgsnd\(.*mtype=0,.*EINVAL/ { refused++ }
        /msgrcv/ && /= [0-9]+$|= -1/ {
            if (/MSG_EXCEPT/) except++
            if (/MSG_NOERROR/) cut++
            if (/E2BIG/) long++
            if (/, 0, [^,]*\)/) first++
            if (/, [1-9][0-9]*, [^,]*\)/) positive++
            if (/, -[1-9][0-9]*, [^,]*\)/) negative++
        }
        END {
            if (!refused) print "no message of type 0 was refused"
            if (!except) print "no MSG_EXCEPT"
            if (!cut) print "no MSG_NOERROR"
            if (!long) print "no E2BIG"
            if (!first || !positive || !negative)
                print "type 0, a positive one, a negative one: one was not asked for"
        }'
}

@test "sysv-msg --take 0: all in the order in which they were sent" {
    words=(a$RANDOM b$RANDOM c$RANDOM)
    run -0 sysv-msg --take 0 9 "${words[0]}" 2 "${words[1]}" 5 "${words[2]}"
    assert_output --regexp "Receiver.*type 9,.* ${words[0]}.*Receiver.*type 2,.* ${words[1]}.*Receiver.*type 5,.* ${words[2]}"
}

@test "sysv-msg --take N: those of type N, in their order; others are passed over, and stay" {
    words=(a$RANDOM b$RANDOM c$RANDOM d$RANDOM)
    run -0 sysv-msg --take 4 7 "${words[0]}" 4 "${words[1]}" 3 "${words[2]}" 4 "${words[3]}"
    assert_output --regexp "Receiver.*type 4,.* ${words[1]}.*Receiver.*type 4,.* ${words[3]}"
    refute_line --regexp "^Receiver.*(${words[0]}|${words[2]})"
    assert_line --regexp '^Parent.*\b2 left'
}

@test "sysv-msg --take -N: the lowest type first, none above N, equal ones in their order" {
    words=(a$RANDOM b$RANDOM c$RANDOM d$RANDOM e$RANDOM)
    run -0 sysv-msg --take -5 5 "${words[0]}" 2 "${words[1]}" 6 "${words[2]}" \
        2 "${words[3]}" 1 "${words[4]}"
    assert_output --regexp "Receiver.*type 1,.* ${words[4]}.*type 2,.* ${words[1]}.*type 2,.* ${words[3]}.*type 5,.* ${words[0]}"
    refute_line --regexp "^Receiver.*${words[2]}"
    assert_line --regexp '^Parent.*\b1 left'
}

@test "sysv-msg: a message is as long as its text: the type does not count" {
    text=$(printf 'x%.0s' $(seq $((RANDOM % 90 + 1))))
    run -0 sysv-msg 3 "$text" 1 '' 2 'two words'
    assert_line --regexp "type 3, ${#text} bytes: $text$"
    assert_line --regexp 'type 1, 0 bytes'
    assert_line --regexp 'type 2, 9 bytes: two words$'
    traced trace=msgsnd sysv-msg 3 "$text"
    accept_log -v size=${#text} '/mtype=3,/ && $0 !~ ", " size ", [^,]*\\)"'
    assert [ -s "$BATS_TEST_TMPDIR/log" ]
}

@test "sysv-msg: Sender and Receiver are two processes, the queue is private and new" {
    traced trace=msgget,msgsnd,msgrcv,msgctl sysv-msg
    assert_success
    accept_log '
        /msgget/ && !/0600\)/ { print "not private: " $0 }
        /msgget/ && !/IPC_EXCL|IPC_PRIVATE/ { print "may be another one: " $0 }
        /msgsnd\(/ { sender = $1 }
        /msgrcv\(/ { receiver = $1 }
        /IPC_RMID/ { removed++ }
        END {
            if (sender == receiver) print "one process is both"
            if (!removed) print "no IPC_RMID"
        }'
}

@test "sysv-msg: TYPE and --take must be numbers, and TEXT must be there" {
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c '
        refused() {
            sysv-msg "${@:2}" >out 2>err
            [[ $? == 2 && ! -s out ]] && grep -qF -e "$1" err || echo "${*:2}"
        }
        for word in x 3x "" 99999999999999999999; do
            refused TYPE "$word" text
            refused --take --take "$word"
        done
        refused TEXT 3
        refused TEXT 3 three 4
        refused TEXT 3 "$(printf "%02000d" 0)"'
    assert_output ''
}

@test "sysv-msg: TYPE 0 and below are for the kernel to refuse" {
    run -0 sysv-msg 0 zero 3 three
    assert_line --regexp 'EINVAL'
    refute_line --regexp '^Receiver.*zero'
    run -0 sysv-msg 3 three -3 minus
    assert_line --regexp 'EINVAL'
    refute_line --regexp '^Receiver.*minus'
}

@test "sysv-msg: a full queue ends it with EAGAIN, and nobody waits" {
    read -r room </proc/sys/kernel/msgmnb
    ((room <= 60000)) || skip "a queue holds $room bytes here: too many to fill"
    text=$(printf '%0900d' 7)
    words=()
    for ((i = 0; i < room / 900 + 1; i++)); do
        words+=(3 "$text")
    done
    run -1 --separate-stderr sysv-msg "${words[@]}"
    assert_regex "$stderr" 'Resource temporarily unavailable|EAGAIN'
}

@test "sysv-msg: Sender or Receiver is killed: the other ends, and says so" {
    traced inject=msgsnd:signal=KILL:when=3 sysv-msg
    assert_equal "$status" 1
    assert_output --regexp 'died|killed'
    traced inject=msgrcv:signal=KILL:when=2 sysv-msg
    assert_equal "$status" 1
    assert_output --regexp 'died|killed'
}

@test "sysv-sem: a deadlock, a death, and the survivor goes on" {
    run -0 --separate-stderr sysv-sem
    assert_output --regexp 'sem_otime is 0.*Philosopher 1.*takes left.*Philosopher 2.*takes right.*deadlock.*kills.*Philosopher 2.*both.*left 1, right 0.*Philosopher 3.*both'
    assert_equal "$stderr" ''
}

@test "sysv-sem: initialised with SETVAL, then semop; who comes too early waits for it" {
    # The first SETVAL, the second semctl of Parent, comes late.
    traced trace=semget,semctl,semop,semtimedop -e inject=semctl:delay_enter=300000:when=2 \
        sysv-sem
    assert_success
    accept_log '
        /IPC_CREAT/ { maker = $1 }
        $1 == maker && /SETVAL/ { values++ }
        $1 != maker && /sem_otime=0/ { early++ }
        /sem(timed)?op\(/ && !first++ {
            if ($1 != maker) print "somebody was faster than the maker: " $0
            if (values != 2) print values + 0 " semaphores initialised before: " $0
        }
        END { if (!early) print "nobody came early, and waited for sem_otime" }'
    sysv-sem | diff - out
}

@test "sysv-sem: two operations in one semop, SEM_UNDO in each; no sleep" {
    traced trace=semop,semtimedop,nanosleep,clock_nanosleep sysv-sem
    assert_success
    accept_log '
        /nanosleep/ { print "sleeps: " $0 }
        /sem_op=-1,[^}]*}, {[^}]*sem_op=-1,/ { both++ }
        /sem_op=-1, sem_flg=0/ { print "not given back at death: " $0 }
        END { if (!both) print "nobody has asked for both in one semop" }'
}

@test "sysv-sem: the kernel gives back what a killed process held" {
    traced trace=semop,semtimedop sysv-sem
    assert_success
    accept_log '
        /[+] killed by SIGKILL/ { killed = $1 }
        !killed && !/sem_op=-1.*sem_op=1/ && /sem_op=-1/ { took[$1]++ }
        killed && /sem(timed)?op.* = 0$/ && $1 != killed { went_on++ }
        END {
            if (!killed) print "nobody was killed"
            if (took[killed] < 1) print "the killed one held nothing"
            if (!went_on) print "nobody went on"
        }'
}

@test "sysv-sem --no-undo: a dead holder is waited for: stuck, and 124" {
    run -124 --separate-stderr sysv-sem --no-undo
    assert_line --regexp 'kills Philosopher 1'
    refute_line --regexp '^Philosopher 2.*both'
    assert_regex "$stderr" 'stuck'
}

@test "sysv-sem: IPC_RMID wakes who still waits: Identifier removed" {
    run -124 --separate-stderr sysv-sem --no-undo
    assert_regex "$stderr" 'Identifier removed|EIDRM'
}

@test "sysv-sem: Philosophers that are killed early are noticed" {
    traced inject=prctl:signal=KILL sysv-sem
    assert_equal "$status" 1
    assert_output --regexp 'died|killed'
}

@test "sysv-snoop: who may read needs no key; Reader comes too late" {
    run -0 --separate-stderr sysv-snoop
    assert_output --regexp 'Snoop: takes.*Reader.*ENOMSG.*0600.*Snoop.*Reader: takes'
    assert_equal "$stderr" ''
}

@test "sysv-snoop: one msgget, which makes the queue; nobody else asks for the key" {
    traced trace=msgget,msgrcv sysv-snoop
    assert_success
    accept_log '
        /msgget/ && ++n > 1 { print "a second one: " $0 }
        /msgrcv/ { pid[$1] = 1; split($0, part, /[(,]/); id[part[2]] = 1 }
        END {
            if (length(pid) < 3) print "Snoop and Reader are one process"
            if (length(id) != 1) print "more than one queue"
        }'
}

@test "sysv-snoop: as root, nobody is refused by mode 0600" {
    ((EUID == 0)) || skip "this is for root: sudo make check T=sysv"
    run -0 sysv-snoop
    assert_line --regexp '^Snoop.*EACCES'
    traced trace=msgrcv,setresuid,setuid,setreuid,setgroups sysv-snoop
    accept_log '
        /set(res|re)?uid\(/ { other[$1] = 1 }
        /setgroups\(/ { no_groups[$1] = 1 }
        /EACCES/ { refused++; if (!other[$1] || !no_groups[$1]) print "still root: " $0 }
        END { if (refused != 1) print refused + 0 " times EACCES, not once" }'
}

@test "sysv-snoop: not as root, it says what it could not show" {
    without_privilege sysv-snoop
    run -0 --separate-stderr "${AS_NOBODY[@]}" sysv-snoop
    assert_line --regexp '^Snoop: takes'
    assert_line --regexp '^Snoop.*(cannot|could not|not shown).*root'
    refute_output --partial EACCES
    assert_equal "$stderr" ''
}

@test "sysv-*: the same as a user who may do nothing special" {
    without_privilege sysv-shm sysv-key sysv-msg sysv-sem
    cd "$BATS_TEST_TMPDIR"
    mkdir -m 777 for-all
    run -0 bash -c 'for program in "sysv-shm" "sysv-shm --no-rmid" sysv-key sysv-msg \
        sysv-sem "sysv-sem --no-undo"; do
        $program >usual 2>&1
        TMPDIR=for-all "$@" $program >now 2>&1
        diff usual now || echo "$program"
    done; ls for-all' bash "${AS_NOBODY[@]:-env}"
    assert_output ''
}

@test "sysv-*: ^C and SIGTERM leave no object, before IPC_RMID neither" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    # The signal comes as an object is made, and as it is looked at or removed.
    run -0 bash -c '
        for program in "sysv-shm" "sysv-shm --no-rmid" sysv-key sysv-msg sysv-sem \
            "sysv-sem --no-undo" sysv-snoop; do
            for signal in INT TERM PIPE; do
                for call in shmget,semget,msgget shmctl,semctl,msgctl; do
                    env --default-signal=INT,QUIT strace -qq -o log \
                        -e inject=$call:signal=$signal:when=1 $program >/dev/null
                done
            done
        done 2>/dev/null; true'
    nothing_left
}

@test "sysv-*: ^C at any moment leaves no object" {
    run -0 bash -c '
        for program in "sysv-shm --no-rmid" sysv-key sysv-msg sysv-sem sysv-snoop; do
            for moment in 0.0005 0.001 0.0015 0.002 0.003; do
                timeout -s INT $moment $program
                timeout --foreground -s TERM $moment $program
            done
        done >/dev/null 2>&1; true'
    nothing_left
}

@test "sysv-*: nobody reads on: a closed pipe leaves no object" {
    run -0 bash -c '
        for program in "sysv-shm --no-rmid" sysv-key sysv-msg sysv-sem sysv-snoop; do
            $program 2>&1 | :
            $program 2>&1 | head -n 1
        done >/dev/null'
    nothing_left
}

@test "sysv-*: Parent is killed: no child outlives it, and the next run works" {
    for program in sysv-shm sysv-key sysv-msg sysv-sem sysv-snoop; do
        orphaned "$program"
    done
    # One child is there, and waits for the other.
    orphaned --at fork,vfork,clone,clone3 2 sysv-msg
    orphaned --at fork,vfork,clone,clone3 2 sysv-sem
    run -0 bash -c 'sysv-shm && sysv-key && sysv-msg && sysv-sem && sysv-snoop'
    clean_ipc
}

@test "make clean-ipc: removes what killed runs left, and nothing of anybody else" {
    requires ipcmk util-linux
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c 'ipcmk -M 4096; ipcmk -Q; ipcmk -S 1'
    mapfile -t ids < <(grep -oE '[0-9]+$' <<<"$output")
    for program in "sysv-shm --no-rmid" sysv-key sysv-msg sysv-sem sysv-snoop; do
        # shellcheck disable=SC2086 # a program and its flag
        orphaned $program
    done
    assert_equal "$(wc -l <left)" 5
    clean_ipc
    none_there left
    run -0 ipcrm -m "${ids[0]}" -q "${ids[1]}" -s "${ids[2]}"
    assert_equal "$(ls -A "$TMPDIR")" ''
}

@test "make clean-ipc: a program that still runs is not disturbed" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    for name in shm key msg sem; do # each waits a while, with its object
        strace -qq -o $name.log -e trace=shmget,semget,msgget,wait4 \
            -e inject=wait4:delay_enter=500000:when=1 \
            bash -c 'exec $0' "sysv-${name/shm/shm --no-rmid}" >$name.out 2>&1 3>&- &
    done
    for name in shm key msg sem; do
        wait_until grep -q 'get(.*= [0-9]' $name.log
    done
    clean_ipc
    wait
    for name in shm key msg sem; do
        bash -c "sysv-${name/shm/shm --no-rmid}" 2>&1 | diff - $name.out
    done
}
