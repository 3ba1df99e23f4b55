/* accounts.c: programs that make users and groups, and programs that run others, perhaps as another user. */
#define _GNU_SOURCE
#include "stub.h"
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The field of a row of /etc/passwd or /etc/group whose first field, or third as a number, is `key`; "" without. */
static char *row_of(const char *file, const char *key, int by_number) {
  FILE *rows = fopen(file, "r");
  char *line = NULL;
  size_t room = 0;
  while (rows && getline(&line, &room, rows) > 0) {
    char *copy = strdup(line), *rest = copy, *first = strsep(&rest, ":");
    strsep(&rest, ":");
    char *number = rest ? strsep(&rest, ":\n") : "";
    if (!strcmp(by_number ? (number ? number : "") : first, key)) {
      line[strcspn(line, "\n")] = 0;
      fclose(rows);
      return line;
    }
  }
  if (rows) fclose(rows);
  return NULL;
}
static char *field(char *row, int number) {
  char *copy = strdup(row), *found = copy;
  while (number-- && found) strsep(&copy, ":");
  return copy ? strsep(&copy, ":") : found ? found : "";
}
static void append(const char *file, const char *text) {
  int out = open(file, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (out < 0 || write(out, text, strlen(text)) < 0) return;
  close(out);
}
/* Drops the row of `key` from a file, or replaces it by `text`. */
static int rewrite(const char *file, const char *key, const char *text) {
  FILE *rows = fopen(file, "r");
  if (!rows) return 0;
  char *line = NULL, *all = strdup("");
  size_t room = 0, length = strlen(key);
  int found = 0;
  while (getline(&line, &room, rows) > 0) {
    int same = !strncmp(line, key, length) && line[length] == ':';
    found |= same;
    const char *kept = same ? text : line;
    all = realloc(all, strlen(all) + strlen(kept) + 1);
    strcat(all, kept);
  }
  fclose(rows);
  put(file, all, 0644);
  return found;
}
static int free_number(const char *file, int system) { /* shadow's way: 1000 upwards, system accounts 999 downwards */
  char text[16];
  for (int number = system ? 999 : 1000; number > 0; number += system ? -1 : 1) {
    snprintf(text, sizeof text, "%d", number);
    if (!row_of(file, text, 1)) return number;
  }
  return 1;
}

static const char valued[] = "bcdefgGkKpRsuZhoO"; /* short options of useradd, adduser and groupadd that take a value */
static int operands(char **found, int room) {
  int count = 0, shadow = starts(name, "user") || starts(name, "group");
  for (int i = 1; i < ac; i++) {
    if (av[i][0] == '-' && av[i][1] == '-') {
      static const char *const alone[] = {"--system", "--disabled-password", "--disabled-login", "--no-create-home",
                                          "--create-home", "--no-user-group", "--user-group", "--no-log-init", "--quiet",
                                          "--group", "--force-badname", "--allow-bad-names", "--force", "--remove",
                                          "--append", "--non-unique", "--remove-home", "--lock", "--allow-uid", NULL};
      int value = !strchr(av[i], '=');
      for (int a = 0; alone[a]; a++) value &= !!strcmp(av[i], alone[a]);
      if (is("useradd") || is("usermod") || is("adduser") || is("groupadd") || is("addgroup")) i += value;
    } else if (av[i][0] == '-' && av[i][1]) {
      char last = av[i][strlen(av[i]) - 1];
      if (last == 'o' && shadow) continue; /* -o: --non-unique */
      if (last == 'k' && is("adduser")) { i++; continue; }
      if (strchr(valued, last) && !(last == 'd' && is("userdel")) && !(is("userdel") || is("deluser"))) i++;
    } else if (count < room) found[count++] = av[i];
  }
  return count;
}
static int short_flag(char letter) {
  for (int i = 1; i < ac; i++)
    if (av[i][0] == '-' && av[i][1] != '-' && strchr(av[i] + 1, letter)) return 1;
  return 0;
}

static int add_group(const char *group, const char *number, int system) {
  char row[512];
  if (row_of("/etc/group", group, 0)) {
    if (short_flag('f') || flag("--force")) return 0;
    fprintf(stderr, "%s: group '%s' already exists\n", name, group);
    return 9;
  }
  if (number && row_of("/etc/group", number, 1) && !short_flag('o') && !flag("--non-unique")) {
    fprintf(stderr, "%s: GID '%s' already exists\n", name, number);
    return 4;
  }
  if (number) snprintf(row, sizeof row, "%s:x:%s:\n", group, number);
  else snprintf(row, sizeof row, "%s:x:%d:\n", group, free_number("/etc/group", system));
  append("/etc/group", row);
  return 0;
}
static void join(const char *user, const char *group) {
  char *row = row_of("/etc/group", group, 0), text[1024];
  if (!row) row = row_of("/etc/group", group, 1);
  if (!row) return;
  snprintf(text, sizeof text, "%s%s%s\n", row, ends_with(row, ":") ? "" : ",", user);
  char *key = field(row, 0);
  rewrite("/etc/group", key, text);
}

static int add_user(void) {
  char *names[4], row[1024], place[512];
  int count = operands(names, 4), debian = is("adduser") && exists("/etc/debian_version"), busybox = is("adduser") && !debian;
  if (!count) return 2;
  if (count == 2 && is("adduser") && row_of("/etc/passwd", names[0], 0)) {
    join(names[0], names[1]);
    return 0;
  }
  const char *user = names[0];
  int system = short_flag('r') || flag("--system") || (busybox && short_flag('S'));
  if (row_of("/etc/passwd", user, 0)) {
    fprintf(stderr, "%s: user '%s' already exists\n", name, user);
    return debian && system ? 0 : 9;
  }
  char *uid = option("-u", "--uid"), *where = option(is("useradd") ? "-d" : busybox ? "-h" : NULL, is("useradd") ? "--home-dir" : "--home");
  if (!where) where = option(NULL, "--home");
  char *group = is("useradd") ? option("-g", "--gid") : busybox ? option("-G", "--ingroup") : option(NULL, "--ingroup");
  if (debian && !group) group = option(NULL, "--gid");
  char *shell = option("-s", "--shell");
  if (uid && row_of("/etc/passwd", uid, 1) && !short_flag('o') && !flag("--non-unique")) {
    fprintf(stderr, "%s: UID %s is not unique\n", name, uid);
    return 4;
  }
  int number = uid ? atoi(uid) : free_number("/etc/passwd", system), gid = number;
  if (group) {
    char *found = row_of("/etc/group", group, 0);
    if (!found) found = row_of("/etc/group", group, 1);
    if (!found) {
      fprintf(stderr, "%s: unknown group %s\n", name, group);
      return 6;
    }
    gid = atoi(field(found, 2));
  } else if (!(is("useradd") && (short_flag('N') || flag("--no-user-group"))) && !(debian && system && !flag("--group"))) {
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    int status = row_of("/etc/group", user, 0) && is("useradd") ? 9 : row_of("/etc/group", user, 0) ? 0 : add_group(user, row_of("/etc/group", text, 1) ? NULL : text, system);
    if (status) {
      fprintf(stderr, "%s: group %s exists\n", name, user);
      return status;
    }
    char *made = row_of("/etc/group", user, 0);
    if (made) gid = atoi(field(made, 2));
  } else gid = debian && system ? 65534 : 100;
  snprintf(place, sizeof place, "%s%s", where ? where : debian && system ? "/nonexistent" : "/home/", where || (debian && system) ? "" : user);
  snprintf(row, sizeof row, "%s:x:%d:%d::%s:%s\n", user, number, gid, place, shell ? shell : system && !is("useradd") ? "/usr/sbin/nologin" : "/bin/sh");
  append("/etc/passwd", row);
  char *more = is("useradd") ? option("-G", "--groups") : NULL;
  if (more)
    for (char *list = strdup(more), *one; (one = strsep(&list, ","));) join(user, one);
  int makes_home = is("useradd") ? (short_flag('m') || flag("--create-home") || (exists("/etc/redhat-release") && !system)) && !short_flag('M')
                                 : !(flag("--no-create-home") || (busybox && short_flag('H')) || (debian && system && !where));
  struct stat st;
  if (makes_home && stat(place, &st)) {
    mkdirs(place);
    if (chown(place, number, gid)) {}
    chmod(place, debian || is("useradd") ? 0700 : 0755);
  }
  return 0;
}

static int modify_user(void) {
  char *names[4];
  if (operands(names, 4) < 1) return 2;
  char *row = row_of("/etc/passwd", names[0], 0), text[1024];
  if (!row) {
    fprintf(stderr, "usermod: user '%s' does not exist\n", names[0]);
    return 6;
  }
  char *uid = option("-u", "--uid"), *group = option("-g", "--gid"), *where = option("-d", "--home"), *shell = option("-s", "--shell"), *login = option("-l", "--login");
  if (group && row_of("/etc/group", group, 0)) group = field(row_of("/etc/group", group, 0), 2);
  snprintf(text, sizeof text, "%s:x:%s:%s::%s:%s\n", login ? login : names[0], uid ? uid : field(row, 2), group ? group : field(row, 3), where ? where : field(row, 5), shell ? shell : field(row, 6));
  rewrite("/etc/passwd", names[0], text);
  char *more = option("-G", "--groups");
  if (!more) more = short_value("a", 'G');
  if (more)
    for (char *list = strdup(more), *one; (one = strsep(&list, ","));) join(names[0], one);
  return 0;
}

static void become(const char *user) {
  char copy[256];
  snprintf(copy, sizeof copy, "%s", user);
  char *group = strchr(copy, ':');
  if (group) *group++ = 0;
  char *row = row_of("/etc/passwd", copy, 0);
  if (!row) row = row_of("/etc/passwd", copy, 1);
  int uid = row ? atoi(field(row, 2)) : atoi(copy), gid = row ? atoi(field(row, 3)) : uid;
  if (!row && (copy[0] < '0' || copy[0] > '9')) {
    fprintf(stderr, "%s: unknown user %s\n", name, copy);
    _exit(1);
  }
  if (group) {
    char *found = row_of("/etc/group", group, 0);
    gid = found ? atoi(field(found, 2)) : atoi(group);
  }
  if (row) setenv("HOME", field(row, 5), 1);
  gid_t groups = gid;
  if (setgroups(1, &groups) || setgid(gid) || setuid(uid)) {
    fprintf(stderr, "%s: Operation not permitted\n", name);
    _exit(1);
  }
}
static int run(char **words) {
  execvp(words[0], words);
  fprintf(stderr, "%s: %s: not found\n", name, words[0]);
  return 127;
}

static int wrapper(void) {
  int i = 1;
  if (is("gosu") || is("su-exec") || is("chpst") || is("setuidgid") || is("s6-setuidgid")) {
    if (ac < 3 || av[1][0] == '-') return 0;
    become(av[1]);
    return run(av + 2);
  }
  if (is("su") || is("runuser")) {
    char *command = option("-c", "--command"), *user = is("runuser") ? option("-u", "--user") : NULL;
    if (!command) command = short_value("lmp", 'c');
    for (; i < ac; i++) {
      if (!strcmp(av[i], "--")) {
        if (user && i + 1 < ac) {
          become(user);
          return run(av + i + 1);
        }
      } else if (av[i][0] == '-' && strcmp(av[i], "-")) {
        if (av[i][1] != '-' && strchr("csgGu", av[i][strlen(av[i]) - 1])) i++;
      } else if (strcmp(av[i], "-")) {
        if (is("runuser") && user) break;
        user = av[i];
        break;
      }
    }
    become(user ? user : "root");
    if (!command) return is("runuser") && i < ac ? run(av + i) : 0;
    char *shell[] = {"/bin/sh", "-c", command, NULL};
    return run(shell);
  }
  char *user = NULL;
  for (; i < ac; i++) {
    if (av[i][0] == '-') {
      if (is("sudo") && (!strcmp(av[i], "-u") || !strcmp(av[i], "--user")) && i + 1 < ac) user = av[++i];
      else if (is("sudo") && starts(av[i], "--user=")) user = av[i] + 7;
      else if (is("sudo") && strlen(av[i]) == 2 && strchr("ghpCDRTUrt", av[i][1])) i++;
      else if (!strcmp(av[i], "--")) { i++; break; }
    } else if (strchr(av[i], '=') && is("sudo")) putenv(av[i]);
    else break;
  }
  if (i >= ac) return 0;
  if (is("sudo")) become(user ? user : "root");
  return run(av + i);
}

int account(void) {
  if (is("sudo") || is("su") || is("runuser") || is("gosu") || is("su-exec") || is("eatmydata") || is("chpst") || is("setuidgid") || is("s6-setuidgid") || is("fakeroot") || is("tini") || is("dumb-init")) return wrapper();
  if (is("useradd") || is("adduser")) {
    if (is("adduser") && flag("--group") && !flag("--system")) { /* Debian: adduser --group NAME makes a group */
      char *names[4];
      return operands(names, 4) ? add_group(names[0], option(NULL, "--gid"), 0) : 2;
    }
    return add_user();
  }
  if (is("groupadd") || is("addgroup")) {
    char *names[4];
    int count = operands(names, 4);
    if (!count) return 2;
    if (count == 2) {
      join(names[0], names[1]);
      return 0;
    }
    return add_group(names[0], option("-g", "--gid"), short_flag('r') || flag("--system") || (is("addgroup") && short_flag('S')));
  }
  if (is("usermod")) return modify_user();
  if (is("userdel") || is("deluser") || is("groupdel") || is("delgroup")) {
    char *names[4];
    int count = operands(names, 4), group = is("groupdel") || is("delgroup");
    if (!count) return 2;
    if (!group && (short_flag('r') || flag("--remove-home"))) {
      char *row = row_of("/etc/passwd", names[0], 0);
      if (row) rmdir(field(row, 5));
    }
    int found = rewrite(group ? "/etc/group" : "/etc/passwd", names[0], "");
    if (!group && row_of("/etc/group", names[0], 0)) rewrite("/etc/group", names[0], "");
    if (!found) fprintf(stderr, "%s: '%s' does not exist\n", name, names[0]);
    return found ? 0 : 6;
  }
  if (is("groupmod")) {
    char *names[4], *number = option("-g", "--gid"), *renamed = option("-n", "--new-name"), text[512];
    if (!operands(names, 4)) return 2;
    char *row = row_of("/etc/group", names[0], 0);
    if (!row) return 6;
    snprintf(text, sizeof text, "%s:x:%s:\n", renamed ? renamed : names[0], number ? number : field(row, 2));
    rewrite("/etc/group", names[0], text);
    return 0;
  }
  return -1;
}
