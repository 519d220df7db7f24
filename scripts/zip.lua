#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Joins two streams into one of pairs, then merges sorted streams into one. A zip ends with its shortest side.
--
--   stagehost scripts/zip.lua
--   ada 36
--   grace 85
--   alan 41
--   1 2 3 4 5 6 7 8 9
local stagehost = require "stagehost"

local function list(events)
    return assert(stagehost.start(stagehost.source.list(events), { demand = "accumulate" }))
end

--- Starts `def` on the lists, and calls `f` with every event it emits; waits for its end.
local function run(def, lists, f)
    local sources, subscribe_to = {}, {}
    for i, events in ipairs(lists) do
        sources[i] = list(events)
        subscribe_to[i] = { to = sources[i], max_demand = 4 }
    end
    local stage = assert(stagehost.start(def, { subscribe_to = subscribe_to }))
    local sink = assert(stagehost.start(stagehost.sink.each(f), { subscribe_to = { stage } }))
    for _, source in ipairs(sources) do
        source:demand("forward")
    end
    sink:join()
end

run(stagehost.zip(), { { "ada", "grace", "alan", "edsger" }, { 36, 85, 41 } }, function(pair)
    print(pair[1] .. " " .. pair[2])
end)

local all = {}
local smaller = function(a, b) return a < b end
run(stagehost.merge { by = smaller }, { { 1, 4, 7 }, { 2, 5, 8, 9 }, { 3, 6 } }, function(n)
    all[#all + 1] = n
end)
print(table.concat(all, " "))
