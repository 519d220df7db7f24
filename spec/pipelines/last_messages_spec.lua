-- SPDX-License-Identifier: MIT

--- A producer that ends in order: what had come before its end is still handled, and what that emits
--- is delivered. A source that has read something tells itself so in a message.
local run = require("spec.support.command").run
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

after_each(stages.stop_all)

local Source = stagehost.producer {
    handle_demand = function() end,
    handle_call = function(_, events) return true, events end,
    handle_info = function(_, event) return { event } end,
}

local Asker = stagehost.consumer {
    init = function(self) self.seen = {} end,
    handle_subscribe = function(self, _, _, from)
        self.from = from
        return "manual"
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.seen, event)
        end
    end,
    handle_call = function(self, n)
        if n > 0 then
            stagehost.ask(self.from, n)
        end
        return self.seen
    end,
}

describe("a producer that ends in order", function()
    local source, asker, sub

    before_each(function()
        source = stages.start(Source)
        asker = stages.start(Asker)
        sub = assert(asker:subscribe { to = source, cancel = "temporary" })
        asker:call(0)
        source:call { 1, 2 }
        source:async_stop("normal")
    end)

    it("handles what it has got when its consumers have taken all", function()
        sub:ask(2)
        source:send(3)
        asker:call(1)
        assert.equal("normal", source:join())
        assert.same({ 1, 2, 3 }, asker:call(0))
    end)

    it("refuses what comes after that", function()
        local Endless = stagehost.producer {
            handle_demand = function() end,
            handle_call = function(_, events) return true, events end,
            handle_info = function(self, event)
                self.stage:send(event + 1)
                return { event }
            end,
        }
        local endless = stages.start(Endless)
        assert(asker:subscribe { to = endless, cancel = "temporary" })
        asker:call(0)
        endless:call { 1 }
        endless:async_stop("normal")
        asker:call(1000000)
        endless:send(2)
        assert.equal("normal", endless:join())
    end)
end)

describe("TERM while several parsers read lines from a pipe", function()
    it("loses none that was read", function()
        local r = run([[
            cat >script.lua <<'END'
            local stagehost = require "stagehost"
            local Pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }
            local Count = stagehost.consumer {
                init = function(self) self.n = 0 end,
                handle_events = function(self, events)
                    self.n = self.n + #events
                    if not self.has_told then
                        self.has_told = true
                        io.stderr:write("going\n")
                    end
                end,
                terminate = function(self) io.write(self.n, "\n") end,
            }
            local running = assert(stagehost.pipeline({ stages = {
                { name = "lines", stage = stagehost.source.lines { path = "-" } },
                { name = "pass", stage = Pass, instances = 2, subscribe_to = { "lines" } },
                { name = "count", stage = Count, instances = 2, subscribe_to = { "pass" } },
            } }):start())
            running:join()
END
            mkfifo in
            { seq 2000000; echo >fed; sleep 60; } >in 2>/dev/null & feeder=$!
            exec 9<in
            ${S#timeout -k 1 40 } -w 2 script.lua <&9 >out 2>err & pid=$!
            wait_for err going; sleep 0.1; kill -TERM $pid; wait $pid; echo $?
            wc -l <&9 >rest & counter=$!
            wait_for fed; kill -- -$feeder; wait $counter
            cat rest out
        ]])
        local status, numbers = r.out:match("^(%d+)\n(.*)$")
        local sum = 0
        for n in numbers:gmatch "%d+" do
            sum = sum + n
        end
        assert.equal("0", status, r.err)
        -- A line of which half was read when the signal came counts on both sides.
        assert.is_true(sum == 2000000 or sum == 2000001, r.out)
    end)
end)
