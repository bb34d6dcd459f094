# What helper.bash promises to the other files: here are tests that must fail,
# and what they must say to a student.

setup_file() {
    # A suite of its own: three programs work, one sleeps, one is not there.
    suite=$BATS_FILE_TMPDIR/suite
    mkdir -p "$suite/tests" "$suite/pipe" "$suite/sysv" "$suite/bin"
    cp "$BATS_TEST_DIRNAME/helper.bash" "$suite/tests"
    touch "$suite/pipe/pipe-"{eof,full,hello,sigpipe}.c "$suite/sysv/sysv-shm.c"
    printf '#!/bin/sh\necho hello\n' >"$suite/bin/pipe-hello"
    cp "$suite/bin/pipe-hello" "$suite/bin/pipe-sigpipe"
    cp "$suite/bin/pipe-hello" "$suite/bin/sysv-shm"
    printf '#!/bin/sh\necho before\nexec sleep 60\n' >"$suite/bin/pipe-eof"
    chmod +x "$suite/bin/"*
    # bats would take a line with its own word for one of this file.
    sed 's/^test /@test /' >"$suite/tests/all.bats" <<-'END'
	setup() {
	    load helper
	}
	test "pipe-hello: all is well" {
	    run -0 pipe-hello
	    assert_output hello
	}
	test "pipe-hello: a process" {
	    sleep 60 3>&- &
	    wait_until grep -q sleep "/proc/$!/comm"
	}
	test "pipe-hello: a file" {
	    touch "$TMPDIR/forgotten"
	}
	test "pipe-sigpipe: an object" {
	    true & # a pid that is no more
	    wait $!
	    touch "/dev/shm/pipe-sigpipe.$!"
	}
	test "sysv-shm: a segment" {
	    ipcmk -M 7109
	}
	test "pipe-hello: a status" {
	    run -3 pipe-hello
	}
	test "pipe-eof: a hang" {
	    run -0 pipe-eof
	}
	test "pipe-eof: a wait" {
	    pipe-eof 3>&- &
	    assert_ends 0 $!
	}
	test "pipe-full: absence" {
	    true
	}
	test "pipe-hello: absence behind strace and bash" {
	    run -1 strace -o log bash -c 'exec pipe-full'
	}
	END
    ! parallel --version 2>/dev/null | grep -q GNU || jobs='--jobs 10'
    # shellcheck disable=SC2086 # words, or none
    env -u BIN -u PROGRAM LIMIT=2 bats ${jobs-} "$suite/tests/all.bats" \
        >"$BATS_FILE_TMPDIR/said" 2>&1 3>&- || true
}

setup() {
    load helper
}

# What the test that is named so has said.
said() { # NAME
    run -0 awk -v name="$1" '
        /^(not )?ok / { here = index($0, name); if (here) print $1; next }
        here' "$BATS_FILE_TMPDIR/said"
}

@test "helper: a test that passes passes" {
    said 'pipe-hello: all is well'
    assert_output ok
}

@test "helper: a process that is left fails the test, and is named" {
    said 'pipe-hello: a process'
    assert_line not
    assert_line --regexp '^# pipe-hello: still running:$'
    assert_line --regexp '^# +[0-9]+ sleep 60$'
}

@test "helper: so does a file, an object, a segment" {
    said 'pipe-hello: a file'
    assert_line not
    assert_line --regexp '^# pipe-hello: left behind: .*/tmp/forgotten$'
    said 'pipe-sigpipe: an object'
    assert_line not
    assert_line --regexp '^# .*left behind: /dev/shm/pipe-sigpipe\.[0-9]+$'
    said 'sysv-shm: a segment'
    assert_line not
    assert_line --regexp '^# .*left behind: segment [0-9]+$'
    run ! compgen -G '/dev/shm/pipe-sigpipe.*'
}

@test "helper: another status is said in words" {
    said 'pipe-hello: a status'
    assert_line not
    assert_line '# -- pipe-hello: status 0, not 3 --'
    assert_line --regexp '^# output *: hello$'
}

@test "helper: a hang ends the test, with what came before" {
    said 'pipe-eof: a hang'
    assert_line not
    assert_line --regexp '^# .*pipe-eof.*hung'
    assert_line --partial before
    said 'pipe-eof: a wait'
    assert_line not
    assert_line --regexp '^# pipe-eof [0-9]+ did not end within 2 seconds:$'
}

@test "helper: nothing passes because a program is not there" {
    for name in 'pipe-full: absence' 'pipe-hello: absence behind'; do
        said "$name"
        assert_line not
        assert_line --regexp \
            "^# (command *: )?.*there is no pipe-full in $BATS_FILE_TMPDIR/"
    done
}
