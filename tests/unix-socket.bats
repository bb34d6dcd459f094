# The programs of unix-socket/, in the folder's order.

setup() {
    load helper
    cd "$BATS_TEST_TMPDIR"
    umask 022
}

# Stops a program after its first CALL, when its socket has a name, and looks
# at the rights that others have; lets it go on. The name is gone at the end.
name_is_private() { # PROGRAM CALL
    requires strace
    env --default-signal strace -f -o log -e trace=bind,"$2" \
        -e inject="$2":signal=STOP:when=1 "$1" >out 2>err 3>&- &
    local tracer=$! pid path
    wait_until grep -q 'stopped by SIGSTOP' log
    read -r pid path < <(sed -nE \
        's/^([0-9]+) +bind\(.*sun_path="([^"]*)".* = 0$/\1 \2/p' log)
    run -0 stat -c '%A %F' "$path"
    assert_output 'srwx------ socket'
    kill -CONT "$pid"
    assert_ends 0 $tracer
    assert_not_exists "$path"
}

# Starts "PROGRAM serve ADDRESS", as $server, and waits until it listens.
serve() { # [-C FOLDER] PROGRAM ADDRESS
    local folder=.
    if [[ $1 == -C ]]; then
        folder=$2
        shift 2
    fi
    env --default-signal -C "$folder" "$1" serve "$2" >out 2>err 3>&- &
    server=$!
    wait_until listens $server
}

# Does a process have a socket whose flags in /proc/net/unix say so?
listens() { # PID
    readlink "/proc/$1"/fd/* | sed -n 's/^socket:\[\(.*\)\]$/\1/p' |
        awk '$4 == "00010000" { listens[$7] = 1 }
            NF == 1 && listens[$1] { found = 1 }
            END { exit !found }' /proc/net/unix -
}

end_server() {
    kill "$server"
    assert_ends 143 "$server"
    assert_not_exists my.sock
    assert_equal "$(<err)" ''
}

# A client that is not ours: connects to PATH N times, makes a file when it
# has, and keeps silent until it is killed. $silent is its pid.
keep_silent() { # PATH N [TYPE]
    perl -MSocket -e 'for (1..$ARGV[1]) {
            socket(my $s, PF_UNIX, eval $ARGV[2], 0) or die $!;
            connect($s, sockaddr_un($ARGV[0])) or die "connect: $!";
            push @all, $s;
        }
        open(OK, ">connected"); sleep' "$1" "$2" "${3:-SOCK_STREAM}" 3>&- &
    silent=$!
    wait_until test -e connected
}

# A server that is not ours: gives one client an answer, perhaps none.
answer_once() { # PATH TYPE ANSWER
    perl -MSocket -e 'socket(S, PF_UNIX, eval $ARGV[1], 0) or die $!;
        bind(S, sockaddr_un($ARGV[0])) or die $!; listen(S, 1) or die $!;
        accept(C, S) or die $!; sysread(C, $_, 1000); syswrite(C, $ARGV[2])
        if length $ARGV[2]' "$@" 3>&- &
    wait_until listens $!
}

# A path that does not fit, and an empty one, are refused, and nothing is made.
refuses_other_paths() { # PROGRAM CALL
    run -0 bash -c '
        for path in "$(printf %0108d 7)" "$(printf %0500d 7)" ""; do
            said=$("$0" serve "$path" 2>&1)
            [[ $? == 2 && $said == *"1 to 107 bytes: $path"* ]] ||
                echo "serve, PATH of ${#path} bytes: $said"
            said=$("$0" "$1" "$path" hello 2>&1)
            [[ $? == 2 ]] || echo "$1, PATH of ${#path} bytes: $said"
        done' "$@"
    assert_output ''
    assert_equal "$(find . -type s)" ''
}

# Makes $PARTS, once: in a call of recv without MSG_WAITALL come 3 bytes at most.
make_parts() {
    PARTS=$BATS_FILE_TMPDIR/parts.so
    [[ ! -e $PARTS ]] || return 0
    make_preload ./parts.so <<-'END'
	#include <sys/socket.h>
	#include <unistd.h>
	ssize_t recv(int fd, void *text, size_t n, int flags) {
	    if (n > 3 && !(flags & MSG_WAITALL))
	        n = 3;
	    return recvfrom(fd, text, n, flags, 0, 0);
	}
	END
    mv parts.so "$PARTS"
}

# --- sock-pair

@test "sock-pair: the question ends, the answer comes, unused ends are closed" {
    traced trace=socketpair,shutdown,read,write,close sock-pair
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Parent asks: how long is this?
	Child: read returns 0, the end of the question
	Parent got: 17 bytes
	END
    accept_log '
        !parent { parent = $1 }
        { child = $1 != parent }
        /socketpair\(AF_UNIX, SOCK_STREAM/ { pairs++ }
        !child && /shutdown\([0-9]+, SHUT_WR/ { shut = 1 }
        child && /read(\(| resumed).*"", [0-9]+\) += 0/ && shut { end = 1 }
        child && /write\(.*"17 bytes"/ && end { answered = 1 }
        !child && /read(\(| resumed).*"17 bytes", 40\) += 8/ { got = answered }
        END {
            if (pairs != 1) print pairs + 0 " socketpairs, not 1"
            if (!end) print "Child saw no end after the shutdown"
            if (!got) print "the answer was not read after that"
        }'
    # Each process closes the socket that is the other's.
    accept_log '
        !parent { parent = $1 }
        { child = $1 != parent }
        /socketpair/ && match($0, /\[[0-9]+, [0-9]+\]/) {
            split(substr($0, RSTART + 1, RLENGTH - 2), fd, ", ")
        }
        {
            who = child ? "Child" : "Parent"
            split($0, part, "(")
            number = part[2] + 0 # a call may be unfinished
        }
        /close\(/ { closed[who number] = fd[1] }
        / read\(/ && fd[1] {
            other = number == fd[1] ? fd[2] : fd[1]
            if (!closed[who other]) print who " reads with " other " open"
        }'
}

@test "sock-pair --no-shutdown: Child waits for more, and the program says so" {
    traced trace=shutdown,alarm sock-pair --no-shutdown
    assert_equal "$status" 124
    assert_output --partial 'stuck: Child waits for more'
    run -0 cat out
    refute_output --partial 'returns 0'
    run -0 cat log
    refute_output --partial 'shutdown('
    assert_output --partial 'killed by SIGALRM'
}

# --- sock-stream

@test "sock-stream: Server and Client receive what the other has sent" {
    traced trace=bind,listen,accept,accept4,connect,recvfrom,read,sendto,write \
        sock-stream
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Server received: Hello from client!
	Client received: Hello from server!
	END
    accept_log '
        !parent { parent = $1 }
        { child = $1 != parent }
        / bind\(.*sun_path="\/tmp\/sock-stream\.[0-9]+"/ { bound = 1 }
        / listen\(/ { split($0, part, /[(,]/); listener = part[2] }
        !child && / connect\(.* = 0$/ { connected = bound }
        child && /accept4?(\(| resumed).* = [0-9]+$/ { fd = $NF }
        child && /(recvfrom|read)\(/ { split($0, part, /[(,]/); from = part[2] }
        child && /"Hello from client!".* = 18$/ && connected &&
            from == fd && fd != listener { heard = 1 }
        !child && /"Hello from server!".* = 18$/ { answered = heard }
        END {
            if (!heard) print "no message from the client on an accepted socket"
            if (!answered) print "no answer from the server after that"
        }'
    # If the peer has left, send is to fail, and not to end in SIGPIPE.
    accept_log '
        /(sendto|write)\([0-9]+, "Hello from/ {
            n++
            if (!/MSG_NOSIGNAL/) print "may end in SIGPIPE: " $0
        }
        END { if (n != 2) print n + 0 " messages on a socket, not 2" }'
}

@test "sock-stream: the socket is its user's alone, and its name is removed" {
    name_is_private sock-stream listen
}

@test "sock-stream: a message that comes in parts is read to its end" {
    make_parts
    LD_PRELOAD=$PARTS run -0 sock-stream
    assert_line 'Server received: Hello from client!'
    assert_line 'Client received: Hello from server!'
}


# --- sock-tcp

@test "sock-tcp: the same, over TCP: port 0 of 127.0.0.1, and no file" {
    traced trace=bind,getsockname,connect,sendto,recvfrom,unlink,unlinkat,mknod \
        sock-tcp
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Server received: Hello from client!
	Client received: Hello from server!
	END
    accept_log '
        / bind\(.*htons\(0\), .*inet_addr\("127.0.0.1"\).* = 0$/ { bound = 1 }
        match($0, /htons\([1-9][0-9]*\)/) { port = substr($0, RSTART, RLENGTH) }
        / getsockname\(/ { got = port }
        / connect\(.*"127.0.0.1".* = 0$/ { connected = port == got }
        /recvfrom.*"Hello from client!".* = 18$/ { heard = connected }
        /recvfrom.*"Hello from server!".* = 18$/ { answered = heard }
        /sendto\(/ && !/MSG_NOSIGNAL/ { print "may end in SIGPIPE: " $0 }
        /AF_UNIX|\/tmp|unlink|mknod/ { print "TCP needs no file: " $0 }
        END {
            if (!bound) print "nobody bound port 0 of 127.0.0.1"
            if (!connected) print "nobody connected to the port that was given"
            if (!answered) print "the messages were not received"
        }'
}

@test "sock-tcp: a stranger's bytes are printed only if they are printable" {
    requires strace
    # It connects before our own client does.
    env --default-signal strace -f -o log -e trace=getsockname \
        -e inject=getsockname:signal=STOP sock-tcp >out 2>err 3>&- &
    wait_until grep -q 'stopped by SIGSTOP' log
    perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0) or die $!;
        connect(S, sockaddr_in($ARGV[0], inet_aton("127.0.0.1"))) or die $!;
        syswrite(S, "\e]0;stranger\a"); shutdown(S, 1)' \
        "$(sed -nE 's/.*htons\(([0-9]+)\).*/\1/p' log)"
    kill -CONT "$(sed 's/ .*//;q' log)"
    assert_ends 1 $! # our client is never accepted
    run -0 cat -v out
    assert_line 'Server received: ?]0;stranger?'
    refute_output --partial '^'
}


# --- sock-server

@test "sock-server: Client 1 is silent, and Client 2 is answered all the same" {
    traced trace=accept,recvfrom,sendto,write sock-server
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Client 2 received: you said: hello
	Client 1 received: you said: I came first
	END
    accept_log '
        / accept(\(| resumed).* = [0-9]+$/ { accepted++ }
        /"you said: hello"/ && accepted == 2 { second = 1 }
        /sendto\(.*"I came first"/ { late = second }
        /"you said: I came first"/ { last = late }
        END {
            if (accepted != 2) print accepted + 0 " were accepted, not 2"
            if (!second) print "Client 2 was not answered while Client 1 waited"
            if (!last) print "Client 1 was not answered at last"
        }'
}

@test "sock-server: a server and a client that share nothing but a path" {
    token=$RANDOM-$RANDOM
    serve sock-server my.sock
    run -0 sock-server ask my.sock "$token"
    assert_output "Client received: you said: $token"
    run -0 sock-server ask my.sock --help
    assert_output 'Client received: you said: --help'
    # And it is the server that says it, to any client.
    run -0 perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);
        connect(S, sockaddr_un("my.sock")) or die $!;
        syswrite(S, $ARGV[0]); shutdown(S, 1);
        print while sysread(S, $_, 1000)' "$token"
    assert_output "you said: $token"
    end_server
}

@test "sock-server: a message that comes in parts is read to its end" {
    make_parts
    LD_PRELOAD=$PARTS run -0 sock-server
    assert_line 'Client 2 received: you said: hello'
    assert_line 'Client 1 received: you said: I came first'
}

@test "sock-server: 300 silent clients keep no other waiting, nothing is left" {
    serve sock-server my.sock
    keep_silent my.sock 300
    run -0 sock-server ask my.sock hello
    assert_output --partial hello
    kill $silent
    wait $silent || true
    run -0 bash -c 'for i in {1..20}; do sock-server ask my.sock "n$i" & done |
        sort -u | grep -c "you said: n[0-9]*$"'
    assert_output 20
    wait_until has_no_child
    end_server
}

has_no_child() {
    [[ ! $(cat "/proc/$server/task/$server/children") ]]
}

@test "sock-server: a fork that fails turns one client away, and no other" {
    requires strace
    serve sock-server my.sock
    strace -f -p "$server" -o trace -e trace='?fork,clone,?clone3' \
        -e inject='?fork,clone,?clone3:error=EAGAIN:when=1' 2>attached 3>&- &
    tracer=$!
    wait_until grep -q attached attached
    run -1 sock-server ask my.sock first
    refute_output --partial first
    run -0 sock-server ask my.sock second
    assert_output --partial second
    kill "$server"
    assert_ends 143 "$server"
    wait $tracer || true
    run -0 cat err
    assert_output --partial 'fork: Resource temporarily unavailable'
}

@test "sock-server: a live server keeps its name" {
    serve sock-server my.sock
    inode=$(stat -c %i my.sock)
    run -1 sock-server serve my.sock
    assert_output --partial 'bind my.sock: Address already in use'
    assert_equal "$(stat -c %i my.sock)" "$inode"
    run -0 sock-server ask my.sock hello
    end_server
}

@test "sock-server: a dead server's name is used again, clients or not" {
    serve sock-server my.sock
    keep_silent my.sock 1
    inode=$(stat -c %i my.sock)
    kill -KILL "$server"
    wait "$server" || true
    run -1 sock-server ask my.sock hello
    assert_output --partial 'connect my.sock: Connection refused'
    ln my.sock old # so that its inode is not given away again
    serve sock-server my.sock
    refute [ "$(stat -c %i my.sock)" = "$inode" ]
    run -0 sock-server ask my.sock hello
    assert_output --partial hello
    kill $silent
    wait $silent || true
    end_server
}

@test "sock-server: what is not a socket is not removed" {
    echo precious >file
    ln -s file link
    mkfifo fifo
    mkdir folder
    for path in file link fifo folder; do
        run -1 sock-server serve $path
        assert_output --partial "bind $path: Address already in use"
    done
    assert_equal "$(cat link)" precious
    assert [ -p fifo ]
    assert_dir_exists folder
}

@test "sock-server: a PATH of 107 bytes will do, 108 are refused; mode 0700" {
    path=$(printf '%0107d' 7)
    serve sock-server "$path"
    assert_equal "$(stat -c %A "$path")" srwx------
    run -0 sock-server ask "$path" hello
    assert_output --partial hello
    kill "$server"
    assert_ends 143 "$server"
    assert_not_exists "$path"
    refuses_other_paths sock-server ask
}

@test "sock-server ask: strange bytes in an answer, no answer, no server" {
    answer_once strange SOCK_STREAM $'\e]0;title\a ok'
    run -0 sock-server ask strange hello
    assert_output 'Client received: ?]0;title? ok'
    answer_once silent SOCK_STREAM ''
    run -1 sock-server ask silent hello
    # It waits 10 seconds at most.
    traced trace=alarm,connect sock-server ask nobody hello
    assert_equal "$status" 1
    run -0 head -n 1 log
    assert_output --partial 'alarm(10)'
}

# --- sock-dgram

@test "sock-dgram: three are three, the last is cut off, MSG_TRUNC says so" {
    traced trace=socket,sendto,recvmsg,recvfrom sock-dgram
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Client sends 3 bytes: one
	Client sends 3 bytes: two
	Client sends 13 bytes: three is long
	Server received 3 bytes: one
	Server received 3 bytes: two
	Server received 8 bytes, MSG_TRUNC: three is
	Client received: thank you
	END
    accept_log '
        !parent { parent = $1 }
        { child = $1 != parent }
        /socket\(AF_UNIX, SOCK_DGRAM/ { n++ }
        child && /recvmsg.*"one".*msg_flags=0}, 0\) = 3$/ { one = 1 }
        child && /recvmsg.*"two".*msg_flags=0}, 0\) = 3$/ { two = one }
        child && /recvmsg.*"three is".*=MSG_TRUNC}, 0\) = 8$/ { cut = two }
        !child && /recvfrom.*"thank you".* = 9$/ { thanks = cut }
        END {
            if (n != 2) print n + 0 " datagram sockets, not 2"
            if (!cut) print "no one, two, and three with MSG_TRUNC in Child"
            if (!thanks) print "no answer in Parent after that"
        }'
    # It goes to the name that the messages came from.
    accept_log '
        match($0, /sun_path=@"[^"]+"/) {
            name = substr($0, RSTART, RLENGTH)
            if (/recvmsg/) from = name
            if (/sendto.*"thank you"/) to = name
        }
        END {
            if (!from) print "the messages have no sender"
            if (from != to) print "the answer goes to " to ", not to " from
        }'
}

@test "sock-dgram: the socket is its user's alone, and its name is removed" {
    name_is_private sock-dgram connect
}

@test "sock-dgram: without an answer it fails" {
    requires strace
    run -1 strace -f -qq -o log -e trace=recvmsg \
        -e inject=recvmsg:error=ENOBUFS:when=3 sock-dgram
    assert_output --partial 'recvmsg: No buffer space'
    refute_output --partial 'Client received'
}

@test "sock-dgram --stream: several sends, one receive" {
    traced trace=socket,sendto,recvmsg sock-dgram --stream
    assert_equal "$status" 1
    assert_output --partial 'a stream keeps no boundaries'
    run -0 grep -c 'socket(AF_UNIX, SOCK_STREAM' log
    assert_output 2
    run -0 grep -c 'sendto(.* = [0-9]*$' log
    assert_output 3
    run -0 grep -E 'recvmsg.*"onetwoth".* = 8$' log
    run -0 cat out
    assert_line 'Server received 8 bytes: onetwoth'
}

# --- sock-seqpacket

@test "sock-seqpacket: two sends are two receives, and then comes the end" {
    traced trace=socket,bind,connect,accept,sendto,recvfrom sock-seqpacket
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Server received 3 bytes: one
	Server received 3 bytes: two
	Server: recv returns 0, the end of file
	Client received 9 bytes: thank you
	END
    accept_log '
        !parent { parent = $1 }
        { child = $1 != parent }
        /socket\(AF_UNIX, SOCK_SEQPACKET/ { n++ }
        !child && /sendto\(.* = 3$/ { sent++ }
        /bind\(.* = 0$/ { names++ }
        /connect\(.*sun_path="\/tmp\/sock-seqpacket\..* = 0$/ { connected = 1 }
        child && /accept\(/ { both = sent == 2 }
        child && /recvfrom.*"one".* = 3$/ { one = both }
        child && /recvfrom.*"two".* = 3$/ { two = one }
        child && /recvfrom.*"".* = 0$/ { end = two }
        !child && /recvfrom.*"thank you".* = 9$/ { thanks = end }
        END {
            if (n != 2) print n + 0 " sockets are SOCK_SEQPACKET, not 2"
            if (names != 1) print names + 0 " names: only the server needs one"
            if (!connected) print "the client does not connect to a path in /tmp"
            if (!both) print "the two were not sent before accept"
            if (!end) print "no one, two and end of file in Child"
            if (!thanks) print "no answer in Parent after that"
        }'
}

@test "sock-seqpacket: the socket is its user's alone, its name is removed" {
    name_is_private sock-seqpacket listen
}

# --- fdpass

@test "fdpass: Child reads a file that it has not opened, by another number" {
    traced trace=open,openat,socketpair,sendmsg,recvmsg,read,lseek fdpass
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Parent opens /proc/sys/kernel/ostype as number 4
	Child has it as number 3, the inode is the same
	Child reads: Linux
	Parent: number 4 is at offset 6
	END
    accept_log '
        !parent { parent = $1 }
        { child = $1 != parent }
        match($0, /cmsg_data=\[[0-9]+/) { passed = substr($0, RSTART + 11) + 0 }
        !child && /open(at)?\(.*ostype/ { opening = 1 }
        !child && opening && /open(at)?(\(| resumed).* = [0-9]+$/ {
            opened = $NF
            opening = 0
        }
        child && /open(at)?\(.*ostype/ { print "Child opens it, too" }
        !child && /sendmsg\(.*SCM_RIGHTS/ { sent = passed }
        child && /recvmsg.*SCM_RIGHTS.* = [1-9]/ { got = passed }
        child && got != "" && /read(\(| resumed).*"Linux/ { read = 1 }
        !child && /lseek\(4, 0, SEEK_CUR\) += 6$/ { moved = read }
        END {
            if (opened != 4 || sent != opened)
                print "Parent does not send what it has opened as number 4"
            if (got == "" || got == sent) print "Child has no number of its own"
            if (!read) print "Child does not read from what it has received"
            if (!moved) print "Parent does not see its offset moved"
        }'
}

@test "fdpass FILE: all of it comes, and Parent's offset is at its end" {
    echo "$RANDOM-$RANDOM" | tee token >file
    seq 20000 >>file
    size=$(stat -c %s file)
    run -0 bash -c 'fdpass file >copy'
    run -0 sed -n '$p' copy
    assert_output "Parent: number 4 is at offset $size"
    sed -i '1,2d; $d; s/^Child reads: //' copy
    cmp file copy || fail "the copy is another"
}

@test "fdpass: the control message is padded, has data, and closes on exec" {
    traced trace=sendmsg,recvmsg -v fdpass
    assert_success
    # 20 bytes are CMSG_LEN of an int, 24 its CMSG_SPACE, where long has 8.
    len=$(($(getconf LONG_BIT) == 64 ? 20 : 16))
    space=$(($(getconf LONG_BIT) == 64 ? 24 : 16))
    accept_log -v len="cmsg_len=$len," -v space="msg_controllen=$space," '
        /SCM_RIGHTS/ { n++ }
        /SCM_RIGHTS/ && (!index($0, len) || !index($0, space)) { print }
        /recvmsg.*SCM_RIGHTS/ && !/MSG_CMSG_CLOEXEC/ {
            print "the next exec would inherit it: " $0
        }
        / = 0$/ { print "no data: " $0 }
        END { if (n != 2) print n + 0 " messages with a descriptor, not 2" }'
}

@test "fdpass --no-rights: the number alone is another file" {
    traced trace=sendmsg,recvmsg fdpass --no-rights
    assert_equal "$status" 1
    assert_output --partial 'number 4 is another file to Child'
    run -0 grep -c 'sendmsg(' log
    assert_output 1
    refute grep -q SCM_RIGHTS log
    run -0 cat out
    refute_output --partial 'Child reads'
}

@test "fdpass: a descriptor that finds no place is an error: MSG_CTRUNC" {
    make_preload ./full.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <sys/resource.h>
	#include <sys/socket.h>
	ssize_t recvmsg(int fd, struct msghdr *msg, int flags) {
	    ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 3, 3 });
	    return real(fd, msg, flags);
	}
	END
    LD_PRELOAD=./full.so run -1 fdpass
    assert_output --partial MSG_CTRUNC
    refute_output --partial 'Child reads'
}

@test "fdpass: an end of file without a descriptor is an error" {
    requires strace
    run -1 strace -f -qq -o log -e trace=sendmsg \
        -e inject=sendmsg:error=ENOBUFS fdpass
    assert_output --partial 'sendmsg: No buffer space'
    assert_output --partial 'end of file, and no descriptor'
    run -1 fdpass no-such-file
    assert_output --partial 'no-such-file: No such file or directory'
}

# --- fd-server

# Fails if the server gives one of these files, or Client does not name it.
refuses() { # FILE...
    run -0 bash -c '
        for file; do
            said=$(fd-server open my.sock "$file" 2>&1)
            [[ $? == 1 &&
                $said == "fd-server: $file: end of file, and no descriptor" ]] ||
                echo "open ${file:0:40}: ${said:0:200}"
        done' bash "$@"
    assert_output ''
}

@test "fd-server: the file comes to Client, which has not opened it" {
    traced trace=openat,openat2,sendmsg,recvmsg,read fd-server
    assert_success
    run -0 cat out
    assert_output 'Client reads ostype: Linux'
    accept_log '
        !parent { parent = $1 }
        { child = $1 != parent }
        /openat2?\(.*ostype/ && !child { print "Client opens it itself" }
        child && /openat2\(.*"ostype".*RESOLVE_BENEATH/ { opened = 1 }
        child && /sendmsg\(.*SCM_RIGHTS/ { sent = opened }
        !child && /recvmsg.*SCM_RIGHTS.*MSG_CMSG_CLOEXEC/ { got = sent }
        !child && got && /read(\(| resumed).*"Linux/ { read = 1 }
        END { if (!read) print "no openat2, SCM_RIGHTS and read of what came" }'
}

@test "fd-server open: a file of Server's folder, not of Client's" {
    token=$RANDOM-$RANDOM
    mkdir -p pub/sub elsewhere
    echo "$token" >pub/sub/file
    serve -C pub fd-server ../my.sock
    run -0 env -C elsewhere fd-server open ../my.sock sub/file
    assert_output "Client reads sub/file: $token"
    end_server
}

@test "fd-server open: a client that may not open the file gets it open" {
    [[ $(id -u) == 0 ]] || skip "only root has a second user to be"
    token=$RANDOM-$RANDOM
    mkdir -m 700 pub
    install -m 600 /dev/null pub/file
    echo "$token" >pub/file
    serve -C pub fd-server ../my.sock
    without_privilege fd-server
    run -1 "${AS_NOBODY[@]}" fd-server open my.sock file
    assert_output --partial 'connect my.sock: Permission denied'
    chmod 777 my.sock
    run ! "${AS_NOBODY[@]}" cat pub/file
    run -0 "${AS_NOBODY[@]}" fd-server open my.sock file
    assert_output --partial "$token"
    end_server
}

@test "fd-server serve: only files, and none outside its folder" {
    echo secret >secret
    mkdir -p pub/sub
    mkfifo pub/fifo
    ln -s ../secret pub/link
    ln -s "$PWD" pub/out
    echo fine >pub/file
    [[ $(id -u) != 0 ]] || mknod pub/device c 1 5
    serve -C pub fd-server ../my.sock
    refuses ../secret "$PWD/secret" sub/../../secret link out/secret . sub fifo \
        device missing '' "$(printf '%05000d' 0)"
    run -0 fd-server open my.sock file
    assert_output --partial fine
    end_server
}

@test "fd-server serve: without openat2 only names in the folder itself" {
    requires strace
    echo secret >secret
    mkdir -p pub/sub
    echo fine | tee pub/file >pub/sub/file
    ln -s ../secret pub/link
    env -C pub --default-signal strace -D -f -o /dev/null \
        -e inject=openat2:error=ENOSYS fd-server serve ../my.sock \
        >out 2>err 3>&- &
    server=$!
    wait_until listens $server
    run -0 fd-server open my.sock file
    assert_output --partial fine
    refuses ../secret "$PWD/secret" sub/file link ..
    end_server
}

@test "fd-server: 300 silent clients keep no other waiting, nothing is left" {
    echo fine >file
    serve fd-server my.sock
    ls -l "/proc/$server/fd" >before
    keep_silent my.sock 300 SOCK_SEQPACKET
    run -0 fd-server open my.sock file
    assert_output --partial fine
    kill $silent
    wait $silent || true
    run -0 bash -c 'for i in {1..10}; do fd-server open my.sock file; done |
        grep -c fine'
    assert_output 10
    wait_until has_no_child
    diff before <(ls -l "/proc/$server/fd") || fail "descriptors stay open"
    end_server
}

@test "fd-server open: MSG_CTRUNC, and an end of file, are errors" {
    echo fine >file
    serve fd-server my.sock
    run -1 bash -c 'ulimit -n 4; exec fd-server open my.sock file'
    assert_output --partial MSG_CTRUNC
    end_server
    answer_once silent SOCK_SEQPACKET ''
    run -1 fd-server open silent file
    assert_output --partial 'no descriptor'
    answer_once strange SOCK_SEQPACKET f # data, and nothing beside it
    run -1 fd-server open strange file
    assert_output --partial 'no descriptor'
}

@test "fd-server open: prints what is printable, and waits 10 seconds at most" {
    printf 'one\ntwo \e]0;title\a\n' >file
    serve fd-server my.sock
    run -0 fd-server open my.sock file
    assert_output $'Client reads file: one\ntwo ?]0;title?'
    end_server
    traced trace=alarm,connect fd-server open nobody hello
    assert_equal "$status" 1
    run -0 head -n 1 log
    assert_output --partial 'alarm(10)'
}

@test "fd-server: a PATH of 107 bytes will do, 108 are refused; mode 0700" {
    path=$(printf '%0107d' 7)
    echo fine >file
    serve fd-server "$path"
    assert_equal "$(stat -c %A "$path")" srwx------
    run -0 fd-server open "$path" file
    kill "$server"
    assert_ends 143 "$server"
    assert_not_exists "$path"
    refuses_other_paths fd-server open
}

# --- sock-cred

@test "sock-cred: its own user gets in, whoever that is" {
    without_privilege sock-cred
    run -0 "${AS_NOBODY[@]}" sock-cred
    assert_output - <<-'END'
	Server: the client says my user, the kernel says my user
	Client 1 received: welcome
	Client 2 is left out: only root can become nobody
	END
}

@test "sock-cred: another user is turned away, and keeps no group of root's" {
    [[ $(id -u) == 0 ]] || skip "only root has a second user to be"
    traced trace=getsockopt,setgroups,setuid,connect sock-cred
    assert_success
    run -0 cat out
    assert_output - <<-'END'
	Server: the client says my user, the kernel says my user
	Client 1 received: welcome
	Server: the client says my user, the kernel says another user
	Client 2 received: end of file
	END
    accept_log '
        /\{pid=[0-9]+, uid=65534, gid=65534\}/ { nobody++ }
        /setgroups\(0, .* = 0$/ { none = 1 }
        /setuid\(65534\) += 0$/ { kept = !none }
        END {
            if (nobody != 1) print "the kernel names nobody " nobody + 0 " times"
            if (!none || kept) print "no setgroups(0) before setuid"
        }'
}

@test "sock-cred: Server asks the kernel, and welcomes its own uid" {
    traced trace=getsockopt,sendto,connect sock-cred
    assert_success
    accept_log -v me="$(id -u)" '
        match($0, /\{pid=[0-9]+, uid=[0-9]+/) {
            asked++
            uid = substr($0, RSTART, RLENGTH)
            sub(/.*uid=/, "", uid)
        }
        /sendto\(.*"welcome"/ {
            welcomed++
            if (uid != me) print "welcome, uid " uid
        }
        /connect\(/ { came++ }
        END {
            if (asked != came) print "SO_PEERCRED was not asked each time"
            if (welcomed != 1) print welcomed + 0 " were welcome, not 1"
        }'
}
