-- SPDX-License-Identifier: MIT

--- Subscriptions as scripts make and hold them.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local function Counter(fields)
    local def = {
        init = function(self)
            self.n, self.log = 0, {}
        end,
        handle_demand = function(self, n)
            local events = {}
            for i = 1, n do
                events[i] = self.n
                self.n = self.n + 1
            end
            return events
        end,
        handle_subscribe = function(self, kind, opts, from)
            table.insert(self.log, { "subscribe", kind, opts, from })
        end,
        handle_cancel = function(self, reason, from, how)
            table.insert(self.log, { "cancel", reason, from, how })
        end,
        handle_call = function(self)
            return self.log
        end,
    }
    for key, value in pairs(fields or {}) do
        def[key] = value
    end
    return stagehost.producer(def)
end

--- Keeps what it gets; its mode is "manual".
local Manual = stagehost.consumer {
    init = function(self)
        self.events, self.log = {}, {}
    end,
    handle_subscribe = function(self, kind, opts, from)
        table.insert(self.log, { "subscribe", kind, opts, from })
        self.from = from
        return "manual"
    end,
    handle_cancel = function(self, reason, from, how)
        table.insert(self.log, { "cancel", reason, from, how })
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
    end,
    handle_call = function(self, request)
        if request == "log" then
            return self.log
        elseif type(request) == "number" then
            stagehost.ask(self.from, request)
            return "asked"
        end
        return self.events
    end,
}

-- Time for what is under way: a sleep of 1 ms lets every stage have a turn, or one slice of them.
local function settle()
    for _ = 1, 20 do
        stagehost.sleep(1)
    end
end

describe("a subscription", function()
    it("is one object on both sides and knows them", function()
        local producer = start(Counter(), { name = "p" })
        local consumer = start(Manual, { name = "c" })
        local sub = assert(consumer:subscribe { to = producer, opts = { color = "red" }, max_demand = 5 })
        local p_log, c_log = producer:call("log"), consumer:call("log")
        local opts = { opts = { color = "red" }, max_demand = 5 }
        assert.same({ { "subscribe", "consumer", opts, sub } }, p_log)
        assert.same({ { "subscribe", "producer", opts, sub } }, c_log)
        assert.equal(sub, p_log[1][4])
        assert.equal(sub, c_log[1][4])
        assert.equal(producer, sub.producer)
        assert.equal(consumer, sub.consumer)
        assert.equal("subscription<p > c>", tostring(sub))
        assert.equal("number", type(sub.id))
    end)

    it("in manual mode is asked for by hand", function()
        local producer = start(Counter())
        local consumer = start(Manual)
        local sub = assert(consumer:subscribe { to = producer })
        assert.same({}, consumer:call("events"))
        consumer:call(3)
        settle()
        assert.same({ 0, 1, 2 }, consumer:call("events"))
        stagehost.ask(sub, 2)
        sub:ask(1)
        settle()
        assert.same({ 0, 1, 2, 3, 4, 5 }, consumer:call("events"))
        assert.equal(6, sub:stats("consumer").events)
        assert.equal(6, sub:stats("producer").events)
        for _, n in ipairs { -1, 1.5, 0 / 0, math.huge } do
            assert.error_matches(function()
                stagehost.ask(sub, n)
            end, "must be an integer")
        end
        assert.error_matches(function()
            stagehost.ask(producer, 1)
        end, "expected a subscription, got userdata")
    end)

    it("can be made from the producer's side, by name, and without waiting", function()
        local producer = start(Counter(), { name = "p" })
        local consumer = start(Manual)
        local sub = assert(producer:subscribe { from = consumer })
        assert.equal(consumer, sub.consumer)
        assert.equal(producer, sub.producer)
        consumer:async_subscribe { to = "p" }
        settle()
        assert.equal(2, #consumer:call("log"))
    end)

    it("is cancelled with a reason that both sides see", function()
        local producer = start(Counter())
        local consumer = start(Manual)
        local sub = assert(consumer:subscribe { to = producer, cancel = "temporary" })
        sub:cancel { "moved", 5 }
        settle()
        assert.same({ "cancel", { "moved", 5 }, sub, "cancel" }, producer:call("log")[2])
        assert.same({ "cancel", { "moved", 5 }, sub, "cancel" }, consumer:call("log")[2])
        sub = assert(consumer:subscribe { to = producer, cancel = "temporary" })
        sub:cancel()
        settle()
        assert.equal("normal", consumer:call("log")[4][2])
    end)

    it("can replace another", function()
        local producer = start(Counter())
        local consumer = start(Manual)
        local old = assert(consumer:subscribe { to = producer, cancel = "temporary" })
        local new = assert(consumer:subscribe {
            to = producer, current = old, reason = "again", cancel = "temporary",
        })
        settle()
        assert.same({ "cancel", "again", old, "cancel" }, producer:call("log")[2])
        assert.equal(new, producer:call("log")[3][4])
    end)

    it("to an unknown name has no producer", function()
        local consumer = start(Manual)
        local sub = assert(consumer:subscribe { to = "nobody", cancel = "temporary" })
        assert.is_nil(sub.producer)
        assert.equal("subscription<unknown > " .. tostring(consumer):match("<(.*)>") .. ">",
            tostring(sub))
        sub:cancel()
        stagehost.ask(sub, 1)
        assert.is_nil((sub:stats("producer")))
    end)

    it("is refused to a stage that is no consumer", function()
        local producer = start(Counter())
        local sub, message, reason = producer:subscribe { to = producer }
        assert.is_nil(sub)
        assert.equal("the stage is not a consumer", message)
        assert.equal("not_a_consumer", reason)
    end)

    it("raises for bad options, and the consumer lives", function()
        local consumer = start(Manual)
        assert.error_matches(function()
            consumer:subscribe { to = "x", min_demand = 2000 }
        end, 'subscription_spec.lua:%d+: option "min_demand" must be at most 999')
        assert.error_matches(function()
            consumer:subscribe { to = {} }
        end, "must be a stage handle or a name, got a table")
        assert.is_true(consumer:is_alive())
    end)

    it("can be made by a consumer itself, and is waited for", function()
        local producer = start(Counter())
        local events = {}
        local Self = stagehost.consumer {
            handle_call = function(_, opts)
                return assert(stagehost.self():subscribe(opts))
            end,
            handle_events = function(_, batch)
                table.insert(events, #batch)
                return #events == 2 and stagehost.stop() or nil
            end,
        }
        local consumer = start(Self)
        local sub = assert(consumer:call { to = producer, max_demand = 4, min_demand = 2 })
        assert.equal(consumer, sub.consumer)
        assert.equal("normal", consumer:is_alive() and consumer:join() or "normal")
        assert.same({ 2, 2 }, events)
    end)

    describe("at the start", function()
        it("is made for each of subscribe_to", function()
            local producer = start(Counter(), { name = "p" })
            local consumer = start(Manual, {
                subscribe_to = { producer, "p", { to = producer, opts = { color = "blue" } } },
            })
            local log = consumer:call("log")
            assert.equal(3, #log)
            assert.same({}, log[1][3])
            assert.same({ opts = { color = "blue" } }, log[3][3])
        end)

        it("may come from init, after those of the start", function()
            local producer = start(Counter())
            local seen = {}
            start(stagehost.consumer {
                init = function()
                    return { subscribe_to = { { to = producer, opts = { color = 2 } } } }
                end,
                handle_subscribe = function(_, _, opts)
                    table.insert(seen, opts.opts.color)
                    return "manual"
                end,
                handle_events = print,
            }, { subscribe_to = { { to = producer, opts = { color = 1 } } } })
            assert.same({ 1, 2 }, seen)
        end)

        it("fails the start when its name is unknown", function()
            local consumer, message, reason = stagehost.start(Manual, { subscribe_to = { "nobody" } })
            assert.is_nil(consumer)
            assert.is_string(message)
            assert.equal("noproc", reason)
        end)
    end)
end)
