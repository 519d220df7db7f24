-- SPDX-License-Identifier: MIT
--
-- Memory of scripts/access_log.lua over a large input: its resident size when it has read 10 %, 50 % and all of it.
-- The same log is read again and again, through a pipe, and as a list of files.
--
--   stagehost spec/bench/jobs/memory.lua --build FOLDER [--gigabytes N] [--data FOLDER]
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local root = assert(require("stagehost").uv.fs_realpath(here .. "/../../.."))
package.path = root .. "/?.lua;" .. package.path

local inputs = require "spec.bench.jobs.inputs"
local stagehost = require "stagehost"
local uv = stagehost.uv

local MARKS = { 0.1, 0.5, 1 }
local EVERY_MS = 10

local function fail(message)
    error(("bench: %s\nusage: stagehost memory.lua --build FOLDER [--gigabytes N] [--data FOLDER]"):format(message), 0)
end

local options = { gigabytes = "10", data = root .. "/.build/bench" }
for i = 1, #arg, 2 do
    local name = arg[i]:match "^%-%-(%l+)$"
    if not (name == "build" or name == "gigabytes" or name == "data") then
        fail("unknown option " .. arg[i])
    end
    options[name] = arg[i + 1] or fail(arg[i] .. " needs a value")
end
local bytes = (tonumber(options.gigabytes) or 0) * 1e9
if not options.build then
    fail "--build is missing"
elseif not (bytes > 0 and bytes < math.huge) then
    fail "--gigabytes must be a positive number"
end

assert(os.execute(("mkdir -p '%s'"):format(options.data)) == 0)
local places = { command = options.build .. "/stagehost", root = root, here = here, data = options.data }
-- A small sum is read from a small log.
local path = inputs.get(places, "access_log", bytes < 1e9 and 0.01 or 1)
local size = assert(uv.fs_stat(path)).size
local times = math.ceil(bytes / size)

--- A field of /proc; nil when the process has ended.
local function field(pid, file, name)
    local from = io.open(("/proc/%d/%s"):format(pid, file))
    local text = from and from:read "*a"
    if from then
        from:close()
    end
    return text and tonumber(text:match(name .. ":%s*(%d+)"))
end

local job = ("exec '%s' -w 2 --log-level error '%s/scripts/access_log.lua'"):format(places.command, root)
local ways = {
    { name = "pipe", line = job .. (" - < <(for ((i = 0; i < %d; i++)); do cat '%s'; done)"):format(times, path) },
    { name = "files", line = job .. (" '%s'"):format(path):rep(times) },
}

--- The resident size at each mark, in kB. What has been read is known by the process's own count; the last size
--- seen stands for the last mark.
local function watch(pid, is_alive)
    local sizes, mark, last = {}, 1, nil
    while is_alive() do
        local read, resident = field(pid, "io", "rchar"), field(pid, "status", "VmRSS")
        last = resident or last
        while resident and mark < #MARKS and read and read >= MARKS[mark] * times * size do
            sizes[mark], mark = resident, mark + 1
        end
        stagehost.sleep(EVERY_MS)
    end
    for i = mark, #MARKS do
        sizes[i] = last
    end
    return sizes
end

local function measure(way)
    local output, status = os.tmpname(), nil
    local begin = uv.hrtime()
    local handle, pid = assert(uv.spawn("bash", { args = { "-c", way.line .. " >" .. output } }, function(code)
        status = code
    end))
    local sizes = watch(pid, function() return not status end)
    local seconds = (uv.hrtime() - begin) / 1e9
    handle:close()
    local file = assert(io.open(output))
    local requests = file:read "*l"
    file:close()
    os.remove(output)
    if status ~= 0 then
        error(("bench: access_log.lua over %s failed"):format(way.name), 0)
    end
    print(("%-6s %9.1f %9.1f %9.1f %9.1f   %s"):format(way.name, sizes[1] / 1024, sizes[2] / 1024, sizes[3] / 1024,
        seconds, requests))
end

print(("access_log.lua with two workers over %.1f GB; resident size in MiB"):format(times * size / 1e9))
print(("%-6s %9s %9s %9s %9s"):format("", "10 %", "50 %", "100 %", "seconds"))
for _, way in ipairs(ways) do
    measure(way)
end
