-- SPDX-License-Identifier: MIT

--- stagehost.zip, end to end.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

--- Emits what it is cast; ends when it is cast "end", fails when it is cast "fail".
local Source = stagehost.producer {
    init = function(self) self.asked = 0 end,
    handle_demand = function(self, n) self.asked = self.asked + n end,
    handle_cast = function(_, events)
        if events == "end" then
            return stagehost.stop("normal")
        elseif events == "fail" then
            error("source failed")
        end
        return events
    end,
    handle_call = function(self) return self.asked end,
}

--- Keeps what it gets; tells that, or at its end.
local Sink = stagehost.consumer {
    init = function(self) self.events = {} end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
        if self.asker and #self.events >= self.wanted then
            self.asker:reply(self.events)
            self.asker = nil
        end
    end,
    handle_call = function(self, n, from)
        if n == "end" or #self.events < n then
            self.asker, self.wanted = from, n == "end" and math.huge or n
            return stagehost.noreply
        end
        return self.events
    end,
    terminate = function(self)
        if self.asker then
            self.asker:reply(self.events)
        end
    end,
}

local function sink_of(zip, options)
    local sink = start(Sink)
    options = options or {}
    options.to = zip
    assert(sink:subscribe(options))
    return sink
end

--- A zip of n new sources, and a sink.
local function zip_of(n, options, sub)
    local sources, list = {}, {}
    for i = 1, n do
        sources[i] = start(Source)
        local entry = { to = sources[i] }
        for key, value in pairs(sub or {}) do
            entry[key] = value
        end
        list[i] = entry
    end
    options = options or {}
    options.subscribe_to = list
    local zip = start(stagehost.zip(options))
    return zip, sources, sink_of(zip)
end

local function wait_asked(source, n)
    for _ = 1, 2000 do
        if source:call("asked") >= n then
            return source:call("asked")
        end
        stagehost.sleep(1)
    end
    error("not asked for " .. n)
end

describe("zip", function()
    it("emits one of each in order, however they come", function()
        local _, sources, sink = zip_of(2)
        sources[1]:cast { "a", "b", "c" }
        sources[2]:cast { 1 }
        assert.same({ { "a", 1 } }, sink:call(1))
        sources[2]:cast { 2, 3, 4, 5 }
        assert.same({ { "a", 1 }, { "b", 2 }, { "c", 3 } }, sink:call(3))
        sources[1]:cast { "d", "e" }
        assert.same({ "e", 5 }, sink:call(5)[5])
    end)

    it("takes any number of sides", function()
        local _, sources, sink = zip_of(4)
        for i = 1, 4 do
            for k = 1, 3 do
                sources[i]:cast { k * 10 + i }
            end
        end
        assert.same({ { 11, 12, 13, 14 }, { 21, 22, 23, 24 }, { 31, 32, 33, 34 } }, sink:call(3))
    end)

    it("does not let a fast side run ahead", function()
        local _, sources, sink = zip_of(2, nil, { max_demand = 10, min_demand = 5 })
        local events = {}
        for i = 1, 10 do
            events[i] = i
        end
        assert.equal(10, wait_asked(sources[1], 10))
        sources[1]:cast(events)
        sources[1]:call("sync")
        sources[2]:cast { "x", "y", "z", "u" }
        sink:call(4)
        assert.equal(10, sources[1]:call("asked"))
        sources[2]:cast { "v" }
        sink:call(5)
        assert.equal(15, wait_asked(sources[1], 15))
        assert.equal(15, wait_asked(sources[2], 15))
    end)

    it("ends when a side has ended and is used up, and counts what others had left", function()
        local zip, sources, sink = zip_of(2)
        sources[1]:cast { 1, 2 }
        sources[1]:cast "end"
        sources[1]:join()
        sources[2]:cast { "a" }
        assert.same({ { 1, "a" } }, sink:call(1))
        assert.is_true(zip:is_alive())
        sources[2]:cast { "b", "c", "d" }
        assert.equal("normal", zip:join())
        local stats = zip:stats()
        assert.equal(2, stats.discarded_stopped)
        assert.equal(0, stats.unfinished)
        assert.equal(6, stats.events_in)
        assert.equal(2, stats.events_out)
    end)

    it("ends at once with an ended side that is empty, whatever its cancel mode", function()
        for _, cancel in ipairs { "permanent", "transient", "temporary" } do
            local zip, sources = zip_of(3, nil, { cancel = cancel })
            sources[1]:cast { 1, 2 }
            sources[2]:cast "end"
            assert.equal("normal", zip:join())
            assert.equal(2, zip:stats().discarded_stopped)
        end
    end)

    it("crashes with a side as its cancel mode says", function()
        local zip, sources = zip_of(2)
        sources[2]:cast { "x" }
        sources[2]:call("sync")
        sources[1]:cast "fail"
        assert.matches("source failed", tostring(zip:join()))
        zip, sources = zip_of(2, nil, { cancel = "temporary" })
        sources[1]:cast "fail"
        assert.equal("normal", zip:join())
    end)

    it("waits for as many sides as it is told, and takes no more later", function()
        local a, b, c = start(Source), start(Source), start(Source)
        local zip = start(stagehost.zip { sides = 3 })
        local sink = sink_of(zip, { cancel = "temporary" })
        zip:subscribe { to = a }
        zip:subscribe { to = b }
        a:cast { 1 }
        b:cast { 2 }
        a:call("sync")
        b:call("sync")
        c:cast { 3 }
        zip:subscribe { to = c }
        assert.same({ { 1, 2, 3 } }, sink:call(1))
        zip:async_subscribe { to = start(Source) }
        assert.matches("give the option sides = 4", tostring(zip:join()))
    end)

    it("is drained when its producers stop", function()
        local zip, sources, sink = zip_of(2)
        sources[1]:cast { 1, 2, 3 }
        sources[2]:cast { 4, 5, 6 }
        sink:call(3)
        sources[1]:stop("shutdown")
        assert.equal("normal", zip:join())
    end)

    it("gives the same on any worker, by any demand", function()
        local worker = stagehost.workers() - 1
        for seed = 1, 20 do
            math.randomseed(seed)
            local lists, subscriptions, shortest = {}, {}, math.huge
            for s = 1, math.random(2, 4) do
                lists[s] = {}
                for i = 1, math.random(0, 300) do
                    lists[s][i] = { s, i }
                end
                shortest = math.min(shortest, #lists[s])
                local max = math.random(1, 40)
                local source = start(stagehost.source.list(lists[s]), {
                    worker = s % 2 == 0 and worker or 0, demand = "accumulate",
                })
                subscriptions[s] = { to = source, max_demand = max, min_demand = math.random(0, max - 1) }
            end
            local zip = start(stagehost.zip { subscribe_to = subscriptions },
                { worker = seed % 2 == 0 and worker or 0 })
            local sink = start(Sink, { subscribe_to = { { to = zip, max_demand = math.random(1, 50) } } })
            for _, subscription in ipairs(subscriptions) do
                subscription.to:demand("forward")
            end
            local got = sink:call("end", 20000) or {}
            assert.equal(shortest, #got)
            for i, tuple in ipairs(got) do
                assert.equal(#lists, #tuple)
                for s, event in ipairs(tuple) do
                    assert.same({ s, i }, event)
                end
            end
            assert.equal("normal", zip:join())
        end
    end)

    it("refuses options it does not know", function()
        assert.error_matches(function() stagehost.zip { side = 2 } end, 'unknown option "side" of zip')
        assert.error_matches(function() stagehost.zip { sides = 1 } end, 'option "sides" must be at least 2')
        assert.error_matches(function() stagehost.zip "x" end, "must be a table of options")
    end)
end)
