/* SPDX-License-Identifier: MIT
 *
 * A bare ping-pong between two threads through two eventfds, which is the floor of the system for
 * a message there and back. Each thread is bound to a processor: on one processor, where the
 * scheduler puts them now and then, a trip takes a twentieth of the time. Prints 1 and the median
 * time of a trip, in seconds.
 *
 *   bench_eventfd TRIPS [PAUSE]
 *   PAUSE: milliseconds before each trip, after which both threads sleep */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { THERE, BACK };

struct pair {
    int fds[2];
    int64_t trips;
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* A machine that refuses leaves the thread where it is. */
static void bind_to(size_t processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void give(int fd)
{
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) != (ssize_t)sizeof one)
        fail("bench_eventfd: write");
}

static void wait_for(int fd)
{
    uint64_t n;
    if (read(fd, &n, sizeof n) != (ssize_t)sizeof n)
        fail("bench_eventfd: read");
}

static void *answer(void *arg)
{
    const struct pair *pair = arg;
    bind_to(1);
    for (int64_t i = 0; i < pair->trips; i++) {
        wait_for(pair->fds[THERE]);
        give(pair->fds[BACK]);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void travel(const struct pair *pair, int64_t pause_ms, int64_t *times)
{
    struct timespec pause = {.tv_sec = pause_ms / 1000,
                             .tv_nsec = pause_ms % 1000 * 1000000};
    for (int64_t i = 0; i < pair->trips; i++) {
        if (pause_ms > 0)
            nanosleep(&pause, NULL);
        int64_t begin = now();
        give(pair->fds[THERE]);
        wait_for(pair->fds[BACK]);
        times[i] = now() - begin;
    }
}

int main(int argc, char **argv)
{
    struct pair pair = {.trips = argc >= 2 ? atoll(argv[1]) : 0};
    if (pair.trips < 1) {
        fprintf(stderr, "usage: %s TRIPS [PAUSE]\n", argv[0]);
        return 64;
    }
    for (int i = THERE; i <= BACK; i++)
        if ((pair.fds[i] = eventfd(0, EFD_CLOEXEC)) < 0)
            fail("bench_eventfd: eventfd");
    int64_t *times = malloc((size_t)pair.trips * sizeof *times);
    if (!times)
        fail("bench_eventfd: malloc");
    bind_to(0);
    pthread_t other;
    if (pthread_create(&other, NULL, answer, &pair) != 0)
        fail("bench_eventfd: pthread_create");
    travel(&pair, argc >= 3 ? atoll(argv[2]) : 0, times);
    pthread_join(other, NULL);
    qsort(times, (size_t)pair.trips, sizeof *times, compare);
    size_t middle = ((size_t)pair.trips - 1) / 2;
    printf("1 %.9f\n", (double)times[middle] * 1e-9);
    free(times);
    return 0;
}
