#include <errno.h>
#include <string.h>
#include "dump.h"

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FILE *in = fopen(argv[i], "rb");
        if (!in) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
            return 1;
        }
        dump(in, stdout);
        fclose(in);
    }
    return 0;
}
