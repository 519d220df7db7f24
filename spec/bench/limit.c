/* SPDX-License-Identifier: MIT
 *
 * The limit program: the same Lua callbacks as the engine's bench, called one after the
 * other with lua_pcall, their tables handed on directly. No engine can be faster without
 * leaving callbacks out.
 *
 *   bench_limit CALLBACKS.lua SET STEPS BATCH EVENTS     prints: events seconds */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(lua_State *L, const char *what)
{
    fprintf(stderr, "bench_limit: %s: %s\n", what, lua_tostring(L, -1));
    exit(1);
}

/* The stack from here on: produce, change, consume, self, and one free place. */
enum { PRODUCE = 1, CHANGE, CONSUME, SELF };

static void load(lua_State *L, const char *file, const char *set)
{
    if (luaL_dofile(L, file) != 0)
        fail(L, file);
    lua_getfield(L, -1, "sets");
    lua_getfield(L, -1, set);
    for (int i = 1; i <= 3; i++)
        lua_rawgeti(L, 3, i);
    lua_replace(L, CONSUME);
    lua_replace(L, CHANGE);
    lua_replace(L, PRODUCE);
    lua_newtable(L);
    lua_pushinteger(L, 0);
    lua_setfield(L, SELF, "n");
    lua_pushinteger(L, 0);
    lua_setfield(L, SELF, "sum");
}

/* Calls function(self, what is on top) and leaves its one result, or none. */
static void call(lua_State *L, int function, int nresults)
{
    lua_pushvalue(L, function);
    lua_insert(L, -2);
    lua_pushvalue(L, SELF);
    lua_insert(L, -2);
    if (lua_pcall(L, 2, nresults, 0) != 0)
        fail(L, "callback");
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: %s CALLBACKS.lua SET STEPS BATCH EVENTS\n", argv[0]);
        return 64;
    }
    int steps = atoi(argv[3]);
    long batch = atol(argv[4]), events = atol(argv[5]), done = 0;
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    load(L, argv[1], argv[2]);
    double begin = now();
    while (done < events) {
        lua_pushinteger(L, batch);
        call(L, PRODUCE, 1);
        for (int i = 0; i < steps; i++)
            call(L, CHANGE, 1);
        call(L, CONSUME, 0);
        done += batch;
    }
    printf("%ld %.6f\n", done, now() - begin);
    lua_close(L);
    return 0;
}
