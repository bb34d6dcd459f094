/* Runs away: each process forks the next one and ends. */
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    for (;;)
        if (fork() > 0)
            _exit(0);
}
