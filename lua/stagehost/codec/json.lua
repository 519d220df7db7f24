-- SPDX-License-Identifier: MIT

--- JSON (RFC 8259), one document for each event. Numbers survive decoding and encoding exactly.
---
--- JSON's null decodes to `json.null`, which compares equal to itself, is true in a condition, and is
--- also the null of lua-cjson. [] and {} both decode to an empty table, and an empty table encodes as
--- {}. If an object has two members with the same name, the last one wins. A text is a single value: anything
--- after it is an error, a NUL byte too.
---
--- Numbers:
---
--- - Integers up to 2^53, and all numbers with a fraction or an exponent, decode to Lua numbers. These are
---   doubles; the nearest one is taken. A number beyond the range of doubles (1e999) is an error.
--- - The option `big_integers` decides what integers beyond 2^53 decode to, even those that a double happens to
---   hold, so that the type of a field does not depend on its last digits.
--- - Integral numbers up to 2^53 encode as integers. All others encode with the fewest digits that read back
---   as the same double, beyond 2^53 with an exponent: 1e20 is a double, 100000000000000000000 an integer.
---   Zero keeps its sign.
--- - int64_t and uint64_t cdata (5LL, 5ULL) encode as integers.
--- - Numbers and such cdata that are keys of a table encode by the same rules, in quotes.
---
--- These can't be encoded; the error names the path to them: NaN and the infinities; functions and other
--- objects; keys that are neither strings nor numbers; a key that a table has both as a number and as a
--- string; lists longer than 10 that have more holes than items. Nesting deeper than 1000 is an error in
--- both directions.
local checks = require "stagehost.options.checks"
local ffi = require "ffi"
local native = require "stagehost.native.json"
local stages = require "stagehost.codec.stage"

---@class stagehost.codec.json
local M = {}

--- All functions of the codec take all of these options, and ignore those that do not concern them.
---@class stagehost.codec.json.Options
--- What an integer beyond 2^53 decodes to, since a double may not hold it.
--- "error" (default): an error. A script has to be prepared for the other two.
--- "int64": int64_t cdata, or uint64_t cdata from 2^63 on, which encode as they were. They are not of the
--- `type` "number", and two of them are never the same key of a table. Beyond 64 bits: an error.
--- "string": a string of its digits, which encodes as a string.
---@field big_integers? "error" | "int64" | "string"
--- How bytes in a string that are not UTF-8, and escapes such as \ud800 without their other half, are treated.
--- "error" (default): an error. A text with such bytes is not JSON, and other readers may refuse it.
--- "replace": U+FFFD takes the place of each byte or escape.
--- "keep": the bytes stay, and the escape becomes three bytes, so that text in another encoding survives.
---@field invalid_utf8? "error" | "replace" | "keep"

---@class stagehost.codec.json.StageOptions : stagehost.codec.json.Options
---@field on_error? "fail" | "skip" | stagehost.Stage | string | stagehost.Queue

local tostring = tostring
local int64, uint64 = ffi.typeof "int64_t", ffi.typeof "uint64_t"

--- Makes a boxed integer of the halves of its absolute value.
local function box(high, low, is_negative)
    local size = ffi.cast(uint64, high) * 4294967296ULL + low
    if is_negative then
        return -ffi.cast(int64, size)
    end
    return size < 2ULL ^ 63 and ffi.cast(int64, size) or size
end

--- Returns the digits of a boxed integer, and nil for any other cdata.
local function unbox(value)
    if ffi.istype(int64, value) or ffi.istype(uint64, value) then
        return tostring(value):match "^%-?%d+"
    end
end

local decode, encode = native.new(box, unbox)

M.null = native.null

--- Makes a check that turns a word into the number that the C half uses for it.
---@param choices table<string, integer>
local function one_of(choices)
    local problem = "must be one of " .. checks.list_keys(choices)
    return function(word)
        return choices[word], not choices[word] and problem or nil
    end
end

local schema = {
    big_integers = one_of(native.big_integers),
    invalid_utf8 = one_of(native.invalid_utf8),
}

---@param checked table<string, integer>
---@return integer
local function sum(checked)
    return (checked.big_integers or 0) + (checked.invalid_utf8 or 0)
end

local function check(options, what)
    return options and sum(checks.apply(schema, options, what))
end

--- Decodes a JSON text.
---@param text string
---@param options? stagehost.codec.json.Options
---@return any value nil if the text is not JSON; json.null for null
---@return string? message says what was expected, what was found and where, and shows the text there
function M.decode(text, options)
    local value, message, position = decode(text, check(options, "codec.json.decode"))
    if value ~= nil then
        return value
    elseif position and position <= #text then
        message = message .. stages.excerpt(text, position)
    end
    return nil, message
end

--- Encodes a value as a JSON text.
---@param value any
---@param options? stagehost.codec.json.Options
---@return string? text nil if it can't be encoded
---@return string? message
function M.encode(value, options)
    return encode(value, check(options, "codec.json.encode"))
end

-- The next two functions convert a whole list, so that one event costs little more than one call of C. They are
-- fields of the module because another worker finds them by their names.

---@type stagehost.codec.convert_all
function M.decode_all(events, out, cursor, checked)
    local n, options = cursor.n, sum(checked)
    for at = cursor.at, #events do
        cursor.at, cursor.n = at, n
        local value, message, position = decode(events[at], options)
        if value == nil then
            cursor.position = position
            error(message, 0)
        end
        n = n + 1
        out[n] = value
    end
    cursor.n = n
end

---@type stagehost.codec.convert_all
function M.encode_all(events, out, cursor, checked)
    local n, options = cursor.n, sum(checked)
    for at = cursor.at, #events do
        cursor.at, cursor.n = at, n
        local text, message = encode(events[at], options)
        if not text then
            error(message, 0)
        end
        n = n + 1
        out[n] = text
    end
    cursor.n = n
end

--- A producer_consumer that turns JSON texts into values.
---
---     local decoder = stagehost.codec.json.decoder { on_error = "skip", big_integers = "int64" }
---     stagehost.start(decoder, { subscribe_to = { lines } })
---
--- An event that is no JSON is reported by its number, which is the line's number if the producer
--- is a source of lines. The option `on_error` decides what happens then:
---
--- - "fail" (default): the stage ends with a reason that names the line, the error and the text there;
--- - "skip": the event is dropped and counted; the first is logged, and their number at the end;
--- - a stage (handle or name), the dead-letter stage: like "skip", and that stage is cast
---   { event =, error =, line =, stage = }. A source.queue makes events of these, without a limit;
--- - a queue object (`stagehost.source.queue`): like a stage, but the codec waits while the queue is full.
---
--- `stage:call("stats")` returns { events =, failed =, first_error = }.
---@param options? stagehost.codec.json.StageOptions
---@return stagehost.Definition
function M.decoder(options)
    return stages.new("codec.json.decoder", M.decode_all, options, schema)
end

--- A producer_consumer that turns values into JSON texts. Its `on_error` is that of the decoder.
---@param options? stagehost.codec.json.StageOptions
---@return stagehost.Definition
function M.encoder(options)
    return stages.new("codec.json.encoder", M.encode_all, options, schema)
end

return M
