-- SPDX-License-Identifier: MIT
--
-- The job of scripts/access_log.lua with native operators, and the same report: no Lua string is made of a line.
--   stagehost access_log_native.lua FILE
local stagehost = require "stagehost"
local text = stagehost.text

local TOP = 10

-- client - user [time] "request" status bytes "referer" "agent"
local COMBINED = '^%S+ %S+ .- %[[^%]]+%] ".-" %d%d%d %S+ ".-" ".*"$'
local CLIENT, PATH, STATUS, BYTES = 1, 7, 9, 10

local Tally = stagehost.producer_consumer {
    packed = true,
    init = function(self) self.counts, self.unparsable = {}, 0 end,

    handle_events = function(self, lines)
        local good = text.select(lines, { pattern = COMBINED })
        self.unparsable = self.unparsable + #lines - #good
        for _, field in ipairs { CLIENT, PATH, STATUS, BYTES } do
            self.counts[field] = text.count_by(good, field, self.counts[field])
        end
    end,

    handle_end = function(self)
        local totals = { unparsable = self.unparsable }
        for field, counts in pairs(self.counts) do
            totals[field] = counts:table()
        end
        return { totals }
    end,
}

local running = assert(stagehost.pipeline {
    max_restarts = 0,
    stagehost.source.lines { path = arg[1], parts = "auto" },
    { Tally, instances = "parts" },
    { stagehost.sink.collect(), name = "report" },
}:start())

local sum = { [CLIENT] = {}, [PATH] = {}, [STATUS] = {}, [BYTES] = {} }
local unparsable, requests, bytes, classes = 0, 0, 0, {}
for _, totals in ipairs(assert(running:join()).report) do
    unparsable = unparsable + totals.unparsable
    for field, into in pairs(sum) do
        for key, n in pairs(totals[field] or {}) do
            into[key] = (into[key] or 0) + n
        end
    end
end
for status, n in pairs(sum[STATUS]) do
    local class = tonumber(status:sub(1, 1))
    requests, classes[class] = requests + n, (classes[class] or 0) + n
end
for size, n in pairs(sum[BYTES]) do
    bytes = bytes + (tonumber(size) or 0) * n
end

local function print_top(title, counts)
    local names = {}
    for name in pairs(counts) do
        names[#names + 1] = name
    end
    table.sort(names, function(a, b)
        if counts[a] ~= counts[b] then
            return counts[a] > counts[b]
        end
        return a < b
    end)
    print("\ntop " .. title)
    for i = 1, math.min(TOP, #names) do
        print(("%9d  %s"):format(counts[names[i]], names[i]))
    end
end

print(("%-13s %d"):format("requests", requests))
print(("%-13s %.0f"):format("bytes", bytes))
print(("%-13s %d"):format("unparsable", unparsable))
for class = 1, 9 do
    if classes[class] then
        print(("%-13s %d"):format(("status %dxx"):format(class), classes[class]))
    end
end
print_top("paths", sum[PATH])
print_top("clients", sum[CLIENT])
