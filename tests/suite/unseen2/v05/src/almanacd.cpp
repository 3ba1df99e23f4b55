#include "almanac.hpp"

#include <microhttpd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>

static MHD_Result answer(void *almanac, MHD_Connection *connection, const char *url, const char *, const char *,
                         const char *, size_t *, void **) {
    auto saying = static_cast<const Almanac *>(almanac)->saying(url + 1);
    std::string body = saying.value_or("no such day\n");
    MHD_Response *response = MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_MUST_COPY);
    MHD_Result queued = MHD_queue_response(connection, saying ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
    MHD_destroy_response(response);
    return queued;
}

int main(int argc, char **argv) {
    const char *file = nullptr;
    int port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--port") == 0) port = std::atoi(argv[i + 1]);
        if (std::strcmp(argv[i], "--days") == 0) file = argv[i + 1];
    }
    if (port == 0 || file == nullptr) {
        std::cerr << "usage: almanacd --port N --days FILE\n";
        return 2;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    try {
        Almanac almanac(file);
        MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, static_cast<uint16_t>(port), nullptr,
                                              nullptr, &answer, &almanac, MHD_OPTION_END);
        if (daemon == nullptr) {
            std::cerr << "almanacd: cannot listen on " << port << "\n";
            return 1;
        }
        int got;
        sigwait(&ends, &got);
        MHD_stop_daemon(daemon);
    } catch (const std::exception &error) {
        std::cerr << "almanacd: " << error.what() << "\n";
        return 1;
    }
}
