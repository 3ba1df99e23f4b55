#pragma once
#include <stddef.h>

/* The text of a day, MM-DD, to be freed; NULL: nothing happened. */
char *read_day(const char *directory, const char *day);
char *read_all(const char *file);
