# The graded tests of fdpass: what README.md asks for, and nothing else.

setup() {
    load "$GRADE/scenes"
    token=$((RANDOM % 9000 + 1000))$RANDOM
}

OPEN='?open,openat,?openat2'

# What each scene begins with: $1 in it is the token, and $FILE a file with it.
# shellcheck disable=SC2016 # expanded in the scene
FILES='
FILE=file.$1
printf "%s\n" "begin $1" "* $((RANDOM * RANDOM))" "end $1" >"$FILE"

alive() { # PID
    grep -q "^State:.[^ZX]" "/proc/$1/status"
}

# Starts it with FILE, and has it stopped by --stop when FILE is open.
start_and_stop() {
    start fdpass "$FILE"
    program=$!
    await eval "stopped || ! alive $program"
    stopped
}

# Is what was printed, as $OWN/out, some words, FILE, and some words?
compare() {
    local at
    at=$(grep -abo -m 1 "begin $1" "$OWN/out" | head -n 1)
    tail -c "+$((${at%%:*} + 1))" "$OWN/out" | head -c "$(stat -c %s "$FILE")" |
        cmp - "$FILE" && note same "$1"
}
'

# Plays a scene that begins with FILES.
files() { # [OPTION VALUE]... BASH
    scene "${@:1:$#-1}" "$FILES act() { ${*: -1}"$'\n}; act "$1"' "$token"
}

# Fails if not all of FILE was printed, in one piece.
prints_file() { # [HINT]
    ends any "${1-}"
    [[ $output == *"begin $token"$'\n*'*$'\n'"end $token"* ]] && return
    says "... begin $token ... end $token ..." "${1-}"
}

prints_no_file() {
    ends any
    [[ $output != *"begin $token"* ]] || says '(nothing of FILE)'
}

@test "fdpass: Child prints what is in FILE [2]" {
    files 'play fdpass "$FILE"'
    ends 'recvmsg, read until it returns 0, write'
    prints_file
}

@test "fdpass: a FILE that is large comes whole [1]" {
    files '
        seq $((RANDOM + 100000)) >>"$FILE"
        play fdpass "$FILE" >"$OWN/out"
        compare "$1"'
    ends
    [[ ${noted[same]-} == "$token" ]] ||
        because 'what it printed is not all of FILE' \
            'hint: read again until it returns 0'
}

@test "fdpass: whatever bytes are in FILE come [1]" {
    files '
        printf "%b" "\0\0%s\377\n\0" >>"$FILE"
        play fdpass "$FILE" >"$OWN/out"
        compare "$1"'
    ends
    [[ ${noted[same]-} == "$token" ]] ||
        because 'bytes of the value 0 are lost, or others' \
            'hint: what read gives is no string: write as many bytes'
}

@test "fdpass: a FILE in /proc comes, whose size is 0 [1]" {
    local text
    text=$(</proc/sys/kernel/random/boot_id)
    demo fdpass /proc/sys/kernel/random/boot_id
    ends
    [[ $output == *"$text"* ]] ||
        says "... $text ..." 'read until it returns 0, whatever stat says'
}

@test "fdpass: Child gets FILE open, when its name is gone [2]" {
    local hint='Child has no name, only what comes in the control message'
    files --stop "$OPEN file.$token" '
        start_and_stop || return
        rm "$FILE"
        go_on
        finish "$program"'
    ends "$hint"
    prints_file "$hint"
}

@test "fdpass: FILE is opened after the fork [1]" {
    files --trace "$OPEN,?fork,?vfork,?clone,?clone3" 'play fdpass "$FILE"'
    prints_file
    accept_trace '
        / open(at2?)?\(.*"file\.'"$token"'"/ && $NF >= 0 { opener[$1] }
        / (v?fork|clone3?)\(/ && !/CLONE_THREAD/ && $1 in opener {
            print "when it forks FILE is open already, and Child inherits it"
        }'
}

@test "fdpass: one message brings one descriptor, from Parent to Child [2]" {
    files --trace "$OPEN,sendmsg,recvmsg,?sendmmsg,?recvmmsg" \
        'play fdpass "$FILE"'
    prints_file
    accept_trace '
        / open(at2?)?\(.*"file\.'"$token"'"/ && $NF >= 0 { opener = $1 }
        /SCM_RIGHTS/ && $NF > 0 && match($0, /cmsg_data=\[[^]]*\]/) {
            n = split(substr($0, RSTART, RLENGTH), number, ",")
            if (n != 1) print n " descriptors are in the message, not 1"
        }
        / sendm?msg\(.*SCM_RIGHTS/ && $1 == opener { sent++ }
        / recvm?msg\(.*SCM_RIGHTS/ && $1 != opener { got++ }
        END {
            if (!sent) print "Parent sends no SCM_RIGHTS"
            else if (!got) print "Child receives no SCM_RIGHTS"
        }' 'cmsg_len is CMSG_LEN(sizeof(int)), msg_controllen CMSG_SPACE(sizeof(int))'
}

@test "fdpass: the descriptor is close-on-exec as it comes [1]" {
    files --trace 'recvmsg,?recvmmsg' 'play fdpass "$FILE"'
    prints_file
    accept_trace '
        /SCM_RIGHTS/ && $NF > 0 { got++ }
        /SCM_RIGHTS/ && $NF > 0 && !/MSG_CMSG_CLOEXEC/ {
            print "a command that Child would run inherits it"
        }
        END { if (!got) print "nothing is received" }' \
        "recvmsg's last argument: MSG_CMSG_CLOEXEC"
}

@test "fdpass: Parent says how far Child has read [2]" {
    local size=$((RANDOM % 3000 + 100))
    local hint='wait for Child, then lseek(fd, 0, SEEK_CUR)'
    files --late child "
        size=$size"'
        head -c "$size" /dev/zero | tr "\0" "+" >>"$FILE"
        note size "$(stat -c %s "$FILE")"
        play fdpass "$FILE"'
    ends "$hint"
    output=${output##*$'\n'}
    [[ ${output##*[!0-9]} == "${noted[size]}" ]] ||
        says "(words, and then) ${noted[size]}" "$hint"
}

@test "fdpass: it works with 0 closed at the start [1]" {
    local hint='0 is a descriptor like any other: -1 is none'
    files --closed 0 'play fdpass "$FILE"'
    ends "$hint"
    prints_file "$hint"
}

@test "fdpass: a FILE that cannot be opened is named [1]" {
    files '
        play fdpass "$FILE"
        play fdpass "no-$FILE"'
    prints_file
    complains "no-file.$token" 'say which file cannot be opened'
    ends 1
}

@test "fdpass: a read that fails is not taken for the end [1]" {
    files '
        mkdir folder
        play fdpass "$FILE"
        play fdpass folder'
    prints_file
    complains '' 'read returns -1 if it fails, from a folder, say'
}

@test "fdpass: more than one argument is refused, with status 2 [1]" {
    files '
        play fdpass "$FILE"
        play fdpass "$FILE" other'
    prints_file
    ends 2
    complains '' 'say how it is used'
}

@test "fdpass: a descriptor that finds no place is an error, with status 1 [1]" {
    local hint='where Child may have no more descriptors, recvmsg succeeds without one: MSG_CTRUNC'
    files 'play fdpass "$FILE"'
    prints_file
    files --room 3 'play fdpass "$FILE"'
    prints_no_file
    complains '' "$hint"
    ends 1 "$hint"
}

@test "fdpass: a Child that was killed does not kill Parent [1]" {
    files --stop "$OPEN file.$token" '
        start_and_stop || return
        note was stopped
        look_for_players
        for pid in "${players[@]}"; do
            [[ $pid != "$program" ]] || continue
            [[ $(<"/proc/$pid/comm") != strace ]] || continue
            kill -KILL "$pid"
            await eval "! alive $pid"
            note killed "$pid"
        done
        go_on
        finish "$program"'
    ends any
    [[ ${noted[was]-} ]] || because 'FILE was not opened'
    # Where FILE is opened before the fork, which costs another point, there is
    # nobody to be killed.
    if [[ ${noted[killed]-} ]]; then
        ends 1 'SIGPIPE comes where nobody can receive any more: MSG_NOSIGNAL'
    else
        prints_file
    fi
}

@test "fdpass: if the descriptor cannot be sent, both end [1]" {
    files --starve '?sendmmsg,sendmsg=ENOBUFS' 'play fdpass "$FILE"'
    grep -q INJECTED "$trace" || because 'sendmsg was not called'
    ends 1 'Child sees the end of file when the last copy of Parent'\''s socket is closed: close the one that it has inherited'
    prints_no_file
    complains '' 'say which call has failed, and why: perror, err'
}
