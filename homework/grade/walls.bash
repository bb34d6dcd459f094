# The box in which foreign code is compiled and run. It has processes, IPC
# objects, a network and file systems of its own: the code sees /usr, what it
# is given, and nothing else, and all that it starts or makes ends with it.
#
#   BOX=walls   bubblewrap, in namespaces (the default)
#   BOX=uid     a user of its own: for root in a container that forbids
#               namespaces, one submission at a time
#
# $WORK is the folder of one grading; $WORK/bin has the programs, $WORK/grade
# what the judge needs. Inside, the two are $INSIDE_BIN and $INSIDE.

BOX=${BOX:-walls}
if [[ $BOX == uid ]]; then
    BOX_UID=${GRADE_UID:-60123}
    INSIDE=$WORK/grade
    INSIDE_BIN=$WORK/bin
    # A program may do what this user may, and the judge is root.
    DROP=(setpriv --reuid "$BOX_UID" --regid "$BOX_UID" --clear-groups
        --bounding-set=-all --inh-caps=-all --no-new-privs --)
else
    BOX_UID=65534
    INSIDE=/grade
    INSIDE_BIN=/student
    # The judge has one capability more than a program, so that the program,
    # which is the same user, can neither trace it nor open its descriptors.
    DROP=(setpriv --ambient-caps=-all --inh-caps=-all --)
fi
ENVIRONMENT=(PATH=/usr/bin:/bin:/usr/sbin HOME=/tmp LC_ALL=C.UTF-8)

# Sets seconds: a program has 3, and more on a busy machine.
how_long() {
    local load
    read -r load _ </proc/loadavg
    seconds=${GRADE_SECONDS:-3}
    [[ ${GRADE_SECONDS-} || $load == [01].* ]] ||
        ((seconds += ${load%.*} / 2 / $(nproc)))
}

# box SECONDS COMMAND...   runs it inside; 3 seconds later than that, or when the
# caller is killed, it is ended from outside. The descriptors are the caller's.
# With $BUILD, a folder, it is there and may write there.
box() {
    local limit=$1 inside=() seconds
    how_long
    shift
    if [[ $BOX == uid ]]; then
        inside=(env -C "${BUILD:-/}")
    else
        # Root of a user namespace can still reach what is in none.
        ((EUID)) || inside=(setpriv --reuid "$BOX_UID" --regid "$BOX_UID"
            --clear-groups --)
        inside+=(bwrap "${WALLS[@]}" --ro-bind "$WORK/bin" "$INSIDE_BIN"
            --ro-bind "$WORK/grade" "$INSIDE")
        [[ ! ${BUILD-} ]] || inside+=(--bind "$BUILD" /build --chdir /build)
        inside+=(--remount-ro /dev --remount-ro / --)
    fi
    setpriv --pdeathsig KILL timeout -s KILL $((limit + seconds)) \
        env -i "${ENVIRONMENT[@]}" "${inside[@]}" "$@"
    local status=$?
    [[ $BOX != uid ]] || sweep
    return "$status"
}

WALLS=(--unshare-all --unshare-user --disable-userns --die-with-parent
    --new-session --cap-add CAP_SYS_PTRACE --hostname box
    --ro-bind /usr /usr --proc /proc --dev /dev --mqueue /dev/mqueue
    --perms 1777 --size $((32 << 20)) --tmpfs /dev/shm
    --perms 1777 --size $((32 << 20)) --tmpfs /tmp)
for path in /bin /sbin /lib /lib32 /lib64 /libx32; do
    if [[ -L $path ]]; then
        WALLS+=(--symlink "usr$path" "$path")
    elif [[ -d $path ]]; then
        WALLS+=(--ro-bind "$path" "$path")
    fi
done
# Debian's cc and awk are links to there.
[[ ! -d /etc/alternatives ]] ||
    WALLS+=(--ro-bind /etc/alternatives /etc/alternatives)

# BOX=uid: ends and removes what that user has left.
sweep() {
    "${DROP[@]}" bash -c 'kill -KILL -1' 2>/dev/null
    "${DROP[@]}" ipcrm --all 2>/dev/null # all that is that user's
    find /tmp /var/tmp /dev/shm /dev/mqueue -maxdepth 1 -user "$BOX_UID" \
        -exec rm -rf {} + 2>/dev/null
    return 0
}

# Says which packages are missing, all at once; or nothing.
missing() { # [COMMAND]...   more than grading needs
    local command packages=()
    if [[ $BOX == uid ]]; then
        set -- ps "$@"
    else
        set -- bwrap "$@"
    fi
    for command in bats gcc jq strace "$@"; do
        command -v "$command" >/dev/null || case $command in
        gcc) packages+=(gcc libc6-dev) ;;
        bwrap) packages+=(bubblewrap) ;;
        ps) packages+=(procps) ;;
        xmllint) packages+=(libxml2-utils) ;;
        *) packages+=("$command") ;;
        esac
    done
    [[ ! ${packages[*]} ]] || echo "missing: sudo apt-get install -y ${packages[*]}"
}

# Says why there can be no box here, and what to do; or nothing.
why_no_box() {
    local said
    if [[ $BOX == uid ]]; then
        ((EUID == 0)) || echo 'BOX=uid needs root'
        return
    fi
    said=$(box 5 true </dev/null 2>&1) && return
    echo "no program can be boxed in here: ${said:-bubblewrap was stopped}"
    if grep -qs 1 /proc/sys/kernel/apparmor_restrict_unprivileged_userns; then
        echo 'allow it: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
    elif grep -qs 0 /proc/sys/kernel/unprivileged_userns_clone; then
        echo 'allow it: sudo sysctl -w kernel.unprivileged_userns_clone=1'
    elif grep -qs '^0$' /proc/sys/user/max_user_namespaces; then
        echo 'allow it: sudo sysctl -w user.max_user_namespaces=10000'
    else
        echo 'in a container: docker run --security-opt seccomp=unconfined' \
            '--security-opt apparmor=unconfined' \
            '--security-opt systempaths=unconfined'
        echo 'or, as root in a container for this one submission: BOX=uid'
    fi
}
