/* Forks for ever, in all of its children. */
#include <unistd.h>
int main(void)
{
    for (;;)
        fork();
}
