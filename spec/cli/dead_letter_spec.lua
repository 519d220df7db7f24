-- SPDX-License-Identifier: MIT
--
-- Dead letters and redelivery as the command sees them: a drain, the report at the end, the dump.
local command = require "spec.support.command"

-- Emits without end to a stage that fails at every odd number; the dead letters are counted.
local script = [[
    local stagehost = require "stagehost"
    local Numbers = stagehost.producer {
        init = function(self) self.n = 0 end,
        handle_demand = function(self, demand)
            local events = {}
            for i = 1, demand do events[i] = self.n + i end
            self.n = self.n + demand
            return events
        end,
        terminate = function(self) print("emitted", self.n) end,
    }
    local Fragile = stagehost.consumer {
        init = function(self) self.n = 0 end,
        handle_events = function(self, events)
            stagehost.sleep(1)
            if events[1] % 2 == 1 then
                error("odd", 0)
            end
            self.n = self.n + 1
        end,
        terminate = function(self) print("handled", self.n) end,
    }
    local Clerk = stagehost.consumer {
        init = function(self) self.n = 0 end,
        handle_events = function(self, letters)
            self.n = self.n + #letters
            if self.n == 10 then
                io.stderr:write("working\n")
            end
        end,
        terminate = function(self) print("letters", self.n) end,
    }
    local letters = stagehost.start(stagehost.dead_letters { name = "letters" }, { worker = "any" })
    stagehost.start(Clerk, { worker = "any", subscribe_to = { letters } })
    local numbers = stagehost.start(Numbers, { worker = "any" })
    for i = 1, 2 do
        stagehost.start(Fragile, { worker = "any", name = "fragile " .. i, dead_letter = "letters",
            on_error = { "retry", times = 1, delay = 1, after = arg[1] },
            subscribe_to = { { to = numbers, max_demand = 1, ack = true } } })
    end
]]

local function drained(options, after, signals)
    return command.run(([[
        $S %s a.lua %s >out 2>err & pid=$!
        wait_for err working
        %s
        wait $pid; status=$?
        cat out; cat err >&2; exit $status
    ]]):format(options, after, signals), { ["a.lua"] = script })
end

describe("dead letters", function()
    it("are all delivered by a drain, on one worker and on several", function()
        for _, workers in ipairs { 1, 3 } do
            local r = drained("-w " .. workers, "dead_letter", "kill -USR1 $pid; kill -TERM $pid")
            local told = ("status %d, output:\n%s\nstandard error:\n%s"):format(r.status, r.out, r.err)
            assert.are.equal(0, r.status, told)
            local counts = { handled = 0 }
            for word, n in r.out:gmatch("(%a+)\t(%d+)") do
                counts[word] = (counts[word] or 0) + tonumber(n)
            end
            assert.are.equal(counts.emitted, counts.handled + counts.letters, told)
            assert.is_true(counts.letters >= 10)
            assert.are.equal(tostring(counts.letters), r.err:match("(%d+) events were sent to dead%-letter stages"))
            assert.is_truthy(r.err:find("dead letters %d+, redelivered 0"))
        end
    end)

    it("are unfinished, and said to be, where nobody takes them", function()
        local r = command.run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local Bad = stagehost.consumer { handle_events = function() error("bad", 0) end }
            local source = stagehost.start(stagehost.source.list { 1, 2, 3 })
            stagehost.start(Bad, { name = "bad", on_error = "dead_letter", dead_letter = "nobody",
                subscribe_to = { source } })
        ]] })
        assert.are.equal(75, r.status)
        assert.is_truthy(r.err:find("3 events are unfinished, the dead-letter stage is not alive: bad", 1, true))
        assert.is_truthy(r.err:find("3 events unfinished: dead letter", 1, true))
    end)
end)

describe("skipped events", function()
    it("are in the report, and no failure", function()
        local r = command.run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local Bad = stagehost.consumer { handle_events = function() error("bad", 0) end }
            local source = stagehost.start(stagehost.source.list { 1, 2, 3 })
            stagehost.start(Bad, { name = "bad", on_error = "skip", subscribe_to = { source } })
        ]] })
        assert.are.equal(0, r.status)
        assert.is_truthy(r.err:find("3 events were skipped", 1, true))
        assert.is_truthy(r.err:find("skipped 3 events: bad", 1, true))
    end)
end)
