-- SPDX-License-Identifier: MIT
--
-- os.exit: the callback does not go on, wherever it is called; the ledger is told.
local command = require "spec.support.command"
local run = command.run

describe("os.exit", function()
    it("ends the host with its status", function()
        for code, status in pairs { ["3"] = 3, ["true"] = 0, ["false"] = 1, [""] = 0, ["256 + 7"] = 7 } do
            local r = run(([[$S -e 'print "out" os.exit(%s) print "not here"']]):format(code))
            assert.are.equal("out\n", r.out)
            assert.are.equal("", r.err)
            assert.are.equal(status, r.status)
        end
    end)

    local places = {
        ["a tail call"] = "do return os.exit(3) end",
        ["a protected call"] = "pcall(os.exit, 3)",
        ["an error handler"] = "xpcall(error, function() os.exit(3) end)",
        ["a coroutine"] = "coroutine.wrap(function() "
            .. "pcall(coroutine.wrap(function() os.exit(3) end)) print 'not here' end)()",
        ["a sort"] = "pcall(table.sort, { 3, 2, 1 }, "
            .. "function(a, b) pcall(os.exit, 3) print 'not here' return a < b end)",
        ["a metamethod"] = "pcall(tostring, setmetatable({}, { __tostring = function() os.exit(3) end }))",
        ["a compiled loop"] = "for i = 1, 1e9 do if i == 1e6 then pcall(os.exit, 3) end end",
        ["a finalizer"] = "local p = newproxy(true) getmetatable(p).__gc = function() os.exit(3) end p = nil "
            .. "for i = 1, 1e9 do collectgarbage() end",
        ["a callback of luv"] = "local t = require 'luv'.new_timer() "
            .. "t:start(1, 0, function() pcall(os.exit, 3) print 'not here' end) require 'stagehost'.sleep(1e6)",
        ["a hash"] = [[
            local stagehost = require "stagehost"
            local source = stagehost.start(stagehost.source.list { 1 },
                { dispatcher = { "partition", partitions = 2, hash = function() pcall(os.exit, 3) return 1 end } })
            stagehost.start(stagehost.sink.collect(), { subscribe_to = { { to = source, partition = 0 } } })
            stagehost.sleep(1e6)]],
    }

    it("is the last thing that runs", function()
        for place, code in pairs(places) do
            local r = run("timeout 20 $S a.lua", { ["a.lua"] = code .. "\nprint 'not here'" })
            assert.are.equal("", r.out, place)
            assert.are.equal(3, r.status, place .. ": " .. r.err)
        end
    end)

    it("of a module that -l requires is one, too", function()
        local r = run("$S -l m -e 'print(1)'", { ["m.lua"] = "os.exit(3)" })
        assert.are.equal("", r.out .. r.err)
        assert.are.equal(3, r.status)
    end)

    local leftovers = [[
        local stagehost = require "stagehost"
        local source = stagehost.start(stagehost.source.list { 1, 2, 3 })
        local Exits = stagehost.consumer {
            handle_events = function()
                io.write "flushed"
                os.exit(%d)
            end,
        }
        stagehost.start(Exits, { name = "exits", worker = %d, subscribe_to = { source } })
    ]]

    it("with 0 is 75 when events are left, and says which", function()
        for worker = 0, 1 do
            local r = run("$S -w 2 a.lua", { ["a.lua"] = leftovers:format(0, worker) })
            assert.are.equal(75, r.status)
            assert.are.equal("flushed", r.out)
            assert.is_truthy(r.err:find('msg="3 events unfinished: handle_events" stage=exits', 1, true))
            assert.is_nil(r.err:find("drain", 1, true))
        end
    end)

    it("ends stages that are just being started on other workers", function()
        local r = run("for i in {1..15}; do timeout 10 $S -w 3 a.lua; echo $?; done", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local nothing = stagehost.process {}
            for worker = 0, 2 do
                stagehost.start(stagehost.process {
                    handle_info = function()
                        for i = 1, 50 do stagehost.start(nothing, { worker = (worker + i) % 3 }) end
                    end,
                }, { worker = worker }):send "go"
            end
            stagehost.sleep(3)
            os.exit(3)
        ]] })
        assert.are.equal(("3\n"):rep(15), r.out)
    end)

    it("with another status keeps it", function()
        assert.are.equal(4, run("$S -w 2 a.lua", { ["a.lua"] = leftovers:format(4, 1) }).status)
    end)
end)
