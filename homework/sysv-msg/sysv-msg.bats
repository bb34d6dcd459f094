# The graded tests of sysv-msg: what README.md asks for, and nothing else. One
# mistake is to cost one test. So where the types are not the point it does not
# matter which message a question gets; but each gets one, because a msgrcv that
# waits would hang. Where it is not the point who is slow, Parent is.

setup() {
    load "$GRADE/scenes"
    token=1$RANDOM$RANDOM
}

FORK='?fork,?vfork,?clone,?clone3'

# Five messages for five questions.
usual() { # TEXT
    words=(2 "$1" 3 "$1" 3 "$1" 3 "$1" 9 "$1")
}

# answer N TYPE TEXT [HINT]   that is in the Nth line of Receiver, or none
answer() {
    local asked=(2 -3 -3 -3 0) lines expected
    mapfile -t lines < <(grep '^Receiver' <<<"$output")
    expected="Receiver asks for ${asked[$1 - 1]} and gets $2"
    [[ $2 == none ]] || expected+=": $3"
    [[ ${lines[$1 - 1]-} == "$expected" ]] && return
    [[ $2 == none && ${lines[$1 - 1]-} == "$expected"[!0-9A-Za-z_]* ]] && return
    mapfile -t lines < <(echo "line $1 of Receiver is:" &&
        excerpt "${lines[$1 - 1]-}" && echo 'and not:' && excerpt "$expected" &&
        hint "${4-}")
    because "${lines[@]}"
}

# got TEXT [HINT]   Receiver has got that, once or more, and nothing else
got() {
    local lines texts
    texts=$(sed -nE 's/^Receiver asks for [-0-9]+ and gets [0-9]+: //p' \
        <<<"$output" | sort -u && echo .)
    [[ $texts == "$1"$'\n.' ]] && return
    mapfile -t lines < <(echo 'Receiver says:' &&
        excerpt "$(grep '^Receiver' <<<"$output")" &&
        echo 'and not that it gets this text, and no other:' && excerpt "$1" &&
        hint "${2-}")
    because "${lines[@]}"
}

# counted BEFORE AFTER [HINT]   these are the numbers in Parent's line
counted() {
    output=$(grep '^Parent' <<<"$output") || true
    says "Parent: messages in the queue: $1, then $2" "${3-}"
}

# no_count [HINT]   there is no line of Parent
no_count() {
    ! grep -q '^Parent' "$notes/out" || because 'Parent counts all the same' \
        ${1+"hint: $1"}
}

# fails [HINT]   it has a message on stderr, status 1, no line of Parent
fails() {
    ends 1 "${1-}"
    complains '' 'say which call has failed, and why: perror, err'
    no_count "${1-}"
}

@test "sysv-msg: type 2 is taken first, wherever it stands [1]" {
    demo --in-turn sysv-msg 9 e 3 b 2 "$token" 3 c 3 d 2 f
    ends any
    answer 1 2 "$token" "msgrcv's type is 2"
}

@test "sysv-msg: then the lowest type up to 3, three times [1]" {
    local hint="msgrcv's type is -3"
    demo --in-turn sysv-msg 2 a 9 e 3 "c$token" 2 "b$token" 1 "a$token" 4 d
    ends any
    answer 2 1 "a$token" "$hint"
    answer 3 2 "b$token" "$hint"
    answer 4 3 "c$token" "$hint"
}

@test "sysv-msg: then the first message that is left [1]" {
    demo --in-turn sysv-msg 2 a 3 b 3 c 3 d 7 "$token" 5 e 8 f
    ends any
    answer 5 7 "$token" "msgrcv's type is 0"
}

@test "sysv-msg: texts arrive as they are [1]" {
    local text hint='printf("%s", text), or "%.*s" with what msgrcv returned'
    for text in "a  $token " '' "%s%d%%*\\n'$token"; do
        usual "$text"
        demo --in-turn sysv-msg "${words[@]}"
        ends any
        got "$text" "$hint"
    done
}

@test "sysv-msg: a short text after a long one is short [1]" {
    local long
    long=$(printf "%0400d$token" 7)
    demo --in-turn sysv-msg 2 "$long" 3 "$token" 3 "$long" 3 x 9 yz
    ends any
    answer 1 2 "$long" 'a text has at most 500 bytes'
    answer 2 3 "$token" 'msgrcv adds no NUL; it says how many bytes it has'
    answer 4 3 x
}

@test "sysv-msg: the queue takes messages from one process to another [1]" {
    usual "$token"
    words+=(9 "$token")
    demo --in-turn --trace "$FORK,msgsnd,msgrcv" sysv-msg "${words[@]}"
    ends any
    got "$token"
    accept_trace '
        / clone3?\(.*CLONE_THREAD/ { of[$NF] = $1 }
        / msgsnd\(.* = 0/ { sent++; sender[$1] }
        / msgrcv\(.* = [0-9]/ { got++; receiver[$1] }
        function process(id) { return id in of ? process(of[id]) : id }
        END {
            if (sent != 6) print "msgsnd has sent " sent + 0 " messages, not 6"
            if (!got) print "msgrcv has taken no message"
            for (one in sender)
                for (other in receiver)
                    if (process(one) == process(other)) same = 1
            if (same) print "the process that sends receives, too"
        }' 'fork for Sender or for Receiver'
}

@test "sysv-msg: a message is as long as its text [1]" {
    local length=$((RANDOM % 100 + 50)) text
    text=$(printf "%0${length}d" "$token")
    usual "$text"
    demo --in-turn --trace msgsnd sysv-msg "${words[@]}"
    ends any
    got "$text"
    accept_trace "BEGIN { text = $length }"'
        / msgsnd\(.* = 0/ && match($0, /}, [0-9]+, /) {
            sent++
            length_ = substr($0, RSTART + 3) + 0
            if (length_ != text && length_ != text + 1)
                print "msgsnd was told " length_ " bytes for a text of " text
        }
        END {
            if (sent != 5) print "msgsnd has sent " sent + 0 " messages, not 5"
        }' 'strlen of the text: not the type, nor all of the buffer'
}

@test "sysv-msg: Receiver begins when all messages are in the queue [1]" {
    usual "$token"
    demo --seconds 6 --in-turn --inject msgsnd=delay_enter=1800000:when=1 \
        sysv-msg "${words[@]}"
    ends any
    got "$token" 'here Sender is slow: wait for its end, then receive'
}

@test "sysv-msg: a slow Receiver is waited for [1]" {
    usual "$token"
    demo --inject msgrcv=delay_enter=300000:when=1 sysv-msg "${words[@]}"
    ends any
    got "$token" 'when Parent removes the queue Receiver must have ended'
}

@test "sysv-msg: the messages are counted, before and after [1]" {
    local more=$((RANDOM % 20 + 1)) taken i
    usual "$token"
    for ((i = 0; i < more; i++)); do
        words+=(9 "$i")
    done
    demo --in-turn sysv-msg "${words[@]}"
    ends
    taken=$(grep -cE '^Receiver .* gets [0-9]' <<<"$output") || true
    counted $((5 + more)) $((5 + more - taken)) \
        'msgctl with IPC_STAT, after Sender and after Receiver'
}

@test "sysv-msg: the kernel counts them [1]" {
    usual "$token"
    demo --in-turn sysv-msg "${words[@]}" 5 "$token"
    ends
    got "$token"
    demo --in-turn --inject msgctl=error=EACCES:when=1 \
        sysv-msg "${words[@]}"
    ends 1 'here msgctl fails, so nobody knows how many there are'
    no_count 'here msgctl fails, so nobody knows how many there are'
}

@test "sysv-msg: nobody else may read or write: the mode is 0600 [1]" {
    usual "$token"
    demo --in-turn --trace msgget sysv-msg "${words[@]}"
    ends any
    got "$token"
    accept_trace '
        / msgget\(.*(IPC_CREAT|IPC_PRIVATE).* = [0-9]/ {
            made++
            if (!/[ |]0600\)/)
                print "it makes a queue so:" substr($0, index($0, " "))
        }
        END { if (!made) print "it makes no queue" }' \
        'the mode is in the flags of msgget: IPC_CREAT | 0600'
}

@test "sysv-msg: two copies at once have a queue each [2]" {
    local hint='IPC_PRIVATE, or a key that has the pid in it; and IPC_EXCL'
    usual "$token"
    demo --in-turn sysv-msg "${words[@]}"
    ends
    got "$token"
    first=("${words[@]}" 9 "$token" 9 "$token")
    usual "other$token"
    # Each msgctl comes late. So the second copy is there while the first one's
    # messages are in the queue.
    # shellcheck disable=SC2016 # for the scene
    scene --seconds 8 --in-turn --inject msgctl=delay_enter=700000 '
        filled() {
            awk -v uid="${ONLY_UID-}" "
                NR > 1 && \$5 > 0 && (uid == \"\" || \$10 == uid) { filled = 1 }
                END { exit !filled }" /proc/sysvipc/msg
        }
        start sysv-msg "${@:11}" >"$OWN/first"
        first=$!
        await eval "filled || ! kill -0 $first"
        filled && note filled
        play sysv-msg "${@:1:10}"
        second=$status
        finish "$first"
        echo ----
        cat "$OWN/first"
        ((second == 0)) || status=$second' \
        "${words[@]}" "${first[@]}"
    [[ $hung || -v noted[filled] ]] ||
        because 'no queue is seen that has messages'
    ends "$hint"
    local both=$output
    output=${both%%----*}
    got "other$token" "$hint"
    output=${both#*----}
    got "$token" "$hint"
}

@test "sysv-msg: nothing is left behind [1]" {
    usual "$token"
    demo --in-turn sysv-msg "${words[@]}" 9 "$token"
    ends any
    got "$token"
    leaves_nothing 'a queue stays until msgctl with IPC_RMID'
}

@test "sysv-msg: nothing is left behind if a call fails [1]" {
    local fault hint='before Parent leaves after an error: msgctl with IPC_RMID'
    usual "$token"
    demo --in-turn sysv-msg "${words[@]}"
    ends any
    got "$token"
    for fault in msgsnd=EACCES msgrcv=EACCES "$FORK=EAGAIN"; do
        demo --in-turn --starve "$fault" sysv-msg "${words[@]}"
        ends any
        leaves_nothing "${fault/$FORK/fork}; $hint"
    done
}

@test "sysv-msg: if a call fails, it says so, with status 1 [1]" {
    local fault
    usual "$token"
    demo --in-turn sysv-msg "${words[@]}"
    ends
    got "$token"
    for fault in msgget=ENOSPC "$FORK=EAGAIN" msgsnd=EACCES msgrcv=EACCES; do
        demo --in-turn --starve "$fault" sysv-msg "${words[@]}"
        fails "here ${fault/$FORK/fork}; wait says how a child has ended"
    done
}

@test "sysv-msg: a TYPE is a number and has a TEXT, all else is refused [1]" {
    local type
    usual "$token"
    demo --in-turn sysv-msg "${words[@]}" 2147483647 f
    ends
    got "$token"
    for type in 0 -1 x '' "${token:0:4}x" "x$token" 2147483648 \
        99999999999999999999; do
        demo --in-turn sysv-msg 2 "$token" "$type" text
        ends 2 "TYPE was: $type"
        says ''
        complains '' 'say how it is used'
    done
    demo --in-turn sysv-msg 2 "$token" 3
    ends 2 'the last TYPE had no TEXT'
    says ''
    complains '' 'say how it is used'
}

@test "sysv-msg: where there is no such message Receiver does not wait [1]" {
    local i hint='IPC_NOWAIT; then msgrcv fails with ENOMSG, which is an answer'
    demo --in-turn sysv-msg 4 "$token" 9 b
    ends "$hint"
    for i in 1 2 3 4; do
        answer "$i" none '' "$hint"
    done
    answer 5 4 "$token"
}

@test "sysv-msg: where the queue is full Sender does not wait [1]" {
    local hint='IPC_NOWAIT; then msgsnd fails with EAGAIN: nobody receives yet'
    usual "$token"
    demo --in-turn sysv-msg "${words[@]}"
    ends
    got "$token"
    # shellcheck disable=SC2016 # for the scene
    scene --in-turn '
        text=$(printf %0500d "$1")
        words=()
        read -r room </proc/sys/kernel/msgmnb
        while ((room >= 0)); do
            words+=(3 "$text")
            ((room -= 500))
        done
        play sysv-msg "${words[@]}"' "$token"
    fails "$hint"
}
