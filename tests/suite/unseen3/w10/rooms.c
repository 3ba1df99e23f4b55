#include <stdio.h>
#include <string.h>
#include "game.h"

struct room rooms[MAX_ROOMS];
int room_count = 0;

int find_room(const char *name)
{
    for (int i = 0; i < room_count; i++)
        if (strcmp(rooms[i].name, name) == 0)
            return i;
    return -1;
}

/* "room NAME", then its text, then "door LETTER NAME" lines; read twice, so that doors may lead forward */
int load_rooms(const char *file)
{
    char line[256], name[32], letter;

    for (int pass = 0; pass < 2; pass++) {
        FILE *in = fopen(file, "r");
        int at = -1;
        if (!in) {
            perror(file);
            return -1;
        }
        while (fgets(line, sizeof line, in)) {
            line[strcspn(line, "\n")] = 0;
            if (sscanf(line, "room %31s", name) == 1) {
                at = pass ? find_room(name) : room_count++;
                strcpy(rooms[at].name, name);
                rooms[at].text[0] = 0;
            } else if (sscanf(line, "door %c %31s", &letter, name) == 2) {
                struct room *r = &rooms[at];
                if (pass && r->door_count < MAX_DOORS) {
                    r->doors[r->door_count] = letter;
                    r->to[r->door_count++] = find_room(name);
                }
            } else if (line[0]) {
                snprintf(rooms[at].text, sizeof rooms[at].text, "%.190s", line);
            }
        }
        fclose(in);
    }
    return room_count;
}
