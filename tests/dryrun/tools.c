/* tools.c: downloads, repositories, archives, compression, checksums, compilers, single packages, environments. */
#define _GNU_SOURCE
#include "stub.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int one_of(const char *const *names) {
  for (; *names; names++)
    if (is(*names)) return 1;
  return 0;
}
static int no_network(void) {
  if (!offline()) return 0;
  fprintf(stderr, "%s: no network\n", name);
  return 1;
}

static int download(void) {
  int curl = is("curl"), named = 0;
  const char *letters = curl ? "fsSLkgjJiIvNRO#0123456" : "qcNvdbSr46"; /* those without a value */
  if (no_network()) return 6;
  int trusts = flag("-k") || flag("--insecure") || flag("--no-check-certificate");
  for (int i = 1; i < ac; i++)
    if (starts(av[i], "https://") && !trusts && !exists("/etc/ssl/certs/ca-certificates.crt")) {
      fprintf(stderr, "%s: /etc/ssl/certs/ca-certificates.crt: No such file or directory\n", name);
      return 77;
    }
  char *out = curl ? option("-o", "--output") : option("-O", "--output-document");
  char *directory = curl ? option(NULL, "--output-dir") : option("-P", "--directory-prefix");
  if (!out) out = short_value(letters, curl ? 'o' : 'O');
  if (curl)
    for (int i = 1; i < ac; i++) {
      if (!strcmp(av[i], "--remote-name") || !strcmp(av[i], "--remote-name-all")) named = 1;
      if (av[i][0] == '-' && av[i][1] != '-' && strspn(av[i] + 1, letters) == strlen(av[i] + 1) && strchr(av[i], 'O'))
        named = 1;
    }
  else
    named = !out;
  for (int i = 1; i < ac; i++) {
    if (!strstr(av[i], "://") && !starts(av[i], "www.")) continue;
    if (i > 1 && (!strcmp(av[i - 1], "-x") || !strcmp(av[i - 1], "--proxy") || !strcmp(av[i - 1], "-e"))) continue;
    char text[64], path[PATH_MAX], file[512];
    snprintf(text, sizeof text, "# %016llx\n", fnv(av[i], 1469598103934665603ULL));
    snprintf(file, sizeof file, "%s", base(av[i]));
    if (curl) file[strcspn(file, "?")] = 0;
    if (out && !strcmp(out, "-")) fputs(text, stdout);
    else if (out) {
      snprintf(path, sizeof path, "%s%s%s", directory && curl ? directory : "", directory && curl ? "/" : "", out);
      if (!put(path, text, 0666)) {
        fprintf(stderr, "%s: (23) cannot create %s\n", name, path);
        return 23;
      }
    } else if (named) {
      snprintf(path, sizeof path, "%s%s%s", directory ? directory : "", directory ? "/" : "", file);
      if (!put(path, text, 0666)) {
        fprintf(stderr, "%s: cannot create %s\n", name, path);
        return 23;
      }
    } else fputs(text, stdout);
  }
  return 0;
}

/* What an archive of that name unpacks to, below a directory. */
static void unpacked(const char *archive, const char *directory, int stripped, char **members, int count) {
  char stem[512], path[PATH_MAX];
  snprintf(stem, sizeof stem, "%s", archive ? base(archive) : "stream");
  char *end = strstr(stem, ".tar");
  if (!end) end = strstr(stem, ".tgz");
  if (!end) end = strstr(stem, ".zip");
  if (!end) end = strrchr(stem, '.');
  if (end) *end = 0;
  for (int i = 0; i < count; i++) {
    if (strpbrk(members[i], "*?[")) continue;
    char *member = members[i];
    for (int s = 0; s < stripped && strchr(member, '/'); s++) member = strchr(member, '/') + 1;
    snprintf(path, sizeof path, "%s/%s", directory ? directory : ".", member);
    if (ends_with(path, "/")) mkdirs(path);
    else put(path, "#!/.dry/stub\n", 0755);
  }
  if (count) return;
  snprintf(path, sizeof path, "%s/%s%sconfigure", directory ? directory : ".", stripped ? "" : stem, stripped ? "" : "/");
  put(path, "#!/.dry/stub\n", 0755);
}

static int archive(void) {
  int zip = is("unzip") || is("7z") || is("7za"), first = 1, create = 0, list = 0, to_stdout = 0, stripped = 0, count = 0;
  char *file = NULL, *directory = NULL, *members[WORDS];
  if (zip) {
    for (int i = 1; i < ac; i++)
      if (!strcmp(av[i], "-d") && i + 1 < ac) directory = av[++i];
      else if (av[i][0] == '-') {
        if (starts(av[i], "-o/")) directory = av[i] + 2;
        to_stdout |= !strcmp(av[i], "-p");
        list |= !strcmp(av[i], "-l") || !strcmp(av[i], "-t");
      } else if (!is("unzip") && i == 1) create = av[i][0] == 'a';
      else if (!file) file = av[i];
      else if (count < WORDS) members[count++] = av[i];
  } else {
    for (int i = 1; i < ac; i++) {
      char *word = av[i];
      if (starts(word, "--")) {
        create |= !strcmp(word, "--create");
        list |= !strcmp(word, "--list");
        to_stdout |= !strcmp(word, "--to-stdout");
        if (starts(word, "--strip-components=") || starts(word, "--strip=")) stripped = atoi(strchr(word, '=') + 1);
        else if (starts(word, "--strip") && i + 1 < ac) stripped = atoi(av[++i]);
        else if (starts(word, "--file=")) file = word + 7;
        else if (starts(word, "--directory=")) directory = word + 12;
        else if (!strcmp(word, "--file") && i + 1 < ac) file = av[++i];
        else if (!strcmp(word, "--directory") && i + 1 < ac) directory = av[++i];
        else if ((!strcmp(word, "--exclude") || !strcmp(word, "--transform") || !strcmp(word, "--wildcards-match-slash")) && i + 1 < ac) i++;
      } else if (word[0] == '-' || first) { /* "xzf FILE" and "-xzf FILE" */
        for (char *at = word + (word[0] == '-'); *at; at++) {
          create |= *at == 'c';
          list |= *at == 't';
          to_stdout |= *at == 'O';
          if (*at == 'f' || *at == 'C' || *at == 'T' || *at == 'X' || *at == 'I') {
            char *value = at[1] && word[0] == '-' ? at + 1 : i + 1 < ac ? av[++i] : NULL;
            if (*at == 'f') file = value;
            if (*at == 'C') directory = value;
            if (word[0] == '-') break;
          }
        }
      } else if (count < WORDS) members[count++] = word;
      first = 0;
    }
    if (file && !strcmp(file, "-")) file = NULL;
  }
  if (create) {
    if (file) return put(file, "archive\n", 0666) ? 0 : 2;
    puts("archive");
    return 0;
  }
  if (!file) drain();
  else if (!exists(file) && !strpbrk(file, "*?")) {
    fprintf(stderr, "%s: %s: No such file or directory\n", name, file);
    return 2;
  }
  if (directory && !zip && access(directory, F_OK)) {
    fprintf(stderr, "%s: %s: No such file or directory\n", name, directory);
    return 2;
  }
  if (list) return 0;
  if (to_stdout) {
    puts("# content");
    return 0;
  }
  unpacked(file, directory, stripped, members, count);
  return 0;
}

/* gzip and its like, as programs that change a file's name alone. */
static int compression(void) {
  static const char *const endings[] = {".gz", ".xz", ".bz2", ".zst", ".lzma", ".Z", ".lz4", NULL};
  int unpack = starts(name, "un") || starts(name, "gun") || starts(name, "bun") || ends_with(name, "cat"), keep = 0;
  int out = ends_with(name, "cat"), done = 0;
  for (int i = 1; i < ac; i++)
    if (av[i][0] == '-' && av[i][1] != '-') {
      unpack |= !!strchr(av[i], 'd');
      keep |= !!strchr(av[i], 'k');
      out |= !!strchr(av[i], 'c');
    } else if (!strcmp(av[i], "--decompress")) unpack = 1;
    else if (!strcmp(av[i], "--stdout")) out = 1;
  const char *ending = starts(name, "x") || is("unxz") ? ".xz" : strstr(name, "bz") || is("bunzip2") ? ".bz2" : strstr(name, "zst") ? ".zst" : ".gz";
  for (int i = 1; i < ac; i++) {
    char path[PATH_MAX], block[8192];
    if (av[i][0] == '-') continue;
    done = 1;
    FILE *from = fopen(av[i], "r");
    if (!from) {
      fprintf(stderr, "%s: %s: No such file or directory\n", name, av[i]);
      return 1;
    }
    if (out) {
      for (size_t got; (got = fread(block, 1, sizeof block, from)) > 0;) fwrite(block, 1, got, stdout);
      fclose(from);
      continue;
    }
    fclose(from);
    snprintf(path, sizeof path, "%s%s", av[i], unpack ? "" : ending);
    if (unpack)
      for (int e = 0; endings[e]; e++)
        if (ends_with(path, endings[e])) {
          path[strlen(path) - strlen(endings[e])] = 0;
          break;
        }
    if (strcmp(path, av[i])) {
      if (keep) put(path, "# content\n", 0666);
      else if (rename(av[i], path)) return 1;
    }
  }
  if (!done) {
    char block[8192];
    for (ssize_t got; (got = read(0, block, sizeof block)) > 0;)
      if (write(1, block, got) < 0) return 1;
  }
  return 0;
}

static int git(void) {
  if (ac < 2) return 1;
  int at = 1;
  while (at < ac && av[at][0] == '-') at += !strcmp(av[at], "-C") || !strcmp(av[at], "-c") ? 2 : 1;
  if (at < ac && !strcmp(av[at], "init")) return put(at + 1 < ac && av[ac - 1][0] != '-' ? ".git/HEAD" : ".git/HEAD", "x\n", 0644) ? 0 : 1;
  if (at < ac && !strcmp(av[at], "clone")) {
    static const char *const valued[] = {"-b", "--branch", "--depth", "-c", "--config", "-j", "--jobs", "--filter",
                                         "--reference", "-o", "--origin", "--template", "-u", "--shallow-since", NULL};
    char *url = NULL, *to = NULL, name_of[512], path[PATH_MAX];
    if (no_network()) return 128;
    for (int i = at + 1; i < ac; i++) {
      int skip = 0;
      for (int v = 0; valued[v]; v++) skip |= !strcmp(av[i], valued[v]);
      if (skip) i++;
      else if (av[i][0] == '-') continue;
      else if (!url) url = av[i];
      else to = av[i];
    }
    if (!url) return 128;
    snprintf(name_of, sizeof name_of, "%s", to ? to : base(url));
    if (!to && ends_with(name_of, "/")) name_of[strlen(name_of) - 1] = 0;
    if (!to && ends_with(name_of, ".git")) name_of[strlen(name_of) - 4] = 0;
    snprintf(path, sizeof path, "%s/.git/HEAD", name_of);
    if (exists(path)) {
      fprintf(stderr, "fatal: destination path '%s' already exists and is not an empty directory.\n", name_of);
      return 128;
    }
    if (!put(path, "x\n", 0644)) {
      fprintf(stderr, "fatal: could not create work tree dir '%s': Permission denied\n", name_of);
      return 128;
    }
    snprintf(path, sizeof path, "%s/configure", name_of);
    put(path, "#!/.dry/stub\n", 0755);
  }
  return 0;
}

static int checksum(void) { /* a stand-in has no content to check */
  for (int i = 1; i < ac; i++)
    if (starts(av[i], "--check") || (av[i][0] == '-' && av[i][1] != '-' && strchr(av[i], 'c'))) {
      drain();
      return 0;
    }
  char real[128];
  snprintf(real, sizeof real, "/.dry/real/%s", name);
  av[0] = name;
  execv(real, av);
  return 127;
}

static int single_package(void) { /* dpkg -i X.deb, rpm -i X.rpm, alien, gdebi */
  int installs = is("gdebi");
  for (int i = 1; i < ac; i++) {
    installs |= !strcmp(av[i], "--install") || !strcmp(av[i], "--upgrade") || !strcmp(av[i], "--unpack");
    if (av[i][0] == '-' && av[i][1] != '-') {
      if (is("rpm") && strchr(av[i], 'q')) return 0;
      if (is("dpkg") && (strchr(av[i], 'l') || strchr(av[i], 's') || strchr(av[i], 'L') || strchr(av[i], 'S'))) return 0;
      installs |= strchr(av[i], 'i') || (is("rpm") && (strchr(av[i], 'U') || strchr(av[i], 'F')));
    }
  }
  for (int i = 1; installs && i < ac; i++) {
    char file[256], path[PATH_MAX];
    if (av[i][0] == '-' || strchr(av[i], '*')) continue;
    if (!strstr(av[i], "://") && !exists(av[i])) {
      fprintf(stderr, "%s: error: cannot access archive '%s': No such file or directory\n", name, av[i]);
      return 2;
    }
    snprintf(file, sizeof file, "%s", base(av[i]));
    file[strcspn(file, "_.")] = 0;
    snprintf(path, sizeof path, "/var/lib/dry/%s", file);
    put(path, "x\n", 0644);
    program("/usr/bin", file);
  }
  return 0;
}

static int virtual_environment(void) {
  char *where = ac > 1 ? av[ac - 1] : NULL;
  if (!where || where[0] == '-') return 0;
  static const char *const programs[] = {"python", "python3", "pip", "pip3", NULL};
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/bin", where);
  for (int i = 0; programs[i]; i++) program(path, programs[i]);
  snprintf(path, sizeof path, "%s/bin/activate", where);
  char text[PATH_MAX * 2];
  snprintf(text, sizeof text, "VIRTUAL_ENV=%s; export VIRTUAL_ENV; PATH=\"$VIRTUAL_ENV/bin:$PATH\"; export PATH\n", where);
  put(path, text, 0644);
  return 0;
}

static void go_build(void) {
  char here[PATH_MAX], *out = option("-o", NULL);
  if (!getcwd(here, sizeof here)) return;
  if (out && exists(out) && !access(out, F_OK)) {
    struct stat st;
    if (!stat(out, &st) && S_ISDIR(st.st_mode)) {
      char path[PATH_MAX + 300];
      snprintf(path, sizeof path, "%s/%s", out, base(here));
      put(path, "#!/.dry/stub\n", 0755);
      return;
    }
  }
  put(out ? out : base(here), "#!/.dry/stub\n", 0755);
}

/* "dotnet tool install": the package stays in .store beside the tool. */
static int dotnet_tool(void) {
  char path[PATH_MAX];
  char *directory = option(NULL, "--tool-path");
  if (no_network()) return 1;
  snprintf(path, sizeof path, "%s/.store/%s.nupkg", directory ? directory : "/root/.dotnet/tools", av[ac - 1]);
  put(path, "# a package\n", 0644);
  return 0;
}

int tool(void) {
  static const char *const downloads[] = {"wget", "curl", "aria2c", NULL};
  static const char *const archives[] = {"tar", "bsdtar", "unzip", "7z", "7za", NULL};
  static const char *const compressions[] = {"gzip", "gunzip", "zcat", "xz", "unxz", "xzcat", "bzip2", "bunzip2",
                                             "bzcat", "zstd", "unzstd", "zstdcat", "lzma", "unlzma", NULL};
  static const char *const checksums[] = {"sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "md5sum",
                                          "b2sum", NULL};
  static const char *const packages[] = {"dpkg", "rpm", "gdebi", NULL};
  if (one_of(downloads)) return download();
  if (one_of(archives)) return archive();
  if (one_of(compressions)) return compression();
  if (one_of(checksums)) return checksum();
  if (one_of(packages)) return single_package();
  if (is("git")) return git();
  if (is("virtualenv")) return virtual_environment();
  if (is("dotnet") && ac > 3 && !strcmp(av[1], "tool") && !strcmp(av[2], "install")) return dotnet_tool();
  if (starts(name, "python") && ac > 2 && !strcmp(av[1], "-m")) {
    if (!strcmp(av[2], "venv")) return virtual_environment();
    if (!strcmp(av[2], "pip")) {
      name = "pip";
      av += 2;
      ac -= 2;
      read_effects();
      return package_manager();
    }
  }
  if (is("go") && ac > 1 && !strcmp(av[1], "build")) {
    int status = package_manager();
    if (!status) go_build();
    return status;
  }
  return -1;
}
