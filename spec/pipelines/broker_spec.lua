-- SPDX-License-Identifier: MIT

--- Brokers: everybody ends up subscribed directly to everybody, whoever comes first.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

-- Emits what it is cast; counts its consumers.
local Source = stagehost.producer {
    init = function(self) self.consumers, self.opts = 0, {} end,
    handle_demand = function() end,
    handle_subscribe = function(self, _, opts)
        self.consumers = self.consumers + 1
        table.insert(self.opts, opts)
    end,
    handle_cancel = function(self) self.consumers = self.consumers - 1 end,
    handle_cast = function(_, events) return events end,
    handle_info = function() return stagehost.stop "crashed on purpose" end,
    handle_call = function(self, what) return self[what] end,
}

local Keeper = stagehost.consumer {
    init = function(self) self.got, self.from = {}, {} end,
    handle_events = function(self, events, from)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
            table.insert(self.from, from.producer)
        end
    end,
    handle_call = function(self, what)
        return what == "producers" and stagehost.self():stats().producers or self[what]
    end,
}

local function eventually(f)
    for _ = 1, 2000 do
        if f() then
            return
        end
        stagehost.sleep(1)
    end
    error("it never came to that", 2)
end

local function has_consumers(source, n)
    eventually(function() return source:call("consumers") == n end)
end

local function has_producers(keeper, n)
    eventually(function() return keeper:call("producers") == n end)
end

local function got(keeper)
    local list = keeper:call("got")
    table.sort(list)
    return list
end

for _, worker in ipairs { 0, stagehost.workers() - 1 } do
    describe(("a broker on worker %d"):format(worker), function()
        local broker

        before_each(function()
            broker = start(stagehost.broker { name = "spec_broker" }, { worker = worker })
        end)

        it("subscribes everybody to everybody, in whatever order they come", function()
            local keepers, sources = {}, {}
            for i = 1, 6 do
                keepers[i] = start(Keeper, { worker = i % stagehost.workers() })
                assert(keepers[i]:subscribe { to = "spec_broker", max_demand = i })
                sources[i] = start(Source, { dispatcher = "broadcast", worker = i % stagehost.workers() })
                assert(stagehost.broker_add(broker, sources[i]))
            end
            for i = 1, 6 do
                has_consumers(sources[i], 6)
                has_producers(keepers[i], 6)
                sources[i]:cast { i }
            end
            for i = 1, 6 do
                eventually(function() return #keepers[i]:call("got") == 6 end)
                assert.same({ 1, 2, 3, 4, 5, 6 }, got(keepers[i]))
            end
            for _, opts in ipairs(sources[6]:call("opts")) do
                assert.is_true(opts.max_demand >= 1 and opts.max_demand <= 6)
            end
        end)

        it("forgets producers that end or crash; their consumers stay", function()
            local keeper = start(Keeper)
            assert(keeper:subscribe { to = broker })
            local ending, crashing = start(Source), start(Source)
            assert(stagehost.broker_add(broker, ending))
            assert(stagehost.broker_add(broker, crashing))
            has_producers(keeper, 2)
            ending:stop()
            crashing:send "crash"
            crashing:join()
            has_producers(keeper, 0)
            eventually(function() return #stagehost.broker_members(broker).producers == 0 end)
            local later = start(Source)
            assert(stagehost.broker_add(broker, later))
            has_consumers(later, 1)
            later:cast { "still there" }
            eventually(function() return keeper:call("got")[1] end)
            assert.same({ "still there" }, keeper:call("got"))
            assert.equal(later, keeper:call("from")[1])
        end)

        it("forgets consumers that end", function()
            local source = start(Source)
            assert(stagehost.broker_add(broker, source))
            local keeper = start(Keeper)
            assert(keeper:subscribe { to = broker })
            has_consumers(source, 1)
            keeper:stop()
            has_consumers(source, 0)
            eventually(function() return #stagehost.broker_members(broker).consumers == 0 end)
            local other = start(Source)
            assert(stagehost.broker_add(broker, other))
            assert.equal(0, other:call("consumers"))
        end)

        it("lets producers and consumers leave alive", function()
            local sources, keepers = { start(Source), start(Source) }, { start(Keeper), start(Keeper) }
            for i = 1, 2 do
                assert(stagehost.broker_add(broker, sources[i]))
                assert(keepers[i]:subscribe { to = broker, cancel = "permanent" })
            end
            local direct = assert(keepers[1]:subscribe { to = sources[1], cancel = "permanent" })
            has_consumers(sources[1], 3)
            has_consumers(sources[2], 2)
            assert(stagehost.broker_remove(broker, sources[1]))
            has_consumers(sources[1], 1) -- the one that the broker has not made
            assert.equal(keepers[1], direct.consumer)
            assert(stagehost.broker_remove(broker, keepers[2]))
            has_consumers(sources[2], 1)
            assert.same({ producers = { sources[2] }, consumers = { keepers[1] } }, stagehost.broker_members(broker))
            assert.is_true(keepers[1]:is_alive() and keepers[2]:is_alive())
        end)

        it("lets stages join from their own callbacks", function()
            local keeper = start(Keeper)
            assert(keeper:subscribe { to = broker })
            local Joining = stagehost.producer {
                init = function(self) self.sent = false end,
                handle_info = function() assert(stagehost.broker_add("spec_broker")) end,
                handle_demand = function(self)
                    local events = not self.sent and { "hello" } or nil
                    self.sent = true
                    return events
                end,
            }
            start(Joining):send "join"
            eventually(function() return keeper:call("got")[1] end)
            assert.same({ "hello" }, keeper:call("got"))
        end)

        it("ends a consumer that wants to end with its producers", function()
            local source = start(Source)
            local keeper = start(Keeper)
            assert(keeper:subscribe { to = broker, cancel = "transient" })
            assert(stagehost.broker_add(broker, source))
            has_producers(keeper, 1)
            source:send "crash"
            assert.equal("crashed on purpose", keeper:join())
        end)

        it("leaves all as it is when it ends", function()
            local source, keeper = start(Source), start(Keeper)
            assert(stagehost.broker_add(broker, source))
            assert(keeper:subscribe { to = broker })
            has_consumers(source, 1)
            broker:stop()
            source:cast { 1 }
            eventually(function() return keeper:call("got")[1] end)
            assert.is_true(keeper:is_alive())
        end)
    end)
end

describe("a broker", function()
    it("takes a stage that does both, but not with itself", function()
        local broker = start(stagehost.broker())
        local middle = start(stagehost.producer_consumer { handle_events = function(_, events) return events end })
        local source, keeper = start(Source), start(Keeper)
        assert(middle:subscribe { to = broker })
        assert(stagehost.broker_add(broker, middle))
        assert(stagehost.broker_add(broker, middle)) -- once is enough
        assert(stagehost.broker_add(broker, source))
        assert(keeper:subscribe { to = middle })
        has_consumers(source, 1)
        source:cast { 1 }
        eventually(function() return keeper:call("got")[1] end)
        assert.equal(1, middle:stats().producers)
    end)

    it("works with partitions: each consumer keeps its own at every producer", function()
        local broker = start(stagehost.broker())
        local options = { dispatcher = { "partition", partitions = 2, hash = function(event) return event % 2 end } }
        local even, odd = start(Keeper), start(Keeper)
        assert(even:subscribe { to = broker, partition = 0 })
        assert(stagehost.broker_add(broker, start(Source, options)))
        assert(odd:subscribe { to = broker, partition = 1 })
        assert(stagehost.broker_add(broker, start(Source, options)))
        local producers = stagehost.broker_members(broker).producers
        for i, source in ipairs(producers) do
            has_consumers(source, 2)
            source:cast { 10 * i, 10 * i + 1 }
        end
        eventually(function() return #even:call("got") == 2 and #odd:call("got") == 2 end)
        assert.same({ 10, 20 }, got(even))
        assert.same({ 11, 21 }, got(odd))
    end)

    it("says what is wrong", function()
        assert.error_matches(function() stagehost.broker { strategy = "demand" } end,
            'unknown option "strategy" of a broker (known: "dispatcher", "name", "worker")', nil, true)
        local broker = start(stagehost.broker())
        local keeper = start(Keeper)
        local ok, message, reason = stagehost.broker_add(broker, keeper)
        assert.same({ nil, "the stage does not produce", "not_a_producer" }, { ok, message, reason })
        ok, message, reason = stagehost.broker_add("spec_no_broker", keeper)
        assert.same({ nil, 'no stage has the name "spec_no_broker"', "noproc" }, { ok, message, reason })
        assert.error_matches(function() stagehost.broker_add(5) end,
            "expected the handle or the name of a broker, got 5")
        assert.error_matches(function() stagehost.broker_add(broker, "x") end, "expected a stage handle")
    end)
end)
