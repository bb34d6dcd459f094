# PrairieLearn's results.json. Hidden tests have no message.
{ gradable: true,
  score: (if .max > 0 then .points / .max else 0 end),
  message: "\(.points) of \(.max) points",
  tests: [.assignments[].tests[] | {
    name: .name, points: .points, max_points: .max,
    message: (if .hidden then "" else .reason end) }] }
