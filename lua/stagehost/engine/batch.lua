-- SPDX-License-Identifier: MIT

--- Parts of bindings/events/batch.c and value.c that are left to compiled Lua. Internal.
local bit = require "bit"
local ffi = require "ffi"
local new_table = require "table.new"

local M = {}

local copy, rawget, string_of, type = ffi.copy, rawget, ffi.string, type

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

-- The functions below have nothing but a loop, which compiles to a few instructions.

local function measure(list, first, n)
    local sum = 0
    for i = 1, n do
        local text = rawget(list, first + i)
        if type(text) ~= "string" then
            return 0, i
        end
        sum = sum + #text
    end
    return sum, 0
end

local function fill(list, first, n, spans, bytes)
    local at = 0
    for i = 1, n do
        local text = rawget(list, first + i)
        local len = #text
        copy(bytes + at, text, len)
        spans[2 * i - 2], spans[2 * i - 1] = at, len
        at = at + len
    end
end

local function read(spans, bytes, n)
    local list = new_table(n, 0)
    for i = 1, n do
        list[i] = string_of(bytes + spans[2 * i - 2], spans[2 * i - 1])
    end
    return list
end

--- The sum of the lengths of the strings list[first + 1 .. first + n], and 0; or 0 and the place, from 1 on, of the
--- first element that is none.
M.measure = measure

--- Copies strings that have been measured into a block of packed strings, and writes their places.
---@param list string[]
---@param first integer
---@param n integer
---@param spans lightuserdata
---@param bytes lightuserdata
function M.fill(list, first, n, spans, bytes)
    fill(list, first, n, ffi.cast("uint32_t *", spans), ffi.cast("uint8_t *", bytes))
end

--- Makes a list of packed strings.
---@param spans lightuserdata
---@param bytes lightuserdata
---@param n integer
---@return string[]
function M.strings(spans, bytes, n)
    return read(ffi.cast("const uint32_t *", spans), ffi.cast("const uint8_t *", bytes), n)
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
