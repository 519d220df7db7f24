-- SPDX-License-Identifier: MIT

--- Lua values as bytes, on their way from one worker's state to another's. Called only by
--- bindings/events/transfer.c. There are two ways:
---   plain   LuaJIT's serializer on the list itself. Nearly every batch takes this way.
---   graph   the value is flattened into an image (flatten.lua), which then goes the plain
---           way. For values that the serializer can't handle: handles, deep nesting; functions,
---           names, metatables, sharing and cycles in definitions.
--- Bytes pass through `span`, a pointer and a length that C reads as soon as a function returns: no
--- Lua string is made of them.
local buffer = require "string.buffer"
local ffi = require "ffi"
local new_table = require "table.new"
local flatten = require "stagehost.engine.transfer.flatten"
local names = require "stagehost.engine.transfer.names"
local rebuild = require "stagehost.engine.transfer.rebuild"

local rawget, type = rawget, type

-- A buffer that a huge batch has grown beyond this many bytes is not kept for the next batch.
local KEEP_BYTES = 4 * 1024 * 1024

local M = {}

--- Copies a range into a table of its own. The function has nothing but the loop, which compiles to a few
--- instructions.
---@param list table
---@param first integer from 0
---@param n integer
---@return table
local function slice(list, first, n)
    local part = new_table(n, 0)
    for i = 1, n do
        part[i] = rawget(list, first + i)
    end
    return part
end

--- Raises an error with a text for people, without a position.
local function check_all_read(decoder)
    if #decoder > 0 then
        error("a parcel has more bytes than its value", 0)
    end
end

--- Makes a function that encodes a plain value into the span.
---
--- A finalizer may run at any allocation and may itself send something. So no other call can use the buffer
--- meanwhile, and the span is set last, when nothing allocates any more.
---@param span ffi.cdata* struct { const void *data; size_t len; }
---@param options table of string.buffer.new
local function make_encoder(span, options)
    local spare
    local last -- anchors the bytes until C has copied them

    local function encode(value)
        local encoder = spare or buffer.new(options)
        spare, last = nil, nil
        encoder:reset()
        encoder:encode(value)
        local data, len = encoder:ref()
        last = encoder
        if len <= KEEP_BYTES then
            spare = last
        end
        span.data, span.len = data, len
    end

    -- There is only one call for each batch, so the compiler can gain nothing here.
    jit.off(encode)
    return encode
end

--- Makes a function that decodes a value from an address (a light userdata) that stays valid for the call.
---@param options table of string.buffer.new
local function make_decoder(options)
    local spare

    local function decode(address, len)
        local decoder = spare or buffer.new(options)
        spare = nil
        decoder:set(ffi.cast("const char *", address), len)
        local value = decoder:decode()
        check_all_read(decoder)
        decoder:reset()
        spare = decoder
        return value
    end

    jit.off(decode)
    return decode
end

local function check_list(value)
    if type(value) ~= "table" then
        error("a parcel of events holds no list", 0)
    end
    return value
end

--- Makes the coder of this state. The values that the standard library holds now travel by name: call
--- this when the state is complete, and before any script runs.
---@param address lightuserdata of the span
---@param userdata_kind fun(value: userdata): "light"|"handle"|nil
---@param error_metatable table the one metatable that events keep
---@param load_dump fun(bytes: string): function raises
---@return table functions for C: encode_events(list[, first, n]); encode_graph(list, first, n) and
--- encode_value(value), which return the handles; decode_events(address, len);
--- decode_graph and decode_value(address, len, handles)
function M.open(address, userdata_kind, error_metatable, load_dump)
    local span = ffi.cast("struct { const void *data; size_t len; } *", address)
    local options = { metatable = { error_metatable } }
    local encode, decode = make_encoder(span, options), make_decoder(options)
    local context = {
        userdata_kind = userdata_kind, error_metatable = error_metatable, load_dump = load_dump,
    }
    names.open()

    local coder = {}

    function coder.encode_events(list, first, n)
        encode(n and slice(list, first, n) or list)
    end

    function coder.encode_graph(list, first, n)
        local image, handles = flatten.events(context, slice(list, first, n), first)
        encode(image)
        return handles
    end

    function coder.encode_value(value)
        local image, handles = flatten.value(context, value)
        encode(image)
        return handles
    end

    function coder.decode_events(data, len)
        return check_list(decode(data, len))
    end

    function coder.decode_graph(data, len, handles)
        return check_list(rebuild(context, decode(data, len), handles))
    end

    function coder.decode_value(data, len, handles)
        return rebuild(context, decode(data, len), handles)[1]
    end

    return coder
end

return M
