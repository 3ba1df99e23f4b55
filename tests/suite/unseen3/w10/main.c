#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "game.h"

static void help(void)
{
    char line[256];
    FILE *in = fopen("help.txt", "r");

    if (!in) {
        puts("no help today");
        return;
    }
    while (fgets(line, sizeof line, in))
        fputs(line, stdout);
    fclose(in);
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : "cellar.txt";
    int here = 0, steps = 0, c;

    if (load_rooms(file) <= 0) {
        fprintf(stderr, "nothing to explore in %s\n", file);
        return 2;
    }
    printf("%s: %s\n", rooms[here].name, rooms[here].text);
    while ((c = getchar()) != EOF) {
        int moved = 0;
        if (c == '\n' || c == ' ')
            continue;
        if (c == '?') {
            help();
            continue;
        }
        for (int i = 0; i < rooms[here].door_count; i++)
            if (rooms[here].doors[i] == c) {
                here = rooms[here].to[i];
                moved = 1;
                break;
            }
        steps++;
        if (moved)
            printf("%s: %s\n", rooms[here].name, rooms[here].text);
        else
            puts("a wall");
    }
    printf("%d steps, tired to %.2f\n", steps, 1 - exp(-steps / 10.0));
    return 0;
}
