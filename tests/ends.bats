# The contract, its second part: how every program ends, however it is started.
# Nearly all of it is waiting.
# shellcheck disable=SC2086 # STRACE and some options are words, or none

setup() {
    load helper
    load contract
}

# --- by itself

ends_wrong() {
    local flag pin
    wrong_flags | while read -ra flag; do
        for pin in '' "taskset -c $CORE"; do
            try $pin "$name" "${flag[@]}" || return
            if [[ $status != 1 && $status != 124 ]]; then
                came "${pin:+$pin }$name ${flag[*]}" 'status 1 or 124'
            elif [[ $status == 124 ]] && ! grep -q "^$name: stuck: ." err; then
                came "$name ${flag[*]}" "$name: stuck: what and why"
            fi
        done
    done
}

@test "each wrong version ends by itself, says what is stuck, and fails" {
    requires taskset util-linux
    each_program ends_wrong 100
}

# --- how it is started

inherits_signals() {
    local signals=HUP,INT,QUIT,PIPE,TERM,USR1,USR2,ALRM signal
    try "$name" || return
    cat out err >usual
    for signal in $signals ${signals//,/ }; do
        try env --ignore-signal="$signal" "$name" || return
        cat out err >now
        cmp -s now usual || drop_varying usual now
        if [[ $status != 0 ]]; then
            came "$name, started with $signal ignored" 'status 0'
        elif ! cmp -s now usual; then
            echo "started with $signal ignored, it says something else:"
            diff usual now | head -n 3
        elif [[ $signal == "$signals" ]]; then
            break # all at once, so each by itself
        fi
    done
}

@test "each program does not mind a signal that its caller ignores" {
    each_program inherits_signals
}

inherits_sigchld() {
    USUAL=12 try env --ignore-signal=CHLD "$name" || return
    [[ $status != 0 ]] || return 0
    [[ $status == 1 ]] &&
        grep -qE "^$name: (wait|pclose)[^:]*: No child processes" err && return
    came "$name, with SIGCHLD ignored" 'status 0, or wait: No child processes'
}

@test "each program that finds SIGCHLD ignored works, or says what wait says" {
    each_program inherits_sigchld 100
}
