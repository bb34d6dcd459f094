# Compiles what was submitted, inside the box. $SUBMISSION is its folder.

FLAGS=(-std=gnu11 -g -O2 -D_FORTIFY_SOURCE=2 -Wall -Wextra)
LARGEST=$((256 << 10)) # bytes in a source file

# The file that was submitted as NAME, or nothing and why.
source_of() { # NAME
    local path
    for path in "$SUBMISSION/$1.c" "$SUBMISSION/$1/$1.c"; do
        if [[ -L $path ]] || [[ -e $path && ! -f $path ]]; then
            echo "$1.c is not a regular file" >&2
            return 1
        elif [[ -f $path ]]; then
            [[ $(stat -c %s "$path") -le $LARGEST ]] || {
                echo "$1.c is larger than $LARGEST bytes" >&2
                return 1
            }
            echo "$path"
            return
        fi
    done
    echo "there is no $1.c" >&2
    return 1
}

# build NAME [perturbed]   makes $WORK/bin/NAME, or $WORK/bin/perturbed/NAME;
# or prints in a line why it could not.
build() {
    local name=$1 into=$WORK/bin${2:+/$2} path said status=0 flags=("${FLAGS[@]}") seconds
    local BUILD=$WORK/build.$name${2:+.$2}
    path=$(source_of "$name" 2>&1) || {
        echo "$path"
        return 1
    }
    how_long
    mkdir -p "$BUILD" "$into"
    head -c "$LARGEST" "$path" >"$BUILD/$name.c"
    if [[ ${2-} == perturbed ]]; then
        # Thread sanitizer's calls, but not its library; each store as written.
        flags=(-std=gnu11 -g -O0 -fsanitize=thread)
    else
        # What nobody has set is not 0 by chance.
        flags+=(-ftrivial-auto-var-init=pattern)
    fi
    ((EUID)) || chown -R "$BOX_UID" "$BUILD"
    # Where bash says that the box was killed nobody is to hear it.
    said=$({
        box $((5 * seconds)) "${DROP[@]}" sh -c '
            ulimit -c 0 -f 16384 -v 2097152 -t 10
            name=$1 hooks=$2
            shift 2
            export LC_ALL=C # quotes that need no font
            gcc "$@" -c -o "$name.o" "$name.c" &&
                gcc -o "$name" "$name.o" $hooks -pthread -lrt' \
            sh "$name" "${2:+$INSIDE/$2.o}" "${flags[@]}" 2>&1 </dev/null
    } 2>/dev/null | head -c 65536) || true
    if [[ -f $BUILD/$name && ! -L $BUILD/$name &&
        $(stat -c %s "$BUILD/$name") -lt $((16 << 20)) ]]; then
        cp "$BUILD/$name" "$into/$name"
        chmod 755 "$into/$name"
    else
        said=$(grep -m 1 -E 'error:|undefined reference|multiple definition' \
            <<<"$said") || said='the compiler was stopped: it took too long, or too much'
        echo "it does not compile: ${said:0:300}" | LC_ALL=C tr -c '[:print:]\n' '?'
        status=1
    fi
    rm -rf "$BUILD"
    return "$status"
}

# The parts of the grader that are needed inside. Compiled once for each
# grading; it takes 0.2 s.
furnish() {
    if [[ ${PARTS-} && $PARTS != "$WORK" ]]; then
        chmod 711 "$WORK"
        mkdir "$WORK/bin" && cp -r "$PARTS/grade" "$WORK"
        return
    fi
    local name
    local -x TMPDIR=$WORK # for the compiler
    mkdir -p "$WORK/bin" "$WORK/grade"
    chmod 711 "$WORK"
    cp "$GRADE/judge" "$WORK/grade"
    for name in "$GRADE"/nudges/*.c; do
        name=$(basename "$name" .c)
        if [[ $name == perturbed ]]; then
            gcc -O2 -c -o "$WORK/grade/$name.o" "$GRADE/nudges/$name.c" || return
        else
            gcc -O2 -shared -fPIC -o "$WORK/grade/$name.so" \
                "$GRADE/nudges/$name.c" -ldl || return
        fi
    done
    # lanes says which process waits for which, if it is there and can.
    for name in "$GRADE"/../{..,.}/bin/lanes "$(command -v lanes)"; do
        if [[ -x $name ]] && cp "$name" "$WORK/grade/lanes"; then
            box 2 "$INSIDE/lanes" -w -t 1 true </dev/null >/dev/null 2>&1 && break
            rm "$WORK/grade/lanes"
        fi
    done
    return 0
}
