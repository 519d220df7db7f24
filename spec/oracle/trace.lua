--- The record of a scenario: an ordered list of entries for each stage, names of subscriptions,
-- counts of log codes; and the projections that a scenario may ask for.
local words = require "words"

local Trace = {}
Trace.__index = Trace

--- Log codes that the format knows; others are stagehost's own.
local log_codes = {}
for code in ([[discarded excess max_demand_mismatch duplicated_subscription consumer_cannot_dispatch
    not_a_producer not_a_consumer not_alive invalid_option demand_mode_not_producer
    buffered_not_producer producer_cannot_subscribe stopping_after_cancel already_subscribed
    child_start_failed max_restart_intensity]]):gmatch("%S+") do
    log_codes[code] = true
end

--- A new, empty record.
---@param gc_stress boolean? collect all garbage at every entry
function Trace.new(gc_stress)
    return setmetatable({
        gc_stress = gc_stress,
        entries = {},      -- stage name -> list of entries
        exits = {},        -- stage name -> reason its terminate got
        logs = {},         -- code -> count
        stage_names = {},  -- stage id -> name in the scenario
        sub_names = {},    -- subscription id -> name
        subs = {},         -- name -> subscription
        pairs_seen = {},   -- "consumer>producer" -> number of subscriptions
    }, Trace)
end

--- Appends one entry to the trace of a stage.
---@param stage string name in the scenario
function Trace:record(stage, ...)
    if self.gc_stress then
        collectgarbage()
    end
    local entries = self.entries[stage] or {}
    self.entries[stage] = entries
    entries[#entries + 1] = { ... }
end

--- Counts a log record.
function Trace:log(code)
    if log_codes[code] then
        self.logs[code] = (self.logs[code] or 0) + 1
    end
end

--- Notes which stage of the scenario a handle stands for.
function Trace:name_stage(handle, name)
    self.stage_names[handle.id] = name
end

--- Gives a subscription the name that the scenario uses for it.
function Trace:name_subscription(sub, name)
    self.sub_names[sub.id] = name
    self.subs[name] = sub
    return name
end

--- The name of a subscription: "consumer>producer", from the second on with "#n".
function Trace:subscription(sub)
    local known = self.sub_names[sub.id]
    if known then
        return known
    end
    local consumer, producer = sub.consumer, sub.producer
    local pair = string.format("%s>%s", consumer and self.stage_names[consumer.id] or "?",
        producer and self.stage_names[producer.id] or "?")
    local n = (self.pairs_seen[pair] or 0) + 1
    self.pairs_seen[pair] = n
    return self:name_subscription(sub, n == 1 and pair or pair .. "#" .. n)
end

--- Copies a list of events: the host owns the one it handed out.
function Trace.copy(events)
    local out = {}
    for i = 1, #events do
        out[i] = events[i]
    end
    return out
end

-- Where the batch stands in an entry.
local batch_at = { events = 2, postponed = 2, got_events = 3 }

local function span(events)
    if events[1] == nil then
        return {}
    end
    return { first = events[1], last = events[#events], n = #events }
end

--- A list of events as the scenario wants to see it.
---@param format "full"|"span"|nil
function Trace.format(events, format)
    return format == "span" and span(events) or events
end

local function format_entry(entry, format)
    local at = format == "span" and batch_at[entry[1]]
    if not at then
        return entry
    end
    local out = {}
    for i = 1, #entry do
        out[i] = i == at and span(entry[i]) or entry[i]
    end
    return out
end

-- The entries of one kind, each made into something by `make`.
local function pick(entries, kind, make)
    local out = {}
    for _, entry in ipairs(entries) do
        if entry[1] == kind then
            out[#out + 1] = make(entry)
        end
    end
    return out
end

local function second(entry)
    return entry[2]
end

local function concatenated(entries)
    local out = {}
    for _, entry in ipairs(entries) do
        if entry[1] == "events" or entry[1] == "got_events" then
            for _, event in ipairs(entry[batch_at[entry[1]]]) do
                out[#out + 1] = event
            end
        end
    end
    return out
end

local function less(a, b)
    if type(a) == type(b) then
        return a < b
    end
    return type(a) == "number"
end

local function sum(list)
    local total = 0
    for _, n in ipairs(list) do
        total = total + n
    end
    return total
end

local projections = {
    trace = function(entries, format)
        local out = {}
        for i, entry in ipairs(entries) do
            out[i] = format_entry(entry, format)
        end
        return out
    end,
    batches = function(entries, format)
        return pick(entries, "events", function(entry) return Trace.format(entry[2], format) end)
    end,
    events = function(entries, format) return Trace.format(concatenated(entries), format) end,
    sorted = function(entries, format)
        local out = concatenated(entries)
        table.sort(out, less)
        return Trace.format(out, format)
    end,
    count = function(entries) return #concatenated(entries) end,
    demands = function(entries) return pick(entries, "demand", second) end,
    demand_sum = function(entries) return sum(pick(entries, "demand", second)) end,
    infos = function(entries) return pick(entries, "info", second) end,
    cancels = function(entries)
        return pick(entries, "cancelled", function(entry)
            return { entry[2], entry[3], entry[4] }
        end)
    end,
    no_events = function(entries)
        local out = {}
        for _, entry in ipairs(entries) do
            if entry[1] ~= "events" then
                out[#out + 1] = entry
            end
        end
        return out
    end,
}

--- The part of the output about one stage.
---@param stage table its description
---@param wanted string[]|nil names of projections; nil: the trace
---@param format string|nil
---@param exit any its end reason in the words of the format, or null
function Trace:observe(stage, wanted, format, exit)
    local out = {}
    if wanted and wanted[1] == nil then
        return out
    end
    local entries = self.entries[stage.name] or {}
    for _, name in ipairs(wanted or { "trace" }) do
        local project = projections[name]
        if project then
            out[name] = project(entries, format)
        elseif name ~= "exit" then
            error("unknown projection " .. name)
        end
    end
    if stage.type ~= "probe" then
        out.exit = exit
    end
    return out
end

--- Notes why a stage ended.
function Trace:ended(stage, reason)
    self.exits[stage] = words.reason(reason)
end

return Trace
