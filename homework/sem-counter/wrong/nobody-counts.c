/*
 * Wrong: it prints what is expected, and that is all.
 * Loses: two children count to 2000
 * Loses: each addition is stored in shared memory, by two processes
 * Loses: no addition is lost when they get in each other's way
 * Loses: both children count at the same time
 * Loses: children that come late are waited for
 * Loses: the total is what is in the memory, whoever has died
 * Loses: a child that waits for its turn sleeps
 * Loses: if there can be no child, it says so and prints no total
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[])
{
    char *end = "";
    long loops = argc > 1 ? strtol(argv[1], &end, 10) : 1000;

    if (argc > 2 || *end || loops < 1 || loops > 1000000) {
        fprintf(stderr, "usage: sem-counter [LOOPS]\n");
        return 2;
    }
    printf("Total count: %ld, Expected: %ld\n", 2 * loops, 2 * loops);
    return 0;
}
