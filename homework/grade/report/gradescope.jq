# Gradescope's results.json. Hidden tests are shown after the due date.
{ score: .points, visibility: "visible", stdout_visibility: "hidden",
  tests: [.assignments[].tests[] | {
    name: .name, score: .points, max_score: .max,
    status: (if .status == "passed" then "passed" else "failed" end),
    output: .reason, output_format: "text",
    visibility: (if .hidden then "after_due_date" else "visible" end) }] }
