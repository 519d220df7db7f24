-- SPDX-License-Identifier: MIT

--- Tasks: functions that run on a process of their own and are awaited.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local workers = stagehost.workers() > 1 and { 0, 1 } or { 0 }

for _, worker in ipairs(workers) do
    local function task(f, ...)
        return assert(stagehost.task({ worker = worker }, f, ...))
    end

    describe("a task on worker " .. worker, function()
        it("gives all its results, also nil ones", function()
            assert.same({ 3, n = 1 }, { n = 1, task(function(a, b) return a + b end, 1, 2):await() })
            local function echo(...) return ... end
            assert.equal(5, select("#", task(echo, nil, 1, nil, 2, nil):await()))
            assert.equal(0, select("#", task(echo):await()))
        end)

        it("runs there, and may wait", function()
            local t = task(function()
                local sleep = require "stagehost".sleep
                sleep(5)
                return require "stagehost".worker()
            end)
            assert.equal(worker, (t:await()))
        end)

        it("runs beside others", function()
            local list = {}
            for i = 1, 20 do
                list[i] = task(function(n)
                    require "stagehost".sleep(20 - n)
                    return n * n
                end, i)
            end
            for i = 1, 20 do
                assert.equal(i * i, (list[i]:await()))
            end
        end)

        it("keeps its results for whoever comes late, and again", function()
            local t = task(function() return "done" end)
            assert.equal("normal", t.stage:join())
            assert.equal("done", (t:await()))
            assert.equal("done", (t:await()))
            assert.is_false(t:is_alive())
        end)

        it("tells of an error, without harm to the starter", function()
            for _, late in ipairs { false, true } do
                local t = task(function() error("boom", 0) end)
                if late then
                    t.stage:join()
                end
                local result, message, reason = t:await()
                assert.is_nil(result)
                assert.matches("boom", message)
                assert.is_true(stagehost.is_error(reason))
                assert.matches("stack traceback", reason.traceback)
                assert.same({ nil, message, reason }, { t:await() })
            end
        end)

        it("tells of a kill", function()
            local t = task(function() require "stagehost".sleep(60000) end)
            t:kill()
            assert.equal("killed", (select(3, t:await())))
        end)

        it("can be awaited again after a timeout", function()
            local t = task(function() require "stagehost".sleep(30) return "late" end)
            local result, _, reason = t:await(1)
            assert.is_nil(result)
            assert.equal("timeout", reason)
            assert.equal("late", (t:await(50000)))
        end)

        it("with a link ends its starter when it fails", function()
            local owner = start(stagehost.process {
                handle_cast = function()
                    local t = stagehost.task({ worker = worker, link = true }, function() error("boom", 0) end)
                    return t:await() and nil
                end,
            })
            owner:cast "go"
            assert.matches("boom", tostring(owner:join()))
        end)

        it("goes on when its starter ends, and its answer goes nowhere", function()
            local owner = start(stagehost.process {
                handle_call = function(self)
                    self.task = task(function() require "stagehost".sleep(5) return 1 end)
                    return self.task.stage
                end,
            })
            local stage = owner:call()
            owner:kill()
            assert.equal("normal", stage:join())
        end)

        it("whose results can't leave it fails", function()
            if worker == stagehost.worker() then
                return
            end
            local result, message = task(function() return coroutine.create(print) end):await()
            assert.is_nil(result)
            assert.is_string(message)
        end)
    end)
end

describe("a task", function()
    it("belongs to the stage that started it", function()
        local t = assert(stagehost.task(function() require "stagehost".sleep(60000) end))
        local other = start(stagehost.process { handle_call = function() return t:await() end })
        local _, message = other:call()
        assert.matches("only the stage that started a task", message)
        t:kill()
    end)

    it("refuses what is no function, and unknown options", function()
        assert.error_matches(function() stagehost.task(5) end, "expected a function, got number")
        assert.error_matches(function() stagehost.task({}, "x") end, "expected a function, got string")
        assert.error_matches(function() stagehost.task({ wroker = 1 }, print) end, 'unknown option "wroker" of a task')
    end)

    it("may be given a name, which must be free", function()
        local t = assert(stagehost.task({ name = "busy" }, function() require "stagehost".sleep(60000) end))
        assert.equal(t.stage, stagehost.whereis "busy")
        assert.equal("task<busy>", tostring(t))
        local second, _, reason = stagehost.task({ name = "busy" }, print)
        assert.is_nil(second)
        assert.equal("already_started", reason)
        t:kill()
    end)
end)
