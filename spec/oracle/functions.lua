--- The small functions that a scenario names: hashes, selectors, transformations of a batch,
-- and answers of a producer to demand.
local stagehost = require "stagehost"

local M = {}

local function parity(event)
    return event % 2 == 0 and "even" or "odd"
end

--- Hash functions of the partition dispatcher, made from their description.
M.hash = {
    mod = function(desc)
        local n = desc.n
        return function(event) return event % n end
    end,
    parity = function() return parity end,
    parity_x10 = function()
        return function(event) return parity(event), event * 10 end
    end,
    parity_skip3 = function()
        return function(event) return event % 3 == 0 and "none" or parity(event) end
    end,
    const = function(desc)
        local partition = desc.partition
        return function() return partition end
    end,
    none = function()
        return function() return "none" end
    end,
    none_below = function(desc)
        local v, partition = desc.v, desc.partition
        return function(event) return event < v and "none" or partition end
    end,
    bad = function()
        return function() return {} end
    end,
}

--- Selectors of the broadcast dispatcher.
M.selector = {
    all = function()
        return function() return true end
    end,
    none = function()
        return function() return false end
    end,
    gt = function(desc)
        local v = desc.v
        return function(event) return event > v end
    end,
    mod = function(desc)
        local n, eq = desc.n, desc.eq
        return function(event) return event % n == eq end
    end,
    invalid = function() return "invalid" end,
}

local function expand(events, k)
    local out = {}
    for _, event in ipairs(events) do
        for _ = 1, k do
            out[#out + 1] = event
        end
    end
    return out
end

--- The transformations of a batch by a producer_consumer: transform[f](events, description).
M.transform = {
    identity = function(events) return expand(events, 1) end,
    double = function(events) return expand(events, 2) end,
    expand = function(events, desc) return expand(events, desc.k) end,
    drop = function() return {} end,
    first = function(events) return { events[1] } end,
    mul = function(events, desc)
        local out = {}
        for i, event in ipairs(events) do
            out[i] = event * desc.k
        end
        return out
    end,
    even = function(events)
        local out = {}
        for _, event in ipairs(events) do
            if event % 2 == 0 then
                out[#out + 1] = event
            end
        end
        return out
    end,
}

-- The next `n` numbers of a stage that counts to its limit.
local function count_up(self, n)
    local out = {}
    local limit = self.desc.limit or math.huge
    while #out < n and self.next < limit do
        out[#out + 1] = self.next
        self.next = self.next + 1
    end
    return out
end

--- Emits events that were pushed to a "pending" producer, as far as there is demand.
function M.serve_pending(self)
    local out = {}
    while self.owed > 0 and self.queue[1] ~= nil do
        out[#out + 1] = table.remove(self.queue, 1)
        self.owed = self.owed - 1
    end
    return out
end

--- The answers of a producer to demand: demand[kind](self, n).
M.demand = {
    silent = function() return {} end,
    counter = count_up,
    finite = function(self, n)
        local out = count_up(self, n)
        if self.next >= self.desc.limit and not self.ending then
            self.ending = true
            self.stage:async_info("stop_normal")
        end
        return out
    end,
    echo = function(_, n) return { n } end,
    script = function(self)
        self.turn = self.turn + 1
        return self.desc.replies[self.turn] or {}
    end,
    pending = function(self, n)
        self.owed = self.owed + n
        return M.serve_pending(self)
    end,
    bad_return = function() return 42 end,
    stop = function(self) return stagehost.stop(self.reason) end,
    crash = function() error("crash") end,
}

return M
