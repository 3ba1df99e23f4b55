/* What the parts of the stand-in share: the call, the description of its program, and small helpers. */
#ifndef STUB_H
#define STUB_H
#include <stddef.h>

enum { WORDS = 256 };

extern char *name, **av; /* the program's base name; its arguments, av[0] included */
extern int ac;

/* The description of a program, as effects.py writes it to /.dry/effects/NAME: lines of a key and tab-separated words. */
struct words { char *at[WORDS]; int count; };
struct effects {
  struct words value_options, groups, index, cache, no_cache, env_no_cache, cache_options, env_cache, fresh, offline,
      env_offline, group_options, creates_options, kept_in, brings, recommends,
      requires, prints, commands;
  char *bin, *record, *ends, *kept_unless, *local;
  int self_refreshing, reads_stdin, known;
};
extern struct effects fx;

unsigned long long fnv(const char *text, unsigned long long hash);
const char *base(const char *path);
int is(const char *program);
int starts(const char *text, const char *prefix);
int ends_with(const char *text, const char *suffix);
int flag(const char *option);
char *option(const char *short_option, const char *long_option);
char *short_value(const char *letters, char wanted);
const char *home(void);
void mkdirs(const char *path);
int put(const char *path, const char *text, int mode);
void program(const char *directory, const char *program_name);
int exists(const char *path);
int has(const struct words *list, const char *word);
void drain(void);
int offline(void);
void read_effects(void);

int package_manager(void); /* packages.c: by the tables */
int tool(void);            /* tools.c: downloads, archives, checksums, compilers; -1 where it is none of them */
int account(void);         /* accounts.c: users and groups, programs that become another user; -1 */
#endif
