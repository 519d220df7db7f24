-- SPDX-License-Identifier: MIT

local errors = require "stagehost.options.errors"

describe("an error object", function()
    it("reads as a sentence with its place", function()
        assert.equal("oops", tostring(errors.new { name = "error", message = "oops" }))
        assert.equal("stage<x>: handle_events: oops", tostring(errors.new {
            name = "error", message = "oops", stage = "x", callback = "handle_events",
        }))
        assert.equal("killed", tostring(errors.new { name = "killed" }))
        assert.equal("a: oops!", "a: " .. errors.new { message = "oops" } .. "!")
    end)

    it("is known by its metatable, which the C half shares", function()
        assert.is_true(errors.is(errors.new {}))
        assert.is_false(errors.is {})
        assert.is_false(errors.is("oops"))
        assert.equal(debug.getregistry()["stagehost.error"], getmetatable(errors.new {}))
    end)

    it("is raised with the position of the caller", function()
        local ok, err = pcall(function()
            errors.raise("bad", "value %d of %s", 5, "x")
        end)
        assert.is_false(ok)
        assert.equal("bad", err.name)
        assert.matches("errors_spec.lua:%d+: value 5 of x$", err.message)
    end)

    it("is raised with the very text when there is nothing to format", function()
        local _, err = pcall(errors.raise, "bad", "100%")
        assert.matches("100%%$", err.message)
    end)
end)

describe("the library", function()
    it("adds no globals", function()
        local before = {}
        for key in pairs(_G) do
            before[key] = true
        end
        local names = {
            "options", "options.errors", "options.checks", "options.definition", "options.dispatchers",
            "engine.routing",
        }
        for _, name in ipairs(names) do
            package.loaded["stagehost." .. name] = nil
            require("stagehost." .. name)
        end
        for key in pairs(_G) do
            assert.is_true(before[key], "new global " .. tostring(key))
        end
    end)
end)
