/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "base/units.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <uv.h>

#define LINE_SIZE 1024

static const char *const level_names[] = {"error", "warning", "info", "debug"};

/* journald's priorities: err, warning, info, debug (sd-daemon(3)) */
static const char *const journal_prefixes[] = {"<3>", "<4>", "<6>", "<7>"};

static struct {
    FILE *out; /* NULL: stderr */
    enum berth_log_level level;
    bool journal;
    berth_log_sink *sink; /* NULL: `out` */
    void *sink_ctx;
} log_target = {.level = BERTH_LOG_INFO};

/* Held while a line is on its way, so that a sink can be taken away. */
static uv_mutex_t log_lock;
static uv_once_t log_lock_once = UV_ONCE_INIT;
static bool log_lock_made;

static void make_lock(void)
{
    log_lock_made = uv_mutex_init(&log_lock) == 0;
}

static void lock(void)
{
    uv_once(&log_lock_once, make_lock);
    if (log_lock_made) {
        uv_mutex_lock(&log_lock);
    }
}

static void unlock(void)
{
    if (log_lock_made) {
        uv_mutex_unlock(&log_lock);
    }
}

void berth_log_use(FILE *out, enum berth_log_level level, bool journal)
{
    log_target.out = out;
    log_target.level = level;
    log_target.journal = journal;
}

void berth_log_use_sink(berth_log_sink *sink, void *ctx)
{
    lock();
    log_target.sink = sink;
    log_target.sink_ctx = ctx;
    unlock();
}

bool berth_log_level_find(const char *name, enum berth_log_level *out)
{
    for (unsigned i = 0; i < BERTH_COUNT(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum berth_log_level)i;
            return true;
        }
    }
    return false;
}

static void replace_controls(char *line)
{
    for (; *line != '\0'; line++) {
        if ((unsigned char)*line < 0x20 || *line == 0x7F) {
            *line = '?';
        }
    }
}

/* Puts the line out; the lock is held. */
static void put_line(enum berth_log_level level, const char *text)
{
    FILE *out = log_target.out != NULL ? log_target.out : stderr;
    char line[LINE_SIZE + 64];
    char time[32] = "";
    uv_timeval64_t now;

    if (log_target.journal && log_target.sink == NULL) {
        (void)fprintf(out, "%s%s\n", journal_prefixes[level], text);
        (void)fflush(out);
        return;
    }
    (void)uv_gettimeofday(&now);
    berth_format_time(time, sizeof time, now.tv_sec * 1000 + now.tv_usec / 1000);
    int length = snprintf(line, sizeof line, "%s %-7s %s\n", time, level_names[level], text);
    if (log_target.sink != NULL) {
        log_target.sink(log_target.sink_ctx, line, (size_t)length);
    } else {
        (void)fputs(line, out);
        (void)fflush(out);
    }
}

void berth_log(enum berth_log_level level, const char *format, ...)
{
    int saved = errno;
    char line[LINE_SIZE];
    va_list args;

    if (level > log_target.level) {
        return;
    }
    va_start(args, format);
    if (vsnprintf(line, sizeof line, format, args) < 0) {
        line[0] = '\0';
    }
    va_end(args);
    replace_controls(line);
    lock();
    put_line(level, line);
    unlock();
    errno = saved;
}
