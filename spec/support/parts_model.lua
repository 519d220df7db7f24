-- SPDX-License-Identifier: MIT

--- Random files through random pipelines, read in one piece and in parts: the lines are those that a plain loop over
--- the text finds, and in order within a part. Prints "ok" and the number of seeds done, which may be fewer than it
--- was asked for when the time is up.
---
---     stagehost -w 2 spec/support/parts_model.lua FOLDER FIRST_SEED LAST_SEED SECONDS
local stagehost = require "stagehost"

local folder, first, last, seconds = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
local random = math.random

local BYTES = { "", "a", "b\r", "\r", "\0", "\255\254", "\195", "word ", ("x"):rep(40), "\r\r" }
local ENDS = { "\n", "\n", "\r\n", "\n\n" }

local function random_text()
    local pieces = {}
    for i = 1, random(0, 40) do
        pieces[i] = (BYTES[random(#BYTES)]):rep(random(0, 3)) .. ENDS[random(#ENDS)]
    end
    if random(2) == 1 then
        pieces[#pieces + 1] = BYTES[random(#BYTES)]
    end
    if random(10) == 1 then
        table.insert(pieces, random(#pieces + 1), ("long"):rep(random(5000)))
    end
    return table.concat(pieces)
end

local function add_lines(lines, text, keep_cr)
    local rest = text:match "^.*\n(.*)$" or text
    for line in text:gmatch "([^\n]*)\n" do
        lines[#lines + 1] = keep_cr and line or (line:gsub("\r$", ""))
    end
    lines[#lines + 1] = rest ~= "" and rest or nil
end

--- Writes files, and returns their paths and their lines.
local function make_files(keep_cr)
    local paths, lines = {}, {}
    for i = 1, random(3) do
        paths[i] = ("%s/%d.txt"):format(folder, i)
        local text = random_text()
        local file = assert(io.open(paths[i], "wb"))
        file:write(text)
        file:close()
        add_lines(lines, text, keep_cr)
    end
    return paths, lines
end

local Pass = stagehost.producer_consumer {
    handle_events = function(_, events)
        return events
    end,
}
local PackedPass = stagehost.producer_consumer { handle_events = Pass.handle_events, packed = true }

local function collect(producer, instances)
    return { name = "out", stage = stagehost.sink.collect(), instances = instances,
        subscribe_to = { { to = producer, max_demand = random(2) == 1 and random(50) or nil } } }
end

--- Stages behind the source, each with whether the results are in the order of the lines.
local shapes = {
    function() return { collect("lines", "parts") }, true end,
    function()
        return { { name = "pass", stage = Pass, instances = "parts", subscribe_to = "lines" },
            { name = "again", stage = PackedPass, instances = "parts", subscribe_to = "pass" },
            collect("again", "parts") }, true
    end,
    function() return { collect("lines") } end,
    function()
        return { { name = "pass", stage = PackedPass, instances = "parts", subscribe_to = "lines",
            dispatcher = { "partition", partitions = 3 } }, collect("pass", 3) }
    end,
    function()
        return { { name = "pass", stage = Pass, instances = random(3), subscribe_to = "lines" }, collect("pass") }
    end,
}

--- All events of collect sinks, by instance.
local function gather(results, instances)
    local all = {}
    for i = 1, instances or 1 do
        for _, line in ipairs(instances and results["out." .. i] or results.out) do
            all[#all + 1] = line
        end
    end
    return all
end

local function check(seed, expected, got, what)
    if #expected ~= #got then
        error(("seed %d, %s: %d lines, expected %d"):format(seed, what, #got, #expected), 0)
    end
    for i = 1, #expected do
        if expected[i] ~= got[i] then
            error(("seed %d, %s: line %d is %q, expected %q"):format(seed, what, i, got[i], expected[i]), 0)
        end
    end
end

local function try(seed)
    math.randomseed(seed)
    local keep_cr = random(4) == 1
    local paths, lines = make_files(keep_cr)
    local shape = random(#shapes)
    local stages, is_ordered = shapes[shape]()
    local parts = random(4) == 1 and "auto" or random(9)
    local source = stagehost.source.lines { path = paths, keep_cr = keep_cr, progress = false, parts = parts,
        chunk_size = random(2) == 1 and random(200, 5000) or random(3) == 1 and random(30) or nil }
    table.insert(stages, 1, { name = "lines", stage = source })
    local out = stages[#stages]
    local n = parts == "auto" and stagehost.workers() or parts
    local results = assert(assert(stagehost.pipeline { stages = stages, max_restarts = 0 }:start()):join())
    local got = gather(results, out.instances == "parts" and n or out.instances)
    if not is_ordered then
        table.sort(lines)
        table.sort(got)
    end
    check(seed, lines, got, ("shape %d, parts %s"):format(shape, parts))
end

local n_done, started = 0, stagehost.uv.hrtime()
for seed = first, last do
    if (stagehost.uv.hrtime() - started) / 1e9 > seconds then
        break
    end
    try(seed)
    n_done = n_done + 1
end
print("ok", n_done)
