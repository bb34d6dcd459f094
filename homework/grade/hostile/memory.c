/* Takes all memory that it can get, and uses it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    char *more;

    while ((more = malloc(1 << 20)))
        memset(more, 1, 1 << 20);
    pause();
}
