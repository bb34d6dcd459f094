# lanes: the verdict, why processes are stuck; and what ends a run.

setup_file() {
    cc -w -g -o "$BATS_FILE_TMPDIR/stuck" "$BATS_TEST_DIRNAME/lanes/stuck.c" \
        -pthread -lrt
}

setup() {
    load helper
    # For so long nothing moves; a busy machine is slow to start a program.
    local load
    read -r load _ </proc/loadavg
    export still=$((${load%.*} / 16)).25
    LIMIT=${LIMIT:-20} # several runs stand in one
    export LC_ALL=C.UTF-8
    unset NO_COLOR
    PATH=$BATS_FILE_TMPDIR:$PATH
    cd "$BATS_TEST_TMPDIR"
}

# Draws a command that gets stuck; the verdict is what is left in $output. A
# wrong version's own alarm would end it first on a busy machine: none is set.
stuck() {
    requires strace
    run -124 lanes -t "$still" -x '--inject=?alarm:retval=0' "$@"
    output=${output#*Nothing has moved}
}

# ---- verdicts: a wrong version of the suite for each kind of waiting -----

# Lets several get stuck, side by side: NAME=COMMAND. Each output is in its
# file NAME, with its status; `said NAME REGEX...` looks there.
stuck_all() {
    requires strace
    run -0 bash -c '
        for way; do
            {
                lanes -t $still -x "--inject=?alarm:retval=0" ${way#*=}
                echo "status $?"
            } >"${way%%=*}" &
        done
        wait' stuck_all "$@"
}

ways() { # of tests/lanes/stuck.c
    local way all=()
    for way; do
        all+=("$way=stuck $way")
    done
    stuck_all "${all[@]}"
}

said() {
    local name=$1 pattern
    for pattern in 'status 124' "${@:2}"; do
        grep -qE -e "$pattern" "$name" ||
            fail "$name: nothing like '$pattern' in: $(<"$name")"
    done
}

@test "moment: byte 65537 waits for room that it itself would have to make" {
    stuck perl -e 'pipe R, W; syswrite W, "x" x 65536; syswrite W, "!"'
    assert_line --regexp 'perl +is in write\(4,"!"\) \[P1.w\]'
    assert_line --partial 'full, 65536 bytes'
    assert_line --partial 'waits for itself'
}

@test "verdict: pipes: which process holds which end, and its line" {
    stuck_all 'connect2=connect2 --no-close echo hi -- cat' \
        'self=pipe-eof --no-close' 'three=capture --wait-first' \
        'full=pipeline --wait-first' 'reads=coprocess --no-flush'
    said connect2 'C cat .* read\(0\) \[P1.r\]' 'A connect2 .* connect2.c:[0-9]+$' \
        '1 write end is open: +A connect2 fd 4' \
        '^A waits for C, which waits for A: a circle, for ever\.$'
    said self 'while it holds the write end itself, fd 4' 'waits for itself, for ever\.$'
    said three 'full, 65536 bytes' 'read end is open: +A capture fd 3' 'a circle'
    said full 'full, 65536 bytes'
    said reads 'A waits for B, which waits for A: a circle, for ever'
}

@test "verdict: semaphores and locks: which process has it, even a dead one" {
    shm=/shm-sem.$BASHPID
    stuck_all 'robust=shm-mutex --no-robust' "sem=shm-sem read $shm" \
        'undo=sysv-sem --no-undo' 'forks=sysv-philosophers --one-by-one' \
        'printf=sig-unsafe --printf'
    said robust 'held by B shm-mutex, which has ended and never' \
        'C shm-mutex waits for ever: nobody can end it'
    said sem 'sem_wait \[/shm-sem\..* shm-sem.c:[0-9]+$' \
        'its value is 0; no other process has it open'
    said undo 'semaphore 0: its value is 0, it wants -1' \
        'B sysv-sem took it last, and has ended'
    said forks 'B sysv-philosophers took it last, and is now in semop' \
        'D sysv-philosophers took it last' \
        'B waits for C, which waits for D, which waits for B: a circle'
    said printf 'the lock of a stdio stream, held by C sig-unsafe' 'a circle'
    for name in undo forks; do # each outlives the Parent that was ended
        ipcrm -s "$(grep -om 1 'semset [0-9]*' $name | tr -dc 0-9)" || true
    done
}

@test "verdict: signals and sockets" {
    stuck_all 'pause=sig-hello --pause' 'notify=mq-notify --drain-first' \
        'sockets=sock-pair --no-shutdown' sigwait='stuck sigwait' \
        suspend='stuck suspend'
    said pause 'is in pause\(\)' SIGUSR1
    said notify 'one of \[USR1\] would do'
    said sockets 'no data; the other end: [AB] sock-pair fd' 'a circle, for ever'
    said sigwait 'one of \[USR2\] would do' \
        'nobody is left in this picture that could send one'
    said suspend 'no handler'
    run -1 grep 'give up by itself' pause notify sockets sigwait suspend
}

@test "verdict -f: the tables agree with /proc" {
    requires strace
    stuck -f connect2 --no-close echo hi -- \
        sh -c 'ls -l /proc/self/fd >seen; exec cat'
    assert_line --regexp '^ +4  P1.w  pipe:'
    pipe=$(grep -o 'pipe:\[[0-9]*\]' seen | head -n 1)
    assert_line --regexp "0  P1.r  ${pipe//[/\\[}"
}

# ---- and what else can wait -----------------------------------------------

@test "verdict: none of a log that ends while bytes are on their way" {
    {
        echo '1 execve("./a", ["a"], 0x7ff /* 1 var */) = 0'
        echo '1 pipe([3<pipe:[5]>, 4<pipe:[5]>]) = 0'
        echo '1 fork() = 2'
        echo '2 write(4<pipe:[5]>, "x", 1 <unfinished ...>'
        echo '1 read(3<pipe:[5]>,  <unfinished ...>'
    } >log
    run -124 lanes -r log
    assert_line --partial 'P1: bytes are in it, or on their way'
    assert_line --partial 'P1: there is room in it'
    refute_output --partial 'for ever'
}

# What process 1 waits for at the end of a log, when 2 has come too early.
early() {
    {
        echo '1 execve("./a", ["a"], 0x7ff /* 1 var */) = 0'
        echo '1 fork() = 2'
        cat
        echo '2 +++ exited with 1 +++'
    } >log
    run -124 lanes -r log
    output=${output#*The log ends here}
}

@test "verdict: of a client that has come before the server was there" {
    early <<-'END'
	2 connect(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = -1 ENOENT (No such file or directory)
	1 bind(3<UNIX-STREAM:[6]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 listen(3<UNIX-STREAM:[6,"s"]>, 5) = 0
	1 accept(3<UNIX-STREAM:[6,"s"]>, NULL,  <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to connect before it was bound \(row 3\)$'
    early <<-'END'
	2 connect(3<TCP:[7]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection refused)
	1 bind(3<TCP:[6]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0
	1 listen(3<TCP:[0.0.0.0:80]>, 5) = 0
	1 accept(3<TCP:[0.0.0.0:80]>, NULL,  <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to connect before it listened \(row 3\)$'
    local why
    for why in 'ENOENT (No such file or directory)' \
        'ECONNREFUSED (Connection refused)'; do # what another has left
        early <<-END
	2 sendto(3<UNIX-DGRAM:[7]>, "x", 1, 0, {sa_family=AF_UNIX, sun_path="s"}, 110) = -1 $why
	1 socket(AF_UNIX, SOCK_DGRAM, 0) = 3<UNIX-DGRAM:[6]>
	1 bind(3<UNIX-DGRAM:[6]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 recvfrom(3<UNIX-DGRAM:[6,"s"]>,  <unfinished ...>
	END
        assert_line --regexp '^ +B a tried to send to it before it was bound \(row 3\)$'
    done
    early <<-'END'
	2 connect(3<TCPv6:[7]>, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 ECONNREFUSED (Connection refused)
	1 bind(3<TCPv6:[6]>, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::", &sin6_addr), sin6_scope_id=0}, 28) = 0
	1 listen(3<TCPv6:[[::]:80]>, 5) = 0
	1 accept(3<TCPv6:[[::]:80]>, NULL,  <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to connect before it listened \(row 3\)$'
}

@test "verdict: a client has come before the server that waits in poll" {
    stuck perl -MIO::Socket::UNIX -e '
        exit !IO::Socket::UNIX->new(Peer => "s") if !fork;
        wait;
        my ($l, $r) = IO::Socket::UNIX->new(Local => "s", Listen => 1);
        vec($r, fileno $l, 1) = 1;
        select $r, undef, undef, undef'
    assert_line --regexp '^ +B perl tried to connect before it was bound'
}

@test "verdict: a client that is connected waits for one that would accept" {
    early <<-'END'
	1 socket(AF_UNIX, SOCK_STREAM, 0) = 3<UNIX-STREAM:[6]>
	1 bind(3<UNIX-STREAM:[6]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 listen(3<UNIX-STREAM:[6,"s"]>, 5) = 0
	1 fork() = 3
	3 close(3<UNIX-STREAM:[6,"s"]>) = 0
	3 socket(AF_UNIX, SOCK_STREAM, 0) = 3<UNIX-STREAM:[7]>
	3 connect(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	3 read(3<UNIX-STREAM:[7]>,  <unfinished ...>
	1 wait4(3,  <unfinished ...>
	END
    assert_line --partial 'no data; not accepted yet; could accept: A a fd 3'
    assert_line --partial 'A waits for C, which waits for A: a circle, for ever'
    local server='{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16'
    local connected="1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[6]>
1 bind(3<TCP:[6]>, $server) = 0
1 listen(3<TCP:[127.0.0.1:80]>, 0) = 0
1 fork() = 3
3 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4<TCP:[7]>
3 connect(4<TCP:[7]>, $server) = 0"
    early <<-END
	$connected
	3 read(4<TCP:[127.0.0.1:999->127.0.0.1:80]>,  <unfinished ...>
	1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4<TCP:[8]>
	1 connect(4<TCP:[8]>, $server <unfinished ...>
	END
    assert_line --partial 'no data; not accepted yet; could accept: itself, fd 3, A a fd 3'
    assert_line --partial 'its queue is full, or it does not answer; could accept: C a fd 3, itself, fd 3'
    early <<-END
	$connected
	1 accept(3<TCP:[127.0.0.1:80]>, NULL, NULL) = 4<TCP:[127.0.0.1:80->127.0.0.1:999]>
	3 read(4<TCP:[127.0.0.1:999->127.0.0.1:80]>,  <unfinished ...>
	1 wait4(3,  <unfinished ...>
	END
    assert_line --partial 'no data; the other end: A a fd 4'
}

@test "verdict: of a client that has come again, or too late, nothing is said" {
    early <<-'END'
	1 bind(3<UNIX-STREAM:[6]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	2 connect(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = -1 ECONNREFUSED (Connection refused)
	1 listen(3<UNIX-STREAM:[6,"s"]>, 5) = 0
	2 connect(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 accept(3<UNIX-STREAM:[6,"s"]>, NULL, NULL) = 4<UNIX-STREAM:[10->7,"s"]>
	1 accept(3<UNIX-STREAM:[6,"s"]>, NULL,  <unfinished ...>
	END
    assert_output --partial 'nobody connects'
    refute_output --partial 'tried to'
    early <<-'END'
	1 connect(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = -1 ENOENT (No such file or directory)
	1 bind(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 listen(3<UNIX-STREAM:[7,"s"]>, 5) = 0
	2 connect(4<UNIX-STREAM:[8]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = -1 ENOENT (No such file or directory)
	1 accept(3<UNIX-STREAM:[7,"s"]>, NULL,  <unfinished ...>
	END
    assert_output --partial 'nobody connects'
    refute_output --partial 'tried to'
}

@test "verdict: of an open that came before the reader, or before what has a name" {
    early <<-'END'
	1 mknodat(AT_FDCWD</x>, "f", S_IFIFO|0600) = 0
	2 openat(AT_FDCWD</x>, "f", O_WRONLY|O_NONBLOCK) = -1 ENXIO (No such device or address)
	1 openat(AT_FDCWD</x>, "f", O_RDONLY <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to open it to write while nobody read it \(row 4\)$'
    early <<-'END' # it has been read, but not just then
	1 mknodat(AT_FDCWD</x>, "f", S_IFIFO|0600) = 0
	1 openat(AT_FDCWD</x>, "f", O_RDONLY|O_NONBLOCK) = 3</x/f>
	1 close(3</x/f>) = 0
	2 openat(AT_FDCWD</x>, "f", O_WRONLY|O_NONBLOCK) = -1 ENXIO (No such device or address)
	1 openat(AT_FDCWD</x>, "f", O_RDONLY <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to open it to write while nobody read it'
    early <<-'END'
	2 openat(AT_FDCWD</x>, "f", O_WRONLY) = -1 ENOENT (No such file or directory)
	1 mknodat(AT_FDCWD</x>, "f", S_IFIFO|0600) = 0
	1 openat(AT_FDCWD</x>, "f", O_RDONLY <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to open it before it was made \(row 3\)$'
    early <<-'END'
	2 mq_open("q", O_WRONLY) = -1 ENOENT (No such file or directory)
	1 mq_open("q", O_RDONLY|O_CREAT, 0600, {mq_flags=0, mq_maxmsg=10, mq_msgsize=9, mq_curmsgs=0}) = 3</q>
	1 mq_timedreceive(3</q>,  <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to open it before it was made \(row 3\)$'
    early <<-'END'
	2 openat(AT_FDCWD</x>, "/dev/shm/sem.s", O_RDWR|O_NOFOLLOW) = -1 ENOENT (No such file or directory)
	1 openat(AT_FDCWD</x>, "/dev/shm/sem.s", O_RDWR|O_NOFOLLOW) = -1 ENOENT (No such file or directory)
	1 openat(AT_FDCWD</x>, "/dev/shm/sem.abc", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</dev/shm/sem.abc>
	1 mmap(NULL, 32, PROT_READ|PROT_WRITE, MAP_SHARED, 3</dev/shm/sem.abc>, 0) = 0x7f0000000000
	1 link("/dev/shm/sem.abc", "/dev/shm/sem.s") = 0
	1 futex(0x7f0000000000, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
	END
    assert_line --regexp '^ +B a tried to open it before it was made \(row 3\)$'
}

@test "verdict: of what its maker tried first nothing is said to its children" {
    early <<-'END'
	1 connect(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = -1 ENOENT (No such file or directory)
	1 bind(3<UNIX-STREAM:[6]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 listen(3<UNIX-STREAM:[6,"s"]>, 5) = 0
	1 fork() = 3
	3 accept(3<UNIX-STREAM:[6,"s"]>, NULL,  <unfinished ...>
	1 wait4(3,  <unfinished ...>
	END
    assert_output --partial 'nobody connects'
    refute_output --partial 'tried to'
    early <<-'END'
	1 openat(AT_FDCWD</x>, "/dev/shm/sem.s", O_RDWR|O_NOFOLLOW) = -1 ENOENT (No such file or directory)
	1 openat(AT_FDCWD</x>, "/dev/shm/sem.abc", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</dev/shm/sem.abc>
	1 mmap(NULL, 32, PROT_READ|PROT_WRITE, MAP_SHARED, 3</dev/shm/sem.abc>, 0) = 0x7f0000000000
	1 link("/dev/shm/sem.abc", "/dev/shm/sem.s") = 0
	1 fork() = 3
	3 futex(0x7f0000000000, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
	1 wait4(3,  <unfinished ...>
	END
    assert_output --partial 'in sem_wait'
    refute_output --partial 'tried to'
    early <<-'END'
	1 openat(AT_FDCWD</x>, "f", O_WRONLY|O_NONBLOCK) = -1 ENOENT (No such file or directory)
	1 mknodat(AT_FDCWD</x>, "f", S_IFIFO|0600) = 0
	1 fork() = 3
	3 openat(AT_FDCWD</x>, "f", O_RDONLY <unfinished ...>
	1 wait4(3,  <unfinished ...>
	END
    assert_output --partial 'in open(f)'
    refute_output --partial 'tried to'
}

@test "verdict: of a client of another address, protocol or directory nothing is said" {
    local tcp='sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr'
    early <<-END
	2 connect(3<TCP:[7]>, {$tcp("127.0.0.2")}, 16) = -1 ECONNREFUSED (Connection refused)
	1 bind(3<TCP:[6]>, {$tcp("127.0.0.1")}, 16) = 0
	1 listen(3<TCP:[127.0.0.1:80]>, 5) = 0
	1 accept(3<TCP:[127.0.0.1:80]>, NULL,  <unfinished ...>
	END
    assert_output --partial 'nobody connects'
    refute_output --partial 'tried to'
    early <<-END
	1 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3<UDP:[6]>
	1 bind(3<UDP:[6]>, {$tcp("127.0.0.1")}, 16) = 0
	2 connect(3<TCP:[7]>, {$tcp("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection refused)
	1 recvfrom(3<UDP:[127.0.0.1:80]>,  <unfinished ...>
	END
    assert_output --partial 'anybody may send'
    refute_output --partial 'tried to'
    early <<-END
	2 connect(3<TCPv6:[7]>, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 ECONNREFUSED (Connection refused)
	1 bind(3<TCP:[6]>, {$tcp("127.0.0.1")}, 16) = 0
	1 listen(3<TCP:[127.0.0.1:80]>, 5) = 0
	1 accept(3<TCP:[127.0.0.1:80]>, NULL,  <unfinished ...>
	END
    assert_output --partial 'nobody connects'
    refute_output --partial 'tried to'
    early <<-'END'
	2 chdir("a") = 0
	2 connect(3<UNIX-STREAM:[7]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = -1 ENOENT (No such file or directory)
	1 bind(3<UNIX-STREAM:[6]>, {sa_family=AF_UNIX, sun_path="s"}, 110) = 0
	1 listen(3<UNIX-STREAM:[6,"s"]>, 5) = 0
	1 accept(3<UNIX-STREAM:[6,"s"]>, NULL,  <unfinished ...>
	END
    assert_output --partial 'nobody connects'
    refute_output --partial 'tried to'
}

@test "verdict: of a client of TCP that has come again nothing is said" {
    local tcp='sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr' again
    for again in '= 0' '= -1 EINPROGRESS (Operation now in progress)'; do
        early <<-END
	2 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[7]>
	2 connect(3<TCP:[7]>, {$tcp("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection refused)
	1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[6]>
	1 bind(3<TCP:[6]>, {$tcp("0.0.0.0")}, 16) = 0
	1 listen(3<TCP:[0.0.0.0:80]>, 5) = 0
	2 connect(3<TCP:[7]>, {$tcp("127.0.0.1")}, 16) $again
	1 accept(3<TCP:[0.0.0.0:80]>, NULL, NULL) = 4<TCP:[127.0.0.1:80->127.0.0.1:999]>
	1 accept(3<TCP:[0.0.0.0:80]>, NULL,  <unfinished ...>
	END
        assert_output --partial 'nobody connects'
        refute_output --partial 'tried to'
    done
}

@test "verdict: a reader of a FIFO has come again, as another process" {
    early <<-'END'
	2 openat(AT_FDCWD</x>, "f", O_RDONLY) = -1 ENOENT (No such file or directory)
	1 mknodat(AT_FDCWD</x>, "f", S_IFIFO|0600) = 0
	1 openat(AT_FDCWD</x>, "f", O_WRONLY|O_CREAT <unfinished ...>
	2 fork() = 3
	3 openat(AT_FDCWD</x>, "f", O_RDONLY) = 3</x/f>
	1 <... openat resumed>) = 3</x/f>
	3 +++ exited with 0 +++
	1 openat(AT_FDCWD</x>, "f", O_WRONLY|O_CREAT <unfinished ...>
	END
    assert_output --partial 'in open(f)'
    refute_output --partial 'tried to'
}

@test "verdict: in a pid namespace of its own the child is known by its number there" {
    run -124 lanes -r /dev/stdin <<-'END'
	1 execve("./a", ["a"], 0x7ff /* 1 var */) = 0
	1 unshare(CLONE_NEWPID) = 0
	1 clone(child_stack=NULL, flags=SIGCHLD) = 21
	21 fork() = 2
	21 fork() = 3
	22 pause( <unfinished ...>
	23 pause( <unfinished ...>
	21 wait4(3,  <unfinished ...>
	1 wait4(21,  <unfinished ...>
	END
    assert_line --partial 'in waitpid(D)'
    assert_equal "$(grep -o 'until it ends.*' <<<"$output")" 'until it ends: B a
until it ends: D a'
}

@test "verdict: a wake-up that could not come is not the last one" {
    early <<-'END'
	1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
	1 fork() = 3
	1 futex(0x7f0000000800, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
	3 futex(0x7f0000000800, FUTEX_WAKE_PRIVATE, 1) = 0
	3 +++ exited with 0 +++
	END
    assert_line --partial 'only threads of its own process could:  it has no other'
    refute_output --partial 'the last wake-up'
}

@test "verdict: FIFOs, a full pipe, a child" {
    mkfifo f p never one two
    echo 'exec 8<>p; read -u 8' >reader
    echo 'cat never & wait; :' >parent
    echo ': >one <two & : >two <one' >crossed
    stuck_all 'lone=cat f' 'kept=bash reader' 'wait=bash parent' \
        'cross=sh crossed'
    said cross 'A waits for [BC], which waits for A: a circle'
    said lone 'until somebody opens it to write' \
        'there is no other process in this picture'
    said kept 'no data, and no EOF'
    said wait 'until it ends: [BC] cat'
    ways fifos write range
    said fifos 'a circle \(strangers may come: (one|two) has a name\)'
    said write 'full, 65536 bytes' 'waits for itself, for ever'
    # one that is closed by a call which nobody has drawn
    said range 'while 1 write end is open: +A stuck fd 4'
}

@test "verdict: queues, semaphores, locks" {
    ways mq mq-full msg sem mutex flock
    said mq 'the queue is empty'
    said mq-full 'the queue is full, 1 message'
    said msg 'in the queue: type 3; wanted: type 9'
    said sem 'its value is 0, it wants -1' 'B stuck took it last'
    said mutex 'held by itself: it has locked it already'
    said flock 'lock: locked by itself'
}

@test "verdict: accept, recv, select, connect, epoll" {
    ways accept recv select epoll eventfd
    said accept 'nobody connects'
    said recv 'no data; the other end: B stuck fd 4' 'a circle, for ever'
    said select 'fd 3, a UNIX socket: no data; the other end: B stuck \(fd 4\)'
    said epoll 'fd 3, a pipe: no data, and no EOF while it holds' 'waits for itself'
    said eventfd 'could write: itself, fd 3' 'waits for itself, for ever'
    ways connect
    said connect 'could accept: .*A stuck fd 3'
}

@test "verdict: one that is stopped, and what stopped it" {
    ways stop
    said stop 'A .*waitpid' 'until it ends: B stuck, which is stopped' \
        'B stuck +is stopped \(SIGSTOP\); only SIGCONT wakes it: kill -CONT'
    requires script bsdutils
    run -124 script -qec 'lanes -t 0.25 stuck background' /dev/null
    assert_output --partial \
        'is stopped (SIGTTIN: it read the terminal from the background)'
}

@test "verdict: a circle is said, though another sleeps and wakes" {
    ways watched
    said watched 'Some processes have not moved' \
        '^B waits for C, which waits for B: a circle, for ever\.'
}

@test "verdict: a sleeper, by its descriptor; it is not ended, nor one that computes" {
    requires strace
    lanes -t 0.25 sh -c '(sleep 1.5 & echo hi) | cat' >sleeper 3>&- &
    sleeper=$!
    printf '\0' >enough
    lanes -t 0.25 stuck compute enough >computing 3>&- &
    wait_until grep -q 'until it ends: B stuck, which computes' computing ||
        fail "$(<computing)"
    printf 1 1<>enough
    assert_ends 0 $!
    assert_ends 0 $sleeper
    run -0 cat sleeper
    assert_line --regexp 'while 1 write end is open: +[CD] sleep fd 1, which sleeps 1.5 s'
    refute_line --partial 'for ever'
    assert_line --partial 'exit 0'
}

@test "verdict: the end of the file, again and again" {
    ways eof
    said eof 'until it ends: B stuck, which gets EOF again and again' \
        'B stuck +calls again and again read\(3\) = EOF \[P1.r\]' \
        'B stuck waits for ever'
}

@test "verdict: at ^C, and at SIGTERM" {
    requires strace
    for signal in INT TERM; do
        lanes -t 9 stuck write >$signal 3>&- &
        wait_until grep -qs 'write.* …' $signal
        kill -$signal $!
        wait_until grep -q 'waits for itself, for ever' $signal ||
            fail "$(<$signal)"
        kill -$signal $! || true
        wait $! || true
        run -0 grep '^At ' $signal
    done
}

@test "verdict: memory of one's own; a lock that wakes threads only" {
    ways mutex-copy mutex-left mutex-unlocked sem-copy not-shared
    said mutex-unlocked 'held by B stuck, which has ended; fork has copied the mutex'
    said mutex-left 'held by B stuck, which has ended; fork has copied the mutex' \
        'C stuck waits for ever: nobody can end it'
    said mutex-copy 'held by A stuck: a mutex in memory that fork has copied' \
        'B stuck waits for ever: nobody can end it'
    said sem-copy 'after fork each has its own, B stuck with the value 1'
    said not-shared 'made for the threads of one process' '^B.* waits for itself'
}

@test "verdict: taken before it waits; never set; there before" {
    ways order never-set
    said order 'semaphore 0: .*wants -1' \
        'B stuck took it last, and is now in semop' \
        'semaphore 1: .*wants -1' 'nobody has set it: a new one is 0'
    said never-set 'nobody has set it'
    name=/lanes.$BASHPID
    run -0 "$BATS_FILE_TMPDIR/stuck" left-behind $name # it takes it, and ends
    stuck stuck left-behind $name last
    assert_line --regexp "$name was there before: its value is what an earlier"
}

@test "verdict: nfds too small, a datagram socket without a name, MSG_CTRUNC" {
    ways nfds no-name truncated
    said nfds 'fd 3 is in the set as well, but its first argument is 3, and must be 4'
    said no-name 'it has no name \(bind\), so nobody can send to it' \
        'B stuck waits for ever: nobody can end it'
    said truncated 'descriptor that was sent to it is lost.*MSG_CTRUNC'
}

@test "verdict: signals that were lost, and nobody is left to send one" {
    ways lost once
    said lost 'SIGUSR1: 5 sent, 1 came' 'nobody is left in this picture'
    once='a message lies in the queue /stuck.once .*mq_notify tells once only'
    said once "$once"
    run -124 lanes -w -t 1 stuck once
    assert_line --regexp "$once"
}

@test "lanes -l: a crash has its own line; asking for lines ends no call" {
    requires strace
    run -139 lanes -l stuck crash
    line=$(grep -n 'the line' "$ROOT/tests/lanes/stuck.c" | cut -d: -f1)
    assert_line --regexp "SIGSEGV +stuck.c:$line\$"
    ways never-set sigwait epoll mutex
    said never-set 'is in semop.* stuck.c:[0-9]+$'
    said sigwait 'is in sigwait.* stuck.c:[0-9]+$'
    said epoll 'is in epoll_wait.* stuck.c:[0-9]+$'
    said mutex 'is in pthread_mutex_lock \[.* stuck.c:[0-9]+$'
    run -1 grep EINTR never-set sigwait epoll mutex
}

@test "lanes -p -p: two that ran before, what they hold, which waits for whom" {
    requires strace
    perl -e 'pipe R, W; if (fork) { wait } else { sysread R, $x, 1 }' 3>&- &
    wait_until pgrep -P $!
    run -124 lanes -t 0.4 -f -p $! -p "$(pgrep -P $!)"
    pkill -P $!
    wait $!
    assert_line --regexp 'while 2 write ends are open: .*itself, fd [0-9]+'
    assert_line --regexp '(A waits for B, which waits for A|B waits for A.*): a circle'
    assert_line --regexp '^ +[0-9]+  P1.w  pipe:'
}

@test "lanes -p: what a process has started before is drawn, too" {
    requires strace
    perl -e 'pipe R, W; if (fork) { wait }
        elsif (fork) { wait } else { sysread R, $x, 1 }' 3>&- &
    wait_until pgrep -P $!
    child=$(pgrep -P $!)
    wait_until pgrep -P "$child"
    run -124 lanes -t 0.4 -p $!
    pkill -P "$child"
    wait $!
    assert_line --regexp 'while 3 write ends are open: .*itself, fd [0-9]+'
    assert_line --regexp '^[ABC], [ABC] and [ABC] wait for each other: none'
}

# ---- what is not stuck, and what ends it -----------------------------------

@test "lanes: a busy process is not stuck, nor is one that sleeps" {
    requires strace
    lanes -t 2 perl -e 'pipe R, W; vec($set, fileno R, 1) = 1;
        select $set, undef, undef, 1.6' 3>&- &
    selects=$!
    lanes -t 0.2 sleep 0.5 3>&- &
    sleeps=$!
    lanes -t 0.1 stuck busy go 3>&- &
    read -rt 0.3 <> <(:) || true # there is nothing to wait for but time
    touch go
    assert_ends 0 $!
    assert_ends 0 $sleeps
    assert_ends 0 $selects
}

# A clock that jumps where there is the file "later", and says that it was read.
@test "lanes: while it stands still, as at ^Z, no time passes" {
    requires strace
    make_preload clock.so <<-'END'
	#define _GNU_SOURCE
	#include <errno.h>
	#include <string.h>
	#include <sys/syscall.h>
	#include <time.h>
	#include <unistd.h>
	#include <fcntl.h>
	int clock_gettime(clockid_t clock, struct timespec *t)
	{
	    static int reads;
	    int status = (int)syscall(SYS_clock_gettime, clock, t);
	    if (strcmp(program_invocation_short_name, "lanes") == 0 &&
	        access("later", F_OK) == 0) {
	        t->tv_sec += 900;
	        if (++reads == 50)
	            close(open("seen", O_CREAT | O_WRONLY, 0600));
	    }
	    return status;
	}
	END
    mkfifo gate
    LD_PRELOAD=$PWD/clock.so setsid lanes -t 300 sh -c 'read -r line <gate' >out 3>&- &
    wait_until grep -q 'open(gate) …' out
    kill -STOP -- -$!
    wait_until grep -q '^State:.T' /proc/$!/status
    touch later
    kill -CONT -- -$!
    wait_until eval 'test -e seen || process_ended $!'
    exec {gate}<>gate # which does not wait, if there is no reader any more
    echo >&$gate
    assert_ends 0 $! || fail "$(<out)"
    run -1 grep 'moved for' out
}

@test "lanes: when it is ended, so is what it draws" {
    requires strace
    run -124 timeout 0.5 lanes -o p.txt -t 9 sh -c 'sleep 60; :'
}

@test "lanes: SIGHUP, SIGTERM and ^C end the busiest program, and strace" {
    requires strace
    for signal in HUP TERM INT; do
        taskset -c "$CORE" lanes perl -e '$SIG{$ARGV[0]} = "IGNORE";
            wait if fork; setpgrp; pipe R, W; open F, ">", $ARGV[0];
            while (1) { syswrite W, "x"; sysread R, $x, 1 }
            ' $signal >/dev/null 3>&- &
        wait_until test -e $signal
        kill -$signal $!
        assert_ends $((128 + $(kill -l $signal))) $!
    done
    endless='$_ = "1 write(4<pipe:[5]>, \"ping\", 4) = 4\n"; print for 1 .. 9999;
        kill "TERM", getppid; print while 1'
    run -143 bash -c 'exec lanes -r <(exec perl -e "$1")' bash "$endless"
}

@test "lanes: a program that kills strace is ended, and that is said" {
    requires strace
    run -137 lanes sh -c 'sleep 60 & kill -9 $PPID; wait'
    assert_line --regexp 'kill\([0-9]+, SIGKILL\)'
    assert_line --regexp '^strace, pid [0-9]+, was killed by SIGKILL'
}

@test "lanes: a program that stops strace is ended, and that is said" {
    requires strace
    run -124 lanes -t 0.25 sh -c 'kill -STOP $PPID; sleep 1013'
    assert_line --regexp '^strace, pid [0-9]+, is stopped'
    assert_equal "$(survivors_of 'sleep 1013')" ''
}

@test "verdict: a child whose exec has failed runs on" {
    ways no-exec
    said no-exec 'its exec nosuch = ENOENT, and it runs on as a second stuck'
}

@test "lanes: at SIGBUS, whether the memory has no size or /dev/shm is full" {
    requires strace
    run -1 lanes shm-hello --no-truncate
    assert_line --regexp 'SIGBUS at byte 0 of .*: no ftrunc'
    unshare -m true || skip 'a small /dev/shm needs root and a mount namespace'
    run -135 unshare -m sh -c '
        mount -t tmpfs -o size=16k none /dev/shm && lanes stuck much'
    assert_line --regexp 'SIGBUS at byte 16384 of .*: no memory left'
}

@test "lanes: what an ended program leaves of System V is said" {
    stuck perl -e '$set = semget 0, 1, 0600; shmget 0, 1, 0600;
        semop $set, pack "s3", 0, -1, 0'
    set=$(sed -n 's/^It leaves semaphore set .*: ipcrm -s //p' <<<"$output")
    memory=$(sed -n 's/^It leaves shared memory .*: ipcrm -m //p' <<<"$output")
    run -0 ipcrm -s "$set" -m "$memory"
    stuck stuck never-set # it removes its set when it is asked to end
    refute_line --partial 'It leaves'
}

@test "lanes: where tracing is forbidden it says so, and -r works" {
    requires strace
    run -1 stuck no-ptrace lanes connect2 echo hi -- cat
    assert_line --regexp 'hint: tracing is forbidden here.* -r$'
    run -1 stuck no-ptrace lanes -o picture.txt true
    assert_line --partial 'hint: tracing is forbidden here'
    run -0 stuck no-ptrace lanes -r "$ROOT/tests/lanes/connect2.log"
}
