-- SPDX-License-Identifier: MIT
--
-- What goes wrong around the command: scripts that are none, outputs that are gone, signals in the
-- middle of work.
local command = require "spec.support.command"

local pipe = assert(io.popen "pwd")
local here = pipe:read "*l"
pipe:close()

--- Runs a line in which every $S has a time limit.
local function run(line, files)
    return command.run("S=\"timeout -k 1 40 $S\"\n" .. line, files)
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text:sub(1, 2000), part))
end

local function count(text, part)
    local n, at = 0, 1
    while true do
        local _, last = text:find(part, at, true)
        if not last then
            return n
        end
        n, at = n + 1, last + 1
    end
end

describe("a script", function()
    it("with a syntax error is named with its line", function()
        local r = run("$S a.lua", { ["a.lua"] = "local x = 1\nlocal = 2\n" })
        assert.are.equal(70, r.status)
        assert_has(r.err, "a.lua:2:")
        assert.are.equal("", r.out)
    end)

    it("that is missing is named", function()
        local r = run "$S nothing/here.lua"
        assert.are.equal(66, r.status)
        assert_has(r.err, "nothing/here.lua")
    end)

    it("that misses a module fails with the module's name", function()
        local r = run("$S a.lua", { ["a.lua"] = 'print(require "no.such.module")' })
        assert.are.equal(70, r.status)
        assert_has(r.err, "module 'no.such.module' not found")
    end)

    it("whose stage crashes: 70, and the error once, with its stage, callback and traceback", function()
        local r = run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local Bad = stagehost.process { handle_cast = function() error "boom" end }
            stagehost.start(Bad, { name = "bad" }):cast "x"
        ]] })
        assert.are.equal(70, r.status)
        assert.are.equal(1, count(r.err, "stack traceback"))
        assert.are.equal(1, count(r.err, "stage=bad"))
        assert_has(r.err, "level=error")
        assert_has(r.err, "handle_cast: a.lua:2: boom")
        assert.is_nil(r.err:find("\27", 1, true))
    end)

    it("whose callback fails in format_discarded or terminate: 70, once", function()
        local frame = [[
            local stagehost = require "stagehost"
            local function boom() error "boom" end
            local Bad = stagehost.producer {
                buffer_size = 1, handle_demand = function() end,
                handle_cast = function() return { 1, 2, 3 } end, %s = boom,
            }
            local bad = stagehost.start(Bad, { name = "bad" })
            bad:cast "x"
            stagehost.sleep(20)
            if bad:is_alive() then bad:stop "broken" end
            print "the script went on"
        ]]
        for _, callback in ipairs { "format_discarded", "terminate" } do
            local r = run("$S a.lua", { ["a.lua"] = frame:format(callback) })
            assert.are.equal(70, r.status)
            assert.are.equal("the script went on\n", r.out)
            assert.are.equal(1, count(r.err, "boom\\nstack traceback"), r.err)
            assert_has(r.err, callback)
        end
    end)
end)

describe("a callback of luv that fails", function()
    local frame = [[
        local stagehost = require "stagehost"
        local uv, is_over = stagehost.uv, false
        local function fail() is_over = true error "in luv" end
        %s
        while not is_over do stagehost.sleep(1) end
        print "the script goes on"
    ]]
    local ways = {
        timer = "uv.new_timer():start(1, 0, fail)",
        work = "uv.new_work(function() end, fail):queue()",
    }
    for name, way in pairs(ways) do
        it("fails the run: " .. name, function()
            local files = { ["a.lua"] = frame:format(way) }
            local r = run("$S a.lua", files)
            assert.are.equal(70, r.status)
            assert.are.equal("the script goes on\n", r.out)
            assert.are.equal(1, count(r.err, "stack traceback"), r.err)
            assert_has(r.err, 'msg="a callback of luv failed: a.lua:3: in luv" err="a callback of luv: a.lua:3:')
            r = run("$S --log-level off a.lua", files)
            assert.are.equal(70, r.status)
            assert.are.equal(1, count(r.err, "stack traceback"), r.err)
            assert_has(r.err, "a.lua:3: in luv")
        end)
    end

    it("ends what runs without the script", function()
        local r = run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            stagehost.start(stagehost.process {}, { name = "lasting" })
            stagehost.uv.new_timer():start(1, 0, function() error "in luv" end)
        ]] })
        assert.are.equal(70, r.status)
    end)
end)

describe("lines", function()
    it("of 100 MB go through unchanged", function()
        local r = run([[
            head -c 100000000 /dev/zero | tr '\0' x >in; echo >>in; printf 'short\n' >>in
            $S a.lua <in >out; echo $?
            cmp in out && cksum <in && cksum <out
        ]], { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local source, sink = stagehost.source, stagehost.sink
            local lines = stagehost.start(source.lines { path = "-" }, { demand = "accumulate" })
            stagehost.start(sink.lines { path = "-" }, { subscribe_to = { lines } })
            lines:demand "forward"
        ]] })
        local status, first, second = r.out:match("^(%d+)\n([^\n]+)\n([^\n]+)\n$")
        assert.are.equal("0", status, r.err)
        assert.are.equal(first, second)
    end)
end)

describe("TERM in the middle of access_log", function()
    it("loses no line that was read, and exits with 0", function()
        -- What was not read is still in the pipe: nine tells how much that is.
        local r = run(([[
            log=%s/scripts; mkfifo in
            $S $log/make_access_log.lua 300000 5 >all
            { cat all; echo >fed; sleep 60; } >in 2>/dev/null & feeder=$!
            exec 9<in
            ${S#timeout -k 1 40 } -w 2 $log/access_log.lua --json <&9 >out 2>err & pid=$!
            sleep 0.5; kill -TERM $pid; wait $pid; echo $?
            wc -l <&9 >rest & counter=$!
            wait_for fed; kill -- -$feeder; wait $counter
            cat rest out; cat err >&2
        ]]):format(here))
        local status, rest, report = r.out:match("^(%d+)\n(%d+)\n(.*)$")
        assert.are.equal("0", status, r.err)
        local json = require "cjson".decode(report)
        local lines = json.requests + json.unparsable
        assert.is_true(lines > 0)
        -- A line of which half was read when the signal came counts on both sides.
        local all = lines + rest
        assert.is_true(all == 300000 or all == 300001, ("%d + %d lines"):format(lines, rest))
        assert_has(r.err, "draining")
        assert.is_nil(r.err:find("unfinished", 1, true))
    end)
end)

describe("a pipeline that can't drain", function()
    local stuck = [[
        local stagehost = require "stagehost"
        local P = stagehost.producer {
            handle_demand = function() end,
            handle_cast = function(_, events) return events end,
        }
        local Never = stagehost.consumer {
            handle_subscribe = function() return "manual" end,
            handle_events = function() end,
        }
        local p = stagehost.start(P, { name = "stuck" })
        stagehost.start(Never, { name = "never", subscribe_to = { p } })
        p:cast { 1, 2, 3 }
        stagehost.sleep(50)
        io.stderr:write "working\n"
    ]]
    local frame = "${S#timeout -k 1 40 } a.lua >out 2>err & pid=$!; wait_for err working; %s; cat out; cat err >&2"

    it("says what was left when told twice: 75", function()
        for _, name in ipairs { "TERM", "INT" } do
            local line = "kill -%s $pid; wait_for err draining; sleep 0.6; kill -%s $pid; wait $pid; echo $?"
            line = line:format(name, name)
            local r = run(frame:format(line), { ["a.lua"] = stuck })
            assert.are.equal("75\n", r.out, r.err)
            assert_has(r.err, "3 events are unfinished")
            assert.is_truthy(r.err:find('msg="3 events unfinished: [^"]*buffer[^"]*" stage=stuck'), r.err)
        end
    end)

    it("is gone after kill -9, and dumps its stages on USR1 before", function()
        local r = run(frame:format("kill -USR1 $pid; wait_for err stage=never; kill -9 $pid; wait $pid; echo $?;"
            .. " kill -0 $pid || echo gone"), { ["a.lua"] = stuck })
        assert.are.equal("137\ngone\n", r.out)
        assert_has(r.err, "stage=stuck")
        assert_has(r.err, "stage=never")
    end)
end)
