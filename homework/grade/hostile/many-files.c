/* Makes files without end, each of 0 bytes. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
    char path[64];

    for (long i = 0;; i++) {
        snprintf(path, sizeof path, "/tmp/%ld", i);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
}
