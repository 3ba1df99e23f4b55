#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int show(void *unused, int columns, char **values, char **names) {
    (void)unused, (void)columns, (void)names;
    return printf("%s: %s\n", values[0], values[1]) < 0;
}

int main(int count, char **words) {
    if (count == 1) {
        char line[80];
        FILE *greeting = fopen("/usr/local/share/notes/greeting", "r");
        if (!greeting || !fgets(line, sizeof line, greeting))
            return 2;
        fputs(line, stdout);
        return 0;
    }
    sqlite3 *notes;
    if (sqlite3_open(getenv("NOTES"), &notes) != SQLITE_OK)
        return 2;
    sqlite3_exec(notes, "create table if not exists note (id integer primary key, text text)", NULL, NULL, NULL);
    for (int i = 1; i < count; i++) {
        char *insert = sqlite3_mprintf("insert into note (text) values (%Q)", words[i]);
        sqlite3_exec(notes, insert, NULL, NULL, NULL);
        sqlite3_free(insert);
    }
    int failed = sqlite3_exec(notes, "select id, text from note order by id", show, NULL, NULL);
    sqlite3_close(notes);
    return failed != SQLITE_OK;
}
