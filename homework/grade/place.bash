# Where the grader works: in $WORK, a folder of one run, in $TMPDIR. All that
# the run writes is in there, and goes with it.

# Makes $WORK. A run keeps its folder's lock until it ends, however it ends: so
# the next one can tell what runs that were killed have left, and removes it.
make_work() {
    local folder lock
    for folder in "${TMPDIR:-/tmp}"/grade.??????; do
        [[ -d $folder && ! -L $folder && -O $folder && -f $folder/lock ]] &&
            flock -n "$folder/lock" rm -rf "$folder" 2>/dev/null
    done
    WORK=
    trap clean_up EXIT
    trap 'trap "" INT TERM HUP; exit 130' INT TERM HUP
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/grade.XXXXXX") || return
    # It has that name when it is locked.
    exec {lock}>"$WORK/unlocked" && flock -n "$lock" &&
        mv "$WORK/unlocked" "$WORK/lock"
}

# Ends what is still running, and removes the folder; with KEEP=1 it stays. What
# the jobs had started may take a moment longer to end, and write there.
clean_up() {
    local tries=0
    end_jobs
    [[ $WORK ]] || return
    until rm -rf "$WORK${KEEP:+/lock}" 2>/dev/null || ((++tries == 50)); do
        sleep 0.1
    done
}

end_jobs() {
    local pids
    pids=$(jobs -p)
    # shellcheck disable=SC2086 # several words
    [[ ! $pids ]] || kill $pids 2>/dev/null
    wait
}

# attend COMMAND...   runs it to its end. It is ended before, if this shell is
# told to end, or is killed.
attend() {
    env --default-signal setpriv --pdeathsig TERM "$@" &
    wait $!
}

# await_place N   waits until fewer than N of this shell's jobs are at work. A job
# whose program hangs asleep is not at work, and has the file $WORK/rests.PID;
# but of all jobs there are never more than 3 N.
await_place() {
    local pid busy all most=$(($1 * 3))
    [[ ${BOX-} != uid ]] || most=1 # they would be the same user
    while
        busy=0 all=0
        for pid in $(jobs -rp); do
            ((++all))
            [[ -e $WORK/rests.$pid ]] || ((++busy))
        done
        ((busy >= $1 || all >= most))
    do
        sleep 0.2
    done
}
