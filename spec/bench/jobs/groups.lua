-- SPDX-License-Identifier: MIT
--
-- The groups of rows: each is a job, done by several programs, with what is aimed at.
local inputs = require "spec.bench.jobs.inputs"

---@class bench.Aim
---@field of? string key of the program whose figure is divided by; without it, the figure itself is meant
---@field at_most? number
---@field at_least? number

---@class bench.Program
---@field key string short name, which others refer to
---@field name string as it is printed
---@field line? string shell command
---@field halves? string[] or two of them, which run at the same time
---@field needs? string a command without which the program is left out
---@field aim? bench.Aim
---@field wish? bench.Aim an aim beyond the aim

---@class bench.Group
---@field name string
---@field unit "s"|"ns"|"us"|"M/s" "s": the time from start to end; else of what the program prints, "N SECONDS"
---@field is_json? boolean how outputs are compared
---@field about string
---@field programs bench.Program[]

local M = {}

--- All of a job's input by one program, or half of it by each of two.
local function alone(format, path, ...)
    return (format:gsub("PATH", "'" .. path .. "'")):format(...)
end

local function side_by_side(format, halves, ...)
    return { alone(format, halves[1], ...), alone(format, halves[2], ...) }
end

--- The programs of a job that is done by a plain script, mawk, and a script of stagehost.
local function job(places, input, name, aims)
    local path, halves = inputs.get(places, input, places.part)
    local plain = ("luajit '%s/plain/%s.lua' PATH"):format(places.here, name)
    local engine = ("'%s' -w %%d '%s/scripts/%s.lua' PATH"):format(places.command, places.root, name)
    return {
        { key = "plain", name = "plain LuaJIT script", line = alone(plain, path) },
        { key = "mawk", name = "mawk", needs = "mawk",
            line = ("mawk -f '%s/mawk/%s.awk' '%s'"):format(places.here, name, path) },
        { key = "control", name = "control: two plain scripts, half each", halves = side_by_side(plain, halves) },
        { key = "one", name = "stagehost -w 1", line = alone(engine, path, 1), aim = aims.one },
        { key = "two", name = "stagehost -w 2", line = alone(engine, path, 2), aim = aims.two, wish = aims.wish },
    }, path
end

function M.access_log(places)
    local programs, path = job(places, "access_log", "access_log", {
        one = { of = "plain", at_most = 1.1 },
        two = { of = "control", at_most = 1.15 },
        wish = { of = "plain", at_most = 0.6 },
    })
    local native = ("'%s' -w %%d '%s/access_log_native.lua' PATH"):format(places.command, places.here)
    table.insert(programs, { key = "native_one", name = "native operators, -w 1", line = alone(native, path, 1) })
    table.insert(programs, { key = "native_two", name = "native operators, -w 2", line = alone(native, path, 2),
        aim = { of = "plain", at_most = 0.3 } })
    return { unit = "s", about = path, programs = programs }
end

function M.word_count(places)
    local programs, path = job(places, "words", "word_count", {
        one = { of = "plain", at_most = 1.0 },
        two = { of = "control", at_most = 1.15 },
    })
    return { unit = "s", about = path, programs = programs }
end

function M.ndjson(places)
    local path, halves = inputs.get(places, "records", places.part)
    local plain = ("luajit '%s/plain/ndjson.lua' PATH"):format(places.here)
    local own = ("'%s' -w 1 '%s/plain/ndjson.lua' PATH"):format(places.command, places.here)
    local engine = ("'%s' -w %%d '%s/ndjson.lua' PATH"):format(places.command, places.here)
    return { unit = "s", about = path, is_json = true, programs = {
        { key = "plain", name = "plain LuaJIT script, lua-cjson", line = alone(plain, path) },
        { key = "control", name = "control: two plain scripts, half each", halves = side_by_side(plain, halves) },
        { key = "own", name = "plain script, codec of stagehost", line = alone(own, path) },
        { key = "own_control", name = "two of these, half each", halves = side_by_side(own, halves) },
        { key = "one", name = "stagehost -w 1", line = alone(engine, path, 1) },
        { key = "two", name = "stagehost -w 2", line = alone(engine, path, 2),
            aim = { of = "control", at_most = 1.15 } },
    } }
end

function M.lines(places)
    local path = inputs.get(places, "access_log", places.part)
    local engine = ("'%s' -w 2 '%s/lines.lua' %%s PATH"):format(places.command, places.here)
    return { unit = "ns", about = path .. ", for each line", programs = {
        { key = "plain", name = "bare io.lines loop",
            line = alone("luajit '%s/plain/lines.lua' PATH", path, places.here) },
        { key = "same", name = "source.lines, same worker", line = alone(engine, path, "same"),
            aim = { of = "plain", at_most = 1.2 } },
        { key = "across", name = "source.lines, across workers", line = alone(engine, path, "across"),
            aim = { of = "plain", at_most = 1.3 } },
    } }
end

function M.across(places)
    local line = "'%s' -w 2 '%s/../engine.lua' %s across 1000 %d"
    local function program(set, n, aim)
        return { key = set, name = set .. " across workers", aim = { at_least = aim },
            line = line:format(places.command, places.here, set, math.ceil(n * places.part / 1000) * 1000) }
    end
    return { unit = "M/s", about = "a producer on one worker, a consumer on the other", programs = {
        program("integers", 4e7, 40),
        program("records", 6e6, 6),
    } }
end

function M.calls(places)
    local cold, awake = math.ceil(500 * places.part), math.ceil(50000 * places.part)
    local bare, engine = places.build .. "/spec/bench_eventfd", ("'%s' -w 2 '%s/calls.lua'"):format(places.command,
        places.here)
    return { unit = "us", about = "a message there and back; median of the trips", programs = {
        { key = "bare_cold", name = "eventfd, after a pause", line = ("'%s' %d 2"):format(bare, cold) },
        { key = "cold", name = "stage:call, after a pause", line = ("%s %d 2"):format(engine, cold),
            aim = { of = "bare_cold", at_most = 1.3 } },
        { key = "bare", name = "eventfd, one after the other", line = ("'%s' %d"):format(bare, awake) },
        { key = "awake", name = "stage:call, one after the other", line = ("%s %d"):format(engine, awake),
            aim = { at_most = 15 } },
    } }
end

--- The order in which they are printed.
M.names = { "access_log", "word_count", "ndjson", "lines", "across", "calls" }

return M
