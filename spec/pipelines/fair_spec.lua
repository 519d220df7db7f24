-- SPDX-License-Identifier: MIT

--- The dispatcher "fair", end to end.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

--- Emits what it is cast.
local Source = stagehost.producer {
    handle_cast = function(_, events)
        return events
    end,
}

local function numbers(first, last)
    local list = {}
    for i = first, last do
        list[#list + 1] = i
    end
    return list
end

--- Keeps what it gets; asks for as many as it is cast.
local Sink = stagehost.consumer {
    init = function(self)
        self.events = {}
    end,
    handle_subscribe = function(self, _, _, from)
        self.from = from
        return "manual"
    end,
    handle_cast = function(self, n)
        stagehost.ask(self.from, n)
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
    end,
    handle_notification = function(self, message)
        table.insert(self.events, message)
    end,
    handle_call = function(self)
        return self.events
    end,
}

local function sink(to, n, options)
    local stage = start(Sink)
    options = options or {}
    options.to = to
    assert(stage:subscribe(options))
    if n > 0 then
        stage:cast(n)
        stage:call("sync") -- its ask is on its way
    end
    to:buffered() -- and there
    return stage
end

--- What the sinks have got once the source has handled everything.
local function events_of(source, ...)
    source:buffered()
    local all = {}
    for i, stage in ipairs { ... } do
        all[i] = stage:call("events")
    end
    return all
end

describe("the dispatcher fair", function()
    it("splits each emission by weight", function()
        local source = start(Source, { dispatcher = "fair" })
        local a, b = sink(source, 100, { weight = 3 }), sink(source, 100)
        source:cast(numbers(1, 8))
        assert.same({ { 1, 2, 3, 4, 5, 6 }, { 7, 8 } }, events_of(source, a, b))
        for i = 9, 12 do
            source:cast { i }
        end
        assert.same({ { 1, 2, 3, 4, 5, 6, 9, 11, 12 }, { 7, 8, 10 } }, events_of(source, a, b))
    end)

    it("serves higher priorities first, as far as they have asked", function()
        local source = start(Source, { dispatcher = { "fair" } })
        local low, high = sink(source, 10), sink(source, 2, { priority = 1 })
        source:cast(numbers(1, 5))
        assert.same({ { 3, 4, 5 }, { 1, 2 } }, events_of(source, low, high))
        high:cast(1)
        high:call("sync")
        source:cast(numbers(6, 7))
        assert.same({ { 3, 4, 5, 7 }, { 1, 2, 6 } }, events_of(source, low, high))
    end)

    it("keeps notifications in their place, gives the share of who leaves to the others", function()
        local source = start(Source, { dispatcher = "fair" })
        local a, b = sink(source, 3), sink(source, 3, { cancel = "temporary" })
        source:cast(numbers(1, 8)) -- 7 and 8 are buffered
        source:notify("mark")
        source:buffered()
        assert.same({ { 1, 2, 3 }, { 4, 5, 6 } }, events_of(source, a, b))
        b:kill()
        b:join()
        a:cast(5)
        a:call("sync")
        assert.same({ { 1, 2, 3, 7, 8, "mark" } }, events_of(source, a))
    end)

    it("shares among automatic consumers on several workers, each event once", function()
        local source = start(stagehost.source.list(numbers(1, 3000)), { dispatcher = "fair" })
        local Sum = stagehost.consumer {
            init = function(self, to) self.to, self.sum, self.last = to, 0, 0 end,
            handle_events = function(self, events)
                for _, event in ipairs(events) do
                    assert(event > self.last)
                    self.sum, self.last = self.sum + event, event
                end
            end,
            terminate = function(self) self.to:send(self.sum) end,
        }
        local Total = stagehost.process {
            init = function(self) self.sums = {} end,
            handle_info = function(self, sum)
                table.insert(self.sums, sum)
                if self.asker and #self.sums == 4 then
                    self.asker:reply(self.sums)
                end
            end,
            handle_call = function(self, _, from)
                if #self.sums == 4 then
                    return self.sums
                end
                self.asker = from
                return stagehost.noreply
            end,
        }
        local total = start(Total)
        source:demand("accumulate")
        for i = 1, 4 do
            local stage = start(Sum, { args = total, worker = (i - 1) % stagehost.workers() })
            assert(stage:subscribe { to = source, max_demand = 20, weight = i, priority = i % 2 })
        end
        source:demand("forward")
        local sum = 0
        for _, one in ipairs(total:call("sums", 20000)) do
            sum = sum + one
        end
        assert.equal(3000 * 3001 / 2, sum)
    end)

    it("refuses options it does not know", function()
        assert.has_error(function()
            stagehost.start(Source, { dispatcher = { "fair", weight = 2 } })
        end)
        local source = start(Source, { dispatcher = "fair" })
        local stage = start(Sink)
        for _, weight in ipairs { 0, 1.5, 1000001, "2" } do
            assert.has_error(function() stage:subscribe { to = source, weight = weight } end)
        end
        assert.has_error(function() stage:subscribe { to = source, priority = 0.5 } end)
    end)
end)
