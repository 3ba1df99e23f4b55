#ifndef GAME_H
#define GAME_H

#define MAX_ROOMS 32
#define MAX_DOORS 4

struct room {
    char name[32];
    char text[200];
    char doors[MAX_DOORS];
    int to[MAX_DOORS];
    int door_count;
};

extern struct room rooms[MAX_ROOMS];
extern int room_count;

int load_rooms(const char *file);
int find_room(const char *name);

#endif
