#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* Compresses standard input at the level of squeeze.conf and tells both sizes. */
int main(void) {
    static unsigned char in[1 << 20], out[1 << 21];
    int level = 1;
    FILE *conf = fopen("/usr/local/etc/squeeze.conf", "r");
    if (!conf || fscanf(conf, "level %d", &level) != 1) return 1;
    size_t size = fread(in, 1, sizeof in, stdin);
    uLongf packed = sizeof out;
    if (compress2(out, &packed, in, size, level) != Z_OK) return 2;
    printf("level %d: %zu -> %s\n", level, size, packed < size ? "less" : "more");
    return 0;
}
