# What INDEX.md and the lessons point to is there. It needs no program, and
# one awk reads all pages.

setup() {
    bats_require_minimum_version 1.7.0
    bats_load_library bats-support
    bats_load_library bats-assert
    cd "$BATS_TEST_DIRNAME/.." || return
    find . -name .git -prune -o -name build -prune -o -print |
        sed 's,^\./,,' >"$BATS_TEST_TMPDIR/files"
}

# Says which links of some pages lead nowhere. The first file lists what there
# is. An anchor is what GitHub makes of a heading: lower case, no punctuation,
# hyphens for spaces, a number for one that was there before.
broken_links() { # FILES PAGE...
    awk '
        function anchor(heading) {
            gsub(/\]\([^)]*\)/, "", heading)
            heading = tolower(heading)
            gsub(/[^a-z0-9 _-]/, "", heading)
            gsub(/ /, "-", heading)
            return heading
        }
        function note(target) {
            if (target ~ /^[a-z]+:/) return
            n++
            where[n] = FILENAME ":" FNR
            link[n] = target
            from[n] = FILENAME
        }
        NR == FNR { is_there[$0] = 1; next }
        FNR == 1 { fenced = 0 }
        /^```/ { fenced = !fenced }
        fenced { next }
        /^#+ / {
            heading = $0
            sub(/^#+ +/, "", heading)
            heading = anchor(heading)
            times = seen[FILENAME, heading]++
            has[FILENAME "#" heading (times ? "-" times : "")] = 1
        }
        { line = $0; gsub(/`[^`]*`/, "", line) }
        match(line, /^\[[^]]+\]: +/) { # a definition
            label = substr(line, 2, index(line, "]: ") - 2)
            defined[FILENAME, label] = 1
            note(substr(line, RLENGTH + 1))
            next
        }
        {
            rest = line
            while (match(rest, /\]\([^) ]+/)) {
                note(substr(rest, RSTART + 2, RLENGTH - 2))
                rest = substr(rest, RSTART + RLENGTH)
            }
            # A name in brackets, in the pages here; in a lesson only [text][name].
            while (match(line, /\[[^][]+\]/)) {
                before = substr(line, RSTART - 1, 1)
                after = substr(line, RSTART + RLENGTH, 1)
                if (after != "(" && (before == "]" || \
                        after != "[" && FILENAME !~ "/")) {
                    n++
                    where[n] = FILENAME ":" FNR
                    named[n] = substr(line, RSTART + 1, RLENGTH - 2)
                    from[n] = FILENAME
                }
                line = substr(line, RSTART + RLENGTH)
            }
        }
        END {
            for (i = 1; i <= n; i++) {
                if (i in named) {
                    if (!((from[i], named[i]) in defined))
                        print where[i] ": [" named[i] "] leads nowhere"
                    continue
                }
                split(link[i], part, "#")
                path = from[i]
                if (part[1] != "") {
                    sub(/[^\/]*$/, "", path)
                    path = path part[1]
                    sub(/\/$/, "", path)
                    while (sub(/[^\/]+\/\.\.\//, "", path)) continue
                    if (!(path in is_there))
                        print where[i] ": there is no " path
                }
                if (part[2] != "" && !((path "#" part[2]) in has))
                    print where[i] ": no heading in " path " is #" part[2]
            }
        }' "$@"
}

@test "each link in the pages leads to a file and a heading that are there" {
    # A kit's page links to what is in a kit.
    mapfile -t pages < <(grep '\.md$' "$BATS_TEST_TMPDIR/files" |
        grep -v '/kit\.md$')
    run -0 broken_links "$BATS_TEST_TMPDIR/files" "${pages[@]}"
    assert_output ''
}

# Says which programs INDEX.md does not name, and which of its names, flags
# and definitions are wrong. A word that begins as a program does is a name.
wrong_names() { # FILES SOURCE... INDEX.md
    awk '
        NR == FNR { next }
        FILENAME != "INDEX.md" {
            if (FNR == 1) {
                split(FILENAME, part, "[/.]")
                name = part[2]
                folder[name] = part[1]
                if (name ~ /-/) family[substr(name, 1, index(name, "-"))] = 1
            }
            rest = $0
            while (match(rest, /--[a-z0-9-]+/)) {
                flag[name, substr(rest, RSTART, RLENGTH)] = 1
                rest = substr(rest, RSTART + RLENGTH)
            }
            next
        }
        /^\[[^]]+\]: / {
            name = substr($1, 2, length($1) - 3)
            if (name in folder && $2 != folder[name] "/README.md#" name)
                print FILENAME ":" FNR ": [" name "] leads to " $2
            next
        }
        {
            rest = $0
            while (match(rest, /\[[a-z0-9-]+\],? `--[a-z0-9-]+/)) {
                split(substr(rest, RSTART + 1, RLENGTH - 1), part, "],? `")
                if (!((part[1], part[2]) in flag))
                    print FILENAME ":" FNR ": " part[1] " has no " part[2]
                rest = substr(rest, RSTART + RLENGTH)
            }
            rest = $0
            while (match(rest, /\[[a-z0-9-]+\]/)) {
                is_named[substr(rest, RSTART + 1, RLENGTH - 2)] = 1
                rest = substr(rest, RSTART + RLENGTH)
            }
            rest = $0
            while (match(rest, /[a-z0-9]+(-[a-z0-9]+)+/)) {
                name = substr(rest, RSTART, RLENGTH)
                if (substr(name, 1, index(name, "-")) in family &&
                        !(name in folder))
                    print FILENAME ":" FNR ": there is no program " name
                rest = substr(rest, RSTART + RLENGTH)
            }
        }
        END {
            for (name in folder)
                if (!is_named[name]) print "INDEX.md does not name " name
        }' "$@"
}

@test "INDEX.md names each program, and none that is not there" {
    mapfile -t sources < <(grep -xE '[a-z-]+/[a-z0-9-]+\.c' \
        "$BATS_TEST_TMPDIR/files" | grep -vE '^(lanes|bench|homework|tests)/')
    run -0 wrong_names "$BATS_TEST_TMPDIR/files" "${sources[@]}" INDEX.md
    assert_output ''
}
