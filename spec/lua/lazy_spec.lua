-- SPDX-License-Identifier: MIT

local lazy = require "stagehost.engine.lazy"

describe("fields that are loaded at their first use", function()
    it("are modules, or fields of modules", function()
        package.loaded["spec.lazy_module"] = { new = "made" }
        finally(function() package.loaded["spec.lazy_module"] = nil end)
        local target = lazy.fields({ own = 1 }, {
            whole = "spec.lazy_module",
            made = { "spec.lazy_module", "new" },
        })
        assert.is_nil(rawget(target, "made"))
        assert.equal("made", target.made)
        assert.equal("made", rawget(target, "made"))
        assert.equal(package.loaded["spec.lazy_module"], target.whole)
        assert.equal(1, target.own)
        assert.is_nil(target.other)
    end)

    it("of a folder of modules are what these make", function()
        local source = lazy.new("stagehost.source", { "list", "lines" })
        assert.equal(require("stagehost.source.list").new, source.list)
        assert.error_matches(function() return source.lins end,
            "stagehost.source has no lins %(it has list, lines%)")
    end)

    it("of the face are there", function()
        local stagehost = require "stagehost"
        for _, name in ipairs { "source", "sink", "codec", "zip", "merge", "broker", "broker_add", "broker_remove",
            "broker_members", "task", "supervisor", "consumer_supervisor", "pipeline", "dead_letters", "uv" } do
            assert.is_truthy(stagehost[name], name)
        end
        assert.error_matches(function() return stagehost.pipelin end,
            "lazy_spec.lua:%d+: stagehost has no pipelin: did you mean pipeline%?")
        assert.error_matches(function() stagehost.frobnicate() end,
            "stagehost has no frobnicate %(it has _VERSION, ask, await, await_name, batch, ")
    end)
end)
