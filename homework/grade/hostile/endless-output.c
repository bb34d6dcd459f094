/* Prints for ever. */
#include <unistd.h>
int main(void)
{
    for (;;)
        if (write(
                1,
                "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n",
                57) == -1)
            continue;
}
