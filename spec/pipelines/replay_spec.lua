-- SPDX-License-Identifier: MIT

--- { "broadcast", replay = n }, end to end.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

--- Emits what it is cast.
local Source = stagehost.producer {
    handle_cast = function(_, events) return events end,
}

--- Keeps what it gets; tells that when it is so many.
local Sink = stagehost.consumer {
    init = function(self) self.events = {} end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
        self:answer()
    end,
    answer = function(self)
        if self.asker and #self.events >= self.wanted then
            self.asker:reply(self.events)
            self.asker = nil
        end
    end,
    handle_notification = function(self, message)
        table.insert(self.events, message)
        self:answer()
    end,
    handle_call = function(self, n, from)
        self.asker, self.wanted = from, n
        self:answer()
        return stagehost.noreply
    end,
}

--- Asks for as many as it is cast.
local Manual = stagehost.consumer {
    init = function(self) self.events = {} end,
    handle_subscribe = function(self, _, _, from)
        self.from = from
        return "manual"
    end,
    handle_cast = function(self, n) stagehost.ask(self.from, n) end,
    handle_events = Sink.handle_events,
    answer = Sink.answer,
    handle_notification = Sink.handle_notification,
    handle_call = Sink.handle_call,
}

local function sink(source, def, options, start_options)
    local stage = start(def, start_options)
    options = options or {}
    options.to = source
    assert(stage:subscribe(options))
    return stage
end

local function numbers(first, last)
    local list = {}
    for i = first, last do
        list[#list + 1] = i
    end
    return list
end

describe("a broadcast with replay", function()
    it("gives a late subscriber the last events first", function()
        local source = start(Source, { dispatcher = { "broadcast", replay = 4 } })
        local a = sink(source, Sink)
        source:cast(numbers(1, 5))
        source:cast(numbers(6, 10))
        assert.same(numbers(1, 10), a:call(10))
        local b = sink(source, Sink)
        local c = sink(source, Sink, { selector = function(n) return n % 2 == 0 end, max_demand = 1 })
        source:cast(numbers(11, 14))
        assert.same(numbers(7, 14), b:call(8))
        assert.same({ 8, 10, 12, 14 }, c:call(4))
        assert.same(numbers(1, 14), a:call(14))
    end)

    it("lets the others go on when it has caught up, or has left", function()
        local source = start(Source, { dispatcher = { "broadcast", replay = 3 } })
        local a = sink(source, Sink)
        source:cast(numbers(1, 3))
        a:call(3)
        local late = sink(source, Manual, { cancel = "temporary" })
        source:cast { 4 }
        late:cast(2)
        assert.same({ 1, 2 }, late:call(2))
        assert.equal(1, source:buffered()) -- 4 waits until late has got 3 and asks for more
        late:cast(2)
        assert.same({ 1, 2, 3, 4 }, late:call(4))
        assert.same({ 1, 2, 3, 4 }, a:call(4))
        local gone = sink(source, Manual, { cancel = "temporary" })
        source:cast { 5 }
        gone:kill()
        gone:join()
        late:cast(1)
        assert.same({ 1, 2, 3, 4, 5 }, a:call(5))
    end)

    it("keeps notifications behind what is replayed, and replays none", function()
        local source = start(Source, { dispatcher = { "broadcast", replay = 3 } })
        local a = sink(source, Sink)
        source:cast { 1, 2 }
        source:notify "old"
        assert.same({ 1, 2, "old" }, a:call(3))
        local late = sink(source, Manual)
        source:buffered()
        source:notify "new"
        assert.same({ 1, 2, "old", "new" }, a:call(4))
        late:cast(2)
        assert.same({ 1, 2, "new" }, late:call(3))
    end)

    it("lets a newcomer catch up before its producer ends", function()
        local source = start(Source, { dispatcher = { "broadcast", replay = 3 } })
        local a = sink(source, Sink)
        source:cast { 1, 2 }
        a:call(2)
        local late = sink(source, Manual, { cancel = "temporary" })
        source:buffered()
        local stopper = start(stagehost.process { handle_cast = function() source:stop("normal") end })
        stopper:cast "stop it"
        late:cast(1)
        assert.same({ 1 }, late:call(1))
        assert.is_true(source:is_alive())
        late:cast(1)
        assert.same({ 1, 2 }, late:call(2))
        assert.equal("normal", source:join())
        assert.equal(0, source:stats().unfinished)
    end)

    it("works across workers", function()
        local worker = stagehost.workers() - 1
        local source = start(Source, { dispatcher = { "broadcast", replay = 100 } })
        local a = sink(source, Sink, { max_demand = 7 })
        source:cast(numbers(1, 300))
        a:call(300)
        local b = sink(source, Sink, { max_demand = 5 }, { worker = worker })
        source:cast(numbers(301, 400))
        assert.same(numbers(201, 400), b:call(200))
        assert.same(numbers(1, 400), a:call(400))
    end)
end)
