/* packages.c: what package managers do to an image's files, by the description of the program. */
#define _GNU_SOURCE
#include "stub.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *placed(const char *path) { /* "~/x" in the user's home */
  static char found[PATH_MAX];
  if (path[0] != '~') return path;
  snprintf(found, sizeof found, "%s%s", home(), path + 1);
  return found;
}
static void mark(const struct words *places) {
  for (int i = 0; i < places->count && i < 1; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/dry-%s", placed(places->at[i]), is("apt") || is("aptitude") ? "apt-get" : name);
    put(path, "x\n", 0644);
  }
}
static int marked(const struct words *places) {
  for (int i = 0; i < places->count; i++) {
    DIR *directory = opendir(placed(places->at[i]));
    if (!directory) continue;
    for (struct dirent *entry; (entry = readdir(directory));)
      if (starts(entry->d_name, "dry-")) {
        closedir(directory);
        return 1;
      }
    closedir(directory);
  }
  return 0;
}
static void unmark(const struct words *places) {
  for (int i = 0; i < places->count; i++) {
    char directory_name[PATH_MAX];
    snprintf(directory_name, sizeof directory_name, "%s", placed(places->at[i]));
    DIR *directory = opendir(directory_name);
    if (!directory) continue;
    for (struct dirent *entry; (entry = readdir(directory));)
      if (starts(entry->d_name, "dry-")) {
        char path[PATH_MAX + 300];
        snprintf(path, sizeof path, "%s/%s", directory_name, entry->d_name);
        unlink(path);
      }
    closedir(directory);
  }
}

/* The package's name in an operand: "./a.deb", "jq=1.6-2", "flask>=2", "@vue/cli@5". */
static int package(const char *operand, char *found, size_t room) {
  if (operand[0] == '@') { /* a scope: its last part names the program */
    const char *slash = strchr(operand, '/');
    if (!slash) return 0;
    operand = slash + 1;
  } else {
    operand = base(operand);
  }
  snprintf(found, room, "%s", operand);
  char *end = strpbrk(found, fx.ends ? fx.ends : "=<>~!@:[; ");
  if (end) *end = 0;
  for (char *at = found; *at; at++)
    if (*at == '/' || *at == '*') return 0;
  return found[0] != 0 && found[0] != '.';
}

static int has_flag(const char *flags, const char *wanted) {
  size_t length = strlen(wanted);
  for (const char *at = flags; (at = strstr(at, wanted)); at += length)
    if ((at == flags || at[-1] == ',') && (at[length] == ',' || !at[length])) return 1;
  return 0;
}

static void record_of(const char *package_name, char *path, size_t room) {
  const char *percent = strchr(fx.record, '%');
  snprintf(path, room, "%.*s%s%s", (int)(percent - fx.record), fx.record, package_name, percent + 2);
}

static void leave(const char *path) {
  if (exists(path)) return;
  if (strstr(path, "bin/")) put(path, "#!/.dry/stub\n", 0755);
  else put(path, "x\n", 0644);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void install(const char *package_name) {
  char path[PATH_MAX];
  int placed_itself = 0;
  for (int i = 0; i + 1 < fx.brings.count; i += 2)
    if (!strcmp(fx.brings.at[i], package_name)) {
      placed_itself = 1;
      leave(fx.brings.at[i + 1]);
    }
  for (int i = 0; i + 1 < fx.recommends.count && !flag("--no-install-recommends"); i += 2)
    if (!strcmp(fx.recommends.at[i], package_name) && !exists(fx.recommends.at[i + 1]))
      leave(fx.recommends.at[i + 1]);
  const char *directory = fx.bin;
  char own[PATH_MAX];
  if (starts(name, "pip") && (flag("--user") || getuid())) {
    snprintf(own, sizeof own, "%s/.local/bin", home());
    snprintf(path, sizeof path, "%s/.local/lib/python3/site-packages/%s", home(), package_name);
    put(path, "x\n", 0644);
    directory = own;
  } else if (fx.record) {
    record_of(package_name, path, sizeof path);
    put(path, "x\n", 0644);
  }
  if (directory && !placed_itself) program(directory, package_name);
}
static void erase(const char *package_name) {
  char path[PATH_MAX], group[PATH_MAX];
  if (fx.record) {
    record_of(package_name, path, sizeof path);
    FILE *list = fopen(path, "r"); /* a group of packages lists its members */
    if (list) {
      while (fgets(group, sizeof group, list))
        if (starts(group, "member ")) {
          group[strcspn(group, "\n")] = 0;
          unlink(path);
          erase(group + 7);
        }
      fclose(list);
    }
    unlink(path);
  }
  if (fx.bin) {
    snprintf(path, sizeof path, "%s/%s", fx.bin, package_name);
    struct stat st;
    if (!lstat(path, &st) && S_ISLNK(st.st_mode)) unlink(path);
  }
}

int package_manager(void) {
  char *operands[WORDS], *group = NULL, command[256] = "";
  int count = 0, in_group = 0, fresh = fx.self_refreshing, keeps = 1;
  for (int i = 1; i < ac; i++) {
    if (av[i][0] == '-' && av[i][1]) {
      if (has(&fx.fresh, av[i])) fresh = 1;
      if (has(&fx.no_cache, av[i])) keeps = 0;
      if (has(&fx.group_options, av[i]) && i + 1 < ac) group = av[i + 1];
      if (starts(av[i], "--virtual=")) group = av[i] + 10;
      if (has(&fx.value_options, av[i])) i++;
    } else if (!command[0] || in_group) {
      int before = strlen(command);
      snprintf(command + before, sizeof command - before, "%s%s", in_group ? " " : "", av[i]);
      in_group = !before && has(&fx.groups, av[i]);
    } else if (count < WORDS) {
      operands[count++] = av[i];
    }
  }
  const char *flags = NULL;
  for (int i = 0; i + 1 < fx.commands.count; i += 2)
    if (!strcmp(fx.commands.at[i], command)) flags = fx.commands.at[i + 1];
  if (!flags) return 0;
  for (int i = 0; i < fx.env_no_cache.count; i++) {
    const char *value = getenv(fx.env_no_cache.at[i]);
    if (value && *value) keeps = 0;
  }
  if (fx.kept_unless && exists(fx.kept_unless)) keeps = 0;
  struct words cache = fx.cache;
  for (int i = 0; i < fx.kept_in.count; i++)
    if (exists(fx.kept_in.at[i])) cache = fx.index = (struct words){{fx.kept_in.at[i]}, 1};
  for (int i = 0; i < fx.env_cache.count; i++) {
    char *value = getenv(fx.env_cache.at[i]);
    if (value && *value) cache = (struct words){{value}, 1};
  }
  for (int i = 0; i < fx.cache_options.count; i++) {
    char *value = option(NULL, fx.cache_options.at[i]);
    if (value && *value == '/') cache = (struct words){{value}, 1};
  }
  int goes_out = has_flag(flags, "refreshes") || has_flag(flags, "installs") || has_flag(flags, "downloads");
  if (offline() && goes_out && !marked(&cache) && !has_flag(flags, "cleans")) {
    fprintf(stderr, "%s: no network, and nothing cached\n", name);
    return 1;
  }
  if (has_flag(flags, "needs-downloads") && offline() && !marked(&cache)) {
    fprintf(stderr, "%s: no network, and nothing cached\n", name);
    return 1;
  }
  if (has_flag(flags, "refreshes")) mark(&fx.index);
  if (has_flag(flags, "reads-index") && !fresh && !marked(&fx.index)) {
    fprintf(stderr, "%s: no package index\n", name);
    return 100;
  }
  if (fx.self_refreshing && goes_out && keeps) mark(&fx.index);
  char found[256];
  if (has_flag(flags, "installs")) {
    char list[16384] = "";
    size_t length = 0;
    if (group) qsort(operands, count, sizeof *operands, by_name);
    for (int i = 0; i < count; i++)
      if (package(operands[i], found, sizeof found)) {
        for (int r = 0; r + 1 < fx.requires.count; r += 2)
          if (starts(found, fx.requires.at[r]) && !exists(fx.requires.at[r + 1])) {
            fprintf(stderr, "%s: %s: can't cd to %s: No such file or directory\n", name, found, fx.requires.at[r + 1]);
            return 100;
          }
        if (fx.local && !flag("-g") && !flag("--global") && strcmp(command, "global add")) continue;
        install(found);
        if (length < sizeof list) length += snprintf(list + length, sizeof list - length, "member %s\n", found);
      }
    char *list_file = starts(name, "pip") ? option("-r", "--requirement") : NULL;
    if (list_file) {
      snprintf(found, sizeof found, "of-%s", base(list_file));
      install(found);
    }
    if (group && fx.record) {
      char path[PATH_MAX];
      record_of(group, path, sizeof path);
      put(path, list, 0644);
    }
    if (fx.local && !flag("-g") && !flag("--global")) put(fx.local, "x\n", 0644);
  }
  if (has_flag(flags, "removes"))
    for (int i = 0; i < count; i++)
      if (package(operands[i], found, sizeof found)) erase(found);
  if ((has_flag(flags, "caches") || has_flag(flags, "downloads")) && keeps) mark(&cache);
  if (has_flag(flags, "cleans")) {
    unmark(&cache);
    if (has_flag(flags, "cleans-index")) unmark(&fx.index);
  }
  for (int i = 1; i < ac; i++)
    if (has(&fx.creates_options, av[i]) && i + 1 < ac) put(av[i + 1], "#!/.dry/stub\n", 0777);
  return 0;
}
