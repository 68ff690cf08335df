/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "base/units.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <uv.h>

static const char *const level_names[] = {"error", "warning", "info", "debug"};

/* journald's priorities: err, warning, info, debug (sd-daemon(3)) */
static const char *const journal_prefixes[] = {"<3>", "<4>", "<6>", "<7>"};

static struct {
    FILE *out; /* NULL: stderr */
    enum berth_log_level level;
    bool journal;
} log_target = {.level = BERTH_LOG_INFO};

void berth_log_use(FILE *out, enum berth_log_level level, bool journal)
{
    log_target.out = out;
    log_target.level = level;
    log_target.journal = journal;
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

void berth_log(enum berth_log_level level, const char *format, ...)
{
    FILE *out = log_target.out != NULL ? log_target.out : stderr;
    int saved = errno;
    char line[1024];
    char time[32] = "";
    uv_timeval64_t now;
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
    if (log_target.journal) {
        (void)fprintf(out, "%s%s\n", journal_prefixes[level], line);
    } else {
        (void)uv_gettimeofday(&now);
        berth_format_time(time, sizeof time, now.tv_sec * 1000 + now.tv_usec / 1000);
        (void)fprintf(out, "%s %-7s %s\n", time, level_names[level], line);
    }
    (void)fflush(out);
    errno = saved;
}
