# What bats said of one file of tests -> points. The tests and their points
# are those of the file; one of which bats says nothing has not run.
def verdicts:
    reduce ($tap | split("\n"))[] as $line ({};
        if $line | test("^(not )?ok [0-9]+ ") then
            ($line | capture("^(?<v>ok|not ok) [0-9]+ (?<name>.*? \\[[0-9]+\\])(( in | # in )(?<ms>[0-9]+) ?ms)?(?<skip> # skip ?(?<why>.*))?$")
                // { name: "" }) as $m # "": a line of bats itself
            | .now = $m.name
            | .of[.now] += [{
                status: (if $m.skip then "skipped"
                    elif $m.v == "ok" then "passed" else "failed" end),
                ms: ($m.ms // 0 | tonumber), skipped: $m.why, reason: [], raw: [] }]
        elif .now and ($line | startswith("# | ")) then
            .of[.now][-1].reason += [$line[4:]]
        elif .now and ($line | startswith("# ")) then
            .of[.now][-1].raw += [$line[2:]]
        else . end)
    | .of // {};

verdicts as $of
| [$points | split("\n")[] | select(. != "") | split("\t")
    | (.[0] | tonumber) as $max
    | .[1] as $test
    | ($of["\($test) [\($max)]"] // []) as $said
    | (if $why != "" then { status: "failed", reason: [$why] }
        elif ($said | length) != 1 then
            { status: "not run", reason: ["not run: the tests were ended before"] }
        else $said[0] end) as $it
    | { name: $test, max: $max, hidden: $hidden, status: $it.status,
        ms: ($it.ms // 0),
        points: (if $it.status == "passed" then $max else 0 end),
        reason: (if $it.status == "passed" then ""
            elif $it.status == "skipped" then "skipped: \($it.skipped)"
            elif $it.reason == [] then ($it.raw | join("\n"))
            else $it.reason | join("\n") end) }]
| { name: $name, tests: ., points: (map(.points) | add // 0),
    max: (map(.max) | add // 0) }
