# Reads TAP, ends in one line, and fails unless every planned test passed.

/^1\.\./ { planned += substr($1, 4) }
/^not ok/ { failed++; next }
/^ok .*# skip/ { skipped++; next }
/^ok/ { passed++ }

END {
    # A test that was planned and never reported did not pass.
    lost = planned - passed - failed - skipped
    if (lost > 0)
        failed += lost
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit failed || !passed
}
