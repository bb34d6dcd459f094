# The graded tests of sig-child: what README.md asks for, and nothing else. One
# mistake is to cost one test: so each looks at one line, or at one number.
# Where it is not the point who is slow, Parent is, after each fork.

setup() {
    load "$GRADE/scenes"
    children=$((RANDOM % 3 + 2))
}

FORK='?fork,?vfork,?clone,?clone3'
WAIT='?wait4,?waitid'

# line N TEXT [HINT]   that is the Nth line; a * stands for any number
line() {
    local lines
    mapfile -t lines <<<"$output"
    # shellcheck disable=SC2053 # a pattern
    [[ ${lines[$1 - 1]-} == $2 ]] && return
    mapfile -t lines < <(echo "line $1 is:" && excerpt "${lines[$1 - 1]-}" &&
        echo 'and not:' && excerpt "${2//\*/N}" && hint "${3-}")
    because "${lines[@]}"
}

# adds_up [HINT]   each child is reaped or left, as lines 2 and 3 have it
adds_up() {
    line 2 'Parent: SIGCHLD came: *, reaped: *' "${1-}"
    line 3 'Parent: zombies: *' "${1-}"
    local reaped left
    reaped=$(sed -n '2s/.*reaped: //p' <<<"$output")
    left=$(sed -n '3s/.*zombies: //p' <<<"$output")
    [[ $reaped =~ ^[0-9]{1,4}$ && $left =~ ^[0-9]{1,4}$ ]] &&
        ((10#$reaped + 10#$left == children)) && return
    because "of $children children $reaped are reaped, and $left are left" \
        ${1+"hint: $1"}
}

# For awk: what Parent has forked, and each process that a child has.
STARTED='
    !parent && / (v?fork|clone3?)\(/ { parent = $1; ours[parent] }
    / (v?fork|clone3?)\(.* = [1-9]/ {
        if ($1 in ours && /CLONE_THREAD/) ours[$NF]
        else if ($1 in ours) started++
        else if (!/CLONE_THREAD/) others++
    }'

# For awk: that a handler can have run.
CAME='
    $2 == "---" && $3 == "SIGCHLD" { came = 1 }
    END { if (!came) print "SIGCHLD has not come" }'

@test "sig-child: first all children are zombies [2]" {
    local hint='block SIGCHLD, fork, then wait for each, with WNOWAIT'
    demo --in-turn sig-child "$children"
    ends any "$hint"
    line 1 "Parent: zombies: $children" "$hint"
}

@test "sig-child: the handler has reaped them all, and none is left [2]" {
    local hint='the handler calls waitpid until there is no ended child left'
    demo --in-turn sig-child "$children"
    ends any "$hint"
    line 2 "Parent: SIGCHLD came: *, reaped: $children" "$hint"
    line 3 'Parent: zombies: 0' "$hint"
    ends
}

@test "sig-child: SIGCHLD comes once for all [2]" {
    local hint='block it before the first fork, let it in when all have ended'
    demo --in-turn --trace "$FORK" sig-child "$children"
    ends any "$hint"
    accept_trace "BEGIN { children = $children } $STARTED"'
        $2 == "---" && $3 == "SIGCHLD" && $1 in ours { came++ }
        END {
            if (came != 1) print "SIGCHLD came " came + 0 " times"
            if (started < children) print "it started " started + 0 " children"
        }' "$hint"
}

@test "sig-child: without an argument there are five, and three lines [1]" {
    local hint='without an argument CHILDREN is 5' count
    for count in "$children" ''; do
        demo --in-turn --trace "$FORK" sig-child ${count:+"$count"}
        ends any "$hint"
        accept_trace "BEGIN { children = ${count:-5} } $STARTED"'
            END {
                if (started != children)
                    print "it started " started + 0 " children, not " children
            }' "$hint"
    done
    output=$(tail -n +4 "$notes/out")
    says '' 'no other lines; a child that calls exit prints its buffer'
}

@test "sig-child: it is the handler that reaps [2]" {
    demo --in-turn --trace "$FORK,$WAIT,rt_sigreturn" sig-child "$children"
    ends any
    accept_trace "BEGIN { children = $children } $STARTED"'
        $2 == "---" && $3 == "SIGCHLD" { handles[$1] = 1 }
        / rt_sigreturn\(/ { handles[$1] = 0 }
        / wait4\(/ && $NF + 0 > 0 || / waitid\(.*si_pid=/ && !/WNOWAIT/ {
            if (handles[$1]) inside++
            else outside++
        }
        END {
            if (started < children) print "it started " started + 0 " children"
            if (!inside) print "in the handler no child is reaped"
            if (outside)
                print outside " children are reaped outside the handler"
        }' 'to count zombies, waitid with WNOWAIT; waitpid in the handler only'
}

@test "sig-child: the handler's runs are counted [1]" {
    children=$((RANDOM % 3 + 3)) # more than there are runs
    demo --in-turn --inject wait4=signal=CHLD:when=1 sig-child "$children"
    ends any
    accept_trace "$CAME"
    line 2 "Parent: SIGCHLD came: $(grep -c -e '--- SIGCHLD' "$trace"), *" \
        'here SIGCHLD came again while the handler ran: count in the handler'
    adds_up
}

@test "sig-child: children that come late are waited for [1]" {
    local hint='waitid for each child, without WNOHANG'
    children=$((RANDOM % 2 + 2))
    # The children end in a row, when the last one has been started.
    demo --seconds 8 --in-turn --inject exit_group=delay_enter=1000000 \
        sig-child "$children"
    ends any "$hint"
    line 1 "Parent: zombies: $children" "$hint"
    line 2 'Parent: SIGCHLD came: 1, *' "$hint"
}

@test "sig-child: Parent sleeps until its children have ended [1]" {
    demo --seconds 8 --inject exit_group=delay_enter=700000 --trace all \
        sig-child "$children"
    ends any
    accept_trace "BEGIN { children = $children } $STARTED"'
        $1 in ours { calls++ }
        $1 in ours && (/ (clock_)?nanosleep\(/ ||
                / (alarm|setitimer|timer_settime|timerfd_settime)\(/ ||
                / (p?poll\(NULL, 0, [0-9{]|p?select6?\(0,.* \{tv_)/) {
            name = $2
            sub(/\(.*/, "", name)
            print "it guesses how long a child takes: " name
        }
        END {
            if (started < children) print "it started " started + 0 " children"
            if (calls > 400)
                print "while its children take 0.7 s it makes " calls " calls"
        }' 'waitid without WNOHANG sleeps until a child has ended'
}

@test "sig-child: the handler calls only what is safe [1]" {
    demo --in-turn --handlers --trace "$FORK" sig-child "$children"
    ends any
    accept_trace "$CAME"
    adds_up
    [[ ! $errors =~ 'unsafe in a handler: '([a-z]+) ]] ||
        because "the handler calls ${BASH_REMATCH[1]}" \
            'hint: signal-safety(7) lists what a handler may call'
}

@test "sig-child: the handler leaves errno as it finds it [1]" {
    demo --in-turn --handlers --trace "$FORK" sig-child "$children"
    ends any
    accept_trace "$CAME"
    adds_up
    [[ $errors != *'changed in a handler: errno'* ]] ||
        because 'after the handler errno is another one' \
            'hint: the last waitpid sets it: keep it, and put it back'
}

@test "sig-child: a child starts no process [1]" {
    demo --in-turn --trace "$FORK" sig-child "$children"
    ends any
    accept_trace "BEGIN { children = $children } $STARTED"'
        END {
            if (started < children) print "it started " started + 0 " children"
            if (others) print "children have started " others " processes"
        }' 'a child leaves the loop that forks: _exit'
}

@test "sig-child: it works when it is started with SIGCHLD ignored [1]" {
    demo --in-turn --ignore CHLD sig-child "$children"
    ends any
    adds_up 'an ignored child leaves no zombie: set the handler before you fork'
}

@test "sig-child: if there can be no child, it says so and prints nothing [1]" {
    demo --in-turn sig-child "$children"
    ends any
    adds_up
    demo --in-turn --starve "$FORK=EAGAIN" sig-child "$children"
    says '' 'fork returns -1 if it fails'
    ends 1 'fork returns -1 if it fails'
    complains '' 'say which call has failed, and why: perror, err'
}

@test "sig-child: CHILDREN is a number from 1 to 1000, or is refused [1]" {
    local words
    demo --in-turn sig-child "$children"
    ends any
    adds_up
    for words in 0 -1 1001 99999999999999999999 "${children}x" "x$children" \
        "$children $children"; do
        # shellcheck disable=SC2086 # two words
        demo sig-child $words
        ends 2 "the words were: $words"
        says ''
        complains '' 'say how it is used'
    done
}

@test "sig-child: zombies that are left are counted, and the status is 1 [1]" {
    local hint='here waitpid has reaped nobody; do not wait until it does'
    demo --in-turn --starve '?wait4=ECHILD' sig-child "$children"
    ends 1 "$hint"
    line 3 "Parent: zombies: $children" "$hint"
}

@test "sig-child: a child that goes on holds up nobody [1]" {
    local hint='WNOHANG; waitpid returns 0 if a child lives and none has ended'
    children=$((RANDOM % 2 + 1))
    # shellcheck disable=SC2016 # for the scene
    scene --in-turn '
        prefix=(sh -c "sleep 999 & exec \"\$@\"" sh "${prefix[@]}")
        play sig-child "$1"' "$children"
    ends any "$hint"
    adds_up "$hint"
}
