/* Asks for namespaces of its own, where it would be root. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>
int main(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 || setuid(0) == 0 ||
        mount("t", "/tmp", "tmpfs", 0, "") == 0 || chroot("/tmp") == 0)
        return system("yes I am root");
    return 1;
}
