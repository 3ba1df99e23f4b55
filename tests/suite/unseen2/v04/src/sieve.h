#ifndef SIEVE_H
#define SIEVE_H

/* What a plug-in offers as the symbol `filter`: changes the line in place. */
typedef void (*sieve_filter)(char *line);

/* The filter of that name, or NULL after a message on standard error. */
sieve_filter sieve_load(const char *name);

/* Calls `each` with the name and the text of every filter of the configuration; 0 when it could be read. */
int sieve_list(void (*each)(const char *name, const char *text));

#endif
