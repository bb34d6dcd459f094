# What GitHub Classroom's reporter takes, in base64, from a step's output.
# It travels in an environment variable, which holds 128 KiB, so reasons are cut
# short: all of them have 30,000 characters.
([.assignments[].tests[]] | length) as $tests
| ([500, (30000 / ([$tests, 1] | max) | floor)] | min) as $room
| { version: 1, max_score: .max,
  status: (if .points == .max then "pass" else "fail" end),
  tests: [.assignments[].tests[] | {
    name: .name, score: .points, max_score: .max,
    status: (if .status == "passed" then "pass" else "fail" end),
    message: (if .hidden then "" else .reason[:$room] end) }] }
