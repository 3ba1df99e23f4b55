#include <prime.h>
#include <stdio.h>
int main(int argc, char **argv) {
    int limit;
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!f || fscanf(f, "%d", &limit) != 1) return 1;
    for (int i = 0; i < limit; i++)
        if (is_prime(i)) printf("%d ", i);
    puts("");
    return 0;
}
