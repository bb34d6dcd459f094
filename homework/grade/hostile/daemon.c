/* Stays: a new session, no environment, every descriptor kept. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    clearenv();
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                pause();
    }
    return 0;
}
