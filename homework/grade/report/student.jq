# The files of tests of one student -> assignments. Hidden tests of the same
# assignment are added to it.
{ student: $student,
  assignments: (group_by(.name) | map({
    name: .[0].name, tests: (map(.tests) | add),
    points: (map(.points) | add), max: (map(.max) | add) })) }
| .points = (.assignments | map(.points) | add // 0)
| .max = (.assignments | map(.max) | add // 0)
