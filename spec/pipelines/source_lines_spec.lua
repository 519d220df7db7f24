-- source.lines: every line once, in order, whatever the file looks like and however it is read.
local files = require "spec.support.files"
local hooks = require "stagehost.spec"
local stagehost = require "stagehost"
local uv = stagehost.uv

local function collect(options, subscription)
    local source = assert(stagehost.start(stagehost.source.lines(options)))
    return stagehost.sink.collect_from(source, subscription)
end

local function start_error(options)
    local source, message, reason = stagehost.start(stagehost.source.lines(options))
    assert.is_nil(source)
    assert.equal(message, reason)
    return message
end

describe("source.lines", function()
    local folder

    before_each(function()
        folder = files.new()
    end)

    after_each(function()
        folder:remove()
    end)

    it("emits the lines of a file without their ends, and ends normally", function()
        local events, reason = collect { path = folder:write("a", "one\ntwo\r\n\nlast") }
        assert.same({ "one", "two", "", "last" }, events)
        assert.equal("normal", reason)
    end)

    it("emits nothing for an empty file", function()
        assert.same({}, (collect { path = folder:write("empty", "") }))
        assert.same({}, (collect { path = "/dev/null" }))
    end)

    it("keeps carriage returns if told to", function()
        local path = folder:write("a", "one\r\ntwo\n")
        assert.same({ "one\r", "two" }, (collect { path = path, keep_cr = true }))
    end)

    it("reads files one after the other, each with a last line of its own", function()
        local paths = { folder:write("a", "1\n2"), folder:write("b", ""), folder:write("c", "3\n") }
        assert.same({ "1", "2", "3" }, (collect { path = paths }))
    end)

    it("does not depend on chunks and demand", function()
        local lines = {}
        for i = 1, 3000 do
            lines[i] = ("%d %s"):format(i, ("x"):rep(i % 97))
        end
        local path = folder:write("a", table.concat(lines, "\n"))
        for _, chunk_size in ipairs { 7, 100, 4096, 1048576 } do
            for _, max_demand in ipairs { 1, 10, 1000 } do
                if chunk_size > 7 or max_demand == 1000 then
                    assert.same(lines,
                        (collect({ path = path, chunk_size = chunk_size }, { max_demand = max_demand })))
                end
            end
        end
    end)

    it("reads a line of 100 MB", function()
        local path = folder:write("long", "short\n")
        local file = assert(io.open(path, "ab"))
        local part = ("0123456789abcdef"):rep(65536)
        for _ = 1, 100 do
            file:write(part)
        end
        file:write "\nafter\n"
        file:close()
        local source = assert(stagehost.start(stagehost.source.lines { path = path }))
        local lengths = {}
        local sink = assert(stagehost.start(stagehost.sink.each(function(line)
            lengths[#lengths + 1] = #line
        end)))
        assert(sink:subscribe { to = source, cancel = "temporary" })
        source:join()
        files.eventually(function()
            return #lengths == 3
        end)
        assert.same({ 5, 100 * 1048576, 5 }, lengths)
        sink:stop()
    end)

    it("reads no further than is asked for", function()
        local path = folder:write("a", ("0123456789\n"):rep(100000))
        local source = assert(stagehost.start(stagehost.source.lines { path = path, chunk_size = 1100 }))
        local sink = assert(stagehost.start(stagehost.consumer {
            handle_subscribe = function(_, _, _, from)
                stagehost.ask(from, 150)
                return "manual"
            end,
            handle_events = function(self, events)
                self.n = (self.n or 0) + #events
            end,
            handle_call = function(self)
                return self.n
            end,
        }))
        assert(sink:subscribe { to = source })
        files.eventually(function()
            return sink:call() == 150
        end)
        stagehost.sleep(20)
        assert.equal(150, sink:call())
        assert.equal(50, source:buffered())
        source:kill()
        sink:kill()
    end)

    it("reads a named pipe, and waits for who writes to it without blocking the worker", function()
        local path = folder:at "pipe"
        assert.equal(0, os.execute("mkfifo " .. path))
        local source = assert(stagehost.start(stagehost.source.lines { path = path }))
        local sink = assert(stagehost.start(stagehost.sink.collect()))
        assert(sink:subscribe { to = source, cancel = "temporary" })
        stagehost.sleep(20)
        os.execute(("{ echo one; sleep 0.05; printf two; } > %s &"):format(path))
        assert.same({ "one", "two" }, sink:call("finish").events)
    end)

    it("can be stopped while it waits for a silent pipe", function()
        local path = folder:at "pipe"
        assert.equal(0, os.execute("mkfifo " .. path))
        local source = assert(stagehost.start(stagehost.source.lines { path = path }))
        local sink = assert(stagehost.start(stagehost.sink.collect()))
        assert(sink:subscribe { to = source })
        stagehost.sleep(20)
        assert.is_true(source:stop())
        assert.is_false(source:is_alive())
    end)

    it("loses nothing that it has read from a pipe when it is told to end meanwhile", function()
        local path = folder:at "pipe"
        assert.equal(0, os.execute("mkfifo " .. path))
        local source = assert(stagehost.start(stagehost.source.lines { path = path }))
        local sink = assert(stagehost.start(stagehost.sink.collect()))
        assert(sink:subscribe { to = source, cancel = "temporary" })
        local pipe = assert(uv.fs_open(path, "w", 0))
        assert(hooks.settle(5000))
        hooks.hold(source)
        source:async_stop "normal"
        local before = source:stats().messages_in
        uv.fs_write(pipe, "one\ntwo\n", -1)
        files.eventually(function()
            return source:stats().messages_in > before
        end)
        hooks.release(source)
        assert.same({ "one", "two" }, sink:call("finish").events)
        uv.fs_close(pipe)
    end)

    it("does not start if a path can't be read, and says which and why", function()
        local good = folder:write("good", "x\n")
        local missing = folder:at "missing"
        local why = ": no such file or directory (ENOENT)"
        assert.equal("cannot read " .. missing .. why, start_error { path = missing })
        assert.equal("cannot read " .. missing .. why, start_error { path = { good, missing } })
        assert.equal(("cannot read %s: it is a directory (EISDIR)"):format(folder.path),
            start_error { path = folder.path })
    end)

    it("runs on another worker", function()
        local path = folder:write("a", "1\n2\n3")
        local source = assert(stagehost.start(stagehost.source.lines { path = path },
            { worker = stagehost.workers() - 1 }))
        assert.same({ "1", "2", "3" }, (stagehost.sink.collect_from(source)))
    end)

    it("can be started many times from one definition", function()
        local definition = stagehost.source.lines { path = folder:write("a", "1\n2\n") }
        for _ = 1, 3 do
            local source = assert(stagehost.start(definition))
            assert.same({ "1", "2" }, (stagehost.sink.collect_from(source)))
        end
    end)

    it("leaves no descriptor open", function()
        local path = folder:write("a", "1\n2\n")
        local function count()
            collectgarbage()
            collectgarbage()
            local n = 0
            for _ in stagehost.uv.fs_scandir_next, stagehost.uv.fs_scandir "/proc/self/fd" do
                n = n + 1
            end
            return n
        end
        collect { path = path }
        local before = count()
        for _ = 1, 10 do
            collect { path = path }
            assert(stagehost.start(stagehost.source.lines { path = path })):stop()
            assert(stagehost.start(stagehost.source.lines { path = path })):kill()
        end
        files.eventually(function()
            return count() <= before
        end)
    end)

    it("refuses wrong options, and says what is known", function()
        local function refused(options)
            local ok, err = pcall(stagehost.source.lines, options)
            assert.is_false(ok)
            return tostring(err)
        end
        assert.matches('option "path" must be a path, "%-", or a list', refused {})
        assert.matches('option "path" must be', refused { path = 5 })
        assert.matches("at least one", refused { path = {} })
        assert.matches('unknown option "chunk" of source.lines %(known: "chunk_size"',
            refused { path = "x", chunk = 5 })
        assert.matches('option "chunk_size" must be at least 1, got 0',
            refused { path = "x", chunk_size = 0 })
        assert.matches("source_lines_spec.lua:%d+:", refused { path = 5 })
    end)
end)
