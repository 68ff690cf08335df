/* SPDX-License-Identifier: MIT */
/* What compilers differ in. The only file outside the platform folders that may ask which compiler
 * it is. */
#ifndef BERTH_BASE_COMPILER_H
#define BERTH_BASE_COMPILER_H

#if defined(__MINGW32__)
/* C99 conversions (%zu, %lld), which the Microsoft runtime under mingw would not know */
#define BERTH_PRINTF(string, first) __attribute__((format(gnu_printf, string, first)))
#define BERTH_MUST_USE __attribute__((warn_unused_result))
#elif defined(__GNUC__)
#define BERTH_PRINTF(string, first) __attribute__((format(printf, string, first)))
#define BERTH_MUST_USE __attribute__((warn_unused_result))
#else
#define BERTH_PRINTF(string, first)
#define BERTH_MUST_USE
#endif

/** The number of elements of an array (never of a pointer). */
#define BERTH_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** The struct whose member `member` lies at `pointer`. */
#define BERTH_CONTAINER_OF(pointer, type, member)                                                  \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
