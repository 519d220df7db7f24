-- SPDX-License-Identifier: MIT
--
-- Messages on standard error: for people on a terminal, for programs elsewhere.
local command = require "spec.support.command"
local cjson = require "cjson"
local run = command.run

local timestamp = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ"
local say = "-e 'require \"stagehost\".log(\"%s\", \"%s\")'"

local function log(options, level, message)
    return run("$S " .. options .. " " .. say:format(level, message))
end

describe("messages", function()
    it("are key=value lines by default", function()
        local err = log("", "warn", "be careful").err
        assert.is_truthy(err:find("^ts=" .. timestamp .. ' level=warn msg="be careful" stage=[^ ]+\n$'), err)
    end)

    it("are objects with the same keys as JSON", function()
        for _, line in ipairs { "$S --log-format json", "STAGEHOST_LOG_FORMAT=json $S" } do
            local r = run(line .. " -e 'require \"stagehost\".log(\"info\", \"a \\\"b\\\" \\200\") error \"boom\"'")
            local first, second = r.err:match("^([^\n]+)\n([^\n]+)\n$")
            local record = cjson.decode(first)
            assert.is_truthy(record.ts:find("^" .. timestamp .. "$"))
            record.ts, record.stage = nil, nil
            assert.are.same({ level = "info", msg = 'a "b" \239\191\189', err = cjson.null }, record)
            record = cjson.decode(second)
            assert.are.equal("error", record.level)
            assert.is_truthy(record.err:find("boom\nstack traceback:\n\t", 1, true))
        end
    end)

    it("are not cut at zero bytes", function()
        local script = [[
            local stagehost = require "stagehost"
            stagehost.log("warn", "%s", "log a\0b\0")
            local Failing = stagehost.process { handle_cast = function(_, f) return f() end }
            local function try(f)
                local stage = stagehost.start(Failing)
                stage:cast(f)
                stage:join()
            end
            try(function() error("string a\0b", 0) end)
            try(function() error(setmetatable({}, { __tostring = function() return "object a\0b" end })) end)
            try(function() error({ message = "table a\0b" }) end)
            try(function() return stagehost.stop "reason a\0b" end)
            try(function() return "returned a\0b" end)
            local is_over
            stagehost.uv.new_timer():start(0, 0, function()
                is_over = true
                error("callback a\0b", 0)
            end)
            while not is_over do
                stagehost.sleep(1)
            end
            local source = stagehost.start(stagehost.source.list { "event" }, {
                dispatcher = { "partition", partitions = 1, hash = function() error("hash a\0b", 0) end } })
            local sink = stagehost.start(stagehost.sink.each(function() end))
            sink:subscribe { to = source, partition = 0 }
            sink:join()
            stagehost.exit_status(0)
            error("script a\0b", 0)
        ]]
        local r = run("$S --log-format json script.lua", { ["script.lua"] = script })
        local seen = {}
        for line in r.err:gmatch "[^\n]+" do
            local record = cjson.decode(line)
            for what in (record.msg .. " " .. tostring(record.err)):gmatch [[(%l+) a\0b]] do
                seen[what] = true
            end
        end
        for what in ("log string object table reason returned callback hash script"):gmatch "%l+" do
            assert(seen[what], what .. " is not in " .. r.err)
        end
        assert.is_truthy(r.err:find([["log a\\0b\\0"]], 1, true), r.err)
    end)

    it("of several lines are one line, and the lines are in the error", function()
        local err = run("$S --log-format json a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            stagehost.pipeline { name = "p", stages = { { name = "a" }, { name = "b" } } }
        ]] }).err
        local record = cjson.decode(err)
        assert.is_truthy(record.msg:find('^a.lua:2: pipeline "p" has 2 problems: stage "a"[^\n]+; stage "b"[^\n]+$'),
            record.msg)
        assert.is_truthy(record.err:find("has 2 problems:\n  - stage", 1, true), record.err)
    end)

    it("that were repeated are counted before the report at the end", function()
        local err = run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local p = stagehost.start(stagehost.producer {
                handle_cast = function() return { 1, 2, 3 } end,
            }, { name = "p" })
            p:cast "x"
            p:buffered()
            for _ = 1, 3 do stagehost.log("warn", "again") end
            p:kill()
        ]] }).err
        local count = err:find("again (repeated 2 more times)", 1, true)
        local report = err:find("3 events are unfinished", 1, true)
        assert.is_truthy(count and report and count < report, err)
    end)

    it("of the command itself have the same form", function()
        local record = cjson.decode(run("$S --log-format json nosuch.lua").err)
        assert.are.equal("nosuch.lua: no such script", record.msg)
        assert.are.equal(cjson.null, record.stage)
    end)

    it("are chosen by level", function()
        assert.are.equal("", log("", "debug", "x").err)
        assert.are_not.equal("", log("", "info", "x").err)
        assert.are.equal("", log("-q", "warn", "x").err)
        assert.are_not.equal("", log("-v", "debug", "x").err)
        assert.are.equal("", log("--log-level off", "error", "x").err)
        assert.are.equal("", run("STAGEHOST_LOG_LEVEL=warn $S " .. say:format("info", "x")).err)
    end)

    it("that repeat are counted", function()
        local r = run "$S -e 'local s = require \"stagehost\" for i = 1, 1000 do s.log(\"warn\", \"full\") end'"
        assert.are.equal(2, select(2, r.err:gsub("\n", "")))
        assert.is_truthy(r.err:find("full (repeated 999 more times)", 1, true))
    end)
end)

describe("on a terminal", function()
    local function on_terminal(environment, code)
        return run(([[%s script -qec "$S -e '%s'" /dev/null </dev/null]]):format(environment, code)).out
    end

    it("messages are for people, in colours", function()
        local text = on_terminal("TERM=xterm", "error(1)")
        assert.is_truthy(text:find("^%d%d:%d%d:%d%d%.%d%d%d \27%[1;31merror\27%[0m "))
        text = on_terminal("TERM=xterm", "y =")
        assert.is_truthy(text:find("^stagehost: %(command line%):1: "))
    end)

    it("NO_COLOR and a dumb terminal get none", function()
        for _, environment in ipairs { "TERM=xterm NO_COLOR=1", "TERM=dumb" } do
            local text = on_terminal(environment, "local function f() error(1) end f()")
            assert.is_nil(text:find("\27", 1, true))
            assert.is_truthy(text:find("^%d%d:%d%d:%d%d%.%d%d%d error "))
            assert.is_truthy(text:find("\n    stack traceback:\r?\n        "))
        end
    end)

    it("control characters of events do not reach it", function()
        local text = on_terminal("TERM=dumb", [[error(string.char(27, 7, 194, 155, 155, 255, 0, 33), 0)]])
        assert.is_nil(text:find("[\27\7\155\255%z]"))
        assert.is_truthy(text:find([[\x1b\x07\xc2\x9b\x9b\xff\0!]], 1, true), text)
    end)
end)
