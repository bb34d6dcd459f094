# Reports -> JUnit: a suite for each assignment, a class for each student.
def text: @html
    | gsub("[\\x{00}-\\x{08}\\x{0b}\\x{0c}\\x{0e}-\\x{1f}\\x{fffe}\\x{ffff}]"; "?");
def testcase($student):
    "    <testcase classname=\"\($student | text)\" name=\"\("\(.name) [\(.max)]" | text)\">",
    (select(.status == "skipped")
        | "      <skipped message=\"\(.reason | text)\"/>"),
    (select(.status == "failed")
        | "      <failure message=\"\(.reason | split("\n")[0] // "" | text)\">\(.reason | text)</failure>"),
    (select(.status == "not run")
        | "      <error message=\"\(.reason | text)\"/>"),
    "    </testcase>";
def number($status): [.[].tests[] | select(.status == $status)] | length;

"<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
"<testsuites>",
([.[] | .student as $student | .assignments[] | .student = $student]
    | group_by(.name)[]
    | "  <testsuite name=\"\(.[0].name | text)\" tests=\"\([.[].tests[]] | length)\" failures=\"\(number("failed"))\" errors=\"\(number("not run"))\" skipped=\"\(number("skipped"))\">",
      (.[] | .student as $student | .tests[] | testcase($student)),
      "  </testsuite>"),
"</testsuites>"
