-- sink.lines, sink.collect, sink.collect_from, sink.each. Standard output: standard_streams_spec.lua.
local core = require "stagehost.core"
local files = require "spec.support.files"
local stagehost = require "stagehost"

local source, sink = stagehost.source, stagehost.sink

local function refusal(f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    return tostring(err)
end

local make_source = source.list

-- Runs a pipeline from a list into a sink, and returns why the sink ended.
local function run(events, definition, subscription)
    local producer = assert(stagehost.start(make_source(events)))
    local consumer, message = stagehost.start(definition)
    if not consumer then
        producer:stop()
        return message
    end
    subscription = subscription or {}
    subscription.to = producer
    producer:demand "accumulate"
    assert(consumer:subscribe(subscription))
    local reason
    local watcher = assert(stagehost.start(stagehost.process {
        init = function(self)
            self.stage:send "join"
        end,
        handle_info = function()
            reason = consumer:join()
            return stagehost.stop()
        end,
    }))
    stagehost.sleep(0)
    producer:demand "forward"
    files.eventually(function()
        return not watcher:is_alive()
    end)
    return reason
end

-- Emits a list of strings packed, and any other list as it is.
local function packed(events)
    return stagehost.producer {
        list = events,
        buffer_size = "infinity",
        handle_demand = function(self)
            local is_packed, list = pcall(core.pack, self.list)
            return stagehost.stop("normal", is_packed and list or self.list)
        end,
    }
end

local function describe_lines(kind, make)
    describe("sink.lines of " .. kind, function()
        local folder

        before_each(function()
            folder = files.new()
            make_source = make
        end)

        after_each(function()
            folder:remove()
        end)

        it("writes each event and a newline", function()
            assert.equal("normal", run({ "a", "", 3 }, sink.lines { path = folder:at "out" }))
            assert.equal("a\n\n3\n", folder:read "out")
        end)

        it("replaces what is in the file, or keeps it", function()
            folder:write("out", "old\n")
            run({ "new" }, sink.lines { path = folder:at "out", append = true })
            assert.equal("old\nnew\n", folder:read "out")
            run({ "newer" }, sink.lines { path = folder:at "out" })
            assert.equal("newer\n", folder:read "out")
        end)

        it("ends lines as it is told", function()
            run({ "a", "b" }, sink.lines { path = folder:at "out", newline = "\r\n" })
            assert.equal("a\r\nb\r\n", folder:read "out")
        end)

        it("writes everything, in order, whatever the batches", function()
            local lines = {}
            for i = 1, 1000 do
                lines[i] = ("%d %s"):format(i, ("x"):rep(i % 300))
            end
            for _, max_demand in ipairs { 10, 1000 } do
                run(lines, sink.lines { path = folder:at "out" }, { max_demand = max_demand })
                assert.equal(table.concat(lines, "\n") .. "\n", folder:read "out")
            end
        end)

        it("ends with an error that names the path when the disk is full", function()
            local reason = run({ "a", "b" }, sink.lines { path = "/dev/full" })
            assert.is_true(stagehost.is_error(reason))
            assert.equal("ENOSPC", reason.name)
            assert.equal("cannot write /dev/full: no space left on device (ENOSPC); "
                .. "2 of 2 events not written, 0 written before", reason.message)
        end)

        it("does not start when the file can't be opened", function()
            assert.equal(("cannot write %s: illegal operation on a directory (EISDIR)"):format(folder.path),
                run({}, sink.lines { path = folder.path }))
            assert.matches("no such file or directory %(ENOENT%)$",
                run({}, sink.lines { path = folder:at "no/file" }))
        end)

        it("refuses events that are no text, and says which", function()
            local reason = run({ "a", {}, "b" }, sink.lines { path = folder:at "out" })
            assert.matches("event 2 of 3 is a table: sink.lines writes strings and numbers",
                tostring(reason))
        end)

        it("waits for the reader of a named pipe", function()
            assert.equal(0, os.execute("mkfifo " .. folder:at "pipe"))
            os.execute(("{ sleep 0.1; cat > %s; } < %s &"):format(folder:at "copy", folder:at "pipe"))
            local line = ("x"):rep(100000)
            assert.equal("normal", run({ line, line }, sink.lines { path = folder:at "pipe" }))
            files.eventually(function()
                return #folder:read "copy" == 200002
            end)
        end)

        it("ends when the reader of a pipe has gone", function()
            assert.equal(0, os.execute("mkfifo " .. folder:at "pipe"))
            os.execute(("head -c 10 < %s > /dev/null &"):format(folder:at "pipe"))
            local line = ("x"):rep(100000)
            assert.equal("normal", run({ line, line, line }, sink.lines { path = folder:at "pipe" },
                { max_demand = 1 }))
            os.remove(folder:at "pipe")
        end)

        it("tells when the reader of a pipe has gone, if it is to", function()
            assert.equal(0, os.execute("mkfifo " .. folder:at "pipe"))
            os.execute(("head -c 10 < %s > /dev/null &"):format(folder:at "pipe"))
            local line = ("x"):rep(100000)
            local reason = run({ line, line, line },
                sink.lines { path = folder:at "pipe", on_broken_pipe = "error" }, { max_demand = 1 })
            assert.equal("EPIPE", reason.name)
            assert.matches("pipe: broken pipe, nobody reads it any more %(EPIPE%); up to 1 of 1 events",
                reason.message)
        end)

        it("runs on another worker", function()
            local worker = stagehost.workers() - 1
            local producer = assert(stagehost.start(source.list { "a", "b" }, { worker = worker }))
            local consumer = assert(stagehost.start(sink.lines { path = folder:at "out" }, { worker = worker }))
            assert(consumer:subscribe { to = producer })
            files.eventually(function()
                return not consumer:is_alive()
            end)
            assert.equal("a\nb\n", folder:read "out")
        end)

        it("refuses wrong options", function()
            assert.matches('option "path" must be a path or "%-", got nil', refusal(sink.lines, {}))
            assert.matches('unknown option "file" of sink.lines', refusal(sink.lines, { file = "x" }))
            assert.matches("unknown option", refusal(sink.print, { path = "x" }))
        end)
    end)
end

describe_lines("tables", source.list)
describe_lines("packed lists", packed)

describe("sink.collect", function()
    it("tells what came so far", function()
        local queue = assert(source.queue():start())
        local consumer = assert(stagehost.start(sink.collect()))
        assert(consumer:subscribe { to = queue.stage })
        assert.same({}, consumer:call "events")
        queue:push_all { 1, 2 }
        files.eventually(function()
            return consumer:call "count" == 2
        end)
        local events = consumer:call "events"
        queue:push(3)
        files.eventually(function()
            return consumer:call "count" == 3
        end)
        assert.same({ 1, 2 }, events)
        queue:close()
    end)

    it("hands everything over when all its producers have ended", function()
        local first = assert(stagehost.start(source.list { 1, 2 }))
        local second = assert(stagehost.start(source.list { 3 }))
        local consumer = assert(stagehost.start(sink.collect(), {
            subscribe_to = {
                { to = first, cancel = "temporary" }, { to = second, cancel = "temporary" },
            },
        }))
        local result = consumer:call("finish", 1000)
        table.sort(result.events)
        assert.same({ events = { 1, 2, 3 }, reason = "normal" }, result)
        files.eventually(function()
            return not consumer:is_alive()
        end)
    end)

    it("tells why its producer ended", function()
        local producer = assert(stagehost.start(stagehost.producer {
            handle_demand = function()
                return stagehost.stop("broken", { 1 })
            end,
        }))
        local events, reason = sink.collect_from(producer)
        assert.same({ 1 }, events)
        assert.equal("broken", reason)
    end)

    it("hands nothing over from a producer that is not there", function()
        local producer = assert(stagehost.start(source.list {}))
        producer:kill()
        files.eventually(function()
            return not producer:is_alive()
        end)
        local events, reason = sink.collect_from(producer)
        assert.same({}, events)
        assert.equal("noproc", reason)
    end)
end)

describe("sink.each", function()
    it("calls a function with each event, which may wait", function()
        local seen = {}
        assert.equal("normal", run({ 1, 2, 3 }, sink.each(function(event)
            stagehost.sleep(1)
            seen[#seen + 1] = event
        end)))
        assert.same({ 1, 2, 3 }, seen)
    end)

    it("ends with the function's error", function()
        assert.matches("handle_events: .*oops", tostring(run({ 1 }, sink.each(function()
            error "oops"
        end))))
    end)

    it("refuses what is no function", function()
        assert.matches("sink.each: expected a function, got 5", refusal(sink.each, 5))
    end)
end)
