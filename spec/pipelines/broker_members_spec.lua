-- SPDX-License-Identifier: MIT

--- Brokers: unknown requests, notifications, brokers that come twice or again, and dispatchers.
local crashing = require "spec.support.crashing"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local await, start = crashing.await, stages.start
local numbers = stages.numbers

after_each(stages.stop_all)

local Source = stagehost.producer {
    init = function(self) self.consumers = 0 end,
    handle_demand = function() end,
    handle_subscribe = function(self) self.consumers = self.consumers + 1 end,
    handle_cancel = function(self) self.consumers = self.consumers - 1 end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self, what)
        return what == "subscribed" and stagehost.self():stats().consumers or self[what]
    end,
}

local Keeper = stagehost.consumer {
    init = function(self) self.got, self.told = {}, {} end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
        end
    end,
    handle_notification = function(self, message, from)
        table.insert(self.told, message)
        self.teller = from.producer
    end,
    handle_call = function(self, what)
        return what == "producers" and stagehost.self():stats().producers or self[what]
    end,
}

local Pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }

local function has(stage, what, n)
    await(function() return stage:call(what) == n end)
end

local function got(keeper, n)
    await(function() return #keeper:call "got" >= n end)
    local list = keeper:call "got"
    table.sort(list)
    return list
end

--- After a call that is answered behind all that the broker did before, nothing was doubled.
local function settled(broker, ...)
    assert(stagehost.broker_members(broker))
    for _, stage in ipairs { ... } do
        stage:call "got"
    end
end

local other = stagehost.workers() - 1

describe("a broker that is asked what it does not know", function()
    it("answers nil, and lives on", function()
        local broker = start(stagehost.broker(), { worker = other })
        for _, request in ipairs { "hello", 5, { "add", "me" }, { kind = "broker", request = "ad" } } do
            assert.is_nil((broker:call(request)))
        end
        broker:cast "hello"
        broker:send "hello"
        assert.same({ producers = {}, consumers = {} }, stagehost.broker_members(broker))
    end)

    it("says that the name of its hub is taken", function()
        start(Keeper, { name = "members of another.hub" })
        local broker, message = stagehost.start(stagehost.broker { name = "members of another" })
        assert.is_nil(broker)
        assert.is_truthy(message:find('the name "members of another.hub" is taken: ', 1, true), message)
    end)
end)

describe("broker:notify", function()
    it("tells every consumer once, whatever it is subscribed to", function()
        local broker = start(stagehost.broker(), { worker = other })
        local sources, keepers = {}, {}
        for i = 1, 3 do
            keepers[i] = start(Keeper, { worker = i % stagehost.workers() })
            assert(keepers[i]:subscribe { to = broker })
        end
        local through, behind = start(Pass), start(Keeper)
        assert(through:subscribe { to = broker })
        assert(behind:subscribe { to = through })
        await(function() return #stagehost.broker_members(broker).consumers == 4 end)
        broker:notify "nobody produces"
        for i = 1, 2 do
            sources[i] = start(Source)
            assert(stagehost.broker_add(broker, sources[i]))
            has(sources[i], "consumers", 4)
        end
        broker:notify { "two do" }
        table.insert(keepers, behind)
        for _, keeper in ipairs(keepers) do
            await(function() return #keeper:call "told" == 2 end)
            assert.same({ "nobody produces", { "two do" } }, keeper:call "told")
        end
        assert.equal(broker, keepers[1]:call "teller")
    end)

    it("goes with the events where they pass through it", function()
        local broker = start(stagehost.broker { dispatcher = "broadcast" })
        local keepers = { start(Keeper), start(Keeper, { worker = other }) }
        for i, keeper in ipairs(keepers) do
            assert(keeper:subscribe { to = broker })
            has(keeper, "producers", 1)
            await(function() return #stagehost.broker_members(broker).consumers == i end)
        end
        await(function()
            broker:notify "again"
            return #keepers[1]:call "told" > 0 and #keepers[2]:call "told" > 0
        end)
    end)
end)

describe("two brokers", function()
    it("with the same members subscribe them once, until both have let go", function()
        local a, b = start(stagehost.broker()), start(stagehost.broker(), { worker = other })
        local source, keeper = start(Source), start(Keeper, { worker = other })
        for _, broker in ipairs { a, b } do
            assert(stagehost.broker_add(broker, source))
            assert(keeper:subscribe { to = broker })
            await(function() return #stagehost.broker_members(broker).consumers == 1 end)
        end
        has(source, "consumers", 1)
        settled(a, keeper)
        settled(b, keeper)
        assert.equal(1, source:call "consumers")
        source:cast { 1, 2 }
        assert.same({ 1, 2 }, got(keeper, 2))
        assert(stagehost.broker_remove(a, keeper))
        settled(a, keeper)
        source:cast { 3 }
        assert.same({ 1, 2, 3 }, got(keeper, 3))
        assert(stagehost.broker_remove(b, source))
        has(source, "consumers", 0)
    end)

    it("subscribe one consumer to several partitions", function()
        local a, b = start(stagehost.broker()), start(stagehost.broker())
        local source = start(Source, {
            dispatcher = { "partition", partitions = 2, hash = function(event) return event % 2 end },
        })
        local keeper = start(Keeper)
        for _, broker in ipairs { a, b } do
            assert(stagehost.broker_add(broker, source))
            for partition = 0, 1 do
                assert(keeper:subscribe { to = broker, partition = partition })
            end
            await(function() return #stagehost.broker_members(broker).consumers == 2 end)
        end
        has(source, "consumers", 2)
        source:cast { 1, 2, 3, 4 }
        assert.same({ 1, 2, 3, 4 }, got(keeper, 4))
    end)
end)

for _, dispatcher in ipairs { "none", "fair" } do
    describe("a broker that is restarted (dispatcher " .. dispatcher .. ")", function()
        local function options()
            return { name = "spec_restarted", dispatcher = dispatcher ~= "none" and dispatcher or nil }
        end

        it("finds its members again, and doubles nothing", function()
            local supervisor = start(stagehost.supervisor {
                children = { { id = "hub", start = stagehost.broker(options()), restart = "permanent" } },
            })
            local source, keeper = start(Source), start(Keeper, { worker = other })
            assert(stagehost.broker_add("spec_restarted", source))
            assert(keeper:subscribe { to = "spec_restarted" })
            has(keeper, "producers", 1)
            has(source, "consumers", 1)
            for i = 1, 3 do
                local old = stagehost.whereis "spec_restarted"
                old:kill()
                old:join()
                await(function()
                    local broker = stagehost.whereis "spec_restarted"
                    return broker and broker ~= old and stagehost.broker_members(broker)
                end)
                assert.same({ producers = { source }, consumers = { keeper } },
                    stagehost.broker_members "spec_restarted")
                settled("spec_restarted", keeper)
                source:cast(numbers(i, i))
                assert.same(numbers(1, i), got(keeper, i))
                assert.equal(1, source:call "consumers")
                assert.equal(1, keeper:call "producers")
            end
            local later = start(Source)
            assert(stagehost.broker_add("spec_restarted", later))
            has(later, "consumers", 1)
            assert(stagehost.broker_remove("spec_restarted", source))
            has(source, "consumers", 0)
            supervisor:stop()
        end)

        it("knows nobody who has ended in the meantime, and nothing stays behind", function()
            local broker = start(stagehost.broker(options()))
            local source, keeper = start(Source), start(Keeper)
            assert(stagehost.broker_add(broker, source))
            assert(keeper:subscribe { to = broker })
            has(source, "consumers", 1)
            stages.stop(broker, source)
            broker = start(stagehost.broker(options()))
            await(function() return #stagehost.broker_members(broker).producers == 0 end)
            assert.same({ keeper }, stagehost.broker_members(broker).consumers)
            stages.stop(broker, keeper)
            await(function() return not stagehost.whereis "spec_restarted.hub" end)
        end)
    end)
end

describe("a broker with a dispatcher", function()
    local function connect(dispatcher, n, opts)
        local broker = start(stagehost.broker { dispatcher = dispatcher }, { worker = other })
        local keepers = {}
        for i = 1, n do
            keepers[i] = start(Keeper, { worker = i % stagehost.workers() })
            assert(keepers[i]:subscribe(opts and opts(i, broker) or { to = broker, max_demand = 10 }))
            has(keepers[i], "producers", 1)
        end
        local sources = {}
        for i = 1, 2 do
            sources[i] = start(Source)
            assert(stagehost.broker_add(broker, sources[i]))
            has(sources[i], "consumers", 1)
        end
        return broker, sources, keepers
    end

    local function all(keepers, n)
        local list
        await(function()
            list = {}
            for _, keeper in ipairs(keepers) do
                for _, event in ipairs(keeper:call "got") do
                    table.insert(list, event)
                end
            end
            return #list >= n
        end)
        table.sort(list)
        return list
    end

    it("spreads the events of all producers by demand, or fairly", function()
        for _, dispatcher in ipairs { "demand", "fair" } do
            local _, sources, keepers = connect(dispatcher, 2)
            sources[1]:cast(numbers(1, 50))
            sources[2]:cast(numbers(51, 100))
            assert.same(numbers(1, 100), all(keepers, 100))
            assert.is_true(#keepers[1]:call "got" > 0 and #keepers[2]:call "got" > 0)
        end
    end)

    it("broadcasts them", function()
        local _, sources, keepers = connect({ "broadcast" }, 3, function(_, broker) return { to = broker } end)
        sources[1]:cast(numbers(1, 5))
        sources[2]:cast(numbers(6, 10))
        for _, keeper in ipairs(keepers) do
            assert.same(numbers(1, 10), got(keeper, 10))
        end
    end)

    it("puts them into partitions", function()
        local dispatcher = { "partition", partitions = 2, hash = function(event) return event % 2 end }
        local _, sources, keepers = connect(dispatcher, 2, function(i, broker)
            return { to = broker, partition = i - 1 }
        end)
        sources[1]:cast(numbers(1, 4))
        sources[2]:cast(numbers(5, 8))
        assert.same({ 2, 4, 6, 8 }, got(keepers[1], 4))
        assert.same({ 1, 3, 5, 7 }, got(keepers[2], 4))
    end)

    it("goes on when the stage that the events pass through is lost", function()
        local broker = start(stagehost.broker { name = "spec_losing", dispatcher = "demand" })
        local source, keeper = start(Source), start(Keeper)
        assert(keeper:subscribe { to = broker })
        assert(stagehost.broker_add(broker, source))
        has(source, "consumers", 1)
        stages.stop(stagehost.whereis "spec_losing.hub")
        await(function()
            return stagehost.whereis "spec_losing.hub" and source:call "subscribed" == 1
                and keeper:call "producers" == 1
        end)
        source:cast { 1 }
        assert.same({ 1 }, got(keeper, 1))
    end)

    it("refuses a stage that would get its own events, and what is no dispatcher", function()
        local broker = start(stagehost.broker { dispatcher = "demand" })
        local through = start(Pass)
        assert(through:subscribe { to = broker })
        await(function() return #stagehost.broker_members(broker).consumers == 1 end)
        assert.equal("is_a_consumer", select(3, stagehost.broker_add(broker, through)))
        assert.error_matches(function() stagehost.broker { dispatcher = "random" } end, 'option "dispatcher" must be')
    end)
end)
