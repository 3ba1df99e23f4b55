#include <stdio.h>

int dump(FILE *in, FILE *out);
