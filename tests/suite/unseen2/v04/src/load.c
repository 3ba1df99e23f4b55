#include "sieve.h"

#include <dlfcn.h>
#include <jansson.h>
#include <stdio.h>

sieve_filter sieve_load(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.so", PLUGINS, name);
    void *handle = dlopen(path, RTLD_NOW);
    if (handle == NULL) {
        fprintf(stderr, "sieve: %s\n", dlerror());
        return NULL;
    }
    return (sieve_filter)dlsym(handle, "filter");
}

int sieve_list(void (*each)(const char *, const char *)) {
    json_error_t error;
    json_t *root = json_load_file(CONFIG, 0, &error);
    if (root == NULL) {
        fprintf(stderr, "sieve: %s: %s\n", CONFIG, error.text);
        return 1;
    }
    const char *name;
    json_t *text;
    json_object_foreach(root, name, text) each(name, json_string_value(text));
    json_decref(root);
    return 0;
}
