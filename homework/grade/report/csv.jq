# The reports of a class -> a table: a line for each student, a column for each
# assignment. A name that a spreadsheet would take for a formula is quoted.
def cell: if type == "string" and test("^[=+@-]") then "'" + . else . end;
(map(.assignments[].name) | unique) as $names
| ["student"] + $names + ["points", "max"],
  (.[] | . as $of
    | [.student | cell]
    + [$names[] as $name | $of.assignments[] | select(.name == $name).points]
    + [.points, .max])
| @csv
