/* stub.c: stands in for every program that a build calls and its world lacks. It writes what it was called with to
   /.dry/log, fails where /.dry/fail names this very call, and otherwise does to the files what the program is known for:
   by the tables that effects.py writes to /.dry/effects, or by tools.c and accounts.c.

   /.dry/log   a line a call, tab-separated: arguments, directory, user, group, umask, pipe on standard input, pipe on
               standard output (inode numbers, 0 for none), environment. Words within a field are separated by \x1f;
               a newline in one is \x1e, a tab \x1d. Names that mktemp made are masked.
   /.dry/hints/NAME  what calls of that program were found to leave: lines of a first operand, a directory, a kind ("file" or
               "directory") and a path: made after such a call
   /.dry/refuses/NAME  arguments, a line a call, that this program is too old for
   /.dry/fail  KIND, arguments, number, tab-separated: the call of these arguments that has that number (from 0) fails.
               KIND: "exit" (status 1, nothing done), "signal" (killed by SIGTERM), "full" (all done, then status 1) */
#define _GNU_SOURCE
#include "stub.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;
char *name, **av;
int ac;
struct effects fx;

unsigned long long fnv(const char *s, unsigned long long h) {
  while (*s) h = (h ^ (unsigned char)*s++) * 1099511628211ULL;
  return h;
}
const char *base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}
int is(const char *program) { return !strcmp(name, program); }
int starts(const char *text, const char *prefix) { return !strncmp(text, prefix, strlen(prefix)); }
int ends_with(const char *text, const char *suffix) {
  size_t a = strlen(text), b = strlen(suffix);
  return a >= b && !strcmp(text + a - b, suffix);
}
int flag(const char *wanted) {
  for (int i = 1; i < ac; i++)
    if (!strcmp(av[i], wanted)) return 1;
  return 0;
}
/* The value of an option: "-o V", "-oV", "--output V", "--output=V". */
char *option(const char *s, const char *l) {
  for (int i = 1; i < ac; i++) {
    if (s && !strcmp(av[i], s) && i + 1 < ac) return av[i + 1];
    if (l && !strcmp(av[i], l) && i + 1 < ac) return av[i + 1];
    if (l && starts(av[i], l) && av[i][strlen(l)] == '=') return av[i] + strlen(l) + 1;
    if (s && strlen(s) == 2 && av[i][0] == '-' && av[i][1] == s[1] && av[i][2]) return av[i] + 2;
  }
  return NULL;
}
/* The value of a short option that is joined to others: of "-qO FILE", "-qOFILE", "-fsSLo FILE"; `letters` take none. */
char *short_value(const char *letters, char wanted) {
  for (int i = 1; i < ac; i++) {
    if (av[i][0] != '-' || av[i][1] == '-') continue;
    char *at = av[i] + 1;
    while (*at && *at != wanted && strchr(letters, *at)) at++;
    if (*at == wanted) return at[1] ? at + 1 : i + 1 < ac ? av[i + 1] : NULL;
  }
  return NULL;
}
const char *home(void) {
  const char *found = getenv("HOME");
  return found && *found ? found : "/root";
}
void mkdirs(const char *path) {
  char copy[4096];
  snprintf(copy, sizeof copy, "%s", path);
  for (char *at = copy + 1; *at; at++)
    if (*at == '/') {
      *at = 0;
      mkdir(copy, 0777);
      *at = '/';
    }
  mkdir(copy, 0777);
}
int put(const char *path, const char *text, int mode) {
  char above[4096];
  snprintf(above, sizeof above, "%s", path);
  char *slash = strrchr(above, '/');
  if (slash && slash != above) {
    *slash = 0;
    mkdirs(above);
  }
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (file < 0) return 0;
  int good = write(file, text, strlen(text)) >= 0;
  close(file);
  return good;
}
#define STAND_IN "# a program of the image\n"
/* A program that has come to the image; shells are real ones. */
void program(const char *directory, const char *program_name) {
  char path[4096], real[512];
  snprintf(path, sizeof path, "%s/%s", directory, program_name);
  snprintf(real, sizeof real, "/.dry/shells/%s", program_name);
  mkdirs(directory);
  if (!exists(real)) {
    int becomes = !strcmp(program_name, "sudo") || !strcmp(program_name, "su");
    if (access(path, F_OK) && put(path, becomes ? "#!/.dry/sudo\n" STAND_IN : "#!/.dry/stub\n" STAND_IN, 0755)) chmod(path, 0755);
    return;
  }
  snprintf(path, sizeof path, "/bin/%s", program_name);
  if (access(path, F_OK) && symlink(real, path)) {}
}
int exists(const char *path) { return access(path, F_OK) == 0; }
int has(const struct words *list, const char *word) {
  for (int i = 0; i < list->count; i++)
    if (!strcmp(list->at[i], word)) return 1;
  return 0;
}
/* Reads what is piped in, so that the writer meets no closed pipe. */
void drain(void) {
  struct stat st;
  char block[8192];
  if (!fstat(0, &st) && S_ISFIFO(st.st_mode))
    while (read(0, block, sizeof block) > 0) {}
}
int offline(void) {
  for (int i = 0; i < fx.env_offline.count; i++) {
    char variable[128];
    snprintf(variable, sizeof variable, "%.*s", (int)strcspn(fx.env_offline.at[i], "="), fx.env_offline.at[i]);
    const char *value = getenv(variable), *wanted = strchr(fx.env_offline.at[i], '=');
    if (wanted) {
      if (value && !strcmp(value, wanted + 1)) return 1;
    } else if (value && *value && strcmp(value, "0") && strcmp(value, "false")) return 1;
  }
  for (int i = 1; i < ac; i++)
    if (has(&fx.offline, av[i])) return 1;
  return exists("/.dry/offline");
}

void read_effects(void) {
  memset(&fx, 0, sizeof fx);
  static const struct { char key; size_t at; } lists[] = {
      {'v', offsetof(struct effects, value_options)}, {'g', offsetof(struct effects, groups)},
      {'i', offsetof(struct effects, index)},         {'c', offsetof(struct effects, cache)},
      {'n', offsetof(struct effects, no_cache)},      {'N', offsetof(struct effects, env_no_cache)},
      {'C', offsetof(struct effects, cache_options)}, {'E', offsetof(struct effects, env_cache)},
      {'f', offsetof(struct effects, fresh)},         {'o', offsetof(struct effects, offline)},
      {'O', offsetof(struct effects, env_offline)},   {'G', offsetof(struct effects, group_options)},
      {'d', offsetof(struct effects, creates_options)}, {'p', offsetof(struct effects, prints)},
      {'K', offsetof(struct effects, kept_in)},       {'B', offsetof(struct effects, brings)},
      {'R', offsetof(struct effects, recommends)},    {'Q', offsetof(struct effects, requires)},
      {'k', offsetof(struct effects, commands)}};
  char path[512];
  snprintf(path, sizeof path, "/.dry/effects/%s", name);
  FILE *file = fopen(path, "r");
  if (!file) { /* pip3.11 is a pip, python3.12 a python */
    size_t length = strlen(path);
    while (length && strchr("0123456789.", path[length - 1])) path[--length] = 0;
    file = fopen(path, "r");
  }
  if (!file) return;
  fx.known = 1;
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, file) > 0) {
    char *rest = strdup(line), *word;
    rest[strcspn(rest, "\n")] = 0;
    char key = *rest;
    word = strchr(rest, '\t');
    word = word ? word + 1 : rest + strlen(rest);
    if (key == 'b') fx.bin = word;
    else if (key == 'r') fx.record = word;
    else if (key == 't') fx.ends = word;
    else if (key == 'x') fx.kept_unless = word;
    else if (key == 'L') fx.local = word;
    else if (key == 's') fx.self_refreshing = 1;
    else if (key == 'w') fx.reads_stdin = 1;
    else
      for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i].key == key) {
          struct words *list = (struct words *)((char *)&fx + lists[i].at);
          for (char *one = strsep(&word, "\t"); one; one = strsep(&word, "\t"))
            if (list->count < WORDS) list->at[list->count++] = one;
        }
  }
  fclose(file);
}

/* A word as the log has it: mktemp's names masked, separators replaced. */
static char *shown(const char *word) {
  char *copy = strdup(word);
  for (char *at = copy; (at = strstr(at, "tmp.")); at += 4)
    for (char *r = at + 4; *r && ((*r | 32) >= 'a' ? (*r | 32) <= 'z' : *r >= '0' && *r <= '9'); r++) *r = '_';
  for (char *at = copy; *at; at++)
    if (*at == '\n') *at = '\x1e';
    else if (*at == '\t') *at = '\x1d';
  return copy;
}
static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static unsigned long long pipe_on(int descriptor) {
  struct stat st;
  return !fstat(descriptor, &st) && S_ISFIFO(st.st_mode) ? st.st_ino : 0;
}

/* Logs the call; returns how many of the same arguments were logged before. */
static int log_call(const char *key) {
  char cwd[4096];
  if (!getcwd(cwd, sizeof cwd)) strcpy(cwd, "?");
  int count = 0, kept = 0;
  while (environ[count]) count++;
  char **environment = malloc(sizeof *environment * (count + 1));
  for (int i = 0; i < count; i++)
    if (!starts(environ[i], "PWD=") && !starts(environ[i], "OLDPWD=") && !starts(environ[i], "SHLVL=") &&
        !starts(environ[i], "_="))
      environment[kept++] = shown(environ[i]);
  qsort(environment, kept, sizeof *environment, by_text);
  mode_t mask = umask(0);
  umask(mask);
  int lock = open("/.dry/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666), seen = 0;
  if (lock >= 0) flock(lock, LOCK_EX);
  FILE *log = fopen("/.dry/log", "a+");
  if (log) {
    char *line = NULL;
    size_t room = 0, length = strlen(key);
    rewind(log);
    while (getline(&line, &room, log) > 0)
      if (!strncmp(line, key, length) && line[length] == '\t') seen++;
    fprintf(log, "%s\t%s\t%d\t%d\t%03o\t%llu\t%llu\t", key, shown(cwd), getuid(), getgid(), mask, pipe_on(0), pipe_on(1));
    for (int i = 0; i < kept; i++) fprintf(log, "%s%s", i ? "\x1f" : "", environment[i]);
    fputc('\n', log);
    fclose(log);
  }
  if (lock >= 0) close(lock);
  return seen;
}

/* The kind of failure that /.dry/fail wants of this call, or "". */
static const char *failure(const char *key, int number) {
  FILE *file = fopen("/.dry/fail", "r");
  if (!file) return "";
  char *line = NULL;
  size_t room = 0;
  ssize_t length = getline(&line, &room, file);
  fclose(file);
  if (length <= 0) return "";
  line[strcspn(line, "\n")] = 0;
  char *kind = strsep(&line, "\t"), *wanted = strsep(&line, "\t");
  return line && wanted && !strcmp(wanted, key) && atoi(line) == number ? kind : "";
}

static void leave_hinted(void) {
  char path[512], cwd[4096], *line = NULL;
  const char *operand = "";
  size_t room = 0;
  snprintf(path, sizeof path, "/.dry/hints/%s", is("apt") ? "apt-get" : name);
  FILE *file = fopen(path, "r");
  if (!file || !getcwd(cwd, sizeof cwd)) return;
  for (int i = ac - 1; i > 0; i--)
    if (av[i][0] != '-') operand = shown(av[i]);
  while (getline(&line, &room, file) > 0) {
    char *rest = line, *first = strsep(&rest, "\t"), *directory = strsep(&rest, "\t"), *kind = strsep(&rest, "\t\n");
    if (!rest || strcmp(first, operand) || strcmp(directory, cwd)) continue;
    rest[strcspn(rest, "\n")] = 0;
    if (!strcmp(kind, "directory")) mkdirs(rest);
    else if (!exists(rest)) put(rest, "#!/.dry/stub\n", 0755);
  }
  fclose(file);
}

static int refused(const char *joined) {
  char path[512], *line = NULL;
  size_t room = 0;
  snprintf(path, sizeof path, "/.dry/refuses/%s", name);
  FILE *file = fopen(path, "r");
  while (file && getline(&line, &room, file) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (starts(joined, line)) {
      fprintf(stderr, "%s: unknown option in %s\n", name, joined);
      return 1;
    }
  }
  if (file) fclose(file);
  return 0;
}

static int act(void) {
  char joined[4096];
  size_t length = 0;
  joined[0] = 0;
  for (int w = 1; w < ac && length < sizeof joined - 1; w++)
    length += snprintf(joined + length, sizeof joined - length, "%s%s", w > 1 ? " " : "", av[w]);
  if (refused(joined)) return 2;
  if (fx.reads_stdin) drain();
  for (int i = 0; i + 1 < fx.prints.count; i += 2) {
    if (starts(joined, fx.prints.at[i])) {
      puts(fx.prints.at[i + 1]);
      return 0;
    }
  }
  int status = account();
  if (status < 0) status = tool();
  if (status < 0 && fx.commands.count) status = package_manager();
  if (status >= 0) return status;
  for (int i = 1; i < ac; i++)
    if (has(&fx.creates_options, av[i]) && i + 1 < ac) put(av[i + 1], "#!/.dry/stub\n", 0777);
  if (!fx.known) drain();
  return 0;
}

int main(int argc, char **argv) {
  name = strdup(base(argv[0]));
  ac = argc;
  av = argv;
  if (!strncmp(argv[0], "/.dry/s", 7) && argc > 1) { /* the interpreter of a script */
    name = strdup(base(argv[1]));
    av++;
    ac--;
  }
  read_effects();
  size_t size = strlen(name) + 2;
  char **words = malloc(sizeof *words * (ac + 1));
  for (int i = 1; i < ac; i++) size += strlen(words[i] = shown(av[i])) + 1;
  char *key = malloc(size), *at = stpcpy(key, name);
  for (int i = 1; i < ac; i++) {
    *at++ = '\x1f';
    at = stpcpy(at, words[i]);
  }
  const char *kind = failure(key, log_call(key));
  if (!strcmp(kind, "exit")) return 1;
  if (!strcmp(kind, "signal")) {
    signal(SIGTERM, SIG_DFL);
    kill(getpid(), SIGTERM);
    return 143;
  }
  int full = !strcmp(kind, "full"), status = act();
  if (!status) leave_hinted();
  if (full) {
    fprintf(stderr, "%s: write error: No space left on device\n", name);
    return 1;
  }
  return status;
}
