/* SPDX-License-Identifier: MIT */
#include "objects/board.h"

#include <uv.h>

#include "stagehost.h"
#include "state/context.h"

/* The line appears when reading takes longer, and is redrawn at this interval. */
enum { SHOW_AFTER_MS = 1000, REDRAW_MS = 250, MOST_COLUMNS = 10000 };

/* The share of the newest interval in the rate. */
static const double SMOOTHING = 0.3;

struct sums {
    int sources;
    double bytes, lines, total;
    bool has_total;          /* every source knows how much it will read */
    uint64_t started, drawn; /* milliseconds */
    double drawn_bytes;
    double rate;       /* bytes a second */
    lua_Integer width; /* of the line on the screen */
};

struct shl_board {
    uv_mutex_t mutex; /* guards all below */
    struct sums sums; /* begin anew when a source comes and there is no other */
    bool is_hidden;
};

struct shl_board *shl_board_new(void)
{
    struct shl_board *board = sh_malloc(sizeof *board);
    if (!board)
        return NULL;
    *board = (struct shl_board){.is_hidden = false};
    if (uv_mutex_init(&board->mutex) == 0)
        return board;
    sh_free(board);
    return NULL;
}

void shl_board_free(struct shl_board *board)
{
    if (!board)
        return;
    uv_mutex_destroy(&board->mutex);
    sh_free(board);
}

static struct shl_board *lock(lua_State *L)
{
    struct shl_board *board = shl_context(L)->board;
    uv_mutex_lock(&board->mutex);
    return board;
}

static void unlock(struct shl_board *board)
{
    uv_mutex_unlock(&board->mutex);
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* board_join(total | nil): a source begins to read `total` bytes. */
static int join(lua_State *L)
{
    bool has_total = !lua_isnoneornil(L, 1);
    double total = luaL_optnumber(L, 1, 0);
    struct shl_board *board = lock(L);
    struct sums *sums = &board->sums;
    if (sums->sources++ == 0) {
        uint64_t now = now_ms();
        *sums =
            (struct sums){.sources = 1, .has_total = true, .started = now, .drawn = now};
    }
    sums->total += total;
    sums->has_total &= has_total;
    unlock(board);
    return 0;
}

/* Whether the line is to be drawn now, and by this caller alone. */
static bool is_due(struct shl_board *board, uint64_t now)
{
    struct sums *sums = &board->sums;
    if (board->is_hidden || now - sums->started < SHOW_AFTER_MS ||
        now - sums->drawn < REDRAW_MS)
        return false;
    double newest = (sums->bytes - sums->drawn_bytes) * 1000 / (double)(now - sums->drawn);
    sums->rate = sums->rate > 0 ? sums->rate + SMOOTHING * (newest - sums->rate) : newest;
    sums->drawn = now;
    sums->drawn_bytes = sums->bytes;
    return true;
}

/* board_add(bytes, lines) -> nothing, or, if the caller is to draw the line: bytes, lines, rate,
 * width of the line on the screen, total | nil */
static int add(lua_State *L)
{
    double bytes = luaL_checknumber(L, 1), lines = luaL_checknumber(L, 2);
    struct shl_board *board = lock(L);
    board->sums.bytes += bytes;
    board->sums.lines += lines;
    bool due = is_due(board, now_ms());
    struct sums sums = board->sums;
    unlock(board);
    if (!due)
        return 0;
    lua_pushnumber(L, sums.bytes);
    lua_pushnumber(L, sums.lines);
    lua_pushnumber(L, sums.rate);
    lua_pushinteger(L, sums.width);
    if (sums.has_total)
        lua_pushnumber(L, sums.total);
    else
        lua_pushnil(L);
    return 5;
}

/* board_drawn(width): the line takes this many columns of the screen. */
static int drawn(lua_State *L)
{
    lua_Integer width = luaL_checkinteger(L, 1);
    luaL_argcheck(L, width >= 0 && width <= MOST_COLUMNS, 1, "out of range");
    struct shl_board *board = lock(L);
    board->sums.width = width;
    unlock(board);
    return 0;
}

/* board_leave() -> width of the line to erase: a source has ended, perhaps the last one. */
static int leave(lua_State *L)
{
    struct shl_board *board = lock(L);
    bool is_last = board->sums.sources > 0 && --board->sums.sources == 0;
    lua_Integer width = is_last ? board->sums.width : 0;
    unlock(board);
    lua_pushinteger(L, width);
    return 1;
}

/* board_hide() -> width of the line to erase: nothing is drawn from now on. */
static int hide(lua_State *L)
{
    struct shl_board *board = lock(L);
    lua_Integer width = board->is_hidden ? 0 : board->sums.width;
    board->is_hidden = true;
    unlock(board);
    lua_pushinteger(L, width);
    return 1;
}

const luaL_Reg shl_board_functions[] = {
    {"board_join", join},   {"board_add", add},   {"board_drawn", drawn},
    {"board_leave", leave}, {"board_hide", hide}, {NULL, NULL},
};
