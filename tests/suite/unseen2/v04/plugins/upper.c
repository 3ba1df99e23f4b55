#include <ctype.h>

void filter(char *line) {
    for (; *line != '\0'; line++) *line = (char)toupper((unsigned char)*line);
}
