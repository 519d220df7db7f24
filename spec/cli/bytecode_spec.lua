-- SPDX-License-Identifier: MIT

--- Precompiled code is refused wherever a script could load it, unless the command was told otherwise.
local command = require "spec.support.command"

local bytecode = string.dump(function() io.write "ran\n" return "module" end)
local refusal = "precompiled bytecode is refused, because LuaJIT does not verify it"

local function run(line, files)
    files = files or {}
    files["x.luac"], files["mod.lua"] = bytecode, bytecode
    return command.run(line, files)
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text, part))
end

describe("bytecode", function()
    it("is refused as a script", function()
        for line, name in pairs {
            ["$S x.luac"] = "x.luac: ", ["$S - < x.luac"] = "stdin: ", ["$S < x.luac"] = "stdin: ",
        } do
            local r = run(line)
            assert.equal("", r.out)
            assert_has(r.err, name .. refusal)
            assert_has(r.err, "--allow-bytecode")
            assert.equal(70, r.status)
        end
    end)

    it("is refused as a module", function()
        local r = run("$S -e 'require \"mod\"'; $S -l mod -e 'print(1)'")
        assert.equal("", r.out)
        assert_has(r.err, "error loading module 'mod' from file './mod.lua':")
        assert_has(r.err, refusal)
        assert.equal(70, r.status)
    end)

    local loader = [[
        local dump = string.dump(function() return "loaded" end)
        local buffer = require("string.buffer").new():put(dump)
        local at = 0
        local function by_byte()
            at = at + 1
            return at <= #dump and dump:sub(at, at) or nil
        end
        local function try(name, f, problem)
            print(name, f and f() or problem)
        end
        try("load", load(dump))
        try("loadstring", loadstring(dump))
        try("by byte", load(by_byte))
        try("buffer", load(buffer))
        try("mode", load(dump, "=mode", "b"))
        try("loadfile", loadfile "x.luac")
        print("dofile", select(2, pcall(dofile, "x.luac")))]]

    it("is refused by load and its like", function()
        local r = run("$S x.lua", { ["x.lua"] = loader })
        local n = 0
        for line in r.out:gmatch "[^\n]+" do
            n = n + 1
            assert_has(line, refusal)
        end
        assert.equal(7, n, r.out)
        assert.equal(0, r.status, r.err)
    end)

    it("is refused in threads of luv", function()
        local r = run("$S x.lua", { ["x.lua"] = [[
            local uv = require "luv"
            local dump = string.dump(function() print "ran" end)
            print(pcall(uv.new_thread, dump))
            print(pcall(uv.new_thread, {}, dump))
            print(pcall(uv.new_work, dump, function() end))
            local thread = uv.new_thread(function()
                print(pcall(require, "mod"))
                print(load(string.dump(function() end)))
            end)
            thread:join()]] })
        assert.equal(5, select(2, r.out:gsub("precompiled bytecode is refused", "")), r.out)
        assert.equal(0, r.status, r.err)
    end)

    it("is loaded where it is allowed, by the option or the environment", function()
        local loaded = "load\tloaded\nloadstring\tloaded\nby byte\tloaded\nbuffer\tloaded\nmode\tloaded\n" ..
            "ran\nloadfile\tmodule\nran\ndofile\tmodule\n"
        for _, line in ipairs { "$S --allow-bytecode", "STAGEHOST_ALLOW_BYTECODE=1 $S" } do
            local r = run(line .. " x.lua", { ["x.lua"] = loader })
            assert.equal(loaded, r.out)
            assert.equal(0, r.status, r.err)
            assert.equal("ran\n", run(line .. " x.luac").out)
            assert.equal("ran\nmodule\n", run(line .. " -e 'print((require \"mod\"))'").out)
        end
    end)

    it("takes 0, 1 or nothing in the environment", function()
        assert.equal(70, run("STAGEHOST_ALLOW_BYTECODE=0 $S x.luac").status)
        assert.equal(70, run("STAGEHOST_ALLOW_BYTECODE= $S x.luac").status)
        local r = run("STAGEHOST_ALLOW_BYTECODE=yes $S x.luac")
        assert_has(r.err, "STAGEHOST_ALLOW_BYTECODE: expected 0 or 1, not 'yes'")
        assert.equal(64, r.status)
    end)
end)

describe("load, loadstring, loadfile and dofile", function()
    it("are otherwise as LuaJIT's", function()
        local r = run("$S x.lua < stdin.lua", {
            ["stdin.lua"] = "return 'from standard input'",
            ["bad.lua"] = "x =",
            ["args.lua"] = "return ..., value",
            ["x.lua"] = [[
                print(dofile())
                print(load("x ="))
                print(load("x =", "=name"))
                print(loadfile "bad.lua")
                print(loadfile "none.lua")
                print(load("return 1", "=name", "b"))
                print(loadfile("args.lua", "t", { value = 2 })(1))
                print(load("return value", "=name", "t", { value = 3 })())
                print(load("return value", nil, nil, nil)())
                print(load(function() return nil end)())
                print(load(function() return {} end))
                print(pcall(function() load(nil) end))
                local pieces = { "return ", "4", "2" }
                print(load(function() return table.remove(pieces, 1) end)())
                print((loadstring "error 'x'" and pcall(loadstring("error 'x'", "@named"))))
                print(pcall(dofile, "bad.lua"))]],
        })
        assert.equal(table.concat({
            "from standard input",
            "nil\t[string \"x =\"]:1: unexpected symbol near '<eof>'",
            "nil\tname:1: unexpected symbol near '<eof>'",
            "nil\tbad.lua:1: unexpected symbol near '<eof>'",
            "nil\tcannot open none.lua: No such file or directory",
            "nil\tattempt to load chunk with wrong mode",
            "1\t2", "3", "nil", "",
            "nil\tx.lua:11: reader function must return a string",
            "false\tx.lua:12: bad argument #1 to 'load' (function expected, got nil)",
            "42", "false",
            "false\tbad.lua:1: unexpected symbol near '<eof>'", "",
        }, "\n"), r.out)
        assert.equal(0, r.status, r.err)
    end)
end)
