-- SPDX-License-Identifier: MIT

--- JSON with lua-cjson: one document an event.
---
--- What JSON has and Lua has not: null decodes to `json.null` (it compares equal to itself, and is
--- true in a condition); [] and {} both decode to an empty table, which encodes as {}. Numbers are
--- doubles: integers are exact up to 2^53, both ways; a fraction is encoded with 14 digits.
---
--- What can't be encoded is an error: NaN and the infinities, functions and other objects, tables
--- with keys other than strings and numbers, lists with many holes, nesting deeper than 1000.
local cjson = require "cjson"
local stages = require "stagehost.codec.stage"

---@class stagehost.codec.json
local M = {}

-- An instance of our own: what a script sets on its cjson changes nothing here, and the reverse.
local instance = cjson.new()
instance.decode_invalid_numbers(false)
instance.encode_invalid_numbers(false)

local decode, encode = instance.decode, instance.encode
local find, format, gsub = string.find, string.format, string.gsub

M.null = cjson.null

-- cjson writes 14 digits, so that an integer from 1e14 on would come out as another one:
-- 1446249499322123 as 1.4462494993221e+15. Such texts, found by their exponent, are made once more
-- with these integers as marked strings, which are unmarked in the text.
local FIRST_INEXACT, LAST_EXACT = 1e14, 2 ^ 53
local MARK = "\1stagehost.integer:"
local MARKED = '"\\u0001stagehost%.integer:(%-?%d+)"'

local function mark_integers(value)
    if type(value) == "number" then
        local size = math.abs(value)
        if size >= FIRST_INEXACT and size <= LAST_EXACT and value % 1 == 0 then
            return MARK .. format("%.0f", value)
        end
    elseif type(value) == "table" then
        local copy = {}
        for key, field in pairs(value) do
            copy[key] = mark_integers(field)
        end
        return copy
    end
    return value
end

--- The text of a value. Raises.
local function encode_exactly(value)
    local text = encode(value)
    if find(text, "+1", 1, true) and find(text, "%de%+1[45]") then
        return (gsub(encode(mark_integers(value)), MARKED, "%1"))
    end
    return text
end

--- The value of a JSON text.
---@param text string
---@return any value nil if it is not JSON; json.null for null
---@return string? message
function M.decode(text)
    local ok, value = pcall(decode, text)
    if not ok then
        return nil, stages.reason_of(value)
    end
    return value
end

--- The JSON text of a value.
---@param value any
---@return string? text nil if it can't be encoded
---@return string? message
function M.encode(value)
    local ok, text = pcall(encode_exactly, value)
    if not ok then
        return nil, stages.reason_of(text)
    end
    return text
end

--- Converts a whole list at once, so that what is done for an event is what cjson does. On an error
--- `cursor` tells where it was, and the results so far are in `out`.
---@param convert fun(event: any): any raises
---@return fun(events: any[], out: any[], cursor: { at: integer, n: integer }) # cursor: the next
--- event to take, and results so far
local function for_all(convert)
    return function(events, out, cursor)
        local n = cursor.n
        for at = cursor.at, #events do
            cursor.at, cursor.n = at, n
            n = n + 1
            out[n] = convert(events[at])
        end
        cursor.n = n
    end
end

local decode_all, encode_all = for_all(decode), for_all(encode_exactly)

--- A producer_consumer: JSON texts in, values out.
---
---     local decoder = stagehost.codec.json.decoder { on_error = "skip" }
---     stagehost.start(decoder, { subscribe_to = { lines } })
---
--- An event that is no JSON is counted by its number, which is the line's number if the producer
--- is a source of lines. What then happens is said by `on_error`:
---
--- - "fail" (default): the stage ends with a reason that names the line, the error and the text;
--- - "skip": the event is dropped and counted; the first is logged, and how many at the end;
--- - a stage (handle or name), the dead-letter stage: as "skip", and it is cast
---   { event =, error =, line =, stage = }. A source.queue makes events of that, without a limit;
--- - a queue object (`stagehost.source.queue`): as before, and the stage waits while that is full.
---
--- `stage:call("stats")` answers { events =, failed =, first_error = }.
---@param options? { on_error?: "fail"|"skip"|stagehost.Stage|string|stagehost.Queue }
---@return stagehost.Definition
function M.decoder(options)
    return stages.new("codec.json.decoder", decode_all, options)
end

--- A producer_consumer: values in, JSON texts out. Options as for the decoder.
---@param options? { on_error?: "fail"|"skip"|stagehost.Stage|string|stagehost.Queue }
---@return stagehost.Definition
function M.encoder(options)
    return stages.new("codec.json.encoder", encode_all, options)
end

M.decode_all, M.encode_all = decode_all, encode_all

return M
