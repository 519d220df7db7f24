-- SPDX-License-Identifier: MIT
--
-- The command: what it runs, where it finds modules, and its exit status.
local command = require "spec.support.command"
local run = command.run

--- Runs and expects success without a word on standard error.
local function output(line, files)
    local r = run(line, files)
    assert.are.equal("", r.err)
    assert.are.equal(0, r.status)
    return r.out
end

--- A line of standard error in logfmt.
local function error_line(message)
    return 'level=error msg="' .. message .. '"'
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text, part))
end

describe("help and usage", function()
    it("prints help on standard output", function()
        for _, option in ipairs { "-h", "--help", "run --help" } do
            local text = output("$S " .. option)
            assert.is_truthy(text:find("^usage: stagehost %[run%] %[option %.%.%.%] script%.lua"))
            assert_has(text, "--drain-timeout TIME")
            assert_has(text, "STAGEHOST_WORKERS")
        end
    end)

    it("has every option of the help in its manual", function()
        local file = assert(io.open "bindings/command/stagehost.1")
        local manual = file:read "*a"
        file:close()
        for option in output("$S --help"):gmatch "\n[ ]+%-?%w?,? *%-%-(%w[%w-]+)" do
            assert_has(manual, "Fl -" .. option)
        end
    end)

    it("prints its version", function()
        assert.is_truthy(output("$S --version"):find("^stagehost %d+%.%d+%.%d+ %(LuaJIT .*, libuv .*%)\n$"))
    end)

    it("tells a mistake with the usage, status 64", function()
        local r = run "$S --wrokers 2 x.lua"
        assert.are.equal(64, r.status)
        assert.are.equal("", r.out)
        assert_has(r.err, "stagehost: unknown option --wrokers (did you mean --workers?)\nusage: ")
        r = run "STAGEHOST_WORKERS=lots $S x.lua"
        assert.are.equal(64, r.status)
        assert_has(r.err, "STAGEHOST_WORKERS: expected a whole number")
        assert.are.equal(64, run("$S graph x.lua").status)
        assert.are.equal(64, run("$S -i x.lua").status)
    end)

    it("wants a script when standard input is a terminal", function()
        local r = run "script -qec \"$S\" /dev/null </dev/null"
        assert.are.equal(64, r.status)
        assert_has(r.out, "usage: stagehost")
    end)
end)

describe("a script", function()
    it("gets its arguments", function()
        local files = { ["a.lua"] = "print(arg[0], #arg, arg[1], arg[2], ...)" }
        assert.are.equal("a.lua\t2\t-x\t--help\t-x\t--help\n", output("$S a.lua -x --help", files))
        assert.are.equal("./a.lua\t1\tb\tnil\tb\n", output("$S run -q -- ./a.lua b", files))
    end)

    it("may come from standard input", function()
        assert.are.equal("-\ta\n", output "echo 'print(arg[0], ...)' | $S - a")
        assert.are.equal("hello\n", output "echo 'print \"hello\"' | $S")
    end)

    it("may start with #! and a byte order mark", function()
        local files = { a = "#!/usr/bin/env stagehost\nerror 'here'", b = "\239\187\191print 'mark'" }
        assert_has(run("$S a", files).err, "a:2: here")
        assert.are.equal("mark\n", output("$S b", files))
    end)

    it("may be code of the command line, before a script", function()
        assert.are.equal("1\n", output "$S -e 'print(1)'")
        assert.are.equal("nil\t7\n", output "$S -e 'local x = 1 y = 7' -e 'print(x, y)'")
        local files = { ["a.lua"] = "print(z, ...)\nerror 'later'" }
        local r = run("$S -e 'z = \"\\200\"' a.lua b", files)
        assert.are.equal("\200\tb\n", r.out)
        assert_has(r.err, "a.lua:2: later")
    end)

    it("finds libraries of -l as globals", function()
        local line = "mkdir mod; echo 'return { n = 3 }' >mod/lib.lua; $S -l mod.lib -e 'print(lib.n)'"
        assert.are.equal("3\n", output(line))
    end)

    it("has subscriptions that ask for as much as told", function()
        local script = [[
            local s = require "stagehost"
            for worker = 0, 1 do
                local asked = s.producer {
                    handle_demand = function(_, n)
                        print(n)
                        return s.stop()
                    end,
                }
                s.start(s.sink.print(), { subscribe_to = assert(s.start(asked)), worker = worker })
            end
        ]]
        assert.are.equal("7\n7\n", run("$S -w 2 --max-demand 7 a.lua", { ["a.lua"] = script }).out)
        assert.are.equal("8\n8\n", run("STAGEHOST_MAX_DEMAND=8 $S -w 2 a.lua", { ["a.lua"] = script }).out)
        assert_has(run("$S --max-demand 0 a.lua").err, "--max-demand: expected a whole number from 1 to")
    end)

    it("ends when its stages have ended", function()
        assert.are.equal("1\n2\n3\n", output("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local source = stagehost.start(stagehost.source.list { 1, 2, 3 })
            stagehost.start(stagehost.sink.print(), { subscribe_to = { source } })
        ]] }))
    end)

    it("runs on as many workers as told", function()
        local code = "-e 'print(require \"stagehost\".workers())'"
        assert.are.equal("3\n", output("$S -w 3 " .. code))
        assert.are.equal("5\n", output("STAGEHOST_WORKERS=5 $S " .. code))
        assert.are.equal("1\n", output("$S --seed 42 " .. code))
    end)
end)

describe("modules", function()
    local print_path = "-e 'print(package.path)'"

    it("are found beside the script, wherever it is called from", function()
        local line = [[
            mkdir -p d/sub
            echo 'return "beside"' >d/sub/init.lua
            echo 'print(require "sub")' >d/main.lua
            ln -s d/main.lua link
            $S d/main.lua; cd /; $S "$OLDPWD/d/main.lua"; $S "$OLDPWD/link"
        ]]
        assert.are.equal("beside\nbeside\nbeside\n", output(line))
    end)

    it("are searched in STAGEHOST_PATH, then LUA_PATH, then where Lua looks", function()
        local path = output("STAGEHOST_PATH='s/?.lua' LUA_PATH='l/?.lua' $S " .. print_path)
        local at = {}
        for i, template in ipairs { "./?.lua;", "s/?.lua;", "l/?.lua;", "/share/stagehost/?.lua;",
            "/usr/share/lua/5.1/?.lua" } do
            at[i] = assert(path:find(template, 1, true), template)
            assert.is_true(i == 1 or at[i - 1] < at[i])
        end
        assert_has(output("LUA_PATH=';;l/?.lua' $S " .. print_path), "l/?.lua;")
        assert_has(output("$S -e 'print(package.cpath)'"), "/lua/5.1/?.so")
    end)

    it("of Debian's Lua 5.1 load", function()
        assert.are.equal("[1]\n", output "$S -l cjson -e 'print(cjson.encode { 1 })'")
    end)
end)

describe("failures", function()
    it("a missing script: 66", function()
        assert_has(run("$S ''").err, [["\"\": no such script"]])
        for _, name in ipairs { "nosuch.lua", "frobnicate" } do
            local r = run("$S " .. name)
            assert.are.equal(66, r.status)
            assert_has(r.err, error_line(name .. ": no such script"))
        end
        local r = run "$S ."
        assert.are.equal(66, r.status)
        assert_has(r.err, error_line ".: Is a directory")
    end)

    it("a syntax error: 70, with its place", function()
        local r = run("$S a.lua", { ["a.lua"] = "local x\nx = = 1" })
        assert.are.equal(70, r.status)
        assert_has(r.err, error_line "a.lua:2: unexpected symbol near '='")
        assert.are.equal(70, run("$S -e 'x ='").status)
        assert.are.equal(70, run("$S -e 'x = 1' -e 'x ='").status)
    end)

    it("a missing module: 70, with the folders searched", function()
        local r = run "$S -e 'require \"no.such\"'"
        assert.are.equal(70, r.status)
        assert_has(r.err, "module 'no.such' not found:")
        assert_has(r.err, "no file './no/such.lua'")
        r = run "$S -l no.such -e 'print \"not reached\"'"
        assert.are.equal(70, r.status)
        assert.are.equal("", r.out)
        assert_has(r.err, "module 'no.such' not found:")
    end)

    it("an error of the script: 70, told once, with its traceback", function()
        local r = run("$S a.lua", { ["a.lua"] = "local function f() error 'boom' end\nf()\n" })
        assert.are.equal(70, r.status)
        assert_has(r.err, 'err="main chunk: a.lua:1: boom\\nstack traceback:')
        assert_has(r.err, "a.lua:2: in main chunk")
        assert.are.equal(1, select(2, r.err:gsub("\n", "")))
    end)

    it("an error of a stage: 70, with its name, callback and traceback", function()
        local r = run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            stagehost.start(stagehost.process {
                handle_info = function() error "boom" end,
            }, { name = "fragile" }):send(1)
        ]] })
        assert.are.equal(70, r.status)
        assert_has(r.err, 'stage=fragile err="handle_info: a.lua:3: boom\\nstack traceback:')
    end)

    it("is told even when nothing is logged", function()
        local r = run "$S --log-level off -e 'error \"boom\"'"
        assert.are.equal(70, r.status)
        assert_has(r.err, "boom")
    end)

    it("events nobody got: 75, with the stage that has them", function()
        local r = run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local source = stagehost.start(stagehost.source.list { 1, 2, 3 }, { name = "three" })
            local sink = stagehost.start(stagehost.consumer {
                handle_events = function() stagehost.sleep(1e6) end,
            }, { name = "stuck", subscribe_to = { source } })
            stagehost.sleep(20)
            sink:kill()
        ]] })
        assert.are.equal(75, r.status)
        assert_has(r.err, error_line "3 events are unfinished")
        assert_has(r.err, 'level=error msg="3 events unfinished: handle_events" stage=stuck')
    end)
end)
