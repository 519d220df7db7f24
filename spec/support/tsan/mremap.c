/* SPDX-License-Identifier: MIT
 *
 * In builds with ThreadSanitizer nothing is moved by mremap. The sanitizer knows mmap and
 * munmap, and not mremap: pages that one thread's LuaJIT has moved away keep their history,
 * and when another thread is given that address, its first write there is reported as a race.
 * LuaJIT, told that it can't move a large block, allocates, copies and frees. */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

void *mremap(void *address, size_t size, size_t new_size, int flags, ...)
{
    (void)address;
    (void)size;
    (void)new_size;
    (void)flags;
    errno = ENOMEM;
    return MAP_FAILED;
}
