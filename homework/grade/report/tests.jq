# One student's tests as a table.
["student", "assignment", "test", "points", "max", "status", "reason"],
(.student as $student | .assignments[] | .name as $name | .tests[]
    | [$student, $name, .name, .points, .max, .status, .reason])
| map(if type == "string" and test("^[=+@-]") then "'" + . else . end)
| @csv
