/* A program of a gigabyte. */
static volatile char large[1 << 30] = { 1 };
int main(void)
{
    return large[12345];
}
