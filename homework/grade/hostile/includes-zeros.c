/* Does not compile in this life. */
#include "/dev/zero"
int main(void)
{
    return 0;
}
