-- SPDX-License-Identifier: MIT

--- Requests and notes between stages of the library.
local notes = require "stagehost.messages.note"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local stages = require "spec.support.stages"

local answers = {}

function answers.add(self, request)
    self.sum = (self.sum or 0) + request.n
    return requests.results(self.sum)
end

function answers.three()
    return requests.results(nil, "no", "refused")
end

function answers.nothing()
    return requests.results()
end

function answers.later(_, _, from)
    stagehost.task(function()
        from:reply(requests.results("later"))
    end)
    return stagehost.noreply
end

local Adder = stagehost.process {
    handle_call = function(self, message, from)
        return requests.answer("adder", answers, self, message, from)
    end,
}

local function ask(stage, what, fields)
    return requests.ask(stage, "adder", what, fields)
end

describe("a request", function()
    after_each(stages.stop_all)

    for worker = 0, stagehost.workers() - 1 do
        it("has the results of the function that answers it, from worker " .. worker, function()
            local stage = stages.start(Adder, { worker = worker })
            assert.equal(2, ask(stage, "add", { n = 2 }))
            assert.equal(5, ask(stage, "add", { n = 3 }))
            assert.same({ nil, "no", "refused" }, { ask(stage, "three") })
            assert.equal(0, select("#", ask(stage, "nothing")))
            assert.equal("later", ask(stage, "later"))
        end)
    end

    it("finds its stage by name", function()
        stages.start(Adder, { name = "spec_adder" })
        assert.equal(1, ask("spec_adder", "add", { n = 1 }))
        assert.same({ nil, 'no stage has the name "spec_none"', "noproc" }, { ask("spec_none", "add") })
        assert.error_matches(function() ask(5, "add") end,
            "adder.add: expected the handle or the name of a adder, got 5")
    end)

    it("is nothing to a stage of another kind, or one that does not know it", function()
        local stage = stages.start(Adder)
        local ok, message, reason = requests.ask(stage, "counter", "add", { n = 1 })
        assert.is_nil(ok)
        assert.matches("stage<#%d+> is not a counter", message)
        assert.equal("not_a_counter", reason)
        assert.equal("not_a_adder", select(3, ask(stage, "subtract")))
        assert.is_nil((stage:call "hello"))
        assert.is_true(stage:is_alive())
    end)
end)

describe("a note", function()
    local takers = {
        add = function(self, note)
            self.sum = self.sum + note.n
            return self.sum
        end,
    }

    it("is taken by the function of its name, everything else by nobody", function()
        local self = { sum = 1 }
        assert.equal(3, notes.take("spec", takers, self, notes.new("add", { n = 2 })))
        for _, other in ipairs { "add", 5, {}, { note = "sub" } } do
            assert.is_nil((notes.take("spec", takers, self, other)))
        end
        assert.equal(3, self.sum)
    end)
end)

describe("the reason of an end", function()
    it("is normal, clean, or a crash", function()
        local cases = {
            { nil, true, true }, { "normal", true, true }, { "shutdown", false, true },
            { { "shutdown", "x" }, false, true }, { "killed", false, false }, { { "other" }, false, false },
        }
        for _, case in pairs(cases) do
            assert.equal(case[2], reasons.is_normal(case[1]))
            assert.equal(case[3], reasons.is_clean(case[1]))
        end
    end)
end)
