# lanes: the picture, live under strace and from kept logs.

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
    export LC_ALL=C.UTF-8
    unset NO_COLOR
    cd "$BATS_TEST_TMPDIR"
}

@test "lanes: connect2's data and EOF arrows are right, in 16 runs of 16" {
    requires strace
    # In some strace holds a call up, so that another order comes about.
    LIMIT=60 run -0 bash -c '
        for late in {0..9} {write,close,clone,dup2,wait4}:delay_exit read:delay_enter; do
            [[ $late != *:* ]] || hold=(-x "--inject=$late=10000")
            lanes -o $late.txt "${hold[@]}" connect2 echo hi -- wc -c ||
                echo "status $?"
        done | uniq -c'
    assert_output --regexp '^ *16 3$'
    run -0 awk '
        FNR == 1 { made = sent = got = eof = data = end = 0 }
        /pipe\(\) = 3, 4 \[P1\]/ { made = FNR }
        /write\(1,"hi/ { sent = FNR }
        /─ 3 bytes .*─▶ .*read.*= "hi/ { got = FNR; data++ }
        /last writer gone.*▶ .*read.* = 0  EOF/ { end++; eof = FNR }
        /read.* = 0  own EOF/ { end++; eof = FNR }
        /A? *exit 0$/ { ok[FILENAME] = data == 1 && end == 1 && made < sent &&
            sent < got && got < eof }
        END { for (i in ok) { n++; if (!ok[i]) system("cat " i) }; print n }
        ' ./*.txt
    assert_output 16
}

@test "lanes: the program's output and status are its own" {
    requires strace
    run -0 --separate-stderr lanes -o picture.txt connect2 echo hi -- wc -c
    assert_output 3
    assert_equal "$stderr" ''
    run -7 lanes connect2 false -- sh -c 'cat; exit 7'
    run -137 lanes sh -c 'kill -KILL $$'
    run -127 lanes ./nosuch
    run -126 lanes /
}

# says_else LOG COMMAND: whole lines in LOG that are not in the file alone.
says_else() {
    awk -v command="$2" '
        NR == FNR { said[$0]; next }
        / write\(1<\/dev\/pts[^"]*"[^"\\]+\\n", / {
            split($0, part, "\"")
            sub(/\\n$/, "", part[2])
            if (!(part[2] in said))
                print command " does not say what its log says: " part[2]
        }' alone "$1"
}

# Each program, right and wrong, alone and drawn. What a race made is not
# compared: the wrong versions' status only. One of them, which makes 12000
# calls for its race, is left out.
@test "lanes: the output and status of every program stay as they are" {
    requires strace
    # These say other things to another user, or of another machine.
    varies='mq-limits|sock-cred|sysv-snoop'
    own() {
        local words alone drawn log argv first
        while read -ra words; do
            mkdir -p "$BATS_TEST_TMPDIR/${words[*]}"
            cd "$BATS_TEST_TMPDIR/${words[*]}" || return
            "${words[@]}" >alone 2>&1 </dev/null &
            lanes -o picture.txt "${words[@]}" >drawn 2>&1 </dev/null
            drawn=$?
            wait $!
            alone=$?
            ((alone == drawn)) || {
                echo "${words[*]}: status $drawn, not $alone"
                tail -n 20 picture.txt
            }
            # once more: under ptrace a stop or a signal may come late by itself
            ((${#words[@]} > 1)) || [[ $(<alone) == "$(<drawn)" ]] ||
                lanes -o picture.txt "${words[@]}" 2>&1 </dev/null |
                diff alone - || echo "in ${words[*]}"

            ((${#words[@]} == 1 || alone == 124)) || continue
            log=$ROOT/tests/lanes/${words[0]}${words[1]}.log
            if [[ ! -e $log ]]; then
                echo "no run is recorded: tests/lanes/record ${words[*]}" \
                    ">tests/lanes/${log##*/}"
                continue
            fi
            # What the recorded run said is what the program says.
            read -r first <"$log"
            printf -v argv '"%s", ' "${words[@]}"
            [[ $first != *"[${argv%, }]"* || ${words[0]} =~ ^($varies)$ ]] ||
                says_else "$log" "${words[*]}"
        done
    }
    export -f own says_else
    export varies
    LIMIT=60 run -0 bash -c '
        for source in "$ROOT"/*/*.c; do
            name=${source##*/}
            name=${name%.c}
            [[ -x $BIN/$name && ${source%/*} != "$ROOT"/@(lanes|bench) ]] || continue
            echo "$name"
            "$name" --help 2>&1 |
                sed -n "s/^ *\(--[a-z0-9-]*\( [0-9][0-9]*\)\?\)  *wrong:.*/$name \1/p"
        done | grep -v "^pipe-atomic --size" >programs
        for ((i = 1; i <= 8; i++)); do
            sed -n "$i~8p" programs | own &
        done
        wait
        grep -H "not understood" ./*/picture.txt || true'
    assert_output ''
}

@test "lanes: nothing of it is open in the program" {
    requires strace
    run -0 bash -c '
        ls /proc/self/fd >plain
        lanes -o picture.txt ls /proc/self/fd >drawn
        diff plain drawn'
}

@test "lanes -k, -r: a kept log gives the same picture" {
    requires strace
    run -0 lanes -k log pipe-eof
    assert_output --regexp 'read\(3\) = 0  EOF|└ read = 0  EOF'
    run -0 bash -c 'lanes -r log >again; lanes -r log | diff - again'
    run -0 grep -c 'last writer gone' again
}

@test "lanes: recorded logs, of this strace and of older ones" {
    run -0 bash -c '
        mkdir now
        for log in "$ROOT"/tests/lanes/*.log; do
            name=${log##*/}
            lanes -r "$log" >"now/${name%.log}.txt"
        done
        diff -r -x waits.txt -x "*.log" -x "*.svg" -x "*.c" -x record \
            "$ROOT/tests/lanes" now'
    assert_output ''
    run -124 lanes -r "$ROOT/tests/lanes/pipe-eof--no-close.log"
}

@test "lanes: a log cut anywhere, or of no sense, is no reason to crash" {
    run -0 bash -c '
        log=$(<"$ROOT/tests/lanes/older.log")
        for ((n = 0; n < ${#log}; n += 23)); do
            printf %s "${log:0:n}" >cut
            lanes -r cut >out 2>&1
            (($? < 125)) || echo "status $? at $n"
        done
        head -c 100000 /dev/urandom >noise
        lanes -r noise >out 2>&1
        (($? < 125)) || echo "status $? at noise"
        grep -q "not understood" out || echo "noise is understood"'
    assert_output ''
}

@test "lanes: damaged logs, half a second of them" {
    run -0 perl "$ROOT/tests/lanes-fuzz.pl" "$RANDOM" 0.5 lanes \
        "$ROOT"/tests/lanes/*.log
    assert_output --regexp '^[0-9]+ logs$'
}

@test "lanes: a descriptor whose sending fails is not on its way" {
    cat >log <<-'END'
	1 execve("./a", ["a"], 0x7ff /* 1 var */) = 0
	1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0
	1 socketpair(AF_UNIX, SOCK_STREAM, 0, [5<UNIX-STREAM:[6->7]>, 6<UNIX-STREAM:[7->6]>]) = 0
	1 fork() = 2
	2 close(4<pipe:[5]>) = 0
	2 read(3<pipe:[5]>,  <unfinished ...>
	1 sendmsg(5<UNIX-STREAM:[6->7]>, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[4<pipe:[5]>]}], msg_controllen=24, msg_flags=0}, MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)
	1 close(4<pipe:[5]>) = 0
	2 <... read resumed>"", 9) = 0
	2 +++ exited with 0 +++
	1 +++ exited with 0 +++
	END
    run -0 lanes -r log
    assert_line --regexp 'last writer gone ╌+▶ └ read = 0  EOF'
}

@test "lanes: a process that is killed on its way into a call has no call" {
    cat >log <<-'END'
	1 execve("./a", ["a"], 0x7ff /* 1 var */) = 0
	1 ???( <unfinished ...>
	1 <... ??? resumed>) = ?
	1 +++ killed by SIGKILL +++
	END
    run -0 lanes -r log
    refute_output --partial 'not understood'
}

# A log of process 1, and of its child 2, as strace writes it; no -ttt.
drawn() {
    { echo '1 execve("./a", ["a"], 0x7ff /* 1 var */) = 0' && cat; } >log
    run -0 lanes "$@" -r log
}

@test "picture: a call that a signal interrupts fails, or begins again" {
    drawn <<-'END'
	1 rt_sigaction(SIGALRM, {sa_handler=0x55, sa_mask=[], sa_flags=0}, NULL, 8) = 0
	1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0
	1 read(3<pipe:[5]>, 0x7ffe, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
	1 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
	1 write(1</dev/pts/1<char 136:1>>, "x", 1) = 1
	1 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)
	1 read(3<pipe:[5]>, 0x7ffe, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
	1 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
	1 rt_sigreturn({mask=[]}) = 0
	1 read(3<pipe:[5]>, 0x7ffe, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
	1 +++ killed by SIGKILL +++
	END
    [[ $(sed -n '5,$s/^ *[0-9]* *│ //p' <<<"$output" | cut -d' ' -f 1-4) == \
        'read(3) … [P1.r]
SIGALRM
prints "x"
└ read = EINTR
read(3) … [P1.r]
SIGALRM
└ read: again (SA_RESTART)' ]] || fail "$output"
}

@test "picture: what goes to the terminal is printed, through 2 or another is said" {
    drawn <<-'END'
	1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0
	1 write(1</dev/pts/1<char 136:1>>, "one, two", 8) = 8
	1 write(2</dev/pts/1<char 136:1>>, "oops", 4) = 4
	1 writev(7</dev/pts/1<char 136:1>>, [{iov_base="parts", iov_len=5}], 1) = 5
	1 write(4<pipe:[5]>, "down", 4) = 4
	1 write(1</dev/pts/1<char 136:1>>, "late", 4) = -1 EIO (Input/output error)
	END
    assert_equal "$(sed -n '4,8s/^ *[0-9]* *│ //p' <<<"$output")" 'prints "one, two"
prints "oops" [stderr]
prints "parts" [fd 7]
write(4,"down") [P1.w]
prints "late" = EIO'
    drawn < <(perl -e '
        print "1 write(1</dev/pts/1<char 136:1>>, \"$_=\", 2) = 2\n" for 1 .. 99;')
    assert_line --regexp '75 more prints$' # whatever it prints
}

@test "picture: sem_wait, where no other function can have called" {
    drawn <<-'END'
	1 mmap(NULL, 96, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
	1 fork() = 2
	2 futex(0x7f0000000020, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
	1 alarm(1) = 0
	1 futex(0x7f0000000020, FUTEX_WAKE, 1) = 1
	2 <... futex resumed>) = 0
	2 futex(0x7f0000000028, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
	1 alarm(2) = 0
	1 futex(0x7f0000000028, FUTEX_WAKE, 1) = 1
	2 <... futex resumed>) = 0
	2 futex(0x7f0000000000, FUTEX_WAIT, 0, NULL <unfinished ...>
	1 alarm(3) = 0
	1 futex(0x7f0000000000, FUTEX_WAKE, 1) = 1
	2 <... futex resumed>) = 0
	END
    assert_equal "$(grep -o '[a-z_ ]*wait … .*' <<<"$output")" ' sem_wait … [shared+32]
 futex wait … [shared+40]
 futex wait … [shared+0]'
    assert_line --regexp 'wake-up .*└ sem_wait$'
    run -0 lanes -a -r log
    assert_line --regexp 'sem_post \[shared[+]32\]'
}

@test "picture: in a pid namespace of its own a process has other numbers" {
    drawn -W 100 <<-'END'
	1 unshare(CLONE_NEWPID) = 0
	1 clone(child_stack=NULL, flags=SIGCHLD) = 21
	21 fork() = 2
	21 wait4(2,  <unfinished ...>
	22 kill(1, SIGWINCH) = 0
	21 <... wait4 resumed>0x7ffc, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
	21 --- SIGWINCH {si_signo=SIGWINCH, si_code=SI_USER, si_pid=2, si_uid=0} ---
	21 wait4(2,  <unfinished ...>
	22 exit_group(3) = ?
	22 +++ exited with 3 +++
	21 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 2
	21 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=2, si_uid=0, si_status=3} ---
	21 vfork( <unfinished ...>
	23 execve("./b", ["b"], 0x7ff /* 1 var */) = 0
	23 set_tid_address(0x7ffc) = 3
	21 <... vfork resumed>) = 3
	23 unshare(CLONE_NEWPID) = 0
	23 fork() = 4
	24 kill(2, SIGWINCH) = -1 ESRCH (No such process)
	24 +++ exited with 5 +++
	23 wait4(4, [{WIFEXITED(s) && WEXITSTATUS(s) == 5}], 0, NULL) = 4
	23 +++ exited with 0 +++
	21 waitid(P_PID, 3, {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=3, si_uid=0, si_status=0}, WEXITED, NULL) = 0
	21 +++ exited with 0 +++
	1 wait4(21, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 21
	1 +++ exited with 0 +++
	END
    assert_equal "$(grep -c ' ├╌ fork ╌' <<<"$output")" 4
    for row in 'waitpid\(C\) …' 'kill\(B, SIGWINCH\)' 'SIGWINCH ◀' '└ waitpid = C ◀.* exit 3' \
        'wait.* = E ◀' 'waitid\(D\) = D ◀' 'wait.* = B ◀'; do
        assert_line --regexp "$row"
    done
    refute_output --partial 'not understood'
    sed -i "/unshare/d;/^21 fork/s:$: /* 22 in strace's PID NS */:
        /^23 fork/s:$: /* 24 in strace's PID NS */:" log
    run -0 lanes -r log # attached to, perhaps
    refute_line --regexp '[A-Z] [?]' # of no parent, so it has no name
}

@test "picture: the first in a pid namespace that was there before is not its number 1" {
    drawn <<-'END'
	1 unshare(CLONE_NEWPID) = 0
	1 fork() = 21
	1 setns(3</proc/21/ns/pid>, CLONE_NEWPID) = 0
	1 fork() = 22
	22 kill(1, SIGWINCH) = 0
	END
    assert_line --regexp 'kill\(1, SIGWINCH\)'
}

@test "lanes: unshare -pf: each process has one lane, and is waited for" {
    requires strace
    ((EUID == 0)) || skip 'needs root, to make a namespace'
    run -0 lanes -W 120 unshare -pf sh -c 'sh -c "exit 3" & wait; /bin/true; kill -WINCH $$'
    assert_equal "$(grep -c '├╌ fork ╌' <<<"$output")" 3
    assert_line --regexp 'wait.* = C ◀.* exit 3'
    assert_line --regexp 'wait.* = D ◀.* exit 0'
    assert_line --regexp 'kill\(B, SIGWINCH\)'
}

@test "note: a wake-up that is private reaches no other process" {
    drawn <<-'END'
	1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
	1 fork() = 2
	2 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0}, 88) = 3
	2 futex(0x7f0000000000, FUTEX_WAKE_PRIVATE, 1) = 0
	1 futex(0x7f0000000000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
	2 futex(0x7f0000000000, FUTEX_WAKE_PRIVATE, 1) = 0
	2 futex(0x7f0000000000, FUTEX_WAKE, 1) = 0
	1 <... futex resumed>) = -1 EAGAIN (Resource temporarily unavailable)
	1 futex(0x7f0000000800, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
	2 futex(0x7f0000000800, FUTEX_WAKE_PRIVATE, 1) = 0
	2 futex(0x7f0000000400, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
	3 futex(0x7f0000000400, FUTEX_WAKE_PRIVATE, 1) = 0
	3 futex(0x7f00ffff0000, FUTEX_WAKE_PRIVATE, 1) = 0
	1 +++ killed by SIGKILL +++
	3 +++ killed by SIGKILL +++
	2 +++ killed by SIGKILL +++
	END
    assert_line --regexp '│ sem_wait … \[shared[+]0\]'
    assert_equal "$(grep -B 1 'no other' <<<"$output" | sed 's/.*│ \([fs]\)/\1/;s/ *│$//')" \
        "sem_post [shared+0]
     wakes no other process: sem_init's pshared was 0
--
futex wake shared+2048
     wakes no other process: it was made without PTHREAD_PROCESS_SHARED"
}

@test "note: a time from now on, where one of the clock is asked for" {
    drawn <<-'END'
	1 futex(0x7ffd90, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, {tv_sec=1, tv_nsec=0}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)
	1 alarm(1) = 0
	1 futex(0x7ffd90, FUTEX_WAIT_BITSET_PRIVATE, 0, {tv_sec=1, tv_nsec=0}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)
	1 futex(0x7ffd90, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, {tv_sec=1700000000, tv_nsec=0}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)
	1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
	1 futex(0x7f0000000000, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=5}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)
	1 mq_timedreceive(3</q>, 0x7ffe, 9, NULL, {tv_sec=5, tv_nsec=0}) = -1 ETIMEDOUT (Connection timed out)
	1 alarm(2) = 0
	1 mq_timedsend(3</q>, "x", 1, 0, {tv_sec=5, tv_nsec=0}) = 0
	END
    assert_equal "$(grep -B 1 '1970' <<<"$output" | sed 's/.*│ //;s/^ *//')" \
        'futex wait = ETIMEDOUT [fd90]
the time is absolute, not from now on: this one was in 1970
--
sem_timedwait = ETIMEDOUT [shared+0]
the time is absolute, not from now on: this one was in 1970
mq_receive(3) = ETIMEDOUT
the time is absolute, not from now on: this one was in 1970'
}

@test "note: a time of 0 means not to wait, and has none" {
    drawn <<-'END'
	1 mq_timedreceive(3</q>, 0x7ffe, 9, NULL, {tv_sec=0, tv_nsec=0}) = -1 ETIMEDOUT (Connection timed out)
	1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
	1 futex(0x7f0000000000, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=0}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)
	END
    assert_output --partial 'mq_receive(3) = ETIMEDOUT'
    refute_output --partial 1970
}

# Process 2 waits in its own memory, where 1 has the same address or name.
alone() {
    drawn < <(for pid in 1 2; do
        echo "$pid ${1//$'\n'/$'\n'$pid }"
    done
    echo '2 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0}, 88) = 3
3 futex(0x7f0000001000, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>
1 futex(0x7f0000001000, FUTEX_WAKE_PRIVATE, 1) = 0
2 futex(0x7f0000001000, FUTEX_WAKE_PRIVATE, 1) = 1
3 <... futex resumed>) = 0')
    assert_output --partial 'futex wait'
    refute_output --partial 'no other process'
}

@test "note: memory that is shared no more, or of another file of its name, is not shared" {
    local map='mmap(0x7f0000000000, 8192, PROT_READ|PROT_WRITE'
    alone 'openat(AT_FDCWD</x>, "/dev/zero", O_RDWR) = 3</dev/zero<char 1:5>>
'"$map"', MAP_SHARED, 3</dev/zero<char 1:5>>, 0) = 0x7f0000000000'
    alone 'memfd_create("buf", 0) = 3</memfd:buf (deleted)>
'"$map"', MAP_SHARED, 3</memfd:buf (deleted)>, 0) = 0x7f0000000000'
    map='mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_SHARED, 3</x/f>, 0) = 0x7f0000000000'
    alone 'openat(AT_FDCWD</x>, "f", O_RDWR) = 3</x/f>
'"$map"'
munmap(0x7f0000001000, 4096) = 0'
    alone 'openat(AT_FDCWD</x>, "f", O_RDWR) = 3</x/f>
'"$map"'
mmap(0x7f0000001000, 100, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0) = 0x7f0000001000'
}

@test "note: a System V key of -1 is what ftok returns when it fails" {
    local get
    for get in 'shmget(KEY, 64' 'semget(KEY, 1' 'msgget(KEY'; do
        drawn < <(echo "1 ${get/KEY/0xffffffff}, IPC_CREAT|0600) = 7"
            echo "1 ${get/KEY/0xfffffff}, IPC_CREAT|0600) = 8")
        assert_equal "$(grep -A 1 "${get%(*}() = 7" <<<"$output" |
            tail -n 1)" '     key -1: did ftok fail?'
        assert_equal "$(grep -c ftok <<<"$output")" 1
    done
    drawn -o x.svg < <(echo '1 semget(0xffffffff, 1, 0600) = 7')
    run -0 grep -c 'class="words".*key -1: did ftok fail?' x.svg
}

@test "picture: what has been counted comes before what its maker does next" {
    drawn < <(perl -e '
        print "1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0\n1 fork() = 2\n";
        print "1 write(4<pipe:[5]>, \"ping\", 4) = 4\n",
            "2 read(3<pipe:[5]>, \"ping\", 4) = 4\n" x ($_ < 7) for 1 .. 7;
        print "1 alarm(5) = 0\n2 read(3<pipe:[5]>,  <unfinished ...>\n",
            "1 alarm(6) = 0\n2 <... read resumed>\"ping\", 4) = 4\n"')
    assert_equal "$(sed -n 's/^ *[0-9]* *[│├]/│/; /more\|alarm/p' <<<"$output" |
        sed 's/ *│* *$//')" '│ 3 more write
│                        │ 2 more read
│ alarm(5)
│ alarm(6)'
}

@test "picture: a call that begins again goes on waiting; a name that is the kernel's" {
    drawn <<-'END'
	1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0
	1 socket(AF_UNIX, SOCK_DGRAM, 0) = 7<UNIX:[7]>
	1 bind(7<UNIX:[7]>, {sa_family=AF_UNIX}, 2) = 0
	1 fork() = 2
	1 read(3<pipe:[5]>,  <unfinished ...>
	2 alarm(1) = 0
	1 <... read resumed>0x7ffd, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
	1 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=9, si_uid=0, si_status=0} ---
	2 alarm(2) = 1
	1 read(3<pipe:[5]>,  <unfinished ...>
	2 alarm(3) = 2
	END
    assert_line --partial 'bind(7, autobind)'
    assert_equal "$(grep -c '┊ .*alarm' <<<"$output")" 3
}

@test "picture: SETALL's values are not known, and so not which semop has to wait" {
    drawn -W 100 <<-'END'
	1 semget(IPC_PRIVATE, 2, 0600|IPC_CREAT) = 9
	1 semctl(9, 0, SETALL, 0x7ffd) = 0
	1 fork() = 2
	1 semop(9, [{sem_num=1, sem_op=-1, sem_flg=0}], 1) = 0
	2 semop(9, [{sem_num=1, sem_op=-1, sem_flg=0}], 1 <unfinished ...>
	1 semop(9, [{sem_num=1, sem_op=1, sem_flg=0}], 1) = 0
	2 <... semop resumed>) = 0
	END
    assert_line --regexp '│ semctl\(SETALL \?\) '
    assert_equal "$(grep -o 'semop([^)]*) …' <<<"$output")" 'semop(1, -1) …'
    assert_line --regexp '├╌ wake-up ╌+▶ └ semop'
}

@test "picture: an end of file and an error are not folded into the others" {
    drawn -W 100 < <(perl -e '
        print "1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0\n";
        print "1 write(4<pipe:[5]>, \"ping\", 4) = 4\n" x 100;
        print "1 fork() = 2\n2 close(4<pipe:[5]>) = 0\n";
        print "2 read(3<pipe:[5]>, \"ping\", 4) = 4\n" x 100;
        print "1 write(4<pipe:[5]>, \"ping\", 4) = -1 EAGAIN (Resource)\n";
        print "1 close(4<pipe:[5]>) = 0\n2 read(3<pipe:[5]>, \"\", 4) = 0\n";
        print "2 +++ exited with 0 +++\n1 +++ exited with 0 +++\n"')
    assert_line --regexp '96 more write'
    assert_line --regexp '96 more read'
    assert_line --regexp 'write\(4,"ping"\) = EAGAIN'
    assert_line --regexp 'last writer gone ╌+▶ read\(3\) = 0  EOF'
    assert_line --regexp ' 12  ├─ 4 bytes ·6 ─+▶ read' # of the fourth write
}

@test "picture: what a compiler reads and writes of plain files is folded" {
    drawn < <(perl -e '
        print "1 execve(\"/usr/bin/ld\", [\"ld\"], 0x7ff /* 1 var */) = 0\n";
        print "1 openat(AT_FDCWD</x>, \"f\", O_RDWR) = 3</x/f>\n";
        for (1 .. 20) {
            print "1 read(3</x/f>, \"$_\", 4) = 1\n";
            print "1 write(3</x/f>, \"$_\", 2) = 2\n";
        }
        print "1 read(3</x/f>, 0x7, 4) = -1 EIO (Input/output error)\n";
        print "1 read(3</x/f>, \"\", 4) = 0\n1 +++ exited with 0 +++\n"')
    [[ $(sed '1,4d;s/^ *[0-9]* *[│└] //' <<<"$output") == \
        'read(3) = "1"
write(3,"1")
19 more read
19 more write
read(3) = EIO
read(3) = 0  EOF
exit 0' ]] || fail "$output"
}

@test "picture: what is written before accept; the ends of a pair" {
    drawn <<-'END'
	1 socketpair(AF_UNIX, SOCK_STREAM, 0, [5<UNIX-STREAM:[8->9]>, 6<UNIX-STREAM:[9->8]>]) = 0
	1 socket(AF_UNIX, SOCK_STREAM, 0) = 3<UNIX-STREAM:[6]>
	1 bind(3<UNIX-STREAM:[6]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 listen(3<UNIX-STREAM:[6,"s"]>, 5) = 0
	1 fork() = 2
	2 socket(AF_UNIX, SOCK_STREAM, 0) = 4<UNIX-STREAM:[7]>
	2 connect(4<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	2 write(4<UNIX-STREAM:[7]>, "early", 5) = 5
	2 read(4<UNIX-STREAM:[7->10]>,  <unfinished ...>
	1 accept(3<UNIX-STREAM:[6,"s"]>, NULL, NULL) = 7<UNIX-STREAM:[10->7,"s"]>
	1 read(7<UNIX-STREAM:[10->7,"s"]>, "early", 9) = 5
	1 write(7<UNIX-STREAM:[10->7,"s"]>, "late", 4) = 4
	2 <... read resumed>"late", 9) = 4
	1 write(6<UNIX-STREAM:[9->8]>, "x", 1) = 1
	1 read(5<UNIX-STREAM:[8->9]>, "x", 9) = 1
	2 +++ exited with 0 +++
	1 +++ exited with 0 +++
	END
    assert_line --regexp '│ read\(4\) … \[S3\]' # its own words are no answer
    assert_line --regexp 'read\(7\) = .*◀ 5 bytes ┤'
    assert_line --regexp '├─ 4 bytes ─+▶ └ read = "late"'
    assert_line --regexp 'socketpair\(\) = 5, 6 \[S1\]'
    assert_line --regexp 'write\(6,"x"\) \[S1.b\]'
    assert_line --regexp 'read\(5\) = "x" \[S1.a\]'
}

@test "picture: datagrams of UDP, each whole; splice, tee and vmsplice" {
    drawn <<-'END'
	1 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3<UDP:[70]>
	1 bind(3<UDP:[70]>, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
	1 fork() = 2
	1 recvfrom(3<UDP:[127.0.0.1:500]>,  <unfinished ...>
	2 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 4<UDP:[71]>
	2 sendto(4<UDP:[71]>, "one", 3, 0, {sa_family=AF_INET, sin_port=htons(500), sin_addr=inet_addr("127.0.0.1")}, 16 <unfinished ...>
	1 <... recvfrom resumed>"on", 2, 0, {sa_family=AF_INET, sin_port=htons(600), sin_addr=inet_addr("127.0.0.1")}, [16]) = 2
	2 <... sendto resumed>) = 3
	2 connect(4<UDP:[0.0.0.0:600]>, {sa_family=AF_INET, sin_port=htons(500), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
	2 write(4<UDP:[127.0.0.1:600->127.0.0.1:500]>, "four", 4) = 4
	1 read(3<UDP:[127.0.0.1:500]>, "four", 9) = 4
	1 sendto(3<UDP:[127.0.0.1:500]>, "again", 5, 0, {sa_family=AF_INET, sin_port=htons(600), sin_addr=inet_addr("127.0.0.1")}, 16) = 5
	2 recvfrom(4<UDP:[127.0.0.1:600->127.0.0.1:500]>, "again", 9, 0, NULL, NULL) = 5
	2 +++ exited with 0 +++
	1 +++ exited with 0 +++
	END
    assert_line --regexp 'recv = .*◀ 3 b.*┤'
    assert_line --regexp 'read\(3\) = .*◀ 4 bytes ┤'
    assert_line --regexp '├─ 5 bytes ─+▶ recv\(4\) = "again"'
    drawn <<-'END'
	1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0
	1 pipe([5<pipe:[6]>, 6<pipe:[6]>]) = 0
	1 fork() = 2
	2 read(5<pipe:[6]>,  <unfinished ...>
	1 vmsplice(4<pipe:[5]>, [{iov_base="hello", iov_len=5}, {iov_base="you", iov_len=3}], 2, 0) = 8
	1 tee(3<pipe:[5]>, 6<pipe:[6]>, 100, 0 <unfinished ...>
	2 <... read resumed>"helloyou", 9) = 8
	1 <... tee resumed>) = 8
	2 splice(3<pipe:[5]>, NULL, 6<pipe:[6]>, NULL, 100, 0) = 8
	1 read(5<pipe:[6]>, "helloyou", 9) = 8
	2 +++ exited with 0 +++
	1 +++ exited with 0 +++
	END
    assert_line --regexp '├─ 8 bytes .*▶ └ read = "helloyou"'
    assert_line --regexp '├─ 8 bytes ·[0-9]+ ─+▶ splice\(3,6\) = 8'
    assert_line --regexp 'read\(5\) = .*◀ 8 bytes ┤'
}

@test "picture: which lock, which semaphore, which signal" {
    drawn -W 100 <<-'END'
	1 openat(AT_FDCWD</x>, "f", O_RDWR) = 3</x/f>
	1 fcntl(3</x/f>, F_SETLKW, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=10, l_len=5}) = 0
	1 fcntl(3</x/f>, F_SETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=0, l_len=0}) = 0
	1 pselect6(6, [3</x/f> 5<pipe:[6]>], [1</dev/null>], NULL, NULL, NULL) = 2 (in [3</x/f> 5<pipe:[6]>], out [1</dev/null>])
	1 semget(IPC_PRIVATE, 3, 0600) = 9
	1 semctl(9, 2, SETVAL, 0x1) = 0
	1 semop(9, [{sem_num=2, sem_op=-1, sem_flg=0}, {sem_num=0, sem_op=1, sem_flg=0}], 2) = 0
	1 rt_sigprocmask(SIG_BLOCK, [USR1], [], 8) = 0
	1 rt_sigprocmask(SIG_BLOCK, ~[], [USR1], 8) = 0
	1 rt_sigprocmask(SIG_SETMASK, [USR1], NULL, 8) = 0
	1 rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0
	1 link("/dev/shm/sem.abc123", "/dev/shm/sem.turn") = 0
	1 openat(AT_FDCWD</x>, "/dev/shm/sem.turn", O_RDWR|O_NOFOLLOW) = 4</dev/shm/sem.turn>
	1 mmap(NULL, 32, PROT_READ|PROT_WRITE, MAP_SHARED, 4</dev/shm/sem.turn>, 0) = 0x7f0000000000
	1 rt_sigprocmask(SIG_UNBLOCK, [RTMIN RT_1], NULL, 8) = 0
	1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0}, 88) = 2
	1 futex(0x7f00ff, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 2, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
	2 futex(0x7f0000000000, FUTEX_WAIT_BITSET, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
	1 --- SIGCONT {si_signo=SIGCONT, si_code=SI_USER, si_pid=1, si_uid=0} ---
	2 <... futex resumed>) = 0
	2 exit(0) = ?
	2 +++ exited with 0 +++
	1 <... futex resumed>) = 0
	1 +++ killed by SIGKILL +++
	END
    for row in 'fcntl\(3, WRLCK 10-14\)' 'fcntl\(3, UNLCK 0-end\)' \
        'select\(3,5\) = 3,5$' 'semctl\(2, SETVAL 1\)' 'semop\(2, -1; 0, \+1\)' 'block \[USR1\]' \
        'unblock \[USR1\]' 'pthread_join\(B\) …' '└ pthread_join ◀.* ended' \
        'sem_wait … \[/turn\]'; do
        assert_line --regexp "│ $row"
    done
    assert_equal "$(grep -c 'block' <<<"$output")" 2
}

@test "picture: the same error, and the end again and again, are counted apart" {
    drawn < <(perl -e '
        print "1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0\n";
        print "1 read(3<pipe:[5]>, 0x7ffe, 1) = -1 EAGAIN (Resource)\n" x 30;
        print "1 close(4<pipe:[5]>) = 0\n";
        print "1 read(3<pipe:[5]>, \"\", 1) = 0\n" x 30;
        print "1 close(3<pipe:[5]>) = 0\n1 +++ exited with 0 +++\n"')
    assert_line --regexp ' 7  │ 26 more read = EAGAIN$'
    assert_line --regexp ' 9  │ read\(3\) = 0  own EOF'
    assert_line --regexp ' 13  │ 26 more read = 0  own EOF$'
}

@test "picture: of a message what came; one without a byte is no end of file" {
    drawn -W 100 <<-'END'
	1 mq_open("q", O_RDWR|O_CREAT, 0600, {mq_flags=0, mq_maxmsg=10, mq_msgsize=9, mq_curmsgs=0}) = 3</q>
	1 mq_timedsend(3</q>, "", 0, 0, NULL) = 0
	1 mq_timedreceive(3</q>, "", 9, NULL, NULL) = 0
	1 mq_timedsend(3</q>, "x", 1, 5, NULL) = 0
	1 mq_timedreceive(3</q>, "x", 9, [5], NULL) = 1
	1 msgget(IPC_PRIVATE, 0600) = 7
	1 msgsnd(7, {mtype=4, mtext="a\0\33b"}, 4, 0) = 0
	1 msgrcv(7, {mtype=4, mtext="a\0\33bfive\361\3\177"}, 40, 0, 0) = 4
	1 +++ exited with 0 +++
	END
    assert_line --regexp '│ mq_receive\(3\) = "" \[q\]$'
    assert_line --regexp '│ mq_receive\(3\) = "x" prio 5 \[q\]$'
    assert_line --regexp '│ msgrcv\(0\) = "a\\0\\33b" type 4 '
}

@test "picture: an errno and EOF are whole in narrow lanes; an arrow's head, too" {
    drawn <<-'END'
	1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0
	1 fork() = 2
	1 fork() = 3
	1 fork() = 4
	1 fork() = 5
	2 socket(AF_UNIX, SOCK_STREAM, 0) = 7<UNIX-STREAM:[7]>
	2 connect(7<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="early.sock"}, 110) = -1 ECONNREFUSED (Connection refused)
	2 write(1</dev/pts/1<char 136:1>>, "what is 9 = 9", 13) = 13
	2 write(4<pipe:[5]>, "ping", 4) = 4
	1 close(4<pipe:[5]>) = 0
	2 close(4<pipe:[5]>) = 0
	3 close(4<pipe:[5]>) = 0
	4 close(4<pipe:[5]>) = 0
	3 read(3<pipe:[5]>, "ping", 4) = 4
	5 close(4<pipe:[5]>) = 0
	3 read(3<pipe:[5]>, "", 4) = 0
	END
    assert_line --regexp '│ …ECONNREFUSED│'
    refute_line --regexp 'write.*… = 9'
    assert_line --regexp '│ [a-z]+… = 0  EOF ?◀[^│]*┤$'
    run -1 grep '[│┊]◀' <<<"$output" # no other lane between it and its row
}

@test "picture: … where a call has to wait, and only there" {
    drawn -W 120 <<-'END'
	1 semget(IPC_PRIVATE, 1, 0600) = 9
	1 semctl(9, 0, SETVAL, 0x1) = 0
	1 openat(AT_FDCWD</x>, "f", O_RDWR) = 3</x/f>
	1 fork() = 2
	1 semop(9, [{sem_num=0, sem_op=-1, sem_flg=0}], 1 <unfinished ...>
	2 getppid() = 1
	2 flock(3</x/f>, LOCK_EX <unfinished ...>
	1 <... semop resumed>) = 0
	2 <... flock resumed>) = 0
	2 flock(3</x/f>, LOCK_SH) = 0
	1 fcntl(3</x/f>, F_SETLKW, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=9}) = 0
	2 semop(9, [{sem_num=0, sem_op=-1, sem_flg=0}], 1 <unfinished ...>
	1 openat(AT_FDCWD</x>, "g", O_RDWR|O_CREAT, 0600 <unfinished ...>
	1 <... openat resumed>) = 4</x/g>
	1 semop(9, [{sem_num=0, sem_op=1, sem_flg=0}], 1 <unfinished ...>
	2 <... semop resumed>) = 0
	1 <... semop resumed>) = 0
	1 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=1, tv_nsec=0}, NULL) = 0
	1 wait4(-1,  <unfinished ...>
	2 +++ exited with 0 +++
	1 <... wait4 resumed>NULL, 0, NULL) = 2
	1 +++ exited with 0 +++
	END
    assert_equal "$(grep -o '[a-z]*([^)]*) …' <<<"$output" | xargs)" \
        'semop(0, -1) … nanosleep(1 s) … waitpid(-1) …'
}

@test "picture: the program's own files of the system, not the C library's" {
    drawn <<-'END'
	1 openat(AT_FDCWD</x>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
	1 openat(AT_FDCWD</x>, "/etc/hostname", O_RDONLY) = 3</etc/hostname>
	1 read(3</etc/hostname>, "vm\n", 99) = 3
	1 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0) = 4<UNIX-STREAM:[6]>
	1 connect(4<UNIX-STREAM:[6]>, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)
	1 close(4<UNIX-STREAM:[6]>) = 0
	1 openat(AT_FDCWD</x>, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 4</etc/passwd>
	1 openat(4</>, "run", O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_PATH) = 5</run>
	1 close(5</run>) = 0
	1 openat(AT_FDCWD</x>, "/dev/shm/sem.turn", O_RDWR|O_NOFOLLOW) = -1 ENOENT (No such file or directory)
	1 openat(AT_FDCWD</x>, "/dev/shm/sem.Ab12Cd", O_RDWR|O_CREAT|O_EXCL, 0600) = 5</dev/shm/sem.Ab12Cd>
	1 write(5</dev/shm/sem.Ab12Cd>, "\1\0\0\0", 32) = 32
	1 link("/dev/shm/sem.Ab12Cd", "/dev/shm/sem.turn") = 0
	1 +++ exited with 0 +++
	END
    [[ $(sed '1,2d;$d;s/^ *[0-9]* *│ //' <<<"$output") == \
        'open(hostname) = 3
read(3) = "vm\n"
open(/turn) = ENOENT
sem_open makes /turn' ]] || fail "$output"
}

@test "lanes: many processes that are gone need no memory" {
    perl >log -e '
        print "1 execve(\"./a\", [\"a\"], 0x7ff /* 1 var */) = 0\n";
        for my $p (2 .. 4000) {
            print "1 fork() = $p\n$p pipe([3<pipe:[$p]>, 4<pipe:[$p]>]) = 0\n",
                "$p exit_group(0) = ?\n$p +++ exited with 0 +++\n",
                "1 wait4(-1, NULL, 0, NULL) = $p\n";
        }
        print "1 exit_group(0) = ?\n1 +++ exited with 0 +++\n"'
    run -0 bash -c 'ulimit -v 12000; lanes -r log | tail -n 1'
    assert_output --partial 'exit 0'
}

@test "lanes: plain ASCII where the locale is not UTF-8, and no colour" {
    LC_ALL=C run -0 lanes -r "$ROOT/tests/lanes/connect2.log"
    run -1 grep -P '[^\x00-\x7f]|\x1b' <<<"$output"
}

@test "lanes: no line is wider than -W says" {
    run -0 bash -c '
        for w in 20 40 80 132; do
            lanes -W $w -r "$ROOT/tests/lanes/connect2.log" >picture
            (($(wc -L <picture) <= w)) || echo "at -W $w"
        done'
    assert_output ''
}

@test "lanes -c: a caption is drawn under the row that it is for" {
    printf 'A pipe\\(\\)\tTwo descriptors, one pipe.\n' >captions
    run -0 lanes -c captions -r "$ROOT/tests/lanes/connect2.log"
    assert_line --regexp '^ +Two descriptors, one pipe.$'
    assert_equal "$(grep -c 'Two desc' <<<"$output")" 1
}

@test "lanes -s, -q: each row waits for Enter; f shows the tables, q quits" {
    requires strace
    run -130 bash -c 'printf "\n\n\nf\nq\n" |
        lanes -s connect2 echo hi -- wc -c'
    assert_line --index 0 'Enter next, f tables, q quit'
    assert_line --partial 'pipe() = 3, 4'
    assert_line --regexp '3  P1.r  pipe:'
    refute_output --partial 'read(0)'
    run -0 bash -c 'yes "" | lanes -q connect2 echo hi -- wc -c'
    assert_line --index 0 'Enter next, f tables, q quit'
    assert_line --regexp 'C: read\(0\) \[P1.r\] = \?'
}

@test "lanes -d: a program's alarm does not ring while one steps" {
    requires strace
    run -124 lanes -d 70 -t 0.3 pipe-eof --no-close # 20 rows, an alarm of 1 s
    refute_output --partial SIGALRM
    assert_line --partial 'B pipe-eof waits for itself'
}

@test "lanes --and: several commands side by side" {
    requires strace
    mkfifo f
    run -3 lanes sh -c 'echo word >f' --and sh -c 'cat <f; exit 3'
    assert_line --regexp '─ 5 bytes .*─▶'
}

@test "lanes: a FIFO is known, though all have ended before lanes looks" {
    requires strace
    mkfifo gate f
    lanes sh -c 'read -r line <gate; cat f & echo word >f; wait' >out 3>&- &
    wait_until grep -q 'open(gate) …' out
    kill -STOP $!
    echo >gate
    wait_until process_ended "$(pgrep -P $!)"
    kill -CONT $!
    assert_ends 0 $!
    run -0 grep -E '─ 5 bytes .*─▶|◀ 5 bytes ' out
}

@test "lanes -p: a process that runs already is drawn, and not ended" {
    requires strace
    mkfifo f
    sh -c 'read -r line <f; exit 5' 3>&- &
    lanes -p $! >picture 3>&- &
    wait_until grep -qs open picture ||
        wait_until pgrep -x strace >/dev/null
    echo word >f
    wait -n || true
    wait || true
    run -0 grep 'exit 5' picture
}

@test "lanes -p: a process in a pid namespace of its own is waited for, too" {
    requires strace
    ((EUID == 0)) || skip 'needs root, to make a namespace'
    mkfifo f
    unshare -pf --kill-child sh -c 'read -r line; sh -c "exit 4"; exit 5' <>f 3>&- &
    wait_until pgrep -P $!
    lanes -W 120 -p $! >picture 3>&- &
    wait_until grep -qs 'waitpid.*…' picture
    echo word >f
    wait
    assert_equal "$(grep -c '╌ fork ╌' picture)" 1
    run -0 grep 'wait.* = C ◀.* exit 4' picture
}

@test "lanes: a tool that is missing is named with its package" {
    mkdir tools
    run -1 env PATH=tools "$BIN/lanes" /bin/true
    assert_output --partial 'apt-get install strace'
    requires strace
    ln -s "$(type -P strace)" tools
    run -0 env PATH=tools "$BIN/lanes" -l /bin/true
    assert_output --partial 'apt-get install binutils'
}

@test "lanes -m: shared memory that changes has a row" {
    requires strace
    run -0 lanes -m sem-counter
    assert_line --regexp '[+]0 = [0-9 ]+.*shared'
    assert_line --regexp '─ memory ─'
}

@test "lanes -m: a change comes after its cause, and before its maker's end" {
    requires strace
    cc -w -o turns -x c - <<-'END'
	#include <stdlib.h>
	#include <sys/mman.h>
	#include <sys/wait.h>
	#include <unistd.h>
	int main(void)
	{
	    int p[2], q[2], *m = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	    char c;
	    pipe(p), pipe(q);
	    if (fork() == 0) {
	        read(p[0], &c, 1), m[0] = 7, write(q[1], "x", 1);
	        read(p[0], &c, 1), m[1] = 8, exit(0);
	    }
	    write(p[1], "a", 1), read(q[0], &c, 1), m[2] = 9, write(p[1], "b", 1);
	    wait(0);
	    exit(0);
	}
	END
    for _ in {1..5}; do
        run -0 lanes -m -W 120 ./turns
        order=$(grep -oE '= "[axb]"|= [789] |exit 0' <<<"$output" |
            sed 's/exit 0/e/' | tr -dc axb789e)
        [[ $order == a7x9b8e* ]] || fail "$order: $output"
    done
}

@test "lanes: 100 children and megabytes make a picture that ends" {
    requires strace
    LIMIT=30 run -0 lanes bash -c 'for ((i = 0; i < 100; i++)); do : & done; wait'
    LIMIT=30 run -0 lanes pipeline --pipe-size 1048576 \
        head -c 2M /dev/zero -- wc -c
    assert_line --partial 2097152
    (($(wc -l <<<"$output") < 200))
}

# Which file uses which, as nm sees it: "user used" a line.
rooms() {
    nm -A -P "$BIN"/.lanes/*.o | sed 's,^.*/\([a-z]*\)\.o: ,\1 ,' | awk '
        $3 == "U" { uses[$1 " " $2] }
        $3 ~ /[BDRT]/ { file[$2] = $1 }
        END {
            for (use in uses) {
                split(use, word)
                if (word[2] in file)
                    print word[1], file[word[2]]
            }
        }' | sort -u
}

@test "lanes: each file uses only what is below it, the verdict the world alone" {
    [[ $(cd "$BIN/.lanes" && echo *.o) == $(cd "$ROOT/lanes" && echo *.c |
        sed 's/\.c/.o/g') ]] || fail "bin has objects of files that are no longer in lanes: make clean"
    rooms >uses
    run -0 bash -c 'tsort uses >order' # it names the files of a circle
    assert_equal "$(head -n 1 order)" main
    run -0 sed -n 's/^\(world\|message\|verdict\) //p' uses
    assert_equal "$(sort -u <<<"$output")" "$(printf '%s\n' base circles world)"
}

# ---- the moments of lanes/README.md; its verdicts are in lanes-stuck.bats

@test "moment: uniq is killed by SIGPIPE, because head has gone" {
    requires strace
    run -0 lanes -W 150 sh -c 'seq 19999 | sort | uniq -c | head -n 3'
    assert_line --regexp 'write.* = EPIPE ◀ last re.*┤'
    assert_line --regexp 'waitpid.* = D ◀╌+ SIGPIPE .*╌┤'
}

@test "moment: descriptor tables before and after dup2" {
    run -0 bash -c '(yes "" | head -n 11; printf "%s\n" f "" f q) |
        lanes -s -r "$ROOT/tests/lanes/connect2.log" | tail -n 14'
    assert_equal "$(sed -n '/B connect2/,/^  C /s/pipe.*//p' <<<"$output")" \
        "$(printf '      %s  P1.w  \n' 4 1 4)"
}

@test "moment: the same file under another number" {
    run -0 lanes -r "$ROOT/tests/lanes/fdpass.log"
    assert_line --partial 'fd 4 as fd 3'
}

@test "moment: a lost update, forced; the memory lane shows the counter" {
    requires strace
    run -1 lanes -m sem-counter --no-lock 1
    assert_line --regexp '[+]36 = 2|[+]32 = [01] 2' # both have loaded
    refute_line --regexp '[+]32 = 2'
    assert_equal "$(grep -c '+32 = 1' <<<"$output")" 1
}

@test "moment: a lock that nobody waits for never enters the kernel" {
    requires strace
    run -0 lanes -a shm-mutex # three take it, one after the other
    assert_line --partial 'killed by SIGKILL'
    refute_line --partial 'futex w'
    run -0 lanes -r "$ROOT/tests/lanes/sem-turns.log"
    assert_line --regexp '├╌ wake-up ╌+▶ └ sem_wait'
}

@test "moment: shared memory is silent; -m shows what is in it" {
    requires strace
    run -0 lanes shm-hello
    refute_output --regexp 'Hello.*waitpid = B' # no call of Child's has it
    run -0 lanes -m shm-hello
    assert_line --regexp '[+][0-9]+ = "Hello'
}

@test "moment: the queue that jumps" {
    requires strace
    run -0 bash -c 'lanes -W 120 mq-priority | grep -m 4 -o "_receive[^=]* = .*"'
    assert_equal "$(grep -o '"[a-z ]*"' <<<"$output" | paste -sd ' ')" \
        '"high" "mid" "mid again" "low"'
    assert_line --index 0 --partial 'prio 9'
}

@test "moment: three knocks, one answer" {
    requires strace
    run -0 lanes -n 2 -W 120 sig-queue
    assert_equal "$(grep -c 'kill(A, SIGUSR1)' <<<"$output")" 3
    assert_equal "$(grep -c 'sigwait() = SIGUSR1' <<<"$output")" 1
    assert_equal "$(grep -c 'sigwait() = SIGRTMIN+1 ' <<<"$output")" 3
}

@test "moment: what if fork fails" {
    requires strace
    run -1 lanes -x --inject=clone:error=EAGAIN connect2 echo hi -- wc -c
    assert_line --partial 'fork() = EAGAIN'
}

@test "lanes -r: what is no log of strace's is a usage error" {
    touch empty
    for file in empty /dev/zero . "$BIN/lanes" "$ROOT/lanes/main.c"; do
        run -2 lanes -r "$file"
        assert_output --partial 'no log of strace'
    done
}

@test "lanes -l: a call's line is there, whatever else is in its row" {
    requires strace
    # It has none if the row of a fork was drawn before the fork returned.
    has_lines() {
        lanes -l pipe-hello >out 3>&- &&
            grep -qE '├─.*▶ .*read.* pipe-hello.c:[0-9]+$' out &&
            grep -qE '├╌ fork ╌.* pipe-hello.c:[0-9]+$' out
    }
    wait_until has_lines || fail "$(<out)"
}

# No line have the first exec, and the exit of one that returns from main.
without_line() {
    sed -n 's/^ *[0-9]* *│ //; /^exec/d; /^exit/d; /[^ ]\.c:[0-9][0-9]*$/!p' <<<"$output" |
        grep -v '^───\|^     '
}

@test "lanes -l: each row has its line, those of exit and of what waits, too" {
    requires strace
    for run in sem-turns pipe-duplex sock-pair; do
        run -0 lanes -l -W 120 "$run"
        assert_equal "$(without_line)" ''
        assert_line --regexp '[│┊] +│ exit 0 .*[.]c:[0-9]+$'
    done
    run -0 lanes -l -W 120 connect2 echo hi -- cat
    assert_line --regexp '│ exec echo hi .* connect2.c:[0-9]+$'
    run -124 lanes -t 1 -x '--inject=?alarm:retval=0' -l -W 120 \
        pipe-eof --no-close # while it waits
    assert_line --regexp '[│┊] +│ poll.* … .* pipe-eof.c:[0-9]+$'
}

@test "lanes: usage errors name the word, and end with 2" {
    run -2 lanes
    run -2 lanes -t never true
    assert_output --partial never
    run -2 lanes -s -o picture.svg true
    assert_output --partial picture.svg
    run -2 lanes -o picture.doc true
    assert_output --partial picture.doc
    run -0 lanes --help
    assert_output --partial usage:
}
