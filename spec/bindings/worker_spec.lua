-- SPDX-License-Identifier: MIT

--- The same objects across workers. With one worker there is nothing to see.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

if stagehost.workers() < 2 then
    return
end

local Counter = stagehost.producer {
    init = function(self, args)
        self.n = args and args.from or 0
    end,
    handle_demand = function(self, n)
        local events = {}
        for i = 1, n do
            events[i] = self.n
            self.n = self.n + 1
        end
        return events
    end,
    handle_call = function(_, request)
        return request
    end,
}

local Collector = stagehost.consumer {
    init = function(self)
        self.events = {}
    end,
    handle_subscribe = function(self, _, opts, from)
        self.opts, self.from = opts, from
        return "manual"
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
    end,
    handle_call = function(self, request)
        if type(request) == "number" then
            self.from:ask(request)
        end
        return request == "opts" and self.opts or self.events
    end,
}

describe("across workers", function()
    it("handles are the same objects", function()
        local stage = start(Counter, { worker = 1, name = "far" })
        assert.equal(1, stage.worker)
        assert.equal(stage, stagehost.whereis("far"))
        assert.equal(stage, stage:call(stage))
        local me = stagehost.self()
        assert.equal(me, stage:call({ deep = { me } }).deep[1])
    end)

    it("subscriptions work from either side", function()
        local producer = start(Counter, { args = { from = 5 } })
        local consumer = start(Collector, { worker = 1 })
        local sub = assert(consumer:subscribe { to = producer, opts = { color = "red" }, max_demand = 7 })
        assert.equal(consumer, sub.consumer)
        assert.same({ opts = { color = "red" }, max_demand = 7 }, consumer:call("opts"))
        consumer:call(2)
        stagehost.ask(sub, 1)
        local events
        repeat
            stagehost.sleep(1)
            events = consumer:call("events")
        until #events == 3
        assert.same({ 5, 6, 7 }, events)
        local stats, message, reason = sub:stats("consumer")
        assert.is_nil(stats)
        assert.matches("only be read on the worker", message)
        assert.equal("other_worker", reason)
        stats, message = consumer:stats()
        assert.is_nil(stats)
        assert.matches("can only be read on its worker, 1", message)
    end)

    it("what can't cross is an error of the sender", function()
        local stage = start(Counter, { worker = 1 })
        for _, method in ipairs { "call", "cast", "send", "notify", "async_info" } do
            assert.error_matches(function()
                stage[method](stage, { field = print })
            end, "^stage:" .. method .. ": .*field.*can't cross")
        end
        assert.equal("ok", stage:call("ok"))
        assert.error_matches(function()
            stagehost.start(Counter, { worker = 1, name = "stuck", args = coroutine.create(print) })
        end, "stagehost.start: .*coroutine")
        assert.is_nil(stagehost.whereis("stuck"))
    end)

    it("a mistake in what a far init returned fails the start", function()
        local stage, message = stagehost.start(stagehost.producer {
            init = function()
                return { dispatcher = "partition" }
            end,
        }, { worker = 1 })
        assert.is_nil(stage)
        assert.matches('needs the option "partitions"', message)
    end)

    it("a name is taken everywhere", function()
        start(Counter, { worker = 1, name = "far" })
        assert.equal("already_started", select(3, stagehost.start(Counter, { name = "far" })))
    end)
end)
