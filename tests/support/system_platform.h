/* SPDX-License-Identifier: MIT */
/* What system tests ask of the operating system: the contract; posix/ and windows/ fulfil it.
 * Nothing here fails a test by itself, so that all of it may be called on any thread. */
#ifndef BERTH_TESTS_SYSTEM_PLATFORM_H
#define BERTH_TESTS_SYSTEM_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Gives a monotonic clock in milliseconds. */
uint64_t platform_now_ms(void);

/** Gives the same clock in microseconds. */
uint64_t platform_now_us(void);

/** Lets some time pass between two looks at a condition. */
void platform_pause_ms(unsigned ms);

/* ---- processes ---- */

struct platform_process;

/** How a process starts. */
struct platform_start {
    const char *const *arguments; /* [0] is the program's path; ends with NULL */
    const char *output_path;      /* takes standard output and standard error, at its end */
    long user;                    /* who runs it; -1: who runs the test */
    size_t file_bytes_max; /* how large it may make a file; 0: as large as the disk lets it */
};

/** Starts a process, which ends with the test program.  @return NULL: it could not be started */
struct platform_process *platform_process_start(const struct platform_start *start);

/** Gives the process id. */
long platform_process_id(const struct platform_process *process);

/** Asks it to stop in an orderly way (SIGTERM, Ctrl-C). */
void platform_process_stop(const struct platform_process *process);

/** Asks it to read its configuration again (SIGHUP).  @return false: there is no such way here */
bool platform_process_reload(const struct platform_process *process);

/** Writes what a second daemon says of the one that has its endpoint: the words around its id. */
void platform_words_taken(char *out, size_t size, const struct platform_process *process);

/** Lets it stand still, and go on. */
void platform_process_suspend(const struct platform_process *process);
void platform_process_resume(const struct platform_process *process);

/** Ends it at once. */
void platform_process_kill(const struct platform_process *process);

/** Lets it make files of another size from now on.  @return false: that could not be had */
bool platform_process_limit_files(const struct platform_process *process, size_t file_bytes_max);

/** Waits for its end.
 *  @param[out] status  its exit status; 128 + n if signal n ended it
 *  @return false: it still runs after `timeout_ms` */
bool platform_process_wait(struct platform_process *process, unsigned timeout_ms, int *status);

/** Gives the memory back; what still runs is ended. NULL is accepted. */
void platform_process_free(struct platform_process *process);

/* ---- connections ---- */

#define PLATFORM_NO_SOCKET ((intptr_t)-1)
#define PLATFORM_TIMEOUT (-2L)
#define PLATFORM_FAILED (-1L)

/** Connects to an endpoint.  @return PLATFORM_NO_SOCKET: nobody answers there */
intptr_t platform_connect(const char *endpoint);

/** Reads what is there.  @return how many bytes; 0: the other side closed; PLATFORM_TIMEOUT;
 *  PLATFORM_FAILED: the connection is broken */
long platform_read(intptr_t socket, void *bytes, size_t size, unsigned timeout_ms);

/** Writes as much as goes at once, waiting until anything does.  @return as platform_read() */
long platform_write(intptr_t socket, const void *bytes, size_t size, unsigned timeout_ms);

/** Closes the writing side only.  @return false: connections of this system cannot do that */
bool platform_close_writing(intptr_t socket);

/** Closes the connection. PLATFORM_NO_SOCKET is accepted. */
void platform_close(intptr_t socket);

/* ---- files ---- */

/** Lets every user go into a folder and read it. */
void platform_open_folder_to_all(const char *path);

/** Lets nobody but the system's administrator read a file. */
void platform_make_unreadable(const char *path);

/** Makes and removes an empty folder.  @return false: it could not be */
bool platform_make_folder(const char *path);
bool platform_remove_folder(const char *path);

/** Tells whether the test runs as the system's administrator, who may start programs as others. */
bool platform_is_administrator(void);

/** Empties a file and writes it part by part, as slow editors do; each part is there at once.
 *  @return NULL: it could not be opened */
void *platform_rewrite_begin(const char *path);
bool platform_rewrite_add(void *file, const void *bytes, size_t size);
void platform_rewrite_end(void *file);

/** Tells whether the system is an emulation of another, and much slower: Wine. */
bool platform_is_emulated(void);

/** Lets this process have as many descriptors as it may.  @return how many those are */
size_t platform_raise_descriptor_limit(void);

#endif
