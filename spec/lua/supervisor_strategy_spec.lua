-- SPDX-License-Identifier: MIT

--- Who is restarted, and after which ends.
local errors = require "stagehost.options.errors"
local reasons = require "stagehost.messages.reason"
local strategy = require "stagehost.supervisor.strategy"

local clean = { "normal", "shutdown", { "shutdown", "done" } }
local unclean = { "killed", "noproc", "oops", errors.new { name = "error", message = "x" }, { "other", 1 } }

describe("strategies", function()
    it("one_for_one: the child alone", function()
        assert.same({ 2, 2 }, { strategy.affected("one_for_one", 4, 2) })
    end)

    it("one_for_all: all children", function()
        assert.same({ 1, 4 }, { strategy.affected("one_for_all", 4, 2) })
    end)

    it("rest_for_one: the child and those started after it", function()
        assert.same({ 2, 4 }, { strategy.affected("rest_for_one", 4, 2) })
        assert.same({ 4, 4 }, { strategy.affected("rest_for_one", 4, 4) })
    end)
end)

describe("restart", function()
    local function wants(restart, reason)
        return strategy.wants_restart(restart, reason)
    end

    it("permanent: after every end", function()
        for _, reason in ipairs(clean) do
            assert.is_true(wants("permanent", reason))
        end
        assert.is_true(wants("permanent", "killed"))
    end)

    it("transient: after a crash only", function()
        for _, reason in ipairs(clean) do
            assert.is_false(wants("transient", reason))
        end
        for _, reason in ipairs(unclean) do
            assert.is_true(wants("transient", reason))
        end
    end)

    it("temporary: never", function()
        assert.is_false(wants("temporary", "normal"))
        assert.is_false(wants("temporary", "oops"))
    end)
end)

describe("reasons in log lines", function()
    it("are words, messages and details", function()
        assert.equal("normal", reasons.text(nil))
        assert.equal("oops", reasons.text("oops"))
        assert.equal("shutdown", reasons.text { "shutdown", { 1 } })
        assert.equal("it broke", reasons.text { message = "it broke" })
        assert.equal("stage<x>: it broke", reasons.text(errors.new { stage = "x", message = "it broke" }))
    end)
end)
