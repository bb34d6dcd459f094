# The graded tests of ringbuffer: what README.md asks for, and nothing else.

# One mistake is to cost one test: so, where it is not the point, Producer is
# through when the first Consumer begins, and Consumers come one after the other.

setup() {
    load "$GRADE/scenes"
}

# counts ITEMS TWICE NEVER [HINT]   the first numbers in the one line of output
counts() {
    local numbers
    ends any "${4-}"
    mapfile -t numbers < <(grep -oE '[0-9]+' <<<"$output")
    # shellcheck disable=SC2053 # TWICE and NEVER may be *
    [[ $output != *$'\n'* && "${numbers[*]:0:3}" == $1\ $2\ $3 ]] || because \
        'it printed:' "$(excerpt "$output")" \
        "and not one line with the numbers $1, $2 and $3" ${4:+"hint: $4"}
}

# pick FROM TO   a number in n
pick() {
    n=$((RANDOM % ($2 - $1 + 1) + $1))
}

# For scenes with --held child. First a ring with one Consumer shows which child
# is Producer, counted from the first one or from the last: it is the one with
# which the first of them comes to its end. If there is none it is the parent.
# (With more Consumers a wrong lock might hang them here, now and then.) Then a
# ring is played: $1 says whether Producer begins first, or last, or first and
# all Consumers come together; $2 how many these are; the rest are options.
RING='
    producer= children=0 spins=0
    start ringbuffer --consumers 1 --items 1 --slots 50 >"$OWN/out"
    pid=$!
    settle
    while [[ ${held[*]} ]]; do
        before=${#players[@]}
        kill -CONT "${held[0]}"
        settle
        [[ $producer ]] || ((${#players[@]} >= before)) || producer=$children
        ((++children))
    done
    finish "$pid"
    ((children > 1)) || producer=
    ((producer == 0)) || ((producer -= children))

    run() { # first|last|together ARG...
        local children child maker=
        start ringbuffer "${@:2}"
        pid=$!
        rest
        children=("${held[@]}")
        [[ ! $producer ]] || maker=${children[producer]}
        if [[ $maker && $1 != last ]]; then
            kill -CONT "$maker"
            rest
        fi
        for child in "${children[@]}"; do
            if [[ $child != "$maker" && $1 != together ]]; then
                kill -CONT "$child"
                rest
            fi
        done
        while [[ ${held[*]} ]]; do
            kill -CONT "${held[@]}"
            rest
        done
        finish "$pid"
        note spins "$spins"
    }
    rest() {
        settle
        ((spins += restless))
    }
    run "$1" --consumers "${@:2}"'


@test "ringbuffer: each item is taken exactly once [2]" {
    pick 5 30
    scene --held child --seconds 9 "$RING" first 1 --items "$n" --slots 50
    counts "$n" 0 0
    ends
}

@test "ringbuffer: one slot is enough [2]" {
    local items when
    pick 4 7
    items=$((3 * n))
    for when in last first; do
        scene --held child --after-post 10 --seconds 12 "$RING" "$when" 3 \
            --items "$items" --slots 1
        counts "$items" 0 0 'first the item, then the post: a process that is woken comes at once'
        ends
    done
}

@test "ringbuffer: Producer waits while the ring is full [2]" {
    local slots
    pick 8 12
    slots=$n
    pick 25 29
    scene --held child --after-post 10 --seconds 12 "$RING" first 1 \
        --items "$n" --slots "$slots"
    counts "$n" 0 0 'a slot may be filled when its item has been taken, and not before'
    ends
}

@test "ringbuffer: no two Consumers take the same item [2]" {
    local items
    pick 3 4
    items=$((3 * n))
    scene --held child --nap 10 --seconds 12 "$RING" together 3 \
        --items "$items" --slots 50
    counts "$items" 0 0 'from the look at what is next to the step on: one at a time'
    ends
}

@test "ringbuffer: every Consumer comes to its end, whatever there is for it [2]" {
    local consumers items
    pick 4 6
    consumers=$n
    pick 1 3
    items=$((2 * consumers + n))
    scene --held child --seconds 12 "$RING" first "$consumers" \
        --items "$items" --slots 50
    counts "$items" 0 0
    ends
    scene --held child --seconds 12 "$RING" first "$consumers" --items "$n" --slots 50
    counts "$n" 0 0
    ends
}

@test "ringbuffer: a process that has nothing to do sleeps [1]" {
    pick 20 30
    scene --held child --seconds 12 "$RING" last 1 --items "$n" --slots 50
    counts "$n" '*' '*'
    sleeps
    scene --held child --seconds 12 "$RING" first 1 --items "$n" --slots 5
    counts "$n" '*' '*'
    sleeps
    scene --late parent --seconds 12 '
        start "$@"
        settle
        note spins $((restless))
        kill -KILL "${players[@]}" $!' ringbuffer --consumers 4 --items 1
    ends any
    sleeps
}

sleeps() {
    ((!noted[spins])) || because \
        'a process that has to wait computes, or looks again and again' \
        'hint: sem_wait sleeps until there is something to do'
}

@test "ringbuffer: the items go through memory that is shared [1]" {
    pick 50 70
    demo --trace 'mmap,?shmat,write,?writev,?sendto,?sendmsg,?mq_timedsend,?msgsnd' \
        ringbuffer --consumers 1 --items "$n" --slots 99
    counts "$n" '*' '*'
    accept_trace "BEGIN { items = $n }"'
        / mmap\(.*PROT_WRITE.*MAP_SHARED.* = 0x/ { shared = 1 }
        / shmat\(.* = 0x/ { shared = 1 }
        / (write|send|mq_|msgsnd)/ && !/ writev?\([12],/ && $NF >= 0 { sent++ }
        END {
            if (!shared) print "no memory is shared"
            if (sent >= items) print sent " writes for " items " items"
        }' 'mmap with MAP_SHARED, before the fork; the ring is an array there'
}

@test "ringbuffer: Consumers are processes, and all are waited for [1]" {
    pick 3 6
    demo --trace '?wait4,?waitid,?fork,?vfork,?clone,?clone3' \
        ringbuffer --consumers "$n" --items $((n * 2)) --slots 1
    ends any
    accept_trace "BEGIN { consumers = $n } $WAITED"'
        / killed by SIG/ { killed++ }
        END {
            if (killed) print killed " children are killed"
            if (children && children < consumers)
                print children " children are started, for " consumers " Consumers"
        }' 'a Consumer is a child process; wait, once for each child'
}

@test "ringbuffer: nothing is left behind [1]" {
    pick 5 30
    scene --held child --seconds 9 "$RING" first 1 --items "$n" --slots 50
    counts "$n" 0 0
    ends
    leaves_nothing 'sem_unlink and shm_unlink remove a name'
}

@test "ringbuffer: it says what has been taken, whoever has died [2]" {
    pick 5 30
    scene --held child --seconds 9 "$RING" first 1 --items "$n" --slots 50
    counts "$n" 0 0
    ends
    scene --held child '
        start "$@"
        pid=$!
        settle
        kill -KILL "${held[@]}"
        finish "$pid"' ringbuffer --consumers 1 --items "$n" --slots 50
    counts "$n" 0 "$n" 'count what the Consumers have taken, not what they should have'
    ends 1 'here all children were killed before they did anything'
}

@test "ringbuffer: if there can be no Consumer, it says so [1]" {
    pick 5 30
    scene --held child --seconds 9 "$RING" first 1 --items "$n" --slots 50
    counts "$n" 0 0
    ends
    demo --starve '?fork,?vfork,?clone,?clone3=EAGAIN' \
        ringbuffer --consumers 1 --items "$n" --slots 50
    ends 1 'fork returns -1 if it fails: then nobody takes anything'
    says ''
    complains '' 'say which call has failed, and why: perror, err'
}

@test "ringbuffer: numbers from 1 on are taken, all else is refused [1]" {
    local words
    pick 500 999
    demo ringbuffer --slots "$n" --items "$n" --consumers 1
    counts "$n" '*' '*'
    demo ringbuffer --consumers 1
    counts 1000 '*' '*'
    for words in '--items 0' '--consumers 0' '--slots 0' '--slots -5' \
        '--consumers 2x' '--items x2' '--slots' '--color' "--items $n $n"; do
        # shellcheck disable=SC2086 # several words
        demo ringbuffer $words
        ends 2 "the words were: $words"
        says ''
        complains '' 'say how it is used'
    done
}
