-- SPDX-License-Identifier: MIT

--- Producers that send their consumers on to others.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

-- Emits what it is cast; notes subscribers, their options and cancels.
local Source = stagehost.producer {
    init = function(self) self.log, self.opts, self.asked = {}, {}, 0 end,
    handle_demand = function(self, n) self.asked = self.asked + n end,
    handle_subscribe = function(self, _, opts)
        table.insert(self.log, "subscribe")
        table.insert(self.opts, opts)
    end,
    handle_cancel = function(self, reason) table.insert(self.log, "cancel " .. tostring(reason)) end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self, what) return self[what] end,
}

-- Redirects to what it was started with.
local Redirector = stagehost.producer {
    init = function(self, args)
        self.to, self.options, self.log = args.to, args.options, {}
    end,
    handle_demand = function() end,
    handle_subscribe = function(self)
        table.insert(self.log, "subscribe")
        return stagehost.redirect(self.to, self.options)
    end,
    handle_cancel = function(self, reason) table.insert(self.log, "cancel " .. tostring(reason)) end,
    handle_call = function(self) return self.log end,
}

-- Notes how many producers it has whenever that may have changed.
local callbacks = {
    init = function(self) self.got, self.log = {}, {} end,
    handle_subscribe = function(self, _, _, from)
        table.insert(self.log, { "subscribe", from.producer, stagehost.self():stats().producers })
    end,
    handle_cancel = function(self, reason, from)
        table.insert(self.log, { reason, from.producer, stagehost.self():stats().producers })
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
        end
    end,
    handle_call = function(self, what) return self[what] end,
}
local Keeper = stagehost.consumer(callbacks)

local function eventually(f)
    for _ = 1, 2000 do
        if f() then
            return
        end
        stagehost.sleep(1)
    end
    error("it never came to that", 2)
end

for _, worker in ipairs { 0, stagehost.workers() - 1 } do
    describe(("a redirection from worker %d"):format(worker), function()
        it("subscribes to all before it cancels, with the same options", function()
            local a, b = start(Source, { worker = worker }), start(Source)
            local redirector = start(Redirector, { args = { to = { a, b } }, worker = worker })
            local keeper = start(Keeper)
            assert(keeper:subscribe { to = redirector, max_demand = 7, opts = { color = "red" } }) -- permanent
            eventually(function() return #keeper:call("log") == 4 end)
            assert.same({
                { "subscribe", redirector, 1 },
                { "subscribe", a, 3 },
                { "subscribe", b, 3 },
                { "redirected", redirector, 2 },
            }, keeper:call("log"))
            assert.same({ { max_demand = 7, opts = { color = "red" } } }, a:call("opts"))
            assert.same({ { max_demand = 7, opts = { color = "red" } } }, b:call("opts"))
            eventually(function() return a:call("asked") == 7 and b:call("asked") == 7 end)
            a:cast { 1 }
            b:cast { 2 }
            eventually(function() return #keeper:call("got") == 2 end)
            assert.same({ "subscribe", "cancel redirected" }, redirector:call("log"))
            b:stop() -- the new ones are permanent, too
            assert.equal("normal", keeper:join())
        end)

        it("to a dead stage is reported as for a subscription", function()
            local dead = start(Source, { worker = worker })
            dead:stop()
            local redirector = start(Redirector, { args = { to = { dead } }, worker = worker })
            local lasting, ending = start(Keeper), start(Keeper)
            assert(lasting:subscribe { to = redirector, cancel = "temporary" })
            assert(ending:subscribe { to = redirector })
            assert.equal("noproc", ending:join())
            eventually(function() return #lasting:call("log") == 4 end)
            local reasons = {}
            for _, entry in ipairs(lasting:call("log")) do
                reasons[entry[1]] = entry[2]
            end
            assert.equal(dead, reasons.noproc)
            assert.equal(redirector, reasons.redirected)
        end)
    end)
end

describe("stagehost.redirect", function()
    it("takes names, and another cancel mode", function()
        local source = start(Source, { name = "redirect_target" })
        local args = { to = { "redirect_target" }, options = { cancel = "temporary" } }
        local redirector = start(Redirector, { args = args })
        local keeper = start(Keeper)
        assert(keeper:subscribe { to = redirector })
        eventually(function() return #keeper:call("log") == 3 end)
        source:stop()
        eventually(function() return #keeper:call("log") == 4 end)
        assert.is_true(keeper:is_alive())
    end)

    it("ends a permanent consumer when there is no such name", function()
        local redirector = start(Redirector, { args = { to = { "redirect_nobody" } } })
        local keeper = start(Keeper)
        keeper:async_subscribe { to = redirector }
        assert.equal("noproc", keeper:join())
    end)

    it("to nobody leaves the consumer without a producer, but alive", function()
        local redirector = start(Redirector, { args = { to = {} } })
        local keeper = start(Keeper)
        assert(keeper:subscribe { to = redirector })
        eventually(function() return #keeper:call("log") == 2 end)
        assert.is_true(keeper:is_alive())
        assert.equal(0, keeper:stats().producers)
    end)

    it("may lead to another redirection, but not in circles", function()
        local source = start(Source)
        local second = start(Redirector, { args = { to = { source } } })
        local first = start(Redirector, { args = { to = { second } } })
        local keeper = start(Keeper)
        assert(keeper:subscribe { to = first })
        eventually(function() return keeper:stats().producers == 1 and #keeper:call("log") == 5 end)
        source:cast { 1 }
        eventually(function() return #keeper:call("got") == 1 end)

        start(Redirector, { args = { to = { "redirect_circle" } }, name = "redirect_circle" })
        local circling = start(Keeper)
        circling:async_subscribe { to = "redirect_circle" }
        assert.equal("redirected_too_often", circling:join())
    end)

    it("works on a producer_consumer with selectors and partitions", function()
        local source = start(Source, { dispatcher = "broadcast" })
        local redirector = start(Redirector, { args = { to = { source } } })
        local middle = start(stagehost.producer_consumer { handle_events = function(_, events) return events end })
        local keeper = start(Keeper)
        assert(keeper:subscribe { to = middle, cancel = "temporary" })
        assert(middle:subscribe { to = redirector, selector = function(event) return event % 2 == 0 end })
        eventually(function() return #source:call("log") == 1 and source:call("asked") > 0 end)
        source:cast { 1, 2, 3, 4 }
        eventually(function() return #keeper:call("got") == 2 end)
        assert.same({ 2, 4 }, keeper:call("got"))
    end)

    it("comes to nothing when the consumer has left meanwhile", function()
        local source = start(Source)
        local Slow = stagehost.producer {
            init = function(self, to) self.to = to end,
            handle_demand = function() end,
            handle_subscribe = function(self)
                stagehost.sleep(10)
                return stagehost.redirect { self.to }
            end,
        }
        local slow = start(Slow, { args = source })
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe { to = slow })
        sub:unsubscribe("changed my mind")
        eventually(function() return #keeper:call("log") == 2 end)
        assert.same({}, source:call("log"))
        assert.is_true(keeper:is_alive())
    end)

    it("refuses what is no list of stages, and is for producers only", function()
        assert.error_matches(function() stagehost.redirect "x" end, "expected a list of stage handles or names")
        assert.error_matches(function() stagehost.redirect { 5 } end, "expected a stage handle or name at 1, got 5")
        assert.error_matches(function() stagehost.redirect({}, { cancel = "never" }) end,
            'option "cancel" must be one of')
        assert.error_matches(function() stagehost.redirect({}, { to = 1 }) end, 'unknown option "to"')
        local source = start(Source)
        local Wrong = stagehost.consumer {
            handle_subscribe = function() return stagehost.redirect {} end,
            handle_events = function() end,
        }
        local wrong = start(Wrong)
        wrong:async_subscribe { to = source }
        assert.matches("only producers can redirect", tostring(wrong:join()))
    end)
end)
