/* Would like to see a file in the compiler's complaints. */
#include "/etc/passwd"
#include "/etc/shadow"
int main(void)
{
    return 0;
}
