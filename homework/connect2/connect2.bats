# The graded tests of connect2: what README.md asks for, and nothing else. One
# mistake is to cost one test: so few commands here read to the end of file or
# at all, and both have the same status where that is not the point.

setup() {
    load "$GRADE/scenes"
    token=1$RANDOM$RANDOM
}

@test "connect2: CMD2 reads what CMD1 writes [2]" {
    local hint='dup2(fd[1], 1) in one child, dup2(fd[0], 0) in the other'
    demo connect2 echo "$token" -- sh -c 'read word; echo "got $word"'
    ends "$hint"
    says "got $token" "$hint"
}

@test "connect2: CMD2 sees the end of file [2]" {
    demo connect2 echo "$token" -- wc -c
    ends 'close both ends in the parent before it waits: EOF comes when the last write end is closed'
    says $((${#token} + 1))
}

@test "connect2: more than a pipe holds goes through [2]" {
    local size
    size=$(seq "$token" $((token + 50000)) | wc -c)
    demo connect2 seq "$token" $((token + 50000)) -- \
        sh -c "head -c $size | cksum"
    ends 'start both commands before you wait for either: a pipe holds 64 KiB'
    says "$(seq "$token" $((token + 50000)) | cksum)"
}

@test "connect2: words arrive as they are, and the first -- divides [1]" {
    local words=("a  $token" '' '*' '$HOME;' "'")
    demo connect2 printf '%s|\n' "${words[@]}" -- head -n 5 --
    ends 'execvp takes the words of argv as they are; a shell would change them'
    says "$(printf '%s|\n' "${words[@]}")"
}

@test "connect2: the status is that of CMD2 [1]" {
    local code=$((RANDOM % 90 + 10))
    local hint='wait for each child by its pid: the status is that of the second'
    demo connect2 sh -c 'echo y; exec >&-; sleep 0.5' -- sh -c "exit $code"
    ends "$code" "$hint"
    demo connect2 sh -c "exit $code" -- echo "$token"
    ends 0 "$hint"
    says "$token"
}

@test "connect2: 128 + the signal if CMD2 is killed [1]" {
    local hint='a child that was killed has no exit status: ask WIFSIGNALED first'
    demo connect2 sh -c 'exit 143' -- sh -c "echo $token; kill -TERM \$\$"
    says "$token"
    ends 143 "$hint"
    demo connect2 sh -c 'exit 137' -- sh -c 'kill -KILL $$'
    ends 137 "$hint"
}

@test "connect2: 127 if there is no CMD2, 126 if it may not be run [1]" {
    local hint='when execvp has failed: 127 if errno is ENOENT, else 126'
    demo connect2 sh -c 'exit 127' -- "nosuch-$token"
    ends 127 "$hint"
    complains "nosuch-$token" 'say which command could not be run'
    demo connect2 sh -c 'exit 126' -- /etc
    ends 126 "$hint"
}

@test "connect2: a CMD1 that does not exist is named, CMD2 runs, once [2]" {
    local hint='the child whose execvp has failed must end: it is a copy of the parent'
    demo connect2 "nosuch-$token" -- sh -c "echo ran $token >&2; exit 127"
    ends 127 "$hint"
    complains "nosuch-$token" 'say which command could not be run'
    # The complaint may be written in pieces, with CMD2's line between them.
    output=$(grep -o "ran $token" <<<"$errors" || true)
    says "ran $token" "$hint"
}

@test "connect2: CMD1 gets SIGPIPE when CMD2 has ended [2]" {
    demo connect2 sh -c 'yes; echo $? >&2; exit 141' -- \
        sh -c "head -n 1; echo $token; exit 141"
    ends 141 'close the read end, too, in CMD1 and in the parent: SIGPIPE comes when the last one is closed'
    says "y"$'\n'"$token"
    [[ $errors == 141 ]] || because 'CMD1 was not killed by SIGPIPE:' \
        "    ${errors:0:99}" 'hint: a command inherits which signals are ignored'
}

@test "connect2: the commands inherit no spare descriptor [1]" {
    local fds hint='close both numbers that pipe gave, in each child, when dup2 has copied one'
    fds=$(printf '%s\n' 0 1 2 3) # 3 is ls' own
    demo connect2 sh -c 'exec ls /proc/self/fd >&2' -- true
    ends
    output=$errors
    says "$fds" "CMD1: $hint"
    demo connect2 true -- ls /proc/self/fd
    ends
    says "$fds" "CMD2: $hint"
}

@test "connect2: it works with 0 or 1 closed at the start [1]" {
    local hint='pipe may give 0 or 1, and in the other order than you want them'
    demo --closed 0 connect2 echo "$token" -- head -n 1
    ends "$hint"
    says "$token" "$hint"
    demo --closed 1 connect2 echo "$token" -- sh -c 'head -n 1 >&2'
    ends "$hint"
    complains "$token" "$hint"
}

@test "connect2: both commands are waited for [1]" {
    demo --trace '?wait4,?waitid,?fork,?vfork,?clone,?clone3' \
        connect2 sh -c 'exec >&-' -- echo "$token"
    ends
    says "$token"
    accept_trace "$WAITED" 'waitpid, for each: a command may go on when the other has ended'
}

@test "connect2: without two commands it is refused, with status 2 [1]" {
    local words
    demo connect2 true -- echo "$token"
    ends
    says "$token"
    for words in "echo $token" "echo $token --" "-- echo $token"; do
        # shellcheck disable=SC2086 # several words
        demo connect2 $words
        ends 2 "the words were: $words"
        says ''
        complains '' 'say how it is used'
    done
}

@test "connect2: if there can be no pipe, it says so and runs nothing [1]" {
    demo connect2 true -- echo "$token"
    ends
    says "$token"
    demo --starve '?pipe,pipe2=EMFILE' connect2 true -- echo "$token"
    says '' 'pipe returns -1 if it fails: there is nothing to connect'
    ends 1 'pipe returns -1 if it fails'
    complains '' 'say which call has failed, and why: perror, err'
}

@test "connect2: it works when it is started with SIGCHLD ignored [1]" {
    demo --ignore CHLD connect2 sh -c 'exit 7' -- sh -c "echo $token; exit 7"
    says "$token"
    ends 7 'where SIGCHLD is ignored waitpid finds no status: signal(SIGCHLD, SIG_DFL)'
}
