# The contract: what must hold for every program of every mechanism. A check
# is run for each of them by each_program: see contract.bash. How they end is in
# ends.bats, what they leave in leaves.bats.
# shellcheck disable=SC2086 # STRACE and some options are words, or none

setup() {
    load helper
    load contract
    TABLE=$BATS_TEST_TMPDIR/table
    ceilings >"$TABLE"
    export TABLE
}

# Each program and the code lines that it may have (tests/codelines counts
# them), in teaching order. A program that needs more makes two points.
ceilings() {
    cat <<-'END'
	pipe/
	    pipe-hello           50
	    pipe-eof             65
	    pipe-sigpipe         60
	    pipebuffer           80
	    pipe-full            60
	    pipe-atomic          80
	    pipe-duplex          65
	    pipe-barrier         60

	shell-pipeline/
	    dup2-hello           50
	    connect2             65
	    pipeline             115
	    capture              100
	    popen-status         60
	    coprocess            75

	fifo/
	    fifo-hello           50
	    fifo-nonblock        75
	    fifo-server          110

	posix-shm/
	    shm-hello            50
	    shm-sem              85
	    mmap-modes           75
	    mmap-file            60
	    shm-mutex            90
	    ringbuffer           110
	    ringbuffer-lockfree  150
	    shm-offsets          75
	    shm-config           90
	    shm-settings         115
	    shm-cache            115

	posix-sem/
	    sem-signal           55
	    sem-counter          65
	    sem-turns            65
	    sem-pool             85
	    sem-try              65

	posix-mqueue/
	    mq-hello             50
	    mq-name              70
	    mq-priority          65
	    mq-errors            80
	    mq-limits            75
	    mq-notify            90
	    mq-workers           85

	sysv/
	    sysv-shm             65
	    sysv-key             85
	    sysv-msg             85
	    sysv-sem             75
	    sysv-philosophers    75
	    sysv-snoop           90

	unix-socket/
	    sock-pair            65
	    sock-stream          70
	    sock-tcp             70
	    sock-server          115
	    sock-dgram           90
	    sock-seqpacket       75
	    fdpass               90
	    fd-server            115
	    sock-cred            90

	signals/
	    sig-hello            60
	    sig-receive          60
	    sig-table            95
	    sig-queue            75
	    sig-child            75
	    sig-eintr            75
	    sig-unsafe           80
	    sig-shutdown         95
	    sig-fd               80
	END
}

# --- its source

fits() {
    local most lines
    most=$(awk -v name="$name" '$1 == name { print $2 }' "$TABLE")
    read -r lines _ < <("$ROOT/tests/codelines" "$source")
    if [[ ! $most ]]; then
        echo "has no row in the table of tests/suite.bats"
    elif ((lines > most)); then
        echo "$lines code lines, at most $most: two points?"
    fi
}

@test "each program makes one point: it fits its number of code lines" {
    each_program fits
}

@test "half of all programs have at most 72 code lines" {
    half=$(PROGRAM='' sources | xargs -d '\n' "$ROOT/tests/codelines" |
        sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }')
    assert [ "$half" -le 72 ]
}

has_header() {
    awk -v name="$name" '
        NR == 1 && $0 != "/*" { print "line 1 is not /*: " $0 }
        NR == 2 && index($0, " * " name " - ") != 1 {
            print "line 2 does not begin with: * " name " - " }
        !end && / \*\/$/ { end = NR; next }
        !end { seen[$2] = 1 }
        end && NR == end + 1 && $0 != "#define _GNU_SOURCE" {
            print "line " NR ", after the header, is not #define _GNU_SOURCE" }
        END {
            if (end > 20) print "the header has " end " lines, at most 20"
            if (!seen["usage:"]) print "the header has no line usage:"
            if (!seen["Watch"]) print "the header has no line Watch"
            if (!seen["Read"]) print "the header has no line Read"
        }' "$source"
}

@test "each program begins with its lesson, of 20 lines at most" {
    each_program has_header
}

fits_a_projector() {
    awk 'length > 78 { print "line " NR " is wider than 78 columns" }
        /\t/ { print "line " NR " has a tab" }
        / $/ { print "line " NR " ends in a space" }' "$source"
}

@test "each program is readable on a projector: 78 columns" {
    each_program fits_a_projector
}

# The source with its line numbers, without comments and what is in quotes.
code_lines() {
    awk '
        { line = $0 }
        inside { if (!sub(/^.*\*\//, "", line)) next; inside = 0 }
        {
            gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
            if (match(line, /\/\*/)) {
                line = substr(line, 1, RSTART - 1)
                inside = 1
            }
            if (line ~ /[^ ]/) print NR ": " line
        }' "$source"
}

# Two different calls that would share one err(3): x() == -1 || y() == -1.
joined_calls() {
    sed 's/"[^"]*"/""/g' code | awk '
        { number = $1 + 0; sub(/^[0-9]+: */, ""); text = text " " $0 }
        /[;{]$/ {
            n = split(text, part, / == (-1|MAP_FAILED|SEM_FAILED)/)
            last = ""
            for (i = 1; i < n; i++) {
                # The name before the parenthesis that belongs to the last one.
                depth = 0
                for (at = length(part[i]); at > 0; at--) {
                    c = substr(part[i], at, 1)
                    if (c == ")") depth++
                    if (c == "(" && --depth == 0) break
                }
                called = substr(part[i], 1, at - 1)
                inner = substr(part[i], at)
                if (inner ~ /^\(.* = [a-z_0-9]+\(/) { # (fd = open(...))
                    sub(/^\(.* = /, "", inner)
                    sub(/\(.*/, "", inner)
                    called = inner
                }
                sub(/.*[^a-z_0-9]/, "", called)
                if (part[i] ~ /^ \|\|/ && called && last && called != last)
                    print "line " number ": " last " and " called \
                        " share one err(3)"
                last = called
            }
            text = ""
        }'
}

# What must not stand in the code: patterns and reasons.
no() { # REGULAR EXPRESSION, REASON
    patterns+=("$1")
    reasons+=("$2")
}

# Says what does, in the file code, whose lines are numbered.
found_in_code() {
    local i
    printf '%s\n' "${patterns[@]}" >patterns
    grep -qE -f patterns code || return # mostly, one look is enough
    for i in "${!patterns[@]}"; do
        grep -E "${patterns[i]}" code |
            sed "s|:.*|: ${reasons[i]}|; s|^|line |"
    done
}

keeps_the_idioms() {
    local patterns=() reasons=()
    code_lines >code
    no '^[0-9]+: *# *define [A-Za-z_0-9]+\(' 'a function-like macro'
    no '# *include "' 'a header of its own'
    no '\b(sleep|usleep|nanosleep|clock_nanosleep)\(' 'a sleep is no order'
    no '\b(0666|0777|0622|S_IWOTH)\b' 'open to everyone'
    # Nothing else tells when another process sleeps in read.
    [[ $name == sig-eintr ]] || no '"/proc/%' '/proc of a process is probed'
    no '/proc/self/exe' 'it starts itself: fork is enough'
    no 'getenv\("TMPDIR"\)' 'TMPDIR: a name is /tmp/PROGRAM.PID'
    no 'ferror\(stdout\)' 'stdout is checked at the end'
    no 'while \(wait\(' 'children are counted, not waited for until none is'
    no 'raise\(SIGSTOP\)' 'it stops itself: gate with a read'
    no '\b(gets|strcpy|strcat|sprintf)\(' 'a call that may write too far'
    no '\bgetopt\(' 'getopt: a flag is compared, options are getopt_long'
    grep -n 'clang-format off' "$source" |
        sed 's/:.*/: clang-format off/; s/^/line /'
    sed 's/"[^"]*"/""/g' code | grep -E '; [a-z_]+.*;$' |
        grep -vE '\bfor \(' |
        sed 's/:.*/: two statements on a line/; s/^/line /'
    [[ $name == popen-status ]] ||
        no '\b(system|popen)\(' 'a shell does the work'
    case $name in
    connect2 | pipeline | capture | *-server) ;;
    shm-sem | shm-settings | sig-receive) ;;
    sig-table) ;; # its children stop, and then an alarm does not end them
    *) no PR_SET_PDEATHSIG 'PR_SET_PDEATHSIG: alarm bounds a child' ;;
    esac
    found_in_code
    joined_calls
}

@test "each program writes an idiom the way that the others do" {
    each_program keeps_the_idioms
}

@test "the README of each folder has a heading for each program, in order" {
    for readme in "$ROOT"/*/README.md; do
        folder=$(dirname "$readme")
        [[ $folder =~ /(lanes|bench|homework)$ ]] && continue
        there=$(basename -s .c -a "$folder"/*.c)
        assert_equal "${folder##*/}: $(sed -n 's/^### //p' "$readme" | xargs)" \
            "${folder##*/}: $(awk '{ print $1 }' "$TABLE" |
                grep -xF "$there" | xargs)"
    done
}

# --- what it says

runs_alone() {
    try setsid -w "$name" || return
    [[ $status == 0 ]] || came "$name" 'status 0'
    [[ -s out ]] || echo "says nothing on stdout"
    [[ ! -s err || $name == popen-status ]] || # its shell complains there
        echo "says on stderr: $(head -n 3 err)"
    [[ $(echo *) == 'err out' ]] || echo "leaves files here: $(echo *)"
}

@test "each program shows its point with no argument, stdin and terminal" {
    each_program runs_alone
}

says_the_same() {
    local i
    try "$name" || return
    for i in first again; do
        timed 10 "$name" >$i 2>&1 </dev/null
    done
    script -qec "timeout --foreground 10 $name 2>&1" /dev/null </dev/null |
        tr -d '\r' >pty
    # shellcheck disable=SC2016 # the inner shell's
    timed 20 bash -c 'for i in 1 2 3 4 5 6 7 8; do
        env --default-signal "$1" >$i 2>&1 &
    done; wait' at-once "$name" </dev/null
    drop_varying first again pty 1 2 3 4 5 6 7 8
    i=$(cksum first again pty 1 2 3 4 5 6 7 8 |
        awk 'NR > 1 && $1 " " $2 != sum { print $3; exit } { sum = $1 " " $2 }')
    case $i in
    '') return ;;
    pty) echo "says something else on a terminal than in a pipe:" ;;
    again) echo "says something else the next time:" ;;
    *) echo "says something else when 8 run at once:" ;;
    esac
    diff first "$i" | head -n 5
}

@test "each program says the same every time: pipe, terminal, 8 at once" {
    requires script bsdutils
    each_program says_the_same
}

shows_its_usage() {
    local word line operands
    for word in --help --no-such-option; do
        try "$name" "$word" || return
        [[ $status == 2 ]] || came "$name $word" 'status 2'
        [[ ! -s out ]] || echo "$name $word: says on stdout: $(head -n 1 out)"
        grep -q "usage: $name" err || came "$name $word" "usage: $name ..."
    done
    # What is in the header is what is printed.
    line=$(sed -n "s/^.*\(usage: $name.*\)/\1/p" err | head -n 1)
    grep -qF -- "$line" <(sed -n '/\*\/$/q;s/^ \* \?//p' "$source") ||
        echo "the header's usage is not the one that is printed: $line"

    # A word more than there may be.
    operands=$(sed -n "/usage: $name/,/^  -/p" err |
        sed "s/.*usage: $name//; /^  -/d; s/\[--[^]]*\]//g" | tr '\n' ' ')
    case $operands in
    *...* | *…*) return ;; # a command: any number of words
    esac
    set -- one two three four five
    [[ $operands == *[A-Za-z]* ]] || set -- surprise
    try "$name" "$@" || return
    [[ $status == 2 ]] || came "$name $*" 'status 2'
    [[ ! -s out ]] || echo "$name $*: says on stdout: $(head -n 1 out)"
    grep -q "usage: $name" err || came "$name $*" "usage: $name ..."
}

@test "each program shows its usage for --help, and for what it cannot understand" {
    each_program shows_its_usage
}

# What takes a number, a line each: the options with N, and an operand that is
# refused as a number where it is none.
numbers() {
    "$name" --help 2>&1 </dev/null | sed -n "/usage: $name/,/^  -/p" |
        grep -oE -- '--[a-z-]+ N\b' | awk '!seen[$1]++ { print $1 }'
    "$name" x 2>&1 </dev/null | grep -q 'not a number from 1 to [0-9]*: x' &&
        echo ''
}

refuses_a_number() {
    [[ $status == 2 ]] &&
        grep -qz "not a number from 1 to [0-9].*usage: $name" err
}

counts() {
    local option word most
    mapfile -t options < <(numbers)
    for option in "${options[@]}"; do
        for word in x 3x '' -1 0 99999999999999999999; do
            try "$name" $option "$word" || return
            refuses_a_number ||
                came "$name $option '$word'" 'status 2, not a number, usage'
        done
        most=$(sed -n 's/.*not a number from 1 to \([0-9]*\):.*/\1/p' err)
        [[ $most ]] || continue
        try "$name" $option $((most + 1)) || return
        [[ $status == 2 ]] || came "$name $option $((most + 1))" 'status 2'
        # The largest ends by itself, however busy the machine is, so without
        # the program's alarm. Above a limit it may be the wrong version.
        USUAL=60 try env LD_PRELOAD="$NO_ALARM" "$name" $option "$most" || return
        [[ $status == [01] ]] || came "$name $option $most" 'an end'
    done
}

@test "each number is refused if it is none, and the largest one ends" {
    export NO_ALARM=$BATS_TEST_TMPDIR/no-alarm.so
    make_preload "$NO_ALARM" <<<'unsigned alarm(unsigned s) { return s * 0; }'
    each_program counts
}

# --- what the kernel saw

waits_for_all() {
    observe || return
    awk '
        { call = $0; sub(/^[0-9]+ +/, "", call) }
        NR == 1 { main = $1 }
        $1 != main { next }
        call ~ /^(fork|vfork|clone3?)\(/ { thread = call ~ /CLONE_THREAD/ }
        call ~ /^(<\.\.\. )?(fork|vfork|clone3?)[ (].* = [0-9]+$/ && !thread {
            born[$NF] = ++n
        }
        call ~ /WIFSTOPPED|WIFCONTINUED/ { next }
        call ~ /^(<\.\.\. )?wait4[ (].* = [0-9]+$/ { delete born[$NF] }
        match(call, /si_pid=[0-9]+/) && call ~ /waitid/ {
            delete born[substr(call, RSTART + 7, RLENGTH - 7)]
        }
        END {
            for (pid in born)
                print "child " born[pid] " of " n " is never waited for"
        }' log
}

@test "each program waits for every child that it has started" {
    requires strace
    each_program waits_for_all
}

# The names that a run makes, in its log: what other copies, other users and
# make clean-ipc meet.
names_hold_the_pid() {
    observe || return
    awk -v name="$name" '
        { pids[$1] = 1 }
        / = -1 / { next }
        / (mknodat|mknod|bind|mq_open|openat|open)\(/ && match($0, /"[^"]*"/) {
            path = substr($0, RSTART + 1, RLENGTH - 2)
            if (/ open(at)?\(/ && !/O_CREAT/) next
            if (/ bind\(/ && (!/AF_UNIX/ || /sun_path=@/)) next
            made[path] = $0
        }
        / link(at)?\(/ && / = 0/ { # sem_open makes another name first
            split($0, part, "\"")
            delete made[part[2]]
            made[part[4]] = $0
        }
        / (shmget|semget|msgget)\(/ && /IPC_CREAT|IPC_PRIVATE/ {
            keys[substr($0, index($0, "(") + 1)] = $0
        }
        / (mknod|mknodat|mq_open|open|openat|shmget|semget|msgget)\(/ &&
            /O_CREAT|IPC_|S_IF/ && /[ |]0[0-7]?[0-7]?[2367][),]/ {
            print "open to everyone: " $0
        }
        END {
            for (path in made) {
                base = path
                sub(/.*\//, "", base)
                sub(/^sem\./, "", base)
                sub(/\.[a-z]+$/, "", base) # of two names of one run
                pid = base
                sub(/.*[^0-9]/, "", pid)
                if (base !~ "^" name "[a-z-]*\\.[0-9]+$" || !(pid in pids))
                    print "not " name ".PID: " path
            }
            for (key in keys) {
                if (key ~ /^IPC_PRIVATE/) {
                    if (keys[key] !~ /shmget/)
                        print "a key of its own, please: " keys[key]
                } else if (key !~ /^0x1bc5|^0x[0-9a-f]+, 7109/)
                    print "not 0x1bc50000 | PID: " keys[key]
            }
        }' log
}

@test "each program gives what it makes a name with its own pid, for its user" {
    requires strace
    each_program names_hold_the_pid
}

# The mechanism's own call in a log, and which of that name it is in its
# process; a program that shares memory or signals may have only its fork, its
# mapping of a file, its handler.
own_call() {
    local calls fork='(fork|vfork|clone3?)\('
    case $folder in
    pipe | shell-pipeline) calls='pipe2?\(' ;;
    fifo) calls='mknod(at)?\(' ;;
    posix-shm) calls="open(at)?\\(.*/dev/shm/ $fork mmap\\(.*,.[0-9]+,.0\\)" ;;
    posix-sem) calls="open(at)?\\(.*/dev/shm/ $fork" ;;
    posix-mqueue) calls='mq_open\(' ;;
    sysv) calls='(shm|sem|msg)get\(' ;;
    unix-socket) calls='socket(pair)?\(' ;;
    signals) calls="$fork rt_sigaction\\(" ;;
    esac
    for calls in $calls; do
        awk -v calls="^$calls" '
            { call = $0; sub(/^[0-9]+ +/, "", call) }
            call ~ /^</ { next }
            { word = call; sub(/\(.*/, "", word); n[$1 " " word]++ }
            word ~ /^open/ { loads = call ~ /"[^"]*\.so[."]/ } # the loader
            call ~ calls && !(word == "mmap" && loads) {
                print word, n[$1 " " word]
                found = 1
                exit
            }
            END { exit !found }' log && return
    done
}

fails_by_name() {
    [[ $status != 0 ]] && head -n 1 err | grep -q "^$name: "
}

fails_with_its_call() {
    local call nth error
    observe || return
    read -r call nth < <(own_call)
    case $call in
    '')
        echo "never makes the call that it is about"
        return
        ;;
    mknod* | shmget | semget | msgget) error=ENOSPC ;;
    *fork | clone*) error=EAGAIN ;;
    mmap) error=ENOMEM ;;
    rt_sigaction) error=EINVAL ;;
    *) error=EMFILE ;;
    esac
    try $STRACE -o /dev/null -e trace="$call" \
        -e "inject=$call:error=$error:when=$nth" "$name" || return
    fails_by_name ||
        came "$name, and its $call fails with $error" "a failure, $name: ..."
    [[ $call != *fork && $call != clone* ]] || return 0
    grep -qE ' (fork|vfork|clone3?)\(' log || return 0
    try $STRACE -o /dev/null -e trace='?fork,?vfork,clone,?clone3' \
        -e 'inject=?fork,?vfork,clone,?clone3:error=EAGAIN' "$name" || return
    fails_by_name ||
        came "$name, and its fork fails" "a failure, $name: ..."
}

@test "each program fails, and says why, when its mechanism's call fails" {
    requires strace
    each_program fails_with_its_call
}

# What strace cannot make fail: a semaphore needs no system call, and an mmap
# that fails may be the loader's.
fails_in_libc() {
    local call code
    code=$(<"$source")
    code=${code#*\*/} # its header names calls, too
    for call in mmap sem_init sem_wait sem_post; do
        [[ $code == *[!a-z_]"$call("* ]] || continue
        USUAL=12 try env LD_PRELOAD="$FAILING" FAILS="$call" "$name" || return
        # Two processes' words may come mixed.
        [[ $status != 0 ]] && grep -q "^$name: .*$call" err && continue
        came "$name, and its $call fails" "a failure, $name: $call: ..."
    done
}

@test "each program says which call of a semaphore fails, or that mmap does" {
    export FAILING=$BATS_TEST_TMPDIR/failing.so
    make_preload "$FAILING" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <errno.h>
	#include <semaphore.h>
	#include <stdlib.h>
	#include <string.h>
	#include <sys/mman.h>

	static int fails(const char *call)
	{
	    const char *which = getenv("FAILS");

	    errno = EINVAL;
	    return which && strcmp(which, call) == 0;
	}

	void *mmap(void *to, size_t size, int prot, int flags, int fd, off_t from)
	{
	    void *(*next)(void *, size_t, int, int, int, off_t);

	    next = dlsym(RTLD_NEXT, "mmap");
	    return fails("mmap") ? MAP_FAILED
	                         : next(to, size, prot, flags, fd, from);
	}

	int sem_init(sem_t *sem, int shared, unsigned value)
	{
	    int (*next)(sem_t *, int, unsigned) = dlsym(RTLD_NEXT, "sem_init");

	    return fails("sem_init") ? -1 : next(sem, shared, value);
	}

	int sem_wait(sem_t *sem)
	{
	    int (*next)(sem_t *) = dlsym(RTLD_NEXT, "sem_wait");

	    return fails("sem_wait") ? -1 : next(sem);
	}

	int sem_post(sem_t *sem)
	{
	    int (*next)(sem_t *) = dlsym(RTLD_NEXT, "sem_post");

	    return fails("sem_post") ? -1 : next(sem);
	}

	unsigned alarm(unsigned seconds) /* what the others wait for */
	{
	    unsigned (*next)(unsigned) = dlsym(RTLD_NEXT, "alarm");

	    return next(seconds > 0);
	}
	END
    each_program fails_in_libc 100 # some wait for their alarm
}

starves() {
    local n
    for n in 4 5 6; do
        try bash -c "ulimit -n $n; exec $name" || return
        [[ $status == 0 ]] || grep -q "^$name: " err ||
            came "ulimit -n $n; $name" "$name: which call"
    done
}

@test "each program names the call that finds no descriptor" {
    each_program starves
}
