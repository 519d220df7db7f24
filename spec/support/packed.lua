-- SPDX-License-Identifier: MIT

--- Runs specs that were written for tables of events over packed lists: lists of numbers and strings that stages
--- return are packed, and callbacks get them as they were. So every list on its way between two stages, in
--- buffers, queues and between workers, is packed.
---
---     STAGEHOST_SPEC_LISTS=packed stagehost spec/support/busted_runner.lua FILE
local core = require "stagehost.core"
local stagehost = require "stagehost"

local M = {}

-- A number travels as "\1" and its digits; a string as it is, unless it looks like one of these.
local MARK = "\1"

local function encode_one(event)
    if type(event) == "number" then
        return MARK .. ("%.17g"):format(event)
    end
    return type(event) == "string" and event:sub(1, 1) ~= MARK and event or nil
end

local function decode_one(event)
    if type(event) == "string" and event:sub(1, 1) == MARK then
        return tonumber(event:sub(2))
    elseif type(event) == "table" and event.event ~= nil then
        event.event = decode_one(event.event) -- a dead letter
    end
    return event
end

--- Packs a list if all of it can be packed.
function M.encode(list)
    if type(list) ~= "table" or getmetatable(list) ~= nil or #list == 0 then
        return list
    end
    local texts = {}
    for i = 1, #list do
        texts[i] = encode_one(list[i])
        if not texts[i] then
            return list
        end
    end
    for key in pairs(list) do
        if texts[key] == nil then
            return list -- it has more than a list part
        end
    end
    return core.pack(texts)
end

--- Returns the list that was given to M.encode, and any other list as it is; letters in it, with their events.
function M.decode(events)
    if type(events) == "userdata" then
        events = events:table() -- for a stage with packed = true
    end
    for i = 1, #events do
        events[i] = decode_one(events[i])
    end
    return events
end

local function encode_first(events, ...)
    return M.encode(events), ...
end

local function encode_second(reply, events, ...)
    return reply, M.encode(events), ...
end

M.encode_first, M.encode_second, M.decode_one = encode_first, encode_second, decode_one

local wrappers = {}

for _, name in ipairs { "handle_demand", "handle_info", "handle_cancel", "handle_end", "handle_exit",
    "handle_down", "handle_notification" } do
    wrappers[name] = function(f)
        return function(...)
            return M.encode_first(f(...))
        end
    end
end

function wrappers.handle_events(f)
    return function(self, events, ...)
        return M.encode_first(f(self, M.decode(events), ...))
    end
end

--- Letters come as casts, too.
function wrappers.handle_cast(f)
    return function(self, message, ...)
        if type(message) == "table" then
            M.decode(message)
        end
        return M.encode_first(f(self, message, ...))
    end
end

function wrappers.handle_call(f)
    return function(...)
        return M.encode_second(f(...))
    end
end

function wrappers.dispatcher(dispatcher)
    if type(dispatcher) ~= "table" or type(dispatcher.hash) ~= "function" then
        return dispatcher
    end
    local copy, hash = {}, dispatcher.hash
    for key, value in pairs(dispatcher) do
        copy[key] = value
    end
    copy.hash = function(event)
        return hash(M.decode_one(event))
    end
    return copy
end

function wrappers.selector(selector)
    return type(selector) == "function" and function(event)
        return selector(M.decode_one(event))
    end or selector
end

local function wrap(definition)
    local copy = {}
    for key, value in pairs(definition) do
        copy[key] = wrappers[key] and wrappers[key](value) or value
    end
    return setmetatable(copy, getmetatable(definition))
end

local function wrap_subscription(options)
    return type(options) == "table" and options.selector and wrap(options) or options
end

function wrappers.subscribe_to(list)
    if type(list) ~= "table" or getmetatable(list) ~= nil then
        return list
    elseif list.to then
        return wrap_subscription(list)
    end
    local copy = {}
    for i, options in ipairs(list) do
        copy[i] = wrap_subscription(options)
    end
    return copy
end

local is_installed = false

--- From now on, definitions are made for packed lists, if the environment says so. Modules with definitions call this
--- function themselves, for other workers.
function M.install()
    if is_installed or os.getenv "STAGEHOST_SPEC_LISTS" ~= "packed" then
        return
    end
    is_installed = true
    for _, kind in ipairs { "producer", "producer_consumer", "consumer" } do
        local make = stagehost[kind]
        stagehost[kind] = function(definition)
            return make(type(definition) == "table" and wrap(definition) or definition)
        end
    end
    local stop, start = stagehost.stop, stagehost.start
    stagehost.stop = function(reason, events, ...)
        return stop(reason, M.encode(events), ...)
    end
    stagehost.start = function(definition, options)
        return start(definition, type(options) == "table" and wrap(options) or options)
    end
    for _, name in ipairs { "subscribe", "async_subscribe" } do
        local subscribe = core.stage[name]
        core.stage[name] = function(stage, options, ...)
            return subscribe(stage, wrap_subscription(options), ...)
        end
    end
end

return M
