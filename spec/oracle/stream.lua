--- A reader that takes events from producers as a blocking loop would: it asks again when it comes
-- back for the next batch, and leaves as soon as it has enough. It subscribes as "temporary" and
-- follows the cancel modes itself, because it is no stage of the scenario: its end is the step's result.
local hooks = require "stagehost.spec"
local options = require "options"
local stagehost = require "stagehost"
local Trace = require "trace"
local words = require "words"

local M = {}

local default_max_demand = 1000

-- Takes one batch of a message, as an automatic consumer would: returns its size, and what to ask after it.
local function next_batch(account, available)
    local n = math.min(account.max - account.min, available)
    account.outstanding = math.max(0, account.outstanding - n)
    local ask = 0
    if account.outstanding <= account.min then
        ask = account.max - account.outstanding
        account.outstanding = account.max
    end
    return n, ask
end

-- Leaves all producers; events that are still on their way are dropped.
local function leave(reader)
    reader.left = true
    for _, account in pairs(reader.accounts) do
        account.sub:cancel("normal")
    end
end

local function take_batch(reader, events, first, n)
    for i = first, first + n - 1 do
        reader.taken[#reader.taken + 1] = events[i]
        if #reader.taken == reader.n then
            return leave(reader)
        end
    end
end

local function is_clean(reason)
    return reason == "normal" or reason == "shutdown"
        or type(reason) == "table" and reason[1] == "shutdown"
end

-- Handles the end of a source; depending on its mode the reader ends too.
local function end_source(reader, cancel, reason)
    local word = words.reason(reason)
    if cancel == "permanent" or cancel == "transient" and not is_clean(word) then
        reader.exit = reader.exit or word
    end
end

local function definition(reader)
    local callbacks = {}

    function callbacks.handle_subscribe(_, _, opts, from)
        local max = opts.max_demand or default_max_demand
        local min = opts.min_demand or math.floor(max / 2)
        reader.accounts[from.id] = {
            sub = from,
            cancel = opts.opts.wanted_cancel,
            max = max,
            min = min,
            outstanding = max,
        }
        stagehost.ask(from, max)
        return "manual"
    end

    function callbacks.handle_events(_, events, from)
        local account, first = reader.accounts[from.id], 1
        while first <= #events and not reader.left do
            local n, ask = next_batch(account, #events - first + 1)
            take_batch(reader, events, first, n)
            first = first + n
            if ask > 0 and not reader.left then
                stagehost.ask(from, ask)
            end
        end
    end

    function callbacks.handle_cancel(_, reason, from)
        local account = reader.accounts[from.id]
        reader.accounts[from.id] = nil
        end_source(reader, account.cancel, reason)
    end

    return stagehost.consumer(callbacks)
end

-- Subscribes to every source. Returns the result for a refused option, else nil.
local function subscribe(world, reader, handle, sources)
    for _, source in ipairs(sources) do
        local opts = options.subscription(source.opts, world:producer(source.stage))
        opts.opts.wanted_cancel = opts.cancel or "permanent"
        opts.cancel = "temporary"
        local asked, problem = pcall(handle.subscribe, handle, opts)
        if not asked then
            return words.refusal(problem)
        elseif not world.handles[source.stage] then
            end_source(reader, opts.opts.wanted_cancel, "noproc")
        end
    end
    for _, source in ipairs(sources) do
        local producer = world.handles[source.stage]
        if producer and producer.kind == "producer" then
            producer:demand("forward")
        end
    end
    return nil
end

local function result(world, reader, sorted)
    if not reader.left and reader.exit then
        return { "exit", { "stream", reader.exit } }
    elseif not reader.left and next(reader.accounts) then
        return { "exit", { "stream", "timeout" } }
    end
    if sorted then
        table.sort(reader.taken)
    end
    return { "ok", Trace.format(reader.taken, world.format), 0 }
end

--- Reads n events, or all there are, from several producers.
---@param world table
---@param step table
---@return table answer ["ok", events, leftover messages] or ["exit", reason]
function M.take(world, step)
    local reader = { n = step.n, taken = {}, accounts = {} }
    local handle = stagehost.start(definition(reader))
    world:add("stream", handle)
    local refused = subscribe(world, reader, handle, step.from)
    world.settle()
    hooks.release(handle)
    handle:kill()
    return refused or result(world, reader, step.sorted)
end

return M
