/* A web server that knows GET and nothing else. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void reply(int fd, const char *status, const char *body, size_t size) {
    char head[256];
    int n = snprintf(head, sizeof head, "HTTP/1.0 %s\r\nContent-Length: %zu\r\n\r\n", status, size);
    if (write(fd, head, n) < 0 || write(fd, body, size) < 0) perror("write");
}

int main(int argc, char **argv) {
    if (argc < 2 || chdir(argv[1]) != 0) {
        perror("server");
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8000)};
    if (bind(s, (struct sockaddr *)&a, sizeof a) != 0 || listen(s, 16) != 0) {
        perror("server");
        return 1;
    }
    for (;;) {
        char request[2048] = "", path[1024] = "";
        int c = accept(s, NULL, NULL);
        if (c < 0) continue;
        if (read(c, request, sizeof request - 1) > 0 && sscanf(request, "GET /%1000[^ ?]", path) >= 0) {
            if (!path[0]) strcpy(path, "index.html");
            FILE *f = strstr(path, "..") ? NULL : fopen(path, "rb");
            if (f) {
                static char body[1 << 16];
                reply(c, "200 OK", body, fread(body, 1, sizeof body, f));
                fclose(f);
            } else
                reply(c, "404 Not Found", "no\n", 3);
        }
        close(c);
    }
}
