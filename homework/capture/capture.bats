# The graded tests of capture: what README.md asks for, and nothing else. One
# mistake is to cost one test: so most commands write little, each stream in
# one piece, and close nothing themselves.

setup() {
    load "$GRADE/scenes"
    token=1$RANDOM$RANDOM
    cd "$BATS_TEST_TMPDIR"
    touch stdout stderr
}

# shown [HINT]   capture has printed what the files stdout and stderr hold, each
# after a line that says how much that is
shown() {
    local LC_ALL=C name size line wrong=()
    : >page
    for name in stdout stderr; do
        size=$(stat -c %s "$name")
        line=$(tail -c +$(($(stat -c %s page) + 1)) "$notes/out" |
            head -n 1 | tr -d '\0')
        if [[ $line != *"$name"* || ! $line =~ (^|[^0-9])$size([^0-9]|$) ]]; then
            wrong=("the line before what came to $name needs this word and $size; it is:")
            mapfile -tO 1 wrong < <(excerpt "$line" && hint "${1-}")
            break
        fi
        { echo "$line" && cat "$name"; } >>page
        [[ ! $(tail -c 1 "$name" | tr '\0' x) ]] || echo >>page
        if ! cmp -sn "$(stat -c %s page)" page "$notes/out"; then
            wrong=("what it shows of $name is not what the command wrote ($size bytes):")
            mapfile -tO 1 wrong < <(differs && hint "${1-}")
            break
        fi
    done
    [[ ${wrong[*]} ]] || cmp -s page "$notes/out" || wrong=('it prints more than the two streams')
    [[ ! ${wrong[*]} ]] || because "${wrong[@]}"
}

# Where does what is printed leave the page?
differs() {
    local said
    if (($(stat -c %s page) < 500)); then
        excerpt "$(head -c 500 "$notes/out" | tr '\0' '@')"
        echo 'and not (with @ for each NUL):'
        excerpt "$(tr '\0' '@' <page)"
    else
        said=$(cmp page "$notes/out" 2>&1)
        echo "    ${said/*EOF*/it ends too soon}"
    fi
}

# by_sh [OPTION...] SCRIPT [WORD...]   capture runs sh, which runs the script.
# In it settled [TIMES [SECONDS]] waits until capture sleeps, having read all
# that was written, or is gone; busy is set if capture was doing something each
# time that it looked. Most scripts end with it, so that what capture shows does
# not depend on which end of file it sees first.
by_sh() {
    local options=(--seconds 6)
    while [[ $1 == --* ]]; do
        options+=("$1" "$2")
        shift 2
    done
    scene "${options[@]}" 'play capture sh -c "$@"; [[ ! -e busy ]] || note busy' \
        "$settled $1" sh "${@:2}"
}
settled='
    look() {
        grep -hE "^State|ctxt" /proc/$PPID/task/*/status 2>/dev/null
    }
    settled() {
        looks=0
        while [ $((looks += 1)) -le ${1:-4} ]; do
            before=$(look)
            sleep ${2:-0.1}
            now=$(look)
            case $now in *State:?[!S]*) continue ;; esac
            [ "$now" != "$before" ] || return 0
        done
        busy=1
    }
'

@test "capture: what the command writes is shown, each stream apart [2]" {
    local hint='a pipe for each: dup2(out[1], 1), dup2(error[1], 2)'
    echo "out $token" >stdout
    echo "error $token" >stderr
    by_sh "echo out $token; echo error $token >&2; settled"
    ends 'the end of file comes when the last write end is closed: close those of the parent'
    shown "$hint"
}

@test "capture: the command gets its words and its standard input as they are [1]" {
    local words=("a  $token" '' '*' '$HOME;' "'")
    printf '%s|\n' "${words[@]}" >stdout
    by_sh 'printf "%s|\n" "$@"; settled' "${words[@]}"
    ends
    shown 'execvp takes the words of argv as they are; a shell would change them'
    echo "$token" >stdout
    scene 'echo "$1" >"$OWN/in"; play capture sh -c "$2" <"$OWN/in"' \
        "$token" "$settled cat; settled"
    ends
    shown 'leave descriptor 0 as it is'
}

@test "capture: more than a pipe holds comes through [2]" {
    local from=$((RANDOM + 100000))
    seq "$from" $((from + 60000)) >stdout
    by_sh "seq $from $((from + 60000)); settled"
    ends 'read to the end first and wait for the command second: a pipe holds 64 KiB'
    shown 'a read gives what is there, which is not all: go on until it returns 0'
}

@test "capture: one full pipe does not hold up the other [2]" {
    local from=$((RANDOM + 100000))
    local numbers="seq $from $((from + 15000))"
    local hint='read whichever pipe has something: poll tells you, or a thread for each'
    $numbers >stderr
    echo "$token" >stdout
    by_sh "$numbers >&2; echo $token; settled"
    ends "$hint"
    shown "$hint"
    mv stderr more
    mv stdout stderr
    mv more stdout
    by_sh "$numbers; echo $token >&2; settled"
    ends "$hint"
    shown "$hint"
}

@test "capture: every byte counts, NULs too [1]" {
    local bytes="a\\0b\\n\\0\\0x$token"
    printf '%b' "$bytes" >stdout
    by_sh 'printf %b "$1"; settled' "$bytes"
    ends
    shown 'keep a length beside the bytes: %s and strlen stop at the first NUL'
}

@test "capture: a stream that is closed early does not end the other [1]" {
    local hint='read on until both streams are at their end'
    echo "$token" >stdout
    by_sh "exec 2>/dev/null; settled; echo $token"
    ends any "$hint"
    shown "$hint"
    mv stdout stderr
    : >stdout
    by_sh "exec >/dev/null; settled; echo $token >&2"
    ends any "$hint"
    shown "$hint"
}

@test "capture: it sleeps until there is something to read [1]" {
    local hint='at the end of file poll returns at once, each time: give it a descriptor of -1 in its place'
    echo "$token" >stdout
    by_sh "echo $token; exec 2>/dev/null; settled 15 0.15
        [ -z \"\$busy\" ] || : >busy"
    ends any
    shown
    [[ ! -v noted[busy] ]] ||
        because 'stderr was at its end, stdout empty: and capture was always busy' "hint: $hint"
}

@test "capture: what the command leaves in the background is shown [1]" {
    local hint='the end of file says that nobody will write any more, the end of the command does not'
    echo "$token" >stdout
    by_sh "{
            while [ -e /proc/\$\$/exe ]; do sleep 0.05; done
            settled 4 0.2
            echo $token
        } &"
    ends any "$hint"
    shown "$hint"
}

@test "capture: the status is that of the command [1]" {
    local code=$((RANDOM % 90 + 10))
    echo "$token" >stdout
    by_sh "echo $token; settled; exit $code"
    ends "$code" 'what waitpid stores is not yet the status: WEXITSTATUS'
    shown
    demo capture echo "$token"
    ends
}

@test "capture: 128 + the signal if the command is killed [1]" {
    local hint='a command that was killed has no exit status: ask WIFSIGNALED first'
    echo "$token" >stdout
    by_sh "echo $token; settled; kill -TERM \$\$"
    shown
    ends 143 "$hint"
    demo capture sh -c 'kill -KILL $$'
    ends 137 "$hint"
}

@test "capture: the command is waited for, even if it has closed both streams [1]" {
    local hint='waitpid without WNOHANG: a command may go on when it has closed its output'
    echo "$token" >stdout
    # If capture is gone by then, the command stays, as a proof.
    by_sh "echo $token; settled; exec >/dev/null 2>&1; settled 4 0.2
        [ -e /proc/\$PPID ] || exec sleep 9"
    ends any
    shown
    leaves_nothing "$hint"
}

@test "capture: 127 if there is no such command, 126 if it may not be run [1]" {
    local hint='when execvp has failed, the child tells the parent errno and ends: 127 is for ENOENT, 126 for all else'
    demo capture "nosuch-$token"
    ends 127 "$hint"
    complains "nosuch-$token" 'the child has a pipe as standard error: the parent has to say it'
    says '' 'nothing has run, so nothing is shown'
    demo capture /etc
    ends 126 "$hint"
    says ''
}

@test "capture: a command that ends with 127 or 126 is shown as any other [1]" {
    local code hint='the status does not tell whether exec has worked: a pipe with O_CLOEXEC does'
    echo "$token" >stdout
    for code in 127 126; do
        by_sh "echo $token; settled; exit $code"
        ends any "$hint"
        shown "$hint"
    done
}

@test "capture: the command inherits no spare descriptor [1]" {
    echo "$token 0 1 2 3" >stdout # 3 is the folder's
    by_sh "cd /proc/self/fd && echo $token *; settled"
    ends
    shown 'pipe2 with O_CLOEXEC, or close all numbers that pipe gave when dup2 has copied two'
}

@test "capture: if there can be no pipe or no process, it says so and shows nothing [1]" {
    local calls hint='pipe and fork return -1 if they fail: then there is nothing to show'
    echo "$token" >stdout
    by_sh "echo $token; settled"
    ends
    shown
    for calls in '?pipe,pipe2=EMFILE' '?fork,?vfork,clone,?clone3=EAGAIN'; do
        demo --starve "$calls" capture echo "$token"
        ends any "$hint"
        says '' "$hint"
        [[ $status != 0 ]] ||
            because 'it ends with status 0, as if it had done its work' "hint: $hint"
        complains '' 'say which call has failed, and why: perror, err'
    done
}

@test "capture: it works with 2 closed at the start [1]" {
    local hint='pipe may give 2: then close(out[0]) in the child, after dup2, takes its stderr away'
    echo "out $token" >stdout
    echo "error $token" >stderr
    by_sh --closed 2 "echo out $token; echo error $token >&2; settled"
    ends "$hint"
    shown "$hint"
}

@test "capture: it works when it is started with SIGCHLD ignored [1]" {
    echo "$token" >stdout
    by_sh --ignore CHLD "echo $token; settled; exit 7"
    ends 7 'where SIGCHLD is ignored waitpid finds no status: signal(SIGCHLD, SIG_DFL)'
    shown
}
