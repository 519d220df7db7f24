-- SPDX-License-Identifier: MIT

--- One stream of tuples from several producers: the first events of all, the second ones, and so on.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local new_table = require "table.new"
local sides = require "stagehost.streams.sides"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local callbacks = {}

function callbacks.init(self)
    self.sides = sides.new()
end

function callbacks.handle_subscribe(self, kind, opts, from)
    if kind == "consumer" then
        return "automatic"
    end
    if self.has_begun then
        errors.raise("zip_has_begun",
            "zip: %s came when tuples of %d had been emitted; give the option sides = %d",
            tostring(from.producer), #self.sides, #self.sides + 1)
    end
    sides.add(self.sides, from, opts)
    return "manual"
end

--- The number of events that every side has.
local function count_common(all)
    local n = math.huge
    for i = 1, #all do
        n = math.min(n, all[i].count)
    end
    return n
end

local function pairs_of(a, i, b, j, n)
    local tuples = new_table(n, 0)
    for k = 1, n do
        tuples[k] = { a[i + k], b[j + k] }
    end
    return tuples
end

local function tuples_of(all, n)
    local tuples = new_table(n, 0)
    for i = 1, n do
        tuples[i] = new_table(#all, 0)
    end
    for s = 1, #all do
        local list, offset = sides.take(all[s], n)
        for i = 1, n do
            tuples[i][s] = list[offset + i]
        end
    end
    return tuples
end

--- The tuples that can be made now, or nil.
local function combine(self)
    local all = self.sides
    local n = #all >= self.options.sides and count_common(all) or 0
    if n == 0 then
        return nil
    end
    self.has_begun = true
    if #all ~= 2 then
        return tuples_of(all, n)
    end
    local a, i = sides.take(all[1], n)
    local b, j = sides.take(all[2], n)
    return pairs_of(a, i, b, j, n)
end

--- The result of a callback: tuples, and a stop when there can be no more.
local function answer(self)
    local tuples = combine(self)
    for i = 1, #self.sides do
        local side = self.sides[i]
        if not side.is_open and side.count == 0 then
            self.is_done = true
            return stagehost.stop("normal", tuples)
        end
    end
    return tuples
end

function callbacks.handle_events(self, events, from)
    sides.push(self.sides, from, events)
    if self.is_done then
        return nil -- they came after the end was decided, and no stage will get them
    end
    return answer(self)
end

function callbacks.handle_cancel(self, reason, from)
    if sides.close(self.sides, from, reason) and not self.is_done and #self.sides > 0 then
        return answer(self)
    end
end

function callbacks.terminate(self)
    sides.leave_behind(self.sides)
end

local own_options = { sides = checks.integer(2) }

--- A producer_consumer that takes one event of each of its producers at a time and emits them as a
--- list, in the order in which it subscribed to them.
---
---     local zip = stagehost.zip { subscribe_to = { letters, numbers } }
---     stagehost.start(zip)      -- emits { "a", 1 }, { "b", 2 }, ...
---
--- Each side is asked for at most its max_demand events beyond those that have gone into tuples. The stage
--- ends normally when one side has ended and all its events are used; events that other sides have
--- delivered by then are counted as discarded (`discarded_stopped`). A producer that crashes ends it as
--- its cancel mode says.
--- Options: `sides`, how many producers must have subscribed before the first tuple, default 2; and any options of
--- its start.
---@param options? table
---@return stagehost.Definition
function M.new(options)
    local own, definition = sides.options(own_options, options, "zip")
    return stagehost.producer_consumer(tables.extend(definition, callbacks, {
        title = "zip",
        options = { sides = own.sides or 2 },
    }))
end

return M
