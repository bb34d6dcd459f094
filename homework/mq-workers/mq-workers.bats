# The graded tests of mq-workers: what README.md asks for, and nothing else.

# One mistake is to cost one test: so, where more is not the point, all messages
# of a run fit into the queue, and there is one Worker.

setup() {
    load "$GRADE/scenes"
}

# counts DONE JOBS [HINT]   the first two numbers in the one line of output
counts() {
    local numbers
    ends any "${3-}"
    mapfile -t numbers < <(grep -oE '[0-9]+' <<<"$output")
    # shellcheck disable=SC2053 # DONE may be *
    [[ $output != *$'\n'* && "${numbers[*]:0:2}" == $1\ $2 ]] || because \
        'it printed:' "$(excerpt "$output")" \
        "and not one line with the numbers $1 and $2" ${3:+"hint: $3"}
}

# pick FROM TO   a number in n
pick() {
    n=$((RANDOM % ($2 - $1 + 1) + $1))
}

# For scenes with --held child. Plays $@, whose children are let go one after the
# other, each when the last one has come to rest. The one with which the first
# of them comes to its end is Sender; -1: the parent is.
FIND_SENDER='
    workers=$3 sender=-1 n=0
    start "$@"
    pid=$!
    settle
    while [[ ${held[*]} ]]; do
        before=${#players[@]}
        kill -CONT "${held[0]}"
        settle
        ((sender >= 0 || ${#players[@]} >= before)) || sender=$n
        ((++n))
    done
    finish "$pid"
    note sender $((n > workers ? sender : -1))'

# The same, but Sender, the child of the number $1, is let go when the others
# have waited for a while, which is $2.
SENDER_LAST='
    start "${@:3}"
    pid=$! spins=0
    settle
    children=("${held[@]}")
    for child in "${!children[@]}"; do
        ((child != $1)) || continue
        kill -CONT "${children[child]}"
        settle
        ((spins += restless))
    done
    note spins "$spins"
    for ((i = 0; i < $2; i++)); do
        moment
    done
    while [[ ${held[*]} ]]; do
        kill -CONT "${held[@]}"
        settle
    done
    finish "$pid"'

@test "mq-workers: all jobs are done, and it says how many [2]" {
    pick 2 9
    demo mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n"
    ends
}

@test "mq-workers: more jobs than the queue holds [2]" {
    pick 300 600
    demo mq-workers --jobs "$n" --workers 1
    ends any 'a queue holds 10 messages: the Workers must run before all is sent'
    counts "$n" "$n" 'the exit status of a process is a number from 0 to 255'
    ends
}

@test "mq-workers: every Worker learns that there are no more jobs [2]" {
    local workers hint='a message goes to one Worker: when there are no more jobs, each needs one'
    pick 4 6
    workers=$n
    pick 1 3
    demo mq-workers --workers "$workers" --jobs "$n"
    counts "$n" "$n" "$hint"
    ends
}

@test "mq-workers: a job is one message, and all Workers take from one queue [2]" {
    pick 6 8
    demo --trace 'mq_open,mq_timedsend,mq_timedreceive' \
        mq-workers --workers 2 --jobs "$n"
    accept_trace "BEGIN { jobs = $n }"'
        / mq_open\(.*O_CREAT.* = [0-9]+$/ {
            split($0, quoted, "\"")
            made[quoted[2]]
        }
        / mq_timedsend\(.* = 0$/ { sent++ }
        / mq_timedreceive\(.* = [0-9]+$/ { received++ }
        END {
            for (name in made) queues++
            if (queues != 1)
                print queues + 0 " queues are made, not 1"
            if (sent < jobs)
                print sent + 0 " messages are sent, for " jobs " jobs"
            if (received < jobs)
                print received + 0 " messages are received, for " jobs " jobs"
        }'
}

@test "mq-workers: all children come to their end, and are waited for [1]" {
    pick 3 6
    demo --trace '?wait4,?waitid,?fork,?vfork,?clone,?clone3' \
        mq-workers --workers "$n" --jobs 2
    ends any
    accept_trace "BEGIN { workers = $n } $WAITED"'
        / killed by SIG/ { killed++ }
        END {
            if (killed) print killed " children are killed"
            if (children && children < workers)
                print children " children are started, for " workers " Workers"
        }' 'a Worker is a child process; wait, once for each child'
}

@test "mq-workers: the queue is gone at the end [1]" {
    pick 2 9
    demo mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n"
    ends
    leaves_nothing 'mq_unlink, as soon as all have the queue open'
}

@test "mq-workers: each run makes a queue of its own [1]" {
    pick 2 9
    demo mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n"
    ends
    # The queue of the first run is still there: it could not be unlinked.
    scene --starve 'mq_unlink=EPERM' --trace mq_open \
        'play "$@"; play "$@"' mq-workers --workers 1 --jobs "$n"
    ends any
    accept_trace '
        BEGIN { run = 0 }
        / execve\(.* = 0$/ { run = 1 } # that of the first is cut off
        / mq_open\(.*O_CREAT.* = [0-9]+$/ {
            split($0, quoted, "\"")
            name = quoted[2]
            if ((run, name) in made) next
            made[run, name]
            queues[run]++
            if (!/O_EXCL/) open = 1
            if (run && (0, name) in made) same = name
        }
        END {
            if (!queues[0]) print "it makes no queue"
            else if (same) print "two runs have the same queue, " same
            else if (!queues[1])
                print "beside the queue of another run it makes none"
            else if (open) print "it uses a queue that is there, if there is one"
        }' 'a new name in each run, with the process ID in it, and O_CREAT | O_EXCL'
}

@test "mq-workers: if there can be no queue, it says so and does nothing [1]" {
    pick 2 9
    demo mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n"
    ends
    demo --starve 'mq_open=ENOSPC' mq-workers --workers 1 --jobs "$n"
    ends 1 'mq_open returns -1 if it fails: there is nothing to send to'
    says ''
    complains '' 'say which call has failed, and why: perror, err'
}

@test "mq-workers: nobody need be early [2]" {
    local late_worker='a Worker may come to the queue when its parent has gone on'
    local late_sender='an empty queue is no end: a job may come yet'
    pick 3 8
    scene --held child --seconds 9 "$FIND_SENDER" mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n" "$late_worker"
    ends
    scene --held child --seconds 12 "$SENDER_LAST" "${noted[sender]}" 120 \
        mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n" "$late_sender"
    ends
    demo --late parent mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n" "$late_sender"
    ends
}

@test "mq-workers: a Worker that waits for a job sleeps [1]" {
    pick 3 8
    scene --held child --seconds 12 "$FIND_SENDER" mq-workers --workers 1 --jobs "$n"
    counts '*' "$n"
    scene --held child --seconds 12 "$SENDER_LAST" "${noted[sender]}" 0 \
        mq-workers --workers 1 --jobs "$n"
    counts '*' "$n"
    sleeps
    scene --late parent --seconds 12 '
        start "$@"
        settle
        note spins $((restless))
        kill -KILL "${players[@]}" $!' mq-workers --workers 6 --jobs "$n"
    ends any
    sleeps
}

sleeps() {
    ((!noted[spins])) || because \
        'while there is no job, a Worker computes, or looks again and again' \
        'hint: mq_receive sleeps until there is a message'
}

@test "mq-workers: it says what has been done, whoever has died [2]" {
    local hint='count what the Workers have done, not what they were given'
    pick 2 4
    demo mq-workers --workers 1 --jobs "$n"
    counts "$n" "$n"
    ends
    scene --held child '
        start "$@"
        pid=$!
        settle
        kill -KILL "${held[@]}"
        finish "$pid"' mq-workers --workers 1 --jobs "$n"
    counts 0 "$n" "$hint"
    ends 1 'here all children were killed before they did anything'
}

@test "mq-workers: Workers do not get in each other's way when they count [2]" {
    pick 6 7
    demo --nap 30 --seconds 6 mq-workers --workers 3 --jobs "$n"
    counts "$n" "$n" 'x++ is a load and a store: another Worker may come between'
    ends
}

@test "mq-workers: numbers from 1 on are taken, all else is refused [1]" {
    local words
    pick 2 9
    demo mq-workers --jobs "$n" --workers 1
    counts "$n" "$n"
    ends
    for words in '--jobs 0' '--workers 0' '--jobs -5' '--workers 2x' '--jobs x2' \
        '--jobs' '--color' "--jobs $n $n"; do
        # shellcheck disable=SC2086 # several words
        demo mq-workers $words
        ends 2 "the words were: $words"
        says ''
        complains '' 'say how it is used'
    done
}
