/* Runs of blanks become one. */
void filter(char *line) {
    char *to = line;
    for (char *from = line; *from != '\0'; from++)
        if (*from != ' ' || to == line || to[-1] != ' ') *to++ = *from;
    *to = '\0';
}
