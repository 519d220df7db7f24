-- SPDX-License-Identifier: MIT
--
-- Stages of the library ignore what is none of their own, and say what came.
local command = require "spec.support.command"

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text:sub(1, 2000), part))
end

describe("an unexpected message", function()
    local r = command.run("$S a.lua", { ["x.txt"] = "", ["a.lua"] = [[
        local s = require "stagehost"
        local named = {
            { "supervisor", s.supervisor { children = {} } },
            { "consumer_supervisor", s.consumer_supervisor { child = print } },
            { "consumer_supervisor", s.consumer_supervisor { child = print, shards = 2 } },
            { "broker", s.broker() },
            { "source.interval", s.source.interval(60000) },
            { "source.iterate", s.source.iterate(function() end) },
            { "source.lines", s.source.lines { path = "x.txt" } },
            { "source.tail", s.source.tail { path = "x.txt" } },
            { "queue", s.source.queue { limit = 1 } },
        }
        for _, entry in ipairs(named) do
            local stage = assert(s.start(entry[2]))
            stage:send("to " .. entry[1])
            if entry[2].handle_call then
                assert(stage:call("asked " .. entry[1]) == nil)
            end
            assert(stage:is_alive(), entry[1])
            stage:stop() -- behind what it was sent
        end
        local pipeline = assert(s.pipeline { stages = { { name = "i", stage = s.source.interval(60000) } } }:start())
        pipeline.process:send { 5 }
        assert(pipeline.process:call { 5 } == nil)
        pipeline.process:cast { 5 }
        pipeline:stop()
    ]] })

    for _, name in ipairs { "supervisor", "consumer_supervisor", "source.interval", "source.iterate", "source.lines",
        "source.tail", "queue", "broker" } do
        it("is named by a " .. name, function()
            assert_has(r.err, ('%s: unexpected message, ignored: \\"to %s\\"'):format(name, name))
        end)
    end

    it("that asks for something is answered nil", function()
        assert_has(r.err, 'broker: unexpected request, ignored: \\"asked broker\\"')
        assert_has(r.err, 'supervisor: unexpected request, ignored: \\"asked supervisor\\"')
        assert_has(r.err, 'source.interval: unexpected request, ignored: '
            .. '\\"asked source.interval\\" (known: \\"stats\\")')
        assert_has(r.err, "pipeline: unexpected request, ignored: a table")
        assert_has(r.err, "pipeline: unexpected message, ignored: a table")
    end)

    it("harms nobody", function()
        assert.equal(0, r.status, r.err)
        assert.is_nil(r.err:find("level=error", 1, true), r.err)
    end)
end)
