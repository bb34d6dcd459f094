/* Sends the teacher's terminal what it should not see. */
#include <stdio.h>
int main(void)
{
    printf("\033]0;pwned\007\033[2J\033[31m# | all is well\nok "
           "1\r\0\377\376\302\233 &<]]>\n");
    return 1;
}
