-- source.queue: pushed events are delivered once and in order, and who pushes too much waits.
local files = require "spec.support.files"
local stagehost = require "stagehost"

local source, sink = stagehost.source, stagehost.sink

local function start(options, start_options)
    return assert(source.queue(options):start(start_options))
end

local function collector(queue, options)
    local stage = assert(stagehost.start(sink.collect()))
    options = options or {}
    options.to, options.cancel = queue.stage, "temporary"
    assert(stage:subscribe(options))
    return stage
end

-- A stage that pushes 1 to n, and tells how far it is.
local function start_pusher(queue, n, options)
    return assert(stagehost.start(stagehost.process {
        init = function(self, args)
            self.queue = stagehost.source.queue(args.queue)
            self.n, self.answers = 0, {}
            self.stage:send "go"
            self.last = args.n
        end,
        handle_info = function(self)
            self.n = self.n + 1
            self.answers[self.n] = { self.queue:push(self.n) }
            if self.n < self.last then
                self.stage:send "go"
            end
        end,
        handle_call = function(self)
            return { n = self.n, last_answer = self.answers[self.n] }
        end,
    }, { args = { queue = queue.stage, n = n }, worker = options and options.worker }))
end

describe("source.queue", function()
    it("delivers what is pushed, and ends normally when it is closed", function()
        local queue = start()
        assert.is_true(queue:push "a")
        assert.is_true(queue:push(false))
        local consumer = collector(queue)
        assert.is_true(queue:push { id = 1 })
        assert.is_true(queue:push_all { 1, 2, 3 })
        assert.is_true(queue:close())
        local result = consumer:call("finish", 1000)
        assert.same({ "a", false, { id = 1 }, 1, 2, 3 }, result.events)
        assert.equal("normal", result.reason)
    end)

    it("tells when it is full, and when there is room again", function()
        local queue = start { limit = 4 }
        for i = 1, 4 do
            assert.is_true(queue:try_push(i))
        end
        assert.is_false(queue:try_push(5))
        assert.same({ held = 4, limit = 4, waiting = 0 }, queue:stats())
        local consumer = collector(queue)
        files.eventually(function()
            return queue:try_push(6)
        end)
        queue:close()
        assert.same({ 1, 2, 3, 4, 6 }, consumer:call("finish", 1000).events)
    end)

    it("lets who pushes wait while it is full, and accepts in order", function()
        local queue = start { limit = 10 }
        local pusher = start_pusher(queue, 1000)
        files.eventually(function()
            return queue:stats().waiting == 1
        end)
        stagehost.sleep(10)
        assert.same({ held = 10, limit = 10, waiting = 1 }, queue:stats())
        local consumer = collector(queue, { max_demand = 3 })
        files.eventually(function()
            return consumer:call "count" == 1000
        end)
        assert.equal(1000, pusher:call().n)
        local events = consumer:call "events"
        for i = 1, 1000 do
            assert.equal(i, events[i])
        end
        assert.equal(0, queue:stats().waiting)
        pusher:stop()
        queue:close()
    end)

    it("works for a limit of one, and for lists longer than the limit", function()
        local queue = start { limit = 1 }
        local consumer = collector(queue, { max_demand = 1 })
        for i = 1, 20 do
            assert.is_true(queue:push(i))
        end
        assert.is_true(queue:push_all { 21, 22, 23 })
        assert.is_true(queue:push(24))
        queue:close()
        assert.equal(24, #consumer:call("finish", 1000).events)
    end)

    it("accepts what waits when it is closed, and then tells that it is", function()
        local queue = start { limit = 1 }
        queue:push(0)
        local pusher = start_pusher(queue, 1)
        files.eventually(function()
            return queue:stats().waiting == 1
        end)
        assert.is_true(queue:close())
        assert.is_true(pusher:call().last_answer[1])
        local consumer = assert(stagehost.start(sink.collect()))
        assert(consumer:subscribe { to = queue.stage, cancel = "temporary" })
        assert.same({ 0, 1 }, consumer:call("finish", 1000).events)
        local accepted, message = queue:push(2)
        assert.is_nil(accepted)
        assert.is_string(message)
        pusher:stop()
    end)

    it("tells those who wait when it is stopped otherwise", function()
        local queue = start { limit = 1 }
        queue:push(0)
        local pusher = start_pusher(queue, 1)
        files.eventually(function()
            return queue:stats().waiting == 1
        end)
        queue.stage:kill()
        files.eventually(function()
            return pusher:call().last_answer
        end)
        assert.is_nil(pusher:call().last_answer[1])
        pusher:stop()
    end)

    it("is pushed to from other workers and by name", function()
        local queue = start({ limit = 5, name = "spec-queue" }, { worker = stagehost.workers() - 1 })
        local consumer = collector(queue)
        local pusher = start_pusher(queue, 50, { worker = stagehost.workers() - 1 })
        assert.is_true(source.queue("spec-queue"):push "by name")
        files.eventually(function()
            return consumer:call "count" == 51
        end)
        pusher:stop()
        queue:close()
        assert.is_nil((source.queue("nobody"):push(1)))
    end)

    it("is whole again after a way through a message", function()
        local queue = start()
        local echo = assert(stagehost.start(stagehost.process {
            handle_call = function(_, request)
                return source.queue(request.queue):push "via"
            end,
        }, { worker = stagehost.workers() - 1 }))
        assert.is_true(echo:call { queue = queue })
        local consumer = collector(queue)
        queue:close()
        assert.same({ "via" }, consumer:call("finish", 1000).events)
        echo:stop()
    end)

    it("copies the list it is given", function()
        local queue = start()
        local list = { 1, 2 }
        queue:push_all(list)
        list[1] = "changed"
        local consumer = collector(queue)
        queue:close()
        assert.same({ 1, 2 }, consumer:call("finish", 1000).events)
    end)

    it("takes casts as events", function()
        local queue = start { limit = 1 }
        for i = 1, 3 do
            queue.stage:cast(i)
        end
        local consumer = collector(queue)
        queue:close()
        assert.same({ 1, 2, 3 }, consumer:call("finish", 1000).events)
    end)

    it("refuses misuse", function()
        local function refusal(f, ...)
            local ok, err = pcall(f, ...)
            assert.is_false(ok)
            return tostring(err)
        end
        local queue = source.queue()
        assert.matches("nil can't be an event", refusal(queue.push, queue))
        assert.matches("must be a list", refusal(queue.push_all, queue, { a = 1 }))
        assert.matches("has not been started", select(2, queue:push(1)))
        assert.matches('"limit" must be at least 1', refusal(source.queue, { limit = 0 }))
        assert.matches("expected options, a stage handle or a name", refusal(source.queue, 5))
    end)

    it("is a definition as the others", function()
        for worker = 0, stagehost.workers() - 1 do
            local queue = source.queue { limit = 100 }
            local running = assert(stagehost.pipeline {
                { queue, worker = worker }, { sink.collect(), name = "out" },
            }:start())
            assert.is_true(queue:push(1))
            assert.is_true(source.queue(queue):push(2))
            assert.is_true(queue:close())
            assert.same({ out = { 1, 2 } }, (running:join()))
            assert.matches("has not been started, or is closed", select(2, queue:push(1)))
        end
        local stage = assert(stagehost.start(source.queue { name = "spec-defined" }))
        assert.is_true(source.queue("spec-defined"):push(1))
        assert.same({ 1 }, (function()
            source.queue(stage):close()
            return (sink.collect_from(stage))
        end)())
    end)

    it("says its name", function()
        assert.equal("queue<jobs>", tostring(source.queue { name = "jobs" }))
    end)
end)
