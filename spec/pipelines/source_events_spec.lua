-- source.list, source.iterate, source.interval.
local files = require "spec.support.files"
local stagehost = require "stagehost"

local source, sink = stagehost.source, stagehost.sink

local function collect(definition, options, subscription)
    return sink.collect_from(assert(stagehost.start(definition, options)), subscription)
end

local function range(n)
    local list = {}
    for i = 1, n do
        list[i] = i
    end
    return list
end

local function refusal(f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    return tostring(err)
end

describe("source.list", function()
    it("emits its events in order and ends normally", function()
        for _, n in ipairs { 0, 1, 500, 1000, 2501 } do
            for _, max_demand in ipairs { 1, 7, 1000 } do
                local events, reason = collect(source.list(range(n)), nil, { max_demand = max_demand })
                assert.same(range(n), events)
                assert.equal("normal", reason)
            end
        end
    end)

    it("leaves the list alone, so that it can be started again", function()
        local list = { "a", false, "c" }
        local definition = source.list(list)
        local first = collect(definition)
        first[1] = "changed"
        assert.same({ "a", false, "c" }, (collect(definition)))
        assert.same({ "a", false, "c" }, list)
    end)

    it("can be started on another worker", function()
        assert.same({ 1, 2, 3 }, (collect(source.list { 1, 2, 3 }, { worker = stagehost.workers() - 1 })))
    end)

    it("refuses what is no list", function()
        assert.matches("source.list: the events must be a list", refusal(source.list, 5))
        assert.matches('it has the key "a"', refusal(source.list, { a = 1 }))
    end)
end)

describe("source.iterate", function()
    local function counter(n)
        local i = 0
        return function()
            i = i + 1
            return i <= n and i or nil
        end
    end

    it("emits what a function returns until that is nil", function()
        for _, n in ipairs { 0, 1, 1000, 2500 } do
            local events, reason = collect(source.iterate(counter(n)))
            assert.same(range(n), events)
            assert.equal("normal", reason)
        end
    end)

    it("calls it as a for loop would", function()
        assert.same({ 1, 2 }, (collect(source.iterate(ipairs { "a", "b" }))))
        assert.same({ "a", "b" }, (collect(source.iterate(("a b"):gmatch "%a"))))
        local wrapped = coroutine.wrap(function()
            for i = 1, 3 do
                coroutine.yield(i)
            end
        end)
        assert.same({ 1, 2, 3 }, (collect(source.iterate(wrapped))))
    end)

    it("makes an iterator where the stage runs", function()
        local definition = source.iterate {
            generator = function(args)
                return string.gmatch(args.text, "%a+")
            end,
        }
        for worker = 0, stagehost.workers() - 1 do
            local options = { worker = worker, args = { text = "one two" } }
            assert.same({ "one", "two" }, (collect(definition, options)))
        end
    end)

    it("copies the function's upvalues to another worker", function()
        local options = { worker = stagehost.workers() - 1 }
        assert.same(range(10), (collect(source.iterate(counter(10)), options)))
    end)

    it("makes no more events than are asked for", function()
        local calls = 0
        local producer = assert(stagehost.start(source.iterate(function()
            calls = calls + 1
            return calls
        end)))
        local consumer = assert(stagehost.start(stagehost.consumer {
            handle_subscribe = function(_, _, _, from)
                stagehost.ask(from, 5000)
                return "manual"
            end,
            handle_events = function() end,
        }))
        assert(consumer:subscribe { to = producer })
        files.eventually(function()
            return calls == 5000
        end)
        stagehost.sleep(20)
        assert.equal(5000, calls)
        producer:stop()
    end)

    it("does not keep events back while a slow function waits", function()
        local n = 0
        local producer = assert(stagehost.start(source.iterate(function()
            n = n + 1
            stagehost.sleep(10)
            return n
        end)))
        local consumer = assert(stagehost.start(sink.collect()))
        assert(consumer:subscribe { to = producer })
        stagehost.sleep(35)
        assert.is_true(consumer:call "count" >= 1)
        producer:stop()
    end)

    it("ends with the function's error", function()
        local _, reason = collect(source.iterate(function()
            error("no more", 0)
        end))
        assert.is_true(stagehost.is_error(reason))
        assert.matches("handle_demand: no more", tostring(reason))
    end)

    it("refuses what can't be called", function()
        assert.matches("source.iterate: expected a function", refusal(source.iterate, 5))
        assert.matches("source.iterate: expected a function", refusal(source.iterate, {}))
        assert.matches("unknown option", refusal(source.iterate, { generate = print }))
        local started, message = stagehost.start(source.iterate { generator = function() end })
        assert.is_nil(started)
        assert.matches("the generator must return a function, got nil", message)
    end)
end)

describe("source.interval", function()
    it("emits the number of each tick, and ends after its limit", function()
        local began = stagehost.uv.hrtime()
        assert.same({ 1, 2, 3, 4 }, (collect(source.interval(5, 4))))
        assert.is_true(stagehost.uv.hrtime() - began >= 18e6)
    end)

    it("skips and counts the ticks for which nobody asks", function()
        local producer = assert(stagehost.start(source.interval(5)))
        stagehost.sleep(60)
        local stats = producer:call "stats"
        assert.equal(0, stats.emitted)
        assert.is_true(stats.skipped >= 3)
        assert.equal(stats.ticks, stats.skipped)
        local consumer = assert(stagehost.start(sink.collect()))
        assert(consumer:subscribe { to = producer, max_demand = 1 })
        files.eventually(function()
            return consumer:call "count" >= 2
        end)
        assert.is_true(consumer:call("events")[1] > stats.ticks)
        producer:stop()
    end)

    it("refuses what is no number of milliseconds", function()
        assert.matches("source.interval: the time must be at least 1, got 0",
            refusal(source.interval, 0))
        assert.matches("the limit must be an integer", refusal(source.interval, 5, "x"))
    end)
end)

describe("stagehost.source", function()
    it("names what it has when asked for something else", function()
        assert.matches("stagehost.source has no line %(it has lines, tail, list", refusal(function()
            return source.line
        end))
    end)
end)
