/* SPDX-License-Identifier: MIT
 *
 * A read by a thread pool costs two changes of threads, and its bytes are in another core's cache
 * when they are looked at. A file that is read as a whole was mostly written or read before, or the
 * system has read ahead: then its bytes are there at once. */
#include "native/cached_read.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <sys/uio.h>

static int cached_read(lua_State *L)
{
    int fd = (int)luaL_checkinteger(L, 1);
    size_t n = (size_t)luaL_checknumber(L, 2);
    off_t offset = (off_t)luaL_checknumber(L, 3);
    ssize_t n_read = -1;
#ifdef RWF_NOWAIT
    struct iovec room = {.iov_base = malloc(n), .iov_len = n};
    if (room.iov_base)
        n_read = preadv2(fd, &room, 1, offset, RWF_NOWAIT);
    if (n_read > 0)
        lua_pushlstring(L, room.iov_base, (size_t)n_read);
    free(room.iov_base);
#else
    (void)fd, (void)n, (void)offset;
#endif
    if (n_read <= 0)
        lua_pushnil(L);
    return 1;
}

int luaopen_stagehost_native_cached_read(lua_State *L)
{
    lua_pushcfunction(L, cached_read);
    return 1;
}
