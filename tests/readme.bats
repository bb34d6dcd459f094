# A transcript, a fenced block in a README that begins with "$ ", is typed in
# again, and what comes is compared with what stands there.

setup() {
    load helper
}

# Cuts the transcripts out of READMEs, each into a file named for its place.
cut_out() {
    awk -v root="$ROOT/" '
        /^```/ { inside = !inside; begins = inside; close(file); file = ""; next }
        begins && /^\$ / {
            place = substr(FILENAME, length(root) + 1) ":" FNR
            gsub("/", "%", place)
            file = place
        }
        { begins = 0 }
        file { print > file }' "$@"
}

# Types the commands of a transcript into one shell; $? lives on.
type_in() {
    local line last=0
    while IFS= read -ru 9 line; do
        [[ $line == '$ '* ]] || continue
        printf '%s\n' "$line"
        (exit $last)
        eval "${line#'$ '}" </dev/null 2>&1
        last=$?
    done 9<"$1"
}

compare() {
    ulimit -S -f unlimited # one makes a large file, of nothing
    mkdir "$1.d" && cd "$1.d" || return
    ln -s "$ROOT"/*/ .
    type_in "../$1" 9>&- >../now."$1"
    diff -u --label "${1//%//}" --label 'what comes now' "../$1" ../now."$1"
    return 0 # what differs has been printed
}

@test "each transcript in a README is what comes when it is typed in" {
    export -f type_in compare
    mkdir "$BATS_TEST_TMPDIR/transcripts"
    cd "$BATS_TEST_TMPDIR/transcripts"
    cut_out "$ROOT"/README.md "$ROOT"/*/README.md
    LIMIT=120 run -0 bash -c '
        ls | xargs -d "\n" -n 1 -P 4 bash -c "compare \"\$1\"" compare'
    assert_output ''
}

@test "the Dockerfile installs what the two commands in README.md install" {
    cd "$ROOT"
    sed -n '/^## Two commands/,/^## /s/.* install -y \(.*\) && make.*/\1/p' README.md |
        head -n 2 | xargs -n 1 >"$BATS_TEST_TMPDIR/README.md"
    sed '1,/install -y/d; /&& rm/,$d; s/\\$//' Dockerfile |
        xargs -n 1 >"$BATS_TEST_TMPDIR/Dockerfile"
    cd "$BATS_TEST_TMPDIR"
    run -0 diff -u README.md Dockerfile
}

@test "README.md has each program, in the words of its own first line" {
    for name in "${!IS_PROGRAM[@]}"; do
        row=$(sed -n '2{s/|/\\|/g; s/^ \* \(.*\) - \(.*\)/| [\1] | \2 |/p}' \
            "$ROOT"/*/"$name".c)
        grep -qxF "$row" "$ROOT/README.md" || echo "not there: $row"
    done >"$BATS_TEST_TMPDIR/missing"
    run -0 cat "$BATS_TEST_TMPDIR/missing"
    assert_output ''
}
