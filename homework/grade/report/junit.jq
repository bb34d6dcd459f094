# Reports -> JUnit: a suite for each assignment, a class for each student. It
# has all that the schemas of Ant and of Jenkins ask for, so some is empty.
def text: @html
    | gsub("[\\x{00}-\\x{08}\\x{0b}\\x{0c}\\x{0e}-\\x{1f}\\x{fffe}\\x{ffff}]"; "?");
def testcase($student):
    "    <testcase classname=\"\($student | text)\" name=\"\("\(.name) [\(.max)]" | text)\" time=\"\((.ms // 0) / 1000)\">",
    (select(.status == "skipped")
        | "      <skipped message=\"\(.reason | text)\"/>"),
    (select(.status == "failed")
        | "      <failure type=\"failed\" message=\"\(.reason | split("\n")[0] // "" | text)\">\(.reason | text)</failure>"),
    (select(.status == "not run")
        | "      <error type=\"not run\" message=\"\(.reason | text)\"/>"),
    "    </testcase>";
def number($status): [.[].tests[] | select(.status == $status)] | length;

"<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
"<testsuites>",
([.[] | .student as $student | .assignments[] | .student = $student]
    | group_by(.name) | to_entries[] | .key as $id | .value
    | "  <testsuite id=\"\($id)\" package=\"homework\" name=\"\(.[0].name | text)\" hostname=\"localhost\" timestamp=\"\(now | strftime("%Y-%m-%dT%H:%M:%S"))\" tests=\"\([.[].tests[]] | length)\" failures=\"\(number("failed"))\" errors=\"\(number("not run"))\" skipped=\"\(number("skipped"))\" time=\"\([.[].tests[].ms // 0] | add / 1000)\">",
      "    <properties/>",
      (.[] | .student as $student | .tests[] | testcase($student)),
      "    <system-out/>",
      "    <system-err/>",
      "  </testsuite>"),
"</testsuites>"
