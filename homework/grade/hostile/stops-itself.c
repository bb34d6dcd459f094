/* Stops itself and its group. */
#include <signal.h>
int main(void)
{
    for (;;)
        kill(0, SIGSTOP);
}
