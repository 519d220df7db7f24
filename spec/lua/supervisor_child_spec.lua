-- SPDX-License-Identifier: MIT

--- Child specifications: checked, and completed with defaults.
local child = require "stagehost.supervisor.child"
local definition = require "stagehost.options.definition"

local Worker = definition.new("process", {})
local Supervisor = definition.new("process", { is_supervisor = true })

local function problem_of(f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    return tostring(err)
end

describe("a child specification", function()
    it("gets defaults", function()
        local spec = child.check({ id = "x", start = Worker }, 1)
        assert.equal("permanent", spec.restart)
        assert.equal(5000, spec.shutdown)
    end)

    it("of a supervisor gives it all the time it needs", function()
        assert.equal("infinity", child.check({ id = "x", start = Supervisor }, 1).shutdown)
        assert.equal(10, child.check({ id = "x", start = Supervisor, shutdown = 10 }, 1).shutdown)
    end)

    it("takes its id from the child's name", function()
        assert.equal("n", child.check({ start = Worker, options = { name = "n" } }, 1).id)
        assert.matches('option "id" must be a non%-empty string', problem_of(child.check, { start = Worker }, 1))
    end)

    it("is checked with the options of the child", function()
        assert.matches('child "x": unknown option "nmae" of a process %(known: .*"name"',
            problem_of(child.check, { id = "x", start = Worker, options = { nmae = "n" } }, 1))
        assert.matches('child "x": option "worker" must be at most 1 or "any", got 2',
            problem_of(child.check, { id = "x", start = Worker, options = { worker = 2 } }, 2))
    end)

    it("says what is wrong, and what is known", function()
        local function check(given)
            given.id, given.start = "x", given.start or Worker
            return problem_of(child.check, given, 1)
        end
        assert.matches('option "restart" must be one of "permanent", "temporary", "transient", got "always"',
            check { restart = "always" })
        assert.matches('option "shutdown" must be an integer of milliseconds, .*, or "infinity" or "brutal_kill"',
            check { shutdown = "soon" })
        assert.matches('unknown option "max_restarts" of a child %(known: "id"', check { max_restarts = 1 })
        assert.matches("expected a definition made by", check { start = {} })
        assert.matches("a child is described by a table", problem_of(child.check, "x", 1))
    end)

    it("has an id that no other child has", function()
        local twice = { { id = "x", start = Worker }, { id = "x", start = Worker } }
        assert.matches('the id "x" appears twice', problem_of(child.check_all, twice, 1))
        assert.equal(2, #child.check_all({ { id = "x", start = Worker }, { id = "y", start = Worker } }, 1))
    end)
end)
