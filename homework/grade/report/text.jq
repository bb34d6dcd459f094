def pad($n): . + (" " * ($n - length) // "");
(.assignments[]
    | (.tests[]
        | "\(if .status == "passed" then "pass" elif .status == "skipped" then "SKIP" else "FAIL" end) \(.points)/\(.max)  \(.name)",
          (select(.reason != "") | .reason | split("\n")[] | "          \(.)")),
      "\(.name): \(.points)/\(.max)",
      ""),
"\(.student): \(.points)/\(.max)"
