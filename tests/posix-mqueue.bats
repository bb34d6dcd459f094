# The programs of posix-mqueue/, in the folder's order.

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
    PROGRAMS=(mq-hello mq-priority mq-limits mq-notify mq-workers)
}

# Makes the array ALONE, a prefix that runs a script of bash where no other
# queues are, and those that are there are files in $QUEUES.
alone() {
    local as=()
    cd "$BATS_TEST_TMPDIR"
    export QUEUES=$PWD/queues
    mkdir "$QUEUES"
    ((EUID == 0)) || as=(--map-root-user)
    # shellcheck disable=SC2016 # for the inner bash
    ALONE=(unshare "${as[@]}" --ipc --mount bash -c
        'mount -t mqueue mqueue "$QUEUES" && eval "$1"' bash)
    "${ALONE[@]}" true 2>/dev/null || skip "no IPC namespace of one's own: needs root, or user namespaces"
    export -f wait_until seconds_for empty
}

# There is no queue any more.
empty() {
    [[ -z $(ls "$QUEUES") ]]
}

@test "mq-hello: the message comes with its priority, after its sender has ended" {
    run -0 --separate-stderr mq-hello
    assert_line 'Received (prio=1): Hello via message queue!'
    assert_equal "$stderr" ''
}

@test "mq-hello: Sender has ended when Receiver takes the message" {
    traced trace=mq_timedsend,mq_timedreceive,exit_group mq-hello
    assert_success
    accept_log '
        /mq_timedsend\(/ { sender = $1 }
        /exit_group\(0\)/ && $1 == sender { ended = 1 }
        /mq_timedreceive\(/ && !/EAGAIN/ { received = 1; receiver = $1 }
        /mq_timedreceive\(/ && !ended { print "the sender is still there: " $0 }
        END { if (!received || sender == receiver) print "there are no two processes" }'
}

@test "mq-hello send, receive: a message waits for who has not come yet, the urgent one is first" {
    alone
    run -0 "${ALONE[@]}" '
        mq-hello send /queue "$RANDOM later" 3
        mq-hello send /queue "now $PPID" 17
        ls "$QUEUES"
        mq-hello receive /queue
        mq-hello receive /queue
        empty || echo "the queue is still there"'
    assert_output --regexp '^Sent.*Sent.*'$'\nqueue\n''Received \(prio=17\): now [0-9]+.Received \(prio=3\): [0-9]+ later$'
}

@test "mq-hello receive, send: who comes first waits" {
    alone
    run -0 "${ALONE[@]}" '
        mq-hello receive /queue >got &
        wait_until test -e "$QUEUES/queue"
        mq-hello send /queue "$0 $$" 5 >/dev/null
        wait $! && printf "Received (prio=5): %s\n" "$0 $$" | diff - got
        empty || echo "the queue is still there"'
    assert_output ''
}

@test "mq-hello: an empty message, the longest, and one that is too long" {
    alone
    run -0 --separate-stderr "${ALONE[@]}" '
        long=$(printf "%0256d" 7)
        mq-hello send /queue "" 0 >/dev/null
        mq-hello send /queue "$long" 0 >/dev/null
        mq-hello send /queue "${long}8" 0 && echo "too long, and sent"
        mq-hello receive /queue
        mq-hello receive /queue | grep -c " $long\$"
        empty || echo "the queue is still there"'
    assert_output 'Received (prio=0): '$'\n1'
    [[ $stderr =~ 257 && $stderr =~ 256 ]]
}

@test "mq-hello receive: ^C and SIGTERM end it, and it takes its empty queue along" {
    alone
    run -0 "${ALONE[@]}" '
        for signal in INT TERM HUP; do
            env --default-signal=INT mq-hello receive /queue &
            wait_until test -e "$QUEUES/queue"
            kill -$signal $!
            wait $!
            echo "$signal: $?"
            empty || echo "the queue is still there"
        done 2>/dev/null'
    assert_output - <<-'END'
	INT: 130
	TERM: 143
	HUP: 129
	END
}

@test "mq-hello: 20 who send and 20 who receive in one queue, each message once" {
    alone
    run -0 "${ALONE[@]}" '
        for i in {1..20}; do
            mq-hello send /queue "message $i" $i >/dev/null &
            mq-hello receive /queue &
        done | sed "s/.*: //" | sort -V
        wait
        empty || echo "the queue is still there"'
    assert_output "$(printf 'message %d\n' {1..20})"
}

@test "mq-hello: who opens the queue while another one removes it makes a new one" {
    requires strace
    alone
    run -0 "${ALONE[@]}" '
        log=$QUEUES.log
        mq-hello send /queue first 1
        # It has the queue open, but not the lock on it.
        strace -o "$log" -e inject=flock:delay_enter=500000:when=1 mq-hello send /queue second 1 &
        wait_until grep -sq ^mq_open "$log"
        mq-hello receive /queue
        wait $!
        timeout 2 mq-hello receive /queue || echo "the second message is lost"
        empty || echo "the queue is still there"'
    assert_output --regexp 'Received .*: first.*Received .*: second$'
}

@test "mq-hello: what is no name and what is no priority is refused, and named" {
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c '
        for name in queue / "" /a/b //a; do
            mq-hello receive "$name" >out 2>err
            [[ $? == 2 ]] && grep -qF -e "$name" err || echo "NAME $name"
        done
        for word in x 3x "" -1 32768 99999999999999999999; do
            mq-hello send /queue message "$word" >out 2>err
            [[ $? == 2 ]] && grep -qF -e "$word" err || echo "PRIORITY $word"
        done
        mq-hello send /queue >out 2>err
        echo "too few words: $?"
        mq-hello receive /queue now >out 2>err
        echo "too many: $?"'
    assert_output 'too few words: 2'$'\n''too many: 2'
}

@test "mq-hello: a Sender or a Receiver that is killed is noticed, and no queue is left" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    for call in mq_timedsend mq_timedreceive; do
        run -1 --separate-stderr strace -f -qq -o log -e trace=/mq_ \
            -e inject=$call:signal=KILL mq-hello
        [[ $stderr == mq-hello:* ]]
        run -0 grep 'mq_unlink(.* = 0' log
    done
}

@test "mq-priority: the late Child gets high, mid, low, and in a tie who came first" {
    run -0 --separate-stderr mq-priority
    assert_equal "$stderr" ''
    run -0 awk '/early/ { exit } sub(/.*received.*: /, "")' <<<"$output"
    assert_output - <<-'END'
	high
	high again
	mid
	low
	low again
	END
}

@test "mq-priority: the early Child gets them as they are sent" {
    run -0 mq-priority
    run -0 awk '/early/ { early = 1 } early && sub(/.*(sends|received) /, "")' <<<"$output"
    assert_output - <<-'END'
	(prio=1): low
	(prio=1): low
	(prio=30): high
	(prio=30): high
	(prio=20): mid
	(prio=20): mid
	(prio=30): high again
	(prio=30): high again
	(prio=1): low again
	(prio=1): low again
	END
}

@test "mq-priority: it is the kernel that sorts, and the first Child comes after the last send" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -0 strace -ff -ttt -qq -o log -e trace=mq_timedsend,mq_timedreceive mq-priority
    # Of each call: when, its name, and the priority.
    run -0 sed -nE 's/^([0-9.]+) (mq_[a-z]*)\(.*, \[?([0-9]+)\]?, NULL\) = .*/\1 \2 \3/p' log.*
    run -0 awk '
        $2 == "mq_timedsend" { sent[++n] = $1; kinds[$3] = 1 }
        $2 == "mq_timedreceive" { got[++m] = $3; at[m] = $1 }
        END {
            if (n != 10 || m != 10) print n " messages sent, " m " received"
            if (length(kinds) != 3) print length(kinds) " priorities, not 3"
            if (at[1] < sent[5]) print "the late Child was early"
            for (i = 2; i <= 5; i++)
                if (got[i] > got[i - 1]) print got[i] " after " got[i - 1]
            if (at[6] > sent[7]) print "the early Child was late"
        }' <(sort -n <<<"$output")
    assert_output ''
}

@test "mq-priority: a Child that is killed is noticed" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -1 --separate-stderr strace -f -qq -o log -e inject=mq_timedreceive:signal=KILL mq-priority
    assert [ -n "$stderr" ]
}

@test "mq-limits: too long a message, too short a buffer, no room, no message" {
    run -0 --separate-stderr mq-limits
    assert_output --regexp 'sends.*EMSGSIZE.*receives.*EMSGSIZE.*ETIMEDOUT.*EAGAIN.*EAGAIN'
    assert_equal "$stderr" ''
}

@test "mq-limits: it is the kernel that refuses" {
    traced trace=/mq_ mq-limits
    assert_success
    accept_log '
        /mq_open\(.*mq_msgsize=[0-9]+/ && !size {
            size = $0; sub(/.*mq_msgsize=/, "", size); size += 0
        }
        /timedsend\(/ && /EMSGSIZE/ { split($0, part, ", "); n = NF; long = $0 }
        /timedsend\(/ && /ETIMEDOUT/ { times++ }
        /timedsend\(/ && /EAGAIN/ { full++ }
        /timedreceive\(/ && /EMSGSIZE/ {
            room = $0; sub(/ = -1.*/, "", room)
            if (!match(room, ", " size - 1 ", ")) print "a buffer of how much? " $0
            short++
        }
        /timedreceive\(/ && /= [0-9]+$/ { got[$NF]++ }
        /timedreceive\(/ && /EAGAIN/ { empty++ }
        END {
            if (!long || long !~ ", " size + 1 ", ") print "not one byte too long: " long
            if (!short) print "no buffer was too short"
            if (!got[0]) print "no empty message was received"
            if (!times || !full || !empty) print "never full, or never empty"
        }'
}

@test "mq-limits: the numbers are the system's, and who passes them is refused" {
    without_privilege mq-limits
    run -0 "${AS_NOBODY[@]}" mq-limits
    for limit in msg_max msgsize_max; do
        n=$(</proc/sys/fs/mqueue/$limit)
        assert_line --regexp "$limit is $n\b.*\b$((n + 1))\b.*EINVAL"
    done
    assert_line --regexp "queues_max is $(</proc/sys/fs/mqueue/queues_max)\b"
    assert_line --regexp "$(ulimit -q)"
    assert_line --regexp 'ulimit.*EMFILE'
}

@test "mq-*: no queue for want of bytes: the number asked for and the number allowed" {
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c '
        ulimit -q 77
        for name; do
            $name >out 2>err
            [[ $? == 1 ]] || echo "$name: status $?"
            grep -qw 77 err && grep -qE "[0-9]+ messages of [0-9]+ bytes" err || cat err
        done' bash "${PROGRAMS[@]}"
    assert_output ''
}

@test "mq-notify: three messages and one notification, then one for the fourth" {
    run -0 --separate-stderr mq-notify
    assert_output --regexp 'is told once.*message 1.*message 2.*message 3.*empty.*is told once.*message 4.*empty'
    assert_equal "$(grep -c 'is told' <<<"$output")" 2
    assert_equal "$stderr" ''
}

# No message is taken while nobody is registered.
REARMED_FIRST='
    /mq_notify\(.*sigev_notify=SIGEV_(SIGNAL|THREAD)/ && /= 0$/ { armed = 1; n++ }
    /mq_timedsend\(/ && /= 0$/ { if (empty && !armed) print "nobody was told of: " $0; armed = 0; empty = 0 }
    /mq_timedreceive\(/ && !armed { print "not registered while it drains: " $0 }
    /mq_timedreceive\(.*EAGAIN/ { empty = 1 }
    END { if (n < 3) print n + 0 " registrations, not 3 or more" }'

@test "mq-notify: Parent has registered again before it takes a message" {
    traced trace=/mq_ mq-notify
    assert_success
    accept_log "$REARMED_FIRST"
}

@test "mq-notify: the kernel sends a signal for the first message, and EBUSY to the second registrant" {
    traced trace=/mq_,rt_sigtimedwait mq-notify
    assert_success
    assert_equal "$(grep -c EBUSY out)" 1
    accept_log '
        /mq_notify\(/ && /= 0$/ && !parent { parent = $1 }
        /mq_notify\(/ && /EBUSY/ && $1 != parent { busy++ }
        /si_code=SI_MESGQ|rt_sigtimedwait.*= [0-9]+ \(SIG/ { signals++ }
        END {
            if (busy != 1) print "no other process heard EBUSY"
            if (signals != 2) print signals + 0 " signals, not 2"
        }'
}

@test "mq-notify --thread: the same, told by a thread" {
    run -0 --separate-stderr mq-notify --thread
    assert_equal "$(grep -c '^Thread' <<<"$output")" 2
    assert_equal "$stderr" ''
    run -0 diff <(grep -v '^Thread' <<<"$output") <(mq-notify)
    traced trace=/mq_,write mq-notify --thread
    assert_success
    accept_log '
        /mq_notify\(.*SIGEV_THREAD/ && /= 0$/ { parent = $1 }
        /write\(1, "Thread/ { if ($1 == parent) print "not in a thread: " $0; n++ }
        END { if (n != 2) print n + 0 " lines of a thread" }'
}

@test "mq-notify: the same lines in each of 40 runs, on one core too" {
    requires taskset util-linux
    run -0 bash -c 'for flags in "" --thread; do
        mq-notify $flags >"$0"
        for i in {1..10}; do
            mq-notify $flags | cmp - "$0" || exit
            taskset -c $CORE mq-notify $flags | cmp - "$0" || exit
        done
    done' "$BATS_TEST_TMPDIR/usual"
}

@test "mq-notify --drain-first: a message comes before Parent has registered, and nobody is told" {
    for flags in '' --thread; do
        run -124 --separate-stderr mq-notify --drain-first $flags
        assert_output --partial 'message 3'
        refute_output --partial 'message 4'
        [[ $stderr == *stuck* ]]
    done
    traced trace=/mq_ mq-notify --drain-first
    run -0 bash -c 'grep -vE "EBUSY|SIGCHLD" log | tail -n 2'
    assert_line --index 0 --regexp 'mq_timedsend.*= 0$'
    assert_line --index 1 --regexp 'mq_notify.*= 0$'
}

@test "mq-notify: a Child that is killed is noticed" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -1 --separate-stderr strace -f -qq -o log -e inject=mq_timedsend:signal=KILL mq-notify
    assert [ -n "$stderr" ]
}

@test "mq-workers --jobs N: each is done, and it is said how many" {
    jobs=$((10000 + RANDOM % 1000))
    run -0 --separate-stderr mq-workers --jobs $jobs
    assert_output --regexp "\\b$jobs\\b"
    assert_equal "$stderr" ''
    run -0 --separate-stderr mq-workers
    assert [ -n "$output" ]
    assert_equal "$stderr" ''
}

@test "mq-workers --workers N --jobs N: few jobs and many, few Workers and many" {
    run -0 bash -c '
        for workers in 1 2 7 40; do
            for jobs in 1 5 100 10000; do
                text=$(mq-workers --workers $workers --jobs $jobs 2>&1) ||
                    echo "status $?"
                grep -qw $jobs <<<"$text" ||
                    echo "--workers $workers --jobs $jobs: $text"
            done
        done'
    assert_output ''
}

@test "mq-workers: what Parent sends is what Workers receive, whole, and once" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016 # for the inner bash
    run -0 strace -ff -qq -s 9000 -o log -e trace=/mq_ \
        bash -c 'echo $$ >parent; exec mq-workers --workers 3 --jobs 500'
    local sent='s/^mq_timedsend\([0-9]+, (.*), ([0-9]+), [0-9]+, NULL\) += 0$/\2 \1/p'
    local received='s/^mq_timedreceive\([0-9]+, (.*), [0-9]+, .*, NULL\) += ([0-9]+)$/\2 \1/p'
    mv "log.$(<parent)" parents
    run -0 diff <(sed -nE "$sent" parents | sort) <(sed -nE "$received" log.* | sort)
    # That there are no more jobs may be said to each Worker in the same words.
    run -0 bash -c 'sed -nE "$0" log.* | sort | uniq -c | awk "
        \$1 != 1 && \$1 != 3 { print \"sent more than once: \" \$0 }
        END { if (NR < 500 || NR > 503) print NR \" messages\" }"; ls log.* | wc -l' "$received"
    assert_output --regexp '^[3-9]$'
}

# Makes kill.so: the first process but Parent that does what $KILL says, the
# fifth time, is killed: "before" it asks for a job, or "after" it has got it,
# which is then in the file job. "all" kills whoever asks. The file count has
# a byte for each job that somebody got.
killer() {
    cd "$BATS_TEST_TMPDIR"
    make_preload kill.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <fcntl.h>
	#include <mqueue.h>
	#include <signal.h>
	#include <stdlib.h>
	#include <string.h>
	#include <unistd.h>

	static pid_t parent;
	static int calls;

	__attribute__((constructor)) static void start(void)
	{
	    parent = getpid();
	}

	static void perhaps(const char *when, const char *job, ssize_t n)
	{
	    const char *how = getenv("KILL");
	    int fd;

	    if (getpid() == parent || n < 0 || calls < 5)
	        return;
	    if (strcmp(how, "all") && strcmp(how, when))
	        return;
	    fd = open("job", O_CREAT | O_EXCL | O_WRONLY, 0600);
	    if (fd == -1 && strcmp(how, "all"))
	        return;
	    if (write(fd, job, n) != -1 || n == 0 || fd == -1)
	        raise(SIGKILL);
	}

	static void count(void)
	{
	    int fd = open("count", O_CREAT | O_APPEND | O_WRONLY, 0600);

	    if (fd == -1 || write(fd, "x", 1) == -1)
	        abort();
	    close(fd);
	}

	ssize_t mq_timedreceive(mqd_t queue, char *to, size_t size, unsigned *priority,
	                        const struct timespec *until)
	{
	    ssize_t (*next)(mqd_t, char *, size_t, unsigned *, const struct timespec *) =
	        dlsym(RTLD_NEXT, "mq_timedreceive");
	    ssize_t n;

	    calls++;
	    perhaps("before", "", 0);
	    n = next(queue, to, size, priority, until);
	    if (getpid() != parent && n > 0)
	        count();
	    perhaps("after", to, n);
	    return n;
	}

	ssize_t mq_receive(mqd_t queue, char *to, size_t size, unsigned *priority)
	{
	    return mq_timedreceive(queue, to, size, priority, NULL);
	}
	END
}

@test "mq-workers: a Worker is killed with a job: which one is said, and the others do the rest" {
    killer
    run -1 env KILL=after LD_PRELOAD="$PWD/kill.so" mq-workers --workers 3 --jobs 777
    # The job is a number, as text or as an int.
    job=$(grep -aoE '^ *[0-9]+' job) || job=$(od -An -N 4 -i job)
    assert_output --regexp "\\b$((job))\\b"
    assert [ "$(wc -c <count)" -ge 777 ]
}

@test "mq-workers: a Worker is killed without a job: none is lost, and it is said" {
    killer
    run -1 env KILL=before LD_PRELOAD="$PWD/kill.so" mq-workers --workers 3 --jobs 777
    assert [ "$(wc -c <count)" -ge 777 ]
    assert_output --regexp 'killed|died|dead|lost|signal'
    refute_output --partial 'not done'
}

@test "mq-workers: Parent ends when no Worker is left" {
    killer
    run -1 env KILL=all LD_PRELOAD="$PWD/kill.so" mq-workers --workers 3 --jobs 1000
    assert_output --regexp 'killed|died|dead|lost|signal'
}

@test "mq-workers: a fork that fails is named, and the others end" {
    without_privilege mq-workers
    run -1 "${AS_NOBODY[@]}" bash -c 'ulimit -u 20; exec mq-workers --workers 100 --jobs 50000'
    assert_output --regexp 'fork of Worker [0-9]+: Resource temporarily'
}

@test "mq-*: no child outlives a Parent that is killed, and the next run works" {
    run -0 bash -c '
        for moment in 0.001 0.002 0.004 0.008 0.02; do
            timeout --foreground -s KILL $moment mq-workers --jobs 1000000
            timeout --foreground -s KILL $moment mq-notify --drain-first
            timeout --foreground -s KILL $moment mq-priority
        done >/dev/null 2>&1
        for name; do
            $name >/dev/null || echo "$name: $?"
        done' bash "${PROGRAMS[@]}"
    assert_output ''
    wait_until no_survivors
}

@test "mq-priority, mq-notify: Child waits, and ends when Parent is killed" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -137 strace -f -qq -o log -e inject=mq_timedsend:signal=KILL:when=7 mq-priority
    run -137 strace -f -qq -o log -e inject=mq_notify:signal=KILL:when=2 mq-notify
}

@test "mq-*: each queue is new, private, and has no name any more in the end" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    run -0 bash -c '
        for name; do
            strace -f -qq -o log -e trace=mq_open,mq_unlink "$name" >out || echo "$name: $?"
            UID_=$UID awk -v name="$name" "
                { match(\$0, /\"[^\"]*\"/); queue = substr(\$0, RSTART + 1, RLENGTH - 2) }
                / = -1 / { next }
                /mq_open\(/ && !there[queue] {
                    n++
                    there[queue] = 1
                    if (!/O_EXCL/) print \"not exclusive: \" \$0
                    if (!/, 0600/) print \"not private: \" \$0
                    if (index(queue, name \".\" ENVIRON[\"UID_\"] \".\") != 1)
                        print \"whose is it? \" \$0
                }
                /mq_unlink\(/ { delete there[queue] }
                END {
                    if (!n) print name \": no queue\"
                    for (queue in there) print \"not removed: \" queue
                }" log
        done' bash "${PROGRAMS[@]}"
    assert_output ''
}

@test "mq-*: a name that is there stops nobody, and what is there is not touched" {
    alone
    run -0 "${ALONE[@]}" '
        for name in '"${PROGRAMS[*]}"'; do
            bash -c "
                for i in 0 1; do
                    mq-hello send /$name.\$UID.\$\$.\$i \"not yours\" 9 >/dev/null
                done
                exec $name" >out || echo "$name: $?"
            for queue in "$QUEUES"/*; do
                mq-hello receive "/${queue##*/}"
            done
        done
        empty || echo "a queue is still there"'
    assert_equal "${#lines[@]}" 10
    refute_line --regexp '^[^R]|[^s]$'
    assert_line 'Received (prio=9): not yours'
}

@test "mq-*: ^C and SIGTERM leave no queue behind, at the worst moment neither" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    # Neither is noticed before the name, which mq_open makes, is gone.
    for name in "${PROGRAMS[@]}"; do
        run -143 strace -qq -o log -e trace=/mq_ -e inject=mq_open:signal=TERM:when=1 "$name"
        run -0 grep 'mq_unlink' log
        run -130 env --default-signal=INT strace -qq -o log -e trace=/mq_ -e inject=mq_open:signal=INT:when=1 "$name"
        run -0 grep 'mq_unlink' log
    done
}

@test "mq-*: no queue is left by 8 copies at once, nor by what ends them at any moment" {
    alone
    run -0 "${ALONE[@]}" '
        for name in '"${PROGRAMS[*]}"'; do
            for i in {1..8}; do
                $name &
            done
            for moment in 0.001 0.002 0.003 0.005 0.01; do
                timeout -s INT $moment $name
                timeout --foreground -s TERM $moment $name
            done
            wait
        done >/dev/null 2>&1
        wait_until empty || ls "$QUEUES"'
    assert_output ''
}

@test "mq-*: who needs Linux says so" {
    requires gcc
    run -0 bash -c '
        for source in "$ROOT"/posix-mqueue/*.c; do
            text=$(gcc -U__linux__ -D__APPLE__ -fsyntax-only $source 2>&1) &&
                echo "$source compiles on macOS"
            grep -q "#error.*$(basename $source .c)" <<<"$text" || echo "$source: $text"
        done'
    assert_output ''
}
