-- SPDX-License-Identifier: MIT

--- Code that zip and merge share: one queue for each producer they are subscribed to. They ask for demand
--- by hand, so that a side never holds more than its max_demand, however fast it is.
--- A queue holds the lists of events as they came. Internal.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local names = require "stagehost.options.names"
local new_table = require "table.new"
local reasons = require "stagehost.messages.reason"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local DEFAULT_MAX_DEMAND = names.subscription.max_demand.default

--- The options of a start that zip and merge pass on to their definition.
local start_options = {}
for name, entry in pairs(names.stage) do
    local is_known = not entry.kinds or entry.kinds.producer_consumer
    if is_known and entry.at ~= "starter" and not (entry.decided_by and entry.decided_by.streams) then
        start_options[name] = checks.anything
    end
end

--- Checks the options of `own`; those of the start are passed on, and are checked there.
---@param own table<string, stagehost.Check>
---@param given table?
---@param what string "zip"
---@return table options those of `own`
---@return table definition with the others
function M.options(own, given, what)
    if given ~= nil and type(given) ~= "table" then
        checks.fail(what, "must be a table of options", given)
    end
    local options = checks.apply(tables.copy(start_options, own), given or {}, what)
    -- A side that ends must not end the stage before its queue is empty.
    local definition = { end_with_last = true }
    for name in pairs(start_options) do
        definition[name], options[name] = options[name], nil
    end
    return options, definition
end

--- All sides of a stage, in order of subscription.
function M.new()
    return { by_subscription = {} }
end

--- Adds the side of a new subscription, and asks for its first events.
function M.add(sides, from, opts)
    local max = opts.max_demand or DEFAULT_MAX_DEMAND
    local side = {
        from = from,
        is_open = true,
        is_temporary = opts.cancel == "temporary",
        lists = {}, first = 1, last = 0, -- queued lists
        position = 0, -- events of the first list that are taken already
        count = 0, -- events in the queue
        portion = max - (opts.min_demand or math.floor(max / 2)),
        unasked = 0, -- events taken, and not asked for again yet
    }
    sides[#sides + 1] = side
    sides.by_subscription[from] = side
    stagehost.ask(from, max)
end

--- Adds events that have come.
function M.push(sides, from, events)
    local side = sides.by_subscription[from]
    side.last = side.last + 1
    side.lists[side.last] = events
    side.count = side.count + #events
end

--- Notes that events of a side have been used, and asks for as many when they are a portion.
local function ask_again(side, n)
    side.unasked = side.unasked + n
    if side.is_open and side.unasked >= side.portion then
        stagehost.ask(side.from, side.unasked)
        side.unasked = 0
    end
end

local function drop_first(side)
    side.lists[side.first] = nil
    side.first, side.position = side.first + 1, 0
end

--- Copies the next n events into one list.
local function gather(side, n)
    local result, count = new_table(n, 0), 0
    while count < n do
        local list, position = side.lists[side.first], side.position
        local part = math.min(n - count, #list - position)
        for i = 1, part do
            result[count + i] = list[position + i]
        end
        count, side.position = count + part, position + part
        if side.position == #list then
            drop_first(side)
        end
    end
    return result
end

--- Takes n events from the head, which must be there: they are list[offset + 1] .. list[offset + n].
---@return any[] list
---@return integer offset
function M.take(side, n)
    local list, offset = side.lists[side.first], side.position
    if offset + n < #list then
        side.position = offset + n
    elseif offset + n == #list then
        drop_first(side)
    else
        list, offset = gather(side, n), 0
    end
    side.count = side.count - n
    ask_again(side, n)
    return list, offset
end

--- The event at the head of a queue that is not empty.
function M.head(side)
    return side.lists[side.first][side.position + 1]
end

--- Takes the head; `settle` asks for its demand again.
function M.drop_head(side)
    side.position, side.count, side.unasked = side.position + 1, side.count - 1, side.unasked + 1
    if side.position == #side.lists[side.first] then
        drop_first(side)
    end
end

--- Asks for as many events as drop_head has taken.
function M.settle(sides)
    for _, side in ipairs(sides) do
        ask_again(side, 0)
    end
end

--- Handles the end of a subscription. Returns false if the host ends the stage with it.
function M.close(sides, from, reason)
    local side = sides.by_subscription[from]
    if not side then
        return true -- it was refused
    end
    sides.by_subscription[from] = nil
    side.is_open = false
    return side.is_temporary or reasons.is_clean(reason)
end

--- For terminate: events still queued count as discarded if the stage ends by its own choice, else as
--- unfinished.
function M.leave_behind(sides)
    local n = 0
    for _, side in ipairs(sides) do
        n = n + side.count
    end
    core.leave_behind(n)
end

return M
