-- SPDX-License-Identifier: MIT

--- How supervisors end children.
local checks = require "stagehost.options.checks"
local shutdown = require "stagehost.supervisor.shutdown"
local stagehost = require "stagehost"

describe("the option shutdown", function()
    it("is a number of milliseconds, infinity or brutal_kill", function()
        for _, value in ipairs { 0, 5000, "infinity", "brutal_kill" } do
            assert.equal(value, shutdown.check(value))
        end
        for _, value in ipairs { -1, 1.5, "soon", true } do
            local ok, problem = pcall(checks.apply, { shutdown = shutdown.check },
                { shutdown = value }, "a child")
            assert.is_false(ok)
            assert.matches('option "shutdown" must be .* "infinity" or "brutal_kill", got',
                problem.message)
        end
    end)
end)

describe("shutdown.all", function()
    local function start(def)
        return assert(stagehost.start(stagehost.process(def or {})))
    end

    it("brutal_kill kills, without terminate", function()
        local ran = false
        local children = { start(), start { terminate = function() ran = true end } }
        assert.same({ "killed", "killed" }, shutdown.all(children, "brutal_kill"))
        assert.is_false(ran)
    end)

    it("has nothing to do with no children", function()
        assert.same({}, shutdown.all({}, 5000))
    end)
end)
