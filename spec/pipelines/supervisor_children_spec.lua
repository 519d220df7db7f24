-- SPDX-License-Identifier: MIT

--- Asking a supervisor about its children and changing them, nesting supervisors, ending children.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local crashing = require "spec.support.crashing"
local supervisor = stagehost.supervisor

local await, child = crashing.await, crashing.child

after_each(stages.stop_all)

--- The third result of a call that failed.
local function reason_of(ok, _, reason)
    assert.is_nil(ok)
    return reason
end

for _, worker in ipairs(crashing.workers()) do
    describe(("a supervisor on worker %d"):format(worker), function()
        local function start(options)
            return stages.start(supervisor(options), { worker = worker })
        end

        it("tells about its children in the order of their start", function()
            local sup = start { children = {
                child("a"), { id = "b", start = supervisor { children = { child "c" } }, restart = "transient" },
            } }
            local list = supervisor.which_children(sup)
            assert.equal(2, #list)
            assert.is_true(list[1].stage:is_alive())
            assert.same({ "a", "running", "worker", "permanent", 0 },
                { list[1].id, list[1].state, list[1].type, list[1].restart, list[1].restarts })
            assert.same({ "b", "supervisor", "transient" }, { list[2].id, list[2].type, list[2].restart })
            assert.same({ specs = 2, active = 2, workers = 1, supervisors = 1 }, supervisor.count_children(sup))
        end)

        it("starts, terminates, restarts and deletes children at run time", function()
            local sup = start {}
            local a = assert(supervisor.start_child(sup, child("a")))
            assert.equal("hello", a:call "hello")
            assert.equal("already_started", reason_of(supervisor.start_child(sup, child("a"))))
            assert.equal("running", reason_of(supervisor.restart_child(sup, "a")))
            assert.equal("running", reason_of(supervisor.delete_child(sup, "a")))
            assert.is_true(supervisor.terminate_child(sup, "a"))
            assert.is_false(a:is_alive())
            assert.equal("stopped", supervisor.which_children(sup)[1].state)
            assert.equal("already_present", reason_of(supervisor.start_child(sup, child("a"))))
            assert.is_true(supervisor.restart_child(sup, "a"):is_alive())
            assert.is_true(supervisor.terminate_child(sup, "a"))
            assert.is_true(supervisor.delete_child(sup, "a"))
            assert.same({}, supervisor.which_children(sup))
        end)

        it("forgets a temporary child that was terminated, and one whose start failed", function()
            local log = stages.start(crashing.Log)
            local sup = start {}
            assert(supervisor.start_child(sup, child("a", nil, { restart = "temporary" })))
            assert.is_true(supervisor.terminate_child(sup, "a"))
            log:call { fail = "b", times = 1, reason = "no disk" }
            assert.equal("no disk", reason_of(supervisor.start_child(sup, child("b", log))))
            assert.same({}, supervisor.which_children(sup))
        end)

        it("says what it does not know", function()
            local sup = start {}
            assert.equal("not_found", reason_of(supervisor.terminate_child(sup, "x")))
            assert.equal("not_found", reason_of(supervisor.restart_child(sup, "x")))
            assert.equal("not_found", reason_of(supervisor.delete_child(sup, "x")))
            local ok, err = pcall(supervisor.start_child, sup, { id = "x", start = {} })
            assert.is_false(ok)
            assert.matches("expected a definition made by", tostring(err))
            ok, err = pcall(supervisor.which_children, 5)
            assert.is_false(ok)
            assert.matches("expected the handle or the name of a supervisor", tostring(err))
            sup:stop()
            assert.equal("noproc", reason_of(supervisor.which_children(sup)))
            assert.equal("noproc", reason_of(supervisor.which_children "spec_no_supervisor"))
            local other = stages.start(crashing.Log)
            assert.equal("not_a_supervisor", reason_of(supervisor.restart_child(other, "x")))
        end)

        it("a child that waits for its restart is restarting; terminating it ends the wait", function()
            local sup = start { backoff = { delay = 3600000, cap = 3600000 }, children = { child("a") } }
            supervisor.which_children(sup)[1].stage:send("crash")
            local one = await(function()
                local info = supervisor.which_children(sup)[1]
                return info.state == "restarting" and info
            end)
            assert.is_nil(one.stage)
            assert.same({ specs = 1, active = 0, workers = 1, supervisors = 0 }, supervisor.count_children(sup))
            assert.equal("restarting", reason_of(supervisor.restart_child(sup, "a")))
            assert.is_true(supervisor.terminate_child(sup, "a"))
            assert.is_true(supervisor.restart_child(sup, "a"):is_alive())
        end)

        it("waits before it restarts, when it has a back-off", function()
            local sup = start { backoff = { delay = 20, jitter = 0.5 }, children = { child("a") } }
            local before = stagehost.uv.hrtime()
            supervisor.which_children(sup)[1].stage:send("crash")
            await(function()
                local one = supervisor.which_children(sup)[1]
                return one.restarts == 1 and one.stage
            end)
            assert.is_true(stagehost.uv.hrtime() - before >= 9e6)
        end)

        it("a child that answers ignore stays in the list, stopped", function()
            local Ignoring = stagehost.process { init = function() return stagehost.ignore end }
            local sup = start { children = { { id = "a", start = Ignoring }, child("b") } }
            assert.equal("stopped", supervisor.which_children(sup)[1].state)
            assert.equal("ignore", reason_of(supervisor.start_child(sup, { id = "c", start = Ignoring })))
            assert.equal(3, #supervisor.which_children(sup))
        end)

        it("ends a nested supervisor with its children", function()
            local log = stages.start(crashing.Log)
            local sup = start { children = {
                child("a", log), { id = "b", start = supervisor { children = { child("c", log), child("d", log) } } },
            } }
            assert.is_true(sup:stop("shutdown"))
            assert.equal("+a +c +d -d -c -a", log:call "take")
        end)

        it("restarts a nested supervisor that has given up", function()
            local sup = start { children = {
                { id = "inner", start = supervisor { max_restarts = 0, children = { child("a") } } },
            } }
            local inner = supervisor.which_children(sup)[1].stage
            supervisor.which_children(inner)[1].stage:send("crash")
            local new = await(function()
                local one = supervisor.which_children(sup)[1]
                return one.stage ~= inner and one.stage
            end)
            assert.equal(1, supervisor.count_children(new).active)
        end)

        it("kills a child that has not ended in time, and brutal_kill at once", function()
            local Stubborn = stagehost.process {
                init = function(_, log) log:cast "+stubborn" end,
                handle_exit = function() end,
                handle_info = function() stagehost.sleep(3600000) end,
                terminate = function() stagehost.sleep(3600000) end,
            }
            local log = stages.start(crashing.Log)
            local sup = start { children = {
                { id = "a", start = Stubborn, options = { args = log }, shutdown = 10 },
                { id = "b", start = Stubborn, options = { args = log }, shutdown = "brutal_kill" },
            } }
            local list = supervisor.which_children(sup)
            list[1].stage:send("sleep")
            sup:stop("shutdown")
            assert.equal("killed", list[1].stage:join())
            assert.equal("killed", list[2].stage:join())
        end)

        it("a killed supervisor takes its children along", function()
            local sup = start { children = { child("a") } }
            local a = supervisor.which_children(sup)[1].stage
            sup:kill()
            assert.equal("killed", a:join())
        end)

        it("ends with who has started it, if linked", function()
            local Owner = stagehost.process {
                init = function(self, spec)
                    self.sup = stagehost.start(stagehost.supervisor(spec), { link = true })
                end,
                handle_call = function(self) return self.sup end,
                handle_info = function() error("the owner crashed") end,
            }
            local owner = stages.start(Owner, { worker = worker, args = { children = { child("a") } } })
            local sup = owner:call "sup"
            local a = supervisor.which_children(sup)[1].stage
            owner:send("crash")
            assert.matches("the owner crashed", tostring(sup:join()))
            assert.equal("shutdown", a:join())
        end)
    end)
end

describe("the definition of a supervisor", function()
    it("is checked whole", function()
        local function problem_of(options)
            local ok, err = pcall(supervisor, options)
            assert.is_false(ok)
            return tostring(err)
        end
        assert.matches('unknown option "strategie" of a supervisor: did you mean "strategy"%?',
            problem_of { strategie = 1 })
        assert.matches('option "strategy" must be one of', problem_of { strategy = "all" })
        assert.matches('option "backoff" is wrong %(.*delay', problem_of { backoff = { delay = 0 } })
        assert.matches('child "x": unknown option "nmae"',
            problem_of { children = { { id = "x", start = crashing.Child, options = { nmae = 1 } } } })
        assert.matches("^spec/pipelines/supervisor_children_spec.lua:%d+: ", problem_of { strategy = "all" })
    end)
end)
