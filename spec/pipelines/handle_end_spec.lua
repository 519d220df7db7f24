-- SPDX-License-Identifier: MIT

--- handle_end: called when all that feeds a stage has ended in order; what it returns; what waits for it.
local crashing = require "spec.support.crashing"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

after_each(stages.stop_all)

--- Emits `events` and ends with `reason`.
local Source = stagehost.producer {
    init = function(self, args) self.events, self.reason = args.events, args.reason end,
    handle_demand = function(self) return stagehost.stop(self.reason, self.events) end,
}

local function source(events, reason)
    return stages.start(Source, {
        args = { events = events, reason = reason },
        demand = "accumulate",
        supervised = true,
    })
end

--- Sums up, and tells `collector` what it was told.
local Sum = {
    init = function(self, collector) self.collector, self.sum, self.told = collector, 0, {} end,
    handle_events = function(self, events)
        for _, n in ipairs(events) do
            self.sum = self.sum + n
        end
    end,
    handle_cancel = function(self) table.insert(self.told, "cancel") end,
    handle_end = function(self, reason)
        table.insert(self.told, "end " .. tostring(reason))
        return self.answer and self:answer()
    end,
    terminate = function(self, reason)
        table.insert(self.told, "terminate " .. tostring(type(reason) == "string" and reason or "crash"))
        self.collector:cast { told = self.told, sum = self.sum }
    end,
}

local function sum(kind, more)
    local def = {}
    for key, value in pairs(Sum) do
        def[key] = value
    end
    for key, value in pairs(more or {}) do
        def[key] = value
    end
    return stagehost[kind](def)
end

local Collector = stagehost.process {
    init = function(self) self.got, self.waiting = {}, {} end,
    handle_cast = function(self, what)
        table.insert(self.got, what)
        for _, from in ipairs(self.waiting) do
            from:reply(what)
        end
        self.waiting = {}
    end,
    handle_call = function(self, _, from)
        if self.got[1] then
            return self.got[1]
        end
        table.insert(self.waiting, from)
        return stagehost.noreply
    end,
}

--- Opens the sources, and waits until the stage has ended.
local function finish(stage, collector, ...)
    for _, one in ipairs { ... } do
        one:demand "forward"
    end
    return stage:join(), collector:call()
end

for _, worker in ipairs(crashing.workers()) do
    describe(("handle_end on worker %d"):format(worker), function()
        local collector

        before_each(function()
            collector = stages.start(Collector)
        end)

        local function start(def, subscribe_to)
            return stages.start(def, {
                args = collector, subscribe_to = subscribe_to, worker = worker, supervised = true,
            })
        end

        it("comes when the last producer has ended, not with the first, before terminate", function()
            local a, b = source { 1, 2 }, source { 3 }
            local reason, got = finish(start(sum "consumer", { a, b }), collector, a, b)
            assert.equal("normal", reason)
            assert.same({ sum = 6, told = { "cancel", "cancel", "end normal", "terminate normal" } }, got)
        end)

        it("comes once, with end_with_last and cancel = permanent too", function()
            local a, b = source { 1, 2 }, source { 3 }
            local stage = start(sum("consumer", { end_with_last = true }), {
                { to = a, cancel = "permanent" }, { to = b, cancel = "permanent" },
            })
            local reason, got = finish(stage, collector, a, b)
            assert.equal("normal", reason)
            assert.same({ "cancel", "cancel", "end normal", "terminate normal" }, got.told)
        end)

        it("tells \"shutdown\" when the last producer ended so", function()
            local a = source({ 1 }, "shutdown")
            local reason, got = finish(start(sum "consumer", { a }), collector, a)
            assert.equal("shutdown", reason)
            assert.same({ "cancel", "end shutdown", "terminate shutdown" }, got.told)
        end)

        it("does not come after a crash, which ends the stage", function()
            local a, b = source { 1 }, source({ 2 }, "oops")
            local reason, got = finish(start(sum "consumer", { a, b }), collector, a, b)
            assert.equal("oops", reason)
            assert.equal("terminate oops", got.told[#got.told])
            for _, told in ipairs(got.told) do
                assert.is_nil(told:match "^end")
            end
        end)

        it("delivers what it returns, and the last events before that", function()
            local a, b = source { 1, 2 }, source { 3 }
            local def = sum("producer_consumer", {
                handle_events = function(self, events)
                    Sum.handle_events(self, events)
                    return events
                end,
                answer = function(self)
                    stagehost.sleep(2)
                    return { "sum", self.sum }
                end,
            })
            local stage = start(def, { a, b })
            local sink = stages.start(stagehost.sink.collect(), {
                subscribe_to = { { to = stage, max_demand = 1, min_demand = 0, cancel = "temporary" } },
            })
            local _, got = finish(stage, collector, a, b)
            assert.same({ "cancel", "cancel", "end normal", "terminate normal" }, got.told)
            local events = sink:call "events"
            assert.equal(5, #events)
            assert.same({ "sum", 6 }, { events[4], events[5] })
        end)

        it("may stop with a reason of its own", function()
            local a = source { 1 }
            local def = sum("consumer", { answer = function() return stagehost.stop("too_little") end })
            local reason, got = finish(start(def, { a }), collector, a)
            assert.equal("too_little", reason)
            assert.equal("terminate too_little", got.told[#got.told])
        end)

        it("fails like any callback", function()
            local a = source { 1 }
            local reason = finish(start(sum("consumer", { answer = function() return 5 end }), { a }), collector, a)
            assert.matches("handle_end returned a number %(5%): it must return a list of events, nil", reason.message)
            assert.equal("handle_end", reason.callback)
        end)
    end)
end

describe("the end of all input", function()
    local core = require "stagehost.core"
    local Quiet = stagehost.consumer {
        handle_events = function() end,
        handle_call = function(self) return self.told or "nothing" end,
        handle_end = function(self) self.told = "end" end,
    }

    it("makes the subscriptions of a stage the last ones, temporary ones too", function()
        local a = source { 1 }
        local stage = stages.start(Quiet, { subscribe_to = { { to = a, cancel = "temporary" } } })
        a:demand "forward"
        a:join()
        assert.equal("nothing", stage:call())
        core.end_input(stage)
        assert.equal("normal", stage:join())
    end)

    it("waits for those that are there", function()
        local a = source { 1 }
        local stage = stages.start(Quiet, { subscribe_to = { { to = a, cancel = "temporary" } } })
        core.end_input(stage)
        assert.equal("nothing", stage:call())
        a:demand "forward"
        assert.equal("normal", stage:join())
    end)

    it("ends one without handle_end as well", function()
        local stage = stages.start(stagehost.consumer { handle_events = function() end })
        core.end_input(stage)
        assert.equal("normal", stage:join())
    end)

    it("is not for others", function()
        local stage = stages.start(stagehost.process {})
        assert.has_error(function() core.end_input(stage) end,
            ("end_input: %s does not consume"):format(tostring(stage)))
    end)
end)
