/* Its parent is in vfork for ever, where no signal but SIGKILL comes. */
#define _GNU_SOURCE
#include <unistd.h>
int main(void)
{
    if (vfork() == 0)
        for (;;)
            pause();
    return 0;
}
