-- source.lines with parts: several readers in a pipeline, each with a range of the files, on different workers.
local files = require "spec.support.files"
local run = require "spec.support.command".run
local stagehost = require "stagehost"

local source, sink = stagehost.source, stagehost.sink

local SEEDS = tonumber(os.getenv "STAGEHOST_SEEDS") or 60
local SECONDS = os.getenv "STAGEHOST_SEEDS" and 3600 or 15

local function read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
end

local function refusal(f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    return tostring(err)
end

--- Emits for each batch where it was handled, and of how many bytes and lines.
local Report = stagehost.producer_consumer {
    init = function(self)
        self.lines, self.bytes = 0, 0
    end,
    handle_events = function(self, events)
        for _, line in ipairs(events) do
            self.lines, self.bytes = self.lines + 1, self.bytes + #line
        end
    end,
    handle_end = function(self)
        return { { worker = stagehost.worker(), lines = self.lines, bytes = self.bytes } }
    end,
}

local function pipeline(lines, ...)
    return stagehost.pipeline { max_restarts = 0, stages = {
        { name = "lines", stage = source.lines(lines) }, ... } }
end

--- The reports of the parts, in order.
local function report(lines)
    local by_part = assert(assert(pipeline(lines,
        { name = "report", stage = Report, instances = "parts", subscribe_to = "lines" },
        { name = "out", stage = sink.collect(), instances = "parts", subscribe_to = "report" }):start()):join())
    local reports = {}
    for i = 1, lines.parts do
        reports[i] = by_part["out." .. i][1]
    end
    return reports
end

describe("source.lines with parts", function()
    local folder

    before_each(function()
        folder = files.new()
    end)

    after_each(function()
        folder:remove()
    end)

    it("reads each part on a worker of its own, and stages beside it run there", function()
        local path = folder:write("log", ("0123456789\n"):rep(1000))
        local reports, seen = report { path = path, parts = stagehost.workers() }, {}
        for _, part in ipairs(reports) do
            assert.is_nil(seen[part.worker])
            seen[part.worker] = true
            assert.is_true(math.abs(part.lines - 1000 / stagehost.workers()) <= 1)
        end
    end)

    it("has stages beside it that run elsewhere if they say so", function()
        local path, list = folder:write("log", ("0123456789\n"):rep(1000)), {}
        local results = assert(assert(pipeline({ path = path, parts = 2 },
            { name = "report", stage = Report, instances = "parts", worker = 0, subscribe_to = "lines" },
            { name = "out", stage = sink.collect(), subscribe_to = "report" }):start()):join())
        for _, one in ipairs(results.out) do
            list[#list + 1] = one.worker .. " " .. one.lines
        end
        assert.same({ "0 500", "0 500" }, list)
    end)

    it("deals out several files by size", function()
        local big, small = folder:write("big", ("0123456789\n"):rep(900)), folder:write("small", ("x\n"):rep(550))
        local reports = report { path = { small, big }, parts = 2 }
        assert.same({ 550 + 400, 500 }, { reports[1].lines, reports[2].lines })
    end)

    it("may have more of them than there are lines", function()
        local path = folder:write("log", "one\ntwo")
        local total = 0
        for _, part in ipairs(report { path = path, parts = 7 }) do
            total = total + part.lines
        end
        assert.equal(2, total)
    end)

    it("reads the bytes that files have at the start, and not what is added", function()
        local path = folder:write("log", ("line\n"):rep(1000) .. "la")
        local Appending = stagehost.producer_consumer {
            handle_events = function(_, events)
                folder:append("log", "st\nmore\n")
                return events
            end,
        }
        local lines = assert(assert(pipeline({ path = path, parts = 2, chunk_size = 100 },
            { name = "append", stage = Appending, subscribe_to = { { to = "lines", max_demand = 10 } } },
            { name = "out", stage = sink.collect(), subscribe_to = "append" }):start()):join()).out
        table.sort(lines)
        assert.equal(1001, #lines)
        assert.equal("la", lines[1])
        assert.equal("line", lines[1001])
    end)

    it("fails when a file gets shorter", function()
        local path = folder:write("log", ("line\n"):rep(1000))
        local Cut = stagehost.consumer {
            handle_events = function()
                os.execute(": > " .. path)
            end,
        }
        local ok, message = assert(pipeline({ path = path, parts = 2, chunk_size = 100 },
            { name = "cut", stage = Cut, subscribe_to = { { to = "lines", max_demand = 10 } } }):start()):join()
        assert.is_nil(ok)
        assert.matches("it was cut while it was read", message)
    end)

    it("has a line of 100 MB in one piece", function()
        local path = folder:write("log", "a\n" .. ("x"):rep(100 * 1024 * 1024) .. "\nb\n")
        local reports = report { path = path, parts = 3 }
        assert.same({ 2, 0, 1 }, { reports[1].lines, reports[2].lines, reports[3].lines })
        assert.equal(100 * 1024 * 1024 + 1, reports[1].bytes)
    end)

    it("has stages beside it, until one takes partitions", function()
        local function stage(name, from, options)
            options.name, options.stage, options.subscribe_to = name, Report, from
            return options
        end
        assert.equal([[
pipeline (at most 0 restarts in 5 s)
lines x3  producer
├─ a x3  producer_consumer, by part, partition 2
│  └─ b x2  producer_consumer
├─ c x3  producer_consumer, by part
│  └─ d x3  producer_consumer, by part
└─ e x2  producer_consumer]], tostring(pipeline({ path = "x", parts = 3 },
            stage("a", "lines", { instances = "parts", dispatcher = { "partition", partitions = 2 } }),
            stage("b", "a", { instances = 2 }),
            stage("c", "lines", { instances = 3 }),
            stage("d", "c", { instances = "parts" }),
            stage("e", "lines", { instances = 2 }))))
    end)

    it("needs files", function()
        local path = folder:at "pipe"
        assert.equal(0, os.execute("mkfifo " .. path))
        assert.matches('option "parts" must be "auto" for standard input and pipes: these have one reader',
            refusal(source.lines, { path = path, parts = 2 }))
        local _, message = pipeline({ path = folder:at "none", parts = 2 },
            { name = "out", stage = sink.collect(), subscribe_to = "lines" }):start()
        assert.matches("cannot read .*none: no such file or directory", message)
        assert.matches('option "parts" must be "auto" for standard input and pipes: these have one reader',
            refusal(source.lines, { path = { path, "-" }, parts = 2 }))
        assert.matches('option "parts" must be a number from 1 to 1024 or "auto", got 0',
            refusal(source.lines, { path = path, parts = 0 }))
    end)

    it("has one reader for a pipe, if the number of parts is left to it", function()
        local path = folder:at "fifo"
        assert.equal(0, os.execute("mkfifo " .. path))
        assert.equal(0, os.execute(("(seq 1 5000 > %s) &"):format(path)))
        local running = assert(pipeline({ path = path, parts = "auto" },
            { name = "same", instances = "parts", subscribe_to = "lines", stage = stagehost.producer_consumer {
                handle_events = function(_, events) return events end,
            } },
            { name = "out", stage = sink.collect(), subscribe_to = "same" }):start())
        assert.is_nil(running:stage "lines.1")
        assert.equal(5000, #assert(running:join()).out)
    end)

    it("needs a pipeline", function()
        local _, message = stagehost.start(source.lines { path = folder:write("log", ""), parts = 2 })
        assert.matches("a pipeline starts the readers of parts", message)
    end)

    it("is refused where it has no meaning", function()
        local message = refusal(stagehost.pipeline, { stages = {
            { name = "a", stage = source.lines { path = "x", parts = 2 }, dispatcher = "broadcast" },
            { name = "b", stage = source.lines { path = "x", parts = 2 }, instances = 2 },
            { name = "c", stage = source.lines { path = "x" } },
            { name = "out", stage = sink.collect(), instances = "parts", subscribe_to = "c" },
        } })
        assert.matches('stage "a" has parts, which a broadcast dispatcher does not allow', message)
        assert.matches('stage "b" has parts, which are its instances: no option "instances"', message)
        assert.matches('stage "out": instances = "parts" needs a producer with parts', message)
    end)

    for _, workers in ipairs { 1, 2, 8 } do
        it(("has the lines of the files, for random files and pipelines, on %d workers"):format(workers), function()
            local r = run(("mkdir files; $S -w %d model.lua files 1 %d %d"):format(workers, SEEDS, SECONDS),
                { ["model.lua"] = read "spec/support/parts_model.lua" })
            assert.matches("^ok\t%d+\n$", r.out, r.out .. r.err:sub(-2000))
        end)
    end
end)
