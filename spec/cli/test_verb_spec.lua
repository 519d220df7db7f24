-- SPDX-License-Identifier: MIT
--
-- The verb test: each test in a process of its own, with a virtual clock and a seed; its verdicts, output and status.
local command = require "spec.support.command"

local HEAD = 'local stagehost = require "stagehost"\nlocal test = require "stagehost.test"\n'

local function run(options, body)
    return command.run("$S test " .. options, { ["a_test.lua"] = HEAD .. body })
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q is not in:\n%s"):format(part, text))
end

describe("stagehost test", function()
    it("runs the tests of files and folders, and reports in TAP", function()
        local result = command.run("$S test . x.lua", {
            ["a_test.lua"] = HEAD .. 'test "one" (function() end)\ntest "two" (function() stagehost.sleep(1e9) end)',
            ["x.lua"] = HEAD .. 'test "three" (function() end)',
            ["helper.lua"] = "error 'not a test'",
        })
        assert.are.equal("TAP version 13\nok 1 - a_test.lua: one\nok 2 - a_test.lua: two\nok 3 - x.lua: three\n"
            .. "1..3\n# 3 passed, 0 failed\n", result.out, result.err)
        assert.are.equal(0, result.status)
    end)

    it("tells what was expected and what there was, with its place", function()
        local result = run("", 'test "list" (function()\n'
            .. '    test.equal({ 1, 2, { x = "a" } }, { 1, 3, { x = "b" } })\nend)')
        assert.are.equal(70, result.status)
        assert_has(result.out, [[
not ok 1 - a_test.lua: list
# a_test.lua:4: expected: { 1, 3, { x = "b" } }
#      got: { 1, 2, { x = "a" } }
#       at [2]: expected 3, got 2
#       at [3].x: expected "b", got "a"
# seed 0
]])
    end)

    it("runs each test in a state of its own, and the tests after one that ends its process", function()
        local result = run("", [[
            local n = 0
            test "first" (function() n = n + 1 x = 1 end)
            test "second" (function() n = n + 1 test.equal({ n, x }, { 1 }) end)
            test "exits" (function() os.exit(3) end)
            test "dies" (function() stagehost.uv.kill(stagehost.uv.os_getpid(), "sigkill") end)
            test "errs" (function() error "oops" end)
            test "last" (function() print "not shown" end)
        ]])
        local verdicts = {}
        for verdict in result.out:gmatch "\n(n?o?t? ?ok %d+)" do
            verdicts[#verdicts + 1] = verdict
        end
        assert.same({ "ok 1", "ok 2", "not ok 3", "not ok 4", "not ok 5", "ok 6" }, verdicts, result.out)
        assert_has(result.out, "# the process of the test ended with status 3\n")
        assert_has(result.out, "# the test was ended by signal 9\n")
        assert_has(result.out, "# a_test.lua:8: oops\n# stack traceback:\n")
        assert_has(result.out, "1..6\n# 3 passed, 3 failed\n")
    end)

    it("says what each stage waits for when a test waits for ever", function()
        local result = run("", [[
            test "waits" (function()
                local Mute = stagehost.process { handle_call = function() return stagehost.noreply end }
                stagehost.start(Mute, { name = "mute" }):call("x", math.huge)
            end)
        ]])
        assert.are.equal(70, result.status)
        assert_has(result.out, "# the test waits for ever\n")
        assert_has(result.out, "(init waits for an answer of mute)")
    end)

    it("ends a test that takes too long", function()
        local result = run("--timeout 1s", 'test "spins" (function() while true do end end)')
        assert.are.equal(70, result.status)
        assert_has(result.out, "# the test has not ended after ")
    end)

    it("fails a test whose stages fail, unless that is expected", function()
        local crash = [[
            local Crashing = stagehost.process { handle_cast = function() error "oops" end }
            stagehost.start(Crashing):cast "x"
            stagehost.sleep(1)
        end)
        ]]
        local result = run("", 'test "a" (function()' .. crash
            .. 'test "b" (function() test.expect_failures()' .. crash)
        assert_has(result.out, "not ok 1 - a_test.lua: a\n# a stage failed: ")
        assert_has(result.out, "\nok 2 - a_test.lua: b\n")
    end)

    it("reports a file that can't be run", function()
        local result = run("", "error 'broken'")
        assert.are.equal(70, result.status)
        assert_has(result.out, "not ok 1 - a_test.lua: (the file itself)\n# the file could not be run\n")
        assert_has(result.out, "broken")
    end)

    it("has the same trace for the same seed, and others for others", function()
        local body = [[
            test "order" (function()
                local seen = {}
                local Worker = stagehost.producer_consumer { handle_events = function(_, events)
                    for _, event in ipairs(events) do
                        seen[#seen + 1] = ("%s %d at %.3f"):format(stagehost.self().name, event, stagehost.now())
                        stagehost.sleep(event % 3)
                    end
                    return events
                end }
                local list = {}
                for i = 1, 40 do list[i] = i end
                local source = stagehost.start(stagehost.source.list(list), { demand = "accumulate" })
                local workers = {}
                for i = 1, 4 do
                    workers[i] = stagehost.start(Worker, { name = "w" .. i,
                        subscribe_to = { { to = source, max_demand = 2 } } })
                end
                local sink = stagehost.start(stagehost.sink.collect())
                for _, worker in ipairs(workers) do sink:subscribe { to = worker, cancel = "temporary" } end
                source:demand "forward"
                sink:call("finish", math.huge)
                test.golden("trace.txt", seen)
            end)
        ]]
        local result = command.run([[
            for seed in 1 2 3 4 5; do
                $S test --update --seed $seed a_test.lua >/dev/null || exit 1
                $S test --repeat 1 --seed $seed a_test.lua >out || { cat out; exit 2; }
                cp trace.txt trace.$seed
            done
            cat trace.? | sort | uniq -c | wc -l >/dev/null
            md5sum trace.? | cut -d' ' -f1 | sort -u | wc -l; wc -l <trace.1]], { ["a_test.lua"] = HEAD .. body })
        local traces, lines = result.out:match "^(%d+)\n(%d+)\n$"
        assert.are.equal(0, result.status, result.out .. result.err)
        assert.are.equal("40", lines)
        assert.is_true(tonumber(traces) > 1, result.out)
    end)

    it("repeats tests with the seeds that follow, and filters them by name", function()
        local result = run("--repeat 3 --seed 5 --filter ^b", [[
            test "a" (function() error "is not run" end)
            test "b" (function() end)
        ]])
        assert.are.equal("TAP version 13\nok 1 - a_test.lua: b\n1..1\n# 1 passed, 0 failed\n", result.out, result.err)
    end)

    it("compares with golden files, and writes them with --update", function()
        local body = 'test "g" (function() test.golden("g.txt", { "one", { n = 2 } }) end)'
        local result = command.run([[
            $S test a_test.lua; $S test --update a_test.lua && cat g.txt; $S test a_test.lua
            echo "{ n = 3 }" >>g.txt; $S test a_test.lua]], { ["a_test.lua"] = HEAD .. body })
        assert_has(result.out, "g.txt does not exist (stagehost test --update writes it)")
        assert_has(result.out, "one\n{ n = 2 }\nTAP version 13\nok 1 - a_test.lua: g\n")
        assert_has(result.out, "length: expected 3, got 2")
        assert.are.equal(70, result.status)
    end)

    it("writes JSON lines", function()
        local result = run("--output json", 'test "a" (function() end)\ntest "b" (function() error "x" end)')
        local json = require "stagehost.codec.json"
        local lines = {}
        for line in result.out:gmatch "[^\n]+" do
            lines[#lines + 1] = json.decode(line)
        end
        assert.are.equal(3, #lines, result.out)
        assert.is_true(lines[1].ok)
        assert.are.equal("b", lines[2].name)
        assert_has(lines[2].message, "a_test.lua:4: x")
        assert.same({ passed = 1, failed = 1 }, lines[3])
    end)

    it("is a verb: a script of that name is ./test", function()
        local result = command.run("$S ./test", { test = "print 'a script'" })
        assert.are.equal("a script\n", result.out)
        result = command.run "$S test --help"
        assert.is_truthy(result.out:find "^usage: stagehost test %[option")
        result = command.run "$S test --sed 3"
        assert.are.equal(64, result.status)
        assert_has(result.err, "unknown option --sed (did you mean --seed?)")
        result = command.run "$S test nothing_there"
        assert.are.equal(66, result.status)
        assert_has(result.err, "nothing_there: no such file")
        result = command.run "$S test"
        assert.are.equal(66, result.status)
        assert_has(result.err, "there are no tests")
    end)

    it("runs the tests of the example scripts", function()
        local pipe = io.popen((os.getenv "STAGEHOST" or "stagehost") .. " test scripts/tests 2>&1")
        local text = pipe:read "*a"
        pipe:close()
        assert_has(text, "\n# 7 passed, 0 failed\n")
    end)

    it("runs the example of the README", function()
        local file = assert(io.open "README.md")
        local code = file:read "*a":match '```lua\n(local test = require "stagehost.test".-)```'
        file:close()
        local result = command.run("$S test", { ["a_test.lua"] = [[
            local stagehost = require "stagehost"
            local function mapped(f)
                return stagehost.producer_consumer { handle_events = function(_, events)
                    local results = {}
                    for i, event in ipairs(events) do results[i] = f(event) end
                    return results
                end }
            end
            local Double = mapped(function(n) return 2 * n end)
            local pipeline = stagehost.pipeline { stages = {
                { name = "lines", stage = stagehost.source.lines "-" },
                { name = "parse", stage = mapped(string.upper), subscribe_to = { { to = "lines", max_demand = 1 } } },
                { name = "out", stage = stagehost.sink.print(), subscribe_to = { "parse" } },
            } }
        ]] .. code })
        assert_has(result.out, "\n# 2 passed, 0 failed\n")
    end)

    it("has every option of the help in its manual", function()
        local file = assert(io.open "bindings/command/stagehost.1")
        local manual = file:read "*a"
        file:close()
        for option in command.run("$S test --help").out:gmatch "\n[ ]+%-?%w?,? *%-%-(%w[%w-]+)" do
            assert_has(manual, "Fl -" .. option)
        end
    end)
end)
