-- SPDX-License-Identifier: MIT

--- Names and groups: unique over all workers, gone with their stages.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start
local workers = stagehost.workers() > 1 and { 0, 1 } or { 0 }

after_each(stages.stop_all)

local Member = stagehost.process {
    handle_call = function(_, request)
        local result = stagehost[request[1]](request[2])
        return result == nil or result
    end,
}

local function join(member, group)
    assert.is_true(member:call { "enter", group })
end

describe("names", function()
    it("are those of the stages that are alive, sorted", function()
        assert.same({}, stagehost.names())
        local list = {}
        for i, name in ipairs { "pear", "apple", "fig" } do
            list[name] = start(Member, { name = name, worker = workers[i % #workers + 1] })
        end
        start(Member)
        assert.same({ "apple", "fig", "pear" }, stagehost.names())
        stages.stop(list.fig)
        assert.same({ "apple", "pear" }, stagehost.names())
    end)

    it("are many", function()
        local expected = {}
        for i = 1, 200 do
            expected[i] = ("n%03d"):format(i)
            start(Member, { name = expected[i], worker = workers[i % #workers + 1] })
        end
        assert.same(expected, stagehost.names())
    end)
end)

for _, worker in ipairs(workers) do
    describe("await_name on worker " .. worker, function()
        it("has the stage at once if it is there", function()
            local stage = start(Member, { name = "there", worker = worker })
            assert.equal(stage, (stagehost.await_name("there", 50000)))
            assert.equal(stage, (stagehost.await_name "there"))
        end)

        it("waits for it, on any worker", function()
            local waiting = {}
            for i = 1, 6 do
                waiting[i] = assert(stagehost.task({ worker = workers[i % #workers + 1] }, function()
                    return require "stagehost".await_name("later", i == 1 and 60000 or math.huge)
                end))
            end
            stagehost.sleep(5)
            local stage = start(Member, { name = "later", worker = worker })
            for _, task in ipairs(waiting) do
                assert.equal(stage, (task:await()))
            end
        end)

        it("gives up in time, and again", function()
            for _ = 1, 2 do
                local stage, message, reason = stagehost.await_name("never", 2)
                assert.is_nil(stage)
                assert.is_string(message)
                assert.equal("timeout", reason)
            end
            local late = start(Member, { name = "never", worker = worker })
            assert.equal(late, (stagehost.await_name("never", 50000)))
        end)

        it("can be talked to at once, before its init is through", function()
            local Slow = stagehost.process {
                init = function(self)
                    stagehost.sleep(5)
                    self.ready = "ready"
                end,
                handle_call = function(self) return self.ready end,
            }
            local asking = {}
            for i, w in ipairs(workers) do
                asking[i] = assert(stagehost.task({ worker = w }, function()
                    return require "stagehost".await_name "slow":call("?", math.huge)
                end))
            end
            stagehost.sleep(2)
            start(Slow, { name = "slow", worker = worker })
            for _, task in ipairs(asking) do
                assert.equal("ready", (task:await()))
            end
        end)

        it("is no matter of a stage that ended while it waited", function()
            local waiting = start(stagehost.process {
                handle_cast = function() stagehost.await_name "nobody" end,
            }, { worker = worker })
            waiting:cast "go"
            stages.stop(waiting)
            start(Member, { name = "nobody" })
        end)
    end)
end

describe("a group", function()
    it("has its members in order of entering, of all workers", function()
        local members = {}
        for i = 1, 6 do
            members[i] = start(Member, { worker = workers[i % #workers + 1] })
            join(members[i], "crew")
        end
        assert.same(members, stagehost.members "crew")
        assert.same({}, stagehost.members "other")
    end)

    it("has each once, and each may be in several", function()
        local member = start(Member)
        join(member, "a")
        join(member, "a")
        join(member, "b")
        assert.same({ member }, stagehost.members "a")
        assert.same({ member }, stagehost.members "b")
        assert.is_true(member:call { "leave", "a" })
        assert.same({}, stagehost.members "a")
        assert.same({ member }, stagehost.members "b")
    end)

    it("is left by whoever ends, in any way", function()
        local list = {}
        for i = 1, 4 do
            list[i] = start(Member, { worker = workers[i % #workers + 1] })
            join(list[i], "crew")
            join(list[i], "crew " .. i)
        end
        list[2]:stop()
        stages.stop(list[1], list[4])
        assert.same({ list[3] }, stagehost.members "crew")
        stages.stop(list[3])
        for i = 1, 4 do
            assert.same({}, stagehost.members("crew " .. i))
        end
    end)

    it("may be joined by the script", function()
        stagehost.enter "scripts"
        assert.same({ stagehost.self() }, stagehost.members "scripts")
        assert.is_true(stagehost.leave "scripts")
        assert.is_false(stagehost.leave "scripts")
    end)

    it("needs a name", function()
        for _, wrong in ipairs { "", "a\0b" } do
            assert.error_matches(function() stagehost.enter(wrong) end, "must not be empty")
        end
        assert.error_matches(function() stagehost.members() end, "string expected")
    end)

    it("stays what it is while many come and go", function()
        local tasks = {}
        for i = 1, 8 do
            tasks[i] = assert(stagehost.task({ worker = workers[i % #workers + 1] }, function()
                for round = 1, 50 do
                    stagehost.enter("g" .. round % 5)
                    stagehost.members("g" .. round % 3)
                    stagehost.leave("g" .. (round + 2) % 5)
                end
                for n = 0, 4 do
                    stagehost.leave("g" .. n)
                end
            end))
        end
        for _, task in ipairs(tasks) do
            task:await()
        end
        for n = 0, 4 do
            assert.same({}, stagehost.members("g" .. n))
        end
    end)
end)
