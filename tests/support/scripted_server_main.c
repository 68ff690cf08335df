/* SPDX-License-Identifier: MIT */
/* The scripted server as a program: scripted_server ENDPOINT SCRIPT [LOG]
 * Each line of SCRIPT is "METHOD reply…" as scripted_server.h describes replies. It prints "ready",
 * serves until its standard input ends, and then writes the received lines to LOG. */
#include "scripted_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 64
#define SCRIPT_MAX (256u * 1024)

static char script[SCRIPT_MAX];
static struct scripted_rule rules[RULES_MAX];

static size_t read_script(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t count = 0;

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    script[fread(script, 1, sizeof script - 1, file)] = '\0';
    (void)fclose(file);
    for (char *line = script; *line != '\0' && count < RULES_MAX;) {
        size_t length = strcspn(line, "\n");
        char *next = line + length + (line[length] == '\n');
        size_t method = strcspn(line, " \n");
        line[length] = '\0';
        if (line[method] == ' ') {
            line[method] = '\0';
            rules[count++] = (struct scripted_rule){line, line + method + 1, false};
        }
        line = next;
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fputs("usage: scripted_server ENDPOINT SCRIPT [LOG]\n", stderr);
        return 2;
    }
    struct scripted_server *server =
        scripted_server_start(argv[1], rules, read_script(argv[2]), 0, NULL);
    if (server == NULL) {
        (void)fprintf(stderr, "%s: cannot listen there\n", argv[1]);
        return 1;
    }
    (void)puts("ready");
    (void)fflush(stdout);
    while (getchar() != EOF) {
    }
    FILE *log = argc > 3 ? fopen(argv[3], "wb") : NULL;
    if (log != NULL) {
        static char received[1 << 20];
        (void)fputs(scripted_server_received(server, received, sizeof received), log);
        (void)fclose(log);
    }
    scripted_server_stop(server);
    return 0;
}
