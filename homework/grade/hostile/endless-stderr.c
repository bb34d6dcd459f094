/* Complains for ever, and does not mind SIGXFSZ. */
#include <signal.h>
#include <stdio.h>
int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    for (;;)
        fprintf(stderr, "error: error: error: error: error: error: error\n");
}
