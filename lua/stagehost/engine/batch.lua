-- SPDX-License-Identifier: MIT

--- Parts of bindings/events/batch.c and value.c that are left to compiled Lua. Internal.
local bit = require "bit"
local ffi = require "ffi"

local M = {}

local rawget = rawget

--- Copies list[first + 1 .. first + n] to to[at + 1 ..].
---@param to any[]
---@param at integer
---@param list any[]
---@param first integer
---@param n integer
function M.copy(to, at, list, first, n)
    for i = 1, n do
        to[at + i] = list[first + i]
    end
end

--- The place of the first nil among the first n fields; 0 if there is none.
---@param list any[]
---@param n integer
---@return integer
function M.find_nil(list, n)
    for i = 1, n do
        if rawget(list, i) == nil then
            return i
        end
    end
    return 0
end

--- Makes a boxed 64-bit integer of two halves.
---@param high integer signed
---@param low integer 0 .. 2^32 - 1
---@return ffi.cdata*
function M.int64(high, low)
    return ffi.cast("int64_t", high) * 4294967296LL + low
end

--- Returns the halves of a boxed integer; nil if `value` is no boxed integer.
---@param value any
---@return integer? high signed; at least 2^31 for an unsigned integer that does not fit 63 bits and a sign
---@return integer? low
function M.halves(value)
    local shift = ffi.istype("int64_t", value) and bit.arshift or ffi.istype("uint64_t", value) and bit.rshift
    if shift then
        return tonumber(shift(value, 32)), tonumber(bit.band(value, 0xffffffffLL))
    end
end

return M
