# The programs of fifo/, in the folder's order.

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
    cd "$BATS_TEST_TMPDIR"
    umask 022
}

# Is the process asleep in a system call?
asleep() {
    [[ $(cut -d ' ' -f 3 "/proc/$1/stat") == S ]]
}

@test "fifo-hello: two processes that share only a name" {
    run -0 --separate-stderr fifo-hello
    assert_line 'Received: Hello via FIFO!'
    assert_equal "$stderr" ''
}

@test "fifo-hello read PATH: waits in open until somebody writes" {
    token=$RANDOM-$RANDOM
    fifo-hello read my.fifo >out 3>&- &
    wait_until test -p my.fifo
    assert_equal "$(stat -c %a my.fifo)" 600
    wait_until asleep $!
    refute grep -q Received out
    run -0 fifo-hello write my.fifo "$token"
    wait $!
    assert grep -qx "Received: $token" out
    assert_not_exists my.fifo
}

@test "fifo-hello write PATH MESSAGE: waits in open until somebody reads" {
    token=$RANDOM-$RANDOM
    fifo-hello write my.fifo "$token" >out 3>&- &
    wait_until test -p my.fifo
    wait_until asleep $!
    run -0 fifo-hello read my.fifo
    assert_line "Received: $token"
    wait $!
    assert_not_exists my.fifo
}

@test "fifo-hello: reader and writer started at once meet, whoever is first" {
    run -0 bash -c '
        for i in {1..30}; do
            fifo-hello read my.fifo >read.$i & reader=$!
            fifo-hello write my.fifo "token $i" >/dev/null || exit
            wait $reader && grep -qx "Received: token $i" read.$i || exit
            [[ ! -e my.fifo ]] || exit
        done'
}

@test "fifo-hello: a FIFO that is there is used, and stays" {
    mkfifo -m 640 my.fifo
    inode=$(stat -c %i my.fifo)
    fifo-hello write my.fifo "$inode" 3>&- &
    run -0 fifo-hello read my.fifo
    assert_line "Received: $inode"
    wait $!
    assert_equal "$(stat -c '%i %a' my.fifo)" "$inode 640"
}

@test "fifo-hello: anything else that is there is refused by name" {
    echo precious >file
    ln -s file link
    mkfifo real.fifo
    ln -s real.fifo link.fifo
    mkdir folder
    for path in file link link.fifo folder; do
        run -1 fifo-hello write "$path" overwritten
        assert_output --partial "$path"
        run -1 fifo-hello read "$path"
        assert_output --partial "$path"
        assert_exists "$path"
    done
    assert_equal "$(<file)" precious
}

@test "fifo-hello: a PATH that cannot be is named, with the reason" {
    run -1 fifo-hello read no-folder/my.fifo
    assert_output --partial 'no-folder/my.fifo: No such file or directory'
    run -1 fifo-hello write "$(printf '%0300d' 0)" hello
    assert_output --partial 'File name too long'
    run -1 fifo-hello read ''
}

@test "fifo-hello: a wrong word is named" {
    run -2 fifo-hello wrote my.fifo
    assert_output --partial wrote
    run -2 fifo-hello read
    assert_output --partial read
    run -2 fifo-hello write my.fifo
    assert_output --partial write
    run -2 fifo-hello write my.fifo two words
    assert_not_exists my.fifo
}

@test "fifo-hello: an empty MESSAGE, a long one, one with --" {
    fifo-hello read my.fifo >out 3>&- &
    run -0 fifo-hello write my.fifo ''
    wait $!
    assert grep -qx 'Received: ' out
    long=$(printf '%0100000d' $RANDOM)
    fifo-hello read my.fifo >out 3>&- &
    run -0 fifo-hello write my.fifo "$long"
    wait $!
    assert grep -qx "Received: $long" out
    fifo-hello read my.fifo >out 3>&- &
    run -0 fifo-hello write my.fifo --help
    wait $!
    assert grep -qx 'Received: --help' out
}

# Becomes the reader that fifo-hello write waits for, as 7. Open to both ends
# does not wait, so a writer that never comes is a failure and no hang.
reader_of() {
    exec 8<>"$1"
    wait_until grep -q Writer out
    exec 7<"$1" 8>&-
}

@test "fifo-hello write: ^Z and fg in a long write lose nothing" {
    mkfifo my.fifo
    printf '%0100000d' $RANDOM >message
    fifo-hello write my.fifo "$(<message)" >out 3>&- &
    reader_of my.fifo
    wait_until asleep $!
    kill -STOP $!
    wait_until grep -q '^State:.T' /proc/$!/status
    kill -CONT $!
    run -0 cmp - message <&7
    wait $!
    exec 7<&-
}

@test "fifo-hello write: says so when the reader goes away" {
    mkfifo my.fifo
    fifo-hello write my.fifo "$(printf '%0100000d' 1)" >out 2>err 3>&- &
    reader_of my.fifo
    exec 7<&-
    assert_ends 1 $!
    assert grep -q 'Broken pipe' err
}

@test "fifo-hello: ^C while it waits removes the FIFO that it made" {
    for signal in INT TERM HUP; do
        for role in "read my.fifo" "write my.fifo hello"; do
            # shellcheck disable=SC2086
            env --default-signal fifo-hello $role >/dev/null 3>&- &
            wait_until test -p my.fifo
            wait_until asleep $!
            kill -$signal $!
            wait $! || true
            assert_not_exists my.fifo
        done
    done
}

@test "fifo-hello: ^C while it waits removes nothing that it did not make" {
    mkfifo my.fifo
    env --default-signal fifo-hello read my.fifo >/dev/null 3>&- &
    wait_until asleep $!
    kill -INT $!
    wait $! || true
    assert_exists my.fifo
    rm my.fifo

    env --default-signal fifo-hello read my.fifo >/dev/null 3>&- &
    wait_until test -p my.fifo
    wait_until asleep $!
    mv my.fifo elsewhere
    echo precious >my.fifo
    kill -INT $!
    wait $! || true
    assert_equal "$(<my.fifo)" precious
}

# A stand-in for argv[0]: the reader is real, the writer does as it is told.
stand_in() {
    cat >stand-in <<-END
	#!/bin/sh
	[ "\$1" = write ] && $1
	exec fifo-hello "\$@"
	END
    chmod +x stand-in
}

@test "fifo-hello: if one side fails, the other does not wait for ever" {
    stand_in 'exit 3'
    run -1 bash -c 'exec -a ./stand-in fifo-hello'
}

@test "fifo-hello: SIGTERM ends it and its children, and leaves nothing" {
    stand_in 'exec tail -f /dev/null'
    bash -c 'exec -a ./stand-in fifo-hello' >out 2>&1 3>&- &
    wait_until grep -q Reader out
    kill $!
    assert_ends 143 $!
    wait_until no_survivors
    assert_equal "$(ls "$TMPDIR")" ''
}

@test "fifo-hello: SIGKILL ends its children, too, and the folder is named" {
    stand_in 'exec tail -f /dev/null'
    bash -c 'exec -a ./stand-in fifo-hello' >out 2>&1 3>&- &
    wait_until grep -q Reader out
    kill -KILL $!
    wait $! || true
    wait_until no_survivors
    rmdir "$TMPDIR/fifo-hello.$(id -u)".*
}

@test "fifo-nonblock: ENXIO is no reader, 0 is no writer, EAGAIN is not yet" {
    run -0 --separate-stderr fifo-nonblock
    assert_line --index 0 --partial ENXIO
    assert_line --index 2 --regexp 'read.* 0'
    assert_line --index 4 --partial EAGAIN
    assert_equal "$stderr" ''
}

@test "fifo-nonblock: the kernel really says that" {
    requires strace
    run -0 strace -o trace -e trace=open,openat,read fifo-nonblock
    run -0 sed -nE 's/ \(.*\)$//; s/.*(O_[RDW]+ONLY)\|O_NONBLOCK.* = [0-9].*/\1 ok/p
        s/.*(O_[RDW]+ONLY)\|O_NONBLOCK.* = -1 /\1 /p
        s/^(read).* = (0|-1 EAGAIN)$/\1 \2/p' trace
    assert_output - <<-'END'
	O_WRONLY ENXIO
	O_RDONLY ok
	read 0
	O_WRONLY ok
	read -1 EAGAIN
	read 0
	END
}

@test "fifo-nonblock: an operand is refused by name" {
    run -2 fifo-nonblock surprise
    assert_output --partial surprise
}

# Starts a server at my.fifo, as $server, and waits until it is ready.
serve() {
    env --default-signal fifo-server serve my.fifo >out 2>err 3>&- &
    server=$!
    wait_until grep -qi ready out
}

# Ends it, which must go in order.
end_server() {
    kill "$server"
    assert_ends 0 "$server"
    assert_not_exists my.fifo
}

# The number that the client whose output is $output was given.
assert_ticket() {
    assert_equal "$(grep -o '[0-9]*$' <<<"$output")" "$1"
}

# Sends a request, whatever it is, from somebody who does not wait.
request() {
    printf '\n%s\n' "$1" >my.fifo
}

# A reply FIFO that this shell has open, at the number $reply.
reply_fifo() {
    mkfifo -m "$2" "$1"
    exec {reply}<>"$1"
}

@test "fifo-server: a server and three clients, one after another" {
    run -0 --separate-stderr fifo-server
    assert_equal "$(grep Client <<<"$output" | grep -o '[0-9]*$' | xargs)" \
        '1 2 3'
    assert_equal "$stderr" ''
}

@test "fifo-server --open-once: the end of file comes with the first client" {
    run -1 fifo-server --open-once
    assert_equal "$(grep Client <<<"$output" | grep -o '[0-9]*$')" 1
    assert_output --partial 'end of file'
}

@test "fifo-server serve: goes on when its last client has left" {
    serve
    for ticket in 1 2 3; do
        run -0 fifo-server ask my.fifo
        assert_ticket $ticket
    done
    end_server
    assert_equal "$(<err)" ''
}

@test "fifo-server serve --open-once: ends when its first client has left" {
    fifo-server serve --open-once my.fifo >out 2>err 3>&- &
    wait_until grep -qi ready out
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    assert_ends 1 $!
    assert_not_exists my.fifo
}

@test "fifo-server: 50 clients at once get 50 tickets, without a gap" {
    serve
    run -0 bash -c 'for i in {1..50}; do fifo-server ask my.fifo & done; wait'
    assert_equal "$(grep -o '[0-9]*$' <<<"$output" | sort -n | xargs)" \
        "$(seq 50 | xargs)"
    end_server
    assert_equal "$(<err)" ''
}

@test "fifo-server: requests that waited are all answered" {
    serve
    kill -STOP "$server"
    for i in 1 2 3 4 5; do fifo-server ask my.fifo >ask.$i 3>&- & done
    wait_until bash -c '[[ $(ls "$TMPDIR" | wc -l) == 5 ]]'
    kill -CONT "$server"
    wait_until bash -c '[[ $(cat ask.* | wc -l) == 5 ]]'
    assert_equal "$(grep -ho '[0-9]*$' ask.* | sort | xargs)" '1 2 3 4 5'
    end_server
}

@test "fifo-server: the FIFOs and the folder are for their user alone" {
    serve
    assert_equal "$(stat -c '%a %F' my.fifo)" '600 fifo'
    kill -STOP "$server"
    fifo-server ask my.fifo 3>&- &
    wait_until bash -c 'compgen -G "$TMPDIR/*/*"'
    run -0 stat -c '%a %F' "$TMPDIR/fifo-server.$(id -u)".*{,/*}
    assert_output - <<-'END'
	700 directory
	600 fifo
	END
    kill -CONT "$server"
    wait $!
    end_server
}

@test "fifo-server: a client that is killed before it reads is passed over" {
    serve
    kill -STOP "$server"
    fifo-server ask my.fifo 3>&- &
    wait_until asleep $!
    wait_until bash -c 'compgen -G "$TMPDIR/*/*"'
    wait_until grep -qz 'fifo-server' /proc/$!/cmdline
    kill -KILL $!
    wait $! || true
    kill -CONT "$server"
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
    rm -r "$TMPDIR"/fifo-server.*
}

@test "fifo-server: a client that never opens its reply FIFO is passed over" {
    serve
    mkfifo -m 600 reply
    request "$PWD/reply"
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
    assert grep -q "$PWD/reply" err
}

@test "fifo-server: a client that leaves in the middle of its answer" {
    requires strace
    # The server is stopped as soon as it has opened the reply FIFO.
    reply_fifo reply 600
    strace -D -o trace -P "$PWD/reply" -e trace=openat \
        -e inject=openat:signal=STOP \
        fifo-server serve my.fifo >out 2>err 3>&- {reply}>&- &
    server=$!
    wait_until grep -qi ready out
    request "$PWD/reply"
    wait_until grep -q 'reply' trace
    wait_until grep -q '^State:.[Tt]' "/proc/$server/status"
    exec {reply}>&-
    kill -CONT "$server"
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
    assert grep -q "$PWD/reply" err
}

@test "fifo-server: half a request harms no other" {
    serve
    printf '\n/half/a/requ' >my.fifo
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    printf 'garbage \001\377' >my.fifo
    run -0 fifo-server ask my.fifo
    assert_ticket 2
    end_server
    assert grep -q /half/a/requ err
}

@test "fifo-server: 1 MiB of anything is no request, and stops nobody" {
    serve
    for garbage in 'yes | tr -d "\n"' 'cat /dev/zero' yes "yes ''"; do
        bash -c "$garbage | head -c 1048576 >my.fifo" 3>&- &
        run -0 fifo-server ask my.fifo
        wait $!
    done
    run -0 fifo-server ask my.fifo
    assert_ticket 5
    end_server
    assert test -s err
}

@test "fifo-server: SIGTERM ends it in the middle of a flood of requests" {
    serve
    exec 5>my.fifo # while there is a server: > must not make a file
    yes '' >&5 2>/dev/null 3>&- &
    exec 5>&-
    end_server
    wait $! || true
}

@test "fifo-server: a regular file is not written to" {
    serve
    install -m 600 /dev/null file
    echo precious >file
    request "$PWD/file"
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
    assert_equal "$(<file)" precious
    assert grep -q "$PWD/file" err
}

@test "fifo-server: a symbolic link is not followed" {
    serve
    reply_fifo reply 600
    ln -s reply link
    request "$PWD/link"
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    request "$PWD/reply" # the same FIFO by its own name
    read -r -u "$reply" -t 5 ticket
    assert_equal "$ticket" 2
    end_server
    assert grep -q "$PWD/link" err
}

@test "fifo-server: a reply FIFO that others can open gets no answer" {
    serve
    for mode in 660 604 620; do
        reply_fifo reply.$mode $mode
        request "$PWD/reply.$mode"
        run -0 fifo-server ask my.fifo
        assert grep -q "$PWD/reply.$mode" err
    done
    assert_ticket 3
    end_server
}

@test "fifo-server: somebody else's reply FIFO gets no answer" {
    [[ $(id -u) == 0 ]] || skip "only root has a second user to be"
    serve
    reply_fifo reply 600
    chown 65534 reply
    request "$PWD/reply"
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
    assert grep -q "$PWD/reply" err
}

@test "fifo-server: somebody else's server is not asked, nor its FIFO taken" {
    [[ $(id -u) == 0 ]] || skip "only root has a second user to be"
    mkfifo -m 600 my.fifo
    chown 65534 my.fifo
    run -1 fifo-server serve my.fifo
    assert_output --partial my.fifo
    exec 7<>my.fifo # or nobody would read, and that would be the reason
    run -1 fifo-server ask my.fifo
    assert_output --partial my.fifo
    assert_exists my.fifo
    chmod 755 .
    without_privilege fifo-server
    run -1 "${AS_NOBODY[@]}" fifo-server serve root.fifo
    assert_output --partial 'mkfifo root.fifo: Permission denied'
    chown 0 my.fifo
    run -1 "${AS_NOBODY[@]}" fifo-server ask my.fifo
    assert_output --partial my.fifo
}

@test "fifo-server: SIGINT, SIGTERM and SIGHUP end it in order" {
    for signal in INT TERM HUP; do
        serve
        run -0 fifo-server ask my.fifo
        kill -$signal "$server"
        assert_ends 0 "$server"
        assert_not_exists my.fifo
    done
}

@test "fifo-server: a second server is refused while the first one lives" {
    serve
    run -1 fifo-server serve my.fifo
    assert_output --partial my.fifo
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
}

@test "fifo-server: of servers that start at once, one gets the FIFO" {
    run -0 bash -c '
        for i in 1 2 3 4 5 6 7 8; do
            fifo-server serve my.fifo >out.$i 2>/dev/null &
        done
        until [[ $(jobs -r | wc -l) == 1 ]]; do
            read -rt 0.01 <> <(:)
        done
        fifo-server ask my.fifo
        grep -li ready out.* | wc -l
        kill $(jobs -rp)
        wait'
    assert_line --index 0 --regexp '1$'
    assert_line --index 1 1
    assert_not_exists my.fifo
}

@test "fifo-server: after SIGKILL the next server takes the FIFO over" {
    serve
    kill -KILL "$server"
    wait "$server" || true
    assert_exists my.fifo
    run -1 fifo-server ask my.fifo
    assert_output --partial my.fifo
    serve
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
}

@test "fifo-server serve: what is there and is no FIFO is refused, unharmed" {
    echo precious >my.fifo
    chmod 600 my.fifo
    run -1 fifo-server serve my.fifo
    assert_output --partial my.fifo
    run -1 fifo-server ask my.fifo
    assert_output --partial my.fifo
    assert_equal "$(<my.fifo)" precious
    run -1 fifo-server serve no-folder/my.fifo
    assert_output --partial no-folder/my.fifo
}

@test "fifo-server serve: removes no FIFO but its own" {
    serve
    first=$server
    rm my.fifo
    serve
    kill "$first"
    wait "$first" || true
    run -0 fifo-server ask my.fifo
    assert_ticket 1
    end_server
}

@test "fifo-server ask: without a server it says what to start" {
    run -1 fifo-server ask my.fifo
    assert_output --partial 'my.fifo'
    assert_output --partial 'fifo-server serve my.fifo'
    mkfifo -m 600 my.fifo
    run -1 fifo-server ask my.fifo
    assert_output --partial 'fifo-server serve my.fifo'
}

@test "fifo-server ask: ends when its server dies without an answer" {
    serve
    kill -STOP "$server"
    fifo-server ask my.fifo >asked 2>&1 3>&- &
    wait_until bash -c 'compgen -G "$TMPDIR/*/*"'
    kill -KILL "$server"
    assert_ends 1 $!
    assert grep -q my.fifo asked
}

@test "fifo-server ask: ^C while it waits leaves nothing" {
    serve
    kill -STOP "$server"
    for signal in INT TERM HUP; do
        env --default-signal fifo-server ask my.fifo 2>/dev/null 3>&- &
        wait_until bash -c 'compgen -G "$TMPDIR/*/*"'
        kill -$signal $!
        wait $! || true
        assert_equal "$(ls "$TMPDIR")" ''
    done
    kill -CONT "$server"
    end_server
}

@test "fifo-server: ^C at any moment leaves nothing" {
    run -0 bash -c '
        for moment in 0.00{1..9} 0.01{0..5}; do
            timeout -s INT $moment fifo-server
            timeout --foreground -s TERM $moment fifo-server
            timeout -s INT $moment fifo-server serve my.fifo
            timeout --foreground -s TERM $moment fifo-server serve my.fifo
        done >/dev/null 2>&1
        true'
    assert_not_exists my.fifo # and teardown looks into TMPDIR
}

@test "fifo-server: a wrong word is named" {
    run -2 fifo-server served my.fifo
    assert_output --partial served
    run -2 fifo-server serve
    assert_output --partial serve
    run -2 fifo-server ask one two
    assert_output --partial ask
    assert_equal "$(ls)" tmp
}
