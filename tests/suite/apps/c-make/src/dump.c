#include "dump.h"

int dump(FILE *in, FILE *out) {
    int byte, count = 0;
    while ((byte = fgetc(in)) != EOF)
        fprintf(out, "%02x%c", byte, ++count % 16 ? ' ' : '\n');
    if (count % 16) fputc('\n', out);
    return count;
}
