/* SPDX-License-Identifier: MIT
 *
 * The only place for compiler extensions. */
#ifndef SH_COMPILER_H
#define SH_COMPILER_H

#include <stdint.h>

#if defined(__GNUC__)
#define sh__likely(x)         __builtin_expect(!!(x), 1)
#define sh__unlikely(x)       __builtin_expect(!!(x), 0)
#define sh__printf(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define sh__likely(x)   (x)
#define sh__unlikely(x) (x)
#define sh__printf(fmt, args)
#endif

/* Of a word that was loaded from memory, the place there, 0 .. 7, of its first byte that is not
 * 0. */
static inline unsigned sh__first_byte(uint64_t word)
{
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (unsigned)__builtin_ctzll(word) / 8;
#elif defined(__GNUC__)
    return (unsigned)__builtin_clzll(word) / 8;
#else
    unsigned i = 0;
    while (((const unsigned char *)&word)[i] == 0)
        i++;
    return i;
#endif
}

/* Tells the processor that this memory will be read soon; any address may be given. */
static inline void sh__prefetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address);
#else
    (void)address;
#endif
}

/* Tells the processor that this thread waits in a loop for another one. */
static inline void sh__relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* A cheap clock of unknown rate, for time spent in callbacks (work/host.c converts it). */
#if defined(__x86_64__)
static inline uint64_t sh__ticks(void)
{
    return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
static inline uint64_t sh__ticks(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#else
#include <uv.h>
static inline uint64_t sh__ticks(void)
{
    return uv_hrtime();
}
#endif

#endif
