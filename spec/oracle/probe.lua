--- Probes: raw endpoints. They send single protocol messages and record what reaches them.
local hooks = require "stagehost.spec"
local options = require "options"
local words = require "words"

local M = {}

-- The records that a probe makes of messages: entry[kind](trace, message) -> ...
local entries = {
    subscribe = function(trace, m)
        local current = m.current and { trace:subscription(m.current), words.reason(m.reason) }
        return "got_subscribe", trace:subscription(m.sub), current or words.null
    end,
    ask = function(trace, m) return "got_ask", trace:subscription(m.sub), m.n end,
    cancel = function(trace, m)
        return "got_cancel_request", trace:subscription(m.sub), words.reason(m.reason)
    end,
    events = function(trace, m)
        return "got_events", trace:subscription(m.sub), trace.copy(m.events)
    end,
    cancel_consumer = function(trace, m)
        return "got_cancel", trace:subscription(m.sub), words.reason(m.reason)
    end,
    reply = function(_, m)
        return "got_reply", m.value
    end,
}

--- Starts a probe.
function M.start(world, desc)
    local trace = world.trace
    local handle = hooks.start_probe {
        name = desc.name,
        handle = function(message)
            local entry = entries[message.kind]
            if entry then
                trace:record(desc.name, entry(trace, message))
            end
        end,
    }
    world:add(desc.name, handle)
    return "ok"
end

--- The subscription with a name; one that no stage knows if the scenario has not named it yet.
---@param consumer userdata
---@param producer userdata
function M.subscription(world, name, consumer, producer)
    local trace = world.trace
    local known = trace.subs[name]
    if not known then
        known = hooks.new_subscription(consumer, producer)
        trace:name_subscription(known, name)
    end
    return known
end

-- The subscription that a message to its producer names. The scenario may use this name for a
-- subscription in the other direction, which is not the one meant.
local function to_producer(world, name, from, to)
    local known = world.trace.subs[name]
    if known and known.producer ~= to then
        world.trace.subs[name] = nil
    end
    return M.subscription(world, name, from, to)
end

-- The subscription that a message to its consumer names.
local function to_consumer(world, name, from, to)
    local known = world.trace.subs[name]
    if known and known.consumer ~= to then
        world.trace.subs[name] = nil
    end
    return M.subscription(world, name, to, from)
end

-- raw[word](world, sender, receiver, message of the scenario) -> message of the hooks
local raw = {
    subscribe = function(world, from, to, m)
        local current, reason
        if m[4] and m[4] ~= words.null then
            current = to_producer(world, m[4][1], from, to)
            reason = words.parse(m[4][2])
        end
        local opts = options.subscription(m[3] ~= words.null and m[3] or nil)
        local sub = to_producer(world, m[2], from, to)
        return { sub = sub, opts = opts, current = current, reason = reason }
    end,
    ask = function(world, from, to, m)
        return { sub = to_producer(world, m[2], from, to), n = m[3] }
    end,
    cancel = function(world, from, to, m)
        return { sub = to_producer(world, m[2], from, to), reason = words.parse(m[3]) }
    end,
    events = function(world, from, to, m)
        return { sub = to_consumer(world, m[2], from, to), events = m[3] }
    end,
    cancel_consumer = function(world, from, to, m)
        return { sub = to_consumer(world, m[2], from, to), reason = words.parse(m[3]) }
    end,
}

--- Sends one protocol message as the scenario words it.
function M.send(world, from, to, message)
    local kind = message[1]
    local out = raw[kind](world, from, to, message)
    out.kind = kind
    hooks.inject(from, to, out)
end

--- Lets a probe call a stage; the probe records the reply where it arrives.
function M.call(from, to, request)
    hooks.inject(from, to, { kind = "call", request = request })
end

return M
