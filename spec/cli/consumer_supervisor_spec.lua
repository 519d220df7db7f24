-- SPDX-License-Identifier: MIT
--
-- What the command makes of consumer_supervisors: what a drain does to children, and what the ledger says
-- of events whose child came to a bad end.
local command = require "spec.support.command"

--- Runs a line, in which $S has a time limit and $E is the bare command, with a script a.lua that starts a
--- supervisor of `child` on the events of `source`.
local function run(line, child, options, source)
    local script = ([[
        local stagehost = require "stagehost"
        local source = assert(stagehost.start(%s))
        assert(stagehost.start(stagehost.consumer_supervisor {
            child = %s,
            subscribe_to = { { to = source, max_demand = 4 } },
            %s
        }, { name = "supervisor" }))
    ]]):format(source or "stagehost.source.list { 1, 2, 3 }", child, options or "")
    return command.run("E=$S S=\"timeout -k 1 20 $S\"\n" .. line, { ["a.lua"] = script })
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text:sub(1, 2000), part))
end

local FAILS_AT_2 = 'function(event) if event == 2 then error "boom" end print(event) end'

describe("a script with a consumer_supervisor", function()
    for _, workers in ipairs { 1, 4 } do
        it("ends when its children are through, on " .. workers .. " workers", function()
            local r = run("$S -w " .. workers .. " a.lua | sort",
                'function(event) require("stagehost").sleep(20) print(event) end', 'options = { worker = "any" },')
            assert.are.equal("1\n2\n3\n", r.out)
            assert.are.equal("", r.err)
            assert.are.equal(0, r.status)
        end)
    end

    it("a temporary child that crashes has lost its event: 75, and the ledger says so", function()
        local r = run("$S a.lua", FAILS_AT_2)
        assert.are.equal("1\n3\n", r.out)
        assert_has(r.err, "boom")
        assert_has(r.err, "1 event unfinished: child")
        assert_has(r.err, "stage=supervisor")
        assert.are.equal(75, r.status)
    end)

    it("one that can't be started, too", function()
        local r = run("$S a.lua", [[stagehost.process {
            init = function(_, event) return stagehost.stop(event == 2 and "oops" or "normal") end,
        }]])
        assert_has(r.err, "3 events unfinished: child")
        assert.are.equal(75, r.status)
    end)

    it("a transient one has not, once it has succeeded", function()
        local r = run("$S a.lua", [[(function()
            local n = 0
            return function(event)
                n = n + 1
                if n == 2 then error "boom" end
                print(event)
            end
        end)()]], 'restart = "transient",')
        assert_has(r.err, "boom")
        assert.are.equal("1\n3\n2\n", r.out)
        assert.are.equal(0, r.status)
    end)

    it("that gives up says so, and what it had not done", function()
        local r = run("$S a.lua", 'function() error "boom" end', 'restart = "transient", max_restarts = 1,')
        assert_has(r.err, "more than 1 restarts within 5 s")
        assert_has(r.err, "events unfinished: child")
        assert.are.equal(70, r.status)
    end)

    it("SIGTERM: functions finish what they do", function()
        local r = run([[
            $E a.lua >out & pid=$!
            wait_for out begin
            kill -TERM $pid
            wait $pid
            status=$?
            sort out | uniq -c | sed 's/ *//'
            exit $status]],
            'function(event) print "begin" io.stdout:flush() require("stagehost").sleep(300) print "end" end',
            nil, "stagehost.source.interval(20)")
        local begun, ended = r.out:match("^(%d+) begin\n(%d+) end\n$")
        assert.is_truthy(begun, r.out .. r.err)
        assert.are.equal(begun, ended)
        assert.are.equal(0, r.status)
    end)
end)
