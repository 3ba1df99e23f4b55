/* enter ROOT CWD UID GID SECONDS COMMAND ARGUMENT...: runs a command inside a directory as a build engine runs a RUN.
   The command is process 1 of a pid namespace of its own, with /proc (read-only), few capabilities and bounded resources;
   when it ends, or SECONDS are over (status 124), all that it started ends with it. The caller has taken away the network
   and holds mounts, IPC and host name in namespaces of its own. Build: cc -O2 -static -o enter enter.c */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

static pid_t child;
static volatile sig_atomic_t late;

static void on_alarm(int number) {
  (void)number;
  late = 1;
  kill(child, SIGKILL);
}

static void die(const char *what) {
  fprintf(stderr, "enter: %s: %s\n", what, strerror(errno));
  _exit(125);
}

static void limit(int what, rlim_t value) {
  struct rlimit r = {value, value};
  setrlimit(what, &r);
}

int main(int argc, char **argv) {
  if (argc < 7) { fprintf(stderr, "enter: ROOT CWD UID GID SECONDS COMMAND...\n"); return 125; }
  /* what the docker engine leaves to a build, but for what reaches beyond the chroot (mknod, raw sockets) */
  static const int kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID,
                             CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_SETFCAP};
  if (unshare(CLONE_NEWPID | CLONE_NEWNS)) die("unshare");
  child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(argv[1])) die(argv[1]);
    if (mount("proc", "proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) die("mount /proc");
    if (chroot(".")) die("chroot");
    if (chdir(argv[2])) die(argv[2]);
    limit(RLIMIT_FSIZE, 64 << 20);
    limit(RLIMIT_CPU, 5);
    limit(RLIMIT_NPROC, 400);
    limit(RLIMIT_CORE, 0);
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
      int keep = 0;
      for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) keep |= kept[i] == cap;
      if (!keep) prctl(PR_CAPBSET_DROP, cap);
    }
    umask(022);
    gid_t gid = atoi(argv[4]);
    if (setgroups(1, &gid) || setgid(gid) || setuid(atoi(argv[3]))) die("setuid");
    prctl(PR_SET_NO_NEW_PRIVS, 0);
    execvp(argv[6], argv + 6);
    fprintf(stderr, "%s: %s\n", argv[6], errno == ENOENT ? "not found" : strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  signal(SIGALRM, on_alarm);
  alarm(atoi(argv[5]));
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) die("waitpid");
  if (late) return 124;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
