-- SPDX-License-Identifier: MIT
--
-- Standard output: what can't be written is an error, whoever ends the process.
local command = require "spec.support.command"
local run = command.run

local function assert_lost(r, why)
    assert.are.equal(70, r.status)
    assert.is_truthy(r.err:find("standard output: " .. why, 1, true), r.err)
end

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

    it("to a pipe nobody reads is an error, not a silent end", function()
        local r = run "{ $S -e 'for i = 1, 100000 do print(i) end'; echo $? >status; } | head -1; cat status"
        assert.are.equal("1\n70\n", r.out)
        assert.is_truthy(r.err:find("standard output: Broken pipe", 1, true))
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
