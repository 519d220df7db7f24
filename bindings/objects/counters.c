/* SPDX-License-Identifier: MIT */
#include "objects/counters.h"

#define STATS_MAP(XX)                                                                      \
    XX(events_in)                                                                          \
    XX(events_out)                                                                         \
    XX(messages_in)                                                                        \
    XX(messages_out)                                                                       \
    XX(asks_in)                                                                            \
    XX(asks_out)                                                                           \
    XX(demand_in)                                                                          \
    XX(demand_out)                                                                         \
    XX(discarded_full)                                                                     \
    XX(discarded_no_consumers)                                                             \
    XX(discarded_none)                                                                     \
    XX(discarded_stopped)                                                                  \
    XX(declined)                                                                           \
    XX(unfinished)                                                                         \
    XX(combined)                                                                           \
    XX(skipped)                                                                            \
    XX(dead_lettered)                                                                      \
    XX(redelivered)                                                                        \
    XX(asks_answered)                                                                      \
    XX(ask_ns)                                                                             \
    XX(uptime_ns)                                                                          \
    XX(callbacks)                                                                          \
    XX(callback_ns)                                                                        \
    XX(demand_owed)                                                                        \
    XX(unacknowledged)                                                                     \
    XX(buffered)                                                                           \
    XX(queued)                                                                             \
    XX(consumers)                                                                          \
    XX(producers)

#define SUBSCRIPTION_MAP(XX)                                                               \
    XX(events)                                                                             \
    XX(messages)                                                                           \
    XX(asks)                                                                               \
    XX(outstanding)                                                                        \
    XX(crossed_events)                                                                     \
    XX(crossed_bytes)                                                                      \
    XX(encode_ns)                                                                          \
    XX(decode_ns)

static void set_number(lua_State *L, const char *field, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, field);
}

static void set_text(lua_State *L, const char *field, const char *text)
{
    lua_pushstring(L, text); /* nil if it is NULL */
    lua_setfield(L, -2, field);
}

/* -- what crossed ---------------------------------------------------------------------- */

/* Appends an entry for a subscription to the list on top, if events of it have crossed. */
static void add_crossing(lua_State *L, const sh_subscription *sub, sh_role side)
{
    sh_subscription_stats stats;
    sh_subscription_get_stats(sub, side, &stats);
    if (stats.crossed_events == 0)
        return;
    lua_createtable(L, 0, 5);
    set_text(L, "producer", sh_stage_name(sh_subscription_producer(sub)));
    set_text(L, "consumer", sh_stage_name(sh_subscription_consumer(sub)));
    set_number(L, "events", (double)stats.crossed_events);
    set_number(L, "bytes", (double)stats.crossed_bytes);
    if (side == SH_ROLE_PRODUCER)
        set_number(L, "encode_ns", (double)stats.encode_ns);
    else
        set_number(L, "decode_ns", (double)stats.decode_ns);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
}

static void add_received(void *data, sh_subscription *sub)
{
    add_crossing(data, sub, SH_ROLE_CONSUMER);
}

static void add_sent(void *data, sh_subscription *sub)
{
    add_crossing(data, sub, SH_ROLE_PRODUCER);
}

/* -- the tables ------------------------------------------------------------------------ */

void shl_push_stage_stats(lua_State *L, sh_stage *stage)
{
    sh_stage_stats stats;
    sh_stage_get_stats(stage, &stats);
    lua_newtable(L);
#define XX(field) set_number(L, #field, (double)stats.field);
    STATS_MAP(XX)
#undef XX
    set_text(L, "dispatcher", stats.dispatcher); /* nil if it has none */
    lua_newtable(L);
    sh_stage_each_subscription(stage, SH_ROLE_PRODUCER, add_received, L);
    sh_stage_each_subscription(stage, SH_ROLE_CONSUMER, add_sent, L);
    lua_setfield(L, -2, "crossings");
}

void shl_push_subscription_stats(lua_State *L, const sh_subscription *sub, sh_role side)
{
    sh_subscription_stats stats;
    sh_subscription_get_stats(sub, side, &stats);
    lua_createtable(L, 0, 8);
#define XX(field) set_number(L, #field, (double)stats.field);
    SUBSCRIPTION_MAP(XX)
#undef XX
}
