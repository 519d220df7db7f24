-- SPDX-License-Identifier: MIT

--- Recursion that takes C stack is an error of the script, never a crash: on the thread of the process,
--- whatever its stack is, and on those of workers, whose stack does not depend on it.
local command = require "spec.support.command"

-- Recursions by the function that they go through. `meta` makes a value whose tostring calls f.
local script = [[
local stagehost = require "stagehost"
local buffer = require "string.buffer"

local function recursions()
    local function meta(f)
        return setmetatable({}, { __tostring = f })
    end
    local r = {}
    function r.print() print(meta(function() r.print() return "" end)) end
    function r.log() stagehost.log("info", meta(function() r.log() return "" end)) end
    function r.format() return string.format("%s", meta(r.format)) end
    function r.gsub() return (("a"):gsub("a", r.gsub)) end
    function r.sort() table.sort({ 1, 2, 3 }, function(a, b) r.sort() return a < b end) end
    function r.put() return tostring(buffer.new():put(meta(r.put))) end
    function r.load() assert(load(function() r.load() end)) end
    function r.wrap() coroutine.wrap(r.wrap)() end
    function r.resume() assert(coroutine.resume(coroutine.create(r.resume))) end
    return r
end

--- Of these names, separated by blanks, the ones that have raised; for the others, what happened.
local function try(names)
    local raised, r = {}, recursions()
    for name in names:gmatch "%S+" do
        local ok, problem = pcall(r[name])
        problem = tostring(problem)
        raised[#raised + 1] = not ok and problem:find "stack overflow" and name
            or name .. ": " .. tostring(ok) .. " " .. problem:sub(-60)
    end
    return table.concat(raised, " ")
end

io.write("process: ", try(arg[1]), "\n")
if arg[2] then
    local Worker = stagehost.process { handle_call = function(_, names) return try(names) end }
    local worker = assert(stagehost.start(Worker, { worker = 1 }))
    io.write("worker: ", assert(worker:call(arg[2], 40000)), "\n")
    worker:stop()
end
]]

describe("recursion through C functions", function()
    local all = "print log format gsub sort put load wrap resume"

    local function check(size, line, expected)
        local run = command.run(("ulimit -s %s; $S -w 2 -q x.lua %s"):format(size, line), { ["x.lua"] = script })
        assert.equal(expected, run.out, size .. ": " .. run.err)
        assert.equal(0, run.status, run.err)
    end

    it("is an error, whatever size the C stack has", function()
        check("1024", ("'%s'"):format(all), "process: " .. all .. "\n")
        -- LuaJIT takes seconds to come back from so deep a recursion through string.format.
        local fast = "print gsub sort load wrap resume"
        check("8192", ("'%s'"):format(fast), "process: " .. fast .. "\n")
        check("unlimited", "print", "process: print\n")
    end)

    it("is an error on a worker, and where the stack is as small as can be", function()
        local most = "print log format gsub sort wrap resume"
        check("256", ("'%s' '%s'"):format(all, most), "process: " .. all .. "\nworker: " .. most .. "\n")
    end)

    it("finds the same stack on every worker", function()
        local deep = [[
            local stagehost = require "stagehost"
            local function depth()
                local n = 0
                local function recurse()
                    n = n + 1
                    return (("a"):gsub("a", recurse))
                end
                pcall(recurse)
                return n
            end
            local Worker = stagehost.process { handle_call = function() return depth() end }
            local worker = assert(stagehost.start(Worker, { worker = 1 }))
            print(assert(worker:call()))
            worker:stop()]]
        local depths = {}
        for i, size in ipairs { "256", "8192" } do
            local run = command.run(("ulimit -s %s; $S -w 2 x.lua"):format(size), { ["x.lua"] = deep })
            assert.equal(0, run.status, run.err)
            depths[i] = tonumber(run.out)
        end
        assert.is_true(depths[1] > 100, depths[1])
        assert.equal(depths[1], depths[2])
    end)

    it("ends in a line of the log when it happens where the script ends", function()
        local run = command.run("$S x.lua", { ["x.lua"] = [[
            local function recurse()
                print(setmetatable({}, { __tostring = function() recurse() return "x" end }))
            end
            recurse()]] })
        assert.equal("", run.out)
        assert.matches("C stack overflow", run.err)
        assert.equal(70, run.status)
    end)

    it("is an error in a thread of luv", function()
        local run = command.run("$S x.lua", { ["x.lua"] = [[
            local uv = require "luv"
            local thread = uv.new_thread(function()
                local function recurse()
                    print(setmetatable({}, { __tostring = function() recurse() return "x" end }))
                end
                print(pcall(recurse))
            end)
            thread:join()]] })
        assert.equal("false\tC stack overflow\n", run.out)
        assert.equal(0, run.status)
    end)
end)
