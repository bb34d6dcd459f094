# The programs of unix-socket/, in the folder's order. sock-stream and
# sock-tcp differ in the address, so most of their tests are the same.
# shellcheck disable=SC2016 # the perl programs stand in single quotes

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
    cd "$BATS_TEST_TMPDIR"
    umask 022
    export PERL5LIB=$PWD
    cat >Odd.pm <<-'END'
	# Odd clients: to(ADDRESS) connects, tell() sends all, hear() reads all.
	use Socket;
	$SIG{PIPE} = 'IGNORE';
	sub to {
	    my ($address, $host) = @_;
	    my $tcp = $address =~ /^\d+$/;
	    my $name = $address =~ s/^@/\0/r;
	    socket(my $socket, $tcp ? PF_INET : PF_UNIX, SOCK_STREAM, 0) or die $!;
	    connect($socket, $tcp ?
	        sockaddr_in($address, inet_aton($host || '127.0.0.1')) :
	        sockaddr_un($name)) or die "connect: $!\n";
	    return $socket;
	}
	sub tell_it {
	    my ($socket, $text) = @_;
	    for (my $at = 0; $at < length $text;) {
	        my $n = syswrite($socket, $text, 65536, $at) or return 0;
	        $at += $n;
	    }
	    return 1;
	}
	sub hear {
	    my ($socket) = @_;
	    my $text = '';
	    while (sysread($socket, my $part, 65536)) { $text .= $part }
	    return $text;
	}
	1;
	END
}

# Starts "PROGRAM serve ADDRESS", as $server, and waits until it is ready.
# $at is its address: of port 0, what it says.
serve() {
    program=$1 at=$2
    rm -f out err # of one that was here before
    env --default-signal "$program" serve "$at" >out 2>err 3>&- &
    server=$!
    wait_until grep -qis ready out
    [[ $at != 0 ]] || at=$(grep -i ready out | grep -o '[0-9]*$')
}

# Stops the server, each of its threads.
stop_server() {
    kill -STOP "$server"
    wait_until bash -c '! grep -L "^State:.T" /proc/$0/task/*/status | grep -q .' \
        "$server"
}

# The server still answers, and what it is asked. Then it ends in order.
assert_alive() {
    local token=$RANDOM-$RANDOM
    run -0 "$program" ask "$at" "the client says $token"
    assert_output --partial "received: the server says $token"
    assert grep -q "received: the client says $token" out
}

end_server() {
    kill "$server"
    assert_ends 0 "$server"
    assert_not_exists my.sock
}

descriptors() {
    find "/proc/$server/fd" -type l | wc -l
}

# Has the server as many descriptors open as before? A client may have gone
# before the server has closed.
has_descriptors() {
    [[ $(descriptors) == "$1" ]]
}

# --- what holds for both

answers() {
    serve "$@"
    assert_alive
    run -0 "$program" ask "$at" ''
    run -0 "$program" ask "$at" 'client, client and clients'
    assert_output --partial 'received: server, server and servers'
    run -0 "$program" ask "$at" --help
    long=$(printf '%060000d' $RANDOM)
    run -0 "$program" ask "$at" "$long"
    assert [ "${output#*: }" = "$long" ]
    end_server
    assert_equal "$(<err)" ''
}

answers_a_crowd() {
    serve "$@"
    before=$(descriptors)
    assert_alive
    LIMIT=30 run -0 bash -c '
        for round in {1..20}; do
            for i in {1..100}; do
                "$0" ask "$1" "client $round $i" &
            done
            wait
        done | sort | uniq | wc -l' "$program" "$at"
    assert_output 2000
    assert_equal "$(grep -c 'received: client [0-9]* [0-9]*$' out)" 2000
    wait_until has_descriptors "$before"
    end_server
    assert_equal "$(<err)" ''
}

goes_on_beside_the_silent() {
    serve "$@"
    perl -MOdd -e '@all = map to($ARGV[0]), 1..100; open OK, ">silent"; sleep' "$at" 3>&- &
    wait_until test -e silent
    assert_alive
    kill $!
    wait $! || true
    assert_alive
    end_server
}

takes_a_message_in_parts() {
    serve "$@"
    # Where the other client has been answered, the half has been read.
    run -0 perl -MOdd -e '
        $half = to($ARGV[0]);
        tell_it($half, "half a cli");
        $whole = to($ARGV[0]);
        tell_it($whole, "whole\0");
        hear($whole) eq "whole\0" or die "not answered beside half a message\n";
        tell_it($half, "ent\0");
        $answer = hear($half);
        $answer eq "half a server\0" or die "answer to two halves: $answer\n";
        $slow = to($ARGV[0]);
        for (split //, "client\0") {
            tell_it($slow, $_);
            $whole = to($ARGV[0]);
            tell_it($whole, "whole\0");
            hear($whole);
        }
        hear($slow) eq "server\0" or die "byte after byte\n"' "$at"
    end_server
}

takes_10_MiB() {
    serve "$@"
    before=$(descriptors)
    run -0 perl -MOdd -e '
        $message = join " ", map int rand 1e9, 1..1100000;
        $s = to($ARGV[0]);
        tell_it($s, "$message\0") or die "not taken\n";
        $answer = hear($s);
        $answer eq "$message\0" or die length($message) + 1,
            " bytes sent, ", length $answer, " came back\n"' "$at"
    wait_until has_descriptors "$before"
    assert_alive
    end_server
    assert_equal "$(<err)" ''
}

goes_on_beside_who_reads_nothing() {
    serve "$@"
    perl -MOdd -e '$s = to($ARGV[0]); tell_it($s, ("x" x 10485760) . "\0");
        open OK, ">sent"; sleep' "$at" 3>&- &
    wait_until test -e sent
    assert_alive
    assert_alive
    kill $!
    wait $! || true
    assert_alive
    end_server
}

survives_who_leaves_in_the_middle() {
    serve "$@"
    before=$(descriptors)
    run -0 perl -MOdd -e 'for (1..20) {
        $s = to($ARGV[0]); tell_it($s, "half a client"); close $s;
        $s = to($ARGV[0]); close $s; }' "$at"
    assert_alive
    refute grep -q 'half a' out
    wait_until has_descriptors "$before"
    end_server
    assert test -s err
}

survives_who_leaves_before_the_answer() {
    serve "$@"
    before=$(descriptors)
    # Stopped, the server cannot answer before the client has gone; and the
    # answer is larger than what TCP would take for nobody.
    stop_server
    run -0 perl -MOdd -e '$s = to($ARGV[0]); tell_it($s, "gone client\0"); close $s' "$at"
    kill -CONT "$server"
    run -0 perl -MOdd -e 'for (1..5) { $s = to($ARGV[0]);
        tell_it($s, ("x" x 10000000) . "\0"); close $s }' "$at"
    assert_alive
    wait_until has_descriptors "$before"
    end_server
}

refuses_what_is_too_long() {
    serve "$@"
    run -0 perl -MOdd -e '$s = to($ARGV[0]);
        tell_it($s, "x" x 1048576) or exit for 1..200;
        die "200 MiB were taken\n"' "$at"
    assert_alive
    end_server
    assert test -s err
}

ends_in_order() {
    for signal in INT TERM HUP; do
        serve "$@"
        perl -MOdd -e '$s = to($ARGV[0]); tell_it($s, "half"); open OK, ">half"; sleep' "$at" \
            3>&- 2>/dev/null &
        wait_until test -e half
        kill -$signal "$server"
        assert_ends 0 "$server"
        assert_not_exists my.sock
        kill $!
        wait $! || true
        rm half
    done
}

says_that_nobody_serves() {
    serve "$@"
    end_server
    run -1 "$program" ask "$at" hello
    assert_output --partial "$at"
    assert_output --partial 'onnect'
    assert_output --partial "$program serve"
}

says_that_the_server_died() {
    serve "$@"
    stop_server
    "$program" ask "$at" hello >asked 2>&1 3>&- &
    wait_until grep -q 'ask' /proc/$!/cmdline
    wait_until bash -c '[[ $(cut -d " " -f 3 /proc/$0/stat) == S ]]' $!
    kill -KILL "$server"
    assert_ends 1 $!
    wait "$server" || true
    assert test -s asked
    refute grep -q 'received' asked
}

notices_that_its_client_failed() {
    # A stand-in for argv[0]: it is called instead of the client.
    for fate in 'exit 3' 'kill -KILL $$'; do
        printf '#!/bin/sh\n%s\n' "$fate" >stand-in
        chmod +x stand-in
        run -1 --separate-stderr bash -c 'exec -a ./stand-in "$0"' "$1"
        assert [ -n "$stderr" ]
    done
    run -1 bash -c 'exec -a ./no-such-command "$0"' "$1"
}

listens_before_its_client_comes() {
    requires strace
    run -0 strace -f -qq -o trace -e trace=listen,connect \
        -e inject=listen:delay_enter=200000 "$1"
    assert_output --partial 'Client received: Hello from server!'
    run -0 sed -nE 's/.*(listen|connect)\(.*= (0|-1 E[A-Z]+).*/\1 \2/p' trace
    assert_line --index 0 'listen 0'
    assert_line --index 1 'connect 0'
}

names_a_wrong_word() {
    run -2 "$1" served "$2"
    assert_output --partial served
    run -2 "$1" serve
    assert_output --partial serve
    run -2 "$1" serve "$2" more
    assert_output --partial serve
    run -2 "$1" ask "$2"
    assert_output --partial ask
    assert_equal "$(ls)" "$(printf 'Odd.pm\ntmp')"
}

leaves_nothing_when_interrupted() {
    run -0 bash -c '
        for moment in 0.00{1..9} 0.01{0..5}; do
            timeout -s INT $moment "$0"
            timeout --foreground -s TERM $moment "$0"
            timeout -s INT $moment "$0" serve "$1"
            timeout --foreground -s TERM $moment "$0" serve "$1"
        done >/dev/null 2>&1
        true' "$@"
    assert_not_exists my.sock # and teardown looks for processes
}

# --- sock-stream

@test "sock-stream: question and answer" {
    run -0 --separate-stderr sock-stream
    assert_line 'Server received: Hello from client!'
    assert_line 'Client received: Hello from server!'
    assert_equal "$stderr" ''
}

@test "sock-stream: the server says server where the client says client" {
    answers sock-stream my.sock
}

@test "sock-stream: the socket is its user's alone" {
    serve sock-stream my.sock
    assert_equal "$(stat -c '%a %F' my.sock)" '600 socket'
    end_server
}

@test "sock-stream: a PATH of 107 bytes will do" {
    serve sock-stream "$(printf '%0107d' 1)"
    assert [ -S "$at" ]
    assert_alive
    end_server
    assert_not_exists "$at"
}

@test "sock-stream: a PATH of 108 or 200 bytes is refused, and named" {
    for length in 108 109 200 5000; do
        path=$(printf '%0*d' $length 1)
        run -2 sock-stream serve "$path"
        assert_output --partial "$path"
        assert_output --partial 107
        run -2 sock-stream ask "$path" hello
        assert_output --partial "$path"
    done
    run -2 sock-stream serve ''
    assert_equal "$(ls)" "$(printf 'Odd.pm\ntmp')"
}

@test "sock-stream: @NAME is in no folder, and nobody has it twice" {
    name=@sock-stream-test-$$-$RANDOM
    serve sock-stream $name
    assert grep -q " $name\$" /proc/net/unix
    assert_not_exists $name
    assert_alive
    run -1 sock-stream serve $name
    assert_output --partial $name
    assert_alive
    end_server
    refute grep -q " $name\$" /proc/net/unix
}

@test "sock-stream: a @NAME of 107 bytes will do, one of 108 will not" {
    name=@$(printf '%0106d' $$)
    serve sock-stream "$name"
    assert_alive
    end_server
    run -2 sock-stream serve "${name}1"
    assert_output --partial "$name"
}

@test "sock-stream: after SIGKILL the next server removes the socket, says so" {
    serve sock-stream my.sock
    kill -KILL "$server"
    wait "$server" || true
    assert [ -S my.sock ]
    run -1 sock-stream ask my.sock hello
    assert_output --partial 'Connection refused'
    serve sock-stream my.sock
    assert grep -q my.sock err
    assert_alive
    end_server
}

@test "sock-stream: a living server keeps its path, and notices nothing" {
    serve sock-stream my.sock
    inode=$(stat -c %i my.sock)
    run -1 sock-stream serve my.sock
    assert_output --partial my.sock
    assert_equal "$(stat -c %i my.sock)" "$inode"
    assert_equal "$(grep -c . out)" 1
    assert_equal "$(<err)" ''
    assert_alive
    end_server
}

@test "sock-stream: what is bound and not yet listening is no dead server's" {
    perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);
        bind(S, sockaddr_un("my.sock")) && sleep' 3>&- &
    wait_until test -S my.sock
    run -1 sock-stream serve my.sock
    assert_exists my.sock
    kill $!
    wait $! || true
}

@test "sock-stream: what is there and is no socket is refused, unharmed" {
    echo precious >my.sock
    run -1 sock-stream serve my.sock
    assert_output --partial my.sock
    run -1 sock-stream ask my.sock hello
    assert_output --partial my.sock
    assert_equal "$(<my.sock)" precious
    mkdir folder
    mkfifo fifo
    for path in folder fifo; do
        run -1 sock-stream serve $path
        assert_output --partial $path
        assert_exists $path
    done
}

@test "sock-stream: a symbolic link is not followed, and stays" {
    serve sock-stream my.sock
    kill -KILL "$server"
    wait "$server" || true
    ln -s my.sock link
    ln -s nowhere dangling
    for path in link dangling; do
        run -1 sock-stream serve $path
        assert_output --partial $path
        assert_link_exists $path
    done
    assert [ -S my.sock ]
    assert_not_exists nowhere
    rm my.sock
}

@test "sock-stream: a folder that is not there is named" {
    run -1 sock-stream serve no-folder/my.sock
    assert_output --partial no-folder/my.sock
    assert_output --partial 'No such file'
    run -1 sock-stream ask no-folder/my.sock hello
    assert_output --partial no-folder/my.sock
}

@test "sock-stream: of servers that find a dead one's socket, one gets it" {
    run -0 bash -c '
        for round in {1..10}; do
            perl -MSocket -e "socket(S, PF_UNIX, SOCK_STREAM, 0);
                bind(S, sockaddr_un(q(my.sock))) or die"
            for i in 1 2 3 4 5 6 7 8; do
                sock-stream serve my.sock >out.$i 2>/dev/null &
            done
            until [[ $(jobs -r | wc -l) == 1 ]]; do
                read -rt 0.01 <> <(:)
            done
            sock-stream ask my.sock "client $round" || exit
            kill $(jobs -rp)
            wait
        done'
    assert_equal "${#lines[@]}" 10
    assert_not_exists my.sock
}

@test "sock-stream: who is slow removes no socket that was made meanwhile" {
    requires strace
    perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0);
        bind(S, sockaddr_un("my.sock")) or die'
    # The slow one is stopped when it has seen that nobody has the socket.
    strace -D -qq -o trace -e trace=connect -e inject=connect:signal=STOP \
        sock-stream serve my.sock >slow 2>err 3>&- &
    slow=$!
    wait_until grep -q 'STOP' trace
    sock-stream serve my.sock >fast 2>>err 3>&- &
    fast=$!
    wait_until bash -c '[[ $(cut -d " " -f 3 /proc/$0/stat) == S ]]' $fast
    kill -CONT $slow
    wait_until grep -qis ready slow
    wait_until bash -c '[[ ! -e /proc/$0 || $(cut -d " " -f 3 /proc/$0/stat) == Z ]]' $fast
    assert_ends 1 $fast
    refute grep -qi ready fast
    run -0 sock-stream ask my.sock hello
    kill $slow
    assert_ends 0 $slow
}

@test "sock-stream: removes no socket but its own" {
    serve sock-stream my.sock
    first=$server
    rm my.sock
    serve sock-stream my.sock
    kill "$first"
    assert_ends 0 "$first"
    assert_alive
    end_server
}

@test "sock-stream: somebody else's server is not asked, nor removed" {
    [[ $(id -u) == 0 ]] || skip "only root has a second user to be"
    serve sock-stream my.sock
    without_privilege sock-stream
    run -1 "${AS_NOBODY[@]}" sock-stream ask my.sock hello
    assert_output --partial 'Permission denied'
    chmod 777 .
    run -1 "${AS_NOBODY[@]}" sock-stream serve my.sock
    assert_output --partial my.sock
    assert_alive
    end_server
}

@test "sock-stream: 100 clients at once, each gets its own answer" {
    answers_a_crowd sock-stream my.sock
}

@test "sock-stream: 100 silent clients stop nobody" {
    goes_on_beside_the_silent sock-stream my.sock
}

@test "sock-stream: a message that comes in parts is one message" {
    takes_a_message_in_parts sock-stream my.sock
}

@test "sock-stream: 10 MiB there and back" {
    takes_10_MiB sock-stream my.sock
}

@test "sock-stream: a client that does not read its answer stops nobody" {
    goes_on_beside_who_reads_nothing sock-stream my.sock
}

@test "sock-stream: clients that leave in the middle of their message" {
    survives_who_leaves_in_the_middle sock-stream my.sock
}

@test "sock-stream: clients that leave before their answer: no SIGPIPE" {
    survives_who_leaves_before_the_answer sock-stream my.sock
}

@test "sock-stream: a message without an end is cut off" {
    refuses_what_is_too_long sock-stream my.sock
}

@test "sock-stream: SIGINT, SIGTERM and SIGHUP end it in order" {
    ends_in_order sock-stream my.sock
}

@test "sock-stream ask: without a server it says what to start" {
    says_that_nobody_serves sock-stream my.sock
}

@test "sock-stream ask: ends when its server dies without an answer" {
    says_that_the_server_died sock-stream my.sock
    rm my.sock
}

@test "sock-stream: notices that its client has failed" {
    notices_that_its_client_failed sock-stream
}

@test "sock-stream: the server listens before its client comes" {
    listens_before_its_client_comes sock-stream
}

@test "sock-stream: ^C at any moment leaves nothing" {
    leaves_nothing_when_interrupted sock-stream my.sock
}

@test "sock-stream: a wrong word is named" {
    names_a_wrong_word sock-stream my.sock
}

# --- sock-dgram

@test "sock-dgram: two messages are two, and each is read whole" {
    run -0 --separate-stderr sock-dgram
    assert_line --regexp '^Server.*received.*: one$'
    assert_line --regexp '^Server.*received.*: two$'
    assert_line --partial MSG_TRUNC
    assert_line --partial EAGAIN
    assert_equal "$stderr" ''
}

@test "sock-dgram: the kernel really says that" {
    requires strace
    run -0 strace -f -qq -o trace sock-dgram
    assert grep -q 'socket(AF_UNIX, SOCK_DGRAM' trace
    assert grep -q 'recvmsg.*msg_flags=MSG_TRUNC' trace
    assert grep -qE 'send(to|msg).* = -1 (ENOTCONN|EDESTADDRREQ|EINVAL)' trace
    assert grep -qE 'send(to|msg).* = -1 EAGAIN' trace
}

@test "sock-dgram: names in a private folder, gone at the end" {
    requires strace
    run -0 strace -f -qq -o trace -e trace=mkdir,bind,unlink,rmdir sock-dgram
    assert grep -q 'mkdir(.*, 0700) *= 0' trace
    assert_equal "$(grep -c 'bind(.* = 0$' trace)" 2
    assert_equal "$(grep -c 'unlink(.* = 0$' trace)" 2
    assert grep -q 'rmdir(.* = 0$' trace
}

@test "sock-dgram: a TMPDIR that is longer than a socket's path may be" {
    deep=$TMPDIR/$(printf '%0100d' 1)/$(printf '%0100d' 2)
    mkdir -p "$deep"
    TMPDIR=$deep run -0 sock-dgram
    rmdir "$deep" "${deep%/*}"
}

@test "sock-dgram --seqpacket: boundaries, and the end of file, too" {
    run -0 sock-dgram --seqpacket
    assert_line --regexp '^Server.*received.*: one$'
    assert_line --regexp '^Server.*received.*: two$'
    assert_line --partial MSG_TRUNC
    assert_line --partial EAGAIN
    assert_line --regexp 'left.*says 0'
}

@test "sock-dgram --stream: two sends, one read" {
    run -1 --separate-stderr sock-dgram --stream
    assert_line --regexp '^Server.*received.*: onetwo$'
    assert [ -n "$stderr" ]
}

@test "sock-dgram: if Client is killed, Server does not wait for ever" {
    requires strace
    for type in '' --seqpacket; do
        # shellcheck disable=SC2086
        run -1 --separate-stderr strace -f -qq -o trace -e trace=connect \
            -e inject=connect:signal=KILL sock-dgram $type
        assert [ -n "$stderr" ]
    done
}

@test "sock-dgram: if Server is killed, Client does not wait for ever" {
    requires strace
    run bash -c 'strace -f -qq -o trace -e trace=recvmsg \
        -e inject=recvmsg:signal=KILL sock-dgram 2>/dev/null'
    wait_until no_survivors
    rm -r "$TMPDIR/sock-dgram.$(id -u)".*
    run -0 sock-dgram
}

@test "sock-dgram: an operand is refused by name" {
    run -2 sock-dgram surprise
    assert_output --partial surprise
}

# --- sock-pair

@test "sock-pair: both directions, and one of them ends first" {
    run -0 --separate-stderr sock-pair
    assert_line --regexp '^Child received'
    assert_line --regexp '^Child.* 0'
    assert_line --regexp '^Parent received'
    assert_equal "$stderr" ''
    # The answer comes after the end of file of the question.
    run -0 grep -nE '^(Child.* 0|Parent received)' <<<"$output"
    assert_line --index 0 --regexp Child
    assert_line --index 1 --regexp Parent
}

@test "sock-pair: one socketpair, and shutdown of its one direction" {
    requires strace
    run -0 strace -f -qq -o trace -e trace=socketpair,shutdown,pipe,pipe2 \
        sock-pair
    run -0 grep -oE '(pipe2?|socketpair|shutdown)\(.*(SOCK_STREAM|SHUT_WR)' trace
    assert_equal "${#lines[@]}" 2
    assert_line --index 0 --partial socketpair
    assert_line --index 1 --partial SHUT_WR
}

@test "sock-pair --no-shutdown: Child waits for more, and that is noticed" {
    run -124 --separate-stderr sock-pair --no-shutdown
    [[ $stderr == *stuck* ]]
    refute_line --partial 'Parent received'
}

@test "sock-pair: if Parent is killed, Child ends, too" {
    requires strace
    run bash -c 'strace -f -qq -o trace -e trace=shutdown \
        -e inject=shutdown:signal=KILL sock-pair 2>/dev/null'
    refute_output --partial 'Parent received'
    wait_until no_survivors
}

@test "sock-pair: an operand is refused by name" {
    run -2 sock-pair surprise
    assert_output --partial surprise
}

# --- sock-tcp

@test "sock-tcp: question and answer" {
    run -0 --separate-stderr sock-tcp
    assert_line 'Server received: Hello from client!'
    assert_line 'Client received: Hello from server!'
    assert_equal "$stderr" ''
}

@test "sock-tcp: the server says server where the client says client" {
    answers sock-tcp 0
}

@test "sock-tcp: it listens on 127.0.0.1, and nowhere else" {
    serve sock-tcp 0
    assert grep -q "^ *[0-9]*: 0100007F:$(printf %04X "$at") 00000000:0000 0A" \
        /proc/net/tcp
    # 127.0.0.2 is this machine, too, but not that address.
    run -111 perl -MOdd -e 'to($ARGV[0], "127.0.0.2")' "$at"
    assert_output --partial 'Connection refused'
    assert_alive
    end_server
}

@test "sock-tcp: two servers at port 0 get two ports" {
    serve sock-tcp 0
    first=$server first_at=$at
    serve sock-tcp 0
    assert [ "$at" -gt 0 ]
    assert [ "$at" != "$first_at" ]
    assert_alive
    end_server
    kill "$first"
    assert_ends 0 "$first"
}

@test "sock-tcp: one server at a port, and at once the next one after it" {
    serve sock-tcp 0
    assert_alive # whose connection stays in TIME_WAIT
    run -1 sock-tcp serve "$at"
    assert_output --partial "$at"
    assert_alive
    end_server
    serve sock-tcp "$at"
    assert_alive
    end_server
}

@test "sock-tcp: a PORT that is none is refused by name" {
    for port in x 3x -1 65536 99999999999999999999; do
        run -2 sock-tcp serve "$port"
        assert_output --partial "$port"
        run -2 sock-tcp ask "$port" hello
        assert_output --partial "$port"
    done
    run -2 sock-tcp serve ''
}

@test "sock-tcp: 100 clients at once, each gets its own answer" {
    answers_a_crowd sock-tcp 0
}

@test "sock-tcp: 100 silent clients stop nobody" {
    goes_on_beside_the_silent sock-tcp 0
}

@test "sock-tcp: a message that comes in parts is one message" {
    takes_a_message_in_parts sock-tcp 0
}

@test "sock-tcp: 10 MiB there and back" {
    takes_10_MiB sock-tcp 0
}

@test "sock-tcp: a client that does not read its answer stops nobody" {
    goes_on_beside_who_reads_nothing sock-tcp 0
}

@test "sock-tcp: clients that leave in the middle of their message" {
    survives_who_leaves_in_the_middle sock-tcp 0
}

@test "sock-tcp: clients that leave before their answer: no SIGPIPE" {
    survives_who_leaves_before_the_answer sock-tcp 0
}

@test "sock-tcp: a message without an end is cut off" {
    refuses_what_is_too_long sock-tcp 0
}

@test "sock-tcp: SIGINT, SIGTERM and SIGHUP end it in order" {
    ends_in_order sock-tcp 0
}

@test "sock-tcp ask: without a server it says what to start" {
    says_that_nobody_serves sock-tcp 0
}

@test "sock-tcp ask: ends when its server dies without an answer" {
    says_that_the_server_died sock-tcp 0
}

@test "sock-tcp: notices that its client has failed" {
    notices_that_its_client_failed sock-tcp
}

@test "sock-tcp: the server listens before its client comes" {
    listens_before_its_client_comes sock-tcp
}

@test "sock-tcp: ^C at any moment leaves nothing" {
    leaves_nothing_when_interrupted sock-tcp 0
}

@test "sock-tcp: a wrong word is named" {
    names_a_wrong_word sock-tcp 0
}

# Starts a server that serves the folder pub at my.sock, as $server, and waits
# until it is ready. Arguments: what to start it with.
fd_serve() {
    mkdir -p pub
    (cd pub && exec env --default-signal "$@" fdpass serve ../my.sock) \
        >out 2>err 3>&- &
    server=$!
    wait_until grep -qi ready out
}

# Ends it, and it leaves no socket.
fd_end() {
    kill "${1:--TERM}" "$server"
    wait "$server" || true
    assert_not_exists my.sock
}

# A server that may have 300 descriptors, and NUMBER files that hold their name.
fd_serve_many() {
    mkdir -p pub
    (cd pub && for i in $(seq "$1"); do echo "file-$i" >"$i"; done)
    fd_serve bash -c 'ulimit -n 300; exec "$@"' limited
}

# Starts a client, as $client, of a server that is stopped, and waits until it
# has sent its request and waits itself.
fd_ask_and_wait() {
    fdpass open my.sock "$@" >asked 2>&1 3>&- &
    client=$!
    wait_until grep -q fdpass "/proc/$client/comm"
    wait_until grep -q '^State:.S' "/proc/$client/status"
}

# From a trace of recvmsg and close: which received descriptors are not closed,
# and how many came.
fd_closed() {
    awk '/SCM_RIGHTS/ {
            match($0, /cmsg_data=\[[^]]*/)
            came = split(substr($0, RSTART + 11, RLENGTH - 11), fd, ", ")
        }
        came && /^close\(/ { closed[substr($0, 7) + 0] = 1 }
        END {
            for (i = 1; i <= came; i++)
                if (!(fd[i] + 0 in closed)) print "left open: " fd[i]
            print came + 0 " came"
        }' "$1"
}
export -f fd_closed

@test "fdpass: Server and Client, and what the file holds" {
    run -0 --separate-stderr fdpass
    assert_output --partial 'Hello through a descriptor!'
    assert_equal "$stderr" ''
}

@test "fdpass: Client cannot open the file by itself, whoever runs it" {
    requires strace
    run -0 strace -f -o trace -e trace=open,openat,recvmsg fdpass
    assert_output --partial 'Permission denied'
    assert grep -q 'fdpass\..* = -1 EACCES' trace
    assert grep -q 'recvmsg(.*SCM_RIGHTS' trace
}

@test "fdpass: the same for an ordinary user" {
    without_privilege fdpass
    mkdir -m 1777 everybody
    chmod 755 .
    TMPDIR=$PWD/everybody run -0 "${AS_NOBODY[@]}" fdpass
    assert_output --partial 'Permission denied'
    assert_output --partial 'Hello through a descriptor!'
    assert_equal "$(ls everybody)" ''
}

@test "fdpass --no-rights: a number is no descriptor" {
    run -1 --separate-stderr fdpass --no-rights
    refute_output --partial Hello
    assert [ -n "$stderr" ]
}

@test "fdpass --no-rights: the number means nothing, or another file" {
    echo secret-of-client >other
    mkdir pub
    echo "token-$RANDOM" >pub/file
    fd_serve bash -c 'exec "$@" 5</dev/null 6<&5 7<&5 8<&5 9<&5' more
    run -1 fdpass --no-rights open my.sock file
    refute_output --partial token
    fd_end
    (cd pub && exec fdpass --no-rights serve ../my.sock \
        5</dev/null 6<&5 7<&5 8<&5 9<&5) >out 2>err 3>&- &
    server=$!
    wait_until grep -qi ready out
    run -1 fdpass open my.sock file
    refute_output --partial token
    run -1 fdpass --no-rights open my.sock file
    assert_output --partial 'Bad file descriptor'
    # Now all numbers up to 20 are open in Client, and none is the file.
    run -1 bash -c 'for i in {5..20}; do eval "exec $i<other"; done
        exec fdpass --no-rights open my.sock file'
    refute_output --partial 'Bad file descriptor'
    refute_output --partial token
    refute_output --partial secret-of-client
    fd_end
}

@test "fdpass open: a file of Server's folder, not of Client's" {
    token=$RANDOM-$RANDOM
    mkdir -p pub/sub elsewhere
    echo "of Server $token" >pub/sub/file
    fd_serve
    run -0 env -C elsewhere fdpass open ../my.sock sub/file
    assert_output --partial "of Server $token"
    fd_end
    assert_equal "$(<err)" ''
}

@test "fdpass open: what Client has read moves Server's offset" {
    mkdir pub
    head -c "$((RANDOM + 100000))" /dev/zero >pub/file
    fd_serve
    run -0 bash -c 'fdpass open my.sock file >copy'
    size=$(stat -c %s pub/file)
    assert_equal "$(tr -dc '\0' <copy | wc -c)" "$size"
    assert grep -qw "$size" out
    fd_end
}

@test "fdpass open: a client that may not open the file gets it open" {
    [[ $(id -u) == 0 ]] || skip "only root has a second user to be"
    token=$RANDOM-$RANDOM
    mkdir -m 700 pub
    install -m 600 /dev/null pub/file
    echo "$token" >pub/file
    fd_serve
    without_privilege fdpass
    chmod 755 .
    run ! "${AS_NOBODY[@]}" cat pub/file
    run -1 "${AS_NOBODY[@]}" fdpass open my.sock file
    assert_output --partial 'Permission denied'
    chmod 666 my.sock
    run -0 "${AS_NOBODY[@]}" fdpass open my.sock file
    assert_output --partial "$token"
    fd_end
}

@test "fdpass open: what Server itself may not open stays closed" {
    without_privilege fdpass
    mkdir pub
    echo token >pub/file
    chmod 000 pub/file
    chmod 777 .
    [[ ! ${AS_NOBODY[*]} ]] || chown -R 65534 pub
    fd_serve "${AS_NOBODY[@]}"
    run -1 "${AS_NOBODY[@]}" fdpass open my.sock file
    assert_output --partial 'Permission denied'
    refute_output --partial token
    fd_end
}

@test "fdpass open: 253 files come in one message, 254 are too many" {
    requires strace
    fd_serve_many 254
    mapfile -t names < <(seq 253)
    run -0 strace -v -s 9999 -o trace -e trace=recvmsg,close \
        fdpass open my.sock "${names[@]}"
    assert_equal "$(grep -o 'file-[0-9]*' <<<"$output" | sort -u | wc -l)" 253
    assert_equal "$(grep -c SCM_RIGHTS trace)" 1
    assert_equal "$(fd_closed trace)" '253 came'
    run -2 fdpass open my.sock "${names[@]}" 254
    assert_output --partial 253
    fd_end
}

@test "fdpass: 10,120 descriptors, and none stays open on either side" {
    fd_serve_many 253
    ls -l "/proc/$server/fd" >before
    run -0 bash -c '
        ulimit -n 300
        for i in {1..40}; do
            fdpass open my.sock {1..253} >got.$i || exit
            [[ $(grep -c file- got.$i) == 253 ]] || exit
        done'
    run -0 bash -c 'for i in {1..100}; do
        fdpass open my.sock 1 | grep -q file-1 || exit; done'
    wait_until diff before <(ls -l "/proc/$server/fd")
    fd_end
}

@test "fdpass open: MSG_CTRUNC is an error, and what came is closed" {
    requires strace
    fd_serve_many 20
    run -1 bash -c 'ulimit -n 12
        exec strace -v -s 9999 -o trace -e trace=recvmsg,close \
            fdpass open my.sock {1..20}'
    assert_output --partial MSG_CTRUNC
    refute_output --partial file-
    run -0 bash -c "fd_closed trace"
    assert_output --regexp '^[1-9][0-9]* came$'
    fd_end
}

@test "fdpass: control data has its padding, company, and close-on-exec" {
    requires strace
    mkdir pub
    echo hello >pub/file
    fd_serve strace -D -o "$PWD/server.trace" -e trace=sendmsg
    run -0 strace -o client.trace -e trace=recvmsg fdpass open my.sock file
    wait_until grep -q SCM_RIGHTS server.trace
    # 20 bytes are CMSG_LEN of one int, 24 its CMSG_SPACE (where long has 8).
    space=$(($(getconf LONG_BIT) == 64 ? 24 : 16))
    run -0 grep -h SCM_RIGHTS server.trace client.trace
    assert_equal "$(grep -o 'msg_controllen=[0-9]*' <<<"$output" | sort -u)" \
        "msg_controllen=$space"
    refute_line --regexp '= 0$'
    assert_line --regexp '^recvmsg.*MSG_CMSG_CLOEXEC'
    fd_end
}

@test "fdpass open: an end of file without a descriptor is an error" {
    mkdir pub
    echo token >pub/file
    fd_serve
    kill -STOP "$server"
    fd_ask_and_wait file
    kill -KILL "$server"
    status=0
    wait "$client" || status=$?
    assert_equal "$status" 1
    assert test -s asked
    refute grep -q token asked
    rm -f my.sock
}

@test "fdpass serve: nothing outside of its folder is opened" {
    token=$RANDOM-$RANDOM
    echo "$token" >secret
    mkdir -p pub/sub
    ln -s ../secret pub/link
    ln -s "$PWD" pub/out
    ln -s /proc/self/root pub/root
    fd_serve
    for file in ../secret "$PWD/secret" sub/../../secret link out/secret \
        "root$PWD/secret" "../${PWD##*/}/secret"; do
        run -1 fdpass open my.sock "$file"
        assert_output --partial "$file"
        refute_output --partial "$token"
    done
    fd_end
}

@test "fdpass serve: a FIFO, a device, a folder, a socket are no files" {
    mkdir -p pub/folder
    mkfifo pub/fifo
    echo fine >pub/file
    files=(fifo folder . missing '')
    [[ $(id -u) != 0 ]] || mknod pub/device c 1 5 && files+=(device)
    fd_serve
    for file in "${files[@]}"; do
        run -1 fdpass open my.sock "$file"
        assert_output --partial "$file"
    done
    run -0 fdpass open my.sock file
    assert_output --partial fine
    fd_end
}

@test "fdpass open: the file that fails is named, those before it come" {
    mkdir pub
    echo first-file >pub/1
    echo third-file >pub/3
    fd_serve
    run -1 fdpass open my.sock 1 no-such-file 3
    assert_output --partial first-file
    assert_output --partial 'no-such-file: No such file or directory'
    fd_end
}

@test "fdpass serve: without openat2 only names in the folder itself" {
    requires strace
    token=$RANDOM-$RANDOM
    echo "$token" >secret
    mkdir -p pub/sub
    echo fine >pub/file
    echo fine >pub/sub/file
    ln -s ../secret pub/link
    fd_serve strace -D -f -o /dev/null -e trace=openat2 \
        -e inject=openat2:error=ENOSYS
    run -0 fdpass open my.sock file
    assert_output --partial fine
    for file in ../secret "$PWD/secret" sub/file link .. .; do
        run -1 fdpass open my.sock "$file"
        assert_output --partial "$file"
        refute_output --partial "$token"
    done
    fd_end
}

@test "fdpass: a PATH of 107 bytes is good, one of 108 or 200 is refused" {
    mkdir pub
    echo hello >pub/file
    path=$(printf '%0107d' 0)
    fdpass serve "$path" >out 2>err 3>&- &
    server=$!
    wait_until grep -qi ready out
    assert_exists "$path"
    run -0 fdpass open "$path" pub/file
    assert_output --partial hello
    kill "$server"
    wait "$server" || true
    assert_not_exists "$path"
    for path in "$(printf '%0108d' 0)" "$(printf '%0200d' 0)" ''; do
        run -2 fdpass serve "$path"
        assert_output --partial "$path"
        run -2 fdpass open "$path" pub/file
        assert_output --partial "$path"
    done
    assert_equal "$(find . -name '0*')" ''
}

@test "fdpass serve: the socket is for its user alone" {
    fd_serve
    assert_regex "$(stat -c '%a %F' my.sock)" '00 socket$'
    fd_end
}

@test "fdpass serve: SIGINT, SIGTERM and SIGHUP remove the socket" {
    for signal in INT TERM HUP; do
        fd_serve
        fd_end -$signal
    done
}

@test "fdpass serve: after SIGKILL the next server takes the path over" {
    mkdir pub
    echo hello >pub/file
    fd_serve
    kill -KILL "$server"
    wait "$server" || true
    assert_exists my.sock
    run -1 fdpass open my.sock file
    assert_output --partial my.sock
    fd_serve
    run -0 fdpass open my.sock file
    fd_end
}

@test "fdpass serve: a second server is refused while the first one lives" {
    mkdir pub
    echo hello >pub/file
    fd_serve
    run -1 fdpass serve my.sock
    assert_output --partial my.sock
    run -0 fdpass open my.sock file
    fd_end
    assert_equal "$(<err)" ''
}

@test "fdpass serve: what is there and is no socket is refused, unharmed" {
    echo precious >file
    ln -s file link
    ln -s nowhere dangling
    for path in file link dangling .; do
        run -1 fdpass serve "$path"
        assert_output --partial "$path"
    done
    assert_equal "$(<file)" precious
    assert_link_exists link
    assert_link_exists dangling
    assert_not_exists nowhere
}

@test "fdpass serve: a client that says nothing more does not stop it" {
    requires strace
    mkdir pub
    echo hello >pub/file
    fd_serve
    strace -D -o trace -e trace=sendto,sendmsg,write \
        -e inject=sendto,sendmsg,write:signal=STOP:when=1 \
        fdpass open my.sock file >stopped 2>&1 3>&- &
    client=$!
    wait_until grep -q '^State:.[Tt]' "/proc/$client/status"
    run -0 fdpass open my.sock file
    assert_output --partial hello
    kill -KILL "$client"
    wait "$client" || true
    run -0 fdpass open my.sock file
    fd_end
}

@test "fdpass serve: a client that is killed before the answer" {
    mkdir pub
    echo hello >pub/file
    fd_serve
    kill -STOP "$server"
    fd_ask_and_wait file
    kill -KILL "$client"
    wait "$client" || true
    kill -CONT "$server"
    run -0 fdpass open my.sock file
    assert_output --partial hello
    fd_end
}

@test "fdpass: ^C at any moment leaves nothing" {
    run -0 bash -c '
        for moment in 0.00{1..9} 0.01{0..5}; do
            timeout -s INT $moment fdpass
            timeout --foreground -s TERM $moment fdpass --no-rights
            timeout -s INT $moment fdpass serve my.sock
            timeout --foreground -s TERM $moment fdpass serve my.sock
        done >/dev/null 2>&1
        true'
    assert_not_exists my.sock # and teardown looks into TMPDIR
}

@test "fdpass: a wrong word is named" {
    run -2 fdpass served my.sock
    assert_output --partial served
    run -2 fdpass serve
    assert_output --partial serve
    run -2 fdpass open my.sock
    assert_output --partial open
    run -1 fdpass open my.sock file # nobody serves
    assert_output --partial my.sock
}

@test "sock-cred: its own user gets in" {
    run -0 --separate-stderr sock-cred
    assert_line 'Client 1 received: welcome'
    assert_equal "$stderr" ''
}

@test "sock-cred: the kernel says who it is, and says it truly" {
    requires strace
    run -0 strace -f -o trace -e trace=getsockopt,connect sock-cred
    # The pid that SO_PEERCRED names is the one that strace saw connect.
    run -0 awk '$2 ~ /^connect/ { pid = $1 }
        match($0, /SO_PEERCRED, {pid=[0-9]+, uid=[0-9]+, gid=[0-9]+/) {
            split(substr($0, RSTART, RLENGTH), part, /[=,]+/)
            print part[3] == pid, part[5], part[7]
        }' trace
    assert_line --index 0 "1 $(id -u) $(id -g)"
    refute_line --regexp '^0'
}

@test "sock-cred: another user is turned away, whoever it says it is" {
    [[ $(id -u) == 0 ]] || skip "only root has a second user to be"
    run -0 sock-cred
    assert_line --partial 'other uid, other gid: turned away'
    assert_line 'Client 2 received: end of file'
}

@test "sock-cred: who became another user later is still who connected" {
    run -0 sock-cred
    assert_line --regexp 'other pid, .*: let in'
    assert_line 'Client 3 received: welcome'
}

@test "sock-cred: an ordinary user is told what it cannot see" {
    without_privilege sock-cred
    run -0 "${AS_NOBODY[@]}" sock-cred
    assert_line 'Client 1 received: welcome'
    assert_line --regexp 'Client 2: .*only root'
    assert_line --regexp 'other pid, same uid, .*: let in'
}

@test "sock-cred --allow UID: nobody else gets in, not even its own user" {
    without_privilege sock-cred
    run -0 "${AS_NOBODY[@]}" sock-cred --allow 12345
    assert_line 'Client 1 received: end of file'
    refute_output --partial welcome
    me=$("${AS_NOBODY[@]}" id -u)
    run -0 "${AS_NOBODY[@]}" sock-cred --allow "$me"
    assert_line 'Client 1 received: welcome'
}

@test "sock-cred: what is no uid is named, and a word too many" {
    for word in x 3x '' -1 4294967296 99999999999999999999; do
        run -2 sock-cred --allow "$word"
        assert_output --partial -- --allow
    done
    run -2 sock-cred surprise
    assert_output --partial surprise
}
