# The programs of fifo/, in the folder's order.

setup() {
    load helper
    CALLS=$WHOLE_CALLS$CALLS
    cd "$BATS_TEST_TMPDIR"
}

FORKS=fork,vfork,clone,clone3
FIFO_CALLS=mknod,mknodat,open,openat,read,write,unlink,unlinkat,$FORKS

# For awk, which reads what strace -f -y wrote: each call as one line, where it
# returned (strace writes two if another process came between), and the parts
# of it that matter here. FIFOs are known by the calls that made them.
CALLS='
    {
        pid = $1
        call = $2
        sub(/\(.*/, "", call)
        n = $0
        n = sub(/.*\) += /, "", n) ? n + 0 : ""
        path = ""
        if (match($0, call ~ /^(read|write)$/ ? "<[^>]*>" : "\"[^\"]*\""))
            path = substr($0, RSTART + 1, RLENGTH - 2)
        if (!parent)
            parent = pid
    }
    call ~ /^mknod(at)?$/ && n == 0 {
        made[path] = pid
        if (!/S_IFIFO\|0600/)
            print "not for its user alone: " $0
        if (path ~ /^\/tmp\// && path != "/tmp/" name "." pid)
            print "not " name "." pid ": " path
    }
    call ~ /^unlink(at)?$/ && n == 0 { delete made[path]; gone[path] = NR }
    !(path in made) && !(path in gone) { path = "" }
'

@test "fifo-hello: Reader and Writer share nothing but a name" {
    run -0 --separate-stderr fifo-hello
    assert_output 'Received: Hello via FIFO!'
    assert_equal "$stderr" ''
    # And the kernel says so, too.
    traced trace=$FIFO_CALLS -y fifo-hello
    assert_success
    accept_log -v name=fifo-hello "$CALLS"'
        call ~ /^open/ && path && n >= 0 {
            if (/O_RDONLY/) reader = pid
            if (/O_WRONLY/) writer = pid
        }
        call == "write" && path && pid == writer { wrote += n }
        call == "read" && path && pid == reader { got += n; last = n }
        END {
            if (!reader || !writer || reader == writer)
                print "no two processes open it, one to read, one to write"
            if (wrote != 15) print wrote + 0 " bytes went into the FIFO, not 15"
            if (got != 15) print got + 0 " bytes were read from it, not 15"
            if (last != 0 || !got) print "no read of Reader returned 0"
            for (path in made) print "not removed: " path
        }'
}

@test "fifo-hello: Reader waits in open until Writer opens, too" {
    # The second fork is held up: Reader is alone for a while.
    traced trace=$FIFO_CALLS -y -e \
        "inject=?fork,?vfork,clone,?clone3:delay_enter=300000:when=2" fifo-hello
    assert_success
    # A process is there when it has begun a call; its fork may return later.
    accept_log -v name=fifo-hello '
        !($1 in seen) { seen[$1]; processes++ }'"$CALLS"'
        call ~ /^open/ && path && n >= 0 && processes < 3 {
            print "open returns, and nobody else has opened it: " $0 }'
}

@test "fifo-hello: Reader prints all of it, even if it comes in parts" {
    make_preload short.so <<-'END'
	#include <sys/syscall.h>
	#include <unistd.h>
	ssize_t read(int fd, void *buffer, size_t size)
	{
	    return syscall(SYS_read, fd, buffer, size > 4 ? 4 : size);
	}
	ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
	{
	    return read(fd, buffer, size < room ? size : room);
	}
	END
    run -0 env LD_PRELOAD="$PWD/short.so" fifo-hello
    output=${output//Received: /}
    assert_equal "${output//$'\n'/}" 'Hello via FIFO!'
}

@test "fifo-nonblock: ENXIO is no reader, EAGAIN nothing yet, 0 no writer" {
    run -0 --separate-stderr fifo-nonblock
    assert_output - <<-'END'
	Writer: open fails with ENXIO (No such device or address): nobody reads
	Reader: open succeeds, and nobody can write yet
	Writer: open succeeds, now that somebody reads
	Reader: read fails with EAGAIN (Resource temporarily unavailable): nothing yet
	Writer: write puts hello into the FIFO
	Reader: read returns 5: hello
	Writer: close
	Reader: read returns 0: nobody can write any more
	END
    assert_equal "$stderr" ''
    # And the kernel says so, too.
    traced trace=$FIFO_CALLS -y fifo-nonblock
    run awk -v name=fifo-nonblock "$CALLS"'
        call ~ /^open/ && path {
            flags = /O_NONBLOCK/ ? "at once" : "without O_NONBLOCK"
            print (/O_RDONLY/ ? "O_RDONLY" : /O_WRONLY/ ? "O_WRONLY" : "?"),
                (n != -1 ? "open" : /ENXIO/ ? "ENXIO" : $0), flags
        }
        call == "read" && path { print "read", (/EAGAIN/ ? "EAGAIN" : n) }' log
    assert_output - <<-'END'
	O_WRONLY ENXIO at once
	O_RDONLY open at once
	O_WRONLY open at once
	read EAGAIN
	read 5
	read 0
	END
}

@test "fifo-nonblock: the name is gone before a line is printed" {
    traced trace=$FIFO_CALLS -y stdbuf -oL fifo-nonblock # as on a terminal
    assert_success
    accept_log -v name=fifo-nonblock "$CALLS"'
        call == "write" && / write\(1</ {
            for (path in made) print "still there: " path
            exit
        }'
}

@test "fifo-nonblock: another error of open is named, and nothing is left" {
    run -1 bash -c 'ulimit -n 4; exec fifo-nonblock'
    assert_output --regexp '^fifo-nonblock: open .*: Too many open files$'
}

# Starts a server at my.fifo, as $server.
serve() {
    env --default-signal fifo-server serve my.fifo >out 2>err 3>&- &
    server=$!
    wait_until test -p my.fifo
}

# The same, and stops it when it has opened its FIFO to read.
serve_and_stop() {
    serve
    assert_ticket 1 # so it has opened it, both ways
    kill -STOP "$server"
    wait_until grep -q '^State:.T' "/proc/$server/status"
}

# Starts a client of the stopped server, as $client, and waits until it waits.
start_client() {
    env --default-signal fifo-server ask my.fifo >answer 2>&1 3>&- &
    client=$!
    wait_until test -p "/tmp/fifo-server.$client"
    wait_until waits_for_an_answer
}

waits_for_an_answer() {
    local fd
    grep -q '^State:.S' "/proc/$client/status" || return
    for fd in "/proc/$client/fd"/*; do
        [[ ! $fd -ef my.fifo ]] || return 0
    done
    return 1
}

end_server() {
    kill -KILL "$server" || fail 'the server has ended'
    wait "$server" || true
    rm -f my.fifo
}

assert_ticket() { # NUMBER
    run -0 fifo-server ask my.fifo
    assert_output "Client: ticket $1"
}

# Sends a pid in place of a client.
request() { # PID
    perl -e 'print pack "i", shift' "$1" >my.fifo
}

@test "fifo-server: each client has a FIFO of its own, and the next ticket" {
    run -0 --separate-stderr fifo-server
    assert_output - <<-'END'
	Client: ticket 1
	Client: ticket 2
	Client: ticket 3
	END
    assert_equal "$stderr" ''
    # And the kernel says so, too: 4 FIFOs, each read by one process and written
    # to by others, and the server reads as many requests as it answers.
    traced trace=$FIFO_CALLS -y fifo-server
    assert_success
    accept_log -v name=fifo-server "$CALLS"'
        call ~ /^mknod/ && n == 0 { fifos++ }
        call == "read" && path && n > 0 {
            reads[path]++
            if (path in by && by[path] != pid)
                print "two processes read from " path
            by[path] = pid
        }
        call == "write" && path && n > 0 { writes[path]++; to[path] = pid }
        END {
            if (fifos != 4) print fifos + 0 " FIFOs were made, not 4"
            for (path in reads) {
                if (to[path] == by[path]) print "only one process uses " path
                n = reads[path]
                if (n != writes[path] || n != 1 && n != 3)
                    print path ": " n " reads, " writes[path] + 0 " writes"
            }
            for (path in made) print "not removed: " path
        }'
}

@test "fifo-server: the server opens its FIFO to read, and to write as well" {
    traced trace=$FIFO_CALLS -y fifo-server
    accept_log -v name=fifo-server "$CALLS"'
        call ~ /^open/ && path && n >= 0 && pid != parent {
            if (/O_RDONLY/ && made[path] == parent) server = pid
            opened[pid, path, /O_WRONLY/ ? "write" : "read"] = 1
            if (made[path] == parent) well_known = path
        }
        call == "read" && path == well_known && n == 0 {
            print "the server has seen the end of file" }
        END {
            if (!opened[server, well_known, "write"])
                print "the server does not open its FIFO to write"
        }'
}

@test "fifo-server --open-once: the server sees EOF when its client leaves" {
    run -1 --separate-stderr fifo-server --open-once
    assert_output 'Client: ticket 1'
    assert_equal "$stderr" 'fifo-server: Server: read returns 0 after ticket 1'
}

@test "fifo-server serve: 50 clients at once get 50 tickets, without a gap" {
    serve
    USUAL=20 run -0 bash -c \
        'for i in {1..50}; do fifo-server ask my.fifo & done; wait'
    assert_equal "$(sort -n <<<"${output//Client: ticket /}" | xargs)" \
        "$(seq 50 | xargs)"
    end_server
    assert_equal "$(<err)" ''
}

# A name in /tmp, as a client would have it, that is ours as long as we live.
OURS=/tmp/fifo-server.$$

@test "fifo-server serve: a client that has gone does not stop it" {
    serve
    request "$(bash -c 'echo $$')" # it has removed its FIFO
    mkfifo "$OURS" # it was killed, and has left it: nobody reads
    request $$
    assert_ticket 1
    rm "$OURS"
    # One that is killed while it waits for the answer.
    kill -STOP "$server"
    start_client
    kill -KILL "$client"
    wait "$client" || true
    rm "/tmp/fifo-server.$client"
    kill -CONT "$server"
    assert_ticket 2
    end_server
}

@test "fifo-server serve: a client that leaves before its answer does not kill it" {
    requires strace
    mkfifo "$OURS"
    exec {reply}<>"$OURS"
    # The server is stopped as soon as it has opened the reply FIFO.
    strace -D -o log -P "$OURS" -e trace=openat -e inject=openat:signal=STOP \
        fifo-server serve my.fifo 2>err 3>&- {reply}>&- &
    server=$!
    wait_until test -p my.fifo
    request $$
    wait_until grep -q "$OURS" log
    wait_until grep -q '^State:.[Tt]' "/proc/$server/status"
    exec {reply}>&-
    kill -CONT "$server"
    run -0 fifo-server ask my.fifo
    rm "$OURS"
    end_server
}

@test "fifo-server serve: bytes that are no request do not stop it" {
    serve
    for garbage in 'echo nonsense' 'head -c 100001 /dev/zero' \
        'yes | head -c 10003'; do
        timeout 5 bash -c "$garbage >my.fifo"
    done
    wait_until drained
    assert_ticket 1
    end_server
}

# Has the server read all? One that sleeps in read has.
drained() {
    grep -q '^State:.S' "/proc/$server/status"
}

@test "fifo-server serve: the answer goes into no file and through no link" {
    serve
    echo precious >file
    ln -s "$PWD/file" "$OURS"
    request $$
    assert_ticket 1
    rm "$OURS"
    assert_equal "$(<file)" precious
    end_server
}

@test "fifo-server: both FIFOs are for their user alone" {
    serve_and_stop
    start_client
    run -0 stat -c '%a %F' my.fifo "/tmp/fifo-server.$client"
    assert_output $'600 fifo\n600 fifo'
    kill -CONT "$server"
    assert_ends 0 "$client"
    assert_equal "$(<answer)" 'Client: ticket 2'
    end_server
}

@test "fifo-server ask: when its server ends without an answer, it says so" {
    serve_and_stop
    start_client
    end_server
    assert_ends 1 "$client"
    assert_equal "$(<answer)" \
        'fifo-server: Client: Server has ended without an answer'
    assert_not_exists "/tmp/fifo-server.$client"
}

@test "fifo-server ask: ^C, SIGTERM or a time limit leaves nothing" {
    serve_and_stop
    for signal in INT TERM ALRM; do
        start_client
        kill -$signal "$client"
        assert_ends $((128 + $(kill -l $signal))) "$client"
        assert_not_exists "/tmp/fifo-server.$client"
    done
    end_server
    for role in 'ask my.fifo' ''; do
        # shellcheck disable=SC2086 # words, or none
        traced trace=alarm,setitimer fifo-server $role
        run -0 grep -E ' (alarm\(10\)|setitimer\(ITIMER_REAL, .*tv_sec=10,)' log
    done
    assert [ "${#lines[@]}" -ge 4 ] # the server, three clients
}

@test "fifo-server: a path that is no FIFO is named, and a file is not harmed" {
    run -1 fifo-server ask my.fifo
    assert_output 'fifo-server: open my.fifo: No such file or directory'
    echo precious >file
    run -1 fifo-server ask file
    assert_output --partial 'file is'
    run -1 fifo-server serve file
    assert_output 'fifo-server: mkfifo file: File exists'
    assert_equal "$(<file)" precious
}
