-- SPDX-License-Identifier: MIT

--- The option `combine` as the command sees it: a drain, a crash, and the report at the end.
local command = require "spec.support.command"

-- Sums up 1 .. 1000, 10 in an accumulator for each 100; then it waits for the signal, or does what arg[1] says.
local SCRIPT = [[
    local stagehost = require "stagehost"
    local how = arg[1]
    local source = stagehost.producer {
        init = function(self) self.n = 0 end,
        handle_demand = function(self, demand)
            local events = {}
            for i = 1, math.min(demand, 1050 - self.n) do
                self.n = self.n + 1
                events[i] = self.n
            end
            if self.n == 1050 and how == "signal" then
                stagehost.uv.kill(stagehost.uv.os_getpid(), "sigterm")
            end
            return #events > 0 and events or nil
        end,
    }
    local pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }
    local sink = stagehost.consumer {
        init = function(self) self.sum = 0 end,
        handle_events = function(self, events)
            for _, event in ipairs(events) do
                self.sum = self.sum + event
            end
        end,
        terminate = function(self) print(self.sum) end,
    }
    local s = assert(stagehost.start(source))
    local p = assert(stagehost.start(pass, {
        name = "combiner", subscribe_to = s,
        dispatcher = { "partition", partitions = 1, combine = {
            every = 100,
            add = function(acc, event)
                if how == "crash" and event == 150 then
                    error "cannot add"
                end
                return (acc or 0) + event
            end,
            emit = function(acc) return { acc } end,
        } },
    }))
    stagehost.start(sink, { subscribe_to = { p, partition = 0 }, worker = stagehost.workers() > 1 and 1 or 0 })
]]

local function run(how, workers)
    return command.run(("timeout 40 $S -v -w %d a.lua %s"):format(workers, how), { ["a.lua"] = SCRIPT })
end

for workers = 1, 2 do
    describe(("combine with %d workers"):format(workers), function()
        it("loses nothing in a drain, and says how much it has combined", function()
            local r = run("signal", workers)
            assert.equal(("%d\n"):format(1050 * 1051 / 2), r.out)
            assert.equal(0, r.status)
            assert.matches("10%d%d events were combined into others", r.err)
            assert.not_matches("unfinished", r.err)
        end)

        it("leaves what is in the accumulator when it crashes, and names the function", function()
            local r = run("crash", workers)
            assert.equal(70, r.status)
            assert.matches("combine.add", r.err)
            assert.matches("a.lua:%d+: cannot add", r.err)
            assert.matches("stack traceback", r.err)
            assert.matches('%d+ events unfinished: combine"? stage=combiner', r.err)
        end)
    end)
end

describe("combine at the end of a producer", function()
    it("fails the stage with its error, though the producer wanted to end normally", function()
        local r = command.run("timeout 40 $S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local Last = stagehost.producer {
                handle_demand = function() return stagehost.stop("normal", { 1, 2, 3 }) end,
            }
            local last = stagehost.start(Last, { name = "last", dispatcher = { "partition", partitions = 1, combine = {
                add = function() error("refused", 0) end,
                emit = function() end,
            } } })
            stagehost.start(stagehost.sink.collect(), { subscribe_to = { { to = last, partition = 0 } } })
        ]] })
        assert.equal(70, r.status)
        assert.matches("combine.add: refused", r.err, 1, true)
        assert.matches("3 events unfinished: combine", r.err, 1, true)
    end)
end)
