# Two tests of connect2's. What is in this folder must have no point, and must
# do no harm: to the machine, to the grader, or to who is graded beside it.

setup() {
    load "$GRADE/scenes"
    token=$RANDOM$RANDOM
}

@test "connect2: CMD2 reads what CMD1 writes [2]" {
    demo connect2 echo "$token" -- sh -c 'read word; echo "got $word"'
    ends
    says "got $token"
}

@test "connect2: the status is that of CMD2 [1]" {
    demo --trace '?clone,?clone3,?fork,?vfork' connect2 true -- sh -c "echo $token; exit 9"
    ends 9
    says "$token"
    leaves_nothing
}
