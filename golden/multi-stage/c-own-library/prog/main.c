#include <half.h>
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) {
    return count < 2 || printf("%d\n", half(atoi(words[1]))) < 0;
}
