-- SPDX-License-Identifier: MIT
--
-- SIGTERM while subscriptions are paused, gather a batch, or are over their rate: nothing is lost.
local stagehost = os.getenv("STAGEHOST") or "stagehost"

-- Emits 1 to 30 at once, to a consumer that writes what it gets. TERM comes when nothing moves any more.
local SCRIPT = [[
local stagehost = require "stagehost"
local Source = stagehost.producer {
    handle_demand = function(self)
        if self.done then
            return
        end
        self.done = true
        local events = {}
        for i = 1, 30 do
            events[i] = i
        end
        return events
    end,
}
local Sink = stagehost.consumer {
    handle_events = function(_, events) io.write(table.concat(events, " "), "\n") end,
}
local Pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }
local source = assert(stagehost.start(Source, PRODUCER or {}))
local from = source
if PASS then
    from = assert(stagehost.start(Pass))
    MIDDLE = assert(from:subscribe { to = source, batch = PASS_BATCH })
end
local sink = assert(stagehost.start(Sink))
local sub = assert(sink:subscribe { to = from, batch = BATCH, rate = RATE, max_demand = 1000, min_demand = 0 })
if PAUSE then
    (MIDDLE or sub):pause()
end
stagehost.sleep(5)
stagehost.uv.kill(stagehost.uv.os_getpid(), "sigterm")
]]

--- What the script with these globals writes, as one line of numbers, and its exit status.
local function run(globals)
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    local file = assert(io.open(path, "w"))
    file:write(globals, "\n", SCRIPT)
    file:close()
    local pipe = assert(io.popen(("timeout 30 '%s' '%s' 2>/dev/null; echo status $?"):format(stagehost, path)))
    local text = pipe:read("*a")
    pipe:close()
    local output, status = text:match("^(.*)status (%d+)\n$")
    return output, tonumber(status)
end

local all = {}
for i = 1, 30 do
    all[i] = i
end
all = table.concat(all, " ")

local function hands_on_all(globals)
    local output, status = run(globals)
    assert.equal(all, (output:gsub("\n", " "):gsub(" $", "")))
    assert.equal(0, status)
    return output
end

describe("a drain", function()
    it("resumes a paused subscription", function()
        hands_on_all "PAUSE = true"
        hands_on_all "PAUSE, PASS = true, true"
    end)

    it("hands a partial batch on", function()
        local output = hands_on_all "BATCH = { size = 20, timeout_ms = 1000000 }"
        assert.equal(2, select(2, output:gsub("\n", "")))
        hands_on_all "PASS, PASS_BATCH = true, { size = 20, timeout_ms = 1000000 }"
        hands_on_all "PAUSE, BATCH = true, { size = 20, timeout_ms = 1000000 }"
    end)

    it("respects a rate", function()
        local output = hands_on_all "RATE = { events = 2, per_ms = 10 }"
        assert.is_true(select(2, output:gsub("\n", "")) >= 15)
        output = hands_on_all "PRODUCER = { rate = { events = 2, per_ms = 10 } }"
        assert.is_true(select(2, output:gsub("\n", "")) >= 15)
        hands_on_all "RATE, PASS = { events = 2, per_ms = 10 }, true"
    end)
end)
