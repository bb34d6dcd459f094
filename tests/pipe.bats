# The programs of pipe/, in the folder's order.

setup() {
    load helper
    CALLS=$WHOLE_CALLS$CALLS
}

FORKS=fork,vfork,clone,clone3

# For awk, which reads what strace -f -y wrote: each call as one line, where it
# returned (strace writes two if another process came between), and the parts
# of it that matter here.
CALLS='
    {
        pid = $1
        call = $2
        sub(/\(.*/, "", call)
        n = $0
        n = sub(/.*\) += /, "", n) && n !~ /^\?/ ? n + 0 : ""
        pipe = ""
        if (match($0, /<pipe:\[[0-9]+/))
            pipe = substr($0, RSTART + 7, RLENGTH - 7)
        fd = $2
        sub(/.*\(/, "", fd)
        fd += 0
        if (!parent)
            parent = pid
        who = pid == parent ? "Parent" : "Child"
    }
    call ~ /^pipe2?$/ && n == 0 && match($0, /\[[0-9]+</) {
        read_end[pipe] = substr($0, RSTART + 1, RLENGTH - 2)
        match($0, /, [0-9]+</)
        write_end[pipe] = substr($0, RSTART + 2, RLENGTH - 3)
    }
    call ~ /^(clone3?|v?fork)$/ && n > 0 {
        child[n] = ++children
    }
'

# Which process keeps an end that it does not use, and which nobody waits for.
TIDY='
    call == "close" && pipe {
        closed[pid, pipe, fd] = 1
        if (pid == parent && !children)
            never_inherited[pipe, fd] = 1
    }
    call ~ /^(read|write)$/ && pipe && (pid != parent || children) {
        other = call == "read" ? write_end[pipe] : read_end[pipe]
        if (!used[pid, pipe, "read"] && !used[pid, pipe, "write"] &&
            !closed[pid, pipe, other] && !never_inherited[pipe, other])
            kept[pid, pipe] = who
        used[pid, pipe, call] = 1
    }
    call == "wait4" && n > 0 { waited[n] = 1 }
    call == "waitid" && match($0, /si_pid=[0-9]+/) {
        waited[substr($0, RSTART + 7, RLENGTH - 7)] = 1
    }
    /[+] killed by/ && pid == parent { stopped = 1 }
    END {
        for (key in kept) {
            split(key, part, SUBSEP)
            if (!used[part[1], part[2], "write"])
                print kept[key] " reads, and has not closed its write end"
            else if (!used[part[1], part[2], "read"])
                print kept[key] " writes, and has not closed its read end"
        }
        if (!children)
            print "no process was forked"
        stopped = stopped || begun[parent]
        for (pid in child)
            if (!(pid in waited) && !stopped)
                print "Parent did not wait for Child " child[pid]
        for (pipe in write_end)
            if (stopped && used[parent, pipe, "write"] &&
                !closed[parent, pipe, write_end[pipe]])
                print "Parent waits, and has not closed its write end"
    }
'

assert_tidy() { # COMMAND
    local ended
    traced trace=pipe,pipe2,read,write,close,$FORKS,wait4,waitid -y -s 9 "$@" ||
        true # it hung: the log says why
    ended=$status
    accept_log "$CALLS$TIDY"
    ((ended == 0)) || fail "$OWN: $(in_words "$ended"), not 0"
}

# Makes short.so: a read from a pipe gives at most 3 bytes. (In stdio it is
# another read, which stays as it is.)
make_short_reads() {
    make_preload "$BATS_TEST_TMPDIR/short.so" <<-'END'
	#include <sys/stat.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	ssize_t read(int fd, void *buffer, size_t size)
	{
	    struct stat s;
	    if (size > 3 && fstat(fd, &s) == 0 && S_ISFIFO(s.st_mode))
	        size = 3;
	    return syscall(SYS_read, fd, buffer, size);
	}
	ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
	{
	    return read(fd, buffer, size < room ? size : room);
	}
	END
}

# Makes other.so: a new pipe has 4 pages, and PIPE_BUF is 1234.
make_other_pipe() {
    page=$(getconf PAGESIZE)
    make_preload "$BATS_TEST_TMPDIR/other.so" <<-'END'
	#define _GNU_SOURCE
	#include <fcntl.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	int pipe2(int fd[2], int flags)
	{
	    if (syscall(SYS_pipe2, fd, flags) == -1)
	        return -1;
	    return fcntl(fd[1], F_SETPIPE_SZ, 4 * sysconf(_SC_PAGESIZE)) > 0 ? 0 : -1;
	}
	int pipe(int fd[2])
	{
	    return pipe2(fd, 0);
	}
	long fpathconf(int fd, int name)
	{
	    return name == _PC_PIPE_BUF ? 1234 : -1;
	}
	long pathconf(const char *path, int name)
	{
	    return fpathconf(-1, name);
	}
	END
}

says() { # NUMBER WHAT
    [[ $output =~ (^|[^0-9])$1([^0-9]|$) ]] ||
        fail "$OWN does not say $1, $2:"$'\n'"$output"
}

@test "pipe-hello: Child reads what Parent wrote, then the end of file" {
    run -0 --separate-stderr pipe-hello
    assert_output - <<-'END'
	Child received: Hello from parent!
	Child: read returns 0, the end of file
	END
    assert_equal "$stderr" ''
    # And the kernel says so, too.
    traced trace=pipe,pipe2,read,write -y pipe-hello
    accept_log "$CALLS"'
        call == "write" && pipe && pid == parent { wrote += n }
        call == "read" && pipe && pid != parent { got += n; last = n }
        END {
            if (wrote != length("Hello from parent!"))
                print "Parent wrote " wrote + 0 " bytes into a pipe, not 18"
            if (got != wrote)
                print "Child read " got + 0 " bytes of " wrote + 0
            if (last != 0 || !got)
                print "no read of Child returned 0"
        }'
}

@test "pipe-hello MESSAGE: a large one arrives whole, and no NUL with it" {
    cd "$BATS_TEST_TMPDIR"
    # A length that no buffer divides: the last read is shorter than the others.
    message="%s%n $RANDOM $(head -c 75000 /dev/urandom | base64 -w 0)"
    message=${message:0:99991}
    run -0 bash -c 'pipe-hello "$1" >out' bash "$message"
    run -0 bash -c 'tr -dc "\0" <out | wc -c'
    assert_equal "$output NULs" '0 NULs'
    run -0 bash -c 'grep -cF "$1" out' bash "${message:99900}"
    run -0 cmp <(head -n 1 out) <(echo "Child received: $message")
}

@test "pipe-hello: unused ends are closed, and Parent waits for Child" {
    assert_tidy pipe-hello
}

@test "pipe-eof: data, then nothing, then POLLHUP and a read that returns 0" {
    run -0 --separate-stderr pipe-eof
    assert_output - <<-'END'
	Child: poll says POLLIN, read returns 5: hello
	Child: poll says nothing, so nothing is read
	Parent closes its write end
	Child: poll says POLLHUP, read returns 0: EOF
	END
    assert_equal "$stderr" ''
    traced trace=read,poll,ppoll -y pipe-eof
    accept_log "$CALLS"'
        pid == parent || !pipe { next }
        /revents=POLLIN}/ && !seen { seen = 1 }
        call == "read" && n > 0 && seen == 1 { seen = 2 }
        call ~ /poll/ && n == 0 && seen == 2 { seen = 3 }
        /revents=POLLHUP}/ && seen == 3 { seen = 4 }
        call == "read" && n == 0 && seen == 4 { seen = 5 }
        END {
            split("poll reported POLLIN|a read returned data|" \
                "a poll found nothing|poll reported POLLHUP|" \
                "a read returned 0", step, "|")
            if (seen < 5)
                print "not seen, or not in its place: " step[seen + 1]
        }'
}

@test "pipe-eof: the end comes after Child has looked, however slow it is" {
    requires strace
    run -0 pipe-eof
    usual=$output
    for slow in '?poll,?ppoll:delay_enter=200000:when=2' \
        close:delay_exit=30000; do
        run -0 strace -f -qq -o /dev/null -e inject="$slow" pipe-eof
        assert_output "$usual"
    done
}

@test "pipe-eof --no-close: Child waits, and holds the last write end itself" {
    traced trace=pipe,pipe2,read,poll,ppoll,close -y pipe-eof --no-close
    assert_failure 124
    assert_output --partial stuck
    accept_log "$CALLS"'
        call == "read" && pipe && n > 0 { data = pipe; reader = pid }
        call == "close" && pipe && n == 0 { closed[pid, pipe, fd] = 1 }
        data && pipe == data && (call == "read" && n == 0 || /POLLHUP/) {
            print "the end of file came"
        }
        END {
            if (!data) print "nobody has read from a pipe"
            if (closed[reader, data, write_end[data]])
                print "Child has closed its write end: it cannot be stuck"
            if (!closed[parent, data, write_end[data]])
                print "Parent has not closed its write end"
        }'
}

@test "pipe-eof: unused ends are closed, and Parent waits for Child" {
    assert_tidy pipe-eof
}

@test "pipe-sigpipe: SIGPIPE kills one child, the other gets EPIPE" {
    run -0 --separate-stderr pipe-sigpipe
    assert_output - <<-'END'
	Child 1 does not ignore SIGPIPE, and writes
	Parent: Child 1 was killed by SIGPIPE; a shell shows 141
	Child 2 ignores SIGPIPE, and writes
	Child 2 goes on: write fails with EPIPE (Broken pipe)
	Parent: Child 2 exited with status 0
	END
    assert_equal "$stderr" ''
    traced trace=write,exit_group -y pipe-sigpipe
    accept_log "$CALLS"'
        call == "write" && pipe && /EPIPE/ { failed[pid] = 1; writes++ }
        /[+] killed by SIGPIPE/ { killed += failed[pid] }
        /exit_group\(0\)/ && failed[pid] { went_on++ }
        END {
            if (writes != 2) print writes + 0 " writes found no reader, not 2"
            if (killed != 1)
                print "SIGPIPE killed " killed + 0 " children, not 1"
            if (went_on != 1)
                print went_on + 0 " children went on after EPIPE, not 1"
        }'
}

@test "pipe-sigpipe: started with SIGPIPE ignored it does the same" {
    run -0 pipe-sigpipe
    usual=$output
    run -0 env --ignore-signal=PIPE pipe-sigpipe
    assert_output "$usual"
}

@test "pipe-sigpipe: Parent waits for both children" {
    assert_tidy pipe-sigpipe
}

@test "pipebuffer: fills a pipe until EAGAIN" {
    run -0 --separate-stderr pipebuffer
    assert_output - <<-'END'
	Writer: F_GETPIPE_SZ is 65536, PIPE_BUF is 4096
	Writer: chunks of 4096: 65536 bytes go in, then EAGAIN
	END
    assert_equal "$stderr" ''
    traced trace=write -y pipebuffer
    accept_log "$CALLS"'
        call == "write" && pipe { if (n > 0) sum += n; else full = /EAGAIN/ }
        END {
            if (sum != 65536) print sum + 0 " bytes went into a pipe, not 65536"
            if (!full) print "the last write did not fail with EAGAIN"
        }'
}

# Runs pipebuffer, and finds in the log how many bytes the kernel took.
fill() {
    traced trace=write -y -s 9 pipebuffer "$@"
    assert_success
    sum=$(awk "$CALLS"'
        call == "write" && pipe && n > 0 { sum += n }
        END { print sum + 0 }' log)
    output=$(<out)
    mapfile -t lines <out
}

@test "pipebuffer --chunk N --size N: says what the kernel gave and took" {
    for case in '1 4096 4096' '4097 5000 8192' '100 16000 16384' \
        '65535 1000000 1048576'; do
        read -r chunk size capacity <<<"$case"
        fill --chunk "$chunk" --size "$size"
        assert_line --regexp "\b$size\b.*\b$capacity\b"
        assert_line --regexp "\b$chunk\b.*\b$sum\b"
    done
}

@test "pipebuffer --chunk 3000: a chunk that does not fit begins a new page" {
    fill --chunk 3000
    assert_equal "$sum" 48000
    says "$sum" 'what went in'
    says $((65536 - sum)) 'what stays empty'
}

@test "pipebuffer: asks the system, for PIPE_BUF and for how much fits" {
    make_other_pipe
    run -0 env LD_PRELOAD="$BATS_TEST_TMPDIR/other.so" pipebuffer
    says 1234 'what fpathconf gives here for PIPE_BUF'
    says $((4 * page)) 'what F_GETPIPE_SZ gives here'
}

@test "pipebuffer --size: what a user may not have is refused" {
    without_privilege pipebuffer
    limit=$(</proc/sys/fs/pipe-max-size)
    run -1 "${AS_NOBODY[@]}" pipebuffer --size $((limit * 2))
    assert_output --partial 'Operation not permitted'
    assert_output --partial /proc/sys/fs/pipe-max-size
    says $((limit * 2)) 'what was asked for'
}

@test "pipe-full: room comes when a page is empty, not a byte before" {
    run -0 --separate-stderr pipe-full
    assert_output - <<-'END'
	Parent writes 65536: the pipe is full
	Parent reads 4095: poll says nothing
	Parent reads 1: poll says POLLOUT
	Parent writes 4096: it is full again
	Parent reads 4096
	Child: write of byte 65537 returns
	END
    assert_equal "$stderr" ''
    traced trace=read,write,poll,ppoll -y -s 9 pipe-full
    accept_log "$CALLS"'
        pid != parent { next }
        call == "write" && pipe { held += n }
        call == "read" && pipe { held -= n }
        held > most { most = held }
        call ~ /poll/ && held == 65536 - 4095 && n == 0 { none = 1 }
        call ~ /poll/ && held == 65536 - 4096 && /revents=POLLOUT/ { room = 1 }
        END {
            if (most != 65536) print "the pipe was not full: " most + 0 " bytes"
            if (!none) print "nobody polled in vain after 4095 bytes were read"
            if (!room) print "nobody saw POLLOUT after 4096 bytes were read"
        }'
}

# Succeeds if Child, one of the program's two processes, sleeps.
child_sleeps() {
    local pid states=
    for pid in $(survivors); do
        states+=$(sed -n "/^Name:.$OWN\$/,/^State:/s/^State:.\(.\).*/\1/p" \
            "/proc/$pid/status" 2>/dev/null) || true
    done
    [[ $states == [^S]S || $states == S[^S] ]]
}

@test "pipe-full: the write of one byte more sleeps until Parent reads a page" {
    requires strace
    cd "$BATS_TEST_TMPDIR"
    # Parent is stopped as soon as it has forked.
    make_preload stop.so <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <signal.h>
	#include <unistd.h>
	pid_t fork(void)
	{
	    pid_t pid = ((pid_t (*)(void))dlsym(RTLD_NEXT, "fork"))();
	    if (pid > 0)
	        raise(SIGSTOP);
	    return pid;
	}
	END
    strace -f -qq -y -s 9 -o log -e trace=read,write \
        -E LD_PRELOAD="$PWD/stop.so" pipe-full >out 3>&- &
    strace=$!
    wait_until child_sleeps
    read -r parent _ <log
    kill -CONT "$parent" # and not Child, whose write would begin anew
    assert_ends 0 $strace
    accept_log '
        / write\([0-9]+<pipe:.*unfinished/ { asleep = $1 }
        / read\([0-9]+<pipe:/ && asleep { woken = asleep }
        '"$CALLS"'
        call == "read" && pipe { last = n }
        call == "write" && pipe && pid != parent {
            written = n
            if (woken != pid) print "Child did not sleep in write"
        }
        END {
            if (written != 1) print "Child wrote " written + 0 " bytes, not 1"
            if (last != 4096)
                print "the last read took " last + 0 " bytes, not 4096"
        }'
}

@test "pipe-full: asks how much the pipe holds" {
    make_other_pipe
    run -0 env LD_PRELOAD="$BATS_TEST_TMPDIR/other.so" pipe-full
    says $((4 * page)) 'how much this pipe holds'
    says $((4 * page + 1)) 'the byte that has to wait'
}

@test "pipe-full: unused ends are closed, and Parent waits for Child" {
    assert_tidy pipe-full
}

@test "pipe-atomic: records of PIPE_BUF bytes arrive whole" {
    run -0 --separate-stderr pipe-atomic
    assert_output - <<-'END'
	Parent: 0 of 1000 records of 4096 bytes are torn (PIPE_BUF: 4096)
	END
    assert_equal "$stderr" ''
    # A thousand calls, each of which strace stops: a busy machine takes long.
    USUAL=20 traced trace=read,write -y -s 9 pipe-atomic --writers 3
    accept_log "$CALLS"'
        call == "write" && pipe {
            if (n != 4096) other = n
            if (!records[pid]++) writers++
            written += n
        }
        call == "read" && pipe && pid == parent { got += n }
        END {
            if (writers != 3)
                print writers + 0 " processes wrote into a pipe, not 3"
            if (other) print "a record was written as " other " bytes, not 4096"
            if (got != written)
                print "Parent read " got + 0 " bytes, " written " were written"
        }'
}

@test "pipe-atomic: up to PIPE_BUF, and with one Writer, nothing is torn" {
    for case in '50 1' '20 3000' '7 4095' '1 65536'; do
        read -r writers size <<<"$case"
        run -0 pipe-atomic --writers "$writers" --size "$size"
    done
}

@test "pipe-atomic --size 8192: above PIPE_BUF records are torn, in each run" {
    requires taskset util-linux
    for _ in 1 2 3; do
        run -1 pipe-atomic --size 8192
        run -1 taskset -c "$CORE" pipe-atomic --size 8192 --writers 2
    done
}

@test "pipe-atomic: looks at every byte of a record" {
    # Of three records one byte is another: the first, the last, one between.
    make_preload "$BATS_TEST_TMPDIR/damage.so" <<-'END'
	#include <string.h>
	#include <sys/stat.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	ssize_t write(int fd, const void *bytes, size_t size)
	{
	    static char copy[65536];
	    static int n;
	    struct stat s;
	    if (size <= sizeof copy && fstat(fd, &s) == 0 && S_ISFIFO(s.st_mode)) {
	        bytes = memcpy(copy, bytes, size);
	        n++;
	        if (n == 10 || n == 20 || n == 30)
	            copy[(n / 10 - 1) * (size - 1) / 2] ^= 32;
	    }
	    return syscall(SYS_write, fd, bytes, size);
	}
	END
    run -1 env LD_PRELOAD="$BATS_TEST_TMPDIR/damage.so" pipe-atomic --writers 1
    says 3 'how many records are damaged'
}

@test "pipe-atomic: counts the records that came, not those promised" {
    requires strace
    USUAL=20 run -1 strace -f -qq -o /dev/null -e trace=write \
        -e inject=write:signal=KILL:when=100 pipe-atomic --writers 1
    says 99 'how many records came before the Writer was killed'
}

@test "pipe-atomic: a record that comes in several reads is not torn" {
    make_short_reads
    run -0 env LD_PRELOAD="$BATS_TEST_TMPDIR/short.so" \
        pipe-atomic --size 10 --writers 2
    says 500 'how many records came'
}

@test "pipe-atomic: unused ends are closed, and Parent waits for each Writer" {
    USUAL=20 assert_tidy pipe-atomic --writers 2
}

@test "pipe-duplex: a question through one pipe, the answer through another" {
    run -0 --separate-stderr pipe-duplex
    assert_output - <<-'END'
	Parent asks: can you hear me?
	Parent got: CAN YOU HEAR ME?
	END
    assert_equal "$stderr" ''
    traced trace=pipe,pipe2,read,write -y pipe-duplex
    accept_log "$CALLS"'
        pipe && call ~ /^(read|write)$/ && n > 0 { bytes[who, call, pipe] += n }
        call == "write" && pipe && pid != parent && /CAN YOU HEAR/ { loud = 1 }
        END {
            for (pipe in read_end) {
                asked = bytes["Parent", "write", pipe]
                heard = bytes["Child", "read", pipe]
                said = bytes["Child", "write", pipe]
                got = bytes["Parent", "read", pipe]
                if (asked && asked == heard) question = asked
                if (said && said == got) answer = said
                if (asked && got || said && heard)
                    print "one process writes into and reads from one pipe"
            }
            if (question != length("can you hear me?") + 1)
                print "no pipe took 17 bytes from Parent to Child"
            if (!loud)
                print "Child did not write the answer in capitals"
            if (answer != question)
                print "no pipe took 17 bytes from Child to Parent"
        }'
}

@test "pipe-duplex: a line that comes in several reads is read whole" {
    run -0 pipe-duplex
    usual=$output
    make_short_reads
    run -0 env LD_PRELOAD="$BATS_TEST_TMPDIR/short.so" pipe-duplex
    assert_output "$usual"
}

@test "pipe-duplex --one-pipe: Parent reads its own question, in each run" {
    requires taskset util-linux
    run -1 pipe-duplex --one-pipe
    usual=$output
    asked=$(sed -n 's/^Parent asks: //p' <<<"$output")
    assert_line "Parent got: $asked"
    for on in "$CORE" "$CORE" "$CORE" "$CORES" "$CORES" "$CORES"; do
        run -1 taskset -c "$on" pipe-duplex --one-pipe
        assert_output "$usual"
    done
    traced trace=read,write -y pipe-duplex --one-pipe
    accept_log "$CALLS"'
        pid == parent && pipe && call == "write" { asked[pipe] = 1 }
        pid == parent && call == "read" && asked[pipe] && n > 0 { own = 1 }
        END { if (!own) print "Parent did not read from its own pipe" }'
}

@test "pipe-duplex: unused ends are closed, and Parent waits for Child" {
    assert_tidy pipe-duplex
}

@test "pipe-barrier: Parent goes on when all have closed, and no byte is sent" {
    run -0 --separate-stderr pipe-barrier
    assert_output 'Parent: read returns 0, 5 of 5 are ready'
    assert_equal "$stderr" ''
    traced trace=pipe,pipe2,read,write,close,$FORKS,wait4,waitid \
        -y pipe-barrier 7
    accept_log '
        # Also a close that has not returned when Parent already goes on.
        match($0, / close\([0-9]+<pipe/) {
            closed[$1, substr($0, RSTART + 7, RLENGTH - 12)] = 1
        }
        '"$CALLS"'
        call == "write" && pipe { print who " sends a byte" }
        call ~ /^wait/ && n >= 0 { ended = 1 }
        call == "read" && pipe && pid == parent && n != "" {
            waited = 1
            if (ended) print "Parent read when children had already ended"
            if (n != 0) print "the read of Parent returned " n ", not 0"
            for (pid in child)
                if (!((pid, write_end[pipe]) in closed))
                    print "Child " child[pid] " has not closed its write end"
        }
        END {
            if (!waited) print "Parent did not wait in read"
            if (children != 7) print children + 0 " were forked, not 7"
        }'
}

@test "pipe-barrier CHILDREN: Parent sees what each of them has noted" {
    for children in 1 2 100; do
        run -0 pipe-barrier "$children"
        says "$children" 'how many are ready'
    done
}

@test "pipe-barrier: a child is ready before it closes its end" {
    requires strace
    run -0 pipe-barrier
    usual=$output
    # Slow after each close: what a child still does then comes too late.
    run -0 strace -f -qq -o /dev/null -e inject=close:delay_exit=50000 \
        pipe-barrier
    assert_output "$usual"
}

@test "pipe-barrier: a child that is killed has closed, but is not ready" {
    make_preload "$BATS_TEST_TMPDIR/die.so" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <signal.h>
	#include <unistd.h>
	pid_t fork(void)
	{
	    static int n;
	    pid_t pid = ((pid_t (*)(void))dlsym(RTLD_NEXT, "fork"))();
	    if (++n == 3 && pid == 0)
	        raise(SIGKILL);
	    return pid;
	}
	END
    run -1 env LD_PRELOAD="$BATS_TEST_TMPDIR/die.so" pipe-barrier 9
    says 8 'how many of 9 were ready when one has been killed'
}

@test "pipe-barrier: unused ends are closed, and Parent waits for each child" {
    assert_tidy pipe-barrier
}
