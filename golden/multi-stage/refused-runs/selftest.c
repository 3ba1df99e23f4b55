#include <stdio.h>
int main(void) {
    FILE *log = fopen("/var/lib/count.log", "w");
    return fclose(log);
}
