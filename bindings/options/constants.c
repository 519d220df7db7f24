/* SPDX-License-Identifier: MIT */
#include "options/constants.h"

#include "stagehost.h"

#define CONSTANTS_MAP(XX)                                                                  \
    XX(max_demand, SH_MAX_DEMAND_DEFAULT)                                                  \
    XX(max_deliver, SH_MAX_DELIVER_DEFAULT)                                                \
    XX(max_weight, SH_WEIGHT_MAX)                                                          \
    XX(buffer_size, SH_BUFFER_DEFAULT_SIZE)                                                \
    XX(combine_every, SH_COMBINE_EVERY)                                                    \
    XX(retry_times, SH_RETRY_TIMES)                                                        \
    XX(retry_delay, SH_RETRY_DELAY_MS)                                                     \
    XX(retry_factor, SH_RETRY_FACTOR)

void shl_constants_push(lua_State *L)
{
    lua_newtable(L);
#define XX(name, value)                                                                    \
    lua_pushinteger(L, value);                                                             \
    lua_setfield(L, -2, #name);
    CONSTANTS_MAP(XX)
#undef XX
}
