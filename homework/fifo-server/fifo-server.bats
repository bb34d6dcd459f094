# The graded tests of fifo-server: what README.md asks for, and nothing else.
# The server meets clients of ours, and the client a server of ours, so that a
# mistake in one does not cost the points of the other.

setup() {
    load "$GRADE/scenes"
    token=$((RANDOM % 9000 + 1000))$RANDOM
}

# What each scene begins with. We open FIFOs both ways: it waits for nobody.
# shellcheck disable=SC2016 # expanded in the scene
ROLES='
path=$PWD/requests.$1

fifo_of() { # PID
    echo "/tmp/fifo-server.$1"
}

# Numbers become ints of 4 bytes, in the order of all machines of today, and
# go into an open FIFO in one write: printf makes one for each line.
put() { # FD NUMBER...
    local n hex
    for n in "${@:2}"; do
        printf -v hex "%s\\\\x%02x\\\\x%02x\\\\x%02x\\\\x%02x" "$hex" \
            $((n & 255)) $((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255))
    done
    printf "$hex" >"$OWN/ints"
    cat "$OWN/ints" >&"$1"
}

# Takes an int from an open FIFO, as $int; or nothing if the program that is to
# write it ends and has not done so: then there is only the -1 that we write.
take() { # FD PID
    local reader
    : >"$OWN/int"
    od -An -td4 -N4 <&"$1" >>"$OWN/int" &
    reader=$!
    await eval "[[ -s $OWN/int ]] || ! alive $2"
    [[ -s $OWN/int ]] || put "$1" -1
    wait $reader
    read -r int <"$OWN/int"
    [[ $int != -1 ]] || int=
}

# Looks at a process, as $state and $ticks of CPU time. Forks nothing.
look() { # PID
    local line
    read -r line <"/proc/$1/stat" || line=") X"
    set -- ${line##*) }
    state=$1
    ticks=$((${12:-0} + ${13:-0}))
} 2>/dev/null

alive() { # PID
    look "$1"
    [[ $state != [ZX] ]]
}

# Waits until a program has nothing to do; then $doing.
until_idle() { # PID
    while :; do
        look "$1"
        case $state in
        [ZX]) doing=ended && break ;;
        S) doing=asleep && break ;;
        *) ((ticks < 5)) || { doing=busy && break; } ;;
        esac
        moment
    done
}

# Does a process of the program have that FIFO open?
has_open() { # PATH
    [[ $(find /proc/[0-9]*/fd -lname "$1" -print -quit) ]]
}

# Starts a server, and waits for its FIFO; fails if it ends instead.
start_server() {
    start fifo-server serve "$path"
    server=$!
    await eval "[[ -p $path ]] || ! alive $server"
    [[ -p $path ]] || {
        finish "$server"
        return 1
    }
}

# The same, and opens its FIFO as $requests, until that is closed.
open_server() {
    start_server && exec {requests}<>"$path"
}

# A client of ours, which is a process that lives, asks and leaves; $int is its
# ticket.
visit() {
    local reply fifo pid
    read -rt 60 -u 8 &
    pid=$!
    fifo=$(fifo_of $pid)
    mkfifo -m 666 "$fifo"
    exec {reply}<>"$fifo"
    put "$requests" $pid
    take "$reply" "$server"
    exec {reply}>&-
    rm "$fifo"
    kill $pid
    wait $pid # it has copies of what we have open
}

# A program that asks our server. $int is its request, once it waits.
open_client() {
    mkfifo -m 666 "$path"
    exec {requests}<>"$path"
    start fifo-server ask "$path" >"$OWN/answer"
    client=$!
    take "$requests" "$client"
    until_idle "$client"
}

# Answers it, if it has made its FIFO.
answer() { # TICKET
    local reply fifo
    fifo=$(fifo_of "$client")
    if [[ -p $fifo ]]; then
        exec {reply}<>"$fifo"
        put "$reply" "$1"
        exec {reply}>&-
    fi
}
'

# Plays a scene that begins with ROLES; $1 in it is the token. What still runs
# at its end is killed.
roles() { # [OPTION VALUE]... BASH
    scene "${@:1:$#-1}" "$ROLES act() { ${*: -1}"$'
        }
        act "$1"
        kill -KILL $(jobs -p)
        wait' "$token"
}

# The ticket is the last word of what ask prints, and there is one line.
got() { # TICKET TEXT [HINT]
    [[ $2 != *$'\n'* && ${2##*[!0-9]} == "$1" ]] || {
        output=$2
        says "(words, and then) $1" "${3-}"
    }
}

# visit got an answer, and has noted it.
answered() { # KEY WHEN [hint: TEXT]
    [[ ${noted[$1]-} ]] || because "$2 a client of ours got no ticket" "${@:3}"
}

# The client of open_client has sent its pid.
asked() { # [SUFFIX]
    local request=${noted[request${1-}]-}
    ends any
    [[ $request && $request == "${noted[client${1-}]}" ]] || because \
        "its pid is ${noted[client${1-}]}, and it sent ${request:-nothing}" \
        'hint: the request is the pid of the client, an int'
}

@test "fifo-server: clients that come one by one get tickets 1, 2, 3 and so on [1]" {
    local clients=$((RANDOM % 3 + 2))
    # The server is stopped until the client waits for it.
    roles "
        clients=$clients"'
        open_server || return
        for ((i = 1; i <= clients && status == 0; i++)); do
            kill -STOP "$server"
            start fifo-server ask "$path"
            until_idle $!
            kill -CONT "$server"
            finish $!
        done'
    ends 'what ask does first, and serve then: the page says which bytes go where'
    output=$(grep -oE '[0-9]+$' <<<"$output")
    says "$(seq "$clients")"
}

@test "fifo-server: ask prints the ticket that comes in its FIFO [1]" {
    roles '
        open_client
        note request "$int"
        note client "$client"
        answer "$1"
        finish "$client"
        cat "$OWN/answer"'
    ends 'wait until the answer is there: poll, or an open that waits'
    asked
    got "$token" "$(<"$notes/out")"
}

@test "fifo-server: serve gives each client the next ticket, in its own FIFO [1]" {
    local clients=$((RANDOM % 3 + 2))
    roles "
        clients=$clients"'
        open_server || return
        for ((i = 1; i <= clients; i++)); do
            visit
            note "$i" "$int"
        done'
    ends 'read an int, open /tmp/fifo-server.PID, write an int'
    output=$(for ((i = 1; i <= clients; i++)); do echo "${noted[$i]-}"; done)
    says "$(seq "${noted[1]-1}" $((${noted[1]-1} + clients - 1)))"
}

@test "fifo-server: requests that come together are all answered [1]" {
    local clients=$((RANDOM % 3 + 2))
    roles "
        clients=$clients"'
        open_server || return
        visit
        for ((i = 0; i < clients; i++)); do
            read -rt 60 -u 8 &
            pid[i]=$!
            mkfifo -m 666 "$(fifo_of $!)"
            exec {fd[i]}<>"$(fifo_of $!)"
        done
        put "$requests" "${pid[@]}"
        for ((i = 0; i < clients; i++)); do
            take "${fd[i]}" "$server"
            note "$i" "$int"
        done
        kill "${pid[@]}"'
    ends 'one read may bring several requests: read 4 bytes at a time'
    for ((i = 0; i < clients; i++)); do
        answered "$i" "of $clients that asked together"
    done
}

@test "fifo-server: serve goes on when its clients have left [2]" {
    local clients=$((RANDOM % 3 + 2))
    local hint='read returns 0 when the last writer has left: be one yourself'
    roles "
        clients=$clients"'
        for ((i = 1; i <= clients; i++)); do
            if ((i == 1)); then
                open_server || return
            else
                exec {requests}<>"$path"
            fi
            visit
            note "$i" "$int"
            exec {requests}>&-
            until_idle "$server"
            [[ $doing != ended ]] || break
            has_open "$path" || note closed "$i"
        done
        note how "$doing"'
    ends
    [[ ${noted[how]} != ended ]] ||
        because 'it has ended when a client had left; stderr:' \
            "$(excerpt "$errors")" "hint: $hint"
    [[ ! ${noted[closed]-} ]] ||
        because 'it has closed its FIFO when a client had left:' \
            '    a request that comes at that moment is lost' "hint: $hint"
    for ((i = 1; i <= clients; i++)); do
        answered "$i" "as number $i"
    done
}

@test "fifo-server: both sleep while there is nothing to do [1]" {
    roles '
        open_server || return
        visit
        note ticket "$int"
        exec {requests}>&-
        until_idle "$server"
        note server "$doing"
        kill "$server"
        path+=2
        open_client
        note client "$doing"
        answer "$1"
        finish "$client"
        cat "$OWN/answer"'
    ends
    answered ticket 'at first'
    [[ ${noted[server]} != busy ]] ||
        because 'serve computes while nobody asks' \
            'hint: where nobody can write, read returns 0 at once; without O_NONBLOCK, and with a writer, it waits'
    [[ ${noted[client]} != busy ]] ||
        because 'ask computes while it waits for the answer' \
            'hint: poll waits, and read, too, if the FIFO is open to write'
    got "$token" "$output"
}

@test "fifo-server: serve answers through no symbolic link [1]" {
    roles '
        echo "precious $1" >file
        chmod 666 file
        open_server || return
        visit
        note ticket "$int"
        ln -s "$PWD/file" "$(fifo_of $$)"
        put "$requests" $$
        visit # so the server has seen it
        note file "$(<file)"'
    ends
    answered ticket 'at first'
    output=${noted[file]}
    says "precious $token" 'anybody may make such a link: open with O_NOFOLLOW'
}

@test "fifo-server: ask sends its request in one write, when it can be answered [1]" {
    roles --stop '?write,?writev requests.'"$token" '
        mkfifo -m 666 "$path"
        exec {requests}<>"$path"
        start fifo-server ask "$path"
        client=$!
        await eval "stopped || ! alive $client"
        stopped || return
        note bytes "$(dd bs=64 count=1 2>/dev/null <&"$requests" | wc -c)"
        [[ ! -p $(fifo_of "$client") ]] || note made "$1"
        ! has_open "$(fifo_of "$client")" || note open "$1"
        kill -KILL "$client"'
    ends
    output=${noted[bytes]-}
    says 4 'one write of all 4 bytes: or those of another client may come between'
    [[ ${noted[made]-}${noted[open]-} == "$token$token" ]] ||
        because 'when it has sent its request, its own FIFO is not yet' \
            "    ${noted[made]+open to read}${noted[made]-made}" \
            'hint: the server may answer at once, and waits for nobody'
}

@test "fifo-server: FIFOs are for their user alone [1]" {
    roles '
        umask 0
        open_server || return
        until_idle "$server"
        note serve "$(stat -c %a "$path")"
        path+=2
        open_client
        note ask "$(stat -c %a "$(fifo_of "$client")")"
        answer "$1"
        finish "$client"
        cat "$OWN/answer"'
    ends
    output="serve: ${noted[serve]}, ask: ${noted[ask]-} $output"
    got "$token" "$output"
    [[ $output == 'serve: 600, ask: 600 '* ]] ||
        because "the modes are ${output% *}" 'hint: mkfifo(path, 0600)'
}

@test "fifo-server: serve leaves alone what has its FIFO's name [1]" {
    roles '
        open_server || return
        visit
        note ticket "$int"
        path=$PWD/file
        echo "precious $1" >"$path"
        chmod 666 "$path"
        play fifo-server serve "$path"
        note file "$(cat "$path")"'
    answered ticket 'at a name of its own'
    ends 1 'mkfifo fails if the name is there: say so, and end with 1'
    complains '' 'say which call has failed, and why: perror, err'
    output=${noted[file]}
    says "precious $token" 'remove nothing that you have not made'
}

@test "fifo-server: ask refuses a PATH that is no FIFO [1]" {
    local hint='open without O_CREAT, then ask fstat: S_ISFIFO'
    roles '
        open_client
        answer "$1"
        finish "$client"
        cat "$OWN/answer"'
    ends
    got "$token" "$output"
    roles 'play fifo-server ask "$path"; [[ ! -e $path ]] || note made "$path"'
    ends 1 "$hint"
    complains "requests.$token" 'say which name could not be opened'
    [[ ! ${noted[made]-} ]] ||
        because 'it made a file of that name' "hint: $hint"
    roles '
        echo "precious $1" >"$path"
        chmod 666 "$path"
        play fifo-server ask "$path"
        cat "$path"'
    says "precious $token" "$hint"
    ends 1 "$hint"
    complains '' 'say what is wrong'
}

@test "fifo-server: without a role and one PATH it is refused, with status 2 [1]" {
    local words
    roles '
        open_client
        answer "$1"
        finish "$client"
        cat "$OWN/answer"'
    ends
    got "$token" "$output"
    for words in serve ask "serve $token more" "ask $token more" "speak $token"; do
        # shellcheck disable=SC2086 # several words
        demo fifo-server $words
        ends 2 "the words were: $words"
        complains '' 'say how it is used'
    done
}

@test "fifo-server: a client that leaves before its answer does not end serve [1]" {
    roles --stop '?open,?openat,?openat2 /tmp/fifo-server.1' '
        mkfifo -m 666 /tmp/fifo-server.1
        open_server || return
        visit
        exec {reply}<>/tmp/fifo-server.1
        put "$requests" 1
        await eval "stopped || ! alive $server"
        exec {reply}>&-
        go_on
        visit
        note ticket "$int"'
    ends
    answered ticket 'after it' \
        'hint: it is SIGPIPE that comes if you write and there is no reader: ignore it'
}

@test "fifo-server: ask leaves no FIFO, however it ends [1]" {
    local way
    roles '
        for way in answer TERM INT; do
            path=$PWD/requests.$way
            open_client
            note "request$way" "$int"
            note "client$way" "$client"
            if [[ $way == answer ]]; then
                answer "$1"
            else
                kill "-$way" "$client"
            fi
            finish "$client"
            [[ ! -e $(fifo_of "$client") ]] || note remains "$way"
        done'
    ends any 'on SIGINT and SIGTERM it ends: a handler may unlink and _exit'
    for way in answer TERM INT; do
        asked "$way"
    done
    way=${noted[remains]-}
    [[ ! $way ]] || because "its FIFO is still there after ${way/#[TI]/SIG&}" \
        'hint: unlink, and in a handler of SIGINT and SIGTERM, too'
}

@test "fifo-server: serve removes its FIFO on SIGTERM and SIGINT, and ends [1]" {
    roles '
        for signal in INT TERM; do
            path=$PWD/requests.before.$signal
            start_server || return
            until_idle "$server"
            kill "-$signal" "$server"
            finish "$server"
            [[ ! -e $path ]] || note remains "SIG$signal without a client"
            path=$PWD/requests.after.$signal
            open_server || return
            visit
            note "$signal" "$int"
            until_idle "$server"
            kill "-$signal" "$server"
            finish "$server"
            [[ ! -e $path ]] || note remains "SIG$signal"
        done'
    ends any 'after a handler that signal has set, open and read go on: let it unlink and _exit, or use sigaction without SA_RESTART'
    answered INT 'at first'
    answered TERM 'at first'
    [[ ! ${noted[remains]-} ]] ||
        because "its FIFO is still there after ${noted[remains]}" \
            'hint: unlink, in a handler of SIGINT and SIGTERM'
}

@test "fifo-server: a client that has gone does not stop serve [2]" {
    roles '
        open_server || return
        visit
        (exit) & # one that has removed its FIFO
        wait $!
        put "$requests" $!
        visit
        note second "$int"
        (exit) & # one that was killed, and has left it
        wait $!
        mkfifo -m 666 "$(fifo_of $!)"
        put "$requests" $!
        visit
        note third "$int"'
    ends 'open to write waits for a reader: with O_NONBLOCK it fails'
    answered second 'after one that has removed its FIFO' \
        'hint: if the open fails, go on'
    answered third 'after one that was killed' \
        'hint: open to write waits for a reader: with O_NONBLOCK it fails'
}

@test "fifo-server: ask takes no end of file for a ticket [1]" {
    # The server ends between its open and its write.
    roles '
        open_client
        note request "$int"
        note client "$client"
        [[ ! -p $(fifo_of "$client") ]] || exec {reply}<>"$(fifo_of "$client")"
        exec {reply}>&- {requests}>&-
        finish "$client"
        cat "$OWN/answer"'
    asked
    says '' 'read returns 0 at the end of file: there is no ticket'
    ends 1 'read returns 0 at the end of file'
    complains '' 'say that there is no answer'
}

@test "fifo-server: ask does not wait for a server that has ended [1]" {
    roles '
        open_client
        note request "$int"
        note client "$client"
        exec {requests}>&-
        finish "$client"
        cat "$OWN/answer"'
    asked
    ends 1 "keep the server's FIFO open, and give it to poll, too: POLLERR comes when it has no reader"
    says ''
    complains '' 'say that there is no answer'
}
