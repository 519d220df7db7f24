-- SPDX-License-Identifier: MIT

--- Stages for specs of pipelines that record their events in a process that no crash touches.
local stagehost = require "stagehost"

require("spec.support.packed").install()

local M = {}

--- Keeps events under names, counts, and says of each name n times that a stage should crash.
---   call { add = name, events = list }   call { get = name }   call { next = name } -> 1, 2, 3, ...
---   call { crash = name, times = n }     call { crashes = name } -> whether it should, n times
M.Memory = stagehost.process {
    init = function(self)
        self.lists, self.counts, self.crashing = {}, {}, {}
    end,
    handle_call = function(self, request)
        if request.add then
            local list = self.lists[request.add] or {}
            self.lists[request.add] = list
            for _, event in ipairs(request.events) do
                list[#list + 1] = event
            end
            return true
        elseif request.get then
            return self.lists[request.get] or {}
        elseif request.next then
            local first = self.counts[request.next] or 0
            self.counts[request.next] = first + request.n
            return first
        elseif request.crash then
            self.crashing[request.crash] = request.times
            return true
        end
        local left = self.crashing[request.crashes] or 0
        self.crashing[request.crashes] = left - 1
        return left > 0
    end,
}

--- Emits 1 .. limit, then ends; after a crash it goes on where it was. Crashes after an event that
--- `crash_at` has, as long as the memory says so.
M.Source = stagehost.producer {
    init = function(self, args)
        self.args = args
    end,
    handle_demand = function(self, demand)
        local memory, limit = self.args.memory, self.args.limit
        local first = memory:call { next = "source", n = demand }
        local events = {}
        for i = first + 1, math.min(first + demand, limit) do
            events[#events + 1] = i
            if i == self.args.crash_at and memory:call { crashes = "source" } then
                error("the source crashed")
            end
        end
        if first + demand >= limit then
            return stagehost.stop("normal", events)
        end
        return events
    end,
}

--- Passes its events on; crashes at an event.
M.Middle = stagehost.producer_consumer {
    init = function(self, args)
        self.args = args or {}
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            if event == self.args.crash_at and self.args.memory:call { crashes = "middle" } then
                error("the middle crashed")
            end
        end
        return events
    end,
}

--- Tells the memory its events, under its own name; crashes at an event.
M.Sink = stagehost.consumer {
    init = function(self, args)
        self.args = args
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            if event == self.args.crash_at and self.args.memory:call { crashes = "sink" } then
                error("the sink crashed")
            end
        end
        self.args.memory:call { add = self.args.as or self.stage.name, events = events }
    end,
}

--- Compares a list with 1 .. limit: returns the numbers that are missing, and those that are there twice.
---@param list integer[]
---@param limit integer
---@return integer missing
---@return integer twice
function M.gaps(list, limit)
    local seen, missing, twice = {}, 0, 0
    for _, n in ipairs(list) do
        twice = twice + (seen[n] and 1 or 0)
        seen[n] = true
    end
    for i = 1, limit do
        missing = missing + (seen[i] and 0 or 1)
    end
    return missing, twice
end

return M
