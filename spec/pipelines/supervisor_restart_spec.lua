-- SPDX-License-Identifier: MIT

--- Supervisors with children that really crash, on this worker and on another one.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local crashing = require "spec.support.crashing"
local supervisor = stagehost.supervisor

local await, child = crashing.await, crashing.child

after_each(stages.stop_all)

local function start_on(worker, options)
    for _, spec in ipairs(options.children) do
        spec.options.worker = worker
    end
    return stages.start(supervisor(options))
end

local function info(sup, id)
    for _, one in ipairs(assert(supervisor.which_children(sup))) do
        if one.id == id then
            return one
        end
    end
end

--- Ends a child and waits for its successor.
local function crash(sup, id, message)
    local old = info(sup, id).stage
    old:send(message or "crash")
    return await(function()
        local one = info(sup, id)
        return one.stage and one.stage ~= old and one.stage
    end)
end

--- Lets go who waits at it.
local Gate = stagehost.process {
    handle_call = function(self, request, from)
        if request == "wait" then
            self.from = from
            return stagehost.noreply
        elseif request == "open" then
            self.from:reply(true)
        end
        return self.from ~= nil
    end,
}

local Slow = stagehost.process {
    init = function(_, gate) gate:call("wait", math.huge) end,
}

for _, worker in ipairs(crashing.workers()) do
    describe(("a supervisor with children on worker %d"):format(worker), function()
        local log

        before_each(function()
            log = stages.start(crashing.Log)
        end)

        local function children_of(...)
            local list = {}
            for i, name in ipairs { ... } do
                list[i] = child(name, log)
            end
            return list
        end

        it("starts them in order and ends them in reverse order", function()
            local sup = start_on(worker, { children = children_of("a", "b", "c") })
            assert.equal("+a +b +c", log:call "take")
            assert.equal(worker, info(sup, "b").stage:call "worker")
            sup:stop("shutdown")
            assert.equal("-c -b -a", log:call "take")
        end)

        it("one_for_one: restarts the one that crashed", function()
            local sup = start_on(worker, { children = children_of("a", "b", "c") })
            local a = info(sup, "a").stage
            log:call "take"
            local b = crash(sup, "b")
            assert.is_true(b:is_alive())
            assert.equal(a, info(sup, "a").stage)
            assert.equal("-b +b", log:call "take")
            assert.equal(1, info(sup, "b").restarts)
        end)

        it("one_for_all: ends the others in reverse order, and starts all in order", function()
            local sup = start_on(worker, { strategy = "one_for_all", children = children_of("a", "b", "c") })
            log:call "take"
            crash(sup, "b")
            await(function() return supervisor.count_children(sup).active == 3 end)
            assert.equal("-b -c -a +a +b +c", log:call "take")
        end)

        it("rest_for_one: so with those that were started after it", function()
            local sup = start_on(worker, { strategy = "rest_for_one", children = children_of("a", "b", "c") })
            log:call "take"
            crash(sup, "b")
            await(function() return supervisor.count_children(sup).active == 3 end)
            assert.equal("-b -c +b +c", log:call "take")
        end)

        it("permanent: restarts also after a normal end; a kill is a crash", function()
            local sup = start_on(worker, { children = children_of("a") })
            local a = crash(sup, "a", "normal")
            a:kill()
            await(function() return info(sup, "a").restarts == 2 and info(sup, "a").stage end)
        end)

        it("transient: restarts after a crash, not after normal or shutdown", function()
            local list = children_of("a", "b")
            list[1].restart, list[2].restart = "transient", "transient"
            local sup = start_on(worker, { children = list })
            crash(sup, "a", "oops")
            info(sup, "a").stage:send("normal")
            info(sup, "b").stage:send("shutdown")
            await(function() return supervisor.count_children(sup).active == 0 end)
            assert.same({ specs = 2, active = 0, workers = 2, supervisors = 0 }, supervisor.count_children(sup))
            assert.equal("stopped", info(sup, "b").state)
        end)

        it("temporary: forgets a child that has ended", function()
            local list = children_of("a", "b")
            list[1].restart = "temporary"
            local sup = start_on(worker, { children = list })
            info(sup, "a").stage:send("crash")
            await(function() return #supervisor.which_children(sup) == 1 end)
            assert.equal("b", supervisor.which_children(sup)[1].id)
        end)

        it("gives up after more than max_restarts: ends its children and itself", function()
            local sup = start_on(worker, { max_restarts = 2, max_seconds = 3600, children = children_of("a", "b") })
            crash(sup, "b")
            crash(sup, "b")
            log:call "take"
            info(sup, "b").stage:send("crash")
            assert.equal("shutdown", sup:join())
            assert.equal("-b -a", log:call "take")
        end)

        it("a start that fails undoes what was started, and fails with the reason of the child", function()
            log:call { fail = "c", times = 1, reason = "no disk" }
            local list = children_of("a", "b", "c", "d")
            for _, spec in ipairs(list) do
                spec.options.worker = worker
            end
            local sup, _, reason = stagehost.start(supervisor { children = list })
            assert.is_nil(sup)
            assert.equal("no disk", reason)
            assert.equal("+a +b +c -b -a", log:call "take")
        end)

        it("a restart that fails is tried again, and counts", function()
            local sup = start_on(worker, { max_restarts = 3, max_seconds = 3600, children = children_of("a") })
            log:call { fail = "a", times = 2, reason = "not yet" }
            crash(sup, "a")
            assert.equal("+a -a +a +a +a", log:call "take")
            log:call { fail = "a", times = 10, reason = "never" }
            info(sup, "a").stage:send("crash")
            assert.equal("shutdown", sup:join())
        end)

        it("rest_for_one: a restart that fails loses none of those before it", function()
            local sup = start_on(worker, { strategy = "rest_for_one", children = children_of("a", "b", "c", "d") })
            log:call "take"
            log:call { fail = "c", times = 2, reason = "not yet" }
            crash(sup, "b")
            await(function() return supervisor.count_children(sup).active == 4 end)
            assert.equal("-b -d -c +b +c +c +c +d", log:call "take")
        end)

        it("one_for_all: a restart that fails ends and starts all", function()
            local sup = start_on(worker, { strategy = "one_for_all", children = children_of("a", "b", "c") })
            log:call "take"
            log:call { fail = "b", times = 1, reason = "not yet" }
            crash(sup, "c")
            await(function() return supervisor.count_children(sup).active == 3 end)
            assert.equal("-c -b -a +a +b -a +a +b +c", log:call "take")
        end)

        it("a child that is killed while it is started again is one that did not start", function()
            local list = children_of("a")
            list[1].options.name = "a-hunted"
            local sup = start_on(worker, { max_restarts = 1000, children = list })
            local first = stagehost.whereis "a-hunted"
            -- Always in line: it comes between the supervisor, as that starts a stage, and the stage.
            local hunter = stages.start(stagehost.process {
                init = function(self)
                    self.seen, self.kills = first, 0
                    stagehost.self():send "look"
                end,
                handle_info = function(self)
                    local stage = stagehost.whereis "a-hunted"
                    if stage and (stage ~= self.seen or self.kills == 0) then
                        stage:kill()
                        self.seen, self.kills = stage, self.kills + 1
                    end
                    if self.kills < 20 then
                        stagehost.self():send "look"
                    end
                end,
                handle_call = function(self) return self.kills end,
            })
            await(function() return hunter:call() == 20 end)
            await(function() return info(sup, "a").restarts == 20 and info(sup, "a").stage end)
            assert.is_true(sup:is_alive())
            assert.equal("running", info(sup, "a").state)
        end)

        it("exits that come while it starts a child are not lost", function()
            local gate = stages.start(Gate)
            local list = children_of("a", "slow")
            list[2].start, list[2].options.args = Slow, gate
            for _, spec in ipairs(list) do
                spec.options.worker, spec.options.name = worker, spec.id .. "-early"
            end
            local starter = stages.start(stagehost.process {
                handle_cast = function(_, given)
                    assert(stagehost.start(stagehost.supervisor(given), { name = "early" }))
                end,
            })
            starter:cast { children = list }
            await(function() return gate:call "is anybody waiting" end)
            local a = stagehost.whereis "a-early"
            a:send("crash")
            a:join()
            gate:call "open"
            local sup = stagehost.whereis "early"
            await(function() return info(sup, "a").restarts == 1 and info(sup, "a").stage end)
            assert.is_true(sup:is_alive())
            stages.stop(sup)
        end)
    end)
end
