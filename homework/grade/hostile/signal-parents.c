/* Sends every signal to the processes above it. */
#include <signal.h>
#include <unistd.h>
int main(void)
{
    for (int n = 1; n < 65; n++) {
        kill(getppid(), n);
        kill(1, n);
        kill(2, n);
    }
    pause();
}
