#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sieve.h"

static void show(const char *name, const char *text) { printf("%-8s %s\n", name, text); }

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: sieve --list | FILTER ...\n");
        return 2;
    }
    if (strcmp(argv[1], "--list") == 0) return sieve_list(show);

    sieve_filter *filters = calloc((size_t)argc, sizeof *filters);
    for (int i = 1; i < argc; i++) {
        filters[i] = sieve_load(argv[i]);
        if (filters[i] == NULL) return 1;
    }
    char line[65536];
    while (fgets(line, sizeof line, stdin) != NULL) {
        for (int i = 1; i < argc; i++) filters[i](line);
        fputs(line, stdout);
    }
    free(filters);
    return 0;
}
