#include <ini.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "days.h"

static struct {
    int port;
    char title[80];
    char data[256];
} config = {7070, "Almanac", DATADIR};

static int setting(void *user, const char *section, const char *name, const char *value)
{
    if (!strcmp(section, "server") && !strcmp(name, "port"))
        config.port = atoi(value);
    else if (!strcmp(section, "page") && !strcmp(name, "title"))
        snprintf(config.title, sizeof config.title, "%s", value);
    else if (!strcmp(section, "server") && !strcmp(name, "data"))
        snprintf(config.data, sizeof config.data, "%s", value);
    else
        return 0;
    return 1;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *size, void **state)
{
    char file[300], *text, *page;
    int status = MHD_HTTP_OK;
    struct MHD_Response *response;
    enum MHD_Result result;

    text = url[1] ? read_day(config.data, url + 1) : strdup("ask for /MM-DD\n");
    if (!text) {
        snprintf(file, sizeof file, "%s/missing.html", config.data);
        text = read_all(file);
        status = MHD_HTTP_NOT_FOUND;
    }
    if (!text)
        text = strdup("");
    page = malloc(strlen(text) + sizeof config.title + 16);
    sprintf(page, "%s\n\n%s", config.title, text);
    free(text);
    response = MHD_create_response_from_buffer(strlen(page), page, MHD_RESPMEM_MUST_FREE);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    int foreground = argc > 1 && !strcmp(argv[1], "-f");
    struct MHD_Daemon *daemon_;

    if (ini_parse(SYSCONFDIR "/almanac.ini", setting, NULL) != 0) {
        fprintf(stderr, "almanacd: %s/almanac.ini cannot be read\n", SYSCONFDIR);
        return 1;
    }
    if (!foreground && daemon(0, 0) != 0)
        return 1;
    daemon_ = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, config.port, NULL, NULL, answer, NULL, MHD_OPTION_END);
    if (!daemon_)
        return 1;
    pause();
    MHD_stop_daemon(daemon_);
    return 0;
}
