#include <stdio.h>
int main(void) {
    int lines = 0;
    for (int c; (c = getchar()) != EOF;)
        lines += c == 10;
    return printf("%d\n", lines) < 0;
}
