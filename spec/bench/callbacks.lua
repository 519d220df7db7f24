-- SPDX-License-Identifier: MIT
--
-- The callbacks that both the engine and the limit program run: both use the same functions and tables.
local M = {}

--- Integers: a producer that counts.
function M.count(self, demand)
    local events, n = {}, self.n
    for i = 1, demand do
        events[i] = n + i
    end
    self.n = n + demand
    return events
end

function M.add_one(_, events)
    local out = {}
    for i = 1, #events do
        out[i] = events[i] + 1
    end
    return out
end

function M.sum(self, events)
    local sum = self.sum
    for i = 1, #events do
        sum = sum + events[i]
    end
    self.sum = sum
end

--- Small records: three fields.
function M.make_records(self, demand)
    local events, n = {}, self.n
    for i = 1, demand do
        events[i] = { id = n + i, name = "some name", value = i * 0.5 }
    end
    self.n = n + demand
    return events
end

function M.change_records(_, events)
    local out = {}
    for i = 1, #events do
        local event = events[i]
        out[i] = { id = event.id, name = event.name, value = event.value + 1 }
    end
    return out
end

function M.sum_records(self, events)
    local sum = self.sum
    for i = 1, #events do
        sum = sum + events[i].value
    end
    self.sum = sum
end

--- name -> { produce, change, consume }
M.sets = {
    integers = { M.count, M.add_one, M.sum },
    records = { M.make_records, M.change_records, M.sum_records },
}

return M
