-- SPDX-License-Identifier: MIT

--- Errors that callbacks raise, of every kind, and reasons as they travel.
local stagehost = require "stagehost"

--- The reason of a process that runs `f` and fails.
local function crash(f)
    local Process = stagehost.process {
        init = function()
            stagehost.send_after(1, "go")
        end,
        handle_info = f,
    }
    return assert(stagehost.start(Process, { name = "victim" })):join()
end

describe("an error", function()
    it("carries message, stage, callback and traceback", function()
        local reason = crash(function()
            error("boom")
        end)
        assert.equal("error", reason.name)
        assert.equal("victim", reason.stage)
        assert.equal("handle_info", reason.callback)
        assert.matches("failure_spec.lua:%d+: boom$", reason.message)
        assert.matches("^stack traceback:\n", reason.traceback)
        assert.matches("failure_spec.lua:%d+: in function", reason.traceback)
    end)

    local function text_of(value, expected)
        local reason = crash(function()
            error(value)
        end)
        assert.equal(expected, reason.message)
        return reason
    end

    it("has all of its text, also behind a zero byte", function()
        local reason = crash(function()
            error("a\0b", 0)
        end)
        assert.equal([[a\0b]], reason.message)
    end)

    it("may be any value", function()
        text_of(false, "false")
        text_of(true, "true")
        text_of(print, "(error object is a function value)")
        text_of({}, "(error object is a table value)")
        text_of({ message = "from a field" }, "from a field")
        text_of(setmetatable({}, { __tostring = function() return "itself" end }), "itself")
    end)

    it("of nil says where that was", function()
        local line = debug.getinfo(1, "l").currentline + 3
        local function raise() error(nil) end
        local function raise_inside() coroutine.wrap(function() error() end)() end
        for i, f in ipairs { raise, raise_inside } do
            local reason = crash(f)
            assert.matches(("^spec/bindings/failure_spec.lua:%d: nil was raised"):format(line - 3 + i), reason.message)
        end
    end)

    it("keeps a table that is plain data", function()
        assert.same({ code = 7 }, text_of({ code = 7 }, "(error object is a table value)").value)
        assert.is_nil(text_of({ f = print }, "(error object is a table value)").value)
    end)

    it("may have a __tostring that fails", function()
        local function with(tostring_of)
            return setmetatable({}, { __tostring = tostring_of })
        end
        text_of(with(function() error("again") end), "(error object is a table value)")
        text_of(with(function() return {} end), "(error object is a table value)")
        text_of(with(function(self) return tostring(self) .. "" end), "(error object is a table value)")
        local proxy = newproxy(true)
        getmetatable(proxy).__tostring = function() return "proxy" end
        text_of(proxy, "proxy")
    end)

    it("may come from any depth", function()
        local function recurse(n)
            return 1 + recurse(n + 1)
        end
        assert.matches("stack overflow", crash(function() recurse(1) end).message)
        assert.matches("stack overflow", crash(function()
            local function compare(a, b)
                table.sort({ 1, 2, 3 }, compare)
                return a < b
            end
            table.sort({ 1, 2, 3 }, compare)
        end).message)
        assert.matches("C stack overflow", crash(function()
            local function replace()
                return (("a"):gsub("a", replace))
            end
            replace()
        end).message)
        assert.matches("C stack overflow", crash(function()
            local function nest()
                coroutine.wrap(nest)()
            end
            nest()
        end).message)
    end)

    it("passes through coroutines", function()
        local reason = crash(function()
            coroutine.wrap(function()
                stagehost.sleep(1)
                coroutine.wrap(function()
                    error("inner")
                end)()
            end)()
        end)
        assert.matches("inner$", reason.message)
        assert.matches("stack traceback", reason.traceback)
    end)

    it("ends with terminate, which may fail too", function()
        local seen
        local Process = stagehost.process {
            init = function()
                stagehost.send_after(1, "go")
            end,
            handle_info = function()
                error("first")
            end,
            terminate = function(_, reason)
                stagehost.sleep(1)
                seen = reason
                error("second")
            end,
        }
        local stage = assert(stagehost.start(Process))
        assert.matches("first$", stage:join().message)
        assert.matches("first$", seen.message)
    end)
end)

describe("an error of a method", function()
    -- LuaJIT used to go on with the wrong state after it: see shl_raise.
    it("leaves compiled code alone", function()
        if stagehost.workers() < 2 then
            return
        end
        local far = assert(stagehost.start(stagehost.process { handle_call = function() end }, { worker = 1 }))
        local cycle = { list = {} }
        cycle.list[1] = cycle
        local function work(n)
            local list, sum = {}, 0
            for i = 1, n do
                list[i] = i % 7 == 3 and {} or i
                sum = sum + (type(list[i]) == "number" and list[i] or 1)
            end
            return sum
        end
        for _ = 1, 100 do
            local ok, message = pcall(far.call, far, cycle)
            assert.is_false(ok)
            assert.matches("contains itself", tostring(message))
            for i = 1, 50 do
                assert(work(200 + i) > 0)
            end
        end
        far:stop()
    end)
end)

describe("coroutine.yield in a callback", function()
    it("is an error that names the ways to wait", function()
        local reason = crash(function()
            coroutine.yield()
        end)
        assert.matches("^handle_info called coroutine.yield outside a coroutine of its own", reason.message)
    end)

    it("with many values harms nothing", function()
        local reason = crash(function()
            coroutine.yield(unpack({}, 1, 7000))
        end)
        assert.equal("error", reason.name)
    end)

    it("leaves nobody to be resumed by mistake", function()
        local kept
        crash(function()
            kept = coroutine.running()
            coroutine.yield()
        end)
        assert.equal("suspended", coroutine.status(kept))
        assert.is_true((coroutine.resume(kept)))
        assert.equal("dead", coroutine.status(kept))
    end)
end)

describe("a coroutine of the engine", function()
    it("that somebody else resumes fails its stage, and nothing else", function()
        local kept, seen
        local Process = stagehost.process {
            handle_cast = function()
                kept = coroutine.running()
                stagehost.sleep(3)
            end,
            terminate = function(_, reason)
                seen = reason
            end,
        }
        local stage = assert(stagehost.start(Process))
        stage:cast("go")
        stagehost.sleep(1)
        assert.is_true((coroutine.resume(kept)))
        stagehost.sleep(5)
        assert.matches("was resumed by other code while it waited", seen.message)
        assert.is_false(stage:is_alive())
    end)

    it("that somebody else resumes while it is idle fails its stage, and nothing else", function()
        local kept, ends = nil, {}
        local Producer = stagehost.producer {
            handle_demand = function()
                kept = coroutine.running()
                return { 1 }
            end,
            terminate = function(_, reason)
                ends[#ends + 1] = reason
            end,
        }
        local got = {}
        local Consumer = stagehost.consumer {
            handle_events = function(_, events)
                got[#got + 1] = events[1]
                coroutine.resume(kept)
                assert(events[1] == 1)
            end,
        }
        local producer = assert(stagehost.start(Producer, { demand = "accumulate" }))
        local consumer = assert(stagehost.start(Consumer))
        assert(consumer:subscribe { to = producer, max_demand = 1, cancel = "temporary" })
        producer:demand("forward")
        stagehost.sleep(20)
        assert.same({ 1 }, got)
        assert.equal(1, #ends)
        assert.equal("error", ends[1].name)
        assert.is_true(consumer:is_alive())
        consumer:stop()
    end)
end)

describe("a reason", function()
    --- What `reason` becomes on its way through stop and terminate.
    local function stop_with(reason)
        local seen
        local Process = stagehost.process {
            terminate = function(_, why)
                seen = why
            end,
        }
        local stage = assert(stagehost.start(Process))
        stage:stop(reason)
        return seen
    end

    it("arrives as it was", function()
        for _, reason in ipairs { "normal", "shutdown", "killed", "noproc", "oops", "with \0 in it", "normal\0",
            "shutdown\0", [[normal\0]], 12, true } do
            assert.equal(reason, stop_with(reason))
        end
        assert.equal("normal", stop_with(nil))
        assert.same({ "shutdown", { 1, x = "y" } }, stop_with { "shutdown", { 1, x = "y" } })
        assert.same({ "failed", code = 3 }, stop_with { "failed", code = 3 })
    end)

    it("that can't travel arrives as text", function()
        assert.matches("^%(error object is a table value%)$", stop_with { print })
        assert.matches("function", stop_with(print))
    end)

    it("that is an error stays one", function()
        local first = crash(function()
            error("boom")
        end)
        local again = stop_with(first)
        assert.same({ first.message, first.stage, first.callback, first.traceback },
            { again.message, again.stage, again.callback, again.traceback })
        assert.equal(tostring(first), tostring(again))
    end)
end)
