-- SPDX-License-Identifier: MIT

--- The soak test: events on two workers while one stage of nine is killed every 50 ms, for ten minutes.
---
---     stagehost spec/soak/run.lua [SECONDS [MILLISECONDS_BETWEEN_KILLS [SEED [ack]]]]
---
--- With "ack" all subscriptions acknowledge, so that only results held by a killed stage are lost.
--- The test passes if memory was flat, every event is accounted for (emitted = received +
--- unfinished in the ledger), and no demand was stuck: events arrived between any two
--- samples, and at every sink after the last kill. scripts/test has a run of a few seconds only.
local stagehost = require "stagehost"
local uv = stagehost.uv

local seconds, pause, seed = tonumber(arg[1] or 600), tonumber(arg[2] or 50), tonumber(arg[3] or os.time())
if not (seconds and seconds > 0 and pause and pause >= 1 and seed) then
    error("usage: stagehost spec/soak/run.lua [SECONDS [MILLISECONDS_BETWEEN_KILLS [SEED [ack]]]]", 0)
end

local MB = 1024
local SINKS = 4
local LONG_ENOUGH = 60 -- seconds, to judge memory

-- A build with AddressSanitizer keeps freed memory for a while, which must not look like growth.
local SANITIZER = 'ASAN_OPTIONS="quarantine_size_mb=4:$ASAN_OPTIONS"'

--- Every line that the pipeline prints, to stdout or to its log.
local function run_pipeline(on_line)
    local folder = arg[0]:match "^(.*)/[^/]*$" or "."
    local command = ("%s '%s' -w 2 '%s/pipeline.lua' %g %g %d %s 2>&1; echo status $?"):format(
        SANITIZER, uv.exepath(), folder, seconds, pause, seed, arg[4] == "ack" and "ack" or "")
    io.stdout:setvbuf "line"
    local pipe = assert(io.popen(command))
    for line in pipe:lines() do
        on_line(line)
    end
    pipe:close()
end

local MOST_ERRORS = 20
local samples, errors, found = {}, {}, { unfinished = 0, discarded = 0 }

local patterns = {
    { "^fresh (%d+)", "fresh" },
    { "^total (%d+) (%d+) (%d+)", "emitted", "received", "kills" },
    { "(%d+) events? [ai][rs]e? unfinished\"", "unfinished" },
    { "(%d+) events? wa?e?[sr]e? discarded", "discarded" },
    { "^status (%d+)", "status" },
}

local function read(line)
    local plain = line:gsub("\t", " ")
    local at, memory, received, kills = plain:match "^sample (%d+) (%d+) (%d+) (%d+)"
    if at then
        samples[#samples + 1] = { memory = tonumber(memory), received = tonumber(received) }
        print(("%5d s  %6.1f MB  %12d events  %6d kills"):format(at, memory / MB, received, kills))
        return
    end
    if line:find("level=error", 1, true) and #errors < MOST_ERRORS then
        errors[#errors + 1] = line
    end
    for _, pattern in ipairs(patterns) do
        local values = { plain:match(pattern[1]) }
        for i, value in ipairs(values) do
            found[pattern[i + 1]] = tonumber(value)
        end
    end
end

local problems = {}

local function check(ok, format, ...)
    if not ok then
        problems[#problems + 1] = format:format(...)
    end
end

--- The median of the measurements from one share of the run to another.
local function median_memory(from, to)
    local values = {}
    for i = math.floor(#samples * from) + 1, math.floor(#samples * to) do
        values[#values + 1] = samples[i].memory
    end
    table.sort(values)
    return values[math.floor(#values / 2) + 1] or 0
end

local function check_arrivals()
    local stuck = 0
    for i = 2, #samples do
        stuck = stuck + (samples[i].received == samples[i - 1].received and 1 or 0)
    end
    check(#samples >= 8, "only %d samples", #samples)
    check(stuck == 0, "%d times nothing arrived between two samples", stuck)
    check(found.fresh == SINKS, "after the last kill %s of %d sinks got something", found.fresh or "none", SINKS)
end

local function check_ledger()
    check(found.emitted, "the pipeline did not come to its end")
    local lost = (found.emitted or 0) - (found.received or 0)
    check(lost == found.unfinished + found.discarded,
        "%d events are missing, the ledger has %d unfinished and %d discarded", lost, found.unfinished, found.discarded)
    check(found.status == (found.unfinished > 0 and 75 or 0), "exit status %s", tostring(found.status))
end

local function check_memory()
    local before, after = median_memory(0.25, 0.5), median_memory(0.75, 1)
    print(("memory: %.1f MB in the second quarter, %.1f MB in the last"):format(before / MB, after / MB))
    if seconds < LONG_ENOUGH then
        return -- it has not warmed up
    end
    check(after <= before * 1.1 + 2 * MB, "memory grew from %.1f MB to %.1f MB", before / MB, after / MB)
end

print(("%g s, a kill every %g ms, seed %d"):format(seconds, pause, seed))
run_pipeline(read)
check_arrivals()
check_ledger()
check_memory()
print(("%d emitted, %d received, %d unfinished, %d kills"):format(found.emitted or 0, found.received or 0,
    found.unfinished, found.kills or 0))
for _, problem in ipairs(problems) do
    print("FAILED: " .. problem)
end
if #problems > 0 then
    print(table.concat(errors, "\n"))
end
print(#problems == 0 and "passed" or "failed")
stagehost.exit_status(#problems == 0 and 0 or 1)
