# The graded tests of pipebuffer: what README.md asks for, and nothing else. One
# mistake is to cost one test: so chunks divide a page and are small, where that
# is not the point, and --size is given only where it is.

setup() {
    load "$GRADE/scenes"
}

# fills [OPTION...]   pipebuffer fills its pipe. By strace's log, offered is the
# size of the first write, and taken what it has returned; sum is how many bytes
# went in, full whether the last write failed with EAGAIN; given is what
# F_SETPIPE_SZ has returned, and holds what the last F_GETPIPE_SZ has.
fills() {
    demo --trace '?pipe,pipe2,write,fcntl' pipebuffer "$@"
    ends 'without O_NONBLOCK at the write end write waits, without a read end SIGPIPE comes'
    read -r full offered taken sum given holds < <(
        awk "$WHOLE_CALLS $INTO_PIPE"'
            into_pipe() {
                if (!writes++) { offered = size; taken = returned }
                if (returned > 0) sum += returned
                full = /EAGAIN/
            }
            / fcntl\(.*F_SETPIPE_SZ/ { given = $NF }
            / fcntl\(.*F_GETPIPE_SZ/ { holds = $NF }
            END { print full + 0, offered + 0, taken + 0, sum + 0, given + 0, holds + 0 }
        ' "$trace"
    )
    ((sum)) || because 'not a byte went into its pipe'
}

# For awk: is this line a write into the pipe? Then size is how many bytes it
# was offered, and returned what came of it.
INTO_PIPE='
    function into_pipe() {
        if (!end || !index($0, end)) return 0
        match($0, /[0-9]+\) += -?[0-9]+/)
        split(substr($0, RSTART, RLENGTH), number, /\) += /)
        size = number[1]
        returned = number[2] + 0
        return 1
    }
    match($0, / pipe2?\(\[[0-9]+, [0-9]+\]/) {
        split(substr($0, RSTART, RLENGTH), number, /[^0-9]+/)
        for (i in number) if (number[i] != "") last = i > last ? i : last
        end = " write(" number[last] ","
    }
'

# reports WORD NUMBER [HINT]   there is one line with that word, and the number
# is in it
reports() {
    local lines why
    mapfile -t lines < <(grep -w -- "$1" <<<"$output")
    if ((${#lines[@]} != 1)); then
        mapfile -t why < <(echo "${#lines[@]} lines, not one, have the word $1:" &&
            excerpt "$output")
    elif [[ ! ${lines[0]} =~ (^|[^0-9])$2([^0-9]|$) ]]; then
        mapfile -t why < <(echo "the number $2 is missing in the line:" &&
            excerpt "${lines[0]}" && hint "${3-}")
    else
        return 0
    fi
    because "${why[@]}"
}

some_chunk() {
    chunk=$((256 << RANDOM % 4))
}

@test "pipebuffer: it writes a chunk at a time until EAGAIN, and reports the sum [2]" {
    some_chunk
    fills --chunk "$chunk"
    ((offered == chunk)) || because "it writes $offered bytes at a time, not $chunk"
    ((full)) || because "$sum bytes went in, but it ended before a write failed with EAGAIN"
    reports EAGAIN "$sum" 'add up what each write returns'
}

@test "pipebuffer: a chunk is PIPE_BUF bytes by default, and PIPE_BUF is reported [1]" {
    local pipe_buf
    pipe_buf=$(getconf PIPE_BUF /)
    fills
    ((offered == pipe_buf)) || because "it writes $offered bytes at a time, not $pipe_buf"
    reports PIPE_BUF "$pipe_buf" 'fpathconf with _PC_PIPE_BUF knows it'
}

@test "pipebuffer: what a chunk leaves empty in each page is not in the sum [2]" {
    fills --chunk $((RANDOM % 2000 + 2049))
    reports EAGAIN "$sum" 'add up what each write returns'
}

@test "pipebuffer: what stays empty is reported [1]" {
    fills --chunk $((RANDOM % 2000 + 2049))
    reports empty $((holds - sum)) "the pipe holds $holds bytes, and $sum went in"
}

@test "pipebuffer: of a chunk that is taken in part, that part counts [2]" {
    local pages=(3 5 6 7 9 10 11 12 13 14 15) # of 16
    fills --chunk $((pages[RANDOM % 11] * 4096))
    reports EAGAIN "$sum" 'a write may return less than it was offered: add up what it returns'
}

@test "pipebuffer: a large chunk has that many bytes [1]" {
    local chunk=$((1 << 18 + RANDOM % 2))
    fills --chunk "$chunk" --size "$chunk"
    ((taken == chunk)) || because "its first write offered $offered bytes, and $taken were taken" \
        'hint: write reads as many bytes as it is told: is your array that large?'
}

@test "pipebuffer: --size: it reports what was asked for and what was given [2]" {
    local size=$((RANDOM * 15 + 8001))
    fills --size "$size"
    reports asked "$size" 'the number that stood after --size'
    reports asked "$given" 'what fcntl with F_SETPIPE_SZ returns'
}

@test "pipebuffer: F_GETPIPE_SZ is asked after the change of size [1]" {
    fills --size $((RANDOM * 10 + 100001))
    reports F_GETPIPE_SZ "$given" 'ask when the size has been changed'
}

@test "pipebuffer: the options may come in either order [1]" {
    local size=$((RANDOM * 10 + 100001))
    some_chunk
    for order in "--chunk $chunk --size $size" "--size $size --chunk $chunk"; do
        # shellcheck disable=SC2086 # several words
        fills $order
        ((offered == chunk && given >= size)) || because "it does not do what it is told by $order"
    done
}

@test "pipebuffer: a size that is refused is reported, and nothing is written [1]" {
    local refuse=() hint='fcntl returns -1 if it fails: the pipe is as it was, and you did not get what you wanted'
    fills --size $((RANDOM + 8001))
    # Where the limit is that high, the kernel is asked to refuse.
    (($(</proc/sys/fs/pipe-max-size) < 1 << 24)) || refuse=(--starve fcntl=EPERM)
    demo "${refuse[@]}" --trace '?pipe,pipe2,write,fcntl' pipebuffer --size $((1 << 24))
    ends 1 "$hint"
    complains '' 'say which call has failed, and why: perror, err'
    accept_trace "$INTO_PIPE"' into_pipe() { print "it has written into the pipe" }' "$hint"
}

@test "pipebuffer: if there can be no pipe, it says so [1]" {
    fills
    demo --starve '?pipe,pipe2=EMFILE' pipebuffer
    ends 1 'pipe returns -1 if it fails'
    complains '' 'say which call has failed, and why: perror, err'
}

@test "pipebuffer: wrong usage is refused, with status 2 [1]" {
    local words
    some_chunk
    fills --chunk "$chunk"
    refused --chunk ''
    while read -ra words; do
        refused "${words[@]}"
    done <<-END
	--chunk ${chunk}x
	--chunk 0
	--chunk -$chunk
	--chunk 1048577
	--chunk 4294967297
	--chunk
	--size 0
	--size 16777217
	--nosuch $chunk
	$chunk
	END
}

refused() {
    demo pipebuffer "$@"
    ends 2 "the words were: ${*@Q}"
    says '' "the words were: ${*@Q}"
    complains '' 'say how it is used'
}
