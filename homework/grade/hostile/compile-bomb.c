/* Macros that double, thirty times. */
#define A(x) x + x
#define B(x) A(A(A(A(A(x)))))
#define C(x) B(B(B(B(B(B(x))))))
int main(void)
{
    int one = 1;

    return C(one);
}
