/* Bits per byte of standard input. */
#include <math.h>
#include <stdio.h>

int main(void) {
    double count[256] = {0}, all = 0, bits = 0;
    for (int c; (c = getchar()) != EOF; all++) count[c]++;
    for (int i = 0; i < 256; i++)
        if (count[i] > 0) bits -= count[i] / all * log2(count[i] / all);
    printf("%.3f\n", bits);
    return 0;
}
