# Tests of the grader itself, run by make grade-tests. Those of the graded tests
# are right/ and wrong/, see grade/test.

bats_require_minimum_version 1.5.0

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    export GRADE=$BATS_TEST_DIRNAME
    ROOT=$(cd "$GRADE/../.." && pwd)
    cd "$BATS_TEST_TMPDIR"
    PATH=${PATH#*/bats-core:} # or bats itself is not found
}

# A submission of connect2, in a folder.
submit() { # FOLDER FILE.c
    mkdir -p "$1"
    cp "$2" "$1/connect2.c"
}

reference() {
    submit "$1" "$ROOT/shell-pipeline/connect2.c"
}

# Two quick tests, for what is not about the tests.
QUICK=$BATS_TEST_DIRNAME/hostile/connect2.bats

points() { # REPORT.json
    jq -r '"\(.points)/\(.max)"' "$1"
}

@test "hostile programs have no point, do no harm, and a neighbour has all" {
    local path
    for path in "$GRADE"/hostile/*.c; do
        submit "class/$(basename "$path" .c)" "$path"
    done
    reference class/neighbour
    mkdir class/nothing class/folder class/fifo class/link class/large
    mkdir class/folder/connect2.c
    mkfifo class/fifo/connect2.c
    ln -s "$ROOT/shell-pipeline/connect2.c" class/link/connect2.c
    { cat "$ROOT/shell-pipeline/connect2.c" && seq 100000; } >class/large/connect2.c
    run "$GRADE/class" -o out class "$QUICK"
    assert_success
    run jq -r 'select(.points > 0) | "\(.student) \(.points)/\(.max)"' out/*/report.json
    assert_output 'neighbour 3/3'
    # All reports can be shown on a terminal, and be read by a machine.
    run grep -lP '[^[:print:]\n\t]' out/*/report.txt
    assert_output ''
    xmllint --noout out/junit.xml out/*/junit.xml
    run grep -rl root:x out
    assert_output ''
}

@test "the reasons name what was handed in instead of a file" {
    mkdir -p folder/connect2.c
    run "$GRADE/one" folder connect2
    assert_line --partial 'connect2.c is not a regular file'
    mkdir nothing
    run "$GRADE/one" nothing connect2
    assert_line --partial 'there is no connect2.c'
    mkdir bad
    echo 'int main(void) { return nothing; }' >bad/connect2.c
    run "$GRADE/one" bad connect2
    assert_line --regexp "connect2.c:1:.*error: .*nothing"
    assert_line 'bad: 0/20'
}

@test "two texts that look the same are told apart" {
    run bash -c '. "$GRADE/verdicts.bash"; output="a "; says a'
    assert_failure
    assert_line '| These are 2 and 1 bytes; they differ at or after byte 1.'
}

@test "all formats say the same points, and why" {
    submit ada "$GRADE/../connect2/wrong/parent-keeps-write-end.c"
    run "$GRADE/one" -o out ada connect2
    assert_success
    assert_line 'ada: 18/20'
    cd out
    run points report.json
    assert_output 18/20
    run jq -r '"\(.score) \([.tests[].score] | add) \([.tests[].max_score] | add)"' gradescope.json
    assert_output '18 18 20'
    run jq -r '"\(.score) \([.tests[].points] | add) \(.tests | length)"' prairielearn.json
    assert_output '0.9 18 15'
    run bash -c 'base64 -d classroom.base64 |
        jq -r "\"\(.max_score) \([.tests[].score] | add) \(.status)\""'
    assert_output '20 18 fail'
    run cat classroom.txt
    assert_output - <<-'END'
	::notice title=Autograding complete::Points 18/20
	::notice title=Autograding report::{"totalPoints":18,"maxPoints":20}
	END
    run tail -n 1 autolab.txt
    assert_output '{"scores":{"connect2":18}}'
    run xmllint --xpath 'string(//testcase[failure]/@name)' junit.xml
    assert_output 'connect2: CMD2 sees the end of file [2]'
    run xmllint --xpath 'string(//testsuite/@tests)' junit.xml
    assert_output 15
    grep -q 'hint: close both ends' report.csv
}

# A report at its worst: 240 tests, all four statuses, long reasons, characters
# that mean something to XML, JSON or a shell.
worst_report() {
    jq -n '{ student: "O\"Neil <&> \u0001\u00e9", assignments: [range(10) | {
            name: "a\(.)", tests: [range(24) | {
                name: "a: <\(.)> & \"co\"", max: 2, ms: 1234, hidden: (. == 3),
                status: ["passed", "failed", "skipped", "not run"][. % 4],
                points: (if . % 4 == 0 then 2 else 0 end),
                reason: (if . % 4 == 0 then "" else
                    "it <hung> & \u0001\n" + "  \"so\" \\ did it\n" * 99 end) }] }] }
        | .assignments[] |= . + { points: 12, max: 48 }
        | . + { points: 120, max: 480 }'
}

@test "each format is what its reader asks for" {
    local size
    worst_report >worst.json
    mkdir out
    "$GRADE/report/write" worst.json out
    cd out
    # Ant's and Jenkins's schemas: what is required, and in which order.
    xmllint --noout junit.xml
    run xmllint --xpath 'count(//testsuite[@name and @id and @package and
        @hostname and @timestamp and @time and @skipped and @errors = 6 and
        @failures = 6 and @tests = 24 and *[1][self::properties] and
        *[26][self::system-out] and *[27][self::system-err] and
        count(testcase[@name and @classname and @time="1.234"]) = 24 and
        count(testcase/failure[@type and @message]) = 6 and
        count(testcase/error[@type]) = 6 and
        count(testcase/skipped) = 6])' junit.xml
    assert_output 10
    # gradescope-autograders.readthedocs.io, "Autograder Specifications"
    jq -e '(.score | type == "number") and .stdout_visibility == "hidden" and
        (.tests | length == 240 and all((.score | type == "number") and
            (.max_score | type == "number") and (.name | type == "string") and
            (.status | . == "passed" or . == "failed") and
            .output_format == "text" and (.output | type == "string") and
            (.visibility | . == "visible" or . == "after_due_date")))
        ' gradescope.json
    # PrairieLearn, "External grading": from 0 to 1, and less than 1 MB
    jq -e '.gradable == true and .score == 0.25 and
        (.message | type == "string") and
        (.tests | length == 240 and all((.points | type == "number") and
            (.max_points | type == "number") and (.name | type == "string") and
            (.message | type == "string"))) and
        .tests[3].message == ""' prairielearn.json
    (($(stat -c %s prairielearn.json) < 1000000))
    # Classroom's reporter reads a variable, and a variable holds 128 KiB.
    size=$(stat -c %s classroom.base64)
    ((size < 131072 - 20))
    base64 -d classroom.base64 | jq -e '
        .max_score == 480 and .status == "fail" and
        (.tests | length == 240 and all((.score | type == "number") and
            (.name | type == "string") and (.message | type == "string") and
            (.status | . == "pass" or . == "fail"))) and .tests[3].message == ""'
    # Autolab's documentation, "Guide for Lab Authors"
    tail -n 1 autolab.txt | jq -e '.scores | length == 10 and all(.[]; . == 12)'
    run grep -c '^FAIL 0/2  a: <3>' autolab.txt
    assert_output 10
    run grep -A 1 '^FAIL 0/2  a: <3>' autolab.txt
    refute_output --partial hung
}

@test "a class: any name, late work is graded alone, shards are parts" {
    local name names=('Ada L.' '=1+1' 'O"Neil, <&>' d e f)
    for name in "${names[@]}"; do
        reference "class/$name"
    done
    run "$GRADE/class" -o out class "$QUICK"
    assert_success
    assert_line --partial '6 students, 6 graded now'
    run grep -c ',3,3,3$' out/grades.csv
    assert_output 6
    run grep -F "\"'=1+1\"" out/grades.csv
    assert_success
    touch class/d/connect2.c
    run "$GRADE/class" -o out class "$QUICK"
    assert_line --partial '6 students, 1 graded now'
    rm out/e/report.json # as if it had been stopped there
    run "$GRADE/class" -o out class "$QUICK"
    assert_line --partial '6 students, 1 graded now'
    for name in 1/3 2/3 3/3; do
        "$GRADE/class" -s "$name" -o "shard.${name%/3}" class "$QUICK" || true
    done
    run bash -c 'ls -d shard.*/*/ | xargs -d "\n" -n 1 basename | sort'
    assert_output "$(printf '%s\n' "${names[@]}" | sort)"
}

@test "a grading that is stopped or killed goes on later, and leaves nothing" {
    local name signal
    export TMPDIR=$PWD/tmp
    mkdir tmp
    chmod a+x "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BATS_TEST_TMPDIR"
    for name in a b c; do
        reference "class/$name"
    done
    for signal in TERM KILL; do
        "$GRADE/class" -j1 -o "$signal" class "$QUICK" 3>&- &
        wait_until test -e "$signal/a/report.json"
        kill "-$signal" $!
        wait $! || true
        # Its processes have the lock, and end with it.
        wait_until without_locks
        [[ $signal == KILL ]] || wait_until is_empty tmp
        run "$GRADE/class" -o "$signal" class "$QUICK"
        assert_line --regexp '^3 students, [12] graded now'
        run ls tmp
        assert_output ''
    done
}

is_empty() { # FOLDER
    [[ ! $(ls -A "$1") ]]
}

without_locks() {
    local lock
    for lock in tmp/*/lock; do
        [[ ! -e $lock ]] || flock -n "$lock" true || return
    done
}

wait_until() { # COMMAND...
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        ! "$@" || return 0
        sleep 0.1
    done
    fail "waited 60 s for: $*"
}

@test "hidden tests are added, and shown after the due date" {
    mkdir hidden
    sed 's/the status is/hidden: &/; s/reads what/hidden: &/' "$QUICK" >hidden/connect2.bats
    reference ada
    run "$GRADE/one" -o out ada connect2 hidden/connect2.bats
    assert_line 'ada: 23/23'
    run jq -c '[.tests[].visibility] | group_by(.) | map([.[0], length])' out/gradescope.json
    assert_output '[["after_due_date",2],["visible",15]]'
}

@test "what has not run, or was skipped, has no point" {
    mkdir tests
    reference ada
    sed 's/^%/@/' >tests/connect2.bats <<-'END'
	setup() {
	    load "$GRADE/scenes"
	}

	%test "connect2: it runs [1]" {
	    demo connect2 true -- true
	    ends
	}

	%test "connect2: it is skipped [1]" {
	    skip 'no time'
	}

	%test "connect2: it ends bats [1]" {
	    kill -KILL 0
	}

	%test "connect2: it comes too late [1]" {
	    true
	}
	END
    run "$GRADE/one" ada tests/connect2.bats
    assert_line 'ada: 1/4'
    assert_line --partial 'skipped: no time'
    assert_line --partial 'not run'
    sed -i '1i setup_file() { false; }' tests/connect2.bats
    run "$GRADE/one" ada tests/connect2.bats
    assert_line 'ada: 0/4'
    sed -i 's/ \[1\]//' tests/connect2.bats
    run -2 "$GRADE/one" ada tests/connect2.bats
    assert_output --partial 'a test without points'
}

@test "the same submission has the same points, whoever starts the grader" {
    submit ada "$GRADE/../connect2/wrong/cmd1-keeps-read-end.c"
    "$GRADE/one" -o out ada connect2 >/dev/null
    jq '.assignments[].tests[].points' out/report.json >first
    # SIGCHLD ignored, descriptors closed, another folder, a fuller environment.
    mkdir elsewhere && cd elsewhere
    run env --ignore-signal=CHLD,PIPE BASH_ENV=/nosuch CDPATH=/ GREP_OPTIONS=-v \
        bash -c '"$GRADE/one" -o ../again ../ada connect2 <&-'
    assert_line 'ada: 17/20'
    cmp ../first <(jq '.assignments[].tests[].points' ../again/report.json)
}

@test "where there can be no box it refuses, and says which command helps" {
    reference ada
    mkdir bin
    printf '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n' \
        >bin/bwrap
    chmod 755 bin/bwrap
    chmod a+x "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BATS_TEST_TMPDIR"
    # The grader looks for bwrap in its own PATH.
    sed "s,^ENVIRONMENT=(PATH=,&$PWD/bin:," "$GRADE/walls.bash" >walls.bash
    cp -r "$GRADE" grade
    cp walls.bash grade
    mkdir connect2
    cp "$GRADE/../connect2/connect2.bats" connect2
    run -2 grade/one ada connect2
    assert_output --partial 'no program can be boxed in here: bwrap: No permissions'
    assert_output --regexp 'sudo sysctl -w|--security-opt'
}

@test "without namespaces root grades as a user of its own, and sweeps" {
    ((EUID == 0)) || skip 'not root'
    export BOX=uid GRADE_UID=$((61000 + RANDOM % 1000))
    reference ada
    run "$GRADE/one" ada connect2
    assert_line 'ada: 20/20'
    local name
    for name in daemon ipc-flood fill-files kill-all forges-notes; do
        submit "$name" "$GRADE/hostile/$name.c"
        run "$GRADE/one" "$name" "$QUICK"
        assert_line "$name: 0/3"
    done
    run ps -o pid= -u "$GRADE_UID"
    assert_output ''
    run find /tmp /dev/shm -maxdepth 1 -user "$GRADE_UID"
    assert_output ''
    run awk -v uid="$GRADE_UID" '$0 ~ "[[:space:]]" uid "([[:space:]]|$)"' \
        /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg
    assert_output ''
}

@test "a kit stands alone, and has no solution in it" {
    "$GRADE/kit" kit
    run find kit -path '*right*' -o -path '*wrong*' -o -path '*hostile*'
    assert_output ''
    run grep -rlE 'execvp\(|sem_post\(' kit --include='*.c' --exclude-dir=grade
    assert_output ''
    run grep -rnE '\]\((\.\./)*\.\./\.\./' kit --include='README.md'
    assert_output ''
    cp -r kit "kit of a student"
    cd "kit of a student"
    make -s
    run make -s check P=connect2
    assert_failure
    assert_line 'total: 0/20'
    # A hang is explained by lanes, which is built for it.
    cp "$GRADE/../connect2/wrong/parent-keeps-write-end.c" connect2/connect2.c
    run make -s check P=connect2
    assert_line --regexp ' is in waitpid\(.* at connect2.c:[0-9]+, until wc'
    cp "$ROOT/shell-pipeline/connect2.c" connect2
    run make -s check P=connect2
    assert_success
    assert_line 'total: 20/20'
}
