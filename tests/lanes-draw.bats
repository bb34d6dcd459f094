# lanes -o FILE.svg|.html: the picture, from recorded logs and without ptrace.
# After a change that is meant, look at the new picture, and keep it:
#   lanes -r tests/lanes/RUN.log [-c FOLDER/RUN.captions] -o OLD.svg

setup() {
    load helper
    LIMIT=${LIMIT:-20} # several runs stand in one
    [[ -x $BIN/lanes ]] || skip "there is no lanes in $BIN"
    cd "$BATS_TEST_TMPDIR"
    LOGS=$ROOT/tests/lanes
    export LOGS
}

# A log of one process that makes one call.
one_call() {
    printf '%s\n' '7 0.1 execve("/bin/demo", ["demo"], 0x7 /* 1 var */) = 0' \
        "7 0.2 $1" '7 0.3 +++ exited with 0 +++' >log
}

@test "lanes -o x.svg: connect2's picture is that in the README" {
    run -0 lanes -r "$LOGS/connect2.log" \
        -c "$ROOT/shell-pipeline/connect2.captions" -o now.svg
    assert_output ''
    diff -u "$ROOT/lanes/connect2.svg" now.svg
}

@test "lanes -o x.svg: a stuck run ends with its verdict" {
    run -124 lanes -r "$LOGS/connect2--no-close.log" -o now.svg
    diff -u "$LOGS/connect2--no-close.svg" now.svg
    run -0 grep -c '<text .*1 write end is open:  A connect2 fd 4</text>' now.svg
}

@test "lanes -o x.svg: a log in an older strace's spelling" {
    run -7 lanes -r "$LOGS/older.log" -o now.svg
    diff -u "$LOGS/older.svg" now.svg
}

needs_network() {
    awk '
        { sub(/xmlns="http:\/\/www.w3.org\/2000\/svg"/, "") }
        /https?:|\/\/|<img|<link|@import|url\(|src=|href/ {
            print FILENAME ": " $0
        }' "$@"
}

@test "lanes -o x.svg, x.html: each recorded run is well-formed, and needs no network" {
    requires xmlwf expat
    export -f needs_network
    LIMIT=60 run -0 bash -c '
        for log in "$LOGS"/*.log; do
            lanes -r "$log" -o "${log##*/}.svg" || true
            lanes -r "$log" -o "${log##*/}.html" || true
        done
        xmlwf ./*.svg ./*.html || echo "not well-formed"
        needs_network ./*.svg ./*.html'
    assert_output ''
}

# x, y and length of each text and line of a row; what lies over what?
strikes() {
    awk '
        FNR == 1 { lanes = 0; file = FILENAME }
        function value(name) {
            return match($0, " " name "=\"[^\"]*\"") ? \
                substr($0, RSTART + length(name) + 3, \
                    RLENGTH - length(name) - 4) : ""
        }
        /<path class="(runs|waits) / {
            split(value("d"), d, /[ML ]/)
            lane[++lanes] = d[2] + 0; top[lanes] = d[3] + 0; foot[lanes] = d[5] + 0
        }
        /<g class="row"/ { arrows = 0 }
        /<path class="(data|dashed) / {
            split(value("d"), d, /[ML ]/)
            from[++arrows] = d[2] < d[4] ? d[2] + 0 : d[4] + 0
            to[arrows] = d[2] < d[4] ? d[4] + 0 : d[2] + 0
            at[arrows] = d[3] + 0
        }
        /<text class="(label|error|folded|number|words)"/ {
            text = $0
            sub(/<title>.*<\/title>/, "", text)
            gsub(/<[^>]*>/, "", text)
            gsub(/&[a-z]*;|…|└/, "x", text)
            x = value("x") + 0; y = value("y") - 5; w = length(text) * 9.64
            if (value("class") == "number")
                x -= w
            for (i = 1; i <= arrows; i++)
                if (y - at[i] < 11 && at[i] - y < 11 && \
                    x < to[i] && x + w > from[i])
                    print file ": an arrow strikes through: " text
            for (i = 1; i <= lanes && value("class") != "words"; i++)
                if (lane[i] > x && lane[i] < x + w && top[i] < y && foot[i] > y)
                    print file ": a lane strikes through: " text
            if (x + w > width)
                print file ": beyond the edge: " text
        }
        /<svg id="picture"/ { width = value("width") + 0 }' "$@"
}

@test "lanes -o x.svg: no arrow strikes through words, no words leave the page" {
    export -f strikes
    LIMIT=60 run -0 bash -c '
        for log in "$LOGS"/*.log; do
            for n in 2 4 32; do
                lanes -n $n -r "$log" -o "${log##*/}-$n.svg" || true
            done
        done
        strikes ./*.svg | head'
    assert_output ''
}

@test "lanes -o x.svg: text is escaped, and what is cut is whole in a title" {
    requires xmlwf expat
    long=$(printf '<&>%.0s' {1..20})
    one_call "openat(AT_FDCWD</tmp>, \"/tmp/$long\", O_RDONLY) = -1 ENOENT (No such file or directory)"
    run -0 lanes -a -n 1 -r log -o now.svg
    run -0 xmlwf now.svg
    run -0 sed -nE 's,.* class="error".*<title>(.*)</title>.*,\1,p' now.svg
    assert_output --partial "$(sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' <<<"$long")"
    assert_output --partial ENOENT
    run -0 grep -c '<text class="error".*</title>.*…' now.svg
}

@test "lanes -o x.svg: bytes that are no text do no harm" {
    requires xmlwf expat
    one_call "$(printf 'unlink("/tmp/\xff\x01\xc3(\xed\xa0\x80") = 0')"
    printf 'unlink\t\xe2\x82\xac caption, \xff\n' >captions
    run -0 lanes -a -c captions -r log -o now.svg
    run -0 xmlwf now.svg
    run -0 grep -c '€ caption, ?' now.svg
}

@test "lanes -o x.svg: solid is data, dashed is all else, red is an error" {
    run -0 lanes -r "$LOGS/pipe-sigpipe.log" -o now.svg
    run -0 bash -c 'grep -A 9 "class=\"dashed" now.svg | grep -c "last reader gone"'
    assert_output 2
    run -0 grep -c 'class="error".*EPIPE' now.svg
    assert_output 2
    run -0 lanes -r "$LOGS/pipe-eof.log" -o now.svg
    run -0 bash -c 'grep -A 3 "class=\"data" now.svg | grep -c "5 bytes"'
    assert_output 1
    run -0 bash -c 'grep -A 3 "class=\"dashed" now.svg |
        grep -oE ">(fork|last writer gone|exit 0)" | sort | uniq -c'
    assert_line --regexp '1 >fork'
    assert_line --regexp '2 >last writer gone'
}

@test "lanes -o x.html: the keyboard reveals rows, and a line says how" {
    run -0 lanes -r "$LOGS/connect2.log" -o now.html
    run -0 cat now.html
    for key in ArrowDown ArrowUp ArrowRight ArrowLeft PageDown PageUp Home End; do
        assert_output --regexp "<script>.*$key:.*</script>"
    done
    assert_output --partial onkeydown
    assert_output --regexp '<footer>.*next.*back.*Home.*End.*notes.*</footer>'
    # What the script looks for is there.
    for id in picture band place; do
        assert_output --partial "id=\"$id\""
    done
    assert_equal "$(grep -c 'class="row"' now.html)" \
        "$(grep -c 'class="number"' now.html)"
    assert_output --regexp 'data-who="A connect2\|B echo\|C wc"'
}

@test "lanes -o: the same log, the same bytes, and no date" {
    run -0 bash -c '
        for name in one.svg one.html two.svg two.html; do
            TZ=Asia/Tokyo LC_ALL=C lanes -r "$LOGS/connect2.log" -o $name
        done
        cmp one.svg two.svg; cmp one.html two.html
        grep -E "20[0-9][0-9]-|[0-9]:[0-9][0-9]:" one.svg one.html || true'
    assert_output ''
}

@test "lanes -o: status and output are the program's, a wrong name is refused" {
    requires strace
    run -3 --separate-stderr lanes -o now.html sh -c 'echo out; echo err >&2; exit 3'
    assert_output out
    assert_equal "$stderr" err
    run -0 grep -c '</html>' now.html
    run -2 lanes -r "$LOGS/connect2.log" -o now.png
    assert_output --partial now.png
    run -1 lanes -r "$LOGS/connect2.log" -o none/now.svg
    assert_output --partial none/now.svg
}

# misplaced NAME PICTURE CAPTIONS: each is drawn once, and fits 80 columns.
misplaced() {
    awk -F '\t' -v name="$1" '
        NR == FNR { sub(/^ */, ""); n[$0]++; next }
        n[$2] != 1 { print name ": " $1 ": " n[$2] + 0 " rows" }
        length($2) > 75 { print name ": too long for 80 columns: " $2 }
        ' "$2" "$3"
}

@test "captions: each belongs to a recorded run, and to one row of it" {
    export -f misplaced
    LIMIT=60 run -0 bash -c '
        for captions in "$ROOT"/*/*.captions; do
            name=${captions##*/}
            name=${name%.captions}
            [[ -e ${captions%/*}/${name%%--*}.c ]] || echo "$name: no such program"
            lanes -r "$LOGS/$name.log" -c "$captions" -W 400 -o "$name.txt" || true
            misplaced "$name" "$name.txt" "$captions"
        done'
    assert_output ''
}

@test "make slides: a page for each recorded run of a program, and an index" {
    LIMIT=60 run -0 "$ROOT/lanes/slides" "$BATS_TEST_TMPDIR/slides" pipe shell-pipeline
    cd slides
    run -0 grep -c '<h2>pipe</h2>\|<h2>shell-pipeline</h2>' index.html
    assert_output 2
    assert_equal "$(grep -o 'href="[^"]*"' index.html | sed 's/href="\(.*\)"/\1/' | sort)" \
        "$(find . -name '*.html' ! -name index.html -printf '%f\n' | sort)"
    run -0 grep -A 1 'connect2--no-close.html' index.html
    assert_output --partial 'connect2 --no-close echo hi -- cat</a>'
    assert_output --partial 'wrong: Parent keeps the write end'
    run -0 grep -c 'class="caption"' connect2.html
}

@test "make lecture: a program, call by call, with its captions" {
    requires strace
    # make fails as lanes does, and lanes, when q has quit, as from ^C.
    run -2 bash -c 'printf "\n\nq\n" |
        make -s -C "$ROOT" BIN="$BIN" lecture P=connect2 A="echo hi -- wc -c"'
    assert_line --index 0 'Enter next, f tables, q quit'
    assert_equal "$(grep -c 'Enter next' <<<"$output")" 1
    assert_line --partial 'Error 130'
    assert_line --partial 'pipe() = 3, 4'
    assert_line --partial 'One pipe: 3 reads, 4 writes.'
    refute_output --partial 'dup2'
    run -2 make -s -C "$ROOT" BIN="$BIN" lecture
    assert_output --partial P=
}
