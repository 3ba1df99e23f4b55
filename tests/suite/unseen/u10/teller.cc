#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include "tale.hh"

int main(int, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(4444)};
    if (bind(server, reinterpret_cast<sockaddr *>(&address), sizeof address) || listen(server, 4)) return 1;
    while (true) {
        int client = accept(server, nullptr, nullptr);
        char request[4096]{}, name[256]{};
        if (read(client, request, sizeof request - 1) > 0) std::sscanf(request, "GET /%255[a-z]", name);
        std::string text = name[0] ? tale(argv[1], name) : "";
        std::string reply = (text.empty() ? "HTTP/1.0 404 Not Found\r\n\r\n" : "HTTP/1.0 200 OK\r\n\r\n") + text;
        if (write(client, reply.data(), reply.size()) < 0) perror("write");
        shutdown(client, SHUT_WR);
        close(client);
    }
}
