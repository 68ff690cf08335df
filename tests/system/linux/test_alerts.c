/* SPDX-License-Identifier: MIT */
/* A tour of the conflicts: each kind that Linux has is opened and ended once, and told once on
 * every channel, in the words that a person reads. Then channels that hang, fail and flood. In
 * mounts, a network and processes of the test's own, where the test is the system's log. */
#define _GNU_SOURCE
#include "allocator/conflict_rules.h"
#include "cmocka_all.h"
#include "daemon_process.h"
#include "system_platform.h"
#include "temp_dir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTINGS                                                                                   \
    "<pools><pool name=\"default\" ports=\"25000-25999\"/></pools>"                                \
    "<reserved><ports range=\"25005\" reason=\"agents\"/></reserved><iis config=\"%s\"/>"          \
    "<tcp events=\"off\" poll=\"50ms\" full=\"50ms\"/><conflicts debounce=\"0s\"/>"
#define TOLD_MS 30000
#define LOG_MAX (1 << 20)
#define FLOOD 300

static int log_socket = -1; /* /dev/log */
static char log_text[LOG_MAX];
static size_t log_length;
static struct test_client client;
static struct test_client follower;

/* ---- a world of its own ---- */

static bool bring_loopback_up(void)
{
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "lo");
    bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    (void)close(fd);
    return up;
}

static bool carry_device(const char *from, const char *name)
{
    char source[100];
    char target[100];

    (void)snprintf(source, sizeof source, "%s/%s", from, name);
    (void)snprintf(target, sizeof target, "/dev/%s", name);
    int fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    return fd >= 0 && close(fd) == 0 && mount(source, target, NULL, MS_BIND, NULL) == 0;
}

/* A /dev in which /dev/log is not the machine's. */
static bool own_devices(const char *former)
{
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("/dev", former, NULL, MS_BIND | MS_REC, NULL) == 0 &&
           mount("tmpfs", "/dev", "tmpfs", 0, "mode=0755") == 0 && carry_device(former, "null") &&
           carry_device(former, "zero") && carry_device(former, "urandom");
}

static bool listen_as_the_log(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

    log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return log_socket >= 0 &&
           bind(log_socket, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool own_world(const char *folder)
{
    return geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) == 0 &&
           bring_loopback_up() && own_devices(folder) && listen_as_the_log();
}

/* With no other processes on the machine, the daemon knows at once whose a socket is: with many, it
 * looks through their files a part at a time. */
static int run_in_child(int (*run)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (mount("proc", "/proc", "proc", 0, NULL) != 0) {
            (void)printf("skipped: a /proc of its own: %s\n", strerror(errno));
            exit(77);
        }
        exit(run());
    }
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    return ended ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* ---- what the channels have told ---- */

static void read_log(void)
{
    ssize_t count;

    while (log_length + 1 < sizeof log_text &&
           (count = recv(log_socket, log_text + log_length, sizeof log_text - log_length - 2, 0)) >
               0) {
        log_length += (size_t)count;
        log_text[log_length++] = '\n';
        log_text[log_length] = '\0';
    }
}

static void forget_log(void)
{
    read_log();
    log_length = 0;
    log_text[0] = '\0';
}

static size_t count_of(const char *content, const char *wanted)
{
    size_t count = 0;

    for (const char *at = content; (at = strstr(at, wanted)) != NULL; at++) {
        count++;
    }
    return count;
}

static bool log_has(void *ctx)
{
    read_log();
    return strstr(log_text, ctx) != NULL;
}

struct in_file {
    const char *path;
    const char *text;
};

static size_t count_in_file(const struct in_file *in)
{
    size_t size;

    if (access(in->path, F_OK) != 0) {
        return 0;
    }
    char *content = read_whole_file(in->path, &size);
    size_t count = count_of(content, in->text);
    free(content);
    return count;
}

static bool file_has(void *ctx)
{
    return count_in_file(ctx) > 0;
}

static void await_file(const char *path, const char *text)
{
    struct in_file in = {path, text};

    if (daemon_await(file_has, &in, TOLD_MS) == UINT64_MAX) {
        size_t size;
        fail_msg("%s has not: %s\n%s", path, text,
                 access(path, F_OK) == 0 ? read_whole_file(path, &size) : "(no file)");
    }
}

static void await_log(const char *text)
{
    char wanted[600];

    (void)snprintf(wanted, sizeof wanted, "%s", text);
    if (daemon_await(log_has, wanted, TOLD_MS) == UINT64_MAX) {
        fail_msg("the system's log has not: %s\n%s", text, log_text);
    }
}

/* Reads events until the one that is looked for comes. */
static void await_event(const char *type, unsigned port, const char *sentence)
{
    for (;;) {
        json_t *line = client_answer(&follower);
        const json_t *event = json_at(line, "params");
        bool found = strcmp(json_string_at(event, "type"), type) == 0 &&
                     json_integer_at(event, "port") == port;
        if (found) {
            assert_string_equal(json_string_at(event, "text"), sentence);
        }
        json_decref(line);
        if (found) {
            return;
        }
    }
}

/* ---- sites and sockets ---- */

static void write_sites(const struct daemon_process *daemon, const char *sites)
{
    char text[64000];
    int length = snprintf(text, sizeof text,
                          "<configuration><system.applicationHost><sites>%s</sites>"
                          "</system.applicationHost></configuration>",
                          sites);

    assert_true((size_t)length < sizeof text);
    replace_file(daemon->iis, text, (size_t)length);
}

#define SITE(name, id, protocol, port)                                                             \
    "<site name=\"" name "\" id=\"" id "\"><bindings><binding protocol=\"" protocol                \
    "\" bindingInformation=\"*:" port ":\"/></bindings></site>"

static int listener(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0 ? fd
                                                                                            : -1;
}

static int own_socket = -1;
static pid_t other_process;

static void listen_on(unsigned port)
{
    own_socket = listener(port);
    assert_true(own_socket >= 0);
}

static void stop_listening(void)
{
    (void)close(own_socket);
    own_socket = -1;
}

/* ---- the tour ---- */

static void open_duplicate(const struct daemon_process *daemon)
{
    write_sites(daemon, SITE("Shop", "1", "http", "25001") SITE("Blog", "2", "http", "25001"));
}

static void open_mix(const struct daemon_process *daemon)
{
    write_sites(daemon, SITE("Shop", "1", "http", "25002") SITE("Blog", "2", "https", "25002"));
}

static void end_by_sites(const struct daemon_process *daemon)
{
    write_sites(daemon, SITE("Shop", "1", "http", "25003"));
}

static void open_taken(const struct daemon_process *daemon)
{
    (void)daemon;
    listen_on(25003);
}

static void end_by_socket(const struct daemon_process *daemon)
{
    (void)daemon;
    stop_listening();
}

static void open_lease_taken(const struct daemon_process *daemon)
{
    (void)daemon;
    json_decref(client_call(&client, "allocate",
                            "{\"key\":\"shop\",\"port\":25004,\"holder\":\"process:shopd\"}"));
    listen_on(25004);
}

static void open_reserved(const struct daemon_process *daemon)
{
    (void)daemon;
    listen_on(25005);
}

static void open_overlap(const struct daemon_process *daemon)
{
    int ready[2];
    char byte;

    (void)daemon;
    assert_int_equal(pipe(ready), 0);
    other_process = fork();
    assert_true(other_process >= 0);
    if (other_process == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not come to end it */
        int fd = listener(25006);
        (void)!write(ready[1], fd >= 0 ? "y" : "n", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    (void)close(ready[0]);
    (void)close(ready[1]);
    listen_on(25006);
}

static void end_overlap(const struct daemon_process *daemon)
{
    (void)daemon;
    (void)kill(other_process, SIGKILL);
    (void)waitpid(other_process, NULL, 0);
    stop_listening();
}

/* "$ME": this program as the daemon names it; "$LOW" and "$HIGH": it and its child, as their
 * numbers are. */
static const struct {
    const char *kind;
    unsigned port;
    bool warning;
    void (*open)(const struct daemon_process *daemon);
    void (*end)(const struct daemon_process *daemon);
    const char *sentence;
} tour[] = {
    {"duplicate_binding", 25001, false, open_duplicate, end_by_sites,
     "Sites Blog and Shop both bind http *:25001: (IIS starts only one of them)."},
    {"scheme_mix", 25002, false, open_mix, end_by_sites,
     "Site Shop binds http *:25002: and site Blog binds https *:25002:: http and https cannot "
     "share an address and port."},
    {"binding_taken", 25003, false, open_taken, end_by_socket,
     "Site Shop binds http *:25003:, but $ME listens on 127.0.0.1, port 25003."},
    {"lease_taken", 25004, false, open_lease_taken, end_by_socket,
     "Port 25004 is leased to the key shop, but $ME listens on 127.0.0.1."},
    {"reserved_used", 25005, true, open_reserved, end_by_socket,
     "Port 25005 is reserved in Berth's configuration (agents), but $ME listens on 127.0.0.1."},
    {"listener_overlap", 25006, true, open_overlap, end_overlap,
     "Two processes listen on port 25006: $LOW listens on 127.0.0.1, $HIGH listens on 127.0.0.1 "
     "(they seem to share it on purpose)."},
};

/* binding_excluded, which only Windows has, is told in tests/unit/daemon/linux/test_alerts.c */
_Static_assert(BERTH_COUNT(tour) + 1 == BERTH_CONFLICT_KIND_COUNT, "the tour has each kind");

static void add_process(char *out, size_t size, pid_t pid)
{
    char path[64];
    char image[64] = "";

    (void)snprintf(path, sizeof path, "/proc/%ld/exe", (long)getpid());
    char link[512] = "";
    assert_true(readlink(path, link, sizeof link - 1) > 0);
    (void)snprintf(image, sizeof image, "%s", strrchr(link, '/') + 1);
    (void)snprintf(out + strlen(out), size - strlen(out), "%s (pid %ld)", image, (long)pid);
}

/* Fills in who it is. */
static void make_sentence(char *out, size_t size, const char *pattern)
{
    out[0] = '\0';
    while (*pattern != '\0') {
        if (strncmp(pattern, "$ME", 3) == 0) {
            add_process(out, size, getpid());
            pattern += 3;
        } else if (strncmp(pattern, "$LOW", 4) == 0) {
            add_process(out, size, getpid() < other_process ? getpid() : other_process);
            pattern += 4;
        } else if (strncmp(pattern, "$HIGH", 5) == 0) {
            add_process(out, size, getpid() < other_process ? other_process : getpid());
            pattern += 5;
        } else {
            size_t length = strcspn(pattern + 1, "$") + 1;
            (void)snprintf(out + strlen(out), size - strlen(out), "%.*s", (int)length, pattern);
            pattern += length;
        }
    }
}

/* The command writes what it is given behind what it was given before. */
static void write_command(const char *path, const char *out)
{
    char text[1000];
    int length =
        snprintf(text, sizeof text,
                 "#!/bin/sh\n"
                 "line=\"$BERTH_EVENT_TYPE|$BERTH_EVENT_ID|$BERTH_EVENT_SEVERITY|$BERTH_EVENT_KIND"
                 "|$BERTH_EVENT_PORT|$BERTH_EVENT_TEXT\"\n"
                 "{ echo \"$line\"; cat; } >> '%s'\n",
                 out);

    write_file(path, text, (size_t)length);
    assert_int_equal(chmod(path, 0755), 0);
}

static const char *alerts_settings(const struct daemon_process *daemon, const char *command,
                                   const char *metrics)
{
    static char text[3000];

    (void)daemon;
    (void)snprintf(text, sizeof text,
                   SETTINGS "<alerts><syslog/><command path=\"%s\" timeout=\"10m\"/>"
                            "<metrics path=\"%s\" interval=\"1s\"/></alerts>",
                   "%s", command, metrics);
    return text;
}

static void connect_clients(const struct daemon_process *daemon)
{
    client_open(&client, daemon->endpoint);
    client_open(&follower, daemon->endpoint);
    follower.deadline_ms = TOLD_MS;
    json_decref(client_call(&follower, "subscribe", "{\"topics\":[\"conflicts\"]}"));
}

static void close_clients(void)
{
    client_close(&client);
    client_close(&follower);
}

/* Sees one end of a conflict on every channel. */
static void assert_told(const struct daemon_process *daemon, size_t stop, bool opened)
{
    const char *kind = tour[stop].kind;
    unsigned port = tour[stop].port;
    bool warning = tour[stop].warning;
    unsigned id = !opened ? 202 : warning ? 201 : 200;
    const char *severity = !opened ? "information" : warning ? "warning" : "error";
    char sentence[400];
    char text[600];

    make_sentence(sentence, sizeof sentence, tour[stop].sentence);
    await_event(opened ? "conflict.opened" : "conflict.closed", port, sentence);
    (void)snprintf(text, sizeof text, " on port %u%s: %s\n", port, opened ? "" : " has ended",
                   sentence);
    if (!opened) {
        (void)snprintf(text, sizeof text, " on port %u has ended: %s\n", port, sentence);
    }
    await_log(text);
    char *line = strstr(log_text, text);
    while (line > log_text && line[-1] != '\n') {
        line--;
    }
    char prefix[32];
    /* facility daemon (3) and the severity, then the id */
    (void)snprintf(prefix, sizeof prefix, "<%d>", 3 * 8 + (!opened ? 6 : warning ? 4 : 3));
    assert_memory_equal(line, prefix, strlen(prefix));
    (void)snprintf(prefix, sizeof prefix, "]: [%u] Conflict ", id);
    assert_non_null(strstr(line, prefix));
    assert_int_equal(count_of(log_text, text), 1);

    char told[900];
    const char *out = temp_path(daemon->folder, "told");
    (void)snprintf(told, sizeof told, "%s|%u|%s|%s|%u|Conflict ",
                   opened ? "conflict.opened" : "conflict.closed", id, severity, kind, port);
    await_file(out, told);
    await_file(out, text);
    (void)snprintf(told, sizeof told, "\"type\":\"%s\",\"id\":\"",
                   opened ? "conflict.opened" : "conflict.closed");
    await_file(out, told);
    assert_int_equal(count_in_file(&(struct in_file){out, text}), 1);

    (void)snprintf(told, sizeof told, "berth_conflicts{kind=\"%s\",severity=\"%s\"} %d\n", kind,
                   warning ? "warning" : "error", opened ? 1 : 0);
    await_file(temp_path(daemon->folder, "berth.prom"), told);
}

static void tour__each_kind__is_told_once_on_every_channel(void **state)
{
    struct daemon_process *daemon = *state;
    char command[600];
    char metrics[600];

    (void)snprintf(command, sizeof command, "%s/on-alert", daemon->folder);
    (void)snprintf(metrics, sizeof metrics, "%s/berth.prom", daemon->folder);
    forget_log();
    write_command(command, temp_path(daemon->folder, "told"));
    write_sites(daemon, "");
    daemon_start(daemon, alerts_settings(daemon, command, metrics));
    connect_clients(daemon);
    for (size_t i = 0; i < BERTH_COUNT(tour); i++) {
        (void)printf("%s\n", tour[i].kind);
        tour[i].open(daemon);
        assert_told(daemon, i, true);
        tour[i].end(daemon);
        assert_told(daemon, i, false);
    }
    close_clients();
    daemon_stop(daemon);
    read_log();
    (void)fputs(log_text, stdout);
    /* nothing else was told, and nothing twice */
    assert_int_equal(count_of(log_text, "]: [100] Berth "), 1);
    assert_int_equal(count_of(log_text, "\n"), 2 * BERTH_COUNT(tour) + 1);
}

/* ---- channels in trouble ---- */

static void fill(const char *path)
{
    static const char block[4096];
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0) {
    }
    assert_int_equal(errno, ENOSPC);
    (void)close(fd);
}

static void write_many_duplicates(const struct daemon_process *daemon)
{
    static char sites[60000];
    size_t used = 0;

    for (unsigned i = 0; i < FLOOD; i++) {
        used += (size_t)snprintf(sites + used, sizeof sites - used,
                                 "<site name=\"S%u\" id=\"%u\"><bindings>"
                                 "<binding protocol=\"http\" bindingInformation=\"*:%u:\"/>"
                                 "<binding protocol=\"http\" bindingInformation=\"*:%u:\"/>"
                                 "</bindings></site>",
                                 i, i + 1, 25100 + i, 25100 + i);
    }
    write_sites(daemon, sites);
}

static json_t *channel_state(json_t **status, const char *name)
{
    size_t index;
    json_t *channel;

    *status = client_call(&client, "status", NULL);
    json_array_foreach(json_at(*status, "alerts"), index, channel)
    {
        if (strcmp(json_string_at(channel, "channel"), name) == 0) {
            return channel;
        }
    }
    fail_msg("no channel %s", name);
    return NULL;
}

static bool channel_is(const char *name, const char *state, long long lost)
{
    json_t *status;
    const json_t *channel = channel_state(&status, name);
    bool is = (state == NULL || strcmp(json_string_at(channel, "state"), state) == 0) &&
              json_integer_at(channel, "lost") >= lost;

    assert_true(json_integer_at(channel, "waiting") <= 64);
    json_decref(status);
    return is;
}

/* The command has two runs under way and 64 waiting; the log has taken what its socket holds. */
static bool all_are_in_trouble(void *ctx)
{
    (void)ctx;
    return channel_is("command", NULL, FLOOD - 64 - 2) && channel_is("systemLog", NULL, 1) &&
           channel_is("metrics", "failing", 0);
}

static bool metrics_works(void *ctx)
{
    (void)ctx;
    return channel_is("metrics", "ok", 0);
}

static void assert_answers_and_events_are_as_they_were(void)
{
    for (unsigned i = 0; i < 50; i++) {
        json_decref(client_call(&client, "allocate", "{\"key\":\"k%u\"}", i));
        json_decref(client_call(&client, "release", "{\"key\":\"k%u\"}", i));
    }
    for (unsigned i = 0; i < FLOOD; i++) {
        json_t *line = client_answer(&follower);
        assert_string_equal(json_string_at(line, "params.type"), "conflict.opened");
        json_decref(line);
    }
}

static void trouble__a_log_a_command_and_a_disk__keep_nobody(void **state)
{
    static const char hangs[] = "#!/bin/sh\nexec sleep 1000\n";
    struct daemon_process *daemon = *state;
    char command[600];
    char full[600];
    char metrics[700];

    (void)snprintf(command, sizeof command, "%s/hangs", daemon->folder);
    (void)snprintf(full, sizeof full, "%s/full", daemon->folder);
    (void)snprintf(metrics, sizeof metrics, "%s/berth.prom", full);
    write_file(command, hangs, sizeof hangs - 1);
    assert_int_equal(chmod(command, 0755), 0);
    add_folder(full);
    assert_int_equal(mount("tmpfs", full, "tmpfs", 0, "size=64k"), 0);
    fill(temp_path(full, "filler"));
    write_sites(daemon, "");
    daemon_start(daemon, alerts_settings(daemon, command, metrics));
    connect_clients(daemon);
    /* nobody reads /dev/log from here on */
    write_many_duplicates(daemon);
    if (daemon_await(all_are_in_trouble, NULL, TOLD_MS) == UINT64_MAX) {
        json_t *status;
        fail_msg(
            "%s",
            json_dumps(json_object_get((channel_state(&status, "command"), status), "alerts"), 0));
    }
    assert_answers_and_events_are_as_they_were();
    daemon_await_log(daemon, "alerts by metrics");
    assert_true(daemon_log_has(daemon, "no space left on device"));
    assert_int_equal(unlink(temp_path(full, "filler")), 0);
    assert_true(daemon_await(metrics_works, NULL, TOLD_MS) != UINT64_MAX);
    await_file(metrics, "berth_conflicts{kind=\"duplicate_binding\",severity=\"warning\"} 300\n");
    /* logged when it began and when it was over, not each second */
    struct in_file in = {daemon->log, "no space left on device"};
    assert_int_equal(count_in_file(&in), 1);
    close_clients();
    daemon_stop(daemon);
    assert_true(daemon_log_has(daemon, "alerts were waiting and are lost"));
    forget_log();
    assert_int_equal(umount(full), 0);
}

/* ---- reload ---- */

#define QUEUED 12

static bool many_wait(void *ctx)
{
    json_t *status;
    bool many = json_integer_at(channel_state(&status, "command"), "waiting") == QUEUED - 2;

    (void)ctx;
    json_decref(status);
    return many;
}

/* Gives new settings and waits until the log says what came of them. */
static void reload(struct daemon_process *daemon, const char *alerts, const char *outcome)
{
    char text[3000];

    (void)snprintf(text, sizeof text, SETTINGS "\n<alerts>\n%s</alerts>", "%s", alerts);
    daemon_configure(daemon, text);
    json_decref(client_call(&client, "hello", NULL)); /* it serves, and so hears signals */
    assert_true(platform_process_reload(daemon->process));
    daemon_await_log(daemon, outcome);
}

static void reload__channels_come_and_go__no_alert_is_lost(void **state)
{
    struct daemon_process *daemon = *state;
    char command[600];
    char alerts[2000];
    char script[1500];
    char sites[4000] = "";
    size_t used = 0;

    (void)snprintf(command, sizeof command, "%s/waits", daemon->folder);
    int length = snprintf(script, sizeof script,
                          "#!/bin/sh\nuntil [ -e '%s/go' ]; do sleep 0.05; done\n"
                          "echo \"$BERTH_EVENT_TYPE $BERTH_EVENT_PORT\" >> '%s/told'\n",
                          daemon->folder, daemon->folder);
    write_file(command, script, (size_t)length);
    assert_int_equal(chmod(command, 0755), 0);
    write_sites(daemon, "");
    (void)snprintf(alerts, sizeof alerts,
                   SETTINGS "<alerts><command path=\"%s\" timeout=\"10m\"/></alerts>", "%s",
                   command);
    daemon_start(daemon, alerts);
    connect_clients(daemon);
    for (unsigned i = 0; i < QUEUED; i++) {
        used += (size_t)snprintf(sites + used, sizeof sites - used,
                                 "<site name=\"S%u\" id=\"%u\"><bindings>"
                                 "<binding protocol=\"http\" bindingInformation=\"*:%u:\"/>"
                                 "<binding protocol=\"http\" bindingInformation=\"*:%u:\"/>"
                                 "</bindings></site>",
                                 i, i + 1, 25100 + i, 25100 + i);
    }
    write_sites(daemon, sites);
    assert_true(daemon_await(many_wait, NULL, TOLD_MS) != UINT64_MAX);

    (void)snprintf(alerts, sizeof alerts, "<command path=\"%s\" timeout=\"0s\"/>\n", command);
    reload(daemon, alerts,
           "berthd.config:3: <command> timeout=\"0s\": accepted is a duration from 1 s to 10 min");
    assert_true(many_wait(NULL));
    (void)snprintf(alerts, sizeof alerts,
                   "<command path=\"%s\" timeout=\"9m\"/>\n<metrics path=\"%s/m.prom\"/>\n",
                   command, daemon->folder);
    reload(daemon, alerts, "the configuration was read again");
    assert_true(many_wait(NULL));
    await_file(temp_path(daemon->folder, "m.prom"), "berth_alerts_told_total{channel=\"command\"");
    /* without the command what waits is run all the same */
    daemon_configure(daemon, SETTINGS "<alerts><syslog/></alerts>");
    json_decref(client_call(&client, "reload", NULL));
    write_file(temp_path(daemon->folder, "go"), "", 0);
    for (unsigned i = 0; i < QUEUED; i++) {
        char line[60];
        (void)snprintf(line, sizeof line, "conflict.opened %u\n", 25100 + i);
        await_file(temp_path(daemon->folder, "told"), line);
    }
    close_clients();
    daemon_stop(daemon);
    forget_log();
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tour__each_kind__is_told_once_on_every_channel,
                                        daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(reload__channels_come_and_go__no_alert_is_lost,
                                        daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(trouble__a_log_a_command_and_a_disk__keep_nobody,
                                        daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests_name("system.alerts", tests, NULL, NULL);
}

int main(void)
{
    char *former = temp_dir_make();

    if (!own_world(former)) {
        (void)printf("skipped: it takes root, and mounts, a network and processes of its own\n");
        temp_dir_remove(former);
        return 77;
    }
    int failed = run_in_child(run_all);
    (void)umount2(former, MNT_DETACH);
    temp_dir_remove(former);
    _exit(failed); /* its processes are over: no leak sanitizer can be started among them */
}
