/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "servers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)1 << 20)
#define START_LIMIT_NS 20000000000U
#define STOP_LIMIT_NS 10000000000U

extern char **environ;

/* ---- processors ---- */

/* The processors that the program was started with, before anything was pinned. */
static const cpu_set_t *allowed_cpus(void)
{
    static cpu_set_t allowed;
    static bool known;

    if (!known) {
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
            bench_fail("sched_getaffinity: %s", strerror(errno));
        }
        known = true;
    }
    return &allowed;
}

int bench_cpus(void)
{
    return CPU_COUNT(allowed_cpus());
}

void bench_pin(int cpu)
{
    const cpu_set_t *allowed = allowed_cpus();
    cpu_set_t mask = *allowed;

    if (cpu != BENCH_ANY_CPU) {
        int left = cpu % CPU_COUNT(allowed);
        CPU_ZERO(&mask);
        for (size_t i = 0; i < CPU_SETSIZE; i++) {
            if (CPU_ISSET(i, allowed) && left-- == 0) {
                CPU_SET(i, &mask);
            }
        }
    }
    if (sched_setaffinity(0, sizeof mask, &mask) != 0) {
        bench_fail("sched_setaffinity: %s", strerror(errno));
    }
}

/* ---- processes ---- */

pid_t bench_launch(const char *log, int cpu, char *const argv[])
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0) {
        bench_fail("fork: %s", strerror(errno));
    }
    if (pid > 0) {
        return pid;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1); /* the parent ended before the line above */
    }
    bench_pin(cpu);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) {
        _exit(1);
    }
    (void)execv(argv[0], argv);
    _exit(127);
}

static void make_path(char *out, size_t size, const char *folder, const char *name,
                      const char *ending)
{
    if (snprintf(out, size, "%s/%s%s", folder, name, ending) >= (int)size) {
        bench_fail("%s is too long a path; set TMPDIR to a shorter one", folder);
    }
}

static void write_config(const char *path, const char *config)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fprintf(file, "<berth>%s</berth>\n", config) < 0 || fclose(file) != 0) {
        bench_fail("%s cannot be written", path);
    }
}

struct bench_server bench_launch_daemon(const struct bench_options *options, const char *name,
                                        const char *config, int cpu)
{
    struct bench_server server;
    char program[4096];
    char config_path[4096];
    char state[4096];
    char log[4096];

    make_path(server.endpoint, sizeof server.endpoint, options->work, name, ".sock");
    make_path(program, sizeof program, options->programs, "bin/berthd", "");
    make_path(config_path, sizeof config_path, options->work, name, ".config");
    make_path(state, sizeof state, options->work, name, ".state");
    make_path(log, sizeof log, options->work, name, ".log");
    write_config(config_path, config);
    (void)mkdir(state, 0700);
    server.pid =
        bench_launch(log, cpu,
                     (char *[]){program, "--config", config_path, "--endpoint", server.endpoint,
                                "--state", state, "--log-level", "warning", NULL});
    return server;
}

/* Fails when a server has ended or takes too long. */
static void check_alive(const struct bench_server *server, uint64_t since_ns)
{
    if (waitpid(server->pid, NULL, WNOHANG) != 0) {
        bench_fail("the server of %s ended; its log lies beside it", server->endpoint);
    }
    if (bench_now_ns() - since_ns > START_LIMIT_NS) {
        bench_fail("the server of %s does not answer", server->endpoint);
    }
    bench_sleep_ns(200000);
}

static void wait_for_listener(const struct bench_server *server, struct bench_link *link)
{
    uint64_t start = bench_now_ns();

    while (!bench_try_connect(link, server->endpoint)) {
        check_alive(server, start);
    }
}

struct bench_server bench_start_daemon(const struct bench_options *options, const char *name,
                                       const char *config, int cpu)
{
    struct bench_server server = bench_launch_daemon(options, name, config, cpu);
    struct bench_link link = {0};
    uint64_t start = bench_now_ns();

    wait_for_listener(&server, &link);
    (void)bench_ask(&link, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\"}");
    while (strstr(link.answer, "\"not_ready\"") != NULL) {
        check_alive(&server, start);
        (void)bench_ask(&link, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\"}");
    }
    bench_disconnect(&link);
    return server;
}

struct bench_server bench_start_echo(const struct bench_options *options, const char *name,
                                     size_t answer_bytes, int cpu)
{
    struct bench_server server;
    struct bench_link link = {0};
    char program[4096];
    char log[4096];
    char bytes[32];

    make_path(server.endpoint, sizeof server.endpoint, options->work, name, ".sock");
    make_path(program, sizeof program, options->programs, "bench/bench_echo_server", "");
    make_path(log, sizeof log, options->work, name, ".log");
    (void)snprintf(bytes, sizeof bytes, "%zu", answer_bytes);
    server.pid = bench_launch(log, cpu, (char *[]){program, server.endpoint, bytes, NULL});
    wait_for_listener(&server, &link);
    bench_disconnect(&link);
    return server;
}

void bench_stop(struct bench_server *server)
{
    uint64_t start = bench_now_ns();

    if (server->pid <= 0) {
        return;
    }
    (void)kill(server->pid, SIGTERM);
    while (waitpid(server->pid, NULL, WNOHANG) == 0) {
        if (bench_now_ns() - start > STOP_LIMIT_NS) {
            (void)kill(server->pid, SIGKILL);
            (void)waitpid(server->pid, NULL, 0);
            break;
        }
        bench_sleep_ns(500000);
    }
    if (server->endpoint[0] != '\0') {
        (void)unlink(server->endpoint);
    }
    server->pid = 0;
}

int bench_run_program(char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0) {
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
            status = -1;
        } else {
            status = WEXITSTATUS(status);
        }
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return status;
}

uint64_t bench_cpu_time_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec used;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        bench_fail("the processor time of process %d cannot be read", (int)pid);
    }
    return (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec;
}

/* ---- connections ---- */

bool bench_try_connect(struct bench_link *link, const char *endpoint)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        bench_fail("socket: %s", strerror(errno));
    }
    memcpy(address.sun_path, endpoint, strlen(endpoint) + 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return false;
    }
    link->fd = fd;
    if (link->answer == NULL) {
        link->answer = bench_memory(1, ANSWER_MAX);
    }
    return true;
}

void bench_connect(struct bench_link *link, const char *endpoint)
{
    if (!bench_try_connect(link, endpoint)) {
        bench_fail("%s: %s", endpoint, strerror(errno));
    }
}

void bench_hang_up(struct bench_link *link)
{
    (void)close(link->fd);
    link->fd = -1;
}

void bench_disconnect(struct bench_link *link)
{
    bench_hang_up(link);
    free(link->answer);
    *link = (struct bench_link){.fd = -1};
}

uint64_t bench_call(struct bench_link *link, const char *request, size_t length)
{
    size_t got = 0;
    uint64_t start = bench_now_ns();

    if (send(link->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
        bench_fail("a request was not taken: %s", strerror(errno));
    }
    do {
        ssize_t count = recv(link->fd, link->answer + got, ANSWER_MAX - 1 - got, 0);
        if (count <= 0) {
            bench_fail("no answer: %s", count == 0 ? "the connection ended" : strerror(errno));
        }
        got += (size_t)count;
    } while (link->answer[got - 1] != '\n' && got < ANSWER_MAX - 1);
    uint64_t took = bench_now_ns() - start;
    link->length = got - 1;
    link->answer[link->length] = '\0';
    return took;
}

uint64_t bench_ask(struct bench_link *link, const char *format, ...)
{
    char request[1024];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(request, sizeof request - 1, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof request - 1) {
        bench_fail("a request is too long");
    }
    request[length] = '\n';
    return bench_call(link, request, (size_t)length + 1);
}

uint64_t bench_answer_number(const struct bench_link *link, const char *name)
{
    char wanted[64];

    (void)snprintf(wanted, sizeof wanted, "\"%s\":", name);
    const char *at = strstr(link->answer, wanted);
    if (at == NULL) {
        bench_fail("no %s in the answer %.200s", name, link->answer);
        return 0;
    }
    return strtoull(at + strlen(wanted), NULL, 10);
}

void bench_expect_result(const struct bench_link *link)
{
    if (strstr(link->answer, "\"result\":") == NULL) {
        bench_fail("an error came: %.300s", link->answer);
    }
}
