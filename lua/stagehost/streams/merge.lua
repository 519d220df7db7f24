-- SPDX-License-Identifier: MIT

--- Merges several streams into one: as the events come, or sorted streams into a sorted one.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local reasons = require "stagehost.messages.reason"
local sides = require "stagehost.streams.sides"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local function is_done(all)
    for i = 1, #all do
        if all[i].is_open or all[i].count > 0 then
            return false
        end
    end
    return true
end

-- As they come --------------------------------------------------------------------------------

--- The host asks and passes events on; the stage only counts the producers that have not ended.
local unsorted = {}

function unsorted.init(self)
    self.n_open = 0
end

function unsorted.handle_subscribe(self, kind, opts, from)
    if kind == "producer" then
        self.n_open = self.n_open + 1
        self[from] = opts.cancel or "permanent"
    end
    return "automatic"
end

function unsorted.handle_events(_, events)
    return events
end

--- The host handles all ends but one: that of the last producer, if its mode is not "permanent".
function unsorted.handle_cancel(self, reason, from)
    local mode = rawget(self, from)
    if mode then
        self[from] = nil
        self.n_open = self.n_open - 1
        if self.n_open == 0 and (mode == "temporary" or mode == "transient" and reasons.is_clean(reason)) then
            return stagehost.stop("normal")
        end
    end
end

-- Sorted ----------------------------------------------------------------------------------------

local sorted = {}

function sorted.init(self)
    self.sides = sides.new()
end

function sorted.handle_subscribe(self, kind, opts, from)
    if kind == "consumer" then
        return "automatic"
    end
    sides.add(self.sides, from, opts)
    return "manual"
end

--- The side whose head comes first, and among equals the one subscribed first; nil as long as the head of
--- a side is not known, or when there are none.
local function first_side(all, is_before)
    local best, smallest
    for i = 1, #all do
        local side = all[i]
        if side.count > 0 then
            local head = sides.head(side)
            if not best or is_before(head, smallest) then
                best, smallest = side, head
            end
        elseif side.is_open then
            return nil
        end
    end
    return best, smallest
end

local function answer(self)
    local all, is_before = self.sides, self.is_before
    if #all < self.wanted then
        return nil
    end
    local events, n = {}, 0
    local side, event = first_side(all, is_before)
    while side do
        n = n + 1
        events[n] = event
        sides.drop_head(side)
        side, event = first_side(all, is_before)
    end
    sides.settle(all)
    if is_done(all) then
        return stagehost.stop("normal", events)
    end
    return n > 0 and events or nil
end

function sorted.handle_events(self, events, from)
    sides.push(self.sides, from, events)
    return answer(self)
end

function sorted.handle_cancel(self, reason, from)
    if sides.close(self.sides, from, reason) and #self.sides > 0 then
        return answer(self)
    end
end

function sorted.terminate(self)
    sides.leave_behind(self.sides)
end

-- Definitions -------------------------------------------------------------------------------------

local function check_by(value)
    if type(value) ~= "function" and (type(value) ~= "string" or value == "") then
        return nil, "must be a function or the name of a field"
    end
    return value
end

local own_options = {
    by = check_by,
    key = checks.typed "function",
    sides = checks.integer(1),
}

--- Makes the function that decides whether one event goes before another, from the options.
local function order_of(options)
    local by, key = options.by, options.key
    if by and key then
        errors.raise("invalid_option", 'merge: give one of the options "by" and "key", not both')
    elseif type(by) == "string" then
        return function(a, b) return a[by] < b[by] end
    elseif key then
        return function(a, b) return key(a) < key(b) end
    end
    return by
end

--- A producer_consumer that emits the events of all its producers. Without `by` and `key`, it emits them as they
--- come. With one of them, each producer must be sorted, and the output is sorted too: the first of the
--- heads of all sides is emitted as soon as every side that has not ended has one.
---
---     stagehost.merge { subscribe_to = { a, b } }
---     stagehost.merge { subscribe_to = { a, b }, by = "time" }
---     stagehost.merge { subscribe_to = { a, b }, by = function(x, y) return x > y end }
---
--- It ends normally when all its producers have ended. When sorting, each side holds at most its max_demand events.
--- Options: `by`, a function that says whether the first of two events goes before the second, or the name of a field
--- to compare; or `key`, a function that returns the value to compare; `sides`, for sorted merging: how many producers
--- must have subscribed before the first event, default 1; and any options of its start.
---@param options? table
---@return stagehost.Definition
function M.new(options)
    local own, definition = sides.options(own_options, options, "merge")
    local is_before = order_of(own)
    if own.sides and not is_before then
        errors.raise("invalid_option", 'merge: the option "sides" is for sorted merging, with "by" or "key"')
    end
    return stagehost.producer_consumer(tables.extend(definition, is_before and sorted or unsorted, {
        title = "merge",
        is_before = is_before,
        wanted = own.sides or 1,
    }))
end

return M
