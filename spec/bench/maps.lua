-- SPDX-License-Identifier: MIT
--
-- Three functions on integers; prints: events seconds (of the CPU).
--
--   stagehost -w 1 maps.lua fused|stages|one|three N
--   fused: stagehost.map three times, which is one stage; stages: three of them, kept apart by an option
--   one, three: the same, written out as handle_events
local stagehost = require "stagehost"
local case, n = arg[1], tonumber(arg[2])

local function add_one(x) return x + 1 end
local function double(x) return x * 2 end
local function take_three(x) return x - 3 end

local Count = stagehost.producer {
    init = function(self) self.n = 0 end,
    handle_demand = function(self, demand)
        local events, first = {}, self.n
        for i = 1, demand do
            events[i] = first + i
        end
        self.n = first + demand
        return self.n >= n and stagehost.stop("normal", events) or events
    end,
}

--- A stage with a loop of its own, as a script would write it. (Each has code of its own, as it would have there.)
local function written_out(body)
    return stagehost.producer_consumer {
        handle_events = assert(loadstring(([[
            local add_one, double, take_three = ...
            return function(_, events)
                local out = {}
                for i = 1, #events do
                    out[i] = %s
                end
                return out
            end]]):format(body)))(add_one, double, take_three),
    }
end

local map = stagehost.map
local cases = {
    fused = { map(add_one), map(double), map(take_three) },
    stages = { { map(add_one), max_demand = 1000 }, { map(double), max_demand = 1000 },
        { map(take_three), max_demand = 1000 } },
    one = { written_out "take_three(double(add_one(events[i])))" },
    three = { written_out "add_one(events[i])", written_out "double(events[i])", written_out "take_three(events[i])" },
}

local chain = { Count, unpack(cases[case]) }
chain[#chain + 1] = stagehost.consumer { handle_events = function() end }
local started = os.clock()
stagehost.pipeline(chain):run()
print(n, os.clock() - started)
