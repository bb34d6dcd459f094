# The same for GitHub Classroom without its reporter: two annotations of a job.
"::notice title=Autograding complete::Points \(.points)/\(.max)",
"::notice title=Autograding report::\({ totalPoints: .points, maxPoints: .max } | tojson)"
