-- SPDX-License-Identifier: MIT
--
-- Standard output: what can't be written is an error, whoever ends the process.
local command = require "spec.support.command"
local run = command.run

local function assert_lost(r, why)
    assert.are.equal(70, r.status)
    assert.is_truthy(r.err:find("standard output: " .. why, 1, true), r.err)
end

-- What a line writes goes to head; its status is told after that.
local filter = "{ %s; echo $? >status; } | head -2; wait_for status; cat status"

describe("standard output", function()
    it("is flushed at the end", function()
        assert.are.equal("no newline", run("$S -e 'io.write \"no newline\"'").out)
        assert.are.equal("early", run("$S -e 'io.write \"early\" os.exit(0)'").out)
    end)

    it("that is full is an error", function()
        assert_lost(run "$S -e 'print(1)' >/dev/full", "No space left on device")
        assert_lost(run "$S -e 'print(1) io.stdout:flush()' >/dev/full", "")
        assert_lost(run "$S -e 'print(1) os.exit(0)' >/dev/full", "No space left on device")
        assert_lost(run "$S --help >/dev/full", "No space left on device")
    end)

    it("that is closed is an error, once something is printed", function()
        assert_lost(run "$S -e 'print(1)' >&-", "Bad file descriptor")
        assert.are.equal(0, run("$S -e 'x = 1' >&-").status)
    end)

    it("that is closed is not given to the next file", function()
        local r = run "$S -e 'f = io.open(\"f\", \"w\") f:setvbuf \"no\" print(1) f:write \"x\"' >&-; cat f"
        assert.are.equal("x", r.out)
    end)

    it("to a pipe nobody reads ends a script quietly, whatever writes", function()
        for _, write in ipairs {
            "print(i)", [[io.write(i, "\n")]], [[io.stdout:write(i, "\n")]], "print(i) io.stdout:flush()",
            "print(i) io.flush()", "pcall(print, i)", "coroutine.wrap(print)(i)",
        } do
            local r = run(filter:format("$S a.lua"), { ["a.lua"] = ("for i = 1, math.huge do %s end"):format(write) })
            assert.are.equal("1\n2\n0\n", r.out, write)
            assert.are.equal("", r.err)
        end
    end)

    it("to a pipe nobody reads ends a script quietly that has been through before", function()
        local r = run("{ (sleep 0.3; $S -e 'print(1)'); echo $? >status; } | true; wait_for status; cat status")
        assert.are.equal("0\n", r.out)
        assert.are.equal("", r.err)
    end)

    it("to a pipe nobody reads drains what is there when a callback prints", function()
        local r = run(filter:format("yes | $S a.lua; echo ${PIPESTATUS[1]} >&2"), { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local source = assert(stagehost.start(stagehost.source.lines { path = "-" }))
            assert(stagehost.start(stagehost.sink.each(print), { subscribe_to = { source } }))
            assert(stagehost.start(stagehost.sink.lines { path = "copy" }, { subscribe_to = { source } }))
        ]] })
        assert.are.equal("y\ny\n0\n", r.out)
        assert.are.equal("0\n", r.err)
    end)

    local sink = [[
        local stagehost = require "stagehost"
        local source = assert(stagehost.start(stagehost.source.lines { path = "-" }))
        local pass = assert(stagehost.start(stagehost.producer_consumer {
            handle_events = function(_, events) return events end,
        }, { worker = "any", subscribe_to = { source } }))
        assert(stagehost.start(stagehost.sink.print %s, { subscribe_to = { pass } }))
    ]]

    it("to a pipe nobody reads ends a sink, and what produces for it", function()
        for workers = 1, 2 do
            local r = run(filter:format("yes | $S -w " .. workers .. " a.lua; echo ${PIPESTATUS[1]} >&2"),
                { ["a.lua"] = sink:format "{}" })
            assert.are.equal("y\ny\n0\n", r.out)
            assert.are.equal("0\n", r.err)
        end
    end)

    it("to a pipe nobody reads ends a pipeline", function()
        local r = run(filter:format("yes | $S -v a.lua 2>err; echo ${PIPESTATUS[1]} >&2"), { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local running = assert(stagehost.pipeline {
                name = "p",
                stages = {
                    { name = "lines", stage = stagehost.source.lines { path = "-" } },
                    { name = "print", stage = stagehost.sink.print(), subscribe_to = { "lines" } },
                },
            }:start())
            assert(running:join())
        ]] })
        assert.are.equal("y\ny\n0\n", r.out)
        assert.are.equal("0\n", r.err)
    end)

    it("to a pipe nobody reads does not end the other branches of a sink", function()
        local r = run("{ seq 100000 | $S a.lua; echo $? >status; } | head -1; wait_for status; cat status;"
            .. " tail -1 copy", { ["a.lua"] = [[
                local stagehost = require "stagehost"
                local source = assert(stagehost.start(stagehost.source.lines { path = "-" },
                    { dispatcher = "broadcast", demand = "accumulate" }))
                for _, each in ipairs { stagehost.sink.print(), stagehost.sink.lines { path = "copy" } } do
                    assert(stagehost.start(each, { subscribe_to = { source } }))
                end
                source:demand "forward"
            ]] })
        assert.are.equal("1\n0\n100000\n", r.out)
        assert.are.equal("", r.err)
    end)

    it("to a pipe nobody reads is an error if a sink says so", function()
        local r = run(filter:format("seq 100000 | $S a.lua"),
            { ["a.lua"] = sink:format [[{ on_broken_pipe = "error" }]] })
        assert.are.equal("1\n2\n70\n", r.out)
        assert.is_truthy(r.err:find("nobody reads it any more (EPIPE)", 1, true))
        r = run [[$S -e 'require "stagehost".sink.print { on_broken_pipe = "never" }']]
        assert.is_truthy(r.err:find('on_broken_pipe', 1, true))
    end)

    it("beyond the limit of file sizes is an error, not the end of the process", function()
        local r = run "(ulimit -f 1; $S -e 'for i = 1, 1e5 do print(i) end' >out)"
        assert_lost(r, "File too large")
    end)

    it("has whole lines, though several workers print at once", function()
        local r = run([[timeout 40 $S -w 3 a.lua]], { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local tasks = {}
            for i = 1, 3 do
                tasks[i] = stagehost.task({ worker = "any" }, function()
                    for n = 1, 20000 do print("word", n) end
                end)
            end
            for i = 1, 3 do assert(select("#", tasks[i]:await()) == 0) end
        ]] })
        assert.are.equal(0, r.status, r.err)
        local lines = 0
        for line in r.out:gmatch "([^\n]*)\n" do
            lines = lines + 1
            assert.is_truthy(line:find "^word\t%d+$", line)
        end
        assert.are.equal(60000, lines)
    end)

    it("shows what print is given as Lua 5.1 does", function()
        assert.are.equal("\n1\tnil\ttrue\ta\0b\n",
            run("$S -e 'print() print(1, nil, true, \"a\\0b\")'").out)
        assert.are.equal("an object\n<1>\n", run([[$S -e '
            print(setmetatable({}, { __tostring = function() return "an object" end }))
            tostring = function(x) return "<" .. x .. ">" end
            print(1)']]).out)
        local r = run [[$S -e 'tostring = function() end print(1)']]
        assert.is_truthy(r.err:find("'tostring' must return a string to 'print'", 1, true))
    end)

    it("of programs that a script starts is theirs", function()
        local r = run [[$S -e 'os.execute "yes | head -1"']]
        assert.are.equal("y\n", r.out)
        assert.are.equal("", r.err)
    end)
end)
