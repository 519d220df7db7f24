-- SPDX-License-Identifier: MIT

--- The option `combine` of the partition dispatcher: what comes out of it and when, the demand of both sides, the
--- counters.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start, numbers = stages.start, stages.numbers
local Sink = stages.Sink

after_each(stages.stop_all)

-- Events that begin and end an accumulator are seen in the sums: { "sum", n, total }.
local function sums(more)
    local combine = {
        init = function() return { n = 0, total = 0 } end,
        add = function(acc, event)
            acc.n, acc.total = acc.n + 1, acc.total + event
            return acc
        end,
        emit = function(acc) return { ("%d: %d"):format(acc.n, acc.total) } end,
    }
    for key, value in pairs(more or {}) do
        combine[key] = value
    end
    return combine
end

local function partition(combine, options)
    options = options or {}
    options.dispatcher = { "partition", partitions = 1, combine = combine }
    return options
end

--- Emits what it is cast, keeps the demand that it is told of.
local Source = stagehost.producer {
    init = function(self) self.asked = {} end,
    handle_demand = function(self, n) table.insert(self.asked, n) end,
    handle_cast = function(_, events)
        if events[1] == "stop" then
            return stagehost.stop("normal", { unpack(events, 2) })
        end
        return events
    end,
    handle_call = function(self) return self.asked end,
}

local Pass = stagehost.producer_consumer {
    handle_events = function(_, events) return events end,
    handle_call = function() return "here" end,
}

local function wait_until(done)
    for _ = 1, 4000 do
        if done() then
            return
        end
        stagehost.sleep(1)
    end
    error "waited in vain"
end

local function sink(from, n)
    local stage = start(Sink)
    assert(stage:subscribe { to = from, partition = 0, cancel = "temporary" })
    stage:call()
    if n then
        stage:cast(n)
        stage:call()
    end
    from:call()
    return stage
end

local function emit(from, events)
    from:cast(events)
    return from:call()
end

describe("combine", function()
    it("emits after every n events, in the middle of a batch, too", function()
        local p = start(Source, partition(sums { every = 4 }))
        local s = sink(p, 100)
        emit(p, numbers(1, 3))
        assert.same({}, s:call())
        emit(p, numbers(4, 10))
        assert.same({ "4: 10", "4: 26" }, s:call())
        emit(p, { 11, 12 })
        assert.same({ "4: 10", "4: 26", "4: 42" }, s:call())
        local stats = p:stats()
        assert.equal(9, stats.combined)
        assert.equal(3, stats.events_out)
        assert.equal(0, stats.buffered)
    end)

    it("adds to nil without init, and may emit nothing or a packed list", function()
        local list = {}
        local p = start(Source, partition {
            every = 2,
            add = function(acc, event) return (acc or "") .. event end,
            emit = function(acc)
                table.insert(list, acc)
                return #list > 1 and require("stagehost.core").pack { acc, "x" } or nil
            end,
        })
        local s = sink(p, 10)
        emit(p, { "a", "b" })
        emit(p, { "c", "d" })
        assert.same({ "cd", "x" }, s:call())
        assert.equal(2, p:stats().combined)
    end)

    it("takes packed lists", function()
        local lines = stagehost.producer {
            handle_demand = function() end,
            handle_cast = function(_, events) return require("stagehost.core").pack(events) end,
            handle_call = function() return "here" end,
        }
        local p = start(lines, partition {
            every = 3, add = function(acc, event) return (acc or "") .. event end,
            emit = function(acc) return { acc } end,
        })
        local s = sink(p, 10)
        emit(p, { "a", "b" })
        emit(p, { "c", "d", "e", "f", "g" })
        assert.same({ "abc", "def" }, s:call())
    end)

    it("emits before a notification and an info, and when the producer ends", function()
        local p = start(Source, partition(sums()))
        local s = sink(p, 100)
        emit(p, { 1, 2 })
        p:notify "first"
        p:notify "second"
        emit(p, { 3 })
        p:call()
        p:sync_info "info"
        p:cast { "stop", 4, 5 }
        p:join()
        assert.same({ "2: 3", "first", "second", "1: 3", "2: 9" }, s:call())
    end)

    it("emits after a time, which begins with the first event", function()
        local p = start(Source, partition(sums { every_ms = 20 }))
        local s = sink(p, 100)
        for i = 1, 3 do
            emit(p, { i })
            wait_until(function() return #s:call() == i end)
        end
        assert.same({ "1: 1", "1: 2", "1: 3" }, s:call())
    end)

    it("emits when a producer_consumer has ended, after handle_end", function()
        local feed = start(Source)
        local p = start(stagehost.producer_consumer {
            handle_events = function(_, events) return events end,
            handle_call = function() return "here" end,
            handle_end = function() return { 100 } end,
        }, partition(sums(), { subscribe_to = feed }))
        local s = sink(p, 1)
        feed:cast { "stop", 1, 2, 3 }
        p:join()
        assert.same({ "4: 106" }, s:call())
    end)

    it("asks again for as many events as it has absorbed, until the consumers have what they want", function()
        local p = start(Source, partition(sums { every = 4 }))
        local s = sink(p, 2)
        assert.same({ 2, 1 }, emit(p, { 1 }))
        assert.same({ 2, 1, 2 }, emit(p, { 1, 1 }))
        -- Emits one: one is still wanted, and one was asked for above it.
        assert.same({ 2, 1, 2 }, emit(p, { 1 }))
        assert.same({ "4: 4" }, s:call())
        emit(p, numbers(1, 16))
        assert.same({ "4: 4", "4: 10" }, s:call())
        assert.equal(3, p:stats().buffered)
        local asked = p:call()
        emit(p, { 1, 1, 1, 1 })
        assert.same(asked, p:call()) -- nobody wants any
        s:cast(3)
        assert.equal(5, #s:call())
        assert.equal(1, p:stats().buffered)
        assert.same(asked, p:call())
        s:cast(2)
        s:call()
        local now = p:call()
        assert.equal(1, now[#now])
        assert.equal(0, p:stats().buffered)
    end)

    it("goes on asking upstream for a producer_consumer whose results it absorbs", function()
        local n = 0
        local feed = start(stagehost.producer {
            handle_demand = function(_, demand)
                local events = {}
                for i = 1, math.min(demand, 2000 - n) do
                    events[i] = 1
                end
                n = n + #events
                return n < 2000 and events or stagehost.stop("normal", events)
            end,
        })
        local p = start(Pass, partition(sums { every = 1000 }, { subscribe_to = { feed, max_demand = 10 } }))
        local s = sink(p, 1)
        wait_until(function() return p:stats().events_out == 1 end)
        assert.same({ "1000: 1000" }, s:call())
        s:cast(1)
        p:join()
        assert.same({ "1000: 1000", "1000: 1000" }, s:call())
    end)

    it("buffers what nobody has asked for, and drops nothing by default", function()
        local p = start(Source, partition {
            every = 1, add = function() return true end, emit = function() return numbers(1, 50000) end,
        })
        local s = sink(p, 1)
        emit(p, { "go" })
        assert.same({ 1 }, s:call())
        assert.equal(49999, p:stats().buffered)
        assert.equal(1 - 50000, p:stats().combined)
    end)

    it("counts what is in the accumulator as held, and as unfinished after a kill", function()
        local p = start(Source, partition(sums()))
        sink(p, 9)
        emit(p, { 1, 2, 3 })
        assert.equal(3, p:stats().buffered)
        p:kill()
        p:join()
        assert.equal(3, p:stats().unfinished)
        assert.equal(0, p:stats().combined)
    end)

    it("also works in demand mode accumulate", function()
        local p = start(Source, partition(sums { every = 2 }, { demand = "accumulate" }))
        local s = sink(p, 10)
        emit(p, { 1, 2, 3 })
        assert.same({}, s:call())
        p:demand "forward"
        emit(p, { 4 })
        assert.same({ "2: 3", "2: 7" }, s:call())
    end)

    it("gives the same counts as the plain events do, for any sizes", function()
        local words = {}
        for i = 1, 3000 do
            words[i] = "w" .. (i * i) % 97
        end
        local function count(every)
            local combine = every and {
                every = every,
                init = function() return {} end,
                add = function(acc, word)
                    acc[word] = (acc[word] or 0) + 1
                    return acc
                end,
                emit = function(acc)
                    local list = {}
                    for word, n in pairs(acc) do
                        table.insert(list, { word = word, n = n })
                    end
                    return list
                end,
            }
            local source = start(stagehost.source.list(words), {
                dispatcher = { "partition", partitions = 3, combine = combine, hash = every and "word" or nil },
            })
            local result, sinks = {}, {}
            for p = 0, 2 do
                sinks[p] = start(stagehost.consumer {
                    init = function(self) self.counts = {} end,
                    handle_events = function(self, events)
                        for _, event in ipairs(events) do
                            local word, n = event, 1
                            if type(event) == "table" then
                                word, n = event.word, event.n
                            end
                            self.counts[word] = (self.counts[word] or 0) + n
                        end
                    end,
                    handle_call = function(self) return self.counts end,
                }, {
                    worker = stagehost.workers() > 1 and p % 2 or nil,
                    subscribe_to = { source, partition = p, max_demand = 7, cancel = "temporary" },
                })
            end
            source:join()
            for p = 0, 2 do
                for word, n in pairs(sinks[p]:call()) do
                    assert.is_nil(result[word]) -- one partition for a word
                    result[word] = n
                end
            end
            return result
        end
        local expected = count(nil)
        for _, every in ipairs { 1, 2, 10, 999, 3000, 10000 } do
            assert.same(expected, count(every))
        end
    end)
end)

describe("a function of combine that fails", function()
    --- How a stage ends after events, and after what they do with it.
    local function failure(combine, ending)
        local p = start(Source, partition(combine, { supervised = true }))
        sink(p, 5)
        p:cast(ending or { 1, 2, 3 })
        local reason = p:join()
        return reason, p:stats()
    end

    it("ends the stage with its name and a traceback", function()
        local reason, stats = failure(sums { add = function() error "no sum" end })
        assert.matches("no sum", reason.message)
        assert.equal("combine.add", reason.callback)
        assert.matches("combine_spec.lua:%d+: in function", reason.traceback)
        assert.equal(3, stats.unfinished)
        reason = failure(sums { every = 3, emit = function() error "no result" end })
        assert.matches("no result", reason.message)
        assert.equal("combine.emit", reason.callback)
        reason = failure(sums { init = function() error "no start" end })
        assert.equal("combine.init", reason.callback)
    end)

    it("ends the stage that ends, too", function()
        local reason, stats = failure(sums { emit = function() error "no result" end }, { "stop", 1, 2 })
        assert.equal("combine.emit", reason.callback)
        assert.equal(2, stats.unfinished)
    end)

    it("says what it must return", function()
        local function says(combine)
            return failure(combine).message
        end
        assert.matches("nil for event 2 of 3: it must return the accumulator",
            says(sums { add = function(acc, event) return event < 2 and acc or nil end }))
        assert.matches("it must return an accumulator", says(sums { init = function() end }))
        assert.matches("returned a number: it must return a list of events, or nil",
            says(sums { every = 1, emit = function() return 5 end }))
        assert.matches("a table without a list part",
            says(sums { every = 1, emit = function() return { a = 1 } end }))
        assert.matches("combine.add must not wait", says(sums { add = function() stagehost.sleep(1) end }))
    end)
end)

describe("the option combine", function()
    local function refusal(combine)
        local ok, err = pcall(stagehost.start, Source, partition(combine))
        assert.is_false(ok)
        return tostring(err)
    end

    it("needs functions and bounds", function()
        assert.matches('option "combine" must be a table', refusal(1))
        assert.matches('option "combine" needs the function "add"', refusal {})
        assert.matches('option "combine" needs the function "emit"', refusal { add = print })
        assert.matches('option "every" must be at least 1, got 0', refusal(sums { every = 0 }))
        assert.matches('unknown option "evry" of the option "combine": did you mean "every"',
            refusal(sums { evry = 1 }))
    end)

    it("is refused together with ack, on both sides", function()
        local p = start(Source, partition(sums()))
        local s = start(stagehost.consumer {
            handle_events = function() end,
            handle_cancel = function(self, reason) self.reason = tostring(reason.message or reason) end,
            handle_call = function(self) return self.reason end,
        })
        assert(s:subscribe { to = p, partition = 0, ack = true, cancel = "temporary" })
        wait_until(function() return s:call() end)

        assert.equal("ack_impossible", s:call())
        local feed = start(Source)
        local ok, message = stagehost.start(Pass, partition(sums(), { subscribe_to = { feed, ack = true } }))
        assert.is_nil(ok)
        assert.matches('option "ack": a stage that combines', message)
    end)
end)
