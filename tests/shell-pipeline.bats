# The programs of shell-pipeline/, in the folder's order.

setup() {
    load helper
    cd "$BATS_TEST_TMPDIR"
    token=$RANDOM-$RANDOM
}

# The calls that start, connect, feed, stop and wait for a process.
CALLS='?pipe,?pipe2,?dup,?dup2,?dup3,close,read,write,execve,?fork,?vfork'
CALLS+=',?clone,?clone3,?wait4,?waitid,?alarm,?setitimer'
CALLS+=',?nanosleep,?clock_nanosleep'

# traced, with CALLS. A call that others have cut in two is one line again.
calls() {
    traced "trace=$CALLS" -y "$@"
    awk "$WHOLE_CALLS { print }" log >whole
    mv whole log
}

# A wrong version takes a second, until an alarm ends it: all four at once.
setup_file() {
    start_wrong connect2 --no-close echo hello -- dd bs=512 status=none
    start_wrong pipeline --wait-first seq 100000 -- wc -l
    start_wrong capture --wait-first seq 100000
    start_wrong coprocess --no-flush
    wait
}

# Bounded, and ended with all that it has started.
start_wrong() { # PROGRAM ARGUMENTS
    local folder=$BATS_FILE_TMPDIR/$1 bin=${BIN:-$BATS_TEST_DIRNAME/../bin}
    mkdir "$folder"
    PATH=$bin:$PATH timeout -s KILL "${LIMIT:-10}" env --default-signal \
        bash -c 'strace -f -qq -s 200 -o "$0/log" -y -e "trace=$1" "${@:2}" \
            >"$0/out" 2>"$0/err" </dev/null; echo $? >"$0/status"' \
        "$folder" "$CALLS" "$@" 3>&- 4>&- &
}

# What has come of it, as after calls.
stuck() { # PROGRAM
    requires strace
    cp "$BATS_FILE_TMPDIR/$1"/* .
    [[ -e status ]] || fail "$1 hung: stopped after ${LIMIT:-10} seconds"
    status=$(<status)
    output=$(<err)
    assert_failure 124
    [[ $(grep -c 'killed by SIGALRM' log) == 1 ]] ||
        fail "$1: no process is stopped by its alarm, or several are"
}

# For awk: which pipe a line of the log is about. A read may stand before the
# write that it has waited for, so the two are compared at the end.
INODE='
    function inode() {
        return match($0, /pipe:\[[0-9]+\]/) ? substr($0, RSTART, RLENGTH) : ""
    }'

# Fails unless the program, the first process in the log, has waited for each
# of its children. A demo's own child may have an alarm; a command may not.
accept_waits() { # [ALARMS]
    accept_log -v allowed="${1:-0}" '
        NR == 1 { program = $1 }
        / alarm\([1-9]| setitimer\(/ { alarms++ }
        $1 != program { next }
        / (v?fork|clone3?)\(/ && $NF + 0 > 0 { started[$NF] }
        / wait4\(/ && $NF + 0 > 0 { ended[$NF] }
        / waitid\(/ && match($0, /si_pid=[0-9]+/) {
            ended[substr($0, RSTART + 7, RLENGTH - 7)]
        }
        / (clock_)?nanosleep\(/ { print "it sleeps instead of waiting" }
        END {
            for (pid in started) {
                children++
                if (!(pid in ended)) forgotten++
            }
            if (!children) print "it starts no child"
            if (forgotten)
                print "children that are not waited for: " forgotten " of " children
            if (alarms > allowed)
                print "an alarm is set: it would kill a slow command"
        }'
}

# A script for sh: writes to FILE which of descriptors 0 to 9 are open.
list_to() { # FILE
    cat <<-END
	open=
	for fd in 0 1 2 3 4 5 6 7 8 9; do
	    [ ! -e /proc/\$\$/fd/\$fd ] || open="\$open \$fd"
	done
	echo \$open >$1
	END
}

# Starts a launcher with each of CLOSED in turn, and prints what is wrong. The
# token must arrive in the file got. A command, which has written its list to
# FILE, must have the DESCRIPTORS (1,2) and those that anybody started so has.
start_without() { # CLOSED LAUNCHER FILE:DESCRIPTORS...
    local closed launcher=$2 list expected
    while IFS= read -r closed; do
        rm -f got
        eval "sh -c \"\$plain\" $closed" >out
        eval "$launcher $closed" >out ||
            echo "started with '$closed': status $?"
        [[ -e got && $(<got) == "$token" ]] ||
            echo "started with '$closed': the token does not arrive"
        for list in "${@:3}"; do
            expected=$(tr ' ,' '\n' <<<"$(<plain) ${list#*:}" | sort -u | xargs)
            [[ $(<"${list%:*}") == "$expected" ]] ||
                echo "started with '$closed': the ${list%:*} command has" \
                    "descriptors $(<"${list%:*}"), not $expected"
        done
    done <<<"$1"
}

# Before a wrong version that is not stuck, and must not be stopped however slow
# the machine is.
NO_ALARM=(strace -f -qq -o alarms -e 'inject=?alarm,?setitimer:retval=0')

ANY_CLOSED='
<&-
>&-
2>&-
<&- >&-
<&- 2>&-
>&- 2>&-
<&- >&- 2>&-'

# Fails unless the bytes of PART, NULs included, are in FILE.
assert_bytes() { # PART FILE
    perl -e 'local $/;
        my ($part, $all) =
            map { open my $f, "<", $_ or die "$_: $!"; <$f> } @ARGV;
        exit(index($all, $part) < 0)' "$1" "$2" ||
        fail "$OWN: not all $(stat -c %s "$1") bytes of $1 have come through"
}

# What dup2-hello's tables must be, by the calls in the log. OPEN are the
# descriptors that it is started with.
tables() { # OPEN
    awk -v open="$1" '
        function table(fd) {
            for (fd = 0; fd <= last; fd++)
                print "fd " fd " -> " (fd in leads ? leads[fd] : "closed")
        }
        function numbers() { # of the first two descriptors in a call
            sub(/.*\(\[?/, "")
            a = $0 + 0
            sub(/[^,]*, /, "")
            b = $0 + 0
        }
        BEGIN {
            for (n = split(open, word, " "); n > 0; n--)
                leads[word[n]] = "inherited"
        }
        /^[0-9]+ +pipe2?\(/ && !parent {
            parent = $1
            numbers()
            leads[a] = "pipe read end"
            leads[b] = "pipe write end"
            last = b
        }
        !parent || $1 == parent { next }
        /^[0-9]+ +dup[23]\(/ {
            numbers()
            if (!moved++) table()
            leads[b] = leads[a]
        }
        /^[0-9]+ +close\(/ {
            numbers()
            delete leads[a]
        }
        END { table() }' log
}

@test "dup2-hello: descriptor 1 becomes the pipe's write end, 3 and 4 close" {
    run -0 --separate-stderr dup2-hello
    assert_output - <<-'END'
	Child: fd table before dup2:
	fd 0 -> inherited
	fd 1 -> inherited
	fd 2 -> inherited
	fd 3 -> pipe read end
	fd 4 -> pipe write end
	Child: fd table after dup2(fd[1], 1) and both closes:
	fd 0 -> inherited
	fd 1 -> pipe write end
	fd 2 -> inherited
	fd 3 -> closed
	fd 4 -> closed
	END
    assert_equal "$stderr" ''
}

@test "dup2-hello: the second table comes through the pipe, to its end" {
    calls dup2-hello
    assert_success
    accept_waits
    accept_log "$INODE"'
        NR == 1 { program = $1 }
        $1 != program && / write\(1<pipe:.*-> / { sent = inode() }
        $1 == program && / read\(.*<pipe:.*-> / { received = inode() }
        $1 == program && / read\(.*<pipe:.*"", [0-9]+\) += 0/ {
            ended = inode()
        }
        END {
            if (!sent || received != sent)
                print "Parent reads no table from the pipe that Child has at 1"
            else if (ended != sent)
                print "Parent does not read on until read returns 0"
        }'
}

@test "dup2-hello: its tables are right whatever was open before" {
    while IFS=: read -r open redirections; do
        calls bash -c "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
            exec dup2-hello $redirections"
        assert_success
        tables "$open" >expected
        diff -u --label 'what the calls make of the descriptors' expected \
            --label 'what dup2-hello prints' <(grep '^fd' out) ||
            fail "dup2-hello: wrong tables when started with '$redirections'"
    done <<-'END'
	0 1 2:
	0 1 2 3 5:3</dev/null 5</dev/null
	1 2:<&-
	0 1:2>&-
	END
}

@test "connect2: CMD2 reads from CMD1 to the end of file, both are waited for" {
    run -0 --separate-stderr connect2
    assert_output 6
    assert_equal "$stderr" ''

    calls connect2 echo "$token" -- dd bs=512 status=none
    assert_success
    assert_equal "$(<out)" "$token"
    accept_waits
    accept_log -v token="\"$token" "$INODE"'
        index($0, token) && / write\(1<pipe:/ { sent = inode(); writer = $1 }
        index($0, token) && / read\(0<pipe:/ { received = inode(); reader = $1 }
        END {
            if (!sent || received != sent || reader == writer)
                print "no pipe leads from CMD1 to CMD2"
        }'
}

@test "connect2: more than a pipe holds goes through, byte by byte" {
    head -c 1M /dev/urandom >sent
    run -0 bash -c 'connect2 cat sent -- cat >received'
    assert_bytes sent received
}

@test "connect2: the status is CMD2's, as a shell has it" {
    run -7 connect2 false -- sh -c 'cat; exit 7'
    run -0 connect2 sh -c 'kill -KILL $$' -- true
    run -137 connect2 true -- sh -c 'kill -KILL $$'
    run -142 connect2 true -- sh -c 'kill -ALRM $$' # nobody is stuck
    run -126 connect2 true -- /
    run -127 connect2 true -- ./nosuch
}

@test "connect2: a CMD1 that does not exist is named, and CMD2 runs, once" {
    run -0 --separate-stderr connect2 ./nosuch -- sh -c 'cat; echo once'
    assert_output once
    assert_equal "${#stderr_lines[@]}" 1
    [[ $stderr == *./nosuch* ]] || fail "not named: $stderr"
}

@test "connect2: it works with 0, 1 or 2 closed, and leaves no spare end open" {
    plain=$(list_to plain)
    first="$(list_to first); echo $token"
    second="$(list_to second); read -r word; echo \$word >got"
    export plain first second token
    export -f start_without
    USUAL=20 run -0 bash -c 'start_without "$@"' bash "$ANY_CLOSED" \
        'connect2 sh -c "$first" -- sh -c "$second"' first:1 second:0
    assert_output ''
}

@test "connect2: a CMD1 that writes on after CMD2 has ended gets SIGPIPE" {
    run -0 --separate-stderr connect2 sh -c 'yes; echo $? >status' -- head -n 1
    assert_output y
    assert_equal "$(<status)" 141
    assert_equal "$stderr" ''
}

@test "connect2: the first -- divides; without two commands it is refused" {
    run -0 connect2 printf '%s\n' "$token" -x -- grep -- -x
    assert_output -- -x
    for words in 'echo' 'echo --' '-- cat'; do
        # shellcheck disable=SC2086 # the words are words
        run -2 --separate-stderr connect2 $words
        assert_equal "$output" ''
        [[ $stderr == *--* ]] || fail "does not speak of --: $stderr"
    done
}

@test "connect2 --no-close: CMD2 waits for an end of file that never comes" {
    stuck connect2
    assert_output --partial dd
    # A command that does not wait for the end is not stuck.
    run -3 "${NO_ALARM[@]}" connect2 --no-close true -- sh -c 'exit 3'
    run -143 "${NO_ALARM[@]}" connect2 --no-close true -- sh -c 'kill -TERM $$'
}

@test "pipeline: each stage reads all of the one before, and is waited for" {
    run -0 --separate-stderr pipeline
    assert_output 3691
    assert_equal "$stderr" ''

    copy=(dd bs=512 status=none)
    calls pipeline echo "$token" -- "${copy[@]}" -- "${copy[@]}"
    assert_success
    assert_equal "$(<out)" "$token"
    accept_waits
    accept_log -v token="\"$token" "$INODE"'
        index($0, token) && / write\(1<pipe:/ { sent[inode()] }
        index($0, token) && / read\(0<pipe:/ { received[inode()] }
        END {
            for (pipe in received) pipes += pipe in sent
            if (pipes != 2) print pipes + 0 " pipes between 3 stages, not 2"
        }'
}

@test "pipeline: 500 stages fit into 16 descriptors" {
    USUAL=20 run -0 bash -c '
        for ((i = 1; i < 500; i++)); do stages+=(cat --); done
        ulimit -n 16
        echo "$0" | pipeline "${stages[@]}" cat' "$token"
    assert_output "$token"
}

@test "pipeline: it works with 0, 1 or 2 closed, and leaves no spare end open" {
    plain=$(list_to plain)
    first="$(list_to first); echo $token"
    second="$(list_to second); read -r word; echo \$word"
    third="$(list_to third); read -r word; echo \$word >got"
    export plain first second third token
    export -f start_without
    USUAL=20 run -0 bash -c 'start_without "$@"' bash "$ANY_CLOSED" \
        'pipeline sh -c "$first" -- sh -c "$second" -- sh -c "$third"' \
        first:1 second:0,1 third:0
    assert_output ''
}

@test "pipeline: statuses, with --pipefail and without, are bash's" {
    cat >die <<<'kill -$1 $$'
    USUAL=20 run -0 bash -c '
        while read -r stages; do
            read -ra words <<<"${stages//|/--}"
            for fail in "" pipefail; do
                bash ${fail:+-o $fail} -c "$stages" 2>/dev/null
                expected=$?
                pipeline ${fail:+--$fail} "${words[@]}" 2>/dev/null
                status=$?
                ((status == expected)) ||
                    echo "${fail:+--$fail }$stages: $status, not $expected"
            done
        done' <<-'END'
	true | false | true
	false | ./nosuch | true
	true | /
	true | ./nosuch
	yes | true
	yes | true | sh die TERM
	sh die KILL | true
	true | sh die ALRM
	false
	END
    assert_output ''
}

@test "pipeline: a stage that does not exist is named, the others run, once" {
    run -0 --separate-stderr pipeline true -- ./nosuch -- sh -c 'cat; echo once'
    assert_output once
    assert_equal "${#stderr_lines[@]}" 1
    [[ $stderr == *./nosuch* ]] || fail "not named: $stderr"
    run -2 --separate-stderr pipeline ls -- -- wc # nor is it there at all
    assert_output ''
    run -2 pipeline ls --
}

@test "pipeline --pipe-size: each pipe between its stages holds that much" {
    # 1032 is F_GETPIPE_SZ.
    out='print STDERR "stdout " . fcntl(STDOUT, 1032, 0) . "\n";'
    in='print STDERR "stdin " . fcntl(STDIN, 1032, 0) . "\n";'
    run -0 pipeline --pipe-size 262144 perl -e "$out" -- perl -e "$in $out" -- \
        perl -e "$in"
    assert_equal "$(sort <<<"$output" | uniq -c | xargs)" \
        '2 stdin 262144 2 stdout 262144'

    without_privilege pipeline
    (($(</proc/sys/fs/pipe-max-size) >= 1 << 24)) ||
        run -1 "${AS_NOBODY[@]}" pipeline --pipe-size $((1 << 24)) true -- true
}

@test "pipeline --wait-first: stuck if a stage writes more than a pipe holds" {
    stuck pipeline
    assert_output --regexp 'stage 1|seq'
    run -1 grep 'execve(.*, \["wc"' log
    # What fits into a pipe gets through.
    run -0 "${NO_ALARM[@]}" pipeline --wait-first echo "$token" -- cat
    assert_output "$token"
    run -143 "${NO_ALARM[@]}" pipeline --wait-first sh -c 'kill -TERM $$'
}

@test "capture: stdout and stderr come through two pipes" {
    run -0 --separate-stderr capture
    assert_output - <<-'END'
	Parent captured 4 bytes of stdout
	out
	Parent captured 6 bytes of stderr
	error
	END
    assert_equal "$stderr" ''

    calls capture perl -e "syswrite STDOUT, q($token);
        syswrite STDERR, q(no-$token)"
    assert_success
    accept_waits
    accept_log -v token="$token" "$INODE"'
        NR == 1 { program = $1 }
        index($0, "\"" token) && / write\(1<pipe:/ { sent[1] = inode() }
        index($0, "\"no-" token) && / write\(2<pipe:/ { sent[2] = inode() }
        $1 != program || !/ read\(/ { next }
        index($0, "\"" token) { received[1] = inode() }
        index($0, "\"no-" token) { received[2] = inode() }
        END {
            for (fd = 1; fd <= 2; fd++)
                if (!sent[fd] || received[fd] != sent[fd])
                    print "Parent does not read what the command writes to " fd
            if (sent[1] == sent[2]) print "stdout and stderr are one pipe"
        }'
}

@test "capture: the command gets no descriptor of capture's but 1 and 2" {
    plain=$(list_to plain)
    only="$(list_to only); echo $token >got; echo out && echo error >&2"
    export plain only token
    export -f start_without
    USUAL=20 run -0 bash -c 'start_without "$@"' bash \
        $'\n<&-\n>&-\n2>&-' 'capture sh -c "$only"' only:1,2
    assert_output ''
}

@test "capture: the status is the command's" {
    run -3 capture sh -c 'echo out; exit 3'
    run -137 capture sh -c 'kill -KILL $$'
    run -142 capture sh -c 'kill -ALRM $$' # nobody is stuck
}

@test "capture: a command that cannot be run is named by capture itself" {
    run -127 --separate-stderr capture "./$token"
    assert_output ''
    assert_equal "$stderr" "capture: ./$token: No such file or directory"
    run -126 --separate-stderr capture /
    assert_output ''
    assert_equal "${#stderr_lines[@]}" 1
}

@test "capture: both streams are read as the command writes, no byte is lost" {
    printf 'a\0b\0c' >nuls
    head -c 10M /dev/urandom >ten
    head -c 10M /dev/urandom >other
    run -0 bash -c 'capture cat nuls >got'
    assert_bytes nuls got
    run -0 bash -c 'capture sh -c "cat ten & cat other >&2; wait" >got'
    assert_bytes ten got
    assert_bytes other got
}

@test "capture: a stream that is closed early does not end the other" {
    seq 100000 >numbers
    run -0 bash -c 'capture sh -c "exec >&-; cat numbers >&2" >got'
    assert_bytes numbers got
    run -0 bash -c 'capture sh -c "exec 2>&-; cat numbers" >got'
    assert_bytes numbers got
}

@test "capture --wait-first: stuck if a command writes more than a pipe holds" {
    stuck capture
    assert_output --partial seq
    assert_equal "$(<out)" ''
    # What fits into a pipe gets through.
    run -0 "${NO_ALARM[@]}" capture --wait-first echo "$token"
    assert_line "$token"
    run -143 "${NO_ALARM[@]}" capture --wait-first sh -c 'kill -TERM $$'
}

@test "popen-status: a shell runs each command, at the other end of a pipe" {
    run -0 --separate-stderr popen-status
    assert_output - <<-'END'
	Parent: popen("echo hello", "r")
	Parent read: hello
	Parent: the shell exited with status 0
	Parent: popen("exit 3", "r")
	Parent: the shell exited with status 3
	Parent: popen("kill -KILL $$", "r")
	Parent: the shell was killed by signal 9 (Killed)
	Parent: popen("nosuchcommand", "r")
	Parent: the shell exited with status 127
	Parent: popen("wc -l", "w")
	2
	Parent: the shell exited with status 0
	END
    [[ $stderr == *nosuchcommand* ]] || fail "the shell is silent: $stderr"

    calls popen-status
    assert_success
    accept_waits
    accept_log "$INODE"'
        NR == 1 { program = $1 }
        / execve\(.*"-c"/ && !/ENOENT/ { shells++ }
        $1 != program && / write\(1<pipe:.*"hello\\n"/ { hello = inode() }
        $1 == program && / read\(.*<pipe:.*"hello\\n"/ { heard = inode() }
        $1 == program && / write\(.*<pipe:.*"one\\ntwo\\n"/ { lines = inode() }
        $1 != program && / read\(0<pipe:.*"one\\ntwo\\n"/ { counted = inode() }
        END {
            if (shells != 5) print shells + 0 " shells are started, not 5"
            if (!hello || heard != hello)
                print "no pipe brings what echo prints"
            if (!lines || counted != lines)
                print "no pipe brings wc its two lines"
        }'
}

@test "popen-status: what popen has opened, pclose closes" {
    make_preload "$PWD/count.so" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <stdio.h>
	#include <unistd.h>

	static int opened, closed;

	FILE *popen(const char *command, const char *type)
	{
	    FILE *(*real)(const char *, const char *) = dlsym(RTLD_NEXT, "popen");
	    opened++;
	    return real(command, type);
	}

	int pclose(FILE *stream)
	{
	    int (*real)(FILE *) = dlsym(RTLD_NEXT, "pclose");
	    closed++;
	    return real(stream);
	}

	__attribute__((destructor)) static void compare(void)
	{
	    if (opened != closed)
	        dprintf(STDERR_FILENO, "%d popen, %d pclose\n", opened, closed);
	}
	END
    run -0 --separate-stderr env LD_PRELOAD="$PWD/count.so" popen-status true
    assert_equal "$stderr" ''
}

@test "popen-status: every line is read, and the last needs no newline" {
    run -0 --separate-stderr popen-status "seq 3; printf $token"
    for line in 1 2 3 "$token"; do
        assert_line "Parent read: $line"
    done
}

@test "popen-status: stderr does not come through the pipe" {
    run -0 --separate-stderr popen-status "echo $token >&2"
    refute_output --partial read
    assert_equal "$stderr" "$token"
}

@test "popen-status: the status is the command's, if it exits or is killed" {
    run -15 popen-status 'exit 15'
    assert_output --partial 'status 15'
    run -143 popen-status 'kill -TERM $$'
    assert_output --partial 'signal 15'
    run -142 popen-status 'kill -ALRM $$'
    run -126 popen-status /
    run -127 popen-status ./nosuch
}

@test "coprocess: Child does the sums, and each side flushes each line" {
    run -0 --separate-stderr coprocess
    assert_output - <<-'END'
	Parent sends: 1 2
	Parent got: 3
	Parent sends: 40 2
	Parent got: 42
	END
    assert_equal "$stderr" ''

    calls coprocess
    assert_success
    accept_waits 1
    # On their pipes they did this, and nothing else:
    accept_log -v parent=', writes 1 2, reads 3, writes 40 2, reads 42' -v \
        child=', reads 1 2, writes 3, reads 40 2, writes 42, reads the end' '
        function compare(who, should) {
            if (did[who] != should)
                print who did[who] "; it should be: " who should
        }
        NR == 1 { program = $1 }
        match($0, / (read|write)\([0-9]+<pipe:\[[0-9]+\]>, "[^"]*"/) {
            text = substr($0, RSTART + 1, RLENGTH - 2)
            verb = text ~ /^read/ ? ", reads " : ", writes "
            sub(/.*"/, "", text)
            sub(/\\n$/, "", text)
            who = $1 == program ? "Parent" : "Child"
            did[who] = did[who] verb (text ? text : "the end")
        }
        END {
            compare("Parent", parent)
            compare("Child", child)
        }'
}

@test "coprocess: it works with 0 or 2 closed" {
    bounded coprocess >expected
    for closed in '<&-' '2>&-' '<&- 2>&-'; do
        run -0 bash -c "coprocess $closed"
        assert_output - <expected
    done
}

@test "coprocess --no-flush: Child has the sum, and does not send it" {
    stuck coprocess
    assert_output --partial buffer
    run -1 grep 'write(1<pipe:' log # only Child has a pipe there
}
