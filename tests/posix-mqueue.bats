# The programs of posix-mqueue/, in the folder's order.

setup() {
    load helper
    CALLS=$WHOLE_CALLS$CALLS
    # A name for those tests that need one. They remove it; what one that has
    # failed leaves is found by make clean-ipc.
    queue=/mq-name.$$.$BATS_TEST_NUMBER
}

TRACE=trace=mq_open,mq_unlink,mq_timedsend,mq_timedreceive,mq_notify
TRACE+=,fork,vfork,clone,clone3,wait4,waitid,exit_group,rt_sigtimedwait

# For awk, which reads what strace -f wrote: each call as one line, where it
# returned (strace writes two if another process came between), and the parts
# of it that matter here.
CALLS='
    {
        pid = $1
        call = $2
        sub(/\(.*/, "", call)
        sub(/^mq_timed/, "mq_", call)
        n = $0
        n = sub(/.*\) += /, "", n) && n !~ /^\?/ ? n + 0 : ""
        text = ""
        if (match($0, /"[^"]*"/))
            text = substr($0, RSTART + 1, RLENGTH - 2)
        # What follows: 24, 1, NULL) = 0, or 100, [1], NULL) = 24
        split(substr($0, RSTART + RLENGTH + 2), part, ", ")
        size = part[1] + 0
        priority = part[2]
        gsub(/[^0-9]/, "", priority)
        if (!parent)
            parent = pid
        who = pid == parent ? "Parent" : "Child"
    }
    call ~ /^(clone3?|v?fork)$/ && n > 0 { children++ }
'

# What could be wrong with the queue itself.
FAULTY_QUEUE='
    call == "mq_open" && n >= 0 && /O_CREAT/ {
        made++
        there[text] = 1
        if (!/O_EXCL/)
            print "without O_EXCL: a queue that is there already is used"
        if (!/, 0600[,)]/)
            print "not for its user alone: " $0
    }
    call == "mq_unlink" && (n == 0 || /ENOENT/) { delete there[text] }
    call ~ /^(clone3?|v?fork)$/ {
        for (text in there)
            print "its name is still there when a child starts"
    }
    END {
        if (!made)
            print "no queue was made"
        for (text in there)
            print "its name is left: nobody has called mq_unlink"
    }
'

@test "mq-hello: the message waits, and Parent takes it when Child has ended" {
    run -0 --separate-stderr mq-hello
    assert_output 'Received (prio=1): Hello via message queue!'
    assert_equal "$stderr" ''
    # And the kernel says so, too.
    traced "$TRACE" mq-hello
    accept_log "$CALLS$FAULTY_QUEUE"'
        call == "mq_send" && n == 0 && pid != parent {
            sent = size
            if (priority != 1) print "sent with priority " priority ", not 1"
        }
        call == "exit_group" && pid != parent && sent { ended = 1 }
        call == "mq_receive" && pid == parent {
            if (!ended) print "Parent receives before Child has ended"
            if (priority != 1) print "Parent does not receive the priority"
            got = n
        }
        END {
            if (sent != length("Hello via message queue!"))
                print "Child sent " sent + 0 " bytes, not 24"
            if (got != sent)
                print "Parent received " got + 0 " bytes of " sent + 0
        }'
}

@test "mq-hello: if Child has sent nothing, Parent does not wait for it" {
    requires strace
    for how in error=EMSGSIZE signal=KILL; do
        run -1 strace -f -qq -o /dev/null -e trace=mq_timedsend \
            -e inject=mq_timedsend:$how mq-hello
        refute_output --partial Received
    done
}

@test "mq-name: Receiver opens the queue when Sender has ended" {
    run -0 --separate-stderr mq-name
    assert_output 'Receiver got (prio=3): Hello, I am gone!'
    assert_equal "$stderr" ''
    traced "$TRACE" mq-name
    accept_log "$CALLS"'
        call == "mq_open" && n >= 0 {
            opened[pid] = text
            if (/O_CREAT/ && !/, 0600[,)]/)
                print "not for its user alone: " $0
        }
        call == "mq_send" && n == 0 { sender = pid; sent = size }
        call == "exit_group" && pid == sender { ended = 1 }
        call == "mq_receive" {
            if (!ended) print "Sender has not ended when Receiver receives"
            receiver = pid
            got = n
        }
        call == "mq_unlink" && n == 0 { removed[text] = 1 }
        END {
            if (!sent || got != sent)
                print sent + 0 " bytes sent, " got + 0 " received"
            if (sender == receiver)
                print "one process sends and receives"
            if (!opened[sender] || opened[sender] != opened[receiver])
                print "Sender and Receiver have not opened the same name"
            if (!removed[opened[sender]])
                print "the queue is left: nobody has called mq_unlink"
        }'
}

@test "mq-name send, receive, remove: messages wait, the urgent one is first" {
    later="later $RANDOM" now="%s now $RANDOM"
    run -0 mq-name send "$queue" "$later" 3
    run -0 mq-name send "$queue" "$now" 17
    run -0 mq-name receive "$queue"
    assert_output "Receiver got (prio=17): $now"
    run -0 mq-name receive "$queue"
    assert_output "Receiver got (prio=3): $later"
    run -0 mq-name remove "$queue"
    assert_output ''
    for role in receive remove; do
        run -1 mq-name $role "$queue"
        assert_output --partial "$queue: No such file or directory"
    done
}

sleeps() { # PID
    grep -q '^State:.S' "/proc/$1/status"
}

@test "mq-name receive: waits until a message comes" {
    run -0 mq-name send "$queue" 'makes the queue' 1
    run -0 mq-name receive "$queue"
    mq-name receive "$queue" >"$BATS_TEST_TMPDIR/got" 3>&- &
    receiver=$!
    wait_until sleeps $receiver
    run -0 mq-name send "$queue" "came $RANDOM late" 1
    assert_ends 0 $receiver
    run -0 grep -c 'came .* late' "$BATS_TEST_TMPDIR/got"
    run -0 mq-name remove "$queue"
}

@test "mq-name: an empty message, the longest, and one that is too long" {
    traced trace=mq_open mq-name send "$queue" '' 2
    assert_success
    most=$(sed -n 's/.*mq_msgsize=\([0-9]*\).*/\1/p' log)
    : "${most:=$(</proc/sys/fs/mqueue/msgsize_default)}"
    long=$(printf '%0*d' "$most" 7)
    run -0 mq-name send "$queue" "$long" 1
    run -1 mq-name send "$queue" "${long}8" 1
    assert_output --partial 'Message too long'
    run -0 mq-name receive "$queue"
    assert_output 'Receiver got (prio=2): '
    run -0 mq-name receive "$queue"
    assert_output "Receiver got (prio=1): $long"
    run -0 mq-name remove "$queue"
}

@test "mq-name receive: what is not printable does not reach the terminal" {
    run -0 mq-name send "$queue" $'\e]0;title\a\r\xff text' 1
    run -0 mq-name receive "$queue"
    assert_output --regexp '^Receiver got \(prio=1\): .*title.* text$'
    run -0 bash -c 'tr -d "[:print:]\n" <<<"$1" | wc -c' bash "$output"
    assert_output 0
    run -0 mq-name remove "$queue"
}

@test "mq-name: a word that is no priority is refused, and no queue is made" {
    for word in x 3x '' -1 32768 99999999999999999999; do
        run -2 mq-name send "$queue" text "$word"
        assert_output --partial "usage: mq-name"
    done
    run -1 mq-name remove "$queue"
    run -0 mq-name send "$queue" text 32767
    run -0 mq-name receive "$queue"
    assert_output --partial 32767
    run -0 mq-name remove "$queue"
}

@test "mq-priority: the highest comes first, and of equals the oldest" {
    run -0 --separate-stderr mq-priority
    assert_output - <<-'END'
	Parent sends (prio=1): low
	Parent sends (prio=9): high
	Parent sends (prio=5): mid
	Parent sends (prio=5): mid again
	Child got (prio=9): high
	Child got (prio=5): mid
	Child got (prio=5): mid again
	Child got (prio=1): low
	END
    assert_equal "$stderr" ''
    traced "$TRACE" mq-priority
    accept_log "$CALLS$FAULTY_QUEUE"'
        call == "mq_send" && n == 0 && pid == parent {
            sent = sent text " " priority ", "
        }
        call == "mq_receive" && n > 0 && pid != parent {
            got = got text " " priority ", "
        }
        END {
            if (sent != "low 1, high 9, mid 5, mid again 5, ")
                print "Parent sent " sent
            if (got != "high 9, mid 5, mid again 5, low 1, ")
                print "Child got " got
        }'
}

@test "mq-priority: Child receives when all messages are there" {
    traced "$TRACE" mq-priority
    assert_success
    accept_log '
        / mq_timedreceive\(/ { received++ }
        / mq_timedsend\(/ && received { print "sent too late: " $0 }
        END { if (received != 4) print received + 0 " receives, not 4" }'
}

@test "mq-errors: too long, too short, full and empty, each with its error" {
    run -0 --separate-stderr mq-errors
    assert_output - <<-'END'
	Sender: 101 bytes: EMSGSIZE (Message too long)
	Sender: 5 bytes: sent, and now the queue is full
	Receiver: room for 99 bytes: EMSGSIZE (Message too long)
	Sender: full, O_NONBLOCK: EAGAIN (Resource temporarily unavailable)
	Sender: full, waits: ETIMEDOUT (Connection timed out)
	Receiver: room for 100 bytes: received, and now it is empty
	Receiver: empty, O_NONBLOCK: EAGAIN (Resource temporarily unavailable)
	Receiver: empty, waits: ETIMEDOUT (Connection timed out)
	END
    assert_equal "$stderr" ''
    traced "$TRACE" mq-errors
    accept_log "$CALLS$FAULTY_QUEUE"'
        call ~ /^mq_(send|receive)$/ {
            if (/^[^"]*0x/) { # no text was received
                split($0, part, ", ")
                size = part[3]
            }
            sub(/^.* = -1 /, "")
            seen = seen call " " size " " (n < 0 ? $1 : "done") ", "
        }
        END {
            expected = "mq_send 101 EMSGSIZE, mq_send 5 done, " \
                "mq_receive 99 EMSGSIZE, mq_send 5 EAGAIN, " \
                "mq_send 5 ETIMEDOUT, mq_receive 100 done, " \
                "mq_receive 100 EAGAIN, mq_receive 100 ETIMEDOUT, "
            if (seen != expected)
                print "the kernel saw " seen "not " expected
        }'
}

@test "mq-errors: a call that waits gives up when the time has come, not before" {
    traced "$TRACE" -T mq-errors
    assert_success
    accept_log '
        /ETIMEDOUT/ {
            timed++
            # A time of the clock on the wall, not a while or the uptime.
            if (!match($0, /tv_sec=[0-9]+/) ||
                substr($0, RSTART + 7, RLENGTH - 7) < 1000000000)
                print "not the time of day: " $0
            sub(/.*</, "")
            if ($0 + 0 < 0.03)
                print "did not wait: back after " $0 + 0 " s"
        }
        END { if (timed != 2) print timed + 0 " waits ended, not 2" }'
}

@test "mq-limits: the system refuses one more than each limit" {
    without_privilege mq-limits
    run -0 --separate-stderr "${AS_NOBODY[@]}" mq-limits
    assert_equal "$stderr" ''
    for limit in msg_max msgsize_max; do
        most=$(</proc/sys/fs/mqueue/$limit)
        assert_line --regexp "$limit is $most\b"
        assert_line --regexp "\b$((most + 1))\b.*EINVAL \(Invalid argument\)"
    done
    assert_line --regexp "queues_max is $(</proc/sys/fs/mqueue/queues_max)\b"
    assert_line --regexp 'EMFILE \(Too many open files\)'
    traced "$TRACE" "${AS_NOBODY[@]}" mq-limits
    accept_log -v messages="$(</proc/sys/fs/mqueue/msg_max)" \
        -v bytes="$(</proc/sys/fs/mqueue/msgsize_max)" '
        / mq_open\(/ {
            match($0, /mq_maxmsg=[0-9]+/)
            maxmsg = substr($0, RSTART + 10, RLENGTH - 10)
            match($0, /mq_msgsize=[0-9]+/)
            msgsize = substr($0, RSTART + 11, RLENGTH - 11)
        }
        / mq_open\(/ && /EINVAL/ {
            if (maxmsg == messages + 1) many = 1
            if (msgsize == bytes + 1) long = 1
        }
        / mq_open\(/ && /EMFILE/ { much = 1 }
        END {
            if (!many) print "no queue of msg_max + 1 was refused"
            if (!long) print "no message of msgsize_max + 1 was refused"
            if (!much) print "no queue was refused because of ulimit -q"
        }'
}

@test "mq-limits: the numbers are the system's, and not the usual ones" {
    without_privilege mq-limits
    as=()
    ((EUID == 0)) || as=(--map-root-user)
    unshare "${as[@]}" --ipc bash -c 'echo 7 >/proc/sys/fs/mqueue/msg_max' \
        2>/dev/null || skip "no limits of one's own: needs root"
    run -0 unshare "${as[@]}" --ipc bash -c '
        cd /proc/sys/fs/mqueue
        echo 7 >msg_max
        echo 333 >msgsize_max
        echo 55 >queues_max
        exec "$@"' bash "${AS_NOBODY[@]}" mq-limits
    assert_line --regexp 'msg_max is 7\b'
    assert_line --regexp '\b8\b.*EINVAL'
    assert_line --regexp 'msgsize_max is 333\b'
    assert_line --regexp '\b334\b.*EINVAL'
    assert_line --regexp 'queues_max is 55\b'
    assert_line --regexp 'EMFILE'
}

@test "mq-limits: a queue that a privilege allows is reported, and removed" {
    without_privilege mq-limits
    # As if the first queue had been made.
    traced "$TRACE" -e inject=mq_open:retval=9:when=1 \
        "${AS_NOBODY[@]}" mq-limits
    assert_success
    run -0 grep -c 'allowed by privilege' out
    assert_output 1
    accept_log "$CALLS$FAULTY_QUEUE"
}

@test "mq-limits: another error is not taken for a limit" {
    requires strace
    run -1 strace -qq -o /dev/null -e trace=mq_open \
        -e inject=mq_open:error=ENOSPC mq-limits
    assert_output --partial 'No space left on device'
}

@test "mq-notify: Receiver is told once, registers again, and drains" {
    run -0 --separate-stderr mq-notify
    assert_output - <<-'END'
	Receiver has registered
	Sender sends message 1
	Sender sends message 2
	Receiver is told
	Receiver has registered
	Receiver takes message 1
	Receiver takes message 2
	Sender sends message 3
	Receiver is told
	Receiver has registered
	Receiver takes message 3
	END
    assert_equal "$stderr" ''
    traced "$TRACE" mq-notify
    accept_log "$CALLS$FAULTY_QUEUE"'
        call == "mq_notify" && n == 0 && /SIGEV_SIGNAL/ {
            registered = 1
            receiver = pid
        }
        call == "mq_send" && n == 0 {
            sent++
            if (pid == receiver) print "Receiver sends to itself"
            if (!held++ && !registered)
                print "sent when nobody was registered: " text
            if (held == 1)
                registered = 0
        }
        call == "mq_receive" && !registered {
            print "Receiver drains, and is not registered"
        }
        call == "mq_receive" && n > 0 { held--; got++ }
        call == "rt_sigtimedwait" && /= [0-9]+ \(SIG/ || /SI_MESGQ/ { told++ }
        END {
            if (sent != 3 || got != 3)
                print sent + 0 " messages sent, " got + 0 " received, not 3"
            if (told != 2) print told + 0 " signals came, not 2"
        }'
}

@test "mq-notify --drain-first: a message comes unseen, in each run" {
    traced "$TRACE" mq-notify --drain-first
    assert_failure 124
    assert_output --regexp 'stuck: Receiver waits.*message 3'
    run -0 cat out
    assert_output - <<-'END'
	Receiver has registered
	Sender sends message 1
	Sender sends message 2
	Receiver is told
	Receiver takes message 1
	Receiver takes message 2
	Sender sends message 3
	Receiver has registered
	END
    accept_log "$CALLS"'
        call == "mq_notify" && n == 0 { registered = 1 }
        call == "mq_send" && n == 0 && !held++ {
            unseen = !registered
            registered = 0
        }
        call == "mq_receive" && n > 0 { held-- }
        END {
            if (!unseen) print "nobody has sent while nobody was registered"
            if (!registered || held != 1)
                print "Receiver has not registered with a message there"
        }'
    requires taskset util-linux
    run -0 bash -c '
        for on in $CORE $CORE $CORE $CORES $CORES $CORES; do
            taskset -c $on mq-notify --drain-first 2>&1 &
        done | grep -c "takes message 2"'
    assert_output 6
}

@test "mq-notify: the signal is waited for, not caught by chance" {
    requires strace
    run -0 mq-notify
    usual=$output
    for slow in mq_notify:delay_exit=50000 \
        '?rt_sigtimedwait:delay_enter=50000'; do
        run -0 strace -f -qq -o /dev/null -e inject="$slow" mq-notify
        assert_output "$usual"
    done
}

@test "mq-notify: a Sender that fails is not waited for" {
    requires strace
    run -1 strace -f -qq -o /dev/null -e trace=mq_timedsend \
        -e inject=mq_timedsend:error=EMSGSIZE mq-notify
    assert_output --partial 'Message too long'
}

@test "mq-workers: what Sender sends is what Workers receive, whole and once" {
    run -0 --separate-stderr mq-workers
    assert_output 'Parent: 1000 of 1000 jobs are done, each once'
    assert_equal "$stderr" ''
    traced "$TRACE" mq-workers --workers 3 --jobs 200
    run -0 cat out
    assert_output 'Parent: 200 of 200 jobs are done, each once'
    accept_log "$CALLS$FAULTY_QUEUE"'
        call == "mq_send" && n == 0 { sent[text]++; sender[pid] = 1 }
        call == "mq_receive" && n >= 0 { got[text]++; receiver[pid] = 1 }
        call == "mq_receive" && n == 0 { stopped[pid]++ }
        END {
            for (text in sent) {
                if (sent[text] != got[text])
                    print "message " text " was sent " sent[text] \
                        " times, and received " got[text] + 0 " times"
                if (text != "" && sent[text] == 1)
                    jobs++
            }
            if (jobs != 200) print jobs + 0 " different jobs, not 200"
            for (pid in receiver) {
                workers++
                if (pid in sender) print "one process sends and receives"
                if (stopped[pid] != 1) print "a Worker was not told to stop"
            }
            if (workers != 3) print workers + 0 " Workers, not 3"
        }'
}

@test "mq-workers --workers N --jobs N: few and many" {
    for case in '1 9' '2 3000' '30 1' '30 3000'; do
        read -r workers jobs <<<"$case"
        run -0 mq-workers --workers "$workers" --jobs "$jobs"
        assert_output --regexp "\b$jobs of $jobs jobs"
    done
}

# With SPOIL=lose the first process that has received five messages is killed;
# with SPOIL=twice the fifth message is sent twice.
setup_file() {
    command -v gcc >/dev/null || return 0 # the tests say so
    gcc -shared -fPIC -o "$BATS_FILE_TMPDIR/spoil.so" -x c - -ldl <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <fcntl.h>
	#include <mqueue.h>
	#include <signal.h>
	#include <stdlib.h>
	#include <string.h>
	#include <unistd.h>

	static int spoils(const char *what)
	{
	    static int calls;
	    return strcmp(getenv("SPOIL"), what) == 0 && ++calls == 5;
	}

	ssize_t mq_timedreceive(mqd_t queue, char *to, size_t size,
	                        unsigned *priority, const struct timespec *until)
	{
	    ssize_t (*next)(mqd_t, char *, size_t, unsigned *,
	                    const struct timespec *) =
	        dlsym(RTLD_NEXT, "mq_timedreceive");
	    ssize_t n = next(queue, to, size, priority, until);
	    if (n > 0 && spoils("lose") &&
	        open("once", O_CREAT | O_EXCL | O_WRONLY, 0600) != -1)
	        raise(SIGKILL);
	    return n;
	}

	ssize_t mq_receive(mqd_t queue, char *to, size_t size, unsigned *priority)
	{
	    return mq_timedreceive(queue, to, size, priority, NULL);
	}

	int mq_timedsend(mqd_t queue, const char *from, size_t n,
	                 unsigned priority, const struct timespec *until)
	{
	    int (*next)(mqd_t, const char *, size_t, unsigned,
	                const struct timespec *) =
	        dlsym(RTLD_NEXT, "mq_timedsend");
	    if (n > 0 && spoils("twice"))
	        next(queue, from, n, priority, until);
	    return next(queue, from, n, priority, until);
	}

	int mq_send(mqd_t queue, const char *from, size_t n, unsigned priority)
	{
	    return mq_timedsend(queue, from, n, priority, NULL);
	}
	END
}

@test "mq-workers: a Worker is killed with a job, and the others do the rest" {
    requires gcc
    cd "$BATS_TEST_TMPDIR"
    run -1 env SPOIL=lose LD_PRELOAD="$BATS_FILE_TMPDIR/spoil.so" \
        mq-workers --jobs 777
    assert_file_exists once
    assert_output --regexp '\b776 of 777 jobs'
}

@test "mq-workers: a job that comes twice is not done once" {
    requires gcc
    run -1 env SPOIL=twice LD_PRELOAD="$BATS_FILE_TMPDIR/spoil.so" \
        mq-workers --jobs 777
    assert_output --regexp '\b776 of 777 jobs'
}
