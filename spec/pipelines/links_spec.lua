-- SPDX-License-Identifier: MIT

--- Links, monitors and exit signals: who ends with whom, with what reason, and who is told.
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

--- The texts of the ends that are logged while `f` runs, of stages of this worker.
local function ends_logged(f)
    local texts = {}
    hooks.on_log(function(code, _, message)
        if code == "stage_ended" then
            texts[#texts + 1] = message
        end
    end)
    local ok, problem = pcall(f)
    hooks.on_log(nil)
    assert(ok, problem)
    return texts
end

--- Does what it is told: `stage:call { "link", other }` links it, and so on.
local does = {
    link = function(_, other) stagehost.link(other) end,
    unlink = function(_, other) stagehost.unlink(other) end,
    exit = function(_, other, reason) other:exit(reason) end,
    sleep = function(_, ms) stagehost.sleep(ms) end,
    wait = function()
        stagehost.whereis("witness"):send "waits"
        stagehost.sleep(60000)
    end,
    stop = function(_, reason) return stagehost.stop(reason, nil, true) end,
    crash = function() error("boom", 0) end,
    monitor = function(_, other) return stagehost.monitor(other) end,
    demonitor = function(_, ref) return stagehost.demonitor(ref) end,
    start = function(_, def, opts) return stagehost.start(def, opts) end,
    told = function(self) return self.told or {} end,
}

local function handle_call(self, request)
    local result = does[request[1]](self, request[2], request[3])
    return result == nil and true or result
end

local function terminate(self, reason)
    local me = self.stage
    stagehost.whereis("witness"):send { me, reason }
end

local Plain = stagehost.process { handle_call = handle_call, handle_cast = handle_call, terminate = terminate }
Plain.handle_cast = function(self, request)
    local result = does[request[1]](self, request[2], request[3])
    return getmetatable(result) and result or nil
end

local Trapping = stagehost.process {
    handle_call = handle_call,
    handle_cast = Plain.handle_cast,
    handle_exit = function(self, from, reason)
        self.told = self.told or {}
        table.insert(self.told, { "exit", from, reason })
    end,
    handle_down = function(self, stage, reason, ref)
        self.told = self.told or {}
        table.insert(self.told, { "down", stage, reason, ref })
    end,
    terminate = terminate,
}

local Witness = stagehost.process {
    init = function(self) self.seen = {} end,
    handle_info = function(self, message) table.insert(self.seen, message) end,
    handle_call = function(self) return self.seen end,
}

local witness

before_each(function()
    witness = start(Witness, { name = "witness" })
end)

--- What `stage` has been told, once it has been told n times (another worker takes its time).
local function told(stage, n)
    for _ = 1, 1000 do
        local list = stage:call { "told" }
        if #list >= n then
            return list
        end
        stagehost.sleep(1)
    end
    return stage:call { "told" }
end

-- Every case on one worker, and with the two stages on different ones.
for _, worker in ipairs(stagehost.workers() > 1 and { 0, 1 } or { 0 }) do
    local function other(def, opts)
        opts = opts or {}
        opts.worker = worker
        return start(def, opts)
    end

    describe("a link with a stage of worker " .. worker, function()
        it("ends the other one with the reason of a crash", function()
            local a, b = start(Plain, { name = "a" }), other(Plain, { name = "b" })
            assert(a:call { "link", b })
            b:cast { "crash" }
            local reason = a:join()
            assert.is_true(stagehost.is_error(reason))
            assert.equal("b", reason.stage)
            assert.same({ { a, reason } }, { witness:call()[#witness:call()] })
        end)

        for _, reason in ipairs { "shutdown", "odd", { "shutdown", "why" } } do
            it("ends the other one with " .. tostring(type(reason) == "table" and "{shutdown, x}" or reason), function()
                local a, b = start(Plain), other(Plain)
                assert(a:call { "link", b })
                assert(b:call { "stop", reason })
                assert.same(reason, a:join())
            end)
        end

        it("does not end the other one at a normal end", function()
            local a, b = start(Plain), other(Plain)
            assert(a:call { "link", b })
            assert(b:call { "stop", "normal" })
            b:join()
            assert.is_true(a:call { "sleep", 1 })
        end)

        it("tells one that traps exits, of every reason", function()
            local a, n = start(Trapping), 0
            for _, reason in ipairs { "normal", "shutdown", "odd" } do
                local b = other(Plain)
                assert(a:call { "link", b })
                assert(b:call { "stop", reason })
                b:join()
                n = n + 1
                assert.same({ "exit", b, reason }, told(a, n)[n])
            end
        end)

        it("shows a kill as killed", function()
            local a, b, c = start(Plain), other(Plain), start(Trapping)
            assert(a:call { "link", b })
            assert(c:call { "link", b })
            b:kill()
            assert.equal("killed", a:join())
            assert.same({ { "exit", b, "killed" } }, told(c, 1))
        end)

        it("to a stage that has ended is noproc", function()
            local a, b, c = start(Trapping), other(Plain), start(Plain)
            b:stop()
            assert(a:call { "link", b })
            assert.same({ { "exit", b, "noproc" } }, told(a, 1))
            c:cast { "link", b }
            assert.equal("noproc", c:join())
        end)

        it("is gone after unlink, from either side", function()
            local a, b, c = start(Trapping), other(Trapping), start(Trapping)
            assert(a:call { "link", b })
            assert(a:call { "link", b }) -- one link, however often
            assert(a:call { "unlink", b })
            assert(b:call { "link", c })
            assert(c:call { "unlink", b })
            b:stop "odd"
            hooks.settle(1000)
            assert.same({}, a:call { "told" })
            assert.same({}, c:call { "told" })
        end)

        it("takes a whole group along", function()
            local group = {}
            for i = 1, 8 do
                group[i] = i % 2 == 0 and other(Plain) or start(Plain)
                if i > 1 then
                    assert(group[i]:call { "link", group[i - 1] })
                end
            end
            group[4]:cast { "crash" }
            for i = 1, 8 do
                assert.matches("boom", tostring(group[i]:join()))
            end
        end)

        it("given at start is there from the first moment", function()
            local a = start(Trapping)
            local b = assert(a:call { "start", Plain, { link = true, worker = worker } })
            assert(b:call { "stop", "odd" })
            b:join()
            assert.same({ { "exit", b, "odd" } }, told(a, 1))
        end)

        it("with a stage whose init fails tells by the answer of start alone", function()
            local Failing = stagehost.process { init = function() return stagehost.stop "no" end }
            local Starter = stagehost.process {
                handle_call = function()
                    local stage, message, reason = stagehost.start(Failing, { link = true, worker = worker })
                    return { stage == nil, message, reason }
                end,
            }
            local a = start(Starter)
            assert.same({ true, "no", "no" }, a:call())
            hooks.settle(1000)
            assert.is_true(a:is_alive())
        end)

        -- Its name is known from the moment of the start on, so anybody may end it before it begins.
        for how, reason in pairs { kill = "killed", exit = "odd" } do
            it("with a stage that is ended before its init too: by " .. how, function()
                local Ender = stagehost.process {
                    handle_cast = function(_, name)
                        local stage = stagehost.whereis(name)
                        stage[how](stage, reason)
                    end,
                }
                local Starter = stagehost.process {
                    init = function(self) self.signals = 0 end,
                    handle_call = function(self, ender)
                        if not ender then
                            return self.signals
                        end
                        ender:cast "early" -- its turn comes before that of the new stage
                        local stage, message, why = stagehost.start(Plain, { name = "early", link = true,
                            worker = worker, args = { stagehost.self(), ("x"):rep(100) } })
                        return { stage, message = message, reason = why }
                    end,
                    handle_exit = function(self) self.signals = self.signals + 1 end,
                }
                local a = start(Starter)
                local answer = a:call(start(Ender))
                if answer[1] then -- on another worker it may have been quick
                    assert.equal(reason, answer[1]:join())
                    assert.not_equal(stagehost.worker(), worker)
                else
                    assert.same({ message = reason, reason = reason }, answer)
                end
                hooks.settle(1000)
                assert.equal(answer[1] and 1 or 0, a:call())
                assert.is_nil(stagehost.whereis "early")
            end)
        end
    end)

    describe("an exit signal to a stage of worker " .. worker, function()
        it("ends it, also while its callback waits; terminate runs; the caller is told", function()
            local a = other(Plain)
            local caller = start(stagehost.process {
                handle_cast = function(self)
                    self.answer = { a:call({ "wait" }, math.huge) }
                end,
                handle_call = function(self) return self.answer end,
            })
            caller:cast()
            while #witness:call() == 0 do -- it has begun to wait
                stagehost.sleep(1)
            end
            a:exit "enough"
            assert.equal("enough", a:join())
            local answer = caller:call()
            assert.is_nil(answer[1])
            assert.equal("enough", answer[3])
            assert.same({ "waits", { a, "enough" } }, witness:call())
        end)

        it("is ignored when it is normal", function()
            local a = other(Plain)
            a:exit()
            a:exit "normal"
            assert.is_true(a:call { "sleep", 1 })
        end)

        it("from itself ends it even when it is normal", function()
            local a = other(Plain)
            a:cast { "exit", a, "normal" }
            assert.equal("normal", a:join())
        end)

        it("is told to one that traps exits, after the callback that waits", function()
            local a = other(Trapping)
            a:cast { "sleep", 20 }
            a:exit "please"
            a:exit()
            local me = stagehost.self()
            assert.same({ { "exit", me, "please" }, { "exit", me, "normal" } }, told(a, 2))
        end)

        it("kill can't be trapped", function()
            local a = other(Trapping)
            a:exit "kill"
            assert.equal("killed", a:join())
        end)

        it("to a stage that has ended goes nowhere", function()
            local a = other(Plain)
            a:stop()
            a:exit "late"
            assert.equal("normal", a:join())
        end)
    end)

    describe("a monitor of a stage of worker " .. worker, function()
        it("tells of the end, with its reason", function()
            local a, b = start(Trapping), other(Plain)
            local first, second = a:call { "monitor", b }, a:call { "monitor", b }
            assert.not_equal(first, second)
            b:cast { "stop", "odd" }
            b:join()
            local list = told(a, 2)
            assert.equal(2, #list)
            for _, one in ipairs(list) do
                assert.same({ "down", b, "odd" }, { one[1], one[2], one[3] })
            end
            assert.is_true(a:is_alive())
        end)

        it("of a stage that has ended says noproc", function()
            local a, b = start(Trapping), other(Plain)
            b:stop()
            local ref = a:call { "monitor", b }
            assert.same({ { "down", b, "noproc", ref } }, told(a, 1))
        end)

        it("taken back says nothing, also if the end is in the mailbox already", function()
            local a, b = start(Trapping), other(Plain)
            local ref = a:call { "monitor", b }
            local stays = a:call { "monitor", b }
            hooks.hold(a)
            b:stop()
            a:cast { "demonitor", ref }
            hooks.release(a)
            local refs = {}
            for _, one in ipairs(told(a, 1)) do
                refs[one[4]] = true
            end
            assert.is_true(refs[stays])
            assert.is_false(a:call { "demonitor", stays }, "used up")
        end)
    end)
end

describe("the crash of one of several linked stages", function()
    it("is one failure, and those that end with it say so", function()
        local group = {}
        for i = 1, 4 do
            group[i] = start(Plain)
            assert(group[i]:call { "link", group[1] })
        end
        local texts = ends_logged(function()
            group[2]:cast { "crash" }
            for i = 1, 4 do
                group[i]:join()
            end
        end)
        assert.equal("boom", table.remove(texts, 1))
        local same = "ended with a stage it was linked to: boom"
        assert.same({ same, same, same }, texts)
    end)
end)

describe("monitor", function()
    it("needs a handle_down", function()
        local a = start(stagehost.process { handle_call = function(_, x) return stagehost.monitor(x) end })
        local _, message = a:call(witness)
        assert.matches("has no callback handle_down", message)
    end)
end)

describe("a stage linked with itself", function()
    it("is as before", function()
        local a = start(Trapping)
        assert(a:call { "link", a })
        assert.same({}, a:call { "told" })
        assert(a:call { "unlink", a })
    end)
end)
