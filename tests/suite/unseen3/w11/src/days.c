#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "days.h"

char *read_all(const char *file)
{
    FILE *in = fopen(file, "rb");
    char *text;
    long size;

    if (!in)
        return NULL;
    fseek(in, 0, SEEK_END);
    size = ftell(in);
    rewind(in);
    text = malloc(size + 1);
    text[fread(text, 1, size, in)] = 0;
    fclose(in);
    return text;
}

char *read_day(const char *directory, const char *day)
{
    char file[512];

    if (strlen(day) != 5 || !isdigit(day[0]) || !isdigit(day[1]) || day[2] != '-' || !isdigit(day[3]) || !isdigit(day[4]))
        return NULL;
    snprintf(file, sizeof file, "%s/days/%s.day", directory, day);
    return read_all(file);
}
