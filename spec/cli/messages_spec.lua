-- SPDX-License-Identifier: MIT

--- What the log says about mistakes of a script.
local command = require "spec.support.command"

local FACE = 'local stagehost = require "stagehost"\nlocal source, sink = stagehost.source, stagehost.sink\n'

--- Runs a script on two workers, and returns what it logs.
local function log_of(text)
    return command.run("timeout 20 $S -w2 x.lua", { ["x.lua"] = FACE .. text }).err
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text, part))
end

local function count(text, part)
    local n, at = 0, 1
    while true do
        local first, last = text:find(part, at, true)
        if not first then
            return n
        end
        n, at = n + 1, last + 1
    end
end

describe("a message", function()
    it("has all problems of a pipeline, and no frames of the library", function()
        local text = log_of 'stagehost.pipeline { source.list { 1 }, { sink.print(), foo = 1, subscribe_to = "x" } }\n'
        assert_has(text, 'x.lua:3: the pipeline has 3 problems: stage \\"print\\": unknown option \\"foo\\"')
        assert_has(text, "; stage \\\"print\\\" subscribes to \\\"x\\\"")
        assert_has(text, "stack traceback:\\n\\tx.lua:3: in main chunk")
        assert.equal(0, count(text, "stagehost/"))
        text = log_of "source.list(5)\n"
        assert_has(text, "x.lua:3: source.list: the events must be a list")
        assert.equal(0, count(text, "stagehost/"))
    end)

    it("about a global that is nil on another worker says why", function()
        local run = "stagehost.pipeline { source.list { 1 }, { stagehost.map(function(n) return %s end), "
            .. "worker = %d }, sink.print(), max_restarts = 0 }:run()\n"
        local HINT = "(globals of the script are on worker 0 only: make it local)"
        local SETUP = "function helper(n) return n end\n" -- luacheck: ignore
        assert_has(log_of(SETUP .. run:format("helper(n)", 1)),
            "x.lua:4: attempt to call global 'helper' (a nil value) " .. HINT)
        assert_has(log_of(run:format("limit.max", 1)), "attempt to index global 'limit' (a nil value) " .. HINT)
        assert.equal(0, count(log_of(run:format("helper(n)", 0)), HINT))
        assert.equal(0, count(log_of(run:format("n.x.y", 1)), HINT))
    end)

    it("warns once of a variable that is assigned to on another worker", function()
        local function warnings(code, worker)
            local text = log_of(("local n, log = 0, {}\nstagehost.pipeline { source.list { 1, 2, 3 }, "
                .. "{ stagehost.each(function(x) %s end), worker = %d, instances = 2 } }:run()\n")
                :format(code, worker))
            return count(text, 'x.lua:4: the function assigns to \\"n\\", and runs on another worker'), text
        end
        assert.equal(1, (warnings("n = n + x", 1)))
        assert.equal(1, (warnings("n = 5", 1)))
        assert.equal(1, (warnings("for _ = 1, 2 do (function() n = x end)() end", 1)))
        assert.equal(0, (warnings("n = n + x", 0)))
        local _, text = warnings("log[1] = n", 1)
        assert.equal(0, count(text, "assigns to"))
    end)

    it("counts tries and restarts", function()
        local text = log_of [[
local n = 0
stagehost.pipeline { source.list { 1 }, { stagehost.each(function()
    n = n + 1
    return n > 2 or error("HTTP 503")
end), on_error = { "retry", times = 4, delay = 10 } } }:run()
]]
        assert_has(text, "try 1 of 5 failed, next in 10 ms (1 event): x.lua:6: HTTP 503")
        assert_has(text, "try 2 of 5 failed, next in 20 ms (1 event): x.lua:6: HTTP 503")
        text = log_of [[
local n = 0
stagehost.pipeline { stagehost.producer { handle_demand = function()
    n = n + 1
    return n > 2 and stagehost.stop() or error "no"
end }, sink.print(), backoff = { delay = 10 } }:run()
]]
        assert_has(text, 'child \\"producer\\": restart 1 of at most 3 in 5 s, in 10 ms')
        assert_has(text, 'child \\"producer\\": restart 2 of at most 3 in 5 s, in 20 ms')
    end)

    it("about a wrong level of the log has the place and the levels", function()
        assert_has(log_of 'stagehost.log("warning", "x")\n',
            'x.lua:3: log level must be one of error, warn, info, debug, trace, got \\"warning\\"')
    end)

    it("counts one event", function()
        local text = log_of [[
local stage = stagehost.start(stagehost.producer { handle_cast = function() return { 1, 2 } end, buffer_size = 1 })
stage:cast(1)
stage:stop()
]]
        assert_has(text, "discarded 1 event: the buffer of 1 is full")
    end)
end)

describe("what is printed", function()
    it("is the name of a running pipeline", function()
        local out = command.run("$S x.lua", { ["x.lua"] = FACE .. [[
local running = stagehost.pipeline { name = "p", source.interval "1h", sink.print() }:start()
print(running)
running:stop()
]] }).out
        assert.equal("pipeline<p>\n", out)
    end)
end)
