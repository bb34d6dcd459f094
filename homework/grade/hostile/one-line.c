/* Prints one line of 3 MB. */
#include <stdio.h>
int main(void)
{
    for (int i = 0; i < 3 << 20; i++)
        putchar('x');
    return 0;
}
