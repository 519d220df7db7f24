-- SPDX-License-Identifier: MIT

--- Lua values as bytes, on their way from one worker's state to another's. Called only by
--- bindings/events/transfer.c. There are four ways (strings alone are packed in C):
---   plain   LuaJIT's serializer on the list itself.
---   numbers a list of numbers, as an array of C (numbers.lua).
---   keyed   LuaJIT's serializer with a dictionary of the keys of records (keys.lua).
---   graph   the value is flattened into an image (flatten.lua), which then goes the plain
---           way. For values that the serializer can't handle: handles, deep nesting; functions,
---           names, metatables, sharing and cycles in definitions.
--- Bytes pass through `span`, a pointer and a length that C reads as soon as a function returns: no
--- Lua string is made of them.
local buffer = require "string.buffer"
local ffi = require "ffi"
local new_table = require "table.new"
local flatten = require "stagehost.engine.transfer.flatten"
local kept = require "stagehost.engine.transfer.kept"
local keys = require "stagehost.engine.transfer.keys"
local names = require "stagehost.engine.transfer.names"
local numbers = require "stagehost.engine.transfer.numbers"
local rebuild = require "stagehost.engine.transfer.rebuild"
local templates = require "stagehost.engine.transfer.templates"

local getmetatable, rawget, type = getmetatable, rawget, type

-- A buffer that a huge batch has grown beyond this many bytes is not kept for the next batch.
local KEEP_BYTES = 4 * 1024 * 1024
-- The same for the buffer of a dictionary, of which there are many.
local KEEP_KEYED_BYTES = 256 * 1024

-- Shorter lists go without a dictionary.
local LEAST_RECORDS = 4

-- Kinds of parcels, enum shl_parcel_kind of bindings/events/transfer_parcel.h.
local PLAIN, NUMBERS, KEYED = 0, 1, 2

local BYTES = ffi.typeof "const char *"

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

--- Makes functions that encode a plain value, and a list of events, into the span.
---
--- A finalizer may run at any allocation and may itself send something. So no other call can use the buffer
--- meanwhile, and the span is set last, when nothing allocates any more.
---@param span ffi.cdata* struct { const void *data; size_t len; }
---@param options table of string.buffer.new
---@param find_dictionary fun(record: table): stagehost.transfer.Dictionary?
local function make_encoders(span, options, find_dictionary)
    local spare
    local last -- anchors the bytes until C has copied them

    local function take()
        local encoder = spare or buffer.new(options)
        spare, last = nil, nil
        return encoder:reset()
    end

    local function finish(encoder)
        local data, len = encoder:ref()
        last = encoder
        if len <= KEEP_BYTES then
            spare = last
        end
        span.data, span.len = data, len
    end

    local function encode(value)
        local encoder = take()
        encoder:encode(value)
        finish(encoder)
    end

    local function encode_numbers(list, first, n)
        local encoder = take()
        local done = numbers.encode(encoder, list, first, n)
        finish(encoder)
        return done
    end

    local function encode_keyed(list, dictionary)
        local encoder = dictionary.encoder or buffer.new(dictionary.options)
        dictionary.encoder, last = nil, nil
        encoder:reset():put(dictionary.head):encode(list)
        local data, len = encoder:ref()
        last = encoder
        if len <= KEEP_KEYED_BYTES then
            dictionary.encoder = last
        end
        span.data, span.len = data, len
    end

    local function encode_events(list, first, n, is_whole)
        local event = getmetatable(list) == nil and list[first + 1]
        if type(event) == "number" and encode_numbers(list, first, n) then
            return NUMBERS
        end
        local dictionary = type(event) == "table" and n >= LEAST_RECORDS and find_dictionary(event)
        local part = is_whole and list or slice(list, first, n)
        if dictionary then
            encode_keyed(part, dictionary)
            return KEYED
        end
        encode(part)
        return PLAIN
    end

    -- There is only one call for each batch, so the compiler can gain nothing here.
    jit.off(encode)
    jit.off(encode_numbers)
    jit.off(encode_keyed)
    jit.off(encode_events)
    return encode, encode_events
end

--- Makes functions that decode a value, and a list with a dictionary, from an address (a light userdata) that stays
--- valid for the call.
---@param options table of string.buffer.new
---@param read_dictionary fun(address: ffi.cdata*): stagehost.transfer.Dictionary, integer
local function make_decoders(options, read_dictionary)
    local spare

    local function decode_with(decoder, address, len)
        decoder:set(address, len)
        local value = decoder:decode()
        check_all_read(decoder)
        decoder:reset()
        return value
    end

    local function decode(address, len)
        local decoder = spare or buffer.new(options)
        spare = nil
        local value = decode_with(decoder, ffi.cast(BYTES, address), len)
        spare = decoder
        return value
    end

    local function decode_keyed(address, len)
        local bytes = ffi.cast(BYTES, address)
        local dictionary, head = read_dictionary(bytes)
        local decoder = dictionary.decoder or buffer.new(dictionary.options)
        dictionary.decoder = nil
        local value = decode_with(decoder, bytes + head, len - head)
        dictionary.decoder = decoder
        return value
    end

    jit.off(decode_with)
    jit.off(decode)
    jit.off(decode_keyed)
    return decode, decode_keyed
end

--- The handles of two images, for one parcel.
local function join(first, second)
    local all, n = {}, #first
    for i = 1, n do
        all[i] = first[i]
    end
    for i = 1, #second do
        all[n + i] = second[i]
    end
    return all
end

--- What travels for a start whose definition is kept. Nothing if the definition shares something with the rest:
--- then they have to be in one image.
---@param context table
---@param start { definition: table, args: any, options: table? }
---@return table? parcel
---@return table? handles
local function with_kept(context, start)
    local definition = type(start.definition) == "table" and kept.find(context, start.definition)
    if not definition then
        return nil
    elseif start.args == nil and start.options == nil then
        return { definition = definition.bytes }, definition.handles
    end
    local walk = flatten.walk(context, { args = start.args, options = start.options }, definition)
    if walk.shares then
        return nil
    end
    return { definition = definition.bytes, n_handles = definition.n_handles, rest = walk:image() },
        join(definition.handles, walk.handles)
end

local function make_start(context, parcel, handles)
    if not parcel.definition then
        return rebuild.make(context, parcel, handles)[1]
    end
    local start = parcel.rest and rebuild.make(context, parcel.rest, handles, parcel.n_handles)[1] or {}
    start.definition = templates.make(context, parcel.definition, handles)
    return start
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
---@return table functions for C: encode_events(list, first, n, is_whole), which returns the kind of the parcel;
--- encode_graph(list, first, n), encode_value(value) and encode_start({ definition, args, options }), which return the
--- handles; decode_events(address, len), decode_numbers(address, len) and decode_keyed(address, len);
--- decode_graph, decode_value and decode_start(address, len, handles)
function M.open(address, userdata_kind, error_metatable, load_dump)
    local span = ffi.cast("struct { const void *data; size_t len; } *", address)
    local options = { metatable = { error_metatable } }
    local find_dictionary, read_dictionary = keys.open(options.metatable)
    local encode, encode_events = make_encoders(span, options, find_dictionary)
    local decode, decode_keyed = make_decoders(options, read_dictionary)
    local context = {
        userdata_kind = userdata_kind, error_metatable = error_metatable, load_dump = load_dump,
    }
    names.open()

    local coder = { encode_events = encode_events, decode_numbers = numbers.decode }

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

    function coder.encode_start(start)
        local parcel, handles = with_kept(context, start)
        if not parcel then
            parcel, handles = flatten.value(context, start)
        end
        encode(parcel)
        return handles
    end

    function coder.decode_events(data, len)
        return check_list(decode(data, len))
    end

    function coder.decode_keyed(data, len)
        return check_list(decode_keyed(data, len))
    end

    function coder.decode_graph(data, len, handles)
        return check_list(rebuild.make(context, decode(data, len), handles))
    end

    function coder.decode_value(data, len, handles)
        return rebuild.make(context, decode(data, len), handles)[1]
    end

    function coder.decode_start(data, len, handles)
        return make_start(context, decode(data, len), handles)
    end

    return coder
end

return M
