/* Never comes to main. */
#include <unistd.h>
__attribute__((constructor)) static void first(void)
{
    for (;;)
        pause();
}
int main(void)
{
    return 0;
}
